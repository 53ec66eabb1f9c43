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

/* Have so many polls of a target failed in a row that it counts as unreachable? From then on one call probes
 * whether it answers again, and nothing waits for it. */
bool schedule_is_given_up(const Intervals *intervals, unsigned n_failed);

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

/* ---- beside the rounds ---- */

/* While a trail is contested (guard_is_contested) it is polled often, and all trails of its account are,
 * beside their usual polls; both leave two thirds of the quota for reads to what else is asked. */
#define SCHEDULE_CONTESTED_TICK_USEC (300 * USEC_PER_MSEC)
/* The accounts take turns within that time, in so many parts: when all trails of an organization are
 * stopped, their polls do not come at once, and no restart waits behind them. At least 1. */
#define SCHEDULE_CONTESTED_PARTS_MAX 16U
unsigned schedule_contested_parts(size_t n_accounts);

/* A poll of this kind that fails is followed by the next at the earliest after this. */
#define SCHEDULE_BESIDE_RETRY_USEC USEC_PER_SEC

/* A target of such an account. */
typedef struct BesideTarget {
    bool open;            /* its account can be polled */
    unsigned n_failed;    /* polls in a row */
    unsigned n_contested; /* of its trails that are there, and that somebody has accepted ... */
    unsigned n_others;    /* ... and the rest of these */
    uint64_t contested_due_usec, beside_due_usec; /* of either; what begins is put off */
} BesideTarget;

typedef struct BesideTurn {
    bool contested, others; /* polls of these begin */
} BesideTurn;

BesideTurn schedule_beside(const Intervals *intervals, BesideTarget *target, uint64_t now_usec);

/* ---- the turn of a target ---- */

typedef struct TurnTarget {
    bool start_waits;  /* its poll begins as soon as others have ended */
    bool under_way;    /* a poll has not ended ... */
    uint64_t age_usec; /* ... and runs since then */
    unsigned n_polled; /* trails that a poll asks for */
    uint64_t due_usec; /* not polled before */
} TurnTarget;

typedef enum Turn {
    TURN_PASSES, /* without a poll */
    TURN_WAITS, /* its own reads are what takes so long, and the last trails would miss the turn: it is taken
                   when they have ended */
    TURN_POLLS,
} Turn;

Turn schedule_turn_means(const Intervals *intervals, const TurnTarget *target, uint64_t now_usec);
/* Nothing will come of its turn at turn_usec: it is taken with another, and wakes nobody. */
bool schedule_turn_is_idle(const TurnTarget *target, uint64_t turn_usec);

/* Was a whole round of turns missed, because the machine was suspended for instance? Then all targets are
 * polled at once. turned_usec: turns up to that were taken. */
bool schedule_round_was_missed(const Intervals *intervals, uint64_t turned_usec, uint64_t now_usec);

/* ---- what a poll asks, and what waits for it ---- */

/* Why a poll begins. */
typedef enum PollOccasion {
    POLL_OF_ROUND,     /* its target's turn, or trails are new */
    POLL_BESIDE_ROUND, /* trails of its account are contested ... */
    POLL_OF_CONTESTED, /* ... and it asks for these only */
} PollOccasion;

/* A trail that lives in the target. */
typedef struct PolledTrail {
    bool acted_on; /* the action reads it back by itself */
    bool asked;    /* an earlier poll waits for its status */
    bool missing, provisional, contested;
} PolledTrail;

/* Is its status asked for? Beside the rounds only of those that somebody has accepted, and that are there.
 */
bool schedule_asks_status(PollOccasion occasion, const PolledTrail *trail);

/* The list of a target's trails. */
typedef struct ListChance {
    bool asked;        /* an earlier poll waits for it */
    unsigned n_trails; /* that live there */
    unsigned n_failed; /* polls in a row */
    uint64_t due_usec; /* as schedule_list_due says; 0: was not read yet */
} ListChance;

/* Does a poll ask for it, for the settings? */
bool schedule_asks_list(const Intervals *intervals, const ListChance *chance, uint64_t now_usec);

/* Has a poll with so many statuses, and the list or not, anything to ask? */
bool schedule_poll_asks(size_t n_statuses, bool list, bool configured, size_t n_trails);

/* Does the pass that a call or poll belongs to wait for it? Not for what is unreachable already: it could
 * wait for ever. once: a check, which has no other pass. */
bool schedule_pass_waits(const Intervals *intervals, bool of_pass, unsigned n_failed, bool once);

/* What waits for a connection is in memory: so many polls begin at a time, the next ones as these end. What
 * does not answer within a second (n_slow of the polls) holds up nothing. */
#define SCHEDULE_SLOW_POLL_USEC USEC_PER_SEC
bool schedule_has_room(size_t n_polls, size_t n_slow, unsigned max_connections);

/* ---- what is wedged ---- */

/* What is later than its deadline by this much means that we are wedged, and not AWS: the watchdog gets no
 * sign of life. */
#define SCHEDULE_WEDGED_USEC (30 * USEC_PER_SEC)
bool schedule_is_wedged(uint64_t by_usec, uint64_t now_usec);

/* ---- how many trails a target's polls bear ---- */

/* Must this target's polls stretch because its reads would exceed what lib/rate_limiter.h lets through? */
bool schedule_is_stretched(const Intervals *intervals, unsigned n_trails);
/* How far apart a target's polls lie: a whole number of poll intervals, for each has its turn. */
uint64_t schedule_interval_usec(const Intervals *intervals, unsigned n_trails);

/* What the journal says of that. Trails come one by one: only what makes a difference to people is said
 * again. */
typedef enum StretchNews {
    STRETCH_IS_KNOWN, /* or there is nothing to say */
    STRETCH_IS_NEWS,
    STRETCH_HAS_ENDED,
} StretchNews;

/* said_usec: the interval that was said last; 0: none. */
StretchNews schedule_stretch_news(const Intervals *intervals, unsigned n_trails, uint64_t said_usec);

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

/* Is a list due in a poll that begins now? next_usec is what schedule_list_due said, 0 never. */
bool schedule_settings_are_due(const Intervals *intervals, uint64_t next_usec, uint64_t now_usec);

/* What a poll brought of the list of trails. */
typedef enum ListOutcome {
    LIST_NOT_ASKED,
    LIST_FAILED,
    LIST_READ,
} ListOutcome;

typedef struct ListPace {
    ListOutcome outcome;
    bool suspect;      /* it lacks what should be in it */
    bool reported;     /* that lists fail */
    unsigned n_trails; /* that live there */
    bool has_phase;
    uint32_t phase;
    uint64_t due_usec; /* as it was; 0: before the first */
} ListPace;

/* When the next list is due: in an interval. One that fails is asked for at every poll until that is
 * reported, and one that is suspect likewise. A poll that did not ask changes nothing: it must not put off
 * the next one. At a start all lists are asked for at once; the second time they are spread over the
 * interval by the target's phase, and stay so: the statuses would queue behind a burst of them. */
uint64_t schedule_list_due(const Intervals *intervals, const ListPace *pace, uint64_t now_usec);

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
/* And when that is: nothing is woken for it. From due_usec on the next poll writes it along, which asks here
 * again; so much later it is written without one. 0: now, otherwise how long from now. */
#define SCHEDULE_FILE_SLACK_USEC (10 * USEC_PER_SEC)
uint64_t schedule_file_calm_wait(uint64_t due_usec, uint64_t now_usec);

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
    uint64_t since_usec;         /* real; when the first of them was counted: the summary's mark; 0: none */
    uint64_t summed_usec;        /* mono; the last summary; 0: none */
} UnacceptedPace;

/* Is one more to be summed up? */
bool schedule_unaccepted_is_summed_up(const UnacceptedPace *pace, uint64_t now_usec);
/* One has an incident of its own. */
void schedule_unaccepted_reported(UnacceptedPace *pace, uint64_t now_usec);
/* One more appeared (counted: it was already, or it was reported), or is gone. Is it named? One that is gone
 * is: that it appeared may have been reported before. */
bool schedule_unaccepted_count(UnacceptedPace *pace, bool counted, bool gone);
/* How long until what is not reported yet is to be summed up; UINT64_MAX: there is nothing. */
uint64_t schedule_unaccepted_wait(const UnacceptedPace *pace, uint64_t now_usec);

/* Is a time that AWS gave, or that was taken, not in the state file yet? What is newer than now was written
 * before the clock was set back. */
bool schedule_mark_is_unsaved(uint64_t taken_usec, uint64_t saved_usec, uint64_t now_usec);

/* How many reads of a trail are still to come in a check: its status, and those about its settings. */
unsigned schedule_reads_left(bool polled, bool checked);

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
