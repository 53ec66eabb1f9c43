/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/channel_fixture.h"

#include "lib/util/macros.h"

Alert channel_fixture_alert(EventKind event, const char *text) {
    return (Alert){
        .id = ID,
        .incident = INCIDENT,
        .event = event,
        .severity = SEVERITY_CRITICAL,
        .time_usec = UINT64_C(1795489800) * USEC_PER_SEC,
        .subject = SUBJECT,
        .text = (char *)text,
        .sms = (char *)"main stopped",
        .document =
                (char *)"{\"event\":\"trail.stopped\",\"trail\":{\"name\":\"main\",\"arn\":\"" ARN "\"}}",
        .account = "111122223333",
        .region = "eu-west-1",
        .trail = "main",
    };
}

void channel_fixture_sent(const Receipt *receipt, void *userdata) {
    ChannelFixtureSent *sent = userdata;

    sent->n++;
    sent->receipt = *receipt;
}

ChannelContext channel_fixture_context(const ServiceFixture *f) {
    return (ChannelContext){ .aws = f->aws,
                             .credentials = f->credentials,
                             .http = fake_http_client(f->http),
                             .loop = fake_loop_loop(f->loop) };
}
