/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a baseline's file; and what is read from one as settings, which never differ from themselves.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/baseline.h"
#include "daemon/core/baseline_json.h"
#include "daemon/core/selectors.h"
#include "daemon/core/settings.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_version(const BaselineVersion *version) {
    Drift drift = { 0 };
    StrBuf b = STRBUF_INIT(1000);
    Expect expect = { .management_events = MANAGEMENT_ALL };
    Settings settings = { 0 };

    check(baseline_compare(&version->settings, &version->settings, &drift) == 0 && drift.n == 0);
    check(baseline_weaknesses(&version->settings, &b) >= 0);
    strbuf_done(&b);

    /* pins lose nothing of what was recorded, as far as it is understood */
    check(baseline_effective(&version->settings, &expect, &settings) == 0);
    check(baseline_compare(&version->settings, &settings, &drift) == 0);
    for (unsigned i = 0; i < drift.n; i++) {
        const Change *change = &drift.changes[i];
        StrBuf names = STRBUF_INIT(100000);
        int unknown = baseline_new_members(change->field, change->actual, change->expected, &names);

        check(unknown > 0 || !change->loses_events);
        strbuf_done(&names);
    }
    drift_done(&drift);
    settings_done(&settings);
}

/* What is written is read as the same. */
static void check_record(const BaselineRecord *record) {
    BaselineRecord again = { 0 };
    char reason[256], *text, *text2;
    size_t len, len2;
    int r = baseline_json_write(record, &text, &len);

    if (r == -E2BIG)
        return;
    check(r == 0 && baseline_json_read(text, len, &again, reason, sizeof(reason)) == 0);
    check(baseline_json_write(&again, &text2, &len2) == 0);
    check(len == len2 && memcmp(text, text2, len) == 0);
    baseline_record_done(&again);
    free(text);
    free(text2);
}

static void check_selectors(const char *text) {
    SelectorsVerdict verdict;
    char *once, *twice;

    check(selectors_compare(text, text, &verdict) == 0 && !verdict.differs);
    check(selectors_compare(SELECTORS_DEFAULT, text, &verdict) == 0);
    if (canonical_json(text, &once) < 0)
        return;
    check(canonical_json(once, &twice) == 0 && strcmp(once, twice) == 0);
    check(selectors_compare(text, once, &verdict) == 0);
    free(once);
    free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BaselineRecord record = { 0 };
    char reason[256] = "", *text;
    int r;

    r = baseline_json_read((const char *)data, size, &record, reason, sizeof(reason));
    check(r == 0 || (r == -EINVAL && reason[0]));
    check(r == 0 || !record.arn);
    if (r == 0) {
        check_version(&record.latest);
        if (record.has_previous)
            check_version(&record.previous);
        check_record(&record);
    }
    baseline_record_done(&record);

    text = malloc(size + 1); /* strndup: ASan's looks at the byte behind the last */
    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    check_selectors(text);
    free(text);
    return 0;
}
