# SPDX-License-Identifier: Apache-2.0
"""Games against an organization: `victim` is the trail of all its accounts and belongs to the management account, `single` is
a member's own. The guard's keys are the management account's, or those of CloudTrail's delegated administrator, with a role in
the management account or without one. The attacker has an administrator's keys in each account."""

import collections
import functools
import random
import time

from adversary import Game, Plan
from attacks import EVERYTHING
from helpers import IAD
from judge import GONE, Judge
from judge_places import DENIED
from moves import DOWN, Broken, policy
from moves_host import expire_sessions

ROLE = "TrailGuard"
CLOUDTRAIL = "cloudtrail.amazonaws.com"
POLLS = {"cloudtrail:GetTrailStatus", "cloudtrail:*"}
OWNERS = ("configuration", "tags")      # what AWS shows the owner of an organization's trail alone
HUBS = ("management", "delegate", "delegate alone")
# A member that was away, and calls that a service control policy denied in an account.
Absence = collections.namedtuple("Absence", "begin end account call")
Denial = collections.namedtuple("Denial", "begin end account actions")


def of(account):
    """What a Person makes a client for."""
    return f"arn:aws:organizations:{IAD}:{account}:"


# -- moves -------------------------------------------------------------------------------------------------------------
def leave(game, choose):
    """A member leaves, is removed, is closed or moves to another organization. Its people find that out, and take it back."""
    account, who = choose.choice(game.leavers), game.people[choose.choice(["mallory", "trent"])]
    call = choose.choice(["LeaveOrganization", "AcceptHandshake", "RemoveAccountFromOrganization", "CloseAccount"])
    if game.away:
        return
    if call == "RemoveAccountFromOrganization":
        who.client(of(game.account), "organizations").remove_account_from_organization(AccountId=account)
    elif call == "CloseAccount":        # it stays a member, suspended
        who.client(of(game.account), "organizations").close_account(AccountId=account)
    elif call == "AcceptHandshake":
        who.client(of(account), "organizations").accept_handshake(HandshakeId="h-examplehandshake")
    else:
        who.client(of(account), "organizations").leave_organization()
    game.away.add(account)
    game.note(who.user, f"{call}: {account}")
    game.handicap(f"{account} is away", functools.partial(return_member, game, time.monotonic(), account, call), choose.randint(2, 6))
    if choose.random() < 0.7:
        game.guard.reload()
        game.note("host", "reload")


def return_member(game, begin, account, call):
    game.absences.append(Absence(begin, time.monotonic(), account, call))
    game.away.discard(account)
    game.sim.call("account", id=account, state="ACTIVE")
    game.arrange()
    game.guard.reload()


def make_private(game, choose):
    """A12: the other accounts' events are lost to it."""
    who = choose.choice(["mallory", "trent"])
    if game.picture(game.victim) is None or not game.picture(game.victim)["settings"]["IsOrganizationTrail"]:
        return
    game.people[who].client(game.victim).update_trail(Name=game.victim, IsOrganizationTrail=False)
    game.note(who, f"A12 no organization trail any more, {game.victim}")
    game.broken.append(Broken(time.monotonic(), game.victim, game.event_of_private()))


def distrust(game, choose):
    """F2: organization trails become the management account's own, and none can be made again."""
    who, before = choose.choice(["mallory", "trent"]), game.picture(game.victim)
    game.people[who].client(of(game.account), "organizations").disable_aws_service_access(ServicePrincipal=CLOUDTRAIL)
    game.trusted = False
    game.note(who, "F2 DisableAWSServiceAccess")
    if before and before["settings"]["IsOrganizationTrail"]:
        game.broken.append(Broken(time.monotonic(), game.victim, game.event_of_private()))


def deregister(game, choose):
    """A guard with the delegated administrator's keys may list no accounts then, nor write to the organization's trail."""
    if not game.delegated:
        return
    if choose.random() < 0.5:
        game.people["mallory"].client(of(game.account), "organizations").deregister_delegated_administrator(
            AccountId=game.delegate, ServicePrincipal=CLOUDTRAIL)
    else:       # the same by another door
        game.people["mallory"].client(game.victim).deregister_organization_delegated_admin(DelegatedAdminAccountId=game.delegate)
    game.delegated = False
    game.note("mallory", f"{game.delegate} is no delegated administrator any more")
    game.handicap("no delegated administrator", functools.partial(register, game), choose.randint(1, 5))
    ask_for_list(game, choose.choice([0, 0, 1, 3]))


def hide_accounts(game, choose):
    """The guard may list no accounts any more, as after G2; known ones are polled as before."""
    hub = game.arn("guard", game.hub())
    policy(game, [hub], "organizations:ListAccounts")
    game.handicap("a denial", functools.partial(policy, game, game.principals), choose.randint(1, 5))
    game.note("mallory", f"denies {hub} organizations:ListAccounts")
    ask_for_list(game, choose.choice([1, 3]))


def ask_for_list(game, times):
    """By reloads; it is asked for seldom."""
    for _ in range(times):
        game.guard.reload()
        game.note("host", "reload")
        time.sleep(0.5)


def register(game):
    game.delegated = True
    game.arrange()


def control(game, choose):
    """G8: a service control policy, which binds no management account."""
    account, begin = choose.choice(game.accounts[1:]), time.monotonic()
    actions = choose.choice([["cloudtrail:GetTrailStatus"], ["cloudtrail:StartLogging"], ["cloudtrail:DescribeTrails"],
                             ["cloudtrail:GetTrailStatus", "cloudtrail:StartLogging"], ["cloudtrail:*"]])
    if any(what.startswith("a service control policy") for what in game.open):
        return
    game.sim.call("account", id=account, scp=[EVERYTHING, {"Effect": "Deny", "Action": actions, "Resource": "*"}])
    game.note("mallory", f"G8 a service control policy denies {actions} in {account}")
    game.handicap(f"a service control policy of {account}", functools.partial(lift, game, begin, account, actions), choose.randint(1, 8))


def lift(game, begin, account, actions):
    game.sim.call("account", id=account, scp=None)
    game.denials.append(Denial(begin, time.monotonic(), account, actions))


def by_delegate(game, choose):
    """The organization's trail, by the delegated administrator: the call is in another account's history."""
    client = game.people["mallory"].client(game.victim.replace(game.account, game.delegate))
    call, what = choose.choice([
        (functools.partial(client.stop_logging, Name=game.victim), "StopLogging"),
        (functools.partial(client.update_trail, Name=game.victim, S3KeyPrefix="elsewhere"), "UpdateTrail"),
        (functools.partial(client.delete_trail, Name=game.victim), "DeleteTrail")])
    call()
    game.note("mallory", f"{what} {game.victim} through {game.delegate}")


def by_member(game, choose):
    """Which may not."""
    client = game.people["mallory"].client(game.victim.replace(game.account, game.accounts[-1]))
    game.note("mallory", f"a call on {game.victim} through {game.accounts[-1]}")
    choose.choice([client.stop_logging, client.delete_trail])(Name=game.victim)


def move_away(game, choose):
    """A member is moved to an organizational unit where GetTrailStatus is denied."""
    account, begin = choose.choice(game.accounts[1:]), time.monotonic()
    actions = choose.choice([["cloudtrail:GetTrailStatus"], ["cloudtrail:StartLogging"], ["cloudtrail:*"]])
    if account in game.away or any(what.startswith("a service control policy") for what in game.open):
        return
    unit = f"ou-root-{game.account}{next(game.own)}"
    game.sim.call("unit", id=unit, scp=[EVERYTHING, {"Effect": "Deny", "Action": actions, "Resource": "*"}])
    client = game.people["mallory"].client(of(game.account), "organizations")
    client.move_account(AccountId=account, SourceParentId="r-root", DestinationParentId=unit)
    game.note("mallory", f"MoveAccount {account} to where {actions} is denied")
    game.handicap(f"a service control policy of {account}", functools.partial(move_back, game, begin, account, actions),
                  choose.randint(1, 8))


def move_back(game, begin, account, actions):
    game.sim.call("account", id=account, parent="r-root")
    game.denials.append(Denial(begin, time.monotonic(), account, actions))


ORGANIZATION_MOVES = {"move_away": (4, move_away), "leave": (6, leave), "make_private": (6, make_private), "distrust": (3, distrust),
                      "deregister": (3, deregister), "hide_accounts": (3, hide_accounts), "control": (5, control),
                      "by_delegate": (5, by_delegate), "expire_sessions": (5, expire_sessions), "by_member": (3, by_member)}


# -- the game ------------------------------------------------------------------------------------------------------------
class OrganizationPlan(Plan):
    def __init__(self, seed, moves=None):
        super().__init__(seed, moves)
        self.hub = random.Random(f"hub of {seed}").choice(HUBS)
        if self.hub == "delegate alone":        # the bucket's account is not guarded, and whose it is nobody can say
            self.options.update(bucket_checks=False, owner_check=False)

    def known_moves(self):
        own = {name: move for name, move in super().known_moves().items() if name != "second_guard"}     # its keys have no role
        return {**own, **ORGANIZATION_MOVES}

    def __str__(self):
        return f"{super().__str__()} with the keys of the {self.hub}"


class OrganizationGame(Game):
    plan_of = OrganizationPlan

    def _accounts(self):
        self.away, self.delegated, self.trusted, self.absences, self.denials = set(), True, True, [], []
        self.delegate = f"{int(self.account) + account_step(1)}"
        return [self.account, self.delegate, f"{int(self.account) + account_step(2)}"]

    def hub(self):
        return self.account if self.plan.hub == "management" else self.delegate

    def _found(self, scenario):
        for trail in scenario["trails"]:
            if trail["name"] == "victim":
                trail["IsOrganizationTrail"] = True
        self.leavers = [account for account in self.accounts[1:] if account != self.hub()]
        self.alone = self.plan.hub == "delegate alone"      # nobody but the owner reads all of the organization's trail
        trust = [{"Effect": "Allow", "Principal": {"AWS": self.arn("guard", self.hub())}, "Action": "sts:AssumeRole"}]
        for account in self.accounts:
            self.sim.add_account(account)
            if account != self.hub() and not (self.alone and account == self.account):
                self.sim.add_role(ROLE, account, trust=trust)
                self.principals.append(f"arn:aws:iam::{account}:role/{ROLE}")
        self.plan.options["organization"] = {"role_name": ROLE, "refresh": 60, **({"exclude": [self.account]} if self.alone else {})}
        super()._found(scenario)
        self.arrange()

    def arrange(self):
        """The organization as it is to be now."""
        self.sim.call("organization", id=f"o-{self.account}", management=self.account, trusted_access=self.trusted,
                      members=[account for account in self.accounts[1:] if account not in self.away],
                      delegated=[self.delegate] if self.delegated and self.delegate not in self.away else [])

    def event_of_private(self):
        """To others it looks as if it were deleted."""
        return "trail.missing" if self.alone else "trail.weakened"

    def repair(self):
        self.trusted = True
        self.arrange()
        super().repair()
        self.mend_victim()

    def mend_victim(self):
        """What only its owner can write or read; here nobody of the owner's has a role for the guard."""
        if self.alone and (picture := self.picture(self.victim)):
            own = {name: self.baseline[self.victim][name] for name in OWNERS if picture[name] != self.baseline[self.victim][name]}
            if own:
                self.sim.trail(self.victim, **own)
            if not picture["settings"]["IsOrganizationTrail"]:
                self.sim.trail(self.victim, settings={"IsOrganizationTrail": True})

    def difference(self, arn):
        found = super().difference(arn)
        return {name: found[name] for name in found if name not in OWNERS} if self.alone and found != "missing" else found

    def restored(self, arn):
        self.mend_victim()
        return super().restored(arn)

    def seen_by(self, arn):
        return self.delegate if self.alone and arn == self.victim else super().seen_by(arn)

    def reads_of(self, arn):
        return super().reads_of(arn) - ({"GetEventConfiguration", "ListTags"} if self.alone and arn == self.victim else set())

    def well(self, arn):
        return "protected" if self.alone and arn == self.victim else super().well(arn)

    def troubled(self):
        error = self.guard.status().get("organization", {}).get("error")
        return super().troubled() + ([f"the list of accounts: {error}"] if error else [])


def account_step(number):
    return number * 100000000000


# -- the rules -------------------------------------------------------------------------------------------------------------
class OrganizationJudge(Judge):
    def rules(self):
        return [*super().rules(), self.absences_are_reported, self.denials_are_reported, self.owners_write,
                self.unreadable_lists_are_reported, self.what_is_unreadable_becomes_readable]

    def lists(self):
        """What the guard asked about who is in the organization; a page has them all."""
        return [entry for entry in self.game.sim.requests(account=self.game.accounts, operation="ListAccounts") if self.by_guard(entry)]

    def unread_lists(self):
        """How often so many lists in a row were refused that it has to be reported, since the last one that was read. What a
        fault spoiled is asked again at once and may have been read; over a restart the guard may lose count."""
        downs = [handicap for handicap in self.game.handicaps if handicap.what == DOWN]
        times, refused, reported, before = 0, 0, False, 0
        for entry in self.lists():
            if entry["status"] == 200:
                refused, reported = 0, False
            elif any(before < down.end and down.begin < entry["time"] for down in downs):
                refused = 0
            if entry["status"] != 200 and not entry["faults"]:
                refused += 1
            if refused >= self.game.plan.options["unreachable_after"] and not reported:
                times, reported = times + 1, True
            before = entry["time"]
        return times

    def unreadable_lists_are_reported(self):
        """And none that was read."""
        told = [entry for entry in self.messages if entry["event"] == "organization.unreadable"]
        if len(told) < self.unread_lists():
            self.find(f"the list of accounts was refused {self.unread_lists()} times, {len(told)} organization.unreadable say so")
        if told and all(entry["status"] == 200 and not entry["faults"] for entry in self.lists()):
            self.find("organization.unreadable says that accounts cannot be listed, which they could")

    def what_is_unreadable_becomes_readable(self):
        """The calm lasts until the accounts are listed again."""
        unreadable, readable = ({entry["incident"] for entry in self.messages if entry["event"] == f"organization.{what}"}
                                for what in ("unreadable", "readable"))
        for incident in sorted(unreadable - readable):
            self.find(f"no organization.readable ends incident {incident}")
        for incident in sorted(readable - unreadable):
            self.find(f"organization.readable ends incident {incident}, which nobody heard of")

    def absences_are_reported(self):
        """Once the accounts were listed meanwhile, and of nobody else."""
        left = {entry["account"] for entry in self.messages if entry["event"] == "account.left"}
        learnt = [entry["time"] for entry in self.lists() if entry["status"] == 200 and not entry["faults"]]
        for absence in self.game.absences:
            listed = any(absence.begin < when < absence.end - 1 for when in learnt)
            if listed and absence.account not in left:
                self.find(f"{absence.account} left by {absence.call}, and no account.left says so")
        for account in sorted(left - {absence.account for absence in self.game.absences}):
            self.find(f"account.left says that {account} left, which it did not")

    def denials_are_reported(self):
        """Of polls, where one lasted long enough, something was asked, and nothing else was in the way."""
        told = {entry["account"] for entry in self.messages if entry["event"] in ("target.unreachable", "guard.rights_lost")}
        for denial in self.game.denials:
            others = [handicap for handicap in [*self.game.handicaps, *self.game.busy]
                      if handicap.what != f"a service control policy of {denial.account}"]
            hindered = any(handicap.begin < denial.end and handicap.end > denial.begin for handicap in others)
            denied = [entry for entry in self.requests if self.by_guard(entry) and entry["account"] == denial.account
                      and denial.begin < entry["time"] < denial.end and entry.get("error") in DENIED]
            if denial.end - denial.begin > 8 and POLLS & set(denial.actions) and not hindered and denial.account not in told \
                    and len(denied) > self.game.plan.options["unreachable_after"]:
                self.find(f"{denial.actions} was denied in {denial.account} for {denial.end - denial.begin:.1f} s, and no message says so")

    def may_look_gone(self, arn):
        """To others a trail that its owner has made their own; and the trails of whoever left."""
        return arn == self.game.victim and self.game.alone or any(absence.account in arn for absence in self.game.absences)

    def effective_stops(self, arn):
        """While the trail is the management account's own, others cannot see what becomes of it."""
        stops = super().effective_stops(arn)
        return [] if self.game.alone and arn == self.game.victim and self.of_trail(arn, *GONE) else stops

    def owners_write(self):
        """Nothing is written to the organization's trail through a member that is no delegated administrator. Which one is, only
        AWS's answer shows."""
        for entry in self.writes():
            through = entry["account"] not in (self.game.account, self.game.delegate)
            if entry["status"] == 200 and through and self.full_arn(entry) == self.game.victim:
                self.find(f"{entry['operation']} of {self.game.victim} through {entry['account']}")

    def about_another(self, entry, event):
        """Of a call to Organizations what it did is not in its name."""
        call, asked = event["eventName"], event["requestParameters"] or {}
        if event["eventSource"] != "organizations.amazonaws.com":
            return super().about_another(entry, event)
        if call == "AccountDepartedOrganization":       # AWS's own record
            return "" if event["serviceEventDetails"]["accountId"] == entry["account"] else event["serviceEventDetails"]["accountId"]
        if call in ("RemoveAccountFromOrganization", "CloseAccount"):
            return "" if asked["accountId"] == entry["account"] else asked["accountId"]
        if call == "DisableAWSServiceAccess":
            return "" if entry["trail"]["arn"] == self.game.victim else "the organization's trail"
        if call in ("LeaveOrganization", "AcceptHandshake"):
            return "" if event["recipientAccountId"] == entry["account"] else event["recipientAccountId"]
        return "who administers CloudTrail"
