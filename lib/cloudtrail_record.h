/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The members of LookupEvents' Events, and the record that travels as JSON text inside each: their reader, apart
 * from the call. Pure. In its own file because it is a table of its own; callers use cloudtrail_events.h. */

#include <jansson.h>

#include "lib/cloudtrail_events.h"

/* Fills *ret, all of whose texts are set afterwards, also when the object is damaged. 0 or -ENOMEM; *ret is then
 * to be freed all the same. */
int cloudtrail_read_event(const json_t *object, CloudTrailEvent *ret);
void cloudtrail_event_done(CloudTrailEvent *event);
