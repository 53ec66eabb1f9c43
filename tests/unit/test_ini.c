/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=free */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/ini.h"
#include "lib/util/strbuf.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/free_poll.h"

/* Writes entries as lines "LINE section/parent/key=value"; headers are left out, odd lines are "LINE
 * section?". */
static int record(const IniEntry *e, void *userdata) {
    if (e->kind == INI_SECTION)
        return 0;
    if (e->kind == INI_ODD)
        return strbuf_addf(userdata, "%u %s?\n", e->line, e->section);
    return strbuf_addf(userdata, "%u %s/%s/%s%s%s\n", e->line, e->section, e->parent ? e->parent : "",
                       e->key, e->kind == INI_CONTINUED ? "+" : "=", e->value);
}

static void assert_entries(const char *text, size_t len, const char *expected) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(100000);

    assert_int_equal(ini_parse(text, len, record, &b), 0);
    assert_string_equal(strbuf_str(&b), expected);
}

static void reads(void **state _unused_) {
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { "", "" },
        { "\n\n# only a comment", "" },
        { "[default]", "" },
        { "[default]\naws_access_key_id = AKID\naws_secret_access_key=a/b+c==\n",
          "2 default//aws_access_key_id=AKID\n3 default//aws_secret_access_key=a/b+c==\n" },
        { "[a]\r\nk = v\r\n\r\n[b]\r\nk = w", "2 a//k=v\n5 b//k=w\n" },
        { "\xef\xbb\xbf[a]\nk=v\n", "2 a//k=v\n" },
        { "  [ profile\t  ops ]  # comment\nk=v\n", "2  profile\t  ops //k=v\n" },
        { "[a];c\n#x=y\n;x=y\n  # x=y\n\tk = v\n", "5 a//k=v\n" },
        { "[a]\nKey_IDZ \t=\t Mixed Case \t\n", "2 a//key_idz=Mixed Case\n" },
        { "[a]\nk = v # not a comment; nor this\n", "2 a//k=v # not a comment; nor this\n" },
        { "[a]\nk = \"quoted\"\n", "2 a//k=\"quoted\"\n" },
        { "[a]\nk == v\nl = [x]\n", "2 a//k== v\n3 a//l=[x]\n" },
        { "[a]\nk =\n", "2 a//k=\n" },
        { "[a]\nk=1\nk=2\n[a]\nk=3\n", "2 a//k=1\n3 a//k=2\n5 a//k=3\n" },
        /* Sub-keys, and what ends them. */
        { "[services s]\nCloudTrail =\n  endpoint_url = http://127.0.0.1:1/\n  # c\n\n  x = y\n"
          "sns = \n x = z\n",
          "2 services s//cloudtrail=\n3 services s/cloudtrail/endpoint_url=http://127.0.0.1:1/\n"
          "6 services s/cloudtrail/x=y\n7 services s//sns=\n8 services s/sns/x=z\n" },
        { "[a]] b\nk: v\nl = m:n\no:p=q\n", "2 a]//k=v\n3 a]//l=m:n\n4 a]//o=p=q\n" },
        { "[a]\rk = v\r\rl = w", "2 a//k=v\n4 a//l=w\n" },
        { "[a]\nk = \f\xc2\xa0v\xc2\xa0\v\n", "2 a//k=v\n" },
        { "[a]\nbare =\n  sub =\n    deeper = 1\nk = v\n", "2 a//bare=\n3 a/bare/sub=\n4 a/bare/deeper=1\n"
                                                           "5 a//k=v\n" },
        { "[a]\nbare =\n  sub = 1\n[b]\n  k = v\n", "2 a//bare=\n3 a/bare/sub=1\n5 b//k=v\n" },
        /* A block that is indented as a whole has no sub-keys; nor has a key with a value. */
        { "[a]\n  bare =\n  k = v\n l = w\n", "2 a//bare=\n3 a//k=v\n4 a//l=w\n" },
        { "[a]\nk = v\n  l = w\n", "2 a//k=v\n3 a//k+l = w\n" },
        { "[a]\nk = v\n  [b]\n", "2 a//k=v\n3 a//k+[b]\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_entries(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

/* They stand in a section and spoil it alone: what is read goes on behind them. */
static void passes_odd_lines_on(void **state _unused_) {
    static const struct {
        const char *text;
        size_t len;
        const char *expected;
    } cases[] = {
#define TEXT(s) s, sizeof(s) - 1
        { TEXT("k = v\n[a]\nk = w\n"), "1 //k=v\n3 a//k=w\n" },
        { TEXT("what\n[a]\nk = w\n"), "1 ?\n3 a//k=w\n" },
        { TEXT("[a]\nno equals sign\nk = v\n"), "2 a?\n3 a//k=v\n" },
        /* What follows a header that cannot be read is nobody's. */
        { TEXT("[a]\n[b\nk = v\n[c]\nk = w\n"), "2 a?\n3 //k=v\n5 c//k=w\n" },
        { TEXT("[]\nk = v\n"), "1 ?\n2 //k=v\n" },
        { TEXT("[a]\n= v\n"), "2 a?\n" },
        { TEXT("[a]\nk = \0v\nl = w\n"), "2 a?\n3 a//l=w\n" },
        { TEXT("[a]\n\0"), "2 a?\n" },
        { TEXT("[a]\n# \0\n"), "2 a?\n" },
        { TEXT("[a]\r\n]\r\n"), "2 a?\n" },
        { TEXT("[a]\nbare =\n  text\n"), "2 a//bare=\n3 a?\n" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_entries(cases[i].text, cases[i].len, cases[i].expected);
}

static int stop_at_second(const IniEntry *e, void *userdata) {
    unsigned *n = userdata;

    return e->kind == INI_KEY && ++*n == 2 ? 17 : 0;
}

static void visitor_may_stop(void **state _unused_) {
    static const char text[] = "[a]\nk=1\nk=2\nk=3\nbad";
    unsigned n = 0;

    assert_int_equal(ini_parse(text, strlen(text), stop_at_second, &n), 17);
    assert_int_equal(n, 2);
}

/* Session tokens are longer than any fixed line buffer that somebody may think of. */
static void lines_have_no_limit_of_their_own(void **state _unused_) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(INI_FILE_MAX), expected = STRBUF_INIT(INI_FILE_MAX);

    strbuf_add(&text, "[default]\naws_session_token = ");
    strbuf_add(&expected, "2 default//aws_session_token=");
    for (int i = 0; i < 90000; i++) {
        strbuf_add_char(&text, "abcdefgh"[i % 8]);
        strbuf_add_char(&expected, "abcdefgh"[i % 8]);
    }
    strbuf_add_char(&expected, '\n');
    assert_entries(strbuf_str(&text), text.len, strbuf_str(&expected));
}

static void file_has_a_ceiling(void **state _unused_) {
    static char text[INI_FILE_MAX + 1];
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(10);

    memset(text, '\n', sizeof(text));
    assert_int_equal(ini_parse(text, INI_FILE_MAX, record, &b), 0);
    assert_int_equal(ini_parse(text, INI_FILE_MAX + 1, record, &b), -E2BIG);
}

static void values_are_wiped(void **state _unused_) {
    static const char text[] = "[a]\naws_secret_access_key = hunter2\n", bad[] = "[a]\nk = hunter2\nbad";
    unsigned n = 0;

    free_watch_start("hunter2");
    assert_int_equal(ini_parse(text, strlen(text), stop_at_second, &n), 0);
    assert_int_equal(ini_parse(bad, strlen(bad), stop_at_second, &n), 17);
    assert_int_equal(ini_parse(bad, strlen(bad), stop_at_second, &n), 0);
    assert_int_equal(n, 3);
    assert_true(free_watch_clean());
}

static void out_of_memory(void **state _unused_) {
    static const char text[] = "[a]\nk=v\n";
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(10);
    int r;

    alloc_fail_after(0);
    r = ini_parse(text, strlen(text), record, &b);
    assert_true(alloc_fail_end());
    assert_int_equal(r, -ENOMEM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(passes_odd_lines_on),
        cmocka_unit_test(visitor_may_stop),
        cmocka_unit_test(lines_have_no_limit_of_their_own),
        cmocka_unit_test(file_has_a_ceiling),
        cmocka_unit_test(values_are_wiped),
        cmocka_unit_test(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
