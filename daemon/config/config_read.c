/* SPDX-License-Identifier: Apache-2.0 */
/* Reads libconfig's tree of a file into a Config. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "lib/util/text.h"

#define HINT_MAX 96

/* Names what was found in place of a group. A string is not shown: it may be the URL that belongs inside the
 * group. */
static const char *kind_of(const config_setting_t *setting) {
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING: return "a text";
    case CONFIG_TYPE_BOOL: return "true or false";
    case CONFIG_TYPE_GROUP: return "a group";
    case CONFIG_TYPE_ARRAY: return "an array";
    case CONFIG_TYPE_LIST: return config_setting_length(setting) > 0 ? "a list" : "an empty list";
    default: return "a number";
    }
}

static int read_group(Reading *r, const config_setting_t *group, const char *prefix, void *base);

/* Drops a group that has an error, so that no later group is compared with it. */
static int add_group(Reading *r, const config_setting_t *group, const Option *option, void *item,
                     size_t *n) {
    int e;

    config_set_defaults(option->members, item);
    (*n)++;
    if (!config_setting_is_group(group))
        e = config_refuse(r, group, "%s: %s cannot be used; allowed: groups %s", option->name,
                          kind_of(group), option->example);
    else
        e = read_group(r, group, option->name, item);
    if (e >= 0)
        e = config_check_group(r, group, option->members);
    if (e < 0) {
        config_free_options(option->members, item);
        memset(item, 0, option->size);
        (*n)--;
    }
    return e;
}

static int read_groups(Reading *r, const config_setting_t *setting, const Option *option) {
    size_t *count = (size_t *)(void *)((char *)r->config + option->n_offset);
    bool expect = option->members == SCOPE_EXPECT,
         single = expect && config_setting_is_group(setting) && !config_setting_get_member(setting, "trail");
    int n = single ? 1 : config_setting_length(setting), e = 0;
    char *items, allowed[CONFIG_GROUPS_MAX];

    if (!single && expect && (!config_setting_is_list(setting) || n > (int)option->max))
        return config_refuse(
                r, setting,
                "expect: %s cannot be used; allowed: a group { multi_region = true; ... }, or a list of "
                "at most %u, each for one trail",
                kind_of(setting), option->max);
    if (!single && (!config_setting_is_list(setting) || n < (int)option->min || n > (int)option->max))
        return config_refuse(r, setting, "%s: %s cannot be used; allowed: %s", option->name,
                             kind_of(setting), config_groups_allowed(allowed, option));
    config_free_option(option, r->config); /* given twice: the second is read too */
    if (expect)
        r->expects_all = false;
    items = calloc((size_t)n + 1, option->size);
    if (!items)
        return -ENOMEM;
    *(char **)option_slot(option, r->config) = items;
    for (int i = 0; e != -ENOMEM && i < n; i++)
        e = config_worse_of(e, add_group(r, single ? setting : config_setting_get_elem(setting, (unsigned)i),
                                         option, items + *count * option->size, count));
    return e;
}

static int set_option(Reading *r, const config_setting_t *setting, const Option *option, void *base) {
    if (option->kind == OPTION_GROUPS)
        return read_groups(r, setting, option);
    if (option->kind != OPTION_GROUP)
        return config_set_value(r, setting, option, option_slot(option, base));
    if (!config_setting_is_group(setting))
        return config_refuse(r, setting, "%s: %s cannot be used; allowed: a group { ... }", option->name,
                             kind_of(setting));
    return read_group(r, setting, option->name, base);
}

/* Returns a hint about the group that the option belongs to, or "" when there is none. */
static const char *belongs(char dst[static HINT_MAX], const char *name, const char *prefix) {
    const char *last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;

    dst[0] = '\0';
    for (size_t i = 0; i < config_n_options && !dst[0]; i++) {
        const char *option = config_options[i].name, *dot = strchr(option, '.');

        if (prefix[0] && !dot && text_equal(option, last))
            (void)snprintf(dst, HINT_MAX, " it belongs outside of all groups;");
        else if (!prefix[0] && dot && text_equal(dot + 1, last))
            (void)snprintf(dst, HINT_MAX, " it belongs to the group %.*s;", (int)(dot - option), option);
    }
    return dst;
}

static int refuse_unknown(Reading *r, const config_setting_t *setting, const char *name,
                          const char *prefix) {
    size_t skip = prefix[0] ? strlen(prefix) + 1 : 0;
    TextNearest nearest = { .text = name + skip };
    char list[CONFIG_WORDS_MAX] = "", show[80], where[HINT_MAX];

    for (size_t i = 0; i < config_n_options; i++) {
        const char *option = config_options[i].name;

        if (prefix[0] ? !text_starts_with(option, prefix) || option[skip - 1] != '.' : !!strchr(option, '.'))
            continue;
        config_list_add(list, "", option + skip);
        text_nearest(&nearest, option + skip);
    }
    (void)belongs(where, name, prefix);
    if (nearest.best && !where[0])
        (void)snprintf(where, sizeof(where), " did you mean \"%s\"?", nearest.best);
    if (nearest.best && !prefix[0])
        (void)text_copy(r->topic, sizeof(r->topic), nearest.best);
    return config_refuse(r, setting, "unknown option \"%s\";%s allowed: %s",
                         text_escaped(show, sizeof(show), name), where, list);
}

/* base is the struct that the options' offsets refer to. */
static int read_group(Reading *r, const config_setting_t *group, const char *prefix, void *base) {
    int e = 0;

    for (int i = 0; e != -ENOMEM && i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem((config_setting_t *)group, (unsigned)i);
        const Position *position = config_setting_get_hook(setting);
        bool again = position && position->again; /* libconfig has it under another name */
        const Option *option;
        char name[160];

        (void)snprintf(name, sizeof(name), "%s%s%.*s", prefix, prefix[0] ? "." : "",
                       again ? (int)MIN(position->name_len, sizeof(name)) : -1,
                       again ? position->name : config_setting_name(setting));
        if (!prefix[0])
            (void)text_copy(r->topic, sizeof(r->topic), name);
        option = config_option_named(name);
        if (option)
            e = config_worse_of(e, set_option(r, setting, option, base));
        else if (!again)
            e = config_worse_of(e, refuse_unknown(r, setting, name, prefix));
    }
    return e;
}

/* Attaches to each value of libconfig's tree its position in the text. Returns the index after the last
 * one. */
static size_t set_positions(Reading *r, config_setting_t *setting, size_t i) {
    int n = config_setting_is_aggregate(setting) ? config_setting_length(setting) : 0;

    for (int k = 0; k < n; k++) {
        config_setting_t *child = config_setting_get_elem(setting, (unsigned)k);

        if (i < r->n_positions)
            config_setting_set_hook(child, &r->positions[i]);
        i = set_positions(r, child, i + 1);
    }
    return i;
}

int config_read_text(Reading *r, const char *text, size_t len) {
    StrBuf readable = { .max = CONFIG_SIZE_MAX * 4UL, .wipe = true }; /* it may hold passwords */
    config_t file;
    int e = config_check_text(r, text, len, &readable);

    if (e < 0) {
        strbuf_done(&readable);
        return e;
    }
    config_init(&file);
    if (config_read_string(&file, strbuf_str(&readable)) != CONFIG_TRUE)
        e = config_mistake(r, (Place){ (unsigned)config_error_line(&file), 0 }, "%s; see trailguard.conf(5)",
                           config_error_text(&file));
    else {
        (void)set_positions(r, config_root_setting(&file), 0);
        e = read_group(r, config_root_setting(&file), "", r->config);
        e = config_worse_of(e, config_check_whole(r, config_root_setting(&file)));
    }
    config_destroy(&file);
    strbuf_done(&readable);
    return e < 0 ? e : r->n_mistakes > 0 ? -EINVAL : 0;
}
