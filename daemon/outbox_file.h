/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One waiting alert <-> one JSON file ("trailguard.outbox/1"). Private to the outbox. */

#include <stddef.h>

#include "daemon/types.h"

#define OUTBOX_FILE_MAX     (1024U * 1024)
#define OUTBOX_RECEIPTS_MAX 32

typedef struct OutboxReceipts {
    char *channels[OUTBOX_RECEIPTS_MAX]; /* keys of the channels that have settled it; owned */
    size_t n;
} OutboxReceipts;

/* The file's text, caller frees; reason is NULL, or why the message was refused. NULL when out of memory. */
char *outbox_file_compose(const Alert *alert, const OutboxReceipts *receipts, const char *reason);

/* 0; -EBADMSG; -ENOMEM. On success the caller owns what is in both. */
int outbox_file_parse(const char *text, size_t len, Alert *ret_alert, OutboxReceipts *ret_receipts);

void outbox_receipts_done(OutboxReceipts *receipts);
void outbox_alert_done(Alert *alert);
