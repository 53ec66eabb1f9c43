/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/attribute_match.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

/* What an event is about: the trail, or what stands behind it. */
typedef enum About { ABOUT_TRAIL, ABOUT_BUCKET, ABOUT_KEY } About;

#define STOPS    (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_FLAPPED))
#define DELETES  (FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_RECREATED))
#define SETTINGS (FIELD_BIT(FIELD_SELECTORS) - 1)

/* One row a kind of call: which findings it can cause, and for changed settings which fields. */
static const struct {
    const char *name;
    About about;
    uint32_t findings;
    uint32_t fields; /* 0: whatever was changed */
    bool ours;       /* the guard calls it too */
} rows[] = {
    { "StopLogging", ABOUT_TRAIL, STOPS, 0, false },
    { "DeleteTrail", ABOUT_TRAIL, DELETES, 0, false },
    { "UpdateTrail", ABOUT_TRAIL, FINDINGS_DRIFT, SETTINGS, true },
    { "PutEventSelectors", ABOUT_TRAIL, FINDINGS_DRIFT, FIELD_BIT(FIELD_SELECTORS), true },
    { "PutInsightSelectors", ABOUT_TRAIL, FINDINGS_DRIFT, FIELD_BIT(FIELD_INSIGHTS), true },
    { "RemoveTags", ABOUT_TRAIL, FINDINGS_DRIFT, FIELD_BIT(FIELD_TAGS), true },
    { "AddTags", ABOUT_TRAIL, FINDINGS_DRIFT, FIELD_BIT(FIELD_TAGS), true },
    { "DeleteBucket", ABOUT_BUCKET, FINDING_BIT(FINDING_BUCKET), 0, false },
    { "DeleteBucketPolicy", ABOUT_BUCKET, FINDING_BIT(FINDING_BUCKET), 0, false },
    { "PutBucketPolicy", ABOUT_BUCKET, FINDING_BIT(FINDING_BUCKET), 0, false },
    { "PutBucketLifecycle", ABOUT_BUCKET, FINDING_BIT(FINDING_LIFECYCLE), 0, false },
    { "PutBucketLifecycleConfiguration", ABOUT_BUCKET, FINDING_BIT(FINDING_LIFECYCLE), 0, false },
    { "DisableKey", ABOUT_KEY, FINDING_BIT(FINDING_KEY), 0, false },
    { "ScheduleKeyDeletion", ABOUT_KEY, FINDING_BIT(FINDING_KEY), 0, false },
};

_Static_assert(ARRAY_SIZE(rows) <= ATTRIBUTE_NAMES_MAX, "all kinds of calls can be asked for at once");

static bool can_cause(size_t row, uint32_t findings, uint32_t fields) {
    if (!(rows[row].findings & findings))
        return false;
    return rows[row].fields == 0 || fields == 0 || (rows[row].fields & fields);
}

size_t attribute_event_names(uint32_t findings, uint32_t fields,
                             const char *ret[static ATTRIBUTE_NAMES_MAX]) {
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (can_cause(i, findings, fields))
            ret[n++] = rows[i].name;
    return n;
}

/* ---- whom it was ---- */

/* What stands behind the last separator: the session of "AROAEXAMPLE:alice". */
static const char *last_part(const char *text, char separator) {
    const char *at = strrchr(text, separator);

    return at ? at + 1 : "";
}

static void name_actor(const CloudTrailIdentity *who, Actor *ret) {
    const char *role = who->issuer_user_name, *session = last_part(who->principal_id, ':');

    if (text_equal(who->type, "Root"))
        (void)text_copy(ret->name, sizeof(ret->name), "root");
    else if (text_equal(who->type, "AssumedRole"))
        (void)snprintf(ret->name, sizeof(ret->name), "%s%s%s", role[0] ? role : "a role",
                       session[0] ? "/" : "", session);
    else if (who->user_name[0])
        (void)text_copy(ret->name, sizeof(ret->name), who->user_name);
    else if (who->invoked_by[0])
        (void)text_copy(ret->name, sizeof(ret->name), who->invoked_by);
    else if (text_equal(who->type, "AWSAccount"))
        (void)snprintf(ret->name, sizeof(ret->name), "account %s", who->account_id);
    else
        (void)text_copy(ret->name, sizeof(ret->name), who->principal_id);
}

void attribute_actor(const CloudTrailEvent *event, Actor *ret) {
    const CloudTrailIdentity *who = &event->identity;

    *ret = (Actor){ .event_usec = event->event_time_usec };
    (void)text_copy(ret->type, sizeof(ret->type), who->type);
    (void)text_copy(ret->arn, sizeof(ret->arn), who->arn);
    (void)text_copy(ret->account, sizeof(ret->account), who->account_id);
    (void)text_copy(ret->invoked_by, sizeof(ret->invoked_by), who->invoked_by);
    (void)text_copy(ret->source_ip, sizeof(ret->source_ip), event->source_ip);
    (void)text_copy(ret->user_agent, sizeof(ret->user_agent), event->user_agent);
    (void)text_copy(ret->access_key, sizeof(ret->access_key),
                    who->access_key_id[0] ? who->access_key_id : event->access_key_id);
    (void)text_copy(ret->event_id, sizeof(ret->event_id), event->event_id);
    (void)text_copy(ret->event_name, sizeof(ret->event_name), event->event_name);
    (void)text_copy(ret->error_code, sizeof(ret->error_code), event->error_code);
    name_actor(who, ret);
    if (!ret->name[0])
        (void)text_copy(ret->name, sizeof(ret->name), event->username);
}

/* ---- whether it was that ---- */

static bool names_resource(const CloudTrailEvent *event, const char *name) {
    if (!name[0])
        return false;
    for (size_t i = 0; i < event->n_resources; i++)
        if (text_equal(event->resources[i], name))
            return true;
    return false;
}

/* A key is named by ARN or by id. */
static bool is_about(const AttributeRequest *request, const CloudTrailEvent *event, About about) {
    switch (about) {
    case ABOUT_BUCKET:
        return request->bucket[0] &&
               (text_equal(event->bucket, request->bucket) || names_resource(event, request->bucket));
    case ABOUT_KEY:
        return names_resource(event, request->key) || names_resource(event, last_part(request->key, '/'));
    default:
        return text_equal(event->trail, request->trail_name) ||
               text_equal(event->trail, request->trail_arn) || names_resource(event, request->trail_arn);
    }
}

static bool is_own(const AttributeRequest *request, const CloudTrailEvent *event, size_t row) {
    return rows[row].ours && request->own_arn[0] && text_equal(event->identity.arn, request->own_arn);
}

/* The newest ATTEMPTS_MAX, oldest first. */
static void add_attempt(Attribution *found, const Actor *actor) {
    unsigned at = found->n_attempts;

    while (at > 0 && found->attempts[at - 1].event_usec > actor->event_usec)
        at--;
    if (found->n_attempts < ATTEMPTS_MAX) {
        memmove(&found->attempts[at + 1], &found->attempts[at],
                (found->n_attempts - at) * sizeof(*found->attempts));
        found->n_attempts++;
        found->attempts[at] = *actor;
    } else if (at > 0) {
        memmove(&found->attempts[0], &found->attempts[1], (at - 1) * sizeof(*found->attempts));
        found->attempts[at - 1] = *actor;
    }
}

void attribute_take(const AttributeRequest *request, const CloudTrailEvent *event, Attribution *found) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Actor actor;

        if (!text_equal(event->event_name, rows[i].name) ||
            !can_cause(i, request->findings, request->fields))
            continue;
        if (!is_about(request, event, rows[i].about) || is_own(request, event, i) ||
            event->event_time_usec < request->from_usec)
            return;
        attribute_actor(event, &actor);
        if (actor.error_code[0])
            add_attempt(found, &actor);
        else if (!found->found || actor.event_usec > found->actor.event_usec) {
            found->found = true;
            found->actor = actor;
        }
        return;
    }
}
