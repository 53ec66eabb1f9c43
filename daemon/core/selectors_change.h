/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a change means, in words: "management events no longer recorded". Pure but for allocation. */

#include "daemon/core/model.h"

#define CHANGE_MEANING_MAX 256

/* Of a change of event selectors; "" for one of another field, or of a set that is not understood. Outside
 * text is in it: escape before showing. */
const char *change_meaning(const Change *change, char dst[static CHANGE_MEANING_MAX]);
