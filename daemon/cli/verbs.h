/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs of the command line, one file each, and what they share. */

#include <stdbool.h>
#include <stdio.h>

/* Each is called with argv[0] = its own name and returns the exit status. */
int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_config(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_test_alert(int argc, char **argv);
int verb_accept(int argc, char **argv);
int verb_policy(int argc, char **argv);

typedef struct VerbArgs {
    const char *config; /* -c FILE, or the default */
    bool json, dump, restore, yes;
    char **names; /* what is no option; points into argv */
    size_t n_names;
} VerbArgs;

/* Which of the options besides -c and --help a verb takes. */
typedef enum VerbTakes {
    VERB_TAKES_JSON = 1 << 0,
    VERB_TAKES_DUMP = 1 << 1,
    VERB_TAKES_RESTORE = 1 << 2,
    VERB_TAKES_YES = 1 << 3,
    VERB_TAKES_NAMES = 1 << 4,
} VerbTakes;

/* Parses a verb's options. help is printed for --help. Returns 1 to go on, 0 when --help was served (exit
 * 0), -EINVAL after one line on stderr. */
int verb_parse(int argc, char **argv, unsigned takes, const char *help, VerbArgs *ret);

/* One line on stderr about what is wrong with the command line: "trailguard VERB: WHATARGUMENT; ...". verb
 * may be "". Returns -EINVAL. */
int verb_usage(const char *verb, const char *what, const char *argument);

/* -c given before the verb. */
void verb_set_config_path(const char *path);

/* Colour on this stream: a terminal, and NO_COLOR unset or empty (no-color.org). */
bool verb_wants_color(FILE *stream);
