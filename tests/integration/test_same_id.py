# SPDX-License-Identifier: Apache-2.0
"""A daemon that is killed when an alert is in its outbox, and the state that says so is not written yet: the next one reports
the same once more, under the same id. That comes from what is on the disk, and from no clock."""

import json
import signal

import pytest

from faulted import PRELOAD, Clock, preloaded
from guard import within
from helpers import (FRA, IAD, MAIN, ORG_TRAIL, SYD, TOPIC, add_fifteen_trails, documents, sns, topic_arn, trail_arn, wait_alert,
                     wait_polls)
from simaws.client import poll
from simaws.regions import DEFAULT_REGIONS
from test_enforce import wage

pytestmark = preloaded

OTHER = topic_arn("other")
APAC = trail_arn("apac", SYD)
EMPTY = ["eu-west-1", "eu-west-3", "sa-east-1", "us-west-2"]


class Crash:
    """A guard that dies behind its first alert about this event."""

    def __init__(self, sim, make_guard, event, topic=TOPIC, clock=None, **options):
        self.sim, self.event, self.topic = sim, event, topic
        env = {"LD_PRELOAD": str(PRELOAD), "FAULTS_ALERT": event, **(clock.env if clock else {})}
        self.guard = make_guard(sim, env=env, **{"regions": [FRA], "settings_interval": 1, "alerts": sns(topic), **options})

    def told(self):
        return [entry for entry in documents(self.sim, self.topic, baselines=True) if entry["event"] == self.event]

    def state(self):
        return json.loads((self.guard.state / "state.json").read_text())

    def judge(self, again, before=lambda: None, after=lambda: None, count=1):
        """It has died, and is started: what it reports once more (`again` holds of the state then) has the same id."""
        assert self.guard.wait(60) == -9
        assert "FAULTS_ALERT" in self.guard.env and not again(self.state()), "the state says that it was raised"
        del self.guard.env["FAULTS_ALERT"]
        before()
        self.guard.start()
        after()
        poll(lambda: again(self.state()), within(60))
        wait_polls(self.sim, 2, FRA)
        told = poll(self.told, within(10))
        assert len({entry["id"] for entry in told}) == count, [(entry["id"][:8], entry["time"], entry["summary"]) for entry in told]
        assert len({entry["incident"] for entry in told}) == 1


def is_open(kind):
    return lambda state: any(cause["kind"] == kind and cause.get("incident", {}).get("open") for cause in state.get("causes", []))


def test_trails_that_nobody_has_accepted(sim, make_guard, mallory):
    crash = Crash(sim, make_guard, "trails.unaccepted", regions=[FRA, IAD])
    crash.guard.start().wait_guarding()
    for name, region in zip(["own-0", "own-1", "own-2", "own-3"], [FRA, FRA, FRA, IAD]):
        mallory.create(trail_arn(name, region), bucket="mallorys-bucket")
    crash.judge(lambda state: not any(account.get("unaccepted_appeared") for account in state["accounts"]))


@pytest.mark.parametrize("regions", [[FRA, SYD], [FRA, *EMPTY]], ids=["one", "several"])
def test_regions_in_which_nothing_records(sim, make_guard, regions):
    sim.call("account", id=MAIN, regions=[*DEFAULT_REGIONS, *EMPTY])
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    sim.trail(APAC, delete=True)
    crash = Crash(sim, make_guard, "region.uncovered", regions=regions)
    crash.guard.start()
    crash.judge(is_open("uncovered") if len(regions) > 2 else
                lambda state: any(target.get("cover", {}).get("messages") for target in state["targets"]))


@pytest.mark.parametrize("polls", [1, 3])
def test_a_region_that_cannot_be_polled(sim, make_guard, polls):
    crash = Crash(sim, make_guard, "target.unreachable", regions=[FRA, IAD], unreachable_after=polls)
    sim.add_fault("denied", service="cloudtrail", region=IAD)
    crash.guard.start()
    crash.judge(lambda state: any(target.get("reach", {}).get("messages") for target in state["targets"]))
    sim.clear_failures()


@pytest.fixture
def shifted(tls_sim, place):
    """(simulated AWS, clock): over TLS an answer's Date corrects the clock that signs."""
    tls_sim.reset()
    tls_sim.add_account(MAIN, regions=[*DEFAULT_REGIONS, *EMPTY])
    tls_sim.add_user("guard", MAIN)
    tls_sim.add_topic(TOPIC)
    return tls_sim, Clock(place / "clock")


def test_more_regions_that_cannot_be_polled(shifted, make_guard):
    """The second message is about those that came since; five minutes must have gone by."""
    sim, clock = shifted
    closed = {"code": "AccessDeniedException", "status": 400,
              "message": "User: arn:aws:iam::111122223333:user/guard is not authorized to perform: cloudtrail:DescribeTrails with an "
                         "explicit deny in a service control policy"}
    sim.add_trail("here", MAIN, FRA, IsMultiRegionTrail=False)
    crash = Crash(sim, make_guard, "target.unreachable", regions=[FRA, *EMPTY], unreachable_after=3, clock=clock)
    meant = crash.guard.env.pop("FAULTS_ALERT")
    for region in EMPTY[:2]:
        sim.add_fault("error", service="cloudtrail", region=region, **closed)
    crash.guard.start()
    wait_alert(sim, "target.unreachable", seconds=30)
    crash.guard.wait_delivered()
    assert crash.guard.stop() == 0
    crash.guard.env["FAULTS_ALERT"] = meant
    for region in EMPTY[2:]:
        sim.add_fault("error", service="cloudtrail", region=region, **closed)
    clock.shift(302)
    crash.guard.start()
    crash.judge(lambda state: any(cause.get("members") == 4 for cause in state.get("causes", [])), lambda: clock.shift(310), count=2)
    sim.clear_failures()


def channel_row(list, channel):
    return lambda state: any(row["channel"] == channel and not row.get("pending") for row in state.get(list, []))


def test_a_channel_that_fails(sim, make_guard, mallory):
    sim.add_topic(OTHER)
    crash = Crash(sim, make_guard, "channel.failed", OTHER, alerts=sns(TOPIC, OTHER))
    crash.guard.start().wait_guarding()
    sim.call("topic", arn=TOPIC, delete=True)
    mallory.stop(ORG_TRAIL)
    crash.judge(channel_row("channels", f"sns:{TOPIC}"))


def test_a_channel_that_nobody_hears(sim, make_guard):
    sim.add_topic(OTHER, subscriptions=[{"protocol": "email", "endpoint": "a@example.com", "pending": True}])
    crash = Crash(sim, make_guard, "channel.unheard", alerts=sns(TOPIC, OTHER))
    crash.guard.start().wait_guarding()
    crash.guard.signal(signal.SIGHUP)           # checks at once
    crash.judge(channel_row("unheard", f"sns:{OTHER}"), after=lambda: crash.guard.wait_guarding().reload())


def has_two_keys(state):
    return sum(part["kind"] == "access_key" for row in state.get("guards", []) for part in row.get("parts", [])) == 2


@pytest.mark.parametrize("event", ["guard.rights_lost", "guard.changed"])
def test_what_the_guard_itself_lost_or_was_given(sim, make_guard, event):
    iam = sim.boto3("mallory", "iam", IAD)
    crash = Crash(sim, make_guard, event, guard_checks=True, guard_interval=10, attribution=True)
    crash.guard.start().wait_guarding()
    poll(lambda: any(row.get("parts") for row in crash.state().get("guards", [])), within(30))
    if event == "guard.changed":
        iam.create_access_key(UserName="guard")
        crash.judge(has_two_keys)
    else:
        iam.put_user_policy(UserName="guard", PolicyName="no", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"}]}))
        crash.judge(lambda state: any(row.get("lost_since_usec") for row in state.get("guards", [])))


def test_weak_baselines_that_are_reported_together(sim, make_guard):
    crash = Crash(sim, make_guard, "more trails were weak when recorded", regions=add_fifteen_trails(sim))
    crash.guard.start()
    crash.told = lambda: [entry for entry in documents(sim, TOPIC, True) if entry["event"] == "baseline.weak" and not entry["trail"]]
    crash.judge(lambda state: not any(trail.get("weakness_pending") for trail in state["trails"]))


def test_a_weak_baseline_whose_message_is_not_in_the_outbox_yet(sim, make_guard):
    """The daemon dies between the two files. The next one finds the baseline, and would not record it again."""
    guard = make_guard(sim, regions=[IAD], trails=["audit"], settings_interval=1,
                       env={"LD_PRELOAD": str(PRELOAD), "FAULTS_RENAME": "*/outbox/*"})
    guard.start()
    assert guard.wait(30) == -9
    assert len(list((guard.state / "baselines").glob("*.json"))) == 1 and not list((guard.state / "outbox").glob("[!.]*"))
    del guard.env["FAULTS_RENAME"]
    guard.start().wait_guarding()
    wait_alert(sim, "baseline.weak", seconds=20)
    assert guard.stop() == 0
    guard.start().wait_guarding()
    wait_polls(sim, 2, IAD)
    guard.wait_delivered()
    assert len([entry for entry in documents(sim, TOPIC, True) if entry["event"] == "baseline.weak"]) == 1


@pytest.mark.parametrize("before", ["outbox", "baselines"])
def test_what_makes_a_baseline_weak_and_is_added_later(sim, make_guard, before):
    """The daemon dies before it writes the message, or the baseline behind it: the next one finds it once more."""
    arn = sim.add_trail("writes", MAIN, FRA)
    sim.trail(arn, selectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}])
    guard = make_guard(sim, trails=[arn], regions=[FRA], settings_interval=1)
    fault = sim.add_fault("denied", operation="GetEventSelectors", user_agent="TrailGuard*")
    guard.start().wait_guarding().wait_baselines(1, weak=1)
    wait_alert(sim, "target.unreachable", seconds=20)
    guard.wait_delivered()
    assert guard.stop() == 0
    guard.env.update(LD_PRELOAD=str(PRELOAD), FAULTS_RENAME=f"*/{before}/*")
    sim.remove_fault(fault)
    guard.start()
    assert guard.wait(30) == -9
    path, = (guard.state / "baselines").glob("*.json")
    assert "WriteOnly" not in path.read_text()
    del guard.env["FAULTS_RENAME"]
    guard.start().wait_guarding()
    guard.wait_line("EventSelectors added to its baseline", 20)
    wait_polls(sim, 3, FRA)
    guard.wait_delivered()
    told = [entry for entry in documents(sim, TOPIC, True)
            if entry["event"] == "baseline.weak" and "only management events that write" in entry["detail"]]
    assert told and len({entry["id"] for entry in told}) == 1
    sim.clear_failures()


def test_a_baseline_that_is_damaged(sim, victim):
    victim.start().wait_guarding().wait_baselines(1, weak=0)
    assert victim.stop() == 0
    victim.env.update(LD_PRELOAD=str(PRELOAD), FAULTS_RENAME="*.damaged-*")
    path, = (victim.state / "baselines").glob("*.json")
    path.write_text("{ not json")
    victim.start()
    assert victim.wait(30) == -9
    del victim.env["FAULTS_RENAME"]
    victim.start()
    poll(lambda: list(path.parent.glob("*.damaged-*")), within(30))
    wait_alert(sim, "baseline.damaged", seconds=20)
    wait_polls(sim, 2, FRA)
    victim.wait_delivered()
    told = [entry for entry in documents(sim, TOPIC, True) if entry["event"] == "baseline.damaged"]
    assert len({entry["id"] for entry in told}) == 1 and told


def test_a_change_whose_hour_is_over(shifted, make_guard):
    """AWS gives no time for it: the hour stands for that, and it is the one of the first daemon."""
    sim, clock = shifted
    arn = sim.add_trail("changed", MAIN, FRA, S3KeyPrefix="audit")
    crash = Crash(sim, make_guard, "trail.weakened", clock=clock, trails=["changed"])
    crash.guard.start().wait_guarding().wait_baselines(1, weak=0)
    poll(lambda: crash.guard.remembers(arn), within(10))
    sim.trail(arn, settings={"S3KeyPrefix": "elsewhere"})
    crash.judge(lambda state: any(trail.get("incident", {}).get("open") for trail in state["trails"]), lambda: clock.shift(2 * 3600))


def test_an_organization_whose_accounts_cannot_be_listed(sim, make_guard):
    crash = Crash(sim, make_guard, "organization.unreadable", unreachable_after=1,
                  organization={"role_name": "TrailGuard", "refresh": 60})
    crash.guard.start()
    crash.judge(lambda state: state.get("organization", {}).get("sequence"))


def test_an_identity_that_is_about_to_be_contained(sim, make_guard):
    sim.add_trail("victim", MAIN, FRA)
    sim.add_user("attacker", MAIN)
    crash = Crash(sim, make_guard, "identity.contained", trails=["victim"], attribution=True, contain={"mode": "enforce"})
    crash.guard.start().wait_guarding()
    wage(sim, "attacker", lambda: crash.guard.process.poll() is not None)
    crash.judge(lambda state: any(hold.get("announced") for hold in state.get("contained", [])))
