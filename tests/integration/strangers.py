# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for AWS that others wrote, in little: one trail, one topic, and each the habits of one that is in use. They share
no code with the simulated AWS of tests/aws but its sockets, and check nothing that is asked."""

import json
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl

from simaws.http import Listener, Response

ACCOUNT, REGION, NAME = "123456789012", "us-east-1", "main"
ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{NAME}"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
PAGE = "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"


def answer_json(value, status=200, kind="application/x-amz-json-1.1", headers=()):
    return Response(status, [("Content-Type", kind), *headers], json.dumps(value).encode())


def answer_xml(text, status=200):
    return Response(status, [("Content-Type", "text/xml")], text.encode())


def answer_html(status, text=PAGE):
    return Response(status, [("Content-Type", "text/html; charset=utf-8")], text.encode())


def unknown_operation(_):
    return answer_json({"__type": "UnknownOperationException", "message": ""}, 400)


def dropped(_):
    response = Response()
    response.pieces = []
    return response


class Naive:
    """What is written in an hour to test this program: no more calls than restarting and telling needs. `missing` answers
    every other one."""

    def __init__(self, missing=unknown_operation, host="127.0.0.1", context=None):
        self.missing = missing
        self.logging, self.started, self.stopped, self.there = True, time.time() - 3600, None, True
        self.published, self.asked = [], []
        self.listener = Listener(type(self).__name__, host, 0, self.answer, context)
        self.listener.start()
        self.url = self.listener.url

    def close(self):
        self.listener.stop()

    def answer(self, request):
        name = (request.header("x-amz-target") or "").rpartition(".")[2]
        form = {} if name else dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        operation = name or form.get("Action", f"{request.method} {request.path}?{request.query}")
        body = json.loads(request.body) if name else form
        self.asked.append(operation)
        method = getattr(self, operation, None) if operation.isalpha() else None
        if name and not self.there and NAME in body.get("Name", body.get("TrailName", "")) and operation != "CreateTrail":
            return answer_json({"__type": "TrailNotFoundException", "message": f"Unknown trail: {body}"}, 400)
        return method(body) if method else self.missing(operation)

    def delete(self):
        self.there = False

    def stop(self):
        self.logging, self.stopped = False, time.time()

    def start(self):
        self.logging, self.started = True, time.time()

    def time(self, seconds):
        return seconds

    def trail(self):
        return {"Name": NAME, "TrailARN": ARN, "HomeRegion": REGION, "S3BucketName": "logs"}

    def events(self):
        """Of what was published."""
        return [json.loads(json.loads(form["Message"])["sqs"])["event"] for form in self.published]

    def DescribeTrails(self, _):
        return answer_json({"trailList": [self.trail()] if self.there else []})

    def GetTrailStatus(self, _):
        status = {"IsLogging": self.logging, "StartLoggingTime": self.time(self.started)}
        return answer_json({**status, "StopLoggingTime": self.time(self.stopped)} if self.stopped else status)

    def StartLogging(self, _):
        self.start()
        return answer_json({})

    def CreateTrail(self, _):
        self.there, self.logging, self.stopped = True, False, None
        return answer_json(self.trail())

    def Publish(self, form):
        self.published.append(form)
        return answer_xml("<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>")


class Texts(Naive):
    """Times as text, and none as the empty one; errors with their code in a header alone; no HomeRegion."""

    def time(self, seconds):
        return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None).isoformat()

    def __init__(self, **options):
        super().__init__(lambda _: answer_json({"message": "no"}, 400, "application/json",
                                               [("x-amzn-errortype", "UnknownOperationException:http://x/")]), **options)

    def trail(self):
        return {name: value for name, value in super().trail().items() if name != "HomeRegion"}

    def GetTrailStatus(self, _):
        return answer_json({"IsLogging": self.logging, "StartLoggingTime": self.time(self.started),
                            "StopLoggingTime": self.time(self.stopped) if self.stopped else "", "LatestDeliveryTime": ""})


class Names(Naive):
    """Some keep their trails by name, and know no other way to one; times are those of the trail's creation, with nanoseconds
    and an offset. Three that are in public do."""

    def __init__(self, **options):
        super().__init__(lambda name: answer_json({"__type": "InvalidRequest", "message": f"Unknown action: {name}"}, 400), **options)

    def known(self, body, method):
        if body["Name"] != NAME:
            return answer_json({"__type": "TrailNotFoundException", "message": f"trail '{body['Name']}' not found"}, 404)
        return method(self, body)

    def time(self, _):
        return "2026-11-30T10:00:00.123456789+00:00"

    def GetTrailStatus(self, body):
        return self.known(body, lambda *_: answer_json({"IsLogging": self.logging, "LatestDeliveryTime": self.time(0),
                                                        "StartLoggingTime": self.time(0)}))

    def StartLogging(self, body):
        return self.known(body, Naive.StartLogging)


class Moto(Naive):
    """moto 5.2: it starts a trail by its name alone, and what it does not have or does not expect is an HTML page."""

    def __init__(self, **options):
        super().__init__(lambda _: answer_html(500), **options)
        self.tags = []

    def trail(self):
        return {"Name": NAME, "S3BucketName": "logs", "IncludeGlobalServiceEvents": True, "IsMultiRegionTrail": False,
                "TrailARN": ARN, "LogFileValidationEnabled": False, "IsOrganizationTrail": False,
                "HasCustomEventSelectors": False, "HasInsightSelectors": False, "CloudWatchLogsLogGroupArn": None,
                "CloudWatchLogsRoleArn": None, "KmsKeyId": None, "HomeRegion": REGION}

    def time(self, seconds):
        return int(seconds)

    def GetTrailStatus(self, _):
        status = {"IsLogging": self.logging, "LatestDeliveryAttemptTime": "", "LatestNotificationAttemptTime": "",
                  "LatestNotificationAttemptSucceeded": "", "LatestDeliveryAttemptSucceeded": "",
                  "TimeLoggingStarted": "2026-11-30T10:00:00Z", "TimeLoggingStopped": "",
                  "StartLoggingTime": int(self.started), "LatestDeliveryTime": int(time.time())}
        return answer_json({**status, "StopLoggingTime": int(self.stopped)} if self.stopped else status)

    def StartLogging(self, body):
        return super().StartLogging(body) if body["Name"] == NAME else answer_html(500)

    def GetEventSelectors(self, _):
        return answer_json({"TrailARN": ARN, "EventSelectors": [], "AdvancedEventSelectors": []})

    def ListTags(self, _):
        return answer_json({"ResourceTagList": [{"ResourceId": ARN, "TagsList": self.tags}]})

    def GetCallerIdentity(self, _):
        return answer_xml(f"""<?xml version="1.0" encoding="utf-8"?>
<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<UserId>AKIAIOSFODNN7EXAMPLE</UserId><Account>{ACCOUNT}</Account><Arn>arn:aws:sts::{ACCOUNT}:user/moto</Arn>
</GetCallerIdentityResult><ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata></GetCallerIdentityResponse>""")


class Ministack(Moto):
    """One dictionary is all that it keeps of a trail, and all of it is listed; when a trail was stopped is shown until it is
    started; errors are 404 for what is not there, and InvalidParameterException for a call that is not."""

    def __init__(self, **options):
        super().__init__(**options)
        self.missing = lambda name: answer_json({"__type": "InvalidParameterException",
                                                 "message": f"Unknown CloudTrail action: {name!r}"}, 400)

    def trail(self):
        kept = {"Name": NAME, "S3BucketName": "logs", "S3KeyPrefix": "", "SnsTopicName": "", "IncludeGlobalServiceEvents": True,
                "IsMultiRegionTrail": False, "LogFileValidationEnabled": False, "HomeRegion": REGION, "TrailARN": ARN,
                "HasCustomEventSelectors": False, "HasInsightSelectors": False, "IsOrganizationTrail": False,
                "IsLogging": self.logging, "_StartedAt": int(self.started)}
        return {**kept, "_StoppedAt": int(self.stopped)} if self.stopped else kept

    def start(self):
        super().start()
        self.stopped = None

    def GetTrailStatus(self, _):
        return answer_json({"IsLogging": self.logging, "LatestDeliveryTime": int(self.stopped or time.time()),
                            "StartLoggingTime": int(self.started), "StopLoggingTime": self.stopped and int(self.stopped),
                            "LatestDeliveryError": "", "LatestNotificationError": ""})

    def StartLogging(self, body):
        return Naive.StartLogging(self, body)

    def LookupEvents(self, _):
        return answer_json({"Events": []})
