/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Shared by the files of the verb `drill`: drill_check.c reads the daemon's status and decides whether the
 * trail may be drilled, drill_aws.c makes the calls to AWS, verb_drill.c follows the steps. */

#include <jansson.h>
#include <systemd/sd-event.h>

#include "daemon/aws_setup.h"
#include "daemon/cli/verbs.h"
#include "daemon/io/drill_file.h"
#include "lib/cloudtrail.h"

#define DRILL_TAG          "TrailGuardDrill"
#define DRILL_NOTICE_USEC  (2 * USEC_PER_SEC)   /* in addition to the interval of the polls */
#define DRILL_RESTART_USEC (5 * USEC_PER_SEC)
#define DRILL_SPARE_USEC   (20 * USEC_PER_SEC)  /* how long to wait after a step is late */

/* The trail, as shown by the daemon. Texts are raw. */
typedef struct Drilling {
    const VerbArgs *args;
    Config *config;
    AwsSetup aws;
    sd_event *event;
    json_t *status; /* as last read */
    char name[129], arn[256], account[16], region[32];
    uint64_t interval_usec; /* of the polls that find it */
    bool put_back;          /* for a tag: the daemon removes it again */
    uint64_t begun_usec;    /* real; when AWS accepted StopLogging or AddTags; 0: not sent */
    DrillFile file;
    bool late;
} Drilling;

/* One line on stderr about the trail. Returns -ECANCELED. */
int drill_refuse(const Drilling *d, const char *why, const char *detail);

/* ---- drill_check.c ---- */

/* 1; 0 if no daemon runs; -errno if its status cannot be read. */
int drill_read_status(Drilling *d);
/* The drill's result in the status; NULL: none yet. Borrowed. */
const json_t *drill_shown(const Drilling *d);
/* Why the daemon could not undo it yet, raw; "" if it did, or has not tried. Borrowed. */
const char *drill_failure(const Drilling *d);
/* A member of it, real; 0: not yet. */
uint64_t drill_time(const json_t *object, const char *member);
/* Checks that a daemon guards the trail and that it may be drilled. 0, or negative after one line on
 * stderr. */
int drill_check_daemon(Drilling *d);

/* ---- drill_aws.c ---- */

/* Checks the identity of the keys, and the state of the trail. 0, or negative after one line on stderr. */
int drill_check_caller(Drilling *d);
/* Announces it, and stops or tags the trail. 0, or negative after one line on stderr. */
int drill_begin(Drilling *d);
/* True if the trail logs, or the tag is gone. False also if AWS does not say. */
bool drill_is_undone(Drilling *d);
/* Starts the trail or removes the tag, and confirms it. 0, or -EIO after printing the command to run. Keys
 * without the right will not get it by a retry. */
int drill_clean_up(Drilling *d);
