#!/bin/bash
# systemd-analyze verify exits with 0 for a unit of which it says that it ignores the line that protects
# it.
#
# Guess: a value that cannot be parsed makes verify fail, so that a build that runs it stops.
# Seen: systemd 252 prints the line that it ignores and exits with 0 for a misspelt value, key, section,
#   system call group or address family alike; of these cases only a missing program makes it exit with 1.
#   A build has to look at whether anything was printed.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed systemd 252.

row() {
    local status=0
    printf '[Unit]\nDescription=Example\n[Service]\n%b\n' "$1" >"$tmp/example.service"
    bare systemd-analyze verify --man=no "$tmp/example.service" >"$tmp/log" 2>&1 || status=$?
    echo "$1: exit $status, $(grep -c example.service "$tmp/log") lines"
}

same "$(cat <<'END'
ExecStart=/bin/true: exit 0, 0 lines
ExecStart=/bin/true\nProtectSystem=Strict: exit 0, 1 lines
ExecStart=/bin/true\nProtectSytem=strict: exit 0, 1 lines
ExecStart=/bin/true\nSystemCallFilter=@system-service @no-such: exit 0, 1 lines
ExecStart=/bin/true\nMemoryMax=64m: exit 0, 1 lines
ExecStart=/bin/true\n[Instal]\nWantedBy=multi-user.target: exit 0, 1 lines
ExecStart=/no/such/program: exit 1, 1 lines
END
)" "$(
    row 'ExecStart=/bin/true'
    row 'ExecStart=/bin/true\nProtectSystem=Strict'
    row 'ExecStart=/bin/true\nProtectSytem=strict'
    row 'ExecStart=/bin/true\nSystemCallFilter=@system-service @no-such'
    row 'ExecStart=/bin/true\nMemoryMax=64m'
    row 'ExecStart=/bin/true\n[Instal]\nWantedBy=multi-user.target'
    row 'ExecStart=/no/such/program'
)" || exit 1
