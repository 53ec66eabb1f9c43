/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reports that the organization's accounts cannot be listed, reminds of it, and reports its end. */

#include "daemon/tables.h"

/* The result of a list. */
void engine_note_unlisted(Engine *engine, const char *error);
void engine_note_listed(Engine *engine);
/* Once per round: sends a due reminder; ends the trouble if the configuration no longer has an
 * organization. */
void engine_remind_of_list(Engine *engine);
