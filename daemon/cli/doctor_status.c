/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's rows about a pass over everything. What is well is usually summed up in one line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cli/doctor.h"
#include "daemon/core/enum_names.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

/* How many rows of one kind are shown individually. */
#define SHOWN_MAX 20U
#define LIST_MAX  900U

#define LISTED_MAX 320 /* a name and an account */

/* ---- lists of names ---- */

static void list_add(StrBuf *list, size_t n, const char *name) {
    if (list->len < LIST_MAX)
        (void)strbuf_addf(list, "%s%s", n > 0 ? ", " : "", name);
    else if (!text_ends_with(strbuf_str(list), "..."))
        (void)strbuf_add(list, ", ...");
}

/* With the account, if there are several. */
static void list_subject(StrBuf *list, size_t n, const char *name, const Subject *subject,
                         const Status *status) {
    char both[LISTED_MAX];

    (void)snprintf(both, sizeof(both), "%s (%s)", name, subject->account);
    list_add(list, n, status->n_accounts > 1 ? both : name);
}

/* ---- accounts ---- */

static void doctor_add_account(Doctor *doctor, const StatusAccount *account) {
    const char *id = account->id[0] ? account->id : "an account";
    char advice[ARN_MAX + 100];

    if (account->left)
        doctor_add(doctor, DOCTOR_IDENTITY, DOCTOR_NOTE, NULL, "%s has left the organization", id);
    else if (account->identity[0])
        doctor_add(doctor, DOCTOR_IDENTITY, DOCTOR_OK, NULL, "%s, account %s", account->identity, id);
    else {
        (void)snprintf(advice, sizeof(advice),
                       "trailguard policy guard prints the policy and the trust policy of %s",
                       account->role_arn);
        doctor_add(doctor, DOCTOR_IDENTITY, DOCTOR_PROBLEM, advice, "%s cannot be reached: %s", id,
                   account->state->error_text);
    }
}

/* The base credentials already have a row. */
static void add_accounts(Doctor *doctor, const Status *status) {
    size_t n_well = 0;

    for (size_t i = 0; i < status->n_accounts; i++) {
        const StatusAccount *account = &status->accounts[i];

        if (!account->role_arn[0])
            continue;
        n_well += account->identity[0] != '\0';
        if (!account->identity[0] || n_well <= SHOWN_MAX)
            doctor_add_account(doctor, account);
    }
    if (n_well > SHOWN_MAX)
        doctor_add(doctor, DOCTOR_IDENTITY, DOCTOR_OK, NULL, "more roles that can be assumed: %zu",
                   n_well - SHOWN_MAX);
    if (status->has_organization && status->organization_error[0])
        doctor_add(doctor, DOCTOR_IDENTITY, DOCTOR_PROBLEM,
                   "use credentials of the management account or of a delegated administrator",
                   "the accounts of the organization cannot be listed: %s", status->organization_error);
}

/* ---- regions ---- */

static const char *region_advice(PollError error) {
    switch (error) {
    case POLL_DENIED: return "trailguard policy guard prints the policy that is needed";
    case POLL_CREDENTIALS: return "correct the keys, or the role that the account is reached by";
    case POLL_THROTTLED: return "run this again in a minute; others may be using up the account's quota";
    case POLL_UNREACHABLE:
        return "allow https from this host to AWS in that region, or name a proxy by aws.proxy";
    default: return "run this again in a minute; AWS's health dashboard shows outages";
    }
}

static void add_region_problem(Doctor *doctor, const StatusTarget *target) {
    const TargetState *state = target->state;
    const char *text = state->error_text[0] ? state->error_text : state->list_error_text;
    const char *advice = region_advice(state->error ? state->error : state->list_error);
    bool by_scp = strstr(text, "service control policy");

    if (by_scp)
        advice = "exempt the guard in the service control policy, or take the region out of regions";
    else if (strstr(text, "GetRegionOptStatus: DISABLED"))
        advice = "enable the region in the account, or remove it from regions";
    doctor_add(doctor, DOCTOR_REGIONS, DOCTOR_PROBLEM, advice, "%s %s: %s%s", target->subject.region,
               target->subject.account, by_scp ? "denied by a service control policy: " : "",
               text[0] ? text : "no answer");
}

/* Regions that are disabled do not count. */
static bool is_silent(const StatusTarget *target) {
    const TargetState *state = target->state;

    return !state->not_enabled && (state->unreachable || state->list_unreadable || !state->ever_reachable);
}

static void add_regions(Doctor *doctor, const Status *status) {
    _cleanup_strbuf_ StrBuf off = STRBUF_INIT(2 * LIST_MAX), bare = STRBUF_INIT(2 * LIST_MAX);
    size_t n_well = 0, n_off = 0, n_bad = 0, n_bare = 0;

    for (size_t i = 0; i < status->n_targets; i++) {
        const StatusTarget *target = &status->targets[i];
        const TargetState *state = target->state;

        if (!target->subject.region || !target->subject.region[0])
            continue; /* an account that cannot be reached at all */
        if (state->not_enabled)
            list_subject(&off, n_off++, target->subject.region, &target->subject, status);
        else if (is_silent(target)) {
            if (n_bad++ < SHOWN_MAX)
                add_region_problem(doctor, target);
        } else
            n_well++;
        if (state->cover.open)
            list_subject(&bare, n_bare++, target->subject.region, &target->subject, status);
    }
    if (n_bad > SHOWN_MAX)
        doctor_add(doctor, DOCTOR_REGIONS, DOCTOR_PROBLEM, NULL, "more that cannot be polled: %zu",
                   n_bad - SHOWN_MAX);
    if (n_well > 0)
        doctor_add(doctor, DOCTOR_REGIONS, DOCTOR_OK, NULL, "%zu %s polled", n_well,
                   n_well == 1 ? "region is" : "regions are");
    if (n_off > 0)
        doctor_add(doctor, DOCTOR_REGIONS, DOCTOR_NOTE, NULL,
                   "not enabled in the account, and not polled: %s", strbuf_str(&off));
    if (n_bare > 0)
        doctor_add(doctor, DOCTOR_REGIONS, DOCTOR_WARNING,
                   "create a trail that covers all regions, or take these out of regions",
                   "no trail records in %s", strbuf_str(&bare));
}

/* ---- trails ---- */

static void add_trail(Doctor *doctor, const StatusTrail *trail) {
    const TrailState *state = trail->state;
    DoctorState found = state->verdict == VERDICT_UNKNOWN ? DOCTOR_UNKNOWN : DOCTOR_PROBLEM;

    doctor_add(doctor, DOCTOR_TRAILS, found, "trailguard check shows all that was found", "%s %s %s: %s",
               trail->subject.name, trail->subject.region, trail->subject.account,
               verdict_to_string(state->verdict));
}

static bool any_is_silent(const Status *status) {
    for (size_t i = 0; i < status->n_targets; i++)
        if (is_silent(&status->targets[i]))
            return true;
    return false;
}

static void add_trails(Doctor *doctor, const Status *status) {
    size_t n_well = 0, n_bad = 0, n_unknown = 0;

    for (size_t i = 0; i < status->n_trails; i++) {
        Verdict verdict = status->trails[i].state->verdict;

        if (verdict == VERDICT_LOGGING || verdict == VERDICT_PROTECTED)
            n_well++;
        else if (verdict == VERDICT_UNKNOWN ? n_unknown++ < SHOWN_MAX : n_bad++ < SHOWN_MAX)
            add_trail(doctor, &status->trails[i]);
    }
    if (n_bad > SHOWN_MAX)
        doctor_add(doctor, DOCTOR_TRAILS, DOCTOR_PROBLEM, NULL, "more that are not well: %zu",
                   n_bad - SHOWN_MAX);
    if (n_unknown > SHOWN_MAX)
        doctor_add(doctor, DOCTOR_TRAILS, DOCTOR_UNKNOWN, NULL, "more that are unknown: %zu",
                   n_unknown - SHOWN_MAX);
    if (n_well > 0)
        doctor_add(doctor, DOCTOR_TRAILS, DOCTOR_OK, NULL, "%zu %s", n_well,
                   n_well == 1 ? "trail logs" : "trails log");
    if (status->n_trails == 0 && any_is_silent(status))
        doctor_add(doctor, DOCTOR_TRAILS, DOCTOR_UNKNOWN, NULL, "no trail was found where AWS answered");
    else if (status->n_trails == 0)
        doctor_add(doctor, DOCTOR_TRAILS, DOCTOR_PROBLEM,
                   "create a trail, or correct regions and trails in the configuration",
                   "no trail was found");
    if (status->n_ignored > 0)
        doctor_add(doctor, DOCTOR_TRAILS, DOCTOR_NOTE, NULL, "ignored, as configured: %zu",
                   status->n_ignored);
}

/* ---- baselines ---- */

static void add_baselines(Doctor *doctor, const Status *status) {
    _cleanup_strbuf_ StrBuf bad = STRBUF_INIT(2 * LIST_MAX), new = STRBUF_INIT(2 * LIST_MAX);
    size_t n_bad = 0, n_new = 0, n_without = 0, n_with = 0;

    for (size_t i = 0; i < status->n_trails; i++) {
        const StatusTrail *trail = &status->trails[i];

        if (trail->baseline_unreadable)
            list_subject(&bad, n_bad++, trail->subject.name, &trail->subject, status);
        else if (trail->provisional)
            list_subject(&new, n_new++, trail->subject.name, &trail->subject, status);
        else if (trail->has_baseline)
            n_with++;
        else
            n_without++;
    }
    if (status->record_problem[0])
        doctor_add(doctor, DOCTOR_BASELINES, DOCTOR_PROBLEM,
                   strstr(status->record_problem, strerror(EACCES))
                           ? "run this as root"
                           : "correct what it names; the daemon does not start without it",
                   "the state cannot be read: %s", status->record_problem);
    if (n_with > 0)
        doctor_add(doctor, DOCTOR_BASELINES, DOCTOR_OK, NULL, "%zu %s a baseline", n_with,
                   n_with == 1 ? "trail has" : "trails have");
    if (n_without > 0)
        doctor_add(doctor, DOCTOR_BASELINES, DOCTOR_NOTE, NULL,
                   "%zu %s no baseline yet: the daemon records it at its first complete poll", n_without,
                   n_without == 1 ? "trail has" : "trails have");
    if (n_new > 0)
        doctor_add(doctor, DOCTOR_BASELINES, DOCTOR_NOTE, "if it is yours: trailguard accept NAME",
                   "new, and not accepted by anyone: %s", strbuf_str(&new));
    if (n_bad > 0)
        doctor_add(doctor, DOCTOR_BASELINES, DOCTOR_PROBLEM,
                   "compare the trail with what it should be, then: trailguard accept NAME",
                   "damaged or not readable: %s", strbuf_str(&bad));
}

/* ---- channels ---- */

static void add_channel(Doctor *doctor, const StatusChannel *channel) {
    bool unchecked = text_starts_with(channel->check, "not checked");
    bool bad = channel->failed || channel->unheard;
    bool pending = channel->unheard && strstr(channel->check, "for confirmation") != NULL;
    DoctorState state = bad ? DOCTOR_PROBLEM : unchecked ? DOCTOR_UNKNOWN : DOCTOR_OK;
    const char *advice = pending ? "open the link in the mail that AWS sent, then: trailguard test-alert"
                                 : "when it is corrected: trailguard test-alert";

    doctor_add(doctor, DOCTOR_CHANNELS, state, bad || unchecked ? advice : NULL, "%s: %s", channel->channel,
               channel->failed ? channel->text : channel->check);
}

void doctor_channels(Doctor *doctor, const Status *status) {
    for (size_t i = 0; i < status->n_channels; i++)
        add_channel(doctor, &status->channels[i]);
    if (status->n_channels == 0)
        doctor_add(doctor, DOCTOR_CHANNELS, DOCTOR_WARNING, "name a channel in alerts",
                   "no channel is configured: alerts reach the journal only");
}

void doctor_status(Doctor *doctor, const Status *status) {
    add_accounts(doctor, status);
    add_regions(doctor, status);
    add_trails(doctor, status);
    add_baselines(doctor, status);
    doctor_channels(doctor, status);
}
