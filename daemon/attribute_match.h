/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which recorded events can have caused a finding. Pure; private to attribute. */

#include "daemon/attribute.h"
#include "lib/cloudtrail_events.h"

/* The names of the calls to look for, each once; at most ATTRIBUTE_NAMES_MAX. Returns how many. */
#define ATTRIBUTE_NAMES_MAX 14U
size_t attribute_event_names(uint32_t findings, uint32_t fields, const char *ret[static ATTRIBUTE_NAMES_MAX]);

/* Takes one event into account: a call of one of these kinds about this trail (bucket, key), within the time
 * asked for and not our own. The newest that was done becomes the actor, refused ones become attempts. */
void attribute_take(const AttributeRequest *request, const CloudTrailEvent *event, Attribution *found);

/* The caller as a person would name it: "bob", "Admin/alice", "root", "config.amazonaws.com". */
void attribute_actor(const CloudTrailEvent *event, Actor *ret);
