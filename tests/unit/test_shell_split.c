/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/profile.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

/* The expected words with '|' around each, as shlex.split() of Python 3.11 gives them. */
static const struct {
    const char *text, *words;
} cases[] = {
    { "", "" },
    { " \t\n", "" },
    { "/opt/get-keys", "|/opt/get-keys|" },
    { "  a  b\tc\nd\r\ne ", "|a|b|c|d|e|" },
    { "a 'b c' \"d e\"", "|a|b c|d e|" },
    { "'' \"\" a''b", "|||ab|" },
    { "a\\ b c\\\\d \\'e \\\"", "|a b|c\\d|'e|\"|" },
    { "'a\\b' \"a\\b\" \"a\\\\b\" \"a\\\"b\"", "|a\\b|a\\b|a\\b|a\"b|" },
    { "\"it's\" '\"quoted\"'", "|it's|\"quoted\"|" },
    { "--x='a b'c\"d\"", "|--x=a bcd|" },
    { "$HOME `id` $(id) a;b|c>d&e *?[x] ~ #no", "|$HOME|`id`|$(id)|a;b|c>d&e|*?[x]|~|#no|" },
    { "caf\xc3\xa9", "|caf\xc3\xa9|" },
};

static void splits(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1000);
        _cleanup_free_ char **words = NULL;
        int n, counted = 0;

        n = shell_split(cases[i].text, &words);
        assert_true(n >= 0);
        for (; words[counted]; counted++)
            strbuf_addf(&b, "%s%s|", counted ? "" : "|", words[counted]);
        assert_int_equal(n, counted);
        assert_string_equal(strbuf_str(&b), cases[i].words);
    }
}

static void refuses(void **state _unused_) {
    static const char *const bad[] = { "'", "\"", "a 'b", "a \"b", "a\\", "'a\\'b'", "\"a\\", "\"a\\\"" };
    char **words = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (shell_split(bad[i], &words) != -EINVAL)
            fail_msg("accepted: %s", bad[i]);
    assert_null(words);
}

static void has_ceilings(void **state _unused_) {
    StrBuf b = STRBUF_INIT(100000);
    char **words = NULL;

    for (int i = 0; i < SHELL_WORDS_MAX; i++)
        strbuf_add(&b, "x ");
    assert_int_equal(shell_split(strbuf_str(&b), &words), SHELL_WORDS_MAX);
    free(TAKE_PTR(words));
    strbuf_add(&b, "x");
    assert_int_equal(shell_split(strbuf_str(&b), &words), -E2BIG);
    strbuf_done(&b);
    for (int i = 0; i < SHELL_TEXT_MAX; i++)
        strbuf_add_char(&b, 'x');
    assert_int_equal(shell_split(strbuf_str(&b), &words), 1);
    assert_int_equal(strlen(words[0]), SHELL_TEXT_MAX);
    free(TAKE_PTR(words));
    strbuf_add(&b, "x");
    assert_int_equal(shell_split(strbuf_str(&b), &words), -E2BIG);
    strbuf_done(&b);
    assert_null(words);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(refuses),
        cmocka_unit_test(has_ceilings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
