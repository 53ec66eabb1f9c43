# SPDX-License-Identifier: Apache-2.0
"""S3 as far as a trail's bucket goes: is it there, whose is it, where, with which policy, lifecycle and versioning; and
what an attacker does to it. Path style only, as clients do with an end point of their own. A bucket that a trail uses and
nobody described exists, belongs to the trail's account and is as it should be. Only the owner's account gets in."""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from . import call as aws_call
from . import destinations
from .errors import AwsError
from .http import Response

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
PAYER = re.compile(rb"<Payer>(BucketOwner|Requester)</Payer>")
DOCUMENT = '<?xml version="1.0" encoding="UTF-8"?>\n'
CODES = {       # the common errors under S3's names: (code, status)
    "UnrecognizedClientException": ("InvalidAccessKeyId", 403), "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("AccessDenied", 403), "ExpiredTokenException": ("ExpiredToken", 400),
    "IncompleteSignatureException": ("AuthorizationHeaderMalformed", 400), "AccessDeniedException": ("AccessDenied", 403),
    "ThrottlingException": ("SlowDown", 503),
}


def bucket(state, name, users=None):
    """The description of a bucket, or None: keys owner, region, policy, lifecycle, versioning, payer, denied. `users` are the trails
    that write to it, for those who know them."""
    found = state.buckets.get(name, {})
    if users is None:
        users = [trail for trail in state.trails.values() if trail.settings.get("S3BucketName") == name]
    if found.get("missing") or (not found and not users):
        return None
    base = {"owner": users[0].account, "region": users[0].region, "policy": _good_policy(name, users)} if users else {
        "owner": "", "region": "us-east-1", "policy": found.get("kept_policy")}
    return {**base, "lifecycle": [], "versioning": "Enabled", **found}


def keep(state, name):
    """A bucket outlives the trails that use it: called before one of them leaves."""
    found = bucket(state, name)
    if found is not None:
        kept = {"owner": found["owner"], "region": found["region"], "kept_policy": found["policy"]}
        state.buckets[name] = {**kept, **state.buckets.get(name, {})}


def _prefix(trail):
    prefix = trail.settings.get("S3KeyPrefix")
    return f"{prefix}/" if prefix else ""


def _good_policy(name, users):
    """The bucket policy of the CloudTrail user guide for these trails."""
    arns = sorted(trail.arn for trail in users)
    service, condition = {"Service": "cloudtrail.amazonaws.com"}, {"StringEquals": {"aws:SourceArn": arns}}
    return {"Version": "2012-10-17", "Statement": [
        {"Sid": "AWSCloudTrailAclCheck", "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
         "Resource": f"arn:aws:s3:::{name}", "Condition": condition},
        {"Sid": "AWSCloudTrailWrite", "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
         "Resource": sorted(f"arn:aws:s3:::{name}/{_prefix(trail)}AWSLogs/{trail.account}/*" for trail in users),
         "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": arns}}}]}


def _xml(tag, inner):
    return (f'{DOCUMENT}<{tag} xmlns="{NAMESPACE}">{inner}</{tag}>').encode()


def head_bucket(_call, found):
    return Response(200, [("x-amz-bucket-region", found["region"])])


def get_lifecycle(_call, found):
    if not found["lifecycle"]:
        raise AwsError("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", 404)
    rules = "".join(_rule(rule) for rule in found["lifecycle"])
    return Response(200, [("Content-Type", "application/xml")], _xml("LifecycleConfiguration", rules))


def _rule(rule):
    """A rule from {"id", "status", "prefix", "days"}; a prefix of None is an empty filter."""
    prefix = "" if rule.get("prefix") is None else f"<Prefix>{escape(rule['prefix'])}</Prefix>"
    return (f"<Rule><ID>{escape(rule.get('id', 'rule'))}</ID><Filter>{prefix}</Filter>"
            f"<Status>{rule.get('status', 'Enabled')}</Status><Expiration><Days>{rule['days']}</Days></Expiration></Rule>")


def get_policy(_call, found):
    if found["policy"] is None:
        raise AwsError("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    return Response(200, [("Content-Type", "application/json")], json.dumps(found["policy"]).encode())


def get_versioning(_call, found):
    inner = f"<Status>{found['versioning']}</Status>" if found["versioning"] else ""
    return Response(200, [("Content-Type", "application/xml")], _xml("VersioningConfiguration", inner))


def get_location(_call, found):
    region = "" if found["region"] == "us-east-1" else found["region"]
    return Response(200, [("Content-Type", "application/xml")], _xml("LocationConstraint", region))


# -- what an attacker does, and who puts it right ------------------------------------------------------------------------
def _change(call, **fields):
    call.state.buckets[call.bucket] = {**call.state.buckets.get(call.bucket, {}), **fields}


def create_bucket(call, _found):
    """Whoever comes first owns the name."""
    _change(call, missing=False, owner=call.principal.account, region=call.region, policy=None, lifecycle=[])
    return Response(200, [("Location", f"/{call.bucket}")])


def delete_bucket(call, _found):
    call.state.buckets[call.bucket] = {"missing": True}
    return Response(204)


def put_policy(call, _found):
    try:
        policy = json.loads(call.request.body)
        if not isinstance(policy["Statement"], (list, dict)):
            raise TypeError
    except (ValueError, KeyError, TypeError):
        raise AwsError("MalformedPolicy", "This policy contains invalid Json", 400) from None
    _change(call, policy=policy)
    return Response(204)


def delete_policy(call, _found):
    _change(call, policy=None)
    return Response(204)


def put_lifecycle(call, _found):
    if not any(call.request.header(name) for name in ("content-md5", "x-amz-sdk-checksum-algorithm",
                                                      "x-amz-checksum-sha256", "x-amz-checksum-crc32")):
        raise AwsError("InvalidRequest", "Missing required header for this request: Content-MD5", 400)
    try:
        root = ElementTree.fromstring(call.request.body)
        rules = [_read_rule(rule) for rule in root]
    except (ElementTree.ParseError, ValueError, TypeError, AttributeError):
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our "
                       "published schema", 400) from None
    _change(call, lifecycle=rules)
    return Response(200)


def _read_rule(rule):
    """Only rules that expire objects under a prefix are simulated: others are refused rather than lost."""
    values = {element.tag.partition("}")[2] or element.tag: (element.text or "").strip() for element in rule.iter()}
    unknown = set(values) - {"Rule", "ID", "Filter", "Prefix", "Status", "Expiration", "Days"}
    if unknown or values["Status"] not in ("Enabled", "Disabled"):
        raise ValueError(f"not simulated: {unknown}")
    return {"id": values.get("ID") or "generated", "status": values["Status"], "prefix": values.get("Prefix"),
            "days": int(values["Days"])}


def delete_lifecycle(call, _found):
    _change(call, lifecycle=[])
    return Response(204)


def put_payment(call, _found):
    payer = PAYER.search(call.request.body)
    if not payer:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our "
                       "published schema", 400)
    _change(call, payer=payer[1].decode())
    return Response(200)


def put_versioning(call, _found):
    status = re.search(rb"<Status>(Enabled|Suspended)</Status>", call.request.body)
    if not status:
        raise AwsError("IllegalVersioningConfigurationException", "The versioning configuration specified in the request is "
                       "invalid.", 400)
    _change(call, versioning=status[1].decode())
    return Response(200)


def take_no_notice(_call, _found):
    """What changes nothing for CloudTrail, nor for whoever looks at the bucket."""
    return Response(200)


# (method, sub-resource) -> (operation, IAM action, function)
PLACES = {
    ("PUT", ""): ("CreateBucket", "s3:CreateBucket", create_bucket),
    ("DELETE", ""): ("DeleteBucket", "s3:DeleteBucket", delete_bucket),
    ("PUT", "policy"): ("PutBucketPolicy", "s3:PutBucketPolicy", put_policy),
    ("DELETE", "policy"): ("DeleteBucketPolicy", "s3:DeleteBucketPolicy", delete_policy),
    ("PUT", "lifecycle"): ("PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration", put_lifecycle),
    ("DELETE", "lifecycle"): ("DeleteBucketLifecycle", "s3:PutLifecycleConfiguration", delete_lifecycle),
    ("PUT", "requestPayment"): ("PutBucketRequestPayment", "s3:PutBucketRequestPayment", put_payment),
    ("PUT", "versioning"): ("PutBucketVersioning", "s3:PutBucketVersioning", put_versioning),
    ("PUT", "ownershipControls"): ("PutBucketOwnershipControls", "s3:PutBucketOwnershipControls", take_no_notice),
    ("PUT", "encryption"): ("PutBucketEncryption", "s3:PutEncryptionConfiguration", take_no_notice),
    ("PUT", "logging"): ("PutBucketLogging", "s3:PutBucketLogging", take_no_notice),
    ("PUT", "object-lock"): ("PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration", take_no_notice),
    ("PUT", "replication"): ("PutBucketReplication", "s3:PutReplicationConfiguration", take_no_notice),
    ("PUT", "publicAccessBlock"): ("PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock", take_no_notice),
    ("PUT", "tagging"): ("PutBucketTagging", "s3:PutBucketTagging", take_no_notice),
    ("HEAD", ""): ("HeadBucket", "s3:ListBucket", head_bucket),
    ("GET", "lifecycle"): ("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", get_lifecycle),
    ("GET", "policy"): ("GetBucketPolicy", "s3:GetBucketPolicy", get_policy),
    ("GET", "versioning"): ("GetBucketVersioning", "s3:GetBucketVersioning", get_versioning),
    ("GET", "location"): ("GetBucketLocation", "s3:GetBucketLocation", get_location),
}


# CloudTrail writes some of them under older names.
EVENT_NAMES = {"PutBucketLifecycleConfiguration": "PutBucketLifecycle",
               "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
               "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
               "GetBucketLifecycleConfiguration": "GetBucketLifecycle"}
NOT_RECORDED = ("GET", "HEAD", "PUT", "DELETE", "POST")     # requests that are no operation here


def event_resources(params, _result):
    return [("AWS::S3::Bucket", params["bucketName"])]


class Call(aws_call.Call):
    """A request to S3, told by method, path and query instead of by a target."""

    def __init__(self, state, request):
        super().__init__(state, request)
        self.module = sys.modules[__name__]

    def _read(self):
        self.protocol = "rest-xml"
        self.bucket, _, self.object = self.request.path.lstrip("/").partition("/")
        names = [name for name, _ in parse_qsl(self.request.query, keep_blank_values=True)]
        self.place = PLACES.get((self.request.method, names[0] if names else ""))
        self.operation = self.place[0] if self.place and not self.object else self.request.method
        self.raw = {"Bucket": self.bucket}
        self.event_name = EVENT_NAMES.get(self.operation, self.operation)

    def record_parameters(self):
        """requestParameters, which S3 writes in a way of its own."""
        result = {"bucketName": self.bucket, "Host": self.request.header("host")}
        sub_resource = self.request.query.partition("=")[0]
        if sub_resource:
            result[sub_resource] = ""
        if self.operation == "PutBucketRequestPayment":
            payer = PAYER.search(self.request.body)
            result["RequestPaymentConfiguration"] = {"Payer": payer[1].decode() if payer else "", "xmlns": NAMESPACE}
        if self.operation == "PutBucketPolicy":
            result["bucketPolicy"] = bucket(self.state, self.bucket)["policy"] if bucket(self.state, self.bucket) else None
        return result

    def fault_values(self, name):
        return [self.bucket] if name == "bucket" else super().fault_values(name)

    def denied_text(self, why):
        return "Access Denied"

    def serve(self):
        """The answer; called with the state locked."""
        if self.place is None or self.object:
            self.state.fail("shape", f"s3 {self.request.method} {self.request.target} is not simulated", request=self.id)
            raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented.", 501)
        operation, action, function = self.place
        found = bucket(self.state, self.bucket)
        if operation == "CreateBucket":
            if found is not None:
                raise AwsError("BucketAlreadyExists", "The requested bucket name is not available.", 409)
        elif found is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        elif found["region"] != self.region:
            raise AwsError("PermanentRedirect", "The bucket you are attempting to access must be addressed using the "
                           "specified endpoint.", 301)
        else:
            self._check_owner(found)
        self.authorize(action, f"arn:{self.principal.partition}:s3:::{self.bucket}")
        response = function(self, found)
        if self.request.method not in ("GET", "HEAD"):
            destinations.note(self.state)
        return response

    def _check_owner(self, found):
        wanted = self.request.header("x-amz-expected-bucket-owner")
        foreign = found["owner"] and found["owner"] != self.principal.account
        if found.get("denied") or foreign or (wanted is not None and wanted != found["owner"]):
            raise AwsError("AccessDenied", "Access Denied", 403)

    def error_code(self, error):
        code, status = CODES.get(error.code, (error.code, 400))
        if getattr(error, "kind", "") == "skew":
            code = "RequestTimeTooSkewed"
        return code, error.status or status

    def error_response(self, error):
        """S3 answers HEAD without a body, so that only the status tells."""
        code, status = self.error_code(error)
        headers = [("x-amz-request-id", self.id), ("x-amz-id-2", f"{self.id}/host="), ("Content-Type", "application/xml")]
        if status == 301:
            headers.append(("x-amz-bucket-region", bucket(self.state, self.bucket)["region"]))
        body = (f"{DOCUMENT}<Error><Code>{code}</Code><Message>{escape(error.message)}</Message>"
                f"<RequestId>{self.id}</RequestId><HostId>{self.id}/host=</HostId></Error>").encode()
        return Response(status, headers, body)
