/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A search of the event history: of a trail's incident, or of an account's. For the files of guard only. */

#include "daemon/core/model.h"

void search_begin(Attributing *at, uint32_t findings, uint64_t from_usec, uint64_t dedup_usec,
                  uint64_t seen_usec);
/* Is it to be searched now? Then it counts as under way. */
bool search_is_due(Attributing *at, Now now);
/* When it is due; 0: nothing is. */
uint64_t search_wake_mono_usec(const Attributing *at, Now now);
/* Was the search that has just been counted the last one? */
bool search_was_last(const Attributing *at);
