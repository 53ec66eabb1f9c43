#!/bin/bash
# The sns-validator of npm refuses, as it comes, every message of five of AWS's eight partitions.
#
# Guess: sns-validator takes a message from any partition that the AWS SDK for JavaScript has SNS hosts for, as
#   long as its signature fits.
# Seen: sns-validator 0.3.5 takes certificates from amazonaws.com and amazonaws.com.cn only. Messages of the
#   European Sovereign Cloud and the four isolated partitions end in "invalid domain" before a certificate is
#   fetched; GovCloud is on amazonaws.com. The constructor's host pattern has to be given there.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get sns-validator@0.3.5 @aws-sdk/client-sns@3.1169.0
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example -keyout "$tmp/key" -out "$tmp/cert" 2>"$tmp/openssl.log"

cat >"$tmp/validate.js" <<'END'
const { readFileSync } = require('fs');
const { createSign } = require('crypto');
const { Readable } = require('stream');
const https = require('https');
const { SNSClient } = require('@aws-sdk/client-sns');
const Validator = require('sns-validator');

// the certificate is on every host, without a network
https.get = (_, answer) => {
    answer(Object.assign(Readable.from([readFileSync('cert', 'utf8')]), { statusCode: 200 }));
    return { on: () => {} };
};
const validator = new Validator();
const valid = message => new Promise(done => validator.validate(message, error => done(error ? error.message : 'valid')));
const rows = { 'us-east-1': 'aws', 'us-gov-west-1': 'aws-us-gov', 'cn-north-1': 'aws-cn', 'eusc-de-east-1': 'aws-eusc',
    'us-iso-east-1': 'aws-iso', 'us-isob-east-1': 'aws-iso-b', 'eu-isoe-west-1': 'aws-iso-e', 'us-isof-south-1': 'aws-iso-f' };
(async () => {
    for (const [region, partition] of Object.entries(rows)) {
        const where = { Region: region, UseFIPS: false, UseDualStack: false };
        const { host } = new SNSClient({ region }).config.endpointProvider(where).url;
        const message = { Message: 'hello', MessageId: 'id-1', Timestamp: '2026-01-01T00:00:00.000Z',
            TopicArn: `arn:${partition}:sns:${region}:111122223333:topic`, Type: 'Notification' };
        const text = Object.entries(message).map(([key, value]) => `${key}\n${value}\n`).join('');
        Object.assign(message, { SignatureVersion: '2', SigningCertURL: `https://${host}/cert.pem`,
            Signature: createSign('RSA-SHA256').update(text).sign(readFileSync('key'), 'base64') });
        console.log(`${partition}: ${await valid(message)}`);
    }
})();
END

same "$(cat <<'END'
aws: valid
aws-us-gov: valid
aws-cn: valid
aws-eusc: The certificate is located on an invalid domain.
aws-iso: The certificate is located on an invalid domain.
aws-iso-b: The certificate is located on an invalid domain.
aws-iso-e: The certificate is located on an invalid domain.
aws-iso-f: The certificate is located on an invalid domain.
END
)" "$(cd "$tmp" && bare node validate.js)" || exit 1
