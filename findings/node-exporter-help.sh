#!/bin/bash
# Two .prom files that describe one metric in different words: node_exporter drops the second one's series
# and reports no error.
#
# Guess: texts that differ are an error of the textfile collector, which node_textfile_scrape_error shows,
#   or the first text is taken.
# Seen: prometheus-node-exporter 1.5.0 answers 200, node_textfile_scrape_error is 0 and both files have
#   their mtime, but series b is not there; with equal texts (or none) it is. The same with two types. A
#   file with a timestamp in it is dropped whole, and that one does count as an error.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get prometheus-node-exporter=1.5.0-1+b6
mkdir "$tmp/prom"
"$tmp/root/usr/bin/prometheus-node-exporter" --collector.disable-defaults --collector.textfile \
    --collector.textfile.directory="$tmp/prom" --web.disable-exporter-metrics --web.listen-address=127.0.0.1:0 2>"$tmp/log" &
servers+=($!)
wait_for grep -q 'Listening on' "$tmp/log"
address=$(sed -n 's/.*"Listening on" address=//p' "$tmp/log")

# row NAME A B: what the two files hold
row() {
    printf '%b' "$2" >"$tmp/prom/a.prom"
    printf '%b' "$3" >"$tmp/prom/b.prom"
    curl -s -o "$tmp/scrape" -w "$1: %{http_code}" "http://$address/metrics"
    echo " error $(sed -n 's/^node_textfile_scrape_error //p' "$tmp/scrape") files" \
        "$(grep -c '^node_textfile_mtime_seconds{' "$tmp/scrape") series $(grep -o '^up_[^ ]*' "$tmp/scrape" | paste -sd ' ')"
}

same "$(cat <<'END'
same text: 200 error 0 files 2 series up_{of="a"} up_{of="b"}
no text: 200 error 0 files 2 series up_{of="a"} up_{of="b"}
two texts: 200 error 0 files 2 series up_{of="a"}
two types: 200 error 0 files 2 series up_{of="a"}
a timestamp: 200 error 1 files 1 series up_{of="a"}
END
)" "$(
    row 'same text' '# HELP up_ Well.\nup_{of="a"} 1\n' '# HELP up_ Well.\nup_{of="b"} 1\n'
    row 'no text' 'up_{of="a"} 1\n' 'up_{of="b"} 1\n'
    row 'two texts' '# HELP up_ Well.\nup_{of="a"} 1\n' '# HELP up_ All is well.\nup_{of="b"} 1\n'
    row 'two types' '# TYPE up_ gauge\nup_{of="a"} 1\n' '# TYPE up_ counter\nup_{of="b"} 1\n'
    row 'a timestamp' 'up_{of="a"} 1\n' 'up_{of="b"} 1 1795948800000\n'
)" || exit 1
