# SPDX-License-Identifier: Apache-2.0
"""Settings that AWS adds tomorrow: they neither alarm nor are lost."""

import json

import pytest

from attacks import SCENARIO, SELECTORS, VICTIM, selectors
from guard import within
from helpers import FRA, documents, operations, wait_alert
from simaws.client import poll
from test_baseline import RESTORE, baselines, start

DEFAULTS = {"EventSelectors": {"TomorrowSampling": 1}, "InsightSelectors": {"TomorrowCategories": ["Management"]},
            "EventConfiguration": {"TomorrowFormat": "Classic"}}
NAMES = ["EventSelectors.TomorrowSampling", "InsightSelectors.TomorrowCategories", "EventConfiguration.TomorrowFormat"]


@pytest.fixture
def victim(sim, make_guard):
    sim.load(SCENARIO)
    return make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1, **RESTORE)


def recorded(guard):
    return json.loads(baselines(guard)[0].read_text())["settings"]


def test_new_members_with_their_defaults_do_not_alarm_and_are_recorded(sim, victim):
    """Older baselines lack them: that is neither a loss of events, nor anything to restore."""
    start(victim)
    sim.call("settings", tomorrow=DEFAULTS)
    for name in NAMES:
        victim.wait_line(f"that this version does not know; recorded as they are: {name}", 20)
    assert recorded(victim)["EventSelectors"] == [{**SELECTORS[0], "TomorrowSampling": 1}]
    victim.stop()
    victim.start().wait_guarding()
    sim.wait_for_request(within(20), 3, sim.mark(), operation="GetEventConfiguration")
    assert len(victim.found("that this version does not know")) == 3      # said once, also over a restart
    assert not documents(sim)
    assert not {"PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration"} & set(operations(sim))
    assert victim.verb("check").returncode == 0 and "as recorded" in victim.verb("accept", "--yes").stdout


def test_a_trail_first_seen_with_such_members_is_not_weak(sim, victim):
    sim.call("settings", tomorrow=DEFAULTS)
    start(victim)
    victim.wait_line(f"recorded as they are: {NAMES[0]}")
    sim.wait_for_request(within(20), 2, sim.mark(), operation="GetEventSelectors")
    assert not documents(sim)


def test_a_recorded_member_that_is_changed_is_restored_as_it_was(sim, victim, mallory):
    sim.call("settings", tomorrow=DEFAULTS)
    sim.trail(VICTIM, selectors=[{**SELECTORS[0], "TomorrowSampling": 100}])
    start(victim)
    selectors()(mallory, VICTIM)            # an SDK that does not know it: AWS's default takes its place
    entry = wait_alert(sim, "trail.weakened", seconds=20)
    assert entry["fields"] == ["EventSelectors"] and entry["severity"] == "critical"
    poll(lambda: sim.trail(VICTIM)["selectors"] == [{**SELECTORS[0], "TomorrowSampling": 100}], within(20))


def test_a_restore_keeps_what_aws_shows_and_nobody_has_recorded(sim, victim, mallory):
    start(victim)
    before = recorded(victim)["EventSelectors"]
    victim.stop()
    sim.call("settings", tomorrow={"EventSelectors": {"TomorrowSampling": 7}})
    selectors(ReadWriteType="ReadOnly")(mallory, VICTIM)
    victim.start()
    wait_alert(sim, "trail.weakened", seconds=20)
    poll(lambda: sim.trail(VICTIM)["selectors"] == [{**before[0], "TomorrowSampling": 7}], within(20))


def test_a_member_that_aws_does_not_take_holds_up_no_restore(sim, victim, mallory):
    sim.call("settings", tomorrow=DEFAULTS)
    start(victim)
    victim.wait_line(f"recorded as they are: {NAMES[0]}")
    sim.call("settings", refuse_tomorrow=True)
    selectors(ReadWriteType="ReadOnly")(mallory, VICTIM)
    wait_alert(sim, "trail.weakened", seconds=20)
    poll(lambda: sim.trail(VICTIM)["selectors"] == SELECTORS, within(20))
