/* SPDX-License-Identifier: Apache-2.0 */
/* Provides the credentials of a profile in AWS's shared files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/call.h"
#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/ini.h"
#include "lib/profile.h"
#include "lib/sts.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct ProfileProvider {
    RequestProvider base;
    AwsClient *client;
    char *credentials_file, *config_file, *profile, *region, *session_name;
    bool file_required, config_required, file_named, config_named, profile_required;
    char **environment; /* may contain secrets */
    CredentialsProvider
            *bases[PROFILE_BASE_CONTAINER + 1]; /* by ProfileBase; NULL if a request creates its own */
} ProfileProvider;

/* A request creates the providers that the files describe at that time: the base, unless it is one of bases,
 * then one per role; and asks the last of them. */
typedef struct ProfileRequest {
    CredentialsRequest request;
    CredentialsProvider *providers[PROFILE_ROLES_MAX + 1];
    size_t n_providers;
    bool ended;
} ProfileRequest;

static ProfileProvider *provider_of(const ProfileRequest *r) {
    return CONTAINER_OF(r->request.owner, ProfileProvider, base);
}

static void profile_stop(CredentialsRequest *request) {
    ProfileRequest *r = CONTAINER_OF(request, ProfileRequest, request);

    r->ended = true;
    while (r->n_providers > 0)
        credentials_provider_free(r->providers[--r->n_providers]);
}

/* ---- the files ---- */

typedef struct Texts {
    char *credentials, *config;
    ProfileFiles files;
} Texts;

static void texts_done(Texts *t) {
    file_free_secret(t->credentials, t->files.credentials.len);
    file_free_secret(t->config, t->files.config.len);
}

/* A missing file is empty; message may have the reason. */
static int profile_provider_read_text(const char *path, bool named, char **text, ProfileFile *ret,
                                      char *message, size_t size) {
    bool skipped;
    int r;

    ret->path = path;
    if (!path)
        return 0;
    r = file_read(path, INI_FILE_MAX, text, &ret->len);
    if (r == -ENOENT)
        return 0;
    skipped = r == -EINVAL || (!named && (r == -EACCES || r == -ENOTDIR || r == -ELOOP));
    if (r < 0) {
        snprintf(message, size, "%s: %s", path,
                 r == -E2BIG    ? "is larger than a credentials file can be"
                 : r == -EINVAL ? "is not a regular file"
                                : strerror(-r));
        return skipped ? 0 : r;
    }
    ret->text = *text;
    return 0;
}

/* The required file that is missing, or NULL. */
static const char *find_missing(const ProfileProvider *s, const Texts *t) {
    if (!t->credentials && s->file_required && s->credentials_file)
        return s->credentials_file;
    if (!t->config && s->config_required && s->config_file)
        return s->config_file;
    if (t->credentials || t->config)
        return NULL;
    return s->credentials_file ? s->credentials_file : s->config_file ? s->config_file : "no file";
}

static CredentialsStatus make_plan(const ProfileProvider *s, ProfilePlan *ret, char *message, size_t size) {
    CredentialsStatus status = CREDENTIALS_FAILED;
    const char *missing;
    Texts t = { 0 };
    int r;

    r = profile_provider_read_text(s->credentials_file, s->file_named, &t.credentials, &t.files.credentials,
                                   message, size);
    if (r >= 0)
        r = profile_provider_read_text(s->config_file, s->config_named, &t.config, &t.files.config, message,
                                       size);
    missing = find_missing(s, &t);
    if (r >= 0 && missing) {
        if (!text_starts_with(message, missing))
            snprintf(message, size, "%s: %s", missing, strerror(ENOENT));
        status = s->file_required || s->config_required || s->profile_required ? CREDENTIALS_FAILED
                                                                               : CREDENTIALS_NONE;
    } else if (r >= 0) {
        r = profile_plan(&t.files, s->profile, ret, message, size);
        status = r >= 0                                 ? CREDENTIALS_OK
                 : r == -ENOENT && !s->profile_required ? CREDENTIALS_NONE
                 : r == -ENODATA && !s->file_required   ? CREDENTIALS_NONE
                                                        : CREDENTIALS_FAILED;
    }
    texts_done(&t);
    return status;
}

/* ---- from a plan to providers ---- */

static StsRole role_of(const ProfileProvider *s, const Profile *profile, unsigned duration_sec) {
    const char *name = profile->values[PROFILE_SESSION_NAME];

    return (StsRole){
        .arn = profile->values[PROFILE_ROLE_ARN],
        .session_name = name ? name : s->session_name,
        .external_id = profile->values[PROFILE_EXTERNAL_ID],
        .duration_sec = duration_sec,
    };
}

/* What the base alone needs; for a key a provider is only created if roles follow. */
static int make_base(const ProfileProvider *s, const ProfilePlan *plan, CredentialsProvider **ret,
                     StsRole *ret_role) {
    Loop *loop = aws_client_loop(s->client);
    char *const *values = plan->profile.values;

    switch (plan->base) {
    case PROFILE_BASE_KEYS:
        return credentials_env_new(loop, values[PROFILE_KEY_ID], values[PROFILE_KEY_SECRET],
                                   values[PROFILE_KEY_TOKEN], ret);
    case PROFILE_BASE_PROCESS:
        return credentials_process_new(loop, values[PROFILE_PROCESS], (const char *const *)s->environment,
                                       ret);
    case PROFILE_BASE_WEB_IDENTITY:
        *ret_role = role_of(s, &plan->profile, plan->web_duration_sec);
        return credentials_web_identity_new(s->client, s->region, ret_role, values[PROFILE_WEB_TOKEN_FILE],
                                            ret);
    case PROFILE_BASE_ENVIRONMENT:
    case PROFILE_BASE_INSTANCE:
    case PROFILE_BASE_CONTAINER: break;
    }
    return -EOPNOTSUPP;
}

static void explain(const ProfileProvider *s, int error, const StsRole *role, char *message, size_t size) {
    const char *problem = error == -EINVAL && role->arn ? sts_role_problem(role) : NULL;
    char shown[96], arn[160];

    text_escaped(shown, sizeof(shown), s->profile);
    if (problem)
        snprintf(message, size, "profile \"%s\": role %s: %s", shown,
                 text_escaped(arn, sizeof(arn), role->arn), problem);
    else if (error == -EOPNOTSUPP)
        snprintf(message, size, "profile \"%s\": its credential_source is switched off here", shown);
    else
        snprintf(message, size, "profile \"%s\": %s", shown, strerror(-error));
}

/* *ret: the provider to ask, the last of the request's, or one of the owner's. */
static int build(ProfileRequest *request, const ProfilePlan *plan, CredentialsProvider **ret, char *message,
                 size_t size) {
    ProfileProvider *s = provider_of(request);
    CredentialsProvider *last = s->bases[plan->base];
    StsRole role = { 0 };
    int r = 0;

    if (!last) {
        r = make_base(s, plan, &last, &role);
        if (r >= 0)
            request->providers[request->n_providers++] = last;
    }
    for (size_t i = plan->n_roles; i-- > 0 && r >= 0;) {
        role = role_of(s, &plan->roles[i], plan->durations_sec[i]);
        r = credentials_assume_role_new(s->client, last, s->region, &role, &last);
        if (r >= 0)
            request->providers[request->n_providers++] = last;
    }
    if (r < 0)
        explain(s, r, &role, message, size);
    else
        *ret = last;
    return r;
}

/* ---- one request ---- */

static void on_provider(CredentialsStatus status, Credentials *credentials, const char *message,
                        void *userdata) {
    ProfileRequest *r = userdata;
    char about[CREDENTIALS_MESSAGE_MAX], shown[96];

    if (r->ended)
        return;
    if (status == CREDENTIALS_OK) {
        credentials_request_end(&r->request, status, credentials, "");
        return;
    }
    (void)snprintf(about, sizeof(about), "profile \"%s\"",
                   text_escaped(shown, sizeof(shown), provider_of(r)->profile));
    /* The profile names it, so it must exist. */
    credentials_request_fail(&r->request, status == CREDENTIALS_NONE ? CREDENTIALS_FAILED : status, about,
                             "%s", message);
}

static void answer_with_key(ProfileRequest *r, const Profile *profile) {
    char *const *values = profile->values;
    Credentials *credentials;

    credentials = credentials_new(values[PROFILE_KEY_ID], values[PROFILE_KEY_SECRET],
                                  values[PROFILE_KEY_TOKEN], 0, "profile");
    credentials_request_end(&r->request, credentials ? CREDENTIALS_OK : CREDENTIALS_FAILED, credentials,
                            credentials ? "" : "profile: out of memory");
    credentials_unref(credentials);
}

/* Names the part of a plan's key that cannot be sent. */
static bool has_bad_key(const ProfileProvider *s, const ProfilePlan *plan, char *message, size_t size) {
    static const char *const names[] = { "aws_access_key_id", "aws_secret_access_key", "aws_session_token" };
    char *const *values = plan->profile.values;
    char shown[96];
    int bad;

    if (plan->base != PROFILE_BASE_KEYS)
        return false;
    bad = credentials_unsendable(values[PROFILE_KEY_ID], values[PROFILE_KEY_SECRET],
                                 values[PROFILE_KEY_TOKEN]);
    if (bad >= 0)
        (void)snprintf(message, size, "profile \"%s\": %s " CREDENTIALS_UNSENDABLE,
                       text_escaped(shown, sizeof(shown), s->profile), names[bad]);
    return bad >= 0;
}

static void follow_plan(ProfileRequest *r, const ProfilePlan *plan) {
    char message[CREDENTIALS_MESSAGE_MAX] = "";
    CredentialsProvider *provider;

    if (!has_bad_key(provider_of(r), plan, message, sizeof(message))) {
        if (plan->base == PROFILE_BASE_KEYS && plan->n_roles == 0) {
            answer_with_key(r, &plan->profile);
            return;
        }
        if (build(r, plan, &provider, message, sizeof(message)) >= 0) {
            if (credentials_get(provider, on_provider, r) >= 0)
                return;
            (void)text_copy(message, sizeof(message), "profile: out of memory");
        }
    }
    credentials_request_end(&r->request, CREDENTIALS_FAILED, NULL, message);
}

static void profile_begin(CredentialsRequest *request) {
    ProfileRequest *r = CONTAINER_OF(request, ProfileRequest, request);
    char message[CREDENTIALS_MESSAGE_MAX] = "";
    CredentialsStatus status;
    ProfilePlan plan;

    status = make_plan(provider_of(r), &plan, message, sizeof(message));
    if (status != CREDENTIALS_OK) {
        credentials_request_end(request, status, NULL, message);
        return;
    }
    follow_plan(r, &plan);
    profile_plan_done(&plan);
}

/* ---- the provider ---- */

static void profile_free(RequestProvider *provider) {
    ProfileProvider *s = CONTAINER_OF(provider, ProfileProvider, base);

    for (size_t i = 0; i < ARRAY_SIZE(s->bases); i++)
        credentials_provider_free(s->bases[i]);
    credentials_free_list(s->environment);
    free(s->credentials_file);
    free(s->config_file);
    free(s->profile);
    free(s->region);
    free(s->session_name);
    free(s);
}

int credentials_profile_new(AwsClient *client, const ProfileOptions *options, CredentialsProvider **ret) {
    static const RequestProviderType type = {
        .request_size = sizeof(ProfileRequest),
        .begin = profile_begin,
        .stop = profile_stop,
        .free = profile_free,
    };
    ProfileProvider *s = request_provider_new(&type, sizeof(*s), aws_client_loop(client));

    if (!s) {
        credentials_provider_free(options->from_environment);
        credentials_provider_free(options->from_instance);
        credentials_provider_free(options->from_container);
        return -ENOMEM;
    }
    s->client = client;
    s->bases[PROFILE_BASE_ENVIRONMENT] = options->from_environment;
    s->bases[PROFILE_BASE_INSTANCE] = options->from_instance;
    s->bases[PROFILE_BASE_CONTAINER] = options->from_container;
    s->file_required = options->file_required;
    s->config_required = options->config_required;
    s->file_named = options->file_named;
    s->config_named = options->config_named;
    s->profile_required = options->profile_required;
    if (!credentials_copy_text(options->credentials_file, &s->credentials_file) ||
        !credentials_copy_text(options->config_file, &s->config_file) ||
        !credentials_copy_text(options->profile ? options->profile : "default", &s->profile) ||
        !credentials_copy_text(options->region, &s->region) ||
        !credentials_copy_text(options->session_name, &s->session_name) ||
        !credentials_copy_list(options->environment, &s->environment)) {
        profile_free(&s->base);
        return -ENOMEM;
    }
    *ret = &s->base.provider;
    return 0;
}
