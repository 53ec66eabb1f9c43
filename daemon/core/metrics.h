/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is counted while the daemon runs, for Prometheus: report_metrics.c writes it. Counters only grow, and
 * each table has a ceiling, so that nothing that AWS answers makes it larger. Memory is taken the first time
 * that a series is counted, and never again for it. Pure. */

#include "daemon/core/model_alert.h"

typedef enum MetricsCounter {
    METRICS_REQUESTS,   /* service, operation */
    METRICS_ERRORS,     /* service, operation, code */
    METRICS_THROTTLES,  /* service, operation */
    METRICS_HELD,       /* reason */
    METRICS_HELD_USEC,  /* reason: microseconds, not a number of times */
    METRICS_ALERTS,     /* event, severity */
    METRICS_DELIVERIES, /* channel, outcome */
    METRICS_ACTIONS,    /* action, result */
    _METRICS_COUNTER_MAX,
} MetricsCounter;

typedef enum MetricsTimer {
    METRICS_REQUEST_TIME, /* service */
    METRICS_POLL_TIME,
    METRICS_PASS_TIME,
    _METRICS_TIMER_MAX,
} MetricsTimer;

#define METRICS_LABELS_MAX 3
/* Of the label that counts what comes when a table is full. */
#define METRICS_OTHER "other"

typedef struct MetricsCount {
    char *labels[METRICS_LABELS_MAX]; /* "" where there are fewer */
    uint64_t n;
} MetricsCount;

typedef struct MetricsCounts {
    MetricsCount *rows; /* in the order in which they came; the last of a full table is METRICS_OTHER */
    size_t n;
} MetricsCounts;

/* The buckets of all histograms: upper bounds, as a number and as text. */
#define METRICS_BUCKETS 12
typedef struct MetricsBound {
    uint64_t usec;
    const char *text; /* seconds */
} MetricsBound;
extern const MetricsBound metrics_bounds[METRICS_BUCKETS];

typedef struct MetricsHistogram {
    char *label;                           /* "" where there is none */
    uint64_t buckets[METRICS_BUCKETS + 1]; /* each value in one of them; the last: above all bounds */
    uint64_t n, sum_usec;
} MetricsHistogram;

typedef struct MetricsHistograms {
    MetricsHistogram *rows;
    size_t n;
} MetricsHistograms;

typedef struct Metrics {
    MetricsCounts counters[_METRICS_COUNTER_MAX];
    MetricsHistograms timers[_METRICS_TIMER_MAX];
} Metrics;

/* The most rows of a table. */
size_t metrics_counter_max(MetricsCounter counter);
size_t metrics_timer_max(MetricsTimer timer);

/* With a zero for each action and event, so that the first of them is an increase. NULL when out of memory.
 * The caller frees it by metrics_free, for which NULL is fine. */
Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);

/* For all of these metrics may be NULL: nothing is counted. So it is when there is no memory for a new
 * series. */

/* Adds to the series of these labels; 0 makes it, if it is not there. Labels that there are none of are
 * NULL. */
void metrics_count(Metrics *metrics, MetricsCounter counter, uint64_t add, const char *const *labels);
#define METRICS_COUNT(metrics, counter, add, ...)                                                           \
    metrics_count(metrics, counter, add, (const char *const[METRICS_LABELS_MAX]){ __VA_ARGS__ })

/* What something took. label NULL: there is none. */
void metrics_observe(Metrics *metrics, MetricsTimer timer, const char *label, uint64_t usec);

void metrics_count_event(Metrics *metrics, EventKind event, Severity severity);
void metrics_count_outcome(Metrics *metrics, Action action, ActionResult result);
/* What came of an attempt to send an alert; RECEIPT_SKIPPED is none. */
void metrics_count_receipt(Metrics *metrics, const char *channel, ReceiptKind receipt);
/* A zero for each outcome of a channel. */
void metrics_add_channel(Metrics *metrics, const char *channel);
