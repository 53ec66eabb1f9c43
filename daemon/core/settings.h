/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's settings as texts: copying and freeing, a canonical text for equivalent JSON, members that this
 * version does not know, and the event configuration. Pure except for allocation. */

#include <jansson.h>

#include "daemon/core/model.h"
#include "lib/util/strbuf.h"

/* Frees the texts; then every field is unknown. May be called twice. */
void settings_done(Settings *settings);

/* Makes a copy; free with settings_done. 0, or -ENOMEM with *ret unchanged. */
int settings_copy(const Settings *settings, Settings *ret);

/* Replaces one field by a copy of value; NULL makes it unknown. 0, or -ENOMEM with the field unchanged.
 * value may be the field's own text. */
int settings_set(Settings *settings, Field field, const char *value);

/* Copies the fields that are unknown in settings and known in more. 0, or -ENOMEM after copying some. */
int settings_fill(Settings *settings, const Settings *more);

/* The unknown fields as FIELD_BITs, without those that AWS does not return everywhere. */
uint32_t settings_unknown(const Settings *settings);

/* The fields that are unknown although AWS has them. configuration_fails: GetEventConfiguration fails, so
 * there is one; foreign: AWS shows the tags of an organization trail only to its owner. */
uint32_t settings_lacking(const Settings *settings, bool configuration_fails, bool foreign);

/* True if they are enough for a baseline. What DescribeTrails returns is enough, where every trail has a
 * bucket; the rest is recorded when it can first be read. */
bool settings_can_be_recorded(const Settings *settings);

void drift_done(Drift *drift);
int drift_copy(const Drift *drift, Drift *ret);

/* Adds a difference, in the order of the fields; copies both texts (NULL counts as ""). 0, -EEXIST if the
 * field is already there, -ENOMEM. */
int drift_add(Drift *drift, Field field, bool loses_events, const char *expected, const char *actual);

/* Adds the differences in fields that have none yet. Leaves some out without memory. */
void drift_add_missing(Drift *drift, const Drift *more);

/* The differences that are kept; an empty Drift for NULL. */
const Drift *drift_kept(const Drift *kept);
/* Moves *drift into *kept, replacing what was kept. 0, or -ENOMEM with both unchanged. */
int drift_keep(Drift **kept, Drift *drift);

/* ---- a canonical text for equivalent JSON ---- */

/* Stands for selectors over the size limit: never a baseline, and never equal to one. */
#define SETTINGS_TOO_LONG "{\"TooLong\":true}"
#define CANONICAL_SIZE_MAX (1024U * 1024)
#define CANONICAL_DEPTH    16

/* The canonical form: compact, with sorted members. Members that are null or an empty array are left out, as
 * AWS does. Arrays are sets: sorted, without duplicates. Of duplicate members the last counts. The caller
 * frees. 0, -ENOMEM, or -EINVAL if text is no JSON object or array, exceeds CANONICAL_SIZE_MAX bytes, or is
 * nested deeper than CANONICAL_DEPTH. */
int canonical_json(const char *text, char **ret);

/* ---- members that this version does not know ---- */

/* Members that AWS adds in future to selectors, Insights selectors, the event configuration and Trail itself
 * must neither raise an alert nor be lost. A member that a baseline does not have is no difference by
 * itself. From then on it is recorded, compared and (except in Trail) restored like the rest. But a person's
 * change is never ignored: where events are selected, AWS's defaults are empty lists, so a non-empty list
 * there is not taken for a default, and within a condition nothing at all is. */

/* The place of a member: the name of the array or object that contains it. */
#define UNKNOWN_IN_BASIC     "EventSelectors"
#define UNKNOWN_IN_ADVANCED  "AdvancedEventSelectors"
#define UNKNOWN_IN_RESOURCE  "DataResources"
#define UNKNOWN_IN_CONDITION "FieldSelectors"

/* True if the unknown members of an object can all be defaults. False if it is no object. */
bool unknown_members_pass(const char *in, const json_t *object);

/* Removes from b what a does not have and can be a default, and from a the flags that AWS left out of b. */
int unknown_members_align(Field field, json_t *a, json_t *b);

/* Sets *ret to whether the two differ in unknown members or their values. Call after
 * unknown_members_align. */
int unknown_members_differ(Field field, const json_t *a, const json_t *b, bool *ret);

/* Appends the names of those that b has and a (may be NULL) does not: "EventSelectors.Name, ...". Returns
 * their number, or the buffer's error. */
int unknown_members_added(Field field, const json_t *a, const json_t *b, StrBuf *names);

/* Adds to value the members of `from` that it does not have, if all objects at that place have the same
 * value. */
int unknown_members_fill(Field field, json_t *value, const json_t *from);

/* Removes all unknown members. */
void unknown_members_drop(Field field, json_t *value);

/* ---- the event configuration ---- */

/* The size of events, the keys of enriched ones, and aggregations (AWS CloudTrail API Reference,
 * GetEventConfiguration and PutEventConfiguration). */

/* A copy with all members that TrailGuard knows; unset ones, which AWS leaves out, get their default. NULL
 * without memory. */
json_t *event_configuration_whole(const json_t *value);

/* The members to write so that `found` becomes `desired`, as text; NULL for either means the defaults.
 * Includes all that is set, because AWS does not document whether omitted members stay. Unknown members are
 * written as in desired, else as in found. 0 with NULL if nothing differs, -EINVAL if a text is no object,
 * -ENOMEM. */
int event_configuration_to_write(const char *desired, const char *found, char **ret);
