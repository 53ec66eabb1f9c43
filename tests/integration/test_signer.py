# SPDX-License-Identifier: Apache-2.0
"""Our signer against botocore's, on thousands of requests that nobody thought of: methods, paths, queries, repeated
headers, characters beyond ASCII. Each stage is compared, so that a difference names the stage."""

import hashlib
import json
import os
import random
import string
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from guard import BINARY

HELPER = Path(os.environ.get("TRAILGUARD_REAL_BIN", BINARY)).parent / "tests/integration/sign_helper"
REQUESTS = 3000
WORDS = string.ascii_letters + string.digits
# what a URL or a header may hold, and what an encoder may get wrong
ODD = WORDS + "-._~!*'();:@&=+$,/?#[]%\"<>\\^`{|} " + "äöüßéñ中文字日本語кириллица" + "\U0001f512\u0301"
SERVICES = ["cloudtrail", "sns", "sts", "organizations", "sqs", "s3", "service"]


class Maker:
    """Makes requests up from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, alphabet, low, high):
        return "".join(self.random.choices(alphabet, k=self.random.randint(low, high)))

    def path(self, s3):
        segments = [quote(self.text(ODD, 0, 12), safe="-._~") for _ in range(self.random.randint(0, 5))]
        if not s3:
            segments = [self.random.choice([segment, segment, segment, "", ".", ".."]) for segment in segments]
        return "/" + "/".join(segments)

    def query(self):
        """As it is sent: encoded, in any order, names repeated, with and without values."""
        names = [self.text(ODD, 1, 8) for _ in range(self.random.randint(1, 4))]
        pairs = []
        for _ in range(self.random.choice([0, 0, 1, 2, 5, 20])):
            name = quote(self.random.choice(names), safe="-._~")
            value = quote(self.text(ODD, 0, 10), safe="-._~")
            pairs.append(name if self.random.random() < 0.1 else f"{name}={value}")
        return "&".join(pairs)

    def headers(self):
        """Names in any case, some repeated, values with runs of blanks."""
        result = []
        for _ in range(self.random.randint(0, 6)):
            name = "x-" + self.text(WORDS + "-", 1, 12)
            for _ in range(self.random.choice([1, 1, 1, 2, 3])):
                value = " ".join(self.text(ODD, 0, 8) + self.random.choice(["", " ", "\t", "  \t "])
                                 for _ in range(self.random.randint(0, 4)))
                result.append([self.random.choice([name, name.upper(), name.title()]), value])
        self.random.shuffle(result)
        return result

    def request(self):
        service = self.random.choice(SERVICES)
        s3 = service == "s3"
        seconds = self.random.choice([self.random.randint(0, 4102444800), 1735787045 // 86400 * 86400,
                                      1735787045 // 86400 * 86400 - 1])
        body = self.random.randbytes(self.random.choice([0, 0, 1, 63, 64, 1000]))
        host = self.text(WORDS, 1, 20).lower() + ".example.com" + self.random.choice(["", "", ":8443"])
        headers = [["Host", host], ["X-Amz-Date", time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))], *self.headers()]
        if self.random.random() < 0.5:
            headers.append(["X-Amz-Security-Token", self.text(WORDS + "/+=", 16, 2000)])
        if s3:
            headers.append(["X-Amz-Content-SHA256", hashlib.sha256(body).hexdigest()])
        return {"method": self.random.choice(["GET", "POST", "PUT", "HEAD", "DELETE", "PATCH"]), "path": self.path(s3),
                "query": self.query(), "headers": headers, "body": body.hex(), "service": service, "s3": s3,
                "region": self.random.choice(["us-east-1", "eu-central-1", "us-gov-west-1", "eusc-de-east-1"]),
                "key": "AKIA" + self.text(WORDS, 12, 12).upper(), "secret": self.text(WORDS + "/+=", 40, 40),
                "time": seconds}


def by_botocore(made):
    host = made["headers"][0][1]
    url = f"https://{host}{made['path']}" + ("?" + made["query"] if made["query"] else "")
    request = AWSRequest(made["method"], url, data=bytes.fromhex(made["body"]))
    for name, value in made["headers"]:
        request.headers.add_header(name, value)
    request.context["timestamp"] = dict(made["headers"])["X-Amz-Date"]
    signer = (S3SigV4Auth if made["s3"] else SigV4Auth)(Credentials(made["key"], made["secret"]), made["service"],
                                                        made["region"])
    canonical = signer.canonical_request(request)
    to_sign = signer.string_to_sign(request, canonical)
    names = signer.signed_headers(signer.headers_to_sign(request))
    return {"canonical": canonical, "string_to_sign": to_sign,
            "authorization": f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={names}, "
                             f"Signature={signer.signature(to_sign, request)}"}


def by_us(requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([HELPER], input=lines, capture_output=True, text=True, timeout=300, check=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_signer_agrees_with_botocores():
    seed = int(os.environ.get("TG_SEED", time.time_ns()))
    print(f"TG_SEED={seed}")
    maker = Maker(seed)
    requests = [maker.request() for _ in range(REQUESTS)]
    answers = by_us(requests)
    assert len(answers) == REQUESTS
    for request, answer in zip(requests, answers):
        expected = by_botocore(request)
        for stage in ("canonical", "string_to_sign", "authorization"):
            assert answer.get(stage) == expected[stage], f"TG_SEED={seed}: {stage} of {json.dumps(request)}"


@pytest.mark.parametrize("header", [["X-A", "a\nb"], ["X-A", "a\rb"], ["X-A\n", "b"], ["X-A", "\x01"]])
def test_the_signer_refuses_what_would_be_another_header(header):
    made = Maker(1).request()
    made["headers"].append(header)
    assert by_us([made]) == [{"error": -22}]
