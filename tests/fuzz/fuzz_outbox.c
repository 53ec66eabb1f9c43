/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the file of an alert: what is read can be sent in every format, and written again reads the
 * same. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "daemon/core/channel_format.h"
#include "daemon/io/outbox_record.h"
#include "daemon/io/sealed.h"
#include "lib/sns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_again(const OutboxRecord *record) {
    OutboxRecord again = { 0 };
    char reason[256], *text, *text2;
    size_t len, len2;
    int r = outbox_record_write(record, &text, &len);

    if (r == -E2BIG)
        return;
    check(r == 0 && seal_check(text, len, reason, sizeof(reason)) == 0);
    check(outbox_record_read(text, len, &again, reason, sizeof(reason)) == 0);
    check(outbox_record_write(&again, &text2, &len2) == 0);
    check(len == len2 && memcmp(text, text2, len) == 0);
    outbox_record_done(&again);
    free(text);
    free(text2);
}

/* The document alone may be anything: no format may send such a message, and none may crash on it. */
static void check_formats(const Alert *alert) {
    char path[ALERT_FORMAT_PATH_MAX], *body = NULL;
    int r;

    for (AlertFormat format = 0; format < _ALERT_FORMAT_MAX; format++) {
        alert_format_path(format, alert, path);
        r = alert_format_body(format, alert, "key", &body);
        check(r == 0 || r == -EINVAL);
        if (r == 0)
            free(body);
    }
    r = alert_sns_message(alert, NULL, SNS_MESSAGE_MAX, &body);
    check(r == 0 || r == -EINVAL || r == -E2BIG);
    if (r == 0)
        free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    OutboxRecord record = { 0 };
    char reason[256] = "";
    int r = outbox_record_read((const char *)data, size, &record, reason, sizeof(reason));

    check(r == 0 || (r == -EINVAL && reason[0] && !strchr(reason, '\n')));
    if (r == 0) {
        check(record.alert.text && record.alert.sms && record.alert.document && record.alert.subject[0]);
        check(record.n_acknowledged <= OUTBOX_CHANNELS_MAX);
        check_formats(&record.alert);
        check_again(&record);
        outbox_record_done(&record);
    }
    return 0;
}
