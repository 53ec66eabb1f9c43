/* SPDX-License-Identifier: Apache-2.0 */
/* The pure half of s3.h. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/answer.h"
#include "lib/s3.h"
#include "lib/util/macros.h"
#include "lib/util/timetext.h"
#include "lib/xml.h"

#define ROOT "LifecycleConfiguration"
#define RULE ROOT "/Rule"
#define DAYS_CAP 1000000

typedef struct Reading {
    S3Rules rules;
    S3Rule current; /* moves to rules when its element ends */
    bool is_lifecycle;
} Reading;

static void rule_done(S3Rule *rule) {
    free(rule->id);
    free(rule->prefix);
    *rule = (S3Rule){ 0 };
}

void s3_rules_done(S3Rules *rules) {
    for (size_t i = 0; i < rules->n; i++)
        rule_done(&rules->items[i]);
    free(rules->items);
    *rules = (S3Rules){ 0 };
}

/* ---- values ---- */

static int set_text(char **slot, const char *text) {
    char *copy = strdup(text);

    if (!copy)
        return -ENOMEM;
    free(*slot);
    *slot = copy;
    return 0;
}

static int set_id(S3Rule *rule, const char *text) {
    return set_text(&rule->id, text);
}

static int set_prefix(S3Rule *rule, const char *text) {
    return set_text(&rule->prefix, text);
}

static int set_status(S3Rule *rule, const char *text) {
    rule->enabled = strcmp(text, "Enabled") == 0;
    return rule->enabled || strcmp(text, "Disabled") == 0 ? 0 : -EBADMSG;
}

static int set_narrowed(S3Rule *rule, const char *text _unused_) {
    rule->narrowed = true;
    return 0;
}

static int read_days(const char *text, unsigned *ret) {
    unsigned days = 0;

    if (!*text)
        return -EBADMSG;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -EBADMSG;
        days = MIN(days * 10 + (unsigned)(*text - '0'), DAYS_CAP);
    }
    *ret = days;
    return 0;
}

static int set_days(S3Rule *rule, const char *text) {
    return read_days(text, &rule->expiration_days);
}

static int set_noncurrent(S3Rule *rule, const char *text) {
    return read_days(text, &rule->noncurrent_days);
}

static int set_date(S3Rule *rule, const char *text) {
    return timetext_parse_iso(text, &rule->expiration_usec) < 0 ? -EBADMSG : 0;
}

/* ---- the document ---- */

static const struct {
    const char *path;
    int (*set)(S3Rule *rule, const char *text);
} members[] = {
    { RULE "/ID", set_id },
    { RULE "/Status", set_status },
    { RULE "/Prefix", set_prefix }, /* before filters came, in 2016 */
    { RULE "/Filter/Prefix", set_prefix },
    { RULE "/Filter/And/Prefix", set_prefix },
    { RULE "/Filter/Tag", set_narrowed },
    { RULE "/Filter/ObjectSizeGreaterThan", set_narrowed },
    { RULE "/Filter/ObjectSizeLessThan", set_narrowed },
    { RULE "/Filter/And/Tag", set_narrowed },
    { RULE "/Filter/And/ObjectSizeGreaterThan", set_narrowed },
    { RULE "/Filter/And/ObjectSizeLessThan", set_narrowed },
    { RULE "/Expiration/Days", set_days },
    { RULE "/Expiration/Date", set_date },
    { RULE "/NoncurrentVersionExpiration/NoncurrentDays", set_noncurrent },
};

static int end_rule(Reading *reading) {
    S3Rules *rules = &reading->rules;
    S3Rule *rule = &reading->current, *items;
    int r = 0;

    if (!rule->id)
        r = set_id(rule, "");
    if (r >= 0 && !rule->prefix)
        r = set_prefix(rule, "");
    if (r < 0)
        return r;
    if (rules->n == S3_RULES_MAX)
        return -E2BIG;
    items = realloc(rules->items, (rules->n + 1) * sizeof(*items));
    if (!items)
        return -ENOMEM;
    rules->items = items;
    items[rules->n++] = *rule;
    *rule = (S3Rule){ 0 };
    return 0;
}

static int visit(const char *path, const char *text, void *userdata) {
    Reading *reading = userdata;

    if (strcmp(path, ROOT) == 0)
        reading->is_lifecycle = true;
    if (strcmp(path, RULE) == 0)
        return end_rule(reading);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++)
        if (strcmp(path, members[i].path) == 0)
            return members[i].set(&reading->current, text);
    return 0;
}

int s3_read_rules(const char *body, size_t len, S3Rules *ret) {
    Reading reading = { 0 };
    int r;

    r = xml_walk(body, len, visit, &reading);
    if (r >= 0 && !reading.is_lifecycle)
        r = -EBADMSG;
    rule_done(&reading.current);
    if (r < 0) {
        s3_rules_done(&reading.rules);
        return r;
    }
    *ret = reading.rules;
    return 0;
}

int s3_read_policy(const char *body, size_t len, char **ret) {
    json_t *root;
    int r;

    r = answer_load(body, len, &root);
    if (r < 0)
        return r;
    r = answer_dump(root, S3_POLICY_MAX, ret);
    json_decref(root);
    return r;
}
