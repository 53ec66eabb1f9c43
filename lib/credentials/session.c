/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of roles. Source: AWS STS API Reference, AssumeRole and AssumeRoleWithWebIdentity. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/sts.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TOKEN_MIN 4

/* Room for AWS's error, however long the role's ARN; and for a prefix by an outer provider. */
#define WHY_LEAST   160
#define AROUND_MOST 80

typedef struct SessionProvider {
    RequestProvider base;
    AwsClient *client;
    CredentialsProvider *keys; /* borrowed; assume the role; NULL: the token does */
    char *token_file;
    char *region, *arn, *session_name, *external_id;
    StsRole role; /* with these texts */
} SessionProvider;

/* At any time it waits for its timer or the call. */
typedef struct SessionRequest {
    CredentialsRequest request;
    OperationCall *call;
} SessionRequest;

static SessionProvider *provider_of(const CredentialsRequest *request) {
    return CONTAINER_OF(request->owner, SessionProvider, base);
}

static void session_stop(CredentialsRequest *request) {
    operation_cancel(CONTAINER_OF(request, SessionRequest, request)->call);
}

static void session_fail(CredentialsRequest *request, CredentialsStatus status, const char *why) {
    char about[CREDENTIALS_MESSAGE_MAX];

    (void)snprintf(about, sizeof(about), "role %s", provider_of(request)->arn);
    credentials_request_fail(request, status, about, "%s", why);
}

/* Also if the role that was to assume this one was denied. */
static bool is_denied(const AwsError *error) {
    return error->class == AWS_DENIED ||
           (error->class == AWS_NO_CREDENTIALS && strcmp(error->code, "AccessDenied") == 0);
}

/* The whole text becomes the message of an AwsError; truncation would remove its end, with the request
 * id. */
static size_t room_for_why(const SessionProvider *s) {
    size_t taken = strlen("role : ") + strlen(s->arn) + AROUND_MOST;
    size_t room = sizeof(((AwsError *)NULL)->message);

    return taken + WHY_LEAST < room ? room - taken : WHY_LEAST;
}

static void on_session(const AwsError *error, Credentials *credentials, void *userdata) {
    SessionRequest *r = userdata;
    char why[CREDENTIALS_MESSAGE_MAX];

    r->call = NULL;
    if (error->class == AWS_OK) {
        credentials_request_end(&r->request, CREDENTIALS_OK, credentials, "");
        return;
    }
    (void)aws_error_text(error, NULL, why, room_for_why(provider_of(&r->request)));
    session_fail(&r->request, is_denied(error) ? CREDENTIALS_DENIED : CREDENTIALS_FAILED, why);
}

static char *trim(char *s) {
    size_t n;

    s += strspn(s, " \t\r\n");
    n = strlen(s);
    while (n > 0 && strchr(" \t\r\n", s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

/* 0; or -errno, and then why (size bytes) may have a more specific reason. */
static int show_token(SessionRequest *request, char *why, size_t size) {
    const SessionProvider *s = provider_of(&request->request);
    const char *token;
    char *text = NULL;
    size_t len = 0;
    bool has_nul;
    int r;

    r = file_read(s->token_file, STS_WEB_TOKEN_MAX, &text, &len);
    if (r < 0) {
        snprintf(why, size, "token file %s: %s", s->token_file,
                 r == -E2BIG    ? "is longer than a token can be"
                 : r == -EINVAL ? "is not a regular file"
                                : strerror(-r));
        return r;
    }
    has_nul = memchr(text, '\0', len);
    token = trim(text);
    if (has_nul || strlen(token) < TOKEN_MIN) {
        snprintf(why, size, "token file %s: holds no token", s->token_file);
        r = -EINVAL;
    } else
        r = sts_assume_role_with_web_identity(&(AwsCaller){ .client = s->client, .region = s->region },
                                              &(StsWebIdentity){ s->role, token }, on_session, request,
                                              &request->call);
    file_free_secret(text, len);
    return r;
}

static void session_begin(CredentialsRequest *request) {
    const SessionProvider *s = provider_of(request);
    SessionRequest *session = CONTAINER_OF(request, SessionRequest, request);
    char why[CREDENTIALS_MESSAGE_MAX] = "";
    int r;

    r = s->keys ? sts_assume_role(&(AwsCaller){ s->client, s->keys, s->region }, &s->role, on_session,
                                  session, &session->call)
                : show_token(session, why, sizeof(why));
    if (r < 0)
        session_fail(request, CREDENTIALS_FAILED, why[0] ? why : strerror(-r));
}

static void session_free(RequestProvider *provider) {
    SessionProvider *s = CONTAINER_OF(provider, SessionProvider, base);

    free(s->token_file);
    free(s->region);
    free(s->arn);
    free(s->session_name);
    free(s->external_id);
    free(s);
}

static int session_new(AwsClient *client, CredentialsProvider *keys, const char *token_file,
                       const char *region, const StsRole *role, CredentialsProvider **ret) {
    static const RequestProviderType type = {
        .request_size = sizeof(SessionRequest),
        .begin = session_begin,
        .stop = session_stop,
        .free = session_free,
    };
    bool has_id = role->external_id && role->external_id[0];
    SessionProvider *s;

    if (sts_role_problem(role) || !endpoint_region_is_valid(region))
        return -EINVAL;
    s = request_provider_new(&type, sizeof(*s), aws_client_loop(client));
    if (!s)
        return -ENOMEM;
    s->client = client;
    s->keys = keys;
    if (!credentials_copy_text(token_file, &s->token_file) || !credentials_copy_text(region, &s->region) ||
        !credentials_copy_text(role->arn, &s->arn) ||
        !credentials_copy_text(role->session_name, &s->session_name) ||
        !credentials_copy_text(has_id ? role->external_id : NULL, &s->external_id)) {
        session_free(&s->base);
        return -ENOMEM;
    }
    s->role = (StsRole){
        .arn = s->arn,
        .session_name = s->session_name,
        .external_id = s->external_id,
        .duration_sec = role->duration_sec,
    };
    *ret = &s->base.provider;
    return 0;
}

int credentials_assume_role_new(AwsClient *client, CredentialsProvider *base, const char *region,
                                const StsRole *role, CredentialsProvider **ret) {
    return session_new(client, base, NULL, region, role, ret);
}

int credentials_web_identity_new(AwsClient *client, const char *region, const StsRole *role,
                                 const char *token_file, CredentialsProvider **ret) {
    return session_new(client, NULL, token_file, region, role, ret);
}
