/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one value of a file into its option, checks its bounds, sets defaults, and frees it. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_private.h"
#include "daemon/core/scope.h"
#include "lib/endpoint.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define FOUND_MAX 88
#define MEANT_MAX 96

/* ---- error messages ---- */

/* Formats a fraction. Always prints the decimal point, because the point is what is wrong. */
static const char *found_fraction(char dst[static FOUND_MAX], double value) {
    (void)snprintf(dst, FOUND_MAX, "%g", value);
    if (!dst[strspn(dst, "-0123456789")])
        (void)snprintf(dst, FOUND_MAX, "%g.0", value);
    return dst;
}

/* Describes the value that was found: "text" (escaped and cut), a number, a boolean, or its type. */
static const char *found(char dst[static FOUND_MAX], const config_setting_t *setting) {
    char show[FOUND_MAX - 2];

    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_STRING:
        (void)text_escaped(show, sizeof(show), config_setting_get_string(setting));
        (void)snprintf(dst, FOUND_MAX, "\"%s\"", show);
        break;
    case CONFIG_TYPE_INT: (void)snprintf(dst, FOUND_MAX, "%d", config_setting_get_int(setting)); break;
    case CONFIG_TYPE_INT64: (void)snprintf(dst, FOUND_MAX, "%lld", config_setting_get_int64(setting)); break;
    case CONFIG_TYPE_FLOAT: return found_fraction(dst, config_setting_get_float(setting));
    case CONFIG_TYPE_BOOL: return config_setting_get_bool(setting) ? "true" : "false";
    case CONFIG_TYPE_GROUP: return "a group";
    case CONFIG_TYPE_ARRAY: return config_setting_length(setting) ? "an array" : "an empty array";
    case CONFIG_TYPE_LIST: return config_setting_length(setting) ? "a list" : "an empty list";
    default: return "this";
    }
    return dst;
}

/* Returns true when the text begins or ends with a blank, often pasted along. A non-breaking one cannot be
 * seen. */
static bool has_blank_ends(const char *text) {
    static const char *const blanks[] = { " ", "\t", "\xc2\xa0", "\xe2\x80\xaf" };
    size_t n = strlen(text);

    for (size_t i = 0; i < ARRAY_SIZE(blanks); i++) {
        size_t len = strlen(blanks[i]);

        if (n >= len && (memcmp(text, blanks[i], len) == 0 || memcmp(text + n - len, blanks[i], len) == 0))
            return true;
    }
    return false;
}

/* Returns a hint such as " did you mean "observe"?". Never compares a text that may be a secret. */
static const char *meant(char dst[static MEANT_MAX], const config_setting_t *setting, const Option *option) {
    const char *text = config_setting_get_string(setting),
               *nearest = text && !option->secret ? config_nearest(option, text) : NULL;

    dst[0] = '\0';
    if (text && has_blank_ends(text))
        (void)text_copy(dst, MEANT_MAX, " it begins or ends with a blank;");
    if (nearest && !text_equal(nearest, text)) /* otherwise the word is right and only its place is wrong */
        (void)snprintf(dst, MEANT_MAX, " did you mean \"%s\"?", nearest);
    return dst;
}

static int refuse_value(Reading *r, const config_setting_t *setting, const Option *option,
                        const char *allowed) {
    char dst[FOUND_MAX], near[MEANT_MAX];

    return config_refuse_value(r, setting, "%s: %s cannot be used;%s allowed: %s", option->name,
                               option->secret ? "\"...\"" : found(dst, setting),
                               meant(near, setting, option), allowed);
}

void config_list_add(char list[static CONFIG_WORDS_MAX], const char *quote, const char *item) {
    size_t used = strlen(list);

    (void)snprintf(list + used, CONFIG_WORDS_MAX - used, "%s%s%s%s", used == 0 ? "" : ", ", quote, item,
                   quote);
}

static int find_word(const char *const *words, const char *text) {
    for (int i = 0; text && words[i]; i++)
        if (strcmp(words[i], text) == 0)
            return i;
    return -1;
}

static int refuse_word(Reading *r, const config_setting_t *setting, const Option *option) {
    bool one = option->kind == OPTION_WORD;
    char list[CONFIG_WORDS_MAX] = "", allowed[CONFIG_WORDS_MAX + 32];

    for (size_t i = 0; option->words[i]; i++)
        config_list_add(list, "\"", option->words[i]);
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

/* Returns a hint for a whole number that was written with a decimal point, or "". */
static const char *unpointed(char dst[static MEANT_MAX], const config_setting_t *setting) {
    double value = config_setting_get_float(setting);

    if (config_setting_type(setting) != CONFIG_TYPE_FLOAT || value < INT_MIN || value > INT_MAX ||
        value != (int)value)
        return "";
    (void)snprintf(dst, MEANT_MAX, ", without a decimal point: %d", (int)value);
    return dst;
}

/* Returns a hint for a number or boolean that was written in quotation marks, or "". */
static const char *unquoted(char dst[static MEANT_MAX], const config_setting_t *setting, const char *chars) {
    const char *text = config_setting_get_string(setting);
    size_t n = text ? strspn(text, chars) : 0;

    if (n == 0 || n > 10 || text[n])
        return "";
    (void)snprintf(dst, MEANT_MAX, ", without quotation marks: %s", text);
    return dst;
}

const char *config_number_allowed(char dst[static CONFIG_NUMBER_MAX], const Option *option) {
    bool zero_is_off = option->min == 0 || option->off;

    (void)snprintf(dst, CONFIG_NUMBER_MAX, "a whole number, %s%u..%u%s", zero_is_off ? "0 (off) or " : "",
                   MAX(option->min, 1U), option->max, option->unit);
    return dst;
}

const char *config_groups_allowed(char dst[static CONFIG_GROUPS_MAX], const Option *option) {
    (void)snprintf(dst, CONFIG_GROUPS_MAX, "a list of %s%u groups %s%s",
                   option->min > 0 ? "1 to " : "at most ", option->max, option->example,
                   option->min > 0 ? "" : ", or ()");
    return dst;
}

static int set_number(Reading *r, const config_setting_t *setting, const Option *option, unsigned *slot) {
    int type = config_setting_type(setting);
    long long value =
            type == CONFIG_TYPE_INT64 ? config_setting_get_int64(setting) : config_setting_get_int(setting);
    bool zero_is_off = option->min == 0 || option->off;
    char bounds[CONFIG_NUMBER_MAX], allowed[300], dst[MEANT_MAX], whole[MEANT_MAX];

    (void)snprintf(allowed, sizeof(allowed), "%s%s%s", config_number_allowed(bounds, option),
                   unquoted(dst, setting, "0123456789"), unpointed(whole, setting));
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

        (void)snprintf(allowed, sizeof(allowed), "true, false%s",
                       unquoted(dst, setting, "truefalsTRUEFALS"));
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

/* Adds a note when a region is likely mistyped. A region that matches AWS's pattern may be newer than this
 * version; one that differs from a known region in more than its number is suspicious. */
int config_note_region(Reading *r, const config_setting_t *setting, const char *name, const char *region) {
    const char *known = endpoint_region_nearest(region), *number = known ? strrchr(known, '-') : NULL;

    if (!number || strncmp(known, region, (size_t)(number - known) + 1) == 0)
        return 0;
    return config_note(r, setting, "note: %s: this version knows no region \"%s\"; did you mean \"%s\"?",
                       name, region, known);
}

/* Checks the last item of a list of names for likely mistakes. One set of credentials works in one partition
 * only. */
static int check_item(Reading *r, const config_setting_t *setting, const Option *option,
                      const StringList *list) {
    const char *text = list->items[list->n - 1];
    const Partition *first, *own;

    if (!config_is_region(option))
        return option->all && text_equal(text, "all")
                       ? config_note(r, setting,
                                     "note: %s: [ \"all\" ] is the trail named \"all\"; for every trail "
                                     "write \"all\" without brackets",
                                     option->name)
                       : 0;
    first = endpoint_partition_of(list->items[0]);
    own = endpoint_partition_of(text);
    if (first != own)
        return config_refuse_value(r, setting,
                                   "%s: \"%s\" is a region of partition %s; allowed: with \"%s\", "
                                   "regions of partition %s only",
                                   option->name, text, own->id, list->items[0], first->id);
    return config_note_region(r, setting, option->name, text);
}

static int add_item(Reading *r, const config_setting_t *setting, const Option *option, StringList *list) {
    const char *text = config_setting_get_string(setting), *allowed = option->check(text ? text : "");
    char dst[FOUND_MAX];

    if (!text || allowed)
        return refuse_value(r, setting, option, allowed ? allowed : "a text");
    if (!option->repeats && config_list_has(list, text))
        return config_refuse_value(r, setting, "%s: %s is listed twice", option->name, found(dst, setting));
    list->items[list->n] = strdup(text);
    return list->items[list->n++] ? check_item(r, setting, option, list) : -ENOMEM;
}

/* Returns a hint for a single entry without brackets, or for "all" in capitals; otherwise "". */
static const char *in_array(char dst[static MEANT_MAX], const Option *option, const char *text) {
    dst[0] = '\0';
    if (text && option->all && strcasecmp(text, "all") == 0)
        (void)text_copy(dst, MEANT_MAX, " write \"all\";");
    else if (text && text[0] && !option->check(text) && strlen(text) <= 64 && !strpbrk(text, " \t\n\r\""))
        (void)snprintf(dst, MEANT_MAX, " write [ \"%s\" ];", text);
    return dst;
}

static void free_list(StringList *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (StringList){ 0 };
}

static int set_list(Reading *r, const config_setting_t *setting, const Option *option, StringList *list) {
    const char *text = config_setting_get_string(setting), *or_all = option->all ? ", or \"all\"" : "";
    int n = config_setting_length(setting), e = 0;
    char dst[FOUND_MAX], meant_array[MEANT_MAX];

    if (text && option->all && strcmp(text, "all") == 0) {
        list->all = true;
        return 0;
    }
    if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
        return config_refuse_value(r, setting, "%s: %s cannot be used;%s allowed: an array [ \"...\" ]%s",
                                   option->name, found(dst, setting), in_array(meant_array, option, text),
                                   or_all);
    if (n > CONFIG_LIST_MAX || (n == 0 && option->all))
        return config_refuse_value(r, setting, "%s: %d entries; allowed: 1 to %d%s", option->name, n,
                                   CONFIG_LIST_MAX, or_all);
    free_list(list); /* given twice: the second is read too */
    list->items = calloc((size_t)n + 1, sizeof(*list->items));
    if (!list->items)
        return -ENOMEM;
    for (int i = 0; e != -ENOMEM && i < n; i++)
        e = config_worse_of(e, add_item(r, config_setting_get_elem(setting, (unsigned)i), option, list));
    return e;
}

int config_set_value(Reading *r, const config_setting_t *setting, const Option *option, void *slot) {
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
    case OPTION_GROUP:
    case OPTION_GROUPS: break; /* read by config_read.c */
    }
    return -EINVAL;
}

/* ---- all options of a scope ---- */

void config_set_defaults(OptionScope scope, void *base) {
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

static void free_groups(const Option *option, Config *config) {
    char **items = option_slot(option, config);
    size_t *n = (size_t *)(void *)((char *)config + option->n_offset);

    for (size_t i = 0; i < *n; i++)
        config_free_options(option->members, *items + i * option->size);
    free(*items);
    *items = NULL;
    *n = 0;
}

void config_free_option(const Option *option, void *base) {
    void *slot = option_slot(option, base);

    if (option->kind == OPTION_TEXT || option->kind == OPTION_PIN_BOOL) {
        if (option->secret && *(char **)slot)
            hash_wipe(*(char **)slot, strlen(*(char **)slot));
        free(*(char **)slot);
        *(char **)slot = NULL;
    } else if (option->kind == OPTION_LIST)
        free_list(slot);
    else if (option->kind == OPTION_GROUPS)
        free_groups(option, base);
}

void config_free_options(OptionScope scope, void *base) {
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];

        if (option->scope == scope)
            config_free_option(option, base);
    }
}
