/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The pure readers of the EC2 instance metadata provider, apart from it so that they can be tested and
 * fuzzed. */

#include <stdbool.h>
#include <stddef.h>

#include "lib/credentials.h"

/* bytes of a role's name, with the NUL (IAM allows 64 characters) */
#define IMDS_ROLE_MAX 128
/* bytes of a session token, with the NUL (56 characters today) */
#define IMDS_TOKEN_MAX 512

/* The role's name from the listing's first line. Only the characters that IAM allows: it becomes part of a
 * path. */
bool imds_read_role(const char *body, size_t len, char ret[static IMDS_ROLE_MAX]);

/* The session token: printable ASCII without blanks, for it becomes a header. */
bool imds_read_token(const char *body, size_t len, char ret[static IMDS_TOKEN_MAX]);

/* The credentials document. OK: *ret is a new reference. FAILED: message (size bytes) says what is wrong
 * with it. */
CredentialsStatus imds_read_credentials(const char *body, size_t len, Credentials **ret, char *message,
                                        size_t size);
