/* SPDX-License-Identifier: Apache-2.0 */
/* Facts in alerts: times and numbers; callers, as people name them; changed settings, what each lost, before
 * and after, and the result. The kinds of callers are those of the user guide's "CloudTrail userIdentity
 * element". */
#include <stdio.h>
#include <string.h>

#include "daemon/core/alert_private.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/selectors_change.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

const char *alert_human_time(char dst[static TIMETEXT_MAX], uint64_t usec) {
    char iso[TIMETEXT_MAX];

    (void)timetext_iso(iso, usec);
    if (strlen(iso) == strlen("YYYY-MM-DDThh:mm:ssZ"))
        (void)snprintf(dst, TIMETEXT_MAX, "%.10s %.8s UTC", iso, iso + 11);
    else
        (void)text_copy(dst, TIMETEXT_MAX, "an unknown time");
    return dst;
}

void alert_add_foreign(const AlertExpansion *x, const char *s) {
    _cleanup_strbuf_ StrBuf whole = STRBUF_INIT(ALERT_EXPANDED_MAX);
    char shown[ALERT_SHOWN_MAX + 1];

    (void)text_escape(&whole, s, ALERT_SHOWN_MAX);
    (void)text_escape(x->out, "", 0);
    if (x->cut >= sizeof(shown) || whole.len <= x->cut) {
        (void)strbuf_add_buf(x->out, &whole);
        return;
    }
    /* room for the dots; text_copy keeps whole characters */
    (void)text_copy(shown, x->cut - 2, strbuf_str(&whole));
    (void)strbuf_addf(x->out, "%s...", shown);
}

unsigned alert_lost_percent(const Event *event) {
    const Repeats *contest = &event->contest;
    uint64_t end_usec = MAX(event->time_usec, contest->last_usec);

    if (end_usec <= contest->first_usec) /* the clock was set back */
        return 100;
    return (unsigned)MIN(100 * contest->total_usec / (end_usec - contest->first_usec), 100U);
}

void alert_add_number(const AlertExpansion *x, unsigned n, const char *what) {
    (void)strbuf_addf(x->out, "%u %s%s", n, what, n == 1 ? "" : "s");
}

void alert_add_fact(const AlertExpansion *x, const char *name, const char *value) {
    if (!value[0])
        return;
    (void)strbuf_addf(x->out, "  %-8s ", name);
    (void)text_escape(x->out, value, ALERT_SHOWN_MAX);
    (void)strbuf_add(x->out, "\n");
}

/* Roles of Identity Center: AWSReservedSSO_<permission set>_<16 hex digits>. */
#define SSO_PREFIX "AWSReservedSSO_"
#define SSO_SUFFIX 17

static const char *name_of(const Actor *actor) {
    if (actor->name[0])
        return actor->name;
    return actor->arn[0] ? actor->arn : "without a name";
}

static void add_words(const AlertExpansion *x, const char *words, const char *name) {
    (void)strbuf_add(x->out, words);
    alert_add_foreign(x, name);
}

static void add_plain(const AlertExpansion *x, const char *kind, const Actor *actor) {
    add_words(x, kind, name_of(actor));
}

static void add_root(const AlertExpansion *x, const char *kind, const Actor *actor) {
    (void)strbuf_add(x->out, kind);
    if (actor->account[0])
        add_words(x, " of account ", actor->account);
    if (actor->assumed_root)
        (void)strbuf_add(x->out, " through AssumeRoot");
    if (actor->source_identity[0]) {
        add_words(x, " (source identity ", actor->source_identity);
        (void)strbuf_add(x->out, ")");
    }
}

/* "arn:...:identitystore/ID" */
static void add_store(const AlertExpansion *x, const Actor *actor) {
    const char *id = strrchr(actor->identity_store, '/');

    if (!id || !id[1])
        return;
    add_words(x, " (identity store ", id + 1);
    (void)strbuf_add(x->out, ")");
}

static void add_identity_center(const AlertExpansion *x, const char *kind, const Actor *actor) {
    add_plain(x, kind, actor);
    add_store(x, actor);
}

static void add_service(const AlertExpansion *x, const char *kind, const Actor *actor) {
    add_words(x, kind, actor->invoked_by[0] ? actor->invoked_by : name_of(actor));
}

static void facts_add_account(const AlertExpansion *x, const char *kind, const Actor *actor) {
    add_words(x, kind, actor->account[0] ? actor->account : name_of(actor));
}

static void add_sso(const AlertExpansion *x, const char *role, const char *user) {
    char set[ACTOR_TEXT_MAX];
    size_t len;

    (void)text_copy(set, sizeof(set), role + strlen(SSO_PREFIX));
    len = strlen(set);
    if (len > SSO_SUFFIX && set[len - SSO_SUFFIX] == '_')
        set[len - SSO_SUFFIX] = '\0';
    add_words(x, "Identity Center user ", user);
    add_words(x, " (permission set ", set);
    (void)strbuf_add(x->out, ")");
}

/* "ROLE/SESSION"; whoever assumes the role chooses the name of the session. */
static void add_session(const AlertExpansion *x, const char *kind, const Actor *actor) {
    char role[ACTOR_TEXT_MAX];
    char *slash;

    (void)text_copy(role, sizeof(role), name_of(actor));
    slash = strchr(role, '/');
    if (!slash) {
        add_words(x, kind, role);
        return;
    }
    *slash = '\0';
    if (text_starts_with(role, SSO_PREFIX)) {
        add_sso(x, role, slash + 1);
        return;
    }
    add_words(x, kind, role);
    add_words(x, " (session ", slash + 1);
    if (actor->source_identity[0])
        add_words(x, ", source identity ", actor->source_identity);
    (void)strbuf_add(x->out, ")");
}

static const struct {
    const char *type;
    const char *kind;
    void (*add)(const AlertExpansion *x, const char *kind, const Actor *actor);
} types[] = {
    { "IAMUser", "user ", add_plain },
    { "AssumedRole", "role ", add_session },
    { "Root", "root", add_root },
    { "AssumedRoot", "root", add_root },
    { "AWSService", "service ", add_service },
    { "FederatedUser", "federated user ", add_plain },
    { "AWSAccount", "another account, ", facts_add_account },
    { "IdentityCenterUser", "Identity Center user ", add_identity_center },
    { "Role", "role ", add_plain },
    { "SAMLUser", "SAML user ", add_plain },
    { "WebIdentityUser", "web identity user ", add_plain },
    { "Directory", "directory user ", add_plain },
};

/* What the call went through. */
static void add_ways(const AlertExpansion *x, const Actor *actor, bool is_service, bool is_user) {
    if (actor->invoked_by[0] && !is_service && strcmp(actor->invoked_by, name_of(actor)) != 0)
        add_words(x, " through ", actor->invoked_by);
    if (actor->on_behalf_of[0] && !is_user) {
        add_words(x, " on behalf of Identity Center user ", actor->on_behalf_of);
        add_store(x, actor);
    }
    if (actor->delegate[0])
        add_words(x, " by delegated access of account ", actor->delegate);
}

static void add_caller(const AlertExpansion *x, const Actor *actor) {
    size_t i = 0;

    while (i < ARRAY_SIZE(types) && strcmp(types[i].type, actor->type) != 0)
        i++;
    if (i == ARRAY_SIZE(types)) {
        add_words(x, "an unknown kind of caller, ", name_of(actor));
        return;
    }
    types[i].add(x, types[i].kind, actor);
    add_ways(x, actor, types[i].add == add_service, types[i].add == add_identity_center);
}

void alert_add_actor(const AlertExpansion *x) {
    add_caller(x, &x->source->event->actor);
}

static void add_caller_facts(const AlertExpansion *x, const Actor *actor) {
    _cleanup_strbuf_ StrBuf who = STRBUF_INIT(ALERT_EXPANDED_MAX);
    AlertExpansion inner = { .source = x->source, .out = &who, .cut = ALERT_SHOWN_MAX };
    char when[TIMETEXT_MAX];

    add_caller(&inner, actor);
    (void)strbuf_addf(x->out, "  %-8s ", "who");
    (void)strbuf_add_buf(x->out, &who); /* escaped already */
    (void)strbuf_add_char(x->out, '\n');
    alert_add_fact(x, "type", actor->type);
    alert_add_fact(x, "ARN", actor->arn);
    alert_add_fact(x, "account", actor->account);
    alert_add_fact(x, "through", actor->invoked_by);
    alert_add_fact(x, "identity", actor->source_identity);
    alert_add_fact(x, "user id", actor->on_behalf_of);
    alert_add_fact(x, "store", actor->identity_store);
    alert_add_fact(x, "delegate", actor->delegate);
    alert_add_fact(x, "from", actor->source_ip);
    alert_add_fact(x, "with", actor->user_agent);
    if (actor->unnamed_guard)
        alert_add_fact(
                x, "hint",
                "may be another TrailGuard that trailguard.conf does not name: if it is yours, add it to "
                "guards");
    if (actor->omitted)
        alert_add_fact(x, "hint",
                       "AWS left out of the record which trail the call was about: its parameters were "
                       "longer than 100 KB");
    alert_add_fact(x, "key", actor->access_key);
    alert_add_fact(x, "call", actor->event_name);
    alert_add_fact(x, "refused", actor->error_code);
    if (actor->event_usec != 0)
        alert_add_fact(x, "when", alert_human_time(when, actor->event_usec));
    alert_add_fact(x, "event", actor->event_id);
}

void alert_add_callers(const AlertExpansion *x) {
    const Event *event = x->source->event;

    if (!event->doubt)
        add_caller_facts(x, &event->actor);
    for (unsigned i = 0; event->doubt && i < event->doubt->n_candidates; i++) {
        (void)strbuf_add(x->out, i > 0 ? "\n" : "");
        add_caller_facts(x, &event->doubt->candidates[i]);
    }
}

/* The limit for all values of a message. Above it, each is truncated to the smaller size, so that a message
 * fits four times into SNS's 256 KiB. */
#define ALL_VALUES_MAX  (12U * 1024)
#define VALUE_SMALL_MAX 256U

static unsigned count_fields(uint32_t fields) {
    unsigned n = 0;

    for (; fields != 0; fields &= fields - 1)
        n++;
    return n;
}

void alert_add_field_names(const AlertExpansion *x, uint32_t fields) {
    const char *between = "";

    if (!(fields & FIELDS_ALL))
        (void)strbuf_add(x->out, "no known setting");
    for (Field f = 0; f < _FIELD_MAX; f++)
        if (fields & FIELD_BIT(f)) {
            (void)strbuf_addf(x->out, "%s%s", between, field_to_string(f));
            between = ", ";
        }
}

void alert_add_fields(const AlertExpansion *x) {
    uint32_t fields = x->source->event->fields & FIELDS_ALL;

    if (count_fields(fields) == 1)
        alert_add_field_names(x, fields);
    else if (fields)
        alert_add_number(x, count_fields(fields), "setting");
    else
        (void)strbuf_add(x->out, "settings");
}

void alert_add_losses(const AlertExpansion *x) {
    static const char *const losses[_FIELD_MAX] = {
        [FIELD_BUCKET] = "Log files of that time are in the other bucket, and do not come to the right one.",
        [FIELD_PREFIX] =
                "Log files of that time are below another prefix. What reads the old prefix misses them.",
        [FIELD_KMS_KEY] = "Log files of that time are encrypted with another key, or not with one of yours. "
                          "The owner of a key decides who can read them.",
        [FIELD_LOG_GROUP] = "CloudWatch Logs does not have the events of that time, and its alarms did not "
                            "fire.",
        [FIELD_LOG_ROLE] = "CloudWatch Logs may not have the events of that time.",
        [FIELD_SNS_TOPIC] = "Subscribers were not notified of the log files of that time. The log files "
                            "were delivered.",
        [FIELD_MULTI_REGION] = "Events of other regions from that time are lost to this trail.",
        [FIELD_GLOBAL_EVENTS] =
                "Events of global services (IAM, STS, CloudFront) from that time are lost to this trail.",
        [FIELD_VALIDATION] =
                ("Without digests, nobody can prove that log files of that time are unchanged. A broken "
                 "chain of "
                 "digests stays broken."),
        [FIELD_ORGANIZATION] = "Events of the organization's other accounts from that time are lost to "
                               "this trail.",
        [FIELD_RECURSIVE] = ("CloudTrail's own deliveries of that time, to the bucket and to CloudWatch "
                             "Logs, are "
                             "not recorded."),
        [FIELD_SELECTORS] = ("Events that the changed selectors leave out are lost to this trail. The "
                             "event history "
                             "still has management events of the last 90 days."),
        [FIELD_INSIGHTS] = "CloudTrail created no Insights events for that time.",
        [FIELD_CONFIGURATION] = "Events of that time may lack keys, be truncated, or not be aggregated as "
                                "before.",
        [FIELD_TAGS] = "Tags do not change what the trail records.",
        [FIELD_UNKNOWN] = "Unknown: AWS added this setting after this version of TrailGuard was made.",
    };
    const char *between = "";

    for (Field f = 0; f < _FIELD_MAX; f++)
        if (x->source->event->fields & FIELD_BIT(f)) {
            (void)strbuf_addf(x->out, "%s%s", between, losses[f]);
            between = "\n";
        }
    if (!*between)
        (void)strbuf_add(x->out, "That depends on what was changed.");
}

/* ---- before and after ---- */

bool alert_shows_change(const Event *event, const Change *change) {
    return event->fields == 0 || (event->fields & FIELD_BIT(change->field));
}

static size_t shown_length(const char *value) {
    return MIN(value ? strlen(value) : 0, (size_t)ALERT_VALUE_MAX);
}

static size_t value_max(const Event *event) {
    size_t all = 0;

    for (unsigned i = 0; i < event->changes->n; i++)
        all += shown_length(event->changes->changes[i].expected) +
               shown_length(event->changes->changes[i].actual);
    return all > ALL_VALUES_MAX ? VALUE_SMALL_MAX : ALERT_VALUE_MAX;
}

int alert_add_value(const Event *event, StrBuf *b, const char *value) {
    char shown[ALERT_VALUE_MAX + 1];
    size_t max = value_max(event), len = strlen(value);
    bool cut;

    (void)strbuf_add(b, text_escaped(shown, max + 1, value));
    /* escaped text is longer, and may be truncated where the value itself would have fitted */
    cut = len > max || (strlen(shown) + 4 > max && text_ends_with(shown, "..."));
    return cut ? strbuf_addf(b, " (%zu bytes in all)", len) : strbuf_error(b);
}

static void add_value_line(const AlertExpansion *x, const char *label, const char *value) {
    (void)strbuf_addf(x->out, "    %-5s ", label); /* two blanks: a line in columns, which is not wrapped */
    if (value[0])
        (void)alert_add_value(x->source->event, x->out, value);
    else
        (void)strbuf_add(x->out, "(not set)");
    (void)strbuf_add(x->out, "\n");
}

void alert_add_changes(const AlertExpansion *x) {
    const Event *event = x->source->event;
    bool is_kept = event->accepted || event->reconfigured || event->kind == EVENT_BASELINE_ACCEPTED;
    bool written = event->restore.result == RESULT_CONFIRMED || event->restore.result == RESULT_FAILED;
    char meaning[CHANGE_MEANING_MAX];

    for (unsigned i = 0; i < event->changes->n; i++) {
        const Change *change = &event->changes->changes[i];
        bool over = !is_kept && (event->fields & ~event->fields_left & FIELD_BIT(change->field));

        if (!alert_shows_change(event, change))
            continue;
        (void)strbuf_addf(x->out, "  %s%s\n", field_to_string(change->field),
                          !over     ? ""
                          : written ? ", restored"
                                    : ", changed back");
        add_value_line(x, event->unmet ? "expected " : "was", change->expected);
        add_value_line(x,
                       event->unmet ? (over ? "found    " : "actual   ")
                       : over       ? "then"
                                    : "now",
                       change->actual);
        if (change_meaning(change, meaning)[0])
            add_value_line(x, event->unmet ? "means    " : "means", meaning);
    }
}

/* ---- the result of a change or deletion ---- */

/* In the order in which they are decided. */
typedef enum RestoreOutcome {
    OUTCOME_ACCEPTED,
    OUTCOME_RECONFIGURED,
    OUTCOME_CONFIRMED,
    OUTCOME_SHARED,
    OUTCOME_PARTLY,
    OUTCOME_PAUSED,
    OUTCOME_PARTLY_FAILED,
    OUTCOME_FAILED,
    OUTCOME_PENDING,
    OUTCOME_UNCONFIRMED,
    OUTCOME_BY_OTHERS,
    OUTCOME_MAINTENANCE,
    OUTCOME_PROVISIONAL,
    OUTCOME_PROTECTED,
    OUTCOME_REFUSED,
    OUTCOME_MODE,
    OUTCOME_UNKNOWN,
    OUTCOME_KIND,
    OUTCOME_LEFT,
    _OUTCOME_MAX,
} RestoreOutcome;

static RestoreOutcome outcome_of(const Event *event) {
    bool gone = event->findings & FINDING_BIT(FINDING_MISSING);
    bool is_deletion = gone || event->kind == EVENT_TRAIL_MISSING ||
                       (event->phase == PHASE_RESOLVED && (event->restore.taken == ACTION_RECREATE ||
                                                           (event->about & FINDING_BIT(FINDING_MISSING))));
    bool is_left = is_deletion ? (event->findings & FINDINGS_DRIFT) != 0 : event->fields_left != 0;
    bool over = is_deletion ? !gone : event->fields && !event->fields_left;

    if (over && (event->accepted || event->reconfigured) && !is_deletion)
        return event->accepted ? OUTCOME_ACCEPTED : OUTCOME_RECONFIGURED;
    if (event->restore.result == RESULT_CONFIRMED && !is_left && !is_deletion && event->fields_others)
        return OUTCOME_SHARED;
    if (event->restore.result == RESULT_CONFIRMED)
        return is_left ? OUTCOME_PARTLY : OUTCOME_CONFIRMED;
    if (over)
        return event->restore.attempts > 0 ? OUTCOME_UNCONFIRMED : OUTCOME_BY_OTHERS;
    if (event->restores_paused)
        return OUTCOME_PAUSED;
    if (event->restore.result == RESULT_FAILED && event->protected)
        return OUTCOME_REFUSED;
    if (event->restore.result == RESULT_FAILED)
        return !is_deletion && (event->fields & ~event->fields_left) ? OUTCOME_PARTLY_FAILED
                                                                     : OUTCOME_FAILED;
    if (event->restore.result == RESULT_PENDING)
        return OUTCOME_PENDING;
    if (event->maintenance)
        return OUTCOME_MAINTENANCE;
    if (event->provisional)
        return OUTCOME_PROVISIONAL;
    if (event->protected)
        return OUTCOME_PROTECTED;
    if (event->mode != MODE_RESTORE)
        return OUTCOME_MODE;
    if (!is_deletion && !(event->fields_left & ~FIELDS_UNWRITABLE))
        return OUTCOME_UNKNOWN;
    return event->may_act ? OUTCOME_LEFT : OUTCOME_KIND;
}

#define ONLY_THE_OWNER                                                                                      \
    "Only the account that owns the organization trail, or CloudTrail's delegated administrator, can "
#define RETRIES           "It retries {retries}."
#define NOT_CONFIRMED_YET "AWS has not confirmed that yet. The next message reports the result."

/* In the order of OutcomePart. */
static const char *const outcome_texts[_OUTCOME_MAX][_OUTCOME_PART_MAX] = {
    [OUTCOME_ACCEPTED] = { " changed, then accepted", " accepted", "", "It was accepted as the baseline.",
                           "Compares the trail with the accepted settings from now on.", "" },
    [OUTCOME_RECONFIGURED] = { " changed, as now configured", " as now configured", "",
                               "The configuration changed, and the trail meets it.",
                               "Nothing: the configuration changed, and the trail meets it.", "" },
    [OUTCOME_CONFIRMED] = { " changed, restored after {took}", " restored", ", created again",
                            "TrailGuard restored the baseline.",
                            "Restored the baseline ({attempts}) and read the settings back: confirmed.",
                            ("Created the trail again with all settings of the baseline, started it "
                             "({attempts}), and read the status back: it logs.") },
    [OUTCOME_SHARED] = { " changed and changed back", " changed back", "",
                         "TrailGuard restored what it may, and another caller the rest.",
                         ("Restored what it may ({attempts}) and read it back: confirmed. Another caller "
                          "restored the rest."),
                         "" },
    [OUTCOME_PARTLY] = { " changed, partly restored", " partly restored", ", created again",
                         "TrailGuard restored what it may.",
                         ("Restored what it may ({attempts}) and read it back: confirmed. Still different: "
                          "{left}."),
                         "Created the trail again and started it ({attempts}). Still different: {left}." },
    [OUTCOME_PAUSED] = { " changed, restores paused", " restores paused", ", restores paused",
                         "TrailGuard has paused restoring it.",
                         ("Restored the baseline {restores} within the hour, and the trail differs again: a "
                          "person or a program keeps changing it. TrailGuard restores this setting again "
                          "when the hour is over. It still restores other settings, and still restarts "
                          "logging at once."),
                         ("Created the trail again {restores} within the hour, and it was deleted again. "
                          "TrailGuard creates it again when the hour is over.") },
    [OUTCOME_PARTLY_FAILED] = { " changed, partly restored", " partly restored", "",
                                "TrailGuard could not restore all of it.",
                                ("Tried to restore the baseline ({attempts}). Some of that "
                                 "failed{because}\nStill different: {left}. " RETRIES),
                                "" },
    [OUTCOME_FAILED] = { " changed, not restored", " not restored", ", not created again",
                         "TrailGuard could not restore it.",
                         "Tried to restore the baseline ({attempts}). That failed{because}\n" RETRIES,
                         "Tried to create the trail again ({attempts}). That failed{because}\n" RETRIES },
    [OUTCOME_PENDING] = { " changed, being restored", " being restored", ", being created again",
                          "TrailGuard is restoring it.", "Began to restore the baseline. " NOT_CONFIRMED_YET,
                          "Began to create the trail again. " NOT_CONFIRMED_YET },
    [OUTCOME_UNCONFIRMED] = { " changed and changed back", " changed back", ", exists again",
                              "It is as before; no restore was confirmed.",
                              ("Tried to restore the baseline ({attempts}); none was confirmed. One of them "
                               "or another caller restored it."),
                              ("Tried to create the trail again ({attempts}); none was confirmed. One of "
                               "them or another caller created it.") },
    [OUTCOME_BY_OTHERS] = { " changed and changed back", " changed back", ", exists again",
                            "Another caller changed it back.", "Nothing: another caller changed it back.",
                            "Nothing: another caller created the trail." },
    [OUTCOME_MAINTENANCE] = { " changed", NULL, "",
                              "TrailGuard leaves it while a maintenance window is open.",
                              ("Nothing: a maintenance window is open. When it ends, TrailGuard reports "
                               "what still differs, and restores it if the mode allows. To make a planned "
                               "change the baseline: trailguard accept {name}"),
                              "Nothing: a maintenance window is open." },
    [OUTCOME_PROVISIONAL] = { " changed", NULL, "",
                              "Nobody has accepted this trail, and TrailGuard leaves "
                              "it as it is.",
                              "Nothing: nobody has accepted this trail, and TrailGuard keeps none of its "
                              "settings.",
                              "Nothing: nobody had accepted this trail, and TrailGuard does not create it "
                              "again." },
    [OUTCOME_PROTECTED] = { " changed", NULL, "", "It is an organization trail of another account.",
                            "Nothing. " ONLY_THE_OWNER "change it.",
                            "Nothing. " ONLY_THE_OWNER "create it." },
    [OUTCOME_REFUSED] = { " changed", NULL, "", "It is an organization trail of another account.",
                          "Tried to restore the baseline ({attempts}); AWS refused. " ONLY_THE_OWNER
                          "change it.",
                          "Tried to create the trail again ({attempts}); AWS refused. " ONLY_THE_OWNER
                          "create it." },
    [OUTCOME_MODE] = { " changed", NULL, "", "TrailGuard leaves it as it is.",
                       "Nothing: it runs in mode \"{mode}\".", "Nothing: it runs in mode \"{mode}\"." },
    [OUTCOME_UNKNOWN] = { " changed", NULL, "", "TrailGuard leaves it as it is.",
                          ("Nothing: AWS added this setting after this version of TrailGuard was made. It "
                           "compares the setting, but cannot restore it. Restore it by hand, or accept it: "
                           "trailguard accept {name}"),
                          "" },
    [OUTCOME_KIND] = { " changed", NULL, "", "TrailGuard leaves it as it is.",
                       "Nothing: restore in trailguard.conf does not name this kind of setting.",
                       ("Nothing: restore in trailguard.conf does not name \"deleted\", or there is no "
                        "baseline.") },
    [OUTCOME_LEFT] = { " changed", NULL, "", "TrailGuard has not restored it yet.",
                       "Nothing yet: another action on this trail comes first.",
                       "Nothing yet: another action on this trail comes first." },
};

const char *alert_outcome(const Event *event, OutcomePart which) {
    RestoreOutcome outcome = outcome_of(event);

    if (which == PART_CHANGE_SHORT && !outcome_texts[outcome][which])
        which = PART_CHANGE;
    return outcome_texts[outcome][which];
}
