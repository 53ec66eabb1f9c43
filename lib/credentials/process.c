/* SPDX-License-Identifier: Apache-2.0 */
/* credential_process. Source: AWS SDKs and Tools Reference Guide, "Process credential provider". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/profile.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define ERRORS_MAX 4096 /* bytes that are read of its standard error */
#define HEAD_MAX   40   /* bytes from its beginning and its end that are quoted if it is long */
#define TAIL_MAX   80
#define QUOTE_MAX  (HEAD_MAX + TAIL_MAX + 32)
#define SHOWN_MAX  128 /* bytes of its name */

typedef struct ProcessProvider {
    RequestProvider base;
    char *command;
    char **environment; /* may contain secrets */
} ProcessProvider;

/* At any time it waits for its timer or the child. */
typedef struct ProcessRequest {
    CredentialsRequest request;
    LoopChild *child;
    char about[SHOWN_MAX + 32];
} ProcessRequest;

static void process_stop(CredentialsRequest *request) {
    loop_kill(request->owner->loop, CONTAINER_OF(request, ProcessRequest, request)->child);
}

/* Joins all of it into one line, without surrounding blanks. Returns the length. */
static size_t fold(char dst[static ERRORS_MAX + 1], const char *text, size_t len) {
    size_t n = 0;

    for (size_t i = 0; i < len && n < ERRORS_MAX; i++)
        if (text[i] && !strchr(" \t\r\n", text[i]))
            dst[n++] = text[i];
        else if (n > 0 && dst[n - 1] != ' ')
            dst[n++] = ' ';
    n -= n > 0 && dst[n - 1] == ' ';
    dst[n] = '\0';
    return n;
}

/* Its standard error, to be appended to a message. The end of a long text matters, because interpreters
 * print the error last. */
static const char *quote(char dst[static QUOTE_MAX], const LoopExit *ended) {
    char line[ERRORS_MAX + 1], head[HEAD_MAX + 1], cut[HEAD_MAX + TAIL_MAX + 8], shown[QUOTE_MAX - 2];
    size_t n = fold(line, ended->errors, ended->errors_len);
    const char *tail = n > HEAD_MAX + TAIL_MAX ? line + n - TAIL_MAX : NULL;

    while (tail && ((unsigned char)*tail & 0xc0) == 0x80)
        tail++; /* not in the middle of a character */
    if (tail) {
        (void)text_copy(head, sizeof(head), line);
        head[strlen(head) - text_ends_with(head, " ")] = '\0';
        snprintf(cut, sizeof(cut), "%s ... %s", head, tail);
    }
    snprintf(dst, QUOTE_MAX, "%s%s", n > 0 ? ": " : "",
             text_escaped(shown, sizeof(shown), tail ? cut : line));
    hash_wipe(line, sizeof(line));
    return dst;
}

static void on_exit_of_program(const LoopExit *ended, void *userdata) {
    ProcessRequest *r = userdata;
    char said[QUOTE_MAX], why[CREDENTIALS_MESSAGE_MAX] = "";

    r->child = NULL;
    if (ended->ending == LOOP_EXITED && ended->code == 0) {
        credentials_request_read(&r->request, DOCUMENT_PROCESS, ended->output, ended->output_len, r->about,
                                 "");
        return;
    }
    (void)quote(said, ended);
    switch (ended->ending) {
    case LOOP_EXITED:
        (void)snprintf(why, sizeof(why), "it ended with status %d%s", ended->code, said);
        break;
    case LOOP_SIGNALLED:
        (void)snprintf(why, sizeof(why), "it was ended by signal %d%s", ended->code, said);
        break;
    case LOOP_TIMED_OUT:
        (void)snprintf(why, sizeof(why), "it took longer than %llu s and was killed%s",
                       PROCESS_TIMEOUT_USEC / USEC_PER_SEC, said);
        break;
    case LOOP_TOO_MUCH:
        (void)snprintf(why, sizeof(why), "it wrote more than %d bytes and was killed", DOCUMENT_MAX);
        break;
    case LOOP_LOST:
        (void)snprintf(why, sizeof(why), "its output was lost: %s", strerror(ended->code));
        break;
    }
    credentials_request_fail(&r->request, CREDENTIALS_FAILED, r->about, "%s", why);
}

static int start(ProcessRequest *r, const ProcessProvider *s, char **words) {
    return loop_spawn(s->base.loop,
                      &(LoopProgram){
                              .arguments = (const char *const *)words,
                              .environment = (const char *const *)s->environment,
                              .output_max = DOCUMENT_MAX,
                              .errors_max = ERRORS_MAX,
                              .timeout_usec = PROCESS_TIMEOUT_USEC,
                      },
                      on_exit_of_program, r, &r->child);
}

static void process_begin(CredentialsRequest *request) {
    const ProcessProvider *s = CONTAINER_OF(request->owner, ProcessProvider, base);
    ProcessRequest *p = CONTAINER_OF(request, ProcessRequest, request);
    _cleanup_free_ char **words = NULL;
    char shown[SHOWN_MAX];
    int r;

    r = shell_split(s->command, &words);
    if (r <= 0) {
        credentials_request_fail(request, CREDENTIALS_FAILED, "credential_process", "the command %s",
                                 r == 0         ? "is empty"
                                 : r == -EINVAL ? "has a quote that is not closed, or ends with a backslash"
                                 : r == -E2BIG  ? "is too long"
                                                : "cannot be split: out of memory");
        return;
    }
    (void)snprintf(p->about, sizeof(p->about), "credential_process %s",
                   text_escaped(shown, sizeof(shown), words[0]));
    r = start(p, s, words);
    if (r < 0)
        credentials_request_fail(request, CREDENTIALS_FAILED, p->about, "it cannot be started: %s",
                                 strerror(-r));
}

static void process_free(RequestProvider *provider) {
    ProcessProvider *s = CONTAINER_OF(provider, ProcessProvider, base);

    credentials_free_list(s->environment);
    free(s->command);
    free(s);
}

int credentials_process_new(Loop *loop, const char *command, const char *const *environment,
                            CredentialsProvider **ret) {
    static const RequestProviderType type = {
        .request_size = sizeof(ProcessRequest),
        .begin = process_begin,
        .stop = process_stop,
        .free = process_free,
    };
    ProcessProvider *s = request_provider_new(&type, sizeof(*s), loop);

    if (!s)
        return -ENOMEM;
    if (!credentials_copy_text(command, &s->command) ||
        !credentials_copy_list(environment, &s->environment)) {
        process_free(&s->base);
        return -ENOMEM;
    }
    *ret = &s->base.provider;
    return 0;
}
