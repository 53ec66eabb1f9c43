# SPDX-License-Identifier: Apache-2.0
"""make install and make uninstall: what they put where, that its links work, and that nothing is left."""
import re
import subprocess

from conftest import TOP
from guard import BINARY

LEFT = {"etc/trailguard.conf"}      # configuration stays


def _make(target, place):
    # the binary under test is there already; an instrumented one has a build directory of its own
    subprocess.run(["make", "-s", "-C", TOP, "-o", "all", target, f"DESTDIR={place}", f"BINARY={BINARY}"], check=True,
                   capture_output=True, stdin=subprocess.DEVNULL)


def _files(place):
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


def test_installed_pages_have_no_dead_links_and_uninstall_leaves_nothing(place):
    _make("install", place)
    files = _files(place)
    assert {"usr/local/sbin/trailguard", "usr/local/lib/systemd/system/trailguard.service",
            "usr/local/lib/systemd/system/trailguard@.service",
            "etc/trailguard.conf", "usr/local/share/bash-completion/completions/trailguard",
            "usr/local/share/zsh/vendor-completions/_trailguard",
            "usr/local/share/fish/vendor_completions.d/trailguard.fish"} <= files
    pages = [path for path in (place / "usr/local/share/doc/trailguard").rglob("*.md")]
    assert len(pages) > 5
    dead = [(str(page.relative_to(place)), link) for page in pages
            for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
            if not (page.parent / link).exists()]
    assert dead == []
    _make("uninstall", place)
    assert _files(place) == LEFT
