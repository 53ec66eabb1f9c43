/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/schedule.h"

#include "lib/rate_limiter.h"
#include "lib/util/macros.h"

#define LIST_RETRY_MIN_USEC (15 * USEC_PER_SEC)
#define LIST_RETRY_MAX_USEC (300 * USEC_PER_SEC)

/* x minus up to x / parts. */
static uint64_t jitter_down(uint64_t x, unsigned parts, uint64_t random) {
    uint64_t span = x / parts;

    return x - (span != 0 ? random % (span + 1) : 0);
}

uint64_t schedule_round_usec(const Intervals *intervals) {
    return intervals->poll_usec - intervals->poll_usec / 40;
}

/* FNV-1a, then MurmurHash3's finalizer, because FNV-1a's last bytes have not reached the high bits. */
static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
    return (hash ^ 0xff) * 0x100000001b3ULL; /* a byte that no text contains, so that "a" "bc" differs from
                                                "ab" "c" */
}

uint32_t schedule_phase(const char *account, const char *region) {
    uint64_t hash = hash_text(hash_text(0xcbf29ce484222325ULL, account), region);

    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdULL;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53ULL;
    return (uint32_t)((hash ^ hash >> 33) >> 32);
}

uint64_t schedule_round(const Intervals *intervals, uint64_t now_usec) {
    return now_usec / schedule_round_usec(intervals);
}

uint64_t schedule_turn(const Intervals *intervals, uint64_t round, uint32_t phase) {
    uint64_t usec = schedule_round_usec(intervals);

    return round * usec + (usec / 65536 * phase + usec % 65536 * phase / 65536) / 65536;
}

/* Doubles from one interval, but only once the target counts as unreachable: until then nothing delays
 * finding that out. Throttling gets a shorter pause: an attacker who uses up the account's quota must not
 * gain a minute without polls. */
static uint64_t backoff_usec(const Intervals *intervals, const TargetPace *pace) {
    unsigned doublings = MIN(pace->n_failed - intervals->unreachable_after + 1, 12U);
    uint64_t max = pace->throttled ? 2 * intervals->poll_usec : SCHEDULE_BACKOFF_MAX_USEC;
    uint64_t wait = intervals->poll_usec << doublings;

    if (intervals->poll_usec >= SCHEDULE_BACKOFF_MAX_USEC)
        return 0; /* polls are rarer than that anyway */
    max = MIN(max, SCHEDULE_BACKOFF_MAX_USEC);
    return MIN(wait, max);
}

int schedule_compare_ranks(const PollRank *a, const PollRank *b) {
    if (a->provisional != b->provisional)
        return a->provisional - b->provisional;
    if (a->named != b->named)
        return b->named - a->named;
    /* 0, not yet, comes last */
    return (a->first_seen_usec - 1 > b->first_seen_usec - 1) -
           (a->first_seen_usec - 1 < b->first_seen_usec - 1);
}

unsigned schedule_provisional(const Intervals *intervals, unsigned n_others, unsigned n_provisional) {
    uint64_t n_reads = rate_ceiling(RATE_READ, intervals->poll_usec);

    if (n_others + n_provisional <= n_reads / 2)
        return n_provisional;
    return MIN(n_provisional, (unsigned)MAX(n_reads / 10, 1U));
}

bool schedule_has_turn(unsigned turn, unsigned n_turns, unsigned n_provisional, unsigned at) {
    return n_provisional != 0 && (at + n_provisional - turn % n_provisional) % n_provisional < n_turns;
}

static uint64_t reads_usec(unsigned n_trails) {
    return rate_span_usec(RATE_READ, n_trails);
}

bool schedule_is_stretched(const Intervals *intervals, unsigned n_trails) {
    return reads_usec(n_trails) > intervals->poll_usec;
}

uint64_t schedule_interval_usec(const Intervals *intervals, unsigned n_trails) {
    uint64_t poll = intervals->poll_usec;

    return MAX(poll, (reads_usec(n_trails) + poll - 1) / poll * poll);
}

/* True if they differ by a quarter or more. */
static bool differ_much(uint64_t a_usec, uint64_t b_usec) {
    return 4 * MAX(a_usec, b_usec) >= 5 * MIN(a_usec, b_usec);
}

StretchNews schedule_stretch_news(const Intervals *intervals, unsigned n_trails, uint64_t said_usec) {
    if (!schedule_is_stretched(intervals, n_trails))
        return said_usec != 0 ? STRETCH_HAS_ENDED : STRETCH_IS_KNOWN;
    return said_usec == 0 || differ_much(said_usec, schedule_interval_usec(intervals, n_trails))
                   ? STRETCH_IS_NEWS
                   : STRETCH_IS_KNOWN;
}

/* ---- beside the rounds ---- */

/* The contested trails of a target get three of the five reads a second that lib/rate_limiter.h allows, so
 * that checks of settings do not delay them. All trails of the target together get one. */
BesideTurn schedule_beside(const Intervals *intervals, BesideTarget *target, uint64_t now_usec) {
    unsigned n_trails = target->n_contested + target->n_others;
    BesideTurn turn = { 0 };

    if (n_trails == 0 || !target->open || schedule_is_given_up(intervals, target->n_failed))
        return turn;
    turn.contested = target->n_contested > 0 && now_usec >= target->contested_due_usec;
    turn.others = target->n_others > 0 && now_usec >= target->beside_due_usec;
    if (turn.contested)
        target->contested_due_usec = now_usec + target->n_contested * SCHEDULE_CONTESTED_TICK_USEC;
    if (turn.others)
        target->beside_due_usec =
                now_usec + MIN(n_trails * USEC_PER_SEC, schedule_interval_usec(intervals, n_trails));
    return turn;
}

unsigned schedule_contested_parts(size_t n_accounts) {
    return (unsigned)MAX(MIN(n_accounts, SCHEDULE_CONTESTED_PARTS_MAX), 1U);
}

/* ---- turns ---- */

static bool turn_waits(const Intervals *intervals, const TurnTarget *target) {
    uint64_t usec = reads_usec(target->n_polled);

    return target->under_way && usec > intervals->poll_usec / 4 * 3 && target->age_usec < usec * 3 / 2;
}

Turn schedule_turn_means(const Intervals *intervals, const TurnTarget *target, uint64_t now_usec) {
    if (turn_waits(intervals, target))
        return TURN_WAITS;
    return !target->start_waits && now_usec >= target->due_usec ? TURN_POLLS : TURN_PASSES;
}

bool schedule_turn_is_idle(const TurnTarget *target, uint64_t turn_usec) {
    return !target->under_way && !target->start_waits && turn_usec < target->due_usec;
}

bool schedule_round_was_missed(const Intervals *intervals, uint64_t turned_usec, uint64_t now_usec) {
    return now_usec >= turned_usec + 2 * schedule_round_usec(intervals);
}

/* ---- what a poll includes, and what waits for it ---- */

bool schedule_is_given_up(const Intervals *intervals, unsigned n_failed) {
    return n_failed >= intervals->unreachable_after;
}

bool schedule_asks_status(PollOccasion occasion, const PolledTrail *trail) {
    if (trail->acted_on || trail->asked)
        return false;
    if (occasion != POLL_OF_ROUND && (trail->missing || trail->provisional))
        return false;
    return occasion != POLL_OF_CONTESTED || trail->contested;
}

/* A failed region whose trails are polled through another account meanwhile has no other call to make. Its
 * back-off limits the lists, not the interval of an empty region. */
bool schedule_asks_list(const Intervals *intervals, const ListChance *chance, uint64_t now_usec) {
    return !chance->asked && ((chance->n_trails == 0 && chance->n_failed > 0) ||
                              schedule_settings_are_due(intervals, chance->due_usec, now_usec));
}

bool schedule_poll_asks(size_t n_statuses, bool list, bool configured, size_t n_trails) {
    return n_statuses > 0 || (list && (configured || n_trails > 0));
}

bool schedule_pass_waits(const Intervals *intervals, bool of_pass, unsigned n_failed, bool once) {
    return once || (of_pass && !schedule_is_given_up(intervals, n_failed));
}

#define STARTS_A_CONNECTION 2U

bool schedule_has_room(size_t n_polls, size_t n_slow, unsigned max_connections) {
    return n_polls - MIN(n_slow, n_polls) < (size_t)STARTS_A_CONNECTION * max_connections;
}

bool schedule_check_is_busy(const CheckWork *work) {
    return work->pass_open || work->n_passes == 0 || work->n_polling > 0 || work->n_beside > 0 ||
           work->n_acting > 0 || work->due || !work->identities_known || work->channels;
}

DirectoryStep schedule_directory(DirectoryFound found, unsigned *n_taken) {
    *n_taken = found == DIRECTORY_TAKEN ? *n_taken + 1 : 0;
    if (*n_taken >= SCHEDULE_TAKEN_MAX)
        return DIRECTORY_STOPS;
    if (found == DIRECTORY_TAKEN)
        return DIRECTORY_WAITS;
    return found == DIRECTORY_RENEWED ? DIRECTORY_WRITES : DIRECTORY_GOES_ON;
}

bool schedule_is_wedged(uint64_t by_usec, uint64_t now_usec) {
    return now_usec > by_usec + SCHEDULE_WEDGED_USEC;
}

/* ---- intervals ---- */

uint64_t schedule_poll_usec(const Intervals *intervals, unsigned n_trails) {
    /* passes can come up to a twentieth early */
    uint64_t poll = intervals->poll_usec - intervals->poll_usec / 16;

    return MAX(poll, reads_usec(n_trails));
}

uint64_t schedule_wait(const Intervals *intervals, const TargetPace *pace, uint64_t random) {
    if (pace->not_enabled)
        return jitter_down(pace->proven || pace->n_rejected >= SCHEDULE_NOT_ENABLED_SURE
                                   ? SCHEDULE_NOT_ENABLED_USEC
                                   : SCHEDULE_IDLE_MAX_USEC,
                           20, random);
    if (schedule_is_given_up(intervals, pace->n_failed))
        return jitter_down(backoff_usec(intervals, pace), 4, random);
    if (schedule_is_stretched(intervals, pace->n_trails) && reads_usec(pace->n_trails) > pace->took_usec)
        return reads_usec(pace->n_trails) - pace->took_usec;
    return 0;
}

bool schedule_may_poll(const Intervals *intervals, const PollChance *chance) {
    if (!chance->open || (chance->region_asked && !chance->has_trails))
        return false;
    return !chance->under_way || (!schedule_is_given_up(intervals, chance->n_failed) &&
                                  chance->age_usec >= schedule_poll_usec(intervals, chance->n_polled));
}

bool schedule_settings_are_due(const Intervals *intervals, uint64_t next_usec, uint64_t now_usec) {
    /* passes do not begin exactly when settings are due: the nearest pass reads them */
    return now_usec + intervals->poll_usec / 2 >= next_usec;
}

static uint64_t list_interval_usec(const Intervals *intervals, unsigned n_trails) {
    uint64_t interval = intervals->settings_usec;

    return n_trails > 0 ? interval : MAX(interval, MIN(10 * interval, SCHEDULE_IDLE_MAX_USEC));
}

/* How much of the interval the phase takes off. */
static uint64_t spread_usec(uint64_t interval_usec, uint32_t phase) {
    uint64_t share = (uint32_t)(phase * 2654435761U); /* scrambled, so that an early turn in the round is not
                                                         early here too */

    return interval_usec / 65536 * (share / 65536);
}

uint64_t schedule_list_due(const Intervals *intervals, const ListPace *pace, uint64_t now_usec) {
    uint64_t interval = list_interval_usec(intervals, pace->n_trails);

    if (pace->outcome == LIST_NOT_ASKED ||
        (!pace->reported && (pace->outcome != LIST_READ || pace->suspect)))
        return pace->due_usec;
    return now_usec + interval -
           (pace->due_usec == 0 && pace->has_phase ? spread_usec(interval, pace->phase) : 0);
}

unsigned schedule_settings_calls(bool asks_tags, bool asks_insights) {
    return 2U + asks_tags + asks_insights;
}

uint64_t schedule_count_calls(const Intervals *intervals, const TargetCalls *calls, uint64_t span_usec) {
    uint64_t poll_usec = schedule_interval_usec(intervals, calls->n_trails);
    uint64_t settings_usec = MAX(list_interval_usec(intervals, calls->n_trails), poll_usec);
    uint64_t lists = span_usec / settings_usec;
    uint64_t reads = calls->n_trails * (span_usec / poll_usec) + calls->n_settings * lists;
    uint64_t others = calls->n_others * lists;

    if (calls->lists_always)
        lists = span_usec / poll_usec;
    /* two lists a second are allowed, and there is at most one per poll */
    return lists + MIN(reads, rate_ceiling(RATE_READ, span_usec)) +
           MIN(others, rate_ceiling(RATE_OTHER, span_usec));
}

#define FREE_USEC (SCHEDULE_FILE_PARTS * SCHEDULE_FILE_FREE_USEC)

uint64_t schedule_file_written(uint64_t paid_usec, uint64_t took_usec, uint64_t now_usec) {
    uint64_t cost = SCHEDULE_FILE_PARTS * MIN(took_usec, SCHEDULE_FILE_PAUSE_USEC);

    return MIN(MAX(paid_usec, now_usec) + cost, now_usec + FREE_USEC + SCHEDULE_FILE_PAUSE_USEC);
}

uint64_t schedule_file_pause(uint64_t paid_usec, uint64_t now_usec) {
    return paid_usec > now_usec + FREE_USEC ? paid_usec - now_usec - FREE_USEC : 0;
}

uint64_t schedule_file_calm_pause(uint64_t cpu_usec, uint64_t min_usec, uint64_t max_usec) {
    return MIN(MAX(SCHEDULE_FILE_CALM_PARTS * MIN(cpu_usec, max_usec), min_usec), max_usec);
}

uint64_t schedule_file_calm_wait(uint64_t due_usec, uint64_t now_usec) {
    return due_usec > now_usec ? due_usec - now_usec + SCHEDULE_FILE_SLACK_USEC : 0;
}

uint64_t schedule_list_wait(unsigned n_failed, uint64_t refresh_usec) {
    if (n_failed == 0)
        return refresh_usec;
    return MIN(MIN(LIST_RETRY_MIN_USEC << MIN(n_failed - 1, 6U), LIST_RETRY_MAX_USEC), refresh_usec);
}

/* A check makes all of its calls at once, about four, and takes 5 kB meanwhile. This many together keep
 * every connection busy; more would only wait in memory. */
#define CHECKS_IN_ALL     64U
#define CHECKS_REGION_MIN 4U
#define CHECKS_REGION_MAX 16U

unsigned schedule_checks_at_once(size_t n_regions) {
    size_t share = CHECKS_IN_ALL / MAX(n_regions, 1U);

    return (unsigned)MIN(MAX(share, CHECKS_REGION_MIN), CHECKS_REGION_MAX);
}

#define READS_A_CHECK 4U /* of settings: selectors, Insights, tags, configuration */

unsigned schedule_reads_left(bool polled, bool checked) {
    return !polled + READS_A_CHECK * (!polled || checked);
}

bool schedule_weak_singly(WeakPace *pace, uint64_t now_usec) {
    if (pace->n == 0 || now_usec - pace->since_usec > SCHEDULE_WEAK_HOUR_USEC)
        *pace = (WeakPace){ .since_usec = now_usec };
    return pace->n++ < SCHEDULE_WEAK_SINGLY;
}

bool schedule_unaccepted_is_summed_up(const UnacceptedPace *pace, uint64_t now_usec) {
    return pace->singly.n >= SCHEDULE_UNACCEPTED_SINGLY &&
           now_usec - pace->singly.since_usec <= SCHEDULE_WEAK_HOUR_USEC;
}

void schedule_unaccepted_reported(UnacceptedPace *pace, uint64_t now_usec) {
    (void)schedule_weak_singly(&pace->singly, now_usec);
}

bool schedule_unaccepted_count(UnacceptedPace *pace, bool counted, bool gone) {
    pace->n_gone += gone;
    pace->n_appeared += !counted;
    return gone || !counted;
}

void schedule_unaccepted_summed_up(UnacceptedPace *pace, uint64_t now_usec) {
    *pace = (UnacceptedPace){ .singly = pace->singly, .summed_usec = now_usec };
}

uint64_t schedule_unaccepted_wait(const UnacceptedPace *pace, uint64_t now_usec) {
    uint64_t due_usec = pace->summed_usec + SCHEDULE_UNACCEPTED_USEC;

    if (pace->n_appeared == 0 && pace->n_gone == 0)
        return UINT64_MAX;
    if (pace->summed_usec == 0 || due_usec < now_usec + SCHEDULE_UNACCEPTED_SOON_USEC)
        return SCHEDULE_UNACCEPTED_SOON_USEC;
    return due_usec - now_usec;
}

bool schedule_mark_is_unsaved(uint64_t taken_usec, uint64_t saved_usec, uint64_t now_usec) {
    return taken_usec >= saved_usec || saved_usec > now_usec;
}

void schedule_count_target(PassCount *count, const PassTarget *target) {
    if (target->not_enabled)
        return;
    count->n_targets++;
    count->n_unreachable += target->unreachable;
    count->n_answered += !target->unreachable && target->polled && target->n_failed == 0;
}

PassResult schedule_pass_result(const PassCount *count) {
    if (count->n_targets == 0)
        return PASS_INCOMPLETE;
    if (count->n_answered == 0)
        return count->n_unreachable == count->n_targets ? PASS_UNREACHABLE : PASS_INCOMPLETE;
    return count->n_answered + count->n_unreachable >= count->n_targets ? PASS_COMPLETE : PASS_INCOMPLETE;
}
