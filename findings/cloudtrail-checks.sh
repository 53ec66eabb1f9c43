#!/bin/bash
# Before it sends, botocore holds a number against its smallest value and not against its largest; the JavaScript SDK
# holds nothing against anything.
#
# Guess: the model has 1 and 50 for MaxResults of LookupEvents, so botocore refuses 0 and 51 alike, and a word that is
#   none of the model's; the JavaScript SDK refuses at least a call without the name that it needs.
# Seen: botocore 1.29.27 refuses 0 and sends 500, and an AttributeKey that does not exist. It is strict about types.
#   client-cloudtrail 3.1137.0 sends a call without a name (or with "name" for "Name", which it drops), the text "false"
#   for a truth value, and a text as the list of trails.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed python3-botocore 1.29.27
npm_get @aws-sdk/client-cloudtrail@3.1137.0

cat >"$tmp/calls.json" <<'END'
[["LookupEvents", {"MaxResults": 0}],
 ["LookupEvents", {"MaxResults": 51}],
 ["LookupEvents", {"MaxResults": 500}],
 ["LookupEvents", {"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "red"}]}],
 ["LookupEvents", {"LookupAttributes": [{"AttributeKey": "EventName"}]}],
 ["GetTrailStatus", {}],
 ["GetTrailStatus", {"name": "audit"}],
 ["GetTrailStatus", {"Name": 5}],
 ["DescribeTrails", {"trailNameList": "audit"}],
 ["UpdateTrail", {"Name": "audit", "IsMultiRegionTrail": "false"}]]
END

# what is sent is kept from the network
cat >"$tmp/calls.py" <<'END'
import json

import botocore.session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ParamValidationError


class Empty:
    def stream(self, **_):
        yield b"{}"


sent = []
client = botocore.session.Session().create_client(
    "cloudtrail", region_name="eu-central-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
client.meta.events.register(
    "before-send", lambda request, **_: sent.append(request.body) or AWSResponse(request.url, 200, {}, Empty()))
for name, parameters in json.load(open("calls.json")):
    try:
        getattr(client, xform_name(name))(**parameters)
        body = json.loads(sent[-1])
        print("sent" if body == parameters else f"sent as {json.dumps(body)}")
    except ParamValidationError:
        print("refused")
END
cat >"$tmp/calls.js" <<'END'
const cloudtrail = require('@aws-sdk/client-cloudtrail');
const { Readable } = require('stream');
const sent = [];
const client = new cloudtrail.CloudTrailClient({ region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' },
    requestHandler: { handle: async request => {
        sent.push(Buffer.from(request.body).toString());
        return { response: { statusCode: 200, headers: {}, body: Readable.from([Buffer.from('{}')]) } };
    } } });
(async () => {
    for (const [name, parameters] of require('./calls.json'))
        await client.send(new cloudtrail[`${name}Command`](parameters))
            .then(() => console.log(sent.at(-1) === JSON.stringify(parameters) ? 'sent' : `sent as ${sent.at(-1)}`),
                () => console.log('refused'));
})();
END

same "$(cat <<'END'
LookupEvents {"MaxResults":0}: botocore refused | javascript sent
LookupEvents {"MaxResults":51}: botocore sent | javascript sent
LookupEvents {"MaxResults":500}: botocore sent | javascript sent
LookupEvents {"LookupAttributes":[{"AttributeKey":"Colour","AttributeValue":"red"}]}: botocore sent | javascript sent
LookupEvents {"LookupAttributes":[{"AttributeKey":"EventName"}]}: botocore refused | javascript sent
GetTrailStatus {}: botocore refused | javascript sent
GetTrailStatus {"name":"audit"}: botocore refused | javascript sent as {}
GetTrailStatus {"Name":5}: botocore refused | javascript sent
DescribeTrails {"trailNameList":"audit"}: botocore refused | javascript sent
UpdateTrail {"Name":"audit","IsMultiRegionTrail":"false"}: botocore refused | javascript sent
END
)" "$(
    cd "$tmp"
    bare /usr/bin/python3 calls.py >python.txt
    bare node calls.js >javascript.txt 2>warnings
    jq -r -c '.[] | "\(.[0]) \(.[1] | tojson)"' calls.json | paste -d '|' - python.txt javascript.txt |
        sed 's/|/: botocore /; s/|/ | javascript /'
)" || exit 1
