/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/attribute_cause.h"

#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

/* AWS's record of a departure is so much younger than the call behind it. */
#define DEPARTURE_LAG_USEC (600 * USEC_PER_SEC)
/* The host's clock and AWS's, where both are right. */
#define SEEN_SLACK_USEC (2 * USEC_PER_SEC)

static bool is_stop(const Actor *actor) {
    return text_equal(actor->event_name, "StopLogging");
}

/* The history has whole seconds. */
static uint64_t distance_usec(uint64_t stop_usec, uint64_t event_usec) {
    uint64_t second_usec = stop_usec - stop_usec % USEC_PER_SEC;

    return MAX(second_usec, event_usec) - MIN(second_usec, event_usec);
}

/* AWS accepts StopLogging of a stopped trail, which changes nothing. If two are equally near, the older
 * one. */
static bool is_nearer(uint64_t stop_usec, const Actor *actor, const Actor *than) {
    uint64_t distance = distance_usec(stop_usec, actor->event_usec),
             than_distance = distance_usec(stop_usec, than->event_usec);

    return distance < than_distance || (distance == than_distance && actor->event_usec < than->event_usec);
}

/* A call after the trouble was found is the cause only if the clocks differ and there is no earlier call. */
static bool is_after(const AttributeRequest *request, const Actor *actor) {
    return request->seen_usec != 0 && actor->event_usec > request->seen_usec + SEEN_SLACK_USEC;
}

/* Keeps the newest. */
static void add_opening(uint64_t openings[static OPENINGS_MAX], uint64_t usec) {
    size_t oldest = 0;

    for (size_t i = 1; i < OPENINGS_MAX; i++)
        if (openings[i] < openings[oldest])
            oldest = i;
    openings[oldest] = MAX(openings[oldest], usec);
}

static bool is_of_key(const Actor *actor) {
    return text_equal(actor->event_name, "PutKeyPolicy");
}

static bool writes_policy(const Actor *actor) {
    return is_of_key(actor) || text_equal(actor->event_name, "PutBucketPolicy") ||
           text_equal(actor->event_name, "DeleteBucketPolicy");
}

/* True if a policy let CloudTrail in again between the two calls, which are about the same bucket or key. */
static bool is_mended_between(const Attribution *found, const Actor *a, const Actor *b) {
    const uint64_t *openings = is_of_key(a) ? found->key_open_usec : found->bucket_open_usec;
    uint64_t from_usec = MIN(a->event_usec, b->event_usec), to_usec = MAX(a->event_usec, b->event_usec);

    for (size_t i = 0; i < OPENINGS_MAX; i++)
        if (openings[i] >= from_usec && openings[i] <= to_usec)
            return true;
    return false;
}

/* A call that writes a policy that was closed already did not close it. A policy that certainly is closed is
 * better evidence than one that cannot be judged. */
static bool closes_first(const Attribution *found, const Actor *actor, bool *ret) {
    const Actor *than = &found->actor;

    if (!writes_policy(actor) || !writes_policy(than) || is_of_key(actor) != is_of_key(than) ||
        (!actor->closes && !than->closes) || is_mended_between(found, actor, than))
        return false;
    *ret = actor->closes && (!than->closes || actor->event_usec < than->event_usec);
    return true;
}

/* True if no later policy let CloudTrail in again. */
static bool keeps_closed(const Attribution *found, const Actor *actor) {
    const uint64_t *openings = is_of_key(actor) ? found->key_open_usec : found->bucket_open_usec;

    for (size_t i = 0; i < OPENINGS_MAX; i++)
        if (openings[i] >= actor->event_usec)
            return false;
    return actor->closes;
}

/* The newest; but a call is better than AWS's record of its result, and one that certainly closed a policy
 * better than one that may have had no effect. */
static bool is_better(const AttributeRequest *request, const Attribution *found, const Actor *actor) {
    const Actor *than = &found->actor;
    bool record = actor->departure[0], than_record = than->departure[0], better;

    if (request->stop_usec != 0 && is_stop(actor) && is_stop(than))
        return is_nearer(request->stop_usec, actor, than);
    if (is_after(request, actor) != is_after(request, than))
        return is_after(request, than);
    if (actor->omitted != than->omitted)
        return than->omitted;
    if (closes_first(found, actor, &better))
        return better;
    if (actor->perhaps && keeps_closed(found, than))
        return false;
    if (than->perhaps && keeps_closed(found, actor))
        return true;
    if (record == than_record)
        return actor->event_usec > than->event_usec;
    return record ? actor->event_usec > than->event_usec + DEPARTURE_LAG_USEC
                  : actor->event_usec + DEPARTURE_LAG_USEC >= than->event_usec;
}

/* ---- candidates: calls between which the records do not decide ---- */

static bool is_same_caller(const Actor *a, const Actor *b) {
    return text_equal(a->arn, b->arn) && text_equal(a->name, b->name);
}

static bool is_same_call(const Actor *a, const Actor *b) {
    return text_equal(a->event_id, b->event_id) && text_equal(a->event_name, b->event_name) &&
           a->event_usec == b->event_usec && is_same_caller(a, b);
}

static bool is_same_deed(const Actor *a, const Actor *b) {
    return is_same_caller(a, b) && text_equal(a->event_name, b->event_name) && a->closes == b->closes &&
           a->perhaps == b->perhaps;
}

/* Keeps the first and the last of equal calls by one caller, so that many calls do not crowd out other
 * callers. */
static void consider(Attribution *found, const Actor *actor) {
    Actor *first = NULL, *last = NULL;

    for (unsigned i = 0; i < found->n_candidates; i++) {
        Actor *a = &found->candidates[i];

        if (is_same_call(a, actor))
            return;
        if (!is_same_deed(a, actor))
            continue;
        first = !first || a->event_usec < first->event_usec ? a : first;
        last = !last || a->event_usec >= last->event_usec ? a : last;
    }
    if (first == last && found->n_candidates < CANDIDATES_MAX)
        found->candidates[found->n_candidates++] = *actor;
    else if (first == last)
        found->more_candidates = true;
    else if (actor->event_usec < first->event_usec)
        *first = *actor;
    else if (actor->event_usec > last->event_usec)
        *last = *actor;
}

void attribute_weigh(const AttributeRequest *request, Admission admission, Actor *actor,
                     Attribution *found) {
    if (admission == ADMISSION_GIVEN) {
        add_opening(is_of_key(actor) ? found->key_open_usec : found->bucket_open_usec, actor->event_usec);
        return;
    }
    actor->closes = admission == ADMISSION_DENIED;
    actor->perhaps |= admission == ADMISSION_UNCLEAR && writes_policy(actor);
    consider(found, actor);
    if (!found->found || is_better(request, found, actor)) {
        found->found = true;
        found->actor = *actor;
    }
}

/* True for the actor's call, and for each that may be the cause in its place. If the actor's call may have
 * had no effect, that is every one; else a later one without parameters, an earlier policy that cannot be
 * judged, and one that closed the same policy in the same second. */
static bool may_be_it(const AttributeRequest *request, const Attribution *found, const Actor *actor) {
    const Actor *best = &found->actor;
    bool older = actor->event_usec < best->event_usec;

    if (is_same_call(actor, best))
        return true;
    if (is_after(request, actor) && !is_after(request, best))
        return false;
    if (best->perhaps)
        return true;
    if (actor->omitted)
        return !older && !is_stop(best);
    if (!writes_policy(actor) || !writes_policy(best) || is_of_key(actor) != is_of_key(best))
        return false;
    if (actor->closes)
        return actor->event_usec == best->event_usec;
    return older && !is_mended_between(found, actor, best);
}

/* Into a list of n, oldest first. */
static void insert(Actor *list, unsigned n, const Actor *actor) {
    const Actor inserted = *actor; /* may point into the list, at n or behind it */

    while (n > 0 && list[n - 1].event_usec > inserted.event_usec) {
        list[n] = list[n - 1];
        n--;
    }
    list[n] = inserted;
}

void attribute_conclude(const AttributeRequest *request, Attribution *found) {
    unsigned n = 0, n_considered = found->n_candidates;
    bool several = false, seen = false;

    for (unsigned i = 0; i < n_considered; i++) {
        const Actor *actor = &found->candidates[i];

        if (!may_be_it(request, found, actor))
            continue;
        several |= !is_same_caller(actor, &found->actor);
        seen |= is_same_call(actor, &found->actor);
        insert(found->candidates, n++, actor);
    }
    if (several && !seen)
        insert(found->candidates, n < CANDIDATES_MAX ? n++ : n - 1, &found->actor);
    found->n_candidates = several ? n : 0;
    found->more_candidates &= several;
    found->incomplete |= found->found && (several || found->actor.perhaps);
}
