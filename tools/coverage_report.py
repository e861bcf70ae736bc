#!/usr/bin/env python3
"""The table of tools/coverage: for every file of ir/ and passes/ the share of lines and branches that ran.

usage: coverage_report.py BUILD yes|no      yes: also each line that did not run
"""
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("ir", "passes")


def main():
    build, show_lines = ROOT / sys.argv[1], sys.argv[2] == "yes"
    lines, branches = {}, {}  # file -> line -> runs; file -> (line, index) -> runs
    for folder in FOLDERS:
        data = sorted((build / "CMakeFiles" / f"rnnc_{folder}.dir" / folder).glob("*.gcda"))
        for one in data:
            with tempfile.TemporaryDirectory() as place:
                subprocess.run(["gcov", "--json-format", "--branch-probabilities", one], cwd=place, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for report in pathlib.Path(place).glob("*.json.gz"):
                    collect(json.loads(gzip.decompress(report.read_bytes())), build, lines, branches)
    print(f"{'':<30} {'lines':>6} {'run':>7} {'branches':>9} {'run':>7}")
    totals = [0, 0, 0, 0]
    for file in sorted(lines):
        ran = [sum(1 for n in table.values() if n) for table in (lines[file], branches.get(file, {}))]
        numbers = [len(lines[file]), ran[0], len(branches.get(file, {})), ran[1]]
        totals = [a + b for a, b in zip(totals, numbers)]
        print_row(file, numbers)
    print_row("all", totals)
    if show_lines:
        for file in sorted(lines):
            text = (ROOT / file).read_text().splitlines()
            for line in sorted(n for n, runs in lines[file].items() if not runs):
                print(f"{file}:{line}: {text[line - 1].strip()}")


def collect(report, build, lines, branches):
    for file in report["files"]:
        path = pathlib.Path(file["file"])
        path = (path if path.is_absolute() else build / path).resolve()
        if not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in FOLDERS:
            continue
        name = str(path.relative_to(ROOT))
        for line in file["lines"]:
            number = line["line_number"]
            table = lines.setdefault(name, {})
            table[number] = table.get(number, 0) + line["count"]
            for index, branch in enumerate(b for b in line["branches"] if not b["throw"]):
                known = branches.setdefault(name, {})
                known[number, index] = known.get((number, index), 0) + branch["count"]


def print_row(name, numbers):
    def share(part, whole):
        return f"{100 * part / whole:.1f} %" if whole else "-"
    print(f"{name:<30} {numbers[0]:>6} {share(numbers[1], numbers[0]):>7} {numbers[2]:>9} "
          f"{share(numbers[3], numbers[2]):>7}")


if __name__ == "__main__":
    main()
