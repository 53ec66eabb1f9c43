# SPDX-License-Identifier: Apache-2.0
"""The files of the state directory when someone else has a hand in them: links, leftovers, a directory that goes."""

import ctypes
import json
import os
import re
import resource
import shutil
import subprocess

import pytest

from attacks import BUCKET, VICTIM
from faulted import PRELOAD, preloaded
from guard import BINARY, bound_by_modes, within
from helpers import TOPIC, baselines, sns, start, wait_alert
from simaws.client import poll
from simaws.http import Listener, Response
from test_baseline import RESTORE


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


# What the daemon writes whole or not at all, by the path that the new content gets last.
WRITTEN = ["state/state.json", "run/status.json", "shared/guard.prom", "state/baselines/*.json", "state/outbox/*.json",
           "state/intents/*.json", "state/found/*/*.json", "state/alertmanager-*.json"]


def temporaries(*directories):
    return sorted(path.name for directory in directories for path in directory.rglob(".*") if ".tmp-" in path.name)


@preloaded
@pytest.mark.parametrize("path", WRITTEN)
def test_a_file_that_was_not_finished_is_swept_and_nothing_of_others(sim, victim, mallory, path):
    """The daemon dies when it is about to rename it."""
    alertmanager = Listener("alertmanager", "127.0.0.1", 0, lambda request: Response(200, [], b"{}"))
    alertmanager.start()
    shared = victim.directory / "shared"        # as node_exporter's directory is
    shared.mkdir()
    others = [".other.prom.tmp-aB3xYz", ".guard.prom.tmp-1", ".my.guard.prom.tmp-aB3xYz", ".probe-aB3xYz", "node.prom"]
    for name in others:
        (shared / name).write_text("of another program")
    (shared / ".guard.prom.tmp-aB3xYl").symlink_to("node.prom")
    foreign = sorted([".guard.prom.tmp-aB3xYl", *others])
    victim.write_config(metrics_file=str(shared / "guard.prom"), **RESTORE,
                        alerts=[*sns(TOPIC), {"type": "alertmanager", "name": "am", "urls": [alertmanager.url]}])
    victim.env.update(LD_PRELOAD=str(PRELOAD), FAULTS_RENAME=f"{victim.directory}/{path}")
    victim.start()

    def disturb():
        if victim.process.poll() is None and baselines(victim):
            sim.trail(VICTIM, logging=False, settings={"S3KeyPrefix": "elsewhere"})
        return victim.process.poll() is not None
    try:
        poll(disturb, within(30), 1)
        assert victim.wait() == -9
        assert len(temporaries(victim.state, victim.runtime, shared)) == 1 + sum(".tmp-" in name for name in foreign)
        victim.env.pop("FAULTS_RENAME")
        victim.start().wait_guarding().stop()
        assert temporaries(victim.state, victim.runtime) == []
        assert sorted(entry.name for entry in shared.iterdir() if entry.name != "guard.prom") == foreign
    finally:
        alertmanager.stop()


# -- a directory that goes while it is in use -----------------------------------------------------------------------

def second(guard, **env):
    return subprocess.run([BINARY, "run", "-c", guard.config], env={**guard.env, "NOTIFY_SOCKET": "", **env},
                          capture_output=True, text=True, timeout=within(20))


def remove(guard):
    guard.state.rename(guard.directory / "going")    # at once, whatever is being written
    shutil.rmtree(guard.directory / "going")


def replace(guard):
    guard.state.rename(guard.directory / "elsewhere")
    guard.state.mkdir(mode=0o700)


def empty(guard):
    for path in guard.state.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("how", [remove, replace, empty])
def test_a_daemon_whose_state_directory_goes_still_runs_keeps_others_out_and_writes_it_again(sim, victim, how):
    start(victim)
    pid = victim.process.pid
    how(victim)
    assert victim.verb("status", config=False).returncode != 3
    other = second(victim)
    assert other.returncode == 1 and f"pid {pid}" in other.stderr, other.stderr
    victim.wait_line("state: removed or replaced while in use; made again")
    other = second(victim, RUNTIME_DIRECTORY=str(victim.directory / "elsewhere-run"))
    assert other.returncode == 1 and f"pid {pid}" in other.stderr, other.stderr
    poll(lambda: victim.remembers(VICTIM) and baselines(victim), within(5))
    assert victim.state.stat().st_mode & 0o777 == 0o700 and victim.process.poll() is None


def test_what_was_recorded_outlives_a_state_directory_that_was_removed(sim, victim, mallory):
    start(victim)
    recorded = json.loads(baselines(victim)[0].read_text())
    remove(victim)
    victim.wait_line("removed or replaced while in use; made again")
    again = json.loads(poll(lambda: baselines(victim), within(5))[0].read_text())
    assert (again["settings"], again["recorded_at"], again["by"]) == (recorded["settings"], recorded["recorded_at"], "guard")
    victim.stop()
    mallory.client(VICTIM).update_trail(Name=VICTIM, S3BucketName="mallorys-bucket")
    victim.write_config(alerts=sns(TOPIC))
    victim.start().wait_guarding()
    assert wait_alert(sim, "trail.weakened")["changes"][0]["field"] == "S3BucketName"


def test_an_alert_that_waits_outlives_a_state_directory_that_was_removed(sim, victim, mallory):
    victim.write_config(alerts=sns(TOPIC))
    start(victim)
    victim.wait_delivered()
    hang = sim.add_fault("hang", service="sns")
    mallory.stop(VICTIM)
    sim.wait_for_request(within(10), operation="Publish")
    waiting = victim.outbox_files()
    remove(victim)
    victim.wait_line("removed or replaced while in use; made again")
    assert victim.outbox_files() == waiting
    victim.kill()
    sim.remove_fault(hang)
    victim.start()
    wait_alert(sim, "trail.stopped")


def test_a_directory_made_again_where_not_all_can_be_written_is_said_to_lack_it(sim, victim):
    start(victim)
    elsewhere = victim.directory / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (elsewhere / "baselines").write_text("in the way")
    exchange(elsewhere, victim.state)
    victim.wait_line("state: removed or replaced while in use; made again; not all that is known can be written there")
    assert not victim.found("what is known is written there")
    (victim.state / "baselines").unlink()
    poll(lambda: victim.remembers(VICTIM) and baselines(victim), within(15))


def exchange(one, other):
    """In one step, which leaves the daemon no moment to make a directory again."""
    libc, here, both = ctypes.CDLL(None, use_errno=True), -100, 2
    assert libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), both) == 0, os.strerror(ctypes.get_errno())


def put_file_in_place_of(directory):
    file = directory.parent / "in-the-way"
    file.write_text("in the way")
    exchange(file, directory)
    shutil.rmtree(file)


def test_a_state_directory_that_cannot_be_made_again_is_trouble_that_status_shows(sim, victim):
    start(victim)
    put_file_in_place_of(victim.state)
    status = victim.wait_status(lambda status: status["state_directory"])
    assert "state: removed while in use, and cannot be made again: Not a directory" in status["state_directory"]
    assert status["state_directory"] in status["line"]
    assert victim.verb("status", config=False).returncode == 2
    victim.wait_line("a restart now would forget")
    victim.state.unlink()
    victim.wait_status(lambda status: status["state_directory"] is None)
    poll(lambda: victim.remembers(VICTIM) and baselines(victim), within(5))
    assert len(victim.found("a restart now would forget")) == 1


def test_a_baseline_whose_file_goes_is_written_again_and_not_taken_from_what_is_there_now(sim, victim, mallory):
    start(victim)
    path = baselines(victim)[0]
    recorded = json.loads(path.read_text())
    mallory.client(VICTIM).update_trail(Name=VICTIM, S3BucketName="mallorys-bucket")
    path.unlink()
    victim.wait_line("the file of its baseline was gone, and is written again")
    assert json.loads(path.read_text())["settings"] == recorded["settings"]


def test_a_runtime_directory_that_goes_is_made_again(victim):
    start(victim)
    shutil.rmtree(victim.runtime)
    victim.wait_line("run: removed or replaced while in use; made again")
    victim.wait_status(lambda status: status["pid"] == victim.process.pid)
    remove(victim)
    assert second(victim).returncode == 1


# -- a byte that the disk has changed -------------------------------------------------------------------------------

def change(path, old, new):
    """Still JSON, and something else."""
    text = path.read_text()
    assert old in text and len(old) == len(new), text
    path.write_text(text.replace(old, new, 1))


def test_a_changed_byte_in_a_baseline_is_damage(sim, victim):
    victim.write_config(alerts=sns(TOPIC))
    start(victim).stop()
    change(baselines(victim)[0], f'"{BUCKET}"', f'"{BUCKET[:-1]}x"')
    assert "its checksum does not fit" in victim.verb("check").stderr
    victim.start()
    wait_alert(sim, "baseline.damaged")
    assert len(list((victim.state / "baselines").glob("*.damaged-*"))) == 1


def test_a_changed_byte_in_the_state_file_is_damage(victim):
    start(victim)
    poll(lambda: victim.remembers(VICTIM), within(5))
    victim.stop()
    change(victim.state / "state.json", '"verdict": "logging"', '"verdict": "unknown"')
    victim.start().wait_guarding()
    victim.wait_line(r"state\.json: damaged \(its checksum does not fit")


def kill_with_an_alert_waiting(sim, victim, mallory):
    """Its file's name. The topic hangs until the fault is removed."""
    victim.write_config(alerts=sns(TOPIC))
    start(victim)
    victim.wait_delivered()
    sim.add_fault("hang", service="sns")
    mallory.stop(VICTIM)
    sim.wait_for_request(within(10), operation="Publish")
    victim.kill()
    (name,) = victim.outbox_files()
    return name


def test_a_changed_byte_in_an_alert_that_waits_is_damage(sim, victim, mallory):
    name = kill_with_an_alert_waiting(sim, victim, mallory)
    change(victim.state / "outbox" / name, "victim", "victor")
    sim.remove_fault()
    victim.start().wait_guarding()
    victim.wait_line("not an alert that can be sent .its checksum does not fit")
    assert [path.name for path in (victim.state / "outbox/damaged").iterdir()] == [name]


def test_files_of_a_version_without_checksums_are_read_and_get_one(victim):
    start(victim)
    poll(lambda: victim.remembers(VICTIM), within(5))
    victim.stop()
    for path in (baselines(victim)[0], victim.state / "state.json"):
        document = json.loads(path.read_text())
        assert document.pop("checksum").startswith("sha256:")
        path.write_text(json.dumps(document))
    victim.start().wait_guarding()
    victim.stop()
    assert victim.remembers('"checksum"') and not victim.found("damaged")


def test_a_state_file_that_cannot_be_written_is_trouble_that_status_and_metrics_show(sim, victim, mallory):
    """A directory in its place stands for a full disk."""
    victim.write_config(metrics_file="guard.prom")
    start(victim)
    failed, path = "trailguard_state_directory_failed", victim.state / "state.json"
    poll(lambda: path.exists(), within(5))
    path.unlink()
    path.mkdir()
    mallory.stop(VICTIM)        # something new to write down
    status = victim.wait_status(lambda status: status["state_directory"])
    assert status["state_directory"] == f"{path}: cannot be written: Is a directory"
    assert status["state_directory"] in status["line"] and victim.verb("status").returncode == 2
    poll(lambda: re.search(failed + "{.*} 1", (victim.runtime / "guard.prom").read_text()), within(10))
    path.rmdir()
    victim.wait_status(lambda status: status["state_directory"] is None, 15)
    assert victim.verb("status").returncode == 0
    poll(lambda: re.search(failed + "{.*} 0", (victim.runtime / "guard.prom").read_text()), within(10))


# -- an alert that cannot be read at the start ----------------------------------------------------------------------

def test_an_alert_that_cannot_be_read_at_the_start_counts_and_is_delivered_once_it_can(sim, victim, mallory):
    """ELOOP stands for EIO and EACCES, which root cannot have on demand."""
    name = kill_with_an_alert_waiting(sim, victim, mallory)
    path = victim.state / "outbox" / name
    good = path.read_bytes()
    path.unlink()
    path.symlink_to(path)
    sim.remove_fault()
    victim.start().wait_guarding()
    victim.wait_line(f"outbox/{name}: cannot be read: .*; it stays")
    victim.wait_status(lambda status: status["outbox"]["depth"] == 1)
    assert path.is_symlink()
    path.unlink()
    path.write_bytes(good)
    wait_alert(sim, "trail.stopped", seconds=20)
    victim.wait_line(f"outbox/{name}: can be read again")
    victim.wait_delivered()
    assert victim.outbox_files() == []


# -- what a process is born with ------------------------------------------------------------------------------------

def closed(*streams):
    return lambda: [os.close(stream) for stream in streams]


def test_a_daemon_without_standard_streams_logs_into_no_file_of_its_own(sim, victim, mallory):
    """What it opens first would have their numbers, such as a lock."""
    victim.write_config(alerts=sns(TOPIC))
    victim.start(preexec=closed(0, 1, 2)).wait_guarding()
    mallory.stop(VICTIM)
    wait_alert(sim, "trail.stopped")
    for directory in (victim.state, victim.runtime):
        assert (directory / "lock").read_text() == f"{victim.process.pid}\n"
    assert not [path for path in (*victim.state.rglob("*"), *victim.runtime.rglob("*"))
                if path.is_file() and b"trailguard: " in path.read_bytes()]
    assert victim.stop() == 0


def test_a_verb_without_standard_output_says_that_it_could_not_write(sim, victim):
    for stream, status in ((1, 3), (0, 0)):
        done = subprocess.run([BINARY, "check", "-c", victim.config], env=victim.env, stderr=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL, preexec_fn=closed(stream), timeout=within(20))
        assert done.returncode == status, done.stderr
        assert ("could not be written: Bad file descriptor" in done.stderr) == (stream == 1), done.stderr


def test_over_a_limit_of_the_size_of_files_it_says_what_it_cannot_write(victim):
    """Instead of being ended by a signal, without a word."""
    victim.start(preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert victim.wait() == 1
    assert f"{victim.runtime}/lock: cannot be locked: File too large" in victim.stderr()


@pytest.mark.parametrize("mask", [0o000, 0o777])
def test_the_umask_of_the_caller_changes_no_mode(victim, mask):
    """A directory that was made under 0777 would be closed to the daemon itself."""
    shutil.rmtree(victim.state)
    shutil.rmtree(victim.runtime)
    for _ in range(2):
        victim.start(preexec=lambda: os.umask(mask), before=bound_by_modes()).wait_guarding()
        poll(lambda: victim.remembers(VICTIM) and baselines(victim), within(5))
        modes = {path: path.stat().st_mode & 0o777 for path in
                 (victim.state, victim.runtime, victim.state / "state.json", victim.state / "lock",
                  victim.state / "baselines", baselines(victim)[0], victim.runtime / "status.json")}
        assert list(modes.values()) == [0o700, 0o755, 0o600, 0o600, 0o700, 0o600, 0o644], modes
        assert victim.verb("status").returncode == 0
        assert victim.stop() == 0
