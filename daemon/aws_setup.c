/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/aws_setup.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/aws_credentials.h"
#include "daemon/log.h"
#include "daemon/version.h"
#include "lib/credentials/providers.h"
#include "lib/http_curl.h"
#include "lib/loop_event.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- the region ---- */

static void choose_region(const Config *config, const Profile *profile, char ret[static 32]) {
    const char *const candidates[] = {
        aws_env("AWS_REGION"),
        aws_env("AWS_DEFAULT_REGION"),
        profile->values[PROFILE_REGION],
        config->regions.n > 0 ? config->regions.items[0] : NULL,
        "us-east-1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
        if (candidates[i] && endpoint_region_is_valid(candidates[i]) && text_copy(ret, 32, candidates[i]))
            return;
}

/* ---- endpoints ---- */

static const char *const service_variables[_AWS_SERVICE_MAX] = {
    [AWS_CLOUDTRAIL] = "AWS_ENDPOINT_URL_CLOUDTRAIL",
    [AWS_SNS] = "AWS_ENDPOINT_URL_SNS",
    [AWS_STS] = "AWS_ENDPOINT_URL_STS",
    [AWS_ORGANIZATIONS] = "AWS_ENDPOINT_URL_ORGANIZATIONS",
    [AWS_ACCOUNT] = "AWS_ENDPOINT_URL_ACCOUNT",
    [AWS_KMS] = "AWS_ENDPOINT_URL_KMS",
    [AWS_S3] = "AWS_ENDPOINT_URL_S3",
    [AWS_IAM] = "AWS_ENDPOINT_URL_IAM",
};

static int _printf_(2, 3) aws_setup_refuse(char error[static AWS_SETUP_ERROR_MAX], const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(error, AWS_SETUP_ERROR_MAX, format, ap);
    va_end(ap);
    return -EINVAL;
}

static int read_switch(Switch by_file, const char *variable, bool *ret,
                       char error[static AWS_SETUP_ERROR_MAX]) {
    const char *value = aws_env(variable);
    char shown[64];

    if (by_file != SWITCH_UNSET)
        *ret = by_file == SWITCH_ON;
    else if (!value || strcasecmp(value, "false") == 0)
        *ret = false;
    else if (strcasecmp(value, "true") == 0)
        *ret = true;
    else
        return aws_setup_refuse(error,
                                "environment variable %s: \"%s\" cannot be used; allowed: true, false",
                                variable, text_escaped(shown, sizeof(shown), value));
    return 0;
}

static const char *chinese_region(const StringList *regions) {
    for (size_t i = 0; i < regions->n; i++) {
        const Partition *partition = endpoint_partition_of(regions->items[i]);

        if (partition && partition->fips == FIPS_NONE)
            return regions->items[i];
    }
    return NULL;
}

static int check_fips(const Config *config, char error[static AWS_SETUP_ERROR_MAX]) {
    const char *region = chinese_region(&config->regions);

    for (size_t i = 0; !region && i < config->n_accounts; i++)
        region = chinese_region(config_account_regions(config, &config->accounts[i]));
    if (!region)
        return 0;
    return aws_setup_refuse(
            error,
            "FIPS endpoints are requested, but %s has none: turn use_fips (AWS_USE_FIPS_ENDPOINT) off",
            region);
}

/* Only the environment can combine them here: the file was checked when it was read. */
static int read_kind_of_host(const Config *config, EndpointOverrides *overrides,
                             char error[static AWS_SETUP_ERROR_MAX]) {
    const char *set = overrides->file_url ? "aws.endpoint_url" : NULL;
    int r;

    r = read_switch(config->aws.use_fips, "AWS_USE_FIPS_ENDPOINT", &overrides->fips, error);
    if (r >= 0)
        r = read_switch(config->aws.use_dualstack, "AWS_USE_DUALSTACK_ENDPOINT", &overrides->dual_stack,
                        error);
    if (r >= 0 && overrides->fips)
        r = check_fips(config, error);
    if (r < 0 || (!overrides->fips && !overrides->dual_stack))
        return r;
    for (unsigned s = 0; s < _AWS_SERVICE_MAX; s++)
        if (!set && overrides->service_url[s])
            set = service_variables[s];
    if (!set)
        return 0;
    return aws_setup_refuse(
            error,
            "%s endpoints are requested, but %s names one: only one of the two is allowed; name an endpoint "
            "of that kind, or turn %s off",
            overrides->fips ? "FIPS" : "dual-stack", set,
            overrides->fips ? "use_fips (AWS_USE_FIPS_ENDPOINT)"
                            : "use_dualstack (AWS_USE_DUALSTACK_ENDPOINT)");
}

typedef struct NamedUrl {
    const char *url;
    const char *name; /* where it is set */
} NamedUrl;

/* The first one that is set. */
static int take_url(const NamedUrl *candidates, size_t n, const char **ret,
                    char error[static AWS_SETUP_ERROR_MAX]) {
    for (size_t i = 0; i < n; i++) {
        if (!candidates[i].url)
            continue;
        *ret = candidates[i].url;
        if (endpoint_override_is_valid(*ret))
            return 0;
        return aws_setup_refuse(
                error,
                "%s: not a URL that may be used; allowed: https://HOST, and http:// for loopback only",
                candidates[i].name);
    }
    return 0;
}

/* In this order: the service's variable, the common variable, the profile's [services] section, the
 * profile's endpoint_url. ret borrows. */
static int read_overrides(const Config *config, const Profile *profile, EndpointOverrides *ret,
                          char error[static AWS_SETUP_ERROR_MAX]) {
    int r = 0;

    *ret = (EndpointOverrides){ .file_url = config->aws.endpoint_url };
    if (aws_env_is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"))
        return read_kind_of_host(config, ret, error);
    for (unsigned s = 0; s < _AWS_SERVICE_MAX && r == 0; s++) {
        char name[64];
        const NamedUrl candidates[] = {
            { aws_env(service_variables[s]), name },
            { aws_env("AWS_ENDPOINT_URL"), "environment variable AWS_ENDPOINT_URL" },
            { profile->service_urls[s], "the profile's services section: endpoint_url" },
            { profile->values[PROFILE_ENDPOINT_URL], "the profile's endpoint_url" },
        };

        (void)snprintf(name, sizeof(name), "environment variable %s", service_variables[s]);
        r = take_url(candidates, ARRAY_SIZE(candidates), &ret->service_url[s], error);
    }
    return r < 0 ? r : read_kind_of_host(config, ret, error);
}

/* ---- the proxy ---- */

/* Lower case first, like AWS's tools: a variable that is set but empty turns the other one off. */
static const char *env_of_proxy(const char *lower, const char *upper, const char **ret_name) {
    *ret_name = getenv(lower) ? lower : upper;
    return aws_env(*ret_name);
}

/* HTTP_PROXY is ignored: plain http is only used for loopback and metadata, never through a proxy. The value
 * is not shown, because it may contain a password. */
static int read_proxy(const Config *config, HttpCurlOptions *options,
                      char error[static AWS_SETUP_ERROR_MAX]) {
    const char *variable;

    options->no_proxy = env_of_proxy("no_proxy", "NO_PROXY", &variable);
    options->proxy = config->aws.proxy;
    if (options->proxy)
        return 0;
    options->proxy = env_of_proxy("https_proxy", "HTTPS_PROXY", &variable);
    if (!options->proxy || endpoint_proxy_is_valid(options->proxy))
        return 0;
    return aws_setup_refuse(error, "environment variable %s: not a proxy that can be used; allowed: %s",
                            variable, ENDPOINT_PROXY_ALLOWED);
}

/* The clock of every (service, region) is corrected separately, but one line is enough. */
static void skew_noticed(const char *host, int64_t offset_usec, void *userdata) {
    static int64_t logged_usec; /* there is one clock per process */
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

/* ---- opening and closing ---- */

static void take_facts(const Config *config, const AwsLocation *location, const HttpCurlOptions *http,
                       const EndpointOverrides *overrides, AwsFacts *ret) {
    const char *at = http->proxy ? strrchr(http->proxy, '@') : NULL;

    (void)text_copy(ret->profile, sizeof(ret->profile), location->name);
    (void)text_copy(ret->credentials_file, sizeof(ret->credentials_file), location->credentials_file);
    (void)text_copy(ret->config_file, sizeof(ret->config_file), location->config_file);
    (void)text_copy(ret->proxy, sizeof(ret->proxy), at ? at + 1 : http->proxy);
    ret->proxy_by = config->aws.proxy ? "aws.proxy" : getenv("https_proxy") ? "https_proxy" : "HTTPS_PROXY";
    (void)text_copy(ret->ca_bundle, sizeof(ret->ca_bundle), http->ca_bundle);
    ret->fips = overrides->fips;
    ret->dual_stack = overrides->dual_stack;
}

static int open_all(const Config *config, const AwsLocation *location, const Profile *profile, AwsSetup *aws,
                    char error[static AWS_SETUP_ERROR_MAX]) {
    const char *bundle = config->aws.ca_bundle ? config->aws.ca_bundle : aws_env("AWS_CA_BUNDLE");
    HttpCurlOptions http_options = {
        .ca_bundle = bundle ? bundle : profile->values[PROFILE_CA_BUNDLE],
        .user_agent = trailguard_user_agent,
        .max_connections = config->aws.max_connections,
    };
    AwsLimits limits = {
        .connect_timeout_usec = config->aws.connect_timeout_sec * USEC_PER_SEC,
        .request_timeout_usec = config->aws.request_timeout_sec * USEC_PER_SEC,
        .max_attempts = config->aws.max_attempts,
    };
    EndpointOverrides overrides;
    char host[256] = "";
    int r;

    (void)gethostname(host, sizeof(host) - 1);
    (void)sts_session_name(aws->session_name, "trailguard", host);
    choose_region(config, profile, aws->region);
    r = read_overrides(config, profile, &overrides, error);
    if (r >= 0)
        r = read_proxy(config, &http_options, error);
    if (r >= 0) {
        take_facts(config, location, &http_options, &overrides, &aws->facts);
        r = loop_event_new(aws->event, &aws->loop);
    }
    if (r >= 0)
        r = http_curl_new(aws->event, &http_options, error, AWS_SETUP_ERROR_MAX, &aws->http);
    if (r >= 0)
        r = aws_client_new(aws->http, aws->loop, &limits, &overrides, &aws->client);
    return r < 0 ? r : aws_credentials_open(config, location, aws);
}

int aws_setup_open(sd_event *event, const Config *config, AwsSetup *ret,
                   char error[static AWS_SETUP_ERROR_MAX]) {
    AwsSetup aws = { .event = event };
    Profile profile = { 0 };
    AwsLocation location;
    int r;

    error[0] = '\0';
    r = aws_location_find(config, &location);
    if (r >= 0) {
        aws_location_load(&location, &profile);
        r = open_all(config, &location, &profile, &aws, error);
        profile_done(&profile);
        aws_location_done(&location);
    }
    if (r < 0) {
        if (!error[0])
            (void)snprintf(error, AWS_SETUP_ERROR_MAX, "cannot set up the AWS client: %s", strerror(-r));
        aws_setup_close(&aws);
        return r;
    }
    aws_client_set_skew_callback(aws.client, skew_noticed, NULL);
    *ret = aws;
    return 0;
}

void aws_setup_close(AwsSetup *aws) {
    /* Providers have calls of their own to STS. */
    credentials_provider_free(aws->credentials);
    aws_client_free(aws->client);
    http_curl_free(aws->http);
    loop_event_free(aws->loop);
    *aws = (AwsSetup){ 0 };
}

int aws_setup_role(const AwsSetup *aws, const char *region, const StsRole *role, CredentialsProvider **ret) {
    StsRole filled = *role;
    CredentialsProvider *provider;
    int r;

    if (!filled.session_name)
        filled.session_name = aws->session_name;
    r = credentials_assume_role_new(aws->client, aws->credentials, region, &filled, &provider);
    return r < 0 ? r : credentials_cache_new(aws->loop, provider, ret);
}
