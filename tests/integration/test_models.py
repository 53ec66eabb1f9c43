# SPDX-License-Identifier: Apache-2.0
"""The tables of lib/ against Amazon's own service models: each member that is read is one that AWS sends, of the type
that is read, and what AWS may leave out is not required; each member that is written is one that AWS takes."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/aws"))

from simaws import shapes       # noqa: E402

KINDS = {"TEXT": "string", "CHARS": "string", "BOOL": "boolean", "TIME": "timestamp"}
# What stands for ANSWER_FIELD in a file, and the kind of what it reads.
SHORT = {"FLAG": "BOOL", "TEXT": "TEXT", "TIME": "TIME", "ERROR": "CHARS"}
# Where each file's members are: in the answer, or in a structure of it.
READ = {"cloudtrail": ("cloudtrail", ["Trail", "GetTrailStatusResponse", "Tag"]),
        "cloudtrail_events": ("cloudtrail", ["Event", "LookupEventsResponse"]),
        "organizations": ("organizations", ["Account"]),
        "kms": ("kms", ["KeyMetadata"])}
# The model calls them optional, and without them an answer says nothing.
ALWAYS_SENT = {"IsLogging", "Id", "KeyState"}
ROW = re.compile(r'ANSWER_FIELD\(\s*"(\w+)",\s*ANSWER_(\w+),\s*(true|false)|^\s+(FLAG|TEXT|TIME|ERROR)\("(\w+)"', re.M)


def rows(name):
    """Member, kind and whether it is required, of each row of a file's tables."""
    source = (ROOT / f"lib/{name}.c").read_text()
    return [(member or short_member, kind or SHORT[short], required == "true")
            for member, kind, required, short, short_member in ROW.findall(source)]


@pytest.mark.parametrize("name", READ)
def test_what_is_read_is_what_aws_sends(name):
    service, structures = READ[name]
    found = rows(name)
    assert len(found) >= 2, "the tables of this file were not found"
    for member, kind, required in found:
        models = [shapes.service(service).shape_for(structure) for structure in structures]
        types = {model.members[member].type_name for model in models if member in model.members}
        assert types == {KINDS[kind]}, f"{member} is read as {kind}, and is {types or 'no member'} of {structures}"
        assert not required or member in ALWAYS_SENT, f"{member} is required, and AWS may leave it out"


def table(file, name):
    """The text of a table in C."""
    return re.search(rf"\b{name}\[\w*\] = {{(.*?)}};", (ROOT / f"lib/{file}.c").read_text(), re.S)[1]


@pytest.mark.parametrize("operation", ["CreateTrail", "UpdateTrail"])
def test_what_is_written_is_what_aws_takes(operation):
    model = shapes.operation("cloudtrail", operation).input_shape
    for name, kind in (("text_members", "string"), ("choice_members", "boolean")):
        members = re.findall(r'"(\w+)"', table("cloudtrail_write", name))
        assert len(members) >= 4
        for member in members:
            assert model.members[member].type_name == kind, member


@pytest.mark.parametrize("file, name, service, shape", [
    ("cloudtrail_events", "key_names", "cloudtrail", "LookupAttributeKey"),
    ("iam", "words", "iam", "PolicyEvaluationDecisionType"),
    ("organizations", "state_words", "organizations", "AccountStatus")])
def test_every_word_of_aws_is_known(file, name, service, shape):
    words = set(re.findall(r'"(\w+)"', table(file, name)))
    assert words >= set(shapes.service(service).shape_for(shape).enum)


def test_every_operation_is_one_of_the_service():
    """By the names under which requests are sent, with all that AWS requires of their input."""
    names = re.findall(r'CLOUDTRAIL_ROW\(\w+, "(\w+)"\)', "".join(path.read_text() for path in ROOT.glob("lib/cloudtrail*.c")))
    assert len(names) >= 12
    for name in names:
        assert shapes.operation("cloudtrail", name), name
    for name, member in re.findall(r'CLOUDTRAIL_ROW\(\w+, "(\w+)"\),\s+\.member = "(\w+)"',
                                   (ROOT / "lib/cloudtrail.c").read_text()):
        shape = shapes.operation("cloudtrail", name).input_shape
        assert member in shape.members and set(shape.required_members) <= {member}, name
