/* SPDX-License-Identifier: Apache-2.0 */
/* trailguard: the table of verbs, and the setup that all of them need. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/cli/verbs.h"
#include "daemon/config/config.h"
#include "daemon/log.h"
#include "daemon/version.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

typedef struct Verb {
    const char *name;
    int (*run)(int argc, char **argv);
    int usage_status; /* exit status of a usage error */
    const char *summary;
} Verb;

static const Verb verbs[] = {
    { "run", verb_run, 1, "guard the trails; the systemd unit starts this" },
    { "check", verb_check, 3,
      "poll everything once and print a table; a monitoring plugin" },
    { "config", verb_config, 1, "check the configuration file, or print what is in effect" },
    { "status", verb_status, 1, "show the running daemon's status: trails, incidents, alerts" },
    { "test-alert", verb_test_alert, 1, "send a test alert through every channel, print the receipts" },
    { "accept", verb_accept, 1,
      "record the current settings as the trails' baseline" },
    { "drill", verb_drill, 1,
      "stop a trail and watch the daemon start, report, attribute it" },
    { "release", verb_release, 1, "give a contained user or role its rights again" },
    { "policy", verb_policy, 1, "print IAM policies for this configuration: guard, deny, scp" },
};

static void help(FILE *out) {
    fputs("usage: trailguard [-c FILE | --instance NAME] VERB [OPTION...]\n\n"
          "Keeps AWS CloudTrail switched on.\n\n",
          out);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
        fprintf(out, "  %-11s %s\n", verbs[i].name, verbs[i].summary);
    fputs("  help VERB   describe a verb, with examples; also trailguard VERB --help\n"
          "\n  -c, --config FILE\n"
          "              the configuration file; default " CONFIG_PATH_DEFAULT "\n"
          "  --instance NAME\n"
          "              the configuration and the state of trailguard@NAME.service\n"
          "  --version   print the version\n"
          "  --help      print this\n\n"
          "See trailguard(8) and trailguard.conf(5).\n",
          out);
}

/* If the caller has closed a standard stream, the next opened file would get its number, and then everything
 * written to that stream: the log in the lock file, a table on a connection. So these numbers are occupied
 * by a descriptor that rejects reads and writes, like a closed one. */
static void occupy_standard_streams(void) {
    int fd;

    do
        fd = open("/", O_PATH | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        (void)close(fd);
}

/* Our memory has keys: no core dump, and no ptrace by the same user. Sanitizers need ptrace. */
static void keep_secrets(void) {
    const struct rlimit no_core = { 0 };

    (void)setrlimit(RLIMIT_CORE, &no_core);
#ifndef __SANITIZE_ADDRESS__
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* The unit's. With another umask, a directory that we just created could be closed to us. */
#define OWN_UMASK 0077

/* The buffer of a written file returns to the system when it is freed. By default the first one of a size
 * would make malloc take the next ones of that size from the heap, which then never shrinks. */
#define LARGE_BUFFER (128 * 1024)

/* The result of the output: 0 or an errno value. The errno of a write before the last one is lost, but
 * another write fails in the same way. */
static int output_error(void) {
    if (fflush(stdout) != 0)
        return errno;
    if (!ferror(stdout))
        return 0;
    clearerr(stdout);
    return putchar('\n') == EOF || fflush(stdout) != 0 ? errno : EIO;
}

/* A verb whose output could not be written fails: no "all well" on a full disk. A reader that has closed the
 * pipe needs no message. */
static int end_output(const char *verb, int status, int failed_status) {
    int e = output_error();

    if (e == 0)
        return status;
    if (e != EPIPE)
        fprintf(stderr, "trailguard%s%s: the output could not be written: %s\n", verb[0] ? " " : "", verb,
                strerror(e));
    return status != EXIT_SUCCESS ? status : failed_status;
}

static int run_verb(const Verb *verb, int argc, char **argv) {
    int status;

    log_open("trailguard");
    status = end_output(verb->name, verb->run(argc, argv), verb->usage_status);
    log_close();
    return status;
}

static const Verb *find_verb(const char *name, const char **ret_nearest) {
    TextNearest nearest = { .text = name };

    for (size_t k = 0; k < ARRAY_SIZE(verbs); k++) {
        if (strcmp(name, verbs[k].name) == 0)
            return &verbs[k];
        text_nearest(&nearest, verbs[k].name);
    }
    text_nearest(&nearest, "help");
    *ret_nearest = nearest.best;
    return NULL;
}

/* `help help` or `help --help`. */
static bool is_about_help(const char *name) {
    return strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
}

/* `help`, or `help VERB`: name is NULL for the first. */
static int show_help(const char *name) {
    char option[] = "--help";
    const char *nearest = NULL;
    const Verb *verb = name ? find_verb(name, &nearest) : NULL;
    char *argv[] = { (char *)name, option, NULL };

    if (verb)
        return run_verb(verb, 2, argv);
    if (name) {
        (void)verb_usage_near("", "unknown verb", name, nearest);
        return EXIT_FAILURE;
    }
    help(stdout);
    return end_output("", EXIT_SUCCESS, EXIT_FAILURE);
}

enum { OPTION_INSTANCE = VERB_LONG_OPTIONS, OPTION_VERSION, OPTION_HELP };

/* Reads the options before the verb. -1 to continue with argv[optind]; else the exit status. */
static int take_options(int argc, char **argv) {
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "instance", required_argument, NULL, OPTION_INSTANCE },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "help", no_argument, NULL, OPTION_HELP },
        { 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "+:c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            if (!optarg[0]) {
                (void)verb_usage("", "-c needs a file", "");
                return EXIT_FAILURE;
            }
            verb_set_config_path(optarg);
            break;
        case OPTION_INSTANCE:
            if (verb_set_instance(optarg) < 0)
                return EXIT_FAILURE;
            break;
        case OPTION_VERSION:
            printf("trailguard %s\n", trailguard_version);
            return end_output("", EXIT_SUCCESS, EXIT_FAILURE);
        case 'h':
        case OPTION_HELP:
            return show_help(NULL);
        case ':':
            (void)verb_usage("", optopt == 'c' ? "-c needs a file" : "--instance needs a name", "");
            return EXIT_FAILURE;
        default:
            (void)verb_refuse_option("", argv, options);
            return EXIT_FAILURE;
        }
    }
    return -1;
}

int main(int argc, char **argv) {
    const char *nearest = NULL;
    const Verb *verb;
    int i, status;

    occupy_standard_streams();
    (void)umask(OWN_UMASK);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* above the limit a write fails, and the journal has the error */
    keep_secrets();
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BUFFER);

    status = take_options(argc, argv);
    if (status >= 0)
        return status;
    i = optind;
    if (i >= argc) {
        (void)verb_usage("", "name a verb", "");
        return 1;
    }
    if (strcmp(argv[i], "help") == 0)
        return show_help(argv[i + 1] && is_about_help(argv[i + 1]) ? NULL : argv[i + 1]);
    verb = find_verb(argv[i], &nearest);
    if (verb)
        return run_verb(verb, argc - i, argv + i);
    (void)verb_usage_near("", "unknown verb", argv[i], nearest);
    return 1;
}
