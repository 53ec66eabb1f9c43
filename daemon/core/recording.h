/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's baseline between its file and the polls: when the file is read, when settings are recorded or
 * added, what is written again, and what of it is reported. Pure except for allocation. */

#include "daemon/core/model.h"

/* What is known of a trail's baseline besides its settings. */
typedef struct Recording {
    bool loaded;      /* its file was read at least once */
    bool recorded;    /* there is a baseline */
    bool unsaved;     /* it could not be written to its file yet */
    bool gone;        /* it was accepted that the trail may be gone */
    bool provisional; /* nobody has accepted the trail */
} Recording;

/* True if the file need not be read. unchanged: since it was last read; is_there: it exists. If the file of
 * a recorded baseline is missing, the baseline was lost, unless it was never written. */
bool recording_is_current(const Recording *known, bool unchanged, bool is_there);

/* True if a check of settings records them. */
bool recording_is_due(const Recording *known);

/* True if changes are found by comparison with the settings that the trail was found with, because nobody
 * has accepted it and it has no baseline. */
bool recording_watches(const Recording *known);

/* True if the file is written again from memory after it was removed or set aside. */
bool recording_is_rewritten(const Recording *known);

/* True if newly read settings may be added to the baseline. */
bool recording_grows(const Recording *known);

/* True if a missing trail is no longer guarded, because that was accepted. */
bool recording_lets_go(const Recording *known, bool listed, uint32_t findings);

/* An action begins while settings are being checked or wait for that: true if the check may find values from
 * before our own write. was_stale: the result before the action. The write is read back, but not by that
 * check. */
bool recording_makes_stale(Action action, bool checked, bool was_stale);

/* A baseline read from its file. Times are real. */
typedef struct Acceptance {
    uint64_t recorded_usec; /* in whole seconds, like all times of recording */
    bool by_guard;          /* else by `trailguard accept` */
    uint64_t before_usec;   /* when the previous baseline was recorded; 0: unknown */
    uint64_t started_usec;  /* when this process started */
} Acceptance;

/* True if the acceptance has not been reported yet. Without a previous baseline: if it happened after the
 * start. */
bool recording_is_news(const Acceptance *read);

/* True if the weakness of the baseline may be unreported. The state that has the guard's own recording is
 * written after the message: if the file is newer than that state, a crash may have prevented both. */
bool recording_was_cut_short(const Acceptance *read);

/* What a newly read value adds to a baseline. */
typedef enum Addition {
    ADDITION_NONE,    /* nothing: a difference is trouble, not an addition */
    ADDITION_FIELD,   /* a field that TrailGuard or AWS did not know before */
    ADDITION_MEMBERS, /* members that this version does not know, and nothing else */
} Addition;

/* recorded, seen: NULL: unknown. */
Addition recording_addition(Field field, const char *recorded, const char *seen);

/* True if an addition made the baseline weak in another way. before, after: the weaknesses as text; n: their
 * number now. */
bool recording_is_weaker(const char *before, const char *after, int n);
