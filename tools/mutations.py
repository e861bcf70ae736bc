#!/usr/bin/env python3
"""Do the tests see it when the compiler is wrong? Applies each mutation of tests/mutations/ in turn, builds the
smallest test program that should notice, expects it to fail, and puts the source back.

  tools/mutations.py                       all that have not been caught since their files changed
  tools/mutations.py adjoints 'fuse_sums'  those whose file or name has one of these words in it
  tools/mutations.py --list                what there is
  options: --build DIR (default build-test), --seconds N (of the processor, for one test run; default 100),
           --again (also those caught before), --budget N (stop after so many seconds in all)

A list has lines
  in FILE              the source that the mutations below change
  by PROGRAM FILTER    the test program, and which of its tests (--gtest_filter); `text` for the text tests, and a
                       regular expression for their names
  = NAME               one mutation; after it
  - TEXT               what stands in the source, exactly once ...
  + TEXT               ... and what takes its place; several lines of each make a block
and comments (#). What was caught is remembered in DIR/mutations.json with the texts it depended on. Exit status 1
if a mutation survives or no longer fits the source.
"""
import argparse
import hashlib
import json
import pathlib
import resource
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Mutation:
    def __init__(self, group, name, file, program, tests):
        self.group, self.name, self.file, self.program, self.tests = group, name, file, program, tests
        self.old, self.new = [], []

    def title(self):
        return f"{self.group}: {self.name}"

    def source(self):
        return ROOT / self.file

    def mutated(self):
        """The source with the mutation, or None if it does not fit."""
        old, new = "\n".join(self.old), "\n".join(self.new)
        text = self.source().read_text()
        return text.replace(old, new) if text.count(old) == 1 else None

    def key(self):
        """Changes with the mutation, the source and the tests that should see it."""
        digest = hashlib.sha256()
        folder = ROOT / "tests" / ("text/passes" if self.program == "text" else
                                   f"unit/{self.program.removeprefix('test_')}")
        for part in [self.old, self.new, [self.tests], [self.source().read_text()]]:
            digest.update("\0".join(part).encode())
        for test in sorted([*folder.glob("*.cpp"), *folder.glob("*.ir")]):
            digest.update(test.read_bytes())
        return digest.hexdigest()


def read_lists():
    mutations, file, tests = [], None, None
    for path in sorted((ROOT / "tests/mutations").glob("*.txt")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            mark, _, rest = line.partition(" ")
            if mark == "in":
                file = rest.strip()
            elif mark == "by":
                tests = rest.split()
            elif mark == "=":
                mutations.append(Mutation(path.stem, rest, file, tests[0], tests[1]))
            elif mark == "-":
                mutations[-1].old.append(rest)
            elif mark == "+":
                mutations[-1].new.append(rest)
            else:
                sys.exit(f"{path}:{number}: neither `in`, `by`, `=`, `-` nor `+`")
    return mutations


def run(command, seconds):
    """(exit status or None if it ran out of time, output); seconds of the processor, so that a busy machine
    does not look like an endless loop"""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=10 * seconds, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return None, ""
    ran_out = done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
    return None if ran_out else done.returncode, done.stdout.decode(errors="replace")


def build_and_test(mutation, build, seconds):
    """(exit status of the build, of the tests or None, output of what ran last)"""
    text = mutation.program == "text"
    status, output = run(["ninja", "-C", build, "rnnc" if text else mutation.program], seconds)
    if status != 0:
        return status, None, output
    if text:
        cache = (ROOT / build / "CMakeCache.txt").read_text()
        lit = next(line.split("=", 1)[1] for line in cache.splitlines() if line.startswith("LIT:"))
        tests = [sys.executable, lit, "-q", "--param", f"build={ROOT / build}", "--filter", mutation.tests, "tests/text"]
    else:
        tests = [ROOT / build / "tests" / mutation.program, f"--gtest_filter={mutation.tests}", "--gtest_brief=1"]
    return 0, *run(tests, seconds)


def try_one(mutation, build, seconds):
    """How it went: caught, SURVIVED, or why it could not be tried."""
    changed = mutation.mutated()
    if changed is None:
        return "does not fit the source"
    path, before = mutation.source(), mutation.source().read_text()
    try:
        path.write_text(changed)
        built, status, output = build_and_test(mutation, build, seconds)
        if built is None:
            return "the build took too long"
        if built != 0:
            print(output[-2000:])
            return "does not compile"
        if status is None:
            return "caught (the tests do not end)"
        if status == 0 and " 0 tests" in output.replace("Running 0 tests", " 0 tests"):
            return "no test has such a name"
        return "SURVIVED" if status == 0 else "caught"
    finally:
        path.write_text(before)


def passes_unchanged(mutation, build, seconds):
    """Whether the tests pass without any mutation; asked once for each program and filter."""
    _, status, output = build_and_test(mutation, build, seconds)
    if status != 0:
        print(output[-2000:])
    return status == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--build", default="build-test")
    parser.add_argument("--seconds", type=float, default=100)
    parser.add_argument("--budget", type=float, default=float("inf"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # `finally` puts the source back

    memory = ROOT / options.build / "mutations.json"
    caught = json.loads(memory.read_text()) if memory.exists() else {}
    mutations = [m for m in read_lists()
                 if not options.words or any(w in m.title() or w in m.file for w in options.words)]
    begin, counts, bad, touched, sound = time.time(), {}, [], {}, {}
    for mutation in mutations:
        if options.list:
            fits = "" if mutation.mutated() is not None else "   DOES NOT FIT"
            print(f"{mutation.title():<60} {mutation.file:<28} {mutation.program} {mutation.tests}{fits}")
            continue
        if not options.again and caught.get(mutation.title()) == mutation.key():
            counts["caught before"] = counts.get("caught before", 0) + 1
            continue
        if time.time() - begin > options.budget:
            counts["not tried"] = counts.get("not tried", 0) + 1
            continue
        tests = (mutation.program, mutation.tests)
        if tests not in sound:
            sound[tests] = passes_unchanged(mutation, options.build, options.seconds)
        if not sound[tests]:
            print(f"{mutation.title():<60} cannot be tried: its tests fail as it is")
            bad.append(mutation)
            continue
        start, key = time.time(), mutation.key()
        touched[mutation.program] = True
        how = try_one(mutation, options.build, options.seconds)
        print(f"{mutation.title():<60} {how} ({time.time() - start:.0f} s)", flush=True)
        kind = "caught" if how.startswith("caught") else how
        counts[kind] = counts.get(kind, 0) + 1
        if kind == "caught":
            caught[mutation.title()] = key
            memory.write_text(json.dumps(caught, indent=1))
        else:
            bad.append(mutation)
    if options.list:
        return 0
    for program in touched:  # the programs as they should be
        run(["ninja", "-C", options.build, program], options.seconds)
    print(", ".join(f"{n} {kind}" for kind, n in counts.items()) or "there is no such mutation")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
