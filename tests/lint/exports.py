#!/usr/bin/python3
"""Proves that lib/ and daemon/ export nothing that only its own file uses.

usage: exports.py BUILD [ROOT]

What the objects of BUILD define and no other object refers to must be used by a test, by its name.
"""
import re
import sys
from pathlib import Path

from circles import includes
from objects import symbols

ENTRY = {"main"}


def unused(build, root):
    """[(source, symbol)]."""
    sources = [source for source in includes(root) if source.endswith(".c")]
    objects = {source: (build / source).with_suffix(".o") for source in sources}
    names = symbols(objects.values())
    needed = ENTRY.union(*(undefined for _, undefined in names.values()))
    tests = {word for path in (root / "tests").rglob("*.[ch]") for word in re.findall(r"\w+", path.read_text())}
    return [(source, name) for source, obj in objects.items()
            for name in sorted(names[str(obj)][0] - needed - tests)]


def main(build, root="."):
    found = unused(Path(build), Path(root))
    for source, name in found:
        print(f"{source}: {name} is used by its own file only: make it static", file=sys.stderr)
    print(f"exports: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
