/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/arn.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "lib/util/text.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool consists_of(const char *s, const char *set) {
    return s[strspn(s, set)] == '\0';
}

/* Moves *s past the next colon and copies what was before it. */
static bool take_field(const char **s, char *dst, size_t size) {
    const char *colon = strchr(*s, ':');
    size_t n;

    if (!colon)
        return false;
    n = (size_t)(colon - *s);
    if (n >= size)
        return false;
    memcpy(dst, *s, n);
    dst[n] = '\0';
    *s = colon + 1;
    return true;
}

static bool account_is_valid(const char *account) {
    size_t n = strlen(account);

    return n == 0 || (n == 12 && consists_of(account, DIGITS));
}

static bool resource_is_valid(const char *s) {
    if (*s == '\0')
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static int arn_split(const char *s, bool any_account, Arn *ret) {
    Arn arn = { 0 };

    if (!s || !text_starts_with(s, "arn:") || strlen(s) >= ARN_MAX)
        return -EINVAL;
    s += strlen("arn:");

    if (!take_field(&s, arn.partition, sizeof(arn.partition)) ||
        !take_field(&s, arn.service, sizeof(arn.service)) ||
        !take_field(&s, arn.region, sizeof(arn.region)) ||
        !take_field(&s, arn.account, sizeof(arn.account)))
        return -EINVAL;
    if (arn.partition[0] == '\0' || !consists_of(arn.partition, LOWER DIGITS "-"))
        return -EINVAL;
    if (arn.service[0] == '\0' || !consists_of(arn.service, LOWER DIGITS "-"))
        return -EINVAL;
    if (!consists_of(arn.region, LOWER DIGITS "-") || !resource_is_valid(s) ||
        !(account_is_valid(arn.account) || (any_account && text_equal(arn.account, ARN_ANY_ACCOUNT))))
        return -EINVAL;

    (void) text_copy(arn.resource, sizeof(arn.resource), s);
    *ret = arn;
    return 0;
}

int arn_parse(const char *s, Arn *ret) {
    return arn_split(s, false, ret);
}

/* With an account's twelve digits in its place it must be an ARN still. */
int arn_parse_any_account(const char *s, Arn *ret) {
    Arn arn;
    int r = arn_split(s, true, &arn);

    if (r < 0)
        return r;
    if (text_equal(arn.account, ARN_ANY_ACCOUNT) && strlen(s) + strlen("111122223333") - 1 >= ARN_MAX)
        return -EINVAL;
    *ret = arn;
    return 0;
}

static bool is_regional(const Arn *arn, const char *service) {
    return text_equal(arn->service, service) && arn->region[0] != '\0' && arn->account[0] != '\0';
}

bool arn_is_trail(const Arn *arn) {
    return is_regional(arn, "cloudtrail") && text_starts_with(arn->resource, "trail/") &&
           arn_trail_name_is_valid(arn->resource + strlen("trail/"));
}

bool arn_is_topic(const Arn *arn) {
    size_t n = strlen(arn->resource), stem = n;

    if (!is_regional(arn, "sns") || n > 256)
        return false;
    if (text_ends_with(arn->resource, ".fifo"))
        stem -= strlen(".fifo");
    return stem > 0 && strspn(arn->resource, LOWER UPPER DIGITS "_-") == stem;
}

/* As IAM allows names. */
static bool name_is_valid(const char *name, size_t n) {
    return n >= 1 && n <= 64 && strspn(name, LOWER UPPER DIGITS "+=,.@_-") >= n;
}

/* Of a service without regions. A path between kind and name is left to AWS to judge. */
static bool is_named(const Arn *arn, const char *service, const char *kind) {
    const char *name = arn_name(arn);

    return text_equal(arn->service, service) && arn->region[0] == '\0' && arn->account[0] != '\0' &&
           text_starts_with(arn->resource, kind) && name_is_valid(name, strlen(name));
}

bool arn_is_role(const Arn *arn) {
    return is_named(arn, "iam", "role/");
}

/* ---- principals ---- */

#define SESSION "assumed-role/"

static bool is_session(const Arn *arn) {
    const char *role = arn->resource + strlen(SESSION);
    size_t n = strcspn(role, "/");

    return is_named(arn, "sts", SESSION) && name_is_valid(role, n) && arn_name(arn) == role + n + 1;
}

static bool parse_principal(const char *s, Arn *ret) {
    return arn_parse_any_account(s, ret) == 0 &&
           (arn_is_role(ret) || is_named(ret, "iam", "user/") || is_session(ret));
}

bool arn_principal_is_valid(const char *s) {
    Arn arn;

    return parse_principal(s, &arn);
}

/* A session's ARN has the role's name without its path; in one account no two roles have the same name. */
static bool is_session_of(const Arn *session, const char *role) {
    const char *name = session->resource + strlen(SESSION);
    size_t n = strlen(role);

    return strncmp(name, role, n) == 0 && name[n] == '/';
}

bool arn_principal_is(const char *principal, const char *caller) {
    Arn named, who;

    if (!parse_principal(principal, &named) || !parse_principal(caller, &who) ||
        text_equal(who.account, ARN_ANY_ACCOUNT) || !text_equal(named.partition, who.partition) ||
        !(text_equal(named.account, ARN_ANY_ACCOUNT) || text_equal(named.account, who.account)))
        return false;
    if (arn_is_role(&named) && is_session(&who))
        return is_session_of(&who, arn_name(&named));
    return text_equal(named.service, who.service) && text_equal(named.resource, who.resource);
}

const char *arn_name(const Arn *arn) {
    const char *slash = strrchr(arn->resource, '/');

    return slash ? slash + 1 : arn->resource;
}

/* Four groups of digits with dots between, whatever their values. */
static bool looks_like_ipv4(const char *s) {
    for (int group = 0; group < 4; group++) {
        size_t n = strspn(s, DIGITS);

        if (n == 0 || s[n] != (group < 3 ? '.' : '\0'))
            return false;
        s += n + 1;
    }
    return true;
}

static bool is_separator(char c) {
    return c == '.' || c == '_' || c == '-';
}

bool arn_trail_name_is_valid(const char *name) {
    size_t n = name ? strlen(name) : 0;

    if (n < 3 || n > 128 || !consists_of(name, LOWER UPPER DIGITS "._-"))
        return false;
    if (is_separator(name[0]) || is_separator(name[n - 1]))
        return false;
    for (size_t i = 1; i < n; i++)
        if (is_separator(name[i - 1]) && is_separator(name[i]))
            return false;
    return !looks_like_ipv4(name);
}
