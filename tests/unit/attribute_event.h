/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Events of a history, as the reader makes them. */

#include "lib/cloudtrail.h"
#include "lib/util/macros.h"

#define MALLET "arn:aws:iam::111122223333:user/mallory"
#define FROM   (1800000000 * USEC_PER_SEC)

/* An event as the reader makes them: no text is NULL. */
static inline CloudTrailEvent blank_event(void) {
    char *none = (char *)"";

    return (CloudTrailEvent){
        .event_id = none,
        .event_name = none,
        .event_source = none,
        .access_key_id = none,
        .username = none,
        .event_time_usec = FROM,
        .whole = true,
        .source_ip = none,
        .user_agent = none,
        .error_code = none,
        .request_id = none,
        .trail = none,
        .bucket = none,
        .key = none,
        .log_group = none,
        .role = none,
        .topic = none,
        .key_store = none,
        .principal = none,
        .parameters = none,
        .departure = none,
        .details = none,
        .identity = { .type = none,
                      .arn = none,
                      .principal_id = none,
                      .account_id = none,
                      .user_name = none,
                      .invoked_by = none,
                      .access_key_id = none,
                      .issuer_arn = none,
                      .issuer_user_name = none,
                      .source_identity = none,
                      .on_behalf_of = none,
                      .identity_store = none,
                      .delegate = none },
    };
}

static inline CloudTrailEvent event_of(const char *name, const char *trail) {
    CloudTrailEvent e = blank_event();

    e.event_name = (char *)name;
    e.trail = (char *)trail;
    e.identity.type = (char *)"IAMUser";
    e.identity.arn = (char *)MALLET;
    e.identity.user_name = (char *)"mallory";
    return e;
}
