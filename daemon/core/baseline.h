/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a trail has to be like, and how a trail differs from it. By meaning, not by bytes:
 * names and ARNs of the same thing are equal, order in JSON does not matter, and what is not known (NULL) is
 * never a difference. Pure but for allocation. */

#include "daemon/core/model.h"
#include "lib/arn.h"
#include "lib/util/strbuf.h"

/* The settings to keep: the recording, with the pins of the configuration over it. Where a pin names the
 * same as the recording (a topic by name, a key by id), the recording stays, being more exact. A pinned
 * multi_region brings global events along, since AWS takes the one only with the other (UpdateTrail,
 * InvalidParameterCombinationException). Selectors that record less management events than is pinned get all
 * of them added; selectors that are not understood stay. An alias of a KMS key cannot be told from the key
 * that it stands for: pinned, it is content with any key that was recorded. Free *ret with settings_done. 0
 * or -ENOMEM. */
int baseline_effective(const Settings *recorded, const Expect *expect, Settings *ret);

/* The fields that are pinned, as FIELD_BITs; and what tells one set of pins from another, 0 where nothing is
 * pinned. */
uint32_t baseline_pinned(const Expect *expect);
uint64_t baseline_pins_mark(const Expect *expect);

/* What of `actual` is not as in `baseline`, in the order of the fields; free *ret with drift_done. A change
 * loses events when something that was recorded is not recorded any more, or goes elsewhere. Tags that AWS
 * manages itself ("aws:...") do not count. It strengthens when log file validation, all regions or global
 * events were off and are on; whether a pin says otherwise is the caller's to know. 0 or -ENOMEM. */
int baseline_compare(const Settings *baseline, const Settings *actual, Drift *ret);

/* The same of the settings to keep, where some fields are pinned (FIELD_BITs): each change says too whether
 * only a pin makes it one, since what is there was recorded; and what a pin forbids strengthens nothing. */
int baseline_judge(const Settings *recorded, const Settings *desired, uint32_t pinned,
                   const Settings *actual, Drift *ret);

/* Of the tags, is all that differs that one of this key and value was added? AWS's own tags do not count.
 * False without memory. */
bool baseline_adds_tag(const Drift *drift, const char *key, const char *value);

/* Does the change put the KMS key into an account that neither the key before was in nor owns the trail?
 * *ret: the key. Unless that account is guarded the key is foreign: whoever has it decides who can read the
 * log files. A key without an account in its name is the trail's account's. */
bool baseline_key_moved(const Change *change, const char *owner, Arn *ret);

/* Appends the names of members that this version does not know, and the baseline (which may be NULL) does
 * not have: see settings.h. Returns how many, or a negative error. */
int baseline_new_members(Field field, const char *baseline, const char *actual, StrBuf *names);

/* 1 when there are such members and nothing else differs, so that what AWS shows can take the place of what
 * is recorded; else 0, or -ENOMEM. */
int baseline_takes_members(Field field, const char *baseline, const char *actual);

/* Appends the reasons why this is a weak baseline, such as "records no management events; covers a single
 * region only". Returns how many there are, or the buffer's error. */
int baseline_weaknesses(const Settings *settings, StrBuf *b);

/* Appends the names of trails whose weak baselines are reported together: the first few, and how many more
 * there are. 0, or the buffer's error. */
int baseline_name_weak(const Subject *trails, size_t n, StrBuf *b);
