/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An alert -> what a receiver other than SNS wants as a request's body. Pure. Text of others can be in each
 * of the alert's strings: no format lets it mention people, make a link, or end the member that it is in. */

#include "daemon/core/model_alert.h"

/* Does the message say that an incident is over which earlier messages have opened? */
bool alert_ends_incident(const Alert *alert);
/* Do messages of this event say nothing else? */
bool alert_only_ends(EventKind event);

/* Does a channel with this filter take the alert? */
bool alert_filter_takes(const AlertFilter *filter, const Alert *alert);

/* The body in that format; the caller frees. key: the routing key for PagerDuty, else not read. 0, -ENOMEM,
 * -EINVAL (a document that is not JSON, or text that is not UTF-8). Sources: Slack: "Sending messages using
 * incoming webhooks" and "Reference: blocks" (api.slack.com). Teams: "Create incoming webhooks with
 * Workflows", and the schema of adaptive cards 1.4. PagerDuty: "Events API v2: Send an alert event". An
 * incident of ours is a dedup_key. Opsgenie: "Alert API: Create Alert, Close Alert". An incident of ours is
 * an alias. Amazon Q Developer: "Custom notifications using Amazon Q Developer in chat applications". */
int alert_format_body(AlertFormat format, const Alert *alert, const char *key, char **ret);

/* What is put behind the URL for this alert: a path for Opsgenie, which closes an alert elsewhere; else "".
 */
#define ALERT_FORMAT_PATH_MAX 64
void alert_format_path(AlertFormat format, const Alert *alert, char ret[static ALERT_FORMAT_PATH_MAX]);
