/* SPDX-License-Identifier: Apache-2.0 */
/* Settings that differ from the baseline: their names, what was lost by each, before and after. */
#include <string.h>

#include "daemon/core/alert_parts.h"
#include "daemon/core/enum_names.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* All values of a message together; where they are more, each is cut to the smaller size, so that a message
 * fits into SNS, which takes 256 KiB, four times. */
#define ALL_VALUES_MAX  (12U * 1024)
#define VALUE_SMALL_MAX 256U

static unsigned count_fields(uint32_t fields) {
    unsigned n = 0;

    for (; fields != 0; fields &= fields - 1)
        n++;
    return n;
}

void alert_add_field_names(const AlertExpansion *x, uint32_t fields) {
    const char *between = "";

    if (!(fields & FIELDS_ALL))
        (void)strbuf_add(x->out, "no known setting");
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f)) {
            (void)strbuf_addf(x->out, "%s%s", between, field_to_string(f));
            between = ", ";
        }
}

void alert_add_fields(const AlertExpansion *x) {
    uint32_t fields = x->source->tell->fields & FIELDS_ALL;

    if (count_fields(fields) == 1)
        alert_add_field_names(x, fields);
    else if (fields)
        alert_add_number(x, count_fields(fields), "setting");
    else
        (void)strbuf_add(x->out, "settings");
}

void alert_add_losses(const AlertExpansion *x) {
    static const char *const losses[_FIELD_MAX] = {
        [FIELD_BUCKET] = "Log files of that time are in the other bucket, and do not come to the right one.",
        [FIELD_PREFIX] =
                "Log files of that time are below another prefix. What reads the old prefix misses them.",
        [FIELD_KMS_KEY] = "Log files of that time are encrypted with another key, or not with one of yours.",
        [FIELD_LOG_GROUP] = "CloudWatch Logs does not have the events of that time, and its alarms did not "
                            "fire.",
        [FIELD_LOG_ROLE] = "CloudWatch Logs may not have the events of that time.",
        [FIELD_SNS_TOPIC] = "Subscribers were not notified of the log files of that time. The log files "
                            "were delivered.",
        [FIELD_MULTI_REGION] = "Events of other regions from that time are lost to this trail.",
        [FIELD_GLOBAL_EVENTS] =
                "Events of global services (IAM, STS, CloudFront) from that time are lost to this trail.",
        [FIELD_VALIDATION] =
                ("Without digests, nobody can prove that log files of that time are unchanged. A broken "
                 "chain of "
                 "digests stays broken."),
        [FIELD_ORGANIZATION] = "Events of the organization's other accounts from that time are lost to "
                               "this trail.",
        [FIELD_RECURSIVE] = ("CloudTrail's own deliveries of that time, to the bucket and to CloudWatch "
                             "Logs, are "
                             "not recorded."),
        [FIELD_SELECTORS] = ("Events that the changed selectors leave out are lost to this trail. The "
                             "event history "
                             "still has management events of the last 90 days."),
        [FIELD_INSIGHTS] = "CloudTrail created no Insights events for that time.",
        [FIELD_CONFIGURATION] = "Events of that time may lack keys, be truncated, or not be aggregated as "
                                "before.",
        [FIELD_TAGS] = "Tags do not change what the trail records.",
        [FIELD_UNKNOWN] = "Unknown: AWS added this setting after this version of TrailGuard was made.",
    };
    const char *between = "";

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (x->source->tell->fields & FIELD_BIT(f)) {
            (void)strbuf_addf(x->out, "%s%s", between, losses[f]);
            between = "\n";
        }
    if (!*between)
        (void)strbuf_add(x->out, "That depends on what was changed.");
}

/* ---- before and after ---- */

bool alert_shows_change(const Tell *tell, const Change *change) {
    return (unsigned)change->field < _FIELD_MAX &&
           (tell->fields == 0 || (tell->fields & FIELD_BIT(change->field)));
}

static size_t shown_length(const char *value) {
    return MIN(value ? strlen(value) : 0, (size_t)ALERT_VALUE_MAX);
}

static size_t value_max(const Tell *tell) {
    size_t all = 0;

    for (unsigned i = 0; i < tell->changes->n; i++)
        all += shown_length(tell->changes->changes[i].was) + shown_length(tell->changes->changes[i].now);
    return all > ALL_VALUES_MAX ? VALUE_SMALL_MAX : ALERT_VALUE_MAX;
}

int alert_add_value(const Tell *tell, StrBuf *b, const char *value) {
    char shown[ALERT_VALUE_MAX + 1];
    size_t max = value_max(tell), len = value ? strlen(value) : 0;
    bool cut;

    (void)strbuf_add(b, text_escaped(shown, max + 1, value));
    /* escaped text is longer, and may be cut where the value alone would have fitted */
    cut = len > max || (strlen(shown) + 4 > max && text_ends_with(shown, "..."));
    return cut ? strbuf_addf(b, " (%zu bytes in all)", len) : strbuf_error(b);
}

static void add_value_line(const AlertExpansion *x, const char *label, const char *value) {
    (void)strbuf_addf(x->out, "    %-5s ", label); /* two blanks: a line in columns, that is not wrapped */
    if (value && value[0])
        (void)alert_add_value(x->source->tell, x->out, value);
    else
        (void)strbuf_add(x->out, "(not set)");
    (void)strbuf_add(x->out, "\n");
}

void alert_add_changes(const AlertExpansion *x) {
    const Tell *tell = x->source->tell;
    bool written = tell->restore.result == RESULT_CONFIRMED || tell->restore.result == RESULT_FAILED ||
                   tell->action.result == RESULT_CONFIRMED;

    for (unsigned i = 0; i < tell->changes->n; i++) {
        const Change *change = &tell->changes->changes[i];
        bool back = written && (tell->fields & ~tell->fields_left & FIELD_BIT(change->field));

        if (!alert_shows_change(tell, change))
            continue;
        (void)strbuf_addf(x->out, "  %s%s\n", field_to_string(change->field), back ? ", restored" : "");
        add_value_line(x, tell->unmet ? "expected " : "was", change->was);
        add_value_line(x, tell->unmet ? "actual   " : back ? "then" : "now", change->now);
    }
}
