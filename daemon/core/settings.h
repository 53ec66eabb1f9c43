/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's settings as texts: their life, one text for all JSON that means the same, members that this
 * version does not know, and the event configuration. Pure but for allocation. */

#include <jansson.h>

#include "daemon/core/model.h"
#include "lib/util/strbuf.h"

/* Frees the texts; every field is unknown afterwards. Fine to call twice. */
void settings_done(Settings *settings);

/* A copy of its own; free with settings_done. 0 or -ENOMEM, and then *ret is untouched. */
int settings_copy(const Settings *settings, Settings *ret);

/* Replaces one field by a copy of value; NULL makes it unknown. 0 or -ENOMEM, and then the old value stays.
 * The value may be the field's own. */
int settings_set(Settings *settings, Field field, const char *value);

/* Copies what settings does not know from more, where that does. 0 or -ENOMEM, and then some of it may be
 * there. */
int settings_fill(Settings *settings, const Settings *more);

/* The fields that are not known, as FIELD_BITs; not those that AWS does not answer everywhere. */
uint32_t settings_unknown(const Settings *settings);

/* The fields that they lack although AWS has them. configuration_fails: GetEventConfiguration does, so that
 * there is one; foreign: AWS shows the tags of an organization trail to its owner only. */
uint32_t settings_lacking(const Settings *settings, bool configuration_fails, bool foreign);

/* Do they make a baseline? What DescribeTrails answers does, where every trail has a bucket; what else is
 * not known is recorded when it first can be read. */
bool settings_can_be_recorded(const Settings *settings);

void drift_done(Drift *drift);
int drift_copy(const Drift *drift, Drift *ret);

/* Adds a difference in its place among the fields; copies both texts (NULL counts as ""). 0, -EEXIST when
 * the field is there already, -ENOMEM. */
int drift_add(Drift *drift, Field field, bool loses_events, const char *expected, const char *actual);

/* Adds the differences of fields that have none yet. Without memory some are not there. */
void drift_add_missing(Drift *drift, const Drift *more);

/* The differences that are kept, or those of none. */
const Drift *drift_kept(const Drift *kept);
/* Keeps what is moved from *drift, in place of what was kept. 0, or -ENOMEM, and both are as before. */
int drift_keep(Drift **kept, Drift *drift);

/* ---- one text for all JSON texts that mean the same ---- */

/* Selectors that are longer than any that is read or recorded: no baseline, and never what one says. */
#define SETTINGS_TOO_LONG "{\"TooLong\":true}"
#define CANONICAL_SIZE_MAX (1024U * 1024)
#define CANONICAL_DEPTH    16

/* Compact, members in the order of their names; members that are null or an empty array are left out, as AWS
 * does; arrays are sets: sorted, each value once. Duplicate members: the last counts. The caller frees. 0,
 * -ENOMEM, or -EINVAL for what is no JSON object or array, over CANONICAL_SIZE_MAX bytes, or nested deeper
 * than CANONICAL_DEPTH. */
int canonical_json(const char *text, char **ret);

/* ---- members that this version does not know ---- */

/* Members that AWS has added since to selectors, Insights selectors, the event configuration and Trail
 * itself must neither alarm nor be lost. One that a baseline does not have is no difference by itself; from
 * then on it is recorded, compared and (but for those of Trail) written back like the rest.
 *
 * What a person may have done is never passed over: where events are selected AWS's defaults are empty
 * lists, so a list with something in it is not taken for a default there, and within a condition nothing at
 * all is. */

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

/* Takes them all out. */
void unknown_members_drop(Field field, json_t *value);

/* ---- the event configuration ---- */

/* The size of events, the keys of enriched ones, aggregations (AWS CloudTrail API Reference,
 * GetEventConfiguration and PutEventConfiguration). */

/* Of an object: with the members that TrailGuard knows, each with its default where it is not set, since AWS
 * leaves those out. NULL for want of memory. */
json_t *event_configuration_whole(const json_t *value);

/* The members to write so that `found` becomes `desired`, as text; both may be NULL, for the defaults. What
 * is set is written with what differs, since AWS does not say whether a member that is not sent stays; what
 * this version does not know as it is in desired, else as it is found. 0 and NULL when nothing differs,
 * -EINVAL for text that is no object, -ENOMEM. */
int event_configuration_to_write(const char *desired, const char *found, char **ret);
