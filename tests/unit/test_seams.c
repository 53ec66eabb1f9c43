/* SPDX-License-Identifier: Apache-2.0 */
/* Seams: where values leave the process and come back, or are shown. Each field has a value that no other
 * has, and each must arrive: a field that is left out of a table fails here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/cli/status_tables.h"
#include "daemon/cli/verbs.h"
#include "daemon/core/baseline.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/settings.h"
#include "daemon/io/baseline_file.h"
#include "daemon/io/deliver.h"
#include "daemon/io/outbox.h"
#include "daemon/io/report.h"
#include "daemon/io/state.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/service_fixture.h"

#define ARN "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail"
#define NOW (1795514531 * USEC_PER_SEC)

static char dir[64];
static unsigned last; /* value that was given out */

static void begin(void) {
    (void)strcpy(dir, "/tmp/test_seams.XXXXXX");
    assert_non_null(mkdtemp(dir));
    last = 1000;
}

static void end(void) {
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static unsigned next(void) {
    return ++last;
}

static void next_text(char *dst, size_t size) {
    (void)snprintf(dst, size, "v%u", next());
}

#define TEXT(field) next_text(field, sizeof(field))

static char *new_text(void) {
    char *text;

    assert_true(asprintf(&text, "v%u", next()) > 0);
    return text;
}

/* ---- state -> file -> state ----
 *
 * The structs are compared as memory. Whoever adds a field sees here that its value does not arrive, or that
 * there is none: then it gets one below, or belongs to the process alone. */

#if defined(__x86_64__)
_Static_assert(sizeof(Incident) == 648, "a field is new: fill_incident()");
_Static_assert(sizeof(Attributing) == 160, "a field is new: fill_attributing()");
_Static_assert(sizeof(TrailState) == 2352 && sizeof(RestoreCount) == 32, "a field is new: fill_trail()");
_Static_assert(sizeof(TargetState) == 3096, "a field is new: fill_target()");
_Static_assert(sizeof(Episode) == 3240, "a field is new: fill_episode()");
#endif

static void fill_incident(Incident *i, unsigned shift) {
    *i = (Incident){
        .open = true,
        .dedup_usec = next(),
        .opened_usec = next(),
        .reopened_usec = next(),
        .resolved_usec = next(),
        .sequence = next(),
        .event = (EventKind)((EVENT_TRAIL_INTERRUPTED + shift) % _EVENT_MAX),
        .severity = SEVERITY_CRITICAL,
        .before = SEVERITY_WARNING,
        .reported = FINDING_BIT(1 + shift),
        .last_dedup_usec = next(),
        .n_reopened = next(),
        .suppressed = true,
        .reported_usec = next(),
        .n_reminders = next(),
        .pending_gaps = { next(), next(), next(), next() },
        .gap = { next(), next() },
        .action = { ACTION_RESTART, RESULT_FAILED, next() },
        .restore = { ACTION_RECREATE, RESULT_PENDING, next() },
        .fields = FIELD_BIT(1),
        .unmet_fields = FIELD_BIT(2),
        .reported_fields = FIELD_BIT(3),
        .accepted = true,
        .reconfigured = true,
        .changed_usec = next(),
        .failed = ACTION_RESTORE,
    };
    TEXT(i->failed_text);
}

static void fill_attributing(Attributing *a) {
    *a = (Attributing){
        .wanted = true,
        .findings = FINDING_BIT(5),
        .fields = FIELD_BIT(3),
        .from_usec = next(),
        .until_usec = next(),
        .reached_usec = next(),
        .n_records = next(),
        .seen_usec = next(),
        .dedup_usec = next(),
        .n_tries = next(),
        .n_throttled = next(),
        .retry_usec = next(),
        .attempts_usec = next(),
        .reported_usec = next(),
        .n_reported = next(),
        .again_findings = FINDING_BIT(6),
        .again_fields = FIELD_BIT(4),
        .again_from_usec = next(),
        .again_dedup_usec = next(),
        .noticed_usec = next(),
        .again_noticed_usec = next(),
        .again_is_older = true,
        .n_searches = next(),
        .n_attempts = next(),
    };
}

static void fill_episode(Episode *e) {
    e->failed = ACTION_RECREATE;
    e->n_attempts = next();
    e->failed_usec = next();
    TEXT(e->failed_code);
    TEXT(e->failed_text);
    e->has_actor = e->actor.assumed_root = e->actor.unnamed_guard = e->actor.omitted = true;
    TEXT(e->actor.type);
    TEXT(e->actor.arn);
    TEXT(e->actor.name);
    TEXT(e->actor.account);
    TEXT(e->actor.issuer);
    TEXT(e->actor.invoked_by);
    TEXT(e->actor.source_identity);
    TEXT(e->actor.on_behalf_of);
    TEXT(e->actor.identity_store);
    TEXT(e->actor.delegate);
    TEXT(e->actor.source_ip);
    TEXT(e->actor.user_agent);
    TEXT(e->actor.access_key);
    TEXT(e->actor.event_id);
    TEXT(e->actor.event_name);
    TEXT(e->actor.error_code);
    TEXT(e->actor.departure);
    e->actor.event_usec = next();
}

static void fill_trail(StateTrail *trail) {
    TrailState *s = &trail->state;

    trail->name = new_text();
    trail->arn = new_text();
    trail->account = new_text();
    trail->region = new_text();
    trail->via = new_text();
    trail->organization = trail->validation = true;
    trail->episode = calloc(1, sizeof(*trail->episode));
    assert_non_null(trail->episode);
    fill_episode(trail->episode);
    for (Field f = 0; f < _FIELD_MAX; f++)
        trail->changes.changes[trail->changes.n++] =
                (Change){ .field = f, .loses_events = f % 2, .expected = new_text(), .actual = new_text() };
    s->known = s->provisional = s->weakness_pending = s->appearance_pending = true;
    s->first_seen_usec = next();
    s->verdict = VERDICT_WEAKENED;
    s->findings = FINDING_BIT(7);
    for (unsigned f = 0; f < _FINDING_MAX; f++)
        s->since_usec[f] = next();
    s->start_usec = next();
    s->stop_usec = next();
    s->delivery_usec = next();
    s->digest_usec = next();
    s->polled_usec = next();
    s->accepted_usec = next();
    s->settings_usec = next();
    s->fields = FIELD_BIT(4);
    s->losing_fields = FIELD_BIT(5);
    s->unmet_fields = FIELD_BIT(6);
    s->stronger_fields = FIELD_BIT(7);
    s->strengthened_fields = FIELD_BIT(8);
    s->strengthened_usec = next();
    s->drift_mark = next();
    s->marked_usec = next();
    s->marking_usec = next();
    for (unsigned f = 0; f < _FIELD_MAX; f++)
        s->drift_marks[f] = next();
    s->compared_usec = next();
    s->pins_mark = next();
    for (unsigned i = 0; i <= RECREATION; i++)
        s->restores[i] = (RestoreCount){
            .n_confirmed = next(), .since_usec = next(), .paused = true, .n_failures = next()
        };
    for (unsigned i = 0; i < MARKS_MAX; i++)
        s->marks[i] = next();
    fill_attributing(&s->attributing);
    s->n_failed = next();
    s->failed_since_usec = next();
    s->error = POLL_BAD_ANSWER;
    s->n_action_failures = next();
    s->intent_usec = next();
    s->pending = (PendingEvent){ true, true, PHASE_REOPENED, FINDING_BIT(8), next(), 0 };
    s->pending_restore = (PendingEvent){ true, true, PHASE_REOPENED, FINDING_BIT(9), next(), 0 };
    fill_incident(&s->incident, 0);
    s->drilled = (Drilled){
        .stop_usec = next(),
        .tag_usec = next(),
        .tag_mark = next(),
        .noticed_usec = next(),
        .restarted_usec = next(),
        .reported_usec = next(),
        .attributed_usec = next(),
        .actor = DRILL_ACTOR_NOBODY,
    };
    s->contest = (Contest){
        .n = next(), .since_usec = next(), .last_usec = next(), .lost_usec = next(), .reported = true
    };
}

static void fill_target(TargetState *s) {
    s->n_failed = next();
    s->failed_since_usec = next();
    s->error = POLL_THROTTLED;
    s->ever_reachable = s->unreachable = s->not_enabled = s->covered = s->listed = s->settled =
            s->list_unreadable = true;
    TEXT(s->error_text);
    s->left_usec = next();
    s->listed_names = next();
    fill_incident(&s->reach, 1);
    fill_incident(&s->cover, 2);
    s->uncovered_usec = next();
    s->n_list_failed = next();
    s->list_since_usec = next();
    s->list_error = POLL_SERVICE;
    s->cause = CAUSE_CREDENTIALS;
    s->cover_is_shared = true;
    TEXT(s->list_error_text);
    fill_incident(&s->list, 3);
    fill_attributing(&s->attributing);
}

/* The first byte that differs says which field it is. */
static void assert_same(const char *what, const void *a, const void *b, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            fail_msg("%s: the field at byte %zu did not arrive", what, i);
}

static void assert_trail(const StateTrail *a, const StateTrail *b) {
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->arn, b->arn);
    assert_string_equal(a->account, b->account);
    assert_string_equal(a->region, b->region);
    assert_string_equal(a->via, b->via);
    assert_true(b->organization && b->validation);
    assert_same("episode", a->episode, b->episode, sizeof(*a->episode));
    assert_int_equal(a->changes.n, b->changes.n);
    for (unsigned i = 0; i < a->changes.n; i++) {
        assert_int_equal(a->changes.changes[i].field, b->changes.changes[i].field);
        assert_int_equal(a->changes.changes[i].loses_events, b->changes.changes[i].loses_events);
        assert_string_equal(a->changes.changes[i].expected, b->changes.changes[i].expected);
        assert_string_equal(a->changes.changes[i].actual, b->changes.changes[i].actual);
    }
    assert_same("trail", &a->state, &b->state, sizeof(a->state));
}

static void each_field_of_the_state_arrives(void **state _unused_) {
    StateTrail trail = { 0 };
    StateTarget target = { 0 };
    StateAccount account = { .base = true, .member = true, .left = true };
    ChannelTrouble channel = { .by_check = true, .pending = true }, unheard = { .pending = true };
    ContainIdentity identity = { .account = "111122223333" };
    ContainHold hold = { .account = "111122223333", .announced = true, .held = true, .given_up = true };
    GuardPart part = { .kind = GUARD_PART_KEY };
    GuardRecord record = { .parts = { &part, 1, GUARD_PART_BIT(GUARD_PART_KEY) },
                           .simulated = true,
                           .severity = SEVERITY_CRITICAL };
    AccountListTrouble *list;
    StateTable table = { &trail, 1,    &target, 1, &channel, 1, &account,
                         1,      NULL, NULL,    0, &unheard, 1, { &identity, 1, &hold, 1 }, &record, 1,
                         { 0 },  { .former_until_usec = 0 },
                         0,      "" },
               loaded;
    char error[256];

    begin();
    fill_trail(&trail);
    target.account = new_text();
    target.region = new_text();
    fill_target(&target.state);
    account.account = new_text();
    account.name = new_text();
    fill_target(&account.state);
    account.unaccepted_usec = next();
    table.weak_since_usec = next();
    TEXT(table.weak_account);
    channel.channel = new_text();
    channel.since_usec = next();
    TEXT(channel.account);
    TEXT(channel.text);
    unheard.channel = new_text();
    unheard.since_usec = next();
    TEXT(unheard.account);
    TEXT(unheard.text);
    TEXT(identity.arn);
    for (unsigned i = 0; i < CONTAIN_AFTER_MAX; i++) {
        identity.tampered_usec[i] = next();
        identity.events[i] = next();
    }
    for (unsigned i = 0; i < CONTAIN_MARKS_MAX; i++)
        identity.marks[i] = next();
    identity.proposed_usec = next();
    identity.enforced_usec = next();
    identity.released_usec = next();
    TEXT(hold.arn);
    TEXT(hold.reason);
    TEXT(hold.policy);
    TEXT(hold.document);
    TEXT(hold.error);
    TEXT(hold.released_by);
    hold.owed = 1 + CONTAIN_STEP_RELEASED;
    hold.since_usec = next();
    hold.puts_since_usec = next();
    hold.n_policies = (unsigned)next();
    hold.n_puts = (unsigned)next();
    hold.n_failed = (unsigned)next();
    TEXT(part.name);
    TEXT(record.arn);
    record.read_usec = next();
    record.found_usec = next();
    record.lost_usec = next();
    record.sequence = next();
    record.lost_mark = next();
    record.n_lost = next();
    list = &table.organization;
    list->n_failed = next();
    list->since_usec = next();
    list->sequence = next();
    list->reported_usec = next();
    list->n_reminders = next();
    TEXT(list->account);
    TEXT(list->error);
    TEXT(table.identities.latest);
    TEXT(table.identities.former);
    table.identities.former_until_usec = next();
    assert_int_equal(state_save(dir, &table), 0);
    assert_int_equal(state_load(dir, NOW, &loaded, error, sizeof(error)), 0);
    assert_trail(&trail, &loaded.trails[0]);
    assert_string_equal(target.account, loaded.targets[0].account);
    assert_string_equal(target.region, loaded.targets[0].region);
    assert_same("target", &target.state, &loaded.targets[0].state, sizeof(target.state));
    assert_string_equal(account.account, loaded.accounts[0].account);
    assert_string_equal(account.name, loaded.accounts[0].name);
    assert_true(loaded.accounts[0].base && loaded.accounts[0].member && loaded.accounts[0].left);
    assert_same("account", &account.state, &loaded.accounts[0].state, sizeof(account.state));
    assert_string_equal(channel.channel, loaded.channels[0].channel);
    assert_int_equal(channel.since_usec, loaded.channels[0].since_usec);
    assert_string_equal(channel.text, loaded.channels[0].text);
    assert_true(loaded.channels[0].by_check && loaded.channels[0].pending && loaded.unheard[0].pending);
    assert_int_equal(account.unaccepted_usec, loaded.accounts[0].unaccepted_usec);
    assert_int_equal(table.weak_since_usec, loaded.weak_since_usec);
    assert_string_equal(table.weak_account, loaded.weak_account);
    assert_string_equal(channel.account, loaded.channels[0].account);
    assert_string_equal(unheard.account, loaded.unheard[0].account);
    assert_string_equal(unheard.channel, loaded.unheard[0].channel);
    assert_int_equal(unheard.since_usec, loaded.unheard[0].since_usec);
    assert_string_equal(unheard.text, loaded.unheard[0].text);
    assert_same("contain", &identity, loaded.contain.items, sizeof(identity));
    assert_same("contained", &hold, loaded.contain.holds, sizeof(hold));
    assert_same("part", &part, loaded.guards[0].parts.items, sizeof(part));
    record.parts.items = loaded.guards[0].parts.items;
    assert_same("guard", &record, loaded.guards, sizeof(record));
    assert_same("organization", list, &loaded.organization, sizeof(*list));
    assert_same("identities", &table.identities, &loaded.identities, sizeof(table.identities));
    state_table_done(&loaded);

    /* the intent is the trail's whole state, too */
    assert_int_equal(state_intent_save(dir, &trail), 0);
    loaded = (StateTable){ 0 };
    assert_int_equal(state_intents_load(dir, NOW, &loaded), 0);
    assert_trail(&trail, &loaded.trails[0]);
    state_table_done(&loaded);
    state_trail_done(&trail);
    free(target.account);
    free(target.region);
    free(account.account);
    free(account.name);
    free(channel.channel);
    free(unheard.channel);
    end();
}

/* ---- settings -> baseline file -> comparison ---- */

/* Two values of a field that are not the same. */
static void set_value(Settings *settings, unsigned field, unsigned n) {
    char text[256];

    switch (field) {
    case FIELD_MULTI_REGION:
    case FIELD_GLOBAL_EVENTS:
    case FIELD_VALIDATION:
    case FIELD_ORGANIZATION:
    case FIELD_RECURSIVE: (void)snprintf(text, sizeof(text), "%s", n % 2 ? "true" : "false"); break;
    case FIELD_SELECTORS:
        (void)snprintf(text, sizeof(text),
                       "{\"AdvancedEventSelectors\":[{\"Name\":\"n\",\"FieldSelectors\":[{\"Field\":"
                       "\"eventCategory\","
                       "\"Equals\":[\"%s\"]}]}]}",
                       n % 2 ? "Management" : "Data");
        break;
    case FIELD_INSIGHTS:
        (void)snprintf(text, sizeof(text), "[{\"InsightType\":\"%s\"}]",
                       n % 2 ? "ApiCallRateInsight" : "ApiErrorRateInsight");
        break;
    case FIELD_CONFIGURATION:
        (void)snprintf(text, sizeof(text), "{\"MaxEventSize\":\"%s\"}", n % 2 ? "Large" : "Standard");
        break;
    case FIELD_TAGS:
    case FIELD_UNKNOWN: (void)snprintf(text, sizeof(text), "{\"key\":\"v%u\"}", n); break;
    case SETTING_BUCKET_OWNER: (void)snprintf(text, sizeof(text), "%012u", n); break;
    default: (void)snprintf(text, sizeof(text), "v%u", n);
    }
    assert_int_equal(settings_set(settings, (Field)field, text), 0);
}

static void each_setting_is_recorded_and_compared(void **state _unused_) {
    _cleanup_(settings_done) Settings settings = { 0 };
    _cleanup_(baseline_record_done) BaselineRecord record = { 0 };
    Drift drift = { 0 };
    char error[256];

    begin();
    for (unsigned f = 0; f <= SETTING_BUCKET_OWNER; f++)
        set_value(&settings, f, 2 * f + 1);
    assert_int_equal(baseline_file_record(dir, ARN, &settings, "guard", NOW), 0);
    assert_int_equal(baseline_file_peek(dir, ARN, &record, error, sizeof(error)), 1);
    for (unsigned f = 0; f <= SETTING_BUCKET_OWNER; f++)
        assert_string_equal(record.latest.settings.values[f], settings.values[f]);
    assert_string_equal(record.arn, ARN);
    assert_string_equal(record.latest.by, "guard");
    assert_int_equal(record.latest.recorded_usec, NOW);
    assert_int_equal(baseline_compare(&record.latest.settings, &settings, &drift), 0);
    assert_int_equal(drift.n, 0);
    for (unsigned f = 0; f < _FIELD_MAX; f++) {
        set_value(&settings, f, 2 * f + 2);
        assert_int_equal(baseline_compare(&record.latest.settings, &settings, &drift), 0);
        assert_int_equal(drift.n, 1);
        assert_int_equal(drift.changes[0].field, f);
        assert_string_not_equal(drift.changes[0].expected, drift.changes[0].actual);
        drift_done(&drift);
        set_value(&settings, f, 2 * f + 1);
    }
    /* accepted: what was is kept beside it */
    set_value(&settings, FIELD_BUCKET, 999);
    assert_int_equal(baseline_file_accept(dir, ARN, &settings, true, "alice", NOW + USEC_PER_SEC, error,
                                          sizeof(error)),
                     0);
    baseline_record_done(&record);
    assert_int_equal(baseline_file_peek(dir, ARN, &record, error, sizeof(error)), 1);
    assert_true(record.gone && record.has_previous);
    assert_string_equal(record.latest.settings.values[FIELD_BUCKET], "v999");
    assert_string_equal(record.previous.settings.values[FIELD_BUCKET], "v1");
    assert_string_equal(record.previous.by, "guard");
    assert_int_equal(record.previous.recorded_usec, NOW);
    end();
}

/* ---- event -> outbox file -> channel ---- */

static void note_sent(const Receipt *receipt, void *userdata) {
    *(ReceiptKind *)userdata = receipt->kind;
}

static void fill_alert(Alert *alert) {
    *alert = (Alert){
        .event = EVENT_TRAIL_WEAKENED,
        .severity = SEVERITY_WARNING,
        .time_usec = NOW,
        .subject = "the subject",
        .text = strdup("the mail"),
        .sms = strdup("the sms"),
        .document = strdup("{\"the\":\"document\"}"),
        .account = "111122223333",
        .region = "eu-south-2",
        .trail = "the-trail",
    };
    memset(alert->id, 'd', 64);
    memset(alert->incident, 'e', 16);
}

static void assert_alert(const Alert *alert) {
    static const char id[] = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

    assert_string_equal(alert->id, id);
    assert_string_equal(alert->incident, "eeeeeeeeeeeeeeee");
    assert_int_equal(alert->event, EVENT_TRAIL_WEAKENED);
    assert_int_equal(alert->severity, SEVERITY_WARNING);
    assert_int_equal(alert->time_usec, NOW);
    assert_string_equal(alert->subject, "the subject");
    assert_string_equal(alert->text, "the mail");
    assert_string_equal(alert->sms, "the sms");
    assert_string_equal(alert->document, "{\"the\":\"document\"}");
    assert_string_equal(alert->account, "111122223333");
    assert_string_equal(alert->region, "eu-south-2");
    assert_string_equal(alert->trail, "the-trail");
}

static void each_part_of_an_alert_arrives_at_the_channel(void **state) {
    static const char *const sent[] = { "the%20subject",  "the%20mail",
                                        "the%20sms",      "the%5C%22%3A%5C%22document",
                                        "trail.weakened", "warning",
                                        "111122223333",   "eu-south-2",
                                        "the-trail",      "Id=dddddddd" };
    const ChannelConfig channel = { .type = CHANNEL_SNS,
                                    .topic_arn = (char *)"arn:aws:sns:eu-central-1:111122223333:t.fifo" };
    ServiceFixture *f = *state;
    ReceiptKind kind = _RECEIPT_MAX;
    char error[256];
    OutboxEntry *entry;
    Outbox *outbox;
    Alert alert;

    begin();
    fill_alert(&alert);
    assert_int_equal(outbox_open(dir, &outbox, error, sizeof(error)), 0);
    assert_int_equal(outbox_add(outbox, &alert), 0);
    outbox_close(outbox);
    assert_int_equal(outbox_open(dir, &outbox, error, sizeof(error)), 0);
    entry = outbox_first(outbox);
    assert_non_null(entry);
    assert_alert(outbox_entry_alert(entry));
    fake_http_reply(
            f->http, 200,
            "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>",
            NULL);
    assert_int_equal(channel_send(&(ChannelContext){ .aws = f->aws, .credentials = f->credentials },
                                  &channel, outbox_entry_alert(entry), note_sent, &kind, NULL),
                     0);
    fake_loop_run(f->loop);
    assert_int_equal(kind, RECEIPT_DELIVERED);
    for (size_t i = 0; i < ARRAY_SIZE(sent); i++)
        if (!strstr(fake_http_request(f->http, 0)->body, sent[i]))
            fail_msg("%s is not in %s", sent[i], fake_http_request(f->http, 0)->body);
    outbox_close(outbox);
    end();
}

/* ---- status value -> status.json -> trailguard status ---- */

static json_t *find(const json_t *root, const char *path) {
    char copy[128], *save = NULL;

    (void)text_copy(copy, sizeof(copy), path);
    for (char *step = strtok_r(copy, ".", &save); step; step = strtok_r(NULL, ".", &save))
        root = json_is_array(root) ? json_array_get(root, (size_t)atoi(step)) : json_object_get(root, step);
    return (json_t *)root;
}

/* As text: strings as they are. */
static void assert_member(const json_t *root, const char *path, const char *expected) {
    char *text = json_is_string(find(root, path))
                         ? strdup(json_string_value(find(root, path)))
                         : json_dumps(find(root, path), JSON_ENCODE_ANY | JSON_COMPACT);

    if (!text || strcmp(text, expected) != 0)
        fail_msg("%s is %s, not %s", path, text ? text : "missing", expected);
    free(text);
}

#define AT(sec) ((1795514400 + (sec)) * USEC_PER_SEC) /* 2026-11-24T10:00:00Z and so many seconds */

static const char *const members[][2] = {
    { "version", "1.2.3" },
    { "binary.path", "/a/binary" },
    { "binary.modified", "2026-11-24T10:00:05Z" },
    { "configuration.path", "/a/file" },
    { "configuration.modified", "2026-11-24T10:00:06Z" },
    { "pid", "1001" },
    { "pid_namespace", "pid:[7]" },
    { "mode", "restore" },
    { "started", "2026-11-24T10:00:01Z" },
    { "updated", "2026-11-24T10:00:02Z" },
    { "poll_interval", "17" },
    { "problem", "a problem" },
    { "state_directory", "a directory" },
    { "pass.ended", "2026-11-24T10:00:03Z" },
    { "pass.duration", "2.5" },
    { "pass.count", "1002" },
    { "organization.error", "no list" },
    { "ignored.0", "an ignored arn" },
    { "outbox.depth", "1003" },
    { "accounts.0.id", "111122223333" },
    { "accounts.0.name", "audit" },
    { "accounts.0.role", "a role" },
    { "accounts.0.identity", "an identity" },
    { "accounts.0.state", "well" },
    { "accounts.0.error", "an error" },
    { "channels.0.channel", "sns:a" },
    { "channels.0.failed", "true" },
    { "channels.0.waiting", "1004" },
    { "channels.0.text", "a text" },
    { "targets.0.account", "222233334444" },
    { "targets.0.region", "eu-west-3" },
    { "targets.0.identity", "who asks" },
    { "targets.0.state", "unreachable" },
    { "targets.0.error", "timed out" },
    { "targets.0.polled", "2026-11-24T10:00:04Z" },
    { "targets.0.because_of_trail", "true" },
    { "targets.0.idle", "true" },
    { "targets.0.poll_interval", "77" },
    { "targets.0.uncovered", "true" },
    { "trails.0.name", "the-trail" },
    { "trails.0.arn", "the arn" },
    { "trails.0.account", "333344445555" },
    { "trails.0.region", "us-west-2" },
    { "trails.0.verdict", "weakened" },
    { "trails.0.findings", "[\"weakened\",\"stale\"]" },
    { "trails.0.organization", "true" },
    { "trails.0.baseline", "true" },
    { "trails.0.not_recorded", "[\"Tags\"]" },
    { "trails.0.start_logging", "2026-11-24T10:00:05Z" },
    { "trails.0.stop_logging", "2026-11-24T10:00:06Z" },
    { "trails.0.latest_delivery", "2026-11-24T10:00:07Z" },
    { "trails.0.incident.id", "0123456789abcdef" },
    { "trails.0.incident.event", "trail.weakened" },
    { "trails.0.incident.severity", "critical" },
    { "trails.0.incident.opened", "2026-11-24T10:00:08Z" },
    { "trails.0.incident.reopened", "2026-11-24T10:00:09Z" },
    { "trails.0.incident.messages", "1005" },
    { "trails.0.incident.gap.from", "2026-11-24T10:00:10Z" },
    { "trails.0.incident.gap.to", "2026-11-24T10:00:11Z" },
    { "trails.0.incident.action.taken", "restart" },
    { "trails.0.incident.action.result", "confirmed" },
    { "trails.0.incident.action.attempts", "1006" },
    { "trails.0.incident.restore.taken", "restore" },
    { "trails.0.incident.restore.result", "failed" },
    { "trails.0.incident.restore.attempts", "1007" },
    { "trails.0.incident.failure.action", "recreate" },
    { "trails.0.incident.failure.code", "NoCode" },
    { "trails.0.incident.failure.text", "no text" },
    { "trails.0.incident.failure.time", "2026-11-24T10:00:12Z" },
    { "trails.0.incident.failure.attempts", "1008" },
    { "trails.0.incident.actor.arn", "actor arn" },
    { "trails.0.incident.actor.type", "IAMUser" },
    { "trails.0.incident.actor.name", "bob" },
    { "trails.0.incident.actor.account", "444455556666" },
    { "trails.0.incident.actor.source_ip", "203.0.113.7" },
    { "trails.0.incident.actor.user_agent", "agent" },
    { "trails.0.incident.actor.event_id", "event id" },
    { "trails.0.incident.actor.event_name", "UpdateTrail" },
    { "trails.0.incident.actor.event_time", "2026-11-24T10:00:13Z" },
    { "trails.0.incident.changes.0.field", "S3BucketName" },
    { "trails.0.incident.changes.0.expected", "ours" },
    { "trails.0.incident.changes.0.actual", "theirs" },
    { "trails.0.incident.attack.0", "T1562.008" },
};

static const char *const shown[] = {
    "the-trail",
    "us-west-2",
    "333344445555",
    "weakened",
    "stale",
    "changed: S3BucketName",
    "not recorded yet: Tags",
    "incident 0123456789abcdef since 2026-11-24T10:00:09Z",
    "recreate failed, attempt 1008 at 2026-11-24T10:00:12Z",
    "no text",
    "caused by actor arn from 203.0.113.7, UpdateTrail at 2026-11-24T10:00:13Z",
    "222233334444",
    "eu-west-3",
    "unreachable, no trail records it, polled every 77 s: timed out",
    "cannot be listed: no list",
    "channel sns:a fails: a text",
    "1003 alerts wait in the outbox",
};

static void each_member_of_the_status_is_shown(void **state _unused_) {
    Episode episode = { .failed = ACTION_RECREATE,
                        .n_attempts = 1008,
                        .failed_usec = AT(12),
                        .failed_code = "NoCode",
                        .failed_text = "no text",
                        .has_actor = true,
                        .actor = { .type = "IAMUser",
                                   .arn = "actor arn",
                                   .name = "bob",
                                   .account = "444455556666",
                                   .source_ip = "203.0.113.7",
                                   .user_agent = "agent",
                                   .event_id = "event id",
                                   .event_name = "UpdateTrail",
                                   .event_usec = AT(13) } };
    Drift changes = {
        .changes = { { .field = FIELD_BUCKET, .expected = (char *)"ours", .actual = (char *)"theirs" } },
        .n = 1
    };
    TrailState trail_state = {
        .verdict = VERDICT_WEAKENED,
        .findings = FINDING_BIT(FINDING_WEAKENED) | FINDING_BIT(FINDING_STALE),
        .start_usec = AT(5),
        .stop_usec = AT(6),
        .delivery_usec = AT(7),
        .fields = FIELD_BIT(FIELD_BUCKET),
        .incident = { .open = true,
                      .event = EVENT_TRAIL_WEAKENED,
                      .severity = SEVERITY_CRITICAL,
                      .opened_usec = AT(8),
                      .reopened_usec = AT(9),
                      .sequence = 1005,
                      .gap = { AT(10), AT(11) },
                      .action = { ACTION_RESTART, RESULT_CONFIRMED, 1006 },
                      .restore = { ACTION_RESTORE, RESULT_FAILED, 1007 } },
    };
    TargetState target_state = { .unreachable = true, .error_text = "timed out", .cover.open = true },
                account_state = { .error_text = "an error" };
    const StatusTrail trail = { .subject = { "the-trail", "the arn", "333344445555", "us-west-2" },
                                .state = &trail_state,
                                .incident_id = "0123456789abcdef",
                                .changes = &changes,
                                .episode = &episode,
                                .organization = true,
                                .has_baseline = true,
                                .not_recorded = FIELD_BIT(FIELD_TAGS) };
    const StatusTarget target = { .subject = { "", "", "222233334444", "eu-west-3" },
                                  .state = &target_state,
                                  .polled_usec = AT(4),
                                  .by_shadow = true,
                                  .idle = true,
                                  .identity = "who asks",
                                  .interval_usec = 77 * USEC_PER_SEC };
    const StatusAccount account = { .id = "111122223333",
                                    .name = "audit",
                                    .role_arn = "a role",
                                    .identity = "an identity",
                                    .state = &account_state };
    const StatusChannel channel = { .channel = "sns:a", .failed = true, .waiting = 1004, .text = "a text" };
    const char *const ignored = "an ignored arn";
    const Status status = {
        .version = "1.2.3",
        .binary = { "/a/binary", AT(5) },
        .configuration = { "/a/file", AT(6) },
        .problem = "a problem",
        .directory_problem = "a directory",
        .mode = MODE_RESTORE,
        .pid = 1001,
        .pid_namespace = "pid:[7]",
        .poll_interval_sec = 17,
        .started_usec = AT(1),
        .now_usec = AT(2),
        .pass_ended_usec = AT(3),
        .pass_duration_usec = 2500000,
        .n_passes = 1002,
        .accounts = &account,
        .n_accounts = 1,
        .has_organization = true,
        .organization_error = "no list",
        .trails = &trail,
        .n_trails = 1,
        .ignored = &ignored,
        .n_ignored = 1,
        .targets = &target,
        .n_targets = 1,
        .channels = &channel,
        .n_channels = 1,
        .outbox_depth = 1003,
    };
    char *text, *table;
    size_t size;
    FILE *out = open_memstream(&table, &size);
    json_t *root;

    assert_int_equal(report_status_json(&status, &text), 0);
    root = json_loads(text, 0, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        assert_member(root, members[i][0], members[i][1]);
    status_print(out, root, &(const StatusView){ 0 });
    assert_int_equal(fclose(out), 0);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        if (!strstr(table, shown[i]))
            fail_msg("\"%s\" is not shown in\n%s", shown[i], table);
    json_decref(root);
    free(text);
    free(table);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_of_the_state_arrives),
        cmocka_unit_test(each_setting_is_recorded_and_compared),
        SERVICE_TEST(each_part_of_an_alert_arrives_at_the_channel),
        cmocka_unit_test(each_member_of_the_status_is_shown),
    };

    return cmocka_run_group_tests_name("seams", tests, NULL, NULL);
}
