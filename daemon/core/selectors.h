/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a set of event selectors records. Compares meanings: order, names, explicit or omitted defaults, and
 * basic or advanced form make no difference. Pure except for allocation.
 *
 * A set is the text of FIELD_SELECTORS, {"EventSelectors":[...]} or {"AdvancedEventSelectors":[...]}; "" is
 * the empty set. A set is not understood if it is not JSON, or has something unknown (an operator, a type of
 * resource, a member that is no default, see settings.h). Such a set equals only the same text in canonical
 * form (canonical_json).
 *
 * How conditions are evaluated: AWS CloudTrail User Guide, "How CloudTrail evaluates multiple conditions for
 * a field": a field's positive operators are ORed, its negative ones must all hold, fields are ANDed, and an
 * event is recorded if any selector matches it. */

#include "daemon/core/model.h"

typedef struct SelectorsVerdict {
    bool differs; /* they do not record the same events */
    bool loses;   /* an event that the baseline records is not recorded, or this is unclear */
} SelectorsVerdict;

/* 0 or -ENOMEM. */
int selectors_compare(const char *baseline, const char *actual, SelectorsVerdict *ret);

/* Which management events are recorded, judged by an event of which only is known whether it reads or
 * writes: a set that excludes some event sources still records ALL, one that includes only some records
 * NONE. */
typedef enum SelectorsManagement {
    SELECTORS_NONE = 0,
    SELECTORS_READ = 1,
    SELECTORS_WRITE = 2,
    SELECTORS_ALL = SELECTORS_READ | SELECTORS_WRITE,
} SelectorsManagement;

/* 0, -ENOMEM, or -EINVAL if the set is not understood. */
int selectors_management(const char *selectors, SelectorsManagement *ret);

/* True if our own polls are recorded (GetTrailStatus, a management read). False if not understood or without
 * memory: then staleness is not judged. */
bool selectors_record_reads(const char *selectors);

/* Sets *ret to whether all management events of that kind are recorded, from every source; always true for
 * MANAGEMENT_NOT_PINNED. 0, -ENOMEM, or -EINVAL if the set is not understood. */
int selectors_cover_management(const char *selectors, ManagementEvents wanted, bool *ret);

/* The default set of a new trail: all management events, nothing else (AWS CloudTrail API Reference,
 * PutEventSelectors). */
#define SELECTORS_DEFAULT                                                                                   \
    "{\"EventSelectors\":[{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true,"                     \
    "\"DataResources\":[],\"ExcludeManagementEventSources\":[]}]}"

/* Adds all management events to the set, keeping its form and what else it records; SELECTORS_DEFAULT if it
 * records nothing else. The caller frees. 0, -ENOMEM, or -EINVAL if the set is not understood. */
int selectors_add_management(const char *selectors, char **ret);
