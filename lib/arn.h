/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Amazon Resource Names: arn:partition:service:region:account:resource. Pure. */

#include <stdbool.h>

/* Bytes with the NUL of any ARN that is accepted. The longest is that of a policy of IAM, with a path of 512
 * characters and a name of 128 (IAM API Reference). */
#define ARN_MAX 704

typedef struct Arn {
    char partition[24];
    char service[32];
    char region[32];
    char account[16];        /* 12 digits, or "" */
    char resource[ARN_MAX];  /* everything after the fifth colon, e.g. "trail/main" */
} Arn;

/* 0, or -EINVAL for anything that is not an ARN: fields too long, partition, service or resource empty,
 * characters other than a-z 0-9 - in the first three, control bytes, an account that is not 12 digits. */
int arn_parse(const char *s, Arn *ret);

/* The same where ARN_ANY_ACCOUNT may stand for the account. */
#define ARN_ANY_ACCOUNT "*"
int arn_parse_any_account(const char *s, Arn *ret);

/* A trail's ARN: service cloudtrail, region and account present, resource trail/NAME with a legal name. */
bool arn_is_trail(const Arn *arn);

/* A topic's ARN: service sns, region and account present, resource 1..256 of [A-Za-z0-9_-], ".fifo" allowed
 * at the end (and counted). */
bool arn_is_topic(const Arn *arn);

/* A role's ARN: service iam, no region, an account, resource role/NAME or role/PATH/NAME with a legal
 * name. */
bool arn_is_role(const Arn *arn);

/* Callers as people name them: the ARN of a user, of a role (any session of it) or of one session of a role
 * (assumed-role/ROLE/SESSION). The account may be "*": the principal of that name in whichever account. */
bool arn_principal_is_valid(const char *s);

/* Whether a caller, by its ARN as CloudTrail records it, is that principal. */
bool arn_principal_is(const char *principal, const char *caller);

/* The name part of a trail's or role's ARN: after the last '/', inside arn->resource; all of it without a
 * '/'. */
const char *arn_name(const Arn *arn);

/* A legal trail name: 3..128 of [A-Za-z0-9._-], first and last alphanumeric, no two separators side by side,
 * not in the form of an IPv4 address (CloudTrail API Reference, CreateTrail). */
bool arn_trail_name_is_valid(const char *name);
