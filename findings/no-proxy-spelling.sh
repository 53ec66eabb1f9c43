#!/bin/bash
# NO_PROXY for AWS: of eight spellings only '.amazonaws.com' and '*' mean the same to curl, Python and the
# npm package proxy-from-env.
#
# Guess: all take a bare domain for its subdomains; '*.domain' is for none; host:port is taken with its
#   port.
# Seen: with a bare domain proxy-from-env 2.1.0 still uses the proxy for the hosts below it, and with
#   '*.domain' it is the only one that does not. curl 7.88.1 takes host:port for a name that matches
#   nothing, but takes a dot at the end, spaces between names and networks (127.0.0.0/8), which the others
#   do not. botocore 1.29.27 goes by Python's rules.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed curl 7.88.1-
installed python3-botocore 1.29.27
npm_get proxy-from-env@2.1.0
start_server
cat >"$tmp/way.mjs" <<'END'
import { getProxyForUrl } from 'proxy-from-env';
console.log(getProxyForUrl(process.argv[2]) ? 'proxy' : 'direct');
END
cat >"$tmp/way.py" <<'END'
import sys
from botocore.utils import get_environ_proxies
print("proxy" if get_environ_proxies(sys.argv[1]) else "direct")
END

# row NO_PROXY HOST: a request through the proxy has the whole URL as its path; the server is proxy and host
row() {
    local url=http://$2:$port/ proxy=http://127.0.0.1:$port curl
    local settings=(http_proxy="$proxy" no_proxy="$1")
    : >"$tmp/requests"
    bare "${settings[@]}" curl -s --resolve "$2:$port:127.0.0.1" "$url"
    curl=$(jq -r 'if .path == "/" then "direct" else "proxy" end' "$tmp/requests")
    echo "${1//$port/PORT}: curl $curl | python $(bare "${settings[@]}" /usr/bin/python3 "$tmp/way.py" "$url")" \
        "| npm $(bare "${settings[@]}" node "$tmp/way.mjs" "$url")"
}

host=cloudtrail.eu-central-1.amazonaws.com
same "$(cat <<'END'
.amazonaws.com: curl direct | python direct | npm direct
*: curl direct | python direct | npm direct
amazonaws.com: curl direct | python direct | npm proxy
*.amazonaws.com: curl proxy | python proxy | npm direct
cloudtrail.eu-central-1.amazonaws.com:PORT: curl proxy | python direct | npm direct
cloudtrail.eu-central-1.amazonaws.com.: curl direct | python proxy | npm proxy
example.com cloudtrail.eu-central-1.amazonaws.com: curl direct | python proxy | npm direct
127.0.0.0/8: curl direct | python proxy | npm proxy
END
)" "$(
    row .amazonaws.com $host
    row '*' $host
    row amazonaws.com $host
    row '*.amazonaws.com' $host
    row $host:"$port" $host
    row $host. $host
    row "example.com $host" $host
    row 127.0.0.0/8 127.0.0.1
)" || exit 1
