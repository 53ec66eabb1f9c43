# SPDX-License-Identifier: Apache-2.0
"""Rules of the game about regions and accounts (judge.py): that one cannot be polled is reported if it is so, once, and to the
end. And of all incidents, those of trails too: no last message is lost, not even one that says who did it."""

import time

from helpers import epoch
from moves import DOWN

TROUBLES = {"target.unreachable", "region.uncovered"}
ENDS = {"target.reachable", "region.covered"}
DENIED = {"AccessDenied", "AccessDeniedException"}
SLACK = 2           # s between what AWS records and what a message says
SEARCHED = 10       # s before the end of a game: what a search has shown by then is reported
PAGE = 50           # events of an answer of LookupEvents


class PlaceRules:
    # -- what was said, and asked ----------------------------------------------------------------------------------------
    def incidents(self, holds=lambda entry: True):
        """incident -> its messages in their order, each once, of those incidents that have such a message."""
        result = {}
        for entry in self.messages:
            result.setdefault(entry["incident"], {})[entry["id"]] = entry
        return {incident: sorted(entries.values(), key=lambda entry: entry["sequence"]) for incident, entries in result.items()
                if any(map(holds, entries.values()))}

    def of_places(self):
        return self.incidents(lambda entry: entry["trail"] is None and entry["event"] in TROUBLES | ENDS)

    @staticmethod
    def places(entry):
        """(account, region) that a message is about; region None: all of the account."""
        return {(member["account"], member["region"]) for member in entry["members"] or [entry]}

    def asked(self, places):
        """The guard's requests there."""
        everywhere = any(account is None for account, _ in places)
        roles = any(region is None for _, region in places)     # their sessions are opened through another account
        return [entry for entry in self.game.sim.requests(account=self.game.accounts) if entry.get("principal") and self.by_guard(entry)
                and (everywhere or roles and entry["service"] == "sts"
                     or places & {(entry["account"], entry["region"]), (entry["account"], None)})]

    @staticmethod
    def wall(entry):
        return entry["time"] + time.time() - time.monotonic()

    def downs(self):
        return [handicap for handicap in self.game.handicaps if handicap.what == DOWN]

    # -- whole, and to the end ---------------------------------------------------------------------------------------------
    def no_message_of_a_place_is_lost(self):
        for incident, entries in self.of_places().items():
            numbers = [entry["sequence"] for entry in entries]
            if numbers != list(range(1, len(numbers) + 1)):
                self.find(f"incident {incident} of {sorted(self.places(entries[0]), key=str)} has the messages {numbers}")

    def each_incident_of_a_place_ends(self):
        """The calm lasts until the guard says that nothing is open."""
        for incident, entries in self.of_places().items():
            troubles = [entry["sequence"] for entry in entries if entry["event"] in TROUBLES and not entry["resolved"]]
            ends = [entry["sequence"] for entry in entries if entry["resolved"]]
            if len(troubles) in (1, 2, 3) and max(ends, default=0) < troubles[-1]:
                self.find(f"no message ends incident {incident}: {[entry['event'] for entry in entries]}")

    def one_incident_of_each_place(self):
        """Of what lists show, of what polls show, and of each cause."""
        found = {}
        for incident, entries in self.of_places().items():
            opening = entries[0]
            what = "list" if "list_unreadable" in opening["findings"] else "poll"
            if opening["event"] in TROUBLES and not opening["members"]:
                found.setdefault((opening["event"], opening["account"], opening["region"], what), set()).add(incident)
        for place, incidents in found.items():
            if len(incidents) > 1 and not self.game.shifted:
                self.find(f"{place} has {len(incidents)} incidents within five minutes: {sorted(incidents)}")

    def recorded(self):
        """(whether a message is about it, its name, how many messages it had) of each incident in the state file."""
        for row in (row for row in self.game.recorded("trails") if row.get("arn")):      # a trail that is only named has none
            yield (lambda entry, arn=row["arn"]: bool(entry["trail"]) and entry["trail"]["arn"] == arn), row["arn"], row.get("incident")
        for row in self.game.recorded("targets"):
            place = row["account"], row["region"]
            for name in ("reach", "cover", "list"):
                yield (lambda entry, place=place: entry["trail"] is None and not entry["members"]
                       and (entry["account"], entry["region"]) == place), f"{name} of {place}", row.get(name)
        for row in self.game.recorded("causes"):
            yield (lambda entry: bool(entry["members"])), f"the cause {row['kind']}", row.get("incident")

    def no_last_message_is_lost(self):
        """The guard counts them; that the last one has not come shows in nothing else."""
        for holds, name, incident in self.recorded():
            count = (incident or {}).get("messages", 0)
            lasts = {entries[-1]["sequence"] for entries in self.incidents(holds).values()}
            if count and count not in lasts:
                self.find(f"of the {count} messages about {name} the last one has not come: {sorted(lasts)}")

    # -- when it is so, and only then ----------------------------------------------------------------------------------------
    def denied_places_are_reported(self):
        """A status that is denied time after time, with the right that it lacks or as what cannot be polled."""
        for arn in self.game.guarded:
            denied, last = 0, 0
            for entry in self.about(arn):
                if entry["operation"] != "GetTrailStatus" or not self.by_guard(entry):
                    continue
                again = entry.get("error") in DENIED and not any(last < down.end and down.begin < entry["time"] for down in self.downs())
                denied, last = denied + 1 if again else 0, entry["time"]
                if denied == self.game.plan.options["unreachable_after"] + 2 and not self.is_said_of(arn, entry):
                    self.find(f"GetTrailStatus of {arn} was denied {denied} times, and no message says so")

    def is_said_of(self, arn, entry):
        places = {(entry["account"], entry["region"]), (entry["account"], None)}
        return any(told["trail"]["arn"] == arn if told["trail"] else told["event"] == "guard.rights_lost" or self.places(told) & places
                   for told in self.messages if told["event"] in ("target.unreachable", "guard.rights_lost", "account.left"))

    def no_false_alarm_of_a_place(self):
        """Something that the guard asked there was not answered as it should be."""
        for entries in self.of_places().values():
            opening, places = entries[0], self.places(entries[0])
            failed = [entry for entry in self.asked(places) if entry["status"] != 200 or entry["faults"]]
            if opening["event"] == "target.unreachable" and not failed and not self.game.busy:
                self.find(f"target.unreachable of {sorted(places, key=str)}, where all was answered")

    def no_false_end_of_a_place(self):
        """Something was answered there since the trouble."""
        for entries in self.of_places().values():
            begin = epoch(entries[0]["time"]) - SLACK
            if self.game.shifted:
                continue
            for end in (entry for entry in entries if entry["event"] == "target.reachable"):
                places = self.places(end) | self.places(entries[0])
                answers = [self.wall(entry) for entry in self.asked(places) if entry["status"] == 200]
                if not any(begin <= answer <= epoch(end["time"]) + SLACK for answer in answers) and not self.ended_otherwise(end):
                    self.find(f"target.reachable of {sorted(places, key=str)} at {end['time']}, where nothing was answered")

    def ended_otherwise(self, _):
        return False

    # -- who did it --------------------------------------------------------------------------------------------------------
    def who_did_it_is_reported(self):
        """Once a search has shown who stopped a trail, a message of the incident has an actor."""
        for incident, entries in self.by_incident().items():
            about = entries[0]["trail"]["arn"]
            gaps = [epoch(entry["gap"]["from"]) for entry in entries if entry["gap"] and entry["gap"]["from"]]
            shown = [call for call in self.effective_stops(about) if not self.by_guard(call)
                     and any(abs(self.called[call["id"]] - gap) < 1 for gap in gaps) and self.is_shown(call)]
            if shown and not any(entry["actor"] for entry in entries):
                self.find(f"incident {incident}: the history has shown who stopped {about}, and no message says it")

    def is_shown(self, call):
        """In the answer to a search for what was called by the name that this call has, in time; over a restart a search may be
        made again later."""
        end, when = self.game.notes[-1].time - SEARCHED, self.called[call["id"]]
        alike = [entry for entry in self.requests if entry["params"].get("Name") == call["params"]["Name"]]
        searches = [entry for entry in self.requests if entry["operation"] == "LookupEvents" and self.by_guard(entry)
                    and entry["status"] == 200 and not entry["faults"] and call["time"] + 2 < entry["time"] < end
                    and (entry["account"], entry["region"]) == (call["account"], call["region"])
                    and entry["params"].get("StartTime", 0) <= when <= entry["params"].get("EndTime", when)
                    and any(asked["AttributeValue"] == call["params"]["Name"] for asked in entry["params"].get("LookupAttributes", []))]
        return len(alike) < PAGE and any(not any(down.end > search["time"] - SEARCHED for down in self.downs()) for search in searches)

    def place_rules(self):
        return [self.no_message_of_a_place_is_lost, self.each_incident_of_a_place_ends, self.one_incident_of_each_place,
                self.no_last_message_is_lost, self.denied_places_are_reported, self.no_false_alarm_of_a_place,
                self.no_false_end_of_a_place, self.who_did_it_is_reported]
