/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the rows of CloudTrail's operations share; callers do not include it. */

#include "lib/operation.h"

/* The spelling that AWS's own tools send; the answer is the same for the shorter one. */
#define CLOUDTRAIL(name_, operation)                                                                        \
    .service = AWS_CLOUDTRAIL, .protocol = AWS_PROTOCOL_JSON, .name = (operation),                          \
    .target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101." operation,                          \
    .deliver = name_##_deliver
