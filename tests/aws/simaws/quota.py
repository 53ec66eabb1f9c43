# SPDX-License-Identifier: Apache-2.0
"""AWS's published request rates for CloudTrail, per account and region; off unless the setting `quotas` is true.
Get, Describe and List share 10 a second, LookupEvents has 2, everything else 1 (CloudTrail user guide, Quotas)."""

import time

from .errors import AwsError

RATES = {"read": 10.0, "lookup": 2.0, "write": 1.0}


def class_of(operation):
    if operation == "LookupEvents":
        return "lookup"
    return "read" if operation.startswith(("Get", "Describe", "List")) else "write"


class Quotas:
    """Token buckets that hold one second's worth."""

    def __init__(self, state):
        self.state = state
        self.buckets = {}

    def take(self, call):
        if not self.state.settings["quotas"] or call.service != "cloudtrail":
            return
        kind = class_of(call.operation)
        rate, now = RATES[kind], time.monotonic()
        with self.state.lock:
            level, then = self.buckets.get((call.account, call.region, kind), (rate, now))
            level = min(rate, level + (now - then) * rate)
            short = level < 1
            self.buckets[call.account, call.region, kind] = (level if short else level - 1, now)
        if short:
            raise AwsError("ThrottlingException", "Rate exceeded")
