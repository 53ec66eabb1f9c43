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
    TELLING_BLIND_ACCOUNT,
    TELLING_LEFT,
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
    TELLING_STILL_BLIND_ACCOUNT,
    TELLING_STILL_LEFT,
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
    "CloudTrail does not deliver later what happened meanwhile: that is lost to this trail. The "           \
    "account's event history keeps management events of the last 90 days all the same."
#define FIND_OUT                                                                                            \
    "1. Find out who did it (command above), and whether it was planned.\n"                                 \
    "2. If it was not: treat the credentials that were used as stolen. Disable them, and look at what "     \
    "else they did.\n"                                                                                      \
    "3. Go through the account's event history for the time of the gap."
#define START_IT "aws cloudtrail start-logging --region {region} --name {arn}\n"
#define WHO_STOPPED_IT                                                                                      \
    "2. Find out who stopped it (command above). If it was not planned, treat the credentials that were "   \
    "used as stolen."
#define DELIVERY_ADVICE                                                                                     \
    "1. Look at the delivery's destination: is it there, does its policy let CloudTrail in, is its KMS "    \
    "key enabled?\n"                                                                                        \
    "2. aws cloudtrail get-trail-status --region {region} --name {arn}\n"                                   \
    "3. The error stays in the status until the next delivery works."
#define DELIVERY_LOSS "Nothing yet: AWS goes on trying to deliver for 30 days."
#define BLIND_ADVICE                                                                                        \
    "1. denied: has somebody changed the guard's policy, role or SCP? Put the rights back (trailguard "     \
    "policy guard prints them).\n"                                                                          \
    "2. credentials: are the keys deleted, deactivated or expired?\n"                                       \
    "3. unreachable, throttled, service: is it our network, or somebody using up the API's quota?\n"        \
    "4. Until then look yourself: aws cloudtrail describe-trails --region {region}"
#define BLIND_DEED                                                                                          \
    "Looked {looks} in a row in vain: {detail}\n"                                                           \
    "It goes on looking."
#define BLIND_ACCOUNT_ADVICE                                                                                \
    "1. denied: is the role there, does its trust policy name the guard, is the external id the right "     \
    "one? (trailguard policy guard prints what it must be)\n"                                               \
    "2. credentials: are the guard's own keys deleted, deactivated or expired?\n"                           \
    "3. An account that is not to be guarded: leave it out of accounts in trailguard.conf, or list it "     \
    "in exclude of organization."
#define LEFT_ADVICE                                                                                         \
    "1. Find out who did it, in the management account: aws cloudtrail lookup-events --region us-east-1 "   \
    "--lookup-attributes AttributeKey=EventSource,AttributeValue=organizations.amazonaws.com\n"             \
    "2. If it was not planned: the account is out of reach of your service control policies too. Treat "    \
    "the credentials that were used as stolen.\n"                                                           \
    "3. If it was: list the account in exclude of organization in trailguard.conf."
#define UNCOVERED_ADVICE                                                                                    \
    "1. If this region should be recorded: make a trail multi-region, or create one here.\n"                \
    "2. If not: leave the region out of regions in trailguard.conf."

static const AlertTemplate templates[_TELLING_MAX] = {
    [TELLING_RESTARTED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, running again after {gap}",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, running again",
        .headline = "{name} in {where} was stopped{again}. TrailGuard started it, and it is logging.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = FIND_OUT,
    },
    [TELLING_STARTED_BY_OTHERS] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, logging again after {gap}",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, logging again",
        .headline = "{name} in {where} was stopped{again}. It is logging again, started by somebody else.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice = FIND_OUT,
    },
    [TELLING_RESTART_FAILED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, still stopped: the restart failed",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, restart failed",
        .headline = "{name} in {where} is stopped{again}, and the restart failed. Nothing is recorded.",
        .loss = LOST_FOR_GOOD,
        .deed =
                "Tried to start logging ({attempts}); it failed: {detail}\n"
                "It goes on trying, at most a minute apart.",
        .advice =
                "1. Start it yourself, with credentials that may: "
                START_IT
                WHO_STOPPED_IT
                "\n"
                "3. denied: has somebody changed the guard's policy, role or SCP?",
    },
    [TELLING_RESTART_PENDING] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, the restart is under way",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, restarting",
        .headline = "{name} in {where} is stopped{again}. The restart has not been confirmed yet.",
        .loss = LOST_FOR_GOOD,
        .deed = "Is starting it again; AWS has not answered yet. The next message says how it went.",
        .advice =
                "1. If no message follows within minutes, start it yourself: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_OBSERVED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, not restarted (mode observe)",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
        .headline =
                "{name} in {where} is stopped{again}. Nothing is recorded, and TrailGuard may not start "
                "it.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Start it: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_PROTECTED] = {
        .subject = "{LABEL} {name} stopped{again} in {where}, not ours to restart",
        .subject_short = "{LABEL} {name} stopped{again} in {where}, not restarted",
        .headline = "{name} in {where} is stopped{again}. It is an organization trail of another account.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Tell the owners of the organization's management account: the trail has to be "
                "started there.\n"
                "2. Until then that trail records nothing of what this account does.",
    },
    [TELLING_FLAPPED] = {
        .subject = "{LABEL} {name} was off{again} for {gap} in {where}",
        .subject_short = "{LABEL} {name} was off{again} in {where}",
        .headline = "{name} in {where} was stopped{again} and started between two looks. It is logging.",
        .loss = LOST_FOR_GOOD,
        .deed = "Nothing was left to do.",
        .advice = FIND_OUT,
    },
    [TELLING_MISSING] = {
        .subject = "{LABEL} {name} missing in {where}",
        .headline =
                "{name} in {where} is gone: the region's list and its status in the home region both say "
                "so.",
        .loss =
                "Nothing is recorded by this trail any more. What it delivered before is still in its "
                "bucket, unless that was emptied too.",
        .deed = "Nothing: this version does not create trails.",
        .advice =
                "1. Find out who deleted it (command above), and whether it was planned.\n"
                "2. If it was not: treat the credentials that were used as stolen, and create the trail "
                "again under the same name.\n"
                "3. If it was: take it out of trails in trailguard.conf, or list it under ignore.",
    },
    [TELLING_FAILING] = {
        .subject = "{LABEL} {name} cannot deliver {kinds} in {where}: {detail}",
        .subject_short = "{LABEL} {name} cannot deliver in {where}: {detail}",
        .headline = "{name} in {where} logs, but cannot deliver {kinds}: {detail}.",
        .loss = DELIVERY_LOSS,
        .advice = DELIVERY_ADVICE,
    },
    [TELLING_BLIND_TRAIL] = {
        .subject = "{LABEL} guard is blind for {name} in {where}: {error}",
        .headline =
                "TrailGuard cannot see {name} in {where}: {error}. It does not know whether the trail "
                "logs.",
        .deed = BLIND_DEED,
        .advice = BLIND_ADVICE,
    },
    [TELLING_BLIND_TARGET] = {
        .subject = "{LABEL} guard is blind in {where}: {error}",
        .headline =
                "TrailGuard cannot see any trail in {where}: {error}. It does not know whether they log.",
        .deed = BLIND_DEED,
        .advice = BLIND_ADVICE,
    },
    [TELLING_BLIND_ACCOUNT] = {
        .subject = "{LABEL} guard is blind in {where}: {error}",
        .headline =
                "TrailGuard has no credentials for {where}: {error}. It sees none of its trails, and does "
                "not know whether they log.",
        .deed = BLIND_DEED,
        .advice = BLIND_ACCOUNT_ADVICE,
    },
    [TELLING_LEFT] = {
        .subject = "{LABEL} {where} is no active member of the organization any more",
        .headline =
                "{where} is no active member of the organization any more. TrailGuard does not look at its "
                "trails.",
        .loss =
                "The organization's trails record nothing of what happens in that account from now on. "
                "Trails of its own may go on, unguarded.",
        .deed = "{detail}",
        .advice = LEFT_ADVICE,
    },
    [TELLING_UNCOVERED] = {
        .subject = "{LABEL} no trail records {where}",
        .headline = "No trail records what happens in {where}.",
        .loss =
                "Nothing that happens in this region is delivered anywhere. The account's event history "
                "keeps management events of the last 90 days all the same.",
        .advice = UNCOVERED_ADVICE,
    },
    [TELLING_LOGGING_AGAIN] = {
        .subject = "RESOLVED {name} logging again in {where} after {gap}",
        .subject_short = "RESOLVED {name} logging again in {where}",
        .headline = "{name} in {where} is logging again.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. If you have not done so yet, find out who stopped it (command above).\n"
                "2. Go through the account's event history for the time of the gap.",
    },
    [TELLING_WELL_AGAIN] = {
        .subject = "RESOLVED {name} well again in {where} after {since}",
        .headline = "{name} in {where} is well again.",
        .advice = "Nothing, unless you do not know why it was in trouble.",
    },
    [TELLING_SIGHTED_TRAIL] = {
        .subject = "RESOLVED guard sees {name} again in {where} after {since}",
        .headline = "TrailGuard sees {name} in {where} again.",
        .advice =
                "Nothing, unless you do not know why it was out of sight. A stop or a gap that "
                "TrailGuard finds now has a message of its own.",
    },
    [TELLING_SIGHTED_TARGET] = {
        .subject = "RESOLVED guard sees {where} again after {since}",
        .headline = "TrailGuard sees {where} again.",
        .advice =
                "Nothing, unless you do not know why it was out of sight. A stop or a gap that "
                "TrailGuard finds now has a message of its own.",
    },
    [TELLING_COVERED] = {
        .subject = "RESOLVED a trail records {where} again",
        .headline = "A trail records what happens in {where} again.",
        .advice = "Nothing.",
    },
    [TELLING_STILL_STOPPED] = {
        .subject = "REMINDER {name} still stopped in {where}, since {since}",
        .headline = "{name} in {where} is still stopped. Nothing is recorded.",
        .loss = LOST_FOR_GOOD,
        .deed = "{tried}",
        .advice =
                "1. Start it: "
                START_IT
                WHO_STOPPED_IT,
    },
    [TELLING_STILL_MISSING] = {
        .subject = "REMINDER {name} still missing in {where}, since {since}",
        .headline = "{name} in {where} is still gone. It records nothing.",
        .advice =
                "Create it again under the same name; or, if it was deleted on purpose, take it out of "
                "trails in trailguard.conf, or list it under ignore.",
    },
    [TELLING_STILL_FAILING] = {
        .subject = "REMINDER {name} still cannot deliver {kinds} in {where}, since {since}",
        .subject_short = "REMINDER {name} still cannot deliver in {where}, since {since}",
        .headline = "{name} in {where} still cannot deliver {kinds}.",
        .loss = DELIVERY_LOSS,
        .advice = DELIVERY_ADVICE,
    },
    [TELLING_STILL_BLIND_TRAIL] = {
        .subject = "REMINDER guard still blind for {name} in {where}, since {since}",
        .headline = "TrailGuard still cannot see {name} in {where}: {error}.",
        .deed = "Looked {looks} in a row in vain. It goes on looking.",
        .advice = BLIND_ADVICE,
    },
    [TELLING_STILL_BLIND_TARGET] = {
        .subject = "REMINDER guard still blind in {where}, since {since}",
        .headline = "TrailGuard still cannot see any trail in {where}: {error}.",
        .deed = BLIND_DEED,
        .advice = BLIND_ADVICE,
    },
    [TELLING_STILL_BLIND_ACCOUNT] = {
        .subject = "REMINDER guard still blind in {where}, since {since}",
        .headline = "TrailGuard still has no credentials for {where}: {error}.",
        .deed = BLIND_DEED,
        .advice = BLIND_ACCOUNT_ADVICE,
    },
    [TELLING_STILL_LEFT] = {
        .subject = "REMINDER {where} is still no member of the organization, since {since}",
        .headline = "{where} is still no active member of the organization, and not guarded.",
        .advice = LEFT_ADVICE,
    },
    [TELLING_STILL_UNCOVERED] = {
        .subject = "REMINDER still no trail records {where}, since {since}",
        .headline = "Still no trail records what happens in {where}.",
        .advice = UNCOVERED_ADVICE,
    },
    [TELLING_STILL_TROUBLED] = {
        .subject = "REMINDER {name} still in trouble in {where}, since {since}",
        .headline = "{name} in {where} is still in trouble.",
        .advice = "See what holds now: trailguard status",
    },
    [TELLING_REPEATED_TRAIL] = {
        .subject = "{LABEL} {name} in trouble {count} more in {where}, {now}",
        .subject_short = "{LABEL} {name}: trouble {count} more in {where}",
        .headline = "{name} in {where} was in trouble {count} more; {now}.",
        .deed = "Acted each time as before. These were not told one by one.",
        .advice =
                "1. Somebody or something keeps doing this. Find out who (command above), and take the "
                "right away: trailguard policy deny prints a policy that forbids it.\n"
                "2. Go through the account's event history for the time of the gaps.",
    },
    [TELLING_REPEATED_TARGET] = {
        .subject = "{LABEL} trouble {count} more in {where}, {now}",
        .headline = "{where} was in trouble {count} more; {now}.",
        .deed = "These were not told one by one.",
        .advice = "See what holds now: trailguard status",
    },
    [TELLING_CHANNEL_FAILED] = {
        .subject = "{LABEL} channel failed: {detail}",
        .headline = "Alerts do not get through this channel: {detail}",
        .deed = "Keeps its alerts and goes on trying, at least every 5 minutes.",
        .advice =
                "1. Is the topic still there, and does its policy let the guard publish? Is its KMS key "
                "enabled?\n"
                "2. If nobody changed it on purpose, somebody may be silencing the guard.\n"
                "3. trailguard test-alert shows each channel's receipt.",
    },
    [TELLING_CHANNEL_RECOVERED] = {
        .subject = "RESOLVED channel works again: {detail}",
        .headline = "Alerts get through this channel again: {detail}",
        .deed = "Sends what was waiting.",
        .advice = "Nothing, unless you do not know why it failed.",
    },
    [TELLING_TEST] = {
        .subject = "TEST alert from {host}",
        .headline = "This is a test: alerts from TrailGuard on {host} reach you.",
        .advice = "Nothing.",
    },
};

/* Of a target: the guard gives the error along when it is blind, and none when it is about coverage. */
static bool is_blindness(const Tell *tell) {
    return tell->detail[0] != '\0';
}

const char *alert_target_trouble(const Tell *tell) {
    return is_blindness(tell) ? "blind" : "uncovered";
}

/* Of targets: a whole account has no region. */
static Telling blind(const Subject *subject, const Tell *tell) {
    if (tell->error == LOOK_GONE)
        return TELLING_LEFT;
    return subject->region[0] ? TELLING_BLIND_TARGET : TELLING_BLIND_ACCOUNT;
}

static Telling still_blind(const Subject *subject, const Tell *tell) {
    if (tell->error == LOOK_GONE)
        return TELLING_STILL_LEFT;
    return subject->region[0] ? TELLING_STILL_BLIND_TARGET : TELLING_STILL_BLIND_ACCOUNT;
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
    return is_blindness(tell) ? still_blind(subject, tell) : TELLING_STILL_UNCOVERED;
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
    case EVENT_TRAIL_RESOLVED: return tell->gap.from_usec != 0 ? TELLING_LOGGING_AGAIN : TELLING_WELL_AGAIN;
    case EVENT_REGION_UNCOVERED: return TELLING_UNCOVERED;
    case EVENT_REGION_COVERED: return TELLING_COVERED;
    case EVENT_GUARD_BLIND: return trail ? TELLING_BLIND_TRAIL : blind(subject, tell);
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
