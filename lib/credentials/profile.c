/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/credentials/instant.h"
#include "lib/ini.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Longest value taken from a key file: a session token has no agreed limit and is a few KiB today. */
#define VALUE_MAX (64 * 1024)

enum {
    KEY_ID,
    KEY_SECRET,
    KEY_TOKEN,
    _KEY_MAX,
};

static const char *const key_names[_KEY_MAX] = {
    [KEY_ID] = "aws_access_key_id",
    [KEY_SECRET] = "aws_secret_access_key",
    [KEY_TOKEN] = "aws_session_token",
};

typedef struct ProfileSource {
    InstantSource base;
    char *path;
    char *profile;
    bool required;
} ProfileSource;

/* What one reading of the file found. */
typedef struct Found {
    const char *section;
    bool seen;
    StrBuf values[_KEY_MAX];
} Found;

static void found_init(Found *f, const char *section) {
    *f = (Found){ .section = section };
    for (size_t i = 0; i < _KEY_MAX; i++) {
        f->values[i] = STRBUF_INIT(VALUE_MAX);
        f->values[i].wipe = true;
    }
}

static void found_done(Found *f) {
    for (size_t i = 0; i < _KEY_MAX; i++)
        strbuf_done(&f->values[i]);
}

static int visit(const IniEntry *entry, void *userdata) {
    Found *f = userdata;

    if (entry->parent || strcmp(entry->section, f->section) != 0)
        return 0;
    f->seen = true;
    for (size_t i = 0; i < _KEY_MAX; i++) {
        if (strcmp(entry->key, key_names[i]) != 0)
            continue;
        /* Named twice: the last one counts, as in AWS's own tools. */
        strbuf_truncate(&f->values[i], 0);
        return strbuf_add(&f->values[i], entry->value);
    }
    return 0;
}

static int read_section(const char *text, size_t len, const char *prefix, const char *profile, Found *ret,
                        unsigned *ret_line) {
    _cleanup_free_ char *section = NULL;
    int r;

    if (asprintf(&section, "%s%s", prefix, profile) < 0) {
        section = NULL;
        return -ENOMEM;
    }
    found_init(ret, section);
    r = ini_parse(text, len, visit, ret, ret_line);
    ret->section = NULL;
    return r;
}

/* "[NAME]" is how the credentials file spells it, "[profile NAME]" the configuration file. */
static int read_profile(const char *text, size_t len, const char *profile, Found *ret, unsigned *ret_line) {
    int r;

    r = read_section(text, len, "", profile, ret, ret_line);
    if (r < 0 || ret->seen)
        return r;
    found_done(ret);
    return read_section(text, len, "profile ", profile, ret, ret_line);
}

static CredentialsStatus explain_unreadable(const ProfileSource *p, int error, char *message, size_t size) {
    snprintf(message, size, "%s: %s", p->path,
             error == -E2BIG ? "is larger than a credentials file can be" :
             error == -EINVAL ? "is not a regular file" : strerror(-error));
    if (error == -ENOENT && !p->required)
        return CREDENTIALS_NONE;
    return CREDENTIALS_FAILED;
}

static CredentialsStatus explain_unparsed(const ProfileSource *p, int error, unsigned line, char *message,
                                          size_t size) {
    if (error == -EINVAL)
        snprintf(message, size, "%s:%u: this line is neither [section] nor key = value", p->path, line);
    else if (error == -E2BIG)
        snprintf(message, size, "%s: a value of profile \"%s\" is too long", p->path, p->profile);
    else
        snprintf(message, size, "%s: %s", p->path, strerror(-error));
    return CREDENTIALS_FAILED;
}

static CredentialsStatus to_credentials(const ProfileSource *p, const Found *f, Credentials **ret,
                                        char *message, size_t size) {
    if (!f->seen) {
        snprintf(message, size, "%s: has no profile \"%s\"", p->path, p->profile);
        return CREDENTIALS_FAILED;
    }
    for (size_t i = KEY_ID; i <= KEY_SECRET; i++)
        if (f->values[i].len == 0) {
            snprintf(message, size, "%s: profile \"%s\" has no %s", p->path, p->profile, key_names[i]);
            return CREDENTIALS_FAILED;
        }
    *ret = credentials_new(strbuf_str(&f->values[KEY_ID]), strbuf_str(&f->values[KEY_SECRET]),
                           strbuf_str(&f->values[KEY_TOKEN]), 0, "profile");
    if (!*ret) {
        snprintf(message, size, "%s: %s", p->path, strerror(ENOMEM));
        return CREDENTIALS_FAILED;
    }
    return CREDENTIALS_OK;
}

static CredentialsStatus profile_resolve(InstantSource *source, Credentials **ret, char *message,
                                         size_t size) {
    ProfileSource *p = CONTAINER_OF(source, ProfileSource, base);
    CredentialsStatus status;
    unsigned line = 0;
    char *text = NULL;
    size_t len = 0;
    Found found;
    int r;

    r = file_read(p->path, INI_FILE_MAX, &text, &len);
    if (r < 0)
        return explain_unreadable(p, r, message, size);
    found_init(&found, NULL);
    r = read_profile(text, len, p->profile, &found, &line);
    hash_wipe(text, len);
    free(text);
    status = r < 0 ? explain_unparsed(p, r, line, message, size) :
                     to_credentials(p, &found, ret, message, size);
    found_done(&found);
    return status;
}

static void profile_free(InstantSource *source) {
    ProfileSource *p = CONTAINER_OF(source, ProfileSource, base);

    free(p->path);
    free(p->profile);
    free(p);
}

int credentials_profile_new(Loop *loop, const char *path, const char *profile, bool required,
                            CredentialsSource **ret) {
    ProfileSource *p;

    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    instant_init(&p->base, loop, profile_resolve, profile_free);
    p->path = strdup(path);
    p->profile = strdup(profile ? profile : "default");
    p->required = required;
    if (!p->path || !p->profile) {
        profile_free(&p->base);
        return -ENOMEM;
    }
    *ret = &p->base.source;
    return 0;
}
