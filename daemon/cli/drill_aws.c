/* SPDX-License-Identifier: Apache-2.0 */
/* A drill's calls to AWS, with the caller's keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/drill.h"
#include "daemon/cli/status_tables.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define CLEANUP_USEC (60 * USEC_PER_SEC)

/* ---- one call to AWS at a time ---- */

typedef struct Call {
    bool ended, good;
    bool tagged; /* with a drill's tag */
    CloudTrailStatus status;
    StsIdentity identity;
    AwsErrorClass class;
    char error[ERROR_TEXT_MAX];
    const char *operation;
} Call;

static void end_call(Call *call, const AwsError *error) {
    call->ended = true;
    call->class = error->class;
    call->good = error->class == AWS_OK;
    if (!call->good)
        (void)aws_error_text(error, call->operation, call->error, sizeof(call->error));
}

static void wrote(const AwsError *error, void *userdata) {
    end_call(userdata, error);
}

static void got_status(const AwsError *error, const CloudTrailStatus *status, void *userdata) {
    Call *call = userdata;

    end_call(call, error);
    if (call->good)
        call->status = *status;
}

static void got_identity(const AwsError *error, const StsIdentity *identity, void *userdata) {
    Call *call = userdata;

    end_call(call, error);
    if (call->good)
        call->identity = *identity;
}

static void got_tags(const AwsError *error, const CloudTrailTags *tags, void *userdata) {
    Call *call = userdata;

    end_call(call, error);
    for (size_t i = 0; call->good && i < tags->n; i++)
        call->tagged = call->tagged || text_equal(tags->items[i].key, DRILL_TAG);
}

typedef enum Ask { ASK_IDENTITY, ASK_STATUS, ASK_TAGS, ASK_STOP, ASK_START, ASK_TAG, ASK_UNTAG } Ask;

static int begin_call(Drilling *d, Ask what, Call *call) {
    AwsCaller caller = { d->aws.client, d->aws.credentials, d->region };
    CloudTrailTag tag = { d->file.drill.tag, d->file.drill.nonce };
    CloudTrailTags tags = { &tag, 1 };
    CloudTrailWrite write = { .trail = d->arn, .tags = &tags };

    switch (what) {
    case ASK_IDENTITY: return sts_get_caller_identity(&caller, NULL, got_identity, call, NULL);
    case ASK_STATUS: return cloudtrail_get_trail_status(&caller, d->arn, got_status, call, NULL);
    case ASK_TAGS: return cloudtrail_list_tags(&caller, d->arn, got_tags, call, NULL);
    case ASK_STOP: return cloudtrail_stop_logging(&caller, d->arn, wrote, call, NULL);
    case ASK_START: return cloudtrail_start_logging(&caller, d->arn, wrote, call, NULL);
    case ASK_TAG: return cloudtrail_add_tags(&caller, &write, wrote, call, NULL);
    case ASK_UNTAG: return cloudtrail_remove_tags(&caller, &write, wrote, call, NULL);
    }
    return -EINVAL;
}

/* Each call has its own deadline. True if AWS accepted it; else call->error has the reason. */
static bool drill_ask(Drilling *d, Ask what, Call *call) {
    static const char *const names[] = { "GetCallerIdentity", "GetTrailStatus", "ListTags",  "StopLogging",
                                         "StartLogging",      "AddTags",        "RemoveTags" };
    int r;

    *call = (Call){ .operation = names[what] };
    r = begin_call(d, what, call);
    while (r >= 0 && !call->ended)
        r = sd_event_run(d->event, UINT64_MAX);
    if (r < 0 && !call->ended)
        (void)snprintf(call->error, sizeof(call->error), "%s: %s", call->operation, strerror(-r));
    return call->good;
}

/* An existing tag with this key would be lost, and then differ from the baseline. */
static int check_tags(Drilling *d) {
    Call call;

    if (!drill_ask(d, ASK_TAGS, &call))
        return drill_refuse(d, "its tags cannot be read with these keys: ", call.error);
    return call.tagged ? drill_refuse(d,
                                      "it has the tag " DRILL_TAG
                                      " already: remove it, and try again after trailguard accept ",
                                      d->name)
                       : 0;
}

/* Checks whose keys these are. */
int drill_check_caller(Drilling *d) {
    const json_t *accounts = json_object_get(d->status, "accounts");
    Call call;

    if (!drill_ask(d, ASK_IDENTITY, &call))
        return drill_refuse(
                d, "AWS does not say whose keys these are; name others with --profile: ", call.error);
    for (size_t i = 0; i < json_array_size(accounts); i++)
        if (text_equal(status_text(json_array_get(accounts, i), "identity"), call.identity.arn))
            return drill_refuse(d, "these are the guard's own keys; use an operator's, with --profile: ",
                                call.identity.arn);
    if (!text_equal(call.identity.account, d->account))
        return drill_refuse(d,
                            "these keys are of another account; use an operator's of the trail's account, "
                            "with --profile: ",
                            call.identity.arn);
    (void)text_copy(d->file.drill.identity, sizeof(d->file.drill.identity), call.identity.arn);
    if (!drill_ask(d, ASK_STATUS, &call))
        return drill_refuse(d, "its status cannot be read with these keys: ", call.error);
    if (!call.status.is_logging)
        return drill_refuse(d,
                            "AWS says that it does not log now; start it, and drill it when trailguard "
                            "status shows it logging",
                            "");
    return d->args->tag ? check_tags(d) : 0;
}

/* ---- stopping or tagging ---- */

/* One row per kind of drill: the calls to do and undo it, and their texts. */
static const struct Kind {
    Ask begin, undo;
    const char *denied, *unsure;            /* for begin */
    const char *undoing, *undone, *remains; /* for undo ... */
    const char *unshown;                    /* ... when AWS accepted it */
    const char *command, *option;           /* for people, around the ARN */
} kinds[] = {
    { ASK_STOP, ASK_START,
      "these keys may not stop it, as is right for the guard's; use an operator's, with --profile: ",
      "whether it was stopped is not known: ", "starting it again", "logging again, confirmed",
      "NOT LOGGING", "StartLogging was accepted, but it does not show", "start-logging --name", "" },
    { ASK_TAG, ASK_UNTAG, "these keys may not add tags to it; use an operator's, with --profile: ",
      "whether it was tagged is not known: ", "removing the tag", "the tag is gone, confirmed",
      "STILL HAS THE TAG " DRILL_TAG, "RemoveTags was accepted, but it does not show",
      "remove-tags --resource-id", " --tags-list Key=" DRILL_TAG },
};

static const struct Kind *kind_of(const Drilling *d) {
    return &kinds[d->args->tag];
}

static int announce(Drilling *d) {
    uint64_t nonce[2] = { loop_random(d->aws.loop), loop_random(d->aws.loop) };
    Drill *drill = &d->file.drill;
    /* one more poll sees that a tag removed by the verb is gone */
    unsigned n_polls = d->args->tag ? 2 : 1;
    int r;

    (void)snprintf(drill->nonce, sizeof(drill->nonce), "%016llx%016llx", (unsigned long long)nonce[0],
                   (unsigned long long)nonce[1]);
    (void)text_copy(drill->tag, sizeof(drill->tag), d->args->tag ? DRILL_TAG : "");
    (void)text_copy(d->file.trail, sizeof(d->file.trail), d->arn);
    drill->from_usec = verb_now_usec();
    drill->until_usec = drill->from_usec + n_polls * d->interval_usec + 4 * DRILL_SPARE_USEC;
    r = drill_file_write(engine_state_dir(), &d->file);
    return r < 0 ? drill_refuse(d,
                                "the drill cannot be announced in the state directory: ", file_strerror(r))
                 : 0;
}

int drill_begin(Drilling *d) {
    Call call;
    int r = announce(d);

    if (r < 0)
        return r;
    d->begun_usec = verb_now_usec(); /* AWS may have done it even without an answer */
    if (drill_ask(d, kind_of(d)->begin, &call)) {
        d->begun_usec = verb_now_usec();
        return 0;
    }
    (void)drill_file_remove(engine_state_dir());
    if (call.class != AWS_DENIED)
        return drill_refuse(d, kind_of(d)->unsure, call.error);
    d->begun_usec = 0;
    return drill_refuse(d, kind_of(d)->denied, call.error);
}

static bool is_undone(Drilling *d, Call *call) {
    if (d->args->tag)
        return drill_ask(d, ASK_TAGS, call) && !call->tagged;
    return drill_ask(d, ASK_STATUS, call) && call->status.is_logging;
}

bool drill_is_undone(Drilling *d) {
    Call call;

    return is_undone(d, &call);
}

int drill_clean_up(Drilling *d) {
    const struct timespec second = { .tv_sec = 1 };
    const struct Kind *kind = kind_of(d);
    uint64_t began_usec = verb_waited_usec(0);
    Call call = { .good = false };

    fprintf(stderr, "trailguard drill: %s: %s\n", d->arn, kind->undoing);
    do {
        Call undo;

        (void)drill_ask(d, kind->undo, &undo);
        if (is_undone(d, &call)) {
            fprintf(stderr, "trailguard drill: %s: %s\n", d->arn, kind->undone);
            return 0;
        }
        if (!undo.good)
            call = undo;
        if (undo.class == AWS_DENIED)
            break;
        (void)nanosleep(&second, NULL);
    } while (verb_waited_usec(began_usec) < CLEANUP_USEC);
    fprintf(stderr,
            "trailguard drill: %s: %s, as far as is known: %s; run:\n  aws cloudtrail %s %s%s --region %s\n",
            d->arn, kind->remains, call.error[0] ? call.error : kind->unshown, kind->command, d->arn,
            kind->option, d->region);
    return -EIO;
}
