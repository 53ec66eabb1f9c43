# SPDX-License-Identifier: Apache-2.0
"""KMS as far as the key of a trail goes: whether it can be used, and how somebody takes it away. A key that a trail uses
and nobody described exists, belongs to the account in its ARN and is enabled."""

import json
import re
import uuid

from . import iam
from .errors import AwsError
from .regions import partition_of

NAME = "kms"
NOT_RECORDED = ()
WINDOW = 30     # days until a key is gone, unless asked otherwise
ARN = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):(key/[A-Za-z0-9-]+|alias/.+)")


def condition(state, arn):
    """KeyState of a key, None when there is none."""
    return state.kms.get(arn, {"state": "Enabled"})["state"]


def _arn_of(call, key):
    if key.startswith("arn:"):
        return key
    kind = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{partition_of(call.region)}:kms:{call.region}:{call.principal.account}:{kind}"


def resource(call, params):
    """(action, resource) that IAM decides on."""
    key = params.get("KeyId", "")
    if call.principal is None:
        return f"kms:{call.operation}", key
    return f"kms:{call.operation}", _arn_of(call, key)


def event_resources(params, result):
    arn = (result or {}).get("KeyId") or (result or {}).get("KeyMetadata", {}).get("Arn") or params.get("KeyId")
    return [("AWS::KMS::Key", arn)] if arn else []


def _find(call, params):
    """(ARN, description) of the key that a request names."""
    action, arn = resource(call, params)
    call.authorize(action, arn)
    match = ARN.fullmatch(arn)
    if not match or match[2] != call.region:
        raise AwsError("NotFoundException", f"Invalid arn {call.region}")
    if match[3] != call.principal.account:
        raise AwsError("AccessDeniedException", f"User: {call.principal.arn} is not authorized to perform: {action} on "
                       f"resource: {arn} because no resource-based policy allows the {action} action")
    used = any(trail.settings.get("KmsKeyId") == arn for trail in call.state.trails.values())
    if arn not in call.state.kms and used:
        call.state.kms[arn] = {"state": "Enabled"}
    key = call.state.kms.get(arn)
    if key is None or key["state"] is None:
        raise AwsError("NotFoundException", f"Key '{arn}' does not exist")
    return arn, key


def _need(key, arn, *states):
    if key["state"] not in states:
        text = "is pending deletion" if key["state"] == "PendingDeletion" else "is not pending deletion"
        raise AwsError("KMSInvalidStateException", f"{arn} {text}.")


def describe_key(call, params):
    arn, key = _find(call, params)
    deletion = {"DeletionDate": key["deletion"]} if key.get("deletion") else {}
    store = {"CustomKeyStoreId": key["store"]} if key.get("store") else {}
    return {"KeyMetadata": {
        "AWSAccountId": arn.split(":")[4], "KeyId": arn.rpartition("/")[2], "Arn": arn, "CreationDate": 1700000000.25,
        "Enabled": key["state"] == "Enabled", "Description": "", "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": key["state"],
        **deletion, **store, "Origin": "AWS_KMS", "KeyManager": key.get("manager", "CUSTOMER"),
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"], "MultiRegion": False}}


def disable_key(call, params):
    arn, key = _find(call, params)
    _need(key, arn, "Enabled", "Disabled")
    key["state"] = "Disabled"
    return {}


def enable_key(call, params):
    arn, key = _find(call, params)
    _need(key, arn, "Enabled", "Disabled")
    key["state"] = "Enabled"
    return {}


def schedule_key_deletion(call, params):
    arn, key = _find(call, params)
    days = params.get("PendingWindowInDays", WINDOW)
    if not 7 <= days <= 30:
        raise AwsError("ValidationException", "PendingWindowInDays must be between 7 and 30.")
    _need(key, arn, "Enabled", "Disabled")
    key.update(state="PendingDeletion", deletion=int(call.state.now()) + days * 86400)
    return {"KeyId": arn, "DeletionDate": key["deletion"], "KeyState": "PendingDeletion", "PendingWindowInDays": days}


def cancel_key_deletion(call, params):
    arn, key = _find(call, params)
    _need(key, arn, "PendingDeletion")
    key.update(state="Disabled", deletion=None)
    return {"KeyId": arn}


def delete_imported_key_material(call, params):
    arn, key = _find(call, params)
    _need(key, arn, "Enabled", "Disabled")
    key["state"] = "PendingImport"
    return {}


# -- its policy, grants and rotation -------------------------------------------------------------------------------------
def default_policy(arn):
    """What KMS gives to a key, and what CloudTrail needs beside it (CloudTrail user guide, "Configure AWS KMS key policies")."""
    account = arn.split(":")[4]
    return {"Version": "2012-10-17", "Id": "key-default-1", "Statement": [
        {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
         "Action": "kms:*", "Resource": "*"},
        {"Sid": "Allow CloudTrail to encrypt logs", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
         "Action": "kms:GenerateDataKey*", "Resource": "*",
         "Condition": {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{account}:trail/*"}}}]}


def get_key_policy(call, params):
    arn, key = _find(call, params)
    return {"Policy": json.dumps(key.get("policy") or default_policy(arn))}


def put_key_policy(call, params):
    """Like AWS it refuses a policy that its caller could not replace, unless told not to look."""
    arn, key = _find(call, params)
    _need(key, arn, "Enabled", "Disabled", "Unavailable")
    try:
        policy = json.loads(params["Policy"])
        statements = iam.statements(policy)
    except (ValueError, AttributeError, TypeError) as error:
        raise AwsError("MalformedPolicyDocumentException", f"The policy is not simulated: {error}") from None
    kept = any(statement["Effect"] == "Allow" and iam.matches(statement, call.principal, "kms:PutKeyPolicy", arn, {})
               for statement in statements)
    if not kept and not params.get("BypassPolicyLockoutSafetyCheck"):
        raise AwsError("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the "
                       "future.")
    key["policy"] = policy
    return {}


def create_grant(call, params):
    """CloudTrail uses the key's policy, and no grant."""
    _arn, key = _find(call, params)
    grant = uuid.uuid4().hex * 2
    key.setdefault("grants", []).append(grant)
    return {"GrantId": grant, "GrantToken": f"token{grant}"}


def revoke_grant(call, params):
    _arn, key = _find(call, params)
    if params["GrantId"] not in key.get("grants", []):
        raise AwsError("NotFoundException", f"Grant ID {params['GrantId']} not found")
    key["grants"].remove(params["GrantId"])
    return {}


def disable_key_rotation(call, params):
    arn, key = _find(call, params)
    _need(key, arn, "Enabled")
    key["rotation"] = False
    return {}


# -- custom key stores -----------------------------------------------------------------------------------------------------
def _in_store(call, params):
    """The keys of that store, which is the caller's in this region."""
    call.authorize(f"kms:{call.operation}", "*")
    place = f":kms:{call.region}:{call.principal.account}:"
    found = [key for arn, key in call.state.kms.items() if key.get("store") == params["CustomKeyStoreId"] and place in arn]
    if not found:
        raise AwsError("CustomKeyStoreNotFoundException", "The custom key store does not exist.")
    return found


def disconnect_custom_key_store(call, params):
    """None of its keys can be used then."""
    for key in _in_store(call, params):
        if key["state"] not in ("PendingDeletion", "Unavailable", None):
            key.update(state="Unavailable", connected=key["state"])
    return {}


def connect_custom_key_store(call, params):
    for key in _in_store(call, params):
        if key["state"] == "Unavailable":
            key["state"] = key.pop("connected", "Enabled")
    return {}


OPERATIONS = {
    "CancelKeyDeletion": cancel_key_deletion, "ConnectCustomKeyStore": connect_custom_key_store, "CreateGrant": create_grant,
    "DeleteImportedKeyMaterial": delete_imported_key_material, "DescribeKey": describe_key, "DisableKey": disable_key,
    "DisableKeyRotation": disable_key_rotation, "DisconnectCustomKeyStore": disconnect_custom_key_store,
    "EnableKey": enable_key, "GetKeyPolicy": get_key_policy, "PutKeyPolicy": put_key_policy, "RevokeGrant": revoke_grant,
    "ScheduleKeyDeletion": schedule_key_deletion,
}
