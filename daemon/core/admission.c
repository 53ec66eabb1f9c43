/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/admission.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/statement.h"
#include "lib/arn.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Whether a part of a statement, or all of it, applies to CloudTrail's call. */
typedef enum Fit { NO, PERHAPS, YES } Fit;

/* CloudTrail's call and the account it is made for. */
typedef struct Delivery {
    const AdmissionTrail *trail;
    const char *action;
    char account[16];
    char folder[64 + 256 + sizeof("//AWSLogs/")]; /* BUCKET/[PREFIX/]AWSLogs/; "" for a key */
} Delivery;

static bool is_pattern(const char *text, const void *with) {
    return statement_pattern_fits(text, with);
}

/* ---- conditions ---- */

/* Returns what CloudTrail sends for a context key, or NULL when that is not known here (AWS CloudTrail User
 * Guide, "Amazon S3 bucket policy for CloudTrail" and "Configure AWS KMS key policies for CloudTrail"). */
static const char *context_of(const Delivery *delivery, const char *key) {
    if (strcasecmp(key, "aws:SourceArn") == 0 ||
        strcasecmp(key, "kms:EncryptionContext:aws:cloudtrail:arn") == 0)
        return delivery->trail->arn;
    if (strcasecmp(key, "aws:SourceAccount") == 0)
        return delivery->account;
    if (strcasecmp(key, "s3:x-amz-acl") == 0)
        return "bucket-owner-full-control";
    if (strcasecmp(key, "aws:SecureTransport") == 0 || strcasecmp(key, "aws:PrincipalIsAWSService") == 0)
        return "true";
    return NULL;
}

static StatementFits operator_of(const char *name) {
    static const struct {
        const char *name;
        StatementFits fits;
    } operators[] = {
        { "StringEquals", statement_text_is }, { "Bool", statement_text_is },
        { "StringLike", is_pattern },          { "ArnLike", is_pattern },
        { "ArnEquals", is_pattern },
    };

    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (strcasecmp(name, operators[i].name) == 0)
            return operators[i].fits;
    return NULL;
}

static Fit conditions_fit(const Delivery *delivery, const json_t *conditions) {
    const char *name, *key;
    json_t *tests, *values;
    Fit fit = YES;

    if (conditions && !json_is_object(conditions))
        return PERHAPS;
    json_object_foreach((json_t *)conditions, name, tests) {
        StatementFits fits = operator_of(name);

        if (!json_is_object(tests))
            fit = PERHAPS;
        json_object_foreach(tests, key, values) {
            const char *context = context_of(delivery, key);

            if (!fits || !context)
                fit = PERHAPS;
            else if (!statement_any_fits(values, fits, context))
                return NO; /* all conditions must hold */
        }
    }
    return fit;
}

/* ---- principal, action and resource ---- */

static Fit principal_fits(const json_t *statement) {
    const json_t *principal = json_object_get(statement, "Principal");

    if (!principal)
        return PERHAPS;
    return statement_is_about_service(principal, "cloudtrail.amazonaws.com") ? YES : NO;
}

static Fit action_fits(const Delivery *delivery, const json_t *statement) {
    const json_t *action = json_object_get(statement, "Action");

    if (!action)
        return PERHAPS;
    return statement_names_action(action, delivery->action) ? YES : NO;
}

/* Returns whether the pattern matches every log file, some of them, or none. */
static Fit pattern_fits(const Delivery *delivery, const char *pattern) {
    const char *path = strstr(pattern, ":::");
    char own[sizeof(delivery->folder) + sizeof(delivery->account)];
    size_t len;

    path = path ? path + strlen(":::") : pattern;
    len = strcspn(path, "*?");
    (void)snprintf(own, sizeof(own), "%s%s/", delivery->folder, delivery->account);
    if (strncmp(own, path, MIN(len, strlen(own))) != 0)
        return strncmp(delivery->folder, path, MIN(len, strlen(delivery->folder))) == 0 &&
                               delivery->trail->organization
                       ? PERHAPS
                       : NO;
    if (!text_equal(path + len, "*") || len > strlen(own))
        return PERHAPS;
    return delivery->trail->organization && len > strlen(delivery->folder) ? PERHAPS : YES;
}

static Fit resource_fits(const Delivery *delivery, const json_t *statement) {
    const json_t *resource = json_object_get(statement, "Resource");
    size_t n = json_is_array(resource) ? json_array_size(resource) : 1;
    Fit best = NO;

    if (!delivery->folder[0])
        return YES; /* a key's policy always refers to that key (AWS KMS Developer Guide, "Key policies") */
    if (!resource)
        return PERHAPS;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_is_array(resource) ? json_array_get(resource, i) : resource;
        const char *pattern = json_string_value(item);
        Fit fit = pattern ? pattern_fits(delivery, pattern) : PERHAPS;

        best = MAX(best, fit);
    }
    return best;
}

static Fit statement_fits(const Delivery *delivery, const json_t *statement) {
    const Fit fits[] = { principal_fits(statement), action_fits(delivery, statement),
                         resource_fits(delivery, statement),
                         conditions_fit(delivery, json_object_get(statement, "Condition")) };
    Fit worst = YES;

    for (size_t i = 0; i < ARRAY_SIZE(fits); i++)
        worst = MIN(worst, fits[i]);
    return worst;
}

/* ---- the whole policy ---- */

static Admission judge_policy(const Delivery *delivery, const json_t *policy) {
    const json_t *statements = json_object_get(policy, "Statement");
    size_t n = json_is_array(statements) ? json_array_size(statements) : 1;
    Fit allow = NO, deny = NO;

    if (!statements)
        return ADMISSION_UNCLEAR;
    for (size_t i = 0; i < n; i++) {
        const json_t *s = json_is_array(statements) ? json_array_get(statements, i) : statements;
        const char *effect = json_string_value(json_object_get(s, "Effect"));
        Fit fit = statement_fits(delivery, s);

        if (text_equal(effect, "Allow"))
            allow = MAX(allow, fit);
        else
            deny = MAX(deny, text_equal(effect, "Deny") ? fit : PERHAPS);
    }
    if (deny == YES || allow == NO)
        return ADMISSION_DENIED;
    return allow == YES && deny == NO ? ADMISSION_GIVEN : ADMISSION_UNCLEAR;
}

/* S3 records the policy as an object, KMS as the original text. */
static Admission judge_parameters(const Delivery *delivery, const char *parameters, const char *name) {
    json_t *root = NULL, *parsed = NULL;
    const json_t *policy;
    const char *text;
    Admission admission = ADMISSION_UNCLEAR;

    if (json_text_parse(parameters, strlen(parameters), 0, NULL, &root) < 0)
        return ADMISSION_UNCLEAR;
    policy = json_object_get(root, name);
    text = json_string_value(policy);
    if (text && json_text_parse(text, strlen(text), 0, NULL, &parsed) >= 0)
        policy = parsed;
    if (json_is_object(policy))
        admission = judge_policy(delivery, policy);
    json_decref(parsed);
    json_decref(root);
    return admission;
}

static int set_account(const AdmissionTrail *trail, Delivery *delivery) {
    Arn arn;
    int r = arn_parse(trail->arn, &arn);

    if (r >= 0)
        (void)text_copy(delivery->account, sizeof(delivery->account), arn.account);
    return r;
}

Admission admission_to_bucket(const AdmissionTrail *trail, const char *parameters) {
    Delivery delivery = { .trail = trail, .action = "s3:PutObject" };
    const char *prefix = trail->prefix ? trail->prefix : "";

    if (set_account(trail, &delivery) < 0)
        return ADMISSION_UNCLEAR;
    (void)snprintf(delivery.folder, sizeof(delivery.folder), "%.63s/%.256s%sAWSLogs/", trail->bucket, prefix,
                   prefix[0] ? "/" : "");
    return judge_parameters(&delivery, parameters, "bucketPolicy");
}

Admission admission_to_key(const AdmissionTrail *trail, const char *parameters) {
    Delivery delivery = { .trail = trail, .action = "kms:GenerateDataKey" };

    if (set_account(trail, &delivery) < 0)
        return ADMISSION_UNCLEAR;
    return judge_parameters(&delivery, parameters, "policy");
}
