/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials and where they come from, in virtual time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/call.h"
#include "lib/credentials.h"
#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/util/macros.h"
#include "tests/unit/between.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

#define SECRET  "secret/that/must/not/show"
#define NOW_SEC 1795489800ULL /* where the fake loop's real time starts */
#define MINUTE  (60 * USEC_PER_SEC)

typedef struct Got {
    unsigned n;
    CredentialsStatus status;
    Credentials *credentials; /* a reference */
    char message[4096];
} Got;

typedef struct Fixture {
    FakeLoop *loop;
    FakeHttp *http;
    AwsClient *client;
    CredentialsProvider *source;
    Got got;
    char dir[64];
    char path[128];
} Fixture;

static int set_up(void **state) {
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->loop = fake_loop_new();
    f->http = fake_http_new(f->loop);
    assert_int_equal(aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop),
                                    &(AwsLimits){ USEC_PER_SEC, USEC_PER_SEC, 1 }, NULL, &f->client),
                     0);
    *state = f;
    return 0;
}

static void forget(Got *got) {
    credentials_unref(got->credentials);
    *got = (Got){ 0 };
}

static int tear_down(void **state) {
    Fixture *f = *state;

    credentials_provider_free(f->source);
    aws_client_free(f->client);
    forget(&f->got);
    fake_http_free(f->http);
    fake_loop_free(f->loop);
    if (f->dir[0]) {
        (void)unlink(f->path);
        (void)rmdir(f->dir);
    }
    free(f);
    return 0;
}

static void on_done(CredentialsStatus status, Credentials *credentials, const char *message,
                    void *userdata) {
    Got *got = userdata;

    assert_non_null(message);
    assert_null(strstr(message, SECRET));
    assert_null(strchr(message, '\n'));
    assert_int_equal(credentials != NULL, status == CREDENTIALS_OK);
    assert_int_equal(message[0] == '\0', status == CREDENTIALS_OK);
    credentials_ref(credentials);
    credentials_unref(got->credentials);
    got->credentials = credentials;
    got->status = status;
    got->n++;
    snprintf(got->message, sizeof(got->message), "%s", message);
}

/* Asks, and lets happen what needs no time. */
static void ask(Fixture *f) {
    forget(&f->got);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    assert_int_equal(f->got.n, 0);
    fake_loop_run(f->loop);
}

static void assert_got(const Fixture *f, const char *key, const char *source) {
    assert_int_equal(f->got.n, 1);
    assert_string_equal(f->got.message, "");
    assert_int_equal(f->got.status, CREDENTIALS_OK);
    assert_string_equal(f->got.credentials->access_key_id, key);
    assert_string_equal(f->got.credentials->source, source);
}

static void assert_not_got(const Fixture *f, CredentialsStatus status, const char *part_of_message) {
    assert_int_equal(f->got.n, 1);
    if (!strstr(f->got.message, part_of_message))
        assert_string_equal(f->got.message, part_of_message);
    assert_int_equal(f->got.status, status);
}

/* ---- the value ---- */

static void test_value(void **state) {
    Credentials *c;

    (void)state;
    assert_null(credentials_new("", "s", NULL, 0, "test"));
    assert_null(credentials_new("k", "", NULL, 0, "test"));
    assert_null(credentials_new(NULL, NULL, NULL, 0, "test"));
    assert_null(credentials_unref(NULL));
    assert_null(credentials_ref(NULL));
    c = credentials_new("k", "s", "", 7, "test");
    assert_non_null(c);
    assert_null(c->session_token);
    assert_int_equal(c->expires_usec, 7);
    assert_ptr_equal(credentials_ref(c), c);
    assert_null(credentials_unref(c));
    assert_string_equal(c->secret_access_key, "s");
    assert_null(credentials_unref(c));
}

/* ---- environment ---- */

static void test_environment(void **state) {
    static const struct {
        const char *key, *secret, *token;
        CredentialsStatus status;
        const char *message;
    } cases[] = {
        { "AKID", SECRET, NULL, CREDENTIALS_OK, "" },
        { "AKID", SECRET, "token", CREDENTIALS_OK, "" },
        { "AKID", SECRET, "", CREDENTIALS_OK, "" },
        { NULL, NULL, "token", CREDENTIALS_NONE, "AWS_ACCESS_KEY_ID is not set" },
        { "", "", NULL, CREDENTIALS_NONE, "AWS_ACCESS_KEY_ID is not set" },
        { "AKID", NULL, NULL, CREDENTIALS_FAILED, "AWS_SECRET_ACCESS_KEY is not" },
        { "AKID", "", NULL, CREDENTIALS_FAILED, "AWS_SECRET_ACCESS_KEY is not" },
        { "AKID\r", SECRET, NULL, CREDENTIALS_FAILED,
          "environment: AWS_ACCESS_KEY_ID ends with a blank or holds a line break" },
        { "AKID", SECRET " ", NULL, CREDENTIALS_FAILED, "environment: AWS_SECRET_ACCESS_KEY ends with" },
        { "AKID", SECRET, "to\nken", CREDENTIALS_FAILED, "environment: AWS_SESSION_TOKEN ends with" },
        { "AKID", SECRET, "t\xc3\xa9", CREDENTIALS_FAILED, "environment: AWS_SESSION_TOKEN ends with" },
        /* AWS's tools pass it over. */
        { NULL, SECRET, NULL, CREDENTIALS_NONE, "AWS_ACCESS_KEY_ID is not" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), cases[i].key, cases[i].secret,
                                             cases[i].token, &f->source),
                         0);
        ask(f);
        if (cases[i].status == CREDENTIALS_OK) {
            assert_got(f, "AKID", "environment");
            assert_string_equal(f->got.credentials->secret_access_key, SECRET);
        } else
            assert_not_got(f, cases[i].status, cases[i].message);
        tear_down(state);
    }
}

/* Each that waits is told, in an order of no importance, when the source goes away first. */
static void test_destroyed_while_asked(void **state) {
    Fixture *f = *state;
    Got other = { 0 };

    assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), "AKID", SECRET, NULL, &f->source), 0);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    assert_int_equal(credentials_get(f->source, on_done, &other), 0);
    credentials_provider_free(TAKE_PTR(f->source));
    assert_not_got(f, CREDENTIALS_FAILED, "cancelled");
    assert_int_equal(other.n, 1);
    assert_int_equal(fake_loop_n_timers(f->loop), 0);
}

static void free_source(CredentialsStatus status, Credentials *credentials, const char *message,
                        void *userdata) {
    Fixture *f = userdata;

    if (f->source)
        credentials_provider_free(TAKE_PTR(f->source));
    on_done(status, credentials, message, &f->got);
}

static void test_destroyed_from_inside_done(void **state) {
    Fixture *f = *state;

    assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), "AKID", SECRET, NULL, &f->source), 0);
    assert_int_equal(credentials_get(f->source, free_source, f), 0);
    fake_loop_run(f->loop);
    assert_got(f, "AKID", "environment");
    assert_string_equal(f->got.credentials->secret_access_key, SECRET);
}

/* ---- profile ---- */

static void write_file(Fixture *f, const char *text) {
    FILE *file;

    if (!f->dir[0]) {
        snprintf(f->dir, sizeof(f->dir), "/tmp/test-credentials.XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        snprintf(f->path, sizeof(f->path), "%s/credentials", f->dir);
    }
    file = fopen(f->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void use_profile(Fixture *f, const char *path, const char *profile, bool required) {
    assert_int_equal(credentials_profile_new(f->client,
                                             &(ProfileOptions){ .credentials_file = path,
                                                                .profile = profile,
                                                                .file_required = required,
                                                                .profile_required = true,
                                                                .region = "eu-west-1",
                                                                .session_name = "test" },
                                             &f->source),
                     0);
}

static void test_profile_contents(void **state) {
    static const struct {
        const char *text, *profile;
        CredentialsStatus status;
        const char *expect; /* key or part of the message */
    } cases[] = {
        { "[default]\naws_access_key_id = AKID1\naws_secret_access_key = " SECRET "\n", NULL, CREDENTIALS_OK,
          "AKID1" },
        { "[a]\naws_access_key_id=A\naws_secret_access_key=x\n[b]\naws_access_key_id=B\naws_secret_access_"
          "key=y\n",
          "b", CREDENTIALS_OK, "B" },
        { "[profile ops]\naws_access_key_id=P\naws_secret_access_key=y\n", "ops", CREDENTIALS_FAILED,
          "has no profile \"ops\"" },
        /* Keys of two sections are never mixed. */
        { "[profile a]\naws_access_key_id=P\naws_secret_access_key=x\n[a]\naws_access_key_id=A\n", "a",
          CREDENTIALS_FAILED, "has no aws_secret_access_key" },
        { "[a]\nAWS_Access_Key_Id=A\naws_access_key_id=A2\naws_secret_access_key=x\n", "a",
          CREDENTIALS_FAILED, "credentials:3: aws_access_key_id is in line 2 already" },
        { "[a]\ns3 =\n  aws_access_key_id = nested\naws_secret_access_key=x\n", "a", CREDENTIALS_FAILED,
          "has no aws_access_key_id" },
        { "[a]\naws_access_key_id=A\naws_secret_access_key=\n", "a", CREDENTIALS_FAILED,
          "has no aws_secret_access_key" },
        { "[a]\naws_access_key_id=A\n", "default", CREDENTIALS_FAILED, "has no profile \"default\"" },
        { "", NULL, CREDENTIALS_FAILED, "has no profile" },
        { "[a\naws_access_key_id=A\n", "a", CREDENTIALS_FAILED,
          "has no profile \"a\", and line 1 cannot be read" },
        { "[a]\naws_access_key_id=A\n" SECRET "\n", "a", CREDENTIALS_FAILED, "credentials:3: " },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        write_file(f, cases[i].text);
        use_profile(f, f->path, cases[i].profile, false);
        ask(f);
        if (cases[i].status == CREDENTIALS_OK)
            assert_got(f, cases[i].expect, "profile");
        else {
            assert_not_got(f, cases[i].status, cases[i].expect);
            assert_non_null(strstr(f->got.message, f->path));
        }
        tear_down(state);
    }
}

static void test_profile_token_and_change(void **state) {
    Fixture *f = *state;
    char *text, token[6001];

    /* Longer than some INI readers' line. */
    memset(token, 't', sizeof(token) - 1);
    token[sizeof(token) - 1] = '\0';
    assert_true(asprintf(&text,
                         "[default]\naws_access_key_id=A\naws_secret_access_key=s\naws_session_token=%s\n",
                         token) > 0);
    write_file(f, text);
    free(text);
    use_profile(f, f->path, NULL, true);
    ask(f);
    assert_got(f, "A", "profile");
    assert_string_equal(f->got.credentials->session_token, token);

    write_file(f, "[default]\naws_access_key_id=B\naws_secret_access_key=s\n");
    ask(f);
    assert_got(f, "B", "profile");
    assert_null(f->got.credentials->session_token);
}

static void test_profile_unreadable(void **state) {
    Fixture *f = *state;

    static const struct {
        const char *path;
        bool named, required;
        CredentialsStatus status;
        const char *message;
    } cases[] = {
        { "/nonexistent/keys", true, false, CREDENTIALS_NONE,
          "/nonexistent/keys: No such file or directory" },
        { "/nonexistent/keys", true, true, CREDENTIALS_FAILED,
          "/nonexistent/keys: No such file or directory" },
        { "/dev/null", true, false, CREDENTIALS_NONE, "/dev/null: is not a regular file" },
        { "/dev/null", true, true, CREDENTIALS_FAILED, "/dev/null: is not a regular file" },
        /* A path through a file is a mistake where somebody wrote it down. */
        { "/dev/null/keys", true, false, CREDENTIALS_FAILED, "/dev/null/keys: Not a directory" },
        { "/dev/null/keys", false, false, CREDENTIALS_NONE, "/dev/null/keys: Not a directory" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ProfileOptions options = {
            .credentials_file = cases[i].path,
            .file_named = cases[i].named,
            .file_required = cases[i].required,
            .region = "eu-west-1",
        };

        assert_int_equal(credentials_profile_new(f->client, &options, &f->source), 0);
        ask(f);
        assert_not_got(f, cases[i].status, cases[i].message);
        credentials_provider_free(TAKE_PTR(f->source));
    }
}

/* ---- instance metadata ---- */

#define IMDS_KEYS                                                                                           \
    "{\"Code\":\"Success\",\"Type\":\"AWS-HMAC\",\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"" SECRET   \
    "\",\"Token\":\"tok\",\"Expiration\":\"2026-11-24T09:10:00Z\"}"

static void use_imds(Fixture *f) {
    assert_int_equal(credentials_imds_new(fake_loop_loop(f->loop), fake_http_client(f->http),
                                          "http://127.0.0.1:1338/", &f->source),
                     0);
}

static void assert_request(const Fixture *f, unsigned i, const char *method, const char *path,
                           const char *token) {
    const FakeRequest *r = fake_http_request(f->http, i);
    char url[256];

    snprintf(url, sizeof(url), "http://127.0.0.1:1338%s", path);
    assert_string_equal(r->method, method);
    assert_string_equal(r->url, url);
    assert_true(r->direct);
    assert_int_equal(r->timeout_usec, 2 * USEC_PER_SEC);
    if (token)
        assert_string_equal(fake_request_header(r, "x-aws-ec2-metadata-token"), token);
    else {
        assert_null(fake_request_header(r, "x-aws-ec2-metadata-token"));
        assert_string_equal(fake_request_header(r, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
    }
}

#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"
#define ROLE_PATH  ROLES_PATH "guard-role"

static void test_imds_happy_path_and_token_reuse(void **state) {
    Fixture *f = *state;

    use_imds(f);
    fake_http_reply(f->http, 200, "TOKEN-1\n", "X-aws-ec2-metadata-token-ttl-seconds", "600", NULL);
    fake_http_reply(f->http, 200, "guard-role\n", NULL);
    fake_http_reply(f->http, 200, IMDS_KEYS, NULL);
    ask(f);
    assert_got(f, "ASIA1", "imds");
    assert_string_equal(f->got.credentials->session_token, "tok");
    assert_true(f->got.credentials->expires_usec == (NOW_SEC + 6 * 3600) * USEC_PER_SEC);
    assert_request(f, 0, "PUT", TOKEN_PATH, NULL);
    assert_request(f, 1, "GET", ROLES_PATH, "TOKEN-1");
    assert_request(f, 2, "GET", ROLE_PATH, "TOKEN-1");

    /* While the token lasts it is used again; a minute before its end it is not. */
    fake_http_reply(f->http, 200, "guard-role", NULL);
    fake_http_reply(f->http, 200, IMDS_KEYS, NULL);
    fake_loop_advance(f->loop, 539 * USEC_PER_SEC);
    ask(f);
    assert_got(f, "ASIA1", "imds");
    assert_request(f, 3, "GET", ROLES_PATH, "TOKEN-1");
    fake_http_reply(f->http, 200, "TOKEN-2", NULL);
    fake_http_reply(f->http, 200, "guard-role", NULL);
    fake_http_reply(f->http, 200, IMDS_KEYS, NULL);
    fake_loop_advance(f->loop, 1 * USEC_PER_SEC);
    ask(f);
    assert_got(f, "ASIA1", "imds");
    assert_request(f, 5, "PUT", TOKEN_PATH, NULL);
    assert_request(f, 7, "GET", ROLE_PATH, "TOKEN-2");
}

static void test_imds_rejected_token(void **state) {
    Fixture *f = *state;

    use_imds(f);
    fake_http_reply(f->http, 200, "TOKEN-1", NULL);
    fake_http_reply(f->http, 200, "guard-role", NULL);
    fake_http_reply(f->http, 401, "", NULL);
    fake_http_reply(f->http, 200, "TOKEN-2", NULL);
    fake_http_reply(f->http, 200, IMDS_KEYS, NULL);
    ask(f);
    assert_got(f, "ASIA1", "imds");
    assert_request(f, 3, "PUT", TOKEN_PATH, NULL);
    assert_request(f, 4, "GET", ROLE_PATH, "TOKEN-2");

    /* Once only. */
    fake_http_reply(f->http, 401, "", NULL);
    fake_http_reply(f->http, 200, "TOKEN-3", NULL);
    fake_http_reply(f->http, 401, "", NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "HTTP 401");
    assert_int_equal(fake_http_n_requests(f->http), 8);
}

static void test_imds_not_here(void **state) {
    static const struct {
        HttpResult result;
        int status;
        const char *message;
    } cases[] = {
        { HTTP_TIMED_OUT, 0, "hop limit" },        { HTTP_CONNECT_FAILED, 0, "not an EC2 instance" },
        { HTTP_BROKEN, 0, "not an EC2 instance" }, { HTTP_ANSWERED, 403, "HTTP 403" },
        { HTTP_ANSWERED, 404, "HTTP 404" },        { HTTP_ANSWERED, 405, "HTTP 405" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool silent = cases[i].result != HTTP_ANSWERED;
        Fixture *f;

        set_up(state);
        f = *state;
        use_imds(f);
        for (unsigned n = 0; n < (silent ? 3 : 1); n++)
            if (silent)
                fake_http_fail(f->http, cases[i].result, "127.0.0.1:1338: no");
            else
                fake_http_reply(f->http, cases[i].status, "", NULL);
        ask(f);
        fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
        assert_not_got(f, CREDENTIALS_NONE, cases[i].message);
        assert_non_null(strstr(f->got.message, "http://127.0.0.1:1338"));
        assert_int_equal(fake_http_n_requests(f->http), silent ? 3 : 1);
        tear_down(state);
    }
}

static void test_imds_without_profile(void **state) {
    Fixture *f = *state;

    use_imds(f);
    fake_http_reply(f->http, 200, "TOKEN-1", NULL);
    fake_http_reply(f->http, 404, "<html/>", NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_NONE, "no instance profile is attached");
}

static void test_imds_in_another_coding(void **state) {
    static const struct {
        unsigned n_good; /* answers before it */
        const char *message;
    } cases[] = {
        { 0, "the session token cannot be read: it comes with Content-Encoding gzip, which was not" },
        { 1, "the role's name cannot be read: it comes with Content-Encoding gzip, which was not" },
        { 2, "role guard-role: it comes with Content-Encoding gzip, which was not requested" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        use_imds(f);
        for (unsigned n = 0; n < cases[i].n_good; n++)
            fake_http_reply(f->http, 200, n == 0 ? "TOKEN-1" : "guard-role", NULL);
        fake_http_reply(f->http, 200, "\x1f\x8b\x08", "Content-Encoding", "gzip", NULL);
        ask(f);
        assert_not_got(f, CREDENTIALS_FAILED, cases[i].message);
        tear_down(state);
    }
}

/* Past the token, whatever does not work is a failure and not an absence. */
static void test_imds_failures(void **state) {
    static const struct {
        int role_status;
        const char *role;
        int keys_status;
        const char *keys, *message;
    } cases[] = {
        { 400, "", 0, NULL, "HTTP 400" },
        { 200, "", 0, NULL, "role's name" },
        { 200, "a/../b", 0, NULL, "role's name" },
        { 200, "a role", 0, NULL, "role's name" },
        { 200, "..", 0, NULL, "role's name" },
        { 200, "guard-role", 404, "", "HTTP 404" },
        { 200, "guard-role", 200, "not JSON", "not a JSON object" },
        { 200, "guard-role", 200, "[1]", "not a JSON object" },
        { 200, "guard-role", 200, "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"" SECRET "\"}",
          "AssumeRoleUnauthorizedAccess" },
        { 200, "guard-role", 200, "{\"Code\":\"Success\"}", "holds no keys" },
        { 200, "guard-role", 200, "{\"AccessKeyId\":7,\"SecretAccessKey\":\"" SECRET "\"}",
          "where a text should be" },
        { 200, "guard-role", 200,
          "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET "\",\"Expiration\":\"soon\"}",
          "Expiration" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Fixture *f;

        set_up(state);
        f = *state;
        use_imds(f);
        fake_http_reply(f->http, 200, "TOKEN-1", NULL);
        fake_http_reply(f->http, cases[i].role_status, cases[i].role, NULL);
        if (cases[i].keys)
            fake_http_reply(f->http, cases[i].keys_status, cases[i].keys, NULL);
        ask(f);
        assert_not_got(f, CREDENTIALS_FAILED, cases[i].message);
        assert_int_equal(fake_http_n_left(f->http), 0);
        tear_down(state);
    }
}

static void test_imds_tries_three_times(void **state) {
    Fixture *f = *state;

    use_imds(f);
    fake_http_fail(f->http, HTTP_TIMED_OUT, "x");
    fake_http_reply(f->http, 500, "", NULL);
    fake_http_reply(f->http, 200, "TOKEN-1", NULL);
    fake_http_reply(f->http, 503, "", NULL);
    fake_http_reply(f->http, 200, "guard-role", NULL);
    fake_http_reply(f->http, 200, IMDS_KEYS, NULL);
    ask(f);
    fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
    assert_got(f, "ASIA1", "imds");

    for (unsigned i = 0; i < 3; i++)
        fake_http_reply(f->http, 500, "", NULL);
    ask(f);
    fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
    assert_not_got(f, CREDENTIALS_FAILED, "HTTP 500");
    assert_int_equal(fake_http_n_left(f->http), 0);
}

static void test_imds_refused_submit(void **state) {
    Fixture *f = *state;

    use_imds(f);
    fake_http_refuse(f->http, -ENOMEM);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "Cannot allocate memory");
}

static void test_imds_destroyed(void **state) {
    Fixture *f = *state;

    /* Before its first request, while one is under way, and in a pause. */
    for (unsigned i = 0; i < 3; i++) {
        use_imds(f);
        forget(&f->got);
        assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
        if (i > 0)
            fake_loop_run(f->loop);
        if (i > 1) {
            fake_http_fail(f->http, HTTP_BROKEN, "x");
            fake_loop_run(f->loop);
        }
        credentials_provider_free(TAKE_PTR(f->source));
        assert_not_got(f, CREDENTIALS_FAILED, "cancelled");
        assert_int_equal(fake_http_n_running(f->http), 0);
        assert_int_equal(fake_loop_n_timers(f->loop), 0);
    }
}

static void test_imds_readers(void **state) {
    char role[IMDS_ROLE_MAX], token[IMDS_TOKEN_MAX], big[1024];

    (void)state;
    memset(big, 'a', sizeof(big));
    assert_true(imds_read_role("a+=,.@_-B9\r\nsecond\n", 18, role));
    assert_string_equal(role, "a+=,.@_-B9");
    assert_false(imds_read_role(big, IMDS_ROLE_MAX, role));
    assert_true(imds_read_role(big, IMDS_ROLE_MAX - 1, role));
    assert_false(imds_read_role("a\0b", 3, role));
    assert_false(imds_read_role("", 0, role));
    assert_true(imds_read_token("AQAE==\n", 7, token));
    assert_string_equal(token, "AQAE==");
    assert_false(imds_read_token("a b", 3, token));
    assert_false(imds_read_token("a\r\nx: y", 7, token));
    assert_false(imds_read_token("a\xff", 2, token));
    assert_false(imds_read_token(big, IMDS_TOKEN_MAX, token));
    assert_false(imds_read_token("\n", 1, token));
}

/* ---- a source that does as it is told ---- */

typedef struct ToldProvider {
    CredentialsProvider source;
    Loop *loop;
    CredentialsDone done;
    void *userdata;
    LoopTimer *timer;
    bool slow; /* answers only by told_answer */
    CredentialsStatus status;
    const char *key, *message;
    uint64_t lifetime_usec; /* 0: never ends */
    int64_t already_expired_usec;
    unsigned n_gets;
    bool *destroyed;
} ToldProvider;

static void told_answer(void *userdata) {
    ToldProvider *t = userdata;
    CredentialsDone done = t->done;
    Credentials *c = NULL;
    uint64_t expires = 0;

    t->done = NULL;
    if (t->lifetime_usec)
        expires = loop_realtime_usec(t->loop) + t->lifetime_usec;
    if (t->already_expired_usec)
        expires = loop_realtime_usec(t->loop) - (uint64_t)t->already_expired_usec;
    if (t->status == CREDENTIALS_OK)
        c = credentials_new(t->key, SECRET, NULL, expires, "fake");
    done(t->status, c, t->status == CREDENTIALS_OK ? "" : t->message, t->userdata);
    credentials_unref(c);
}

static int told_get(CredentialsProvider *source, CredentialsDone done, void *userdata) {
    ToldProvider *t = CONTAINER_OF(source, ToldProvider, source);

    assert_null(t->done);
    if (!t->slow && loop_after(t->loop, 0, told_answer, t, &t->timer) < 0)
        return -ENOMEM;
    t->n_gets++;
    t->done = done;
    t->userdata = userdata;
    return 0;
}

static void told_destroy(CredentialsProvider *source) {
    ToldProvider *t = CONTAINER_OF(source, ToldProvider, source);

    loop_cancel(t->loop, t->timer);
    if (t->destroyed)
        *t->destroyed = true;
    if (t->done)
        t->done(CREDENTIALS_FAILED, NULL, "cancelled", t->userdata);
    free(t);
}

static ToldProvider *told_new(Fixture *f, CredentialsStatus status, const char *key_or_message) {
    static const CredentialsProviderOps ops = { .get = told_get, .destroy = told_destroy };
    ToldProvider *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    *t = (ToldProvider){
        .source.ops = &ops,
        .loop = fake_loop_loop(f->loop),
        .status = status,
        .key = key_or_message,
        .message = key_or_message,
    };
    return t;
}

/* ---- chain ---- */

static void test_chain_takes_the_first_that_has_some(void **state) {
    static const struct {
        CredentialsStatus status[3];
        CredentialsStatus expect;
        const char *what;
        unsigned n_asked;
    } cases[] = {
        { { CREDENTIALS_OK, CREDENTIALS_OK, CREDENTIALS_OK }, CREDENTIALS_OK, "one", 1 },
        { { CREDENTIALS_NONE, CREDENTIALS_OK, CREDENTIALS_OK }, CREDENTIALS_OK, "two", 2 },
        { { CREDENTIALS_NONE, CREDENTIALS_NONE, CREDENTIALS_OK }, CREDENTIALS_OK, "three", 3 },
        /* What is configured and broken is never passed over in silence. */
        { { CREDENTIALS_NONE, CREDENTIALS_FAILED, CREDENTIALS_OK }, CREDENTIALS_FAILED, "two", 2 },
        { { CREDENTIALS_NONE, CREDENTIALS_NONE, CREDENTIALS_NONE },
          CREDENTIALS_NONE,
          "no credentials: one; two; three",
          3 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static const char *const words[] = { "one", "two", "three" };
        CredentialsProvider *members[3];
        ToldProvider *reported[3];
        unsigned n_asked = 0;
        Fixture *f;

        set_up(state);
        f = *state;
        for (unsigned n = 0; n < 3; n++) {
            reported[n] = told_new(f, cases[i].status[n], words[n]);
            members[n] = &reported[n]->source;
        }
        assert_int_equal(credentials_chain_new(members, 3, &f->source), 0);
        ask(f);
        if (cases[i].expect == CREDENTIALS_OK)
            assert_got(f, cases[i].what, "fake");
        else {
            assert_not_got(f, cases[i].expect, cases[i].what);
            assert_string_equal(f->got.message, cases[i].what);
        }
        for (unsigned n = 0; n < 3; n++)
            n_asked += reported[n]->n_gets;
        assert_int_equal(n_asked, cases[i].n_asked);
        tear_down(state);
    }
}

static void test_chain_destroyed_while_asking(void **state) {
    Fixture *f = *state;
    ToldProvider *slow = told_new(f, CREDENTIALS_OK, "k");
    CredentialsProvider *members[] = { &told_new(f, CREDENTIALS_NONE, "none")->source, &slow->source };

    slow->slow = true;
    assert_int_equal(credentials_chain_new(members, 2, &f->source), 0);
    ask(f);
    assert_int_equal(f->got.n, 0);
    credentials_provider_free(TAKE_PTR(f->source));
    assert_not_got(f, CREDENTIALS_FAILED, "cancelled");
}

static void test_chain_without_members_and_memory(void **state) {
    Fixture *f = *state;
    CredentialsProvider *members[] = { &told_new(f, CREDENTIALS_NONE, "none")->source,
                                       &told_new(f, CREDENTIALS_OK, "k")->source };

    assert_int_equal(credentials_chain_new(NULL, 0, &f->source), -EINVAL);
    assert_int_equal(credentials_chain_new(members, 2, &f->source), 0);
    fake_loop_fail_after(f->loop, 0);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), -ENOMEM);
    fake_loop_fail_after(f->loop, 1);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "out of memory");
}

/* ---- cache ---- */

static ToldProvider *use_cache(Fixture *f, CredentialsStatus status, const char *key_or_message) {
    ToldProvider *t = told_new(f, status, key_or_message);

    assert_int_equal(credentials_cache_new(fake_loop_loop(f->loop), &t->source, &f->source), 0);
    return t;
}

static void test_cache_asks_once_for_all(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    t->slow = true;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    fake_loop_run(f->loop);
    assert_int_equal(t->n_gets, 1);
    assert_int_equal(f->got.n, 0);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    fake_loop_run(f->loop);
    assert_int_equal(t->n_gets, 1);
    told_answer(t);
    fake_loop_run(f->loop);
    assert_int_equal(f->got.n, 200);
    assert_int_equal(f->got.status, CREDENTIALS_OK);

    /* Keys without an end are kept for good. */
    fake_loop_advance(f->loop, 100000 * USEC_PER_SEC);
    ask(f);
    assert_got(f, "K1", "fake");
    assert_int_equal(t->n_gets, 1);
}

static void count_change(void *userdata) {
    unsigned *n = userdata;

    (*n)++;
}

static void test_cache_says_when_another_key_comes(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");
    unsigned n = 0;

    credentials_cache_watch(f->source, count_change, &n);
    ask(f);
    credentials_cache_invalidate(f->source, NULL);
    ask(f); /* the same again */
    assert_int_equal(t->n_gets, 2);
    assert_int_equal(n, 0);
    t->key = "K2";
    credentials_cache_invalidate(f->source, NULL);
    ask(f);
    assert_got(f, "K2", "fake");
    assert_int_equal(n, 1);
    credentials_cache_watch(&t->source, count_change, &n); /* no cache: nothing happens */
}

static void test_cache_refreshes_ahead(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    t->lifetime_usec = 60 * MINUTE;
    ask(f);
    assert_got(f, "K1", "fake");
    /* A quarter of an hour before the end, with a jitter of 0. */
    fake_loop_advance(f->loop, 45 * MINUTE - 1);
    ask(f);
    assert_int_equal(t->n_gets, 1);
    t->slow = true;
    t->key = "K2";
    fake_loop_advance(f->loop, 1);
    ask(f);
    assert_int_equal(t->n_gets, 2);
    assert_got(f, "K1", "fake"); /* nobody waits for the refresh */
    ask(f);
    assert_int_equal(t->n_gets, 2);
    assert_got(f, "K1", "fake");
    told_answer(t);
    ask(f);
    assert_got(f, "K2", "fake");
    assert_int_equal(t->n_gets, 2);
}

static void test_cache_spreads_refreshes(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    fake_loop_set_random(f->loop, UINT64_MAX);
    t->lifetime_usec = 12 * MINUTE; /* 5 minutes ahead at the earliest, 2.5 at the latest */
    ask(f);
    fake_loop_advance(f->loop, 9 * MINUTE + 29 * USEC_PER_SEC);
    ask(f);
    assert_int_equal(t->n_gets, 1);
    fake_loop_advance(f->loop, 1 * USEC_PER_SEC);
    ask(f);
    assert_int_equal(t->n_gets, 2);
}

static void test_cache_keeps_the_old_while_refresh_fails(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");
    unsigned before;

    t->lifetime_usec = 60 * MINUTE;
    ask(f);
    t->status = CREDENTIALS_FAILED;
    t->message = "no answer";
    fake_loop_advance(f->loop, 50 * MINUTE);
    ask(f);
    assert_got(f, "K1", "fake");
    assert_int_equal(t->n_gets, 2);
    ask(f);
    fake_loop_advance(f->loop, USEC_PER_SEC - 1);
    ask(f);
    assert_int_equal(t->n_gets, 2); /* backing off, a second at least */
    for (before = t->n_gets; t->n_gets == before;) {
        fake_loop_advance(f->loop, USEC_PER_SEC);
        ask(f);
        assert_got(f, "K1", "fake");
    }
    fake_loop_advance(f->loop, 10 * MINUTE - 21 * USEC_PER_SEC);
    ask(f);
    assert_got(f, "K1", "fake");

    /* At their end the failure is told, and once it is over the new ones. */
    fake_loop_advance(f->loop, 20 * USEC_PER_SEC);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "no answer");
    t->status = CREDENTIALS_OK;
    t->key = "K2";
    fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
    ask(f);
    assert_got(f, "K2", "fake");
}

static void test_cache_backs_off(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_NONE, "nothing here");
    uint64_t start, longest = 0;

    fake_loop_set_random(f->loop, UINT64_MAX);
    for (unsigned i = 1; i <= 12; i++) {
        ask(f);
        assert_not_got(f, CREDENTIALS_NONE, "nothing here");
        assert_int_equal(t->n_gets, i);
        ask(f); /* at once, and without asking */
        assert_not_got(f, CREDENTIALS_NONE, "nothing here");
        assert_int_equal(t->n_gets, i);
        start = loop_monotonic_usec(fake_loop_loop(f->loop));
        do
            fake_loop_advance(f->loop, USEC_PER_SEC / 2);
        while (ask(f), t->n_gets == i);
        longest = loop_monotonic_usec(fake_loop_loop(f->loop)) - start;
        assert_between(longest, USEC_PER_SEC, 60 * USEC_PER_SEC);
        if (i == 1)
            assert_between(longest, 2 * USEC_PER_SEC, 2 * USEC_PER_SEC);
        /* The do loop asked once more: wait it out. */
        fake_loop_advance(f->loop, 60 * USEC_PER_SEC);
        t->n_gets = i;
    }
    assert_int_equal(longest, 60 * USEC_PER_SEC);
}

static void test_cache_invalidate(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");
    Credentials *old;

    ask(f);
    old = credentials_ref(f->got.credentials);
    t->key = "K2";
    credentials_cache_invalidate(f->source, old);
    ask(f);
    assert_got(f, "K2", "fake");
    assert_int_equal(t->n_gets, 2);

    /* A second caller that failed with the old set does no harm. */
    credentials_cache_invalidate(f->source, old);
    ask(f);
    assert_got(f, "K2", "fake");
    assert_int_equal(t->n_gets, 2);
    credentials_unref(old);

    t->key = "K3";
    credentials_cache_invalidate(f->source, NULL);
    ask(f);
    assert_got(f, "K3", "fake");
    assert_int_equal(t->n_gets, 3);

    /* Not a cache: nothing happens. */
    credentials_cache_invalidate(&t->source, NULL);
}

static void test_cache_suspect(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");
    Credentials *old;

    ask(f);
    old = credentials_ref(f->got.credentials);

    /* The same again is the answer too, and is not doubted again at once. */
    for (unsigned i = 0; i < 3; i++) {
        credentials_cache_suspect(f->source, i == 0 ? old : f->got.credentials);
        ask(f);
        assert_got(f, "K1", "fake");
        assert_int_equal(t->n_gets, 2);
    }

    /* Who asks is made to wait, and gets the new one; the old one is nobody's business any more. */
    fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
    t->slow = true;
    t->key = "K2";
    credentials_cache_suspect(f->source, f->got.credentials);
    ask(f);
    assert_int_equal(t->n_gets, 3);
    assert_int_equal(f->got.n, 0);
    told_answer(t);
    fake_loop_run(f->loop);
    assert_got(f, "K2", "fake");
    fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
    credentials_cache_suspect(f->source, old);
    ask(f);
    assert_got(f, "K2", "fake");
    assert_int_equal(t->n_gets, 3);
    credentials_unref(old);

    /* Not a cache: nothing happens. */
    credentials_cache_suspect(&t->source, NULL);
}

/* A region that is not enabled calls good keys unknown: they stay while there are no others. */
static void test_cache_suspect_without_others(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    ask(f);
    t->status = CREDENTIALS_FAILED;
    t->message = "no answer";
    for (unsigned i = 2; i < 5; i++) {
        fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
        credentials_cache_suspect(f->source, f->got.credentials);
        ask(f);
        assert_got(f, "K1", "fake");
        assert_int_equal(t->n_gets, i);
        ask(f);
        assert_got(f, "K1", "fake");
        assert_int_equal(t->n_gets, i);
    }

    /* Nor does a doubt while it backs off make anybody wait. */
    fake_loop_set_random(f->loop, UINT64_MAX);
    for (unsigned i = 0; i < 20; i++) {
        fake_loop_advance(f->loop, 10 * USEC_PER_SEC);
        credentials_cache_suspect(f->source, f->got.credentials);
        ask(f);
        assert_got(f, "K1", "fake");
    }
}

static void test_cache_reload_forgets_failure(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_FAILED, "bad file");

    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "bad file");
    t->status = CREDENTIALS_OK;
    t->key = "K1";
    credentials_cache_invalidate(f->source, NULL);
    ask(f);
    assert_got(f, "K1", "fake");
}

/* What was asked for before a reload is not what the new configuration means. */
static void test_cache_reload_while_asking(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "OLD");

    t->slow = true;
    ask(f);
    credentials_cache_invalidate(f->source, NULL);
    told_answer(t);
    assert_int_equal(f->got.n, 0);
    assert_int_equal(t->n_gets, 2);
    t->key = "NEW";
    told_answer(t);
    assert_got(f, "NEW", "fake");
}

/* Instance metadata may hand out a set that has ended, while AWS cannot renew it: it is used, and asked for
 * again. */
static void test_cache_uses_expired_on_arrival(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "STALE");

    t->already_expired_usec = 3600 * (int64_t)USEC_PER_SEC;
    ask(f);
    assert_got(f, "STALE", "fake");
    ask(f);
    assert_got(f, "STALE", "fake");
    assert_int_equal(t->n_gets, 1);
    t->already_expired_usec = 0;
    t->key = "FRESH";
    fake_loop_advance(f->loop, 3 * MINUTE);
    ask(f);
    assert_int_equal(t->n_gets, 2);
    ask(f);
    assert_got(f, "FRESH", "fake");
}

/* Instances that cannot be given new keys do not ask for them all at once. */
static void test_cache_spreads_questions_for_expired(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "STALE");

    fake_loop_set_random(f->loop, UINT64_MAX);
    t->already_expired_usec = 3600 * (int64_t)USEC_PER_SEC;
    ask(f);
    fake_loop_advance(f->loop, 10 * MINUTE - USEC_PER_SEC);
    ask(f);
    assert_int_equal(t->n_gets, 1);
    fake_loop_advance(f->loop, USEC_PER_SEC);
    ask(f);
    assert_got(f, "STALE", "fake");
    assert_int_equal(t->n_gets, 2);
    /* Still the expired ones: they are used on. */
    for (unsigned i = 0; i < 20; i++) {
        fake_loop_advance(f->loop, 5 * MINUTE);
        ask(f);
        assert_got(f, "STALE", "fake");
    }
}

static void test_cache_ignores_clock_steps(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    t->lifetime_usec = 60 * MINUTE;
    ask(f);
    fake_loop_step_clock(f->loop, 5 * 3600 * (int64_t)USEC_PER_SEC);
    ask(f);
    assert_got(f, "K1", "fake");
    assert_int_equal(t->n_gets, 1);
}

static void test_cache_destroyed_with_waiters(void **state) {
    Fixture *f = *state;
    bool destroyed = false;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    t->slow = true;
    t->destroyed = &destroyed;
    ask(f);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    credentials_provider_free(TAKE_PTR(f->source));
    assert_true(destroyed);
    assert_int_equal(f->got.n, 2);
    assert_int_equal(f->got.status, CREDENTIALS_FAILED);
    assert_string_equal(f->got.message, "cancelled");
    assert_int_equal(fake_loop_n_timers(f->loop), 0);
}

/* The first of three who waited destroys the cache: the other two are told so, and nothing that is gone is
 * touched. */
static void test_cache_destroyed_from_inside_done(void **state) {
    for (unsigned failing = 0; failing < 2; failing++) {
        Got others = { 0 };
        Fixture *f;

        set_up(state);
        f = *state;
        use_cache(f, failing ? CREDENTIALS_FAILED : CREDENTIALS_OK, "K1");
        assert_int_equal(credentials_get(f->source, free_source, f), 0);
        assert_int_equal(credentials_get(f->source, on_done, &others), 0);
        assert_int_equal(credentials_get(f->source, on_done, &others), 0);
        fake_loop_run(f->loop);
        assert_int_equal(f->got.n, 1);
        assert_int_equal(f->got.status, failing ? CREDENTIALS_FAILED : CREDENTIALS_OK);
        assert_int_equal(others.n, 2);
        assert_int_equal(others.status, CREDENTIALS_FAILED);
        forget(&others);
        tear_down(state);
    }
}

static void invalidate_and_ask(CredentialsStatus status, Credentials *credentials, const char *message,
                               void *userdata) {
    Fixture *f = userdata;

    credentials_cache_invalidate(f->source, credentials);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    assert_int_equal(status, CREDENTIALS_OK);
    /* The set that was handed out lives on. */
    assert_string_equal(credentials->secret_access_key, SECRET);
    assert_string_equal(message, "");
}

static void test_cache_used_from_inside_done(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    assert_int_equal(credentials_get(f->source, invalidate_and_ask, f), 0);
    fake_loop_run(f->loop);
    assert_got(f, "K1", "fake");
    assert_int_equal(t->n_gets, 2);
}

static void test_cache_without_memory(void **state) {
    Fixture *f = *state;
    ToldProvider *t = use_cache(f, CREDENTIALS_OK, "K1");

    fake_loop_fail_after(f->loop, 0);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), -ENOMEM);
    fake_loop_fail_after(f->loop, 1);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "out of memory");
    assert_int_equal(t->n_gets, 0);
    fake_loop_advance(f->loop, 2 * USEC_PER_SEC);
    ask(f);
    assert_got(f, "K1", "fake");
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_environment),
        T(test_destroyed_while_asked),
        T(test_destroyed_from_inside_done),
        cmocka_unit_test(test_profile_contents),
        T(test_profile_token_and_change),
        T(test_profile_unreadable),
        T(test_imds_happy_path_and_token_reuse),
        T(test_imds_rejected_token),
        cmocka_unit_test(test_imds_not_here),
        T(test_imds_without_profile),
        cmocka_unit_test(test_imds_in_another_coding),
        cmocka_unit_test(test_imds_failures),
        T(test_imds_tries_three_times),
        T(test_imds_refused_submit),
        T(test_imds_destroyed),
        cmocka_unit_test(test_imds_readers),
        cmocka_unit_test(test_chain_takes_the_first_that_has_some),
        T(test_chain_destroyed_while_asking),
        T(test_chain_without_members_and_memory),
        T(test_cache_asks_once_for_all),
        T(test_cache_says_when_another_key_comes),
        T(test_cache_refreshes_ahead),
        T(test_cache_spreads_refreshes),
        T(test_cache_keeps_the_old_while_refresh_fails),
        T(test_cache_backs_off),
        T(test_cache_invalidate),
        T(test_cache_suspect),
        T(test_cache_suspect_without_others),
        T(test_cache_reload_forgets_failure),
        T(test_cache_reload_while_asking),
        T(test_cache_uses_expired_on_arrival),
        T(test_cache_spreads_questions_for_expired),
        T(test_cache_ignores_clock_steps),
        T(test_cache_destroyed_with_waiters),
        cmocka_unit_test(test_cache_destroyed_from_inside_done),
        T(test_cache_used_from_inside_done),
        T(test_cache_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
