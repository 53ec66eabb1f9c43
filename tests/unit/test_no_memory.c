/* SPDX-License-Identifier: Apache-2.0 */
/* Whole calls in which the first allocation fails, then the second, and so on until one run needed no more.
 * Each must end in an error or in success, tell its owner exactly once, and leave nothing behind (which the
 * sanitizers and valgrind see). */
/* link: -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=strdup -Wl,--wrap=asprintf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/call.h"
#include "lib/cloudtrail.h"
#include "lib/credentials/providers.h"
#include "lib/http_curl.h"
#include "lib/loop_event.h"
#include "lib/organizations.h"
#include "lib/s3.h"
#include "lib/sns.h"
#include "lib/sts.h"
#include "lib/util/macros.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/fake_loop.h"
#include "tests/unit/local_server.h"

#define RUNS_MAX 2000
#define TRAIL    "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"
#define TOPIC    "arn:aws:sns:eu-central-1:111122223333:alerts"

/* ---- one allocation of this program fails; libraries keep their own ---- */

static long until_failure = -1; /* allocations that still work; negative: all */
static bool has_failed;

static bool fails(void) {
    if (until_failure < 0 || until_failure-- > 0)
        return false;
    has_failed = true;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);
int __wrap_asprintf(char **ret, const char *format, ...) _printf_(2, 3);

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size) {
    return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s) {
    return fails() ? NULL : __real_strdup(s);
}

int __wrap_asprintf(char **ret, const char *format, ...) {
    va_list ap;
    int r;

    /* What it leaves in *ret is undefined then. */
    if (fails()) {
        *ret = (char *)(uintptr_t)0xdead;
        return -1;
    }
    va_start(ap, format);
    r = vasprintf(ret, format, ap);
    va_end(ap);
    return r;
}

/* ---- calls, on fakes ---- */

typedef struct Calls {
    FakeLoop *loop;
    FakeHttp *http;
    CredentialsProvider *credentials;
    AwsClient *aws;
    unsigned n_begun, n_done, n_ok;
    char path[64];
} Calls;

static void count(Calls *c, const AwsError *error) {
    c->n_done++;
    c->n_ok += error->class == AWS_OK;
    assert_int_equal(error->class == AWS_OK, error->message[0] == '\0');
}

static void on_trails(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    assert_int_equal(trails != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void on_published(const AwsError *error, const char *message_id, void *userdata) {
    assert_int_equal(message_id != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void on_identity(const AwsError *error, const StsIdentity *identity, void *userdata) {
    assert_int_equal(identity != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void on_accounts(const AwsError *error, const OrganizationsAccounts *accounts, void *userdata) {
    assert_int_equal(accounts != NULL, error->class == AWS_OK);
    count(userdata, error);
}

/* Sources that exist so far are freed by the constructor that fails with them. */
static int make_credentials(Calls *c) {
    Loop *loop = fake_loop_loop(c->loop);
    CredentialsProvider *members[3], *chain;
    unsigned n = 0;

    n += credentials_env_new(loop, NULL, NULL, NULL, &members[n]) == 0;
    n += credentials_imds_new(loop, fake_http_client(c->http), NULL, &members[n]) == 0;
    n += credentials_profile_new(c->aws,
                                 &(ProfileOptions){ .credentials_file = c->path,
                                                    .profile = "ops",
                                                    .region = "eu-central-1",
                                                    .session_name = "test" },
                                 &members[n]) == 0;
    if (n == 0 || credentials_chain_new(members, n, &chain) < 0)
        return -1;
    return credentials_cache_new(loop, chain, &c->credentials);
}

/* Answers whatever is asked, in the order of asking; time passes in between. */
static void let_pass(Calls *c, const char *answer) {
    fake_http_reply(c->http, 200, answer, "date", "x", "x-amzn-requestid", "id", NULL);
    for (unsigned i = 0; i < 20; i++)
        fake_loop_advance(c->loop, 2 * USEC_PER_SEC);
    while (fake_http_n_running(c->http) > 0) {
        fake_http_fail(c->http, HTTP_BROKEN, "lost");
        fake_loop_advance(c->loop, 2 * USEC_PER_SEC);
    }
}

static void make_calls(Calls *c) {
    SnsAttribute attribute = { "severity", "info" };
    SnsMessage message = {
        .topic_arn = TOPIC,
        .subject = "s",
        .message = "{}",
        .attributes = &attribute,
        .n_attributes = 1,
    };

    fake_http_reply(c->http, 404, "", NULL); /* no metadata here */
    fake_http_reply(c->http, 500, "<html/>", NULL);
    c->n_begun += cloudtrail_describe_trails(&(AwsCaller){ c->aws, c->credentials, "eu-central-1" }, NULL,
                                             on_trails, c, NULL) == 0;
    let_pass(c, "{\"trailList\":[{\"TrailARN\":\"" TRAIL "\"},{\"TrailARN\":\"" TRAIL "\"}]}");
    c->n_begun += sns_publish(&(AwsCaller){ .client = c->aws, .credentials = c->credentials }, &message,
                              on_published, c, NULL) == 0;
    let_pass(c,
             "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>");
    c->n_begun += sts_get_caller_identity(&(AwsCaller){ c->aws, c->credentials, "eu-central-1" }, NULL,
                                          on_identity, c, NULL) == 0;
    let_pass(c,
             "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:root</Arn>"
             "<Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>");
    c->n_begun += organizations_list_accounts(&(AwsCaller){ c->aws, c->credentials, "eu-central-1" }, NULL,
                                              on_accounts, c, NULL) == 0;
    fake_http_reply(c->http, 200, "{\"Accounts\":[{\"Id\":\"111122223333\"}],\"NextToken\":\"t\"}", NULL);
    let_pass(c, "{\"Accounts\":[{\"Id\":\"111122223333\"},{\"Id\":\"444455556666\"}]}");
}

static unsigned run_calls(const char *path) {
    static const AwsLimits limits = { USEC_PER_SEC, USEC_PER_SEC, 2 };
    EndpointOverrides overrides = { .url = "http://127.0.0.1:1" };
    Calls c = { .loop = fake_loop_new() };

    c.http = fake_http_new(c.loop);
    snprintf(c.path, sizeof(c.path), "%s", path);
    if (aws_client_new(fake_http_client(c.http), fake_loop_loop(c.loop), &limits, &overrides, &c.aws) == 0 &&
        make_credentials(&c) == 0)
        make_calls(&c);
    credentials_provider_free(c.credentials);
    aws_client_free(c.aws);
    assert_int_equal(c.n_done, c.n_begun);
    fake_http_free(c.http);
    fake_loop_free(c.loop);
    return c.n_ok;
}

static void test_calls(void **state) {
    char path[] = "/tmp/test-no-memory.XXXXXX";
    int fd = mkstemp(path);
    unsigned n_ok = 0;
    static const char keys[] = "[ops]\naws_access_key_id=A\naws_secret_access_key=s\naws_session_token=t\n";

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, keys, sizeof(keys) - 1), sizeof(keys) - 1);
    close(fd);
    for (long n = 0; n < RUNS_MAX; n++) {
        has_failed = false;
        until_failure = n;
        n_ok = run_calls(path);
        until_failure = -1;
        if (!has_failed)
            break;
    }
    unlink(path);
    assert_false(has_failed);
    assert_int_equal(n_ok, 4);
}

/* ---- sources that ask others ---- */

#define ROLE "arn:aws:iam::444455556666:role/Guard"
#define SESSION(operation)                                                                                  \
    "<" operation "Response><" operation                                                                    \
    "Result><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s"                                    \
    "</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>"         \
    "</Credentials></" operation "Result></" operation "Response>"

typedef enum Kind {
    KIND_PROFILE,
    KIND_WEB_IDENTITY,
    KIND_CONTAINER,
    _KIND_MAX,
} Kind;

typedef struct Asked {
    unsigned n_done, n_ok;
} Asked;

static void on_keys(CredentialsStatus status, Credentials *credentials, const char *message,
                    void *userdata) {
    Asked *asked = userdata;

    assert_int_equal(credentials != NULL, status == CREDENTIALS_OK);
    assert_int_equal(message[0] == '\0', status == CREDENTIALS_OK);
    asked->n_done++;
    asked->n_ok += status == CREDENTIALS_OK;
}

static int make_source(Calls *c, Kind kind, CredentialsProvider **ret) {
    static const char *const environment[] = { "PATH=/bin", "AWS_X=y", NULL };
    static const StsRole role = { .arn = ROLE, .session_name = "test", .external_id = "ext" };
    Loop *loop = fake_loop_loop(c->loop);
    CredentialsProvider *own = NULL;

    switch (kind) {
    case KIND_PROFILE:
        if (credentials_env_new(loop, "A", "s", NULL, &own) < 0)
            return -1;
        return credentials_profile_new(c->aws,
                                       &(ProfileOptions){ .credentials_file = c->path,
                                                          .profile = "ops",
                                                          .region = "eu-central-1",
                                                          .session_name = "test",
                                                          .environment = environment,
                                                          .from_environment = own },
                                       ret);
    case KIND_WEB_IDENTITY: return credentials_web_identity_new(c->aws, "eu-central-1", &role, c->path, ret);
    case KIND_CONTAINER:
        return credentials_container_new(loop, fake_http_client(c->http),
                                         &(ContainerOptions){ .relative_uri = "/x", .token = "t" }, ret);
    default: return -1;
    }
}

static void drive(Calls *c, Kind kind) {
    static const char keys[] = "{\"Version\":1,\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}";
    static const char container[] = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                                    "\"Expiration\":\"2030-01-01T00:00:00Z\"}";

    for (unsigned i = 0; i < 4; i++)
        fake_http_reply(c->http, 200,
                        kind == KIND_PROFILE        ? SESSION("AssumeRole")
                        : kind == KIND_WEB_IDENTITY ? SESSION("AssumeRoleWithWebIdentity")
                                                    : container,
                        NULL);
    for (unsigned i = 0; i < 20; i++) {
        fake_loop_advance(c->loop, USEC_PER_SEC);
        if (fake_loop_n_children(c->loop) > 0)
            fake_loop_end_child(c->loop, LOOP_EXITED, 0, keys, "");
    }
}

static unsigned run_source(const char *path, Kind kind) {
    static const AwsLimits limits = { USEC_PER_SEC, 10 * USEC_PER_SEC, 2 };
    Calls c = { .loop = fake_loop_new() };
    CredentialsProvider *source = NULL;
    Asked asked = { 0 };

    c.http = fake_http_new(c.loop);
    snprintf(c.path, sizeof(c.path), "%s", path);
    if (aws_client_new(fake_http_client(c.http), fake_loop_loop(c.loop), &limits, NULL, &c.aws) == 0 &&
        make_source(&c, kind, &source) == 0 && credentials_get(source, on_keys, &asked) == 0) {
        drive(&c, kind);
        assert_int_equal(asked.n_done, 1);
    }
    credentials_provider_free(source);
    aws_client_free(c.aws);
    fake_http_free(c.http);
    fake_loop_free(c.loop);
    return asked.n_ok;
}

static void test_sources(void **state) {
    static const char *const files[_KIND_MAX] = {
        [KIND_PROFILE] = "[ops]\nrole_arn=" ROLE "\nsource_profile=mid\nexternal_id=ext\n"
                         "[mid]\nrole_arn=" ROLE "\nsource_profile=base\nservices=x\n"
                         "[base]\ncredential_process=program 'an argument'\n",
        [KIND_WEB_IDENTITY] = "token\n",
        [KIND_CONTAINER] = "",
    };

    (void)state;
    for (Kind kind = 0; kind < _KIND_MAX; kind++) {
        char path[] = "/tmp/test-no-memory.XXXXXX";
        int fd = mkstemp(path);
        unsigned n_ok = 0;

        assert_true(fd >= 0);
        assert_int_equal(write(fd, files[kind], strlen(files[kind])), strlen(files[kind]));
        close(fd);
        for (long n = 0; n < RUNS_MAX; n++) {
            has_failed = false;
            until_failure = n;
            n_ok = run_source(path, kind);
            until_failure = -1;
            if (!has_failed)
                break;
        }
        unlink(path);
        assert_false(has_failed);
        assert_int_equal(n_ok, 1);
    }
}

/* ---- libcurl and the loop ---- */

typedef struct Exchanges {
    unsigned n_begun, n_done, n_refused;
} Exchanges;

static void on_exchange(const HttpResponse *response, void *userdata) {
    Exchanges *x = userdata;

    assert_string_not_equal(response->error, "");
    x->n_refused += response->result == HTTP_CONNECT_FAILED;
    x->n_done++;
}

static void submit_some(HttpClient *http, Exchanges *x) {
    static const HttpHeader headers[] = { { "X-Test", "1" } };
    HttpRequest request = {
        .method = "POST",
        .url = "https://127.0.0.1:1/",
        .headers = headers,
        .n_headers = 1,
        .body = "body",
        .body_len = 4,
        .connect_timeout_usec = 2 * USEC_PER_SEC,
        .timeout_usec = 2 * USEC_PER_SEC,
        .direct = true,
    };

    for (unsigned i = 0; i < 3; i++)
        x->n_begun += http_submit(http, &request, on_exchange, x, NULL) == 0;
}

static void never(void *userdata) {
    (void)userdata;
    fail();
}

static unsigned run_exchanges(const char *bundle) {
    HttpCurlOptions options = { .ca_bundle = bundle,
                                .user_agent = "x",
                                .proxy = "http://127.0.0.1:1",
                                .no_proxy = "x",
                                .max_connections = 1 };
    char error[256] = "";
    HttpClient *http = NULL;
    sd_event *event = NULL;
    Loop *loop = NULL;
    LoopTimer *timer;
    Exchanges x = { 0 };

    assert_true(sd_event_new(&event) >= 0);
    if (http_curl_new(event, &options, error, sizeof(error), &http) == 0) {
        submit_some(http, &x);
        for (unsigned i = 0; i < 500 && x.n_done < x.n_begun; i++)
            assert_true(sd_event_run(event, 10000) >= 0);
    } else
        assert_string_not_equal(error, "");
    if (loop_event_new(event, &loop) == 0 && loop_after(loop, USEC_PER_SEC, never, NULL, &timer) == 0)
        loop_cancel(loop, timer);
    loop_event_free(loop);
    http_curl_free(http);
    sd_event_unref(event);
    assert_int_equal(x.n_done, x.n_begun);
    return x.n_refused;
}

static void test_exchanges(void **state) {
    char path[] = "/tmp/test-no-memory.XXXXXX";
    int fd = mkstemp(path);
    LocalCa *ca = local_ca_new();
    unsigned n_refused = 0;

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    local_ca_write(ca, path);
    for (long n = 0; n < RUNS_MAX; n++) {
        has_failed = false;
        until_failure = n;
        n_refused = run_exchanges(path);
        until_failure = -1;
        if (!has_failed)
            break;
    }
    unlink(path);
    local_ca_free(ca);
    assert_false(has_failed);
    assert_int_equal(n_refused, 3);
}

/* ---- tamper detection: reads, writes, pages, and buckets that are elsewhere ---- */

static void on_plain(const AwsError *error, void *userdata) {
    count(userdata, error);
}

static void on_selectors(const AwsError *error, const CloudTrailSelectors *selectors, void *userdata) {
    assert_int_equal(selectors != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void on_tags(const AwsError *error, const CloudTrailTags *tags, void *userdata) {
    assert_int_equal(tags != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void on_events(const AwsError *error, const CloudTrailEvents *events, void *userdata) {
    assert_int_equal(events != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void on_rules(const AwsError *error, const S3Rules *rules, void *userdata) {
    assert_int_equal(rules != NULL, error->class == AWS_OK);
    count(userdata, error);
}

static void read_settings(Calls *c, const char *region) {
    c->n_begun += cloudtrail_get_event_selectors(&(AwsCaller){ c->aws, c->credentials, region }, TRAIL,
                                                 on_selectors, c, NULL) == 0;
    let_pass(c, "{\"EventSelectors\":[{\"ReadWriteType\":\"All\",\"DataResources\":null}]}");
    c->n_begun += cloudtrail_list_tags(&(AwsCaller){ c->aws, c->credentials, region }, TRAIL, on_tags, c,
                                       NULL) == 0;
    fake_http_reply(c->http, 200,
                    "{\"ResourceTagList\":[{\"ResourceId\":\"" TRAIL "\",\"TagsList\":["
                    "{\"Key\":\"a\",\"Value\":\"b\"}]}],\"NextToken\":\"t\"}",
                    NULL);
    let_pass(c, "{\"ResourceTagList\":[{\"ResourceId\":\"" TRAIL "\",\"TagsList\":[{\"Key\":\"c\"}]}]}");
}

static void poll_elsewhere(Calls *c, const char *region) {
    static const CloudTrailLookup lookup = { .key = CLOUDTRAIL_LOOKUP_RESOURCE_NAME, .value = TRAIL };

    c->n_begun += cloudtrail_lookup_events(&(AwsCaller){ c->aws, c->credentials, region }, &lookup,
                                           on_events, c, NULL) == 0;
    let_pass(c, "{\"Events\":[{\"EventId\":\"1\",\"Resources\":[{\"ResourceName\":\"x\"}],"
                "\"CloudTrailEvent\":\"{\\\"requestParameters\\\":{\\\"name\\\":\\\"x\\\"}}\"},{}]}");
    c->n_begun += s3_get_lifecycle(&(AwsCaller){ c->aws, c->credentials, region },
                                   &(AwsBucket){ "logs", "111122223333" }, on_rules, c, NULL) == 0;
    fake_http_reply(c->http, 301, "", "x-amz-bucket-region", "us-west-2", NULL);
    let_pass(c, "<LifecycleConfiguration><Rule><ID>x</ID><Prefix>y</Prefix></Rule><Rule/>"
                "</LifecycleConfiguration>");
}

static void write_settings(Calls *c, const char *region) {
    static CloudTrailTag tag = { (char *)"a", (char *)"b" };
    const CloudTrailTags tags = { &tag, 1 };
    const CloudTrailChanges changes = { .bucket = "logs", .validation = CLOUDTRAIL_ON };
    const CloudTrailSelectors selectors = { NULL, (char *)"[{\"Name\":\"x\"}]" };

    c->n_begun += cloudtrail_create_trail(
                          &(AwsCaller){ c->aws, c->credentials, region },
                          &(CloudTrailWrite){ .trail = "main", .changes = &changes, .tags = &tags },
                          on_plain, c, NULL) == 0;
    let_pass(c, "{}");
    c->n_begun +=
            cloudtrail_put_event_selectors(&(AwsCaller){ c->aws, c->credentials, region },
                                           &(CloudTrailWrite){ .trail = TRAIL, .selectors = &selectors },
                                           on_plain, c, NULL) == 0;
    let_pass(c, "{}");
}

static unsigned run_more_calls(void) {
    static const AwsLimits limits = { USEC_PER_SEC, USEC_PER_SEC, 2 };
    Calls c = { .loop = fake_loop_new() };
    Loop *loop = fake_loop_loop(c.loop);

    c.http = fake_http_new(c.loop);
    if (credentials_env_new(loop, "A", "s", NULL, &c.credentials) == 0 &&
        aws_client_new(fake_http_client(c.http), loop, &limits, NULL, &c.aws) == 0) {
        read_settings(&c, "eu-central-1");
        poll_elsewhere(&c, "eu-central-1");
        write_settings(&c, "eu-central-1");
    }
    credentials_provider_free(c.credentials);
    aws_client_free(c.aws);
    assert_int_equal(c.n_done, c.n_begun);
    fake_http_free(c.http);
    fake_loop_free(c.loop);
    return c.n_ok;
}

static void test_more_calls(void **state) {
    unsigned n_ok = 0;

    (void)state;
    for (long n = 0; n < RUNS_MAX; n++) {
        has_failed = false;
        until_failure = n;
        n_ok = run_more_calls();
        until_failure = -1;
        if (!has_failed)
            break;
    }
    assert_false(has_failed);
    assert_int_equal(n_ok, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_exchanges),
        cmocka_unit_test(test_more_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
