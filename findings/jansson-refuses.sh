#!/bin/bash
# Valid JSON that jansson refuses as a whole: one large number or one \u0000 anywhere in an answer is
# enough.
#
# Guess: numbers out of range are rounded or clamped, as 1e-400 is to 0; JSON_ALLOW_NUL takes \u0000
#   wherever a string may stand.
# Seen: jansson 2.14 refuses 2^63 and 1e400, so that one odd number in one event loses the page of events.
#   JSON_DECODE_INT_AS_REAL helps against the former only, and \u0000 in a name is refused with
#   JSON_ALLOW_NUL as well. Python's json takes all of them.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed libjansson-dev 2.14-
cat >"$tmp/load.c" <<'END'
#include <jansson.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static const size_t flags[] = { 0, JSON_ALLOW_NUL, JSON_DECODE_INT_AS_REAL };

    for (int i = 1; i < argc; i++) {
        printf("%s:", argv[i]);
        for (int n = 0; n < 3; n++)
            printf(" %s", json_loads(argv[i], flags[n], NULL) ? "taken" : "refused");
        puts("");
    }
    return 0;
}
END
cc -o "$tmp/load" "$tmp/load.c" -ljansson
texts=('[9223372036854775807]' '[9223372036854775808]' '[1e-400]' '[1e400]' '["\u0000"]' '{"\u0000": 1}')
/usr/bin/python3 -c 'import json, sys; [json.loads(text) for text in sys.argv[1:]]' "${texts[@]}" || different 'Python refuses one too'

# columns: no flags, JSON_ALLOW_NUL, JSON_DECODE_INT_AS_REAL
same "$(cat <<'END'
[9223372036854775807]: taken taken taken
[9223372036854775808]: refused refused taken
[1e-400]: taken taken taken
[1e400]: refused refused refused
["\u0000"]: refused taken refused
{"\u0000": 1}: refused refused refused
END
)" "$("$tmp/load" "${texts[@]}")" || exit 1
