/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Filter policies of SNS subscriptions (Amazon SNS Developer Guide, "Amazon SNS message filtering").
 * Pure. */

#include <stdbool.h>

/* Does the policy drop a critical alert about a stopped trail? Only what is certain counts: a key that no
 * alert has, or a list that does not take the alert's severity or event. What it says of accounts, regions
 * and trails may fit some, and a policy about the body is not judged. scope: "", "MessageAttributes" or
 * "MessageBody". */
bool subscription_filter_drops(const char *policy, const char *scope);
