#!/bin/bash
# LookupEvents up to ten o'clock: to botocore a time without a zone is UTC, not the zone of the machine, and
# 12/11 is another month than 13/11.
#
# Guess: such a time is local, as it is for datetime.timestamp() and for JavaScript's Date; Python drops
#   fractions of a second.
# Seen: it does, so that a window up to now leaves out what happened in this second, and
#   client-cloudtrail 3.1137.0 sends them. But in New York botocore 1.29.27 sends a moment five hours before
#   the one that timestamp() gives for the same object, so a window that ends with datetime.now() ends five
#   hours ago. Text without a zone is UTC too, and its day and month are guessed: 12/11/2026 is in December,
#   13/11/2026 in November.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients
answer_with 200 '{"Events": []}'
cat >"$tmp/lookup.js" <<'END'
const { CloudTrailClient, LookupEventsCommand } = require('@aws-sdk/client-cloudtrail');
const [endpoint, time] = process.argv.slice(2);
const client = new CloudTrailClient({ endpoint, region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' } });
client.send(new LookupEventsCommand({ EndTime: new Date(time) })).catch(e => console.log(e.name));
END
cat >"$tmp/lookup.py" <<'END'
import sys
import datetime
import botocore.session
endpoint, time, how = sys.argv[1:]
client = botocore.session.Session().create_client(
    "cloudtrail", endpoint_url=endpoint, region_name="eu-central-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
client.lookup_events(EndTime=time if how == "text" else datetime.datetime.fromisoformat(time))
END

# row TIME WAY...: the EndTime that is sent
row() {
    local time=$1 way command seen=''
    shift
    for way; do
        case $way in
            datetime | text) command=(/usr/bin/python3 "$tmp/lookup.py" "http://127.0.0.1:$port" "$time" "$way") ;;
            Date) command=(node "$tmp/lookup.js" "http://127.0.0.1:$port" "$time") ;;
        esac
        : >"$tmp/requests"
        bare TZ=America/New_York "${command[@]}" >"$tmp/said" 2>&1 || different "no request for $time as $way"
        seen+=" | $way $(jq -r '.body | fromjson.EndTime | "\(floor | todate)\(. - floor | if . > 0 then " and more" else "" end)"' "$tmp/requests")"
    done
    echo "$time$seen"
}

same "$(cat <<'END'
2026-11-29T10:00:00-05:00 | datetime 2026-11-29T15:00:00Z | text 2026-11-29T15:00:00Z | Date 2026-11-29T15:00:00Z
2026-11-29T10:00:00 | datetime 2026-11-29T10:00:00Z | text 2026-11-29T10:00:00Z | Date 2026-11-29T15:00:00Z
2026-11-29T10:00:00 as datetime.timestamp(): 2026-11-29T15:00:00Z
2026-11-29T10:00:00.987+00:00 | datetime 2026-11-29T10:00:00Z | text 2026-11-29T10:00:00Z | Date 2026-11-29T10:00:00Z and more
12/11/2026 | text 2026-12-11T00:00:00Z
13/11/2026 | text 2026-11-13T00:00:00Z
END
)" "$(
    row 2026-11-29T10:00:00-05:00 datetime text Date
    row 2026-11-29T10:00:00 datetime text Date
    echo "2026-11-29T10:00:00 as datetime.timestamp(): $(
        bare TZ=America/New_York /usr/bin/python3 -c 'import datetime; print(int(datetime.datetime(2026, 11, 29, 10).timestamp()))' | jq -r todate)"
    row 2026-11-29T10:00:00.987+00:00 datetime text Date
    row 12/11/2026 text
    row 13/11/2026 text
)" || exit 1
