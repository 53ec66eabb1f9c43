/* SPDX-License-Identifier: Apache-2.0 */
/* Which row of the table of messages (events.c) an event has, and what is said of the outcome of a restore.
 */
#include "daemon/core/alert_private.h"
#include "lib/util/macros.h"

/* ---- which row an event has ---- */

/* Of a target: the guard gives the error along when it is unreachable, and none when it is about coverage.
 */
static bool is_unreachable(const Event *event) {
    return event->detail[0] != '\0';
}

static bool is_about_list(const Event *event) {
    return event->about & FINDING_BIT(FINDING_LIST_UNREADABLE);
}

const char *alert_target_trouble(const Event *event) {
    if (is_about_list(event))
        return "list";
    return is_unreachable(event) ? "blind" : "uncovered"; /* in the id of open incidents: never changes */
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
    return is_unreachable(event) ? still_unreachable(subject, event) : TELLING_STILL_UNCOVERED;
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
    return &alert_templates[telling(subject, event)];
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

/* ---- what became of a change or of a deletion ---- */

/* In the order in which it is judged. */
typedef enum Fate {
    FATE_ACCEPTED,
    FATE_RECONFIGURED,
    FATE_HELD,
    FATE_SHARED,
    FATE_PARTLY,
    FATE_PAUSED,
    FATE_PARTLY_FAILED,
    FATE_FAILED,
    FATE_PENDING,
    FATE_UNCONFIRMED,
    FATE_BY_OTHERS,
    FATE_MAINTENANCE,
    FATE_PROTECTED,
    FATE_REFUSED,
    FATE_MODE,
    FATE_UNKNOWN,
    FATE_KIND,
    FATE_LEFT,
    _FATE_MAX,
} Fate;

static Fate fate_of(const Event *event) {
    bool gone = event->findings & FINDING_BIT(FINDING_MISSING);
    bool is_deletion = gone || event->kind == EVENT_TRAIL_MISSING ||
                       (event->phase == PHASE_RESOLVED && (event->restore.taken == ACTION_RECREATE ||
                                                           (event->about & FINDING_BIT(FINDING_MISSING))));
    bool is_left = is_deletion ? (event->findings & FINDINGS_DRIFT) != 0 : event->fields_left != 0;

    bool over = is_deletion ? !gone : event->fields && !event->fields_left;

    if (over && !is_deletion && (event->accepted || event->reconfigured))
        return event->accepted ? FATE_ACCEPTED : FATE_RECONFIGURED;
    if (event->restore.result == RESULT_CONFIRMED && !is_left && !is_deletion && event->fields_others)
        return FATE_SHARED;
    if (event->restore.result == RESULT_CONFIRMED)
        return is_left ? FATE_PARTLY : FATE_HELD;
    if (over)
        return event->restore.attempts > 0 ? FATE_UNCONFIRMED : FATE_BY_OTHERS;
    if (event->restores_paused)
        return FATE_PAUSED;
    if (event->restore.result == RESULT_FAILED && event->protected)
        return FATE_REFUSED;
    if (event->restore.result == RESULT_FAILED)
        return !is_deletion && (event->fields & ~event->fields_left) ? FATE_PARTLY_FAILED : FATE_FAILED;
    if (event->restore.result == RESULT_PENDING)
        return FATE_PENDING;
    if (event->maintenance)
        return FATE_MAINTENANCE;
    if (event->protected)
        return FATE_PROTECTED;
    if (event->mode != MODE_RESTORE)
        return FATE_MODE;
    if (!is_deletion && event->fields_left && !(event->fields_left & ~FIELDS_UNWRITABLE))
        return FATE_UNKNOWN;
    return event->may_act ? FATE_LEFT : FATE_KIND;
}

#define ONLY_THE_OWNER                                                                                      \
    "Only the account that owns the organization trail, or CloudTrail's delegated administrator, can "
#define RETRIES           "It retries {retries}."
#define NOT_CONFIRMED_YET "AWS has not confirmed that yet. The next message reports the result."

/* By what AlertFate names, in its order. */
static const char *const fates[_FATE_MAX][_ALERT_FATE_MAX] = {
    [FATE_ACCEPTED] = { " changed, then accepted", " accepted", "", "It was accepted as the baseline.",
                        "Compares the trail with the accepted settings from now on.", "" },
    [FATE_RECONFIGURED] = { " changed, as now configured", " as now configured", "",
                            "The configuration changed, and the trail meets it.",
                            "Nothing: the configuration changed, and the trail meets it.", "" },
    [FATE_HELD] = { " changed, restored after {took}", " restored", ", created again",
                    "TrailGuard restored the baseline.",
                    "Restored the baseline ({attempts}) and read the settings back: confirmed.",
                    ("Created the trail again with all settings of the baseline, started it ({attempts}), "
                     "and read "
                     "the status back: it logs.") },
    [FATE_SHARED] = { " changed and changed back", " changed back", "",
                      "TrailGuard restored what it may, and another caller the rest.",
                      ("Restored what it may ({attempts}) and read it back: confirmed. Another caller "
                       "restored "
                       "the rest."),
                      "" },
    [FATE_PARTLY] = { " changed, partly restored", " partly restored", ", created again",
                      "TrailGuard restored what it may.",
                      ("Restored what it may ({attempts}) and read it back: confirmed. Still different: "
                       "{left}."),
                      "Created the trail again and started it ({attempts}). Still different: {left}." },
    [FATE_PAUSED] = { " changed, restores paused", ", paused", ", restores paused",
                      "TrailGuard has paused restoring it.",
                      ("Restored the baseline {restores} within the hour, and the trail differs again: a "
                       "person or a "
                       "program keeps changing it. TrailGuard restores this setting again when the hour is "
                       "over. It "
                       "still restores other settings, and still restarts logging at once."),
                      ("Created the trail again {restores} within the hour, and it was deleted again. "
                       "TrailGuard "
                       "creates it again when the hour is over.") },
    [FATE_PARTLY_FAILED] = { " changed, partly restored", " partly restored", "",
                             "TrailGuard could not restore all of it.",
                             ("Tried to restore the baseline ({attempts}). Some of that failed{because}\n"
                              "Still different: {left}. " RETRIES),
                             "" },
    [FATE_FAILED] = { " changed, not restored", " unrestored", ", could not be created again",
                      "TrailGuard could not restore it.",
                      "Tried to restore the baseline ({attempts}). That failed{because}\n" RETRIES,
                      "Tried to create the trail again ({attempts}). That failed{because}\n" RETRIES },
    [FATE_PENDING] = { " changed, being restored", ", restoring", ", being created again",
                       "TrailGuard is restoring it.", "Is restoring the baseline; " NOT_CONFIRMED_YET,
                       "Is creating the trail again; " NOT_CONFIRMED_YET },
    [FATE_UNCONFIRMED] = { " changed and changed back", " changed back", ", exists again",
                           "It is as before; no restore was confirmed.",
                           ("Tried to restore the baseline ({attempts}); none was confirmed. One of them or "
                            "another "
                            "caller restored it."),
                           ("Tried to create the trail again ({attempts}); none was confirmed. One of them "
                            "or another "
                            "caller created it.") },
    [FATE_BY_OTHERS] = { " changed and changed back", " changed back", ", exists again",
                         "Another caller changed it back.", "Nothing: another caller changed it back.",
                         "Nothing: another caller created the trail." },
    [FATE_MAINTENANCE] = { " changed", NULL, "", "TrailGuard leaves it while a maintenance window is open.",
                           ("Nothing: a maintenance window is open. When it ends, TrailGuard reports what "
                            "still "
                            "differs, and restores it if the mode allows. To make a planned change the "
                            "baseline: "
                            "trailguard accept"),
                           "Nothing: a maintenance window is open." },
    [FATE_PROTECTED] = { " changed", NULL, "", "It is an organization trail of another account.",
                         "Nothing. " ONLY_THE_OWNER "change it.", "Nothing. " ONLY_THE_OWNER "create it." },
    [FATE_REFUSED] = { " changed", NULL, "", "It is an organization trail of another account.",
                       "Tried to restore the baseline ({attempts}); AWS refused. " ONLY_THE_OWNER
                       "change it.",
                       "Tried to create the trail again ({attempts}); AWS refused. " ONLY_THE_OWNER
                       "create it." },
    [FATE_MODE] = { " changed", NULL, "", "TrailGuard leaves it as it is.",
                    "Nothing: it runs in mode \"{mode}\".", "Nothing: it runs in mode \"{mode}\"." },
    [FATE_UNKNOWN] = { " changed", NULL, "", "TrailGuard leaves it as it is.",
                       ("Nothing: AWS added this setting after this version of TrailGuard was made. It "
                        "compares the "
                        "setting, but cannot restore it. Restore it by hand, or accept it: trailguard "
                        "accept"),
                       "" },
    [FATE_KIND] = { " changed", NULL, "", "TrailGuard leaves it as it is.",
                    "Nothing: restore in trailguard.conf does not name this kind of setting.",
                    ("Nothing: restore in trailguard.conf does not name \"deleted\", or there is no "
                     "baseline.") },
    [FATE_LEFT] = { " changed", NULL, "", "TrailGuard has not restored it yet.",
                    "Nothing yet: another action on this trail comes first.",
                    "Nothing yet: another action on this trail comes first." },
};

const char *alert_fate(const Event *event, AlertFate which) {
    Fate fate = fate_of(event);

    if (which == ALERT_FATE_CHANGE_SHORT && !fates[fate][which])
        which = ALERT_FATE_CHANGE;
    return fates[fate][which];
}
