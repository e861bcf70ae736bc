#!/usr/bin/env python3
"""Trains the examples and compares what they reach with the figures of others: docs/results.md.

  tools/results.py run [NAME ...] [--seeds 1,2,3] [--data DIR]   trains, keeps every run in docs/results.json
  tools/results.py page                                          writes docs/results.md from docs/results.json
  tools/results.py list                                          the names, and which seeds were run

A run is one `rnnc train FILE MODEL --data DIR --seed S --threads 1 --json` in a scratch folder. A run that is there
already, of the same example and seed, is replaced.
"""
import argparse
import gzip
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile

from results_reference import EXAMPLES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNS = os.path.join(ROOT, "docs", "results.json")
PAGE = os.path.join(ROOT, "docs", "results.md")


# ---- data that an example wants in another cut

def read_text(path):
    if os.path.exists(path):
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    with gzip.open(path + ".gz", "rt", encoding="utf-8", newline="") as file:
        return file.read()


def write_text(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def ptb_from_wikitext(data, folder):
    lines = read_text(os.path.join(data, "wikitext-2", "test.txt")).splitlines(keepends=True)
    half = len(lines) // 2
    write_text(os.path.join(folder, "ptb", "ptb.train.txt"), read_text(os.path.join(data, "wikitext-2", "valid.txt")))
    write_text(os.path.join(folder, "ptb", "ptb.valid.txt"), "".join(lines[:half]))
    write_text(os.path.join(folder, "ptb", "ptb.test.txt"), "".join(lines[half:]))


def first_pairs(data, folder):
    lines = read_text(os.path.join(data, "eng-fra", "fra.txt")).splitlines(keepends=True)
    write_text(os.path.join(folder, "eng-fra", "fra.txt"), "".join(lines[:20000]))


# ---- runs

def machine():
    names = [line.split(":", 1)[1].strip() for line in read_text("/proc/cpuinfo").splitlines() if "model name" in line]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def command(example, seed):
    return ["train", example.file, example.model, "--seed", str(seed), "--threads", "1", *example.options]


def run(example, seed, data, rnnc):
    with tempfile.TemporaryDirectory() as folder:
        text = read_text(os.path.join(ROOT, "examples", example.file))
        for old, new in example.edits:
            if old not in text:
                raise SystemExit(f"{example.file}: no longer has {old!r}")
            text = text.replace(old, new)
        write_text(os.path.join(folder, example.file), text)
        if example.prepare:
            globals()[example.prepare](data, folder)
            data = folder
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([rnnc, *command(example, seed), "--data", data, "--json", "--quiet"], cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        print(f"{example.name}, seed {seed}: exit status {done.returncode}\n{done.stderr.strip()[:2000]}", file=sys.stderr)
        return None
    result = json.loads(done.stdout)
    epochs, best = result["epochs"], result["best_epoch"]
    parts = {"test": result.get("test"), "valid": result.get("valid"), "best": epochs[best - 1]}
    return {
        "example": example.name, "seed": seed, "figures": {f.label: pick(parts, f.path) for f in example.figures},
        "epochs": len(epochs), "best_epoch": best, "epoch_seconds": min(e["seconds"] for e in epochs),
        "rows_per_second": result["rows_per_second"], "peak_rss_bytes": result["peak_rss_bytes"],
        "seconds": result["seconds"],
        "cpu_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "machine": machine(),
    }


def pick(parts, path):
    value = parts
    for key in path:
        value = value[key]
    return value


def load_runs():
    return json.loads(read_text(RUNS)) if os.path.exists(RUNS) else []


def keep(runs):
    order = {example.name: at for at, example in enumerate(EXAMPLES)}
    runs.sort(key=lambda r: (order[r["example"]], r["seed"]))
    write_text(RUNS, "[\n" + ",\n".join(json.dumps(r) for r in runs) + "\n]\n")


def run_all(args):
    failed = 0
    for seed in [int(s) for s in args.seeds.split(",")]:
        for example in EXAMPLES:
            if args.names and example.name not in args.names:
                continue
            made = run(example, seed, os.path.abspath(args.data), os.path.abspath(args.rnnc))
            if made is None:
                failed += 1
                continue
            keep([r for r in load_runs() if (r["example"], r["seed"]) != (example.name, seed)] + [made])
            print(example.name, seed, json.dumps(made["figures"]), f"{made['seconds']:.1f} s", flush=True)
    return 1 if failed else 0


# ---- the page

def verdict(figure, values):
    """Within the range of the reference or better, or at most 1 point (of an error: 2 %; of a perplexity that the
    reference has of one seed: 3 %) behind it."""
    if figure.better == "shown":
        return ""
    mean = statistics.mean(values)
    if figure.better == "error":
        one_seed = figure.low == figure.high and "perplexity" in figure.label
        within, near = mean <= rounded_up(figure.high), mean <= figure.high * (1.03 if one_seed else 1.02)
    else:
        point = 0.01 if figure.better == "share" else 1.0
        within, near = mean >= rounded_down(figure.low), mean >= figure.low - point
    return "yes" if within else "near" if near else "**no**"


def unit(number):
    """Half of the last digit that the reference prints."""
    digits = repr(number).partition(".")[2]
    return 0.5 * 10.0 ** -len(digits)


def rounded_up(number):
    return number + unit(number)


def rounded_down(number):
    return number - unit(number)


def shown(number):
    if number == 0 or abs(number) < 1e-3:
        return f"{number:.1e}"
    return f"{number:.3f}" if abs(number) < 2 else f"{number:.2f}" if abs(number) < 100 else f"{number:.1f}"


def with_range(low, middle, high):
    return shown(middle) if shown(low) == shown(high) else f"{shown(middle)} ({shown(low)} to {shown(high)})"


def reference(figure):
    if figure.low is None:
        return ""
    return str(figure.low) if figure.low == figure.high else f"{figure.low} to {figure.high}"


def figure_lines(example, runs):
    lines = []
    for at, figure in enumerate(example.figures):
        values = [r["figures"][figure.label] for r in runs]
        ours = with_range(min(values), statistics.mean(values), max(values))
        name = example.name if at == 0 else ""
        lines.append(f"| {name} | {figure.label} | {ours} | {reference(figure)} | {verdict(figure, values)} |")
    return lines


def cost_line(example, runs):
    seconds = min(r["epoch_seconds"] for r in runs)
    epochs = sorted({r["epochs"] for r in runs})
    best = sorted({r["best_epoch"] for r in runs})
    spread = lambda v: str(v[0]) if len(v) == 1 else f"{v[0]} to {v[-1]}"
    per_epoch = f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}"
    rows = max(r["rows_per_second"] for r in runs)
    reached = spread(epochs) if epochs == best else f"{spread(epochs)} (best {spread(best)})"
    other = "" if example.seconds_per_epoch is None else f"{example.seconds_per_epoch:g}"
    cpu = min(r["cpu_seconds"] for r in runs)
    options = " ".join(example.options)
    call = f"`rnnc train {example.file} {example.model}{' ' + options if options else ''}`"
    seeds = [r["seed"] for r in runs]
    seeds = f"1 to {len(seeds)}" if seeds == list(range(1, len(seeds) + 1)) and len(seeds) > 3 else ", ".join(map(str, seeds))
    return (f"| {example.name} | {call} | {seeds} | {reached} | {per_epoch} | {other} | {rows:,.0f} | {cpu:.3g} | "
            f"{example.remark} |")


def page():
    runs = load_runs()
    measured = [(e, [r for r in runs if r["example"] == e.name]) for e in EXAMPLES]
    measured = [(e, r) for e, r in measured if r]
    missing = [e.name for e in EXAMPLES if not any(r["example"] == e.name for r in runs)]
    text = [HEAD.replace("MACHINES", "; ".join(sorted({r["machine"] for r in runs}))), "",
            "| example | figure | rnnc: mean (range over seeds) | reference | within |", "|---|---|---|---|---|"]
    for example, mine in measured:
        text += figure_lines(example, mine)
    text += ["", COSTS, "",
             "| example | command | seeds | epochs | s per epoch | reference | rows per s | CPU s in all | remark |",
             "|---|---|---|---|---|---|---|---|---|"]
    text += [cost_line(example, mine) for example, mine in measured]
    if missing:
        text += ["", "Not run: " + ", ".join(missing) + "."]
    text += ["", BEHIND]
    write_text(PAGE, "\n".join(text) + "\n")


HEAD = """# Results

Written by `tools/results.py page` from the runs in `results.json`; `tools/results.py run NAME --seeds 1,2,3` makes such
a run again. The reference is the same network in PyTorch 2.13, trained by others with other random numbers, two seeds
or one. `yes`: the mean of our seeds lies in its range or is better; `near`: at most 1 percentage point behind it (an
error: 2 %; a perplexity that the reference has of one seed: 3 %). Figures of the test part are those of the parameters
with the best valid loss; where a file has no test part, the valid part's.

Machine: MACHINES."""

COSTS = """## Time

One thread. Seconds per epoch are the smallest of all epochs, training and the reading of batches, without evaluation;
the machine was shared with other work, so they are upper bounds. The reference's are of another machine (AMD EPYC with
AVX-512, one thread, PyTorch's own recurrent layers). Rows are those of the training part (of a stream: pieces). CPU
seconds are those of the whole command, with compiling, reading of data and evaluation."""

BEHIND = """## Where a figure lies behind

`tools/witness.py DIR` trains the three small networks in NumPy, with gradients written by hand and nothing taken from
the compiler, under the same rules. Over 20 seeds it lies where rnnc lies, and the reference's two seeds at the good
end of the spread:

```
virginica  test accuracy      0.9400 (0.9333 to 0.9667), 20 seeds
virginica  test loss          0.1453 (0.1442 to 0.1471), 20 seeds
species    test loss          0.1336 (0.1262 to 0.1414), 20 seeds
species    test squared error 0.0225 (0.0209 to 0.0242), 20 seeds
tdnn       test MAE, 1 month  12.8704 (12.4387 to 13.3356), 20 seeds
tdnn       test MAE, a year   18.8083 (17.9653 to 19.8514), 20 seeds
```

`sentiment_seed` has no valid part: its test figures are those of the fifth epoch, when the loss on the training part
is already small and that on the test part depends on the seed."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["run", "page", "list"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--data", default=os.path.join(ROOT, "..", "shared", "data"))
    parser.add_argument("--rnnc", default=os.path.join(ROOT, "build", "rnnc"))
    args = parser.parse_args()
    unknown = set(args.names) - {e.name for e in EXAMPLES}
    if unknown:
        parser.error(f"no example {', '.join(sorted(unknown))}")
    if args.what == "run":
        return run_all(args)
    if args.what == "list":
        for example in EXAMPLES:
            print(example.name, *[r["seed"] for r in load_runs() if r["example"] == example.name])
        return 0
    page()
    return 0


sys.exit(main())
