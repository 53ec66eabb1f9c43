# SPDX-License-Identifier: Apache-2.0
"""The judge's rules about regions, accounts and last messages turn red, by a record that was falsified. See test_judge.py."""

import copy
import json
import time

import pytest

import moves
from adversary import WORLD, Note
from guard import PLAIN, within
from judge import Judge
from test_judge import begun, copied, found, planned, wait_told

pytestmark = pytest.mark.skipif(not PLAIN, reason="the plain build plays")
SEED = 73           # its plan is replaced


@pytest.fixture(scope="module")
def played(plain_server, tmp_path_factory):
    """A stop, whose caller is found, and all of CloudTrail denied for a while."""
    plain_server.reset()
    plain_server.call("settings", quotas=False, **WORLD)
    game = begun(planned(plain_server, tmp_path_factory.mktemp("judge"), seed=SEED))
    game.note("mallory", "begins")
    game.people["mallory"].stop(game.victim)
    wait_told(game, "trail.attributed")
    moves.policy(game, game.principals, "cloudtrail:*")
    wait_told(game, "target.unreachable")
    game.sim.wait_for_request(within(20), count=5, operation="GetTrailStatus", trail=game.victim, error="AccessDenied*")
    moves.policy(game, game.principals)
    game.calm()
    game.finish()
    yield game
    game.close()


@pytest.fixture
def falsified(played):
    return copied(played)


def of_places(game):
    """The messages of the first incident of a place."""
    return next(iter(Judge(game).of_places().values()))


def without(record, lost):
    record.edit(lambda entry: entry["id"] not in {each["id"] for each in lost})


def test_the_record_itself_is_in_order(falsified):
    game, _ = falsified
    assert found(game) == []
    assert {entry["event"] for entry in of_places(game)} >= {"target.unreachable", "target.reachable"}


def test_a_last_message_that_says_who_did_it_and_is_lost(falsified):
    """Nothing but the guard's own count shows it."""
    game, record = falsified
    entries = next(entries for entries in Judge(game).by_incident().values() if entries[0]["trail"]["arn"] == game.victim)
    assert entries[-1]["event"] == "trail.attributed"
    without(record, entries[-1:])
    assert [fault for fault in found(game) if "the last one has not come" in fault and game.victim in fault]


def test_a_last_message_about_a_place_that_is_lost(falsified):
    game, record = falsified
    without(record, of_places(game)[-1:])
    assert [fault for fault in found(game) if "the last one has not come" in fault]


def test_a_search_that_has_shown_who_did_it_and_nobody_says_so(falsified):
    game, record = falsified
    game.notes = [*game.notes, Note(time.monotonic() + 60, "referee", "the end", "")]
    assert found(game) == []
    record.edit(lambda entry: entry.update(actor=None))
    assert [fault for fault in found(game) if fault.endswith(f"who stopped {game.victim}, and no message says it")]


def test_a_denial_that_is_not_reported(falsified):
    game, record = falsified
    record.drop("target.unreachable", "target.reachable")
    assert [fault for fault in found(game) if f"GetTrailStatus of {game.victim} was denied" in fault]


def test_an_incident_of_a_place_that_nothing_ends(falsified):
    game, record = falsified
    record.drop("target.reachable")
    record.edit(lambda entry: entry.update(resolved=False) if entry["trail"] is None else None)
    assert [fault for fault in found(game) if fault.startswith("no message ends incident")]


def test_a_message_of_a_place_that_is_lost(falsified):
    game, record = falsified
    without(record, of_places(game)[:1])
    assert [fault for fault in found(game) if "has the messages [2" in fault]


def test_a_false_alarm_of_a_place(falsified):
    game, record = falsified
    for entry in record.logged:
        entry.update(status=200, faults=[], error=None)
    assert [fault for fault in found(game) if "where all was answered" in fault]


def test_a_place_that_is_said_to_answer_and_does_not(falsified):
    game, record = falsified
    for entry in record.logged:
        if game.is_first(entry["principal"]) and entry["service"] == "cloudtrail":
            entry.update(status=400, error="AccessDenied")
    assert [fault for fault in found(game) if "where nothing was answered" in fault]


def test_one_trouble_of_a_place_in_two_incidents(falsified):
    game, record = falsified
    opening = of_places(game)[0]
    again = copy.deepcopy(next(message for message in record.sent
                               if json.loads(message["received"]["sqs"]["Message"])["id"] == opening["id"]))
    entry = {**opening, "id": "0" * 64, "incident": "0123456789abcdef", "members": None, "region": "eu-central-1"}
    for number in (1, 2):
        again["received"]["sqs"]["Message"] = json.dumps({**entry, "id": f"{number:064x}", "incident": f"{number:016x}"})
        record.sent.append(copy.deepcopy(again))
    assert [fault for fault in found(game) if "has 2 incidents within five minutes" in fault or "has 3 incidents" in fault]
