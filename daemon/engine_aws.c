/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/engine_aws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "lib/http_curl.h"
#include "lib/loop_event.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define KEYS_SYSTEM_FILE "/etc/trailguard/aws-credentials"
#define IMDS_DEFAULT     "http://169.254.169.254"

/* An environment variable, NULL when unset or empty. */
static const char *env(const char *name) {
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

const char *engine_aws_default_region(const Config *config) {
    const char *region = env("AWS_REGION");

    if (!region)
        region = env("AWS_DEFAULT_REGION");
    if (region && endpoint_region_is_valid(region))
        return region;
    return config->regions.n > 0 ? config->regions.items[0] : "us-east-1";
}

/* ---- credentials ---- */

static void warn_if_others_may_read(const char *path) {
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        log_line(LOG_WARNING, "%s: others may read this key file (mode %04o); make it 0600", path,
                 (unsigned)st.st_mode & 07777);
}

/* Keeps the first of the files tried that exists; takes path over. */
static void try_file(char **found, char *path) {
    if (path && !*found && access(path, F_OK) == 0)
        *found = path;
    else
        free(path);
}

/* The file that keys are read from: the named one, else the first that exists in the order of the manual. */
static char *find_keys_file(const Config *config) {
    char *found = NULL;

    if (config->aws.credentials_file)
        return strdup(config->aws.credentials_file);
    if (env("CREDENTIALS_DIRECTORY"))
        try_file(&found, file_join(env("CREDENTIALS_DIRECTORY"), "aws-credentials"));
    if (env("AWS_SHARED_CREDENTIALS_FILE"))
        try_file(&found, strdup(env("AWS_SHARED_CREDENTIALS_FILE")));
    if (env("HOME"))
        try_file(&found, file_join(env("HOME"), ".aws/credentials"));
    return found ? found : strdup(KEYS_SYSTEM_FILE);
}

static int profile_source(const Config *config, Loop *loop, CredentialsSource **ret) {
    _cleanup_free_ char *path = find_keys_file(config);
    const char *profile = config->aws.profile;

    if (!profile)
        profile = env("AWS_PROFILE") ? env("AWS_PROFILE") : "default";
    if (!path)
        return -ENOMEM;
    warn_if_others_may_read(path);
    return credentials_profile_new(loop, path, profile, config->aws.credentials_file != NULL, ret);
}

static int imds_source(Loop *loop, HttpClient *http, CredentialsSource **ret) {
    const char *endpoint = env("AWS_EC2_METADATA_SERVICE_ENDPOINT");

    return credentials_imds_new(loop, http, endpoint ? endpoint : IMDS_DEFAULT, ret);
}

/* Environment, key file, instance metadata. A profile or file named in the configuration leaves the
 * environment out. */
static int credentials_open(const Config *config, Loop *loop, HttpClient *http, CredentialsSource **ret) {
    CredentialsSource *sources[3], *chain;
    const char *no_imds = env("AWS_EC2_METADATA_DISABLED");
    unsigned n = 0;
    int r = 0;

    if (!config->aws.profile && !config->aws.credentials_file) {
        r = credentials_env_new(loop, env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"),
                                env("AWS_SESSION_TOKEN"), &sources[n]);
        n += r >= 0;
    }
    if (r >= 0) {
        r = profile_source(config, loop, &sources[n]);
        n += r >= 0;
    }
    if (r >= 0 && !(no_imds && strcasecmp(no_imds, "true") == 0)) {
        r = imds_source(loop, http, &sources[n]);
        n += r >= 0;
    }
    if (r < 0) {
        while (n > 0)
            credentials_source_free(sources[--n]);
        return r;
    }
    r = credentials_chain_new(sources, n, &chain);
    return r < 0 ? r : credentials_cache_new(loop, chain, ret);
}

/* ---- endpoints ---- */

static int read_overrides(const Config *config, EndpointOverrides *ret,
                          char error[static ENGINE_AWS_ERROR_MAX]) {
    static const char *const service_variables[_AWS_SERVICE_MAX] = {
        [AWS_CLOUDTRAIL] = "AWS_ENDPOINT_URL_CLOUDTRAIL",
        [AWS_KMS] = "AWS_ENDPOINT_URL_KMS",
        [AWS_S3] = "AWS_ENDPOINT_URL_S3",
        [AWS_SNS] = "AWS_ENDPOINT_URL_SNS",
        [AWS_STS] = "AWS_ENDPOINT_URL_STS",
    };
    const char *ignore = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), *bad = NULL;

    *ret = (EndpointOverrides){ .file_url = config->aws.endpoint_url };
    if (ignore && strcasecmp(ignore, "true") == 0)
        return 0;
    ret->url = env("AWS_ENDPOINT_URL");
    if (ret->url && !endpoint_override_is_valid(ret->url))
        bad = "AWS_ENDPOINT_URL";
    for (unsigned s = 0; s < _AWS_SERVICE_MAX; s++) {
        ret->service_url[s] = env(service_variables[s]);
        if (ret->service_url[s] && !endpoint_override_is_valid(ret->service_url[s]))
            bad = service_variables[s];
    }
    if (!bad)
        return 0;
    (void)snprintf(error, ENGINE_AWS_ERROR_MAX,
                   "environment variable %s: not a URL that may be used; allowed: https://HOST, and http:// "
                   "for loopback only",
                   bad);
    return -EINVAL;
}

/* Every (service, region) of a skewed host is corrected on its own: one line is enough. */
static void skew_noticed(const char *host, int64_t offset_usec, void *userdata) {
    static int64_t logged_usec; /* one clock in this process */
    int64_t difference = offset_usec - logged_usec;

    (void)userdata;
    if (difference < 60 * (int64_t)USEC_PER_SEC && difference > -60 * (int64_t)USEC_PER_SEC)
        return;
    logged_usec = offset_usec;
    log_line(LOG_WARNING,
             "this host's clock is %lld s %s AWS's (by %s); signing with AWS's time, please fix the clock",
             (long long)(llabs(offset_usec) / (long long)USEC_PER_SEC),
             offset_usec > 0 ? "behind" : "ahead of", host);
}

int engine_aws_open(sd_event *event, const Config *config, EngineAws *ret,
                    char error[static ENGINE_AWS_ERROR_MAX]) {
    EngineAws aws = { .event = event };
    HttpCurlOptions http_options = {
        .ca_bundle = config->aws.ca_bundle ? config->aws.ca_bundle : env("AWS_CA_BUNDLE"),
        .user_agent = "TrailGuard/" TRAILGUARD_VERSION,
        .max_connections = config->aws.max_connections,
    };
    AwsLimits limits = {
        .connect_timeout_usec = config->aws.connect_timeout_sec * USEC_PER_SEC,
        .request_timeout_usec = config->aws.request_timeout_sec * USEC_PER_SEC,
        .max_attempts = config->aws.max_attempts,
    };
    EndpointOverrides overrides;
    int r;

    error[0] = '\0';
    r = read_overrides(config, &overrides, error);
    if (r >= 0)
        r = loop_event_new(event, &aws.loop);
    if (r >= 0)
        r = http_curl_new(event, &http_options, error, ENGINE_AWS_ERROR_MAX, &aws.http);
    if (r >= 0)
        r = credentials_open(config, aws.loop, aws.http, &aws.credentials);
    if (r >= 0)
        r = aws_client_new(aws.http, aws.loop, &limits, &overrides, &aws.client);
    if (r < 0) {
        if (!error[0])
            (void)snprintf(error, ENGINE_AWS_ERROR_MAX, "cannot set up the AWS client: %s", strerror(-r));
        engine_aws_close(&aws);
        return r;
    }
    aws_client_set_skew_callback(aws.client, skew_noticed, NULL);
    *ret = aws;
    return 0;
}

void engine_aws_close(EngineAws *aws) {
    aws_client_free(aws->client);
    credentials_source_free(aws->credentials);
    http_curl_free(aws->http);
    loop_event_free(aws->loop);
    *aws = (EngineAws){ 0 };
}
