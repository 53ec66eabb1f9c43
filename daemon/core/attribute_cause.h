/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which of several calls that can have caused a finding is taken for the cause. Pure. */

#include "daemon/core/admission.h"
#include "daemon/core/attribute_match.h"

/* Takes a successful call that can be the cause. admission: whether the policy that it wrote admits
 * CloudTrail; UNCLEAR for calls that write none. */
void attribute_weigh(const AttributeRequest *request, Admission admission, Actor *actor, Attribution *found);
