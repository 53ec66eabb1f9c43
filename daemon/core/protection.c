/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/protection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/guard.h"
#include "daemon/core/statement.h"
#include "lib/endpoint.h"
#include "lib/util/hash.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- rights ---- */

static size_t take_texts(const json_t *value, const char **ret, size_t max) {
    const char *one = json_string_value(value);
    size_t n = 0;

    if (one)
        ret[n++] = one;
    for (size_t i = 0; i < json_array_size(value) && n < max; i++)
        ret[n++] = json_string_value(json_array_get(value, i));
    return n;
}

/* "arn:PARTITION:cloudtrail:*:ACCOUNT:trail/..." stands for the trails found there. */
static bool is_any_trail(const char *resource) {
    return text_ends_with(resource, ":trail/*");
}

void rights_question(const json_t *statement, const char *const *trails, size_t n_trails,
                     RightsQuestion *ret) {
    size_t n = 0;

    *ret = (RightsQuestion){ 0 };
    if (text_equal(json_string_value(json_object_get(statement, "Effect")), "Deny"))
        return; /* a denied action needs no right */
    ret->n_actions = take_texts(json_object_get(statement, "Action"), ret->actions, RIGHTS_ACTIONS_MAX);
    ret->n_resources =
            take_texts(json_object_get(statement, "Resource"), ret->resources, RIGHTS_RESOURCES_MAX);
    for (size_t i = 0; i < ret->n_actions; i++)
        ret->passes_role |= text_equal(ret->actions[i], "iam:PassRole");
    if (ret->n_resources == 1 && is_any_trail(ret->resources[0])) {
        const char *pattern = ret->resources[0];

        for (size_t i = 0; i < n_trails && n < RIGHTS_RESOURCES_MAX; i++)
            if (statement_pattern_fits(pattern, trails[i]))
                ret->resources[n++] = trails[i];
        ret->n_resources = MAX(n, 1U);
    }
}

bool right_is_vital(const char *action) {
    static const char *const lesser[] = {
        "cloudtrail:LookupEvents",
        "cloudtrail:ListTags",
        "cloudtrail:GetInsightSelectors",
        "cloudtrail:GetEventConfiguration",
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:GetSubscriptionAttributes",
    };

    for (size_t i = 0; i < ARRAY_SIZE(lesser); i++)
        if (text_equal(action, lesser[i]))
            return false;
    return text_starts_with(action, "cloudtrail:") || text_starts_with(action, "sns:") ||
           text_starts_with(action, "sts:");
}

bool right_is_optional(const char *action) {
    return text_equal(action, "account:GetRegionOptStatus");
}

/* What is longer is counted. */
static void add_loss(GuardLossReport *ret, StrBuf *b, const GuardLoss *loss) {
    size_t begin = b->len;

    (void)strbuf_addf(b, "%s%s on %s (%s)", begin > 0 ? ", " : "", loss->action,
                      loss->resource[0] ? loss->resource : "*", loss->why);
    if (b->len + sizeof(" and 9999 more") > ERROR_TEXT_MAX)
        strbuf_truncate(b, begin);
    else
        ret->n++;
}

void guard_losses_report(const GuardLosses *losses, GuardLossReport *ret) {
    _cleanup_strbuf_ StrBuf shown = STRBUF_INIT(8 * ERROR_TEXT_MAX), all = STRBUF_INIT(1024 * 1024);
    char hex[HASH_HEX_SIZE] = "";
    unsigned n = 0;

    *ret = (GuardLossReport){ .severity = SEVERITY_WARNING };
    for (size_t i = 0; i < losses->n; i++) {
        const GuardLoss *loss = &losses->items[i];

        if (right_is_optional(loss->action))
            continue;
        n++;
        add_loss(ret, &shown, loss);
        (void)strbuf_addf(&all, "%s %s\n", loss->action, loss->resource);
        if (right_is_vital(loss->action))
            ret->severity = SEVERITY_CRITICAL;
    }
    if (n > ret->n)
        (void)strbuf_addf(&shown, " and %u more", n - ret->n);
    ret->n = n;
    (void)text_copy(ret->text, sizeof(ret->text), strbuf_str(&shown));
    (void)hash_sha256_hex(strbuf_str(&all), all.len, hex);
    hex[15] = '\0'; /* state.json has signed numbers */
    ret->mark = strtoull(hex, NULL, 16);
}

bool guard_rights_found(GuardRecord *record, const GuardLossReport *found, uint64_t now_usec) {
    if (found->n == 0 || record->lost_usec != 0) {
        record->found_usec = 0;
        return false;
    }
    if (record->found_usec == 0)
        record->found_usec = now_usec;
    return true;
}

RightsChange guard_rights_take(GuardRecord *record, const GuardLossReport *found, uint64_t now_usec) {
    bool worse = found->severity > record->severity || found->n > record->n_lost;

    record->simulated = true;
    record->n_lost_now = found->n;
    (void)text_copy(record->lost, sizeof(record->lost), found->n > 0 ? found->text : "");
    if (found->n == 0)
        return record->lost_usec != 0 ? RIGHTS_RESTORED : RIGHTS_SAME;
    if (record->lost_usec != 0 && (found->mark == record->lost_mark || !worse))
        return RIGHTS_SAME;
    if (record->lost_usec == 0) {
        record->lost_usec = record->found_usec != 0 ? record->found_usec : now_usec;
        record->sequence = record->n_reminders = 0;
        record->severity = SEVERITY_INFO;
    }
    record->sequence++;
    record->reported_usec = now_usec;
    record->lost_mark = found->mark;
    record->n_lost = found->n;
    record->severity = MAX(record->severity, found->severity);
    return RIGHTS_LOST;
}

bool guard_rights_remind(GuardRecord *record, uint64_t interval_usec, uint64_t now_usec) {
    if (record->lost_usec == 0 || record->n_lost_now == 0 || interval_usec == 0)
        return false;
    if (record->reported_usec > now_usec) /* the clock was set back */
        record->reported_usec = now_usec;
    if (now_usec - record->reported_usec < interval_usec)
        return false;
    record->reported_usec = now_usec;
    record->sequence++;
    record->n_reminders++;
    return true;
}

Event guard_rights_event(const GuardRecord *record, EventPhase phase, const char *why_forgotten,
                         Mode mode) {
    const char *detail = why_forgotten ? why_forgotten : "IAM would allow all that the guard needs again";
    bool over = phase == PHASE_RESOLVED, reminds = phase == PHASE_REMINDER;
    EventKind kind = over      ? EVENT_GUARD_RIGHTS_RESTORED
                     : reminds ? EVENT_INCIDENT_REMINDER
                               : EVENT_GUARD_RIGHTS_LOST;
    Event event = event_new(kind, phase, record->severity, record->lost_usec, mode,
                            over ? detail : record->lost);

    event.sequence = record->sequence + over;
    if (phase == PHASE_OPENED) /* a loss that has grown is a message of its own */
        event.dedup_usec += record->sequence - 1;
    event.forgotten = why_forgotten != NULL;
    event.n_reminders = reminds ? record->n_reminders : 0;
    event.still = reminds ? EVENT_GUARD_RIGHTS_LOST : 0;
    return event;
}

Event guard_change_event(const GuardRecord *record, const GuardChange *change, Mode mode) {
    uint64_t mark = guard_mark(guard_hash(GUARD_HASH_BASIS, record->arn, strlen(record->arn)),
                               &record->read_usec, sizeof(record->read_usec));
    Event event = event_new(EVENT_GUARD_CHANGED, PHASE_OPENED, change->severity, mark, mode, change->text);

    event.n_records = change->n_read;
    event.unread = change->unread;
    event.has_actor = change->actor != NULL;
    if (change->actor)
        event.actor = *change->actor;
    return event;
}

GuardRecord *guard_record_find(GuardRecord *records, size_t n, const char *arn) {
    for (size_t i = 0; i < n; i++)
        if (text_equal(records[i].arn, arn))
            return &records[i];
    return NULL;
}

void guard_rights_end(GuardRecord *record) {
    record->lost_usec = record->found_usec = record->lost_mark = record->reported_usec = 0;
    record->n_lost = record->sequence = record->n_reminders = record->n_lost_now = 0;
    record->severity = SEVERITY_INFO;
    record->lost[0] = '\0';
}

#define TROUBLE_USEC (300 * USEC_PER_SEC)
#define GAP_USEC     (20 * USEC_PER_SEC)
#define AGAIN_USEC   (300 * USEC_PER_SEC) /* after the beginning of the last check */
#define BEGIN_USEC   (10 * USEC_PER_SEC)
#define IDLE_USEC    (60 * USEC_PER_SEC)

bool guard_losses_of_denial(const GuardRecord *record, bool denied, const char *text, GuardLossReport *ret) {
    if (!denied || !record->simulated)
        return false;
    *ret = (GuardLossReport){ .n = 1, .severity = SEVERITY_CRITICAL, .mark = 1 };
    (void)snprintf(ret->text, sizeof(ret->text),
                   "IAM may not be asked any more, so every right may be gone: %.*s", ERROR_TEXT_MAX - 80,
                   text);
    return true;
}

static bool is_root(const char *arn) {
    return text_ends_with(arn, ":root");
}

bool identities_take(Identities *who, const char *arn, uint64_t now_usec) {
    if (text_equal(who->latest, arn))
        return false;
    if (who->latest[0]) {
        memcpy(who->former, who->latest, sizeof(who->former));
        who->former_until_usec = now_usec;
    }
    (void)text_copy(who->latest, sizeof(who->latest), arn);
    return true;
}

const char *guard_principal_of(const char *role_arn, const char *identity) {
    return role_arn ? role_arn : is_root(identity) ? "" : identity;
}

bool guard_is_checkable(const GuardPrincipal *principal) {
    return principal->identity[0] && !is_root(principal->identity) && !principal->blocked &&
           !principal->left && (principal->guarded || !principal->by_role);
}

void guard_record_name(const char *principal, char ret[static ARN_MAX]) {
    Arn arn;

    if (arn_parse(principal, &arn) >= 0 && arn_is_role(&arn))
        (void)snprintf(ret, ARN_MAX, "arn:%s:iam::%s:role/%s", arn.partition, arn.account, arn_name(&arn));
    else
        (void)text_copy(ret, ARN_MAX, principal);
}

static bool has_text(const char *const *texts, size_t n, const char *text) {
    for (size_t i = 0; i < n; i++)
        if (text_equal(texts[i], text))
            return true;
    return false;
}

const char *guard_record_why_ended(const GuardRecordUse *use) {
    Arn arn;

    if (!use->checks)
        return "guard_checks is off";
    if (arn_parse(use->arn, &arn) < 0)
        return NULL;
    if (text_equal(arn.service, "sns"))
        return has_text(use->topics, use->n_topics, use->arn) ? NULL
                                                              : "`alerts` does not have the topic any more";
    if (use->account_ended && !use->base)
        return use->account_ended;
    if (use->n_used == 0 || has_text(use->used, use->n_used, "") ||
        has_text(use->used, use->n_used, use->arn))
        return NULL;
    return "the guard uses another user or role there";
}

uint64_t guard_check_gap_usec(uint64_t interval_usec, size_t n_accounts) {
    return MIN(GAP_USEC, interval_usec / (2 * n_accounts + 1));
}

uint64_t guard_check_begin_usec(uint64_t interval_usec) {
    return MIN(BEGIN_USEC, interval_usec / 4);
}

uint64_t guard_check_wait_usec(uint64_t due_usec, uint64_t now_usec) {
    return MIN(due_usec - MIN(due_usec, now_usec), IDLE_USEC);
}

uint64_t guard_check_wanted_usec(uint64_t due_usec, uint64_t begun_usec, uint64_t interval_usec,
                                 uint64_t now_usec) {
    uint64_t again_usec = begun_usec + MIN(AGAIN_USEC, interval_usec);
    uint64_t soon = now_usec + GUARD_CHECK_SOON_USEC;

    if (begun_usec != 0 && now_usec < again_usec)
        soon = again_usec;
    return MIN(due_usec, soon);
}

uint64_t guard_check_next_usec(uint64_t interval_usec, bool trouble, uint64_t random) {
    if (trouble)
        return MIN(interval_usec, TROUBLE_USEC);
    return interval_usec - random % (interval_usec / 24 + 1);
}

void guard_history_of(const char *arn, const char *region, GuardHistory *ret) {
    const char *of_iam = endpoint_iam_region(region);
    Arn parsed;
    bool known = arn_parse(arn, &parsed) >= 0, topic = known && text_equal(parsed.service, "sns");

    *ret = (GuardHistory){ .region = of_iam ? of_iam : region };
    (void)text_copy(ret->name, sizeof(ret->name), known && !topic ? arn_name(&parsed) : arn);
    if (!topic)
        return;
    (void)text_copy(ret->of_topic, sizeof(ret->of_topic), parsed.region);
    ret->region = ret->of_topic;
}

GuardSearchStep guard_search_step(const GuardPage *page, bool *ret_unread) {
    bool shrinks = page->too_big && !page->small, more = shrinks || page->has_next;

    *ret_unread = more || page->failed;
    if (!more || page->n_pages >= GUARD_SEARCH_PAGES_MAX)
        return GUARD_SEARCH_ENDS;
    return shrinks ? GUARD_SEARCH_SHRINKS : GUARD_SEARCH_GOES_ON;
}

/* ---- parts ---- */

/* Written by the console's button "Revoke active sessions" (AWS IAM User Guide, "Revoke IAM role temporary
 * security credentials"). */
#define REVOKED_SESSIONS "AWSRevokeOlderSessions"

static const struct {
    const char *name;  /* in state.json */
    const char *words; /* "the trust policy" */
    const char *all;   /* "inline policies" */
    bool critical;
} kinds[_GUARD_PART_MAX] = {
    [GUARD_PART_TRUST] = { "trust_policy", "the trust policy", "trust policies", true },
    [GUARD_PART_BOUNDARY] = { "boundary", "the permissions boundary", "permissions boundaries", true },
    [GUARD_PART_ATTACHED] = { "attached_policy", "the attached policy", "attached policies", false },
    [GUARD_PART_INLINE] = { "inline_policy", "the inline policy", "inline policies", false },
    [GUARD_PART_KEY] = { "access_key", "the access key", "access keys", false },
    [GUARD_PART_TOPIC_POLICY] = { "topic_policy", "the topic's policy", "topic policies", false },
    [GUARD_PART_TOPIC_KEY] = { "topic_key", "the topic's KMS key", "KMS keys", false },
    [GUARD_PART_SUBSCRIPTION] = { "subscription", "the subscription", "subscriptions", false },
};

const char *guard_part_to_string(unsigned kind) {
    return kind < _GUARD_PART_MAX ? kinds[kind].name : "?";
}

unsigned guard_part_from_string(const char *word) {
    unsigned kind = 0;

    while (kind < _GUARD_PART_MAX && !text_equal(kinds[kind].name, word))
        kind++;
    return kind;
}

void guard_parts_done(GuardParts *parts) {
    free(parts->items);
    *parts = (GuardParts){ 0 };
}

/* JSON is hashed in one form, other text unchanged. -ENOMEM without memory, because another form would look
 * like a change. */
static int digest_of(const char *text, char ret[static GUARD_PART_DIGEST_MAX]) {
    json_auto_t *root = NULL;
    _cleanup_free_ char *sorted = NULL;
    char hex[HASH_HEX_SIZE] = "";
    int r = json_text_parse(text, strlen(text), JSON_DECODE_ANY, NULL, &root);

    if (r == -ENOMEM)
        return r;
    if (r >= 0) {
        sorted = json_text_dump(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        if (!sorted)
            return -ENOMEM;
        text = sorted;
    }
    (void)hash_sha256_hex(text, strlen(text), hex);
    (void)text_copy(ret, GUARD_PART_DIGEST_MAX, hex);
    return 0;
}

static bool are_many(const GuardParts *parts, GuardPartKind kind) {
    for (size_t i = 0; i < parts->n; i++)
        if (parts->items[i].kind == kind && text_equal(parts->items[i].name, GUARD_PARTS_MANY))
            return true;
    return false;
}

int guard_parts_many(GuardParts *parts, GuardPartKind kind) {
    size_t n = 0;

    for (size_t i = 0; i < parts->n; i++)
        if (parts->items[i].kind != kind)
            parts->items[n++] = parts->items[i];
    parts->n = n;
    parts->kinds |= GUARD_PART_BIT(kind);
    return ARRAY_APPEND(parts->items, parts->n, ((GuardPart){ .kind = kind, .name = GUARD_PARTS_MANY }))
                   ? 0
                   : -ENOMEM;
}

int guard_parts_add(GuardParts *parts, GuardPartKind kind, const char *name, const char *text) {
    GuardPart part = { .kind = kind };
    int r = text ? digest_of(text, part.digest) : 0;

    if (r < 0 || are_many(parts, kind))
        return r;
    if (parts->n >= GUARD_PARTS_MAX)
        return -E2BIG;
    (void)text_copy(part.name, sizeof(part.name), name);
    return ARRAY_APPEND(parts->items, parts->n, part) ? 0 : -ENOMEM;
}

static const GuardPart *find(const GuardParts *parts, const GuardPart *like) {
    for (size_t i = 0; i < parts->n; i++)
        if (parts->items[i].kind == like->kind && text_equal(parts->items[i].name, like->name))
            return &parts->items[i];
    return NULL;
}

/* A key's id is no secret, but a message need not have all of it. */
static void add_words(StrBuf *b, const GuardPart *part, const char *what) {
    size_t n = strlen(part->name);

    (void)strbuf_addf(b, "%s%s", b->len > 0 ? "; " : "", kinds[part->kind].words);
    if (part->kind == GUARD_PART_KEY && n >= 12)
        (void)strbuf_addf(b, " %.4s...%s", part->name, part->name + n - 4);
    else if (n > 0)
        (void)strbuf_addf(b, " %s", part->name);
    (void)strbuf_addf(b, " %s", what);
}

static bool is_critical(const GuardPart *part, bool added) {
    return kinds[part->kind].critical || (added && text_equal(part->name, REVOKED_SESSIONS));
}

/* The kinds with too many parts to compare, before or now. Reaching that is a difference. */
static uint32_t compare_many(const GuardParts *before, const GuardParts *now, uint32_t both, StrBuf *ret,
                             unsigned *n) {
    uint32_t many = 0;

    for (unsigned kind = 0; kind < _GUARD_PART_MAX; kind++) {
        bool were = are_many(before, kind), are = are_many(now, kind);

        if (!(both & GUARD_PART_BIT(kind)) || (!were && !are))
            continue;
        many |= GUARD_PART_BIT(kind);
        if (were == are)
            continue;
        (*n)++;
        (void)strbuf_addf(ret, "%s", ret->len > 0 ? "; " : "");
        (void)(are ? strbuf_addf(ret, "there are more %s than TrailGuard can compare", kinds[kind].all)
                   : strbuf_addf(ret, "there are few enough %s to be compared again", kinds[kind].all));
    }
    return many;
}

unsigned guard_parts_compare(const GuardParts *before, const GuardParts *now, StrBuf *ret,
                             Severity *ret_severity) {
    uint32_t both = before->kinds & now->kinds, many;
    bool critical;
    unsigned n = 0;

    many = compare_many(before, now, both, ret, &n);
    critical = n > 0;
    both &= ~many;

    for (size_t i = 0; i < now->n; i++) {
        const GuardPart *part = &now->items[i], *was = find(before, part);

        if (!(both & GUARD_PART_BIT(part->kind)) || (was && text_equal(was->digest, part->digest)))
            continue;
        add_words(ret, part, was ? "was changed" : "was added");
        critical |= is_critical(part, !was);
        n++;
    }
    for (size_t i = 0; i < before->n; i++) {
        const GuardPart *part = &before->items[i];

        if (!(both & GUARD_PART_BIT(part->kind)) || find(now, part))
            continue;
        add_words(ret, part, "was removed");
        critical |= is_critical(part, false);
        n++;
    }
    *ret_severity = critical ? SEVERITY_CRITICAL : SEVERITY_WARNING;
    return n;
}

int guard_parts_merge(GuardParts *record, GuardParts *now) {
    size_t n = now->n;

    for (size_t i = 0; i < record->n; i++) {
        const GuardPart *part = &record->items[i];

        if (!(now->kinds & GUARD_PART_BIT(part->kind)) && !ARRAY_APPEND(now->items, n, *part))
            return -ENOMEM;
    }
    now->n = n;
    now->kinds |= record->kinds;
    guard_parts_done(record);
    *record = *now;
    *now = (GuardParts){ 0 };
    return 0;
}

/* ---- what protects the guard ---- */

static bool is_anyone(const char *principal, const void *userdata) {
    (void)userdata;
    return text_equal(principal, "*");
}

static bool is_account(const char *principal, const void *userdata) {
    (void)userdata;
    return text_ends_with(principal, ":root") || strspn(principal, "0123456789") == strlen(principal);
}

static const char *statement_problem(const json_t *statement) {
    const json_t *principal = json_object_get(statement, "Principal");

    if (!text_equal(json_string_value(json_object_get(statement, "Effect")), "Allow"))
        return NULL;
    if (json_object_get(statement, "NotPrincipal"))
        return "it names who may not, which lets everyone else in";
    if (json_is_object(principal))
        principal = json_object_get(principal, "AWS");
    if (json_object_size(json_object_get(statement, "Condition")) > 0)
        return NULL;
    if (statement_any_fits(principal, is_anyone, NULL))
        return "anyone may assume it (Principal *), without a condition";
    if (statement_any_fits(principal, is_account, NULL))
        return "every administrator of an account may assume it (its root, without a condition)";
    return NULL;
}

const char *protection_trust_problem(const char *trust) {
    json_auto_t *policy = NULL;
    const json_t *statements, *statement;
    const char *problem;
    size_t i;

    (void)json_text_parse(trust, strlen(trust), 0, NULL, &policy);
    statements = json_object_get(policy, "Statement");
    problem = json_is_object(statements) ? statement_problem(statements) : NULL;
    json_array_foreach(statements, i, statement) {
        if (!problem)
            problem = statement_problem(statement);
    }
    if (!statements)
        problem = "it cannot be read";
    return problem;
}
