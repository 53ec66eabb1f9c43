/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the engine's files share. */

#include <systemd/sd-event.h>

#include "daemon/act.h"
#include "daemon/deliver.h"
#include "daemon/engine.h"
#include "daemon/engine_aws.h"
#include "daemon/engine_keeping.h"
#include "daemon/guard.h"
#include "daemon/outbox.h"
#include "daemon/schedule.h"
#include "daemon/state.h"
#include "daemon/watch.h"
#include "lib/sts.h"

typedef struct Target Target;
typedef struct Trail Trail;

/* One (account, region) pair. */
struct Target {
    Engine *engine;
    char region[32];
    bool configured; /* false: here because a guarded trail lives here */
    TargetState state;
    Watch *watch;       /* a look under way */
    Trail **looking_at; /* its trails, in the order of the look's arns */
    size_t n_looking_at;
    uint64_t look_began_usec;   /* mono */
    uint64_t look_by_usec;      /* mono; when the look must have ended */
    uint64_t due_usec;          /* mono; not looked at before */
    uint64_t settings_due_usec; /* mono */
    uint64_t looked_usec;       /* real; last look that was answered */
    bool listed;                /* since start */
    bool doubt_cover;           /* the list was empty where it had trails: look again before saying so */
    bool stretch_told;
    LoopTimer *wake;
};

struct Trail {
    Engine *engine;
    Target *home; /* NULL for a named trail that was never found */
    char *name, *arn, *account;
    char region[32];
    bool organization, multi_region;
    TrailFacts facts;
    TrailState state; /* as it is */
    TrailState told;  /* as the state file may know it: everything in it is in the outbox */
    Target **covers;  /* targets whose lists show it */
    size_t n_covers;
    Act *act;
    uint64_t act_by_usec; /* mono */
    Keeping keeping;
    LoopTimer *wake;
};

struct Engine {
    Config *config;
    const char *state_dir, *runtime_dir;
    bool once;    /* engine_check */
    bool restore; /* once: act too */
    int lock_fd;
    sd_event *event;
    EngineAws aws;
    Outbox *outbox;
    Deliver *deliver;
    char **channel_keys;
    size_t n_channel_keys;

    char account[16];       /* of the credentials; "" until known */
    char named_account[16]; /* in messages: that, or until it is known what it was before */
    char partition[24];
    char identity[ARN_MAX]; /* the caller's ARN; "" until known */
    StsCall *identity_call;
    bool identity_asked;          /* an answer or a failure has come in */
    uint64_t identity_again_usec; /* mono */
    char problem[ERROR_TEXT_MAX]; /* why nothing can be guarded; "" */

    Target **targets;
    size_t n_targets;
    Trail **trails;
    size_t n_trails;
    StateTable parked; /* loaded, not guarded by this configuration */
    char **ignored;
    size_t n_ignored;

    uint64_t started_usec; /* real */
    LoopTimer *pass_timer, *publish_timer, *save_timer;
    uint64_t save_due_usec;     /* mono; while save_timer is set */
    uint64_t pass_due_usec;     /* mono; the next */
    uint64_t pass_started_usec; /* mono */
    bool pass_open;
    uint64_t pass_ended_usec; /* real */
    uint64_t pass_duration_usec;
    size_t n_looking; /* looks at settings and buckets under way */
    uint64_t n_passes;
    bool save_failed, publish_failed;
    uint64_t watchdog_usec;
    LoopTimer *watchdog_timer;
    LoopTimer *give_up_timer; /* shutdown */
};

/* engine.c */
Now engine_now(const Engine *engine);
Intervals engine_intervals(const Engine *engine);
Policy engine_policy(const Engine *engine);
void engine_ask_identity(Engine *engine);

/* engine_table.c: targets and trails as the configuration and AWS's lists make them. */
Target *engine_target(Engine *engine, const char *region,
                      bool configured); /* finds or adds; NULL when out of memory */
Trail *engine_trail_by_arn(Engine *engine, const char *arn);
bool engine_is_guarded(const Engine *engine, const char *name, const char *arn);
int engine_add_configured_targets(Engine *engine);
int engine_load_state(Engine *engine, char error[static ENGINE_ERROR_MAX]);
/* Takes in what a target's DescribeTrails said. */
void engine_take_list(Engine *engine, Target *target, const CloudTrailTrails *list);
void engine_check_named(Engine *engine);
void engine_update_facts(Engine *engine);
/* A trail that may be gone is gone: its incident ends, and it is not known any more. */
void engine_forget_trail(Trail *trail);
void engine_drop_trail(Engine *engine, Trail *trail);
void engine_free_tables(Engine *engine);
Subject engine_trail_subject(const Trail *trail);
Subject engine_target_subject(const Target *target);
void engine_save_state(Engine *engine);

/* engine_look.c: passes and looks. */
void engine_start_passes(Engine *engine, uint64_t delay_usec);
void engine_kick_pass(Engine *engine); /* a pass now */
void engine_look(Engine *engine, Target *target);
void engine_end_pass(Engine *engine); /* unless something is still being looked at */
void engine_stop_looks(Engine *engine);

/* engine_carry.c: carries plans out. */
void engine_decide_trail(Trail *trail, const TrailInput *input);
/* Composes messages and queues them. 0 when every one is on the disk. */
int engine_carry_tells(Engine *engine, const Subject *subject, const Plan *plan);
void engine_decide_target(Target *target, const TargetLook *look);
void engine_tell_channel(Engine *engine, const ChannelTrouble *trouble, bool failed);
void engine_save_soon(Engine *engine, bool now);

/* engine_status.c */
void engine_publish(Engine *engine); /* STATUS= and status.json, soon */
void engine_publish_now(Engine *engine);
void engine_with_status(Engine *engine, EngineChecked fn, void *userdata);
