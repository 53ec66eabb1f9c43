/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/poll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct Slot {
    Poll *poll;
    char *arn;
    CloudTrailCall *call;
    AwsErrorClass class;
    Observation seen;
} Slot;

struct Poll {
    AwsClient *aws;
    CredentialsSource *credentials;
    char *region;
    void (*answered)(size_t i, const Observation *seen, void *userdata);
    PollDone done;
    void *userdata;
    unsigned n_pending;
    bool probing;
    bool list_asked;
    CloudTrailCall *list_call;
    AwsError list_error;
    CloudTrailTrails trails;
    Slot *slots;
    size_t n_slots;
    PollDenial *denials; /* NULL until there is one */
    size_t n_denials;
    LoopTimer *timer; /* so that done is never called from inside poll_start */
};

static const PollError poll_errors[_AWS_ERROR_CLASS_MAX] = {
    [AWS_OK] = POLL_OK,
    [AWS_THROTTLED] = POLL_THROTTLED,
    [AWS_UNAVAILABLE] = POLL_SERVICE,
    [AWS_UNREACHABLE] = POLL_UNREACHABLE,
    [AWS_TIMED_OUT] = POLL_UNREACHABLE,
    [AWS_TLS] = POLL_UNREACHABLE,
    [AWS_BAD_ANSWER] = POLL_BAD_ANSWER,
    [AWS_EXPIRED] = POLL_CREDENTIALS,
    [AWS_SKEWED] = POLL_CREDENTIALS,
    [AWS_BAD_CREDENTIALS] = POLL_CREDENTIALS,
    [AWS_NO_CREDENTIALS] = POLL_CREDENTIALS,
    [AWS_DENIED] = POLL_DENIED,
    [AWS_NOT_FOUND] = POLL_SERVICE,
    [AWS_WRONG_REGION] = POLL_SERVICE,
    [AWS_CONFLICT] = POLL_SERVICE,
    [AWS_REFUSED] = POLL_SERVICE,
    [AWS_INVALID] = POLL_SERVICE,
    [AWS_CANCELLED] = POLL_SERVICE,
    [AWS_INTERNAL] = POLL_SERVICE,
};

PollError poll_error_of(AwsErrorClass class) {
    return class < _AWS_ERROR_CLASS_MAX ? poll_errors[class] : POLL_SERVICE;
}

Observation poll_observe(const CloudTrailStatus *status) {
    Observation seen = {
        .kind = OBSERVED_STATUS,
        .is_logging = status->is_logging,
        .start_usec = status->start_logging_usec,
        .stop_usec = status->stop_logging_usec,
        .delivery_usec = status->latest_delivery_usec,
        .digest_usec = status->latest_digest_delivery_usec,
    };

    text_copy(seen.delivery_error, sizeof(seen.delivery_error), status->delivery_error);
    text_copy(seen.digest_error, sizeof(seen.digest_error), status->digest_error);
    text_copy(seen.log_group_error, sizeof(seen.log_group_error), status->log_group_error);
    text_copy(seen.notification_error, sizeof(seen.notification_error), status->notification_error);
    return seen;
}

static void poll_free(Poll *w) {
    cloudtrail_cancel(w->list_call);
    for (size_t i = 0; i < w->n_slots; i++) {
        cloudtrail_cancel(w->slots[i].call);
        free(w->slots[i].arn);
    }
    loop_cancel(aws_client_loop(w->aws), w->timer);
    cloudtrail_trails_done(&w->trails);
    free(w->slots);
    free(w->denials);
    free(w->region);
    free(w);
}

void poll_cancel(Poll *poll) {
    if (poll)
        poll_free(poll);
}

void poll_failure_set(PollFailure *failure, const char *operation, const AwsError *error, const char *action,
                      const char *resource) {
    PollDenial *denial = &failure->denial;

    (void)aws_error_text(error, operation, failure->text, sizeof(failure->text));
    if (error->class != AWS_DENIED || aws_error_denied_action(error, denial->action, denial->resource))
        return;
    (void)text_copy(denial->action, sizeof(denial->action), action);
    (void)text_copy(denial->resource, sizeof(denial->resource), resource);
}

/* ---- the end ---- */

/* Both must say that it is gone. A status that was answered proves that the trail is there, whatever the
 * list says. */
static void settle_absent(Poll *w, Slot *slot) {
    if (slot->class != AWS_NOT_FOUND || w->list_error.class != AWS_OK)
        return;
    for (size_t i = 0; i < w->trails.n; i++)
        if (text_equal(w->trails.items[i].arn, slot->arn))
            return;
    slot->seen = (Observation){ .kind = OBSERVED_ABSENT };
}

static void judge_poll(const Poll *w, PollAnswer *answer) {
    PollResult *result = &answer->result;
    bool list_ok = w->list_asked && w->list_error.class == AWS_OK;
    const Slot *failed = NULL;
    size_t n_rejected = 0, n_without = 0, n_asked = w->n_slots + w->list_asked;

    result->listed = result->list_read = list_ok;
    result->reachable = list_ok || n_asked == 0;
    for (size_t i = 0; i < w->n_slots; i++) {
        const Slot *slot = &w->slots[i];

        if (slot->class == AWS_OK || slot->class == AWS_NOT_FOUND)
            result->reachable = true;
        else if (!failed)
            failed = slot;
        n_rejected += slot->class == AWS_BAD_CREDENTIALS;
        n_without += slot->class == AWS_NO_CREDENTIALS;
    }
    n_rejected += w->list_asked && w->list_error.class == AWS_BAD_CREDENTIALS;
    n_without += w->list_asked && w->list_error.class == AWS_NO_CREDENTIALS;
    answer->rejected = n_asked > 0 && n_rejected == n_asked;
    answer->no_credentials = n_asked > 0 && n_without == n_asked;
    if (result->reachable && w->list_asked && !list_ok) {
        result->list_error = poll_error_of(w->list_error.class);
        (void)aws_error_text(&w->list_error, "DescribeTrails", result->list_error_text,
                             sizeof(result->list_error_text));
    }
    if (result->reachable)
        return;
    if (w->list_asked) {
        result->error = poll_error_of(w->list_error.class);
        (void)aws_error_text(&w->list_error, "DescribeTrails", result->error_text,
                             sizeof(result->error_text));
    } else if (failed) {
        result->error = failed->seen.error;
        text_copy(result->error_text, sizeof(result->error_text), failed->seen.error_text);
    }
}

static void finish(Poll *w) {
    PollAnswer result = { .trails = NULL };
    Observation *seen;

    for (size_t i = 0; i < w->n_slots; i++)
        settle_absent(w, &w->slots[i]);
    judge_poll(w, &result);
    if (result.result.listed)
        result.trails = &w->trails;

    seen = calloc(w->n_slots + 1, sizeof(*seen));
    if (seen) {
        for (size_t i = 0; i < w->n_slots; i++) {
            seen[i] = w->slots[i].seen;
            seen[i].target_reachable = result.result.reachable;
        }
        result.seen = seen;
        result.n_seen = w->n_slots;
        result.denials = w->denials;
        result.n_denials = w->n_denials;
    } else {
        result.result = (PollResult){ .error = POLL_SERVICE, .error_text = "out of memory" };
        result.trails = NULL;
    }
    w->done(&result, w->userdata);
    free(seen);
    poll_free(w);
}

static void go_on(Poll *w);

static void note_denial(Poll *w, const AwsError *error) {
    PollDenial denial;

    if (!aws_error_denied_action(error, denial.action, denial.resource))
        return;
    for (size_t i = 0; i < w->n_denials; i++)
        if (text_equal(w->denials[i].action, denial.action) &&
            text_equal(w->denials[i].resource, denial.resource))
            return;
    if (!w->denials)
        w->denials = calloc(POLL_DENIALS_MAX, sizeof(*w->denials));
    if (w->denials && w->n_denials < POLL_DENIALS_MAX)
        w->denials[w->n_denials++] = denial;
}

/* ---- the questions: what cannot be asked is answered by that ---- */

static void status_done(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Slot *slot = userdata;
    Observation *seen = &slot->seen;

    slot->call = NULL;
    slot->class = error->class;
    note_denial(slot->poll, error);
    if (error->class != AWS_OK) {
        *seen = (Observation){ .kind = OBSERVED_ERROR, .error = poll_error_of(error->class) };
        (void)aws_error_text(error, "GetTrailStatus", seen->error_text, sizeof(seen->error_text));
    } else {
        *seen = poll_observe(status);
        seen->target_reachable = true;
        if (slot->poll->answered)
            slot->poll->answered((size_t)(slot - slot->poll->slots), seen, slot->poll->userdata);
    }
    slot->poll->n_pending--;
    go_on(slot->poll);
}

static void list_done(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    Poll *w = userdata;

    w->list_call = NULL;
    w->list_error = *error;
    note_denial(w, error);
    if (error->class == AWS_OK && cloudtrail_trails_copy(trails, &w->trails) < 0)
        aws_error_set(&w->list_error, AWS_INTERNAL, "", "out of memory");
    w->n_pending--;
    go_on(w);
}

static void ask_list(Poll *w) {
    int r;

    w->list_asked = true;
    r = cloudtrail_describe_trails(w->aws, w->credentials, w->region, list_done, w, &w->list_call);
    if (r < 0)
        aws_error_set(&w->list_error, AWS_INTERNAL, "", "cannot ask: %s", strerror(-r));
    else
        w->n_pending++;
}

static void ask_status(Poll *w, Slot *slot) {
    int r;

    r = cloudtrail_get_trail_status(w->aws, w->credentials, w->region, slot->arn, status_done, slot,
                                    &slot->call);
    if (r >= 0) {
        w->n_pending++;
        return;
    }
    slot->class = AWS_INTERNAL;
    slot->seen = (Observation){ .kind = OBSERVED_ERROR, .error = POLL_SERVICE };
    (void)snprintf(slot->seen.error_text, sizeof(slot->seen.error_text), "GetTrailStatus: cannot ask: %s",
                   strerror(-r));
}

/* What one call learned that holds for all others to this target. */
static bool holds_for_all(AwsErrorClass class) {
    PollError error = poll_error_of(class);

    return error == POLL_UNREACHABLE || error == POLL_THROTTLED || error == POLL_CREDENTIALS ||
           class == AWS_UNAVAILABLE;
}

/* The list was the probe when it was to be asked, else the first trail's status. */
static void ask_after_probe(Poll *w) {
    Slot probe = { .class = w->list_error.class };
    size_t next = 0;

    if (w->list_asked) {
        probe.seen = (Observation){ .kind = OBSERVED_ERROR, .error = poll_error_of(probe.class) };
        (void)aws_error_text(&w->list_error, "DescribeTrails", probe.seen.error_text,
                             sizeof(probe.seen.error_text));
    } else
        probe = w->slots[next++];
    for (; next < w->n_slots; next++)
        if (holds_for_all(probe.class)) {
            w->slots[next].class = probe.class;
            w->slots[next].seen = probe.seen;
        } else
            ask_status(w, &w->slots[next]);
}

/* A trail that is not there, or that is denied, is told from the target's own trouble by the list. */
static bool needs_list(const Poll *w) {
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].class == AWS_NOT_FOUND || w->slots[i].class == AWS_DENIED)
            return !w->list_asked;
    return false;
}

/* Once everything asked so far has been answered: asks what follows from that, else ends the poll. */
static void go_on(Poll *w) {
    if (w->n_pending == 0 && w->probing) {
        w->probing = false;
        ask_after_probe(w);
    }
    if (w->n_pending == 0 && needs_list(w))
        ask_list(w);
    if (w->n_pending == 0)
        finish(w);
}

static void begin(void *userdata) {
    Poll *w = userdata;
    bool list = w->list_asked;
    size_t n_asked = w->probing ? (list ? 0 : MIN(w->n_slots, 1U)) : w->n_slots;

    w->timer = NULL;
    if (list)
        ask_list(w);
    for (size_t i = 0; i < n_asked; i++)
        ask_status(w, &w->slots[i]);
    go_on(w);
}

int poll_start(const PollRequest *request, PollDone done, void *userdata, Poll **ret) {
    Poll *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    w->aws = request->aws;
    w->credentials = request->credentials;
    w->answered = request->answered;
    w->done = done;
    w->userdata = userdata;
    w->list_asked = request->list;
    w->probing = request->probe && (request->list || request->n_arns > 0);
    w->region = strdup(request->region);
    w->slots = calloc(request->n_arns + 1, sizeof(*w->slots));
    if (!w->region || !w->slots)
        goto no_memory;
    for (size_t i = 0; i < request->n_arns; i++) {
        w->slots[i].poll = w;
        w->slots[i].arn = strdup(request->arns[i]);
        if (!w->slots[i].arn)
            goto no_memory;
        w->n_slots++;
    }
    r = loop_after(aws_client_loop(w->aws), 0, begin, w, &w->timer);
    if (r < 0) {
        poll_free(w);
        return r;
    }
    *ret = w;
    return 0;

no_memory:
    poll_free(w);
    return -ENOMEM;
}
