# SPDX-License-Identifier: Apache-2.0
"""The files of the state directory when someone else has a hand in them: links, leftovers, a directory that goes."""

import pytest

from attacks import BUCKET, SCENARIO, VICTIM
from guard import within
from helpers import FRA
from simaws.client import poll

NAME = "111122223333_eu-central-1_victim.json"


@pytest.fixture
def victim(sim, make_guard):
    """A guard of the trail that has everything; not started."""
    sim.load(SCENARIO)
    return make_guard(sim, regions=[FRA], trails=["victim"], settings_interval=1)


def baselines(guard):
    return sorted((guard.state / "baselines").glob("*.json"))


def start(guard):
    guard.start().wait_guarding()
    poll(lambda: baselines(guard), within(10))
    return guard


@pytest.mark.parametrize("content", ["hunter2 and more\n", '{"schema": "hunter2"}', '{"hunter2": hunter2}'])
@pytest.mark.parametrize("what", ["directory", "file"])
@pytest.mark.parametrize("verb", [("check",), ("accept", "--yes", "victim")], ids=lambda verb: verb[0])
def test_a_verb_of_root_follows_no_link_and_shows_no_word_of_another_file(victim, tmp_path, verb, what, content):
    start(victim).stop()
    path, private = baselines(victim)[0], tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / path.name).write_text(content)
    path.unlink()
    if what == "directory":
        path.parent.rmdir()
        path.parent.symlink_to(private)
    else:
        path.symlink_to(private / path.name)
    done = victim.verb(*verb)
    assert "hunter2" not in done.stdout + done.stderr and "a symbolic link, which is not followed" in done.stderr, done
    assert done.returncode != 0 or verb == ("check",)
    assert [file.name for file in private.iterdir()] == [path.name] and (private / path.name).read_text() == content


@pytest.mark.parametrize("content", ["hunter2 and more\n", '{"schema": "hunter2"}', '{"hunter2": hunter2}'])
def test_an_error_about_a_hard_link_shows_no_word_of_the_file(victim, tmp_path, content):
    start(victim).stop()
    path, private = baselines(victim)[0], tmp_path / "private"
    private.write_text(content)
    path.unlink()
    path.hardlink_to(private)
    for verb in (("check",), ("accept", "--yes", "victim")):
        done = victim.verb(*verb)
        assert "hunter2" not in done.stdout + done.stderr, done
    assert private.read_text() == content


def test_what_a_crash_has_left_is_swept_at_the_next_start(victim):
    names = [".state.json.tmp-aB3xYz", "baselines/.x.json.tmp-aB3xYz", "baselines/.probe-aB3xYz", ".probe-aB3xYz",
             "intents/.x.json.tmp-aB3xYz", "found/.probe-aB3xYz", "found/1_r_t/.y.json.tmp-aB3xYz",
             "outbox/.z.json.tmp-aB3xYz", "outbox/refused/.z.json.tmp-aB3xYz", "outbox/damaged/.probe-aB3xYz"]
    kept = [".state.json.tmp-1", "baselines/mine.tmp-aB3xYz", "outbox/.mine", "outbox/.probe-of-mine"]
    start(victim).stop()
    for name in names + kept:
        (victim.state / name).parent.mkdir(parents=True, exist_ok=True)
        (victim.state / name).write_text("x")
    leftover = victim.runtime / ".status.json.tmp-aB3xYz"
    leftover.write_text("x")
    victim.start().wait_guarding()
    assert [name for name in names if (victim.state / name).exists()] == [] and not leftover.exists()
    assert [name for name in kept if not (victim.state / name).exists()] == []
