/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a change or of a deletion, in words. */
#include "daemon/alert_parts.h"

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

static Fate fate_of(const Tell *tell) {
    bool gone = tell->findings & FINDING_BIT(FINDING_MISSING);
    bool is_deletion = gone || tell->event == EVENT_TRAIL_MISSING ||
                       (tell->kind == TELL_RESOLVED && tell->restore.taken == ACTION_RECREATE);
    bool is_left = is_deletion ? (tell->findings & FINDINGS_DRIFT) != 0 : tell->fields_left != 0;

    bool over = is_deletion ? !gone : tell->fields && !tell->fields_left;

    if (over && !is_deletion && (tell->accepted || tell->reconfigured))
        return tell->accepted ? FATE_ACCEPTED : FATE_RECONFIGURED;
    if (tell->restore.result == RESULT_HELD && !is_left && !is_deletion && tell->fields_others)
        return FATE_SHARED;
    if (tell->restore.result == RESULT_HELD)
        return is_left ? FATE_PARTLY : FATE_HELD;
    if (over)
        return tell->restore.attempts > 0 ? FATE_UNCONFIRMED : FATE_BY_OTHERS;
    if (tell->restores_paused)
        return FATE_PAUSED;
    if (tell->restore.result == RESULT_FAILED && tell->protected)
        return FATE_REFUSED;
    if (tell->restore.result == RESULT_FAILED)
        return !is_deletion && (tell->fields & ~tell->fields_left) ? FATE_PARTLY_FAILED : FATE_FAILED;
    if (tell->restore.result == RESULT_PENDING)
        return FATE_PENDING;
    if (tell->maintenance)
        return FATE_MAINTENANCE;
    if (tell->protected)
        return FATE_PROTECTED;
    if (tell->mode != MODE_RESTORE)
        return FATE_MODE;
    if (!is_deletion && tell->fields_left && !(tell->fields_left & ~FIELDS_UNWRITABLE))
        return FATE_UNKNOWN;
    return tell->may_act ? FATE_LEFT : FATE_KIND;
}

/* By what AlertFate names, in its order. */
static const char *const fates[_FATE_MAX][_ALERT_FATE_MAX] = {
    [FATE_ACCEPTED] = { " changed, then accepted", " accepted", "", "It was accepted as the baseline.",
                        "Keeps what was accepted from now on.", "" },
    [FATE_RECONFIGURED] = { " changed, as now configured", " as now configured", "",
                            "The configuration changed, and the trail meets it.", "Nothing was left to do.", "" },
    [FATE_HELD] = { " changed, put back after {took}", " put back", ", created again",
                    "TrailGuard put back what the baseline has.",
                    "Wrote back what the baseline has ({attempts}) and read it back: it holds.",
                    ("Created it again with everything that the baseline has, started it ({attempts}), and "
                     "read it "
                     "back: it logs.") },
    [FATE_SHARED] = { " changed and changed back", " changed back", "",
                      "TrailGuard put back what it may, and others the rest.",
                      ("Wrote back what it may ({attempts}) and read it back: it holds. The rest was put back by "
                       "others."),
                      "" },
    [FATE_PARTLY] = { " changed, partly put back", " partly put back", ", created again",
                      "TrailGuard put back what it may.",
                      ("Wrote back what it may ({attempts}) and read it back: it holds. Still different: "
                       "{left}."),
                      "Created it again and started it ({attempts}). Still different: {left}." },
    [FATE_PAUSED] = { " changed, restores paused", ", paused", ", restores paused",
                      "TrailGuard has stopped putting it back for now.",
                      ("Wrote back {restores} times within the hour, and it is different again: somebody or "
                       "something "
                       "fights back. It does not write this setting again until the hour is over, and then goes "
                       "on. Other settings are still restored, and logging is still restarted at once."),
                      ("Created it {restores} times within the hour, and it is gone again. It creates nothing "
                       "until the "
                       "hour is over, and then goes on.") },
    [FATE_PARTLY_FAILED] = { " changed, partly put back", " partly put back", "",
                             "Not all of it could be put back.",
                             ("Wrote back what the baseline has ({attempts}); some of it was refused: {detail}\n"
                              "Still different: {left}. It goes on trying, at most a minute apart."),
                             "" },
    [FATE_FAILED] = { " changed, not put back", " unrestored", ", could not be created again",
                      "It could not be put back.",
                      ("Tried to write back what the baseline has ({attempts}); it failed: {detail}\n"
                       "It goes on trying, at most a minute apart."),
                      ("Tried to create it again ({attempts}); it was refused: {detail}\n"
                       "It goes on trying, at most a minute apart.") },
    [FATE_PENDING] = { " changed, being put back", ", restoring", ", being created again",
                       "It is being put back.",
                       ("Is writing back what the baseline has; AWS has not answered yet. The next message "
                        "says how it "
                        "went."),
                       ("Is creating it again; AWS has not answered yet. The next message says how it "
                        "went.") },
    [FATE_UNCONFIRMED] = { " changed and changed back", " changed back", ", there again",
                           "It is as it was again; no restore was confirmed.",
                           ("Tried to write back what the baseline has ({attempts}); none was confirmed. It was "
                            "found as before later: by one of them, or by others."),
                           ("Tried to create it again ({attempts}); none was confirmed. It was found there later: "
                            "by one of them, or by others.") },
    [FATE_BY_OTHERS] = { " changed and changed back", " changed back", ", there again",
                         "It was put back, not by TrailGuard.", "Nothing was left to do.",
                         "Nothing was left to do." },
    [FATE_MAINTENANCE] = { " changed", NULL, "", "It is left as it is while a maintenance window is open.",
                           ("Nothing: a maintenance window is open. What still differs when it is over is "
                            "told, and "
                            "put back as the mode allows. A planned change is made the baseline by: "
                            "trailguard accept"),
                           "Nothing: a maintenance window is open." },
    [FATE_PROTECTED] = { " changed", NULL, "", "It is an organization trail of another account.",
                         ("Nothing: only the account that owns an organization trail, or CloudTrail's delegated "
                          "administrator, can change it."),
                         ("Nothing: only the account that owns an organization trail, or CloudTrail's delegated "
                          "administrator, can create it.") },
    [FATE_REFUSED] = { " changed", NULL, "", "It is an organization trail of another account.",
                       ("Asked AWS to write back what the baseline has ({attempts}), and AWS does not let this account: it "
                        "takes the one that owns the organization trail, or CloudTrail's delegated administrator."),
                       ("Asked AWS to create it again ({attempts}), and AWS does not let this account: it takes the one "
                        "that owns the organization trail, or CloudTrail's delegated administrator.") },
    [FATE_MODE] = { " changed", NULL, "", "It is left as it is.", "Nothing: it runs in mode \"{mode}\".",
                    "Nothing: it runs in mode \"{mode}\"." },
    [FATE_UNKNOWN] = { " changed", NULL, "", "It is left as it is.",
                       ("Nothing: AWS has added this setting since this version was made, which compares it and cannot "
                        "restore it. Set it by hand, or accept it: trailguard accept"),
                       "" },
    [FATE_KIND] = { " changed", NULL, "", "It is left as it is.",
                    "Nothing: restore in trailguard.conf does not name this kind of setting.",
                    ("Nothing: restore in trailguard.conf does not name \"deleted\", or there is no "
                     "baseline "
                     "yet.") },
    [FATE_LEFT] = { " changed", NULL, "", "It has not been put back yet.",
                    "Nothing: it had not come to that yet.", "Nothing: it had not come to that yet." },
};

const char *alert_fate(const Tell *tell, AlertFate which) {
    Fate fate = fate_of(tell);

    if (which == ALERT_FATE_CHANGE_SHORT && !fates[fate][which])
        which = ALERT_FATE_CHANGE;
    return fates[fate][which];
}
