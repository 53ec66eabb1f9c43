/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"

void settings_done(Settings *settings) {
    for (unsigned i = 0; i < ARRAY_SIZE(settings->values); i++)
        free(settings->values[i]);
    *settings = (Settings){ 0 };
}

int settings_set(Settings *settings, Field field, const char *value) {
    char *copy = NULL;

    if (value) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free(settings->values[field]);
    settings->values[field] = copy;
    return 0;
}

int settings_copy(const Settings *settings, Settings *ret) {
    Settings copy = { 0 };
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(copy.values); i++)
        r = settings_set(&copy, (Field)i, settings->values[i]);
    if (r < 0) {
        settings_done(&copy);
        return r;
    }
    *ret = copy;
    return 0;
}

int settings_fill(Settings *settings, const Settings *more) {
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(settings->values); i++)
        if (!settings->values[i])
            r = settings_set(settings, (Field)i, more->values[i]);
    return r;
}

uint32_t settings_unknown(const Settings *settings) {
    uint32_t unknown = 0;

    for (unsigned i = 0; i < _FIELD_MAX; i++)
        unknown |= settings->values[i] ? 0 : FIELD_BIT(i);
    return unknown & ~FIELDS_OPTIONAL;
}

bool settings_can_be_recorded(const Settings *settings) {
    return settings->values[FIELD_BUCKET] != NULL;
}

static void change_done(Change *change) {
    free(change->was);
    free(change->now);
}

void drift_done(Drift *drift) {
    for (unsigned i = 0; i < drift->n; i++)
        change_done(&drift->changes[i]);
    *drift = (Drift){ 0 };
}

int drift_add(Drift *drift, Field field, bool loses_events, const char *was, const char *now) {
    Change change = { .field = field, .loses_events = loses_events };
    unsigned at = 0;

    while (at < drift->n && drift->changes[at].field < field)
        at++;
    if (at < drift->n && drift->changes[at].field == field)
        return -EEXIST;
    change.was = strdup(was ? was : "");
    change.now = strdup(now ? now : "");
    if (!change.was || !change.now) {
        change_done(&change);
        return -ENOMEM;
    }
    memmove(&drift->changes[at + 1], &drift->changes[at], (drift->n - at) * sizeof(change));
    drift->changes[at] = change;
    drift->n++;
    return 0;
}

int drift_copy(const Drift *drift, Drift *ret) {
    Drift copy = { 0 };
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < drift->n; i++) {
        const Change *change = &drift->changes[i];

        r = drift_add(&copy, change->field, change->loses_events, change->was, change->now);
    }
    if (r < 0) {
        drift_done(&copy);
        return r;
    }
    *ret = copy;
    return 0;
}
