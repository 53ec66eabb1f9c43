/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a change or of a deletion, in words. */
#include "daemon/core/alert_private.h"

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
#define RETRIES           "It retries at least once a minute."
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
                    "Nothing: restore in trailguard.conf does not name \"deleted\", or there is no "
                    "baseline." },
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
