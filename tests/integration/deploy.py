#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The policies in docs/deploy/: written from what `trailguard policy` prints (`make deploy-templates`), and the means by which
test_deploy.py compares them.

A condition is a word that a template's parameters answer with yes or no. The binary prints a document for each combination of
them; a statement goes into a template as one or more variants, each with the conditions that it depends on.

usage: deploy.py        writes the generated parts again; review the diff"""

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/aws"))

from simaws.client import SimAWS  # noqa: E402

DEPLOY = TOP / "docs/deploy"
CLOUDFORMATION, TERRAFORM = DEPLOY / "cloudformation", DEPLOY / "terraform"
POLICIES = TERRAFORM / "policies/policies.json.tftpl"
BINARY = Path(os.environ.get("TRAILGUARD_BIN", TOP / "build/trailguard"))

# What stands for a parameter in the binary's answers. Each is a valid value, and no part of another.
HUB, MEMBER, REGION = "111122223333", "444455556666", "eu-central-1"
GUARD, ROLE, EXTERNAL_ID = "ExampleGuard", "ExampleMember", "example-external-id"
TOPIC = f"arn:aws:sns:{REGION}:{HUB}:example-topic"
MEMBER_ROLES = [f"arn:aws:iam::{MEMBER}:role/{ROLE}", f"arn:aws:iam::777788889999:role/{ROLE}"]

# A template's word for the options mode and restore: the conditions Restarts, Restores, Recreates.
MODES = {"observe": (False, False, False), "restart": (True, False, False), "restore": (True, True, False),
         "restore-deleted": (True, True, True)}
# The words of the other parameters.
WORDS = {"bucket_checks": "ChecksBuckets", "kind": "IsRole", "external_id": "HasExternalId", "contain": "Contains",
         "guard_checks": "ChecksGuard"}
SCOPES = {"account": (False, False), "accounts": (True, False), "organization": (False, True)}


# ---- what the binary prints ------------------------------------------------------------------------------------------

class Printer:
    """`trailguard policy` for one combination of parameters, as a user and as a role of a simulated account."""

    def __init__(self, sim, directory):
        self.sim, self.config = sim, Path(directory) / "trailguard.conf"
        sim.add_account(HUB)
        sim.add_topic(TOPIC)
        sim.add_user(GUARD, HUB)
        role = sim.add_role(GUARD, HUB, trust=[{"Effect": "Allow", "Principal": {"AWS": HUB}, "Action": "sts:AssumeRole"}])
        sim.add_user("admin", HUB)
        keys = sim.boto3("admin", "sts", REGION).assume_role(RoleArn=role, RoleSessionName="host")["Credentials"]
        sim.add_keys("role", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        self.known = {}

    def document(self, what, kind="user", mode="restart", bucket_checks=False, scope="account", external_id=True, contain="off",
                 guard_checks=False):
        if what != "guard":
            bucket_checks, contain, guard_checks = False, "off", False      # others are denied the same
        elif contain == "off" and not guard_checks:
            kind = "user"            # the rights name the guard in these two only
        key = (what, kind, mode, bucket_checks, scope, external_id, contain, guard_checks)
        if key not in self.known:
            self.known[key] = self._print(*key)
        return self.known[key]

    def _print(self, what, kind, mode, bucket_checks, scope, external_id, contain, guard_checks):
        own = f'external_id = "{EXTERNAL_ID}"; ' if external_id else ""
        members = ", ".join(f'{{ role_arn = "{arn}"; {own}}}' for arn in MEMBER_ROLES)
        more = {"account": "", "accounts": f"accounts = ( {{ }}, {members} );",
                "organization": f'organization = {{ role_name = "{ROLE}"; }};'}[scope]
        mode, _, deleted = mode.partition("-")
        restore = 'restore = [ "settings", "selectors", "insights", "deleted" ];' if deleted else ""
        self.config.write_text(f'mode = "{mode}"; {restore} bucket_checks = {str(bucket_checks).lower()}; {more}\n'
                               f'contain = {{ mode = "{contain}"; }}; guard_checks = {str(guard_checks).lower()};\n'
                               f'alerts = ( {{ type = "sns"; topic_arn = "{TOPIC}"; }} );\n')
        done = subprocess.run([BINARY, "policy", what, "-c", self.config], capture_output=True, text=True, timeout=120,
                              env={"PATH": "/usr/bin:/bin", **self.sim.env_for(GUARD if kind == "user" else "role")})
        if done.returncode != 0 or done.stderr:
            raise RuntimeError(f"trailguard policy {what}: {done.stderr}")
        return json.loads(done.stdout)


@contextlib.contextmanager
def printer():
    with SimAWS() as sim, tempfile.TemporaryDirectory() as directory:
        yield Printer(sim, directory)


def hub(document):
    return document.get("hub", document)


def combinations(*names):
    """Every combination of the parameters, each as (the arguments of Printer.document, the conditions that they meet)."""
    values = {"mode": MODES, "scope": SCOPES, "bucket_checks": (False, True), "kind": ("user", "role"), "external_id": (False, True),
              "contain": ("off", "enforce"), "guard_checks": (False, True)}
    for chosen in itertools.product(*(values[name] for name in names)):
        arguments, conditions = dict(zip(names, chosen)), {}
        for name, value in arguments.items():
            if name == "mode":
                conditions.update(zip(("Restarts", "Restores", "Recreates"), MODES[value]))
            elif name == "scope":
                conditions.update(zip(("Accounts", "Organization"), SCOPES[value]))
            else:
                conditions[WORDS[name]] = value in (True, "role", "enforce")
        yield arguments, conditions


def printed(printer):
    """{name of a policy: [(conditions, the document)]}, for all combinations that it depends on."""
    def each(names, document):
        return [(conditions, document(**arguments)) for arguments, conditions in combinations(*names)]

    def member(**arguments):
        return printer.document("guard", scope="accounts", **arguments)["members"][0]
    return {
        "guard": each(["mode", "scope", "bucket_checks", "kind", "contain", "guard_checks"], lambda **a: hub(printer.document("guard", **a))),
        "deny": each(["mode", "scope", "kind"], lambda **a: hub(printer.document("deny", **a))),
        "member": each(["mode", "bucket_checks", "contain", "guard_checks"], lambda **a: member(**a)["policy"]),
        "trust": each(["external_id"], lambda **a: member(**a)["trust"]),
    }


# ---- a statement's variants ------------------------------------------------------------------------------------------

def relevant(cases):
    """The conditions that make a difference to a case: without another one the statement is the same."""
    def key(conditions, names):
        return tuple(conditions[name] for name in names)

    def decide(names):
        seen = {}
        return all(seen.setdefault(key(conditions, names), value) == value for conditions, value in cases)
    names = list(cases[0][0])
    for name in cases[0][0]:
        others = [other for other in names if other != name]
        names = others if decide(others) else names
    return names


def variants(cases, deep):
    """The smallest decision over [(conditions, statement or None)]: a statement, None, or (condition, if met, if not). deep: a
    statement may have decisions in it."""
    cases = list(cases)
    first, values = cases[0][1], [value for _, value in cases]
    if all(value == first for value in values):
        return first
    if deep and all(isinstance(value, dict) and value.keys() == first.keys() for value in values):
        return {name: variants([(conditions, value[name]) for conditions, value in cases], deep) for name in first}
    found = []
    for name in relevant(cases):
        sides = [[case for case in cases if case[0][name] == met] for met in (True, False)]
        if all(sides):
            found.append((name, *(variants(side, deep) for side in sides)))
    return min(found, key=lambda decision: len(json.dumps(decision)))


def decisions(documents, deep=False):
    """[a decision of variants()] for each statement, in the order of the binary."""
    sids = []
    # a statement that only some documents have stands after the one before it; the longest documents have most of them
    for _, document in sorted(documents, key=lambda row: -len(row[1]["Statement"])):
        at = 0
        for sid in (statement["Sid"] for statement in document["Statement"]):
            if sid not in sids:
                sids.insert(at, sid)
            at = sids.index(sid) + 1
    by_sid = [(conditions, {statement["Sid"]: statement for statement in document["Statement"]})
              for conditions, document in documents]
    return [variants([(conditions, statements.get(sid)) for conditions, statements in by_sid], deep) for sid in sids]


def flat(decision, when=()):
    """(conditions, statement) of each leaf."""
    if not isinstance(decision, tuple):
        return [] if decision is None else [(dict(when), decision)]
    name, met, unmet = decision
    return flat(met, (*when, (name, True))) + flat(unmet, (*when, (name, False)))


# ---- CloudFormation --------------------------------------------------------------------------------------------------

NO_VALUE = {"Ref": "AWS::NoValue"}
WHOLE = {TOPIC: {"Ref": "AlertTopic"}, EXTERNAL_ID: {"Ref": "ExternalId"}}
PARTS = [("arn:aws:", "arn:${AWS::Partition}:"), (HUB, "${AWS::AccountId}"), (MEMBER, "${AWS::AccountId}"),
         (GUARD, "${GuardName}"), (ROLE, "${MemberRoleName}")]


def in_cloudformation(value, trust=False):
    if isinstance(value, tuple):
        name, *sides = value
        return {"Fn::If": [name, *(NO_VALUE if side is None else in_cloudformation(side, trust) for side in sides)]}
    if isinstance(value, dict):
        return {name: in_cloudformation(member, trust) for name, member in value.items()}
    if value == MEMBER_ROLES:
        return {"Ref": "MemberRoleArns"}
    if isinstance(value, list):
        return [in_cloudformation(item, trust) for item in value]
    if value in WHOLE:
        return WHOLE[value]
    if trust and value.endswith("/" + GUARD):
        return {"Ref": "GuardArn"}
    text = value
    for part, parameter in PARTS:
        text = text.replace(part, parameter)
    return {"Fn::Sub": text} if text != value else value


def yaml(value, indent):
    """Lines of block YAML."""
    pad = " " * indent
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        head = f"{pad}{name}:" if isinstance(value, dict) else f"{pad}-"
        if isinstance(member, str):
            yield f"{head} {member if re.fullmatch('[A-Za-z][A-Za-z0-9]*', member) else json.dumps(member)}"
        elif isinstance(value, dict):
            yield head
            yield from yaml(member, indent + 2)
        else:
            first, *others = yaml(member, indent + 2)
            yield f"{head} {first.lstrip()}"
            yield from others


def policy_lines(documents, indent, trust=False):
    document = {"Version": "2012-10-17", "Statement": in_cloudformation(decisions(documents, deep=True), trust)}
    return list(yaml(document, indent))


BEGIN = re.compile(r"^( *)# `trailguard policy \w+` (.*), written by `make deploy-templates`$")


def cloudformation(path, policies):
    """The template's text, with what stands between a line BEGIN and the line `# end` in it replaced."""
    lines, skips = [], False
    for line in path.read_text().splitlines():
        skips = skips and line.strip() != "# end"
        if skips:
            continue
        lines.append(line)
        if begin := BEGIN.match(line):
            name = begin[2].rpartition(" ")[2]
            lines += policy_lines(policies[name], len(begin[1]), name == "trust")
            skips = True
    return "\n".join(lines) + "\n"


def stack_set(path, member):
    """A StackSet's template, with the member's in it: nothing to upload."""
    head, body, _ = path.read_text().partition("      TemplateBody: |\n")
    return head + body + "".join(f"        {line}".rstrip() + "\n" for line in member.splitlines())


# ---- Terraform -------------------------------------------------------------------------------------------------------

IN_TERRAFORM = [("arn:aws:", "arn:${partition}:"), (HUB, "${account}"), (MEMBER, "${account}"), (GUARD, "${guard_name}"),
                (ROLE, "${member_role_name}"), (EXTERNAL_ID, "${external_id}")]
CONDITIONS = {"Contains": "contains", "ChecksGuard": "checks_guard", "Restarts": "restarts", "Restores": "restores", "Recreates": "recreates", "ChecksBuckets": "checks_buckets",
              "Accounts": "accounts", "Organization": "organization", "IsRole": "is_role",
              "HasExternalId": "has_external_id"}


def terraform(policies):
    """One template of JSON: {policy: [{"when": {condition: bool}, "statement": a statement}]}."""
    document = {}
    for name, documents in policies.items():
        rows = [row for decision in decisions(documents) for row in flat(decision)]
        document[name] = [{"when": {CONDITIONS[word]: met for word, met in when.items()}, "statement": {**statement}}
                          for when, statement in rows]
    for row in document["trust"]:
        row["statement"]["Principal"] = {"AWS": "${guard_arn}"}
    text = json.dumps(document, indent=2).replace(TOPIC, "${topic_arn}")
    roles = r"\[\s*" + r",\s*".join(map(json.dumps, MEMBER_ROLES)) + r"\s*\]"
    text = re.sub(roles, "${jsonencode(member_role_arns)}", text)
    for part, parameter in IN_TERRAFORM:
        text = text.replace(part, parameter)
    return text + "\n"


def generated(policies):
    """{path: its text as it must be}"""
    texts = {CLOUDFORMATION / name: cloudformation(CLOUDFORMATION / name, policies) for name in ("guard.yaml", "member.yaml")}
    organization = CLOUDFORMATION / "organization.yaml"
    texts[organization] = stack_set(organization, texts[CLOUDFORMATION / "member.yaml"])
    texts[POLICIES] = terraform(policies)
    return texts


def main():
    with printer() as printing:
        for path, text in generated(printed(printing)).items():
            path.write_text(text)


if __name__ == "__main__":
    main()
