#!/usr/bin/python3
"""Rules about the text that people read: the vocabulary, and the width of Markdown. The functions below are the rules.

usage: prose.py [ROOT]
"""
import re
import sys
from pathlib import Path

from tidy import lines_of, repository_files

# A program polls, checks, reports, restores; people look and decide.
OLD_WORDS = re.compile(r"\b(told|tells? (of|people)|sees|blind(ed|ing|s)?|sighted|anew|in vain|somebody|all the same|"
                       r"lets? (it|them) be|parked|look(s|ed|ing) at)\b", re.I)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
READ = {".md", ".8", ".5", ".conf", ".catalog", ".json"}
COLUMNS, CELL = 120, 100
GENERATED = {"attacks.md"}      # its rows have many short cells


def is_read(path):
    return path.suffix in READ and path.parts[0] in ("README.md", "CONTRIBUTING.md", "docs", "conf")


def words(root, path):
    """Documents, and what the program prints and logs, use the vocabulary."""
    for number, line in enumerate(lines_of(root, path), 1):
        if path.suffix in (".c", ".h") and path.parts[0] in ("lib", "daemon"):
            line = " ".join(text for text in LITERAL.findall(line) if " " in text)
        elif not is_read(path):
            return
        match = OLD_WORDS.search(line)
        if match:
            yield f"{path}:{number}: {match[0]!r} is not of the vocabulary"


def columns(root, path):
    """No line of Markdown is wider than a page, and no cell of a table is a paragraph."""
    if path.suffix != ".md" or not is_read(path):
        return
    for number, line in enumerate(lines_of(root, path), 1):
        if len(line) > COLUMNS and not line.startswith("|"):
            yield f"{path}:{number}: {len(line)} columns; at most {COLUMNS}"
        if line.startswith("|") and path.name not in GENERATED and max(map(len, line.split("|"))) > CELL + 2:
            yield f"{path}:{number}: a cell of more than {CELL} columns"


RULES = [words, columns]


def main(root="."):
    root = Path(root)
    files = repository_files(root)
    found = [line for path in files for rule in RULES for line in rule(root, path)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"prose: {len(files)} files, {len(found)} violations")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
