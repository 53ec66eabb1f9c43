/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "daemon/config/config_read.h"
#include "daemon/config/config_table.h"
#include "lib/endpoint.h"
#include "lib/util/text.h"

static void put_list(FILE *out, const StringList *list) {
    if (list->all) {
        config_put_text(out, "all");
        return;
    }
    fputc('[', out);
    for (size_t i = 0; i < list->n; i++) {
        fputs(i == 0 ? " " : ", ", out);
        config_put_text(out, list->items[i]);
    }
    fputs(" ]", out);
}

static void put_channels(FILE *out, const Config *config) {
    fputc('(', out);
    for (size_t i = 0; i < config->n_channels; i++) {
        fprintf(out, "%s\n  { type = \"sns\"; topic_arn = ", i == 0 ? "" : ",");
        config_put_text(out, config->channels[i].topic_arn);
        fprintf(out, "; min_severity = \"%s\"; }", config_severity_words[config->channels[i].min_severity]);
    }
    fputs(config->n_channels > 0 ? "\n)" : ")", out);
}

static void put_accounts(FILE *out, const Config *config);

static void put_value(FILE *out, const Option *option, const void *base) {
    const void *slot = (const char *)base + option->offset;

    switch (option->kind) {
    case OPTION_NUMBER: fprintf(out, "%u", *(const unsigned *)slot); break;
    case OPTION_BOOL: fputs(*(const bool *)slot ? "true" : "false", out); break;
    case OPTION_SWITCH: fputs(*(const Switch *)slot == SWITCH_ON ? "true" : "false", out); break;
    case OPTION_WORD: config_put_text(out, option->words[*(const int *)slot - (int)option->min]); break;
    case OPTION_WORDS: config_put_words(out, option, *(const uint32_t *)slot); break;
    case OPTION_TEXT: config_put_text(out, *(char *const *)slot); break;
    case OPTION_LIST: put_list(out, slot); break;
    case OPTION_CHANNELS: put_channels(out, base); break;
    case OPTION_ACCOUNTS: put_accounts(out, base); break;
    case OPTION_EXPECT: config_put_expect(out, base); break;
    case OPTION_MAINTENANCE: config_put_maintenance(out, base); break;
    case OPTION_GROUP: break;
    }
}

/* The row is a member of this group. */
static bool is_member(const Option *option, const Option *group) {
    size_t n = strlen(group->name);

    return text_starts_with(option->name, group->name) && option->name[n] == '.';
}

/* A value that is not shown. */
static bool is_hidden(const Option *option, const void *base) {
    return option->secret &&
           endpoint_proxy_has_user(*(char *const *)(const void *)((const char *)base + option->offset));
}

/* An unset option means "do not touch", or the top level's, which no value says. */
static bool is_unset(const Option *option, const void *base) {
    const void *slot = (const char *)base + option->offset;

    switch (option->kind) {
    case OPTION_TEXT: return !*(char *const *)slot;
    case OPTION_SWITCH: return *(const Switch *)slot == SWITCH_UNSET;
    case OPTION_LIST:
        return option->inherits && !((const StringList *)slot)->all && !((const StringList *)slot)->items;
    case OPTION_WORD: return option->inherits && *(const int *)slot == (int)option->number;
    case OPTION_WORDS: return option->inherits && *(const uint32_t *)slot == option->number;
    case OPTION_ACCOUNTS: return ((const Config *)base)->n_accounts == 0;
    case OPTION_GROUP:
        return text_equal(option->name, "organization") && !((const Config *)base)->organization.role_name;
    default: return false;
    }
}

static void put_accounts(FILE *out, const Config *config) {
    fputc('(', out);
    for (size_t i = 0; i < config->n_accounts; i++) {
        fprintf(out, "%s\n  { ", i == 0 ? "" : ",");
        for (size_t k = 0; k < config_n_options; k++) {
            const Option *option = &config_options[k];

            if (option->scope != SCOPE_ACCOUNT || is_unset(option, &config->accounts[i]))
                continue;
            fprintf(out, "%s = ", strchr(option->name, '.') + 1);
            put_value(out, option, &config->accounts[i]);
            fputs("; ", out);
        }
        fputc('}', out);
    }
    fputs("\n)", out);
}

static void put_unset(FILE *out, const Option *option) {
    fprintf(out, "# %s is not set\n", option->name);
    for (size_t i = 0; i < config_n_options; i++)
        if (is_member(&config_options[i], option))
            fprintf(out, "# %s is not set\n", config_options[i].name);
}

static void put_group(FILE *out, const Option *group, const Config *config) {
    fprintf(out, "%s = {\n", group->name);
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];

        if (!is_member(option, group))
            continue;
        if (is_unset(option, config)) {
            fprintf(out, "  # %s is not set\n", option->name);
            continue;
        }
        if (is_hidden(option, config)) {
            fprintf(out, "  # %s is set, and holds a password that is not shown\n", option->name);
            continue;
        }
        fprintf(out, "  %s = ", strchr(option->name, '.') + 1);
        put_value(out, option, config);
        fputs(";\n", out);
    }
    fputs("};\n", out);
}

int config_dump(const Config *config, FILE *out) {
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];

        if (strchr(option->name, '.'))
            continue; /* put by its group */
        if (is_unset(option, config))
            put_unset(out, option);
        else if (option->kind == OPTION_GROUP)
            put_group(out, option, config);
        else {
            fprintf(out, "%s = ", option->name);
            put_value(out, option, config);
            fputs(";\n", out);
        }
    }
    return ferror(out) ? -EIO : 0;
}
