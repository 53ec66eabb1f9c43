/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one table of options, for parsing, defaults, bounds, --dump and the documentation checks. Private to
 * config. */

#include <errno.h>
#include <libconfig.h>
#include <stddef.h>

#include "daemon/config/config.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

typedef enum OptionKind {
    OPTION_NUMBER, /* unsigned, min..max */
    OPTION_BOOL,
    OPTION_SWITCH,   /* Switch; unset by default */
    OPTION_PIN_BOOL, /* char *: "true", "false"; NULL by default */
    OPTION_WORD,     /* one of words; stored as int: the word's index + min */
    OPTION_WORDS,    /* uint32_t: some of words, as bits by their index */
    OPTION_TEXT,     /* char *, checked by check */
    OPTION_TIME,     /* uint64_t: real usec, whole seconds; 0 by default */
    OPTION_SHARD,    /* Shard: "2/5"; total 0 by default */
    OPTION_LIST,     /* StringList, each checked by check */
    OPTION_GROUP,    /* its members are rows "group.member" */
    OPTION_GROUPS, /* a list of groups, size bytes each; their members are the rows of scope `members` */
} OptionKind;

/* The struct that an option's offset refers to. */
typedef enum OptionScope {
    SCOPE_FILE,        /* Config */
    SCOPE_ACCOUNT,     /* AccountConfig */
    SCOPE_CHANNEL,     /* ChannelConfig */
    SCOPE_MAINTENANCE, /* MaintenanceConfig */
    SCOPE_EXPECT,      /* TrailExpect; the option may also be a single group */
    _OPTION_SCOPE_MAX,
} OptionScope;

typedef struct Option {
    const char *name; /* "aws.profile" for a member */
    OptionKind kind;
    OptionScope scope;
    size_t offset; /* into what scope says */
    unsigned min, max;
    bool off;                 /* NUMBER: 0 is allowed below min, too */
    unsigned number;          /* default of NUMBER, BOOL, WORD (index), WORDS (bits) */
    const char *const *words; /* NULL-terminated */
    /* Checks a text: NULL if it is valid, else what is allowed. */
    const char *(*check)(const char *text);
    bool secret;   /* TEXT: may contain a password; not shown */
    bool all;      /* LIST: "all" is allowed, and the default */
    bool repeats;  /* LIST: duplicates are allowed */
    bool inherits; /* LIST, WORD, WORDS: the default means unset, and the top level's option of this name
                      applies */
    const char *unit; /* for messages: "seconds" or "" */
    /* GROUPS */
    OptionScope members;
    size_t size, n_offset; /* the place of their number */
    const char *example;
} Option;

extern const Option config_options[];
extern const size_t config_n_options;

/* The events of this name, or with this prefix for "trail.*", as bits; 0 if there are none. */
uint64_t config_events_named(const char *pattern);

/* The option's place in the struct that base points to. */
static inline void *option_slot(const Option *option, const void *base) {
    return (char *)base + option->offset;
}

/* The row of that name; NULL. */
const Option *config_option_named(const char *name);

/* True if the option's texts are names of regions. */
bool config_is_region(const Option *option);

/* The text that was probably meant; NULL if nothing is similar. */
const char *config_nearest(const Option *option, const char *text);

/* ---- mistakes in a file: config_mistakes.c ---- */

#define CONFIG_MISTAKES_MAX 100 /* further ones are only counted */

/* Columns count characters from 1, a tab as one; 0: unknown. */
typedef struct Place {
    unsigned line, column;
} Place;

/* A value in the file, in the order of the text, which is also the order of libconfig's tree. */
typedef struct Position {
    Place at, value;  /* the beginning of its name and of its value; the same for an entry without a name */
    const char *name; /* not NUL-terminated; NULL: an entry */
    size_t name_len, group;
    bool bad;   /* its value has been reported */
    bool again; /* the second of its name in the group */
} Position;

typedef struct Mistake {
    Place at;       /* line 0: the whole file */
    char topic[32]; /* the option that it is about, "" if none */
    char what[1024];
} Mistake;

/* The state of reading a file, and the mistakes found. */
typedef struct Reading {
    Config *config;
    Mistake *mistakes; /* CONFIG_MISTAKES_MAX */
    size_t n_mistakes; /* including those that did not fit */
    Position *positions;
    size_t n_positions, positions_allocated;
    char topic[32];   /* the option that is being read */
    bool expects_all; /* a group of `expect` without `trail` was read */
    bool incomplete;  /* a mistake hid the text after it, which may have had an option */
    int error;        /* -ENOMEM */
} Reading;

/* Adds a mistake. Returns -EINVAL. */
int config_mistake(Reading *r, Place at, const char *format, ...) _printf_(3, 4);
/* The same for a setting, at its name or its value; NULL: the whole file. A value is only reported once. */
int config_refuse(Reading *r, const config_setting_t *setting, const char *format, ...) _printf_(3, 4);
int config_refuse_value(Reading *r, const config_setting_t *setting, const char *format, ...) _printf_(3, 4);
/* Adds a note with the value's place, and what was probably meant. 0 or -ENOMEM. */
int config_note(Reading *r, const config_setting_t *setting, const char *format, ...) _printf_(3, 4);
/* True if no mistake is about this option. */
bool config_is_clean(const Reading *r, const char *topic);
/* Writes a line per mistake, in the order of the file: "FILE:LINE:COLUMN: what is wrong". */
void config_show_mistakes(Reading *r, const char *path, char error[static CONFIG_ERROR_MAX]);

/* Reads the file's text by libconfig's grammar, and writes to out what libconfig can read of it, on the same
 * lines: a mistake is corrected there if its meaning is clear, else left out. r->positions gets the values
 * that remain. Mistakes include what versions of libconfig read differently: missing commas in an array or
 * list, numbers with leading zeros or over 32 bits, @include, a comma before the closing bracket. text is
 * NUL-terminated. 0 or -ENOMEM. */
int config_check_text(Reading *r, const char *text, size_t len, StrBuf *out);

/* ---- one value: config_values.c ---- */

#define CONFIG_WORDS_MAX 800

/* The worse of two results: out of memory ends the reading, a mistake does not. */
static inline int config_worse_of(int a, int b) {
    return a == -ENOMEM || b == 0 ? a : b;
}

/* Appends to a list of allowed values: a, b, c. */
void config_list_add(char list[static CONFIG_WORDS_MAX], const char *quote, const char *item);

#define CONFIG_NUMBER_MAX 100

/* The allowed values of a NUMBER: "a whole number, 1..3600 seconds". */
const char *config_number_allowed(char dst[static CONFIG_NUMBER_MAX], const Option *option);

#define CONFIG_GROUPS_MAX 200

/* "a list of at most 16 groups ( { ... } ), or ()": what GROUPS may be. */
const char *config_groups_allowed(char dst[static CONFIG_GROUPS_MAX], const Option *option);

/* Adds a note that a region, in the option or ARN at setting, is probably mistyped. 0 or -ENOMEM. */
int config_note_region(Reading *r, const config_setting_t *setting, const char *name, const char *region);

/* Reads the value of an option that is not a group into its slot. 0, -EINVAL after a mistake, -ENOMEM. */
int config_set_value(Reading *r, const config_setting_t *setting, const Option *option, void *slot);

/* All options of a scope, in the struct that base points to. */
void config_set_defaults(OptionScope scope, void *base);
void config_free_options(OptionScope scope, void *base);
/* One of them, which has no value then. */
void config_free_option(const Option *option, void *base);

/* ---- options that contradict each other: config_checks.c ---- */

/* Compares the last group of the scope with those before it. 0, -EINVAL after a mistake, -ENOMEM. */
int config_check_group(Reading *r, const config_setting_t *group, OptionScope scope);
/* The same for the whole file; options with a mistake of their own are skipped. */
int config_check_whole(Reading *r, const config_setting_t *root);

/* ---- config_read.c ---- */

/* Reads the text into r->config. 0, -EINVAL after mistakes, -ENOMEM. */
int config_read_text(Reading *r, const char *text, size_t len);
