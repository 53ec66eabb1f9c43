/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Golden texts: what the code says, in files of tests/golden/, so that a changed sentence is a reviewed
 * diff. `make golden` writes them. Those of errors are called errors.*, those that commands show shown.*;
 * test_golden.c owns all others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/util/strbuf.h"

#define GOLDEN_FOLDER   "tests/golden"
#define GOLDEN_NAME_LEN 256
#define GOLDEN_TEXT_LEN (1024U * 1024)

static const char golden_how[] = "`make golden` writes it; review the diff";

static inline bool golden_updates(void) {
    return getenv("TRAILGUARD_GOLDEN_UPDATE");
}

static inline void golden_path(const char *name, char ret[static GOLDEN_NAME_LEN + sizeof(GOLDEN_FOLDER)]) {
    (void)snprintf(ret, GOLDEN_NAME_LEN + sizeof(GOLDEN_FOLDER), "%s/%s", GOLDEN_FOLDER, name);
}

static inline void golden_read(const char *name, StrBuf *ret) {
    char path[GOLDEN_NAME_LEN + sizeof(GOLDEN_FOLDER)], part[4096];
    FILE *f;
    size_t n;

    golden_path(name, path);
    f = fopen(path, "re");
    if (!f)
        return;
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        (void)strbuf_add_mem(ret, part, n);
    (void)fclose(f);
}

static inline void golden_write(const char *name, const StrBuf *text) {
    char path[GOLDEN_NAME_LEN + sizeof(GOLDEN_FOLDER)];
    FILE *f;

    golden_path(name, path);
    f = fopen(path, "we");
    if (!f || fwrite(text->data, 1, text->len, f) != text->len || fclose(f) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

/* The first line that differs. */
static inline void golden_print_difference(const char *name, const char *is, const char *golden) {
    unsigned line = 1;
    size_t same = 0;

    if (!golden[0]) {
        print_error(GOLDEN_FOLDER "/%s is not there; %s\n", name, golden_how);
        return;
    }
    for (size_t i = 0; is[i] && is[i] == golden[i]; i++)
        if (is[i] == '\n') {
            line++;
            same = i + 1;
        }
    print_error(GOLDEN_FOLDER "/%s:%u: is no longer what is said\n- %.*s\n+ %.*s\n  %s\n", name, line,
                (int)strcspn(golden + same, "\n"), golden + same, (int)strcspn(is + same, "\n"), is + same,
                golden_how);
}

/* Compares, or writes when the environment asks for that. How many differ: 0 or 1. */
static inline unsigned golden_check(const char *name, const StrBuf *text) {
    StrBuf golden = STRBUF_INIT(GOLDEN_TEXT_LEN);
    bool same;

    assert_int_equal(strbuf_error(text), 0);
    golden_read(name, &golden);
    same = strcmp(strbuf_str(text), strbuf_str(&golden)) == 0;
    if (!same && golden_updates())
        golden_write(name, text);
    else if (!same)
        golden_print_difference(name, strbuf_str(text), strbuf_str(&golden));
    strbuf_done(&golden);
    return same ? 0 : 1;
}
