/* SPDX-License-Identifier: Apache-2.0 */
/* What alerts and incidents are known by: the same after a crash, and from another guard that saw it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "daemon/core/alert_private.h"
#include "daemon/core/model_guard.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

Subject alert_unnamed(const Subject *subject) {
    return (Subject){ subject->name, subject->arn, "", subject->region };
}

#define IDENTITY_MAX (8 * 1024)

/* With the length first, so that different lists of fields never look alike. */
static void add_field(StrBuf *b, const char *field) {
    (void)strbuf_addf(b, "%zu:%s,", strlen(field), field);
}

static void add_subject(StrBuf *b, const Subject *subject) {
    if (subject->arn[0]) {
        add_field(b, subject->arn);
        return;
    }
    add_field(b, subject->account);
    add_field(b, subject->region);
    add_field(b, subject->name);
}

static int hash_identity(const char *what, const Subject *subject, uint64_t dedup_usec, const char *kind,
                         char ret[static HASH_HEX_SIZE]) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(IDENTITY_MAX);
    char mark[24];
    int r;

    (void)snprintf(mark, sizeof(mark), "%" PRIu64, dedup_usec);
    add_field(&b, what);
    add_subject(&b, subject);
    add_field(&b, mark);
    add_field(&b, kind);
    r = strbuf_error(&b);
    if (r < 0)
        return r;
    return hash_sha256_hex(b.data, b.len, ret);
}

int alert_incident_id(const Subject *subject, uint64_t dedup_usec, char ret[static 17]) {
    char hex[HASH_HEX_SIZE];
    int r = hash_identity("incident", subject, dedup_usec, "", hex);

    if (r < 0)
        return r;
    memcpy(ret, hex, 16);
    ret[16] = '\0';
    return 0;
}

/* The subject of a reminder about a target, used in ids of open incidents: these words never change. */
static const char *trouble_of_target(const Event *event) {
    if (event->still == EVENT_GUARD_RIGHTS_LOST)
        return "rights";
    if (event->still == EVENT_ORGANIZATION_UNREADABLE)
        return "organization";
    if (event->about & FINDING_BIT(FINDING_LIST_UNREADABLE))
        return "list";
    return event->detail[0] ? "blind" : "uncovered";
}

/* A gap is the same whether it was found open or closed, and so is a deletion whether the trail was gone or
 * replaced. */
static const char *kind_of_trouble(EventKind kind) {
    switch (kind) {
    case EVENT_TRAIL_STOPPED:
    case EVENT_TRAIL_INTERRUPTED: return "gap";
    case EVENT_TRAIL_REPLACED: return event_to_string(EVENT_TRAIL_MISSING);
    default: return event_to_string(kind);
    }
}

/* Tells messages with the same mark apart. */
static int add_kind(StrBuf *b, const Subject *subject, const Event *event) {
    static const char *const kinds[_EVENT_PHASE_MAX] = {
        [PHASE_RESOLVED] = "resolved",
        [PHASE_REMINDER] = "reminder",
        [PHASE_SUMMARY] = "summary",
    };

    /* Messages about callers depend on the event that was found: after a crash another event may be found
     * for the same trouble, and a FIFO topic must not drop that message as a duplicate. */
    if (event->kind == EVENT_TRAIL_ATTEMPTED || event->kind == EVENT_TRAIL_ATTRIBUTED)
        add_field(b, event->actor.event_id);
    if (event->doubt)
        (void)strbuf_addf(b, "one of %u, ", event->doubt->n_candidates);
    if (event->nobody)
        (void)strbuf_add(b, "nobody, ");
    if (!kinds[event->phase])
        return strbuf_add(b, kind_of_trouble(event->kind));
    (void)strbuf_add(b, kinds[event->phase]);
    if (event->phase == PHASE_REMINDER)
        (void)strbuf_addf(b, " %u", event->n_reminders);
    /* a target has two kinds of incidents; channels differ by name */
    if (!subject->name[0])
        (void)strbuf_addf(b, " %s",
                          event->kind == EVENT_INCIDENT_REMINDER ? trouble_of_target(event)
                                                                 : event_to_string(event->kind));
    return strbuf_error(b);
}

/* Without the error after it, which has a request id. */
static void add_channel_name(StrBuf *b, const char *detail) {
    const char *end = strstr(detail, ": ");
    int n = (int)(end ? (size_t)(end - detail) : strlen(detail));

    (void)strbuf_addf(b, "%d:%.*s,", n, n, detail);
}

int alert_make_id(const Subject *subject, const Event *event, char ret[static HASH_HEX_SIZE]) {
    _cleanup_strbuf_ StrBuf kind = STRBUF_INIT(1024);
    int r;

    (void)add_kind(&kind, subject, event);
    if (event_row(event->kind)->about_channel)
        add_channel_name(&kind, event->detail);
    if (event->hold) {
        add_field(&kind, event->hold->arn);
        add_field(&kind, event->hold->policy);
        (void)strbuf_addf(&kind, "%u", (unsigned)event->step);
    }
    r = strbuf_error(&kind);
    if (r < 0)
        return r;
    return hash_identity("alert", subject, event->dedup_usec, strbuf_str(&kind), ret);
}
