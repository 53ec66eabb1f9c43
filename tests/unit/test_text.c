/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/text.h"

static void copies(void **state _unused_) {
    static const struct {
        size_t size;
        const char *src, *expected;
        bool fits;
    } cases[] = {
        { 4, "abc", "abc", true },
        { 4, "abcd", "abc", false },
        { 1, "", "", true },
        { 1, "a", "", false },
        { 4, NULL, "", true },
        { 4, "a\xc3\xa9z", "a\xc3\xa9", false },
        { 3, "a\xc3\xa9", "a", false },
        { 4, "\xf0\x9f\x98\x80", "", false },
        { 5, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", true },
        { 5, "\x80\x80\x80\x80\x80", "\x80\x80\x80\x80", false }, /* no character to keep whole */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char dst[8];

        memset(dst, '#', sizeof(dst));
        assert_int_equal(text_copy(dst, cases[i].size, cases[i].src), cases[i].fits);
        assert_string_equal(dst, cases[i].expected);
        for (size_t j = cases[i].size; j < sizeof(dst); j++)
            assert_int_equal(dst[j], '#');
    }
}

static void compares(void **state _unused_) {
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "A"));
    assert_true(text_starts_with("abc", "ab"));
    assert_true(text_starts_with("abc", ""));
    assert_false(text_starts_with("ab", "abc"));
    assert_false(text_starts_with(NULL, ""));
    assert_true(text_ends_with("abc", "bc"));
    assert_true(text_ends_with("abc", ""));
    assert_true(text_ends_with("abc", "abc"));
    assert_false(text_ends_with("bc", "abc"));
    assert_false(text_ends_with(NULL, ""));
}

static const struct {
    const char *in, *escaped;
} escapes[] = {
    { "", "" },
    { "plain text, 100 %", "plain text, 100 %" },
    { "back\\slash", "back\\\\slash" },
    { "a\nb\r\tc", "a\\x0ab\\x0d\\x09c" },
    { "\x1b[31mred", "\\x1b[31mred" },
    { "\x7f", "\\x7f" },
    { "caf\xc3\xa9", "caf\xc3\xa9" },
    { "\xf0\x9f\x98\x80!", "\xf0\x9f\x98\x80!" },
    { "\xc2\x85\xc2\x9b", "\\u0085\\u009b" },         /* C1: NEL, CSI */
    { "a\xe2\x80\xaetxt.exe", "a\\u202etxt.exe" },    /* right-to-left override */
    { "\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069" }, /* isolates */
    { "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029" }, /* line separators */
    { "a\xe2\x80\x8b\x62", "a\\u200bb" },             /* zero width space */
    { "\xef\xbb\xbf", "\\ufeff" },                    /* byte order mark */
    { "\xff\xfe", "\\xff\\xfe" },                     /* never in UTF-8 */
    { "\xc0\x8a", "\\xc0\\x8a" },                     /* overlong line feed */
    { "\xe0\x80\x8a", "\\xe0\\x80\\x8a" },            /* overlong again */
    { "\xed\xa0\x80", "\\xed\\xa0\\x80" },            /* surrogate */
    { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },   /* above U+10FFFF */
    { "x\xe2\x80", "x\\xe2\\x80" },                   /* cut short */
    { "\xc3\x28", "\\xc3(" },
};

/* What was escaped on its way here stays as it is; what only begins like that does not. */
static void escapes_once(void **state _unused_) {
    static const struct {
        const char *in, *escaped;
    } cases[] = {
        { "\\x1b[31m \\x0a \\x7f \\xff", "\\x1b[31m \\x0a \\x7f \\xff" },
        { "\\u202e\\ufeff\\u0085", "\\u202e\\ufeff\\u0085" },
        { "C:\\\\x", "C:\\\\x" },
        { "\\\\\\", "\\\\\\\\" },
        { "\\", "\\\\" },
        { "\\x41 \\x4 \\x1B \\x", "\\\\x41 \\\\x4 \\\\x1B \\\\x" }, /* never written by us */
        { "\\u0041 \\u202 \\u202E \\u", "\\\\u0041 \\\\u202 \\\\u202E \\\\u" },
        { "\\n\n", "\\\\n\\x0a" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char fixed[200];

        assert_string_equal(text_escaped(fixed, sizeof(fixed), cases[i].in), cases[i].escaped);
    }
}

static void escapes_what_misleads(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(escapes); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(200);
        char fixed[200];

        assert_int_equal(text_escape(&b, escapes[i].in, 100), 0);
        assert_string_equal(strbuf_str(&b), escapes[i].escaped);
        assert_ptr_equal(text_escaped(fixed, sizeof(fixed), escapes[i].in), fixed);
        assert_string_equal(fixed, escapes[i].escaped);
    }
}

static void cuts_are_marked(void **state _unused_) {
    static const struct {
        const char *in;
        size_t max;
        const char *expected;
    } cases[] = {
        { "abcdef", 6, "abcdef" },
        { "abcdef", 5, "abcde..." },
        { "abcdef", 0, "..." },
        { "", 0, "" },
        { NULL, 5, "" },
        { "ab\xc3\xa9z", 3, "ab..." }, /* not in the middle of a character */
        { "ab\xc3\xa9z", 4, "ab\xc3\xa9..." },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(200);

        assert_int_equal(text_escape(&b, cases[i].in, cases[i].max), 0);
        assert_string_equal(strbuf_str(&b), cases[i].expected);
    }
}

static void fixed_buffers_are_cut_between_characters(void **state _unused_) {
    static const struct {
        size_t size;
        const char *in, *expected;
    } cases[] = {
        { 8, "1234567", "1234567" },
        { 8, "12345678", "1234..." },
        { 8, "123\n5", "123..." },
        { 8, "123\n", "123\\x0a" },
        { 4, "12345", "..." },
        { 3, "12345", ".." },
        { 1, "1", "" },
        { 1, "", "" },
        { 2, NULL, "" },
        { 8, "12\xc3\xa9\xc3\xa9\xc3\xa9", "12\xc3\xa9..." },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char dst[16];

        memset(dst, '#', sizeof(dst));
        text_escaped(dst, cases[i].size, cases[i].in);
        assert_string_equal(dst, cases[i].expected);
        for (size_t j = cases[i].size; j < sizeof(dst); j++)
            assert_int_equal(dst[j], '#');
    }
}

static void ceiling_is_the_buffers(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(5);

    assert_int_equal(text_escape(&b, "123\n", 10), -E2BIG);
    assert_int_equal(text_escape(&b, NULL, 10), -E2BIG);
}

static void assert_escaped_once(const char *escaped) {
    _cleanup_strbuf_ StrBuf again = STRBUF_INIT(1000);

    assert_int_equal(text_escape(&again, escaped, 1000), 0);
    assert_string_equal(strbuf_str(&again), escaped);
}

/* Whatever goes in: the result holds no control byte and stays as it is when escaped again. */
static void random_bytes_become_harmless(void **state _unused_) {
    srandom(20250102);
    for (int round = 0; round < 20000; round++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1000);
        char in[33], fixed[24];
        size_t n = (size_t)(random() % 32);

        for (size_t i = 0; i < n; i++)
            in[i] = round % 2 ? (char)(random() % 255 + 1) : "\\xu0127ef8\n"[random() % 11];
        in[n] = '\0';

        assert_int_equal(text_escape(&b, in, sizeof(in)), 0);
        text_escaped(fixed, sizeof(fixed), in);
        for (const char *s = strbuf_str(&b); *s; s++)
            assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);
        for (const char *s = fixed; *s; s++)
            assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);

        if (!strchr(strbuf_str(&b), '\\')) /* nothing to escape: nothing changed */
            assert_string_equal(strbuf_str(&b), in);
        if (b.len < sizeof(fixed))
            assert_string_equal(fixed, strbuf_str(&b));
        else
            assert_true(text_ends_with(fixed, "..."));
        assert_escaped_once(strbuf_str(&b));
    }
}

static void the_nearest_word_is_found(void **state _unused_) {
    static const char *const words[] = { "status",  "check",   "config",        "restart",
                                         "restore", "regions", "poll_interval", "eu-central-1", "" };
    static const struct {
        const char *text, *best;
    } cases[] = {
        { "statsu", "status" },
        { "STATUS", "status" },
        { "sttus", "status" },
        { "sta", "status" },
        { "st", NULL },
        { "x", NULL },
        { "chekc", "check" },
        { "conf", "config" },
        { "restor", "restore" },
        { "restrat", "restart" },
        { "restar", "restart" },
        { "region", "regions" },
        { "poll-interval", "poll_interval" },
        { "pollintervall", "poll_interval" },
        { "eu-centrall-1", "eu-central-1" },
        { "central", NULL },
        { "", NULL },
        { NULL, NULL },
        { "a23456789012345678901234567890123456789012345678901234567890123456789", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        TextNearest nearest = { .text = cases[i].text };

        for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
            text_nearest(&nearest, words[k]);
        if (!text_equal(nearest.best, cases[i].best))
            fail_msg("%s: %s", cases[i].text, nearest.best);
    }
}

static void utf8_is_known(void **state) {
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        { NULL, true },           { "", true },
        { "plain", true },        { "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", true },
        { "\xff", false },        { "a\xc3", false },
        { "\xc0\xaf", false },    { "\xed\xa0\x80", false },
        { "\xe2\x82x", false },   { "\xf4\x90\x80\x80", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (text_is_utf8(cases[i].text) != cases[i].is)
            fail_msg("case %zu", i);
}

static void sets_a_text(void **state) {
    char *slot = NULL;

    (void)state;
    assert_int_equal(text_set(&slot, "one"), 0);
    assert_string_equal(slot, "one");
    assert_int_equal(text_set(&slot, slot), 0); /* also its own */
    assert_string_equal(slot, "one");
    assert_int_equal(text_set(&slot, ""), 0);
    assert_string_equal(slot, "");
    assert_int_equal(text_set(&slot, NULL), 0);
    assert_null(slot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),
        cmocka_unit_test(sets_a_text),
        cmocka_unit_test(the_nearest_word_is_found),
        cmocka_unit_test(compares),
        cmocka_unit_test(utf8_is_known),
        cmocka_unit_test(escapes_what_misleads),
        cmocka_unit_test(escapes_once),
        cmocka_unit_test(cuts_are_marked),
        cmocka_unit_test(fixed_buffers_are_cut_between_characters),
        cmocka_unit_test(ceiling_is_the_buffers),
        cmocka_unit_test(random_bytes_become_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
