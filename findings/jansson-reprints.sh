#!/bin/bash
# A time that jansson reads and writes back is no longer the text that AWS sent: 1795948800.123 loses its
# last digit.
#
# Guess: a double is written with as few digits as it takes to read the same one back, as Python and
#   JavaScript do.
# Seen: jansson 2.14 writes 17 digits and drops trailing zeros: 1795948800.1229999 (which is the same
#   double, but compared, signed or hashed as text it is another time), 0.10000000000000001.
#   JSON_REAL_PRECISION(13) mends the first and cuts microseconds off others.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed libjansson-dev 2.14-
cat >"$tmp/print.c" <<'END'
#include <jansson.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        json_t *number = json_loads(argv[i], JSON_DECODE_ANY, NULL);

        printf("%s: %s | 13 digits %s\n", argv[i], json_dumps(number, JSON_ENCODE_ANY),
               json_dumps(number, JSON_ENCODE_ANY | JSON_REAL_PRECISION(13)));
    }
    return 0;
}
END
cc -o "$tmp/print" "$tmp/print.c" -ljansson
numbers=(1795948800.123 1795948800.123456 0.1 1.7958E9)

row() {
    echo "$("$tmp/print" "$1") | python $(/usr/bin/python3 -c 'import json, sys; print(json.dumps(json.loads(sys.argv[1])))' "$1")"
}

same "$(cat <<'END'
1795948800.123: 1795948800.1229999 | 13 digits 1795948800.123 | python 1795948800.123
1795948800.123456: 1795948800.123456 | 13 digits 1795948800.123 | python 1795948800.123456
0.1: 0.10000000000000001 | 13 digits 0.1 | python 0.1
1.7958E9: 1795800000.0 | 13 digits 1795800000.0 | python 1795800000.0
END
)" "$(for number in "${numbers[@]}"; do row "$number"; done)" || exit 1
