#!/bin/bash
# An AWS account number without quotes becomes another, negative number in libconfig 1.5, without an error.
#
# Guess: an integer that does not fit into 32 bits is refused, or becomes a 64-bit one by itself.
# Seen: libconfig 1.5 (Debian 12) wraps it at 32 bits, and config_lookup_int64 returns the wrapped value
#   too; past 64 bits it ends up at -1. Only the suffix L gives the number that is written. Leading zeros
#   are dropped, so 012 is 12.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed libconfig-dev 1.5-
cat >"$tmp/number.c" <<'END'
#include <libconfig.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        config_t config;
        long long value = 0;
        char text[64];

        config_init(&config);
        snprintf(text, sizeof text, "account = %s;", argv[i]);
        if (config_read_string(&config, text) && config_lookup_int64(&config, "account", &value))
            printf("%s: %lld\n", argv[i], value);
        else
            printf("%s: refused\n", argv[i]);
        config_destroy(&config);
    }
    return 0;
}
END
cc -o "$tmp/number" "$tmp/number.c" -lconfig

same "$(cat <<'END'
2147483647: 2147483647
2147483648: -2147483648
4294967296: 0
111122223333: -546926363
111122223333L: 111122223333
99999999999999999999: -1
012: 12
END
)" "$("$tmp/number" 2147483647 2147483648 4294967296 111122223333 111122223333L 99999999999999999999 012)" || exit 1
