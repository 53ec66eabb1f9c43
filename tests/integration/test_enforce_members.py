# SPDX-License-Identifier: Apache-2.0
"""Containment in mode "enforce" where it is difficult: attackers in accounts that the guard reaches by a role, two guards
that hold the same identity, no room for the policy, identities that are gone, and crashes between a call and its record."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from guard import within
from helpers import FRA, IAD, MAIN, MEMBER, documents, matches, refused, trail_arn, wait_alert
from simaws.client import poll
from test_contain import VICTIM, mails
from test_enforce import POLICY, attacker, enforced, inline, steps, wait_step  # noqa: F401

pytestmark = pytest.mark.usefixtures("judged_again")

LOCAL = trail_arn("local", FRA, MEMBER)
GUARD, ROLE = f"arn:aws:iam::{MAIN}:user/guard", f"arn:aws:iam::{MEMBER}:role/TrailGuard"


@pytest.fixture
def member(sim, make_guard):
    """A guard of an organization with exactly the rights that `policy guard` prints, and an attacker in a member account.
    take: those to contain are left out of the member role's policy."""
    def begin(take=False, kind="user"):
        sim.add_account(MEMBER, regions=[FRA, IAD])
        sim.add_trail("local", MEMBER, FRA)
        sim.call("organization", management=MAIN, members=[MEMBER])
        guard = make_guard(sim, regions=[FRA], poll_interval=1, settings_interval=1, attribution=True,
                           organization={"role_name": "TrailGuard"}, contain={"mode": "enforce", "after": 1})
        printed = json.loads(guard.verb("policy", "guard").stdout)
        entry, = printed["members"]
        rights = [statement for statement in entry["policy"]["Statement"]
                  if not (take and statement["Sid"].startswith("Contain"))]
        sim.add_role("TrailGuard", MEMBER, policy=rights, trust=entry["trust"]["Statement"])
        sim.call("policy", principal=GUARD, policy=printed["hub"])
        sim.add_user("saviour", MEMBER)
        if kind == "role":
            arn = sim.add_role("attacker", MEMBER)
            keys = sim.boto3("saviour", "sts", FRA).assume_role(RoleArn=arn, RoleSessionName="eve")["Credentials"]
            sim.add_keys("attacker", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        else:
            sim.add_user("attacker", MEMBER)
        guard.start().wait_guarding()
        guard.wait_status(lambda status: any(trail["arn"] == LOCAL and trail["verdict"] == "logging"
                                             for trail in status["trails"]), 20)
        return guard
    return begin


def writers(sim):
    """Who has written policies: {operation: principals}."""
    calls = {}
    for entry in sim.requests(service="iam"):
        if entry["operation"].startswith(("Put", "Delete")) and entry["principal"] and "saviour" not in entry["principal"]:
            calls.setdefault(entry["operation"], set()).add(entry["principal"].rpartition("/")[0])
    return calls


# -- an account that is reached by a role ------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["user", "role"])
def test_an_attacker_in_a_member_account_is_contained_with_the_members_rights(sim, member, kind):
    guard = member(kind=kind)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=LOCAL)
    told = wait_step(sim, "done")
    arn = f"arn:aws:iam::{MEMBER}:{kind}/attacker"
    assert told["account"] == MEMBER and told["contained"]["arn"] == arn
    session = {f"arn:aws:sts::{MEMBER}:assumed-role/TrailGuard"}
    assert writers(sim) == {f"Put{kind.title()}Policy": session}, "the guard's own user has no part in it"
    assert inline(sim, kind, "attacker")["Statement"]
    assert "AccessDenied" in refused(sim.boto3("attacker", "cloudtrail", FRA).stop_logging, Name=LOCAL)
    sim.wait_for_trail(LOCAL, within(10), logging=True)
    command = next(line for line in mails(sim)[-1].splitlines() if "trailguard release" in line)
    assert command.endswith(f"trailguard release --account {MEMBER} {kind}/attacker")
    assert guard.verb("release", "--account", MEMBER, f"{kind}/attacker").returncode == 0
    assert inline(sim, kind, "attacker") is None
    assert writers(sim)[f"Delete{kind.title()}Policy"] == session
    assert sim.call("decisions")["denied"] == [] or {entry["principal"] for entry in sim.call("decisions")["denied"]}.isdisjoint(
        {GUARD, *session})


def test_a_member_role_without_the_rights_is_one_clear_alert(sim, member):
    guard = member(take=True)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=LOCAL)
    told = wait_step(sim, "failed")
    matches(f"GetUserPolicy: AccessDenied: .*{MEMBER}:assumed-role/TrailGuard.*", told["detail"])
    assert told["account"] == MEMBER and told["severity"] == "critical"
    mail = mails(sim)[-1]
    assert "The user can still change trails and IAM." in mail and "trailguard policy guard prints" in mail
    # tried again, and not reported again; the guard's own rights are not used in place of the role's
    mark = sim.mark()
    poll(lambda: sim.requests(operation="GetUserPolicy", since=mark), within(30))
    assert steps(sim) == ["about_to", "failed"] and writers(sim) == {}
    sim.wait_for_trail(LOCAL, within(10), logging=True)
    status = guard.wait_status(lambda status: status["contained"] and status["contained"][0]["error"])
    held, = status["contained"]
    assert held["state"] == "not contained yet" and "AccessDenied" in held["error"]
    assert guard.verb("status").returncode == 2


def held_by(sim, kind):
    """The names of the guards' policies that the attacker has."""
    iam = sim.boto3("saviour", "iam", IAD)
    listed = iam.list_user_policies(UserName="attacker") if kind == "user" else iam.list_role_policies(RoleName="attacker")
    return [name for name in listed["PolicyNames"] if name.startswith(POLICY)]


# -- two guards --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["user", "role"])
def test_two_guards_hold_one_identity_and_each_gives_back_what_it_took(sim, make_guard, kind):
    """To a user both put the same policy. To a role each has its own time: the second is put beside the first."""
    sim.add_trail("victim", MAIN, FRA)
    sim.add_user("saviour", MAIN)
    guards = [make_guard(sim, regions=[FRA], trails=["victim"], poll_interval=1, attribution=True,
                         contain={"mode": "enforce", "after": 1}).start().wait_guarding() for _ in range(2)]
    arn = attacker(sim, kind)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    for guard in guards:
        guard.wait_line(f"{MAIN}: contained, confirmed: {arn}", 40)
    assert inline(sim, kind, "attacker")
    mark = sim.mark()
    poll(lambda: len(sim.requests(operation=f"Get{kind.title()}Policy", since=mark)) >= 4, within(40))
    assert not [guard for guard in guards if guard.found("others removed the policy")], "neither removes the other's"
    assert "AccessDenied" in refused(sim.boto3("attacker", "cloudtrail", FRA).stop_logging, Name=VICTIM)
    assert guards[0].verb("release", arn).returncode == 0
    # a person who releases him does so on each host: where both had the same policy, the second puts it back
    poll(lambda: held_by(sim, kind), within(40))
    guards[1].wait_status(lambda status: [held["state"] for held in status["contained"]] == ["contained"], 30)
    assert guards[1].verb("release", arn).returncode == 0
    assert held_by(sim, kind) == [], "and nothing is left of either"


# -- no room, nobody there, no memory of it ----------------------------------------------------------------------------
def test_a_role_whose_policies_leave_no_room_is_one_clear_alert(sim, enforced):  # noqa: F811
    enforced(after=1)
    attacker(sim, "role")
    full = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::bucket-{number:04}/*" for number in range(330)]}]}
    sim.boto3("saviour", "iam", IAD).put_role_policy(RoleName="attacker", PolicyName="full", PolicyDocument=json.dumps(full))
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    told = wait_step(sim, "failed")
    matches("PutRolePolicy: LimitExceeded: Maximum policy size of 10240 bytes exceeded for role attacker", told["detail"])
    assert "LimitExceeded: its own inline policies leave no room." in " ".join(mails(sim)[-1].split())
    sim.wait_for_trail(VICTIM, within(10), logging=True)
    # room is made: it is contained without another attack
    sim.boto3("saviour", "iam", IAD).delete_role_policy(RoleName="attacker", PolicyName="full")
    wait_step(sim, "done", seconds=60)
    assert steps(sim) == ["about_to", "failed", "done"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_user_that_is_deleted_meanwhile_is_held_no_longer(sim, enforced, when):  # noqa: F811
    guard = enforced(after=1)
    arn = attacker(sim)
    if when == "before":
        sim.add_fault("denied", operation="PutUserPolicy")
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    wait_step(sim, "failed" if when == "before" else "done")
    sim.remove_fault()
    for operation in ("GetUserPolicy", "PutUserPolicy", "DeleteUserPolicy"):
        sim.add_fault("error", operation=operation, code="NoSuchEntity", status=404)
    gone = wait_alert(sim, "identity.released", seconds=within(60))
    assert gone["contained"]["arn"] == arn and gone["contained"]["step"] == "gone"
    guard.wait_status(lambda status: status["contained"] == [], 20)
    assert guard.verb("release", "--list").stdout == "nobody is contained\n"


@pytest.mark.parametrize("kind", ["user", "role"])
def test_killed_after_the_write_and_before_its_record(sim, enforced, kind):  # noqa: F811
    """AWS has the policy, and the guard does not know it yet: it finds its own, and puts no second one."""
    guard = enforced(after=1)
    arn, title = attacker(sim, kind), kind.title()
    sim.add_fault("slow", operation=f"Put{title}Policy", seconds=60, after=True)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    poll(lambda: inline(sim, kind, "attacker"), within(40))
    guard.kill()
    sim.remove_fault()
    mark = sim.mark()
    guard.start().wait_guarding()
    wait_step(sim, "done")
    assert steps(sim, arn).count("about_to") == 1 and steps(sim, arn)[-1] == "done"
    assert not sim.requests(operation=f"Put{title}Policy", since=mark)
    # the same of the release
    sim.add_fault("slow", operation=f"Delete{title}Policy", seconds=60, after=True)
    with ThreadPoolExecutor() as pool:
        release = pool.submit(guard.verb, "release", arn, seconds=60)
        poll(lambda: inline(sim, kind, "attacker") is None, within(30))
        guard.kill()
        sim.remove_fault()
        guard.start().wait_guarding()
        assert release.result().returncode == 0
    assert len([told for told in documents(sim) if told["event"] == "identity.released"]) == 1
