/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The AWS side of a configuration, put together from lib/: HTTP client, credential sources, endpoints.
 * Shared by the daemon and by the verbs that speak to AWS. The only place of the daemon that reads AWS's
 * environment variables. */

#include "daemon/config.h"
#include "lib/call.h"
#include "lib/credentials.h"
#include "lib/http.h"
#include "lib/loop.h"

typedef struct sd_event sd_event;

typedef struct EngineAws {
    sd_event *event; /* borrowed */
    Loop *loop;
    HttpClient *http;
    CredentialsSource *credentials; /* a cache over the chain */
    AwsClient *client;
} EngineAws;

#define ENGINE_AWS_ERROR_MAX 512

/* 0, or -errno with one line in error. */
int engine_aws_open(sd_event *event, const Config *config, EngineAws *ret,
                    char error[static ENGINE_AWS_ERROR_MAX]);
/* All calls must have ended or been cancelled. */
void engine_aws_close(EngineAws *aws);

/* The region for calls that belong to no region of their own: $AWS_REGION, $AWS_DEFAULT_REGION, the first
 * configured one, or us-east-1. */
const char *engine_aws_default_region(const Config *config);
