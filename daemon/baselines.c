/* SPDX-License-Identifier: Apache-2.0 */
/* A trail's baseline, between its file and the comparison. */
#include "daemon/baselines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/apply_plan.h"
#include "daemon/core/baseline.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/settings.h"
#include "daemon/core/settings_kept.h"
#include "daemon/engine_private.h"
#include "daemon/log.h"
#include "daemon/sinks.h"
#include "lib/arn.h"
#include "lib/endpoint.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define BY_GUARD "guard"

static void note(Trail *trail, JournalLine what, uint32_t fields, const char *detail) {
    JournalEntry value = { .line = what, .fields = fields };
    Subject subject = engine_trail_subject(trail);

    (void)text_copy(value.detail, sizeof(value.detail), detail);
    trail->engine->sink->entry(&subject, &value, "", engine_now(trail->engine).real_usec);
}

static Recording recording_of(const Trail *trail) {
    const SettingsTracking *k = &trail->tracking;

    return (Recording){
        .loaded = k->loaded,
        .recorded = k->recorded,
        .unsaved = k->unsaved,
        .gone = k->gone,
        .provisional = TRAIL_STATE(trail, provisional),
        .shows = !trail->engine->sink->records,
    };
}

/* Both, or neither: one without the other would be a difference. */
static int keep_baseline(SettingsTracking *k, const Settings *recorded, const Settings *desired) {
    const Settings *before = &settings_none;
    int r = settings_keep(&before, k->baseline);

    if (r >= 0)
        r = settings_keep(&k->baseline, recorded);
    if (r >= 0 && settings_keep(&k->desired, desired) < 0) {
        const Settings *refused = k->baseline;

        k->baseline = before;
        before = refused;
        r = -ENOMEM;
    }
    (void)settings_keep(&before, &settings_none);
    return r;
}

typedef struct Pins {
    uint32_t fields;
    uint64_t mark;
} Pins;

/* The desired settings are the recording overridden by the pins. */
static int make_desired(const Trail *trail, const Settings *recorded, Settings *ret, Pins *ret_pins) {
    Expect expect = { 0 };
    int r = config_expect_of(trail->engine->config, trail->name, trail->arn, &expect);

    if (r >= 0)
        r = baseline_effective(recorded, &expect, ret);
    *ret_pins = (Pins){ baseline_pinned(&expect), baseline_pins_mark(&expect) };
    settings_done(&expect.pins);
    return r;
}

static int take_baseline(Trail *trail, const Settings *recorded) {
    SettingsTracking *k = &trail->tracking;
    Settings desired = { 0 };
    Pins pins;
    int r = make_desired(trail, recorded, &desired, &pins);

    if (r >= 0)
        r = keep_baseline(k, recorded, &desired);
    settings_done(&desired);
    if (r < 0)
        return r;
    k->pinned = pins.fields;
    k->recorded = true;
    trail->facts.pins_mark = pins.mark;
    return 0;
}

static void take_record(Trail *trail, const BaselineRecord *record) {
    trail->tracking.unadded = false;
    if (!record->gone && settings_can_be_recorded(&record->latest.settings))
        (void)take_baseline(trail, &record->latest.settings);
}

void engine_resume_baseline(Trail *trail) {
    BaselineRecord record = { 0 };
    char error[ERROR_TEXT_MAX];

    if (!trail->arn[0] ||
        baseline_file_peek(trail->engine->state_dir, trail->arn, &record, error, sizeof(error)) <= 0)
        return;
    take_record(trail, &record);
    baseline_record_done(&record);
}

/* About something that began now; dedup_usec: the time that identifies it. */
static Event baseline_message(const Engine *engine, EventKind kind, Severity severity, uint64_t dedup_usec,
                              Mode mode, const char *detail) {
    Event event = event_new(kind, PHASE_OPENED, severity, dedup_usec, mode, detail);

    event.opened_usec = engine_now(engine).real_usec;
    return event;
}

/* Negative: the message was not queued, and must be repeated. */
static int report_baseline(Trail *trail, EventKind kind, Severity severity, const Drift *changes,
                           uint64_t dedup_usec, bool gone, const char *detail) {
    Subject subject = engine_trail_subject(trail);
    Event event = baseline_message(trail->engine, kind, severity, dedup_usec,
                                   engine_account_policy(trail->via).mode, detail);

    event.changes = changes;
    event.forgotten = gone;
    for (unsigned i = 0; changes && i < changes->n; i++)
        event.fields |= FIELD_BIT(changes->changes[i].field);
    return engine_queue_message(trail->engine, &subject, &event);
}

/* ---- weak baselines ---- */

/* The subjects are borrowed from the trails. */
static size_t list_weak(const Engine *engine, Subject *trails) {
    size_t n = 0;

    for (size_t i = 0; i < engine->n_trails; i++)
        if (TRAIL_STATE(engine->trails[i], weakness_pending))
            trails[n++] = engine_trail_subject(engine->trails[i]);
    return n;
}

/* The id of the message about them comes from it. An older version's state file does not have all of it. */
static void weakness_begins(Engine *engine) {
    if (engine->weak_since_usec == 0)
        engine->weak_since_usec = engine_now(engine).real_usec;
    if (!engine->weak_account[0])
        (void)text_copy(engine->weak_account, sizeof(engine->weak_account),
                        engine_account_named(engine->base));
}

static void report_weak_baselines(void *userdata) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(ERROR_TEXT_MAX);
    Engine *engine = userdata;
    _cleanup_free_ Subject *trails = calloc(engine->n_trails + 1, sizeof(*trails));
    Subject subject = { .name = "", .arn = "", .account = engine->weak_account, .region = "" };
    Event event;
    size_t n = trails ? list_weak(engine, trails) : 0;

    if (n == 0)
        return;
    (void)baseline_name_weak(trails, n, &b); /* a truncated text still names the first ones */
    weakness_begins(engine);
    engine_save_mark(engine, engine->weak_since_usec);
    event = baseline_message(engine, EVENT_BASELINE_WEAK, SEVERITY_WARNING, engine->weak_since_usec,
                             engine->config->mode, strbuf_str(&b));
    if (engine_queue_message(engine, &subject, &event) < 0) {
        engine_weakness_waits(engine);
        return;
    }
    for (size_t i = 0; i < engine->n_trails; i++)
        SET_REPORTED_STATE(engine->trails[i], weakness_pending, false);
    engine->weak_since_usec = 0;
    engine->weak_account[0] = '\0';
    engine_save_soon(engine, true);
}

void engine_weakness_waits(Engine *engine) {
    if (loop_rearm(engine->aws.loop, SCHEDULE_WEAK_PAUSE_USEC, report_weak_baselines, engine,
                   &engine->weak_timer) < 0)
        log_line(LOG_ERR, "weak baselines cannot be reported now: %s", strerror(ENOMEM));
}

/* Uses the reserve if there is no memory, because this is done only once. */
static int find_weaknesses(const Trail *trail, const Settings *desired, StrBuf *b) {
    int r = baseline_weaknesses(desired, b);

    if (r == -ENOMEM && engine_use_reserve(trail->engine)) {
        strbuf_done(b);
        *b = STRBUF_INIT(ERROR_TEXT_MAX);
        r = baseline_weaknesses(desired, b);
    }
    engine_fill_reserve(trail->engine);
    if (r < 0)
        log_line(LOG_ERR, "%s: whether its baseline is weak cannot be said: %s", trail->arn, strerror(-r));
    return r;
}

/* Together with others, in one message. */
static void report_weakness_later(Trail *trail) {
    Engine *engine = trail->engine;

    SET_REPORTED_STATE(trail, weakness_pending, true);
    weakness_begins(engine);
    engine_save_soon(engine, true);
    engine_weakness_waits(engine);
}

static int report_weak(Trail *trail, const char *which, uint64_t dedup_usec, unsigned sequence) {
    Subject subject = engine_trail_subject(trail);
    Event event = baseline_message(trail->engine, EVENT_BASELINE_WEAK, SEVERITY_WARNING, dedup_usec,
                                   engine_account_policy(trail->via).mode, which);

    event.sequence = sequence;
    return engine_queue_message(trail->engine, &subject, &event);
}

/* By itself, or later together with others. */
static void report_weaknesses(Trail *trail, const char *which, uint64_t dedup_usec, unsigned sequence) {
    Engine *engine = trail->engine;

    note(trail, LINE_BASELINE_WEAK, 0, which);
    if (TRAIL_STATE(trail, weakness_pending) ||
        !schedule_weak_singly(&engine->weak_pace, engine_now(engine).mono_usec) ||
        report_weak(trail, which, dedup_usec, sequence) < 0)
        report_weakness_later(trail);
}

/* A weak baseline is reported once: when it is recorded or accepted, or when an addition makes it weak.
 * sequence: an acceptance has a message before this one. */
static void report_weakness(Trail *trail, uint64_t dedup_usec, unsigned sequence) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(ERROR_TEXT_MAX);

    if (trail->engine->sink->records && find_weaknesses(trail, trail->tracking.desired, &b) > 0)
        report_weaknesses(trail, strbuf_str(&b), dedup_usec, sequence);
}

static int report_accepted(Trail *trail, const BaselineRecord *record) {
    Drift changes = { 0 };
    int r;

    if (record->has_previous)
        (void)baseline_compare(&record->previous.settings, &record->latest.settings, &changes);
    r = report_baseline(trail, EVENT_BASELINE_ACCEPTED, SEVERITY_INFO, record->gone ? NULL : &changes,
                        record->latest.recorded_usec, record->gone, record->latest.by);
    if (r >= 0)
        note(trail, record->gone ? LINE_GONE_ACCEPTED : LINE_BASELINE_ACCEPTED, 0, record->latest.by);
    drift_done(&changes);
    return r;
}

/* Without a baseline no difference can be found, so this must be reported. The next poll retries. */
static void log_unreadable(Trail *trail, const char *error) {
    SettingsTracking *k = &trail->tracking;

    if (!k->unreadable)
        log_line(LOG_ERR, "%s: its baseline cannot be read: %s", trail->arn, error);
    k->unreadable = true;
}

/* Called before the file is set aside: a crash in between repeats the report under the same id. If it cannot
 * be set aside, it is reported once. */
static int report_damaged(Trail *trail, const BaselineStamp *stamp, const char *error) {
    SettingsTracking *k = &trail->tracking;
    uint64_t mark = guard_mark(GUARD_HASH_BASIS, stamp, sizeof(*stamp));
    int r;

    if (mark == k->damaged_mark)
        return 0;
    r = report_baseline(trail, EVENT_BASELINE_DAMAGED, SEVERITY_CRITICAL, NULL, mark, false, error);
    if (r < 0)
        return r;
    k->damaged_mark = mark;
    note(trail, LINE_BASELINE_DAMAGED, 0, error);
    return 0;
}

/* 0: none, 1: there is one, -EBADMSG: it was damaged; otherwise unknown, and the error was logged. */
static int read_baseline(Trail *trail, const BaselineStamp *stamp, BaselineRecord *ret) {
    const Engine *engine = trail->engine;
    char error[ERROR_TEXT_MAX] = "";
    int r = baseline_file_peek(engine->state_dir, trail->arn, ret, error, sizeof(error));

    if (r == -EBADMSG && !engine->once) {
        if (report_damaged(trail, stamp, error) < 0)
            return -EAGAIN; /* the outbox logged why; the file stays, and the next poll reports it */
        r = baseline_file_load(engine->state_dir, trail->arn, engine_now(engine).real_usec, ret, error,
                               sizeof(error));
    }
    if (r < 0 && (r != -EBADMSG || engine->once))
        log_unreadable(trail, error);
    return r;
}

void engine_refresh_baseline(Trail *trail) {
    SettingsTracking *k = &trail->tracking;
    const Recording known = recording_of(trail);
    BaselineRecord record = { 0 };
    Acceptance acceptance;
    BaselineStamp stamp;
    bool is_news;
    int r = baseline_file_stamp(trail->engine->state_dir, trail->arn, &stamp);

    if (r < 0) {
        log_unreadable(trail, file_strerror(r));
        return;
    }
    if (recording_is_current(&known, baseline_stamp_equal(&stamp, &k->stamp), stamp.inode != 0))
        return;
    r = read_baseline(trail, &stamp, &record);
    if (r < 0 && r != -EBADMSG)
        return;
    k->stamp = stamp;
    k->loaded = true;
    k->unreadable = r < 0 && trail->engine->once; /* the daemon has set it aside */
    if (r <= 0) {
        engine_rewrite_baseline(trail); /* the baseline in memory stays valid */
        return;
    }
    k->gone = record.gone;
    k->recorded = k->unsaved = false;
    take_record(trail, &record);
    if (k->recorded && TRAIL_STATE(trail, provisional)) { /* whoever recorded it, the trail is accepted
                                                             now */
        SET_TRAIL_STATE(trail, provisional, false);
        engine_drop_unaccepted(trail);
    }
    acceptance = (Acceptance){
        .recorded_usec = record.latest.recorded_usec,
        .by_guard = text_equal(record.latest.by, BY_GUARD),
        .before_usec = TRAIL_STATE(trail, accepted_usec),
        .started_usec = trail->engine->started_usec,
    };
    is_news = recording_is_news(&acceptance);
    if (is_news && report_accepted(trail, &record) < 0) {
        k->stamp = (BaselineStamp){ 0 }; /* the next poll reads and reports it again */
        is_news = false;
    } else {
        SET_TRAIL_STATE(trail, accepted_usec, record.latest.recorded_usec);
    }
    if (k->recorded && (is_news || recording_was_cut_short(&acceptance)))
        report_weakness(trail, record.latest.recorded_usec, acceptance.by_guard ? 1 : 2);
    baseline_record_done(&record);
}

bool engine_has_to_record(const Trail *trail, const Settings *seen) {
    const Recording known = recording_of(trail);

    return recording_is_due(&known) && settings_can_be_recorded(seen);
}

bool engine_lets_go(const Trail *trail, bool listed) {
    const Recording known = recording_of(trail);

    return recording_lets_go(&known, listed, TRAIL_STATE(trail, findings));
}

/* If they cannot be written, they are known until the next start. */
static void keep_unaccepted(const Trail *trail, const Settings *seen) {
    const Engine *engine = trail->engine;
    int r;

    if (!settings_can_be_recorded(seen))
        return;
    r = baseline_file_keep_unaccepted(engine->state_dir, trail->arn, seen, engine_now(engine).real_usec);
    if (r < 0)
        log_line(LOG_WARNING, "%s: the settings that it was found with cannot be kept below %s: %s",
                 trail->arn, engine->state_dir, file_strerror(r));
}

void engine_watch_settings(Trail *trail, const Settings *seen) {
    const Recording known = recording_of(trail);
    BaselineRecord kept = { 0 };

    if (!recording_watches(&known))
        return;
    if (baseline_file_load_unaccepted(trail->engine->state_dir, trail->arn, &kept) >= 0) {
        (void)take_baseline(trail, &kept.latest.settings);
        baseline_record_done(&kept);
        return;
    }
    (void)take_baseline(trail, seen);
    keep_unaccepted(trail, seen);
}

void engine_drop_unaccepted(const Trail *trail) {
    if (trail->arn[0] && trail->engine->sink->records)
        baseline_file_drop_unaccepted(trail->engine->state_dir, trail->arn);
}

/* Once, even across restarts: the baseline has them then. */
static void note_members(const Trail *trail, Field field, const char *before, const char *now) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(ERROR_TEXT_MAX), shown = STRBUF_INIT(4 * ERROR_TEXT_MAX);

    if (!now || baseline_new_members(field, before, now, &names) <= 0)
        return;
    (void)text_escape(&shown, strbuf_str(&names), ERROR_TEXT_MAX);
    if (field == FIELD_UNKNOWN)
        log_line(LOG_NOTICE,
                 "%s: AWS shows settings that this version does not know; recorded, and not restored: %s",
                 trail->arn, strbuf_str(&shown));
    else
        log_line(LOG_NOTICE,
                 "%s: AWS shows members of %s that this version does not know; recorded as they are: %s",
                 trail->arn, field_to_string(field), strbuf_str(&shown));
}

/* What was requested and not answered. */
static void note_not_recorded(Trail *trail) {
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(ERROR_TEXT_MAX);
    uint32_t fields = engine_not_recorded(trail);

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f))
            (void)strbuf_addf(&names, "%s%s", names.len > 0 ? ", " : "", field_to_string(f));
    if (fields)
        log_line(LOG_NOTICE, "%s: %s could not be read, and %s not recorded yet", trail->arn,
                 strbuf_str(&names), fields & (fields - 1) ? "are" : "is");
}

/* Writes its file. -EEXIST: there is another one, which is read instead. gone: that the trail may be gone
 * was accepted, and stays so. */
static int write_baseline(const Trail *trail, bool gone, uint64_t recorded_usec) {
    const char *dir = trail->engine->state_dir;
    const SettingsTracking *k = &trail->tracking;
    char error[ERROR_TEXT_MAX] = "";
    int r;

    if (k->gone)
        r = baseline_file_accept(dir, trail->arn, k->baseline, gone, BY_GUARD, recorded_usec, error,
                                 sizeof(error));
    else
        r = baseline_file_record(dir, trail->arn, k->baseline, BY_GUARD, recorded_usec);
    if (r < 0 && r != -EEXIST && !k->unsaved)
        log_line(LOG_ERR, "%s: its baseline cannot be recorded below %s: %s", trail->arn, dir,
                 error[0] ? error : file_strerror(r));
    return r;
}

void engine_record_baseline(Trail *trail, const Settings *seen) {
    const Engine *engine = trail->engine;
    SettingsTracking *k = &trail->tracking;
    uint64_t now_usec = engine_now(engine).real_usec;

    if (!k->unsaved && take_baseline(trail, seen) < 0)
        return;
    k->unsaved = write_baseline(trail, false, now_usec) < 0;
    if (k->unsaved)
        return;
    (void)baseline_file_stamp(engine->state_dir, trail->arn, &k->stamp);
    k->loaded = true;
    k->gone = false;
    SET_TRAIL_STATE(trail, accepted_usec, now_usec - now_usec % USEC_PER_SEC);
    SET_TRAIL_STATE(trail, compared_usec, now_usec - now_usec % USEC_PER_SEC);
    engine_drop_unaccepted(trail); /* the configuration may name it now */
    note(trail, LINE_BASELINE_RECORDED, 0, "");
    note_not_recorded(trail);
    for (Field f = 0; f < _FIELD_MAX; f++)
        note_members(trail, f, NULL, k->baseline->values[f]);
    report_weakness(trail, TRAIL_STATE(trail, accepted_usec), 1);
}

void engine_rewrite_baseline(Trail *trail) {
    const Engine *engine = trail->engine;
    SettingsTracking *k = &trail->tracking;
    const Recording known = recording_of(trail);
    uint64_t recorded_usec = TRAIL_STATE(trail, accepted_usec);
    int r;

    if (!recording_is_rewritten(&known))
        return;
    if (recorded_usec == 0)
        recorded_usec = engine_now(engine).real_usec;
    r = write_baseline(trail, true, recorded_usec);
    if (r == -EEXIST)
        return;
    k->unsaved = r < 0;
    if (r < 0)
        return;
    log_line(LOG_NOTICE, "%s: the file of its baseline was gone, and is written again", trail->arn);
    (void)baseline_file_stamp(engine->state_dir, trail->arn, &k->stamp);
}

static int write_addition(Trail *trail, const Settings *more) {
    SettingsTracking *k = &trail->tracking;
    int r = baseline_file_add(trail->engine->state_dir, trail->arn, more);

    if (r >= 0)
        (void)baseline_file_stamp(trail->engine->state_dir, trail->arn, &k->stamp);
    k->unadded = r < 0;
    return r;
}

int engine_add_to_baseline(Trail *trail, const Settings *more) {
    SettingsTracking *k = &trail->tracking;
    Settings whole = { 0 };
    int r = settings_copy(k->baseline, &whole);

    if (r >= 0)
        r = settings_fill(&whole, more);
    if (r >= 0)
        r = take_baseline(trail, &whole);
    settings_done(&whole);
    /* an unsaved baseline is written as a whole */
    return r < 0 || k->unsaved ? r : write_addition(trail, more);
}

/* ---- additions ---- */

/* Fields that TrailGuard or AWS did not know before, or that could not be read until now; and fields with
 * new members. */
typedef struct Additions {
    uint32_t fields, members;
} Additions;

/* False if another baseline was accepted since. */
static bool is_as_read(const Trail *trail) {
    const SettingsTracking *k = &trail->tracking;
    BaselineStamp stamp;

    return baseline_file_stamp(trail->engine->state_dir, trail->arn, &stamp) >= 0 &&
           baseline_stamp_equal(&stamp, &k->stamp);
}

static Additions find_additions(const Trail *trail, const Settings *seen) {
    const SettingsTracking *k = &trail->tracking;
    Additions found = { 0 };

    for (Field f = 0; f < _FIELD_MAX; f++)
        switch (recording_addition(f, k->baseline->values[f], seen->values[f])) {
        case ADDITION_NONE: break;
        case ADDITION_FIELD: found.fields |= FIELD_BIT(f); break;
        case ADDITION_MEMBERS: found.members |= FIELD_BIT(f); break;
        }
    if (found.members && !k->unsaved && !is_as_read(trail))
        found.members = 0;
    return found;
}

static int add_seen(const Settings *baseline, const Settings *seen, uint32_t fields, Settings *ret) {
    int r = settings_copy(baseline, ret);

    for (Field f = 0; r >= 0 && f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f))
            r = settings_set(ret, f, seen->values[f]);
    return r;
}

/* The report comes before the file: after a crash in between the same is found again. -EAGAIN: the report
 * may have to wait for others, and state.json, which has to know that, must not be written again yet. */
static int report_added_weakness(Trail *trail, const Settings *whole, uint32_t added) {
    _cleanup_strbuf_ StrBuf before = STRBUF_INIT(ERROR_TEXT_MAX), after = STRBUF_INIT(ERROR_TEXT_MAX);
    Engine *engine = trail->engine;
    Settings desired = { 0 };
    Pins pins;
    int r = make_desired(trail, whole, &desired, &pins), n;

    if (r >= 0)
        r = baseline_weaknesses(trail->tracking.desired, &before);
    n = r < 0 ? r : find_weaknesses(trail, &desired, &after);
    settings_done(&desired);
    if (n < 0 || !recording_is_weaker(strbuf_str(&before), strbuf_str(&after), n))
        return MIN(n, 0);
    if (!engine_write_is_paid(engine, &engine->save))
        return -EAGAIN;
    /* the time of recording is in whole seconds: this message must differ from the one about the
     * recording */
    report_weaknesses(trail, strbuf_str(&after), TRAIL_STATE(trail, accepted_usec) + added, 1);
    if (TRAIL_STATE(trail, weakness_pending))
        engine_save_state(engine);
    return 0;
}

/* The known members of the field are recorded already. */
static void write_members(Trail *trail, Field field, const char *seen) {
    SettingsTracking *k = &trail->tracking;
    int r = k->unsaved ? 0 : baseline_file_replace(trail->engine->state_dir, trail->arn, field, seen);

    if (r < 0)
        log_line(LOG_WARNING, "%s: new members of %s cannot be added to its baseline: %s", trail->arn,
                 field_to_string(field), strerror(-r));
    else if (!k->unsaved)
        (void)baseline_file_stamp(trail->engine->state_dir, trail->arn, &k->stamp);
}

/* before: the former baseline, for the journal. */
static void write_additions(Trail *trail, const Additions *found, const Settings *before,
                            const Settings *seen) {
    Settings more = { 0 };

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (found->fields & FIELD_BIT(f)) {
            more.values[f] = seen->values[f];
            log_line(LOG_INFO, "%s: %s added to its baseline, which did not have it yet", trail->arn,
                     field_to_string(f));
        }
    /* an unsaved baseline is written as a whole */
    if (found->fields && !trail->tracking.unsaved && write_addition(trail, &more) < 0)
        log_line(LOG_WARNING, "%s: what was added to its baseline cannot be written down yet", trail->arn);
    for (Field f = 0; f < _FIELD_MAX; f++) {
        if (found->members & FIELD_BIT(f))
            write_members(trail, f, seen->values[f]);
        if ((found->fields | found->members) & FIELD_BIT(f))
            note_members(trail, f, before->values[f], seen->values[f]);
    }
}

bool engine_record_new_fields(Trail *trail, const Settings *seen) {
    const SettingsTracking *k = &trail->tracking;
    const Recording known = recording_of(trail);
    Settings before = { 0 }, whole = { 0 };
    Additions found;
    uint32_t added;
    int r;

    if (!recording_grows(&known))
        return false;
    if (k->unadded)
        (void)write_addition(trail, k->baseline);
    found = find_additions(trail, seen);
    added = found.fields | found.members;
    if (!added)
        return false;
    r = settings_copy(k->baseline, &before);
    if (r >= 0)
        r = add_seen(k->baseline, seen, added, &whole);
    if (r >= 0)
        r = report_added_weakness(trail, &whole, added);
    if (r >= 0)
        r = take_baseline(trail, &whole);
    if (r >= 0)
        write_additions(trail, &found, &before, seen);
    else if (r != -EAGAIN) /* the next check tries again */
        log_line(LOG_WARNING, "%s: new settings cannot be added to its baseline: %s", trail->arn,
                 strerror(-r));
    settings_done(&before);
    settings_done(&whole);
    return r >= 0;
}

bool engine_is_accepted_as_gone(const Engine *engine, const char *arn) {
    BaselineRecord record = { 0 };
    char error[ERROR_TEXT_MAX];
    bool gone;

    if (baseline_file_peek(engine->state_dir, arn, &record, error, sizeof(error)) <= 0)
        return false;
    gone = record.gone;
    baseline_record_done(&record);
    return gone;
}

bool engine_may_be_gone(const Target *target, const char *name) {
    const Partition *partition = endpoint_partition_of(target->region);
    char arn[ARN_MAX];

    (void)snprintf(arn, sizeof(arn), "arn:%s:cloudtrail:%s:%s:trail/%.128s",
                   partition ? partition->id : "aws", target->region, target->account->id, name);
    return engine_is_accepted_as_gone(target->engine, arn);
}
