# SPDX-License-Identifier: Apache-2.0
"""The organization's trail, when it is guarded with the keys of CloudTrail's delegated administrator alone."""

import pytest

from guard import within
from helpers import FRA, IAD, MAIN, MEMBER, ORG_TRAIL, documents, sns
from simaws.client import SimError, poll

OTHER = "777788889999"
OWN = ORG_TRAIL.replace(MAIN, MEMBER)


@pytest.fixture
def delegate(sim, make_guard):
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.add_topic(topic := f"arn:aws:sns:{FRA}:{MEMBER}:alerts")
    sim.add_user("hub", MEMBER)
    guard = make_guard(sim, "hub", regions=[FRA], settings_interval=1, mode="restore", restore=["settings", "deleted"], alerts=sns(topic))
    guard.start().wait_guarding()
    guard.wait_verdict("org-trail", "protected", 20)
    guard.wait_baselines(1, 0)
    return guard, topic


def is_there(sim, arn):
    try:
        return bool(sim.trail(arn))
    except SimError:
        return False


def test_it_is_never_created_again_as_a_trail_of_another_account(sim, delegate, mallory):
    """AWS refuses to make it the organization's; the guard made one of the same name in its own account then, which took the
    place of the real one for good."""
    guard, topic = delegate
    sim.boto3("mallory", "organizations", IAD).disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    mallory.delete(ORG_TRAIL)
    guard.wait_line("org-trail .*: could not be created again: .*CloudTrailAccessNotEnabledException", 20)
    sim.wait_for_request(within(20), count=2, operation="CreateTrail")
    assert not is_there(sim, OWN)
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    poll(lambda: is_there(sim, ORG_TRAIL) and sim.trail(ORG_TRAIL)["logging"], within(30))
    poll(lambda: any(entry["event"] == "trail.resolved" for entry in documents(sim, topic)), within(20))
    assert sim.trail(ORG_TRAIL)["settings"]["IsOrganizationTrail"] and not is_there(sim, OWN)


@pytest.fixture
def lister(sim, make_guard):
    """The delegated administrator's keys, a member's role, and a list that is read."""
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER], delegated=[MEMBER])
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    sim.add_account(OTHER, regions=[FRA, IAD])
    sim.add_role("TrailGuard", OTHER, trust=[{"Effect": "Allow", "Principal": {"AWS": MEMBER}, "Action": "sts:AssumeRole"}])
    sim.add_topic(topic := f"arn:aws:sns:{FRA}:{MEMBER}:alerts")
    sim.add_user("hub", MEMBER)
    guard = make_guard(sim, "hub", regions=[FRA], organization={"role_name": "TrailGuard", "exclude": [MAIN], "refresh": 60},
                       unreachable_after=1, reminder_interval=3600, alerts=sns(topic))
    guard.start().wait_guarding()
    guard.wait_status(lambda status: {account["id"] for account in status["accounts"]} == {MEMBER, OTHER}, 20)
    return guard, topic


def about_list(sim, topic):
    return [entry for entry in documents(sim, topic) if entry["event"].startswith("organization.")]


def deregister(sim, guard):
    """By the management account, whose administrator the guard's keys are not. A reload asks for the list at once."""
    sim.boto3("mallory", "organizations", IAD).deregister_delegated_administrator(
        AccountId=MEMBER, ServicePrincipal="cloudtrail.amazonaws.com")
    guard.reload()


def test_a_list_that_cannot_be_read_any_more_is_reported_once(sim, lister, mallory):
    guard, topic = lister
    deregister(sim, guard)
    lost, = poll(lambda: about_list(sim, topic), within(20))
    assert lost["event"] == "organization.unreadable" and lost["severity"] == "warning" and lost["account"] == MEMBER
    assert "ListAccounts: AccessDenied" in lost["detail"] and "request id" in lost["detail"]
    mail = [message for message in sim.messages(topic) if "cannot list" in message["Subject"]][0]["received"]["email"]["Body"]
    assert "DeregisterDelegatedAdministrator" in mail and "Polls 2 known accounts as before" in " ".join(mail.split())
    assert "AccessDenied" in guard.wait_status(lambda status: status["organization"]["error"])["organization"]["error"]
    assert guard.stop() == 0
    mark = sim.mark()
    guard.start().wait_guarding()
    # the first list, and the one after it: both fail
    sim.wait_for_request(within(30), count=2, operation="ListAccounts", since=mark)
    assert about_list(sim, topic) == [lost]
    sim.call("organization", management=MAIN, members=[MEMBER, OTHER], delegated=[MEMBER])
    back = poll(lambda: about_list(sim, topic)[1:], within(60))
    assert [(entry["event"], entry["incident"], entry["sequence"]) for entry in back] == [
        ("organization.readable", lost["incident"], 2)]
    assert guard.status()["organization"]["error"] == ""


def test_it_is_reminded_of_and_ends_with_the_option(sim, lister, mallory):
    guard, topic = lister
    guard.write_config(reminder_interval=5)
    deregister(sim, guard)
    lost, = poll(lambda: about_list(sim, topic), within(20))
    reminder = poll(lambda: [entry for entry in documents(sim, topic) if entry["event"] == "incident.reminder"], within(40))[0]
    assert (reminder["incident"], reminder["sequence"], reminder["severity"]) == (lost["incident"], 2, "warning")
    assert "ListAccounts: AccessDenied" in reminder["detail"]
    guard.write_config(organization=None)
    guard.reload()
    ended = poll(lambda: about_list(sim, topic)[1:], within(30))
    assert [(entry["event"], entry["incident"]) for entry in ended] == [("organization.readable", lost["incident"])]
    assert "is not set any more" in ended[0]["detail"]
