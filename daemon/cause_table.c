/* SPDX-License-Identifier: Apache-2.0 */
/* The table of causes, and whom each can cover; declared in tables.h. */
#include <stdlib.h>
#include <string.h>

#include "daemon/tables.h"
#include "lib/util/text.h"

Place engine_place(const Target *target) {
    return target->n_trails > 0 ? PLACE_TRAILS : PLACE_EMPTY;
}

static int compare_causes(const void *a, const void *b) {
    const Cause *x = a, *y = b;
    int order = (int)x->kind - (int)y->kind;

    order = order != 0 ? order : strcmp(x->account, y->account);
    return order != 0 ? order : strcmp(x->region, y->region);
}

Cause engine_cause_key(CauseKind kind, const Account *account, const char *region) {
    CauseScope scope = guard_cause_scope(kind);
    Cause key = { .kind = kind, .incident.event = _EVENT_MAX };

    if (scope == CAUSE_OF_ACCOUNT)
        (void)text_copy(key.account, sizeof(key.account), engine_account_named(account));
    if (scope == CAUSE_OF_REGION)
        (void)text_copy(key.region, sizeof(key.region), region);
    return key;
}

Subject engine_cause_subject(const Engine *engine, const Cause *cause) {
    bool has_place = cause->account[0] || cause->region[0];

    return (Subject){ .name = "",
                      .arn = "",
                      .region = cause->region,
                      .account = has_place ? cause->account : engine_account_named(engine->base) };
}

bool engine_cause_covers(const Cause *cause, const Account *account, const char *region) {
    switch (guard_cause_scope(cause->kind)) {
    case CAUSE_OF_ACCOUNT: return text_equal(engine_account_named(account), cause->account);
    case CAUSE_OF_REGION: return text_equal(region, cause->region);
    case CAUSE_OF_ALL: break;
    }
    return true;
}

void engine_sort_causes(Engine *engine) {
    if (engine->n_causes > 1)
        qsort(engine->causes, engine->n_causes, sizeof(*engine->causes), compare_causes);
}

Cause *engine_cause_of(const Engine *engine, const Cause *key) {
    return engine->n_causes > 0
                   ? bsearch(key, engine->causes, engine->n_causes, sizeof(*key), compare_causes)
                   : NULL;
}
