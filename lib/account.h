/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS Account Management, API version 2021-02-01 (restJson1): whether the account has enabled a region. Source: AWS
 * Account Management Reference Guide, GetRegionOptStatus. */

#include "lib/typed_call.h"

/* Of a word for a region's status. */
#define ACCOUNT_STATUS_MAX 32

/* {"RegionName":...}. The caller frees *ret. 0, -EINVAL (not UTF-8), -ENOMEM. Pure. */
int account_build_region_status(const char *region, char **ret);

/* The word in an answer, raw: ENABLED, ENABLING, DISABLING, DISABLED, ENABLED_BY_DEFAULT, or one that AWS adds. It must
 * be there, and be about the region: -EBADMSG. -ENOMEM. Pure. */
int account_read_region_status(const char *body, size_t len, const char *region,
                               char ret[static ACCOUNT_STATUS_MAX]);

/* status is NULL unless error->class is AWS_OK; valid inside the call only. */
typedef void (*AccountRegionStatusDone)(const AwsError *error, const char *status, void *userdata);

typedef TypedCall AccountCall;

/* done is called exactly once, never from inside; 0, or -ENOMEM / -EINVAL and then never. ret may be NULL. */
int account_get_region_status(AwsClient *client, CredentialsSource *credentials, const char *region,
                              AccountRegionStatusDone done, void *userdata, AccountCall **ret);
/* NULL is fine. */
void account_cancel(AccountCall *call);
