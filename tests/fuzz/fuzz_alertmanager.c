/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the file that says what Alertmanager knows: a damaged one counts as empty, and what is made
 * of it is stable and can be sent. */
#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alertmanager.h"
#include "lib/util/macros.h"

#define NOW_USEC (1795428131ULL * USEC_PER_SEC)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_body(const char *set) {
    char *body = NULL;
    json_t *alerts;

    check(alertmanager_body(set, NOW_USEC, &body) == 0);
    if (!body)
        return;
    alerts = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    check(json_is_array(alerts) && json_array_size(alerts) > 0 &&
          json_array_size(alerts) <= ALERTMANAGER_ALERTS_MAX);
    json_decref(alerts);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Alert alert = {
        .id = "00",
        .incident = "fedcba9876543210",
        .event = EVENT_TRAIL_STOPPED,
        .severity = SEVERITY_CRITICAL,
        .time_usec = NOW_USEC,
        .subject = "[TrailGuard] CRITICAL main stopped",
        .text = (char *)"main stopped\n",
        .sms = (char *)"main stopped",
        .document = (char *)"{\"event\":\"trail.stopped\",\"trail\":{\"name\":\"main\",\"arn\":\"arn\"}}",
        .account = "111122223333",
        .region = "eu-west-1",
        .trail = "main",
    };
    char *text = malloc(size + 1), *once = NULL, *twice = NULL, *more = NULL;

    check(text != NULL); /* strndup: ASan's looks at the byte behind the last */
    memcpy(text, data, size);
    text[size] = '\0';
    check_body(text);
    check(alertmanager_apply(text, NULL, NOW_USEC, &once) == 0);
    check(alertmanager_apply(once, NULL, NOW_USEC, &twice) == 0);
    check(strcmp(once, twice) == 0);
    check(alertmanager_apply(text, &alert, NOW_USEC, &more) == 0 && strstr(more, alert.incident));
    check_body(more);
    free(more);
    free(twice);
    free(once);
    free(text);
    return 0;
}
