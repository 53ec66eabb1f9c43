/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A session of a role, opened by AssumeRole with another provider's credentials. */

#include "lib/call.h"
#include "lib/sts.h"

/* base (usually a cache, so that many roles share what it holds) and client are borrowed and must outlive
 * the provider; role's texts and region are copied. Each get is one call to region's STS: wrap it by
 * credentials_cache_new, which keeps the session and has one call in flight for all who wait. When AWS calls
 * the base's set expired, a base that is a cache is told, and asked again once.
 *
 * DENIED when AWS says that base may not assume the role, which it also does when there is no such role, or
 * when role's external id or the trust policy does not fit; FAILED for all else. Messages name the role and
 * carry AWS's text and code. Never NONE.
 *
 * 0, -ENOMEM, or -EINVAL when sts_role_problem finds something or the region is unknown. */
int credentials_assume_role_new(AwsClient *client, CredentialsProvider *base, const char *region,
                                const StsRole *role, CredentialsProvider **ret);
