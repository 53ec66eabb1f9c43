/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A session of a role, opened by AssumeRoleWithWebIdentity with a token from a file (EKS, OIDC). */

#include "lib/call.h"
#include "lib/sts.h"

/* token_file is read at each get, since whoever puts it there replaces it; white space around the token is
 * cut off. client is borrowed and must outlive the provider; texts are copied. DENIED when AWS says that the
 * token may not open the role; FAILED for all else. Never NONE. 0, -ENOMEM, or -EINVAL when sts_role_problem
 * finds something or the region is unknown. */
int credentials_web_identity_new(AwsClient *client, const char *region, const StsRole *role,
                                 const char *token_file, CredentialsProvider **ret);
