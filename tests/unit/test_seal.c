/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/io/sealed.h"
#include "lib/util/macros.h"

static char *sealed(const char *text, size_t *ret_len) {
    char *copy = strdup(text);
    size_t len = strlen(text);

    assert_int_equal(seal_add(&copy, &len), 0);
    assert_int_equal(strlen(copy), len);
    *ret_len = len;
    return copy;
}

static int check(const char *text) {
    char reason[128] = "";
    int r = seal_check(text, strlen(text), reason, sizeof(reason));

    assert_int_equal(r < 0, reason[0] != '\0');
    return r;
}

static void a_sealed_document_is_json_and_fits(void **state _unused_) {
    static const char *const texts[] = { "{\"a\":1}", "{\n  \"a\": 1\n}\n", "{ \"a\": { } }  \n\n",
                                         "{\"a\":[]}" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        size_t len;
        _cleanup_free_ char *text = sealed(texts[i], &len);
        json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

        assert_true(len <= strlen(texts[i]) + SEAL_SIZE);
        assert_int_equal(json_object_size(root), 2);
        assert_int_equal(strncmp(json_string_value(json_object_get(root, "checksum")), "sha256:", 7), 0);
        json_decref(root);
        assert_int_equal(check(text), 0);
        assert_int_equal(check(texts[i]), 0); /* of a version that had none */
    }
}

/* sha256sum knows it, too. */
static void it_is_the_sha256_of_what_stands_before(void **state _unused_) {
    size_t len;
    _cleanup_free_ char *text = sealed("{\"a\":1}", &len);

    assert_string_equal(text,
                        "{\"a\":1,\n\"checksum\": "
                        "\"sha256:8b0f0d75aabe01bbfba9341752c2cf7626f154e676aa791427b31aebfabc2592\"}\n");
}

/* Whatever byte it is, wherever it stands, and whatever it becomes. */
static void each_changed_byte_is_noticed(void **state _unused_) {
    size_t len;
    _cleanup_free_ char *text = sealed("{\"schema\":\"x/1\",\"bucket\":\"audit\"}", &len);
    char reason[128];

    for (size_t i = 0; i < len; i++)
        for (int bit = 0; bit < 8; bit++) {
            text[i] ^= (char)(1 << bit);
            if (seal_check(text, len, reason, sizeof(reason)) != -EINVAL)
                fail_msg("byte %zu, bit %d: %s", i, bit, text);
            text[i] ^= (char)(1 << bit);
        }
    for (size_t cut = 1; cut < SEAL_SIZE; cut++) /* the rest is no JSON, or has no seal */
        if (seal_check(text, len - cut, reason, sizeof(reason)) >= 0) {
            json_t *root = json_loadb(text, len - cut, 0, NULL);

            assert_null(root);
        }
    assert_int_equal(check(text), 0);
}

static void only_objects_with_members_can_have_one(void **state _unused_) {
    static const char *const texts[] = { "", "{}", "{ }\n", "[]", "x", "}", "  ", "{" };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_free_ char *text = strdup(texts[i]);
        size_t len = strlen(text);

        assert_int_equal(seal_add(&text, &len), -EINVAL);
        assert_string_equal(text, texts[i]);
        assert_int_equal(check(texts[i]), 0);
    }
}

static void members_of_the_same_name_are_none(void **state _unused_) {
    assert_int_equal(check("{\n  \"Tags\": {\n    \"checksum\": \"sha256:no\"\n  }\n}\n"), 0);
    assert_int_equal(check("{\"Tags\":{\"checksum\":\"sha256:no\"}}"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_document_is_json_and_fits),
        cmocka_unit_test(it_is_the_sha256_of_what_stands_before),
        cmocka_unit_test(each_changed_byte_is_noticed),
        cmocka_unit_test(only_objects_with_members_can_have_one),
        cmocka_unit_test(members_of_the_same_name_are_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
