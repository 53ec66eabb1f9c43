/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "daemon/config_read.h"
#include "daemon/config_table.h"
#include "lib/endpoint.h"
#include "lib/util/text.h"

/* A string as libconfig reads it back. */
static void put_text(FILE *out, const char *text) {
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

void config_put_text(FILE *out, const char *text) {
    put_text(out, text);
}

static void put_list(FILE *out, const StringList *list) {
    if (list->all) {
        put_text(out, "all");
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        fputs(i == 0 ? " " : ", ", out);
        put_text(out, list->items[i]);
    }
    fputs(" ]", out);
}

static void put_channels(FILE *out, const Config *config) {
    fputc('(', out);
    for (size_t i = 0; i < config->n_channels; i++) {
        fprintf(out, "%s\n  { type = \"sns\"; topic_arn = ", i == 0 ? "" : ",");
        put_text(out, config->channels[i].topic_arn);
        fprintf(out, "; min_severity = \"%s\"; }", config_severity_words[config->channels[i].min_severity]);
    }
    fputs(config->n_channels > 0 ? "\n)" : ")", out);
}

static void put_value(FILE *out, const Option *option, const Config *config) {
    const char *base = (const char *)config + option->offset;

    switch (option->kind) {
    case OPTION_NUMBER: fprintf(out, "%u", *(const unsigned *)(const void *)base); break;
    case OPTION_BOOL: fputs(*(const bool *)(const void *)base ? "true" : "false", out); break;
    case OPTION_SWITCH:
        fputs(*(const Switch *)(const void *)base == SWITCH_ON ? "true" : "false", out);
        break;
    case OPTION_WORD:
        put_text(out, option->words[*(const int *)(const void *)base - (int)option->min]);
        break;
    case OPTION_TEXT: put_text(out, *(char *const *)(const void *)base); break;
    case OPTION_LIST: put_list(out, (const StringList *)(const void *)base); break;
    case OPTION_CHANNELS: put_channels(out, config); break;
    case OPTION_WORDS: config_put_words(out, option, *(const uint32_t *)(const void *)base); break;
    case OPTION_EXPECT: config_put_expect(out, &config->expect); break;
    case OPTION_MAINTENANCE: config_put_maintenance(out, config); break;
    case OPTION_GROUP: break;
    }
}

/* What cannot be written as a value, and why; else NULL. An unset text or switch means "as the environment
 * says", which no value does. */
static const char *no_value(const Option *option, const Config *config) {
    const char *base = (const char *)config + option->offset;

    if (option->kind == OPTION_SWITCH)
        return *(const Switch *)(const void *)base == SWITCH_UNSET ? "is not set" : NULL;
    if (option->kind != OPTION_TEXT)
        return NULL;
    if (!*(char *const *)(const void *)base)
        return "is not set";
    return option->secret && endpoint_proxy_has_user(*(char *const *)(const void *)base)
                   ? "is set, and holds a password that is not shown"
                   : NULL;
}

int config_dump(const Config *config, FILE *out) {
    bool in_group = false;

    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];
        bool member = text_starts_with(option->name, "aws.");
        const char *without;

        if (in_group && !member)
            fputs("};\n", out);
        in_group = member;
        if (option->kind == OPTION_GROUP) {
            fprintf(out, "%s = {\n", option->name);
            in_group = true;
            continue;
        }
        without = no_value(option, config);
        if (without)
            fprintf(out, "%s# %s %s\n", member ? "  " : "", option->name, without);
        else {
            fprintf(out, "%s%s = ", member ? "  " : "", member ? option->name + 4 : option->name);
            put_value(out, option, config);
            fputs(";\n", out);
        }
    }
    if (in_group)
        fputs("};\n", out);
    return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
