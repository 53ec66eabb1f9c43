#!/bin/bash
# Debian's Alertmanager on a free loopback port, with $tmp/config.yml.
# shellcheck source=findings/lib/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

get_alertmanager() {
    deb_get prometheus-alertmanager=0.25.0-1+b4
}

# Sets $address. Its default templates are read from /usr/share: put there in a mount namespace of its own.
start_alertmanager() {
    cat >"$tmp/run.sh" <<'END'
mount -t tmpfs none /usr/share && mkdir /usr/share/prometheus || exit
cp -r "$1/root/usr/share/prometheus/alertmanager" /usr/share/prometheus
exec "$1/root/usr/bin/prometheus-alertmanager" --config.file="$1/config.yml" --storage.path="$1/data" --cluster.listen-address= \
    --web.listen-address=127.0.0.1:0
END
    unshare --map-root-user --mount sh "$tmp/run.sh" "$tmp" 2>"$tmp/log" &
    servers+=($!)
    wait_for grep -q 'Listening on' "$tmp/log"
    address=$(sed -n 's/.*"Listening on" address=//p' "$tmp/log")
    export address
}
