#!/bin/bash
# AWS_USE_FIPS_ENDPOINT=TRUE: Python goes to the FIPS host, JavaScript to the other one, and 1 means no to both.
#
# Guess: a truth value in any common spelling is read as such, or refused; nobody who asks for FIPS silently gets
#   something else.
# Seen: botocore 1.29.27 knows "true" in capitals too and takes everything else for false. client-cloudtrail 3.1137.0
#   knows the one spelling "true"; TRUE, True, 1, yes and a space behind it send it to the host without FIPS. Neither
#   warns. About AWS_RETRY_MODE and AWS_MAX_ATTEMPTS it is Python that is strict and JavaScript that takes anything.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-botocore 1.29.27
npm_get @aws-sdk/client-cloudtrail@3.1137.0

cat >"$tmp/host.py" <<'END'
import botocore.session

try:
    client = botocore.session.Session().create_client(
        "cloudtrail", region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
    print(client.meta.endpoint_url.split("/")[2].split(".")[0])
except Exception:
    print("refused")
END
cat >"$tmp/host.js" <<'END'
const { CloudTrailClient, ListTrailsCommand } = require('@aws-sdk/client-cloudtrail');
const { Readable } = require('stream');
const client = new CloudTrailClient({ region: 'us-east-1', credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
    requestHandler: { handle: async ({ hostname }) => {
        console.log(hostname.split('.')[0]);
        return { response: { statusCode: 200, headers: {}, body: Readable.from([Buffer.from('{}')]) } };
    } } });
client.send(new ListTrailsCommand({})).catch(() => console.log('refused'));
END

row() {
    local python javascript
    python=$(bare "$1" /usr/bin/python3 "$tmp/host.py")
    javascript=$(cd "$tmp" && bare "$1" node host.js 2>warnings)
    echo "$1: python $python | javascript $javascript"
}

same "$(cat <<'END'
AWS_USE_FIPS_ENDPOINT=true: python cloudtrail-fips | javascript cloudtrail-fips
AWS_USE_FIPS_ENDPOINT=TRUE: python cloudtrail-fips | javascript cloudtrail
AWS_USE_FIPS_ENDPOINT=True: python cloudtrail-fips | javascript cloudtrail
AWS_USE_FIPS_ENDPOINT=1: python cloudtrail | javascript cloudtrail
AWS_USE_FIPS_ENDPOINT=yes: python cloudtrail | javascript cloudtrail
AWS_USE_FIPS_ENDPOINT=true : python cloudtrail | javascript cloudtrail
AWS_USE_FIPS_ENDPOINT=false: python cloudtrail | javascript cloudtrail
AWS_RETRY_MODE=standard: python cloudtrail | javascript cloudtrail
AWS_RETRY_MODE=Standard: python refused | javascript cloudtrail
AWS_RETRY_MODE=fast: python refused | javascript cloudtrail
AWS_MAX_ATTEMPTS=3: python cloudtrail | javascript cloudtrail
AWS_MAX_ATTEMPTS=0: python refused | javascript cloudtrail
AWS_MAX_ATTEMPTS=many: python refused | javascript cloudtrail
END
)" "$(
    for value in true TRUE True 1 yes 'true ' false; do
        row "AWS_USE_FIPS_ENDPOINT=$value"
    done
    for value in standard Standard fast; do
        row "AWS_RETRY_MODE=$value"
    done
    for value in 3 0 many; do
        row "AWS_MAX_ATTEMPTS=$value"
    done
)" || exit 1
