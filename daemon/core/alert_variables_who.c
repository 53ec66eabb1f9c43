/* SPDX-License-Identifier: Apache-2.0 */
/* The variables of templates about callers, and about several regions or accounts. */
#include <string.h>

#include "daemon/core/alert_private.h"
#include "daemon/core/enum_names.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- callers and their calls ---- */

static void add_culprit(const AlertExpansion *x) {
    if (x->source->event->has_actor)
        alert_add_actor(x);
    else
        (void)strbuf_add(x->out, "a caller whose name is not known yet");
}

/* What was done to the trail, by the worst finding of a search. */
static void who_add_deed(const AlertExpansion *x) {
    static const char *const deeds[_FINDING_MAX] = {
        [FINDING_MISSING] = "deleted",     [FINDING_STOPPED] = "stopped",
        [FINDING_INTERRUPTED] = "stopped", /* someone else may have started it, even a guard */
        [FINDING_REPLACED] = "replaced",   [FINDING_WEAKENED] = "weakened",
        [FINDING_CHANGED] = "changed",     [FINDING_APPEARED] = "created",
    };
    const Event *event = x->source->event;
    uint32_t about = event->about;

    /* a trail that was deleted and created again may be found stopped: the call says what was done */
    if (event->has_actor && strcmp(event->actor.event_name, "DeleteTrail") == 0)
        about = FINDING_BIT(FINDING_MISSING);
    if (event->has_actor && strcmp(event->actor.event_name, "CreateTrail") == 0) {
        (void)strbuf_add(x->out, creation_to_string(about));
        return;
    }
    for (Finding f = 0; f < _FINDING_MAX; f++)
        if ((about & FINDING_BIT(f)) && deeds[f]) {
            (void)strbuf_add(x->out, deeds[f]);
            return;
        }
    (void)strbuf_add(x->out, "impaired");
}

/* Messages about callers also say whether the trail has recovered. */
static const struct {
    uint32_t findings;
    const char *in_subject, *in_text;
} lasting[] = {
    { FINDING_BIT(FINDING_MISSING), ", still missing", " The trail is still missing and records nothing." },
    { FINDING_BIT(FINDING_STOPPED), ", still stopped", " The trail is still stopped and records nothing." },
    { FINDINGS_CHANGED, ", still changed", " The trail's settings still differ." },
    { FINDINGS_DELIVERY_ERRORS | FINDING_BIT(FINDING_STALE), ", still failing",
      " The trail's deliveries still fail." },
    { FINDING_BIT(FINDING_BUCKET), ", still failing", " The trail's bucket still fails its check." },
    { FINDING_BIT(FINDING_LIFECYCLE), ", still failing",
      " The lifecycle rule still deletes log files early." },
    { FINDING_BIT(FINDING_KEY), ", still failing", " The trail's KMS key still cannot be used." },
    { FINDING_BIT(FINDING_UNREACHABLE), ", not reachable",
      " TrailGuard cannot poll the trail, and does not know whether it logs." },
};

static void add_lasting(const AlertExpansion *x, bool in_subject) {
    uint32_t findings = x->source->event->findings;

    for (size_t i = 0; i < ARRAY_SIZE(lasting); i++)
        if (findings & lasting[i].findings) {
            (void)strbuf_add(x->out, in_subject ? lasting[i].in_subject : lasting[i].in_text);
            return;
        }
}

static void add_still(const AlertExpansion *x) {
    add_lasting(x, true);
}

static void add_still_now(const AlertExpansion *x) {
    const Event *event = x->source->event;

    if (event->about & FINDING_BIT(FINDING_APPEARED)) /* that it is there is no trouble that lasts */
        return;
    if (event->resolves) /* an attempt is no incident: what matters is how the trail is */
        (void)strbuf_add(x->out, event->kind == EVENT_TRAIL_ATTEMPTED ? " The trail is well."
                                                                      : " The incident is over.");
    else
        add_lasting(x, false);
}

/* What was done to an account, by the call that was found. */
static void add_departed(const AlertExpansion *x) {
    static const struct {
        const char *call, *deed;
    } deeds[] = {
        { "RemoveAccountFromOrganization", "removed from the organization" },
        { "CloseAccount", "closed" },
        { "MoveAccount", "moved to another organizational unit" },
        { "AcceptHandshake", "moved to another organization" },
    };
    const char *deed = "taken out of the organization"; /* LeaveOrganization, and calls that AWS adds */

    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++)
        if (strcmp(deeds[i].call, x->source->event->actor.event_name) == 0)
            deed = deeds[i].deed;
    (void)strbuf_add(x->out, deed);
}

/* How an account departed, from AWS's record. */
static void add_departure(const AlertExpansion *x) {
    static const struct {
        const char *method, *words;
    } ways[] = {
        { "LEFT", "left the organization by itself (LEFT)" },
        { "REMOVED", "was removed from the organization (REMOVED)" },
        { "CLEANED", "was closed, and departed from the organization (CLEANED)" },
    };
    const char *method = x->source->event->actor.departure;

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
        if (strcmp(ways[i].method, method) == 0) {
            (void)strbuf_add(x->out, ways[i].words);
            return;
        }
    (void)strbuf_add(x->out, "departed from the organization (");
    alert_add_foreign(x, method);
    (void)strbuf_add(x->out, ")");
}

/* Whether the account is still away or unreachable. */
static void add_member_now(const AlertExpansion *x) {
    const Event *event = x->source->event;

    (void)strbuf_add(x->out, event->resolves             ? " The incident is over."
                             : event->error == POLL_GONE ? " It is not an active member and is not guarded."
                                                         : " TrailGuard cannot reach it.");
}

static void who_add_call(const AlertExpansion *x) {
    const char *name = x->source->event->actor.event_name;

    (void)text_escape(x->out, name[0] ? name : "something", sizeof(x->source->event->actor.event_name));
}

static void who_add_refusal(const AlertExpansion *x) {
    const char *code = x->source->event->actor.error_code;

    alert_add_foreign(x, code[0] ? code : "refused");
}

static void add_candidates(const AlertExpansion *x) {
    const Attribution *doubt = x->source->event->doubt;

    (void)strbuf_add(x->out, doubt->more_candidates ? "more than " : "");
    alert_add_number(x, doubt->n_candidates, "call");
}

static void add_number_of_candidates(const AlertExpansion *x) {
    const Attribution *doubt = x->source->event->doubt;

    (void)strbuf_addf(x->out, "%u%s", doubt->n_candidates, doubt->more_candidates ? "+" : "");
}

/* How much of the event history was searched. */
static void add_records(const AlertExpansion *x) {
    const Event *event = x->source->event;

    (void)strbuf_add(x->out, "the ");
    alert_add_number(x, event->n_records, "record");
    (void)strbuf_add(x->out, " that TrailGuard has read");
    if (event->unread)
        (void)strbuf_add(x->out,
                         ". There are more than it can read: someone may have made calls to hide one");
}

static void add_others(const AlertExpansion *x) {
    unsigned n = x->source->event->repeats.count;

    if (n == 0)
        return;
    (void)strbuf_add(x->out, "\n");
    alert_add_number(x, n, "more attempt");
    (void)strbuf_add(x->out, " came before this one. The journal lists them.");
}

/* ---- several regions or accounts ---- */

/* "15 regions", "2 regions and 1 account" */
static void add_members(const AlertExpansion *x) {
    const Event *event = x->source->event;
    unsigned n_regions = 0, n_accounts;

    for (size_t i = 0; i < event->n_members && event->cause != CAUSE_OUTAGE; i++)
        n_regions += event->members[i].region[0] != '\0';
    n_accounts = (unsigned)event->n_members - n_regions;
    if (n_regions > 0 || n_accounts == 0)
        alert_add_number(x, n_regions, "region");
    if (n_regions > 0 && n_accounts > 0)
        (void)strbuf_add(x->out, " and ");
    if (n_accounts > 0)
        alert_add_number(x, n_accounts, "account");
}

#define ACCOUNTS_MAX 5

/* Members of the same account are adjacent. */
static void add_accounts(const AlertExpansion *x) {
    const Event *event = x->source->event;
    const char *before = "";
    unsigned n = 0;

    (void)strbuf_add(x->out, "Accounts: ");
    for (size_t i = 0; i < event->n_members; i++) {
        const char *id = event->members[i].account;

        if (text_equal(id, before))
            continue;
        before = id;
        if (n++ >= ACCOUNTS_MAX)
            continue;
        (void)strbuf_add(x->out, n > 1 ? ", " : "");
        (void)text_escape(x->out, id[0] ? id : "not known yet", 16);
    }
    if (n > ACCOUNTS_MAX)
        (void)strbuf_addf(x->out, " and %u more", n - ACCOUNTS_MAX);
}

/* Since the previous message. */
static void add_more(const AlertExpansion *x) {
    unsigned before = x->source->event->n_before, now = (unsigned)x->source->event->n_members;

    if (before == 0 || before == now)
        return;
    (void)strbuf_addf(x->out, ", %u %s", before < now ? now - before : before - now,
                      before < now ? "more" : "fewer");
}

/* The line for the configuration; in columns, so it is not wrapped. */
static void add_regions(const AlertExpansion *x) {
    const Event *event = x->source->event;

    (void)strbuf_add(x->out, "  regions = [ ");
    for (size_t i = 0; i < event->n_rest; i++) {
        (void)strbuf_add(x->out, i > 0 ? ", \"" : "\"");
        (void)text_escape(x->out, event->rest[i].region, 31);
        (void)strbuf_add(x->out, "\"");
    }
    (void)strbuf_add(x->out, " ];");
}

/* ---- the table ---- */

const AlertVariable alert_variables_who[] = {
    { "culprit", add_culprit },
    { "who", alert_add_actor },
    { "deed", who_add_deed },
    { "still", add_still },
    { "still now", add_still_now },
    { "departed", add_departed },
    { "departure", add_departure },
    { "member now", add_member_now },
    { "call", who_add_call },
    { "refusal", who_add_refusal },
    { "others", add_others },
    { "candidates", add_candidates },
    { "number of candidates", add_number_of_candidates },
    { "records", add_records },
    { "members", add_members },
    { "accounts", add_accounts },
    { "more", add_more },
    { "regions", add_regions },
    { .name = NULL },
};
