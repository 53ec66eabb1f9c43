# SPDX-License-Identifier: Apache-2.0
"""lib/endpoint makes the URLs that AWS's own SDKs make: for every region, service, bucket and kind of host those of the AWS SDK
for JavaScript (its newest rule sets, pinned in tests/npm), and those of the installed botocore as far as it knows them."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from botocore.loaders import Loader
from guard import PLAIN
from npm import install

# the tables are made once, not in each worker; our own by a program that this compiles, always alike
pytestmark = [pytest.mark.xdist_group("endpoints"), pytest.mark.skipif(not PLAIN, reason="the plain build compares them")]

TOP = Path(__file__).resolve().parents[2]
SOURCES = ["tests/integration/endpoints.c", "lib/endpoint.c", "lib/util/strbuf.c", "lib/util/text.c",
           "lib/util/hash.c"]
PARTITIONS = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"]
SERVICES = ["account", "cloudtrail", "kms", "organizations", "s3", "sns", "sts"]
BUCKETS = ["example-logs", "logs.example.com"]
NONE = "-"
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
    lines = subprocess.run([program, *BUCKETS], capture_output=True, text=True, check=True).stdout.splitlines()
    table = {tuple(fields[:4]): fields[4].rstrip("/") for fields in map(str.split, lines)}
    assert len(table) == len(lines) >= 48 * (len(SERVICES) + len(BUCKETS)) * 4
    return table


@pytest.fixture(scope="module")
def javascript():
    place = install()
    if not place:
        pytest.skip("the packages of tests/npm cannot be installed")
    program = TOP / "tests/integration/oracle_endpoints.mjs"
    return json.loads(subprocess.run(["node", program, place, *BUCKETS], capture_output=True, text=True, check=True).stdout)


def china_has_no_fips(partition, kind):
    """S3's rules refuse it, the others make up a name that is nobody's: we refuse it for all."""
    return partition == "aws-cn" and "fips" in kind


@pytest.fixture(scope="module")
def providers():
    endpoint_provider = pytest.importorskip("botocore.endpoint_provider", reason="this botocore has no rule sets")
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


def test_urls_are_those_of_the_sdk_for_javascript(ours, javascript):
    theirs = {tuple(row[:4]): row[4].rstrip("/") if row[4] else NONE for row in javascript["urls"]}
    wrong = {key: (ours.get(key), url) for key, url in theirs.items()
             if ours.get(key) != (NONE if china_has_no_fips(key[0], key[3]) else url)}
    assert wrong == {}
    assert len(theirs) >= 48 * (len(SERVICES) + len(BUCKETS)) * 4


def test_regions_are_those_of_the_sdk_for_javascript(ours, javascript):
    known = {}
    for partition, region, _, _ in ours:
        known.setdefault(partition, set()).add(region)
    assert known == {partition: set(regions) for partition, regions in javascript["regions"].items()}


def test_urls_are_those_of_botocore(ours, providers):
    wrong = {}
    for (partition, region, service, kind), url in ours.items():
        if service not in providers or china_has_no_fips(partition, kind):
            continue
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
