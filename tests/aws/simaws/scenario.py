# SPDX-License-Identifier: Apache-2.0
"""Scenario files: JSON that describes accounts, users, roles, trails and topics. The control interface takes the same
entries one by one, so that a test and a file say the same thing in the same words."""

import json

from . import destinations, imds, trails
from .state import Organization

MEMBERS = ("accounts", "organization", "users", "roles", "trails", "topics", "buckets", "kms_keys", "imds", "settings", "faults")


def load_file(state, faults, path):
    with open(path, encoding="utf-8") as file:
        load(state, faults, json.load(file))


def load(state, faults, scenario):
    """Add everything in a scenario to the state. Raises ValueError or TypeError for what does not belong."""
    unknown = {name for name in scenario if not name.startswith("_")} - set(MEMBERS)
    if unknown:
        raise ValueError(f"unknown in a scenario: {', '.join(sorted(unknown))}")
    with state.changed:
        for account in scenario.get("accounts", []):
            state.add_account(**account)
        if "organization" in scenario:
            set_organization(state, **scenario["organization"])
        for user in scenario.get("users", []):
            state.add_user(**user)
        for role in scenario.get("roles", []):
            state.add_role(**role)
        for topic in scenario.get("topics", []):
            state.add_topic(**topic)
        for trail in scenario.get("trails", []):
            add_trail(state, **trail)
        state.buckets.update(scenario.get("buckets", {}))
        for arn, fields in scenario.get("kms_keys", {}).items():
            set_kms_key(state, arn, **fields)
        if "imds" in scenario:
            state.imds = imds.Instance(state, **scenario["imds"])
        set_settings(state, scenario.get("settings", {}))
        for fault in scenario.get("faults", []):
            faults.add(fault)
        destinations.note(state)
        state.changed.notify_all()


def set_organization(state, management, members=(), id="o-exampleorgid", delegated=(), trusted_access=True):
    state.organizations[id] = Organization(id, management, list(members), list(delegated), trusted_access)
    for account in (management, *members):
        state.account(account)


def set_kms_key(state, arn, /, **fields):
    unknown = set(fields) - {"state", "deletion", "manager", "store", "policy"}
    if unknown:
        raise ValueError(f"a KMS key has no {', '.join(sorted(unknown))}")
    state.kms[arn] = {"state": "Enabled", **state.kms.get(arn, {}), **fields}
    return state.kms[arn]


def set_settings(state, settings):
    for name, value in settings.items():
        if name not in state.settings and name not in ("page_size", "session_seconds", "empty_page"):
            raise ValueError(f"no such setting: {name}")
        state.settings[name] = value


def add_trail(state, name, account, region, settings=None, logging=True, age=86400, event_selectors=None,
              advanced_event_selectors=None, insight_selectors=None, event_configuration=None, tags=None, **shorthand):
    """`settings` in the names of the Trail shape; `age` is how many seconds ago a logging trail was started.
    Members of the Trail shape may also stand beside `name`."""
    trails.check_name(name)
    if region not in state.account(account).regions:
        raise ValueError(f"region {region} is not enabled in account {account}")
    full = {"S3BucketName": f"{name.lower().replace('_', '-')}-logs", **(settings or {}), **shorthand}
    trail = trails.create(state, account, region, name, full, selectors=event_selectors,
                          advanced=advanced_event_selectors, insights=insight_selectors or [], tags=tags or {},
                          configuration=event_configuration or {})
    if logging:
        trail.logging, trail.started = True, round(state.now() - age, 3)
    return trail
