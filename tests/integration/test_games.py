# SPDX-License-Identifier: Apache-2.0
"""Games of a random attacker against the daemon: see adversary.py and judge.py. A game that fails prints its seed;
TRAILGUARD_SEED=SEED plays it again, TRAILGUARD_MOVES=N only its first moves."""

import os
import threading
import traceback
from pathlib import Path

import pytest

from adversary import Game
from guard import PLAIN
from judge import verdict

SEED = int(os.environ.get("TRAILGUARD_SEED", 1000))
GAMES = int(os.environ.get("TRAILGUARD_GAMES", 1 if "TRAILGUARD_SEED" in os.environ else 8))
MOVES = int(os.environ["TRAILGUARD_MOVES"]) if "TRAILGUARD_MOVES" in os.environ else None
REPORTS = Path(__file__).resolve().parents[2] / "build/games"
AT_ONCE = 6         # in one simulated AWS, each in an account of its own


def played(sim, seed, place, reports):
    """Play one game; a report if something is wrong."""
    game = Game(sim, seed, place / str(seed), MOVES)
    faults = []
    try:
        game.play()
        faults = verdict(game)
    except Exception:
        faults = [traceback.format_exc()]
    try:
        game.close()
        game.guard.assert_no_secrets()
    except Exception:
        faults.append(traceback.format_exc())
    if faults:
        reports.append(report(game, faults))
        REPORTS.mkdir(parents=True, exist_ok=True)
        (REPORTS / f"{seed}.txt").write_text(reports[-1])


def report(game, faults):
    told = "\n".join(f"{entry['Subject']}" for entry in game.sim.messages(game.topic))
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
def test_no_attacker_wins(sim, place, quotas, seeds):
    sim.call("settings", quotas=quotas, delivery_interval=1, digest_interval=1, history_delay=1)
    reports = []
    players = [threading.Thread(target=played, args=(sim, seed, place, reports)) for seed in seeds]
    for player in players:
        player.start()
    for player in players:
        player.join()
    if reports:
        pytest.fail("\n\n".join(reports), pytrace=False)
