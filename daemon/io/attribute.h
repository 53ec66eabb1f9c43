/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who did it: searches the event history, which records management events whether a trail logs or not (AWS
 * CloudTrail User Guide, "Working with CloudTrail Event history"). */

#include "daemon/core/attribute_match.h"
#include "lib/call.h"

/* Whose event history is searched. */
typedef struct AttributeKeys {
    AwsClient *aws;
    CredentialsProvider *credentials;
    CredentialsProvider *member_credentials; /* with request->reads_member: the member's own */
} AttributeKeys;

typedef struct Attribute Attribute;
/* found is valid inside the call only. */
typedef void (*AttributeDone)(const Attribution *found, void *userdata);

/* Begins: one LookupEvents after the other, for the trail's names and for each kind of call that may have
 * caused the findings, page by page to the begin of the time asked for, as far as the calls last: each has
 * its first page, and at most ATTRIBUTE_PAGES_MAX. A region that refuses is left out from there on. done is
 * called exactly once, never from inside, within ATTRIBUTE_CALLS_MAX of the client's call deadlines. 0,
 * -ENOMEM, -EINVAL. */
#define ATTRIBUTE_PAGES_MAX 40U /* of 50 records */
#define ATTRIBUTE_CALLS_MAX 140U
int attribute_start(const AttributeKeys *keys, const AttributeRequest *request, AttributeDone done,
                    void *userdata, Attribute **ret);
/* Ends it without calling done. NULL is fine. */
void attribute_cancel(Attribute *attribute);
