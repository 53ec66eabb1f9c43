/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What all sources share: the questions that are under way with one, none of which is answered from inside
 * get. */

#include <stddef.h>

#include "lib/credentials.h"

/* bytes of any source's message, with the NUL */
#define CREDENTIALS_MESSAGE_MAX 512

typedef struct Question Question;

/* Those of one source; loop is the source's to set. */
typedef struct Questions {
    Loop *loop;
    Question *first;
} Questions;

/* What a source embeds as the first member of what it keeps of a question. */
struct Question {
    Questions *among;
    Question *prev, *next;
    LoopTimer *timer; /* begin's first; then the source's to wait by */
    CredentialsDone done;
    void *userdata;
};

/* Allocates size bytes, zero but for the Question at their head, and calls begin with them from the loop, which
 * sets timer to NULL. 0 or -ENOMEM. ret may be NULL. */
int question_start(Questions *among, size_t size, void (*begin)(void *), CredentialsDone done, void *userdata,
                   Question **ret);

/* Answers: takes it out, cancels its timer, frees it, and calls done. The source may be gone after this. */
void question_end(Question *q, CredentialsStatus status, Credentials *credentials, const char *message);
