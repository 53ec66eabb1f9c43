/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/damaged.h"
#include "daemon/settings.h"
#include "daemon/state_json.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"

#define FILE_NAME  "state.json"
#define REASON_MAX 256

void state_table_done(StateTable *table) {
    for (size_t i = 0; i < table->n_trails; i++) {
        drift_done(&table->trails[i].changes);
        free(table->trails[i].name);
        free(table->trails[i].arn);
        free(table->trails[i].account);
        free(table->trails[i].region);
        free(table->trails[i].via);
    }
    for (size_t i = 0; i < table->n_targets; i++) {
        free(table->targets[i].account);
        free(table->targets[i].region);
    }
    for (size_t i = 0; i < table->n_channels; i++)
        free(table->channels[i].channel);
    for (size_t i = 0; i < table->n_accounts; i++) {
        free(table->accounts[i].account);
        free(table->accounts[i].name);
    }
    free(table->trails);
    free(table->targets);
    free(table->channels);
    free(table->accounts);
    *table = (StateTable){ 0 };
}

/* 0, also when there is none in a directory that is there. */
static int no_file(const char *dir, char *error, size_t error_size) {
    struct stat st;

    if (stat(dir, &st) >= 0)
        return 0;
    (void)snprintf(error, error_size, "%s: %s", dir, strerror(errno));
    return -errno;
}

static int out_of_memory(const char *path, char *error, size_t error_size) {
    (void)snprintf(error, error_size, "%s: out of memory", path);
    return -ENOMEM;
}

static int read_table(const char *path, StateTable *ret, char reason[static REASON_MAX]) {
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r;

    *ret = (StateTable){ 0 };
    reason[0] = '\0';
    r = file_read(path, STATE_SIZE_MAX, &text, &len);
    return r < 0 ? r : state_json_read(text, len, ret, reason, REASON_MAX);
}

int state_peek(const char *dir, StateTable *ret, char *error, size_t error_size) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME);
    char reason[REASON_MAX];
    int r;

    if (!path)
        return out_of_memory(FILE_NAME, error, error_size);
    r = read_table(path, ret, reason);
    if (r >= 0 || r == -ENOENT)
        return r >= 0;
    (void)snprintf(error, error_size, "%s: %s%s", path, reason[0] ? "damaged: " : "", reason[0] ? reason : strerror(-r));
    return r;
}

int state_load(const char *dir, uint64_t now_real_usec, StateTable *ret, char *error, size_t error_size) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME);
    char reason[REASON_MAX];
    int r;

    if (!path)
        return out_of_memory(FILE_NAME, error, error_size);

    r = read_table(path, ret, reason);
    if (r == -ENOENT)
        return no_file(dir, error, error_size);
    if (r < 0)
        r = damaged_file(path, r, reason, STATE_SIZE_MAX, now_real_usec, error, error_size);
    if (r >= 0)
        error[0] = '\0'; /* the reason is in the log */
    return r;
}

int state_save(const char *dir, const StateTable *table) {
    _cleanup_free_ char *path = file_join(dir, FILE_NAME), *text = NULL;
    size_t len;
    int r;

    if (!path)
        return -ENOMEM;
    r = state_json_write(table, &text, &len);
    if (r < 0)
        return r;
    return file_write(path, text, len, 0600, true);
}
