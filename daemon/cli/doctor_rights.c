/* SPDX-License-Identifier: Apache-2.0 */
/* Has the guard the rights that `policy guard` prints? IAM simulates them where it may be asked. Where not,
 * the calls of the pass prove what they used, and the rest stays unknown: nothing is changed to find out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/doctor.h"
#include "lib/account.h"
#include "lib/cloudtrail.h"
#include "lib/iam.h"
#include "lib/iam_principal.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

/* Accounts that are asked about, rows of each, and resources of one question. */
#define ACCOUNTS_MAX  50U
#define ROWS_MAX      25U
#define RESOURCES_MAX 20U
#define ACTIONS_MAX   64U

/* One account while it is asked about. */
typedef struct Rights {
    Doctor *doctor;
    sd_event *event;
    const AwsSetup *aws;
    const Status *status;
    const char *account;
    CredentialsProvider *credentials;
    char principal[ARN_MAX];
    bool path_is_known;
    size_t n_allowed, n_missing;
    bool done; /* the call under way */
    AwsError error;
} Rights;

/* The actions and resources of a statement, borrowed from it or the status. */
typedef struct Question {
    const char *actions[ACTIONS_MAX], *resources[RESOURCES_MAX];
    size_t n_actions, n_resources;
} Question;

static AwsCaller caller_of(const Rights *rights) {
    return (AwsCaller){ rights->aws->client, rights->credentials, rights->aws->region };
}

/* Waits for a call that was started with r. */
static AwsErrorClass wait_for(Rights *rights, int r, OperationCall **call) {
    if (r >= 0)
        r = doctor_wait(rights->event, &rights->done);
    if (r < 0 && !rights->done) {
        operation_cancel(*call);
        aws_error_set(&rights->error, AWS_INTERNAL, NULL, "not asked: %s", strerror(-r));
    }
    *call = NULL;
    rights->done = false;
    return rights->error.class;
}

static void ended(Rights *rights, const AwsError *error) {
    rights->error = *error;
    rights->done = true;
}

/* ---- what a statement asks for ---- */

static size_t take_texts(const json_t *value, const char **ret, size_t max) {
    size_t n = 0;

    if (json_is_string(value))
        ret[n++] = json_string_value(value);
    for (size_t i = 0; i < json_array_size(value) && n < max; i++)
        ret[n++] = json_string_value(json_array_get(value, i));
    return n;
}

/* "arn:PARTITION:cloudtrail:*:ACCOUNT:trail/..." stands for the trails that were found there. */
static bool is_any_trail(const char *resource) {
    return strstr(resource, ":cloudtrail:") && text_ends_with(resource, ":trail/*");
}

static bool stands_for(const char *pattern, const StatusTrail *trail, const char *account) {
    Arn arn;
    const char *owner = strstr(pattern, ":cloudtrail:*:") + strlen(":cloudtrail:*:");

    if (!trail->subject.arn[0] || !text_equal(trail->subject.account, account) ||
        arn_parse(trail->subject.arn, &arn) < 0)
        return false;
    return text_starts_with(owner, "*") || text_starts_with(owner, arn.account);
}

static void name_trails(const Rights *rights, Question *question) {
    const char *pattern = question->resources[0];
    size_t n = 0;

    for (size_t i = 0; i < rights->status->n_trails && n < RESOURCES_MAX; i++)
        if (stands_for(pattern, &rights->status->trails[i], rights->account))
            question->resources[n++] = rights->status->trails[i].subject.arn;
    question->n_resources = MAX(n, 1U);
}

/* What the guard must not do needs no right. */
static bool is_denial(const json_t *statement) {
    return text_equal(json_string_value(json_object_get(statement, "Effect")), "Deny");
}

static void question_of(const Rights *rights, const json_t *statement, Question *ret) {
    *ret = (Question){ 0 };
    ret->n_actions = take_texts(json_object_get(statement, "Action"), ret->actions, ACTIONS_MAX);
    ret->n_resources = take_texts(json_object_get(statement, "Resource"), ret->resources, RESOURCES_MAX);
    if (ret->n_resources == 1 && is_any_trail(ret->resources[0]))
        name_trails(rights, ret);
}

/* ---- rows ---- */

/* Without it repeated answers are the proof that a region is off. */
static bool is_optional(const char *action) {
    return text_equal(action, "account:GetRegionOptStatus");
}

static void doctor_add_missing(Rights *rights, const char *action, const char *resource, const char *why) {
    if (++rights->n_missing > ROWS_MAX)
        return;
    doctor_add(rights->doctor, DOCTOR_RIGHTS, is_optional(action) ? DOCTOR_WARNING : DOCTOR_PROBLEM,
               "trailguard policy guard prints the policy that is needed", "%s: %s on %s: %s",
               rights->account, action, resource[0] ? resource : "*", why);
}

static void add_more(const Rights *rights) {
    if (rights->n_missing > ROWS_MAX)
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_PROBLEM, NULL, "%s: %zu more are missing",
                   rights->account, rights->n_missing - ROWS_MAX);
}

/* ---- by simulation ---- */

static void on_simulation(const AwsError *error, const IamSimulation *simulation, void *userdata) {
    Rights *rights = userdata;

    ended(rights, error);
    for (size_t i = 0; simulation && i < simulation->n; i++) {
        const IamSimulated *row = &simulation->items[i];

        if (row->decision == IAM_ALLOWED && !row->by_organization)
            rights->n_allowed++;
        else
            doctor_add_missing(rights, row->action, row->resource, iam_why_not(row));
    }
}

static bool passes_role(const Question *question) {
    for (size_t i = 0; i < question->n_actions; i++)
        if (text_equal(question->actions[i], "iam:PassRole"))
            return true;
    return false;
}

static AwsErrorClass simulate(Rights *rights, const Question *question) {
    const IamQuestion asked = {
        .principal = rights->principal,
        .actions = question->actions,
        .n_actions = question->n_actions,
        .resources = question->resources,
        .n_resources = question->n_resources,
        .passed_to = passes_role(question) ? "cloudtrail.amazonaws.com" : NULL,
    };
    _cleanup_free_ char *text = NULL;
    AwsCaller caller = caller_of(rights);
    OperationCall *call = NULL;
    int r = iam_question_text(&asked, &text);

    if (r >= 0)
        r = iam_simulate_principal_policy(&caller, text, on_simulation, rights, &call);
    return wait_for(rights, r, &call);
}

static void on_role(const AwsError *error, const IamPrincipal *role, void *userdata) {
    Rights *rights = userdata;

    ended(rights, error);
    if (role)
        (void)text_copy(rights->principal, sizeof(rights->principal), role->arn);
}

/* A session names its role without the role's path. */
static bool find_path(Rights *rights) {
    AwsCaller caller = caller_of(rights);
    OperationCall *call = NULL;
    Arn arn;

    if (rights->path_is_known || arn_parse(rights->principal, &arn) < 0 || !arn_is_role(&arn))
        return false;
    rights->path_is_known = true;
    return wait_for(rights, iam_get_role(&caller, arn_name(&arn), on_role, rights, &call), &call) == AWS_OK;
}

/* AWS_OK when all statements were simulated. */
static AwsErrorClass simulate_all(Rights *rights, const json_t *statements) {
    AwsErrorClass class = AWS_OK;

    for (size_t i = 0; class == AWS_OK && i < json_array_size(statements); i++) {
        Question question;

        if (is_denial(json_array_get(statements, i)))
            continue;
        question_of(rights, json_array_get(statements, i), &question);
        class = simulate(rights, &question);
        if (class == AWS_NOT_FOUND && find_path(rights))
            class = simulate(rights, &question);
    }
    return class;
}

/* ---- by calls ---- */

static bool denied_in_pass(Rights *rights, const char *action) {
    const Status *status = rights->status;

    for (size_t i = 0; i < status->n_denials; i++) {
        const StatusDenial *denial = &status->denials[i];

        if (!text_equal(denial->action, action) || !text_equal(denial->account, rights->account))
            continue;
        doctor_add_missing(rights, action, denial->resource, "denied");
        return true;
    }
    return false;
}

static void on_events(const AwsError *error, const CloudTrailEvents *events _unused_, void *userdata) {
    ended(userdata, error);
}

static void on_region(const AwsError *error, const char *word _unused_, void *userdata) {
    ended(userdata, error);
}

/* Of the two reads that a pass may do without. */
static AwsErrorClass probe(Rights *rights, const char *action) {
    const CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_EVENT_NAME,
                                      .value = "StopLogging",
                                      .max_results = 1 };
    AwsCaller caller = caller_of(rights);
    OperationCall *call = NULL;
    int r;

    if (text_equal(action, "cloudtrail:LookupEvents"))
        r = cloudtrail_lookup_events(&caller, &lookup, on_events, rights, &call);
    else
        r = account_get_region_status(&caller, rights->aws->region, on_region, rights, &call);
    return wait_for(rights, r, &call);
}

static bool has_trail(const Rights *rights) {
    for (size_t i = 0; i < rights->status->n_trails; i++)
        if (text_equal(rights->status->trails[i].subject.account, rights->account) &&
            rights->status->trails[i].state->known)
            return true;
    return false;
}

static bool has_region(const Rights *rights) {
    for (size_t i = 0; i < rights->status->n_targets; i++)
        if (text_equal(rights->status->targets[i].subject.account, rights->account) &&
            rights->status->targets[i].state->ever_reachable)
            return true;
    return false;
}

static bool topics_were_read(const Rights *rights) {
    for (size_t i = 0; i < rights->status->n_channels; i++)
        if (text_starts_with(rights->status->channels[i].channel, "sns:") &&
            text_starts_with(rights->status->channels[i].check, "not checked"))
            return false;
    return true;
}

static bool roles_were_assumed(const Rights *rights) {
    for (size_t i = 0; i < rights->status->n_accounts; i++)
        if (rights->status->accounts[i].role_arn[0] && !rights->status->accounts[i].identity[0])
            return false;
    return true;
}

/* Did a call of the pass use it, when none was denied? */
static bool is_proven(const Rights *rights, const char *action) {
    static const char *const reads[] = {
        "cloudtrail:GetTrailStatus",
        "cloudtrail:GetEventSelectors",
        "cloudtrail:GetInsightSelectors",
        "cloudtrail:ListTags",
        "cloudtrail:GetEventConfiguration",
        "s3:ListBucket",
        "s3:GetLifecycleConfiguration",
        "s3:GetBucketPolicy",
        "kms:DescribeKey",
    };

    for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
        if (text_equal(action, reads[i]))
            return has_trail(rights);
    if (text_equal(action, "cloudtrail:DescribeTrails"))
        return has_region(rights);
    if (text_equal(action, "sns:GetTopicAttributes"))
        return topics_were_read(rights);
    if (text_equal(action, "sts:AssumeRole"))
        return roles_were_assumed(rights);
    return text_equal(action, "organizations:ListAccounts") && rights->status->has_organization &&
           !rights->status->organization_error[0];
}

/* What cannot be proven goes into a list. */
static void judge_by_calls(Rights *rights, const char *action, StrBuf *unknown) {
    bool probed = text_equal(action, "cloudtrail:LookupEvents") || is_optional(action), proven;

    if (denied_in_pass(rights, action))
        return;
    if (probed && probe(rights, action) == AWS_DENIED) {
        doctor_add_missing(rights, action, "", "denied");
        return;
    }
    proven = probed ? rights->error.class == AWS_OK : is_proven(rights, action);
    rights->n_allowed += proven;
    if (!proven)
        (void)strbuf_addf(unknown, "%s%s", unknown->len > 0 ? ", " : "", action);
}

static void by_calls(Rights *rights, const json_t *statements, const char *why) {
    _cleanup_strbuf_ StrBuf unknown = STRBUF_INIT(2000);
    char advice[ARN_MAX + 200];

    for (size_t i = 0; i < json_array_size(statements); i++) {
        Question question;

        if (is_denial(json_array_get(statements, i)))
            continue;
        question_of(rights, json_array_get(statements, i), &question);
        for (size_t k = 0; k < question.n_actions; k++)
            judge_by_calls(rights, question.actions[k], &unknown);
    }
    if (rights->n_allowed > 0)
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL,
                   "%s: %zu proven by calls that change nothing", rights->account, rights->n_allowed);
    if (unknown.len == 0)
        return;
    (void)snprintf(advice, sizeof(advice), "allow iam:SimulatePrincipalPolicy%s on %s and run this again%s%s",
                   rights->path_is_known ? "" : " and iam:GetRole", rights->principal,
                   strstr(strbuf_str(&unknown), "sns:Publish") ? "; trailguard test-alert proves sns:Publish"
                                                               : "",
                   strstr(strbuf_str(&unknown), "cloudtrail:StartLogging")
                           ? "; trailguard drill proves cloudtrail:StartLogging"
                           : "");
    doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_UNKNOWN, advice, "%s: %s: not proven, because %s",
               rights->account, strbuf_str(&unknown), why);
}

/* ---- accounts ---- */

static void check_account(Rights *rights, const json_t *policy) {
    const json_t *statements = json_object_get(policy, "Statement");
    char why[ERROR_TEXT_MAX];

    if (!statements || json_array_size(statements) == 0)
        return;
    if (simulate_all(rights, statements) == AWS_OK) {
        if (rights->n_allowed > 0)
            doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL,
                       "%s: %zu allowed, as IAM simulates them", rights->account, rights->n_allowed);
    } else {
        if (rights->error.class == AWS_DENIED)
            (void)text_copy(why, sizeof(why), "IAM may not be asked");
        else
            (void)aws_error_text(&rights->error, "SimulatePrincipalPolicy", why, sizeof(why));
        rights->n_allowed = 0;
        by_calls(rights, statements, why);
    }
    add_more(rights);
}

/* The policy of a member: its role's own one, or that of the organization's role in any account. */
static const json_t *member_policy(const json_t *document, const char *role_arn) {
    const json_t *members = json_object_get(document, "members"), *any = NULL;

    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *one = json_array_get(members, i);
        const char *arn = json_string_value(json_object_get(one, "role_arn"));

        if (text_equal(arn, role_arn))
            return json_object_get(one, "policy");
        if (arn && strstr(arn, ":iam::*:role/"))
            any = json_object_get(one, "policy");
    }
    return any;
}

static StsRole role_of(const Config *config, const char *role_arn) {
    StsRole role = { .arn = role_arn };

    for (size_t i = 0; i < config->n_accounts; i++)
        if (text_equal(config->accounts[i].role_arn, role_arn)) {
            role.session_name = config->accounts[i].session_name;
            role.external_id = config->accounts[i].external_id;
        }
    return role;
}

static void check_member(Rights *rights, const Config *config, const StatusAccount *account,
                         const json_t *document) {
    StsRole role = role_of(config, account->role_arn);

    rights->account = account->id;
    rights->path_is_known = true;
    (void)text_copy(rights->principal, sizeof(rights->principal), account->role_arn);
    if (aws_setup_role(rights->aws, rights->aws->region, &role, &rights->credentials) < 0) {
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_UNKNOWN, NULL, "%s: not asked: out of memory",
                   account->id);
        return;
    }
    check_account(rights, member_policy(document, account->role_arn));
    credentials_provider_free(rights->credentials);
}

static void check_base(Rights *rights, const VerbCaller *caller, const json_t *document) {
    const json_t *hub = json_object_get(document, "hub");

    rights->account = caller->account;
    rights->credentials = rights->aws->credentials;
    rights->path_is_known = strstr(caller->caller, ":assumed-role/") == NULL;
    (void)text_copy(rights->principal, sizeof(rights->principal), caller->arn);
    if (text_ends_with(caller->caller, ":root")) {
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_WARNING,
                   "make a user or role of its own: trailguard policy guard prints its policy",
                   "%s: the root user may do all that service control policies allow", caller->account);
        return;
    }
    check_account(rights, hub ? hub : document);
}

void doctor_rights(Doctor *doctor, const Config *config, sd_event *event, const AwsSetup *aws,
                   const VerbCaller *caller, const Status *status) {
    const Rights start = { .doctor = doctor, .event = event, .aws = aws, .status = status };
    json_t *document = verb_policy_guard(config, caller);
    Rights rights = start;
    size_t n = 0;

    check_base(&rights, caller, document);
    for (size_t i = 0; i < status->n_accounts; i++) {
        const StatusAccount *account = &status->accounts[i];

        if (!account->role_arn[0] || !account->identity[0] || n++ >= ACCOUNTS_MAX)
            continue;
        rights = start;
        check_member(&rights, config, account, document);
    }
    if (n > ACCOUNTS_MAX)
        doctor_add(doctor, DOCTOR_RIGHTS, DOCTOR_NOTE, "trailguard check lists denied calls of all accounts",
                   "%zu more accounts were not asked about", n - ACCOUNTS_MAX);
    json_decref(document);
}
