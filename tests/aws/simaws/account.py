# SPDX-License-Identifier: Apache-2.0
"""Account Management: which regions the account has enabled. One end point a partition."""

import re

from .errors import AwsError
from .regions import DEFAULT_REGIONS

NAME = "account"
NOT_RECORDED = ()
HOME = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")


def resource(call, _params):
    """The calling account, as its own administrators name it."""
    principal = call.principal or call.key.principal
    return f"account:{call.operation}", f"arn:{principal.partition}:account::{principal.account}:account"


def get_region_opt_status(call, params):
    if call.region != HOME[call.principal.partition]:
        raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.", 403)
    call.authorize(*resource(call, params))
    if "AccountId" in params:
        raise AwsError("AccessDeniedException", "The AccountId parameter is for an organization's management account.")
    region = params["RegionName"]
    if not REGION.fullmatch(region):
        raise AwsError("ValidationException", "The region name is not valid.")
    return {"RegionName": region, "RegionOptStatus": _status(call.state.account(call.principal.account), region)}


def _status(account, region):
    if region in account.region_status:
        return account.region_status[region]
    if region in DEFAULT_REGIONS:
        return "ENABLED_BY_DEFAULT"
    return "ENABLED" if region in account.regions else "DISABLED"


OPERATIONS = {"GetRegionOptStatus": get_region_opt_status}
