/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What AWS takes or refuses together of a trail's settings, and which of them an error is about. */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/core/model.h"
#include "lib/aws_error.h"

#define REMEDIATE_BUCKET (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_PREFIX))

/* Those of the `asked` (FIELD_BITs) that the error is about; 0 where it does not say. *ret_sure: it is about
 * all of them and nothing else; else it may be about some that come later in the table. */
uint32_t remediate_fault(const AwsError *error, uint32_t asked, bool *ret_sure);
/* Of these FIELDS_TRAIL the ones that are written first when each part is written by itself. */
uint32_t remediate_first_part(uint32_t fields);
/* These fields and those that AWS wants beside them. */
uint32_t remediate_with_partners(uint32_t fields);
/* UpdateTrail was refused with this error: may AWS take a part of what was asked? Not when the call itself
 * is denied, nor when the answer is not AWS's. */
bool remediate_may_take_parts(const AwsError *error);
