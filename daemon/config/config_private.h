/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one table of options: parsing, defaults, bounds, --dump and the documentation checks all read it.
 * Private to config. */

#include <libconfig.h>
#include <stddef.h>

#include "daemon/config/config.h"
#include "lib/util/macros.h"

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

/* Options ("alerts.url" for a member) and words that this version refuses; NULL-terminated. */
extern const char *const config_later[];

/* The events of that name, or of all names that begin so for "trail.*", as bits; 0 when there is none. */
uint32_t config_events_named(const char *pattern);

/* The option's place in the struct that base points to. */
static inline void *option_slot(const Option *option, const void *base) {
    return (char *)base + option->offset;
}

/* A file that is read, and what is wrong in it. */
typedef struct Reading {
    Config *config;
    unsigned line; /* 0: the file as a whole */
    char what[400];
    unsigned settings_line; /* of settings_interval; 0: not given */
    bool expects_all;       /* a group of `expect` without trail was read */
} Reading;

/* Refuses in the file's text what versions of libconfig read differently: texts without a comma between them
 * in an array or list, numbers with leading zeros or over 32 bits, @include, a comma before the closing
 * bracket. Also a NUL byte. text ends with a NUL of its own. 0, or -EINVAL with the line and what in r. */
int config_check_text(Reading *r, const char *text, size_t len);
