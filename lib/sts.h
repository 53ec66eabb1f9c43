/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS STS, API version 2011-06-15 (Query protocol): who we are, and sessions of roles. Both ask the regional
 * endpoint. Source: AWS Security Token Service API Reference. */

#include "lib/arn.h"
#include "lib/operation.h"

/* ---- GetCallerIdentity: needs no permission ---- */

typedef struct StsIdentity {
    char account[16]; /* 12 digits */
    char arn[ARN_MAX];
} StsIdentity;

/* No input. */
DECLARE_OPERATION(sts_get_caller_identity, void, const StsIdentity);

/* ---- AssumeRole, AssumeRoleWithWebIdentity ---- */

#define STS_SESSION_NAME_MAX     65    /* bytes with the NUL */
#define STS_WEB_TOKEN_MAX        20000 /* bytes of a web identity token */

/* Which session of which role. */
typedef struct StsRole {
    const char *arn;
    const char *session_name; /* shown in CloudTrail's records */
    const char *external_id;  /* NULL or "": none; AssumeRole only */
    unsigned duration_sec;    /* 0: AWS's default, 3600 */
} StsRole;

/* NULL when AWS would take it, else what is wrong and what is allowed, static text: arn that of an IAM role;
 * session_name 2..64 of [A-Za-z0-9_+=,.@-]; external_id 2..1224 of the same, ':' and '/'; duration_sec 0 or
 * 900..43200. Pure. */
const char *sts_role_problem(const StsRole *role);

/* "PREFIX-HOST" made of the characters that a session name may have: others become '-', the end is cut off.
 * host may be NULL or "". Returns ret. Pure. */
const char *sts_session_name(char ret[static STS_SESSION_NAME_MAX], const char *prefix, const char *host);

/* The value is the session's keys (take a reference), with expires_usec by this host's clock. -EINVAL when
 * sts_role_problem finds one. Takes at most half of what a call may take, so that a call which waits for the
 * session hears how it went. */
DECLARE_OPERATION(sts_assume_role, StsRole, Credentials);

/* To be sent without credentials: token (1..STS_WEB_TOKEN_MAX bytes, else -EINVAL) is the proof. */
typedef struct StsWebIdentity {
    StsRole role;
    const char *token;
} StsWebIdentity;
DECLARE_OPERATION(sts_assume_role_with_web_identity, StsWebIdentity, Credentials);
