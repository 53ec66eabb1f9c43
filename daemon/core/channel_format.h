/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Request bodies for receivers other than SNS. Pure. Each of the alert's strings may contain outside text:
 * in no format can it mention people, create a link, or end the member that contains it. */

#include "daemon/core/model_alert.h"

/* True if the message ends an incident that earlier messages opened. */
bool alert_ends_incident(const Alert *alert);
/* True if all messages of this event do. */
bool alert_only_ends(EventKind event);

/* True if a channel with this filter takes the alert. */
bool alert_filter_takes(const AlertFilter *filter, const Alert *alert);

/* The body in that format; the caller frees. key: PagerDuty's routing key, otherwise unused. 0, -ENOMEM,
 * -EINVAL (a document that is not JSON, or text that is not UTF-8). Sources: Slack: "Sending messages using
 * incoming webhooks" and "Reference: blocks" (api.slack.com). Teams: "Create incoming webhooks with
 * Workflows", and the schema of adaptive cards 1.4. PagerDuty: "Events API v2: Send an alert event"; our
 * incident is a dedup_key. Opsgenie: "Alert API: Create Alert, Close Alert"; our incident is an alias.
 * Amazon Q Developer: "Custom notifications using Amazon Q Developer in chat applications". */
int alert_format_body(AlertFormat format, const Alert *alert, const char *key, char **ret);

/* The suffix of the URL for this alert: a path for Opsgenie, which closes alerts at another URL; else "". */
#define ALERT_FORMAT_PATH_MAX 64
void alert_format_path(AlertFormat format, const Alert *alert, char ret[static ALERT_FORMAT_PATH_MAX]);
