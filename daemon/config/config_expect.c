/* SPDX-License-Identifier: Apache-2.0 */
/* What a trail must be like (`expect`), and what may be written to make it so (`restore`). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_read.h"
#include "daemon/core/settings.h"
#include "lib/arn.h"
#include "lib/util/text.h"

#define ALNUM  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define HEX    "0123456789abcdefABCDEF"
#define GROUP  "a group { multi_region = true; ... }"
#define TRAIL  "trail"
#define SHOWN  80
#define PREFIX 200 /* S3KeyPrefix (AWS CloudTrail API Reference, CreateTrail) */

/* ---- what a pinned text must be: NULL when good, else what is allowed ---- */

static bool consists_of(const char *s, const char *set) {
    return s[strspn(s, set)] == '\0';
}

/* Old buckets have names that new ones may not have. */
static const char *check_bucket(const char *s) {
    size_t n = strlen(s);

    return n >= 3 && n <= 255 && consists_of(s, ALNUM "._-") ? NULL : "the name of an S3 bucket";
}

static const char *check_account(const char *s) {
    return strlen(s) == 12 && consists_of(s, "0123456789") ? NULL : "an account id of 12 digits";
}

static const char *check_prefix(const char *s) {
    bool good = strlen(s) <= PREFIX;

    for (; *s; s++)
        good = good && (unsigned char)*s >= 0x20 && *s != 0x7f;
    return good ? NULL : "at most 200 characters, or \"\" for no prefix";
}

/* The four forms of KmsKeyId. */
static const char *check_key(const char *s) {
    const char *name = s;
    Arn arn;

    if (text_starts_with(s, "arn:")) {
        if (arn_parse(s, &arn) < 0 || strcmp(arn.service, "kms") != 0)
            return "the ARN of a KMS key or of its alias";
        name = arn.resource;
        name += text_starts_with(name, "key/") ? strlen("key/") : 0;
    }
    if (text_starts_with(name, "alias/") && name[strlen("alias/")] && consists_of(name, ALNUM "/_-"))
        return NULL;
    if ((strlen(name) == 36 && consists_of(name, HEX "-")) ||
        (strlen(name) == 36 && text_starts_with(name, "mrk-") && consists_of(name + 4, HEX)))
        return NULL;
    return "a KMS key's id or ARN, \"alias/NAME\", or an alias' ARN";
}

static const char *check_log_group(const char *s) {
    Arn arn;

    if (arn_parse(s, &arn) >= 0 && strcmp(arn.service, "logs") == 0 &&
        text_starts_with(arn.resource, "log-group:"))
        return NULL;
    return "the ARN of a log group, such as \"arn:aws:logs:eu-central-1:111122223333:log-group:NAME:*\"";
}

static const char *check_topic(const char *s) {
    char whole[ARN_MAX];
    Arn arn;

    (void)snprintf(whole, sizeof(whole), "%s%s",
                   text_starts_with(s, "arn:") ? "" : "arn:aws:sns:us-east-1:111122223333:", s);
    return arn_parse(whole, &arn) >= 0 && arn_is_topic(&arn) ? NULL : "the name or ARN of an SNS topic";
}

static const struct {
    const char *name;
    Field field;
    const char *(*check)(const char *s); /* NULL: true or false */
} pins[] = {
    { "multi_region", FIELD_MULTI_REGION, NULL },
    { "global_events", FIELD_GLOBAL_EVENTS, NULL },
    { "validation", FIELD_VALIDATION, NULL },
    { "bucket", FIELD_BUCKET, check_bucket },
    { "prefix", FIELD_PREFIX, check_prefix },
    { "kms_key", FIELD_KMS_KEY, check_key },
    { "log_group", FIELD_LOG_GROUP, check_log_group },
    { "sns_topic", FIELD_SNS_TOPIC, check_topic },
    { "bucket_owner", SETTING_BUCKET_OWNER, check_account },
};

static const char management_name[] = "management_events";
static const char *const management_words[] = { "all", "write", "read", NULL }; /* from MANAGEMENT_ALL on */

/* ---- expect ---- */

static int read_pin(const config_setting_t *member, size_t i, Expect *expect, ConfigFault *fault) {
    const char *text = config_setting_get_string(member), *allowed;
    char found[CONFIG_FOUND];

    if (!pins[i].check) {
        if (config_setting_type(member) != CONFIG_TYPE_BOOL)
            return config_fault(fault, member, "expect.%s: %s cannot be used; allowed: true, false",
                                pins[i].name, config_found(found, member));
        return settings_set(&expect->pins, pins[i].field,
                            config_setting_get_bool(member) ? "true" : "false");
    }
    allowed = pins[i].check(text ? text : "");
    if (!text || allowed)
        return config_fault(fault, member, "expect.%s: %s cannot be used; allowed: %s", pins[i].name,
                            config_found(found, member), allowed ? allowed : "a text, \"\" for none");
    return settings_set(&expect->pins, pins[i].field, text);
}

static int read_management(const config_setting_t *member, Expect *expect, ConfigFault *fault) {
    int index = config_find_word(management_words, config_setting_get_string(member));
    char found[CONFIG_FOUND];

    if (index < 0)
        return config_fault(fault, member,
                            "expect.%s: %s cannot be used; allowed: \"all\", \"write\", \"read\"",
                            management_name, config_found(found, member));
    expect->management_events = (ManagementEvents)(index + MANAGEMENT_ALL);
    return 0;
}

static int read_member(const config_setting_t *member, Expect *expect, ConfigFault *fault) {
    const char *name = config_setting_name(member);
    char list[200] = "", show[SHOWN];
    size_t used = 0;

    if (strcmp(name, management_name) == 0)
        return read_management(member, expect, fault);
    for (size_t i = 0; i < ARRAY_SIZE(pins); i++)
        if (strcmp(name, pins[i].name) == 0)
            return read_pin(member, i, expect, fault);
    for (size_t i = 0; i < ARRAY_SIZE(pins) && used < sizeof(list); i++)
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s, ", pins[i].name);
    return config_fault(fault, member, "expect: unknown option \"%s\"; allowed: %s%s",
                        text_escaped(show, sizeof(show), name), list, management_name);
}

/* AWS refuses the combination; what is pinned for a trail lies over what is pinned for all. */
static int check_regions(const config_setting_t *setting, const Expect *under, const Expect *over,
                         ConfigFault *fault) {
    const char *multi = over->pins.values[FIELD_MULTI_REGION],
               *global = over->pins.values[FIELD_GLOBAL_EVENTS];

    multi = multi ? multi : under->pins.values[FIELD_MULTI_REGION];
    global = global ? global : under->pins.values[FIELD_GLOBAL_EVENTS];
    if (!text_equal(multi, "true") || !text_equal(global, "false"))
        return 0;
    return config_fault(fault, setting,
                        "expect: a trail of all regions records global events too; allowed: global_events = "
                        "true with multi_region = true");
}

/* The pins of one group; `trail` is passed over. */
static int read_group(const config_setting_t *group, Expect *expect, ConfigFault *fault) {
    int r = 0;

    for (int i = 0; r >= 0 && i < config_setting_length(group); i++) {
        const config_setting_t *member = config_setting_get_elem((config_setting_t *)group, (unsigned)i);

        if (strcmp(config_setting_name(member), TRAIL) != 0)
            r = read_member(member, expect, fault);
    }
    return r;
}

/* Into the next of trail_expects. */
static int read_trail(const config_setting_t *member, Config *config, ConfigFault *fault) {
    const char *text = config_setting_get_string(member), *allowed = config_check_trail(text ? text : "");
    TrailExpect *entry = &config->trail_expects[config->n_trail_expects];
    char show[SHOWN], found[CONFIG_FOUND];

    if (!text || allowed)
        return config_fault(fault, member, "expect.trail: %s cannot be used; allowed: %s",
                            config_found(found, member), allowed ? allowed : config_check_trail(""));
    for (size_t i = 0; i < config->n_trail_expects; i++)
        if (text_equal(config->trail_expects[i].trail, text))
            return config_fault(fault, member, "expect: trail \"%s\" has two groups",
                                text_escaped(show, sizeof(show), text));
    entry->trail = strdup(text);
    if (!entry->trail)
        return -ENOMEM;
    config->n_trail_expects++;
    return 0;
}

/* One of a list. At most one is for all trails. */
static int read_entry(const config_setting_t *group, Config *config, bool *has_all, ConfigFault *fault) {
    const config_setting_t *trail;

    if (!config_setting_is_group(group))
        return config_fault(fault, group,
                            "expect: allowed: groups { trail = \"NAME\"; multi_region = true; ... }");
    trail = config_setting_get_member(group, TRAIL);
    if (trail) {
        int r = read_trail(trail, config, fault);

        return r < 0 ? r
                     : read_group(group, &config->trail_expects[config->n_trail_expects - 1].expect, fault);
    }
    if (*has_all)
        return config_fault(fault, group, "expect: two groups without trail: one is for all");
    *has_all = true;
    return read_group(group, &config->expect, fault);
}

static int read_list(const config_setting_t *list, Config *config, ConfigFault *fault) {
    int n = config_setting_length(list), r = 0;
    bool has_all = false;

    config->trail_expects = calloc((size_t)n + 1, sizeof(*config->trail_expects));
    if (!config->trail_expects)
        return -ENOMEM;
    for (int i = 0; r >= 0 && i < n; i++)
        r = read_entry(config_setting_get_elem(list, (unsigned)i), config, &has_all, fault);
    return r;
}

int config_read_expect(const config_setting_t *setting, Config *config, ConfigFault *fault) {
    static const Expect none;
    int r;

    if (config_setting_is_list(setting) && config_setting_length(setting) <= CONFIG_EXPECT_MAX)
        r = read_list(setting, config, fault);
    else if (config_setting_is_group(setting) && !config_setting_get_member(setting, TRAIL))
        r = read_group(setting, &config->expect, fault);
    else
        r = config_fault(fault, setting,
                         "expect: allowed: " GROUP ", or a list of at most %d, each for one trail",
                         CONFIG_EXPECT_MAX);
    if (r >= 0)
        r = check_regions(setting, &none, &config->expect, fault);
    for (size_t i = 0; r >= 0 && i < config->n_trail_expects; i++)
        r = check_regions(setting, &config->expect, &config->trail_expects[i].expect, fault);
    return r;
}

void config_expect_done(Config *config) {
    settings_done(&config->expect.pins);
    for (size_t i = 0; i < config->n_trail_expects; i++) {
        free(config->trail_expects[i].trail);
        settings_done(&config->trail_expects[i].expect.pins);
    }
    free(config->trail_expects);
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

/* ---- --dump ---- */

static void put_group(FILE *out, const char *trail, const Expect *expect) {
    fputs("{\n", out);
    if (trail) {
        fputs("  " TRAIL " = ", out);
        config_put_text(out, trail);
        fputs(";\n", out);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
        const char *value = expect->pins.values[pins[i].field];

        if (!value) {
            fprintf(out, "  # expect.%s is not set\n", pins[i].name);
            continue;
        }
        fprintf(out, "  %s = ", pins[i].name);
        if (pins[i].check)
            config_put_text(out, value);
        else
            fputs(value, out);
        fputs(";\n", out);
    }
    if (expect->management_events == MANAGEMENT_NOT_PINNED)
        fprintf(out, "  # expect.%s is not set\n}", management_name);
    else
        fprintf(out, "  %s = \"%s\";\n}", management_name,
                management_words[expect->management_events - MANAGEMENT_ALL]);
}

void config_put_expect(FILE *out, const Config *config) {
    if (config->n_trail_expects == 0) {
        put_group(out, NULL, &config->expect);
        return;
    }
    fputs("( ", out);
    put_group(out, NULL, &config->expect);
    for (size_t i = 0; i < config->n_trail_expects; i++) {
        fputs(", ", out);
        put_group(out, config->trail_expects[i].trail, &config->trail_expects[i].expect);
    }
    fputs(" )", out);
}
