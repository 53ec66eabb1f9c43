# SPDX-License-Identifier: Apache-2.0
"""lib/endpoint makes the URLs that botocore's own resolver makes, for every region, service and kind of host."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

endpoint_provider = pytest.importorskip("botocore.endpoint_provider", reason="this botocore has no rule sets")
from botocore.loaders import Loader  # noqa: E402

TOP = Path(__file__).resolve().parents[2]
SOURCES = ["tests/integration/endpoints.c", "lib/endpoint.c", "lib/util/strbuf.c", "lib/util/text.c",
           "lib/util/hash.c"]
PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"]
KINDS = {"plain": (False, False), "fips": (True, False), "dual": (False, True), "fips+dual": (True, True)}

# All that may differ, and why. It is there in botocore 1.29 (Debian 12) and is not in 1.43.
DIFFERENCES = {
    **{(partition, kind): "an older botocore does not know the partition and takes it for aws"
       for partition in ("aws-iso-e", "aws-iso-f", "aws-eusc") for kind in KINDS},
    **{(partition, kind): "an older botocore says that the partition has no dual-stack hosts"
       for partition in ("aws-iso", "aws-iso-b") for kind in ("dual", "fips+dual")},
}


def knows(partition, kind):
    """Whether the installed botocore's table holds what we hold of a partition."""
    known = {entry["id"]: entry["outputs"] for entry in Loader().load_data("partitions")["partitions"]}
    return partition in known and ("dual" not in kind or known[partition]["supportsDualStack"])


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """(partition, region, service, kind) to URL."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if not compiler:
        pytest.skip("no C compiler")
    program = tmp_path_factory.mktemp("endpoints") / "endpoints"
    subprocess.run([compiler, "-std=gnu11", "-D_GNU_SOURCE", "-I.", "-o", program, *SOURCES, "-lcrypto"], cwd=TOP, check=True)
    lines = subprocess.run([program, *PARTITIONS], capture_output=True, text=True, check=True).stdout.splitlines()
    table = {tuple(fields[:4]): fields[4].rstrip("/") for fields in map(str.split, lines)}
    assert len(table) == len(lines) >= 46 * 3 * 4
    return table


@pytest.fixture(scope="module")
def providers():
    loader = Loader()
    partitions = loader.load_data("partitions")
    return {service: endpoint_provider.EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
            for service in ("cloudtrail", "sns", "sts")}


def resolve(provider, region, kind):
    fips, dual = KINDS[kind]
    try:
        return provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual).url
    except Exception as error:
        return f"none: {error}"


def test_urls_are_those_of_botocore(ours, providers):
    wrong = {}
    for (partition, region, service, kind), url in ours.items():
        theirs = resolve(providers[service], region, kind)
        excused = (partition, kind) in DIFFERENCES and not knows(partition, kind)
        if theirs != url and not excused:
            wrong[partition, region, service, kind] = (url, theirs)
    assert wrong == {}


def test_every_region_that_botocore_knows_is_known(ours):
    regions = {}
    for partition, region, _, _ in ours:
        regions.setdefault(partition, set()).add(region)
    for entry in Loader().load_data("partitions")["partitions"]:
        theirs = {region for region in entry["regions"] if not region.endswith("-global")}
        assert theirs <= regions[entry["id"]]
