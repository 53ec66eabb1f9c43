/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What AWS lets us do with an organization trail that is another account's. Nearly all trails are our own:
 * it is kept only where AWS has said something. */

#include "daemon/tables.h"

/* What AWS made of an action on such a trail. Times are monotonic. */
void engine_note_permission(Trail *trail, const Outcome *outcome, uint64_t now_usec);
/* The actions that AWS can be asked for, as ACTION_BITs. */
uint32_t engine_actions_to_ask(const Trail *trail, uint64_t now_usec);
/* These are other keys: what AWS refused to those before says nothing. */
void engine_forget_permission(Trail *trail);
void engine_forget_refusals(Account *account);
