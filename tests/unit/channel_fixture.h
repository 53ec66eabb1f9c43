/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What tests of channels send, and what came of it. */

#include "daemon/io/channel.h"
#include "tests/unit/service_fixture.h"

#define ID       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define INCIDENT "fedcba9876543210"
#define ARN      "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
#define SUBJECT  "[TrailGuard] CRITICAL main stopped in eu-west-1 (111122223333)"

/* About the trail main that was stopped, at the time where the fake loop begins. */
Alert channel_fixture_alert(EventKind event, const char *text);

typedef struct ChannelFixtureSent {
    unsigned n;
    Receipt receipt;
} ChannelFixtureSent;

/* A ChannelSent, for a ChannelFixtureSent. */
void channel_fixture_sent(const Receipt *receipt, void *userdata);

/* Nothing is kept in files. */
ChannelContext channel_fixture_context(const ServiceFixture *f);
