# SPDX-License-Identifier: Apache-2.0
"""CloudTrail's event history: every write call, who made it, from where and with what, as LookupEvents shows it.
It does not depend on any trail, and it shows an event only after the setting `history_delay`."""

import json
import uuid
from datetime import datetime, timezone

RETENTION = 90 * 86400
READ_PREFIXES = ("Get", "Head", "Describe", "List", "Lookup", "Assume")     # what has readOnly true
# Calls whose answer CloudTrail writes into the record; all others have null there.
WITH_RESPONSE = {"CreateTrail", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "CreateTopic"}


def is_read(operation):
    return operation.startswith(READ_PREFIXES)


def lower_first(value):
    """Members of the API as CloudTrail writes them in records."""
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: lower_first(member) for name, member in value.items()}
    if isinstance(value, list):
        return [lower_first(member) for member in value]
    return value


def iso(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def identity(principal, access_key):
    """userIdentity of a record."""
    if principal.kind == "role":
        result = {
            "type": "AssumedRole", "principalId": principal.user_id, "arn": principal.arn,
            "accountId": principal.account, "accessKeyId": access_key,
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "principalId": principal.user_id.partition(":")[0],
                                  "arn": principal.issuer_arn, "accountId": principal.account,
                                  "userName": principal.name},
                "webIdFederationData": {},
                "attributes": {"creationDate": iso(principal.issued), "mfaAuthenticated": "false"},
            },
        }
        if principal.delivery:
            result["sessionContext"]["ec2RoleDelivery"] = principal.delivery
        return result
    result = {"type": "Root" if principal.kind == "root" else "IAMUser", "principalId": principal.user_id,
              "arn": principal.arn, "accountId": principal.account, "accessKeyId": access_key}
    if principal.kind == "user":
        result["userName"] = principal.name
    return result


def _record_json(call, params, result, failure, read_only):
    tls = call.request.connection.tls
    record = {
        "eventVersion": "1.10",
        "userIdentity": identity(call.principal, call.access_key),
        "eventTime": iso(call.state.now()),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": getattr(call, "event_name", call.operation),
        "awsRegion": call.region,
        "sourceIPAddress": call.principal.source_ip or call.request.connection.peer[0],
        "userAgent": call.user_agent,
        "requestParameters": (params if call.protocol == "rest-xml" else lower_first(params)) or None,
        "responseElements": lower_first(result) if result and call.operation in WITH_RESPONSE else None,
        "requestID": call.id,
        "eventID": str(uuid.uuid4()),
        "readOnly": read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.principal.account,
        "eventCategory": "Management",
    }
    if failure:
        code = call.error_code(failure)[0]
        record["errorCode"] = "AccessDenied" if code == "AccessDeniedException" else code
        record["errorMessage"] = failure.message
        record["responseElements"] = None
    if tls:
        record["tlsDetails"] = {"tlsVersion": tls["version"], "cipherSuite": "",
                                "clientProvidedHostHeader": call.request.header("host")}
    return record


LONGEST = 100 * 1024


def _leave_out(body):
    """What is longer than AWS records is left out of a record (CloudTrail user guide, "Record contents")."""
    for name in ("requestParameters", "responseElements"):
        size = len(json.dumps(body[name]))
        if size > LONGEST:
            body[name] = {"reason": f"{name} too large", "omitted": "true", "originalSize": str(size)}


def record(call, params, result, failure):
    """Called with the state locked, for every call whose signature was good."""
    if call.principal is None or call.operation in call.module.NOT_RECORDED:
        return
    read_only = is_read(call.operation)
    if read_only and not call.state.settings["history_reads"]:
        return
    body = _record_json(call, params, result, failure, read_only)
    resources = call.module.event_resources(params, result) if hasattr(call.module, "event_resources") else []
    _leave_out(body)
    if "omitted" in (body["requestParameters"] or {}):      # where AWS has them from it does not say
        resources = []
    add(call.state, call.principal.account, call.region, body, resources)


def add(state, account, region, record_body, resources=(), time=None):
    """Put one record into the history of an account's region; `resources` is a list of (type, name)."""
    identity_body = record_body.get("userIdentity", {})
    username = identity_body.get("userName") or identity_body.get("principalId", "").partition(":")[2] or None
    if identity_body.get("type") == "Root":
        username = "root"
    now = state.now() if time is None else time
    state.history.append({
        "account": account, "region": region, "time": now, "visible": now + state.settings["history_delay"],
        "event": {
            "EventId": record_body["eventID"], "EventName": record_body["eventName"],
            "ReadOnly": "true" if record_body.get("readOnly") else "false",
            "AccessKeyId": identity_body.get("accessKeyId"), "EventTime": int(now),
            "EventSource": record_body["eventSource"], "Username": username,
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in resources],
            "CloudTrailEvent": json.dumps(record_body),
        },
    })
    if record_body["eventName"] and len(state.history) > 100000:
        del state.history[:50000]


def _fits(event, key, value):
    if key in ("ResourceName", "ResourceType"):
        return any(resource[key] == value for resource in event["Resources"])
    return event.get(key) == value


def search(state, account, region, key, value, start, end):
    """Events newest first, those that are visible by now."""
    now = state.now()
    result = []
    for entry in reversed(state.history):
        if entry["account"] != account or entry["region"] != region or entry["visible"] > now:
            continue
        when = entry["event"]["EventTime"]
        if when < now - RETENTION or (start is not None and when < int(start)) or (end is not None and when > end):
            continue
        if key is None or _fits(entry["event"], key, value):
            result.append({name: member for name, member in entry["event"].items() if member is not None})
    return sorted(result, key=lambda event: -event["EventTime"])
