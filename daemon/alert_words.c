/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts: one row a way of telling, and which row is whose. */
#include "daemon/alert_parts.h"

typedef enum Telling {
    TELLING_RESTARTED,
    TELLING_STARTED_BY_OTHERS,
    TELLING_RESTART_FAILED,
    TELLING_RESTART_PENDING,
    TELLING_OBSERVED,
    TELLING_PROTECTED,
    TELLING_FLAPPED,
    TELLING_MISSING,
    TELLING_FAILING,
    TELLING_BLIND_TRAIL,
    TELLING_BLIND_TARGET,
    TELLING_UNCOVERED,
    TELLING_LOGGING_AGAIN,
    TELLING_WELL_AGAIN,
    TELLING_SIGHTED_TRAIL,
    TELLING_SIGHTED_TARGET,
    TELLING_COVERED,
    TELLING_STILL_STOPPED,
    TELLING_STILL_MISSING,
    TELLING_STILL_FAILING,
    TELLING_STILL_BLIND_TRAIL,
    TELLING_STILL_BLIND_TARGET,
    TELLING_STILL_UNCOVERED,
    TELLING_STILL_TROUBLED,
    TELLING_REPEATED_TRAIL,
    TELLING_REPEATED_TARGET,
    TELLING_CHANNEL_FAILED,
    TELLING_CHANNEL_RECOVERED,
    TELLING_TEST,
    _TELLING_MAX,
} Telling;

#define LOST_FOR_GOOD                                                                                       \
    " \
"                                                                                                     \
    "CloudTrail does not deliver later what happened meanwhile: that is lost to this trail. The "           \
    "account's "                                                                                            \
    "event history keeps management events of the last 90 days all the same."
#define FIND_OUT                                                                                            \
    " \
"                                                                                                     \
    "1. Find out who did it (command above), and whether it was planned.\n"                                 \
    " \
    "                                                                                                     \
    "2. If it was not: treat the credentials that were used as stolen. Disable them, and look at "          \
    "what "                                                                                                 \
    "else "                                                                                                 \
    " \
    "                                                                                                     \
    "they did.\n"
#define GO_THROUGH "3. Go through the account's event history for the time of the gap."
#define START_IT   "aws cloudtrail start-logging --region {region} --name {arn}"
#define DELIVERY_ADVICE                                                                                     \
    " \
"                                                                                                     \
    "1. Look at the delivery's destination: is it there, does its policy let CloudTrail in, is its "        \
    "KMS "                                                                                                  \
    "key "                                                                                                  \
    " \
    "                                                                                                     \
    "enabled?\n"                                                                                            \
    " \
    "                                                                                                     \
    "2. aws cloudtrail get-trail-status --region {region} --name {arn}\n"                                   \
    " \
    "                                                                                                     \
    "3. When the cause is gone, the error stays in the status until the next delivery works."
#define BLIND_ADVICE                                                                                        \
    " \
"                                                                                                     \
    "1. denied: has somebody changed the guard's policy, role or SCP? Put the rights back "                 \
    "(trailguard "                                                                                          \
    "policy "                                                                                               \
    " \
    "                                                                                                     \
    "guard prints them).\n"                                                                                 \
    " \
    "                                                                                                     \
    "2. credentials: are the keys deleted, deactivated or expired?\n"                                       \
    " \
    "                                                                                                     \
    "3. unreachable, throttled or service: is it our network, or somebody using up the API's "              \
    "quota?\n"                                                                                              \
    "4. Until then look yourself: aws cloudtrail describe-trails --region {region}"
#define UNCOVERED_ADVICE                                                                                    \
    " \
"                                                                                                     \
    "1. If this region should be recorded: make a trail multi-region, or create one here.\n"                \
    " \
    "                                                                                                     \
    "2. If not: leave the region out of regions in trailguard.conf."

static const AlertTemplate templates[_TELLING_MAX] = {
    [TELLING_RESTARTED] = {
        "{LABEL} {name} stopped{again} in {where}, running again after {gap}",
        "{LABEL} {name} stopped{again} in {where}, running again",
        "{name} in {where} was stopped{again}. TrailGuard started it, and it is logging.",
        LOST_FOR_GOOD,
        "Started logging again ({attempts}) and read the status back: it logs.",
        FIND_OUT GO_THROUGH,
    },
    [TELLING_STARTED_BY_OTHERS] = {
        "{LABEL} {name} stopped{again} in {where}, logging again after {gap}",
        "{LABEL} {name} stopped{again} in {where}, logging again",
        "{name} in {where} was stopped{again}. It is logging again; somebody else started it.",
        LOST_FOR_GOOD,
        "{tried}",
        FIND_OUT GO_THROUGH,
    },
    [TELLING_RESTART_FAILED] = {
        "{LABEL} {name} stopped{again} in {where}, still stopped: the restart failed",
        "{LABEL} {name} stopped{again} in {where}, restart failed",
        "{name} in {where} is stopped{again}, and the restart failed. Nothing is recorded.",
        LOST_FOR_GOOD,
        "Tried to start logging ({attempts}); it failed: {detail}\nTrailGuard goes on trying, at "
        "most a minute "
        "apart.",
        "1. Start it yourself, with credentials that may: " START_IT "\n"
        "2. denied: has somebody changed the guard's policy, role or SCP?\n"
        "3. Find out who stopped it (command above). If it was not planned, treat the credentials "
        "that were "
        "used as stolen.\n"
        "4. Go through the account's event history for the time of the gap.",
    },
    [TELLING_RESTART_PENDING] = {
        "{LABEL} {name} stopped{again} in {where}, the restart is under way",
        "{LABEL} {name} stopped{again} in {where}, restarting",
        "{name} in {where} is stopped{again}. A restart is under way and has not been confirmed yet.",
        LOST_FOR_GOOD,
        "Is starting logging ({attempts}). AWS has not answered yet; the next message says how it went.",
        "1. If no message follows within minutes, start it yourself: " START_IT "\n"
        "2. Find out who stopped it (command above). If it was not planned, treat the credentials "
        "that were "
        "used as stolen.",
    },
    [TELLING_OBSERVED] = {
        "{LABEL} {name} stopped{again} in {where}, not restarted (mode observe)",
        "{LABEL} {name} stopped{again} in {where}, not restarted",
        "{name} in {where} is stopped{again}. Nothing is recorded, and TrailGuard may not start it.",
        LOST_FOR_GOOD,
        "Nothing: it runs in mode \"observe\".",
        "1. Start it: " START_IT "\n"
        "2. Find out who stopped it (command above). If it was not planned, treat the credentials "
        "that were "
        "used as stolen.",
    },
    [TELLING_PROTECTED] = {
        "{LABEL} {name} stopped{again} in {where}, not ours to restart",
        "{LABEL} {name} stopped{again} in {where}, not restarted",
        "{name} in {where} is stopped{again}. It is an organization trail of another account.",
        LOST_FOR_GOOD,
        "Nothing: only the account that owns an organization trail can start it.",
        "1. Tell the owner of the organization's management account: the trail has to be started there.\n"
        "2. Until then nothing that this account does reaches that trail.",
    },
    [TELLING_FLAPPED] = {
        "{LABEL} {name} was off{again} for {gap} in {where}",
        "{LABEL} {name} was off{again} in {where}",
        "{name} in {where} was stopped{again} and started between two looks. It is logging.",
        LOST_FOR_GOOD,
        "Nothing was left to do: the trail logs.",
        FIND_OUT GO_THROUGH,
    },
    [TELLING_MISSING] = {
        "{LABEL} {name} missing in {where}",
        NULL,
        "{name} in {where} is gone: the region's list and its status in the home region both say so.",
        "Nothing is recorded by this trail any more. What it delivered before is still in its "
        "bucket, unless "
        "that was emptied too.",
        "Nothing: this version does not create trails.",
        "1. Find out who deleted it (command above), and whether it was planned.\n"
        "2. If it was not: treat the credentials that were used as stolen, and create the trail "
        "again under the "
        "same name.\n"
        "3. If it was: take it out of trails in trailguard.conf, or list it under ignore.",
    },
    [TELLING_FAILING] = {
        "{LABEL} {name} cannot deliver {kinds} in {where}: {detail}",
        "{LABEL} {name} cannot deliver in {where}: {detail}",
        "{name} in {where} logs, but cannot deliver {kinds}: {detail}.",
        "Nothing yet: AWS goes on trying to deliver log files for 30 days.",
        NULL,
        DELIVERY_ADVICE,
    },
    [TELLING_BLIND_TRAIL] = {
        "{LABEL} guard is blind for {name} in {where}: {error}",
        NULL,
        "TrailGuard cannot see {name} in {where}: {error}. It does not know whether the trail logs.",
        NULL,
        "Looked {looks} times in a row in vain: {detail}\nIt goes on looking.",
        BLIND_ADVICE,
    },
    [TELLING_BLIND_TARGET] = {
        "{LABEL} guard is blind in {where}: {error}",
        NULL,
        "TrailGuard cannot see any trail in {where}: {error}. It does not know whether they log.",
        NULL,
        "Looked {looks} times in a row in vain: {detail}\nIt goes on looking.",
        BLIND_ADVICE,
    },
    [TELLING_UNCOVERED] = {
        "{LABEL} no trail records {where}",
        NULL,
        "No trail records what happens in {where}.",
        "Nothing that happens in this region is delivered anywhere. The account's event history "
        "keeps management "
        "events of the last 90 days all the same.",
        NULL,
        UNCOVERED_ADVICE,
    },
    [TELLING_LOGGING_AGAIN] = {
        "RESOLVED {name} logging again in {where} after {gap}",
        NULL,
        "{name} in {where} is logging again.",
        LOST_FOR_GOOD,
        "{tried}",
        "1. If you have not done so yet, find out who stopped it (command above).\n"
        "2. Go through the account's event history for the time of the gap.",
    },
    [TELLING_WELL_AGAIN] = {
        "RESOLVED {name} is well again in {where} after {since}",
        NULL,
        "{name} in {where} is well again.",
        NULL,
        NULL,
        "Nothing, unless you do not know why it was in trouble.",
    },
    [TELLING_SIGHTED_TRAIL] = {
        "RESOLVED guard sees {name} in {where} again after {since}",
        NULL,
        "TrailGuard sees {name} in {where} again.",
        NULL,
        NULL,
        "Nothing, unless you do not know why it was out of sight. What happened to the trail "
        "meanwhile has been "
        "looked at and is told by its own messages.",
    },
    [TELLING_SIGHTED_TARGET] = {
        "RESOLVED guard sees {where} again after {since}",
        NULL,
        "TrailGuard sees {where} again.",
        NULL,
        NULL,
        "Nothing, unless you do not know why it was out of sight. What happened to trails meanwhile "
        "has been "
        "looked at and is told by their own messages.",
    },
    [TELLING_COVERED] = {
        "RESOLVED a trail records {where} again",
        NULL,
        "A trail records what happens in {where} again.",
        NULL,
        NULL,
        "Nothing.",
    },
    [TELLING_STILL_STOPPED] = {
        "REMINDER {name} still stopped in {where}, since {since}",
        NULL,
        "{name} in {where} is still stopped. Nothing is recorded.",
        LOST_FOR_GOOD,
        "{tried}",
        "1. Start it: " START_IT "\n"
        "2. Find out who stopped it (command above).",
    },
    [TELLING_STILL_MISSING] = {
        "REMINDER {name} still missing in {where}, since {since}",
        NULL,
        "{name} in {where} is still gone. It records nothing.",
        NULL,
        NULL,
        "1. Create it again under the same name; or, if it was deleted on purpose, take it out of "
        "trails in "
        "trailguard.conf, or list it under ignore.",
    },
    [TELLING_STILL_FAILING] = {
        "REMINDER {name} still cannot deliver {kinds} in {where}, since {since}",
        "REMINDER {name} still cannot deliver in {where}, since {since}",
        "{name} in {where} still cannot deliver {kinds}.",
        "Nothing yet: AWS goes on trying to deliver log files for 30 days.",
        NULL,
        DELIVERY_ADVICE,
    },
    [TELLING_STILL_BLIND_TRAIL] = {
        "REMINDER guard still blind for {name} in {where}, since {since}",
        NULL,
        "TrailGuard still cannot see {name} in {where}: {error}.",
        NULL,
        "Looked {looks} times in a row in vain. It goes on looking.",
        BLIND_ADVICE,
    },
    [TELLING_STILL_BLIND_TARGET] = {
        "REMINDER guard still blind in {where}, since {since}",
        NULL,
        "TrailGuard still cannot see any trail in {where}: {error}.",
        NULL,
        "Looked {looks} times in a row in vain: {detail}\nIt goes on looking.",
        BLIND_ADVICE,
    },
    [TELLING_STILL_UNCOVERED] = {
        "REMINDER still no trail records {where}, since {since}",
        NULL,
        "Still no trail records what happens in {where}.",
        NULL,
        NULL,
        UNCOVERED_ADVICE,
    },
    [TELLING_STILL_TROUBLED] = {
        "REMINDER {name} still in trouble in {where}, since {since}",
        NULL,
        "{name} in {where} is still in trouble.",
        NULL,
        NULL,
        "1. See what holds now: trailguard status",
    },
    [TELLING_REPEATED_TRAIL] = {
        "{LABEL} {name} in trouble {count} more times in {where}, {now}",
        NULL,
        "{name} in {where} was in trouble {count} more times; it is {now}.",
        NULL,
        "Acted each time as before; these were not told one by one.",
        "1. Somebody or something keeps doing this. Find out who (command above), and take the "
        "right away: "
        "trailguard policy deny prints a policy that forbids it.\n"
        "2. Go through the account's event history for the time of the gaps.",
    },
    [TELLING_REPEATED_TARGET] = {
        "{LABEL} trouble {count} more times in {where}, {now}",
        NULL,
        "{where} was in trouble {count} more times; it is {now}.",
        NULL,
        "These were not told one by one.",
        "1. See what holds now: trailguard status",
    },
    [TELLING_CHANNEL_FAILED] = {
        "{LABEL} channel failed: {detail}",
        NULL,
        "Alerts do not get through this channel: {detail}",
        NULL,
        "Keeps its alerts, and tries again at least every 5 minutes.",
        "1. Is the topic still there, and does its policy let the guard publish? Is its KMS key enabled?\n"
        "2. If nobody changed it on purpose, somebody may be silencing the guard.\n"
        "3. trailguard test-alert shows each channel's receipt.",
    },
    [TELLING_CHANNEL_RECOVERED] = {
        "RESOLVED channel works again: {detail}",
        NULL,
        "Alerts get through this channel again: {detail}",
        NULL,
        "Sends what was waiting.",
        "Nothing, unless you do not know why it failed.",
    },
    [TELLING_TEST] = {
        "TEST alert from {host}",
        NULL,
        "This is a test: alerts from TrailGuard on {host} reach you.",
        NULL,
        NULL,
        "Nothing.",
    },
};

/* Of a target: the guard gives the error along when it is blind, and none when it is about coverage. */
static bool is_blindness(const Tell *tell) {
    return tell->detail[0] != '\0';
}

const char *alert_target_trouble(const Tell *tell) {
    return is_blindness(tell) ? "blind" : "uncovered";
}

/* The troubles that an open incident may have, worst first, and how they are told again. */
static Telling still(const Subject *subject, const Tell *tell) {
    static const struct {
        uint32_t findings;
        Telling telling;
    } rows[] = {
        { FINDING_BIT(FINDING_MISSING), TELLING_STILL_MISSING },
        { FINDING_BIT(FINDING_STOPPED), TELLING_STILL_STOPPED },
        { FINDINGS_FAILING, TELLING_STILL_FAILING },
        { FINDING_BIT(FINDING_BLIND), TELLING_STILL_BLIND_TRAIL },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (tell->findings & rows[i].findings)
            return rows[i].telling;
    if (subject->name[0])
        return TELLING_STILL_TROUBLED;
    return is_blindness(tell) ? TELLING_STILL_BLIND_TARGET : TELLING_STILL_UNCOVERED;
}

static Telling stopped(const Tell *tell) {
    if (tell->action.result == RESULT_HELD)
        return TELLING_RESTARTED;
    if (tell->gap.to_usec != 0 && !(tell->findings & FINDING_BIT(FINDING_STOPPED)))
        return TELLING_STARTED_BY_OTHERS;
    if (tell->protected)
        return TELLING_PROTECTED;
    if (!tell->may_act)
        return TELLING_OBSERVED;
    return tell->action.result == RESULT_FAILED ? TELLING_RESTART_FAILED : TELLING_RESTART_PENDING;
}

static Telling telling(const Subject *subject, const Tell *tell) {
    bool trail = subject->name[0] != '\0';

    if (tell->kind == TELL_SUMMARY)
        return trail ? TELLING_REPEATED_TRAIL : TELLING_REPEATED_TARGET;
    switch (tell->event) {
    case EVENT_TRAIL_STOPPED: return stopped(tell);
    case EVENT_TRAIL_FLAPPED: return TELLING_FLAPPED;
    case EVENT_TRAIL_MISSING: return TELLING_MISSING;
    case EVENT_TRAIL_FAILING: return TELLING_FAILING;
    case EVENT_TRAIL_REMINDER: return still(subject, tell);
    case EVENT_TRAIL_RESOLVED:
        return tell->gap.from_usec != 0 ? TELLING_LOGGING_AGAIN
                                        : "
                                          "TELLING_WELL_AGAIN;
                       case EVENT_REGION_UNCOVERED : return TELLING_UNCOVERED;
    case EVENT_REGION_COVERED: return TELLING_COVERED;
    case EVENT_GUARD_BLIND: return trail ? TELLING_BLIND_TRAIL : TELLING_BLIND_TARGET;
    case EVENT_GUARD_SIGHTED: return trail ? TELLING_SIGHTED_TRAIL : TELLING_SIGHTED_TARGET;
    case EVENT_GUARD_CHANNEL_FAILED: return TELLING_CHANNEL_FAILED;
    case EVENT_GUARD_CHANNEL_RECOVERED: return TELLING_CHANNEL_RECOVERED;
    default: return TELLING_TEST;
    }
}

const AlertTemplate *alert_template(const Subject *subject, const Tell *tell) {
    return &templates[telling(subject, tell)];
}

bool alert_is_about_trail(const Subject *subject, const Tell *tell) {
    static const bool never[_EVENT_MAX] = {
        [EVENT_REGION_UNCOVERED] = true,     [EVENT_REGION_COVERED] = true,
        [EVENT_GUARD_CHANNEL_FAILED] = true, [EVENT_GUARD_CHANNEL_RECOVERED] = true,
        [EVENT_GUARD_TEST] = true,
    };

    return !never[tell->event] && (subject->name[0] || subject->arn[0]);
}

bool alert_shows_gap(const Tell *tell) {
    static const bool shows[_EVENT_MAX] = {
        [EVENT_TRAIL_STOPPED] = true,
        [EVENT_TRAIL_FLAPPED] = true,
        [EVENT_TRAIL_RESOLVED] = true,
        [EVENT_TRAIL_REMINDER] = true,
    };

    return shows[tell->event] && tell->gap.from_usec != 0;
}

bool alert_may_be_attack(const Tell *tell) {
    return tell->event == EVENT_TRAIL_STOPPED || tell->event == EVENT_TRAIL_FLAPPED ||
           tell->event == EVENT_TRAIL_MISSING;
}
