/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's first calls: reaching AWS, the clock, the keys and their identity. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cli/doctor.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* Longer than the deadlines of the providers, their roles and one call together. */
#define DEADLINE_USEC (150 * USEC_PER_SEC)
/* The Date header has whole seconds, and an answer takes time. AWS rejects a signature that is 300 s off. */
#define CLOCK_FINE_USEC    (3 * (int64_t)USEC_PER_SEC)
#define CLOCK_REFUSED_USEC (300 * (int64_t)USEC_PER_SEC)

typedef struct Asking {
    Doctor *doctor;
    const Config *config;
    AwsSetup *aws;
    GuardIdentity *caller;
    uint64_t asked_usec; /* real */
    bool has_keys;
    bool done;
} Asking;

/* ---- reaching AWS ---- */

static void add_network(Doctor *doctor, const Config *config, const AwsFacts *facts) {
    if (facts->proxy[0])
        doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_OK, NULL, "proxy %s, by %s", facts->proxy,
                   facts->proxy_by);
    else
        doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_OK, NULL, "no proxy");
    if (config->aws.endpoint_url)
        doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_NOTE, NULL,
                   "all services are reached at %s, by aws.endpoint_url", config->aws.endpoint_url);
    if (facts->ca_bundle[0])
        doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_OK, NULL, "CA bundle %s", facts->ca_bundle);
    if (facts->fips || facts->dual_stack)
        doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_OK, NULL, "%s%s%s endpoints", facts->fips ? "FIPS" : "",
                   facts->fips && facts->dual_stack ? " and " : "", facts->dual_stack ? "dual-stack" : "");
}

static void add_endpoint_variables(Doctor *doctor, const Config *config) {
    static const char *const names[] = {
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_CLOUDTRAIL",
        "AWS_ENDPOINT_URL_SNS",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_ORGANIZATIONS",
        "AWS_ENDPOINT_URL_ACCOUNT",
        "AWS_ENDPOINT_URL_KMS",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_IAM",
    };

    const char *ignored = getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

    if (config->aws.endpoint_url || (ignored && strcasecmp(ignored, "true") == 0))
        return; /* settings that are not in use were not checked, and may contain a password */
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);

        if (value && value[0])
            doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_NOTE, NULL,
                       "%s is set in this environment to %s; the unit's environment may differ", names[i],
                       value);
    }
}

/* ---- the clock ---- */

static void add_clock(const Asking *asking, const HttpResponse *response) {
    uint64_t now = loop_realtime_usec(asking->aws->loop), server;
    const char *date = http_header(response, "date"), *advice = "timedatectl set-ntp true, or start chronyd";
    char span[TIMETEXT_MAX];
    int64_t off;

    if (!date || timetext_parse_http(date, &server) < 0) {
        doctor_add(asking->doctor, DOCTOR_CLOCK, DOCTOR_UNKNOWN, NULL, "AWS's answer has no date");
        return;
    }
    /* adds half of the truncated second; the answer was made between the request and now */
    off = (int64_t)(server + USEC_PER_SEC / 2) -
          (int64_t)(asking->asked_usec + (now - asking->asked_usec) / 2);
    if (llabs(off) < CLOCK_FINE_USEC) {
        doctor_add(asking->doctor, DOCTOR_CLOCK, DOCTOR_OK, NULL, "the same as AWS's, within 3 s");
        return;
    }
    doctor_add(asking->doctor, DOCTOR_CLOCK,
               llabs(off) < CLOCK_REFUSED_USEC ? DOCTOR_WARNING : DOCTOR_PROBLEM, advice, "%s %s AWS's",
               timetext_span(span, (uint64_t)llabs(off)), off > 0 ? "behind" : "ahead of");
}

/* ---- the keys ---- */

static void add_source(const Asking *asking, const Credentials *credentials) {
    const AwsFacts *facts = &asking->aws->facts;
    const char *source = credentials->source, *id = credentials->access_key_id;
    char from[1200], key[32];
    size_t n = strlen(id);

    if (text_equal(source, "environment"))
        (void)text_copy(from, sizeof(from), "environment variable AWS_ACCESS_KEY_ID; the unit's may differ");
    else if (text_equal(source, "profile"))
        (void)snprintf(from, sizeof(from), "profile %s in %s", facts->profile,
                       access(facts->credentials_file, F_OK) == 0 ? facts->credentials_file
                                                                  : facts->config_file);
    else if (text_equal(source, "process"))
        (void)snprintf(from, sizeof(from), "credential_process of profile %s", facts->profile);
    else if (text_equal(source, "imds"))
        (void)text_copy(from, sizeof(from), "the instance's role (IMDS)");
    else if (text_equal(source, "container"))
        (void)text_copy(from, sizeof(from), "the container's role");
    else if (text_equal(source, "web_identity"))
        (void)text_copy(from, sizeof(from), "a role for the web identity token");
    else if (text_equal(source, "assume_role"))
        (void)snprintf(from, sizeof(from), "the role that profile %s assumes", facts->profile);
    else
        (void)text_copy(from, sizeof(from), source);
    if (n >= 12)
        (void)snprintf(key, sizeof(key), "%.4s...%s", id, id + n - 4);
    else
        (void)text_copy(key, sizeof(key), "(short)");
    doctor_add(asking->doctor, DOCTOR_CREDENTIALS, DOCTOR_OK, NULL, "key %s%s, from %s", key,
               credentials->session_token ? ", a session's" : "", from);
}

/* systemd's own directory is protected whatever the mode of a file in it. */
static void check_key_file(Doctor *doctor, const char *path) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    char advice[600];
    struct stat st;

    if (!path[0] || stat(path, &st) < 0 || (st.st_mode & 077) == 0 ||
        (directory && directory[0] && text_starts_with(path, directory)))
        return;
    (void)snprintf(advice, sizeof(advice), "chmod 600 %s", path);
    doctor_add(doctor, DOCTOR_CREDENTIALS, DOCTOR_WARNING, advice, "others may read %s (mode %04o)", path,
               (unsigned)st.st_mode & 07777);
}

/* ---- the identity ---- */

/* STS calls a signature with a wrong time an invalid one. */
static bool is_about_time(const AwsError *error) {
    return error->class == AWS_SKEWED || text_starts_with(error->message, "Signature expired") ||
           text_starts_with(error->message, "Signature not yet current");
}

static const char *advice_for(const AwsError *error) {
    if (is_about_time(error))
        return "correct the clock of this host";
    switch (error->class) {
    case AWS_BAD_CREDENTIALS: return "the key is unknown, inactive or deleted, or its secret is wrong";
    case AWS_EXPIRED: return "the session has ended: whatever makes it must renew it";
    case AWS_TLS: return "if a proxy opens TLS, name its certificate by aws.ca_bundle";
    case AWS_UNREACHABLE:
    case AWS_TIMED_OUT: return "allow https from this host to AWS, or name the proxy by aws.proxy";
    default: return "run this again in a minute; is the endpoint AWS's?";
    }
}

static void ask_identity(Asking *asking, CredentialsProvider *credentials);

static void add_caller(Asking *asking, const AwsReply *reply, const char *text) {
    StsIdentity identity = { 0 };

    if (reply->error.class == AWS_OK && operation_read(&sts_get_caller_identity_operation, reply->body,
                                                       reply->body_len, NULL, &identity) >= 0) {
        guard_identity_take(asking->caller, identity.account, identity.arn);
        doctor_add(asking->doctor, DOCTOR_IDENTITY, DOCTOR_OK, NULL, "%s, account %s", identity.arn,
                   identity.account);
    } else if (reply->error.http_status > 0)
        doctor_add(asking->doctor, DOCTOR_IDENTITY, DOCTOR_PROBLEM, advice_for(&reply->error), "%s", text);
}

/* AWS's answer has its time even if it rejects the keys. If the call was repeated with fresh keys and there
 * were none, the answer is lost: then the call is made once more, unsigned. */
static void doctor_answered(const AwsReply *reply, void *userdata) {
    Asking *asking = userdata;
    char text[ERROR_TEXT_MAX];

    (void)aws_error_text(&reply->error, "GetCallerIdentity", text, sizeof(text));
    if (asking->has_keys)
        add_caller(asking, reply, text);
    if (!reply->response && reply->error.http_status > 0 && asking->has_keys) {
        asking->has_keys = false;
        ask_identity(asking, NULL);
        return;
    }
    asking->done = true;
    if (reply->error.http_status > 0)
        doctor_add(asking->doctor, DOCTOR_NETWORK, DOCTOR_OK, NULL, "STS in %s answers",
                   asking->aws->region);
    else
        doctor_add(asking->doctor, DOCTOR_NETWORK, DOCTOR_PROBLEM, advice_for(&reply->error), "%s", text);
    if (reply->response && reply->error.http_status > 0)
        add_clock(asking, reply->response);
}

/* Without keys the call is unsigned: AWS rejects it, with its time. */
static void ask_identity(Asking *asking, CredentialsProvider *credentials) {
    static const char body[] = "Action=GetCallerIdentity&Version=2011-06-15";
    const AwsRequest request = {
        .service = AWS_STS,
        .operation = "GetCallerIdentity",
        .region = asking->aws->region,
        .protocol = AWS_PROTOCOL_QUERY,
        .body = body,
        .body_len = sizeof(body) - 1,
    };

    asking->asked_usec = loop_realtime_usec(asking->aws->loop);
    if (aws_call(asking->aws->client, credentials, &request, doctor_answered, asking, NULL) < 0)
        asking->done = true;
}

static void have_credentials(CredentialsStatus status, Credentials *credentials, const char *message,
                             void *userdata) {
    Asking *asking = userdata;

    asking->has_keys = status == CREDENTIALS_OK;
    if (asking->has_keys) {
        add_source(asking, credentials);
        if (text_equal(credentials->source, "profile"))
            check_key_file(asking->doctor, asking->aws->facts.credentials_file);
        ask_identity(asking, asking->aws->credentials);
        return;
    }
    doctor_add(asking->doctor, DOCTOR_CREDENTIALS, DOCTOR_PROBLEM,
               "write the key into /etc/trailguard/aws-credentials, or give the instance a role: see "
               "trailguard.conf(5), aws",
               "%s", message[0] ? message : "there are none");
    ask_identity(asking, NULL);
}

int doctor_wait(sd_event *event, const bool *done) {
    uint64_t now, end;
    int r = sd_event_now(event, CLOCK_BOOTTIME, &now);

    for (end = now + DEADLINE_USEC; r >= 0 && !*done && now < end;
         r = r < 0 ? r : sd_event_now(event, CLOCK_BOOTTIME, &now))
        r = sd_event_run(event, USEC_PER_SEC);
    return r < 0 ? r : *done ? 0 : -ETIMEDOUT;
}

/* Cancels what did not end in time, so that it does not call back later. */
static void ask(Asking *asking) {
    int r = credentials_get(asking->aws->credentials, have_credentials, asking);

    if (r >= 0)
        r = doctor_wait(asking->aws->event, &asking->done);
    if (r < 0)
        aws_setup_close(asking->aws);
    if (!asking->caller->known)
        doctor_add(asking->doctor, DOCTOR_IDENTITY, DOCTOR_UNKNOWN, NULL,
                   "not known%s%s: regions, permissions and trails could not be checked", r < 0 ? ", " : "",
                   r < 0 ? strerror(-r) : "");
}

void doctor_aws(Doctor *doctor, const Config *config, sd_event **ret_event, AwsSetup *ret_aws,
                GuardIdentity *ret_caller) {
    char error[AWS_SETUP_ERROR_MAX] = "";
    Asking asking = { .doctor = doctor, .config = config, .aws = ret_aws, .caller = ret_caller };
    int r = sd_event_new(ret_event);

    if (r >= 0)
        r = aws_setup_open(*ret_event, config, ret_aws, error);
    if (r < 0) {
        doctor_add(doctor, DOCTOR_NETWORK, DOCTOR_PROBLEM, NULL, "%s", error[0] ? error : strerror(-r));
        return;
    }
    (void)text_copy(ret_caller->region, sizeof(ret_caller->region), ret_aws->region);
    add_network(doctor, config, &ret_aws->facts);
    add_endpoint_variables(doctor, config);
    ask(&asking);
}
