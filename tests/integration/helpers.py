# SPDX-License-Identifier: Apache-2.0
"""Names of the demonstration scenario, the attacker's moves, and readings of what the simulated AWS saw."""

import itertools
import json
import re
import time
from datetime import datetime

from guard import within
from schemas import validated
from simaws.client import poll

MAIN, MEMBER = "111122223333", "444455556666"
FRA, IAD, SYD = "eu-central-1", "us-east-1", "ap-southeast-2"
ALL_REGIONS = [FRA, IAD, SYD]
HOMES = {"org-trail": FRA, "audit": IAD, "apac": SYD}


def trail_arn(name, region=None, account=MAIN):
    return f"arn:aws:cloudtrail:{region or HOMES[name]}:{account}:trail/{name}"


def topic_arn(name, region=FRA):
    return f"arn:aws:sns:{region}:{MAIN}:{name}"


ORG_TRAIL, AUDIT, APAC = (trail_arn(name) for name in HOMES)
TOPIC = topic_arn("trailguard")
SETTINGS_READS = {"GetEventConfiguration", "GetEventSelectors", "GetInsightSelectors", "ListTags"}       # and the list, DescribeTrails
READS = {"DescribeTrails", "GetTrailStatus", "GetCallerIdentity", "LookupEvents", "GetTopicAttributes"} | SETTINGS_READS


def sns(*topics, **options):
    """The option `alerts` for topics by ARN."""
    return [{"type": "sns", "topic_arn": topic, **options} for topic in topics]


# -- mallory -----------------------------------------------------------------------------------------------------------
class Mallory:
    """Another user of the account with real AWS clients; one client a region is kept."""

    def __init__(self, sim, user="mallory"):
        self.sim, self.user, self.clients = sim, user, {}

    def client(self, arn):
        region = arn.split(":")[3]
        if region not in self.clients:
            self.clients[region] = self.sim.boto3(self.user, "cloudtrail", region)
        return self.clients[region]

    def stop(self, arn):
        """Answers the monotonic time at which AWS had done it."""
        self.client(arn).stop_logging(Name=arn)
        return time.monotonic()

    def start(self, arn):
        self.client(arn).start_logging(Name=arn)

    def flap(self, arn):
        """Between two polls, however long it takes: no guard's poll acts before both are done."""
        with self.sim.fault("hold", operation="GetTrailStatus", user_agent="TrailGuard*"):
            self.stop(arn)
            self.start(arn)

    def delete(self, arn):
        self.client(arn).delete_trail(Name=arn)

    def create(self, arn, bucket="example-audit-logs"):
        self.client(arn).create_trail(Name=arn.rpartition("/")[2], S3BucketName=bucket, IsMultiRegionTrail=False)
        self.client(arn).start_logging(Name=arn)


# -- baselines ---------------------------------------------------------------------------------------------------------
def refused(call, **arguments):
    """The code of AWS's error; "" when it did it."""
    from botocore.exceptions import ClientError
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def baselines(guard):
    """The files that it has recorded."""
    return sorted((guard.state / "baselines").glob("*.json"))


def start(guard):
    """Guarding, and a baseline is on the disk."""
    guard.start().wait_guarding()
    poll(lambda: baselines(guard), within(10))
    return guard


# -- alerts ------------------------------------------------------------------------------------------------------------
def document(message):
    """The JSON document of a message, checked against the schema."""
    return validated(json.loads(message["received"]["sqs"]["Message"]), "alert")


def messages(sim, topic=TOPIC, baselines=False):
    """All messages that a topic delivered, in order; without those about baselines, which come whenever a trail that is not
    all it could be is recorded, unless asked for."""
    return [message for message in sim.messages(topic)
            if baselines or not message["MessageAttributes"]["event"]["Value"].startswith("baseline.")]


def wait_message(sim, topic=TOPIC, seconds=10, count=1):
    """The newest of `count` of these messages."""
    try:
        return poll(lambda: (lambda found: found if len(found) >= count else None)(messages(sim, topic)), within(seconds),
                    0.05)[-1]
    except AssertionError:
        raise AssertionError(f"not {count} messages: {json.dumps(events(sim, topic))}") from None


def documents(sim, topic=TOPIC, baselines=False):
    """Their documents."""
    return [document(message) for message in messages(sim, topic, baselines)]


def events(sim, topic=TOPIC, baselines=False):
    return [entry["event"] for entry in documents(sim, topic, baselines)]


def wait_alert(sim, event, topic=TOPIC, seconds=10, count=1, holds=lambda document: True):
    """The newest of `count` documents of this event."""
    def find():
        found = [entry for entry in documents(sim, topic, True) if entry["event"] == event and holds(entry)]
        return found if len(found) >= count else None
    try:
        return poll(find, within(seconds), 0.05)[-1]
    except AssertionError:
        raise AssertionError(f"no {event} among {json.dumps(documents(sim, topic, True), indent=1)}") from None


def wait_outcome(sim, event, topic=TOPIC, seconds=30):
    """The document of an event that names what became of the action. A message waits 5 s for that; on a busy machine it can
    take longer, and the one that closes the incident names it."""
    def find():
        told = list(itertools.dropwhile(lambda entry: entry["event"] != event, documents(sim, topic)))
        return [entry for entry in told if entry["incident"] == told[0]["incident"]
                and entry["action"]["result"] not in ("none", "pending")]
    try:
        return poll(find, within(seconds), 0.05)[0]
    except AssertionError:
        raise AssertionError(f"no outcome of {event} among {json.dumps(documents(sim, topic), indent=1)}") from None


def epoch(text):
    """Seconds of a time in a document."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# -- the request log ---------------------------------------------------------------------------------------------------
def operations(sim, **match):
    """The operations that the guard called."""
    return [entry["operation"] for entry in sim.requests(principal="*:user/guard", **match)]


def intervals(sim, region, since=0, until=None, operation="GetTrailStatus", principal="*:user/guard"):
    """Seconds between a region's polls, as they arrived, each trail on its own."""
    polls = {}
    for entry in sim.requests(since=since, operation=operation, region=region, principal=principal):
        if until is None or entry["time"] <= until:
            polls.setdefault(entry.get("trail"), []).append(entry["time"])
    return [after - before for times in polls.values() for before, after in zip(times, times[1:])]


def wait_polls(sim, count, region, since=None, seconds=10, **match):
    """Wait for `count` more answered polls of a region; the newest."""
    since = sim.mark() if since is None else since
    return sim.wait_for_request(within(seconds) + count, count, since, operation="GetTrailStatus", region=region, **match)


def clock_text(seconds):
    """A time of day as the journal writes it."""
    return time.strftime("%H:%M:%SZ", time.gmtime(seconds))


def mail_time(seconds):
    """A time as a mail writes it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def mail_of(message):
    """The mail's text with its lines joined, for parts that a line's end may have split."""
    return " ".join(message["received"]["email"]["Body"].split())


def matches(pattern, text):
    assert re.search(pattern, text), f"{pattern!r} not in {text!r}"


def add_fifteen_trails(sim):
    """In place of what there was: five in each of three regions, whose names are returned."""
    regions = [FRA, IAD, SYD]
    sim.reset()
    sim.add_account(MAIN, regions=regions)
    sim.add_user("guard", MAIN)
    sim.add_topic(TOPIC)
    for region in regions:
        for number in range(5):
            sim.add_trail(f"trail{number}", MAIN, region)
    return regions
