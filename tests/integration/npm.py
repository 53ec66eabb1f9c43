# SPDX-License-Identifier: Apache-2.0
"""The npm packages of tests/npm, which TrailGuard is compared with: installed on demand into build/npm."""

import fcntl
import shutil
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
SOURCE = TOP / "tests/npm"
PLACE = TOP / "build/npm"


def is_installed():
    lock = PLACE / "package-lock.json"
    return (PLACE / "node_modules/.package-lock.json").exists() and lock.read_bytes() == (SOURCE / lock.name).read_bytes()


def install():
    """The folder with node_modules in it; or None when there is no npm, or it cannot reach a registry."""
    if not shutil.which("npm"):
        return None
    PLACE.mkdir(parents=True, exist_ok=True)
    with open(PLACE / "lock", "w") as lock:  # workers of one run ask at the same time
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_installed():
            return PLACE
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, PLACE / name)
        ended = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=PLACE,
                               capture_output=True, timeout=300)
        return PLACE if ended.returncode == 0 else None
