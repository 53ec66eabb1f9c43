/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which calls can have caused a finding, and where AWS records them. Pure. */

#include "daemon/core/model.h"
#include "lib/cloudtrail.h"

typedef struct AttributeRequest {
    const char *region; /* the trail's home region, the only one where it can be changed */
    const char *trail_name, *trail_arn;
    bool foreign; /* another account's organization trail */
    /* What the trail depends on; "" or NULL: nothing, or unknown. Calls about it are recorded in its region;
     * calls to IAM and Organizations where the partition keeps global events. */
    const char *bucket;
    const char *bucket_region; /* "" or NULL: the trail's home region and the region of global events are
                                  searched */
    const char *prefix;        /* of its log files in the bucket */
    bool organization;         /* it has log files of other accounts, too */
    const char *key, *log_group, *log_role, *topic; /* ARNs */
    const char *key_store;                          /* id of the key's custom key store */
    /* The id of an account that left its organization or cannot be reached. The history searched is then the
     * management account's, and the member's own if it can be read. */
    const char *member;
    bool reads_member;
    const char *own_arn;    /* the guard's own ARN: its own writes are not attributed; "": unknown */
    const char *former_arn; /* the same for the ARN before the last change of keys */
    uint64_t former_until_usec; /* 0: there was none */
    char *const *guards;     /* principals, see arn_principal_is(): their writes are not attributed either */
    size_t n_guards;
    uint32_t findings;         /* FINDING_BITs whose cause is sought */
    const char *delivery_code; /* LatestDeliveryError: rules out some causes; NULL: none */
    uint32_t fields;           /* changed FIELD_BITs */
    /* All real. The cause lies between these two, and is searched from the newest record backwards ... */
    uint64_t from_usec, until_usec;
    uint64_t reached_usec; /* ... or from here, where the last search ended; 0: from until_usec */
    uint64_t stop_usec;    /* the StopLoggingTime whose cause is sought; 0: unknown */
    uint64_t seen_usec;    /* when the trouble was found; 0: unknown */
    uint64_t late_usec;    /* refused attempts after until_usec, up to this time, are included; 0: none */
} AttributeRequest;

#define ATTRIBUTE_REGION_MAX 32
/* One lookup: the name of a call or of a resource, and the region whose history to search. */
typedef struct AttributeQuestion {
    CloudTrailLookupKey key;
    const char *name;
    char region[ATTRIBUTE_REGION_MAX];
    bool of_member;   /* in the history of request->member */
    bool about_trail; /* a call that names the trail; the trail's resource lookups cover it, too */
    bool late;        /* for the time between request->until_usec and late_usec */
} AttributeQuestion;

/* The lookups for the request's findings and fields, each once: by resource first, then by the trail's own
 * calls, late ones last; at most ATTRIBUTE_QUESTIONS_MAX. Returns the number. Calls about other trails
 * cannot crowd out the lookup by resource, and the lookup by call does not depend on how the caller named
 * the trail. */
#define ATTRIBUTE_QUESTIONS_MAX 60U
size_t attribute_questions(const AttributeRequest *request,
                           AttributeQuestion ret[static ATTRIBUTE_QUESTIONS_MAX]);

/* Takes one event into account, if it is a call of these kinds about this trail (bucket, key, ...), within
 * the time, not the guard's own, and not ruled out by its own text. The newest successful call becomes the
 * actor, with these exceptions: of StopLogging calls the one nearest to stop_usec; of calls that close a
 * policy the first since it was open; and any call before one that was made after seen_usec. Refused calls
 * become attempts. After until_usec (0: no limit) only refused ones count. */
void attribute_take(const AttributeRequest *request, const CloudTrailEvent *event, Attribution *found);

/* After the last attribute_take(): sets the candidates, if calls of several callers may be the cause and
 * their records do not show which. In attribute_cause.c. */
void attribute_conclude(const AttributeRequest *request, Attribution *found);

/* True if this call changed the guard's own role, user or topic after since_usec, and the guard did not make
 * it. */
bool attribute_is_guard_change(const CloudTrailEvent *event, const char *own_arn, uint64_t since_usec);

/* The caller as people name it: "bob", "Admin/alice", "root", "config.amazonaws.com". */
void attribute_actor(const CloudTrailEvent *event, Actor *ret);
