/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Decides what is due when, and in which order. Pure: times and randomness are arguments. All times are
 * monotonic microseconds. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/model.h"

/* The longest pause between polls of a target that does not answer. */
#define SCHEDULE_BACKOFF_MAX_USEC (60ULL * 1000000)
/* A region that is not enabled is polled daily, once it has answered so a few times or AWS's status says so:
 * a single answer may be wrong. */
#define SCHEDULE_NOT_ENABLED_SURE 3U
#define SCHEDULE_NOT_ENABLED_USEC (24ULL * 3600 * 1000000)
/* A region where no trail lives is polled at ten times the settings interval, but at least every ten
 * minutes. */
#define SCHEDULE_IDLE_MAX_USEC (600ULL * 1000000)

typedef struct Intervals {
    uint64_t poll_usec;
    uint64_t settings_usec;
    unsigned unreachable_after;
} Intervals;

/* True after so many failed polls in a row that the target counts as unreachable. From then on a poll is a
 * single call, and nothing waits for it. */
bool schedule_is_given_up(const Intervals *intervals, unsigned n_failed);

/* Polls are spread over the interval: time is divided into rounds, and every target has a fixed place in
 * each round, unaffected by restarts and outages. So the requests to a host do not come all at once. A round
 * is a fortieth shorter than the interval, so that two polls of a target are never further apart than the
 * interval even if the loop is a little late. */
uint64_t schedule_round_usec(const Intervals *intervals);
/* The place of a target, in 1/2^32 of a round: a hash of account and region. */
uint32_t schedule_phase(const char *account, const char *region);
/* The round at a time, and the time at which the turn of a phase comes in a round. */
uint64_t schedule_round(const Intervals *intervals, uint64_t now_usec);
uint64_t schedule_turn(const Intervals *intervals, uint64_t round, uint32_t phase);

/* What determines when a target is polled again. */
typedef struct TargetPace {
    unsigned n_failed; /* failed polls in a row */
    bool throttled;    /* AWS throttled the last of them */
    bool not_enabled;
    unsigned n_rejected; /* that many rejections in a row since the start */
    bool proven;         /* ... and AWS's status says that the region is disabled */
    unsigned n_trails;   /* that live there and are polled */
    uint64_t took_usec;  /* the duration of the poll that has just ended */
} TargetPace;

/* Rank of a trail within the poll of its target: named trails first, unaccepted ones last, among equals the
 * one that has been guarded longest. So an attacker who creates many trails does not delay the polls of
 * those that matter. */
typedef struct PollRank {
    bool provisional;
    bool named;
    uint64_t first_seen_usec; /* real; 0: not yet */
} PollRank;

/* Negative, 0 or positive, for qsort. */
int schedule_compare_ranks(const PollRank *a, const PollRank *b);

/* How many of n_provisional trails each poll includes besides n_others: all, as long as the reads need at
 * most half of what an interval allows; otherwise a tenth of that, at least one. */
unsigned schedule_provisional(const Intervals *intervals, unsigned n_others, unsigned n_provisional);
/* True if the trail at this index is included. `turn` counts the earlier inclusions. */
bool schedule_has_turn(unsigned turn, unsigned n_turns, unsigned n_provisional, unsigned at);

/* How long an unfinished poll blocks the next one of its target: its interval, or the time that its reads
 * need. */
uint64_t schedule_poll_usec(const Intervals *intervals, unsigned n_trails);

/* A target whose poll is considered. */
typedef struct PollChance {
    bool open;         /* its account can be polled */
    bool region_asked; /* AWS was asked whether the account has enabled the region, and has not answered */
    bool has_trails;   /* ... live there */
    bool under_way;    /* an earlier poll has not ended ... */
    uint64_t age_usec; /* ... and began this long ago */
    unsigned n_failed; /* failed polls in a row */
    unsigned n_polled; /* trails that a poll includes */
} PollChance;

/* True if the target is polled. A second poll beside an unfinished one begins only if the target counts as
 * reachable and the reads of the first have had their time. While AWS is asked whether the region is
 * enabled, only a region with trails is polled, because there the answer may come too late. */
bool schedule_may_poll(const Intervals *intervals, const PollChance *chance);

/* The pause between the end of a poll and the next; 0: until its next turn. For stretched polls it counts
 * from the beginning of the poll, whose calls were paced already. */
uint64_t schedule_wait(const Intervals *intervals, const TargetPace *pace, uint64_t random);

/* ---- beside the rounds ---- */

/* While a trail is contested (guard_is_contested), it is polled often, and so are all trails of its account,
 * besides their usual polls. Both leave two thirds of the quota of reads to other calls. */
#define SCHEDULE_CONTESTED_TICK_USEC (300 * USEC_PER_MSEC)
/* Within that time the accounts take turns, in this many groups: if all trails of an organization are
 * stopped, their polls do not come all at once, and no restart waits behind them. At least 1. */
#define SCHEDULE_CONTESTED_PARTS_MAX 16U
unsigned schedule_contested_parts(size_t n_accounts);

/* The shortest pause after a failed poll of this kind. */
#define SCHEDULE_BESIDE_RETRY_USEC USEC_PER_SEC

/* A target in an account with a contested trail. */
typedef struct BesideTarget {
    bool open;            /* its account can be polled */
    unsigned n_failed;    /* failed polls in a row */
    unsigned n_contested; /* of its existing, accepted trails ... */
    unsigned n_others;    /* ... and the others of these */
    uint64_t contested_due_usec, beside_due_usec; /* of each; postponed when its polls begin */
} BesideTarget;

typedef struct BesideTurn {
    bool contested, others; /* polls of these trails begin */
} BesideTurn;

BesideTurn schedule_beside(const Intervals *intervals, BesideTarget *target, uint64_t now_usec);

/* ---- the turn of a target ---- */

typedef struct TurnTarget {
    bool start_waits;  /* its poll begins as soon as others have ended */
    bool under_way;    /* a poll has not ended ... */
    uint64_t age_usec; /* ... and began this long ago */
    unsigned n_polled; /* trails that a poll includes */
    uint64_t due_usec; /* not polled earlier */
} TurnTarget;

typedef enum Turn {
    TURN_PASSES, /* skipped */
    TURN_WAITS, /* the present poll is slow because of its own reads, and its last trails would miss the
                   turn: it is taken when they have ended */
    TURN_POLLS,
} Turn;

Turn schedule_turn_means(const Intervals *intervals, const TurnTarget *target, uint64_t now_usec);
/* True if its turn at turn_usec will do nothing. It is taken together with another, and causes no
 * wake-up. */
bool schedule_turn_is_idle(const TurnTarget *target, uint64_t turn_usec);

/* True if a whole round was missed, for instance because the machine was suspended. Then all targets are
 * polled at once. turned_usec: turns up to this time are done. */
bool schedule_round_was_missed(const Intervals *intervals, uint64_t turned_usec, uint64_t now_usec);

/* ---- what a poll includes, and what waits for it ---- */

/* Why a poll begins. */
typedef enum PollOccasion {
    POLL_OF_ROUND,     /* its target's turn, or there are new trails */
    POLL_BESIDE_ROUND, /* its account has contested trails ... */
    POLL_OF_CONTESTED, /* ... and only these are polled */
} PollOccasion;

/* A trail that lives in the target. */
typedef struct PolledTrail {
    bool acted_on; /* its action reads it back by itself */
    bool asked;    /* an earlier poll waits for its status */
    bool missing, provisional, contested;
} PolledTrail;

/* True if the poll includes its status. Polls beside the rounds include only existing, accepted trails. */
bool schedule_asks_status(PollOccasion occasion, const PolledTrail *trail);

/* The list of a target's trails. */
typedef struct ListChance {
    bool asked;        /* an earlier poll waits for it */
    unsigned n_trails; /* that live there */
    unsigned n_failed; /* failed polls in a row */
    uint64_t due_usec; /* from schedule_list_due; 0: not read yet */
} ListChance;

/* True if the poll reads the list, for the settings. */
bool schedule_asks_list(const Intervals *intervals, const ListChance *chance, uint64_t now_usec);

/* True if a poll with so many statuses, and with the list or not, has any call to make. */
bool schedule_poll_asks(size_t n_statuses, bool list, bool configured, size_t n_trails);

/* True if the pass waits for a call or poll that belongs to it. Not if the target is already unreachable,
 * because that could take for ever. once: `check`, which has only one pass. */
bool schedule_pass_waits(const Intervals *intervals, bool of_pass, unsigned n_failed, bool once);

/* What `check`, which makes one pass, may still wait for. */
typedef struct CheckWork {
    bool pass_open;
    uint64_t n_passes;          /* that have ended */
    size_t n_polling, n_beside; /* polls; checks of settings and buckets */
    size_t n_acting;            /* actions */
    bool due;                   /* something runs in the next turn of the loop */
    bool identities_known;      /* GetCallerIdentity was answered or failed in all accounts */
    bool channels;              /* channels are being checked */
} CheckWork;

bool schedule_check_is_busy(const CheckWork *work);

/* Requests that wait for a connection use memory. So only this many polls begin at a time, and the next ones
 * when these end. Polls that take over a second (n_slow) do not count. */
#define SCHEDULE_SLOW_POLL_USEC USEC_PER_SEC
bool schedule_has_room(size_t n_polls, size_t n_slow, unsigned max_connections);

/* ---- the state and runtime directories ---- */

/* The state of a directory in use. */
typedef enum DirectoryFound {
    DIRECTORY_KEPT,
    DIRECTORY_RENEWED, /* it was removed or replaced; it was created again and locked */
    DIRECTORY_TAKEN,   /* another daemon has locked the one that is there now */
    DIRECTORY_REFUSED, /* it cannot be created again or locked */
} DirectoryFound;

typedef enum DirectoryStep {
    DIRECTORY_GOES_ON, /* no change, or a failure that is reported and retried */
    DIRECTORY_WAITS,
    DIRECTORY_WRITES, /* write everything again */
    DIRECTORY_STOPS,  /* another daemon guards */
} DirectoryStep;

/* Another daemon that fails to start holds a lock for a moment: it guards if it holds it so many times in a
 * row. n_taken: the number of times so far. */
#define SCHEDULE_TAKEN_MAX 3U
DirectoryStep schedule_directory(DirectoryFound found, unsigned *n_taken);

/* ---- the watchdog ---- */

/* Something this much past its deadline means that the daemon hangs, and not AWS: the watchdog is no longer
 * fed. */
#define SCHEDULE_WEDGED_USEC (30 * USEC_PER_SEC)
bool schedule_is_wedged(uint64_t by_usec, uint64_t now_usec);

/* ---- stretched polls ---- */

/* True if the reads of the target's trails need longer than an interval at the rate that lib/rate_limiter.h
 * allows. */
bool schedule_is_stretched(const Intervals *intervals, unsigned n_trails);
/* The interval between polls of the target: a whole number of poll intervals. */
uint64_t schedule_interval_usec(const Intervals *intervals, unsigned n_trails);

/* What the journal says about that. The number of trails changes gradually, so only a considerable change is
 * logged again. */
typedef enum StretchNews {
    STRETCH_IS_KNOWN, /* or there is nothing to log */
    STRETCH_IS_NEWS,
    STRETCH_HAS_ENDED,
} StretchNews;

/* said_usec: the interval that was logged last; 0: none. */
StretchNews schedule_stretch_news(const Intervals *intervals, unsigned n_trails, uint64_t said_usec);

/* The calls to a target: a list for the settings, and these. */
typedef struct TargetCalls {
    unsigned n_trails;   /* one call each at every poll */
    unsigned n_settings; /* calls to CloudTrail for the settings of all trails */
    unsigned n_others;   /* ... and to S3 and KMS */
    bool lists_always;   /* a trail is missing: a list at every poll */
} TargetCalls;

/* The calls for one trail's settings: selectors and event configuration, and, if wanted, tags and Insights
 * selectors. */
unsigned schedule_settings_calls(bool asks_tags, bool asks_insights);

/* The number of calls in a time without incidents, as scheduled and rate-limited. */
uint64_t schedule_count_calls(const Intervals *intervals, const TargetCalls *calls, uint64_t span_usec);

/* True if a poll that begins now reads the list. next_usec: from schedule_list_due, 0 if there was none. */
bool schedule_settings_are_due(const Intervals *intervals, uint64_t next_usec, uint64_t now_usec);

/* How a poll's list of trails turned out. */
typedef enum ListOutcome {
    LIST_NOT_ASKED,
    LIST_FAILED,
    LIST_READ,
} ListOutcome;

typedef struct ListPace {
    ListOutcome outcome;
    bool suspect;      /* something that should be in it is not */
    bool reported;     /* that lists fail */
    unsigned n_trails; /* that live there */
    bool has_phase;
    uint32_t phase;
    uint64_t due_usec; /* the previous value; 0: before the first */
} ListPace;

/* When the next list is due: after an interval. A failed one is repeated at every poll until the failure is
 * reported, and so is a suspect one. A poll without the list changes nothing, or it would postpone the list.
 * At the start all lists are due at once; the second time they are spread over the interval by the target's
 * phase, and stay so, because statuses would queue behind a burst of them. */
uint64_t schedule_list_due(const Intervals *intervals, const ListPace *pace, uint64_t now_usec);

/* A file that is written at every change may use a twentieth of the time. After a rest some writing is free,
 * so that rare changes are on disk at once. paid_usec (mono, 0 at first) belongs to the file: its writes are
 * paid for until then. */
#define SCHEDULE_FILE_PARTS      20U
#define SCHEDULE_FILE_FREE_USEC  (250 * USEC_PER_MSEC) /* of writing */
#define SCHEDULE_FILE_PAUSE_USEC (5 * USEC_PER_SEC)    /* at most */

/* The new paid_usec after a write that has just ended and took took_usec. */
uint64_t schedule_file_written(uint64_t paid_usec, uint64_t took_usec, uint64_t now_usec);
/* The pause before the file may be written again. */
uint64_t schedule_file_pause(uint64_t paid_usec, uint64_t now_usec);

/* Where only times changed, as at every poll, a file may use a five hundredth of the processor: the next
 * write is due this long after one that took cpu_usec, between min_usec and max_usec. */
#define SCHEDULE_FILE_CALM_PARTS 500U
uint64_t schedule_file_calm_pause(uint64_t cpu_usec, uint64_t min_usec, uint64_t max_usec);
/* Such a write causes no wake-up. From due_usec on, the next poll does it; without a poll it is done after
 * the slack. Returns 0 for now, otherwise how long from now. */
#define SCHEDULE_FILE_SLACK_USEC (10 * USEC_PER_SEC)
uint64_t schedule_file_calm_wait(uint64_t due_usec, uint64_t now_usec);

/* The pause before the organization's accounts are listed again; n_failed: failed lists in a row. */
uint64_t schedule_list_wait(unsigned n_failed, uint64_t refresh_usec);

/* Weak baselines: so many in an hour are reported one by one, the others together once no more have come for
 * a while. A first start may find a thousand. */
#define SCHEDULE_WEAK_SINGLY     5U
#define SCHEDULE_WEAK_HOUR_USEC  (3600 * USEC_PER_SEC)
#define SCHEDULE_WEAK_PAUSE_USEC (10 * USEC_PER_SEC)

typedef struct WeakPace {
    unsigned n;          /* in this hour */
    uint64_t since_usec; /* mono; when it began */
} WeakPace;

/* How many checks of settings run at once in each of n_regions regions. */
unsigned schedule_checks_at_once(size_t n_regions);

/* True if one more is reported by itself. Counts it. */
bool schedule_weak_singly(WeakPace *pace, uint64_t now_usec);

/* Unaccepted trails: so many of an account get incidents of their own in an hour. The others are summed up:
 * the first summary comes soon, further ones at most every five minutes while trails come or go. */
#define SCHEDULE_UNACCEPTED_SINGLY    3U
#define SCHEDULE_UNACCEPTED_SOON_USEC (5 * USEC_PER_SEC)
#define SCHEDULE_UNACCEPTED_USEC      (300 * USEC_PER_SEC)

typedef struct UnacceptedPace {
    WeakPace singly;
    unsigned n_appeared, n_gone; /* not reported yet */
    uint64_t since_usec;         /* real; when the first of them was counted: the summary's mark; 0: none */
    uint64_t summed_usec;        /* mono; the last summary; 0: none */
} UnacceptedPace;

/* True if one more is to be summed up. */
bool schedule_unaccepted_is_summed_up(const UnacceptedPace *pace, uint64_t now_usec);
/* Counts one that has an incident of its own. */
void schedule_unaccepted_reported(UnacceptedPace *pace, uint64_t now_usec);
/* Counts one more that appeared (counted: it was already, or was reported) or is gone. True if the summary
 * names it. It names one that is gone, because its appearance may have been reported before. */
bool schedule_unaccepted_count(UnacceptedPace *pace, bool counted, bool gone);
/* Starts over after a summary. */
void schedule_unaccepted_summed_up(UnacceptedPace *pace, uint64_t now_usec);
/* The time until the next summary; UINT64_MAX if there is nothing to report. */
uint64_t schedule_unaccepted_wait(const UnacceptedPace *pace, uint64_t now_usec);

/* True if the state file does not have a time yet that AWS gave or the guard took. A saved time after now
 * was written before the clock was set back. */
bool schedule_mark_is_unsaved(uint64_t taken_usec, uint64_t saved_usec, uint64_t now_usec);

/* How many reads of a trail a check still has to make: its status and its settings. */
unsigned schedule_reads_left(bool polled, bool checked);

/* The result of a pass, for the heartbeat. */
typedef struct PassCount {
    unsigned n_targets;     /* that are guarded */
    unsigned n_answered;    /* whose last poll was answered */
    unsigned n_unreachable; /* that are reported as unreachable */
} PassCount;

typedef enum PassResult {
    PASS_COMPLETE,    /* every target was polled, or is reported as unreachable */
    PASS_INCOMPLETE,  /* a failure is not reported yet, or there is nothing to poll yet */
    PASS_UNREACHABLE, /* nothing answers */
} PassResult;

/* A target at the end of a pass. */
typedef struct PassTarget {
    bool not_enabled;
    bool unreachable; /* it or its account is reported as unreachable */
    bool polled;      /* since the start */
    unsigned n_failed;
} PassTarget;

void schedule_count_target(PassCount *count, const PassTarget *target);

PassResult schedule_pass_result(const PassCount *count);
