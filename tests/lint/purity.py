#!/usr/bin/python3
"""Proves tests/lint/purity.table over the object files of the pure modules.

usage: purity.py BUILD [ROOT]     BUILD holds plain objects: sanitizers would add calls of their own
"""
import sys
from fnmatch import fnmatchcase
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from objects import symbols  # noqa: E402

TABLE = Path(__file__).with_name("purity.table")


def read_table(path):
    """[(source pattern, allowed symbols)]."""
    sets, rows = {}, []
    text = Path(path).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("set "):
            name, symbols = line[4:].split("=")
            sets[name.strip()] = symbols.split()
        elif line:
            sources, names = line.split(" : ")
            rows += [(source, [s for name in names.split() for s in sets[name]]) for source in sources.split()]
    return rows


def main(build, root=".", table=TABLE):
    root, build = Path(root), Path(build)
    pure = {}
    for pattern, allowed in read_table(table):
        for source in sorted(root.glob(pattern)):
            pure.setdefault(source.relative_to(root), allowed)

    objects = {source: (build / source).with_suffix(".o") for source in pure}
    missing = [str(obj) for obj in objects.values() if not obj.exists()]
    if missing or not objects:
        print(f"purity: no object files: {' '.join(missing) or build}", file=sys.stderr)
        return 1

    names = symbols(objects.values())
    ours = set().union(*(defined for defined, _ in names.values()))
    bad = 0
    for source, obj in objects.items():
        for name in sorted(names[str(obj)][1] - ours):
            if not any(fnmatchcase(name, pattern) for pattern in pure[source]):
                print(f"{source}: is to be pure, but calls {name}", file=sys.stderr)
                bad += 1
    print(f"purity: {len(objects)} objects, {bad} violations")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
