/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Members of AWS's JSON that this version does not know, in selectors, Insights selectors, the event
 * configuration and of Trail itself: what AWS adds tomorrow must neither alarm nor be lost. One that a
 * baseline does not have is no difference by itself; from then on it is recorded, compared and (but for
 * those of Trail) written back like the rest. Pure but for allocation.
 *
 * What a person may have done is never passed over: where events are selected AWS's defaults are empty
 * lists, so a list with something in it is not taken for a default there, and within a condition nothing at
 * all is. */

#include <jansson.h>

#include "daemon/core/model.h"
#include "lib/util/strbuf.h"

/* For the names at which members stand: the name of the array or object that they are in. */
#define UNKNOWN_IN_BASIC     "EventSelectors"
#define UNKNOWN_IN_ADVANCED  "AdvancedEventSelectors"
#define UNKNOWN_IN_RESOURCE  "DataResources"
#define UNKNOWN_IN_CONDITION "FieldSelectors"

/* Does an object have, besides members that are known there, only such as may be defaults? Not for what is
 * no object. */
bool unknown_members_pass(const char *in, const json_t *object);

/* Takes out of b what a does not have and that may be a default, and out of a the flags that AWS has left
 * out of b. */
int unknown_members_align(Field field, json_t *a, json_t *b);

/* Do the two have other unknown members, or others of their values? To be asked after unknown_members_align.
 */
int unknown_members_differ(Field field, const json_t *a, const json_t *b, bool *ret);

/* Appends the names of those that b has and a, which may be NULL, has not: "EventSelectors.Name, ...".
 * Returns how many, or the buffer's error. */
int unknown_members_added(Field field, const json_t *a, const json_t *b, StrBuf *names);

/* Adds to value what AWS shows in `from` and value does not have, where all objects at that place have the
 * same. */
int unknown_members_fill(Field field, json_t *value, const json_t *from);

/* Takes them all out. Returns how many there were. */
int unknown_members_drop(Field field, json_t *value);
