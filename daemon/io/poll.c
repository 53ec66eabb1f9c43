/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/poll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct Slot {
    Watch *watch;
    char *arn;
    CloudTrailCall *call;
    AwsErrorClass class;
    Observation seen;
} Slot;

struct Watch {
    AwsClient *aws;
    CredentialsSource *credentials;
    char *region;
    void (*answered)(size_t i, const Observation *seen, void *userdata);
    WatchDone done;
    void *userdata;
    unsigned n_pending;
    bool probing;
    bool list_asked;
    CloudTrailCall *list_call;
    AwsError list_error;
    CloudTrailTrails trails;
    Slot *slots;
    size_t n_slots;
    WatchDenial *denials; /* NULL until there is one */
    size_t n_denials;
    LoopTimer *timer; /* so that done is never called from inside watch_start */
};

static const LookError look_errors[_AWS_ERROR_CLASS_MAX] = {
    [AWS_OK] = LOOK_OK,
    [AWS_THROTTLED] = LOOK_THROTTLED,
    [AWS_UNAVAILABLE] = LOOK_SERVICE,
    [AWS_UNREACHABLE] = LOOK_UNREACHABLE,
    [AWS_TIMED_OUT] = LOOK_UNREACHABLE,
    [AWS_TLS] = LOOK_UNREACHABLE,
    [AWS_BAD_ANSWER] = LOOK_BAD_ANSWER,
    [AWS_EXPIRED] = LOOK_CREDENTIALS,
    [AWS_SKEWED] = LOOK_CREDENTIALS,
    [AWS_BAD_CREDENTIALS] = LOOK_CREDENTIALS,
    [AWS_NO_CREDENTIALS] = LOOK_CREDENTIALS,
    [AWS_DENIED] = LOOK_DENIED,
    [AWS_NOT_FOUND] = LOOK_SERVICE,
    [AWS_WRONG_REGION] = LOOK_SERVICE,
    [AWS_CONFLICT] = LOOK_SERVICE,
    [AWS_REFUSED] = LOOK_SERVICE,
    [AWS_INVALID] = LOOK_SERVICE,
    [AWS_CANCELLED] = LOOK_SERVICE,
    [AWS_INTERNAL] = LOOK_SERVICE,
};

LookError watch_look_error(AwsErrorClass class) {
    return class < _AWS_ERROR_CLASS_MAX ? look_errors[class] : LOOK_SERVICE;
}

Observation watch_observe(const CloudTrailStatus *status) {
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

static void watch_free(Watch *w) {
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

void watch_cancel(Watch *watch) {
    if (watch)
        watch_free(watch);
}

void watch_failure_set(WatchFailure *failure, const char *operation, const AwsError *error,
                       const char *action, const char *resource) {
    WatchDenial *denial = &failure->denial;

    (void)aws_error_text(error, operation, failure->text, sizeof(failure->text));
    if (error->class != AWS_DENIED || aws_error_denied_action(error, denial->action, denial->resource))
        return;
    (void)text_copy(denial->action, sizeof(denial->action), action);
    (void)text_copy(denial->resource, sizeof(denial->resource), resource);
}

/* ---- the end ---- */

/* Both must say that it is gone. A status that was answered proves that the trail is there, whatever the
 * list says. */
static void settle_absent(Watch *w, Slot *slot) {
    if (slot->class != AWS_NOT_FOUND || w->list_error.class != AWS_OK)
        return;
    for (size_t i = 0; i < w->trails.n; i++)
        if (text_equal(w->trails.items[i].arn, slot->arn))
            return;
    slot->seen = (Observation){ .kind = OBSERVED_ABSENT };
}

static void judge_look(const Watch *w, WatchResult *result) {
    TargetLook *look = &result->look;
    bool list_ok = w->list_asked && w->list_error.class == AWS_OK;
    const Slot *failed = NULL;
    size_t n_rejected = 0, n_without = 0, n_asked = w->n_slots + w->list_asked;

    look->listed = look->list_read = list_ok;
    look->sighted = list_ok || n_asked == 0;
    for (size_t i = 0; i < w->n_slots; i++) {
        const Slot *slot = &w->slots[i];

        if (slot->class == AWS_OK || slot->class == AWS_NOT_FOUND)
            look->sighted = true;
        else if (!failed)
            failed = slot;
        n_rejected += slot->class == AWS_BAD_CREDENTIALS;
        n_without += slot->class == AWS_NO_CREDENTIALS;
    }
    n_rejected += w->list_asked && w->list_error.class == AWS_BAD_CREDENTIALS;
    n_without += w->list_asked && w->list_error.class == AWS_NO_CREDENTIALS;
    result->rejected = n_asked > 0 && n_rejected == n_asked;
    result->no_credentials = n_asked > 0 && n_without == n_asked;
    if (look->sighted && w->list_asked && !list_ok) {
        look->list_error = watch_look_error(w->list_error.class);
        (void)aws_error_text(&w->list_error, "DescribeTrails", look->list_error_text,
                             sizeof(look->list_error_text));
    }
    if (look->sighted)
        return;
    if (w->list_asked) {
        look->error = watch_look_error(w->list_error.class);
        (void)aws_error_text(&w->list_error, "DescribeTrails", look->error_text, sizeof(look->error_text));
    } else if (failed) {
        look->error = failed->seen.error;
        text_copy(look->error_text, sizeof(look->error_text), failed->seen.error_text);
    }
}

static void finish(Watch *w) {
    WatchResult result = { .trails = NULL };
    Observation *seen;

    for (size_t i = 0; i < w->n_slots; i++)
        settle_absent(w, &w->slots[i]);
    judge_look(w, &result);
    if (result.look.listed)
        result.trails = &w->trails;

    seen = calloc(w->n_slots + 1, sizeof(*seen));
    if (seen) {
        for (size_t i = 0; i < w->n_slots; i++) {
            seen[i] = w->slots[i].seen;
            seen[i].target_sighted = result.look.sighted;
        }
        result.seen = seen;
        result.n_seen = w->n_slots;
        result.denials = w->denials;
        result.n_denials = w->n_denials;
    } else {
        result.look = (TargetLook){ .error = LOOK_SERVICE, .error_text = "out of memory" };
        result.trails = NULL;
    }
    w->done(&result, w->userdata);
    free(seen);
    watch_free(w);
}

static void go_on(Watch *w);

static void note_denial(Watch *w, const AwsError *error) {
    WatchDenial denial;

    if (!aws_error_denied_action(error, denial.action, denial.resource))
        return;
    for (size_t i = 0; i < w->n_denials; i++)
        if (text_equal(w->denials[i].action, denial.action) &&
            text_equal(w->denials[i].resource, denial.resource))
            return;
    if (!w->denials)
        w->denials = calloc(WATCH_DENIALS_MAX, sizeof(*w->denials));
    if (w->denials && w->n_denials < WATCH_DENIALS_MAX)
        w->denials[w->n_denials++] = denial;
}

/* ---- the questions: what cannot be asked is answered by that ---- */

static void status_done(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Slot *slot = userdata;
    Observation *seen = &slot->seen;

    slot->call = NULL;
    slot->class = error->class;
    note_denial(slot->watch, error);
    if (error->class != AWS_OK) {
        *seen = (Observation){ .kind = OBSERVED_ERROR, .error = watch_look_error(error->class) };
        (void)aws_error_text(error, "GetTrailStatus", seen->error_text, sizeof(seen->error_text));
    } else {
        *seen = watch_observe(status);
        seen->target_sighted = true;
        if (slot->watch->answered)
            slot->watch->answered((size_t)(slot - slot->watch->slots), seen, slot->watch->userdata);
    }
    slot->watch->n_pending--;
    go_on(slot->watch);
}

static void list_done(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    Watch *w = userdata;

    w->list_call = NULL;
    w->list_error = *error;
    note_denial(w, error);
    if (error->class == AWS_OK && cloudtrail_trails_copy(trails, &w->trails) < 0)
        aws_error_set(&w->list_error, AWS_INTERNAL, "", "out of memory");
    w->n_pending--;
    go_on(w);
}

static void ask_list(Watch *w) {
    int r;

    w->list_asked = true;
    r = cloudtrail_describe_trails(w->aws, w->credentials, w->region, list_done, w, &w->list_call);
    if (r < 0)
        aws_error_set(&w->list_error, AWS_INTERNAL, "", "cannot ask: %s", strerror(-r));
    else
        w->n_pending++;
}

static void ask_status(Watch *w, Slot *slot) {
    int r;

    r = cloudtrail_get_trail_status(w->aws, w->credentials, w->region, slot->arn, status_done, slot,
                                    &slot->call);
    if (r >= 0) {
        w->n_pending++;
        return;
    }
    slot->class = AWS_INTERNAL;
    slot->seen = (Observation){ .kind = OBSERVED_ERROR, .error = LOOK_SERVICE };
    (void)snprintf(slot->seen.error_text, sizeof(slot->seen.error_text), "GetTrailStatus: cannot ask: %s",
                   strerror(-r));
}

/* What one call learned that holds for all others to this target. */
static bool holds_for_all(AwsErrorClass class) {
    LookError error = watch_look_error(class);

    return error == LOOK_UNREACHABLE || error == LOOK_THROTTLED || error == LOOK_CREDENTIALS ||
           class == AWS_UNAVAILABLE;
}

/* The list was the probe when it was to be asked, else the first trail's status. */
static void ask_after_probe(Watch *w) {
    Slot probe = { .class = w->list_error.class };
    size_t next = 0;

    if (w->list_asked) {
        probe.seen = (Observation){ .kind = OBSERVED_ERROR, .error = watch_look_error(probe.class) };
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
static bool needs_list(const Watch *w) {
    for (size_t i = 0; i < w->n_slots; i++)
        if (w->slots[i].class == AWS_NOT_FOUND || w->slots[i].class == AWS_DENIED)
            return !w->list_asked;
    return false;
}

/* Once everything asked so far has been answered: asks what follows from that, else ends the look. */
static void go_on(Watch *w) {
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
    Watch *w = userdata;
    bool list = w->list_asked;
    size_t n_asked = w->probing ? (list ? 0 : MIN(w->n_slots, 1U)) : w->n_slots;

    w->timer = NULL;
    if (list)
        ask_list(w);
    for (size_t i = 0; i < n_asked; i++)
        ask_status(w, &w->slots[i]);
    go_on(w);
}

int watch_start(const WatchRequest *request, WatchDone done, void *userdata, Watch **ret) {
    Watch *w = calloc(1, sizeof(*w));
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
        w->slots[i].watch = w;
        w->slots[i].arn = strdup(request->arns[i]);
        if (!w->slots[i].arn)
            goto no_memory;
        w->n_slots++;
    }
    r = loop_after(aws_client_loop(w->aws), 0, begin, w, &w->timer);
    if (r < 0) {
        watch_free(w);
        return r;
    }
    *ret = w;
    return 0;

no_memory:
    watch_free(w);
    return -ENOMEM;
}
