/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whether a policy lets CloudTrail deliver: evidence for or against the caller of PutBucketPolicy or
 * PutKeyPolicy. Pure. */

#include <stdbool.h>

typedef enum Admission {
    ADMISSION_UNCLEAR, /* truncated, missing, or not fully evaluated here */
    ADMISSION_GIVEN,
    ADMISSION_DENIED,
} Admission;

/* The trail that delivers. prefix may be NULL. */
typedef struct AdmissionTrail {
    const char *arn, *bucket, *prefix;
    bool organization; /* it also delivers to a folder of the organization */
} AdmissionTrail;

/* parameters: requestParameters of the call, JSON. */
Admission admission_to_bucket(const AdmissionTrail *trail, const char *parameters);
Admission admission_to_key(const AdmissionTrail *trail, const char *parameters);
