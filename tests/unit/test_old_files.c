/* SPDX-License-Identifier: Apache-2.0 */
/* What the build before the renaming of events, verdicts and findings wrote (tests/unit/fixtures/old_words)
 * is read with nothing lost, not set aside as damaged, and written with the new names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/enum_names.h"
#include "daemon/io/baseline_file.h"
#include "daemon/io/outbox.h"
#include "daemon/io/state.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define FIXTURE "tests/unit/fixtures/old_words"
#define ARN     "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail"
#define T       (1795514531 * USEC_PER_SEC)

static char dir[64];

static int set_up(void **state _unused_) {
    char command[256];

    (void)strcpy(dir, "/tmp/test_old_files.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(command, sizeof(command), "cp -r " FIXTURE "/. %s", dir);
    return system(command);
}

static int tear_down(void **state _unused_) {
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static void assert_trail(const StateTrail *trail) {
    const TrailState *s = &trail->state;
    const Incident *i = &s->incident;

    assert_string_equal(trail->via, "444455556666");
    assert_int_equal(s->verdict, VERDICT_INTERRUPTED);
    assert_int_equal(s->findings, FINDING_BIT(FINDING_INTERRUPTED) | FINDING_BIT(FINDING_UNREACHABLE));
    assert_int_equal(s->since_usec[FINDING_UNREACHABLE], T + 2);
    assert_int_equal(s->since_usec[FINDING_INTERRUPTED], T + 3);
    assert_true(s->weakness_pending);
    assert_int_equal(s->polled_usec, T + 6);
    assert_string_equal(trail->changes.changes[0].expected, "logs");
    assert_string_equal(trail->changes.changes[0].actual, "mine");
    assert_int_equal(s->restores[FIELD_BUCKET].n_confirmed, 8);
    assert_int_equal(s->n_failed, 11);
    assert_int_equal(s->attributing.dedup_usec, T + 15);
    assert_int_equal(s->attributing.n_tries, 16);
    assert_int_equal(s->attributing.attempts_usec, T + 17);
    assert_int_equal(s->attributing.again_findings, FINDING_BIT(FINDING_UNREACHABLE));
    assert_int_equal(s->attributing.again_dedup_usec, T + 18);
    assert_int_equal(s->attributing.n_attempts, 19);
    assert_int_equal(s->pending.dedup_usec, T + 21);
    assert_int_equal(i->dedup_usec, T + 22);
    assert_int_equal(i->last_dedup_usec, T + 23);
    assert_int_equal(i->event, EVENT_TRAIL_INTERRUPTED);
    assert_int_equal(i->reported, FINDING_BIT(FINDING_INTERRUPTED));
    assert_int_equal(i->reported_usec, T + 26);
    assert_true(i->suppressed);
    assert_int_equal(i->pending_gaps.count, 28);
    assert_int_equal(i->pending_gaps.first_usec, T + 29);
    assert_int_equal(i->pending_gaps.last_usec, T + 30);
    assert_int_equal(i->pending_gaps.total_usec, 31);
    assert_int_equal(i->action.result, RESULT_CONFIRMED);
    assert_int_equal(i->restore.result, RESULT_CONFIRMED);
    assert_int_equal(i->reported_fields, FIELD_BIT(FIELD_BUCKET));
}

static void the_state_is_read_and_written_with_new_names(void **state _unused_) {
    static const char *const old[] = { "flapped",  "blind",     "\"guard.", "looked",    "looks\"",
                                       "sighted",  "\"sight\"", "told",     "mark_usec", "quiet",
                                       "\"held\"", "\"was\"",   "\"now\"" };
    char error[256], path[128], *text;
    StateTable table;
    size_t len;

    assert_int_equal(state_load(dir, T, &table, error, sizeof(error)), 0);
    assert_int_equal(table.n_trails, 1);
    assert_trail(&table.trails[0]);
    assert_int_equal(table.targets[0].state.n_failed, 34);
    assert_true(table.targets[0].state.ever_reachable && table.targets[0].state.unreachable);
    assert_int_equal(table.targets[0].state.reach.event, EVENT_TARGET_UNREACHABLE);
    assert_int_equal(table.targets[0].state.reach.dedup_usec, T + 36);
    assert_int_equal(table.accounts[0].state.reach.event, EVENT_TARGET_UNREACHABLE);
    assert_int_equal(table.accounts[0].state.left_usec, T + 38);
    /* its intent is newer */
    assert_int_equal(state_intents_load(dir, T, &table), 0);
    assert_int_equal(table.n_trails, 1);
    assert_true(table.trails[0].intent);
    assert_trail(&table.trails[0]);

    assert_int_equal(state_save(dir, &table), 0);
    state_table_done(&table);
    (void)snprintf(path, sizeof(path), "%s/state.json", dir);
    assert_int_equal(file_read(path, 1 << 20, &text, &len), 0);
    for (size_t i = 0; i < ARRAY_SIZE(old); i++)
        if (strstr(text, old[i]))
            fail_msg("%s is still written", old[i]);
    free(text);
    assert_int_equal(state_load(dir, T, &table, error, sizeof(error)), 0);
    assert_trail(&table.trails[0]);
    state_table_done(&table);
}

static void alerts_are_read_with_who_has_acknowledged_them(void **state _unused_) {
    static const EventKind events[] = { EVENT_TRAIL_INTERRUPTED,  EVENT_INCIDENT_REMINDER,
                                        EVENT_TARGET_UNREACHABLE, EVENT_TARGET_REACHABLE,
                                        EVENT_CHANNEL_FAILED,     EVENT_CHANNEL_RECOVERED };
    char error[256];
    OutboxEntry *entry;
    Outbox *outbox;

    assert_int_equal(outbox_open(dir, &outbox, error, sizeof(error)), 0);
    assert_int_equal(outbox_depth(outbox), ARRAY_SIZE(events));
    entry = outbox_first(outbox);
    assert_true(outbox_entry_is_acknowledged(entry, "sns:one"));
    assert_false(outbox_entry_is_acknowledged(entry, "sns:two"));
    for (size_t i = 0; i < ARRAY_SIZE(events); i++, entry = outbox_next(outbox, entry)) {
        assert_int_equal(outbox_entry_alert(entry)->event, events[i]);
        assert_int_equal(outbox_entry_alert(entry)->time_usec, T + 42 + i);
        assert_string_equal(outbox_entry_alert(entry)->text, "the mail");
    }
    outbox_close(outbox);
}

static void a_baseline_is_read(void **state _unused_) {
    BaselineRecord record;
    char error[256];

    assert_int_equal(baseline_file_peek(dir, ARN, &record, error, sizeof(error)), 1);
    assert_string_equal(record.latest.by, "alice");
    assert_int_equal(record.latest.recorded_usec, T + 60 * USEC_PER_SEC);
    assert_string_equal(record.latest.settings.values[FIELD_PREFIX], "p");
    assert_string_equal(record.latest.settings.values[SETTING_BUCKET_OWNER], "111122223333");
    assert_true(record.has_previous);
    assert_string_equal(record.previous.by, "guard");
    assert_string_equal(record.previous.settings.values[FIELD_SELECTORS],
                        "{\"EventSelectors\":[{\"ReadWriteType\":\"All\"}]}");
    baseline_record_done(&record);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_state_is_read_and_written_with_new_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(alerts_are_read_with_who_has_acknowledged_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_baseline_is_read, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("old_files", tests, NULL, NULL);
}
