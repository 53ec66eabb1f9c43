# SPDX-License-Identifier: Apache-2.0
"""Moves of a game (moves.py) by those who run the guard, and trouble of its host: a change is accepted during an attack, the
configuration changes while an incident is open, a second guard comes and is killed and replaced, sessions end before their
time, the clock is set, the disk is full for a moment, the topic of the alerts is deleted and made again, a region comes and
goes."""

import functools
import json
import shutil
import time

from guard import Guard, within
from helpers import sns
from moves import stop
from simaws.regions import DEFAULT_REGIONS

HKG = "ap-east-1"       # an account may disable it
LITTLE, MUCH = (-250, -60, -2, 2, 60, 250), (-86400, -3600, 3600, 21600)      # seconds; AWS refuses what is off by 300


def accept(game, choose):
    """What a trail is like now is as it should be. A guard that restores may be doing that: there only what does not differ."""
    trail = choose.choice(game.guarded)
    now = game.picture(trail)
    if now is None or game.plan.mode == "restore" and {**now, "logging": True} != game.baseline[trail]:
        return
    done = game.guard.verb("accept", "--yes", trail)
    game.note("admin", f"accept {trail}", f"exit status {done.returncode}")
    if done.returncode == 0:
        game.accepted(trail, now)


def reconfigure(game, choose):
    """A reload with options that what the judge asks for does not depend on; sometimes of a file that is broken at first."""
    change = choose.choice([{"log_level": choose.choice(["debug", "info"])}, {"settings_interval": choose.choice([1, 2])},
                            {"reminder_interval": choose.choice([0, 3600])}, {"ignore": ["no-such-trail"]}, {"regions": game.regions[::-1]},
                            {"trails": [game.victim, game.single.rpartition("/")[2]]}, {"trails": None},
                            {"aws": {**game.plan.options["aws"], "max_attempts": choose.choice([1, 3])}}])
    if choose.random() < 0.3:
        game.guard.write_config("regions = [ ;\n")
        game.guard.reload()
        game.note("admin", "a reload of a broken file")
    game.guard.write_config(**change)
    game.guard.reload()
    game.note("admin", f"a reload with {json.dumps(change)}")


def second_guard(game, choose):
    """Another guard of the same trails, with keys, a state and a topic of its own; later killed and started again, with its state
    or without. What it records first is what it keeps."""
    whole = all(map(game.as_before, game.guarded))
    if game.second is None and not whole:
        return
    if game.second is None:
        game.second = Guard(game.sim, game.guard.directory / "second", f"second-{game.hub()}", **{
            **game.guard.options, "alerts": sns(game.second_topic)})
        game.second.start().wait_guarding().wait_baselines(2, 0)
        game.note("host", "a second guard")
        return
    game.second.kill()
    forgets = whole and choose.random() < 0.5
    if forgets:
        shutil.rmtree(game.second.state)
        game.second.state.mkdir(mode=0o700)
    game.second.start().wait_ready().wait_baselines(2, 0)
    game.note("host", f"the second guard is killed and replaced {'without' if forgets else 'with'} its state")


def expire_sessions(game, choose):
    """They end before the time that they were given."""
    keys = {entry["principal"]: entry["access_key"] for entry in game.sim.requests(account=game.accounts)
            if game.is_first(entry["principal"]) and ":assumed-role/" in entry["principal"]}
    for key in keys.values():
        game.sim.call("key", access_key=key, expires=time.time() - choose.choice([1, 3600]))
    game.note("mallory", f"{len(keys)} sessions end")


def set_clock(game, choose):
    """By so little that AWS still takes what is signed; or by hours, until somebody notices."""
    far = choose.random() < 0.3
    seconds = choose.choice(MUCH if far else LITTLE)
    game.shift_clock(seconds)
    game.note("host", f"the clock is set by {seconds} s")
    if far:
        game.handicap("a clock that is off", functools.partial(game.shift_clock, 0), choose.randint(1, 4))


def fill_disk(game, choose):
    """For a moment in which a trail is stopped; no message may be lost, as the guard goes on."""
    game.full.touch()
    game.note("host", "the disk is full")
    try:
        stop(game, choose)
        time.sleep(choose.choice([0, 0.5, 2]))
    finally:
        game.full.unlink()
    game.note("host", "the disk has room")
    mark = game.sim.mark()
    game.sim.wait_for_request(within(20), count=4, since=mark, operation="GetTrailStatus", account=game.accounts)


def remake_topic(game, choose):
    """The topic of the alerts is deleted, and made again under its name."""
    closed = {"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": game.topic}
    game.sim.call("topic", arn=game.topic, policy=[closed])         # so that no message comes between the next two
    game.earlier += game.sim.messages(game.topic)
    game.people["mallory"].client(game.topic, "sns").delete_topic(TopicArn=game.topic)
    game.note("mallory", f"DeleteTopic {game.topic}")
    game.handicap("a topic that is gone", functools.partial(game.sim.add_topic, game.topic), choose.randint(1, 4))


def toggle_region(game, choose):
    """One that nobody needs is disabled for a while."""
    if HKG not in game.regions or any("disabled" in what for what in game.open):
        return
    account = choose.choice(game.accounts)
    game.sim.call("account", id=account, regions=DEFAULT_REGIONS)
    game.note("admin", f"DisableRegion {HKG} of {account}")
    game.handicap(f"{HKG} of {account} disabled", functools.partial(enable_region, game, account), choose.randint(1, 8), hinders=False)


def enable_region(game, account):
    """A region that is not enabled is asked again daily, or after a reload."""
    game.sim.call("account", id=account, regions=[*DEFAULT_REGIONS, HKG])
    game.guard.reload()


HOST_MOVES = {
    "accept": (4, accept), "reconfigure": (4, reconfigure), "second_guard": (3, second_guard), "set_clock": (3, set_clock),
    "fill_disk": (3, fill_disk), "remake_topic": (2, remake_topic),
}
FAR_MOVES = {"toggle_region": (6, toggle_region)}
