#!/bin/bash
# Sourced by every finding, which has made the temporary folder $tmp: pinned packages, a loopback server, and the
# comparison at the end.
set -euo pipefail
: "${tmp:?the finding makes it}"

finding=$(basename "$0" .sh)
lib=$(dirname "${BASH_SOURCE[0]}")
# npm takes no version of a dependency that is newer than this
npm_day=2026-11-28
servers=()

clean_up() {
    local pid
    for pid in "${servers[@]}"; do
        kill "$pid"
        wait "$pid" || :    # the status is the signal's
    done
    rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

different() {
    echo "$finding: $*" >&2
    exit 1
}

# npm_get NAME@VERSION...: into $tmp/node_modules
npm_get() {
    npm install --prefix "$tmp" --before="$npm_day" --ignore-scripts --no-audit --no-fund --loglevel=error "$@" \
        >"$tmp/npm.log" 2>&1 || different "npm could not install $*"
}

# deb_get NAME=VERSION...: unpacked below $tmp/root, not installed
deb_get() {
    mkdir -p "$tmp/deb" "$tmp/root"
    (cd "$tmp/deb" && apt-get download -q -o APT::Sandbox::User=root "$@") >"$tmp/apt.log" 2>&1 ||
        different "apt-get could not download $*"
    local file
    for file in "$tmp"/deb/*.deb; do
        dpkg -x "$file" "$tmp/root"
    done
    rm "$tmp"/deb/*.deb
}

# installed NAME VERSION: the machine's own Debian package starts with this version
installed() {
    local have
    have=$(dpkg-query -W -f '${Version}' "$1" 2>"$tmp/dpkg.log") || different "the Debian package $1 is not installed"
    [[ $have == "$2"* ]] || different "$1 is $have here, the finding is about $2"
}

# bare VAR=VALUE... COMMAND: nothing of the caller's environment but the path, and a home of its own
bare() {
    mkdir -p "$tmp/aws-home/.aws"
    env -i PATH="$PATH" HOME="$tmp/aws-home" TZ=UTC LC_ALL=C NODE_OPTIONS=--no-warnings NODE_PATH="$tmp/node_modules" \
        AWS_EC2_METADATA_DISABLED=true "$@"
}

# Starts lib/answer.py, sets $port. Requests are in $tmp/requests, one JSON object a line; see answer_with.
start_server() {
    : >"$tmp/requests"
    answer_with 200 ''
    /usr/bin/python3 "$lib/answer.py" "$tmp" >"$tmp/port" &
    servers+=($!)
    wait_for test -s "$tmp/port"
    export port
    port=$(<"$tmp/port")
}

# answer_with STATUS BODY [HEADER=VALUE...]: what the server says from now on
answer_with() {
    local status=$1 body=$2
    shift 2
    jq -n --argjson status "$status" --arg body "$body" \
        '{status: $status, body: $body, headers: [$ARGS.positional[] | capture("^(?<k>[^=]*)=(?<v>.*)$") | [.k, .v]]}' \
        --args "$@" >"$tmp/answer.new"
    mv "$tmp/answer.new" "$tmp/answer"
}

# wait_for COMMAND: until it succeeds, 10 s at most
wait_for() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        "$@" && return
        sleep 0.1
    done
    different "nothing came of: $*"
}

# same WANT GOT: prints what was seen. Fails with the first line that differs.
same() {
    local line
    echo "$2"
    [[ $1 != "$2" ]] || return 0
    line=$({ diff <(echo "$1") <(echo "$2") || :; } | grep -m 1 '^>') || line='> fewer lines'
    echo "$finding: no longer as described: ${line#> }" >&2
    return 1
}
