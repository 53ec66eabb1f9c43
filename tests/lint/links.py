#!/usr/bin/python3
"""Links of Markdown lead somewhere: to a file of the repository, and to a heading of it. So do the names of files and
of functions, written as name(), in the comments of sources. Nothing is asked of the network.

usage: links.py [ROOT]
"""
import re
import sys
from pathlib import Path

from tidy import lines_of, repository_files

# [text](target), ![text](target "title"), and the definition [name]: target
INLINE = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
DEFINITION = re.compile(r"^ {0,3}\[([^\]]+)\]:\s+<?(\S+?)>?$")
REFERENCE = re.compile(r"\[[^\]]+\]\[([^\]]+)\]")
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
NAMED = re.compile(r"(?<![\w/.*<-])((?:[a-z0-9_]+/)*[a-z0-9_]+\.(?:[ch]|py|md))\b")
CALLED = re.compile(r"\b([a-z]\w+)\(\)")
# Of the C library, of botocore, and a macro's parameter.
OTHERS = {"sysexits.h", "credentials.py", "sys/param.h", "funcp"}


def prose_of(root, path):
    """(number, line) without what is code: fenced, indented after an empty line, or between backquotes. A link may be
    broken over two lines; such a line is joined with the next."""
    fenced = code = False
    empty, held = True, ""
    for number, line in enumerate(lines_of(root, path), 1):
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        code = line.startswith("    ") and (empty or code)
        empty = not line.strip()
        if fenced or code or empty:
            held = ""
            continue
        line = held + re.sub(r"`[^`]*`", "x", line)
        held = ""
        if re.search(r"\[[^\]]*$", line):
            held = line.rstrip() + " "
            continue
        yield number, line


def anchor_of(heading):
    """As GitHub makes it: the text in lower case, without punctuation, blanks as hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors_of(root, path):
    found, fenced = [], False
    for line in lines_of(root, path):
        fenced ^= line.startswith(("```", "~~~"))
        match = None if fenced else re.match(r"#{1,6} +(.*?)(?: +#*)?$", line)
        if match:
            anchor = anchor_of(match[1])
            found.append(anchor if anchor not in found else f"{anchor}-{found.count(anchor)}")
        found += re.findall(r'<a (?:id|name)="([^"]+)"', line)
    return found


def links_of(root, path):
    """(number, target) of each link of a file; the target is None where a reference has no definition."""
    lines = list(prose_of(root, path))
    defined = {match[1].lower() for _, line in lines if (match := DEFINITION.match(line))}
    for number, line in lines:
        match = DEFINITION.match(line)
        if match:
            yield number, match[2]
            continue
        for target in INLINE.findall(line):
            yield number, target
        for name in REFERENCE.findall(line):
            if name.lower() not in defined:
                yield number, None


def wrong_with(root, path, target, anchors):
    if target is None:
        return "the name of a link has no definition"
    if OUTSIDE.match(target):
        return None
    name, _, anchor = target.partition("#")
    place = (root / path.parent / name).resolve() if name else (root / path).resolve()
    if not place.exists():
        return f"{target}: no such file"
    if not place.is_relative_to(root):
        return f"{target}: outside the repository"
    if not anchor:
        return None
    file = place.relative_to(root)
    if file.suffix != ".md":
        return f"{target}: an anchor of a file that is not Markdown"
    if file not in anchors:
        anchors[file] = anchors_of(root, file)
    return None if anchor in anchors[file] else f"{target}: no such heading"


def comments_lead_somewhere(root, paths):
    """Each file that a comment names is there, by its path or by its name alone, or is a header that is included. Each
    function is called or defined."""
    sources = [path for path in paths if path.suffix in (".c", ".h")]
    texts = {path: "\n".join(lines_of(root, path)) for path in sources}
    known = {name for path in paths for name in (str(path), path.name)} | OTHERS
    known |= {name for text in texts.values() for name in re.findall(r"#\s*include <([^>]+)>", text)}
    words = {word for text in texts.values() for word in re.findall(r"\w+", COMMENT.sub(" ", text))} | OTHERS
    for path, text in texts.items():
        for comment in COMMENT.finditer(text):
            for pattern, names, what in ((NAMED, known, "file"), (CALLED, words, "function")):
                for match in pattern.finditer(comment[0]):
                    if match[1] not in names:
                        number = text.count("\n", 0, comment.start() + match.start()) + 1
                        yield f"{path}:{number}: the comment names {match[1]}: no such {what}"


def main(root="."):
    root = Path(root).resolve()
    paths = repository_files(root)
    pages = [path for path in paths if path.suffix == ".md"]
    anchors, found, links = {}, list(comments_lead_somewhere(root, paths)), 0
    for path in pages:
        for number, target in links_of(root, path):
            links += 1
            problem = wrong_with(root, path, target, anchors)
            if problem:
                found.append(f"{path}:{number}: {problem}")
    for line in found:
        print(line, file=sys.stderr)
    print(f"links: {links} in {len(pages)} pages, {len(found)} violations")
    return 1 if found or not pages else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
