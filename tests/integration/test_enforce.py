# SPDX-License-Identifier: Apache-2.0
"""Containment in mode "enforce": the guard takes the attacker's rights itself, says so before and after, and gives them
back when it is asked to. Whoever may be innocent is only proposed."""

import json

import pytest

from guard import within
from helpers import FRA, IAD, MAIN, documents, matches, messages, operations, refused, trail_arn, wait_alert, wait_polls
from simaws.client import poll
from test_contain import VICTIM, proposals

pytestmark = pytest.mark.usefixtures("judged_again")

POLICY = "TrailGuardContain"


@pytest.fixture
def enforced(sim, make_guard):
    """A guard that enforces with exactly the rights that `policy guard` prints, and an administrator."""
    sim.add_trail("victim", MAIN, FRA)
    sim.add_user("saviour", MAIN)

    def begin(**contain):
        guard = make_guard(sim, regions=[FRA], trails=["victim"], poll_interval=1, settings_interval=1, attribution=True,
                           contain={"mode": "enforce", **contain})
        sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy=json.loads(guard.verb("policy", "guard").stdout))
        return guard.start().wait_guarding()
    return begin


def steps(sim, arn=None):
    return [told["contained"]["step"] for told in documents(sim)
            if "contained" in told and arn in (None, told["contained"]["arn"])]


def wait_step(sim, step, count=1, seconds=30):
    return poll(lambda: steps(sim).count(step) >= count and
                [told for told in documents(sim) if "contained" in told][-1], within(seconds))


def attacker(sim, kind="user", name="attacker", **more):
    """(ARN, the session or user of that name in the simulator)"""
    if kind == "user":
        sim.add_user(name, MAIN, **more)
        return f"arn:aws:iam::{MAIN}:user/{name}"
    arn = sim.add_role(name, MAIN, **more)
    keys = sim.boto3("saviour", "sts", FRA).assume_role(RoleArn=arn, RoleSessionName="eve")["Credentials"]
    sim.add_keys(name, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return arn


def inline(sim, kind, name, policy=POLICY):
    iam = sim.boto3("saviour", "iam", IAD)
    read = iam.get_user_policy if kind == "user" else iam.get_role_policy
    try:
        return read(**{"UserName" if kind == "user" else "RoleName": name, "PolicyName": policy})["PolicyDocument"]
    except iam.exceptions.NoSuchEntityException:
        return None


def wage(sim, user, until):
    """Stops the trail again whenever it logs, as long as AWS lets him."""
    cloudtrail = sim.boto3(user, "cloudtrail", FRA)

    def stopped_and_done():
        if sim.trail(VICTIM)["status_now"]["IsLogging"]:
            assert refused(cloudtrail.stop_logging, Name=VICTIM) in ("", "AccessDeniedException")
        return until()
    return poll(stopped_and_done, within(60))


@pytest.mark.parametrize("kind", ["user", "role"])
def test_a_war_ends_and_release_gives_the_rights_back(sim, enforced, kind):
    guard = enforced()
    arn = attacker(sim, kind)
    cloudtrail = sim.boto3("attacker", "cloudtrail", FRA)
    wage(sim, "attacker", lambda: "done" in steps(sim))
    assert steps(sim) == ["about_to", "done"]
    told = [told for told in documents(sim) if "contained" in told]
    assert {entry["contained"]["arn"] for entry in told} == {arn} and {entry["event"] for entry in told} == {"identity.contained"}
    assert refused(cloudtrail.stop_logging, Name=VICTIM) == "AccessDeniedException"
    name = "attacker"
    document = inline(sim, kind, name)
    assert {entry["Sid"] for entry in document["Statement"]} == {"DenyTrailTampering", "DenyIdentityChanges",
        "DenyAlertTopicTampering"} | ({"AWSRevokeOlderSessions"} if kind == "role" else set())
    iam = sim.boto3("attacker", "iam", IAD)
    owner = {"UserName" if kind == "user" else "RoleName": name}
    assert refused(getattr(iam, f"delete_{kind}_policy"), **owner, PolicyName=POLICY) == "AccessDenied"
    sim.wait_for_trail(VICTIM, within(10), logging=True)
    guard.wait_line(f"{MAIN}: contained, confirmed: {arn}, because of ")
    assert arn in guard.verb("release", "--list").stdout
    held, = guard.wait_status(lambda status: status["contained"] and status["contained"][0]["state"] == "contained")["contained"]
    assert held["arn"] == arn and held["policy"] == POLICY and held["release"] == (
        f"sudo trailguard release --account {MAIN} {kind}/{name}")
    shown = guard.verb("status").stdout
    assert "; 1 identity is contained" in shown and f"until you run: {held['release']}\n" in shown
    done = guard.verb("release", f"{kind}/{name}")
    assert done.returncode == 0 and done.stdout == f"released {arn}\n", done.stderr
    released = wait_alert(sim, "identity.released", seconds=within(20))
    assert released["severity"] == "warning" and "uid" in released["detail"] and inline(sim, kind, name) is None
    assert guard.verb("release", "--list").stdout == "nobody is contained\n"
    guard.wait_status(lambda status: status["contained"] == [])
    assert refused(cloudtrail.stop_logging, Name=VICTIM) == ""
    # what he did before counts no longer, and is not found again
    mark = sim.mark()
    poll(lambda: "GetTrailStatus" in operations(sim, since=mark), within(10))
    assert steps(sim).count("about_to") == 1
    used = operations(sim)
    assert not {name for name in used if name.startswith(("Put", "Delete"))} - {f"Put{kind.title()}Policy", f"Delete{kind.title()}Policy"}


def test_a_role_with_the_longest_path_is_held_itself_and_released(sim, enforced):
    """Where a text of 255 bytes would end, its path has the name of another."""
    guard = enforced()
    path = "/" + "p" * 215 + "/innocent/"
    path += "q" * (511 - len(path)) + "/"
    sim.add_role("innocent", MAIN)
    arn = attacker(sim, "role", path=path)
    wage(sim, "attacker", lambda: "done" in steps(sim))
    assert {told["contained"]["arn"] for told in documents(sim) if "contained" in told} == {arn} and len(path) == 512
    assert inline(sim, "role", "attacker") and inline(sim, "role", "innocent") is None
    assert f"{arn}  since " in guard.verb("release", "--list").stdout
    held, = guard.wait_status(lambda status: status["contained"])["contained"]
    assert held["arn"] == arn and held["release"] == f"sudo trailguard release --account {MAIN} role/attacker"
    done = guard.verb("release", arn)
    assert done.returncode == 0 and done.stdout == f"released {arn}\n", done.stderr
    assert inline(sim, "role", "attacker") is None


def test_three_tamperings_of_any_pace(sim, enforced):
    enforced(after=2)
    attacker(sim)
    cloudtrail = sim.boto3("attacker", "cloudtrail", FRA)
    for count in (1, 2):
        cloudtrail.stop_logging(Name=VICTIM)
        wait_alert(sim, "trail.attributed", seconds=within(30), count=count)
        sim.wait_for_trail(VICTIM, within(10), logging=True)
    told = wait_step(sim, "done")
    assert told["contained"]["reason"] == "2 tamperings within an hour"


def test_others_who_free_him_are_reported_and_it_is_put_back_within_limits(sim, enforced):
    guard = enforced(after=1)
    arn = attacker(sim)
    sim.add_user("accomplice", MAIN)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    wait_step(sim, "done")
    iam = sim.boto3("accomplice", "iam", IAD)
    iam.delete_user_policy(UserName="attacker", PolicyName=POLICY)
    wait_step(sim, "done", count=2)
    assert steps(sim) == ["about_to", "done", "removed_by_others", "done"]
    guard.wait_line("others removed the policy that contains")
    assert "AWS accepted it" not in guard.stderr()  # nothing of the guard's has failed
    # what he overwrites stays as he wrote it, and the guard's comes beside it
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="attacker", PolicyName=f"{POLICY}-2", PolicyDocument=json.dumps(theirs))
    wait_step(sim, "done", count=3)
    assert inline(sim, "user", "attacker", f"{POLICY}-2") == theirs
    assert refused(sim.boto3("attacker", "cloudtrail", FRA).stop_logging, Name=VICTIM) == "AccessDeniedException"
    for number in (3, 4, 5):
        iam.delete_user_policy(UserName="attacker", PolicyName=f"{POLICY}-{number}")
        poll(lambda: steps(sim).count("removed_by_others") + steps(sim).count("given_up") == number, within(40))
        if number < 5:
            wait_step(sim, "done", count=number + 1)
    assert steps(sim)[-1] == "given_up" and steps(sim).count("done") == 5
    guard.wait_line("others removed the policy too often")
    assert guard.verb("release", arn).returncode == 0


def test_nobody_is_contained_before_that_is_on_the_disk(sim, enforced):
    """After a crash nobody would know whom the guard holds."""
    guard = enforced(after=1)
    attacker(sim)
    state = guard.state / "state.json"
    state.unlink()
    (state / "in the way").mkdir(parents=True)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    guard.wait_line("state.json: cannot be written", 20)
    wait_step(sim, "about_to")
    wait_polls(sim, 3, FRA)
    assert inline(sim, "user", "attacker") is None
    (state / "in the way").rmdir()
    state.rmdir()
    wait_step(sim, "done")


def test_a_policy_of_that_name_that_others_put_stays(sim, enforced):
    enforced(after=1)
    attacker(sim)
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    sim.boto3("saviour", "iam", IAD).put_user_policy(UserName="attacker", PolicyName=POLICY, PolicyDocument=json.dumps(theirs))
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    told = wait_step(sim, "done")
    assert told["contained"]["policy"] == f"{POLICY}-2" and inline(sim, "user", "attacker") == theirs


def test_a_crash_between_the_steps_and_a_denial_are_got_over(sim, enforced):
    guard = enforced(after=1)
    arn = attacker(sim)
    sim.add_fault("denied", operation="PutUserPolicy")
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    told = wait_step(sim, "failed")
    matches("PutUserPolicy: AccessDenied: .*request id", told["detail"])
    guard.kill()
    assert arn in guard.verb("release", "--list").stdout
    matches("no daemon runs", guard.verb("release", arn).stderr)
    sim.remove_fault()
    guard.start().wait_guarding()
    wait_step(sim, "done")
    assert steps(sim).count("about_to") == 1 and steps(sim).count("failed") == 1
    mark = sim.mark()
    guard.kill()
    guard.start().wait_guarding()
    poll(lambda: "GetUserPolicy" in operations(sim, since=mark), within(20))
    assert "PutUserPolicy" not in operations(sim, since=mark) and steps(sim).count("done") == 1


def test_decoys_do_not_use_up_the_day(sim, enforced):
    """The last of a day is kept for a war; users that he makes take the others, and their number is the limit."""
    guard = enforced(after=1, max_per_day=2)
    for number in range(2):
        attacker(sim, name=f"decoy-{number}")
        sim.boto3(f"decoy-{number}", "cloudtrail", FRA).update_trail(Name=VICTIM, S3KeyPrefix=f"decoy-{number}")
        wait_alert(sim, "trail.attributed", seconds=within(30), count=number + 1)
    guard.wait_line("containment proposed: .*user/decoy-1.*not enforced: contain.max_per_day is reached")
    wait_step(sim, "done")
    arn = attacker(sim)
    wage(sim, "attacker", lambda: steps(sim, arn).count("done"))
    assert len({told["contained"]["arn"] for told in documents(sim) if "contained" in told}) == 2
    assert inline(sim, "user", "decoy-1") is None


@pytest.mark.parametrize("case", ["service role", "instance", "observe", "never", "like the guard"])
def test_whoever_may_be_innocent_is_not_touched(sim, make_guard, case):
    sim.add_trail("victim", MAIN, FRA)
    sim.add_user("saviour", MAIN)
    contain = {"mode": "enforce", "after": 1, **({"never": ["arn:aws:iam::*:role/Deploy*"]} if case == "never" else {})}
    guard = make_guard(sim, regions=[FRA], trails=["victim"], poll_interval=1, attribution=True, contain=contain,
                       mode="observe" if case == "observe" else "restart").start().wait_guarding()
    names = {"service role": "Runner", "instance": "Web", "observe": "Admin", "never": "Deployer", "like the guard": "guard"}
    arn = sim.add_role(names[case], MAIN, path="/service-role/" if case == "service role" else "/")
    session = "i-0123456789abcdef0" if case == "instance" else "eve"
    keys = sim.boto3("saviour", "sts", FRA).assume_role(RoleArn=arn, RoleSessionName=session)["Credentials"]
    sim.add_keys("attacker", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    wait_alert(sim, "trail.attributed", seconds=within(30))
    if case == "like the guard":        # a role is no user: its name alone exempts nobody
        wait_step(sim, "done")
        return
    if case == "never":
        guard.wait_line("containment not proposed: .*contain.never names it")
    else:
        guard.wait_line(f"containment proposed: {arn}.*not enforced: ")
        assert [entry["arn"] for entry in proposals(sim)] == [arn]
    assert not steps(sim) and not {"PutRolePolicy", "PutUserPolicy"} & set(operations(sim))


def test_release_refuses_what_it_does_not_know_and_what_was_changed(sim, enforced):
    guard = enforced(after=1)
    arn = attacker(sim)
    matches("not contained", guard.verb("release", "user/attacker").stderr)
    sim.boto3("attacker", "cloudtrail", FRA).stop_logging(Name=VICTIM)
    wait_step(sim, "done")
    theirs = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
    sim.boto3("saviour", "iam", IAD).put_user_policy(UserName="attacker", PolicyName=POLICY, PolicyDocument=json.dumps(theirs))
    done = guard.verb("release", arn)
    assert done.returncode == 1
    matches("not released, the daemon retries: a policy of that name says something else", done.stderr)
    assert inline(sim, "user", "attacker") == theirs and wait_step(sim, "not_released")
