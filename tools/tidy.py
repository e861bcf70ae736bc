#!/usr/bin/env python3
"""clang-tidy over every source of ours that the build in BUILD_DIR compiles; a warning is an error (.clang-tidy).

Files run side by side, one a core; only what is found is printed.    tools/tidy.py BUILD_DIR [PATH_PART...]
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

TIDY = "clang-tidy-14"


def sources(build, parts):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        files = sorted({os.path.abspath(entry["file"]) for entry in json.load(file)})
    ours = [f for f in files if f.startswith(root + os.sep) and not f.startswith(os.path.abspath(build) + os.sep)]
    return [f for f in ours if not parts or any(part in os.path.relpath(f, root) for part in parts)]


def tidy(build, path):
    run = subprocess.run([TIDY, "--quiet", "-p", build, path], capture_output=True, text=True, check=False)
    return run.returncode == 0, run.stdout or run.stderr


def main():
    build, parts = sys.argv[1], sys.argv[2:]
    files = sources(build, parts)
    bad = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for good, output in pool.map(lambda path: tidy(build, path), files):
            if not good:
                bad += 1
                print(output)
    print(f"clang-tidy: {len(files)} files, {bad} with findings")
    return 1 if bad or not files else 0


sys.exit(main())
