/* SPDX-License-Identifier: Apache-2.0 */
/* The words of alerts about changed settings, deletion, buckets and keys, and about who did it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/enum_names.h"
#include "tests/unit/alert_check.h"
#include "tests/unit/between.h"

#define WEAKENED  FINDING_BIT(FINDING_WEAKENED)
#define CHANGED   FINDING_BIT(FINDING_CHANGED)
#define MISSING   FINDING_BIT(FINDING_MISSING)
#define BUCKET    FIELD_BIT(FIELD_BUCKET)
#define TOPIC     FIELD_BIT(FIELD_SNS_TOPIC)
#define TAGS      FIELD_BIT(FIELD_TAGS)
#define SELECTORS FIELD_BIT(FIELD_SELECTORS)

#define RESTORE(result_, n)                                                                                 \
    .action = { ACTION_RESTORE, result_, n }, .restore = { ACTION_RESTORE, result_, n }
#define RECREATE(result_, n)                                                                                \
    .action = { ACTION_RECREATE, result_, n }, .restore = { ACTION_RECREATE, result_, n }

/* A message about a change, 2 s after it was seen; `left` of it differs still. */
#define CHANGE(severity_, about_, fields_, left, ...)                                                       \
    {                                                                                                       \
        .kind = EVENT_TRAIL_WEAKENED, .phase = PHASE_OPENED, .severity = (severity_), .sequence = 1,        \
        .incident_dedup_usec = T0, .dedup_usec = T0, .opened_usec = T0, .changed_usec = T0,                 \
        .time_usec = T0 + 2 * SEC, .about = (about_), .findings = (left) ? (about_) : 0,                    \
        .fields = (fields_), .fields_left = (left), __VA_ARGS__                                             \
    }

#define LOOKUP "lookup-events --region eu-central-1"

typedef struct Case {
    Event event;
    const char *expected; /* without "[TrailGuard] " */
    const char *in_text[5];
    const char *not_in_text;
    bool attack;
} Case;

static const Case cases[] = {
    /* ---- changed settings ---- */
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, 0, .mode = MODE_RESTORE, .may_act = true, .resolves = true,
             RESTORE(RESULT_CONFIRMED, 1)),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): S3BucketName restored",
      { "was weakened: S3BucketName. TrailGuard restored the baseline.",
        "(1 attempt) and read the settings back: confirmed",
        "Log files of that time are in the other bucket", LOOKUP,
        "2026-11-23 10:02:11 UTC  found to be changed" },
      "Still different",
      true },
    { CHANGE(SEVERITY_WARNING, CHANGED, TOPIC, 0, .mode = MODE_RESTORE, .may_act = true, .resolves = true,
             RESTORE(RESULT_CONFIRMED, 1)),
      "WARNING org-trail changed in eu-central-1 (111122223333): SnsTopicARN restored",
      { "was changed", "Subscribers were not notified of the log files" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED | CHANGED, BUCKET | TOPIC | TAGS, TAGS, .mode = MODE_RESTORE,
             RESTORE(RESULT_CONFIRMED, 2)),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): 3 settings partly restored",
      { "S3BucketName, SnsTopicARN, Tags.", "Still different: Tags.", "(2 attempts)" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET | TOPIC, TOPIC, .mode = MODE_RESTORE, .may_act = true,
             RESTORE(RESULT_FAILED, 1), .detail = "UpdateTrail: InsufficientSnsTopicPolicyException"),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): 2 settings partly restored",
      { "TrailGuard could not restore all of it.",
        "failed: UpdateTrail: InsufficientSnsTopicPolicyException", "Still different: SnsTopicARN." },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, SELECTORS, SELECTORS, .mode = MODE_RESTORE, .may_act = true,
             RESTORE(RESULT_FAILED, 3), .detail = "PutEventSelectors: AccessDenied"),
      "CRITICAL org-t... weakened in eu-central-1 (111122223333): EventSelectors not restored",
      { "TrailGuard could not restore it.", "(3 attempts). That failed: PutEventSelectors: AccessDenied",
        "selectors leave out are lost" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, SELECTORS, SELECTORS, .mode = MODE_RESTORE, .may_act = true,
             RESTORE(RESULT_PENDING, 1)),
      "CRITICAL org... weakened in eu-central-1 (111122223333): EventSelectors being restored",
      { "AWS has not confirmed that yet" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, BUCKET, .mode = MODE_RESTART),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): S3BucketName changed",
      { "Nothing: it runs in mode \"restart\".", "trailguard accept org-trail" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, BUCKET, .mode = MODE_RESTORE),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): S3BucketName changed",
      { "does not name this kind" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, BUCKET, .mode = MODE_RESTORE, .protected = true),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): S3BucketName changed",
      { "Only the account that owns the organization trail, or CloudTrail's delegated administrator, can "
        "change it" },
      NULL,
      true },
    { CHANGE(SEVERITY_INFO, WEAKENED, BUCKET, BUCKET, .mode = MODE_RESTORE, .maintenance = true),
      "MAINTENANCE org-trail weakened in eu-central-1 (111122223333): S3BucketName changed",
      { "A maintenance window is open for this trail", "trailguard accept" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, BUCKET, .mode = MODE_RESTORE, .may_act = true,
             .restores_paused = true, .n_restores = 30, RESTORE(RESULT_NONE, 0)),
      "CRITICAL org-... weakened in eu-central-1 (111122223333): S3BucketName restores paused",
      { "Restored the baseline 30 times within the hour", "still restarts logging at once" },
      NULL,
      true },
    { CHANGE(SEVERITY_INFO, WEAKENED, FIELD_BIT(FIELD_LOG_GROUP), FIELD_BIT(FIELD_LOG_GROUP),
             .mode = MODE_RESTORE, .maintenance = true),
      "MAINTENANCE org-... weakened in eu-central-1 (111122223333): CloudWatchLogsLogGroupArn",
      { "A maintenance window is open for this trail" },
      NULL,
      true },
    { CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, 0, .mode = MODE_RESTORE, .may_act = true,
             .resolves = true),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333): S3BucketName changed back",
      { "Another caller changed it back." },
      NULL,
      true },
    { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL, .findings = WEAKENED,
            .fields = BUCKET | TOPIC, .fields_left = BUCKET, .mode = MODE_OBSERVE),
      "REMINDER org-trail still weakened in eu-central-1 (111122223333), for 4 min",
      { "differ from its baseline: S3BucketName." },
      "S3BucketName, ",
      false },
    { EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .fields = BUCKET, .changed_usec = T0,
            RESTORE(RESULT_CONFIRMED, 1)),
      "RESOLVED org-trail matches its baseline in eu-central-1 (111122223333): S3BucketName",
      { "TrailGuard restored the baseline." },
      NULL,
      false },
    /* ---- deletion ---- */
    { EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .findings = MISSING, .about = MISSING,
            .mode = MODE_RESTORE),
      "CRITICAL org-trail missing in eu-central-1 (111122223333)",
      { "restore in trailguard.conf does not name \"deleted\"", LOOKUP },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .about = MISSING, .mode = MODE_RESTORE,
            .may_act = true, .resolves = true, RECREATE(RESULT_CONFIRMED, 1)),
      "CRITICAL org-trail deleted in eu-central-1 (111122223333), created again",
      { "TrailGuard created it again, and it is logging", "between the deletion and now are lost" },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .about = MISSING, .findings = MISSING,
            .mode = MODE_RESTORE, .may_act = true, RECREATE(RESULT_FAILED, 1),
            .detail = "MaximumNumberOfTrailsExceeded: a, b"),
      "CRITICAL org-trail missing in eu-central-1 (111122223333), not created again",
      { "That failed: MaximumNumberOfTrailsExceeded: a, b" },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .about = MISSING, .findings = MISSING,
            .mode = MODE_RESTORE, .may_act = true, .restores_paused = true, .n_restores = 5),
      "CRITICAL org-trail missing in eu-central-1 (111122223333), restores paused",
      { "Created the trail again 5 times within the hour" },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_REPLACED, PHASE_OPENED, SEVERITY_CRITICAL, .resolves = true,
            .about = FINDING_BIT(FINDING_REPLACED)),
      "CRITICAL org-trail deleted and created again in eu-central-1 (111122223333)",
      { "between two polls", LOOKUP },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, RECREATE(RESULT_CONFIRMED, 2),
            .since_usec = T0 + SEC),
      "RESOLVED org-trail exists and logs again in eu-central-1 (111122223333) after 4 min",
      { "(2 attempts)", "find out who deleted it" },
      NULL,
      false },
    /* ---- stops in maintenance ---- */
    { EVENT(EVENT_TRAIL_STOPPED, PHASE_OPENED, SEVERITY_INFO, .maintenance = true, .mode = MODE_RESTART,
            .findings = FINDING_BIT(FINDING_STOPPED), .gap = { T0, 0 }),
      "MAINTENANCE org-trail stopped in eu-central-1 (111122223333), as maintenance allows",
      { "when the window ends" },
      NULL,
      true },
    /* ---- failing ---- */
    { EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .detail = "AccessDenied",
            .about = FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_LOG_GROUP)),
      "CRITICAL org-trail cannot deliver in eu-central-1 (111122223333): AccessDenied",
      { "log files, to CloudWatch Logs", "for 30 days", "CloudWatch Logs does not get the events" },
      NULL,
      false },
    { EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .detail = "NoSuchBucket",
            .about = FINDING_BIT(FINDING_DIGEST)),
      "CRITICAL org-trail cannot deliver digests in eu-central-1 (111122223333): NoSuchBucket",
      { "a broken chain of digests stays broken" },
      NULL,
      false },
    { EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL,
            .detail = "nothing was delivered since 2026-11-23T08:00:00Z",
            .about = FINDING_BIT(FINDING_STALE)),
      "CRITICAL org-trail delivers nothing in eu-central-1 (111122223333)",
      { "nothing was delivered since 2026-11-23T08:00:00Z.", "stale_after" },
      NULL,
      false },
    { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL,
            .findings = FINDING_BIT(FINDING_BUCKET)),
      "REMINDER org-trail: its bucket still wrong in eu-central-1 (111122223333), for 4 min",
      { "still fails its check", "in that owner's hands" },
      "Nothing yet",
      false },
    { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL,
            .findings = FINDING_BIT(FINDING_LIFECYCLE)),
      "REMINDER org-trail: log files still deleted early in eu-central-1 (111122223333)",
      { "Log files that the rule has expired are gone", "Remove the rule" },
      "30 days",
      false },
    { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_WARNING, .findings = FINDING_BIT(FINDING_KEY)),
      "REMINDER org-trail: its KMS key still unusable in eu-central-1 (111122223333)",
      { "if the key is deleted, never again", "Enable the key" },
      "Nothing yet",
      false },
    { EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .detail = "not ours",
            .about = FINDING_BIT(FINDING_BUCKET)),
      "CRITICAL org-trail's bucket fails its check in eu-central-1 (111122223333): not ours",
      { "Anyone can create a deleted bucket again", "--region REGION-OF-THE-BUCKET --lookup-attributes "
                                                    "AttributeKey=EventName,AttributeValue=DeleteBucket\n" },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .detail = "1 day",
            .about = FINDING_BIT(FINDING_LIFECYCLE)),
      "CRITICAL org-trail's log files are deleted early in eu-central-1 (111122223333): 1 day",
      { "keeps versions" },
      NULL,
      true },
    { EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .detail = "Disabled",
            .about = FINDING_BIT(FINDING_KEY)),
      "CRITICAL org-trail's key cannot be used in eu-central-1 (111122223333): Disabled",
      { "cancel-key-deletion" },
      NULL,
      true },
    /* ---- who did it ---- */
    { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .about = FINDING_BIT(FINDING_STOPPED),
            .gap = { T0, T0 + 3 * SEC }, .has_actor = true,
            .actor = { .type = "IAMUser",
                       .arn = "arn:aws:iam::111122223333:user/bob",
                       .name = "bob",
                       .account = ACCOUNT,
                       .source_ip = "203.0.113.7",
                       .user_agent = "aws-cli/2.15",
                       .access_key = "AKIAEXAMPLE",
                       .event_id = "e-1",
                       .event_name = "StopLogging",
                       .event_usec = T0 }),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333) by user bob",
      { "Who did it\n  who      user bob\n  type     IAMUser\n  ARN      "
        "arn:aws:iam::111122223333:user/bob\n",
        "  from     203.0.113.7\n  with     aws-cli/2.15\n  key      AKIAEXAMPLE\n  call     StopLogging\n",
        "  when     2026-11-23 10:02:11 UTC\n  event    e-1\n", "logging was stopped" },
      LOOKUP,
      true },
    { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .about = FINDING_BIT(FINDING_STOPPED),
            .findings = FINDING_BIT(FINDING_STOPPED), .gap = { T0, 0 }, .has_actor = true,
            .actor = { .type = "IAMUser", .name = "bob", .event_name = "StopLogging" }),
      "CRITICAL org-trail stopped in eu-central-1 (111122223333) by user bob, still stopped",
      { "by user bob. The trail is still stopped and records nothing." },
      "over",
      true },
    { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .about = MISSING, .resolves = true,
            .has_actor = true, .actor = { .type = "IAMUser", .name = "bob", .event_name = "DeleteTrail" }),
      "CRITICAL org-trail deleted in eu-central-1 (111122223333) by user bob",
      { "by user bob. The incident is over." },
      "still",
      true },
    { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .about = FINDING_BIT(FINDING_STOPPED),
            .resolves = true, .has_actor = true,
            .actor = { .type = "IAMUser", .name = "bob", .event_name = "DeleteTrail" }),
      "CRITICAL org-trail deleted in eu-central-1 (111122223333) by user bob",
      { "was deleted by user bob. The incident is over." },
      "was stopped",
      true },
    { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .nobody = true, .about = MISSING),
      "CRITICAL org-trail deleted in eu-central-1 (111122223333), caller not found",
      { "for 20 minutes", LOOKUP, "us-east-1" },
      "Who did it",
      true },
    { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .nobody = true, .about = WEAKENED,
            .detail = "AccessDenied"),
      "CRITICAL org-trail weakened in eu-central-1 (111122223333), caller unknown",
      { "could not search the event history: AccessDenied", "cloudtrail:LookupEvents" },
      "Nobody",
      true },
    { EVENT(EVENT_TRAIL_ATTEMPTED, PHASE_OPENED, SEVERITY_WARNING, .has_actor = true,
            .repeats = { .count = 2 },
            .actor = { .type = "AssumedRole",
                       .name = "Dev/eve",
                       .event_name = "DeleteTrail",
                       .error_code = "AccessDenied" }),
      "WARNING DeleteTrail tried on org-trail in eu-central-1 (111122223333)",
      { "Role Dev (session eve) tried DeleteTrail on org-trail", "AWS refused it: AccessDenied.",
        "2 more attempts came before this one", "Who tried it", "  refused  AccessDenied\n" },
      LOOKUP,
      true },
    /* ---- baselines ---- */
    { EVENT(EVENT_BASELINE_WEAK, PHASE_OPENED, SEVERITY_WARNING,
            .detail = "LogFileValidationEnabled is off"),
      "WARNING org-trail in eu-central-1 (111122223333) was weak when recorded",
      { "LogFileValidationEnabled is off", "This message is sent once" },
      NULL,
      false },
    { EVENT(EVENT_BASELINE_DAMAGED, PHASE_OPENED, SEVERITY_CRITICAL,
            .detail = "x.json: damaged (line 1: oops)"),
      "CRITICAL the baseline of org-trail in eu-central-1 (111122223333) is damaged",
      { "x.json: damaged (line 1: oops)", "Compare the trail's settings by hand with what you set",
        "This message is sent once" },
      NULL,
      false },
    { EVENT(EVENT_BASELINE_ACCEPTED, PHASE_OPENED, SEVERITY_INFO, .fields = BUCKET, .detail = "by uid 0"),
      "INFO new baseline of org-trail accepted in eu-central-1 (111122223333): S3BucketName",
      { "by uid 0" },
      NULL,
      false },
};

static void every_case(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Case *c = &cases[i];
        Alert alert = compose(&trail, &c->event);
        json_t *root = load(alert.document);

        if (strcmp(alert.subject + strlen("[TrailGuard] "), c->expected) != 0)
            fail_msg("case %zu: %s\n    expected: %s", i, alert.subject, c->expected);
        for (size_t k = 0; k < ARRAY_SIZE(c->in_text) && c->in_text[k]; k++)
            if (!says(alert.text, c->in_text[k]))
                fail_msg("case %zu: no \"%s\" in\n%s", i, c->in_text[k], alert.text);
        if (c->not_in_text && says(alert.text, c->not_in_text))
            fail_msg("case %zu: \"%s\" in\n%s", i, c->not_in_text, alert.text);
        assert_int_equal(json_array_size(json_object_get(root, "attack")), c->attack ? 2 : 0);
        assert_int_equal(json_is_object(json_object_get(root, "actor")), c->event.has_actor);
        json_decref(root);
        check_any(&alert);
        keep_document("tamper", i, &alert);
        alert_done(&alert);
    }
}

/* The calls to search for, each in the region of the trail's partition that records it. */
static void calls_to_search_for(void **unused) {
    static const struct {
        const char *region;
        Event event;
        const char *call, *in; /* NULL: not to be searched for */
    } rows[] = {
        { "eu-central-1", CHANGE(SEVERITY_CRITICAL, WEAKENED, FIELD_BIT(FIELD_ORGANIZATION), 0),
          "DisableAWSServiceAccess", "us-east-1" },
        { "cn-north-1", CHANGE(SEVERITY_CRITICAL, WEAKENED, FIELD_BIT(FIELD_ORGANIZATION), 0),
          "DisableAWSServiceAccess", "cn-northwest-1" },
        { "us-gov-east-1", CHANGE(SEVERITY_CRITICAL, WEAKENED, FIELD_BIT(FIELD_ORGANIZATION), 0),
          "DisableAWSServiceAccess", "us-gov-west-1" },
        { "eu-central-1", CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, 0), "DisableAWSServiceAccess", NULL },
        { "eu-central-1", EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .protected = true),
          "AcceptHandshake", "us-east-1" },
        { "eu-central-1", EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL, .protected = true),
          "LeaveOrganization", "us-east-1" },
        { "eu-central-1", EVENT(EVENT_TRAIL_MISSING, PHASE_OPENED, SEVERITY_CRITICAL), "AcceptHandshake",
          NULL },
        { "eu-central-1",
          EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .about = FINDING_BIT(FINDING_KEY)),
          "DeleteImportedKeyMaterial", "eu-central-1" },
        { "eu-central-1",
          EVENT(EVENT_TRAIL_FAILING, PHASE_OPENED, SEVERITY_CRITICAL, .about = FINDING_BIT(FINDING_KEY)),
          "DisconnectCustomKeyStore", "eu-central-1" },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Subject subject = { "org-trail", ARN, ACCOUNT, rows[i].region };
        Alert alert = compose(&subject, &rows[i].event);
        char line[256];

        (void)snprintf(line, sizeof(line),
                       "--region %s --lookup-attributes AttributeKey=EventName,AttributeValue=%s\n",
                       rows[i].in ? rows[i].in : "", rows[i].call);
        if (rows[i].in ? !strstr(alert.text, line) : strstr(alert.text, rows[i].call) != NULL)
            fail_msg("row %zu: %s in\n%s", i, rows[i].call, alert.text);
        check_any(&alert);
        alert_done(&alert);
    }
}

static void nobody_was_found_in_other_partitions(void **unused) {
    Subject subject = { "org-trail", ARN, ACCOUNT, "cn-northwest-1" };
    Event event =
            EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .nobody = true, .about = MISSING);
    Alert alert = compose(&subject, &event);

    (void)unused;
    assert_true(says(alert.text, "also in cn-north-1."));
    assert_null(strstr(alert.text, "us-east-1"));
    alert_done(&alert);
}

#define BY_BOB .has_actor = true, .actor = { .type = "IAMUser", .name = "bob" }

/* What a reminder, or a message that comes later, says of the time between: nothing that does not hold. */
static void what_is_said_later_holds(void **unused) {
    static const struct {
        Event event;
        const char *subject, *text, *not_in_text;
    } rows[] = {
        { EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, .fields = BUCKET | TAGS,
                .fields_others = TAGS, .mode = MODE_RESTORE, RESTORE(RESULT_CONFIRMED, 1)),
          "matches its baseline in", "TrailGuard restored what it may, and another caller the rest.",
          "restored the baseline. " },
        { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL,
                .findings = FINDING_BIT(FINDING_STOPPED), .since_usec = T0 + 181 * SEC),
          "still stopped in eu-central-1 (111122223333), for 1 min", "still stopped", NULL },
        { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL,
                .findings = FINDING_BIT(FINDING_STOPPED), .protected = true),
          "still stopped in", "The owners of the organization's management account must start it there",
          "Start it:" },
        { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_INFO,
                .findings = FINDING_BIT(FINDING_STOPPED), .maintenance = true, .mode = MODE_RESTART),
          "still stopped in", "A maintenance window allows that", "1. Start it:" },
        { EVENT(EVENT_INCIDENT_REMINDER, PHASE_REMINDER, SEVERITY_CRITICAL, .findings = MISSING,
                .never_seen = true),
          "still does not exist", "correct its name in trails", "deleted on purpose" },
        { EVENT(EVENT_TARGET_REACHABLE, PHASE_RESOLVED, SEVERITY_WARNING,
                .about = FINDING_BIT(FINDING_TAGS_UNREADABLE)),
          "can read tags again", "TrailGuard can read tags of", "can poll" },
        { EVENT(EVENT_TARGET_REACHABLE, PHASE_RESOLVED, SEVERITY_WARNING,
                .about = FINDING_BIT(FINDING_UNREACHABLE)),
          "RESOLVED can poll org-trail again", "TrailGuard can poll org-trail", "can read" },
        { EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, RECREATE(RESULT_CONFIRMED, 1),
                .since_usec = T0 + 181 * SEC),
          "exists and logs again in eu-central-1 (111122223333) after 1 min", "exists again", NULL },
        { EVENT(EVENT_TRAIL_RESOLVED, PHASE_RESOLVED, SEVERITY_CRITICAL, RECREATE(RESULT_CONFIRMED, 1)),
          "exists and logs again in eu-central-1 (111122223333)", "exists again", " after " },
        { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL,
                .about = FINDING_BIT(FINDING_LIFECYCLE), .findings = FINDING_BIT(FINDING_LIFECYCLE), BY_BOB),
          "org-trail impaired in", "The lifecycle rule still deletes log files early.",
          "deliveries still fail" },
        { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL,
                .about = FINDING_BIT(FINDING_BUCKET), .findings = FINDING_BIT(FINDING_BUCKET), BY_BOB),
          "org-trail impaired in", "The trail's bucket still fails its check.", "deliveries still fail" },
        { EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL,
                .about = FINDING_BIT(FINDING_DELIVERY), .findings = FINDING_BIT(FINDING_DELIVERY), BY_BOB),
          "impaired", "The trail's deliveries still fail.", NULL },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Alert alert = compose(&trail, &rows[i].event);

        if (!strstr(alert.subject, rows[i].subject) || !says(alert.text, rows[i].text) ||
            (rows[i].not_in_text && says(alert.text, rows[i].not_in_text)))
            fail_msg("%zu: %s\n%s", i, alert.subject, alert.text);
        check_any(&alert);
        alert_done(&alert);
    }
}

/* Who took an account out, and whether it is still out. */
static void who_took_an_account_out(void **unused) {
    static const struct {
        const char *call, *departure, *detail;
        PollError error;
        bool nobody, resolves;
        const char *subject, *text;
    } outs[] = {
        { "RemoveAccountFromOrganization", "", "", POLL_GONE, false, false,
          "account " ACCOUNT " removed from the organization by user bob",
          "Account " ACCOUNT
          " was removed from the organization by user bob. It is not an active member and is not guarded." },
        { "CloseAccount", "", "", POLL_GONE, false, true, "closed by user bob",
          "was closed by user bob. The incident is over." },
        { "MoveAccount", "", "", POLL_DENIED, false, false,
          "moved to another organizational unit by user bob",
          "was moved to another organizational unit by user bob. TrailGuard cannot reach it." },
        { "AccountDepartedOrganization", "LEFT", "LEFT", POLL_GONE, false, false,
          "left the organization by itself (LEFT)", "What AWS recorded" },
        { "AccountDepartedOrganization", "NEW\n", "NEW\n", POLL_GONE, false, false,
          "departed from the organization (NEW\\x0a)", "no call behind it" },
        { "", "", "", POLL_GONE, true, false, "taken out of the organization, caller not found",
          "Searched the event history of the management account for 20 minutes. It shows no such call" },
        { "", "", "denied", POLL_GONE, true, false, "taken out of the organization, caller unknown",
          "could not search the event history of the management account: denied." },
    };
    Subject account = { "", "", ACCOUNT, "" };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(outs); i++) {
        Event event = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_WARNING, .about = MISSING,
                            .error = outs[i].error, .nobody = outs[i].nobody, .has_actor = !outs[i].nobody,
                            .resolves = outs[i].resolves, .actor = { .type = "IAMUser", .name = "bob" });
        Alert alert;

        strcpy(event.detail, outs[i].detail);
        strcpy(event.actor.event_name, outs[i].call);
        strcpy(event.actor.departure, outs[i].departure);
        alert = compose(&account, &event);
        if (!strstr(alert.subject, outs[i].subject) || !says(alert.text, outs[i].text))
            fail_msg("%s\n%s", alert.subject, alert.text);
        check_any(&alert);
        alert_done(&alert);
    }
}

static void how_an_account_left(void **unused) {
    Subject account = { "", "", ACCOUNT, "" };
    Event event = EVENT(EVENT_ACCOUNT_LEFT, PHASE_OPENED, SEVERITY_WARNING, .error = POLL_GONE);
    Alert alert = compose(&account, &event);

    (void)unused;
    assert_true(says(alert.text, "AccountDepartedOrganization there says how"));
    assert_true(says(alert.text, "LeaveOrganization or AcceptHandshake in its own history says who"));
    check_any(&alert);
    alert_done(&alert);
}

/* Names and regions at their longest cost the subject whatever is in it, but not where it is. */
static void every_subject_says_where(void **unused) {
    static const char *const regions[] = { "ap-southeast-1", "us-gov-west-1", "mx-central-1" };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t k = 0; k < 2 * ARRAY_SIZE(regions); k++) {
            Subject far = { k % 2 ? NAME_128 : "org-trail", ARN, ACCOUNT, regions[k / 2] };
            Event event = cases[i].event;

            for (unsigned maintenance = 0; maintenance < 2; maintenance++) {
                Alert alert;

                event.maintenance = event.maintenance || maintenance;
                alert = compose(&far, &event);
                check_any(&alert);
                alert_done(&alert);
            }
        }
}

/* ---- people ---- */

static void every_kind_of_caller(void **unused) {
    static const struct {
        Actor actor;
        const char *expected;
    } rows[] = {
        { { .type = "IAMUser", .name = "bob" }, "user bob" },
        { { .type = "IAMUser", .arn = "arn:aws:iam::1:user/x" }, "user arn:aws:iam::1:user/x" },
        { { .type = "AssumedRole", .name = "Admin/alice" }, "role Admin (session alice)" },
        { { .type = "AssumedRole", .name = "Admin" }, "role Admin" },
        { { .type = "AssumedRole", .name = "AWSReservedSSO_Power_0123456789abcdef/al@example.com" },
          "Identity Center user al@example.com (permission set Power)" },
        { { .type = "AssumedRole", .name = "AWSReservedSSO_Odd/al" },
          "Identity Center user al (permission set Odd)" },
        { { .type = "AssumedRole", .name = "AWSReservedSSO_Power-0123456789abcdef/al" },
          "Identity Center user al (permission set Power-0123456789abcdef)" },
        { { .type = "FederatedUser", .name = "signin.amazonaws.com", .invoked_by = "signin.amazonaws.com" },
          "federated user signin.amazonaws.com" },
        { { .type = "Root" }, "root" },
        { { .type = "AWSAccount", .arn = "arn:aws:iam::1:root" }, "another account, arn:aws:iam::1:root" },
        { { .type = "IdentityCenterUser",
            .name = "dan",
            .identity_store = "arn:aws:identitystore::1:identitystore/d-1" },
          "Identity Center user dan (identity store d-1)" },
        { { .type = "IdentityCenterUser",
            .name = "dan",
            .identity_store = "arn:aws:identitystore::1:identitystore/" },
          "Identity Center user dan" },
        { { .type = "AssumedRole", .name = "Deploy/x", .invoked_by = "cloudformation.amazonaws.com" },
          "role Deploy (session x) through cloudformation.amazonaws.com" },
        { { .type = "Root", .name = "root", .account = "444455556666" }, "root of account 444455556666" },
        { { .type = "AWSService", .invoked_by = "config.amazonaws.com" }, "service config.amazonaws.com" },
        { { .type = "AWSService", .name = "ssm.amazonaws.com" }, "service ssm.amazonaws.com" },
        { { .type = "FederatedUser", .name = "carol" }, "federated user carol" },
        { { .type = "AWSAccount", .account = "444455556666" }, "another account, 444455556666" },
        { { .type = "IdentityCenterUser", .name = "dan" }, "Identity Center user dan" },
        { { .type = "Role", .name = "r" }, "role r" },
        { { .type = "SAMLUser", .name = "s" }, "SAML user s" },
        { { .type = "WebIdentityUser", .name = "w" }, "web identity user w" },
        { { .type = "Directory", .name = "d" }, "directory user d" },
        { { .type = "Unknown", .name = "?" }, "an unknown kind of caller, ?" },
        { { .type = "" }, "an unknown kind of caller, without a name" },
        { { .type = "IAMUser", .name = "b\x1b[31m\nob" }, "user b\\x1b[31m\\x0aob" },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Event event = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .has_actor = true,
                            .about = FINDING_BIT(FINDING_STOPPED));
        char expected[256];
        Alert alert;

        event.actor = rows[i].actor;
        alert = compose(&trail, &event);
        (void)snprintf(expected, sizeof(expected), "was stopped by %s.", rows[i].expected);
        if (!says(alert.text, expected))
            fail_msg("no \"%s\" in\n%s", expected, alert.text);
        check_any(&alert);
        alert_done(&alert);
    }
}

static void the_actor_as_machines_get_it(void **unused) {
    Event event = cases[0].event;
    Alert alert;
    json_t *root, *actor;

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (cases[i].event.kind == EVENT_TRAIL_ATTRIBUTED && cases[i].event.has_actor &&
            cases[i].event.actor.event_id[0])
            event = cases[i].event;
    alert = compose(&trail, &event);
    root = load(alert.document);
    actor = json_object_get(root, "actor");
#define IS(key, value) assert_string_equal(json_string_value(json_object_get(actor, key)), value)
    IS("arn", "arn:aws:iam::111122223333:user/bob");
    IS("type", "IAMUser");
    IS("source_ip", "203.0.113.7");
    IS("user_agent", "aws-cli/2.15");
    IS("access_key", "AKIAEXAMPLE");
    IS("event_id", "e-1");
    IS("event_name", "StopLogging");
    IS("event_time", "2026-11-23T10:02:11Z");
    assert_true(json_is_null(json_object_get(actor, "error_code")));
    assert_true(json_is_object(json_object_get(root, "gap")));
    json_decref(root);
    alert_done(&alert);
}

/* ---- before and after ---- */

static char old_bucket[] = "org-logs", new_bucket[] = "evil-logs\x1b[2J", nothing[] = "";
static char topic[] = "arn:aws:sns:eu-central-1:111122223333:t";

static void before_and_after(void **unused) {
    static const Drift drift = {
        .changes = { { FIELD_BUCKET, true, old_bucket, new_bucket, false },
                     { FIELD_SNS_TOPIC, false, topic, nothing, false },
                     { FIELD_TAGS, false, NULL, NULL } },
        .n = 3,
    };
    Event event = CHANGE(SEVERITY_CRITICAL, WEAKENED | CHANGED, BUCKET | TOPIC, TOPIC, .mode = MODE_RESTORE,
                         .changes = &drift, RESTORE(RESULT_CONFIRMED, 1));
    Alert alert = compose(&trail, &event);
    json_t *root = load(alert.document), *changes = json_object_get(root, "changes"), *one;

    (void)unused;
    assert_non_null(strstr(alert.text, "What was changed\n"
                                       "  S3BucketName, restored\n"
                                       "    was   org-logs\n"
                                       "    then  evil-logs\\x1b[2J\n"
                                       "  SnsTopicARN\n"
                                       "    was   arn:aws:sns:eu-central-1:111122223333:t\n"
                                       "    now   (not set)\n"));
    assert_null(strstr(alert.text, "Tags"));
    assert_int_equal(json_array_size(changes), 2);
    one = json_array_get(changes, 0);
    assert_string_equal(json_string_value(json_object_get(one, "field")), "S3BucketName");
    assert_string_equal(json_string_value(json_object_get(one, "expected")), "org-logs");
    assert_string_equal(json_string_value(json_object_get(one, "actual")), "evil-logs\\x1b[2J");
    one = json_array_get(changes, 1);
    assert_true(json_is_null(json_object_get(one, "actual")));
    assert_int_equal(json_array_size(json_object_get(root, "fields")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(root, "fields_left"), 0)),
                        "SnsTopicARN");
    assert_string_equal(json_string_value(json_object_get(json_object_get(root, "action"), "taken")),
                        "restore");
    json_decref(root);
    check_any(&alert);
    alert_done(&alert);
}

/* What a pin asks for, while it is not met and once it is. */
static void what_a_pin_asks_for(void **unused) {
    static char pinned[] = "pinned", actual[] = "as-it-is";
    Drift drift = { .changes = { { FIELD_BUCKET, true, pinned, actual, true } }, .n = 1 };
    Event event = EVENT(EVENT_EXPECTATION_UNMET, PHASE_OPENED, SEVERITY_WARNING,
                        .about = FINDING_BIT(FINDING_UNMET), .fields = BUCKET, .fields_left = BUCKET,
                        .unmet = true, .changes = &drift, .mode = MODE_OBSERVE);
    Alert alert = compose(&trail, &event);

    (void)unused;
    assert_non_null(strstr(alert.text, "What differs\n"
                                       "  S3BucketName\n"
                                       "    expected  pinned\n"
                                       "    actual    as-it-is\n"));
    alert_done(&alert);
    event.kind = EVENT_TRAIL_RESOLVED;
    event.phase = PHASE_RESOLVED;
    event.reconfigured = true;
    alert = compose(&trail, &event);
    assert_non_null(strstr(alert.text, "What differed\n  S3BucketName\n"));
    assert_null(strstr(alert.text, "What differs"));
    alert_done(&alert);
}

static void long_values_are_cut_and_their_length_named(void **unused) {
    char *value = calloc(1, 5001);
    Drift drift = { .changes = { { FIELD_SELECTORS, true, value, value } }, .n = 1 };
    Event event = CHANGE(SEVERITY_CRITICAL, WEAKENED, SELECTORS, SELECTORS, .changes = &drift);
    const char *shown;
    Alert alert;
    json_t *root;

    (void)unused;
    assert_non_null(value);
    memset(value, 'x', 1024);
    alert = compose(&trail, &event);
    assert_null(strstr(alert.text, "bytes in all"));
    alert_done(&alert);
    memset(value, '"', 5000);
    alert = compose(&trail, &event);
    assert_non_null(strstr(alert.text, "\"... (5000 bytes in all)\n"));
    root = load(alert.document);
    shown = json_string_value(
            json_object_get(json_array_get(json_object_get(root, "changes"), 0), "expected"));
    assert_between(strlen(shown), 1000, 1100);
    assert_non_null(strstr(shown, "... (5000 bytes in all)"));
    json_decref(root);
    alert_done(&alert);
    memset(value, '\x01', 1000); /* four times as long when escaped */
    value[1000] = '\0';
    alert = compose(&trail, &event);
    assert_non_null(strstr(alert.text, "... (1000 bytes in all)\n"));
    alert_done(&alert);
    free(value);
}

/* The worst that can be changed still gets through SNS. */
static void everything_changed_fits_into_sns(void **unused) {
    static const char fills[] = { 'x', '"', '\\', '\x01', '\xff' };

    (void)unused;
    for (size_t i = 0; i < sizeof(fills); i++) {
        char *value = calloc(1, 20001), *message;
        Drift drift = { .n = _FIELD_MAX };
        Event event =
                CHANGE(SEVERITY_CRITICAL, WEAKENED | CHANGED, FIELDS_ALL, FIELDS_ALL, .changes = &drift);
        Alert alert;

        assert_non_null(value);
        memset(value, fills[i], 20000);
        for (Field f = 0; f < _FIELD_MAX; f++)
            drift.changes[f] = (Change){ f, true, value, value, false, false };
        alert = compose(&trail, &event);
        check_any(&alert);
        assert_int_equal(alert_sns_message(&alert, NULL, 262144, &message), 0);
        free(message);
        alert_done(&alert);
        free(value);
    }
}

/* ---- subjects, identities, hostile text ---- */

static void every_field_has_a_subject(void **unused) {
    (void)unused;
    for (Field f = 0; f < _FIELD_MAX; f++)
        for (ActionResult r = 0; r < _RESULT_MAX; r++) {
            Event event = CHANGE(SEVERITY_CRITICAL, WEAKENED, FIELD_BIT(f),
                                 r == RESULT_CONFIRMED ? 0 : FIELD_BIT(f), .mode = MODE_RESTORE,
                                 .may_act = true, RESTORE(r, 1));
            Alert alert = compose(&trail, &event);

            check_any(&alert);
            assert_memory_equal(alert.subject, "[TrailGuard] CRITICAL org", 25);
            assert_non_null(strstr(alert.subject, " weakened in eu-central-1 (111122223333): "));
            assert_true(strstr(alert.subject, field_to_string(f)) || strstr(alert.subject, "restored"));
            alert_done(&alert);
            alert = compose(&long_trail, &event);
            check_any(&alert);
            alert_done(&alert);
        }
}

static void id_of(Event event, char ret[static 65]) {
    Alert alert = compose(&trail, &event);

    memcpy(ret, alert.id, 65);
    alert_done(&alert);
}

static void ids(void **unused) {
    Event change = CHANGE(SEVERITY_CRITICAL, WEAKENED, BUCKET, BUCKET, .mode = MODE_OBSERVE), other = change;
    Event found = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .has_actor = true),
          none = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .nobody = true),
          tried = EVENT(EVENT_TRAIL_ATTEMPTED, PHASE_OPENED, SEVERITY_WARNING, .has_actor = true),
          again = tried;
    char a[65], b[65];

    (void)unused;
    id_of(change, a);
    /* another guard put it back, and saw it later */
    other.mode = MODE_RESTORE;
    other.phase = PHASE_REOPENED;
    other.time_usec += 40 * SEC;
    other.restore = other.action = (ActionReport){ ACTION_RESTORE, RESULT_CONFIRMED, 1 };
    other.fields_left = 0;
    id_of(other, b);
    assert_string_equal(a, b);
    id_of(found, a);
    assert_string_not_equal(a, b);
    id_of(none, b);
    assert_string_not_equal(a, b);
    (void)strcpy(tried.actor.event_id, "1");
    (void)strcpy(again.actor.event_id, "2");
    id_of(tried, a);
    id_of(again, b);
    assert_string_not_equal(a, b);
}

static void hostile_callers_and_values(void **unused) {
    static const char *const hostile[] = {
        "line\nbreak\r\nSubject: x",
        "\x01\x02\x7f\x1b[31mred",
        "\xe2\x80\xae gnp",
        "broken \xff\xc3",
        "$(reboot)`x`;&&|'\"\\",
        "%s%n%d",
        "/",
        "AWSReservedSSO_/",
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (size_t k = 0; k < ARRAY_SIZE(hostile); k++) {
            char value[256];
            Drift drift = { .changes = { { FIELD_BUCKET, true, value, value, false } }, .n = 1 };
            Event event = cases[i].event;
            Actor *a = &event.actor;
            char *texts[] = { a->arn,        a->name,       a->account,    a->invoked_by,
                              a->source_ip,  a->user_agent, a->access_key, a->event_id,
                              a->event_name, a->error_code, event.detail };
            Alert alert;

            for (size_t n = 0; n < ARRAY_SIZE(texts); n++)
                (void)snprintf(texts[n], 16, "%s", hostile[k]);
            (void)snprintf(a->name, sizeof(a->name), "%s%s", hostile[k], hostile[k]);
            (void)snprintf(value, sizeof(value), "%s", hostile[k]);
            event.changes = &drift;
            alert = compose(&trail, &event);
            check_any(&alert);
            alert_done(&alert);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_pin_asks_for),
        cmocka_unit_test(every_case),
        cmocka_unit_test(every_subject_says_where),
        cmocka_unit_test(calls_to_search_for),
        cmocka_unit_test(what_is_said_later_holds),
        cmocka_unit_test(who_took_an_account_out),
        cmocka_unit_test(how_an_account_left),
        cmocka_unit_test(nobody_was_found_in_other_partitions),
        cmocka_unit_test(every_kind_of_caller),
        cmocka_unit_test(the_actor_as_machines_get_it),
        cmocka_unit_test(before_and_after),
        cmocka_unit_test(long_values_are_cut_and_their_length_named),
        cmocka_unit_test(everything_changed_fits_into_sns),
        cmocka_unit_test(every_field_has_a_subject),
        cmocka_unit_test(ids),
        cmocka_unit_test(hostile_callers_and_values),
    };

    return cmocka_run_group_tests_name("alert_tamper", tests, NULL, NULL);
}
