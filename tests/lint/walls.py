#!/usr/bin/python3
"""Proves tests/lint/includes.table over lib/ and daemon/: which file may include what.

usage: walls.py [ROOT]
"""
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path

TABLE = Path(__file__).with_name("includes.table")
INCLUDE = re.compile(r'^\s*#\s*include\s*(<[^>]+>|"[^"]+")', re.M)


def read_table(path):
    """[(file pattern, what it may include)], in order; sets are resolved."""
    sets, rows = {}, []
    for number, line in enumerate(Path(path).read_text().splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if line.startswith("set "):
            name, headers = line[4:].split("=")
            sets[name.strip()] = [h if h.startswith(("lib/", "daemon/")) else f"<{h}>" for h in headers.split()]
            continue
        files, colon, allowed = line.partition(" : ")
        if not colon:
            raise SystemExit(f"{path}:{number}: neither a set nor 'files : includes'")
        patterns = []
        for word in allowed.split():
            patterns += sets[word] if word.startswith("@") else [word]
        rows += [(pattern, patterns) for pattern in files.split()]
    return rows


def own_header(path, include):
    return include == str(path.with_suffix(".h"))


def check_file(root, path, rows):
    """Lines that tell what is wrong with one file; `path` is relative to `root`."""
    allowed = next((patterns for pattern, patterns in rows if fnmatchcase(str(path), pattern)), None)
    if allowed is None:
        return [f"{path}: no line of includes.table is about this file"]
    found = []
    text = (root / path).read_text()
    for match in INCLUDE.finditer(text):
        name = match[1] if match[1].startswith("<") else match[1].strip('"')
        if own_header(path, name) or any(fnmatchcase(name, pattern) for pattern in allowed):
            continue
        line = text.count("\n", 0, match.start(1)) + 1
        found.append(f"{path}:{line}: may not include {name}")
    return found


def main(root, table=TABLE):
    root = Path(root)
    rows = read_table(table)
    files = sorted(p.relative_to(root) for d in ("lib", "daemon") for p in (root / d).rglob("*.[ch]"))
    found = [line for path in files for line in check_file(root, path, rows)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"walls: {len(files)} files, {len(found)} violations")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["."]))
