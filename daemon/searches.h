/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Searches for the caller, when the guard requests one. */

#include "daemon/tables.h"

void engine_search_actor(Trail *trail);
/* For who removed the account from the organization, or the guard's access. */
void engine_search_departure(Account *account);
