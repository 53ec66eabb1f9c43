/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/engine_debug.h"

#include <stdio.h>

#include "daemon/core/enum_names.h"
#include "daemon/log.h"
#include "lib/call.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"

static unsigned long long to_ms(uint64_t usec) {
    return (usec + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
}

/* ---- calls ---- */

/* AssumeRole calls are made with the base credentials. */
static const char *account_of(const Engine *engine, const CredentialsProvider *credentials) {
    for (size_t i = 0; credentials && i < engine->n_accounts; i++)
        if (engine->accounts[i]->credentials == credentials)
            return engine_account_named(engine->accounts[i]);
    return "";
}

static const char *or_dash(const char *s) {
    return s[0] ? s : "-";
}

static void log_attempt(const AwsCallView *call, const AwsError *error, uint64_t duration_usec,
                        void *userdata) {
    const char *account = account_of(userdata, call->credentials);
    char text[ERROR_TEXT_MAX] = "ok", status[16] = "no answer";
    LogField fields[] = {
        { "AWS_ACCOUNT", account },
        { "AWS_REGION", call->region },
        { "AWS_REQUEST_ID", error->request_id },
    };

    if (error->http_status != 0)
        (void)snprintf(status, sizeof(status), "HTTP %d", error->http_status);
    if (error->class != AWS_OK)
        (void)aws_error_text(error, NULL, text, sizeof(text));
    else if (error->request_id[0])
        (void)snprintf(text, sizeof(text), "ok (request id %s)", error->request_id);
    log_event(LOG_DEBUG, NULL, fields, ARRAY_SIZE(fields),
              "call: %s %s %s %s: %s in %llu ms, attempt %u/%u: %s", call->service, or_dash(call->operation),
              call->region, or_dash(account), status, to_ms(duration_usec), call->attempt,
              call->max_attempts, text);
}

/* AWS's code, or else why there was no answer. */
static void count_attempt(Metrics *metrics, const AwsCallView *call, const AwsError *error,
                          uint64_t duration_usec) {
    METRICS_COUNT(metrics, METRICS_REQUESTS, 1, call->service, call->operation);
    METRICS_COUNT(metrics, METRICS_THROTTLES, error->class == AWS_THROTTLED, call->service, call->operation);
    if (error->class != AWS_OK)
        METRICS_COUNT(metrics, METRICS_ERRORS, 1, call->service, call->operation,
                      error->code[0] ? error->code : aws_error_class_to_string(error->class));
    metrics_observe(metrics, METRICS_REQUEST_TIME, call->service, duration_usec);
}

static void attempt_ended(const AwsCallView *call, const AwsError *error, uint64_t duration_usec,
                          void *userdata) {
    const Engine *engine = userdata;

    count_attempt(engine->metrics, call, error, duration_usec);
    if (log_level() >= LOG_DEBUG)
        log_attempt(call, error, duration_usec, userdata);
}

static const char *const classes[_RATE_CLASS_MAX] = {
    [RATE_READ] = "reads",   [RATE_LIST] = "lists",        [RATE_LOOKUP] = "lookups",
    [RATE_WRITE] = "writes", [RATE_OTHER] = "other calls",
};

static void write_hold(const AwsCallView *call, AwsHold hold, StrBuf *b) {
    static const char *const by[_AWS_HOLD_MAX] = {
        [AWS_HOLD_RATE] = "by the rate limiter for ",
        [AWS_HOLD_RATE_LATE] = "not sent: its turn by the rate limiter is after its deadline; for ",
        [AWS_HOLD_BACKOFF] = "by back-off before attempt ",
        [AWS_HOLD_RETRY_QUOTA] = "no retry: the quota of retries there is used up",
        [AWS_HOLD_OUTAGE] = "no retry: the last call there got no answer",
        [AWS_HOLD_CONNECTIONS] = "by the limit of connections",
        [AWS_HOLD_KEPT] = "until a connection of its host is free",
        [AWS_HOLD_HOST] = "by the host's share of the connections",
        [AWS_HOLD_SUSPECT] = "by the share of suspect hosts of the connections",
    };

    (void)strbuf_add(b, by[hold]);
    if (hold == AWS_HOLD_RATE || hold == AWS_HOLD_RATE_LATE)
        (void)strbuf_add(b, classes[call->class]);
    if (hold == AWS_HOLD_BACKOFF)
        (void)strbuf_addf(b, "%u/%u", call->attempt + 1, call->max_attempts);
}

static void log_hold(const AwsCallView *call, AwsHold hold, uint64_t usec, void *userdata) {
    const char *account = account_of(userdata, call->credentials);
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(256);
    LogField fields[] = { { "AWS_ACCOUNT", account }, { "AWS_REGION", call->region } };

    if (usec > 0)
        (void)strbuf_addf(&b, "%llu ms ", to_ms(usec));
    write_hold(call, hold, &b);
    log_event(LOG_DEBUG, NULL, fields, ARRAY_SIZE(fields), "held back: %s %s %s %s: %s", call->service,
              or_dash(call->operation), call->region, or_dash(account), strbuf_str(&b));
}

static void held_back(const AwsCallView *call, AwsHold hold, uint64_t usec, void *userdata) {
    static const char *const reasons[_AWS_HOLD_MAX] = {
        [AWS_HOLD_RATE] = "rate limit",
        [AWS_HOLD_RATE_LATE] = "rate limit, given up",
        [AWS_HOLD_BACKOFF] = "back-off",
        [AWS_HOLD_RETRY_QUOTA] = "retry quota, given up",
        [AWS_HOLD_OUTAGE] = "outage, given up",
        [AWS_HOLD_CONNECTIONS] = "connections",
        [AWS_HOLD_KEPT] = "connections of the host",
        [AWS_HOLD_HOST] = "share of the host",
        [AWS_HOLD_SUSPECT] = "share of suspect hosts",
    };
    const Engine *engine = userdata;

    METRICS_COUNT(engine->metrics, METRICS_HELD, 1, reasons[hold]);
    METRICS_COUNT(engine->metrics, METRICS_HELD_USEC, usec, reasons[hold]);
    if (log_level() >= LOG_DEBUG)
        log_hold(call, hold, usec, userdata);
}

void engine_observe_calls(Engine *engine) {
    const AwsObserver observer = { .attempt_ended = attempt_ended,
                                   .held_back = held_back,
                                   .userdata = engine };

    if (log_level() < LOG_DEBUG && !engine->metrics)
        return;
    aws_client_set_observer(engine->aws.client, &observer);
    log_debug("memory: a trail takes %zu bytes, a target %zu and an account %zu, besides their texts",
              sizeof(Trail), sizeof(Target), sizeof(Account));
}

/* ---- trails ---- */

static const char *const inputs[] = {
    [GUARD_POLLED] = "a poll",
    [GUARD_COMPARED] = "a check of its settings",
    [GUARD_ACTED] = "the end of an action",
    [GUARD_ATTRIBUTED] = "the end of a search",
    [GUARD_FORGOTTEN] = "an accepted end",
    [GUARD_TIME] = "a wake-up",
};

static void add_findings(StrBuf *b, uint32_t findings) {
    const char *between = "";

    for (Finding f = 0; f < _FINDING_MAX; f++)
        if (findings & FINDING_BIT(f)) {
            (void)strbuf_addf(b, "%s%s", between, finding_to_string(f));
            between = ", ";
        }
    if (!findings)
        (void)strbuf_add(b, "none");
}

static void trail_line(const Trail *trail, const char *kind, const char *text) {
    char name[160];
    LogField fields[] = { { "TRAIL_NAME", trail->name },
                          { "TRAIL_ARN", trail->arn },
                          { "AWS_ACCOUNT", trail->account },
                          { "AWS_REGION", trail->region } };

    log_event(LOG_DEBUG, NULL, fields, ARRAY_SIZE(fields), "%s: %s %s %s: %s", kind,
              text_escaped(name, sizeof(name), trail->name), or_dash(trail->region), or_dash(trail->account),
              text);
}

static void show_transition(const Trail *trail, Verdict was, uint32_t findings, GuardInput kind) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(2048);

    (void)strbuf_addf(&b, "%s -> %s, after %s; findings ", verdict_to_string(was),
                      verdict_to_string(TRAIL_STATE(trail, verdict)), inputs[kind]);
    add_findings(&b, findings);
    (void)strbuf_add(&b, " -> ");
    add_findings(&b, TRAIL_STATE(trail, findings));
    trail_line(trail, "verdict", strbuf_str(&b));
}

static void show_hold(const Trail *trail, const Policy *policy) {
    const TrailState state = states_trail(trail->state);
    Now now = engine_now(trail->engine);
    uint64_t until_usec;
    const char *by = guard_held_back(policy, &trail->facts, &state, now, &until_usec);
    char text[256];

    if (!by)
        return;
    if (until_usec > now.mono_usec)
        (void)snprintf(text, sizeof(text), "%llu ms by %s", to_ms(until_usec - now.mono_usec), by);
    else
        (void)snprintf(text, sizeof(text), "by %s", by);
    trail_line(trail, "held back", text);
}

void engine_debug_trail(const Trail *trail, Verdict was, uint32_t findings, GuardInput kind,
                        const Policy *policy) {
    if (log_level() < LOG_DEBUG || trail->engine->once)
        return;
    if (was != TRAIL_STATE(trail, verdict) || findings != TRAIL_STATE(trail, findings))
        show_transition(trail, was, findings, kind);
    show_hold(trail, policy);
}

void engine_debug_trail_woke(const Trail *trail) {
    TrailState state;
    Policy policy;

    if (log_level() < LOG_DEBUG)
        return;
    policy = engine_account_policy(trail->via);
    state = states_trail(trail->state);
    trail_line(trail, "wake-up",
               guard_wake_reason(&policy, &trail->facts, &state, engine_now(trail->engine)));
}

/* ---- targets and accounts ---- */

static void reach_line(const Subject *subject, const char *kind, const char *text) {
    LogField fields[] = { { "AWS_ACCOUNT", subject->account }, { "AWS_REGION", subject->region } };

    log_event(LOG_DEBUG, NULL, fields, ARRAY_SIZE(fields), "%s: %s%s%s: %s", kind, subject->region,
              subject->region[0] ? " " : "", or_dash(subject->account), text);
}

static const char *state_of(bool unreachable, unsigned n_failed) {
    return unreachable ? "unreachable" : n_failed > 0 ? "failing" : "reachable";
}

void engine_debug_reach(const Subject *subject, const TargetState *state, unsigned was_failed,
                        bool was_unreachable) {
    char text[2 * ERROR_TEXT_MAX];

    if (log_level() < LOG_DEBUG || (was_failed == state->n_failed && was_unreachable == state->unreachable))
        return;
    (void)snprintf(text, sizeof(text), "%s -> %s; polls that failed in a row: %u%s%s",
                   state_of(was_unreachable, was_failed), state_of(state->unreachable, state->n_failed),
                   state->n_failed, state->error_text[0] ? ": " : "", state->error_text);
    reach_line(subject, "target", text);
}

void engine_debug_reach_woke(const Subject *subject) {
    if (log_level() >= LOG_DEBUG)
        reach_line(subject, "wake-up", "a reminder, a summary or a worse severity may be due");
}

static const char *why_it_waits(const Target *target, const TargetPace *pace) {
    if (pace->not_enabled)
        return "because the region is not enabled";
    if (pace->n_failed > 0)
        return pace->throttled ? "by back-off: AWS throttles" : "by back-off: polls fail";
    return target->n_trails > 0 ? "by the rate limiter: the polls of its trails are stretched"
                                : "because no trail lives there";
}

void engine_debug_target_waits(const Target *target, const TargetPace *pace, uint64_t wait_usec) {
    Subject subject = engine_target_subject(target);
    char text[128];

    if (log_level() < LOG_DEBUG || wait_usec == 0)
        return;
    (void)snprintf(text, sizeof(text), "no poll for %llu ms, %s", to_ms(wait_usec),
                   why_it_waits(target, pace));
    reach_line(&subject, "held back", text);
}
