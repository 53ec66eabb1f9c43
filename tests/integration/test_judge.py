# SPDX-License-Identifier: Apache-2.0
"""The judge of the games turns red: each of his rules by a record that was falsified, as if the daemon had done or kept quiet
what the rule forbids, and the worst of them by a daemon that really does it, because it is configured otherwise than the
referee believes. The record is of a real game with fixed moves, in which all rules hold."""

import copy
import json
import shutil
import time

import pytest

import adversary
import moves
from adversary import WORLD, Game
from attacks import FOREIGN_KEY
from guard import PLAIN, within
from judge import BUDGET, Judge, verdict
from moves import Broken
from moves_guard import Change
from simaws.client import poll

pytestmark = pytest.mark.skipif(not PLAIN, reason="the plain build plays")
SEED = 71           # its plan is replaced


class Record:
    """What the simulated AWS has recorded of a game, to be changed."""

    def __init__(self, game):
        self.logged = game.sim.requests(account=game.accounts)
        self.topic, self.sent, self.second = game.topic, game.messages(), game.sim.messages(game.second_topic)
        self.trails = {arn: game.sim.trail(arn) for arn in game.guarded}
        self.history = game.sim.events(account=game.accounts)

    def requests(self, account=None, **match):
        return [entry for entry in self.logged if all(entry.get(name) == value for name, value in match.items())]

    def trail(self, arn):
        return self.trails[arn]

    def messages(self, topic):
        return self.sent if topic == self.topic else self.second

    def events(self, **_):
        return self.history

    def edit(self, change):
        """Apply it to each document, and keep those for which it answers no False."""
        kept = []
        for message in self.sent:
            entry = json.loads(message["received"]["sqs"]["Message"])
            if change(entry) is not False:
                message["received"]["sqs"]["Message"] = json.dumps(entry)
                kept.append(message)
        self.sent = kept

    def drop(self, *events):
        self.edit(lambda entry: entry["event"] not in events)


def planned(sim, place, believed="restore", kind=Game, seed=SEED, **options):
    """A game whose plan is the mode that the referee believes it to have."""
    game = kind(sim, seed, place / believed)
    organization = {name: game.plan.options[name] for name in ("organization",) if name in game.plan.options}
    game.plan.mode = believed
    game.plan.options = {**organization, "mode": believed, "settings_interval": 1, "attribution": True, "bucket_checks": False, "owner_check": False,
                         "unreachable_after": 3, "max_restores_per_hour": 1000, "aws": {"request_timeout": 10, "connect_timeout": 5}}
    if believed == "restore":
        game.plan.options["restore"] = ["settings", "selectors", "insights", "deleted"]
    game.plan.moves = []
    game.guard.options = {name: game.guard.options[name] for name in ("regions", "alerts", "poll_interval")}
    game.guard.write_config(**{**game.plan.options, **options})
    return game


def begun(game):
    game.guard.start().wait_guarding()
    game.guard.wait_baselines(2, 0)
    return game


def wait_told(game, *events):
    """Until one of these is on the topic of the game."""
    poll(lambda: any(json.loads(message["received"]["sqs"]["Message"])["event"] in events for message in game.sim.messages(game.topic)),
         within(20))


def copied(played):
    """A game and its record that a test may change."""
    game, record = copy.copy(played), Record(played)
    game.sim = record
    game.handicaps = []
    game.left = dict(played.left)
    return game, record


@pytest.fixture(scope="module")
def played(plain_server, tmp_path_factory):
    """A stop, changed settings, a deletion and an attempt, all undone, reported and attributed."""
    plain_server.reset()
    plain_server.call("settings", quotas=False, **WORLD)
    game = begun(planned(plain_server, tmp_path_factory.mktemp("judge")))
    mallory, victim = game.people["mallory"], game.victim
    game.note("mallory", "begins")
    mallory.stop(victim)
    wait_told(game, "trail.stopped")
    mallory.client(victim).update_trail(Name=victim, S3KeyPrefix="elsewhere", KmsKeyId=FOREIGN_KEY)
    wait_told(game, "trail.weakened")
    game.people["trent"].delete(game.single)
    wait_told(game, "trail.missing", "trail.replaced")
    wait_told(game, "trail.attributed")
    game.calm()
    game.finish()
    yield game
    game.close()


@pytest.fixture
def falsified(played):
    """(the game, its record)"""
    return copied(played)


def found(game, judge=Judge):
    """The verdict, without a look at the daemon's files."""
    judge = judge(game)
    for rule in judge.rules():
        rule()
    return judge.faults


def first(record, **match):
    return next(entry for entry in record.logged if all(entry.get(name) == value for name, value in match.items()))


def test_the_record_itself_is_in_order(falsified):
    assert found(falsified[0]) == []


def test_a_trail_that_stays_stopped(falsified):
    game, record = falsified
    start = next(entry for entry in record.logged if entry["operation"] == "StartLogging" and game.arn("guard") == entry["principal"])
    start["time"] += 60
    assert [fault for fault in found(game) if "victim was stopped for 6" in fault]


@pytest.mark.parametrize("dropped, fault", [
    (["trail.stopped", "trail.interrupted", "trail.contested"], "StopLogging of {victim} is not reported"),
    (["trail.missing", "trail.replaced"], "DeleteTrail of {single} is not reported"),
    (["trail.weakened"], "UpdateTrail of {victim} by the guard is not reported")], ids=["stop", "deletion", "change"])
def test_tampering_that_is_not_reported(falsified, dropped, fault):
    game, record = falsified
    record.drop(*dropped)
    assert fault.format(victim=game.victim, single=game.single) in found(game)


@pytest.mark.parametrize("polled", [False, True])
def test_a_stop_that_the_next_one_has_overwritten(falsified, polled):
    """One more a minute before, ended by a StartLogging: only a poll between the two can have shown it."""
    game, record = falsified
    stop = first(record, operation="StopLogging", status=200)
    start = first(record, operation="StartLogging", status=200)
    status = first(record, operation="GetTrailStatus", status=200)
    at = record.logged.index(stop)
    between = [{**status, "time": stop["time"]}] if polled else []
    record.logged[at:at] = [{**stop, "id": "another"}, {**start, "time": stop["time"]}, *between]
    record.history.append({**next(event for event in record.history if event["requestID"] == stop["id"]),
                           "requestID": "another", "eventTime": "2031-01-01T00:00:00Z"})
    assert any("is in no message" in fault for fault in found(game)) == polled


def test_one_stop_of_several_that_is_in_no_message(falsified):
    """Another stop, a minute later, which no message has a gap for."""
    game, record = falsified
    stop = first(record, operation="StopLogging", status=200)
    at = record.logged.index(stop)
    begin = next(index for index in range(at, len(record.logged)) if record.logged[index]["operation"] == "StartLogging")
    again = {**stop, "id": "another", "time": stop["time"] + 1}
    record.logged.insert(begin + 1, again)
    record.history.append({**next(event for event in record.history if event["requestID"] == stop["id"]),
                           "requestID": "another", "eventTime": "2031-01-01T00:00:00Z"})
    assert any("is in no message" in fault for fault in found(game))


def test_a_deletion_that_was_refused_starts_nothing(falsified):
    """A stop of what is stopped stops nothing, and no message has it."""
    game, record = falsified
    before = len(Judge(game).effective_stops(game.victim))
    stop = first(record, operation="StopLogging", status=200)
    at = record.logged.index(stop)
    refused = {**stop, "operation": "DeleteTrail", "status": 400}
    record.logged[at + 1:at + 1] = [refused, dict(stop)]
    assert len(Judge(game).effective_stops(game.victim)) == before
    refused["status"] = 200
    assert len(Judge(game).effective_stops(game.victim)) == before + 1


def test_a_trail_that_was_replaced_between_two_polls(falsified):
    """It delivers before a poll is answered: only that it differs is known. One whose answer was lost is none."""
    game, record = falsified
    record.edit(lambda entry: entry["event"] not in ("trail.missing", "trail.replaced") and (entry["event"] != "trail.weakened" or
                entry["trail"].update(arn=game.single) or True))
    delete = first(record, operation="DeleteTrail", status=200)
    make = {**first(record, operation="CreateTrail", status=200), "time": delete["time"] + 0.1}
    status = {**first(record, operation="GetTrailStatus", trail=game.single, principal=game.arn("guard")), "time": delete["time"] + 0.2}
    record.logged = [entry for entry in record.logged if entry.get("operation") not in ("CreateTrail", "GetTrailStatus")]
    record.logged += [make, {**status, "faults": [1]}]
    judge = Judge(game)
    assert judge.deleted(game.single) and judge.is_replaced_unseen(game.single)
    judge.every_deletion_is_reported()
    assert judge.faults == []
    record.logged[-1]["faults"] = []
    judge = Judge(game)
    judge.every_deletion_is_reported()
    assert judge.faults == [f"DeleteTrail of {game.single} is not reported"]


def test_what_stays_changed_and_is_not_named(falsified):
    game, record = falsified
    game.left[game.victim] = {"settings": ({"S3BucketName": "ours"}, {"S3BucketName": "his"})}
    assert f"{game.victim}: S3BucketName stayed changed, and no message names it" in found(game)


def test_what_was_broken_and_is_not_reported(falsified):
    game, record = falsified
    game.broken = [Broken(game.mended - 60, game.victim, "trail.failing")]
    assert any("no trail.failing says so" in fault for fault in found(game))


@pytest.mark.parametrize("finding, member", [("delivery", "LatestDeliveryError"), ("notification", "LatestNotificationError"),
                                             ("log group", "LatestCloudWatchLogsDeliveryError")])
def test_what_cannot_be_delivered_and_is_not_reported(falsified, finding, member):
    """By its name: another one is no substitute. While the trail is stopped nothing shows."""
    game, record = falsified
    begin = time.time() - time.monotonic() + game.mended - 60
    record.trails[game.victim] = {**record.trails[game.victim], "health": {member: [(begin, "AccessDenied")]}}
    assert any(fault.endswith(f"and no message names {finding}") for fault in found(game))
    stop = {**first(record, operation="StopLogging", status=200), "time": game.mended - 59, "id": "another"}
    at = len(record.logged)
    record.logged.append(stop)
    assert Judge(game).logging_within(game.victim, game.mended - 60, game.mended)[1] <= game.mended - 59     # nobody ended it
    del record.logged[at:]
    record.trails[game.victim]["health"][member].append((begin + 3, None))
    assert found(game) == []

    def say(entry):
        if entry["event"] == "trail.weakened" and entry["trail"]["arn"] == game.victim:
            entry["findings"].append(finding)
    record.edit(say)
    assert found(game) == []
    record.trails[game.victim]["health"] = {}
    assert f"{game.victim}: a message says {finding}, and there was no {member}" in found(game)


def test_a_change_of_the_guard_that_is_not_reported(falsified):
    game, record = falsified
    game.guard_changes = [Change(game.mended - 60, "the inline policy more-1 was added", "mallory")]
    assert found(game) == ["the inline policy more-1 was added by mallory is in no guard.changed"]
    game.guard_changes, game.unheard = [], [game.mended - 60]
    assert found(game) == ["nobody hears the alerts, and the journal does not say so"]


def test_who_never_does_any_harm_is_accused(falsified):
    game, record = falsified
    alice = game.arn("alice")
    for event in record.history:
        if event["userIdentity"]["arn"] == game.arn("mallory"):
            event["userIdentity"]["arn"] = alice
    accuse(record, arn=alice)
    assert any("she never does any harm" in fault for fault in found(game))


@pytest.mark.parametrize("operation, member, value", [
    ("UpdateTrail", "S3BucketName", "his"), ("CreateTrail", "S3BucketName", "his"),
    ("PutEventSelectors", "EventSelectors", [])])
def test_a_write_that_no_baseline_says(falsified, operation, member, value):
    game, record = falsified
    entry = next((entry for entry in record.logged if entry["operation"] == operation and entry["principal"] == game.arn("guard")), None)
    if entry is None:       # nobody changed the selectors in this game
        entry = {**first(record, operation="UpdateTrail", principal=game.arn("guard")), "operation": operation, "params": {}}
        record.logged.append(entry)
    entry["params"] = {**entry["params"], member: value}
    assert any(fault.startswith(f"{operation} of ") and json.dumps(value) in fault for fault in found(game))


def test_a_write_to_a_trail_that_has_no_baseline(falsified):
    game, record = falsified
    own = game.victim.replace("trail/victim", "trail/own-1")
    first(record, operation="UpdateTrail", principal=game.arn("guard"))["trail"] = own
    assert f"the guard called UpdateTrail of {own}, which has no baseline" in found(game)


def test_a_write_that_the_mode_forbids(falsified):
    game, _ = falsified
    game.plan = copy.copy(game.plan)
    game.plan.mode = "restart"
    assert "mode restart: the guard called UpdateTrail" in found(game)


def test_a_flood(falsified):
    game, record = falsified
    message = record.sent[-1]
    for number in range(BUDGET + 1):
        more = copy.deepcopy(message)
        entry = json.loads(more["received"]["sqs"]["Message"])
        more["received"]["sqs"]["Message"] = json.dumps({**entry, "id": f"{number:064x}"})
        record.sent.append(more)
    assert any("messages of incident" in fault for fault in found(game))


def accuse(record, **actor):
    def change(entry):
        if entry["actor"]:
            entry["actor"].update(actor)
    record.edit(change)


@pytest.mark.parametrize("actor, fault", [
    ({"event_id": "00000000-0000-4000-8000-000000000000"}, "which does not exist"),
    ({"arn": "arn:aws:iam::111122223333:user/alice", "name": "alice"}, "but it was"),
    ({"event_name": "CreateTrail"}, "but it was")], ids=["no such event", "another", "another call"])
def test_a_false_accusation(falsified, actor, fault):
    game, record = falsified
    accuse(record, **actor)
    assert any(fault in text for text in found(game))


@pytest.mark.parametrize("change, fault", [
    ({"eventName": "StartLogging"}, "which changes nothing"),
    ({"errorCode": "AccessDenied"}, "whose outcome was AccessDenied"),
    ({"requestParameters": {"name": "another"}}, "which was about another"),
    ("guard", "the guard itself")], ids=["harmless", "refused", "another trail", "the guard"])
def test_an_accusation_by_a_call_that_did_not_do_it(falsified, change, fault):
    game, record = falsified
    for event in record.history:
        if event["userIdentity"]["arn"] == game.arn("mallory"):
            event.update({"userIdentity": {**event["userIdentity"], "arn": game.arn("guard")}} if change == "guard" else change)
    assert any(fault in text for text in found(game))


def test_one_stop_under_two_ids_of_two_guards(falsified):
    game, record = falsified
    record.second = copy.deepcopy(record.sent)
    assert found(game) == []
    for message in record.second:
        entry = json.loads(message["received"]["sqs"]["Message"])
        message["received"]["sqs"]["Message"] = json.dumps({**entry, "id": entry["id"][::-1]})
    assert [fault for fault in found(game) if fault.endswith("has other ids in the second guard's messages")]


def test_one_message_under_two_incidents(falsified):
    game, record = falsified
    again = copy.deepcopy(record.sent[-1])
    entry = json.loads(again["received"]["sqs"]["Message"])
    again["received"]["sqs"]["Message"] = json.dumps({**entry, "incident": "0123456789abcdef"})
    record.sent.append(again)
    assert any("is of two incidents" in fault for fault in found(game))


@pytest.mark.parametrize("number", [1, 2])
def test_a_message_that_is_lost(falsified, number):
    """Of an incident with several: the first, or one in the middle."""
    game, record = falsified
    incident = next(entries for entries in Judge(game).by_incident().values() if len(entries) > 2)[0]["incident"]
    record.edit(lambda entry: (entry["incident"], entry["sequence"]) != (incident, number))
    assert any(fault.startswith(f"incident {incident} has the messages") for fault in found(game))


def test_an_incident_that_nothing_ends(falsified):
    game, record = falsified
    record.edit(lambda entry: entry.update(resolved=False))
    assert any(fault.startswith("no message ends incident") for fault in found(game))


@pytest.mark.parametrize("event, operation, fault", [
    ("trail.stopped", "StopLogging", "which nobody stopped"), ("trail.missing", "DeleteTrail", "which nobody deleted")])
def test_a_false_alarm(falsified, event, operation, fault):
    """The call that it is about was never made."""
    game, record = falsified
    record.logged = [entry for entry in record.logged if entry["operation"] not in (operation, "CreateTrail")]
    about = game.victim if operation == "StopLogging" else game.single
    record.edit(lambda entry: entry["event"] not in ("trail.missing", "trail.replaced") or entry.update(event="trail.missing"))
    assert f"{event} of {about}, {fault}" in found(game)


def test_a_gap_that_begins_when_nobody_stopped_the_trail(falsified):
    game, record = falsified

    def move(entry):
        if entry["event"] == "trail.stopped":
            entry["gap"]["from"] = "2031-01-01T00:00:00Z"
    record.edit(move)
    assert f"trail.stopped of {game.victim}: its gap begins at 2031-01-01T00:00:00Z, when nobody stopped it" in found(game)


@pytest.mark.parametrize("after, false", [(1, False), (20, True)], ids=["a moment later", "long since"])
def test_a_trail_that_is_said_to_be_well_while_it_is_stopped(falsified, after, false):
    game, record = falsified
    stop, start = (first(record, operation=operation, status=200, trail=game.victim) for operation in ("StopLogging", "StartLogging"))
    begin = Judge(game).called[stop["id"]]
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin + 60))
    next(event for event in record.history if event.get("requestID") == start["id"])["eventTime"] = moment
    said = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begin + after))
    record.edit(lambda entry: entry.update(time=said) if entry["resolved"] else None)
    assert any(f"that {game.victim} is well, which was stopped" in fault for fault in found(game)) == false


# -- daemons that are configured otherwise than the referee believes -------------------------------------------------------
@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(adversary, "CALM", 12)


@pytest.fixture
def otherwise(plain_server, place, quick):
    """A game that the referee believes to be of this mode, with a daemon whose configuration has these options."""
    plain_server.reset()
    plain_server.call("settings", quotas=False, **WORLD)
    games = []

    def make(believed, **options):
        games.append(begun(planned(plain_server, place, believed, **options)))
        games[-1].note("mallory", "begins")
        return games[-1]
    yield make
    for game in games:
        game.close()


def test_a_daemon_that_does_not_restart_loses(otherwise):
    game = otherwise("restart", mode="observe")
    game.people["mallory"].stop(game.victim)
    with pytest.raises(AssertionError, match="a trail stays stopped"):
        game.calm()


def test_a_daemon_that_does_not_restore_loses(otherwise):
    game = otherwise("restore", restore=["selectors"])
    game.people["mallory"].client(game.victim).update_trail(Name=game.victim, S3KeyPrefix="elsewhere")
    with pytest.raises(AssertionError, match="a trail is not as it was"):
        game.calm()


def test_a_daemon_that_writes_what_its_mode_forbids_loses(otherwise):
    game = otherwise("restart", mode="restore")
    game.people["mallory"].client(game.victim).update_trail(Name=game.victim, S3KeyPrefix="elsewhere")
    wait_told(game, "trail.weakened")
    game.calm()
    assert "mode restart: the guard called UpdateTrail" in verdict(game)


def test_a_daemon_that_tells_nobody_loses(otherwise):
    game = otherwise("restart", alerts=())
    game.people["mallory"].stop(game.victim)
    game.calm()
    assert f"StopLogging of {game.victim} is not reported" in verdict(game)


def test_a_daemon_that_forgets_its_incident_loses(otherwise):
    """Its state is taken from it while it is down; the stop that follows is of another incident."""
    game = otherwise("restart")
    game.people["mallory"].stop(game.victim)
    wait_told(game, "trail.stopped")
    game.guard.kill()
    shutil.rmtree(game.guard.state)
    game.guard.state.mkdir(mode=0o700)
    begun(game)
    game.people["mallory"].stop(game.victim)
    poll(lambda: game.sim.trail(game.victim)["logging"], within(15))
    game.calm()
    assert any("incidents within five minutes" in fault for fault in verdict(game))


def test_a_trail_that_was_created_again_shows_what_it_lacks(otherwise):
    """AWS shows a flag of every trail; without that nobody can know that it is off."""
    game = otherwise("restore")
    game.people["mallory"].delete(game.single)
    poll(lambda: any("UnknownSettings" in entry["fields"] + entry["fields_left"] for entry in Judge(game).messages), within(30))


def test_what_shows_in_no_call_is_reported(otherwise):
    """B9 and S1: nobody called what AWS has added since, and no error says that deliveries ended."""
    game = otherwise("restart")
    moves.sample(game, None)
    moves.stop_deliveries(game, None)
    assert [broken.event for broken in game.broken] == ["trail.weakened", "trail.failing"]
    wait_told(game, "trail.weakened")
    wait_told(game, "trail.failing")
    game.calm()
    assert verdict(game) == []
    game.sim = record = Record(game)
    game.broken = [broken._replace(begin=game.mended - 60) for broken in game.broken]
    assert found(game) == []
    record.drop("trail.weakened", "trail.failing")
    assert len([fault for fault in found(game) if "was broken for" in fault]) == 2


def test_a_start_without_a_poll_that_no_message_says(otherwise):
    """What is sent to a trail that logs changes nothing; that it is sent is in the message that the trail cannot be polled."""
    game = otherwise("restart", unreachable_after=1)
    moves.policy(game, game.principals, "cloudtrail:GetTrailStatus")
    game.sim.wait_for_request(within(20), count=2, operation="StartLogging", status=200, account=game.accounts)
    moves.policy(game, game.principals)
    game.calm()
    assert verdict(game) == []
    game.sim = record = Record(game)
    for message in record.sent:
        mail = message["received"]["email"]
        mail["Body"] = mail["Body"].replace("StartLogging", "nothing") if game.single in mail["Body"] else mail["Body"]
    assert found(game) == [f"StartLogging of {game.single} by the guard is not reported"]
    record.drop("target.unreachable")
    starts = [entry["trail"] for entry in record.logged if entry.get("operation") == "StartLogging"]
    assert [fault for fault in found(game) if "has the messages" not in fault] == \
        [f"StartLogging of {arn} by the guard is not reported" for arn in sorted(game.guarded, key=starts.index)]
