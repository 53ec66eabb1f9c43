#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Each error text of the configuration and the verbs is in a golden file, tests/golden/errors.*.txt, where a person reads it
as it is printed; and each row of `check --doctor` in tests/golden/shown.*.txt. One that no test can bring about stands in error_texts.reasons, below the reason.

usage: error_texts.py [ROOT]"""

import re
import sys
from pathlib import Path

FILES = ["daemon/cli/*.c", "daemon/config/*.c", "daemon/main.c", "daemon/aws_setup.c", "daemon/directories.c", "daemon/engine.c",
         "daemon/engine_state.c", "daemon/settings_rows.c", "daemon/core/protection_rows.c", "daemon/io/state.c", "daemon/io/baseline_file.c"]
# What these print or return in texts of several words is about errors only.
# What these show.
ROWS = re.compile(r"daemon/cli/(?:verb_doctor|doctor_\w+)\.c|daemon/core/protection_rows\.c")
WHOLE = re.compile(rf"daemon/config/\w+\.c|daemon/cli/drill_\w+\.c|{ROWS.pattern}")
SINK = re.compile(r"\w*refuse\w*|config_mistake|scan_is_not|verb_usage|verb_unknown")
PRINT = {"fprintf": {"stderr", "err"}, "fputs": {"stderr", "err"}, "snprintf": {"error"}, "vsnprintf": {"error"}}
TOKEN = re.compile(r'/\*.*?\*/|^[ \t]*#.*?(?<!\\)\n|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|\w+|\S', re.S | re.M)
CONVERSION = re.compile(r"%%|%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j)?[a-zA-Z]")
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'"}
GAP = "\0"      # where the text is not known: a conversion or a macro


def tokens(source):
    return [t for t in TOKEN.findall(source) if not t.startswith("/*") and not t.lstrip(" \t").startswith("#")]


def pieces(tokens_, first, last):
    """The literals between two tokens: adjacent ones are one, and a macro among them is a gap."""
    text, found = "", False
    for token in tokens_[first:last] + [","]:
        if token.startswith('"'):
            text += re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], GAP), token[1:-1])
            found = True
        elif re.fullmatch(r"[A-Z][A-Z0-9_a-z]*", token) and (found or token.isupper()):
            text += GAP
        else:
            if found:
                yield text
            text, found = "", False


def end_of_call(tokens_, opened):
    depth = 0
    for i in range(opened, len(tokens_)):
        depth += {"(": 1, ")": -1}.get(tokens_[i], 0)
        if depth == 0:
            return i
    return len(tokens_)


def is_sink(tokens_, i, end):
    name = tokens_[i]
    return SINK.fullmatch(name) or not PRINT.get(name, set()).isdisjoint(tokens_[i:end])


def texts(path, source):
    """The error texts of a C file."""
    tokens_, i = tokens(source), 0
    while i < len(tokens_):
        end = end_of_call(tokens_, i + 1) if i + 1 < len(tokens_) and tokens_[i + 1] == "(" else i
        if end > i and is_sink(tokens_, i, end):
            yield from pieces(tokens_, i + 2, end)
            i = end
        elif WHOLE.fullmatch(str(path)) and tokens_[i].startswith('"'):
            end = i + 1
            while end < len(tokens_) and re.match(r'"|[A-Z]', tokens_[end]):
                end += 1
            yield from (text for text in pieces(tokens_, i, end) if " " in text)
            i = end
        else:
            i += 1


def known(text):
    """What of a text is the same each time it is printed."""
    return [part for part in CONVERSION.sub(GAP, text).split(GAP) if part.strip()]


def is_golden(text, golden):
    parts = known(text)
    return not re.search("[A-Za-z]{3}", " ".join(parts)) or " " not in text or \
        re.search(".*?".join(re.escape(part.strip("\n")) for part in parts), golden) is not None


def reasons(path):
    """FILE TEXT lines; a text is shown as here."""
    return {line for line in path.read_text().splitlines() if line and not line.startswith(("#", "="))}


def shown(path, text):
    return f"{path} {CONVERSION.sub('%', text).replace(GAP, '%')!r}"


def main(root="."):
    root = Path(root)
    errors, shown_rows = ("".join(path.read_text() for path in sorted((root / "tests/golden").glob(pattern)))
                          for pattern in ("errors.*.txt", "shown.*.txt"))
    listed = reasons(root / "tests/lint/error_texts.reasons")
    files = sorted(path for pattern in FILES for path in root.glob(pattern))
    every, lacking = 0, set()
    for path in files:
        short = path.relative_to(root)
        for text in texts(short, path.read_text()):
            every += 1
            if not is_golden(text, shown_rows if ROWS.fullmatch(str(short)) else errors):
                lacking.add(shown(short, text))
    found = [f"{line}: in no golden file" for line in sorted(lacking - listed)] + \
        [f"error_texts.reasons: {line}: no such text, or a golden file has it" for line in sorted(listed - lacking)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"error_texts: {every} texts in {len(files)} files, {len(listed)} with a reason, {len(found)} violations")
    return 1 if found or every == 0 else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
