# SPDX-License-Identifier: Apache-2.0
"""The completions of bash, zsh and fish, each run by its own shell."""
import os
import pty
import re
import shutil
import subprocess

import pytest

from conftest import TOP
from guard import BINARY, within

COMPLETIONS = TOP / "conf/completion"
STATUS = """{
  "schema": "trailguard.status/1",
  "accounts": [
    {"id":"111122223333","name":"production"}
  ],
  "trails": [
    {"name":"org-trail","arn":"x","account":"111122223333","region":"eu-central-1","incident":{"actor":{"name":"bob"}}},
    {"name":"main","arn":"y","account":"444455556666","region":"us-east-1"}
  ]
}
"""
# zsh completes only in its line editor: this is its .zshrc. At the first prompt it completes $LINE as Tab does, writes
# what is offered into the file $OFFERED, and ends.
ZSHRC = """
fpath=($COMPLETIONS $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
    local -a offered
    if [[ ${@[1,(i)(-|--)]} != *-[OAD]\\ * ]]; then
        builtin compadd -A offered "$@"
        (($#offered)) && print -rl -- $offered >>$OFFERED
    fi
    builtin compadd "$@"
}
zle-line-init() {
    BUFFER=$LINE CURSOR=$#LINE
    zle complete-word
    exit
}
zle -N zle-line-init
"""


def bash(words, directory, env):
    script = (f'. "{COMPLETIONS}/trailguard"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _trailguard; '
              '((${#COMPREPLY[@]} == 0)) || printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=within(10), env=env)
    assert done.stderr == ""
    return done.stdout.splitlines()


def all_shown(leader, process, typed=""):
    """On the terminal of a shell, until it exits."""
    shown = b""
    try:
        os.write(leader, typed.encode())
        while chunk := os.read(leader, 65536):
            shown += chunk
    except OSError:             # the terminal's other end is closed
        pass
    finally:
        os.close(leader)
        process.wait(within(10))
    return shown


def zsh(words, directory, env):
    (directory / ".zshrc").write_text(ZSHRC)
    (directory / "offered").write_text("")
    leader, follower = pty.openpty()
    process = subprocess.Popen(["zsh", "-d", "-i"], stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
                               env={**env, "TERM": "xterm", "ZDOTDIR": str(directory), "LINE": " ".join(words),
                                    "OFFERED": str(directory / "offered"), "COMPLETIONS": str(COMPLETIONS)})
    os.close(follower)
    shown = all_shown(leader, process)
    assert b"_trailguard" not in shown, shown     # what zsh says of an error in a function
    return (directory / "offered").read_text().splitlines()


def fish(words, directory, env):
    done = subprocess.run(["fish", "--no-config", "-c", f"source {COMPLETIONS}/trailguard.fish; complete -C $argv[1]", "--",
                           " ".join(words)], capture_output=True, text=True, timeout=within(10),
                          env={**env, "HOME": str(directory)})
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


@pytest.fixture(params=[bash, zsh, fish], ids=lambda shell: shell.__name__)
def complete(request, tmp_path):
    """What a shell offers for words after `trailguard`, the last of them unfinished: a sorted list."""
    shell = request.param
    if not shutil.which(shell.__name__):
        pytest.skip(f"{shell.__name__} is not installed: tools/deps check")
    (tmp_path / "status.json").write_text(STATUS)
    env = {"PATH": os.environ["PATH"], "RUNTIME_DIRECTORY": str(tmp_path)}
    return lambda *words: sorted(shell(["trailguard", *words], tmp_path, env))


def test_verbs_and_words(complete):
    assert complete("st") == ["status"]
    assert complete("-c", "x.conf", "che") == ["check"]
    assert complete("status", "--p") == ["--problems"]
    assert complete("help", "pol") == ["policy"]
    assert {"guard", "deny", "scp"} <= set(complete("policy", ""))
    help_text = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=within(10)).stdout
    verbs = set(re.findall(r"^  ([a-z][a-z-]+) ", help_text, re.M))
    assert len(verbs) > 8 and verbs == {word for word in complete("") if not word.startswith("-")}


def test_what_is_guarded(complete):
    assert complete("status", "--trail", "") == ["main", "org-trail"]
    assert complete("status", "--account", "4") == ["444455556666"]
    assert complete("status", "--region", "") == ["eu-central-1", "us-east-1"]
    assert complete("accept", "o") == ["org-trail"]
    assert complete("accept", "org-trail", "m") == ["main"]
    assert complete("drill", "m") == ["main"]
    assert complete("policy", "--account", "1") == ["111122223333"]


def test_every_option_that_a_verb_describes(complete):
    verbs = complete("help", "")
    assert len(verbs) > 7
    for verb in verbs:
        described = set(re.findall(r"^  (--[a-z]+)", subprocess.run([BINARY, "help", verb], capture_output=True, text=True,
                                                                     timeout=within(10)).stdout, re.M))
        assert described <= set(complete(verb, "--")), verb


def test_without_a_status_only_words(complete, tmp_path):
    (tmp_path / "status.json").unlink()
    assert complete("status", "--trail", "") == []
    assert complete("accept", "o") == []


def test_bash_splits_an_option_from_its_value(tmp_path):
    (tmp_path / "status.json").write_text(STATUS)
    env = {"PATH": os.environ["PATH"], "RUNTIME_DIRECTORY": str(tmp_path)}
    assert bash(["trailguard", "--config", "=", "x.conf", "che"], tmp_path, env) == ["check"]
    assert bash(["trailguard", "--instance", "=", "a", "che"], tmp_path, env) == ["check"]
    assert bash(["trailguard", "status", "--region", "="], tmp_path, env) == ["eu-central-1", "us-east-1"]
    assert bash(["trailguard", "status", "--region", "=", "us"], tmp_path, env) == ["us-east-1"]


def test_bash_completes_a_path_through_directories(tmp_path):
    """In bash's own line editor: a directory gets a slash and no blank, and a blank in a name is quoted."""
    (tmp_path / "a dir").mkdir()
    (tmp_path / "a dir/guard.conf").touch()
    rc = tmp_path / "rc"
    rc.write_text(f". {COMPLETIONS}/trailguard\ntrailguard() {{ printf '<%s>' \"$@\"; exit; }}\n")
    leader, follower = pty.openpty()
    process = subprocess.Popen(["bash", "--noprofile", "--rcfile", rc, "-i"], stdin=follower, stdout=follower, stderr=follower,
                               start_new_session=True, env={"PATH": os.environ["PATH"], "TERM": "dumb", "PS1": "$ "})
    os.close(follower)
    shown = all_shown(leader, process, f"trailguard -c {tmp_path}/a\tgu\tconfig\n")
    assert f"<-c><{tmp_path}/a dir/guard.conf><config>".encode() in shown, shown
