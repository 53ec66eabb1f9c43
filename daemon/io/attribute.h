/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Finds out who did it in the event history, which has management events whether a trail logs or not (AWS
 * CloudTrail User Guide, "Working with CloudTrail Event history"). */

#include "daemon/core/attribute_match.h"
#include "lib/call.h"

/* Whose event history is searched. */
typedef struct AttributeKeys {
    AwsClient *aws;
    CredentialsProvider *credentials;
    CredentialsProvider *member_credentials; /* with request->reads_member: the member account's own */
} AttributeKeys;

typedef struct Attribute Attribute;
/* found is valid only during the call. */
typedef void (*AttributeDone)(const Attribution *found, void *userdata);

/* Starts a search: one LookupEvents after the other, by the trail's names and for each kind of call that may
 * have caused the findings, page by page back to the beginning of the time. Each lookup gets its first page,
 * and at most ATTRIBUTE_PAGES_MAX, within the limit of calls. A region that refuses is skipped from then on.
 * done is called exactly once, never from inside, within ATTRIBUTE_CALLS_MAX of the client's call deadlines.
 * 0, -ENOMEM, -EINVAL. */
#define ATTRIBUTE_PAGES_MAX 40U /* of 50 records */
#define ATTRIBUTE_CALLS_MAX 140U
int attribute_start(const AttributeKeys *keys, const AttributeRequest *request, AttributeDone done,
                    void *userdata, Attribute **ret);
/* Ends it without calling done. NULL is allowed. */
void attribute_cancel(Attribute *attribute);
