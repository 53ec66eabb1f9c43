# SPDX-License-Identifier: Apache-2.0
"""The simulated AWS, driven by boto3, the aws command and raw sockets. What is wrong here makes every other test lie."""

import gzip
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from simaws.client import PATIENCE, AwsCliError, SimAWS, poll  # noqa: E402

MAIN, MEMBER = "111122223333", "444455556666"
HOME = "eu-central-1"
ORG_TRAIL = f"arn:aws:cloudtrail:{HOME}:{MAIN}:trail/org-trail"
TOPIC = f"arn:aws:sns:{HOME}:{MAIN}:trailguard"
FIFO = f"arn:aws:sns:{HOME}:{MAIN}:trailguard.fifo"
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."


def begin(server):
    server.reset()
    with open(os.path.join(os.path.dirname(__file__), "scenarios", "demo.json"), encoding="utf-8") as file:
        server.load(json.load(file))


@pytest.fixture(scope="module")
def server():
    with SimAWS() as running:
        yield running


@pytest.fixture
def sim(server):
    """The demonstration scenario, fresh for each test; bad signatures and shapes fail the test unless cleared."""
    begin(server)
    yield server
    server.assert_clean()


def code(error):
    return error.value.response["Error"]["Code"]


def refused(call, **arguments):
    """(code, HTTP status, message) of a call that must fail."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    answer = error.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


class Raw:
    """A hand-made signed request, with every part open to mischief."""

    def __init__(self, sim, user="guard", service="cloudtrail", region=HOME, body=b'{"Name":"org-trail"}',
                 operation="GetTrailStatus", path="/"):
        self.path = path
        self.sim, self.service, self.region, self.body = sim, service, region, body
        self.key = sim.keys_of(user)
        self.headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": TARGET + operation}

    def sign(self):
        request = AWSRequest("POST", self.sim.url + self.path, headers=dict(self.headers), data=self.body)
        credentials = Credentials(self.key["access_key"], self.key["secret"], self.key.get("token"))
        SigV4Auth(credentials, self.service, self.region).add_auth(request)
        self.headers = dict(request.headers.items())
        return self

    def send(self):
        connection = http.client.HTTPConnection(self.sim.url.removeprefix("http://"), timeout=PATIENCE)
        connection.request("POST", self.path, self.body, self.headers)
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())

    def code(self):
        status, body, _ = self.send()
        return status, json.loads(body).get("__type")


# -- signatures ------------------------------------------------------------------------------------------------------
def test_a_good_signature_is_taken(sim):
    assert Raw(sim).sign().send()[0] == 200
    assert Raw(sim, operation="GetTrail").sign().send()[0] == 200


@pytest.mark.parametrize("part", ["secret", "body", "header", "signature", "region", "no host", "target unsigned",
                                  "type unsigned"])
def test_a_bad_signature_is_refused_and_noted(sim, part):
    raw = Raw(sim)
    if part == "secret":
        raw.key = {**raw.key, "secret": raw.key["secret"][:-1] + "X"}
    if part == "target unsigned":
        del raw.headers["X-Amz-Target"]
    if part == "type unsigned":
        del raw.headers["Content-Type"]
    raw.sign()
    authorization = raw.headers["Authorization"]
    changes = {
        "body": lambda: setattr(raw, "body", b'{"Name":"another-trail"}'),
        "header": lambda: raw.headers.update({"X-Amz-Target": TARGET + "StopLogging"}),
        "signature": lambda: raw.headers.update(Authorization=authorization[:-1] + "g"),
        "region": lambda: raw.headers.update(Authorization=authorization.replace(HOME, "us-east-1")),
        "no host": lambda: raw.headers.update(Authorization=authorization.replace("host;", "")),
        "target unsigned": lambda: raw.headers.update({"X-Amz-Target": TARGET + "GetTrailStatus"}),
        "type unsigned": lambda: raw.headers.update({"Content-Type": "application/x-amz-json-1.1"}),
    }
    changes.get(part, lambda: None)()
    assert raw.code() == (400, "InvalidSignatureException")
    assert [failure["kind"] for failure in sim.clear_failures()] == ["signature"]
    assert sim.trail(ORG_TRAIL)["logging"]


def test_missing_and_mutilated_authorization(sim):
    raw = Raw(sim)
    assert raw.code() == (400, "MissingAuthenticationTokenException")
    raw.sign()
    raw.headers["Authorization"] = raw.headers["Authorization"].replace("/aws4_request", "")
    assert raw.code() == (400, "IncompleteSignatureException")
    assert len(sim.clear_failures()) == 2


def test_a_wrong_secret_in_the_query_protocol(sim):
    sim.call("key", access_key=sim.keys_of("guard")["access_key"], secret="another")
    assert refused(sim.boto3("guard", "sts").get_caller_identity)[:2] == ("SignatureDoesNotMatch", 403)
    sim.add_keys("nobody", "AKIANOBODY", "x")
    assert refused(sim.boto3("nobody", "sts").get_caller_identity)[:2] == ("InvalidClientTokenId", 403)
    assert refused(sim.boto3("nobody", "cloudtrail").list_trails)[:2] == ("UnrecognizedClientException", 400)
    assert [failure["kind"] for failure in sim.clear_failures()] == ["signature", "credentials", "credentials"]


def test_session_tokens_and_expiry(sim):
    key = sim.add_user("temporary", MAIN, token="TOKEN/EXAMPLE+==", expires=time.time() + 600)
    assert sim.boto3("temporary", "sts").get_caller_identity()["Account"] == MAIN
    assert sim.boto3("temporary", "cloudtrail").list_trails()["Trails"]
    sim.add_keys("tokenless", key["access_key"], key["secret"])
    assert refused(sim.boto3("tokenless", "cloudtrail").list_trails)[0] == "UnrecognizedClientException"
    sim.call("key", access_key=key["access_key"], expires=time.time() - 1)
    assert refused(sim.boto3("temporary", "cloudtrail").list_trails)[:2] == ("ExpiredTokenException", 400)
    assert refused(sim.boto3("temporary", "sns").list_topics)[:2] == ("ExpiredToken", 403)


def test_the_clock_window(sim):
    for offset, word in ((600, "earlier"), (-600, "later")):
        sim.clock(offset)
        name, status, message = refused(sim.boto3("guard", "cloudtrail").list_trails)
        assert (name, status) == ("InvalidSignatureException", 400) and word in message
    sim.clock(280)
    assert sim.boto3("guard", "cloudtrail").list_trails()["Trails"]
    assert {failure["kind"] for failure in sim.clear_failures()} == {"skew"}


def test_a_region_that_is_not_enabled(sim):
    assert refused(sim.boto3("guard", "cloudtrail", "eu-west-1").list_trails)[0] == "UnrecognizedClientException"


# -- shapes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"Name":7}', b'{"Name":"org-trail","Nome":1}', b'{"Name":null}',
                                  b'{"Name":"org-trail","Name":"org-trail"}', b"\xff", b"[" * 100000])
def test_a_bad_shape_is_refused_and_noted(sim, body):
    assert Raw(sim, body=body).sign().code() == (400, "SerializationException")
    assert [failure["kind"] for failure in sim.clear_failures()] == ["shape"]


def test_a_control_call_that_failed_is_not_in_the_way_of_the_next(sim, monkeypatch):
    def late(_connection):
        raise TimeoutError

    with monkeypatch.context() as patch, pytest.raises(TimeoutError):
        patch.setattr(http.client.HTTPConnection, "getresponse", late)
        sim.requests()
    assert sim.requests() == []


def test_envelopes(sim):
    raw = Raw(sim)
    raw.headers["Content-Type"] = "application/json"
    assert raw.sign().send()[0] == 400
    assert Raw(sim, operation="GetTrailStatuz").sign().code() == (400, "UnknownOperationException")
    raw = Raw(sim)
    raw.headers["X-Amz-Target"] = "CloudTrail_20131101.GetTrailStatus"
    assert raw.sign().send()[0] == 200      # the short form is good, too
    form = Raw(sim, service="sns", body=b"Action=Publish&Version=2010-03-31&TopicArn=x&Message=m&Massage=n")
    form.headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert form.sign().send()[0] == 400
    assert len(sim.clear_failures()) == 3


def test_a_time_is_a_number(sim):
    raw = Raw(sim, operation="LookupEvents", body=b'{"StartTime":"2026-01-01T00:00:00Z"}')
    assert raw.sign().code() == (400, "SerializationException") and sim.clear_failures()
    assert Raw(sim, operation="LookupEvents", body=b'{"StartTime":1767225600,"MaxResults":50}').sign().send()[0] == 200
    assert Raw(sim, operation="LookupEvents", body=b'{"MaxResults":true}').sign().send()[0] == 400
    assert sim.clear_failures()


def test_what_we_answer_is_held_against_the_model(sim):
    sim.trail(ORG_TRAIL, status={"IsLogging": "yes"})
    assert Raw(sim).sign().send()[0] == 500
    sim.trail(ORG_TRAIL, status={"IsLoging": True})
    assert Raw(sim).sign().send()[0] == 500
    assert [failure["kind"] for failure in sim.clear_failures()] == ["self", "self"]


def test_enumerations_are_checked(sim):
    client = sim.boto3("mallory", "cloudtrail")
    assert refused(client.put_event_selectors, TrailName="org-trail",
                   EventSelectors=[{"ReadWriteType": "None"}])[0] == "ValidationException"
    assert [failure["kind"] for failure in sim.clear_failures()] == ["shape"]


# -- trails ----------------------------------------------------------------------------------------------------------
def test_stop_start_and_status(sim):
    client = sim.boto3("mallory", "cloudtrail")
    before = client.get_trail_status(Name="org-trail")
    assert before["IsLogging"] and "StopLoggingTime" not in before and "LatestDigestDeliveryTime" in before
    client.stop_logging(Name=ORG_TRAIL)
    stopped = client.get_trail_status(Name=ORG_TRAIL)
    assert not stopped["IsLogging"] and stopped["StopLoggingTime"] > stopped["StartLoggingTime"]
    client.start_logging(Name="org-trail")
    after = client.get_trail_status(Name="org-trail")
    assert after["IsLogging"] and after["StartLoggingTime"] > after["StopLoggingTime"]
    assert after["LatestDeliveryTime"] == stopped["LatestDeliveryTime"]
    client.start_logging(Name="org-trail")
    repeated = client.get_trail_status(Name="org-trail")
    assert (repeated["StartLoggingTime"], repeated["LatestDeliveryTime"]) == (after["StartLoggingTime"],
                                                                               after["LatestDeliveryTime"])
    sim.call("settings", signature_window=1000)
    sim.clock(301)
    assert client.get_trail_status(Name="org-trail")["LatestDeliveryTime"] > after["LatestDeliveryTime"]


def test_shadows(sim):
    client = sim.boto3("guard", "cloudtrail", "us-east-1")
    assert {trail["Name"]: trail["HomeRegion"] for trail in client.describe_trails()["trailList"]} == {
        "audit": "us-east-1", "org-trail": HOME}
    assert [trail["Name"] for trail in client.describe_trails(includeShadowTrails=False)["trailList"]] == ["audit"]
    assert client.get_trail_status(Name=ORG_TRAIL)["IsLogging"]
    assert refused(client.get_trail_status, Name="org-trail")[0] == "TrailNotFoundException"
    assert refused(client.start_logging, Name=ORG_TRAIL)[0] == "InvalidHomeRegionException"
    assert refused(client.get_trail_status, Name="arn:aws:cloudtrail:x")[0] == "CloudTrailARNInvalidException"
    assert refused(client.get_trail_status, Name="a")[0] == "InvalidTrailNameException"
    assert len(client.list_trails()["Trails"]) == 3
    assert client.describe_trails(trailNameList=["gone"])["trailList"] == []


def test_organization_trails_in_a_member_account(sim):
    sim.call("organization", management=MAIN, members=[MEMBER])
    sim.add_account(MEMBER, regions=[HOME, "us-east-1"])
    sim.add_user("member", MEMBER)
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    client = sim.boto3("member", "cloudtrail")
    seen = client.describe_trails()["trailList"]
    assert [(trail["TrailARN"], trail["IsOrganizationTrail"]) for trail in seen] == [(ORG_TRAIL, True)]
    assert client.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert client.get_trail_status(Name=ORG_TRAIL)["IsLogging"]
    name, _, text = refused(client.get_trail_status, Name="org-trail")
    assert name == "TrailNotFoundException" and f":{MEMBER}:trail/org-trail" in text
    assert refused(client.stop_logging, Name=ORG_TRAIL)[0] == "AccessDeniedException"
    sim.add_account(MEMBER, org_write_error="NotOrganizationMasterAccountException")
    assert refused(client.start_logging, Name=ORG_TRAIL)[0] == "NotOrganizationMasterAccountException"
    assert refused(client.list_tags, ResourceIdList=[ORG_TRAIL])[0] == "CloudTrailARNInvalidException"
    sim.call("organization", management=MAIN, members=[MEMBER], delegated=[MEMBER])
    client.stop_logging(Name=ORG_TRAIL)
    assert not sim.trail(ORG_TRAIL)["logging"]


def test_two_organizations_know_nothing_of_each_other(sim):
    sim.call("organization", management=MAIN, members=[MEMBER])
    others, admin = "777788889999", "666677778888"
    sim.call("organization", id="o-otherorgid", management=others, members=[admin], delegated=[admin])
    for account in (MEMBER, others, admin):
        sim.add_account(account, regions=[HOME, "us-east-1"])
        sim.add_user(f"of-{account}", account)
    sim.trail(ORG_TRAIL, settings={"IsOrganizationTrail": True})
    assert sim.boto3(f"of-{MEMBER}", "cloudtrail").describe_trails()["trailList"]
    foreign = sim.boto3(f"of-{admin}", "cloudtrail")
    assert foreign.describe_trails()["trailList"] == []
    assert refused(foreign.stop_logging, Name=ORG_TRAIL)[0] == "TrailNotFoundException"
    assert refused(foreign.list_tags, ResourceIdList=[ORG_TRAIL])[0] == "CloudTrailARNInvalidException"
    arn = foreign.create_trail(Name="theirs", S3BucketName="a-bucket", IsOrganizationTrail=True)["TrailARN"]
    assert f":{others}:" in arn
    head = sim.boto3(f"of-{others}", "organizations", "us-east-1")
    assert [entry["Id"] for entry in head.list_accounts()["Accounts"]] == [others, admin]
    head.deregister_delegated_administrator(AccountId=admin, ServicePrincipal="cloudtrail.amazonaws.com")
    assert refused(foreign.stop_logging, Name=arn)[0] == "AccessDeniedException"
    assert refused(sim.boto3(f"of-{admin}", "organizations", "us-east-1").list_accounts)[0] == "AccessDeniedException"
    head.disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    assert [sim.trail(each)["settings"]["IsOrganizationTrail"] for each in (ORG_TRAIL, arn)] == [True, False]


def test_update_create_delete(sim):
    client = sim.boto3("mallory", "cloudtrail")
    answer = client.update_trail(Name="org-trail", IsMultiRegionTrail=False, EnableLogFileValidation=False)
    assert not answer["IsMultiRegionTrail"] and not answer["IncludeGlobalServiceEvents"]
    assert refused(client.update_trail, Name="org-trail", IsMultiRegionTrail=True,
                   IncludeGlobalServiceEvents=False)[0] == "InvalidParameterCombinationException"
    answer = client.update_trail(Name="org-trail", IsMultiRegionTrail=True, KmsKeyId="1234", S3KeyPrefix="p")
    assert answer["IncludeGlobalServiceEvents"] and answer["KmsKeyId"].startswith(f"arn:aws:kms:{HOME}:{MAIN}:key/")
    assert "KmsKeyId" not in client.update_trail(Name="org-trail", KmsKeyId="")
    client.delete_trail(Name="org-trail")
    assert refused(client.get_trail, Name="org-trail")[2] == f"Unknown trail: {ORG_TRAIL} for the user: {MAIN}"
    sim.call("bucket", name="gone-bucket", missing=True)
    assert refused(client.create_trail, Name="org-trail", S3BucketName="gone-bucket")[0] == "S3BucketDoesNotExistException"
    client.create_trail(Name="org-trail", S3BucketName="a-bucket", TagsList=[{"Key": "team", "Value": "sec"}])
    assert "StartLoggingTime" not in client.get_trail_status(Name="org-trail")
    assert client.list_tags(ResourceIdList=[ORG_TRAIL])["ResourceTagList"][0]["TagsList"] == [{"Key": "team", "Value": "sec"}]
    assert refused(client.create_trail, Name="org-trail", S3BucketName="a-bucket")[0] == "TrailAlreadyExistsException"
    for number in range(4):
        client.create_trail(Name=f"more-{number}", S3BucketName="a-bucket")
    assert refused(client.create_trail, Name="one-more", S3BucketName="a-bucket")[0] == "MaximumNumberOfTrailsExceededException"


def test_selectors_and_insights(sim):
    client = sim.boto3("mallory", "cloudtrail")
    basic = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": [],
              "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]
    assert client.get_event_selectors(TrailName="org-trail")["EventSelectors"][0]["ReadWriteType"] == "All"
    assert client.put_event_selectors(TrailName="org-trail", EventSelectors=basic)["EventSelectors"] == basic
    assert client.get_trail(Name="org-trail")["Trail"]["HasCustomEventSelectors"]
    advanced = [{"Name": "m", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    client.put_event_selectors(TrailName="org-trail", AdvancedEventSelectors=advanced)
    answer = client.get_event_selectors(TrailName="org-trail")
    assert answer["AdvancedEventSelectors"] == advanced and "EventSelectors" not in answer
    assert refused(client.put_event_selectors, TrailName="org-trail", EventSelectors=basic * 6)[0] == "InvalidEventSelectorsException"
    assert refused(client.get_insight_selectors, TrailName="org-trail")[0] == "InsightNotEnabledException"
    client.put_insight_selectors(TrailName="org-trail", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    assert client.get_insight_selectors(TrailName="org-trail")["InsightSelectors"] == [{"InsightType": "ApiCallRateInsight"}]
    assert client.get_trail(Name="org-trail")["Trail"]["HasInsightSelectors"]
    body = b'{"TrailName":"org-trail","InsightSelectors":[{"InsightType":"ApiCallRateInsight","EventCategories":["Data"]}]}'
    assert Raw(sim, "mallory", operation="PutInsightSelectors", body=body).sign().send()[0] == 200    # newer than botocore 1.29


def test_event_history(sim):
    sim.call("settings", history_delay=60)
    client = sim.boto3("mallory", "cloudtrail")
    client.stop_logging(Name="org-trail")
    look = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "org-trail"}]}
    assert client.lookup_events(**look)["Events"] == []
    sim.clock(61)
    event = client.lookup_events(**look)["Events"][0]
    record = json.loads(event["CloudTrailEvent"])
    assert (event["EventName"], event["Username"], event["ReadOnly"]) == ("StopLogging", "mallory", "false")
    assert record["userIdentity"]["arn"] == f"arn:aws:iam::{MAIN}:user/mallory"
    assert record["requestParameters"] == {"name": "org-trail"} and record["sourceIPAddress"] == "203.0.113.7"
    assert "Boto3" in record["userAgent"] and record["responseElements"] is None
    sim.clock(0)
    for _ in range(3):
        client.start_logging(Name=ORG_TRAIL)
    sim.clock(61)
    pages = list(client.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Events"]) for page in pages] == [2, 2]
    token = client.lookup_events(MaxResults=2)["NextToken"]
    assert refused(client.lookup_events, MaxResults=3, NextToken=token)[0] == "InvalidNextTokenException"
    assert sim.boto3("guard", "cloudtrail", "us-east-1").lookup_events()["Events"] == []


def test_denied_calls_are_recorded(sim):
    sim.add_user("weak", MAIN, policy=[{"Sid": "Read", "Effect": "Allow", "Action": "cloudtrail:Get*", "Resource": "*"}])
    client = sim.boto3("weak", "cloudtrail")
    assert client.get_trail_status(Name="org-trail")["IsLogging"]
    name, status, text = refused(client.stop_logging, Name="org-trail")
    assert (name, status) == ("AccessDeniedException", 403)
    assert text == (f"User: arn:aws:iam::{MAIN}:user/weak is not authorized to perform: cloudtrail:StopLogging on resource: "
                    f"{ORG_TRAIL} because no identity-based policy allows the cloudtrail:StopLogging action")
    assert sim.events(EventName="StopLogging")[0]["errorCode"] == "AccessDenied"
    assert refused(client.stop_logging, Name="no-such-trail")[0] == "AccessDeniedException"    # decided before the look-up
    policy = {"Statement": [{"Sid": "Read"}, {"Sid": "Idle"}]}
    assert sim.unused_statements(policy, f"arn:aws:iam::{MAIN}:user/weak") == ["Idle"]


def test_service_control_policy(sim):
    sim.add_account(MAIN, scp=[
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Sid": "Protect", "Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*",
         "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/guard"}}}])
    assert "explicit deny in a service control policy" in refused(
        sim.boto3("mallory", "cloudtrail").stop_logging, Name="org-trail")[2]
    sim.boto3("guard", "cloudtrail").stop_logging(Name="org-trail")


def test_quotas(sim):
    sim.call("settings", quotas=True)
    client = sim.boto3("guard", "cloudtrail")
    client.start_logging(Name="org-trail")
    assert refused(client.start_logging, Name="org-trail")[0] == "ThrottlingException"
    assert client.get_trail_status(Name="org-trail")


# -- STS -------------------------------------------------------------------------------------------------------------
def test_assume_role(sim):
    role = sim.add_role("TrailGuardMember", MEMBER, trust=[{
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{MAIN}:user/guard"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "secret-id"}}}])
    sts = sim.boto3("guard", "sts")
    arguments = {"RoleArn": role, "RoleSessionName": "trailguard-host"}
    assert refused(sts.assume_role, **arguments)[:2] == ("AccessDenied", 403)
    assert refused(sts.assume_role, ExternalId="other", **arguments)[0] == "AccessDenied"
    assert refused(sim.boto3("mallory", "sts").assume_role, ExternalId="secret-id", **arguments)[0] == "AccessDenied"
    assert refused(sts.assume_role, ExternalId="secret-id", DurationSeconds=7200, **arguments)[0] == "ValidationError"
    answer = sts.assume_role(ExternalId="secret-id", **arguments)
    credentials = answer["Credentials"]
    sim.add_keys("session", credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"])
    who = sim.boto3("session", "sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:sts::{MEMBER}:assumed-role/TrailGuardMember/trailguard-host" == answer["AssumedRoleUser"]["Arn"]
    assert credentials["Expiration"].timestamp() == pytest.approx(time.time() + 3600, abs=30)
    sim.boto3("session", "cloudtrail").create_trail(Name="theirs", S3BucketName="a-bucket")
    identity = sim.events(EventName="CreateTrail")[0]["userIdentity"]
    assert identity["type"] == "AssumedRole" and identity["sessionContext"]["sessionIssuer"]["userName"] == "TrailGuardMember"


# -- SNS -------------------------------------------------------------------------------------------------------------
def test_publish(sim):
    sns = sim.boto3("guard", "sns")
    texts = {"default": "d", "email": "é mail", "sqs": '{"a":1}', "odd": "ignored"}
    answer = sns.publish(TopicArn=TOPIC, Subject="[TrailGuard] stopped", Message=json.dumps(texts), MessageStructure="json",
                         MessageAttributes={"severity": {"DataType": "String", "StringValue": "critical"}})
    message = sim.wait_for_message(TOPIC)
    assert message["MessageId"] == answer["MessageId"]
    assert message["received"]["email"] == {"Subject": "[TrailGuard] stopped", "Body": "é mail"}
    assert message["received"]["sms"] == "d" and message["received"]["sqs"]["Message"] == '{"a":1}'
    assert message["received"]["sqs"]["MessageAttributes"] == {"severity": {"Type": "String", "Value": "critical"}}


@pytest.mark.parametrize("change, wanted", [
    ({"Subject": "x" * 100}, "InvalidParameter"), ({"Subject": " x"}, "InvalidParameter"),
    ({"Subject": "a\nb"}, "InvalidParameter"), ({"Subject": "é"}, "InvalidParameter"), ({"Message": ""}, "InvalidParameter"),
    ({"Message": "{", "MessageStructure": "json"}, "InvalidParameter"),
    ({"Message": '{"email":"x"}', "MessageStructure": "json"}, "InvalidParameter"),
    ({"Message": '{"default":"x","default":"y"}', "MessageStructure": "json"}, "InvalidParameter"),
    ({"Message": "x" * 262145}, "InvalidParameter"), ({"Message": "x" * 262144}, None),
    ({"MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}}, "ParameterValueInvalid"),
    ({"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}}, "ParameterValueInvalid"),
    ({"MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}}, "ParameterValueInvalid"),
    ({"MessageDeduplicationId": "x"}, "InvalidParameter"), ({"MessageGroupId": "x"}, None),
    ({"TopicArn": TOPIC.replace(HOME, "us-east-1")}, "InvalidParameter"), ({"TopicArn": TOPIC + "x"}, "NotFound"),
    ({"TopicArn": "nonsense"}, "InvalidParameter"),
])
def test_publish_is_validated(sim, change, wanted):
    arguments = {"TopicArn": TOPIC, "Message": "m", **change}
    if wanted is None:
        sim.boto3("guard", "sns").publish(**arguments)
        assert len(sim.messages(TOPIC)) == 1
    else:
        name, status, _ = refused(sim.boto3("guard", "sns").publish, **arguments)
        assert (name, status) == (wanted, 404 if wanted == "NotFound" else 400)
        assert sim.messages(TOPIC) == []


def test_fifo(sim):
    sns = sim.boto3("guard", "sns")
    sim.add_topic(FIFO)
    assert refused(sns.publish, TopicArn=FIFO, Message="m", MessageDeduplicationId="d")[0] == "InvalidParameter"
    assert refused(sns.publish, TopicArn=FIFO, Message="m", MessageGroupId="g")[0] == "InvalidParameter"
    arguments = {"TopicArn": FIFO, "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first = sns.publish(**arguments)
    assert sns.publish(**arguments)["MessageId"] == first["MessageId"] and first["SequenceNumber"]
    sns.publish(**{**arguments, "MessageDeduplicationId": "e"})
    assert [message["MessageDeduplicationId"] for message in sim.messages(FIFO)] == ["d", "e"]
    assert sim.call("published", topic=FIFO) == {"accepted": 3, "delivered": 2}
    sim.call("settings", signature_window=1000)
    sim.clock(301)
    sns.publish(**arguments)
    assert len(sim.messages(FIFO)) == 3


def test_topic_deleted_and_denied(sim):
    sns = sim.boto3("guard", "sns")
    sim.call("topic", arn=TOPIC, policy=[{"Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": TOPIC}])
    name, status, text = refused(sns.publish, TopicArn=TOPIC, Message="m")
    assert (name, status) == ("AuthorizationError", 403) and "explicit deny in a resource-based policy" in text
    sim.boto3("mallory", "sns").delete_topic(TopicArn=TOPIC)
    assert refused(sns.publish, TopicArn=TOPIC, Message="m")[:2] == ("NotFound", 404)


def test_a_topic_of_another_account(sim):
    sim.add_user("other", MEMBER)
    sns = sim.boto3("other", "sns")
    assert refused(sns.publish, TopicArn=TOPIC, Message="m")[0] == "AuthorizationError"
    sim.call("topic", arn=TOPIC, policy=[{"Effect": "Allow", "Principal": {"AWS": MEMBER}, "Action": "SNS:Publish", "Resource": TOPIC}])
    sns.publish(TopicArn=TOPIC, Message="m")


# -- faults ----------------------------------------------------------------------------------------------------------
def get(sim, **arguments):
    """One signed GetTrailStatus; (status, body, headers)."""
    return Raw(sim, **arguments).sign().send()


def test_fault_selection(sim):
    sim.add_fault("throttle", region=HOME, operation="GetTrailStatus", trail="org-trail", count=2, skip=1)
    ct = sim.boto3("guard", "cloudtrail")
    assert ct.get_trail_status(Name="org-trail")
    assert refused(ct.get_trail_status, Name=ORG_TRAIL) == ("ThrottlingException", 429, "Rate exceeded")
    assert sim.boto3("guard", "cloudtrail", "us-east-1").get_trail_status(Name="audit")
    assert refused(ct.get_trail_status, Name="org-trail")[0] == "ThrottlingException"
    assert ct.get_trail_status(Name="org-trail") and sim.call("faults") == []
    with pytest.raises(Exception, match="unknown fault kind"):
        sim.add_fault("nonsense")


def test_fault_errors(sim):
    ct, sns = sim.boto3("guard", "cloudtrail"), sim.boto3("guard", "sns")
    with sim.fault("denied"):
        assert f"cloudtrail:GetTrailStatus on resource: {ORG_TRAIL} because" in refused(ct.get_trail_status, Name="org-trail")[2]
        assert refused(sns.publish, TopicArn=TOPIC, Message="m")[:2] == ("AuthorizationError", 403)
    with sim.fault("expired"):
        assert refused(ct.list_trails)[0] == "ExpiredTokenException"
        assert refused(sns.list_topics)[:2] == ("ExpiredToken", 403)
    with sim.fault("error", code="ConflictException", message="busy"):
        assert refused(ct.start_logging, Name="org-trail") == ("ConflictException", 409, "busy")
    with sim.fault("throttle"), sim.fault("type_form", form="both"), sim.fault("message_key", key="Message"):
        body = json.loads(get(sim)[1])
        assert body["__type"].endswith("/com.amazon.coral/") and "#ThrottlingException:" in body["__type"]
        assert body["Message"] == "Rate exceeded" and refused(ct.list_trails)[0].startswith("ThrottlingException")
    with sim.fault("throttle"), sim.fault("type_form", form="header"):
        _, body, headers = get(sim)
        assert "__type" not in json.loads(body) and headers["x-amzn-ErrorType"] == "ThrottlingException:"


def test_fault_answers(sim):
    for kind, fields, wanted in (
            ("http500", {}, (500, b"<html>")), ("http503", {}, (503, b"<html>")), ("empty500", {}, (500, b"")),
            ("garbage", {}, (200, b"\x00\xff")), ("json", {"value": []}, (200, b"[]")), ("json", {"value": 7}, (200, b"7")),
            ("deep", {"depth": 1000}, (200, b'{"a":{"a":')), ("empty", {}, (200, b"")),
            ("redirect", {"location": "http://127.0.0.1:1/", "status": 302}, (302, b"")),
            ("answer", {"status": 418, "body": "tea", "headers": {"X-T": "1"}}, (418, b"tea"))):
        with sim.fault(kind, **fields):
            status, body, headers = get(sim)
            assert (status, body[:len(wanted[1])]) == wanted, kind
            assert kind != "redirect" or headers["Location"] == "http://127.0.0.1:1/"
    with sim.fault("oversize", bytes=8 << 20):
        assert len(get(sim)[1]) == 8 << 20
    with sim.fault("exponent"):
        assert b'"StartLoggingTime":1.' in get(sim)[1] and b"E9" in get(sim)[1]
        assert sim.boto3("guard", "cloudtrail").get_trail_status(Name="org-trail")["StartLoggingTime"].year >= 2020
    with sim.fault("members", members={"NewMember": {"x": [1]}}), sim.fault("remove_members", members=["IsLogging"]):
        body = json.loads(get(sim)[1])
        assert body["NewMember"] == {"x": [1]} and "IsLogging" not in body
    with sim.fault("headers", headers={"Retry-After": "7"}):
        assert get(sim)[2]["Retry-After"] == "7"


def test_fault_connections(sim):
    with sim.fault("truncate"), pytest.raises(http.client.IncompleteRead):
        get(sim)
    with sim.fault("reset"), pytest.raises(ConnectionResetError):
        get(sim)
    with sim.fault("closed"), pytest.raises(http.client.RemoteDisconnected):
        get(sim)
    for after, error in (("nothing", http.client.RemoteDisconnected), ("headers", http.client.IncompleteRead),
                         ("body", http.client.IncompleteRead)):
        with sim.fault("half_closed", after=after), pytest.raises(error):
            get(sim)
    for kind in ("header_flood", "line_flood"):
        with sim.fault(kind), pytest.raises(http.client.HTTPException, match="more than 100 headers"):
            get(sim)
    for kind, status in (("interim_flood", 103), ("upgrade", 101)):
        with sim.fault(kind):
            assert get(sim)[0] == status
    with sim.fault("compressed"):
        body = get(sim)[1]
        assert len(body) < 1 << 16 and len(gzip.decompress(body)) > 32 << 20
    with sim.fault("close"):
        assert get(sim)[2]["Connection"] == "close"
    with sim.fault("slow", seconds=0.3):
        begun = time.monotonic()
        assert get(sim)[0] == 200 and time.monotonic() - begun >= 0.3


def test_a_slow_request_does_not_act_on_what_comes_after_a_reset(sim):
    sim.add_fault("slow", operation="StopLogging", seconds=20, count=1)
    finished = []
    stop = sim.boto3("mallory", "cloudtrail").stop_logging
    thread = threading.Thread(target=lambda: finished.append(pytest.raises(BotoCoreError, stop, Name="org-trail")))
    thread.start()
    poll(lambda: sim.call("faults") == [], 5)       # it waits
    begin(sim)
    thread.join(5)
    assert finished and sim.trail(ORG_TRAIL)["logging"] is True
    assert sim.requests() == []


def test_a_hanging_answer(sim):
    fault = sim.add_fault("hang", count=1)
    finished = []
    thread = threading.Thread(target=lambda: finished.append(pytest.raises(http.client.RemoteDisconnected, get, sim)))
    thread.start()
    sim.wait_for_request(faults=[["hang"]])
    thread.join(0.3)
    assert thread.is_alive() and get(sim)[0] == 200
    sim.remove_fault(fault)
    thread.join(5)
    assert not thread.is_alive() and finished


def test_a_call_that_is_held_acts_after_what_came_meanwhile(sim):
    answers = []

    def status():
        answers.append(sim.boto3("guard", "cloudtrail").get_trail_status(Name="org-trail"))
    with sim.fault("hold", operation="GetTrailStatus"):
        thread = threading.Thread(target=status)
        thread.start()
        poll(lambda: sim.call("faults")[0]["hits"] == 1)
        sim.boto3("mallory", "cloudtrail").stop_logging(Name="org-trail")
        assert answers == []
    thread.join(20)
    assert [answer["IsLogging"] for answer in answers] == [False]


def test_an_executed_call_whose_answer_is_lost(sim):
    with sim.fault("reset", operation="StopLogging", executed=True), pytest.raises(ConnectionResetError):
        Raw(sim, "mallory", operation="StopLogging").sign().send()
    assert not sim.trail(ORG_TRAIL)["logging"]
    with sim.fault("reset", operation="StartLogging"), pytest.raises(ConnectionResetError):
        Raw(sim, "mallory", operation="StartLogging").sign().send()
    assert not sim.trail(ORG_TRAIL)["logging"]


def test_a_clock_that_is_ahead(sim):
    with sim.fault("clock", seconds=600, region=HOME):
        status, body, headers = get(sim)
        assert status == 400 and b"Signature expired" in body
        ahead = time.mktime(time.strptime(headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")) - time.mktime(time.gmtime())
        assert 595 <= ahead <= 605
        assert get(sim, region="us-east-1", body=b'{"Name":"audit"}')[0] == 200
    sim.clear_failures()


def test_a_bad_signature_shows_through_a_fault(sim):
    raw = Raw(sim).sign()
    raw.body = b'{"Name":"audit"}'
    with sim.fault("throttle"):
        assert raw.code() == (400, "InvalidSignatureException")
    with sim.fault("http503"):
        assert raw.send()[0] == 503
    assert len(sim.clear_failures()) == 2


# -- instance metadata -----------------------------------------------------------------------------------------------
def imds(sim, method, path, **headers):
    connection = http.client.HTTPConnection(sim.imds_url.removeprefix("http://"), timeout=PATIENCE)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_imds(sim):
    sim.add_role("instance-role", MAIN)
    sim.call("imds", account=MAIN, role="instance-role", region=HOME, lifetime=3600)
    base = "/latest/meta-data/iam/security-credentials/"
    assert imds(sim, "GET", base)[0] == 401
    assert imds(sim, "PUT", "/latest/api/token")[0] == 400
    assert imds(sim, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="21601")[0] == 400
    status, token = imds(sim, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")
    assert status == 200
    assert imds(sim, "GET", base, x_aws_ec2_metadata_token=token) == (200, "instance-role")
    status, text = imds(sim, "GET", base + "instance-role", x_aws_ec2_metadata_token=token)
    keys = json.loads(text)
    assert keys["Code"] == "Success" and keys["Token"]
    sim.add_keys("instance", keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
    assert "assumed-role/instance-role/i-" in sim.boto3("instance", "sts").get_caller_identity()["Arn"]
    assert imds(sim, "GET", "/latest/meta-data/placement/region", x_aws_ec2_metadata_token=token) == (200, HOME)
    document = imds(sim, "GET", "/latest/dynamic/instance-identity/document", x_aws_ec2_metadata_token=token)[1]
    assert json.loads(document)["accountId"] == MAIN
    sim.call("imds", tokens={})
    assert imds(sim, "GET", base, x_aws_ec2_metadata_token=token)[0] == 401
    with sim.fault("answer", status=503, service="imds", operation="GetToken"):
        assert imds(sim, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")[0] == 503
    assert sim.call("imds")["unauthenticated"] == 1 and len(sim.failures(kind="imdsv1")) == 1
    assert imds(sim, "POST", "/")[0] == 404


def test_imds_credentials_reach_boto3(sim):
    """botocore's own provider gets keys here and signs with them."""
    from botocore.utils import InstanceMetadataFetcher
    sim.add_role("instance-role", MAIN)
    sim.call("imds", account=MAIN, role="instance-role")
    fetched = InstanceMetadataFetcher(base_url=sim.imds_url + "/").retrieve_iam_role_credentials()
    assert fetched["access_key"] == sim.call("imds")["access_key"]


def test_container_credentials(sim):
    sim.add_role("task-role", MAIN)
    sim.call("container", account=MAIN, role="task-role", token="Bearer x")
    assert imds(sim, "GET", "/container/credentials")[0] == 401
    status, text = imds(sim, "GET", "/container/credentials", Authorization="Bearer x")
    keys = json.loads(text)
    assert status == 200 and keys["AccessKeyId"] == sim.call("container")["access_key"]
    sim.add_keys("task", keys["AccessKeyId"], keys["SecretAccessKey"], keys["Token"])
    assert "assumed-role/task-role/" in sim.boto3("task", "sts").get_caller_identity()["Arn"]


def test_web_identity(sim):
    role = sim.add_role("web-role", MAIN)
    sim.call("web_identity", token="abcd.efgh", role=role)
    sts = sim.boto3("guard", "sts")
    arguments = {"RoleArn": role, "RoleSessionName": "pod", "WebIdentityToken": "abcd.efgh"}
    answer = sts.assume_role_with_web_identity(**arguments)
    assert answer["AssumedRoleUser"]["Arn"].endswith(":assumed-role/web-role/pod")
    entry = sim.requests(operation="AssumeRoleWithWebIdentity")[-1]
    assert entry["access_key"] == "" and entry["params"]["WebIdentityToken"] == "(token)"
    assert refused(sts.assume_role_with_web_identity, **{**arguments, "WebIdentityToken": "abcd.efgh\n"})[0] == "InvalidIdentityToken"
    sim.call("web_identity", token="abcd.efgh", role=role, expired=True)
    assert refused(sts.assume_role_with_web_identity, **arguments)[:2] == ("ExpiredTokenException", 400)


# -- S3 --------------------------------------------------------------------------------------------------------------
def test_the_bucket_of_a_trail(sim):
    s3 = sim.boto3("guard", "s3", s3={"addressing_style": "path"})
    assert s3.head_bucket(Bucket="example-org-logs", ExpectedBucketOwner=MAIN)
    assert refused(s3.head_bucket, Bucket="example-org-logs", ExpectedBucketOwner=MEMBER)[:2] == ("403", 403)
    assert refused(s3.head_bucket, Bucket="nobodys-bucket")[:2] == ("404", 404)
    assert json.loads(s3.get_bucket_policy(Bucket="example-org-logs")["Policy"])["Statement"][1]["Sid"] == "AWSCloudTrailWrite"
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket="example-org-logs")[0] == "NoSuchLifecycleConfiguration"
    sim.call("bucket", name="example-org-logs", lifecycle=[{"id": "nuke", "prefix": "*", "days": 1}], policy=None,
             versioning="Suspended")
    assert s3.get_bucket_lifecycle_configuration(Bucket="example-org-logs")["Rules"][0]["Expiration"] == {"Days": 1}
    assert refused(s3.get_bucket_policy, Bucket="example-org-logs")[:2] == ("NoSuchBucketPolicy", 404)
    assert s3.get_bucket_versioning(Bucket="example-org-logs")["Status"] == "Suspended"
    sim.call("bucket", name="example-org-logs", missing=True)
    assert refused(s3.get_bucket_policy, Bucket="example-org-logs")[:2] == ("NoSuchBucket", 404)
    sim.call("key", access_key=sim.keys_of("guard")["access_key"], secret="another")
    assert refused(s3.get_bucket_policy, Bucket="example-org-logs")[:2] == ("SignatureDoesNotMatch", 403)
    assert [failure["kind"] for failure in sim.clear_failures()] == ["signature"]


# -- Organizations ---------------------------------------------------------------------------------------------------
LOGS = "example-org-logs"
KEY = f"arn:aws:kms:{HOME}:{MAIN}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def s3_of(sim, user):
    return sim.boto3(user, "s3", s3={"addressing_style": "path"})


def delivery_error(sim):
    """LatestDeliveryError and ...DigestDeliveryError as of now."""
    status = sim.trail(ORG_TRAIL)["status_now"]
    return status.get("LatestDeliveryError"), status.get("LatestDigestDeliveryError")


def last_delivery(sim):
    return sim.trail(ORG_TRAIL)["status_now"]["LatestDeliveryTime"]


def test_what_an_attacker_does_to_a_bucket(sim):
    s3 = s3_of(sim, "mallory")
    policy = s3.get_bucket_policy(Bucket=LOGS)["Policy"]
    rule = {"ID": "nuke", "Status": "Enabled", "Filter": {"Prefix": "*"}, "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle_configuration(Bucket=LOGS, LifecycleConfiguration={"Rules": [rule]})
    assert s3.get_bucket_lifecycle_configuration(Bucket=LOGS)["Rules"] == [rule]
    s3.delete_bucket_lifecycle(Bucket=LOGS)
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=LOGS)[0] == "NoSuchLifecycleConfiguration"
    assert refused(s3.put_bucket_policy, Bucket=LOGS, Policy="{")[0] == "MalformedPolicy"
    s3.delete_bucket_policy(Bucket=LOGS)
    assert refused(s3.get_bucket_policy, Bucket=LOGS)[0] == "NoSuchBucketPolicy"
    assert refused(sim.boto3("mallory", "cloudtrail").update_trail, Name="org-trail",
                   S3BucketName=LOGS)[0] == "InsufficientS3BucketPolicyException"
    s3.put_bucket_policy(Bucket=LOGS, Policy=policy)
    assert json.loads(s3.get_bucket_policy(Bucket=LOGS)["Policy"]) == json.loads(policy)
    sim.boto3("mallory", "cloudtrail").update_trail(Name="org-trail", S3BucketName=LOGS)
    look = {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": LOGS}]}
    events = sim.boto3("guard", "cloudtrail").lookup_events(**look)["Events"]
    assert [event["EventName"] for event in events if event["EventSource"] == "s3.amazonaws.com"] == [
        "PutBucketPolicy", "DeleteBucketPolicy", "PutBucketPolicy", "DeleteBucketLifecycle", "PutBucketLifecycle"]
    record = json.loads(events[-1]["CloudTrailEvent"])
    assert record["requestParameters"]["bucketName"] == LOGS and record["requestParameters"]["lifecycle"] == ""
    assert record["eventSource"] == "s3.amazonaws.com" and "errorCode" not in record


def test_a_bucket_taken_over(sim):
    s3 = s3_of(sim, "mallory")
    s3.delete_bucket(Bucket=LOGS)
    assert refused(s3.head_bucket, Bucket=LOGS)[1] == 404
    sim.add_user("stranger", "999999999999")
    stranger = s3_of(sim, "stranger")
    stranger.create_bucket(Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": HOME})
    assert refused(s3.create_bucket, Bucket=LOGS, CreateBucketConfiguration={"LocationConstraint": HOME})[1] == 409
    arn = f"arn:aws:s3:::{LOGS}/*"
    stranger.put_bucket_policy(Bucket=LOGS, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*", "Resource": arn}]}))
    assert stranger.head_bucket(Bucket=LOGS)
    assert refused(s3.head_bucket, Bucket=LOGS, ExpectedBucketOwner=MAIN)[1] == 403
    assert refused(s3.get_bucket_policy, Bucket=LOGS)[:2] == ("AccessDenied", 403)
    sim.clock(400)
    assert delivery_error(sim)[0] is None       # CloudTrail delivers happily, to somebody else


def test_delivery_errors_come_with_the_next_delivery(sim):
    sim.call("settings", delivery_interval=300, digest_interval=3600, signature_window=86400)
    s3 = s3_of(sim, "mallory")
    policy, before = s3.get_bucket_policy(Bucket=LOGS)["Policy"], last_delivery(sim)
    s3.delete_bucket_policy(Bucket=LOGS)
    assert delivery_error(sim) == (None, None)
    sim.clock(301)
    assert delivery_error(sim) == ("AccessDenied", None) and last_delivery(sim) == before
    sim.clock(3601)
    assert delivery_error(sim) == ("AccessDenied", "AccessDenied")
    s3_of(sim, "mallory").put_bucket_policy(Bucket=LOGS, Policy=policy)
    assert delivery_error(sim)[0] == "AccessDenied"
    sim.clock(3902)
    assert delivery_error(sim) == (None, "AccessDenied") and last_delivery(sim) > before
    s3_of(sim, "mallory").delete_bucket(Bucket=LOGS)
    sim.clock(4203)
    assert delivery_error(sim)[0] == "NoSuchBucket"


def test_the_key_of_a_trail(sim):
    sim.call("settings", signature_window=86400)
    sim.boto3("mallory", "cloudtrail").update_trail(Name="org-trail", KmsKeyId=KEY)
    kms = sim.boto3("mallory", "kms")
    found = kms.describe_key(KeyId=KEY)["KeyMetadata"]
    assert (found["KeyState"], found["Enabled"], found["Arn"]) == ("Enabled", True, KEY)
    kms.disable_key(KeyId=KEY)
    found = kms.describe_key(KeyId=KEY)["KeyMetadata"]
    assert (found["KeyState"], found["Enabled"]) == ("Disabled", False)
    sim.clock(301)
    assert delivery_error(sim)[0] == "KMS.DisabledException"
    assert refused(sim.boto3("mallory", "cloudtrail").update_trail, Name="org-trail", KmsKeyId=KEY)[0] == "KmsException"
    kms = sim.boto3("mallory", "kms")
    kms.enable_key(KeyId=KEY)
    assert kms.schedule_key_deletion(KeyId=KEY, PendingWindowInDays=7)["KeyState"] == "PendingDeletion"
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["DeletionDate"]
    assert refused(kms.enable_key, KeyId=KEY)[0] == "KMSInvalidStateException"
    assert kms.cancel_key_deletion(KeyId=KEY)["KeyId"] == KEY
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyState"] == "Disabled"
    other = KEY.replace("1234abcd", "00000000")
    name, status, text = refused(kms.describe_key, KeyId=other)
    assert (name, status) == ("NotFoundException", 400) and text == f"Key '{other}' does not exist"
    sim.call("kms_key", arn=KEY, state=None)
    assert refused(kms.describe_key, KeyId=KEY)[0] == "NotFoundException"
    assert sim.events(EventName="ScheduleKeyDeletion")[0]["requestParameters"]["keyId"] == KEY
    sim.add_user("weak", MAIN, policy=[{"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}])
    text = refused(sim.boto3("weak", "kms").describe_key, KeyId=KEY)[2]
    assert f"is not authorized to perform: kms:DescribeKey on resource: {KEY} because" in text
    sim.add_user("stranger", "999999999999")
    assert refused(sim.boto3("stranger", "kms").describe_key, KeyId=KEY)[0] == "AccessDeniedException"


def test_keys_without_material_or_store(sim):
    sim.call("settings", signature_window=86400)
    sim.call("kms_key", arn=KEY, store="cks-1234567890abcdef0")
    sim.boto3("mallory", "cloudtrail").update_trail(Name="org-trail", KmsKeyId=KEY)
    kms = sim.boto3("mallory", "kms")
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["CustomKeyStoreId"] == "cks-1234567890abcdef0"
    assert refused(kms.disconnect_custom_key_store, CustomKeyStoreId="cks-other")[0] == "CustomKeyStoreNotFoundException"
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyState"] == "Enabled"
    kms.delete_imported_key_material(KeyId=KEY)
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyState"] == "PendingImport"
    kms.disconnect_custom_key_store(CustomKeyStoreId="cks-1234567890abcdef0")
    assert kms.describe_key(KeyId=KEY)["KeyMetadata"]["KeyState"] == "Unavailable"
    sim.clock(301)
    assert delivery_error(sim)[0] == "KMS.KMSInvalidStateException"


def test_a_member_leaves_and_trusted_access_goes(sim):
    sim.call("load", organization={"management": MAIN, "members": [MEMBER, "777788889999"]})
    for account in (MEMBER, "777788889999"):
        sim.add_account(account)
        sim.add_user(f"admin-{account}", account)
    organizations = sim.boto3("mallory", "organizations", "us-east-1")
    assert refused(organizations.leave_organization)[0] == "MasterCannotLeaveOrganizationException"
    sim.boto3(f"admin-{MEMBER}", "organizations", "us-east-1").leave_organization()
    sim.boto3("admin-777788889999", "organizations", "us-east-1").accept_handshake(HandshakeId="h-examplehandshake")
    assert departures(sim, "mallory") == {(MEMBER, "LEFT"), ("777788889999", "LEFT")}
    assert departures(sim, f"admin-{MEMBER}") == set()
    assert {entry["Id"] for entry in organizations.list_accounts()["Accounts"]} == {MAIN}
    organizations.disable_aws_service_access(ServicePrincipal="config.amazonaws.com")
    trails = sim.boto3("mallory", "cloudtrail")
    trails.update_trail(Name="org-trail", IsOrganizationTrail=True)
    assert trails.get_trail(Name="org-trail")["Trail"]["IsOrganizationTrail"]
    organizations.disable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
    assert not trails.get_trail(Name="org-trail")["Trail"]["IsOrganizationTrail"]
    assert refused(trails.update_trail, Name="org-trail", IsOrganizationTrail=True)[0] == "CloudTrailAccessNotEnabledException"


def departures(sim, user):
    """AWS's records of departures in a user's account: (account, method)."""
    history = sim.boto3(user, "cloudtrail", "us-east-1")
    found = history.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AccountDepartedOrganization"}])
    details = [json.loads(event["CloudTrailEvent"])["serviceEventDetails"] for event in found["Events"]]
    return {(entry["accountId"], entry["departureMethod"]) for entry in details}


def test_the_management_account_removes_and_closes_accounts(sim):
    sim.call("load", organization={"management": MAIN, "members": [MEMBER, "777788889999"]})
    for account in (MEMBER, "777788889999"):
        sim.add_account(account)
        sim.add_user(f"admin-{account}", account)
    organizations = sim.boto3("mallory", "organizations", "us-east-1")
    assert refused(organizations.remove_account_from_organization, AccountId="000011112222")[0] == "AccountNotFoundException"
    assert refused(sim.boto3(f"admin-{MEMBER}", "organizations", "us-east-1").close_account,
                   AccountId=MEMBER)[0] == "AccessDeniedException"
    organizations.remove_account_from_organization(AccountId="777788889999")
    organizations.close_account(AccountId=MEMBER)
    assert {entry["Id"]: entry["State"] for entry in organizations.list_accounts()["Accounts"]} == {
        MAIN: "ACTIVE", MEMBER: "PENDING_CLOSURE"}
    assert departures(sim, "mallory") == {("777788889999", "REMOVED")}


def test_a_bucket_outlives_its_trail(sim):
    client, s3 = sim.boto3("mallory", "cloudtrail"), s3_of(sim, "guard")
    policy = s3.get_bucket_policy(Bucket=LOGS)["Policy"]
    client.delete_trail(Name="org-trail")
    assert s3.head_bucket(Bucket=LOGS, ExpectedBucketOwner=MAIN)
    assert s3.get_bucket_policy(Bucket=LOGS)["Policy"] == policy
    client.create_trail(Name="org-trail", S3BucketName=LOGS)


def test_removed_tags_and_failed_writes_in_the_history(sim):
    client = sim.boto3("mallory", "cloudtrail")
    client.add_tags(ResourceId=ORG_TRAIL, TagsList=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    client.remove_tags(ResourceId=ORG_TRAIL, TagsList=[{"Key": "a"}])
    tags = client.list_tags(ResourceIdList=[ORG_TRAIL])["ResourceTagList"][0]["TagsList"]
    assert {"Key": "b", "Value": "2"} in tags and not any(tag["Key"] == "a" for tag in tags)
    refused(client.update_trail, Name="org-trail", IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False)
    record = sim.events(EventName="UpdateTrail")[0]
    assert record["errorCode"] == "InvalidParameterCombinationException" and record["responseElements"] is None
    assert record["requestParameters"] == {"name": "org-trail", "isMultiRegionTrail": True,
                                           "includeGlobalServiceEvents": False}
    client.put_event_selectors(TrailName="org-trail", EventSelectors=[{"ReadWriteType": "ReadOnly"}])
    record = sim.events(EventName="PutEventSelectors")[0]
    assert record["requestParameters"]["eventSelectors"] == [{"readWriteType": "ReadOnly"}]
    assert record["responseElements"]["trailARN"] == ORG_TRAIL


def test_organizations(sim):
    members = [f"{number:012d}" for number in range(1, 26)]
    client = sim.boto3("guard", "organizations", "us-east-1")
    assert refused(client.list_accounts)[0] == "AWSOrganizationsNotInUseException"
    sim.call("organization", management=MAIN, members=members)
    sim.add_account(members[3], state="SUSPENDED")
    sim.call("settings", empty_page=True)
    pages = list(client.get_paginator("list_accounts").paginate())
    assert [len(page["Accounts"]) for page in pages] == [0, 20, 6]
    assert pages[1]["Accounts"][4]["Status"] == "SUSPENDED" and pages[1]["Accounts"][0]["Id"] == MAIN
    assert client.describe_organization()["Organization"]["MasterAccountId"] == MAIN
    sim.add_user("member", members[0])
    member = sim.boto3("member", "organizations", "us-east-1")
    assert member.describe_organization() and refused(member.list_accounts)[0] == "AccessDeniedException"


def test_regions_of_an_account(sim):
    sim.call("account", id=MAIN, regions=["us-east-1", HOME, "ap-east-1"], region_status={"il-central-1": "DISABLING"})
    client = sim.boto3("guard", "account", "us-east-1")
    sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy=[
        {"Effect": "Allow", "Action": "account:GetRegionOptStatus", "Resource": f"arn:aws:account::{MAIN}:account"}])
    for region, status in {HOME: "ENABLED_BY_DEFAULT", "ap-east-1": "ENABLED", "me-west-1": "DISABLED",
                           "il-central-1": "DISABLING"}.items():
        answer = client.get_region_opt_status(RegionName=region)
        assert (answer["RegionName"], answer["RegionOptStatus"]) == (region, status)
    assert refused(client.get_region_opt_status, RegionName="nowhere")[:2] == ("ValidationException", 400)
    with sim.fault("throttle", service="account"):
        assert refused(client.get_region_opt_status, RegionName=HOME)[:2] == ("TooManyRequestsException", 429)
    sim.call("policy", principal=f"arn:aws:iam::{MAIN}:user/guard", policy=[])
    assert refused(client.get_region_opt_status, RegionName=HOME)[:2] == ("AccessDeniedException", 403)
    raw = Raw(sim, service="account", region="us-east-1", body=b'{"RegionName":7}', path="/getRegionOptStatus")
    raw.headers = {"Content-Type": "application/json"}
    assert raw.sign().send()[0] == 400
    assert len(sim.clear_failures()) == 1


# -- control interface, transport, process ---------------------------------------------------------------------------
def test_simulated_policies(sim):
    """boto3 reads what IAM says of a role: by its policies, and by its organization."""
    allowed = [{"Effect": "Allow", "Action": ["cloudtrail:*", "iam:GetRole"], "Resource": "*"},
               {"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"}]
    sim.add_role("guard", MEMBER, policy=allowed, path="/ops/")
    sim.load({"accounts": [{"id": MEMBER, "scp": [
        {"Effect": "Deny", "Action": "cloudtrail:CreateTrail", "Resource": "*"},
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]}], "organization": {"management": MAIN, "members": [MEMBER]}})
    sim.add_user("asker", MEMBER)
    iam = sim.boto3("asker", "iam", "us-east-1")
    arn = iam.get_role(RoleName="guard")["Role"]["Arn"]
    assert arn == f"arn:aws:iam::{MEMBER}:role/ops/guard"
    actions = ["cloudtrail:StartLogging", "cloudtrail:StopLogging", "cloudtrail:CreateTrail", "sns:Publish"]
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, ResourceArns=["*", ORG_TRAIL])
    found = [(row["EvalActionName"], row["EvalDecision"], row["OrganizationsDecisionDetail"]["AllowedByOrganizations"])
             for row in answer["EvaluationResults"] if row["EvalResourceName"] == ORG_TRAIL]
    assert found == [("cloudtrail:StartLogging", "allowed", True), ("cloudtrail:StopLogging", "explicitDeny", True),
                     ("cloudtrail:CreateTrail", "implicitDeny", False), ("sns:Publish", "implicitDeny", True)]
    assert len(answer["EvaluationResults"]) == 8 and not answer["IsTruncated"]
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=arn, ActionNames=actions, PaginationConfig={"PageSize": 3})
    assert [len(page["EvaluationResults"]) for page in pages] == [3, 1]
    assert refused(iam.simulate_principal_policy, PolicySourceArn=arn + "x", ActionNames=actions)[:2] == ("NoSuchEntity", 404)
    assert not [entry for entry in sim.call("decisions")["denied"] if entry["action"] == "cloudtrail:StopLogging"]


def test_control_is_not_on_the_aws_port(sim):
    connection = http.client.HTTPConnection(sim.url.removeprefix("http://"), timeout=PATIENCE)
    connection.request("GET", "/_sim/health")
    assert connection.getresponse().status == 403
    assert sim.clear_failures()


def test_waiting(sim):
    mark = sim.mark()
    with pytest.raises(AssertionError, match="no requests"):
        sim.wait_for_request(timeout=0.1, since=mark, operation="StopLogging")
    timer = threading.Timer(0.2, lambda: sim.boto3("mallory", "cloudtrail").stop_logging(Name="org-trail"))
    timer.start()
    entry = sim.wait_for_request(since=mark, operation="StopLogging", trail="*org-trail", status=200)
    assert (entry["account"], entry["region"], entry["access_key"]) == (MAIN, HOME, "AKIAEXAMPLEMALLORY01")
    assert sim.wait_for_trail(ORG_TRAIL, IsLogging=False)["status_now"]["StopLoggingTime"]
    timer.join()


def test_the_aws_command(sim):
    trails = sim.aws("guard", HOME, "cloudtrail", "describe-trails")["trailList"]
    assert [trail["Name"] for trail in trails] == ["org-trail"]
    with pytest.raises(AwsCliError) as error:
        sim.aws("mallory", HOME, "cloudtrail", "stop-logging", "--name", "none-such")
    assert error.value.code == "TrailNotFoundException"
    sim.aws("mallory", HOME, "sns", "publish", "--topic-arn", TOPIC, "--message", "by hand")
    assert sim.messages(TOPIC)[0]["Message"] == "by hand"


def test_an_outage(sim):
    sim.network("refused")
    with pytest.raises(ConnectionRefusedError):
        get(sim)
    sim.network("silent")
    with socket.create_connection(sim.url.removeprefix("http://").split(":"), timeout=0.3) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            sock.recv(1)
    sim.network("normal")
    assert get(sim)[0] == 200


def test_keep_alive_and_dropped_connections(sim):
    ct = sim.boto3("guard", "cloudtrail")
    for _ in range(3):
        ct.list_trails()
    entries = sim.requests(operation="ListTrails")
    assert len({entry["connection"] for entry in entries}) == 1 and entries[-1]["connection_request"] == 3
    assert sim.call("drop_connections")["dropped"] >= 1
    sim.call("settings", idle_timeout=0.2)
    with socket.create_connection(sim.url.removeprefix("http://").split(":"), timeout=PATIENCE) as idle:
        assert idle.recv(1) == b""


def test_strange_requests_do_not_disturb(sim):
    for data in (b"\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\x16\x03\x01\x00", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                 b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"A" * 70000):
        with socket.create_connection(sim.url.removeprefix("http://").split(":"), timeout=PATIENCE) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            try:
                assert sock.recv(100)[:13] in (b"", b"HTTP/1.1 400 ", b"HTTP/1.1 411 ", b"HTTP/1.1 431 ")
            except ConnectionResetError:
                pass
    assert get(sim)[0] == 200


def test_many_requests_on_many_connections(sim):
    idle = [socket.create_connection(sim.url.removeprefix("http://").split(":"), timeout=PATIENCE) for _ in range(300)]
    errors = []

    def worker():
        client = sim.boto3("guard", "cloudtrail")
        try:
            for _ in range(50):
                client.get_trail_status(Name="org-trail")
        except Exception as error:      # into the list that the test looks at
            errors.append(error)

    threads = [threading.Thread(target=worker) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(sim.requests(operation="GetTrailStatus")) == 400
    for sock in idle:
        sock.close()


def test_tls_and_resumption():
    with SimAWS("demo.json", tls=True) as sim:
        assert sim.boto3("guard", "cloudtrail").list_trails()["Trails"]
        host, port = sim.url.removeprefix("https://").split(":")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context, session = ssl.create_default_context(cafile=sim.ca_file), None
            context.minimum_version = context.maximum_version = version
            mark = sim.mark()
            for _ in range(2):
                with socket.create_connection((host, port), timeout=PATIENCE) as plain, \
                        context.wrap_socket(plain, server_hostname=host, session=session) as sock:
                    sock.sendall(b"GET /latest/x HTTP/1.1\r\n\r\n")
                    assert sock.recv(12) == b"HTTP/1.1 404"
                    session = sock.session
            entries = sim.wait("requests", count=2, since=mark)
            assert [(entry["tls"], entry["resumed"]) for entry in entries] == [
                (version.name.replace("_", "."), False), (version.name.replace("_", "."), True)]
        with socket.create_connection((host, port), timeout=PATIENCE) as plain, pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        assert poll(lambda: sim.call("health")["aws"]["handshake_failures"])
        sim.assert_clean()


def is_running(number):
    try:
        with open(f"/proc/{number}/stat", encoding="ascii") as file:
            return file.read().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_it_ends_with_its_parent_and_on_sigterm():
    server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server")
    process = subprocess.Popen([server, "--json"], stdout=subprocess.PIPE)
    addresses = json.loads(process.stdout.readline())
    stuck = socket.create_connection(addresses["aws"].removeprefix("http://").split(":"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    stuck.close()
    process.stdout.close()
    child = (f"import subprocess, sys; p = subprocess.Popen([{server!r}, '--json', '--exit-with-parent'], stdout=1); "
             "print(p.pid, file=sys.stderr); input()")
    parent = subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    number = int(parent.stderr.readline())
    assert parent.stdout.readline()
    parent.kill()
    parent.wait()
    poll(lambda: not is_running(number), timeout=PATIENCE)
    for stream in (parent.stdin, parent.stdout, parent.stderr):
        stream.close()


def test_wrong_options_and_scenarios(tmp_path):
    server = os.path.join(os.path.dirname(os.path.abspath(__file__)), "server")
    bad = tmp_path / "bad.json"
    bad.write_text('{"trials": []}')
    done = subprocess.run([server, "--scenario", str(bad)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "trials" in done.stderr and "Traceback" not in done.stderr
