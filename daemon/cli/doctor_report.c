/* SPDX-License-Identifier: Apache-2.0 */
/* The doctor's rows, as text and as a document. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/doctor.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define TEXT_MAX 2048

static const char *const group_words[_DOCTOR_GROUP_MAX] = {
    [DOCTOR_CONFIGURATION] = "configuration",
    [DOCTOR_DIRECTORIES] = "directories",
    [DOCTOR_NETWORK] = "network",
    [DOCTOR_CLOCK] = "clock",
    [DOCTOR_CREDENTIALS] = "credentials",
    [DOCTOR_IDENTITY] = "identity",
    [DOCTOR_REGIONS] = "regions",
    [DOCTOR_RIGHTS] = "permissions",
    [DOCTOR_PROTECTION] = "protection",
    [DOCTOR_TRAILS] = "trails",
    [DOCTOR_BASELINES] = "baselines",
    [DOCTOR_CHANNELS] = "channels",
    [DOCTOR_HEARTBEAT] = "heartbeat",
};

/* The exit status is that of a monitoring plugin. */
static const struct {
    const char *word, *result, *color;
    int status;
} states[_DOCTOR_STATE_MAX] = {
    [DOCTOR_OK] = { "ok", "ok", "\033[32m", 0 },
    [DOCTOR_NOTE] = { "note", "ok", "", 0 },
    [DOCTOR_WARNING] = { "warning", "warning", "\033[33m", 1 },
    [DOCTOR_UNKNOWN] = { "unknown", "unknown", "\033[33m", 3 },
    [DOCTOR_PROBLEM] = { "problem", "critical", "\033[31m", 2 },
};

static char *escaped_copy(const char *text) {
    char shown[TEXT_MAX];

    return text ? strdup(text_escaped(shown, sizeof(shown), text)) : NULL;
}

void doctor_add(Doctor *doctor, DoctorGroup group, DoctorState state, const char *advice, const char *format,
                ...) {
    char text[TEXT_MAX];
    DoctorRow *rows;
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    rows = doctor->n < DOCTOR_ROWS_MAX ? reallocarray(doctor->rows, doctor->n + 1, sizeof(*rows)) : NULL;
    if (!rows) {
        doctor->incomplete = true;
        return;
    }
    doctor->rows = rows;
    rows[doctor->n] = (DoctorRow){ group, state, escaped_copy(text), escaped_copy(advice) };
    if (rows[doctor->n].text)
        doctor->n++;
    else {
        free(rows[doctor->n].advice);
        doctor->incomplete = true;
    }
}

static DoctorState worst(const Doctor *doctor) {
    DoctorState state = doctor->incomplete ? DOCTOR_UNKNOWN : DOCTOR_OK;

    for (size_t i = 0; i < doctor->n; i++)
        state = MAX(state, doctor->rows[i].state);
    return state;
}

static size_t count(const Doctor *doctor, DoctorState state) {
    size_t n = 0;

    for (size_t i = 0; i < doctor->n; i++)
        n += doctor->rows[i].state == state;
    return n;
}

/* ---- for people ---- */

static void print_row(const DoctorRow *row, bool color) {
    const char *paint = color ? states[row->state].color : "";

    printf("  %s%-8s%s %s\n", paint, states[row->state].word, paint[0] ? "\033[0m" : "", row->text);
    if (row->advice)
        printf("           -> %s\n", row->advice);
}

static void print_group(const Doctor *doctor, DoctorGroup group, bool color) {
    bool any = false;

    for (size_t i = 0; i < doctor->n; i++) {
        if (doctor->rows[i].group != group)
            continue;
        if (!any)
            printf("%s\n", group_words[group]);
        any = true;
        print_row(&doctor->rows[i], color);
    }
}

static void print_sum(const Doctor *doctor) {
    bool any = false;

    for (int s = _DOCTOR_STATE_MAX - 1; s >= 0; s--) {
        size_t n = count(doctor, (DoctorState)s);

        if (n > 0)
            printf("%s%zu %s%s", any ? ", " : "", n, states[s].word,
                   n > 1 && s != DOCTOR_OK && s != DOCTOR_UNKNOWN ? "s" : "");
        any |= n > 0;
    }
    puts(doctor->incomplete ? "; not all lines are here: out of memory, or too many" : "");
}

/* ---- for programs ---- */

static void print_json(const Doctor *doctor) {
    json_t *list = json_array(), *document;

    for (size_t i = 0; i < doctor->n; i++) {
        const DoctorRow *row = &doctor->rows[i];

        (void)json_array_append_new(
                list, json_pack("{s:s, s:s, s:s, s:s?}", "group", group_words[row->group], "state",
                                states[row->state].word, "text", row->text, "advice", row->advice));
    }
    document = json_pack("{s:s, s:s, s:b, s:o}", "schema", "trailguard.doctor/1", "result",
                         states[worst(doctor)].result, "complete", !doctor->incomplete, "checks", list);
    if (document && json_dumpf(document, stdout, JSON_INDENT(2)) == 0)
        putchar('\n');
    json_decref(document);
}

int doctor_print(const Doctor *doctor, bool json, bool color) {
    if (json) {
        print_json(doctor);
        return states[worst(doctor)].status;
    }
    for (int g = 0; g < _DOCTOR_GROUP_MAX; g++)
        print_group(doctor, (DoctorGroup)g, color);
    putchar('\n');
    print_sum(doctor);
    return states[worst(doctor)].status;
}

void doctor_done(Doctor *doctor) {
    for (size_t i = 0; i < doctor->n; i++) {
        free(doctor->rows[i].text);
        free(doctor->rows[i].advice);
    }
    free(doctor->rows);
    *doctor = (Doctor){ 0 };
}
