/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which permission was missing, as far as AWS says so in the text of a denial. Pure. Source: AWS IAM User Guide,
 * "Troubleshoot access denied error messages". */

#include "lib/aws_error.h"

#define AWS_ACTION_MAX 128      /* bytes with the NUL */
#define AWS_RESOURCE_MAX 320

/* From "User: ... is not authorized to perform: cloudtrail:StartLogging on resource: arn:...": the action, and
 * the resource, "" when the text names none or was cut inside it. Both are single printable words. False, and
 * then nothing is written, when e is no denial or its text names no action. */
bool aws_error_denied_action(const AwsError *e, char ret_action[static AWS_ACTION_MAX],
                             char ret_resource[static AWS_RESOURCE_MAX]);
