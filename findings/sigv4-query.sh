#!/bin/bash
# curl signs a query as it is written: parameters out of order, or one without a value, make a signature
# that AWS cannot get.
#
# Guess: --aws-sigv4 sorts the parameters and writes 'policy' as 'policy=' before it signs, as the
#   algorithm demands.
# Seen: curl 7.88.1 does neither, so that its signature is another than botocore's (1.29.27) for the same
#   request. The two agree on parameters that stand in order, and on ?policy= instead of ?policy.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed curl 7.88.1-
installed python3-botocore 1.29.27
start_server
cat >"$tmp/sign.py" <<'END'
import json
import sys
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
sent = json.load(open(sys.argv[1]))
headers, authorization = sent["headers"], sent["headers"]["authorization"]
names = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
request = AWSRequest("GET", f"http://{headers['host']}{sent['path']}", {name: headers[name] for name in names})
request.context["timestamp"] = headers["x-amz-date"]
auth = S3SigV4Auth(Credentials("AKIAEXAMPLE", "example"), "s3", "eu-central-1")
signature = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
print("same signature" if authorization.endswith("=" + signature) else "another signature")
END

row() {
    : >"$tmp/requests"
    bare curl -s --aws-sigv4 aws:amz:eu-central-1:s3 --user AKIAEXAMPLE:example --connect-to "::127.0.0.1:$port" \
        "http://bucket.s3.eu-central-1.amazonaws.com/$1"
    echo "$1: $(bare /usr/bin/python3 "$tmp/sign.py" "$tmp/requests")"
}

same "$(cat <<'END'
?list-type=2&prefix=AWSLogs/: same signature
?prefix=AWSLogs/&list-type=2: another signature
?policy=: same signature
?policy: another signature
END
)" "$(
    row '?list-type=2&prefix=AWSLogs/'
    row '?prefix=AWSLogs/&list-type=2'
    row '?policy='
    row '?policy'
)" || exit 1
