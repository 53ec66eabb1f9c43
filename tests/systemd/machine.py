"""A small Debian with a real systemd in a container, for tests of the unit file.

The root file system is made once with debootstrap, kept in a cache, and copied for each run. It is of the host's own
release (the binary is linked with the host's libraries), or of the suite that TRAILGUARD_SUITE names, which gets a compiler
too: tests/systemd/distros builds the binary in it. The container shares the host's loopback interface, so that the simulated
AWS at 127.0.0.1 can be reached from inside.
"""
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

TIME_SCALE = float(os.environ.get("TG_TIME_SCALE", "1"))
# Units that only slow the boot down, or would reach for the network.
MASKED = ["apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "dpkg-db-backup.timer",
          "systemd-tmpfiles-clean.timer", "console-getty.service", "systemd-logind.service",
          "systemd-update-utmp.service", "systemd-update-utmp-runlevel.service"]
BASE = ["systemd", "dbus", "ca-certificates"]
WEEK = 7 * 24 * 3600
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
               "SYSTEMD_PAGER": "cat", "SYSTEMD_COLORS": "0", "HOME": "/root", "TERM": "dumb"}


class TimedOut(AssertionError):
    """A condition did not become true in time."""


def wait_until(condition, deadline, what):
    """Polls `condition` until it returns something true, and returns that; `deadline` in seconds."""
    end = time.monotonic() + deadline * TIME_SCALE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimedOut(f"not within {deadline * TIME_SCALE:.0f} s: {what}; last seen: {value!r}")
        time.sleep(0.05)


def archive(suite=None):
    """The name and the mirror of a suite, the host's own by default, from what the host's apt uses."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.M))
    # Debian sid calls itself by the name of the next release ("forky/sid"), its archive only sid
    own = [release["VERSION_CODENAME"], *Path("/etc/debian_version").read_text().strip().split("/")]
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(CODENAME) $(COMPONENT)",
                              "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in targets.splitlines()]
    for name in own:
        for uri, release_name, codename, component in rows:
            if name in (release_name, codename) and component == "main":
                return suite or name, uri
    raise RuntimeError(f"apt has no archive for {' or '.join(own)}")


def build_packages():
    """What building and the unit tests need, besides a system that boots."""
    deps = Path(__file__).resolve().parents[2] / "tools/deps"
    return BASE + subprocess.run([deps, "--list", "build", "units"], capture_output=True, text=True,
                                 check=True).stdout.split()


def packages_of(binary):
    """The Debian packages that hold the shared libraries of a binary."""
    libraries = re.findall(r"=> (/\S+)", subprocess.run(["ldd", binary], capture_output=True, text=True,
                                                        check=True).stdout)
    names = set()
    for path in libraries:
        real = os.path.realpath(path)
        # merged /usr: a package may have listed the file under /lib or under /usr/lib
        for candidate in (real, real.removeprefix("/usr"), "/usr" + real):
            found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True)
            if found.returncode == 0:
                names.add(found.stdout.split(":")[0])
                break
        else:
            raise RuntimeError(f"no package holds {path}")
    return sorted(names)


def base_system(packages, suite=None):
    """The cached root file system with these packages, made now if need be. One of sid is made again after a week."""
    name, mirror = archive(suite)
    key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("TRAILGUARD_TEST_CACHE", "/var/cache/trailguard-test"))
    base = cache / f"{name}-{key}"
    if base.is_dir() and (name != "sid" or time.time() - base.stat().st_mtime < WEEK):
        return base

    fresh = cache / f".{base.name}.{os.getpid()}"
    cache.mkdir(parents=True, exist_ok=True)
    try:
        made = subprocess.run(["debootstrap", "--variant=minbase", "--include=" + ",".join(packages), name,
                               str(fresh), mirror], capture_output=True, text=True)
        if made.returncode != 0:
            raise RuntimeError("debootstrap failed:\n" + made.stdout[-3000:] + made.stderr[-1000:])
        for waste in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale", "usr/share/man"):
            shutil.rmtree(fresh / waste, ignore_errors=True)
        os.utime(fresh)
        shutil.rmtree(base, ignore_errors=True)
        os.rename(fresh, base)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return base


class Machine:
    """A booted container. Made by the session fixture `machine`; `stop()` always ends it."""

    def __init__(self, directory, packages, suite=None):
        self.root = Path(directory) / "root"
        self.log = Path(directory) / "console.log"
        self.nspawn = None
        self.init = None
        subprocess.run(["cp", "-a", "--reflink=auto", str(base_system(packages, suite)), str(self.root)], check=True)
        for unit in MASKED:
            (self.root / "etc/systemd/system" / unit).symlink_to("/dev/null")

    def _environment(self):
        """systemd 258 and newer (NEWS) refuse the cgroup v1 that they would inherit from an older host."""
        return {**os.environ, **({"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"} if self.systemd_version() >= 258 else {})}

    def boot(self):
        # Where the host runs systemd the container gets a scope of its own; elsewhere there is nobody to ask for one.
        own_scope = [] if Path("/run/systemd/system").exists() else ["--keep-unit"]
        with open(self.log, "wb") as log:
            self.nspawn = subprocess.Popen(
                # ended with us, however we end
                ["setpriv", "--pdeathsig", "TERM", "systemd-nspawn", "-D", str(self.root),
                 f"--machine=trailguard-test-{os.getpid()}", "--register=no", *own_scope, "--boot",
                 "--console=read-only", "--link-journal=no", "--resolv-conf=off", "--timezone=off"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._environment())
        self.init = wait_until(self._find_init, 10, "the container's init to start")
        wait_until(lambda: self.run("systemctl is-system-running", check=False).stdout.strip()
                   in ("running", "degraded"), 30, f"the container to boot, see {self.log}")

    def _find_init(self):
        assert self.nspawn.poll() is None, "systemd-nspawn ended:\n" + self.log.read_text(errors="replace")
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        for pid in children:
            # only once it is systemd has it entered its namespaces
            if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                return int(pid)
        return None

    def stop(self):
        if self.nspawn is None:
            return
        self.nspawn.send_signal(signal.SIGTERM)
        try:
            self.nspawn.wait(15)
        except subprocess.TimeoutExpired:
            if self.init:
                os.kill(self.init, signal.SIGKILL)
            self.nspawn.kill()
            self.nspawn.wait(10)

    def systemd_version(self):
        """The major version of the systemd inside, also before it is booted."""
        shared = next(self.root.glob("usr/lib/*/systemd/libsystemd-shared-*.so"), None) or next(
            self.root.glob("usr/lib/systemd/libsystemd-shared-*.so"))
        return int(re.search(r"shared-(\d+)", shared.name)[1])

    def run(self, command, check=True, timeout=60, stdin=None):
        """Runs a shell command inside as root, outside any unit's sandbox."""
        done = subprocess.run(["nsenter", "-t", str(self.init), "-a", "/bin/sh", "-c", command], env=ENVIRONMENT,
                              input=stdin, capture_output=True, text=True, timeout=timeout * TIME_SCALE)
        if check and done.returncode != 0:
            raise AssertionError(f"{command!r} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def write(self, path, text, mode=0o644):
        """Writes a file inside, its directories too."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def show(self, unit, *properties):
        """Properties of a unit, as systemctl show tells them; one value for one name, else a dictionary."""
        names = ",".join(properties)
        lines = self.run(f"systemctl show --property={names} {unit}").stdout.splitlines()
        values = dict(line.split("=", 1) for line in lines)
        return values[properties[0]] if len(properties) == 1 else values

    def now(self):
        """A mark for journal()."""
        return f"@{time.time():.6f}"

    def journal(self, unit, since="-1d"):
        """The journal's entries of a unit, oldest first, each a dictionary of its fields."""
        output = self.run(f"journalctl --sync; journalctl -o json --no-pager -u {unit} --since='{since}'").stdout
        return [json.loads(line) for line in output.splitlines()]
