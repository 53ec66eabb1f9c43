#!/bin/bash
# A link in the textfile directory whose file is gone for a moment is an error of the whole collector.
#
# Guess: a link to a file that is not there is skipped, as is a file whose name does not end in .prom: the
#   program that writes it is stopped, and that is no error of node_exporter.
# Seen: prometheus-node-exporter 1.5.0 follows the link while the file is there. Without it
#   node_textfile_scrape_error is 1, for all files together and with no label that names the link; the
#   series of the other files stay, and the link has no node_textfile_mtime_seconds. A link to a directory
#   is no error and counts as a file that was read, with a modification time and no series. A link that
#   does not end in .prom is not read at all.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get prometheus-node-exporter=1.5.0-1+b6
mkdir "$tmp/prom" "$tmp/run"
"$tmp/root/usr/bin/prometheus-node-exporter" --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$tmp/prom" --web.disable-exporter-metrics --web.listen-address=127.0.0.1:0 2>"$tmp/log" &
servers+=($!)
wait_for grep -q 'Listening on' "$tmp/log"
address=$(sed -n 's/.*"Listening on" address=//p' "$tmp/log")
echo 'up_{of="other"} 1' >"$tmp/prom/other.prom"

# row NAME LINK TARGET
row() {
    ln -s "$tmp/run/$3" "$tmp/prom/$2"
    curl -s -o "$tmp/scrape" -w "$1: %{http_code}" "http://$address/metrics"
    rm "$tmp/prom/$2"
    echo " error $(sed -n 's/^node_textfile_scrape_error //p' "$tmp/scrape") files" \
        "$(grep -c '^node_textfile_mtime_seconds{' "$tmp/scrape") series $(grep -o '^up_[^ ]*' "$tmp/scrape" | paste -sd ' ')"
}

echo 'up_{of="link"} 1' >"$tmp/run/metrics.prom"
same "$(cat <<'END'
a file: 200 error 0 files 2 series up_{of="link"} up_{of="other"}
no file: 200 error 1 files 1 series up_{of="other"}
a directory: 200 error 0 files 2 series up_{of="other"}
another name: 200 error 0 files 1 series up_{of="other"}
END
)" "$(
    row 'a file' link.prom metrics.prom
    row 'no file' link.prom gone.prom
    row 'a directory' link.prom .
    row 'another name' link.old gone.prom
)" || exit 1
