/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs print, and their exit status, without AWS. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/cli/status_tables.h"
#include "daemon/cli/verbs.h"
#include "daemon/core/settings.h"
#include "daemon/io/state.h"
#include "daemon/log.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "tests/unit/between.h"
#include "tests/unit/golden_file.h"

#define ARN  "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define NOW  "2026-11-24T22:00:00Z"
#define CONF "alerts = ();\n"

/* ---- what is printed ---- */

typedef struct Printed {
    char out[65536], err[4096];
    int status;
} Printed;

static Printed printed;
static int stdout_fd, stderr_fd, out_fd, err_fd;

static void begin(void) {
    (void)fflush(NULL);
    out_fd = memfd_create("out", MFD_CLOEXEC);
    err_fd = memfd_create("err", MFD_CLOEXEC);
    stdout_fd = dup(STDOUT_FILENO);
    stderr_fd = dup(STDERR_FILENO);
    assert_true(dup2(out_fd, STDOUT_FILENO) >= 0 && dup2(err_fd, STDERR_FILENO) >= 0);
}

static void take(int fd, char *dst, size_t size) {
    ssize_t n = pread(fd, dst, size - 1, 0);

    assert_true(n >= 0);
    dst[n] = '\0';
    (void)close(fd);
}

static void end(int status) {
    (void)fflush(NULL);
    assert_true(dup2(stdout_fd, STDOUT_FILENO) >= 0 && dup2(stderr_fd, STDERR_FILENO) >= 0);
    (void)close(stdout_fd);
    (void)close(stderr_fd);
    take(out_fd, printed.out, sizeof(printed.out));
    take(err_fd, printed.err, sizeof(printed.err));
    printed.status = status;
}

/* What `status` prints of a document. */
static int show(const char *text, const VerbArgs *args, uint64_t now_usec) {
    begin();
    end(verb_status_show("status.json", text, strlen(text), args, now_usec));
    return printed.status;
}

static void has(const char *text, const char *part) {
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

/* ---- files ---- */

static char dir[64];

static void write_at(const char *name, const char *text) {
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state _unused_) {
    (void)snprintf(dir, sizeof(dir), "/tmp/test_verbs.XXXXXX");
    assert_non_null(mkdtemp(dir));
    assert_int_equal(setenv("STATE_DIRECTORY", dir, 1) | setenv("RUNTIME_DIRECTORY", dir, 1), 0);
    assert_int_equal(setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE", 1), 0);
    assert_int_equal(setenv("AWS_SECRET_ACCESS_KEY", "example", 1), 0);
    return 0;
}

static int teardown(void **state _unused_) {
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

/* Runs a verb with a configuration of that text. */
static void run(int (*verb)(int argc, char **argv), const char *conf, const char *const *args) {
    char path[128], *argv[8] = { (char *)"verb", (char *)"-c", path };
    int argc = 3;

    write_at("t.conf", conf);
    (void)snprintf(path, sizeof(path), "%s/t.conf", dir);
    for (; *args; args++)
        argv[argc++] = (char *)*args;
    begin();
    end(verb(argc, argv));
}

#define RUN(verb, conf, ...) run(verb, conf, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

/* ---- the command line ---- */

static int (*const every_verb[])(int argc, char **argv) = {
    verb_run,    verb_check,  verb_config, verb_status,  verb_test_alert,
    verb_accept, verb_policy, verb_drill,  verb_release,
};

/* A terminal's width, without a last column that some terminals wrap. */
#define HELP_WIDTH 79

static void every_verb_describes_itself(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(every_verb); i++) {
        RUN(every_verb[i], CONF, "--help");
        assert_int_equal(printed.status, 0);
        assert_int_equal(strncmp(printed.out, "usage: trailguard ", strlen("usage: trailguard ")), 0);
        assert_string_equal(printed.err, "");
        for (char *rest = printed.out, *line; (line = strsep(&rest, "\n"));)
            assert_between(strlen(line), 0, HELP_WIDTH);
    }
}

static void a_wrong_option_is_refused(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(every_verb); i++) {
        RUN(every_verb[i], CONF, "--nothing");
        assert_int_equal(printed.status, every_verb[i] == verb_check ? 3 : 1);
        assert_string_equal(printed.out, "");
        assert_string_equal(printed.err,
                            "trailguard verb: unknown option \"--nothing\"; see trailguard verb --help\n");
    }
}

/* As with every program that uses getopt_long(). */
static void an_option_may_be_written_in_several_ways(void **state _unused_) {
    static const char *const ways[][7] = {
        { "verb", "-c", "t.conf", "--account", "111122223333", "main" },
        { "verb", "-ct.conf", "--account=111122223333", "main" },
        { "verb", "main", "--config", "t.conf", "--acc", "111122223333" },
        { "verb", "--config=t.conf", "--account=111122223333", "--", "main" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        char *argv[7];
        int argc = 0;
        VerbArgs args;

        for (; ways[i][argc]; argc++)
            argv[argc] = (char *)ways[i][argc];
        argv[argc] = NULL;
        assert_int_equal(verb_parse(argc, argv, VERB_TAKES_NAMES | VERB_TAKES_ACCOUNT, "", &args), 1);
        assert_string_equal(args.config, "t.conf");
        assert_string_equal(args.account, "111122223333");
        assert_int_equal(args.n_names, 1);
        assert_string_equal(args.names[0], "main");
    }
}

static void a_wrong_configuration_is_refused(void **state _unused_) {
    for (size_t i = 0; i < ARRAY_SIZE(every_verb); i++) {
        if (every_verb[i] == verb_status) /* needs none */
            continue;
        RUN(every_verb[i], CONF "mode = 1;\n");
        assert_int_equal(printed.status, every_verb[i] == verb_check ? 3 : 1);
        has(printed.err,
            "t.conf:2:8: mode: 1 cannot be used; allowed: \"observe\", \"restart\", \"restore\"\n");
    }
}

/* ---- config, test-alert ---- */

static void config_says_ok_or_dumps(void **state _unused_) {
    RUN(verb_config, CONF);
    assert_int_equal(printed.status, 0);
    assert_string_equal(printed.out, "configuration OK\n");
    RUN(verb_config, CONF "poll_interval = 7;\n", "--dump");
    assert_int_equal(printed.status, 0);
    has(printed.out, "\npoll_interval = 7;\n");
}

static void test_alert_fails_without_a_receipt(void **state _unused_) {
    RUN(verb_test_alert, CONF);
    assert_int_equal(printed.status, 1);
    has(printed.err, "t.conf: alerts: no channel is configured\n");
    RUN(verb_test_alert,
        "alerts = ( { type = \"sns\"; topic_arn = \"arn:aws:sns:eu-central-1:111122223333:alerts\"; } );\n"
        "aws = { endpoint_url = \"http://127.0.0.1:1\"; max_attempts = 1; };\n");
    assert_int_equal(printed.status, 1);
    has(printed.out, "arn:aws:sns:eu-central-1:111122223333:alerts: FAILED: ");
}

/* ---- status ---- */

#define DOCUMENT(changes)                                                                                   \
    "{\"line\": \"guarding 1 trail\", \"updated\": \"" NOW "\", \"poll_interval\": 10, \"problem\": null,"  \
    " \"pass\": {\"ended\": \"" NOW "\"}, \"organization\": {\"error\": \"\"}" changes "}"
#define TRAIL(members)                                                                                      \
    ", \"trails\": [{\"name\": \"main\", \"region\": \"eu-central-1\", \"account\": "                       \
    "\"111122223333\", " members "}]"

static const struct {
    const char *name, *document, *out;
    int status;
} statuses[] = {
    { "well", DOCUMENT(TRAIL("\"verdict\": \"logging\", \"start_logging\": \"" NOW "\"")),
      "guarding 1 trail\n"
      "\n"
      "TRAIL  HOME          ACCOUNT       VERDICT    DETAIL\n"
      "main   eu-central-1  111122223333  logging    since " NOW "\n",
      0 },
    { "protected", DOCUMENT(TRAIL("\"verdict\": \"protected\"")), NULL, 0 },
    { "an incident with everything",
      DOCUMENT(TRAIL("\"verdict\": \"weakened\", \"findings\": [\"weakened\", \"changed\", \"stale\"],"
                     "\"not_recorded\": [\"Tags\"], \"incident\": {\"id\": \"i-1\", \"opened\": \"" NOW "\","
                     "\"changes\": [{\"field\": \"S3BucketName\"}, {\"field\": \"KmsKeyId\"}],"
                     "\"failure\": {\"action\": \"restore\", \"attempts\": 3, \"time\": \"" NOW
                     "\", \"text\": \"AccessDenied\\u001b[2J\"},"
                     "\"actor\": {\"arn\": \"arn:aws:iam::111122223333:user/bob\", \"source_ip\": "
                     "\"198.51.100.7\", \"event_name\": \"UpdateTrail\", \"event_time\": \"" NOW "\"}}")),
      "guarding 1 trail\n"
      "\n"
      "TRAIL  HOME          ACCOUNT       VERDICT    DETAIL\n"
      "main   eu-central-1  111122223333  weakened   stale  changed: S3BucketName, KmsKeyId  not recorded "
      "yet: Tags  incident i-1 since " NOW "\n"
      "    restore failed, attempt 3 at " NOW ": AccessDenied\\x1b[2J\n"
      "    caused by arn:aws:iam::111122223333:user/bob from 198.51.100.7, UpdateTrail at " NOW "\n"
      "    next: put the settings back; if they may stay: trailguard accept main\n",
      2 },
    { "a gap that is open",
      DOCUMENT(", \"mode\": \"observe\"" TRAIL(
              "\"verdict\": \"stopped\", \"incident\": {\"id\": \"i-1\","
              "\"opened\": \"2026-11-24T21:00:00Z\", \"gap\": {\"from\": \"2026-11-24T20:59:00Z\", \"to\": "
              "null}}")),
      "guarding 1 trail\n"
      "\n"
      "TRAIL  HOME          ACCOUNT       VERDICT    DETAIL\n"
      "main   eu-central-1  111122223333  stopped    incident i-1 since 2026-11-24T21:00:00Z\n"
      "    gap: not recorded from 2026-11-24T20:59:00Z on (1 h 1 min)\n"
      "    next: start it: aws cloudtrail start-logging --name main --region eu-central-1\n",
      2 },
    { "no verdict", DOCUMENT(TRAIL("\"verdict\": 5")), NULL, 2 },
    { "targets",
      DOCUMENT(", \"targets\": [{\"account\": \"111122223333\", \"region\": \"us-east-1\", \"state\": "
               "\"well\"},"
               "{\"account\": \"111122223333\", \"region\": \"us-west-2\", \"state\": \"unreachable\","
               "\"error\": \"timeout\", \"cause\": \"unreachable\"}]"),
      "guarding 1 trail\n"
      "\n"
      "ACCOUNT       REGION     STATE\n"
      "111122223333  us-west-2  unreachable: timeout\n"
      "    next: correct network, DNS, proxy or CA bundle: trailguard check --doctor names what fails\n",
      2 },
    { "targets with one next step, and with several",
      DOCUMENT(", \"targets\": ["
               "{\"account\": \"1\", \"region\": \"a\", \"identity\": \"arn:x\", \"state\": "
               "\"unreachable\", \"cause\": \"denied\", \"error\": \"AccessDenied\"},"
               "{\"account\": \"1\", \"region\": \"b\", \"identity\": \"arn:x\", \"state\": "
               "\"unreachable\", \"cause\": \"denied\", \"error\": \"AccessDenied\"},"
               "{\"account\": \"2\", \"region\": \"a\", \"identity\": \"arn:y\", \"state\": "
               "\"unreachable\", \"cause\": \"denied\", \"error\": \"AccessDenied\"},"
               "{\"account\": \"3\", \"region\": \"\", \"state\": \"unreachable\", \"cause\": "
               "\"denied\", \"error\": \"AssumeRole: AccessDenied\"},"
               "{\"account\": \"4\", \"region\": \"a\", \"state\": \"unreachable\", \"cause\": "
               "\"credentials\", \"error\": \"ExpiredToken\"},"
               "{\"account\": \"5\", \"region\": \"a\", \"state\": \"unreachable\", \"cause\": "
               "\"service\", \"error\": \"InternalError\"},"
               "{\"account\": \"6\", \"region\": \"a\", \"state\": \"list unreadable\", \"cause\": "
               "\"denied\", \"error\": \"AccessDenied\"}]"),
      "guarding 1 trail\n"
      "\n"
      "ACCOUNT  REGION  STATE\n"
      "1        a       unreachable: AccessDenied\n"
      "1        b       unreachable: AccessDenied\n"
      "    next: give arn:x its rights back: trailguard policy guard prints the policy\n"
      "2        a       unreachable: AccessDenied\n"
      "    next: give arn:y its rights back: trailguard policy guard prints the policy\n"
      "3                unreachable: AssumeRole: AccessDenied\n"
      "    next: correct the role, its trust policy or the keys: trailguard check --doctor names what "
      "fails\n"
      "4        a       unreachable: ExpiredToken\n"
      "    next: correct the keys or the clock, or enable the region: trailguard check --doctor names what "
      "fails\n"
      "5        a       unreachable: InternalError\n"
      "    next: wait, TrailGuard retries at least once a minute; trailguard check --doctor names what "
      "fails\n"
      "6        a       list unreadable: AccessDenied\n"
      "    next: allow cloudtrail:DescribeTrails: trailguard policy guard prints the policy\n",
      2 },
    { "stretched",
      DOCUMENT(", \"targets\": [{\"account\": \"111122223333\", \"region\": \"us-east-1\", \"state\": "
               "\"well\","
               "\"poll_interval\": 30}]"),
      "guarding 1 trail\n"
      "\n"
      "ACCOUNT       REGION     STATE\n"
      "111122223333  us-east-1  well, polled every 30 s\n",
      0 },
    { "uncovered",
      DOCUMENT(", \"targets\": [{\"account\": \"111122223333\", \"region\": \"us-east-1\", \"state\": "
               "\"well\","
               "\"uncovered\": true}]"),
      "guarding 1 trail\n"
      "\n"
      "ACCOUNT       REGION     STATE\n"
      "111122223333  us-east-1  well, no trail records it\n"
      "    next: create a trail that records it, or list in regions only those that need one\n",
      2 },
    { "list unreadable", DOCUMENT(", \"targets\": [{\"state\": \"list unreadable\"}]"), NULL, 2 },
    { "a channel and the outbox",
      DOCUMENT(", \"channels\": [{\"channel\": \"a\"}, {\"channel\": \"b\", \"failed\": true, \"text\": "
               "\"NotFound\"}], \"outbox\": {\"depth\": 2}"),
      "guarding 1 trail\n"
      "\n"
      "channel b fails: NotFound\n"
      "\n"
      "2 alerts wait in the outbox\n",
      2 },
    { "who is contained",
      DOCUMENT(", \"contained\": [{\"arn\": \"arn:aws:iam::111122223333:user/bob\", \"state\": "
               "\"contained\", "
               "\"since\": \"" NOW "\", \"reason\": \"a war over main\", \"error\": \"\", "
               "\"release\": \"sudo trailguard release --account 111122223333 user/bob\"}]"),
      "guarding 1 trail\n"
      "\n"
      "CONTAINED\n"
      "arn:aws:iam::111122223333:user/bob  since " NOW "  contained, because of a war over main\n"
      "    until you run: sudo trailguard release --account 111122223333 user/bob\n",
      0 },
    { "who is not contained yet",
      DOCUMENT(", \"contained\": [{\"arn\": \"bob\", \"state\": \"not contained yet\", "
               "\"since\": \"" NOW
               "\", \"reason\": \"a war\", \"error\": \"PutUserPolicy: AccessDenied\\u001b\", "
               "\"release\": \"x\"}]"),
      "guarding 1 trail\n"
      "\n"
      "CONTAINED\n"
      "bob  since " NOW "  not contained yet, because of a war\n"
      "    until you run: x\n"
      "    PutUserPolicy: AccessDenied\\x1b\n",
      2 },
    { "lost rights",
      DOCUMENT(", \"rights_lost\": [{\"arn\": \"arn:aws:iam::111122223333:user/guard\", \"since\": \"" NOW
               "\", "
               "\"severity\": \"critical\", \"text\": \"cloudtrail:StartLogging on *\"}]"),
      "guarding 1 trail\n"
      "\n"
      "RIGHTS THAT THE GUARD LACKS\n"
      "arn:aws:iam::111122223333:user/guard  since " NOW "  critical\n"
      "    cloudtrail:StartLogging on *\n"
      "    give them back: trailguard policy guard prints the policy\n",
      2 },
    { "the organization",
      "{\"line\": \"x\", \"updated\": \"" NOW "\", \"problem\": null, \"pass\": {\"ended\": \"" NOW
      "\"}, \"organization\": {\"error\": \"AccessDenied\"}}",
      "x\n"
      "\n"
      "the organization's accounts cannot be listed: AccessDenied\n",
      2 },
    { "no pass yet",
      "{\"line\": \"x\", \"updated\": \"" NOW "\", \"problem\": null, \"pass\": {\"ended\": null}}", "x\n",
      2 },
    { "a problem",
      "{\"line\": \"x\", \"updated\": \"" NOW
      "\", \"problem\": \"no credentials\", \"pass\": {\"ended\": \"" NOW "\"}}",
      "x\n", 2 },
    { "the state directory", DOCUMENT(", \"state_directory\": \"read-only\""), NULL, 2 },
    { "no document", "[]", "", 2 },
};

static void status_shows_the_document(void **state _unused_) {
    uint64_t now;

    assert_int_equal(timetext_parse_iso(NOW, &now), 0);
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        const char *text = statuses[i].document;

        const VerbArgs plain = { 0 }, json = { .json = true };

        if (show(text, &plain, now) != statuses[i].status)
            fail_msg("%s: exit %d", statuses[i].name, printed.status);
        if (statuses[i].out && statuses[i].out[0]) {
            const char *health = statuses[i].status == 0 ? "well: " : "trouble: ";

            assert_int_equal(strncmp(printed.out, health, strlen(health)), 0);
            assert_string_equal(printed.out + strlen(health), statuses[i].out);
        }
        assert_int_equal(show(text, &json, now + 89 * USEC_PER_SEC), statuses[i].status);
        assert_int_equal(show(text, &json, now + 91 * USEC_PER_SEC), 2); /* three intervals and a minute */
    }
}

/* The file was changed at NOW. The daemon's own members stand in front of each line's. */
static void status_says_what_is_not_in_force(void **state _unused_) {
    static const struct {
        const char *name, *modified, *line; /* line: behind the path */
    } ages[] = {
        { "t.conf", NOW, NULL },
        { "t.conf", "2026-11-24T21:59:59Z",
          " is of " NOW "; the daemon uses that of 2026-11-24T21:59:59Z: "
          "run trailguard config, then reload it\n" },
        /* an older file that was put back is another one, too */
        { "t.conf", "2026-11-25T00:00:00Z",
          " is of " NOW "; the daemon uses that of 2026-11-25T00:00:00Z: "
          "run trailguard config, then reload it\n" },
        { "none.conf", NOW, " is gone; the daemon uses what it read\n" },
    };
    char path[128], document[1024], expected[512];
    struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
    uint64_t now;

    assert_int_equal(timetext_parse_iso(NOW, &now), 0);
    times[1].tv_sec = (time_t)(now / USEC_PER_SEC);
    write_at("t.conf", CONF);
    (void)snprintf(path, sizeof(path), "%s/t.conf", dir);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
        (void)snprintf(document, sizeof(document),
                       DOCUMENT(", \"version\": \"1.2+git3.abc\", \"started\": \"" NOW
                                "\", \"configuration\": "
                                "{\"path\": \"%s/%s\", \"modified\": \"%s\"}"),
                       dir, ages[i].name, ages[i].modified);
        (void)snprintf(expected, sizeof(expected),
                       "well: guarding 1 trail\n\nTrailGuard 1.2+git3.abc, started " NOW "\n%s%s%s%s",
                       ages[i].line ? dir : "", ages[i].line ? "/" : "", ages[i].line ? ages[i].name : "",
                       ages[i].line ? ages[i].line : "");
        /* a reason to act, and no trouble */
        assert_int_equal(show(document, &(const VerbArgs){ 0 }, now), 0);
        assert_string_equal(printed.out, expected);
    }
}

static void status_needs_the_daemon(void **state _unused_) {
    char *argv[] = { (char *)"status", NULL };
    int fd = -1, pid = 0;

    begin();
    end(verb_status(1, argv));
    assert_int_equal(printed.status, 3);
    has(printed.err, "trailguard is not running (no process holds ");
    assert_int_equal(state_lock(dir, &fd, &pid), 0);
    begin();
    end(verb_status(1, argv));
    assert_int_equal(printed.status, 3);
    has(printed.err, "status.json: No such file");
    write_at("status.json", DOCUMENT(""));
    begin();
    end(verb_status(1, argv));
    assert_int_equal(printed.status, 2);
    assert_string_equal(printed.out, "trouble: guarding 1 trail\n");
    has(printed.err, "status.json: last written " NOW
                     ": the daemon makes no progress; its journal says why\n");
    (void)close(fd);
}

/* A document of that many trails, of which every 100th is stopped, and the last missing. */
static char *many_trails(unsigned n) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    fputs("{\"line\": \"guarding\", \"updated\": \"" NOW "\", \"poll_interval\": 10, \"problem\": null,"
          "\"pass\": {\"ended\": \"" NOW
          "\"}, \"accounts\": [{\"id\": \"111122223333\", \"name\": \"prod\"},"
          "{\"id\": \"444455556666\", \"name\": \"dev\"}], \"targets\": [],"
          "\"channels\": [{\"channel\": \"sns:t\", \"failed\": true, \"text\": \"denied\"}], \"trails\": [",
          out);
    for (unsigned i = 1; i <= n; i++)
        fprintf(out,
                "%s{\"name\": \"trail-%05u\", \"arn\": \"arn-%u\", \"region\": \"%s\", \"account\": \"%s\", "
                "\"verdict\": \"%s\"}",
                i > 1 ? "," : "", i, i, i % 2 ? "eu-central-1" : "us-east-1",
                i % 3 ? "111122223333" : "444455556666",
                i == n         ? "missing"
                : i % 100 == 0 ? "stopped"
                               : "logging");
    fputs("]}", out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static unsigned lines_with(const char *text, const char *part) {
    unsigned n = 0;

    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static void status_is_readable_with_any_number_of_trails(void **state _unused_) {
    static const struct {
        unsigned n, shown, bad;
        const char *rest; /* "": all are shown */
    } cases[] = {
        { 1, 1, 1, "" },
        { 20, 20, 1, "" },
        { 300, 3, 3, "\n297 of 300 trails are not shown, 0 of them not well; --all shows them\n" },
        { 10000, 100, 100, "\n9900 of 10000 trails are not shown, 0 of them not well; --all shows them\n" },
    };
    uint64_t now;

    assert_int_equal(timetext_parse_iso(NOW, &now), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = many_trails(cases[i].n);
        const VerbArgs plain = { 0 }, problems = { .problems = true };

        assert_int_equal(show(text, &plain, now), 2);
        assert_int_equal(lines_with(printed.out, "\ntrail-"), cases[i].shown);
        has(printed.out, cases[i].rest);
        /* the missing one comes first, then those that are stopped */
        assert_int_equal(lines_with(strstr(printed.out, " missing "), "\ntrail-"), cases[i].shown - 1);
        assert_int_equal(lines_with(strstr(printed.out, " missing "), " stopped "), cases[i].bad - 1);
        (void)show(text, &problems, now);
        assert_int_equal(lines_with(printed.out, "\ntrail-"), cases[i].bad);
    }
}

static void status_filters(void **state _unused_) {
    static const struct {
        VerbArgs args;
        int status;
        unsigned shown;
        const char *err, *first;
    } cases[] = {
        { { .account = "444455556666" },
          0,
          6,
          "",
          "well: the filters match 6 trails, 0 regions; 0 not well\n" },
        { { .account = "dev", .all = true }, 0, 6, "", NULL },
        { { .account = "prod" },
          2,
          14,
          "",
          "trouble: the filters match 14 trails, 0 regions; 1 not well\n" },
        { { .region = "us-east-1" }, 2, 10, "", NULL },
        { { .region = "eu-central-1", .account = "prod" }, 0, 7, "", NULL },
        { { .trail = "trail-00020" }, 2, 1, "", NULL },
        { { .trail = "arn-19" }, 0, 1, "", "well: the filters match 1 trail, 0 regions; 0 not well\n" },
        { { .trail = "trail-00019", .problems = true }, 0, 0, "", NULL },
        { { .trail = "trial-00019" },
          1,
          0,
          "trailguard status: no trail \"trial-00019\" is guarded; did you mean \"trail-00019\"?\n",
          NULL },
        { { .region = "us-aest-1" },
          1,
          0,
          "trailguard status: no region \"us-aest-1\" is guarded; did you mean \"us-east-1\"?\n",
          NULL },
        { { .account = "production" },
          1,
          0,
          "trailguard status: no account \"production\" is guarded\n",
          NULL },
        { { .account = "prdo" },
          1,
          0,
          "trailguard status: no account \"prdo\" is guarded; did you mean \"prod\"?\n",
          NULL },
    };
    _cleanup_free_ char *text = many_trails(20);
    uint64_t now;

    assert_int_equal(timetext_parse_iso(NOW, &now), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        VerbArgs json = cases[i].args;
        json_t *document;

        if (show(text, &cases[i].args, now) != cases[i].status ||
            lines_with(printed.out, "\ntrail-") != cases[i].shown)
            fail_msg("%zu: exit %d\n%s", i, printed.status, printed.out);
        assert_string_equal(printed.err, cases[i].err);
        if (cases[i].first && !text_starts_with(printed.out, cases[i].first))
            fail_msg("%s\ndoes not begin with\n%s", printed.out, cases[i].first);
        assert_null(strstr(printed.out, "sns:t")); /* a channel is of no account */
        json.json = true;
        if (cases[i].status == 1 || json.problems)
            continue;
        assert_int_equal(show(text, &json, now), cases[i].status);
        document = json_loads(printed.out, 0, NULL);
        assert_int_equal(json_array_size(json_object_get(document, "trails")), cases[i].shown);
        json_decref(document);
    }
}

/* No line of the table is wider than the terminal; the detail goes below, and long names lose their
 * middle. */
static void status_fits_the_terminal(void **state _unused_) {
    static const char text[] =
            "{\"mode\": \"restart\", \"trails\": [{\"name\": "
            "\"a-very-long-name-of-a-trail-that-needs-room-of-its-own-1\",\"region\": \"ap-southeast-2\", "
            "\"account\": \"111122223333\", \"verdict\": \"stopped\","
            "\"incident\": {\"id\": \"0123456789abcdef\", \"opened\": \"" NOW "\"}},"
            "{\"name\": \"main\", \"region\": \"us-east-1\", \"account\": \"111122223333\", \"verdict\": "
            "\"logging\","
            "\"start_logging\": \"" NOW "\"}]}";
    StatusView view = { .columns = 80 };
    json_t *status = json_loads(text, 0, NULL);

    begin();
    status_print(stdout, status, &view);
    end(0);
    json_decref(status);
    assert_int_equal(strncmp(printed.out, "\nTRAIL ", 7), 0);
    has(printed.out, "\na-very-long-na...m-of-its-own-1  ap-southeast-2  111122223333  stopped    \n"
                     "    incident 0123456789abcdef since " NOW "\n    next: ");
    has(printed.out, "\nmain  ");
}

/* ---- what is wrong with a command line ---- */

static void wrong_command_lines_are_golden(void **state _unused_) {
    static const struct {
        const char *name;
        int (*verb)(int argc, char **argv);
        const char *args[4];
    } cases[] = {
        { "run", verb_run, { "--jsno" } },
        { "run", verb_run, { "-c" } },
        { "check", verb_check, { "--jsno" } },
        { "check", verb_check, { "--resotre" } },
        { "check", verb_check, { "main" } },
        { "check", verb_check, { "--json=1" } },
        { "check", verb_check, { "--re\x1b=1" } },
        { "check", verb_check, { "-x" } },
        { "check", verb_check, { "-\xff" } },
        { "check", verb_check, { "--", "--json" } },
        { "check", verb_check, { "--doctr" } },
        { "check", verb_check, { "--doctor", "--restore" } },
        { "config", verb_config, { "--dmp" } },
        { "config", verb_config, { "-c" } },
        { "config", verb_config, { "-c", "/nonexistent/t.conf" } },
        { "status", verb_status, { "--probelms" } },
        { "status", verb_status, { "--acount" } },
        { "status", verb_status, { "--acount=111122223333" } },
        { "status", verb_status, { "--account" } },
        { "status", verb_status, { "--region" } },
        { "status", verb_status, { "--trail" } },
        { "status", verb_status, { "--watch" } },
        { "status", verb_status, { "--watch", "--json" } },
        { "status", verb_status, { "\x1b[2J" } },
        { "status", verb_status, { "--hlep" } },
        { "test-alert", verb_test_alert, { "--chanel" } },
        { "test-alert", verb_test_alert, { "--channel" } },
        { "test-alert", verb_test_alert, { "-c", "CONF", "--channel", "scc" } },
        { "test-alert", verb_test_alert, { "-c", "EMPTY" } },
        { "accept", verb_accept, { "--ys" } },
        { "drill", verb_drill, { "-c", "CONF" } },
        { "drill", verb_drill, { "--profiel" } },
        { "drill", verb_drill, { "--profile" } },
        { "drill", verb_drill, { "--tga" } },
        { "drill", verb_drill, { "-c", "CONF", "--tag" } },
        { "drill", verb_drill, { "-c", "CONF", "main", "audit" } },
        { "release", verb_release, { "-c", "CONF" } },
        { "release", verb_release, { "-c", "CONF", "--list", "bob" } },
        { "release", verb_release, { "-c", "CONF", "bob", "eve" } },
        { "policy", verb_policy, { "-c", "CONF" } },
        { "policy", verb_policy, { "-c", "CONF", "gaurd" } },
        { "policy", verb_policy, { "-c", "CONF", "everything" } },
        { "policy", verb_policy, { "guard", "deny", "-c", "CONF" } },
    };
    StrBuf golden = STRBUF_INIT(GOLDEN_TEXT_LEN);
    char path[128], empty[128];

    write_at("t.conf",
             "alerts = ( { type = \"webhook\"; name = \"soc\"; url = \"https://a.example/SECRET\"; } );\n");
    write_at("empty.conf", CONF);
    (void)snprintf(path, sizeof(path), "%s/t.conf", dir);
    (void)snprintf(empty, sizeof(empty), "%s/empty.conf", dir);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *argv[8] = { (char *)cases[i].name };
        int argc = 1;

        (void)strbuf_addf(&golden, "$ trailguard %s", cases[i].name);
        for (size_t k = 0; k < 4 && cases[i].args[k]; k++) {
            const char *arg = cases[i].args[k];

            (void)strbuf_add_char(&golden, ' ');
            (void)text_escape(&golden, arg, 100);
            argv[argc++] = strcmp(arg, "CONF") == 0 ? path : strcmp(arg, "EMPTY") == 0 ? empty : (char *)arg;
        }
        begin();
        end(cases[i].verb(argc, argv));
        assert_string_equal(printed.out, "");
        for (char *at; (at = strstr(printed.err, dir));)
            memmove(at, at + strlen(dir), strlen(at + strlen(dir)) + 1);
        (void)strbuf_addf(&golden, "\n%sexit status %d\n\n", printed.err, printed.status);
        assert_null(strstr(printed.err, "SECRET"));
    }
    if (golden_check("errors.verbs.txt", &golden) != 0)
        assert_true(golden_updates());
    strbuf_done(&golden);
}

static void config_notes_a_mistyped_region(void **state _unused_) {
    RUN(verb_config, CONF "regions = [ \"eu-centrall-1\", \"eu-central-9\", \"us-east-1\" ];\n");
    assert_int_equal(printed.status, 0);
    assert_string_equal(printed.out, "configuration OK\n");
    has(printed.err,
        "t.conf:2:13: note: regions: this version knows no region \"eu-centrall-1\"; did you mean "
        "\"eu-central-1\"?\n");
    assert_null(strstr(printed.err, "eu-central-9"));
    RUN(verb_config,
        CONF "accounts = ( { regions = [ \"us-east-1\",\n  \"us-eastt-1\", \"eu-westt-1\" ]; } );\n");
    assert_int_equal(printed.status, 0);
    has(printed.err,
        "t.conf:3:3: note: accounts.regions: this version knows no region \"us-eastt-1\"; did you "
        "mean \"us-east-1\"?\n");
    has(printed.err, "t.conf:3:17: note: accounts.regions: this version knows no region \"eu-westt-1\"; ");
    RUN(verb_config, "alerts = ( { type = \"sns\";\n"
                     "  topic_arn = \"arn:aws:sns:eu-centrall-1:111122223333:trailguard\"; } );\n");
    assert_int_equal(printed.status, 0);
    has(printed.err,
        "t.conf:2:15: note: alerts.topic_arn: this version knows no region \"eu-centrall-1\"; did you mean "
        "\"eu-central-1\"?\n");
}

static void config_notes_a_trail_of_the_name_all(void **state _unused_) {
    RUN(verb_config, CONF "trails = [ \"main\", \"all\" ];\n");
    assert_int_equal(printed.status, 0);
    assert_string_equal(printed.out, "configuration OK\n");
    has(printed.err,
        "t.conf:2:20: note: trails: [ \"all\" ] is the trail named \"all\"; for every trail write \"all\" "
        "without brackets\n");
}

/* ---- check ---- */

typedef struct World {
    TrailState trail, before;
    TargetState target;
    StatusTrail trails[1];
    StatusTarget targets[1];
    StatusDenial denials[1];
    Status status;
} World;

static void make_world(World *w) {
    *w = (World){ .trail = { .known = true, .verdict = VERDICT_LOGGING, .start_usec = 1000 * USEC_PER_SEC },
                  .target = { .ever_reachable = true, .covered = true, .listed = true },
                  .denials = { { .account = "111122223333",
                                 .region = "eu-central-1",
                                 .action = "cloudtrail:ListTags",
                                 .resource = ARN } } };
    w->trails[0] = (StatusTrail){
        .subject = { .name = "main", .arn = ARN, .account = "111122223333", .region = "eu-central-1" },
        .state = &w->trail,
        .incident_id = "",
        .has_baseline = true,
    };
    w->targets[0] = (StatusTarget){
        .subject = { .name = "", .arn = "", .account = "111122223333", .region = "eu-central-1" },
        .state = &w->target,
        .identity = "arn:aws:iam::111122223333:user/guard",
        .interval_usec = 10 * USEC_PER_SEC,
        .calls_per_month = 302400,
    };
    w->status = (Status){ .version = "1",
                          .poll_interval_sec = 10,
                          .trails = w->trails,
                          .n_trails = 1,
                          .targets = w->targets,
                          .n_targets = 1,
                          .denials = w->denials,
                          .organization_error = "",
                          .record_problem = "",
                          .state_dir = "/var/lib/trailguard",
                          .has_state_file = true,
                          .protection = { .principal = "arn:aws:iam::111122223333:user/guard",
                                          .account = "111122223333",
                                          .account_guarded = true } };
}

static void check(World *w, bool json, bool restore) {
    VerbArgs args = { .json = json, .restore = restore };

    begin();
    end(verb_check_show(&w->status, &args));
}

static void is_stopped(World *w) {
    w->trail.verdict = VERDICT_STOPPED;
    w->trail.findings = FINDING_BIT(FINDING_STOPPED);
}

static void is_changed(World *w) {
    w->trail.findings = FINDING_BIT(FINDING_CHANGED);
}

static void is_unknown(World *w) {
    w->trail.verdict = VERDICT_UNKNOWN;
}

static void has_damaged_baseline(World *w) {
    w->trails[0].has_baseline = false;
    w->trails[0].baseline_unreadable = true;
}

static void has_no_baseline(World *w) {
    w->trails[0].has_baseline = false;
}

static void has_no_state(World *w) {
    w->status.has_state_file = false;
}

static void has_damaged_state(World *w) {
    w->status.record_problem = "state.json: damaged";
}

static void has_no_trail(World *w) {
    w->status.n_trails = 0;
}

static void is_unreachable(World *w) {
    w->target = (TargetState){ .unreachable = true };
    w->targets[0].calls_per_month = 0;
}

static void is_uncovered(World *w) {
    w->target.cover.open = true;
}

static void is_denied(World *w) {
    w->status.n_denials = 1;
}

static void is_stretched(World *w) {
    w->targets[0].interval_usec = 30 * USEC_PER_SEC;
}

static void was_interrupted(World *w) {
    w->before = w->trail;
    w->trail.stop_usec = 1060 * USEC_PER_SEC;
    w->trail.start_usec = 1090 * USEC_PER_SEC;
    w->trails[0].before = &w->before;
}

static void was_replaced(World *w) {
    w->before = w->trail;
    w->before.stop_usec = 900 * USEC_PER_SEC;
    w->trail.start_usec = 1090 * USEC_PER_SEC;
    w->trails[0].before = &w->before;
}

static const struct {
    void (*change)(World *w);
    int status;
    const char *out;
} checks[] = {
    { is_stopped, 2, "\ncritical; this configuration makes" },
    { is_stopped, 2, " | trails=1;;;0 not_well=1;;0;0 " },
    { is_uncovered, 1, " uncovered=1;0;;0 " },
    { is_changed, 1, "\nwarning; " },
    { is_unknown, 3, "\nunknown; " },
    { has_damaged_baseline, 3, "\nbaseline cannot be read, and nothing was compared with it: main\n" },
    { has_no_baseline, 0,
      "\nno baseline to compare with: main; the daemon records one at its first complete poll\n" },
    { has_no_state, 0, "\nno state to compare with: /var/lib/trailguard/state.json is not there" },
    { has_damaged_state, 3, "what was guarded is not known" },
    { has_no_trail, 3, "\nunknown; " },
    { is_unreachable, 3, "how many calls to AWS this configuration makes is not known" },
    { is_uncovered, 1, "\nwarning; " },
    { is_denied, 3,
      "\nMISSING PERMISSIONS\ncloudtrail:ListTags on " ARN ", in 111122223333 eu-central-1\n" },
    { is_stretched, 0, "\neu-central-1 111122223333: polled every 30 s, not every 10 s: " },
    { was_interrupted, 2,
      "\nmain eu-central-1 111122223333: logging was interrupted from 1970-01-01T00:17:40Z to "
      "1970-01-01T00:18:10Z (30 s) since the daemon polled it last; the daemon reports it at its next "
      "poll\n" },
    { was_replaced, 2,
      "\nmain eu-central-1 111122223333: it was deleted and created again since the daemon" },
};

static void check_judges_and_shows(void **state _unused_) {
    World w;

    make_world(&w);
    check(&w, false, false);
    assert_int_equal(printed.status, 0);
    has(printed.out, "TRAIL  HOME          ACCOUNT       VERDICT    DETAIL\n"
                     "main   eu-central-1  111122223333  logging    ");
    assert_int_equal(strncmp(printed.out, "TRAILGUARD OK - starting: ", 26), 0);
    has(printed.out, " | trails=1;;;0 not_well=0;;0;0 targets=1;;;0 unreachable=0;;;0 uncovered=0;0;;0 "
                     "missing_permissions=0;;;0 calls_per_month=302400;;;0\n");
    has(printed.out, "ACCOUNT       REGION        IDENTITY                              STATE\n"
                     "111122223333  eu-central-1  arn:aws:iam::111122223333:user/guard  well\n"
                     "\nPROTECTION OF THE GUARD\n"
                     "problem  arn:aws:iam::111122223333:user/guard is in 111122223333, which it guards: ");
    has(printed.out, "-> set heartbeat to an outside dead-man switch\n"
                     "\nok; this configuration makes about 302400 calls to AWS a month\n");
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        make_world(&w);
        checks[i].change(&w);
        check(&w, false, false);
        if (printed.status != checks[i].status)
            fail_msg("%zu: exit %d\n%s", i, printed.status, printed.out);
        has(printed.out, checks[i].out);
    }
}

static void check_of_a_restore_counts_what_holds_after_it(void **state _unused_) {
    World w;

    make_world(&w);
    was_interrupted(&w);
    check(&w, false, true);
    assert_int_equal(printed.status, 0);
}

static void check_prints_a_document(void **state _unused_) {
    const json_t *first;
    json_t *document;
    World w;

    make_world(&w);
    was_replaced(&w);
    is_denied(&w);
    check(&w, true, false);
    document = json_loads(printed.out, 0, NULL);
    assert_non_null(document);
    assert_string_equal(json_string_value(json_object_get(document, "schema")), "trailguard.check/1");
    assert_string_equal(json_string_value(json_object_get(document, "result")), "critical");
    assert_int_equal(json_integer_value(json_object_get(document, "calls_per_month")), 302400);
    assert_int_equal(json_array_size(json_object_get(document, "missing_permissions")), 1);
    assert_string_equal(json_string_value(json_object_get(
                                json_array_get(json_object_get(document, "missed"), 0), "what")),
                        "replaced");
    first = json_array_get(json_object_get(document, "protection"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "about")), "account");
    assert_string_equal(json_string_value(json_object_get(first, "state")), "problem");
    assert_true(json_is_string(json_object_get(first, "advice")));
    json_decref(document);
}

/* ---- accept ---- */

static EngineSettings row(const Settings *recorded, const Settings *now) {
    return (EngineSettings){
        .subject = { .name = "main", .arn = ARN, .account = "111122223333", .region = "eu-central-1" },
        .recorded = recorded,
        .actual = now,
        .error = "",
    };
}

static Settings settings_of(const char *bucket) {
    Settings s = { 0 };

    assert_int_equal(settings_set(&s, FIELD_BUCKET, bucket), 0);
    assert_int_equal(settings_set(&s, FIELD_MULTI_REGION, "true"), 0);
    return s;
}

static void accept(const EngineSettings *of, bool yes, const char *name) {
    char *names[] = { (char *)name };
    VerbArgs args = { .yes = yes, .names = names, .n_names = name ? 1 : 0 };
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC), saved = dup(STDIN_FILENO);

    assert_true(dup2(in, STDIN_FILENO) >= 0);
    begin();
    end(verb_accept_rows(&args, dir, of, 1, ""));
    assert_true(dup2(saved, STDIN_FILENO) >= 0);
    (void)close(in);
    (void)close(saved);
}

static bool is_recorded(void) {
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/baselines", dir);
    return access(path, F_OK) == 0;
}

static void accept_shows_and_asks(void **state _unused_) {
    Settings old = settings_of("logs"), now = settings_of("other");
    EngineSettings r = row(&old, &old);

    accept(&r, false, NULL);
    assert_int_equal(printed.status, 0);
    assert_string_equal(printed.out, "main eu-central-1 111122223333\n  as recorded\n\nnothing to accept\n");

    r = row(&old, &now);
    accept(&r, false, "main");
    assert_int_equal(printed.status, 1);
    has(printed.out, "main eu-central-1 111122223333\n"
                     "  S3BucketName (events are lost by this)\n"
                     "    recorded logs\n"
                     "    actual   other\n");
    assert_string_equal(printed.err,
                        "trailguard accept: nothing is changed: there is no terminal to confirm on; "
                        "use --yes\n");
    assert_false(is_recorded());

    accept(&r, true, ARN);
    assert_string_equal(printed.err, "");
    assert_int_equal(printed.status, 0);
    has(printed.out, "\naccepted: 1 trail\n");
    assert_true(is_recorded());
    settings_done(&old);
    settings_done(&now);
}

static void accept_knows_what_is_not_there(void **state _unused_) {
    Settings old = settings_of("logs"), none = { 0 };
    EngineSettings r = row(&old, &none);

    r.gone = true;
    accept(&r, true, NULL);
    assert_int_equal(printed.status, 1);
    has(printed.out, "  gone; to accept that: trailguard accept main\n");
    has(printed.out, "nothing accepted: recorded trails are not there");
    accept(&r, true, "main");
    assert_int_equal(printed.status, 0);
    has(printed.out, "  gone, and not guarded any more from now on\n\naccepted: 1 trail\n");

    r = row(&old, &none);
    r.unasked = true;
    r.error = "its account is not configured";
    accept(&r, true, "main");
    assert_int_equal(printed.status, 1);
    has(printed.out, "  recorded, and not polled: its account is not configured\n");

    r = row(NULL, &none);
    r.error = "AccessDenied";
    accept(&r, true, NULL);
    assert_int_equal(printed.status, 1);
    has(printed.out, "  its settings could not be read: AccessDenied\n");
    accept(&r, true, "other");
    assert_int_equal(printed.status, 1);
    has(printed.err,
        "trailguard accept: other: no account and region that this configuration polls lists it");
    settings_done(&old);
}

/* ---- policy ---- */

static Config *parse(const char *text) {
    char error[CONFIG_ERROR_MAX];
    Config *config = NULL;

    if (config_parse("t.conf", text, strlen(text), &config, error) < 0)
        fail_msg("%s", error);
    return config;
}

static void policy_of(const char *what, const char *account, const char *conf, const GuardIdentity *caller) {
    Config *config = parse(conf);

    begin();
    end(verb_policy_show(what, account, config, caller));
    config_free(config);
}

static void policy(const char *what, const char *conf, const GuardIdentity *caller) {
    policy_of(what, NULL, conf, caller);
}

static void policy_fits_the_caller(void **state _unused_) {
    static const GuardIdentity known = { .known = true,
                                         .account = "111122223333",
                                         .partition = "aws",
                                         .region = "eu-central-1",
                                         .arn = "arn:aws:iam::111122223333:role/guard",
                                         .caller = "arn:aws:sts::111122223333:assumed-role/guard/i-1" },
                               unknown = { .region = "eu-central-1", .error = "AccessDenied" };
    static const char roles[] =
            CONF "accounts = ( { role_arn = \"arn:aws:iam::444455556666:role/TrailGuard\"; } );\n";

    policy("guard", CONF, &known);
    assert_int_equal(printed.status, 0);
    has(printed.out, "\"arn:aws:cloudtrail:*:111122223333:trail/*\"");
    assert_string_equal(printed.err, "");
    policy("guard", CONF, &unknown);
    assert_int_equal(printed.status, 0);
    has(printed.err, "cannot find out which account this is: AccessDenied; replace the account * in ARNs\n");
    policy("guard", roles, &unknown);
    assert_int_equal(printed.status, 0);
    has(printed.err, "replace GUARD_ARN\n");
    has(printed.out, "\"hub\": {");
    has(printed.out, "\"AWS\": \"GUARD_ARN\"");

    policy("deny", roles, &known);
    assert_int_equal(printed.status, 0);
    has(printed.out, "\"arn:aws:iam::444455556666:role/TrailGuard\"");
    policy("scp", CONF "mode = \"restore\";\n", &known);
    assert_int_equal(printed.status, 0);
    has(printed.out, "\"DenyLeavingOrganization\"");
    has(printed.out, "\"arn:aws:iam::111122223333:role/guard\"");
    policy("scp", CONF, &unknown); /* it would lock the guard out */
    assert_int_equal(printed.status, 1);
    assert_string_equal(printed.out, "");
    has(printed.err, "cannot find out who the guard is, and would lock it out: AccessDenied\n");
}

static void deny_fits_one_account(void **state _unused_) {
    static const GuardIdentity known = { .known = true,
                                         .account = "111122223333",
                                         .partition = "aws",
                                         .region = "eu-central-1",
                                         .arn = "arn:aws:iam::111122223333:user/guard",
                                         .caller = "arn:aws:iam::111122223333:user/guard" };
    static const char roles[] =
            CONF "accounts = ( { }, { role_arn = \"arn:aws:iam::444455556666:role/TrailGuard\"; mode = "
                 "\"restore\"; } );\n",
                      organization[] = CONF "organization = { role_name = \"path/TrailGuard\"; };\n";

    policy_of("deny", "111122223333", CONF, &known);
    assert_int_equal(printed.status, 0);
    has(printed.out, "{\n  \"Version\"");
    has(printed.out, "\"arn:aws:cloudtrail:*:111122223333:trail/*\"");
    policy_of("deny", "444455556666", roles, &known);
    assert_int_equal(printed.status, 0);
    has(printed.out, "{\n  \"Version\"");
    has(printed.out, "\"arn:aws:cloudtrail:*:444455556666:trail/*\"");
    has(printed.out, "\"arn:aws:iam::444455556666:role/TrailGuard\"");
    assert_null(strstr(printed.out, "111122223333"));
    policy_of("deny", "111122223333", roles, &known);
    has(printed.out, "\"arn:aws:cloudtrail:*:111122223333:trail/*\"");
    assert_null(strstr(printed.out, "444455556666"));
    policy_of("deny", "777788889999", organization, &known);
    assert_int_equal(printed.status, 0);
    has(printed.out, "\"arn:aws:cloudtrail:*:777788889999:trail/*\"");
    has(printed.out, "\"arn:aws:iam::777788889999:role/path/TrailGuard\"");
    assert_null(strstr(printed.out, "\"hub\""));

    policy_of("deny", "777788889999", roles, &known);
    assert_int_equal(printed.status, 1);
    assert_string_equal(printed.out, "");
    assert_string_equal(printed.err,
                        "trailguard policy: account 777788889999 is not guarded; allowed: the id of an "
                        "account in the configuration\n");
    policy_of("deny", "* \033[31m\"", organization, &known);
    assert_int_equal(printed.status, 1);
    assert_null(strchr(printed.err, '\033'));
    RUN(verb_policy, CONF, "guard", "--account", "111122223333");
    assert_int_equal(printed.status, 1);
    has(printed.err, "trailguard policy: --account is for deny, not for guard;");
}

static void policy_needs_its_word(void **state _unused_) {
    RUN(verb_policy, CONF);
    assert_int_equal(printed.status, 1);
    assert_string_equal(printed.err, "trailguard policy: name a policy; allowed: guard, deny, scp\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_describes_itself),
        cmocka_unit_test(a_wrong_option_is_refused),
        cmocka_unit_test(an_option_may_be_written_in_several_ways),
        cmocka_unit_test(a_wrong_configuration_is_refused),
        cmocka_unit_test(config_says_ok_or_dumps),
        cmocka_unit_test(test_alert_fails_without_a_receipt),
        cmocka_unit_test(status_shows_the_document),
        cmocka_unit_test(status_says_what_is_not_in_force),
        cmocka_unit_test(status_needs_the_daemon),
        cmocka_unit_test(status_is_readable_with_any_number_of_trails),
        cmocka_unit_test(status_filters),
        cmocka_unit_test(status_fits_the_terminal),
        cmocka_unit_test(wrong_command_lines_are_golden),
        cmocka_unit_test(config_notes_a_mistyped_region),
        cmocka_unit_test(config_notes_a_trail_of_the_name_all),
        cmocka_unit_test(check_judges_and_shows),
        cmocka_unit_test(check_of_a_restore_counts_what_holds_after_it),
        cmocka_unit_test(check_prints_a_document),
        cmocka_unit_test(accept_shows_and_asks),
        cmocka_unit_test(accept_knows_what_is_not_there),
        cmocka_unit_test(policy_fits_the_caller),
        cmocka_unit_test(deny_fits_one_account),
        cmocka_unit_test(policy_needs_its_word),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
