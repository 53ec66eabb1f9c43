# SPDX-License-Identifier: Apache-2.0
"""guard_checks: the guard's own users, roles, topics and subscriptions are attacked with the real SDK."""

import json

import pytest

from faulted import PRELOAD, preloaded
from guard import within
from helpers import FRA, IAD, MAIN, MEMBER, TOPIC, documents, wait_alert, wait_polls
from schemas import validated
from simaws.client import poll
from test_attribution import record
from test_credentials import guard_with_file, keys_file, write_keys  # noqa: F401
from test_receivers import Receiver

pytestmark = pytest.mark.usefixtures("judged_again")

GUARD = f"arn:aws:iam::{MAIN}:user/guard"
HUB = f"arn:aws:iam::{MAIN}:role/hub"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NEVER = {"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"}


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def iam(sim):
    return sim.boto3("mallory", "iam", IAD)


def watching(make_guard, sim, receiver=None, **options):
    """A guard that has checked its own access once, in each account."""
    channels = [{"type": "sns", "topic_arn": TOPIC}]
    if receiver:
        channels.append({"type": "webhook", "url": receiver.url})
    guard = make_guard(sim, **{"regions": [FRA], "guard_checks": True, "guard_interval": 10, "alerts": channels,
                               "attribution": True, **options})
    guard.start().wait_guarding()
    principals = {GUARD, *(account["role_arn"] for account in options.get("accounts", []) if account)}
    poll(lambda: principals <= {record["arn"] for record in records(guard) if record.get("simulated")}, within(30))
    return guard


def records(guard):
    """What state.json has of the guard's own access."""
    try:
        return json.loads((guard.state / "state.json").read_text()).get("guards", [])
    except FileNotFoundError:
        return []


def posted(receiver, event):
    """The documents of that event that the receiver took."""
    return [validated(entry, "alert") for entry in receiver.taken() if entry["event"] == event]


def wait_posted(receiver, event):
    return poll(lambda: posted(receiver, event), within(30), 0.05)[0]


def test_a_healthy_guard_has_nothing_to_say(sim, make_guard):
    guard = watching(make_guard, sim)
    kinds = {part["kind"] for record in records(guard) for part in record["parts"]}
    assert {"inline_policy", "access_key"} <= kinds, kinds
    assert not [entry for entry in documents(sim) if entry["event"].startswith("guard.")]


def test_all_rights_are_gone_and_the_webhook_says_so(sim, make_guard, receiver, iam):
    """SNS is denied like everything else: what is outside AWS has the message all the same."""
    guard = watching(make_guard, sim, receiver)
    iam.delete_user_policy(UserName="guard", PolicyName="scenario")
    lost = wait_posted(receiver, "guard.rights_lost")
    assert lost["severity"] == "critical" and lost["account"] == MAIN
    assert "IAM may not be asked any more" in lost["detail"]
    assert not [entry for entry in documents(sim) if entry["event"] == "guard.rights_lost"]
    iam.put_user_policy(UserName="guard", PolicyName="again", PolicyDocument=json.dumps(ALLOW))
    assert wait_posted(receiver, "guard.rights_restored")["incident"] == lost["incident"]
    assert guard.stop() == 0


def test_a_right_is_lost_before_it_is_used(sim, make_guard, iam):
    """No call of the guard is denied: no trail is stopped. It is reminded of until it ends."""
    guard = watching(make_guard, sim, reminder_interval=5, metrics_file="metrics.prom")
    iam.put_user_policy(UserName="guard", PolicyName="no", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [NEVER]}))
    lost = wait_alert(sim, "guard.rights_lost", seconds=30)
    assert lost["severity"] == "critical" and "cloudtrail:StartLogging on " in lost["detail"]
    changed = wait_alert(sim, "guard.changed", seconds=30)
    assert "the inline policy no was added" in changed["detail"]
    assert changed["actor"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory"
    shown, = guard.wait_status(lambda status: status["rights_lost"])["rights_lost"]
    assert shown["arn"] == GUARD and shown["account"] == MAIN and "cloudtrail:StartLogging on " in shown["text"]
    done = guard.verb("status")
    assert done.returncode == 2 and f"\nRIGHTS THAT THE GUARD LACKS\n{GUARD}  since {shown['since']}  critical\n" in done.stdout
    poll(lambda: f"trailguard_rights_lost{{guard=\"trailguard\"}} {shown['count']}\n" in
         (guard.runtime / "metrics.prom").read_text(), within(30))
    reminders = poll(lambda: (found := [entry for entry in documents(sim) if entry["event"] == "incident.reminder"])[1:] and found,
                     within(60))
    assert {entry["incident"] for entry in reminders} == {lost["incident"]}
    assert [entry["sequence"] for entry in reminders[:2]] == [2, 3] and reminders[0]["severity"] == "critical"
    assert "cloudtrail:StartLogging on " in reminders[0]["detail"]
    iam.delete_user_policy(UserName="guard", PolicyName="no")
    assert wait_alert(sim, "guard.rights_restored", seconds=30)["incident"] == lost["incident"]
    status = guard.wait_status(lambda status: status["rights_lost"] == [])
    assert "lacks" not in status["line"]


def test_reads_of_the_guards_user_hide_nobody(sim, make_guard, iam):
    """More of them than a page of the history has, all later than the change."""
    guard = watching(make_guard, sim)
    sim.call("settings", history_reads=True)
    poll(lambda: GUARD in {record["arn"] for record in records(guard)}, within(20))
    with sim.fault("hold", operation="GetUser", user_agent="TrailGuard*"):
        iam.put_user_policy(UserName="guard", PolicyName="more", PolicyDocument=json.dumps(ALLOW))
        for _ in range(120):
            iam.get_user(UserName="guard")
    changed = wait_alert(sim, "guard.changed", seconds=30)
    assert "the inline policy more was added" in changed["detail"]
    assert changed["actor"] and changed["actor"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory"


def test_a_change_is_told_once_also_over_a_restart(sim, make_guard, iam):
    guard = watching(make_guard, sim)
    iam.create_access_key(UserName="guard")
    changed = wait_alert(sim, "guard.changed", seconds=30)
    assert changed["severity"] == "warning" and "the access key AKIA..." in changed["detail"]
    poll(lambda: sum(part["kind"] == "access_key" for record in records(guard) for part in record["parts"]) == 2, within(20))
    assert guard.stop() == 0
    mark = sim.mark()
    guard.start().wait_guarding()
    poll(lambda: [call for call in sim.requests(since=mark) if call["operation"] == "ListAccessKeys"], within(30))
    poll(lambda: sum(call["operation"] == "ListAccessKeys" for call in sim.requests(since=mark)) >= 2, within(30))
    assert len([entry for entry in documents(sim) if entry["event"] == "guard.changed"]) == 1


def test_who_changed_it_is_found_behind_more_harmless_calls_than_a_page_has(sim, make_guard, iam):
    guard = watching(make_guard, sim)
    assert guard.stop() == 0
    iam.create_access_key(UserName="guard")
    for _ in range(120):
        sim.call("add_event", account=MAIN, region=IAD, record=record("GetUser", "iam", userName="guard"),
                 resources=[["AWS::IAM::User", "guard"]])
    guard.start()
    changed = wait_alert(sim, "guard.changed", seconds=40)
    assert changed["actor"] and changed["actor"]["event_name"] == "CreateAccessKey", changed
    assert changed["actor"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory"


def test_sessions_of_the_role_are_revoked(sim, make_guard, iam):
    sim.call("role", name="hub", account=MAIN, trust=[GUARD])
    guard = watching(make_guard, sim, accounts=[{"role_arn": HUB}])
    iam.put_role_policy(RoleName="hub", PolicyName="AWSRevokeOlderSessions", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{**NEVER, "Action": "s3:GetObject"}]}))
    changed = wait_alert(sim, "guard.changed", seconds=30)
    assert changed["severity"] == "critical" and "AWSRevokeOlderSessions was added" in changed["detail"]
    iam.update_assume_role_policy(RoleName="hub", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}))
    wait_alert(sim, "guard.changed", seconds=30, holds=lambda one: "the trust policy was changed" in one["detail"])
    assert guard.stop() == 0


def test_a_hundred_policies_hide_none(sim, make_guard, iam):
    """More than are compared: none was any more, and only a notice in the journal said so."""
    sim.call("role", name="hub", account=MAIN, trust=[GUARD])
    guard = watching(make_guard, sim, accounts=[{"role_arn": HUB}])
    poll(lambda: HUB in {record["arn"] for record in records(guard) if record.get("simulated")}, within(30))
    small = json.dumps({"Statement": {"Effect": "Deny", "Action": "a:b", "Resource": "*"}})
    for number in range(110):
        iam.put_role_policy(RoleName="hub", PolicyName=f"p{number}", PolicyDocument=small)
    iam.put_role_policy(RoleName="hub", PolicyName="AWSRevokeOlderSessions", PolicyDocument=small)
    changed = wait_alert(sim, "guard.changed", seconds=40,
                         holds=lambda one: "there are more inline policies than TrailGuard can compare" in one["detail"])
    assert changed["severity"] == "critical" and changed["actor"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory"
    assert guard.stop() == 0


def test_what_an_account_lost_ends_with_the_account(sim, make_guard):
    """Its rights were missing when the configuration dropped it: the incident would have stayed open for ever."""
    member = f"arn:aws:iam::{MEMBER}:role/TrailGuard"
    sim.add_account(MEMBER, regions=[FRA, IAD])
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.add_role("TrailGuard", MEMBER, trust=[{"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "sts:AssumeRole"}])
    sim.add_trail("local", MEMBER, FRA)
    guard = watching(make_guard, sim, accounts=[{}, {"role_arn": member}])
    poll(lambda: [record for record in records(guard) if record["arn"] == member and record.get("simulated")], within(40))
    deny = {"Effect": "Deny", "Action": "cloudtrail:StartLogging", "Resource": "*"}
    sim.call("account", id=MEMBER, regions=[FRA, IAD], scp=[{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny])
    lost = wait_alert(sim, "guard.rights_lost", seconds=60)
    assert lost["account"] == MEMBER
    guard.write_config(accounts=[{}])
    guard.reload()
    ended = wait_alert(sim, "guard.rights_restored", seconds=30)
    assert ended["incident"] == lost["incident"] and "IAM would allow" not in ended["detail"]
    poll(lambda: all(record["arn"] != member for record in records(guard)), within(20))


@preloaded
def test_what_was_lost_ends_when_the_checks_are_off_however_long_the_message_waits(sim, make_guard, iam, tmp_path):
    """There is no memory for the message at the reload: the record stays until there is."""
    refusal = tmp_path / "refused"
    guard = watching(make_guard, sim, env={"LD_PRELOAD": str(PRELOAD), "FAULTS_ALERTS": str(refusal)})
    iam.put_user_policy(UserName="guard", PolicyName="no", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [NEVER]}))
    lost = wait_alert(sim, "guard.rights_lost", seconds=30)
    poll(lambda: [record for record in records(guard) if record.get("lost_since_usec")], within(10))
    guard.wait_delivered()
    refusal.touch()
    guard.write_config(guard_checks=False)
    guard.reload()
    wait_polls(sim, 2, FRA)
    assert [record["arn"] for record in records(guard) if record.get("lost_since_usec")] == [GUARD]
    refusal.unlink()
    ended = wait_alert(sim, "guard.rights_restored", seconds=30)
    assert ended["incident"] == lost["incident"] and "guard_checks is off" in ended["detail"]
    poll(lambda: records(guard) == [], within(20))


def test_what_a_user_lost_ends_when_the_guard_uses_another(sim, guard_with_file, keys_file, iam):
    """Nobody asks about the user from then on: people would have been reminded of it for ever."""
    write_keys(keys_file, sim.keys_of("guard"))
    guard = guard_with_file(regions=[FRA], guard_checks=True, guard_interval=10).start().wait_guarding()
    poll(lambda: [record for record in records(guard) if record["arn"] == GUARD and record.get("simulated")], within(30))
    iam.put_user_policy(UserName="guard", PolicyName="no", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [NEVER]}))
    lost = wait_alert(sim, "guard.rights_lost", seconds=30)
    new = sim.add_user("guard2", MAIN)
    guard.secrets.append(new["secret"])
    write_keys(keys_file, new)
    guard.reload()
    guard.wait_line("guarding account .* as .*user/guard2", seconds=20)
    ended = wait_alert(sim, "guard.rights_restored", seconds=30)
    assert ended["incident"] == lost["incident"] and "the guard uses another user or role there" in ended["detail"]
    poll(lambda: all(record["arn"] != GUARD for record in records(guard)), within(20))


def test_accounts_are_checked_one_after_another_with_a_pause(sim, make_guard):
    """An organization's thousand accounts are no burst of calls to IAM."""
    members = ["444455556661", "444455556662", "444455556663"]
    sim.call("organization", management=MAIN, members=members)
    for member in members:
        sim.add_account(member, regions=[FRA, IAD])
        sim.add_role("TrailGuard", member, trust=[{"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "sts:AssumeRole"}])
        sim.add_trail("local", member, FRA)
    roles = [{"role_arn": f"arn:aws:iam::{member}:role/TrailGuard"} for member in members]
    watching(make_guard, sim, accounts=[{}, *roles])

    def first():
        calls = [call for call in sim.requests() if call["operation"] == "SimulatePrincipalPolicy"]
        return {call["account"]: call["time"] for call in reversed(calls)}
    begun = sorted(poll(lambda: len(first()) == 4 and first().values(), within(30)))
    # four accounts within half of guard_interval
    assert min(later - earlier for earlier, later in zip(begun, begun[1:])) >= 1, begun


def topics(sim, guard):
    """SNS of an administrator, the subscription, and a guard that has looked at its topic."""
    sns = sim.boto3("mallory", "sns", FRA)
    poll(lambda: [record for record in records(guard) if record["arn"] == TOPIC and "subscription" in record.get("read", [])],
         within(20))
    return sns, sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"][0]["SubscriptionArn"]


def test_a_filter_policy_drops_the_alerts(sim, make_guard, receiver):
    guard = watching(make_guard, sim, receiver)
    sns, subscription = topics(sim, guard)
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy",
                                    AttributeValue=json.dumps({"severity": ["info"]}))
    unheard = wait_posted(receiver, "channel.unheard")
    assert "the filter policy of each confirmed subscription drops critical alerts" in unheard["detail"]
    changed = wait_posted(receiver, "guard.changed")
    assert "the subscription email " in changed["detail"] and changed["detail"].endswith("was changed")
    assert changed["actor"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory"
    sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName="FilterPolicy", AttributeValue="{}")
    wait_posted(receiver, "channel.heard")


def test_the_topic_is_closed_and_its_subscription_deleted(sim, make_guard, receiver):
    guard = watching(make_guard, sim, receiver)
    sns, subscription = topics(sim, guard)
    sns.unsubscribe(SubscriptionArn=subscription)
    wait_posted(receiver, "channel.unheard")
    sns.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": TOPIC}]}))
    failed = wait_posted(receiver, "channel.failed")
    assert "denies sns:Publish" in failed["detail"] or "not authorized" in failed["detail"]
    poll(lambda: [one for one in posted(receiver, "guard.changed") if "the topic's policy was changed" in one["detail"]],
         within(30))


def test_off_asks_iam_nothing(sim, make_guard):
    guard = make_guard(sim, regions=[FRA], alerts=[{"type": "sns", "topic_arn": TOPIC}])
    guard.start().wait_guarding()
    assert guard.stop() == 0
    assert not [call for call in sim.requests() if call.get("service") == "iam"]


def protection(guard):
    """What `check` says protects the guard: {about: state}, and the lines."""
    rows = validated(json.loads(guard.verb("check", "--json").stdout), "status")["protection"]
    return {row["about"]: row["state"] for row in rows}, rows


def test_check_says_what_protects_the_guard(sim, make_guard, receiver, iam):
    """In the account that it guards, with SNS alone; then all that can be done about it."""
    alone = make_guard(sim, regions=[FRA], alerts=[{"type": "sns", "topic_arn": TOPIC}], guard_checks=None)
    states, rows = protection(alone)
    assert states == {"account": "problem", "topics": "problem", "boundary": "unknown", "service control policies": "unknown",
                      "checks": "problem", "channels": "problem", "heartbeat": "problem"}
    assert rows[0]["text"].startswith(f"{GUARD} is in {MAIN}, which it guards: ") and TOPIC in rows[1]["text"]
    assert all(row["advice"] for row in rows)
    done = alone.verb("check")
    assert done.returncode == 0, "it has no part in the result"
    assert f"\nPROTECTION OF THE GUARD\nproblem  {GUARD} is in {MAIN}, which it guards: " in done.stdout

    boundary, member = f"arn:aws:iam::{MAIN}:policy/Boundary", f"arn:aws:iam::{MEMBER}:role/TrailGuard"
    iam.create_policy(PolicyName="Boundary", PolicyDocument=json.dumps(ALLOW))
    iam.put_user_permissions_boundary(UserName="guard", PermissionsBoundary=boundary)
    sim.add_account(MEMBER, regions=[FRA, IAD])
    sim.add_role("TrailGuard", MEMBER, trust=[{"Effect": "Allow", "Principal": {"AWS": GUARD}, "Action": "sts:AssumeRole"}])
    sim.call("policy", principal=member, policy=ALLOW)
    sim.add_trail("main", MEMBER, FRA)
    apart = watching(make_guard, sim, receiver, accounts=[{"role_arn": member}], heartbeat={"url": receiver.url})
    states, rows = protection(apart)
    assert states == {"account": "ok", "topics": "ok", "boundary": "ok", "service control policies": "unknown",
                      "checks": "ok", "channels": "ok", "heartbeat": "ok"}, rows
    assert boundary in next(row["text"] for row in rows if row["about"] == "boundary")
