/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "daemon/cli/verbs.h"
#include "daemon/core/policy.h"

#include "daemon/aws_setup.h"
#include "daemon/guard_policy.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/sts.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static const char help[] =
        "usage: trailguard policy guard|deny|scp [--account ID] [-c FILE]\n"
        "\n"
        "Prints IAM policies that fit the configuration, as JSON.\n"
        "\n"
        "  guard   the least rights that the guard needs. With roles: those of the base\n"
        "          credentials (\"hub\"), and for each member its policy and its role's\n"
        "          trust policy\n"
        "  deny    for users, groups and roles of the account: denies touching trails,\n"
        "          guard and alert topics. With roles: one for the base account\n"
        "          (\"hub\"), and one for each member. --account ID prints the policy of\n"
        "          that account alone, as IAM takes it\n"
        "  scp     the same as a service control policy; both exempt the guard in mode\n"
        "          \"restore\"\n"
        "\n"
        "Asks AWS who the guard is. Without an answer, guard prints GUARD_ARN and the\n"
        "account * instead, and a line about it. deny and scp then fail, because they\n"
        "would lock the guard out. With the option shard, guard prints the rights for\n"
        "that part of the accounts; deny and scp are for all.\n"
        "\n"
        "Exit status: 0 when it was printed, else 1.\n"
        "\n"
        "Examples:\n"
        "  trailguard policy guard >guard.json\n"
        "  trailguard policy deny --account 111122223333 >deny.json\n"
        "  trailguard policy scp -c ./trailguard.conf\n";

#define UNKNOWN_GUARD "GUARD_ARN"

/* The call to STS. */
typedef struct Asking {
    sd_event *event;
    GuardIdentity *caller;
} Asking;

/* ---- the guard's identity ---- */

static void verb_policy_answered(const AwsError *error, const StsIdentity *identity, void *userdata) {
    const Asking *asking = userdata;
    GuardIdentity *caller = asking->caller;

    if (error->class == AWS_OK)
        guard_identity_take(caller, identity->account, identity->arn);
    else
        (void)aws_error_text(error, "GetCallerIdentity", caller->error, sizeof(caller->error));
    (void)sd_event_exit(asking->event, 0);
}

static void ask(const Config *config, GuardIdentity *caller) {
    char error[AWS_SETUP_ERROR_MAX] = "";
    AwsSetup aws = { 0 };
    Asking asking = { .caller = caller };
    int r = sd_event_new(&asking.event);

    if (r >= 0)
        r = aws_setup_open(asking.event, config, &aws, error);
    if (r >= 0)
        r = sts_get_caller_identity(&(AwsCaller){ aws.client, aws.credentials, aws.region }, NULL,
                                    verb_policy_answered, &asking, NULL);
    (void)text_copy(caller->region, sizeof(caller->region), aws.region);
    if (r >= 0)
        (void)sd_event_loop(asking.event);
    else
        (void)text_copy(caller->error, sizeof(caller->error), error[0] ? error : strerror(-r));
    aws_setup_close(&aws);
    sd_event_unref(asking.event);
}

static bool any_restores(const PolicyJob *job) {
    bool restores =
            config_account_policy(job->config, config_base_account(job->config)).mode == MODE_RESTORE;

    for (size_t i = 0; i < job->config->n_accounts; i++)
        restores |= config_account_policy(job->config, &job->config->accounts[i]).mode == MODE_RESTORE;
    return restores;
}

/* ---- policies against tampering ---- */

/* Collects the exempted principals for a place: the guard's own, and those in `guards`. */
static int gather(const PolicyJob *job, const PolicyPlace *place, const char *own, bool exact,
                  PolicyPrincipals *ret) {
    int r = policy_principals_add(ret, place, own, exact);

    for (size_t i = 0; r == 0 && i < job->config->guards.n; i++)
        r = policy_principals_add(ret, place, job->config->guards.items[i], false);
    return r;
}

static PolicyShield shield_of(const PolicyJob *job, const PolicyPlace *place,
                              const PolicyPrincipals *principals, bool write, bool hub) {
    return (PolicyShield){
        .partition = place->partition,
        .account = place->account,
        .organization = hub && job->config->organization.role_name,
        .guards = (const char *const *)principals->items,
        .n_guards = principals->n,
        .guards_write = write,
        .topics = hub ? job->topics : NULL,
        .n_topics = hub ? job->n_topics : 0,
    };
}

static bool may_restore(const PolicyJob *job, const AccountConfig *group) {
    return config_account_policy(job->config, group).mode == MODE_RESTORE;
}

/* Protects the guard's role and the trails in the account of the role. The role of the organization's
 * members has no account in its ARN: any. */
static json_t *member_policy(const PolicyJob *job, const AccountConfig *group, const char *role_arn) {
    PolicyPlace place = { .partition = job->partition, .account = "" };
    PolicyPrincipals principals = { 0 };
    json_t *policy = NULL;
    Arn arn;

    if (arn_parse(role_arn, &arn) >= 0)
        place = (PolicyPlace){ .partition = arn.partition, .account = arn.account };
    if (gather(job, &place, role_arn, true, &principals) == 0) {
        PolicyShield shield = shield_of(job, &place, &principals, may_restore(job, group), false);

        policy = policy_deny(&shield);
    }
    policy_principals_done(&principals);
    return policy;
}

static json_t *member_shield(const PolicyJob *job, const AccountConfig *group, const char *role_arn) {
    return json_pack("{s:s, s:o}", "role_arn", role_arn, "policy", member_policy(job, group, role_arn));
}

/* Like `policy guard`, one document per account. */
static json_t *deny_documents(const PolicyJob *job, json_t *hub) {
    const Config *config = job->config;
    json_t *members = json_array();

    for (size_t i = 0; i < config->n_accounts; i++)
        if (config->accounts[i].role_arn)
            (void)json_array_append_new(
                    members, member_shield(job, &config->accounts[i], config->accounts[i].role_arn));
    if (job->member_role[0])
        (void)json_array_append_new(members, member_shield(job, NULL, job->member_role));
    return json_pack("{s:o, s:o}", "hub", hub, "members", members);
}

static json_t *hub_shield(const PolicyJob *job) {
    PolicyPlace place = { .partition = job->partition, .account = job->guard.account };
    bool write = policy_job_uses_roles(job) ? may_restore(job, config_base_account(job->config))
                                            : any_restores(job);
    PolicyPrincipals principals = { 0 };
    json_t *hub = NULL;

    if (gather(job, &place, job->guard.caller, false, &principals) == 0) {
        PolicyShield shield = shield_of(job, &place, &principals, write, true);

        hub = policy_deny(&shield);
    }
    policy_principals_done(&principals);
    return hub;
}

static json_t *deny_document(const PolicyJob *job) {
    json_t *hub = hub_shield(job);

    return policy_job_uses_roles(job) ? deny_documents(job, hub) : hub;
}

/* For one account; -ENOENT if no guard is there. */
static int deny_account(const PolicyJob *job, json_t **ret) {
    const Config *config = job->config;
    char role[ARN_MAX];

    for (size_t i = 0; i < config->n_accounts; i++) {
        const AccountConfig *group = &config->accounts[i];
        Arn arn;

        if (!group->role_arn || arn_parse(group->role_arn, &arn) < 0 ||
            !text_equal(arn.account, job->account))
            continue;
        *ret = member_policy(job, group, group->role_arn);
        return 0;
    }
    if (text_equal(job->account, job->guard.account)) {
        *ret = hub_shield(job);
        return 0;
    }
    if (!job->member_role[0] || strlen(job->account) != 12 ||
        job->account[strspn(job->account, "0123456789")])
        return -ENOENT;
    (void)snprintf(role, sizeof(role), "arn:%s:iam::%s:role/%s", job->partition, job->account,
                   config->organization.role_name);
    *ret = member_policy(job, NULL, role);
    return 0;
}

static json_t *scp_of(const PolicyJob *job, const PolicyPlace *place, const PolicyPrincipals *principals) {
    PolicyShield shield = shield_of(job, place, principals, any_restores(job), true);

    return policy_scp(&shield);
}

/* Each guard with its own account if that fits; otherwise the same names in any account. */
static json_t *scp_document(const PolicyJob *job) {
    PolicyPlace place = { .partition = job->partition, .account = "" };
    PolicyPrincipals principals = { 0 };
    json_t *scp = NULL;
    int r = gather(job, &place, job->guard.caller, false, &principals);

    for (size_t i = 0; r == 0 && i < job->n_roles; i++)
        r = policy_principals_add(&principals, &place, job->roles[i], true);
    if (r == 0)
        scp = scp_of(job, &place, &principals);
    if (scp && policy_size(scp) > POLICY_SCP_MAX && policy_principals_fold(&principals) == 0) {
        json_decref(scp);
        scp = scp_of(job, &place, &principals);
    }
    policy_principals_done(&principals);
    return scp;
}

/* The modes of other guards are unknown here. */
static void warn_of_guards(const PolicyJob *job) {
    if (job->config->guards.n > 0 && !any_restores(job))
        fputs("trailguard policy: without mode \"restore\" no guard is exempted, nor those that `guards` "
              "names: if one of "
              "them restores settings, print this with its configuration\n",
              stderr);
}

/* ---- output ---- */

/* Checks the size of one policy: 0, or -EFBIG after one line on stderr. */
static int check_size(const char *whose, const json_t *policy, size_t max, const char *kind) {
    size_t size = policy_size(policy);

    if (size <= max)
        return 0;
    fprintf(stderr,
            "trailguard policy: %s would have %zu characters, and AWS takes %zu in %s: name fewer "
            "principals (\"*\" for "
            "the account stands for all) or topics\n",
            whose, size, max, kind);
    return -EFBIG;
}

static int check_sizes(const json_t *document, bool scp) {
    const json_t *hub = json_object_get(document, "hub"), *members = json_object_get(document, "members");
    int r;

    if (scp)
        return check_size("the policy", document, POLICY_SCP_MAX, "a service control policy");
    r = check_size(hub ? "hub" : "the policy", hub ? hub : document, POLICY_IAM_MAX, "a managed policy");
    for (size_t i = 0; r == 0 && i < json_array_size(members); i++) {
        const json_t *one = json_array_get(members, i);

        r = check_size(json_string_value(json_object_get(one, "role_arn")), json_object_get(one, "policy"),
                       POLICY_IAM_MAX, "a managed policy");
    }
    return r;
}

/* Organizations counts white space in a policy from its API. */
static int write_out(const json_t *document, bool scp) {
    _cleanup_free_ char *text = json_text_dump(document, JSON_INDENT(2));

    if (text && scp && strlen(text) > POLICY_SCP_MAX) {
        free(text);
        text = json_text_dump(document, JSON_COMPACT);
    }
    if (!text) {
        fputs("trailguard policy: out of memory\n", stderr);
        return -ENOMEM;
    }
    puts(text);
    return 0;
}

/* Without an answer from AWS the user must replace a placeholder. */
static void warn_of_unknown(PolicyJob *job) {
    if (job->guard.known)
        return;
    if (!policy_job_uses_roles(job)) {
        fprintf(stderr,
                "trailguard policy: cannot find out which account this is: %s; replace the account * in "
                "ARNs\n",
                job->guard.error);
        return;
    }
    fprintf(stderr, "trailguard policy: cannot find out who the guard is: %s; replace " UNKNOWN_GUARD "\n",
            job->guard.error);
    (void)text_copy(job->guard.arn, sizeof(job->guard.arn), UNKNOWN_GUARD);
}

static json_t *guard_document(PolicyJob *job) {
    json_t *document;

    warn_of_unknown(job);
    document = policy_job_guard(job);
    if (job->folded)
        fputs("trailguard policy: the roles do not fit into one policy one by one: hub may assume roles of "
              "their names "
              "in any account that lets it in\n",
              stderr);
    return document;
}

static int make(bool guard, bool scp, PolicyJob *job, json_t **ret) {
    if (job->account)
        return deny_account(job, ret);
    *ret = guard ? guard_document(job) : scp ? scp_document(job) : deny_document(job);
    return 0;
}

/* 0, or -errno after one line on stderr. */
static int print(const char *what, PolicyJob *job) {
    bool guard = strcmp(what, "guard") == 0, scp = strcmp(what, "scp") == 0;
    json_t *document = NULL;
    char shown[64];
    int r;

    job->own_shard = guard;
    policy_job_collect(job);
    if (!guard && !job->guard.known) {
        /* without an exemption, the policy would lock the guard out */
        fprintf(stderr, "trailguard policy: cannot find out who the guard is, and would lock it out: %s\n",
                job->guard.error);
        return -EIO;
    }
    if (!guard)
        warn_of_guards(job);
    if (make(guard, scp, job, &document) < 0) {
        fprintf(stderr,
                "trailguard policy: account %s is not guarded; allowed: the id of an account in the "
                "configuration\n",
                text_escaped(shown, sizeof(shown), job->account));
        return -ENOENT;
    }
    if (!document) {
        fputs("trailguard policy: out of memory\n", stderr);
        return -ENOMEM;
    }
    r = check_sizes(document, scp);
    if (r == 0)
        r = write_out(document, scp);
    json_decref(document);
    return r;
}

static const char *const policies[] = { "guard", "deny", "scp" };

static bool is_policy(const char *what) {
    TextNearest nearest = { .text = what };

    for (size_t k = 0; k < ARRAY_SIZE(policies); k++) {
        if (text_equal(policies[k], what))
            return true;
        text_nearest(&nearest, policies[k]);
    }
    if (!what)
        fputs("trailguard policy: name a policy; allowed: guard, deny, scp\n", stderr);
    else {
        char shown[128];

        fprintf(stderr, "trailguard policy: unknown policy \"%s\"",
                text_escaped(shown, sizeof(shown), what));
        verb_put_meant(nearest.best, ";");
        fputs(" allowed: guard, deny, scp\n", stderr);
    }
    return false;
}

int verb_policy_show(const char *what, const char *account, const Config *config,
                     const GuardIdentity *caller) {
    _cleanup_free_ PolicyJob *job = calloc(1, sizeof(*job));

    if (!job) {
        fputs("trailguard policy: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    job->config = config;
    job->account = account;
    job->guard = *caller;
    return print(what, job) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static bool is_understood(const VerbArgs *args) {
    if (args->n_names > 1)
        return verb_usage("policy", "one policy at a time, not also ", args->names[1]) >= 0;
    if (!is_policy(args->n_names > 0 ? args->names[0] : NULL))
        return false;
    return !args->account || text_equal(args->names[0], "deny") ||
           verb_usage("policy", "--account is for deny, not for ", args->names[0]) >= 0;
}

int verb_policy(int argc, char **argv) {
    GuardIdentity caller = { 0 };
    Config *config = NULL;
    VerbArgs args;
    int r = verb_begin(argc, argv, VERB_TAKES_NAMES | VERB_TAKES_ACCOUNT, help, &args, &config);

    if (r >= 0)
        return r;
    r = EXIT_FAILURE;
    if (is_understood(&args)) {
        ask(config, &caller);
        r = verb_policy_show(args.names[0], args.account, config, &caller);
    }
    config_free(config);
    return r;
}
