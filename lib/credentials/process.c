/* SPDX-License-Identifier: Apache-2.0 */
/* Source: AWS SDKs and Tools Reference Guide, "Process credential provider". */
#include "lib/credentials/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/document.h"
#include "lib/credentials/request.h"
#include "lib/shell_split.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define ERRORS_MAX 4096 /* bytes that are read of its standard error */
#define HEAD_MAX 40     /* bytes of its beginning and of its end that are quoted when it is long */
#define TAIL_MAX 80
#define QUOTE_MAX (HEAD_MAX + TAIL_MAX + 32)
#define SHOWN_MAX 128   /* bytes of its name */

typedef struct ProcessGet ProcessGet;

typedef struct ProcessProvider {
    CredentialsProvider provider;
    char *command;
    char **environment; /* secrets may be in it */
    CredentialsRequests requests;
} ProcessProvider;

/* At any time it waits for exactly one of the two. */
struct ProcessGet {
    CredentialsRequest q;
    ProcessProvider *owner;
    LoopChild *child;
    char shown[SHOWN_MAX];
};

/* The provider may be gone after this. */
static void get_end(ProcessGet *g, CredentialsStatus status, Credentials *credentials, const char *message) {
    loop_kill(g->owner->requests.loop, g->child);
    credentials_request_end(&g->q, status, credentials, message);
}

static void get_fail(ProcessGet *g, const char *format, ...) _printf_(2, 3);
static void get_fail(ProcessGet *g, const char *format, ...) {
    char message[CREDENTIALS_MESSAGE_MAX], why[CREDENTIALS_MESSAGE_MAX - SHOWN_MAX - 32];
    va_list ap;

    va_start(ap, format);
    vsnprintf(why, sizeof(why), format, ap);
    va_end(ap);
    snprintf(message, sizeof(message), "credential_process%s%s: %s", g->shown[0] ? " " : "", g->shown, why);
    get_end(g, CREDENTIALS_FAILED, NULL, message);
}

/* All of it on one line, without blanks around it. Returns the length. */
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

/* What it wrote to standard error, to be put behind what happened. The end of a long text counts: what an
 * interpreter prints ends with the error. */
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
    snprintf(dst, QUOTE_MAX, "%s%s", n > 0 ? ": " : "", text_escaped(shown, sizeof(shown), tail ? cut : line));
    hash_wipe(line, sizeof(line));
    return dst;
}

static void on_document(ProcessGet *g, const LoopExit *ended) {
    char why[CREDENTIALS_MESSAGE_MAX / 2] = "", until[TIMETEXT_MAX];
    Credentials *credentials = NULL;

    if (document_read(DOCUMENT_PROCESS, ended->output, ended->output_len, &credentials, why, sizeof(why)) !=
        CREDENTIALS_OK) {
        get_fail(g, "%s", why);
        return;
    }
    if (credentials->expires_usec > 0 &&
        credentials->expires_usec <= loop_realtime_usec(g->owner->requests.loop)) {
        get_fail(g, "the answer's keys ended at %s", timetext_iso(until, credentials->expires_usec));
        credentials_unref(credentials);
        return;
    }
    get_end(g, CREDENTIALS_OK, credentials, "");
    credentials_unref(credentials);
}

static void on_exit_of_program(const LoopExit *ended, void *userdata) {
    ProcessGet *g = userdata;
    char said[QUOTE_MAX];

    g->child = NULL;
    switch (ended->ending) {
    case LOOP_EXITED:
        if (ended->code == 0)
            on_document(g, ended);
        else
            get_fail(g, "it ended with status %d%s", ended->code, quote(said, ended));
        break;
    case LOOP_SIGNALLED: get_fail(g, "it was ended by signal %d%s", ended->code, quote(said, ended)); break;
    case LOOP_TIMED_OUT:
        get_fail(g, "it took longer than %llu s and was killed%s", PROCESS_TIMEOUT_USEC / USEC_PER_SEC,
                 quote(said, ended));
        break;
    case LOOP_TOO_MUCH: get_fail(g, "it wrote more than %d bytes and was killed", DOCUMENT_MAX); break;
    case LOOP_LOST: get_fail(g, "its output was lost: %s", strerror(ended->code)); break;
    }
}

static int start(ProcessGet *g, char **words) {
    return loop_spawn(g->owner->requests.loop,
                      &(LoopProgram){
                              .arguments = (const char *const *)words,
                              .environment = (const char *const *)g->owner->environment,
                              .output_max = DOCUMENT_MAX,
                              .errors_max = ERRORS_MAX,
                              .timeout_usec = PROCESS_TIMEOUT_USEC,
                      },
                      on_exit_of_program, g, &g->child);
}

static void on_turn(void *userdata) {
    ProcessGet *g = userdata;
    _cleanup_free_ char **words = NULL;
    int r;

    g->q.timer = NULL;
    r = shell_split(g->owner->command, &words);
    if (r <= 0) {
        get_fail(g, "the command %s",
                 r == 0           ? "is empty" :
                 r == -EINVAL     ? "has a quote that is not closed, or ends with a backslash" :
                 r == -E2BIG      ? "is too long" :
                                    "cannot be split: out of memory");
        return;
    }
    text_escaped(g->shown, sizeof(g->shown), words[0]);
    r = start(g, words);
    if (r < 0)
        get_fail(g, "it cannot be started: %s", strerror(-r));
}

static int process_get(CredentialsProvider *provider, CredentialsDone done, void *userdata) {
    ProcessProvider *s = CONTAINER_OF(provider, ProcessProvider, provider);
    CredentialsRequest *q;
    int r;

    r = credentials_request_start(&s->requests, sizeof(ProcessGet), on_turn, done, userdata, &q);
    if (r >= 0)
        ((ProcessGet *)q)->owner = s;
    return r;
}

static void process_free(ProcessProvider *s) {
    for (char **p = s->environment; p && *p; p++) {
        hash_wipe(*p, strlen(*p));
        free(*p);
    }
    free(s->environment);
    free(s->command);
    free(s);
}

static void process_destroy(CredentialsProvider *provider) {
    ProcessProvider *s = CONTAINER_OF(provider, ProcessProvider, provider);

    while (s->requests.first)
        get_end((ProcessGet *)s->requests.first, CREDENTIALS_FAILED, NULL, "cancelled");
    process_free(s);
}

static const CredentialsProviderOps process_ops = {
    .get = process_get,
    .destroy = process_destroy,
};

static int copy_environment(const char *const *environment, char ***ret) {
    size_t n = 0;

    while (environment[n])
        n++;
    *ret = calloc(n + 1, sizeof(**ret));
    if (!*ret)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        (*ret)[i] = strdup(environment[i]);
        if (!(*ret)[i])
            return -ENOMEM;
    }
    return 0;
}

int credentials_process_new(Loop *loop, const char *command, const char *const *environment,
                            CredentialsProvider **ret) {
    ProcessProvider *s;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->provider.ops = &process_ops;
    s->requests.loop = loop;
    s->command = strdup(command);
    if (!s->command || copy_environment(environment, &s->environment) < 0) {
        process_free(s);
        return -ENOMEM;
    }
    *ret = &s->provider;
    return 0;
}
