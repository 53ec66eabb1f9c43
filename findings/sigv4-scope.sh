#!/bin/bash
# curl and the npm package aws4 guess region and service from the host, and guess wrong for FIPS, VPC and
# dual-stack hosts.
#
# Guess: both know the shapes of AWS's hosts; what they do not know they refuse.
# Seen: curl 7.88.1 takes the first two labels for service and region, whatever they are: 'amazonaws' is
#   the region of sts.amazonaws.com, and the id of a VPC endpoint a service. aws4 1.13.2 knows more hosts
#   but signs for a service cloudtrail-fips, a region vpce, and for hosts below api.aws and amazonaws.eu
#   for a service without a name. Neither warns.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed curl 7.88.1-
npm_get aws4@1.13.2
start_server
cat >"$tmp/scope.js" <<'END'
const signed = require('aws4').sign({ host: process.argv[2], path: '/', method: 'POST' },
    { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' });
console.log(signed.headers.Authorization);
END

# scope: region/service of an Authorization header on stdin
scope() {
    sed -n 's|.*Credential=[^/]*/[0-9]*/\(.*\)/aws4_request.*|\1|p'
}

row() {
    : >"$tmp/requests"
    bare curl -s --aws-sigv4 aws:amz --user AKIAEXAMPLE:example --connect-to "::127.0.0.1:$port" --data '{}' "http://$1/"
    echo "$1: curl $(jq -r .headers.authorization "$tmp/requests" | scope) | aws4 $(bare node "$tmp/scope.js" "$1" | scope)"
}

same "$(cat <<'END'
cloudtrail.eu-central-1.amazonaws.com: curl eu-central-1/cloudtrail | aws4 eu-central-1/cloudtrail
cloudtrail-fips.us-east-1.amazonaws.com: curl us-east-1/cloudtrail-fips | aws4 us-east-1/cloudtrail-fips
cloudtrail.us-east-1.api.aws: curl us-east-1/cloudtrail | aws4 us-east-1/
cloudtrail.eusc-de-east-1.amazonaws.eu: curl eusc-de-east-1/cloudtrail | aws4 us-east-1/
sts.amazonaws.com: curl amazonaws/sts | aws4 us-east-1/sts
vpce-0123-abcd.cloudtrail.eu-central-1.vpce.amazonaws.com: curl cloudtrail/vpce-0123-abcd | aws4 vpce/eu-central-1
bucket.s3.eu-central-1.amazonaws.com: curl s3/bucket | aws4 eu-central-1/s3
s3.dualstack.eu-central-1.amazonaws.com: curl dualstack/s3 | aws4 eu-central-1/dualstack
END
)" "$(
    row cloudtrail.eu-central-1.amazonaws.com
    row cloudtrail-fips.us-east-1.amazonaws.com
    row cloudtrail.us-east-1.api.aws
    row cloudtrail.eusc-de-east-1.amazonaws.eu
    row sts.amazonaws.com
    row vpce-0123-abcd.cloudtrail.eu-central-1.vpce.amazonaws.com
    row bucket.s3.eu-central-1.amazonaws.com
    row s3.dualstack.eu-central-1.amazonaws.com
)" || exit 1
