# SPDX-License-Identifier: Apache-2.0
"""Many accounts: roles with external ids, what one account overrides, an organization whose members come and go, and the
one that does not let the guard in and disturbs nobody."""

import json

import pytest

from guard import PLAIN, within
from helpers import (FRA, IAD, MAIN, MEMBER, ORG_TRAIL, SYD, document, documents, events, intervals, mail_of, matches, messages,
                     trail_arn, wait_alert, wait_polls)
from simaws.client import poll
from simaws.regions import DEFAULT_REGIONS

HKG = "ap-east-1"       # an account may turn it off
OTHER, THIRD, FOURTH = "777788889999", "222233334444", "666677778888"
EXTERNAL_ID = "3f1c:2d/x"


def role_arn(account, name="TrailGuard"):
    return f"arn:aws:iam::{account}:role/{name}"


def guard_arn(sim):
    return f"arn:aws:iam::{MAIN}:user/guard"


def add_role(sim, account, external_id=None, name="TrailGuard", **fields):
    """A role that the guard may assume."""
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else {}
    trust = [{"Effect": "Allow", "Principal": {"AWS": guard_arn(sim)}, "Action": "sts:AssumeRole", **condition}]
    return sim.add_role(name, account, trust=trust, **fields)


def add_member(sim, account, role=True, regions=(FRA, IAD), trail="local", state="ACTIVE"):
    sim.add_account(account, regions=list(regions), state=state)
    if role:
        add_role(sim, account)
    return sim.add_trail(trail, account, FRA, IsMultiRegionTrail=True)


@pytest.fixture
def two(sim):
    """Two accounts besides the guard's own, each with a role; both have a trail of the same name."""
    return [add_member(sim, account, role=False, trail="main") for account in (MEMBER, OTHER)]


def groups(*accounts, external_id=EXTERNAL_ID, **more):
    return [{"role_arn": role_arn(account), **({"external_id": external_id} if external_id else {}), **more}
            for account in accounts]


def sessions(sim, **match):
    """Requests of the roles' sessions."""
    return sim.requests(principal="*:assumed-role/*", **match)


def status_of(status, account):
    return next((entry for entry in status["accounts"] if entry["id"] == account), None)


# -- accounts by role --------------------------------------------------------------------------------------------------
@pytest.mark.valgrind
def test_two_accounts_by_role_are_guarded_beside_the_own_one(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    guard = make_guard(sim, accounts=[{"name": "own"}, *groups(MEMBER), *groups(OTHER, session_name="watch")])
    guard.start().wait_guarding()
    guard.wait_status(lambda status: [trail["verdict"] for trail in status["trails"]] == ["logging"] * 3)
    guard.wait_told("^STATUS=guarding 3 trails, 1 regions?, 3 accounts: 3 logging")
    for arn in two:
        sim.trail(arn, logging=False)
    for arn in two:
        sim.wait_for_trail(arn, within(10), logging=True)
    told = [wait_alert(sim, "trail.stopped", holds=lambda entry: entry["account"] == account) for account in (MEMBER, OTHER)]
    assert [entry["trail"]["arn"] for entry in told] == two
    assert told[0]["incident"] != told[1]["incident"]
    assert len(sim.requests(operation="AssumeRole")) == 2, "one session serves all calls"
    assert len(sim.requests(operation="GetCallerIdentity")) == 3, "who we are is asked once for each account"
    callers = {entry["principal"] for entry in sessions(sim, operation="StartLogging")}
    assert any(caller.endswith("/watch") for caller in callers) and len(callers) == 2
    view = {entry["id"]: entry for entry in guard.status()["accounts"]}
    assert view[MAIN]["name"] == "own" and view[MAIN]["role"] == ""
    assert view[MEMBER]["role"] == role_arn(MEMBER) and view[MEMBER]["identity"].startswith(
        f"arn:aws:sts::{MEMBER}:assumed-role/TrailGuard/trailguard")


def test_with_accounts_only_the_listed_ones_are_guarded(sim, make_guard, two):
    add_role(sim, MEMBER, EXTERNAL_ID)
    guard = make_guard(sim, accounts=groups(MEMBER)).start().wait_guarding()
    assert [(trail["account"], trail["name"]) for trail in guard.status()["trails"]] == [(MEMBER, "main")]
    sim.trail(ORG_TRAIL, logging=False)
    wait_polls(sim, 3, FRA)
    assert {entry["principal"].split(":")[4] for entry in sim.requests(service="cloudtrail")} == {MEMBER}
    sim.trail(ORG_TRAIL, logging=True)


@pytest.mark.timed
def test_a_wrong_external_id_is_one_blind_account_and_disturbs_nobody(sim, make_guard, two):
    add_role(sim, MEMBER, EXTERNAL_ID)
    add_role(sim, OTHER, "another")
    guard = make_guard(sim, regions=[FRA, IAD], accounts=[*groups(MEMBER), *groups(OTHER)], unreachable_after=2,
                       aws={"max_attempts": 1}).start().wait_guarding()
    told = wait_alert(sim, "target.unreachable", seconds=15)
    assert (told["account"], told["region"], told["trail"], told["severity"]) == (OTHER, None, None, "warning")
    (message,) = [entry for entry in messages(sim) if "cannot poll" in entry["Subject"]]
    assert message["Subject"] == f"[TrailGuard] WARNING cannot poll account {OTHER}: access denied"
    mail = message["received"]["email"]["Body"]
    assert role_arn(OTHER) in mail and "is not authorized to perform: sts:AssumeRole" in mail and "external id" in mail
    matches(f"{OTHER}: could not be polled: .*{role_arn(OTHER)}", guard.stderr())
    wait_polls(sim, 4, FRA)
    assert events(sim) == ["target.unreachable"], "one target, told once"
    assert sim.requests(service="cloudtrail", principal=f"*:{OTHER}:*") == []
    assert len(guard.found(f"{OTHER}.*(could not|unreachable)")) == 2
    blind = [target for target in guard.status()["targets"] if target["account"] == OTHER]
    assert [(target["region"], target["state"]) for target in blind] == [("", "unreachable")]
    assert guard.verdicts() == {"main": "logging"}
    matches(f"unreachable: account {OTHER}", guard.status_text())
    if PLAIN:
        gaps = intervals(sim, FRA, principal=f"*:{MEMBER}:*")
        assert max(gaps) < 2, gaps
    # the role lets us in: everything is looked at, and the blindness resolved
    add_role(sim, OTHER, EXTERNAL_ID)
    sighted = wait_alert(sim, "target.reachable", seconds=30)
    assert sighted["incident"] == told["incident"]
    guard.wait_status(lambda status: [trail["verdict"] for trail in status["trails"]] == ["logging"] * 2)
    sim.clear_failures()


def test_a_role_that_is_deleted_makes_its_account_blind_as_a_whole(sim, make_guard, two):
    add_role(sim, MEMBER, EXTERNAL_ID)
    sim.call("settings", session_seconds=int(within(4)))
    guard = make_guard(sim, regions=[FRA, IAD], accounts=[{}, *groups(MEMBER)], unreachable_after=2,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 2 + 1)
    add_role(sim, MEMBER, "changed")
    told = wait_alert(sim, "target.unreachable", seconds=40)
    assert (told["account"], told["region"]) == (MEMBER, None)
    guard.wait_status(lambda status: {trail["account"]: trail["verdict"] for trail in status["trails"]} ==
                      {MAIN: "logging", MEMBER: "unknown"}, 20)
    assert events(sim).count("target.unreachable") == 1
    sim.clear_failures()


def denies(action):
    """Statements of a service control policy."""
    return [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": action, "Resource": "*"}]


def test_a_policy_that_denies_the_role_is_no_quiet_closing_of_regions(sim, make_guard, two):
    add_role(sim, MEMBER, EXTERNAL_ID)
    sim.call("settings", session_seconds=int(within(4)))
    guard = make_guard(sim, accounts=[{}, *groups(MEMBER)], unreachable_after=2,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 2)
    sim.add_account(MAIN, regions=DEFAULT_REGIONS, scp=denies("sts:AssumeRole"))
    told = wait_alert(sim, "target.unreachable", seconds=40)
    assert (told["account"], told["region"], told["severity"]) == (MEMBER, None, "warning")
    matches("explicit deny in a service control policy", mail_of(messages(sim)[-1]))
    sim.clear_failures()


def test_an_account_that_a_policy_closes_as_a_whole_is_reported_by_its_trails_region_too(sim, make_guard, two):
    add_role(sim, MEMBER, EXTERNAL_ID)
    sim.add_account(MEMBER, regions=[FRA, IAD, SYD])
    guard = make_guard(sim, regions=[FRA, IAD, SYD], accounts=[{}, *groups(MEMBER)], unreachable_after=2, settings_interval=1,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 4)
    sim.add_account(MEMBER, regions=[FRA, IAD, SYD], scp=denies("cloudtrail:*"))
    home = wait_alert(sim, "target.unreachable", seconds=30, holds=lambda entry: entry["region"] == FRA)
    assert (home["account"], home["severity"]) == (MEMBER, "warning")
    others = wait_alert(sim, "target.unreachable", seconds=30, holds=lambda entry: entry["region"] is None)
    assert {member["region"] for member in others["members"]} <= {IAD, SYD}, "they are polled one after the other"
    sim.clear_failures()


def test_a_policy_that_denies_the_status_alone_is_about_the_trail(sim, make_guard, two):
    add_role(sim, MEMBER, EXTERNAL_ID)
    guard = make_guard(sim, regions=[FRA, IAD], accounts=[{}, *groups(MEMBER)], unreachable_after=2,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 3)
    sim.add_account(MEMBER, regions=[FRA, IAD], scp=denies("cloudtrail:GetTrailStatus"))
    told = wait_alert(sim, "target.unreachable", seconds=30)
    assert (told["trail"]["arn"], told["severity"]) == (two[0], "warning")
    sim.clear_failures()


def test_a_policy_that_denies_the_role_in_many_accounts_is_one_incident(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    sim.call("settings", session_seconds=int(within(4)))
    guard = make_guard(sim, accounts=[{}, *groups(MEMBER), *groups(OTHER)], unreachable_after=2,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 3)
    sim.add_account(MAIN, regions=DEFAULT_REGIONS, scp=denies("sts:AssumeRole"))
    # the sessions end one after the other: the first may be reported by itself
    told = wait_alert(sim, "target.unreachable", seconds=40, holds=lambda entry: entry["members"])
    assert [member["account"] for member in told["members"]] == [MEMBER, OTHER], told
    matches(f"Accounts: {MEMBER}, {OTHER}", mail_of(messages(sim)[-1]))
    guard.wait_status(lambda status: [entry["state"] for entry in status["accounts"]] == ["well"] + ["unreachable"] * 2, 20)
    assert events(sim).count("target.unreachable") <= 2
    sim.clear_failures()


def test_an_outage_of_one_region_is_one_incident_of_all_accounts(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    guard = make_guard(sim, regions=[FRA, IAD], accounts=[*groups(MEMBER), *groups(OTHER)], unreachable_after=2,
                       settings_interval=1, aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 2)
    sim.add_fault("error", service="cloudtrail", region=FRA, code="InternalFailure", status=500, message="outage")
    told = wait_alert(sim, "target.unreachable", seconds=30)
    assert (told["account"], told["region"], told["severity"]) == (None, FRA, "warning")
    assert told["members"] == [{"account": account, "region": FRA} for account in (MEMBER, OTHER)]
    guard.wait_delivered()
    assert guard.stop() == 0
    guard.start().wait_guarding()
    sim.remove_fault()
    ended = wait_alert(sim, "target.reachable", seconds=40)
    assert ended["incident"] == told["incident"] and ended["resolved"]
    assert [event for event in events(sim) if event.startswith("target.")] == ["target.unreachable", "target.reachable"]
    sim.clear_failures()


def test_an_account_overrides_mode_regions_and_trails(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    east = sim.add_trail("east", OTHER, IAD)
    guard = make_guard(sim, accounts=[*groups(MEMBER, mode="observe"), *groups(OTHER, regions=[IAD], trails=["east"])])
    guard.start().wait_guarding()
    guard.wait_status(lambda status: {trail["arn"] for trail in status["trails"]} == {two[0], east})
    sim.trail(two[0], logging=False)
    sim.trail(east, logging=False)
    sim.wait_for_trail(east, within(10), logging=True)
    observed = wait_alert(sim, "trail.stopped", holds=lambda entry: entry["account"] == MEMBER)
    assert observed["action"]["taken"] == "none"
    wait_polls(sim, 2, FRA)
    assert sim.requests(operation="StartLogging", principal=f"*:{MEMBER}:*") == []


def test_a_named_trail_must_be_in_each_account(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    sim.trail(two[1], delete=True)
    guard = make_guard(sim, trails=["main"], accounts=[*groups(MEMBER), *groups(OTHER)]).start().wait_guarding()
    told = wait_alert(sim, "trail.missing")
    assert (told["account"], told["trail"]["name"]) == (OTHER, "main")
    assert [event for event in events(sim) if event.startswith("trail.")] == ["trail.missing"]
    guard.wait_status(lambda status: {trail["account"]: trail["verdict"] for trail in status["trails"]} ==
                      {MEMBER: "logging", OTHER: "missing"})


def test_the_same_name_in_two_accounts_is_kept_apart_over_a_restart(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    guard = make_guard(sim, mode="observe", accounts=[*groups(MEMBER), *groups(OTHER)]).start().wait_guarding()
    sim.trail(two[0], logging=False)
    first = wait_alert(sim, "trail.stopped")
    assert guard.stop() == 0
    rows = json.loads((guard.state / "state.json").read_text())
    assert {(row["account"], row["name"]) for row in rows["trails"]} == {(MEMBER, "main"), (OTHER, "main")}
    assert {row["account"] for row in rows["targets"]} == {MEMBER, OTHER}
    sim.trail(two[1], logging=False)
    guard.start().wait_guarding()
    second = wait_alert(sim, "trail.stopped", count=2)
    assert (first["account"], second["account"]) == (MEMBER, OTHER), "what was told is not told again"
    wait_polls(sim, 2, FRA)
    assert events(sim) == ["trail.stopped"] * 2


# -- organization trails -----------------------------------------------------------------------------------------------
@pytest.fixture
def organization(sim):
    """The guard's own account manages it; two members. org-trail is the organization's."""
    for account in (MEMBER, OTHER):
        add_member(sim, account)
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    return sim


def test_an_organization_trail_is_polled_once_in_its_owners_account(organization, make_guard):
    sim = organization
    guard = make_guard(sim, regions=[FRA, IAD], accounts=[*groups(MEMBER, OTHER, external_id=None), {}])
    guard.start().wait_guarding()
    guard.wait_status(lambda status: sorted(trail["name"] for trail in status["trails"]) ==
                      ["audit", "local", "local", "org-trail"])
    mark = sim.mark()
    wait_polls(sim, 3, FRA, since=mark, trail="*org-trail")
    assert {entry["principal"] for entry in sim.requests(since=mark, operation="GetTrailStatus", trail="*org-trail")} == {
        guard_arn(sim)}
    assert {entry["region"] for entry in sim.requests(operation="GetTrailStatus", trail="*org-trail")} == {FRA}
    sim.trail(ORG_TRAIL, logging=False)
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    wait_alert(sim, "trail.stopped")
    assert guard.status()["trails"] and events(sim) == ["trail.stopped"]


def test_an_organization_trail_of_an_unguarded_account_is_read_through_one_member(organization, make_guard):
    sim = organization
    guard = make_guard(sim, accounts=groups(MEMBER, OTHER, external_id=None)).start().wait_guarding()
    guard.wait_verdict("org-trail", "protected")
    mark = sim.mark()
    wait_polls(sim, 3, FRA, since=mark, trail="*org-trail")
    pollers = {entry["principal"] for entry in sim.requests(since=mark, operation="GetTrailStatus", trail="*org-trail")}
    assert len(pollers) == 1 and guard_arn(sim) not in pollers
    sim.trail(ORG_TRAIL, logging=False)
    told = wait_alert(sim, "trail.stopped")
    assert (told["account"], told["action"]["taken"], told["action"]["result"]) == (MAIN, "restart", "failed")
    wait_polls(sim, 3, FRA, trail="*org-trail")
    assert [entry["status"] for entry in sim.requests(operation="StartLogging")] == [403], "asked once"
    # over a restart it stays with an account that sees it
    assert guard.stop() == 0
    guard.start().wait_guarding()
    guard.wait_verdict("org-trail", "stopped")
    wait_polls(sim, 2, FRA, trail="*org-trail")
    assert events(sim) == ["trail.stopped"]


# -- the organization's accounts ---------------------------------------------------------------------------------------
def org_guard(make_guard, sim, **options):
    exclude = options.pop("exclude", [])
    return make_guard(sim, organization={"role_name": "TrailGuard", "exclude": exclude, "refresh": 60}, unreachable_after=2,
                      **options)


def guarded(guard):
    return {entry["id"]: entry["state"] for entry in guard.status().get("accounts", [])}


def wait_accounts(guard, wanted, seconds=15):
    guard.wait_status(lambda status: {entry["id"]: entry["state"] for entry in status["accounts"]} == wanted, seconds)


@pytest.mark.valgrind
def test_every_active_account_of_the_organization_is_guarded(organization, make_guard):
    sim = organization
    add_member(sim, THIRD, state="SUSPENDED")
    add_member(sim, FOURTH)
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER, THIRD, FOURTH])
    sim.call("settings", empty_page=True)
    guard = org_guard(make_guard, sim, exclude=[FOURTH]).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    guard.wait_status(lambda status: len(status["trails"]) == 3)
    guard.wait_told("^STATUS=guarding 3 trails, 1 regions?, 3 accounts")
    arn = trail_arn("local", FRA, OTHER)
    sim.trail(arn, logging=False)
    sim.wait_for_trail(arn, within(10), logging=True)
    assert {entry["principal"].split(":")[4] for entry in sim.requests(service="cloudtrail")} == {MAIN, MEMBER, OTHER}
    assert len(sim.requests(operation="AssumeRole")) == 2, "the management account is reached by the base credentials"


def test_a_member_that_refuses_the_role_is_one_blind_account(organization, make_guard):
    sim = organization
    add_member(sim, THIRD, role=False)
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER, THIRD])
    guard = org_guard(make_guard, sim, regions=[FRA, IAD], aws={"max_attempts": 1}).start().wait_guarding()
    told = wait_alert(sim, "target.unreachable", seconds=15)
    assert (told["account"], told["region"]) == (THIRD, None)
    assert role_arn(THIRD) in messages(sim)[0]["received"]["email"]["Body"]
    wait_polls(sim, 4, FRA)
    assert events(sim) == ["target.unreachable"]
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well", THIRD: "unreachable"})
    sim.clear_failures()


def test_newcomers_are_guarded_and_leavers_told_at_the_next_refresh(organization, make_guard):
    sim = organization
    guard = org_guard(make_guard, sim).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    late = add_member(sim, THIRD)
    sim.call("organization", management=MAIN, members=[MEMBER, THIRD])
    told = wait_alert(sim, "account.left", seconds=75)
    assert (told["account"], told["region"], told["severity"]) == (OTHER, None, "warning")
    (message,) = [entry for entry in messages(sim) if "no longer an active member" in entry["Subject"]]
    matches("exclude", message["received"]["email"]["Body"])
    guard.wait_line(f"account {THIRD} .*is new in the organization")
    guard.wait_line(f"account {OTHER} .*no member of the organization")
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "left", THIRD: "well"})
    sim.trail(late, logging=False)
    sim.wait_for_trail(late, within(10), logging=True)
    mark = sim.mark()
    wait_polls(sim, 2, FRA, since=mark)
    assert sim.requests(since=mark, principal=f"*:{OTHER}:*") == []
    assert guard.verb("status").returncode == 2
    # a restart forgets neither, and tells neither again
    assert guard.stop() == 0
    guard.start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "left", THIRD: "well"})
    wait_polls(sim, 2, FRA)
    assert events(sim).count("account.left") == 1
    # back in the organization, and looked at again
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER, THIRD])
    guard.reload()
    sighted = wait_alert(sim, "target.reachable", seconds=20)
    assert sighted["account"] == OTHER and sighted["incident"] == told["incident"]
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well", THIRD: "well"})


def test_in_an_account_that_has_left_nothing_is_started_any_more(organization, make_guard):
    sim = organization
    guard = org_guard(make_guard, sim).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    arn = trail_arn("local", FRA, OTHER)
    with sim.fault("denied", operation="StartLogging", account=OTHER):
        sim.trail(arn, logging=False)
        wait_alert(sim, "trail.stopped")
        sim.call("organization", management=MAIN, members=[MEMBER])
        guard.reload()              # lists the organization's accounts at once
        wait_alert(sim, "account.left", seconds=20)
        wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "left"})
        mark = sim.mark()
        wait_polls(sim, 12, FRA, since=mark)
        assert sim.requests(since=mark, principal=f"*:{OTHER}:*") == []
    # it is started as soon as the account is back
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER])
    guard.reload()
    sim.wait_for_trail(arn, within(20), logging=True)
    wait_alert(sim, "trail.resolved", seconds=20)


def test_an_account_that_is_renamed_is_shown_by_its_new_name(organization, make_guard):
    sim = organization
    guard = org_guard(make_guard, sim).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    sim.add_account(OTHER, alias="payments")
    guard.reload()              # lists the organization's accounts at once
    guard.wait_line(f'account {OTHER} of the organization is called "payments" now')
    guard.wait_status(lambda status: {entry["id"]: entry["name"] for entry in status["accounts"]}[OTHER] == "payments")
    # the state file has it too: before AWS has listed the accounts
    assert guard.stop() == 0
    sim.add_fault("error", operation="ListAccounts", code="AccessDeniedException", status=400)
    guard.start().wait_guarding()
    guard.wait_status(lambda status: {entry["id"]: entry["name"] for entry in status["accounts"]}[OTHER] == "payments")
    sim.clear_failures()
    assert len(guard.found("is called")) == 1


@pytest.fixture
def admins(organization):
    """An administrator of the management account, and one of a member."""
    organization.add_user("head", MAIN, source_ip="203.0.113.7")
    organization.add_user("insider", OTHER)
    return {name: organization.boto3(name, "organizations", IAD) for name in ("head", "insider")}


def departure(sim, guard, leave):
    """OTHER departs; the two messages that follow, and the mail of the second."""
    guard.start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    leave()
    guard.reload()
    left = wait_alert(sim, "account.left", seconds=20)
    found = wait_alert(sim, "trail.attributed", seconds=20)
    assert (left["account"], found["account"], found["region"], found["trail"]) == (OTHER, OTHER, None, None)
    assert found["incident"] == left["incident"] and not found["resolved"]
    mails = [mail_of(entry) for entry in messages(sim) if document(entry)["event"] == "trail.attributed"]
    assert len(mails) == 1, "who did it is reported once"
    return found, mails[0]


@pytest.mark.parametrize("call, words", [("remove_account_from_organization", "removed from the organization"),
                                         ("close_account", "closed")])
def test_who_took_an_account_out_of_the_organization_is_named(organization, admins, make_guard, call, words):
    sim = organization
    guard = org_guard(make_guard, sim, attribution=True)
    found, mail = departure(sim, guard, lambda: getattr(admins["head"], call)(AccountId=OTHER))
    assert (found["actor"]["name"], found["actor"]["source_ip"]) == ("head", "203.0.113.7")
    assert found["actor"]["event_name"] == "".join(part.title() for part in call.split("_"))
    matches(f"Account {OTHER} was {words} by user head. It is not an active member and is not guarded.", mail)
    searched = sim.requests(operation="LookupEvents", principal=f"*:{MAIN}:*")
    assert searched and {entry["region"] for entry in searched} == {IAD}
    guard.wait_line(f"{OTHER}: {found['actor']['event_name']} by .*user/head")


def test_who_made_an_account_leave_is_found_in_its_own_history(organization, admins, make_guard):
    guard = org_guard(make_guard, organization, attribution=True)
    found, mail = departure(organization, guard, lambda: admins["insider"].accept_handshake(HandshakeId="h-examplehandshake"))
    assert (found["actor"]["name"], found["actor"]["event_name"]) == ("insider", "AcceptHandshake")
    matches(f"Account {OTHER} was moved to another organization by user insider.", mail)


def test_how_an_account_left_is_said_where_its_own_history_cannot_be_read(organization, admins, make_guard):
    sim = organization
    guard = org_guard(make_guard, sim, attribution=True, aws={"max_attempts": 1})

    def leave():
        admins["insider"].leave_organization()
        sim.add_fault("denied", operation="LookupEvents", account=OTHER)
    found, mail = departure(sim, guard, leave)
    assert (found["actor"]["event_name"], found["actor"]["type"], found["detail"]) == (
        "AccountDepartedOrganization", "AWSService", "LEFT")
    matches(f"Account {OTHER} left the organization by itself .LEFT.", mail)
    matches("What AWS recorded", mail)


def test_an_account_that_could_not_be_reached_and_then_left_is_reported_as_left(organization, admins, make_guard):
    """Its role went first: that it is no member any more is another fact."""
    sim = organization
    guard = org_guard(make_guard, sim, attribution=True, aws={"max_attempts": 1}).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    sim.add_fault("denied", operation="AssumeRole")
    guard.reload()
    sim.wait_for_request(within(10), count=1, operation="AssumeRole")
    # one after the other or both in one message
    poll(lambda: {MEMBER, OTHER} <= {account for entry in documents(sim) if entry["event"] == "target.unreachable"
                                     for account in [entry["account"], *(m["account"] for m in entry["members"] or [])]},
         within(20))
    admins["head"].remove_account_from_organization(AccountId=OTHER)
    guard.reload()
    left = poll(lambda: [entry for entry in messages(sim) if "no longer an active member" in entry["Subject"]], within(20))
    assert document(left[0])["account"] == OTHER
    found = wait_alert(sim, "trail.attributed", seconds=20)
    assert (found["account"], found["actor"]["event_name"]) == (OTHER, "RemoveAccountFromOrganization")


def test_without_the_management_accounts_keys_the_command_stays_in_the_mail(sim, make_guard):
    """The base credentials are a delegated administrator's."""
    for account in (MEMBER, OTHER):
        add_member(sim, account, role=account != MEMBER)
    sim.call("organization", management=THIRD, members=[MAIN, MEMBER, OTHER], delegated=[MAIN])
    guard = org_guard(make_guard, sim, attribution=True, exclude=[MEMBER, THIRD]).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", OTHER: "well"})
    sim.call("organization", management=THIRD, members=[MAIN, MEMBER], delegated=[MAIN])
    guard.reload()
    wait_alert(sim, "account.left", seconds=20)
    (message,) = [entry for entry in messages(sim) if "no longer an active member" in entry["Subject"]]
    matches("aws cloudtrail lookup-events --region us-east-1", message["received"]["email"]["Body"])
    wait_polls(sim, 8, FRA)
    assert not sim.requests(operation="LookupEvents") and events(sim) == ["account.left"]


def test_an_excluded_leaver_is_forgotten(organization, make_guard):
    sim = organization
    guard = org_guard(make_guard, sim).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    sim.call("organization", management=MAIN, members=[MEMBER])
    guard.reload()
    wait_alert(sim, "account.left")
    guard.write_config(organization={"role_name": "TrailGuard", "exclude": [OTHER], "refresh": 60})
    guard.reload()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well"})
    guard.wait_status(lambda status: all(trail["verdict"] == "logging" for trail in status["trails"]))
    assert guard.verb("status").returncode == 0


def test_while_sts_does_not_say_whose_the_base_keys_are_no_member_is_taken_for_another(organization, make_guard):
    """Its own account was one of the list: a role was assumed there that it does not have, until the next start and after."""
    sim = organization
    guard = org_guard(make_guard, sim, aws={"max_attempts": 1}).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    assert guard.stop() == 0
    with sim.fault("http500", operation="GetCallerIdentity", access_key=sim.keys_of("guard")["access_key"]):
        guard.start()
        guard.wait_line("cannot find out which account this is")
        wait_polls(sim, 2, FRA, since=sim.mark(), principal=guard_arn(sim))
        assert not [entry for entry in sim.requests(operation="AssumeRole") if entry["status"] != 200], "it has no role for us"
    guard.reload()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    assert not [entry for entry in sim.requests(operation="AssumeRole") if entry["status"] != 200]
    sim.clear_failures()


def test_a_list_that_cannot_be_had_changes_nothing_and_is_said_once(organization, make_guard):
    sim = organization
    guard = org_guard(make_guard, sim, aws={"max_attempts": 1}).start().wait_guarding()
    wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
    assert guard.stop() == 0
    arn = trail_arn("local", FRA, OTHER)
    with sim.fault("denied", operation="ListAccounts"):
        mark = guard.mark()
        guard.start().wait_guarding()
        guard.wait_line("cannot list the organization's accounts.*ListAccounts", since=mark)
        wait_accounts(guard, {MAIN: "well", MEMBER: "well", OTHER: "well"})
        sim.trail(arn, logging=False)
        sim.wait_for_trail(arn, within(10), logging=True)
        sim.wait_for_request(within(25), count=3, operation="ListAccounts")
        assert len(guard.found("cannot list", mark)) == 1
        assert guard.verb("status").returncode == 2
    guard.wait_line("can be listed again", 40)
    assert "target.unreachable" not in events(sim)
    sim.clear_failures()


def test_check_looks_at_all_accounts(organization, make_guard):
    sim = organization
    add_member(sim, THIRD, role=False)
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER, THIRD])
    guard = org_guard(make_guard, sim, aws={"max_attempts": 1})
    done = guard.verb("check", "--json")
    assert done.returncode == 3, done.stdout + done.stderr
    view = json.loads(done.stdout)["status"]
    assert sorted((trail["account"], trail["name"]) for trail in view["trails"]) == sorted(
        [(MAIN, "org-trail"), (MEMBER, "local"), (OTHER, "local")])
    assert {entry["id"]: entry["state"] for entry in view["accounts"]} == {
        MAIN: "well", MEMBER: "well", OTHER: "well", THIRD: "unreachable"}
    sim.clear_failures()


def test_the_regions_of_each_account_are_its_own(sim, make_guard):
    """An opt-in region that is off is skipped with one note, in that account alone."""
    sim.add_account(MAIN, regions=DEFAULT_REGIONS)
    add_member(sim, MEMBER, regions=(*DEFAULT_REGIONS, HKG))
    guard = make_guard(sim, regions="all", accounts=[{}, *groups(MEMBER, external_id=None)]).start().wait_guarding(30)
    guard.wait_status(lambda status: all(target["state"] in ("well", "not enabled") for target in status["targets"]), 20)
    well = {(target["account"], target["region"]) for target in guard.status()["targets"] if target["state"] == "well"}
    assert well == {*((account, region) for account in (MAIN, MEMBER) for region in DEFAULT_REGIONS), (MEMBER, HKG)}
    assert len(guard.found(f"{HKG} {MAIN}: not enabled")) == 1 and guard.found(f"{HKG} {MEMBER}: not enabled") == []
    mark = sim.mark()
    wait_polls(sim, 2, FRA)
    assert [entry for entry in sim.requests(since=mark) if entry["region"] not in (*DEFAULT_REGIONS, HKG)] == []
    sim.clear_failures()


def test_check_shows_each_targets_identity_and_each_missing_permission(organization, make_guard):
    sim = organization
    sim.call("policy", principal=role_arn(OTHER), policy=[
        {"Effect": "Allow", "Action": "cloudtrail:DescribeTrails", "Resource": "*"}])
    add_member(sim, THIRD, role=False)
    guard = make_guard(sim, regions=[FRA, IAD], accounts=[{}, *groups(MEMBER, OTHER, THIRD, external_id=None)],
                       aws={"max_attempts": 1})
    done = guard.verb("check")
    assert done.returncode == 3, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for account, identity in ((MAIN, guard_arn(sim)), (MEMBER, f"arn:aws:sts::{MEMBER}:assumed-role/TrailGuard/trailguard-")):
        for region in (FRA, IAD):
            assert any(line.startswith(f"{account}  {region}") and identity in line and line.endswith("well")
                       for line in lines), done.stdout
    assert any(line.startswith(THIRD) and role_arn(THIRD) in line and "unreachable" in line for line in lines), done.stdout
    missing = lines[lines.index("MISSING PERMISSIONS") + 1:]
    actions = {f"cloudtrail:{name}" for name in ("GetTrailStatus", "GetEventSelectors", "GetEventConfiguration", "ListTags")}
    assert {f"{action} on {trail_arn('local', FRA, OTHER)}, in {OTHER} {FRA}" for action in actions} | {
        f"sts:AssumeRole on {role_arn(THIRD)}, in {THIRD}"} <= set(missing)
    document = json.loads(guard.verb("check", "--json").stdout)
    assert {entry["action"] for entry in document["missing_permissions"]} == actions | {"sts:AssumeRole"}
    sim.clear_failures()


def test_check_names_what_the_hub_lacks(organization, make_guard):
    sim = organization
    sim.call("policy", principal=guard_arn(sim), policy=[{"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}])
    guard = org_guard(make_guard, sim, aws={"max_attempts": 1})
    done = guard.verb("check")
    assert done.returncode == 3 and "organizations:ListAccounts on *" in done.stdout, done.stdout
    matches("cannot be listed: ListAccounts: AccessDenied", done.stdout)
    sim.clear_failures()


def test_an_account_that_was_taken_out_ends_its_incidents_and_says_why(sim, make_guard, two):
    for account in (MEMBER, OTHER):
        add_role(sim, account, EXTERNAL_ID)
    guard = make_guard(sim, regions=[FRA], accounts=groups(MEMBER, OTHER), mode="observe").start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 2)
    sim.trail(two[0], logging=False)
    told = wait_alert(sim, "trail.stopped")
    assert told["account"] == MEMBER
    guard.wait_delivered()
    guard.write_config(accounts=groups(OTHER))
    guard.reload()
    resolved = wait_alert(sim, "trail.resolved")
    assert resolved["incident"] == told["incident"] and "its account is not configured any more" in resolved["detail"]


# -- who sees an organization's trail ----------------------------------------------------------------------------------
def test_a_delegated_administrator_without_a_role_in_the_management_account_sees_the_organizations_trail(sim, make_guard):
    topic = f"arn:aws:sns:{FRA}:{MEMBER}:alerts"
    sim.add_topic(topic)
    sim.add_user("hub", MEMBER)
    hub = f"arn:aws:iam::{MEMBER}:user/hub"
    sim.add_account(OTHER, regions=[FRA, IAD])
    sim.add_role("TrailGuard", OTHER, trust=[{"Effect": "Allow", "Principal": {"AWS": hub}, "Action": "sts:AssumeRole"}])
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    guard = make_guard(sim, "hub", organization={"role_name": "TrailGuard", "refresh": 60}, regions=[FRA], unreachable_after=2,
                       alerts=[{"type": "sns", "topic_arn": topic}]).start().wait_guarding()
    guard.wait_verdict("org-trail", "protected", 20)
    sim.trail(ORG_TRAIL, logging=False)
    told = wait_alert(sim, "trail.stopped", topic, seconds=20)
    assert (told["account"], told["trail"]["arn"], told["action"]["result"]) == (MAIN, ORG_TRAIL, "confirmed")
    sim.wait_for_trail(ORG_TRAIL, within(10), logging=True)
    assert guard.stop() == 0
    guard.start().wait_guarding()
    guard.wait_verdict("org-trail", "protected", 20)
    assert guard.stop() == 0        # it goes on asking for a role that is not there
    sim.clear_failures()


def pollers(sim, mark, count=2):
    wait_polls(sim, count, FRA, since=mark, trail="*org-trail", status=200)
    return {entry["principal"].split(":")[4] for entry in sim.requests(since=mark, operation="GetTrailStatus", trail="*org-trail",
                                                                       status=200)}


@pytest.mark.parametrize("how", ["region denied", "role refused"])
def test_who_polls_an_organizations_trail_changes_when_one_cannot(organization, make_guard, how):
    sim = organization
    if how == "role refused":
        sim.call("settings", session_seconds=int(within(4)))
    guard = make_guard(sim, accounts=groups(MEMBER, OTHER, external_id=None), unreachable_after=2, settings_interval=1,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_verdict("org-trail", "protected")
    first, = pollers(sim, sim.mark())
    other, = {MEMBER, OTHER} - {first}
    lines = guard.mark()
    if how == "region denied":
        sim.call("policy", principal=role_arn(first), policy=[{"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*"}])
    else:
        add_role(sim, first, "changed")
    guard.wait_line(f"org-trail {FRA} {MAIN}: polled through account {other} from now on", 40, lines)
    sim.trail(ORG_TRAIL, logging=False)
    assert wait_alert(sim, "trail.stopped", seconds=20)["account"] == MAIN
    assert pollers(sim, sim.mark()) == {other}
    sim.trail(ORG_TRAIL, logging=True)
    wait_alert(sim, "trail.resolved", seconds=20)
    sim.clear_failures()


def test_the_incident_of_an_organizations_trail_outlives_the_account_through_which_it_was_seen(organization, make_guard):
    sim = organization
    guard = make_guard(sim, accounts=groups(MEMBER, OTHER, external_id=None), unreachable_after=2).start().wait_guarding()
    guard.wait_verdict("org-trail", "protected")
    first, = pollers(sim, sim.mark())
    other, = {MEMBER, OTHER} - {first}
    sim.trail(ORG_TRAIL, logging=False)
    told = wait_alert(sim, "trail.stopped")
    guard.wait_delivered()
    guard.write_config(accounts=groups(other, external_id=None))
    guard.reload()
    guard.wait_verdict("org-trail", "stopped")
    sim.trail(ORG_TRAIL, logging=True)
    resolved = wait_alert(sim, "trail.resolved", seconds=20)
    assert resolved["incident"] == told["incident"] and "no longer guarded" not in json.dumps(resolved)
    assert events(sim) == ["trail.stopped", "trail.resolved"]


def test_a_trail_returns_to_its_owner_as_soon_as_its_region_answers_again(organization, make_guard):
    sim = organization
    guard = make_guard(sim, accounts=[{}, *groups(MEMBER, external_id=None)], unreachable_after=2, settings_interval=600,
                       aws={"max_attempts": 1}).start().wait_guarding()
    guard.wait_verdict("org-trail", "logging")
    poll(lambda: [entry for entry in sim.requests(operation="DescribeTrails", region=FRA, principal="*:assumed-role/*")
                  if entry["status"] == 200], within(10))
    lines = guard.mark()
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    denial = {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*"}
    sim.call("policy", principal=guard_arn(sim), policy=[everything, denial])
    guard.wait_line(f"org-trail {FRA} {MAIN}: polled through account {MEMBER} from now on", 30, lines)
    sim.call("policy", principal=guard_arn(sim), policy=[everything])
    mark = sim.mark()
    # nothing of its own lives there meanwhile: the back-off of a region that failed counts, and not the pace of an empty one
    sim.wait_for_request(within(30), 2, mark, operation="GetTrailStatus", trail="*org-trail", principal=guard_arn(sim),
                         status=200)
    sim.clear_failures()


def test_the_owner_polls_its_organizations_trail_once_it_can(sim, make_guard):
    """Its role comes later."""
    for account in (MEMBER, OTHER):
        add_member(sim, account, role=account == OTHER)
    sim.add_account(THIRD, regions=[FRA, IAD])
    owned = sim.add_trail("theirs", THIRD, FRA, IsMultiRegionTrail=True)
    sim.call("organization", management=THIRD, members=[MAIN, MEMBER, OTHER])
    sim.trail(owned, settings={"IsOrganizationTrail": True})
    guard = make_guard(sim, accounts=[{}, *groups(THIRD, external_id=None)], unreachable_after=2, aws={"max_attempts": 1}).start()
    guard.wait_verdict("theirs", "protected", 20)
    add_role(sim, THIRD)
    guard.wait_verdict("theirs", "logging", 60)
    sim.trail(owned, logging=False)
    sim.wait_for_trail(owned, within(10), logging=True)
    sim.clear_failures()


# -- a start with many accounts ----------------------------------------------------------------------------------------
def test_a_region_has_sixteen_checks_of_settings_at_once_and_holds_up_no_other(sim, make_guard):
    """What waits for an answer is in memory: a start with thousands of trails must not have all of it there at once."""
    members = [str(300000000000 + i) for i in range(24)]
    for account in members:
        add_member(sim, account)
        sim.add_trail("second", account, IAD)
    fault = sim.add_fault("hang", service="cloudtrail", operation="GetEventSelectors", region=FRA)
    guard = make_guard(sim, regions=[FRA, IAD], accounts=groups(*members, external_id=None)).start().wait_ready()

    def hanging():
        return next(entry["hits"] for entry in sim.call("faults") if entry["id"] == fault)

    def asked(region):
        return len({entry["principal"] for entry in sim.requests(operation="GetEventSelectors", region=region)})
    poll(lambda: asked(IAD) == len(members), within(30), 0.2)
    poll(lambda: hanging() >= 16, within(10), 0.2)
    wait_polls(sim, 2, IAD)
    assert hanging() == 16
    sim.remove_fault(fault)
    poll(lambda: asked(FRA) == len(members), within(40), 0.5)
    guard.wait_status(lambda status: all(trail["baseline"] for trail in status["trails"]), 40)
