/* SPDX-License-Identifier: Apache-2.0 */
/* What the two shared files say of a profile, and how its credentials are come by. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/profile.h"
#include "lib/util/macros.h"

#define SECRET     "secret/that/must/not/show"
#define ROLE(name) "role_arn = arn:aws:iam::444455556666:role/" name "\n"
#define CHAIN(profile, source) "[" profile "]\n" ROLE("R") "source_profile = " source "\n"
#define KEYS(name) "aws_access_key_id = " name "\naws_secret_access_key = " SECRET "\n"

static ProfileFiles files(const char *credentials, const char *config) {
    return (ProfileFiles){
        .credentials = { "keys", credentials, credentials ? strlen(credentials) : 0 },
        .config = { "config", config, config ? strlen(config) : 0 },
    };
}

/* ---- reading ---- */

static void read_one(const char *credentials, const char *config, const char *name, Profile *ret) {
    ProfileFiles f = files(credentials, config);
    char message[512] = "";

    if (profile_read(&f, name, ret, message, sizeof(message)) < 0)
        fail_msg("%s", message);
}

static const char *value(const Profile *p, ProfileKey key) {
    return p->values[key] ? p->values[key] : "-";
}

static void test_sections(void **state _unused_) {
    static const struct {
        const char *credentials, *config, *name;
        bool found;
        const char *key, *region;
    } cases[] = {
        { NULL, NULL, "default", false, "-", "-" },
        { "", "", "default", false, "-", "-" },
        { "[default]\n", NULL, "default", true, "-", "-" },
        { "[a]\n" KEYS("A"), NULL, "a", true, "A", "-" },
        { NULL, "[profile a]\n" KEYS("A") "region = eu-west-1\n", "a", true, "A", "eu-west-1" },
        { NULL, "[profile  a ]\n" KEYS("A"), "a", true, "A", "-" },
        { NULL, "[profile \"a\"]\n" KEYS("A"), "a", true, "A", "-" },
        { NULL, "[profile 'a b']\n" KEYS("A"), "a b", true, "A", "-" },
        { NULL, "[profile a\\ b] text\n" KEYS("A"), "a b", true, "A", "-" },
        { NULL, "[profile a b]\n" KEYS("A"), "a b", false, "-", "-" },
        { NULL, "[profile \"a]\n" KEYS("A"), "a", false, "-", "-" },
        { NULL, "[ profile a ]\n" KEYS("A"), "a", false, "-", "-" },
        /* The credentials file has names alone, as they stand. */
        { "[profile a]\n" KEYS("A"), NULL, "a", false, "-", "-" },
        { "[ a ]\n" KEYS("A"), NULL, "a", false, "-", "-" },
        { "[\"a\"]\n" KEYS("A"), NULL, "a", false, "-", "-" },
        /* What cannot be read spoils the profile that it stands in alone. */
        { "what\n[b]\nx\n= y\n[a]\n" KEYS("A") "[c]\nk = v\nk = w\n[d\n" KEYS("D"), NULL, "a", true, "A",
          "-" },
        { "[b]\n" KEYS("B") "[b]\n" KEYS("B") "[a]\n" KEYS("A"), NULL, "a", true, "A", "-" },
        { "[a]\nregion = x\n  y\n" KEYS("A"), NULL, "a", true, "A", "x" },
        /* The configuration file spells all but "default" with a word before it. */
        { NULL, "[a]\n" KEYS("A"), "a", false, "-", "-" },
        { NULL, "[default]\nregion = eu-west-1\n", "default", true, "-", "eu-west-1" },
        { NULL, "[default]\nregion = a\n[profile default]\nregion = b\n", "default", true, "-", "b" },
        /* What the credentials file says wins, key by key; the key itself as a whole. */
        { "[a]\nregion = eu-west-1\n", "[profile a]\nregion = eu-west-2\n" KEYS("C"), "a", true, "C",
          "eu-west-1" },
        { "[a]\n" KEYS("A"), "[profile a]\naws_session_token = t\n" KEYS("C"), "a", true, "A", "-" },
        { "[a]\nregion =\n", "[profile a]\nregion = eu-west-2\n", "a", true, "-", "eu-west-2" },
        { "[A]\n" KEYS("A"), NULL, "a", false, "-", "-" },
        { "[b]\n" KEYS("A"), "[services a]\nregion = x\n", "a", false, "-", "-" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Profile p;

        read_one(cases[i].credentials, cases[i].config, cases[i].name, &p);
        if (p.found != cases[i].found || strcmp(value(&p, PROFILE_KEY_ID), cases[i].key) != 0 ||
            strcmp(value(&p, PROFILE_REGION), cases[i].region) != 0 || p.values[PROFILE_KEY_TOKEN])
            fail_msg("case %zu: %s, %s, %s", i, p.found ? "found" : "not found", value(&p, PROFILE_KEY_ID),
                     value(&p, PROFILE_REGION));
        profile_done(&p);
    }
}

static void test_services(void **state _unused_) {
    static const char config[] =
            "[profile a]\nservices = dev\nendpoint_url = https://all.example\n"
            "ca_bundle = /ca.pem\n"
            "[services dev]\ncloudtrail =\n  endpoint_url = https://ct.example\n  x = y\n"
            "s3 =\n  endpoint_url = https://s3.example\n"
            "sns =\n  other = https://no.example\nendpoint_url = https://no.example\n"
            "[services other]\nsts =\n  endpoint_url = https://no.example\n";
    Profile p;

    read_one(NULL, config, "a", &p);
    assert_string_equal(p.service_urls[AWS_CLOUDTRAIL], "https://ct.example");
    assert_null(p.service_urls[AWS_SNS]);
    assert_null(p.service_urls[AWS_STS]);
    assert_string_equal(value(&p, PROFILE_ENDPOINT_URL), "https://all.example");
    assert_string_equal(value(&p, PROFILE_CA_BUNDLE), "/ca.pem");
    profile_done(&p);
    /* The file of keys has no such sections. */
    read_one("[services dev]\ncloudtrail =\n  endpoint_url = x\n", "[profile a]\nservices = dev\n", "a", &p);
    assert_null(p.service_urls[AWS_CLOUDTRAIL]);
    profile_done(&p);
}

static void test_bad_files(void **state _unused_) {
    static const struct {
        const char *credentials, *config, *message;
    } cases[] = {
        { "[a]\n" SECRET "\n", NULL, "keys:2: this line is neither [section] nor key = value" },
        { "[a]\n", "[profile a]\nx\n", "config:2: this line is neither [section] nor key = value" },
        { "[a]\n", "[profile a]\n\n[oops\n", "config:3: this line is neither [section] nor key = value" },
        { "[a]\nregion = x\nregion = y\n", NULL,
          "keys:3: region is in line 2 already, and AWS's tools differ on which one counts" },
        { "[a]\n[b]\n[a]\n", NULL,
          "keys:3: this section is in line 1 already, and AWS's tools differ on which one counts" },
        { NULL, "[profile a]\n[profile 'a']\n",
          "config:2: this section is in line 1 already, and AWS's tools differ on which one counts" },
        { "[a]\naws_access_key_id = A\n  aws_secret_access_key = " SECRET "\n", NULL,
          "keys:3: this line is indented below aws_access_key_id, and AWS's tools differ on whether it goes "
          "on "
          "there; begin it as far left as that" },
    };
    char message[512] = "", *text;
    ProfileFiles f;
    Profile p;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        f = files(cases[i].credentials, cases[i].config);
        assert_int_equal(profile_read(&f, "a", &p, message, sizeof(message)), -EINVAL);
        assert_string_equal(message, cases[i].message);
    }
    text = malloc(PROFILE_VALUE_MAX + 100);
    assert_non_null(text);
    strcpy(text, "[a]\nregion=");
    memset(text + 11, 'x', PROFILE_VALUE_MAX + 1);
    text[11 + PROFILE_VALUE_MAX + 1] = '\0';
    f = files(text, NULL);
    assert_int_equal(profile_read(&f, "a", &p, message, sizeof(message)), -E2BIG);
    assert_string_equal(message, "keys: a value of profile \"a\" is too long");
    text[11 + PROFILE_VALUE_MAX] = '\0';
    f = files(text, NULL);
    assert_int_equal(profile_read(&f, "a", &p, message, sizeof(message)), 0);
    profile_done(&p);
    free(text);
}

/* ---- planning ---- */

/* A plan in one line: base, what it is, then roles in the order of assuming them, "NAME@DURATION". */
static void describe(const ProfilePlan *plan, char *dst, size_t size) {
    static const char *const bases[] = { "keys", "process", "web", "environment", "instance", "container" };
    static const ProfileKey shown[] = { PROFILE_KEY_ID, PROFILE_PROCESS, PROFILE_WEB_TOKEN_FILE };
    size_t n = (size_t)snprintf(dst, size, "%s", bases[plan->base]);

    if (plan->base <= PROFILE_BASE_WEB_IDENTITY)
        n += (size_t)snprintf(dst + n, size - n, "=%s", plan->profile.values[shown[plan->base]]);
    for (size_t i = plan->n_roles; i-- > 0;)
        n += (size_t)snprintf(dst + n, size - n, " %s@%u",
                              strrchr(plan->roles[i].values[PROFILE_ROLE_ARN], '/') + 1,
                              plan->durations_sec[i]);
}

static void test_plans(void **state _unused_) {
    static const struct {
        const char *config, *plan;
    } cases[] = {
        { "[default]\n" KEYS("A"), "keys=A" },
        { "[default]\n" KEYS("A") "credential_process = x\nsso_session = y\n", "process=x" },
        { "[default]\ncredential_process = x y\nsso_session = y\n", "process=x y" },
        { "[default]\n" ROLE("R") "web_identity_token_file = /t\n", "web=/t" },
        { "[default]\n" ROLE("R") "web_identity_token_file = /t\n" KEYS("A"), "web=/t" },
        { "[default]\n" ROLE("R") "credential_source = Environment\nduration_seconds = 43200\n",
          "environment R@43200" },
        /* A session that was opened by a session lasts an hour at most. */
        { "[default]\n" ROLE("R") "credential_source = Ec2InstanceMetadata\nduration_seconds = 43200\n",
          "instance R@3600" },
        { "[default]\n" ROLE("R") "credential_source = EcsContainer\nduration_seconds = 900\n",
          "container R@900" },
        { "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" KEYS("B"), "keys=B R@0" },
        { "[default]\n" ROLE("R") "source_profile = b\n[profile b]\ncredential_process = x\n",
          "process=x R@0" },
        { "[default]\n" ROLE("R") "source_profile = b\nduration_seconds = 7200\n[profile b]\n" ROLE(
                  "S") "web_identity_token_file = /t\n",
          "web=/t R@3600" },
        { "[default]\n" ROLE("R") "source_profile = b\nduration_seconds = 7200\n[profile b]\n" ROLE(
                  "S") "source_profile = c\nduration_seconds = 7200\n[profile c]\n" KEYS("C"),
          "keys=C S@7200 R@3600" },
        { "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" ROLE(
                  "S") "credential_source = Environment\n",
          "environment S@0 R@0" },
        /* Its own source: for its key. */
        { "[default]\n" ROLE("R") "source_profile = default\n" KEYS("A"), "keys=A R@0" },
        /* A source with a key of its own is used with that. */
        { "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" ROLE(
                  "S") "source_profile = nowhere\n" KEYS("B"),
          "keys=B R@0" },
        { "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" ROLE(
                  "S") "web_identity_token_file = /t\n" KEYS("B"),
          "keys=B R@0" },
        { "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" ROLE("S") "source_profile = b\n" KEYS(
                  "B"),
          "keys=B R@0" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ProfileFiles f = files(NULL, cases[i].config);
        char message[512] = "", text[200];
        ProfilePlan plan;

        if (profile_plan(&f, "default", &plan, message, sizeof(message)) < 0)
            fail_msg("case %zu: %s", i, message);
        describe(&plan, text, sizeof(text));
        assert_string_equal(text, cases[i].plan);
        profile_plan_done(&plan);
    }
}

static void test_refusals(void **state _unused_) {
    static const struct {
        int error;
        const char *config, *message;
    } cases[] = {
        { -ENOENT, "", "config: has no profile \"default\"" },
        { -ENODATA, "[default]\nregion = x\n",
          "config: profile \"default\" has no aws_access_key_id and no other source of keys" },
        { -EINVAL, "[default]\naws_access_key_id = A\n",
          "config: profile \"default\" has no aws_secret_access_key" },
        { -EINVAL, "[default]\naws_secret_access_key = " SECRET "\n",
          "config: profile \"default\" has no aws_access_key_id" },
        { -EINVAL, "[default]\nsso_session = x\n", "single sign-on" },
        { -EINVAL, "[default]\nsso_start_url = x\n", "single sign-on" },
        { -EINVAL, "[default]\nweb_identity_token_file = /t\n",
          "has a web_identity_token_file but no role_arn" },
        { -EINVAL, "[default]\n" ROLE("R"),
          "has a role_arn but neither source_profile nor credential_source" },
        { -EINVAL, "[default]\n" ROLE("R") KEYS("A"), "has a role_arn but neither" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = a\ncredential_source = Environment\n",
          "has both" },
        { -EINVAL, "[default]\n" ROLE("R") "credential_source = environment\n",
          "credential_source that is not" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = a\nmfa_serial = m\n", "has mfa_serial" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = gone\n",
          "config: has no profile \"gone\", which is a source_profile" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = b\n[profile b]\nregion = x\n",
          "profile \"b\" has no aws_access_key_id" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = b\n[profile b]\naws_access_key_id = B\n",
          "profile \"b\" has no aws_secret_access_key" },
        /* Circles. */
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = default\n",
          "\"default\" is, in the end, its own" },
        { -EINVAL,
          "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" ROLE("S") "source_profile = default\n",
          "\"default\" is, in the end, its own" },
        { -EINVAL,
          "[default]\n" ROLE("R") "source_profile = b\n" KEYS("A") "[profile b]\n" ROLE(
                  "S") "source_profile = default\n",
          "\"default\" is, in the end, its own" },
        { -EINVAL,
          "[default]\n" ROLE("R") "source_profile = b\n[profile b]\n" ROLE(
                  "S") "source_profile = c\n[profile c]\n" ROLE("T") "source_profile = b\n",
          "\"b\" is, in the end, its own" },
        { -EINVAL,
          CHAIN("default", "1") CHAIN("profile 1", "2") CHAIN("profile 2", "3") CHAIN("profile 3", "4")
                  CHAIN("profile 4", "5") CHAIN("profile 5", "6"),
          "more than 5 roles" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = a\nduration_seconds = 899\n",
          "duration_seconds" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = a\nduration_seconds = 43201\n",
          "duration_seconds" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = a\nduration_seconds = 1h\n",
          "duration_seconds" },
        { -EINVAL, "[default]\n" ROLE("R") "source_profile = a\nduration_seconds = 99999999999999999999\n",
          "duration_seconds" },
        { -EINVAL, "[default]\n" ROLE("R") "web_identity_token_file = /t\nduration_seconds = -1\n",
          "duration_seconds" },
        { -EINVAL, "[default]\nx\n", "config:2: " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ProfileFiles f = files(NULL, cases[i].config);
        char message[512] = "";
        ProfilePlan plan;

        if (profile_plan(&f, "default", &plan, message, sizeof(message)) != cases[i].error ||
            !strstr(message, cases[i].message) || strstr(message, SECRET))
            fail_msg("case %zu: %s", i, message);
    }
}

/* The files that were looked into are named, those that are not there only when none is. */
static void test_names_of_files(void **state _unused_) {
    static const struct {
        const char *credentials, *config, *message;
    } cases[] = {
        { "", "", "keys, config: has no profile \"x\\x1b\"" },
        { "", NULL, "keys: has no profile \"x\\x1b\"" },
        { NULL, "", "config: has no profile \"x\\x1b\"" },
        { NULL, NULL, "keys, config: has no profile \"x\\x1b\"" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ProfileFiles f = files(cases[i].credentials, cases[i].config);
        char message[512] = "";
        ProfilePlan plan;

        assert_int_equal(profile_plan(&f, "x\x1b", &plan, message, sizeof(message)), -ENOENT);
        assert_string_equal(message, cases[i].message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),  cmocka_unit_test(test_services),
        cmocka_unit_test(test_bad_files), cmocka_unit_test(test_plans),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_names_of_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
