#!/bin/bash
# A policy of 2008 becomes one of 2012 in the AWS CDK, and a simulator of IAM reads all policies as if they were.
#
# Guess: PolicyDocument.fromJson(policy) and back gives the policy. Its Version decides whether ${aws:username} is a
#   variable or plain text; a policy without one is of 2008-10-17, and in it that is text.
# Seen: aws-cdk-lib 2.276.0 writes Version 2012-10-17 whatever it read, and drops the Id: the text becomes a variable.
#   That is a policy as SNS gives each new topic one. iam-simulate 0.1.173 puts the name in for all three versions, so
#   that what it calls allowed is not. Neither says anything.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get aws-cdk-lib@2.276.0 constructs@10.8.1 @cloud-copilot/iam-simulate@0.1.173

cat >"$tmp/versions.js" <<'END'
const { App, Stack } = require('aws-cdk-lib');
const { PolicyDocument } = require('aws-cdk-lib/aws-iam');
const { runSimulation } = require('@cloud-copilot/iam-simulate');

const stack = new Stack(new App(), 'stack');
const topic = { Version: '2008-10-17', Id: '__default_policy_ID', Statement: [{ Sid: '__default_statement_ID', Effect: 'Allow',
    Principal: { AWS: '*' }, Action: 'SNS:Publish', Resource: 'arn:aws:sns:eu-central-1:111122223333:alerts',
    Condition: { StringEquals: { 'AWS:SourceOwner': '111122223333' } } }] };
const back = stack.resolve(PolicyDocument.fromJson(topic));
for (const field of ['Version', 'Id'])
    console.log(`cdk: ${field} ${topic[field]} is ${back[field] ?? 'missing'}`);

const statement = { Effect: 'Allow', Action: 'cloudtrail:GetTrail', Resource: 'arn:aws:cloudtrail:*:*:trail/${aws:username}' };
(async () => {
    for (const Version of ['2012-10-17', '2008-10-17', undefined]) {
        const { resultType, overallResult } = await runSimulation({
            identityPolicies: [{ name: 'policy', policy: { ...(Version && { Version }), Statement: [statement] } }],
            serviceControlPolicies: [], resourceControlPolicies: [],
            request: { action: 'cloudtrail:GetTrail', principal: 'arn:aws:iam::111122223333:user/audit',
                resource: { resource: 'arn:aws:cloudtrail:eu-central-1:111122223333:trail/audit', accountId: '111122223333' },
                contextVariables: { 'aws:username': 'audit' } } }, {});
        console.log(`iam-simulate: Version ${Version ?? 'missing'}: ${overallResult ?? resultType}`);
    }
})();
END

same "$(cat <<'END'
cdk: Version 2008-10-17 is 2012-10-17
cdk: Id __default_policy_ID is missing
iam-simulate: Version 2012-10-17: Allowed
iam-simulate: Version 2008-10-17: Allowed
iam-simulate: Version missing: Allowed
END
)" "$(cd "$tmp" && bare node versions.js)" || exit 1
