/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the file: how they are read, named in errors, and written. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/config_read.h"
#include "lib/util/text.h"

int config_fault(ConfigFault *fault, const config_setting_t *setting, const char *format, ...) {
    va_list ap;

    fault->line = config_setting_source_line(setting);
    va_start(ap, format);
    (void)vsnprintf(fault->what, sizeof(fault->what), format, ap);
    va_end(ap);
    return -EINVAL;
}

const char *config_found(char dst[static CONFIG_FOUND], const config_setting_t *setting) {
    char show[CONFIG_FOUND - 2];

    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        (void)text_escaped(show, sizeof(show), config_setting_get_string(setting));
        (void)snprintf(dst, CONFIG_FOUND, "\"%s\"", show);
        break;
    case CONFIG_TYPE_INT: (void)snprintf(dst, CONFIG_FOUND, "%d", config_setting_get_int(setting)); break;
    case CONFIG_TYPE_INT64:
        (void)snprintf(dst, CONFIG_FOUND, "%lld", config_setting_get_int64(setting));
        break;
    case CONFIG_TYPE_FLOAT:
        (void)snprintf(dst, CONFIG_FOUND, "%g", config_setting_get_float(setting));
        break;
    case CONFIG_TYPE_BOOL: return config_setting_get_bool(setting) ? "true" : "false";
    case CONFIG_TYPE_GROUP: return "a group";
    case CONFIG_TYPE_ARRAY: return config_setting_length(setting) ? "an array" : "an empty array";
    case CONFIG_TYPE_LIST: return config_setting_length(setting) ? "a list" : "an empty list";
    default: return "this";
    }
    return dst;
}

int config_find_word(const char *const *words, const char *text) {
    for (int i = 0; text && words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

/* ---- restore ---- */

static int refuse_words(const config_setting_t *setting, const Option *option, ConfigFault *fault) {
    char list[200] = "", found[CONFIG_FOUND];
    size_t used = 0;

    for (size_t i = 0; option->words[i] && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", i == 0 ? "" : ", ",
                                 option->words[i]);
    return config_fault(fault, setting, "%s: %s cannot be used; allowed: an array of %s, each once",
                        option->name, config_found(found, setting), list);
}

int config_read_words(const config_setting_t *setting, const Option *option, uint32_t *slot,
                      ConfigFault *fault) {
    uint32_t bits = 0;

    if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
        return refuse_words(setting, option, fault);
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        int index = config_find_word(option->words, config_setting_get_string(item));

        if (index < 0 || bits & 1U << index)
            return refuse_words(item, option, fault);
        bits |= 1U << index;
    }
    *slot = bits;
    return 0;
}

void config_put_words(FILE *out, const Option *option, uint32_t bits) {
    bool first = true;

    fputc('[', out);
    for (unsigned i = 0; option->words[i]; i++)
        if (bits & 1U << i) {
            fputs(first ? " " : ", ", out);
            config_put_text(out, option->words[i]);
            first = false;
        }
    fputs(" ]", out);
}

void config_put_text(FILE *out, const char *text) {
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7f)
            fprintf(out, "\\x%02x", *c);
        else
            fputc(*c, out);
    fputc('"', out);
}
