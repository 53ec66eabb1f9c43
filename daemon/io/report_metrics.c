/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the metrics as Prometheus text (format 0.0.4) to a file. One table lists every metric;
 * docs/metrics.md explains each, and a lint compares both. Gauges are derived from a Status, counters come
 * from Metrics. Every series has the label `guard`, so that two guards on one host never write the same
 * series: node_exporter drops duplicates. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/io/report.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TEXT_SIZE_MAX   (8U * 1024 * 1024)
#define LABEL_VALUE_MAX 320U /* bytes before escaping */
#define GUARD_MAX       64U

/* One series per row and metric. When there are too many rows, trails in trouble come first. */
typedef struct Row {
    Subject subject;
    size_t i; /* index into its table */
    bool in_trouble;
} Row;

typedef struct Page {
    StrBuf text;
    StrBuf scratch;
    char guard[4 * GUARD_MAX]; /* escaped */
    const Status *status;
    const Metrics *metrics;
    Row *trails, *targets;
    size_t n_trails, n_targets;
    size_t n_left_out[2]; /* trails, targets */
} Page;

typedef struct Family Family;
struct Family {
    const char *name, *type;
    const char *labels[METRICS_LABELS_MAX + 1];
    const char *help; /* one line without backslashes */
    void (*write)(Page *page, const Family *family);
    size_t offset; /* in Status */
    unsigned what; /* a MetricsCounter or a MetricsTimer */
};

/* ---- one sample ---- */

/* Escapes a label's value. The text is already printable UTF-8. */
static void add_quoted(StrBuf *b, const char *text) {
    for (size_t n; *text; text += n) {
        n = strcspn(text, "\\\"");
        (void)strbuf_add_mem(b, text, n);
        if (text[n]) {
            (void)strbuf_add_char(b, '\\');
            (void)strbuf_add_char(b, text[n++]);
        }
    }
}

static bool is_plain(const char *text) {
    const char *c = text;

    while ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '-' ||
           *c == '.' || *c == '_' || *c == ':' || *c == '/')
        c++;
    return !*c && c - text <= (ptrdiff_t)LABEL_VALUE_MAX;
}

static void metric_add_label(Page *page, const char *name, const char *value) {
    (void)strbuf_addf(&page->text, ",%s=\"", name);
    if (is_plain(value))
        (void)strbuf_add(&page->text, value);
    else {
        strbuf_truncate(&page->scratch, 0);
        (void)text_escape(&page->scratch, value, LABEL_VALUE_MAX);
        add_quoted(&page->text, strbuf_str(&page->scratch));
    }
    (void)strbuf_add_char(&page->text, '"');
}

/* Writes everything before the value. values: those of the family's labels, or NULL when it has none. */
static void metric_begin(Page *page, const Family *family, const char *suffix, const char *const *values) {
    (void)strbuf_add(&page->text, family->name);
    (void)strbuf_add(&page->text, suffix);
    (void)strbuf_add(&page->text, "{guard=\"");
    (void)strbuf_add(&page->text, page->guard);
    (void)strbuf_add_char(&page->text, '"');
    for (size_t i = 0; values && family->labels[i]; i++)
        metric_add_label(page, family->labels[i], values[i] ? values[i] : "");
}

static void end_count(Page *page, uint64_t n) {
    (void)strbuf_addf(&page->text, "} %llu\n", (unsigned long long)n);
}

static void end_seconds(Page *page, uint64_t usec) {
    unsigned digits = 6;
    uint64_t fraction = usec % USEC_PER_SEC;

    (void)strbuf_addf(&page->text, "} %llu", (unsigned long long)(usec / USEC_PER_SEC));
    while (fraction > 0 && fraction % 10 == 0) {
        fraction /= 10;
        digits--;
    }
    if (fraction > 0)
        (void)strbuf_addf(&page->text, ".%0*llu", (int)digits, (unsigned long long)fraction);
    (void)strbuf_add_char(&page->text, '\n');
}

#define VALUES(...) ((const char *const[METRICS_LABELS_MAX]){ __VA_ARGS__ })

static void add_count(Page *page, const Family *family, const char *const *values, uint64_t n) {
    metric_begin(page, family, "", values);
    end_count(page, n);
}

/* ---- single values ---- */

static const void *field_of(const Page *page, const Family *family) {
    return (const char *)page->status + family->offset;
}

static void metric_write_uint(Page *page, const Family *family) {
    add_count(page, family, NULL, *(const unsigned *)field_of(page, family));
}

static void write_uint64(Page *page, const Family *family) {
    add_count(page, family, NULL, *(const uint64_t *)field_of(page, family));
}

static void metric_write_bool(Page *page, const Family *family) {
    add_count(page, family, NULL, *(const bool *)field_of(page, family));
}

/* The gauge is 1 when the text is set, which means that something is wrong. */
static void write_is_set(Page *page, const Family *family) {
    const char *text = *(const char *const *)field_of(page, family);

    add_count(page, family, NULL, text && text[0]);
}

static void write_is_unset(Page *page, const Family *family) {
    const char *text = *(const char *const *)field_of(page, family);

    add_count(page, family, NULL, !text || !text[0]);
}

/* An unknown time has no series: an age since 1970 would raise an alarm. */
static void metric_write_time(Page *page, const Family *family) {
    uint64_t usec = *(const uint64_t *)field_of(page, family);

    if (usec == 0)
        return;
    metric_begin(page, family, "", NULL);
    end_seconds(page, usec);
}

static void write_build(Page *page, const Family *family) {
    add_count(page, family, VALUES(page->status->version), 1);
}

static void write_config(Page *page, const Family *family) {
    add_count(page, family,
              VALUES(mode_to_string(page->status->mode), page->status->shard ? page->status->shard : "all"),
              1);
}

static void write_listed(Page *page, const Family *family) {
    const char *error = page->status->organization_error;

    if (page->status->has_organization)
        add_count(page, family, NULL, !error || !error[0]);
}

static void write_left_out(Page *page, const Family *family) {
    add_count(page, family, VALUES("trails"), page->n_left_out[0]);
    add_count(page, family, VALUES("targets"), page->n_left_out[1]);
}

/* ---- counters ---- */

static void write_counter(Page *page, const Family *family) {
    const MetricsCounts *table = &page->metrics->counters[family->what];

    for (size_t i = 0; i < table->n; i++)
        add_count(page, family, (const char *const *)table->rows[i].labels, table->rows[i].n);
}

static void write_counter_seconds(Page *page, const Family *family) {
    const MetricsCounts *table = &page->metrics->counters[family->what];

    for (size_t i = 0; i < table->n; i++) {
        metric_begin(page, family, "", (const char *const *)table->rows[i].labels);
        end_seconds(page, table->rows[i].n);
    }
}

static void write_histogram(Page *page, const Family *family) {
    const MetricsHistograms *table = &page->metrics->timers[family->what];

    for (size_t i = 0; i < table->n; i++) {
        const MetricsHistogram *row = &table->rows[i];
        uint64_t n = 0;

        for (size_t b = 0; b < METRICS_BUCKETS; b++) {
            n += row->buckets[b];
            metric_begin(page, family, "_bucket", VALUES(row->label));
            metric_add_label(page, "le", metrics_bounds[b].text);
            end_count(page, n);
        }
        metric_begin(page, family, "_bucket", VALUES(row->label));
        metric_add_label(page, "le", "+Inf");
        end_count(page, row->n);
        metric_begin(page, family, "_sum", VALUES(row->label));
        end_seconds(page, row->sum_usec);
        metric_begin(page, family, "_count", VALUES(row->label));
        end_count(page, row->n);
    }
}

/* ---- trails ---- */

static void write_trails(Page *page, const Family *family) {
    unsigned n[_VERDICT_MAX] = { 0 };

    for (size_t i = 0; i < page->status->n_trails; i++)
        n[report_trail(page->status, i)->state->verdict]++;
    for (Verdict v = 0; v < _VERDICT_MAX; v++)
        add_count(page, family, VALUES(verdict_to_string(v)), n[v]);
}

static void begin_trail(Page *page, const Family *family, const Row *row) {
    const Subject *s = &row->subject;

    metric_begin(page, family, "", VALUES(s->account, s->region, s->name));
}

/* True when the trail is known to be logging. Unreadable settings do not count against it. */
static bool is_logging(const Status *status, size_t i) {
    const TrailState *state = report_trail(status, i)->state;

    return state->known && state->n_failed < status->unreachable_after &&
           !(state->findings & (FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_STOPPED) |
                                FINDING_BIT(FINDING_UNREACHABLE)));
}

static void write_trail_logging(Page *page, const Family *family) {
    for (size_t i = 0; i < page->n_trails; i++) {
        begin_trail(page, family, &page->trails[i]);
        end_count(page, is_logging(page->status, page->trails[i].i));
    }
}

static void write_trail_state(Page *page, const Family *family) {
    for (size_t i = 0; i < page->n_trails; i++) {
        begin_trail(page, family, &page->trails[i]);
        metric_add_label(page, "state",
                         verdict_to_string(report_trail(page->status, page->trails[i].i)->state->verdict));
        end_count(page, 1);
    }
}

static void write_trail_delivery(Page *page, const Family *family) {
    for (size_t i = 0; i < page->n_trails; i++) {
        uint64_t usec = report_trail(page->status, page->trails[i].i)->state->delivery_usec;

        if (usec == 0)
            continue;
        begin_trail(page, family, &page->trails[i]);
        end_seconds(page, usec);
    }
}

/* ---- regions and accounts ---- */

static void write_counts(Page *page, const Family *family, const char *const *words, const uint64_t *counts,
                         size_t n) {
    for (size_t w = 0; w < n; w++)
        add_count(page, family, VALUES(words[w]), counts[w]);
}

static void write_targets(Page *page, const Family *family) {
    uint64_t counts[_REPORT_TARGET_MAX] = { 0 };

    for (size_t i = 0; i < page->status->n_targets; i++)
        counts[report_target_state(report_target(page->status, i))]++;
    write_counts(page, family, report_target_words, counts, ARRAY_SIZE(counts));
}

static void write_accounts(Page *page, const Family *family) {
    uint64_t counts[_REPORT_ACCOUNT_MAX] = { 0 };

    for (size_t i = 0; i < page->status->n_accounts; i++)
        counts[report_account_state(report_account(page->status, i))]++;
    write_counts(page, family, report_account_words, counts, ARRAY_SIZE(counts));
}

static const StatusTarget *target_of(const Page *page, const Row *row) {
    return report_target(page->status, row->i);
}

static void begin_target(Page *page, const Family *family, const Row *row) {
    metric_begin(page, family, "", VALUES(row->subject.account, row->subject.region));
}

/* A whole account has a row of its own only while it cannot be reached. */
static bool is_reachable(const StatusTarget *target) {
    return target->subject.region[0] && target->state->ever_reachable && !target->state->unreachable;
}

static void write_target_reachable(Page *page, const Family *family) {
    for (size_t i = 0; i < page->n_targets; i++) {
        begin_target(page, family, &page->targets[i]);
        end_count(page, is_reachable(target_of(page, &page->targets[i])));
    }
}

static void write_target_success(Page *page, const Family *family) {
    for (size_t i = 0; i < page->n_targets; i++) {
        uint64_t usec = target_of(page, &page->targets[i])->polled_usec;

        if (usec == 0)
            continue;
        begin_target(page, family, &page->targets[i]);
        end_seconds(page, usec);
    }
}

/* ---- incidents and channels ---- */

static void count_incident(const Incident *incident, unsigned n[static _SEVERITY_MAX]) {
    if (incident->open)
        n[incident->severity]++;
}

static void count_troubles(const TargetState *state, unsigned n[static _SEVERITY_MAX]) {
    count_incident(&state->reach, n);
    count_incident(&state->cover, n);
    count_incident(&state->list, n);
}

/* Those of whole accounts are counted with the accounts. */
static void count_target(const StatusTarget *target, unsigned n[static _SEVERITY_MAX]) {
    if (target->subject.region[0])
        count_troubles(target->state, n);
}

static void write_incidents(Page *page, const Family *family) {
    const Status *status = page->status;
    unsigned n[_SEVERITY_MAX] = { 0 };

    for (size_t i = 0; i < status->n_trails; i++)
        count_incident(&report_trail(status, i)->state->incident, n);
    for (size_t i = 0; i < status->n_targets; i++)
        count_target(report_target(status, i), n);
    for (size_t i = 0; i < status->n_accounts; i++)
        count_troubles(report_account(status, i)->state, n);
    for (Severity s = 0; s < _SEVERITY_MAX; s++)
        add_count(page, family, VALUES(severity_to_string(s)), n[s]);
}

static void write_channel_failed(Page *page, const Family *family) {
    for (size_t i = 0; i < page->status->n_channels; i++)
        add_count(page, family, VALUES(page->status->channels[i].channel), page->status->channels[i].failed);
}

static void write_channel_unheard(Page *page, const Family *family) {
    for (size_t i = 0; i < page->status->n_channels; i++)
        add_count(page, family, VALUES(page->status->channels[i].channel),
                  page->status->channels[i].unheard);
}

static void write_channel_waiting(Page *page, const Family *family) {
    for (size_t i = 0; i < page->status->n_channels; i++)
        add_count(page, family, VALUES(page->status->channels[i].channel),
                  page->status->channels[i].waiting);
}

/* ---- all of them ---- */

#define LABELS(...)                                                                                         \
    { __VA_ARGS__ }
#define GAUGE(name_, labels_, help_, ...)                                                                   \
    { .name = "trailguard_" name_, .type = "gauge", .labels = labels_, .help = help_, .write = __VA_ARGS__ }
#define FIELD(member) .offset = offsetof(Status, member)
#define COUNTER(name_, labels_, help_, ...)                                                                 \
    {                                                                                                       \
        .name = "trailguard_" name_ "_total", .type = "counter", .labels = labels_, .help = help_,          \
        .write = __VA_ARGS__                                                                                \
    }
#define HISTOGRAM(name_, labels_, help_, timer)                                                             \
    {                                                                                                       \
        .name = "trailguard_" name_ "_seconds", .type = "histogram", .labels = labels_, .help = help_,      \
        .write = write_histogram, .what = timer                                                             \
    }
#define NONE          LABELS(NULL)
#define TRAIL_LABELS  LABELS("account", "region", "trail")
#define TARGET_LABELS LABELS("account", "region")

static const Family families[] = {
    GAUGE("build_info", LABELS("version"), "Always 1; the version that runs.", write_build),
    GAUGE("config_info", LABELS("mode", "shard"), "Always 1; what the configuration says.", write_config),
    GAUGE("start_time_seconds", NONE, "When the daemon started.", metric_write_time, FIELD(started_usec)),
    GAUGE("config_loaded_timestamp_seconds", NONE, "When the configuration in force was read.",
          metric_write_time, FIELD(config_loaded_usec)),
    GAUGE("config_reload_failed", NONE, "1 if the latest reload was refused, and an older file is in force.",
          metric_write_bool, FIELD(reload_refused)),
    GAUGE("poll_interval_seconds", NONE, "The configured time between polls of a trail.", metric_write_uint,
          FIELD(poll_interval_sec)),
    GAUGE("guarding", NONE, "0 while nothing can be guarded at all, as without credentials.", write_is_unset,
          FIELD(problem)),
    GAUGE("state_directory_failed", NONE, "1 while what is known does not outlive a restart.", write_is_set,
          FIELD(directory_problem)),
    GAUGE("organization_listed", NONE, "1 if the latest list of the organization's accounts was read.",
          write_listed),
    GAUGE("metrics_left_out", LABELS("table"), "Rows without series of their own, by the ceilings.",
          write_left_out),

    GAUGE("trails", LABELS("state"), "Guarded trails by state.", write_trails),
    GAUGE("trail_logging", TRAIL_LABELS, "1 if the trail logs; 0 if it is stopped, missing or unreachable.",
          write_trail_logging),
    GAUGE("trail_state", TRAIL_LABELS, "Always 1; the label state has the state of the trail.",
          write_trail_state),
    GAUGE("trail_latest_delivery_timestamp_seconds", TRAIL_LABELS, "When log files last came.",
          write_trail_delivery),

    GAUGE("accounts", LABELS("state"), "Guarded accounts by state.", write_accounts),
    GAUGE("targets", LABELS("state"), "Regions of accounts by state.", write_targets),
    GAUGE("target_reachable", TARGET_LABELS,
          "1 if the region can be polled; region is empty for a whole account.", write_target_reachable),
    GAUGE("target_last_success_timestamp_seconds", TARGET_LABELS, "When a poll was last answered.",
          write_target_success),
    GAUGE("last_pass_timestamp_seconds", NONE, "When the latest pass over all regions ended.",
          metric_write_time, FIELD(pass_ended_usec)),
    HISTOGRAM("pass_duration", NONE, "The longest poll of each pass.", METRICS_PASS_TIME),
    HISTOGRAM("poll_duration", NONE, "Polls of one region, from the first call to the last answer.",
              METRICS_POLL_TIME),

    GAUGE("incidents_open", LABELS("severity"), "Open incidents of trails, regions and accounts.",
          write_incidents),
    GAUGE("contained_identities", NONE, "Users and roles whose rights the guard has taken, or is about to.",
          metric_write_uint, FIELD(n_contained)),
    GAUGE("rights_lost", NONE,
          "Rights of the guard that IAM would deny, as guard_checks simulated them last.", metric_write_uint,
          FIELD(n_rights_lost)),
    COUNTER("actions", LABELS("action", "result"), "Attempts to restart, restore or recreate a trail.",
            write_counter, .what = METRICS_ACTIONS),
    COUNTER("alerts", LABELS("event", "severity"), "Alerts by event, also those that no channel wants.",
            write_counter, .what = METRICS_ALERTS),
    COUNTER("alert_deliveries", LABELS("channel", "outcome"), "Attempts to send an alert.", write_counter,
            .what = METRICS_DELIVERIES),
    COUNTER("alerts_lost", NONE, "Alerts given up, because too many were waiting.", write_uint64,
            FIELD(n_alerts_lost)),
    GAUGE("channel_failed", LABELS("channel"), "1 while a channel does not take alerts.",
          write_channel_failed),
    GAUGE("channel_unheard", LABELS("channel"), "1 while nobody gets what the channel takes.",
          write_channel_unheard),
    GAUGE("channel_waiting_alerts", LABELS("channel"), "Alerts that wait for the channel.",
          write_channel_waiting),
    GAUGE("outbox_alerts", NONE, "Alerts that wait for at least one channel.", metric_write_uint,
          FIELD(outbox_depth)),
    GAUGE("outbox_oldest_alert_timestamp_seconds", NONE, "Time of the oldest alert that waits.",
          metric_write_time, FIELD(outbox_oldest_usec)),

    COUNTER("aws_requests", LABELS("service", "operation"), "Requests to AWS that have ended, each attempt.",
            write_counter, .what = METRICS_REQUESTS),
    COUNTER("aws_request_errors", LABELS("service", "operation", "code"),
            "Requests with an error of AWS, or no answer.", write_counter, .what = METRICS_ERRORS),
    COUNTER("aws_throttles", LABELS("service", "operation"), "Requests that AWS throttled.", write_counter,
            .what = METRICS_THROTTLES),
    COUNTER("aws_held_back", LABELS("reason"), "Times that a request to AWS was held back.", write_counter,
            .what = METRICS_HELD),
    COUNTER("aws_held_back_seconds", LABELS("reason"), "How long requests to AWS were held back.",
            write_counter_seconds, .what = METRICS_HELD_USEC),
    HISTOGRAM("aws_request_duration", LABELS("service"), "Requests to AWS, each attempt.",
              METRICS_REQUEST_TIME),
};

/* ---- choosing the rows ---- */

static int compare_rows(const void *a, const void *b) {
    const Subject *x = &((const Row *)a)->subject, *y = &((const Row *)b)->subject;
    int r = strcmp(x->account, y->account);

    if (r == 0)
        r = strcmp(x->region, y->region);
    return r != 0 ? r : strcmp(x->name, y->name);
}

/* Sorts the rows, drops duplicates by name, and keeps at most max: those in trouble first, then the first of
 * the others. Returns how many are kept. */
static size_t choose_rows(Row *rows, size_t n, size_t max, size_t *ret_left_out) {
    size_t n_distinct = 0, n_kept = 0, n_trouble = 0, others;

    qsort(rows, n, sizeof(*rows), compare_rows);
    for (size_t i = 0; i < n; i++)
        if (n_distinct == 0 || compare_rows(&rows[n_distinct - 1], &rows[i]) != 0)
            rows[n_distinct++] = rows[i];
    for (size_t i = 0; i < n_distinct; i++)
        n_trouble += rows[i].in_trouble;
    others = n_trouble < max ? max - n_trouble : 0;
    n_trouble = MIN(n_trouble, max);
    for (size_t i = 0; i < n_distinct; i++) {
        size_t *room = rows[i].in_trouble ? &n_trouble : &others;

        if (*room == 0)
            continue;
        --*room;
        rows[n_kept++] = rows[i];
    }
    *ret_left_out = n_distinct - n_kept;
    return n_kept;
}

static int choose(Page *page) {
    const Status *status = page->status;

    page->trails = calloc(status->n_trails + 1, sizeof(*page->trails));
    page->targets = calloc(status->n_targets + 1, sizeof(*page->targets));
    if (!page->trails || !page->targets)
        return -ENOMEM;
    for (size_t i = 0; i < status->n_trails; i++) {
        const StatusTrail *trail = report_trail(status, i);
        Verdict verdict = trail->state->verdict;

        page->trails[i] = (Row){ .subject = trail->subject,
                                 .i = i,
                                 .in_trouble = verdict != VERDICT_LOGGING && verdict != VERDICT_PROTECTED };
    }
    for (size_t i = 0; i < status->n_targets; i++) {
        const StatusTarget *target = report_target(status, i);

        if (!target->state->not_enabled)
            page->targets[page->n_targets++] =
                    (Row){ .subject = target->subject, .i = i, .in_trouble = !is_reachable(target) };
    }
    page->n_trails =
            choose_rows(page->trails, status->n_trails, REPORT_METRICS_TRAILS_MAX, &page->n_left_out[0]);
    page->n_targets =
            choose_rows(page->targets, page->n_targets, REPORT_METRICS_TARGETS_MAX, &page->n_left_out[1]);
    return 0;
}

/* ---- the page ---- */

static void set_guard(Page *page, const char *guard) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(sizeof(page->guard));

    (void)text_escape(&page->scratch, guard, GUARD_MAX / 2);
    add_quoted(&b, strbuf_str(&page->scratch));
    (void)text_copy(page->guard, sizeof(page->guard), strbuf_str(&b));
}

static void write_family(Page *page, const Family *family) {
    size_t before, header;

    before = page->text.len;
    (void)strbuf_addf(&page->text, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name,
                      family->type);
    header = page->text.len;
    family->write(page, family);
    if (page->text.len == header)
        strbuf_truncate(&page->text, before); /* no series: no header */
}

int report_metrics_text(const Status *status, const Metrics *metrics, const char *guard, char **ret) {
    Page page = { .text = STRBUF_INIT(TEXT_SIZE_MAX),
                  .scratch = STRBUF_INIT(64 * LABEL_VALUE_MAX),
                  .status = status,
                  .metrics = metrics };
    int r = choose(&page);

    if (r >= 0) {
        set_guard(&page, guard);
        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
            write_family(&page, &families[i]);
        r = strbuf_take(&page.text, ret);
    }
    strbuf_done(&page.text);
    strbuf_done(&page.scratch);
    free(page.trails);
    free(page.targets);
    return r;
}

int report_metrics_write(const Status *status, const Metrics *metrics, const char *guard, const char *path) {
    _cleanup_free_ char *text = NULL;
    int r = report_metrics_text(status, metrics, guard, &text);

    return r < 0 ? r : file_write(path, text, strlen(text), 0644, false);
}
