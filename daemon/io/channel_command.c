/* SPDX-License-Identifier: Apache-2.0 */
/* The command channel: each alert runs a program once and yields one receipt. No shell is involved. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/channel_format.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "daemon/io/channel.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define OUTPUT_MAX    (64 * 1024)
#define ERRORS_MAX    4096
#define VARIABLE_MAX  (96 * 1024) /* Linux allows 128 KiB for one variable */
#define VARIABLES_MAX 16

/* One of the statuses of sysexits.h, a convention of mail programs. */
#define STATUS_DATA_ERROR 65

typedef struct CommandSend {
    ChannelSend send;
    Loop *loop;
    LoopChild *child;
    LoopTimer *timer; /* reports a program that could not be started */
    Receipt receipt;
} CommandSend;

/* Returns the first line of the program's error output, without the line end. */
static const char *first_line(const LoopExit *ended, char ret[static ERROR_TEXT_MAX]) {
    size_t n = strcspn(ended->errors, "\r\n");

    (void)text_copy(ret, MIN(n + 1, (size_t)ERROR_TEXT_MAX), ended->errors);
    return ret;
}

static ReceiptKind kind_of_exit(const LoopExit *ended) {
    if (ended->ending != LOOP_EXITED)
        return RECEIPT_RETRY;
    if (ended->code == 0)
        return RECEIPT_DELIVERED;
    return ended->code == STATUS_DATA_ERROR ? RECEIPT_MESSAGE_REFUSED : RECEIPT_RETRY;
}

static void on_exit_of_command(const LoopExit *ended, void *userdata) {
    CommandSend *c = userdata;
    char line[ERROR_TEXT_MAX], what[80];

    switch (ended->ending) {
    case LOOP_EXITED: (void)snprintf(what, sizeof(what), "exit status %d", ended->code); break;
    case LOOP_SIGNALLED: (void)snprintf(what, sizeof(what), "ended by signal %d", ended->code); break;
    case LOOP_TIMED_OUT:
        (void)snprintf(what, sizeof(what), "killed after %llu s", CHANNEL_COMMAND_USEC / USEC_PER_SEC);
        break;
    case LOOP_TOO_MUCH:
        (void)snprintf(what, sizeof(what), "killed: it wrote more than %d bytes", OUTPUT_MAX);
        break;
    case LOOP_LOST: (void)snprintf(what, sizeof(what), "its end was lost: %s", strerror(ended->code)); break;
    }
    (void)first_line(ended, line);
    channel_finish_text(&c->send, kind_of_exit(ended), "%s%s%.300s", what, line[0] ? ": " : "", line);
}

static void on_failed_spawn(void *userdata) {
    CommandSend *c = userdata;

    channel_finish(&c->send, &c->receipt);
}

static void command_cancel(ChannelSend *send) {
    CommandSend *c = CONTAINER_OF(send, CommandSend, send);

    loop_kill(c->loop, c->child);
    loop_cancel(c->loop, c->timer);
    free(c);
}

static void free_variables(char **variables) {
    for (size_t i = 0; i < VARIABLES_MAX; i++)
        free(variables[i]);
}

/* Makes the program's whole environment. Nothing is inherited from ours, which may hold keys. */
static int make_variables(const Alert *alert, char *variables[static VARIABLES_MAX]) {
    char time[TIMETEXT_MAX];
    const struct {
        const char *name, *value;
    } all[] = {
        { "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
        { "LANG", "C.UTF-8" },
        { "TRAILGUARD_ID", alert->id },
        { "TRAILGUARD_INCIDENT", alert->incident },
        { "TRAILGUARD_EVENT", event_to_string(alert->event) },
        { "TRAILGUARD_SEVERITY", severity_to_string(alert->severity) },
        { "TRAILGUARD_RESOLVED", alert_ends_incident(alert) ? "1" : "0" },
        { "TRAILGUARD_TIME", timetext_iso(time, alert->time_usec) },
        { "TRAILGUARD_ACCOUNT", alert->account },
        { "TRAILGUARD_REGION", alert->region },
        { "TRAILGUARD_TRAIL", alert->trail },
        { "TRAILGUARD_SUBJECT", alert->subject },
        { "TRAILGUARD_TEXT", alert->text },
        { "TRAILGUARD_SMS", alert->sms },
    };

    _Static_assert(ARRAY_SIZE(all) < VARIABLES_MAX, "room for NULL");
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (asprintf(&variables[i], "%s=%.*s", all[i].name, VARIABLE_MAX, all[i].value) < 0) {
            variables[i] = NULL;
            return -ENOMEM;
        }
    return 0;
}

static int spawn(CommandSend *c, const ChannelConfig *channel, const Alert *alert) {
    char *variables[VARIABLES_MAX] = { NULL };
    int r = make_variables(alert, variables);

    if (r >= 0)
        r = loop_spawn(c->loop,
                       &(LoopProgram){ .arguments = (const char *const *)channel->command.items,
                                       .environment = (const char *const *)variables,
                                       .input = alert->document,
                                       .input_len = strlen(alert->document),
                                       .output_max = OUTPUT_MAX,
                                       .errors_max = ERRORS_MAX,
                                       .timeout_usec = CHANNEL_COMMAND_USEC },
                       on_exit_of_command, c, &c->child);
    free_variables(variables);
    if (r >= 0 || r == -ENOMEM)
        return r;
    c->receipt.kind = r == -EAGAIN ? RECEIPT_RETRY : RECEIPT_CHANNEL_REFUSED;
    (void)snprintf(c->receipt.text, sizeof(c->receipt.text), "%s cannot be started: %s",
                   channel->command.items[0], strerror(-r));
    return loop_after(c->loop, 0, on_failed_spawn, c, &c->timer);
}

int channel_command_send(const ChannelContext *context, const ChannelConfig *channel, const Alert *alert,
                         ChannelSent sent, void *userdata, ChannelSend **ret) {
    CommandSend *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        return -ENOMEM;
    c->send = (ChannelSend){ .sent = sent, .userdata = userdata, .cancel = command_cancel };
    c->loop = context->loop;
    r = spawn(c, channel, alert);
    if (r < 0) {
        free(c);
        return r;
    }
    if (ret)
        *ret = &c->send;
    return 0;
}
