/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A change of an incident -> the words: subject, mail, SMS, JSON document. Pure: host and version are
 * arguments. docs/alerts.md describes the result for its readers. */

#include "daemon/core/model_alert.h"

typedef struct AlertGuard {
    const char *host;
    const char *version;
} AlertGuard;

/* Composes. 0 (ret is to be freed by alert_done), -ENOMEM, -EIO (hashing), -EINVAL (an enum out of range).
 * All foreign text is escaped.
 *
 * The id is the same for two guards that see the same trouble, and whether they see a gap as `stopped` or
 * only as `interrupted`, a deletion as `missing` or only as `replaced`; it does not depend on guard, now,
 * sequence, nor on how the message words it.
 *
 * The events channel.failed and channel.recovered expect "CHANNEL" or "CHANNEL: error" in
 * event->detail. */
int alert_compose(const AlertGuard *guard, const Subject *subject, const Event *event, Alert *ret);
/* Frees the strings and clears the rest; fine on a zeroed Alert, and twice. */
void alert_done(Alert *alert);

/* The incident's public id, 16 hex digits, from its subject and mark. 0, -ENOMEM or -EIO (hashing). */
int alert_incident_id(const Subject *subject, uint64_t dedup_usec, char ret[static 17]);

/* What is not UTF-8 cannot be written as JSON, however often it is tried. */
bool alert_is_utf8(const Alert *alert);

/* The SNS `Message`: a JSON object with default, email, sms, and the document for sqs, lambda, http, https;
 * https: what takes its place there, NULL: nothing. The caller frees. At most max bytes: the mail is cut to
 * fit. 0, -ENOMEM, -EINVAL (text that is not UTF-8), -E2BIG (the document alone is too long). */
int alert_sns_message(const Alert *alert, const char *https, size_t max, char **ret);
