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
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"

#define FILE_OF(members) "{\"schema\":\"trailguard.state/1\",\"trails\":[{" members "}]}"

static void wrong_members_are_named(void **unused) {
    static const struct {
        const char *text, *reason;
    } rows[] = {
#define T "trails[0]."
        { FILE_OF("\"fields\":[\"S3BucketName\",\"Colour\"]"),
          T "fields[1] is \"Colour\", not a known word" },
        { FILE_OF("\"losing_fields\":[\"Colour\"]"), T "losing_fields[0] is \"Colour\", not a known word" },
        { FILE_OF("\"fields\":[1]"), T "fields[0] is 1, not a known word" },
        { FILE_OF("\"fields\":\"Tags\""), T "fields is a text of 4 bytes, not a list of known words" },
        { FILE_OF("\"marks\":7"), T "marks is 7, not a list of numbers" },
        { FILE_OF("\"marks\":[1,-1]"), T "marks[1] is -1, not a number" },
        { FILE_OF("\"marks\":[1.5]"), T "marks[0] is 1.5, not a number" },
        { FILE_OF("\"changes\":{}"), T "changes is an object, not a list of changes" },
        { FILE_OF("\"changes\":[{}]"), T "changes.field is missing" },
        { FILE_OF("\"changes\":[{\"field\":\"Tags\",\"expected\":\"a\",\"actual\":1}]"),
          T "changes.actual is 1, not a string" },
        { FILE_OF("\"changes\":[{\"field\":\"Tags\",\"expected\":\"a\"},{\"field\":\"Tags\"}]"),
          T "changes[1] is an object, not a field that is there once" },
        { FILE_OF("\"changes\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14]"), T "changes is 1, not an object" },
        { FILE_OF("\"changes\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"),
          T "changes is a list of 17, not a list of changes" },
        { FILE_OF("\"restore_counts\":7"), T "restore_counts is 7, not a list of counted restores" },
        { FILE_OF("\"restore_counts\":[{\"of\":\"Colour\"}]"),
          T "restore_counts[0] is an object, not about a known setting" },
        { FILE_OF("\"restore_counts\":[{\"of\":\"trail\",\"confirmed\":-1}]"),
          T "restore_counts.confirmed is -1, not a count" },
        { FILE_OF("\"attributing\":[]"), T "attributing is an empty list, not an object" },
        { FILE_OF("\"attributing\":{\"findings\":[\"bored\"]}"),
          T "attributing.findings[0] is \"bored\", not a known word" },
        { FILE_OF("\"incident\":{\"restore\":7}"), T "incident.restore is 7, not an object" },
        { FILE_OF("\"incident\":{\"told_fields\":7}"),
          T "incident.told_fields is 7, not a list of known words" },
        { FILE_OF("\"pending\":{\"kind\":7}"), T "pending.kind is 7, not a count" },
        { FILE_OF("\"name\":\"\",\"arn\":[\"\\u001b\"]"), T "arn is a list of 1, not a string" },
        { FILE_OF("\"error\":\"\\u001b[2J\""), T "error is \"\\\\u001B[2J\", not a known word" },
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
    assert_null(table.trails[0].changes.changes[0].expected);
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
                                    .searching = true,
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
    assert_string_equal(loaded.trails[0].changes.changes[0].actual, "b\\xff");
    assert_null(loaded.trails[0].changes.changes[1].expected);
    assert_true(s->marks[0] == 5 && s->marks[1] == 0 && s->marks[2] == 6);
    assert_int_equal(s->incident.restore.attempts, 2);
    /* these end with the process */
    assert_false(s->attributing.searching || s->restores[FIELD_BUCKET].after_mono_usec != 0);
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

    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
