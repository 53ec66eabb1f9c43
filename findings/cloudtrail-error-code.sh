#!/bin/bash
# Where the code of an AWS error may stand: JavaScript finds it in each, Python only in "__type" without a
# URL.
#
# Guess: the JSON protocol has the code in "__type" after a '#', in a header, or in "code", each perhaps
#   followed by ':' and a URL, and both SDKs cope with all of that.
# Seen: botocore 1.29.27 leaves the URL in the code, so that no handler for TrailNotFoundException matches,
#   and without "__type" it knows no other code than the HTTP status. client-cloudtrail 3.1137.0 finds it
#   everywhere. The other way about with x-amzn-query-error: botocore lets that header replace a code that
#   it had found.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients

row() {
    answer_with 404 "${@:2}"
    echo "$1: python $(status python) | javascript $(status javascript)"
}

code=TrailNotFoundException
same "$(cat <<'END'
__type: python TrailNotFoundException | javascript TrailNotFoundException
__type, namespace: python TrailNotFoundException | javascript TrailNotFoundException
__type, URL: python TrailNotFoundException:http://example.com/ | javascript TrailNotFoundException
code: python 404 | javascript TrailNotFoundException
header: python 404 | javascript TrailNotFoundException
header, URL: python 404 | javascript TrailNotFoundException
query header beside __type: python TrailMissing | javascript TrailNotFoundException
END
)" "$(
    row '__type' "{\"__type\": \"$code\"}"
    row '__type, namespace' "{\"__type\": \"com.example#$code\"}"
    row '__type, URL' "{\"__type\": \"$code:http://example.com/\"}"
    row 'code' "{\"code\": \"$code\"}"
    row 'header' '{}' "x-amzn-ErrorType=$code"
    row 'header, URL' '{}' "x-amzn-ErrorType=$code:http://example.com/"
    row 'query header beside __type' "{\"__type\": \"$code\"}" 'x-amzn-query-error=TrailMissing;Sender'
)" || exit 1
