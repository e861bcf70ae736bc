"""A contestant written in Python: the job it reads, and the loop that answers the conductor (run.py) line by line.
worker.h is the same in C++.

  step RATE   one step; answers {"loss": ...} and writes what it changed (or computed) to FOLDER/NAME/
  time N      N steps; answers {"seconds": [...]}, one entry a step
"""
import json
import pathlib
import sys
import time

import numpy as np


class Job:
    """FOLDER/job.json with x [T, B, E], y [T, B, H] and the parameters, all as numpy arrays of floats; or, if there is
    a vocabulary, with ids x and y [T, B]: a language model of two layers."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        job = json.loads((self.folder / "job.json").read_text())
        self.cell, self.train, self.threads = job["cell"], job["train"], job["threads"]
        self.steps, self.batch, self.inputs, self.hidden = (job[k] for k in ("steps", "batch", "inputs", "hidden"))
        self.clip, self.vocabulary = job["clip"], job["vocabulary"]
        if self.vocabulary:
            self.x, self.y = (np.fromfile(self.folder / f"{name}.i32", np.int32).reshape(self.steps, self.batch)
                              for name in "xy")
        else:
            self.x = self.read("x", (self.steps, self.batch, self.inputs))
            self.y = self.read("y", (self.steps, self.batch, self.hidden))
        self.parameters = {p["name"]: self.read(p["name"], (p["rows"], p["cols"]) if p["rows"] > 1 else (p["cols"],))
                           for p in job["parameters"]}

    def read(self, name, shape):
        return np.fromfile(self.folder / f"{name}.f32", np.float32).reshape(shape)

    def joined(self, joins, prefix=""):
        """Parameters with those of each join side by side: {"W": ["Wi", "Wf"]} makes one W of [E, 2H]. Only those that
        begin with `prefix`, which is left out."""
        own = {name.removeprefix(prefix): value for name, value in self.parameters.items() if name.startswith(prefix)}
        parts = {name for names in joins.values() for name in names}
        rest = {name: value for name, value in own.items() if name not in parts}
        return rest | {to: np.concatenate([own[n] for n in names], axis=-1) for to, names in joins.items()}

    def parted(self, values, joins, prefix=""):
        """The way back."""
        results = {}
        for name, value in values.items():
            names = [prefix + n for n in joins.get(name, [name])]
            results |= zip(names, np.split(np.asarray(value), len(names), axis=-1))
        return results


def serve(job, name, version, step, results):
    """Answers commands until there are no more. step(rate) trains (or computes) once and gives the loss;
    results() gives what is compared, by name: all parameters after training, else h."""
    print(json.dumps({"name": name, "version": version}), flush=True)
    for line in sys.stdin:
        command, argument = line.split()
        if command == "step":
            answer = {"loss": float(step(float(argument)))}
            folder = job.folder / name
            folder.mkdir(exist_ok=True)
            for result, values in results().items():
                np.ascontiguousarray(values, np.float32).tofile(folder / f"{result}.f32")
        elif command == "time":
            seconds = []
            for _ in range(int(argument)):
                begin = time.perf_counter()
                step(1e-3)
                seconds.append(time.perf_counter() - begin)
            answer = {"seconds": seconds}
        else:
            sys.exit(f"no such command: {command}")
        print(json.dumps(answer), flush=True)
