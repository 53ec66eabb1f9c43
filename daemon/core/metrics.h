/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Counters of the running daemon for Prometheus, written by report_metrics.c. Counters only grow, and each
 * table has a limit, so that no answer of AWS can make it larger. Memory is allocated only when a series is
 * counted for the first time. Pure. */

#include "daemon/core/model_alert.h"

typedef enum MetricsCounter {
    METRICS_REQUESTS,   /* service, operation */
    METRICS_ERRORS,     /* service, operation, code */
    METRICS_THROTTLES,  /* service, operation */
    METRICS_HELD,       /* reason */
    METRICS_HELD_USEC,  /* reason: the sum in microseconds */
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
/* The label for everything that comes after a table is full. */
#define METRICS_OTHER "other"

typedef struct MetricsCount {
    char *labels[METRICS_LABELS_MAX]; /* "" for unused ones */
    uint64_t n;
} MetricsCount;

typedef struct MetricsCounts {
    MetricsCount *rows; /* in the order of their first count; the last row of a full table is
                           METRICS_OTHER */
    size_t n;
} MetricsCounts;

/* The bounds of all histograms, as number and text. */
#define METRICS_BUCKETS 12
typedef struct MetricsBound {
    uint64_t usec;
    const char *text; /* seconds */
} MetricsBound;
extern const MetricsBound metrics_bounds[METRICS_BUCKETS];

typedef struct MetricsHistogram {
    char *label;                           /* "" if there is none */
    uint64_t buckets[METRICS_BUCKETS + 1]; /* each value is counted in one of them; the last: above all
                                              bounds */
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

/* The limit of rows of a table. */
size_t metrics_counter_max(MetricsCounter counter);
size_t metrics_timer_max(MetricsTimer timer);

/* Starts with a zero for each action and event, so that the first of them is an increase. NULL when out of
 * memory. Free with metrics_free, which accepts NULL. */
Metrics *metrics_new(void);
void metrics_free(Metrics *metrics);

/* In the following functions metrics may be NULL: nothing is counted. The same if there is no memory for a
 * new series. */

/* Adds to the series with these labels; 0 only creates it. Unused labels are NULL. */
void metrics_count(Metrics *metrics, MetricsCounter counter, uint64_t add, const char *const *labels);
#define METRICS_COUNT(metrics, counter, add, ...)                                                           \
    metrics_count(metrics, counter, add, (const char *const[METRICS_LABELS_MAX]){ __VA_ARGS__ })

/* Records a duration. label NULL: none. */
void metrics_observe(Metrics *metrics, MetricsTimer timer, const char *label, uint64_t usec);

void metrics_count_event(Metrics *metrics, EventKind event, Severity severity);
void metrics_count_outcome(Metrics *metrics, Action action, ActionResult result);
/* The result of an attempt to send an alert; RECEIPT_SKIPPED is none. */
void metrics_count_receipt(Metrics *metrics, const char *channel, ReceiptKind receipt);
/* Starts a channel's outcomes with zeros. */
void metrics_add_channel(Metrics *metrics, const char *channel);
