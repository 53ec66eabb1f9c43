/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which of a trail's settings AWS accepts or refuses together, and which of them an error is about. */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/model.h"
#include "lib/aws_error.h"

#define REMEDIATE_BUCKET (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_PREFIX))

/* Those of the `asked` (FIELD_BITs) that the error is about; 0 if it does not say. *ret_sure: it is about
 * exactly these; otherwise it may be about some that come later in the table. */
uint32_t remediate_fault(const AwsError *error, uint32_t asked, bool *ret_sure);
/* Which of these FIELDS_TRAIL to write first when each part is written separately. */
uint32_t remediate_first_part(uint32_t fields);
/* These fields, and those that AWS requires with them. */
uint32_t remediate_with_partners(uint32_t fields);
/* True if AWS may accept a part of an UpdateTrail that it refused with this error. Not if the call itself is
 * denied, or the answer is not AWS's. */
bool remediate_may_take_parts(const AwsError *error);
