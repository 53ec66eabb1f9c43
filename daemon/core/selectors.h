/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What does a set of event selectors record? Judged by meaning: order, names, defaults that are written out
 * or left out, and basic or advanced form make no difference. Pure but for allocation.
 *
 * A set is the text of FIELD_SELECTORS, {"EventSelectors":[...]} or {"AdvancedEventSelectors":[...]}; "" is
 * the empty set. A set that has something in it that is not known here (an operator, a type of resource, a
 * member that is no default, see settings.h), or that is no JSON, is not understood, and then only
 * the same text in canonical form (canonical_json) is the same set.
 *
 * How conditions are evaluated: AWS CloudTrail User Guide, "How CloudTrail evaluates multiple conditions for
 * a field": the positive operators of a field are ORed, the negative ones must all hold, fields are ANDed,
 * and an event is recorded when one selector takes it. */

#include "daemon/core/model.h"

typedef struct SelectorsVerdict {
    bool differs; /* they do not record the same */
    bool loses;   /* something that the baseline records is not recorded; also when that cannot be told */
} SelectorsVerdict;

/* 0 or -ENOMEM. */
int selectors_compare(const char *baseline, const char *actual, SelectorsVerdict *ret);

/* Which management events are recorded, judged by an event of which nothing is known but that it reads or
 * writes: a set that leaves some event sources out still records ALL, one that takes only some records NONE.
 */
typedef enum SelectorsManagement {
    SELECTORS_NONE = 0,
    SELECTORS_READ = 1,
    SELECTORS_WRITE = 2,
    SELECTORS_ALL = SELECTORS_READ | SELECTORS_WRITE,
} SelectorsManagement;

/* 0, -ENOMEM, or -EINVAL when the set is not understood. */
int selectors_management(const char *selectors, SelectorsManagement *ret);

/* Are our own polls recorded (GetTrailStatus, a management event that reads)? false when not understood or
 * out of memory: staleness is not judged then. */
bool selectors_record_reads(const char *selectors);

/* Is every management event of that kind recorded, from every source? Always true for
 * MANAGEMENT_NOT_PINNED. 0, -ENOMEM, or -EINVAL when the set is not understood. */
int selectors_cover_management(const char *selectors, ManagementEvents wanted, bool *ret);

/* The set that a trail has by default: all management events and nothing else (AWS CloudTrail API Reference,
 * PutEventSelectors). */
#define SELECTORS_DEFAULT                                                                                   \
    "{\"EventSelectors\":[{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true,"                     \
    "\"DataResources\":[],\"ExcludeManagementEventSources\":[]}]}"

/* The set with all management events added, in its own form, so that what it records besides is kept;
 * SELECTORS_DEFAULT when it records nothing besides. The caller frees. 0, -ENOMEM, or -EINVAL when the set
 * is not understood. */
int selectors_add_management(const char *selectors, char **ret);
