/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/aws_credentials.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/ini.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define KEYS_SYSTEM_FILE CONFIG_SECRETS_DIR "/aws-credentials"
#define IMDS_IPV4        "http://169.254.169.254"
#define IMDS_IPV6        "http://[fd00:ec2::254]"

const char *aws_env(const char *name) {
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

bool aws_env_is_true(const char *name) {
    const char *value = aws_env(name);

    return value && strcasecmp(value, "true") == 0;
}

/* ---- the profile's files ---- */

/* NULL if unknown. A systemd unit may have no HOME. */
static const char *home_of(const char *user) {
    const struct passwd *entry;

    if (!user[0] && aws_env("HOME"))
        return aws_env("HOME");
    entry = user[0] ? getpwnam(user) : getpwuid(getuid());
    return entry ? entry->pw_dir : NULL;
}

/* "~/x", "~user/x"; unchanged if there is no such home. */
static const char *add_home(StrBuf *b, const char *path) {
    size_t n = strcspn(path, "/");
    const char *home;
    char user[64];

    if (path[0] != '~' || n > sizeof(user))
        return path;
    (void)snprintf(user, sizeof(user), "%.*s", (int)n - 1, path + 1);
    home = home_of(user);
    if (!home)
        return path;
    (void)strbuf_add(b, text_equal(home, "/") && path[n] ? "" : home);
    return path + n;
}

/* "$NAME" or "${NAME}": the rest of the text; NULL if it is neither. */
static const char *take_variable(const char *s, char *name, size_t size) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    bool braced = s[1] == '{';
    const char *start = s + 1 + braced, *end = start;

    while (*end && (braced ? *end != '}' : strchr(letters, *end) != NULL))
        end++;
    if (end == start || (size_t)(end - start) >= size || (braced && *end != '}'))
        return NULL;
    (void)snprintf(name, size, "%.*s", (int)(end - start), start);
    return end + braced;
}

/* Expands a path from AWS's variables as botocore does. NULL when out of memory. */
static char *expand(const char *path) {
    _cleanup_strbuf_ StrBuf variables = STRBUF_INIT(PATH_MAX), b = STRBUF_INIT(PATH_MAX);
    char name[128];

    for (const char *s = path; *s;) {
        const char *end = *s == '$' ? take_variable(s, name, sizeof(name)) : NULL;
        const char *value = end ? getenv(name) : NULL;

        if (value)
            (void)strbuf_add(&variables, value);
        else
            (void)strbuf_add_char(&variables, *s);
        s = end && value ? end : s + 1;
    }
    path = add_home(&b, strbuf_str(&variables));
    (void)strbuf_add(&b, path);
    return strbuf_error(&variables) || strbuf_error(&b) ? strdup(path) : strdup(strbuf_str(&b));
}

/* Keeps the first existing file; takes path over. */
static bool try_file(char **found, char *path) {
    if (path && !*found && access(path, F_OK) == 0) {
        *found = path;
        return true;
    }
    free(path);
    return false;
}

/* The configured file, else the first existing one in the order of the manual. */
static int find_credentials_file(const Config *config, AwsLocation *location) {
    const char *directory = aws_env("CREDENTIALS_DIRECTORY"),
               *shared = aws_env("AWS_SHARED_CREDENTIALS_FILE");
    char *found = NULL;

    location->file_named = true;
    if (config->aws.credentials_file)
        found = strdup(config->aws.credentials_file);
    else {
        if (directory)
            (void)try_file(&found, file_join(directory, "aws-credentials"));
        if (!found && shared)
            (void)try_file(&found, expand(shared));
        if (!found && !shared && home_of(""))
            location->file_named = !try_file(&found, file_join(home_of(""), ".aws/credentials"));
        if (!found)
            found = strdup(KEYS_SYSTEM_FILE);
    }
    location->credentials_file = found;
    return found ? 0 : -ENOMEM;
}

static int find_config_file(const Config *config, AwsLocation *location) {
    const char *path = config->aws.config_file ? config->aws.config_file : aws_env("AWS_CONFIG_FILE");

    if (!path && !home_of(""))
        return 0;
    location->config_named = path;
    location->config_file = config->aws.config_file ? strdup(path)
                            : path                  ? expand(path)
                                                    : file_join(home_of(""), ".aws/config");
    return location->config_file ? 0 : -ENOMEM;
}

void aws_location_done(AwsLocation *location) {
    free(location->credentials_file);
    free(location->config_file);
    location->credentials_file = location->config_file = NULL;
}

int aws_location_find(const Config *config, AwsLocation *ret) {
    AwsLocation location = { .name = config->aws.profile };
    int r;

    if (!location.name)
        location.name = aws_env("AWS_DEFAULT_PROFILE"); /* as botocore: it overrides the other */
    if (!location.name)
        location.name = aws_env("AWS_PROFILE");
    location.named = location.name;
    if (!location.name)
        location.name = "default";
    r = find_credentials_file(config, &location);
    if (r >= 0)
        r = find_config_file(config, &location);
    if (r < 0) {
        aws_location_done(&location);
        return r;
    }
    *ret = location;
    return 0;
}

#define WARNED_MAX 512

/* Once per file and mode: warned has the last line, so that a reload does not repeat it. systemd's own
 * directory is protected whatever the mode of a file in it. */
static void warn_if_others_may_read(const char *path, mode_t mode, char warned[static WARNED_MAX]) {
    const char *directory = aws_env("CREDENTIALS_DIRECTORY");
    char line[WARNED_MAX];

    if ((mode & 077) == 0 || (directory && text_starts_with(path, directory)))
        return;
    (void)snprintf(line, sizeof(line), "%s: others may read this key file (mode %04o); make it 0600", path,
                   (unsigned)mode & 07777);
    if (text_equal(line, warned))
        return;
    log_line(LOG_WARNING, "%s", line);
    (void)text_copy(warned, WARNED_MAX, line);
}

static char *load(const char *path, ProfileFile *ret, mode_t *ret_mode) {
    char *text = NULL;

    ret->path = path;
    if (path && file_read_mode(path, INI_FILE_MAX, &text, &ret->len, ret_mode) >= 0)
        ret->text = text;
    return text;
}

void aws_location_load(const AwsLocation *location, Profile *ret) {
    static char keys_warned[WARNED_MAX], config_warned[WARNED_MAX];
    ProfileFiles files = { 0 }, config_only;
    mode_t keys_mode = 0, config_mode = 0;
    Profile profile = { 0 };
    char *keys, *config, message[512];

    keys = load(location->credentials_file, &files.credentials, &keys_mode);
    config = load(location->config_file, &files.config, &config_mode);
    if (keys)
        warn_if_others_may_read(location->credentials_file, keys_mode, keys_warned);
    config_only = (ProfileFiles){ .config = files.config };
    if (config && profile_read(&config_only, location->name, &profile, message, sizeof(message)) >= 0 &&
        profile.values[PROFILE_KEY_SECRET])
        warn_if_others_may_read(location->config_file, config_mode, config_warned);
    profile_done(&profile);
    if (profile_read(&files, location->name, &profile, message, sizeof(message)) < 0)
        profile = (Profile){ 0 };
    file_free_secret(keys, files.credentials.len);
    file_free_secret(config, files.config.len);
    *ret = profile;
}

/* ---- the environment of a credential_process ---- */

/* Passed on if set: what is needed to find programs, reach the network with its CAs, and read files of the
 * unit. AWS_* is passed on, too. */
static const char *const passed[] = {
    "PATH",
    "LANG",
    "HOME",
    "CREDENTIALS_DIRECTORY",
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
};

/* The keys in our environment are ours: a program that provides keys has its own. */
static const char *const withheld[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
};

static bool is_named(const char *entry, const char *name) {
    size_t n = strlen(name);

    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

static bool is_one_of(const char *entry, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (is_named(entry, names[i]))
            return true;
    return false;
}

static bool is_passed(const AwsConfig *config, const char *entry) {
    const StringList *wanted = &config->process_environment;

    if (is_one_of(entry, (const char *const *)wanted->items, wanted->n))
        return true;
    if (text_starts_with(entry, "AWS_"))
        return !is_one_of(entry, withheld, ARRAY_SIZE(withheld));
    return is_one_of(entry, passed, ARRAY_SIZE(passed));
}

/* Settings that TrailGuard has from elsewhere: a value of NULL is unknown, others override the
 * environment. */
typedef struct Setting {
    const char *name, *value;
} Setting;

static bool is_set(const Setting *settings, size_t n, const char *entry) {
    for (size_t i = 0; i < n; i++)
        if (settings[i].value && is_named(entry, settings[i].name))
            return true;
    return false;
}

static int fill(const AwsConfig *config, char *const *own, const Setting *settings, size_t n_settings,
                char **list) {
    size_t n = 0;

    for (size_t i = 0; own[i]; i++) {
        if (!is_passed(config, own[i]) || is_set(settings, n_settings, own[i]))
            continue;
        list[n] = strdup(own[i]);
        if (!list[n++])
            return -ENOMEM;
    }
    for (size_t i = 0; i < n_settings; i++) {
        if (!settings[i].value)
            continue;
        if (asprintf(&list[n], "%s=%s", settings[i].name, settings[i].value) < 0) {
            list[n] = NULL;
            return -ENOMEM;
        }
        n++;
    }
    return 0;
}

int aws_process_environment_new(const AwsConfig *config, char *const *own, const char *home, char ***ret) {
    const Setting settings[] = {
        { "HOME", home },
        { "HTTPS_PROXY", config->proxy },
        { "https_proxy", config->proxy },
        { "AWS_CA_BUNDLE", config->ca_bundle },
    };
    size_t n = 0;
    char **list;
    int r;

    while (own[n])
        n++;
    list = calloc(n + ARRAY_SIZE(settings) + 1, sizeof(*list));
    r = list ? fill(config, own, settings, ARRAY_SIZE(settings), list) : -ENOMEM;
    if (r < 0)
        credentials_free_list(list);
    else
        *ret = list;
    return r;
}

const char *aws_process_environment_missing(const AwsConfig *config, char *const *own, size_t *at) {
    const StringList *wanted = &config->process_environment;

    while (*at < wanted->n) {
        const char *name = wanted->items[(*at)++];
        size_t i = 0;

        while (own[i] && !is_named(own[i], name))
            i++;
        if (!own[i])
            return name;
    }
    return NULL;
}

/* ---- the providers ---- */

static int environment_provider(Loop *loop, CredentialsProvider **ret) {
    const char *token = aws_env("AWS_SESSION_TOKEN");

    return credentials_env_new(loop, aws_env("AWS_ACCESS_KEY_ID"), aws_env("AWS_SECRET_ACCESS_KEY"),
                               token ? token : aws_env("AWS_SECURITY_TOKEN"), ret);
}

static int imds_provider(const AwsSetup *aws, CredentialsProvider **ret) {
    const char *endpoint = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = aws_env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (!endpoint && mode && strcasecmp(mode, "IPv4") != 0 && strcasecmp(mode, "IPv6") != 0)
        return credentials_error_new(
                aws->loop, "environment: AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6",
                ret);
    if (!endpoint)
        endpoint = mode && strcasecmp(mode, "IPv6") == 0 ? IMDS_IPV6 : IMDS_IPV4;
    return credentials_imds_new(aws->loop, aws->http, endpoint, ret);
}

static int container_provider(const AwsSetup *aws, CredentialsProvider **ret) {
    ContainerOptions options = {
        .relative_uri = aws_env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        .full_uri = aws_env("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        .token_file = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        .token = aws_env("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };

    return credentials_container_new(aws->loop, aws->http, &options, ret);
}

static int web_identity_provider(const AwsSetup *aws, CredentialsProvider **ret) {
    const char *name = aws_env("AWS_ROLE_SESSION_NAME"), *problem;
    StsRole role = { .arn = aws_env("AWS_ROLE_ARN"), .session_name = name ? name : aws->session_name };
    char message[256];

    problem = sts_role_problem(&role);
    if (!problem)
        return credentials_web_identity_new(aws->client, aws->region, &role,
                                            aws_env("AWS_WEB_IDENTITY_TOKEN_FILE"), ret);
    (void)snprintf(message, sizeof(message),
                   "environment: AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN or "
                   "AWS_ROLE_SESSION_NAME will not do: %s",
                   problem);
    return credentials_error_new(aws->loop, message, ret);
}

static void warn_of_missing_variables(const Config *config) {
    const char *name;
    size_t at = 0;

    while ((name = aws_process_environment_missing(&config->aws, environ, &at)))
        log_line(LOG_WARNING, "aws.process_environment: %s is not set in TrailGuard's own environment",
                 name);
}

static int profile_provider(const Config *config, const AwsLocation *location, const AwsSetup *aws,
                            CredentialsProvider **ret) {
    bool imds_off = aws_env_is_true("AWS_EC2_METADATA_DISABLED");
    ProfileOptions options = {
        .credentials_file = location->credentials_file,
        .config_file = location->config_file,
        .profile = location->name,
        .file_required = config->aws.credentials_file,
        .config_required = config->aws.config_file,
        .file_named = location->file_named,
        .config_named = location->config_named,
        .profile_required = location->named || config->aws.credentials_file,
        .region = aws->region,
        .session_name = aws->session_name,
    };
    char **environment = NULL;
    int r;

    r = aws_process_environment_new(&config->aws, environ, home_of(""), &environment);
    options.environment = (const char *const *)environment;
    if (r >= 0)
        r = environment_provider(aws->loop, &options.from_environment);
    if (r >= 0)
        r = container_provider(aws, &options.from_container);
    if (r >= 0 && !imds_off)
        r = imds_provider(aws, &options.from_instance);
    if (r >= 0)
        r = credentials_profile_new(aws->client, &options, ret);
    else {
        credentials_provider_free(options.from_environment);
        credentials_provider_free(options.from_container);
    }
    credentials_free_list(environment);
    return r;
}

enum { PROVIDERS_MAX = 5 };

/* After an error, providers has those that were created. */
static int make_providers(const Config *config, const AwsLocation *location, const AwsSetup *aws,
                          CredentialsProvider *providers[static PROVIDERS_MAX], unsigned *n) {
    int r = 0;

    if (!config->aws.profile && !config->aws.credentials_file) {
        r = environment_provider(aws->loop, &providers[*n]);
        *n += r >= 0;
    }
    if (r >= 0) {
        r = profile_provider(config, location, aws, &providers[*n]);
        *n += r >= 0;
    }
    if (r >= 0 && aws_env("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        r = web_identity_provider(aws, &providers[*n]);
        *n += r >= 0;
    }
    if (r >= 0) {
        r = container_provider(aws, &providers[*n]);
        *n += r >= 0;
    }
    if (r >= 0 && !aws_env_is_true("AWS_EC2_METADATA_DISABLED")) {
        r = imds_provider(aws, &providers[*n]);
        *n += r >= 0;
    }
    return r;
}

int aws_credentials_open(const Config *config, const AwsLocation *location, AwsSetup *aws) {
    CredentialsProvider *providers[PROVIDERS_MAX], *chain;
    unsigned n = 0;
    int r;

    warn_of_missing_variables(config);
    r = make_providers(config, location, aws, providers, &n);
    if (r < 0) {
        while (n > 0)
            credentials_provider_free(providers[--n]);
        return r;
    }
    r = credentials_chain_new(providers, n, &chain);
    return r < 0 ? r : credentials_cache_new(aws->loop, chain, &aws->credentials);
}
