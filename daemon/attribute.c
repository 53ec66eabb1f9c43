/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/attribute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/attribute_match.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define PAGES_MAX 3U /* of one kind of call: the newest 150 events */

_Static_assert(ATTRIBUTE_NAMES_MAX <= ATTRIBUTE_CALLS_MAX, "there is a call for each kind");

struct Attribute {
    AttributeRequest request; /* its texts are ours */
    char *texts[6];
    AttributeDone done;
    void *userdata;
    const char *names[ATTRIBUTE_NAMES_MAX];
    size_t n_names, name; /* the one under way */
    unsigned page, n_calls;
    CloudTrailCall *call;
    LoopTimer *timer; /* so that done is never called from inside the start */
    Attribution found;
};

static void attribute_free(Attribute *a) {
    cloudtrail_cancel(a->call);
    loop_cancel(aws_client_loop(a->request.aws), a->timer);
    for (size_t i = 0; i < ARRAY_SIZE(a->texts); i++)
        free(a->texts[i]);
    free(a);
}

void attribute_cancel(Attribute *attribute) {
    if (attribute)
        attribute_free(attribute);
}

static void finish(Attribute *a) {
    a->done(&a->found, a->userdata);
    attribute_free(a);
}

/* What was found before stays found; without any, the search has failed. */
static void fail(Attribute *a, const char *code, const char *message) {
    (void)snprintf(a->found.error_text, sizeof(a->found.error_text), "LookupEvents: %s%s%s", code,
                   code[0] ? ": " : "", message);
    a->found.looked = a->found.found;
    finish(a);
}

static void ask(Attribute *a, const char *next_token);

static void ask_next(Attribute *a) {
    a->page = 0;
    if (++a->name < a->n_names)
        ask(a, NULL);
    else {
        a->found.looked = true;
        finish(a);
    }
}

/* Every kind of call gets its first page, so further ones are only for what is left of the calls. */
static bool may_turn_page(const Attribute *a) {
    size_t n_names_left = a->n_names - a->name - 1;

    return a->page + 1 < PAGES_MAX && a->n_calls + n_names_left < ATTRIBUTE_CALLS_MAX;
}

static void events_done(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    Attribute *a = userdata;

    a->call = NULL;
    if (error->class != AWS_OK) {
        fail(a, error->code, error->message);
        return;
    }
    for (size_t i = 0; i < events->n; i++)
        attribute_take(&a->request, &events->items[i], &a->found);
    if (events->next_token[0] && may_turn_page(a)) {
        a->page++;
        ask(a, events->next_token);
    } else
        ask_next(a);
}

static void ask(Attribute *a, const char *next_token) {
    CloudTrailLookup lookup = {
        .key = CLOUDTRAIL_LOOKUP_EVENT_NAME,
        .value = a->names[a->name],
        .start_usec = a->request.from_usec,
        .end_usec = a->request.until_usec,
        .next_token = next_token,
    };
    int r = cloudtrail_lookup_events(a->request.aws, a->request.credentials, a->request.region, &lookup,
                                     events_done, a, &a->call);

    a->n_calls++;
    if (r < 0)
        fail(a, "", strerror(-r));
}

static void begin(void *userdata) {
    Attribute *a = userdata;

    a->timer = NULL;
    if (a->n_names > 0)
        ask(a, NULL);
    else {
        a->found.looked = true;
        finish(a);
    }
}

/* The texts of the request in copies of our own; NULL becomes "". */
static int copy_texts(Attribute *a) {
    const char **texts[] = { &a->request.region, &a->request.trail_name, &a->request.trail_arn,
                             &a->request.bucket, &a->request.key,        &a->request.own_arn };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        a->texts[i] = strdup(*texts[i] ? *texts[i] : "");
        if (!a->texts[i])
            return -ENOMEM;
        *texts[i] = a->texts[i];
    }
    return 0;
}

int attribute_start(const AttributeRequest *request, AttributeDone done, void *userdata, Attribute **ret) {
    Attribute *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return -ENOMEM;
    a->request = *request;
    a->done = done;
    a->userdata = userdata;
    a->n_names = attribute_event_names(request->findings, request->fields, a->names);
    r = copy_texts(a);
    if (r >= 0)
        r = loop_after(aws_client_loop(request->aws), 0, begin, a, &a->timer);
    if (r < 0) {
        attribute_free(a);
        return r;
    }
    *ret = a;
    return 0;
}
