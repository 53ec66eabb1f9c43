/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's desired settings, and how the trail differs from them. Compares meanings, not bytes: names and
 * ARNs of the same thing are equal, the order in JSON does not matter, and unknown values (NULL) are never a
 * difference. Pure except for allocation. */

#include "daemon/core/model.h"
#include "lib/arn.h"
#include "lib/util/strbuf.h"

/* The desired settings: the recording, overridden by the pins. If a pin means the same as the recording (a
 * topic by name, a key by id), the recording stays, because it is more exact. A pin of multi_region also
 * turns on global events, because AWS requires them together (UpdateTrail,
 * InvalidParameterCombinationException). Selectors that record fewer management events than pinned get all
 * of them added; selectors that are not understood stay. It is unknown which key an alias stands for, so a
 * pinned alias accepts any recorded key. Free *ret with settings_done. 0 or -ENOMEM. */
int baseline_effective(const Settings *recorded, const Expect *expect, Settings *ret);

/* baseline_pinned: the pinned FIELD_BITs. baseline_pins_mark: identifies the set of pins; 0 if nothing is
 * pinned. */
uint32_t baseline_pinned(const Expect *expect);
uint64_t baseline_pins_mark(const Expect *expect);

/* The differences of `actual` from `baseline`, in the order of the fields; free *ret with drift_done. A
 * change loses events if something that was recorded no longer is, or goes elsewhere. Tags of AWS's own
 * ("aws:...") are ignored. A change strengthens if log file validation, multi-region or global events were
 * off and are on; whether a pin forbids that is the caller's business. 0 or -ENOMEM. */
int baseline_compare(const Settings *baseline, const Settings *actual, Drift *ret);

/* The same against the desired settings, some fields of which are pinned (FIELD_BITs). Each change also says
 * whether only a pin makes it a difference, because the actual value was recorded. A change that a pin
 * forbids does not strengthen. */
int baseline_judge(const Settings *recorded, const Settings *desired, uint32_t pinned,
                   const Settings *actual, Drift *ret);

/* True if the only difference in the tags is one added tag with this key and value. AWS's own tags are
 * ignored. False without memory. */
bool baseline_adds_tag(const Drift *drift, const char *key, const char *value);

/* True if the change moved the KMS key into another account than that of the former key and that of the
 * trail. *ret: the key. Unless that account is guarded, the key is foreign, and its owner decides who can
 * read the log files. A key without an account in its name belongs to the trail's account. */
bool baseline_key_moved(const Change *change, const char *owner, Arn *ret);

/* Appends the names of members that this version does not know and the baseline (may be NULL) does not have:
 * see settings.h. Returns their number, or a negative error. */
int baseline_new_members(Field field, const char *baseline, const char *actual, StrBuf *names);

/* 1 if such members are the only difference, so that the actual value can replace the recorded one; else 0,
 * or -ENOMEM. */
int baseline_takes_members(Field field, const char *baseline, const char *actual);

/* Appends the weaknesses of a baseline, such as "records no management events; covers a single region only".
 * Returns their number, or the buffer's error. */
int baseline_weaknesses(const Settings *settings, StrBuf *b);

/* Appends the names of trails whose weak baselines are reported together: the first few, and the number of
 * the others. 0, or the buffer's error. */
int baseline_name_weak(const Subject *trails, size_t n, StrBuf *b);
