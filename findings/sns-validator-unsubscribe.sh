#!/bin/bash
# AWS's validator of SNS messages refuses each message that says that a subscription has ended.
#
# Guess: a validator takes the three types of message that SNS sends, as long as the signature fits. SNS signs an
#   UnsubscribeConfirmation over the same seven fields as a SubscriptionConfirmation.
# Seen: sns-validator 0.3.5 knows the type and demands Token and SubscribeURL of it, but checks its signature over the
#   fields of a Notification, without those two: "The message signature is invalid". sns-payload-validator 2.1.0 takes
#   all three types. An endpoint with the former never learns that it was cut off from its alerts.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

npm_get sns-validator@0.3.5 sns-payload-validator@2.1.0
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example -keyout "$tmp/key" -out "$tmp/cert" 2>"$tmp/openssl.log"

cat >"$tmp/validate.js" <<'END'
const { readFileSync } = require('fs');
const { createSign } = require('crypto');
const { Readable } = require('stream');
const https = require('https');

// the certificate is on every host, without a network
https.get = (...given) => {
    given.find(one => typeof one === 'function')(Object.assign(Readable.from([readFileSync('cert', 'utf8')]), { statusCode: 200 }));
    const request = { on: () => request };
    return request;
};
const Validator = require('sns-validator');
const PayloadValidator = require('sns-payload-validator');
const one = message => new Promise(done => new Validator().validate(message, error => done(error ? error.message : 'valid')));
const other = message => new PayloadValidator().validate(message).then(() => 'valid', error => error.message);

const signed = {
    Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
    SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'],
};
signed.UnsubscribeConfirmation = signed.SubscriptionConfirmation;
const host = 'https://sns.eu-central-1.amazonaws.com';
(async () => {
    for (const [Type, fields] of Object.entries(signed)) {
        const message = { Type, MessageId: 'id-1', Message: 'hello', Timestamp: '2026-01-01T00:00:00.000Z', SignatureVersion: '2',
            TopicArn: 'arn:aws:sns:eu-central-1:111122223333:alerts',
            SigningCertURL: `${host}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem`,
            ...(Type === 'Notification' ? {} : { Token: '0123', SubscribeURL: `${host}/?Action=ConfirmSubscription&Token=0123` }) };
        const text = fields.filter(field => field in message).map(field => `${field}\n${message[field]}\n`).join('');
        message.Signature = createSign('RSA-SHA256').update(text).sign(readFileSync('key'), 'base64');
        console.log(`${Type}: sns-validator: ${await one({ ...message })} | sns-payload-validator: ${await other({ ...message })}`);
    }
})();
END

same "$(cat <<'END'
Notification: sns-validator: valid | sns-payload-validator: valid
SubscriptionConfirmation: sns-validator: valid | sns-payload-validator: valid
UnsubscribeConfirmation: sns-validator: The message signature is invalid. | sns-payload-validator: valid
END
)" "$(cd "$tmp" && bare node validate.js)" || exit 1
