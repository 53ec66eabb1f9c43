/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The durable queue of alerts: one file an alert in $STATE_DIRECTORY/outbox. An alert is on the disk before
 * its first delivery attempt and leaves when every channel has given its receipt. It is delivered at least
 * once: after a crash between a delivery and its note on the disk it goes out again, under the same id. */

#include "daemon/core/model_alert.h"

#define OUTBOX_ALERTS_MAX 10000U
#define OUTBOX_BYTES_MAX  (64U * 1024 * 1024)
#define OUTBOX_ASIDE_MAX  1000U /* files kept in refused/ */

typedef struct Outbox Outbox;

typedef struct OutboxEntry OutboxEntry;

/* Opens DIR/outbox (made when missing) and reads what is waiting, oldest first. A file that cannot be read
 * stays, counts, and is read later (outbox_try_again); one that cannot be parsed is moved to outbox/damaged
 * with a journal line and is never overwritten; leftover temporaries are removed; files of other names are
 * left alone. No symbolic link is followed. 0 or -errno with one line naming the path in error. */
int outbox_open(const char *dir, Outbox **ret, char *error, size_t error_size);
/* NULL is fine. */
void outbox_close(Outbox *outbox);

/* Only in memory: the disk does not take it. */
#define OUTBOX_IN_MEMORY 1

/* Takes the alert over (moved out of *alert, also when the disk refuses). Returns 0 when it is on the disk;
 * OUTBOX_IN_MEMORY (which the journal says once): it is delivered and must not be added again. It is written
 * as soon as the disk takes it, which is tried again at the next add, acknowledge or refuse, and by
 * outbox_try_again.
 * -ENOMEM: there is no room for it in memory either, and it counts as lost. An alert whose id is waiting
 * already is dropped silently (0, or as that one is). Over a ceiling reminders are given up first, then the
 * oldest; each is counted and logged. */
int outbox_add(Outbox *outbox, Alert *alert);

/* The directory was made again: all that waits is written down once more. Was it? */
bool outbox_write_again(Outbox *outbox);

/* Tries again what the disk has refused: to read alerts that were there when the outbox was opened, to write
 * those that are only in memory, to remove those that are done. True when there is more to deliver now. */
bool outbox_try_again(Outbox *outbox);

/* Oldest first. NULL at the end. Entries stay valid until they are acknowledged for all channels or
 * outbox_add gives them up: whoever waits meanwhile keeps the alert's id and asks outbox_find. */
OutboxEntry *outbox_first(Outbox *outbox);
OutboxEntry *outbox_next(Outbox *outbox, const OutboxEntry *entry);
OutboxEntry *outbox_find(Outbox *outbox, const char *id);
const Alert *outbox_entry_alert(const OutboxEntry *entry);

/* Has this channel (its key, e.g. "sns:arn:...") acknowledged the entry? */
bool outbox_entry_is_acknowledged(const OutboxEntry *entry, const char *channel);

/* Notes a channel's final receipt (DELIVERED, SKIPPED) on the disk. When all of `channels` have acknowledged
 * the entry it is removed; entry is invalid then. */
void outbox_acknowledge(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *const *channels,
                        size_t n_channels);

/* The message is refused for good by one channel: a copy with the reason goes to outbox/refused (of which
 * there are OUTBOX_ASIDE_MAX at most), a journal line says so; then as outbox_acknowledge. */
void outbox_refuse(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *reason,
                   const char *const *channels, size_t n_channels);

/* After the channels changed (start, reload): drops entries that all of `channels` have acknowledged. With
 * no channels everything waits. */
void outbox_sweep(Outbox *outbox, const char *const *channels, size_t n_channels);

/* Also those that could not be read yet. */
unsigned outbox_depth(const Outbox *outbox);
/* Real; when the oldest of them was composed; 0 when none waits that could be read. */
uint64_t outbox_oldest_usec(const Outbox *outbox);
/* Alerts given up since it was opened. */
uint64_t outbox_n_lost(const Outbox *outbox);
/* Alerts given up since the last call (for the next message that gets through); resets the count. */
unsigned outbox_take_lost(Outbox *outbox);
