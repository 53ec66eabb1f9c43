/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/events.h"
#include "daemon/io/report.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

#define SEC 1000000ULL
#define T0  (1795428131ULL * SEC) /* 2026-11-23T10:02:11Z */

/* ---- what the code under test calls ---- */

static struct {
    int level;
    char message_id[64];
    char event[64];
    char principal[512];
    char request_id[64];
    char line[4096];
} logged;

static void keep(char *dst, size_t size, const char *src) {
    (void)snprintf(dst, size, "%s", src ? src : "");
}

void log_event(int level, const char *message_id, const LogField *fields, size_t n_fields,
               const char *format, ...) {
    va_list ap;

    logged.level = level;
    keep(logged.message_id, sizeof(logged.message_id), message_id);
    for (size_t i = 0; i < n_fields; i++) {
        if (strcmp(fields[i].name, "TRAILGUARD_EVENT") == 0)
            keep(logged.event, sizeof(logged.event), fields[i].value);
        if (strcmp(fields[i].name, "PRINCIPAL_ARN") == 0)
            keep(logged.principal, sizeof(logged.principal), fields[i].value);
        if (strcmp(fields[i].name, "AWS_REQUEST_ID") == 0)
            keep(logged.request_id, sizeof(logged.request_id), fields[i].value);
    }
    va_start(ap, format);
    (void)vsnprintf(logged.line, sizeof(logged.line), format, ap);
    va_end(ap);
}

/* ---- tests ---- */

static const Subject trail = { "org-trail", "arn", "111122223333", "eu-central-1" };

#define PREFIX "org-trail eu-central-1 111122223333: "
#define FIELDS (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_SELECTORS))
#define BOB                                                                                                 \
    {                                                                                                       \
        .arn = "arn:aws:iam::111122223333:user/bob", .source_ip = "203.0.113.7",                            \
        .user_agent = "aws-cli/2.15", .event_name = "StopLogging"                                           \
    }

static void every_line(void **unused) {
    static const struct {
        JournalEntry note;
        const char *line;
    } rows[] = {
        { { .line = LINE_STOPPED, .gap = { T0, 0 } },
          "logging was stopped at 10:02:11Z; starting it again" },
        { { .line = LINE_STOPPED_LEFT, .gap = { T0, 0 } },
          "logging was stopped at 10:02:11Z; TrailGuard may not start it" },
        { { .line = LINE_STOPPED_LEFT, .gap = { T0, 0 }, .maintenance = true },
          "logging was stopped at 10:02:11Z; a maintenance window allows that" },
        { { .line = LINE_RUNNING_AGAIN, .gap = { T0, T0 + 3 * SEC } },
          "logging again, confirmed; gap 10:02:11Z-10:02:14Z (3 s)" },
        { { .line = LINE_FAILING, .count = FINDING_STALE, .detail = "nothing was delivered since x" },
          "it delivers nothing: nothing was delivered since x" },
        { { .line = LINE_FAILING, .count = FINDING_BUCKET, .detail = "NoSuchBucket" },
          "its bucket fails its check: NoSuchBucket" },
        { { .line = LINE_FAILING, .count = FINDING_LIFECYCLE, .detail = "1 day" },
          "a rule of its bucket deletes log files early: 1 day" },
        { { .line = LINE_FAILING, .count = FINDING_KEY, .detail = "Disabled" },
          "its KMS key cannot be used: Disabled" },
        { { .line = LINE_UNREADABLE, .count = FINDING_TAGS_UNREADABLE, .detail = "AccessDenied" },
          "its tags cannot be read: AccessDenied" },
        { { .line = LINE_UNMET_PAUSED, .count = 2, .fields = FIELDS },
          "set as configured 2 times within the hour; paused until it is over: S3BucketName, "
          "EventSelectors" },
        { { .line = LINE_RECREATIONS_PAUSED, .count = 1 },
          "created again 1 time within the hour; paused until it is over" },
        { { .line = LINE_REPLACED }, "was deleted and created again between two polls" },
        { { .line = LINE_CHANGED, .fields = FIELDS },
          "differs from its baseline: S3BucketName, EventSelectors" },
        { { .line = LINE_CHANGED, .fields = FIELDS, .detail = "the settings it was found with" },
          "differs from the settings it was found with: S3BucketName, EventSelectors" },
        { { .line = LINE_CHANGED, .fields = FIELDS, .maintenance = true },
          "differs from its baseline: S3BucketName, EventSelectors; left as it is, a maintenance window is "
          "open" },
        { { .line = LINE_RESTORED, .fields = FIELDS }, "restored, confirmed: S3BucketName, EventSelectors" },
        { { .line = LINE_UNCHANGED, .fields = FIELDS, .detail = "it was accepted as the baseline" },
          "no longer differs: S3BucketName, EventSelectors; it was accepted as the "
          "baseline" },
        { { .line = LINE_UNMET, .fields = FIELD_BIT(FIELD_VALIDATION) },
          "does not meet the configured expectation since the configuration changed: "
          "LogFileValidationEnabled" },
        { { .line = LINE_RESTORE_FAILED, .count = 4, .detail = "UpdateTrail: AccessDenied" },
          "could not be restored (4 times): UpdateTrail: AccessDenied; retrying" },
        { { .line = LINE_RESTORE_FAILED,
            .count = 1,
            .refused = true,
            .detail = "UpdateTrail: AccessDenied" },
          "could not be restored: UpdateTrail: AccessDenied" },
        { { .line = LINE_RESTORES_PAUSED, .count = 30 },
          "restored 30 times within the hour; paused until it is over" },
        { { .line = LINE_RECREATED }, "created again, confirmed" },
        { { .line = LINE_RECREATE_FAILED, .count = 1, .detail = "a\nb" },
          "could not be created again: a\\x0ab; retrying" },
        { { .line = LINE_ATTRIBUTED, .actor = BOB },
          "stopped by arn:aws:iam::111122223333:user/bob from 203.0.113.7 (aws-cli/2.15)" },
        { { .line = LINE_ATTRIBUTED,
            .actor = { .name = "x", .event_name = "UpdateTrail", .invoked_by = "y" } },
          "changed by x through y" },
        { { .line = LINE_ATTRIBUTED,
            .actor = { .invoked_by = "config.amazonaws.com", .event_name = "DeleteBucket\x1b" } },
          "DeleteBucket\\x1b by config.amazonaws.com" },
        { { .line = LINE_ATTRIBUTED }, "done by an unknown caller" },
        { { .line = LINE_ATTRIBUTED,
            .actor = { .event_name = "StopLogging",
                       .arn = "arn:aws:iam::222222222222:root",
                       .assumed_root = true,
                       .source_ip = "192.0.2.1" } },
          "stopped by arn:aws:iam::222222222222:root through AssumeRoot from 192.0.2.1" },
        { { .line = LINE_ATTRIBUTED,
            .actor = { .event_name = "StopLogging",
                       .type = "IdentityCenterUser",
                       .name = "544894e8",
                       .on_behalf_of = "544894e8",
                       .account = "111122223333" } },
          "stopped by Identity Center user 544894e8" },
        { { .line = LINE_ATTRIBUTED,
            .actor = { .event_name = "StopLogging",
                       .arn = "arn:aws:sts::1:assumed-role/R/s",
                       .name = "R/s",
                       .on_behalf_of = "544894e8",
                       .delegate = "444455556666" } },
          "stopped by arn:aws:sts::1:assumed-role/R/s on behalf of Identity Center user 544894e8 by "
          "delegated access of "
          "account 444455556666" },
        { { .line = LINE_CANDIDATES, .count = 2, .detail = "PutKeyPolicy by arn:a, PutKeyPolicy by arn:b" },
          "one of 2 calls did it: PutKeyPolicy by arn:a, PutKeyPolicy by arn:b" },
        { { .line = LINE_NOBODY_FOUND, .count = 1360 },
          "the event history does not show who did it; 1360 records read" },
        { { .line = LINE_NOBODY_FOUND, .count = 1 },
          "the event history does not show who did it; 1 record read" },
        { { .line = LINE_NOBODY_FOUND, .detail = "AccessDenied" },
          "who did it is not known: the event history could not be searched: AccessDenied" },
        { { .line = LINE_ATTEMPTED,
            .actor = { .name = "eve", .event_name = "DeleteTrail", .error_code = "AccessDenied" } },
          "DeleteTrail tried by eve: AccessDenied" },
        { { .line = LINE_BASELINE_RECORDED }, "baseline recorded" },
        { { .line = LINE_BASELINE_WEAK, .detail = "no validation" },
          "was weak when its baseline was recorded: no validation" },
        { { .line = LINE_BASELINE_DAMAGED, .detail = "x.json: oops" },
          "the file with its baseline is damaged: a change made before now cannot be detected: x.json: "
          "oops" },
        { { .line = LINE_BASELINE_ACCEPTED, .fields = FIELDS, .detail = "by uid 0" },
          "new baseline accepted: S3BucketName, EventSelectors; by uid 0" },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        report_entry(&trail, &rows[i].note, "", T0 + 60 * SEC);
        assert_memory_equal(logged.line, PREFIX, strlen(PREFIX));
        assert_string_equal(logged.line + strlen(PREFIX), rows[i].line);
    }
}

/* Whatever the guard may note has words, a level, and no strange bytes. */
static void every_note_has_a_line(void **unused) {
    (void)unused;
    for (JournalLine n = 0; n < LINE_CHANNEL_FAILED; n++) {
        JournalEntry note = { .line = n, .actor = { .arn = "a\nb", .name = "\x01" }, .detail = "\xff\n" };

        logged.level = -1;
        report_entry(&trail, &note, "0123456789abcdef", T0);
        assert_between(logged.level, LOG_ERR, LOG_INFO);
        assert_true(strlen(logged.line) > strlen(PREFIX));
        assert_null(strpbrk(logged.line, "{}"));
        assert_string_equal(logged.principal, "a\\x0ab");
        for (const char *c = logged.line; *c; c++)
            assert_between(*c, 0x20, 0x7e);
    }
}

/* A line belongs to one event at most, and its id is 32 hex digits. A variable that the table of report does
 * not have would leave its braces, or nothing: the golden texts show that. */
static void the_table_is_sound(void **unused) {
    unsigned n = 0, n_of_events = 0;

    (void)unused;
    for (EventKind kind = 0; kind < _EVENT_MAX; kind++) {
        const EventRow *row = event_row(kind);

        assert_int_equal(event_from_string(row->name), kind);
        assert_non_null(row->cases[0].when);
        assert_true(row->messages || kind == EVENT_INCIDENT_REMINDER);
        for (const EventLine *line = row->lines; line && line->level; line++, n_of_events++) {
            EventKind of;

            assert_ptr_equal(event_line(line->line, &of), line);
            assert_int_equal(of, kind);
        }
    }
    for (JournalLine line = 0; line < _LINE_MAX; line++) {
        EventKind kind;
        const char *id = event_line(line, &kind)->id;

        n += kind < _EVENT_MAX;
        if (id) {
            assert_int_equal(strlen(id), 32);
            assert_int_equal(strspn(id, "0123456789abcdef"), 32);
        }
    }
    assert_int_equal(n, n_of_events);
    assert_int_equal(event_from_string("trail.nothing"), _EVENT_MAX);
    assert_int_equal(event_from_string(NULL), _EVENT_MAX);
    assert_string_equal(event_to_string(_EVENT_MAX), "?");
}

/* Of what AWS said last: at the end of the detail, or of the write that the note is about. */
static void the_request_id_is_a_field(void **unused) {
    static const struct {
        const char *detail, *request_id, *field;
    } cases[] = {
        { "", "", "" },
        { "", "r-1", "r-1" },
        { "StartLogging: X: no (request id r-2)", "r-2", "r-2" },
        { "accepted, but GetTrailStatus: X: no (request id r-3)", "r-1", "r-3" },
        { "accepted, but the trail still does not log after 5 s", "r-1", "r-1" },
        { "DescribeTrails: connection refused", "", "" },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        JournalEntry note = { .line = LINE_RESTART_FAILED };

        keep(note.detail, sizeof(note.detail), cases[i].detail);
        keep(note.request_id, sizeof(note.request_id), cases[i].request_id);
        report_entry(&trail, &note, "", T0);
        assert_string_equal(logged.request_id, cases[i].field);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line),
        cmocka_unit_test(every_note_has_a_line),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(the_request_id_is_a_field),
    };

    return cmocka_run_group_tests_name("report_journal", tests, NULL, NULL);
}
