#!/usr/bin/env python3
"""Question: what does a longer sequence cost the compiler?

Compiles the training program of two layers of LSTM (batch 20, input and hidden 200) for 10 to 10,000 time steps
and prints nodes, milliseconds by pass, kernels, LLVM's milliseconds, the arena and the peak of resident memory,
each length in a process of its own; and draws the times as an SVG.

    bench/compile_length.py --rnnc build/rnnc --svg compile_length.svg [--warm] [--lengths 10,100,1000]

Without --warm nothing is taken from the cache on disk, so LLVM compiles everything each time.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

MODEL = """
dim H = 200
data d {
  read "words.txt" as lines
  x: C[T] = chars(line)
}
model m(x: C[T]) -> (logits: [T, C]) {
  h      = scan lstm[H] over embed[H](x)
  g      = scan lstm[H] over h
  logits = linear[C](g)
}
train m on d {
  loss      cross_entropy(logits, x)
  optimizer adam(rate = 1e-3)
  clip      norm(5)
  batch     20
  epochs    1
}
"""


def measure(rnnc, folder, steps, warm):
    command = [rnnc, "compile", os.path.join(folder, "m.rnn"), "--time", "--json", "--threads", "1",
               "--time-steps", str(steps)] + ([] if warm else ["--no-cache"])
    environment = dict(os.environ, XDG_CACHE_HOME=os.path.join(folder, "cache"))
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit("%s failed" % " ".join(command))
        out.seek(0)
        result = json.load(out)
    result["rss_mib"] = usage.ru_maxrss / 1024
    result["passes_ms"] = sum(p["ms"] for p in result["passes"])
    return result


def table(results):
    names = [p["name"] for p in results[0]["passes"]]
    columns = [("steps", lambda r: "%d" % r["time_steps"]), ("nodes", lambda r: "%d" % r["nodes"]),
               ("kernels", lambda r: "%d" % r["kernels"]), ("commands", lambda r: "%d" % r["commands"]),
               ("unroll ms", lambda r: "%.1f" % r["unroll_ms"]),
               ("passes ms", lambda r: "%.1f" % r["passes_ms"]),
               ("a step", lambda r: "%.3f" % (r["passes_ms"] / r["time_steps"])),
               ("plan ms", lambda r: "%.1f" % r["plan_ms"]), ("LLVM ms", lambda r: "%.1f" % r["llvm_ms"]),
               ("total ms", lambda r: "%.1f" % r["total_ms"]),
               ("arena MiB", lambda r: "%.1f" % (r["arena_bytes"] / 2**20)),
               ("peak RSS MiB", lambda r: "%.0f" % r["rss_mib"])]
    lines = [" ".join("%*s" % (max(len(h), 8), h) for h, _ in columns)]
    lines += [" ".join("%*s" % (max(len(h), 8), f(r)) for h, f in columns) for r in results]
    lines += ["", "ms by pass", " ".join(["%8s" % "steps"] + ["%*s" % (max(len(n), 8), n) for n in names])]
    for r in results:
        lines.append(" ".join(["%8d" % r["time_steps"]] +
                              ["%*.2f" % (max(len(p["name"]), 8), p["ms"]) for p in r["passes"]]))
    return "\n".join(lines)


def svg(results):
    """Milliseconds against steps, both logarithmic."""
    curves = [("passes", "#c03030", "passes_ms"), ("LLVM", "#2050c0", "llvm_ms"), ("plan", "#208040", "plan_ms"),
              ("unroll, differentiate", "#a07000", "unroll_ms"), ("total", "#000000", "total_ms")]
    width, height, left, top, right, bottom = 640, 400, 70, 20, 170, 50
    steps = [r["time_steps"] for r in results]
    values = [max(r[key], 1e-2) for r in results for _, _, key in curves]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(steps[0]), math.log10(steps[-1]) if len(steps) > 1 else math.log10(steps[0]) + 1

    def x(step):
        return left + (math.log10(step) - first) / (last - first) * (width - left - right)

    def y(ms):
        return top + (high - math.log10(max(ms, 1e-2))) / (high - low) * (height - top - bottom)

    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
           'font-size="12">' % (width, height), '<rect width="100%" height="100%" fill="white"/>']
    for power in range(low, high + 1):
        at = y(10**power)
        out.append('<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>' % (left, at, width - right, at))
        out.append('<text x="%d" y="%.1f" text-anchor="end">%g ms</text>' % (left - 6, at + 4, 10.0**power))
    for step in steps:
        out.append('<text x="%.1f" y="%d" text-anchor="middle">%d</text>' % (x(step), height - bottom + 18, step))
    out.append('<text x="%d" y="%d" text-anchor="middle">time steps</text>' %
               ((left + width - right) / 2, height - 10))
    for i, (name, color, key) in enumerate(curves):
        points = " ".join("%.1f,%.1f" % (x(r["time_steps"]), y(r[key])) for r in results)
        out.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>' % (points, color))
        at = top + 16 * i + 10
        out.append('<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="2"/>' %
                   (width - right + 12, at, width - right + 32, at, color))
        out.append('<text x="%d" y="%d">%s</text>' % (width - right + 38, at + 4, name))
    return "\n".join(out + ["</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rnnc", default="build/rnnc")
    parser.add_argument("--lengths", default="10,30,100,300,1000,3000,10000")
    parser.add_argument("--svg", help="draw here")
    parser.add_argument("--warm", action="store_true", help="with what an earlier start left on disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "m.rnn"), "w") as file:
            file.write(MODEL)
        with open(os.path.join(folder, "words.txt"), "w") as file:
            file.writelines("abcdefghijklmnopqrst"[i % 13:i % 13 + 1 + i % 7] + "\n" for i in range(200))
        if options.warm:
            measure(options.rnnc, folder, 10, True)
        results = [measure(options.rnnc, folder, int(t), options.warm) for t in options.lengths.split(",")]
    print(table(results))
    if options.svg:
        with open(options.svg, "w") as file:
            file.write(svg(results))


if __name__ == "__main__":
    main()
