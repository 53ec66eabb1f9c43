# SPDX-License-Identifier: Apache-2.0
"""A game: a random attacker against the real daemon, in an account of the simulated AWS that is theirs alone.

A seed decides everything that the attacker wants: the guard's options, the moves, and what each of them picks. How far he
gets also depends on who is faster, so the verdict (judge.py) holds the game to what was recorded and not to the plan.

    game = Game(sim, seed, directory)
    game.play()
    verdict(game)
"""

import collections
import itertools
import json
import os
import random
import time

import attacks
import moves_around
from faulted import Clock
from guard import Guard, within
from helpers import FRA, IAD, SETTINGS_READS, Mallory, sns
from moves import MOVES, SAMPLING, TOMORROW, Handicap, in_account, moved
from moves_guard import GUARD_MOVES, INTERVAL
from moves_host import FAR_MOVES, HKG, HOST_MOVES
from simaws.client import SimError, poll
from simaws.regions import DEFAULT_REGIONS

CALM = 150          # s; the longest back-off is 60, and a minute more until the settings are read, restored and confirmed
LONGEST = 40        # moves
FAVOURED = os.environ.get("TRAILGUARD_MOVE")        # the name of a move that every other one is
AGAIN = 400000000000
# Of the simulated AWS: everything in fast motion, and a flag that AWS has added since shows in every trail with its default.
WORLD = {"delivery_interval": 1, "digest_interval": 1, "history_delay": 1, "tomorrow": {"Trail": {TOMORROW: False}}}
SETTINGS_WRITES = ["CreateTrail", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration", "AddTags",
                   "RemoveTags"]
DEFAULT_SELECTORS = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                      "ExcludeManagementEventSources": []}]
Note = collections.namedtuple("Note", "time who what result")


def account_of(seed):
    return f"{100000000000 + seed % 800000000000}"


class Person(Mallory):
    """A user in each account of a game."""
    def client(self, arn, service="cloudtrail"):
        region, account = arn.split(":")[3:5]
        if (service, account, region) not in self.clients:
            options = {"s3": {"addressing_style": "path"}} if service == "s3" else {}
            self.clients[service, account, region] = self.sim.boto3(f"{self.user}-{account}", service, region, **options)
        return self.clients[service, account, region]


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
        if choose.random() < 0.25 or FAVOURED in GUARD_MOVES:
            self.options.update(guard_checks=True, guard_interval=INTERVAL)
        self.far = random.Random(f"regions of {seed}").random() < 0.3       # a region that an account may disable
        names, weights = zip(*((name, weight) for name, (weight, _) in self.known_moves().items()))
        if FAVOURED:
            weights = [sum(weights) if name == FAVOURED else weight for name, weight in zip(names, weights)]
        self.moves = [(choose.choices(names, weights)[0], choose.random() ** 3 * 2, choose.random())
                      for _ in range(choose.randint(6, LONGEST))][:moves]

    def known_moves(self):
        return {**MOVES, **moves_around.AROUND, **HOST_MOVES, **(FAR_MOVES if self.far else {}),
                **(GUARD_MOVES if "guard_checks" in self.options else {})}

    def __str__(self):
        return json.dumps(self.options)


class Game:
    """`again`: what this seed says, in an account that it was not played in yet. `victim` has everything that can be taken
    from a trail, `single` covers its own region only."""
    plan_of = Plan

    def __init__(self, sim, seed, directory, moves=None, seconds=12, again=False):
        self.sim, self.seed, self.plan, self.seconds = sim, seed, self.plan_of(seed, moves), seconds
        self.account = account_of(seed + AGAIN if again else seed)
        self.accounts, self.principals = self._accounts(), []
        self.regions = [FRA, IAD, HKG] if self.plan.far else [FRA, IAD]
        self.second, self.second_topic, self.others = None, f"arn:aws:sns:{FRA}:{self.hub()}:second", [self.arn("second", self.hub())]
        self.accepts, self.earlier, self.shifted = [], [], False      # earlier: messages of a topic that was deleted
        self.victim = moved(attacks.VICTIM, self.account)
        self.single = in_account(attacks.SINGLE, self.accounts[-1])
        self.guarded = [self.victim, self.single]
        self.topic = f"arn:aws:sns:{FRA}:{self.hub()}:trailguard"
        self.bucket = moved(attacks.BUCKET, self.account)
        self.notes, self.handicaps, self.open, self.left = [], [], {}, {}
        self.policy_changed = False     # the bucket's
        self.squatters, self.broken, self.busy = [], [], []
        self.guard_changes, self.unheard = [], []
        self.own = itertools.count(1)
        self._found(moved(attacks.SCENARIO, self.account))
        self.people = {name: Person(sim, name) for name in ("mallory", "trent", "alice", "eve")}
        s3 = self.people["alice"].client(f"arn:aws:s3:{FRA}:{self.account}:", "s3")
        self.good_policy = json.loads(s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        self.guard = Guard(sim, directory, f"guard-{self.hub()}", env=self._host(directory), regions=self.regions,
                           alerts=sns(self.topic), guards=self.others, **self.plan.options)

    def _host(self, directory):
        """What the moves of moves_host.py need."""
        directory.mkdir(parents=True)
        self.clock, self.full = Clock(directory / "clock"), directory / "full"
        return {**self.clock.env, "FAULTS_FULL": str(self.full)}

    def _accounts(self):
        """The first has `victim`, the last has `single`."""
        return [self.account]

    def hub(self):
        """The account of the guard's own keys."""
        return self.account

    def _found(self, scenario):
        """The accounts, their people and their trails."""
        refused = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "cloudtrail:*", "Resource": "*"}]
        for account in self.accounts:
            self.sim.add_account(account, regions=[*DEFAULT_REGIONS, HKG])
            for name in ("guard", "second", "mallory", "trent", "alice", "eve"):
                self.sim.add_user(f"{name}-{account}", account, **({"policy": refused} if name == "eve" else {}))
        self.principals.append(self.arn("guard", self.hub()))
        self.sim.add_topic(self.topic)
        self.sim.add_topic(self.second_topic)
        for arn in (entry["arn"] for entry in scenario["topics"]):
            self.sim.add_topic(arn)
        chosen = [trail for trail in scenario["trails"] if trail["name"] in ("victim", "single")]
        chosen[1]["LogFileValidationEnabled"] = True        # so that the pin holds
        chosen[1].update(account=self.accounts[-1], settings={TOMORROW: True},
                         event_selectors=[{**selector, SAMPLING: 100} for selector in attacks.SELECTORS])
        self.sim.load({"trails": chosen, "kms_keys": scenario["kms_keys"]})
        moves_around.found(self)
        self.baseline = {arn: self.picture(arn) for arn in self.guarded}

    # -- what is written down --------------------------------------------------------------------------------------------
    def note(self, who, what, result="done"):
        self.notes.append(Note(time.monotonic(), who, what, result))

    def transcript(self):
        """What happened, one move a line."""
        begin = self.notes[0].time if self.notes else 0
        return "\n".join(f"{note.time - begin:8.3f} {note.who:8} {note.what}: {note.result}" for note in self.notes)

    def arn(self, who, account=None):
        account = account or self.account
        return f"arn:aws:iam::{account}:user/{who}-{account}"

    def is_guard(self, principal):
        """This one, or the second."""
        return principal in self.others or self.is_first(principal)

    def is_first(self, principal):
        """Its user, or a session of one of its roles."""
        return any(principal == own or principal.startswith(own.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/")
                   for own in self.principals)

    def picture(self, arn):
        """Everything that AWS knows of a trail but its times; None when it is gone."""
        try:
            whole = self.sim.trail(arn)
        except SimError:
            return None
        picture = {name: whole[name] for name in ("settings", "selectors", "advanced", "insights", "configuration", "tags", "logging")}
        picture["settings"] = {name: value for name, value in picture["settings"].items() if value != ""}     # as AWS shows them
        picture["selectors"] = None if picture["selectors"] == DEFAULT_SELECTORS else picture["selectors"]
        return picture

    def as_before(self, arn):
        return self.picture(arn) == self.baseline[arn]

    # -- handicaps: while one lasts, nothing is asked of the guard -----------------------------------------------------------
    def handicap(self, what, undo, lasts, hinders=True):
        """Something that keeps the guard from its work for so many moves, or something else that lasts."""
        self.open[what] = (time.monotonic(), undo, lasts, hinders)

    def count_down(self, moves=1):
        for what, (begin, undo, lasts, hinders) in list(self.open.items()):
            if lasts > moves:
                self.open[what] = (begin, undo, lasts - moves, hinders)
                continue
            undo()
            del self.open[what]
            if hinders:
                self.handicaps.append(Handicap(begin, time.monotonic(), what))
            self.note("referee", f"end of {what}")

    # -- the host and its people ---------------------------------------------------------------------------------------------
    def messages(self):
        return self.earlier + self.sim.messages(self.topic)

    def accepted(self, arn, picture):
        """What the guard keeps from now on; a pin wins over it."""
        self.accepts.append((time.monotonic(), arn))
        if "expect" in self.plan.options:
            picture["settings"]["LogFileValidationEnabled"] = True
        self.baseline[arn] = {**picture, "logging": True}

    def shift_clock(self, seconds):
        self.shifted = True
        self.clock.shift(seconds)

    # -- the game --------------------------------------------------------------------------------------------------------
    def play(self):
        """The moves, and then calm, in which everything must become well."""
        self.guard.start().wait_guarding()
        self.guard.wait_baselines(2, 0, 30)     # the first list of an organization's accounts may be lost on a busy machine
        if "guard_checks" in self.plan.options:
            poll(self.watches_itself, within(60))
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
        self.finish()

    def move(self, number, name, pick):
        try:
            self.plan.known_moves()[name][1](self, random.Random(f"{self.seed} {number} {pick}"))
        except AssertionError:
            self.note("referee", f"move {number} {name}", "its deadline passed")
        except Exception as error:          # what is gone cannot be changed, and AWS has quotas
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            if code is None:
                raise
            self.note("mallory", f"move {number} {name}", f"refused: {code}")

    def repair(self):
        """What the guard cannot or may not undo, done by hand."""
        policy = {"policy": self.good_policy} if self.policy_changed else {}
        self.sim.call("bucket", name=self.bucket, missing=False, denied=False, owner=self.account, lifecycle=[], payer="BucketOwner",
                      **policy)
        moves_around.mend(self)
        self.sim.call("topic", arn=self.topic, subscriptions=[{"protocol": "email", "endpoint": "oncall@example.com"}])
        self.mended = time.monotonic()
        for arn in self.guarded:
            if self.picture(arn):
                self.sim.trail(arn, delivery_stopped=None, **({"settings": {TOMORROW: True}} if arn == self.single else {}))

    def put_back(self):
        """The settings and trails that this mode does not restore."""
        for arn in self.guarded:
            before = self.baseline[arn]
            if self.picture(arn) is None:
                (region, account), name = arn.split(":")[3:5], arn.rpartition("/")[2]
                self.sim.add_trail(name, account, region, settings=before["settings"], age=0, logging=self.plan.mode == "observe")
            more = {name: "" for name in self.picture(arn)["settings"] if name not in before["settings"]}
            self.sim.trail(arn, **{**before, "settings": {**more, **before["settings"]}})

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
            self.wait(lambda: all(map(self.restored, self.guarded)), "a trail is not as it was")
        else:
            self.wait(lambda: self.settings_read() and not self.is_creating(), "the settings are not read")
            self.left = {arn: self.difference(arn) for arn in self.guarded}
            self.put_back()
            self.note("referee", "put back what the guard may not restore")
            self.calm_since = time.monotonic()      # what it reports of that comes when it has read it
            self.wait(self.settings_read, "the settings are not read again")
        self.wait(self.polled, "a trail is not polled")
        if "guard_checks" in self.plan.options:
            self.wait(self.guard_checked, "the guard's own access is not checked")
        if self.shifted:
            self.shift_clock(0)
        self.wait(lambda: not self.troubled(), "an incident stays open")
        if self.guard.outbox_files():       # a channel that was refused is tried again after five minutes, or now
            assert self.guard.stop() == 0
            self.guard.start().wait_ready()
        self.guard.wait_delivered(60)
        self.note("referee", "all is well")

    def finish(self):
        """The guard ends, and nothing waits to be sent: what it then has recorded of its messages holds."""
        assert self.guard.stop() == 0
        while self.guard.outbox_files():
            self.guard.start().wait_ready()
            self.guard.wait_delivered(60)
            assert self.guard.stop() == 0

    def settings_read(self):
        """The guard has read every trail's settings since the calm began, and since it last wrote or tried to, so that it can
        report what stays changed: what is read in the midst of a restore does not count."""
        calls = [entry for entry in self.sim.requests(account=self.accounts, status=200, operation=["DescribeTrails", *SETTINGS_READS])
                 if self.is_first(entry["principal"])]
        writes = [entry for entry in self.sim.requests(account=self.accounts, operation=SETTINGS_WRITES)
                  if self.is_first(entry["principal"])]
        since = max([self.calm_since, *(entry["time"] for entry in writes)])
        lists = collections.Counter((entry["account"], entry["region"]) for entry in calls
                                    if entry["operation"] == "DescribeTrails" and entry["time"] > since)
        each = collections.Counter((entry["operation"], entry.get("trail")) for entry in calls if entry["time"] > since)
        there = [arn for arn in self.guarded if self.picture(arn)]
        return all(lists[self.seen_by(arn), arn.split(":")[3]] >= 4 for arn in self.guarded) and \
            all(each[name, arn] >= 2 for arn in there for name in self.reads_of(arn))

    def polled(self):
        """What was done to a trail a moment before the calm shows in no status yet."""
        calls = [entry for entry in self.sim.requests(account=self.accounts, operation="GetTrailStatus", status=200)
                 if self.is_first(entry["principal"]) and entry["time"] > self.calm_since]
        polls = collections.Counter(entry.get("trail") for entry in calls)
        return all(polls[arn] >= 2 for arn in self.guarded)

    def recorded(self, table):
        """Rows of the state file."""
        try:
            return json.loads((self.guard.state / "state.json").read_text()).get(table, [])
        except FileNotFoundError:
            return []

    def watches_itself(self):
        """Its user and its topic are recorded."""
        read = {record["arn"] for record in self.recorded("guards") if record.get("simulated") or "subscription" in record.get("read", [])}
        return {self.arn("guard", self.hub()), self.topic} <= read

    def guard_checked(self):
        """The user and the topic, twice since the calm began."""
        calls = [entry for entry in self.sim.requests(account=self.hub(), status=200,
                                                      operation=["ListAccessKeys", "ListSubscriptionsByTopic"])
                 if self.is_first(entry["principal"]) and entry["time"] > self.calm_since]
        each = collections.Counter(entry["operation"] for entry in calls)
        return each["ListAccessKeys"] >= 2 and each["ListSubscriptionsByTopic"] >= 2

    def reads_of(self, arn):
        """The calls that show this trail's settings, beside the list of trails, which says whether it has Insights at all; a
        quota may put each off by itself."""
        return SETTINGS_READS - {"GetInsightSelectors"}

    def seen_by(self, arn):
        """The account through which the guard reads this trail's settings."""
        return arn.split(":")[4]

    def restored(self, arn):
        """What no version knows the guard cannot write: a trail that was created again lacks it until its owner adds it."""
        if arn == self.single and (picture := self.picture(arn)) and not picture["settings"].get(TOMORROW):
            self.sim.trail(arn, settings={TOMORROW: True})
        return self.as_before(arn)

    def is_creating(self):
        """A trail that the guard is still creating again; what it then lacks has yet to be reported."""
        shown = {trail["arn"]: trail["verdict"] for trail in self.guard.status().get("trails", [])}
        return any(shown.get(arn) == "missing" and self.picture(arn) for arn in self.guarded)

    def well(self, arn):
        """The verdict of this trail when nothing is wrong."""
        return "logging"

    def troubled(self):
        """What status.json says is not well. A trail of his own may stay as its owner left it."""
        status = self.guard.status()
        if not status or status["pid"] != self.guard.process.pid:
            return ["no status"]
        arns = {trail["arn"]: trail for trail in status["trails"]}
        bad = [f"{arn}: not guarded" for arn in self.guarded if arn not in arns]
        bad += [f"{arn}: {trail['verdict']} {(trail['incident'] or {}).get('id')}" for arn, trail in arns.items()
                if arn in self.guarded and (trail["verdict"] != self.well(arn) or trail["incident"])]
        bad += [f"{entry['arn']} lacks {entry['text']}" for entry in status["rights_lost"]]
        bad += [f"{channel['channel']}: nobody hears it" for channel in status["channels"] if channel.get("unheard")]
        bad += [f"{target['region']} of {target['account']}: uncovered" for target in status["targets"] if target["uncovered"]]
        bad += [f"the cause {row['kind']}: open" for row in self.recorded("causes")
                if "resolved_usec" not in row.get("incident", {"resolved_usec": 0})]
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
        try:
            self.guard.close()
        finally:
            if self.second:
                self.second.close()
