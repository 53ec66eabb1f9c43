/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The set of alerts that are open at an Alertmanager, as a text for a file. Alertmanager forgets an alert
 * after its end time unless it is sent again. Pure. Source: Alertmanager API v2 (openapi.yaml,
 * postableAlert), and the section "Clients" of its documentation. */

#include "daemon/core/model_alert.h"

/* How long after it was last sent an open alert ends: longer than a restart of either side. Messages that
 * open no incident, and incidents that were over when reported, fire this long. */
#define ALERTMANAGER_HOLD_USEC (600 * USEC_PER_SEC)
/* How often open alerts are sent again. Ended ones are repeated for HOLD after their end, for a peer that
 * was away. */
#define ALERTMANAGER_RESEND_USEC (60 * USEC_PER_SEC)
#define ALERTMANAGER_ALERTS_MAX  2000 /* then the oldest is dropped */

/* Checks that a text was made by this module: 0, -EINVAL or -ENOMEM. */
int alertmanager_check(const char *set);

/* The set after one more message, or (alert NULL) without alerts that ended long ago. An incident is one
 * alert; if its event or severity changes, the alert with the old labels ends. set: "" or an earlier result;
 * a damaged one counts as empty. The caller frees ret. 0, -ENOMEM, or -EINVAL for a document that is not
 * JSON. */
int alertmanager_apply(const char *set, const Alert *alert, uint64_t now_usec, char **ret);

/* The body of the POST for the whole set; *ret is NULL if the set is empty. 0 or -ENOMEM. */
int alertmanager_body(const char *set, uint64_t now_usec, char **ret);
