/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The file of one alert in the outbox ("trailguard.outbox/1"): the alert, and which channels need it no
 * more. Pure. */

#include "daemon/core/model_alert.h"

#define OUTBOX_RECORD_MAX   (1024U * 1024) /* bytes of a file */
#define OUTBOX_CHANNELS_MAX 64

/* Strings are owned, but for the last two. */
typedef struct OutboxRecord {
    Alert alert;
    char **acknowledged; /* keys of the channels that need it no more */
    size_t n_acknowledged;
    const char *refused_by, *refusal; /* why it is set aside; NULL both; written and not read */
} OutboxRecord;

/* Reads a file's text, whose checksum was checked. Free *ret with outbox_record_done. 0; -EINVAL with one
 * line in reason that names the member; -ENOMEM. After an error there is nothing to free. */
int outbox_record_read(const char *text, size_t len, OutboxRecord *ret, char *reason, size_t reason_size);

/* The file's text with its checksum; the caller frees. 0, -ENOMEM, -E2BIG past OUTBOX_RECORD_MAX, -EIO when
 * there is no SHA-256. */
int outbox_record_write(const OutboxRecord *record, char **ret, size_t *ret_len);

/* Frees what it holds and clears it. */
void outbox_record_done(OutboxRecord *record);

bool outbox_record_is_acknowledged(const OutboxRecord *record, const char *channel);

/* Adds a channel. Past OUTBOX_CHANNELS_MAX the oldest makes room: it is of a configuration long gone. 0 or
 * -ENOMEM. */
int outbox_record_acknowledge(OutboxRecord *record, const char *channel);
