#!/usr/bin/python3
"""What the documents say is what the program does: options, IAM actions, message ids, events, metrics.

usage: promises.py BINARY [ROOT]
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

# Also "# aws.profile is not set".
OPTION = re.compile(r"^\s*(?:# (?:[a-z_]+\.)?)?([a-z_]+)(?:\s*[=:]| is not set$)", re.M)
# What the guard calls without needing a right for it: these two AWS lets everybody call, and a role is assumed by the
# keys of a profile that names one, not by the guard that comes of it.
FREE_CALLS = {"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"}
# Not of the default configuration: guard_checks asks for them.
OPTIONAL_CALLS = {"sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes"}


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
        called |= {f"{service}:{name}" for name in names if not name.endswith(("Response", "Result", "Time", "LookupAttributes"))}
    called |= {f"account:{name}" for name in re.findall(r'AWS_ACCOUNT,[^}]*\.name = "([A-Za-z]*)"',
                                                     text_of(root / "lib/organizations.c"))}
    if "s3_head_bucket" in text_of(root / "lib/s3.c"):
        called.add("s3:ListBucket")     # what S3 calls the right to HeadBucket
    policy = json.loads(text_of(root / "conf/iam/guard.json"))
    allowed = set()
    for statement in policy["Statement"]:
        actions = statement["Action"]
        allowed |= set([actions] if isinstance(actions, str) else actions)
    for action in sorted(called - allowed - FREE_CALLS - OPTIONAL_CALLS):
        yield f"conf/iam/guard.json: does not allow {action}, which the program calls"
    for action in sorted(allowed - called):
        yield f"conf/iam/guard.json: allows {action}, which the program never calls"


# What the page of rights calls "always", and what stands there for an ARN.
LEAST = {"regions": '[ "eu-central-1" ]', "mode": '"observe"', "attribution": "false", "owner_check": "false", "alerts": "()"}
EXAMPLES = {'"ARN"; } )': '"arn:aws:sns:eu-central-1:111122223333:x"; } )',
            'role_arn = "ARN"': 'role_arn = "arn:aws:iam::444455556666:role/x"'}


def rights(binary, line):
    """The actions that `policy guard` prints for the least configuration with a line of the page in it."""
    options = dict(LEAST)
    for name, value in re.findall(r"(\w+) = (\(.*\)|\{.*\}|[^;]+)", line):
        options[name] = value
    text = "".join(f"{name} = {value};\n" for name, value in options.items())
    for short, whole in reversed(EXAMPLES.items()):
        text = text.replace(short, whole)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        # it prints without keys too; it need not search for them in the network
        printed = subprocess.run([binary, "policy", "guard", "-c", file.name], capture_output=True, text=True,
                                 env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"})
    if printed.returncode != 0:
        return None
    policy = json.loads(printed.stdout)
    actions = [statement["Action"] for statement in policy.get("hub", policy)["Statement"]]
    return {action for one in actions for action in ([one] if isinstance(one, str) else one)}


def levels(root, binary):
    """The page of rights has what `policy guard` adds for each option, and nothing else."""
    page, line = {}, None
    for config, action in re.findall(r"^\| (`[^`]*`|always|) ?\| `(\w+:\w+)` \|", text_of(root / "docs/iam.md"), re.M):
        line = config.strip("`") or line
        page.setdefault(line, set()).add(action)
    least = rights(binary, "")
    if least is None or page.get("always") != least:
        yield f"docs/iam.md: always needed are {least}, on the page {page.get('always')}"
        return
    for line, actions in page.items():
        printed = least if line == "always" else rights(binary, line)
        if printed is None:
            yield f"docs/iam.md: trailguard policy refuses {line}"
            continue
        more = printed - least if line != "always" else printed
        # what a restored trail needs has been listed for mode "restore"
        if "deleted" in line:
            more -= page.get('mode = "restore"', set())
        for action in sorted(more ^ actions):
            yield f"docs/iam.md: {line}: {action} stands {'here' if action in actions else 'in the printed policy'} only"


def rows_of(root, kind):
    """The lines of one kind of the program's table of events, which a unit test writes and compares."""
    lines = text_of(root / "tests/golden/events.table").splitlines()
    return [line.split("\t")[1:] for line in lines if line.startswith(kind + "\t")]


def message_ids(root, binary):
    """Every MESSAGE_ID of the program is explained in the journal's catalogue, and the other way round."""
    ids = {row[2] for row in rows_of(root, "line")} - {"-"}
    catalogue = set(re.findall(r"^-- ([0-9a-f]{32})", "".join(text_of(p) for p in root.glob("conf/*.catalog")), re.M))
    for one in sorted(ids - catalogue):
        yield f"conf/*.catalog: MESSAGE_ID {one} is not explained"
    for one in sorted(catalogue - ids):
        yield f"conf/*.catalog: explains {one}, which the program never logs"
    if not ids:
        yield "tests/golden/events.table: no MESSAGE_ID found"


def journal_lines(root, binary):
    """docs/operations.md has each line of the journal, at its level."""
    page = re.sub(r"^- (`[^`]*`)\n  \((\w+)\)", r"\1 (\2)", text_of(root / "docs/operations.md"), flags=re.M)
    for event, level, _, text in rows_of(root, "line"):
        # what stands between variables, and is long enough to be found
        words = max(re.split(r"\{[^}]*\}", text), key=len)
        if len(words) < 8:
            continue
        levels = re.findall(rf"^`[^`\n]*{re.escape(words)}[^`\n]*` \((\w+)\)", page, re.M)
        if level not in levels:
            yield f"docs/operations.md: no line {words!r} of level {level} ({event}); levels there: {levels}"


def events(root, binary):
    """The page of alerts has the program's table, row by row, and the schema the same events."""
    schema = set(json.loads(text_of(root / "docs/alert.schema.json"))["properties"]["event"]["enum"])
    program, page, last = [tuple(row) for row in rows_of(root, "event")], [], ""
    for name, severity, when in re.findall(r"^\| (`[a-z]+\.[a-z_]+`)? ?\| ([^|]+) \| ([^|]+) \|$",
                                           text_of(root / "docs/alerts.md"), re.M):
        last = name.strip("`") or last
        page.append((last, severity, when))
    for row in program:
        if row not in page:
            yield f"docs/alerts.md: no row {' | '.join(row)}"
        if row[0] not in schema:
            yield f"docs/alert.schema.json: event {row[0]} is not allowed"
    names = {row[0] for row in program}
    for row in page:
        if row[0] in names and row not in program:
            yield f"docs/alerts.md: the program has no row {' | '.join(row)}"
    for one in sorted((schema | {row[0] for row in page if "." in row[0]}) - names):
        yield f"docs: event {one}, which the program does not have"


def manual_of_alerts(root, binary):
    """trailguard-alert(7) has the program's table of events, row by row, and every member of the document."""
    name = "docs/man/trailguard-alert.7"
    document, _, table = text_of(root / name).partition(".Sh EVENTS\n")
    members = {member for line in re.findall(r"^\.It Ic (.*)$", document.partition(".Sh DOCUMENT\n")[2], re.M)
               for member in line.split(" , ")}
    schema = set(json.loads(text_of(root / "docs/alert.schema.json"))["properties"])
    for one in sorted(members ^ schema):
        yield f"{name}: member {one} stands {'here' if one in members else 'in the schema'} only"
    manual, event = [], ""
    for macro, words, text in re.findall(r"^\.(It Ic|Em) (.*)\n((?:[^.].*\n)*)", table.partition(".Sh ")[0], re.M):
        if macro == "It Ic":
            event = words
        else:
            manual.append([event, words.removesuffix(" :"), " ".join(text.split()).removesuffix(".").replace("\\&", "")])
    program = [[row[0], row[1], re.sub("`([^`]*)`", r"\\(lq\1\\(rq", row[2])] for row in rows_of(root, "event")]
    for row in program:
        if row not in manual:
            yield f"{name}: no entry {' | '.join(row)}"
    for row in manual:
        if row not in program:
            yield f"{name}: the program has no entry {' | '.join(row)}"


def families_of(page):
    """{name: (type, labels, help)} of a page in Prometheus' format; without the labels that all have, or all buckets."""
    found = {}
    for name, words in re.findall(r"^# HELP (\S+) (.*)$", page, re.M):
        kind = re.search(rf"^# TYPE {name} (\w+)$", page, re.M)
        series = re.search(rf"^{name}(?:_bucket)?{{(.*)}} ", page, re.M)
        labels = re.findall(r'(?:^|,)(\w+)="(?:[^"\\]|\\.)*"', series[1] if series else "")
        found[name] = (kind[1] if kind else "", tuple(one for one in labels if one not in ("guard", "le")), words)
    return found


def metrics(root, binary):
    """docs/metrics.md has the program's metrics, row by row; rules and dashboard use no others. Each rule has a row and
    a test.

    The program's are those of example.prom, which a unit test compares with what it writes."""
    place = root / "docs/prometheus"
    program = families_of(text_of(place / "example.prom"))
    page = {f"trailguard_{name}": (kind, tuple(labels.split(",")) if labels else (), words)
            for name, labels, kind, words in re.findall(
                r"^\| `([a-z_]+)(?:\{([\w,]+)\})?` \| (gauge|counter|histogram) \| (.*) \|$",
                text_of(root / "docs/metrics.md"), re.M)}
    for name in sorted(program.keys() | page.keys()):
        if program.get(name) != page.get(name):
            yield f"docs/metrics.md: {name} is {page.get(name, 'missing')}, in the program {program.get(name, 'missing')}"
    for file in ("rules.yml", "rules.test.yml", "dashboard.json"):
        for name in sorted(set(re.findall(r"\btrailguard_\w+", text_of(place / file)))):
            whole = re.sub(r"_(bucket|sum|count)$", "", name)
            if name not in program and program.get(whole, ("",))[0] != "histogram":
                yield f"docs/prometheus/{file}: {name} is no metric"
    rules = re.findall(r"- alert: (\w+)", text_of(place / "rules.yml"))
    named = re.findall(r"^\| `(TrailGuard\w+)` ", text_of(root / "docs/metrics.md"), re.M)
    for rule in sorted(set(rules) ^ set(named)):
        yield f"docs/metrics.md: rule {rule} stands {'here' if rule in named else 'in rules.yml'} only"
    for rule in rules:
        if f"alertname: {rule}\n" not in text_of(place / "rules.test.yml"):
            yield f"docs/prometheus/rules.test.yml: does not test {rule}"


def headers(root, binary):
    """The headers of a webhook are those that its page and its manual have."""
    header = re.compile(r"X-TrailGuard-\w+")
    sent = set(header.findall(text_of(root / "daemon/io/channel_webhook.c")))
    for name in ("docs/channels.md", "docs/man/trailguard-alert.7"):
        described = set(header.findall(text_of(root / name)))
        for one in sorted(sent ^ described):
            yield f"{name}: header {one} stands {'here' if one in described else 'in the program'} only"


def exit_statuses(root, binary):
    """trailguard(8) says how each verb ends."""
    name = "docs/man/trailguard.8"
    section = text_of(root / name).partition(".Sh EXIT STATUS\n")[2].partition("\n.Sh ")[0]
    described = set(re.findall(r"^\.It Cm (\S+)$", section, re.M))
    for verb in re.findall(r'^ +\{ "([a-z-]+)", verb_\w+,', text_of(root / "daemon/main.c"), re.M):
        if verb not in described:
            yield f"{name}: no exit status of {verb}"


def quoted_brackets(root, binary):
    """mdoc takes a bracket that stands alone for punctuation, and puts it outside of the quotation marks."""
    for path in sorted((root / "docs/man").glob("*.[1-8]")):
        for number, line in enumerate(text_of(path).splitlines(), 1):
            if re.search(r"^\.(Ql|Qq|Li|Dq|Sq) [][()](\s|$)", line):
                yield f"{path.relative_to(root)}:{number}: {line}: quote it, as in .Ql \"[ ]\""


RULES = [options, iam_actions, levels, message_ids, journal_lines, events, manual_of_alerts, metrics, headers, exit_statuses,
         quoted_brackets]


def main(binary, root="."):
    root = Path(root)
    found = [line for rule in RULES for line in rule(root, binary)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"promises: {len(RULES)} rules, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
