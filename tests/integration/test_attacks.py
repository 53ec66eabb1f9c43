# SPDX-License-Identifier: Apache-2.0
"""The attack range: every attack of attacks.py in every mode. What each leaves behind is compared with the state before,
member by member, and written down for the table in docs/attacks.md (tests/attacks/table makes it)."""

import json
import os
from pathlib import Path

import pytest

from attacks import ATTACKS, IAD, SCENARIO, VICTIM
from helpers import FRA, documents, operations, wait_alert
from guard import within
from simaws.client import SimError, poll

RESULTS = Path(os.environ.get("TRAILGUARD_ATTACKS", "")) if os.environ.get("TRAILGUARD_ATTACKS") else None
ALL_KINDS = ["settings", "selectors", "insights", "deleted"]
WRITES = {"StartLogging", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "CreateTrail", "AddTags", "RemoveTags"}
MODES = {"observe": {}, "restart": {}, "restore": {"restore": ALL_KINDS}}


@pytest.fixture
def range_(sim, make_guard, mallory, request):
    """A guard that knows the victim's baseline, and mallory."""
    sim.load(SCENARIO)

    def begin(mode, trail=VICTIM, **options):
        region = trail.split(":")[3]
        guard = make_guard(sim, mode=mode, regions=[region], trails=[trail.rpartition("/")[2]], settings_interval=1,
                           **{**MODES[mode], **options})
        guard.start().wait_guarding()
        poll(lambda: list((guard.state / "baselines").glob("*.json")), within(10))
        return guard
    return begin


def picture(sim, trail):
    """Everything that AWS knows of a trail but its times."""
    whole = sim.trail(trail)
    return {name: whole[name] for name in ("settings", "selectors", "advanced", "insights", "tags", "logging")}


def now_and_before(sim, trail, before):
    """What is not as it was, as (before, now); the whole picture when the trail is not there."""
    try:
        now = picture(sim, trail)
    except SimError:
        return before
    return {name: (before[name], now[name]) for name in before if before[name] != now[name]}


def wait_put_back(sim, trail, before):
    try:
        poll(lambda: not now_and_before(sim, trail, before), within(20), 0.05)
    except AssertionError:
        raise AssertionError(f"not put back: {now_and_before(sim, trail, before)}") from None


def write_down(attack, mode, **facts):
    if RESULTS:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{attack.number}.{mode}.json").write_text(json.dumps(
            {"number": attack.number, "does": attack.does, "mode": mode, **facts}))


def wait_told(sim, attack):
    """The alert that tells of the attack, with everything that its `changes` must name."""
    def tells(entry):
        return entry["event"] == attack.event and \
            set(attack.fields) <= {change["field"] for change in entry["changes"]}

    def find():
        told = documents(sim)
        named = {change["field"] for entry in told for change in entry["changes"]}
        return any(entry["event"] == attack.event for entry in told) and set(attack.fields) <= named and told
    return poll(find, within(20), 0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.number)
def test_attack(sim, mallory, range_, attack, mode):
    guard = range_(mode, attack.trail, **attack.options)
    before = picture(sim, attack.trail)
    mark = sim.mark()
    attack.perform(mallory, attack.trail)
    told = wait_told(sim, attack)
    undone = False
    if mode == "restore" and attack.put_back:
        wait_put_back(sim, attack.trail, before)
        guard.wait_verdict(attack.trail.rpartition("/")[2], "logging", 20)
        undone = True
    written = [name for name in operations(sim, since=mark) if name in WRITES]
    if mode == "observe":
        assert not written, written
    if mode == "restart":
        assert set(written) <= {"StartLogging"}, written
    assert len({entry["incident"] for entry in documents(sim) if entry["event"].startswith("trail.")}) == 1
    write_down(attack, mode, event=attack.event, undone=undone, by=sorted(set(written)),
               fields=list(attack.fields), severity=next(entry["severity"] for entry in told if entry["event"] == attack.event))
