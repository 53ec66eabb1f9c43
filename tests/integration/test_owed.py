# SPDX-License-Identifier: Apache-2.0
"""Messages for which there is no memory when they are due: each is queued once there is, under one id, whatever it is about.
Until then the state file does not say that it was."""

import json
import signal

import pytest

from faulted import PRELOAD, preloaded
from guard import within
from helpers import FRA, IAD, MAIN, ORG_TRAIL, TOPIC, documents, sns, topic_arn, wait_alert, wait_polls
from simaws.client import poll

pytestmark = preloaded

OTHER = topic_arn("other")
MEMBER = "444455556661"
STOPPED = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"}]}


class Poor:
    """A guard that cannot compose an alert while this says so."""

    def __init__(self, sim, make_guard, place, **options):
        self.sim, self.refusal = sim, place / "no-memory"
        self.guard = make_guard(sim, env={"LD_PRELOAD": str(PRELOAD), "FAULTS_ALERTS": str(self.refusal)},
                                **{"regions": [FRA], "settings_interval": 1, **options})

    def state(self):
        return json.loads((self.guard.state / "state.json").read_text())

    def without_memory(self, happens, line):
        self.refusal.touch()
        since = self.guard.mark()
        happens()
        self.guard.wait_line(line, 90, since)
        wait_polls(self.sim, 3, FRA)

    def judge(self, event, topic=TOPIC):
        def ids():
            """Of what is not about a trail of a region that is."""
            return {entry["id"] for entry in documents(self.sim, topic, True)
                    if entry["event"] == event and (not entry["trail"] or event.startswith("trail."))}
        assert not ids()
        self.refusal.unlink()
        poll(ids, within(90))
        wait_polls(self.sim, 3, FRA)
        assert len(ids()) == 1


NO_MEMORY = "cannot be composed: Cannot allocate memory"


def test_a_region_that_cannot_be_polled_and_can_again(sim, make_guard, place):
    poor = Poor(sim, make_guard, place, regions=[FRA, IAD], unreachable_after=1)
    poor.guard.start().wait_guarding()
    poor.without_memory(lambda: sim.add_fault("denied", service="cloudtrail", region=IAD), NO_MEMORY)
    assert not any(target.get("reach", {}).get("open") for target in poor.state()["targets"])
    poor.judge("target.unreachable")
    poor.guard.wait_delivered()
    poor.without_memory(sim.remove_fault, NO_MEMORY)
    poor.judge("target.reachable")
    sim.clear_failures()


@pytest.mark.parametrize("mode", ["observe", "restart"])
def test_a_trail_that_is_stopped(sim, make_guard, mallory, place, mode):
    poor = Poor(sim, make_guard, place, mode=mode)
    poor.guard.start().wait_guarding()
    poor.without_memory(lambda: mallory.stop(ORG_TRAIL), NO_MEMORY)
    if mode == "restart":
        sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    poor.judge("trail.stopped")
    if mode == "restart":
        wait_alert(sim, "trail.stopped", holds=lambda entry: entry["action"]["result"] == "confirmed")


def test_a_channel_that_fails(sim, make_guard, place):
    sim.add_topic(OTHER)
    poor = Poor(sim, make_guard, place, alerts=sns(TOPIC, OTHER))
    poor.guard.start().wait_guarding()
    sim.call("topic", arn=TOPIC, delete=True)
    poor.without_memory(lambda: poor.guard.signal(signal.SIGHUP), NO_MEMORY)        # checks at once
    assert not [row for row in poor.state().get("channels", []) if not row.get("pending")]
    poor.judge("channel.failed", OTHER)
    sim.clear_failures()


def test_rights_that_the_guard_lost(sim, make_guard, place):
    iam = sim.boto3("mallory", "iam", IAD)
    poor = Poor(sim, make_guard, place, guard_checks=True, guard_interval=10)
    poor.guard.start().wait_guarding()
    poll(lambda: any(row.get("parts") for row in poor.state().get("guards", [])), within(30))
    poor.without_memory(lambda: iam.put_user_policy(UserName="guard", PolicyName="no", PolicyDocument=json.dumps(STOPPED)), NO_MEMORY)
    assert not any(row.get("lost_since_usec") for row in poor.state()["guards"])
    poor.judge("guard.rights_lost")


def test_an_account_that_left_the_organization(sim, make_guard, place):
    sim.add_account(MEMBER, regions=[FRA, IAD])
    sim.add_role("TrailGuard", MEMBER, trust=[{"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "sts:AssumeRole"}])
    sim.call("organization", management=MAIN, members=[MEMBER])
    poor = Poor(sim, make_guard, place, organization={"role_name": "TrailGuard", "refresh": 60})
    poor.guard.start().wait_guarding()
    poll(lambda: any(row["account"] == MEMBER and row.get("member") for row in poor.state().get("accounts", [])), within(20))
    assert poor.guard.stop() == 0
    sim.call("organization", management=MAIN, members=[])
    poor.without_memory(poor.guard.start, NO_MEMORY)
    assert not any(row.get("left") for row in poor.state()["accounts"])
    poor.judge("account.left")
