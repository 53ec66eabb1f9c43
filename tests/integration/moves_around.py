# SPDX-License-Identifier: Apache-2.0
"""Moves of a game (moves.py) against what a trail hangs on: its key, its bucket, its topic, its log group and the role that
writes there. Mallory and trent break it. What alice does changes nothing for CloudTrail, and nobody may accuse her of it.
What becomes of the deliveries the simulated AWS decides, and the judge goes by that (judge.py, failures_are_reported)."""

import json

import attacks
from attacks import CLOUDTRAIL, NOTIFY, policy_of
from helpers import FRA
from moves import in_account, moved
from simaws.kms import default_policy

INLINE = "scenario"         # the name of the policy that a role of the scenario has


def key_of(game):
    return moved(attacks.KEY, game.account)


def topic_of(game):
    return in_account(attacks.NOTIFIED, game.account)


def group_of(game):
    return in_account(attacks.GROUP, game.account)


def role_of(game):
    return in_account(attacks.ROLE, game.account)


def topic_policy_of(game):
    """Of the topic that the trail notifies."""
    return moved(attacks.SCENARIO["topics"][0]["policy"], game.account)


def log_role(game):
    """What the role that writes to the log group is like."""
    return moved(attacks.SCENARIO["roles"][0], game.account)


def found(game):
    """What the trail hangs on is there, and lets CloudTrail in by a policy that can be changed."""
    game.sim.call("topic", arn=topic_of(game), policy=topic_policy_of(game))
    game.sim.call("role", **log_role(game))


def mend(game):
    """As it was, by hand."""
    game.sim.call("kms_key", arn=key_of(game), state="Enabled", deletion=None, policy=None)
    game.sim.call("topic", arn=topic_of(game), policy=topic_policy_of(game))
    game.sim.call("restored", arn=group_of(game))
    game.sim.call("unbound", arn=role_of(game))
    game.sim.call("role", **log_role(game))


def client(game, who, service):
    return game.people[who].client(f"arn:aws:{service}:{'us-east-1' if service == 'iam' else FRA}:{game.account}:", service)


def attacker(choose):
    return choose.choice(["mallory", "trent"])


# -- the key -----------------------------------------------------------------------------------------------------------
def key_policy(game, choose):
    """D2: CloudTrail is denied kms:GenerateDataKey*, or allowed it for another trail only, or not at all."""
    who = attacker(choose)
    kms, key = client(game, who, "kms"), key_of(game)
    owner, writer = default_policy(key)["Statement"]
    other = {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{game.account}:trail/another"}}
    denies = {"Effect": "Deny", "Principal": CLOUDTRAIL, "Action": "kms:GenerateDataKey*", "Resource": "*"}
    statements = choose.choice([[owner], [owner, writer, denies], [owner, {**writer, "Condition": other}],
                                [owner, {**writer, "Condition": {"StringEquals": {"aws:SourceArn": game.single}}}],
                                [owner, writer, {**denies, "Principal": "*", "Action": "kms:Encrypt"}]])     # changes nothing
    kms.put_key_policy(KeyId=choose.choice([key, key.rpartition("/")[2]]), PolicyName="default", Policy=policy_of(*statements))
    game.note(who, f"PutKeyPolicy {key} {json.dumps(statements[1:])}")


def key_store(game, choose):
    """D3, and sometimes connected again soon."""
    who = attacker(choose)
    kms = client(game, who, "kms")
    kms.disconnect_custom_key_store(CustomKeyStoreId=attacks.KEY_STORE)
    game.note(who, "DisconnectCustomKeyStore")
    if choose.random() < 0.2:
        kms.connect_custom_key_store(CustomKeyStoreId=attacks.KEY_STORE)
        game.note(who, "ConnectCustomKeyStore")


def key_innocent(game, choose):
    """Grants and rotation: CloudTrail needs neither."""
    kms, key = client(game, "alice", "kms"), key_of(game)
    call = choose.choice(["create_grant", "revoke_grant", "disable_key_rotation"])
    if call == "disable_key_rotation":
        kms.disable_key_rotation(KeyId=key)
    else:
        grant = kms.create_grant(KeyId=key, GranteePrincipal=game.arn("alice"), Operations=["Decrypt"])["GrantId"]
        if call == "revoke_grant":
            kms.revoke_grant(KeyId=key, GrantId=grant)
    game.note("alice", f"{call} {key}")


# -- the bucket ----------------------------------------------------------------------------------------------------------
def bucket_closed(game, choose):
    """C1 in other words: conditions that CloudTrail does not meet, somebody else's trail, and Requester Pays."""
    who = attacker(choose)
    s3, logs = client(game, who, "s3"), f"arn:aws:s3:::{game.bucket}/*"
    denies = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": logs}
    good = game.good_policy["Statement"]
    changed = [{**statement, "Condition": {"StringEquals": {"aws:SourceArn": game.single}}} for statement in good]
    chosen = choose.choice([
        [*good, denies], [*good, {**denies, "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}}}],
        [*good, {**denies, "Principal": CLOUDTRAIL, "Action": "s3:*"}], changed, "Requester"])
    if chosen == "Requester":
        s3.put_bucket_request_payment(Bucket=game.bucket, RequestPaymentConfiguration={"Payer": chosen})
        game.note(who, f"PutBucketRequestPayment {game.bucket}")
        return
    s3.put_bucket_policy(Bucket=game.bucket, Policy=json.dumps({**game.good_policy, "Statement": chosen}))
    game.policy_changed = True
    game.note(who, f"PutBucketPolicy {game.bucket} {json.dumps(chosen[len(good):] or chosen)}")


def bucket_innocent(game, choose):
    """Settings of the bucket that CloudTrail does not notice."""
    s3, other = client(game, "alice", "s3"), "elsewhere-of-alice"
    rule = {"ID": "copy", "Status": "Enabled", "Priority": 1, "Filter": {}, "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{other}"}}
    call, arguments = choose.choice([
        (s3.put_bucket_ownership_controls, {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}),
        (s3.put_bucket_encryption, {"ServerSideEncryptionConfiguration": {"Rules": [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}),
        (s3.put_bucket_logging, {"BucketLoggingStatus": {"LoggingEnabled": {"TargetBucket": other, "TargetPrefix": "access"}}}),
        (s3.put_object_lock_configuration, {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}),
        (s3.put_bucket_replication, {"ReplicationConfiguration": {"Role": role_of(game), "Rules": [rule]}}),
        (s3.put_bucket_versioning, {"VersioningConfiguration": {"Status": "Suspended"}}),
        (s3.put_bucket_request_payment, {"RequestPaymentConfiguration": {"Payer": "BucketOwner"}}),
        (s3.put_public_access_block, {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True, "RestrictPublicBuckets": True}})])
    if call == s3.put_bucket_request_payment and game.sim.call("bucket", name=game.bucket).get("payer") == "Requester":
        return
    call(Bucket=game.bucket, **arguments)
    game.note("alice", f"{call.__name__} {game.bucket}")


# -- the topic -------------------------------------------------------------------------------------------------------------
def topic_closed(game, choose):
    """E3: gone, or CloudTrail may not publish to it."""
    who, topic = attacker(choose), topic_of(game)
    sns = client(game, who, "sns")
    denies = {"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": topic}
    what = choose.choice(["delete", "label", "deny"])
    if what == "delete":
        sns.delete_topic(TopicArn=topic)
    elif what == "label":
        sns.remove_permission(TopicArn=topic, Label=NOTIFY)
    else:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy_of(*topic_policy_of(game), denies))
    game.note(who, f"{what} of {topic}")


def topic_innocent(game, choose):
    """Subscriptions come and go."""
    sns, topic = client(game, "alice", "sns"), topic_of(game)
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{FRA}:{game.account}:alice")["SubscriptionArn"]
    if choose.random() < 0.5:
        sns.unsubscribe(SubscriptionArn=arn)
    game.note("alice", f"Subscribe to {topic}")


# -- the log group and its role ----------------------------------------------------------------------------------------------
def group_closed(game, choose):
    """E1: the group is gone, or its role may not be assumed or not write."""
    who, role = attacker(choose), role_of(game).rpartition("/")[2]
    iam = client(game, who, "iam")
    what = choose.choice(["group", "policy", "trust", "boundary", "deny", "role"])
    denies = {"Effect": "Deny", "Action": "logs:*", "Resource": "*"}
    if what == "group":
        client(game, who, "logs").delete_log_group(logGroupName="CloudTrail")
    elif what == "policy":
        iam.delete_role_policy(RoleName=role, PolicyName=INLINE)
    elif what == "trust":
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=policy_of(
            {"Effect": "Allow", "Principal": {"AWS": game.arn(who)}, "Action": "sts:AssumeRole"}))
    elif what == "boundary":
        boundary = iam.create_policy(PolicyName=f"boundary-{next(game.own)}", PolicyDocument=policy_of(
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
    elif what == "deny":
        iam.put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=policy_of(denies))
    else:
        iam.delete_role_policy(RoleName=role, PolicyName=INLINE)
        iam.delete_role(RoleName=role)
    game.note(who, f"{what} of the log group taken away")


def group_innocent(game, choose):
    logs = client(game, "alice", "logs")
    call, arguments = choose.choice([
        (logs.put_subscription_filter, {"filterName": "copy", "filterPattern": "",
                                        "destinationArn": f"arn:aws:lambda:{FRA}:{game.account}:function:alice"}),
        (logs.put_retention_policy, {"retentionInDays": 1}), (logs.delete_log_stream, {"logStreamName": "stream"})])
    call(logGroupName="CloudTrail", **arguments)
    game.note("alice", f"{call.__name__} CloudTrail")


AROUND = {
    "key_policy": (5, key_policy), "key_store": (3, key_store), "key_innocent": (3, key_innocent), "bucket_closed": (5, bucket_closed),
    "bucket_innocent": (4, bucket_innocent), "topic_closed": (4, topic_closed), "topic_innocent": (2, topic_innocent),
    "group_closed": (5, group_closed), "group_innocent": (3, group_innocent),
}
