/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/cloudtrail_events.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/cloudtrail_call.h"
#include "lib/cloudtrail_record.h"
#include "lib/util/macros.h"

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
    return r < 0 ? -EINVAL : 0;
}

int cloudtrail_build_lookup(const CloudTrailLookup *lookup, char **ret) {
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
    return answer_request(root, ret);
}

/* ---- reading ---- */

static int read_list(const json_t *list, CloudTrailEvents *events) {
    size_t n = json_array_size(list);

    if (list && !json_is_array(list))
        return -EBADMSG;
    if (n > CLOUDTRAIL_LOOKUP_RESULTS_MAX)
        return -E2BIG;
    events->items = calloc(n + 1, sizeof(*events->items));
    if (!events->items)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int r;

        /* Counted first: what was read of a bad one is freed with the rest. */
        events->n++;
        r = cloudtrail_read_event(json_array_get(list, i), &events->items[i]);
        if (r < 0)
            return r;
    }
    return 0;
}

int cloudtrail_read_events(const char *body, size_t len, CloudTrailEvents *ret) {
    CloudTrailEvents events = { 0 };
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = read_list(answer_member(root, "Events"), &events);
    if (r >= 0)
        r = answer_string(root, "NextToken", &events.next_token);
    json_decref(root);
    if (r < 0) {
        cloudtrail_events_done(&events);
        return r;
    }
    *ret = events;
    return 0;
}

void cloudtrail_events_done(CloudTrailEvents *events) {
    for (size_t i = 0; i < events->n; i++)
        cloudtrail_event_done(&events->items[i]);
    free(events->items);
    free(events->next_token);
    *events = (CloudTrailEvents){ 0 };
}

/* ---- the call ---- */

static void finish_events(const TypedCall *call, const AwsReply *reply) {
    CloudTrailEvents events = { 0 };
    AwsError error;
    int r = 0;

    if (reply->error.class == AWS_OK)
        r = cloudtrail_read_events(reply->body, reply->body_len, &events);
    error = cloudtrail_error(reply, r);
    ((CloudTrailEventsDone)call->done)(&error, error.class == AWS_OK ? &events : NULL, call->userdata);
    cloudtrail_events_done(&events);
}

int cloudtrail_lookup_events(AwsClient *client, CredentialsSource *credentials, const char *region,
                             const CloudTrailLookup *lookup, CloudTrailEventsDone done, void *userdata,
                             CloudTrailCall **ret) {
    static const CloudTrailOperation operation = { CLOUDTRAIL_TARGET("LookupEvents"),
                                                   { .finish = finish_events } };
    _cleanup_free_ char *body = NULL;
    int r;

    r = cloudtrail_build_lookup(lookup, &body);
    if (r < 0)
        return r;
    return cloudtrail_call(client, credentials, region, &operation, body, (TypedDone)done, userdata, ret);
}
