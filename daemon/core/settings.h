/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The life of Settings and Drift, which own their texts. Pure but for allocation. */

#include "daemon/core/model.h"

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

/* Do they make a baseline? What DescribeTrails answers does, where every trail has a bucket; what else is
 * not known is recorded when it first can be read. */
bool settings_can_be_recorded(const Settings *settings);

void drift_done(Drift *drift);
int drift_copy(const Drift *drift, Drift *ret);

/* Adds a difference in its place among the fields; copies both texts (NULL counts as ""). 0, -EEXIST when
 * the field is there already, -ENOMEM. */
int drift_add(Drift *drift, Field field, bool loses_events, const char *was, const char *now);
