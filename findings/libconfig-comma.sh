#!/bin/bash
# A comma too few in an array of strings makes one string of two, a comma too many is a syntax error.
#
# Guess: a missing comma is a syntax error; one after the last element is taken.
# Seen: libconfig 1.5 (Debian 12) joins neighbouring strings as C does, in arrays too and across lines and
#   comments: a list of three regions has two, one of which exists nowhere. The comma after the last
#   element is the error.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=findings/lib/common.bash
. "$(dirname "$0")/lib/common.bash"

installed libconfig-dev 1.5-
cat >"$tmp/array.c" <<'END'
#include <libconfig.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        config_t config;

        config_init(&config);
        if (config_read_string(&config, argv[i])) {
            config_setting_t *array = config_lookup(&config, "a");

            for (int n = 0; n < config_setting_length(array); n++)
                printf("[%s]", config_setting_get_string_elem(array, n));
            puts("");
        } else {
            puts(config_error_text(&config));
        }
        config_destroy(&config);
    }
    return 0;
}
END
cc -o "$tmp/array" "$tmp/array.c" -lconfig

same '[eu-central-1][eu-west-1][us-east-1]
[eu-central-1eu-west-1][us-east-1]
syntax error' "$("$tmp/array" 'a = [ "eu-central-1", "eu-west-1", "us-east-1" ];' \
    $'a = [ "eu-central-1"  # Frankfurt\n "eu-west-1",\n "us-east-1" ];' 'a = [ "eu-central-1", "eu-west-1", ];')" || exit 1
