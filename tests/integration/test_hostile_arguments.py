# SPDX-License-Identifier: Apache-2.0
"""What the caller gave on the command line, on a terminal: no control character of it is printed."""

import pytest

from helpers import ALL_REGIONS


@pytest.fixture
def idle(sim, make_guard):
    """An installation whose daemon does not run."""
    return make_guard(sim, regions=ALL_REGIONS)


VERBS = ["run", "check", "doctor", "status", "config", "test-alert", "policy", "accept", "release", "drill"]
HOSTILE = "x\x1b]0;owned\x07\x9b1m\n\u202eforged"


@pytest.mark.parametrize("content", [None, "", "mode = 1;\n", "silent", "interval = 5;\n" * 40],
                         ids=["missing", "empty", "wrong", "silent", "mistakes"])
def test_no_control_character_of_a_path_is_printed(idle, content):
    config = idle.directory / HOSTILE
    if content is not None:
        config.write_text(content)
    if content == "silent":
        config.write_text(idle.config.read_text().replace("alerts", "# alerts"))
    for verb in VERBS:
        done = idle.verb(verb, "-c", config, *(["x"] if verb in ("accept", "release", "drill") else []), config=False)
        printed(done)


def test_no_control_character_of_an_argument_is_printed(idle):
    values = [[option, HOSTILE] for option in ("--channel", "--profile", "--account", "--region", "--trail", "--instance")]
    for arguments in [[HOSTILE], ["x", HOSTILE], [f"--{HOSTILE}"], [f"--json={HOSTILE}"], ["-\x1b"], ["-\x9b"], *values,
                      *(["x", *value] for value in values), *(["deny", *value] for value in values)]:
        for verb in VERBS:
            printed(idle.verb(verb, *arguments))
        printed(idle.verb(*arguments, config=False))
    printed(idle.verb("help", HOSTILE, config=False))


def printed(done):
    text = done.stdout + done.stderr
    strange = [c for c in text if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c == "\u202e"]
    assert not strange and not any(line.startswith("forged") for line in text.splitlines()), (done.args, text)
