# SPDX-License-Identifier: Apache-2.0
"""Which trails are guarded, where, and what happens when one is gone."""

import itertools
import re

import pytest

from guard import within
from helpers import (ALL_REGIONS, APAC, AUDIT, FRA, HOMES, IAD, MAIN, MEMBER, ORG_TRAIL, READS, SYD, documents, events,
                     mail_of, matches, messages, operations, sns, trail_arn, wait_alert, wait_outcome, wait_polls)
from simaws.client import poll

MEMBER_TOPIC = f"arn:aws:sns:{FRA}:{MEMBER}:alerts"


def polled(sim, since=0):
    """(region, trail) pairs that GetTrailStatus was asked for."""
    return {(entry["region"], entry["trail"]) for entry in sim.requests(since=since, operation="GetTrailStatus")}


# -- gone --------------------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_a_deleted_trail_is_told_once_and_resolved_when_it_is_back(sim, make_guard, mallory):
    guard = make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    mallory.delete(AUDIT)
    told = wait_alert(sim, "trail.missing")
    assert (told["severity"], told["trail"], told["region"]) == ("critical", {"name": "audit", "arn": AUDIT}, IAD)
    guard.wait_line(f"audit {IAD} {MAIN}: .*(missing|gone|not there)")
    guard.wait_verdict("audit", "missing")
    mark = sim.mark()
    sim.wait_for_request(within(10), count=3, since=mark, operation="DescribeTrails", region=IAD)
    assert [event for event in events(sim) if event.startswith("trail.")] == ["trail.missing"]
    mallory.create(AUDIT)
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"]
    guard.wait_verdict("audit", "logging")
    assert [event for event in events(sim) if event.startswith("trail.")] == ["trail.missing", "trail.resolved"]


def test_absence_is_confirmed_by_a_second_call_in_the_home_region(sim, make_guard, mallory):
    make_guard(sim, regions=[IAD]).start().wait_guarding()
    mark = sim.mark()
    with sim.fault("error", operation="GetTrailStatus", code="TrailNotFoundException", message="Unknown trail", status=400):
        sim.wait_for_request(within(10), since=mark, operation="DescribeTrails", region=IAD)
        wait_polls(sim, 2, IAD)
    wait_polls(sim, 2, IAD)
    assert "trail.missing" not in events(sim)


def test_a_list_that_leaves_a_trail_out_is_not_enough_to_call_it_missing(sim, make_guard):
    guard = make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    with sim.fault("json", operation="DescribeTrails", value={"trailList": []}):
        sim.wait_for_request(within(10), count=3, since=sim.mark(), operation="DescribeTrails", region=IAD)
    wait_polls(sim, 1, IAD)
    assert "trail.missing" not in events(sim)
    assert guard.verdicts()["audit"] == "logging"


def test_a_trail_deleted_while_the_daemon_is_down_is_missing_at_its_start(sim, make_guard, mallory):
    guard = make_guard(sim, regions=[IAD]).start().wait_guarding()
    assert guard.stop() == 0
    mallory.delete(AUDIT)
    guard.start()
    assert wait_alert(sim, "trail.missing")["trail"]["arn"] == AUDIT
    assert guard.stop() == 0
    guard.start().wait_guarding()
    assert events(sim).count("trail.missing") == 1


@pytest.mark.parametrize("name", ["no-such-trail", trail_arn("no-such-trail", IAD)])
def test_a_named_trail_that_is_absent_at_the_first_look_is_critical(sim, make_guard, name):
    guard = make_guard(sim, regions=[FRA, IAD], trails=["org-trail", name]).start().wait_guarding()
    told = wait_alert(sim, "trail.missing")
    assert told["severity"] == "critical" and told["trail"]["name"] == "no-such-trail"
    sim.add_trail("no-such-trail", MAIN, IAD)
    if not name.startswith("arn:"):
        guard.write_config(settings_interval=1)
        guard.reload()
    resolved = wait_alert(sim, "trail.resolved", seconds=20)
    assert resolved["trail"]["name"] == "no-such-trail" and resolved["incident"] == told["incident"]
    guard.wait_verdict("no-such-trail", "logging")


# -- which -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("trails", [["audit"], [AUDIT]])
def test_only_named_trails_are_guarded(sim, make_guard, trails):
    sim.add_trail("other", MAIN, IAD)
    guard = make_guard(sim, regions=[IAD], trails=trails).start().wait_guarding()
    assert set(guard.verdicts()) == {"audit"}
    wait_polls(sim, 2, IAD)
    assert polled(sim) == {(IAD, AUDIT)}


@pytest.mark.parametrize("ignore", [["org-trail"], [ORG_TRAIL]])
def test_an_ignored_trail_is_shown_and_left_alone(sim, make_guard, mallory, ignore):
    guard = make_guard(sim, regions=ALL_REGIONS, ignore=ignore).start().wait_guarding()
    mallory.stop(ORG_TRAIL)
    wait_polls(sim, 2, IAD)
    assert polled(sim) == {(IAD, AUDIT), (SYD, APAC)}
    assert sim.trail(ORG_TRAIL)["logging"] is False
    assert "trail.stopped" not in events(sim)
    assert ORG_TRAIL in guard.status()["ignored"]


@pytest.mark.parametrize("trails, ignore", itertools.product((["audit", "org-trail"], [AUDIT, ORG_TRAIL]),
                                                             (["org-trail"], [ORG_TRAIL])))
def test_an_ignored_trail_that_is_also_named_is_neither_guarded_nor_missing(sim, make_guard, trails, ignore):
    guard = make_guard(sim, regions=ALL_REGIONS, trails=trails, ignore=ignore, settings_interval=1).start().wait_guarding()
    wait_polls(sim, 3, IAD)
    assert polled(sim) == {(IAD, AUDIT)}
    assert guard.verdicts() == {"audit": "logging"} and "trail.missing" not in events(sim)
    assert ORG_TRAIL in guard.status()["ignored"]


def test_a_trail_that_appears_later_is_guarded_from_the_next_look_at_settings(sim, make_guard, mallory):
    guard = make_guard(sim, regions=[IAD], settings_interval=2).start().wait_guarding()
    late = sim.add_trail("late", MAIN, IAD)
    guard.wait_verdict("late", "logging")
    mallory.stop(late)
    sim.wait_for_trail(late, within(10), logging=True)
    assert wait_alert(sim, "trail.stopped")["trail"]["name"] == "late"


def test_a_trail_that_appears_stopped_is_restarted_too(sim, make_guard):
    make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    late = sim.add_trail("late", MAIN, IAD, logging=False)
    sim.wait_for_trail(late, within(10), logging=True)


def test_a_trail_that_appears_is_kept_once_it_is_accepted(sim, make_guard, mallory):
    ours = trail_arn("ours", IAD)
    guard = make_guard(sim, regions=[IAD], mode="restore", restore=["settings", "deleted"], settings_interval=1, attribution=False)
    guard.start().wait_guarding()
    guard.wait_baselines(1, 0)
    mallory.create(ours)
    told = wait_alert(sim, "trail.appeared")
    assert (told["severity"], told["destination"]["standing"], told["destination"]["whose"]) == ("info", "used", "audit")
    trail = [trail for trail in guard.status()["trails"] if trail["name"] == "ours"][0]
    assert (trail["provisional"], trail["baseline"], trail["verdict"]) == (True, False, "logging")
    matches("ours .*new, not accepted", guard.verb("status").stdout)
    assert guard.verb("accept", "--yes", "ours").returncode == 0
    wait_alert(sim, "baseline.accepted")
    mallory.delete(ours)
    sim.wait_for_request(within(10), operation="CreateTrail", principal="*:user/guard", status=200)
    sim.wait_for_trail(ours, within(10), logging=True)


def test_a_change_of_a_new_trail_while_the_guard_is_down_is_reported(sim, make_guard, mallory):
    """It has no baseline, and what it was like when it was found is kept all the same, until it is gone."""
    own = trail_arn("own", IAD)
    guard = make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    guard.wait_baselines(1, 0)
    mallory.create(own, bucket="mallorys-bucket")
    wait_alert(sim, "trail.appeared")
    poll(lambda: kept(guard), within(10))
    assert guard.stop() == 0
    mallory.client(own).update_trail(Name=own, S3KeyPrefix="elsewhere")
    guard.start().wait_guarding()
    changed = wait_alert(sim, "trail.weakened")
    assert (changed["trail"]["name"], changed["fields"], changed["action"]["taken"]) == ("own", ["S3KeyPrefix"], "none")
    assert not list((guard.state / "baselines").glob("*_own.json"))
    assert guard.verb("accept", "--yes", "own").returncode == 0
    poll(lambda: not kept(guard), within(10))


@pytest.mark.parametrize("end", ["crash", "stop", "reload"])
def test_trails_that_are_reported_together_are_reported_after_whatever_end(sim, make_guard, mallory, end):
    """Three have incidents of their own; the others wait for each other."""
    names = [f"own-{number}" for number in range(5)]
    guard = make_guard(sim, regions=[FRA, IAD], settings_interval=1).start().wait_guarding()
    for name, region in zip(names, [FRA, FRA, FRA, IAD, IAD]):     # AWS's quota is five a region
        mallory.create(trail_arn(name, region), bucket="mallorys-bucket")
    poll(lambda: (guard.state / "state.json").read_text().count('"appearance_pending"') == 2, within(20))
    if end == "crash":
        guard.kill()
        guard.start()
    elif end == "stop":
        assert guard.stop() == 0
        guard.start()
    else:
        guard.reload()
    told = wait_alert(sim, "trails.unaccepted", seconds=20)
    single = poll(lambda: (lambda seen: len(seen) == 3 and seen)(
        {entry["trail"]["name"] for entry in documents(sim) if entry["event"] == "trail.appeared"}), within(20))
    assert all(name in told["detail"] for name in set(names) - single), told["detail"]
    guard.wait_ready()
    poll(lambda: '"appearance_pending"' not in (guard.state / "state.json").read_text(), within(10))
    assert events(sim).count("trails.unaccepted") == 1


def test_trails_that_came_and_went_before_their_summary_outlive_a_crash(sim, make_guard, mallory):
    """No row of theirs is left, and their summary waits for five minutes after the one before."""
    guard = make_guard(sim, regions=[FRA, IAD], settings_interval=1).start().wait_guarding()
    for name, region in zip(["own-0", "own-1", "own-2", "own-3"], [FRA, FRA, FRA, IAD]):
        mallory.create(trail_arn(name, region), bucket="mallorys-bucket")
    wait_alert(sim, "trails.unaccepted", seconds=20)
    brief = [trail_arn(name, IAD) for name in ("brief-1", "brief-2")]
    for arn in brief:
        mallory.create(arn, bucket="mallorys-bucket")
    poll(lambda: all(guard.remembers(arn) for arn in brief), within(20))
    for arn in brief:
        mallory.delete(arn)
    poll(lambda: not any(guard.remembers(arn) for arn in brief), within(20))
    assert events(sim).count("trails.unaccepted") == 1
    guard.kill()
    guard.start()
    poll(lambda: events(sim).count("trails.unaccepted") == 2, within(20))
    told = [entry for entry in documents(sim) if entry["event"] == "trails.unaccepted"][-1]
    assert told["detail"] in [f"2 more appeared, 2 are gone again: {names}" for names in ("brief-1, brief-2", "brief-2, brief-1")]
    poll(lambda: "brief-" not in (guard.state / "state.json").read_text(), within(10))
    guard.kill()
    guard.start().wait_guarding()
    guard.wait_delivered()
    assert events(sim).count("trails.unaccepted") == 2


@pytest.mark.parametrize("restart", [False, True])
def test_a_trail_that_goes_after_its_summary_is_named_again(sim, make_guard, mallory, restart):
    guard = make_guard(sim, regions=[FRA, IAD], settings_interval=1).start().wait_guarding()
    for name, region in zip(["own-0", "own-1", "own-2", "own-3"], [FRA, FRA, FRA, IAD]):
        mallory.create(trail_arn(name, region), bucket="mallorys-bucket")
    summed_up = wait_alert(sim, "trails.unaccepted", seconds=20)["detail"]
    [name] = re.findall(r"^1 more appeared, 0 are gone again: (own-[0-3])$", summed_up)
    arn = trail_arn(name, IAD if name == "own-3" else FRA)
    if restart:         # three more have incidents of their own, so that the next is counted
        assert guard.stop() == 0
        guard.start().wait_guarding()
        for new, region in zip(["new-0", "new-1", "new-2"], [FRA, IAD, IAD]):
            mallory.create(trail_arn(new, region), bucket="mallorys-bucket")
        poll(lambda: events(sim).count("trail.appeared") == 6, within(20))
    mallory.delete(arn)
    poll(lambda: not guard.remembers(arn), within(20))
    assert guard.stop() == 0
    told = [entry["detail"] for entry in documents(sim) if entry["event"] == "trails.unaccepted"]
    assert told == [summed_up, f"0 more appeared, 1 is gone again: {name}"]


def test_a_new_trail_that_is_gone_leaves_nothing(sim, make_guard, mallory):
    own = trail_arn("own", IAD)
    guard = make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    mallory.create(own, bucket="mallorys-bucket")
    poll(lambda: kept(guard), within(15))
    mallory.delete(own)
    poll(lambda: not kept(guard), within(15))


def kept(guard):
    return list((guard.state / "baselines").glob("*.unaccepted"))


# -- shadows -----------------------------------------------------------------------------------------------------------
def test_a_multi_region_trail_is_one_trail_polled_at_home_only(sim, make_guard, mallory):
    guard = make_guard(sim, regions=ALL_REGIONS).start().wait_guarding()
    wait_polls(sim, 3, FRA)
    assert polled(sim) == {(HOMES[name], trail_arn(name)) for name in HOMES}
    assert len(guard.status()["trails"]) == 3
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    assert {entry["region"] for entry in sim.requests(operation="StartLogging")} == {FRA}


@pytest.mark.parametrize("slow", ALL_REGIONS)
def test_whichever_region_lists_a_trail_first_it_is_looked_at_in_the_first_pass(sim, make_guard, slow):
    sim.add_fault("slow", operation="DescribeTrails", region=slow, seconds=0.3, count=1)
    guard = make_guard(sim, regions=ALL_REGIONS, poll_interval=60).start().wait_guarding()
    assert guard.verdicts() == {name: "logging" for name in HOMES}
    assert guard.status()["pass"]["count"] == 1


def test_a_shadows_home_that_is_not_configured_is_guarded_all_the_same(sim, make_guard, mallory):
    sim.add_trail("local", MAIN, FRA)
    guard = make_guard(sim, regions=[SYD]).start().wait_guarding()
    guard.wait_line(r"org-trail.*eu-central-1.*not configured")
    guard.wait_verdict("org-trail", "logging")
    assert len(guard.found("not configured")) == 1
    assert set(guard.verdicts()) == {"org-trail", "apac"}
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    assert wait_alert(sim, "trail.stopped")["region"] == FRA
    assert polled(sim) == {(FRA, ORG_TRAIL), (SYD, APAC)}


# -- organizations -----------------------------------------------------------------------------------------------------
@pytest.fixture
def member(sim, make_guard):
    """A guard in a member account; org-trail belongs to the organization."""
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.add_topic(MEMBER_TOPIC)
    sim.add_user("member-guard", MEMBER)
    sim.add_trail("member-trail", MEMBER, FRA)
    return make_guard(sim, "member-guard", regions=[FRA, SYD], alerts=sns(MEMBER_TOPIC)).start().wait_guarding()


def writes(sim):
    return [entry["operation"] for entry in sim.requests(principal="*:user/member-guard")
            if entry["operation"] not in READS | {"Publish"}]


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotOrganizationMasterAccountException"])
def test_an_organization_trail_is_protected_in_a_member_account_and_aws_is_asked_once(sim, member, mallory, code):
    sim.call("account", id=MEMBER, org_write_error=code)
    member.wait_verdict("org-trail", "protected")
    member.wait_line(f"org-trail {FRA} {MAIN}: baseline recorded")
    mallory.stop(ORG_TRAIL)
    told = wait_alert(sim, "trail.stopped", MEMBER_TOPIC)
    assert told["action"] == {"taken": "restart", "result": "failed", "attempts": 1} and told["severity"] == "critical"
    assert code in told["detail"]
    assert told["trail"]["arn"] == ORG_TRAIL and told["account"] == MAIN
    matches("not ours|another account|management account|owner", mail_of(messages(sim, MEMBER_TOPIC)[0]))
    wait_polls(sim, 2, FRA)
    assert "AWS refused" in mail_of(messages(sim, MEMBER_TOPIC)[0])
    assert writes(sim) == ["StartLogging"]
    assert len(member.found(f"org-trail {FRA} {MAIN}: AWS does not let account {MEMBER} restart this organization trail")) == 1
    assert {entry["trail"] for entry in sim.requests(operation="ListTags")} == {trail_arn("member-trail", FRA, MEMBER)}, \
        "AWS tells tags to a trail's owner only"
    assert not member.found("settings could not be looked at")
    mallory.start(ORG_TRAIL)
    wait_alert(sim, "trail.resolved", MEMBER_TOPIC)
    member.wait_verdict("org-trail", "protected")
    assert [entry["event"] for entry in documents(sim, MEMBER_TOPIC)] == ["trail.stopped", "trail.resolved"]
    # the refusal is remembered, until the keys may be others
    mallory.stop(ORG_TRAIL)
    again = wait_alert(sim, "trail.stopped", MEMBER_TOPIC, count=2)
    assert again["action"]["taken"] == "none" and writes(sim) == ["StartLogging"]
    member.reload()
    sim.wait_for_request(within(10), 2, 0, operation="StartLogging", principal="*:user/member-guard")
    wait_polls(sim, 2, FRA)
    assert writes(sim) == ["StartLogging"] * 2


def test_cloudtrails_delegated_administrator_starts_restores_and_recreates(sim, make_guard, mallory):
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.add_topic(MEMBER_TOPIC)
    sim.add_user("member-guard", MEMBER)
    guard = make_guard(sim, "member-guard", regions=[FRA], settings_interval=1, alerts=sns(MEMBER_TOPIC), mode="restore",
                       restore=["settings", "selectors", "insights", "deleted"]).start().wait_guarding()
    guard.wait_verdict("org-trail", "protected")
    guard.wait_line(f"org-trail {FRA} {MAIN}: baseline recorded")
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    told = wait_outcome(sim, "trail.stopped", MEMBER_TOPIC)
    assert told["action"] == {"taken": "restart", "result": "confirmed", "attempts": 1}
    guard.wait_verdict("org-trail", "protected")
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, S3KeyPrefix="elsewhere")
    told = wait_alert(sim, "trail.weakened", MEMBER_TOPIC, seconds=20)
    assert told["action"]["result"] == "confirmed" and not sim.trail(ORG_TRAIL)["settings"].get("S3KeyPrefix")
    mallory.delete(ORG_TRAIL)
    told = wait_outcome(sim, "trail.missing", MEMBER_TOPIC, seconds=20)
    assert (told["action"]["taken"], told["action"]["result"]) == ("recreate", "confirmed")
    assert sim.trail(ORG_TRAIL)["logging"] is True


def test_an_organization_trail_that_is_made_private_is_not_said_to_be_deleted(sim, make_guard, mallory):
    """To every other account, CloudTrail's delegated administrator included, it looks as if it were."""
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.add_topic(MEMBER_TOPIC)
    sim.add_user("member-guard", MEMBER)
    guard = make_guard(sim, "member-guard", regions=[FRA], settings_interval=1, alerts=sns(MEMBER_TOPIC))
    guard.start().wait_guarding().wait_verdict("org-trail", "protected")
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, IsOrganizationTrail=False)
    told = wait_alert(sim, "trail.missing", MEMBER_TOPIC, seconds=20)
    assert "it was deleted, or is no organization trail of this account any more" in told["summary"]
    guard.wait_line(f"org-trail {FRA} {MAIN}: is missing: it was deleted, or is no organization trail of this account any more")


def test_the_management_account_restarts_its_organization_trail(sim, make_guard, mallory):
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    guard = make_guard(sim).start().wait_guarding()
    assert guard.verdicts() == {"org-trail": "logging"}
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)


# -- regions -----------------------------------------------------------------------------------------------------------
def test_a_region_without_a_trail_is_a_warning_until_one_covers_it(sim, make_guard):
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    sim.trail(APAC, delete=True)
    guard = make_guard(sim, regions=[FRA, SYD], settings_interval=1).start().wait_guarding()
    told = wait_alert(sim, "region.uncovered")
    assert (told["severity"], told["region"], told["trail"]) == ("warning", SYD, None)
    assert "trail" not in messages(sim)[0]["MessageAttributes"]
    wait_polls(sim, 3, FRA)
    assert events(sim) == ["region.uncovered"]
    sim.add_trail("apac", MAIN, SYD)
    covered = wait_alert(sim, "region.covered", seconds=20)
    assert covered["incident"] == told["incident"]
    guard.wait_verdict("apac", "logging")


def test_a_deleted_trail_is_not_told_a_second_time_as_an_uncovered_region(sim, make_guard, mallory):
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    mallory.delete(AUDIT)
    wait_alert(sim, "trail.missing")
    sim.wait_for_request(within(10), count=4, since=sim.mark(), operation="DescribeTrails", region=IAD)
    assert events(sim) == ["trail.missing"]


def test_regions_all_notes_a_region_that_is_not_enabled_once_and_leaves_it_alone(sim, make_guard):
    from simaws.regions import DEFAULT_REGIONS
    sim.call("account", id=MAIN, regions=list(DEFAULT_REGIONS))
    guard = make_guard(sim, regions="all", settings_interval=1).start().wait_guarding(20)
    guard.wait_status(lambda status: all(target["state"] in ("well", "not enabled") for target in status["targets"]))
    asked = {entry["region"] for entry in sim.requests(operation="DescribeTrails")}
    assert set(DEFAULT_REGIONS) < asked, "every region of the table is asked, also those that may be off"
    mark = sim.mark()
    wait_polls(sim, 3, FRA)
    disabled = asked - set(DEFAULT_REGIONS)
    assert not {entry["region"] for entry in sim.requests(since=mark)} & disabled
    noted = guard.found("not enabled")
    assert 1 <= len(noted) <= len(disabled), guard.stderr()
    for region in disabled:
        assert sum(region in line for line in noted) == 1, noted
    assert "target.unreachable" not in events(sim) and "region.uncovered" not in events(sim)
    assert set(operations(sim)) <= READS | {"GetRegionOptStatus", "Publish"}


def test_bad_keys_are_not_taken_for_regions_that_are_not_enabled(sim, make_guard):
    guard = make_guard(sim, regions="all", env={"AWS_SECRET_ACCESS_KEY": "wrong/EXAMPLE/key"}, unreachable_after=1).start()
    guard.wait_ready()
    guard.wait_line("[Kk]ey|credential|signature")
    guard.wait_status(lambda status: status["targets"] and all(target["state"] == "unreachable" for target in status["targets"]), 20)
    assert not guard.found("not enabled")
    assert guard.stop() == 0        # it goes on asking, and telling, with the wrong keys
    assert {failure["kind"] for failure in sim.clear_failures()} == {"signature"}


# -- once guarded ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("trails", ["all", ["org-trail"]])
def test_a_guarded_trail_stays_guarded_whatever_its_settings_say_now(sim, make_guard, mallory, trails):
    """One UpdateTrail takes it out of every configured region; it is stopped after that."""
    guard = make_guard(sim, regions=[IAD], trails=trails, settings_interval=1).start().wait_guarding()
    guard.wait_baselines(2 if trails == "all" else 1, 0)
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, IsMultiRegionTrail=False)
    wait_alert(sim, "trail.weakened", seconds=20)
    guard.wait_line("org-trail.* covers no configured region any more: it stays guarded")
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    assert wait_alert(sim, "trail.stopped")["trail"]["arn"] == ORG_TRAIL
    assert "org-trail" in guard.verdicts()
    assert guard.stop() == 0
    mallory.stop(ORG_TRAIL)
    guard.start()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped", count=2)
    assert "trail.missing" not in events(sim)


def test_a_guarded_trail_stays_guarded_when_the_state_file_is_lost(sim, make_guard, mallory):
    guard = make_guard(sim, regions=[IAD], trails=["org-trail"], settings_interval=1).start().wait_guarding()
    guard.wait_baselines(1, 0)
    assert guard.stop() == 0
    (guard.state / "state.json").unlink()
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, IsMultiRegionTrail=False)
    mallory.stop(ORG_TRAIL)
    guard.start()
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")
    assert "trail.missing" not in events(sim)


def test_an_organization_trail_that_becomes_the_accounts_own_stays_guarded(sim, make_guard, mallory):
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    guard = make_guard(sim, regions=[IAD], settings_interval=1).start().wait_guarding()
    guard.wait_baselines(2, 0)
    mallory.client(ORG_TRAIL).update_trail(Name=ORG_TRAIL, IsMultiRegionTrail=False, IsOrganizationTrail=False)
    wait_alert(sim, "trail.weakened", seconds=20)
    mallory.stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)


def test_a_trail_of_a_region_that_was_taken_out_stays_guarded(sim, make_guard, mallory):
    guard = make_guard(sim, regions=[FRA, IAD], settings_interval=1).start().wait_guarding()
    guard.wait_baselines(2, 0)
    guard.write_config(regions=[FRA])
    guard.reload()
    guard.wait_line("audit.* covers no configured region any more: it stays guarded")
    mallory.stop(AUDIT)
    sim.wait_for_trail(AUDIT, within(10), logging=True)


@pytest.mark.parametrize("change, why", [
    ({"ignore": ["audit"]}, "the configuration ignores it"),
    ({"ignore": [AUDIT]}, "the configuration ignores it"),
    ({"trails": ["org-trail"]}, "`trails` does not name it any more"),
])
@pytest.mark.parametrize("restart", [False, True])
def test_what_ends_the_guarding_ends_the_incident_and_says_why(sim, make_guard, mallory, change, why, restart):
    guard = make_guard(sim, regions=[FRA, IAD], mode="observe").start().wait_guarding()
    mallory.stop(AUDIT)
    told = wait_alert(sim, "trail.stopped")
    guard.wait_delivered()
    if restart:
        assert guard.stop() == 0
    guard.write_config(**change)
    guard.start() if restart else guard.reload()
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"] and resolved["trail"]["arn"] == AUDIT
    assert why in resolved["detail"]
    mail = mail_of(messages(sim)[-1])
    assert f"audit in {IAD} ({MAIN}) is no longer guarded: {why}" in mail and "it was accepted" not in mail
    guard.wait_line(f"audit {IAD} {MAIN}: no longer guarded: {why}")
    guard.wait_delivered()
    # once; and from the beginning when it is guarded again
    guard.reload()
    guard.write_config(ignore=None, trails=None)
    guard.reload()
    wait_alert(sim, "trail.stopped", count=2, seconds=20)
    assert events(sim) == ["trail.stopped", "trail.resolved", "trail.stopped"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_named_trail_that_was_never_there_ends_when_all_trails_are_guarded(sim, make_guard, restart):
    guard = make_guard(sim, regions=[FRA, IAD], trails=["audit", "no-such-trail"]).start().wait_guarding()
    told = wait_alert(sim, "trail.missing")
    guard.wait_delivered()
    if restart:
        assert guard.stop() == 0
    guard.write_config(trails=None)
    guard.start() if restart else guard.reload()
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"] and "`trails` does not name it any more" in resolved["detail"]
    assert "no-such-trail" not in {trail["name"] for trail in guard.status()["trails"]}
    guard.wait_delivered()
    assert events(sim) == ["trail.missing", "trail.resolved"]


# -- regions that call good keys unknown -------------------------------------------------------------------------------
UNKNOWN_KEY = ["UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException", "OptInRequired",
               "MissingAuthenticationTokenException"]


def home_regions(sim, *more):
    from simaws.regions import DEFAULT_REGIONS
    sim.call("account", id=MAIN, regions=[*DEFAULT_REGIONS, *more])


@pytest.mark.parametrize("code", UNKNOWN_KEY)
def test_a_region_that_cannot_be_disabled_is_never_not_enabled(sim, make_guard, mallory, code):
    """Also when that is its first answer; a trail that is stopped there is started as soon as the region answers."""
    home_regions(sim)
    guard = make_guard(sim, regions="all", unreachable_after=3)
    with sim.fault("error", region=IAD, code=code, message="The security token included in the request is invalid.", status=403):
        guard.start()
        guard.wait_line(f"{IAD} {MAIN}: could not be polled: DescribeTrails: {code}", 20)
        mallory.sim.trail(AUDIT, logging=False)
        assert wait_alert(sim, "target.unreachable", seconds=20, holds=lambda entry: entry["region"] == IAD)
    sim.wait_for_trail(AUDIT, within(20), logging=True)
    wait_alert(sim, "target.reachable", seconds=20)
    assert not guard.found(f"{IAD} {MAIN}: not enabled")


@pytest.mark.parametrize("code", UNKNOWN_KEY)
def test_where_a_trail_was_seen_such_an_answer_is_a_failed_poll(sim, make_guard, mallory, code):
    home_regions(sim, "ap-east-1")
    hongkong = sim.add_trail("hongkong", MAIN, "ap-east-1")
    guard = make_guard(sim, regions="all", unreachable_after=100).start()
    guard.wait_verdict("hongkong", "logging", 20)
    mark = guard.mark()
    with sim.fault("error", region="ap-east-1", code=code, message="The security token is invalid.", status=403):
        guard.wait_line("ap-east-1 .*could not be polled", 20, mark)
    mallory.stop(hongkong)
    sim.wait_for_trail(hongkong, within(20), logging=True)
    assert not guard.found(f"ap-east-1 {MAIN}: not enabled")


def test_an_opt_in_region_that_answered_before_is_reported(sim, make_guard):
    """Where AWS does not say whether it is enabled."""
    home_regions(sim, "ap-east-1")
    sim.add_fault("denied", operation="GetRegionOptStatus")
    guard = make_guard(sim, regions="all", settings_interval=1, unreachable_after=2)
    guard.start().wait_status(lambda status: any(target["region"] == "ap-east-1" and target["state"] == "well"
                                                 for target in status.get("targets", [])), 20)
    assert guard.stop() == 0
    home_regions(sim)
    guard.start()
    told = wait_alert(sim, "target.unreachable", seconds=30)
    assert told["region"] == "ap-east-1"
    assert not guard.found(f"ap-east-1 {MAIN}: not enabled")
    sim.clear_failures()


HKG = "ap-east-1"
REFUSED = {"code": "UnrecognizedClientException", "message": "The security token included in the request is invalid.", "status": 403}


def state_of(status, region):
    return next((target["state"] for target in status.get("targets", []) if target["region"] == region), None)


def wait_state(guard, region, state):
    return guard.wait_status(lambda status: state_of(status, region) == state, 30)


@pytest.mark.parametrize("status", ["ENABLED", "ENABLING", "DISABLING"])
def test_a_region_that_aws_calls_enabled_is_never_not_enabled(sim, make_guard, status):
    """A refusal is a failed poll and no day without polls; many are reported; none says that the region is off."""
    home_regions(sim, HKG)
    sim.call("account", id=MAIN, region_status={HKG: status})
    guard = make_guard(sim, regions="all", settings_interval=1, unreachable_after=100)
    with sim.fault("error", service="cloudtrail", region=HKG, **REFUSED):
        guard.start()
        line = guard.wait_line(f"{HKG} {MAIN}: could not be polled: DescribeTrails: {REFUSED['code']}", 30)
    assert f"(GetRegionOptStatus: {status}, " in line
    wait_state(guard, HKG, "well")
    assert guard.stop() == 0
    (guard.state / "state.json").unlink()
    guard.write_config(unreachable_after=2)
    sim.add_fault("error", service="cloudtrail", region=HKG, **REFUSED)
    guard.start()
    told = wait_alert(sim, "target.unreachable", seconds=30)
    assert told["region"] == HKG and f"GetRegionOptStatus: {status}" in told["detail"]
    sim.wait_for_request(within(30), 3, sim.mark(), operation="DescribeTrails", region=HKG)
    assert state_of(guard.status(), HKG) == "unreachable" and not guard.found(f"{HKG} .*not enabled")
    assert len(sim.requests(operation="GetRegionOptStatus")) <= 2 * 19, "asked once, not at every poll"


@pytest.mark.parametrize("answered", [False, True])
def test_a_region_that_aws_calls_disabled_is_skipped_at_once(sim, make_guard, answered):
    """Also where it has answered before, without a day of alerts."""
    home_regions(sim, *([HKG] if answered else []))
    guard = make_guard(sim, regions="all", settings_interval=1, unreachable_after=1).start()
    wait_state(guard, HKG, "well" if answered else "not enabled")
    if answered:
        assert guard.stop() == 0
        home_regions(sim)
        guard.start()
        wait_state(guard, HKG, "not enabled")
    guard.wait_line(f"{HKG} {MAIN}: not enabled in this account: skipped, asked again daily")
    mark = sim.mark()
    wait_polls(sim, 3, FRA)
    assert not sim.requests(since=mark, region=HKG)
    assert [entry["region"] for entry in sim.requests(operation="GetRegionOptStatus")] and "target.unreachable" not in events(sim)
    assert {entry["region"] for entry in sim.requests(operation="GetRegionOptStatus")} == {IAD}
    sim.clear_failures()


def test_where_a_guarded_trail_lives_a_disabled_region_is_reported(sim, make_guard):
    home_regions(sim, HKG)
    sim.add_trail("hongkong", MAIN, HKG)
    guard = make_guard(sim, regions="all", unreachable_after=3).start()
    guard.wait_verdict("hongkong", "logging", 20)
    home_regions(sim)
    told = wait_alert(sim, "target.unreachable", seconds=30)
    assert told["region"] == HKG and "the account has not enabled the region" in told["detail"]
    assert not guard.found(f"{HKG} .*: not enabled in this account")
    sim.clear_failures()


def test_a_named_region_that_is_disabled_is_reported_with_that_reason(sim, make_guard):
    home_regions(sim)
    make_guard(sim, regions=[FRA, HKG], unreachable_after=3).start()
    told = wait_alert(sim, "target.unreachable", seconds=30)
    assert told["region"] == HKG and "the account has not enabled the region" in told["detail"]
    sim.clear_failures()


@pytest.mark.parametrize("fault", [{"kind": "denied"}, {"kind": "http503"}, {"kind": "reset"}, {"kind": "garbage"},
                                   {"kind": "answer", "body": '{"RegionName":"ap-east-1","RegionOptStatus":"PAUSED"}'}])
def test_without_the_word_of_aws_repeated_answers_count(sim, make_guard, fault):
    home_regions(sim)
    sim.add_fault(operation="GetRegionOptStatus", **fault)
    guard = make_guard(sim, regions="all", settings_interval=1, aws={"max_attempts": 1}).start().wait_guarding(20)
    wait_state(guard, HKG, "not enabled")
    assert len(guard.found("whether a region is enabled is judged by its answers over time")) == (fault["kind"] == "denied")
    assert "target.unreachable" not in events(sim)
    sim.clear_failures()


def test_incidents_of_a_region_that_was_taken_out_end_and_say_why(sim, make_guard):
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    sim.trail(APAC, delete=True)
    guard = make_guard(sim, regions=[FRA, SYD], settings_interval=1).start().wait_guarding()
    told = wait_alert(sim, "region.uncovered")
    guard.wait_delivered()
    guard.write_config(regions=[FRA])
    guard.reload()
    ended = wait_alert(sim, "region.covered")
    assert ended["incident"] == told["incident"] and ended["detail"] == "`regions` does not have it any more"
    matches("is no longer guarded: `regions` does not have it any more", mail_of(messages(sim)[-1]))
    guard.wait_delivered()
    guard.reload()
    wait_polls(sim, 2, FRA)
    assert events(sim) == ["region.uncovered", "region.covered"]


# -- one cause, one incident -------------------------------------------------------------------------------------------
EMPTY = ["eu-west-1", "eu-west-3", "sa-east-1", "us-west-2"]
SCP_DENIES = {"code": "AccessDeniedException", "status": 400,
              "message": "User: arn:aws:iam::111122223333:user/guard is not authorized to perform: "
                         "cloudtrail:DescribeTrails with an explicit deny in a service control policy"}


def one_incident(sim, begins, ends, regions):
    """All of them in one message, and one that ends it; each is sent once."""
    told = wait_alert(sim, begins, seconds=30)
    assert {member["region"] for member in told["members"]} == set(regions), told
    assert told["members_total"] == len(regions) and told["region"] is None and told["account"] == MAIN
    yield told
    ended = wait_alert(sim, ends, seconds=30)
    assert ended["incident"] == told["incident"] and ended["resolved"]
    assert [event for event in events(sim) if event in (begins, ends)] == [begins, ends]
    yield ended


def test_regions_that_a_policy_closes_are_one_incident_that_outlives_a_restart(sim, make_guard):
    home_regions(sim, *EMPTY)
    for region in EMPTY:
        sim.add_fault("error", service="cloudtrail", region=region, **SCP_DENIES)
    guard = make_guard(sim, regions=[FRA, IAD, *EMPTY], unreachable_after=2).start().wait_guarding()
    incident = one_incident(sim, "target.unreachable", "target.reachable", EMPTY)
    told = next(incident)
    assert told["severity"] == "warning"
    assert f'regions = [ "{FRA}", "{IAD}" ];' in mail_of(messages(sim)[-1])
    guard.wait_delivered()
    guard.stop()
    count = len(sim.requests(operation="DescribeTrails", region=EMPTY[0]))
    guard.start().wait_guarding()
    sim.wait_for_request(within(20), count=count + 2, operation="DescribeTrails", region=EMPTY[0])
    sim.remove_fault()
    sim.clear_failures()
    next(incident)


def test_uncovered_regions_are_one_incident_and_leave_the_configuration_with_a_reason(sim, make_guard):
    home_regions(sim, *EMPTY)
    sim.trail(ORG_TRAIL, settings={"IsMultiRegionTrail": False})
    guard = make_guard(sim, regions=[FRA, *EMPTY], settings_interval=1).start().wait_guarding()
    incident = one_incident(sim, "region.uncovered", "region.covered", EMPTY)
    next(incident)
    guard.wait_delivered()
    guard.write_config(regions=[FRA])
    guard.reload()
    assert next(incident)["detail"] == "the configuration changed"


def test_keys_that_expired_are_one_incident(sim, make_guard):
    guard = make_guard(sim, regions=[FRA, IAD, SYD], unreachable_after=2).start().wait_guarding()
    sim.add_fault("error", service="cloudtrail", code="ExpiredTokenException", status=400, message="expired")
    incident = one_incident(sim, "target.unreachable", "target.reachable", [FRA, IAD, SYD])
    next(incident)
    sim.remove_fault()
    sim.clear_failures()
    next(incident)
    guard.wait_verdict("org-trail", "logging", 20)
