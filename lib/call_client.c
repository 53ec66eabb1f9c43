/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/call_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

#define DEADLINE_MAX_USEC (60 * USEC_PER_SEC)
#define URL_MAX 2048
/* A correction that differs by more than this from the one last told is told again. */
#define SKEW_TOLD_USEC (60 * (int64_t)USEC_PER_SEC)

static char *copy_text(const char *s, bool *failed) {
    char *copy = s ? strdup(s) : NULL;

    *failed = *failed || (s && !copy);
    return copy;
}

static void overrides_free(EndpointOverrides *o) {
    free((char *)o->file_url);
    free((char *)o->url);
    for (size_t i = 0; i < _AWS_SERVICE_MAX; i++)
        free((char *)o->service_url[i]);
}

static int overrides_copy(const EndpointOverrides *o, EndpointOverrides *ret) {
    EndpointOverrides copy = { 0 };
    bool failed = false;

    if (o) {
        copy.file_url = copy_text(o->file_url, &failed);
        copy.url = copy_text(o->url, &failed);
        for (size_t i = 0; i < _AWS_SERVICE_MAX; i++)
            copy.service_url[i] = copy_text(o->service_url[i], &failed);
        copy.fips = o->fips;
        copy.dual_stack = o->dual_stack;
    }
    if (failed) {
        overrides_free(&copy);
        return -ENOMEM;
    }
    *ret = copy;
    return 0;
}

int aws_client_new(HttpClient *http, Loop *loop, const AwsLimits *limits, const EndpointOverrides *overrides,
                   AwsClient **ret) {
    AwsClient *c;
    int r;

    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->http = http;
    c->loop = loop;
    c->limits = *limits;
    r = overrides_copy(overrides, &c->overrides);
    if (r < 0) {
        free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void aws_client_set_skew_callback(AwsClient *client, AwsSkewNoticed noticed, void *userdata) {
    client->noticed = noticed;
    client->noticed_userdata = userdata;
}

void aws_client_set_observer(AwsClient *client, const AwsObserver *observer) {
    client->observed = observer != NULL;
    if (observer)
        client->observer = *observer;
}

static void scope_free(Scope *s) {
    pace_table_done(&s->paces);
    free(s->url);
    free(s->host);
    free(s);
}

void aws_client_free(AwsClient *client) {
    if (!client)
        return;
    while (client->scopes) {
        Scope *s = client->scopes;

        client->scopes = s->next;
        scope_free(s);
    }
    overrides_free(&client->overrides);
    free(client);
}

Loop *aws_client_loop(AwsClient *client) {
    return client->loop;
}

uint64_t aws_client_deadline_usec(const AwsClient *client) {
    uint64_t one = client->limits.request_timeout_usec;
    unsigned n = MAX(client->limits.max_attempts, 1U);

    return one > DEADLINE_MAX_USEC / n ? DEADLINE_MAX_USEC : one * n;
}

static int scope_fill(const AwsClient *client, Scope *s) {
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(URL_MAX), host = STRBUF_INIT(URL_MAX);
    int r;

    r = endpoint_url(&client->overrides, s->service, s->region, &url);
    if (r >= 0)
        r = endpoint_host(strbuf_str(&url), &host);
    if (r >= 0)
        r = strbuf_take(&url, &s->url);
    if (r >= 0)
        r = strbuf_take(&host, &s->host);
    return r == -E2BIG ? -EINVAL : r;
}

int scope_find(AwsClient *client, AwsService service, const char *region, Scope **ret) {
    Scope *s;
    int r;

    region = endpoint_service_region(service, region);
    if (!region)
        return -EINVAL;
    for (s = client->scopes; s; s = s->next)
        if (s->service == service && strcmp(s->region, region) == 0) {
            *ret = s;
            return 0;
        }
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->service = service;
    s->quota = RETRY_QUOTA_INIT;
    r = text_copy(s->region, sizeof(s->region), region) ? scope_fill(client, s) : -EINVAL;
    if (r < 0) {
        scope_free(s);
        return r;
    }
    client->n_scopes++;
    s->place = MIN(client->n_scopes, (unsigned)HTTP_PLACES_MAX);
    s->next = client->scopes;
    client->scopes = s;
    *ret = s;
    return 0;
}

/* ---- its clock ---- */

uint64_t scope_time(const Scope *scope, uint64_t real_usec) {
    int64_t offset = scope->offset_usec;

    if (offset < 0)
        return (uint64_t)-offset < real_usec ? real_usec - (uint64_t)-offset : 0;
    return real_usec + (uint64_t)offset;
}

void scope_set_offset(AwsClient *client, Scope *scope, int64_t offset_usec) {
    int64_t change = offset_usec - scope->offset_told_usec;

    scope->offset_usec = offset_usec;
    if (change <= SKEW_TOLD_USEC && change >= -SKEW_TOLD_USEC)
        return;
    scope->offset_told_usec = offset_usec;
    if (client->noticed)
        client->noticed(scope->host, offset_usec, client->noticed_userdata);
}
