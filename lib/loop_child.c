/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/loop_event.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

#define CHUNK            4096
#define REAP_PATIENCE_MS 1000
#define CHECK_USEC       (20 * USEC_PER_MSEC)

/* Its standard output and its standard error. */
typedef struct ChildStream {
    sd_event_source *source; /* owns our end of the pipe; NULL once that is closed */
    StrBuf text;
    bool cut; /* what is too much is dropped; else it is an error */
} ChildStream;

/* There from its start until it was reaped; reported at most once, earlier or then. */
struct LoopChild {
    LoopChildList *list; /* NULL once reaped */
    LoopChild *prev, *next;
    Loop *loop;
    pid_t pid;              /* also its process group */
    sd_event_source *ended; /* on a pidfd, or NULL and then */
    LoopTimer *check;       /* the next check whether it ended */
    ChildStream output, errors;
    LoopTimer *deadline;
    LoopExited exited; /* NULL once reported, or abandoned */
    void *userdata;
};

/* ---- memory ---- */

static void stream_close(ChildStream *s) {
    s->source = sd_event_source_disable_unref(s->source);
}

static void child_unlink(LoopChild *c) {
    if (!c->list)
        return;
    if (c->prev)
        c->prev->next = c->next;
    else
        c->list->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    c->list = NULL;
}

static void close_all(LoopChild *c) {
    stream_close(&c->output);
    stream_close(&c->errors);
    if (c->deadline)
        loop_cancel(c->loop, TAKE_PTR(c->deadline));
}

static void child_free(LoopChild *c) {
    child_unlink(c);
    close_all(c);
    sd_event_source_disable_unref(c->ended);
    if (c->check)
        loop_cancel(c->loop, c->check);
    strbuf_done(&c->output.text);
    strbuf_done(&c->errors.text);
    free(c);
}

/* Before it is reaped, so that its number, and its group's, is nobody else's. */
static void kill_group(const LoopChild *c) {
    (void)kill(-c->pid, SIGKILL);
}

/* Reports how it ended, unless that was done or nobody wants to know. The callback may free the loop, and
 * this child with it, unless it was unlinked. */
static void report_end(LoopChild *c, LoopEnding ending, int code) {
    LoopExited exited = c->exited;
    StrBuf output = c->output.text, errors = c->errors.text;
    void *userdata = c->userdata;

    close_all(c);
    c->output.text = c->errors.text = STRBUF_INIT(0);
    c->exited = NULL;
    if (exited)
        exited(
                &(LoopExit){
                        .ending = ending,
                        .code = code,
                        .output = strbuf_str(&output),
                        .output_len = output.len,
                        .errors = strbuf_str(&errors),
                        .errors_len = errors.len,
                },
                userdata);
    strbuf_done(&output);
    strbuf_done(&errors);
}

/* Ends it early. It is reaped when it is gone, for which the kernel may take its time. */
static void give_up(LoopChild *c, LoopEnding ending, int code) {
    kill_group(c);
    report_end(c, ending, code);
}

void loop_child_abandon(LoopChild *child) {
    child->exited = NULL;
    give_up(child, LOOP_LOST, 0);
}

/* What was killed is gone at once, unless the kernel is stuck, for which nobody should wait. */
static void reap_soon(const LoopChild *c) {
    for (int i = 0; i < REAP_PATIENCE_MS && waitpid(c->pid, NULL, WNOHANG) == 0; i++)
        (void)poll(NULL, 0, 1);
}

void loop_child_list_done(LoopChildList *list) {
    while (list->first) {
        LoopChild *c = list->first;

        kill_group(c);
        reap_soon(c);
        child_free(c);
    }
}

/* ---- what it writes ---- */

static int keep(ChildStream *s, const char *data, size_t n) {
    if (s->cut)
        n = MIN(n, s->text.max - s->text.len);
    return strbuf_add_mem(&s->text, data, n);
}

/* Reads what is there. 1 when more may come, 0 at the end, -E2BIG or -errno. */
static int drain(ChildStream *s, int fd) {
    char chunk[CHUNK];
    ssize_t n;
    int r = 0;

    do {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            r = keep(s, chunk, (size_t)n);
    } while (r >= 0 && (n > 0 || (n < 0 && errno == EINTR)));
    if (r < 0)
        ;
    else if (n < 0)
        r = errno == EAGAIN ? 1 : -errno;
    hash_wipe(chunk, sizeof(chunk));
    return r;
}

/* False when the child was given up; it may be gone then. */
static bool read_stream(LoopChild *c, ChildStream *s, int fd) {
    int r;

    r = drain(s, fd);
    if (r == 0)
        stream_close(s);
    if (r >= 0)
        return true;
    give_up(c, r == -E2BIG ? LOOP_TOO_MUCH : LOOP_LOST, r == -E2BIG ? 0 : -r);
    return false;
}

static int on_output(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    LoopChild *c = userdata;

    (void)source;
    (void)events;
    (void)read_stream(c, &c->output, fd);
    return 0;
}

static int on_errors(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    LoopChild *c = userdata;

    (void)source;
    (void)events;
    (void)read_stream(c, &c->errors, fd);
    return 0;
}

/* ---- how it ends ---- */

static void on_deadline(void *userdata) {
    LoopChild *c = userdata;

    give_up(c, LOOP_TIMED_OUT, 0);
}

/* Others of its group may still hold its pipes open; what it wrote itself is in them by now. */
static bool read_rest(LoopChild *c) {
    return (!c->output.source || read_stream(c, &c->output, sd_event_source_get_io_fd(c->output.source))) &&
           (!c->errors.source || read_stream(c, &c->errors, sd_event_source_get_io_fd(c->errors.source)));
}

static void ended(LoopChild *c) {
    int status = 0;
    bool reported;
    pid_t pid;

    /* Nobody but this function frees it from here on. */
    child_unlink(c);
    kill_group(c);
    reported = !read_rest(c);
    do
        pid = waitpid(c->pid, &status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    if (reported)
        ;
    else if (pid <= 0)
        report_end(c, LOOP_LOST, pid < 0 ? errno : ECHILD);
    else if (WIFEXITED(status))
        report_end(c, LOOP_EXITED, WEXITSTATUS(status));
    else
        report_end(c, LOOP_SIGNALLED, WTERMSIG(status));
    child_free(c);
}

static int on_ended(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    (void)source;
    (void)fd;
    (void)events;
    ended(userdata);
    return 0;
}

static void on_check(void *userdata) {
    LoopChild *c = userdata;
    siginfo_t info = { 0 };

    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0 &&
        loop_after(c->loop, CHECK_USEC, on_check, c, &c->check) >= 0)
        return;
    ended(c);
}

/* ---- how it starts ---- */

typedef struct Pipes {
    int input;     /* the program's end */
    int output[2]; /* ours, the program's */
    int errors[2];
} Pipes;

static void close_fd(int *fd) {
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void pipes_close(Pipes *p) {
    close_fd(&p->input);
    for (size_t i = 0; i < 2; i++) {
        close_fd(&p->output[i]);
        close_fd(&p->errors[i]);
    }
}

/* A file without a name holds the input: it need not be fed, and the program need not read it. */
static int open_input(const void *data, size_t len) {
    int fd, r = 0;

    if (!data) {
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
    }
    fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (size_t done = 0; done < len && r == 0;) {
        ssize_t n = write(fd, (const char *)data + done, len - done);

        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            r = n == 0 ? -EIO : -errno;
    }
    if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
        r = -errno;
    if (r < 0)
        (void)close(fd);
    return r < 0 ? r : fd;
}

/* Only our ends do not block. */
static int pipes_open(Pipes *p, const LoopProgram *program) {
    int r;

    r = open_input(program->input, program->input_len);
    if (r < 0)
        return r;
    p->input = r;
    if (pipe2(p->output, O_CLOEXEC) < 0 || pipe2(p->errors, O_CLOEXEC) < 0 ||
        fcntl(p->output[0], F_SETFL, O_NONBLOCK) < 0 || fcntl(p->errors[0], F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

/* A group of its own, no signal blocked or ignored, no descriptor but the three. */
static int set_up_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    int r;

    sigemptyset(&none);
    sigfillset(&all);
    r = posix_spawnattr_setflags(attributes,
                                 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (r == 0)
        r = posix_spawnattr_setpgroup(attributes, 0);
    if (r == 0)
        r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attributes, &all);
    return r;
}

static int set_up_files(posix_spawn_file_actions_t *actions, const Pipes *p) {
    int r;

    r = posix_spawn_file_actions_adddup2(actions, p->input, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, p->output[1], STDOUT_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(actions, p->errors[1], STDERR_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    return r;
}

static int start_program(const LoopProgram *program, const Pipes *p, pid_t *ret) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int r;

    r = posix_spawnattr_init(&attributes);
    if (r != 0)
        return -r;
    r = posix_spawn_file_actions_init(&actions);
    if (r != 0) {
        (void)posix_spawnattr_destroy(&attributes);
        return -r;
    }
    r = set_up_attributes(&attributes);
    if (r == 0)
        r = set_up_files(&actions, p);
    if (r == 0)
        r = posix_spawnp(ret, program->arguments[0], &actions, &attributes,
                         (char *const *)program->arguments, (char *const *)program->environment);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return -r;
}

/* Moves fd into a source. */
static int watch_fd(sd_event *event, int *fd, sd_event_io_handler_t handler, LoopChild *c,
                    sd_event_source **ret) {
    int r;

    r = sd_event_add_io(event, ret, *fd, EPOLLIN, handler, c);
    if (r < 0)
        return r;
    (void)sd_event_source_set_io_fd_own(*ret, true);
    *fd = -1;
    return 0;
}

static int watch_end(sd_event *event, LoopChild *c) {
    int fd, r;

    fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
    /* Where the kernel, or valgrind, has no pidfds. */
    if (fd < 0)
        return loop_after(c->loop, CHECK_USEC, on_check, c, &c->check);
    r = watch_fd(event, &fd, on_ended, c, &c->ended);
    close_fd(&fd);
    return r;
}

static int watch_all(sd_event *event, LoopChild *c, Pipes *p, uint64_t timeout_usec) {
    int r;

    r = watch_fd(event, &p->output[0], on_output, c, &c->output.source);
    if (r >= 0)
        r = watch_fd(event, &p->errors[0], on_errors, c, &c->errors.source);
    if (r >= 0)
        r = loop_after(c->loop, timeout_usec, on_deadline, c, &c->deadline);
    if (r >= 0)
        r = watch_end(event, c);
    return r;
}

static LoopChild *child_new(Loop *loop, const LoopProgram *program, LoopExited exited, void *userdata) {
    LoopChild *c;

    c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->loop = loop;
    c->output.text = STRBUF_INIT(program->output_max);
    c->errors.text = STRBUF_INIT(program->errors_max);
    c->errors.cut = true;
    c->output.text.wipe = c->errors.text.wipe = true;
    c->exited = exited;
    c->userdata = userdata;
    return c;
}

int loop_child_spawn(LoopChildList *list, Loop *loop, sd_event *event, const LoopProgram *program,
                     LoopExited exited, void *userdata, LoopChild **ret) {
    Pipes pipes = { -1, { -1, -1 }, { -1, -1 } };
    LoopChild *c;
    int r;

    c = child_new(loop, program, exited, userdata);
    if (!c)
        return -ENOMEM;
    r = pipes_open(&pipes, program);
    if (r >= 0)
        r = start_program(program, &pipes, &c->pid);
    if (r >= 0) {
        r = watch_all(event, c, &pipes, program->timeout_usec);
        if (r < 0) {
            kill_group(c);
            (void)waitpid(c->pid, NULL, 0);
        }
    }
    pipes_close(&pipes);
    if (r < 0) {
        child_free(c);
        return r;
    }
    c->list = list;
    c->next = list->first;
    if (list->first)
        list->first->prev = c;
    list->first = c;
    if (ret)
        *ret = c;
    return 0;
}
