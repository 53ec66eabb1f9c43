/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reserve.h"

#include <stdlib.h>

#include "lib/util/macros.h"

/* More than the largest message takes until it is on the disk. Nobody touches it, so it costs no page. */
#define RESERVE_SIZE ((size_t)2 * 1024 * 1024)

void engine_fill_reserve(Engine *engine) {
    if (!engine->reserve)
        engine->reserve = malloc(RESERVE_SIZE);
}

bool engine_use_reserve(Engine *engine) {
    bool had = engine->reserve != NULL;

    free(TAKE_PTR(engine->reserve));
    return had;
}
