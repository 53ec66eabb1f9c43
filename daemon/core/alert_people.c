/* SPDX-License-Identifier: Apache-2.0 */
/* Callers of CloudTrail's records, as a person would name them. The kinds of identities are those of the
 * user guide's "CloudTrail userIdentity element". */
#include <stdio.h>
#include <string.h>

#include "daemon/core/alert_parts.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* Roles that Identity Center makes: AWSReservedSSO_<permission set>_<16 hex digits>. */
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

static void add_account(const AlertExpansion *x, const char *kind, const Actor *actor) {
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

/* "ROLE/SESSION"; the name of a session is chosen by whoever takes the role on. */
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
    { "AWSAccount", "another account, ", add_account },
    { "IdentityCenterUser", "Identity Center user ", add_identity_center },
    { "Role", "role ", add_plain },
    { "SAMLUser", "SAML user ", add_plain },
    { "WebIdentityUser", "web identity user ", add_plain },
    { "Directory", "directory user ", add_plain },
};

/* Who or what stands between the caller and the call. */
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

void alert_add_actor(const AlertExpansion *x) {
    const Actor *actor = &x->source->tell->actor;
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

void alert_add_actor_facts(const AlertExpansion *x) {
    const Actor *actor = &x->source->tell->actor;
    _cleanup_strbuf_ StrBuf who = STRBUF_INIT(ALERT_EXPANDED_MAX);
    AlertExpansion inner = { .source = x->source, .out = &who, .cut = ALERT_SHOWN_MAX };
    char when[TIMETEXT_MAX];

    alert_add_actor(&inner);
    (void)strbuf_addf(x->out, "  %-8s %s\n", "who", strbuf_str(&who)); /* escaped already */
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
    alert_add_fact(x, "key", actor->access_key);
    alert_add_fact(x, "call", actor->event_name);
    alert_add_fact(x, "refused", actor->error_code);
    if (actor->event_usec != 0)
        alert_add_fact(x, "when", alert_human_time(when, actor->event_usec));
    alert_add_fact(x, "event", actor->event_id);
}
