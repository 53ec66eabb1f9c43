/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which calls can have caused a finding, and where they are recorded. Pure; private to attribute. */

#include "daemon/io/attribute.h"
#include "lib/cloudtrail.h"

#define ATTRIBUTE_REGION_MAX 32
/* One thing to ask: the name of a call, and the region in whose history it would be. */
typedef struct AttributeQuestion {
    const char *name;
    char region[ATTRIBUTE_REGION_MAX];
    bool of_member; /* in the history of request->member */
} AttributeQuestion;

/* What to ask about the request's findings and fields, each once, the trail's own calls first; at most
 * ATTRIBUTE_QUESTIONS_MAX. Returns how many. */
#define ATTRIBUTE_QUESTIONS_MAX 44U
size_t attribute_questions(const AttributeRequest *request,
                           AttributeQuestion ret[static ATTRIBUTE_QUESTIONS_MAX]);

/* Takes one event into account: a call of one of these kinds about this trail (bucket, key, ...), within the
 * time asked for and not our own. The newest that was done becomes the actor, refused ones attempts. */
void attribute_take(const AttributeRequest *request, const CloudTrailEvent *event, Attribution *found);

/* The caller as a person would name it: "bob", "Admin/alice", "root", "config.amazonaws.com". */
void attribute_actor(const CloudTrailEvent *event, Actor *ret);
