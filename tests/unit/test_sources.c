/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials from programs, containers, web identities and profiles, in virtual time. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/call.h"
#include "lib/credentials/providers.h"
#include "lib/credentials/request.h"
#include "lib/sts.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"

#define SECRET    "secret/that/must/not/show"
#define ROLE      "arn:aws:iam::444455556666:role/Guard"
#define FORM_ROLE "RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2FGuard"
#define SESSION(operation, key)                                                                             \
    "<" operation "Response><" operation "Result><Credentials><AccessKeyId>" key                            \
    "</AccessKeyId><SecretAccessKey>" SECRET "</SecretAccessKey><SessionToken>t</SessionToken>"             \
    "<Expiration>2026-11-24T04:10:00Z</Expiration></Credentials></" operation "Result></" operation         \
    "Response>"
#define FAILURE(code, text)                                                                                 \
    "<ErrorResponse><Error><Code>" code "</Code><Message>" text "</Message></Error></ErrorResponse>"

typedef struct Got {
    unsigned n;
    CredentialsStatus status;
    Credentials *credentials; /* a reference */
    char message[1024];
} Got;

typedef struct Fixture {
    FakeLoop *loop;
    FakeHttp *http;
    AwsClient *client;
    CredentialsProvider *source;
    Got got;
    char dir[64], keys[100], config[100], token[100];
} Fixture;

static int set_up(void **state) {
    static const AwsLimits limits = { 5 * USEC_PER_SEC, 10 * USEC_PER_SEC, 1 };
    Fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->loop = fake_loop_new();
    f->http = fake_http_new(f->loop);
    assert_int_equal(
            aws_client_new(fake_http_client(f->http), fake_loop_loop(f->loop), &limits, NULL, &f->client),
            0);
    snprintf(f->dir, sizeof(f->dir), "/tmp/test-sources.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->keys, sizeof(f->keys), "%s/keys", f->dir);
    snprintf(f->config, sizeof(f->config), "%s/config", f->dir);
    snprintf(f->token, sizeof(f->token), "%s/token", f->dir);
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
    assert_int_equal(fake_loop_n_children(f->loop), 0);
    fake_http_free(f->http);
    fake_loop_free(f->loop);
    (void)unlink(f->keys);
    (void)unlink(f->config);
    (void)unlink(f->token);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

static void on_done(CredentialsStatus status, Credentials *credentials, const char *message,
                    void *userdata) {
    Got *got = userdata;

    assert_null(strstr(message, SECRET));
    assert_null(strpbrk(message, "\n\x1b"));
    assert_int_equal(credentials != NULL, status == CREDENTIALS_OK);
    assert_int_equal(message[0] == '\0', status == CREDENTIALS_OK);
    credentials_ref(credentials);
    credentials_unref(got->credentials);
    got->credentials = credentials;
    got->status = status;
    got->n++;
    snprintf(got->message, sizeof(got->message), "%s", message);
}

static void ask(Fixture *f) {
    forget(&f->got);
    assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
    assert_int_equal(f->got.n, 0);
    fake_loop_run(f->loop);
}

static void assert_got(const Fixture *f, const char *key, const char *source) {
    assert_int_equal(f->got.n, 1);
    assert_string_equal(f->got.message, "");
    assert_string_equal(f->got.credentials->access_key_id, key);
    assert_string_equal(f->got.credentials->secret_access_key, SECRET);
    assert_string_equal(f->got.credentials->source, source);
}

static void assert_not_got(const Fixture *f, CredentialsStatus status, const char *part) {
    assert_int_equal(f->got.n, 1);
    if (!strstr(f->got.message, part))
        assert_string_equal(f->got.message, part);
    assert_int_equal(f->got.status, status);
}

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- documents ---- */

#define PAIR "\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"" SECRET "\""

static void test_documents(void **state _unused_) {
    static const struct {
        DocumentKind kind;
        const char *body, *message; /* NULL: good */
        const char *token;
        uint64_t expires_sec;
    } cases[] = {
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR "}", NULL, NULL, 0 },
        { DOCUMENT_PROCESS,
          "{\"Version\":1," PAIR ",\"SessionToken\":\"t\",\"Expiration\":\"2025-01-02T03:04:05Z\"}", NULL,
          "t", 1735787045 },
        { DOCUMENT_PROCESS,
          "{\"Version\":1," PAIR ",\"SessionToken\":null,\"Expiration\":null,\"Token\":\"t\"}", NULL, NULL,
          0 },
        { DOCUMENT_PROCESS, "{" PAIR "}", "Version", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":\"1\"," PAIR "}", "Version", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":2," PAIR "}", "Version", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":true," PAIR "}", "Version", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1.0," PAIR "}", NULL, NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"Expiration\":\"\"}", "is empty", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"Expiration\":\"2025-01-02T03:04:05\"}", "with a zone",
          NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"Expiration\":\"2025-01-02T03:04:05+0000\"}", NULL,
          NULL, 1735787045 },
        { DOCUMENT_PROCESS, "{\"Version\":1,\"AccessKeyId\":\"A\"}", "holds no keys", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1,\"SecretAccessKey\":\"" SECRET "\"}", "holds no keys", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"Expiration\":\"soon\"}", "not a time", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"Expiration\":1735787045}", "where a text", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"SessionToken\":{}}", "where a text", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR ",\"SessionToken\":\"t\\n\"}",
          "answer's SessionToken ends with", NULL, 0 },
        { DOCUMENT_CONTAINER, "{\"AccessKeyId\":\"A \",\"SecretAccessKey\":\"" SECRET "\"}",
          "answer's AccessKeyId ends with", NULL, 0 },
        { DOCUMENT_PROCESS, "", "not a JSON object", NULL, 0 },
        { DOCUMENT_PROCESS, "[]", "not a JSON object", NULL, 0 },
        { DOCUMENT_PROCESS, "{\"Version\":1," PAIR "} x", "not a JSON object", NULL, 0 },
        { DOCUMENT_CONTAINER, "{" PAIR ",\"Token\":\"t\",\"Expiration\":\"2025-01-02T03:04:05Z\"}", NULL,
          "t", 1735787045 },
        { DOCUMENT_CONTAINER, "{" PAIR ",\"Token\":\"t\"}", "no Expiration", NULL, 0 },
        { DOCUMENT_INSTANCE, "{\"Code\":\"Success\"," PAIR ",\"Token\":\"t\"}", NULL, "t", 0 },
        { DOCUMENT_INSTANCE, "{\"Code\":\"No\\u001b\"," PAIR "}", "not available: No\\x1b", NULL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Credentials *c = NULL;
        char message[200] = "";
        CredentialsStatus status;

        status = document_read(cases[i].kind, cases[i].body, strlen(cases[i].body), &c, message,
                               sizeof(message));
        assert_int_equal(status, cases[i].message ? CREDENTIALS_FAILED : CREDENTIALS_OK);
        assert_null(strstr(message, SECRET));
        if (cases[i].message && !strstr(message, cases[i].message))
            fail_msg("case %zu: %s", i, message);
        if (c) {
            assert_int_equal(!c->session_token, !cases[i].token);
            assert_int_equal(c->expires_usec, cases[i].expires_sec * USEC_PER_SEC);
        }
        credentials_unref(c);
    }
}

/* ---- programs ---- */

static const char *const environment[] = { "PATH=/bin", "AWS_REGION=eu-west-1", NULL };

static void use_process(Fixture *f, const char *command) {
    assert_int_equal(credentials_process_new(fake_loop_loop(f->loop), command, environment, &f->source), 0);
}

static void test_process(void **state) {
    Fixture *f = *state;

    use_process(f, "/opt/get-keys --role 'a b'");
    ask(f);
    assert_int_equal(f->got.n, 0);
    assert_string_equal(fake_loop_child_arguments(f->loop), "/opt/get-keys\n--role\na b");
    assert_string_equal(fake_loop_child_environment(f->loop), "PATH=/bin\nAWS_REGION=eu-west-1");
    fake_loop_end_child(f->loop, LOOP_EXITED, 0, "{\"Version\":1," PAIR "}\n", "a warning");
    assert_got(f, "A", "process");
}

static void test_process_failures(void **state _unused_) {
    static const struct {
        LoopEnding ending;
        int code;
        const char *output, *errors, *message;
    } cases[] = {
        { LOOP_EXITED, 3, SECRET, "", "credential_process get-keys: it ended with status 3" },
        { LOOP_EXITED, 1, SECRET, "no \x1b[31mway\n", "it ended with status 1: no \\x1b[31mway" },
        { LOOP_EXITED, 1, "", "\n two\n\tlines \n", "status 1: two lines" },
        { LOOP_EXITED, 1, "",
          "Traceback (most recent call last):\n  File \"/opt/get-keys\", line 1, in <module>\n"
          "    raise ProxyConnectionError(\"a long line of what it was that could not be done\")\n"
          "ProxyConnectionError: Failed to connect to proxy\n",
          "status 1: Traceback (most recent call last): File ... " },
        { LOOP_EXITED, 1, "",
          "Traceback (most recent call last):\n  File \"/opt/get-keys\", line 1, in <module>\n"
          "    raise ProxyConnectionError(\"a long line of what it was that could not be done\")\n"
          "ProxyConnectionError: Failed to connect to proxy\n",
          "not be done\") ProxyConnectionError: Failed to connect to proxy" },
        { LOOP_EXITED, 0, SECRET, "", "not a JSON object" },
        { LOOP_EXITED, 0, "{" PAIR "}", "", "Version" },
        { LOOP_SIGNALLED, SIGSEGV, "", "", "it was ended by signal 11" },
        { LOOP_TOO_MUCH, 0, "", "", "it wrote more than 65536 bytes and was killed" },
        { LOOP_LOST, EIO, "", "", "its output was lost: Input/output error" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        void *own;
        Fixture *f;

        set_up(&own);
        f = own;
        use_process(f, "get-keys --password " SECRET);
        ask(f);
        fake_loop_end_child(f->loop, cases[i].ending, cases[i].code, cases[i].output, cases[i].errors);
        assert_not_got(f, CREDENTIALS_FAILED, cases[i].message);
        tear_down(&own);
    }
}

static void test_process_that_does_not_start(void **state _unused_) {
    static const struct {
        const char *command, *message;
    } cases[] = {
        { "", "credential_process: the command is empty" },
        { "  ", "credential_process: the command is empty" },
        { "get 'keys", "credential_process: the command has a quote that is not closed" },
        { "get-keys", "credential_process get-keys: it cannot be started: No such file or directory" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        void *own;
        Fixture *f;

        set_up(&own);
        f = own;
        fake_loop_fail_spawn(f->loop, -ENOENT);
        use_process(f, cases[i].command);
        ask(f);
        assert_not_got(f, CREDENTIALS_FAILED, cases[i].message);
        tear_down(&own);
    }
}

static void test_process_deadline_and_destruction(void **state) {
    Fixture *f = *state;

    use_process(f, "get-keys");
    ask(f);
    fake_loop_advance(f->loop, 30 * USEC_PER_SEC - 1);
    assert_int_equal(f->got.n, 0);
    fake_loop_advance(f->loop, 1);
    assert_not_got(f, CREDENTIALS_FAILED, "it took longer than 30 s and was killed");

    ask(f);
    assert_int_equal(fake_loop_n_children(f->loop), 1);
    credentials_provider_free(TAKE_PTR(f->source));
    assert_not_got(f, CREDENTIALS_FAILED, "cancelled");
    assert_int_equal(fake_loop_n_children(f->loop), 0);
}

/* ---- containers ---- */

#define CONTAINER_KEYS "{" PAIR ",\"Token\":\"t\",\"Expiration\":\"2026-11-24T09:10:00Z\"}"

static void use_container(Fixture *f, ContainerOptions options) {
    assert_int_equal(credentials_container_new(fake_loop_loop(f->loop), fake_http_client(f->http), &options,
                                               &f->source),
                     0);
}

static void test_container_urls(void **state _unused_) {
    static const struct {
        const char *relative, *full;
        CredentialsStatus status;
        const char *url;
    } cases[] = {
        { NULL, NULL, CREDENTIALS_NONE, NULL },
        { "", "", CREDENTIALS_NONE, NULL },
        { "/v2/credentials/1-2?x=y", NULL, CREDENTIALS_OK, "http://169.254.170.2/v2/credentials/1-2?x=y" },
        { "/v2", "http://evil.example/", CREDENTIALS_OK, "http://169.254.170.2/v2" },
        { ".evil.example/", NULL, CREDENTIALS_FAILED, NULL },
        { "@evil.example/", NULL, CREDENTIALS_FAILED, NULL },
        { "/a b", NULL, CREDENTIALS_FAILED, NULL },
        { "/a\r\nX: y", NULL, CREDENTIALS_FAILED, NULL },
        { NULL, "https://any.example/x?y=z", CREDENTIALS_OK, "https://any.example/x?y=z" },
        { NULL, "http://169.254.170.2/x", CREDENTIALS_OK, "http://169.254.170.2/x" },
        { NULL, "http://169.254.170.23/v1/credentials", CREDENTIALS_OK,
          "http://169.254.170.23/v1/credentials" },
        { NULL, "http://[fd00:ec2::23]/v1/credentials", CREDENTIALS_OK,
          "http://[fd00:ec2::23]/v1/credentials" },
        { NULL, "http://[fd00:0ec2:0:0::23]:80/", CREDENTIALS_OK, "http://[fd00:0ec2:0:0::23]:80/" },
        { NULL, "http://127.9.9.9:8080/x", CREDENTIALS_OK, "http://127.9.9.9:8080/x" },
        { NULL, "http://[::1]/x", CREDENTIALS_OK, "http://[::1]/x" },
        { NULL, "http://localhost:1338/latest", CREDENTIALS_OK, "http://localhost:1338/latest" },
        { NULL, "http://example.com/x", CREDENTIALS_FAILED, NULL },
        { NULL, "http://169.254.170.24/", CREDENTIALS_FAILED, NULL },
        { NULL, "http://169.254.169.254/", CREDENTIALS_FAILED, NULL },
        { NULL, "http://[fd00:ec2::24]/", CREDENTIALS_FAILED, NULL },
        { NULL, "http://169.254.170.2.evil.example/", CREDENTIALS_FAILED, NULL },
        { NULL, "http://169.254.170.2@evil.example/", CREDENTIALS_FAILED, NULL },
        { NULL, "http://evil.example/?http://169.254.170.2/", CREDENTIALS_FAILED, NULL },
        { NULL, "http://127.0.0.1/#x", CREDENTIALS_FAILED, NULL },
        { NULL, "http://127.0.0.1/?a#x", CREDENTIALS_FAILED, NULL },
        { NULL, "http://127.0.0.1/?a\nb", CREDENTIALS_FAILED, NULL },
        { NULL, "ftp://127.0.0.1/", CREDENTIALS_FAILED, NULL },
        { NULL, "/relative", CREDENTIALS_FAILED, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ContainerOptions options = { .relative_uri = cases[i].relative, .full_uri = cases[i].full };
        char url[300] = "", message[300] = "";
        CredentialsStatus status = container_url(&options, url, sizeof(url), message, sizeof(message));

        if (status != cases[i].status)
            fail_msg("%s %s: %d", cases[i].relative, cases[i].full, (int)status);
        assert_string_equal(url, cases[i].url ? cases[i].url : "");
        assert_int_equal(message[0] == '\0', status == CREDENTIALS_OK);
    }
}

static void test_container(void **state) {
    Fixture *f = *state;
    const FakeRequest *r;

    write_text(f->token, "Bearer one");
    use_container(f, (ContainerOptions){ .full_uri = "http://127.0.0.1:8080/keys",
                                         .token_file = f->token,
                                         .token = "not this" });
    fake_http_reply(f->http, 200, CONTAINER_KEYS, NULL);
    ask(f);
    assert_got(f, "A", "container");
    assert_string_equal(f->got.credentials->session_token, "t");
    r = fake_http_request(f->http, 0);
    assert_string_equal(r->method, "GET");
    assert_string_equal(r->url, "http://127.0.0.1:8080/keys");
    assert_true(r->direct);
    assert_int_equal(r->timeout_usec, 2 * USEC_PER_SEC);
    assert_string_equal(fake_request_header(r, "accept"), "application/json");
    assert_string_equal(fake_request_header(r, "authorization"), "Bearer one");

    /* The token is somebody else's to change. */
    write_text(f->token, "Bearer two");
    fake_http_reply(f->http, 200, CONTAINER_KEYS, NULL);
    ask(f);
    assert_string_equal(fake_request_header(fake_http_request(f->http, 1), "authorization"), "Bearer two");
}

static void test_container_tokens(void **state) {
    Fixture *f = *state;

    use_container(f, (ContainerOptions){ .relative_uri = "/x", .token = "plain" });
    fake_http_reply(f->http, 200, CONTAINER_KEYS, NULL);
    ask(f);
    assert_string_equal(fake_request_header(fake_http_request(f->http, 0), "authorization"), "plain");
    credentials_provider_free(f->source);
    use_container(f, (ContainerOptions){ .relative_uri = "/x" });
    fake_http_reply(f->http, 200, CONTAINER_KEYS, NULL);
    ask(f);
    assert_null(fake_request_header(fake_http_request(f->http, 1), "authorization"));
    credentials_provider_free(f->source);

    use_container(f, (ContainerOptions){ .relative_uri = "/x", .token = SECRET "\r\nX-Evil: 1" });
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "AWS_CONTAINER_AUTHORIZATION_TOKEN: the token has a line break");
    credentials_provider_free(f->source);
    use_container(f, (ContainerOptions){ .relative_uri = "/x", .token_file = f->token });
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "/token: No such file or directory");
    write_text(f->token, SECRET "\n");
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "/token: the token has a line break");
    assert_int_equal(fake_http_n_requests(f->http), 2);
}

static void test_container_failures(void **state) {
    Fixture *f = *state;
    uint64_t before;

    use_container(f, (ContainerOptions){ 0 });
    ask(f);
    assert_not_got(f, CREDENTIALS_NONE, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set");
    credentials_provider_free(f->source);
    use_container(f, (ContainerOptions){ .full_uri = "http://evil.example/" });
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "may not be asked for keys");
    credentials_provider_free(f->source);

    /* Three attempts, a second apart. */
    use_container(f, (ContainerOptions){ .relative_uri = "/x" });
    fake_http_reply(f->http, 500, "", NULL);
    fake_http_fail(f->http, HTTP_CONNECT_FAILED, "169.254.170.2: refused");
    fake_http_reply(f->http, 200, CONTAINER_KEYS, NULL);
    before = loop_monotonic_usec(fake_loop_loop(f->loop));
    ask(f);
    while (f->got.n == 0)
        assert_true(fake_loop_next(f->loop));
    assert_got(f, "A", "container");
    assert_int_equal(loop_monotonic_usec(fake_loop_loop(f->loop)) - before, 2 * USEC_PER_SEC);
    for (int i = 0; i < 3; i++)
        fake_http_reply(f->http, 401, SECRET, NULL);
    ask(f);
    fake_loop_advance(f->loop, 5 * USEC_PER_SEC);
    assert_not_got(f, CREDENTIALS_FAILED, "container credentials at http://169.254.170.2/x: HTTP 401");
    assert_true(text_ends_with(f->got.message, "HTTP 401"));
    fake_http_reply(f->http, 200, "{}", NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "holds no keys");

    ask(f);
    credentials_provider_free(TAKE_PTR(f->source));
    assert_not_got(f, CREDENTIALS_FAILED, "cancelled");
    assert_int_equal(fake_http_n_running(f->http), 0);
}

/* Why it refuses, in its own words; never the token, and nothing of an answer that may hold anything else.
 */
static void test_container_reasons(void **state) {
    static const char *const json[] = { "Content-Type", "application/json", NULL },
                             *const text[] = { "Content-Type", "text/plain; charset=utf-8", NULL },
                             *const html[] = { "Content-Type", "text/html", NULL };
    static const struct {
        const char *const *type;
        const char *body, *message;
    } cases[] = {
        { json,
          "{\"code\":\"AccessDeniedException\",\"message\":\"Unauthorized Exception! EKS does not know "
          "it\"}",
          "HTTP 403: AccessDeniedException: Unauthorized Exception! EKS does not know it" },
        { json, "{\"Code\":\"No\\u001b[31m\",\"Message\":\"one\\ntwo\",\"HTTPErrorCode\":403}",
          "HTTP 403: No\\x1b[31m: one" },
        { json, "{\"message\":\"alone\",\"SecretAccessKey\":\"other\"}", "HTTP 403: alone" },
        { json, "{\"code\":\"Alone\"}", "HTTP 403: Alone" },
        { json, "{\"code\":{},\"message\":7}", "HTTP 403" },
        { json, "{\"message\":\"the token " SECRET " is unknown\"}", "HTTP 403" },
        { json, "[\"" SECRET "\"]", "HTTP 403" },
        { text, "[7]: (AccessDeniedException): no association, fault: client\nmore",
          "HTTP 403: [7]: (AccessDeniedException): no association, fault: client" },
        { html, "<p>" SECRET, "HTTP 403" },
    };
    Fixture *f = *state;

    write_text(f->token, SECRET);
    use_container(f, (ContainerOptions){ .relative_uri = "/x", .token_file = f->token });
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int attempt = 0; attempt < 3; attempt++)
            fake_http_reply_list(f->http, 403, cases[i].body, cases[i].type);
        ask(f);
        fake_loop_advance(f->loop, 5 * USEC_PER_SEC);
        assert_not_got(f, CREDENTIALS_FAILED, cases[i].message);
        if (!text_ends_with(f->got.message, cases[i].message))
            fail_msg("%s", f->got.message);
    }
}

/* ---- web identity ---- */

static const StsRole role = { .arn = ROLE, .session_name = "pod" };

static void test_web_identity(void **state) {
    Fixture *f = *state;
    const FakeRequest *r;

    assert_int_equal(credentials_web_identity_new(f->client, "eu-west-1", &role, f->token, &f->source), 0);
    write_text(f->token, " eyJ.one \n");
    fake_http_reply(f->http, 200, SESSION("AssumeRoleWithWebIdentity", "ASIA1"), NULL);
    ask(f);
    assert_got(f, "ASIA1", "web_identity");
    r = fake_http_request(f->http, 0);
    assert_string_equal(r->url, "https://sts.eu-west-1.amazonaws.com/");
    assert_string_equal(r->body, "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&" FORM_ROLE
                                 "&RoleSessionName=pod&WebIdentityToken=eyJ.one");
    assert_null(fake_request_header(r, "authorization"));
    assert_null(fake_request_header(r, "x-amz-date"));
    assert_string_equal(fake_request_header(r, "host"), "sts.eu-west-1.amazonaws.com");

    /* Read again at each get; and a token that AWS calls expired is no reason to ask it again. */
    write_text(f->token, "eyJ.two");
    fake_http_reply(f->http, 400, FAILURE("ExpiredTokenException", "Token expired"), NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "role " ROLE ": ExpiredTokenException: Token expired");
    assert_non_null(strstr(fake_http_request(f->http, 1)->body, "WebIdentityToken=eyJ.two"));
    assert_int_equal(fake_http_n_requests(f->http), 2);
    fake_http_reply(f->http, 403, FAILURE("AccessDenied", "no"), NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_DENIED, "role " ROLE ": AccessDenied: no");
}

static void test_web_identity_tokens(void **state) {
    Fixture *f = *state;
    char *text = malloc(STS_WEB_TOKEN_MAX + 2);

    assert_non_null(text);
    memset(text, 'x', STS_WEB_TOKEN_MAX + 1);
    text[STS_WEB_TOKEN_MAX + 1] = '\0';
    assert_int_equal(credentials_web_identity_new(f->client, "eu-west-1", &role, f->token, &f->source), 0);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "/token: No such file or directory");
    write_text(f->token, "\n \n");
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "/token: holds no token");
    write_text(f->token, text);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "/token: is longer than a token can be");
    text[STS_WEB_TOKEN_MAX] = '\0';
    write_text(f->token, text);
    fake_http_reply(f->http, 200, SESSION("AssumeRoleWithWebIdentity", "ASIA1"), NULL);
    ask(f);
    assert_got(f, "ASIA1", "web_identity");
    assert_int_equal(fake_http_n_requests(f->http), 1);
    free(text);
}

/* ---- profiles ---- */

static void use_profile(Fixture *f, const char *profile, bool required, bool with_sources) {
    ProfileOptions options = {
        .credentials_file = f->keys,
        .config_file = f->config,
        .profile = profile,
        .profile_required = required,
        .region = "eu-west-1",
        .session_name = "trailguard-host",
        .environment = environment,
    };

    if (with_sources) {
        assert_int_equal(credentials_env_new(fake_loop_loop(f->loop), "AKIDENV", SECRET, NULL,
                                             &options.from_environment),
                         0);
        assert_int_equal(credentials_imds_new(fake_loop_loop(f->loop), fake_http_client(f->http),
                                              "http://127.0.0.1:1", &options.from_instance),
                         0);
        assert_int_equal(credentials_container_new(fake_loop_loop(f->loop), fake_http_client(f->http),
                                                   &(ContainerOptions){ .relative_uri = "/x" },
                                                   &options.from_container),
                         0);
    }
    assert_int_equal(credentials_profile_new(f->client, &options, &f->source), 0);
}

static void test_profile_not_there(void **state) {
    Fixture *f = *state;

    use_profile(f, NULL, false, false);
    ask(f);
    assert_not_got(f, CREDENTIALS_NONE, "/keys: No such file or directory");
    write_text(f->config, "[default]\nregion = eu-west-1\n");
    ask(f);
    assert_not_got(f, CREDENTIALS_NONE, "no other source of keys");
    write_text(f->config, "[default]\naws_access_key_id = A\n");
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "has no aws_secret_access_key");
    credentials_provider_free(f->source);
    use_profile(f, "ops", true, false);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "/config: has no profile \"ops\"");
}

static void test_profile_role(void **state) {
    Fixture *f = *state;
    const FakeRequest *r;

    write_text(f->config, "[profile ops]\nrole_arn = " ROLE "\nsource_profile = base\nexternal_id = ext\n"
                          "duration_seconds = 900\n");
    write_text(f->keys, "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = " SECRET "\n");
    use_profile(f, "ops", true, false);
    fake_http_reply(f->http, 200, SESSION("AssumeRole", "ASIA1"), NULL);
    ask(f);
    assert_got(f, "ASIA1", "assume_role");
    r = fake_http_request(f->http, 0);
    assert_string_equal(r->body, "Action=AssumeRole&Version=2011-06-15&" FORM_ROLE
                                 "&RoleSessionName=trailguard-host&ExternalId=ext&DurationSeconds=900");
    assert_non_null(strstr(fake_request_header(r, "authorization"), "Credential=AKIDBASE/"));

    /* A changed file is picked up. */
    write_text(f->keys, "[base]\naws_access_key_id = AKIDNEXT\naws_secret_access_key = " SECRET "\n");
    fake_http_reply(f->http, 403, FAILURE("AccessDenied", "no"), NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_DENIED, "profile \"ops\": role " ROLE ": AccessDenied: no");
    assert_non_null(strstr(fake_request_header(fake_http_request(f->http, 1), "authorization"), "AKIDNEXT"));

    write_text(f->config, "[profile ops]\nrole_arn = Guard\nsource_profile = base\n");
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "profile \"ops\": role Guard: the role must be an ARN");
    write_text(f->config,
               "[profile ops]\nrole_arn = " ROLE "\nsource_profile = base\nrole_session_name = a b\n");
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "the session name must be");
}

/* Two roles in a row, on top of each kind of base. */
static void test_profile_bases(void **state _unused_) {
    static const struct {
        const char *base, *key; /* that the first role is assumed by */
        const char *answers[4];
    } cases[] = {
        /* The file of the web identity's token comes behind. */
        { "credential_source = Environment\n#", "AKIDENV", { NULL } },
        { "credential_source = EcsContainer\n#", "A", { CONTAINER_KEYS } },
        { "credential_source = Ec2InstanceMetadata\n#", "A", { "token", "role", CONTAINER_KEYS } },
        { "source_profile = prog\n[profile prog]\ncredential_process = get-keys\n#", "A", { NULL } },
        { "source_profile = web\n[profile web]\nrole_arn = " ROLE "\nweb_identity_token_file = ",
          "ASIAW",
          { SESSION("AssumeRoleWithWebIdentity", "ASIAW") } },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[1000];
        unsigned n = 0;
        Fixture *f;
        void *own;

        set_up(&own);
        f = own;
        write_text(f->token, "eyJ.token");
        (void)snprintf(text, sizeof(text),
                       "[profile ops]\nrole_arn = " ROLE "\nsource_profile = mid\n"
                       "[profile mid]\nrole_arn = " ROLE "2\nrole_session_name = mid\n%s%s\n",
                       cases[i].base, f->token);
        write_text(f->config, text);
        use_profile(f, "ops", true, true);
        for (; n < 4 && cases[i].answers[n]; n++)
            fake_http_reply(f->http, 200, cases[i].answers[n], NULL);
        fake_http_reply(f->http, 200, SESSION("AssumeRole", "ASIA1"), NULL);
        fake_http_reply(f->http, 200, SESSION("AssumeRole", "ASIA2"), NULL);
        ask(f);
        if (fake_loop_n_children(f->loop) > 0) {
            fake_loop_end_child(f->loop, LOOP_EXITED, 0, "{\"Version\":1," PAIR "}", "");
            fake_loop_run(f->loop);
        }
        assert_got(f, "ASIA2", "assume_role");
        (void)snprintf(text, sizeof(text), "Credential=%s/", cases[i].key);
        assert_non_null(strstr(fake_request_header(fake_http_request(f->http, n), "authorization"), text));
        assert_non_null(strstr(fake_http_request(f->http, n)->body, "Guard2&RoleSessionName=mid"));
        assert_non_null(
                strstr(fake_request_header(fake_http_request(f->http, n + 1), "authorization"), "ASIA1/"));
        tear_down(&own);
    }
}

static void test_profile_bases_fail(void **state) {
    Fixture *f = *state;

    /* What the profile names has to be there: nothing is no answer. */
    write_text(f->config, "[profile ops]\nrole_arn = " ROLE "\ncredential_source = Ec2InstanceMetadata\n");
    use_profile(f, "ops", true, true);
    fake_http_reply(f->http, 404, "", NULL);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "profile \"ops\": role " ROLE ": instance metadata at ");
    credentials_provider_free(f->source);
    use_profile(f, "ops", true, false);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "profile \"ops\": its credential_source is switched off here");
    write_text(f->config, "[profile ops]\ncredential_process = get-keys\n");
    ask(f);
    fake_loop_end_child(f->loop, LOOP_EXITED, 1, "", "denied");
    assert_not_got(f, CREDENTIALS_FAILED,
                   "profile \"ops\": credential_process get-keys: it ended with status 1: denied");
}

static void test_profile_destroyed(void **state) {
    Fixture *f = *state;
    Got other = { 0 };

    write_text(f->config, "[profile ops]\nrole_arn = " ROLE "\ncredential_source = Environment\n"
                          "[profile prog]\nrole_arn = " ROLE "\nsource_profile = p\n"
                          "[profile p]\ncredential_process = get-keys\n");
    for (int i = 0; i < 3; i++) {
        use_profile(f, i == 1 ? "prog" : "ops", true, true);
        forget(&f->got);
        forget(&other);
        assert_int_equal(credentials_get(f->source, on_done, &f->got), 0);
        assert_int_equal(credentials_get(f->source, on_done, &other), 0);
        if (i < 2)
            fake_loop_run(f->loop);
        assert_int_equal(fake_loop_n_children(f->loop), i == 1 ? 2 : 0);
        assert_int_equal(fake_http_n_running(f->http), i == 0 ? 2 : 0);
        credentials_provider_free(TAKE_PTR(f->source));
        assert_not_got(f, CREDENTIALS_FAILED, "cancelled");
        assert_int_equal(other.n, 1);
        assert_int_equal(fake_http_n_running(f->http), 0);
        assert_int_equal(fake_loop_n_children(f->loop), 0);
    }
}

/* ---- one that cannot work ---- */

static void test_refused(void **state) {
    Fixture *f = *state;

    assert_int_equal(credentials_error_new(fake_loop_loop(f->loop), "set wrongly", &f->source), 0);
    ask(f);
    assert_not_got(f, CREDENTIALS_FAILED, "set wrongly");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        cmocka_unit_test(test_documents),
        TEST(test_process),
        cmocka_unit_test(test_process_failures),
        cmocka_unit_test(test_process_that_does_not_start),
        TEST(test_process_deadline_and_destruction),
        cmocka_unit_test(test_container_urls),
        TEST(test_container),
        TEST(test_container_tokens),
        TEST(test_container_failures),
        TEST(test_container_reasons),
        TEST(test_web_identity),
        TEST(test_web_identity_tokens),
        TEST(test_profile_not_there),
        TEST(test_profile_role),
        cmocka_unit_test(test_profile_bases),
        TEST(test_profile_bases_fail),
        TEST(test_profile_destroyed),
        TEST(test_refused),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
