/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a check knows about the protection of the guard. */

#include "daemon/core/protection_rows.h"
#include "daemon/guard_policy.h"
#include "daemon/tables.h"

/* The texts of the facts. */
typedef struct ProtectionTexts {
    const char *topics[CONFIG_CHANNELS_MAX];
    GuardIdentity guard;
} ProtectionTexts;

/* Borrows from the engine and the texts. */
ProtectionFacts engine_protection(const Engine *engine, ProtectionTexts *texts);
