/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/contain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/guard.h"
#include "daemon/core/policy.h"
#include "daemon/core/statement.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define HOUR_USEC (3600 * USEC_PER_SEC)
#define DAY_USEC  (24 * HOUR_USEC)
/* The characters that IAM allows in names of users and roles; none has a meaning for a shell. */
#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-"

#define WAR_CALLS_MIN 2U /* proven calls before an identity is held for a war */

/* The largest difference between AWS's times of a call and of its effect. */
#define CONTEST_SLACK_USEC (60 * USEC_PER_SEC)

/* A call on the trail itself that takes something away from it. */
static bool is_against_trail(const char *call) {
    static const char *const calls[] = {
        "StopLogging",       "DeleteTrail",         "UpdateTrail",
        "PutEventSelectors", "PutInsightSelectors", "PutEventConfiguration",
    };

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        if (text_equal(calls[i], call))
            return true;
    return false;
}

/* Maintenance, drills and changes of unaccepted trails are no attacks. */
static bool is_tampering(const Event *event) {
    return event->severity > SEVERITY_INFO && !event->maintenance && !event->provisional &&
           is_against_trail(event->actor.event_name);
}

/* A stop of the present war, and not an earlier one. */
static bool is_of_contest(const TrailState *state, const Actor *actor) {
    return state->contest.reported && text_equal(actor->event_name, "StopLogging") &&
           actor->event_usec + CONTEST_SLACK_USEC >= state->contest.since_usec;
}

bool contain_is_asked(const Event *event) {
    return event->has_actor &&
           (event->kind == EVENT_TRAIL_CONTESTED || event->kind == EVENT_TRAIL_ATTRIBUTED);
}

ContainDeed contain_deed(const TrailState *state, const Event *event, const char *account,
                         const char *incident, const char *keys, Mode mode) {
    return (ContainDeed){
        .actor = &event->actor,
        .account = account,
        .incident = incident,
        .tampers = is_tampering(event),
        .contested = is_of_contest(state, &event->actor),
        .writable = mode != MODE_OBSERVE && text_equal(keys, account),
    };
}

/* ---- identities ---- */

/* NULL if it is a user or role that policies can be attached to; else the reason. A session counts as its
 * role or user, whose rights limit it. */
static const char *identify(const Actor *actor, Arn *arn, Containment *ret) {
    bool session = text_equal(actor->type, "AssumedRole") || text_equal(actor->type, "FederatedUser");
    const char *whose = session ? actor->issuer : actor->arn;

    (void)text_copy(ret->arn, sizeof(ret->arn), whose[0] ? whose : actor->arn[0] ? actor->arn : actor->type);
    (void)text_copy(ret->account, sizeof(ret->account), actor->account);
    if (text_equal(actor->type, "Root") || actor->assumed_root || text_ends_with(whose, ":root"))
        return "root has the rights of the account, and no policy of the account limits them";
    if (actor->invoked_by[0] || text_equal(actor->type, "AWSService"))
        return "an AWS service made the call";
    if (session && !actor->issuer[0])
        return "the record does not say whose session it was";
    if (arn_parse(whose, arn) < 0 || !text_equal(arn->service, "iam"))
        return "it is neither a user nor a role of IAM";
    (void)text_copy(ret->account, sizeof(ret->account), arn->account);
    (void)text_copy(ret->partition, sizeof(ret->partition), arn->partition);
    ret->is_role = text_starts_with(arn->resource, "role/");
    if (!ret->is_role && !text_starts_with(arn->resource, "user/"))
        return "it is neither a user nor a role of IAM";
    if (text_starts_with(arn->resource, "role/aws-service-role/"))
        return "it is a service-linked role, which only its service changes";
    if (text_starts_with(arn->resource, "role/aws-reserved/"))
        return "it is a role of IAM Identity Center, which only Identity Center changes: remove the "
               "assignment of the "
               "permission set there";
    if (!text_copy(ret->name, sizeof(ret->name), arn_name(arn)) || !ret->name[0] ||
        ret->name[strspn(ret->name, NAME_CHARS)])
        return "the record has a name that IAM does not allow";
    return NULL;
}

/* The guard's own identity, in any session, and those in `guards`. */
static bool is_guard(const ContainPolicy *policy, const Actor *actor, const char *arn) {
    for (size_t i = 0; i < ARRAY_SIZE(policy->own); i++)
        if (policy->own[i] && arn_principal_is(arn, policy->own[i]))
            return true;
    for (size_t i = 0; i < policy->n_guards; i++)
        if (arn_principal_is(policy->guards[i], actor->arn) || arn_principal_is(policy->guards[i], arn) ||
            arn_principal_is(arn, policy->guards[i]))
            return true;
    return false;
}

static bool is_exempt(const ContainPolicy *policy, const Containment *contain) {
    for (size_t i = 0; i < policy->n_never; i++)
        if (statement_pattern_fits(policy->never[i], contain->arn) ||
            statement_pattern_fits(policy->never[i], contain->name))
            return true;
    return false;
}

static const char *why_not(const ContainPolicy *policy, const ContainDeed *deed, Containment *ret) {
    Arn arn;
    const char *why = identify(deed->actor, &arn, ret);

    if (why)
        return why;
    if (!text_equal(ret->account, deed->account))
        return "it belongs to another account than the trail";
    if (!policy->own[0] || !policy->own[0][0])
        return "it is not known yet whether it is this guard";
    if (is_guard(policy, deed->actor, ret->arn))
        return "it is a guard of this trail";
    if (ret->is_role && text_equal(ret->name, POLICY_BREAK_GLASS))
        return "it is the break-glass role";
    if (is_exempt(policy, ret))
        return "contain.never names it";
    return NULL;
}

/* Why it is only proposed: if the guard cannot be sure of the identity, a person decides. */
static const char *why_not_enforced(const ContainPolicy *policy, const ContainDeed *deed,
                                    const Containment *contain) {
    const char *session = strrchr(deed->actor->arn, '/');

    if (!deed->writable)
        return "the mode of the account is observe, or these are no keys of it";
    if (contain->war && contain->n_tamperings < MIN(policy->after, WAR_CALLS_MIN))
        return "it made one call of this war, as far as is known, and anyone can make one by mistake";
    if (contain->is_role && strstr(contain->arn, ":role/service-role/"))
        return "AWS services of yours use the role";
    if (contain->is_role && session && text_starts_with(session, "/i-"))
        return "the session is that of an EC2 instance, and all its programs would lose their rights";
    return NULL;
}

/* ---- history ---- */

static uint64_t since(uint64_t then_usec, uint64_t now_usec) {
    return now_usec > then_usec ? now_usec - then_usec : 0;
}

/* After the clock was set back, times in the future become now, or they would count until the clock has
 * caught up. */
static void contain_take_clock(ContainHistory *history, uint64_t now_usec) {
    for (size_t i = 0; i < history->n; i++) {
        ContainIdentity *item = &history->items[i];

        item->proposed_usec = MIN(item->proposed_usec, now_usec);
        item->enforced_usec = MIN(item->enforced_usec, now_usec);
        item->released_usec = MIN(item->released_usec, now_usec);
    }
}

/* When the entry stops mattering: max_per_day counts proposals. */
static uint64_t last_usec(const ContainIdentity *item) {
    uint64_t counted_usec = MAX(item->proposed_usec, item->enforced_usec);

    return MAX(item->tampered_usec[0], counted_usec ? counted_usec + DAY_USEC : 0);
}

/* The identity's entry, or a new one; at the limit it replaces the one that stopped mattering first. */
static ContainIdentity *item_of(ContainHistory *history, const Containment *contain) {
    ContainIdentity *item = NULL;

    for (size_t i = 0; i < history->n; i++) {
        if (text_equal(history->items[i].arn, contain->arn))
            return &history->items[i];
        if (!item || last_usec(&history->items[i]) < last_usec(item))
            item = &history->items[i];
    }
    if (history->n < CONTAIN_IDENTITIES_MAX) {
        ContainIdentity *grown = realloc(history->items, (history->n + 1) * sizeof(*grown));

        if (!grown)
            return NULL;
        history->items = grown;
        item = &grown[history->n++];
    }
    *item = (ContainIdentity){ .proposed_usec = 0 };
    (void)text_copy(item->arn, sizeof(item->arn), contain->arn);
    (void)text_copy(item->account, sizeof(item->account), contain->account);
    return item;
}

static uint64_t mark_of(const char *what, uint64_t with) {
    uint64_t mark = guard_hash(guard_hash(GUARD_HASH_BASIS, what, strlen(what)), &with, sizeof(with));

    mark &= INT64_MAX; /* the state file has signed numbers */
    return mark ? mark : 1;
}

/* A call counts once, in whichever incident it is found. */
static void note_tampering(ContainIdentity *item, const Actor *actor) {
    uint64_t event = mark_of(actor->event_id, 0);
    size_t at = 0;

    for (size_t i = 0; i < CONTAIN_AFTER_MAX; i++)
        if (item->events[i] == event)
            return;
    while (at < CONTAIN_AFTER_MAX && item->tampered_usec[at] > actor->event_usec)
        at++;
    if (at == CONTAIN_AFTER_MAX)
        return;
    memmove(&item->tampered_usec[at + 1], &item->tampered_usec[at],
            (CONTAIN_AFTER_MAX - at - 1) * sizeof(item->tampered_usec[0]));
    memmove(&item->events[at + 1], &item->events[at],
            (CONTAIN_AFTER_MAX - at - 1) * sizeof(item->events[0]));
    item->tampered_usec[at] = actor->event_usec;
    item->events[at] = event;
}

static unsigned count_tamperings(const ContainIdentity *item) {
    unsigned n = 0;

    while (n < CONTAIN_AFTER_MAX && item->events[n] != 0 && item->tampered_usec[n] > item->released_usec &&
           since(item->tampered_usec[n], item->tampered_usec[0]) < HOUR_USEC)
        n++;
    return n;
}

/* Other identities of the account that were proposed, or held, within a day. */
static unsigned count_others(const ContainHistory *history, const ContainIdentity *but, bool held,
                             uint64_t now_usec) {
    unsigned n = 0;

    for (size_t i = 0; i < history->n; i++) {
        const ContainIdentity *item = &history->items[i];
        uint64_t then_usec = held ? item->enforced_usec : item->proposed_usec;

        n += item != but && text_equal(item->account, but->account) && then_usec != 0 &&
             since(then_usec, now_usec) < DAY_USEC;
    }
    return n;
}

static bool is_held(const ContainHistory *history, const char *arn) {
    for (size_t i = 0; i < history->n_holds; i++)
        if (text_equal(history->holds[i].arn, arn))
            return !history->holds[i].given_up;
    return false;
}

/* The last one of a day is reserved for a war: tampering users that the attacker creates must not use it
 * up. */
static const char *why_full(const ContainPolicy *policy, const ContainHistory *history,
                            const ContainIdentity *item, bool war, uint64_t now_usec) {
    unsigned max = policy->max_per_day;

    if (history->n_holds >= CONTAIN_HOLDS_MAX)
        return "as many identities are held as the guard keeps";
    if (!war && max > 1)
        max--;
    return count_others(history, item, true, now_usec) >= max
                   ? "contain.max_per_day is reached in this account"
                   : NULL;
}

/* False if it was given before. */
static bool note_verdict(ContainIdentity *item, const char *incident, ContainVerdict verdict) {
    uint64_t mark = mark_of(incident, verdict);

    for (size_t i = 0; i < CONTAIN_MARKS_MAX; i++)
        if (item->marks[i] == mark)
            return false;
    memmove(&item->marks[1], &item->marks[0], (CONTAIN_MARKS_MAX - 1) * sizeof(item->marks[0]));
    item->marks[0] = mark;
    return true;
}

/* PROPOSED, ENFORCED or REFUSED. */
static ContainVerdict judge(const ContainPolicy *policy, const ContainHistory *history,
                            const ContainDeed *deed, const ContainIdentity *item, uint64_t now_usec,
                            Containment *contain) {
    if (contain->why_not)
        return CONTAIN_REFUSED;
    if (policy->mode == CONTAIN_ENFORCE) {
        contain->why_not = why_not_enforced(policy, deed, contain);
        if (!contain->why_not)
            contain->why_not = why_full(policy, history, item, contain->war, now_usec);
        if (!contain->why_not)
            return CONTAIN_ENFORCED;
    }
    /* users that the attacker creates must not prevent a proposal about the one who makes the war */
    if (contain->war || count_others(history, item, false, now_usec) < policy->max_per_day)
        return CONTAIN_PROPOSED;
    contain->why_not = "contain.max_per_day is reached in this account";
    return CONTAIN_REFUSED;
}

int contain_take(const ContainPolicy *policy, ContainHistory *history, const ContainDeed *deed,
                 uint64_t now_usec, Containment *ret) {
    Containment contain = { .war = deed->contested, .time_usec = now_usec };
    ContainIdentity *item;

    *ret = (Containment){ .verdict = CONTAIN_NOTHING };
    if (policy->mode == CONTAIN_OFF || !deed->tampers || !deed->actor->event_id[0] ||
        deed->actor->error_code[0] || deed->actor->omitted)
        return 0;
    contain_take_clock(history, now_usec);
    contain.why_not = why_not(policy, deed, &contain);
    item = item_of(history, &contain);
    if (!item)
        return -ENOMEM;
    note_tampering(item, deed->actor);
    contain.n_tamperings = count_tamperings(item);
    contain.war = contain.war && deed->actor->event_usec > item->released_usec;
    if ((!contain.war && contain.n_tamperings < policy->after) || is_held(history, contain.arn))
        return 0;
    contain.verdict = judge(policy, history, deed, item, now_usec, &contain);
    if (!note_verdict(item, deed->incident, contain.verdict))
        return 0;
    if (contain.verdict == CONTAIN_PROPOSED)
        item->proposed_usec = now_usec;
    if (contain.verdict == CONTAIN_ENFORCED)
        item->enforced_usec = now_usec;
    *ret = contain;
    return 0;
}

void contain_forgive(ContainHistory *history, const char *arn, uint64_t now_usec) {
    for (size_t i = 0; i < history->n; i++)
        if (text_equal(history->items[i].arn, arn)) {
            history->items[i].released_usec = now_usec;
            memset(history->items[i].marks, 0, sizeof(history->items[i].marks));
        }
}

void contain_history_done(ContainHistory *history) {
    free(history->items);
    free(history->holds);
    *history = (ContainHistory){ 0 };
}

/* ---- commands ---- */

int contain_reason(const Containment *contain, StrBuf *b) {
    if (contain->war)
        return strbuf_add(b, "a war: it stops a trail again after each restart");
    return strbuf_addf(b, "%u tampering%s within an hour", contain->n_tamperings,
                       contain->n_tamperings == 1 ? "" : "s");
}

const char *contain_short_arn(const char *arn, char dst[static ACTOR_TEXT_MAX]) {
    const char *path = strchr(arn, '/'), *name = strrchr(arn, '/');

    if (!text_copy(dst, ACTOR_TEXT_MAX, arn) && path != name)
        (void)snprintf(dst, ACTOR_TEXT_MAX, "%.*s/...%s", (int)(path - arn), arn, name);
    return dst;
}

void contain_entry(const Containment *contain, const Actor *actor, JournalEntry *ret) {
    _cleanup_strbuf_ StrBuf detail = STRBUF_INIT(2 * ERROR_TEXT_MAX);
    bool refused = contain->verdict == CONTAIN_REFUSED;
    const char *objection = contain->why_not;
    char whose[ACTOR_TEXT_MAX];

    (void)strbuf_addf(&detail, "%s, because of ", contain_short_arn(contain->arn, whose));
    (void)contain_reason(contain, &detail);
    (void)strbuf_addf(&detail, "%s%s%s", objection ? "; " : "",
                      objection && !refused ? "not enforced: " : "", objection ? objection : "");
    *ret = (JournalEntry){ .line = refused ? LINE_CONTAIN_REFUSED : LINE_CONTAIN_PROPOSED, .actor = *actor };
    (void)text_copy(ret->detail, sizeof(ret->detail), strbuf_str(&detail));
}

/* Whoever may change IAM could remove the policy, so that right goes first. */
static void add_first_policy(const Containment *contain, StrBuf *b) {
    char now[TIMETEXT_MAX];

    (void)strbuf_add(b, "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"DenyIdentityChanges\","
                        "\"Effect\":\"Deny\","
                        "\"Action\":[\"iam:*\",\"sts:AssumeRole\"],\"Resource\":\"*\"}");
    if (contain->is_role)
        (void)strbuf_addf(b,
                          ",{\"Sid\":\"AWSRevokeOlderSessions\",\"Effect\":\"Deny\",\"Action\":\"*\","
                          "\"Resource\":\"*\","
                          "\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"%s\"}}}",
                          timetext_iso(now, contain->time_usec));
    (void)strbuf_add(b, "]}");
}

int contain_commands(const Containment *contain, bool undo, StrBuf *b) {
    const char *kind = contain->is_role ? "role" : "user", *name = contain->name;
    _cleanup_strbuf_ StrBuf arn = STRBUF_INIT(ACTOR_TEXT_MAX);

    (void)strbuf_addf(&arn, "arn:%s:iam::%s:policy/" CONTAIN_POLICY "-%s-%s", contain->partition,
                      contain->account, kind, name);
    if (strbuf_error(&arn) < 0)
        return strbuf_add_buf(b, &arn); /* the error, so that b does not look complete */
    if (undo) {
        (void)strbuf_addf(b, "aws iam detach-%s-policy --%s-name=%s --policy-arn %s\n", kind, kind, name,
                          strbuf_str(&arn));
        (void)strbuf_addf(b, "aws iam delete-policy --policy-arn %s\n", strbuf_str(&arn));
        return strbuf_addf(b, "aws iam delete-%s-policy --%s-name=%s --policy-name " CONTAIN_POLICY "\n",
                           kind, kind, name);
    }
    (void)strbuf_addf(b, "trailguard policy deny --account %s >" CONTAIN_POLICY ".json\n", contain->account);
    (void)strbuf_addf(
            b, "aws iam put-%s-policy --%s-name=%s --policy-name " CONTAIN_POLICY " --policy-document '",
            kind, kind, name);
    add_first_policy(contain, b);
    (void)strbuf_addf(b,
                      "'\naws iam create-policy --policy-name " CONTAIN_POLICY
                      "-%s-%s --policy-document file://" CONTAIN_POLICY ".json\n",
                      kind, name);
    return strbuf_addf(b, "aws iam attach-%s-policy --%s-name=%s --policy-arn %s\n", kind, kind, name,
                       strbuf_str(&arn));
}
