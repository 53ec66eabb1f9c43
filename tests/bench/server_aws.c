/* SPDX-License-Identifier: Apache-2.0 */
/* What AWS knows and answers: N accounts in M regions, one trail each. What its hosts are asked is counted.
 *
 * Commands come a line each, and each is answered by one line of JSON:
 *   mode [delay=MS] [close=1] [throttle=PERMILLE] [hang=PERMILLE]
 *       what is not named is off
 *   reset
 *       counters, intervals and stops start again
 *   stats
 *       requests, connections, handshakes, bytes
 *   gaps
 *       quantiles of the intervals between polls of one healthy target
 *   stops FIRST N COUNT WITHIN_MS SEED
 *       stops COUNT trails at random times, one in each of as many of the accounts FIRST..FIRST+N-1:
 *       account i's is in region i modulo M
 *   outcomes FIRST N
 *       what came of them: [polled, started, published] in ms after the stop */
#include "server.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#define GAPS_MAX          (8U << 20)
#define MAIN_ACCOUNT      111122223333ULL
#define FIRST_MEMBER      200000000000ULL /* account i > 0 is this plus i */
#define STARTED_AGO_SEC   86400
#define DELIVERED_AGO_SEC 120

World world = { .n_accounts = 1 };
Seen seen;

static struct {
    float *seconds;
    size_t n, size;
} gaps;

uint64_t now_usec(void) {
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void die(const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    fputs("bench server: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
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

const char *header(const Request *q, const char *name, size_t *ret_len) {
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

void read_request(Request *q) {
    find_operation(q);
    find_caller(q);
    seen.requests[q->operation]++;
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

    if (t->polled_usec && !is_among(t, world.hang) && gaps.n < GAPS_MAX) {
        if (gaps.n == gaps.size) {
            gaps.size = gaps.size ? 2 * gaps.size : 1 << 16;
            gaps.seconds = realloc(gaps.seconds, gaps.size * sizeof(*gaps.seconds));
            if (!gaps.seconds)
                die("out of memory");
        }
        gaps.seconds[gaps.n++] = (float)((double)(now - t->polled_usec) / 1e6);
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

bool answer(const Request *q, Reply *reply) {
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
    seen = (Seen){ .n_open = seen.n_open };
    gaps.n = 0;
    memset(world.targets, 0, world.n_accounts * world.n_regions * sizeof(*world.targets));
    puts("{}");
}

static void print_stats(void) {
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("{\"connections\":%" PRIu64 ",\"open\":%u,\"full\":%" PRIu64 ",\"resumed\":%" PRIu64
           ",\"failed\":%" PRIu64 ",\"throttled\":%" PRIu64 ",\"hung\":%" PRIu64 ",\"bytes_in\":%" PRIu64
           ",\"bytes_out\":%" PRIu64 ",\"unknown\":\"%s\",\"cpu_usec\":%lld",
           seen.connections, seen.n_open, seen.full, seen.resumed, seen.failed, seen.throttled, seen.hung,
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
    return (double)gaps.seconds[(size_t)((double)(gaps.n - 1) * share)];
}

static void print_gaps(void) {
    if (gaps.n == 0) {
        puts("{\"n\":0}");
        return;
    }
    qsort(gaps.seconds, gaps.n, sizeof(*gaps.seconds), compare_floats);
    printf("{\"n\":%zu,\"min\":%.4f,\"p50\":%.4f,\"p90\":%.4f,\"p99\":%.4f,\"p99.9\":%.4f,\"max\":%.4f}\n",
           gaps.n, gap_at(0), gap_at(0.5), gap_at(0.9), gap_at(0.99), gap_at(0.999), gap_at(1));
}

static void take_numbers(const char *words, unsigned long *ret, size_t n) {
    for (size_t i = 0; i < n; i++) {
        char *end;

        ret[i] = strtoul(words, &end, 10);
        if (end == words)
            die("%zu numbers are needed", n);
        words = end;
    }
}

/* FIRST N, the accounts that a command is about. */
static void check_accounts(const unsigned long *numbers) {
    if (numbers[0] > world.n_accounts || numbers[1] > world.n_accounts - numbers[0])
        die("there are %lu accounts", world.n_accounts);
}

/* One in an account: after a stop a guard polls all trails of its account faster for a while, so the next
 * stop there would be found sooner. */
static void plan_stops(const char *words) {
    unsigned long numbers[5], n_left, count;
    uint64_t now = now_usec();

    take_numbers(words, numbers, 5);
    check_accounts(numbers);
    n_left = numbers[1];
    count = numbers[2];
    if (count > n_left)
        die("%lu stops in %lu accounts", count, n_left);
    srandom((unsigned)numbers[4]);
    /* a choice of count out of all, each equally likely */
    for (unsigned long i = numbers[0]; n_left > 0; i++, n_left--) {
        if ((unsigned long)random() % n_left >= count)
            continue;
        count--;
        target_at((long)i, (int)(i % world.n_regions))->stop_usec =
                now + 1 + (uint64_t)((double)random() / ((double)RAND_MAX + 1) * (double)numbers[3] * 1000);
    }
    puts("{}");
}

static void print_after(uint64_t usec, uint64_t stop_usec) {
    if (usec)
        printf("%.3f", (double)(usec - stop_usec) / 1000);
    else
        printf("null");
}

static void print_outcomes(const char *words) {
    unsigned long numbers[2];
    const char *comma = "";

    take_numbers(words, numbers, 2);
    check_accounts(numbers);
    putchar('[');
    for (size_t i = numbers[0] * world.n_regions; i < (numbers[0] + numbers[1]) * world.n_regions; i++) {
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

void obey(char *line) {
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
