#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Builds the Debian package in a root file system of another suite, with that suite's compiler, libraries and debhelper.

usage: build_deb.py SUITE DIRECTORY VERSION...      the packages of the last commit land in the directory
"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import base_system, build_packages

TOP = Path(__file__).resolve().parents[2]
# The second version differs from the first in what names it: what was compiled is kept.
BUILD = """cd /src/trailguard && rm -rf debian/.debhelper debian/debhelper-build-stamp &&
DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b -nc -j{jobs}"""


def main(suite, out, *versions):
    out = Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    own_scope = [] if Path("/run/systemd/system").exists() else ["--keep-unit"]
    with tempfile.TemporaryDirectory(dir=out) as work:
        root = Path(work) / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", str(base_system(build_packages() + ["build-essential", "debhelper"], suite)), root], check=True)
        for version in versions:
            subprocess.run([TOP / "tools/package", "tree", Path(work) / version], env={**os.environ, "VERSION": version}, check=True)
            tree, source = Path(work) / version / f"trailguard-{version}", root / "src/trailguard"
            if source.exists():
                for name in ("VERSION", "debian/changelog"):
                    shutil.copy2(tree / name, source / name)
            else:
                shutil.copytree(tree, source, symlinks=True)
            done = subprocess.run(["systemd-nspawn", "-q", "-D", root, "--register=no", *own_scope, "--pipe", "--resolv-conf=off",
                                   "--timezone=off", "sh", "-c", BUILD.format(jobs=len(os.sched_getaffinity(0)))],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{done.stdout[-4000:]}{done.stderr[-2000:]}\n{suite}: {version} could not be built")
        for package in (root / "src").glob("trailguard_*.deb"):
            shutil.copy2(package, out)
            print(out / package.name)


if __name__ == "__main__":
    main(*sys.argv[1:])
