/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Long-lived settings of thousands of trails: equal settings are stored once, and so are equal texts of
 * different settings. They are read-only; a change stores new ones. */

#include "daemon/core/model.h"

/* Settings without any known value; the initial value of *kept. */
extern const Settings settings_none;

/* Stores a copy of these settings in place of *kept; they may be *kept, or borrow from it. settings_none
 * releases it. 0, or -ENOMEM with *kept unchanged. */
int settings_keep(const Settings **kept, const Settings *settings);
