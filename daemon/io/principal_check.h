/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Checks one user or role of the guard: what it has, and whether IAM would allow what the guard needs.
 * Changes nothing in AWS. */

#include <jansson.h>

#include "daemon/core/protection.h"
#include "lib/call.h"
#include "lib/iam.h"

typedef struct PrincipalCheckRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region;        /* of the partition */
    const char *arn;           /* of the user or role; a role's path may be missing */
    bool path_is_known;        /* the path is not missing */
    bool reads;                /* also read what it has */
    const json_t *statements;  /* that it must be allowed; NULL: no simulation */
    const char *const *trails; /* ARNs, for statements about any trail */
    size_t n_trails;
} PrincipalCheckRequest;

#define PRINCIPAL_LOSSES_MAX 200U

typedef struct PrincipalKey {
    char id[32];
    bool active;
    uint64_t created_usec; /* real; 0: unknown */
} PrincipalKey;

#define PRINCIPAL_KEYS_MAX 2U /* AWS's limit */

typedef struct PrincipalFound {
    char arn[ARN_MAX];              /* with its path, if that could be determined */
    bool path_is_known;
    GuardParts parts;               /* may be taken over */
    char *trust, *boundary;         /* NULL: unknown; "": none */
    PrincipalKey keys[PRINCIPAL_KEYS_MAX];
    size_t n_keys;
    char unread[ERROR_TEXT_MAX];   /* why something could not be read (the first reason); "": all was read */
    bool denied;                    /* ... because IAM denied it */
    AwsError error;                 /* of the simulation */
    bool simulated;                 /* of every statement */
    size_t n_allowed;
    GuardLosses losses; /* at most PRINCIPAL_LOSSES_MAX */
} PrincipalFound;

typedef struct PrincipalCheck PrincipalCheck;

/* found is valid only during the call. */
typedef void (*PrincipalChecked)(PrincipalFound *found, void *userdata);

/* The request is borrowed until done was called: exactly once, never from inside. Makes at most
 * GUARD_PARTS_MAX calls for what it has, and one per statement. 0, -EINVAL if it is no user or role, or
 * -ENOMEM. */
int principal_check_start(const PrincipalCheckRequest *request, PrincipalChecked done, void *userdata,
                          PrincipalCheck **ret);
/* Ends it without calling done. NULL is allowed. */
void principal_check_cancel(PrincipalCheck *check);
