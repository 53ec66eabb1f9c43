/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one table of options: parsing, defaults, bounds, --dump and the documentation checks all read it.
 * Private to config. */

#include <errno.h>
#include <libconfig.h>
#include <stddef.h>

#include "daemon/config/config.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"

typedef enum OptionKind {
    OPTION_NUMBER, /* unsigned, min..max */
    OPTION_BOOL,
    OPTION_SWITCH,   /* Switch; unset unless given */
    OPTION_PIN_BOOL, /* char *: "true", "false"; NULL unless given */
    OPTION_WORD,     /* one of words; stored as int: the word's index + min */
    OPTION_WORDS,    /* uint32_t: some of words, as bits by their index */
    OPTION_TEXT,     /* char *, checked by check */
    OPTION_TIME,     /* uint64_t: real usec, whole seconds; 0 unless given */
    OPTION_SHARD,    /* Shard: "2/5"; total 0 unless given */
    OPTION_LIST,     /* StringList, each checked by check */
    OPTION_GROUP,    /* its members are rows "group.member" */
    OPTION_GROUPS, /* a list of groups, size bytes each; their members are the rows of the scope `members` */
} OptionKind;

/* What an option's offset counts in. */
typedef enum OptionScope {
    SCOPE_FILE,        /* Config */
    SCOPE_ACCOUNT,     /* AccountConfig */
    SCOPE_CHANNEL,     /* ChannelConfig */
    SCOPE_MAINTENANCE, /* MaintenanceConfig */
    SCOPE_EXPECT,      /* TrailExpect; the option may be one group, too */
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
    /* What a text must be: NULL when good, else what is allowed. */
    const char *(*check)(const char *text);
    bool secret;   /* TEXT: may hold a password; not shown */
    bool all;      /* LIST: "all" is allowed, and the default */
    bool repeats;  /* LIST: an item may be there twice */
    bool inherits; /* LIST, WORD, WORDS: the default means unset; the top level's option of this name holds
                    */
    const char *unit; /* for messages: "seconds" or "" */
    /* GROUPS */
    OptionScope members;
    size_t size, n_offset; /* where their number is */
    const char *example;
} Option;

extern const Option config_options[];
extern const size_t config_n_options;

/* The events of that name, or of all names that begin so for "trail.*", as bits; 0 when there is none. */
uint64_t config_events_named(const char *pattern);

/* The option's place in the struct that base points to. */
static inline void *option_slot(const Option *option, const void *base) {
    return (char *)base + option->offset;
}

/* The row of that name; NULL. */
const Option *config_option_named(const char *name);

/* Whether an option's texts are names of regions. */
bool config_is_region(const Option *option);

/* What an option's text was most likely meant to be; NULL when nothing is near. */
const char *config_nearest(const Option *option, const char *text);

/* ---- what is wrong in a file: config_mistakes.c ---- */

#define CONFIG_MISTAKES_MAX 100 /* further ones are counted only */

/* Columns count characters from 1, also a tab; 0: not known. */
typedef struct Place {
    unsigned line, column;
} Place;

/* A value of the file, in the order of the text. libconfig's tree has the same ones in the same order. */
typedef struct Position {
    Place at, value;  /* where its name begins, and its value; an entry without a name has both alike */
    const char *name; /* not terminated; NULL: an entry */
    size_t name_len, group;
    bool bad; /* its value has been reported */
} Position;

typedef struct Mistake {
    Place at;       /* line 0: the file as a whole */
    char topic[32]; /* the option of the file that it is about, "" when about none */
    char what[1024];
} Mistake;

/* A file that is read, and what is wrong in it. */
typedef struct Reading {
    Config *config;
    Mistake *mistakes; /* CONFIG_MISTAKES_MAX */
    size_t n_mistakes; /* also those that found no room */
    Position *positions;
    size_t n_positions, positions_allocated;
    char topic[32];   /* the option of the file that is being read */
    bool expects_all; /* a group of `expect` without trail was read */
    bool incomplete;  /* a mistake hid what is behind it, which may have been an option */
    int error;        /* -ENOMEM */
} Reading;

/* Adds a mistake. Returns -EINVAL. */
int config_mistake(Reading *r, Place at, const char *format, ...) _printf_(3, 4);
/* The same for a setting: where its name begins, or its value; NULL: the file as a whole. A value that has
 * been reported is not reported again. */
int config_refuse(Reading *r, const config_setting_t *setting, const char *format, ...) _printf_(3, 4);
int config_refuse_value(Reading *r, const config_setting_t *setting, const char *format, ...) _printf_(3, 4);
/* Says where the value stands, and what is probably meant. 0 or -ENOMEM. */
int config_note(Reading *r, const config_setting_t *setting, const char *format, ...) _printf_(3, 4);
/* No mistake is about that option of the file. */
bool config_is_clean(const Reading *r, const char *topic);
/* A line for each mistake, in the order of the file: "FILE:LINE:COLUMN: what is wrong". */
void config_show_mistakes(Reading *r, const char *path, char error[static CONFIG_ERROR_MAX]);

/* Reads the file's text as libconfig's grammar has it, and puts into out what libconfig can read of it, with
 * the lines where they were: what has a mistake is corrected there where its meaning is plain, else left
 * out. r->positions gets every value that is left. Mistakes are also what versions of libconfig read
 * differently: texts without a comma between them in an array or list, numbers with leading zeros or over 32
 * bits, @include, a comma before the closing bracket. text ends with a NUL of its own. 0, or -ENOMEM. */
int config_check_text(Reading *r, const char *text, size_t len, StrBuf *out);

/* ---- one value: config_values.c ---- */

#define CONFIG_WORDS_MAX 800

/* The worse of two results: out of memory ends the reading, a mistake does not. */
static inline int config_worse_of(int a, int b) {
    return a == -ENOMEM || b == 0 ? a : b;
}

/* Adds to a list of what is allowed: a, b, c. */
void config_list_add(char list[static CONFIG_WORDS_MAX], const char *quote, const char *item);

#define CONFIG_NUMBER_MAX 100

/* "a whole number, 1..3600 seconds": what a NUMBER may be. */
const char *config_number_allowed(char dst[static CONFIG_NUMBER_MAX], const Option *option);

/* Notes that a region, of the option or ARN at setting, is most likely mistyped. 0, or -ENOMEM. */
int config_note_region(Reading *r, const config_setting_t *setting, const char *name, const char *region);

/* Reads the value of an option that is no group into its slot. 0, -EINVAL after a mistake, -ENOMEM. */
int config_set_value(Reading *r, const config_setting_t *setting, const Option *option, void *slot);

/* All options of a scope, in the struct that base points to. */
void config_set_defaults(OptionScope scope, void *base);
void config_free_options(OptionScope scope, void *base);

/* ---- what does not fit together: config_checks.c ---- */

/* The last group of that scope, beside those before it. 0, -EINVAL after a mistake, -ENOMEM. */
int config_check_group(Reading *r, const config_setting_t *group, OptionScope scope);
/* The same for the whole; an option that has a mistake of its own is not compared. */
int config_check_whole(Reading *r, const config_setting_t *root);

/* ---- config_read.c ---- */

/* Reads the text into r->config. 0, -EINVAL after mistakes, -ENOMEM. */
int config_read_text(Reading *r, const char *text, size_t len);
