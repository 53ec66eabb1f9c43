/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/cli/verbs.h"
#include "daemon/config/config.h"

static const char help[] = "usage: trailguard config [-c FILE] [--dump]\n"
                           "\n"
                           "Checks the configuration file. Prints \"configuration OK\", or FILE:LINE, the "
                           "error and what is allowed.\n"
                           "\n"
                           "  --dump   print the effective configuration, every option\n";

int verb_config(int argc, char **argv) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;
    VerbArgs args;
    int r = verb_parse(argc, argv, VERB_TAKES_DUMP, help, &args);

    if (r <= 0)
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    r = config_load(args.config, &config, error);
    if (r < 0) {
        fprintf(stderr, "%s\n", error);
        return EXIT_FAILURE;
    }
    if (args.dump)
        r = config_dump(config, stdout);
    else
        puts("configuration OK");
    config_free(config);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
