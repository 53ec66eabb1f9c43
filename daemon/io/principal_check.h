/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One user or role of the guard: what it is and has, and whether IAM would allow what the guard needs.
 * Changes nothing in AWS. */

#include <jansson.h>

#include "daemon/core/protection.h"
#include "lib/call.h"
#include "lib/iam.h"

typedef struct PrincipalCheckRequest {
    AwsClient *aws;
    CredentialsProvider *credentials;
    const char *region;        /* of the partition */
    const char *arn;           /* of the user or role; the path of a role may be missing */
    bool path_is_known;        /* it is not */
    bool reads;                /* also what it is and has */
    const json_t *statements;  /* what it must be allowed; NULL: nothing is simulated */
    const char *const *trails; /* ARNs, for statements about any trail */
    size_t n_trails;
} PrincipalCheckRequest;

#define PRINCIPAL_LOSSES_MAX 200U

typedef struct PrincipalKey {
    char id[32];
    bool active;
    uint64_t created_usec; /* real; 0: not said */
} PrincipalKey;

#define PRINCIPAL_KEYS_MAX 2U /* AWS allows no more */

typedef struct PrincipalFound {
    char arn[ARN_MAX];              /* with the path, where it could be found out */
    bool path_is_known;
    GuardParts parts;               /* may be taken over */
    char *trust, *boundary;         /* NULL: not known; "": none */
    PrincipalKey keys[PRINCIPAL_KEYS_MAX];
    size_t n_keys;
    char unread[ERROR_TEXT_MAX];    /* why something could not be read, the first of it; "": all was */
    bool denied;                    /* ... because IAM denies it */
    AwsError error;                 /* of the simulation */
    bool simulated;                 /* every statement was */
    size_t n_allowed;
    GuardLosses losses; /* at most PRINCIPAL_LOSSES_MAX are kept */
} PrincipalFound;

typedef struct PrincipalCheck PrincipalCheck;

/* found is valid inside the call only. */
typedef void (*PrincipalChecked)(PrincipalFound *found, void *userdata);

/* Everything of the request is borrowed until done was called: exactly once, never from inside. At most
 * GUARD_PARTS_MAX calls for what it has, and one a statement. 0, -EINVAL when it is no user or role, or
 * -ENOMEM. */
int principal_check_start(const PrincipalCheckRequest *request, PrincipalChecked done, void *userdata,
                          PrincipalCheck **ret);
/* Ends it without calling done. NULL is fine. */
void principal_check_cancel(PrincipalCheck *check);
