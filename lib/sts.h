/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS STS, API version 2011-06-15 (Query protocol): who we are, and sessions of roles. Per operation: a pure
 * builder of the request body, a pure reader of the answer, and the call that joins them. Source: AWS
 * Security Token Service API Reference. */

#include "lib/arn.h"
#include "lib/typed_call.h"

/* Callbacks: error->class is AWS_OK or the rest is NULL; valid inside the call only. An answer that cannot
 * be read is AWS_BAD_ANSWER. Calls: done is called exactly once, never from inside; 0, or -ENOMEM / -EINVAL
 * and then never. ret may be NULL. */
typedef TypedCall StsCall;

/* NULL is fine. */
void sts_cancel(StsCall *call);

/* ---- GetCallerIdentity: needs no permission ---- */

typedef struct StsIdentity {
    char account[16];   /* 12 digits */
    char arn[ARN_MAX];
} StsIdentity;

/* 0 or -EBADMSG. Pure. */
int sts_read_identity(const char *body, size_t len, StsIdentity *ret);

typedef void (*StsIdentityDone)(const AwsError *error, const StsIdentity *identity, void *userdata);

/* Asks the regional endpoint. */
int sts_get_caller_identity(AwsClient *client, CredentialsSource *credentials, const char *region,
                            StsIdentityDone done, void *userdata, StsCall **ret);

/* ---- AssumeRole, AssumeRoleWithWebIdentity ---- */

#define STS_SESSION_NAME_MAX 65         /* bytes with the NUL */
#define STS_WEB_TOKEN_MAX 20000         /* bytes of a web identity token */
#define STS_CHAINED_DURATION_MAX 3600U  /* seconds; a role's session may assume no longer one */

/* Which session of which role. */
typedef struct StsRole {
    const char *arn;
    const char *session_name;   /* shown in CloudTrail's records */
    const char *external_id;    /* NULL or "": none; AssumeRole only */
    unsigned duration_sec;      /* 0: AWS's default, 3600 */
} StsRole;

/* NULL when AWS would take it, else what is wrong and what is allowed, static text: arn that of an IAM role;
 * session_name 2..64 of [A-Za-z0-9_+=,.@-]; external_id 2..1224 of the same, ':' and '/'; duration_sec 0 or
 * 900..43200. Pure. */
const char *sts_role_problem(const StsRole *role);

/* "PREFIX-HOST" made of the characters that a session name may have: others become '-', the end is cut off.
 * host may be NULL or "". Returns ret. Pure. */
const char *sts_session_name(char ret[static STS_SESSION_NAME_MAX], const char *prefix, const char *host);

/* The request's body; token NULL: AssumeRole, else AssumeRoleWithWebIdentity. Appends; -EINVAL when
 * sts_role_problem finds one, else the buffer's error. Pure. */
int sts_build_assume_role(const StsRole *role, const char *token, StrBuf *ret);

/* The session's keys from an answer to either operation; source as in credentials_new. *ret is a new
 * reference. 0, -EBADMSG or -ENOMEM. Pure. */
int sts_read_session(const char *body, size_t len, const char *source, Credentials **ret);

/* credentials: borrowed (take a reference); expires_usec by this host's clock. */
typedef void (*StsSessionDone)(const AwsError *error, Credentials *credentials, void *userdata);

/* Both ask the regional endpoint and take at most half of what a call may take, so that a call which waits
 * for the session hears how it went. */
int sts_assume_role(AwsClient *client, CredentialsSource *credentials, const char *region,
                    const StsRole *role, StsSessionDone done, void *userdata, StsCall **ret);
/* Unsigned: token (1..STS_WEB_TOKEN_MAX bytes, else -EINVAL) is the proof. */
int sts_assume_role_with_web_identity(AwsClient *client, const char *region, const StsRole *role,
                                      const char *token, StsSessionDone done, void *userdata, StsCall **ret);
