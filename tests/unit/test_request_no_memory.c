/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc */
/* The JSON bodies of requests, of which the first allocation fails, then the second, and so on: each failure
 * is -ENOMEM, and not what text that cannot be sent is. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/cloudtrail.h"
#include "lib/kms.h"
#include "lib/organizations.h"
#include "lib/util/macros.h"
#include "tests/unit/alloc_fail.h"

#define ARN      "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define RUNS_MAX 500

static CloudTrailTag two_tags[] = { { (char *)"team", (char *)"sec" }, { (char *)"empty", (char *)"" } };
static const CloudTrailTags tags = { two_tags, 2 };
static const CloudTrailChanges changes = { .bucket = "b", .prefix = "p", .validation = CLOUDTRAIL_ON };
static const CloudTrailSelectors selectors = { .event_selectors = (char *)"[{\"ReadWriteType\":\"All\"}]" };
static const CloudTrailWrite write_arn = { ARN, &changes, &selectors, "[{\"InsightType\":\"X\"}]", &tags };
static const CloudTrailWrite write_name = { "main", &changes, NULL, NULL, &tags };
static const CloudTrailWrite write_configuration = { ARN, NULL, NULL, "{\"MaxEventSize\":\"Large\"}", NULL };
static const CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME,
                                         .value = "main",
                                         .start_usec = 1000000,
                                         .end_usec = 2000000,
                                         .max_results = 5,
                                         .next_token = "more" };

static void without_memory_no_request_is_called_invalid(void **state _unused_) {
    static const struct {
        const AwsOperation *operation;
        const void *input;
    } rows[] = {
        { &cloudtrail_update_trail_operation, &write_arn },
        { &cloudtrail_create_trail_operation, &write_name },
        { &cloudtrail_put_event_selectors_operation, &write_arn },
        { &cloudtrail_put_insight_selectors_operation, &write_arn },
        { &cloudtrail_put_event_configuration_operation, &write_configuration },
        { &cloudtrail_add_tags_operation, &write_arn },
        { &cloudtrail_remove_tags_operation, &write_arn },
        { &cloudtrail_start_logging_operation, ARN },
        { &cloudtrail_get_trail_status_operation, ARN },
        { &cloudtrail_describe_trails_operation, NULL },
        { &cloudtrail_list_tags_operation, ARN },
        { &cloudtrail_lookup_events_operation, &lookup },
        { &organizations_list_accounts_operation, NULL },
        { &kms_describe_key_operation, "key" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (unsigned n = 0;; n++) {
            char *body = NULL;
            bool failed;
            int r;

            alloc_fail_after(n);
            r = operation_build(rows[i].operation, rows[i].input, NULL, &body);
            failed = alloc_fail_end();
            free(body);
            if (n == RUNS_MAX || r != (failed ? -ENOMEM : 0))
                fail_msg("%s, allocation %u: %d", rows[i].operation->name, n, r);
            if (!failed)
                break;
        }
}

static void text_that_is_not_utf8_is_invalid_with_memory(void **state _unused_) {
    static const CloudTrailChanges bad = { .bucket = "\xff" };
    static CloudTrailTag bad_tag[] = { { (char *)"team", (char *)"\xff" } };
    static const CloudTrailTags bad_tags = { bad_tag, 1 };
    const struct {
        const AwsOperation *operation;
        const void *input;
    } rows[] = {
        { &cloudtrail_update_trail_operation, &(CloudTrailWrite){ .trail = ARN, .changes = &bad } },
        { &cloudtrail_update_trail_operation, &(CloudTrailWrite){ .trail = "\xff", .changes = &changes } },
        { &cloudtrail_create_trail_operation,
          &(CloudTrailWrite){ .trail = "main", .changes = &changes, .tags = &bad_tags } },
        { &cloudtrail_add_tags_operation, &(CloudTrailWrite){ .trail = ARN, .tags = &bad_tags } },
        { &cloudtrail_add_tags_operation, &(CloudTrailWrite){ .trail = "\xff", .tags = &tags } },
        { &cloudtrail_put_event_configuration_operation,
          &(CloudTrailWrite){ .trail = "\xff", .text = "{\"a\":1}" } },
        { &cloudtrail_start_logging_operation, "\xff" },
        { &cloudtrail_list_tags_operation, "\xff" },
        { &cloudtrail_lookup_events_operation,
          &(CloudTrailLookup){ .key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME, .value = "\xff" } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *body = NULL;
        int r = operation_build(rows[i].operation, rows[i].input, NULL, &body);

        if (r != -EINVAL)
            fail_msg("row %zu: %d", i, r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_no_request_is_called_invalid),
        cmocka_unit_test(text_that_is_not_utf8_is_invalid_with_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
