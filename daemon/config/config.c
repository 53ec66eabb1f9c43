/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config/config_private.h"
#include "daemon/core/settings.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

#define PATH_SHOWN_MAX 1024

int config_parse(const char *path, const char *text, size_t len, Config **ret,
                 char error[static CONFIG_ERROR_MAX]) {
    Reading r = { .config = calloc(1, sizeof(Config)),
                  .mistakes = calloc(CONFIG_MISTAKES_MAX, sizeof(Mistake)) };
    char shown[PATH_SHOWN_MAX];
    int e = -ENOMEM;

    error[0] = '\0';
    if (r.config && r.mistakes && (r.config->path = strdup(path))) {
        config_set_defaults(SCOPE_FILE, r.config);
        e = config_read_text(&r, text, len);
    }
    if (e == -EINVAL)
        config_show_mistakes(&r, path, error);
    else if (e < 0)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%.200s: %s", text_escaped(shown, sizeof(shown), path),
                       strerror(-e));
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
    char shown[PATH_SHOWN_MAX];
    size_t len;
    int r;

    /* before it is read: a change in between then shows as one that came later */
    (void)file_modified(path, &modified_usec);
    r = file_read(path, CONFIG_SIZE_MAX, &text, &len);
    (void)text_escaped(shown, sizeof(shown), path);
    if (r == -E2BIG)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: larger than %d bytes", shown, CONFIG_SIZE_MAX);
    else if (r == -EACCES || r == -EPERM)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: user id %u may not read it", shown,
                       (unsigned)geteuid());
    else if (r < 0)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: %s", shown,
                       r == -EINVAL ? "not a regular file" : strerror(-r));
    if (r >= 0)
        r = config_parse(path, text, len, ret, error);
    if (r >= 0)
        (*ret)->modified_usec = modified_usec;
    return r;
}

void config_free(Config *config) {
    if (!config)
        return;
    config_free_options(SCOPE_FILE, config);
    settings_done(&config->expect.pins);
    free(config->notes);
    free(config->path);
    free(config);
}
