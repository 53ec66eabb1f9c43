# SPDX-License-Identifier: Apache-2.0
"""The judge of games against an organization turns red: each of his own rules by a record that was falsified. See test_judge.py."""

import pytest

from adversary import WORLD
from guard import PLAIN, within
from judge import verdict
from moves import DOWN, Broken, Handicap, policy
from organization import Absence, Denial, OrganizationGame, OrganizationJudge, of, return_member
from test_judge import begun, copied, first, found, planned, wait_told

pytestmark = pytest.mark.skipif(not PLAIN, reason="the plain build plays")
SEED = 72           # its keys are the management account's


@pytest.fixture(scope="module")
def played(plain_server, tmp_path_factory):
    """The organization's trail was made private, and a member left and came back: undone, reported and attributed."""
    plain_server.reset()
    plain_server.call("settings", quotas=False, **WORLD)
    game = begun(planned(plain_server, tmp_path_factory.mktemp("judge"), kind=OrganizationGame, seed=SEED))
    assert game.plan.hub == "management"
    member, mallory = game.accounts[-1], game.people["mallory"]
    game.note("mallory", "begins")
    mallory.client(of(game.account), "organizations").disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    wait_told(game, "trail.weakened")
    wait_told(game, "trail.attributed")
    game.repair()
    begin = game.guard.mark()
    mallory.client(of(member), "organizations").leave_organization()
    game.away.add(member)
    game.guard.reload()
    wait_told(game, "account.left")
    game.guard.wait_status(lambda status: any(target["account"] == member for target in status["targets"]), within(10))
    return_member(game, begin, member, "LeaveOrganization")
    refuse_lists(game)
    game.calm()
    assert verdict(game, OrganizationJudge) == []
    yield game
    game.close()


def refuse_lists(game):
    """Until that is reported; each reload asks for the list at once."""
    policy(game, game.principals[-1:], "organizations:ListAccounts")
    for _ in range(game.plan.options["unreachable_after"]):
        mark = game.sim.mark()
        game.guard.reload()
        game.sim.wait_for_request(within(10), operation="ListAccounts", account=game.account, since=mark)
    wait_told(game, "organization.unreadable")
    policy(game, game.principals[-1:])


@pytest.fixture
def falsified(played):
    return copied(played)


def faults(game):
    return found(game, OrganizationJudge)


def test_the_record_itself_is_in_order(falsified):
    assert faults(falsified[0]) == []


def test_a_member_that_left_and_is_not_reported(falsified):
    game, record = falsified
    record.drop("account.left")
    game.absences = [absence._replace(end=absence.end + 2) for absence in game.absences]
    assert f"{game.accounts[-1]} left by LeaveOrganization, and no account.left says so" in faults(game)


def test_a_member_that_is_said_to_have_left_and_did_not(falsified):
    game, _ = falsified
    game.absences = []
    assert f"account.left says that {game.accounts[-1]} left, which it did not" in faults(game)


def test_nothing_is_asked_of_a_guard_that_listed_nobody_meanwhile(falsified):
    game, record = falsified
    record.drop("account.left")
    game.absences = [Absence(absence.begin, absence.begin + 1, absence.account, absence.call) for absence in game.absences]
    assert not [fault for fault in faults(game) if "account.left" in fault]


def test_polls_that_a_service_control_policy_denied_and_no_message_names(falsified):
    """Once something that was asked was denied: where no trail is polled, nothing is."""
    game, record = falsified
    denial = Denial(game.mended - 20, game.mended - 10, game.delegate, ["cloudtrail:GetTrailStatus"])
    game.denials = [denial]
    assert faults(game) == []
    asked = first(record, operation="DescribeTrails", account=game.delegate)
    record.logged += [{**asked, "time": game.mended - 15, "status": 400, "error": "AccessDeniedException"}] * 4
    assert any(fault.startswith(f"['cloudtrail:GetTrailStatus'] was denied in {game.delegate}") for fault in faults(game))
    game.denials = [denial._replace(actions=["cloudtrail:StartLogging"])]
    assert faults(game) == []


def test_a_trail_that_was_made_private_and_is_not_reported(falsified):
    game, record = falsified
    game.broken = [Broken(game.mended - 60, game.victim, "trail.weakened")]
    assert faults(game) == []
    record.drop("trail.weakened")
    assert any("was broken for" in fault and "no trail.weakened says so" in fault for fault in faults(game))


def test_a_write_to_the_organizations_trail_through_a_member(falsified):
    game, record = falsified
    entry = first(record, operation="UpdateTrail", trail=game.victim, status=200)
    entry["account"] = game.accounts[-1]
    assert f"UpdateTrail of {game.victim} through {game.accounts[-1]}" in faults(game)
    entry["status"] = 400       # it may ask, and AWS refused
    assert faults(game) == []


def test_a_trail_of_another_account_that_takes_the_place_of_the_organizations(falsified):
    game, record = falsified
    entry = first(record, operation="UpdateTrail", trail=game.victim, status=200)
    entry.update(operation="CreateTrail", account=game.delegate, params={"Name": "victim", "S3BucketName": game.bucket})
    arn = game.victim.replace(game.account, game.delegate)
    assert f"the guard called CreateTrail of {arn}, which has no baseline" in faults(game)


@pytest.mark.parametrize("call, change, fault", [
    ("DisableAWSServiceAccess", {"eventName": "DeregisterDelegatedAdministrator"}, "who administers CloudTrail"),
    ("DisableAWSServiceAccess", {"eventName": "LeaveOrganization", "recipientAccountId": "999988887777"}, "999988887777"),
    ("DisableAWSServiceAccess", {"eventName": "RemoveAccountFromOrganization", "requestParameters": {"accountId": "999988887777"}},
     "999988887777")], ids=["another call", "another member", "another one removed"])
def test_an_accusation_by_a_call_to_organizations_that_did_not_do_it(falsified, call, change, fault):
    game, record = falsified
    for event in record.history:
        if event["eventName"] == call:
            event.update(change)
    record.edit(lambda entry: entry["actor"] and entry["actor"].update(event_name=change["eventName"]))
    assert any(f"which was about {fault}" in text for text in faults(game))


def test_lists_that_were_refused_and_are_not_reported(falsified):
    """Neither two of three, nor three between which the daemon was started again, nor what a fault spoiled need be."""
    game, record = falsified
    record.drop("organization.unreadable", "organization.readable")
    refused = [entry for entry in record.logged if entry.get("operation") == "ListAccounts" and entry["status"] != 200]
    assert len(refused) >= 3        # more where the machine was slow
    record.logged = [entry for entry in record.logged if entry not in refused[3:]]
    assert faults(game) == ["the list of accounts was refused 1 times, 0 organization.unreadable say so"]
    game.handicaps = [Handicap(refused[1]["time"] + 0.01, refused[1]["time"] + 0.02, DOWN)]
    assert faults(game) == []
    game.handicaps = []
    refused[1]["faults"] = [1]
    assert faults(game) == []
    refused[1].update(faults=[], status=200)
    assert faults(game) == []


def test_a_list_that_is_said_to_be_unreadable_and_was_read(falsified):
    game, record = falsified
    for entry in record.logged:
        if entry.get("operation") == "ListAccounts":
            entry.update(status=200, faults=[])
    assert faults(game) == ["organization.unreadable says that accounts cannot be listed, which they could"]


def test_a_list_that_is_readable_again_and_nobody_says_so(falsified):
    game, record = falsified
    incident, = (entry["incident"] for entry in OrganizationJudge(game).messages if entry["event"] == "organization.readable")
    record.drop("organization.readable")
    assert faults(game) == [f"no organization.readable ends incident {incident}"]


def test_the_end_of_an_incident_that_never_began(falsified):
    game, record = falsified
    incident, = (entry["incident"] for entry in OrganizationJudge(game).messages if entry["event"] == "organization.readable")
    record.drop("organization.unreadable")
    assert f"organization.readable ends incident {incident}, which nobody heard of" in faults(game)
