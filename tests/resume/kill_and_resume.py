#!/usr/bin/env python3
"""Trains, is killed (SIGKILL) at random moments, goes on, and must end with the bits of a run that was left alone.

    kill_and_resume.py RNNC [KILLS [SEED]]

Several trainings take turns: rows of unequal lengths with dropout, shuffling, buckets and schedules; a text in pieces
whose state is carried on, with dropout and random offsets; each with one thread and with two. The state is written
after every step, so that many kills fall into a writing; the last lines say how many. Exit status 0: same bits always.
"""

import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time

ROWS = """
data words {
  read "words.tsv" as tsv
  x: C[T] = chars(col(1))
  y: L    = category(col(2))
  split train = 0.8, valid = 0.2
}
model m(x: C[T]) -> (logits: [L]) {
  e      = dropout(embed[8](x), 0.3)
  h      = scan both(gru[10]) over e
  logits = linear[L](dropout(final(h), 0.2))
}
train m on words {
  loss      cross_entropy(logits, y)
  metric    accuracy(logits, y)
  optimizer adam(rate = 0.02, decay = 0.01)
  schedule  warmup(20), halve(patience = 1)
  clip      norm(1)
  batch     8
  epochs    8
}
"""

PIECES = """
data book {
  read "book.txt" as stream
  x: C[T] = chars(text)
  chunk T = 12, offset = random
  split train = 0.9, valid = 0.1
}
model m(x: C[T]) -> (logits: [T, C]) {
  h      = scan lstm[12] over dropout(embed[8](x), 0.2) carry
  logits = linear[C](h)
}
train m on book {
  loss      cross_entropy(logits, next(x))
  optimizer sgd(rate = 0.5, momentum = 0.9, nesterov = yes)
  schedule  cosine
  clip      norm(1), step(1)
  batch     4
  epochs    6
}
"""

# name, model file, more options
TRAININGS = [("rows", ROWS, []), ("buckets", ROWS, ["--buckets", "4"]), ("pieces", PIECES, [])]


def write_data(folder):
    draw = random.Random(5)
    with open(os.path.join(folder, "words.tsv"), "w") as file:
        for i in range(240):
            word = "".join(draw.choice("abcdefg") for _ in range(draw.randrange(0, 14)))
            file.write(word + ("a\tyes\n" if i % 3 == 0 else "b\tno\n"))
    with open(os.path.join(folder, "book.txt"), "w") as file:
        for i in range(420):
            file.write("the %s goes to the %s\n" % (draw.choice(["cat", "dog", "bird"]), draw.choice(["sea", "hill"])))


def tensors(path):
    """The bytes of all tensors of a state, without its header (which tells of times)."""
    with open(path, "rb") as file:
        content = file.read()
    (header,) = struct.unpack("<Q", content[:8])
    return content[8 + header :]


class Training:
    def __init__(self, rnnc, folder, name, text, more, threads):
        self.title = "%s, %d thread%s" % (name, threads, "" if threads == 1 else "s")
        self.folder = folder
        self.file = os.path.join(folder, name + ".rnn")
        with open(self.file, "w") as file:
            file.write(text)
        self.line = [rnnc, "train", self.file, "--quiet", "--threads", str(threads), *more]
        self.whole = os.path.join(folder, "%s%d.whole" % (name, threads))
        self.part = os.path.join(folder, "%s%d.part" % (name, threads))
        begin = time.monotonic()
        self.run(["--model", self.whole, "--checkpoint", "1"])
        self.seconds = time.monotonic() - begin
        self.begun = False

    def run(self, options):
        done = subprocess.run(self.line + options, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit("%s: exit status %d\n%s" % (self.title, done.returncode, done.stderr))

    def options(self):
        resume = ["--resume"] if os.path.exists(self.part + ".state") else []
        return ["--model", self.part, "--checkpoint", "1"] + resume

    def kill_once(self, draw):
        """Starts or goes on, and is killed; True if it ended before that."""
        process = subprocess.Popen(self.line + self.options(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        before = os.stat(self.part + ".state").st_mtime_ns if os.path.exists(self.part + ".state") else 0
        give_up = time.monotonic() + 60  # half of the kills fall before the first step
        wait_for_steps = draw.random() < 0.8
        while wait_for_steps and process.poll() is None and time.monotonic() < give_up:
            if os.path.exists(self.part + ".state") and os.stat(self.part + ".state").st_mtime_ns != before:
                break
            time.sleep(0.002)
        time.sleep(draw.random() * self.seconds / 4)
        process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            sys.exit("%s: exit status %d\n%s" % (self.title, process.returncode, said.decode()))
        return process.returncode == 0

    def compare(self):
        for a, b in [(self.whole, self.part)]:
            with open(a, "rb") as one, open(b, "rb") as other:
                if one.read() != other.read():
                    sys.exit("%s: the saved model has other bits" % self.title)
        if tensors(self.whole + ".state") != tensors(self.part + ".state"):
            sys.exit("%s: the state has other bits" % self.title)
        left = [name for name in os.listdir(self.folder) if name.startswith(os.path.basename(self.part)) and ".tmp" in name]
        if left:
            sys.exit("%s: left behind: %s" % (self.title, left))
        for path in (self.part, self.part + ".state"):
            os.unlink(path)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    rnnc = os.path.abspath(sys.argv[1])
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(10**6)
    print("%d kills, seed %d" % (kills, seed), flush=True)
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        write_data(folder)
        trainings = [Training(rnnc, folder, *one, threads) for one in TRAININGS for threads in (1, 2)]
        done = writing = finished = 0
        share = max(1, kills // len(trainings))
        while done < kills:
            training = trainings[done // share % len(trainings)]
            ended = training.kill_once(draw)
            if not ended:
                done += 1
                writing += any(name.endswith(".tmp") for name in os.listdir(folder))
            if ended or done % share == 0:
                training.run(training.options())  # where it ended already, there is nothing left to do
                training.compare()
                finished += 1
        print("%d kills, %d of them within a writing; %d trainings ended, all with the same bits"
              % (done, writing, finished))


main()
