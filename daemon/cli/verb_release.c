/* SPDX-License-Identifier: Apache-2.0 */
/* `release`: asks the daemon to give a user or role its rights back. The daemon has the keys and the record
 * of the policy; the verb leaves a request in the state directory, and waits for the result in the state
 * file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/verbs.h"
#include "daemon/core/hold.h"
#include "daemon/io/release_file.h"
#include "daemon/io/state.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

static const char help[] =
        "usage: trailguard release [-c FILE] [--account ID] WHO\n"
        "       trailguard release [-c FILE] --list\n"
        "\n"
        "Gives a user or role its rights again that the guard has contained\n"
        "(contain.mode \"enforce\"): the running daemon removes the policy that it has\n"
        "put there, if nobody has changed it since, and sends an alert that says who ran\n"
        "this. What the identity did until now counts no longer.\n"
        "\n"
        "  WHO            an ARN, user/NAME or role/NAME\n"
        "  --account ID   whose user or role, where several accounts have that name\n"
        "  --list         prints who is contained, since when and why\n"
        "\n"
        "Exit status: 0 done, 1 not.\n"
        "\n"
        "Examples:\n"
        "  trailguard release --list\n"
        "  trailguard release user/bob\n"
        "  trailguard release --account 111122223333 role/Deploy\n";

#define TICK_NSEC 200000000L
#define WAIT_USEC (60 * USEC_PER_SEC)

/* One line on stderr. Returns -ECANCELED. */
static int refuse(const char *what, const char *detail) {
    char shown[2][ACTOR_ARN_MAX];

    fprintf(stderr, "trailguard release: %s: %s\n", text_escaped(shown[0], sizeof(shown[0]), what),
            text_escaped(shown[1], sizeof(shown[1]), detail));
    return -ECANCELED;
}

/* The request could not be written. */
static int refuse_file(int error) {
    _cleanup_free_ const char *path = file_join(engine_state_dir(), RELEASE_FILE);

    return refuse(path ? path : RELEASE_FILE, file_strerror(error));
}

static int read_holds(StateTable *ret) {
    char error[ERROR_TEXT_MAX] = "";
    int r = state_peek(engine_state_dir(), ret, error, sizeof(error));

    if (r < 0)
        return refuse("the state file cannot be read", error[0] ? error : file_strerror(r));
    if (r == 0)
        *ret = (StateTable){ 0 };
    return 0;
}

static void print_holds(const ContainHistory *history) {
    for (size_t i = 0; i < history->n_holds; i++) {
        const ContainHold *hold = &history->holds[i];
        char since[TIMETEXT_MAX], shown[2][ACTOR_ARN_MAX];

        printf("%s  since %s  %s  %s%s%s\n", text_escaped(shown[0], sizeof(shown[0]), hold->arn),
               timetext_iso(since, hold->since_usec), hold_state_word(hold), hold->reason,
               hold->error[0] ? "; " : "", text_escaped(shown[1], sizeof(shown[1]), hold->error));
    }
    if (history->n_holds == 0)
        puts("nobody is contained");
}

/* Waits until it is released, or the daemon gives a reason why not. */
static int wait_for(const char *arn) {
    const struct timespec tick = { .tv_nsec = TICK_NSEC };
    uint64_t began_usec = verb_waited_usec(0);
    char error[ERROR_TEXT_MAX] = "";

    do {
        StateTable table;
        const ContainHold *hold;
        int r = read_holds(&table);

        if (r < 0)
            return r;
        hold = hold_find(&table.contain, arn);
        if (hold && hold->released_by[0])
            (void)text_copy(error, sizeof(error), hold->error);
        state_table_done(&table);
        if (!hold)
            return 0;
        if (error[0])
            return refuse("not released, the daemon retries", error);
        (void)nanosleep(&tick, NULL);
    } while (verb_waited_usec(began_usec) < WAIT_USEC);
    return refuse("not released within a minute; the daemon's journal says why", arn);
}

static int release(const ContainHold *hold) {
    ReleaseFile file;
    char shown[ACTOR_ARN_MAX];
    int pid, r = state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid);

    if (r <= 0) {
        fprintf(stderr,
                "trailguard release: no daemon runs; start it, or run: aws iam delete-%s-policy "
                "--%s-name=%s --policy-name %s\n",
                hold_is_role(hold) ? "role" : "user", hold_is_role(hold) ? "role" : "user",
                text_escaped(shown, sizeof(shown), hold_name(hold)), hold->policy);
        return -ESRCH;
    }
    (void)text_copy(file.arn, sizeof(file.arn), hold->arn);
    (void)verb_who(file.by, sizeof(file.by));
    r = release_file_write(engine_state_dir(), &file);
    if (r < 0)
        return refuse_file(r);
    r = wait_for(file.arn);
    if (r == 0)
        printf("released %s\n", text_escaped(shown, sizeof(shown), file.arn));
    return r;
}

static int run(const VerbArgs *args, const StateTable *table) {
    const ContainHold *hold;
    bool several;

    if (args->list) {
        print_holds(&table->contain);
        return 0;
    }
    hold = hold_meant(&table->contain, args->names[0], args->account, &several);
    if (!hold)
        return refuse(args->names[0], several ? "several accounts have one; give --account or the ARN"
                                              : "not contained; trailguard release --list shows who is");
    return release(hold);
}

int verb_release(int argc, char **argv) {
    Config *config = NULL;
    VerbArgs args;
    StateTable table;
    int r = verb_begin(argc, argv, VERB_TAKES_NAMES | VERB_TAKES_ACCOUNT | VERB_TAKES_LIST, help, &args,
                       &config);

    if (r >= 0)
        return r;
    if (args.list != (args.n_names == 0))
        r = args.list ? verb_usage("release", "--list takes no name", "")
                      : verb_usage("release", "name whom to release", "");
    else if (args.n_names > 1)
        r = verb_usage("release", "one at a time, not also ", args.names[1]);
    else {
        r = read_holds(&table);
        if (r == 0) {
            r = run(&args, &table);
            state_table_done(&table);
        }
    }
    config_free(config);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
