/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/scope.h"

#include <stdio.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

/* ---- coverage: does any trail record the region? ---- */

/* A region reported as uncovered recovers only when a list shows a trail, not because a trail that lives
 * elsewhere by now has an incident of its own. */
uint64_t scope_empty_since(size_t n_listed, uint64_t since_usec, uint64_t now_usec) {
    if (n_listed > 0)
        return 0;
    return since_usec > 0 ? since_usec : now_usec;
}

static bool is_covered(const CoverInput *in) {
    if (in->n_listed > 0 || !in->configured)
        return true;
    if (in->uncovered)
        return false;
    return in->shown_have_trouble || (in->shown_elsewhere && in->empty_usec < SCOPE_ELSEWHERE_USEC);
}

bool scope_take_cover(const CoverInput *in, PollResult *result) {
    bool covered = is_covered(in), doubted = !covered && !in->uncovered && in->n_shown > 0 && !in->suspect;

    result->covered = covered;
    result->listed = !doubted;
    return doubted || (in->suspect && in->n_listed == 0 && in->configured);
}

/* ---- regions that reject the keys as unknown ---- */

#define ENABLED_MEANS "the account has enabled the region, so the keys or the way there are at fault"

static const struct {
    const char *status; /* of GetRegionOptStatus */
    bool off;
    const char *meaning;
} region_statuses[] = {
    { SCOPE_REGION_OFF, true, SCOPE_REGION_OFF ", the account has not enabled the region" },
    { "DISABLING", false, "DISABLING, the account is turning the region off" },
    { "ENABLED", false, "ENABLED, " ENABLED_MEANS },
    { "ENABLED_BY_DEFAULT", false, "ENABLED_BY_DEFAULT, " ENABLED_MEANS },
    { "ENABLING", false, "ENABLING, the account is turning the region on" },
};

/* The index of its row; the size of the table if there is none. */
static size_t row_of(const char *status) {
    size_t i = 0;

    while (i < ARRAY_SIZE(region_statuses) && !text_equal(region_statuses[i].status, status))
        i++;
    return i;
}

bool scope_is_proven_off(const char *status) {
    size_t i = row_of(status);

    return i < ARRAY_SIZE(region_statuses) && region_statuses[i].off;
}

/* NULL: the status is unknown. */
static const char *meaning_of(const char *status) {
    size_t i = row_of(status);

    return i < ARRAY_SIZE(region_statuses) ? region_statuses[i].meaning : NULL;
}

void scope_count_rejection(Rejections *rejections, bool rejected, uint64_t now_usec) {
    if (!rejected)
        *rejections = (Rejections){ 0 };
    else if (rejections->n++ == 0)
        rejections->since_usec = now_usec;
}

/* Keys that work nowhere cannot ask. Named regions are few, and the answer explains the rejection. */
bool scope_wants_status(const Rejection *rejection) {
    return rejection->opt_in && (rejection->good_elsewhere || rejection->named);
}

/* AWS's status decides either way. Without a status, one wrong answer must not leave a region unguarded for
 * a day. */
bool scope_is_off(const Rejection *rejection) {
    if (!rejection->opt_in || rejection->named || rejection->has_trails)
        return false;
    if (meaning_of(rejection->status))
        return scope_is_proven_off(rejection->status);
    return rejection->good_elsewhere &&
           (!rejection->ever_reachable || rejection->lasts_usec >= SCOPE_OFF_PROOF_USEC);
}

/* True if the region could turn out to be disabled. asking: depending on the status that AWS is about to
 * give; otherwise depending on whether the keys work elsewhere. */
static bool may_be_off(const Rejection *rejection, bool asking) {
    Rejection best = *rejection;

    best.good_elsewhere = true;
    if (asking)
        best.status = SCOPE_REGION_OFF;
    return scope_is_off(&best);
}

/* True if an answer that is still to come decides: AWS's status, or that of another region. */
static bool is_unclear(const Rejection *rejection) {
    if (rejection->asking && (rejection->waits || may_be_off(rejection, true)))
        return true;
    return !scope_is_off(rejection) && rejection->polls_elsewhere && may_be_off(rejection, false);
}

/* A region that is not enabled answers "unknown key". TrailGuard takes it for that only if `regions` is
 * "all", and either AWS's status says so, or the same keys work elsewhere and no status says that the region
 * is enabled. */
bool scope_take_rejection(const Rejection *rejection, PollResult *result) {
    const char *meaning = meaning_of(rejection->status);
    size_t n = strlen(result->error_text);

    if (is_unclear(rejection))
        return false;
    result->not_enabled = scope_is_off(rejection);
    if (meaning && !result->not_enabled)
        (void)snprintf(result->error_text + n, sizeof(result->error_text) - n, " (GetRegionOptStatus: %s)",
                       meaning);
    return true;
}

bool scope_may_ask_region(const RegionQuestion *question, uint64_t now_usec) {
    return now_usec >= question->denied_until_usec &&
           (question->asked_usec == 0 || now_usec >= question->asked_usec + SCOPE_REGION_USEC);
}

bool scope_keys_are_good(const TargetState *state, bool polled) {
    return polled && state->ever_reachable && state->n_failed == 0 && !state->not_enabled;
}

bool scope_shows_target(bool configured, size_t n_trails, bool account_is_row) {
    return (configured || n_trails > 0) && !account_is_row;
}

bool scope_makes_calls(const TargetState *state) {
    return state->ever_reachable && !state->unreachable && !state->not_enabled;
}

/* ---- accounts ---- */

bool scope_is_row(const AccountScope *account) {
    return account->guarded && (account->blocked || account->left);
}

bool scope_is_open(const AccountScope *account) {
    return account->guarded && !account->left && !account->blocked &&
           (account->identity_asked || !account->by_role);
}

bool scope_proves_absence(const AccountScope *account, bool owned, bool organization) {
    if (account->by_role)
        return true;
    return account->identity_known ? owned || organization : account->shows_own && !organization;
}

void scope_judge_absence(const AccountScope *account, const char *id, bool owned, bool organization,
                         Observation *seen) {
    if (scope_proves_absence(account, owned, organization))
        return;
    seen->kind = OBSERVED_ERROR;
    seen->error = POLL_CREDENTIALS;
    if (account->identity_known)
        (void)snprintf(seen->error_text, sizeof(seen->error_text),
                       "not found: the keys belong to account %.12s", id);
    else
        (void)text_copy(seen->error_text, sizeof(seen->error_text),
                        "not found, and AWS has not said which account the keys belong to");
}

/* Base credentials that STS rejects, or that cannot be sent to it, may still work in the regions of the
 * trails. For a role's session STS decides. */
bool scope_keys_are_missing(const AccountScope *account, bool none, bool refused) {
    if (account->by_role)
        return none || refused || account->blocked;
    return none || (refused && account->blocked);
}

bool scope_keys_are_back(const AccountScope *account, unsigned n_failed) {
    return n_failed > 0 && scope_is_open(account);
}

bool scope_list_shows_own(bool by_role, uint64_t began_usec, uint64_t keys_changed_usec) {
    return !by_role && began_usec > keys_changed_usec;
}

AccountStart scope_account_start(const AccountScope *account, const AccountAnswer *answer) {
    if (!answer->first && answer->was_open)
        return ACCOUNT_START_NOTHING;
    if (answer->passes_begun)
        return scope_is_open(account) ? ACCOUNT_START_POLLS : ACCOUNT_START_NOTHING;
    return answer->first && answer->all_known ? ACCOUNT_START_PASS : ACCOUNT_START_NOTHING;
}

ListAsk scope_asks_for_accounts(const AccountScope *base, bool sts_is_not_there, bool was_known) {
    if (base->identity_known || base->blocked || sts_is_not_there)
        return LIST_ASK;
    return was_known ? LIST_ASK_FAILS : LIST_ASK_WAITS;
}

bool scope_departure_is_searched(const AccountScope *account, bool in_organization,
                                 const Management *management) {
    return account->by_role && in_organization && (!management->known || management->open);
}

BaseEnd scope_base_ends(const BaseAccount *base) {
    if (base->by_role)
        return BASE_HAS_ROLE;
    return base->excluded && !base->configured ? BASE_EXCLUDED : BASE_GOES_ON;
}

/* ---- shards ---- */

/* Reads digits up to the end of the text or a '/'. 0 if they are not a number in 1..SHARDS_MAX in its plain
 * form. */
static unsigned take_number(const char **text) {
    const char *c = *text;
    unsigned n = 0;

    if (*c == '0')
        return 0;
    for (; *c >= '0' && *c <= '9' && n <= SHARDS_MAX; c++)
        n = 10 * n + (unsigned)(*c - '0');
    *text = c;
    return n <= SHARDS_MAX ? n : 0;
}

bool shard_parse(const char *text, Shard *ret) {
    Shard shard;

    shard.number = take_number(&text);
    if (shard.number == 0 || *text++ != '/')
        return false;
    shard.total = take_number(&text);
    if (*text || shard.number > shard.total)
        return false;
    *ret = shard;
    return true;
}

static uint64_t fnv1a(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* The increment of SplitMix64's state; its output is a mix of the state. */
#define SHARD_STEP UINT64_C(0x9e3779b97f4a7c15)

static uint64_t shard_mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

unsigned shard_of(const char *account, unsigned total) {
    uint64_t at = fnv1a(account), heaviest = 0;
    unsigned best = 1;

    for (unsigned k = 1; k <= total; k++) {
        uint64_t weight = shard_mix(at += SHARD_STEP);

        if (weight > heaviest) {
            heaviest = weight;
            best = k;
        }
    }
    return best;
}

bool shard_has(const Shard *shard, const char *account) {
    if (shard->total == 0)
        return true;
    return account[0] && shard_of(account, shard->total) == shard->number;
}

/* ---- the organization's list ---- */

MemberChange scope_member_change(const MemberInput *in) {
    if (!in->known)
        return in->active && !in->excluded ? MEMBER_JOINED : MEMBER_UNCHANGED;
    if (!in->member || in->active == !in->left)
        return MEMBER_UNCHANGED;
    if (in->active)
        return MEMBER_RETURNED;
    return in->listed ? MEMBER_SUSPENDED : MEMBER_REMOVED;
}

bool scope_member_is_resumed(const MemberInput *in) {
    return in->member && !in->excluded && !in->known;
}

/* The pause between failed lists grows, so that with a large unreachable_after the count alone would take
 * hours. */
#define LIST_UNREADABLE_USEC (300 * USEC_PER_SEC)

bool account_list_is_due(bool tried, bool blocked, uint64_t due_usec, uint64_t now_usec) {
    return tried && !blocked && now_usec >= due_usec;
}

bool account_list_failed(AccountListTrouble *trouble, const char *account, const char *error,
                         unsigned unreachable_after, uint64_t now_usec) {
    if (trouble->n_failed++ == 0) {
        trouble->since_usec = now_usec;
        (void)text_copy(trouble->account, sizeof(trouble->account), account);
    }
    (void)text_copy(trouble->error, sizeof(trouble->error), error);
    if (trouble->sequence > 0)
        return false;
    return trouble->n_failed >= unreachable_after ||
           (now_usec > trouble->since_usec && now_usec - trouble->since_usec >= LIST_UNREADABLE_USEC);
}

bool account_list_reminds(AccountListTrouble *trouble, uint64_t interval_usec, uint64_t now_usec) {
    if (trouble->sequence == 0 || interval_usec == 0)
        return false;
    if (trouble->reported_usec > now_usec) /* the clock was set back */
        trouble->reported_usec = now_usec;
    return now_usec - trouble->reported_usec >= interval_usec;
}

void account_list_reported(AccountListTrouble *trouble, uint64_t now_usec) {
    if (trouble->sequence++ > 0)
        trouble->n_reminders++;
    trouble->reported_usec = now_usec;
}

void account_list_complete(const AccountListTrouble *trouble, Event *event) {
    event->sequence = trouble->sequence + 1;
    if (event->phase != PHASE_REMINDER)
        return;
    event->n_reminders = trouble->n_reminders + 1;
    event->still = EVENT_ORGANIZATION_UNREADABLE;
}

AccountListEnd account_list_end(const AccountListTrouble *trouble, bool forgotten) {
    if (trouble->sequence > 0)
        return ACCOUNT_LIST_REPORTED;
    return trouble->n_failed > 0 && !forgotten ? ACCOUNT_LIST_IN_LINE : ACCOUNT_LIST_SILENT;
}

/* ---- what is no longer guarded ---- */

bool scope_tables_are_whole(const TablesBegun *begun) {
    return begun->passes && !begun->waits && (!begun->organization || begun->list_tried);
}

Ended scope_account_ended(const AccountPlace *account) {
    if (account->known ? account->guarded : !account->elsewhere && !account->all_known)
        return ENDED_NOT;
    return account->elsewhere ? ENDED_ELSEWHERE : ENDED_ACCOUNT_GONE;
}

Ended scope_region_ended(const AccountPlace *account) {
    Ended ended = scope_account_ended(account);

    return ended == ENDED_NOT && account->begun ? ENDED_REGION_GONE : ended;
}

bool former_row_is_of(bool same, bool by_role, bool identified, bool anothers) {
    return same || (!by_role && !identified && !anothers);
}

bool former_trail_is_kept(bool owes_end, bool elsewhere) {
    return owes_end || !elsewhere;
}

bool former_is_guarded(bool guarded, bool was_found, bool all_trails) {
    return guarded && (was_found || !all_trails);
}

/* Until all lists are read, another account may still show an organization trail. */
Ended scope_trail_ended(const FormerTrail *trail) {
    const AccountPlace *account = &trail->account;
    Ended ended = scope_account_ended(account);

    if (trail->ignored)
        return ENDED_IGNORED;
    if (trail->elsewhere)
        return ENDED_ELSEWHERE;
    if (trail->organization && !(account->known && account->guarded) && !trail->all_listed)
        return ENDED_NOT;
    if (ended == ENDED_NOT && account->known && account->begun && !trail->named)
        return ENDED_NOT_NAMED;
    return ended;
}

const char *scope_ended_text(Ended ended) {
    static const char *const texts[_ENDED_MAX] = {
        [ENDED_NOT] = NULL,
        [ENDED_IGNORED] = "the configuration ignores it",
        [ENDED_ELSEWHERE] = "another shard guards its account",
        [ENDED_ACCOUNT_GONE] = "its account is not configured any more",
        [ENDED_NOT_NAMED] = "`trails` does not name it any more",
        [ENDED_REGION_GONE] = "`regions` does not have it any more",
    };

    return texts[ended];
}

/* ---- which listed trails are guarded ---- */

bool list_is_to_come(bool configured, bool not_enabled, bool listed) {
    return configured && !not_enabled && !listed;
}

bool list_is_awaited(bool to_come, bool open, unsigned n_failed, unsigned unreachable_after) {
    return to_come && open && n_failed < unreachable_after;
}

bool listing_covers(const Listing *listing) {
    return listing->configured || listing->wide;
}

bool listing_uncovers(const Listing *listing, bool shown, bool was_wide) {
    return !listing_covers(listing) && (!shown || was_wide);
}

bool named_trail_is_for(const NamedByArn *in) {
    return in->owner_guarded ? in->owner : in->names_itself || in->first;
}

/* ---- trails that appear ---- */

bool newcomer_is_provisional(const Newcomer *in) {
    return in->trust != TRUST_KEEP && in->listed_before && !in->known && !in->missing && !in->recorded &&
           (!in->named || in->namesake);
}

/* The name of a trail never contains a space. */
static const char and_more[] = " and more";

static bool has_name(const char *names, const char *name) {
    size_t n = strlen(name);

    for (const char *at = strstr(names, name); at && n > 0; at = strstr(at + n, name))
        if ((at == names || at[-1] == ' ') && (at[n] == ',' || !at[n]))
            return true;
    return false;
}

void unaccepted_add_name(char *names, size_t size, const char *name) {
    size_t used = strlen(names);
    bool fits = used + strlen(name) + sizeof(", ") + strlen(and_more) < size;

    if (text_ends_with(names, and_more) || has_name(names, name))
        return;
    if (fits)
        (void)snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", name);
    else
        (void)snprintf(names + used, size - used, "%s", and_more);
}

bool unaccepted_was_reported(bool provisional, bool known, bool waits) {
    return provisional && known && !waits;
}

void unaccepted_detail(unsigned n_appeared, unsigned n_gone, const char *names,
                       char dst[static ERROR_TEXT_MAX]) {
    (void)snprintf(dst, ERROR_TEXT_MAX, "%u more appeared, %u %s gone again: %s", n_appeared, n_gone,
                   n_gone == 1 ? "is" : "are", names);
}

/* ---- how many trails are kept ---- */

size_t scope_trail_to_drop(const KeptTrail *trails, size_t n) {
    size_t found = n;

    for (size_t i = 0; i < n; i++)
        if (trails[i].provisional && trails[i].missing &&
            (found == n || trails[i].first_seen_usec < trails[found].first_seen_usec))
            found = i;
    return found;
}

Destination newcomer_destination(bool used, bool confirmed, bool guarded) {
    if (used)
        return DESTINATION_USED;
    if (!confirmed)
        return DESTINATION_UNKNOWN;
    return guarded ? DESTINATION_GUARDED : DESTINATION_FOREIGN;
}

/* ---- through which account a trail is polled ---- */

bool viewed_may_move(const Viewed *trail) {
    return trail->lives && !trail->acted_on;
}

bool viewer_is_lost(const Viewed *trail, const Viewer *viewer, unsigned unreachable_after) {
    return trail->organization && viewed_may_move(trail) &&
           (!viewer->open || viewer->n_home_failed >= unreachable_after);
}

bool viewer_can_take_over(const Viewer *other) {
    return other->open && other->guards && other->n_failed == 0 && other->n_home_failed == 0;
}

bool viewer_adopts(const Viewer *other) {
    return other->open && other->owner;
}

/* Among the accounts that do not own the trail, the base credentials' is the most likely delegated
 * administrator of CloudTrail. */
bool viewer_is_better(const Viewer *other, bool foreign) {
    return other->n_home_failed == 0 && (other->owner || (other->base && foreign && other->guards));
}

/* ---- what the polling account may do to the trail ---- */

bool holder_may_write(const TrailHolder *holder) {
    return !holder->organization || (holder->known ? holder->owner : holder->asked);
}

bool scope_facts_are_known(bool listed, bool known, bool own) {
    return listed || known || own;
}

bool holder_is_foreign(const TrailHolder *holder) {
    return holder->organization && holder->known && !holder->owner;
}

/* Most accounts are never allowed to. But an attacker can deregister the delegated administrator, and
 * someone registers it again. */
#define REFUSAL_PAUSE_USEC     (300 * USEC_PER_SEC)
#define REFUSAL_PAUSE_MAX_USEC (24 * 3600 * USEC_PER_SEC)
#define REFUSAL_DOUBLED_MAX    10U

/* A denial by IAM names the action, and comes before CloudTrail checks who owns the trail: a policy denies
 * the action to the guard. A trail that is not there may have been made its owner's own for the moment. The
 * pause is short, because an attacker who does either for a moment must not gain more than that moment. */
#define DENIAL_IN_TEXT        "not authorized to perform"
#define MOMENT_PAUSE_USEC     USEC_PER_SEC
#define MOMENT_PAUSE_MAX_USEC (60 * USEC_PER_SEC)

/* True if these are the wrong keys for the request, and not if something else about it is wrong. */
static bool is_refusal(const char *code) {
    static const char *const codes[] = {
        "AccessDenied",
        "AccessDeniedException",
        "NotOrganizationManagementAccountException",
        "NotOrganizationMasterAccountException",
        "TrailNotFoundException",
        "OperationNotPermittedException",
        "UnsupportedOperationException",
    };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (text_equal(codes[i], code))
            return true;
    return false;
}

bool permission_take(Permission *permission, const Outcome *outcome, uint64_t now_usec) {
    bool momentary = strstr(outcome->error_text, DENIAL_IN_TEXT) ||
                     text_equal(outcome->error_code, "TrailNotFoundException");
    unsigned *n = &permission->n_refused[outcome->action];
    uint64_t pause_usec = momentary ? MOMENT_PAUSE_USEC : REFUSAL_PAUSE_USEC;

    if (outcome->result == RESULT_CONFIRMED)
        permission->accepted = true;
    if (outcome->result != RESULT_FAILED || permission->accepted || !is_refusal(outcome->error_code))
        return false;
    pause_usec = MIN(pause_usec << MIN(*n, REFUSAL_DOUBLED_MAX),
                     momentary ? MOMENT_PAUSE_MAX_USEC : REFUSAL_PAUSE_MAX_USEC);
    permission->refused_until_usec[outcome->action] = now_usec + pause_usec;
    return (*n)++ == 0 || !momentary;
}

uint32_t permission_to_ask(const Permission *permission, uint64_t now_usec) {
    uint32_t actions = 0;

    for (unsigned a = 0; a < _ACTION_MAX; a++)
        if (now_usec >= permission->refused_until_usec[a])
            actions |= ACTION_BIT(a);
    return actions & ACTIONS_ALL;
}

/* ---- what `accept` shows of a trail ---- */

ShownAs scope_shown_as(const ShownTrail *trail) {
    if (trail->missing)
        return trail->owned ? SHOWN_GONE : SHOWN_NOT_ITS_ACCOUNT;
    return trail->others_keys && !trail->read ? SHOWN_NOT_ITS_ACCOUNT : SHOWN_READ;
}

bool scope_has_others_keys(const AccountScope *account, bool owned, bool organization) {
    return account->identity_known && !scope_proves_absence(account, owned, organization);
}

/* ---- settings that cannot be read ---- */

bool scope_is_no_news(bool held_back, bool once) {
    return held_back && !once;
}

/* Nothing is lost if AWS never returned it: the endpoint does not have the call, or AWS does not return the
 * event configuration to a member of the organization. */
static bool is_not_shown(const ReadResult *result) {
    bool kept_from_members = result->what == UNREADABLE_CONFIGURATION && result->foreign && result->denied;

    return result->failed && !result->recorded && (result->unsupported || kept_from_members);
}

/* Failures are counted per call, as for polls. They never put in doubt whether the trail logs. */
ReadMeaning unreadable_take(const ReadResult *result, unsigned unreachable_after, unsigned *n_failed,
                            uint8_t *logged) {
    _Static_assert(_UNREADABLE_MAX <= 8, "logged has a bit for each");
    const uint8_t bit = (uint8_t)(1u << result->what);
    const bool was_logged = *logged & bit;
    ReadMeaning meaning = { .not_shown = is_not_shown(result) };

    meaning.readable = !result->failed || meaning.not_shown;
    meaning.denied = result->denied && !meaning.not_shown;
    if (meaning.readable) {
        meaning.reported = was_logged;
        *logged &= (uint8_t)~bit;
        *n_failed = 0;
        return meaning;
    }
    if (++*n_failed == 1 && result->gone)
        return meaning;
    meaning.reported = !was_logged;
    *logged |= bit;
    meaning.unreadable = *n_failed >= unreachable_after;
    return meaning;
}

bool unreadable_is_recorded(const Settings *baseline, Unreadable what) {
    static const Field fields[] = {
        [UNREADABLE_SELECTORS] = FIELD_SELECTORS,
        [UNREADABLE_INSIGHTS] = FIELD_INSIGHTS,
        [UNREADABLE_TAGS] = FIELD_TAGS,
        [UNREADABLE_CONFIGURATION] = FIELD_CONFIGURATION,
    };

    return (size_t)what >= ARRAY_SIZE(fields) || baseline->values[fields[what]];
}

bool unreadable_are_wanted_soon(const Settings *baseline, const unsigned *n_failed,
                                unsigned unreachable_after) {
    for (Unreadable u = 0; u < _UNREADABLE_MAX; u++)
        if (!unreadable_is_recorded(baseline, u) && n_failed[u] > 0 && n_failed[u] < unreachable_after)
            return true;
    return false;
}

bool unreadable_was_asked(const BucketRead *read, Unreadable what) {
    return read->found || what == UNREADABLE_BUCKET || what == UNREADABLE_KEY;
}

/* A denied call never ends trouble. */
uint32_t unreadable_judges(const BucketRead *read) {
    const bool *unread = read->unread;
    uint32_t findings = 0;

    if (read->trouble || (!unread[UNREADABLE_BUCKET] && !unread[UNREADABLE_POLICY]))
        findings |= FINDING_BIT(FINDING_BUCKET);
    if (read->found && !unread[UNREADABLE_LIFECYCLE])
        findings |= FINDING_BIT(FINDING_LIFECYCLE);
    if (!unread[UNREADABLE_KEY])
        findings |= FINDING_BIT(FINDING_KEY);
    return findings;
}
