/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/alert.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert_parts.h"
#include "daemon/core/enum_names.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"

#define IDENTITY_MAX (8 * 1024)

/* ---- identities ---- */

/* Length first, so that no two lists of fields look alike. */
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

    if (hash_identity("incident", subject, dedup_usec, "", hex) < 0)
        return -EIO;
    memcpy(ret, hex, 16);
    ret[16] = '\0';
    return 0;
}

/* What sets messages about the same mark apart. A gap is a gap, whether it was seen open or closed. */
static int add_kind(StrBuf *b, const Subject *subject, const Tell *tell) {
    static const char *const kinds[_TELL_KIND_MAX] = {
        [TELL_RESOLVED] = "resolved",
        [TELL_REMINDER] = "reminder",
        [TELL_SUMMARY] = "summary",
    };
    bool gap = tell->event == EVENT_TRAIL_STOPPED || tell->event == EVENT_TRAIL_INTERRUPTED;

    /* Who did it and who tried are facts of the event that was found: after a crash another event may be
     * found for the same trouble, and a topic that drops what it has seen must not drop that. */
    if (tell->event == EVENT_TRAIL_ATTEMPTED || tell->event == EVENT_TRAIL_ATTRIBUTED)
        add_field(b, tell->actor.event_id);
    if (tell->nobody)
        (void)strbuf_add(b, "nobody, ");
    if (!kinds[tell->kind])
        return strbuf_add(b, gap ? "gap" : event_to_string(tell->event));
    (void)strbuf_add(b, kinds[tell->kind]);
    if (tell->kind == TELL_REMINDER)
        (void)strbuf_addf(b, " %u", tell->n_reminders);
    /* a target has two kinds of incidents; a channel's are told by its name */
    if (!subject->name[0])
        (void)strbuf_addf(b, " %s",
                          tell->event == EVENT_INCIDENT_REMINDER ? alert_target_trouble(tell)
                                                                 : event_to_string(tell->event));
    return strbuf_error(b);
}

static int make_id(const Subject *subject, const Tell *tell, char ret[static HASH_HEX_SIZE]) {
    _cleanup_strbuf_ StrBuf kind = STRBUF_INIT(1024);
    bool channel = tell->event == EVENT_CHANNEL_FAILED || tell->event == EVENT_CHANNEL_RECOVERED;
    int r;

    (void)add_kind(&kind, subject, tell);
    if (channel)
        add_field(&kind, tell->detail);
    r = strbuf_error(&kind);
    if (r < 0)
        return r;
    return hash_identity("alert", subject, tell->dedup_usec, strbuf_str(&kind), ret);
}

/* ---- composing ---- */

static bool is_sane(const Tell *tell) {
    return (unsigned)tell->event < _EVENT_MAX && (unsigned)tell->kind < _TELL_KIND_MAX &&
           (unsigned)tell->severity < _SEVERITY_MAX;
}

/* Printable ASCII for filters and groups: what does not fit or is not is replaced. */
static void copy_plain(char *dst, size_t size, const char *src) {
    (void)text_copy(dst, size, src);
    for (; *dst; dst++)
        if (*dst < 0x21 || *dst > 0x7e)
            *dst = '?';
}

int alert_compose(const AlertGuard *guard, const Subject *subject, const Tell *tell, Alert *ret) {
    Alert alert = { 0 };
    AlertSource source = { .guard = guard, .subject = subject, .tell = tell, .incident = alert.incident };
    int r;

    if (!is_sane(tell))
        return -EINVAL;
    source.words = alert_template(subject, tell);
    alert.event = tell->event;
    alert.severity = tell->severity;
    alert.time_usec = tell->time_usec;
    copy_plain(alert.account, sizeof(alert.account), subject->account);
    copy_plain(alert.region, sizeof(alert.region), subject->region);
    if (alert_is_about_trail(subject, tell))
        copy_plain(alert.trail, sizeof(alert.trail), subject->name);

    r = alert_incident_id(subject, tell->incident_dedup_usec, alert.incident);
    if (r >= 0)
        r = make_id(subject, tell, alert.id);
    if (r >= 0)
        r = alert_subject(&source, alert.subject);
    if (r >= 0)
        r = alert_mail(&source, &alert.text);
    if (r >= 0)
        r = alert_document(&source, alert.id, &alert.document);
    if (r >= 0 && !(alert.sms = strdup(alert.subject)))
        r = -ENOMEM;
    if (r < 0) {
        alert_done(&alert);
        return r;
    }
    *ret = alert;
    return 0;
}

void alert_done(Alert *alert) {
    free(alert->text);
    free(alert->sms);
    free(alert->document);
    *alert = (Alert){ 0 };
}
