/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Names of the values of model.h, for people and files: tables in both directions. They are stable, because
 * alert documents, status.json and state.json contain them. Pure. */

#include "daemon/core/model_alert.h"
#include "daemon/core/model_guard.h"

/* x_to_string: a static string, never NULL; "?" for a value out of range. x_from_string: exact match only;
 * the enum's _MAX if unknown or NULL. */

const char *mode_to_string(Mode value); /* "observe", "restart" */
Mode mode_from_string(const char *s);

const char *field_to_string(Field value); /* "S3BucketName", CloudTrail's name */
Field field_from_string(const char *s);

const char *severity_to_string(Severity value); /* "info", "warning", "critical" */
Severity severity_from_string(const char *s);

const char *verdict_to_string(Verdict value); /* "missing", "stopped", ... "logging" */
Verdict verdict_from_string(const char *s);

const char *
finding_to_string(Finding value); /* "missing", "stopped", "interrupted", "delivery", ... "unreachable" */
Finding finding_from_string(const char *s);
const char *unreadable_to_string(Unreadable value); /* "event selectors", ... "the KMS key" */

const char *cause_to_string(CauseKind value);
CauseKind cause_from_string(const char *s);
const char *poll_error_to_string(PollError value); /* "ok", "denied", ... "bad answer", "service" */
PollError poll_error_from_string(const char *s);

const char *action_to_string(Action value); /* "none", "restart" */
Action action_from_string(const char *s);

const char *action_result_to_string(ActionResult value); /* "none", "confirmed", "failed", "pending" */
ActionResult action_result_from_string(const char *s);

const char *drill_actor_to_string(DrillActor value); /* "unknown", "own", "other", "nobody" */
DrillActor drill_actor_from_string(const char *s);

/* What a CreateTrail call did, by the FINDING_BITs that it caused: "created", ... the same word in mail and
 * journal. */
const char *creation_to_string(uint32_t findings);

const char *destination_to_string(Destination value); /* "unknown", "foreign", "guarded", "used" */

const char *alert_format_to_string(AlertFormat value); /* "json", "slack", ... */
