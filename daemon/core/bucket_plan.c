/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/bucket_plan.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

static bool is_wanted(const BucketFacts *facts, const char *bucket) {
    if (!bucket || !bucket[0] || facts->under_way)
        return false;
    if (!facts->bucket_checks && (!facts->owner_check || text_equal(bucket, facts->unasked)))
        return false;
    /* an unaccepted trail's bucket is only needed for its message */
    if (facts->provisional && !facts->message_waits)
        return false;
    return facts->recorded || facts->once;
}

/* Log files go to the current bucket and prefix, and after a restore to the recorded ones, so both are
 * judged. */
BucketPlan bucket_plan(const BucketFacts *facts) {
    const Settings *of = facts->recorded || !facts->once ? facts->desired : facts->actual;
    const char *bucket = of->values[FIELD_BUCKET], *prefix = of->values[FIELD_PREFIX];

    if (!is_wanted(facts, bucket))
        return (BucketPlan){ 0 };
    return (BucketPlan){
        .asked = true,
        .owner_only = !facts->bucket_checks || facts->provisional,
        .bucket = bucket,
        .prefix = prefix,
        .key = of->values[FIELD_KMS_KEY],
        .actual_prefix = text_equal(facts->actual->values[FIELD_BUCKET], bucket)
                                 ? facts->actual->values[FIELD_PREFIX]
                                 : NULL,
        .pinned = !text_equal(prefix, facts->baseline->values[FIELD_PREFIX]),
    };
}

/* ---- possible owners ---- */

void bucket_owners_add(BucketOwners *owners, const char *id) {
    if (strlen(id) != 12 || owners->n == BUCKET_OWNERS_MAX)
        return;
    for (size_t i = 0; i < owners->n; i++)
        if (text_equal(owners->ids[i], id))
            return;
    (void)text_copy(owners->ids[owners->n++], sizeof(owners->ids[0]), id);
}

/* A prefix often contains an account id. */
static void add_those_of_prefix(BucketOwners *owners, const char *prefix) {
    char id[13];

    while (prefix && *prefix) {
        size_t n = strspn(prefix, "0123456789");

        if (n == 12) {
            (void)snprintf(id, sizeof(id), "%.12s", prefix);
            bucket_owners_add(owners, id);
        }
        prefix += n > 0 ? n : 1;
    }
}

void bucket_owners_begin(const Settings *baseline, const Settings *desired, const char *account,
                         const char *prefix, BucketOwners *ret) {
    const char *known = desired->values[SETTING_BUCKET_OWNER];

    *ret = (BucketOwners){ .confirmed = text_equal(known, baseline->values[SETTING_BUCKET_OWNER]) };
    if (known)
        bucket_owners_add(ret, known);
    ret->known = ret->n > 0;
    bucket_owners_add(ret, account);
    add_those_of_prefix(ret, prefix);
}

bool bucket_owner_is_to_record(const Settings *baseline, const Settings *desired, const char *owner) {
    return owner[0] && !baseline->values[SETTING_BUCKET_OWNER] &&
           text_equal(desired->values[FIELD_BUCKET], baseline->values[FIELD_BUCKET]);
}

bool bucket_follows_settings(bool once, bool recorded, bool provisional) {
    return provisional || (once && !recorded);
}

const char *bucket_asked(const Settings *desired, const Settings *actual) {
    return desired->values[FIELD_BUCKET] ? desired->values[FIELD_BUCKET] : actual->values[FIELD_BUCKET];
}

#define BUCKET_READS 2U /* lifecycle and policy */

unsigned bucket_calls(unsigned n_heads, bool found, bool bucket_checks, const char *key) {
    return n_heads + (found ? BUCKET_READS : 0) + (bucket_checks && key && key[0]);
}

bool bucket_owner_is_out_of_reach(bool bucket_checks, bool known, bool failed) {
    return failed && !bucket_checks && !known;
}

static bool is_checked(const BucketResume *in, bool about_bucket) {
    return in->bucket_checks || (in->owner_check && about_bucket);
}

void bucket_resume(const BucketResume *in, Observation *seen, unsigned n_failed[static _UNREADABLE_MAX]) {
    static const char not_read_yet[] = "not read since the start";
    const struct {
        Finding finding;
        char *text;
    } rows[] = {
        { FINDING_BUCKET, seen->bucket_error },
        { FINDING_LIFECYCLE, seen->lifecycle_error },
        { FINDING_KEY, seen->key_error },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if ((in->findings & FINDING_BIT(rows[i].finding)) &&
            is_checked(in, rows[i].finding == FINDING_BUCKET))
            (void)text_copy(rows[i].text, CODE_TEXT_MAX, not_read_yet);
    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++) {
        bool checked = u < UNREADABLE_BUCKET || is_checked(in, u == UNREADABLE_BUCKET);

        n_failed[u] =
                checked && (in->findings & FINDING_BIT(FINDING_UNREADABLE(u))) ? in->unreachable_after : 0;
        if (n_failed[u] > 0)
            (void)text_copy(seen->unreadable[u], sizeof(seen->unreadable[u]), not_read_yet);
    }
}
