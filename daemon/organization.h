/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reports that the organization's accounts cannot be listed, reminds of it, and reports its end. */

#include "daemon/tables.h"

/* What came of a list. */
void engine_note_unlisted(Engine *engine, const char *error);
void engine_note_listed(Engine *engine);
/* Once a round: a reminder that is due; the end, when the configuration has no organization any more. */
void engine_remind_of_list(Engine *engine);
