/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config/config_private.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "daemon/core/scope.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define FOUND_MAX 88
#define LIST_MAX  800
#define DAYS_MAX  30 /* of a maintenance window */

/* ---- what is wrong ---- */

/* The value found: "text" (escaped, shortened), a number, true, or what kind of thing it is. */
static const char *found(char dst[static FOUND_MAX], const config_setting_t *setting) {
    char show[FOUND_MAX - 2];

    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        (void)text_escaped(show, sizeof(show), config_setting_get_string(setting));
        (void)snprintf(dst, FOUND_MAX, "\"%s\"", show);
        break;
    case CONFIG_TYPE_INT: (void)snprintf(dst, FOUND_MAX, "%d", config_setting_get_int(setting)); break;
    case CONFIG_TYPE_INT64: (void)snprintf(dst, FOUND_MAX, "%lld", config_setting_get_int64(setting)); break;
    case CONFIG_TYPE_FLOAT: (void)snprintf(dst, FOUND_MAX, "%g", config_setting_get_float(setting)); break;
    case CONFIG_TYPE_BOOL: return config_setting_get_bool(setting) ? "true" : "false";
    case CONFIG_TYPE_GROUP: return "a group";
    case CONFIG_TYPE_ARRAY: return config_setting_length(setting) ? "an array" : "an empty array";
    case CONFIG_TYPE_LIST: return config_setting_length(setting) ? "a list" : "an empty list";
    default: return "this";
    }
    return dst;
}

/* "; did you mean "observe"?"; a text that may be a secret is near to nothing. */
#define MEANT_MAX 96
static const char *meant(char dst[static MEANT_MAX], const config_setting_t *setting, const Option *option) {
    const char *text = option->secret ? NULL : config_setting_get_string(setting),
               *nearest = text ? config_nearest(option, text) : NULL;

    dst[0] = '\0';
    if (nearest && !text_equal(nearest, text)) /* the word is right, its place is not */
        (void)snprintf(dst, MEANT_MAX, " did you mean \"%s\"?", nearest);
    return dst;
}

static int refuse_value(Reading *r, const config_setting_t *setting, const Option *option,
                        const char *allowed) {
    char dst[FOUND_MAX], near[MEANT_MAX];

    return config_refuse_value(r, setting, "%s: %s cannot be used;%s allowed: %s", option->name,
                               option->secret ? "\"...\"" : found(dst, setting), meant(near, setting, option),
                               allowed);
}

/* The worse of two results: out of memory ends the reading, a mistake does not. */
static int worse_of(int a, int b) {
    return a == -ENOMEM || b == 0 ? a : b;
}

/* Adds to a list of what is allowed: a, b, c. */
static void list_add(char list[static LIST_MAX], const char *quote, const char *item) {
    size_t used = strlen(list);

    (void)snprintf(list + used, LIST_MAX - used, "%s%s%s%s", used == 0 ? "" : ", ", quote, item, quote);
}

static int find_word(const char *const *words, const char *text) {
    for (int i = 0; text && words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

static int refuse_word(Reading *r, const config_setting_t *setting, const Option *option) {
    bool one = option->kind == OPTION_WORD;
    char list[LIST_MAX] = "", allowed[LIST_MAX + 32];

    for (size_t i = 0; option->words[i]; i++)
        list_add(list, "\"", option->words[i]);
    (void)snprintf(allowed, sizeof(allowed), "%s%s%s", one ? "" : "an array of ", list,
                   one ? "" : ", each once");
    return refuse_value(r, setting, option, allowed);
}

/* ---- values ---- */

static int set_text(Reading *r, const config_setting_t *setting, const Option *option, char **slot) {
    const char *text = config_setting_get_string(setting), *allowed = option->check(text ? text : "");

    if (!text || allowed)
        return refuse_value(r, setting, option, allowed ? allowed : "a text, \"\" for none");
    free(*slot);
    *slot = strdup(text);
    return *slot ? 0 : -ENOMEM;
}

/* A number or true in quotation marks: what to write. NULL: that is not what it is. */
static const char *unquoted(char dst[static MEANT_MAX], const config_setting_t *setting, const char *chars) {
    const char *text = config_setting_get_string(setting);
    size_t n = text ? strspn(text, chars) : 0;

    if (n == 0 || n > 10 || text[n])
        return "";
    (void)snprintf(dst, MEANT_MAX, ", without quotation marks: %s", text);
    return dst;
}

static int set_number(Reading *r, const config_setting_t *setting, const Option *option, unsigned *slot) {
    int type = config_setting_type(setting);
    long long value =
            type == CONFIG_TYPE_INT64 ? config_setting_get_int64(setting) : config_setting_get_int(setting);
    bool zero_is_off = option->min == 0 || option->off;
    char allowed[240], dst[MEANT_MAX];

    (void)snprintf(allowed, sizeof(allowed), "a whole number, %s%u..%u%s%s", zero_is_off ? "0 (off) or " : "",
                   MAX(option->min, 1U), option->max, option->unit, unquoted(dst, setting, "0123456789"));
    if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || value > option->max ||
        (value < option->min && !(zero_is_off && value == 0)))
        return refuse_value(r, setting, option, allowed);
    *slot = (unsigned)value;
    return 0;
}

/* BOOL, SWITCH and PIN_BOOL. */
static int set_bool(Reading *r, const config_setting_t *setting, const Option *option, void *slot) {
    bool on = config_setting_get_bool(setting);

    if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
        char allowed[160], dst[MEANT_MAX];

        (void)snprintf(allowed, sizeof(allowed), "true, false%s", unquoted(dst, setting, "truefalsTRUEFALS"));
        return refuse_value(r, setting, option, allowed);
    }
    if (option->kind == OPTION_BOOL)
        *(bool *)slot = on;
    else if (option->kind == OPTION_SWITCH)
        *(Switch *)slot = on ? SWITCH_ON : SWITCH_OFF;
    else {
        free(*(char **)slot);
        *(char **)slot = strdup(on ? "true" : "false");
        return *(char **)slot ? 0 : -ENOMEM;
    }
    return 0;
}

static int set_word(Reading *r, const config_setting_t *setting, const Option *option, int *slot) {
    int index = find_word(option->words, config_setting_get_string(setting));

    if (index < 0)
        return refuse_word(r, setting, option);
    *slot = index + (int)option->min;
    return 0;
}

static int set_words(Reading *r, const config_setting_t *setting, const Option *option, uint32_t *slot) {
    uint32_t bits = 0;
    int e = 0;

    if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
        return refuse_word(r, setting, option);
    for (int i = 0; i < config_setting_length(setting); i++) {
        const config_setting_t *item = config_setting_get_elem(setting, (unsigned)i);
        int index = find_word(option->words, config_setting_get_string(item));

        if (index < 0 || bits & 1U << index)
            e = refuse_word(r, item, option);
        else
            bits |= 1U << index;
    }
    *slot = bits;
    return e;
}

static int set_time(Reading *r, const config_setting_t *setting, const Option *option, uint64_t *slot) {
    const char *text = config_setting_get_string(setting);
    uint64_t usec;

    if (!text || timetext_parse_iso(text, &usec) < 0 || usec % USEC_PER_SEC != 0)
        return refuse_value(r, setting, option,
                            "a time with its zone, \"2026-11-24T22:00:00Z\" or "
                            "\"2026-11-24T23:00:00+01:00\"");
    *slot = usec;
    return 0;
}

static int set_shard(Reading *r, const config_setting_t *setting, const Option *option, Shard *slot) {
    const char *text = config_setting_get_string(setting);
    char allowed[100];

    (void)snprintf(allowed, sizeof(allowed),
                   "\"NUMBER/TOTAL\", such as \"2/5\": TOTAL 1..%u, NUMBER 1..TOTAL", option->max);
    return text && shard_parse(text, slot) ? 0 : refuse_value(r, setting, option, allowed);
}

static int add_item(Reading *r, const config_setting_t *setting, const Option *option, StringList *list) {
    const char *text = config_setting_get_string(setting), *allowed = option->check(text ? text : "");
    char dst[FOUND_MAX];

    if (!text || allowed)
        return refuse_value(r, setting, option, allowed ? allowed : "a text");
    for (size_t i = 0; !option->repeats && i < list->n; i++)
        if (text_equal(list->items[i], text))
            return config_refuse_value(r, setting, "%s: %s is listed twice", option->name, found(dst, setting));
    list->items[list->n] = strdup(text);
    return list->items[list->n++] ? 0 : -ENOMEM;
}

static int set_list(Reading *r, const config_setting_t *setting, const Option *option, StringList *list) {
    const char *text = config_setting_get_string(setting), *or_all = option->all ? ", or \"all\"" : "";
    int n = config_setting_length(setting), e = 0;
    char dst[FOUND_MAX];

    if (text && option->all && strcmp(text, "all") == 0) {
        list->all = true;
        return 0;
    }
    if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
        return config_refuse_value(r, setting, "%s: %s cannot be used; allowed: an array [ \"...\" ]%s",
                                   option->name, found(dst, setting), or_all);
    if (n > CONFIG_LIST_MAX || (n == 0 && option->all))
        return config_refuse_value(r, setting, "%s: %d entries; allowed: 1 to %d%s", option->name, n, CONFIG_LIST_MAX,
                      or_all);
    list->all = false;
    list->items = calloc((size_t)n + 1, sizeof(*list->items));
    if (!list->items)
        return -ENOMEM;
    for (int i = 0; e != -ENOMEM && i < n; i++)
        e = worse_of(e, add_item(r, config_setting_get_elem(setting, (unsigned)i), option, list));
    return e;
}

/* ---- groups that cannot stand beside those before them ---- */

/* Both texts are there and say the same. */
static bool same(const char *a, const char *b) {
    return a && b && text_equal(a, b);
}

/* Two roles of one account would be the same targets twice. */
static bool same_account(const char *role_a, const char *role_b) {
    Arn a, b;

    return role_a && role_b && arn_parse(role_a, &a) >= 0 && arn_parse(role_b, &b) >= 0 &&
           text_equal(a.account, b.account);
}

static int account_added(Reading *r, const config_setting_t *group) {
    const Config *config = r->config;
    const AccountConfig *last = &config->accounts[config->n_accounts - 1];
    const char *clash = NULL;

    if (!last->role_arn && (last->external_id || last->session_name))
        clash = "external_id and session_name belong to a role; allowed: with role_arn";
    for (const AccountConfig *other = config->accounts; !clash && other < last; other++)
        if (!last->role_arn && !other->role_arn)
            clash = "two groups without role_arn; allowed: one, for the base credentials' own account";
        else if (same_account(last->role_arn, other->role_arn))
            clash = "this role's account is listed twice; allowed: each account once";
        else if (same(last->name, other->name))
            clash = "this name is given twice; allowed: each name once";
    return clash ? config_refuse(r, group, "accounts: %s", clash) : 0;
}

/* Members that one type alone has. */
static const struct {
    const char *name;
    ChannelType type;
    size_t offset; /* of a char *, or of the items of a list: NULL when not given */
} channel_members[] = {
    { "topic_arn", CHANNEL_SNS, offsetof(ChannelConfig, topic_arn) },
    { "url", CHANNEL_WEBHOOK, offsetof(ChannelConfig, url) },
    { "url_file", CHANNEL_WEBHOOK, offsetof(ChannelConfig, url_file) },
    { "secret_file", CHANNEL_WEBHOOK, offsetof(ChannelConfig, secret_file) },
    { "command", CHANNEL_COMMAND, offsetof(ChannelConfig, command.items) },
    { "urls", CHANNEL_ALERTMANAGER, offsetof(ChannelConfig, urls.items) },
};

/* What a webhook needs, NULL when it has it. */
static const char *webhook_lacks(const ChannelConfig *channel) {
    bool keyed = channel->format == ALERT_FORMAT_PAGERDUTY || channel->format == ALERT_FORMAT_OPSGENIE;

    if (channel->url && channel->url_file)
        return "url and url_file; allowed: one of them";
    if (keyed && !channel->secret_file)
        return "this format needs secret_file = \"...\", the file with the receiver's key";
    if (!keyed && !channel->url && !channel->url_file)
        return "type \"webhook\" needs url = \"https://...\" or url_file = \"...\"";
    if ((channel->format == ALERT_FORMAT_SLACK || channel->format == ALERT_FORMAT_TEAMS) &&
        channel->secret_file)
        return "secret_file: this format has no key; its URL is the secret: put it into url_file";
    return NULL;
}

static const char *channel_lacks(const ChannelConfig *channel) {
    switch (channel->type) {
    case CHANNEL_SNS: return channel->topic_arn ? NULL : "type \"sns\" needs topic_arn = \"arn:...\"";
    case CHANNEL_WEBHOOK: return webhook_lacks(channel);
    case CHANNEL_COMMAND:
        return channel->command.n > 0 && channel->command.items[0][0] == '/'
                       ? NULL
                       : "type \"command\" needs command = [ \"/PATH/PROGRAM\", \"ARGUMENT\", ... ]; no "
                         "shell reads it";
    case CHANNEL_ALERTMANAGER:
        if (!channel->filter.resolved)
            return "resolved = false: Alertmanager must hear when an alert is over";
        return channel->urls.n > 0 ? NULL
                                   : "type \"alertmanager\" needs urls = [ \"https://HOST:9093\", ... ]";
    case _CHANNEL_TYPE_MAX: break;
    }
    return "a channel needs a type; allowed: type = \"sns\", \"webhook\", \"command\" or \"alertmanager\"";
}

/* Two channels of one name would share their receipts. */
static int refuse_same_channel(Reading *r, const config_setting_t *group, const ChannelConfig *last) {
    _cleanup_free_ char *key = config_channel_key(last);

    for (const ChannelConfig *other = r->config->channels; key && other < last; other++) {
        _cleanup_free_ char *before = config_channel_key(other);

        if (!before)
            return -ENOMEM;
        if (text_equal(key, before) && last->topic_arn && !last->name)
            return config_refuse(r, group, "alerts: this topic is listed twice");
        if (text_equal(key, before))
            return config_refuse(
                    r, group,
                    "alerts: two channels are \"%.100s\"; allowed: each with a name = \"...\" of its own",
                    key);
    }
    return key ? 0 : -ENOMEM;
}

static int channel_added(Reading *r, const config_setting_t *group) {
    ChannelConfig *last = &r->config->channels[r->config->n_channels - 1];
    const char *lacks = channel_lacks(last);

    for (size_t i = 0; last->type != _CHANNEL_TYPE_MAX && i < ARRAY_SIZE(channel_members); i++)
        if (channel_members[i].type != last->type &&
            *(void *const *)(const void *)((const char *)last + channel_members[i].offset))
            return config_refuse(r, group, "alerts: %s does not belong to this type", channel_members[i].name);
    if (lacks)
        return config_refuse(r, group, "alerts: %s", lacks);
    for (size_t i = 0; i < last->events.n; i++)
        last->filter.events |= config_events_named(last->events.items[i]);
    last->filter.keeps_incidents =
            last->type == CHANNEL_ALERTMANAGER ||
            (last->type == CHANNEL_WEBHOOK &&
             (last->format == ALERT_FORMAT_PAGERDUTY || last->format == ALERT_FORMAT_OPSGENIE));
    return refuse_same_channel(r, group, last);
}

static int window_added(Reading *r, const config_setting_t *group) {
    const MaintenanceConfig *last = &r->config->maintenance[r->config->n_maintenance - 1];

    if (last->from_usec == 0 || last->until_usec == 0)
        return config_refuse(r, group, "maintenance: needs from and until: a window ends by itself");
    if (last->until_usec <= last->from_usec ||
        last->until_usec - last->from_usec > DAYS_MAX * 86400 * USEC_PER_SEC)
        return config_refuse(r, group, "maintenance: until: allowed: after from, by at most %d days", DAYS_MAX);
    return 0;
}

/* Without a trail it is for all, at most once. */
static int expect_added(Reading *r, const config_setting_t *group) {
    Config *config = r->config;
    TrailExpect *last = &config->trail_expects[config->n_trail_expects - 1];

    for (const TrailExpect *other = config->trail_expects; last->trail && other < last; other++)
        if (text_equal(other->trail, last->trail))
            return config_refuse(r, group, "expect: trail \"%.100s\" has two groups", last->trail);
    if (last->trail)
        return 0;
    if (r->expects_all)
        return config_refuse(r, group, "expect: two groups without trail: one is for all");
    r->expects_all = true;
    config->expect = last->expect;
    *last = (TrailExpect){ 0 };
    config->n_trail_expects--;
    return 0;
}

static int (*const group_added[_OPTION_SCOPE_MAX])(Reading *r, const config_setting_t *group) = {
    [SCOPE_ACCOUNT] = account_added,
    [SCOPE_CHANNEL] = channel_added,
    [SCOPE_MAINTENANCE] = window_added,
    [SCOPE_EXPECT] = expect_added,
};

/* ---- the whole ---- */

static int read_group(Reading *r, const config_setting_t *group, const char *prefix, void *base);

static void set_defaults(OptionScope scope, void *base) {
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];
        void *slot = option_slot(option, base);

        if (option->scope != scope)
            continue;
        if (option->kind == OPTION_NUMBER)
            *(unsigned *)slot = option->number;
        else if (option->kind == OPTION_WORDS)
            *(uint32_t *)slot = option->number;
        else if (option->kind == OPTION_WORD)
            *(int *)slot = (int)(option->number + option->min);
        else if (option->kind == OPTION_BOOL)
            *(bool *)slot = option->number != 0;
        else if (option->kind == OPTION_LIST)
            ((StringList *)slot)->all = option->all && !option->inherits;
    }
}

static void free_options(OptionScope scope, void *base);

/* One with a mistake is left out, so that no other is compared with it. */
static int add_group(Reading *r, const config_setting_t *group, const Option *option, void *item,
                     size_t *n) {
    int e;

    set_defaults(option->members, item);
    (*n)++;
    if (!config_setting_is_group(group))
        e = config_refuse(r, group, "%s: allowed: groups %s", option->name, option->example);
    else
        e = read_group(r, group, option->name, item);
    if (e >= 0)
        e = group_added[option->members](r, group);
    if (e < 0) {
        free_options(option->members, item);
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
    char *items;

    if (!single && expect && (!config_setting_is_list(setting) || n > (int)option->max))
        return config_refuse(r, setting,
                      "expect: allowed: a group { multi_region = true; ... }, or a list of at most %u, each "
                      "for one "
                      "trail",
                      option->max);
    if (!single && (!config_setting_is_list(setting) || n < (int)option->min || n > (int)option->max))
        return config_refuse(r, setting, "%s: allowed: a list of %s%u groups %s%s", option->name,
                      option->min > 0 ? "1 to " : "at most ", option->max, option->example,
                      option->min > 0 ? "" : ", or ()");
    items = calloc((size_t)n + 1, option->size);
    if (!items)
        return -ENOMEM;
    *(char **)option_slot(option, r->config) = items;
    for (int i = 0; e != -ENOMEM && i < n; i++)
        e = worse_of(e, add_group(r, single ? setting : config_setting_get_elem(setting, (unsigned)i), option,
                                  items + *count * option->size, count));
    return e;
}

static int set_option(Reading *r, const config_setting_t *setting, const Option *option, void *base) {
    void *slot = option_slot(option, base);

    switch (option->kind) {
    case OPTION_NUMBER: return set_number(r, setting, option, slot);
    case OPTION_BOOL:
    case OPTION_SWITCH:
    case OPTION_PIN_BOOL: return set_bool(r, setting, option, slot);
    case OPTION_WORD: return set_word(r, setting, option, slot);
    case OPTION_WORDS: return set_words(r, setting, option, slot);
    case OPTION_TEXT: return set_text(r, setting, option, slot);
    case OPTION_TIME: return set_time(r, setting, option, slot);
    case OPTION_SHARD: return set_shard(r, setting, option, slot);
    case OPTION_LIST: return set_list(r, setting, option, slot);
    case OPTION_GROUPS: return read_groups(r, setting, option);
    case OPTION_GROUP: break;
    }
    if (!config_setting_is_group(setting))
        return config_refuse(r, setting, "%s: allowed: a group { ... }", option->name);
    return read_group(r, setting, option->name, base);
}

/* Where an option of that name belongs that is not one of this group, "" when nowhere. */
static const char *belongs(char dst[static MEANT_MAX], const char *name, const char *prefix) {
    const char *last = strrchr(name, '.') ? strrchr(name, '.') + 1 : name;

    dst[0] = '\0';
    for (size_t i = 0; i < config_n_options && !dst[0]; i++) {
        const char *option = config_options[i].name, *dot = strchr(option, '.');

        if (prefix[0] && !dot && text_equal(option, last))
            (void)snprintf(dst, MEANT_MAX, " it belongs outside of all groups;");
        else if (!prefix[0] && dot && text_equal(dot + 1, last))
            (void)snprintf(dst, MEANT_MAX, " it belongs to the group %.*s;", (int)(dot - option), option);
    }
    return dst;
}

static int refuse_unknown(Reading *r, const config_setting_t *setting, const char *name,
                          const char *prefix) {
    size_t skip = prefix[0] ? strlen(prefix) + 1 : 0;
    TextNearest nearest = { .text = name + skip };
    char list[LIST_MAX] = "", show[80], where[MEANT_MAX];

    for (size_t i = 0; i < config_n_options; i++) {
        const char *option = config_options[i].name;

        if (prefix[0] ? !text_starts_with(option, prefix) || option[skip - 1] != '.' : !!strchr(option, '.'))
            continue;
        list_add(list, "", option + skip);
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

/* base: what the options' offsets count in. */
static int read_group(Reading *r, const config_setting_t *group, const char *prefix, void *base) {
    int e = 0;

    for (int i = 0; e != -ENOMEM && i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem((config_setting_t *)group, (unsigned)i);
        const Option *option;
        char name[160];

        (void)snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "",
                       config_setting_name(setting));
        if (!prefix[0])
            (void)text_copy(r->topic, sizeof(r->topic), name);
        option = config_option_named(name);
        e = worse_of(e, option ? set_option(r, setting, option, base)
                               : refuse_unknown(r, setting, name, prefix));
    }
    return e;
}

/* ---- what does not fit together; an option that has a mistake of its own is not compared ---- */

static const config_setting_t *member(const config_setting_t *group, const char *name) {
    return group ? config_setting_get_member((config_setting_t *)group, name) : NULL;
}

/* A bare file name is one of systemd's credentials. */
static int resolve_file(Reading *r, const config_setting_t *setting, const char *option, char **path) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    char *joined;

    if (!*path || strchr(*path, '/'))
        return 0;
    if (!directory || !directory[0])
        return config_refuse(r, setting,
                             "%s: \"%s\" is a bare name, but there is no $CREDENTIALS_DIRECTORY; allowed: a path, "
                             "or the name of a LoadCredential= of the unit",
                             option, *path);
    joined = file_join(directory, *path);
    if (!joined)
        return -ENOMEM;
    free(*path);
    *path = joined;
    return 0;
}

static int check_files(Reading *r, const config_setting_t *root) {
    AwsConfig *aws = &r->config->aws;
    const config_setting_t *group = member(root, "aws");
    int e = resolve_file(r, member(group, "credentials_file"), "aws.credentials_file", &aws->credentials_file);

    return worse_of(e, resolve_file(r, member(group, "config_file"), "aws.config_file", &aws->config_file));
}

/* What kind of host an endpoint of one's own is, is known to whoever names it. */
static int check_endpoint(Reading *r, const config_setting_t *root) {
    const AwsConfig *aws = &r->config->aws;
    const char *name = aws->use_fips == SWITCH_ON        ? "use_fips"
                       : aws->use_dualstack == SWITCH_ON ? "use_dualstack"
                                                         : NULL;

    if (!name || !aws->endpoint_url)
        return 0;
    return config_refuse(r, member(member(root, "aws"), name),
                         "aws.%s: cannot be combined with aws.endpoint_url; name an endpoint of that kind there, or "
                         "leave endpoint_url out",
                         name);
}

/* AWS refuses the combination; what is pinned for a trail lies over what is pinned for all. */
static bool regions_clash(const Config *config, const Settings *pins) {
    const Settings *all = &config->expect.pins;
    const char *multi = pins->values[FIELD_MULTI_REGION], *global = pins->values[FIELD_GLOBAL_EVENTS];

    multi = multi ? multi : all->values[FIELD_MULTI_REGION];
    global = global ? global : all->values[FIELD_GLOBAL_EVENTS];
    return text_equal(multi, "true") && text_equal(global, "false");
}

static int check_regions(Reading *r, const config_setting_t *root) {
    const Config *config = r->config;
    bool clash = regions_clash(config, &config->expect.pins);

    for (size_t i = 0; !clash && i < config->n_trail_expects; i++)
        clash = regions_clash(config, &config->trail_expects[i].expect.pins);
    return clash ? config_refuse(r, member(root, "expect"),
                                 "expect: a trail of all regions records global events too; allowed: global_events = "
                                 "true with multi_region = true")
                 : 0;
}

static int check_intervals(Reading *r, const config_setting_t *root) {
    Config *config = r->config;

    if (config->settings_interval_sec >= config->poll_interval_sec || !config_is_clean(r, "poll_interval"))
        return 0;
    if (member(root, "settings_interval"))
        return config_refuse_value(r, member(root, "settings_interval"),
                                   "settings_interval: allowed: poll_interval (%u) to 86400 seconds",
                                   config->poll_interval_sec);
    config->settings_interval_sec = config->poll_interval_sec;
    return 0;
}

static int check_alerts(Reading *r, const config_setting_t *root) {
    return member(root, "alerts")
                   ? 0
                   : config_refuse(r, NULL,
                                   "alerts: missing; allowed: alerts = ( { type = \"sns\"; topic_arn = "
                                   "\"arn:...\"; } ); or alerts = (); for none");
}

static int check_organization(Reading *r, const config_setting_t *root) {
    return !member(root, "organization") || r->config->organization.role_name
                   ? 0
                   : config_refuse(r, member(root, "organization"),
                                   "organization: needs role_name = \"...\", the role to assume in every account");
}

static int check_shard(Reading *r, const config_setting_t *root) {
    const Config *config = r->config;

    return config->shard.total == 0 || config->organization.role_name || config->n_accounts > 0 ||
                           !config_is_clean(r, "organization") || !config_is_clean(r, "accounts")
                   ? 0
                   : config_refuse(r, member(root, "shard"),
                                   "shard: there are no accounts to split; allowed: with organization or accounts");
}

static int check_heartbeat(Reading *r, const config_setting_t *root) {
    const HeartbeatConfig *heartbeat = &r->config->heartbeat;

    return !member(root, "heartbeat") || !heartbeat->url != !heartbeat->url_file
                   ? 0
                   : config_refuse(r, member(root, "heartbeat"),
                                   "heartbeat: needs url = \"https://...\" or url_file = \"...\"; allowed: one of "
                                   "them");
}

static int check_whole(Reading *r, const config_setting_t *root) {
    static const struct {
        const char *topic;
        int (*check)(Reading *r, const config_setting_t *root);
    } checks[] = {
        { "alerts", check_alerts },       { "organization", check_organization },
        { "shard", check_shard },         { "heartbeat", check_heartbeat },
        { "aws", check_endpoint },        { "aws", check_files },
        { "expect", check_regions },      { "settings_interval", check_intervals },
    };
    int e = 0;

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        if (!config_is_clean(r, checks[i].topic))
            continue;
        (void)text_copy(r->topic, sizeof(r->topic), "");
        e = worse_of(e, checks[i].check(r, root));
    }
    return e;
}

/* Each value of libconfig's tree knows where it stands in the text. Returns the number behind the last. */
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

/* The text, read into r->config. */
static int read_file(Reading *r, const char *text, size_t len) {
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
        e = worse_of(e, check_whole(r, config_root_setting(&file)));
    }
    config_destroy(&file);
    strbuf_done(&readable);
    return e < 0 ? e : r->n_mistakes > 0 ? -EINVAL : 0;
}

int config_parse(const char *path, const char *text, size_t len, Config **ret,
                 char error[static CONFIG_ERROR_MAX]) {
    Reading r = { .config = calloc(1, sizeof(Config)),
                  .mistakes = calloc(CONFIG_MISTAKES_MAX, sizeof(Mistake)) };
    int e = -ENOMEM;

    error[0] = '\0';
    if (r.config && r.mistakes && (r.config->path = strdup(path))) {
        set_defaults(SCOPE_FILE, r.config);
        e = read_file(&r, text, len);
    }
    if (e == -EINVAL)
        config_show_mistakes(&r, path, error);
    else if (e < 0)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%.200s: %s", path, strerror(-e));
    free(r.mistakes);
    free(r.positions);
    if (e < 0)
        config_free(r.config);
    else
        *ret = r.config;
    return e;
}

int config_load(const char *path, Config **ret, char error[static CONFIG_ERROR_MAX]) {
    _cleanup_free_ char *text = NULL;
    uint64_t modified_usec = 0;
    size_t len;
    int r;

    /* before it is read: a change in between then shows as one that came later */
    (void)file_modified(path, &modified_usec);
    r = file_read(path, CONFIG_SIZE_MAX, &text, &len);

    if (r == -E2BIG)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: larger than %d bytes", path, CONFIG_SIZE_MAX);
    else if (r == -EACCES || r == -EPERM)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: user id %u may not read it", path, (unsigned)geteuid());
    else if (r < 0)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: %s", path,
                       r == -EINVAL ? "not a regular file" : strerror(-r));
    if (r >= 0)
        r = config_parse(path, text, len, ret, error);
    if (r >= 0)
        (*ret)->modified_usec = modified_usec;
    return r;
}

static void free_list(StringList *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
}

static void free_groups(const Option *option, Config *config) {
    char *items = *(char **)option_slot(option, config);
    size_t n = *(size_t *)(void *)((char *)config + option->n_offset);

    for (size_t i = 0; i < n; i++)
        free_options(option->members, items + i * option->size);
    free(items);
}

static void free_options(OptionScope scope, void *base) {
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];
        void *slot = option_slot(option, base);

        if (option->scope != scope)
            continue;
        if (option->kind == OPTION_TEXT || option->kind == OPTION_PIN_BOOL) {
            if (option->secret && *(char **)slot)
                hash_wipe(*(char **)slot, strlen(*(char **)slot));
            free(*(char **)slot);
        } else if (option->kind == OPTION_LIST)
            free_list(slot);
        else if (option->kind == OPTION_GROUPS)
            free_groups(option, base);
    }
}

void config_free(Config *config) {
    if (!config)
        return;
    free_options(SCOPE_FILE, config);
    settings_done(&config->expect.pins);
    free(config->path);
    free(config);
}

/* ---- what a channel is called ---- */

static char *make_key(const char *type, const char *name, size_t len) {
    char *key;

    return asprintf(&key, "%s:%.*s", type, (int)len, name) < 0 ? NULL : key;
}

char *config_channel_key(const ChannelConfig *channel) {
    static const char *const types[_CHANNEL_TYPE_MAX] = { "sns", "webhook", "command", "alertmanager" };
    const char *type = types[channel->type],
               *url = channel->urls.items ? channel->urls.items[0] : channel->url;
    const char *host = url ? strstr(url, "://") : NULL;
    const char *file = channel->url_file        ? channel->url_file
                       : channel->command.items ? channel->command.items[0]
                                                : alert_format_to_string(channel->format);
    const char *slash = strrchr(file, '/');

    if (channel->name || channel->topic_arn)
        return make_key(type, channel->name ? channel->name : channel->topic_arn, ARN_MAX);
    if (host)
        return make_key(type, host + strlen("://"), strcspn(host + strlen("://"), "/?"));
    return make_key(type, slash ? slash + 1 : file, ARN_MAX);
}

/* ---- what holds in an account ---- */

Policy config_policy(const Config *config) {
    return (Policy){
        .mode = config->mode,
        .unreachable_after = config->unreachable_after,
        .reminder_interval_usec = config->reminder_interval_sec * USEC_PER_SEC,
        .restore = config->restore,
        .max_restores_per_hour = config->max_restores_per_hour,
        .stale_after_usec = config->stale_after_sec * USEC_PER_SEC,
        .attribution = config->attribution,
        .trust_new = config->trust_new,
    };
}

static bool is_set(const StringList *list) {
    return list->all || list->items;
}

const StringList *config_account_regions(const Config *config, const AccountConfig *account) {
    return account && is_set(&account->regions) ? &account->regions : &config->regions;
}

const StringList *config_account_trails(const Config *config, const AccountConfig *account) {
    return account && is_set(&account->trails) ? &account->trails : &config->trails;
}

Policy config_account_policy(const Config *config, const AccountConfig *account) {
    Policy policy = config_policy(config);

    if (account && account->mode != _MODE_MAX)
        policy.mode = account->mode;
    if (account && account->restore != CONFIG_RESTORE_UNSET)
        policy.restore = account->restore;
    return policy;
}

/* ---- what holds for a trail ---- */

static int lay_over(const Expect *over, Expect *ret) {
    int r = 0;

    for (Field f = 0; r >= 0 && f <= SETTING_BUCKET_OWNER; f++)
        if (over->pins.values[f])
            r = settings_set(&ret->pins, f, over->pins.values[f]);
    if (over->management_events != MANAGEMENT_NOT_PINNED)
        ret->management_events = over->management_events;
    return r;
}

static int lay_over_named(const Config *config, const char *trail, Expect *ret) {
    for (size_t i = 0; i < config->n_trail_expects; i++)
        if (text_equal(config->trail_expects[i].trail, trail))
            return lay_over(&config->trail_expects[i].expect, ret);
    return 0;
}

int config_expect_of(const Config *config, const char *name, const char *arn, Expect *ret) {
    Expect expect = { .management_events = MANAGEMENT_NOT_PINNED };
    int r = lay_over(&config->expect, &expect);

    if (r >= 0)
        r = lay_over_named(config, name, &expect);
    if (r >= 0)
        r = lay_over_named(config, arn, &expect);
    if (r < 0) {
        settings_done(&expect.pins);
        return r;
    }
    *ret = expect;
    return 0;
}

static bool is_open(const MaintenanceConfig *window, const char *name, const char *arn, uint64_t now_usec) {
    if (now_usec < window->from_usec || now_usec >= window->until_usec)
        return false;
    return !window->trail || text_equal(window->trail, name) || text_equal(window->trail, arn);
}

const MaintenanceConfig *config_maintenance_at(const Config *config, const char *name, const char *arn,
                                               uint64_t now_real_usec) {
    const MaintenanceConfig *best = NULL;

    for (size_t i = 0; i < config->n_maintenance; i++) {
        const MaintenanceConfig *window = &config->maintenance[i];

        if (!is_open(window, name, arn, now_real_usec))
            continue;
        if (!best || window->stop_allowed > best->stop_allowed ||
            (window->stop_allowed == best->stop_allowed && window->until_usec > best->until_usec))
            best = window;
    }
    return best;
}
