/* SPDX-License-Identifier: Apache-2.0 */
/* Has the guard the rights that `policy guard` prints? IAM simulates them where it may be asked. Where not,
 * the calls of the pass prove what they used, and the rest stays unknown: nothing is changed to find out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/doctor.h"
#include "daemon/guard_policy.h"
#include "daemon/io/principal_check.h"
#include "lib/account.h"
#include "lib/cloudtrail.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

/* Accounts that are asked about, and rows of each. */
#define ACCOUNTS_MAX  50U
#define ROWS_MAX      25U

/* One account while it is asked about. */
typedef struct Rights {
    Doctor *doctor;
    const Config *config;
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

/* ---- rows ---- */

static void doctor_add_missing(Rights *rights, const char *action, const char *resource, const char *why) {
    if (++rights->n_missing > ROWS_MAX)
        return;
    doctor_add(rights->doctor, DOCTOR_RIGHTS, right_is_optional(action) ? DOCTOR_WARNING : DOCTOR_PROBLEM,
               "trailguard policy guard prints the policy that is needed", "%s: %s on %s: %s",
               rights->account, action, resource[0] ? resource : "*", why);
}

static void add_more(const Rights *rights) {
    if (rights->n_missing > ROWS_MAX)
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_PROBLEM, NULL, "%s: %zu more are missing",
                   rights->account, rights->n_missing - ROWS_MAX);
}

/* ---- by simulation ---- */

/* What a statement about any trail stands for. The caller frees *ret; its texts are the status's. */
static size_t name_trails(const Rights *rights, const char ***ret) {
    const Status *status = rights->status;
    size_t n = 0;

    *ret = calloc(status->n_trails + 1, sizeof(**ret));
    for (size_t i = 0; *ret && i < status->n_trails; i++)
        if (status->trails[i].subject.arn[0] &&
            text_equal(status->trails[i].subject.account, rights->account))
            (*ret)[n++] = status->trails[i].subject.arn;
    return n;
}

static void on_principal(PrincipalFound *found, void *userdata) {
    Rights *rights = userdata;

    ended(rights, &found->error);
    if (rights->config->guard_checks)
        doctor_protection(rights->doctor, found, loop_realtime_usec(rights->aws->loop));
    rights->path_is_known = found->path_is_known;
    (void)text_copy(rights->principal, sizeof(rights->principal), found->arn);
    rights->n_allowed = found->n_allowed;
    for (size_t i = 0; i < found->losses.n; i++)
        doctor_add_missing(rights, found->losses.items[i].action, found->losses.items[i].resource,
                    found->losses.items[i].why);
}

/* AWS_OK when all statements were simulated. */
static AwsErrorClass simulate_all(Rights *rights, const json_t *statements) {
    _cleanup_free_ const char **trails = NULL;
    PrincipalCheckRequest request = {
        .aws = rights->aws->client,
        .credentials = rights->credentials,
        .region = rights->aws->region,
        .arn = rights->principal,
        .path_is_known = rights->path_is_known,
        .reads = rights->config->guard_checks,
        .statements = statements,
    };
    PrincipalCheck *check = NULL;
    int r;

    request.n_trails = name_trails(rights, &trails);
    request.trails = trails;
    r = principal_check_start(&request, on_principal, rights, &check);
    if (r >= 0)
        r = doctor_wait(rights->event, &rights->done);
    if (r < 0 && !rights->done) {
        principal_check_cancel(check);
        aws_error_set(&rights->error, AWS_INTERNAL, NULL, "not asked: %s", strerror(-r));
    }
    rights->done = false;
    return rights->error.class;
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
    bool probed = text_equal(action, "cloudtrail:LookupEvents") || right_is_optional(action), proven;

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
        RightsQuestion question;

        rights_question(json_array_get(statements, i), NULL, 0, &question);
        for (size_t k = 0; k < question.n_actions; k++)
            judge_by_calls(rights, question.actions[k], &unknown);
    }
    if (rights->n_allowed > 0)
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL,
                   "%s: %zu proven by calls that change nothing", rights->account, rights->n_allowed);
    if (unknown.len == 0)
        return;
    (void)snprintf(
            advice, sizeof(advice), "allow iam:SimulatePrincipalPolicy%s on %s and run this again%s%s",
            rights->path_is_known ? "" : " and iam:GetRole", rights->principal,
            strstr(strbuf_str(&unknown), "sns:Publish") ? "; trailguard test-alert proves sns:Publish" : "",
            strstr(strbuf_str(&unknown), "cloudtrail:StartLogging")
                    ? "; trailguard drill proves cloudtrail:StartLogging"
                    : "");
    doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_UNKNOWN, advice, "%s: %s: not proven, because %s",
               rights->account, strbuf_str(&unknown), why);
}

/* ---- accounts ---- */

static void check_account(Rights *rights, const GuardIdentity *caller, const char *role_arn) {
    json_t *policy = guard_policy_of(rights->config, caller, role_arn);
    const json_t *statements = json_object_get(policy, "Statement");
    char why[ERROR_TEXT_MAX];

    if (!statements || json_array_size(statements) == 0) {
        json_decref(policy);
        return;
    }
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
    json_decref(policy);
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

static void check_member(Rights *rights, const GuardIdentity *caller, const StatusAccount *account) {
    StsRole role = role_of(rights->config, account->role_arn);

    rights->account = account->id;
    rights->path_is_known = true;
    (void)text_copy(rights->principal, sizeof(rights->principal), account->role_arn);
    if (aws_setup_role(rights->aws, rights->aws->region, &role, &rights->credentials) < 0) {
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_UNKNOWN, NULL, "%s: not asked: out of memory",
                   account->id);
        return;
    }
    check_account(rights, caller, account->role_arn);
    credentials_provider_free(rights->credentials);
}

static void check_base(Rights *rights, const GuardIdentity *caller) {
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
    check_account(rights, caller, NULL);
}

void doctor_rights(Doctor *doctor, const Config *config, sd_event *event, const AwsSetup *aws,
                   const GuardIdentity *caller, const Status *status) {
    const Rights start = {
        .doctor = doctor, .config = config, .event = event, .aws = aws, .status = status
    };
    Rights rights = start;
    size_t n = 0;

    check_base(&rights, caller);
    for (size_t i = 0; i < status->n_accounts; i++) {
        const StatusAccount *account = &status->accounts[i];

        if (!account->role_arn[0] || !account->identity[0] || n++ >= ACCOUNTS_MAX)
            continue;
        rights = start;
        check_member(&rights, caller, account);
    }
    if (n > ACCOUNTS_MAX)
        doctor_add(doctor, DOCTOR_RIGHTS, DOCTOR_NOTE, "trailguard check lists denied calls of all accounts",
                   "%zu more accounts were not asked about", n - ACCOUNTS_MAX);
}
