/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/contain.h"
#include "daemon/core/hold.h"
#include "daemon/core/statement.h"

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define ACCOUNT "111122223333"
#define USER(n) "arn:aws:iam::" ACCOUNT ":user/" n
#define ROLE(n) "arn:aws:iam::" ACCOUNT ":role/" n
#define MINUTE  (60 * USEC_PER_SEC)
#define BEGIN   (1774000000 * USEC_PER_SEC)

static ContainHistory history;
static uint64_t now_usec;
static unsigned n_calls;

static int setup(void **state _unused_) {
    contain_history_done(&history);
    now_usec = BEGIN;
    n_calls = 0;
    return 0;
}

static char *never[] = { (char *)"arn:aws:iam::*:role/ops/*", (char *)"deploy-*" };
static char *guards[] = { (char *)"arn:aws:iam::*:role/Second",
                          (char *)"arn:aws:sts::" ACCOUNT ":assumed-role/Third/host-b",
                          (char *)"arn:aws:iam::" ACCOUNT ":user/third" };
static const ContainPolicy proposing = {
    .mode = CONTAIN_PROPOSE,
    .after = 3,
    .max_per_day = 2,
    .never = never,
    .n_never = ARRAY_SIZE(never),
    .own = { "arn:aws:sts::" ACCOUNT ":assumed-role/TrailGuard/host-a",
             "arn:aws:iam::" ACCOUNT ":user/base" },
    .guards = guards,
    .n_guards = ARRAY_SIZE(guards),
};

static Actor actor_of(const char *type, const char *arn, const char *issuer) {
    Actor actor = { .event_usec = now_usec };

    (void)text_copy(actor.type, sizeof(actor.type), type);
    (void)text_copy(actor.arn, sizeof(actor.arn), arn);
    (void)text_copy(actor.issuer, sizeof(actor.issuer), issuer);
    (void)text_copy(actor.account, sizeof(actor.account), ACCOUNT);
    (void)text_copy(actor.event_name, sizeof(actor.event_name), "StopLogging");
    (void)snprintf(actor.event_id, sizeof(actor.event_id), "event-%u", ++n_calls);
    return actor;
}

static Actor user(const char *name) {
    char arn[ACTOR_ARN_MAX];

    (void)snprintf(arn, sizeof(arn), "arn:aws:iam::" ACCOUNT ":user/%s", name);
    return actor_of("IAMUser", arn, "");
}

static Containment take(const ContainPolicy *policy, const Actor *actor, const char *incident,
                        bool contested) {
    const ContainDeed deed = { actor, ACCOUNT, incident, true, contested, true };
    Containment contain;

    assert_int_equal(contain_take(policy, &history, &deed, now_usec, &contain), 0);
    return contain;
}

/* What comes of a war that he wages. */
static Containment war(const Actor *actor) {
    return take(&proposing, actor, "incident", true);
}

static void third_tampering_within_an_hour_is_proposed(void **state _unused_) {
    Containment contain;

    for (unsigned i = 0; i < 2; i++, now_usec += 29 * MINUTE) {
        Actor bob = user("staff/bob"), ann = user("ann");

        assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_NOTHING);
        assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_NOTHING); /* the same call */
        if (i == 0)
            assert_int_equal(take(&proposing, &ann, "a", false).verdict, CONTAIN_NOTHING);
    }
    Actor bob = user("staff/bob");

    contain = take(&proposing, &bob, "b", false);
    assert_int_equal(contain.verdict, CONTAIN_PROPOSED);
    assert_int_equal(contain.n_tamperings, 3);
    assert_false(contain.war);
    assert_false(contain.is_role);
    assert_string_equal(contain.arn, USER("staff/bob"));
    assert_string_equal(contain.name, "bob");
    assert_string_equal(contain.account, ACCOUNT);
    /* once for an incident, and again in another */
    bob = user("staff/bob");
    assert_int_equal(take(&proposing, &bob, "b", false).verdict, CONTAIN_NOTHING);
    bob = user("staff/bob");
    assert_int_equal(take(&proposing, &bob, "c", false).verdict, CONTAIN_PROPOSED);
}

static void what_is_an_hour_apart_does_not_count(void **state _unused_) {
    for (unsigned i = 0; i < 20; i++, now_usec += 30 * MINUTE) {
        Actor bob = user("bob");

        assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_NOTHING);
    }
}

/* The history may answer late, and not in order. */
static void calls_count_by_their_own_time(void **state _unused_) {
    static const uint64_t minutes[] = { 200, 10, 150, 100 };
    Actor bob;

    for (size_t i = 0; i < ARRAY_SIZE(minutes); i++) {
        bob = user("bob");
        bob.event_usec = BEGIN - minutes[i] * MINUTE;
        assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_NOTHING);
    }
    bob = user("bob");
    bob.event_usec = BEGIN - 60 * MINUTE;
    assert_int_equal(take(&proposing, &bob, "a", false).verdict,
                     CONTAIN_NOTHING); /* two within an hour of the last */
    bob = user("bob");
    assert_int_equal(take(&proposing, &bob, "a", false).verdict,
                     CONTAIN_NOTHING); /* now and ten minutes ago */
    bob = user("bob");
    assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_PROPOSED);
}

static void a_war_is_enough(void **state _unused_) {
    Actor eve =
            actor_of("AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Admin/eve", ROLE("path/Admin"));
    Containment contain = war(&eve);

    assert_int_equal(contain.verdict, CONTAIN_PROPOSED);
    assert_true(contain.war);
    assert_true(contain.is_role);
    assert_string_equal(contain.arn, ROLE("path/Admin"));
    assert_string_equal(contain.name, "Admin");
    /* what a user opens for himself is his */
    eve = actor_of("FederatedUser", "arn:aws:sts::" ACCOUNT ":federated-user/x", USER("carl"));
    contain = war(&eve);
    assert_int_equal(contain.verdict, CONTAIN_PROPOSED);
    assert_string_equal(contain.arn, USER("carl"));
}

static void what_was_not_proved_or_done_counts_for_nothing(void **state _unused_) {
    ContainPolicy off = proposing;
    Actor bob = user("bob");
    ContainDeed deed = { &bob, ACCOUNT, "a", false, true, true };
    Containment contain;

    assert_int_equal(contain_take(&proposing, &history, &deed, now_usec, &contain), 0);
    assert_int_equal(contain.verdict, CONTAIN_NOTHING);
    bob.event_id[0] = '\0';
    assert_int_equal(war(&bob).verdict, CONTAIN_NOTHING);
    bob = user("bob");
    (void)text_copy(bob.error_code, sizeof(bob.error_code), "AccessDenied");
    assert_int_equal(war(&bob).verdict, CONTAIN_NOTHING);
    bob = user("bob");
    bob.omitted = true;
    assert_int_equal(war(&bob).verdict, CONTAIN_NOTHING);
    bob = user("bob");
    off.mode = CONTAIN_OFF;
    assert_int_equal(take(&off, &bob, "a", true).verdict, CONTAIN_NOTHING);
    assert_int_equal(history.n, 0);
}

/* What an event says about a deed: of the trail's state, the war that it may belong to. */
static void deeds_are_what_the_message_is_about(void **state _unused_) {
    static const struct {
        const char *call;
        Severity severity;
        bool maintenance, provisional, war;
        int64_t late_sec; /* than the war began */
        bool tampers, contested;
    } rows[] = {
        { "StopLogging", SEVERITY_CRITICAL, false, false, false, 0, true, false },
        { "StopLogging", SEVERITY_CRITICAL, false, false, true, 5, true, true },
        { "StopLogging", SEVERITY_CRITICAL, false, false, true, -60, true, true },
        { "StopLogging", SEVERITY_CRITICAL, false, false, true, -61, true, false },
        { "DeleteTrail", SEVERITY_CRITICAL, false, false, true, 5, true, false },
        { "PutEventSelectors", SEVERITY_WARNING, false, false, false, 0, true, false },
        { "StopLogging", SEVERITY_INFO, false, false, false, 0, false, false },
        { "StopLogging", SEVERITY_CRITICAL, true, false, false, 0, false, false },
        { "StopLogging", SEVERITY_CRITICAL, false, true, false, 0, false, false },
        { "CreateTrail", SEVERITY_CRITICAL, false, false, false, 0, false, false },
        { "PutBucketPolicy", SEVERITY_CRITICAL, false, false, false, 0, false, false },
        { "AddTags", SEVERITY_CRITICAL, false, false, false, 0, false, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        TrailState trail = { .contest = { .reported = rows[i].war, .since_usec = BEGIN } };
        Event event = { .severity = rows[i].severity,
                        .maintenance = rows[i].maintenance,
                        .provisional = rows[i].provisional,
                        .actor = { .event_usec =
                                           BEGIN + (uint64_t)(rows[i].late_sec * (int64_t)USEC_PER_SEC) } };
        ContainDeed deed;

        (void)text_copy(event.actor.event_name, sizeof(event.actor.event_name), rows[i].call);
        deed = contain_deed(&trail, &event, ACCOUNT, "a", ACCOUNT, MODE_RESTART);
        assert_int_equal(deed.tampers, rows[i].tampers);
        assert_int_equal(deed.contested, rows[i].contested);
        assert_ptr_equal(deed.actor, &event.actor);
        assert_string_equal(deed.account, ACCOUNT);
        assert_string_equal(deed.incident, "a");
    }
}

static void whom_it_must_not_hit_is_refused_with_the_reason(void **state _unused_) {
    static const struct {
        const char *type, *arn, *issuer, *why;
    } rows[] = {
        { "Root", "arn:aws:iam::" ACCOUNT ":root", "", "root has the rights" },
        { "AWSService", "", "", "an AWS service made the call" },
        { "FederatedUser", "arn:aws:sts::" ACCOUNT ":federated-user/x", "arn:aws:iam::" ACCOUNT ":root",
          "root has" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Admin/x", "", "does not say whose session" },
        { "AWSAccount", "", "", "neither a user nor a role" },
        { "IAMUser", "mallory", "", "neither a user nor a role" },
        { "IAMUser", "arn:aws:sts::" ACCOUNT ":user/x", "", "neither a user nor a role" },
        { "IAMUser", USER(""), "", "a name that IAM does not allow" },
        { "FederatedUser", "arn:aws:sts::" ACCOUNT ":federated-user/x", USER("third"),
          "a guard of this trail" },
        { "IAMUser", "arn:aws:iam::" ACCOUNT ":group/x", "", "neither a user nor a role" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/AWSServiceRoleForConfig/x",
          ROLE("aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"), "service-linked role" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/AWSReservedSSO_Admin_0123456789abcdef/x",
          ROLE("aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"),
          "IAM Identity Center" },
        { "IAMUser", "arn:aws:iam::444455556666:user/bob", "", "another account" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/TrailGuard/other", ROLE("guards/TrailGuard"),
          "a guard of this trail" },
        { "IAMUser", USER("base"), "", "a guard of this trail" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Second/x", ROLE("Second"),
          "a guard of this trail" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Third/x", ROLE("Third"),
          "a guard of this trail" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/TrailGuardBreakGlass/x",
          ROLE("TrailGuardBreakGlass"), "break-glass" },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Alice/x", ROLE("ops/Alice"),
          "contain.never" },
        { "IAMUser", USER("ci/deploy-prod"), "", "contain.never" },
        { "IAMUser", USER("bob;reboot"), "", "a name that IAM does not allow" },
        { "IAMUser", USER("$(id)"), "", "a name that IAM does not allow" },
        { "IAMUser", USER("a'b"), "", "a name that IAM does not allow" },
        { "IAMUser", USER("a-name-of-sixty-five-characters-is-one-more-than-IAM-allows-here-x"), "",
          "a name that IAM does not allow" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Actor actor = actor_of(rows[i].type, rows[i].arn, rows[i].issuer);
        char incident[16];
        Containment contain;

        (void)snprintf(incident, sizeof(incident), "%zu", i);
        contain = take(&proposing, &actor, incident, true);
        assert_int_equal(contain.verdict, CONTAIN_REFUSED);
        if (!strstr(contain.why_not, rows[i].why))
            fail_msg("%s: %s", rows[i].arn, contain.why_not);
    }
    Actor actor = user("bob");

    assert_int_equal(war(&actor).verdict, CONTAIN_PROPOSED);
    actor = user("through-a-service");
    (void)text_copy(actor.invoked_by, sizeof(actor.invoked_by), "cloudformation.amazonaws.com");
    assert_non_null(strstr(war(&actor).why_not, "an AWS service"));
    actor = user("as-root");
    actor.assumed_root = true;
    assert_non_null(strstr(war(&actor).why_not, "root has the rights"));
    /* said once in an incident */
    assert_int_equal(war(&actor).verdict, CONTAIN_NOTHING);
}

static void who_may_be_the_guard_is_refused(void **state _unused_) {
    ContainPolicy unknown = proposing;
    Actor bob = user("bob");

    unknown.own[0] = "";
    assert_non_null(strstr(take(&unknown, &bob, "a", true).why_not, "not known yet"));
    unknown.own[0] = NULL;
    assert_non_null(strstr(take(&unknown, &bob, "b", true).why_not, "not known yet"));
    /* with its own keys alone it is one identity */
    unknown.own[0] = proposing.own[0];
    unknown.own[1] = NULL;
    assert_int_equal(take(&unknown, &bob, "c", true).verdict, CONTAIN_PROPOSED);
}

static void max_per_day_holds_in_each_account(void **state _unused_) {
    Actor one = user("one"), two = user("two"), three = user("three"), four;
    Containment contain;
    ContainDeed other = { &four, "444455556666", "x", true, true, true };

    assert_int_equal(war(&one).verdict, CONTAIN_PROPOSED);
    assert_int_equal(war(&two).verdict, CONTAIN_PROPOSED);
    for (unsigned i = 0; i < 2; i++, now_usec += MINUTE, three = user("three"))
        assert_int_equal(take(&proposing, &three, "incident", false).verdict, CONTAIN_NOTHING);
    assert_non_null(strstr(take(&proposing, &three, "incident", false).why_not, "max_per_day"));
    three = user("three"); /* decoys do not protect who makes war */
    assert_int_equal(take(&proposing, &three, "a war", true).verdict, CONTAIN_PROPOSED);
    one = user("one"); /* who was proposed counts once */
    assert_int_equal(take(&proposing, &one, "another", true).verdict, CONTAIN_PROPOSED);
    four = actor_of("IAMUser", "arn:aws:iam::444455556666:user/four", "");
    assert_int_equal(contain_take(&proposing, &history, &other, now_usec, &contain), 0);
    assert_int_equal(contain.verdict, CONTAIN_PROPOSED);
    now_usec += 25 * 60 * MINUTE; /* and he goes on */
    Actor five = user("five");

    for (unsigned i = 0; i < 2; i++, now_usec += MINUTE, five = user("five"))
        assert_int_equal(take(&proposing, &five, "incident", false).verdict, CONTAIN_NOTHING);
    assert_int_equal(take(&proposing, &five, "incident", false).verdict, CONTAIN_PROPOSED);
}

/* Whoever makes up many identities pushes out those that were of importance longest ago, and none proposed
 * lately. */
static void the_history_has_a_ceiling(void **state _unused_) {
    Actor bob = user("bob");

    assert_int_equal(war(&bob).verdict, CONTAIN_PROPOSED);
    for (unsigned i = 0; i < 3 * CONTAIN_IDENTITIES_MAX; i++) {
        char name[32];
        Actor actor;

        (void)snprintf(name, sizeof(name), "made-up-%u", i);
        actor = user(name);
        actor.event_usec = BEGIN + 10 * MINUTE + i;
        (void)take(&proposing, &actor, "flood", false);
    }
    assert_int_equal(history.n, CONTAIN_IDENTITIES_MAX);
    bob = user("bob");
    assert_int_equal(war(&bob).verdict, CONTAIN_NOTHING);
}

static void expect_commands(const Containment *contain, bool undo, const char *wanted) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);

    assert_int_equal(contain_commands(contain, undo, &b), 0);
    assert_string_equal(strbuf_str(&b), wanted);
}

static void the_commands_are_complete(void **state _unused_) {
    Actor bob = user("staff/bob"),
          role = actor_of("AssumedRole", "arn:aws-cn:sts::" ACCOUNT ":assumed-role/Admin/eve",
                          "arn:aws-cn:iam::" ACCOUNT ":role/path/Admin");
    Containment contain = war(&bob);
    _cleanup_strbuf_ StrBuf reason = STRBUF_INIT(256);

    expect_commands(
            &contain, false,
            "trailguard policy deny --account 111122223333 >TrailGuardContain.json\n"
            "aws iam put-user-policy --user-name=bob --policy-name TrailGuardContain --policy-document "
            "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"DenyIdentityChanges\",\"Effect\":"
            "\"Deny\",\"Action\":[\"iam:*\",\"sts:AssumeRole\"],\"Resource\":\"*\"}]}'\n"
            "aws iam create-policy --policy-name TrailGuardContain-user-bob --policy-document "
            "file://TrailGuardContain.json\n"
            "aws iam attach-user-policy --user-name=bob --policy-arn "
            "arn:aws:iam::111122223333:policy/TrailGuardContain-user-bob\n");
    expect_commands(&contain, true,
                    "aws iam detach-user-policy --user-name=bob --policy-arn "
                    "arn:aws:iam::111122223333:policy/TrailGuardContain-user-bob\n"
                    "aws iam delete-policy --policy-arn "
                    "arn:aws:iam::111122223333:policy/TrailGuardContain-user-bob\n"
                    "aws iam delete-user-policy --user-name=bob --policy-name TrailGuardContain\n");
    assert_int_equal(contain_reason(&contain, &reason), 0);
    assert_string_equal(strbuf_str(&reason), "a war: it stops a trail again after each restart");
    contain = war(&role);
    expect_commands(
            &contain, false,
            "trailguard policy deny --account 111122223333 >TrailGuardContain.json\n"
            "aws iam put-role-policy --role-name=Admin --policy-name TrailGuardContain --policy-document "
            "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"DenyIdentityChanges\",\"Effect\":"
            "\"Deny\",\"Action\":[\"iam:*\",\"sts:AssumeRole\"],\"Resource\":\"*\"},{\"Sid\":"
            "\"AWSRevokeOlderSessions\",\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\","
            "\"Condition\":{\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-03-20T09:46:40Z\"}}}]}'\n"
            "aws iam create-policy --policy-name TrailGuardContain-role-Admin --policy-document "
            "file://TrailGuardContain.json\n"
            "aws iam attach-role-policy --role-name=Admin --policy-arn "
            "arn:aws-cn:iam::111122223333:policy/TrailGuardContain-role-Admin\n");
}

static void patterns_are_iams(void **state _unused_) {
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        { "bob", "bob", true },
        { "bob", "bobby", false },
        { "bob", "Bob", false },
        { "b?b", "bob", true },
        { "b?b", "bb", false },
        { "*", "", true },
        { "*ob", "oboob", true },
        { "a*b*c", "a1b2b3c", true },
        { "a*b*c", "a1b2b3d", false },
        { "a**", "a", true },
        { "", "", true },
        { "", "a", false },
        { "[b]ob", "bob", false },
        { "*/ops/*", "x/ops/y/z", true },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(statement_pattern_fits(rows[i].pattern, rows[i].text), rows[i].matches);
}

/* ---- enforce ---- */

static ContainPolicy enforcing(unsigned after) {
    ContainPolicy policy = proposing;

    policy.mode = CONTAIN_ENFORCE;
    policy.after = after;
    return policy;
}

/* As the engine does it. */
static Containment enforce(const ContainPolicy *policy, const Actor *actor, const char *incident,
                           bool contested) {
    Containment contain = take(policy, actor, incident, contested);

    if (contain.verdict == CONTAIN_ENFORCED)
        assert_int_equal(hold_add(&history, &contain, NULL, 0), 0);
    return contain;
}

static void who_may_be_innocent_is_only_proposed(void **state _unused_) {
    static const struct {
        const char *type, *arn, *issuer, *why;
        bool denied; /* the account is not ours to write to */
    } rows[] = {
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Web/i-0123", ROLE("Web"), "EC2 instance",
          false },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Fn/eve", ROLE("service-role/Fn"),
          "AWS services", false },
        { "IAMUser", USER("mallory"), "", "observe", true },
        { "AssumedRole", "arn:aws:sts::" ACCOUNT ":assumed-role/Admin/eve", ROLE("Admin"), NULL, false },
        { "AssumedRole", "", ROLE("Admin"), NULL, false },
        { "IAMUser", USER("service-role/x"), "", NULL, false },
        { "IAMUser", USER("i-0123"), "", NULL, false },
    };
    const ContainPolicy policy = enforcing(1);

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Actor actor = actor_of(rows[i].type, rows[i].arn, rows[i].issuer);
        const ContainDeed deed = { &actor, ACCOUNT, "incident", true, false, !rows[i].denied };
        Containment contain;

        contain_history_done(&history);
        assert_int_equal(contain_take(&policy, &history, &deed, now_usec, &contain), 0);
        assert_int_equal(contain.verdict, rows[i].why ? CONTAIN_PROPOSED : CONTAIN_ENFORCED);
        if (rows[i].why)
            assert_non_null(strstr(contain.why_not, rows[i].why));
        else
            assert_null(contain.why_not);
    }
}

/* So many are remembered; what is older than all of them is not news. */
static void the_newest_tamperings_are_remembered(void **state _unused_) {
    ContainPolicy many = proposing;
    Actor bob = user("bob");

    many.after = CONTAIN_AFTER_MAX;
    for (unsigned i = 0; i < CONTAIN_AFTER_MAX - 1; i++) {
        now_usec += MINUTE;
        bob = user("bob");
        assert_int_equal(take(&many, &bob, "a", false).verdict, CONTAIN_NOTHING);
    }
    bob = user("bob");
    bob.event_usec = now_usec - 30 * MINUTE; /* found late, and in its place */
    assert_int_equal(take(&many, &bob, "a", false).n_tamperings, CONTAIN_AFTER_MAX);
    bob = user("bob");
    bob.event_usec = now_usec - 40 * MINUTE;
    assert_int_equal(take(&many, &bob, "b", false).n_tamperings, CONTAIN_AFTER_MAX);
    assert_int_equal(history.items[0].tampered_usec[CONTAIN_AFTER_MAX - 1], now_usec - 30 * MINUTE);
}

/* What he did before he was forgiven counts no more, also when it is found only now. */
static void what_was_forgiven_does_not_count(void **state _unused_) {
    Actor bob = user("bob");

    (void)take(&proposing, &bob, "a", false);
    now_usec += MINUTE;
    contain_forgive(&history, USER("bob"), now_usec);
    now_usec += MINUTE;
    bob = user("bob");
    bob.event_usec = BEGIN + 30 * USEC_PER_SEC;
    (void)take(&proposing, &bob, "a", false);
    bob = user("bob");
    assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_NOTHING);
    bob = user("bob");
    assert_int_equal(take(&proposing, &bob, "a", false).verdict, CONTAIN_NOTHING);
    bob = user("bob");
    assert_int_equal(take(&proposing, &bob, "a", false).n_tamperings, 3);
}

static void one_call_of_a_war_is_not_enough_to_hold(void **state _unused_) {
    const ContainPolicy policy = enforcing(3), eager = enforcing(1);
    Actor bob = user("bob"), ann = user("ann");

    assert_non_null(strstr(enforce(&policy, &bob, "a", true).why_not, "one call of this war"));
    bob = user("bob");
    assert_int_equal(enforce(&policy, &bob, "a", true).verdict, CONTAIN_ENFORCED);
    assert_int_equal(enforce(&eager, &ann, "a", true).verdict, CONTAIN_ENFORCED);
}

static void the_last_of_a_day_is_kept_for_a_war(void **state _unused_) {
    const ContainPolicy policy = enforcing(1);
    ContainPolicy single = policy;
    Actor one = user("one"), two = user("two"), three = user("three"), four = user("four");

    assert_int_equal(enforce(&policy, &one, "a", false).verdict, CONTAIN_ENFORCED);
    assert_non_null(strstr(enforce(&policy, &two, "a", false).why_not, "max_per_day"));
    assert_int_equal(enforce(&policy, &three, "a", true).verdict, CONTAIN_ENFORCED);
    assert_int_equal(enforce(&policy, &four, "a", true).verdict, CONTAIN_PROPOSED);
    now_usec += 25 * 60 * MINUTE;
    four = user("four");
    assert_int_equal(enforce(&policy, &four, "b", false).verdict, CONTAIN_ENFORCED);
    contain_history_done(&history);
    single.max_per_day = 1;
    one = user("one");
    assert_int_equal(enforce(&single, &one, "a", false).verdict, CONTAIN_ENFORCED);
}

static void what_was_before_a_release_counts_no_longer(void **state _unused_) {
    const ContainPolicy policy = enforcing(2);
    Actor bob = user("bob");

    (void)enforce(&policy, &bob, "a", false);
    bob = user("bob");
    assert_int_equal(enforce(&policy, &bob, "a", false).verdict, CONTAIN_ENFORCED);
    bob = user("bob");
    assert_int_equal(enforce(&policy, &bob, "b", true).verdict, CONTAIN_NOTHING); /* held */
    contain_forgive(&history, USER("bob"), now_usec);
    hold_drop(&history, &history.holds[0]);
    bob = user("bob"); /* at the time of the release: found only later */
    assert_int_equal(enforce(&policy, &bob, "a", true).verdict, CONTAIN_NOTHING);
    now_usec += MINUTE;
    bob = user("bob");
    assert_int_equal(enforce(&policy, &bob, "a", false).verdict, CONTAIN_NOTHING);
    bob = user("bob");
    assert_int_equal(enforce(&policy, &bob, "a", false).verdict, CONTAIN_ENFORCED);
}

static void a_release_is_of_one_and_a_full_table_holds_no_more(void **state _unused_) {
    const ContainPolicy policy = enforcing(2);
    Actor bob = user("bob"), ann = user("ann");

    (void)enforce(&policy, &bob, "a", false);
    (void)enforce(&policy, &ann, "a", false);
    contain_forgive(&history, USER("bob"), now_usec);
    ann = user("ann");
    assert_int_equal(enforce(&policy, &ann, "a", false).verdict, CONTAIN_ENFORCED);
    for (unsigned i = 1; i < CONTAIN_HOLDS_MAX; i++) {
        Containment other = { .account = "444455556666" };

        (void)snprintf(other.arn, sizeof(other.arn), "arn:aws:iam::444455556666:user/u%u", i);
        assert_int_equal(hold_add(&history, &other, NULL, 0), 0);
    }
    now_usec += MINUTE;
    for (unsigned i = 0; i < 2; i++) {
        Containment contain;

        bob = user("bob");
        contain = enforce(&policy, &bob, "b", false);
        if (i == 1)
            assert_non_null(strstr(contain.why_not, "as the guard keeps"));
    }
}

static void after_which_message_it_is_asked(void **state _unused_) {
    for (EventKind kind = 0; kind < _EVENT_MAX; kind++) {
        bool says_who = kind == EVENT_TRAIL_ATTRIBUTED || kind == EVENT_TRAIL_CONTESTED;

        assert_int_equal(contain_is_asked(&(Event){ .kind = kind, .has_actor = true }), says_who);
        assert_false(contain_is_asked(&(Event){ .kind = kind }));
    }
}

static void where_the_guard_may_write(void **state _unused_) {
    static const struct {
        const char *keys;
        Mode mode;
        bool writable;
    } rows[] = {
        { ACCOUNT, MODE_RESTORE, true },  { ACCOUNT, MODE_RESTART, true },
        { ACCOUNT, MODE_OBSERVE, false }, { "444455556666", MODE_RESTORE, false },
        { "", MODE_RESTORE, false },
    };
    const TrailState trail = { .known = true };
    const Event event = { .kind = EVENT_TRAIL_ATTRIBUTED };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
                contain_deed(&trail, &event, ACCOUNT, "a", rows[i].keys, rows[i].mode).writable,
                rows[i].writable);
}

static void what_the_journal_says(void **state _unused_) {
    static const struct {
        ContainVerdict verdict;
        bool war;
        const char *why_not;
        JournalLine line;
        const char *detail;
    } rows[] = {
        { CONTAIN_PROPOSED, false, NULL, LINE_CONTAIN_PROPOSED,
          "bob, because of 3 tamperings within an hour" },
        { CONTAIN_PROPOSED, true, "it runs", LINE_CONTAIN_PROPOSED,
          "bob, because of a war: it stops a trail again after each restart; not enforced: it runs" },
        { CONTAIN_REFUSED, false, "it is root", LINE_CONTAIN_REFUSED,
          "bob, because of 3 tamperings within an hour; it is root" },
    };
    const Actor actor = { .arn = "bob" };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const Containment contain = { .verdict = rows[i].verdict,
                                      .arn = "bob",
                                      .war = rows[i].war,
                                      .n_tamperings = 3,
                                      .why_not = rows[i].why_not };
        JournalEntry entry;

        contain_entry(&contain, &actor, &entry);
        assert_int_equal(entry.line, rows[i].line);
        assert_string_equal(entry.detail, rows[i].detail);
        assert_string_equal(entry.actor.arn, "bob");
    }
}

/* The longest path goes; without one the end does. */
static void a_long_arn_keeps_its_name(void **state _unused_) {
    char text[2 * ACTOR_TEXT_MAX], shown[ACTOR_TEXT_MAX];

    assert_string_equal(contain_short_arn("arn:user/staff/bob", shown), "arn:user/staff/bob");
    (void)snprintf(text, sizeof(text), "arn:user/%0300d/bob", 0);
    assert_string_equal(contain_short_arn(text, shown), "arn:user/.../bob");
    (void)snprintf(text, sizeof(text), "arn:user/%0300d", 0);
    assert_string_equal(contain_short_arn(text, shown), strndupa(text, ACTOR_TEXT_MAX - 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(third_tampering_within_an_hour_is_proposed, setup),
        cmocka_unit_test_setup(what_is_an_hour_apart_does_not_count, setup),
        cmocka_unit_test_setup(calls_count_by_their_own_time, setup),
        cmocka_unit_test_setup(a_war_is_enough, setup),
        cmocka_unit_test_setup(what_was_not_proved_or_done_counts_for_nothing, setup),
        cmocka_unit_test(deeds_are_what_the_message_is_about),
        cmocka_unit_test_setup(whom_it_must_not_hit_is_refused_with_the_reason, setup),
        cmocka_unit_test_setup(who_may_be_the_guard_is_refused, setup),
        cmocka_unit_test_setup(max_per_day_holds_in_each_account, setup),
        cmocka_unit_test_setup(the_history_has_a_ceiling, setup),
        cmocka_unit_test_setup(the_commands_are_complete, setup),
        cmocka_unit_test(patterns_are_iams),
        cmocka_unit_test_setup(who_may_be_innocent_is_only_proposed, setup),
        cmocka_unit_test_setup(the_newest_tamperings_are_remembered, setup),
        cmocka_unit_test_setup(what_was_forgiven_does_not_count, setup),
        cmocka_unit_test_setup(one_call_of_a_war_is_not_enough_to_hold, setup),
        cmocka_unit_test_setup(the_last_of_a_day_is_kept_for_a_war, setup),
        cmocka_unit_test_setup(what_was_before_a_release_counts_no_longer, setup),
        cmocka_unit_test_setup(a_release_is_of_one_and_a_full_table_holds_no_more, setup),
        cmocka_unit_test(after_which_message_it_is_asked),
        cmocka_unit_test(where_the_guard_may_write),
        cmocka_unit_test(what_the_journal_says),
        cmocka_unit_test(a_long_arn_keeps_its_name),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);

    contain_history_done(&history);
    return r;
}
