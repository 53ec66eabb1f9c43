/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A trail's baseline, between its file and the comparison: reading, recording, acceptance, reports. */

#include "daemon/tables.h"

/* Reads a trail's baseline before the first poll, because no setting may be restored without it. Logs
 * nothing. */
void engine_resume_baseline(Trail *trail);
/* Reads it again if its file has changed. An acceptance is reported whether it comes while we run or came
 * before: the state file has the last known one. */
void engine_refresh_baseline(Trail *trail);
/* True if there is no baseline yet, or it could not be written. */
bool engine_has_to_record(const Trail *trail, const Settings *seen);
/* True if the trail is missing, and it was accepted that it may be. */
bool engine_lets_go(const Trail *trail, bool listed);
/* For an unaccepted trail: changes are reported by comparison with the settings it was found with, which are
 * stored beside the baselines. */
void engine_watch_settings(Trail *trail, const Settings *seen);
/* Call when it was accepted, or is gone. */
void engine_drop_unaccepted(const Trail *trail);
/* Records the settings; unknown ones are added when they can first be read. A baseline that cannot be
 * written is used from memory, and written at a later poll: otherwise a restart would record an attacker's
 * settings as the first. */
void engine_record_baseline(Trail *trail, const Settings *seen);
/* Writes the baseline again if its file is gone. */
void engine_rewrite_baseline(Trail *trail);
/* Adds settings that the baseline does not have and that can be read now: nobody changed them. True if there
 * were any. */
bool engine_record_new_fields(Trail *trail, const Settings *seen);
/* Adds settings to the recorded ones; they count even if they cannot be written. 0 or -errno. */
int engine_add_to_baseline(Trail *trail, const Settings *more);
/* Waiting weak baselines are reported together after a while. */
void engine_weakness_waits(Engine *engine);
/* True if the state directory records that this trail may be gone. */
bool engine_is_accepted_as_gone(const Engine *engine, const char *arn);
/* True if the state directory records that a trail of this name, which no list shows, may be gone. */
bool engine_may_be_gone(const Target *target, const char *name);
