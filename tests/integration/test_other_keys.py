# SPDX-License-Identifier: Apache-2.0
"""Keys that are replaced by those of another account or of another user, also while STS does not answer: what is done with
which keys, and whom the guard takes for itself."""

import pytest

from guard import within
from helpers import FRA, MAIN, ORG_TRAIL, documents, events, wait_polls
from simaws.client import poll
from test_baseline import RESTORE
from test_credentials import guard_with_file, keys_file, write_keys  # noqa: F401

OTHER = "444455556666"
HARMLESS = {"StartLogging", "Publish"}      # by ARN: in another account they find nothing


def written(sim, since, keys):
    """What these keys were used for besides reading."""
    return {entry["operation"] for entry in sim.requests(since=since, access_key=keys["access_key"])
            if not entry["operation"].startswith(("Get", "Describe", "List", "Lookup"))}


def is_unknown(status):
    return status["trails"] and all(trail["verdict"] == "unknown" and trail["incident"] for trail in status["trails"])


@pytest.mark.parametrize("silent", [True, False], ids=["STS is silent", "STS answers"])
@pytest.mark.parametrize("how", ["reload", "file"])
def test_with_keys_of_another_account_no_trail_is_missing_and_none_is_created(sim, guard_with_file, keys_file, how, silent):
    sim.add_account(OTHER)
    mine, other = sim.keys_of("guard"), sim.add_user("warden", OTHER)
    write_keys(keys_file, mine)
    options = {**RESTORE, "restore": ["settings", "selectors", "insights", "deleted"]}
    guard = guard_with_file(regions=[FRA], trails=[ORG_TRAIL], settings_interval=1, unreachable_after=2, attribution=True,
                            **options).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    guard.secrets.append(other["secret"])
    if silent:
        sim.add_fault("hang", service="sts")
    write_keys(keys_file, other)
    mark = sim.mark()
    if how == "reload":
        guard.reload()
    else:
        sim.call("key", access_key=mine["access_key"], active=False)
    wait_polls(sim, 6, FRA, access_key=other["access_key"], seconds=30)
    why = "AWS has not said which account the keys belong to" if silent else f"the keys belong to account {OTHER}"
    guard.wait_status(is_unknown, 20)
    guard.wait_line(f"not found.* {why}")
    assert not guard.found("missing") and written(sim, mark, other) <= HARMLESS
    assert not [trail for trail in sim.call("trails") if OTHER in trail["arn"]]
    sim.remove_fault()
    sim.call("key", access_key=mine["access_key"], active=True)
    write_keys(keys_file, mine)
    guard.reload()
    guard.wait_verdict("org-trail", "logging", 20)
    poll(lambda: "target.unreachable" in events(sim) and not guard.outbox_files(), within(30))
    assert "trail.missing" not in events(sim)
    sim.clear_failures()


def test_what_it_writes_with_the_keys_of_another_user_is_not_taken_for_an_attack(sim, guard_with_file, keys_file, mallory):
    old = sim.keys_of("guard")
    write_keys(keys_file, old)
    guard = guard_with_file(regions=[FRA], settings_interval=1, attribution=True, **RESTORE).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    new = sim.add_user("guard2", MAIN)
    guard.secrets.append(new["secret"])
    write_keys(keys_file, new)
    sim.call("key", access_key=old["access_key"], active=False)
    wait_polls(sim, 2, FRA, access_key=new["access_key"], status=200, seconds=20)
    guard.wait_line("guarding account .* as .*user/guard2", seconds=20)
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, S3KeyPrefix="elsewhere")
    found = poll(lambda: [entry["actor"]["name"] for entry in documents(sim) if entry["actor"]], within(90))
    assert set(found) == {"mallory"}
    sim.clear_failures()


@pytest.mark.parametrize("how", ["reload", "file", "restart"])
def test_what_it_wrote_with_the_keys_before_is_not_taken_for_an_attack(sim, guard_with_file, keys_file, mallory, how):
    old = sim.keys_of("guard")
    write_keys(keys_file, old)
    guard = guard_with_file(regions=[FRA], settings_interval=1, attribution=True, **RESTORE).start().wait_guarding()
    guard.wait_baselines(1, weak=0)
    new = sim.add_user("guard2", MAIN)
    guard.secrets.append(new["secret"])
    unsearched = sim.add_fault("error", operation="LookupEvents", code="InternalErrorException", status=500)
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, S3KeyPrefix="elsewhere")
    sim.wait_for_request(within(20), operation="UpdateTrail", principal="*:user/guard", status=200)
    poll(lambda: "trail.weakened" in events(sim), within(20))
    guard.wait_delivered()
    write_keys(keys_file, new)
    sim.call("key", access_key=old["access_key"], active=False)
    if how == "restart":
        assert guard.stop() == 0
        guard.start()
    elif how == "reload":
        guard.reload()
    guard.wait_line("guarding account .* as .*user/guard2", seconds=20)
    sim.remove_fault(unsearched)
    found = poll(lambda: [entry["actor"]["name"] for entry in documents(sim) if entry["actor"]], within(90))
    assert set(found) == {"mallory"}
    sim.clear_failures()


def test_keys_that_come_late_are_used_also_while_sts_does_not_answer(sim, guard_with_file, keys_file, mallory):
    """Who once had no keys waited for STS, which no poll needs, and guarded nothing until that answered."""
    sim.add_fault("http500", service="sts")
    guard = guard_with_file(regions=[FRA], unreachable_after=2).start().wait_ready()
    guard.wait_line("unreachable after .*No such file", seconds=20)
    write_keys(keys_file, sim.keys_of("guard"))
    wait_polls(sim, 3, FRA, status=200, seconds=30)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    poll(lambda: "target.reachable" in events(sim) and not guard.outbox_files(), within(30))
