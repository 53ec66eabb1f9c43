# SPDX-License-Identifier: Apache-2.0
"""Settings that AWS adds tomorrow: they neither alarm nor are lost."""

import json

import pytest

from attacks import SCENARIO, SELECTORS, TOMORROW, VICTIM, delete, selectors
from guard import within
from helpers import FRA, SYD, TOPIC, document, documents, operations, wait_alert
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


# -- of the trail itself -----------------------------------------------------------------------------------------------
def set_tomorrow(sim, **settings):
    sim.trail(VICTIM, settings=settings)


def test_a_setting_that_aws_adds_is_recorded_and_said_once(sim, victim):
    start(victim)
    assert "UnknownSettings" not in recorded(victim)
    set_tomorrow(sim, TomorrowShield=True, TomorrowPlace="here")
    victim.wait_line("AWS shows settings that this version does not know; recorded, and not restored: "
                     "TomorrowPlace, TomorrowShield|TomorrowShield, TomorrowPlace", 20)
    assert recorded(victim)["UnknownSettings"] == {"TomorrowShield": True, "TomorrowPlace": "here"}
    victim.stop()
    victim.start().wait_guarding()
    set_tomorrow(sim, TomorrowNext=[1])
    victim.wait_line("recorded, and not restored: TomorrowNext", 20)
    assert len(victim.found("that this version does not know")) == 2
    assert not documents(sim) and victim.verb("check").returncode == 0


def test_a_change_of_such_a_setting_is_reported_and_not_restored(sim, victim):
    set_tomorrow(sim, TomorrowShield=True, TomorrowPlace="here")
    start(victim)
    set_tomorrow(sim, TomorrowShield=False)
    entry = wait_alert(sim, "trail.weakened", seconds=20)
    assert entry["severity"] == "warning" and entry["action"]["taken"] == "none"
    assert entry["changes"] == [{"field": "UnknownSettings", "expected": '{"TomorrowShield":true}', "actual": '{"TomorrowShield":false}'}]
    assert not {"UpdateTrail"} & set(operations(sim))
    shown = victim.verb("accept", "--yes")
    assert shown.returncode == 0 and "UnknownSettings" in shown.stdout, shown
    assert wait_alert(sim, "trail.resolved", seconds=20)["incident"] == entry["incident"]


def test_a_flag_that_aws_does_not_show_for_a_while_is_no_change(sim, victim):
    """A rollout reaches some of AWS's hosts first."""
    set_tomorrow(sim, TomorrowShield=True)
    start(victim)
    for value in (None, True, None):
        set_tomorrow(sim, TomorrowShield=value)
        sim.wait_for_request(within(20), 2, sim.mark(), operation="DescribeTrails")
    assert not documents(sim)


def test_a_trail_made_again_says_what_it_lost(sim, make_guard, mallory):
    sim.load(SCENARIO)
    sim.trail(TOMORROW, settings={"TomorrowPlace": "here"})
    start(make_guard(sim, regions=[SYD], trails=["tomorrow"], settings_interval=1, **RESTORE))
    delete(mallory, TOMORROW)
    entry = wait_alert(sim, "trail.missing", seconds=20, holds=lambda entry: entry["action"]["taken"] == "recreate")
    assert entry["action"]["result"] == "confirmed" and entry["fields_left"] == ["UnknownSettings"]
    mail = [message["received"]["email"]["Body"] for message in sim.messages(TOPIC) if document(message)["id"] == entry["id"]][0]
    assert "UnknownSettings (this version does not know the setting, and cannot restore it)" in " ".join(mail.split())
