/* SPDX-License-Identifier: Apache-2.0 */
/* Windows in which changes are expected (`maintenance`). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config_read.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define DAYS_MAX 30
#define SPAN_MAX (DAYS_MAX * 86400 * USEC_PER_SEC)
#define EXAMPLE                                                                                             \
    "( { from = \"2026-11-24T22:00:00Z\"; until = \"2026-11-25T02:00:00+01:00\"; reason = \"...\"; } )"

static int read_time(const config_setting_t *member, uint64_t *slot, ConfigFault *fault) {
    const char *text = config_setting_get_string(member);
    char found[CONFIG_FOUND];
    uint64_t usec;

    if (!text || timetext_parse_iso(text, &usec) < 0 || usec % USEC_PER_SEC != 0)
        return config_fault(fault, member,
                            "maintenance: %s: %s cannot be used; allowed: a time with its zone, "
                            "\"2026-11-24T22:00:00Z\" or \"2026-11-24T23:00:00+01:00\"",
                            config_setting_name(member), config_found(found, member));
    *slot = usec;
    return 0;
}

static int read_text(const config_setting_t *member, const char *(*check)(const char *text), char **slot,
                     ConfigFault *fault) {
    const char *text = config_setting_get_string(member), *allowed = check(text ? text : "");
    char found[CONFIG_FOUND];

    if (!text || allowed)
        return config_fault(fault, member, "maintenance: %s: %s cannot be used; allowed: %s",
                            config_setting_name(member), config_found(found, member),
                            allowed ? allowed : "a text");
    *slot = strdup(text);
    return *slot ? 0 : -ENOMEM;
}

static const char *check_reason(const char *text) {
    return text[0] && strlen(text) <= CONFIG_REASON_MAX ? NULL : "a text of 1 to 200 bytes";
}

static int read_member(const config_setting_t *member, MaintenanceConfig *window, ConfigFault *fault) {
    const char *name = config_setting_name(member);
    char show[80], found[CONFIG_FOUND];

    if (strcmp(name, "trail") == 0)
        return read_text(member, config_check_trail, &window->trail, fault);
    if (strcmp(name, "reason") == 0)
        return read_text(member, check_reason, &window->reason, fault);
    if (strcmp(name, "from") == 0)
        return read_time(member, &window->from_usec, fault);
    if (strcmp(name, "until") == 0)
        return read_time(member, &window->until_usec, fault);
    if (strcmp(name, "stop_allowed") != 0)
        return config_fault(fault, member,
                            "maintenance: unknown option \"%s\"; allowed: trail, from, until, reason, "
                            "stop_allowed",
                            text_escaped(show, sizeof(show), name));
    if (config_setting_type(member) != CONFIG_TYPE_BOOL)
        return config_fault(fault, member,
                            "maintenance: stop_allowed: %s cannot be used; allowed: true, false",
                            config_found(found, member));
    window->stop_allowed = config_setting_get_bool(member);
    return 0;
}

static int read_window(const config_setting_t *group, MaintenanceConfig *window, ConfigFault *fault) {
    int r = 0;

    if (!config_setting_is_group(group))
        return config_fault(fault, group, "maintenance: allowed: groups " EXAMPLE);
    for (int i = 0; r >= 0 && i < config_setting_length(group); i++)
        r = read_member(config_setting_get_elem((config_setting_t *)group, (unsigned)i), window, fault);
    if (r < 0)
        return r;
    if (window->from_usec == 0 || window->until_usec == 0)
        return config_fault(fault, group, "maintenance: needs from and until: a window ends by itself");
    if (window->until_usec <= window->from_usec || window->until_usec - window->from_usec > SPAN_MAX)
        return config_fault(fault, group, "maintenance: until: allowed: after from, by at most %d days",
                            DAYS_MAX);
    return 0;
}

int config_read_maintenance(const config_setting_t *setting, Config *config, ConfigFault *fault) {
    int n = config_setting_length(setting), r = 0;

    if (!config_setting_is_list(setting) || n > CONFIG_MAINTENANCE_MAX)
        return config_fault(fault, setting, "maintenance: allowed: a list of at most %d groups " EXAMPLE,
                            CONFIG_MAINTENANCE_MAX);
    config->maintenance = calloc((size_t)n + 1, sizeof(*config->maintenance));
    if (!config->maintenance)
        return -ENOMEM;
    for (int i = 0; r >= 0 && i < n; i++)
        r = read_window(config_setting_get_elem(setting, (unsigned)i),
                        &config->maintenance[config->n_maintenance++], fault);
    return r;
}

void config_maintenance_done(Config *config) {
    for (size_t i = 0; i < config->n_maintenance; i++) {
        free(config->maintenance[i].trail);
        free(config->maintenance[i].reason);
    }
    free(config->maintenance);
}

static void put_window(FILE *out, const MaintenanceConfig *window) {
    char from[TIMETEXT_MAX], until[TIMETEXT_MAX];

    fputs("\n  { ", out);
    if (window->trail) {
        fputs("trail = ", out);
        config_put_text(out, window->trail);
        fputs("; ", out);
    }
    fprintf(out, "from = \"%s\"; until = \"%s\"; ", timetext_iso(from, window->from_usec),
            timetext_iso(until, window->until_usec));
    if (window->reason) {
        fputs("reason = ", out);
        config_put_text(out, window->reason);
        fputs("; ", out);
    }
    fprintf(out, "stop_allowed = %s; }", window->stop_allowed ? "true" : "false");
}

void config_put_maintenance(FILE *out, const Config *config) {
    fputc('(', out);
    for (size_t i = 0; i < config->n_maintenance; i++) {
        fputs(i == 0 ? "" : ",", out);
        put_window(out, &config->maintenance[i]);
    }
    fputs(config->n_maintenance > 0 ? "\n)" : ")", out);
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
