#!/usr/bin/python3
"""Proves that no files of lib/ and daemon/ need each other, neither by includes nor by what their objects call.

usage: circles.py BUILD [ROOT]

x.c and x.h are one module. A module needs another when it includes the other's header (a header's own needs count for the header
only), or when its object refers to a symbol that the other's object defines.
"""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from objects import symbols  # noqa: E402

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)


def includes(root):
    """{file: {files that it includes}}, for the files of ours."""
    files = sorted(p.relative_to(root) for d in ("lib", "daemon") for p in (root / d).rglob("*.[ch]"))
    return {str(path): {name for name in INCLUDE.findall((root / path).read_text()) if (root / name).exists()} for path in files}


def calls(build, sources):
    """{source: {sources whose symbols it refers to}}."""
    objects = {source: (build / source).with_suffix(".o") for source in sources}
    names = symbols(objects.values())
    owner = {name: source for source, obj in objects.items() for name in names[str(obj)][0]}
    return {source: {owner[name] for name in names[str(obj)][1] if name in owner} - {source}
            for source, obj in objects.items()}


def circles(needs):
    """The sets of nodes that can all be reached from each other (Tarjan, without recursion), the largest first."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for start in sorted(needs):
        work = [(start, iter(sorted(needs[start])))] if start not in index else []
        while work:
            node, rest = work[-1]
            if node not in index:
                index[node] = low[node] = len(index)
                stack.append(node)
                on_stack.add(node)
            for other in rest:
                if other not in index:
                    work.append((other, iter(sorted(needs.get(other, ())))))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group = set()
                    while node not in group:
                        group.add(stack.pop())
                    on_stack -= group
                    if len(group) > 1 or node in needs.get(node, ()):
                        found.append(sorted(group))
    return sorted(found, key=len, reverse=True)


def main(build, root="."):
    root, build = Path(root), Path(build)
    by_include = includes(root)
    by_call = calls(build, [source for source in by_include if source.endswith(".c")])
    found = [("include each other", group) for group in circles(by_include)]
    found += [("call each other", group) for group in circles(by_call)]
    for how, group in found:
        print(f"{', '.join(group)}: {how}", file=sys.stderr)
    print(f"circles: {len(by_include)} files, {len(found)} circles")
    return 1 if found or not by_include else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
