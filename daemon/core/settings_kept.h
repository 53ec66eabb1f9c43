/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Settings as thousands of trails have them for as long as they are guarded: those that are equal are there
 * once, and of the others each text is. Nobody writes to them; what changes is kept anew. */

#include "daemon/core/model.h"

/* Those of which nothing is known; what *kept is at first. */
extern const Settings settings_none;

/* Keeps the like of these in place of *kept, which they may be, or borrow from; settings_none to end it. 0,
 * or -ENOMEM, and *kept is as before. */
int settings_keep(const Settings **kept, const Settings *settings);
