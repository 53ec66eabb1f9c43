/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as both shared files: what is planned keeps the promises of profile.h, and what is refused is
 * explained in one line. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_plan(const ProfilePlan *plan) {
    char *const *values = plan->profile.values;

    check(plan->n_roles <= PROFILE_ROLES_MAX);
    for (size_t i = 0; i < plan->n_roles; i++) {
        check(plan->roles[i].values[PROFILE_ROLE_ARN] && !plan->roles[i].values[PROFILE_MFA_SERIAL]);
        check(!plan->roles[i].values[PROFILE_SOURCE_PROFILE] !=
              !plan->roles[i].values[PROFILE_CREDENTIAL_SOURCE]);
        check(plan->durations_sec[i] == 0 ||
              (plan->durations_sec[i] >= 900 && plan->durations_sec[i] <= 43200));
        check(i + 1 == plan->n_roles || plan->durations_sec[i] <= 3600);
    }
    switch (plan->base) {
    case PROFILE_BASE_KEYS: check(values[PROFILE_KEY_ID] && values[PROFILE_KEY_SECRET]); break;
    case PROFILE_BASE_PROCESS: check(values[PROFILE_PROCESS] != NULL); break;
    case PROFILE_BASE_WEB_IDENTITY: check(values[PROFILE_WEB_TOKEN_FILE] && values[PROFILE_ROLE_ARN]); break;
    default: check(plan->n_roles > 0 && plan->roles[plan->n_roles - 1].values[PROFILE_CREDENTIAL_SOURCE]);
    }
}

static void try_files(const ProfileFiles *files) {
    ProfilePlan plan;
    char message[128];
    int r;

    memset(message, 'x', sizeof(message));
    r = profile_plan(files, "default", &plan, message, sizeof(message));
    check(r == 0 || r == -ENOENT || r == -ENODATA || r == -EINVAL || r == -E2BIG);
    if (r < 0) {
        check(memchr(message, '\0', sizeof(message)) && message[0] && !strchr(message, '\n'));
        return;
    }
    check_plan(&plan);
    profile_plan_done(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    size_t half = size / 2;

    try_files(&(ProfileFiles){ .credentials = { "keys", text, size }, .config = { "config", text, size } });
    try_files(&(ProfileFiles){ .credentials = { "keys", text, half },
                               .config = { "config", text + half, size - half } });
    return 0;
}
