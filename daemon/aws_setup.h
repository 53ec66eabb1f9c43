/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The AWS side of a configuration, assembled from lib/: HTTP client, credential providers, endpoints.
 * Shared by the daemon and the verbs that call AWS. Only this and aws_credentials read AWS's environment
 * variables. */

#include "daemon/config/config.h"
#include "lib/call.h"
#include "lib/credentials.h"
#include "lib/http.h"
#include "lib/loop.h"
#include "lib/sts.h"

typedef struct sd_event sd_event;

/* The settings in use, for people: from the file, the environment or a profile. Without secrets. */
typedef struct AwsFacts {
    char profile[128];
    char credentials_file[512], config_file[512]; /* the paths; "": none */
    char proxy[320];                              /* without user and password; "": none */
    const char *proxy_by;                         /* the source of the proxy: static */
    char ca_bundle[512];                          /* "": the system's */
    bool fips, dual_stack;
} AwsFacts;

typedef struct AwsSetup {
    sd_event *event; /* borrowed */
    Loop *loop;
    HttpClient *http;
    AwsClient *client;
    CredentialsProvider *credentials; /* a cache over the chain */
    /* For calls without a region of their own: $AWS_REGION, $AWS_DEFAULT_REGION, the profile's, the first
     * configured one, or us-east-1. */
    char region[32];
    char session_name[STS_SESSION_NAME_MAX]; /* "trailguard-HOST", for roles without a session name */
    AwsFacts facts;
} AwsSetup;

#define AWS_SETUP_ERROR_MAX 512

/* 0, or -errno with one line in error. */
int aws_setup_open(sd_event *event, const Config *config, AwsSetup *ret,
                   char error[static AWS_SETUP_ERROR_MAX]);
/* Call after all calls have ended or been cancelled. */
void aws_setup_close(AwsSetup *aws);

/* A cache over sessions of a role, assumed with the base credentials through STS in region; session_name may
 * be NULL. Borrows from aws and must be freed before it. 0, -ENOMEM, or -EINVAL if sts_role_problem finds
 * one. */
int aws_setup_role(const AwsSetup *aws, const char *region, const StsRole *role, CredentialsProvider **ret);
