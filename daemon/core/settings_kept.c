/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/settings_kept.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/shared_text.h"

/* The texts are shared, so equal texts have equal addresses. */
typedef struct KeptSettings {
    Settings settings; /* first, so that both have the same address */
    unsigned n_held;
} KeptSettings;

const Settings settings_none;

/* A tsearch(3) tree. Static, because it is shared by the whole process, as the texts are. */
static void *kept_settings;

static int compare_kept(const void *a, const void *b) {
    return memcmp(((const KeptSettings *)a)->settings.values, ((const KeptSettings *)b)->settings.values,
                  sizeof(((const KeptSettings *)a)->settings.values));
}

static void kept_free(KeptSettings *kept) {
    for (unsigned i = 0; i < ARRAY_SIZE(kept->settings.values); i++)
        shared_text_drop(kept->settings.values[i]);
    free(kept);
}

static KeptSettings *kept_new(const Settings *settings) {
    KeptSettings *made = calloc(1, sizeof(*made));

    for (unsigned i = 0; made && i < ARRAY_SIZE(settings->values); i++) {
        if (!settings->values[i])
            continue;
        made->settings.values[i] = (char *)shared_text(settings->values[i]);
        if (!made->settings.values[i]) {
            kept_free(made);
            return NULL;
        }
    }
    return made;
}

static KeptSettings *kept_find_or_add(const Settings *settings) {
    KeptSettings *made = kept_new(settings), *kept;
    KeptSettings **place = made ? tsearch(made, &kept_settings, compare_kept) : NULL;

    kept = place ? *place : NULL;
    if (made && kept != made)
        kept_free(made);
    return kept;
}

static void kept_drop(const Settings *settings) {
    KeptSettings *kept = (KeptSettings *)(void *)settings;

    if (settings == &settings_none || --kept->n_held > 0)
        return;
    (void)tdelete(kept, &kept_settings, compare_kept);
    kept_free(kept);
}

int settings_keep(const Settings **kept, const Settings *settings) {
    const Settings *next = &settings_none;

    if (memcmp(settings, &settings_none, sizeof(*settings)) != 0) {
        KeptSettings *found = kept_find_or_add(settings);

        if (!found)
            return -ENOMEM;
        found->n_held++;
        next = &found->settings;
    }
    kept_drop(*kept);
    *kept = next;
    return 0;
}
