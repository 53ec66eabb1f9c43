/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What can be polled at all: whether a region records anything, whether an account has enabled it, whether
 * an account can be reached, who belongs to the organization, through which account a trail is polled, and
 * when settings count as unreadable. Pure. */

#include "daemon/core/model_guard.h"

/* ---- regions ---- */

typedef struct CoverInput {
    size_t n_listed;         /* trails in the list that was just read */
    bool configured;         /* else the region is polled only because a trail lives there */
    size_t n_shown;          /* guarded trails that its lists have shown before */
    bool shown_have_trouble; /* one of them has an open incident, which says more than this could */
    bool suspect;            /* the list before was empty too, and was not believed */
    bool uncovered;          /* that nothing records there is reported already */
    bool shown_elsewhere;    /* its lists have shown trails that another shard guards */
    uint64_t empty_usec;     /* how long its lists have been empty */
} CoverInput;

/* A trail that another shard guards is gone from the lists: that shard reports it. A region that is still
 * without any trail after this long is reported for itself. */
#define SCOPE_ELSEWHERE_USEC (3600ULL * 1000000)

typedef enum Cover {
    COVER_YES,
    COVER_NO,
    COVER_SUSPECT, /* an empty list where trails were may be their own trouble, which their home tells
                    * better: poll again first */
} Cover;

/* Since when its lists are empty (mono; 0: they are not), from the same before this list. */
uint64_t scope_empty_since(size_t n_listed, uint64_t since_usec, uint64_t now_usec);
Cover scope_cover(const CoverInput *in);
/* Is the next empty list the second one (CoverInput.suspect)? cover: of this one. */
bool scope_is_suspect(const CoverInput *in, Cover cover);

/* How long an opt-in region that answered before must call good keys unknown until it counts as turned off.
 */
#define SCOPE_OFF_PROOF_USEC (24ULL * 3600 * 1000000)

/* What AWS says of a region that the account has not enabled. */
#define SCOPE_REGION_OFF "DISABLED"

/* How long keys have been called unknown without another answer. */
typedef struct Rejections {
    unsigned n;
    uint64_t since_usec; /* mono; of the first; 0: none */
} Rejections;

void scope_count_rejection(Rejections *rejections, bool rejected, uint64_t now_usec);

/* A region that calls keys unknown. */
typedef struct Rejection {
    bool named;           /* in `regions`: it is wanted, so that it is reported even when it is off */
    bool good_elsewhere;  /* the same keys, now */
    bool opt_in;          /* the account may turn the region off */
    bool has_trails;      /* guarded ones that live there */
    bool ever_reachable;  /* it answered before */
    uint64_t lasts_usec;  /* since the first such answer, without another one between */
    const char *status;   /* what GetRegionOptStatus said of it last; NULL or "": nothing */
    bool asking;          /* ... and is being asked */
    bool waits;           /* for that answer in any case: there is no later poll */
    bool polls_elsewhere; /* other regions of the account are being polled */
} Rejection;

typedef enum RejectionMeaning {
    REJECTION_UNCLEAR,     /* an answer that is under way decides */
    REJECTION_FAILED,      /* a failed poll like any other */
    REJECTION_NOT_ENABLED, /* the account has not enabled the region */
} RejectionMeaning;

RejectionMeaning scope_judge_rejection(const Rejection *rejection);

/* How long what AWS says of a region, or that it does not answer, serves; and a denial, for the account. */
#define SCOPE_REGION_USEC        (300ULL * 1000000)
#define SCOPE_REGION_DENIED_USEC (3600ULL * 1000000)

/* All mono. */
typedef struct RegionQuestion {
    uint64_t asked_usec;        /* 0: not, since the region last answered as it should */
    uint64_t denied_until_usec; /* of the account; 0: never */
} RegionQuestion;

/* May AWS be asked whether the account has enabled it? */
bool scope_may_ask_region(const RegionQuestion *question, uint64_t now_usec);

/* Do the polls of a region show that the account's keys are good? polled: since the start. */
bool scope_keys_are_good(const TargetState *state, bool polled);

/* Is it worth a call to ask AWS whether the account has enabled it? */
bool scope_wants_status(const Rejection *rejection);

/* Has the account not enabled it, as far as is known now? */
bool scope_is_off(const Rejection *rejection);

/* Does this status of a region say that it is off? */
bool scope_is_proven_off(const char *status);
/* The status and what it means for a region that calls keys unknown; NULL for none and for one that is not
 * known. */
const char *scope_region_meaning(const char *status);

/* Is a target a row of what is shown? One of an account that cannot be polled as a whole is not: the account
 * is. */
bool scope_shows_target(bool configured, size_t n_trails, bool account_is_row);

/* Does it make calls, as far as is known? */
bool scope_makes_calls(const TargetState *state);

/* ---- accounts ---- */

typedef struct AccountScope {
    bool guarded;        /* else it only has the keys that others are reached with */
    bool by_role;        /* else by the base credentials */
    bool identity_asked; /* who we are there was answered, or could not be */
    bool identity_known; /* ... and it was answered for the keys that are used */
    bool shows_own;      /* ... or it was not, and these keys have listed a trail of the same account as
                            the one in question: what is no organization's is theirs */
    bool blocked;        /* no keys can be had */
    bool left;           /* was a member of the organization */
} AccountScope;

/* May its regions be polled? */
bool scope_is_open(const AccountScope *account);

/* Is it shown as one row, in the place of its regions? */
bool scope_is_row(const AccountScope *account);

/* Is a trail gone that its keys do not show? Base credentials may have been replaced by those of another
 * account, which has no such trail: also when AWS does not say whose they are. owned: the trail is the
 * account's; organization: it may show in others. */
bool scope_proves_absence(const AccountScope *account, bool owned, bool organization);

/* Does this failure to learn who we are there mean that no keys can be had? none: no source gave keys;
 * refused: AWS did not accept them, or there were none. */
bool scope_keys_are_missing(const AccountScope *account, bool none, bool refused);

/* A poll there was answered: are there keys again, whatever STS says? n_failed: tries to have some, in a
 * row.
 */
bool scope_keys_are_back(const AccountScope *account, unsigned n_failed);

/* What begins when it has been answered who we are there, or could not be. */
typedef enum AccountStart {
    ACCOUNT_START_NOTHING,
    ACCOUNT_START_POLLS, /* its targets', now */
    ACCOUNT_START_PASS,  /* the first one: nobody else is waited for */
} AccountStart;

typedef struct AccountAnswer {
    bool first;    /* since the start, or since the account came back */
    bool was_open; /* before it */
    bool passes_begun;
    bool all_known; /* of every account it was answered */
} AccountAnswer;

/* Does a list show whose the base credentials are? Those of a role are known; and keys that were replaced
 * since the poll began may have been another account's. */
bool scope_list_shows_own(bool by_role, uint64_t began_usec, uint64_t keys_changed_usec);

AccountStart scope_account_start(const AccountScope *account, const AccountAnswer *answer);

/* What is known of whoever manages the organization. */
typedef struct Management {
    bool known; /* which account it is */
    bool open;  /* its event history can be read */
} Management;

typedef enum ListAsk {
    LIST_ASK,
    LIST_ASK_FAILS, /* as if it had been asked: the account was known, and has other keys now */
    LIST_ASK_WAITS, /* until AWS says whose the keys are */
} ListAsk;

/* Are the organization's accounts to be listed? While nobody knows which of them the base credentials belong
 * to, that one would be taken for a member, and a role that it does not have would be assumed in it. Without
 * any keys the call says so itself; what stands in for AWS may lack STS. */
ListAsk scope_asks_for_accounts(const AccountScope *base, bool sts_is_not_there, bool was_known);

/* Can be found out who took the account out of the organization or out of reach? The list, which says who
 * manages it, may not have been read yet. */
bool scope_departure_is_searched(const AccountScope *account, bool in_organization,
                                 const Management *management);

/* AWS has said which account the base credentials are of. */
typedef struct BaseAccount {
    bool by_role;    /* a role's account has this id already */
    bool configured; /* `accounts` has a group for the base credentials */
    bool excluded;   /* from the organization */
} BaseAccount;

typedef enum BaseEnd {
    BASE_GOES_ON,  /* they guard it, unless another shard does */
    BASE_HAS_ROLE, /* it is guarded once, by the role */
    BASE_EXCLUDED,
} BaseEnd;

/* Do the base credentials guard their account no more? */
BaseEnd scope_base_ends(const BaseAccount *base);

/* ---- shards ---- */

/* Accounts are split by rendezvous hashing: each shard has a weight for the account, and the heaviest has
 * it. The weight of shard k is the k-th output of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from the
 * seed FNV-1a-64(account id). So each account has exactly one shard, no list is needed to find it, and one
 * shard more takes its accounts evenly from the others and moves no other. Every version must split alike.
 */

#define SHARDS_MAX 1000U

/* "2/5": total 1..SHARDS_MAX, number 1..total, without signs, blanks and leading zeros. False, and *ret
 * unchanged, for all else. */
bool shard_parse(const char *text, Shard *ret);

/* The shard of an account id, 1..total. */
unsigned shard_of(const char *account, unsigned total);

/* Is an account this guard's? All are when shards are not used (total 0); "", an id that is not known yet,
 * is nobody's. */
bool shard_has(const Shard *shard, const char *account);

/* ---- the organization's list ---- */

typedef struct MemberInput {
    bool active;   /* in the list, and neither suspended nor closed */
    bool listed;   /* in the list at all */
    bool excluded; /* by the configuration, or another shard's */
    bool known;    /* to us, by whatever way */
    bool member;   /* ... by an earlier list, and not by the configuration */
    bool left;
} MemberInput;

typedef enum MemberChange {
    MEMBER_UNCHANGED,
    MEMBER_JOINED,
    MEMBER_RETURNED,
    MEMBER_SUSPENDED, /* or closed */
    MEMBER_REMOVED,
    _MEMBER_CHANGE_MAX
} MemberChange;

MemberChange scope_member_change(const MemberInput *in);

/* A member by the state file: is it guarded until the list is read? known: in any other way. */
bool scope_member_is_resumed(const MemberInput *in);

/* Is the list asked for again? tried: the first try has ended; blocked: there are no keys to ask with, which
 * is reported by itself. */
bool account_list_is_due(bool tried, bool blocked, uint64_t due_usec, uint64_t now_usec);
/* A list failed: notes it. True: that is to be reported now. */
bool account_list_failed(AccountListTrouble *trouble, const char *error, unsigned unreachable_after,
                         uint64_t now_usec);
/* Is a reminder due? */
bool account_list_reminds(AccountListTrouble *trouble, uint64_t interval_usec, uint64_t now_usec);
/* The message of either is in the outbox. */
void account_list_reported(AccountListTrouble *trouble, uint64_t now_usec);
/* Which of its messages an event is, made for trouble->since_usec. A reminder that is made again after a
 * crash is the same one. */
void account_list_complete(const AccountListTrouble *trouble, Event *event);

/* It is over: how is that said? */
typedef enum AccountListEnd {
    ACCOUNT_LIST_SILENT,   /* there was none, or nobody asks for the list any more */
    ACCOUNT_LIST_IN_LINE,  /* in the journal: no message has reported it */
    ACCOUNT_LIST_REPORTED, /* by a message */
} AccountListEnd;

/* forgotten: the configuration has no organization any more. */
AccountListEnd account_list_end(const AccountListTrouble *trouble, bool forgotten);

/* ---- what is not guarded any more ---- */

typedef enum Ended {
    ENDED_NOT, /* it is guarded, or that cannot be said yet */
    ENDED_IGNORED,
    ENDED_ELSEWHERE,    /* another shard guards it */
    ENDED_ACCOUNT_GONE, /* from configuration and organization */
    ENDED_NOT_NAMED,    /* by the account's `trails` */
    ENDED_REGION_GONE,  /* from the account's `regions` */
    _ENDED_MAX
} Ended;

/* The account through which something was polled. */
typedef struct AccountPlace {
    bool elsewhere; /* another shard guards it */
    bool known;     /* it is in the table */
    bool guarded;
    bool begun;     /* ... and what is known of it was taken up */
    bool all_known; /* the table is whole: who is not in it is not guarded */
} AccountPlace;

Ended scope_account_ended(const AccountPlace *account);
/* Of a region that the account's targets do not have. */
Ended scope_region_ended(const AccountPlace *account);

/* Is a row of the state file the account's? same: it names it. As long as it is not known which account the
 * base credentials are of, they have all rows that are no other account's of the table: a version that
 * guarded one account alone wrote no ids. */
bool former_row_is_of(bool same, bool by_role, bool identified, bool anothers);

/* Does a row of a trail that is not in the tables stay in the state file? One that this configuration does
 * not guard does: a trail that was seen once is not forgotten. Of those of another shard that one keeps the
 * state: ours would be old when they come back. owes_end: no message has said yet that its incident is
 * over. */
bool former_trail_is_kept(bool owes_end, bool elsewhere);

/* Does the configuration still guard what such a row is about? A trail that was never found has a name only,
 * and is missing because `trails` names it. */
bool former_is_guarded(bool guarded, bool was_found, bool all_trails);

typedef struct FormerTrail {
    AccountPlace account;
    bool ignored;      /* by the configuration */
    bool elsewhere;    /* another shard guards its owner */
    bool organization; /* the lists of all members show it */
    bool all_listed;   /* all lists have been read, or failed */
    bool named;        /* the account's `trails` has it */
} FormerTrail;

Ended scope_trail_ended(const FormerTrail *trail);

/* ---- which trails a list brings ---- */

/* Is the list of a region still to come, without which it cannot be said what is missing? listed: it was
 * read since the start. */
bool list_is_to_come(bool configured, bool not_enabled, bool listed);

/* How the list of a region shows a trail. */
typedef struct Listing {
    bool configured; /* the region: else it is polled only because a trail lives there */
    bool wide;       /* the trail is a multi-region or an organization trail */
} Listing;

/* Is it guarded from now on, if it is new? What covers no configured region is not. */
bool listing_covers(const Listing *listing);

/* The list of its home shows a guarded trail: is it news that it covers no configured region any more? It
 * stays guarded: one UpdateTrail by whoever is about to stop it must not end that. shown: a list has shown
 * it before; was_wide: as one that covers all regions. */
bool listing_uncovers(const Listing *listing, bool shown, bool was_wide);

/* A trail that the configuration names by its ARN, and one of the accounts that could poll it. */
typedef struct NamedByArn {
    bool owner_guarded;  /* the account that owns it is guarded ... */
    bool owner;          /* ... and is this one */
    bool names_itself;   /* this account has `trails` of its own, which name it */
    bool first;          /* it is the first that is guarded */
} NamedByArn;

/* Is it this account's to poll? */
bool named_trail_is_for(const NamedByArn *in);

/* ---- trails that appear ---- */

/* A trail that the tables do not have yet, and a list shows. */
typedef struct Newcomer {
    TrustNew trust;
    bool listed_before; /* the region whose list shows it was listed before, or was not enabled: it is not
                           there since longer than that */
    bool known;         /* the state of an earlier run is about it ... */
    bool missing;       /* ... or has it as missing */
    bool recorded;      /* a baseline of an earlier run is about it */
    bool named;         /* the configuration names it, in `trails` or `expect` */
} Newcomer;

/* Is it one that somebody has to accept before it is a trail to keep (TrailState.provisional)? */
bool newcomer_is_provisional(const Newcomer *in);

/* Those that are reported together: adds a name to the text of their names, once. Behind the last that fits,
 * " and more" stands for all others. */
void unaccepted_add_name(char *names, size_t size, const char *name);

/* A trail of the state file that nobody has accepted: was it reported that it appeared? Then it only counts
 * when it goes. waits: it is to be reported together with others. */
bool unaccepted_was_reported(bool provisional, bool known, bool waits);

/* What the message about them says: so many came, and so many went, which may have been reported before. */
void unaccepted_detail(unsigned n_appeared, unsigned n_gone, const char *names,
                       char dst[static ERROR_TEXT_MAX]);

/* Whose is the bucket that it delivers to? used: an accepted trail delivers there; confirmed: S3 has
 * confirmed an owner, which is guarded or not. */
Destination newcomer_destination(bool used, bool confirmed, bool guarded);

/* ---- how many trails are kept ---- */

/* Through one account: far more than AWS grants (5 a region), so that only what was deleted again and again
 * under new names can come to that. */
#define SCOPE_TRAILS_MAX 512U

/* What is kept of an account's trails. */
typedef struct KeptTrail {
    bool provisional;
    bool missing;
    uint64_t first_seen_usec; /* real; 0: never */
} KeptTrail;

/* Which goes where one more comes than are kept: of those that are missing and that nobody had accepted the
 * oldest. n: none, for what was accepted is never forgotten. */
size_t scope_trail_to_drop(const KeptTrail *trails, size_t n);

/* ---- through which account a trail is polled ---- */

/* Of several that can see it the owner's is best, any that can see it now better than none. */

/* An account that sees the trail, or could. */
typedef struct Viewer {
    bool open;              /* it can be polled */
    bool guards;            /* its configuration does not leave the trail out */
    bool owner;             /* the trail is its own */
    bool base;              /* its keys are those that others are reached with */
    unsigned n_failed;      /* polls in a row, where its list has shown the trail */
    unsigned n_home_failed; /* ... and where the trail lives; 0 where it was not polled yet */
} Viewer;

/* The trail itself. */
typedef struct Viewed {
    bool organization; /* others can see it too */
    bool lives;        /* it was found: one that is only named has no home */
    bool acted_on;     /* something is being done to it through the account that it has */
} Viewed;

/* May another account poll it? */
bool viewed_may_move(const Viewed *trail);

/* Is the account through which it is polled unable to: look for another? */
bool viewer_is_lost(const Viewed *trail, const Viewer *viewer, unsigned unreachable_after);

/* Can this one take over? */
bool viewer_can_take_over(const Viewer *other);

/* Does the trail come to this one as soon as it can be polled? Whether it guards the trail is its owner's to
 * say. */
bool viewer_adopts(const Viewer *other);

/* Is this one better than an account that can see the trail as well? foreign: it is polled through one that
 * does not own it. */
bool viewer_is_better(const Viewer *other, bool foreign);

/* ---- what that account may do to it ---- */

/* The account through which a trail is polled. */
typedef struct TrailHolder {
    bool organization; /* it is an organization trail: members see those of the management account */
    bool known;        /* AWS has said which account that is ... */
    bool asked;        /* ... or was asked, and has not */
    bool owner;        /* the trail is its own */
} TrailHolder;

/* May it be written to as one's own? Whether an organization trail is ours is known only once we know who we
 * are; until AWS has said so, or could not be asked, it is not written to. */
bool holder_may_write(const TrailHolder *holder);

/* Are its facts known, so that what a poll shows of it can be acted on? It was listed, was known before, or
 * is the account's own. */
bool scope_facts_are_known(bool listed, bool known, bool own);

/* Is it an organization trail of another account, as far as is known? */
bool holder_is_foreign(const TrailHolder *holder);

/* What AWS made of an account's actions on the organization trail of another. CloudTrail's delegated
 * administrator may write to it: whether we are that AWS says when it is asked to do something. */
typedef struct Permission {
    bool accepted;                            /* AWS took a write of ours */
    uint64_t refused_until_usec[_ACTION_MAX]; /* mono; it refused that, and is not asked again before */
    unsigned n_refused[_ACTION_MAX];
} Permission;

/* Remembers what came of an action. True when AWS refused it, these are not the keys for it, and that is
 * news: IAM's denials, which are followed by a short pause, are it once. */
bool permission_take(Permission *permission, const Outcome *outcome, uint64_t now_usec);

/* The actions that AWS can be asked for, as ACTION_BITs. */
uint32_t permission_to_ask(const Permission *permission, uint64_t now_usec);

/* ---- what `accept` shows of a trail ---- */

typedef struct ShownTrail {
    bool missing;     /* as far as the account through which it is polled can say */
    bool owned;       /* ... which is its owner ... */
    bool others_keys; /* ... and whose keys are those of another account than the trail's */
    bool read;        /* its settings were, as far as a baseline needs them */
} ShownTrail;

typedef enum ShownAs {
    SHOWN_READ,
    SHOWN_GONE,
    SHOWN_NOT_ITS_ACCOUNT, /* only its owner could say whether it is gone */
} ShownAs;

/* Whoever may not see a trail, or asks with another account's keys, gets the same answer as if it were gone.
 */
ShownAs scope_shown_as(const ShownTrail *trail);

/* Are the keys of the account known to be another's than a trail's? owned, organization as for
 * scope_proves_absence. */
bool scope_has_others_keys(const AccountScope *account, bool owned, bool organization);

/* ---- settings that cannot be read ---- */

/* What our own pace held back AWS was not asked: nothing has failed. Only a check of ours, which has no
 * later poll, shows it. */
bool scope_is_no_news(bool held_back, bool once);

/* When a call about the settings, bucket or key of a trail that fails counts as unreadable, which is a
 * finding, and when it is made again sooner than settings are due. */

/* What came of one call. */
typedef struct ReadResult {
    Unreadable what;
    bool failed;
    bool unsupported; /* AWS does not have it there */
    bool denied;
    bool foreign;  /* the trail is another account's */
    bool recorded; /* the baseline has what it reads */
} ReadResult;

typedef struct ReadMeaning {
    bool not_shown;  /* AWS never shows it here: nothing is lost */
    bool reported;   /* in the journal: the first failure, or the first success after it */
    bool unreadable; /* it is a finding */
    bool readable;   /* it is none any more; neither: not often enough to say */
    bool denied;     /* that AWS refused it is worth a look at our rights */
} ReadMeaning;

/* n_failed: such calls in a row, kept for the trail. */
ReadMeaning unreadable_take(const ReadResult *result, unsigned unreachable_after, unsigned *n_failed);

/* How many such calls failed, as far as a trail's findings of an earlier run say: what was unreadable stays
 * so until it is read. */
unsigned unreadable_resume(uint32_t findings, Unreadable what, bool bucket_checks,
                           unsigned unreachable_after);

/* Does the baseline have what such a call reads? What it reads of a bucket or key is compared whether it is
 * recorded or not. */
bool unreadable_is_recorded(const Settings *baseline, Unreadable what);

/* Did a call for what the baseline does not have yet fail, without being taken for unreadable? n_failed:
 * such calls in a row, by Unreadable. */
bool unreadable_are_wanted_soon(const Settings *baseline, const unsigned *n_failed,
                                unsigned unreachable_after);

/* What of a bucket and a key was read: unread has what failed, found says whether the bucket is there. */
typedef struct BucketRead {
    bool found, trouble; /* trouble: with the bucket, by what could be read */
    bool unread[_UNREADABLE_MAX];
} BucketRead;

/* Was it asked for at all? */
bool unreadable_was_asked(const BucketRead *read, Unreadable what);

/* The findings that it can judge, as FINDING_BITs; the others stay as they are. */
uint32_t unreadable_judges(const BucketRead *read);
