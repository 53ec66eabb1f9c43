/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=tsearch */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/settings_kept.h"
#include "lib/util/macros.h"
#include "lib/util/shared_text.h"
#include "tests/unit/alloc_fail.h"

void *__real_tsearch(const void *key, void **root, int (*compare)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*compare)(const void *, const void *));

/* A node that is not there yet needs memory of libc's own, which no other wrapper sees. */
void *__wrap_tsearch(const void *key, void **root, int (*compare)(const void *, const void *)) {
    void *found = tfind(key, root, compare);

    return found || alloc_fails() ? found : __real_tsearch(key, root, compare);
}

static void equal_texts_are_there_once(void **state _unused_) {
    char same[] = "eu-central-1";
    const char *a = shared_text("eu-central-1"), *b = shared_text(same),
               *other = shared_text("eu-central-2");

    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, other);
    shared_text_drop(a);
    assert_string_equal(b, "eu-central-1");
    assert_string_equal(other, "eu-central-2");
    shared_text_drop(b);
    shared_text_drop(other);
    shared_text_drop(NULL);
}

static void a_member_holds_one_at_a_time(void **state _unused_) {
    const char *held = NULL, *one;

    assert_int_equal(shared_text_set(&held, "one"), 0);
    one = held;
    assert_int_equal(shared_text_set(&held, held), 0); /* its own */
    assert_ptr_equal(held, one);
    for (unsigned n = 0; n < 2; n++) { /* for the text, and for its place */
        alloc_fail_after(n);
        assert_int_equal(shared_text_set(&held, "two"), -ENOMEM);
        assert_true(alloc_fail_end());
        assert_string_equal(held, "one");
    }
    assert_int_equal(shared_text_set(&held, ""), 0);
    assert_null(held);
    assert_string_equal(shared_text_or_empty(held), "");
    assert_int_equal(shared_text_set(&held, NULL), 0);
    assert_null(held);
}

/* Many in any order: each is found while it is held, and all memory comes back (ASan proves it). */
static void many_come_and_go(void **state _unused_) {
    const char *held[500] = { NULL };
    char text[32];

    for (unsigned i = 0; i < 20000; i++) {
        unsigned at = i * 7919U % ARRAY_SIZE(held);

        (void)snprintf(text, sizeof(text), "text %u", i % 61);
        assert_int_equal(shared_text_set(&held[at], i % 5 == 0 ? NULL : text), 0);
        if (held[at])
            assert_string_equal(held[at], text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(held); i++)
        shared_text_drop(held[i]);
}

static const Settings two_buckets[] = {
    { .values[FIELD_BUCKET] = (char *)"logs", .values[FIELD_SELECTORS] = (char *)"[]" },
    { .values[FIELD_BUCKET] = (char *)"others", .values[FIELD_SELECTORS] = (char *)"[]" },
};

static void equal_settings_are_there_once(void **state _unused_) {
    const Settings *a = &settings_none, *b = &settings_none, *c = &settings_none;
    char bucket[] = "logs";
    Settings same = two_buckets[0];

    same.values[FIELD_BUCKET] = bucket;
    assert_int_equal(settings_keep(&a, &two_buckets[0]), 0);
    assert_int_equal(settings_keep(&b, &same), 0);
    assert_int_equal(settings_keep(&c, &two_buckets[1]), 0);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_ptr_equal(a->values[FIELD_SELECTORS], c->values[FIELD_SELECTORS]);
    bucket[0] = 'x';
    assert_string_equal(b->values[FIELD_BUCKET], "logs");

    /* what changes in the one does not in the other; it borrows from what it replaces */
    same = *a;
    same.values[FIELD_PREFIX] = (char *)"p";
    assert_int_equal(settings_keep(&a, &same), 0);
    assert_string_equal(a->values[FIELD_BUCKET], "logs");
    assert_string_equal(a->values[FIELD_PREFIX], "p");
    assert_null(b->values[FIELD_PREFIX]);
    assert_int_equal(settings_keep(&a, a), 0);
    assert_string_equal(a->values[FIELD_PREFIX], "p");
    assert_int_equal(settings_keep(&a, &settings_none), 0);
    assert_int_equal(settings_keep(&b, &(Settings){ 0 }), 0);
    assert_ptr_equal(b, &settings_none);
    assert_string_equal(c->values[FIELD_BUCKET], "others");
    assert_int_equal(settings_keep(&c, &settings_none), 0);
}

static void without_memory_the_settings_before_stay(void **state _unused_) {
    const Settings *kept = &settings_none;
    unsigned n = 0;

    assert_int_equal(settings_keep(&kept, &two_buckets[0]), 0);
    for (int r = -ENOMEM; r != 0; n++) {
        alloc_fail_after(n);
        r = settings_keep(&kept, &two_buckets[1]);
        (void)alloc_fail_end();
        assert_string_equal(kept->values[FIELD_BUCKET], r == 0 ? "others" : "logs");
    }
    assert_int_equal(n, 6); /* the whole, two texts, and the places of one and of the whole were refused */
    assert_int_equal(settings_keep(&kept, &settings_none), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_are_there_once),
        cmocka_unit_test(a_member_holds_one_at_a_time),
        cmocka_unit_test(many_come_and_go),
        cmocka_unit_test(equal_settings_are_there_once),
        cmocka_unit_test(without_memory_the_settings_before_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
