/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

/* Of what AWS said, however long the role's ARN is; and what providers around this one may put before it. */
#define WHY_LEAST   160
#define AROUND_MOST 80

/* At any time it waits for exactly one of the two. */
struct SessionGet {
    CredentialsRequest q;
    SessionProvider *owner;
    OperationCall *call;
};

/* The provider may be gone after this. */
static void get_end(SessionGet *g, CredentialsStatus status, Credentials *credentials, const char *message) {
    operation_cancel(g->call);
    credentials_request_end(&g->q, status, credentials, message);
}

static void get_fail(SessionGet *g, CredentialsStatus status, const char *why) {
    char message[CREDENTIALS_MESSAGE_MAX];

    if (snprintf(message, sizeof(message), "role %s: %s", g->owner->role.arn, why) >= (int)sizeof(message))
        memcpy(message + sizeof(message) - 4, "...", 4);
    get_end(g, status, NULL, message);
}

/* Also when the role that was to assume this one was denied. */
static bool is_denied(const AwsError *error) {
    return error->class == AWS_DENIED ||
           (error->class == AWS_NO_CREDENTIALS && strcmp(error->code, "AccessDenied") == 0);
}

/* The whole becomes the message of an AwsError, and what is cut off is its end, where the request id is. */
static size_t room_for_why(const SessionGet *g) {
    size_t taken = strlen("role : ") + strlen(g->owner->role.arn) + AROUND_MOST;
    size_t room = sizeof(((AwsError *)NULL)->message);

    return taken + WHY_LEAST < room ? room - taken : WHY_LEAST;
}

void session_done(const AwsError *error, Credentials *credentials, void *userdata) {
    SessionGet *g = userdata;
    char why[CREDENTIALS_MESSAGE_MAX];

    g->call = NULL;
    if (error->class == AWS_OK) {
        get_end(g, CREDENTIALS_OK, credentials, "");
        return;
    }
    (void)aws_error_text(error, NULL, why, room_for_why(g));
    get_fail(g, is_denied(error) ? CREDENTIALS_DENIED : CREDENTIALS_FAILED, why);
}

static void on_turn(void *userdata) {
    SessionGet *g = userdata;
    char why[CREDENTIALS_MESSAGE_MAX] = "";
    int r;

    g->q.timer = NULL;
    r = g->owner->start(g->owner, g, &g->call, why, sizeof(why));
    if (r < 0)
        get_fail(g, CREDENTIALS_FAILED, why[0] ? why : strerror(-r));
}

static int session_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    SessionProvider *s = CONTAINER_OF(provider, SessionProvider, provider);
    CredentialsRequest *q;
    int r;

    r = credentials_request_start(&s->requests, sizeof(SessionGet), on_turn, done, userdata, &q);
    if (r >= 0)
        ((SessionGet *)q)->owner = s;
    return r;
}

static void free_texts(SessionProvider *s) {
    free(s->region);
    free((char *)s->role.arn);
    free((char *)s->role.session_name);
    free((char *)s->role.external_id);
}

static void session_destroy(CredentialsProvider *provider) {
    SessionProvider *s = CONTAINER_OF(provider, SessionProvider, provider);

    while (s->requests.first)
        get_end((SessionGet *)s->requests.first, CREDENTIALS_FAILED, NULL, "cancelled");
    if (s->done)
        s->done(s);
    free_texts(s);
    free(s);
}

static const CredentialsProviderOps session_ops = {
    .get = session_get,
    .destroy = session_destroy,
};

int session_init(SessionProvider *provider, AwsClient *client, const char *region, const StsRole *role,
                 int (*start)(SessionProvider *, SessionGet *, OperationCall **, char *, size_t),
                 void (*done)(SessionProvider *)) {
    bool has_id = role->external_id && role->external_id[0];

    if (sts_role_problem(role) || !endpoint_region_is_valid(region))
        return -EINVAL;
    *provider = (SessionProvider){
        .provider.ops = &session_ops,
        .client = client,
        .requests.loop = aws_client_loop(client),
        .region = strdup(region),
        .role = {
            .arn = strdup(role->arn),
            .session_name = strdup(role->session_name),
            .external_id = has_id ? strdup(role->external_id) : NULL,
            .duration_sec = role->duration_sec,
        },
        .start = start,
        .done = done,
    };
    if (!provider->region || !provider->role.arn || !provider->role.session_name ||
        (has_id && !provider->role.external_id)) {
        free_texts(provider);
        return -ENOMEM;
    }
    return 0;
}
