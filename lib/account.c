/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/account.h"

#include "lib/util/macros.h"
#include "lib/util/text.h"

static int account_read_status(Answer *answer, void *value) {
    static const AnswerField status = { "RegionOptStatus", ANSWER_CHARS, true, 0, ACCOUNT_STATUS_MAX };
    const char *region;

    if (answer_text(answer->root, "RegionName", &region) < 0 ||
        (*region && !text_equal(region, answer->input)))
        return answer_fault(answer->fault, "RegionName is another region's");
    return answer_fields(answer->root, &status, 1, value, answer->fault);
}

const AwsOperation account_get_region_status_operation = {
    .service = AWS_ACCOUNT,
    .protocol = AWS_PROTOCOL_REST_JSON,
    .name = "GetRegionOptStatus",
    .target = "getRegionOptStatus",
    .member = "RegionName",
    .read = account_read_status,
    .value_size = ACCOUNT_STATUS_MAX,
    .deliver = account_get_region_status_deliver,
};
