/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Readers and writers of options that have a shape of their own. Private to config. */

#include <libconfig.h>
#include <stdio.h>

#include "daemon/config/config_table.h"
#include "lib/util/macros.h"

/* What is wrong in the file, and where. */
typedef struct ConfigFault {
    unsigned line;
    char what[300];
} ConfigFault;

/* Notes the fault, with what is allowed instead. Returns -EINVAL. */
int config_fault(ConfigFault *fault, const config_setting_t *setting, const char *format, ...)
        _printf_(3, 4);

#define CONFIG_FOUND 88

/* The value found, as an error shows it: "text" (escaped, shortened), a number, true, or what kind of thing
 * it is. Returns dst. */
const char *config_found(char dst[static CONFIG_FOUND], const config_setting_t *setting);

/* The index of the word in a list that ends with NULL; -1: it is not there, or the text is NULL. */
int config_find_word(const char *const *words, const char *text);

/* All: 0, -EINVAL with the fault, or -ENOMEM. What was read until then belongs to the config, which is freed
 * as a whole. */

/* Refuses in the file's text what versions of libconfig read differently: texts without a comma between them
 * in an array or list, numbers with leading zeros or over 32 bits, @include, a comma before the closing
 * bracket. Also a NUL byte. text ends with a NUL of its own. */
int config_check_text(const char *text, size_t len, ConfigFault *fault);

/* OPTION_WORDS: an array of option->words, as bits by their index. */
int config_read_words(const config_setting_t *setting, const Option *option, uint32_t *slot,
                      ConfigFault *fault);
void config_put_words(FILE *out, const Option *option, uint32_t bits);

/* OPTION_EXPECT: a group of pins, or a list of them, each for one trail or for all. */
int config_read_expect(const config_setting_t *setting, Config *config, ConfigFault *fault);
void config_put_expect(FILE *out, const Config *config);
void config_expect_done(Config *config);

/* OPTION_MAINTENANCE: a list of groups. */
int config_read_maintenance(const config_setting_t *setting, Config *config, ConfigFault *fault);
void config_put_maintenance(FILE *out, const Config *config);
void config_maintenance_done(Config *config);

/* A string as libconfig reads it back. */
void config_put_text(FILE *out, const char *text);
