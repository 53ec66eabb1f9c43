#!/usr/bin/python3
"""Proves that no two files of lib/ and daemon/ have a static function of the same name.

usage: statics.py BUILD [ROOT]

A backtrace that a user sends names a function, and without debugging symbols no file.
"""
import subprocess
import sys
from pathlib import Path

from circles import includes


def shared(build, root):
    """{name: its files}, of those that several files have."""
    objects = {(build / source).with_suffix(".o"): source for source in includes(root) if source.endswith(".c")}
    found = {}
    # with -A each line starts with "FILE: "; the compiler's own variants are NAME.cold, NAME.isra.0
    for line in subprocess.run(["nm", "-A", "-P", *objects], capture_output=True, text=True,
                               check=True).stdout.splitlines():
        obj, _, rest = line.partition(": ")
        name, kind = rest.split()[:2]
        if kind == "t":
            found.setdefault(name.split(".")[0], set()).add(objects[Path(obj)])
    return {name: sorted(files) for name, files in sorted(found.items()) if len(files) > 1}


def main(build, root="."):
    found = shared(Path(build), Path(root))
    for name, files in found.items():
        print(f"{name} is static in {' and '.join(files)}: put the module's name before it", file=sys.stderr)
    print(f"statics: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
