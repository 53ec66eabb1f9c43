/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/cli/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config/config.h"
#include "lib/util/macros.h"

static const char *config_path = CONFIG_PATH_DEFAULT;

void verb_set_config_path(const char *path) {
    config_path = path;
}

bool verb_wants_color(FILE *stream) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return isatty(fileno(stream)) && !(no_color && no_color[0]) && !(term && strcmp(term, "dumb") == 0);
}

int verb_usage(const char *verb, const char *what, const char *argument) {
    fprintf(stderr, "trailguard%s%s: %s%s; see trailguard %s%s--help\n", verb[0] ? " " : "", verb, what,
            argument, verb, verb[0] ? " " : "");
    return -EINVAL;
}

int verb_parse(int argc, char **argv, unsigned takes, const char *help, VerbArgs *ret) {
    const struct {
        const char *option;
        unsigned bit;
        bool *flag;
    } flags[] = {
        { "--json", VERB_TAKES_JSON, &ret->json },
        { "--dump", VERB_TAKES_DUMP, &ret->dump },
        { "--restore", VERB_TAKES_RESTORE, &ret->restore },
        { "--yes", VERB_TAKES_YES, &ret->yes },
    };

    *ret = (VerbArgs){ .config = config_path, .names = argv + 1 };
    for (int i = 1; i < argc; i++) {
        bool found = false;

        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (strcmp(argv[i], "-c") == 0) {
            if (++i == argc)
                return verb_usage(argv[0], "-c needs a file", "");
            ret->config = argv[i];
            continue;
        }
        if ((takes & VERB_TAKES_NAMES) && argv[i][0] != '-') {
            ret->names[ret->n_names++] = argv[i];
            continue;
        }
        for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
            if ((takes & flags[k].bit) && strcmp(argv[i], flags[k].option) == 0)
                found = *flags[k].flag = true;
        if (!found)
            return verb_usage(argv[0], "not understood: ", argv[i]);
    }
    return 1;
}
