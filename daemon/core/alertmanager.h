/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What Alertmanager should know: the set of alerts that are open there, as a text that is kept on disk.
 * Alertmanager forgets an alert whose end has passed and that nobody sends again. Pure. Source: Alertmanager
 * API v2 (openapi.yaml, postableAlert), and the section "Clients" of its documentation. */

#include "daemon/core/model_alert.h"

/* An open alert ends so long after it was last sent: longer than a restart of either side takes. What opens
 * no incident, and what was over when it was reported, fires for so long. */
#define ALERTMANAGER_HOLD_USEC (600 * USEC_PER_SEC)
/* Open alerts are sent again so often, and those that ended for HOLD after their end: a peer that was away
 * learns it. */
#define ALERTMANAGER_RESEND_USEC (60 * USEC_PER_SEC)
#define ALERTMANAGER_ALERTS_MAX  2000 /* the oldest goes first */

/* Whether a set that was read is one that this made: 0, -EINVAL or -ENOMEM. */
int alertmanager_check(const char *set);

/* The set after one more message, or (alert NULL) without what ended long ago. An incident is one alert;
 * when its event or its severity becomes another, the alert with the old labels ends. set: "" or what this
 * made before; a damaged one counts as empty. The caller frees ret. 0, -ENOMEM, or -EINVAL for a document
 * that is not JSON. */
int alertmanager_apply(const char *set, const Alert *alert, uint64_t now_usec, char **ret);

/* The body of the POST that says all of the set; *ret is NULL when the set is empty. 0 or -ENOMEM. */
int alertmanager_body(const char *set, uint64_t now_usec, char **ret);
