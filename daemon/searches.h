/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Searches for who did it, when the guard wants one. */

#include "daemon/tables.h"

void engine_search_actor(Trail *trail);
/* Who took the account out of the organization or out of reach. */
void engine_search_departure(Account *account);
