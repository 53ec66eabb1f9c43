/* SPDX-License-Identifier: Apache-2.0 */
/* Single values in the words of alerts: times, numbers, foreign text. */
#include <stdio.h>
#include <string.h>

#include "daemon/core/alert_parts.h"
#include "lib/util/text.h"

const char *alert_human_time(char dst[static TIMETEXT_MAX], uint64_t usec) {
    char iso[TIMETEXT_MAX];

    (void)timetext_iso(iso, usec);
    if (strlen(iso) == strlen("YYYY-MM-DDThh:mm:ssZ"))
        (void)snprintf(dst, TIMETEXT_MAX, "%.10s %.8s UTC", iso, iso + 11);
    else
        (void)text_copy(dst, TIMETEXT_MAX, "an unknown time");
    return dst;
}

void alert_add_foreign(const AlertExpansion *x, const char *s) {
    _cleanup_strbuf_ StrBuf whole = STRBUF_INIT(ALERT_EXPANDED_MAX);
    char shown[ALERT_SHOWN_MAX + 1];

    (void)text_escape(&whole, s, ALERT_SHOWN_MAX);
    (void)text_escape(x->out, "", 0);
    if (x->cut >= sizeof(shown) || whole.len <= x->cut) {
        (void)strbuf_add(x->out, strbuf_str(&whole));
        return;
    }
    /* room for the dots; what text_copy leaves is whole characters */
    (void)text_copy(shown, x->cut - 2, strbuf_str(&whole));
    (void)strbuf_addf(x->out, "%s...", shown);
}

void alert_add_number(const AlertExpansion *x, unsigned n, const char *what) {
    (void)strbuf_addf(x->out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

void alert_add_fact(const AlertExpansion *x, const char *name, const char *value) {
    if (!value[0])
        return;
    (void)strbuf_addf(x->out, "  %-8s ", name);
    (void)text_escape(x->out, value, ALERT_SHOWN_MAX);
    (void)strbuf_add(x->out, "\n");
}
