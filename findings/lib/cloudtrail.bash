#!/bin/bash
# One GetTrailStatus by two AWS SDKs against lib/answer.py: Debian's botocore and the AWS SDK for JavaScript v3.
# shellcheck source=findings/lib/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

get_cloudtrail_clients() {
    installed python3-botocore 1.29.27
    npm_get @aws-sdk/client-cloudtrail@3.1137.0
    start_server
    cat >"$tmp/status.js" <<'END'
const { CloudTrailClient, GetTrailStatusCommand } = require('@aws-sdk/client-cloudtrail');
const [endpoint, calls] = process.argv.slice(2);
const client = new CloudTrailClient({ endpoint, region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' } });
(async () => {
    for (let n = 0; n < (calls ?? 1); n++)
        await client.send(new GetTrailStatusCommand({ Name: 'trail' })).then(
            ({ StartLoggingTime: t }) => console.log(t ? t.toISOString().replace('.000', '') : 'no time'), e => console.log(e.name));
})();
END
    # the waits between its attempts are not what is looked at
    cat >"$tmp/status.py" <<'END'
import sys
import time
import botocore.session
time.sleep = lambda seconds: None
client = botocore.session.Session().create_client(
    "cloudtrail", endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
for _ in range(int((sys.argv[2:] or [1])[0])):
    try:
        started = client.get_trail_status(Name="trail").get("StartLoggingTime")
        print(started.isoformat().replace("+00:00", "Z") if started else "no time")
    except Exception as error:
        print(getattr(error, "response", {}).get("Error", {}).get("Code") or type(error).__name__)
END
}

# status CLIENT [VAR=VALUE...] [-- CALLS]: the time, or the error's name
status() {
    local client=$1 settings=() calls=1
    shift
    while (($#)) && [[ $1 != -- ]]; do
        settings+=("$1")
        shift
    done
    [[ ${1:-} != -- ]] || calls=$2
    : >"$tmp/requests"
    case $client in
        python) bare "${settings[@]}" /usr/bin/python3 "$tmp/status.py" "http://127.0.0.1:$port" "$calls" ;;
        javascript) bare "${settings[@]}" node "$tmp/status.js" "http://127.0.0.1:$port" "$calls" ;;
    esac
}

# attempts CLIENT [VAR=VALUE...]: how many requests one call makes
attempts() {
    status "$@" >"$tmp/said"
    wc -l <"$tmp/requests"
}
