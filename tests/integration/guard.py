# SPDX-License-Identifier: Apache-2.0
"""The real binary as a test holds it: a configuration, directories of its own, what it says on stderr, to systemd and
in status.json, and the certainty that nothing of it is left behind.

    guard = Guard(sim, tmp_path, regions=["eu-central-1"]).start()
    guard.wait_guarding()
    ...
    assert guard.stop() == 0
"""

import collections
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from schemas import validated
from simaws.client import poll

TOP = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TRAILGUARD_BIN", TOP / "build/trailguard"))
SCALE = float(os.environ.get("TG_TIME_SCALE", "1"))
PLAIN = SCALE == 1.0        # neither sanitizers nor valgrind: promises about time are judged exactly

Line = collections.namedtuple("Line", "time text")


def within(seconds):
    """A deadline for this build."""
    return seconds * SCALE


def libconfig(value, indent=""):
    """A Python value in libconfig's syntax; a dictionary is a group, a list of them a list."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict):
        return "{ " + " ".join(f"{name} = {libconfig(member)};" for name, member in value.items()) + " }"
    if isinstance(value, tuple) or (value and isinstance(value[0], dict)):
        return "( " + ", ".join(map(libconfig, value)) + " )"
    return "[ " + ", ".join(map(libconfig, value)) + " ]" if value else "[ ]"


def bound_by_modes():
    """What a command begins with that the modes of files are to bind: root too, without its capabilities."""
    return ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []


class NotifySocket:
    """The datagram socket that systemd would be listening on."""

    def __init__(self, directory):
        self.path = str(directory / "notify")
        self.messages = []          # Line, one a VARIABLE=value
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()

    def _collect(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except OSError:
                return
            if data == b"end":
                return
            self.messages += [Line(time.monotonic(), text) for text in data.decode().splitlines()]

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"end", self.path)
        self.thread.join(5)
        self.socket.close()


class Guard:
    """One installation of TrailGuard: `start()` and `stop()` may come several times, the directories stay. Options of the
    configuration are keyword arguments; `poll_interval` is 1, nobody looks for who did it, nor
    whose the buckets are, unless given; None leaves
    an option out. `config_text` replaces the whole file."""

    def __init__(self, sim, directory, user="guard", env=None, **options):
        self.sim, self.directory = sim, Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state, self.runtime = self.directory / "state", self.directory / "run"
        for path in (self.state, self.runtime):
            path.mkdir(mode=0o700, exist_ok=True)
        self.config = self.directory / "trailguard.conf"
        self.options = {"regions": ["eu-central-1"], "alerts": (), "poll_interval": 1, "attribution": False,
                        "owner_check": False, **options}
        self.write_config()
        self.process = None
        self.lines = []             # Line, of stderr, over all runs
        self.notify = NotifySocket(self.directory)
        self.secrets = []           # more that must never be shown
        self.env = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": str(self.directory)}
        if user:
            self.env = {**sim.env_for(user), **self.env}
            keys = sim.keys_of(user)
            self.secrets += [keys["secret"]] + ([keys["token"]] if keys.get("token") else [])
        self.env.update(STATE_DIRECTORY=str(self.state), RUNTIME_DIRECTORY=str(self.runtime),
                        NOTIFY_SOCKET=self.notify.path)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "GCOV_ERROR_FILE", "VALGRIND_LOGS",
                     "TRAILGUARD_REAL_BIN"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.env.update(env or {})
        self.env = {name: value for name, value in self.env.items() if value is not None}

    # -- life ----------------------------------------------------------------------------------------------------------
    def write_config(self, text=None, **changes):
        """Write the file anew with changed options (None takes one out), or with this text."""
        self.options.update(changes)
        lines = [f"{name} = {libconfig(value)};" for name, value in self.options.items() if value is not None]
        self.config.write_text("\n".join(lines) + "\n" if text is None else text)

    def start(self, preexec=None, before=()):
        assert self.process is None
        self.began = time.monotonic()
        self.process = subprocess.Popen([*before, BINARY, "run", "-c", self.config], env=self.env, cwd=self.directory,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        preexec_fn=preexec)
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        return self

    def _read(self, stream):
        with stream:
            for line in stream:
                self.lines.append(Line(time.monotonic(), line.decode("utf-8", "backslashreplace").rstrip("\n")))

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=10):
        """Wait for the process to end; its exit status, a signal's number as negative."""
        status = self.process.wait(within(seconds))
        self.reader.join(5)
        self.process = None
        return status

    def stop(self, seconds=10):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill(self):
        """As a crash or the kernel would end it."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def reload(self):
        """SIGHUP; returns when the reload has ended, whatever came of it."""
        mark = self.mark()
        self.signal(signal.SIGHUP)
        poll(lambda: "RELOADING=1" in self.told(mark) and "READY=1" in self.told(mark), within(10))

    def close(self):
        """End what still runs. A sanitizer or valgrind that found something shows in the exit status."""
        status = 0
        try:
            if self.process is not None:
                status = self.process.poll()
                if status is None:
                    try:
                        status = self.stop(15)
                    except subprocess.TimeoutExpired:
                        self.kill()
                        raise
        finally:
            self.notify.close()
        assert status == 0, f"the daemon ended with {status}:\n{self.stderr()[-5000:]}"

    # -- what it says --------------------------------------------------------------------------------------------------
    def stderr(self):
        return "\n".join(line.text for line in self.lines)

    def mark(self):
        """Now, for the `since` of the waits below."""
        return time.monotonic()

    def found(self, pattern, since=0):
        """Lines of stderr in which a regular expression is found."""
        return [line.text for line in list(self.lines) if line.time >= since and re.search(pattern, line.text)]

    def wait_line(self, pattern, seconds=10, since=0, count=1):
        """The newest of `count` lines with the pattern."""
        try:
            return poll(lambda: (lambda seen: len(seen) >= count and seen)(self.found(pattern, since)), within(seconds))[-1]
        except AssertionError:
            raise AssertionError(f"no line with {pattern!r} in:\n{self.stderr()[-8000:]}") from None

    def told(self, since=0):
        """What systemd was told."""
        return [line.text for line in list(self.notify.messages) if line.time >= since]

    def wait_told(self, pattern, seconds=10, since=0):
        """The newest notification that matches."""
        def find():
            return [text for text in self.told(since) if re.search(pattern, text)]
        try:
            return poll(find, within(seconds))[-1]
        except AssertionError:
            raise AssertionError(f"no {pattern!r} in {self.told(since)}; stderr:\n{self.stderr()[-8000:]}") from None

    def status_text(self):
        """The newest STATUS=."""
        texts = [text for text in self.told() if text.startswith("STATUS=")]
        return texts[-1].removeprefix("STATUS=") if texts else ""

    # A program that has to begin first gets longer: that alone can take what everything else does.
    def wait_ready(self, seconds=30):
        self.wait_told("^READY=1$", seconds, self.began)
        return self

    def wait_guarding(self, seconds=30):
        """READY, and the first pass of this run has ended."""
        self.wait_ready(seconds)
        pid = self.process.pid
        self.wait_status(lambda status: status["pid"] == pid and status["pass"]["count"] > 0, seconds)
        return self

    def wait_baselines(self, count, weak, seconds=10):
        """So many trails' baselines are on the disk, and those that are weak have been told: five one by one, the rest
        together."""
        poll(lambda: len(list((self.state / "baselines").glob("*.json"))) >= count, within(seconds))
        if weak:
            self.wait_line("sent by .* was weak when recorded", seconds, self.began, min(weak, 5))
        if weak > 5:
            self.wait_line("sent by .* more trails were weak", seconds + 15, self.began)
        return self

    # -- what it shows -------------------------------------------------------------------------------------------------
    def status(self):
        """status.json, {} when there is none."""
        try:
            return json.loads((self.runtime / "status.json").read_text())
        except FileNotFoundError:
            return {}

    def assert_status_documented(self):
        """The status.json that it has left."""
        if self.status():
            validated(self.status(), "status")

    def wait_status(self, holds, seconds=10):
        """The first status.json for which `holds` is true."""
        def look():
            status = self.status()
            return status if status and holds(status) else None
        try:
            return poll(look, within(seconds))
        except AssertionError:
            raise AssertionError(f"status.json stayed at {json.dumps(self.status(), indent=1)}\n"
                                 f"stderr:\n{self.stderr()[-8000:]}") from None

    def verdicts(self):
        return {trail["name"]: trail["verdict"] for trail in self.status().get("trails", [])}

    def wait_verdict(self, name, verdict, seconds=10):
        self.wait_status(lambda status: any(trail["name"] == name and trail["verdict"] == verdict
                                            for trail in status["trails"]), seconds)

    def wait_delivered(self, seconds=10):
        """The outbox is empty, on the disk too: status.json may be of the time before an alert."""
        poll(lambda: not self.outbox_files(), within(seconds))
        self.wait_status(lambda status: status["outbox"]["depth"] == 0, seconds)

    def remembers(self, text):
        """Is it in the state file?"""
        file = self.state / "state.json"
        return file.exists() and text in file.read_text()

    def outbox_files(self):
        """Names of the alerts that wait on disk."""
        outbox = self.state / "outbox"
        return sorted(path.name for path in outbox.iterdir() if path.is_file()) if outbox.is_dir() else []

    # -- other verbs ---------------------------------------------------------------------------------------------------
    def powerless(self, *arguments, **options):
        """A verb as a user whom the modes of files bind."""
        return self.verb(*arguments, before=bound_by_modes(), **options)

    def verb(self, *arguments, seconds=30, env=None, config=True, before=()):
        """Run another verb beside (or without) the daemon; a CompletedProcess with text output."""
        command = [*before, BINARY, arguments[0], *(["-c", self.config] if config else []), *arguments[1:]]
        environment = {name: value for name, value in {**self.env, **(env or {})}.items()
                       if value is not None and name != "NOTIFY_SOCKET"}
        done = subprocess.run(command, env=environment, cwd=self.directory, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=within(seconds))
        self.check_secrets(done.stdout + done.stderr, f"the output of {arguments[0]}")
        return done

    # -- secrets -------------------------------------------------------------------------------------------------------
    def check_secrets(self, text, where):
        for secret in [*self.secrets, "Signature=", "AWS4-HMAC-SHA256"]:
            assert secret not in text, f"a secret in {where}"

    def assert_no_secrets(self):
        """Nothing that it wrote, to stderr, to systemd or to its directories, holds a secret."""
        self.check_secrets(self.stderr(), "stderr")
        self.check_secrets("\n".join(self.told()), "the notifications")
        for directory in (self.state, self.runtime):
            for path in directory.rglob("*"):
                if path.is_file():
                    self.check_secrets(path.read_bytes().decode("utf-8", "replace"), path)
