/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a check knows of what protects the guard. */

#include "daemon/core/protection_rows.h"
#include "daemon/guard_policy.h"
#include "daemon/tables.h"

/* Texts of the facts. */
typedef struct ProtectionTexts {
    const char *topics[CONFIG_CHANNELS_MAX];
    GuardIdentity guard;
} ProtectionTexts;

/* Borrows from the engine, and from the texts. */
ProtectionFacts engine_protection(const Engine *engine, ProtectionTexts *texts);
