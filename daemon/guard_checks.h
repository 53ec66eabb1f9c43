/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* guard_checks: the guard checks its own users, roles and topics, and simulates its rights. */

#include "daemon/tables.h"

/* Starts the checks if the configuration has them; otherwise ends what was reported. */
void engine_begin_guard_checks(Engine *engine);
/* Takes what a channel check found of its topic. Takes the parts over. */
void engine_take_topic(Engine *engine, const char *topic_arn, GuardParts *now);
/* Ends, with messages that give the reason, what was reported about accounts and topics that are no longer
 * in the configuration or the organization. */
void engine_end_guard_records(Engine *engine);
/* Cancels everything in progress. */
void engine_stop_guard_checks(Engine *engine);
/* Checks accounts where AWS denied a call: soon, unless the last check was just now. */
void engine_check_wanted_guards(Engine *engine);
