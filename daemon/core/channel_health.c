/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/channel_health.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/core/guard.h"
#include "daemon/core/statement.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define FIRST_USEC      (60 * USEC_PER_SEC)
#define DAILY_USEC      (24 * 3600 * USEC_PER_SEC)
#define DAILY_SPAN_USEC (3600 * USEC_PER_SEC)
#define TROUBLE_USEC    (300 * USEC_PER_SEC)
#define AWS_MANAGED     "alias/aws/sns"
#define PUBLISH         "sns:Publish"

static void _printf_(3, 4) judge(ChannelHealth *ret, ChannelVerdict verdict, const char *format, ...) {
    char text[ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    ret->verdict = verdict;
    (void)text_escaped(ret->text, sizeof(ret->text), text);
}

/* ---- the topic's policy ---- */

/* The caller, in the forms in which a policy may name it. */
typedef struct Caller {
    const char *arn; /* "": unknown */
    char account[16];
} Caller;

static bool is_caller(const char *principal, const void *userdata) {
    const Caller *caller = userdata;
    Arn arn;

    if (text_equal(principal, "*"))
        return true;
    if (!caller->account[0])
        return false;
    if (text_equal(principal, caller->account) || arn_principal_is(principal, caller->arn))
        return true;
    return arn_parse(principal, &arn) == 0 && text_equal(arn.service, "iam") &&
           text_equal(arn.resource, "root") && text_equal(arn.account, caller->account);
}

static bool names_caller(const json_t *statement, const Caller *caller) {
    const json_t *principal = json_object_get(statement, "Principal");

    if (json_is_object(principal))
        principal = json_object_get(principal, "AWS");
    return statement_any_fits(principal, is_caller, caller);
}

/* True only for an unconditional Deny without negation. */
static bool is_denied(const json_t *statement, const Caller *caller) {
    return text_equal(json_string_value(json_object_get(statement, "Effect")), "Deny") &&
           !json_object_get(statement, "Condition") &&
           statement_names_action(json_object_get(statement, "Action"), PUBLISH) &&
           names_caller(statement, caller);
}

static bool may_be_allowed(const json_t *statement, const Caller *caller) {
    const json_t *action = json_object_get(statement, "Action");

    return text_equal(json_string_value(json_object_get(statement, "Effect")), "Allow") &&
           (!action || statement_names_action(action, PUBLISH)) &&
           (json_object_get(statement, "NotPrincipal") || names_caller(statement, caller));
}

/* Returns NULL unless publishing is certainly forbidden. */
static const char *policy_problem(const TopicFacts *facts, const Arn *topic, const Caller *caller) {
    json_t *policy = facts->policy ? json_loads(facts->policy, 0, NULL) : NULL;
    const json_t *statements = json_object_get(policy, "Statement"), *statement;
    bool denied = false, allowed = false;
    size_t i;

    if (json_is_object(statements)) {
        denied = is_denied(statements, caller);
        allowed = may_be_allowed(statements, caller);
    }
    json_array_foreach(statements, i, statement) {
        denied |= is_denied(statement, caller);
        allowed |= may_be_allowed(statement, caller);
    }
    if (!policy || !statements)
        allowed = true; /* unknown */
    json_decref(policy);
    if (denied)
        return "the topic's policy denies sns:Publish to the guard";
    if (!allowed && caller->account[0] && !text_equal(caller->account, topic->account))
        return "the topic belongs to another account, and its policy does not allow the guard sns:Publish";
    return NULL;
}

/* ---- the topic's key ---- */

bool channel_health_key_arn(const char *topic_arn, const char *key, char ret[static ARN_MAX]) {
    Arn topic;
    int n;

    if (!key[0] || arn_parse(topic_arn, &topic) < 0)
        return false;
    if (text_starts_with(key, "arn:"))
        return text_copy(ret, ARN_MAX, key);
    n = snprintf(ret, ARN_MAX, "arn:%s:kms:%s:%s:%s%s", topic.partition, topic.region, topic.account,
                 text_starts_with(key, "alias/") ? "" : "key/", key);
    return n > 0 && n < ARN_MAX;
}

static bool key_problem(const TopicFacts *facts, const Arn *topic, const Caller *caller,
                        ChannelHealth *ret) {
    if (!facts->key[0])
        return false;
    if (strstr(facts->key, AWS_MANAGED) && caller->account[0] &&
        !text_equal(caller->account, topic->account)) {
        judge(ret, CHANNEL_BROKEN,
              "the topic is encrypted with its account's " AWS_MANAGED ", which no other account may use");
        return true;
    }
    if (!facts->key_state[0] || text_equal(facts->key_state, "Enabled"))
        return false;
    judge(ret, CHANNEL_BROKEN, "the topic's KMS key %s is %s", facts->key, facts->key_state);
    return true;
}

/* ---- channel health ---- */

static const char *plural(unsigned n) {
    return n == 1 ? "" : "s";
}

static void judge_subscriptions(const TopicFacts *facts, ChannelHealth *ret) {
    char waiting[64] = "";

    if (facts->pending > 0)
        (void)snprintf(waiting, sizeof(waiting), "; %u wait%s for confirmation", facts->pending,
                       facts->pending == 1 ? "s" : "");
    if (facts->confirmed == 0)
        judge(ret, CHANNEL_UNHEARD, "the topic has no confirmed subscription%s", waiting);
    else if (facts->filtered >= facts->confirmed)
        judge(ret, CHANNEL_UNHEARD,
              "the filter policy of each confirmed subscription drops critical alerts");
    else if (facts->filtered > 0)
        judge(ret, CHANNEL_HEARD, "%u confirmed subscription%s, %u of which %s critical alerts%s",
              facts->confirmed, plural(facts->confirmed), facts->filtered,
              facts->filtered == 1 ? "drops" : "drop", waiting);
    else
        judge(ret, CHANNEL_HEARD, "%u confirmed subscription%s%s", facts->confirmed,
              plural(facts->confirmed), waiting);
}

void channel_health_topic(const TopicFacts *facts, ChannelHealth *ret) {
    Caller caller = { .arn = facts->caller };
    const char *problem;
    Arn topic, arn;

    if (arn_parse(facts->arn, &topic) < 0) {
        judge(ret, CHANNEL_UNCHECKED, "it is no topic");
        return;
    }
    if (facts->caller[0] && arn_parse(facts->caller, &arn) == 0)
        (void)text_copy(caller.account, sizeof(caller.account), arn.account);
    problem = policy_problem(facts, &topic, &caller);
    if (facts->gone)
        judge(ret, CHANNEL_BROKEN, "the topic does not exist");
    else if (problem)
        judge(ret, CHANNEL_BROKEN, "%s", problem);
    else if (!key_problem(facts, &topic, &caller, ret))
        judge_subscriptions(facts, ret);
}

uint64_t channel_health_first_usec(bool at_once, uint64_t interval_usec) {
    if (at_once)
        return 0;
    return interval_usec > 0 ? MIN(FIRST_USEC, interval_usec) : FIRST_USEC;
}

uint64_t channel_health_next_usec(ChannelVerdict verdict, bool error, uint64_t random) {
    bool trouble = error || verdict == CHANNEL_UNHEARD || verdict == CHANNEL_BROKEN;

    return trouble ? TROUBLE_USEC : DAILY_USEC - random % DAILY_SPAN_USEC;
}

/* ---- reports ---- */

Event channel_event(ChannelChange change, const ChannelTrouble *trouble, Mode mode) {
    static const struct {
        EventKind kind;
        Severity severity;
        bool resolves, forgotten;
    } rows[_CHANNEL_CHANGE_MAX] = {
        [CHANNEL_FAILS] = { EVENT_CHANNEL_FAILED, SEVERITY_CRITICAL, false, false },
        [CHANNEL_WORKS] = { EVENT_CHANNEL_RECOVERED, SEVERITY_WARNING, true, false },
        [CHANNEL_LEFT] = { EVENT_CHANNEL_RECOVERED, SEVERITY_WARNING, true, true },
        [CHANNEL_LOSES_ALL] = { EVENT_CHANNEL_UNHEARD, SEVERITY_CRITICAL, false, false },
        [CHANNEL_REACHES_SOMEONE] = { EVENT_CHANNEL_HEARD, SEVERITY_CRITICAL, true, false },
        [CHANNEL_LEFT_UNHEARD] = { EVENT_CHANNEL_HEARD, SEVERITY_CRITICAL, true, true },
    };
    bool resolves = rows[change].resolves;
    char detail[2 * ERROR_TEXT_MAX];
    Event event;

    (void)snprintf(detail, sizeof(detail), "%.440s%s%s", trouble->channel, trouble->text[0] ? ": " : "",
                   trouble->text);
    event = event_new(rows[change].kind, resolves ? PHASE_RESOLVED : PHASE_OPENED, rows[change].severity,
                      trouble->since_usec, mode, detail);
    event.sequence = resolves ? 2 : 1;
    event.forgotten = rows[change].forgotten;
    return event;
}

JournalLine channel_news(ChannelChange change, const ChannelTrouble *trouble,
                         char ret[static CHANNEL_NEWS_MAX]) {
    enum { HEARTBEAT_FAILS = _CHANNEL_CHANGE_MAX + CHANNEL_FAILS, HEARTBEAT_WORKS };
    static const struct {
        JournalLine line;
        const char *before, *behind, *end; /* the name and the text; end NULL: no text */
    } rows[] = {
        [CHANNEL_FAILS] = { LINE_CHANNEL_FAILED, "alerts by ",
                            " fail: ", "; they are kept and tried again" },
        [CHANNEL_WORKS] = { LINE_CHANNEL_RECOVERED, "alerts by ", " get through again", NULL },
        [CHANNEL_LEFT] = { _LINE_MAX, "", ": failed, and is not configured any more", NULL },
        [CHANNEL_LOSES_ALL] = { LINE_CHANNEL_UNHEARD, "nobody receives alerts through ", ": ", "" },
        [CHANNEL_REACHES_SOMEONE] = { LINE_CHANNEL_HEARD, "alerts by ", " reach someone again: ", "" },
        [CHANNEL_LEFT_UNHEARD] = { _LINE_MAX, "", ": nobody got its alerts, and is not configured any more",
                                   NULL },
        /* signals are not kept: the next one has the state at that time */
        [HEARTBEAT_FAILS] = { LINE_CHANNEL_FAILED, "the ", " fails: ", "; it goes on at its interval" },
        [HEARTBEAT_WORKS] = { LINE_CHANNEL_RECOVERED, "the ", " reaches its switch again", NULL },
    };
    bool of_heartbeat = change < CHANNEL_LEFT && text_equal(trouble->channel, HEARTBEAT_KEY);
    size_t at = change + (of_heartbeat ? _CHANNEL_CHANGE_MAX : 0U);

    (void)snprintf(ret, CHANNEL_NEWS_MAX, "%s%.440s%s%s%s", rows[at].before, trouble->channel,
                   rows[at].behind, rows[at].end ? trouble->text : "", rows[at].end ? rows[at].end : "");
    return rows[at].line;
}

/* ---- filter policies of subscriptions ---- */

/* The attributes of an alert. NULL: it depends on the trail. */
static const struct {
    const char *name, *value;
} attributes[] = {
    { "severity", "critical" }, { "event", "trail.stopped" }, { "account", NULL },
    { "region", NULL },         { "trail", NULL },
};

static bool is_in(const json_t *value, const char *text) {
    const char *one = json_string_value(value),
               *prefix = json_string_value(json_object_get(value, "prefix"));

    if (one)
        return text_equal(one, text);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (text_equal(json_string_value(json_array_get(value, i)), text))
            return true;
    return prefix && text_starts_with(text, prefix);
}

/* May {"prefix": ...} and the like take the text? What is not known may. */
static bool matcher_may_take(const json_t *matcher, const char *text) {
    void *first = json_object_iter((json_t *)matcher);
    const char *name = json_object_iter_key(first);
    const json_t *value = json_object_iter_value(first);
    const char *word = json_string_value(value);

    if (text_equal(name, "prefix"))
        return !word || text_starts_with(text, word);
    if (text_equal(name, "suffix"))
        return !word || text_ends_with(text, word);
    if (text_equal(name, "equals-ignore-case"))
        return !word || strcasecmp(word, text) == 0;
    if (text_equal(name, "anything-but"))
        return !is_in(value, text);
    if (text_equal(name, "exists"))
        return json_is_true(value);
    return !text_equal(name, "numeric");
}

static bool list_may_take(const json_t *list, const char *text) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);

        if (json_is_object(one) ? matcher_may_take(one, text) : text_equal(json_string_value(one), text))
            return true;
    }
    return false;
}

/* Of an attribute that no alert has. */
static bool list_takes_absence(const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_is_false(json_object_get(json_array_get(list, i), "exists")))
            return true;
    return false;
}

static bool key_may_take(const char *key, const json_t *list) {
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
        if (text_equal(key, attributes[i].name))
            return !attributes[i].value || list_may_take(list, attributes[i].value);
    return list_takes_absence(list);
}

static bool policy_may_take(const json_t *policy, unsigned depth);

static bool any_may_take(const json_t *list, unsigned depth) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (policy_may_take(json_array_get(list, i), depth + 1))
            return true;
    return false;
}

#define DEPTH_MAX 5

static bool policy_may_take(const json_t *policy, unsigned depth) {
    const char *key;
    json_t *list;

    if (depth > DEPTH_MAX)
        return true;
    json_object_foreach((json_t *)policy, key, list) {
        if (text_equal(key, "$or") ? !any_may_take(list, depth) : !key_may_take(key, list))
            return false;
    }
    return true;
}

bool subscription_filter_drops(const char *policy, const char *scope) {
    json_t *root = text_equal(scope, "MessageBody") ? NULL : json_loads(policy, 0, NULL);
    bool drops = json_is_object(root) && !policy_may_take(root, 0);

    json_decref(root);
    return drops;
}
