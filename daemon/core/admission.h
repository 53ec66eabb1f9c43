/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Whether a policy that somebody wrote lets CloudTrail deliver: what the record of PutBucketPolicy or
 * PutKeyPolicy says for or against its writer. Pure. */

#include <stdbool.h>

typedef enum Admission {
    ADMISSION_UNCLEAR, /* cut off, not there, or with what is not evaluated here */
    ADMISSION_GIVEN,
    ADMISSION_DENIED,
} Admission;

/* The trail that has to deliver. prefix may be NULL. */
typedef struct AdmissionTrail {
    const char *arn, *bucket, *prefix;
    bool organization; /* its log files are in a folder of the organization as well */
} AdmissionTrail;

/* parameters: requestParameters of the call, as JSON. */
Admission admission_to_bucket(const AdmissionTrail *trail, const char *parameters);
Admission admission_to_key(const AdmissionTrail *trail, const char *parameters);
