# SPDX-License-Identifier: Apache-2.0
"""IAM's decisions by iam-simulate, which others wrote, on AWS's own table of actions and resources (npm packages of tests/npm).
The simulated AWS judges each call of a test by a few lines of its own; here every one of them is judged again."""

import functools
import json
import shutil
import subprocess
from pathlib import Path

from npm import install

PROGRAM = Path(__file__).with_name("oracle_policy.mjs")


@functools.cache
def place():
    """Where the packages are; None without node, npm or a registry, and then nothing can be asked."""
    return shutil.which("node") and install()


def ask(cases=(), policies=()):
    done = subprocess.run(["node", PROGRAM, place()], capture_output=True, text=True, timeout=120,
                          input=json.dumps({"cases": list(cases), "policies": list(policies)}))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def disagreements(cases):
    """The decisions of the simulated AWS that iam-simulate takes otherwise, or cannot take because AWS never would."""
    return [f"{case['principal']} {case['action']} {case['resource']}: {'allowed' if case['allowed'] else 'denied'} by the "
            f"simulated AWS, {decided} by iam-simulate"
            for case, decided in zip(cases, ask(cases=cases)["decided"], strict=True) if decided != case["allowed"]]


def remarks(policies):
    """What AWS would refuse or never use in policies: of (kind, policy), the kind "identity", "scp" or "trust"."""
    answer = ask(policies=[{"kind": kind, "policy": policy} for kind, policy in policies])
    return [remark for found in answer["wrong"] for remark in found]
