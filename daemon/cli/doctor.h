/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* `check --doctor`: one line for each thing that the daemon needs. */

#include "daemon/aws_setup.h"
#include "daemon/cli/verbs.h"
#include "daemon/io/principal_check.h"

/* ---- results ---- */

/* The groups, in the order in which they are printed. */
typedef enum DoctorGroup {
    DOCTOR_CONFIGURATION,
    DOCTOR_DIRECTORIES,
    DOCTOR_NETWORK,
    DOCTOR_CLOCK,
    DOCTOR_CREDENTIALS,
    DOCTOR_IDENTITY,
    DOCTOR_REGIONS,
    DOCTOR_RIGHTS,
    DOCTOR_PROTECTION, /* of the guard */
    DOCTOR_TRAILS,
    DOCTOR_BASELINES,
    DOCTOR_CHANNELS,
    DOCTOR_HEARTBEAT,
    _DOCTOR_GROUP_MAX,
} DoctorGroup;

typedef enum DoctorState {
    DOCTOR_OK,
    DOCTOR_NOTE,    /* may be intended */
    DOCTOR_WARNING, /* works today */
    DOCTOR_UNKNOWN, /* could not be checked */
    DOCTOR_PROBLEM, /* the guard cannot do its work */
    _DOCTOR_STATE_MAX,
} DoctorState;

typedef struct DoctorRow {
    DoctorGroup group;
    DoctorState state;
    char *text;   /* escaped */
    char *advice; /* what to do; NULL: nothing */
} DoctorRow;

#define DOCTOR_ROWS_MAX 1000U

typedef struct Doctor {
    DoctorRow *rows;
    size_t n;
    bool incomplete; /* some row is missing: no memory, or too many rows */
} Doctor;

/* Adds a row; advice may be NULL. Both are escaped here. */
void doctor_add(Doctor *doctor, DoctorGroup group, DoctorState state, const char *advice, const char *format,
                ...) _printf_(5, 6);

/* Prints the rows, for people or as a document ("trailguard.doctor/1"). Returns the exit status. */
int doctor_print(const Doctor *doctor, bool json, bool color);

void doctor_done(Doctor *doctor);

/* ---- checks ---- */

/* Runs the loop until *done. 0, -ETIMEDOUT after the deadline of everything it may wait for, or -errno. */
int doctor_wait(sd_event *event, const bool *done);

/* Opens the AWS side of the configuration and gets our identity. The caller closes ret_aws; ret_event is its
 * loop. True if AWS returned an identity. */
void doctor_aws(Doctor *doctor, const Config *config, sd_event **ret_event, AwsSetup *ret_aws,
                GuardIdentity *ret_caller);

/* The result of a pass over everything. */
void doctor_status(Doctor *doctor, const Status *status);

/* Its channels only. */
void doctor_channels(Doctor *doctor, const Status *status);

/* Whether the policies grant what `policy guard` prints. status: the results of calls. */
void doctor_rights(Doctor *doctor, const Config *config, sd_event *event, const AwsSetup *aws,
                   const GuardIdentity *caller, const Status *status);

/* What protects the guard as a whole. */
void doctor_protection_of_guard(Doctor *doctor, const ProtectionFacts *facts);

/* What protects a user or role of the guard, and what does not. now_usec: real. */
void doctor_protection(Doctor *doctor, const PrincipalFound *found, uint64_t now_usec);

/* `check --doctor`. Returns the exit status. */
int verb_doctor(const VerbArgs *args);
