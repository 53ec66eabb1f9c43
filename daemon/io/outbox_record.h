/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The file of one alert in the outbox ("trailguard.outbox/1"): the alert, and the channels that have
 * acknowledged it. Pure. */

#include "daemon/core/model_alert.h"

#define OUTBOX_RECORD_MAX   (1024U * 1024) /* bytes of a file */
#define OUTBOX_CHANNELS_MAX 64

/* Owns its strings, except for the last two. */
typedef struct OutboxRecord {
    Alert alert;
    char **acknowledged; /* keys of these channels */
    size_t n_acknowledged;
    const char *refused_by, *refusal; /* why it is set aside; both NULL: it is not; written but not read */
} OutboxRecord;

/* Reads a file's text, whose checksum was checked. Free *ret with outbox_record_done. 0; -EINVAL with one
 * line in reason that names the member; -ENOMEM. After an error there is nothing to free. */
int outbox_record_read(const char *text, size_t len, OutboxRecord *ret, char *reason, size_t reason_size);

/* The file's text with its checksum; the caller frees. 0, -ENOMEM, -E2BIG over OUTBOX_RECORD_MAX, -EIO
 * without SHA-256. */
int outbox_record_write(const OutboxRecord *record, char **ret, size_t *ret_len);

/* Frees its content and clears it. */
void outbox_record_done(OutboxRecord *record);

bool outbox_record_is_acknowledged(const OutboxRecord *record, const char *channel);

/* Adds a channel. Beyond OUTBOX_CHANNELS_MAX it replaces the oldest, which belongs to an old configuration.
 * 0 or -ENOMEM. */
int outbox_record_acknowledge(OutboxRecord *record, const char *channel);
