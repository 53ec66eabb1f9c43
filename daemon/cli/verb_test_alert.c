/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/cli/verbs.h"
#include "daemon/core/alert.h"
#include "daemon/engine_aws.h"
#include "daemon/io/deliver.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static const char help[] = "usage: trailguard test-alert [-c FILE]\n\n"
                           "Sends a test alert through every channel and prints each one's receipt or "
                           "error. Exit status 1 when one failed.\n";

typedef struct Test {
    sd_event *event;
    const ChannelConfig *channel;
    bool sent, good;
} Test;

static void sent(const Receipt *receipt, void *userdata) {
    Test *test = userdata;
    char text[2 * ERROR_TEXT_MAX];

    test->sent = true;
    test->good = receipt->kind == RECEIPT_DELIVERED;
    printf("%s: %s %s\n", test->channel->topic_arn,
           test->good ? "sent, receipt" : "FAILED:", text_escaped(text, sizeof(text), receipt->text));
    (void)sd_event_exit(test->event, 0);
}

static int compose(Alert *ret) {
    char host[256] = "unknown";
    AlertGuard guard = { .host = host, .version = TRAILGUARD_VERSION };
    Subject subject = { .name = "", .arn = "", .account = "", .region = "" };
    struct timespec ts;
    Tell tell = { .event = EVENT_GUARD_TEST, .kind = TELL_OPENED, .severity = SEVERITY_INFO, .sequence = 1 };

    if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
        return -errno;
    (void)gethostname(host, sizeof(host) - 1);
    tell.time_usec = (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
    tell.opened_usec = tell.dedup_usec = tell.incident_dedup_usec = tell.time_usec;
    return alert_compose(&guard, &subject, &tell, ret);
}

/* Each channel has a loop of its own turn, so that receipts come out in the order of the file. */
static bool test_channel(const Config *config, const ChannelConfig *channel, const Alert *alert) {
    char error[ENGINE_AWS_ERROR_MAX] = "";
    Test test = { .channel = channel };
    EngineAws aws = { 0 };
    int r = sd_event_new(&test.event);

    if (r >= 0)
        r = engine_aws_open(test.event, config, &aws, error);
    if (r >= 0)
        r = channel_sns_send(aws.client, aws.credentials, channel, alert, sent, &test, NULL);
    if (r >= 0)
        r = sd_event_loop(test.event);
    if (!test.sent)
        fprintf(stderr, "%s: %s\n", channel->topic_arn, error[0] ? error : strerror(-r));
    engine_aws_close(&aws);
    sd_event_unref(test.event);
    return test.good;
}

int verb_test_alert(int argc, char **argv) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;
    Alert alert = { 0 };
    VerbArgs args;
    bool good;
    int r = verb_parse(argc, argv, 0, help, &args);

    if (r <= 0)
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (config_load(args.config, &config, error) < 0) {
        fprintf(stderr, "%s\n", error);
        return EXIT_FAILURE;
    }
    log_set_level(LOG_WARNING);
    r = compose(&alert);
    good = r >= 0 && config->n_channels > 0;
    if (r < 0)
        fprintf(stderr, "trailguard test-alert: cannot compose: %s\n", strerror(-r));
    else if (config->n_channels == 0)
        fprintf(stderr, "%s: alerts: no channel is configured\n", args.config);
    for (size_t i = 0; r >= 0 && i < config->n_channels; i++)
        good &= test_channel(config, &config->channels[i], &alert);
    alert_done(&alert);
    config_free(config);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
