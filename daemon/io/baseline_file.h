/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Baselines on disk: one file per trail, DIR/baselines/ACCOUNT_REGION_NAME.json, and the settings before
 * each restore, DIR/found/ACCOUNT_REGION_NAME/TIME.json. All files are 0600 and belong to the owner of their
 * directory, even when root writes them. DIR is $STATE_DIRECTORY.
 *
 * All functions: -EINVAL if arn is no trail's. */

#include "daemon/core/baseline_json.h"
#include "daemon/core/model.h"

#define BASELINE_FOUND_MAX 20 /* files kept per trail: the newest */

/* 1 and *ret (free with baseline_record_done); 0 if there is none; -EBADMSG if it was damaged or another
 * trail's: it was set aside (see sealed.h) and must be reported, because the next baseline may record what
 * an attacker left; else -errno. All errors with one line in error. */
int baseline_file_load(const char *dir, const char *arn, uint64_t now_real_usec, BaselineRecord *ret,
                       char *error, size_t error_size);

/* The same without changing anything: a damaged file stays. */
int baseline_file_peek(const char *dir, const char *arn, BaselineRecord *ret, char *error,
                       size_t error_size);

/* Records a first baseline, durably. 0; -EEXIST if there is any file already, which stays; -EINVAL for
 * settings that are not enough for a baseline; else -errno. Unknown values are left out. */
int baseline_file_record(const char *dir, const char *arn, const Settings *settings, const char *by,
                         uint64_t now_real_usec);

/* Replaces the baseline, atomically and durably; the old one becomes `previous`. gone: the trail may be
 * gone, and settings may be NULL, which keeps the recorded ones, if any. A damaged file is set aside.
 * Unknown values keep the recorded value; the bucket's owner only if the bucket is the same. 0 or -errno,
 * with one line in error. */
int baseline_file_accept(const char *dir, const char *arn, const Settings *settings, bool gone,
                         const char *by, uint64_t now_real_usec, char *error, size_t error_size);

/* Adds values that were unknown, and changes nothing else, not even when and by whom the baseline was
 * recorded. 0 or -errno. */
int baseline_file_add(const char *dir, const char *arn, const Settings *more);

/* Replaces one field by an equivalent value with more detail; else as baseline_file_add. */
int baseline_file_replace(const char *dir, const char *arn, Field field, const char *value);

/* The ARNs of all trails with a baseline here, sorted; unreadable files are skipped. The caller frees each
 * and the array. 0 or -errno; having none is no error. */
int baseline_file_list(const char *dir, char ***ret, size_t *ret_n);

/* The settings that an unaccepted trail was found with. They are stored beside the baselines and are none:
 * they only serve to find changes made while the guard was down. 0 or -errno; -ENOENT: nothing is stored. */
int baseline_file_keep_unaccepted(const char *dir, const char *arn, const Settings *settings,
                                  uint64_t now_real_usec);
int baseline_file_load_unaccepted(const char *dir, const char *arn, BaselineRecord *ret);
/* Call when the trail was accepted or is gone. */
void baseline_file_drop_unaccepted(const char *dir, const char *arn);

/* Cheap detection of a changed file. All 0: there is none. */
typedef struct BaselineStamp {
    uint64_t inode, mtime_nsec, size;
} BaselineStamp;

/* 0 or -errno. */
int baseline_file_stamp(const char *dir, const char *arn, BaselineStamp *ret);
bool baseline_stamp_equal(const BaselineStamp *a, const BaselineStamp *b);

/* Saves the actual settings before they are overwritten, durably, and removes all but the newest files. 0 or
 * -errno. */
int baseline_file_save_found(const char *dir, const char *arn, uint64_t now_real_usec,
                             const Settings *found);
