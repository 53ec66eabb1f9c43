/* SPDX-License-Identifier: Apache-2.0 */
/* Shared functions of the verbs, and the short verbs: run, config, test-alert. */
#include "daemon/cli/verbs.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "daemon/aws_setup.h"
#include "daemon/core/alert.h"
#include "daemon/io/deliver.h"
#include "daemon/log.h"
#include "daemon/version.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define INSTANCE_MAX 64 /* bytes of its name */

static const char *config_path = CONFIG_PATH_DEFAULT;

void verb_set_config_path(const char *path) {
    config_path = path;
}

/* Sets what systemd would set for the instance. The name becomes part of paths. */
int verb_set_instance(const char *name) {
    static char path[128]; /* set once, from the command line */
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-");
    char directory[128], shown[96];

    if (n == 0 || n > INSTANCE_MAX || name[n] || name[0] == '.') {
        fprintf(stderr,
                "trailguard: --instance: \"%s\" cannot be used; allowed: the NAME of "
                "trailguard@NAME.service, at most %d of A-Z a-z 0-9 _ . : -, no dot in front\n",
                text_escaped(shown, sizeof(shown), name), INSTANCE_MAX);
        return -EINVAL;
    }
    (void)snprintf(path, sizeof(path), "/etc/trailguard/%s.conf", name);
    verb_set_config_path(path);
    (void)snprintf(directory, sizeof(directory), "/var/lib/trailguard@%s", name);
    if (setenv("STATE_DIRECTORY", directory, true) < 0)
        return -errno;
    (void)snprintf(directory, sizeof(directory), "/run/trailguard@%s", name);
    return setenv("RUNTIME_DIRECTORY", directory, true) < 0 ? -errno : 0;
}

bool verb_can_redraw(FILE *stream) {
    const char *term = getenv("TERM");

    return isatty(fileno(stream)) && !(term && strcmp(term, "dumb") == 0);
}

bool verb_wants_color(FILE *stream) {
    const char *no_color = getenv("NO_COLOR");

    return verb_can_redraw(stream) && !(no_color && no_color[0]);
}

void verb_put_meant(const char *nearest, const char *instead) {
    char shown[256];

    if (nearest)
        fprintf(stderr, "; did you mean \"%s\"?", text_escaped(shown, sizeof(shown), nearest));
    else
        fputs(instead, stderr);
}

static int end_usage(const char *verb) {
    fprintf(stderr, " see trailguard %s%s--help\n", verb, verb[0] ? " " : "");
    return -EINVAL;
}

int verb_usage_near(const char *verb, const char *what, const char *argument, const char *nearest) {
    char shown[256];

    fprintf(stderr, "trailguard%s%s: %s \"%s\"", verb[0] ? " " : "", verb, what,
            text_escaped(shown, sizeof(shown), argument));
    verb_put_meant(nearest, ";");
    return end_usage(verb);
}

int verb_usage(const char *verb, const char *what, const char *argument) {
    char shown[256];

    fprintf(stderr, "trailguard%s%s: %s%s;", verb[0] ? " " : "", verb, what,
            text_escaped(shown, sizeof(shown), argument));
    return end_usage(verb);
}

/* The name in text, which is "--NAME", "--NAME=VALUE" or "-X"; truncated to size. */
static const char *option_name(const char *text, char *dst, size_t size) {
    const char *name = text + strspn(text, "-");
    size_t n = strcspn(name, "=");

    return text_copy(dst, MIN(n + 1, size), name), dst;
}

int verb_refuse_option(const char *verb, char **argv, const struct option *options) {
    char letter[] = { '-', (char)optopt, '\0' }, name[64], meant[64];
    bool is_letter = optopt > 0 && optopt < VERB_LONG_OPTIONS;
    const char *text = is_letter ? letter : argv[optind - 1];
    TextNearest nearest = { .text = option_name(text, name, sizeof(name)) };

    if (optopt >= VERB_LONG_OPTIONS)
        return verb_usage(verb, "no value allowed: --", name);
    for (const struct option *option = options; option->name; option++)
        text_nearest(&nearest, option->name);
    if (nearest.best)
        (void)snprintf(meant, sizeof(meant), "--%s", nearest.best);
    return verb_usage_near(verb, "unknown option", text, nearest.best ? meant : NULL);
}

/* The options of all verbs. `needs` is set for those with a value. */
static const struct Flag {
    const char *name;
    unsigned bits; /* of VerbTakes; the option is for verbs that have any of them; 0: for every verb */
    size_t offset;
    const char *needs;
} flags[] = {
    { "config", 0, offsetof(VerbArgs, config), "-c needs a file" },
    { "json", VERB_TAKES_JSON, offsetof(VerbArgs, json), NULL },
    { "dump", VERB_TAKES_DUMP, offsetof(VerbArgs, dump), NULL },
    { "restore", VERB_TAKES_RESTORE, offsetof(VerbArgs, restore), NULL },
    { "doctor", VERB_TAKES_DOCTOR, offsetof(VerbArgs, doctor), NULL },
    { "yes", VERB_TAKES_YES, offsetof(VerbArgs, yes), NULL },
    { "channel", VERB_TAKES_CHANNEL, offsetof(VerbArgs, channel), "--channel needs a name" },
    { "profile", VERB_TAKES_PROFILE, offsetof(VerbArgs, profile), "--profile needs a name" },
    { "problems", VERB_TAKES_FILTERS, offsetof(VerbArgs, problems), NULL },
    { "all", VERB_TAKES_FILTERS, offsetof(VerbArgs, all), NULL },
    { "watch", VERB_TAKES_FILTERS, offsetof(VerbArgs, watch), NULL },
    { "list", VERB_TAKES_LIST, offsetof(VerbArgs, list), NULL },
    { "tag", VERB_TAKES_TAG, offsetof(VerbArgs, tag), NULL },
    { "account", VERB_TAKES_FILTERS | VERB_TAKES_ACCOUNT, offsetof(VerbArgs, account),
      "--account needs an id or a name" },
    { "region", VERB_TAKES_FILTERS, offsetof(VerbArgs, region), "--region needs a region" },
    { "trail", VERB_TAKES_FILTERS, offsetof(VerbArgs, trail), "--trail needs a name or an ARN" },
};

/* The values of getopt_long(): VERB_LONG_OPTIONS plus a flag's index, a letter, or this. */
#define HELP_OPTION (VERB_LONG_OPTIONS + (int)ARRAY_SIZE(flags))

/* For getopt_long(): the verb's options, --help, and the end. */
static void list_options(unsigned takes, struct option options[static ARRAY_SIZE(flags) + 2]) {
    size_t n = 0;

    for (size_t k = 0; k < ARRAY_SIZE(flags); k++)
        if (!flags[k].bits || (takes & flags[k].bits))
            options[n++] = (struct option){
                .name = flags[k].name,
                .has_arg = flags[k].needs ? required_argument : no_argument,
                .val = VERB_LONG_OPTIONS + (int)k,
            };
    options[n++] = (struct option){ .name = "help", .has_arg = no_argument, .val = HELP_OPTION };
    options[n] = (struct option){ 0 };
}

/* c is a flag's value, or the letter of the first flag. */
static const struct Flag *find_flag(int c) {
    return &flags[c == 'c' ? 0 : c - VERB_LONG_OPTIONS];
}

int verb_parse(int argc, char **argv, unsigned takes, const char *help, VerbArgs *ret) {
    struct option options[ARRAY_SIZE(flags) + 2];
    int c;

    *ret = (VerbArgs){ .config = config_path };
    list_options(takes, options);
    optind = 0; /* starts over, even after an earlier call */
    while ((c = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (c == 'h' || c == HELP_OPTION) {
            fputs(help, stdout);
            return 0;
        }
        if (c == '?')
            return verb_refuse_option(argv[0], argv, options);
        if (c == ':' || (find_flag(c)->needs && !optarg[0]))
            return verb_usage(argv[0], find_flag(c == ':' ? optopt : c)->needs, "");
        if (find_flag(c)->needs)
            *(const char **)((char *)ret + find_flag(c)->offset) = optarg;
        else
            *(bool *)((char *)ret + find_flag(c)->offset) = true;
    }
    ret->names = argv + optind; /* getopt_long() has moved them behind the options */
    ret->n_names = (size_t)(argc - optind);
    if (ret->n_names > 0 && !(takes & VERB_TAKES_NAMES))
        return verb_usage_near(argv[0], "unexpected argument", ret->names[0], NULL);
    return 1;
}

int verb_load(const VerbArgs *args, int failed, Config **ret) {
    char error[CONFIG_ERROR_MAX];

    if (config_load(args->config, ret, error) < 0) {
        fprintf(stderr, "%s\n", error);
        return failed;
    }
    log_set_level(LOG_WARNING);
    return -1;
}

int verb_begin(int argc, char **argv, unsigned takes, const char *help, VerbArgs *args, Config **ret) {
    int r = verb_parse(argc, argv, takes, help, args);

    return r > 0 ? verb_load(args, EXIT_FAILURE, ret) : r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A longer pass is announced. */
#define LONG_USEC (30 * USEC_PER_SEC)

static void put_progress(const EngineProgress *progress) {
    char left[TIMETEXT_MAX];

    fprintf(stderr, "polling: %zu of %zu regions, %zu of %zu trails; %zu checks to come",
            progress->n_targets_polled, progress->n_targets, progress->n_trails_polled, progress->n_trails,
            progress->n_checks);
    if (progress->left_usec >= LONG_USEC)
        fprintf(stderr, "; about %s at the pace that AWS's quota allows",
                timetext_span(left, progress->left_usec));
}

static void show_progress(const EngineProgress *progress) {
    static bool shown; /* there is a line to remove */

    if (progress) {
        fputs("\r\033[K", stderr);
        put_progress(progress);
    } else if (shown)
        fputs("\r\033[K", stderr);
    shown = progress;
}

/* If the line cannot be redrawn: announces a long pass once. */
static void say_that_it_lasts(const EngineProgress *progress) {
    static bool said;

    if (said || !progress || progress->left_usec < LONG_USEC)
        return;
    said = true;
    put_progress(progress);
    fputc('\n', stderr);
}

EngineProgressed verb_progress(void) {
    return verb_can_redraw(stderr) ? show_progress : say_that_it_lasts;
}

/* ---- run ---- */

static const char run_help[] =
        "usage: trailguard run [-c FILE]\n"
        "\n"
        "Guards the trails in the foreground until SIGTERM or SIGINT. SIGHUP reads the\n"
        "configuration again. State is in $STATE_DIRECTORY (/var/lib/trailguard),\n"
        "status.json in $RUNTIME_DIRECTORY (/run/trailguard).\n"
        "Exit status: 0 after SIGTERM or SIGINT, 1 if it could not start.\n"
        "\n"
        "Examples:\n"
        "  systemctl start trailguard\n"
        "  trailguard run -c ./test.conf\n";

int verb_run(int argc, char **argv) {
    char config_error[CONFIG_ERROR_MAX], error[ENGINE_ERROR_MAX];
    EngineOptions options = { .state_dir = engine_state_dir(), .runtime_dir = engine_runtime_dir() };
    VerbArgs args;
    int r = verb_parse(argc, argv, 0, run_help, &args);

    if (r <= 0)
        return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    r = config_load(args.config, &options.config, config_error);
    if (r < 0) {
        char *rest = config_error;

        for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
            log_line(LOG_ERR, "%s", line);
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

/* ---- config ---- */

static const char config_help[] =
        "usage: trailguard config [-c FILE] [--dump]\n"
        "\n"
        "Checks the configuration file. Prints \"configuration OK\", or for each mistake\n"
        "FILE:LINE:COLUMN, the value found, what is allowed, and what was probably\n"
        "meant.\n"
        "\n"
        "  --dump   print the effective configuration, every option. Read again, it\n"
        "           dumps the same\n"
        "\n"
        "Exit status: 0 valid, 1 not.\n"
        "\n"
        "Examples:\n"
        "  trailguard config && systemctl reload trailguard\n"
        "  trailguard config --dump | grep interval\n";

int verb_config(int argc, char **argv) {
    Config *config = NULL;
    VerbArgs args;
    int r = verb_begin(argc, argv, VERB_TAKES_DUMP, config_help, &args, &config);

    if (r >= 0)
        return r;
    if (config->notes)
        fputs(config->notes, stderr);
    r = args.dump ? config_dump(config, stdout) : puts("configuration OK");
    config_free(config);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- test-alert ---- */

static const char test_alert_help[] =
        "usage: trailguard test-alert [-c FILE] [--channel NAME]\n"
        "\n"
        "Sends a test alert through every channel and prints each one's receipt or\n"
        "error. Exit status 1 when one failed.\n"
        "\n"
        "  --channel NAME   only through this one: its name, or \"TYPE:NAME\" as the\n"
        "                   journal has it\n"
        "\n"
        "Examples:\n"
        "  trailguard test-alert\n"
        "  trailguard test-alert --channel soc\n";

typedef struct Test {
    sd_event *event;
    const char *channel; /* its key */
    bool sent, good;
} Test;

static void verbs_sent(const Receipt *receipt, void *userdata) {
    Test *test = userdata;
    char text[2 * ERROR_TEXT_MAX];

    test->sent = true;
    test->good = receipt->kind == RECEIPT_DELIVERED;
    printf("%s: %s %s\n", test->channel,
           test->good ? "sent, receipt" : "FAILED:", text_escaped(text, sizeof(text), receipt->text));
    (void)sd_event_exit(test->event, 0);
}

const char *verb_who(char *dst, size_t size) {
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *pw = getpwuid(getuid());

    if (sudo && sudo[0])
        (void)snprintf(dst, size, "%.100s by sudo", sudo);
    else
        (void)snprintf(dst, size, "%.100s (uid %u)", pw ? pw->pw_name : "unknown user", (unsigned)getuid());
    return dst;
}

uint64_t verb_now_usec(void) {
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail */
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t verb_waited_usec(uint64_t since_usec) {
    struct timespec ts;

    (void)clock_gettime(CLOCK_BOOTTIME, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000 - since_usec;
}

static int compose(Alert *ret) {
    char host[256] = "unknown";
    AlertGuard guard = { .host = host, .version = trailguard_version };
    Subject subject = { .name = "", .arn = "", .account = "", .region = "" };
    Event event = {
        .kind = EVENT_GUARD_TEST, .phase = PHASE_OPENED, .severity = SEVERITY_INFO, .sequence = 1
    };

    (void)gethostname(host, sizeof(host) - 1);
    event.time_usec = verb_now_usec();
    event.opened_usec = event.dedup_usec = event.incident_dedup_usec = event.time_usec;
    return alert_compose(&guard, &subject, &event, ret);
}

/* Each channel has its own loop, so that receipts are printed in the order of the file. */
static bool test_channel(const Config *config, const ChannelConfig *channel, const char *key,
                         const Alert *alert) {
    char error[AWS_SETUP_ERROR_MAX] = "";
    Test test = { .channel = key };
    ChannelContext context;
    AwsSetup aws = { 0 };
    int r = sd_event_new(&test.event);

    if (r >= 0)
        r = aws_setup_open(test.event, config, &aws, error);
    if (r >= 0) {
        context = (ChannelContext){
            .aws = aws.client, .credentials = aws.credentials, .http = aws.http, .loop = aws.loop
        };
        r = channel_send(&context, channel, alert, verbs_sent, &test, NULL);
    }
    if (r >= 0)
        r = sd_event_loop(test.event);
    if (!test.sent)
        fprintf(stderr, "%s: %s\n", key, error[0] ? error : strerror(-r));
    aws_setup_close(&aws);
    sd_event_unref(test.event);
    return test.good;
}

/* True if --channel means this one: by its key, the part after the type, or its type. */
static bool is_named(const char *key, const char *name) {
    const char *colon = strchr(key, ':');

    return !name || text_equal(key, name) || text_equal(colon + 1, name) ||
           (strlen(name) == (size_t)(colon - key) && text_starts_with(key, name));
}

/* No channel has that name: prints the existing ones. */
static void refuse_channel(const Config *config, const char *name) {
    TextNearest nearest = { .text = name };
    char shown[2][256];

    for (size_t i = 0; i < config->n_channels; i++)
        if (config->channels[i].name)
            text_nearest(&nearest, config->channels[i].name);
    fprintf(stderr, "%s: alerts: unknown channel \"%s\"",
            text_escaped(shown[0], sizeof(shown[0]), config->path),
            text_escaped(shown[1], sizeof(shown[1]), name));
    verb_put_meant(nearest.best, ";");
    fputs(" configured:", stderr);
    for (size_t i = 0; i < config->n_channels; i++) {
        _cleanup_free_ char *key = config_channel_key(&config->channels[i]);

        fprintf(stderr, "%s %s", i == 0 ? "" : ",", key ? key : "");
    }
    fputc('\n', stderr);
}

/* True if there was one, and all of them accepted the alert. */
static bool test_channels(const Config *config, const char *name, const Alert *alert) {
    bool good = true, any = false;
    char shown[256];

    for (size_t i = 0; i < config->n_channels; i++) {
        _cleanup_free_ char *key = config_channel_key(&config->channels[i]);

        if (!key)
            return false;
        if (!is_named(key, name))
            continue;
        any = true;
        good &= test_channel(config, &config->channels[i], key, alert);
    }
    if (!any && config->n_channels == 0)
        fprintf(stderr, "%s: alerts: no channel is configured\n",
                text_escaped(shown, sizeof(shown), config->path));
    else if (!any)
        refuse_channel(config, name);
    return any && good;
}

int verb_test_alert(int argc, char **argv) {
    Config *config = NULL;
    Alert alert = { 0 };
    VerbArgs args;
    bool good = false;
    int r = verb_begin(argc, argv, VERB_TAKES_CHANNEL, test_alert_help, &args, &config);

    if (r >= 0)
        return r;
    r = compose(&alert);
    if (r < 0)
        fprintf(stderr, "trailguard test-alert: cannot compose: %s\n", strerror(-r));
    else
        good = test_channels(config, args.channel, &alert);
    alert_done(&alert);
    config_free(config);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
