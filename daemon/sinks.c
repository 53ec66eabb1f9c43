/* SPDX-License-Identifier: Apache-2.0 */
/* Where journal lines and messages go. */
#include "daemon/sinks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/alert.h"
#include "daemon/log.h"
#include "daemon/version.h"
#include "lib/util/macros.h"

/* More than the largest message needs until it is on disk. It is never touched, so it takes no page. */
#define RESERVE_SIZE ((size_t)2 * 1024 * 1024)

void engine_fill_reserve(Engine *engine) {
    if (!engine->reserve)
        engine->reserve = malloc(RESERVE_SIZE);
}

bool engine_use_reserve(Engine *engine) {
    bool had = engine->reserve != NULL;

    free(TAKE_PTR(engine->reserve));
    return had;
}

static int try_message(Engine *engine, const Subject *subject, const Event *event, bool *ret_composed) {
    char host[256] = "unknown";
    AlertGuard guard = { .host = host, .version = trailguard_version };
    Alert alert = { 0 };
    int r;

    (void)gethostname(host, sizeof(host) - 1);
    r = alert_compose(&guard, subject, event, &alert);
    *ret_composed = r >= 0;
    if (r >= 0 && deliver_wants(engine->deliver, &alert))
        r = outbox_add(engine->outbox, &alert);
    alert_done(&alert);
    return r;
}

/* The guard has decided and will not send the message again, so it may use the reserve. OpenSSL's -EIO may
 * also mean a lack of memory. */
static int queue_message(Engine *engine, const Subject *subject, const Event *event) {
    bool composed;
    int r = try_message(engine, subject, event, &composed);

    if ((r == -ENOMEM || r == -EIO) && engine_use_reserve(engine))
        r = try_message(engine, subject, event, &composed);
    engine_fill_reserve(engine);
    if (r >= 0) /* otherwise it is composed again later */
        metrics_count_event(engine->metrics, event->kind, event->severity);
    else if (!composed)
        log_line(LOG_ERR, "an alert about %s%s%s cannot be composed: %s", subject->name,
                 subject->name[0] ? " in " : "", subject->region, strerror(-r));
    return r;
}

const Sink sink_reports = { .entry = report_entry, .message = queue_message, .records = true };

static void drop_entry(const Subject *subject _unused_, const JournalEntry *entry _unused_,
                       const char *incident_id _unused_, uint64_t now_usec _unused_) {
}

static int drop_message(Engine *engine _unused_, const Subject *subject _unused_,
                        const Event *event _unused_) {
    return 0;
}

const Sink sink_shows = { .entry = drop_entry, .message = drop_message };

static void kick(const Engine *engine) {
    if (engine->deliver)
        deliver_kick(engine->deliver, false);
}

int engine_queue_message(Engine *engine, const Subject *subject, Event *event) {
    int r;

    event->time_usec = engine_now(engine).real_usec;
    r = engine->sink->message(engine, subject, event);
    kick(engine);
    return r;
}

int engine_queue_messages(Engine *engine, const Subject *subject, const Plan *plan) {
    return engine_queue_events(engine, subject, plan->events, plan->n_events);
}

int engine_queue_events(Engine *engine, const Subject *subject, const Event *events, unsigned n) {
    int result = 0; /* the worst result */

    if (n == 0)
        return 0;
    for (unsigned i = 0; i < n; i++) {
        int r = engine->sink->message(engine, subject, &events[i]);

        result = result < 0 || r < 0 ? MIN(result, r) : MAX(result, r);
    }
    kick(engine);
    return result;
}
