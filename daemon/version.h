/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which TrailGuard this is: "1.0.0", with the commit when that is no release. */

extern const char trailguard_version[];
extern const char trailguard_user_agent[]; /* "TrailGuard/1.0.0" */
