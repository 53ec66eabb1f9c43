/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/baseline_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/damaged.h"
#include "daemon/log.h"
#include "daemon/settings.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define BASELINES  "baselines"
#define FOUND      "found"
#define MODE_DIR   0700
#define MODE_FILE  0600
#define REASON_MAX 256
#define TRIES_MAX  100 /* names for what was found in the same microsecond */
#define STAMP_MAX  64

#define BASELINE_LIST_MAX 100000U

/* DIR/BELOW/ACCOUNT_REGION_NAME+suffix, a new string. A trail's name has no character in it that a file's
 * may not have. */
static int path_of(const char *dir, const char *below, const char *arn, const char *suffix, char **ret) {
    char *path;
    Arn parsed;

    if (arn_parse(arn, &parsed) < 0 || !arn_is_trail(&parsed))
        return -EINVAL;
    if (asprintf(&path, "%s/%s/%s_%s_%s%s", dir, below, parsed.account, parsed.region, arn_name(&parsed),
                 suffix) < 0)
        return -ENOMEM;
    *ret = path;
    return 0;
}

static int ensure_dir(const char *dir, const char *below) {
    _cleanup_free_ char *path = file_join(dir, below);

    return path ? file_ensure_dir(path, MODE_DIR) : -ENOMEM;
}

/* ---- reading ---- */

static int read_record(const char *path, const char *arn, BaselineRecord *ret, char *reason,
                       size_t reason_size) {
    _cleanup_free_ char *text = NULL;
    BaselineRecord record = { 0 };
    size_t len;
    int r;

    r = file_read(path, BASELINE_SIZE_MAX, &text, &len);
    if (r >= 0)
        r = baseline_json_read(text, len, &record, reason, reason_size);
    if (r >= 0 && strcmp(record.arn, arn) != 0) {
        (void)snprintf(reason, reason_size, "it is another trail's, %s", record.arn);
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
    _cleanup_free_ char *path = NULL;
    char reason[REASON_MAX] = "";
    int r;

    r = path_of(dir, BASELINES, arn, ".json", &path);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s", r == -EINVAL ? "not the ARN of a trail" : strerror(-r));
        return r;
    }
    r = read_record(path, arn, ret, reason, sizeof(reason));
    if (r >= 0)
        return 1;
    if (r == -ENOENT)
        return 0;
    r = damaged_file(path, r, reason, BASELINE_SIZE_MAX, now_real_usec, error, error_size);
    return r < 0 ? r : -EBADMSG;
}

int baseline_file_peek(const char *dir, const char *arn, BaselineRecord *ret, char *error,
                       size_t error_size) {
    _cleanup_free_ char *path = NULL;
    char reason[REASON_MAX] = "";
    int r;

    r = path_of(dir, BASELINES, arn, ".json", &path);
    if (r >= 0)
        r = read_record(path, arn, ret, reason, sizeof(reason));
    if (r >= 0)
        return 1;
    if (r == -ENOENT)
        return 0;
    (void)snprintf(error, error_size, "%s: %s%s", path ? path : arn, reason[0] ? "damaged: " : "",
                   reason[0] ? reason : strerror(-r));
    return reason[0] ? -EBADMSG : r;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *arn_in(const char *path) {
    _cleanup_free_ char *text = NULL;
    char reason[REASON_MAX];
    BaselineRecord record = { 0 };
    size_t len;
    char *arn;

    if (file_read(path, BASELINE_SIZE_MAX, &text, &len) < 0 ||
        baseline_json_read(text, len, &record, reason, sizeof(reason)) < 0)
        return NULL;
    arn = strdup(record.arn);
    baseline_record_done(&record);
    return arn;
}

int baseline_file_list(const char *dir, char ***ret, size_t *ret_n) {
    _cleanup_free_ char *path = file_join(dir, BASELINES);
    char **arns = NULL;
    size_t n = 0;
    struct dirent *entry;
    DIR *stream;

    *ret = NULL;
    *ret_n = 0;
    if (!path)
        return -ENOMEM;
    stream = opendir(path);
    if (!stream)
        return errno == ENOENT ? 0 : -errno;
    while (n < BASELINE_LIST_MAX && (entry = readdir(stream))) {
        _cleanup_free_ char *file =
                text_ends_with(entry->d_name, ".json") ? file_join(path, entry->d_name) : NULL;
        char *arn = file ? arn_in(file) : NULL;
        char **grown = arn ? realloc(arns, (n + 1) * sizeof(*arns)) : NULL;

        if (!grown) {
            free(arn);
            continue;
        }
        arns = grown;
        arns[n++] = arn;
    }
    (void)closedir(stream);
    if (n > 0)
        qsort(arns, n, sizeof(*arns), compare_texts);
    *ret = arns;
    *ret_n = n;
    return 0;
}

int baseline_file_stamp(const char *dir, const char *arn, BaselineStamp *ret) {
    _cleanup_free_ char *path = NULL;
    struct stat st;
    int r;

    r = path_of(dir, BASELINES, arn, ".json", &path);
    if (r < 0)
        return r;
    if (stat(path, &st) < 0) {
        if (errno != ENOENT)
            return -errno;
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

/* Strings and settings are borrowed for the call. */
static BaselineVersion version_of(const Settings *settings, const char *by, uint64_t now_real_usec) {
    return (BaselineVersion){ .recorded_usec = now_real_usec, .by = (char *)by, .settings = *settings };
}

static int write_record(const char *dir, const BaselineRecord *record,
                        int (*write)(const char *path, const void *data, size_t len, mode_t mode,
                                     bool durable)) {
    _cleanup_free_ char *path = NULL, *text = NULL;
    size_t len;
    int r;

    r = path_of(dir, BASELINES, record->arn, ".json", &path);
    if (r >= 0)
        r = baseline_json_write(record, &text, &len);
    if (r >= 0)
        r = ensure_dir(dir, BASELINES);
    return r < 0 ? r : write(path, text, len, MODE_FILE, true);
}

int baseline_file_record(const char *dir, const char *arn, const Settings *settings, const char *by,
                         uint64_t now_real_usec) {
    const BaselineRecord record = { .arn = (char *)arn, .now = version_of(settings, by, now_real_usec) };

    if (!settings_can_be_recorded(settings))
        return -EINVAL;
    return write_record(dir, &record, file_write_new);
}

/* What is on disk becomes the previous version; without settings, its settings are those of the new one too. The
 * result borrows from all of them. */
static int succeed(const BaselineRecord *old, bool there, const Settings *settings, const char *by,
                   uint64_t now_real_usec, BaselineRecord *ret) {
    if (!settings && !there)
        return -ENOENT;
    ret->now = version_of(settings ? settings : &old->now.settings, by, now_real_usec);
    if (settings && there && !settings->values[SETTING_BUCKET_OWNER] &&
        text_equal(settings->values[FIELD_BUCKET], old->now.settings.values[FIELD_BUCKET]))
        ret->now.settings.values[SETTING_BUCKET_OWNER] = old->now.settings.values[SETTING_BUCKET_OWNER];
    /* what could not be read now is not accepted either */
    for (unsigned i = 0; settings && there && i < _FIELD_MAX; i++)
        if (!settings->values[i])
            ret->now.settings.values[i] = old->now.settings.values[i];
    ret->has_previous = there;
    if (there)
        ret->previous = old->now;
    return 0;
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
    if (r >= 0)
        r = succeed(&old, r > 0, settings, by, now_real_usec, &record);
    if (r >= 0)
        r = write_record(dir, &record, file_write);
    if (r < 0 && !error[0])
        (void)snprintf(error, error_size, "%s: cannot record the baseline in %s: %s", arn, dir,
                       strerror(-r));
    return r;
}

int baseline_file_add(const char *dir, const char *arn, const Settings *more) {
    _cleanup_(baseline_record_done) BaselineRecord record = { 0 };
    char error[ERROR_TEXT_MAX];
    int r;

    r = baseline_file_peek(dir, arn, &record, error, sizeof(error));
    if (r == 0)
        return -ENOENT;
    if (r >= 0)
        r = settings_fill(&record.now.settings, more);
    return r < 0 ? r : write_record(dir, &record, file_write);
}

/* ---- what was found ---- */

static int is_found(const struct dirent *entry) {
    return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".json");
}

/* Names sort by time. */
static int prune(const char *path) {
    struct dirent **names;
    int n = scandir(path, &names, is_found, alphasort), r = 0;

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        if (r >= 0 && i < n - BASELINE_FOUND_MAX) {
            _cleanup_free_ char *old = file_join(path, names[i]->d_name);

            r = old ? file_remove(old) : -ENOMEM;
        }
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

static int write_found(const char *path, uint64_t now_real_usec, const char *text, size_t len) {
    int r = -EEXIST;

    for (unsigned i = 0; r == -EEXIST && i < TRIES_MAX; i++) {
        _cleanup_free_ char *file = NULL;
        char stamp[STAMP_MAX];

        stamp_of(now_real_usec + i, stamp);
        file = file_join(path, stamp);
        r = file ? file_write_new(file, text, len, MODE_FILE, true) : -ENOMEM;
    }
    return r;
}

int baseline_file_save_found(const char *dir, const char *arn, uint64_t now_real_usec,
                             const Settings *found) {
    _cleanup_free_ char *path = NULL, *text = NULL;
    size_t len;
    int r;

    r = path_of(dir, FOUND, arn, "", &path);
    if (r >= 0)
        r = baseline_json_write_found(arn, now_real_usec, found, &text, &len);
    if (r >= 0)
        r = ensure_dir(dir, FOUND);
    if (r >= 0)
        r = file_ensure_dir(path, MODE_DIR);
    if (r >= 0)
        r = write_found(path, now_real_usec, text, len);
    if (r < 0)
        return r;
    r = prune(path);
    if (r < 0)
        log_line(LOG_WARNING, "%s: cannot forget the oldest: %s", path, strerror(-r));
    return 0;
}
