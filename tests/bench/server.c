/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for AWS that `make bench` measures against: one thread, epoll, TLS 1.3 with session tickets,
 * a certificate chain made at run time. It answers what TrailGuard and the floors ask, for N accounts in M
 * regions with one trail each, and counts what reaches it. It checks no signature: that would be work of the
 * server only.
 *
 * usage: server --ca FILE [--port 443] [--regions A,B,...] [--accounts N]
 *
 * Commands come on stdin, a line each, and each is answered by one line of JSON on stdout:
 *   mode [delay=MS] [close=1] [throttle=PERMILLE] [hang=PERMILLE]   what is not named is off
 *   reset                                     counters, intervals and stops start again
 *   stats                                     requests, connections, handshakes, bytes
 *   gaps                                      quantiles of the intervals between polls of one healthy target
 *   stops FIRST N COUNT WITHIN_MS SEED        stops COUNT trails of the accounts FIRST..FIRST+N-1, each
 * once, at random times outcomes FIRST N                          what came of them: [polled, started,
 * published] in ms after the stop It ends when stdin does. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REGIONS_MAX       40
#define REQUEST_MAX       (256 * 1024)
#define REPLY_MAX         4096
#define GAPS_MAX          (8U << 20)
#define MAIN_ACCOUNT      111122223333ULL
#define FIRST_MEMBER      200000000000ULL /* account i > 0 is this plus i */
#define USEC_PER_SEC      1000000ULL
#define STARTED_AGO_SEC   86400
#define DELIVERED_AGO_SEC 120

typedef enum Operation {
    GET_TRAIL_STATUS,
    DESCRIBE_TRAILS,
    LIST_TRAILS,
    GET_EVENT_SELECTORS,
    GET_INSIGHT_SELECTORS,
    GET_EVENT_CONFIGURATION,
    LIST_TAGS,
    LOOKUP_EVENTS,
    START_LOGGING,
    GET_CALLER_IDENTITY,
    ASSUME_ROLE,
    PUBLISH,
    OTHER,
    _OPERATION_MAX,
} Operation;

typedef struct Target {
    uint64_t polled_usec; /* 0: not since the reset */
    uint64_t stop_usec;   /* when it stops, or did; 0: never */
    uint64_t noticed_usec, started_usec, published_usec;
    time_t stopped_sec, restarted_sec;
    bool stopped;
} Target;

typedef struct Reply {
    int status;
    const char *type;
    size_t len;
    char body[REPLY_MAX];
} Reply;

typedef struct Connection {
    struct Connection *next_delayed;
    int fd;
    SSL *ssl;
    bool accepted, wants_write, hung;
    unsigned n_pins; /* in the list of delayed replies: closed only after that */
    bool closed;
    uint64_t due_usec;
    char *in;
    size_t in_len, in_size;
    char *out;
    size_t out_len, out_sent;
} Connection;

typedef struct Request {
    const char *head, *body;
    size_t head_len, body_len;
    Operation operation;
    long account; /* index, -1: unknown */
    int region;   /* index, -1: unknown */
} Request;

static struct {
    char regions[REGIONS_MAX][32];
    unsigned n_regions;
    unsigned long n_accounts;
    Target *targets;
    unsigned delay_ms, throttle, hang; /* the last two in thousandths */
    bool close_after;
} world = { .n_accounts = 1 };

static struct {
    uint64_t requests[_OPERATION_MAX], connections, full, resumed, failed, throttled, hung, bytes_in,
            bytes_out;
    char other[64]; /* the last operation that is not known */
    float *gaps;
    size_t n_gaps, gaps_size;
} seen;

static SSL_CTX *tls;
static int poller;
static unsigned n_open;
static Connection *delayed, **delayed_end = &delayed;

static uint64_t now_usec(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    fputs("bench server: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

/* ---- certificates: a root, an intermediate and a leaf, as long as AWS's own ---- */

typedef struct Identity {
    EVP_PKEY *key;
    X509 *certificate;
} Identity;

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension || !X509_add_ext(certificate, extension, -1))
        die("cannot add an extension");
    X509_EXTENSION_free(extension);
}

/* issuer NULL: signs itself. names: the subjectAltName of a leaf, NULL for a CA. */
static Identity make_identity(const char *name, const Identity *issuer, const char *names) {
    Identity id = { .key = EVP_RSA_gen(2048), .certificate = X509_new() };
    const Identity *by = issuer ? issuer : &id;
    X509_NAME *subject;
    uint64_t serial;

    if (!id.key || !id.certificate || RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
        die("cannot make a certificate");
    X509_set_version(id.certificate, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(id.certificate), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(id.certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.certificate), 30 * 86400L);
    subject = X509_get_subject_name(id.certificate);
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"TrailGuard bench", -1, -1,
                               0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(id.certificate, X509_get_subject_name(by->certificate));
    X509_set_pubkey(id.certificate, id.key);
    add_extension(id.certificate, by->certificate, NID_basic_constraints,
                  names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    add_extension(id.certificate, by->certificate, NID_key_usage,
                  names ? "critical,digitalSignature" : "critical,keyCertSign");
    add_extension(id.certificate, by->certificate, NID_subject_key_identifier, "hash");
    if (issuer)
        add_extension(id.certificate, by->certificate, NID_authority_key_identifier, "keyid");
    if (names)
        add_extension(id.certificate, by->certificate, NID_subject_alt_name, names);
    if (X509_sign(id.certificate, by->key, EVP_sha256()) == 0)
        die("cannot sign a certificate");
    return id;
}

static void write_ca(const char *path, X509 *root) {
    FILE *f = fopen(path, "we");

    if (!f || !PEM_write_X509(f, root) || fclose(f) != 0)
        die("%s: %s", path, strerror(errno));
}

static void start_tls(const char *ca_file) {
    char names[REGIONS_MAX * 48 + 128];
    Identity root, middle, leaf;
    size_t n;

    n = (size_t)snprintf(names, sizeof(names), "DNS:localhost,IP:127.0.0.1,DNS:*.amazonaws.com");
    for (unsigned i = 0; i < world.n_regions; i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, ",DNS:*.%s.amazonaws.com", world.regions[i]);
    root = make_identity("Bench root", NULL, NULL);
    middle = make_identity("Bench intermediate", &root, NULL);
    leaf = make_identity("amazonaws.com", &middle, names);
    write_ca(ca_file, root.certificate);
    tls = SSL_CTX_new(TLS_server_method());
    if (!tls || SSL_CTX_use_certificate(tls, leaf.certificate) != 1 ||
        SSL_CTX_use_PrivateKey(tls, leaf.key) != 1 ||
        SSL_CTX_add1_chain_cert(tls, middle.certificate) != 1 ||
        SSL_CTX_add1_chain_cert(tls, root.certificate) != 1)
        die("cannot start TLS");
    SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
    SSL_CTX_set_session_id_context(tls, (const unsigned char *)"bench", 5);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    for (Identity *const *id = (Identity *const[]){ &root, &middle, &leaf, NULL }; *id; id++) {
        X509_free((*id)->certificate);
        EVP_PKEY_free((*id)->key);
    }
}

/* ---- which trail is meant ---- */

static unsigned long long account_id(long index) {
    return index == 0 ? MAIN_ACCOUNT : FIRST_MEMBER + (unsigned long long)index;
}

static long account_index(const char *digits) {
    unsigned long long id = strtoull(digits, NULL, 10);

    if (id == MAIN_ACCOUNT)
        return 0;
    return id > FIRST_MEMBER && id < FIRST_MEMBER + world.n_accounts ? (long)(id - FIRST_MEMBER) : -1;
}

static int region_index(const char *name, size_t len) {
    for (unsigned i = 0; i < world.n_regions; i++)
        if (strlen(world.regions[i]) == len && memcmp(world.regions[i], name, len) == 0)
            return (int)i;
    return -1;
}

static Target *target_at(long account, int region) {
    return account < 0 || region < 0 ? NULL
                                     : &world.targets[(size_t)account * world.n_regions + (size_t)region];
}

/* The trail whose ARN begins at text; NULL: none of ours. */
static Target *target_of_arn(const char *text, const char *end, long *ret_account, int *ret_region) {
    const char *region = text + strlen("arn:aws:cloudtrail:"), *colon;

    if (region >= end)
        return NULL;
    colon = memchr(region, ':', (size_t)(end - region));
    if (!colon || end - colon < 13)
        return NULL;
    *ret_region = region_index(region, (size_t)(colon - region));
    *ret_account = account_index(colon + 1);
    return target_at(*ret_account, *ret_region);
}

/* By a hash of its number, so that they are spread over accounts and regions. */
static bool is_among(const Target *target, unsigned share) {
    return target &&
           ((uint64_t)(target - world.targets) * 2654435761U % 4294967296U) * 1000 / 4294967296U < share;
}

/* ---- requests ---- */

static const char *const operation_names[_OPERATION_MAX] = {
    [GET_TRAIL_STATUS] = "GetTrailStatus",
    [DESCRIBE_TRAILS] = "DescribeTrails",
    [LIST_TRAILS] = "ListTrails",
    [GET_EVENT_SELECTORS] = "GetEventSelectors",
    [GET_INSIGHT_SELECTORS] = "GetInsightSelectors",
    [GET_EVENT_CONFIGURATION] = "GetEventConfiguration",
    [LIST_TAGS] = "ListTags",
    [LOOKUP_EVENTS] = "LookupEvents",
    [START_LOGGING] = "StartLogging",
    [GET_CALLER_IDENTITY] = "GetCallerIdentity",
    [ASSUME_ROLE] = "AssumeRole",
    [PUBLISH] = "Publish",
    [OTHER] = "other",
};

/* The value of a header, to the end of its line; NULL when there is none. */
static const char *header(const Request *q, const char *name, size_t *ret_len) {
    size_t n = strlen(name);
    const char *end = q->head + q->head_len, *line = q->head, *next;

    for (; line < end; line = next + 2) {
        next = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!next)
            return NULL;
        if ((size_t)(next - line) > n && line[n] == ':' && strncasecmp(line, name, n) == 0) {
            const char *value = line + n + 1 + strspn(line + n + 1, " ");

            *ret_len = (size_t)(next - value);
            return value;
        }
    }
    return NULL;
}

static void find_operation(Request *q) {
    static const char action[] = "Action=";
    const char *name, *dot;
    size_t len;

    q->operation = OTHER;
    name = header(q, "x-amz-target", &len);
    if (name) {
        dot = memrchr(name, '.', len);
        len -= dot ? (size_t)(dot + 1 - name) : 0;
        name = dot ? dot + 1 : name;
    } else {
        name = memmem(q->body, q->body_len, action, strlen(action));
        if (!name)
            return;
        name += strlen(action);
        for (len = 0; name + len < q->body + q->body_len && name[len] != '&';)
            len++;
    }
    for (unsigned i = 0; i < OTHER; i++)
        if (strlen(operation_names[i]) == len && memcmp(operation_names[i], name, len) == 0)
            q->operation = i;
    if (q->operation == OTHER)
        snprintf(seen.other, sizeof(seen.other), "%.*s", (int)len, name);
}

/* A session's key id holds its account; any other key is of the main account. The region is the signature's.
 */
static void find_caller(Request *q) {
    static const char credential[] = "Credential=";
    const char *value, *slash, *region;
    size_t len;

    q->account = 0;
    q->region = -1;
    value = header(q, "authorization", &len);
    value = value ? memmem(value, len, credential, strlen(credential)) : NULL;
    if (!value)
        return;
    value += strlen(credential);
    if (strncmp(value, "ASIA", 4) == 0)
        q->account = account_index(value + 4);
    slash = strchr(value, '/');
    slash = slash ? strchr(slash + 1, '/') : NULL;
    if (!slash)
        return;
    region = slash + 1;
    q->region = region_index(region, strcspn(region, "/"));
}

/* ---- answers ---- */

static void __attribute__((format(printf, 2, 3))) say(Reply *reply, const char *format, ...) {
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(reply->body + reply->len, sizeof(reply->body) - reply->len, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(reply->body) - reply->len)
        die("an answer is too long");
    reply->len += (size_t)n;
}

static void refuse(Reply *reply, const char *code, const char *message) {
    reply->status = 400;
    say(reply, "{\"__type\":\"%s\",\"message\":\"%s\"}", code, message);
}

static const char *iso(char text[static 32], time_t t) {
    struct tm tm;

    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    return text;
}

static void say_arn(Reply *reply, const Target *t) {
    size_t i = (size_t)(t - world.targets);

    say(reply, "arn:aws:cloudtrail:%s:%llu:trail/main", world.regions[i % world.n_regions],
        account_id((long)(i / world.n_regions)));
}

static void note_poll(Target *t) {
    uint64_t now = now_usec();

    if (t->polled_usec && !is_among(t, world.hang) && seen.n_gaps < GAPS_MAX) {
        if (seen.n_gaps == seen.gaps_size) {
            seen.gaps_size = seen.gaps_size ? 2 * seen.gaps_size : 1 << 16;
            seen.gaps = realloc(seen.gaps, seen.gaps_size * sizeof(*seen.gaps));
            if (!seen.gaps)
                die("out of memory");
        }
        seen.gaps[seen.n_gaps++] = (float)((double)(now - t->polled_usec) / 1e6);
    }
    t->polled_usec = now;
    if (t->stop_usec && !t->started_usec && !t->stopped && now >= t->stop_usec) {
        t->stopped = true;
        t->stopped_sec = time(NULL) - (time_t)((now - t->stop_usec) / USEC_PER_SEC);
    }
    if (t->stopped && !t->noticed_usec)
        t->noticed_usec = now;
}

/* About as long as the real one: some 600 bytes. */
static void answer_status(Reply *reply, Target *t) {
    time_t now = time(NULL),
           started = t->restarted_sec ? t->restarted_sec : now / 86400 * 86400 - STARTED_AGO_SEC,
           delivered = now / 300 * 300 - DELIVERED_AGO_SEC;
    char a[32], b[32];

    note_poll(t);
    iso(a, delivered);
    say(reply,
        "{\"IsLogging\":%s,\"LatestDeliveryTime\":%lld.0,\"LatestDigestDeliveryTime\":%lld.0,"
        "\"StartLoggingTime\":%lld.0,",
        t->stopped ? "false" : "true", (long long)delivered,
        (long long)(now / 3600 * 3600 - DELIVERED_AGO_SEC), (long long)started);
    if (t->stopped_sec)
        say(reply, "\"StopLoggingTime\":%lld.0,", (long long)t->stopped_sec);
    say(reply,
        "\"LatestCloudWatchLogsDeliveryTime\":%lld.0,\"LatestNotificationTime\":%lld.0,"
        "\"LatestDeliveryAttemptTime\":\"%s\","
        "\"LatestNotificationAttemptTime\":\"%s\",\"LatestNotificationAttemptSucceeded\":\"%s\","
        "\"LatestDeliveryAttemptSucceeded\":\"%s\",\"TimeLoggingStarted\":\"%s\",\"TimeLoggingStopped\":\"%"
        "s\"}",
        (long long)delivered, (long long)delivered, a, a, a, a, iso(b, started),
        t->stopped_sec ? iso(a, t->stopped_sec) : "");
}

static void say_trail(Reply *reply, const Target *t) {
    size_t i = (size_t)(t - world.targets);

    say(reply, "{\"Name\":\"main\",\"S3BucketName\":\"example-audit-logs\",\"S3KeyPrefix\":\"org\","
               "\"TrailARN\":\"");
    say_arn(reply, t);
    say(reply,
        "\",\"IncludeGlobalServiceEvents\":true,\"IsMultiRegionTrail\":false,\"HomeRegion\":\"%s\","
        "\"LogFileValidationEnabled\":true,\"HasCustomEventSelectors\":false,\"HasInsightSelectors\":false,"
        "\"IsOrganizationTrail\":false}",
        world.regions[i % world.n_regions]);
}

static void answer_session(Reply *reply, const Request *q) {
    static const char role[] = "arn%3Aaws%3Aiam%3A%3A";
    const char *arn = memmem(q->body, q->body_len, role, strlen(role));
    long account = arn ? account_index(arn + strlen(role)) : -1;
    unsigned long long id = account_id(account);
    char expires[32], token[400];

    reply->type = "text/xml";
    if (account < 0) {
        reply->status = 403;
        say(reply,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
            "<Code>AccessDenied</Code><Message>no such role</Message></Error></ErrorResponse>");
        return;
    }
    memset(token, 'T', sizeof(token) - 1);
    token[sizeof(token) - 1] = '\0';
    say(reply,
        "<AssumeRoleResponse "
        "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>"
        "<AssumedRoleId>AROAEXAMPLE:trailguard</AssumedRoleId><Arn>arn:aws:sts::%llu:assumed-role/"
        "TrailGuard/trailguard</Arn>"
        "</AssumedRoleUser><Credentials><AccessKeyId>ASIA%llu</AccessKeyId>"
        "<SecretAccessKey>bench/EXAMPLE/secret/key/0123456789abcde</SecretAccessKey><SessionToken>%s</"
        "SessionToken>"
        "<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        id, id, token, iso(expires, time(NULL) + 3600));
}

static void answer_identity(Reply *reply, const Request *q) {
    unsigned long long id = account_id(q->account);

    reply->type = "text/xml";
    say(reply,
        "<GetCallerIdentityResponse "
        "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"
        "<Arn>arn:aws:iam::%llu:user/guard</Arn><UserId>AIDAEXAMPLE</UserId><Account>%llu</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>",
        id, id);
}

/* An alert about a trail names its ARN: in plain JSON, percent-encoded as the form has it. */
static void note_publication(const Request *q) {
    static const char arn[] = "arn:aws:cloudtrail:";
    char *text = malloc(q->body_len + 1), *end = text;
    uint64_t now = now_usec();

    if (!text)
        die("out of memory");
    for (size_t i = 0; i < q->body_len; i++) {
        char hex[3] = { 0 };

        if (q->body[i] == '%' && i + 2 < q->body_len) {
            memcpy(hex, q->body + i + 1, 2);
            *end++ = (char)strtoul(hex, NULL, 16);
            i += 2;
        } else
            *end++ = q->body[i];
    }
    *end = '\0';
    if (strstr(text, "trail.stopped"))
        for (char *at = strstr(text, arn); at; at = strstr(at + 1, arn)) {
            long account;
            int region;
            Target *t = target_of_arn(at, end, &account, &region);

            if (t && t->stop_usec && now >= t->stop_usec && !t->published_usec)
                t->published_usec = now;
        }
    free(text);
}

static void answer_publication(Reply *reply, const Request *q) {
    note_publication(q);
    reply->type = "text/xml";
    say(reply,
        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>"
        "<MessageId>0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0</MessageId></PublishResult></PublishResponse>");
}

static void start_logging(Target *t) {
    if (t->stopped) {
        t->stopped = false;
        t->started_usec = now_usec();
        t->restarted_sec = time(NULL);
    }
}

/* What is about one trail that the body names. */
static void answer_about_trail(Reply *reply, Operation operation, Target *t) {
    if (operation == GET_TRAIL_STATUS)
        answer_status(reply, t);
    else if (operation == START_LOGGING) {
        start_logging(t);
        say(reply, "{}");
    } else if (operation == GET_INSIGHT_SELECTORS)
        refuse(reply, "InsightNotEnabledException", "The trail does not have Insights enabled.");
    else {
        say(reply, operation == LIST_TAGS ? "{\"ResourceTagList\":[{\"ResourceId\":\"" : "{\"TrailARN\":\"");
        say_arn(reply, t);
        say(reply,
            operation == LIST_TAGS ? "\",\"TagsList\":[]}]}"
            : operation == GET_EVENT_SELECTORS
                    ? "\",\"EventSelectors\":[{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true,"
                      "\"DataResources\":[],\"ExcludeManagementEventSources\":[]}]}"
                    : "\",\"MaxEventSize\":\"Standard\",\"ContextKeySelectors\":[],"
                      "\"AggregationConfigurations\":[]}");
    }
}

static Target *target_of(const Request *q) {
    static const char arn[] = "arn:aws:cloudtrail:";
    const char *at = memmem(q->body, q->body_len, arn, strlen(arn));
    long account;
    int region;

    return at ? target_of_arn(at, q->body + q->body_len, &account, &region)
              : target_at(q->account, q->region);
}

/* false: this request is never answered. */
static bool answer(const Request *q, Reply *reply) {
    bool by_trail = q->operation <= START_LOGGING;
    Target *t = by_trail ? target_of(q) : NULL;

    if (by_trail && !t) {
        refuse(reply, "TrailNotFoundException", "Unknown trail");
        return true;
    }
    if (is_among(t, world.hang)) {
        seen.hung++;
        return false;
    }
    if (by_trail && world.throttle && (unsigned)(random() % 1000) < world.throttle) {
        seen.throttled++;
        refuse(reply, "ThrottlingException", "Rate exceeded");
        return true;
    }
    switch (q->operation) {
    case DESCRIBE_TRAILS:
        say(reply, "{\"trailList\":[");
        say_trail(reply, t);
        say(reply, "]}");
        break;
    case LIST_TRAILS:
        say(reply, "{\"Trails\":[{\"Name\":\"main\",\"HomeRegion\":\"%s\",\"TrailARN\":\"",
            world.regions[(size_t)(t - world.targets) % world.n_regions]);
        say_arn(reply, t);
        say(reply, "\"}]}");
        break;
    case LOOKUP_EVENTS: say(reply, "{\"Events\":[]}"); break;
    case GET_CALLER_IDENTITY: answer_identity(reply, q); break;
    case ASSUME_ROLE: answer_session(reply, q); break;
    case PUBLISH: answer_publication(reply, q); break;
    case OTHER:
        refuse(reply, "UnknownOperationException", "the stand-in does not know this operation");
        break;
    default: answer_about_trail(reply, q->operation, t);
    }
    return true;
}

/* ---- connections ---- */

static void watch(Connection *c, bool wants_write) {
    struct epoll_event event = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = c };

    if (c->wants_write != wants_write && epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
    c->wants_write = wants_write;
}

static void close_connection(Connection *c) {
    if (!c->closed) {
        SSL_free(c->ssl);
        close(c->fd);
        free(c->in);
        free(c->out);
        n_open--;
    }
    c->closed = true;
    if (c->n_pins == 0)
        free(c);
}

/* 1: went on, 0: later, -1: over. */
static int progress(Connection *c, int result) {
    int e = SSL_get_error(c->ssl, result);

    if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) {
        watch(c, e == SSL_ERROR_WANT_WRITE);
        return 0;
    }
    ERR_clear_error();
    return -1;
}

static int flush(Connection *c) {
    while (c->out_sent < c->out_len) {
        int n = SSL_write(c->ssl, c->out + c->out_sent, (int)(c->out_len - c->out_sent));

        if (n <= 0)
            return progress(c, n);
        c->out_sent += (size_t)n;
    }
    free(c->out);
    c->out = NULL;
    c->out_len = c->out_sent = 0;
    watch(c, false);
    if (!world.close_after)
        return 1;
    /* As a host that closes idle connections does: without a word in the headers. */
    SSL_shutdown(c->ssl);
    return -1;
}

static void queue_reply(Connection *c, const Reply *reply) {
    char head[320];
    struct tm tm;
    time_t now = time(NULL);
    char date[48];
    int n;

    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nx-amzn-RequestId: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\r\nContent-Type: "
                 "%s\r\n"
                 "Content-Length: %zu\r\nDate: %s\r\n\r\n",
                 reply->status, reply->status == 200 ? "OK" : "Bad Request", reply->type, reply->len, date);
    c->out = malloc((size_t)n + reply->len);
    if (!c->out)
        die("out of memory");
    memcpy(c->out, head, (size_t)n);
    memcpy(c->out + n, reply->body, reply->len);
    c->out_len = (size_t)n + reply->len;
    seen.bytes_out += c->out_len;
}

static void delay(Connection *c) {
    c->due_usec = now_usec() + world.delay_ms * 1000ULL;
    c->n_pins++;
    c->next_delayed = NULL;
    *delayed_end = c;
    delayed_end = &c->next_delayed;
}

/* One whole request at the beginning of the buffer: its length, 0 when more must come, -1 when it is none.
 */
static ssize_t parse(const Connection *c, Request *q) {
    const char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4), *length;
    size_t len;

    if (!end)
        return c->in_len < REQUEST_MAX ? 0 : -1;
    *q = (Request){ .head = c->in, .head_len = (size_t)(end + 2 - c->in), .body = end + 4 };
    length = header(q, "content-length", &len);
    q->body_len = length ? strtoul(length, NULL, 10) : 0;
    if (q->body_len > REQUEST_MAX)
        return -1;
    return q->head_len + 2 + q->body_len > c->in_len ? 0 : (ssize_t)(q->head_len + 2 + q->body_len);
}

static int serve(Connection *c) {
    static Reply reply;
    Request q;
    ssize_t n = parse(c, &q);

    if (n <= 0)
        return (int)n;
    find_operation(&q);
    find_caller(&q);
    seen.requests[q.operation]++;
    seen.bytes_in += (uint64_t)n;
    reply = (Reply){ .status = 200, .type = "application/x-amz-json-1.1" };
    c->hung = !answer(&q, &reply);
    if (!c->hung)
        queue_reply(c, &reply);
    c->in_len -= (size_t)n;
    memmove(c->in, c->in + n, c->in_len);
    if (c->hung)
        return 0;
    if (world.delay_ms == 0)
        return flush(c);
    delay(c);
    return 1;
}

static int fill(Connection *c) {
    int n;

    if (c->in_size - c->in_len < 4096) {
        c->in_size = c->in_size ? 2 * c->in_size : 8192;
        c->in = c->in_size > 2 * REQUEST_MAX ? NULL : realloc(c->in, c->in_size);
        if (!c->in)
            return -1;
    }
    n = SSL_read(c->ssl, c->in + c->in_len, (int)(c->in_size - c->in_len - 1));
    if (n <= 0)
        return progress(c, n);
    c->in_len += (size_t)n;
    c->in[c->in_len] = '\0';
    return 1;
}

static int handshake(Connection *c) {
    int r = SSL_accept(c->ssl);

    if (r <= 0) {
        r = progress(c, r);
        seen.failed += r < 0;
        return r;
    }
    c->accepted = true;
    if (SSL_session_reused(c->ssl))
        seen.resumed++;
    else
        seen.full++;
    watch(c, false);
    return 1;
}

static void on_ready(Connection *c) {
    int r = 1;

    if (!c->accepted)
        r = handshake(c);
    if (r > 0 && c->out && c->n_pins == 0)
        r = flush(c);
    while (r > 0) {
        r = fill(c);
        if (r > 0 && !c->out)
            r = serve(c) < 0 ? -1 : 1;
    }
    if (r < 0)
        close_connection(c);
}

static void accept_all(int listener) {
    static const int one = 1;

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN };
        Connection *c;

        if (fd < 0)
            return;
        c = calloc(1, sizeof(*c));
        if (!c || !(c->ssl = SSL_new(tls)))
            die("out of memory");
        c->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        SSL_set_fd(c->ssl, fd);
        SSL_set_accept_state(c->ssl);
        event.data.ptr = c;
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
            die("epoll_ctl: %s", strerror(errno));
        seen.connections++;
        n_open++;
    }
}

/* Sends what is due; how many ms until the next is, -1: none waits. */
static int send_due(void) {
    uint64_t now = now_usec();
    Connection *c;

    while ((c = delayed) && c->due_usec <= now) {
        delayed = c->next_delayed;
        if (!delayed)
            delayed_end = &delayed;
        c->n_pins--;
        if (c->closed || flush(c) < 0)
            close_connection(c);
    }
    return delayed ? (int)((delayed->due_usec - now + 999) / 1000) : -1;
}

/* ---- commands ---- */

static void set_mode(char *words) {
    char *save = NULL;

    world.delay_ms = world.throttle = world.hang = 0;
    world.close_after = false;
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        char *value = strchr(w, '=');
        unsigned n = value ? (unsigned)strtoul(value + 1, NULL, 10) : 0;

        if (strncmp(w, "delay=", 6) == 0)
            world.delay_ms = n;
        else if (strncmp(w, "close=", 6) == 0)
            world.close_after = n != 0;
        else if (strncmp(w, "throttle=", 9) == 0)
            world.throttle = n;
        else if (strncmp(w, "hang=", 5) == 0)
            world.hang = n;
        else
            die("unknown mode: %s", w);
    }
    puts("{}");
}

static void reset(void) {
    float *gaps = seen.gaps;
    size_t size = seen.gaps_size;

    memset(&seen, 0, sizeof(seen));
    seen.gaps = gaps;
    seen.gaps_size = size;
    memset(world.targets, 0, world.n_accounts * world.n_regions * sizeof(*world.targets));
    puts("{}");
}

static void print_stats(void) {
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("{\"connections\":%" PRIu64 ",\"open\":%u,\"full\":%" PRIu64 ",\"resumed\":%" PRIu64
           ",\"failed\":%" PRIu64 ",\"throttled\":%" PRIu64 ",\"hung\":%" PRIu64 ",\"bytes_in\":%" PRIu64
           ",\"bytes_out\":%" PRIu64 ",\"unknown\":\"%s\",\"cpu_usec\":%lld",
           seen.connections, n_open, seen.full, seen.resumed, seen.failed, seen.throttled, seen.hung,
           seen.bytes_in, seen.bytes_out, seen.other,
           (long long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
                   usage.ru_stime.tv_usec);
    for (unsigned i = 0; i < _OPERATION_MAX; i++)
        printf(",\"%s\":%" PRIu64, operation_names[i], seen.requests[i]);
    puts("}");
}

static int compare_floats(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static double gap_at(double share) {
    return (double)seen.gaps[(size_t)((double)(seen.n_gaps - 1) * share)];
}

static void print_gaps(void) {
    if (seen.n_gaps == 0) {
        puts("{\"n\":0}");
        return;
    }
    qsort(seen.gaps, seen.n_gaps, sizeof(*seen.gaps), compare_floats);
    printf("{\"n\":%zu,\"min\":%.4f,\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,\"p99.9\":%.4f,\"max\":%.4f}\n",
           seen.n_gaps, gap_at(0), gap_at(0.5), gap_at(0.9), gap_at(0.99), gap_at(0.999), gap_at(1));
}

/* Each trail at most once, so that no incident disturbs another's. */
static void plan_stops(const char *words) {
    unsigned long first, n, count, within_ms, seed, n_trails;
    uint64_t now = now_usec();
    size_t *order;

    if (sscanf(words, "%lu %lu %lu %lu %lu", &first, &n, &count, &within_ms, &seed) != 5 ||
        first + n > world.n_accounts || count > n * world.n_regions)
        die("stops FIRST N COUNT WITHIN_MS SEED, and there are %lu accounts", world.n_accounts);
    n_trails = n * world.n_regions;
    order = calloc(n_trails, sizeof(*order));
    if (!order)
        die("out of memory");
    srandom((unsigned)seed);
    for (size_t i = 0; i < n_trails; i++) {
        size_t j = (size_t)random() % (i + 1);

        order[i] = order[j];
        order[j] = first * world.n_regions + i;
    }
    for (size_t i = 0; i < count; i++)
        world.targets[order[i]].stop_usec =
                now + 1 + (uint64_t)((double)random() / ((double)RAND_MAX + 1) * (double)within_ms * 1000);
    free(order);
    puts("{}");
}

static void print_after(uint64_t usec, uint64_t stop_usec) {
    if (usec)
        printf("%.3f", (double)(usec - stop_usec) / 1000);
    else
        printf("null");
}

static void print_outcomes(const char *words) {
    unsigned long first, n;
    const char *comma = "";

    if (sscanf(words, "%lu %lu", &first, &n) != 2 || first + n > world.n_accounts)
        die("outcomes FIRST N");
    putchar('[');
    for (size_t i = first * world.n_regions; i < (first + n) * world.n_regions; i++) {
        const Target *t = &world.targets[i];

        if (!t->stop_usec)
            continue;
        printf("%s[", comma);
        print_after(t->noticed_usec, t->stop_usec);
        putchar(',');
        print_after(t->started_usec, t->stop_usec);
        putchar(',');
        print_after(t->published_usec, t->stop_usec);
        putchar(']');
        comma = ",";
    }
    puts("]");
}

static void obey(char *line) {
    size_t n = strcspn(line, " ");
    char *words = line[n] ? line + n + 1 : line + n;

    line[n] = '\0';
    if (strcmp(line, "mode") == 0)
        set_mode(words);
    else if (strcmp(line, "reset") == 0)
        reset();
    else if (strcmp(line, "stats") == 0)
        print_stats();
    else if (strcmp(line, "gaps") == 0)
        print_gaps();
    else if (strcmp(line, "stops") == 0)
        plan_stops(words);
    else if (strcmp(line, "outcomes") == 0)
        print_outcomes(words);
    else
        die("unknown command: %s", line);
    fflush(stdout);
}

static void read_commands(void) {
    static char text[4096];
    static size_t len;
    ssize_t n = read(STDIN_FILENO, text + len, sizeof(text) - len - 1);
    char *line = text, *end;

    if (n <= 0)
        exit(0);
    len += (size_t)n;
    text[len] = '\0';
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        obey(line);
    }
    len = strlen(line);
    memmove(text, line, len + 1);
}

/* ---- the start ---- */

static int start_listening(unsigned port) {
    static const int one = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t len = sizeof(address);
    int fd;

    address.sin_addr.s_addr = htonl(port == 443 ? INADDR_ANY : INADDR_LOOPBACK);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        die("port %u: %s", port, strerror(errno));
    printf("{\"port\":%u}\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void take_regions(char *list) {
    char *save = NULL;

    for (char *name = strtok_r(list, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (world.n_regions == REGIONS_MAX || strlen(name) >= sizeof(world.regions[0]))
            die("too many regions, or too long a name: %s", name);
        snprintf(world.regions[world.n_regions++], sizeof(world.regions[0]), "%s", name);
    }
}

static void raise_limit(void) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Of what is no connection. */
static void add_to_poller(int fd, void *mark) {
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void __attribute__((noreturn)) run(int listener) {
    static char listening, commands;
    struct epoll_event events[256];

    add_to_poller(listener, &listening);
    add_to_poller(STDIN_FILENO, &commands);

    for (;;) {
        int n = epoll_wait(poller, events, 256, send_due());

        for (int i = 0; i < n; i++)
            if (events[i].data.ptr == &listening)
                accept_all(listener);
            else if (events[i].data.ptr == &commands)
                read_commands();
            else
                on_ready(events[i].data.ptr);
    }
}

int main(int argc, char **argv) {
    static const struct option options[] = {
        { "ca", required_argument, NULL, 'c' },
        { "port", required_argument, NULL, 'p' },
        { "regions", required_argument, NULL, 'r' },
        { "accounts", required_argument, NULL, 'a' },
        { 0 },
    };
    static char standard[] = "eu-central-1,us-east-1";
    const char *ca_file = NULL;
    unsigned port = 443;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        if (option == 'c')
            ca_file = optarg;
        else if (option == 'p')
            port = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'r')
            take_regions(optarg);
        else if (option == 'a')
            world.n_accounts = strtoul(optarg, NULL, 10);
        else
            return 2;
    if (world.n_regions == 0)
        take_regions(standard);
    if (!ca_file || world.n_accounts == 0)
        die("needs --ca FILE, and at least one account");
    world.targets = calloc(world.n_accounts * world.n_regions, sizeof(*world.targets));
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!world.targets || poller < 0)
        die("out of memory");
    (void)signal(SIGPIPE, SIG_IGN);
    raise_limit();
    start_tls(ca_file);
    run(start_listening(port));
}
