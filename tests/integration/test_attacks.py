# SPDX-License-Identifier: Apache-2.0
"""The attack range: every attack of attacks.py in every mode. What each leaves behind is compared with the state before,
member by member, and written down for the table in docs/attacks.md (attacks_table makes it)."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from attacks import (ATTACKS, BLIND, BUCKET, CHURN, DECOYS, DENIED, ENFORCED, FREED, GUARD_ROLE, LEAVES, MOVED, MOVES, NAMESAKE,
                     ON_GUARD, ORGANIZATION, OWN, PROPOSED, SCENARIO, VICTIM, WAR, WITH_ADVANCED)
from guard import PLAIN, within
from helpers import FRA, IAD, MAIN, MEMBER, ORG_TRAIL, TOPIC, documents, matches, operations, refused, sns, trail_arn, wait_alert
from simaws.client import SimError, poll
from test_receivers import Receiver

RESULTS = Path(os.environ.get("TRAILGUARD_ATTACKS", "")) if os.environ.get("TRAILGUARD_ATTACKS") else None
ALL_KINDS = ["settings", "selectors", "insights", "deleted"]
WRITES = {"StartLogging", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration", "CreateTrail", "AddTags", "RemoveTags"}
MODES = {"observe": {}, "restart": {}, "restore": {"restore": ALL_KINDS}}


@pytest.fixture
def range_(sim, make_guard, mallory, request):
    """A guard that knows the victim's baseline, and mallory."""
    sim.load(WITH_ADVANCED)

    def begin(mode, trail=VICTIM, **options):
        region = trail.split(":")[3]
        guard = make_guard(sim, mode=mode, regions=[region], trails=[trail.rpartition("/")[2]],
                           **{"settings_interval": 1, **MODES[mode], **options})
        guard.start().wait_guarding()
        known = "BucketOwner" if options.get("bucket_checks") or options.get("owner_check") else ""
        poll(lambda: [path for path in (guard.state / "baselines").glob("*.json") if known in path.read_text()], within(10))
        return guard
    return begin


def picture(sim, trail):
    """Everything that AWS knows of a trail but its times."""
    whole = sim.trail(trail)
    return {name: whole[name] for name in ("settings", "selectors", "advanced", "insights", "configuration", "tags", "logging")}


def now_and_before(sim, trail, before):
    """What is not as it was, as (before, now); the whole picture when the trail is not there."""
    try:
        now = picture(sim, trail)
    except SimError:
        return before
    return {name: (before[name], now[name]) for name in before if before[name] != now[name]}


def wait_put_back(sim, trail, before, seconds=20):
    try:
        poll(lambda: not now_and_before(sim, trail, before), within(seconds), 0.05)
    except AssertionError:
        raise AssertionError(f"not put back: {now_and_before(sim, trail, before)}") from None


def write_down(attack, mode, **facts):
    if RESULTS:
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{attack.number}.{mode}.json").write_text(json.dumps(
            {"number": attack.number, "does": attack.does, "mode": mode, **facts}))


def wait_told(sim, attack):
    """The alerts so far, once one tells of the attack, and all of them together name all that was changed."""
    def find():
        told = documents(sim)
        named = {change["field"] for entry in told for change in entry["changes"]}
        tells = any(entry["event"] == attack.event and attack.finding in (None, *entry["findings"]) for entry in told)
        return tells and set(attack.fields) <= named and told
    return poll(find, within(30), 0.05)


def writes(sim, since):
    return {name for name in operations(sim, since=since) if name in WRITES}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.number)
def test_attack(sim, mallory, range_, attack, mode):
    guard = range_(mode, attack.trail, **attack.options)
    before, mark = picture(sim, attack.trail), sim.mark()
    attack.perform(mallory, attack.trail)
    told = wait_told(sim, attack)
    undone = mode == "restore" and attack.put_back
    if undone:
        wait_put_back(sim, attack.trail, before)
        guard.wait_verdict(attack.trail.rpartition("/")[2], "logging", 20)
    sim.remove_fault()
    written = writes(sim, mark)
    allowed = {"observe": set(), "restart": {"StartLogging"}, "restore": WRITES}[mode]
    assert written <= allowed, written
    if not attack.put_back and attack.event == "trail.failing":
        assert not written, written
    assert len({entry["incident"] for entry in told if entry["event"].startswith("trail.")}) <= 1
    # StartLogging of a trail that cannot be polled, and logs, restores nothing
    by = [] if attack.event == "target.unreachable" else sorted(written)
    write_down(attack, mode, event=attack.event, undone=undone, by=by, fields=list(attack.fields),
               finding=attack.finding, severity=next(entry["severity"] for entry in told if entry["event"] == attack.event))


def wage_war(sim, mallory, seconds, reaction):
    """Stop the victim again whenever it was started again, so many seconds after that. Answers how often, and which
    share of the time from the second restart on the trail was logging: until then the guard polls as configured."""
    stops, lost, since = 0, 0.0, None
    while since is None or time.time() - since < seconds:
        mallory.stop(VICTIM)
        trail = sim.wait_for_trail(VICTIM, within(30), logging=True)
        stops += 1
        if stops == 2:
            since = trail["started"]
        elif stops > 2:
            lost += trail["started"] - trail["stopped"]
        time.sleep(reaction)
    return stops, 1 - lost / (trail["started"] - since + reaction)


@pytest.mark.timed
@pytest.mark.parametrize("mode", MODES)
def test_war(sim, mallory, range_, mode):
    """At any poll_interval: four per cent of the time were logged before, at five seconds."""
    guard = range_(mode, poll_interval=5, settings_interval=5, attribution=True)
    mark = sim.mark()
    if mode == "observe":
        mallory.stop(VICTIM)
        told = wait_alert(sim, "trail.stopped")
        write_down(WAR, mode, event="trail.stopped", undone=False, by=[], fields=[], finding=None, severity=told["severity"])
        return
    stops, share = wage_war(sim, mallory, within(15), 0.75)
    print(f"{stops} stops, logging {100 * share:.0f} % of the time")
    assert not PLAIN or share >= 0.45, (stops, share)
    told = wait_alert(sim, "trail.contested")
    assert told["contest"]["stops"] >= 3 and 0 <= told["contest"]["lost_percent"] <= 100
    matches("^War over victim in eu-central-1", told["summary"])
    assert len([entry for entry in documents(sim) if entry["event"] in ("trail.stopped", "trail.interrupted")]) <= 3
    assert writes(sim, mark) == {"StartLogging"}
    assert guard.found("victim .*: war: logging was stopped 3 times")
    guard.wait_verdict("victim", "logging", 20)
    write_down(WAR, mode, event=told["event"], undone=mode == "restore", by=["StartLogging"], fields=[], finding=None,
               severity=told["severity"])


def test_a_war_over_a_trail_that_is_gone_has_the_others_polled_often(sim, mallory, make_guard):
    """The one that is gone was counted among those that are there, in the place of the one that is left."""
    guard = make_guard(sim, regions=[FRA], poll_interval=5, settings_interval=5)
    left = sim.add_trail("left", MAIN, FRA)
    guard.start().wait_guarding()
    guard.wait_baselines(2, 0)
    for _ in range(3):
        mallory.stop(ORG_TRAIL)
        sim.wait_for_trail(ORG_TRAIL, within(20), logging=True)
    wait_alert(sim, "trail.contested", seconds=30)
    mallory.delete(ORG_TRAIL)
    wait_alert(sim, "trail.missing", seconds=30)
    sim.wait_for_request(within(8), count=4, since=sim.mark(), operation="GetTrailStatus", trail=left)


def churn(sim, mallory, guard, names):
    """Create trails, three at a time because a region has five at most, and delete them once the first was polled."""
    for i in range(0, len(names), 3):
        for arn in names[i:i + 3]:
            mallory.create(arn, BUCKET)
        sim.wait_for_request(within(30), operation="GetTrailStatus", trail=names[i], principal="*:user/guard")
        for arn in names[i:i + 3]:
            mallory.delete(arn)
    guard.wait_line(f"{names[-1].rpartition('/')[2]} .*nobody has accepted it", 30)
    guard.wait_status(lambda status: {trail["verdict"] for trail in status["trails"]
                                      if trail["name"].startswith("churn-")} <= {"missing"}, 30)


@pytest.mark.parametrize("mode", MODES)
def test_churn(sim, mallory, make_guard, mode):
    """44 trails made the poll of the real one come every nine seconds, and took 44 critical alerts."""
    sim.load(SCENARIO)
    sim.trail(ORGANIZATION, delete=True)
    guard = make_guard(sim, mode=mode, regions=[FRA], poll_interval=1, settings_interval=1, attribution=True, **MODES[mode])
    guard.start().wait_guarding().wait_baselines(2, 0)
    gone = [trail_arn(f"churn-{number}", FRA) for number in range(6)]
    churn(sim, mallory, guard, gone)
    mark = sim.mark()
    mallory.stop(VICTIM)
    stopped = wait_alert(sim, "trail.stopped", seconds=20)
    assert stopped["trail"]["arn"] == VICTIM and stopped["severity"] == "critical"
    if mode != "observe":
        sim.wait_for_trail(VICTIM, within(20), logging=True)
    told = wait_alert(sim, "trails.unaccepted", seconds=30)
    matches("churn-", told["detail"])
    # one list a poll says of all that are missing whether they are back
    asked = {entry.get("trail") for entry in sim.requests(since=mark, operation="GetTrailStatus", principal="*:user/guard")}
    assert VICTIM in asked and not asked & set(gone), asked
    single = [entry for entry in documents(sim) if entry["trail"] and entry["trail"]["arn"] in gone]
    assert len({entry["trail"]["arn"] for entry in single}) == 3
    assert "critical" not in {entry["severity"] for entry in single}
    write_down(CHURN, mode, event=told["event"], undone=mode == "restore", by=sorted(writes(sim, mark)), fields=[],
               finding=None, severity=told["severity"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("attack", [BLIND, DENIED], ids=lambda attack: attack.number)
def test_a_stop_that_no_poll_can_show(sim, mallory, range_, attack, mode):
    """Nothing was done for as long as that lasted."""
    guard = range_(mode)
    fault = "throttle" if attack is BLIND else "denied"
    mark = sim.mark()
    for operation in ("GetTrailStatus", "DescribeTrails") if attack is BLIND else ("GetTrailStatus",):
        sim.add_fault(fault, operation=operation, user_agent="TrailGuard*")
    mallory.stop(VICTIM)
    told = wait_alert(sim, attack.event, seconds=30)
    if mode == "observe":
        assert not writes(sim, mark)
    else:
        sim.wait_for_trail(VICTIM, within(30), logging=True)
        guard.wait_line("victim .*: StartLogging was sent although the trail cannot be polled", 20)
        assert writes(sim, mark) == {"StartLogging"}
    sim.remove_fault()
    if mode != "observe":
        guard.wait_verdict("victim", "logging", 60)
        wait_alert(sim, "trail.interrupted", seconds=60)
    write_down(attack, mode, event=attack.event, undone=mode == "restore", by=["StartLogging"] if mode != "observe" else [],
               fields=[], finding=None, severity=told["severity"])


@pytest.mark.parametrize("mode", MODES)
def test_a_member_that_leaves_the_organization(sim, mallory, make_guard, mode):
    """F1: no further events are logged for that account by the organization's trail."""
    sim.add_account(MEMBER, regions=[FRA])
    sim.call("load", organization={"management": MAIN, "members": [MAIN, MEMBER]})
    trust = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/guard"}, "Action": "sts:AssumeRole"}]
    sim.add_role("TrailGuard", MEMBER, trust=trust)
    sim.add_trail("local", MEMBER, FRA, IsMultiRegionTrail=True)
    guard = make_guard(sim, mode=mode, organization={"role_name": "TrailGuard", "refresh": 60})
    guard.start().wait_guarding()
    guard.wait_status(lambda status: len(status["trails"]) == 2)
    sim.call("load", organization={"management": MAIN, "members": [MAIN]})
    guard.reload()
    entry = wait_alert(sim, "account.left", seconds=20, holds=lambda entry: entry["account"] == MEMBER)
    matches("no longer an active member of the organization", entry["summary"])
    write_down(LEAVES, mode, event="account.left", undone=False, by=[], fields=[], finding=None, severity=entry["severity"])


@pytest.mark.parametrize("mode", MODES)
def test_a_member_that_moves_to_another_organization(sim, make_guard, mode):
    """F3: it need not leave first, and the organization's trail is gone from it."""
    sim.add_account(MEMBER, regions=[FRA, IAD])
    sim.load({**SCENARIO, "organization": {"management": MAIN, "members": [MAIN, MEMBER]}})
    for user in ("member-guard", "member-admin"):
        sim.add_user(user, MEMBER)
    topic = f"arn:aws:sns:{FRA}:{MEMBER}:alerts"
    sim.add_topic(topic)
    guard = make_guard(sim, "member-guard", mode=mode, regions=[FRA], trails=[ORGANIZATION], settings_interval=1,
                       alerts=sns(topic), attribution=True)
    guard.start().wait_guarding()
    guard.wait_verdict("organization", "protected")
    sim.boto3("member-admin", "organizations", IAD).accept_handshake(HandshakeId="h-examplehandshake")
    missing = wait_alert(sim, "trail.missing", topic, seconds=20)
    entry = wait_alert(sim, "trail.attributed", topic, seconds=20)
    assert (entry["actor"]["name"], entry["actor"]["event_name"]) == ("member-admin", "AcceptHandshake")
    assert not WRITES & {call["operation"] for call in sim.requests(principal="*:user/member-guard")}
    write_down(MOVES, mode, event="trail.missing", undone=False, by=[], fields=[], finding=None, severity=missing["severity"])


def wait_missing(sim, arn):
    return wait_alert(sim, "trail.missing", seconds=20, holds=lambda entry: entry["trail"]["arn"] == arn)


@pytest.mark.parametrize("mode", MODES)
def test_a_namesake_in_another_region(sim, mallory, range_, mode):
    """The configuration has the trail's name alone, and the new one had it too: its settings became a baseline to keep."""
    guard = range_(mode, attribution=True, poll_interval=1)
    before, mark, namesake = picture(sim, VICTIM), sim.mark(), trail_arn("victim", IAD)
    mallory.delete(VICTIM)
    mallory.client(namesake).create_trail(Name="victim", S3BucketName="mallorys-bucket", IsMultiRegionTrail=True)
    mallory.client(namesake).start_logging(Name=namesake)
    gone = wait_missing(sim, VICTIM)
    assert gone["severity"] == "critical"
    new = wait_alert(sim, "trail.appeared", seconds=20)
    assert (new["trail"]["arn"], new["severity"]) == (namesake, "warning")
    found = wait_alert(sim, "trail.attributed", seconds=20, holds=lambda entry: entry["trail"]["arn"] == VICTIM)
    assert (found["actor"]["name"], found["actor"]["event_name"], found["incident"]) == ("mallory", "DeleteTrail", gone["incident"])
    if mode == "restore":
        wait_put_back(sim, VICTIM, before)
    by = sorted(writes(sim, mark))
    assert guard.stop() == 0                    # nor is it trusted after a restart
    guard.start().wait_guarding()
    mallory.delete(namesake)
    lost = wait_missing(sim, namesake)
    assert (lost["severity"], lost["action"]["taken"]) == ("warning", "none")
    assert not [path for path in (guard.state / "baselines").glob("*.json") if namesake in path.read_text()]
    write_down(MOVED, mode, event=gone["event"], undone=mode == "restore", by=by, fields=[], finding=None,
               severity=gone["severity"])


def wait_watched(sim, mallory, guard, own, told):
    """Started, and otherwise left as it is, also after a restart; gone for good when its owner deletes it."""
    mallory.stop(own)
    sim.wait_for_trail(own, within(10), logging=True)
    mallory.client(own).update_trail(Name=own, S3KeyPrefix="more")
    changed = wait_alert(sim, "trail.weakened")
    assert (changed["severity"], changed["action"]["taken"], changed["fields"]) == ("warning", "none", ["S3KeyPrefix"])
    found = wait_alert(sim, "trail.attributed", holds=lambda entry: entry["actor"]["event_name"] == "CreateTrail")
    assert (found["actor"]["name"], found["incident"]) == ("mallory", told["incident"])
    assert guard.stop() == 0
    guard.start().wait_guarding()
    mallory.delete(own)
    gone = wait_alert(sim, "trail.missing")
    assert (gone["severity"], gone["action"]["taken"]) == ("warning", "none")
    assert [entry["event"] for entry in documents(sim)].count("trail.appeared") == 1
    assert not [path for path in (guard.state / "baselines").glob("*.json") if "own" in path.name]


@pytest.mark.parametrize("mode", MODES)
def test_a_trail_of_his_own(sim, mallory, make_guard, mode):
    """It was a baseline to keep, and the guard created it again when its owner deleted it."""
    own = trail_arn("own", IAD)
    guard = make_guard(sim, mode=mode, regions=[IAD], settings_interval=1, attribution=True, **MODES[mode])
    guard.start().wait_guarding()
    mark = sim.mark()
    mallory.create(own, bucket="mallorys-bucket")
    told = wait_alert(sim, OWN.event, seconds=20)
    assert (told["severity"], told["trail"]["name"], told["resolved"]) == ("warning", "own", True)
    assert told["destination"] == {"bucket": "mallorys-bucket", "prefix": None, "log_group": None, "kms_key": None,
                                   "standing": "unknown", "whose": None}
    if mode == "restore":
        wait_watched(sim, mallory, guard, own, told)
    assert writes(sim, mark) <= {"StartLogging"}
    write_down(OWN, mode, event=OWN.event, undone=False, by=[], fields=[], finding=None, severity=told["severity"])


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


def watches_itself(guard):
    """The guard has checked its user, its role and its topic once."""
    try:
        found = json.loads((guard.state / "state.json").read_text()).get("guards", [])
    except FileNotFoundError:
        return False
    return {"guard", "TrailGuard", TOPIC.rpartition(":")[2]} <= {
        record["arn"].rpartition("/")[2].rpartition(":")[2] for record in found
        if record.get("simulated") or "subscription" in record.get("read", [])}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("attack", ON_GUARD, ids=lambda attack: attack.number)
def test_an_attack_on_the_guard_itself(sim, mallory, make_guard, receiver, attack, mode):
    """The webhook is outside AWS: what silences SNS does not silence that."""
    sim.add_account(MEMBER, regions=[FRA, IAD])
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.add_role("TrailGuard", MEMBER, trust=[{"Effect": "Allow", "Principal": {"AWS": MAIN}, "Action": "sts:AssumeRole"}])
    sim.add_trail("local", MEMBER, FRA)
    guard = make_guard(sim, mode=mode, regions=[FRA], accounts=[{}, {"role_arn": GUARD_ROLE}], guard_checks=True, guard_interval=10,
                       alerts=[{"type": "sns", "topic_arn": TOPIC}, {"type": "webhook", "url": receiver.url}], **MODES[mode])
    guard.start().wait_guarding()
    poll(lambda: watches_itself(guard), within(60))
    attack.perform(mallory, TOPIC)
    (told, *_) = poll(lambda: [entry for entry in receiver.taken() if entry["event"] == attack.event], within(60))
    write_down(attack, mode, event=told["event"], undone=False, by=[], fields=[], finding=None, severity=told["severity"])
    guard.stop()


def contained(sim, count=1):
    """Once so many policies were put: the last message, which says that the guard has read it back."""
    def find():
        told = [entry for entry in documents(sim) if entry["event"] == "identity.contained"]
        return len([entry for entry in told if entry["contained"]["step"] == "done"]) >= count and told[-1]
    return poll(find, within(40))


def denied(sim, user):
    return refused(sim.boto3(user, "cloudtrail", FRA).stop_logging, Name=VICTIM) == "AccessDeniedException"


def stop_as(sim, user):
    """Each has its own entry in the event history."""
    sim.boto3(user, "cloudtrail", FRA).stop_logging(Name=VICTIM)


def free(sim):
    """A second identity takes the policy off; the guard puts it again under another name."""
    sim.add_user("trent", MAIN)
    sim.boto3("trent", "iam", IAD).delete_user_policy(UserName="mallory", PolicyName="TrailGuardContain")
    return contained(sim, 2)


def send_decoys(sim, mallory):
    """Two users tamper, of whom one is held; then mallory fights."""
    for number in range(2):
        sim.add_user(f"decoy-{number}", MAIN)
        sim.boto3(f"decoy-{number}", "cloudtrail", FRA).put_event_selectors(
            TrailName=VICTIM, EventSelectors=[{"ReadWriteType": ("ReadOnly", "WriteOnly")[number], "IncludeManagementEvents": True}])
        wait_alert(sim, "trail.attributed", seconds=30, count=number + 1)
    contained(sim)

    def over():
        if sim.trail(VICTIM)["status_now"]["IsLogging"]:
            refused(mallory.client(VICTIM).stop_logging, Name=VICTIM)
        held = [entry for entry in documents(sim) if entry["event"] == "identity.contained"]
        return any(entry["contained"]["step"] == "done" and entry["contained"]["arn"].endswith("/mallory") for entry in held)
    poll(over, within(60))
    held = {entry["contained"]["arn"].rpartition("/")[2] for entry in documents(sim) if entry["event"] == "identity.contained"}
    assert held == {"decoy-0", "mallory"}


def assume_namesake(sim):
    """A session of a role that has the name of the guard's user, as keys of the user "namesake"."""
    arn = sim.add_role("guard", MAIN)
    keys = sim.boto3("mallory", "sts", FRA).assume_role(RoleArn=arn, RoleSessionName="guard")["Credentials"]
    sim.add_keys("namesake", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("attack", [PROPOSED, ENFORCED, FREED, DECOYS, NAMESAKE], ids=lambda attack: attack.number)
def test_an_attacker_who_is_contained(sim, mallory, range_, attack, mode):
    proposes = attack is PROPOSED or mode == "observe"
    range_(mode, attribution=True, poll_interval=1,
           contain={"mode": "propose" if attack is PROPOSED else "enforce", "after": 1, "max_per_day": 2})
    before, mark, user = picture(sim, VICTIM), sim.mark(), "mallory"
    if attack is NAMESAKE:
        assume_namesake(sim)
        user = "namesake"
    if attack is DECOYS and mode != "observe":
        send_decoys(sim, mallory)
    else:
        stop_as(sim, user)
    told = wait_alert(sim, "trail.attributed", seconds=30, holds=lambda entry: "contain" in entry) if proposes \
        else free(sim) if attack is FREED and contained(sim) else contained(sim)
    assert denied(sim, user) == (not proposes)
    if mode == "restore":
        wait_put_back(sim, VICTIM, before)
    if mode != "observe":
        sim.wait_for_trail(VICTIM, within(20), logging=True)
    assert bool({"PutUserPolicy", "PutRolePolicy"} & set(operations(sim))) == (not proposes)
    by = sorted(writes(sim, mark))
    write_down(attack, mode, event=told["event"], undone=mode == "restore", by=by, fields=[], finding=None, severity=told["severity"])


@pytest.mark.skipif(not PLAIN, reason="many steps; the plain build runs them")
def test_any_order_of_attacks_ends_with_the_trail_as_it_was(sim, mallory, range_):
    """Attacks one upon another, as fast as they come, in an order that a seed decides."""
    seed = int(os.environ.get("TRAILGUARD_SEED", time.time()))
    choose = random.Random(seed)
    guard = range_("restore", max_restores_per_hour=1000)
    before = picture(sim, VICTIM)
    attacks = [attack for attack in ATTACKS if attack.trail == VICTIM and attack.event != "target.unreachable"
               and not attack.options and (attack.put_back or attack.number == "A2")]
    for _ in range(60):
        attack = choose.choice(attacks)
        try:
            attack.perform(mallory, VICTIM)
        except Exception as error:                  # what is gone cannot be changed
            assert "NotFound" in str(error) or "AlreadyExists" in str(error) or "MustInclude" in str(error) \
                or "must include" in str(error) or "cannot be found" in str(error), (seed, error)
        if choose.random() < 0.2:
            time.sleep(choose.random())
    try:
        wait_put_back(sim, VICTIM, before, 60)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from None
    guard.wait_verdict("victim", "logging", 30)
    guard.wait_delivered()
    assert len({entry["incident"] for entry in documents(sim) if entry["event"].startswith("trail.")}) == 1, seed
