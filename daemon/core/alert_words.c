/* SPDX-License-Identifier: Apache-2.0 */
/* Which way of telling is whose. */
#include "daemon/core/alert_tellings.h"
#include "lib/util/macros.h"

/* Of a target: the guard gives the error along when it is blind, and none when it is about coverage. */
static bool is_blindness(const Event *event) {
    return event->detail[0] != '\0';
}

static bool is_about_list(const Event *event) {
    return event->about & FINDING_BIT(FINDING_LIST_UNREADABLE);
}

const char *alert_target_trouble(const Event *event) {
    if (is_about_list(event))
        return "list";
    return is_blindness(event) ? "blind" : "uncovered";
}

/* Of targets: a whole account has no region. */
static Telling unreachable(const Subject *subject) {
    return subject->region[0] ? TELLING_UNREACHABLE_TARGET : TELLING_UNREACHABLE_ACCOUNT;
}

static Telling still_unreachable(const Subject *subject, const Event *event) {
    if (event->error == POLL_GONE)
        return TELLING_STILL_LEFT;
    return subject->region[0] ? TELLING_STILL_UNREACHABLE_TARGET : TELLING_STILL_UNREACHABLE_ACCOUNT;
}

/* By the worst of what a message is about. */
static Telling by_failing(uint32_t findings, bool again) {
    static const struct {
        Finding finding;
        Telling opened, again;
    } rows[] = {
        { FINDING_STALE, TELLING_STALE, TELLING_STILL_STALE },
        { FINDING_BUCKET, TELLING_BUCKET, TELLING_STILL_BUCKET },
        { FINDING_LIFECYCLE, TELLING_LIFECYCLE, TELLING_STILL_LIFECYCLE },
        { FINDING_KEY, TELLING_KEY, TELLING_STILL_KEY },
    };

    /* an error that a delivery met is worse than any of these */
    if (!(findings & FINDINGS_DELIVERY_ERRORS))
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
            if (findings & FINDING_BIT(rows[i].finding))
                return again ? rows[i].again : rows[i].opened;
    return again ? TELLING_STILL_FAILING : TELLING_FAILING;
}

static Telling still_stopped(const Event *event) {
    if (event->protected)
        return TELLING_STILL_PROTECTED;
    return !event->may_act && event->maintenance && event->mode != MODE_OBSERVE ? TELLING_STILL_STOP_ALLOWED
                                                                                : TELLING_STILL_STOPPED;
}

/* By what is worst. */
static Telling still_so(const Event *event, Telling telling) {
    if (telling == TELLING_STILL_MISSING && event->never_seen)
        return TELLING_STILL_NEVER_FOUND;
    if (telling == TELLING_STILL_FAILING)
        return by_failing(event->findings, true);
    return telling == TELLING_STILL_STOPPED ? still_stopped(event) : telling;
}

/* The troubles that an open incident may have, worst first, and how they are told again. */
static Telling still(const Subject *subject, const Event *event) {
    static const struct {
        uint32_t findings;
        Telling telling;
    } rows[] = {
        { FINDING_BIT(FINDING_MISSING), TELLING_STILL_MISSING },
        { FINDING_BIT(FINDING_STOPPED), TELLING_STILL_STOPPED },
        { FINDINGS_CHANGED, TELLING_STILL_WEAKENED },
        { FINDING_BIT(FINDING_UNMET), TELLING_STILL_UNMET },
        { FINDINGS_FAILING, TELLING_STILL_FAILING },
        { FINDINGS_UNREADABLE, TELLING_STILL_UNREADABLE },
        { FINDING_BIT(FINDING_LIST_UNREADABLE), TELLING_STILL_LIST_UNREADABLE },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (event->findings & rows[i].findings)
            return still_so(event, rows[i].telling);
    if (subject->name[0])
        return TELLING_STILL_UNREACHABLE_TRAIL;
    return is_blindness(event) ? still_unreachable(subject, event) : TELLING_STILL_UNCOVERED;
}

static Telling stopped(const Event *event) {
    if (event->action.result == RESULT_CONFIRMED)
        return TELLING_RESTARTED;
    if (event->gap.to_usec != 0 && !(event->findings & FINDING_BIT(FINDING_STOPPED)))
        return TELLING_STARTED_BY_OTHERS;
    if (event->protected)
        return TELLING_PROTECTED;
    if (!event->may_act)
        return event->maintenance && event->mode != MODE_OBSERVE ? TELLING_STOP_ALLOWED : TELLING_OBSERVED;
    return event->action.result == RESULT_FAILED ? TELLING_RESTART_FAILED : TELLING_RESTART_PENDING;
}

static Telling missing(const Event *event) {
    if (event->action.taken == ACTION_RECREATE && event->action.result == RESULT_CONFIRMED)
        return TELLING_RECREATED;
    if (!(event->findings & FINDING_BIT(FINDING_MISSING)))
        return TELLING_RETURNED;
    return event->first_sight ? TELLING_NEVER_FOUND : TELLING_MISSING;
}

static Telling failing(const Event *event) {
    return by_failing(event->about ? event->about : event->findings, false);
}

static Telling account_attributed(const Event *event) {
    if (event->has_actor)
        return event->actor.departure[0] ? TELLING_ACCOUNT_DEPARTED : TELLING_ACCOUNT_ATTRIBUTED;
    return event->detail[0] ? TELLING_ACCOUNT_NOT_SEARCHED : TELLING_ACCOUNT_NOBODY;
}

static Telling attributed(const Subject *subject, const Event *event) {
    if (!subject->name[0])
        return account_attributed(event);
    if (event->has_actor)
        return TELLING_ATTRIBUTED;
    return event->detail[0] ? TELLING_NOT_SEARCHED : TELLING_NOBODY;
}

static Telling resolved(const Event *event) {
    if (event->forgotten)
        return TELLING_FORGOTTEN;
    /* what ended last */
    if (event->fields && (event->accepted || event->reconfigured || event->unmet))
        return event->accepted ? TELLING_ACCEPTED_AS_IS : TELLING_MET;
    if (event->gap.from_usec != 0)
        return TELLING_LOGGING_AGAIN;
    if (event->restore.taken == ACTION_RECREATE || (event->about & FINDING_BIT(FINDING_MISSING)))
        return TELLING_THERE_AGAIN;
    return event->fields ? TELLING_AS_BEFORE : TELLING_WELL_AGAIN;
}

static Telling telling(const Subject *subject, const Event *event) {
    bool trail = subject->name[0] != '\0';

    if (event->forgotten && !trail)
        return TELLING_FORGOTTEN_TARGET;
    if (event->phase == PHASE_SUMMARY)
        return trail ? TELLING_REPEATED_TRAIL : TELLING_REPEATED_TARGET;
    switch (event->kind) {
    case EVENT_TRAIL_STOPPED: return stopped(event);
    case EVENT_TRAIL_INTERRUPTED: return TELLING_INTERRUPTED;
    case EVENT_TRAIL_MISSING: return missing(event);
    case EVENT_TRAIL_REPLACED: return TELLING_REPLACED;
    case EVENT_TRAIL_WEAKENED: return TELLING_WEAKENED;
    case EVENT_EXPECTATION_UNMET: return event->fields_left ? TELLING_UNMET : TELLING_UNMET_RESTORED;
    case EVENT_TRAIL_FAILING: return failing(event);
    case EVENT_TRAIL_ATTRIBUTED: return attributed(subject, event);
    case EVENT_TRAIL_ATTEMPTED: return TELLING_ATTEMPTED;
    case EVENT_BASELINE_WEAK: return trail ? TELLING_BASELINE_WEAK : TELLING_BASELINES_WEAK;
    case EVENT_BASELINE_DAMAGED: return TELLING_BASELINE_DAMAGED;
    case EVENT_BASELINE_ACCEPTED:
        return event->forgotten ? TELLING_GONE_ACCEPTED : TELLING_BASELINE_ACCEPTED;
    case EVENT_INCIDENT_REMINDER: return still(subject, event);
    case EVENT_TRAIL_RESOLVED: return resolved(event);
    case EVENT_REGION_UNCOVERED: return TELLING_UNCOVERED;
    case EVENT_REGION_COVERED: return TELLING_COVERED;
    case EVENT_ACCOUNT_LEFT: return TELLING_LEFT;
    case EVENT_TARGET_UNREACHABLE:
        if (is_about_list(event))
            return TELLING_LIST_UNREADABLE;
        if (event->about & FINDINGS_UNREADABLE)
            return TELLING_UNREADABLE;
        return trail ? TELLING_UNREACHABLE_TRAIL : unreachable(subject);
    case EVENT_TARGET_REACHABLE:
        if (is_about_list(event))
            return TELLING_LIST_READABLE;
        /* the trail was polled all the time */
        if ((event->about & FINDINGS_UNREADABLE) && !(event->about & FINDING_BIT(FINDING_UNREACHABLE)))
            return TELLING_READABLE;
        return trail ? TELLING_REACHABLE_TRAIL : TELLING_REACHABLE_TARGET;
    case EVENT_CHANNEL_FAILED: return TELLING_CHANNEL_FAILED;
    case EVENT_CHANNEL_RECOVERED: return TELLING_CHANNEL_RECOVERED;
    default: return TELLING_TEST;
    }
}

const AlertTemplate *alert_template(const Subject *subject, const Event *event) {
    Telling way = telling(subject, event);

    return alert_templates[way].headline ? &alert_templates[way] : &alert_templates_of_guard[way];
}

bool alert_is_about_trail(const Subject *subject, const Event *event) {
    static const bool never[_EVENT_MAX] = {
        [EVENT_REGION_UNCOVERED] = true,  [EVENT_REGION_COVERED] = true, [EVENT_CHANNEL_FAILED] = true,
        [EVENT_CHANNEL_RECOVERED] = true, [EVENT_GUARD_TEST] = true,
    };

    return !never[event->kind] && (subject->name[0] || subject->arn[0]);
}

bool alert_shows_gap(const Event *event) {
    static const bool shows[_EVENT_MAX] = {
        [EVENT_TRAIL_STOPPED] = true,
        [EVENT_TRAIL_INTERRUPTED] = true,
        [EVENT_TRAIL_RESOLVED] = true,
        [EVENT_INCIDENT_REMINDER] = true,
    };

    bool gap_was_searched =
            event->kind == EVENT_TRAIL_ATTRIBUTED &&
            (event->about & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED)));

    return (shows[event->kind] || gap_was_searched) && event->gap.from_usec != 0;
}

bool alert_may_be_attack(const Event *event) {
    static const bool may[_EVENT_MAX] = {
        [EVENT_TRAIL_MISSING] = true,     [EVENT_TRAIL_REPLACED] = true, [EVENT_TRAIL_STOPPED] = true,
        [EVENT_TRAIL_INTERRUPTED] = true, [EVENT_TRAIL_WEAKENED] = true, [EVENT_TRAIL_ATTRIBUTED] = true,
        [EVENT_TRAIL_ATTEMPTED] = true,
    };
    /* errors of deliveries have innocent causes too often; what the checks of buckets and keys find has not
     */
    uint32_t tampered =
            FINDING_BIT(FINDING_BUCKET) | FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY);

    return may[event->kind] || (event->kind == EVENT_TRAIL_FAILING && (event->about & tampered));
}
