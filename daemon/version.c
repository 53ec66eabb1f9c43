/* SPDX-License-Identifier: Apache-2.0 */
/* Alone here, so that a new version makes one file old. */
#include "daemon/version.h"

const char trailguard_version[] = TRAILGUARD_VERSION;
const char trailguard_user_agent[] = "TrailGuard/" TRAILGUARD_VERSION;
