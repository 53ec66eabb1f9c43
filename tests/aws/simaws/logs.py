# SPDX-License-Identifier: Apache-2.0
"""CloudWatch Logs as far as the log group of a trail goes: whether it is there. A group that a trail writes to and nobody
deleted exists."""

from .errors import AwsError
from .regions import partition_of

NAME = "logs"
NOT_RECORDED = ()


def resource(call, params):
    """(action, resource) that IAM decides on."""
    account = (call.principal or call.key.principal).account
    name = params.get("logGroupName", "*")
    return f"logs:{call.operation}", f"arn:{partition_of(call.region)}:logs:{call.region}:{account}:log-group:{name}"


def _group(call, params):
    """Its ARN without ":*"."""
    action, arn = resource(call, params)
    call.authorize(action, f"{arn}:*")
    return arn


def _existing(call, params):
    arn = _group(call, params)
    used = any(trail.settings.get("CloudWatchLogsLogGroupArn", "").removesuffix(":*") == arn for trail in call.state.trails.values())
    if arn in call.state.gone or not used:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return arn


def create_log_group(call, params):
    arn = _group(call, params)
    if arn not in call.state.gone:
        raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
    call.state.gone.discard(arn)
    return {}


def delete_log_group(call, params):
    call.state.gone.add(_existing(call, params))
    return {}


def take_no_notice(call, params):
    """What changes nothing for CloudTrail, which makes its log stream again when that is gone."""
    _existing(call, params)
    return {}


OPERATIONS = {"CreateLogGroup": create_log_group, "DeleteLogGroup": delete_log_group, "DeleteLogStream": take_no_notice,
              "PutRetentionPolicy": take_no_notice, "PutSubscriptionFilter": take_no_notice}
