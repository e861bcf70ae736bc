#!/usr/bin/env python3
"""rnnc beside the best libraries: whole training steps and forward passes of one recurrent layer, and of language
models, the same numbers on the same cores in one run.

  bench/peers/run.py                      all cells and shapes on one thread: hours
  bench/peers/run.py --cells lstm,mgu --shapes 20,20,200,200 --rounds 3

Every contest (a cell, a shape: time steps, batch, inputs, hidden units) starts each contestant in a process of its
own, pinned to the same cores. Each takes one step from the same parameters on the same batch; what comes out (new
parameters, or h) must be what rnnc's is but for rounding. Then they take turns, some steps each, round after round.
What is compared are the fastest rounds; a round's time is the median of its steps. Training is forward, backward
and plain gradient descent on the mean of (h - y)²; of the language models on the cross entropy over 10,000 words,
with the norm of the gradient bounded.

Results go to --out as JSON after every contest; report.py makes tables and a plot of them. Contestants come from PyPI
(requirements.txt, into --venv) and from the build folder (cmake --preset release -DRNNC_BENCH=ON).
"""
import argparse
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LANGUAGE_MODELS = ["20,20,200,200", "35,20,650,650"]  # of two layers, with the shapes of Zaremba et al. 2014
VOCABULARY = 10000
SHAPES = ["16,1,64,128", "20,20,200,200", "50,32,64,256", "35,20,650,650", "25,32,512,512", "25,64,1024,1024",
          "50,1,256,256", "25,1,1024,1024", "1000,16,64,128"]
CELLS = ["lstm", "gru", "peephole", "ln_lstm", "cifg", "mgu", "slstm"]

LAYER = """
dim E = {inputs}, H = {hidden}
data d {{
  read "x.npy", "y.npy" as npy
  x: [T, E] = number(col(1))
  y: [T, H] = number(col(2))
}}
model m(x: [T, E]) -> (h: [T, H]) {{
  h = scan {cell}[H] over x
}}
train m on d {{
  loss      squared_error(h, y)
  optimizer sgd(rate = 1e-3)
  epochs    1
}}
predict m {{
  show h
}}
"""

LANGUAGE_MODEL = """
data d {{
  read "words.tsv" as tsv
  x: V[T] = words(col(1))
  y: V[T] = words(col(2))
}}
model m(x: V[T]) -> (logits: [T, V]) {{
  e      = embed[{inputs}](x)
  h      = scan stack({cell}[{hidden}], 2) over e
  logits = linear[V](h)
}}
train m on d {{
  loss      cross_entropy(logits, y)
  optimizer sgd(rate = 1e-3)
  clip      norm({clip})
  epochs    1
}}
"""


def contestants(job, build, python):
    """Name and command of everybody who can do the job; rnnc first."""
    bin_, cell, train = build / "bench", job["cell"], job["train"]
    list_ = [("rnnc", [bin_ / "peer_rnnc"])]
    scripts, layer = [], not job["vocabulary"]
    if cell in ("lstm", "gru"):
        scripts.append(("torch nn." + cell.upper(), "torch_worker.py", "library"))
        if not train:
            scripts += [("onnxruntime", "onnx_worker.py", "onnxruntime"), ("openvino", "onnx_worker.py", "openvino")]
    if train:
        scripts += [("torch eager", "torch_worker.py", "eager"), ("torch compile", "torch_worker.py", "compiled")]
    scripts += [("jax scan", "jax_worker.py", "1"), ("jax scan x5", "jax_worker.py", "5")]
    if layer and cell in ("lstm", "peephole") and (bin_ / "peer_onednn").exists():
        list_.append(("oneDNN", [bin_ / "peer_onednn"]))
    if layer and cell == "lstm" and train and job["threads"] == 1:
        list_.append(("eigen", [bin_ / "peer_eigen"]))
    return list_ + [(name, [python, HERE / script, how]) for name, script, how in scripts]


class Worker:
    """One contestant in its process."""

    def __init__(self, name, command, folder, cores):
        self.name, self.seconds = name, []
        command = [*command[:2], folder, *command[2:]]
        threads = str(len(cores))
        self.errors = tempfile.TemporaryFile("w+")  # no pipe that fills up
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            text=True, preexec_fn=lambda: os.sched_setaffinity(0, cores),
            env=os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads})
        self.facts = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise RuntimeError(f"{self.name}: {self.errors.read().strip()[-2000:]}")
        return json.loads(line)

    def ask(self, command):
        print(command, file=self.process.stdin, flush=True)
        return self.answer()

    def turn(self, count):
        self.seconds.append(statistics.median(self.ask(f"time {count}")["seconds"]))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def write_job(folder, job, build, numpy):
    """job.json and the numbers: inputs, targets and parameters, all from one seed."""
    random = numpy.random.default_rng(1)

    def write(name, *shape, scale=1.0, mean=0.0):
        (mean + scale * random.standard_normal(shape)).astype(numpy.float32).tofile(folder / f"{name}.f32")
    steps, batch, inputs, hidden = (job[k] for k in ("steps", "batch", "inputs", "hidden"))
    if job["vocabulary"]:
        for name in "xy":
            ids = random.integers(job["vocabulary"], size=(steps, batch), dtype=numpy.int32)
            ids.tofile(folder / f"{name}.i32")
    else:
        write("x", steps, batch, inputs)
        write("y", steps, batch, hidden)
    (folder / "job.json").write_text(json.dumps(job))
    listed = subprocess.run([build / "bench" / "peer_rnnc", "--parameters", folder], check=True, capture_output=True)
    job["parameters"] = json.loads(listed.stdout)
    for p in job["parameters"]:
        rows, name = p["rows"], p["name"]
        gain = name.endswith(".g")  # with 1 gradients of ln_lstm explode over 1000 steps, and rounding with them
        write(name, rows, p["cols"], scale=rows ** -0.5 if rows > 1 else 0.1, mean=0.3 if gain else 0.0)
    (folder / "job.json").write_text(json.dumps(job))


def difference(folder, job, name, numpy):
    """The largest difference of a contestant's results from rnnc's, relative to the size of the change; of a
    parameter that hardly moves (an input bias of slstm cancels out) to a thousandth of the largest change."""
    sizes, differences = [], []
    for result in [p["name"] for p in job["parameters"]] if job["train"] else ["h"]:
        def read(*path):
            return numpy.fromfile(folder.joinpath(*path) / f"{result}.f32", numpy.float32).astype(numpy.float64)
        first = read() if job["train"] else 0
        ours, theirs = read("rnnc") - first, read(name) - first
        sizes.append(numpy.linalg.norm(ours))
        differences.append(numpy.linalg.norm(theirs - ours))
    return max(d / max(size, 1e-3 * max(sizes)) for d, size in zip(differences, sizes))


def contest(job, options, python, numpy):
    """Times of everybody at one job."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_job(folder, job, options.build, numpy)
        cores = options.cores[:job["threads"]]
        workers, peak = [], []
        result = {k: v for k, v in job.items() if k not in ("model", "parameters")} | {"peers": {}}
        try:
            for who, command in contestants(job, options.build, python):
                if options.only and who != "rnnc" and not any(word in who for word in options.only):
                    continue
                begin = time.perf_counter()
                try:
                    worker = Worker(who, command, folder, cores)
                    worker.ask(f"step {1 if job['vocabulary'] else job['hidden']}")  # moves more than rounding does
                except RuntimeError as error:  # the others go on
                    if who == "rnnc":
                        raise
                    print(error, file=sys.stderr)
                    continue
                workers.append(worker)
                facts = worker.facts | {"start_s": round(time.perf_counter() - begin, 2)}
                facts["difference"] = 0.0 if who == "rnnc" else difference(folder, job, worker.facts["name"], numpy)
                result["peers"][who] = facts
            counts = {w: count_for(w, options.turn) for w in workers}
            for _ in range(options.rounds):
                peak.append(workers[0].ask("machine"))
                for worker in workers:
                    worker.turn(counts[worker])
            for worker in workers:
                result["peers"][worker.name]["seconds"] = worker.seconds
            result["flop"] = workers[0].facts["flop"]
            result["peak_gflops"] = max(p["gflops"] for p in peak)
            result["memory_gbs"] = max(p["gbs"] for p in peak)
        finally:
            for worker in workers:
                worker.close()
    return result


def count_for(worker, seconds):
    """Steps that take about so long: at least 1, at most 300; the first ones warm up."""
    once = min(worker.ask("time 2")["seconds"])
    return max(1, min(300, round(seconds / once)))


def environment(folder):
    """The Python of the virtual environment, made at the first time."""
    python = folder / "bin" / "python"
    if subprocess.run([python, "-c", "import torch, jax, onnxruntime, openvino, onnx, matplotlib"],
                      capture_output=True).returncode if python.exists() else True:
        print(f"making {folder} from PyPI", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    return python


def cell_text(cell):
    """The equations, if the cell is not of the standard library."""
    found = re.search(rf"^cell {cell}\(.*?^}}$", (ROOT / "examples/cells.rnn").read_text(), re.M | re.S)
    return found[0] if found else ""


def jobs(options):
    """What is to be done, in the order of the tables."""
    for threads in options.threads:
        for task in options.tasks.split(","):
            model = task == "lm"
            for cell in options.cells.split(","):
                if task == "forward" and cell not in ("lstm", "gru") or model and cell not in ("lstm", "peephole"):
                    continue
                for shape in options.shapes or (LANGUAGE_MODELS if model else SHAPES):
                    steps, batch, inputs, hidden = (int(n) for n in shape.split(","))
                    job = {"cell": cell, "train": task != "forward", "steps": steps, "batch": batch, "inputs": inputs,
                           "hidden": hidden, "threads": threads, "vocabulary": VOCABULARY if model else 0,
                           "clip": 5 if model else 0}
                    yield job | {"model": cell_text(cell) + (LANGUAGE_MODEL if model else LAYER).format(**job)}


def read_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", default=",".join(CELLS))
    parser.add_argument("--shapes", default=[], nargs="+", metavar="T,B,I,H")
    parser.add_argument("--tasks", default="train,forward,lm", help="a layer trained, its forward pass (lstm and gru), "
                        "language models of two layers (lstm and peephole)")
    parser.add_argument("--threads", default="1", help="one or more numbers, as 1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turn", type=float, default=0.2, help="seconds of a contestant's turn")
    parser.add_argument("--only", default="", help="peers whose names have one of these words")
    parser.add_argument("--cores", default="", help="the cores to use, as 2,3; default: the first ones there are")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "build" / "peers")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("peers.json"))
    options = parser.parse_args()
    options.cores = [int(c) for c in options.cores.split(",") if c] or sorted(os.sched_getaffinity(0))
    options.only = [word for word in options.only.split(",") if word]
    options.threads = [int(n) for n in options.threads.split(",")]
    return options


def main():
    options = read_options()
    python = environment(options.venv)
    if pathlib.Path(sys.prefix).resolve() != options.venv.resolve():  # numpy and matplotlib are there
        os.execv(python, [str(python), *sys.argv])
    import numpy
    import report
    results = {"machine": report.machine(), "python": platform.python_version(), "contests": []}
    for job in jobs(options):
        result = contest(job, options, python, numpy)
        results["contests"].append(result)
        options.out.write_text(json.dumps(results, indent=1))
        print(report.line(result), flush=True)
    print(report.tables(results))
    report.plot(results, options.out.with_suffix(".svg"))
    return report.status(results)


if __name__ == "__main__":
    sys.exit(main())
