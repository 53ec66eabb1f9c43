/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/attribute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/attribute_match.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define PAGES_MAX 3U /* of one kind of call: the newest 150 events */

_Static_assert(ATTRIBUTE_QUESTIONS_MAX <= ATTRIBUTE_CALLS_MAX, "there is a call for each");

struct Attribute {
    AttributeRequest request; /* its texts are ours */
    char *texts[12];
    char **guards;
    AttributeDone done;
    void *userdata;
    AttributeQuestion questions[ATTRIBUTE_QUESTIONS_MAX]; /* region "": given up */
    size_t n_questions, question;                         /* the one under way */
    unsigned page, n_calls;
    bool member_answered; /* the member's own history could be read */
    CloudTrailCall *call;
    LoopTimer *timer; /* so that done is never called from inside the start */
    Attribution found;
};

static void attribute_free(Attribute *a) {
    cloudtrail_cancel(a->call);
    loop_cancel(aws_client_loop(a->request.aws), a->timer);
    for (size_t i = 0; i < ARRAY_SIZE(a->texts); i++)
        free(a->texts[i]);
    for (size_t i = 0; a->guards && i < a->request.n_guards; i++)
        free(a->guards[i]);
    free(a->guards);
    free(a);
}

void attribute_cancel(Attribute *attribute) {
    if (attribute)
        attribute_free(attribute);
}

/* The call behind a departure that AWS recorded: one of the management account, or one in a history that is
 * still readable. */
static bool may_show_up(const Attribute *a) {
    const char *departure = a->found.actor.departure;

    return text_equal(departure, "REMOVED") || (text_equal(departure, "LEFT") && a->member_answered);
}

/* What was found stays found, whatever else could not be asked; without any, the search has failed. */
static void finish(Attribute *a) {
    a->found.incomplete = a->found.found && may_show_up(a);
    a->found.polled = a->found.found || !a->found.error_text[0];
    a->done(&a->found, a->userdata);
    attribute_free(a);
}

/* Whoever refuses one question refuses the others too. Kept: the first error. */
static void give_up_region(Attribute *a, const AwsError *error) {
    const AttributeQuestion refused = a->questions[a->question];
    char operation[64];

    (void)snprintf(operation, sizeof(operation), "LookupEvents in %.31s", refused.region);
    /* that of an account that left is more than can be expected */
    if (!a->found.error_text[0] && !refused.of_member)
        (void)aws_error_text(error, operation, a->found.error_text, sizeof(a->found.error_text));
    for (size_t i = a->question; i < a->n_questions; i++)
        if (a->questions[i].of_member == refused.of_member &&
            text_equal(a->questions[i].region, refused.region))
            a->questions[i].region[0] = '\0';
}

/* Every question gets its first page, so further ones are only for what is left of the calls. */
static bool may_turn_page(const Attribute *a) {
    size_t n_left = a->n_questions - a->question - 1;

    return a->page + 1 < PAGES_MAX && a->n_calls + n_left < ATTRIBUTE_CALLS_MAX;
}

static void events_done(const AwsError *error, const CloudTrailEvents *events, void *userdata);

/* False when it could not even be sent. */
static bool ask(Attribute *a, const char *next_token) {
    const AttributeQuestion *question = &a->questions[a->question];
    AwsError error;
    CloudTrailLookup lookup = {
        .key = CLOUDTRAIL_LOOKUP_EVENT_NAME,
        .value = question->name,
        .start_usec = a->request.from_usec,
        .end_usec = a->request.until_usec,
        .next_token = next_token,
    };
    CredentialsSource *credentials =
            question->of_member ? a->request.member_credentials : a->request.credentials;
    int r = cloudtrail_lookup_events(a->request.aws, credentials, question->region, &lookup, events_done, a,
                                     &a->call);

    a->n_calls++;
    if (r < 0) {
        aws_error_set(&error, AWS_INTERNAL, "", "%s", strerror(-r));
        give_up_region(a, &error);
    }
    return r >= 0;
}

/* To the next question whose region answers, or to the end. */
static void go_on(Attribute *a) {
    for (; a->question < a->n_questions; a->question++) {
        a->page = 0;
        if (a->questions[a->question].region[0] && ask(a, NULL))
            return;
    }
    finish(a);
}

static void events_done(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    Attribute *a = userdata;

    a->call = NULL;
    if (error->class != AWS_OK)
        give_up_region(a, error);
    else {
        a->member_answered |= a->questions[a->question].of_member;
        for (size_t i = 0; i < events->n; i++)
            attribute_take(&a->request, &events->items[i], &a->found);
        if (events->next_token[0] && may_turn_page(a)) {
            a->page++;
            if (ask(a, events->next_token))
                return;
        }
    }
    a->question++;
    go_on(a);
}

static void begin(void *userdata) {
    Attribute *a = userdata;

    a->timer = NULL;
    go_on(a);
}

/* The texts of the request in copies of our own; NULL becomes "". */
static int copy_texts(Attribute *a) {
    const char **texts[] = { &a->request.region,    &a->request.trail_name,    &a->request.trail_arn,
                             &a->request.bucket,    &a->request.bucket_region, &a->request.key,
                             &a->request.log_group, &a->request.log_role,      &a->request.topic,
                             &a->request.own_arn,   &a->request.key_store,     &a->request.member };

    _Static_assert(ARRAY_SIZE(texts) == ARRAY_SIZE(a->texts), "all are kept");

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        a->texts[i] = strdup(*texts[i] ? *texts[i] : "");
        if (!a->texts[i])
            return -ENOMEM;
        *texts[i] = a->texts[i];
    }
    return 0;
}

/* A reload may change the configuration that they come from. */
static int copy_guards(Attribute *a) {
    char *const *from = a->request.guards;

    a->guards = calloc(a->request.n_guards + 1, sizeof(*a->guards));
    if (!a->guards)
        return -ENOMEM;
    a->request.guards = a->guards;
    for (size_t i = 0; i < a->request.n_guards; i++) {
        a->guards[i] = strdup(from[i]);
        if (!a->guards[i])
            return -ENOMEM;
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
    r = copy_texts(a);
    if (r >= 0)
        r = copy_guards(a);
    a->n_questions = attribute_questions(request, a->questions);
    if (r >= 0)
        r = loop_after(aws_client_loop(request->aws), 0, begin, a, &a->timer);
    if (r < 0) {
        attribute_free(a);
        return r;
    }
    *ret = a;
    return 0;
}
