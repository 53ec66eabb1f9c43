/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The durable queue of alerts: one file per alert in $STATE_DIRECTORY/outbox. An alert is on disk before its
 * first delivery attempt, and is removed when every channel has given its receipt. Delivery is at least
 * once: after a crash between a delivery and the record of it, the alert is sent again under the same id. */

#include "daemon/core/model_alert.h"

#define OUTBOX_ALERTS_MAX 10000U
#define OUTBOX_BYTES_MAX  (64U * 1024 * 1024)
#define OUTBOX_ASIDE_MAX  1000U /* files kept in refused/ */

typedef struct Outbox Outbox;

typedef struct OutboxEntry OutboxEntry;

/* Opens DIR/outbox (created if missing) and reads the waiting alerts, oldest first. A file that cannot be
 * read stays, counts, and is read later (outbox_try_again). One that cannot be parsed is moved to
 * outbox/damaged with a journal line, and never overwritten. Leftover temporary files are removed; files
 * with other names are ignored. Follows no symbolic link. 0, or -errno with one line that names the path in
 * error. */
int outbox_open(const char *dir, Outbox **ret, char *error, size_t error_size);
/* NULL is allowed. */
void outbox_close(Outbox *outbox);

/* Only in memory: it could not be written to disk. */
#define OUTBOX_IN_MEMORY 1

/* Takes the alert over (moved out of *alert even if the write fails). 0: it is on disk. OUTBOX_IN_MEMORY
 * (the journal says so once): it will be delivered and must not be added again; writing is retried at the
 * next add, acknowledge or refuse, and by outbox_try_again. -ENOMEM: it could not be kept in memory either,
 * and counts as lost. An alert whose id is waiting already is dropped silently (0, or the result of that
 * one). At a limit reminders are dropped first, then the oldest; each is counted and logged. */
int outbox_add(Outbox *outbox, Alert *alert);

/* True if all waiting alerts are on disk, so that a crash loses none. */
bool outbox_is_durable(const Outbox *outbox);

/* The directory was created again: writes all waiting alerts once more. True if that succeeded. */
bool outbox_write_again(Outbox *outbox);

/* Retries what failed on disk: reading alerts found at the start, writing those that are only in memory,
 * removing finished ones. True if there is more to deliver now. */
bool outbox_try_again(Outbox *outbox);

/* Oldest first. NULL at the end. An entry is valid until all channels have acknowledged it or outbox_add
 * drops it: to keep track of an alert, keep its id and call outbox_find. */
OutboxEntry *outbox_first(Outbox *outbox);
OutboxEntry *outbox_next(Outbox *outbox, const OutboxEntry *entry);
OutboxEntry *outbox_find(Outbox *outbox, const char *id);
const Alert *outbox_entry_alert(const OutboxEntry *entry);

/* True if this channel (its key, e.g. "sns:arn:...") has acknowledged the entry. */
bool outbox_entry_is_acknowledged(const OutboxEntry *entry, const char *channel);

/* Records a channel's final receipt (DELIVERED, SKIPPED) on disk. When all of `channels` have acknowledged
 * the entry it is removed, and entry becomes invalid. */
void outbox_acknowledge(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *const *channels,
                        size_t n_channels);

/* One channel refused the message for good: a copy with the reason goes to outbox/refused (at most
 * OUTBOX_ASIDE_MAX files), with a journal line; then as outbox_acknowledge. */
void outbox_refuse(Outbox *outbox, OutboxEntry *entry, const char *channel, const char *reason,
                   const char *const *channels, size_t n_channels);

/* Call after the channels changed (start, reload): drops entries that all of `channels` have acknowledged.
 * Without channels everything waits. */
void outbox_sweep(Outbox *outbox, const char *const *channels, size_t n_channels);

/* Includes those that could not be read yet. */
unsigned outbox_depth(const Outbox *outbox);
/* Real; when the oldest readable one was composed; 0 if there is none. */
uint64_t outbox_oldest_usec(const Outbox *outbox);
/* Alerts dropped since it was opened. */
uint64_t outbox_n_lost(const Outbox *outbox);
/* Alerts dropped since the last call, for the next message that is sent; resets the count. */
unsigned outbox_take_lost(Outbox *outbox);
