# SPDX-License-Identifier: Apache-2.0
"""Games of a random attacker against the daemon: see adversary.py, moves.py and judge.py. A game that fails prints its seed;
TRAILGUARD_SEED=SEED plays it again, TRAILGUARD_MOVES=N only its first moves. TRAILGUARD_MOVE=NAME makes every other move the
one of that name, which is another game of the same seed. TRAILGUARD_AT_ONCE says how many are played in
one simulated AWS at the same time: a game waits nearly all of its time."""

import os
import threading
import time
import traceback
from pathlib import Path

import pytest

from adversary import WORLD, Game
from guard import PLAIN
from judge import Judge, verdict
from moves import Handicap
from organization import OrganizationGame, OrganizationJudge

SEED = int(os.environ.get("TRAILGUARD_SEED", 1000))
GAMES = int(os.environ.get("TRAILGUARD_GAMES", 1 if "TRAILGUARD_SEED" in os.environ else 8))
MOVES = int(os.environ["TRAILGUARD_MOVES"]) if "TRAILGUARD_MOVES" in os.environ else None
REPORTS = Path(__file__).resolve().parents[2] / "build/games"
AT_ONCE = int(os.environ.get("TRAILGUARD_AT_ONCE", 6))      # each in an account of its own
SLOW = 0.7          # s; the guard gives a call up after 2


class Pulse(threading.Thread):
    """Notes when the simulated AWS was slow to answer: the machine had no time for it, and what the guard then did proves
    nothing."""

    def __init__(self, sim):
        super().__init__(daemon=True)
        self.sim, self.slow, self.over = sim, [], threading.Event()

    def run(self):
        while not self.over.wait(0.2):
            begin = time.monotonic()
            self.sim.call("last_request")
            if time.monotonic() - begin > SLOW:
                self.slow.append(Handicap(begin, time.monotonic(), "the machine is busy"))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Table:
    """The games of one simulated AWS, and what came of them."""

    def __init__(self, sim, place):
        self.sim, self.place, self.reports, self.void = sim, place, [], []

    def play(self, seeds, again=False):
        with Pulse(self.sim) as pulse:
            players = [threading.Thread(target=self._play, args=(seed, pulse, again)) for seed in seeds]
            for player in players:
                player.start()
            for player in players:
                player.join()

    def _play(self, seed, pulse, again):
        """One game. A report if something is wrong, unless the machine was too busy to say so."""
        begin = time.monotonic()
        kind, judge = (OrganizationGame, OrganizationJudge) if seed // 2 % 3 == 2 else (Game, Judge)
        game = kind(self.sim, seed, self.place / f"{seed}{'-again' if again else ''}", MOVES, again=again)
        game.busy = pulse.slow
        faults = played(game, judge)
        if faults and not again and any(slow.end > begin for slow in pulse.slow):
            self.void.append(seed)
        elif faults:
            self.reports.append(report(game, faults))
            REPORTS.mkdir(parents=True, exist_ok=True)
            (REPORTS / f"{seed}.txt").write_text(self.reports[-1])


def played(game, judge):
    """What is wrong."""
    faults = []
    try:
        game.play()
        faults = verdict(game, judge)
    except Exception:
        faults = [traceback.format_exc()]
    try:
        game.close()
        game.guard.assert_no_secrets()
    except Exception:
        faults.append(traceback.format_exc())
    return faults


def report(game, faults):
    told = "\n".join(f"{entry['Subject']}" for entry in game.messages())
    return "\n".join([f"== seed {game.seed}", *faults, "-- transcript", game.transcript(), "-- alerts", told, "-- stderr",
                      game.guard.stderr()[-12000:]])


def batches():
    """Even seeds are played without AWS's quotas, odd ones with: that is a setting of the whole simulated AWS."""
    seeds = range(SEED, SEED + GAMES)
    for quotas in (False, True):
        chosen = [seed for seed in seeds if seed % 2 == quotas]
        for begin in range(0, len(chosen), AT_ONCE):
            yield pytest.param(quotas, chosen[begin:begin + AT_ONCE], id=f"{chosen[begin]}-{'quotas' if quotas else 'free'}")


@pytest.mark.skipif(not PLAIN, reason="the plain build plays")
@pytest.mark.parametrize("quotas, seeds", batches())
def test_no_attacker_wins(sim, place, quotas, seeds, record_property):
    sim.call("settings", quotas=quotas, **WORLD)
    table = Table(sim, place)
    begin = time.monotonic()
    table.play(seeds)
    for seed in table.void:
        table.play([seed], again=True)
    record_property("figures", f"games: {len(seeds)} from seed {seeds[0]} in {time.monotonic() - begin:.0f} s, "
                               f"{len(table.void)} played again, {len(table.reports)} lost")
    if table.reports:
        pytest.fail("\n\n".join(table.reports), pytrace=False)
