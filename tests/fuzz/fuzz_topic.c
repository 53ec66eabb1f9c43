/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what AWS says of a topic and of its key, and as a topic's policy: each topic gets one verdict
 * with a line that says why. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/channel_health.h"
#include "lib/kms.h"
#include "lib/sns.h"

#define TOPIC  "arn:aws:sns:eu-central-1:111122223333:trailguard"
#define CALLER "arn:aws:sts::111122223333:assumed-role/guard/host"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_health(const SnsTopic *topic, const char *policy) {
    ChannelHealth health = { 0 };
    char key[ARN_MAX];
    TopicFacts facts = { .arn = TOPIC, .caller = CALLER, .confirmed = topic->confirmed,
                         .pending = topic->pending, .policy = policy, .key = topic->key, .key_state = "" };

    channel_health_topic(&facts, &health);
    check((unsigned)health.verdict < _CHANNEL_VERDICT_MAX && health.verdict != CHANNEL_UNCHECKED);
    check(health.text[0] || health.verdict == CHANNEL_HEARD);
    for (const unsigned char *s = (const unsigned char *)health.text; *s; s++)
        check(*s >= 0x20 && *s != 0x7f);
    check(topic->confirmed > 0 || health.verdict != CHANNEL_HEARD);
    if (channel_health_key_arn(TOPIC, topic->key, key))
        check(key[0] && strlen(key) < ARN_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SnsTopic topic = { 0 };
    KmsKey key = { 0 };
    char *text = malloc(size + 1);
    int r;

    r = operation_read(&sns_get_topic_attributes_operation, (const char *)data, size, NULL, &topic);
    check(r == 0 || r == -EBADMSG);
    if (r == 0)
        check_health(&topic, topic.policy);
    else
        check(!topic.policy);
    free(topic.policy);

    r = operation_read(&kms_describe_key_operation, (const char *)data, size, NULL, &key);
    check(r == 0 || r == -EBADMSG);
    check(r < 0 || (key.state[0] && key.enabled == (strcmp(key.state, "Enabled") == 0)));

    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    check_health(&(SnsTopic){ .confirmed = 1 }, text);
    free(text);
    return 0;
}
