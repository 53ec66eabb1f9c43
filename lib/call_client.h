/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all calls of a client share: where each service is in each region, and what was learnt there. Private
 * to lib/call.c and lib/call_client.c. */

#include "lib/call.h"
#include "lib/pace.h"
#include "lib/retry.h"

#define CALL_REGION_MAX 32

/* What the calls to one service in one region share. */
typedef struct Scope {
    struct Scope *next;
    AwsService service;
    char region[CALL_REGION_MAX];
    char *url;
    char *host;             /* as it is signed */
    unsigned place;         /* see HttpRequest */
    RetryQuota quota;
    PaceTable paces;        /* by credentials and class of call */
    int64_t offset_usec;    /* AWS's clock less ours, as far as it had to be corrected */
    int64_t offset_told_usec;
} Scope;

struct AwsClient {
    HttpClient *http;
    Loop *loop;
    AwsLimits limits;
    EndpointOverrides overrides;
    Scope *scopes;
    unsigned n_scopes;
    AwsSkewNoticed noticed;
    void *noticed_userdata;
    bool observed;
    AwsObserver observer;
};

/* The scope of a service as it is asked in region; made when it is the first time, and kept as long as the
 * client. 0; -EINVAL for a region that is none, or an endpoint that cannot be; -ENOMEM. */
int scope_find(AwsClient *client, AwsService service, const char *region, Scope **ret);

/* real_usec of our clock, as AWS's clock there shows it. */
uint64_t scope_time(const Scope *scope, uint64_t real_usec);

/* Corrects the clock for the scope from now on, and tells the client's callback when that is news. */
void scope_set_offset(AwsClient *client, Scope *scope, int64_t offset_usec);
