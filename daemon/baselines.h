/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's baseline between its file and the comparison: read, recorded, accepted, and reported. */

#include "daemon/tables.h"

/* Reads a trail's baseline before the first poll, so that nothing is put back without; says nothing of it.
 */
void engine_resume_baseline(Trail *trail);
/* Reads it again when its file is another than before. An acceptance is reported when it comes while we run,
 * or came while we did not: the state file knows which one was the last. */
void engine_refresh_baseline(Trail *trail);
/* Whether there is no baseline yet, or it is not written down. */
bool engine_has_to_record(const Trail *trail);
/* It was accepted that the trail may be gone, and it is. */
bool engine_lets_go(const Trail *trail, bool listed);
/* Of a trail that nobody has accepted: changes are reported by comparison with what it was like when it was
 * found, which is kept on disk beside the baselines. */
void engine_watch_settings(Trail *trail, const Settings *seen);
/* It is accepted now, or gone. */
void engine_drop_unaccepted(const Trail *trail);
/* Records what was seen; what is not known is recorded when it first can be read. What cannot be written
 * down holds all the same, and is tried again at every poll: after a restart a tamperer's settings would be
 * taken for the first. */
void engine_record_baseline(Trail *trail, const Settings *seen);
/* Writes down again what is known of it, where its file is not there any more. */
void engine_rewrite_baseline(Trail *trail);
/* Adds what the baseline does not have yet and is seen now: nobody changed it. True when there was
 * something. */
bool engine_record_new_fields(Trail *trail, const Settings *seen);
/* Adds to the recorded settings what they lack; they hold also where that cannot be written down. 0 or
 * -errno. */
int engine_add_to_baseline(Trail *trail, const Settings *more);
/* Weak baselines that wait are reported together after a while. */
void engine_weakness_waits(Engine *engine);
/* Whether the state directory says that this trail may be gone. */
bool engine_is_accepted_as_gone(const Engine *engine, const char *arn);
/* Whether the state directory says that a trail of this name, which no list shows, may be gone. */
bool engine_may_be_gone(const Target *target, const char *name);
