# SPDX-License-Identifier: Apache-2.0
"""Event selectors as PutEventSelectors takes them: limits and defaults of the CloudTrail API reference."""

from .errors import AwsError

EXCLUDABLE = {"kms.amazonaws.com", "rdsdata.amazonaws.com"}
DATA_TYPES = {"AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table"}
TESTS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
FIELDS = {"readOnly", "eventSource", "eventName", "eventCategory", "resources.type", "resources.ARN", "eventType",
          "sessionCredentialFromConsole", "userIdentity.arn", "vpcEndpointId", "errorCode"}


def refuse(text):
    raise AwsError("InvalidEventSelectorsException", text)


def check(params):
    """(basic, advanced), one of them None, with AWS's defaults filled in."""
    basic, advanced = params.get("EventSelectors"), params.get("AdvancedEventSelectors")
    if (basic is None) == (advanced is None):
        raise AwsError("InvalidParameterCombinationException",
                       "You must specify either EventSelectors or AdvancedEventSelectors, not both.")
    if basic is not None:
        return _basic(basic), None
    return None, _advanced(advanced)


def _basic(selectors):
    if not 1 <= len(selectors) <= 5:
        refuse("A trail needs 1 to 5 event selectors.")
    result, values = [], 0
    for selector in selectors:
        full = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [],
                "ExcludeManagementEventSources": [], **selector}
        for source in full["ExcludeManagementEventSources"]:
            if source not in EXCLUDABLE:
                refuse(f"The event source {source} cannot be excluded.")
        for data in full["DataResources"]:
            if data.get("Type") not in DATA_TYPES:
                refuse(f"The data resource type {data.get('Type')} is not valid.")
            values += len(data.get("Values", []))
        if not full["IncludeManagementEvents"] and not full["DataResources"]:
            refuse("An event selector must include management events or data resources.")
        result.append(full)
    if values > 250:
        refuse("A trail can have at most 250 data resources over all event selectors.")
    return result


def _advanced(selectors):
    if not selectors:
        refuse("A trail needs at least one advanced event selector.")
    values = 0
    for selector in selectors:
        categories = []
        for field in selector["FieldSelectors"]:
            tests = [name for name in TESTS if name in field]
            if not tests:
                refuse(f"The field {field['Field']} needs an operator.")
            if field["Field"] not in FIELDS:
                refuse(f"The field {field['Field']} is not valid.")
            values += sum(len(field[name]) for name in tests)
            if field["Field"] == "eventCategory":
                categories = field.get("Equals", [])
        if len(categories) != 1:
            refuse("An advanced event selector needs one eventCategory.")
    if values > 500:
        refuse("A trail can have at most 500 values over all advanced event selectors.")
    return selectors
