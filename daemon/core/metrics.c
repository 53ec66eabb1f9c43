/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* From a nearby region's answer up to a poll's deadline. */
const MetricsBound metrics_bounds[METRICS_BUCKETS] = {
    { 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },
    { 250000, "0.25" }, { 500000, "0.5" },  { 1000000, "1" },   { 2500000, "2.5" },
    { 5000000, "5" },   { 10000000, "10" }, { 30000000, "30" }, { 60000000, "60" },
};

/* Limits on the number of series. Only AWS's error codes are unbounded. */
static const size_t counter_max[_METRICS_COUNTER_MAX] = {
    [METRICS_REQUESTS] = 64,  [METRICS_ERRORS] = 256, [METRICS_THROTTLES] = 64,   [METRICS_HELD] = 16,
    [METRICS_HELD_USEC] = 16, [METRICS_ALERTS] = 96,  [METRICS_DELIVERIES] = 128, [METRICS_ACTIONS] = 16,
};
static const size_t timer_max[_METRICS_TIMER_MAX] = {
    [METRICS_REQUEST_TIME] = 16,
    [METRICS_POLL_TIME] = 1,
    [METRICS_PASS_TIME] = 1,
};

size_t metrics_counter_max(MetricsCounter counter) {
    return counter_max[counter];
}

size_t metrics_timer_max(MetricsTimer timer) {
    return timer_max[timer];
}

/* ---- series ---- */

static bool is_named(const MetricsCount *row, const char *const *labels) {
    for (size_t i = 0; i < METRICS_LABELS_MAX; i++)
        if (strcmp(row->labels[i], labels[i] ? labels[i] : "") != 0)
            return false;
    return true;
}

static bool name_row(MetricsCount *row, const char *const *labels) {
    bool named = true;

    for (size_t i = 0; i < METRICS_LABELS_MAX; i++) {
        row->labels[i] = strdup(labels[i] ? labels[i] : "");
        named = named && row->labels[i];
    }
    for (size_t i = 0; !named && i < METRICS_LABELS_MAX; i++) {
        free(row->labels[i]);
        row->labels[i] = NULL;
    }
    return named;
}

/* Returns NULL when out of memory for a new row. */
static MetricsCount *find_row(MetricsCounts *table, size_t max, const char *const *labels) {
    const char *others[METRICS_LABELS_MAX];
    MetricsCount *grown;

    for (size_t i = 0; i < table->n; i++)
        if (is_named(&table->rows[i], labels))
            return &table->rows[i];
    if (table->n == max)
        return &table->rows[max - 1];
    grown = realloc(table->rows, (table->n + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    table->rows = grown;
    for (size_t i = 0; i < METRICS_LABELS_MAX; i++)
        others[i] = table->n < max - 1 || !labels[i] ? labels[i] : METRICS_OTHER;
    grown[table->n] = (MetricsCount){ 0 };
    return name_row(&grown[table->n], others) ? &grown[table->n++] : NULL;
}

void metrics_count(Metrics *metrics, MetricsCounter counter, uint64_t add, const char *const *labels) {
    MetricsCount *row;

    if (!metrics)
        return;
    row = find_row(&metrics->counters[counter], counter_max[counter], labels);
    if (row)
        row->n += add;
}

static MetricsHistogram *find_histogram(MetricsHistograms *table, size_t max, const char *label) {
    MetricsHistogram *grown;

    for (size_t i = 0; i < table->n; i++)
        if (strcmp(table->rows[i].label, label) == 0)
            return &table->rows[i];
    if (table->n == max)
        return &table->rows[max - 1];
    grown = realloc(table->rows, (table->n + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    table->rows = grown;
    grown[table->n] =
            (MetricsHistogram){ .label = strdup(max > 1 && table->n == max - 1 ? METRICS_OTHER : label) };
    return grown[table->n].label ? &grown[table->n++] : NULL;
}

void metrics_observe(Metrics *metrics, MetricsTimer timer, const char *label, uint64_t usec) {
    MetricsHistogram *row;
    size_t i = 0;

    if (!metrics)
        return;
    row = find_histogram(&metrics->timers[timer], timer_max[timer], label ? label : "");
    if (!row)
        return;
    while (i < METRICS_BUCKETS && usec > metrics_bounds[i].usec)
        i++;
    row->buckets[i]++;
    row->n++;
    row->sum_usec += usec;
}

/* ---- one function per counter ---- */

void metrics_count_event(Metrics *metrics, EventKind event, Severity severity) {
    METRICS_COUNT(metrics, METRICS_ALERTS, 1, event_to_string(event), severity_to_string(severity));
}

void metrics_count_outcome(Metrics *metrics, Action action, ActionResult result) {
    METRICS_COUNT(metrics, METRICS_ACTIONS, 1, action_to_string(action), action_result_to_string(result));
}

static const char *const outcomes[_RECEIPT_MAX] = {
    [RECEIPT_DELIVERED] = "delivered",
    [RECEIPT_RETRY] = "failed",
    [RECEIPT_CHANNEL_REFUSED] = "channel refused",
    [RECEIPT_MESSAGE_REFUSED] = "message refused",
};

void metrics_count_receipt(Metrics *metrics, const char *channel, ReceiptKind receipt) {
    if (outcomes[receipt])
        METRICS_COUNT(metrics, METRICS_DELIVERIES, 1, channel, outcomes[receipt]);
}

void metrics_add_channel(Metrics *metrics, const char *channel) {
    for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
        if (outcomes[i])
            METRICS_COUNT(metrics, METRICS_DELIVERIES, 0, channel, outcomes[i]);
}

/* ---- life cycle ---- */

static void add_zeros(Metrics *metrics) {
    static const Action actions[] = { ACTION_RESTART, ACTION_RESTORE, ACTION_RECREATE };
    static const ActionResult results[] = { RESULT_CONFIRMED, RESULT_FAILED };

    for (size_t a = 0; a < ARRAY_SIZE(actions); a++)
        for (size_t r = 0; r < ARRAY_SIZE(results); r++)
            METRICS_COUNT(metrics, METRICS_ACTIONS, 0, action_to_string(actions[a]),
                          action_result_to_string(results[r]));
    for (EventKind e = 0; e < _EVENT_MAX; e++)
        for (const EventCase *c = event_row(e)->cases; c->when; c++)
            if (c->severity != SEVERITY_OF_INCIDENT)
                METRICS_COUNT(metrics, METRICS_ALERTS, 0, event_to_string(e),
                              severity_to_string(c->severity));
    for (MetricsTimer t = METRICS_POLL_TIME; t <= METRICS_PASS_TIME; t++)
        (void)find_histogram(&metrics->timers[t], timer_max[t], "");
}

Metrics *metrics_new(void) {
    Metrics *metrics = calloc(1, sizeof(*metrics));

    if (metrics)
        add_zeros(metrics);
    return metrics;
}

void metrics_free(Metrics *metrics) {
    if (!metrics)
        return;
    for (size_t c = 0; c < _METRICS_COUNTER_MAX; c++) {
        for (size_t i = 0; i < metrics->counters[c].n; i++)
            for (size_t l = 0; l < METRICS_LABELS_MAX; l++)
                free(metrics->counters[c].rows[i].labels[l]);
        free(metrics->counters[c].rows);
    }
    for (size_t t = 0; t < _METRICS_TIMER_MAX; t++) {
        for (size_t i = 0; i < metrics->timers[t].n; i++)
            free(metrics->timers[t].rows[i].label);
        free(metrics->timers[t].rows);
    }
    free(metrics);
}
