/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as state.json: what is read is written again, and that reads the same. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/io/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_table(const StateTable *table) {
    StateTable again = { 0 };
    char reason[256], *text, *text2;
    size_t len, len2;
    int r = state_json_write(table, &text, &len);

    if (r == -E2BIG)
        return;
    check(r == 0 && state_json_read(text, len, &again, reason, sizeof(reason)) == 0);
    check(again.n_trails == table->n_trails && again.n_targets == table->n_targets &&
          again.n_channels == table->n_channels && again.n_accounts == table->n_accounts &&
          again.n_causes == table->n_causes && again.n_unheard == table->n_unheard);
    check(state_json_write(&again, &text2, &len2) == 0);
    check(len == len2 && memcmp(text, text2, len) == 0);
    state_table_done(&again);
    free(text);
    free(text2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    StateTable table = { 0 };
    char reason[256] = "";
    int r = state_json_read((const char *)data, size, &table, reason, sizeof(reason));

    check(r == 0 || (r == -EINVAL && reason[0] && !strchr(reason, '\n')));
    check(r == 0 || (!table.trails && !table.targets && !table.accounts));
    if (r == 0)
        check_table(&table);
    state_table_done(&table);
    return 0;
}
