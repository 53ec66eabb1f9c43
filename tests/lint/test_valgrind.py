"""make check-valgrind runs the daemon under valgrind, and tests/valgrind/report notices when a program did not."""
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
REPORT = TOP / "tests/valgrind/report"


def report(directory, *programs):
    ended = subprocess.run([REPORT, directory, *programs], capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stderr


def test_a_program_without_a_log_fails_the_report(tmp_path):
    (tmp_path / "test_arn.12.log").touch()
    assert report(tmp_path, "test_arn") == (0, "")
    returned, why = report(tmp_path, "test_arn", "trailguard")
    assert returned == 1 and why.startswith("valgrind: trailguard left no log")


def test_a_finding_fails_the_report(tmp_path):
    (tmp_path / "trailguard.7.log").write_text("==7== Invalid read of size 1\n==7==    at 0x1: main (main.c:1)\n")
    assert report(tmp_path, "trailguard")[0] == 1


def test_the_daemon_of_integration_tests_is_the_wrapper():
    recipe = subprocess.run(["make", "-n", "check-valgrind", "Q="], cwd=TOP, capture_output=True, text=True, timeout=120).stdout
    step = next(line for line in recipe.replace("\\\n", " ").splitlines() if "-m valgrind" in line)
    # what the shell makes of it, with a program that prints what it would run
    shown = subprocess.run(["sh", "-c", step.replace("tools/run-pytest", "printf '%s\\n'")], cwd=TOP, capture_output=True, text=True,
                           timeout=60).stdout
    assert f"TRAILGUARD_BIN={TOP}/tests/valgrind/trailguard" in shown.splitlines(), shown
