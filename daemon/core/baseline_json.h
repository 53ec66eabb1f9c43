/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The text of a baseline's file ("trailguard.baseline/1"), and of settings that were found before a restore
 * ("trailguard.found/1"). Pure but for allocation; for baseline_file.c, its tests and the fuzzer.
 *
 * Settings stand there by CloudTrail's names, as real JSON: what is true or false as that, selectors as
 * "EventSelectors" or "AdvancedEventSelectors", insights and tags as an array and an object. What is not set
 * is
 * "", null where it would be JSON; what is not known, and so not recorded yet, is left out. */

#include "daemon/core/model.h"

#define BASELINE_BY_MAX   256
#define BASELINE_SIZE_MAX (4U * 1024 * 1024)

/* Settings, and how they came to be recorded. Owns its texts. */
typedef struct BaselineVersion {
    uint64_t recorded_usec; /* real, whole seconds */
    char *by;               /* "guard", or who ran accept */
    Settings settings;
} BaselineVersion;

typedef struct BaselineRecord {
    char *arn;
    BaselineVersion latest;
    bool has_previous; /* the version before the latest that was accepted */
    BaselineVersion previous;
    bool gone; /* accepted: the trail may be gone */
} BaselineRecord;

void baseline_record_done(BaselineRecord *record);

/* The text, indented; the caller frees. 0, -ENOMEM, -E2BIG over BASELINE_SIZE_MAX, or -EINVAL for settings
 * whose JSON is none, or whose selectors are more than one of the two kinds. */
int baseline_json_write(const BaselineRecord *record, char **ret, size_t *ret_len);
int baseline_json_write_found(const char *arn, uint64_t now_real_usec, const Settings *found, char **ret,
                              size_t *ret_len);

/* Reads a baseline's text; free *ret with baseline_record_done. Unknown members are passed over. -EINVAL
 * with one line, escaped, in reason; -ENOMEM. */
int baseline_json_read(const char *text, size_t len, BaselineRecord *ret, char *reason, size_t reason_size);
