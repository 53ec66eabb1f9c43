/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One alert as a file of the outbox: JSON, schema trailguard.outbox/1. Private to outbox. */

#include "daemon/core/model.h"

#define OUTBOX_FILE_MAX     (1024 * 1024)
#define OUTBOX_CHANNELS_MAX 64
#define OUTBOX_NAME_MAX     96

/* What a file holds. */
typedef struct OutboxRecord {
    Alert alert;
    char **settled; /* keys of the channels that need it no more */
    size_t n_settled;
} OutboxRecord;

void outbox_record_done(OutboxRecord *record);
/* 0, also when it is there already; -ENOMEM. Past OUTBOX_CHANNELS_MAX the oldest makes room. */
int outbox_record_settle(OutboxRecord *record, const char *channel);
bool outbox_record_is_settled(const OutboxRecord *record, const char *channel);

/* The file's content; the caller frees. channel and reason: why it is set aside, or NULL both. 0, -ENOMEM,
 * -EINVAL (text that is not UTF-8), -E2BIG. */
int outbox_file_format(const OutboxRecord *record, const char *channel, const char *reason, char **ret,
                       size_t *ret_len);

/* Any bytes -> a record that is fit to be sent (the caller calls outbox_record_done); 0, -ENOMEM, or
 * -EBADMSG with the reason in *ret_why (static text). */
int outbox_file_parse(const char *data, size_t len, OutboxRecord *ret, const char **ret_why);

/* "00000000000000000042-<id>.json" */
void outbox_file_name(char dst[static OUTBOX_NAME_MAX], uint64_t number, const char *id);
/* Is it the name of an alert's file? */
bool outbox_file_number(const char *name, uint64_t *ret_number);
