"""The shipped IAM policies do what conf/iam/README.md says, judged by the simulated AWS."""
import json
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/aws"))

from simaws.client import SimAWS  # noqa: E402

ACCOUNT, REGION = "111122223333", "eu-central-1"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:trailguard"
ADMINISTRATOR = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def statements(name):
    return json.loads((TOP / "conf/iam" / name).read_text())["Statement"]


@pytest.fixture(scope="module")
def sim():
    with SimAWS() as sim:
        sim.add_account(ACCOUNT)
        sim.add_topic(TOPIC)
        sim.add_user("guard", ACCOUNT, policy=statements("guard.json") + statements("deny.json"))
        sim.add_user("admin", ACCOUNT, policy=[ADMINISTRATOR] + statements("deny.json"))
        yield sim


@pytest.fixture
def trail(sim, request):
    name = "trail-" + "".join(c for c in request.node.name if c.isalnum())[-40:]
    return sim.add_trail(name, ACCOUNT, REGION)


def refused(call, **arguments):
    """The error code of a call, "" when it was allowed."""
    from botocore.exceptions import ClientError
    try:
        call(**arguments)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return ""


def test_the_guard_may_do_its_work(sim, trail):
    cloudtrail = sim.boto3("guard", "cloudtrail", REGION)
    assert trail in [t["TrailARN"] for t in cloudtrail.describe_trails()["trailList"]]
    sim.trail(trail, logging=False)
    cloudtrail.start_logging(Name=trail)
    assert cloudtrail.get_trail_status(Name=trail)["IsLogging"]
    assert sim.boto3("guard", "sns", REGION).publish(TopicArn=TOPIC, Message="hello")["MessageId"]


CHANGES = [
    ("stop_logging", "Name", {}),
    ("delete_trail", "Name", {}),
    ("update_trail", "Name", {"IncludeGlobalServiceEvents": True}),
    ("put_event_selectors", "TrailName", {"EventSelectors": [{"ReadWriteType": "ReadOnly"}]}),
    ("add_tags", "ResourceId", {"TagsList": [{"Key": "a", "Value": "b"}]}),
]


@pytest.mark.parametrize("user", ["guard", "admin"])
@pytest.mark.parametrize("operation, member, more", CHANGES, ids=[c[0] for c in CHANGES])
def test_nobody_may_touch_a_trail(sim, trail, user, operation, member, more):
    cloudtrail = sim.boto3(user, "cloudtrail", REGION)
    assert refused(getattr(cloudtrail, operation), **{member: trail}, **more) == "AccessDeniedException"
    assert sim.trail(trail)["status_now"]["IsLogging"]


def test_an_administrator_may_still_start_one(sim, trail):
    assert refused(sim.boto3("admin", "cloudtrail", REGION).start_logging, Name=trail) == ""


def test_the_break_glass_role_may(sim, trail):
    arn = sim.add_role("TrailGuardBreakGlass", ACCOUNT, policy=[ADMINISTRATOR] + statements("deny.json"),
                       trust=[{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}])
    keys = sim.boto3("admin", "sts", REGION).assume_role(RoleArn=arn, RoleSessionName="planned")["Credentials"]
    sim._users["planned"] = {"access_key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"],
                             "token": keys["SessionToken"]}
    assert refused(sim.boto3("planned", "cloudtrail", REGION).stop_logging, Name=trail) == ""
