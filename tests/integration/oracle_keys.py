# SPDX-License-Identifier: Apache-2.0
"""Comes by credentials as botocore does, case after case, for test_credentials_oracle.py: the same lines in and
out as credentials_helper."""

import calendar
import datetime
import hashlib
import json
import os
import sys
from types import SimpleNamespace

import botocore.session


def assume_role(source):
    def call(RoleArn, RoleSessionName, ExternalId="", DurationSeconds=3600, **_):  # noqa: N803
        said = [source, RoleArn, ExternalId, str(DurationSeconds)]
        key = hashlib.sha256("|".join(said).encode()).hexdigest()
        return {"Credentials": {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t",
                                "Expiration": datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)}}
    return SimpleNamespace(assume_role=call)


def answer(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    session = botocore.session.Session()
    session.create_client = lambda service, aws_access_key_id=None, **_: assume_role(aws_access_key_id)
    try:
        found = session.get_credentials()
        if found is None:
            return {"message": "no source has credentials"}
        keys = found.get_frozen_credentials()
        until = getattr(found, "_expiry_time", None)
        return {"key": keys.access_key, "secret": keys.secret_key, "token": keys.token or None,
                "expires": calendar.timegm(until.utctimetuple()) if until else 0}
    except Exception as error:  # whatever it raises is its way to say no
        return {"message": f"{type(error).__name__}: {error}"}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
