/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/form.h"

#include <string.h>

#include "lib/sigv4.h"

int form_add(StrBuf *b, const char *name, const char *value) {
    if (!value)
        return strbuf_error(b);

    if (b->len > 0)
        (void) strbuf_add_char(b, '&');
    (void) sigv4_encode(b, name, strlen(name), false);
    (void) strbuf_add_char(b, '=');
    return sigv4_encode(b, value, strlen(value), false);
}
