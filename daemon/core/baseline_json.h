/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of a baseline's file ("trailguard.baseline/1"), and of settings saved before a restore
 * ("trailguard.found/1"). Pure except for allocation; for baseline_file.c, its tests and the fuzzer.
 *
 * Settings have CloudTrail's names and are real JSON: booleans, "EventSelectors" or
 * "AdvancedEventSelectors", Insights as an array, tags as an object. Unset values are "", or null for JSON.
 * Unknown values, which are not recorded yet, are left out. */

#include "daemon/core/model.h"

#define BASELINE_BY_MAX   256
#define BASELINE_SIZE_MAX (4U * 1024 * 1024)

/* Settings, and when and by whom they were recorded. Owns its texts. */
typedef struct BaselineVersion {
    uint64_t recorded_usec; /* real, whole seconds */
    char *by;               /* "guard", or the user who ran accept */
    Settings settings;
} BaselineVersion;

typedef struct BaselineRecord {
    char *arn;
    BaselineVersion latest;
    bool has_previous; /* the version before the latest acceptance */
    BaselineVersion previous;
    bool gone; /* accepted: the trail may be gone */
} BaselineRecord;

void baseline_record_done(BaselineRecord *record);

/* The text, indented; the caller frees. 0, -ENOMEM, -E2BIG over BASELINE_SIZE_MAX, or -EINVAL for settings
 * with invalid JSON or both kinds of selectors. */
int baseline_json_write(const BaselineRecord *record, char **ret, size_t *ret_len);
int baseline_json_write_found(const char *arn, uint64_t now_real_usec, const Settings *found, char **ret,
                              size_t *ret_len);

/* Reads a baseline's text, ignoring unknown members; free *ret with baseline_record_done. -EINVAL with one
 * escaped line in reason; -ENOMEM. */
int baseline_json_read(const char *text, size_t len, BaselineRecord *ret, char *reason, size_t reason_size);
