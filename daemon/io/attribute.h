/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Who did it: searches the event history, which records management events whether a trail logs or not (AWS
 * CloudTrail User Guide, "Working with CloudTrail Event history"). */

#include "daemon/core/model.h"
#include "lib/call.h"

typedef struct AttributeRequest {
    AwsClient *aws;
    CredentialsSource *credentials;
    const char *region; /* the trail's home: writes to a trail happen nowhere else */
    const char *trail_name, *trail_arn;
    bool foreign; /* an organization trail in a member's account */
    /* What the trail hangs on, "" or NULL when it has none or none is known: calls about it are recorded
     * where it is, and those to IAM and Organizations where their partition keeps global events. */
    const char *bucket;
    const char *bucket_region; /* without it the trail's home and the region of global events are searched */
    const char *key, *log_group, *log_role, *topic; /* ARNs */
    const char *key_store;                          /* id of the custom key store that the key is in */
    /* Of an account that left its organization or cannot be reached: its id. The history is that of the
     * management account then; member_credentials, unless NULL, read the member's own. */
    const char *member;
    CredentialsSource *member_credentials;
    const char *own_arn; /* our own caller: what we wrote ourselves is nobody's deed; "" when unknown */
    char *const
            *guards; /* n_guards principals, see arn_principal_is(): what they wrote is nobody's either */
    size_t n_guards;
    uint32_t findings;              /* FINDING_BITs whose cause is searched */
    uint32_t fields;                /* FIELD_BITs that were changed */
    uint64_t from_usec, until_usec; /* real */
} AttributeRequest;

typedef struct Attribute Attribute;
/* found is valid inside the call only. */
typedef void (*AttributeDone)(const Attribution *found, void *userdata);

/* Begins: one LookupEvents after the other, for each kind of call that may have caused the findings. A
 * region that refuses is left out from there on. done is called exactly once, never from inside, within
 * ATTRIBUTE_CALLS_MAX of the client's call deadlines. 0, -ENOMEM, -EINVAL. */
#define ATTRIBUTE_CALLS_MAX 44U
int attribute_start(const AttributeRequest *request, AttributeDone done, void *userdata, Attribute **ret);
/* Ends it without calling done. NULL is fine. */
void attribute_cancel(Attribute *attribute);
