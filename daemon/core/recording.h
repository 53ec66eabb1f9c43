/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The life of a trail's baseline between its file and what polls show: when the file is read, when settings
 * are recorded or added, what is written again, and which of it is news. Pure but for allocation. */

#include "daemon/core/model.h"

/* What is known of a trail's baseline, beside its settings. */
typedef struct Recording {
    bool loaded;      /* its file was read at least once */
    bool recorded;    /* there is one */
    bool unsaved;     /* it is known here, and could not be written down yet */
    bool gone;        /* it was accepted that the trail may be gone */
    bool provisional; /* nobody has accepted the trail */
} Recording;

/* Need the file not be read? unchanged: it is as it was when it was read; is_there: there is one. A recorded
 * baseline whose file is not there has lost it, unless none was ever written. */
bool recording_is_current(const Recording *known, bool unchanged, bool is_there);

/* Are the settings that a check reads the ones to record? */
bool recording_is_due(const Recording *known);

/* Are the settings that a trail was found with those that its changes are told by, because it has no
 * baseline and nobody has accepted it? */
bool recording_watches(const Recording *known);

/* The file is gone, or was set aside: is it written again from memory? */
bool recording_is_rewritten(const Recording *known);

/* May what a baseline does not have yet be added to it? */
bool recording_grows(const Recording *known);

/* The trail is missing: does that end its guard, because it was accepted? */
bool recording_lets_go(const Recording *known, bool listed, uint32_t findings);

/* An action begins while settings are being checked, or wait for that: may what the check finds be from
 * before a write of ours? was_stale: so it was before the action; what is written is read back, but not by
 * that check. */
bool recording_makes_stale(Action action, bool checked, bool was_stale);

/* A baseline that was read from its file. Times are real. */
typedef struct Acceptance {
    uint64_t recorded_usec; /* in whole seconds, as all times of recording */
    bool by_guard;          /* else by `trailguard accept` */
    uint64_t before_usec;   /* when the one before it was recorded; 0: none is known */
    uint64_t started_usec;  /* when this process began */
} Acceptance;

/* Is it one that was accepted and not reported yet? Without one before it: if that was while this runs. */
bool recording_is_news(const Acceptance *read);

/* May what makes it weak be unreported? The state that remembers a recording of the guard's own is written
 * after the message: where the file is newer than that, a crash may have come before both. */
bool recording_was_cut_short(const Acceptance *read);

/* What a field that was seen adds to a baseline. */
typedef enum Addition {
    ADDITION_NONE,    /* nothing: a difference is trouble, and no addition */
    ADDITION_FIELD,   /* what no trail had when TrailGuard, or AWS, did not know it yet */
    ADDITION_MEMBERS, /* members that this version does not know, and nothing else */
} Addition;

/* recorded, seen: NULL: not known. */
Addition recording_addition(Field field, const char *recorded, const char *seen);

/* The reasons why a baseline is weak, before and after something was added: is it weak in another way? n:
 * how many they are now. */
bool recording_is_weaker(const char *before, const char *after, int n);
