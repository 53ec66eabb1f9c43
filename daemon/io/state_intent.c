/* SPDX-License-Identifier: Apache-2.0 */
/* What the guard is about to do, on the disk before it is done: after a crash it is known, and reported. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/seal.h"
#include "daemon/io/damaged.h"
#include "daemon/io/state.h"
#include "daemon/io/state_json.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define INTENTS    "intents"
#define MODE_DIR   0700
#define MODE_FILE  0600
#define REASON_MAX 256
#define INTENT_MAX (8U * 1024 * 1024)

static int name_of(const StateTrail *trail, char **ret) {
    char *name;

    if (!trail->arn || !trail->arn[0] || strchr(trail->account, '/') || strchr(trail->region, '/') ||
        strchr(trail->name, '/'))
        return -EINVAL;
    if (asprintf(&name, "%s_%s_%s.json", trail->account, trail->region, trail->name) < 0)
        return -ENOMEM;
    *ret = name;
    return 0;
}

/* The directory is made when the first one is written: proving that it can be is not worth the time. */
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

    r = name_of(trail, &name);
    if (r >= 0)
        r = state_json_write(&table, &text, &len);
    if (r >= 0)
        r = seal_add(&text, &len);
    return r < 0 ? r : write_intent(dir, name, text, len);
}

int state_intent_remove(const char *dir, const StateTrail *trail) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *name = NULL;
    int r = name_of(trail, &name);

    if (r < 0)
        return r;
    fd = file_dir_open_below(dir, INTENTS);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    return file_remove_at(fd, name);
}

/* ---- after a crash ---- */

static StateTrail *row_of(const StateTable *table, const char *arn) {
    for (size_t i = 0; i < table->n_trails; i++)
        if (text_equal(table->trails[i].arn, arn))
            return &table->trails[i];
    return NULL;
}

/* Takes the row over: into the table, or away. 1 when it counts, 0 when the table has got over it. */
static int merge(StateTable *table, StateTable *intent) {
    StateTrail *row = row_of(table, intent->trails[0].arn), *grown;
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
    intent->trails[0] = swap; /* freed with it */
    return 1;
}

static int load_one(int dir_fd, const char *path, const char *name, uint64_t now_real_usec,
                    StateTable *table) {
    _cleanup_free_ char *text = NULL;
    char reason[REASON_MAX] = "", error[REASON_MAX * 4] = "";
    StateTable intent = { 0 };
    size_t len;
    int r;

    r = file_read_at(dir_fd, name, INTENT_MAX, &text, &len);
    if (r >= 0)
        r = seal_check(text, len, reason, sizeof(reason));
    if (r >= 0)
        r = state_json_read(text, len, &intent, reason, sizeof(reason));
    if (r >= 0 && (intent.n_trails != 1 || !intent.trails[0].arn[0])) {
        (void)snprintf(reason, sizeof(reason), "it is not about one trail");
        r = -EINVAL;
    }
    if (r >= 0) {
        r = merge(table, &intent);
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
    int r = 0;

    if (!below)
        return -ENOMEM;
    stream = fd >= 0 ? file_dir_stream(fd) : NULL;
    if (!stream) {
        if (fd != -ENOENT)
            log_line(LOG_ERR, "%s: cannot be read: %s", below, file_strerror(fd < 0 ? fd : -errno));
        return 0;
    }
    while (r >= 0 && (entry = readdir(stream))) {
        _cleanup_free_ const char *path = NULL;

        if (entry->d_name[0] == '.' || !text_ends_with(entry->d_name, ".json"))
            continue;
        path = file_join(below, entry->d_name);
        r = path ? load_one(fd, path, entry->d_name, now_real_usec, table) : -ENOMEM;
    }
    (void)closedir(stream);
    return r;
}
