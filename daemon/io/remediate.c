/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/remediate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/settings.h"
#include "daemon/io/observe.h"
#include "daemon/io/remediate_fields.h"
#include "daemon/io/settings_check.h"
#include "daemon/io/task.h"
#include "lib/cloudtrail.h"
#include "lib/s3.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- values to write ---- */

static const char *text_of(const Settings *desired, uint32_t fields, Field field) {
    return fields & FIELD_BIT(field) ? desired->values[field] : NULL;
}

static CloudTrailChoice choice_of(const Settings *desired, uint32_t fields, Field field) {
    const char *value = text_of(desired, fields, field);

    if (!value)
        return CLOUDTRAIL_LEAVE;
    return text_equal(value, "true") ? CLOUDTRAIL_ON : CLOUDTRAIL_OFF;
}

static CloudTrailChanges changes_of(const Settings *desired, uint32_t fields) {
    return (CloudTrailChanges){
        .bucket = text_of(desired, fields, FIELD_BUCKET),
        .prefix = text_of(desired, fields, FIELD_PREFIX),
        .sns_topic = text_of(desired, fields, FIELD_SNS_TOPIC),
        .log_group = text_of(desired, fields, FIELD_LOG_GROUP),
        .log_role = text_of(desired, fields, FIELD_LOG_ROLE),
        .kms_key = text_of(desired, fields, FIELD_KMS_KEY),
        .multi_region = choice_of(desired, fields, FIELD_MULTI_REGION),
        .global_events = choice_of(desired, fields, FIELD_GLOBAL_EVENTS),
        .validation = choice_of(desired, fields, FIELD_VALIDATION),
        .organization = choice_of(desired, fields, FIELD_ORGANIZATION),
        .recursive = choice_of(desired, fields, FIELD_RECURSIVE),
    };
}

static int add_tag(CloudTrailTags *tags, const char *key, const char *value) {
    CloudTrailTag *grown = realloc(tags->items, (tags->n + 1) * sizeof(*grown));

    if (!grown)
        return -ENOMEM;
    tags->items = grown;
    tags->items[tags->n] = (CloudTrailTag){ .key = strdup(key), .value = strdup(value) };
    tags->n++;
    return tags->items[tags->n - 1].key && tags->items[tags->n - 1].value ? 0 : -ENOMEM;
}

/* The tags in `in` (a JSON object; NULL: none) that `out` does not have; with_value: or has with another
 * value. AWS's own tags (aws:...) are skipped. Free *ret with cloudtrail_tags_done in any case. */
static int missing_tags(const char *in, const char *out, bool with_value, CloudTrailTags *ret) {
    json_auto_t *a = NULL, *b = NULL;
    const char *key;
    json_t *value;
    int r;

    in = in ? in : "{}";
    out = out ? out : "{}";
    r = json_text_parse(in, strlen(in), 0, NULL, &a);
    if (r >= 0)
        r = json_text_parse(out, strlen(out), 0, NULL, &b);
    json_object_foreach(a, key, value) {
        const json_t *other = json_object_get(b, key);

        if (r >= 0 && !text_starts_with(key, "aws:") &&
            (!other || (with_value && !json_equal(value, other))))
            r = add_tag(ret, key, json_string_value(value) ? json_string_value(value) : "");
    }
    return r;
}

/* The array of this name as text, which the caller frees; NULL if it is missing or empty. */
static int array_text(const json_t *object, const char *name, char **ret) {
    const json_t *array = json_object_get(object, name);

    if (json_array_size(array) == 0)
        return 0;
    *ret = json_text_dump(array, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}

/* AWS usually shows a write at once; then the pauses grow. */
#define READ_BACK_FIRST_USEC (200 * USEC_PER_MSEC)
#define READ_BACK_MAX_USEC   (1 * USEC_PER_SEC)

#define QUOTA_CODE "MaximumNumberOfTrailsExceededException"

/* One call to AWS, if there is anything to do. */
typedef void (*Step)(Remediation *job);

struct Remediation {
    Task task;
    RemediationRequest request; /* we own its texts */
    Settings desired, actual;
    uint32_t fields;
    const Step *step;   /* the next one; the array ends with NULL */
    bool repeat;        /* repeat the previous one */
    bool known_only;    /* ... without members that this version does not know */
    bool by_name;       /* start logging by the trail's name, because its ARN was not accepted */
    bool wrote_unknown; /* the write included such members, which AWS may refuse */
    const char *operation;
    uint32_t asked;               /* FIELD_BITs of the present write; 0: it is not about settings */
    uint32_t refused;             /* FIELD_BITs that AWS refused, and that are left out */
    bool apart;                   /* UpdateTrail writes one part at a time ... */
    uint32_t written;             /* ... and has written these FIELD_BITs */
    char refusal[ERROR_TEXT_MAX]; /* the first refusal */
    SettingsCheck *check;
    uint64_t accepted_usec; /* mono; when AWS accepted the last write */
    uint64_t pause_usec;
    Outcome outcome; /* result NONE: more steps follow */
    char last_error[ERROR_TEXT_MAX];
    AwsError quota; /* CreateTrail's error, while the trails in the region are listed */
};

void remediate_cancel(Remediation *job) {
    if (!job)
        return;
    settings_check_cancel(job->check);
    task_done(&job->task);
    settings_done(&job->desired);
    settings_done(&job->actual);
    free(job);
}
DEFINE_CLEANUP(Remediation *, remediate_cancel);

/* Confirmed; or failed, if a field to restore was left out. */
static void remediate_finish(void *userdata) {
    Remediation *job = userdata;
    Outcome *outcome = &job->outcome;

    if (outcome->result == RESULT_NONE && outcome->action == ACTION_RESTORE && job->refused != 0) {
        (void)text_copy(outcome->error_text, sizeof(outcome->error_text), job->refusal);
        outcome->result = RESULT_FAILED;
    } else if (outcome->result == RESULT_NONE)
        outcome->result = RESULT_CONFIRMED;
    job->request.done(outcome, job->request.userdata);
    remediate_cancel(job);
}

static void fail(Remediation *job, const char *why) {
    (void)snprintf(job->outcome.error_text, sizeof(job->outcome.error_text), "%s: %.400s", job->operation,
                   why);
    job->outcome.result = RESULT_FAILED;
}

static void fail_by(Remediation *job, const AwsError *error) {
    Outcome *outcome = &job->outcome;

    (void)aws_error_text(error, job->operation, outcome->error_text, sizeof(outcome->error_text));
    (void)text_copy(outcome->error_code, sizeof(outcome->error_code), error->code);
    (void)text_copy(outcome->request_id, sizeof(outcome->request_id), error->request_id);
    outcome->result = RESULT_FAILED;
}

static void fail_to_read(Remediation *job, int r) {
    char why[128];

    (void)snprintf(why, sizeof(why), "cannot be read back: %s", strerror(-r));
    fail(job, why);
}

/* Common arguments of all steps. */
#define AWS(job)     (&(AwsCaller){ (job)->request.aws, (job)->request.credentials, (job)->request.region })
#define TRAIL(job)   .trail = (job)->request.arn
#define CALL(job)    (&(job)->task.calls[0])
#define WRITTEN(job) written, (job), CALL(job)

/* A step that makes no call is followed by the next one at once. */
static void remediate_go_on(void *userdata) {
    Remediation *job = userdata;

    while (job->outcome.result == RESULT_NONE && !task_waits(&job->task)) {
        if (job->repeat)
            job->step--;
        else {
            job->asked = 0;
            job->wrote_unknown = job->known_only = false;
        }
        job->repeat = false;
        if (!*job->step)
            return;
        (*job->step++)(job);
    }
}

/* ---- writes ---- */

/* True if the error is about the content of the write, and not about reaching AWS or the trail. */
static bool is_no(const AwsError *error) {
    return error->class == AWS_DENIED || error->class == AWS_REFUSED || error->class == AWS_INVALID;
}

/* The fields of this write: the next part, or all. */
static uint32_t fields_to_update(const Remediation *job) {
    uint32_t fields = job->fields & ~job->refused & ~job->written & FIELDS_TRAIL;

    return job->apart ? remediate_first_part(fields) : fields;
}

static bool updates(const Remediation *job) {
    return text_equal(job->operation, "UpdateTrail");
}

/* The write was refused as a whole, and AWS does not say for which setting. Each part is then written by
 * itself, so that the refused one does not prevent the restore of the bucket. */
static bool take_apart(Remediation *job, const AwsError *error) {
    if (job->apart || !updates(job) || remediate_first_part(job->asked) == job->asked ||
        !remediate_may_take_parts(error))
        return false;
    job->apart = job->repeat = true;
    return true;
}

static void keep_refusal(Remediation *job, const AwsError *error) {
    if (job->refusal[0])
        return;
    (void)aws_error_text(error, job->operation, job->refusal, sizeof(job->refusal));
    (void)text_copy(job->outcome.error_code, sizeof(job->outcome.error_code), error->code);
}

/* What AWS refuses must not prevent other writes: an attacker who disables the trail's key, or spoils the
 * policy of its bucket, must not block the rest. Continues without the fields that the error is about, with
 * the same step or the next. False if the error is not about fields, or the action makes no sense without
 * them. */
static bool leave_out(Remediation *job, const AwsError *error) {
    bool creates = text_equal(job->operation, "CreateTrail"), sure;
    uint32_t fault = remediate_fault(error, job->asked, &sure);
    bool some = fault != 0 && fault != job->asked && (sure || creates);
    /* without the organization it would be another trail, in the account of our keys */
    uint32_t needed = REMEDIATE_BUCKET | (job->request.foreign ? FIELD_BIT(FIELD_ORGANIZATION) : 0);

    if (job->asked == 0 || !is_no(error))
        return false;
    if (job->wrote_unknown && !job->known_only && error->class != AWS_DENIED) {
        job->known_only = job->repeat = true;
        return true;
    }
    /* a trail needs a bucket, and its owner matters */
    if (creates && (!some || (fault & needed)))
        return false;
    keep_refusal(job, error);
    if (!some && take_apart(job, error))
        return true;
    job->refused |= some ? fault : job->asked;
    job->repeat = some || (updates(job) && fields_to_update(job) != 0);
    return true;
}

/* AWS accepts both; a substitute for AWS may start a trail only by its name, and fail with an internal error
 * for an ARN. A name means a trail of our own account. */
static bool may_know_its_name(const Remediation *job, const AwsError *error) {
    bool failed_inside =
            error->http_status == 500 && (!error->code[0] || text_equal(error->code, "InternalError"));

    return text_equal(job->operation, "StartLogging") && !job->by_name && !job->request.foreign &&
           job->request.name && job->request.name[0] &&
           (failed_inside || error->class == AWS_NOT_FOUND || error->class == AWS_INVALID);
}

static void take_written(Remediation *job, const AwsError *error) {
    if (error->class != AWS_OK) {
        if (may_know_its_name(job, error))
            job->by_name = job->repeat = true;
        else if (!leave_out(job, error))
            fail_by(job, error);
        return;
    }
    (void)text_copy(job->outcome.request_id, sizeof(job->outcome.request_id), error->request_id);
    job->accepted_usec = loop_monotonic_usec(job->task.loop);
    job->pause_usec = READ_BACK_FIRST_USEC;
    if (updates(job)) {
        job->written |= job->asked;
        job->repeat = fields_to_update(job) != 0;
    }
}

static void written(const AwsError *error, void *userdata) {
    Remediation *job = userdata;

    task_answered(&job->task, 0);
    take_written(job, error);
    task_go_on(&job->task);
}

static void started(Remediation *job, const char *operation, int r) {
    job->operation = operation;
    if (task_asked(&job->task, r) < 0)
        fail(job, strerror(-r));
}

static const char *trail_of(const Remediation *job) {
    return job->by_name ? job->request.name : job->request.arn;
}

static void start_logging(Remediation *job) {
    started(job, "StartLogging", cloudtrail_start_logging(AWS(job), trail_of(job), WRITTEN(job)));
}

static bool is_wanted(const Remediation *job, Field field) {
    return (job->fields & ~job->refused & FIELD_BIT(field)) && job->desired.values[field];
}

static void update_trail(Remediation *job) {
    uint32_t fields = fields_to_update(job);
    CloudTrailChanges changes;

    if (fields == 0)
        return;
    fields = remediate_with_partners(fields) & ~job->refused;
    job->asked = fields;
    changes = changes_of(&job->desired, fields);
    started(job, "UpdateTrail",
            cloudtrail_update_trail(AWS(job), &(CloudTrailWrite){ TRAIL(job), .changes = &changes },
                                    WRITTEN(job)));
}

typedef int (*WriteTags)(const AwsCaller *caller, const CloudTrailWrite *input,
                         void (*done)(const AwsError *error, void *userdata), void *userdata,
                         OperationCall **ret);

static void write_tags(Remediation *job, const char *operation, WriteTags write, const char *in,
                       const char *out, bool with_value) {
    CloudTrailTags tags = { 0 };
    int r;

    if (!is_wanted(job, FIELD_TAGS))
        return;
    r = missing_tags(in, out, with_value, &tags);
    job->asked = FIELD_BIT(FIELD_TAGS);
    if (r >= 0 && tags.n > 0)
        r = write(AWS(job), &(CloudTrailWrite){ TRAIL(job), .tags = &tags }, WRITTEN(job));
    if (r < 0 || tags.n > 0)
        started(job, operation, r);
    cloudtrail_tags_done(&tags);
}

static void remove_tags(Remediation *job) {
    write_tags(job, "RemoveTags", cloudtrail_remove_tags, job->actual.values[FIELD_TAGS],
               job->desired.values[FIELD_TAGS], false);
}

static void add_tags(Remediation *job) {
    write_tags(job, "AddTags", cloudtrail_add_tags, job->desired.values[FIELD_TAGS],
               job->actual.values[FIELD_TAGS], true);
}

/* A bucket that is gone cannot be written to, and whoever takes its name gets the log files. But what cannot
 * be determined, such as the owner of a bucket without the rights to ask, does not delay recording. */
static void bucket_seen(const AwsError *error, const char *region, void *userdata) {
    Remediation *job = userdata;
    char text[ERROR_TEXT_MAX];

    (void)region;
    task_answered(&job->task, 0);
    if (error->class == AWS_NOT_FOUND) {
        (void)snprintf(text, sizeof(text), "the bucket %.100s is gone", job->desired.values[FIELD_BUCKET]);
        fail(job, text);
    }
    task_go_on(&job->task);
}

static void remediate_check_bucket(Remediation *job) {
    const char *bucket = job->desired.values[FIELD_BUCKET];

    if (!job->request.checks_bucket || !bucket || !bucket[0])
        return;
    job->operation = "HeadBucket";
    (void)task_asked(&job->task,
                     s3_head_bucket(AWS(job), &(AwsBucket){ bucket, NULL }, bucket_seen, job, CALL(job)));
}

/* Lists the trails that fill the region's quota. Trails that live elsewhere count in each region that they
 * cover (AWS CloudTrail User Guide, "Quotas"). */
static void occupants_listed(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(ERROR_TEXT_MAX);
    Remediation *job = userdata;
    bool first = true;

    task_answered(&job->task, 0);
    for (size_t i = 0; error->class == AWS_OK && i < trails->n; i++) {
        const CloudTrailTrail *trail = &trails->items[i];

        (void)strbuf_addf(&b, "%s%s", first ? "its place is taken by " : ", ", trail->name);
        if (!text_equal(trail->home_region, job->request.region))
            (void)strbuf_addf(&b, " (of %s)", trail->home_region[0] ? trail->home_region : "another region");
        first = false;
    }
    if (!first)
        aws_error_change(&job->quota, job->quota.class, QUOTA_CODE, "%s", strbuf_str(&b));
    fail_by(job, &job->quota);
    task_go_on(&job->task);
}

/* The error names the trails that fill the quota, because a person must look at them now. */
static void created(const AwsError *error, void *userdata) {
    Remediation *job = userdata;

    task_answered(&job->task, 0);
    if (!text_equal(error->code, QUOTA_CODE))
        take_written(job, error);
    else {
        job->quota = *error;
        if (task_asked(&job->task,
                       cloudtrail_describe_trails(AWS(job), NULL, occupants_listed, job, CALL(job))) < 0)
            fail_by(job, error);
    }
    task_go_on(&job->task);
}

static void create_trail(Remediation *job) {
    uint32_t fields = FIELDS_TRAIL & ~job->refused;
    CloudTrailTags tags = { 0 };
    CloudTrailChanges settings = changes_of(&job->desired, fields);
    int r = is_wanted(job, FIELD_TAGS) ? missing_tags(job->desired.values[FIELD_TAGS], NULL, true, &tags)
                                       : 0;

    job->asked = job->fields & (fields | (tags.n > 0 ? FIELD_BIT(FIELD_TAGS) : 0));
    if (r >= 0)
        r = cloudtrail_create_trail(
                AWS(job),
                &(CloudTrailWrite){ .trail = job->request.name, .changes = &settings, .tags = &tags },
                created, job, CALL(job));
    cloudtrail_tags_done(&tags);
    started(job, "CreateTrail", r);
}

/* Members that this version does not know are written as recorded, and unrecorded ones of AWS stay. Once AWS
 * has refused them, all are left out. */
static int complete(Remediation *job, Field field, json_t *value) {
    const char *actual = job->request.action == ACTION_RECREATE ? NULL : job->actual.values[field];
    _cleanup_strbuf_ StrBuf names = STRBUF_INIT(CLOUDTRAIL_SELECTORS_MAX);
    json_auto_t *there = NULL;
    int r = 0;

    if (job->known_only) {
        unknown_members_drop(field, value);
        return 0;
    }
    if (actual && json_text_parse(actual, strlen(actual), 0, NULL, &there) == -ENOMEM)
        return -ENOMEM;
    if (there)
        r = unknown_members_fill(field, value, there);
    if (r >= 0)
        r = unknown_members_added(field, NULL, value, &names);
    job->wrote_unknown = r > 0;
    return MIN(r, 0);
}

/* The setting to write, as text. */
static int completed_text(Remediation *job, Field field, const char *text, char **ret) {
    json_auto_t *value = NULL;
    int r = json_text_parse(text, strlen(text), 0, NULL, &value);

    if (r >= 0)
        r = complete(job, field, value);
    if (r >= 0)
        *ret = json_text_dump(value, JSON_COMPACT | JSON_SORT_KEYS);
    return r >= 0 && !*ret ? -ENOMEM : r;
}

static void put_event_selectors(Remediation *job) {
    json_t *object = NULL;
    const char *text = job->desired.values[FIELD_SELECTORS];
    CloudTrailSelectors selectors = { 0 };
    int r;

    if (!is_wanted(job, FIELD_SELECTORS))
        return;
    job->asked = FIELD_BIT(FIELD_SELECTORS);
    r = json_text_parse(text, strlen(text), 0, NULL, &object);
    if (r >= 0)
        r = complete(job, FIELD_SELECTORS, object);
    if (r >= 0)
        r = array_text(object, "EventSelectors", &selectors.event_selectors);
    if (r >= 0)
        r = array_text(object, "AdvancedEventSelectors", &selectors.advanced_event_selectors);
    if (r >= 0)
        r = cloudtrail_put_event_selectors(
                AWS(job), &(CloudTrailWrite){ TRAIL(job), .selectors = &selectors }, WRITTEN(job));
    cloudtrail_selectors_done(&selectors);
    json_decref(object);
    started(job, "PutEventSelectors", r);
}

static void put_insight_selectors(Remediation *job) {
    const char *keep = job->desired.values[FIELD_INSIGHTS];
    _cleanup_free_ char *text = NULL;
    int r;

    /* a new trail has none */
    if (!is_wanted(job, FIELD_INSIGHTS) ||
        (job->request.action == ACTION_RECREATE && text_equal(keep, "[]")))
        return;
    job->asked = FIELD_BIT(FIELD_INSIGHTS);
    r = completed_text(job, FIELD_INSIGHTS, keep[0] ? keep : "[]", &text);
    if (r >= 0)
        r = cloudtrail_put_insight_selectors(AWS(job), &(CloudTrailWrite){ TRAIL(job), .text = text },
                                             WRITTEN(job));
    started(job, "PutInsightSelectors", r);
}

static void put_event_configuration(Remediation *job) {
    const char *found =
            job->request.action == ACTION_RECREATE ? NULL : job->actual.values[FIELD_CONFIGURATION];
    _cleanup_free_ char *members = NULL, *text = NULL;
    int r = 0;

    if (is_wanted(job, FIELD_CONFIGURATION))
        r = event_configuration_to_write(job->desired.values[FIELD_CONFIGURATION], found, &members);
    if (r >= 0 && !members)
        return;
    job->asked = FIELD_BIT(FIELD_CONFIGURATION);
    if (r >= 0)
        r = completed_text(job, FIELD_CONFIGURATION, members, &text);
    if (r >= 0)
        r = cloudtrail_put_event_configuration(AWS(job), &(CloudTrailWrite){ TRAIL(job), .text = text },
                                               WRITTEN(job));
    started(job, "PutEventConfiguration", r);
}

/* ---- reading back ---- */

/* The write does not show yet: repeats the step, unless the time for that is over. */
static void read_back_later(Remediation *job, const char *what) {
    int r;

    if (loop_monotonic_usec(job->task.loop) + job->pause_usec >
        job->accepted_usec + REMEDIATE_READ_BACK_USEC) {
        fail(job, job->last_error[0] ? job->last_error : what);
        return;
    }
    job->repeat = true;
    r = task_after(&job->task, job->pause_usec);
    job->pause_usec = MIN(2 * job->pause_usec, READ_BACK_MAX_USEC);
    if (r < 0)
        fail(job, strerror(-r));
}

static bool was_stopped_again(const Remediation *job, const CloudTrailStatus *status) {
    const RemediationRequest *q = &job->request;
    /* AWS's times are whole seconds: a stop and the following start may be equal */
    bool was_started = status->start_logging_usec > q->stop_usec ||
                       (q->start_usec != 0 && status->start_logging_usec > q->start_usec);

    return q->action == ACTION_RESTART && was_started &&
           status->stop_logging_usec >= status->start_logging_usec;
}

static void remediate_status_done(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Remediation *job = userdata;

    task_answered(&job->task, 0);
    job->last_error[0] = '\0';
    if (error->class != AWS_OK)
        (void)aws_error_text(error, "accepted, but GetTrailStatus", job->last_error,
                             sizeof(job->last_error));
    if (error->class == AWS_OK && (status->is_logging || was_stopped_again(job, status)))
        job->outcome.seen = observe_status(status);
    else
        read_back_later(job, "accepted, but the trail still does not log after 5 s");
    task_go_on(&job->task);
}

static void read_status_back(Remediation *job) {
    int r = cloudtrail_get_trail_status(AWS(job), trail_of(job), remediate_status_done, job, CALL(job));

    if (task_asked(&job->task, r) < 0)
        fail_to_read(job, r);
}

static void settings_read(const SettingsSnapshot *result, void *userdata) {
    Remediation *job = userdata;
    uint32_t left = job->request.differs(&result->settings, job->request.userdata), failed = result->failed;
    uint32_t sent = job->fields & ~job->refused;

    job->check = NULL;
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (!job->desired.values[f])
            failed &= ~FIELD_BIT(f); /* there is no desired value */
    job->outcome.fields_left = left | failed;
    job->last_error[0] = '\0';
    if (failed & sent)
        (void)snprintf(job->last_error, sizeof(job->last_error), "accepted, but %.400s", result->error_text);
    if (result->gone || ((failed | left) & sent) != 0)
        read_back_later(job, "AWS accepted it, and does not show it after 5 s");
    task_go_on(&job->task);
}

/* Nothing was written: nothing must show, and no step follows. */
static void read_settings_back(Remediation *job) {
    SettingsCheckRequest request = {
        .aws = job->request.aws,
        .credentials = job->request.credentials,
        .region = job->request.region,
        .arn = job->request.arn,
        .done = settings_read,
        .userdata = job,
    };
    int r;

    if ((job->fields & ~job->refused) == 0)
        return;
    r = settings_check_start(&request, &job->check);
    if (task_asked(&job->task, r) < 0)
        fail_to_read(job, r);
}

/* ---- actions ---- */

static const Step restart_steps[] = { start_logging, read_status_back, NULL };
static const Step restore_steps[] = { update_trail,          put_event_selectors,
                                      put_insight_selectors, put_event_configuration,
                                      remove_tags,           add_tags,
                                      read_settings_back,    NULL };
/* Logging first: a trail that does not log loses more than one with incomplete selectors. */
static const Step recreate_steps[] = {
    remediate_check_bucket, create_trail,          start_logging,
    put_event_selectors,    put_insight_selectors, put_event_configuration,
    read_status_back,       read_settings_back,    NULL
};

static const Step *const steps[_ACTION_MAX] = {
    [ACTION_RESTART] = restart_steps,
    [ACTION_RESTORE] = restore_steps,
    [ACTION_RECREATE] = recreate_steps,
};

static int copy_request(Remediation *job) {
    RemediationRequest *q = &job->request;
    const char **texts[] = { &q->region, &q->name, &q->arn };
    int r = task_init(&job->task, q->aws, 1, remediate_go_on, remediate_finish, job);

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
        r = task_keep(&job->task, texts[i]);
    if (r >= 0 && q->desired)
        r = settings_copy(q->desired, &job->desired);
    if (r >= 0 && q->actual)
        r = settings_copy(q->actual, &job->actual);
    job->fields = q->fields;
    for (Field f = 0; q->action == ACTION_RECREATE && f < _FIELD_MAX; f++)
        if (job->desired.values[f] && !(FIELDS_UNWRITABLE & FIELD_BIT(f)))
            job->fields |= FIELD_BIT(f);
    return r;
}

int remediate_start(const RemediationRequest *request, Remediation **ret) {
    _cleanup_(remediate_cancelp) Remediation *job = NULL;
    int r;

    if ((unsigned)request->action >= _ACTION_MAX || !steps[request->action])
        return -EINVAL;
    job = calloc(1, sizeof(*job));
    if (!job)
        return -ENOMEM;
    job->request = *request;
    job->step = steps[request->action];
    job->operation = "";
    job->outcome = (Outcome){ .action = request->action, .fields_left = FIELDS_ALL };
    r = copy_request(job);
    if (r >= 0)
        r = task_after(&job->task, 0);
    if (r >= 0)
        *ret = TAKE_PTR(job);
    return r;
}
