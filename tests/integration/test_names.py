# SPDX-License-Identifier: Apache-2.0
"""Resolvers that hang: whoever is to be reached by such a name is, at worst, not reached; nobody else waits for it."""

import subprocess

import pytest

from guard import SCALE, PLAIN, within
from helpers import FRA, ORG_TRAIL, Mallory, intervals, wait_message, wait_polls

pytestmark = pytest.mark.timed

# NAME takes as long as the file that HANG names is there, and then is this host.
NAME = "sns.simaws.test"
STUB = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");

    if (!host || strcmp(host, "sns.simaws.test") != 0)
        return real(host, service, hints, ret);
    while (access(getenv("HANG"), F_OK) == 0)
        usleep(20000);
    return real("127.0.0.1", service, hints, ret);
}
"""


@pytest.fixture(scope="module")
def stub(tmp_path_factory):
    directory = tmp_path_factory.mktemp("stub")
    (directory / "stub.c").write_text(STUB)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", directory / "stub.so", directory / "stub.c", "-ldl"], check=True)
    return directory / "stub.so"


@pytest.mark.skipif(SCALE != 1, reason="sanitizers and valgrind want to be the first library")
@pytest.mark.parametrize("recovers", [True, False])
def test_a_name_that_hangs_holds_up_neither_polls_nor_the_end(tls_sim, make_guard, tmp_path, stub, recovers):
    sim = tls_sim
    hang = tmp_path / "hang"
    hang.touch()
    guard = make_guard(sim, poll_interval=1, env={
        "LD_PRELOAD": str(stub), "HANG": str(hang), "AWS_ENDPOINT_URL_SNS": sim.url.replace("127.0.0.1", NAME)})
    guard.start().wait_guarding()
    begun = sim.mark()
    Mallory(sim).stop(ORG_TRAIL)
    sim.wait_for_trail(ORG_TRAIL, within(5), logging=True)
    guard.wait_line(f"could not resolve {NAME} within|{NAME}.*timed out", 30)
    wait_polls(sim, 5, FRA, seconds=15)
    gaps = intervals(sim, FRA, begun)
    assert not PLAIN or max(gaps) < 3, gaps
    if recovers:
        hang.unlink()
        wait_message(sim, seconds=30)
    assert guard.stop(4) == 0
