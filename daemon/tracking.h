/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's desired and actual settings: its baseline, the checks of its settings, and the search for who
 * changed them. A member of each Trail. */

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
    SeenStatus seen;     /* the last status that was read */
    Observation *errors; /* the whole observation, if AWS reported an error or something could not be read;
                            NULL in most cases: seen is all */

    BaselineStamp stamp;      /* of the file that was last read */
    uint64_t damaged_mark;    /* identifies the file that was last reported as damaged; 0: none */
    const Settings *baseline; /* as recorded; like the next ones kept by settings_keep */
    const Settings *desired;  /* the baseline overridden by the pins */
    const Settings *actual;   /* as last read; fields that could not be read keep their value */
    const Settings *listed;   /* the list's entry, for a check that waits; kept, too */
    uint32_t pinned;          /* FIELD_BITs that the configuration pins */
    unsigned n_bucket_calls;  /* calls of a check of bucket and key, counted by the last one */
    bool loaded;              /* the file was read at least once */
    bool unsaved;             /* the baseline could not be written to its file yet */
    bool unreadable;          /* it was logged that the file cannot be read */
    bool recorded;            /* there is a baseline */
    bool unadded;             /* an addition to the baseline could not be written yet */
    bool gone;        /* it was accepted that the trail may be gone; if it returns, it starts from nothing */
    bool check_waits;      /* for checks of other trails of the target or the region */
    bool poll_is_stale;    /* the check may read values from before our own write */
    uint8_t said_unread;      /* bits of Unreadable: it was logged that it could not be read */
    uint8_t said_unsupported; /* bits of Unreadable: it was logged that AWS does not return it here */

    Drift *drift; /* the present difference; NULL: none, see drift_kept */
    /* Of the incident: each field's value before, and its latest change. NULL: none. */
    Drift *changes;
    Episode *episode;               /* NULL: none */
    uint64_t changes_dedup_key;     /* of both: of the incident ... */
    uint64_t changes_reopened_usec; /* ... and of its episode */

    SettingsCheck *snapshot;
    BucketCheck *bucket_snapshot;
    struct CheckQueue *check_runs;      /* the queue that counts it while it is in progress, else NULL */
    uint64_t poll_by_usec;              /* mono */
    unsigned n_unread[_UNREADABLE_MAX]; /* consecutive failures of each call */
    /* Shared texts, because there are few different ones; NULL: none. */
    const char *bucket_region;  /* as last read */
    const char *unasked_bucket; /* the bucket whose owner cannot be asked for */
    const char *key_store;      /* the key's custom key store, as last read */
    const char *bucket_owner;   /* for an unaccepted trail: as confirmed by S3 */
    const char *whose; /* ... and the account or trail of the bucket, see TrailFacts.destination */
    Attribute *search;
} SettingsTracking;

/* Keeps the result of a status poll, and adds to it what checks know of its settings, bucket and key. */
void engine_remember_seen(Trail *trail, Observation *seen);
/* engine_get_seen: what is kept. engine_keep_seen: keeps it with other texts; if there is no memory for the
 * first of these texts, they are unknown until the next poll. */
void engine_get_seen(const Trail *trail, Observation *ret);
void engine_keep_seen(Trail *trail, const Observation *seen);
/* How many calls a check makes for the trail besides the list, as far as is known: to CloudTrail, and to S3
 * and KMS. */
unsigned engine_count_settings_calls(const Trail *trail);
unsigned engine_count_bucket_calls(const Trail *trail);

/* The fields that differ from the desired settings, as FIELD_BITs; userdata is the Trail. Keeps the settings
 * and the differences. */
uint32_t engine_differs(const Settings *seen, void *userdata);

/* For an unaccepted trail: finds out who owns its bucket, as far as is known now. */
void engine_judge_destination(Trail *trail);

/* Saves the present settings to disk before they are overwritten. */
void engine_save_found(Trail *trail);

/* True if the kept changes belong to the present episode of the incident. */
bool engine_has_changes_of(const Trail *trail, const Incident *incident);
/* Adds the present differences to the changes of the state's incident. */
void engine_note_changes(Trail *trail, const TrailState *state);
/* Keeps what is only shown of the incident's episode: the last failed action, and the caller that was found.
 * outcome may be NULL. */
void engine_note_episode(Trail *trail, const Incident *incident, const Outcome *outcome, const Plan *plan);

/* The fields that settings lack although AWS has them, as FIELD_BITs. */
uint32_t engine_not_known(const Trail *trail, const Settings *settings);
/* The fields that the baseline lacks because they could not be read yet, as FIELD_BITs. */
uint32_t engine_not_recorded(const Trail *trail);
