/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/poll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/task.h"
#include "lib/rate_limiter.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* A trail, and the slot of its call in the task; the list's slot is the last. */
typedef struct Slot {
    Poll *poll;
    const char *arn;
    AwsErrorClass class;
    bool wanted;  /* its status is still to be requested */
    bool by_list; /* it was missing: the list shows whether its status is worth a call */
    bool by_name; /* it was listed, but not found by its ARN */
} Slot;

struct Poll {
    Task task;
    PollRequest request; /* we own its region; the slots have its ARNs */
    PollDone done;
    void *userdata;
    bool begun, probing;
    bool missing_asked;  /* the list's answer about missing trails was used */
    bool without_memory; /* for an answer */
    bool list_asked;
    AwsError list_error;
    CloudTrailTrails trails;
    Slot *slots;
    size_t n_slots;
    size_t next;         /* earlier slots are done */
    size_t n_asked;      /* statuses being requested ... */
    size_t n_alike;      /* ... and consecutive answers that apply to all trails */
    Slot *last;          /* the slot of the last of these */
    Observation *seen;   /* one per slot; NULL until the first answer, because a thousand polls may wait at
                            once */
    CallDenial *denials; /* NULL if there are none */
    size_t n_denials;
};

void poll_cancel(Poll *poll) {
    if (!poll)
        return;
    task_done(&poll->task);
    cloudtrail_trails_done(&poll->trails);
    free(poll->slots);
    free(poll->seen);
    free(poll->denials);
    free(poll);
}
DEFINE_CLEANUP(Poll *, poll_cancel);

/* ---- the end ---- */

/* NULL: out of memory. */
static Observation *observations(Poll *poll) {
    if (!poll->seen)
        poll->seen = calloc(poll->n_slots + 1, sizeof(*poll->seen));
    return poll->seen;
}

/* NULL if it is not listed. */
static const CloudTrailTrail *find_listed(const Poll *poll, const char *arn) {
    for (size_t i = 0; i < poll->trails.n; i++)
        if (text_equal(poll->trails.items[i].arn, arn))
            return &poll->trails.items[i];
    return NULL;
}

static bool is_listed(const Poll *poll, const char *arn) {
    return find_listed(poll, arn) != NULL;
}

static bool is_list_read(const Poll *poll) {
    return poll->list_asked && poll->list_error.class == AWS_OK;
}

/* Both must report that it is gone. An answered status proves that the trail exists, whatever the list
 * says. */
static void judge_absent(Poll *poll, size_t at) {
    const Slot *slot = &poll->slots[at];

    if (slot->by_list && !is_list_read(poll)) {
        poll->seen[at] =
                (Observation){ .kind = OBSERVED_ERROR, .error = observe_error(poll->list_error.class) };
        (void)aws_error_text(&poll->list_error, "DescribeTrails", poll->seen[at].error_text,
                             sizeof(poll->seen[at].error_text));
    } else if ((slot->by_list || slot->class == AWS_NOT_FOUND) && is_list_read(poll) &&
               !is_listed(poll, slot->arn))
        poll->seen[at] = (Observation){ .kind = OBSERVED_ABSENT };
}

static void judge_poll(const Poll *poll, PollAnswer *answer) {
    PollResult *result = &answer->result;
    bool list_ok = is_list_read(poll);
    const Slot *failed = NULL;
    size_t n_rejected = 0, n_without = 0, n_held_back = 0, n_asked = poll->list_asked;

    result->listed = result->list_read = list_ok;
    result->reachable = list_ok || poll->n_slots + poll->list_asked == 0;
    for (size_t i = 0; i < poll->n_slots; i++) {
        const Slot *slot = &poll->slots[i];

        if (slot->by_list)
            continue;
        n_asked++;
        if (slot->class == AWS_OK || slot->class == AWS_NOT_FOUND)
            result->reachable = true;
        else if (!failed || failed->class == AWS_HELD_BACK)
            failed = slot;
        n_rejected += slot->class == AWS_BAD_CREDENTIALS;
        n_without += slot->class == AWS_NO_CREDENTIALS;
        n_held_back += slot->class == AWS_HELD_BACK;
    }
    n_rejected += poll->list_asked && poll->list_error.class == AWS_BAD_CREDENTIALS;
    n_without += poll->list_asked && poll->list_error.class == AWS_NO_CREDENTIALS;
    n_held_back += poll->list_asked && poll->list_error.class == AWS_HELD_BACK;
    answer->rejected = n_asked > 0 && n_rejected == n_asked;
    answer->no_credentials = n_asked > 0 && n_without == n_asked;
    result->held_back = !result->reachable && n_held_back == n_asked;
    if (result->reachable && poll->list_asked && !list_ok && poll->list_error.class != AWS_HELD_BACK) {
        result->list_error = observe_error(poll->list_error.class);
        (void)aws_error_text(&poll->list_error, "DescribeTrails", result->list_error_text,
                             sizeof(result->list_error_text));
    }
    if (result->reachable)
        return;
    if (poll->list_asked) {
        result->error = observe_call_error(&poll->list_error);
        (void)aws_error_text(&poll->list_error, "DescribeTrails", result->error_text,
                             sizeof(result->error_text));
    } else if (failed) {
        const Observation *seen = &poll->seen[failed - poll->slots];

        result->error = seen->error;
        text_copy(result->error_text, sizeof(result->error_text), seen->error_text);
    }
}

static void poll_finish(void *userdata) {
    Poll *poll = userdata;
    PollAnswer result = { .trails = NULL };

    if (!poll->without_memory && observations(poll)) {
        for (size_t i = 0; i < poll->n_slots; i++)
            judge_absent(poll, i);
        judge_poll(poll, &result);
        if (result.result.listed)
            result.trails = &poll->trails;
        /* a failed list has an incident of the target */
        for (size_t i = 0; i < poll->n_slots; i++)
            poll->seen[i].target_reachable = result.result.reachable && !poll->slots[i].by_list;
        result.seen = poll->seen;
        result.n_seen = poll->n_slots;
        result.denials = poll->denials;
        result.n_denials = poll->n_denials;
    } else
        result.result = (PollResult){ .error = POLL_SERVICE, .error_text = "out of memory" };
    poll->done(&result, poll->userdata);
    poll_cancel(poll);
}

static void note_denial(Poll *poll, const AwsError *error) {
    CallDenial denial;

    if (!aws_error_denied_action(error, denial.action, denial.resource))
        return;
    for (size_t i = 0; i < poll->n_denials; i++)
        if (text_equal(poll->denials[i].action, denial.action) &&
            text_equal(poll->denials[i].resource, denial.resource))
            return;
    if (!poll->denials)
        poll->denials = calloc(POLL_DENIALS_MAX, sizeof(*poll->denials));
    if (poll->denials && poll->n_denials < POLL_DENIALS_MAX)
        poll->denials[poll->n_denials++] = denial;
}

/* ---- the calls; a call that cannot be started counts as failed ---- */

/* True if the error applies to all other calls to this target. */
static bool holds_for_all(AwsErrorClass class) {
    PollError error = observe_error(class);

    return error == POLL_UNREACHABLE || error == POLL_THROTTLED || error == POLL_CREDENTIALS ||
           class == AWS_UNAVAILABLE;
}

static void ask_wanted(Poll *poll);

static void poll_status_done(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Slot *slot = userdata;
    Poll *poll = slot->poll;
    size_t i = (size_t)(slot - poll->slots);
    Observation *seen = observations(poll) ? &poll->seen[i] : NULL;

    task_answered(&poll->task, i);
    poll->n_asked--;
    poll->n_alike = holds_for_all(error->class) ? poll->n_alike + 1 : 0;
    poll->last = slot;
    slot->class = error->class;
    note_denial(poll, error);
    if (!seen)
        poll->without_memory = true;
    else if (error->class != AWS_OK) {
        *seen = (Observation){ .kind = OBSERVED_ERROR,
                               .error = observe_call_error(error),
                               .held_back = error->class == AWS_HELD_BACK };
        (void)aws_error_text(error, "GetTrailStatus", seen->error_text, sizeof(seen->error_text));
    } else {
        *seen = observe_status(status);
        seen->target_reachable = true;
        if (poll->request.answered)
            poll->request.answered(i, seen, poll->userdata);
    }
    ask_wanted(poll);
    task_go_on(&poll->task);
}

static void poll_list_done(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    Poll *poll = userdata;

    task_answered(&poll->task, poll->n_slots);
    poll->list_error = *error;
    note_denial(poll, error);
    if (error->class == AWS_OK && cloudtrail_trails_copy(trails, &poll->trails) < 0)
        aws_error_set(&poll->list_error, AWS_INTERNAL, "", "out of memory");
    task_go_on(&poll->task);
}

static void poll_ask_list(Poll *poll) {
    const PollRequest *q = &poll->request;
    int r = task_asked(&poll->task,
                       cloudtrail_describe_trails(&(AwsCaller){ q->aws, q->credentials, q->region }, NULL,
                                                  poll_list_done, poll, &poll->task.calls[poll->n_slots]));

    poll->list_asked = true;
    if (r < 0)
        aws_error_set(&poll->list_error, AWS_INTERNAL, "", "cannot ask: %s", strerror(-r));
}

static void ask_status(Poll *poll, Slot *slot) {
    const PollRequest *q = &poll->request;
    const char *trail = slot->by_name ? strrchr(slot->arn, '/') + 1 : slot->arn;
    Observation *seen;
    int r = task_asked(&poll->task, cloudtrail_get_trail_status(
                                            &(AwsCaller){ q->aws, q->credentials, q->region }, trail,
                                            poll_status_done, slot, &poll->task.calls[slot - poll->slots]));

    if (r >= 0) {
        poll->n_asked++;
        return;
    }
    slot->class = AWS_INTERNAL;
    seen = observations(poll) ? &poll->seen[slot - poll->slots] : NULL;
    if (!seen) {
        poll->without_memory = true;
        return;
    }
    *seen = (Observation){ .kind = OBSERVED_ERROR, .error = POLL_SERVICE };
    (void)snprintf(seen->error_text, sizeof(seen->error_text), "GetTrailStatus: cannot ask: %s",
                   strerror(-r));
}

/* What is known of the target applies to this trail, too. */
static void fill_alike(Poll *poll, Slot *slot, AwsErrorClass class, const Observation *seen) {
    slot->class = class;
    poll->seen[slot - poll->slots] = *seen;
}

/* As many as get their turn within half of a call's deadline. */
static size_t asked_max(const AwsClient *aws) {
    uint64_t n = rate_ceiling(RATE_READ, aws_client_deadline_usec(aws) / 2);

    return MAX(1U, MIN(n, (uint64_t)POLL_ASKED_MAX));
}

uint64_t poll_longest_usec(const AwsClient *aws, size_t n_arns) {
    return (4 + 2 * n_arns / asked_max(aws)) * aws_client_deadline_usec(aws);
}

/* Limited, so that each status gets its turn long before its deadline, and other calls to the target do not
 * wait behind all of them. After as many consecutive answers that apply to all trails, the rest is not
 * requested. */
static void ask_wanted(Poll *poll) {
    size_t max = asked_max(poll->request.aws);
    const Slot *like = poll->n_alike >= max ? poll->last : NULL;

    for (; poll->next < poll->n_slots && poll->n_asked < max; poll->next++) {
        Slot *slot = &poll->slots[poll->next];

        if (!slot->wanted)
            continue;
        slot->wanted = false;
        if (like && poll->seen)
            fill_alike(poll, slot, like->class, &poll->seen[like - poll->slots]);
        else
            ask_status(poll, slot);
    }
}

static void want_status(Poll *poll, Slot *slot) {
    slot->wanted = true;
    slot->by_list = false;
    poll->next = MIN(poll->next, (size_t)(slot - poll->slots));
}

/* The probe was the list if that was due, else the first trail's status. */
static void ask_after_probe(Poll *poll) {
    size_t first = poll->list_asked ? 0 : 1;
    AwsErrorClass class = first == 0 ? poll->list_error.class : poll->slots[0].class;
    Observation seen = { .kind = OBSERVED_ERROR, .held_back = class == AWS_HELD_BACK };

    if (!observations(poll)) {
        poll->without_memory = true;
        return;
    }
    if (first > 0)
        seen = poll->seen[0];
    else {
        seen.error = observe_call_error(&poll->list_error);
        (void)aws_error_text(&poll->list_error, "DescribeTrails", seen.error_text, sizeof(seen.error_text));
    }
    for (size_t i = first; i < poll->n_slots; i++) {
        if (poll->slots[i].by_list)
            continue;
        if (holds_for_all(class))
            fill_alike(poll, &poll->slots[i], class, &seen);
        else
            want_status(poll, &poll->slots[i]);
    }
    ask_wanted(poll);
}

/* For a missing or denied trail, the list tells trouble of the trail from trouble of the target. */
static bool needs_list(const Poll *poll) {
    for (size_t i = 0; i < poll->n_slots; i++)
        if (poll->slots[i].class == AWS_NOT_FOUND || poll->slots[i].class == AWS_DENIED)
            return !poll->list_asked;
    return false;
}

/* Trails that the list shows are back. If the list is refused, a few are asked for their status. */
static void ask_missing(Poll *poll) {
    bool refused = poll->list_error.class != AWS_OK && !holds_for_all(poll->list_error.class);
    size_t n_asked = 0;

    poll->missing_asked = true;
    for (size_t i = 0; i < poll->n_slots; i++) {
        Slot *slot = &poll->slots[i];

        if (slot->by_list && (is_listed(poll, slot->arn) || (refused && n_asked++ < POLL_MISSING_MAX)))
            want_status(poll, slot);
    }
    ask_wanted(poll);
}

/* A substitute for AWS may know a trail only by its name. A name means a trail of our own account; an
 * organization trail may belong to another account, and we could have one of the same name. */
static void ask_by_name(Poll *poll) {
    for (size_t i = 0; i < poll->n_slots; i++) {
        Slot *slot = &poll->slots[i];
        const CloudTrailTrail *listed;

        if (slot->class != AWS_NOT_FOUND || slot->by_name)
            continue;
        listed = find_listed(poll, slot->arn);
        if (!listed || listed->organization)
            continue;
        slot->by_name = true;
        want_status(poll, slot);
    }
    ask_wanted(poll);
}

static void begin(Poll *poll) {
    bool list = poll->request.list || poll->request.n_missing > 0;
    size_t n_there = poll->n_slots - MIN(poll->request.n_missing, poll->n_slots);
    size_t n = poll->probing ? (list ? 0 : MIN(n_there, 1U)) : n_there;

    poll->begun = true;
    if (list)
        poll_ask_list(poll);
    for (size_t i = 0; i < n; i++)
        want_status(poll, &poll->slots[i]);
    ask_wanted(poll);
}

/* Called when all calls so far were answered: makes the calls that follow. */
static void poll_go_on(void *userdata) {
    Poll *poll = userdata;

    if (!poll->begun)
        begin(poll);
    if (!task_waits(&poll->task) && poll->probing) {
        poll->probing = false;
        ask_after_probe(poll);
    }
    if (!task_waits(&poll->task) && needs_list(poll))
        poll_ask_list(poll);
    if (!task_waits(&poll->task) && poll->list_asked && !poll->missing_asked)
        ask_missing(poll);
    if (!task_waits(&poll->task) && is_list_read(poll))
        ask_by_name(poll);
}

static int prepare(Poll *poll) {
    const PollRequest *q = &poll->request;
    int r;

    poll->slots = calloc(q->n_arns + 1, sizeof(*poll->slots));
    r = poll->slots ? task_init(&poll->task, q->aws, q->n_arns + 1, poll_go_on, poll_finish, poll) : -ENOMEM;
    if (r >= 0)
        r = task_keep(&poll->task, &poll->request.region);
    for (size_t i = 0; r >= 0 && i < q->n_arns; i++) {
        poll->slots[i] = (Slot){ .poll = poll,
                                 .arn = q->arns[i],
                                 .by_list = i + MIN(q->n_missing, q->n_arns) >= q->n_arns };
        r = task_keep(&poll->task, &poll->slots[i].arn);
    }
    poll->n_slots = q->n_arns;
    return r < 0 ? r : task_after(&poll->task, 0);
}

int poll_start(const PollRequest *request, PollDone done, void *userdata, Poll **ret) {
    _cleanup_(poll_cancelp) Poll *poll = calloc(1, sizeof(*poll));
    int r;

    if (!poll)
        return -ENOMEM;
    poll->request = *request;
    poll->done = done;
    poll->userdata = userdata;
    poll->probing = request->probe && (request->list || request->n_arns > 0);
    r = prepare(poll);
    if (r >= 0)
        *ret = TAKE_PTR(poll);
    return r;
}
