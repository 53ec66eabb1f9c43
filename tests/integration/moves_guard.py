# SPDX-License-Identifier: Apache-2.0
"""Moves of a game with `guard_checks` (moves.py): an administrator of the guard's own account prepares to silence it. What he
changed and left that way must be in a guard.changed that names it (judge.py, changes_of_the_guard_are_reported)."""

import collections
import json
import time

from attacks import EVERYTHING, policy_of
from helpers import FRA
from moves_around import attacker

INTERVAL = 10       # s, the shortest guard_interval

# text: of the message's detail. who: a person's name.
Change = collections.namedtuple("Change", "begin text who")


def client(game, who, service):
    """Of the guard's account."""
    return game.people[who].client(f"arn:aws:{service}:{'us-east-1' if service == 'iam' else FRA}:{game.hub()}:", service)


def guards_user(game):
    return f"guard-{game.hub()}"


def changed(game, who, text, what):
    game.guard_changes.append(Change(time.monotonic(), text, who))
    game.note(who, what)


def another_key(game, choose):
    """The second access key of the guard's user, for himself. There is no third."""
    who = attacker(choose)
    key = client(game, who, "iam").create_access_key(UserName=guards_user(game))["AccessKey"]["AccessKeyId"]
    changed(game, who, f"the access key {key[:4]}", f"CreateAccessKey of {guards_user(game)}")


def more_rights(game, choose):
    """An inline policy that changes nothing yet."""
    who, name = attacker(choose), f"more-{next(game.own)}"
    client(game, who, "iam").put_user_policy(UserName=guards_user(game), PolicyName=name, PolicyDocument=policy_of(
        {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}))
    changed(game, who, f"the inline policy {name} was added", f"PutUserPolicy {name}")


def bound(game, choose):
    """A boundary that allows everything, until he changes it."""
    who = attacker(choose)
    iam = client(game, who, "iam")
    arn = iam.create_policy(PolicyName=f"boundary-{next(game.own)}", PolicyDocument=policy_of(EVERYTHING))["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=guards_user(game), PermissionsBoundary=arn)
    changed(game, who, "boundary", f"PutUserPermissionsBoundary of {guards_user(game)}")


def take_right(game, choose):
    """A right that the guard needs only when something happens, so that no denied call shows it."""
    who, name = attacker(choose), f"no-{next(game.own)}"
    iam, action = client(game, who, "iam"), choose.choice(["cloudtrail:StartLogging", "cloudtrail:UpdateTrail", "cloudtrail:*"])
    iam.put_user_policy(UserName=guards_user(game), PolicyName=name, PolicyDocument=policy_of(
        {"Effect": "Deny", "Action": action, "Resource": "*"}))
    game.note(who, f"PutUserPolicy {name}: denies {action}")
    game.handicap(f"a denial by {name}", lambda: iam.delete_user_policy(UserName=guards_user(game), PolicyName=name),
                  choose.randint(1, 8))


def unsubscribe(game, choose):
    """Nobody is left whom an alert reaches; the topic takes them all the same."""
    who = attacker(choose)
    sns = client(game, who, "sns")
    for entry in sns.list_subscriptions_by_topic(TopicArn=game.topic)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=entry["SubscriptionArn"])
    game.unheard.append(time.monotonic())
    game.note(who, f"Unsubscribe of all of {game.topic}")


def filter_out(game, choose):
    """A filter policy that drops all critical alerts."""
    who = attacker(choose)
    sns = client(game, who, "sns")
    found = sns.list_subscriptions_by_topic(TopicArn=game.topic)["Subscriptions"]
    for entry in found:
        sns.set_subscription_attributes(SubscriptionArn=entry["SubscriptionArn"], AttributeName="FilterPolicy",
                                        AttributeValue=json.dumps({"severity": ["info"]}))
    if found:
        game.unheard.append(time.monotonic())
        game.note(who, f"SetSubscriptionAttributes of all of {game.topic}")


GUARD_MOVES = {
    "another_key": (4, another_key), "more_rights": (4, more_rights), "bound": (4, bound), "take_right": (6, take_right),
    "unsubscribe": (4, unsubscribe), "filter_out": (4, filter_out),
}
