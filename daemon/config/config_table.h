/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The one table of options: parsing, defaults, bounds, --dump and the documentation checks all read it.
 * Private to config. */

#include <stddef.h>

#include "daemon/config/config.h"

typedef enum OptionKind {
    OPTION_NUMBER, /* unsigned, min..max */
    OPTION_BOOL,
    OPTION_SWITCH, /* Switch; unset unless given */
    OPTION_WORD,   /* one of words; stored as int: the word's index + min */
    OPTION_TEXT,   /* char *, checked by check */
    OPTION_WORDS, /* uint32_t: some of words, as bits by their index; this and the next two: config_read.h */
    OPTION_EXPECT,
    OPTION_MAINTENANCE,
    OPTION_LIST,     /* StringList, each checked by check */
    OPTION_CHANNELS, /* alerts */
    OPTION_GROUP,    /* its members are rows "group.member" */
    OPTION_ACCOUNTS, /* a list of groups: the rows "accounts.member", of SCOPE_ACCOUNT */
} OptionKind;

/* What an option's offset counts in, and what is read and dumped with it. */
typedef enum OptionScope {
    SCOPE_FILE,    /* Config */
    SCOPE_ACCOUNT, /* AccountConfig */
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
    bool secret;      /* TEXT: may hold a password; not shown */
    bool all;         /* LIST: "all" is allowed, and the default */
    bool inherits;    /* LIST, WORD: unset, the top level's option of this name holds */
    const char *unit; /* for messages: "seconds" or "" */
} Option;

extern const Option config_options[];
extern const size_t config_n_options;

/* Known options, modes, channel types and members that this version refuses; NULL-terminated. */
extern const char *const config_later_options[];

/* Why the last account of config cannot stand beside those before it; NULL when it can. Static text. */
const char *config_account_clash(const Config *config);
void config_account_done(AccountConfig *account);

extern const char *const config_level_words[]; /* index + LOG_ERR.. : see config_level_of */
extern const char *const config_mode_words[];
extern const char *const config_severity_words[];

/* A trail's name or ARN: NULL when it is one, else what is allowed. */
const char *config_check_trail(const char *text);
