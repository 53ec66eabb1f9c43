#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds TrailGuard in a root file system of another Debian suite and runs its unit tests there, or its static analyzers.

usage: build_in.py SUITE ROOT [TARGET]      leaves the tree, built, in ROOT/src
TARGET: check-unit (the default) or lint-analyzers
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from machine import base_system, build_packages

TOP = Path(__file__).resolve().parents[2]
# what a target needs besides what the build needs; the versions to show; what is built for it
TARGETS = {
    "check-unit": ([], "pkg-config --modversion libcurl jansson libconfig cmocka libsystemd | tr '\\n' ' '; echo",
                   "all units"),
    "lint-analyzers": (["clang-tidy", "cppcheck"], "clang-tidy --version | grep version; cppcheck --version", "all"),
}


def main(suite, root, target="check-unit"):
    packages, versions, goals = TARGETS[target]
    subprocess.run(["cp", "-a", "--reflink=auto", str(base_system(build_packages() + packages, suite)), root], check=True)
    source = Path(root) / "src"
    files = subprocess.run(["git", "-C", TOP, "ls-files", "-coz", "--exclude-standard"], capture_output=True,
                           check=True).stdout.decode().split("\0")
    for name in filter(None, files):
        if (TOP / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, source / name, follow_symlinks=False)
    own_scope = [] if Path("/run/systemd/system").exists() else ["--keep-unit"]
    jobs = len(os.sched_getaffinity(0))
    inside = f"gcc --version | head -n 1; {versions}; cd /src && nice make -s WERROR=1 -j{jobs} {goals} && make -s WERROR=1 {target}"
    return subprocess.run(["systemd-nspawn", "-q", "-D", root, "--register=no", *own_scope, "--pipe", "--resolv-conf=off",
                           "--timezone=off", "sh", "-c", inside], stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
