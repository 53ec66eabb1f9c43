/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=free */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "lib/util/strbuf.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/between.h"
#include "tests/unit/free_poll.h"

static void starts_empty(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(10);

    assert_string_equal(strbuf_str(&b), "");
    assert_int_equal(strbuf_error(&b), 0);
    strbuf_truncate(&b, 0);
    assert_int_equal(strbuf_add(&b, NULL), 0);
    assert_int_equal(strbuf_add_mem(&b, NULL, 0), 0);
    assert_int_equal(b.len, 0);
}

static void appends(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1000);

    assert_int_equal(strbuf_add(&b, "one"), 0);
    assert_int_equal(strbuf_add_char(&b, ' '), 0);
    assert_int_equal(strbuf_add_mem(&b, "two\0x", 5), 0);
    assert_int_equal(b.len, 9);
    assert_memory_equal(strbuf_str(&b), "one two\0x", 10);
    strbuf_truncate(&b, 7);
    assert_int_equal(strbuf_addf(&b, " %d %s", 3, "four"), 0);
    assert_string_equal(strbuf_str(&b), "one two 3 four");
    strbuf_truncate(&b, 100);
    assert_int_equal(b.len, 14);
}

/* Formatted text that fits, that just fits and that makes the buffer grow. */
static void formats_of_every_length(void **state _unused_) {
    static const char text[] = "......................................................................";

    for (int have = 0; have < 70; have++)
        for (int more = 0; more < 70; more++) {
            _cleanup_strbuf_ StrBuf b = STRBUF_INIT(200);

            assert_int_equal(strbuf_add_mem(&b, text, (size_t)have), 0);
            assert_int_equal(strbuf_addf(&b, "%.*s|", more, text), 0);
            assert_int_equal(b.len, have + more + 1);
            assert_int_equal(strlen(strbuf_str(&b)), b.len);
            assert_int_equal(b.data[b.len - 1], '|');
        }
}

static void keeps_its_ceiling(void **state _unused_) {
    for (size_t max = 0; max < 300; max++) {
        _cleanup_strbuf_ StrBuf b = STRBUF_INIT(max);

        for (size_t i = 0; i < max; i++)
            assert_int_equal(strbuf_add_char(&b, 'x'), 0);
        assert_int_equal(b.len, max);
        assert_true(b.allocated <= max + 1);
        assert_int_equal(strbuf_addf(&b, "%s", ""), 0);
        assert_int_equal(strbuf_add_char(&b, 'x'), -E2BIG);
    }
}

static void errors_stick(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4), f = STRBUF_INIT(4);
    char *taken = (char *)"untouched";

    assert_int_equal(strbuf_add(&b, "12345"), -E2BIG);
    assert_int_equal(strbuf_add(&b, "1"), -E2BIG);
    assert_int_equal(strbuf_add(&b, NULL), -E2BIG);
    assert_int_equal(strbuf_addf(&b, "1"), -E2BIG);
    assert_int_equal(strbuf_error(&b), -E2BIG);
    assert_string_equal(strbuf_str(&b), "");
    assert_int_equal(b.len, 0);
    assert_int_equal(strbuf_take(&b, &taken), -E2BIG);
    assert_string_equal(taken, "untouched");

    assert_int_equal(strbuf_add(&f, "abc"), 0);
    assert_int_equal(strbuf_add_buf(&f, &(StrBuf){ .data = (char *)"d", .len = 1 }), 0);
    assert_string_equal(strbuf_str(&f), "abcd");
    assert_int_equal(strbuf_add_buf(&f, &(StrBuf){ .error = -ENOMEM }), -ENOMEM);
    assert_string_equal(strbuf_str(&f), "");
    assert_int_equal(strbuf_add_buf(&f, &b), -ENOMEM);
    strbuf_done(&f);
    f = STRBUF_INIT(4);
    assert_int_equal(strbuf_add(&f, "abc"), 0);
    assert_int_equal(strbuf_addf(&f, "%s", "de"), -E2BIG);
    assert_string_equal(strbuf_str(&f), "");

    strbuf_done(&b);
    strbuf_done(&b);
    assert_int_equal(strbuf_add(&b, "1234"), 0);
}

static void huge_lengths_do_not_wrap(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(SIZE_MAX);

    assert_int_equal(strbuf_add(&b, "abc"), 0);
    assert_int_equal(strbuf_add_mem(&b, "x", SIZE_MAX), -E2BIG);
    strbuf_done(&b);
    assert_int_equal(strbuf_add(&b, "abc"), 0);
    assert_int_equal(strbuf_add_mem(&b, "x", SIZE_MAX - 3), -E2BIG);
}

/* printf says no: a wide character that the C locale does not have. */
static void what_printf_refuses_is_an_error(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(100);

    assert_int_equal(strbuf_add(&b, "abc"), 0);
    assert_int_equal(strbuf_addf(&b, "%ls", L"\x20ac"), -E2BIG);
    assert_string_equal(strbuf_str(&b), "");
}

static void takes(void **state _unused_) {
    StrBuf b = STRBUF_INIT(100);
    _cleanup_free_ char *first = NULL, *second = NULL;

    assert_int_equal(strbuf_add(&b, "text"), 0);
    assert_int_equal(strbuf_take(&b, &first), 0);
    assert_string_equal(first, "text");
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(strbuf_take(&b, &second), 0);
    assert_string_equal(second, "");
}

/* A wiped buffer moves by hand: nothing may be lost on the way. */
static void wiping_buffer_keeps_its_text(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(100000);
    size_t n = 0;

    b.wipe = true;
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(strbuf_addf(&b, "%04d", i), 0);
        n += 4;
    }
    assert_int_equal(b.len, n);
    for (int i = 0; i < 10000; i++)
        assert_true(b.data[4 * i] == '0' + i / 1000 && b.data[4 * i + 3] == '0' + i % 10);
}

/* Growing, failing, being done: no block goes back with the secret in it. And a buffer that does not wipe
 * shows that the watch sees one. */
static void wiping_buffer_leaves_nothing(void **state _unused_) {
    for (int wipe = 0; wipe < 2; wipe++) {
        StrBuf b = STRBUF_INIT(5000), f = STRBUF_INIT(100);

        b.wipe = f.wipe = wipe;
        free_watch_start("hunter2");
        assert_int_equal(strbuf_add(&b, "hunter2"), 0);
        for (int i = 0; i < 1000; i++)
            assert_int_equal(strbuf_addf(&b, "%d", i % 10), 0);
        strbuf_done(&b);
        assert_int_equal(free_watch_clean(), wipe);

        free_watch_start("hunter2");
        assert_int_equal(strbuf_add(&f, "hunter2"), 0);
        for (int i = 0; i < 100; i++)
            (void)strbuf_add_char(&f, 'x');
        assert_int_equal(strbuf_error(&f), -E2BIG);
        assert_int_equal(free_watch_clean(), wipe);

        strbuf_done(&f);
    }
}

static void out_of_memory(void **state _unused_) {
    for (int wipe = 0; wipe < 2; wipe++) {
        bool failed = true;

        for (unsigned n = 0; failed; n++) {
            StrBuf b = STRBUF_INIT(1000);
            char *text = NULL;
            int r;

            assert_between(n, 0, 20);
            b.wipe = wipe;
            alloc_fail_after(n);
            for (int i = 0; i < 50; i++)
                (void)strbuf_addf(&b, "%s", "0123456789");
            r = strbuf_take(&b, &text);
            failed = alloc_fail_end();

            assert_int_equal(r, failed ? -ENOMEM : 0);
            assert_int_equal(strbuf_error(&b), failed ? -ENOMEM : 0);
            if (failed)
                assert_null(text);
            else
                assert_int_equal(strlen(text), 500);
            assert_string_equal(strbuf_str(&b), "");
            free(text);
            strbuf_done(&b);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(appends),
        cmocka_unit_test(formats_of_every_length),
        cmocka_unit_test(keeps_its_ceiling),
        cmocka_unit_test(errors_stick),
        cmocka_unit_test(huge_lengths_do_not_wrap),
        cmocka_unit_test(what_printf_refuses_is_an_error),
        cmocka_unit_test(takes),
        cmocka_unit_test(wiping_buffer_keeps_its_text),
        cmocka_unit_test(wiping_buffer_leaves_nothing),
        cmocka_unit_test(out_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
