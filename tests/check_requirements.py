#!/usr/bin/env python3
"""Checks tests/requirements.md: R1 to R148 are all there, once and in order, and each names a test that exists or `later`.

  check_requirements.py BUILD_FOLDER

A name in backticks is a ctest (`flow.hooks`), a GoogleTest (`Suite.Test`) or a Python test (`Class.test_something`).
"""
import pathlib
import re
import subprocess
import sys

LAST = 148
here = pathlib.Path(__file__).resolve().parent


def known_tests(build):
    """Every name a requirement may use."""
    listing = subprocess.run(["ctest", "--test-dir", build, "-N"], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"Test\s+#\d+: (\S+)", listing))
    for source in here.rglob("*.cpp"):
        names.update(f"{suite}.{name}" for suite, name in
                     re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", source.read_text()))
    for source in here.rglob("*.py"):
        suite = None
        for line in source.read_text().splitlines():
            if found := re.match(r"class (\w+)", line):
                suite = found[1]
            elif suite and (found := re.match(r"    def (test_\w+)", line)):
                names.add(f"{suite}.{found[1]}")
    return names


def faults(text, names):
    """What is wrong, in words; nothing when all is well."""
    lines = re.findall(r"^- R(\d+): (.*)$", text, re.MULTILINE)
    numbers = [int(number) for number, _ in lines]
    if numbers != list(range(1, LAST + 1)):
        missing = sorted(set(range(1, LAST + 1)) - set(numbers))
        yield f"R1 to R{LAST} are expected once each and in order; missing: {missing or 'none'}"
    for number, line in lines:
        words, arrow, shown = line.rpartition(" -> ")
        if not arrow or len(words) < 10:
            yield f"R{number}: expected '<words> -> `<test>`, ...' or '<words> -> later', found '{line}'"
        elif shown != "later":
            tests = re.findall(r"`([^`]+)`", shown)
            if not tests or re.sub(r"`[^`]+`|, |; later: [^`]*$", "", shown):
                yield f"R{number}: what shows it must be test names in backticks, or 'later': '{shown}'"
            for test in tests:
                if test not in names:
                    yield f"R{number}: there is no test `{test}`"


def main():
    found = list(faults((here / "requirements.md").read_text(), known_tests(sys.argv[1])))
    for fault in found:
        print(f"tests/requirements.md: {fault}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
