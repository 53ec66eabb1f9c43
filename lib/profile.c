/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/profile.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ini.h"
#include "lib/util/hash.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define DURATION_MIN 900
#define DURATION_MAX 43200
/* A session opened by another session lasts an hour at most. */
#define DURATION_CHAINED_MAX 3600
#define SHOWN_MAX 96 /* bytes of a profile's name in a message */

static const char *const key_names[_PROFILE_KEY_MAX] = {
    [PROFILE_KEY_ID] = "aws_access_key_id",
    [PROFILE_KEY_SECRET] = "aws_secret_access_key",
    [PROFILE_KEY_TOKEN] = "aws_session_token",
    [PROFILE_REGION] = "region",
    [PROFILE_ROLE_ARN] = "role_arn",
    [PROFILE_SOURCE_PROFILE] = "source_profile",
    [PROFILE_CREDENTIAL_SOURCE] = "credential_source",
    [PROFILE_EXTERNAL_ID] = "external_id",
    [PROFILE_SESSION_NAME] = "role_session_name",
    [PROFILE_DURATION] = "duration_seconds",
    [PROFILE_MFA_SERIAL] = "mfa_serial",
    [PROFILE_PROCESS] = "credential_process",
    [PROFILE_WEB_TOKEN_FILE] = "web_identity_token_file",
    [PROFILE_SSO_SESSION] = "sso_session",
    [PROFILE_SSO_START_URL] = "sso_start_url",
    [PROFILE_ENDPOINT_URL] = "endpoint_url",
    [PROFILE_SERVICES] = "services",
    [PROFILE_CA_BUNDLE] = "ca_bundle",
};

#define N_OF_A_KEY (PROFILE_KEY_TOKEN + 1)

/* ---- memory ---- */

static void free_secret(char **s) {
    if (*s)
        hash_wipe(*s, strlen(*s));
    free(*s);
    *s = NULL;
}

void profile_done(Profile *profile) {
    for (size_t i = 0; i < _PROFILE_KEY_MAX; i++)
        free_secret(&profile->values[i]);
    for (size_t i = 0; i < _AWS_SERVICE_MAX; i++)
        free_secret(&profile->service_urls[i]);
    profile->found = false;
}

void profile_plan_done(ProfilePlan *plan) {
    profile_done(&plan->profile);
    for (size_t i = 0; i < plan->n_roles; i++)
        profile_done(&plan->roles[i]);
    plan->n_roles = 0;
}

static int set_text(char **slot, const char *value) {
    char *copy = NULL;

    if (strlen(value) > PROFILE_VALUE_MAX)
        return -E2BIG;
    if (value[0]) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free_secret(slot);
    *slot = copy;
    return 0;
}

/* ---- one section of one file ---- */

typedef struct Reading {
    const char *word;   /* before the name: "profile", "services"; NULL: the section is only the name */
    const char *name;
    bool bare_too;      /* the name alone is accepted, too */
    bool services;      /* read service_urls, not values */
    Profile *profile;
    /* while a file is read */
    bool inside;        /* in the requested section */
    unsigned at;        /* the line of its header, 0 before it */
    bool was_bare;      /* that header was only the name */
    unsigned key_lines[_PROFILE_KEY_MAX];
    unsigned line;      /* of an error */
    char problem[192];
} Reading;

/* Two words, quoted as for a shell: [profile "my team"]. */
static int is_section(const Reading *reading, const char *section) {
    _cleanup_free_ char **words = NULL;
    int r;

    if (!reading->word || (reading->bare_too && text_equal(section, reading->name)))
        return text_equal(section, reading->name);
    if (!text_starts_with(section, reading->word))
        return 0;
    r = shell_split(section, &words);
    if (r != 2)
        return r == -ENOMEM ? r : 0;
    assert(words);
    return text_equal(words[0], reading->word) && text_equal(words[1], reading->name);
}

static int _printf_(3, 4) spoil(Reading *reading, const IniEntry *entry, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(reading->problem, sizeof(reading->problem), format, ap);
    va_end(ap);
    reading->line = entry->line;
    return -EINVAL;
}

static int begin_section(Reading *reading, const IniEntry *entry) {
    bool is_bare = text_equal(entry->section, reading->name);
    int r = is_section(reading, entry->section);

    if (r < 0)
        return r;
    reading->inside = r;
    if (!r)
        return 0;
    if (reading->at && reading->bare_too && reading->was_bare && !is_bare) {
        /* Both AWS tools use the longer form of "default" if it comes last. */
        profile_done(reading->profile);
        memset(reading->key_lines, 0, sizeof(reading->key_lines));
    } else if (reading->at)
        return spoil(reading, entry,
                     "this section is in line %u already, and AWS's tools differ on which one counts",
                     reading->at);
    reading->at = entry->line;
    reading->was_bare = is_bare;
    reading->profile->found = true;
    return 0;
}

/* True if credentials depend on it. */
static bool makes_keys(ProfileKey key) {
    return key != PROFILE_REGION && key != PROFILE_ENDPOINT_URL && key != PROFILE_SERVICES &&
           key != PROFILE_CA_BUNDLE;
}

static int take_value(Reading *reading, const IniEntry *entry) {
    size_t i = 0;

    while (i < _PROFILE_KEY_MAX && !text_equal(entry->key, key_names[i]))
        i++;
    if (i == _PROFILE_KEY_MAX)
        return 0;
    if (entry->kind == INI_CONTINUED && !makes_keys(i))
        return 0;
    if (entry->kind == INI_CONTINUED)
        return spoil(reading, entry,
                     "this line is indented below %s, and AWS's tools differ on whether it goes on there; "
                     "begin it as far left as that",
                     key_names[i]);
    if (reading->key_lines[i])
        return spoil(reading, entry, "%s is in line %u already, and AWS's tools differ on which one counts",
                     key_names[i], reading->key_lines[i]);
    reading->key_lines[i] = entry->line;
    return set_text(&reading->profile->values[i], entry->value);
}

/* "cloudtrail =" with "endpoint_url = ..." indented below it. */
static int take_service(Reading *reading, const IniEntry *entry) {
    if (entry->kind != INI_SUBKEY || !text_equal(entry->key, "endpoint_url"))
        return 0;
    for (AwsService i = 0; i < _AWS_SERVICE_MAX; i++)
        if (text_equal(entry->parent, endpoint_service_name(i)))
            return set_text(&reading->profile->service_urls[i], entry->value);
    return 0;
}

static int profile_visit(const IniEntry *entry, void *userdata) {
    Reading *reading = userdata;

    if (entry->kind == INI_SECTION)
        return begin_section(reading, entry);
    if (!entry->section[0])
        reading->inside = false;
    if (!reading->inside)
        return 0;
    if (entry->kind == INI_ODD)
        return spoil(reading, entry, "this line is neither [section] nor key = value");
    if (reading->services)
        return take_service(reading, entry);
    return entry->kind == INI_SUBKEY ? 0 : take_value(reading, entry);
}

static int read_section(const ProfileFile *file, Reading reading, char *message, size_t size) {
    char shown[SHOWN_MAX];
    int r;

    if (!file->text)
        return 0;
    r = ini_parse(file->text, file->len, profile_visit, &reading);
    if (r == -EINVAL)
        snprintf(message, size, "%s:%u: %s", file->path, reading.line, reading.problem);
    else if (r == -E2BIG)
        snprintf(message, size, "%s: a value of profile \"%s\" is too long", file->path,
                 text_escaped(shown, sizeof(shown), reading.name));
    else if (r < 0)
        snprintf(message, size, "%s: out of memory", file->path);
    return r;
}

/* ---- a profile from two files ---- */

static void move_text(char **to, char **from) {
    free_secret(to);
    *to = TAKE_PTR(*from);
}

static bool has_key(const Profile *profile) {
    return profile->values[PROFILE_KEY_ID] || profile->values[PROFILE_KEY_SECRET];
}

/* Moves over's texts into under; over keeps the rest, to be freed. */
static void merge(Profile *under, Profile *over) {
    bool key_wins = has_key(over);

    for (size_t i = 0; i < _PROFILE_KEY_MAX; i++)
        if (i < N_OF_A_KEY ? key_wins : over->values[i] != NULL)
            move_text(&under->values[i], &over->values[i]);
    under->found = under->found || over->found;
    under->key_in_config = !key_wins;
}

int profile_read(const ProfileFiles *files, const char *name, Profile *ret, char *message, size_t size) {
    Profile profile = { 0 }, over = { 0 };
    int r;

    r = read_section(&files->config,
                     (Reading){ .word = "profile",
                                .name = name,
                                .bare_too = text_equal(name, "default"),
                                .profile = &profile },
                     message, size);
    if (r >= 0)
        r = read_section(&files->credentials, (Reading){ .name = name, .profile = &over }, message, size);
    merge(&profile, &over);
    profile_done(&over);
    if (r >= 0 && profile.values[PROFILE_SERVICES])
        r = read_section(&files->config,
                         (Reading){ .word = "services",
                                    .name = profile.values[PROFILE_SERVICES],
                                    .services = true,
                                    .profile = &profile },
                         message, size);
    if (r < 0) {
        profile_done(&profile);
        return r;
    }
    *ret = profile;
    return 0;
}

/* ---- the source of its credentials ---- */

typedef struct Planner {
    const ProfileFiles *files;
    ProfilePlan plan;
    char *message;
    size_t size;
} Planner;

/* The files that were read. */
static void describe_files(const ProfileFiles *files, char *dst, size_t size) {
    const ProfileFile *a = &files->credentials, *b = &files->config;
    bool both = a->path && b->path && (!a->text == !b->text);

    if (both)
        snprintf(dst, size, "%s, %s", a->path, b->path);
    else
        snprintf(dst, size, "%s",
                 a->path && (a->text || !b->path) ? a->path
                 : b->path                        ? b->path
                                                  : "no file");
}

/* Describes an error in a profile; returns error. */
static int complain(Planner *p, int error, const char *name, const char *format, ...) _printf_(4, 5);
static int complain(Planner *p, int error, const char *name, const char *format, ...) {
    char files[256], shown[SHOWN_MAX], what[256];
    va_list ap;

    va_start(ap, format);
    vsnprintf(what, sizeof(what), format, ap);
    va_end(ap);
    describe_files(p->files, files, sizeof(files));
    snprintf(p->message, p->size, "%s: profile \"%s\" %s", files, text_escaped(shown, sizeof(shown), name),
             what);
    return error;
}

static int read_duration(Planner *p, const char *name, const Profile *profile, unsigned *ret) {
    const char *text = profile->values[PROFILE_DURATION];
    unsigned long seconds;

    *ret = 0;
    if (!text)
        return 0;
    seconds = strspn(text, "0123456789") == strlen(text) && strlen(text) < 9 ? strtoul(text, NULL, 10) : 0;
    if (seconds < DURATION_MIN || seconds > DURATION_MAX)
        return complain(p, -EINVAL, name, "has a duration_seconds that is not 900 to 43200");
    *ret = (unsigned)seconds;
    return 0;
}

static int find_credential_source(Planner *p, const char *name, const char *word) {
    static const struct {
        const char *word;
        ProfileBase base;
    } words[] = {
        { "Environment", PROFILE_BASE_ENVIRONMENT },
        { "Ec2InstanceMetadata", PROFILE_BASE_INSTANCE },
        { "EcsContainer", PROFILE_BASE_CONTAINER },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (text_equal(word, words[i].word)) {
            p->plan.base = words[i].base;
            return 0;
        }
    return complain(p, -EINVAL, name,
                    "has a credential_source that is not Environment, Ec2InstanceMetadata or EcsContainer");
}

/* Checks and adds the role of a profile; takes the profile over. */
static int add_role(Planner *p, const char *name, Profile *profile) {
    ProfilePlan *plan = &p->plan;
    bool by_profile = profile->values[PROFILE_SOURCE_PROFILE];
    bool by_source = profile->values[PROFILE_CREDENTIAL_SOURCE];
    int r;

    if (profile->values[PROFILE_MFA_SERIAL])
        return complain(
                p, -EINVAL, name,
                "has mfa_serial: a role that needs a code from a device cannot be assumed by a daemon");
    if (by_profile && by_source)
        return complain(p, -EINVAL, name, "has both source_profile and credential_source");
    if (!by_profile && !by_source)
        return complain(p, -EINVAL, name, "has a role_arn but neither source_profile nor credential_source");
    if (plan->n_roles == PROFILE_ROLES_MAX)
        return complain(p, -EINVAL, name, "is the end of more than %d roles in a row", PROFILE_ROLES_MAX);
    r = read_duration(p, name, profile, &plan->durations_sec[plan->n_roles]);
    if (r < 0)
        return r;
    plan->roles[plan->n_roles++] = *profile;
    *profile = (Profile){ 0 };
    return 0;
}

/* Like botocore: a key in the configuration file comes after a program. */
static bool is_program_first(const Profile *profile, bool keys_first) {
    return profile->key_in_config && profile->values[PROFILE_PROCESS] && !keys_first;
}

/* The base of a profile that assumes no role; takes the profile over. */
static int set_base(Planner *p, const char *name, Profile *profile, bool keys_first) {
    ProfilePlan *plan = &p->plan;
    int r;

    if (profile->values[PROFILE_WEB_TOKEN_FILE] && !(keys_first && has_key(profile))) {
        if (!profile->values[PROFILE_ROLE_ARN])
            return complain(p, -EINVAL, name, "has a web_identity_token_file but no role_arn");
        r = read_duration(p, name, profile, &plan->web_duration_sec);
        if (r < 0)
            return r;
        plan->base = PROFILE_BASE_WEB_IDENTITY;
    } else if (has_key(profile) && !is_program_first(profile, keys_first)) {
        for (size_t i = PROFILE_KEY_ID; i <= PROFILE_KEY_SECRET; i++)
            if (!profile->values[i])
                return complain(p, -EINVAL, name, "has no %s", key_names[i]);
        plan->base = PROFILE_BASE_KEYS;
    } else if (profile->values[PROFILE_PROCESS])
        plan->base = PROFILE_BASE_PROCESS;
    else if (profile->values[PROFILE_SSO_SESSION] || profile->values[PROFILE_SSO_START_URL])
        return complain(
                p, -EINVAL, name,
                "signs in by single sign-on, which needs a person; use a role, or credential_process");
    else
        return complain(p, plan->n_roles > 0 ? -EINVAL : -ENODATA, name,
                        "has no %s and no other source of keys", key_names[PROFILE_KEY_ID]);
    plan->profile = *profile;
    *profile = (Profile){ 0 };
    return 0;
}

static bool was_visited(const ProfilePlan *plan, const char *top, const char *name) {
    if (text_equal(top, name))
        return true;
    for (size_t i = 0; i < plan->n_roles; i++)
        if (i + 1 < plan->n_roles && text_equal(plan->roles[i].values[PROFILE_SOURCE_PROFILE], name))
            return true;
    return false;
}

/* The profile whose source_profile is being read. */
static const char *name_before(const ProfilePlan *plan, const char *top) {
    return plan->n_roles > 1 ? plan->roles[plan->n_roles - 2].values[PROFILE_SOURCE_PROFILE] : top;
}

static int find_odd(const IniEntry *entry, void *userdata) {
    unsigned *line = userdata;

    *line = entry->line;
    return entry->kind == INI_ODD;
}

/* The missing header may be a line that cannot be parsed. */
static unsigned odd_line(const ProfileFiles *files) {
    const ProfileFile *all[] = { &files->credentials, &files->config };
    unsigned line;

    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i]->text && ini_parse(all[i]->text, all[i]->len, find_odd, &line) > 0)
            return line;
    return 0;
}

static int complain_missing(Planner *p, int error, const char *name) {
    char files[256], shown[SHOWN_MAX], odd[48] = "";
    unsigned line = odd_line(p->files);

    describe_files(p->files, files, sizeof(files));
    if (line > 0)
        snprintf(odd, sizeof(odd), ", and line %u cannot be read", line);
    snprintf(p->message, p->size, "%s: has no profile \"%s\"%s%s", files,
             text_escaped(shown, sizeof(shown), name),
             p->plan.n_roles > 0 ? ", which is a source_profile" : "", odd);
    return error;
}

/* One profile of the chain. 1: the next is the source_profile of the last role; 0: the base is found. */
static int plan_one(Planner *p, const char *top, const char *name, Profile *profile) {
    const ProfilePlan *plan = &p->plan;
    bool is_source = plan->n_roles > 0;
    const char *source;
    int r;

    if (!profile->found)
        return complain_missing(p, is_source ? -EINVAL : -ENOENT, name);
    /* Only the previous profile may be its own source, and then for its key. */
    if (is_source && was_visited(plan, top, name) &&
        !(text_equal(name, name_before(plan, top)) && has_key(profile)))
        return complain(p, -EINVAL, name, "is, in the end, its own source_profile");
    if (!profile->values[PROFILE_ROLE_ARN] || profile->values[PROFILE_WEB_TOKEN_FILE] ||
        (is_source && has_key(profile)))
        return set_base(p, name, profile, is_source);

    source = profile->values[PROFILE_CREDENTIAL_SOURCE];
    r = add_role(p, name, profile);
    if (r < 0)
        return r;
    return source ? find_credential_source(p, name, source) : 1;
}

/* Sessions of instances, containers and web identities are already sessions of roles. */
static void cut_durations(ProfilePlan *plan) {
    bool chained = plan->base == PROFILE_BASE_INSTANCE || plan->base == PROFILE_BASE_CONTAINER ||
                   plan->base == PROFILE_BASE_WEB_IDENTITY;

    for (size_t i = plan->n_roles; i-- > 0; chained = true)
        if (chained)
            plan->durations_sec[i] = MIN(plan->durations_sec[i], (unsigned)DURATION_CHAINED_MAX);
}

int profile_plan(const ProfileFiles *files, const char *name, ProfilePlan *ret, char *message, size_t size) {
    Planner p = { .files = files, .message = message, .size = size };
    const char *at = name;
    int r;

    do {
        Profile profile = { 0 };

        r = profile_read(files, at, &profile, message, size);
        if (r >= 0)
            r = plan_one(&p, name, at, &profile);
        profile_done(&profile);
        if (r > 0)
            at = p.plan.roles[p.plan.n_roles - 1].values[PROFILE_SOURCE_PROFILE];
    } while (r > 0);
    if (r < 0) {
        profile_plan_done(&p.plan);
        return r;
    }
    cut_durations(&p.plan);
    *ret = p.plan;
    return 0;
}

/* ---- command lines ---- */

#define WHITE " \t\r\n"

typedef struct Splitter {
    const char *at;
    char *to;
    char *words[SHELL_WORDS_MAX + 1];
    int n;
} Splitter;

/* What is between quotes, up to the closing one. */
static int take_quoted(Splitter *s, char quote) {
    for (s->at++; *s->at != quote; s->at++) {
        if (quote == '"' && s->at[0] == '\\' && (s->at[1] == '"' || s->at[1] == '\\'))
            s->at++;
        if (*s->at == '\0')
            return -EINVAL;
        *s->to++ = *s->at;
    }
    s->at++;
    return 0;
}

static int take_word(Splitter *s) {
    int r = 0;

    if (s->n == SHELL_WORDS_MAX)
        return -E2BIG;
    s->words[s->n++] = s->to;
    while (r == 0 && *s->at && !strchr(WHITE, *s->at)) {
        if (*s->at == '\'' || *s->at == '"') {
            r = take_quoted(s, *s->at);
            continue;
        }
        if (*s->at == '\\')
            s->at++;
        if (*s->at == '\0')
            return -EINVAL;
        *s->to++ = *s->at++;
    }
    *s->to++ = '\0';
    return r;
}

/* The pointers first, then what they point to. */
static int pack(const Splitter *s, const char *text, size_t len, char ***ret) {
    size_t n_pointers = (size_t)s->n + 1;
    char **all = calloc(n_pointers + len / sizeof(*all) + 1, sizeof(*all));
    char *copy;

    if (!all)
        return -ENOMEM;
    copy = (char *)(all + n_pointers);
    memcpy(copy, text, len);
    for (int i = 0; i < s->n; i++)
        all[i] = copy + (s->words[i] - text);
    all[s->n] = NULL;
    *ret = all;
    return s->n;
}

int shell_split(const char *text, char ***ret) {
    size_t len = strlen(text);
    Splitter s = { .at = text };
    char *scratch;
    int r = 0;

    if (len > SHELL_TEXT_MAX)
        return -E2BIG;
    /* No word is longer than what it came from, but for its end. */
    scratch = malloc(2 * len + 1);
    if (!scratch)
        return -ENOMEM;
    s.to = scratch;
    for (s.at += strspn(s.at, WHITE); *s.at && r == 0; s.at += strspn(s.at, WHITE))
        r = take_word(&s);
    if (r == 0)
        r = pack(&s, scratch, (size_t)(s.to - scratch), ret);
    free(scratch);
    return r;
}
