/* SPDX-License-Identifier: Apache-2.0 */
/* Callers, from the record as AWS writes it to what people read: every type of the user guide's "CloudTrail
 * userIdentity element", with the examples of that page and of IAM's pages on AssumeRoot and on temporary
 * delegation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/core/attribute_match.h"
#include "lib/cloudtrail.h"
#include "tests/unit/alert_check.h"

#define ROLE_SESSION                                                                                        \
    "'type':'AssumedRole','principalId':'AROAIDPPEZS35WEXAMPLE:MySession',"                                 \
    "'arn':'arn:aws:sts::111122223333:assumed-role/Deploy/MySession','accountId':'111122223333',"
#define ISSUER                                                                                              \
    "'sessionIssuer':{'type':'Role','arn':'arn:aws:iam::111122223333:role/Deploy','userName':'Deploy'}"
#define ROOT                                                                                                \
    "'type':'Root','principalId':'222222222222','arn':'arn:aws:iam::222222222222:root',"                    \
    "'accountId':'222222222222','accessKeyId':'ASIAIOSFODNN7EXAMPLE'"
#define USER_ID "544894e8-80c1-707f-60e3-3ba6510dfac1"
#define BEHALF                                                                                              \
    "'onBehalfOf':{'userId':'" USER_ID "',"                                                                 \
    "'identityStoreArn':'arn:aws:identitystore::111122223333:identitystore/d-9067642ac7'}"

typedef struct Case {
    const char *identity; /* of the record, ' for " */
    const char *username; /* of the answer of LookupEvents; NULL: none */
    const char *shown;    /* "... was stopped by " this */
    const char *facts[3]; /* lines of the mail */
} Case;

static const Case cases[] = {
    { "'type':'IAMUser','principalId':'AIDAJ45Q7YFFAREXAMPLE','arn':'arn:aws:iam::111122223333:user/Alice',"
      "'accountId':'111122223333','accessKeyId':'','userName':'Alice'",
      "Alice",
      "user Alice",
      { "ARN      arn:aws:iam::111122223333:user/Alice" } },
    { ROLE_SESSION "'sessionContext':{" ISSUER "}",
      "MySession",
      "role Deploy (session MySession)",
      { NULL } },
    { ROLE_SESSION "'sessionContext':{" ISSUER ",'sourceIdentity':'Saanvi'}",
      "MySession",
      "role Deploy (session MySession, source identity Saanvi)",
      { "identity Saanvi" } },
    /* identity-enhanced session */
    { ROLE_SESSION "'sessionContext':{" ISSUER "}," BEHALF,
      "MySession",
      "role Deploy (session MySession) on behalf of Identity Center user " USER_ID
      " (identity store d-9067642ac7)",
      { "store    arn:aws:identitystore::111122223333:identitystore/d-9067642ac7" } },
    /* temporary delegation to a product provider */
    { ROLE_SESSION "'sessionContext':{" ISSUER "},'invokedByDelegate':{'accountId':'444455556666'}",
      "MySession",
      "role Deploy (session MySession) by delegated access of account 444455556666",
      { "delegate 444455556666" } },
    { ROLE_SESSION "'sessionContext':{" ISSUER "},'invokedBy':'cloudformation.amazonaws.com'",
      "MySession",
      "role Deploy (session MySession) through cloudformation.amazonaws.com",
      { NULL } },
    /* AWS sends these empty where they do not apply */
    { ROLE_SESSION "'userName':'','sessionContext':{" ISSUER ",'sourceIdentity':'','ec2RoleDelivery':'',"
                   "'assumedRoot':''},'identityProvider':'','credentialId':''",
      "MySession",
      "role Deploy (session MySession)",
      { NULL } },
    /* the call AssumeRoot itself has the mark, and its caller is no root */
    { ROLE_SESSION "'sessionContext':{" ISSUER ",'assumedRoot':'true'}",
      "MySession",
      "role Deploy (session MySession)",
      { NULL } },
    { "'type':'Role','principalId':'AROAIDPPEZS35WEXAMPLE','arn':'arn:aws:iam::111122223333:role/Deploy',"
      "'accountId':'111122223333','userName':'Deploy'",
      NULL,
      "role Deploy",
      { NULL } },
    { ROOT, "root", "root of account 222222222222", { NULL } },
    { ROOT ",'userName':'my-alias'", "my-alias", "root of account 222222222222", { NULL } },
    { ROOT ",'sessionContext':{'attributes':{'mfaAuthenticated':'false'},'assumedRoot':'true'}",
      "root",
      "root of account 222222222222 through AssumeRoot",
      { "ARN      arn:aws:iam::222222222222:root" } },
    { ROOT ",'sessionContext':{'sourceIdentity':'Saanvi','assumedRoot':'true'}",
      "root",
      "root of account 222222222222 through AssumeRoot (source identity Saanvi)",
      { "identity Saanvi" } },
    { "'type':'AssumedRoot','accountId':'222222222222'",
      NULL,
      "root of account 222222222222 through AssumeRoot",
      { NULL } },
    { ROOT ",'sessionContext':{'assumedRoot':'false'}", "root", "root of account 222222222222", { NULL } },
    { "'type':'FederatedUser','principalId':'111122223333:carol',"
      "'arn':'arn:aws:sts::111122223333:federated-user/carol','accountId':'111122223333',"
      "'sessionContext':{'sessionIssuer':{'type':'IAMUser','userName':'broker'}}",
      NULL,
      "federated user carol",
      { NULL } },
    { "'type':'AWSAccount','principalId':'AIDAOTHER','accountId':'444455556666'",
      NULL,
      "another account, 444455556666",
      { NULL } },
    { "'type':'AWSService','invokedBy':'config.amazonaws.com'",
      NULL,
      "service config.amazonaws.com",
      { NULL } },
    { "'type':'AWSService','invokedBy':'kms.amazonaws.com','invokedByDelegate':{'accountId':'444455556666'}",
      NULL,
      "service kms.amazonaws.com by delegated access of account 444455556666",
      { NULL } },
    { "'type':'IdentityCenterUser','accountId':'111122223333'," BEHALF
      ",'credentialId':'90e292de-5eb8-446e-9602-90f7c45044f7'",
      NULL,
      "Identity Center user " USER_ID " (identity store d-9067642ac7)",
      { "store    arn:aws:identitystore::111122223333:identitystore/d-9067642ac7",
        "account  111122223333" } },
    /* LookupEvents names the account where there is no user name */
    { "'type':'IdentityCenterUser','accountId':'111122223333'," BEHALF,
      "111122223333",
      "Identity Center user " USER_ID " (identity store d-9067642ac7)",
      { NULL } },
    { "'type':'IdentityCenterUser','accountId':'111122223333'",
      "111122223333",
      "Identity Center user without a name",
      { NULL } },
    { "'type':'IdentityCenterUser','accountId':'111122223333','userName':'frank'," BEHALF,
      NULL,
      "Identity Center user frank (identity store d-9067642ac7)",
      { NULL } },
    { "'type':'Directory','principalId':'d-1:dora','userName':'dora'",
      NULL,
      "directory user dora",
      { NULL } },
    { "'type':'SAMLUser','principalId':'qualifier:saml','userName':'sam','identityProvider':'qualifier'",
      NULL,
      "SAML user sam",
      { NULL } },
    { "'type':'WebIdentityUser','principalId':'accounts.google.com:app:wendy','userName':'wendy',"
      "'identityProvider':'accounts.google.com'",
      NULL,
      "web identity user wendy",
      { NULL } },
    { "'type':'Unknown','accountId':'111122223333'",
      NULL,
      "an unknown kind of caller, without a name",
      { NULL } },
    { "'type':'Tomorrow','arn':'arn:aws:x::111122223333:new/it'",
      NULL,
      "an unknown kind of caller, arn:aws:x::111122223333:new/it",
      { NULL } },
};

/* What a search would make of a record with that identity. */
static Actor actor_of(const Case *c) {
    char record[2048];
    CloudTrailEvents events;
    json_t *answer;
    Actor actor;
    char *text;

    assert_true(snprintf(record, sizeof(record), "{'eventVersion':'1.11','userIdentity':{%s}}",
                         c->identity) < (int)sizeof(record));
    for (char *s = record; (s = strchr(s, '\'')) != NULL;)
        *s = '"';
    answer = json_pack("{s:[{s:s, s:i, s:s*, s:s}]}", "Events", "EventName", "StopLogging", "EventTime",
                       1800000000, "Username", c->username, "CloudTrailEvent", record);
    text = json_dumps(answer, 0);
    assert_non_null(text);
    assert_int_equal(operation_read(&cloudtrail_lookup_events_operation, text, strlen(text), NULL, &events),
                     0);
    assert_int_equal(events.n, 1);
    if (!events.items[0].whole)
        fail_msg("not read whole: %s", record);
    attribute_actor(&events.items[0], &actor);
    cloudtrail_events_done(&events);
    json_decref(answer);
    free(text);
    return actor;
}

static void every_type_of_identity(void **unused) {
    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Event event = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .has_actor = true,
                           .about = FINDING_BIT(FINDING_STOPPED));
        char expected[512];
        Alert alert;

        event.actor = actor_of(&cases[i]);
        alert = compose(&trail, &event);
        (void)snprintf(expected, sizeof(expected), "was stopped by %s.", cases[i].shown);
        if (!says(alert.text, expected))
            fail_msg("case %zu: no \"%s\" in\n%s", i, expected, alert.text);
        for (size_t k = 0; k < ARRAY_SIZE(cases[i].facts) && cases[i].facts[k]; k++) {
            (void)snprintf(expected, sizeof(expected), "\n  %s\n", cases[i].facts[k]);
            if (!strstr(alert.text, expected))
                fail_msg("case %zu: no line \"%s\" in\n%s", i, cases[i].facts[k], alert.text);
        }
        check_any(&alert);
        alert_done(&alert);
    }
}

/* What programs get. */
static void members_of_the_document(void **unused) {
    static const struct {
        const char *identity, *member, *value; /* NULL: null */
    } rows[] = {
        { ROOT ",'sessionContext':{'assumedRoot':'true'}", "assumed_root", "true" },
        { ROOT, "assumed_root", "false" },
        { ROLE_SESSION BEHALF, "on_behalf_of", USER_ID },
        { ROLE_SESSION BEHALF, "identity_store",
          "arn:aws:identitystore::111122223333:identitystore/d-9067642ac7" },
        { ROLE_SESSION "'invokedByDelegate':{'accountId':'444455556666'}", "delegate", "444455556666" },
        { ROLE_SESSION "'sessionContext':{'sourceIdentity':'Saanvi'}", "source_identity", "Saanvi" },
        { ROOT, "on_behalf_of", NULL },
        { ROOT, "identity_store", NULL },
        { ROOT, "delegate", NULL },
        { ROOT, "source_identity", NULL },
    };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        Event event = EVENT(EVENT_TRAIL_ATTRIBUTED, PHASE_OPENED, SEVERITY_CRITICAL, .has_actor = true);
        const json_t *value;
        const char *text;
        json_t *root;
        Alert alert;

        event.actor = actor_of(&(Case){ .identity = rows[i].identity });
        alert = compose(&trail, &event);
        root = load(alert.document);
        value = json_object_get(json_object_get(root, "actor"), rows[i].member);
        text = json_is_boolean(value) ? (json_is_true(value) ? "true" : "false") : json_string_value(value);
        assert_non_null(value);
        if (text ? !rows[i].value || strcmp(text, rows[i].value) != 0 : rows[i].value != NULL)
            fail_msg("%zu: %s is %s", i, rows[i].member, text ? text : "null");
        json_decref(root);
        alert_done(&alert);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_identity),
        cmocka_unit_test(members_of_the_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
