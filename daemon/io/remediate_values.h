/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a remediation writes, made from the settings that a trail must have, and which of it an error of AWS
 * is about. Pure. */

#include <jansson.h>

#include "daemon/core/model.h"
#include "lib/cloudtrail_write.h"

#define REMEDIATE_BUCKET_FIELDS (FIELD_BIT(FIELD_BUCKET) | FIELD_BIT(FIELD_PREFIX))

/* Which fields (FIELD_BITs) an error code of UpdateTrail or CreateTrail is about; 0: none in particular. */
uint32_t remediate_fields_at_fault(const char *code);

/* The members of UpdateTrail and CreateTrail for these fields; what is not desired (NULL) is left alone.
 * Borrows the texts. */
CloudTrailChanges remediate_changes(const Settings *desired, uint32_t fields);

/* Of the tags in `in` (a JSON object; NULL: none) those that are not in `out`; with_value: or have another
 * value there. AWS's own (aws:...) are left alone. 0, -EINVAL, or -ENOMEM; *ret is to be freed by
 * cloudtrail_tags_done in any case. */
int remediate_missing_tags(const char *in, const char *out, bool with_value, CloudTrailTags *ret);

/* Members that this version does not know go back as they were recorded, and what AWS shows (actual; NULL:
 * nothing) and nobody has recorded yet stays as it is; known_only: all of them are left out. 1 when the
 * value has some then, 0, or -ENOMEM. */
int remediate_complete(Field field, const char *actual, bool known_only, json_t *value);

/* The array of this name, as text that the caller frees; NULL when it is missing or empty. 0 or -ENOMEM. */
int remediate_array_text(const json_t *object, const char *name, char **ret);
