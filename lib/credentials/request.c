/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/credentials/request.h"

#include <errno.h>
#include <stdlib.h>

int credentials_request_start(CredentialsRequests *requests, size_t size, void (*begin)(void *),
                              CredentialsDone done, void *userdata, CredentialsRequest **ret) {
    CredentialsRequest *q;

    q = calloc(1, size);
    if (!q)
        return -ENOMEM;
    *q = (CredentialsRequest){
        .requests = requests, .next = requests->first, .done = done, .userdata = userdata
    };
    if (loop_after(requests->loop, 0, begin, q, &q->timer) < 0) {
        free(q);
        return -ENOMEM;
    }
    if (q->next)
        q->next->prev = q;
    requests->first = q;
    if (ret)
        *ret = q;
    return 0;
}

void credentials_request_end(CredentialsRequest *q, CredentialsStatus status, Credentials *credentials,
                             const char *message) {
    CredentialsDone done = q->done;
    void *userdata = q->userdata;

    if (q->prev)
        q->prev->next = q->next;
    else
        q->requests->first = q->next;
    if (q->next)
        q->next->prev = q->prev;
    loop_cancel(q->requests->loop, q->timer);
    free(q);
    done(status, credentials, message, userdata);
}
