# SPDX-License-Identifier: Apache-2.0
"""A game: a random attacker against the real daemon, in an account of the simulated AWS that is theirs alone.

A seed decides everything that the attacker wants: the guard's options, the moves, and what each of them picks. How far he
gets also depends on who is faster, so the verdict (judge.py) holds the game to what was recorded and not to the plan.

    game = Game(sim, seed, directory)
    game.play()
    verdict(game)
"""

import collections
import functools
import itertools
import json
import random
import time

import attacks
from guard import Guard, within
from helpers import FRA, IAD, MAIN, Mallory, sns
from simaws.client import SimError, poll

CALM = 150          # s; the longest back-off is 60, and a minute more until the settings are read, restored and confirmed
DOWN = "the daemon is down"
LONGEST = 40        # moves
DIRECT = ("A1", "A3", "A5", "A5p", "A6", "A8", "A9", "A9f", "A10", "A11", "A13", "A6-A11", "B1", "B2r", "B2w", "B3", "B4a", "B4b",
          "B4c", "B5", "B6", "B7", "B8", "T1")
DEFAULT_SELECTORS = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                      "ExcludeManagementEventSources": []}]
CATALOGUE = [attack for attack in attacks.ATTACKS if attack.number in DIRECT]
FAULTS = [{"kind": "throttle"}, {"kind": "http500"}, {"kind": "http503"}, {"kind": "reset"}, {"kind": "closed"},
          {"kind": "truncate", "bytes": 10}, {"kind": "garbage"}, {"kind": "empty"}, {"kind": "slow", "seconds": 1.5},
          {"kind": "slow", "seconds": 1.5, "after": True}, {"kind": "hang", "seconds": 3}, {"kind": "reset", "executed": True},
          {"kind": "http500", "executed": True}, {"kind": "closed", "executed": True}, {"kind": "oversize", "bytes": 4 << 20},
          {"kind": "denied"}, {"kind": "expired"}]
READS = ("GetTrailStatus", "DescribeTrails", "GetEventSelectors", "GetInsightSelectors", "GetEventConfiguration", "ListTags",
         "LookupEvents")
WRITES = ("StartLogging", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "CreateTrail", "AddTags")

Note = collections.namedtuple("Note", "time who what result")
Handicap = collections.namedtuple("Handicap", "begin end what")


def account_of(seed):
    return f"{100000000000 + seed % 800000000000}"


def moved(value, account):
    """A part of the catalogue's scenario, in another account. Names of buckets are everybody's."""
    text = json.dumps(value).replace(MAIN, account)
    return json.loads(text.replace("example-victim-logs", f"victim-{account}").replace("example-single-logs", f"single-{account}"))


class Plan:
    """What a seed says."""

    def __init__(self, seed, moves=None):
        choose = random.Random(seed)
        self.mode = choose.choice(["restore", "restore", "restore", "restart", "observe"])
        self.options = {
            "mode": self.mode, "settings_interval": choose.choice([1, 1, 2]), "attribution": choose.random() < 0.8,
            "bucket_checks": choose.random() < 0.4, "owner_check": choose.random() < 0.5, "unreachable_after": choose.choice([1, 3]),
            "max_restores_per_hour": choose.choice([1000, 1000, 5]),
            "aws": {"request_timeout": 2, "connect_timeout": 1, "max_attempts": choose.choice([1, 3])}}
        if self.mode == "restore":
            self.options["restore"] = ["settings", "selectors", "insights", "deleted"]
        if choose.random() < 0.3:
            self.options["expect"] = {"validation": True}
        names, weights = zip(*((name, weight) for name, (weight, _) in MOVES.items()))
        self.moves = [(choose.choices(names, weights)[0], choose.random() ** 3 * 2, choose.random())
                      for _ in range(choose.randint(6, LONGEST))][:moves]

    def __str__(self):
        return json.dumps(self.options)


class Game:
    def __init__(self, sim, seed, directory, moves=None, seconds=12):
        self.sim, self.seed, self.account, self.plan, self.seconds = sim, seed, account_of(seed), Plan(seed, moves), seconds
        self.victim, self.single = (moved(arn, self.account) for arn in (attacks.VICTIM, attacks.SINGLE))
        self.guarded = [self.victim, self.single]
        self.topic = f"arn:aws:sns:{FRA}:{self.account}:trailguard"
        self.bucket = moved(attacks.BUCKET, self.account)
        self.notes, self.handicaps, self.open, self.left = [], [], {}, {}
        self.own = itertools.count(1)
        self._found(moved(attacks.SCENARIO, self.account))
        self.people = {name: Mallory(sim, f"{name}-{self.account}") for name in ("mallory", "trent", "alice", "eve")}
        self.guard = Guard(sim, directory, f"guard-{self.account}", regions=[FRA, IAD], alerts=sns(self.topic), **self.plan.options)

    def _found(self, scenario):
        """The account, its people and its trails."""
        self.sim.add_account(self.account)
        refused = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*"}]
        for name in ("guard", "mallory", "trent", "alice", "eve"):
            self.sim.add_user(f"{name}-{self.account}", self.account, **({"policy": refused} if name == "eve" else {}))
        self.sim.add_topic(self.topic)
        for arn in (entry["arn"] for entry in scenario["topics"]):
            self.sim.add_topic(arn)
        chosen = [trail for trail in scenario["trails"] if trail["name"] in ("victim", "single")]
        chosen[1]["LogFileValidationEnabled"] = True        # so that the pin holds
        self.sim.load({"trails": chosen, "kms_keys": scenario["kms_keys"]})
        self.baseline = {arn: self.picture(arn) for arn in self.guarded}

    # -- what is written down --------------------------------------------------------------------------------------------
    def note(self, who, what, result="done"):
        self.notes.append(Note(time.monotonic(), who, what, result))

    def transcript(self):
        """What happened, one move a line."""
        begin = self.notes[0].time if self.notes else 0
        return "\n".join(f"{note.time - begin:8.3f} {note.who:8} {note.what}: {note.result}" for note in self.notes)

    def arn(self, who):
        return f"arn:aws:iam::{self.account}:user/{who}-{self.account}"

    def picture(self, arn):
        """Everything that AWS knows of a trail but its times; None when it is gone."""
        try:
            whole = self.sim.trail(arn)
        except SimError:
            return None
        picture = {name: whole[name] for name in ("settings", "selectors", "advanced", "insights", "configuration", "tags", "logging")}
        picture["selectors"] = None if picture["selectors"] == DEFAULT_SELECTORS else picture["selectors"]
        return picture

    def as_before(self, arn):
        return self.picture(arn) == self.baseline[arn]

    # -- handicaps: while one lasts, nothing is asked of the guard -----------------------------------------------------------
    def handicap(self, what, undo, lasts):
        """Something that keeps the guard from its work for so many moves."""
        self.open[what] = (time.monotonic(), undo, lasts)

    def count_down(self, moves=1):
        for what, (begin, undo, lasts) in list(self.open.items()):
            if lasts > moves:
                self.open[what] = (begin, undo, lasts - moves)
                continue
            undo()
            del self.open[what]
            self.handicaps.append(Handicap(begin, time.monotonic(), what))
            self.note("referee", f"end of {what}")

    # -- the game --------------------------------------------------------------------------------------------------------
    def play(self):
        """The moves, and then calm, in which everything must become well."""
        self.guard.start().wait_guarding()
        self.guard.wait_baselines(2, 0)
        known = "BucketOwner" if self.plan.options["bucket_checks"] or self.plan.options["owner_check"] else ""
        poll(lambda: all(known in path.read_text() for path in (self.guard.state / "baselines").glob("*.json")), within(20))
        self.note("referee", f"seed {self.seed}", str(self.plan))
        self.begin = time.monotonic()
        for number, (name, pause, pick) in enumerate(self.plan.moves):
            if time.monotonic() - self.begin > self.seconds:
                break
            self.move(number, name, pick)
            self.count_down()
            time.sleep(pause)
        self.count_down(LONGEST)
        self.calm()

    def move(self, number, name, pick):
        try:
            MOVES[name][1](self, random.Random(f"{self.seed} {number} {pick}"))
        except AssertionError:
            self.note("referee", f"move {number} {name}", "its deadline passed")
        except Exception as error:          # what is gone cannot be changed, and AWS has quotas
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code is None:
                raise
            self.note("mallory", f"move {number} {name}", f"refused: {code}")

    def repair(self):
        """What the guard cannot or may not undo, done by hand."""
        self.sim.call("bucket", name=self.bucket, missing=False, denied=False, owner=self.account, lifecycle=[])
        self.sim.call("kms_key", arn=moved(attacks.KEY, self.account), state="Enabled", deletion=None)

    def put_back(self):
        """The settings and trails that this mode does not restore."""
        for arn in self.guarded:
            before = self.baseline[arn]
            if self.picture(arn) is None:
                region, name = arn.split(":")[3], arn.rpartition("/")[2]
                self.sim.add_trail(name, self.account, region, settings=before["settings"], age=0, logging=self.plan.mode == "observe")
            self.sim.trail(arn, **before)

    def calm(self):
        """The guard has its rights, the network is whole, and nobody attacks."""
        self.repair()
        self.note("referee", "calm")
        self.calm_since = time.monotonic()
        restores = self.plan.mode == "restore" and self.plan.options["max_restores_per_hour"] > LONGEST
        if self.plan.mode != "observe":
            self.wait(lambda: all((self.picture(arn) or {"logging": self.plan.mode == "restart"})["logging"] for arn in self.guarded),
                      "a trail stays stopped, or missing")
        if restores:
            self.wait(lambda: all(map(self.as_before, self.guarded)), "a trail is not as it was")
        else:
            self.wait(self.settings_read, "the settings are not read")
            self.left = {arn: self.difference(arn) for arn in self.guarded}
            self.put_back()
            self.note("referee", "put back what the guard may not restore")
        self.wait(lambda: not self.troubled(), "an incident stays open")
        if self.guard.outbox_files():       # a channel that was refused is tried again after five minutes, or now
            assert self.guard.stop() == 0
            self.guard.start().wait_ready()
        self.guard.wait_delivered(60)
        self.note("referee", "all is well")

    def settings_read(self):
        """The guard has read every trail's settings since the calm began, so that it can report what stays changed."""
        reads = self.sim.requests(account=self.account, operation="DescribeTrails", status=200, principal=self.arn("guard"))
        regions = collections.Counter(entry["region"] for entry in reads if entry["time"] > self.calm_since)
        return all(regions[region] >= 4 for region in (FRA, IAD))

    def troubled(self):
        """What status.json says is not well. A trail of his own may stay as its owner left it."""
        status = self.guard.status()
        if not status or status["pid"] != self.guard.process.pid:
            return ["no status"]
        arns = {trail["arn"]: trail for trail in status["trails"]}
        bad = [f"{arn}: not guarded" for arn in self.guarded if arn not in arns]
        bad += [f"{arn}: {trail['verdict']} {(trail['incident'] or {}).get('id')}" for arn, trail in arns.items()
                if arn in self.guarded and (trail["verdict"] != "logging" or trail["incident"])]
        return bad + [f"{target['region']}: {target['incident']}" for target in status["targets"] if target.get("incident")]

    def wait(self, holds, otherwise):
        try:
            poll(holds, within(CALM), 0.2)
        except AssertionError:
            now = {arn: self.difference(arn) for arn in self.guarded}
            raise AssertionError(f"{otherwise} {within(CALM)} s after the calm began: {json.dumps(now)}; {self.troubled()}") from None

    def difference(self, arn):
        now, before = self.picture(arn), self.baseline[arn]
        return "missing" if now is None else {name: (before[name], now[name]) for name in before if before[name] != now[name]}

    def close(self):
        self.guard.close()


# -- moves -------------------------------------------------------------------------------------------------------------
def attack(game, choose):
    """One of the catalogue, by one of two."""
    chosen, who = choose.choice(CATALOGUE), choose.choice(["mallory", "trent"])
    game.note(who, f"{chosen.number} {chosen.does}", "begins")
    chosen.perform(game.people[who], game.victim)
    game.note(who, f"{chosen.number} {chosen.does}")


def stop(game, choose):
    who, trail = choose.choice(["mallory", "trent"]), choose.choice(game.guarded)
    game.people[who].stop(trail)
    game.note(who, f"StopLogging {trail}")


def flap(game, choose):
    trail, mallory = choose.choice(game.guarded), game.people["mallory"]
    mallory.stop(trail)
    mallory.start(trail)
    game.note("mallory", f"StopLogging and StartLogging {trail}")


def war(game, choose):
    """As soon as it is started again."""
    if game.open or game.plan.mode == "observe":
        return stop(game, choose)
    stops = choose.randint(2, 5)
    for number in range(stops):
        game.people["mallory"].stop(game.victim)
        game.note("mallory", f"StopLogging {number + 1} of {stops}")
        game.sim.wait_for_trail(game.victim, within(10), logging=True)


def globals_off(game, _):
    game.people["mallory"].client(game.single).update_trail(Name=game.single, IncludeGlobalServiceEvents=False)
    game.note("mallory", f"global events off {game.single}")


def replace(game, choose):
    trail, mallory = choose.choice(game.guarded), game.people["mallory"]
    mallory.delete(trail)
    game.note("mallory", f"DeleteTrail {trail}")
    time.sleep(choose.choice([0, 0, 0.5]))
    mallory.create(trail, f"mallory-{game.account}")
    game.note("mallory", f"CreateTrail {trail} with another bucket")


def remove(game, choose):
    trail = choose.choice(game.guarded)
    game.people["trent"].delete(trail)
    game.note("trent", f"DeleteTrail {trail}")


def own_trail(game, choose):
    """A trail of his own; some are changed, stopped, deleted again."""
    arn = f"arn:aws:cloudtrail:{choose.choice([FRA, IAD])}:{game.account}:trail/own-{next(game.own)}"
    who = choose.choice(["mallory", "alice"])
    game.people[who].create(arn, f"own-{game.account}")
    game.note(who, f"CreateTrail {arn}")
    time.sleep(choose.choice([0, 1.5]))
    for step in choose.sample(["stop", "delete"], choose.randint(0, 2)):
        getattr(game.people[who], step)(arn)
        game.note(who, f"{step} {arn}")


def bogus(game, choose):
    """Calls on trails that do not exist, and one that is not allowed."""
    client = game.people["mallory"].client(game.victim)
    for number in range(choose.randint(5, 40)):
        try:
            choose.choice([client.stop_logging, client.delete_trail])(Name=f"no-such-trail-{number}")
        except client.exceptions.ClientError:
            pass
    game.note("mallory", "calls on trails that do not exist")


def refused(game, choose):
    eve, trail = game.people["eve"], choose.choice(game.guarded)
    game.note("eve", f"a call on {trail} that she has no right to")
    choose.choice([eve.stop, eve.delete])(trail)


def innocent(game, choose):
    """Calls that change nothing: nobody may accuse alice."""
    client, trail = game.people["alice"].client(game.victim), game.victim
    before = game.baseline[trail]
    now = game.picture(trail)
    if now is None or now["settings"]["S3BucketName"] != before["settings"]["S3BucketName"] or not now["logging"]:
        return
    call, what = choose.choice([
        (functools.partial(client.start_logging, Name=trail), "StartLogging of what logs"),
        (functools.partial(client.get_trail_status, Name=trail), "GetTrailStatus"),
        (functools.partial(client.lookup_events, MaxResults=1), "LookupEvents")])
    call()
    game.note("alice", what)


def burn(game, choose):
    """The quota of reads, of LookupEvents or of writes."""
    client = game.people["mallory"].client(game.victim)
    call = choose.choice([functools.partial(client.get_trail_status, Name=game.victim), client.lookup_events,
                          functools.partial(client.start_logging, Name="no-such-trail")])
    begin = time.monotonic()
    while time.monotonic() - begin < 2:
        try:
            call()
        except client.exceptions.ClientError:
            pass
        time.sleep(0.02)
    game.handicaps.append(Handicap(begin, time.monotonic(), "a quota is burnt"))
    game.note("mallory", "burns a quota")


def bucket(game, choose):
    change = choose.choice([{"denied": True}, {"missing": True}, {"owner": "999988887777"},
                            {"lifecycle": [{"id": "nuke", "status": "Enabled", "prefix": "", "days": 1}]}])
    game.sim.call("bucket", name=game.bucket, **change)
    game.note("mallory", f"bucket {change}")


def key(game, choose):
    change = choose.choice([{"state": "Disabled"}, {"state": "PendingDeletion"}, {"state": None}])
    game.sim.call("kms_key", arn=moved(attacks.KEY, game.account), **change)
    game.note("mallory", f"key {change}")


def _policy(game, *denied):
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = [{"Effect": "Deny", "Action": action, "Resource": "*"} for action in denied]
    game.sim.call("policy", principal=game.arn("guard"), policy=[allow, *deny])


def deny(game, choose):
    """One of the guard's rights, or all."""
    actions = [f"cloudtrail:{name}" for name in READS + WRITES] + ["sns:Publish", "cloudtrail:*", "*", "s3:*"]
    action = choose.choice(actions)
    _policy(game, action)
    game.handicap("a denial", lambda: _policy(game), choose.randint(1, 6))
    game.note("mallory", f"denies the guard {action}")


def fault(game, choose):
    wanted = {**choose.choice(FAULTS), "account": game.account, "user_agent": "TrailGuard*"}
    wanted.update(choose.choice([{}, {"service": "cloudtrail"}, {"service": "sns"}, {"region": FRA},
                                 {"operation": choose.choice(READS + WRITES)}]))
    if choose.random() < 0.5:
        wanted["count"] = choose.randint(1, 8)
    number = game.sim.add_fault(**wanted)
    game.handicap(f"fault {number}", lambda: game.sim.remove_fault(number), choose.randint(1, 4))
    game.note("network", json.dumps(wanted))


def restart(game, choose):
    """A crash, a kill, or the administrator."""
    begin = time.monotonic()
    how = choose.choice(["kill", "kill", "stop"])
    getattr(game.guard, how)()
    game.note("host", f"{how} of the daemon")
    parse_state(game.guard)
    time.sleep(choose.choice([0, 0.5, 2]))
    game.guard.start().wait_ready()
    game.handicaps.append(Handicap(begin, time.monotonic(), DOWN))
    game.note("host", "started again")


def reload(game, _):
    game.guard.reload()
    game.note("host", "reload")


def parse_state(guard):
    """Whatever was killed when, each file is whole."""
    for path in [guard.state / "state.json", *(guard.state / "baselines").glob("*.json")]:
        if path.exists():
            json.loads(path.read_text())


MOVES = {
    "attack": (30, attack), "stop": (12, stop), "flap": (6, flap), "war": (5, war), "globals_off": (3, globals_off),
    "replace": (4, replace), "remove": (4, remove), "own_trail": (5, own_trail), "bogus": (3, bogus), "refused": (3, refused),
    "innocent": (6, innocent), "burn": (3, burn), "bucket": (4, bucket), "key": (3, key), "deny": (7, deny), "fault": (10, fault),
    "restart": (6, restart), "reload": (2, reload),
}
