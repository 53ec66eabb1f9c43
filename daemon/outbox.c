/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/messages.h"
#include "daemon/outbox_file.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

struct OutboxEntry {
    OutboxEntry *next;
    Alert alert;
    OutboxReceipts receipts;
    uint64_t number; /* order of arrival */
    size_t size;     /* bytes of its file */
    bool dirty;      /* the disk does not have it as it is */
};

struct Outbox {
    char *dir, *damaged, *refused;
    OutboxEntry *first; /* oldest first */
    uint64_t next_number;
    unsigned depth;
    size_t bytes;
    unsigned lost;
    bool disk_failed; /* told */
};

/* ---- files ---- */

static char *entry_path(const char *dir, const OutboxEntry *entry) {
    char *path;

    return asprintf(&path, "%s/%012llu-%.16s.json", dir, (unsigned long long)entry->number,
                    entry->alert.id) < 0
                   ? NULL
                   : path;
}

static int write_entry(const char *dir, OutboxEntry *entry, const char *reason) {
    _cleanup_free_ char *path = entry_path(dir, entry),
                        *text = outbox_file_compose(&entry->alert, &entry->receipts, reason);

    if (!path || !text)
        return -ENOMEM;
    entry->size = strlen(text);
    return file_write(path, text, entry->size, 0600, true);
}

/* Writes what the disk does not have yet. The alert is in memory either way and is delivered all the same.
 */
static int write_dirty(Outbox *outbox) {
    int result = 0;

    for (OutboxEntry *entry = outbox->first; entry && result >= 0; entry = entry->next) {
        if (!entry->dirty)
            continue;
        result = write_entry(outbox->dir, entry, NULL);
        entry->dirty = result < 0;
    }
    if (result < 0 && !outbox->disk_failed)
        log_line(LOG_ERR, "%s: cannot be written: %s; alerts are kept in memory and sent all the same",
                 outbox->dir, strerror(-result));
    else if (result >= 0 && outbox->disk_failed)
        log_line(LOG_NOTICE, "%s: written again", outbox->dir);
    outbox->disk_failed = result < 0;
    return result;
}

/* ---- the list ---- */

static void free_entry(OutboxEntry *entry) {
    outbox_alert_done(&entry->alert);
    outbox_receipts_done(&entry->receipts);
    free(entry);
}

static void append(Outbox *outbox, OutboxEntry *entry) {
    OutboxEntry **end = &outbox->first;

    while (*end)
        end = &(*end)->next;
    *end = entry;
    outbox->depth++;
    outbox->bytes += entry->size;
}

static void drop(Outbox *outbox, OutboxEntry *entry) {
    _cleanup_free_ char *path = entry_path(outbox->dir, entry);

    for (OutboxEntry **link = &outbox->first; *link; link = &(*link)->next)
        if (*link == entry) {
            *link = entry->next;
            outbox->depth--;
            outbox->bytes -= MIN(outbox->bytes, entry->size);
            break;
        }
    if (path && file_remove(path) < 0 && !outbox->disk_failed)
        log_line(LOG_WARNING, "%s: cannot be removed; this alert may be sent again after a restart", path);
    free_entry(entry);
}

/* ---- opening ---- */

static void set_aside(Outbox *outbox, const char *name, const char *path) {
    _cleanup_free_ char *aside = file_join(outbox->damaged, name);

    if (file_ensure_dir(outbox->damaged, 0700) < 0 || !aside || rename(path, aside) < 0)
        log_line(LOG_ERR, "%s: damaged, and cannot be set aside; left alone", path);
    else
        log_line(LOG_ERR, "%s: damaged; kept as %s", path, aside);
}

static int load_file(Outbox *outbox, const char *name) {
    _cleanup_free_ char *path = file_join(outbox->dir, name), *text = NULL;
    OutboxEntry *entry = calloc(1, sizeof(*entry));
    char *end;
    size_t len;
    int r;

    if (!path || !entry) {
        free(entry);
        return -ENOMEM;
    }
    entry->number = strtoull(name, &end, 10);
    r = *end == '-' ? file_read(path, OUTBOX_FILE_MAX, &text, &len) : -EBADMSG;
    if (r >= 0)
        r = outbox_file_parse(text, len, &entry->alert, &entry->receipts);
    if (r < 0) {
        free(entry);
        if (r == -ENOMEM)
            return r;
        set_aside(outbox, name, path);
        return 0;
    }
    entry->size = len;
    outbox->next_number = MAX(outbox->next_number, entry->number + 1);
    append(outbox, entry);
    return 0;
}

/* What a crash in the middle of a write has left. */
static void remove_temporary(const Outbox *outbox, const char *name) {
    _cleanup_free_ char *path = file_join(outbox->dir, name);

    if (path && strstr(name, ".tmp-"))
        (void)unlink(path);
}

static int load_all(Outbox *outbox) {
    struct dirent **names;
    int n = scandir(outbox->dir, &names, NULL, alphasort), r = 0;

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] == '.')
            remove_temporary(outbox, names[i]->d_name);
        else if (r >= 0 && text_ends_with(names[i]->d_name, ".json"))
            r = load_file(outbox, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return r;
}

int outbox_open(const char *dir, Outbox **ret, char *error, size_t error_size) {
    Outbox *outbox = calloc(1, sizeof(*outbox));
    int r = -ENOMEM;

    if (outbox) {
        outbox->next_number = 1;
        outbox->dir = strdup(dir);
        outbox->damaged = file_join(dir, "damaged");
        outbox->refused = file_join(dir, "refused");
        if (outbox->dir && outbox->damaged && outbox->refused)
            r = file_ensure_dir(dir, 0700);
    }
    if (r >= 0)
        r = load_all(outbox);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s: %s", dir, strerror(-r));
        outbox_close(outbox);
        return r;
    }
    *ret = outbox;
    return 0;
}

void outbox_close(Outbox *outbox) {
    OutboxEntry *next;

    if (!outbox)
        return;
    for (OutboxEntry *entry = outbox->first; entry; entry = next) {
        next = entry->next;
        free_entry(entry);
    }
    free(outbox->dir);
    free(outbox->damaged);
    free(outbox->refused);
    free(outbox);
}

/* ---- adding ---- */

static bool is_waiting(const Outbox *outbox, const char *id) {
    for (const OutboxEntry *entry = outbox->first; entry; entry = entry->next)
        if (strcmp(entry->alert.id, id) == 0)
            return true;
    return false;
}

/* Over a ceiling the oldest reminder goes first, then the oldest; never the newest, which has just come. */
static void make_room(Outbox *outbox) {
    while (outbox->depth > 1 && (outbox->depth > OUTBOX_ALERTS_MAX || outbox->bytes > OUTBOX_BYTES_MAX)) {
        OutboxEntry *victim = outbox->first;

        for (OutboxEntry *entry = outbox->first; entry && entry->next; entry = entry->next)
            if (entry->alert.event == EVENT_TRAIL_REMINDER) {
                victim = entry;
                break;
            }
        outbox->lost++;
        log_event(LOG_ERR, MESSAGE_ALERT_LOST, NULL, 0, "the outbox is full: giving up \"%s\"",
                  victim->alert.subject);
        drop(outbox, victim);
    }
}

int outbox_add(Outbox *outbox, Alert *alert) {
    OutboxEntry *entry;
    int r;

    if (is_waiting(outbox, alert->id)) {
        outbox_alert_done(alert);
        return 0;
    }
    entry = calloc(1, sizeof(*entry));
    if (!entry) {
        log_event(LOG_ERR, MESSAGE_ALERT_LOST, NULL, 0, "out of memory: giving up \"%s\"", alert->subject);
        outbox->lost++;
        outbox_alert_done(alert);
        return -ENOMEM;
    }
    entry->alert = *alert;
    *alert = (Alert){ 0 };
    entry->number = outbox->next_number++;
    entry->dirty = true;
    append(outbox, entry);
    r = write_dirty(outbox);
    outbox->bytes += entry->size;
    make_room(outbox);
    return r;
}

/* ---- reading and settling ---- */

OutboxEntry *outbox_first(Outbox *outbox) {
    return outbox->first;
}

OutboxEntry *outbox_next(Outbox *outbox, const OutboxEntry *entry) {
    (void)outbox;
    return entry->next;
}

const Alert *outbox_entry_alert(const OutboxEntry *entry) {
    return &entry->alert;
}

bool outbox_entry_is_settled(const OutboxEntry *entry, const char *channel) {
    for (size_t i = 0; i < entry->receipts.n; i++)
        if (strcmp(entry->receipts.channels[i], channel) == 0)
            return true;
    return false;
}

static bool all_settled(const OutboxEntry *entry, const char *const *channels, size_t n_channels) {
    for (size_t i = 0; i < n_channels; i++)
        if (!outbox_entry_is_settled(entry, channels[i]))
            return false;
    return n_channels > 0;
}

static void add_receipt(OutboxEntry *entry, const char *channel) {
    OutboxReceipts *receipts = &entry->receipts;
    char *key;

    if (outbox_entry_is_settled(entry, channel))
        return;
    /* channels of configurations long gone make room */
    if (receipts->n == OUTBOX_RECEIPTS_MAX) {
        free(receipts->channels[0]);
        memmove(&receipts->channels[0], &receipts->channels[1],
                (receipts->n - 1) * sizeof(receipts->channels[0]));
        receipts->n--;
    }
    key = strdup(channel);
    if (key)
        receipts->channels[receipts->n++] = key;
    entry->dirty = true;
}

void outbox_settle(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *const *channels,
                   size_t n_channels) {
    add_receipt(entry, channel);
    if (all_settled(entry, channels, n_channels))
        drop(outbox, entry);
    (void)write_dirty(outbox);
}

void outbox_refuse(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *reason,
                   const char *const *channels, size_t n_channels) {
    char shown[ERROR_TEXT_MAX];
    int r = file_ensure_dir(outbox->refused, 0700);

    if (r >= 0)
        r = write_entry(outbox->refused, entry, reason);
    log_event(LOG_ERR, MESSAGE_ALERT_LOST, NULL, 0, "%s will never take \"%s\": %s; %s %s", channel,
              entry->alert.subject, text_escaped(shown, sizeof(shown), reason),
              r < 0 ? "and it cannot be kept in" : "kept in", outbox->refused);
    outbox_settle(outbox, entry, channel, channels, n_channels);
}

void outbox_sweep(Outbox *outbox, const char *const *channels, size_t n_channels) {
    OutboxEntry *next;

    for (OutboxEntry *entry = outbox->first; entry; entry = next) {
        next = entry->next;
        if (all_settled(entry, channels, n_channels))
            drop(outbox, entry);
    }
}

unsigned outbox_depth(const Outbox *outbox) {
    return outbox->depth;
}

unsigned outbox_take_lost(Outbox *outbox) {
    unsigned lost = outbox->lost;

    outbox->lost = 0;
    return lost;
}
