/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/core/events.h"
#include "daemon/io/outbox_record.h"
#include "daemon/io/sealed.h"
#include "daemon/log.h"
#include "lib/aws_error.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define OUTBOX  "outbox"
#define REFUSED "refused"
#define DAMAGED "damaged"

#define FILE_MODE 0600
#define DIR_MODE  0700

#define OUTBOX_NAME_MAX 96
#define ID_LEN          64
#define NUMBER_DIGITS   20 /* of UINT64_MAX */

#define ASIDE_NAME_MAX 256
#define REASON_MAX     256

/* ---- names ---- */

/* "00000000000000000042-<id>.json" */
static void file_name(char dst[static OUTBOX_NAME_MAX], uint64_t number, const char *id) {
    (void)snprintf(dst, OUTBOX_NAME_MAX, "%0*" PRIu64 "-%.64s.json", NUMBER_DIGITS, number, id);
}

/* True if it is the name of an alert's file. */
static bool file_number(const char *name, uint64_t *ret_number) {
    if (strspn(name, "0123456789") != NUMBER_DIGITS || name[NUMBER_DIGITS] != '-' ||
        strlen(name) != NUMBER_DIGITS + 1 + ID_LEN + strlen(".json") || !text_ends_with(name, ".json"))
        return false;
    if (strspn(name + NUMBER_DIGITS + 1, "0123456789abcdef") != ID_LEN)
        return false;
    errno = 0;
    *ret_number = strtoull(name, NULL, 10);
    /* the largest number is excluded, so that there is always a next one */
    return errno == 0 && *ret_number < UINT64_MAX;
}

/* ---- entries ---- */

/* Whether there is a file of that name. */
typedef enum OnDisk {
    ON_DISK_NO,
    ON_DISK_MAYBE,
    ON_DISK_YES, /* and it is durable */
} OnDisk;

struct OutboxEntry {
    OutboxEntry *next;
    OutboxRecord record;
    char name[OUTBOX_NAME_MAX];
    size_t bytes; /* of its file */
    OnDisk on_disk;
    bool unwritten; /* its file is outdated */
};

typedef struct Names {
    char **names;
    unsigned n;
} Names;

struct Outbox {
    char *parent; /* the state directory */
    char *dir;
    OutboxEntry *first, *last;
    OutboxEntry *spare; /* for an alert without memory; NULL: it was used */
    unsigned n_entries;
    size_t bytes;
    uint64_t next_number;
    unsigned n_unwritten;
    int disk_error; /* of the last write; logged when the trouble began */
    uint64_t n_lost, n_lost_taken;
    Names unread; /* alerts that could not be read at the start, to be read later */
    Names left;   /* finished alerts that could not be removed, to be removed later */
};

static int names_add(Names *names, const char *name) {
    char **grown = realloc(names->names, (names->n + 1) * sizeof(*grown)), *copy = strdup(name);

    if (grown)
        names->names = grown;
    if (!grown || !copy) {
        free(copy);
        return -ENOMEM;
    }
    names->names[names->n++] = copy;
    return 0;
}

/* Keeps the names for which keep returns true. */
static void names_filter(Names *names, bool (*keep)(Outbox *outbox, int dir_fd, const char *name),
                         Outbox *outbox, int dir_fd) {
    unsigned n = 0;

    for (unsigned i = 0; i < names->n; i++)
        if (keep(outbox, dir_fd, names->names[i]))
            names->names[n++] = names->names[i];
        else
            free(names->names[i]);
    names->n = n;
}

static void names_done(Names *names) {
    for (unsigned i = 0; i < names->n; i++)
        free(names->names[i]);
    free(names->names);
}

/* ---- the list ---- */

static void entry_free(OutboxEntry *entry) {
    outbox_record_done(&entry->record);
    free(entry);
}

static void set_unwritten(Outbox *outbox, OutboxEntry *entry, bool unwritten) {
    if (unwritten && !entry->unwritten)
        outbox->n_unwritten++;
    if (!unwritten && entry->unwritten)
        outbox->n_unwritten--;
    entry->unwritten = unwritten;
}

/* Names begin with numbers of fixed length. */
static void append(Outbox *outbox, OutboxEntry *entry) {
    OutboxEntry **p = &outbox->first;

    if (outbox->last && strcmp(outbox->last->name, entry->name) < 0)
        p = &outbox->last->next;
    while (*p && strcmp((*p)->name, entry->name) < 0)
        p = &(*p)->next;
    entry->next = *p;
    *p = entry;
    if (!entry->next)
        outbox->last = entry;
    outbox->n_entries++;
    outbox->bytes += entry->bytes;
}

static void take_out(Outbox *outbox, OutboxEntry *entry) {
    OutboxEntry **p = &outbox->first, *before = NULL;

    while (*p != entry) {
        before = *p;
        p = &before->next;
    }
    *p = entry->next;
    if (outbox->last == entry)
        outbox->last = before;
    set_unwritten(outbox, entry, false);
    outbox->n_entries--;
    outbox->bytes -= entry->bytes;
}

OutboxEntry *outbox_first(Outbox *outbox) {
    return outbox->first;
}

OutboxEntry *outbox_next(Outbox *outbox _unused_, const OutboxEntry *entry) {
    return entry->next;
}

OutboxEntry *outbox_find(Outbox *outbox, const char *id) {
    for (OutboxEntry *entry = outbox->first; entry; entry = entry->next)
        if (strcmp(entry->record.alert.id, id) == 0)
            return entry;
    return NULL;
}

const Alert *outbox_entry_alert(const OutboxEntry *entry) {
    return &entry->record.alert;
}

bool outbox_entry_is_acknowledged(const OutboxEntry *entry, const char *channel) {
    return outbox_record_is_acknowledged(&entry->record, channel);
}

unsigned outbox_depth(const Outbox *outbox) {
    return outbox->n_entries + outbox->unread.n;
}

uint64_t outbox_oldest_usec(const Outbox *outbox) {
    return outbox->first ? outbox->first->record.alert.time_usec : 0;
}

uint64_t outbox_n_lost(const Outbox *outbox) {
    return outbox->n_lost;
}

unsigned outbox_take_lost(Outbox *outbox) {
    uint64_t n = outbox->n_lost - outbox->n_lost_taken;

    outbox->n_lost_taken = outbox->n_lost;
    return (unsigned)n;
}

/* ---- the disk ---- */

/* Logs when disk trouble begins and ends, not for each file. */
static void note_disk(Outbox *outbox, int error) {
    if (error < 0 && outbox->disk_error == 0)
        log_line(LOG_ERR, "%s: cannot be written: %s; alerts are kept in memory and still sent", outbox->dir,
                 file_strerror(error));
    else if (error == 0 && outbox->disk_error < 0)
        log_line(LOG_NOTICE, "%s: can be written again", outbox->dir);
    outbox->disk_error = error;
}

static int open_dir(const Outbox *outbox) {
    return file_dir_open_below(outbox->parent, OUTBOX);
}

static int ensure_dir(const Outbox *outbox) {
    return file_ensure_dir_below(outbox->parent, OUTBOX, DIR_MODE);
}

static int write_entry(Outbox *outbox, int dir_fd, OutboxEntry *entry) {
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r;

    r = outbox_record_write(&entry->record, &text, &len);
    if (r < 0)
        return r;
    entry->on_disk = MAX(entry->on_disk, ON_DISK_MAYBE);
    r = file_write_at(dir_fd, entry->name, text, len, FILE_MODE, true);
    if (r < 0)
        return r;
    outbox->bytes += len - entry->bytes;
    entry->bytes = len;
    entry->on_disk = ON_DISK_YES;
    set_unwritten(outbox, entry, false);
    return 0;
}

/* True if the error concerns only this file, and not the next one. */
static bool is_about_content(int error) {
    return error == -EINVAL || error == -E2BIG;
}

/* Retries failed writes; one failure is enough to stop. Only an alert that was written proves that the disk
 * is well: a full disk still opens directories and creates empty files. */
static void write_waiting(Outbox *outbox) {
    _cleanup_(file_closep) int fd = -1;
    bool waits = outbox->n_unwritten > 0;
    int error;

    if (!waits && outbox->disk_error == 0)
        return;
    fd = ensure_dir(outbox);
    error = MIN(fd, 0);
    for (OutboxEntry *entry = outbox->first; entry && (error == 0 || is_about_content(error));
         entry = entry->next)
        if (entry->unwritten) {
            int r = write_entry(outbox, fd, entry);

            error = r < 0 ? r : error;
        }
    if (error == 0 && outbox->disk_error < 0)
        (void)file_sweep_at(fd); /* left behind by a failed write */
    if (error < 0 || waits)
        note_disk(outbox, error);
}

static int where_kept(const OutboxEntry *entry) {
    return entry->on_disk == ON_DISK_YES ? 0 : OUTBOX_IN_MEMORY;
}

static void remove_entry(Outbox *outbox, OutboxEntry *entry) {
    int r = 0;

    if (entry->on_disk != ON_DISK_NO) {
        _cleanup_(file_closep) int fd = open_dir(outbox);

        r = fd < 0 ? fd : file_remove_at(fd, entry->name);
    }
    if (r < 0 && r != -ENOENT) {
        log_line(LOG_WARNING,
                 "%s/%s: cannot be removed: %s; tried again later, and sent again after a crash",
                 outbox->dir, entry->name, strerror(-r));
        (void)names_add(&outbox->left, entry->name);
    }
    take_out(outbox, entry);
    entry_free(entry);
}

/* A name in a subdirectory of the outbox that is not taken yet. */
static int free_name_in(int sub_fd, const char *name, char dst[static ASIDE_NAME_MAX]) {
    for (unsigned i = 0; i < OUTBOX_ASIDE_MAX; i++) {
        struct stat st;
        int len = i == 0 ? snprintf(dst, ASIDE_NAME_MAX, "%s", name)
                         : snprintf(dst, ASIDE_NAME_MAX, "%s.%u", name, i);

        if (len >= ASIDE_NAME_MAX)
            return -ENAMETOOLONG;
        if (fstatat(sub_fd, dst, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            return 0;
    }
    return -EEXIST;
}

static unsigned count_files(int dir_fd) {
    DIR *d = file_dir_stream(dir_fd);
    unsigned n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n > 2 ? n - 2 : 0;
}

/* ---- ceilings ---- */

static bool is_over(const Outbox *outbox) {
    return outbox->n_entries > OUTBOX_ALERTS_MAX || outbox->bytes > OUTBOX_BYTES_MAX;
}

static void give_up(Outbox *outbox, OutboxEntry *entry) {
    log_event(EVENT_LINE(LINE_ALERT_LOST), NULL, 0, "too many alerts are waiting; given up: %s",
              entry->record.alert.subject);
    outbox->n_lost++;
    remove_entry(outbox, entry);
}

/* Reminders first, then the oldest; never the newest, which has just come. */
static void keep_ceilings(Outbox *outbox) {
    while (is_over(outbox) && outbox->n_entries > 1) {
        OutboxEntry *victim = outbox->first;

        for (OutboxEntry *entry = outbox->first; entry->next; entry = entry->next)
            if (entry->record.alert.event == EVENT_INCIDENT_REMINDER) {
                victim = entry;
                break;
            }
        give_up(outbox, victim);
    }
}

/* ---- in and out ---- */

/* The estimated size on disk, if the disk does not say. */
static size_t guess_bytes(const Alert *alert) {
    return strlen(alert->text) + strlen(alert->sms) + strlen(alert->document) + 1024;
}

int outbox_add(Outbox *outbox, Alert *alert) {
    OutboxRecord record = { .alert = *alert };
    OutboxEntry *entry = outbox_find(outbox, alert->id);
    int r;

    *alert = (Alert){ 0 };
    if (entry) {
        outbox_record_done(&record);
        write_waiting(outbox);
        return where_kept(entry);
    }
    entry = calloc(1, sizeof(*entry));
    if (!entry)
        entry = TAKE_PTR(outbox->spare);
    if (!entry) {
        log_event(EVENT_LINE(LINE_ALERT_LOST), NULL, 0, "out of memory; lost: %s", record.alert.subject);
        outbox->n_lost++;
        outbox_record_done(&record);
        return -ENOMEM;
    }
    entry->record = record;
    entry->bytes = guess_bytes(&record.alert);
    file_name(entry->name, outbox->next_number++, record.alert.id);
    append(outbox, entry);
    set_unwritten(outbox, entry, true);
    write_waiting(outbox);
    r = where_kept(entry);
    keep_ceilings(outbox);
    if (!outbox->spare)
        outbox->spare = calloc(1, sizeof(*outbox->spare));
    return r;
}

bool outbox_is_durable(const Outbox *outbox) {
    bool all = true;

    for (const OutboxEntry *entry = outbox->first; entry && outbox->n_unwritten > 0; entry = entry->next)
        all = all && entry->on_disk == ON_DISK_YES;
    return all;
}

bool outbox_write_again(Outbox *outbox) {
    for (OutboxEntry *entry = outbox->first; entry; entry = entry->next) {
        entry->on_disk = MIN(entry->on_disk, ON_DISK_MAYBE);
        set_unwritten(outbox, entry, true);
    }
    write_waiting(outbox);
    return outbox->n_unwritten == 0;
}

static bool all_acknowledged(const OutboxEntry *entry, const char *const *channels, size_t n_channels) {
    for (size_t i = 0; i < n_channels; i++)
        if (!outbox_record_is_acknowledged(&entry->record, channels[i]))
            return false;
    return n_channels > 0;
}

void outbox_acknowledge(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *const *channels,
                        size_t n_channels) {
    int r = outbox_record_acknowledge(&entry->record, channel);

    if (r < 0)
        log_line(LOG_WARNING, "%s/%s: the receipt of %s cannot be kept: %s", outbox->dir, entry->name,
                 channel, strerror(-r));
    if (all_acknowledged(entry, channels, n_channels))
        remove_entry(outbox, entry);
    else
        set_unwritten(outbox, entry, true);
    write_waiting(outbox);
}

static int write_refused(const Outbox *outbox, const OutboxEntry *entry, const char *channel,
                         const char *reason) {
    _cleanup_(file_closep) int fd = -1, refused_fd = -1;
    _cleanup_free_ char *text = NULL;
    char shown[ERROR_TEXT_MAX], name[ASIDE_NAME_MAX];
    OutboxRecord record;
    size_t len;
    int r;

    record = entry->record; /* borrows */
    record.refused_by = channel;
    record.refusal = text_escaped(shown, sizeof(shown), reason);
    r = outbox_record_write(&record, &text, &len);
    if (r < 0)
        return r;
    fd = open_dir(outbox);
    refused_fd = fd < 0 ? fd : file_ensure_dir_at(fd, REFUSED, DIR_MODE);
    if (refused_fd < 0)
        return refused_fd;
    if (count_files(refused_fd) >= OUTBOX_ASIDE_MAX)
        return -EDQUOT;
    r = free_name_in(refused_fd, entry->name, name);
    return r < 0 ? r : file_write_at(refused_fd, name, text, len, FILE_MODE, true);
}

void outbox_refuse(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *reason,
                   const char *const *channels, size_t n_channels) {
    int r = write_refused(outbox, entry, channel, reason);
    char id[AWS_REQUEST_ID_MAX];
    const LogField field = { "AWS_REQUEST_ID", aws_error_text_id(reason, id) };

    log_event(EVENT_LINE(LINE_ALERT_LOST), &field, 1, "%s refused this alert for good: %s: %s", channel,
              reason, entry->record.alert.subject);
    if (r < 0)
        log_line(LOG_ERR, "%s/refused: the refused alert cannot be kept there: %s", outbox->dir,
                 strerror(-r));
    outbox_acknowledge(outbox, entry, channel, channels, n_channels);
}

void outbox_sweep(Outbox *outbox, const char *const *channels, size_t n_channels) {
    OutboxEntry *next;

    for (OutboxEntry *entry = outbox->first; entry; entry = next) {
        next = entry->next;
        if (all_acknowledged(entry, channels, n_channels))
            remove_entry(outbox, entry);
    }
}

/* ---- opening ---- */

/* Never lost, and never in the way: a person can read it there. */
static void set_damaged_aside(const Outbox *outbox, int dir_fd, const char *name, const char *why) {
    _cleanup_(file_closep) int damaged_fd = file_ensure_dir_at(dir_fd, DAMAGED, DIR_MODE);
    char to[ASIDE_NAME_MAX];

    if (damaged_fd >= 0 && free_name_in(damaged_fd, name, to) >= 0 &&
        renameat(dir_fd, name, damaged_fd, to) >= 0)
        log_line(LOG_ERR, "%s/%s: not an alert that can be sent (%s); moved to %s/" DAMAGED "/%s",
                 outbox->dir, name, why, outbox->dir, to);
    else
        log_line(LOG_ERR, "%s/%s: not an alert that can be sent (%s), and cannot be moved to %s/" DAMAGED,
                 outbox->dir, name, why, outbox->dir);
}

/* Trouble of the machine, not of the file: only a file that was read can be damaged. */
static bool is_our_trouble(int error) {
    return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

static int load_record(const Outbox *outbox, int dir_fd, const char *name, OutboxRecord *ret,
                       size_t *ret_len) {
    _cleanup_free_ char *text = NULL;
    char reason[REASON_MAX];
    int r = sealed_read(dir_fd, name, OUTBOX_RECORD_MAX, &text, ret_len, reason, sizeof(reason));

    if (r < 0 && r != -EINVAL && r != -E2BIG)
        return r;
    if (r >= 0)
        r = outbox_record_read(text, *ret_len, ret, reason, sizeof(reason));
    if (r < 0 && !is_our_trouble(r)) {
        set_damaged_aside(outbox, dir_fd, name, reason[0] ? reason : strerror(-r));
        return -EBADMSG;
    }
    return r;
}

static int load(Outbox *outbox, int dir_fd, const char *name, uint64_t number) {
    OutboxRecord record;
    OutboxEntry *entry;
    size_t len;
    int r;

    r = load_record(outbox, dir_fd, name, &record, &len);
    if (outbox->next_number <= number)
        outbox->next_number = number + 1;
    if (r < 0)
        return r == -EBADMSG || r == -ENOENT ? 0 : r;
    entry = calloc(1, sizeof(*entry));
    if (!entry) {
        outbox_record_done(&record);
        return -ENOMEM;
    }
    *entry = (OutboxEntry){ .record = record, .bytes = len, .on_disk = ON_DISK_YES };
    (void)text_copy(entry->name, sizeof(entry->name), name);
    if (outbox_find(outbox, record.alert.id)) { /* the same message twice: one is enough */
        append(outbox, entry);
        remove_entry(outbox, entry);
        return 0;
    }
    append(outbox, entry);
    keep_ceilings(outbox);
    return 0;
}

/* ---- retrying reads, writes and removals ---- */

static int note_unread(Outbox *outbox, const char *name, int error) {
    int r = names_add(&outbox->unread, name);

    if (r >= 0)
        log_line(LOG_ERR, "%s/%s: cannot be read: %s; it stays, and is read again later", outbox->dir, name,
                 file_strerror(error));
    return r;
}

static bool stays_unread(Outbox *outbox, int dir_fd, const char *name) {
    uint64_t number;

    if (file_number(name, &number) && load(outbox, dir_fd, name, number) < 0)
        return true;
    log_line(LOG_NOTICE, "%s/%s: can be read again, or is gone", outbox->dir, name);
    return false;
}

static bool stays_left(Outbox *outbox _unused_, int dir_fd, const char *name) {
    return file_remove_at(dir_fd, name) < 0;
}

bool outbox_try_again(Outbox *outbox) {
    _cleanup_(file_closep) int fd = outbox->unread.n + outbox->left.n > 0 ? open_dir(outbox) : -1;
    unsigned n = outbox->unread.n;

    if (fd >= 0) {
        names_filter(&outbox->left, stays_left, outbox, fd);
        names_filter(&outbox->unread, stays_unread, outbox, fd);
    }
    write_waiting(outbox);
    return outbox->unread.n < n;
}

static int visit(Outbox *outbox, int dir_fd, const char *name) {
    uint64_t number;
    int r;

    if (file_number(name, &number)) {
        r = load(outbox, dir_fd, name, number);
        return r >= 0 || is_our_trouble(r) ? r : note_unread(outbox, name, r);
    }
    if (text_ends_with(name, ".json"))
        set_damaged_aside(outbox, dir_fd, name, "its name");
    return 0;
}

static void sweep_below(int dir_fd, const char *name) {
    _cleanup_(file_closep) int fd = file_dir_open_at(dir_fd, name);

    if (fd >= 0)
        (void)file_sweep_at(fd);
}

static int outbox_by_name(const void *a, const void *b) {
    const struct dirent *const *x = a, *const *y = b;

    return strcmp((*x)->d_name, (*y)->d_name);
}

static int load_all(Outbox *outbox) {
    _cleanup_(file_closep) int fd = ensure_dir(outbox);
    struct dirent **names;
    int n, r = 0;

    if (fd < 0)
        return fd;
    (void)file_sweep_at(fd);
    sweep_below(fd, REFUSED);
    sweep_below(fd, DAMAGED);
    /* numbers have leading zeros, so that names sort by age; not in the locale's order */
    n = scandirat(fd, ".", &names, NULL, NULL);
    if (n < 0)
        return -errno;
    qsort(names, (size_t)n, sizeof(*names), outbox_by_name);
    for (int i = 0; i < n; i++) {
        if (r >= 0)
            r = visit(outbox, fd, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return r;
}

int outbox_open(const char *dir, Outbox **ret, char *error, size_t error_size) {
    Outbox *outbox = calloc(1, sizeof(*outbox));
    int r = -ENOMEM;

    if (outbox && (outbox->parent = strdup(dir)) && (outbox->dir = file_join(dir, OUTBOX)) &&
        (outbox->spare = calloc(1, sizeof(*outbox->spare))))
        r = load_all(outbox);
    if (r < 0) {
        (void)snprintf(error, error_size, "%s/" OUTBOX ": cannot be opened as the outbox: %s", dir,
                       file_strerror(r));
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
        entry_free(entry);
    }
    names_done(&outbox->unread);
    names_done(&outbox->left);
    free(outbox->spare);
    free(outbox->parent);
    free(outbox->dir);
    free(outbox);
}
