/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/engine_environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Passed on when set: finding programs, the way out and the CAs on it, files of the unit. AWS_* is passed on
 * too. */
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

/* The keys in our environment are ours: a program that makes keys has its own way to prove who it is. */
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

/* What TrailGuard itself has it from elsewhere: a value of NULL is not known, all others win over the
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

int engine_environment_new(const AwsConfig *config, char *const *own, const char *home, char ***ret) {
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
        engine_environment_free(list);
    else
        *ret = list;
    return r;
}

void engine_environment_free(char **environment) {
    for (char **p = environment; p && *p; p++) {
        hash_wipe(*p, strlen(*p));
        free(*p);
    }
    free(environment);
}

const char *engine_environment_missing(const AwsConfig *config, char *const *own, size_t *at) {
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
