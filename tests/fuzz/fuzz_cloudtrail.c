/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as CloudTrail's answers: each reader says no, or keeps the promises of cloudtrail.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arn.h"
#include "lib/cloudtrail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void try_status(const char *body, size_t len) {
    CloudTrailStatus s, before;
    int r;

    memset(&s, 0xaa, sizeof(s));
    before = s;
    r = cloudtrail_read_status(body, len, &s);
    check(r == 0 || r == -EBADMSG);
    if (r < 0) {
        check(memcmp(&s, &before, sizeof(s)) == 0);
        return;
    }
    check(memchr(s.delivery_error, '\0', sizeof(s.delivery_error)) != NULL);
    check(memchr(s.digest_error, '\0', sizeof(s.digest_error)) != NULL);
    check(memchr(s.log_group_error, '\0', sizeof(s.log_group_error)) != NULL);
    check(memchr(s.notification_error, '\0', sizeof(s.notification_error)) != NULL);
}

static void try_trails(const char *body, size_t len) {
    CloudTrailTrails trails = { 0 };
    Arn arn;
    int r;

    r = cloudtrail_read_trails(body, len, &trails);
    check(r == 0 || r == -EBADMSG || r == -E2BIG);
    check(r == 0 || (trails.n == 0 && !trails.items));
    check(trails.n <= CLOUDTRAIL_TRAILS_MAX);
    for (size_t i = 0; i < trails.n; i++) {
        check(trails.items[i].name && trails.items[i].home_region && trails.items[i].bucket);
        check(arn_parse(trails.items[i].arn, &arn) == 0 && arn_is_trail(&arn));
    }
    cloudtrail_trails_done(&trails);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_status((const char *)data, size);
    try_trails((const char *)data, size);
    return 0;
}
