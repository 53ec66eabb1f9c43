/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/account_list.h"

#include "lib/util/text.h"

/* Failed lists are tried again ever more slowly: a great unreachable_after would take hours. */
#define BLIND_USEC (300 * USEC_PER_SEC)

bool account_list_failed(AccountListTrouble *trouble, const char *error, unsigned unreachable_after,
                         uint64_t now_usec) {
    if (trouble->n_failed++ == 0)
        trouble->since_usec = now_usec;
    (void)text_copy(trouble->error, sizeof(trouble->error), error);
    if (trouble->sequence > 0)
        return false;
    return trouble->n_failed >= unreachable_after ||
           (now_usec > trouble->since_usec && now_usec - trouble->since_usec >= BLIND_USEC);
}

bool account_list_reminds(AccountListTrouble *trouble, uint64_t interval_usec, uint64_t now_usec) {
    if (trouble->sequence == 0 || interval_usec == 0)
        return false;
    if (trouble->reported_usec > now_usec) /* the clock was set back */
        trouble->reported_usec = now_usec;
    return now_usec - trouble->reported_usec >= interval_usec;
}

void account_list_reported(AccountListTrouble *trouble, uint64_t now_usec) {
    if (trouble->sequence++ > 0)
        trouble->n_reminders++;
    trouble->reported_usec = now_usec;
}
