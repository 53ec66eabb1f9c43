# SPDX-License-Identifier: Apache-2.0
"""S3 as far as a guard looks at a trail's bucket: is it there, whose is it, where, with which policy, lifecycle and
versioning. Path style only, as clients do with an end point of their own. Reading only; the control interface changes
buckets. A bucket that a trail uses and nobody described exists, belongs to the trail's account and is as it should be."""

import json
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from . import call as aws_call
from .errors import AwsError
from .http import Response

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DOCUMENT = '<?xml version="1.0" encoding="UTF-8"?>\n'
CODES = {       # the common errors under S3's names: (code, status)
    "UnrecognizedClientException": ("InvalidAccessKeyId", 403), "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("AccessDenied", 403), "ExpiredTokenException": ("ExpiredToken", 400),
    "IncompleteSignatureException": ("AuthorizationHeaderMalformed", 400), "AccessDeniedException": ("AccessDenied", 403),
    "ThrottlingException": ("SlowDown", 503),
}


def bucket(state, name):
    """The description of a bucket, or None: keys owner, region, policy, lifecycle, versioning, denied."""
    found = state.buckets.get(name, {})
    users = [trail for trail in state.trails.values() if trail.settings.get("S3BucketName") == name]
    if found.get("missing") or (not found and not users):
        return None
    base = {"owner": users[0].account, "region": users[0].region, "policy": _good_policy(name, users)} if users else {
        "owner": "", "region": "us-east-1", "policy": None}
    return {**base, "lifecycle": [], "versioning": "Enabled", **found}


def _good_policy(name, users):
    """The bucket policy of the CloudTrail user guide for these trails."""
    arns = sorted(trail.arn for trail in users)
    service, condition = {"Service": "cloudtrail.amazonaws.com"}, {"StringEquals": {"aws:SourceArn": arns}}
    return {"Version": "2012-10-17", "Statement": [
        {"Sid": "AWSCloudTrailAclCheck", "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
         "Resource": f"arn:aws:s3:::{name}", "Condition": condition},
        {"Sid": "AWSCloudTrailWrite", "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
         "Resource": sorted(f"arn:aws:s3:::{name}/AWSLogs/{trail.account}/*" for trail in users),
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


# (method, sub-resource) -> (operation, IAM action, function)
PLACES = {
    ("HEAD", ""): ("HeadBucket", "s3:ListBucket", head_bucket),
    ("GET", "lifecycle"): ("GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", get_lifecycle),
    ("GET", "policy"): ("GetBucketPolicy", "s3:GetBucketPolicy", get_policy),
    ("GET", "versioning"): ("GetBucketVersioning", "s3:GetBucketVersioning", get_versioning),
    ("GET", "location"): ("GetBucketLocation", "s3:GetBucketLocation", get_location),
}


class Call(aws_call.Call):
    """A request to S3, told by method, path and query instead of by a target."""

    def _read(self):
        self.protocol = "rest-xml"
        self.bucket, _, self.object = self.request.path.lstrip("/").partition("/")
        names = [name for name, _ in parse_qsl(self.request.query, keep_blank_values=True)]
        self.place = PLACES.get((self.request.method, names[0] if names else ""))
        self.operation = self.place[0] if self.place and not self.object else self.request.method
        self.raw = {"Bucket": self.bucket}

    def fault_values(self, name):
        return [self.bucket] if name == "bucket" else super().fault_values(name)

    def denied_text(self, why):
        return "Access Denied"

    def serve(self):
        """The answer; called with the state locked."""
        if self.place is None or self.object:
            self.state.fail("shape", f"s3 {self.request.method} {self.request.target} is not simulated", request=self.id)
            raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented.", 501)
        _, action, function = self.place
        found = bucket(self.state, self.bucket)
        if found is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
        if found["region"] != self.region:
            raise AwsError("PermanentRedirect", "The bucket you are attempting to access must be addressed using the "
                           "specified endpoint.", 301)
        owner = self.request.header("x-amz-expected-bucket-owner")
        if found.get("denied") or (owner is not None and owner != found["owner"]):
            raise AwsError("AccessDenied", "Access Denied", 403)
        self.authorize(action, f"arn:{self.principal.partition}:s3:::{self.bucket}")
        return function(self, found)

    def error_code(self, error):
        code, status = CODES.get(error.code, (error.code, 400))
        if getattr(error, "kind", "") == "skew":
            code = "RequestTimeTooSkewed"
        return code, error.status or status

    def error_response(self, error):
        """S3 answers HEAD without a body, so that only the status tells."""
        code, status = self.error_code(error)
        headers = [("x-amz-request-id", self.id), ("Content-Type", "application/xml")]
        if status == 301:
            headers.append(("x-amz-bucket-region", bucket(self.state, self.bucket)["region"]))
        body = (f"{DOCUMENT}<Error><Code>{code}</Code><Message>{escape(error.message)}</Message>"
                f"<RequestId>{self.id}</RequestId><HostId>simulated</HostId></Error>").encode()
        return Response(status, headers, body)
