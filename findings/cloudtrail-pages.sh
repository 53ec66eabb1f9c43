#!/bin/bash
# A list whose NextToken comes again: JavaScript reads the same page for ever.
#
# Guess: both give up a list whose token repeats, both end it at an empty token and at null, and a token that is
#   no text is refused as an answer.
# Seen: botocore 1.29.27 has a PaginationError after the second page. The paginator of
#   client-cloudtrail 3.1137.0 goes on without an end: stopOnSameToken is off unless it is asked for, and then
#   the list ends as if it were whole. A number as a token goes back to the server as it came; botocore
#   refuses it only as its own next question, with the name of the parameter.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/cloudtrail.bash
. "$(dirname "$0")/lib/cloudtrail.bash"

get_cloudtrail_clients
cat >"$tmp/pages.js" <<'END'
const { CloudTrailClient, paginateListTrails } = require('@aws-sdk/client-cloudtrail');
const client = new CloudTrailClient({ endpoint: process.argv[2], region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' } });
const count = pages => `${pages} page${pages === 1 ? '' : 's'}`;
(async () => {
    let pages = 0;
    try {
        for await (const _ of paginateListTrails({ client, stopOnSameToken: process.argv[3] === 'stop' }, {}))
            if (++pages === 20)
                return console.log('20 pages, and no end');
        console.log(count(pages));
    } catch (e) {
        console.log(`${count(pages)}, ${e.name}`);
    }
})();
END
cat >"$tmp/pages.py" <<'END'
import itertools
import sys
import botocore.session
client = botocore.session.Session().create_client(
    "cloudtrail", endpoint_url=sys.argv[1], region_name="eu-central-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="example")
pages = 0

def count(pages):
    return f"{pages} page" + "s" * (pages != 1)

try:
    for _ in itertools.islice(client.get_paginator("list_trails").paginate(), 20):
        pages += 1
    print(count(pages) + (", and no end" if pages == 20 else ""))
except Exception as error:
    print(f"{count(pages)}, {type(error).__name__}")
END

javascript() {
    bare node "$tmp/pages.js" "http://127.0.0.1:$port" "$@"
}

# row TOKEN: "" is none
row() {
    answer_with 200 "{\"Trails\": []${1:+, \"NextToken\": $1}}"
    echo "${1:-none}: python $(bare /usr/bin/python3 "$tmp/pages.py" "http://127.0.0.1:$port") | javascript $(javascript), stopOnSameToken $(javascript stop)"
}

same "$(cat <<'END'
none: python 1 page | javascript 1 page, stopOnSameToken 1 page
"": python 1 page | javascript 1 page, stopOnSameToken 1 page
null: python 1 page | javascript 1 page, stopOnSameToken 1 page
"again": python 2 pages, PaginationError | javascript 20 pages, and no end, stopOnSameToken 2 pages
7: python 1 page, ParamValidationError | javascript 20 pages, and no end, stopOnSameToken 2 pages
END
)" "$(
    row ''
    row '""'
    row null
    row '"again"'
    row 7
)" || exit 1
