/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AWS Account Management, API version 2021-02-01 (restJson1): whether the account has enabled a region.
 * Source: AWS Account Management Reference Guide, GetRegionOptStatus. */

#include "lib/operation.h"

/* Of a word for a region's status. */
#define ACCOUNT_STATUS_MAX 32

/* The input is a region. The value is the word in the answer, raw: ENABLED, ENABLING, DISABLING, DISABLED,
 * ENABLED_BY_DEFAULT, or one that AWS adds. It must be there, and be about the region. */
DECLARE_OPERATION(account_get_region_status, char, const char);
