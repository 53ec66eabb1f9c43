# SPDX-License-Identifier: Apache-2.0
"""What the attacker of a game can do (adversary.py): one function a move, and in MOVES how often each is chosen. A move gets
the game and a random.Random of its own, so that a seed picks the same in each. Beside the catalogue of attacks.py a move can
be trouble that nobody made: a fault of the network, a crash, an administrator's restart."""

import collections
import functools
import json
import time

import attacks
from guard import within
from helpers import FRA, IAD, MAIN

DOWN = "the daemon is down"
TOMORROW, SAMPLING = "TomorrowShield", "TomorrowSampling"
STALE = 7200        # s, the default of stale_after
DIRECT = ("A1", "A3", "A5", "A5p", "A6", "A8", "A9", "A9f", "A10", "A11", "A13", "A6-A11", "B1", "B2r", "B2w", "B3", "B4a", "B4b",
          "B4c", "B5", "B6", "B7", "B8", "T1")
CATALOGUE = [attack for attack in attacks.ATTACKS if attack.number in DIRECT]
FAULTS = [{"kind": "throttle"}, {"kind": "http500"}, {"kind": "http503"}, {"kind": "reset"}, {"kind": "closed"},
          {"kind": "truncate", "bytes": 10}, {"kind": "garbage"}, {"kind": "empty"}, {"kind": "slow", "seconds": 1.5},
          {"kind": "slow", "seconds": 1.5, "after": True}, {"kind": "hang", "seconds": 3}, {"kind": "reset", "executed": True},
          {"kind": "http500", "executed": True}, {"kind": "closed", "executed": True}, {"kind": "oversize", "bytes": 4 << 20},
          {"kind": "denied"}, {"kind": "expired"}]
READS = ("GetTrailStatus", "DescribeTrails", "GetEventSelectors", "GetInsightSelectors", "GetEventConfiguration", "ListTags",
         "LookupEvents")
WRITES = ("StartLogging", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "CreateTrail", "AddTags")


# While one lasts, nothing is asked of the guard.
Handicap = collections.namedtuple("Handicap", "begin end what")
# What the guard can only report.
Broken = collections.namedtuple("Broken", "begin arn event")


def moved(value, account):
    """A part of the catalogue's scenario, in another account. Names of buckets are everybody's."""
    text = json.dumps(value).replace(MAIN, account)
    return json.loads(text.replace("example-victim-logs", f"victim-{account}").replace("example-single-logs", f"single-{account}"))


def in_account(arn, account):
    return arn.replace(MAIN, account)


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


def named(game, choose, trail):
    """Callers name a trail either way."""
    return choose.choice([trail, trail.rpartition("/")[2]])


def reshape(game, choose):
    """PutEventSelectors in a shape of his own, in which something is lost."""
    who, trail = choose.choice(["mallory", "trent"]), choose.choice(game.guarded)
    wanted = choose.choice([basic_shape, advanced_shape])(choose)
    game.people[who].client(trail).put_event_selectors(TrailName=named(game, choose, trail), **wanted)
    game.note(who, f"PutEventSelectors {trail} {json.dumps(wanted)}")


def basic_shape(choose):
    """One selector, or two with the same hole."""
    hole = choose.choice([{"ReadWriteType": "ReadOnly"}, {"ReadWriteType": "WriteOnly"}, {"IncludeManagementEvents": False},
                          {"ExcludeManagementEventSources": ["kms.amazonaws.com"]},
                          {"ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]},
                          {"ExcludeManagementEventSources": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}])
    data = [[], [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}], [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}],
            [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::example-secrets/public/"]}]]
    whole = {"ReadWriteType": "All", "IncludeManagementEvents": True, "ExcludeManagementEventSources": []}
    chosen = [{**whole, **hole, "DataResources": choose.choice(data if hole.get("IncludeManagementEvents", True) else data[1:])}]
    return {"EventSelectors": chosen * choose.choice([1, 1, 2])}


def advanced_shape(choose):
    """Management events with a filter or two, or none; data of some resources."""
    filters = [{"Field": "readOnly", "Equals": [choose.choice(["true", "false"])]},
               {"Field": "eventSource", "NotEquals": choose.sample(["kms.amazonaws.com", "rdsdata.amazonaws.com"], choose.randint(1, 2))},
               {"Field": "eventName", "NotEquals": ["StopLogging"]}, {"Field": "eventType", "NotEquals": ["AwsConsoleSignIn"]},
               {"Field": "userIdentity.arn", "NotStartsWith": ["arn:aws:iam::999988887777:"]},
               {"Field": "sessionCredentialFromConsole", "Equals": ["true"]}]
    management = [attacks.MANAGEMENT, *choose.sample(filters, choose.randint(1, 2))]
    data = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            *choose.sample([{"Field": "eventName", "Equals": ["DeleteObject"]}, {"Field": "readOnly", "Equals": ["false"]},
                            {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::example-secrets/"]}], choose.randint(0, 2))]
    shapes = choose.sample([{"Name": "management", "FieldSelectors": management}, {"Name": "data", "FieldSelectors": data}],
                           choose.randint(1, 2))
    return {"AdvancedEventSelectors": shapes}


def retune(game, choose):
    """UpdateTrail of a few settings at once, each to something that its baseline does not say."""
    who, trail = choose.choice(["mallory", "trent"]), choose.choice(game.guarded)
    everything = [{"S3BucketName": f"own-{game.account}"}, {"S3KeyPrefix": f"p{choose.randint(1, 9)}"}, {"EnableLogFileValidation": False},
                  {"KmsKeyId": choose.choice(["", attacks.FOREIGN_KEY])}, {"SnsTopicName": choose.choice(["", game.topic])},
                  {"CloudWatchLogsLogGroupArn": "", "CloudWatchLogsRoleArn": ""}, {"IncludeGlobalServiceEvents": False},
                  {"IsMultiRegionTrail": False}, {"RecursiveLogging": False}]
    chosen = {name: value for change in choose.sample(everything, choose.randint(1, 4)) for name, value in change.items()}
    if chosen.get("IncludeGlobalServiceEvents") is False:       # a trail of all regions has them
        chosen["IsMultiRegionTrail"] = False
    game.people[who].client(trail).update_trail(Name=named(game, choose, trail), **chosen)
    game.note(who, f"UpdateTrail {trail} {json.dumps(chosen)}")


def insights(game, choose):
    trail = choose.choice(game.guarded)
    chosen = choose.choice([[], [{"InsightType": "ApiErrorRateInsight"}],
                            [{"InsightType": "ApiErrorRateInsight", "EventCategories": ["Management", "Data"]}]])
    game.people["trent"].client(trail).put_insight_selectors(TrailName=named(game, choose, trail), InsightSelectors=chosen)
    game.note("trent", f"PutInsightSelectors {trail} {json.dumps(chosen)}")


def retag(game, choose):
    """One tag more, less or otherwise."""
    trail, client = game.victim, game.people["mallory"].client(game.victim)
    call, tag = choose.choice([(client.add_tags, {"Key": "owner", "Value": "mallory"}), (client.remove_tags, {"Key": "owner"}),
                               (client.add_tags, {"Key": f"own-{choose.randint(1, 3)}", "Value": "mine"})])
    call(ResourceId=trail, TagsList=[tag])
    game.note("mallory", f"{call.__name__} {trail} {json.dumps(tag)}")


def by_name(game, choose):
    """StopLogging or DeleteTrail by name; or by ARN from a region that is not its own, which AWS refuses."""
    trail, mallory = choose.choice(game.guarded), game.people["mallory"]
    region, name, elsewhere = trail.split(":")[3], trail.rpartition("/")[2], choose.random() < 0.3
    client = mallory.client(trail.replace(f":{region}:", f":{IAD if region == FRA else FRA}:") if elsewhere else trail)
    call = choose.choice(["stop_logging", "stop_logging", "delete_trail"])
    game.note("mallory", f"{call} {trail} {'from another region' if elsewhere else 'by name'}", "begins")
    getattr(client, call)(Name=trail if elsewhere else name)
    game.note("mallory", f"{call} {trail} by name")


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
    arn = f"arn:aws:cloudtrail:{choose.choice([FRA, IAD])}:{choose.choice(game.accounts)}:trail/own-{next(game.own)}"
    who = choose.choice(["mallory", "alice"])
    game.people[who].create(arn, f"own-{game.account}")
    game.note(who, f"CreateTrail {arn}")
    time.sleep(choose.choice([0, 1.5]))
    for step in choose.sample(["stop", "delete"], choose.randint(0, 2)):
        getattr(game.people[who], step)(arn)
        game.note(who, f"{step} {arn}")


def churn(game, choose):
    """Trails that come and go, and then the real one is stopped."""
    region, account = choose.choice([FRA, IAD]), choose.choice(game.accounts)
    for _ in range(choose.randint(3, 12)):
        arn = f"arn:aws:cloudtrail:{region}:{account}:trail/churn-{next(game.own)}"
        game.people["mallory"].create(arn, f"own-{game.account}")
        game.people["mallory"].delete(arn)
        game.note("mallory", f"CreateTrail and DeleteTrail {arn}")
    stop(game, choose)


def fill_quota(game, choose):
    """Deleted, and no more trails fit into its region: the guard cannot create it again before someone has made room."""
    trail, mallory = choose.choice(game.guarded), game.people["mallory"]
    (region, account), begin = trail.split(":")[3:5], len(game.squatters)
    mallory.delete(trail)
    game.note("mallory", f"DeleteTrail {trail}")
    client = mallory.client(trail)
    try:
        while True:
            name = f"squatter-{next(game.own)}"
            client.create_trail(Name=name, S3BucketName=f"own-{game.account}")
            game.squatters.append(f"arn:aws:cloudtrail:{region}:{account}:trail/{name}")
    except client.exceptions.MaximumNumberOfTrailsExceededException:
        pass
    finally:
        filled = game.squatters[begin:]
        game.handicap(f"a quota that is full: {len(filled)} trails in {region}", functools.partial(make_room, game, filled),
                      choose.randint(2, 5))
    game.note("mallory", f"fills the quota of {region}")


def make_room(game, squatters):
    """By the account's own people."""
    for arn in squatters:
        game.sim.trail(arn, delete=True)


def tomorrow(game, _):
    """A setting that this version does not know, and that nobody but its owner can put back."""
    if game.picture(game.single) is None:
        return
    game.sim.trail(game.single, settings={TOMORROW: False})
    game.broken.append(Broken(time.monotonic(), game.single, "trail.weakened"))
    game.note("mallory", f"A14 a setting that is unknown lowered, {game.single}")


def sample(game, _):
    """A member of a selector that this version does not know, and that goes back with the others."""
    now = game.picture(game.single)
    if now is None or now["selectors"] != game.baseline[game.single]["selectors"]:
        return
    game.sim.trail(game.single, selectors=[{**selector, SAMPLING: 1} for selector in now["selectors"]])
    game.broken.append(Broken(time.monotonic(), game.single, "trail.weakened"))
    game.note("mallory", f"B9 another value of an unknown member of a selector, {game.single}")


def stop_deliveries(game, _):
    """Nothing arrives any more and no error says so. Of a trail that was started a moment ago nobody could know."""
    whole = game.sim.trail(game.victim) if game.picture(game.victim) else None
    if not whole or not whole["logging"] or not game.as_before(game.victim) or time.time() - whole["started"] < STALE:
        return
    game.sim.trail(game.victim, delivery_stopped=whole["started"], delivered=None, digested=None)
    game.broken.append(Broken(time.monotonic(), game.victim, "trail.failing"))
    game.note("mallory", f"S1 nothing is delivered any more, {game.victim}")


def blind(game, choose):
    """Stopped while its status cannot be read: by a denial, or because the quota for reads is burnt."""
    who, trail = choose.choice(["mallory", "trent"]), choose.choice(game.guarded)
    if choose.random() < 0.5:
        policy(game, game.principals, "cloudtrail:GetTrailStatus")
        game.handicap("a denial", lambda: policy(game, game.principals), choose.randint(1, 4))
    else:
        number = game.sim.add_fault("throttle", operation="GetTrailStatus", account=game.accounts, user_agent="TrailGuard*")
        game.handicap(f"fault {number}", lambda: game.sim.remove_fault(number), choose.randint(1, 4))
    game.note(who, "GetTrailStatus is refused")
    game.people[who].stop(trail)
    game.note(who, f"StopLogging {trail}")


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
    change = choose.choice([{"state": "Disabled"}, {"state": "PendingDeletion"}, {"state": None}, {"state": "PendingImport"},
                            {"state": "Unavailable"}])
    game.sim.call("kms_key", arn=moved(attacks.KEY, game.account), **change)
    game.note("mallory", f"key {change}")


def bucket_call(game, choose):
    """The calls that `bucket` has only the outcome of; here the history has them."""
    who = choose.choice(["mallory", "trent"])
    s3 = game.people[who].client(f"arn:aws:s3:{FRA}:{game.account}:", "s3")
    rule = {"ID": "nuke", "Status": "Enabled", "Filter": {"Prefix": choose.choice(["", "audit/"])}, "Expiration": {"Days": 1}}
    game.policy_changed = True
    statements = [statement for statement in game.good_policy["Statement"] if statement["Action"] != "s3:PutObject"]
    call, arguments = choose.choice([
        (s3.delete_bucket_policy, {}), (s3.put_bucket_policy, {"Policy": json.dumps({**game.good_policy, "Statement": statements})}),
        (s3.put_bucket_lifecycle_configuration, {"LifecycleConfiguration": {"Rules": [rule]}})])
    call(Bucket=game.bucket, **arguments)
    game.note(who, f"{call.__name__} {game.bucket}")


def key_call(game, choose):
    arn = moved(attacks.KEY, game.account)
    kms = game.people["mallory"].client(arn, "kms")
    call, arguments = choose.choice([(kms.disable_key, {}), (kms.schedule_key_deletion, {"PendingWindowInDays": 7}),
                                     (kms.delete_imported_key_material, {})])
    call(KeyId=choose.choice([arn, arn.rpartition("/")[2]]), **arguments)
    game.note("mallory", f"{call.__name__} {arn}")


def close_topic(game, choose):
    """The topic of the alerts takes none from the guard."""
    sns = game.people["mallory"].client(game.topic, "sns")
    def decide(effect):
        sns.set_topic_attributes(TopicArn=game.topic, AttributeName="Policy", AttributeValue=attacks.policy_of(
            {"Effect": effect, "Principal": "*", "Action": "SNS:Publish", "Resource": game.topic}))
    decide("Deny")
    game.handicap("a topic that is closed", lambda: decide("Allow"), choose.randint(1, 4))
    game.note("mallory", f"SetTopicAttributes: nobody may publish to {game.topic}")


def policy(game, principals, *denied):
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = [{"Effect": "Deny", "Action": action, "Resource": "*"} for action in denied]
    for principal in principals:
        game.sim.call("policy", principal=principal, policy=[allow, *deny])


def deny(game, choose):
    """One of the guard's rights, or all."""
    actions = [f"cloudtrail:{name}" for name in READS + WRITES] + ["sns:Publish", "cloudtrail:*", "*", "s3:*"]
    action, principal = choose.choice(actions), choose.choice(game.principals)
    policy(game, [principal], action)
    game.handicap("a denial", lambda: policy(game, game.principals), choose.randint(1, 6))
    game.note("mallory", f"denies {principal} {action}")


def fault(game, choose):
    wanted = {**choose.choice(FAULTS), "account": choose.choice(game.accounts), "user_agent": "TrailGuard*"}
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
    "restart": (6, restart), "reload": (2, reload), "churn": (2, churn), "fill_quota": (2, fill_quota), "tomorrow": (2, tomorrow),
    "blind": (4, blind), "sample": (3, sample), "stop_deliveries": (3, stop_deliveries),
    "reshape": (8, reshape), "retune": (8, retune), "insights": (3, insights), "retag": (3, retag), "by_name": (6, by_name),
    "bucket_call": (5, bucket_call), "key_call": (4, key_call), "close_topic": (3, close_topic),
}
