/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CloudTrail's answers: each reader says no, or keeps the promises of cloudtrail.h. */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/cloudtrail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void try_status(const char *body, size_t len) {
    CloudTrailStatus s, before;
    int r;

    memset(&s, 0xaa, sizeof(s));
    before = s;
    r = operation_read(&cloudtrail_get_trail_status_operation, body, len, NULL, &s);
    check(r == 0 || r == -EBADMSG);
    if (r < 0) {
        check(memcmp(&s, &before, sizeof(s)) == 0);
        return;
    }
    check(memchr(s.delivery_error, '\0', sizeof(s.delivery_error)) != NULL);
    check(memchr(s.digest_error, '\0', sizeof(s.digest_error)) != NULL);
    check(memchr(s.log_group_error, '\0', sizeof(s.log_group_error)) != NULL);
    check(memchr(s.notification_error, '\0', sizeof(s.notification_error)) != NULL);
}

static void try_trails(const char *body, size_t len) {
    CloudTrailTrails trails = { 0 };
    Arn arn;
    int r;

    r = operation_read(&cloudtrail_describe_trails_operation, body, len, NULL, &trails);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 || (trails.n == 0 && !trails.items));
    check(trails.n <= CLOUDTRAIL_TRAILS_MAX);
    for (size_t i = 0; i < trails.n; i++) {
        check(trails.items[i].name && trails.items[i].home_region && trails.items[i].bucket);
        check(trails.items[i].prefix && trails.items[i].kms_key && trails.items[i].log_role);
        check(arn_parse(trails.items[i].arn, &arn) == 0 && arn_is_trail(&arn));
    }
    cloudtrail_trails_done(&trails);
}

/* What was read can be put back, and says the same when it is read again. */
static void try_selectors(const char *body, size_t len) {
    CloudTrailSelectors selectors = { 0 }, again = { 0 };
    char *put = NULL;
    int r;

    r = operation_read(&cloudtrail_get_event_selectors_operation, body, len, NULL, &selectors);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 || (!selectors.event_selectors && !selectors.advanced_event_selectors));
    if (r < 0)
        return;
    r = operation_build(&cloudtrail_put_event_selectors_operation,
                        &(CloudTrailWrite){ .trail = "x", .selectors = &selectors }, NULL, &put);
    check((r == 0) == (!*selectors.event_selectors != !*selectors.advanced_event_selectors));
    if (r == 0) {
        check(operation_read(&cloudtrail_get_event_selectors_operation, put, strlen(put), NULL, &again) ==
              0);
        check(strcmp(selectors.event_selectors, again.event_selectors) == 0);
        check(strcmp(selectors.advanced_event_selectors, again.advanced_event_selectors) == 0);
    }
    free(put);
    cloudtrail_selectors_done(&again);
    cloudtrail_selectors_done(&selectors);
}

static void try_insights(const char *body, size_t len) {
    char *text = NULL, *put = NULL;
    int r;

    r = operation_read(&cloudtrail_get_insight_selectors_operation, body, len, NULL, &text);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check((r == 0) == (text != NULL));
    if (text)
        check(operation_build(&cloudtrail_put_insight_selectors_operation,
                              &(CloudTrailWrite){ .trail = "x", .text = text }, NULL, &put) == 0);
    free(put);
    free(text);
}

static void try_tags(const char *body, size_t len) {
    static const char arn[] = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main";
    CloudTrailTags tags = { 0 };
    char *token = NULL;
    int r;

    r = operation_read_page(&cloudtrail_list_tags_operation, &(AwsReply){ .body = body, .body_len = len },
                            arn, &tags, &token, NULL);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 || (!token && tags.n == 0));
    check(tags.n <= CLOUDTRAIL_TAGS_MAX);
    for (size_t i = 0; i < tags.n; i++)
        check(tags.items[i].key && tags.items[i].value);
    free(token);
    cloudtrail_tags_done(&tags);
}

static void check_text(const char *text, size_t max) {
    check(text && strlen(text) <= max);
}

static void try_events(const char *body, size_t len) {
    CloudTrailEvents events = { 0 };
    int r;

    r = operation_read(&cloudtrail_lookup_events_operation, body, len, NULL, &events);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 ? events.next_token != NULL : !events.items);
    check(events.n <= CLOUDTRAIL_LOOKUP_RESULTS_MAX);
    for (size_t i = 0; i < events.n; i++) {
        const CloudTrailEvent *e = &events.items[i];

        check_text(e->event_id, CLOUDTRAIL_EVENT_TEXT_MAX);
        check_text(e->trail, CLOUDTRAIL_EVENT_TEXT_MAX);
        check_text(e->user_agent, CLOUDTRAIL_EVENT_TEXT_MAX);
        check_text(e->identity.issuer_arn, CLOUDTRAIL_EVENT_TEXT_MAX);
        check_text(e->parameters, CLOUDTRAIL_EVENT_PARAMETERS_MAX);
        check(e->n_resources <= CLOUDTRAIL_EVENT_RESOURCES_MAX);
        for (size_t n = 0; n < e->n_resources; n++)
            check_text(e->resources[n], CLOUDTRAIL_EVENT_TEXT_MAX);
    }
    cloudtrail_events_done(&events);
}

/* The record inside is JSON in a string: few mutations get through to it that way, so it is tried bare. */
static void try_record(const char *body, size_t len) {
    json_t *root = json_pack("{s:[{s:s%}]}", "Events", "CloudTrailEvent", body, len);
    char *text = root ? json_dumps(root, 0) : NULL;

    if (text)
        try_events(text, strlen(text));
    free(text);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_status((const char *)data, size);
    try_trails((const char *)data, size);
    try_selectors((const char *)data, size);
    try_insights((const char *)data, size);
    try_tags((const char *)data, size);
    try_events((const char *)data, size);
    try_record((const char *)data, size);
    return 0;
}
