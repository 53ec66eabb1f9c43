/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Texts, words and numbers of the configuration file: each is given to libconfig as all of its versions read
 * it, or is a mistake. Private to config_text. */

#include "daemon/config/config_scan.h"

/* A text, outside of arrays and lists also of several parts: libconfig joins them. t stands at its quotation
 * mark. */
void scan_strings(Scan *t, const char *path, Position *position);
/* The length of a quotation mark that libconfig does not know; 0. */
size_t scan_foreign_quote(const Scan *t);
/* A text between such marks: a mistake, read as it was meant. */
void scan_foreign_string(Scan *t, const char *path);
/* true, false, or a text that lacks its quotation marks. */
void scan_word(Scan *t, const char *path, Position *position);
void scan_number(Scan *t, const char *path, Position *position);
