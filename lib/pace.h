/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How fast AWS may be asked: token buckets, one for each credentials, service, region and kind of call. Pure:
 * the time is an argument, any clock that does not go back.
 *
 * The buckets stay below three quarters of what AWS grants an account in a region (AWS CloudTrail User Guide, "Quotas":
 * Get*, Describe* and List* 10 a second, LookupEvents 2, everything else 1), for others share that with us.
 * When AWS throttles all the same, a bucket halves its rate, and wins it back with each call that works. */

#include <stdbool.h>
#include <stdint.h>

/* Which of AWS's quotas a call counts against. */
typedef enum PaceClass {
    PACE_READ,      /* 5 a second, 5 at once */
    PACE_LIST,      /* DescribeTrails: 2 a second, 2 at once; a throttled list slows no status down */
    PACE_LOOKUP,    /* 1 a second */
    PACE_WRITE,     /* 1 in 1.5 seconds */
    PACE_OTHER,     /* services other than CloudTrail, which grant far more: 50 a second, 100 at once */
    _PACE_CLASS_MAX,
} PaceClass;

/* The class of an operation of CloudTrail, by its name as AWS's quota has it: "GetTrailStatus". */
PaceClass pace_class_of(const char *operation);

/* How long n calls of a class take at its full rate; how many it lets through in a while. */
uint64_t pace_span_usec(PaceClass class, uint64_t n_calls);
uint64_t pace_ceiling(PaceClass class, uint64_t span_usec);

/* One bucket. */
typedef struct Pace {
    PaceClass class;
    unsigned share;         /* of the full rate, in 1/PACE_WHOLE */
    unsigned epoch;         /* changes when the rate was cut: turns given out before are void */
    uint64_t next_usec;     /* when the next call's turn would be, were calls never let through in a bunch */
    uint64_t slowed_usec;   /* when the rate was last cut; 0 never */
} Pace;

#define PACE_WHOLE 64U
#define PACE_INIT(class_) ((Pace){ .class = (class_), .share = PACE_WHOLE })

#define PACE_NEVER UINT64_MAX

/* Takes the next turn: how long from now it is, 0 for at once; or PACE_NEVER when that is longer than
 * limit_usec, and then nothing was taken. When epoch has changed by the time the turn comes, it is void: take
 * another. */
uint64_t pace_take(Pace *pace, uint64_t now_usec, uint64_t limit_usec);

/* A turn that is still to come, taken in this epoch, will not be used. */
void pace_give_back(Pace *pace, unsigned epoch);

/* AWS throttled a call that was sent at sent_usec: the rate is halved, down to the class's floor, and nothing
 * is let through for the time of one call. Answers to calls that were under way when that was last done are
 * old news and change nothing. */
void pace_throttled(Pace *pace, uint64_t sent_usec, uint64_t now_usec);

/* A call worked: a sixteenth of the full rate is won back. */
void pace_succeeded(Pace *pace);

/* ---- the buckets of one service in one region ---- */

/* What the calls of one class by one owner have in common. */
typedef struct PaceLane {
    struct PaceLane *next;
    const void *owner;      /* the credentials; compared, never followed */
    unsigned n_users;
    Pace pace;
    bool doubtful;          /* the last request that was sent in time to be answered was not */
    bool down;              /* the last call got no answer in all its attempts: for whoever keeps a circuit */
} PaceLane;

/* More than this are kept only while they are in use; the least recently used goes first. */
#define PACE_LANES_MAX 1024U

typedef struct PaceTable {
    PaceLane *lanes;        /* the last used first */
    unsigned n;
} PaceTable;

/* The lane of (owner, class), made when it is not there; pace_lane_put ends its use. NULL when out of
 * memory. */
PaceLane *pace_lane_get(PaceTable *table, const void *owner, PaceClass class);
void pace_lane_put(PaceLane *lane);

/* Frees all lanes; none may be in use. */
void pace_table_done(PaceTable *table);
