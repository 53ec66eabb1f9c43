/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "daemon/core/model_guard.h"
#include "lib/util/macros.h"
#include "lib/util/sparse.h"
#include "tests/unit/alloc_fail.h"
#include "tests/unit/between.h"

#define WORDS 200U

typedef struct Value {
    uint64_t words[WORDS];
    uint16_t small[4];
    char text[24];
} Value;

static uint64_t seed = 20261130;

static unsigned rnd(unsigned n) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(seed >> 33) % n;
}

static Value rnd_value(void) {
    Value value = { .small[2] = (uint16_t)rnd(3) };
    unsigned n = rnd(3) == 0 ? WORDS : rnd(12);

    for (unsigned i = 0; i < n; i++)
        value.words[rnd(WORDS)] = rnd(4);
    if (rnd(2))
        memcpy(value.text, "0123456789abcdefghijklm", rnd(24));
    return value;
}

static void what_is_put_is_got(void **state _unused_) {
    Sparse *kept = NULL;
    Value got;

    for (unsigned i = 0; i < 2000; i++) {
        Value value = rnd_value();
        size_t offset = rnd(sizeof(value)), size = rnd((unsigned)(sizeof(value) - offset) + 1);
        char part[sizeof(Value)];

        assert_int_equal(sparse_put(&kept, &value, sizeof(value), rnd(4) == 0), 0);
        sparse_get(kept, 0, sizeof(got), &got);
        assert_memory_equal(&got, &value, sizeof(got));
        sparse_get(kept, offset, size, part);
        assert_memory_equal(part, (char *)&value + offset, size);
    }
    sparse_free(kept);
}

static void none_is_all_zeros(void **state _unused_) {
    static const Value zeros;
    Value got = rnd_value();

    sparse_get(NULL, 0, sizeof(got), &got);
    assert_memory_equal(&got, &zeros, sizeof(got));
    assert_int_equal(sparse_size(NULL), 0);
}

/* What is nearly empty is small, what was full and is not any more gets small again. */
static void it_takes_what_there_is(void **state _unused_) {
    Value value = { .words[3] = 1 };
    Sparse *kept = NULL;
    size_t small;

    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), 0);
    small = sparse_size(kept);
    assert_between(small, 1, 128);
    memset(&value, 'x', sizeof(value));
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), 0);
    assert_between(sparse_size(kept), sizeof(value), sizeof(value) + 64);
    value = (Value){ .words[4] = 1 };
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), true), 0);
    assert_true(sparse_size(kept) >= sizeof(value));
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), 0);
    assert_int_equal(sparse_size(kept), small);
    sparse_free(kept);
}

static void without_memory_the_old_value_stays(void **state _unused_) {
    Value value = { .words[3] = 1 }, full, got, zeros = { 0 };
    Sparse *kept = NULL;

    memset(&full, 'x', sizeof(full));
    alloc_fail_after(0);
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), -ENOMEM);
    assert_int_equal(sparse_put(&kept, &zeros, sizeof(zeros), false), -ENOMEM);
    assert_null(kept);
    assert_true(alloc_fail_end());
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), 0);
    alloc_fail_after(0);
    assert_int_equal(sparse_put(&kept, &full, sizeof(full), false), -ENOMEM);
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), true), -ENOMEM);
    sparse_get(kept, 0, sizeof(got), &got);
    assert_memory_equal(&got, &value, sizeof(got));
    /* a few words more have room */
    for (unsigned i = 0; i < SPARSE_SPARE_WORDS; i++) {
        value.words[10 + i] = 1;
        assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), 0);
    }
    value.words[100] = 1;
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), -ENOMEM);
    (void)alloc_fail_end();
    sparse_get(kept, 0, sizeof(got), &got);
    assert_int_equal(got.words[10 + SPARSE_SPARE_WORDS - 1], 1);
    assert_int_equal(got.words[100], 0);
    sparse_free(kept);
}

/* Once there is room for all, nothing fails, and nothing is given back before it is said that it may. */
static void a_roomy_one_needs_no_memory(void **state _unused_) {
    Value value = { .words[3] = 1 }, full;
    Sparse *kept = NULL;

    memset(&full, 'x', sizeof(full));
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), true), 0);
    alloc_fail_after(0);
    assert_int_equal(sparse_put(&kept, &full, sizeof(full), true), 0);
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), true), 0);
    assert_int_equal(sparse_put(&kept, &full, sizeof(full), false), 0);
    assert_int_equal(sparse_put(&kept, &value, sizeof(value), false), 0);
    (void)alloc_fail_end();
    sparse_free(kept);
}

/* What is kept of a trail and a target with which nothing is wrong. */
static void a_quiet_state_is_small(void **state _unused_) {
    TargetState target = { .latest_began_usec = 1, .ever_reachable = true, .covered = true, .listed = true };
    TrailState trail = { .known = true, .verdict = VERDICT_LOGGING, .first_seen_usec = 1, .start_usec = 1 };
    Sparse *kept = NULL;

    assert_int_equal(sizeof(trail) % 8 + sizeof(target) % 8, 0);
    target.reach.event = target.cover.event = target.list.event = trail.incident.event = _EVENT_MAX;
    trail.stop_usec = trail.delivery_usec = trail.digest_usec = trail.polled_usec = trail.accepted_usec = 1;
    trail.settings_usec = trail.compared_usec = trail.pins_mark = 1;
    assert_int_equal(sparse_put(&kept, &target, sizeof(target), false), 0);
    assert_between(sparse_size(kept), 1, 160);
    assert_int_equal(sparse_put(&kept, &trail, sizeof(trail), false), 0);
    assert_between(sparse_size(kept), 1, 220);
    sparse_free(kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),          cmocka_unit_test(none_is_all_zeros),
        cmocka_unit_test(it_takes_what_there_is),      cmocka_unit_test(without_memory_the_old_value_stays),
        cmocka_unit_test(a_roomy_one_needs_no_memory), cmocka_unit_test(a_quiet_state_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
