#!/bin/bash
# A counter without _total in its name changes it on the way through two of Prometheus' client libraries.
#
# Guess: the text format lets a counter have any name (promtool has no more than advice), so a series that is read and
#   written again is the same series.
# Seen: python3-prometheus-client 0.16.0 reads `calls 3` as a sample named calls_total and writes that; a gauge of the
#   same name stays. prom-client 15.1.3 writes `calls` in the text format and `calls_total` in OpenMetrics, so that the
#   content type decides which rule on the counter has data. Neither says anything.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

deb_get prometheus=2.42.0+ds-5+deb12u1 python3-prometheus-client=0.16.0-0.1 python3-decorator=5.1.1-3
npm_get prom-client@15.1.3

cat >"$tmp/again.py" <<'END'
import sys

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families


class Read:
    def __init__(self, text):
        self.families = list(text_string_to_metric_families(text))

    def collect(self):
        return self.families


registry = CollectorRegistry()
registry.register(Read(sys.stdin.read()))
sys.stdout.write(generate_latest(registry).decode())
END
cat >"$tmp/write.js" <<'END'
const { Registry, Counter } = require('prom-client');
(async () => {
    for (const type of [Registry.PROMETHEUS_CONTENT_TYPE, Registry.OPENMETRICS_CONTENT_TYPE]) {
        const registry = new Registry(type);
        new Counter({ name: 'calls', help: 'Calls of AWS.', registers: [registry] }).inc(3);
        console.log(`${type.split(';')[0]}:\n${(await registry.metrics()).trim()}`);
    }
})();
END

# again TYPE: a series by python, read and written
again() {
    printf '# HELP calls Calls of AWS.\n# TYPE calls %s\ncalls 3\n' "$1" >"$tmp/text"
    "$tmp/root/usr/bin/promtool" check metrics <"$tmp/text" >"$tmp/log" 2>&1 || [[ $? == 3 ]] || different 'promtool refuses the text'
    echo "python, $1:"
    bare PYTHONPATH="$tmp/root/usr/lib/python3/dist-packages" /usr/bin/python3 "$tmp/again.py" <"$tmp/text"
}

same "$(cat <<'END'
python, gauge:
# HELP calls Calls of AWS.
# TYPE calls gauge
calls 3.0
python, counter:
# HELP calls_total Calls of AWS.
# TYPE calls_total counter
calls_total 3.0
text/plain:
# HELP calls Calls of AWS.
# TYPE calls counter
calls 3
application/openmetrics-text:
# HELP calls Calls of AWS.
# TYPE calls counter
calls_total 3
# EOF
END
)" "$(
    again gauge
    again counter
    cd "$tmp"
    bare node write.js
)" || exit 1
