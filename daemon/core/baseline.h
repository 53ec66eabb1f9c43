/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's desired settings, and how the trail differs from them. Compares meanings, not bytes: names and
 * ARNs of the same thing are equal, the order in JSON does not matter, and unknown values (NULL) are never a
 * difference. Pure except for allocation. */

#include "daemon/core/model.h"
#include "lib/arn.h"
#include "lib/util/strbuf.h"

/* The desired settings: the recording, overridden by the pins. If a pin means the same as the recording (a
 * topic by name, a key by id), the recording stays, because it is more exact. A pin of multi_region also
 * turns on global events, because AWS requires them together (UpdateTrail,
 * InvalidParameterCombinationException). Selectors that record fewer management events than pinned get all
 * of them added; selectors that are not understood stay. It is unknown which key an alias stands for, so a
 * pinned alias accepts any recorded key. Free *ret with settings_done. 0 or -ENOMEM. */
int baseline_effective(const Settings *recorded, const Expect *expect, Settings *ret);

/* baseline_pinned: the pinned FIELD_BITs. baseline_pins_mark: identifies the set of pins; 0 if nothing is
 * pinned. */
uint32_t baseline_pinned(const Expect *expect);
uint64_t baseline_pins_mark(const Expect *expect);

/* The differences of `actual` from `baseline`, in the order of the fields; free *ret with drift_done. A
 * change loses events if something that was recorded no longer is, or goes elsewhere. Tags of AWS's own
 * ("aws:...") are ignored. A change strengthens if log file validation, multi-region or global events were
 * off and are on; whether a pin forbids that is the caller's business. 0 or -ENOMEM. */
int baseline_compare(const Settings *baseline, const Settings *actual, Drift *ret);

/* The same against the desired settings, some fields of which are pinned (FIELD_BITs). Each change also says
 * whether only a pin makes it a difference, because the actual value was recorded. A change that a pin
 * forbids does not strengthen. */
int baseline_judge(const Settings *recorded, const Settings *desired, uint32_t pinned,
                   const Settings *actual, Drift *ret);

/* True if the only difference in the tags is one added tag with this key and value. AWS's own tags are
 * ignored. False without memory. */
bool baseline_adds_tag(const Drift *drift, const char *key, const char *value);

/* True if the change moved the KMS key into another account than that of the former key and that of the
 * trail. *ret: the key. Unless that account is guarded, the key is foreign, and its owner decides who can
 * read the log files. A key without an account in its name belongs to the trail's account. */
bool baseline_key_moved(const Change *change, const char *owner, Arn *ret);

/* Appends the names of members that this version does not know and the baseline (may be NULL) does not have:
 * see settings.h. Returns their number, or a negative error. */
int baseline_new_members(Field field, const char *baseline, const char *actual, StrBuf *names);

/* 1 if such members are the only difference, so that the actual value can replace the recorded one; else 0,
 * or -ENOMEM. */
int baseline_takes_members(Field field, const char *baseline, const char *actual);

/* Appends the weaknesses of a baseline, such as "records no management events; covers a single region only".
 * Returns their number, or the buffer's error. */
int baseline_weaknesses(const Settings *settings, StrBuf *b);

/* Appends the names of trails whose weak baselines are reported together: the first few, and the number of
 * the others. 0, or the buffer's error. */
int baseline_name_weak(const Subject *trails, size_t n, StrBuf *b);

/* ---- the life of a baseline ---- */

/* A trail's baseline between its file and the polls: when the file is read, when settings are recorded or
 * added, what is written again, and what of it is reported. Pure except for allocation. */

/* What is known of a trail's baseline besides its settings. */
typedef struct Recording {
    bool loaded;      /* its file was read at least once */
    bool recorded;    /* there is a baseline */
    bool unsaved;     /* it could not be written to its file yet */
    bool gone;        /* it was accepted that the trail may be gone */
    bool provisional; /* nobody has accepted the trail */
    bool shows;       /* `check`: baselines are compared, and none is recorded, written or added to */
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
