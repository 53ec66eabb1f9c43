# SPDX-License-Identifier: Apache-2.0
"""The rules of the game: what must hold after each, by the simulated AWS's own record of requests and messages."""

import json
import time

from adversary import DEFAULT_SELECTORS
from attacks import KEY_STORE
from faulted import ids_of
from helpers import document, epoch, mail_of
from judge_places import PlaceRules
from moves import DOWN, TOMORROW, parse_state
from moves_around import group_of, key_of, role_of, topic_of
from moves_guard import INTERVAL

STOPLIKE = {"trail.stopped", "trail.interrupted", "trail.contested"}
GONE = {"trail.missing", "trail.replaced"}
WRITES = {"StartLogging", "UpdateTrail", "CreateTrail", "PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration", "AddTags",
          "RemoveTags"}
ALLOWED = {"observe": set(), "restart": {"StartLogging"}, "restore": WRITES}
READS = ("Get", "Describe", "List", "Lookup")
BOUND = 15          # s that a trail stays stopped while nothing hinders the guard: an interval, a second of quota, a busy machine
AFTER = 60          # s after a handicap in which a back-off may last
BUDGET = 40         # messages of an incident; the rest is summed up every five minutes
ASKED = {"EnableLogFileValidation": "LogFileValidationEnabled", "SnsTopicName": "SnsTopicARN"}
FIELDS = {"selectors": "EventSelectors", "advanced": "EventSelectors", "insights": "InsightSelectors",
          "configuration": "EventConfiguration", "tags": "Tags", TOMORROW: "UnknownSettings"}
# Finding -> the member of a trail's health that shows it (simaws/destinations.py).
DELIVERIES = {"delivery": "LatestDeliveryError", "notification": "LatestNotificationError",
              "log group": "LatestCloudWatchLogsDeliveryError"}
HARMLESS = {"CreateGrant", "RevokeGrant", "DisableKeyRotation", "ConnectCustomKeyStore", "PutBucketOwnershipControls",
            "PutBucketEncryption", "PutBucketLogging", "PutBucketObjectLockConfiguration", "PutBucketReplication",
            "PutBucketVersioning", "PutBucketPublicAccessBlock", "PutSubscriptionFilter", "PutRetentionPolicy", "DeleteLogStream",
            "Subscribe", "Unsubscribe"}
TROUBLES = STOPLIKE | GONE | {"trail.weakened", "trail.failing", "expectation.unmet"}
TOLD_AS = {"StartLogging": STOPLIKE | GONE, "CreateTrail": GONE}


class Judge(PlaceRules):
    def __init__(self, game):
        self.game = game
        self.requests = [entry for entry in game.sim.requests(account=game.accounts, service="cloudtrail") if "operation" in entry]
        sent = game.messages()
        self.messages = [document(message) for message in sent]
        self.mails = {entry["id"]: mail_of(message) for entry, message in zip(self.messages, sent)}
        # by AWS's clock: the host's may be set during a game, and the request log has the monotonic one
        self.called = {event["requestID"]: epoch(event["eventTime"]) for event in game.sim.events(account=game.accounts)
                       if "requestID" in event}
        self.faults = []

    def find(self, text):
        self.faults.append(text)

    def of_trail(self, arn, *events):
        return [entry for entry in self.messages if entry["trail"] and entry["trail"]["arn"] == arn
                and (not events or entry["event"] in events)]

    def by_guard(self, entry):
        return self.game.is_first(entry["principal"])

    def full_arn(self, entry):
        """The trail that a request is about, which may be named only."""
        name = entry.get("trail") or ""
        if entry["operation"] == "CreateTrail":
            name = entry["params"].get("Name") or ""
        owner = self.game.account if entry["params"].get("IsOrganizationTrail") else entry["account"]
        return name if name.startswith("arn:") else f"arn:aws:cloudtrail:{entry['region']}:{owner}:trail/{name}"

    # -- 1: no trail stays stopped -------------------------------------------------------------------------------------
    def about(self, arn):
        return [entry for entry in self.requests if self.full_arn(entry) == arn]

    def effective_stops(self, arn):
        """Those StopLogging calls that stopped it, and those of which that is not known: an answer may have been lost."""
        logging, result = True, []
        for entry in self.about(arn):
            if entry["operation"] == "StopLogging" and entry["status"] == 200 and logging is not False:
                result.append(entry)
                logging = False
            elif entry["operation"] == "StartLogging" and (entry["status"] == 200 or entry["faults"]):
                logging = True if entry["status"] == 200 else None
            elif entry["operation"] in ("DeleteTrail", "CreateTrail") and (entry["status"] == 200 or entry["faults"]):
                logging = None
        return result

    def stops(self, arn, until=None):
        """(begin, end) of each time without logging, by the host's monotonic clock; with `until` also of one that nobody ended."""
        result, since = [], None
        for entry in self.about(arn):
            if entry["status"] != 200:
                continue
            if entry["operation"] == "StopLogging":
                since = entry["time"] if since is None else since
            elif entry["operation"] in ("StartLogging", "DeleteTrail") and since is not None:
                result.append((since, entry["time"]))
                since = None
        return result + ([(since, until)] if until and since is not None else [])

    def hindered(self, begin, end):
        return any(handicap.begin < end and handicap.end + AFTER > begin for handicap in [*self.game.handicaps, *self.game.busy])

    def stopped_no_longer_than_the_bound(self):
        for arn in self.game.guarded if self.game.plan.mode != "observe" else ():
            for begin, end in self.stops(arn):
                if end - begin > BOUND and not self.hindered(begin, end):
                    self.find(f"{arn} was stopped for {end - begin:.1f} s")

    # -- 2: everything is reported -------------------------------------------------------------------------------------
    def deleted(self, arn):
        return any(entry["operation"] == "DeleteTrail" and entry["status"] == 200 for entry in self.about(arn))

    def every_stop_is_reported(self):
        """What was deleted since has lost its times with it."""
        for arn in self.game.guarded:
            stops = [] if self.deleted(arn) else self.effective_stops(arn)
            if stops and not self.of_trail(arn, *STOPLIKE):
                self.find(f"StopLogging of {arn} is not reported")
            for entry in stops:
                self.stop_is_in_a_message(arn, entry)

    def is_overwritten(self, arn, stop):
        """AWS keeps a trail's last times only: of a stop that the guard did not poll before the next one nothing is left."""
        about = self.about(arn)
        for entry in about[about.index(stop) + 1:]:
            if entry["operation"] == "GetTrailStatus" and entry["status"] == 200 and self.by_guard(entry):
                return False
            if entry["operation"] == "StopLogging" and entry["status"] == 200:
                return True
        return False

    def stop_is_in_a_message(self, arn, stop):
        """Until the third message of an incident; further ones may be summed up after the game."""
        told, wall = self.of_trail(arn), self.called[stop["id"]]
        shown = [entry for entry in told if entry["gap"] and entry["gap"]["from"] and abs(epoch(entry["gap"]["from"]) - wall) <= 2]
        before = [entry for entry in told if (self.game.shifted or epoch(entry["time"]) <= wall + 20) and entry["event"] in STOPLIKE]
        summed = [entry for entry in told if epoch(entry["time"]) >= wall - 2 and (entry["repeats"] or entry["contest"])]
        if not shown and not summed and len(before) < 3 and not self.is_overwritten(arn, stop):
            self.find(f"StopLogging of {arn} at {stop['time'] - self.game.notes[0].time:.1f} is in no message")

    def every_deletion_is_reported(self):
        """A trail that is created again under the same name while its status is not read, and delivers before it is, is only
        a changed one: see docs/threat-model.md."""
        for arn in self.game.guarded:
            if self.deleted(arn) and not self.of_trail(arn, *GONE) \
                    and not ((self.was_unread() or self.is_replaced_unseen(arn)) and self.of_trail(arn, "trail.weakened")):
                self.find(f"DeleteTrail of {arn} is not reported")

    def is_replaced_unseen(self, arn):
        """Nothing was polled between a deletion and the first delivery of the trail that took its place; here that is a second."""
        made = [entry["time"] for entry in self.about(arn) if entry["operation"] == "CreateTrail" and entry["status"] == 200]
        gone = [entry["time"] for entry in self.about(arn) if entry["operation"] == "DeleteTrail" and entry["status"] == 200]
        polls = [entry["time"] for entry in self.about(arn)
                 if entry["operation"] == "GetTrailStatus" and self.by_guard(entry) and not entry["faults"]]
        spans = [(begin, min((end for end in made if end > begin), default=None)) for begin in gone]
        return all(end and not any(begin < poll < end + 1 for poll in polls) for begin, end in spans)

    def was_unread(self):
        return self.unreachable() or any(handicap.what == DOWN for handicap in self.game.handicaps)

    def every_restore_is_reported(self):
        for entry in self.writes():
            arn, operation = self.full_arn(entry), entry["operation"]
            if arn not in self.game.guarded or entry["status"] != 200 or not self.by_guard(entry):
                continue
            events = TOLD_AS.get(operation, {"trail.weakened", "expectation.unmet"} | GONE)
            if not self.of_trail(arn, *events) and not (operation == "StartLogging" and self.is_said_to_start(entry)):
                self.find(f"{operation} of {arn} by the guard is not reported")

    def is_said_to_start(self, start):
        """Sent without a poll, which changes nothing where the trail logs: the message that the trail, or all of its region,
        cannot be polled says that."""
        arn = self.full_arn(start)
        places = {(account, start["region"]) for account in (start["account"], arn.split(":")[4])}
        return any(entry["event"] == "target.unreachable" and "StartLogging" in self.mails[entry["id"]]
                   and (entry["trail"]["arn"] == arn if entry["trail"] else (entry["account"], entry["region"]) in places)
                   for entry in self.messages)

    def unreachable(self):
        return any(entry["event"] == "target.unreachable" for entry in self.messages)

    def what_was_broken_is_reported(self):
        """Where it lasted long enough: a trail that is deleted or started again has another status."""
        for begin, arn, event in self.game.broken:
            later = [entry for entry in self.about(arn) if entry["status"] == 200 and entry["time"] > begin]
            gone = any(entry["operation"] == "DeleteTrail" for entry in later)
            accepted = [when for when, trail in self.game.accepts if trail == arn and when > begin]
            end = min([self.game.mended, *accepted, *(entry["time"] for entry in later if entry["operation"] == "StopLogging")])
            if end - begin > BOUND / 3 and not gone and not self.hindered(begin, end) and not self.of_trail(arn, event):
                self.find(f"{arn} was broken for {end - begin:.1f} s, and no {event} says so")

    def health(self, arn):
        """member -> (begin, end, code) of each time in which CloudTrail could not deliver, by the host's monotonic clock, of the
        trail that there is now."""
        whole, clock = self.game.sim.trail(arn), time.time() - time.monotonic()
        result = {}
        for member, entries in whole["health"].items():
            ends = [since - clock for since, _ in entries[1:]] + [self.game.mended]
            result[member] = [(since - clock, end, code) for (since, code), end in zip(entries, ends) if code]
        return result

    def logging_within(self, arn, begin, end):
        """The longest time in which it was logging then."""
        pieces = [(begin, end)]
        for since, until in self.stops(arn, self.game.mended):
            pieces = [piece for a, b in pieces for piece in ((a, min(b, since)), (max(a, until), b)) if piece[0] < piece[1]]
        return max(pieces, key=lambda piece: piece[1] - piece[0], default=(begin, begin))

    def failures_are_reported(self):
        """By name, where one lasted long enough, and none that was not there."""
        for arn in self.game.guarded:
            health = self.health(arn)
            named = {finding for entry in self.of_trail(arn) for finding in entry["findings"]}
            for finding, member in DELIVERIES.items():
                for begin, end, code in health.get(member, []):
                    begin, end = self.logging_within(arn, begin, end)
                    if end - begin > BOUND / 2 and not self.hindered(begin, end) and finding not in named:
                        self.find(f"{arn}: {member} was {code} for {end - begin:.1f} s, and no message names {finding}")
                if finding in named and not health.get(member) and not self.deleted(arn):
                    self.find(f"{arn}: a message says {finding}, and there was no {member}")

    def changes_of_the_guard_are_reported(self):
        """The guard has checked itself since each of them; and what is unheard is in the journal and in status.json."""
        told = " ".join(entry["detail"] or "" for entry in self.messages if entry["event"] == "guard.changed")
        for change in self.game.guard_changes:
            if change.text not in told:
                self.find(f"{change.text} by {change.who} is in no guard.changed")
        last = self.game.unheard[-1] if self.game.unheard else self.game.mended
        if self.game.mended - last > 2.5 * INTERVAL and not self.hindered(last, self.game.mended) \
                and not self.game.guard.found("nobody"):
            self.find("nobody hears the alerts, and the journal does not say so")

    def what_stays_changed_is_reported(self):
        """With the name of each setting, where the guard may not put it back."""
        for arn, left in self.game.left.items():
            if left == "missing":
                continue
            named = {change["field"] for entry in self.of_trail(arn) for change in entry["changes"]}
            named |= {field for entry in self.of_trail(arn) for field in entry["fields"] + entry["fields_left"]}
            changed = {FIELDS.get(name, name) for name in left if name not in ("settings", "logging")}
            before, now = left.get("settings", ({}, {}))
            changed |= {FIELDS.get(name, name) for name in {*before, *now} if (before.get(name) or None) != (now.get(name) or None)}
            if changed - named:
                self.find(f"{arn}: {', '.join(sorted(changed - named))} stayed changed, and no message names it")

    # -- 3: nothing is written that no baseline says -------------------------------------------------------------------
    def writes(self):
        """Of both guards, if there is a second one."""
        return [entry for entry in self.requests if self.game.is_guard(entry["principal"]) and not entry["operation"].startswith(READS)]

    def writes_are_the_baselines(self):
        for entry in self.writes():
            if entry["operation"] not in ALLOWED[self.game.plan.mode]:
                self.find(f"mode {self.game.plan.mode}: the guard called {entry['operation']}")
            elif entry["operation"] != "StartLogging":
                self.compare(entry)

    def compare(self, entry):
        params, operation = entry["params"], entry["operation"]
        arn = self.full_arn(entry)
        if arn not in self.game.guarded:
            self.find(f"the guard called {operation} of {arn}, which has no baseline")
            return
        baseline = self.game.baseline[arn]
        for name, value, wanted in self.compared(operation, params, baseline):
            if value != wanted:
                self.find(f"{operation} of {arn}: {name} is {json.dumps(value)}, the baseline says {json.dumps(wanted)}")

    def compared(self, operation, params, baseline):
        """(member, as written, as in the baseline)"""
        if operation in ("UpdateTrail", "CreateTrail"):
            settings = baseline["settings"]
            flags = {"IsOrganizationTrail": False, "RecursiveLogging": True}
            for name, value in params.items():
                if name == "TagsList":
                    yield name, {tag["Key"]: tag["Value"] for tag in value}, baseline["tags"]
                elif name != "Name":
                    member = ASKED.get(name, name)
                    wanted = settings.get(member, flags.get(member, ""))
                    if member == "LogFileValidationEnabled" and "expect" in self.game.plan.options:
                        wanted = True
                    yield name, value, wanted
        elif operation == "PutEventSelectors":
            yield "selectors", params.get("EventSelectors"), baseline["selectors"] or DEFAULT_SELECTORS
        elif operation == "PutInsightSelectors":
            yield "insights", [entry["InsightType"] for entry in params["InsightSelectors"]], \
                [entry["InsightType"] for entry in baseline["insights"]]
        elif operation == "PutEventConfiguration":
            for name in ("MaxEventSize", "ContextKeySelectors", "AggregationConfigurations"):
                if name in params:
                    empty = "Standard" if name == "MaxEventSize" else []
                    yield name, params[name], baseline["configuration"].get(name, empty)
        elif operation == "AddTags":
            for tag in params["TagsList"]:
                yield f"tag {tag['Key']}", tag["Value"], baseline["tags"].get(tag["Key"])
        elif operation == "RemoveTags":
            for tag in params["TagsList"]:
                yield f"tag {tag['Key']}", None, baseline["tags"].get(tag["Key"])

    # -- 4: no flood -----------------------------------------------------------------------------------------------------
    def no_flood(self):
        incidents = {}
        for entry in self.messages:
            incidents.setdefault(entry["incident"], {})[entry["id"]] = entry["event"]
        for incident, events in incidents.items():
            if len(events) > BUDGET:
                self.find(f"{len(events)} messages of incident {incident}: {sorted(events.values())}")

    # -- 5: nobody is accused falsely --------------------------------------------------------------------------------------
    def actors_did_it(self):
        events = {event["eventID"]: event for event in self.game.sim.events(account=self.game.accounts)}
        for entry in self.messages:
            actor = entry["actor"]
            if not actor:
                continue
            event = events.get(actor["event_id"])
            if event is None:
                self.find(f"{actor['name']} is accused by event {actor['event_id']}, which does not exist")
                continue
            self.accused_rightly(entry, actor, event)

    def accused_rightly(self, entry, actor, event):
        who, call, failed = event["userIdentity"].get("arn"), event["eventName"], bool(event.get("errorCode"))
        subject = entry["trail"]["arn"] if entry["trail"] else None
        text = f"{entry['event']} of {subject} accuses {actor['arn']} of {actor['event_name']} ({actor['event_id']})"
        if (actor["arn"], actor["event_name"]) != (who, call):
            self.find(f"{text}, but it was {who} with {call}")
        if failed != (entry["event"] == "trail.attempted"):
            self.find(f"{text}, whose outcome was {event.get('errorCode')}")
        if who and self.game.is_guard(who):
            self.find(f"{text}: the guard itself")
        if call.startswith(READS) or call == "StartLogging" or call in HARMLESS and entry["event"] != "guard.changed":
            self.find(f"{text}, which changes nothing")
        if who and "/alice-" in who and subject in self.game.guarded:
            self.find(f"{text}: she never does any harm")
        if call == "StopLogging" and not failed and subject and event["requestID"] not in self.stopping(subject):
            self.find(f"{text}, which stopped what was stopped")
        if another := self.about_another(entry, event):
            self.find(f"{text}, which was about {another}")

    def about_another(self, entry, event):
        """What else the call was about; nothing when it was about what the message is about."""
        asked = event["requestParameters"] or {}
        subject = entry["trail"]["arn"] if entry["trail"] else None
        name = asked.get("name") or asked.get("trailName") or asked.get("resourceId") or "nothing"
        key, role = key_of(self.game), role_of(self.game).rpartition("/")[2]
        about = {"bucketName": [self.game.bucket], "keyId": [key, key.rpartition("/")[2]], "customKeyStoreId": [KEY_STORE],
                 "topicArn": [topic_of(self.game)], "logGroupName": [group_of(self.game).split(":")[6]], "roleName": [role]}
        if any(asked.get(member) in values for member, values in about.items()) and event["recipientAccountId"] == self.game.account:
            name = self.game.victim     # whose they are
        return "" if not subject or name in (subject, subject.rpartition("/")[2]) else name

    def stopping(self, arn):
        """Ids of the calls that stopped it, and of those in the same second: the history has no finer times."""
        stops = self.effective_stops(arn)
        seconds = {self.called[entry["id"]] for entry in stops}
        return {entry["id"] for entry in self.about(arn) if self.called.get(entry["id"]) in seconds}

    # -- 6: one incident -----------------------------------------------------------------------------------------------------
    def one_id_each(self):
        ids, trails = {}, {}
        for entry in self.messages:
            if ids.setdefault(entry["id"], entry["incident"]) != entry["incident"]:
                self.find(f"message {entry['id'][:16]} is of two incidents, {ids[entry['id']]} and {entry['incident']}")
            if entry["trail"] and entry["trail"]["arn"] in self.game.guarded and entry["event"] in STOPLIKE | GONE | {"trail.weakened"}:
                trails.setdefault(entry["trail"]["arn"], set()).add(entry["incident"])
        for arn, incidents in trails.items():
            if len(incidents) > 1 and not self.game.shifted:
                self.find(f"{arn} has {len(incidents)} incidents within five minutes: {sorted(incidents)}")

    # -- 7: each message is true, none is lost, and each incident ends ---------------------------------------------------------
    def by_incident(self):
        """incident -> its messages about guarded trails in their order, each once."""
        result = {}
        for entry in self.messages:
            if entry["trail"] and entry["trail"]["arn"] in self.game.guarded:
                result.setdefault(entry["incident"], {})[entry["id"]] = entry
        return {incident: sorted(entries.values(), key=lambda entry: entry["sequence"]) for incident, entries in result.items()}

    def no_message_is_lost(self):
        """They are numbered from 1, and a number is one message's."""
        for incident, entries in self.by_incident().items():
            numbers = [entry["sequence"] for entry in entries]
            if numbers != list(range(1, len(numbers) + 1)):
                self.find(f"incident {incident} has the messages {numbers}")

    def each_incident_ends(self):
        """In a message, unless there were so many that the end is summed up after the game."""
        for incident, entries in self.by_incident().items():
            troubles = [entry for entry in entries if entry["event"] in TROUBLES]
            ends = [entry["sequence"] for entry in entries if entry["resolved"]]
            if len(troubles) in (1, 2, 3) and max(ends, default=0) < troubles[-1]["sequence"]:
                self.find(f"no message ends incident {incident}: {[entry['event'] for entry in entries]}")

    def no_false_alarm(self):
        """Nothing is said to have happened to a trail that nobody did to it."""
        for entry in self.messages:
            arn = entry["trail"]["arn"] if entry["trail"] else None
            if arn not in self.game.guarded:
                continue
            done = {call["operation"] for call in self.about(arn) if call["status"] == 200 or call["faults"]}
            if entry["event"] in STOPLIKE and not done & {"StopLogging", "CreateTrail"}:
                self.find(f"{entry['event']} of {arn}, which nobody stopped")
            if entry["event"] in GONE and "DeleteTrail" not in done and not self.may_look_gone(arn):
                self.find(f"{entry['event']} of {arn}, which nobody deleted")
            if entry["event"] in STOPLIKE and not self.began_with_a_call(arn, entry["gap"]):
                self.find(f"{entry['event']} of {arn}: its gap begins at {entry['gap']['from']}, when nobody stopped it")

    def may_look_gone(self, _):
        return False

    def began_with_a_call(self, arn, gap):
        """The time is AWS's own; a trail that is created again logs nothing until it is started."""
        begins = [self.called[call["id"]] for call in self.about(arn)
                  if call["operation"] in ("StopLogging", "DeleteTrail", "CreateTrail") and call["id"] in self.called]
        return not gap or not gap["from"] or any(abs(epoch(gap["from"]) - begin) <= 2 for begin in begins)

    def no_false_end(self):
        """No message says that all is well with a trail that has been stopped for some polls and stays so."""
        for arn in self.game.guarded if not self.game.shifted else ():
            ends = [entry for entry in self.of_trail(arn) if entry["resolved"]]
            for begin, end in self.stopped_times(arn):
                for entry in ends:
                    if begin + BOUND / 3 < epoch(entry["time"]) < end - 2:
                        self.find(f"{entry['event']} says at {entry['time']} that {arn} is well, which was stopped")

    def stopped_times(self, arn):
        """As stops(), by AWS's clock."""
        times = {entry["time"]: self.called[entry["id"]] for entry in self.about(arn) if entry["id"] in self.called}
        return [(times[begin], times[end]) for begin, end in self.stops(arn) if begin in times and end in times]

    def two_guards_use_one_id(self):
        """For one stop; whoever gets both messages gets one."""
        theirs = ids_of(document(message) for message in self.game.sim.messages(self.game.second_topic))
        for fact, ids in ids_of(self.messages).items():
            if fact[0] == "gap" and fact in theirs and not ids & theirs[fact]:
                self.find(f"the stop of {fact[1]} at {fact[2]} has other ids in the second guard's messages")

    def rules(self):
        return [self.stopped_no_longer_than_the_bound, self.every_stop_is_reported, self.every_deletion_is_reported,
                self.every_restore_is_reported, self.what_was_broken_is_reported, self.failures_are_reported,
                self.changes_of_the_guard_are_reported, self.what_stays_changed_is_reported,
                self.writes_are_the_baselines, self.no_flood, self.actors_did_it, self.one_id_each,
                self.no_message_is_lost, self.each_incident_ends, self.no_false_alarm, self.no_false_end, self.two_guards_use_one_id,
                *self.place_rules()]


def verdict(game, judge=Judge):
    """What the game shows to be wrong, one a line; nothing when all rules hold."""
    judge = judge(game)
    for rule in judge.rules():
        rule()
    parse_state(game.guard)
    return judge.faults
