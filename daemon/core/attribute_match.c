/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/attribute_match.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/attribute_cause.h"
#include "lib/arn.h"
#include "lib/endpoint.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* What an event is about: the trail, or something it depends on. */
typedef enum About {
    ABOUT_TRAIL,
    ABOUT_BUCKET,
    ABOUT_KEY,
    ABOUT_LOG_GROUP,
    ABOUT_LOG_ROLE,
    ABOUT_TOPIC,
    ABOUT_KEY_STORE,
    ABOUT_MEMBERSHIP, /* of the account in the organization that owns the trail */
    ABOUT_TRUST,      /* of CloudTrail in the organization, which organization trails need */
    ABOUT_MEMBER,     /* request->member, in the management account's history */
} About;

#define USER_AGENT "TrailGuard/"
#define CLOUDTRAIL "cloudtrail.amazonaws.com"
#define DEPARTURE  "AccountDepartedOrganization"

#define STOPS      (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED))
#define DELETES    (FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_REPLACED))
#define DELIVERIES (FINDING_BIT(FINDING_DELIVERY) | FINDING_BIT(FINDING_DIGEST))
#define BUCKET     (FINDING_BIT(FINDING_BUCKET) | DELIVERIES)
#define LIFECYCLE  FINDING_BIT(FINDING_LIFECYCLE)
#define KEY        (FINDING_BIT(FINDING_KEY) | DELIVERIES)
#define LOG_GROUP  FINDING_BIT(FINDING_LOG_GROUP)
#define TOPIC      FINDING_BIT(FINDING_NOTIFICATION)
#define DEPARTS    (FINDING_BIT(FINDING_MISSING) | FINDING_BIT(FINDING_UNREACHABLE))
/* AWS's record of a departure is at most this much younger than the call behind it. */
#define DEPARTURE_LAG_USEC (600 * USEC_PER_SEC)
/* The difference between the host's clock and AWS's when both are right. */
#define SEEN_SLACK_USEC (2 * USEC_PER_SEC)

/* One row per kind of call: the findings it can cause, and for changed settings the fields. */
static const struct {
    const char *name;
    About about;
    uint32_t findings;
    uint32_t fields; /* 0: any change */
    bool ours;       /* the guard makes this call, too */
} rows[] = {
    { "StopLogging", ABOUT_TRAIL, STOPS, 0, false },
    { "DeleteTrail", ABOUT_TRAIL, DELETES, 0, false },
    /* for a known trail, proof that it was deleted: the new settings replaced the old ones */
    { "CreateTrail", ABOUT_TRAIL, FINDING_BIT(FINDING_APPEARED) | FINDINGS_CHANGED, 0, true },
    { "UpdateTrail", ABOUT_TRAIL, FINDINGS_CHANGED, FIELDS_TRAIL | FIELDS_UNWRITABLE, true },
    { "PutEventSelectors", ABOUT_TRAIL, FINDINGS_CHANGED, FIELD_BIT(FIELD_SELECTORS), true },
    { "PutInsightSelectors", ABOUT_TRAIL, FINDINGS_CHANGED, FIELD_BIT(FIELD_INSIGHTS), true },
    { "PutEventConfiguration", ABOUT_TRAIL, FINDINGS_CHANGED, FIELD_BIT(FIELD_CONFIGURATION), true },
    { "RemoveTags", ABOUT_TRAIL, FINDINGS_CHANGED, FIELD_BIT(FIELD_TAGS), true },
    { "AddTags", ABOUT_TRAIL, FINDINGS_CHANGED, FIELD_BIT(FIELD_TAGS), true },
    { "LeaveOrganization", ABOUT_MEMBERSHIP, FINDING_BIT(FINDING_MISSING), 0, false },
    /* accepting an invitation from inside an organization moves the account */
    { "AcceptHandshake", ABOUT_MEMBERSHIP, FINDING_BIT(FINDING_MISSING), 0, false },
    { "RemoveAccountFromOrganization", ABOUT_MEMBER, DEPARTS, 0, false },
    { "CloseAccount", ABOUT_MEMBER, DEPARTS, 0, false },
    { DEPARTURE, ABOUT_MEMBER, DEPARTS, 0, false },
    /* other service control policies apply there */
    { "MoveAccount", ABOUT_MEMBER, FINDING_BIT(FINDING_UNREACHABLE), 0, false },
    /* organization trails become ordinary trails of the management account */
    { "DisableAWSServiceAccess", ABOUT_TRUST, FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION), false },
    { "DeregisterDelegatedAdministrator", ABOUT_TRUST, FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION),
      false },
    { "DeregisterOrganizationDelegatedAdmin", ABOUT_TRUST, FINDINGS_CHANGED, FIELD_BIT(FIELD_ORGANIZATION),
      false },
    { "DeleteBucket", ABOUT_BUCKET, BUCKET, 0, false },
    /* before the deletions: their parameters show whether they closed the bucket */
    { "PutBucketPolicy", ABOUT_BUCKET, BUCKET, 0, false },
    { "DeleteBucketPolicy", ABOUT_BUCKET, BUCKET, 0, false },
    { "PutBucketRequestPayment", ABOUT_BUCKET, DELIVERIES, 0, false },
    { "PutBucketLifecycle", ABOUT_BUCKET, LIFECYCLE, 0, false },
    { "PutBucketLifecycleConfiguration", ABOUT_BUCKET, LIFECYCLE, 0, false },
    { "DisableKey", ABOUT_KEY, KEY, 0, false },
    { "ScheduleKeyDeletion", ABOUT_KEY, KEY, 0, false },
    { "DeleteImportedKeyMaterial", ABOUT_KEY, KEY, 0, false },
    { "DisconnectCustomKeyStore", ABOUT_KEY_STORE, KEY, 0, false },
    { "PutKeyPolicy", ABOUT_KEY, DELIVERIES, 0, false },
    { "DeleteLogGroup", ABOUT_LOG_GROUP, LOG_GROUP, 0, false },
    { "DeleteRole", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "DeleteRolePolicy", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "DetachRolePolicy", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "PutRolePolicy", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "AttachRolePolicy", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "PutRolePermissionsBoundary", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "UpdateAssumeRolePolicy", ABOUT_LOG_ROLE, LOG_GROUP, 0, false },
    { "DeleteTopic", ABOUT_TOPIC, TOPIC, 0, false },
    { "SetTopicAttributes", ABOUT_TOPIC, TOPIC, 0, false },
    { "RemovePermission", ABOUT_TOPIC, TOPIC, 0, false },
};

/* The trail is searched for by name and by ARN. */
#define RESOURCE_QUESTIONS 2
/* The six about a bucket may be searched in two regions, and so may the one to CloudTrail about the
 * organization; the nine about the trail once more for late attempts. */
_Static_assert(RESOURCE_QUESTIONS + ARRAY_SIZE(rows) + 6 + 1 + 9 <= ATTRIBUTE_QUESTIONS_MAX,
               "all can be asked for at once");

/* Its name or ARN; "" if the trail has none. */
static const char *object_of(const AttributeRequest *request, About about) {
    const char *object = request->trail_arn;

    switch (about) {
    case ABOUT_BUCKET: object = request->bucket; break;
    case ABOUT_KEY: object = request->key; break;
    case ABOUT_LOG_GROUP: object = request->log_group; break;
    case ABOUT_LOG_ROLE: object = request->log_role; break;
    case ABOUT_TOPIC: object = request->topic; break;
    case ABOUT_KEY_STORE: object = request->key_store; break;
    case ABOUT_MEMBERSHIP:
        object = request->reads_member ? request->member : request->foreign ? request->trail_arn : "";
        break;
    case ABOUT_MEMBER: object = request->member; break;
    case ABOUT_TRUST: object = request->foreign ? "" : request->trail_arn; break;
    case ABOUT_TRAIL: break;
    }
    return object ? object : "";
}

static bool can_cause(size_t row, const AttributeRequest *request) {
    uint32_t fields = request->fields;

    if (!(rows[row].findings & request->findings) || !*object_of(request, rows[row].about))
        return false;
    return rows[row].fields == 0 || fields == 0 || (rows[row].fields & fields);
}

/* ---- what to search for, and where ---- */

/* The region where the partition records global services (AWS CloudTrail User Guide, "About global service
 * events"). */
static const char *or_home(const AttributeRequest *request, const char *region) {
    return region ? region : request->region;
}

static const char *iam_region(const AttributeRequest *request) {
    return or_home(request, endpoint_iam_region(request->region));
}

static const char *organizations_region(const AttributeRequest *request) {
    return or_home(request, endpoint_service_region(AWS_ORGANIZATIONS, request->region));
}

static size_t add_question(const char *name, const char *region, AttributeQuestion *ret) {
    *ret = (AttributeQuestion){ .key = CLOUDTRAIL_LOOKUP_EVENT_NAME, .name = name };
    (void)text_copy(ret->region, sizeof(ret->region), region);
    return 1;
}

static size_t ask_at_home_and_in(const AttributeRequest *request, const char *name, const char *region,
                                 AttributeQuestion *ret) {
    size_t n = add_question(name, request->region, ret);

    if (!text_equal(region, request->region))
        n += add_question(name, region, &ret[n]);
    return n;
}

/* The ARN of a bucket has no region, and a deleted bucket's region cannot be read. Most buckets are in the
 * trail's region, or where S3 creates those without a given region. */
static size_t ask_about_bucket(const AttributeRequest *request, const char *name, AttributeQuestion *ret) {
    if (request->bucket_region && request->bucket_region[0])
        return add_question(name, request->bucket_region, ret);
    return ask_at_home_and_in(request, name, iam_region(request), ret);
}

/* Most of these are calls to Organizations; the one to CloudTrail can be made in any region. */
static size_t ask_about_trust(const AttributeRequest *request, const char *name, AttributeQuestion *ret) {
    const char *region = organizations_region(request);

    if (text_equal(name, "DeregisterOrganizationDelegatedAdmin"))
        return ask_at_home_and_in(request, name, region, ret);
    return add_question(name, region, ret);
}

static size_t ask_about_trail(const AttributeRequest *request, const char *name, AttributeQuestion *ret) {
    (void)add_question(name, request->region, ret);
    ret->about_trail = true;
    return 1;
}

/* Callers name a trail either way, and the history has what they wrote. Outside the account that owns it, an
 * organization trail can only be named by ARN (CloudTrail API Reference, GetTrailStatus). */
static size_t ask_by_resource(const AttributeRequest *request, AttributeQuestion *ret) {
    const char *const names[RESOURCE_QUESTIONS] = { request->foreign ? NULL : request->trail_name,
                                                    request->trail_arn };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i] && names[i][0]) {
            (void)add_question(names[i], request->region, &ret[n]);
            ret[n++].key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME;
        }
    return n;
}

static size_t match_ask(const AttributeRequest *request, size_t row, AttributeQuestion *ret) {
    About about = rows[row].about;
    Arn arn;

    if (about == ABOUT_TRAIL)
        return ask_about_trail(request, rows[row].name, ret);
    if (about == ABOUT_BUCKET)
        return ask_about_bucket(request, rows[row].name, ret);
    if (about == ABOUT_LOG_ROLE)
        return add_question(rows[row].name, iam_region(request), ret);
    if (about == ABOUT_MEMBERSHIP || about == ABOUT_MEMBER) {
        (void)add_question(rows[row].name, organizations_region(request), ret);
        ret->of_member = about == ABOUT_MEMBERSHIP && request->reads_member;
        return 1;
    }
    if (about == ABOUT_TRUST)
        return ask_about_trust(request, rows[row].name, ret);
    if (about == ABOUT_KEY_STORE)
        about = ABOUT_KEY; /* recorded in the key's region */
    if (arn_parse(object_of(request, about), &arn) >= 0 && arn.region[0])
        return add_question(rows[row].name, arn.region, ret);
    return add_question(rows[row].name, request->region, ret);
}

size_t attribute_questions(const AttributeRequest *request,
                           AttributeQuestion ret[static ATTRIBUTE_QUESTIONS_MAX]) {
    size_t n = 0;
    bool about_trail = false;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        about_trail |= rows[i].about == ABOUT_TRAIL && can_cause(i, request);
    if (about_trail)
        n += ask_by_resource(request, ret);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (can_cause(i, request))
            n += match_ask(request, i, &ret[n]);
    if (request->late_usec <= request->until_usec)
        return n;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].about == ABOUT_TRAIL && can_cause(i, request)) {
            (void)add_question(rows[i].name, request->region, &ret[n]);
            ret[n++].late = true;
        }
    return n;
}

/* ---- the caller ---- */

/* The text after the last separator: the session of "AROAEXAMPLE:alice". */
static const char *last_part(const char *text, char separator) {
    const char *at = strrchr(text, separator);

    return at ? at + 1 : "";
}

#define ROLE_NAME_MAX 128 /* AWS allows 64 */

/* If the record has no issuer, "ROLE" of "arn:...:assumed-role/ROLE/SESSION". */
static const char *role_of(const CloudTrailIdentity *who, char buffer[static ROLE_NAME_MAX]) {
    const char *role = strstr(who->arn, ":assumed-role/");

    if (who->issuer_user_name[0])
        return who->issuer_user_name;
    if (!role)
        return "a role";
    role += strlen(":assumed-role/");
    (void)text_copy(buffer, MIN((size_t)ROLE_NAME_MAX, strcspn(role, "/") + 1), role);
    return buffer;
}

/* The record of an AssumeRoot call has the mark, too, but its caller is a role or a user. */
static bool is_root(const CloudTrailIdentity *who) {
    return text_equal(who->type, "Root") || text_equal(who->type, "AssumedRoot");
}

static bool is_assumed_root(const CloudTrailIdentity *who) {
    return text_equal(who->type, "AssumedRoot") || (is_root(who) && who->assumed_root);
}

static void name_actor(const CloudTrailIdentity *who, Actor *ret) {
    char buffer[ROLE_NAME_MAX];
    const char *session = last_part(who->principal_id, ':');

    if (is_root(who))
        (void)text_copy(ret->name, sizeof(ret->name), "root");
    else if (text_equal(who->type, "AssumedRole"))
        (void)snprintf(ret->name, sizeof(ret->name), "%s%s%s", role_of(who, buffer), session[0] ? "/" : "",
                       session);
    else if (who->user_name[0])
        (void)text_copy(ret->name, sizeof(ret->name), who->user_name);
    else if (who->invoked_by[0])
        (void)text_copy(ret->name, sizeof(ret->name), who->invoked_by);
    else if (text_equal(who->type, "AWSAccount"))
        (void)snprintf(ret->name, sizeof(ret->name), "account %s", who->account_id);
    else if (text_equal(who->type, "FederatedUser"))
        (void)text_copy(ret->name, sizeof(ret->name), session);
    else if (text_equal(who->type, "IdentityCenterUser"))
        (void)text_copy(ret->name, sizeof(ret->name), who->on_behalf_of);
    else
        (void)text_copy(ret->name, sizeof(ret->name), who->principal_id);
}

void attribute_actor(const CloudTrailEvent *event, Actor *ret) {
    const CloudTrailIdentity *who = &event->identity;

    _Static_assert(sizeof(ret->arn) >= ARN_MAX && sizeof(ret->issuer) >= ARN_MAX, "the longest ARN fits");
    *ret = (Actor){ .event_usec = event->event_time_usec };
    /* what a service records without a call only names the service */
    (void)text_copy(ret->type, sizeof(ret->type),
                    !who->type[0] && who->invoked_by[0] ? "AWSService" : who->type);
    if (text_equal(event->event_name, DEPARTURE))
        (void)text_copy(ret->departure, sizeof(ret->departure),
                        event->departure[0] ? event->departure : "unknown");
    (void)text_copy(ret->arn, sizeof(ret->arn), who->arn);
    (void)text_copy(ret->account, sizeof(ret->account), who->account_id);
    (void)text_copy(ret->issuer, sizeof(ret->issuer), who->issuer_arn);
    (void)text_copy(ret->invoked_by, sizeof(ret->invoked_by), who->invoked_by);
    (void)text_copy(ret->source_identity, sizeof(ret->source_identity), who->source_identity);
    (void)text_copy(ret->on_behalf_of, sizeof(ret->on_behalf_of), who->on_behalf_of);
    (void)text_copy(ret->identity_store, sizeof(ret->identity_store), who->identity_store);
    (void)text_copy(ret->delegate, sizeof(ret->delegate), who->delegate);
    ret->assumed_root = is_assumed_root(who);
    (void)text_copy(ret->source_ip, sizeof(ret->source_ip), event->source_ip);
    (void)text_copy(ret->user_agent, sizeof(ret->user_agent), event->user_agent);
    (void)text_copy(ret->access_key, sizeof(ret->access_key),
                    who->access_key_id[0] ? who->access_key_id : event->access_key_id);
    (void)text_copy(ret->event_id, sizeof(ret->event_id), event->event_id);
    (void)text_copy(ret->event_name, sizeof(ret->event_name), event->event_name);
    (void)text_copy(ret->error_code, sizeof(ret->error_code), event->error_code);
    name_actor(who, ret);
    /* without a user name, AWS may put the account's number there */
    if (!ret->name[0] && !text_equal(event->username, who->account_id))
        (void)text_copy(ret->name, sizeof(ret->name), event->username);
}

/* ---- whether the event is about the object ---- */

static bool names_resource(const CloudTrailEvent *event, const char *name) {
    for (size_t i = 0; i < event->n_resources; i++)
        if (text_equal(event->resources[i], name))
            return true;
    return false;
}

/* "arn:...:log-group:NAME:*" */
static bool is_log_group(const char *log_group, const char *name) {
    const char *found = strstr(log_group, ":log-group:");
    size_t len = strlen(name);

    if (!found || len == 0)
        return false;
    found += strlen(":log-group:");
    return strncmp(found, name, len) == 0 && (found[len] == '\0' || found[len] == ':');
}

/* True if a call to Organizations, or AWS's record of a departure, names the account, whatever the member is
 * called. */
static bool names_account(const CloudTrailEvent *event, const char *id) {
    char quoted[32];

    (void)snprintf(quoted, sizeof(quoted), "\"%s\"", id);
    return strstr(event->parameters, quoted) || strstr(event->details, quoted);
}

/* AWS omits parameters of more than 100 KB from a record (CloudTrail User Guide, "Record contents"). Without
 * this rule a caller who writes event selectors that long would never be named. */
static bool may_be_about(const CloudTrailEvent *event, About about) {
    return about == ABOUT_TRAIL && event->omitted && !event->trail[0] && event->n_resources == 0 &&
           !event->error_code[0];
}

/* A bucket may have the trail's name, so the name alone counts only for records of a substitute for AWS that
 * have nothing else. A name means a trail of the account whose history has the record; but a delegated
 * administrator creates the organization's trail by name. */
static bool names_trail(const AttributeRequest *request, const CloudTrailEvent *event) {
    const char *name = request->trail_name;

    if (request->foreign && !strstr(event->parameters, "\"isOrganizationTrail\":true"))
        return false;
    return name && name[0] &&
           (text_equal(event->trail, name) || (!event->whole && names_resource(event, name)));
}

/* True if the event is about the request's own trail, bucket, key, ... Keys and roles are named by ARN or by
 * its last part. */
static bool is_about(const AttributeRequest *request, const CloudTrailEvent *event, About about) {
    const char *object = object_of(request, about), *last = last_part(object, '/');

    if (!*last) /* an empty name would match records that name nothing */
        last = object;
    switch (about) {
    case ABOUT_TRAIL:
        return names_trail(request, event) || text_equal(event->trail, object) ||
               names_resource(event, object);
    case ABOUT_BUCKET: return text_equal(event->bucket, object) || names_resource(event, object);
    case ABOUT_KEY:
        return text_equal(event->key, object) || text_equal(event->key, last) ||
               names_resource(event, object) || names_resource(event, last);
    case ABOUT_LOG_GROUP: return is_log_group(object, event->log_group);
    case ABOUT_LOG_ROLE: return text_equal(event->role, last) || names_resource(event, object);
    case ABOUT_TOPIC: return text_equal(event->topic, object) || names_resource(event, object);
    case ABOUT_KEY_STORE: return text_equal(event->key_store, object);
    case ABOUT_MEMBERSHIP: return true; /* it is the account's own history */
    case ABOUT_MEMBER: return names_account(event, object);
    case ABOUT_TRUST: /* the call to CloudTrail itself names no service */
        return text_equal(event->principal, CLOUDTRAIL) ||
               (!event->principal[0] && text_equal(event->event_source, CLOUDTRAIL));
    }
    return false;
}

/* ---- events whose own text rules them out ---- */

/* UpdateTrail's names of the fields. Global events change along with multi-region. */
static const struct {
    uint32_t fields;
    const char *parameter;
} parameters[] = {
    { FIELD_BIT(FIELD_BUCKET), "\"s3BucketName\":" },
    { FIELD_BIT(FIELD_PREFIX), "\"s3KeyPrefix\":" },
    { FIELD_BIT(FIELD_KMS_KEY), "\"kmsKeyId\":" },
    { FIELD_BIT(FIELD_LOG_GROUP), "\"cloudWatchLogsLogGroupArn\":" },
    { FIELD_BIT(FIELD_LOG_ROLE), "\"cloudWatchLogsRoleArn\":" },
    { FIELD_BIT(FIELD_SNS_TOPIC), "\"snsTopicName\":" },
    { FIELD_BIT(FIELD_MULTI_REGION) | FIELD_BIT(FIELD_GLOBAL_EVENTS), "\"isMultiRegionTrail\":" },
    { FIELD_BIT(FIELD_GLOBAL_EVENTS), "\"includeGlobalServiceEvents\":" },
    { FIELD_BIT(FIELD_VALIDATION), "\"enableLogFileValidation\":" },
    { FIELD_BIT(FIELD_ORGANIZATION), "\"isOrganizationTrail\":" },
};

/* True if it names none of the changed fields. Truncated parameters and fields without a known name do not
 * rule it out. */
static bool updates_other_fields(const AttributeRequest *request, const CloudTrailEvent *event) {
    size_t len = strlen(event->parameters);
    uint32_t known = 0;

    if (request->fields == 0 || event->omitted || len == 0 || event->parameters[len - 1] != '}')
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
        known |= parameters[i].fields;
        if ((parameters[i].fields & request->fields) &&
            strcasestr(event->parameters, parameters[i].parameter))
            return false;
    }
    return !(request->fields & FIELDS_TRAIL & ~known) && !(request->fields & FIELDS_UNWRITABLE);
}

/* S3's error says whether the bucket is gone or a key cannot be used. A denial can have either cause. */
static bool is_another_error(const AttributeRequest *request, size_t row) {
    const char *code = request->delivery_code ? request->delivery_code : "";

    if (rows[row].findings & request->findings & ~DELIVERIES) /* S3 or KMS confirmed it */
        return false;
    if (text_equal(code, "NoSuchBucket"))
        return !text_equal(rows[row].name, "DeleteBucket");
    return text_starts_with(code, "KMS.") && rows[row].about == ABOUT_BUCKET;
}

/* True if PutBucketRequestPayment leaves the costs with the owner, where they usually are. Other calls, such
 * as a policy, may contain the same text. */
static bool lets_owner_pay(const CloudTrailEvent *event) {
    return text_equal(event->event_name, "PutBucketRequestPayment") &&
           strstr(event->parameters, "\"Payer\":\"BucketOwner\"");
}

/* Whether CloudTrail can still deliver after the call. Unclear for other kinds of calls, and if AWS omitted
 * the policy. */
static Admission admission_by(const AttributeRequest *request, const CloudTrailEvent *event) {
    const AdmissionTrail trail = { .arn = request->trail_arn,
                                   .bucket = object_of(request, ABOUT_BUCKET),
                                   .prefix = request->prefix,
                                   .organization = request->organization };

    if (text_equal(event->event_name, "DeleteBucketPolicy"))
        return ADMISSION_DENIED;
    if (text_equal(event->event_name, "PutBucketPolicy"))
        return admission_to_bucket(&trail, event->parameters);
    if (text_equal(event->event_name, "PutKeyPolicy"))
        return admission_to_key(&trail, event->parameters);
    return ADMISSION_UNCLEAR;
}

/* Of a role and of a topic much can be changed; only without them nothing works. */
static bool may_change_nothing(size_t row) {
    return (rows[row].about == ABOUT_LOG_ROLE || rows[row].about == ABOUT_TOPIC) &&
           !text_equal(rows[row].name, "DeleteRole") && !text_equal(rows[row].name, "DeleteTopic");
}

static bool is_ruled_out(const AttributeRequest *request, const CloudTrailEvent *event, size_t row) {
    if (rows[row].findings & DELIVERIES)
        return is_another_error(request, row) || lets_owner_pay(event);
    return text_equal(rows[row].name, "UpdateTrail") && updates_other_fields(request, event);
}

/* ---- own calls, and the choice among several ---- */

static bool is_guard(const AttributeRequest *request, const char *caller) {
    if (request->own_arn[0] && text_equal(caller, request->own_arn))
        return true;
    for (size_t i = 0; i < request->n_guards; i++)
        if (arn_principal_is(request->guards[i], caller))
            return true;
    return false;
}

static bool was_guard(const AttributeRequest *request, const CloudTrailEvent *event) {
    return event->event_time_usec <= request->former_until_usec &&
           text_equal(event->identity.arn, request->former_arn);
}

/* A guard's write is not attributed to anyone. A call that guards never make is, whoever signed it. */
static bool is_own(const AttributeRequest *request, const CloudTrailEvent *event, size_t row) {
    return rows[row].ours && (is_guard(request, event->identity.arn) || was_guard(request, event));
}

static bool is_known_attempt(const Attribution *found, const char *event_id) {
    for (unsigned i = 0; i < found->n_attempts && event_id[0]; i++)
        if (text_equal(found->attempts[i].event_id, event_id))
            return true;
    return false;
}

/* Keeps the newest ATTEMPTS_MAX, oldest first. Several searches may find the same call. */
static void add_attempt(Attribution *found, const Actor *actor) {
    unsigned at = found->n_attempts;

    if (is_known_attempt(found, actor->event_id))
        return;
    while (at > 0 && found->attempts[at - 1].event_usec > actor->event_usec)
        at--;
    if (found->n_attempts < ATTEMPTS_MAX) {
        memmove(&found->attempts[at + 1], &found->attempts[at],
                (found->n_attempts - at) * sizeof(*found->attempts));
        found->n_attempts++;
        found->attempts[at] = *actor;
    } else if (at > 0) {
        memmove(&found->attempts[0], &found->attempts[1], (at - 1) * sizeof(*found->attempts));
        found->attempts[at - 1] = *actor;
    }
}

void attribute_take(const AttributeRequest *request, const CloudTrailEvent *event, Attribution *found) {
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Actor actor;
        bool named;

        if (!text_equal(event->event_name, rows[i].name) || !can_cause(i, request))
            continue;
        named = is_about(request, event, rows[i].about);
        if ((!named && !may_be_about(event, rows[i].about)) || is_own(request, event, i) ||
            event->event_time_usec < request->from_usec)
            return;
        attribute_actor(event, &actor);
        actor.omitted = !named;
        actor.perhaps = !named || may_change_nothing(i);
        /* anyone can use this user agent: only a hint for people */
        actor.unnamed_guard = rows[i].ours && text_starts_with(event->user_agent, USER_AGENT);
        if (actor.error_code[0])
            add_attempt(found, &actor);
        else if ((request->until_usec != 0 && event->event_time_usec > request->until_usec) ||
                 is_ruled_out(request, event, i))
            return;
        else
            attribute_weigh(request, admission_by(request, event), &actor, found);
        return;
    }
}

bool attribute_is_guard_change(const CloudTrailEvent *event, const char *own_arn, uint64_t since_usec) {
    static const char *const verbs[] = { "Put", "Delete", "Attach", "Detach",    "Update",     "Create",
                                         "Set", "Add",    "Remove", "Subscribe", "Unsubscribe" };

    if (event->error_code[0] || event->event_time_usec < since_usec ||
        (!text_equal(event->event_source, "iam.amazonaws.com") &&
         !text_equal(event->event_source, "sns.amazonaws.com")) ||
        (own_arn[0] && text_equal(event->identity.arn, own_arn)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        if (text_starts_with(event->event_name, verbs[i]))
            return true;
    return false;
}
