/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/operation.h"

static void builds_forms(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(1000);

    assert_int_equal(form_add(&b, "Absent", NULL), 0);
    assert_string_equal(strbuf_str(&b), "");
    assert_int_equal(form_add(&b, "Action", "Publish"), 0);
    assert_int_equal(form_add(&b, "Absent", NULL), 0);
    assert_int_equal(form_add(&b, "TopicArn", "arn:aws:sns:eu-central-1:111122223333:alerts"), 0);
    assert_int_equal(form_add(&b, "Empty", ""), 0);
    assert_int_equal(form_add(&b, "Message", "\xc3\xa9 ~*'()!&=+%\n/"), 0);
    assert_int_equal(form_add(&b, "a b", "c"), 0);
    assert_string_equal(strbuf_str(&b), "Action=Publish"
                                        "&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A111122223333%3Aalerts"
                                        "&Empty="
                                        "&Message=%C3%A9%20~%2A%27%28%29%21%26%3D%2B%25%0A%2F"
                                        "&a%20b=c");
}

static void ceiling_is_the_buffers(void **state _unused_) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(8);

    assert_int_equal(form_add(&b, "a", "12"), 0);
    assert_int_equal(form_add(&b, "b", " "), -E2BIG);
    assert_int_equal(form_add(&b, "c", NULL), -E2BIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_forms),
        cmocka_unit_test(ceiling_is_the_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
