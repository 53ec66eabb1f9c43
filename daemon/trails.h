/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which trails are guarded, and through which account each is polled. */

#include "daemon/tables.h"

/* An account whose id is known or assumed: its targets, and the trails that are known of it. 0 or -ENOMEM.
 */
int engine_begin_account(Account *account);
/* Trails of this account that others are polling from now on are its own to poll. */
void engine_adopt_trails(Account *account);
/* Organization trails that are polled through this account, which cannot be polled now: through another that
 * sees them. */
void engine_find_viewers(Account *account);
/* The account is not to be guarded after all: its targets and trails go. */
void engine_unguard(Account *account, const char *why);
/* Takes in what a target's DescribeTrails said. */
void engine_take_list(Engine *engine, Target *target, const CloudTrailTrails *list);
/* ... and once the target counts as reachable by it: trails that it can poll better than others can. */
void engine_take_viewers(Target *target, const CloudTrailTrails *list);
void engine_check_named(Account *account);
void engine_update_facts(Account *account);
/* It is not guarded any more: its incident ends with a message that says why, and it is not known any more.
 */
void engine_forget_trail(Trail *trail, const char *why);
/* ... of trails that nobody had accepted, and that are gone. */
void engine_forget_unaccepted(Engine *engine);
