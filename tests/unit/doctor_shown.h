/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What doctor_print writes. Include it after cmocka.h. */
#include <stdio.h>
#include <unistd.h>

#include "daemon/cli/doctor.h"

static char doctor_text[65536];

/* What doctor_print writes, and its status. */
static inline int doctor_shown(const Doctor *doctor, bool json, bool color) {
    FILE *file = tmpfile();
    int saved, status;
    size_t n;

    assert_non_null(file);
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    assert_true(saved >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    status = doctor_print(doctor, json, color);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    rewind(file);
    n = fread(doctor_text, 1, sizeof(doctor_text) - 1, file);
    doctor_text[n] = '\0';
    fclose(file);
    return status;
}
