# SPDX-License-Identifier: Apache-2.0
"""Days of a guard in seconds, on a clock that jumps to the next timer. Each poll comes when it is due, what is daily once a
day, each reminder once an hour; sessions are renewed, and neither memory nor descriptors grow. The first night is
the one in Berlin that is an hour short. `make days` goes on for two weeks, over the month's end."""

import calendar
import collections
import json
import os
from statistics import median

import pytest

from faulted import Tally, gap_of, preloaded, received, under_two_ids
from guard import within
from helpers import FRA, IAD, MAIN, epoch, sns, topic_arn
from simaws.client import poll
from test_churn import GROWTH_FDS, GROWTH_KB, descriptors, resident_kb
from test_receivers import Receiver
from virtual import VirtualClock

pytestmark = [preloaded, pytest.mark.timed]

HOUR, DAY = 3600, 86400
HOURS = int(os.environ.get("TG_DAYS_HOURS", 28))
BEGINS = calendar.timegm((2027, 3, 27, 12, 0, 0))
INTERVAL = 300
ROUND = INTERVAL * 39 / 40      # polls come a little early, so that none is late
BEAT = 600
LATE = 5                        # seconds; calls that were throttled are tried again within
RESENT = 120                    # an Alertmanager takes an alert for ended after 600 s without it
MEMBER = "222233334444"
TOPIC = topic_arn("trailguard.fifo")
ATTACK_HOURS = 24
CONTEST = 600                   # seconds that a trail is polled all the time after a stop


@pytest.fixture
def clock(place):
    return VirtualClock(place / "clock", BEGINS)


@pytest.fixture
def days(clock):
    """A trail in each of two accounts, the second reached by a role whose sessions end after a quarter of an hour."""
    trust = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/guard"}, "Action": "sts:AssumeRole"}]
    with clock.simulator() as sim:
        for account in (MAIN, MEMBER):
            sim.add_account(account, regions=[FRA, IAD])
        sim.add_user("guard", MAIN)
        sim.add_role("TrailGuard", MEMBER, trust=trust, policy=[{"Effect": "Allow", "Action": "*", "Resource": "*"}])
        sim.call("settings", session_seconds=900)
        sim.add_topic(TOPIC)
        sim.changed = sim.add_trail("changed", MAIN, FRA, S3BucketName="logs", IsMultiRegionTrail=True)
        sim.stopped = sim.add_trail("stopped", MEMBER, FRA, S3BucketName="logs", IsMultiRegionTrail=True)
        yield sim
        sim.remove_fault()
        sim.assert_clean()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


class Days:
    """What happened until now: the requests that were answered, by operation and trail; memory and descriptors by hour."""

    def __init__(self, sim, guard, clock):
        self.sim, self.guard, self.clock = sim, guard, clock
        self.times, self.memory, self.fds, self.stops = collections.defaultdict(list), [], [], []
        self.number = 0

    def look(self):
        since, self.number = self.number, self.sim.mark()
        for request in sorted(self.sim.requests(since=since), key=lambda request: request["time"]):
            if request["number"] > self.number:
                continue    # the next look has it
            if request["status"] == 200:
                self.times[request["operation"], request.get("trail")].append(request["time"])
        self.memory.append(resident_kb(self.guard.process.pid))
        self.fds.append(descriptors(self.guard.process.pid))

    def hour(self, number):
        """Throttling in each, and from time to time a stop: one that was not there at the last poll, to the next."""
        self.clock.pass_to(BEGINS + number * HOUR + 47 * number % HOUR / 2, within(60))
        self.sim.add_fault("throttle", count=2, service="cloudtrail")
        if number % ATTACK_HOURS == 0:
            self.stops.append(self.sim.trail(self.sim.stopped, logging=False)["stopped"])
        self.clock.pass_to(BEGINS + (number + 1) * HOUR, within(60))
        self.look()

    def between(self, operation, trail=None):
        times = self.times[operation, trail]
        return [after - before for before, after in zip(times, times[1:])]


def assert_resent(receiver):
    """From the change to the end no Alertmanager took it for over."""
    sets = [json.loads(post.body) for post in receiver.posts if post.path == "/api/v2/alerts"]
    ends = [epoch(alert["endsAt"]) for alerts in sets for alert in alerts
            if alert["labels"].get("trail") == "changed" and epoch(alert["endsAt"]) > BEGINS + HOUR]
    assert max(after - before for before, after in zip(ends, ends[1:])) <= RESENT
    assert ends[-1] > BEGINS + HOURS * HOUR


def test_days_pass_and_nothing_drifts_doubles_or_grows(days, clock, receiver, make_guard, record_property, capsys):
    sim = days
    guard = make_guard(sim, env={**clock.env, "TZ": "Europe/Berlin"}, regions=[FRA], trails=[sim.changed, sim.stopped],
                       poll_interval=INTERVAL, settings_interval=2 * INTERVAL, guard_checks=True,
                       accounts=[{"name": "main"}, {"role_arn": f"arn:aws:iam::{MEMBER}:role/TrailGuard"}],
                       alerts=[*sns(TOPIC), {"type": "alertmanager", "urls": [receiver.url]}],
                       heartbeat={"url": receiver.url + "/beat", "interval": BEAT})
    guard.start().wait_guarding()
    seen = Days(sim, guard, clock)
    clock.pass_to(BEGINS + HOUR, within(60))
    sim.trail(sim.changed, settings={"S3KeyPrefix": "elsewhere"})
    for number in range(1, HOURS):
        seen.hour(number)
    poll(lambda: not guard.outbox_files(), within(30))
    said, half = received(sim, TOPIC), len(seen.memory) // 2

    # polls: none is skipped, and none comes early but while a trail is contested
    assert max(seen.between("GetTrailStatus", sim.stopped)) <= INTERVAL + LATE
    early = sum(gap for gap in seen.between("GetTrailStatus", sim.stopped)[1:] if gap < ROUND - LATE)
    assert early <= len(seen.stops) * (CONTEST + ROUND)
    polls = seen.between("GetTrailStatus", sim.changed)[1:]
    assert all(abs(gap - ROUND) <= LATE for gap in polls), polls
    assert abs(sum(polls) - ROUND * len(polls)) < LATE      # after days each still has its own place in a round

    # daily
    for operation in ("GetTopicAttributes", "GetUser", "GetRole"):
        gaps = seen.between(operation)
        assert len(gaps) >= (HOURS - 2) // 26, gaps
        assert all(abs(gap - DAY) <= HOUR + LATE for gap in gaps), (operation, gaps)

    # sessions, the heartbeat, the alerts that are sent again
    assert max(seen.between("AssumeRole")) < 900
    beats = [post for post in receiver.posts if post.path == "/beat"]
    assert 0.9 <= len(beats) * BEAT / (HOURS * HOUR) <= 1.1 and {post.status for post in beats} == {200}
    assert_resent(receiver)

    # reminders and stops, each once
    reminders = [epoch(entry["time"]) for entry in said if entry["event"] == "incident.reminder"]
    gaps = [after - before for before, after in zip(reminders, reminders[1:])]
    assert len(gaps) >= HOURS - 4 and all(abs(gap - HOUR) <= 10 for gap in gaps), gaps
    told = [len([entry for entry in gap_of(said, stopped) if entry["event"] == "trail.stopped"]) for stopped in seen.stops]
    published = sim.call("published", topic=TOPIC)
    Tally({"tried": len(told), "alerts sent": published["accepted"], "lost": told.count(0),
           "duplicates": published["accepted"] - published["delivered"] + sum(count > 1 for count in told),
           "under two ids": len(under_two_ids(said))}).record("days", record_property)
    assert set(told) == {1} and published["accepted"] == published["delivered"] and not under_two_ids(said)

    assert max(seen.fds[half:]) - max(seen.fds[1:half]) <= GROWTH_FDS, seen.fds
    grown = median(seen.memory[half:]) - median(seen.memory[1:half])
    with capsys.disabled():
        print(f"\n{HOURS} hours: {sum(map(len, seen.times.values()))} calls, {len(beats)} heartbeats, {len(reminders)} reminders, "
              f"{len(seen.stops)} stops; resident {seen.memory[1]} kB, {seen.memory[-1]} kB at the end; descriptors "
              f"{min(seen.fds)} to {max(seen.fds)}")
    assert grown < GROWTH_KB, seen.memory
