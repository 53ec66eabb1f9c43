/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define VALUE_MAX 2000

/* ---- building ---- */

static const char *const key_names[_CLOUDTRAIL_LOOKUP_MAX] = {
    [CLOUDTRAIL_LOOKUP_EVENT_ID] = "EventId",           [CLOUDTRAIL_LOOKUP_EVENT_NAME] = "EventName",
    [CLOUDTRAIL_LOOKUP_READ_ONLY] = "ReadOnly",         [CLOUDTRAIL_LOOKUP_USERNAME] = "Username",
    [CLOUDTRAIL_LOOKUP_RESOURCE_TYPE] = "ResourceType", [CLOUDTRAIL_LOOKUP_RESOURCE_NAME] = "ResourceName",
    [CLOUDTRAIL_LOOKUP_EVENT_SOURCE] = "EventSource",   [CLOUDTRAIL_LOOKUP_ACCESS_KEY_ID] = "AccessKeyId",
};

static bool lookup_is_valid(const CloudTrailLookup *l) {
    size_t len = l->value ? strlen(l->value) : 0;

    if ((size_t)l->key >= _CLOUDTRAIL_LOOKUP_MAX || l->max_results > CLOUDTRAIL_LOOKUP_RESULTS_MAX)
        return false;
    if (l->key != CLOUDTRAIL_LOOKUP_ALL && (len == 0 || len > VALUE_MAX))
        return false;
    return l->end_usec == 0 || l->start_usec <= l->end_usec;
}

static json_t *seconds(uint64_t usec, bool round_up) {
    return json_integer((json_int_t)(usec / USEC_PER_SEC + (round_up && usec % USEC_PER_SEC > 0)));
}

static int fill_lookup(json_t *root, const CloudTrailLookup *l) {
    int r = 0;

    if (l->key != CLOUDTRAIL_LOOKUP_ALL)
        r |= json_object_set_new(
                root, "LookupAttributes",
                json_pack("[{s:s,s:s}]", "AttributeKey", key_names[l->key], "AttributeValue", l->value));
    if (l->start_usec > 0)
        r |= json_object_set_new(root, "StartTime", seconds(l->start_usec, false));
    if (l->end_usec > 0)
        r |= json_object_set_new(root, "EndTime", seconds(l->end_usec, true));
    if (l->max_results > 0)
        r |= json_object_set_new(root, "MaxResults", json_integer(l->max_results));
    if (l->next_token && *l->next_token)
        r |= json_object_set_new(root, "NextToken", json_string(l->next_token));
    if (r >= 0)
        return 0;
    r = answer_refusal(l->value);
    return r == -EINVAL ? r : answer_refusal(l->next_token);
}

static int build_lookup(const void *input, const char *token _unused_, char **ret) {
    const CloudTrailLookup *lookup = input;
    json_t *root;
    int r;

    if (!lookup_is_valid(lookup))
        return -EINVAL;
    root = json_object();
    if (!root)
        return -ENOMEM;
    r = fill_lookup(root, lookup);
    if (r < 0) {
        json_decref(root);
        return r;
    }
    return answer_request(root, NULL, ret);
}

#define PATH_PART_MAX 32

/* The path of a text: nested members, separated by dots. */
typedef struct TextMember {
    const char *path;
    size_t offset;
} TextMember;

#define EVENT(member) offsetof(CloudTrailEvent, member)

static const TextMember outer_members[] = {
    { "EventId", EVENT(event_id) },         { "EventName", EVENT(event_name) },
    { "EventSource", EVENT(event_source) }, { "AccessKeyId", EVENT(access_key_id) },
    { "Username", EVENT(username) },
};

#define ISSUER "userIdentity.sessionContext.sessionIssuer."
static const TextMember record_members[] = {
    { "sourceIPAddress", EVENT(source_ip) },
    { "userAgent", EVENT(user_agent) },
    { "errorCode", EVENT(error_code) },
    { "requestID", EVENT(request_id) },
    { "requestParameters.bucketName", EVENT(bucket) },
    { "requestParameters.keyId", EVENT(key) },
    { "requestParameters.logGroupName", EVENT(log_group) },
    { "requestParameters.roleName", EVENT(role) },
    { "requestParameters.topicArn", EVENT(topic) },
    { "requestParameters.customKeyStoreId", EVENT(key_store) },
    { "requestParameters.servicePrincipal", EVENT(principal) },
    { "serviceEventDetails.departureMethod", EVENT(departure) },
    { "userIdentity.type", EVENT(identity.type) },
    { "userIdentity.arn", EVENT(identity.arn) },
    { "userIdentity.principalId", EVENT(identity.principal_id) },
    { "userIdentity.accountId", EVENT(identity.account_id) },
    { "userIdentity.userName", EVENT(identity.user_name) },
    { "userIdentity.invokedBy", EVENT(identity.invoked_by) },
    { "userIdentity.accessKeyId", EVENT(identity.access_key_id) },
    { ISSUER "arn", EVENT(identity.issuer_arn) },
    { ISSUER "userName", EVENT(identity.issuer_user_name) },
    { "userIdentity.sessionContext.sourceIdentity", EVENT(identity.source_identity) },
    { "userIdentity.onBehalfOf.userId", EVENT(identity.on_behalf_of) },
    { "userIdentity.onBehalfOf.identityStoreArn", EVENT(identity.identity_store) },
    { "userIdentity.invokedByDelegate.accountId", EVENT(identity.delegate) },
};

/* Set by functions of their own. */
static const TextMember other_members[] = {
    { NULL, EVENT(trail) },
    { NULL, EVENT(parameters) },
    { NULL, EVENT(details) },
};

static char **text_at(CloudTrailEvent *event, const TextMember *member) {
    return (char **)(void *)((char *)event + member->offset);
}

/* ---- one event ---- */

static const json_t *find(const json_t *object, const char *path) {
    while (object && path) {
        const char *dot = strchrnul(path, '.');
        char name[PATH_PART_MAX];

        (void)text_copy(name, MIN(sizeof(name), (size_t)(dot - path) + 1), path);
        object = answer_member(object, name);
        path = *dot ? dot + 1 : NULL;
    }
    return object;
}

/* The member as text, "" if absent; sets *whole to false if it is no text. 0 or -ENOMEM. */
static int take_text(const json_t *object, const char *path, char **ret, bool *whole) {
    const json_t *value = find(object, path);
    char *text;

    if (value && !json_is_string(value)) {
        *whole = false;
        value = NULL;
    }
    text = answer_cut(value ? json_string_value(value) : "", CLOUDTRAIL_EVENT_TEXT_MAX);
    if (!text)
        return -ENOMEM;
    *ret = text;
    return 0;
}

static int take_texts(const json_t *object, const TextMember *members, size_t n, CloudTrailEvent *event,
                      bool *whole) {
    for (size_t i = 0; i < n; i++) {
        int r = take_text(object, members[i].path, text_at(event, &members[i]), whole);

        if (r < 0)
            return r;
    }
    return 0;
}

/* The trail as the caller wrote it, in the operation's own member; otherwise from AWS's answer. */
static int take_trail(const json_t *record, CloudTrailEvent *event) {
    static const char *const paths[] = {
        "requestParameters.name",
        "requestParameters.trailName",
        "requestParameters.resourceId",
        "responseElements.trailARN",
    };
    const char *text = "";

    for (size_t i = 0; i < ARRAY_SIZE(paths) && !*text; i++) {
        const json_t *value = find(record, paths[i]);

        if (json_is_string(value))
            text = json_string_value(value);
    }
    event->trail = answer_cut(text, CLOUDTRAIL_EVENT_TEXT_MAX);
    return event->trail ? 0 : -ENOMEM;
}

/* An object that does not fit is truncated. */
static int take_object(const json_t *record, const char *name, char **ret) {
    const json_t *object = answer_member(record, name);
    _cleanup_strbuf_ StrBuf cut = STRBUF_INIT(CLOUDTRAIL_EVENT_PARAMETERS_MAX);
    _cleanup_free_ char *text = NULL, *head = NULL;
    int r;

    if (!object)
        return text_set(ret, "");
    /* Escapes can turn one byte into six; the answer itself had a limit. */
    r = answer_dump(object, SIZE_MAX / 2, &text);
    if (r < 0)
        return r;
    if (strlen(text) <= CLOUDTRAIL_EVENT_PARAMETERS_MAX) {
        *ret = TAKE_PTR(text);
        return 0;
    }
    head = answer_cut(text, CLOUDTRAIL_EVENT_PARAMETERS_MAX - strlen("..."));
    if (!head)
        return -ENOMEM;
    (void)strbuf_addf(&cut, "%s...", head);
    return strbuf_take(&cut, ret);
}

/* A text in all of AWS's examples. */
static bool is_true(const json_t *record, const char *path) {
    const json_t *value = find(record, path);

    return json_is_true(value) || text_equal(json_string_value(value), "true");
}

static int take_record(const json_t *object, CloudTrailEvent *event, bool *whole) {
    const char *text = json_string_value(answer_member(object, "CloudTrailEvent"));
    json_t *record = NULL;
    int r;

    r = answer_load(text ? text : "", text ? strlen(text) : 0, &record);
    if (r == -ENOMEM)
        return r;
    *whole = *whole && r >= 0;
    r = take_texts(record, record_members, ARRAY_SIZE(record_members), event, whole);
    if (r >= 0)
        r = take_trail(record, event);
    if (r >= 0)
        r = take_object(record, "requestParameters", &event->parameters);
    if (r >= 0)
        r = take_object(record, "serviceEventDetails", &event->details);
    event->omitted = is_true(record, "requestParameters.omitted");
    event->identity.assumed_root = is_true(record, "userIdentity.sessionContext.assumedRoot");
    json_decref(record);
    return r;
}

static int take_resources(const json_t *object, CloudTrailEvent *event) {
    const json_t *list = answer_member(object, "Resources");

    event->resources = calloc(CLOUDTRAIL_EVENT_RESOURCES_MAX, sizeof(*event->resources));
    if (!event->resources)
        return -ENOMEM;
    for (size_t i = 0; i < json_array_size(list) && event->n_resources < CLOUDTRAIL_EVENT_RESOURCES_MAX;
         i++) {
        const char *name = json_string_value(answer_member(json_array_get(list, i), "ResourceName"));

        if (!name)
            continue;
        event->resources[event->n_resources] = answer_cut(name, CLOUDTRAIL_EVENT_TEXT_MAX);
        if (!event->resources[event->n_resources])
            return -ENOMEM;
        event->n_resources++;
    }
    return 0;
}

static int read_event(const json_t *object, CloudTrailEvent *ret) {
    static const AnswerField time_field =
            ANSWER_FIELD("EventTime", ANSWER_TIME, false, CloudTrailEvent, event_time_usec);
    CloudTrailEvent *event = ret;
    bool whole = true;
    int r;

    *event = (CloudTrailEvent){ 0 };
    r = take_texts(object, outer_members, ARRAY_SIZE(outer_members), event, &whole);
    if (r < 0)
        return r;
    if (answer_fields(object, &time_field, 1, event, NULL) < 0)
        whole = false;
    /* A text here, a boolean in other answers. */
    event->read_only = text_equal(json_string_value(answer_member(object, "ReadOnly")), "true");
    r = take_resources(object, event);
    if (r >= 0)
        r = take_record(object, event, &whole);
    event->whole = r >= 0 && whole;
    return r;
}

static void free_texts(CloudTrailEvent *event, const TextMember *members, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(*text_at(event, &members[i]));
}

static void event_done(CloudTrailEvent *event) {
    free_texts(event, outer_members, ARRAY_SIZE(outer_members));
    free_texts(event, record_members, ARRAY_SIZE(record_members));
    free_texts(event, other_members, ARRAY_SIZE(other_members));
    for (size_t i = 0; i < event->n_resources; i++)
        free(event->resources[i]);
    free(event->resources);
    *event = (CloudTrailEvent){ 0 };
}

/* ---- the answer ---- */

static int read_events(Answer *answer, void *value) {
    static const AnswerField token_field[] = { ANSWER_FIELD("NextToken", ANSWER_TEXT, false,
                                                            CloudTrailEvents, next_token) };
    CloudTrailEvents *events = value;
    const json_t *list;
    int r;

    r = answer_list(answer->root, "Events", false, CLOUDTRAIL_LOOKUP_RESULTS_MAX, &list, answer->fault);
    if (r < 0)
        return r;
    events->items = calloc(json_array_size(list) + 1, sizeof(*events->items));
    if (!events->items)
        return -ENOMEM;
    for (size_t i = 0; i < json_array_size(list); i++) {
        /* Counted first, so that a partly read entry is freed with the rest. */
        events->n++;
        r = read_event(json_array_get(list, i), &events->items[i]);
        if (r < 0)
            return r;
    }
    return answer_fields(answer->root, token_field, 1, events, answer->fault);
}

void cloudtrail_events_done(CloudTrailEvents *events) {
    for (size_t i = 0; i < events->n; i++)
        event_done(&events->items[i]);
    free(events->items);
    free(events->next_token);
    *events = (CloudTrailEvents){ 0 };
}

static void clear_events(void *value) {
    cloudtrail_events_done(value);
}

/* One page: the caller decides whether the next one is worth a call. */
const AwsOperation cloudtrail_lookup_events_operation = {
    CLOUDTRAIL_ROW(cloudtrail_lookup_events, "LookupEvents"),
    .build = build_lookup,
    .read = read_events,
    .clear = clear_events,
    .value_size = sizeof(CloudTrailEvents),
};
