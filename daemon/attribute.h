/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who did it: searches the event history, which records management events whether a trail logs or not (AWS
 * CloudTrail User Guide, "Working with CloudTrail Event history"). */

#include "daemon/types.h"
#include "lib/call.h"

typedef struct AttributeRequest {
    AwsClient *aws;
    CredentialsSource *credentials;
    const char *region; /* the trail's home: writes to a trail happen nowhere else */
    const char *trail_name, *trail_arn;
    const char *bucket, *key; /* for findings about them; "" when unknown */
    const char *own_arn;      /* our own caller: what we wrote ourselves is nobody's deed; "" when unknown */
    uint32_t findings;        /* FINDING_BITs whose cause is searched */
    uint32_t fields;          /* FIELD_BITs that were changed */
    uint64_t from_usec, until_usec; /* real */
} AttributeRequest;

typedef struct Attribute Attribute;
/* found is valid inside the call only. */
typedef void (*AttributeDone)(const Attribution *found, void *userdata);

/* Begins: one LookupEvents after the other, for each kind of call that may have caused the findings. done is
 * called exactly once, never from inside, within ATTRIBUTE_CALLS_MAX of the client's call deadlines. 0,
 * -ENOMEM, -EINVAL. */
#define ATTRIBUTE_CALLS_MAX 20U
int attribute_start(const AttributeRequest *request, AttributeDone done, void *userdata, Attribute **ret);
/* Ends it without calling done. NULL is fine. */
void attribute_cancel(Attribute *attribute);
