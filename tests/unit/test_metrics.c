/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted, and the page for Prometheus. docs/prometheus/example.prom is the page of the story that
 * is told here; `make golden` writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/report.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"

#define EXAMPLE  "docs/prometheus/example.prom"
#define T0       1795946400000000ULL /* 2026-11-29T10:00:00Z */
#define AT(sec)  (T0 + (sec)*USEC_PER_SEC)
#define LINE_LEN 512

/* ---- counting ---- */

static uint64_t count_of(const Metrics *metrics, MetricsCounter counter, const char *label) {
    for (size_t i = 0; i < metrics->counters[counter].n; i++)
        for (size_t l = 0; l < METRICS_LABELS_MAX; l++)
            if (strcmp(metrics->counters[counter].rows[i].labels[l], label) == 0)
                return metrics->counters[counter].rows[i].n;
    return UINT64_MAX;
}

static void what_is_counted_begins_at_zero(void **state _unused_) {
    Metrics *metrics = metrics_new();

    assert_int_equal(count_of(metrics, METRICS_ACTIONS, "restart"), 0);
    assert_int_equal(count_of(metrics, METRICS_ALERTS, "trail.stopped"), 0);
    assert_int_equal(count_of(metrics, METRICS_DELIVERIES, "sns:a"), UINT64_MAX);
    metrics_add_channel(metrics, "sns:a");
    assert_int_equal(metrics->counters[METRICS_DELIVERIES].n, 4);
    metrics_count_receipt(metrics, "sns:a", RECEIPT_SKIPPED);
    assert_int_equal(metrics->counters[METRICS_DELIVERIES].n, 4);
    assert_int_equal(count_of(metrics, METRICS_DELIVERIES, "sns:a"), 0);
    metrics_count_receipt(metrics, "sns:a", RECEIPT_DELIVERED);
    metrics_add_channel(metrics, "sns:a");
    assert_int_equal(count_of(metrics, METRICS_DELIVERIES, "delivered"), 1);
    metrics_free(metrics);
}

/* AWS may answer with any code: what does not fit any more is counted together, and nothing is lost. */
static void a_table_has_a_ceiling(void **state _unused_) {
    Metrics *metrics = metrics_new();
    size_t max = metrics_counter_max(METRICS_ERRORS);
    uint64_t sum = 0;
    char code[32];

    for (size_t i = 0; i < 3 * max; i++) {
        (void)snprintf(code, sizeof(code), "Code%zu", i);
        METRICS_COUNT(metrics, METRICS_ERRORS, 1, "cloudtrail", "GetTrailStatus", code);
    }
    METRICS_COUNT(metrics, METRICS_ERRORS, 5, "cloudtrail", "GetTrailStatus", "Code7");
    assert_int_equal(metrics->counters[METRICS_ERRORS].n, max);
    for (size_t i = 0; i < max; i++)
        sum += metrics->counters[METRICS_ERRORS].rows[i].n;
    assert_int_equal(sum, 3 * max + 5);
    assert_int_equal(count_of(metrics, METRICS_ERRORS, "Code7"), 6);
    assert_int_equal(count_of(metrics, METRICS_ERRORS, METRICS_OTHER), 2 * max + 1);
    max = metrics_counter_max(METRICS_HELD);
    for (size_t i = 0; i < 3 * max; i++) {
        (void)snprintf(code, sizeof(code), "reason%zu", i);
        METRICS_COUNT(metrics, METRICS_HELD, 1, code);
    }
    assert_int_equal(metrics->counters[METRICS_HELD].n, max);
    assert_int_equal(metrics->counters[METRICS_HELD].rows[max - 1].n, 2 * max + 1);
    assert_string_equal(metrics->counters[METRICS_HELD].rows[max - 1].labels[0], METRICS_OTHER);
    assert_string_equal(metrics->counters[METRICS_HELD].rows[max - 1].labels[1],
                        ""); /* it has but one label */
    for (size_t i = 0; i < 3 * metrics_timer_max(METRICS_REQUEST_TIME); i++) {
        (void)snprintf(code, sizeof(code), "service%zu", i);
        metrics_observe(metrics, METRICS_REQUEST_TIME, code, 1);
    }
    assert_int_equal(metrics->timers[METRICS_REQUEST_TIME].n, metrics_timer_max(METRICS_REQUEST_TIME));
    metrics_free(metrics);
}

static void a_value_on_a_bound_is_in_its_bucket(void **state _unused_) {
    Metrics *metrics = metrics_new();
    const MetricsHistogram *row = metrics->timers[METRICS_POLL_TIME].rows;

    metrics_observe(metrics, METRICS_POLL_TIME, NULL, 0);
    metrics_observe(metrics, METRICS_POLL_TIME, NULL, metrics_bounds[0].usec);
    metrics_observe(metrics, METRICS_POLL_TIME, NULL, metrics_bounds[0].usec + 1);
    metrics_observe(metrics, METRICS_POLL_TIME, NULL, metrics_bounds[METRICS_BUCKETS - 1].usec + 1);
    assert_int_equal(row->buckets[0], 2);
    assert_int_equal(row->buckets[1], 1);
    assert_int_equal(row->buckets[METRICS_BUCKETS], 1);
    assert_int_equal(row->n, 4);
    assert_int_equal(row->sum_usec,
                     2 * metrics_bounds[0].usec + metrics_bounds[METRICS_BUCKETS - 1].usec + 2);
    for (size_t i = 0; i < METRICS_BUCKETS; i++)
        assert_int_equal(strtod(metrics_bounds[i].text, NULL) * 1e6 + 0.5, metrics_bounds[i].usec);
    metrics_free(metrics);
}

static void without_metrics_nothing_is_counted(void **state _unused_) {
    METRICS_COUNT(NULL, METRICS_REQUESTS, 1, "sns", "Publish");
    metrics_observe(NULL, METRICS_PASS_TIME, NULL, 1);
    metrics_add_channel(NULL, "sns:a");
    metrics_free(NULL);
}

/* ---- the page ---- */

static char *page_of(const Status *status, const Metrics *metrics, const char *guard) {
    char *text;

    assert_int_equal(report_metrics_text(status, metrics, guard, &text), 0);
    return text;
}

/* The whole lines that begin so; the last of them in line. */
static unsigned lines_of(const char *text, const char *begin, char line[static LINE_LEN]) {
    unsigned n = 0;

    line[0] = '\0';
    for (const char *end; *text; text = end + 1) {
        end = strchr(text, '\n');
        assert_non_null(end);
        if (strncmp(text, begin, strlen(begin)) != 0)
            continue;
        (void)snprintf(line, LINE_LEN, "%.*s", (int)(end - text), text);
        n++;
    }
    return n;
}

static void assert_line(const char *text, const char *line) {
    char found[LINE_LEN];

    if (lines_of(text, line, found) != 1 || strcmp(found, line) != 0)
        fail_msg("not there once: %s; but: %s", line, found);
}

static TrailState trail_state(Verdict verdict, uint32_t findings) {
    return (TrailState){
        .known = true, .verdict = verdict, .findings = findings, .delivery_usec = AT(-300) + 250000
    };
}

/* The example has one event, so that another one changes nothing in it. */
static void keep_event(MetricsCounts *alerts, const char *event) {
    size_t n = 0;

    for (size_t i = 0; i < alerts->n; i++) {
        if (strcmp(alerts->rows[i].labels[0], event) == 0) {
            alerts->rows[n++] = alerts->rows[i];
            continue;
        }
        for (size_t l = 0; l < METRICS_LABELS_MAX; l++)
            free(alerts->rows[i].labels[l]);
    }
    alerts->n = n;
}

/* A guard of two accounts: one trail is stopped and one cannot be polled, a region and an account do not
 * answer, a channel fails. */
static char *example_page(void) {
    TrailState logging = trail_state(VERDICT_LOGGING, 0),
               stopped = trail_state(VERDICT_STOPPED, FINDING_BIT(FINDING_STOPPED)),
               unknown = trail_state(VERDICT_UNKNOWN, FINDING_BIT(FINDING_UNREACHABLE)),
               missing = { .verdict = VERDICT_MISSING, .findings = FINDING_BIT(FINDING_MISSING) };
    const TargetState well = { .ever_reachable = true }, off = { .not_enabled = true },
                      gone = { .unreachable = true,
                               .ever_reachable = true,
                               .reach = { .open = true, .severity = SEVERITY_WARNING } };
    const StatusTrail trails[] = {
        { .subject = { "org-trail", "arn", "111122223333", "eu-central-1" }, .state = &logging },
        { .subject = { "payments", "arn", "444455556666", "us-east-1" }, .state = &stopped },
        { .subject = { "backup", "arn", "444455556666", "ap-south-1" }, .state = &unknown },
        { .subject = { "named", "", "", "" }, .state = &missing },
    };
    const StatusTarget targets[] = {
        { .subject = { "", "", "111122223333", "eu-central-1" }, .state = &well, .polled_usec = AT(-2) },
        { .subject = { "", "", "444455556666", "us-east-1" }, .state = &well, .polled_usec = AT(-1) },
        { .subject = { "", "", "444455556666", "ap-south-1" }, .state = &gone, .polled_usec = AT(-600) },
        { .subject = { "", "", "444455556666", "me-south-1" }, .state = &off },
        { .subject = { "", "", "777788889999", "" }, .state = &gone },
    };
    const StatusAccount accounts[] = {
        { .id = "111122223333", .identity = "arn", .state = &well },
        { .id = "444455556666", .identity = "arn", .state = &well },
        { .id = "777788889999", .identity = "", .state = &gone, .blocked = true },
    };
    const StatusChannel channels[] = {
        { .channel = "sns:arn:aws:sns:eu-central-1:111122223333:trailguard", .unheard = true },
        { .channel = "webhook:soc", .failed = true, .waiting = 2 },
    };
    const Status status = { .version = "1.0",
                            .mode = MODE_RESTART,
                            .poll_interval_sec = 10,
                            .unreachable_after = 3,
                            .started_usec = AT(-86400),
                            .config_loaded_usec = AT(-3600),
                            .pass_ended_usec = AT(-1),
                            .accounts = accounts,
                            .n_accounts = ARRAY_SIZE(accounts),
                            .has_organization = true,
                            .organization_error = "",
                            .trails = trails,
                            .n_trails = ARRAY_SIZE(trails),
                            .targets = targets,
                            .n_targets = ARRAY_SIZE(targets),
                            .channels = channels,
                            .n_channels = ARRAY_SIZE(channels),
                            .n_contained = 1,
                            .n_rights_lost = 3,
                            .outbox_depth = 2,
                            .outbox_oldest_usec = AT(-120) };
    Metrics *metrics = metrics_new();
    char *text;

    stopped.incident = (Incident){ .open = true, .severity = SEVERITY_CRITICAL };
    metrics_add_channel(metrics, channels[0].channel);
    metrics_add_channel(metrics, channels[1].channel);
    for (unsigned i = 0; i < 17280; i++) {
        METRICS_COUNT(metrics, METRICS_REQUESTS, 1, "cloudtrail", "GetTrailStatus");
        METRICS_COUNT(metrics, METRICS_THROTTLES, i % 5760 == 0, "cloudtrail", "GetTrailStatus");
        metrics_observe(metrics, METRICS_REQUEST_TIME, "cloudtrail", 20000 + i);
        metrics_observe(metrics, METRICS_POLL_TIME, NULL, 40000 + i);
    }
    METRICS_COUNT(metrics, METRICS_ERRORS, 3, "cloudtrail", "GetTrailStatus", "ThrottlingException");
    METRICS_COUNT(metrics, METRICS_ERRORS, 60, "cloudtrail", "GetTrailStatus", "timed out");
    METRICS_COUNT(metrics, METRICS_HELD, 3, "back-off");
    METRICS_COUNT(metrics, METRICS_HELD_USEC, 1250000, "back-off");
    metrics_observe(metrics, METRICS_PASS_TIME, NULL, 310000);
    metrics_count_event(metrics, EVENT_TRAIL_STOPPED, SEVERITY_CRITICAL);
    keep_event(&metrics->counters[METRICS_ALERTS], "trail.stopped");
    metrics_count_outcome(metrics, ACTION_RESTART, RESULT_FAILED);
    metrics_count_receipt(metrics, channels[0].channel, RECEIPT_DELIVERED);
    metrics_count_receipt(metrics, channels[1].channel, RECEIPT_RETRY);
    text = page_of(&status, metrics, "trailguard");
    metrics_free(metrics);
    return text;
}

static void the_page_is_that_of_the_documents(void **state _unused_) {
    _cleanup_free_ char *text = example_page(), *golden = NULL;
    size_t len;

    if (getenv("TRAILGUARD_GOLDEN_UPDATE"))
        assert_int_equal(file_write(EXAMPLE, text, strlen(text), 0644, false), 0);
    assert_int_equal(file_read(EXAMPLE, 1024 * 1024, &golden, &len), 0);
    assert_string_equal(text, golden); /* `make golden` writes it; review the diff */
}

/* Of each name one HELP and one TYPE, before its series and nowhere else; each sample a name, labels and a
 * number, without a time; a line break at the end. node_exporter refuses a file that breaks any of it. */
static void the_page_has_the_form_that_node_exporter_reads(void **state _unused_) {
    _cleanup_free_ char *text = example_page();
    char name[LINE_LEN] = "", line[LINE_LEN], begin[LINE_LEN + 16];
    const char *end;

    for (const char *c = text; *c; c = end + 1) {
        end = strchr(c, '\n');
        assert_non_null(end);
        if (sscanf(c, "# HELP %511s", name) == 1) {
            (void)snprintf(begin, sizeof(begin), "# HELP %s ", name);
            assert_int_equal(lines_of(text, begin, line), 1);
            (void)snprintf(begin, sizeof(begin), "# TYPE %s ", name);
            assert_int_equal(lines_of(text, begin, line), 1);
            continue;
        }
        assert_int_equal(strncmp(c + (c[0] == '#' ? strlen("# TYPE ") : 0), name, strlen(name)), 0);
        if (c[0] != '#') {
            const char *value = memchr(c, '}', (size_t)(end - c));

            assert_non_null(value);
            assert_int_equal(strspn(value + 2, "0123456789."), end - value - 2);
        }
    }
}

static void unknown_never_counts_as_well(void **state _unused_) {
    _cleanup_free_ char *text = example_page();
    char line[LINE_LEN];

#define TRAIL(account, region, name)                                                                        \
    "{guard=\"trailguard\",account=\"" account "\",region=\"" region "\",trail=\"" name "\""
    assert_line(text, "trailguard_trail_logging" TRAIL("111122223333", "eu-central-1", "org-trail") "} 1");
    assert_line(text, "trailguard_trail_logging" TRAIL("444455556666", "us-east-1", "payments") "} 0");
    assert_line(text, "trailguard_trail_logging" TRAIL("444455556666", "ap-south-1", "backup") "} 0");
    assert_line(text, "trailguard_trail_logging" TRAIL("", "", "named") "} 0");
    /* what is not known has no time */
    assert_int_equal(lines_of(text, "trailguard_trail_latest_delivery_timestamp_seconds", line), 3);
    assert_int_equal(lines_of(text, "trailguard_target_last_success_timestamp_seconds", line), 3);
    /* a region that is not enabled is nothing to poll */
    assert_int_equal(lines_of(text, "trailguard_target_reachable", line), 4);
    assert_line(text,
                "trailguard_target_reachable{guard=\"trailguard\",account=\"777788889999\",region=\"\"} 0");
    /* the account that cannot be reached is one incident, and not two */
    assert_line(text, "trailguard_incidents_open{guard=\"trailguard\",severity=\"warning\"} 2");
    assert_line(text, "trailguard_incidents_open{guard=\"trailguard\",severity=\"critical\"} 1");
}

static void what_cannot_be_read_of_a_trail_that_logs_does_not_stop_it(void **state _unused_) {
    static const struct {
        TrailState state;
        bool logging;
    } rows[] = {
        { { .known = true, .verdict = VERDICT_LOGGING }, true },
        { { .known = true, .verdict = VERDICT_PROTECTED }, true },
        { { .known = true, .verdict = VERDICT_FAILING, .findings = FINDING_BIT(FINDING_STALE) }, true },
        { { .known = true, .verdict = VERDICT_UNKNOWN, .findings = FINDING_BIT(FINDING_TAGS_UNREADABLE) },
          true },
        { { .known = true,
            .verdict = VERDICT_UNKNOWN,
            .findings = FINDING_BIT(FINDING_TAGS_UNREADABLE) | FINDING_BIT(FINDING_UNREACHABLE) },
          false },
        { { .known = true, .verdict = VERDICT_WEAKENED, .n_failed = 2 }, true },
        { { .known = true, .verdict = VERDICT_WEAKENED, .n_failed = 3 }, false },
        { { .known = true, .verdict = VERDICT_STOPPED, .findings = FINDING_BIT(FINDING_STOPPED) }, false },
        { { .known = false, .verdict = VERDICT_LOGGING }, false },
    };
    Metrics *metrics = metrics_new();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const StatusTrail trail = { .subject = { "t", "arn", "1", "r" }, .state = &rows[i].state };
        _cleanup_free_ char *text =
                page_of(&(Status){ .version = "1", .unreachable_after = 3, .trails = &trail, .n_trails = 1 },
                        metrics, "g");

        assert_line(
                text,
                rows[i].logging
                        ? "trailguard_trail_logging{guard=\"g\",account=\"1\",region=\"r\",trail=\"t\"} 1"
                        : "trailguard_trail_logging{guard=\"g\",account=\"1\",region=\"r\",trail=\"t\"} 0");
    }
    metrics_free(metrics);
}

static void nothing_that_anyone_is_called_breaks_the_page(void **state _unused_) {
    static const char hostile[] = "a\"} 1\nx{b=\"\\\xff\xe2\x80\xae";
    TrailState logging = trail_state(VERDICT_LOGGING, 0);
    const StatusTrail trails[] = { { .subject = { hostile, "arn", "1", "r" }, .state = &logging } };
    const Status status = { .version = "1", .unreachable_after = 3, .trails = trails, .n_trails = 1 };
    Metrics *metrics = metrics_new();
    _cleanup_free_ char *text = page_of(&status, metrics, "g\"\n");

    assert_line(text, "trailguard_trail_logging{guard=\"g\\\"\\\\x0a\",account=\"1\",region=\"r\","
                      "trail=\"a\\\"} 1\\\\x0ax{b=\\\"\\\\\\\\\\\\xff\\\\u202e\"} 1");
    metrics_free(metrics);
}

/* node_exporter would drop the whole file. */
static void no_series_comes_twice(void **state _unused_) {
    TrailState logging = trail_state(VERDICT_LOGGING, 0);
    const StatusTrail trails[] = { { .subject = { "named", "", "", "" }, .state = &logging },
                                   { .subject = { "other", "", "", "" }, .state = &logging },
                                   { .subject = { "named", "", "", "" }, .state = &logging } };
    const Status status = { .version = "1", .unreachable_after = 3, .trails = trails, .n_trails = 3 };
    Metrics *metrics = metrics_new();
    _cleanup_free_ char *text = page_of(&status, metrics, "g");
    char line[LINE_LEN];

    assert_int_equal(lines_of(text, "trailguard_trail_logging{", line), 2);
    assert_line(text, "trailguard_trails{guard=\"g\",state=\"logging\"} 3");
    metrics_free(metrics);
}

static void over_the_ceilings_what_is_in_trouble_is_shown(void **state _unused_) {
    enum { N = 10000, BAD = N - 1 };
    TrailState logging = trail_state(VERDICT_LOGGING, 0),
               stopped = trail_state(VERDICT_STOPPED, FINDING_BIT(FINDING_STOPPED));
    const TargetState well = { .ever_reachable = true }, gone = { .unreachable = true };
    StatusTrail *trails = calloc(N, sizeof(*trails));
    StatusTarget *targets = calloc(N, sizeof(*targets));
    char(*names)[16] = calloc(N, sizeof(*names));
    Status status = { .version = "1",
                      .unreachable_after = 3,
                      .trails = trails,
                      .n_trails = N,
                      .targets = targets,
                      .n_targets = N };
    Metrics *metrics = metrics_new();
    char line[LINE_LEN];
    char *text;

    for (unsigned i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%012u", i);
        trails[i] = (StatusTrail){ .subject = { "organization-trail", "arn", names[i], "eu-central-1" },
                                   .state = i == BAD ? &stopped : &logging };
        targets[i] = (StatusTarget){ .subject = { "", "", names[i], "eu-central-1" },
                                     .state = i == BAD ? &gone : &well,
                                     .polled_usec = T0 + i };
    }
    text = page_of(&status, metrics, "trailguard");
    assert_int_equal(lines_of(text, "trailguard_trail_logging{", line), REPORT_METRICS_TRAILS_MAX);
    assert_non_null(strstr(line, "000000009999"));
    assert_int_equal(lines_of(text, "trailguard_target_reachable{", line), REPORT_METRICS_TARGETS_MAX);
    assert_non_null(strstr(line, "000000009999"));
    assert_line(text, "trailguard_trails{guard=\"trailguard\",state=\"stopped\"} 1");
    assert_line(text, "trailguard_metrics_left_out{guard=\"trailguard\",table=\"trails\"} 9000");
    assert_line(text, "trailguard_metrics_left_out{guard=\"trailguard\",table=\"targets\"} 8000");
    assert_true(strlen(text) < 1024 * 1024); /* docs/metrics.md says so */
    free(text);
    /* nothing but trouble */
    for (unsigned i = 0; i < N; i++)
        trails[i].state = &stopped;
    text = page_of(&status, metrics, "trailguard");
    assert_int_equal(lines_of(text, "trailguard_trail_logging{", line), REPORT_METRICS_TRAILS_MAX);
    free(text);
    free(trails);
    free(targets);
    free(names);
    metrics_free(metrics);
}

static void the_file_can_be_read_by_all_and_has_no_temporary_beside_it(void **state _unused_) {
    char dir[] = "/tmp/test_metrics.XXXXXX", path[64];
    Metrics *metrics = metrics_new();
    mode_t mask = umask(077);
    struct stat st;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/metrics.prom", dir);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(report_metrics_write(&(Status){ .version = "1" }, metrics, "g", path), 0);
    (void)umask(mask);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0); /* empty */
    assert_true(report_metrics_write(&(Status){ .version = "1" }, metrics, "g", path) < 0);
    metrics_free(metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_begins_at_zero),
        cmocka_unit_test(a_table_has_a_ceiling),
        cmocka_unit_test(a_value_on_a_bound_is_in_its_bucket),
        cmocka_unit_test(without_metrics_nothing_is_counted),
        cmocka_unit_test(the_page_is_that_of_the_documents),
        cmocka_unit_test(the_page_has_the_form_that_node_exporter_reads),
        cmocka_unit_test(unknown_never_counts_as_well),
        cmocka_unit_test(what_cannot_be_read_of_a_trail_that_logs_does_not_stop_it),
        cmocka_unit_test(nothing_that_anyone_is_called_breaks_the_page),
        cmocka_unit_test(no_series_comes_twice),
        cmocka_unit_test(over_the_ceilings_what_is_in_trouble_is_shown),
        cmocka_unit_test(the_file_can_be_read_by_all_and_has_no_temporary_beside_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
