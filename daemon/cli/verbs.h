/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The verbs of the command line, and what they share. */

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "daemon/engine.h"
#include "daemon/guard_policy.h"

/* Each is called with argv[0] = its own name and returns the exit status. */
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
    const char *profile;                 /* --profile NAME; NULL: as the environment has it */
    const char *account, *region, *trail; /* filters; NULL: all */
    char **names; /* what is no option; points into argv */
    size_t n_names;
} VerbArgs;

/* Which of the options besides --config and --help a verb takes. */
typedef enum VerbTakes {
    VERB_TAKES_JSON = 1 << 0,
    VERB_TAKES_DUMP = 1 << 1,
    VERB_TAKES_RESTORE = 1 << 2,
    VERB_TAKES_YES = 1 << 3,
    VERB_TAKES_NAMES = 1 << 4,
    VERB_TAKES_CHANNEL = 1 << 5,
    VERB_TAKES_FILTERS = 1 << 6, /* those of `status` */
    VERB_TAKES_ACCOUNT = 1 << 7, /* of these --account alone */
    VERB_TAKES_DOCTOR = 1 << 8,
    VERB_TAKES_PROFILE = 1 << 9,
    VERB_TAKES_LIST = 1 << 10,
    VERB_TAKES_TAG = 1 << 11,
} VerbTakes;

/* Parses a verb's options. help is printed for --help. Returns 1 to go on, 0 when --help was served (exit
 * 0), -EINVAL after one line on stderr. */
int verb_parse(int argc, char **argv, unsigned takes, const char *help, VerbArgs *ret);

/* One line on stderr about what is wrong with the command line: "trailguard VERB: WHATARGUMENT; ...". verb
 * may be "". Returns -EINVAL. */
int verb_usage(const char *verb, const char *what, const char *argument);
/* The same for a word that is not known, which is quoted, with the one that was probably meant; nearest may
 * be NULL. */
int verb_usage_near(const char *verb, const char *what, const char *argument, const char *nearest);
/* What getopt_long() returns for a long option without a letter is not below this. */
#define VERB_LONG_OPTIONS 256
struct option;
/* The same for the option that getopt_long() has just refused with '?': optopt and optind are as it left
 * them, argv and options what it was given. */
int verb_refuse_option(const char *verb, char **argv, const struct option *options);
/* Puts "; did you mean "NEAREST"?" on stderr, or instead what stands without one, when nearest is NULL. */
void verb_put_meant(const char *nearest, const char *instead);

/* -c given before the verb. */
void verb_set_config_path(const char *path);
/* The instance trailguard@NAME.service: its configuration and directories. 0, or -errno after one line on
 * stderr when the name cannot be one. */
int verb_set_instance(const char *name);

/* Parses a verb's options, loads the configuration, and lets the log be silent about all but trouble. -1 to
 * go on; else the exit status: 0 after --help, failed after one line on stderr. */
int verb_begin(int argc, char **argv, unsigned takes, const char *help, int failed, VerbArgs *args,
               Config **ret);

/* The second half of it, for what was parsed. */
int verb_load(const VerbArgs *args, int failed, Config **ret);

/* Is this stream a terminal that moves its cursor? TERM=dumb says that it does not. */
bool verb_can_redraw(FILE *stream);

/* Colour on this stream: such a terminal, and NO_COLOR unset or empty (no-color.org). */
bool verb_wants_color(FILE *stream);

/* Shows on stderr how far a pass is, in one line that is gone at the end. Where that cannot be redrawn: one
 * line that stays, and only about a pass that takes long. */
EngineProgressed verb_progress(void);

/* ---- what the verbs print; rows are borrowed ---- */

/* `status`: prints the document in text, which was read from path. Returns the exit status. */
int verb_status_show(const char *path, const char *text, size_t len, const VerbArgs *args,
                     uint64_t now_usec);

/* `check`: prints the result of a pass. Returns the exit status. */
int verb_check_show(const Status *status, const VerbArgs *args);

/* `accept`: shows the differences, asks, and records below dir. Returns the exit status. */
int verb_accept_rows(const VerbArgs *args, const char *dir, const EngineSettings *rows, size_t n,
                     const char *unlisted);

/* Who runs this, for the record and for the alert about it. Returns dst. */
const char *verb_who(char *dst, size_t size);

/* Real; now. */
uint64_t verb_now_usec(void);
/* Since a time of the same clock, CLOCK_BOOTTIME: a wait is not longer when the time is set. */
uint64_t verb_waited_usec(uint64_t since_usec);

/* `policy`: prints the policy what ("guard", "deny", "scp"); of deny with an account's id that account's
 * alone, else account is NULL. Returns the exit status. */
int verb_policy_show(const char *what, const char *account, const Config *config,
                     const GuardIdentity *caller);
