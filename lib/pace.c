/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/pace.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define STEP (PACE_WHOLE / 16)

/* slowest: however often AWS throttles, the share of the rate that is kept. Writes keep half: whoever burns an
 * account's quota to stop us from putting a trail right must not have our politeness on his side. */
static const struct {
    uint64_t gap_usec;
    unsigned burst;
    unsigned slowest;
} rates[_PACE_CLASS_MAX] = {
    [PACE_READ] = { 200 * USEC_PER_MSEC, 5, PACE_WHOLE / 4 },
    [PACE_LIST] = { 500 * USEC_PER_MSEC, 2, PACE_WHOLE / 2 },
    [PACE_LOOKUP] = { 1000 * USEC_PER_MSEC, 1, PACE_WHOLE / 4 },
    [PACE_WRITE] = { 1500 * USEC_PER_MSEC, 1, PACE_WHOLE / 2 },
    [PACE_OTHER] = { 20 * USEC_PER_MSEC, 100, PACE_WHOLE / 8 },
};

PaceClass pace_class_of(const char *operation) {
    static const struct {
        const char *prefix;
        PaceClass class;
    } prefixes[] = {
        { "LookupEvents", PACE_LOOKUP },
        { "Describe", PACE_LIST },
        { "Get", PACE_READ },
        { "List", PACE_READ },
    };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (text_starts_with(operation, prefixes[i].prefix))
            return prefixes[i].class;
    return PACE_WRITE;
}

uint64_t pace_span_usec(PaceClass class, uint64_t n_calls) {
    return n_calls * rates[class].gap_usec;
}

uint64_t pace_ceiling(PaceClass class, uint64_t span_usec) {
    return span_usec / rates[class].gap_usec;
}

static uint64_t gap_of(const Pace *pace) {
    return rates[pace->class].gap_usec * PACE_WHOLE / pace->share;
}

static uint64_t subtract(uint64_t a, uint64_t b) {
    return a > b ? a - b : 0;
}

/* A bucket of n tokens that fills by one each gap, kept as one time: that of the next turn if turns came at
 * even gaps. A bucket that is full is one whose time lies n - 1 gaps back. Slowed down, there are no bunches
 * of calls. */
uint64_t pace_take(Pace *pace, uint64_t now_usec, uint64_t limit_usec) {
    uint64_t gap = gap_of(pace);
    unsigned burst = pace->share == PACE_WHOLE ? rates[pace->class].burst : 1;
    uint64_t turn = MAX(pace->next_usec, subtract(now_usec, (burst - 1) * gap));
    uint64_t wait = subtract(turn, now_usec);

    if (wait > limit_usec)
        return PACE_NEVER;
    pace->next_usec = turn + gap;
    return wait;
}

void pace_give_back(Pace *pace, unsigned epoch) {
    if (epoch == pace->epoch)
        pace->next_usec = subtract(pace->next_usec, gap_of(pace));
}

void pace_throttled(Pace *pace, uint64_t sent_usec, uint64_t now_usec) {
    if (pace->slowed_usec != 0 && sent_usec < pace->slowed_usec)
        return;
    pace->share = MAX(pace->share / 2, rates[pace->class].slowest);
    pace->slowed_usec = now_usec;
    pace->next_usec = now_usec + gap_of(pace);
    pace->epoch++;
}

void pace_succeeded(Pace *pace) {
    pace->share = MIN(pace->share + STEP, PACE_WHOLE);
}

/* ---- the table ---- */

/* Makes room for one more, if there is anything that nobody uses. */
static void drop_oldest(PaceTable *table) {
    PaceLane **oldest = NULL, *dropped;

    for (PaceLane **at = &table->lanes; *at; at = &(*at)->next)
        if ((*at)->n_users == 0)
            oldest = at;
    if (!oldest)
        return;
    dropped = *oldest;
    *oldest = dropped->next;
    free(dropped);
    table->n--;
}

static PaceLane *find(PaceTable *table, const void *owner, PaceClass class) {
    for (PaceLane **at = &table->lanes; *at; at = &(*at)->next) {
        PaceLane *lane = *at;

        if (lane->owner != owner || lane->pace.class != class)
            continue;
        *at = lane->next;
        return lane;
    }
    return NULL;
}

PaceLane *pace_lane_get(PaceTable *table, const void *owner, PaceClass class) {
    PaceLane *lane = find(table, owner, class);

    if (!lane) {
        if (table->n >= PACE_LANES_MAX)
            drop_oldest(table);
        lane = malloc(sizeof(*lane));
        if (!lane)
            return NULL;
        *lane = (PaceLane){ .owner = owner, .pace = PACE_INIT(class) };
        table->n++;
    }
    lane->next = table->lanes;
    table->lanes = lane;
    lane->n_users++;
    return lane;
}

void pace_lane_put(PaceLane *lane) {
    lane->n_users--;
}

void pace_table_done(PaceTable *table) {
    while (table->lanes) {
        PaceLane *lane = table->lanes;

        table->lanes = lane->next;
        free(lane);
    }
    table->n = 0;
}
