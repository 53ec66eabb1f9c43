/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* application/x-www-form-urlencoded bodies of AWS's Query protocol. Pure. */

#include "lib/util/strbuf.h"

/* Appends "name=value", with "&" before it unless the buffer is empty; both percent-encoded (a space is
 * %20). A NULL value appends nothing. Returns the buffer's error. */
int form_add(StrBuf *b, const char *name, const char *value);
