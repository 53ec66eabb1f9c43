/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's event configuration: the size of events, the keys of enriched ones, aggregations. Pure but for
 * allocation. Source: AWS CloudTrail API Reference, GetEventConfiguration and PutEventConfiguration. */

#include <jansson.h>

/* With the members that TrailGuard knows, each with its default where it is not set: AWS leaves those out.
 * NULL when value is no object, or for want of memory. */
json_t *event_configuration_whole(const json_t *value);

/* The members to write so that `found` becomes `desired`, as text; both may be NULL, for the defaults. What
 * is set is written with what differs, since AWS does not say whether a member that is not sent stays; what
 * this version does not know as it is in desired, else as it is found. 0 and NULL when nothing differs,
 * -EINVAL for text that is no object, -ENOMEM. */
int event_configuration_to_write(const char *desired, const char *found, char **ret);
