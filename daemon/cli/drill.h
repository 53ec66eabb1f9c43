/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the verb `drill` share: drill_check.c reads what the daemon shows and decides whether
 * the trail may be drilled, drill_aws.c makes the calls to AWS, verb_drill.c watches the chain. */

#include <jansson.h>
#include <systemd/sd-event.h>

#include "daemon/aws_setup.h"
#include "daemon/cli/verbs.h"
#include "daemon/io/drill_file.h"
#include "lib/cloudtrail.h"

#define DRILL_TAG          "TrailGuardDrill"
#define DRILL_NOTICE_USEC  (2 * USEC_PER_SEC)   /* beside the interval of the polls */
#define DRILL_RESTART_USEC (5 * USEC_PER_SEC)
#define DRILL_SPARE_USEC   (20 * USEC_PER_SEC)  /* what is waited for beyond a promise */

/* The trail, as the daemon shows it. Texts are raw. */
typedef struct Drilling {
    const VerbArgs *args;
    Config *config;
    AwsSetup aws;
    sd_event *event;
    json_t *status; /* as last read */
    char name[129], arn[256], account[16], region[32];
    uint64_t interval_usec; /* of the polls that notice it */
    bool put_back;          /* a tag: the daemon takes it away again */
    uint64_t begun_usec;    /* real; when AWS had taken StopLogging or AddTags; 0: it was not sent */
    DrillFile file;
    bool late;
} Drilling;

/* One line on stderr about the trail. Returns -ECANCELED. */
int drill_refuse(const Drilling *d, const char *why, const char *detail);

/* ---- drill_check.c ---- */

/* 1; 0: no daemon runs; -errno: its status cannot be read. */
int drill_read_status(Drilling *d);
/* What came of the drill; NULL: nothing yet. Borrowed. */
const json_t *drill_shown(const Drilling *d);
/* Why the daemon could not undo it yet, raw; "": it did, or has not tried. Borrowed. */
const char *drill_failure(const Drilling *d);
/* A member of it, real; 0: not yet. */
uint64_t drill_time(const json_t *object, const char *member);
/* Is a daemon there that guards it, and may the trail be drilled? 0, or negative after one line on
 * stderr. */
int drill_check_daemon(Drilling *d);

/* ---- drill_aws.c ---- */

/* Whose keys are these, and is the trail as it has to be? 0, or negative after one line on stderr. */
int drill_check_caller(Drilling *d);
/* Announces it, and stops or tags the trail. 0, or negative after one line on stderr. */
int drill_begin(Drilling *d);
/* Does it log, or is the tag gone? False also when AWS does not say. */
bool drill_is_undone(Drilling *d);
/* Starts it or takes the tag away, and proves it; 0, or -EIO after the command to run. Keys that may not do
 * it never will. */
int drill_clean_up(Drilling *d);
