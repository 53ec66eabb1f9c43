/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A change of an incident -> the words: subject, mail, SMS, JSON document. Pure: host and version are arguments. */

#include "daemon/types.h"

typedef struct AlertGuard {
    const char *host;
    const char *version;
} AlertGuard;

/* Composes. 0 (ret is to be freed by alert_done), -ENOMEM, -EIO (hashing). All foreign text is escaped. */
int alert_compose(const AlertGuard *guard, const Subject *subject, const Tell *tell, Alert *ret);
void alert_done(Alert *alert);

/* The incident's public id, 16 hex digits, from its subject and mark. 0 or -EIO. */
int alert_incident_id(const Subject *subject, uint64_t mark_usec, char ret[static 17]);

/* The SNS `Message`: a JSON object with default, email, sms, and the document for sqs, lambda, http, https. The caller frees. At most
 * max bytes: texts are cut to fit. 0, -ENOMEM, -E2BIG. */
int alert_sns_message(const Alert *alert, size_t max, char **ret);

const char *alert_event_to_string(Event event);         /* "trail.stopped" */
/* _EVENT_MAX when unknown. */
Event alert_event_from_string(const char *s);
const char *alert_severity_to_string(Severity severity);
/* _SEVERITY_MAX when unknown. */
Severity alert_severity_from_string(const char *s);
