/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/attribute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/observe.h"
#include "daemon/io/task.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

_Static_assert(ATTRIBUTE_QUESTIONS_MAX <= ATTRIBUTE_CALLS_MAX, "there is a call for each");

struct Attribute {
    Task task;
    AttributeKeys keys;
    AttributeRequest request; /* owns its strings */
    char **guards;
    AttributeDone done;
    void *userdata;
    AttributeQuestion questions[ATTRIBUTE_QUESTIONS_MAX]; /* region "": given up */
    size_t n_questions, question;                         /* the current one, or the next */
    unsigned page, n_calls;
    bool small;           /* ask the current question for small pages */
    uint64_t oldest_usec; /* real; the oldest record of the current question */
    bool member_answered; /* the member's own event history could be read */
    bool trail_is_done;   /* a search by the trail's name has found the cause */
    Attribution found;
};

void attribute_cancel(Attribute *a) {
    if (!a)
        return;
    task_done(&a->task);
    free(a->guards);
    free(a);
}
DEFINE_CLEANUP(Attribute *, attribute_cancel);

/* True when the call behind a departure may still be found: in the history of the management account, or in
 * one that is still readable. */
static bool may_show_up(const Attribute *a) {
    const char *departure = a->found.actor.departure;

    return text_equal(departure, "REMOVED") || (text_equal(departure, "LEFT") && a->member_answered);
}

/* A caller that was found counts, even if other questions failed. Without one, a failed question fails the
 * search. */
static void attribute_finish(void *userdata) {
    Attribute *a = userdata;

    a->found.incomplete = a->found.found && may_show_up(a);
    attribute_conclude(&a->request, &a->found);
    a->found.searched = a->found.found || !a->found.error_text[0];
    a->found.throttled &= !a->found.searched;
    a->done(&a->found, a->userdata);
    attribute_cancel(a);
}

/* Keeps only the first error. */
static void note_error(Attribute *a, const AwsError *error) {
    const AttributeQuestion *refused = &a->questions[a->question];
    char operation[64];

    (void)snprintf(operation, sizeof(operation), "LookupEvents in %.31s", refused->region);
    /* errors from an account that left are to be expected */
    if (!a->found.error_text[0] && !refused->of_member)
        (void)aws_error_text(error, operation, a->found.error_text, sizeof(a->found.error_text));
    a->found.throttled |= !refused->of_member && observe_error(error->class) == POLL_THROTTLED;
}

/* An endpoint that refuses one question refuses the others too. An answer that is too big affects one
 * question alone. */
static void give_up_region(Attribute *a, const AwsError *error) {
    const AttributeQuestion refused = a->questions[a->question];

    note_error(a, error);
    if (error->too_big)
        return;
    for (size_t i = a->question; i < a->n_questions; i++)
        if (a->questions[i].of_member == refused.of_member &&
            text_equal(a->questions[i].region, refused.region))
            a->questions[i].region[0] = '\0';
}

/* One page is enough for late records, and once a search by the trail's name has found the cause. */
static bool is_enough(const Attribute *a) {
    const AttributeQuestion *question = &a->questions[a->question];

    return question->late || (question->about_trail && a->trail_is_done);
}

/* Every question gets its first page, so further pages may use only the calls that are left over. */
static bool may_turn_page(const Attribute *a) {
    size_t n_left = a->n_questions - a->question - 1;

    return !is_enough(a) && a->page + 1 < ATTRIBUTE_PAGES_MAX && a->n_calls + n_left < ATTRIBUTE_CALLS_MAX;
}

static void events_done(const AwsError *error, const CloudTrailEvents *events, void *userdata);

/* EndTime has whole seconds, so the last second has to be read again. */
static CloudTrailLookup lookup_of(const AttributeRequest *request, const AttributeQuestion *question) {
    uint64_t until_usec = request->reached_usec ? request->reached_usec : request->until_usec;

    return (CloudTrailLookup){
        .key = question->key,
        .value = question->name,
        .start_usec = question->late ? request->until_usec : request->from_usec,
        .end_usec = question->late ? request->late_usec : MAX(until_usec, request->from_usec),
    };
}

/* A record has up to 256 KB and its caller controls the contents, so fifty records may exceed the limit on
 * an answer. */
#define SMALL_PAGE 5U

/* Restarts the question with smaller pages: a token is valid for one page size only. */
static bool may_ask_for_fewer(const Attribute *a, const AwsError *error) {
    size_t n_left = a->n_questions - a->question - 1;

    return error->too_big && !a->small && a->n_calls + n_left < ATTRIBUTE_CALLS_MAX;
}

/* Returns false when the request could not even be sent. */
static bool attribute_ask(Attribute *a, const char *next_token) {
    const AttributeQuestion *question = &a->questions[a->question];
    AwsError error;
    CloudTrailLookup lookup = lookup_of(&a->request, question);
    int r;

    lookup.next_token = next_token;
    lookup.max_results = a->small ? SMALL_PAGE : 0;
    r = cloudtrail_lookup_events(
            &(AwsCaller){ a->keys.aws,
                          question->of_member ? a->keys.member_credentials : a->keys.credentials,
                          question->region },
            &lookup, events_done, a, &a->task.calls[0]);
    a->n_calls++;
    if (task_asked(&a->task, r) < 0) {
        aws_error_set(&error, AWS_INTERNAL, "", "%s", strerror(-r));
        give_up_region(a, &error);
    }
    return r >= 0;
}

/* Asks the next question whose region answers. */
static void attribute_go_on(void *userdata) {
    Attribute *a = userdata;

    for (bool asked = false; !asked && a->question < a->n_questions; a->question += !asked) {
        a->page = 0;
        a->small = false;
        a->oldest_usec = UINT64_MAX;
        asked = a->questions[a->question].region[0] && attribute_ask(a, NULL);
    }
}

/* Takes all records of a page. */
static void take_page(Attribute *a, const CloudTrailEvents *events) {
    a->found.n_records += (unsigned)events->n;
    for (size_t i = 0; i < events->n; i++) {
        a->oldest_usec = MIN(a->oldest_usec, events->items[i].event_time_usec);
        attribute_take(&a->request, &events->items[i], &a->found);
    }
}

/* There are more records than calls for them, so note how far back the search got. */
static void leave_unread(Attribute *a) {
    if (!is_enough(a) && a->oldest_usec != UINT64_MAX)
        a->found.reached_usec = MAX(a->found.reached_usec, a->oldest_usec);
}

static void events_done(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    Attribute *a = userdata;
    bool more = false;

    task_answered(&a->task, 0);
    if (error->class != AWS_OK) {
        a->small = may_ask_for_fewer(a, error);
        a->page = 0;
        more = a->small && attribute_ask(a, NULL);
        if (!a->small)
            give_up_region(a, error);
    } else {
        a->member_answered |= a->questions[a->question].of_member;
        take_page(a, events);
        a->trail_is_done |=
                a->found.found && a->questions[a->question].key == CLOUDTRAIL_LOOKUP_RESOURCE_NAME;
        if (events->next_token[0] && may_turn_page(a)) {
            a->page++;
            more = attribute_ask(a, events->next_token);
        } else if (events->next_token[0])
            leave_unread(a);
    }
    a->question += !more;
    task_go_on(&a->task);
}

/* Copies the strings: a reload may replace the configuration that holds them. */
static int keep_texts(Attribute *a) {
    AttributeRequest *q = &a->request;
    const char **texts[] = { &q->region,        &q->trail_name,    &q->trail_arn, &q->bucket,
                             &q->bucket_region, &q->key,           &q->log_group, &q->log_role,
                             &q->topic,         &q->own_arn,       &q->key_store, &q->member,
                             &q->former_arn,    &q->delivery_code, &q->prefix };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
        r = task_keep(&a->task, texts[i]);
    a->guards = calloc(q->n_guards + 1, sizeof(*a->guards));
    if (!a->guards)
        return -ENOMEM;
    for (size_t i = 0; r >= 0 && i < q->n_guards; i++) {
        const char *guard = q->guards[i];

        r = task_keep(&a->task, &guard);
        a->guards[i] = (char *)guard;
    }
    q->guards = a->guards;
    return r;
}

int attribute_start(const AttributeKeys *keys, const AttributeRequest *request, AttributeDone done,
                    void *userdata, Attribute **ret) {
    _cleanup_(attribute_cancelp) Attribute *a = calloc(1, sizeof(*a));
    int r;

    if (!a)
        return -ENOMEM;
    a->keys = *keys;
    a->request = *request;
    a->done = done;
    a->userdata = userdata;
    r = task_init(&a->task, keys->aws, 1, attribute_go_on, attribute_finish, a);
    if (r >= 0)
        r = keep_texts(a);
    if (r >= 0) {
        a->n_questions = attribute_questions(&a->request, a->questions); /* borrows our copies */
        r = task_after(&a->task, 0);
    }
    if (r >= 0)
        *ret = TAKE_PTR(a);
    return r;
}
