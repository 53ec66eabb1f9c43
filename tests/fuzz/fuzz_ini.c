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

    check(n == 0 || (!strchr(" \t", s[0]) && !strchr(" \t", s[n - 1])));
    check(!strpbrk(s, "\n"));
}

static int visit(const IniEntry *entry, void *userdata) {
    Seen *seen = userdata;

    check(entry->line > seen->line);
    check(entry->section[0] != '\0' && entry->key[0] != '\0');
    check(!entry->parent || entry->parent[0] != '\0');
    check_trimmed(entry->section);
    check_trimmed(entry->key);
    check_trimmed(entry->value);
    check(!strpbrk(entry->key, "=ABCDEFGHIJKLMNOPQRSTUVWXYZ"));
    check(!strstr(entry->section, "  "));
    seen->line = entry->line;
    seen->n++;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Seen seen = { 0 };
    unsigned line = 0;
    int r;

    r = ini_parse((const char *)data, size, visit, &seen, &line);
    check(r == 0 || r == -EINVAL || r == -E2BIG);
    check((r == -EINVAL) == (line > 0));
    check(r != -EINVAL || line > seen.line);
    return 0;
}
