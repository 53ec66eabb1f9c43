# SPDX-License-Identifier: Apache-2.0
"""The organization's trail, when it is guarded with the keys of CloudTrail's delegated administrator alone."""

import pytest

from guard import within
from helpers import FRA, IAD, MAIN, MEMBER, ORG_TRAIL, documents, sns
from simaws.client import SimError, poll

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
