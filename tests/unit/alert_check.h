/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What holds for every alert, and what the tests of alerts share. Include it after cmocka.h. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"

#define SEC     1000000ULL
#define T0      (1795428131ULL * SEC) /* 2026-11-23T10:02:11Z */
#define ACCOUNT "111122223333"
#define ARN     "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail"
#define NAME_128                                                                                            \
    "a123456789b123456789c123456789d123456789e123456789f123456789g123456789h123456789i123456789j123456789"  \
    "k123456789l123456789m1234567"

static const AlertGuard guard = { "guard1", "0.1.0" };
static const Subject trail = { "org-trail", ARN, ACCOUNT, "eu-central-1" };
static const Subject long_trail _unused_ = { NAME_128, ARN, ACCOUNT, "ap-southeast-1" };
static const Subject target _unused_ = { "", "", ACCOUNT, "eu-central-1" };
static const Subject nobody _unused_ = { "", "", "", "" };

#define EVENT(kind_, phase_, severity_, ...)                                                                \
    {                                                                                                       \
        .kind = (kind_), .phase = (phase_), .severity = (severity_), .sequence = 1,                         \
        .incident_dedup_usec = T0, .dedup_usec = T0, .opened_usec = T0 + SEC, .time_usec = T0 + 241 * SEC,  \
        __VA_ARGS__                                                                                         \
    }

static inline Alert compose(const Subject *subject, const Event *event) {
    Alert alert;

    assert_int_equal(alert_compose(&guard, subject, event, &alert), 0);
    return alert;
}

static inline json_t *load(const char *text) {
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("not JSON (%s): %s", error.text, text);
    return root;
}

/* ---- what holds for every message ---- */

static inline void check_subject(const char *subject) {
    assert_between(strlen(subject), 1, ALERT_SUBJECT_MAX - 1);
    for (const char *s = subject; *s; s++)
        assert_between(*s, 0x20, 0x7e);
    assert_memory_equal(subject, "[TrailGuard] ", 13);
    assert_null(strchr(subject, '{'));
}

/* "{name}"; values of settings are JSON, and have braces of their own. */
static inline void check_no_variables(const char *text) {
    for (const char *open = strchr(text, '{'); open; open = strchr(open + 1, '{')) {
        size_t len = strspn(open + 1, "abcdefghijklmnopqrstuvwxyzLABEL ");

        if (len > 0 && open[1 + len] == '}')
            fail_msg("\"%.*s\" in\n%s", (int)len + 2, open, text);
    }
}

/* Lines fit a screen, but for commands, lines in columns and words that are wider. */
static inline void check_widths(const char *text) {
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t len = strcspn(line, "\n"), indent = strspn(line, " "), columns = 0;

        for (size_t i = 0; i < len; i++)
            columns += ((unsigned char)line[i] & 0xc0) != 0x80;
        if (columns > 100 && memchr(line + indent, ' ', len - indent) && strncmp(line, "  aws ", 6) != 0 &&
            !memmem(line + indent, len - indent, "  ", 2))
            fail_msg("%zu columns: %.*s", columns, (int)len, line);
    }
}

/* Printable lines of UTF-8, no templates left over. */
static inline void check_text(const char *text) {
    json_t *as_json = json_string(text); /* NULL when it is not UTF-8 */

    assert_non_null(as_json);
    json_decref(as_json);
    for (const unsigned char *s = (const unsigned char *)text; *s; s++)
        assert_true(*s == '\n' || (*s >= 0x20 && *s != 0x7f));
    check_no_variables(text);
    assert_null(strstr(text, "1970-"));
    assert_null(strstr(text, "\n\n\n"));
    check_widths(text);
    assert_non_null(strstr(text, "\nIncident "));
    assert_true(strlen(text) < 24 * 1024);
}

static inline void check_document(const Alert *alert) {
    static const char *const members[] = {
        "schema",        "id",          "incident",        "sequence",    "event",   "severity",
        "time",          "summary",     "resolved",        "opened",      "account", "region",
        "trail",         "findings",    "detail",          "first_sight", "gap",     "repeats",
        "action",        "actor",       "changes",         "attack",      "guard",   "fields",
        "fields_left",   "maintenance", "restores_paused", "reopened",    "contest", "members",
        "members_total", "drill",
    };
    json_t *root = load(alert->document);

    assert_int_equal(json_object_size(root), ARRAY_SIZE(members));
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (!json_object_get(root, members[i]))
            fail_msg("no %s in %s", members[i], alert->document);
    assert_string_equal(json_string_value(json_object_get(root, "schema")), "trailguard.alert/1");
    assert_string_equal(json_string_value(json_object_get(root, "id")), alert->id);
    assert_string_equal(json_string_value(json_object_get(root, "incident")), alert->incident);
    assert_null(strchr(alert->document, '\n'));
    json_decref(root);
}

/* Whoever guards many accounts has to see from the subject which one it is, and where. A whole account has
 * no region; what is about several trails, or about the guard, has neither. */
static inline void check_place(const Alert *alert) {
    json_t *root = load(alert->document);
    const char *event = json_string_value(json_object_get(root, "event")),
               *account = json_string_value(json_object_get(root, "account")),
               *region = json_string_value(json_object_get(root, "region"));

    if (strncmp(event, "guard.channel", 13) != 0 && account && strcmp(account, ACCOUNT) == 0 &&
        (!strstr(alert->subject, account) || (region && !strstr(alert->subject, region))))
        fail_msg("no account or region in %s", alert->subject);
    json_decref(root);
}

static inline void check_any(const Alert *alert) {
    char *message;

    assert_int_equal(strlen(alert->id), 64);
    assert_int_equal(strlen(alert->incident), 16);
    check_subject(alert->subject);
    check_subject(alert->sms);
    check_place(alert);
    check_text(alert->text);
    check_document(alert);
    assert_int_equal(alert_sns_message(alert, NULL, 262144, &message), 0);
    json_decref(load(message));
    free(message);
}

/* Is it in a text, wherever lines are broken? */
static inline bool says(const char *text, const char *part) {
    char *flat = strdup(text), *to = flat;
    bool found;

    assert_non_null(flat);
    for (const char *from = text; *from;) {
        bool broken = *from == '\n';

        *to++ = broken ? ' ' : *from;
        from++;
        if (broken)
            from += strspn(from, " ");
    }
    *to = '\0';
    found = strstr(text, part) || strstr(flat, part);
    free(flat);
    return found;
}

/* For tests/integration, which holds the documents against the schema. */
static inline void keep_document(const char *test, size_t i, const Alert *alert) {
    const char *dir = getenv("ALERT_DOCUMENTS");
    char path[512];
    FILE *f;

    if (!dir)
        return;
    (void)snprintf(path, sizeof(path), "%s/%s-%02zu.json", dir, test, i);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(alert->document, f) >= 0);
    assert_int_equal(fclose(f), 0);
}
