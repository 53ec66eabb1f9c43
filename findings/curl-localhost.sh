#!/bin/bash
# curl does not ask the resolver for localhost: what /etc/hosts says about it, or about NAME.localhost, is
# not read.
#
# Guess: /etc/hosts decides, as it does for other programs.
# Seen: with localhost and trail.localhost at 127.0.0.2 in /etc/hosts (in a mount namespace of its own)
#   curl 7.88.1 goes to 127.0.0.1 for both, where nothing listens, while Python and Node.js reach the
#   server; curl does so too under a name that does not end in localhost.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed curl 7.88.1-
echo '127.0.0.2 localhost trail.localhost trail.test' >"$tmp/hosts"
cat >"$tmp/server.py" <<'END'
import http.server
class Empty(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(204)
        self.end_headers()
server = http.server.HTTPServer(("127.0.0.2", 0), Empty)
print(server.server_port, flush=True)
server.serve_forever()
END
/usr/bin/python3 "$tmp/server.py" >"$tmp/port" 2>"$tmp/log" &
servers+=($!)
wait_for test -s "$tmp/port"
cat >"$tmp/reach.sh" <<'END'
mount --bind "$1/hosts" /etc/hosts || exit
for name in localhost trail.localhost trail.test; do
    url=http://$name:$2/
    curl=$(curl -s -o "$1/page" -w '%{http_code}' "$url")
    python=$(/usr/bin/python3 -c 'import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).status)' "$url")
    node=$(node -e 'require("http").get(process.argv[1], answer => { console.log(answer.statusCode); answer.resume(); })' "$url")
    echo "$name: curl $curl | python $python | node $node"
done
END

same "$(cat <<'END'
localhost: curl 000 | python 204 | node 204
trail.localhost: curl 000 | python 204 | node 204
trail.test: curl 204 | python 204 | node 204
END
)" "$(bare unshare --map-root-user --mount sh "$tmp/reach.sh" "$tmp" "$(<"$tmp/port")")" || exit 1
