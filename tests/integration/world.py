# SPDX-License-Identifier: Apache-2.0
"""Tests run in a world of their own: the host's /etc/trailguard.conf and keys are neither read nor needed to be absent."""
import ctypes
import os
import subprocess
from pathlib import Path

HOST_FILES = (Path("/etc/trailguard.conf"), Path("/etc/trailguard"))
CLONE_NEWNS = 0x00020000
# overlayfs takes a character device 0/0 for "there is no such file"
HIDE = """
set -e
mount --make-rprivate /
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
for name in trailguard.conf trailguard; do mknod "/mnt/upper/$name" c 0 0; done
mount -t overlay overlay -o "lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work" /etc
"""


def leave_host():
    """Hides what an installed TrailGuard has in /etc from this process and its children; what is wrong when that fails."""
    found = [str(path) for path in HOST_FILES if path.exists()]
    if not found:
        return None
    if os.geteuid() != 0:
        return f"{', '.join(found)}: of an installed TrailGuard, and only root can hide it from the tests; move it away"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return f"unshare: {os.strerror(ctypes.get_errno())}; move {', '.join(found)} away"
    done = subprocess.run(["/bin/sh", "-c", HIDE], capture_output=True, text=True)
    if done.returncode != 0:
        return f"cannot hide {', '.join(found)} from the tests, move it away: {done.stderr.strip()}"
    return None
