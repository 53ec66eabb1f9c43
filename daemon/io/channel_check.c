/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/channel_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/core/channel_health.h"
#include "daemon/log.h"
#include "lib/kms.h"
#include "lib/sns.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

/* A receiver without an answer is asked once more before that counts. */
#define AGAIN_USEC (60 * USEC_PER_SEC)

typedef struct Watched {
    ChannelWatch *watch;
    const ChannelConfig *config;
    char *key;
    LoopTimer *timer; /* for the next check */
    OperationCall *call;
    HttpExchange *exchange;
    StrBuf url;            /* the URL being checked; may be a secret */
    size_t member, n_good; /* of a cluster: the member being checked, and how many answered */
    char worst[ERROR_TEXT_MAX];
    SnsTopic topic; /* we own its policy */
    char key_state[64];
    SnsSubscriptions subscriptions; /* confirmed ones; owned */
    size_t at;                      /* the next one */
    unsigned n_filtered;
    GuardParts parts;
    ChannelHealth health;
    bool busy;
    bool suspect;        /* it did not answer once */
    bool denial_is_said; /* the denial was logged */
    uint64_t unheard_usec; /* real; when that was reported; 0: not ... */
    uint64_t mark_usec;    /* ... or a crash may have prevented the report; else 0 */
    char account[16];      /* ... and the account then */
    char unheard_text[ERROR_TEXT_MAX];
} Watched;

struct ChannelWatch {
    ChannelWatchOptions options;
    Loop *loop;
    size_t n;
    Watched rows[];
};

static void check_begins(void *userdata);

static void check_later(Watched *w, uint64_t delay_usec) {
    if (loop_after(w->watch->loop, delay_usec, check_begins, w, &w->timer) < 0)
        log_line(LOG_ERR, "%s: no timer for the next check", w->key);
}

/* ---- the result of a check ---- */

/* False: it could not be. */
static bool report_heard(Watched *w, bool unheard) {
    const ChannelWatchOptions *options = &w->watch->options;
    ChannelTrouble trouble = { .channel = w->key };

    if (unheard && w->mark_usec == 0)
        channel_trouble_begins(&options->context, &w->mark_usec, w->account);
    trouble.since_usec = unheard ? w->mark_usec : w->unheard_usec;
    (void)text_copy(trouble.account, sizeof(trouble.account), w->account);
    (void)text_copy(trouble.text, sizeof(trouble.text), w->health.text);
    if (options->changed && options->changed(&trouble, unheard, options->userdata) < 0)
        return false;
    w->unheard_usec = unheard ? w->mark_usec : 0;
    w->mark_usec = 0;
    if (unheard)
        (void)text_copy(w->unheard_text, sizeof(w->unheard_text), w->health.text);
    return true;
}

static uint64_t next_usec(const ChannelWatch *watch, const ChannelHealth *health, bool error) {
    uint64_t next = channel_health_next_usec(health->verdict, error, loop_random(watch->loop));
    uint64_t most = watch->options.interval_usec;

    return most > 0 ? MIN(next, most) : next;
}

/* error: the check failed, and proves nothing. */
static void check_ended(Watched *w, const ChannelHealth *health, bool error) {
    ChannelWatch *watch = w->watch;
    const ChannelWatchOptions *options = &watch->options;
    bool reported = true;

    w->busy = false;
    strbuf_done(&w->url);
    free(TAKE_PTR(w->topic.policy));
    w->health = *health;
    free(TAKE_PTR(w->subscriptions.items));
    guard_parts_done(&w->parts);
    if (options->checked)
        options->checked((size_t)(w - watch->rows), health, options->userdata);
    if (health->verdict == CHANNEL_UNHEARD && w->unheard_usec == 0)
        reported = report_heard(w, true);
    else if (health->verdict == CHANNEL_HEARD)
        w->mark_usec = 0;
    if (health->verdict == CHANNEL_HEARD && w->unheard_usec != 0)
        reported = report_heard(w, false);
    if (!options->once)
        check_later(w, reported ? next_usec(watch, health, error) : AGAIN_USEC);
}

static void _printf_(3, 4) check_found(Watched *w, ChannelVerdict verdict, const char *format, ...) {
    ChannelHealth health = { .verdict = verdict };
    char text[ERROR_TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    (void)text_escaped(health.text, sizeof(health.text), text);
    check_ended(w, &health, verdict == CHANNEL_UNCHECKED);
}

/* ---- topics ---- */

static void judge_topic(Watched *w, bool gone, const char *key_state) {
    const TopicFacts facts = {
        .arn = w->config->topic_arn,
        .caller = w->watch->options.caller,
        .gone = gone,
        .confirmed = w->topic.confirmed,
        .pending = w->topic.pending,
        .filtered = w->n_filtered,
        .policy = w->topic.policy,
        .key = w->topic.key,
        .key_state = key_state,
    };
    ChannelHealth health = { .verdict = CHANNEL_UNCHECKED };

    channel_health_topic(&facts, &health);
    check_ended(w, &health, false);
}

/* ---- its subscriptions ---- */

static void ask_filter(Watched *w);

static void add_part(Watched *w, GuardPartKind kind, const char *name, const char *text) {
    int r = guard_parts_add(&w->parts, kind, name, text);

    if (r == -E2BIG)
        r = guard_parts_many(&w->parts, kind);
    if (r < 0)
        w->parts.kinds &= ~GUARD_PART_BIT(kind);
}

/* Everything about the topic was read. */
static void topic_read(Watched *w) {
    const ChannelWatchOptions *options = &w->watch->options;

    w->parts.kinds |= GUARD_PART_BIT(GUARD_PART_TOPIC_POLICY) | GUARD_PART_BIT(GUARD_PART_TOPIC_KEY);
    if (w->topic.policy)
        add_part(w, GUARD_PART_TOPIC_POLICY, "", w->topic.policy);
    if (w->topic.key[0])
        add_part(w, GUARD_PART_TOPIC_KEY, w->topic.key, NULL);
    if (options->topic_seen)
        options->topic_seen(w->config->topic_arn, &w->parts, options->userdata);
    judge_topic(w, false, w->key_state);
}

/* Its name is the protocol and the end of the ARN, because the address is personal. */
static void add_subscription(Watched *w, const SnsSubscription *one, const SnsFilter *filter) {
    _cleanup_strbuf_ StrBuf text = STRBUF_INIT(300 * 1024);
    const char *id = strrchr(one->arn, ':');
    char name[128];

    (void)snprintf(name, sizeof(name), "%.20s %.60s", one->protocol, id ? id + 1 : one->arn);
    (void)strbuf_addf(&text, "%s %s", filter->scope, filter->policy);
    add_part(w, GUARD_PART_SUBSCRIPTION, name, strbuf_str(&text));
}

static void on_filter(const AwsError *error _unused_, const SnsFilter *filter, void *userdata) {
    Watched *w = userdata;

    w->call = NULL;
    if (filter) {
        w->n_filtered += subscription_filter_drops(filter->policy, filter->scope);
        add_subscription(w, &w->subscriptions.items[w->at], filter);
    } else
        w->parts.kinds &= ~GUARD_PART_BIT(GUARD_PART_SUBSCRIPTION);
    w->at++;
    ask_filter(w);
}

/* Of more than there is room for, that alone is known. */
static void ask_filter(Watched *w) {
    const ChannelContext *context = &w->watch->options.context;
    const AwsCaller caller = { .client = context->aws, .credentials = context->credentials };

    if (w->at < w->subscriptions.n && w->subscriptions.n < GUARD_PARTS_MAX &&
        sns_get_subscription_attributes(&caller, w->subscriptions.items[w->at].arn, on_filter, w,
                                        &w->call) >= 0)
        return;
    if (w->at < w->subscriptions.n && (w->subscriptions.n < GUARD_PARTS_MAX ||
                                       guard_parts_many(&w->parts, GUARD_PART_SUBSCRIPTION) < 0))
        w->parts.kinds &= ~GUARD_PART_BIT(GUARD_PART_SUBSCRIPTION);
    topic_read(w);
}

static void on_subscriptions(const AwsError *error _unused_, const SnsSubscriptions *list, void *userdata) {
    Watched *w = userdata;

    w->call = NULL;
    w->subscriptions.items = list ? calloc(list->n + 1, sizeof(*list->items)) : NULL;
    for (size_t i = 0; w->subscriptions.items && i < list->n; i++)
        if (text_starts_with(list->items[i].arn, "arn:"))
            w->subscriptions.items[w->subscriptions.n++] = list->items[i];
    if (w->topic.confirmed == 0)
        w->topic.confirmed = (unsigned)w->subscriptions.n;
    if (!w->watch->options.subscriptions) {
        judge_topic(w, false, w->key_state);
        return;
    }
    if (w->subscriptions.items)
        w->parts.kinds |= GUARD_PART_BIT(GUARD_PART_SUBSCRIPTION);
    ask_filter(w);
}

/* That nobody is subscribed both must say, the count and the list: what stands in for SNS may not count.
 * Where the list is denied the count stands. */
static void topic_known(Watched *w, const char *key_state) {
    const ChannelContext *context = &w->watch->options.context;
    const AwsCaller caller = { .client = context->aws, .credentials = context->credentials };

    (void)text_copy(w->key_state, sizeof(w->key_state), key_state);
    w->subscriptions.n = w->at = w->n_filtered = 0;
    if ((w->watch->options.subscriptions || w->topic.confirmed == 0) &&
        sns_list_subscriptions_by_topic(&caller, w->config->topic_arn, on_subscriptions, w, &w->call) >= 0)
        return;
    if (w->watch->options.subscriptions)
        topic_read(w);
    else
        judge_topic(w, false, key_state);
}

/* A state that cannot be read says nothing: publishing will. */
static void on_topic_key(const AwsError *error, const KmsKey *key, void *userdata) {
    Watched *w = userdata;

    w->call = NULL;
    topic_known(w, key ? key->state : error->class == AWS_NOT_FOUND ? "gone" : "");
}

static int channel_check_ask_key(Watched *w) {
    const ChannelContext *context = &w->watch->options.context;
    AwsCaller caller = { .client = context->aws, .credentials = context->credentials };
    char key[ARN_MAX];
    Arn arn;

    if (!channel_health_key_arn(w->config->topic_arn, w->topic.key, key) || arn_parse(key, &arn) < 0)
        return -EINVAL;
    caller.region = arn.region;
    return kms_describe_key(&caller, key, on_topic_key, w, &w->call);
}

static void topic_failed(Watched *w, const AwsError *error) {
    char text[ERROR_TEXT_MAX];
    ChannelHealth health = { .verdict = CHANNEL_UNCHECKED };
    bool denied = error->class == AWS_DENIED;

    (void)aws_error_text(error, "GetTopicAttributes", text, sizeof(text));
    if (denied && !w->denial_is_said && !w->watch->options.once) {
        w->denial_is_said = true;
        log_aws(LOG_INFO, text, "%s: whether anyone gets its alerts cannot be checked: %s", w->key, text);
    }
    (void)snprintf(health.text, sizeof(health.text), "not checked: %.*s", (int)sizeof(health.text) - 16,
                   text);
    check_ended(w, &health, !denied);
}

static void on_topic(const AwsError *error, const SnsTopic *topic, void *userdata) {
    Watched *w = userdata;

    w->call = NULL;
    w->topic = (SnsTopic){ 0 };
    if (error->class == AWS_NOT_FOUND) {
        judge_topic(w, true, "");
        return;
    }
    if (!topic) {
        topic_failed(w, error);
        return;
    }
    w->topic = *topic;
    w->topic.policy = topic->policy ? strdup(topic->policy) : NULL;
    if (!w->topic.key[0] || channel_check_ask_key(w) < 0)
        topic_known(w, "");
}

static int channel_check_check_topic(Watched *w) {
    const ChannelContext *context = &w->watch->options.context;

    return sns_get_topic_attributes(
            &(AwsCaller){ .client = context->aws, .credentials = context->credentials },
            w->config->topic_arn, on_topic, w, &w->call);
}

/* ---- receivers ---- */

static int ask_receiver(Watched *w);

/* One try says little: a receiver that restarts is no news. */
static void receiver_is_silent(Watched *w) {
    if (w->suspect || w->watch->options.once) {
        check_found(w, CHANNEL_BROKEN, "%s", w->worst);
        return;
    }
    w->suspect = true;
    w->busy = false;
    strbuf_done(&w->url);
    check_later(w, AGAIN_USEC);
}

static void all_members_asked(Watched *w) {
    size_t n = w->config->type == CHANNEL_ALERTMANAGER ? w->config->urls.n : 1;

    if (w->n_good == 0) {
        receiver_is_silent(w);
        return;
    }
    w->suspect = false;
    if (w->n_good < n)
        check_found(w, CHANNEL_HEARD, "%zu of %zu answer; %.400s", w->n_good, n, w->worst);
    else
        check_found(w, CHANNEL_HEARD, "it answers");
}

/* Any answer of a web service says that it is there; one of Alertmanager's below 500 that it is ready, as a
 * proxy may let through no more than its API. */
static bool is_good_answer(const Watched *w, const HttpResponse *response) {
    return response->result == HTTP_ANSWERED &&
           (w->config->type != CHANNEL_ALERTMANAGER || response->status < 500);
}

static void note_silence(Watched *w, const HttpResponse *response) {
    const char *member = w->config->type == CHANNEL_ALERTMANAGER ? w->config->urls.items[w->member] : "";
    Receipt receipt;

    if (w->worst[0])
        return;
    channel_http_receipt(response, NULL, 0, &receipt);
    if (w->config->type != CHANNEL_ALERTMANAGER && strstr(receipt.text, strbuf_str(&w->url)))
        (void)text_copy(receipt.text, sizeof(receipt.text), http_result_to_string(response->result));
    (void)snprintf(w->worst, sizeof(w->worst), "%.100s%s%.300s", member, member[0] ? ": " : "",
                   receipt.text);
}

static void on_receiver(const HttpResponse *response, void *userdata) {
    Watched *w = userdata;

    w->exchange = NULL;
    if (is_good_answer(w, response))
        w->n_good++;
    else
        note_silence(w, response);
    strbuf_done(&w->url);
    if (w->config->type == CHANNEL_ALERTMANAGER && ++w->member < w->config->urls.n) {
        if (ask_receiver(w) < 0)
            check_found(w, CHANNEL_UNCHECKED, "not checked: out of memory");
        return;
    }
    all_members_asked(w);
}

/* 1: the receipt says why there is no URL. */
static int find_url(Watched *w, Receipt *receipt) {
    const char *base;

    if (w->config->type != CHANNEL_ALERTMANAGER)
        return channel_read_url(w->config, channel_webhook_url(w->config->format), &w->url, receipt) < 0 ? 1
                                                                                                         : 0;
    base = w->config->urls.items[w->member];
    w->url = STRBUF_INIT(4096);
    return strbuf_addf(&w->url, "%s%s-/ready", base, text_ends_with(base, "/") ? "" : "/");
}

static int ask_receiver(Watched *w) {
    bool cluster = w->config->type == CHANNEL_ALERTMANAGER;
    Receipt receipt = { 0 };
    int r = find_url(w, &receipt);

    if (r == 1) {
        check_found(w, CHANNEL_BROKEN, "%s", receipt.text);
        return 0;
    }
    if (r < 0)
        return r;
    return http_submit(w->watch->options.context.http,
                       &(HttpRequest){ .method = cluster ? "GET" : "HEAD",
                                       .url = strbuf_str(&w->url),
                                       .connect_timeout_usec = CHANNEL_CONNECT_USEC,
                                       .timeout_usec = CHANNEL_HTTP_USEC },
                       on_receiver, w, &w->exchange);
}

static int check_receiver(Watched *w) {
    w->member = w->n_good = 0;
    w->worst[0] = '\0';
    return ask_receiver(w);
}

/* ---- programs ---- */

static int check_program(Watched *w) {
    const char *program = w->config->command.items[0];

    if (access(program, X_OK) == 0)
        check_found(w, CHANNEL_HEARD, "the program is there");
    else
        check_found(w, CHANNEL_BROKEN, "%.300s cannot be executed: %s", program, strerror(errno));
    return 0;
}

/* ---- all ---- */

typedef int (*CheckByType)(Watched *w);

static const CheckByType checks_by_type[_CHANNEL_TYPE_MAX] = {
    [CHANNEL_SNS] = channel_check_check_topic,
    [CHANNEL_WEBHOOK] = check_receiver,
    [CHANNEL_COMMAND] = check_program,
    [CHANNEL_ALERTMANAGER] = check_receiver,
};

static void check_begins(void *userdata) {
    Watched *w = userdata;

    w->busy = true;
    if (checks_by_type[w->config->type](w) < 0)
        check_found(w, CHANNEL_UNCHECKED, "not checked: out of memory");
}

static void remember_unheard(Watched *w, const ChannelTrouble *trouble) {
    if (!text_equal(w->key, trouble->channel))
        return;
    (void)text_copy(w->account, sizeof(w->account), trouble->account);
    if (trouble->pending) {
        w->mark_usec = trouble->since_usec;
        return;
    }
    w->unheard_usec = trouble->since_usec;
    (void)text_copy(w->unheard_text, sizeof(w->unheard_text), trouble->text);
}

static int add_row(ChannelWatch *watch, const ChannelConfig *config) {
    const ChannelWatchOptions *options = &watch->options;
    Watched *w = &watch->rows[watch->n++];

    w->watch = watch;
    w->config = config;
    w->key = config_channel_key(config);
    if (!w->key)
        return -ENOMEM;
    for (size_t i = 0; i < options->n_unheard; i++)
        remember_unheard(w, &options->unheard[i]);
    w->busy = options->once;
    return loop_after(watch->loop, options->begin_usec, check_begins, w, &w->timer);
}

int channel_watch_new(const ChannelWatchOptions *options, ChannelWatch **ret) {
    ChannelWatch *watch = calloc(1, sizeof(*watch) + options->n_channels * sizeof(watch->rows[0]));
    int r = 0;

    if (!watch)
        return -ENOMEM;
    watch->options = *options;
    watch->loop = options->context.loop;
    for (size_t i = 0; r >= 0 && i < options->n_channels; i++)
        r = add_row(watch, &options->channels[i]);
    if (r < 0) {
        channel_watch_free(watch);
        return r;
    }
    *ret = watch;
    return 0;
}

void channel_watch_free(ChannelWatch *watch) {
    if (!watch)
        return;
    for (size_t i = 0; i < watch->n; i++) {
        Watched *w = &watch->rows[i];

        loop_cancel(watch->loop, w->timer);
        operation_cancel(w->call);
        if (w->exchange)
            http_cancel(watch->options.context.http, w->exchange);
        strbuf_done(&w->url);
        free(w->topic.policy);
        free(w->subscriptions.items);
        guard_parts_done(&w->parts);
        free(w->key);
    }
    free(watch);
}

bool channel_watch_is_busy(const ChannelWatch *watch) {
    for (size_t i = 0; watch && i < watch->n; i++)
        if (watch->rows[i].busy)
            return true;
    return false;
}

const ChannelHealth *channel_watch_health(const ChannelWatch *watch, size_t i) {
    return &watch->rows[i].health;
}

uint64_t channel_watch_unheard_usec(const ChannelWatch *watch, size_t i) {
    return watch->rows[i].unheard_usec;
}

bool channel_watch_trouble(const ChannelWatch *watch, size_t i, ChannelTrouble *ret) {
    const Watched *w = &watch->rows[i];
    bool pending = w->unheard_usec == 0;

    if (pending && w->mark_usec == 0)
        return false;
    *ret = (ChannelTrouble){ .channel = w->key,
                             .since_usec = pending ? w->mark_usec : w->unheard_usec,
                             .pending = pending };
    (void)text_copy(ret->account, sizeof(ret->account), w->account);
    (void)text_copy(ret->text, sizeof(ret->text), pending ? "" : w->unheard_text);
    return true;
}

const char *channel_watch_key(const ChannelWatch *watch, size_t i) {
    return watch->rows[i].key;
}
