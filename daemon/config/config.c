/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config.h"

#include <ctype.h>
#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config/config_read.h"
#include "daemon/config/config_table.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* One file being read. */
typedef struct Reading {
    Config *config;
    const char *path;
    char *error;
    bool settings_interval_given;
    unsigned settings_line;
} Reading;

static int _printf_(3, 4) refuse(Reading *r, unsigned line, const char *format, ...) {
    char what[CONFIG_ERROR_MAX];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    if (line > 0)
        (void)snprintf(r->error, CONFIG_ERROR_MAX, "%.200s:%u: %.290s", r->path, line, what);
    else
        (void)snprintf(r->error, CONFIG_ERROR_MAX, "%.200s: %.300s", r->path, what);
    return -EINVAL;
}

static unsigned line_of(const config_setting_t *setting) {
    return config_setting_source_line(setting);
}

/* Text of the file as an error may show it. */
static const char *shown(char dst[static 80], const char *text) {
    return text_escaped(dst, 80, text);
}

/* ---- values ---- */

static int set_text(Reading *r, const config_setting_t *setting, const Option *option, char **slot) {
    const char *text = config_setting_get_string(setting), *allowed;
    char found[CONFIG_FOUND];

    allowed = option->check(text ? text : "");
    if (!text || allowed)
        return refuse(r, line_of(setting), "%s: %s cannot be used; allowed: %s", option->name,
                      option->secret ? "\"...\"" : config_found(found, setting),
                      allowed ? allowed : "a text");
    free(*slot);
    *slot = strdup(text);
    return *slot ? 0 : -ENOMEM;
}

static int set_number(Reading *r, const config_setting_t *setting, const Option *option, unsigned *slot) {
    int type = config_setting_type(setting);
    long long value =
            type == CONFIG_TYPE_INT64 ? config_setting_get_int64(setting) : config_setting_get_int(setting);
    bool zero_is_off = option->min == 0 || option->off;
    char found[CONFIG_FOUND];

    if ((type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) || value > option->max ||
        (value < option->min && !(zero_is_off && value == 0)))
        return refuse(r, line_of(setting), "%s: %s cannot be used; allowed: a whole number, %s%u..%u%s",
                      option->name, config_found(found, setting), zero_is_off ? "0 (off) or " : "",
                      MAX(option->min, 1U), option->max, option->unit);
    *slot = (unsigned)value;
    return 0;
}

static int set_bool(Reading *r, const config_setting_t *setting, const Option *option, bool *slot) {
    char found[CONFIG_FOUND];

    if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
        return refuse(r, line_of(setting), "%s: %s cannot be used; allowed: true, false", option->name,
                      config_found(found, setting));
    *slot = config_setting_get_bool(setting);
    return 0;
}

static int set_switch(Reading *r, const config_setting_t *setting, const Option *option, Switch *slot) {
    bool on = false;
    int e;

    e = set_bool(r, setting, option, &on);
    if (e >= 0)
        *slot = on ? SWITCH_ON : SWITCH_OFF;
    return e;
}

static int refuse_word(Reading *r, const config_setting_t *setting, const char *name,
                       const char *const *words) {
    char list[200] = "", found[CONFIG_FOUND];
    size_t used = 0;

    for (size_t i = 0; words[i] && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", i == 0 ? "" : ", ", words[i]);
    return refuse(r, line_of(setting), "%s: %s cannot be used; allowed: %s", name,
                  config_found(found, setting), list);
}

static int set_word(Reading *r, const config_setting_t *setting, const Option *option, int *slot) {
    const char *text = config_setting_get_string(setting);
    int index = config_find_word(option->words, text);

    if (index < 0)
        return refuse_word(r, setting, option->name, option->words);
    *slot = index + (int)option->min;
    return 0;
}

static int add_item(Reading *r, const config_setting_t *setting, const Option *option, StringList *list) {
    const char *text = config_setting_get_string(setting),
               *allowed = text ? option->check(text) : option->check("");
    char show[80], found[CONFIG_FOUND];

    if (!text || allowed)
        return refuse(r, line_of(setting), "%s: %s cannot be used; allowed: %s", option->name,
                      config_found(found, setting), allowed ? allowed : "a text");
    for (size_t i = 0; i < list->n; i++)
        if (text_equal(list->items[i], text))
            return refuse(r, line_of(setting), "%s: \"%s\" is listed twice", option->name,
                          shown(show, text));
    list->items[list->n] = strdup(text);
    return list->items[list->n++] ? 0 : -ENOMEM;
}

static int set_list(Reading *r, const config_setting_t *setting, const Option *option, StringList *list) {
    const char *text = config_setting_get_string(setting);
    int n = config_setting_length(setting), e = 0;
    char found[CONFIG_FOUND];

    if (text && option->all && strcmp(text, "all") == 0) {
        list->all = true;
        return 0;
    }
    if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
        return refuse(r, line_of(setting), "%s: %s cannot be used; allowed: an array [ \"...\" ]%s",
                      option->name, config_found(found, setting), option->all ? ", or \"all\"" : "");
    if (n > CONFIG_LIST_MAX || (n == 0 && option->all))
        return refuse(r, line_of(setting), "%s: %d entries; allowed: 1 to %d%s", option->name, n,
                      CONFIG_LIST_MAX, option->all ? ", or \"all\"" : "");
    list->all = false;
    list->items = calloc((size_t)n + 1, sizeof(*list->items));
    if (!list->items)
        return -ENOMEM;
    for (int i = 0; e >= 0 && i < n; i++)
        e = add_item(r, config_setting_get_elem(setting, (unsigned)i), option, list);
    return e;
}

/* Options whose shape is their own. */
static int set_shaped(Reading *r, const config_setting_t *setting, const Option *option, void *slot) {
    ConfigFault fault = { 0 };
    int e;

    if (option->kind == OPTION_WORDS)
        e = config_read_words(setting, option, slot, &fault);
    else if (option->kind == OPTION_EXPECT)
        e = config_read_expect(setting, r->config, &fault);
    else
        e = config_read_maintenance(setting, r->config, &fault);
    return e == -EINVAL ? refuse(r, fault.line, "%s", fault.what) : e;
}

/* ---- channels ---- */

static const char *check_topic(const char *text) {
    Arn arn;

    if (arn_parse(text, &arn) == 0 && arn_is_topic(&arn))
        return NULL;
    return "the ARN of an SNS topic, such as \"arn:aws:sns:eu-central-1:111122223333:trailguard\"";
}

static int read_channel_member(Reading *r, const config_setting_t *member, ChannelConfig *channel) {
    static const Option topic = { .name = "alerts: topic_arn", .kind = OPTION_TEXT, .check = check_topic };
    static const Option severity = { .name = "alerts: min_severity", .words = config_severity_words };
    static const char *const later[] = { "url", "url_file", "secret_file", "command", NULL };
    const char *name = config_setting_name(member);
    char show[80];
    int word = 0, e;

    if (strcmp(name, "type") == 0)
        return 0;
    if (strcmp(name, "topic_arn") == 0)
        return set_text(r, member, &topic, &channel->topic_arn);
    if (strcmp(name, "min_severity") == 0) {
        e = set_word(r, member, &severity, &word);
        channel->min_severity = (Severity)word;
        return e;
    }
    if (config_find_word(later, name) >= 0)
        return refuse(r, line_of(member), "alerts: %s: not supported by this version", name);
    return refuse(r, line_of(member),
                  "alerts: unknown member \"%s\"; allowed: type, topic_arn, min_severity",
                  shown(show, name));
}

static int read_channel_type(Reading *r, const config_setting_t *group) {
    static const char *const types[] = { "sns", NULL };
    static const char *const later[] = { "webhook", "command", NULL };
    const config_setting_t *type = config_setting_get_member((config_setting_t *)group, "type");
    const char *text = type ? config_setting_get_string(type) : NULL;

    if (!type)
        return refuse(r, line_of(group), "alerts: a channel needs a type; allowed: type = \"sns\"");
    if (config_find_word(later, text) >= 0)
        return refuse(r, line_of(type), "alerts: type \"%s\": not supported by this version", text);
    return config_find_word(types, text) >= 0 ? 0 : refuse_word(r, type, "alerts: type", types);
}

static int read_channel(Reading *r, const config_setting_t *group) {
    Config *config = r->config;
    ChannelConfig *channel = &config->channels[config->n_channels];
    int e;

    if (!config_setting_is_group(group))
        return refuse(r, line_of(group),
                      "alerts: allowed: a list of groups ( { type = \"sns\"; topic_arn = \"...\"; } )");
    e = read_channel_type(r, group);
    config->n_channels++;
    for (int i = 0; e >= 0 && i < config_setting_length(group); i++)
        e = read_channel_member(r, config_setting_get_elem((config_setting_t *)group, (unsigned)i), channel);
    if (e < 0)
        return e;
    if (!channel->topic_arn)
        return refuse(r, line_of(group), "alerts: type \"sns\" needs topic_arn = \"arn:...\"");
    for (size_t i = 0; i + 1 < config->n_channels; i++)
        if (text_equal(config->channels[i].topic_arn, channel->topic_arn))
            return refuse(r, line_of(group), "alerts: this topic is listed twice");
    return 0;
}

static int read_channels(Reading *r, const config_setting_t *setting) {
    int n = config_setting_length(setting), e = 0;

    if (!config_setting_is_list(setting) || n > CONFIG_CHANNELS_MAX)
        return refuse(r, line_of(setting),
                      "alerts: allowed: a list of at most %d groups ( { type = \"sns\"; topic_arn = "
                      "\"...\"; } ), or ()",
                      CONFIG_CHANNELS_MAX);
    r->config->channels = calloc((size_t)n + 1, sizeof(*r->config->channels));
    if (!r->config->channels)
        return -ENOMEM;
    for (int i = 0; e >= 0 && i < n; i++)
        e = read_channel(r, config_setting_get_elem(setting, (unsigned)i));
    return e;
}

/* ---- the whole ---- */

static int read_group(Reading *r, const config_setting_t *group, const char *prefix, void *base);
static int read_accounts(Reading *r, const config_setting_t *setting);

static int set_option(Reading *r, const config_setting_t *setting, const Option *option, void *base) {
    void *slot = (char *)base + option->offset;

    switch (option->kind) {
    case OPTION_NUMBER: return set_number(r, setting, option, slot);
    case OPTION_WORDS:
    case OPTION_EXPECT:
    case OPTION_MAINTENANCE: return set_shaped(r, setting, option, slot);
    case OPTION_BOOL: return set_bool(r, setting, option, slot);
    case OPTION_SWITCH: return set_switch(r, setting, option, slot);
    case OPTION_WORD: return set_word(r, setting, option, slot);
    case OPTION_TEXT: return set_text(r, setting, option, slot);
    case OPTION_LIST: return set_list(r, setting, option, slot);
    case OPTION_CHANNELS: return read_channels(r, setting);
    case OPTION_ACCOUNTS: return read_accounts(r, setting);
    case OPTION_GROUP: break;
    }
    if (!config_setting_is_group(setting))
        return refuse(r, line_of(setting), "%s: allowed: a group { ... }", option->name);
    return read_group(r, setting, option->name, base);
}

static int refuse_unknown(Reading *r, const config_setting_t *setting, const char *name,
                          const char *prefix) {
    char list[300] = "", show[80];
    size_t used = 0, skip = prefix[0] ? strlen(prefix) + 1 : 0;

    if (config_find_word(config_later_options, name) >= 0)
        return refuse(r, line_of(setting), "%s: not supported by this version", name);
    for (size_t i = 0; i < config_n_options && used < sizeof(list); i++) {
        const char *option = config_options[i].name;

        if (prefix[0] ? !text_starts_with(option, prefix) || option[skip - 1] != '.'
                      : strchr(option, '.') != NULL)
            continue;
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used == 0 ? "" : ", ",
                                 option + skip);
    }
    return refuse(r, line_of(setting), "unknown option \"%s\"; allowed: %s", shown(show, name), list);
}

/* base: what the options' offsets count in. */
static int read_group(Reading *r, const config_setting_t *group, const char *prefix, void *base) {
    for (int i = 0; i < config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem((config_setting_t *)group, (unsigned)i);
        const Option *found = NULL;
        char name[160];
        int e;

        (void)snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "",
                       config_setting_name(setting));
        for (size_t k = 0; k < config_n_options; k++)
            if (strcmp(config_options[k].name, name) == 0)
                found = &config_options[k];
        if (strcmp(name, "settings_interval") == 0) {
            r->settings_interval_given = true;
            r->settings_line = line_of(setting);
        }
        e = found ? set_option(r, setting, found, base) : refuse_unknown(r, setting, name, prefix);
        if (e < 0)
            return e;
    }
    return 0;
}

static void set_defaults(OptionScope scope, void *base) {
    for (size_t i = 0; i < config_n_options; i++) {
        const Option *option = &config_options[i];
        void *slot = (char *)base + option->offset;

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

static int read_accounts(Reading *r, const config_setting_t *setting) {
    static const char allowed[] = "( { role_arn = \"arn:aws:iam::111122223333:role/TrailGuard\"; }, ... )";
    Config *config = r->config;
    int n = config_setting_length(setting), e = 0;

    if (!config_setting_is_list(setting) || n == 0 || n > CONFIG_ACCOUNTS_MAX)
        return refuse(r, line_of(setting), "accounts: allowed: a list of 1 to %d groups %s",
                      CONFIG_ACCOUNTS_MAX, allowed);
    config->accounts = calloc((size_t)n, sizeof(*config->accounts));
    if (!config->accounts)
        return -ENOMEM;
    for (int i = 0; e >= 0 && i < n; i++) {
        const config_setting_t *group = config_setting_get_elem(setting, (unsigned)i);
        AccountConfig *account = &config->accounts[config->n_accounts++];
        const char *clash;

        set_defaults(SCOPE_ACCOUNT, account);
        if (!config_setting_is_group(group))
            return refuse(r, line_of(group), "accounts: allowed: groups %s", allowed);
        e = read_group(r, group, "accounts", account);
        clash = e >= 0 ? config_account_clash(config) : NULL;
        if (clash)
            e = refuse(r, line_of(group), "accounts: %s", clash);
    }
    return e;
}

/* A bare file name is one of systemd's credentials. */
static int resolve_file(Reading *r, const char *option, char **path) {
    const char *directory = getenv("CREDENTIALS_DIRECTORY");
    char *joined;

    if (!*path || strchr(*path, '/'))
        return 0;
    if (!directory || !directory[0])
        return refuse(r, 0,
                      "%s: \"%s\" is a bare name, but there is no $CREDENTIALS_DIRECTORY; "
                      "allowed: a path, or the name "
                      "of a LoadCredential= of the unit",
                      option, *path);
    joined = file_join(directory, *path);
    if (!joined)
        return -ENOMEM;
    free(*path);
    *path = joined;
    return 0;
}

/* What kind of host an endpoint of one's own is, is known to whoever names it. */
static int check_endpoint(Reading *r, const config_setting_t *root) {
    const AwsConfig *aws = &r->config->aws;
    const config_setting_t *group = config_setting_get_member((config_setting_t *)root, "aws");
    const char *name = aws->use_fips == SWITCH_ON        ? "use_fips"
                       : aws->use_dualstack == SWITCH_ON ? "use_dualstack"
                                                         : NULL;

    if (!name || !aws->endpoint_url)
        return 0;
    return refuse(
            r, line_of(config_setting_get_member((config_setting_t *)group, name)),
            "aws.%s: cannot be combined with aws.endpoint_url; name an endpoint of that kind there, or "
            "leave endpoint_url out",
            name);
}

static int check_whole(Reading *r, const config_setting_t *root) {
    const config_setting_t *organization =
            config_setting_get_member((config_setting_t *)root, "organization");
    Config *config = r->config;
    int e;

    if (!config_setting_get_member((config_setting_t *)root, "alerts"))
        return refuse(r, 0,
                      "alerts: missing; allowed: alerts = ( { type = \"sns\"; topic_arn = \"arn:...\"; } ); "
                      "or alerts = (); for none");
    if (config->settings_interval_sec < config->poll_interval_sec) {
        if (r->settings_interval_given)
            return refuse(r, r->settings_line,
                          "settings_interval: allowed: poll_interval (%u) to 86400 seconds",
                          config->poll_interval_sec);
        config->settings_interval_sec = config->poll_interval_sec;
    }
    if (organization && !config->organization.role_name)
        return refuse(r, line_of(organization),
                      "organization: needs role_name = \"...\", the role to assume in every account");
    e = check_endpoint(r, root);
    if (e >= 0)
        e = resolve_file(r, "aws.credentials_file", &config->aws.credentials_file);
    return e < 0 ? e : resolve_file(r, "aws.config_file", &config->aws.config_file);
}

int config_parse(const char *path, const char *text, size_t len, Config **ret,
                 char error[static CONFIG_ERROR_MAX]) {
    Reading r = { .config = calloc(1, sizeof(Config)), .path = path, .error = error };
    ConfigFault fault;
    config_t file;
    int e;

    error[0] = '\0';
    if (!r.config || !(r.config->path = strdup(path))) {
        config_free(r.config);
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: out of memory", path);
        return -ENOMEM;
    }
    set_defaults(SCOPE_FILE, r.config);
    config_init(&file);
    e = config_check_text(text, len, &fault);
    if (e < 0)
        e = refuse(&r, fault.line, "%s", fault.what);
    if (e >= 0 && config_read_string(&file, text) != CONFIG_TRUE)
        e = refuse(&r, (unsigned)config_error_line(&file), "%s; see trailguard.conf(5)",
                   config_error_text(&file));
    if (e >= 0)
        e = read_group(&r, config_root_setting(&file), "", r.config);
    if (e >= 0)
        e = check_whole(&r, config_root_setting(&file));
    config_destroy(&file);
    if (e < 0) {
        if (!error[0])
            (void)snprintf(error, CONFIG_ERROR_MAX, "%s: %s", path, strerror(-e));
        config_free(r.config);
        return e;
    }
    *ret = r.config;
    return 0;
}

int config_load(const char *path, Config **ret, char error[static CONFIG_ERROR_MAX]) {
    _cleanup_free_ char *text = NULL;
    size_t len;
    int r = file_read(path, CONFIG_SIZE_MAX, &text, &len);

    if (r == -E2BIG)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: larger than %d bytes", path, CONFIG_SIZE_MAX);
    else if (r == -EACCES || r == -EPERM)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: user id %u may not read it", path, (unsigned)geteuid());
    else if (r < 0)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: %s", path,
                       r == -EINVAL ? "not a regular file" : strerror(-r));
    return r < 0 ? r : config_parse(path, text, len, ret, error);
}

static void free_list(StringList *list) {
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
}

void config_account_done(AccountConfig *account) {
    free(account->name);
    free(account->role_arn);
    free(account->external_id);
    free(account->session_name);
    free_list(&account->regions);
    free_list(&account->trails);
}

void config_free(Config *config) {
    if (!config)
        return;
    free_list(&config->regions);
    free_list(&config->trails);
    free_list(&config->ignore);
    free_list(&config->guards);
    for (size_t i = 0; i < config->n_accounts; i++)
        config_account_done(&config->accounts[i]);
    free(config->accounts);
    free(config->organization.role_name);
    free_list(&config->organization.exclude);
    free_list(&config->aws.process_environment);
    for (size_t i = 0; i < config->n_channels; i++)
        free(config->channels[i].topic_arn);
    free(config->channels);
    config_expect_done(config);
    config_maintenance_done(config);
    free(config->aws.profile);
    free(config->aws.credentials_file);
    free(config->aws.config_file);
    free(config->aws.endpoint_url);
    free(config->aws.ca_bundle);
    if (config->aws.proxy)
        hash_wipe(config->aws.proxy, strlen(config->aws.proxy));
    free(config->aws.proxy);
    free(config->path);
    free(config);
}
