/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a trail has to be like, and what it is like: its baseline, the checks of its settings, and the search
 * for who changed them. A member of each Trail. */

#include "daemon/core/model_guard.h"
#include "daemon/io/attribute.h"
#include "daemon/io/baseline_file.h"
#include "daemon/io/bucket_check.h"
#include "daemon/io/settings_check.h"

typedef struct Engine Engine;
typedef struct Target Target;
typedef struct Trail Trail;

/* An OBSERVED_STATUS without its texts. */
typedef struct SeenStatus {
    bool is_logging, target_reachable;
    uint64_t start_usec, stop_usec, delivery_usec, digest_usec; /* real */
} SeenStatus;

typedef struct SettingsTracking {
    SeenStatus seen;     /* the latest that showed the trail's status */
    Observation *errors; /* the whole of it where AWS had an error to show, or something could not be read;
                            NULL: seen is all, as it is of nearly each trail */

    BaselineStamp stamp;      /* of the file that was read last */
    uint64_t damaged_mark;    /* identifies the one that was reported as damaged last; 0: none was */
    const Settings *baseline; /* as recorded; all of these are kept: see settings_keep */
    const Settings *desired;  /* with the pins of the configuration over it */
    const Settings *actual;   /* as last polled; what could not be polled is as it was before */
    const Settings *listed;   /* kept too: of a check that waits, what the list said */
    uint32_t pinned;          /* FIELD_BITs that the configuration pins */
    unsigned n_bucket_calls;  /* that a check of bucket and key makes, as the last one did */
    bool loaded;              /* it was read at least once */
    bool unsaved;             /* it is known here, and could not be written down yet */
    bool unreadable;          /* that was said */
    bool recorded;            /* there is a baseline */
    bool unadded;             /* so is a part of it, which was not known when it was recorded */
    bool gone;             /* it was accepted that the trail may be gone: its return begins from the start */
    bool check_waits;      /* for those of other trails of the target, or of the region */
    bool poll_is_stale;    /* what it sees may be from before we wrote */
    uint8_t said_unsupported; /* bits of Unreadable: that AWS does not show it here */

    Drift *drift; /* how it differs now; NULL: it does not, see drift_kept */
    /* Of the incident: what each field was, and what it was changed to last. NULL: nothing. */
    Drift *changes;
    Episode *episode;               /* NULL: nothing */
    uint64_t changes_dedup_key;     /* of both: the incident's ... */
    uint64_t changes_reopened_usec; /* ... and its episode's */

    SettingsCheck *snapshot;
    BucketCheck *bucket_snapshot;
    struct CheckQueue *check_runs;      /* where it counts while it is under way, else NULL */
    uint64_t poll_by_usec;              /* mono */
    unsigned n_unread[_UNREADABLE_MAX]; /* calls that failed in a row, each */
    /* Shared texts, for they are few; NULL: none. */
    const char *bucket_region;  /* as last reported */
    const char *unasked_bucket; /* whose it is cannot be asked */
    const char *key_store;      /* the custom key store of the key, as last reported */
    const char *bucket_owner;   /* of a trail that nobody has accepted: as S3 confirmed */
    const char *whose; /* ... the account or the trail that has the bucket, as TrailFacts.destination says */
    Attribute *search;
} SettingsTracking;

/* Keeps what a poll of its status showed, and adds to it what other polls know of its settings, bucket and
 * key; what is no status stays as it is. */
void engine_remember_seen(Trail *trail, Observation *seen);
/* What is kept, and keeping it again with other texts: without memory for the first text of all, it is not
 * known until the next poll that finds it. */
void engine_get_seen(const Trail *trail, Observation *ret);
void engine_keep_seen(Trail *trail, const Observation *seen);
/* How many calls such a poll makes about the trail, besides the list, as far as is known by now: to
 * CloudTrail, and to S3 and KMS. */
unsigned engine_count_settings_calls(const Trail *trail);
unsigned engine_count_bucket_calls(const Trail *trail);

/* How settings differ from what the trail has to be like, as FIELD_BITs; userdata is the Trail. Remembers
 * both. */
uint32_t engine_differs(const Settings *seen, void *userdata);

/* Of a trail that nobody has accepted: whose is the bucket that it delivers to, as far as is known now? */
void engine_judge_destination(Trail *trail);

/* Keeps on disk what is there before it is overwritten. */
void engine_save_found(Trail *trail);

/* Are the changes that are kept those of the incident's present episode? */
bool engine_has_changes_of(const Trail *trail, const Incident *incident);
/* Adds to the changes of the incident of the state what differs now. */
void engine_note_changes(Trail *trail, const TrailState *state);
/* Remembers of the incident's episode what only is shown: the last attempt to act that failed, and who was
 * found to have caused it. outcome may be NULL. */
void engine_note_episode(Trail *trail, const Incident *incident, const Outcome *outcome, const Plan *plan);

/* The fields that settings lack although AWS has them, as FIELD_BITs. */
uint32_t engine_not_known(const Trail *trail, const Settings *settings);
/* The fields that the baseline lacks because they could not be read yet, as FIELD_BITs. */
uint32_t engine_not_recorded(const Trail *trail);
