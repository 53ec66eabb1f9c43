/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the guard has the rights that `policy guard` prints. IAM simulates them if it may. Otherwise the
 * calls of the pass prove the rights that they used, and the others stay unknown: nothing is changed to find
 * out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/doctor.h"
#include "daemon/guard_policy.h"
#include "daemon/io/principal_check.h"
#include "lib/cloudtrail.h"
#include "lib/organizations.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

/* The limit of accounts, and of rows for each. */
#define ACCOUNTS_MAX  50U
#define ROWS_MAX      25U
#define NAMED_MAX     6U /* actions in one row */

/* One account, while its rights are checked. */
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
    bool done; /* with the present call */
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
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_PROBLEM, NULL, "%s: more that are missing: %zu",
                   rights->account, rights->n_missing - ROWS_MAX);
}

/* ---- with simulation ---- */

/* The trails that stand for "any trail" in a statement. The caller frees *ret; its texts belong to the
 * status. */
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

/* ---- with calls ---- */

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

/* Makes one of the two read calls that a pass may not need. */
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

static bool organization_was_listed(const Rights *rights) {
    return rights->status->has_organization && !rights->status->organization_error[0];
}

/* The rights that the calls of a pass prove if none was denied. All other rights are for changes, or for
 * rare events. */
static const struct {
    const char *action;
    bool (*was_used)(const Rights *rights);
} proofs[] = {
    { "cloudtrail:DescribeTrails", has_region },
    { "cloudtrail:GetTrailStatus", has_trail },
    { "cloudtrail:GetEventSelectors", has_trail },
    { "cloudtrail:GetInsightSelectors", has_trail },
    { "cloudtrail:ListTags", has_trail },
    { "cloudtrail:GetEventConfiguration", has_trail },
    { "s3:ListBucket", has_trail },
    { "s3:GetLifecycleConfiguration", has_trail },
    { "s3:GetBucketPolicy", has_trail },
    { "kms:DescribeKey", has_trail },
    { "sns:GetTopicAttributes", topics_were_read },
    { "sts:AssumeRole", roles_were_assumed },
    { "organizations:ListAccounts", organization_was_listed },
};

static bool is_proven(const Rights *rights, const char *action) {
    for (size_t i = 0; i < ARRAY_SIZE(proofs); i++)
        if (text_equal(action, proofs[i].action))
            return proofs[i].was_used(rights);
    return false;
}

/* Actions that are not proven: the first ones by name, and their number. */
typedef struct Unproven {
    StrBuf named;
    size_t n;
    bool publishes, starts;
    char why[ERROR_TEXT_MAX];
} Unproven;

static void add_action(Unproven *unproven, const char *action) {
    if (unproven->n++ < NAMED_MAX)
        (void)strbuf_addf(&unproven->named, "%s%s", unproven->n > 1 ? ", " : "", action);
    unproven->publishes |= text_equal(action, "sns:Publish");
    unproven->starts |= text_equal(action, "cloudtrail:StartLogging");
}

/* An action that is not proven goes into a list: no_answer for one that was tried and neither allowed nor
 * denied, else unused. */
static void judge_by_calls(Rights *rights, const char *action, Unproven *unused, Unproven *no_answer) {
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
        add_action(probed ? no_answer : unused, action);
    if (!proven && probed)
        (void)aws_error_text(&rights->error, action, no_answer->why, sizeof(no_answer->why));
}

static void add_unproven(const Rights *rights, Unproven *unproven, DoctorState state) {
    char advice[ARN_MAX + 300];

    if (unproven->n > NAMED_MAX)
        (void)strbuf_addf(&unproven->named, " and %zu more", unproven->n - NAMED_MAX);
    (void)snprintf(advice, sizeof(advice),
                   "%s%sfor all, allow iam:SimulatePrincipalPolicy%s on %s and run this again",
                   unproven->publishes ? "trailguard test-alert proves sns:Publish; " : "",
                   unproven->starts ? "trailguard drill proves cloudtrail:StartLogging; " : "",
                   rights->path_is_known ? "" : " and iam:GetRole", rights->principal);
    if (unproven->n > 0)
        doctor_add(rights->doctor, DOCTOR_RIGHTS, state, advice, "%s: %s: not proven: %s", rights->account,
                   strbuf_str(&unproven->named), unproven->why);
    strbuf_done(&unproven->named);
}

/* `policy guard` does not grant simulation, so a denial of it is normal. An error means that the guard's
 * rights are unknown. */
static void by_calls(Rights *rights, const json_t *statements) {
    Unproven unused = { .named = STRBUF_INIT(1000),
                        .why = "no call of this check uses them, and IAM may not be asked" };
    Unproven no_answer = { .named = STRBUF_INIT(1000) };
    bool denied = rights->error.class == AWS_DENIED;

    if (!denied)
        (void)aws_error_text(&rights->error, "SimulatePrincipalPolicy", unused.why, sizeof(unused.why));
    rights->n_allowed = 0;
    for (size_t i = 0; i < json_array_size(statements); i++) {
        RightsQuestion question;

        rights_question(json_array_get(statements, i), NULL, 0, &question);
        for (size_t k = 0; k < question.n_actions; k++)
            judge_by_calls(rights, question.actions[k], &unused, &no_answer);
    }
    if (rights->n_allowed > 0)
        doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL,
                   "%s: %zu proven by calls that change nothing", rights->account, rights->n_allowed);
    add_unproven(rights, &unused, denied ? DOCTOR_NOTE : DOCTOR_UNKNOWN);
    add_unproven(rights, &no_answer, DOCTOR_UNKNOWN);
}

/* ---- accounts ---- */

static void check_account(Rights *rights, const GuardIdentity *caller, const char *role_arn) {
    json_t *policy = guard_policy_of(rights->config, caller, role_arn);
    const json_t *statements = json_object_get(policy, "Statement");

    if (!statements || json_array_size(statements) == 0) {
        json_decref(policy);
        return;
    }
    if (simulate_all(rights, statements) == AWS_OK) {
        if (rights->n_allowed > 0)
            doctor_add(rights->doctor, DOCTOR_RIGHTS, DOCTOR_OK, NULL,
                       "%s: %zu allowed, as IAM simulates them", rights->account, rights->n_allowed);
    } else
        by_calls(rights, statements);
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
                   "more accounts, not asked about: %zu", n - ACCOUNTS_MAX);
}

/* ---- what protects the guard, its users and roles, as far as AWS shows it ---- */

/* AWS IAM User Guide, "Security best practices": keys that live long are to be replaced. */
#define KEY_DAYS_MAX 90U
#define DAY_USEC     (86400 * USEC_PER_SEC)

static void add_trust(Doctor *doctor, const PrincipalFound *found) {
    const char *problem = found->trust && found->trust[0] ? protection_trust_problem(found->trust) : NULL;

    if (problem)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_WARNING,
                   "name the guard alone: trailguard policy guard prints the trust policy of member roles",
                   "%s: its trust policy is wide: %s", found->arn, problem);
    else if (found->trust && found->trust[0])
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_OK, NULL,
                   "%s: its trust policy names who may assume it", found->arn);
}

static void add_boundary(Doctor *doctor, const PrincipalFound *found) {
    if (found->boundary && found->boundary[0])
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_OK, NULL, "%s: permissions boundary %s", found->arn,
                   found->boundary);
    else if (found->boundary)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_NOTE, NULL,
                   "%s: no permissions boundary: a policy that is attached to it counts whole", found->arn);
}

static void add_key_age(Doctor *doctor, const PrincipalFound *found, const PrincipalKey *key,
                        uint64_t now_usec) {
    uint64_t days = key->created_usec && now_usec > key->created_usec
                            ? (now_usec - key->created_usec) / DAY_USEC
                            : 0;
    size_t n = strlen(key->id);

    if (key->active && days > KEY_DAYS_MAX)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_WARNING, "replace it, or use a role",
                   "%s: its access key %.4s...%s is %llu days old", found->arn, key->id,
                   key->id + (n > 4 ? n - 4 : 0), (unsigned long long)days);
}

static void add_keys(Doctor *doctor, const PrincipalFound *found, uint64_t now_usec) {
    size_t n_active = 0;

    if (!(found->parts.kinds & GUARD_PART_BIT(GUARD_PART_KEY)))
        return;
    for (size_t i = 0; i < found->n_keys; i++) {
        n_active += found->keys[i].active;
        add_key_age(doctor, found, &found->keys[i], now_usec);
    }
    if (n_active > 1)
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_WARNING,
                   "deactivate the key that TrailGuard does not use", "%s: it has %zu active access keys",
                   found->arn, n_active);
    else
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_OK, NULL, "%s: %s", found->arn,
                   n_active == 1 ? "one active access key" : "no active access key");
}

/* A lack of protection may be intended, but only in an account of one's own. */
void doctor_protection_of_guard(Doctor *doctor, const ProtectionFacts *facts) {
    ProtectionRow rows[_PROTECTION_ABOUT_MAX];
    size_t n = protection_rows(facts, rows);

    for (size_t i = 0; i < n; i++) {
        /* these are read individually */
        bool is_read = facts->guard_checks &&
                       (rows[i].about == PROTECTION_BOUNDARY || rows[i].about == PROTECTION_SCP);

        if (!is_read && rows[i].about != PROTECTION_HEARTBEAT) /* it has its own group */
            doctor_add(doctor, DOCTOR_PROTECTION, rows[i].state == PROTECTION_OK ? DOCTOR_OK : DOCTOR_NOTE,
                       rows[i].advice, "%s", rows[i].text);
    }
}

void doctor_protection(Doctor *doctor, const PrincipalFound *found, uint64_t now_usec) {
    add_trust(doctor, found);
    add_boundary(doctor, found);
    add_keys(doctor, found, now_usec);
    if (found->unread[0])
        doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_UNKNOWN,
                   "trailguard policy guard prints the rights that guard_checks needs",
                   "%s: not all could be read: %s", found->arn, found->unread);
    doctor_add(doctor, DOCTOR_PROTECTION, DOCTOR_NOTE,
               "trailguard policy deny prints a policy that forbids it to others",
               "%s: AWS does not show who else may change it, nor its groups and service control policies",
               found->arn);
}
