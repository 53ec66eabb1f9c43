# SPDX-License-Identifier: Apache-2.0
"""Regions and partitions, from botocore's own endpoint data."""

import functools

import botocore.session

# Enabled in every account from the start; all other regions are opt-in.
DEFAULT_REGIONS = [
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1", "eu-west-1", "eu-west-2",
    "eu-west-3", "eu-central-1", "eu-north-1", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-southeast-1", "ap-southeast-2",
]
PREFIXES = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso-", "aws-iso"), ("us-isob-", "aws-iso-b"),
            ("eu-isoe-", "aws-iso-e"), ("us-isof-", "aws-iso-f"), ("eusc-", "aws-eusc")]


def partition_of(region):
    for prefix, partition in PREFIXES:
        if region.startswith(prefix):
            return partition
    return "aws"


@functools.cache
def all_regions(partition="aws"):
    """Every region of a partition that the installed botocore knows, without the pseudo regions."""
    resolver = botocore.session.get_session().get_component("endpoint_resolver")
    names = resolver.get_available_endpoints("cloudtrail", partition)
    return sorted(name for name in names if "fips" not in name)
