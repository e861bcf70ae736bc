#!/usr/bin/env python3
"""What it costs that training can say where a number was lost, while none is: from traces of the examples.

    bench/look_cost.py [RNNC [DATA]]        build/rnnc, ../shared/data

A copy of the variables every 64 steps and a look at them there and at the end of an epoch, as a share of the time
of the training steps themselves and of the whole training (batches, epochs' ends, valid part), in the same run.
"""

import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNS = [  # file, model, steps
    ("house.rnn", "line", 500), ("iris.rnn", "species", 2000), ("surname.rnn", "surname", 640),
    ("languages.rnn", "language", 320), ("sampling.rnn", "anew", 320), ("textcnn.rnn", "question", 320),
    ("namegen.rnn", "name", 320), ("wiki.rnn", "lm", 192),
]


def total(events, *names):
    return sum(e["dur"] for e in events if e["name"] in names and e.get("ph") == "X") / 1e3


def main():
    rnnc = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else os.path.join(HERE, "build", "rnnc")
    data = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else os.path.join(HERE, "..", "shared", "data")
    print("%-16s %-10s %6s %10s %12s %12s %10s %10s" % ("", "model", "steps", "steps ms", "training ms", "looking ms",
                                                       "of steps", "of all"))
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace.json")
        for name, model, steps in RUNS:
            ran = subprocess.run([rnnc, "train", os.path.join(HERE, "examples", name), model, "--data", data, "--model",
                                  os.path.join(folder, "m"), "--steps", str(steps), "--threads", "1", "--quiet", "--trace",
                                  trace], capture_output=True, text=True)
            if ran.returncode != 0:
                print("%-16s %s" % (name, ran.stderr.splitlines()[0]))
                continue
            with open(trace) as file:
                content = json.load(file)
            events = content["traceEvents"] if isinstance(content, dict) else content
            work = total(events, "step")
            look = total(events, "remember", "look for lost numbers")
            steps = [e for e in events if e["name"] == "step"]
            whole = (max(e["ts"] + e["dur"] for e in steps) - min(e["ts"] for e in steps)) / 1e3
            print("%-16s %-10s %6d %10.1f %12.1f %12.2f %9.2f%% %9.2f%%" % (
                name, model, len(steps), work, whole, look, 100 * look / work, 100 * look / whole), flush=True)


main()
