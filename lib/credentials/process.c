/* SPDX-License-Identifier: Apache-2.0 */
/* Source: AWS SDKs and Tools Reference Guide, "Process credential provider". */
#include "lib/credentials/process.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/document.h"
#include "lib/credentials/question.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "lib/words.h"

#define ERRORS_MAX 160  /* bytes that are quoted of its standard error */
#define SHOWN_MAX 128   /* bytes of its name */

typedef struct ProcessGet ProcessGet;

typedef struct ProcessSource {
    CredentialsSource source;
    char *command;
    char **environment; /* secrets may be in it */
    Questions questions;
} ProcessSource;

/* At any time it waits for exactly one of the two. */
struct ProcessGet {
    Question q;
    ProcessSource *owner;
    LoopChild *child;
    char shown[SHOWN_MAX];
};

/* The source may be gone after this. */
static void get_end(ProcessGet *g, CredentialsStatus status, Credentials *credentials, const char *message) {
    loop_kill(g->owner->questions.loop, g->child);
    question_end(&g->q, status, credentials, message);
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

/* What it said on standard error, to be put behind what happened. */
static const char *quote(char dst[static ERRORS_MAX + 4], const LoopExit *ended) {
    char shown[ERRORS_MAX];
    size_t n = ended->errors_len;
    char *text;

    while (n > 0 && strchr(" \t\r\n", ended->errors[n - 1]))
        n--;
    text = n > 0 ? strndup(ended->errors, n) : NULL;
    dst[0] = '\0';
    if (text)
        snprintf(dst, ERRORS_MAX + 4, ": %s", text_escaped(shown, sizeof(shown), text));
    free(text);
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
        credentials->expires_usec <= loop_realtime_usec(g->owner->questions.loop)) {
        get_fail(g, "the answer's keys ended at %s", timetext_iso(until, credentials->expires_usec));
        credentials_unref(credentials);
        return;
    }
    get_end(g, CREDENTIALS_OK, credentials, "");
    credentials_unref(credentials);
}

static void on_exit_of_program(const LoopExit *ended, void *userdata) {
    ProcessGet *g = userdata;
    char said[ERRORS_MAX + 4];

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
    return loop_spawn(g->owner->questions.loop,
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
    r = words_split(g->owner->command, &words);
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

static int process_get(CredentialsSource *source, CredentialsDone done, void *userdata) {
    ProcessSource *s = CONTAINER_OF(source, ProcessSource, source);
    Question *q;
    int r;

    r = question_start(&s->questions, sizeof(ProcessGet), on_turn, done, userdata, &q);
    if (r >= 0)
        ((ProcessGet *)q)->owner = s;
    return r;
}

static void process_free(ProcessSource *s) {
    for (char **p = s->environment; p && *p; p++) {
        hash_wipe(*p, strlen(*p));
        free(*p);
    }
    free(s->environment);
    free(s->command);
    free(s);
}

static void process_destroy(CredentialsSource *source) {
    ProcessSource *s = CONTAINER_OF(source, ProcessSource, source);

    while (s->questions.first)
        get_end((ProcessGet *)s->questions.first, CREDENTIALS_FAILED, NULL, "cancelled");
    process_free(s);
}

static const CredentialsSourceOps process_ops = {
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
                            CredentialsSource **ret) {
    ProcessSource *s;

    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->source.ops = &process_ops;
    s->questions.loop = loop;
    s->command = strdup(command);
    if (!s->command || copy_environment(environment, &s->environment) < 0) {
        process_free(s);
        return -ENOMEM;
    }
    *ret = &s->source;
    return 0;
}
