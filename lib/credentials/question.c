/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/question.h"

#include <errno.h>
#include <stdlib.h>

int question_start(Questions *among, size_t size, void (*begin)(void *), CredentialsDone done, void *userdata,
                   Question **ret) {
    Question *q;

    q = calloc(1, size);
    if (!q)
        return -ENOMEM;
    *q = (Question){ .among = among, .next = among->first, .done = done, .userdata = userdata };
    if (loop_after(among->loop, 0, begin, q, &q->timer) < 0) {
        free(q);
        return -ENOMEM;
    }
    if (q->next)
        q->next->prev = q;
    among->first = q;
    if (ret)
        *ret = q;
    return 0;
}

void question_end(Question *q, CredentialsStatus status, Credentials *credentials, const char *message) {
    CredentialsDone done = q->done;
    void *userdata = q->userdata;

    if (q->prev)
        q->prev->next = q->next;
    else
        q->among->first = q->next;
    if (q->next)
        q->next->prev = q->prev;
    loop_cancel(q->among->loop, q->timer);
    free(q);
    done(status, credentials, message, userdata);
}
