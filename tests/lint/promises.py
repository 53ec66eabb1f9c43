#!/usr/bin/python3
"""What the documents say is what the program does: options, IAM actions, message ids, events.

usage: promises.py BINARY [ROOT]
"""
import json
import re
import subprocess
import sys
from pathlib import Path

# Also "# aws.profile is not set".
OPTION = re.compile(r"^\s*(?:# (?:[a-z_]+\.)?)?([a-z_]+)(?:\s*[=:]| is not set$)", re.M)
# What the guard calls without needing a right for it: these two AWS lets everybody call, and a role is assumed by the
# keys of a profile that names one, not by the guard that comes of it.
FREE_CALLS = {"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"}


def text_of(path):
    return path.read_text() if path.exists() else ""


def options(root, binary):
    """The sample file is valid, and it and the manual name every option that the program knows."""
    sample = root / "conf/trailguard.conf"
    dump = subprocess.run([binary, "config", "--dump", "-c", str(sample)], capture_output=True, text=True)
    if dump.returncode != 0:
        yield f"{sample}: trailguard config says: {dump.stderr.strip()}"
        return
    names = sorted(set(OPTION.findall(dump.stdout)))
    if len(names) < 10:
        yield f"trailguard config --dump names only {len(names)} options"
    manual = root / "docs/man/trailguard.conf.5"
    for name in names:
        if not re.search(rf"^[#\s({{]*{name}\s*[=:]|[{{;,]\s*{name}\s*=", text_of(sample), re.M):
            yield f"{sample.relative_to(root)}: option {name} is not shown"
        # in mdoc and man macros an underscore needs no escape; a dash would
        if not re.search(rf"\b{name}\b", text_of(manual)):
            yield f"{manual.relative_to(root)}: option {name} is not described"


def iam_actions(root, binary):
    """guard.json allows what the program calls, and nothing else."""
    called = set()
    for service in ("cloudtrail", "sns", "sts"):
        source = "".join(text_of(path) for path in sorted(root.glob(f"lib/{service}*.c")))
        names = re.findall(r'"(?:Action=)?((?:Describe|Get|List|Lookup|Start|Publish|Assume)[A-Za-z]*)[&"]', source)
        called |= {f"{service}:{name}" for name in names if not name.endswith(("Response", "Result", "Time", "Attributes"))}
    called |= {f"account:{name}" for name in re.findall(r'\.name = "([A-Za-z]*)"', text_of(root / "lib/account.c"))}
    policy = json.loads(text_of(root / "conf/iam/guard.json"))
    allowed = set()
    for statement in policy["Statement"]:
        actions = statement["Action"]
        allowed |= set([actions] if isinstance(actions, str) else actions)
    for action in sorted(called - allowed - FREE_CALLS):
        yield f"conf/iam/guard.json: does not allow {action}, which the program calls"
    for action in sorted(allowed - called):
        yield f"conf/iam/guard.json: allows {action}, which the program never calls"


def message_ids(root, binary):
    """Every MESSAGE_ID of the program is explained in the journal's catalogue, and the other way round."""
    ids = set(re.findall(r'"([0-9a-f]{32})"', text_of(root / "daemon/core/messages.h")))
    catalogue = set(re.findall(r"^-- ([0-9a-f]{32})", "".join(text_of(p) for p in root.glob("conf/*.catalog")), re.M))
    for one in sorted(ids - catalogue):
        yield f"conf/*.catalog: MESSAGE_ID {one} is not explained"
    for one in sorted(catalogue - ids):
        yield f"conf/*.catalog: explains {one}, which the program never logs"
    if not ids:
        yield "daemon/core/messages.h: no MESSAGE_ID found"


def events(root, binary):
    """The schema of alerts and its page name the same events, and all of them are the program's."""
    schema = json.loads(text_of(root / "docs/alert.schema.json"))["properties"]["event"]["enum"]
    page = set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", text_of(root / "docs/alerts.md"), re.M))
    program = set(re.findall(r'\[EVENT_\w+\] = "([a-z._]+)"', text_of(root / "daemon/core/enum_names.c")))
    for one in sorted(set(schema) - page):
        yield f"docs/alerts.md: event {one} is not described"
    for one in sorted(page - set(schema)):
        yield f"docs/alert.schema.json: event {one} is not allowed"
    for one in sorted(page - program):
        yield f"docs/alerts.md: describes event {one}, which the program does not have"


RULES = [options, iam_actions, message_ids, events]


def main(binary, root="."):
    root = Path(root)
    found = [line for rule in RULES for line in rule(root, binary)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"promises: {len(RULES)} rules, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
