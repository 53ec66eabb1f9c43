#!/bin/bash
# The ARN of a trail's log group has eight parts, and a parser of ARNs from npm keeps the seventh out of its name.
#
# Guess: two parsers give the same resource for each ARN that a trail has, "log-group:NAME:*" for the log group.
# Seen: @aws-sdk/util-arn-parser 3.972.51 does. aws-arn-parser 1.0.1 has six names for what stands between the
#   colons, one of them for the prefix "arn": the resource of a log group is "log-group", its name is lost, and the
#   last part is a property that is called "undefined". The same with the id of an SNS subscription. What it calls
#   aws is the partition.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get @aws-sdk/util-arn-parser@3.972.51 aws-arn-parser@1.0.1

cat >"$tmp/parse.js" <<'JS'
const { parse } = require('@aws-sdk/util-arn-parser');
const other = require('aws-arn-parser');
const audit = 'arn:aws-us-gov:cloudtrail:us-gov-west-1:111122223333:trail/audit';
const group = 'arn:aws:logs:eu-central-1:111122223333:log-group:audit:*';
const subscription = 'arn:aws:sns:eu-central-1:111122223333:alerts:00000000-0000-4000-8000-000000000001';
for (const arn of [audit, group, subscription]) {
    const { relativeId, aws, ...rest } = other(arn);
    console.log(`${parse(arn).resource} | ${relativeId} | undefined: ${rest['undefined'] ?? 'none'} | aws: ${aws}`);
}
JS

same "$(cat <<'END_'
trail/audit | trail/audit | undefined: none | aws: aws-us-gov
log-group:audit:* | log-group | undefined: * | aws: aws
alerts:00000000-0000-4000-8000-000000000001 | alerts | undefined: 00000000-0000-4000-8000-000000000001 | aws: aws
END_
)" "$(cd "$tmp" && bare node parse.js)" || exit 1
