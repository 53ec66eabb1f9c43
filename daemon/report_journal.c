/* SPDX-License-Identifier: Apache-2.0 */
/* Notes as journal lines, one fact a line. */
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/report.h"
#include "daemon/words.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define WORD_MAX 128U /* the longest name that a trail can have */

typedef struct Writing {
    const NoteValue *note;
    uint64_t now_usec;
    StrBuf *out;
} Writing;

static void add_gap(const Writing *w) {
    char from[TIMETEXT_MAX], to[TIMETEXT_MAX], span[TIMETEXT_MAX];
    const Gap *gap = &w->note->gap;

    if (gap->from_usec == 0 || gap->to_usec < gap->from_usec) {
        (void)strbuf_add(w->out, "; AWS gives no times for the gap");
        return;
    }
    (void)strbuf_addf(w->out, "; gap %s-%s (%s)", timetext_clock(from, gap->from_usec, w->now_usec),
                      timetext_clock(to, gap->to_usec, w->now_usec),
                      timetext_span(span, gap->to_usec - gap->from_usec));
}

static void add_detail(const Writing *w) {
    if (!w->note->detail[0])
        return;
    (void)strbuf_add(w->out, ": ");
    (void)text_escape(w->out, w->note->detail, ERROR_TEXT_MAX);
}

static void write_stopped(const Writing *w) {
    char at[TIMETEXT_MAX];
    bool first = w->note->first_sight;

    (void)strbuf_add(w->out, first ? "logging is stopped at first sight" : "logging was stopped");
    if (w->note->gap.from_usec != 0)
        (void)strbuf_addf(w->out, "%s %s", first ? ", since" : " at",
                          timetext_clock(at, w->note->gap.from_usec, w->now_usec));
    (void)strbuf_add(w->out,
                     w->note->note == NOTE_STOPPED ? "; starting it again" : "; not to be started by us");
}

static void write_flapped(const Writing *w) {
    (void)strbuf_add(w->out, "logging was stopped and started again between two looks");
    add_gap(w);
}

static void write_running(const Writing *w) {
    (void)strbuf_add(w->out, "logging again, confirmed");
    add_gap(w);
}

static void write_started(const Writing *w) {
    (void)strbuf_add(w->out, "logging again, started by others");
    add_gap(w);
}

static void write_restart_failed(const Writing *w) {
    (void)strbuf_add(w->out, "could not be started");
    if (w->note->count > 1)
        (void)strbuf_addf(w->out, " (%u times)", w->note->count);
    add_detail(w);
    (void)strbuf_add(w->out, "; trying again");
}

static void write_missing(const Writing *w) {
    (void)strbuf_add(w->out, w->note->first_sight ? "is missing; it was never seen"
                                                  : "is missing: it was there before, and has been deleted");
}

static void write_failing(const Writing *w) {
    static const char *const what[_FINDING_MAX] = {
        [FINDING_DELIVERY] = "log files cannot be delivered to the bucket",
        [FINDING_DIGEST] = "digest files cannot be delivered to the bucket",
        [FINDING_LOG_GROUP] = "events cannot be delivered to the CloudWatch log group",
        [FINDING_NOTIFICATION] = "notifications cannot be delivered to the trail's topic",
    };
    const char *text = w->note->count < _FINDING_MAX ? what[w->note->count] : NULL;

    (void)strbuf_add(w->out, text ? text : "deliveries fail");
    add_detail(w);
}

static void write_look_failed(const Writing *w) {
    (void)strbuf_add(w->out, "could not be looked at");
    add_detail(w);
}

static void write_blind(const Writing *w) {
    (void)strbuf_addf(w->out, "blind after %u %s in vain", w->note->count,
                      w->note->count == 1 ? "look" : "looks");
    add_detail(w);
}

static void write_sighted(const Writing *w) {
    (void)strbuf_addf(w->out, "seen again after %u %s in vain", w->note->count,
                      w->note->count == 1 ? "look" : "looks");
}

/* What a note is: its words are a text, or a function where they depend on its values. */
static const struct {
    int level;
    const char *message_id;
    const char *event;
    const char *text;
    void (*write)(const Writing *w);
} notes[_NOTE_MAX] = {
    [NOTE_STOPPED] = { LOG_WARNING, MESSAGE_TRAIL_STOPPED, "trail.stopped", NULL, write_stopped },
    [NOTE_STOPPED_LEFT] = { LOG_ERR, MESSAGE_TRAIL_STOPPED, "trail.stopped", NULL, write_stopped },
    [NOTE_FLAPPED] = { LOG_WARNING, MESSAGE_TRAIL_FLAPPED, "trail.flapped", NULL, write_flapped },
    [NOTE_RUNNING_AGAIN] = { LOG_NOTICE, MESSAGE_TRAIL_RUNNING, "trail.resolved", NULL, write_running },
    [NOTE_STARTED_BY_OTHERS] = { LOG_NOTICE, MESSAGE_TRAIL_RUNNING, "trail.resolved", NULL, write_started },
    [NOTE_RESTART_FAILED] = { LOG_ERR, MESSAGE_RESTART_FAILED, "trail.stopped", NULL, write_restart_failed },
    [NOTE_MISSING] = { LOG_ERR, MESSAGE_TRAIL_MISSING, "trail.missing", NULL, write_missing },
    [NOTE_REAPPEARED] = { LOG_NOTICE, MESSAGE_TRAIL_REAPPEARED, "trail.resolved", "is there again", NULL },
    [NOTE_FAILING] = { LOG_WARNING, MESSAGE_TRAIL_FAILING, "trail.failing", NULL, write_failing },
    [NOTE_DELIVERING] = { LOG_NOTICE, MESSAGE_TRAIL_DELIVERING, "trail.resolved", "delivering again", NULL },
    [NOTE_LOOK_FAILED] = { LOG_WARNING, NULL, "guard.blind", NULL, write_look_failed },
    [NOTE_BLIND] = { LOG_ERR, MESSAGE_GUARD_BLIND, "guard.blind", NULL, write_blind },
    [NOTE_SIGHTED] = { LOG_NOTICE, MESSAGE_GUARD_SIGHTED, "guard.sighted", NULL, write_sighted },
    [NOTE_NOT_ENABLED] = { LOG_NOTICE, NULL, NULL, "not enabled in this account: skipped, asked again daily",
                           NULL },
    [NOTE_UNCOVERED] = { LOG_WARNING, MESSAGE_REGION_UNCOVERED, "region.uncovered",
                         "no trail records this region", NULL },
    [NOTE_COVERED] = { LOG_NOTICE, MESSAGE_REGION_COVERED, "region.covered",
                       "a trail records this region again", NULL },
    [NOTE_FIRST_SEEN] = { LOG_INFO, NULL, NULL, "guarded from now on", NULL },
};

void report_note(const Subject *subject, const NoteValue *note, const char *incident_id,
                 uint64_t now_real_usec) {
    _cleanup_strbuf_ StrBuf line = STRBUF_INIT(4096);
    Writing w = { .note = note, .now_usec = now_real_usec, .out = &line };
    const char *words[] = { subject->name, subject->region, subject->account };
    const LogField fields[] = {
        { "TRAILGUARD_EVENT", notes[note->note].event },
        { "TRAIL_NAME", subject->name },
        { "TRAIL_ARN", subject->arn },
        { "AWS_ACCOUNT", subject->account },
        { "AWS_REGION", subject->region },
        { "INCIDENT_ID", incident_id },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (!words[i][0])
            continue;
        (void)strbuf_add(&line, line.len > 0 ? " " : "");
        (void)text_escape(&line, words[i], WORD_MAX);
    }
    if (line.len > 0)
        (void)strbuf_add(&line, ": ");
    if (notes[note->note].write)
        notes[note->note].write(&w);
    else
        (void)strbuf_add(&line, notes[note->note].text);
    log_event(notes[note->note].level, notes[note->note].message_id, fields, ARRAY_SIZE(fields), "%s",
              strbuf_str(&line));
}
