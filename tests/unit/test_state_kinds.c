/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */
/* The lists of the state file: fields, marks, changes, and the search for who did it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/io/state.h"
#include "daemon/io/state_json.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"

#define FILE_OF(members) "{\"schema\":\"trailguard.state/1\",\"trails\":[{" members "}]}"

static void wrong_members_are_named(void **unused) {
    static const struct {
        const char *text, *reason;
    } rows[] = {
#define FIELDS(member)                                                                                      \
    FILE_OF("\"" member "\":[\"S3BucketName\",\"Colour\"]"),                                                \
            "trails[0]." member " is not a list of known fields"
        { FIELDS("fields") },
        { FIELDS("losing_fields") },
        { FILE_OF("\"fields\":[1]"), "trails[0].fields is not a list of known fields" },
        { FILE_OF("\"fields\":\"Tags\""), "trails[0].fields is not a list of known fields" },
        { FILE_OF("\"marks\":7"), "trails[0].marks is not a list of numbers" },
        { FILE_OF("\"marks\":[1,-1]"), "trails[0].marks is not a list of numbers" },
        { FILE_OF("\"marks\":[1.5]"), "trails[0].marks is not a list of numbers" },
        { FILE_OF("\"changes\":{}"), "trails[0].changes is not a list of changes" },
        { FILE_OF("\"changes\":[{}]"), "trails[0].changes is not a list of changes" },
        { FILE_OF("\"changes\":[{\"field\":\"Tags\",\"expected\":\"a\",\"actual\":1}]"),
          "trails[0].changes is not a list of changes" },
        { FILE_OF("\"changes\":[{\"field\":\"Tags\",\"expected\":\"a\"},{\"field\":\"Tags\",\"actual\":"
                  "\"b\"}]"),
          "trails[0].changes is not a list of changes" },
        { FILE_OF("\"changes\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14]"),
          "trails[0].changes is not a list of changes" },
        { FILE_OF("\"restore_counts\":7"), "trails[0].restore_counts is not a list of counted restores" },
        { FILE_OF("\"restore_counts\":[{\"of\":\"Colour\"}]"),
          "trails[0].restore_counts is not a list of counted restores" },
        { FILE_OF("\"restore_counts\":[{\"of\":\"trail\",\"confirmed\":-1}]"),
          "trails[0].restore_counts is not a list of counted restores" },
        { FILE_OF("\"attributing\":[]"), "trails[0].attributing is not a search" },
        { FILE_OF("\"attributing\":{\"findings\":[\"bored\"]}"), "trails[0].attributing is not a search" },
        { FILE_OF("\"incident\":{\"restore\":7}"), "trails[0].incident is not an incident" },
        { FILE_OF("\"incident\":{\"told_fields\":7}"), "trails[0].incident is not an incident" },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        StateTable table;
        char reason[256] = "";

        assert_int_equal(state_json_read(rows[i].text, strlen(rows[i].text), &table, reason, sizeof(reason)),
                         -EINVAL);
        assert_string_equal(reason, rows[i].reason);
    }
}

/* A file of an older version has none of them; one of a newer may have more marks. */
static void missing_and_further_members(void **unused) {
    static const char old[] =
            FILE_OF("\"name\":\"t\",\"hat\":{},\"changes\":[{\"field\":\"Tags\",\"why\":1}]");
    char many[1024] = "{\"schema\":\"trailguard.state/1\",\"trails\":[{\"marks\":[1", reason[64];
    StateTable table;

    (void)unused;
    assert_int_equal(state_json_read(old, strlen(old), &table, reason, sizeof(reason)), 0);
    assert_int_equal(table.trails[0].state.fields, 0);
    assert_false(table.trails[0].state.attributing.wanted);
    assert_int_equal(table.trails[0].changes.n, 1);
    assert_null(table.trails[0].changes.changes[0].was);
    state_table_done(&table);
    for (unsigned i = 2; i < 100; i++)
        (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), ",%u", i);
    (void)strcat(many, "]}]}");
    assert_int_equal(state_json_read(many, strlen(many), &table, reason, sizeof(reason)), 0);
    for (unsigned i = 0; i < MARKS_MAX; i++)
        assert_int_equal(table.trails[0].state.marks[i], i + 1);
    state_table_done(&table);
}

static StateTrail troubled(void) {
    static char name[] = "t", was[] = "a", not_utf8[] = "b\xff";

    return (StateTrail){
        .name = name,
        .arn = name,
        .account = name,
        .region = name,
        .changes = { .changes = { { FIELD_BUCKET, true, was, not_utf8 }, { FIELD_TAGS, false, NULL, was } },
                     .n = 2 },
        .state = { .fields = FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_TAGS),
                   .marks = { 5, 0, 6 },
                   .attributing = { .wanted = true,
                                    .polling = true,
                                    .findings = FINDING_BIT(FINDING_WEAKENED) },
                   .pending_restore = { .set = true },
                   .restores[FIELD_BUCKET].after_mono_usec = 7,
                   .incident = { .open = true,
                                 .opened_usec = 1,
                                 .event = EVENT_TRAIL_WEAKENED,
                                 .restore = { ACTION_RESTORE, RESULT_CONFIRMED, 2 } } },
    };
}

static void what_is_written_is_read(void **unused) {
    StateTrail trail = troubled();
    StateTable table = { .trails = &trail, .n_trails = 1 }, loaded;
    char reason[256], *text;
    const TrailState *s;
    size_t len;

    (void)unused;
    assert_int_equal(state_json_write(&table, &text, &len), 0);
    assert_int_equal(state_json_read(text, len, &loaded, reason, sizeof(reason)), 0);
    free(text);
    s = &loaded.trails[0].state;
    assert_string_equal(loaded.trails[0].changes.changes[0].now, "b\\xff");
    assert_null(loaded.trails[0].changes.changes[1].was);
    assert_true(s->marks[0] == 5 && s->marks[1] == 0 && s->marks[2] == 6);
    assert_int_equal(s->incident.restore.attempts, 2);
    /* these end with the process */
    assert_false(s->attributing.polling || s->restores[FIELD_BUCKET].after_mono_usec != 0);
    assert_true(s->pending_restore.set);
    assert_true(s->attributing.wanted);
    state_table_done(&loaded);
}

static void without_memory_it_says_so(void **unused) {
    StateTrail trail = troubled();
    StateTable table = { .trails = &trail, .n_trails = 1 }, loaded;
    char reason[256], *text = NULL;
    bool failed = true;
    size_t len;
    int r;

    (void)unused;
    json_set_alloc_funcs(malloc, free);
    for (unsigned n = 0; n < 2000 && failed; n++) {
        alloc_fail_after(n);
        r = state_json_write(&table, &text, &len);
        failed = alloc_fail_end();
        assert_int_equal(r, failed ? -ENOMEM : 0);
    }
    assert_false(failed);
    failed = true;
    for (unsigned n = 0; n < 2000 && failed; n++) {
        alloc_fail_after(n);
        r = state_json_read(text, len, &loaded, reason, sizeof(reason));
        failed = alloc_fail_end();
        if (r == 0)
            state_table_done(&loaded);
        else
            assert_true(failed);
    }
    assert_false(failed);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_members_are_named),
        cmocka_unit_test(missing_and_further_members),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests_name("state_kinds", tests, NULL, NULL);
}
