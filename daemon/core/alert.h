/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Turns a change of an incident into texts: subject, mail, SMS, JSON document. Pure: host and version are
 * arguments. docs/alerts.md describes the result. */

#include "daemon/core/model_alert.h"

typedef struct AlertGuard {
    const char *host;
    const char *version;
} AlertGuard;

/* Composes an alert. 0 (free *ret with alert_done), -ENOMEM, -EIO (hashing), -EINVAL (an enum out of range).
 * Escapes all outside text.
 *
 * Two guards compute the same id for the same trouble, whether they find a gap as `stopped` or
 * `interrupted`, and a deletion as `missing` or `replaced`. The id does not depend on the guard, now,
 * sequence, or the wording.
 *
 * channel.failed and channel.recovered expect "CHANNEL" or "CHANNEL: error" in event->detail. */
int alert_compose(const AlertGuard *guard, const Subject *subject, const Event *event, Alert *ret);
/* Frees the strings and clears the rest. May be called twice, and on a zeroed Alert. */
void alert_done(Alert *alert);

/* Of an incident that began before AWS said which account it is. */
Subject alert_unnamed(const Subject *subject);
/* The incident's public id, 16 hex digits, from its subject and mark. 0, -ENOMEM or -EIO (hashing). */
int alert_incident_id(const Subject *subject, uint64_t dedup_usec, char ret[static 17]);

/* Text that is not UTF-8 can never be written as JSON. */
bool alert_is_utf8(const Alert *alert);

/* The SNS `Message`: a JSON object with default, email, sms, and the document for sqs, lambda, http,
 * https. https: replaces the document there; NULL: does not. The caller frees. At most max bytes: the mail
 * is truncated to fit. 0, -ENOMEM, -EINVAL (text that is not UTF-8), -E2BIG (the document alone is too
 * long). */
int alert_sns_message(const Alert *alert, const char *https, size_t max, char **ret);
