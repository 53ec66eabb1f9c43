/* SPDX-License-Identifier: Apache-2.0 */
/* status.json: contained principals, and the rights that the guard lacks. */
#include <stdio.h>

#include "daemon/core/hold.h"
#include "daemon/io/report_private.h"
#include "lib/arn.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static int write_hold_state(const CodecMember *m _unused_, const void *base, json_t **ret) {
    return report_word(hold_state_word(base), ret);
}

static int write_release(const CodecMember *m _unused_, const void *base, json_t **ret) {
    char command[HOLD_COMMAND_MAX], shown[2 * HOLD_COMMAND_MAX];

    return report_word(text_escaped(shown, sizeof(shown), hold_release_command(base, command)), ret);
}

static const CodecKind kind_hold_state = { .write = write_hold_state },
                       kind_release = { .write = write_release };

const CodecMember report_hold_members[] = {
    SHOW(ContainHold, arn, "arn", shown_text),
    SHOW(ContainHold, account, "account", shown_text),
    DERIVED("state", kind_hold_state),
    SHOW(ContainHold, since_usec, "since", time),
    SHOW(ContainHold, reason, "reason", shown_text),
    SHOW(ContainHold, policy, "policy", shown_text),
    SHOW(ContainHold, error, "error", shown_text),
    DERIVED("release", kind_release),
    CODEC_END,
};

static int write_loss_account(const CodecMember *m _unused_, const void *base, json_t **ret) {
    Arn arn;
    char shown[64];
    bool known = arn_parse(((const GuardRecord *)base)->arn, &arn) >= 0;

    return report_word(text_escaped(shown, sizeof(shown), known ? arn.account : ""), ret);
}

static const CodecKind kind_loss_account = { .write = write_loss_account };

const CodecMember report_loss_members[] = {
    SHOW(GuardRecord, arn, "arn", shown_text),
    DERIVED("account", kind_loss_account),
    SHOW(GuardRecord, lost_usec, "since", time),
    SHOW(GuardRecord, severity, "severity", word, .names = &codec_severities),
    SHOW(GuardRecord, n_lost_now, "count", uint),
    SHOW(GuardRecord, lost, "text", shown_text),
    CODEC_END,
};

const void *report_loss_at(const void *status, size_t i) {
    const GuardRecord *record = &((const Status *)status)->guard[i];

    return record->n_lost_now > 0 ? record : NULL;
}
