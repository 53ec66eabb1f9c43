/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who is due when, and in which order. Pure: times and randomness are arguments. All times are monotonic
 * microseconds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/model.h"

/* The longest wait between polls at a target that does not answer. */
#define SCHEDULE_BACKOFF_MAX_USEC (60ULL * 1000000)
/* A region that is not enabled is asked again daily, once it has said so a few times, or AWS says that it is
 * off: one answer alone may be wrong. */
#define SCHEDULE_NOT_ENABLED_SURE 3U
#define SCHEDULE_NOT_ENABLED_USEC (24ULL * 3600 * 1000000)
/* A region where no trail lives: ten times the settings interval, at most every ten minutes. */
#define SCHEDULE_IDLE_MAX_USEC (600ULL * 1000000)

typedef struct Intervals {
    uint64_t poll_usec;
    uint64_t settings_usec;
    unsigned unreachable_after;
} Intervals;

/* Polls are spread over the interval: time has rounds, and every target has its own place in each, which
 * neither a restart nor an outage changes. So the requests to a host come one after another. A round is a
 * fortieth shorter than the interval, so that two polls of a target are never further apart than that,
 * though the loop may be late. */
uint64_t schedule_round_usec(const Intervals *intervals);
/* The place of a target, in 1/2^32 of a round: a hash of its account and region. */
uint32_t schedule_phase(const char *account, const char *region);
/* The round in which now is, and when the turn of a phase comes in a round. */
uint64_t schedule_round(const Intervals *intervals, uint64_t now_usec);
uint64_t schedule_turn(const Intervals *intervals, uint64_t round, uint32_t phase);

/* What the pace of one target depends on. */
typedef struct TargetPace {
    unsigned n_failed; /* polls that failed in a row */
    bool throttled;    /* the last of them because AWS throttled */
    bool not_enabled;
    unsigned n_rejected; /* so many times in a row, since the start */
    bool proven;         /* ... and AWS says that it is off */
    unsigned n_trails;   /* that live there and are polled */
    uint64_t took_usec;  /* the poll that has just ended */
} TargetPace;

/* Whose status of a target's trails is asked for first. Whoever makes trails by the dozen must not delay the
 * poll of those that people care about: what nobody has accepted comes last, what the configuration names
 * first, and among equals what has been guarded longest. */
typedef struct PollRank {
    bool provisional;
    bool named;
    uint64_t first_seen_usec; /* real; 0: not yet */
} PollRank;

/* Below, at or above 0, as qsort wants it. */
int schedule_compare_ranks(const PollRank *a, const PollRank *b);

/* Of n_provisional trails so many have their turn in each poll beside n_others: all, as long as that takes
 * half of the reads that an interval lets through, else a tenth of these, and one at least. */
unsigned schedule_provisional(const Intervals *intervals, unsigned n_others, unsigned n_provisional);
/* Has the one at a place among these its turn? `turn` counts the turns that were taken before. */
bool schedule_has_turn(unsigned turn, unsigned n_turns, unsigned n_provisional, unsigned at);

/* How long a poll that has not ended keeps its target from the next one: its interval, or what its reads
 * need. */
uint64_t schedule_poll_usec(const Intervals *intervals, unsigned n_trails);

/* A target that could be polled now. */
typedef struct PollChance {
    bool open;         /* its account can be polled */
    bool region_asked; /* AWS is being asked whether the account has enabled the region */
    bool has_trails;   /* ... live there */
    bool under_way;    /* an earlier poll has not ended ... */
    uint64_t age_usec; /* ... and runs since then */
    unsigned n_failed; /* polls in a row */
    unsigned n_polled; /* trails that a poll asks for */
} PollChance;

/* Is it polled? A further poll beside one that does not end: not of a target that nothing answers, and not
 * before the reads of the earlier one had their time. Nor while AWS is asked whether the account has enabled
 * the region: only where trails live can that answer be too late. */
bool schedule_may_poll(const Intervals *intervals, const PollChance *chance);

/* How long from the end of a poll the target is not to be polled again; 0: it is polled at
 * its next turn. Where polls are stretched that counts from the poll's beginning: its calls were paced
 * already. */
uint64_t schedule_wait(const Intervals *intervals, const TargetPace *pace, uint64_t random);

/* While a trail is contested (guard_is_contested) it is polled this often, and all trails of its account
 * this often, beside their usual polls; both times leave two thirds of the quota for reads to what else is
 * asked. A poll of this kind that fails is followed by the next after a second at the earliest. */
uint64_t schedule_contested_usec(unsigned n_contested);
uint64_t schedule_beside_contested_usec(const Intervals *intervals, unsigned n_trails);
#define SCHEDULE_CONTESTED_TICK_USEC (300 * USEC_PER_MSEC)

/* A poll that has run for age_usec when the next turn comes: are its own reads what takes so long? Then the
 * turn waits for its end, or the last trails would miss it. */
bool schedule_turn_waits(const Intervals *intervals, unsigned n_trails, uint64_t age_usec);

/* Must this target's polls stretch because its reads would exceed what lib/rate_limiter.h lets through? */
bool schedule_is_stretched(const Intervals *intervals, unsigned n_trails);
/* How far apart a target's polls lie: a whole number of poll intervals, for each has its turn. */
uint64_t schedule_interval_usec(const Intervals *intervals, unsigned n_trails);

/* Is one interval longer or shorter than another by a quarter or more? */
bool schedule_differs_much(uint64_t a_usec, uint64_t b_usec);

/* What a target is asked for: a list for the settings, and beside it this. */
typedef struct TargetCalls {
    unsigned n_trails;   /* at every poll a call each */
    unsigned n_settings; /* calls to CloudTrail about the settings of all of them together */
    unsigned n_others;   /* ... and to S3 and KMS */
    bool lists_always;   /* something is missing: a list at every poll */
} TargetCalls;

/* The calls about one trail's settings: selectors and event configuration, and tags and Insights selectors
 * where these are asked for. */
unsigned schedule_settings_calls(bool asks_tags, bool asks_insights);

/* How many calls to AWS that makes in a while in which nothing happens, as they are scheduled and paced. */
uint64_t schedule_count_calls(const Intervals *intervals, const TargetCalls *calls, uint64_t span_usec);

/* Is a poll of settings due in a pass at now? next_usec is what schedule_next_settings said after the last
 * one, 0 never. */
bool schedule_settings_are_due(const Intervals *intervals, uint64_t next_usec, uint64_t now_usec);
uint64_t schedule_next_settings(const Intervals *intervals, uint64_t now_usec, unsigned n_trails);
/* ... and after the first one. At a start all settings are asked for at once; the second time they are
 * spread over the interval by the target's phase, and stay so: the statuses would queue behind a burst of
 * them. */
uint64_t schedule_second_settings(const Intervals *intervals, uint64_t now_usec, unsigned n_trails,
                                  uint32_t phase);

/* What a poll brought of the list of trails. */
typedef enum ListOutcome {
    LIST_NOT_ASKED,
    LIST_FAILED,
    LIST_READ,
} ListOutcome;

/* Is the next list due in an interval? One that fails is asked for at every poll until that is reported, and
 * one that is suspect (it lacks what should be in it) likewise. A poll that did not ask changes nothing: it
 * must not put off the next one. */
bool schedule_list_can_wait(ListOutcome outcome, bool suspect, bool reported);

/* A file that is written whenever something has changed may take a twentieth of the time. Some writing is
 * free after a while of rest, so that what happens in calm times is on the disk at once. paid_usec (mono,
 * 0 before the first) is kept for the file: the time until which its writing is paid for. */
#define SCHEDULE_FILE_PARTS      20U
#define SCHEDULE_FILE_FREE_USEC  (250 * USEC_PER_MSEC) /* of writing */
#define SCHEDULE_FILE_PAUSE_USEC (5 * USEC_PER_SEC)    /* at most */

/* The new paid_usec after a writing that took took_usec and has just ended. */
uint64_t schedule_file_written(uint64_t paid_usec, uint64_t took_usec, uint64_t now_usec);
/* How long it must rest from now on before it is written again. */
uint64_t schedule_file_pause(uint64_t paid_usec, uint64_t now_usec);

/* Where only times have moved on since, as they do at every poll, a file may take a five hundredth of the
 * processor's time: so long after the end of a writing that took cpu_usec, within min_usec and max_usec. */
#define SCHEDULE_FILE_CALM_PARTS 500U
uint64_t schedule_file_calm_pause(uint64_t cpu_usec, uint64_t min_usec, uint64_t max_usec);

/* How long until the organization's accounts are listed again; n_failed: lists in a row. */
uint64_t schedule_list_wait(unsigned n_failed, uint64_t refresh_usec);

/* Weak baselines: so many in an hour are reported one by one, the rest together once no more have come for a
 * while. A first start may find a thousand. */
#define SCHEDULE_WEAK_SINGLY     5U
#define SCHEDULE_WEAK_HOUR_USEC  (3600 * USEC_PER_SEC)
#define SCHEDULE_WEAK_PAUSE_USEC (10 * USEC_PER_SEC)

typedef struct WeakPace {
    unsigned n;          /* in this hour */
    uint64_t since_usec; /* mono; when it began */
} WeakPace;

/* How many checks of settings are under way at once in each of so many regions. */
unsigned schedule_checks_at_once(size_t n_regions);

/* May one more be reported by itself now? Counts it. */
bool schedule_weak_singly(WeakPace *pace, uint64_t now_usec);

/* Trails that nobody has accepted: so many of an account have incidents of their own in an hour. The rest is
 * summed up, at first soon, then at most every five minutes as long as more come or go. */
#define SCHEDULE_UNACCEPTED_SINGLY    3U
#define SCHEDULE_UNACCEPTED_SOON_USEC (5 * USEC_PER_SEC)
#define SCHEDULE_UNACCEPTED_USEC      (300 * USEC_PER_SEC)

typedef struct UnacceptedPace {
    WeakPace singly;
    unsigned n_appeared, n_gone; /* not reported yet */
    uint64_t summed_usec;        /* mono; the last summary; 0: none */
} UnacceptedPace;

/* Is one more to be summed up? */
bool schedule_unaccepted_is_summed_up(const UnacceptedPace *pace, uint64_t now_usec);
/* One has an incident of its own. */
void schedule_unaccepted_reported(UnacceptedPace *pace, uint64_t now_usec);
/* How long until what is not reported yet is to be summed up; UINT64_MAX: there is nothing. */
uint64_t schedule_unaccepted_wait(const UnacceptedPace *pace, uint64_t now_usec);

/* What a pass found, for the heartbeat. */
typedef struct PassCount {
    unsigned n_targets;     /* that are guarded */
    unsigned n_answered;    /* whose last poll was answered */
    unsigned n_unreachable; /* that are reported as unreachable */
} PassCount;

typedef enum PassResult {
    PASS_COMPLETE,    /* all is polled, or it was reported that it is not */
    PASS_INCOMPLETE,  /* something fails, and is not reported yet; or there is nothing to poll yet */
    PASS_UNREACHABLE, /* nothing answers */
} PassResult;

/* A target, as a pass left it. */
typedef struct PassTarget {
    bool not_enabled;
    bool unreachable; /* it, or its account, is reported as that */
    bool polled;      /* since the start */
    unsigned n_failed;
} PassTarget;

void schedule_count_target(PassCount *count, const PassTarget *target);

PassResult schedule_pass_result(const PassCount *count);
