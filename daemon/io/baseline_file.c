/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/baseline_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/core/settings.h"
#include "daemon/io/sealed.h"
#include "daemon/log.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define BASELINES  "baselines"
#define FOUND      "found"
#define ACCEPTED   ".json"
#define UNACCEPTED ".unaccepted"
#define MODE_DIR   0700
#define MODE_FILE  0600
#define REASON_MAX 256
#define TRIES_MAX  100 /* file names within one microsecond */
#define STAMP_MAX  64

#define BASELINE_LIST_MAX 100000U

/* Returns ACCOUNT_REGION_NAME+suffix as a new string. All characters of a trail's name are valid in file
 * names. */
static int name_of(const char *arn, const char *suffix, char **ret) {
    char *name;
    Arn parsed;

    if (arn_parse(arn, &parsed) < 0 || !arn_is_trail(&parsed))
        return -EINVAL;
    if (asprintf(&name, "%s_%s_%s%s", parsed.account, parsed.region, arn_name(&parsed), suffix) < 0)
        return -ENOMEM;
    *ret = name;
    return 0;
}

/* Where a baseline's file is, or would be: its directory, its name, and its path for messages. */
typedef struct Place {
    int dir_fd; /* -errno when the directory cannot be opened */
    char *path;
    const char *name;
} Place;

static void place_done(Place *place) {
    file_closep(&place->dir_fd);
    free(place->path);
}

static int find_place(const char *dir, const char *arn, const char *suffix, Place *ret) {
    _cleanup_free_ char *name = NULL;
    int r = name_of(arn, suffix, &name);

    *ret = (Place){ .dir_fd = -EINVAL };
    if (r < 0)
        return r;
    if (asprintf(&ret->path, "%s/" BASELINES "/%s", dir, name) < 0) {
        ret->path = NULL;
        return -ENOMEM;
    }
    ret->name = strrchr(ret->path, '/') + 1;
    ret->dir_fd = file_dir_open_below(dir, BASELINES);
    return 0;
}

/* ---- reading ---- */

static int read_record(const Place *place, const char *arn, BaselineRecord *ret, char *reason,
                       size_t reason_size) {
    _cleanup_free_ char *text = NULL;
    BaselineRecord record = { 0 };
    size_t len;
    int r;

    r = place->dir_fd < 0 ? place->dir_fd
                          : sealed_read(place->dir_fd, place->name, BASELINE_SIZE_MAX, &text, &len, reason,
                                        reason_size);
    if (r >= 0)
        r = baseline_json_read(text, len, &record, reason, reason_size);
    if (r >= 0 && strcmp(record.arn, arn) != 0) {
        (void)snprintf(reason, reason_size, "it is another trail's");
        baseline_record_done(&record);
        return -EINVAL;
    }
    if (r < 0)
        return r;
    *ret = record;
    return 0;
}

int baseline_file_load(const char *dir, const char *arn, uint64_t now_real_usec, BaselineRecord *ret,
                       char *error, size_t error_size) {
    _cleanup_(place_done) Place place;
    char reason[REASON_MAX] = "";
    int r;

    r = find_place(dir, arn, ACCEPTED, &place);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s", r == -EINVAL ? "not the ARN of a trail" : strerror(-r));
        return r;
    }
    r = read_record(&place, arn, ret, reason, sizeof(reason));
    if (r >= 0)
        return 1;
    if (r == -ENOENT)
        return 0;
    if (place.dir_fd < 0) {
        (void)snprintf(error, error_size, "%s/" BASELINES ": %s", dir, file_strerror(r));
        return r;
    }
    r = damaged_file(place.dir_fd, place.path, r, reason, BASELINE_SIZE_MAX, now_real_usec, error,
                     error_size);
    return r < 0 ? r : -EBADMSG;
}

int baseline_file_peek(const char *dir, const char *arn, BaselineRecord *ret, char *error,
                       size_t error_size) {
    _cleanup_(place_done) Place place;
    char reason[REASON_MAX] = "", words[DAMAGE_MAX];
    const char *damage;
    int r;

    r = find_place(dir, arn, ACCEPTED, &place);
    if (r >= 0)
        r = read_record(&place, arn, ret, reason, sizeof(reason));
    if (r >= 0)
        return 1;
    if (r == -ENOENT)
        return 0;
    damage = place.path && place.dir_fd >= 0 ? damage_of(r, reason, BASELINE_SIZE_MAX, words) : NULL;
    (void)snprintf(error, error_size, "%s: %s%s", place.path ? place.path : arn, damage ? "damaged: " : "",
                   damage ? damage : file_strerror(r));
    return damage ? -EBADMSG : r;
}

static int baseline_file_by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads the ARN of the trail that a file belongs to, NULL when it cannot be read. Returns 0 or -ENOMEM. */
static int arn_in(int dir_fd, const char *name, char **ret) {
    _cleanup_free_ char *text = NULL;
    char reason[REASON_MAX];
    BaselineRecord record = { 0 };
    size_t len;
    int r = sealed_read(dir_fd, name, BASELINE_SIZE_MAX, &text, &len, reason, sizeof(reason));

    *ret = NULL;
    if (r >= 0)
        r = baseline_json_read(text, len, &record, reason, sizeof(reason));
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    *ret = strdup(record.arn);
    baseline_record_done(&record);
    return *ret ? 0 : -ENOMEM;
}

static int list_file(int dir_fd, const char *name, char ***arns, size_t *n) {
    char *arn = NULL;
    int r = text_ends_with(name, ACCEPTED) ? arn_in(dir_fd, name, &arn) : 0;

    if (!arn)
        return r;
    if (ARRAY_APPEND(*arns, *n, arn))
        return 0;
    free(arn);
    return -ENOMEM;
}

int baseline_file_list(const char *dir, char ***ret, size_t *ret_n) {
    _cleanup_(file_closep) int fd = file_dir_open_below(dir, BASELINES);
    const struct dirent *entry;
    char **arns = NULL;
    size_t n = 0;
    DIR *stream;
    int r = 1;

    *ret = NULL;
    *ret_n = 0;
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    stream = file_dir_stream(fd);
    if (!stream)
        return -errno;
    while (n < BASELINE_LIST_MAX && r >= 0 && (r = file_dir_next(stream, &entry)) > 0)
        r = list_file(fd, entry->d_name, &arns, &n);
    (void)closedir(stream);
    if (r < 0) {
        while (n > 0)
            free(arns[--n]);
        free(arns);
        return r;
    }
    if (n > 0)
        qsort(arns, n, sizeof(*arns), baseline_file_by_name);
    *ret = arns;
    *ret_n = n;
    return 0;
}

int baseline_file_stamp(const char *dir, const char *arn, BaselineStamp *ret) {
    _cleanup_(place_done) Place place;
    struct stat st;
    int r;

    r = find_place(dir, arn, ACCEPTED, &place);
    if (r < 0)
        return r;
    r = place.dir_fd;
    if (r >= 0 && fstatat(place.dir_fd, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    if (r < 0) {
        if (r != -ENOENT)
            return r;
        *ret = (BaselineStamp){ 0 };
        return 0;
    }
    *ret = (BaselineStamp){
        .inode = st.st_ino,
        .mtime_nsec = (uint64_t)st.st_mtim.tv_sec * 1000000000ULL + (uint64_t)st.st_mtim.tv_nsec,
        .size = (uint64_t)st.st_size,
    };
    return 0;
}

bool baseline_stamp_equal(const BaselineStamp *a, const BaselineStamp *b) {
    return a->inode == b->inode && a->mtime_nsec == b->mtime_nsec && a->size == b->size;
}

/* ---- writing ---- */

/* Borrows the strings and settings for the call. */
static BaselineVersion version_of(const Settings *settings, const char *by, uint64_t now_real_usec) {
    return (BaselineVersion){ .recorded_usec = now_real_usec, .by = (char *)by, .settings = *settings };
}

static int write_record(const char *dir, const BaselineRecord *record, const char *suffix,
                        int (*write)(int dir_fd, const char *name, const void *data, size_t len, mode_t mode,
                                     bool durable)) {
    _cleanup_free_ char *name = NULL, *text = NULL;
    _cleanup_(file_closep) int fd = -1;
    size_t len;
    int r;

    r = name_of(record->arn, suffix, &name);
    if (r >= 0)
        r = baseline_json_write(record, &text, &len);
    if (r >= 0)
        r = seal_add(&text, &len);
    if (r < 0)
        return r;
    fd = file_ensure_dir_below(dir, BASELINES, MODE_DIR);
    return fd < 0 ? fd : write(fd, name, text, len, MODE_FILE, true);
}

int baseline_file_keep_unaccepted(const char *dir, const char *arn, const Settings *settings,
                                  uint64_t now_real_usec) {
    const BaselineRecord record = { .arn = (char *)arn,
                                    .latest = version_of(settings, "nobody", now_real_usec) };

    if (!settings_can_be_recorded(settings))
        return -EINVAL;
    return write_record(dir, &record, UNACCEPTED, file_write_at);
}

int baseline_file_load_unaccepted(const char *dir, const char *arn, BaselineRecord *ret) {
    _cleanup_(place_done) Place place;
    char reason[REASON_MAX] = "";
    int r = find_place(dir, arn, UNACCEPTED, &place);

    return r < 0 ? r : read_record(&place, arn, ret, reason, sizeof(reason));
}

void baseline_file_drop_unaccepted(const char *dir, const char *arn) {
    _cleanup_(place_done) Place place;

    if (find_place(dir, arn, UNACCEPTED, &place) >= 0 && place.dir_fd >= 0)
        (void)file_remove_at(place.dir_fd, place.name);
}

int baseline_file_record(const char *dir, const char *arn, const Settings *settings, const char *by,
                         uint64_t now_real_usec) {
    const BaselineRecord record = { .arn = (char *)arn, .latest = version_of(settings, by, now_real_usec) };

    if (!settings_can_be_recorded(settings))
        return -EINVAL;
    return write_record(dir, &record, ACCEPTED, file_write_new_at);
}

/* Makes the recorded version the previous one. Without settings, the new version keeps the old settings, or
 * has none if nothing was recorded. The result borrows from all arguments. */
static void succeed(const BaselineRecord *old, bool there, const Settings *settings, const char *by,
                    uint64_t now_real_usec, BaselineRecord *ret) {
    /* The daemon reports versions by time in whole seconds, so a new version must be at least a second
     * later, also after the clock was set back */
    if (there)
        now_real_usec = MAX(now_real_usec, old->latest.recorded_usec + USEC_PER_SEC);
    ret->latest = version_of(settings ? settings : &old->latest.settings, by, now_real_usec);
    if (settings && there && !settings->values[SETTING_BUCKET_OWNER] &&
        text_equal(settings->values[FIELD_BUCKET], old->latest.settings.values[FIELD_BUCKET]))
        ret->latest.settings.values[SETTING_BUCKET_OWNER] =
                old->latest.settings.values[SETTING_BUCKET_OWNER];
    /* fields that could not be read now keep their accepted value */
    for (unsigned i = 0; settings && there && i < _FIELD_MAX; i++)
        if (!settings->values[i])
            ret->latest.settings.values[i] = old->latest.settings.values[i];
    ret->has_previous = there;
    if (there)
        ret->previous = old->latest;
}

int baseline_file_accept(const char *dir, const char *arn, const Settings *settings, bool gone,
                         const char *by, uint64_t now_real_usec, char *error, size_t error_size) {
    _cleanup_(baseline_record_done) BaselineRecord old = { 0 };
    BaselineRecord record = { .arn = (char *)arn, .gone = gone };
    int r;

    error[0] = '\0';
    if (settings ? !settings_can_be_recorded(settings) : !gone) {
        (void)snprintf(error, error_size, "%s: its settings are not known", arn);
        return -EINVAL;
    }
    r = baseline_file_load(dir, arn, now_real_usec, &old, error, error_size);
    if (r == -EBADMSG)
        r = 0;
    if (r >= 0) {
        succeed(&old, r > 0, settings, by, now_real_usec, &record);
        r = write_record(dir, &record, ACCEPTED, file_write_at);
    }
    if (r < 0 && !error[0])
        (void)snprintf(error, error_size, "%s: cannot record the baseline in %s: %s", arn, dir,
                       file_strerror(r));
    return r;
}

/* Loads the record to change. Returns -ENOENT when there is none. */
static int load_for_change(const char *dir, const char *arn, BaselineRecord *ret) {
    char error[ERROR_TEXT_MAX];
    int r = baseline_file_peek(dir, arn, ret, error, sizeof(error));

    return r == 0 ? -ENOENT : r;
}

int baseline_file_add(const char *dir, const char *arn, const Settings *more) {
    _cleanup_(baseline_record_done) BaselineRecord record = { 0 };
    int r = load_for_change(dir, arn, &record);

    if (r >= 0)
        r = settings_fill(&record.latest.settings, more);
    return r < 0 ? r : write_record(dir, &record, ACCEPTED, file_write_at);
}

int baseline_file_replace(const char *dir, const char *arn, Field field, const char *value) {
    _cleanup_(baseline_record_done) BaselineRecord record = { 0 };
    int r = load_for_change(dir, arn, &record);

    if (r >= 0)
        r = settings_set(&record.latest.settings, field, value);
    return r < 0 ? r : write_record(dir, &record, ACCEPTED, file_write_at);
}

/* ---- settings found before a restore ---- */

static int is_found(const struct dirent *entry) {
    return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".json");
}

/* Names sort by time. */
static int prune(int dir_fd) {
    struct dirent **names;
    int n = scandirat(dir_fd, ".", &names, is_found, alphasort), r = 0;

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        if (r >= 0 && i < n - BASELINE_FOUND_MAX)
            r = file_remove_at(dir_fd, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return r;
}

/* "20261124T100211.000000Z.json" */
static void stamp_of(uint64_t usec, char dst[static STAMP_MAX]) {
    char seconds[TIMETEXT_MAX];
    int len = (int)strlen(timetext_amz(seconds, usec)) - 1;

    (void)snprintf(dst, STAMP_MAX, "%.*s.%06uZ.json", len, seconds, (unsigned)(usec % USEC_PER_SEC));
}

static int write_found(int dir_fd, uint64_t now_real_usec, const char *text, size_t len) {
    int r = -EEXIST;

    for (unsigned i = 0; r == -EEXIST && i < TRIES_MAX; i++) {
        char stamp[STAMP_MAX];

        stamp_of(now_real_usec + i, stamp);
        r = file_write_new_at(dir_fd, stamp, text, len, MODE_FILE, true);
    }
    return r;
}

int baseline_file_save_found(const char *dir, const char *arn, uint64_t now_real_usec,
                             const Settings *found) {
    _cleanup_(file_closep) int found_fd = -1, fd = -1;
    _cleanup_free_ char *name = NULL, *text = NULL;
    size_t len;
    int r;

    r = name_of(arn, "", &name);
    if (r >= 0)
        r = baseline_json_write_found(arn, now_real_usec, found, &text, &len);
    if (r >= 0)
        r = seal_add(&text, &len);
    if (r < 0)
        return r;
    found_fd = file_ensure_dir_below(dir, FOUND, MODE_DIR);
    if (found_fd < 0)
        return found_fd;
    fd = file_ensure_dir_at(found_fd, name, MODE_DIR);
    if (fd < 0)
        return fd;
    r = write_found(fd, now_real_usec, text, len);
    if (r < 0)
        return r;
    r = prune(fd);
    if (r < 0)
        log_line(LOG_WARNING, "%s/" FOUND "/%s: cannot forget the oldest: %s", dir, name, strerror(-r));
    return 0;
}
