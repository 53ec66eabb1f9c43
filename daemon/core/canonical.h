/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One text for all JSON texts that mean the same to CloudTrail. Pure but for allocation. */

#define CANONICAL_SIZE_MAX (1024U * 1024)
#define CANONICAL_DEPTH    16

/* Compact, members in the order of their names; members that are null or an empty array are left out, as AWS
 * does; arrays are sets: sorted, each value once. Duplicate members: the last counts. The caller frees. 0,
 * -ENOMEM, or -EINVAL for what is no JSON object or array, over CANONICAL_SIZE_MAX bytes, or nested deeper
 * than CANONICAL_DEPTH. */
int canonical_json(const char *text, char **ret);
