#!/usr/bin/env python3
"""Question: what does less memory cost in time?

Trains two layers of LSTM (batch 20, input and hidden 200) on a stream of letters cut into pieces of 100 and 1,000
steps, with everything kept and with --memory-limit at shares of that, on one thread. The runs of one length are
interleaved, and each row takes the fastest of them. Prints arena, segments and the seconds of 24 training steps
(the first touch of the memory among them); the models must be equal to the byte.

    bench/memory_limit.py --rnnc build/rnnc [--lengths 100,1000] [--rounds 3]
"""
import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

MODEL = """
dim H = 200
data d {
  read "letters.txt" as stream
  x: C[T] = chars(text)
  chunk T = %d
}
model m(x: C[T]) -> (logits: [T, C]) {
  h      = scan lstm[H] over embed[H](x)
  g      = scan lstm[H] over h
  logits = linear[C](g)
}
train m on d {
  loss      cross_entropy(logits, next(x))
  optimizer adam(rate = 1e-3)
  clip      norm(5)
  batch     20
  epochs    1
}
"""
STEPS = 24  # of training
SHARES = [1, 0.5, 0.25, 0.125, 0.08]


def run(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False,
                          env=dict(os.environ, XDG_CACHE_HOME=os.path.join(folder, "cache")))


def limits_of(rnnc, folder, steps):
    """Arguments and what the compiler says of each share of the memory that is needed when all is kept."""
    ask = [rnnc, "compile", "m.rnn", "--time", "--json", "--threads", "1", "--batch", "20", "--time-steps",
           str(steps)]
    rows = []
    for share in SHARES:
        limit = []
        if share < 1:
            whole = rows[0][1]
            limit = ["--memory-limit",
                     "%d" % (whole["memory_bytes"] - (1 - share) * whole["arena_bytes"])]
        answer = run(ask + limit, folder)
        if answer.returncode == 0:
            rows.append((limit, json.loads(answer.stdout)))
    return rows


def seconds_of(rnnc, folder, limit):
    """Of one short training, and its model."""
    metrics, model = os.path.join(folder, "m.jsonl"), os.path.join(folder, "m.model")
    for file in (metrics, model):
        if os.path.exists(file):
            os.remove(file)
    answer = run([rnnc, "train", "m.rnn", "--quiet", "--threads", "1", "--model", model, "--metrics", metrics] +
                 limit, folder)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    with open(metrics) as lines:
        record = json.loads(lines.readlines()[-1])
    with open(model, "rb") as file:
        return record["seconds"], hashlib.sha256(file.read()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rnnc", default="build/rnnc")
    parser.add_argument("--lengths", default="100,1000")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rnnc = os.path.abspath(options.rnnc)
    print("%8s %10s %14s %10s %12s %8s" % ("steps", "arena MiB", "segment steps", "commands", "s, %d steps" % STEPS,
                                           "times"))
    for steps in map(int, options.lengths.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            letters = random.Random(1)
            with open(os.path.join(folder, "letters.txt"), "w") as file:
                file.write("".join(letters.choice("abcdefghij") for _ in range(20 * STEPS * steps + 1)))
            with open(os.path.join(folder, "m.rnn"), "w") as file:
                file.write(MODEL % steps)
            rows = limits_of(rnnc, folder, steps)
            best = [float("inf")] * len(rows)
            models = set()
            for _ in range(options.rounds):
                for i, (limit, _) in enumerate(rows):
                    seconds, model = seconds_of(rnnc, folder, limit)
                    best[i] = min(best[i], seconds)
                    models.add(model)
            if len(models) != 1:
                sys.exit("the models differ")
            for (_, facts), seconds in zip(rows, best):
                print("%8d %10.1f %14s %10d %12.3f %8.2f" %
                      (steps, facts["arena_bytes"] / 2**20, facts["segment_steps"] or "-", facts["commands"],
                       seconds, seconds / best[0]))


if __name__ == "__main__":
    main()
