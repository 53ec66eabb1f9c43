# SPDX-License-Identifier: Apache-2.0
"""The policies that `trailguard policy` prints: enough for the guard, nothing that it does not use, and a wall for others."""

import json

import pytest

import iam_oracle
from guard import TOP, within
from helpers import FRA, IAD, MAIN, MEMBER, ORG_TRAIL, TOPIC, events, refused, sns, topic_arn, trail_arn, wait_alert
from simaws.client import poll

pytestmark = pytest.mark.usefixtures("judged_again")

OTHER = "777788889999"
ADMINISTRATOR = {"Sid": "All", "Effect": "Allow", "Action": "*", "Resource": "*"}
GUARD = f"arn:aws:iam::{MAIN}:user/guard"


def printed(guard, what, **options):
    done = guard.verb("policy", what, **options)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    document = json.loads(done.stdout)
    if iam_oracle.place():
        assert iam_oracle.remarks(parts(what, document)) == []
    return document


def parts(what, document):
    """(kind, policy) of each policy in what is printed."""
    if "hub" not in document:
        return [("scp" if what == "scp" else "identity", document)]
    members = [(kind, member[name]) for member in document["members"]
               for kind, name in (("identity", "policy"), ("trust", "trust")) if name in member]
    return [("identity", document["hub"]), *members]


def actions(policy):
    """Every action of a policy, one by one, whatever its form."""
    found = set()
    for statement in policy["Statement"]:
        listed = statement["Action"]
        found |= {listed} if isinstance(listed, str) else set(listed)
    return found


def spelt(action):
    """IAM does not mind the case; SNS signs and reports in capitals."""
    service, _, name = action.partition(":")
    return f"{service.lower()}:{name}"


def used_actions(sim, principal):
    return {action for entry in sim.call("decisions")["used"] if principal in entry["principal"]
            and entry["effect"] == "Allow" for action in map(spelt, entry["actions"])}


def limit(sim, principal, policy):
    sim.call("policy", principal=principal, policy=policy["Statement"])


def a_full_cycle(sim, guard, *arns):
    """Seen, stopped, started again, told."""
    guard.start().wait_guarding()
    guard.wait_status(lambda status: status["trails"] and all(trail["verdict"] == "logging" for trail in status["trails"]))
    for arn in arns:
        sim.trail(arn, logging=False)
        sim.wait_for_trail(arn, within(10), logging=True)
    wait_alert(sim, "trail.stopped", count=len(arns))
    guard.wait_delivered()
    assert [event for event in events(sim) if event != "trail.attributed"] == ["trail.stopped"] * len(arns)
    assert sim.call("decisions")["denied"] == []


@pytest.mark.skipif(not iam_oracle.place(), reason="needs node, npm and the packages of tests/npm")
def test_the_oracle_can_disagree(sim):
    """Each of its answers once, so that its silence in the other tests says something."""
    stop = {"Effect": "Allow", "Action": ["cloudtrail:StopTrail", "cloudtrail:StopLogging"], "Resource": topic_arn("alerts")}
    found = iam_oracle.remarks([("identity", {"Version": "2012-10-17", "Statement": [stop, {"Effect": "Maybe"}]})])
    assert any("cloudtrail:StopTrail is no action of AWS" in remark for remark in found)
    assert any("cloudtrail:StopLogging is never asked of" in remark for remark in found)
    assert any("Effect" in remark for remark in found)
    sim.add_user("nobody", MAIN, policy=[])
    assert refused(sim.boto3("nobody", "cloudtrail", FRA).stop_logging, Name=ORG_TRAIL) == "AccessDeniedException"
    (case,) = [case for case in sim.call("decisions")["cases"] if case["principal"].endswith("/nobody")]
    assert iam_oracle.disagreements([case]) == []
    assert len(iam_oracle.disagreements([{**case, "allowed": True}])) == 1


INSIGHTS = [{"InsightType": "ApiCallRateInsight"}]


@pytest.mark.parametrize("mode", ["restart", "observe"])
def test_the_printed_policy_is_enough_and_every_action_in_it_is_used(sim, make_guard, mode):
    sim.add_trail("insightful", MAIN, FRA, insight_selectors=INSIGHTS)
    guard = make_guard(sim, regions=[FRA, IAD], mode=mode, attribution=True)
    policy = printed(guard, "guard")
    if mode == "restart":  # reads are of any trail: an organization's belongs to another account
        assert f"arn:aws:cloudtrail:*:{MAIN}:trail/*" in [statement["Resource"] for statement in policy["Statement"]]
    assert ("cloudtrail:StartLogging" in actions(policy)) == (mode == "restart")
    limit(sim, GUARD, policy)
    if mode == "restart":
        a_full_cycle(sim, guard, ORG_TRAIL)
    else:
        guard.start().wait_guarding()
        sim.trail(ORG_TRAIL, logging=False)
        wait_alert(sim, "trail.stopped")
    guard.reload()              # checks the topic at once
    poll(lambda: used_actions(sim, GUARD) == actions(policy), within(15))
    assert sim.unused_statements(policy, GUARD) == [] and sim.call("decisions")["denied"] == []


def test_the_printed_policies_of_hub_and_members_are_enough_and_used(sim, make_guard):
    """A role with an external id, the organization's members by a role of one name, and the trust policies."""
    organization = {"role_name": "TrailGuardMember", "refresh": 3600}
    accounts = [{}, {"role_arn": f"arn:aws:iam::{MEMBER}:role/TrailGuard", "external_id": "secret:1"}]
    guard = make_guard(sim, accounts=accounts, organization=organization, attribution=True)
    document = printed(guard, "guard")
    named, member = document["members"]
    assert named["role_arn"] == accounts[1]["role_arn"] and member["role_arn"] == "arn:aws:iam::*:role/TrailGuardMember"
    for account, entry in ((MEMBER, named), (OTHER, member)):
        sim.add_account(account, regions=[FRA])
        sim.add_trail("local", account, FRA, insight_selectors=INSIGHTS)
        sim.add_role(entry["role_arn"].rpartition("/")[2], account, policy=entry["policy"]["Statement"],
                     trust=entry["trust"]["Statement"])
    sim.add_trail("insightful", MAIN, FRA, insight_selectors=INSIGHTS)
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER])
    limit(sim, GUARD, document["hub"])
    a_full_cycle(sim, guard, ORG_TRAIL, trail_arn("local", FRA, MEMBER), trail_arn("local", FRA, OTHER))
    guard.reload()              # checks the topic at once
    poll(lambda: used_actions(sim, GUARD) == actions(document["hub"]), within(15))
    for account, entry in ((MEMBER, named), (OTHER, member)):
        poll(lambda: used_actions(sim, f"::{account}:") == actions(entry["policy"]), within(15))
    assert sim.call("decisions")["denied"] == []


def test_the_printed_policy_is_enough_to_put_everything_back(sim, make_guard, mallory):
    """Mode restore with all its words and bucket_checks: settings, selectors, insights, tags, a deleted trail, which is the
    organization's."""
    log_role = f"arn:aws:iam::{MAIN}:role/ToLogs"
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.add_role("ToLogs", MAIN)
    arn = sim.add_trail("kept", MAIN, FRA, insight_selectors=INSIGHTS, tags={"team": "blue"},
                        event_configuration={"MaxEventSize": "Large"}, settings={
        "IsOrganizationTrail": True, "S3BucketName": "example-kept", "LogFileValidationEnabled": True, "KmsKeyId": f"arn:aws:kms:{FRA}:{MAIN}:key/k1",
        "CloudWatchLogsLogGroupArn": f"arn:aws:logs:{FRA}:{MAIN}:log-group:trails:*", "CloudWatchLogsRoleArn": log_role})
    guard = make_guard(sim, mode="restore", restore=["settings", "selectors", "insights", "deleted"], bucket_checks=True,
                       settings_interval=1, trails=["kept"])
    policy = printed(guard, "guard")
    limit(sim, GUARD, policy)
    guard.start().wait_guarding()
    guard.wait_line("kept.*baseline|baseline.*kept", 15)
    client = mallory.client(arn)
    client.update_trail(Name=arn, EnableLogFileValidation=False)
    sim.wait_for_request(within(20), operation="UpdateTrail", principal=GUARD, status=200)
    client.put_event_selectors(TrailName=arn, EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    sim.wait_for_request(within(20), operation="PutEventSelectors", principal=GUARD, status=200)
    client.put_insight_selectors(TrailName=arn, InsightSelectors=[])
    sim.wait_for_request(within(20), operation="PutInsightSelectors", principal=GUARD, status=200)
    client.put_event_configuration(TrailName=arn, MaxEventSize="Standard")
    sim.wait_for_request(within(20), operation="PutEventConfiguration", principal=GUARD, status=200)
    client.stop_logging(Name=arn)
    sim.wait_for_trail(arn, within(10), logging=True)
    client.remove_tags(ResourceId=arn, TagsList=[{"Key": "team", "Value": "blue"}])
    client.add_tags(ResourceId=arn, TagsList=[{"Key": "extra", "Value": "1"}])
    sim.wait_for_request(within(20), operation="RemoveTags", principal=GUARD, status=200)
    client.delete_trail(Name=arn)
    sim.wait_for_request(within(20), operation="CreateTrail", principal=GUARD, status=200)
    guard.reload()              # checks the topic at once
    poll(lambda: used_actions(sim, GUARD) == actions(policy), within(20))
    assert sim.call("decisions")["denied"] == []


@pytest.mark.parametrize("with_role", [True, False], ids=["a role in the management account", "none there"])
def test_the_printed_policies_are_enough_for_a_delegated_administrator(sim, make_guard, mallory, with_role):
    """The organization's trail is the management account's: with a role there it is written to by that, else by the base
    credentials. Their account has a trail of its own besides."""
    sim.add_topic(topic := f"arn:aws:sns:{FRA}:{MEMBER}:alerts")
    sim.add_user("hub", MEMBER)
    hub, own = f"arn:aws:iam::{MEMBER}:user/hub", sim.add_trail("own", MEMBER, FRA)
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    guard = make_guard(sim, "hub", organization={"role_name": "TrailGuard"}, mode="restore", settings_interval=1,
                       restore=["settings", "selectors", "insights", "deleted"], alerts=sns(topic), unreachable_after=1)
    document = printed(guard, "guard")
    (member,) = document["members"]
    if with_role:
        sim.add_role("TrailGuard", MAIN, policy=member["policy"]["Statement"], trust=member["trust"]["Statement"])
    limit(sim, hub, document["hub"])
    guard.start().wait_guarding()
    verdict = "logging" if with_role else "protected"
    guard.wait_status(lambda status: {trail["name"]: trail["verdict"] for trail in status["trails"]} ==
                      {"org-trail": verdict, "own": "logging"}, 20)
    poll(lambda: len(list((guard.state / "baselines").glob("*.json"))) == 2, within(15))
    for arn in (ORG_TRAIL, own):
        sim.trail(arn, logging=False)
        sim.wait_for_trail(arn, within(10), logging=True)
    client = mallory.client(ORG_TRAIL)
    change = {"IsOrganizationTrail": False} if with_role else {"S3KeyPrefix": "elsewhere"}   # the former is hidden from members
    client.update_trail(Name=ORG_TRAIL, **change)
    poll(lambda: {name: sim.trail(ORG_TRAIL)["settings"].get(name) for name in change} != change, within(20))
    client.put_event_selectors(TrailName=ORG_TRAIL, EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    sim.wait_for_request(within(20), operation="PutEventSelectors", principal="*uard*" if with_role else hub, status=200)
    mallory.delete(ORG_TRAIL)
    wait_alert(sim, "trail.missing", topic, 20, holds=lambda told: told["action"]["result"] == "confirmed")
    assert sim.trail(ORG_TRAIL)["settings"]["IsOrganizationTrail"] and sim.trail(ORG_TRAIL)["logging"]
    assert [entry for entry in sim.call("decisions")["denied"] if entry["action"] != "sts:AssumeRole"] == []
    sim.clear_failures()


def test_the_deny_policy_of_a_delegated_administrator_covers_the_organizations_trail(sim, make_guard):
    sim.add_user("hub", MEMBER)
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    policy = printed(make_guard(sim, "hub", organization={"role_name": "TrailGuard"}), "deny")["hub"]
    sim.add_user("other-admin", MEMBER, policy=[ADMINISTRATOR, *policy["Statement"]])
    cloudtrail = sim.boto3("other-admin", "cloudtrail", FRA)
    assert refused(cloudtrail.stop_logging, Name=ORG_TRAIL) == "AccessDeniedException"
    assert sim.trail(ORG_TRAIL)["status_now"]["IsLogging"]


def test_the_trust_policy_names_the_role_of_a_session(sim, make_guard):
    keys = sim.add_user("other", MAIN)
    assert keys
    sim.add_role("Hub", MAIN)
    sim.call("imds", account=MAIN, role="Hub")
    guard = make_guard(sim, user=None, accounts=[{"role_arn": f"arn:aws:iam::{MEMBER}:role/TrailGuard"}],
                       env={**sim.env_for("guard", imds=True), "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})
    (entry,) = printed(guard, "guard")["members"]
    assert entry["trust"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{MAIN}:role/Hub"}
    assert "Condition" not in entry["trust"]["Statement"][0]


def test_without_an_answer_a_word_stands_for_the_guard(sim, make_guard):
    guard = make_guard(sim, accounts=[{"role_arn": f"arn:aws:iam::{MEMBER}:role/TrailGuard"}], aws={"max_attempts": 1})
    done = guard.verb("policy", "guard", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert done.returncode == 0 and done.stderr.count("\n") == 1 and "GUARD_ARN" in done.stderr
    assert json.loads(done.stdout)["members"][0]["trust"]["Statement"][0]["Principal"] == {"AWS": "GUARD_ARN"}


CHANGES = [("stop_logging", "Name", {}), ("delete_trail", "Name", {}),
           ("update_trail", "Name", {"IncludeGlobalServiceEvents": True}),
           ("put_event_selectors", "TrailName", {"EventSelectors": [{"ReadWriteType": "ReadOnly"}]})]


def test_without_an_answer_a_single_account_is_any_and_that_is_said(sim, make_guard):
    done = make_guard(sim).verb("policy", "guard", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert done.returncode == 0 and done.stderr.count("\n") == 1 and "replace the account *" in done.stderr
    assert "arn:aws:cloudtrail:*:*:trail/*" in done.stdout


def test_each_account_with_a_role_has_a_deny_policy_of_its_own(sim, make_guard):
    role = f"arn:aws:iam::{OTHER}:role/TrailGuard"
    documents = printed(make_guard(sim, accounts=[{}, {"role_arn": role}]), "deny")
    assert f"arn:aws:cloudtrail:*:{MAIN}:trail/*" in json.dumps(documents["hub"]) and OTHER not in json.dumps(documents["hub"])
    [member] = documents["members"]
    text = json.dumps(member["policy"])
    assert member["role_arn"] == role and MAIN not in text and role in text
    assert f"arn:aws:cloudtrail:*:{OTHER}:trail/*" in text and f"arn:aws:iam::{OTHER}:role/TrailGuardBreakGlass" in text


@pytest.mark.parametrize("what", ["deny", "scp"])
def test_a_wall_that_knows_not_whom_to_let_through_is_not_printed(sim, make_guard, what):
    done = make_guard(sim, aws={"max_attempts": 1}).verb("policy", what, env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1) and "who the guard is" in done.stderr


def test_the_deny_policy_keeps_an_administrator_off_and_lets_him_start_a_trail(sim, make_guard):
    policy = printed(make_guard(sim), "deny")
    limit(sim, f"arn:aws:iam::{MAIN}:user/mallory", {"Statement": [ADMINISTRATOR, *policy["Statement"]]})
    cloudtrail = sim.boto3("mallory", "cloudtrail", FRA)
    for operation, member, more in CHANGES:
        assert refused(getattr(cloudtrail, operation), **{member: ORG_TRAIL}, **more) == "AccessDeniedException"
    assert refused(cloudtrail.start_logging, Name=ORG_TRAIL) == ""


def test_the_scp_binds_a_member_fits_in_and_exempts_the_guard(sim, make_guard):
    guard = make_guard(sim, organization={"role_name": "TrailGuard"})
    scp = printed(guard, "scp")
    assert len(json.dumps(scp, separators=(",", ":"))) <= 5120, "AWS takes no larger one"
    local = sim.add_trail("local", MEMBER, FRA)
    sim.call("account", id=MEMBER, regions=[FRA], scp=scp["Statement"])
    sim.add_user("admin", MEMBER, policy=[ADMINISTRATOR])
    cloudtrail = sim.boto3("admin", "cloudtrail", FRA)
    for operation, member, more in CHANGES:
        assert refused(getattr(cloudtrail, operation), **{member: local}, **more) == "AccessDeniedException"
    roles = next(statement for statement in scp["Statement"] if statement["Sid"] == "DenyGuardRoleTampering")
    assert roles["Resource"] == ["arn:aws:iam::*:role/TrailGuard"]


def exempt(policy, sid="DenyTrailTampering"):
    (found,) = [statement for statement in policy["Statement"] if statement["Sid"] == sid]
    return found["Condition"]["ArnNotLike"]["aws:PrincipalArn"]


def test_guards_that_the_configuration_names_are_let_through_and_kept(sim, make_guard):
    """A second guard with a role of its own, in this account and in a member; as option guards names it, so by a session too."""
    organization = {"role_name": "TrailGuard"}
    guards = [f"arn:aws:sts::{MAIN}:assumed-role/Second/host-b", "arn:aws:iam::*:role/guards/Third",
              f"arn:aws:iam::{OTHER}:user/fourth", "arn:aws-cn:iam::*:role/NotHere", GUARD]
    guard = make_guard(sim, organization=organization, mode="restore", guards=guards)
    hub = exempt(printed(guard, "deny")["hub"])
    second = [f"arn:aws:iam::{MAIN}:role/Second", f"arn:aws:iam::{MAIN}:role/*/Second"]
    assert hub == [GUARD, *second, f"arn:aws:iam::{MAIN}:role/guards/Third", f"arn:aws:iam::{MAIN}:role/TrailGuardBreakGlass"]
    (member,) = printed(guard, "deny")["members"]
    assert exempt(member["policy"])[0] == "arn:aws:iam::*:role/TrailGuard" and guards[2] in exempt(member["policy"])
    scp = printed(guard, "scp")
    assert {GUARD, *second, guards[1], guards[2], "arn:aws:iam::*:role/TrailGuard"} < set(exempt(scp))
    assert not any("NotHere" in arn for arn in exempt(scp))
    roles = next(statement for statement in scp["Statement"] if statement["Sid"] == "DenyGuardRoleTampering")
    assert second[0] in roles["Resource"] and exempt(scp, "DenyGuardRoleTampering") == [
        "arn:aws:iam::*:role/TrailGuardBreakGlass"]


def test_a_session_of_a_named_guard_may_write_where_others_may_not(sim, make_guard):
    policy = printed(make_guard(sim, mode="restore", guards=[f"arn:aws:sts::{MAIN}:assumed-role/Second/host-b"]), "deny")
    trust = [{"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "sts:AssumeRole"}]
    everything = [ADMINISTRATOR, *policy["Statement"]]
    limit(sim, f"arn:aws:iam::{MAIN}:user/mallory", {"Statement": everything})
    for name, code in (("hidden/in/a/path/Second", ""), ("Second2", "AccessDeniedException")):
        arn = sim.add_role(name, MAIN, policy=everything, trust=trust)
        keys = sim.boto3("mallory", "sts", FRA).assume_role(RoleArn=arn, RoleSessionName="host-b")["Credentials"]
        sim._users[name] = {"access_key": keys["AccessKeyId"], "secret": keys["SecretAccessKey"], "token": keys["SessionToken"]}
        cloudtrail = sim.boto3(name, "cloudtrail", FRA)
        assert refused(cloudtrail.update_trail, Name=ORG_TRAIL, IncludeGlobalServiceEvents=True) == code, name


def test_without_restore_no_guard_is_exempted_and_that_is_said(sim, make_guard):
    guard = make_guard(sim, guards=[f"arn:aws:iam::{MAIN}:role/Second"])
    for what in ("deny", "scp"):
        done = guard.verb("policy", what)
        assert done.returncode == 0 and done.stderr.count("\n") == 1 and "mode \"restore\"" in done.stderr
        assert "Second" not in json.dumps(exempt(json.loads(done.stdout)))


def test_many_roles_fit_by_their_names(sim, make_guard):
    accounts = [{"role_arn": f"arn:aws:iam::9000000{number:05}:role/TrailGuard"} for number in range(400)]
    guard = make_guard(sim, accounts=accounts, mode="restore")
    done = guard.verb("policy", "scp")
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.strip()) <= 5120, "white space counts, too"
    assert exempt(json.loads(done.stdout))[1] == "arn:aws:iam::*:role/TrailGuard"
    done = guard.verb("policy", "guard")
    assert done.returncode == 0 and "do not fit" in done.stderr and done.stderr.count("\n") == 1
    hub = json.loads(done.stdout)["hub"]
    assert len(json.dumps(hub, separators=(",", ":"))) <= 6144
    (assumed,) = [entry["Resource"] for entry in hub["Statement"] if entry["Action"] == "sts:AssumeRole"]
    assert assumed == ["arn:aws:iam::*:role/TrailGuard"]


@pytest.mark.parametrize("what, most, kind", [("deny", 6144, "managed policy"), ("scp", 5120, "service control policy")])
def test_what_aws_would_not_take_is_not_printed(sim, make_guard, what, most, kind):
    guards = [f"arn:aws:iam::{MAIN}:role/guards/a-guard-with-a-long-name-{number:03}" for number in range(100)]
    done = make_guard(sim, mode="restore", guards=guards).verb("policy", what)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert str(most) in done.stderr and kind in done.stderr


@pytest.mark.parametrize("name, what", [("guard", "guard"), ("deny", "deny")])
def test_the_shipped_examples_are_what_is_printed(sim, make_guard, name, what):
    """In their words and actions; the examples are made for one account and its trails."""
    guard = make_guard(sim, alerts=sns(topic_arn("trailguard")))
    mine = printed(guard, what)
    shipped = json.loads((TOP / f"conf/iam/{name}.json").read_text())
    wanted = {statement["Sid"]: actions({"Statement": [statement]}) for statement in shipped["Statement"]}
    for statement in mine["Statement"]:
        assert actions({"Statement": [statement]}) == wanted[statement["Sid"]], statement["Sid"]


def test_a_verb_without_a_word_says_which(sim, make_guard):
    done = make_guard(sim).verb("policy")
    assert done.returncode == 1 and "guard, deny, scp" in done.stderr
