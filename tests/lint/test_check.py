"""tools/check runs what it is given, shows what each printed in one piece, and forgets no failure."""
import os
import re
import select
import signal
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
CHECK = TOP / "tools/check"
MAKEFILE = """
.RECIPEPREFIX = >
check-deps:
> @test ! -e refused
%:
> @echo start $@ $(X) nice $$(nice); sleep 0.3; echo end $@; case $@ in bad*) false;; esac
"""


@pytest.fixture
def place(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return tmp_path


def check(place, *arguments):
    ended = subprocess.run([CHECK, *arguments], cwd=place, capture_output=True, text=True, timeout=60,
                           env={**os.environ, "MAKE": "make", "MAKEFLAGS": ""})
    return ended.returncode, ended.stdout


def test_rows_run_together_and_print_one_after_another(place):
    returned, shown = check(place, "a", "--together", "b X=1", "c", "--beside", "d", "bad", "--nice", "e")
    assert returned == 1
    assert re.findall(r"^(?:====|start|end) .*?(\S+)(?: nice -?\d+)?$", shown.partition("==== summary")[0], re.M) == [
        "a", "a", "a", "X=1", "1", "b", "c", "c", "c", "d", "d", "d", "bad", "bad", "bad", "e", "e", "e"]
    assert "start e nice 19" in re.sub(" +", " ", shown)
    assert re.findall(r"^  (\S.*?) +(ok|FAILED) +\d+ s$", shown, re.M) == [
        ("a", "ok"), ("b X=1", "ok"), ("c", "ok"), ("d", "ok"), ("bad", "FAILED"), ("e", "ok")]
    assert shown.endswith("\n5 passed, 1 failed\n")


def test_without_packages_nothing_runs(place):
    (place / "refused").touch()
    returned, shown = check(place, "check-deps", "a", "--together", "b", "--beside", "c")
    assert returned == 1 and "start" not in shown


def test_a_row_ends_with_its_check(place):
    os.mkfifo(place / "begun")
    with open(place / "Makefile", "a") as makefile:
        makefile.write("hang:\n> @echo $$$$ >begun; exec sleep 100\n")
    process = subprocess.Popen([CHECK, "--together", "a", "--beside", "hang"], cwd=place, stdout=subprocess.DEVNULL,
                               env={**os.environ, "MAKE": "make", "MAKEFLAGS": ""})
    pid = int((place / "begun").read_text())
    watched = os.pidfd_open(pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 130
    assert select.select([watched], [], [], 30)[0], "the step still runs"
    os.close(watched)
