/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/state.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/seal.h"
#include "daemon/core/settings.h"
#include "daemon/io/damaged.h"
#include "daemon/io/state_json.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"

#define FILE_NAME  "state.json"
#define REASON_MAX 256

static int out_of_memory(const char *path, char *error, size_t error_size) {
    (void)snprintf(error, error_size, "%s: out of memory", path);
    return -ENOMEM;
}

static int read_table(int dir_fd, StateTable *ret, char reason[static REASON_MAX]) {
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r;

    reason[0] = '\0';
    r = file_read_at(dir_fd, FILE_NAME, STATE_SIZE_MAX + SEAL_SIZE, &text, &len);
    if (r >= 0)
        r = seal_check(text, len, reason, REASON_MAX);
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
        error[0] = '\0'; /* the reason is in the log */
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

/* ---- what a crash has left ---- */

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
