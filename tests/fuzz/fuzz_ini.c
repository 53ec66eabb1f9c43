/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration file: entries come in order, with the promises that ini.h makes about
 * them. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Seen {
    unsigned line, n;
} Seen;

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_trimmed(const char *s) {
    size_t n = strlen(s);

    check(n == 0 || (!strchr(" \t\v\f", s[0]) && !strchr(" \t\v\f", s[n - 1])));
    check(!strpbrk(s, "\r\n"));
}

static int visit(const IniEntry *entry, void *userdata) {
    Seen *seen = userdata;

    check(entry->line > seen->line);
    check(!entry->key == (entry->kind == INI_SECTION || entry->kind == INI_ODD));
    check(!entry->value == (entry->kind == INI_SECTION));
    check(!entry->parent == (entry->kind != INI_SUBKEY));
    check(entry->section[0] != '\0' || entry->kind == INI_KEY || entry->kind >= INI_SUBKEY);
    if (entry->key) {
        check(entry->kind == INI_SUBKEY || entry->key[0] != '\0');
        check_trimmed(entry->key);
        check(!strpbrk(entry->key, "=ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
        check_trimmed(entry->value);
    }
    seen->line = entry->line;
    seen->n++;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Seen seen = { 0 };
    int r;

    r = ini_parse((const char *)data, size, visit, &seen);
    check(r == 0 || r == -E2BIG);
    return 0;
}
