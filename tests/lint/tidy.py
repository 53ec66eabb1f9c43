#!/usr/bin/python3
"""Small rules about the text of the repository; the functions below are the rules.

usage: tidy.py [ROOT]
"""
import json
import re
import subprocess
import sys
from pathlib import Path

LONG_FILE = 600
LONGEST_SOURCE = 700
PAGE_WIDTH = 120
SOURCE_WIDTH = 109   # ColumnLimit of .clang-format
# The patterns are spelled so that this file does not match itself.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")
HIDING = [(re.compile(r"\|\|\s*tru[e]\b"), "hides a failure"),
          (re.compile(r"\bassert Tru[e]\b|\bassert_true\((1|true)[)]"), "cannot fail"),
          (re.compile(r"\bexcept( Exception| BaseException)?:\s*pas[s]\b"), "swallows every error")]
# cmocka 2.0 (Debian sid) deprecates these; 1.1 (Debian 12) lacks what replaces them.
LEFT_BY_CMOCKA = re.compile(r"\b((?:assert|expect)_(?:not_)?in_(?:range|set)(?:_count)?|expect_(?:not_)?value(?:_count)?"
                            r"|will_return_(?:count|always|maybe)|expect_check|check_expected)\s*\(")
OWN_MACHINE = re.compile(r"(?<![\w.$}/-])/(work|Users|home/(?!\$|<|USER)\w+)/")
UPWARD = re.compile(r"(?<![\w./-])((?:\.\./)+)([\w.-]+)")
CODE = {".c", ".h", ".py", ".sh", ""}


def repository_files(root):
    names = subprocess.run(["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"], capture_output=True,
                           text=True, check=True).stdout.splitlines()
    return [Path(name) for name in names if (root / name).is_file()]


def lines_of(root, path):
    try:
        return (root / path).read_text().splitlines()
    except UnicodeDecodeError:
        return []   # a binary test vector


def is_input(path):
    """Test vectors and fuzz inputs may hold anything."""
    return "corpus" in path.parts or "data" in path.parts or "fixtures" in path.parts


def unfinished(root, path):
    """No markers of unfinished work in code."""
    if path.suffix in CODE and path.name != "LICENSE":
        for number, line in enumerate(lines_of(root, path), 1):
            if UNFINISHED.search(line):
                yield f"{path}:{number}: marker of unfinished work"


def hiding(root, path):
    """No tests that cannot fail."""
    if path.parts[0] in ("tests", ".ci", "tools", "Makefile"):
        for number, line in enumerate(lines_of(root, path), 1):
            for pattern, why in HIDING:
                if pattern.search(line):
                    yield f"{path}:{number}: {why}"


def for_each_cmocka(root, path):
    """Unit tests compile without a warning with the cmocka of each Debian that is supported."""
    if path.suffix in (".c", ".h") and path.parts[0] == "tests":
        for number, line in enumerate(lines_of(root, path), 1):
            if match := LEFT_BY_CMOCKA.search(line):
                yield f"{path}:{number}: cmocka 2.0 deprecates {match[1]}; tests/unit/between.h has a check of ranges"


def own_machine(root, path):
    """No paths of somebody's own machine, and none that leave the repository."""
    for number, line in enumerate(lines_of(root, path), 1):
        if OWN_MACHINE.search(line):
            yield f"{path}:{number}: names a directory of somebody's own machine"
        for match in UPWARD.finditer(line):
            if match[1].count("../") >= len(path.parts):
                yield f"{path}:{number}: {match[0]} leaves the repository"


def width_of_pages(root, path):
    """Pages fit a terminal, tables included; the table of attacks is generated from what the tests saw."""
    if path.suffix == ".md" and path.parts[0] in ("docs", "README.md", "CONTRIBUTING.md") and path.name != "attacks.md":
        for number, line in enumerate(lines_of(root, path), 1):
            if len(line) > PAGE_WIDTH:
                yield f"{path}:{number}: {len(line)} columns, over {PAGE_WIDTH}"


def valid_json(root, path):
    """JSON files can be parsed."""
    if path.suffix == ".json":
        try:
            json.loads((root / path).read_text())
        except ValueError as e:
            yield f"{path}: {e}"


def format_of_text(root, path):
    """Spaces for C, a newline at the end, nothing after the last word of a line."""
    if path.suffix not in CODE | {".md", ".table", ".in"} or path.name == "LICENSE":
        return
    raw = (root / path).read_bytes()
    if raw and not raw.endswith(b"\n"):
        yield f"{path}: no newline at the end"
    for number, line in enumerate(lines_of(root, path), 1):
        if line != line.rstrip():
            yield f"{path}:{number}: space at the end of the line"
        if "\t" in line and path.suffix in (".c", ".h", ".py"):
            yield f"{path}:{number}: tab"


def width_of_sources(root, path):
    """C as .clang-format has it, comments and tests included."""
    if path.suffix in (".c", ".h"):
        for number, line in enumerate(lines_of(root, path), 1):
            if len(line) > SOURCE_WIDTH:
                yield f"{path}:{number}: {len(line)} columns, over {SOURCE_WIDTH}"


def length_of_sources(root, path):
    """A file of the program has one subject, and so much of it as a reader can hold."""
    if path.suffix in (".c", ".h") and path.parts[0] in ("lib", "daemon"):
        n = len(lines_of(root, path))
        if n > LONGEST_SOURCE:
            yield f"{path}: {n} lines, over {LONGEST_SOURCE}: split it by subject"


RULES = [unfinished, hiding, for_each_cmocka, own_machine, width_of_pages, valid_json, format_of_text, width_of_sources,
         length_of_sources]


def main(root="."):
    root = Path(root)
    files = [path for path in repository_files(root) if not is_input(path)]
    found = [line for path in files for rule in RULES for line in rule(root, path)]
    for line in found:
        print(line, file=sys.stderr)
    for path in files:
        if path.suffix in (".c", ".h", ".py") and len(lines_of(root, path)) > LONG_FILE:
            print(f"{path}: warning: over {LONG_FILE} lines; does it still have one subject?", file=sys.stderr)
    print(f"tidy: {len(files)} files, {len(found)} violations")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
