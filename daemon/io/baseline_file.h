/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Baselines on disk: one file a trail, DIR/baselines/ACCOUNT_REGION_NAME.json, and what was found before
 * each restore, DIR/found/ACCOUNT_REGION_NAME/TIME.json. All files are 0600 and belong to the owner of their
 * directory, also when root writes them. DIR is $STATE_DIRECTORY.
 *
 * All functions: arn is that of a trail, else -EINVAL. */

#include "daemon/core/baseline_json.h"
#include "daemon/core/model.h"

#define BASELINE_FOUND_MAX 20 /* files kept for a trail: the newest */

/* 1 and *ret (free with baseline_record_done); 0 when there is none; -EBADMSG when it was damaged, or
 * another trail's: it is then set aside (see sealed.h) and has to be reported, since what is recorded next
 * may be what a tamperer left; else -errno. All errors with one line in error. */
int baseline_file_load(const char *dir, const char *arn, uint64_t now_real_usec, BaselineRecord *ret,
                       char *error, size_t error_size);

/* The same for those who must change nothing: a damaged file stays where it is. */
int baseline_file_peek(const char *dir, const char *arn, BaselineRecord *ret, char *error,
                       size_t error_size);

/* Records a first baseline, durably. 0; -EEXIST when there is a file already, which stays as it is, whatever
 * is in it; -EINVAL for settings that make no baseline; else -errno. What is not known is not recorded yet.
 */
int baseline_file_record(const char *dir, const char *arn, const Settings *settings, const char *by,
                         uint64_t now_real_usec);

/* Replaces the baseline, in one step and durably; what it was becomes `previous`. With gone the trail may be
 * gone: settings may be NULL and then stay as they are recorded (none when nothing is). A damaged file is
 * set aside. What is not known stays as it is recorded, the owner of a bucket only with the bucket. 0 or
 * -errno, with one line in error. */
int baseline_file_accept(const char *dir, const char *arn, const Settings *settings, bool gone,
                         const char *by, uint64_t now_real_usec, char *error, size_t error_size);

/* Adds what was not known yet to the recorded settings, and changes nothing else: neither what is recorded,
 * nor when and by whom that was. 0 or -errno. */
int baseline_file_add(const char *dir, const char *arn, const Settings *more);

/* Replaces what is recorded of one field by what means the same and says more; else as baseline_file_add. */
int baseline_file_replace(const char *dir, const char *arn, Field field, const char *value);

/* The ARNs of all trails that have a baseline here, sorted; files that cannot be read are left out. The
 * caller frees each and the array. 0 or -errno; none is no error. */
int baseline_file_list(const char *dir, char ***ret, size_t *ret_n);

/* What a trail that nobody has accepted was like when it was found. It is kept beside the baselines, and is
 * none: only what changes while the guard is down is found by it. 0 or -errno; -ENOENT: nothing is kept. */
int baseline_file_keep_unaccepted(const char *dir, const char *arn, const Settings *settings,
                                  uint64_t now_real_usec);
int baseline_file_load_unaccepted(const char *dir, const char *arn, BaselineRecord *ret);
/* The trail was accepted, or is gone. */
void baseline_file_drop_unaccepted(const char *dir, const char *arn);

/* Tells whether the file is another than before, cheaply. All 0: there is none. */
typedef struct BaselineStamp {
    uint64_t inode, mtime_nsec, size;
} BaselineStamp;

/* 0 or -errno. */
int baseline_file_stamp(const char *dir, const char *arn, BaselineStamp *ret);
bool baseline_stamp_equal(const BaselineStamp *a, const BaselineStamp *b);

/* Keeps what was found before it is overwritten, durably, and forgets all but the newest. 0 or -errno. */
int baseline_file_save_found(const char *dir, const char *arn, uint64_t now_real_usec,
                             const Settings *found);
