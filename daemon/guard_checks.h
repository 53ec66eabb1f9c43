/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* guard_checks: the guard watches its own users, roles and topics, and simulates its rights. */

#include "daemon/tables.h"

/* Begins with a configuration that asks for it; without, ends what was reported. */
void engine_begin_guard_checks(Engine *engine);
/* What a check of a channel found of its topic. Takes the parts over. */
void engine_take_topic(Engine *engine, const char *topic_arn, GuardParts *now);
/* What belongs to accounts and topics that the configuration, or the organization, has no more ends, with
 * messages that say why. */
void engine_end_guard_records(Engine *engine);
/* Nothing is under way any more. */
void engine_stop_guard_checks(Engine *engine);
/* Of accounts where AWS denied something: soon, unless that was checked just now. */
void engine_check_wanted_guards(Engine *engine);
