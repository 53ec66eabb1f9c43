/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/io/sealed.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define FILE_NAME  "state.json"
#define REASON_MAX 256
#define INTENTS    "intents"
#define MODE_DIR   0700
#define MODE_FILE  0600
#define INTENT_MAX (8U * 1024 * 1024)
#define LOCK_NAME  "lock"

static int out_of_memory(const char *path, char *error, size_t error_size) {
    (void)snprintf(error, error_size, "%s: out of memory", path);
    return -ENOMEM;
}

static int read_table(int dir_fd, StateTable *ret, char reason[static REASON_MAX]) {
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r = sealed_read(dir_fd, FILE_NAME, STATE_SIZE_MAX, &text, &len, reason, REASON_MAX);

    return r < 0 ? r : state_json_read(text, len, ret, reason, REASON_MAX);
}

int state_peek(const char *dir, StateTable *ret, char *error, size_t error_size) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);
    char reason[REASON_MAX] = "";
    int r;

    *ret = (StateTable){ 0 };
    r = fd < 0 ? fd : read_table(fd, ret, reason);
    if (r >= 0 || r == -ENOENT)
        return r >= 0;
    (void)snprintf(error, error_size, "%s/" FILE_NAME ": %s%s", dir, reason[0] ? "damaged: " : "",
                   reason[0] ? reason : file_strerror(r));
    return r;
}

int state_load(const char *dir, uint64_t now_real_usec, StateTable *ret, char *error, size_t error_size) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);
    _cleanup_free_ const char *path = file_join(dir, FILE_NAME);
    char reason[REASON_MAX];
    int r;

    *ret = (StateTable){ 0 };
    if (!path)
        return out_of_memory(FILE_NAME, error, error_size);
    if (fd < 0) {
        (void)snprintf(error, error_size, "%s: %s", dir, file_strerror(fd));
        return fd;
    }
    r = read_table(fd, ret, reason);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        r = damaged_file(fd, path, r, reason, STATE_SIZE_MAX, now_real_usec, error, error_size);
    if (r >= 0)
        error[0] = '\0'; /* the reason is already logged */
    return r;
}

int state_save(const char *dir, const StateTable *table) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r;

    r = state_json_write(table, &text, &len);
    if (r >= 0)
        r = seal_add(&text, &len);
    if (r < 0)
        return r;
    fd = file_dir_open(dir);
    return fd < 0 ? fd : file_write_at(fd, FILE_NAME, text, len, 0600, true);
}

/* ---- intents: written to disk before the guard acts ---- */

static int intent_name(const StateTrail *trail, char **ret) {
    char *name;

    if (!trail->arn || !trail->arn[0] || strchr(trail->account, '/') || strchr(trail->region, '/') ||
        strchr(trail->name, '/'))
        return -EINVAL;
    if (asprintf(&name, "%s_%s_%s.json", trail->account, trail->region, trail->name) < 0)
        return -ENOMEM;
    *ret = name;
    return 0;
}

/* Creates the directory on first use only; testing in advance whether it can be created is not worth the
 * time. */
static int write_intent(const char *dir, const char *name, const char *text, size_t len) {
    _cleanup_(file_closep) int fd = file_dir_open_below(dir, INTENTS);

    if (fd == -ENOENT)
        fd = file_ensure_dir_below(dir, INTENTS, MODE_DIR);
    return fd < 0 ? fd : file_write_at(fd, name, text, len, MODE_FILE, true);
}

int state_intent_save(const char *dir, const StateTrail *trail) {
    const StateTable table = { .trails = (StateTrail *)trail, .n_trails = 1 };
    _cleanup_free_ char *name = NULL, *text = NULL;
    size_t len = 0;
    int r;

    r = intent_name(trail, &name);
    if (r >= 0)
        r = state_json_write(&table, &text, &len);
    if (r >= 0)
        r = seal_add(&text, &len);
    return r < 0 ? r : write_intent(dir, name, text, len);
}

int state_intent_remove(const char *dir, const StateTrail *trail) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *name = NULL;
    int r = intent_name(trail, &name);

    if (r < 0)
        return r;
    fd = file_dir_open_below(dir, INTENTS);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    return file_remove_at(fd, name);
}

/* ---- after a crash ---- */

StateTrail *state_table_trail(const StateTable *table, const char *arn) {
    for (size_t i = 0; i < table->n_trails; i++)
        if (text_equal(table->trails[i].arn, arn))
            return &table->trails[i];
    return NULL;
}

/* Moves the intent's row into the table, or drops it. Returns 1 when it was moved, 0 when the table is
 * newer. */
static int merge_intent(StateTable *table, StateTable *intent) {
    StateTrail *row = state_table_trail(table, intent->trails[0].arn), *grown;
    StateTrail swap;

    if (row && row->state.intent_usec >= intent->trails[0].state.intent_usec)
        return 0;
    if (!row) {
        grown = realloc(table->trails, (table->n_trails + 1) * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        table->trails = grown;
        row = &grown[table->n_trails++];
        *row = (StateTrail){ .name = NULL };
    }
    swap = *row;
    *row = intent->trails[0];
    row->intent = true;
    intent->trails[0] = swap; /* freed with the intent */
    return 1;
}

static int load_intent(int dir_fd, const char *path, const char *name, uint64_t now_real_usec,
                       StateTable *table) {
    _cleanup_free_ char *text = NULL;
    char reason[REASON_MAX] = "", error[REASON_MAX * 4] = "";
    StateTable intent = { 0 };
    size_t len;
    int r;

    r = sealed_read(dir_fd, name, INTENT_MAX, &text, &len, reason, sizeof(reason));
    if (r >= 0)
        r = state_json_read(text, len, &intent, reason, sizeof(reason));
    if (r >= 0 && (intent.n_trails != 1 || !intent.trails[0].arn[0])) {
        (void)snprintf(reason, sizeof(reason), "it is not about one trail");
        r = -EINVAL;
    }
    if (r >= 0) {
        r = merge_intent(table, &intent);
        if (r == 0)
            r = file_remove_at(dir_fd, name);
    } else if (r != -ENOMEM &&
               damaged_file(dir_fd, path, r, reason, INTENT_MAX, now_real_usec, error, sizeof(error)) < 0)
        log_line(LOG_ERR, "%s", error);
    state_table_done(&intent);
    return r == -ENOMEM ? r : 0;
}

int state_intents_load(const char *dir, uint64_t now_real_usec, StateTable *table) {
    _cleanup_(file_closep) int fd = file_dir_open_below(dir, INTENTS);
    _cleanup_free_ char *below = file_join(dir, INTENTS);
    const struct dirent *entry;
    DIR *stream;
    int r = 0, next = 0;

    if (!below)
        return -ENOMEM;
    stream = fd >= 0 ? file_dir_stream(fd) : NULL;
    if (!stream) {
        if (fd != -ENOENT)
            log_line(LOG_ERR, "%s: cannot be read: %s", below, file_strerror(fd < 0 ? fd : -errno));
        return 0;
    }
    while (r >= 0 && (next = file_dir_next(stream, &entry)) > 0) {
        _cleanup_free_ const char *path = NULL;

        if (entry->d_name[0] == '.' || !text_ends_with(entry->d_name, ".json"))
            continue;
        path = file_join(below, entry->d_name);
        r = path ? load_intent(fd, path, entry->d_name, now_real_usec, table) : -ENOMEM;
    }
    (void)closedir(stream);
    if (next < 0)
        log_line(LOG_ERR, "%s: cannot be read: %s", below, file_strerror(next));
    return r;
}

/* ---- cleaning up after a crash ---- */

static void sweep(int dir_fd) {
    if (dir_fd >= 0)
        (void)file_sweep_at(dir_fd);
}

static void sweep_found(int found_fd) {
    DIR *stream = found_fd >= 0 ? file_dir_stream(found_fd) : NULL;
    const struct dirent *entry;

    while (stream && (entry = readdir(stream)))
        if (entry->d_name[0] != '.') {
            _cleanup_(file_closep) int fd = file_dir_open_at(found_fd, entry->d_name);

            sweep(fd);
        }
    if (stream)
        (void)closedir(stream);
}

void state_sweep(const char *dir, const char *runtime_dir) {
    static const char *const below[] = { "baselines", "intents", "found" };
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir), runtime_fd = file_dir_open(runtime_dir),
                               found_fd = -1;

    sweep(dir_fd);
    sweep(runtime_fd);
    for (size_t i = 0; dir_fd >= 0 && i < ARRAY_SIZE(below); i++) {
        _cleanup_(file_closep) int fd = file_dir_open_at(dir_fd, below[i]);

        sweep(fd);
    }
    found_fd = dir_fd >= 0 ? file_dir_open_at(dir_fd, "found") : -1;
    sweep_found(found_fd);
}

/* ---- the lock ---- */

static int lock_open(int dir_fd, int flags) {
    _cleanup_(file_closep) int fd =
            openat(dir_fd, LOCK_NAME, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? TAKE_FD(fd) : -EINVAL;
}

/* Returns 0 when the file holds no valid pid: the holder may not have written it yet. */
static int read_pid(int fd) {
    char text[16] = "", *end;
    long pid;

    if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
        return 0;
    pid = strtol(text, &end, 10);
    return *end == '\n' && pid > 0 && pid < INT_MAX ? (int)pid : 0;
}

static int write_pid(int fd) {
    char text[16];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
        return -errno;
    return 0;
}

/* When root runs the daemon by hand, the lock must stay usable for the daemon's user. */
static void give_to_owner_of(int dir_fd, int fd) {
    struct stat st;

    if (geteuid() == 0 && fstat(dir_fd, &st) >= 0 && fchown(fd, st.st_uid, st.st_gid) < 0)
        return; /* without CAP_CHOWN it stays owned by root */
}

int state_lock(const char *dir, int *ret_fd, int *ret_pid) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir), fd = -1;
    int r;

    if (dir_fd < 0)
        return dir_fd;
    fd = lock_open(dir_fd, O_RDWR | O_CREAT);
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return -errno;
        *ret_pid = read_pid(fd);
        return -EBUSY;
    }
    give_to_owner_of(dir_fd, fd);
    r = write_pid(fd);
    if (r < 0)
        return r;
    *ret_fd = TAKE_FD(fd);
    return 0;
}

int state_is_locked(const char *dir, int *ret_pid) {
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir), fd = -1;

    fd = dir_fd < 0 ? dir_fd : lock_open(dir_fd, O_RDONLY);
    if (fd == -ENOENT)
        return 0;
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return -errno;
    if (lock.l_type == F_UNLCK)
        return 0;
    *ret_pid = read_pid(fd);
    return 1;
}

bool state_lock_is_kept(const char *dir, int fd) {
    _cleanup_(file_closep) int dir_fd = file_dir_open(dir);
    struct stat ours, there;

    if (dir_fd < 0)
        return dir_fd != -ENOENT && dir_fd != -ENOTDIR && dir_fd != -ELOOP;
    if (fstat(fd, &ours) < 0)
        return true;
    if (fstatat(dir_fd, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return errno != ENOENT;
    return ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

int state_is_guarded(const char *dir, const char *runtime_dir, int *ret_pid) {
    int r = state_is_locked(dir, ret_pid), e;

    if (r > 0)
        return r;
    e = state_is_locked(runtime_dir, ret_pid);
    return e > 0 || r == 0 ? e : r;
}

const char *state_pid_namespace(char dst[static STATE_PID_NAMESPACE_MAX]) {
    ssize_t n = readlink("/proc/self/ns/pid", dst, STATE_PID_NAMESPACE_MAX - 1);

    dst[MAX(n, 0)] = '\0';
    return dst;
}
