#!/usr/bin/env python3
"""Counts test cases for ./check and prints the line it ends with: `N passed, N failed, N skipped`.

Each folder named holds ctest.xml (CTest's own report) and, for a test program that wrote one, NAME.xml with its
single cases (GoogleTest, lit). A program without a report counts as one case. Exits 1 if anything failed.
"""
import argparse
import os
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter


def outcome(case):
    if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
        return "failed"
    not_run = case.get("status") in ("notrun", "disabled")
    return "skipped" if not_run or case.find("skipped") is not None else "passed"


def cases(path):
    return ElementTree.parse(path).iter("testcase")


def count_folder(folder):
    counts = Counter()
    for program in cases(os.path.join(folder, "ctest.xml")):
        report = os.path.join(folder, program.get("name") + ".xml")
        if not os.path.exists(report):
            counts[outcome(program)] += 1
            continue
        single = Counter(outcome(case) for case in cases(report))
        if outcome(program) == "failed" and single["failed"] == 0:
            single["failed"] += 1  # it ended badly after its last case
        counts += single
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--passed", type=int, default=0, help="steps passed besides tests")
    parser.add_argument("--failed", type=int, default=0, help="steps failed besides tests")
    parser.add_argument("--skipped", type=int, default=0, help="steps skipped besides tests")
    args = parser.parse_args()
    counts = Counter(passed=args.passed, failed=args.failed, skipped=args.skipped)
    for folder in args.folders:
        try:
            counts += count_folder(folder)
        except (OSError, ElementTree.ParseError) as error:
            print(f"{folder}: {error}", file=sys.stderr)
            counts["failed"] += 1
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] else 0


sys.exit(main())
