#!/usr/bin/env python3
"""Examples of rnnc beside the same networks in PyTorch (torch_examples.py), whole commands on the same cores in turn.

  bench/peers/epochs.py --data DIR                      surname, languages, reviews and textcnn on one thread
  bench/peers/epochs.py --data DIR --examples surname --threads 2 --rounds 5

Every command is run for one epoch and for three. What an epoch takes is half the difference: forming batches,
training and validation, without the start of Python, the reading of files and the compiler, which the time of the
whole command for one epoch shows. The fastest of some rounds is told, and the accuracy on the test part after three
epochs, so that everybody is seen to learn the same. Contestants as for run.py.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import report
import run

EXAMPLES = ["surname", "languages", "reviews", "textcnn"]
EPOCHS = (1, 3)


def commands(example, options, python, folder):
    """Name -> f(epochs), a command."""
    threads = str(options.threads)
    file = folder / f"{example}.rnn"
    shutil.copy(run.ROOT / "examples" / file.name, file)  # the model is saved beside it
    ours = [options.build / "rnnc", "train", file, "--data", options.data, "--threads", threads]
    theirs = [python, run.HERE / "torch_examples.py", example, options.data]
    all_ = {"rnnc": lambda epochs: [*ours, "--set", f"epochs={epochs}"]}
    for how in ("packed", "padded"):
        if how == "padded" or example != "textcnn":
            all_[f"torch {how}"] = lambda epochs, how=how: [*theirs, str(epochs), threads, how]
    return all_


def seconds_of(command, cores):
    """(how long it ran, accuracy on the test part)"""
    begin = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    took = time.perf_counter() - begin
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    told = re.search(r"^test .*accuracy\(.*?\) ([0-9.]+)|^test ([0-9.]+)", done.stdout + done.stderr, re.M)
    return took, float(told[1] or told[2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder the examples' data lie in")
    parser.add_argument("--examples", default=",".join(EXAMPLES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--build", type=pathlib.Path, default=run.ROOT / "build")
    parser.add_argument("--venv", type=pathlib.Path, default=run.ROOT / "build" / "peers")
    options = parser.parse_args()
    python = run.environment(options.venv)
    cores = sorted(os.sched_getaffinity(0))[:options.threads]
    print(f"{report.machine()}; {options.threads} thread{'s' if options.threads > 1 else ''}\n")
    print("| example | | an epoch, s | the whole command, one epoch, s | test accuracy after three |")
    print("| --- | --- | --: | --: | --: |")
    for example in options.examples.split(","):
        with tempfile.TemporaryDirectory() as folder:
            best, accuracy = {}, {}
            contestants = commands(example, options, python, pathlib.Path(folder))
            for _ in range(options.rounds):
                for name, command in contestants.items():
                    for epochs in EPOCHS:
                        took, accuracy[name] = seconds_of(command(epochs), cores)
                        best[name, epochs] = min(took, best.get((name, epochs), took))
        few, many = EPOCHS
        epoch = {name: (best[name, many] - best[name, few]) / (many - few) for name in contestants}
        for name in contestants:
            print(f"| {example} | {name} | {epoch[name]:.2f} | {best[name, few]:.2f} | {accuracy[name]:.3f} |")
        others = min(epoch[name] for name in contestants if name != "rnnc")
        whole = min(best[name, few] for name in contestants if name != "rnnc")
        print(f"| {example} | **PyTorch : rnnc** | **{others / epoch['rnnc']:.1f}** | "
              f"**{whole / best['rnnc', few]:.1f}** | |", flush=True)


if __name__ == "__main__":
    main()
