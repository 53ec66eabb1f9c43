/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/cli/verbs.h"
#include "daemon/engine.h"
#include "daemon/log.h"

static const char help[] = "usage: trailguard run [-c FILE]\n"
                           "\n"
                           "Guards the trails in the foreground until SIGTERM or SIGINT. SIGHUP reads the "
                           "configuration again.\n"
                           "State is in $STATE_DIRECTORY (/var/lib/trailguard), status.json in "
                           "$RUNTIME_DIRECTORY (/run/trailguard).\n";

int verb_run(int argc, char **argv) {
    char config_error[CONFIG_ERROR_MAX], error[ENGINE_ERROR_MAX];
    EngineOptions options = { .state_dir = engine_state_dir(), .runtime_dir = engine_runtime_dir() };
    VerbArgs args;
    int r = verb_parse(argc, argv, 0, help, &args);

    if (r <= 0)
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    r = config_load(args.config, &options.config, config_error);
    if (r < 0) {
        log_line(LOG_ERR, "%s", config_error);
        return EXIT_FAILURE;
    }
    log_set_level(options.config->log_level);
    r = engine_run(&options, error);
    if (r < 0) {
        log_line(LOG_ERR, "%s", error);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
