/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/permissions.h"

#include "daemon/core/enum_names.h"
#include "daemon/core/scope.h"
#include "daemon/log.h"

static Permission permission_of(const Trail *trail) {
    Permission permission;

    sparse_get(trail->permission, 0, sizeof(permission), &permission);
    return permission;
}

void engine_note_permission(Trail *trail, const Outcome *outcome, uint64_t now_usec) {
    Permission permission = permission_of(trail);
    bool refused = permission_take(&permission, outcome, now_usec);

    /* without memory AWS is asked once more */
    (void)sparse_put(&trail->permission, &permission, sizeof(permission), false);
    if (refused && !trail->engine->once)
        log_line(LOG_NOTICE,
                 "%s %s %s: AWS does not let account %s %s this organization trail: asked again "
                 "after a pause",
                 trail->name, trail->region, trail->account, trail->via->id,
                 action_to_string(outcome->action));
}

uint32_t engine_actions_to_ask(const Trail *trail, uint64_t now_usec) {
    const Permission permission = permission_of(trail);

    return permission_to_ask(&permission, now_usec);
}

void engine_forget_permission(Trail *trail) {
    sparse_free(trail->permission);
    trail->permission = NULL;
}

void engine_forget_refusals(Account *account) {
    for (size_t i = 0; i < account->engine->n_trails; i++)
        if (account->engine->trails[i]->via == account)
            engine_forget_permission(account->engine->trails[i]);
}
