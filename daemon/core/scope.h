/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is in scope: whether any trail records a region, whether an account has enabled it, whether an
 * account can be reached, who belongs to the organization, which account polls a trail, and when settings
 * count as unreadable. Pure. */

#include "daemon/core/model_guard.h"

/* ---- regions ---- */

typedef struct CoverInput {
    size_t n_listed;         /* trails in the list that was just read */
    bool configured;     /* listed in the configuration; otherwise polled only because a trail lives there */
    size_t n_shown;          /* guarded trails that earlier lists of the region have shown */
    bool shown_have_trouble; /* one of them has an open incident, which is more specific than "uncovered" */
    bool suspect;            /* the previous list was empty too, and was polled again */
    bool uncovered;          /* already reported as uncovered */
    bool shown_elsewhere;    /* its lists have shown trails that another shard guards */
    uint64_t empty_usec;     /* how long its lists have been empty */
} CoverInput;

/* When a trail that another shard guards disappears from the lists, that shard reports it. If the region has
 * no trail at all after this time, this shard reports the region. */
#define SCOPE_ELSEWHERE_USEC (3600ULL * 1000000)

/* The time (mono) since which its lists have been empty, 0 if they are not. since_usec: the result for the
 * previous list. */
uint64_t scope_empty_since(size_t n_listed, uint64_t since_usec, uint64_t now_usec);
/* Sets whether the region is covered, and whether its list can be believed: not if it is empty although
 * trails were there. Perhaps those trails have a problem, which the poll of their home region reports
 * better. Returns the value of CoverInput.suspect for the next list. */
bool scope_take_cover(const CoverInput *in, PollResult *result);

/* An opt-in region that answered before must reject good keys as unknown for this long before it counts as
 * disabled. */
#define SCOPE_OFF_PROOF_USEC (24ULL * 3600 * 1000000)

/* AWS's status of a region that the account has not enabled. */
#define SCOPE_REGION_OFF "DISABLED"

/* Consecutive polls that AWS answered with "unknown key". */
typedef struct Rejections {
    unsigned n;
    uint64_t since_usec; /* mono; the first of them; 0: none */
} Rejections;

void scope_count_rejection(Rejections *rejections, bool rejected, uint64_t now_usec);

/* A region that rejects the keys as unknown. */
typedef struct Rejection {
    bool named;           /* in `regions`: the user wants it, so it is reported even if it is disabled */
    bool good_elsewhere;  /* the same keys work in another region now */
    bool opt_in;          /* the account can disable the region */
    bool has_trails;      /* guarded trails live there */
    bool ever_reachable;  /* it has answered before */
    uint64_t lasts_usec;  /* time since the first rejection, with no other answer in between */
    const char *status;   /* the last answer of GetRegionOptStatus; NULL or "": none */
    bool asking;          /* ... and that call is in progress */
    bool waits;           /* always wait for that answer, because there is no later poll */
    bool polls_elsewhere; /* polls of the account's other regions are in progress */
} Rejection;

/* Sets what a rejection means for the poll: an ordinary failure, with AWS's status of the region added to
 * the error, which is ambiguous by itself; or that the account has not enabled the region. False, and
 * nothing is set, if that depends on an answer that is still to come. */
bool scope_take_rejection(const Rejection *rejection, PollResult *result);

/* How long AWS's status of a region stays valid, also when the call got no answer; and how long a denial
 * stays valid for the account. */
#define SCOPE_REGION_USEC        (300ULL * 1000000)
#define SCOPE_REGION_DENIED_USEC (3600ULL * 1000000)

/* All mono. */
typedef struct RegionQuestion {
    uint64_t asked_usec;        /* 0: not asked since the region last answered normally */
    uint64_t denied_until_usec; /* for the whole account; 0: never denied */
} RegionQuestion;

/* True if AWS may be asked whether the account has enabled the region. */
bool scope_may_ask_region(const RegionQuestion *question, uint64_t now_usec);

/* True if the polls of a region prove that the account's keys work. polled: since the start. */
bool scope_keys_are_good(const TargetState *state, bool polled);

/* True if it is worth a call to ask AWS whether the account has enabled the region. */
bool scope_wants_status(const Rejection *rejection);

/* True if, as far as is known, the account has not enabled the region. */
bool scope_is_off(const Rejection *rejection);

/* True if this status means that the region is disabled. */
bool scope_is_proven_off(const char *status);
/* True if the target gets a row in the status. If a whole account cannot be polled, the account gets one row
 * in place of its targets. */
bool scope_shows_target(bool configured, size_t n_trails, bool account_is_row);

/* True if polls of it make calls, as far as is known. */
bool scope_makes_calls(const TargetState *state);

/* ---- accounts ---- */

typedef struct AccountScope {
    bool guarded;        /* false: only provides the keys to assume roles elsewhere */
    bool by_role;        /* reached by a role; false: by the base credentials */
    bool identity_asked; /* GetCallerIdentity was answered or failed there */
    bool identity_known; /* ... it was answered, for the keys in use */
    bool shows_own;      /* ... it was not answered, but these keys have listed a trail that belongs to the
                            account of the trail in question. If that trail is no organization trail, the
                            keys belong to its account */
    bool blocked;        /* no credentials are available */
    bool left;           /* no longer a member of the organization */
} AccountScope;

/* True if its regions may be polled. */
bool scope_is_open(const AccountScope *account);

/* True if it is shown as one row in place of its regions. */
bool scope_is_row(const AccountScope *account);

/* True if a trail that these keys cannot find is really gone. The base credentials may have been replaced by
 * those of another account, which has no such trail, even if AWS does not say which account they belong to.
 * owned: the account owns the trail; organization: other accounts can list it too. */
bool scope_proves_absence(const AccountScope *account, bool owned, bool organization);

/* Turns the observation into an error if the keys do not prove that the trail is gone. id: of the account
 * that the keys belong to, if known. */
void scope_judge_absence(const AccountScope *account, const char *id, bool owned, bool organization,
                         Observation *seen);

/* True if this failure of GetCallerIdentity means that there are no usable keys. none: no source has keys;
 * refused: AWS rejected them, or there were none. */
bool scope_keys_are_missing(const AccountScope *account, bool none, bool refused);

/* True if an answered poll proves that there are keys again, whatever STS says. n_failed: consecutive failed
 * attempts to get some. */
bool scope_keys_are_back(const AccountScope *account, unsigned n_failed);

/* What starts when GetCallerIdentity of an account has been answered or has failed. */
typedef enum AccountStart {
    ACCOUNT_START_NOTHING,
    ACCOUNT_START_POLLS, /* polls of its targets, now */
    ACCOUNT_START_PASS,  /* the first pass, because no other account has to be waited for */
} AccountStart;

typedef struct AccountAnswer {
    bool first;    /* the first answer since the start, or since the account came back */
    bool was_open; /* whether it was open before this answer */
    bool passes_begun;
    bool all_known; /* every account has its answer */
} AccountAnswer;

/* True if a list shows which account the base credentials belong to. For a role that is known already. If
 * keys were replaced after the poll began, the list may come from another account's keys. */
bool scope_list_shows_own(bool by_role, uint64_t began_usec, uint64_t keys_changed_usec);

AccountStart scope_account_start(const AccountScope *account, const AccountAnswer *answer);

/* What is known of the organization's management account. */
typedef struct Management {
    bool known; /* its account id is known */
    bool open;  /* its event history can be read */
} Management;

typedef enum ListAsk {
    LIST_ASK,
    LIST_ASK_FAILS, /* counts as a failed list: the account was known, but its keys have been replaced */
    LIST_ASK_WAITS, /* until AWS says which account the keys belong to */
} ListAsk;

/* Decides whether to list the organization's accounts. The base credentials' own account must be known
 * first: otherwise the guard would take it for a member and try to assume a role that it does not have.
 * Without any keys the call itself fails with that reason. A substitute for AWS may have no STS. */
ListAsk scope_asks_for_accounts(const AccountScope *base, bool sts_is_not_there, bool was_known);

/* True if the event history can be searched for who removed the account from the organization, or its
 * access. Before the first list it is unknown which account manages the organization. */
bool scope_departure_is_searched(const AccountScope *account, bool in_organization,
                                 const Management *management);

/* The base credentials' account, now that AWS has reported which one it is. */
typedef struct BaseAccount {
    bool by_role;    /* a configured role already reaches this account */
    bool configured; /* `accounts` has a group for the base credentials */
    bool excluded;   /* excluded by `organization` */
} BaseAccount;

typedef enum BaseEnd {
    BASE_GOES_ON,  /* the base credentials guard it, unless another shard does */
    BASE_HAS_ROLE, /* it is guarded only once, through the role */
    BASE_EXCLUDED,
} BaseEnd;

/* Decides whether the base credentials stop guarding their account. */
BaseEnd scope_base_ends(const BaseAccount *base);

/* ---- shards ---- */

/* Accounts are split by rendezvous hashing: each shard has a weight for the account, and the heaviest gets
 * it. The weight of shard k is the k-th output of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) with the
 * seed FNV-1a-64(account id). So each account has exactly one shard, no list is needed to find it, and an
 * additional shard takes accounts evenly from the others and moves no other account. The split must be the
 * same in every version. */

#define SHARDS_MAX 1000U

/* Parses "2/5": total 1..SHARDS_MAX, number 1..total, without signs, blanks and leading zeros. For anything
 * else it returns false and leaves *ret unchanged. */
bool shard_parse(const char *text, Shard *ret);

/* The shard of an account id, 1..total. */
unsigned shard_of(const char *account, unsigned total);

/* True if the account belongs to this shard. Without shards (total 0) every account does. "", an id that is
 * not known yet, belongs to none. */
bool shard_has(const Shard *shard, const char *account);

/* ---- the organization's list ---- */

typedef struct MemberInput {
    bool active;   /* in the list, and neither suspended nor closed */
    bool listed;   /* in the list at all */
    bool excluded; /* by the configuration, or guarded by another shard */
    bool known;    /* already in our tables */
    bool member;   /* ... because an earlier list had it, and not because of `accounts` */
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

/* True if a member in the state file is guarded until the list is read. known: in the tables already. */
bool scope_member_is_resumed(const MemberInput *in);

/* True if the list is due again. tried: the first attempt has ended; blocked: there are no keys, which is
 * reported separately. */
bool account_list_is_due(bool tried, bool blocked, uint64_t due_usec, uint64_t now_usec);
/* Records a failed list. account: of the base credentials, "" while unknown; the trouble keeps the one that
 * it began with, because the incident's id comes from it. True if it is to be reported now. */
bool account_list_failed(AccountListTrouble *trouble, const char *account, const char *error,
                         unsigned unreachable_after, uint64_t now_usec);
/* True if a reminder is due. */
bool account_list_reminds(AccountListTrouble *trouble, uint64_t interval_usec, uint64_t now_usec);
/* Call when the report or the reminder is in the outbox. */
void account_list_reported(AccountListTrouble *trouble, uint64_t now_usec);
/* Fills in the sequence and reminder numbers of a message about the list, of the incident
 * trouble->since_usec. A reminder that is repeated after a crash has the same numbers. */
void account_list_complete(const AccountListTrouble *trouble, Event *event);

/* How the end of the trouble is reported. */
typedef enum AccountListEnd {
    ACCOUNT_LIST_SILENT,   /* not at all: there was none, or the list is no longer needed */
    ACCOUNT_LIST_IN_LINE,  /* by a journal line, because no alert was sent */
    ACCOUNT_LIST_REPORTED, /* by an alert */
} AccountListEnd;

/* forgotten: `organization` was removed from the configuration. */
AccountListEnd account_list_end(const AccountListTrouble *trouble, bool forgotten);

/* ---- what is no longer guarded ---- */

typedef struct TablesBegun {
    bool passes;       /* the first pass has begun */
    bool waits;        /* a guarded account has not begun */
    bool organization; /* one is configured ... */
    bool list_tried;   /* ... and the first attempt to list its accounts has ended */
} TablesBegun;

/* True if the tables are complete: what is not in them is not guarded. */
bool scope_tables_are_whole(const TablesBegun *begun);

typedef enum Ended {
    ENDED_NOT, /* it is still guarded, or this is not known yet */
    ENDED_IGNORED,
    ENDED_ELSEWHERE,    /* another shard guards it */
    ENDED_ACCOUNT_GONE, /* removed from the configuration or the organization */
    ENDED_NOT_NAMED,    /* no longer in the account's `trails` */
    ENDED_REGION_GONE,  /* no longer in the account's `regions` */
    _ENDED_MAX
} Ended;

/* The account through which something was polled. */
typedef struct AccountPlace {
    bool elsewhere; /* another shard guards it */
    bool known;     /* it is in the tables */
    bool guarded;
    bool begun;     /* ... and its rows of the state file were loaded */
    bool all_known; /* the tables are complete: an account that is not in them is not guarded */
} AccountPlace;

Ended scope_account_ended(const AccountPlace *account);
/* The same for a region that is not among the account's targets. */
Ended scope_region_ended(const AccountPlace *account);

/* True if a row of the state file belongs to the account. same: the row has its id. Until AWS says which
 * account the base credentials belong to, they get every row that belongs to no other account in the tables:
 * versions that guarded a single account wrote no ids. */
bool former_row_is_of(bool same, bool by_role, bool identified, bool anothers);

/* True if the state file keeps the row of a trail that is not in the tables. It keeps trails that this
 * configuration does not guard, because a trail once seen is never forgotten. It drops those that another
 * shard guards: that shard has their state, and ours would be outdated when they come back. owes_end: no
 * message has reported yet that its incident is over. */
bool former_trail_is_kept(bool owes_end, bool elsewhere);

/* True if the configuration still guards the subject of such a row. A trail that was never found has only a
 * name; it counts as missing because `trails` names it. */
bool former_is_guarded(bool guarded, bool was_found, bool all_trails);

typedef struct FormerTrail {
    AccountPlace account;
    bool ignored;      /* by `ignore` */
    bool elsewhere;    /* another shard guards the owner's account */
    bool organization; /* every member's list can show it */
    bool all_listed;   /* every list has been read or has failed */
    bool named;        /* it is in the account's `trails` */
} FormerTrail;

Ended scope_trail_ended(const FormerTrail *trail);

/* The reason, for people; NULL for ENDED_NOT. */
const char *scope_ended_text(Ended ended);

/* ---- which trails a list brings ---- */

/* True if the first list of the region is still outstanding, so that missing trails cannot be determined
 * yet. listed: read since the start. */
bool list_is_to_come(bool configured, bool not_enabled, bool listed);
/* True if it is worth waiting for: the account can be polled (open), and not too many polls have failed. */
bool list_is_awaited(bool to_come, bool open, unsigned n_failed, unsigned unreachable_after);

/* A trail in the list of a region. */
typedef struct Listing {
    bool configured; /* the region is in the configuration; otherwise it is polled only because a trail lives
                        there */
    bool wide;       /* a multi-region or organization trail */
} Listing;

/* True if the trail is guarded, should it be new. A trail that covers no configured region is not. */
bool listing_covers(const Listing *listing);

/* True if it is news that a guarded trail, as listed by its home region, no longer covers a configured
 * region. It stays guarded: otherwise an attacker could end that with one UpdateTrail before stopping it.
 * shown: a list has shown it before; was_wide: it was a multi-region or organization trail then. */
bool listing_uncovers(const Listing *listing, bool shown, bool was_wide);

/* A trail that the configuration names by its ARN, and one of the accounts that could poll it. */
typedef struct NamedByArn {
    bool owner_guarded;  /* the account that owns it is guarded ... */
    bool owner;          /* ... and is this account */
    bool names_itself;   /* this account's own `trails` name it */
    bool first;          /* this account is the first guarded one */
} NamedByArn;

/* True if this account polls the trail. */
bool named_trail_is_for(const NamedByArn *in);

/* ---- trails that appear ---- */

/* A listed trail that the tables do not have yet. */
typedef struct Newcomer {
    TrustNew trust;
    bool listed_before; /* an earlier list of that region was read, or the region was not enabled: the trail
                           is newer than that */
    bool known;         /* an earlier run saved state for it ... */
    bool missing;       /* ... or recorded it as missing */
    bool recorded;      /* an earlier run recorded its baseline */
    bool named;         /* named in `trails` or `expect` */
    bool namesake;      /* named by its name only, which another guarded trail of the account has: an
                           attacker can delete that trail and create this one in another region */
} Newcomer;

/* True if someone has to accept it first (TrailState.provisional). */
bool newcomer_is_provisional(const Newcomer *in);

/* Adds a name, once, to the text of the names that are reported together. When no more fit, the text ends
 * with " and more". */
void unaccepted_add_name(char *names, size_t size, const char *name);

/* True if the appearance of an unaccepted trail in the state file was reported. Then its end is only
 * counted. waits: it is to be reported together with others. */
bool unaccepted_was_reported(bool provisional, bool known, bool waits);

/* Writes the detail of the summary: how many appeared, and how many are gone again (these may have been
 * reported before). */
void unaccepted_detail(unsigned n_appeared, unsigned n_gone, const char *names,
                       char dst[static ERROR_TEXT_MAX]);

/* The relation of the bucket to the guarded accounts. used: an accepted trail delivers there; confirmed: S3
 * has confirmed an owner, guarded or not. */
Destination newcomer_destination(bool used, bool confirmed, bool guarded);

/* ---- how many trails are kept ---- */

/* Per account. AWS allows 5 trails in a region, so only an account where someone keeps deleting and creating
 * trails under new names reaches this. */
#define SCOPE_TRAILS_MAX 512U

/* A trail in the tables. */
typedef struct KeptTrail {
    bool provisional;
    bool missing;
    uint64_t first_seen_usec; /* real; 0: never */
} KeptTrail;

/* The index of the trail to drop in favour of a new one: the oldest that is missing and that nobody had
 * accepted; n if there is none. Accepted trails are never forgotten. */
size_t scope_trail_to_drop(const KeptTrail *trails, size_t n);

/* ---- through which account a trail is polled ---- */

/* If several accounts can see a trail, its owner polls it. While the owner cannot, any other account that
 * can will do. */

/* An account that sees the trail, or could. */
typedef struct Viewer {
    bool open;              /* it can be polled */
    bool guards;            /* its configuration includes the trail */
    bool owner;             /* it owns the trail */
    bool base;              /* its keys assume the roles in the other accounts */
    unsigned n_failed;      /* consecutive failed polls in the region whose list showed the trail */
    unsigned n_home_failed; /* ... and in the trail's home region; 0 if that was not polled yet */
} Viewer;

/* The trail itself. */
typedef struct Viewed {
    bool organization; /* other accounts can see it too */
    bool lives;        /* it was found; a trail that is only named has no home region */
    bool acted_on;     /* an action through its present account is in progress */
} Viewed;

/* True if another account may take over polling. */
bool viewed_may_move(const Viewed *trail);

/* True if the polling account has lost access, so that another one must be found. */
bool viewer_is_lost(const Viewed *trail, const Viewer *viewer, unsigned unreachable_after);

/* True if this account can take over. */
bool viewer_can_take_over(const Viewer *other);

/* True if the trail moves to this account as soon as it can be polled. Only the owner decides whether the
 * trail is guarded. */
bool viewer_adopts(const Viewer *other);

/* True if this account is better than another one that can see the trail. foreign: the polling account does
 * not own the trail. */
bool viewer_is_better(const Viewer *other, bool foreign);

/* ---- what that account may do to it ---- */

/* The account through which a trail is polled. */
typedef struct TrailHolder {
    bool organization; /* an organization trail: members see the management account's trails */
    bool known;        /* the account's id is known from AWS ... */
    bool asked;        /* ... or GetCallerIdentity has failed */
    bool owner;        /* it owns the trail */
} TrailHolder;

/* True if the account may write to the trail as its owner. For an organization trail that depends on the
 * account's own id: no write until AWS has reported it or failed to. */
bool holder_may_write(const TrailHolder *holder);

/* True if the trail's facts are known, so that polls can be acted on: it was listed, was known before, or
 * belongs to the account. */
bool scope_facts_are_known(bool listed, bool known, bool own);

/* True if it is another account's organization trail, as far as is known. */
bool holder_is_foreign(const TrailHolder *holder);

/* How AWS answered an account's writes to another account's organization trail. CloudTrail's delegated
 * administrator may write to it; the only way to find out is to try. */
typedef struct Permission {
    bool accepted;                            /* AWS accepted one of our writes */
    uint64_t refused_until_usec[_ACTION_MAX]; /* mono; AWS refused this action; not tried before */
    unsigned n_refused[_ACTION_MAX];
} Permission;

/* Records the outcome of an action. True if AWS refused it because these are not the right keys, and that is
 * news. A denial by IAM, which is followed by a short pause, is news only once. */
bool permission_take(Permission *permission, const Outcome *outcome, uint64_t now_usec);

/* The actions that may be tried now, as ACTION_BITs. */
uint32_t permission_to_ask(const Permission *permission, uint64_t now_usec);

/* ---- what `accept` shows of a trail ---- */

typedef struct ShownTrail {
    bool missing;     /* as far as the polling account can tell */
    bool owned;       /* ... that account owns it ... */
    bool others_keys; /* ... and its keys are known to belong to another account than the trail */
    bool read;        /* its settings were read, as far as a baseline needs them */
} ShownTrail;

typedef enum ShownAs {
    SHOWN_READ,
    SHOWN_GONE,
    SHOWN_NOT_ITS_ACCOUNT, /* only the owner could tell whether it is gone */
} ShownAs;

/* AWS gives the same answer for a trail that is gone, one that the caller may not see, and one that the keys
 * of the wrong account ask for. */
ShownAs scope_shown_as(const ShownTrail *trail);

/* True if the account's keys are known to belong to an account other than the trail's. owned, organization:
 * as for scope_proves_absence. */
bool scope_has_others_keys(const AccountScope *account, bool owned, bool organization);

/* ---- settings that cannot be read ---- */

/* True if a call that our own rate limiter held back is not reported. AWS was not asked, so nothing failed.
 * `check` reports it, because it polls only once. */
bool scope_is_no_news(bool held_back, bool once);

/* When a failing call about the settings, bucket or key of a trail becomes the finding "unreadable", and
 * when it is retried before settings are due. */

/* The result of one call. */
typedef struct ReadResult {
    Unreadable what;
    bool failed;
    bool unsupported; /* the endpoint does not have the call */
    bool denied;
    bool gone;     /* AWS does not find the trail, which the list had */
    bool foreign;  /* another account owns the trail */
    bool recorded; /* the baseline has what the call reads */
} ReadResult;

typedef struct ReadMeaning {
    bool not_shown;  /* AWS never returns it here: nothing is lost */
    bool reported;   /* to be logged: the first failure, or the first success after one that was logged */
    bool unreadable; /* it is a finding */
    bool readable;   /* the finding ends; if neither is set, too few calls failed */
    bool denied;     /* AWS denied it: the guard's rights should be checked */
} ReadMeaning;

/* n_failed: consecutive failures of this call for the trail. logged: bits of Unreadable, whose failure was
 * logged. That the trail is not found once is not a failure yet: it was deleted, and the next poll reports
 * that. */
ReadMeaning unreadable_take(const ReadResult *result, unsigned unreachable_after, unsigned *n_failed,
                            uint8_t *logged);

/* True if the baseline has what the call reads. Buckets and keys are checked whether recorded or not. */
bool unreadable_is_recorded(const Settings *baseline, Unreadable what);

/* True if a call for something that the baseline does not have yet has failed, but not often enough to be
 * unreadable. n_failed: consecutive failures by Unreadable. */
bool unreadable_are_wanted_soon(const Settings *baseline, const unsigned *n_failed,
                                unsigned unreachable_after);

/* What was read of a bucket and a key. unread: the calls that failed; found: the bucket exists. */
typedef struct BucketRead {
    bool found, trouble; /* trouble: something is wrong with the bucket, judging by the calls that
                            succeeded */
    bool unread[_UNREADABLE_MAX];
} BucketRead;

/* True if this call was made. */
bool unreadable_was_asked(const BucketRead *read, Unreadable what);

/* The findings that these results can set or clear, as FINDING_BITs; the others stay unchanged. */
uint32_t unreadable_judges(const BucketRead *read);
