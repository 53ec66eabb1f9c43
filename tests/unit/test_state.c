/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=renameat2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/io/sealed.h"
#include "daemon/io/state.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/alloc_fail.h"

#define NOW   (1795514531 * USEC_PER_SEC) /* 2026-11-24T11:22:11Z... the stamp is checked against timetext */
#define STAMP "20261124T100211Z"

/* ---- what the code under test calls ---- */

static struct {
    unsigned n;
    int level;
    char line[1024];
} logged;

void log_line(int level, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(logged.line, sizeof(logged.line), format, ap);
    va_end(ap);
    logged.level = level;
    logged.n++;
}

static bool noreplace_is_unknown;

int __real_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
int __wrap_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    if (noreplace_is_unknown) {
        errno = EINVAL;
        return -1;
    }
    return __real_renameat2(from_fd, from, to_fd, to, flags);
}

/* ---- a directory ---- */

static char dir[64];

static int set_up(void **state _unused_) {
    strcpy(dir, "/tmp/test_state.XXXXXX");
    memset(&logged, 0, sizeof(logged));
    noreplace_is_unknown = false;
    return mkdtemp(dir) ? 0 : -1;
}

static const char *in_dir(const char *name) {
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void empty_intents(void) {
    char path[512];
    DIR *d = opendir(in_dir("intents"));
    struct dirent *entry;

    while (d && (entry = readdir(d))) {
        (void)snprintf(path, sizeof(path), "%s/intents/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.')
            (void)(remove(path));
    }
    if (d)
        closedir(d);
}

static int tear_down(void **state _unused_) {
    DIR *d = opendir(dir);
    struct dirent *entry;

    empty_intents();

    while (d && (entry = readdir(d)))
        if (entry->d_name[0] != '.')
            (void)(remove(in_dir(entry->d_name)));
    if (d)
        closedir(d);
    return rmdir(dir);
}

static void put_file(const char *name, const char *text, size_t len) {
    assert_int_equal(file_write(in_dir(name), text, len, 0600, false), 0);
}

static void assert_file(const char *name, const char *expected) {
    char *text;
    size_t len;

    assert_int_equal(file_read(in_dir(name), 1 << 20, &text, &len), 0);
    assert_string_equal(text, expected);
    free(text);
}

/* A checksum stands at its end. */
static void assert_sealed(const char *name, const char *expected) {
    char *sealed = strdup(expected);
    size_t len = strlen(expected);

    assert_int_equal(seal_add(&sealed, &len), 0);
    assert_file(name, sealed);
    free(sealed);
}

static unsigned count_files(void) {
    DIR *d = opendir(dir);
    struct dirent *entry;
    unsigned n = 0;

    assert_non_null(d);
    while ((entry = readdir(d)))
        n += entry->d_name[0] != '.';
    closedir(d);
    return n;
}

/* ---- random tables ---- */

static uint64_t seed;

static uint64_t rnd(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t rnd_usec(void) {
    static const uint64_t odd[] = { 0, 1, 253402300799999999, INT64_MAX };

    return rnd() % 4 == 0 ? odd[rnd() % ARRAY_SIZE(odd)] : rnd() % (4000000000 * USEC_PER_SEC);
}

static unsigned rnd_uint(void) {
    return rnd() % 8 == 0 ? UINT_MAX : (unsigned)(rnd() % 100);
}

static const char *rnd_text(void) {
    static const char *const texts[] = {
        "",
        "eu-central-1",
        "111122223333",
        "a \"quoted\" \\ back",
        "line\nbreak\ttab\x01\x7f",
        "\u00fcml\u00e4ut \U0001f6a8",
        "</script>",
        "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail",
    };

    return texts[rnd() % ARRAY_SIZE(texts)];
}

static Incident rnd_incident(void) {
    if (rnd() % 3 == 0)
        return (Incident){ .event = _EVENT_MAX };
    return (Incident){
        .open = rnd() % 2,
        .dedup_usec = rnd_usec(),
        .opened_usec = 1 + rnd() % 1000,
        .reopened_usec = rnd_usec(),
        .resolved_usec = rnd_usec(),
        .sequence = rnd_uint(),
        .event = (EventKind)(rnd() % (_EVENT_MAX + 1)),
        .severity = (Severity)(rnd() % _SEVERITY_MAX),
        .before = (Severity)(rnd() % _SEVERITY_MAX),
        .reported = (uint32_t)(rnd() % FINDING_BIT(_FINDING_MAX)),
        .last_dedup_usec = rnd_usec(),
        .n_reopened = rnd_uint(),
        .suppressed = rnd() % 2,
        .reported_usec = rnd_usec(),
        .n_reminders = rnd_uint(),
        .pending_gaps = { rnd_uint(), rnd_usec(), rnd_usec(), rnd_usec() },
        .gap = { rnd_usec(), rnd_usec() },
        .action = { (Action)(rnd() % _ACTION_MAX), (ActionResult)(rnd() % _RESULT_MAX), rnd_uint() },
        .restore = { ACTION_RECREATE, (ActionResult)(rnd() % _RESULT_MAX), rnd_uint() },
        .fields = (uint32_t)(rnd() & FIELDS_ALL),
        .reported_fields = (uint32_t)(rnd() & FIELDS_ALL),
        .changed_usec = rnd_usec(),
    };
}

static Attributing rnd_attributing(void) {
    if (rnd() % 3 == 0)
        return (Attributing){ .wanted = false };
    return (Attributing){
        .wanted = true,
        .findings = (uint32_t)(rnd() % FINDING_BIT(_FINDING_MAX)),
        .fields = (uint32_t)(rnd() & FIELDS_ALL),
        .from_usec = rnd_usec(),
        .until_usec = rnd_usec(),
        .reached_usec = rnd_usec(),
        .n_records = rnd_uint(),
        .seen_usec = 1 + rnd() % 1000,
        .dedup_usec = rnd_usec(),
        .n_tries = rnd_uint(),
        .attempts_usec = rnd_usec(),
        .again_findings = (uint32_t)(rnd() % FINDING_BIT(_FINDING_MAX)),
        .again_fields = (uint32_t)(rnd() & FIELDS_ALL),
        .again_from_usec = rnd_usec(),
        .again_is_older = rnd() % 2 == 0,
        .again_dedup_usec = rnd_usec(),
        .noticed_usec = rnd_usec(),
        .again_noticed_usec = rnd_usec(),
        .n_searches = rnd_uint(),
        .n_attempts = rnd_uint(),
    };
}

static Drift rnd_changes(void) {
    Drift changes = { .n = 0 };

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (rnd() % 4 == 0)
            changes.changes[changes.n++] = (Change){
                .field = f,
                .loses_events = rnd() % 2,
                .expected = rnd() % 4 ? (char *)rnd_text() : NULL,
                .actual = rnd() % 4 ? (char *)rnd_text() : NULL,
            };
    return changes;
}

/* Borrowed, as the texts are. */
static Episode *rnd_episode(void) {
    static Episode episode;

    episode = (Episode){ .failed = ACTION_RESTORE, .n_attempts = 3, .failed_usec = 7, .has_actor = true };
    (void)snprintf(episode.failed_code, sizeof(episode.failed_code), "AccessDeniedException");
    (void)snprintf(episode.failed_text, sizeof(episode.failed_text), "UpdateTrail: no");
    (void)snprintf(episode.actor.arn, sizeof(episode.actor.arn), "arn:aws:iam::111122223333:user/bob");
    (void)snprintf(episode.actor.source_ip, sizeof(episode.actor.source_ip), "203.0.113.7");
    episode.actor.event_usec = 5;
    return rnd() % 2 ? &episode : NULL;
}

static StateTrail rnd_trail(void) {
    StateTrail trail = {
        .name = (char *)rnd_text(),
        .arn = (char *)rnd_text(),
        .account = (char *)rnd_text(),
        .region = (char *)rnd_text(),
        .via = (char *)rnd_text(),
        .organization = rnd() % 2,
        .validation = rnd() % 2,
        .state = {
            .known = rnd() % 2,
            .verdict = (Verdict)(rnd() % _VERDICT_MAX),
            .findings = (uint32_t)(rnd() % FINDING_BIT(_FINDING_MAX)),
            .start_usec = rnd_usec(),
            .stop_usec = rnd_usec(),
            .delivery_usec = rnd_usec(),
            .digest_usec = rnd_usec(),
            .polled_usec = rnd_usec(),
            .settings_usec = rnd_usec(),
            .fields = (uint32_t)(rnd() & FIELDS_ALL),
            .losing_fields = (uint32_t)(rnd() & FIELDS_ALL),
            .drift_mark = rnd_usec(),
            .attributing = rnd_attributing(),
            .n_failed = rnd_uint(),
            .failed_since_usec = rnd_usec(),
            .error = (PollError)(rnd() % _POLL_ERROR_MAX),
            .n_action_failures = rnd_uint(),
            .incident = rnd_incident(),
        },
        .changes = rnd_changes(),
        .episode = rnd_episode(),
    };

    for (size_t i = 0; i <= RECREATION; i++)
        if (rnd() % 3 == 0)
            trail.state.restores[i] = (RestoreCount){ .n_confirmed = rnd_uint(),
                                                      .since_usec = rnd_usec(),
                                                      .paused = rnd() % 2,
                                                      .n_failures = rnd_uint() };
    for (size_t i = rnd() % (MARKS_MAX + 1); i > 0; i--)
        trail.state.marks[i - 1] = rnd_usec();
    for (size_t f = 0; f < _FINDING_MAX; f++)
        trail.state.since_usec[f] = rnd() % 2 ? rnd_usec() : 0;
    return trail;
}

static StateTarget rnd_target(void) {
    StateTarget target = {
        .account = (char *)rnd_text(),
        .region = (char *)rnd_text(),
        .state = {
            .n_failed = rnd_uint(),
            .failed_since_usec = rnd_usec(),
            .error = (PollError)(rnd() % _POLL_ERROR_MAX),
            .ever_reachable = rnd() % 2,
            .unreachable = rnd() % 2,
            .not_enabled = rnd() % 2,
            .covered = rnd() % 2,
            .listed = rnd() % 2,
            .reach = rnd_incident(),
            .cover = rnd_incident(),
        },
    };

    (void)text_copy(target.state.error_text, sizeof(target.state.error_text), rnd_text());
    return target;
}

static void assert_incident(const Incident *a, const Incident *b) {
    assert_int_equal(a->open, b->open);
    assert_int_equal(a->dedup_usec, b->dedup_usec);
    assert_int_equal(a->opened_usec, b->opened_usec);
    assert_int_equal(a->reopened_usec, b->reopened_usec);
    assert_int_equal(a->resolved_usec, b->resolved_usec);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->event, b->event);
    assert_int_equal(a->severity, b->severity);
    assert_int_equal(a->before, b->before);
    assert_int_equal(a->reported, b->reported);
    assert_int_equal(a->last_dedup_usec, b->last_dedup_usec);
    assert_int_equal(a->n_reopened, b->n_reopened);
    assert_int_equal(a->suppressed, b->suppressed);
    assert_int_equal(a->reported_usec, b->reported_usec);
    assert_int_equal(a->n_reminders, b->n_reminders);
    assert_memory_equal(&a->pending_gaps.first_usec, &b->pending_gaps.first_usec, 3 * sizeof(uint64_t));
    assert_int_equal(a->pending_gaps.count, b->pending_gaps.count);
    assert_memory_equal(&a->gap, &b->gap, sizeof(a->gap));
    assert_int_equal(a->action.taken, b->action.taken);
    assert_int_equal(a->action.result, b->action.result);
    assert_int_equal(a->action.attempts, b->action.attempts);
    assert_memory_equal(&a->restore, &b->restore, sizeof(a->restore));
    assert_int_equal(a->fields, b->fields);
    assert_int_equal(a->reported_fields, b->reported_fields);
    assert_int_equal(a->changed_usec, b->changed_usec);
}

static void assert_attributing(const Attributing *a, const Attributing *b) {
    assert_int_equal(a->wanted, b->wanted);
    assert_int_equal(a->findings, b->findings);
    assert_int_equal(a->fields, b->fields);
    assert_int_equal(a->from_usec, b->from_usec);
    assert_int_equal(a->until_usec, b->until_usec);
    assert_int_equal(a->reached_usec, b->reached_usec);
    assert_int_equal(a->n_records, b->n_records);
    assert_int_equal(a->seen_usec, b->seen_usec);
    assert_int_equal(a->dedup_usec, b->dedup_usec);
    assert_int_equal(a->n_tries, b->n_tries);
    assert_int_equal(a->attempts_usec, b->attempts_usec);
    assert_int_equal(a->again_findings, b->again_findings);
    assert_int_equal(a->again_fields, b->again_fields);
    assert_int_equal(a->again_from_usec, b->again_from_usec);
    assert_int_equal(a->again_dedup_usec, b->again_dedup_usec);
    assert_int_equal(a->n_searches, b->n_searches);
    assert_int_equal(a->n_attempts, b->n_attempts);
}

static void assert_value(const char *a, const char *b) {
    if (a)
        assert_string_equal(a, b);
    else
        assert_null(b);
}

static void assert_changes(const Drift *a, const Drift *b) {
    assert_int_equal(a->n, b->n);
    for (unsigned i = 0; i < a->n; i++) {
        assert_int_equal(a->changes[i].field, b->changes[i].field);
        assert_int_equal(a->changes[i].loses_events, b->changes[i].loses_events);
        assert_value(a->changes[i].expected, b->changes[i].expected);
        assert_value(a->changes[i].actual, b->changes[i].actual);
    }
}

static void assert_trail(const StateTrail *a, const StateTrail *b) {
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->arn, b->arn);
    assert_string_equal(a->account, b->account);
    assert_string_equal(a->region, b->region);
    assert_string_equal(a->via, b->via);
    assert_int_equal(a->organization, b->organization);
    assert_int_equal(a->validation, b->validation);
    assert_int_equal(a->state.known, b->state.known);
    assert_int_equal(a->state.verdict, b->state.verdict);
    assert_int_equal(a->state.findings, b->state.findings);
    assert_int_equal(a->state.start_usec, b->state.start_usec);
    assert_int_equal(a->state.stop_usec, b->state.stop_usec);
    assert_int_equal(a->state.delivery_usec, b->state.delivery_usec);
    assert_int_equal(a->state.n_failed, b->state.n_failed);
    assert_int_equal(a->state.failed_since_usec, b->state.failed_since_usec);
    assert_int_equal(a->state.error, b->state.error);
    assert_int_equal(a->state.n_action_failures, b->state.n_action_failures);
    assert_int_equal(a->state.digest_usec, b->state.digest_usec);
    assert_int_equal(a->state.polled_usec, b->state.polled_usec);
    assert_int_equal(a->state.settings_usec, b->state.settings_usec);
    assert_int_equal(a->state.fields, b->state.fields);
    assert_int_equal(a->state.losing_fields, b->state.losing_fields);
    assert_int_equal(a->state.drift_mark, b->state.drift_mark);
    assert_memory_equal(a->state.drift_marks, b->state.drift_marks, sizeof(a->state.drift_marks));
    for (size_t i = 0; i <= RECREATION; i++) {
        assert_int_equal(a->state.restores[i].n_confirmed, b->state.restores[i].n_confirmed);
        assert_int_equal(a->state.restores[i].since_usec, b->state.restores[i].since_usec);
        assert_int_equal(a->state.restores[i].paused, b->state.restores[i].paused);
        assert_int_equal(a->state.restores[i].n_failures, b->state.restores[i].n_failures);
    }
    assert_memory_equal(a->state.marks, b->state.marks, sizeof(a->state.marks));
    assert_memory_equal(a->state.since_usec, b->state.since_usec, sizeof(a->state.since_usec));
    assert_attributing(&a->state.attributing, &b->state.attributing);
    assert_changes(&a->changes, &b->changes);
    assert_int_equal(a->episode != NULL, b->episode != NULL);
    if (a->episode)
        assert_memory_equal(a->episode, b->episode, sizeof(*a->episode));
    assert_incident(&a->state.incident, &b->state.incident);
}

static void assert_target(const StateTarget *a, const StateTarget *b) {
    assert_string_equal(a->account, b->account);
    assert_string_equal(a->region, b->region);
    assert_int_equal(a->state.n_failed, b->state.n_failed);
    assert_int_equal(a->state.failed_since_usec, b->state.failed_since_usec);
    assert_int_equal(a->state.error, b->state.error);
    assert_int_equal(a->state.ever_reachable, b->state.ever_reachable);
    assert_int_equal(a->state.unreachable, b->state.unreachable);
    assert_int_equal(a->state.not_enabled, b->state.not_enabled);
    assert_int_equal(a->state.covered, b->state.covered);
    assert_int_equal(a->state.listed, b->state.listed);
    assert_string_equal(a->state.error_text, b->state.error_text);
    assert_incident(&a->state.reach, &b->state.reach);
    assert_incident(&a->state.cover, &b->state.cover);
}

static ChannelTrouble rnd_channel(void) {
    ChannelTrouble trouble = { .channel = (char *)rnd_text(), .since_usec = rnd_usec() };

    (void)text_copy(trouble.text, sizeof(trouble.text), rnd_text());
    return trouble;
}

static void assert_channel(const ChannelTrouble *a, const ChannelTrouble *b) {
    assert_string_equal(a->channel, b->channel);
    assert_int_equal(a->since_usec, b->since_usec);
    assert_string_equal(a->text, b->text);
}

static StateAccount rnd_account(void) {
    StateTarget target = rnd_target();

    target.state.cover = (Incident){ .event = _EVENT_MAX };
    target.state.not_enabled = target.state.covered = target.state.listed = false;
    target.state.left_usec = rnd_usec();
    target.state.attributing = rnd_attributing();
    return (StateAccount){
        .account = target.account,
        .name = target.region,
        .base = rnd() % 2,
        .member = rnd() % 2,
        .left = rnd() % 2,
        .state = target.state,
        .n_appeared = rnd() % 3,
        .n_gone = rnd() % 3,
        .unaccepted_names = "own-1, own-2 and more",
    };
}

static void assert_account(const StateAccount *a, const StateAccount *b) {
    StateTarget x = { .account = a->account, .region = a->name, .state = a->state };
    StateTarget y = { .account = b->account, .region = b->name, .state = b->state };

    assert_target(&x, &y);
    assert_int_equal(a->state.left_usec, b->state.left_usec);
    assert_attributing(&a->state.attributing, &b->state.attributing);
    assert_int_equal(a->base, b->base);
    assert_int_equal(a->member, b->member);
    assert_int_equal(a->left, b->left);
    assert_int_equal(a->n_appeared, b->n_appeared);
    assert_int_equal(a->n_gone, b->n_gone);
    assert_string_equal(a->unaccepted_names, b->unaccepted_names);
}

/* What several have in common keeps its identity, and what was reported of it. */
static void a_cause_is_kept(void **unused) {
    Cause causes[] = {
        { .kind = CAUSE_CLOSED,
          .account = "111122223333",
          .home = "444455556666",
          .members_mark = 77,
          .n_reported = 15,
          .had_members = true,
          .incident = { .open = true,
                        .dedup_usec = 5,
                        .opened_usec = 6,
                        .sequence = 2,
                        .event = EVENT_TARGET_UNREACHABLE,
                        .severity = SEVERITY_WARNING } },
        { .kind = CAUSE_OUTAGE, .region = "me-south-1", .held_mono_usec = 9, .incident.event = _EVENT_MAX },
    };
    StateTarget target = { .account = (char *)"111122223333",
                           .region = (char *)"me-south-1",
                           .state = { .cause = CAUSE_CLOSED, .cover_is_shared = true } };
    StateTable saved = { .targets = &target, .n_targets = 1, .causes = causes, .n_causes = 2 }, loaded;
    char *text, reason[256];
    size_t len;

    (void)unused;
    assert_int_equal(state_json_write(&saved, &text, &len), 0);
    assert_int_equal(state_json_read(text, len, &loaded, reason, sizeof(reason)), 0);
    assert_int_equal(loaded.n_causes, 2);
    assert_string_equal(loaded.causes[0].account, "111122223333");
    assert_string_equal(loaded.causes[0].home, "444455556666");
    assert_int_equal(loaded.causes[0].members_mark, 77);
    assert_int_equal(loaded.causes[0].n_reported, 15);
    assert_false(loaded.causes[0].had_members);
    assert_true(loaded.causes[0].incident.open);
    assert_int_equal(loaded.causes[0].incident.dedup_usec, 5);
    assert_int_equal(loaded.causes[0].incident.sequence, 2);
    assert_int_equal(loaded.causes[1].kind, CAUSE_OUTAGE);
    assert_string_equal(loaded.causes[1].region, "me-south-1");
    assert_int_equal(loaded.causes[1].held_mono_usec, 0);
    assert_int_equal(loaded.causes[1].incident.event, _EVENT_MAX);
    assert_int_equal(loaded.targets[0].state.cause, CAUSE_CLOSED);
    assert_true(loaded.targets[0].state.cover_is_shared);
    state_table_done(&loaded);
    free(text);
}

/* Nobody is proposed again after a restart, and what counted before it counts after it. */
static void who_attacked_is_kept(void **state _unused_) {
    ContainIdentity identities[] = { { .arn = "arn:aws:iam::111122223333:role/x/Admin",
                                       .account = "111122223333",
                                       .tampered_usec = { NOW, NOW - 5 },
                                       .events = { INT64_MAX, 3 },
                                       .marks = { 4, 5, 6 },
                                       .proposed_usec = NOW - 1 },
                                     { .arn = "arn:aws:iam::111122223333:user/bob" } };
    StateTable saved = { .contain = { identities, 2 } }, loaded;
    char *text, reason[256];
    size_t len;

    assert_int_equal(state_json_write(&saved, &text, &len), 0);
    assert_int_equal(state_json_read(text, len, &loaded, reason, sizeof(reason)), 0);
    assert_int_equal(loaded.contain.n, 2);
    assert_memory_equal(loaded.contain.items, identities, sizeof(identities));
    state_table_done(&loaded);
    free(text);
}

static void the_guards_own_access_is_remembered(void **state _unused_) {
    GuardPart parts[] = {
        { .kind = GUARD_PART_TRUST, .digest = "0123456789abcdef" },
        { .kind = GUARD_PART_KEY, .name = "AKIAIOSFODNN7EXAMPLE", .digest = "fedcba9876543210" },
    };
    GuardRecord records[] = {
        { .arn = "arn:aws:iam::111122223333:role/guard",
          .parts = { parts, 2, GUARD_PART_BIT(GUARD_PART_TRUST) | GUARD_PART_BIT(GUARD_PART_KEY) },
          .read_usec = NOW,
          .simulated = true,
          .lost_usec = NOW,
          .sequence = 2,
          .lost_mark = 7,
          .n_lost = 3,
          .severity = SEVERITY_CRITICAL },
        { .arn = "arn:aws:sns:eu-central-1:111122223333:trailguard" },
    };
    StateTable saved = { .guards = records, .n_guards = 2 }, loaded;
    char *text, reason[256];
    size_t len;

    assert_int_equal(state_json_write(&saved, &text, &len), 0);
    if (state_json_read(text, len, &loaded, reason, sizeof(reason)) != 0)
        fail_msg("%s: %s", reason, text);
    assert_int_equal(loaded.n_guards, 2);
    assert_int_equal(loaded.guards[0].parts.n, 2);
    assert_memory_equal(loaded.guards[0].parts.items, parts, sizeof(parts));
    assert_int_equal(loaded.guards[0].parts.kinds, records[0].parts.kinds);
    assert_string_equal(loaded.guards[0].arn, records[0].arn);
    assert_int_equal(loaded.guards[0].read_usec, NOW);
    assert_int_equal(loaded.guards[0].lost_usec, NOW);
    assert_int_equal(loaded.guards[0].lost_mark, 7);
    assert_int_equal(loaded.guards[0].n_lost, 3);
    assert_int_equal(loaded.guards[0].sequence, 2);
    assert_int_equal(loaded.guards[0].severity, SEVERITY_CRITICAL);
    assert_true(loaded.guards[0].simulated && !loaded.guards[1].simulated);
    assert_string_equal(loaded.guards[1].arn, records[1].arn);
    state_table_done(&loaded);
    free(text);
}

static void what_is_saved_is_loaded(void **state _unused_) {
    seed = (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
    print_message("seed %llu\n", (unsigned long long)seed);

    for (unsigned round = 0; round < 200; round++) {
        StateTrail trails[8];
        StateTarget targets[8];
        ChannelTrouble channels[8];
        StateAccount accounts[8];
        StateTable saved = { .trails = trails,
                             .n_trails = rnd() % 9,
                             .targets = targets,
                             .n_targets = rnd() % 9,
                             .channels = channels,
                             .n_channels = rnd() % 9,
                             .accounts = accounts,
                             .n_accounts = rnd() % 9 },
                   loaded;
        char error[256] = "";

        for (size_t i = 0; i < saved.n_trails; i++)
            trails[i] = rnd_trail();
        for (size_t i = 0; i < saved.n_targets; i++)
            targets[i] = rnd_target();
        for (size_t i = 0; i < saved.n_channels; i++)
            channels[i] = rnd_channel();
        for (size_t i = 0; i < saved.n_accounts; i++)
            accounts[i] = rnd_account();
        assert_int_equal(state_save(dir, &saved), 0);
        assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
        assert_string_equal(error, "");
        assert_int_equal(loaded.n_trails, saved.n_trails);
        assert_int_equal(loaded.n_targets, saved.n_targets);
        for (size_t i = 0; i < saved.n_trails; i++)
            assert_trail(&loaded.trails[i], &trails[i]);
        for (size_t i = 0; i < saved.n_targets; i++)
            assert_target(&loaded.targets[i], &targets[i]);
        assert_int_equal(loaded.n_channels, saved.n_channels);
        for (size_t i = 0; i < saved.n_channels; i++)
            assert_channel(&loaded.channels[i], &channels[i]);
        assert_int_equal(loaded.n_accounts, saved.n_accounts);
        for (size_t i = 0; i < saved.n_accounts; i++)
            assert_account(&loaded.accounts[i], &accounts[i]);
        state_table_done(&loaded);
    }
    assert_int_equal(logged.n, 0);
}

/* ---- what the file looks like ---- */

static void the_file_is_readable(void **state _unused_) {
    StateTrail trail = {
        .name = (char *)"org-trail",
        .arn = (char *)"arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail",
        .account = (char *)"111122223333",
        .region = (char *)"eu-central-1",
        .validation = true,
        .state = { .known = true,
                   .verdict = VERDICT_STOPPED,
                   .findings = FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_LOG_GROUP),
                   .stop_usec = NOW,
                   .acting = true,
                   .act_after_mono_usec = 77,
                   .incident = { .open = true,
                                 .opened_usec = NOW,
                                 .dedup_usec = NOW,
                                 .event = EVENT_TRAIL_STOPPED,
                                 .severity = SEVERITY_CRITICAL,
                                 .gap.from_usec = NOW } },
    };
    StateTarget target = { .account = (char *)"", .region = (char *)"eu-central-1" };
    ChannelTrouble trouble = {
        .channel = (char *)"sns:arn", .since_usec = NOW, .by_check = true, .text = "gone"
    };
    ChannelTrouble unheard = { .channel = (char *)"sns:b", .since_usec = NOW, .text = "none" };
    ContainIdentity identity = { .arn = "arn:aws:iam::111122223333:user/bob",
                                 .account = "111122223333",
                                 .tampered_usec = { NOW, NOW - 1 },
                                 .events = { 7, 8 },
                                 .marks = { 9 },
                                 .proposed_usec = NOW };
    StateTable table = { .trails = &trail,
                         .n_trails = 1,
                         .targets = &target,
                         .n_targets = 1,
                         .channels = &trouble,
                         .n_channels = 1,
                         .unheard = &unheard,
                         .n_unheard = 1,
                         .contain = { &identity, 1 } };
    struct stat st;

    assert_int_equal(state_save(dir, &table), 0);
    assert_sealed(
            "state.json",
            "{\n  \"schema\": \"trailguard.state/1\",\n  \"trails\": [\n"
            "    {\"name\": \"org-trail\", \"arn\": "
            "\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail\", "
            "\"account\": \"111122223333\", \"region\": \"eu-central-1\", \"validation\": true, \"known\": "
            "true, "
            "\"verdict\": \"stopped\", \"findings\": [\"stopped\", \"log group\"], \"stop_usec\": "
            "1795514531000000, "
            "\"incident\": {\"open\": true, \"dedup_usec\": 1795514531000000, "
            "\"opened_usec\": 1795514531000000, \"event\": \"trail.stopped\", \"severity\": \"critical\", "
            "\"gap_from_usec\": 1795514531000000}}\n  "
            "],\n"
            "  \"targets\": [\n    {\"region\": \"eu-central-1\"}\n  ],\n"
            "  \"channels\": [\n    {\"channel\": \"sns:arn\", \"failed_since_usec\": 1795514531000000, "
            "\"by_check\": true, \"error_text\": \"gone\"}\n  ],\n"
            "  \"unheard\": [\n    {\"channel\": \"sns:b\", \"unheard_since_usec\": 1795514531000000, "
            "\"text\": \"none\"}\n  ],\n"
            "  \"contain\": [\n    {\"arn\": \"arn:aws:iam::111122223333:user/bob\", \"account\": "
            "\"111122223333\", \"tampered_usec\": [1795514531000000, 1795514530999999], \"events\": [7, 8], "
            "\"marks\": [9], \"proposed_usec\": 1795514531000000}\n  ]\n}\n");
    assert_int_equal(stat(in_dir("state.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(count_files(), 1);
}

static void what_ends_with_the_process_is_not_kept(void **state _unused_) {
    StateTrail trail = {
        .name = (char *)"t",
        .arn = (char *)"",
        .account = (char *)"",
        .region = (char *)"",
        .state = { .acting = true,
                   .act_after_mono_usec = 77,
                   .pending = { .set = true,
                                .first_sight = true,
                                .phase = PHASE_REOPENED,
                                .by_mono_usec = 78 } },
    };
    StateTable table = { .trails = &trail, .n_trails = 1 }, loaded;
    const TrailState *state_;
    char error[256];

    assert_int_equal(state_save(dir, &table), 0);
    assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
    state_ = &loaded.trails[0].state;
    assert_false(state_->acting);
    assert_int_equal(state_->act_after_mono_usec, 0);
    assert_int_equal(state_->pending.by_mono_usec, 0);
    /* of an intent: the message that waits must not be lost */
    assert_true(state_->pending.set && state_->pending.first_sight);
    assert_int_equal(state_->pending.phase, PHASE_REOPENED);
    state_table_done(&loaded);
}

/* ---- intents ---- */

static StateTrail intended(const char *region, uint64_t intent_usec) {
    return (StateTrail){ .name = (char *)"t",
                         .arn = (char *)region,
                         .account = (char *)"1",
                         .region = (char *)region,
                         .state = { .intent_usec = intent_usec,
                                    .pending_restore = { .set = true, .dedup_usec = 5 },
                                    .incident = { .open = true, .opened_usec = 1 } } };
}

static size_t load_with_intents(StateTable *ret) {
    char error[256] = "";

    assert_int_equal(state_load(dir, NOW, ret, error, sizeof(error)), 0);
    assert_int_equal(state_intents_load(dir, NOW, ret), 0);
    return ret->n_trails;
}

static void an_intent_takes_the_place_of_what_is_older(void **state _unused_) {
    StateTrail recorded[] = { intended("older", 7), intended("reported", 8) };
    StateTrail intents[] = { intended("older", 8), intended("reported", 8), intended("unknown", 9) };
    StateTable table = { .trails = recorded, .n_trails = 2 }, loaded;

    assert_int_equal(load_with_intents(&loaded), 0);
    state_table_done(&loaded);
    recorded[0].state.pending_restore.set = recorded[1].state.pending_restore.set = false;
    assert_int_equal(state_save(dir, &table), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(state_intent_save(dir, &intents[i]), 0);
    assert_int_equal(load_with_intents(&loaded), 3);
    for (size_t i = 0; i < 3; i++) {
        bool reported = text_equal(loaded.trails[i].region, "reported");

        assert_int_equal(loaded.trails[i].intent, !reported);
        assert_int_equal(loaded.trails[i].state.pending_restore.set, !reported);
    }
    state_table_done(&loaded);
    assert_int_equal(access(in_dir("intents/1_reported_t.json"), F_OK), -1);
    assert_int_equal(state_intent_remove(dir, &intents[0]), 0);
    assert_int_equal(state_intent_remove(dir, &intents[2]), 0);
    assert_int_equal(state_intent_remove(dir, &intents[2]), 0);
    assert_int_equal(logged.n, 0);
}

static void an_intent_that_is_damaged_is_set_aside(void **state _unused_) {
    static const char *const damaged[] = { "{", "{\"schema\":\"trailguard.state/1\"}",
                                           "{\"schema\":\"trailguard.state/1\",\"trails\":[{\"arn\":\"a\","
                                           "\"pending\":{\"set\":true,\"kind\":7}}]}" };
    StateTrail odd = intended("a/b", 1);
    StateTable loaded;

    assert_int_equal(state_intent_save(dir, &odd), -EINVAL);
    assert_int_equal(mkdir(in_dir("intents"), 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
        put_file("intents/1_r_t.json", damaged[i], strlen(damaged[i]));
        assert_int_equal(load_with_intents(&loaded), 0);
        state_table_done(&loaded);
        assert_int_equal(access(in_dir("intents/1_r_t.json"), F_OK), -1);
        assert_int_equal(logged.n, i + 1);
    }
}

static void bytes_that_json_cannot_hold_do_not_cost_the_file(void **state _unused_) {
    StateTrail trail = { .name = (char *)"bad\xff\xc3name", .arn = NULL, .account = NULL, .region = NULL };
    StateTarget target = { .account = NULL, .region = (char *)"r", .state.failed_since_usec = UINT64_MAX };
    ChannelTrouble trouble = { .channel = (char *)"sns:arn", .text = "gone" };
    StateTable table = { .trails = &trail,
                         .n_trails = 1,
                         .targets = &target,
                         .n_targets = 1,
                         .channels = &trouble,
                         .n_channels = 1 },
               loaded;
    char error[256];

    (void)text_copy(target.state.error_text, sizeof(target.state.error_text), "\xed\xa0\x80 surrogate");
    assert_int_equal(state_save(dir, &table), 0);
    assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
    assert_string_equal(loaded.trails[0].name, "bad??name");
    assert_string_equal(loaded.trails[0].arn, "");
    assert_string_equal(loaded.targets[0].state.error_text, "??? surrogate");
    assert_int_equal(loaded.targets[0].state.failed_since_usec, INT64_MAX);
    state_table_done(&loaded);
}

/* ---- rows that are made while they are written ---- */

typedef struct MadeRows {
    StateTrail trail; /* one for all: the row before is not needed any more */
    StateTarget target;
    StateAccount account;
    char name[16];
} MadeRows;

static const StateTrail *made_trail(void *userdata, size_t i) {
    MadeRows *made = userdata;

    (void)snprintf(made->name, sizeof(made->name), "trail-%zu", i);
    made->trail.name = made->name;
    return i % 3 == 1 ? &made->trail : NULL;
}

static const StateTarget *made_target(void *userdata, size_t i) {
    MadeRows *made = userdata;

    made->target.account = (char *)"111122223333";
    made->target.state.n_failed = (unsigned)i + 1;
    return i < 2 ? &made->target : NULL;
}

static const StateAccount *made_account(void *userdata _unused_, size_t i _unused_) {
    return NULL;
}

static void rows_are_made_one_by_one_and_those_that_are_none_are_left_out(void **state _unused_) {
    MadeRows made = { .name = "" };
    const StateRows rows = { made_trail, made_target, made_account, &made };
    StateTable table = { .n_trails = 9, .n_targets = 5, .n_accounts = 3, .rows = &rows }, loaded;
    char error[256];

    assert_int_equal(state_save(dir, &table), 0);
    assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
    assert_int_equal(loaded.n_trails, 3);
    assert_string_equal(loaded.trails[0].name, "trail-1");
    assert_string_equal(loaded.trails[1].name, "trail-4");
    assert_string_equal(loaded.trails[2].name, "trail-7");
    assert_int_equal(loaded.n_targets, 2);
    assert_int_equal(loaded.targets[1].state.n_failed, 2);
    assert_int_equal(loaded.n_accounts, 0);
    state_table_done(&loaded);
    table.n_trails = STATE_ENTRIES_MAX + 1;
    assert_int_equal(state_save(dir, &table), -E2BIG);
}

static void too_much_is_not_written(void **state _unused_) {
    StateTable table = { .n_trails = STATE_ENTRIES_MAX + 1 };
    StateTarget target = { .account = calloc(1, STATE_SIZE_MAX + 1), .region = (char *)"" };
    StateTable big = { .targets = &target, .n_targets = 1 };

    assert_non_null(target.account);
    memset(target.account, 'a', STATE_SIZE_MAX);
    assert_int_equal(state_save(dir, &table), -E2BIG);
    assert_int_equal(state_save(dir, &big), -E2BIG);
    assert_int_equal(count_files(), 0);
    free(target.account);
}

/* ---- reading ---- */

#define STATE(members)  "{\"schema\":\"trailguard.state/1\"" members "}"
#define TRAIL(members)  STATE(",\"trails\":[{" members "}]")
#define TARGET(members) STATE(",\"targets\":[{" members "}]")

static void missing_members_have_defaults_and_unknown_ones_are_passed_over(void **state _unused_) {
    static const char text[] = STATE(",\"later\":{\"x\":[1]},\"trails\":[{\"colour\":7,\"incident\":{"
                                     "\"smell\":null}}],\"targets\":[{}]");
    StateTable table;
    char reason[256] = "";

    assert_int_equal(state_json_read(text, sizeof(text) - 1, &table, reason, sizeof(reason)), 0);
    assert_int_equal(table.n_trails, 1);
    assert_string_equal(table.trails[0].name, "");
    assert_string_equal(table.trails[0].region, "");
    assert_int_equal(table.trails[0].state.verdict, VERDICT_UNKNOWN);
    assert_int_equal(table.trails[0].state.incident.event, _EVENT_MAX);
    assert_false(table.trails[0].state.known);
    assert_int_equal(table.n_targets, 1);
    assert_string_equal(table.targets[0].account, "");
    assert_int_equal(table.targets[0].state.cover.event, _EVENT_MAX);
    state_table_done(&table);

    assert_int_equal(state_json_read(STATE(""), strlen(STATE("")), &table, reason, sizeof(reason)), 0);
    assert_int_equal(table.n_trails + table.n_targets, 0);
    state_table_done(&table);
    assert_string_equal(reason, "");
}

static void wrong_members_are_named(void **state _unused_) {
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "", "line 1: it ends too early" },
        { "[]", "its schema is not trailguard.state/1" },
        { "{}", "its schema is not trailguard.state/1" },
        { "{\"schema\":1}", "its schema is not trailguard.state/1" },
        { "{\"schema\":\"trailguard.state/2\"}", "its schema is not trailguard.state/1" },
        { STATE("") "x", "line 1: something follows its end" },
        { STATE(",\"schema\":\"trailguard.state/1\""), "line 1: a member is there twice" },
        { STATE(",\"trails\":{}"), "trails is an object, not a list of at most 100000" },
        { STATE(",\"targets\":null"), "targets is null, not a list of at most 100000" },
        { STATE(",\"trails\":[[]]"), "trails[0] is an empty list, not an object" },
        { STATE(",\"targets\":[{},7]"), "targets[1] is 7, not an object" },
        { TRAIL("\"name\":7"), "trails[0].name is 7, not a string" },
        { TRAIL("\"region\":null"), "trails[0].region is null, not a string" },
        { TRAIL("\"validation\":1"), "trails[0].validation is 1, not true or false" },
        { TRAIL("\"verdict\":\"fine\""), "trails[0].verdict is \"fine\", not a known word" },
        { TRAIL("\"verdict\":3"), "trails[0].verdict is 3, not a known word" },
        { TRAIL("\"findings\":\"stopped\""),
          "trails[0].findings is a text of 7 bytes, not a list of known words" },
        { TRAIL("\"findings\":[\"stopped\",\"bored\"]"),
          "trails[0].findings[1] is \"bored\", not a known word" },
        { TRAIL("\"findings\":[1]"), "trails[0].findings[0] is 1, not a known word" },
        { TRAIL("\"stop_usec\":-1"), "trails[0].stop_usec is -1, not microseconds since 1970" },
        { TRAIL("\"stop_usec\":1.5"), "trails[0].stop_usec is 1.5, not microseconds since 1970" },
        { TRAIL("\"stop_usec\":\"1\""),
          "trails[0].stop_usec is a text of 1 bytes, not microseconds since 1970" },
        { TRAIL("\"failed_looks\":4294967296"), "trails[0].failed_looks is 4294967296, not a count" },
        { TRAIL("\"failed_looks\":-1"), "trails[0].failed_looks is -1, not a count" },
        { TRAIL("\"failed_looks\":true"), "trails[0].failed_looks is true, not a count" },
        { TRAIL("\"incident\":[]"), "trails[0].incident is an empty list, not an object" },
        { TRAIL("\"incident\":{\"event\":\"trail.sad\"}"),
          "trails[0].incident.event is \"trail.sad\", not a known word" },
        { TRAIL("\"incident\":{\"severity\":\"mild\"}"),
          "trails[0].incident.severity is \"mild\", not a known word" },
        { TRAIL("\"incident\":{\"action\":\"dance\"}"),
          "trails[0].incident.action is \"dance\", not a known word" },
        { TRAIL("\"incident\":{\"action_result\":\"?\"}"),
          "trails[0].incident.action_result is \"?\", not a known word" },
        { TARGET("\"error_text\":{}"), "targets[0].error_text is an object, not a string" },
        { TARGET("\"error\":\"none\""), "targets[0].error is \"none\", not a known word" },
        { STATE(",\"channels\":[{\"channel\":7}]"), "channels[0].channel is 7, not a string" },
        { TARGET("\"cover\":7"), "targets[0].cover is 7, not an object" },
        { "\x1b[2J", "line 1: not JSON" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        StateTable table = { .n_trails = 42 };
        char reason[256] = "";

        assert_int_equal(
                state_json_read(cases[i].text, strlen(cases[i].text), &table, reason, sizeof(reason)),
                -EINVAL);
        assert_string_equal(reason, cases[i].reason);
        assert_int_equal(table.n_trails, 42);
    }
}

static char *many_entries(size_t n, size_t *ret_len) {
    StrBuf b = STRBUF_INIT(1 << 20);
    char *text;

    (void)strbuf_add(&b, "{\"schema\":\"trailguard.state/1\",\"targets\":[{}");
    for (size_t i = 1; i < n; i++)
        (void)strbuf_add(&b, ",{}");
    (void)strbuf_add(&b, "]}");
    *ret_len = b.len;
    assert_int_equal(strbuf_take(&b, &text), 0);
    return text;
}

static void the_number_of_entries_has_a_ceiling(void **state _unused_) {
    for (unsigned over = 0; over <= 1; over++) {
        size_t len;
        char *text = many_entries(STATE_ENTRIES_MAX + over, &len), reason[256] = "";
        StateTable table = { 0 };

        assert_int_equal(state_json_read(text, len, &table, reason, sizeof(reason)), over ? -EINVAL : 0);
        assert_int_equal(table.n_targets, over ? 0 : STATE_ENTRIES_MAX);
        state_table_done(&table);
        free(text);
    }
}

static void long_text_is_cut_to_its_field(void **state _unused_) {
    char text[ERROR_TEXT_MAX * 2 + 128], long_text[ERROR_TEXT_MAX * 2], reason[256];
    StateTable table;

    memset(long_text, 'x', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    (void)snprintf(text, sizeof(text), TARGET("\"error_text\":\"%s\""), long_text);
    assert_int_equal(state_json_read(text, strlen(text), &table, reason, sizeof(reason)), 0);
    assert_int_equal(strlen(table.targets[0].state.error_text), ERROR_TEXT_MAX - 1);
    state_table_done(&table);
}

/* ---- files ---- */

static void no_file_is_an_empty_table(void **state _unused_) {
    StateTable table = { .n_trails = 42 };
    char error[256] = "";

    assert_int_equal(state_load(dir, NOW, &table, error, sizeof(error)), 0);
    assert_int_equal(table.n_trails + table.n_targets, 0);
    assert_int_equal(logged.n + count_files(), 0);
    assert_int_equal(state_load("/nonexistent/trailguard", NOW, &table, error, sizeof(error)), -ENOENT);
    assert_string_equal(error, "/nonexistent/trailguard: No such file or directory");
    assert_int_equal(state_load("/dev/null", NOW, &table, error, sizeof(error)), -ENOTDIR);
    assert_string_equal(error, "/dev/null: Not a directory");
}

/* An error of the disk says nothing about the file. */
static void what_cannot_be_read_is_not_damaged(void **state _unused_) {
    static const int errors[] = { -EIO, -EACCES, -ELOOP, -EMFILE, -ENOMEM, -ESTALE };
    char error[256];

    put_file("state.json", "good", 4);
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
        assert_int_equal(damaged_file(-1, in_dir("state.json"), errors[i], "", 9, NOW, error, sizeof(error)),
                         errors[i]);
    assert_file("state.json", "good");
    assert_int_equal(logged.n, 0);
}

static void no_link_is_followed_below_the_state_directory(void **state _unused_) {
    StateTrail trail = {
        .name = (char *)"t", .arn = (char *)"arn", .account = (char *)"1", .region = (char *)"r"
    };
    char error[256] = "";
    StateTable table = { 0 };
    int fd, pid;

    put_file("target", "secret", 6);
    assert_int_equal(mkdir(in_dir("elsewhere"), 0700), 0);
    assert_int_equal(symlink("target", in_dir("state.json")), 0);
    assert_int_equal(symlink("target", in_dir("lock")), 0);
    assert_int_equal(symlink("elsewhere", in_dir("intents")), 0);
    assert_int_equal(state_load(dir, NOW, &table, error, sizeof(error)), -ELOOP);
    assert_non_null(strstr(error, "state.json: a symbolic link, which is not followed"));
    assert_int_equal(state_lock(dir, &fd, &pid), -ELOOP);
    assert_int_equal(state_is_locked(dir, &pid), -ELOOP);
    assert_int_equal(state_intent_save(dir, &trail), -ELOOP);
    assert_int_equal(state_intent_remove(dir, &trail), -ELOOP);
    assert_int_equal(state_intents_load(dir, NOW, &table), 0);
    assert_int_equal(logged.n, 1); /* the intents cannot be read */
    assert_file("target", "secret");
    assert_int_equal(rmdir(in_dir("elsewhere")), 0); /* empty */
}

static void what_a_crash_has_left_is_swept(void **state _unused_) {
    static const char *const directories[] = { "run", "baselines", "intents", "found", "found/1_r_t" };
    char name[64], runtime[128];

    put_file(".state.json.tmp-aB3xYz", "x", 1);
    put_file(".mine.tmp-12", "x", 1);
    for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
        assert_int_equal(mkdir(in_dir(directories[i]), 0700), 0);
        (void)snprintf(name, sizeof(name), "%s/.x.json.tmp-aB3xYz", directories[i]);
        put_file(name, "x", 1);
        (void)snprintf(name, sizeof(name), "%s/.probe-aB3xYz", directories[i]);
        put_file(name, "x", 1);
    }
    (void)snprintf(runtime, sizeof(runtime), "%s/run", dir);
    state_sweep(dir, runtime);
    assert_int_equal(access(in_dir(".state.json.tmp-aB3xYz"), F_OK), -1);
    assert_file(".mine.tmp-12", "x");
    for (size_t i = ARRAY_SIZE(directories); i-- > 0;) {
        assert_int_equal(rmdir(in_dir(directories[i])), 0); /* empty */
    }
    state_sweep("/nonexistent/trailguard", "/nonexistent/run");
    assert_int_equal(unlink(in_dir(".mine.tmp-12")), 0);
}

static void a_lock_that_was_removed_is_noticed(void **state _unused_) {
    char runtime[80];
    int fd = -1, run_fd = -1, pid = 0;

    (void)snprintf(runtime, sizeof(runtime), "%s/run", dir);
    assert_int_equal(mkdir(runtime, 0700), 0);
    assert_int_equal(state_lock(dir, &fd, &pid), 0);
    assert_int_equal(state_lock(runtime, &run_fd, &pid), 0);
    assert_true(state_lock_is_kept(dir, fd));
    assert_int_equal(state_is_guarded(dir, runtime, &pid), 1);
    assert_int_equal(unlink(in_dir("lock")), 0);
    assert_false(state_lock_is_kept(dir, fd));
    assert_int_equal(state_is_locked(dir, &pid), 0);
    assert_int_equal(state_is_guarded(dir, runtime, &pid), 1);
    assert_int_equal(pid, getpid());
    put_file("lock", "1\n", 2);
    assert_false(state_lock_is_kept(dir, fd)); /* another file */
    assert_false(state_lock_is_kept("/nonexistent/trailguard", fd));
    assert_false(state_lock_is_kept("/dev/null", fd));
    assert_int_equal(close(run_fd), 0);
    assert_int_equal(state_is_guarded(dir, runtime, &pid), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(in_dir("run/lock")), 0);
    assert_int_equal(rmdir(runtime), 0);
}

static void a_damaged_file_is_kept_under_a_new_name(void **state _unused_) {
    char error[256] = "", expected[512];
    StateTable table;

    for (unsigned i = 0; i < 4; i++) {
        char name[64], text[16];

        noreplace_is_unknown = i % 2;
        (void)snprintf(text, sizeof(text), "damage %u", i);
        (void)snprintf(name, sizeof(name),
                       i == 0 ? "state.json.damaged-" STAMP : "state.json.damaged-" STAMP ".%u", i);
        put_file("state.json", text, strlen(text));
        assert_int_equal(state_load(dir, NOW, &table, error, sizeof(error)), 0);
        assert_int_equal(table.n_trails + table.n_targets, 0);
        assert_file(name, text);
        assert_int_equal(access(in_dir("state.json"), F_OK), -1);
        assert_int_equal(logged.n, i + 1);
        assert_int_equal(logged.level, LOG_ERR);
        (void)snprintf(expected, sizeof(expected),
                       "%s/state.json: damaged (line 1: not JSON); kept as %s/%s, starting "
                       "without it",
                       dir, dir, name);
        assert_string_equal(logged.line, expected);
    }
    /* the earlier ones are as they were, and a new state does not touch them */
    assert_int_equal(state_save(dir, &(StateTable){ 0 }), 0);
    assert_file("state.json.damaged-" STAMP, "damage 0");
    assert_file("state.json.damaged-" STAMP ".1", "damage 1");
    assert_int_equal(count_files(), 5);
    assert_string_equal(error, "");
}

static void a_file_that_is_none_or_too_big_is_set_aside_too(void **state _unused_) {
    char error[256] = "";
    StateTable table;
    struct stat st;
    int fd;

    assert_int_equal(mkdir(in_dir("state.json"), 0700), 0);
    assert_int_equal(state_load(dir, NOW, &table, error, sizeof(error)), 0);
    assert_non_null(strstr(logged.line, "(not a regular file)"));
    assert_int_equal(stat(in_dir("state.json.damaged-" STAMP), &st), 0);
    assert_true(S_ISDIR(st.st_mode));

    fd = open(in_dir("state.json"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(fd, STATE_SIZE_MAX + SEAL_SIZE + 1), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(state_load(dir, NOW, &table, error, sizeof(error)), 0);
    assert_non_null(strstr(logged.line, "(over 67108864 bytes)"));
    assert_int_equal(stat(in_dir("state.json.damaged-" STAMP ".1"), &st), 0);
    assert_int_equal(st.st_size, STATE_SIZE_MAX + SEAL_SIZE + 1);
}

/* The disk has changed one: it is JSON still, and says something else. */
static void a_changed_byte_of_a_value_is_damage(void **state _unused_) {
    StateTrail trail = { .name = (char *)"t",
                         .arn = (char *)"arn",
                         .account = (char *)"1",
                         .region = (char *)"r",
                         .state.stop_usec = NOW };
    StateTable table = { .trails = &trail, .n_trails = 1 }, loaded;
    char error[256] = "", *text, *digit;
    size_t len;

    assert_int_equal(state_save(dir, &table), 0);
    assert_int_equal(state_intent_save(dir, &trail), 0);
    assert_int_equal(file_read(in_dir("state.json"), 10000, &text, &len), 0);
    digit = strstr(text, "\"stop_usec\": 1");
    assert_non_null(digit);
    digit[strlen("\"stop_usec\": ")] = '2';
    put_file("state.json", text, len);
    assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
    assert_int_equal(loaded.n_trails, 0);
    assert_non_null(strstr(logged.line, "(its checksum does not fit: it was changed since it was written)"));
    assert_file("state.json.damaged-" STAMP, text);
    assert_int_equal(unlink(in_dir("state.json.damaged-" STAMP)), 0);

    /* the intent is the same document */
    put_file("intents/1_r_t.json", text, len);
    assert_int_equal(state_intents_load(dir, NOW, &loaded), 0);
    assert_int_equal(loaded.n_trails, 0);
    assert_non_null(strstr(logged.line, "its checksum does not fit"));
    assert_int_equal(logged.n, 2);
    free(text);

    /* one of a version that had no checksum is read, and gets one */
    put_file("state.json", "{\"schema\":\"trailguard.state/1\",\"trails\":[{\"name\":\"t\"}]}", 55);
    assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
    assert_int_equal(loaded.n_trails, 1);
    assert_int_equal(state_save(dir, &loaded), 0);
    state_table_done(&loaded);
    assert_int_equal(file_read(in_dir("state.json"), 10000, &text, &len), 0);
    assert_non_null(strstr(text, "\n\"checksum\": \"sha256:"));
    free(text);
}

static void a_failed_save_leaves_the_old_file(void **state _unused_) {
    StateTable table = { 0 };

    assert_int_equal(state_save("/nonexistent/trailguard", &table), -ENOENT);
    assert_int_equal(state_save(dir, &table), 0);
    table.n_trails = STATE_ENTRIES_MAX + 1;
    assert_int_equal(state_save(dir, &table), -E2BIG);
    assert_sealed("state.json",
                  "{\n  \"schema\": \"trailguard.state/1\",\n  \"trails\": [],\n  \"targets\": []\n}\n");
}

/* ---- when memory runs out ---- */

static void without_memory_nothing_is_lost(void **state _unused_) {
    StateTrail trail = {
        .name = (char *)"t\xff", .arn = (char *)"a", .account = (char *)"b", .region = (char *)"c"
    };
    StateTarget target = { .account = (char *)"b", .region = (char *)"c", .state.error_text = "denied" };
    ChannelTrouble trouble = { .channel = (char *)"sns:arn", .text = "gone" };
    StateTable table = { .trails = &trail,
                         .n_trails = 1,
                         .targets = &target,
                         .n_targets = 1,
                         .channels = &trouble,
                         .n_channels = 1 },
               loaded;
    char error[256];
    bool failed;
    int r;

    trail.state.findings = FINDING_BIT(FINDING_STOPPED);
    trail.state.incident =
            (Incident){ .open = true, .opened_usec = 1, .reported = FINDING_BIT(FINDING_STOPPED) };
    json_set_alloc_funcs(malloc, free);
    for (unsigned n = 0; n < 2000; n++) {
        alloc_fail_after(n);
        r = state_save(dir, &table);
        failed = alloc_fail_end();
        if (!failed)
            break;
        /* jansson 2.15 writes without some of its memory: then the file must be there */
        assert_true(r == -ENOMEM || r == 0);
        assert_int_equal(count_files(), r == 0 ? 1 : 0);
        if (r == 0)
            assert_int_equal(unlink(in_dir("state.json")), 0);
    }
    assert_false(failed);
    assert_int_equal(r, 0);
    for (unsigned n = 0; n < 2000; n++) {
        alloc_fail_after(n);
        error[0] = '\0';
        r = state_load(dir, NOW, &loaded, error, sizeof(error));
        failed = alloc_fail_end();
        /* jansson gets by without some of its memory */
        assert_true(r == 0 ||
                    (failed && r == -ENOMEM && text_ends_with(error, "state.json: out of memory")));
        assert_int_equal(loaded.n_trails, r == 0 ? 1 : 0);
        if (r == 0)
            assert_string_equal(loaded.targets[0].state.error_text, "denied");
        state_table_done(&loaded);
        assert_int_equal(count_files(), 1);
        if (!failed)
            break;
    }
    assert_false(failed);
    assert_int_equal(logged.n, 0);
}

/* ---- the lock ---- */

static void close_fd(int fd) {
    assert_int_equal(close(fd), 0);
}

/* Asks from a process of its own: 1 or 0 for held or not, and whether the pid is the expected one. */
static void assert_locked_for_others(bool held, int expected_pid) {
    int status, pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        int fd, seen = 0, r = state_is_locked(dir, &seen);

        if (r != held || seen != expected_pid)
            _exit(1);
        seen = 0;
        r = state_lock(dir, &fd, &seen);
        _exit(held ? r != -EBUSY || seen != expected_pid : r != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void one_holds_the_lock(void **state _unused_) {
    int fd = -1, pid = 0, another;
    char expected[32];
    struct stat st;

    assert_int_equal(state_is_locked(dir, &pid), 0);
    assert_int_equal(count_files(), 0);
    assert_int_equal(state_lock(dir, &fd, &pid), 0);
    assert_int_equal(pid, 0);
    (void)snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
    assert_file("lock", expected);
    assert_int_equal(stat(in_dir("lock"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_locked_for_others(true, getpid());

    /* also within one process, and asking takes nothing and frees nothing */
    assert_int_equal(state_lock(dir, &another, &pid), -EBUSY);
    assert_int_equal(pid, getpid());
    assert_int_equal(state_is_locked(dir, &pid), 1);
    assert_locked_for_others(true, getpid());

    close_fd(fd);
    assert_locked_for_others(false, 0);
    assert_int_equal(state_is_locked(dir, &pid), 0);
}

static void a_lock_ends_with_its_process(void **state _unused_) {
    int ready[2], fd, held = 0, pid, holder;
    char byte;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        if (state_lock(dir, &fd, &pid) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            (void)pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(state_is_locked(dir, &held), 1);
    assert_int_equal(held, holder);
    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    assert_int_equal(state_is_locked(dir, &held), 0);
    assert_int_equal(state_lock(dir, &fd, &pid), 0);
    close_fd(fd);
    close_fd(ready[0]);
    close_fd(ready[1]);
}

static void a_pid_that_is_none_is_unknown(void **state _unused_) {
    static const char *const texts[] = {
        "", "\n", "abc\n", "-1\n", "0\n", "12", "99999999999\n", "12 13\n", "4294967297\n"
    };
    int fd, pid;

    assert_int_equal(state_lock(dir, &fd, &pid), 0);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, texts[i], strlen(texts[i]), 0), strlen(texts[i]));
        pid = 42;
        assert_int_equal(state_is_locked(dir, &pid), 1);
        assert_int_equal(pid, 0);
    }
    close_fd(fd);
}

static void a_longer_pid_of_before_is_overwritten(void **state _unused_) {
    char expected[32];
    int fd, pid;

    put_file("lock", "1234567890123\n", 14);
    assert_int_equal(state_lock(dir, &fd, &pid), 0);
    (void)snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
    assert_file("lock", expected);
    close_fd(fd);
}

static void a_lock_that_cannot_be_is_an_error(void **state _unused_) {
    int fd, pid = 0;

    assert_int_equal(state_lock("/nonexistent/trailguard", &fd, &pid), -ENOENT);
    assert_int_equal(symlink("/dev/null", in_dir("lock")), 0);
    assert_int_equal(state_lock(dir, &fd, &pid), -ELOOP);
    assert_int_equal(state_is_locked(dir, &pid), -ELOOP);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        T(a_cause_is_kept),
        T(who_attacked_is_kept),
        T(the_guards_own_access_is_remembered),
        T(what_is_saved_is_loaded),
        T(the_file_is_readable),
        T(what_ends_with_the_process_is_not_kept),
        T(an_intent_takes_the_place_of_what_is_older),
        T(an_intent_that_is_damaged_is_set_aside),
        T(bytes_that_json_cannot_hold_do_not_cost_the_file),
        T(rows_are_made_one_by_one_and_those_that_are_none_are_left_out),
        T(too_much_is_not_written),
        T(missing_members_have_defaults_and_unknown_ones_are_passed_over),
        T(wrong_members_are_named),
        T(the_number_of_entries_has_a_ceiling),
        T(long_text_is_cut_to_its_field),
        T(no_file_is_an_empty_table),
        T(what_cannot_be_read_is_not_damaged),
        T(no_link_is_followed_below_the_state_directory),
        T(what_a_crash_has_left_is_swept),
        T(a_lock_that_was_removed_is_noticed),
        T(a_damaged_file_is_kept_under_a_new_name),
        T(a_file_that_is_none_or_too_big_is_set_aside_too),
        T(a_changed_byte_of_a_value_is_damage),
        T(a_failed_save_leaves_the_old_file),
        T(without_memory_nothing_is_lost),
        T(one_holds_the_lock),
        T(a_lock_ends_with_its_process),
        T(a_pid_that_is_none_is_unknown),
        T(a_longer_pid_of_before_is_overwritten),
        T(a_lock_that_cannot_be_is_an_error),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
