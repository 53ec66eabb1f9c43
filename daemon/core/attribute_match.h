/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which calls can have caused a finding, and where they are recorded. Pure. */

#include "daemon/core/model.h"
#include "lib/cloudtrail.h"

typedef struct AttributeRequest {
    const char *region; /* the trail's home: writes to a trail happen nowhere else */
    const char *trail_name, *trail_arn;
    bool foreign; /* an organization trail in a member's account */
    /* What the trail hangs on, "" or NULL when it has none or none is known: calls about it are recorded
     * where it is, and those to IAM and Organizations where their partition keeps global events. */
    const char *bucket;
    const char *bucket_region; /* without it the trail's home and the region of global events are searched */
    const char *prefix;        /* of its log files in the bucket */
    bool organization;         /* it has log files of other accounts as well */
    const char *key, *log_group, *log_role, *topic; /* ARNs */
    const char *key_store;                          /* id of the custom key store that the key is in */
    /* Of an account that left its organization or cannot be reached: its id. The history is that of the
     * management account then, and the member's own where that can be read. */
    const char *member;
    bool reads_member;
    const char *own_arn;    /* our own caller: what we wrote ourselves is nobody's deed; "" when unknown */
    const char *former_arn; /* what it was until then, by other keys: the same */
    uint64_t former_until_usec; /* 0: it was nothing else */
    char *const *guards;        /* principals, see arn_principal_is(): what they wrote is nobody's either */
    size_t n_guards;
    uint32_t findings;         /* FINDING_BITs whose cause is searched */
    const char *delivery_code; /* LatestDeliveryError: what it cannot come from is no cause; NULL: none */
    uint32_t fields;           /* FIELD_BITs that were changed */
    /* All real. The cause is within these two, and is searched from the newest backwards ... */
    uint64_t from_usec, until_usec;
    uint64_t reached_usec; /* ... or from here, where a search before ended; 0: from until_usec */
    uint64_t stop_usec;    /* the StopLoggingTime whose cause is searched; 0: not known */
    uint64_t seen_usec;    /* when the trouble was seen; 0: not known */
    uint64_t late_usec;    /* refused attempts since until_usec are taken up to here; 0: none */
} AttributeRequest;

#define ATTRIBUTE_REGION_MAX 32
/* One thing to ask: the name of a call or of a resource, and the region in whose history it would be. */
typedef struct AttributeQuestion {
    CloudTrailLookupKey key;
    const char *name;
    char region[ATTRIBUTE_REGION_MAX];
    bool of_member;   /* in the history of request->member */
    bool about_trail; /* the name of a call that names the trail: asked for by resource as well */
    bool late;        /* between request->until_usec and late_usec */
} AttributeQuestion;

/* What to ask about the request's findings and fields, each once, what names the trail first, then the
 * trail's own calls, late ones last; at most ATTRIBUTE_QUESTIONS_MAX. Returns how many. The search by
 * resource is not to be filled with calls about other trails, and that by name does not depend on how the
 * resource was written. */
#define ATTRIBUTE_QUESTIONS_MAX 60U
size_t attribute_questions(const AttributeRequest *request,
                           AttributeQuestion ret[static ATTRIBUTE_QUESTIONS_MAX]);

/* Takes one event into account: a call of one of these kinds about this trail (bucket, key, ...), within the
 * time asked for, not our own, and not one whose own words rule it out. The newest that was done becomes the
 * actor, of calls to StopLogging the one nearest to stop_usec, of those that close a policy the first since
 * it was open, and before any that was made after seen_usec; refused ones become attempts. Of what came
 * after until_usec (0: no limit) refused ones only. */
void attribute_take(const AttributeRequest *request, const CloudTrailEvent *event, Attribution *found);

/* Is this a call that changed something of the guard's own role, user or topic, since then? Not by
 * ourselves. */
bool attribute_is_guard_change(const CloudTrailEvent *event, const char *own_arn, uint64_t since_usec);

/* The caller as a person would name it: "bob", "Admin/alice", "root", "config.amazonaws.com". */
void attribute_actor(const CloudTrailEvent *event, Actor *ret);
