"""A person at the shell of a container, and the Debian packages to install there. For the tests of the packages."""
import os
import re
import subprocess
import textwrap
from pathlib import Path

PROGRESS = re.compile(r"\(Reading database \.\.\. ?([0-9]+%)?$")
SUITE = os.environ.get("TRAILGUARD_SUITE") or None


class Console:
    """What is typed is printed, with what came back: the log of a test is a story to read."""

    def __init__(self, machine, environment=()):
        self.machine = machine
        # debconf looks for a terminal, and says at length that there is none
        variables = {"DEBIAN_FRONTEND": "noninteractive", **dict(environment)}
        self.exports = "".join(f"export {name}='{value}'; " for name, value in variables.items())

    def step(self, title, text=""):
        print(f"\n==== {title}")
        if text:
            print("\n" + textwrap.fill(text, 100))

    def type(self, command, status=0, stdin=None):
        """Runs a command, prints it and its output, and returns the output."""
        done = self.machine.run(self.exports + command, check=False, timeout=120, stdin=stdin)
        text = done.stdout + done.stderr
        self.show("#", command, text)
        assert done.returncode == status, f"{command}: exit status {done.returncode}, not {status}"
        return text

    def show(self, prompt, command, text):
        lines = [line for line in text.rstrip().split("\n") if not PROGRESS.match(line)]
        print(f"\n{prompt} {command}")
        print("\n".join(lines) or "(silent)")


def deb(version):
    """A package that tests/systemd/packages has built, for this suite."""
    return next(Path(os.environ["TRAILGUARD_PACKAGES"]).glob(f"trailguard_{version}_*.deb"))


def dependencies(package):
    """The names in its Depends, so that it can be installed without a network."""
    depends = subprocess.run(["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True).stdout
    return sorted(re.match(r"[a-z0-9.+-]+", item.strip())[0] for item in depends.split(","))
