/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs of the command line, and what they share. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "daemon/engine.h"
#include "daemon/guard_policy.h"

/* Each gets argv[0] = its own name and returns the exit status. */
int verb_run(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_config(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_test_alert(int argc, char **argv);
int verb_accept(int argc, char **argv);
int verb_policy(int argc, char **argv);
int verb_drill(int argc, char **argv);
int verb_release(int argc, char **argv);

typedef struct VerbArgs {
    const char *config; /* -c FILE, --config FILE, or the default */
    bool json, dump, restore, doctor, yes, problems, all, watch, list, tag;
    const char *channel;                 /* --channel NAME; NULL: all */
    const char *profile;                 /* --profile NAME; NULL: from the environment */
    const char *account, *region, *trail; /* filters; NULL: all */
    char **names; /* the arguments that are no options; points into argv */
    size_t n_names;
} VerbArgs;

/* The options that a verb takes besides --config and --help. */
typedef enum VerbTakes {
    VERB_TAKES_JSON = 1 << 0,
    VERB_TAKES_DUMP = 1 << 1,
    VERB_TAKES_RESTORE = 1 << 2,
    VERB_TAKES_YES = 1 << 3,
    VERB_TAKES_NAMES = 1 << 4,
    VERB_TAKES_CHANNEL = 1 << 5,
    VERB_TAKES_FILTERS = 1 << 6, /* those of `status` */
    VERB_TAKES_ACCOUNT = 1 << 7, /* only --account of these */
    VERB_TAKES_DOCTOR = 1 << 8,
    VERB_TAKES_PROFILE = 1 << 9,
    VERB_TAKES_LIST = 1 << 10,
    VERB_TAKES_TAG = 1 << 11,
} VerbTakes;

/* Parses a verb's options. help is printed for --help. 1 to continue, 0 after --help (exit 0), -EINVAL after
 * one line on stderr. */
int verb_parse(int argc, char **argv, unsigned takes, const char *help, VerbArgs *ret);

/* Prints one line about the command line to stderr: "trailguard VERB: WHATARGUMENT; ...". verb may be "".
 * Returns -EINVAL. */
int verb_usage(const char *verb, const char *what, const char *argument);
/* The same for an unknown word, which is quoted, with the one that was probably meant; nearest may be
 * NULL. */
int verb_usage_near(const char *verb, const char *what, const char *argument, const char *nearest);
/* getopt_long() returns at least this for long options without a letter. */
#define VERB_LONG_OPTIONS 256
struct option;
/* The same for the option that getopt_long() has just rejected with '?'. Uses optopt and optind; argv and
 * options are the arguments of that call. */
int verb_refuse_option(const char *verb, char **argv, const struct option *options);
/* Prints "; did you mean "NEAREST"?" to stderr, or `instead` if nearest is NULL. */
void verb_put_meant(const char *nearest, const char *instead);

/* -c given before the verb. */
void verb_set_config_path(const char *path);
/* Selects the instance trailguard@NAME.service: its configuration and directories. 0, or -errno after one
 * line on stderr for an invalid name. */
int verb_set_instance(const char *name);

/* Parses a verb's options, loads the configuration, and limits the log to trouble. -1 to continue; else the
 * exit status: 0 after --help, EXIT_FAILURE after one line on stderr. */
int verb_begin(int argc, char **argv, unsigned takes, const char *help, VerbArgs *args, Config **ret);

/* The second half of that, for parsed options. */
int verb_load(const VerbArgs *args, int failed, Config **ret);

/* True if the stream is a terminal that can move its cursor; TERM=dumb cannot. */
bool verb_can_redraw(FILE *stream);

/* True if this stream gets colour: such a terminal, and NO_COLOR unset or empty (no-color.org). */
bool verb_wants_color(FILE *stream);

/* Shows the progress of a pass on stderr, in one line that disappears at the end. If it cannot be redrawn:
 * one line that stays, only for a long pass. */
EngineProgressed verb_progress(void);

/* ---- what the verbs print; rows are borrowed ---- */

/* `status`: prints a document that was read from path. Returns the exit status. */
int verb_status_show(const char *path, const char *text, size_t len, const VerbArgs *args,
                     uint64_t now_usec);

/* `check`: prints the result of a pass. Returns the exit status. */
int verb_check_show(const Status *status, const VerbArgs *args);

/* `accept`: shows the differences, asks, and records the baselines below dir. Returns the exit status. */
int verb_accept_rows(const VerbArgs *args, const char *dir, const EngineSettings *rows, size_t n,
                     const char *unlisted);

/* The user who runs this, for the record and the alert about it. Returns dst. */
const char *verb_who(char *dst, size_t size);

/* Real; now. */
uint64_t verb_now_usec(void);
/* The time since an earlier CLOCK_BOOTTIME, which setting the clock does not change. */
uint64_t verb_waited_usec(uint64_t since_usec);

/* `policy`: prints a policy ("guard", "deny", "scp"); account: only deny's policy of this account; else
 * NULL. Returns the exit status. */
int verb_policy_show(const char *what, const char *account, const Config *config,
                     const GuardIdentity *caller);
