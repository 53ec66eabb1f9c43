/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/settings_check.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/settings.h"
#include "daemon/io/poll.h"
#include "lib/cloudtrail.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

struct SettingsCheck {
    AwsClient *aws;
    CredentialsSource *credentials;
    char *region, *arn;
    SettingsCheckDone done;
    void *userdata;
    SettingsSnapshot snapshot;
    bool listed; /* DescribeTrails was answered before */
    bool ask_insights, no_tags;
    unsigned n_pending;
    CloudTrailCall *list_call, *selectors_call, *insights_call, *tags_call, *configuration_call;
    LoopTimer *timer; /* so that done is never called from inside the start */
};

/* ---- values ---- */

int settings_check_listed(const CloudTrailTrail *listed, Settings *ret) {
    const struct {
        Field field;
        const char *value;
    } texts[] = {
        { FIELD_BUCKET, listed->bucket },     { FIELD_PREFIX, listed->prefix },
        { FIELD_KMS_KEY, listed->kms_key },   { FIELD_LOG_GROUP, listed->log_group },
        { FIELD_LOG_ROLE, listed->log_role }, { FIELD_SNS_TOPIC, listed->sns_topic },
    };
    const struct {
        Field field;
        unsigned flag;
        bool value;
    } flags[] = {
        { FIELD_MULTI_REGION, CLOUDTRAIL_MULTI_REGION, listed->multi_region },
        { FIELD_GLOBAL_EVENTS, CLOUDTRAIL_GLOBAL_EVENTS, listed->global_events },
        { FIELD_VALIDATION, CLOUDTRAIL_VALIDATION, listed->validation },
        { FIELD_ORGANIZATION, CLOUDTRAIL_ORGANIZATION, listed->organization },
        { FIELD_RECURSIVE, CLOUDTRAIL_RECURSIVE, listed->recursive },
    };
    Settings settings = { 0 };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
        r = settings_set(&settings, texts[i].field, texts[i].value ? texts[i].value : "");
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(flags); i++)
        if (listed->present & flags[i].flag)
            r = settings_set(&settings, flags[i].field, flags[i].value ? "true" : "false");
    if (r >= 0)
        r = settings_set(&settings, FIELD_UNKNOWN, listed->others ? listed->others : "{}");
    if (r >= 0 && (listed->present & CLOUDTRAIL_INSIGHT_SELECTORS) && !listed->has_insight_selectors)
        r = settings_set(&settings, FIELD_INSIGHTS, "[]");
    if (r < 0) {
        settings_done(&settings);
        return r;
    }
    *ret = settings;
    return 0;
}

static int set_selectors(Settings *settings, const CloudTrailSelectors *selectors) {
    bool advanced = selectors->advanced_event_selectors && selectors->advanced_event_selectors[0];
    const char *array = advanced ? selectors->advanced_event_selectors : selectors->event_selectors;
    _cleanup_free_ char *text = NULL;

    if (asprintf(&text, "{\"%s\":%s}", advanced ? "AdvancedEventSelectors" : "EventSelectors",
                 array && array[0] ? array : "[]") < 0) {
        text = NULL;
        return -ENOMEM;
    }
    return settings_set(settings, FIELD_SELECTORS, text);
}

static int set_tags(Settings *settings, const CloudTrailTags *tags) {
    json_auto_t *object = json_object();
    _cleanup_free_ const char *text = NULL;

    for (size_t i = 0; object && i < tags->n; i++)
        if (json_object_set_new(object, tags->items[i].key, json_string(tags->items[i].value)) < 0)
            return -ENOMEM;
    text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    return text ? settings_set(settings, FIELD_TAGS, text) : -ENOMEM;
}

/* ---- the end ---- */

static void poll_free(SettingsCheck *w) {
    CloudTrailCall *calls[] = { w->list_call, w->selectors_call, w->insights_call, w->tags_call,
                                w->configuration_call };

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        cloudtrail_cancel(calls[i]);
    loop_cancel(aws_client_loop(w->aws), w->timer);
    settings_done(&w->snapshot.settings);
    free(w->region);
    free(w->arn);
    free(w);
}

void settings_check_cancel(SettingsCheck *poll) {
    if (poll)
        poll_free(poll);
}

static void answered(SettingsCheck *w) {
    if (--w->n_pending > 0)
        return;
    w->done(&w->snapshot, w->userdata);
    poll_free(w);
}

static void failed(SettingsCheck *w, uint32_t fields, const char *operation, const AwsError *error) {
    if (w->snapshot.failed == 0) {
        w->snapshot.error = poll_error_of(error->class);
        (void)aws_error_text(error, operation, w->snapshot.error_text, sizeof(w->snapshot.error_text));
    }
    w->snapshot.failed |= fields;
}

static void call_failed(SettingsCheck *w, Unreadable what, const AwsError *error) {
    static const struct {
        Field field;
        const char *operation, *action;
    } calls[] = {
        [UNREADABLE_SELECTORS] = { FIELD_SELECTORS, "GetEventSelectors", "cloudtrail:GetEventSelectors" },
        [UNREADABLE_INSIGHTS] = { FIELD_INSIGHTS, "GetInsightSelectors", "cloudtrail:GetInsightSelectors" },
        [UNREADABLE_TAGS] = { FIELD_TAGS, "ListTags", "cloudtrail:ListTags" },
        [UNREADABLE_CONFIGURATION] = { FIELD_CONFIGURATION, "GetEventConfiguration",
                                       "cloudtrail:GetEventConfiguration" },
    };

    failed(w, FIELD_BIT(calls[what].field), calls[what].operation, error);
    poll_failure_set(&w->snapshot.failures[what], calls[what].operation, error, calls[what].action, w->arn);
}

/* What goes wrong here before AWS is asked, or after it has answered. */
static void failed_here(SettingsCheck *w, Unreadable what, int r) {
    AwsError error;

    aws_error_set(&error, AWS_INTERNAL, NULL, "%s", strerror(-r));
    call_failed(w, what, &error);
}

static void list_failed_here(SettingsCheck *w, int r) {
    AwsError error;

    aws_error_set(&error, AWS_INTERNAL, NULL, "%s", strerror(-r));
    failed(w, FIELDS_ALL, "DescribeTrails", &error);
}

/* ---- the questions ---- */

static void selectors_done(const AwsError *error, const CloudTrailSelectors *selectors, void *userdata) {
    SettingsCheck *w = userdata;
    int r;

    w->selectors_call = NULL;
    if (error->class != AWS_OK)
        call_failed(w, UNREADABLE_SELECTORS, error);
    else {
        r = set_selectors(&w->snapshot.settings, selectors);
        if (r < 0)
            failed_here(w, UNREADABLE_SELECTORS, r);
    }
    answered(w);
}

static void insights_done(const AwsError *error, const char *insights, void *userdata) {
    SettingsCheck *w = userdata;
    int r;

    w->insights_call = NULL;
    if (error->class != AWS_OK)
        call_failed(w, UNREADABLE_INSIGHTS, error);
    else {
        r = settings_set(&w->snapshot.settings, FIELD_INSIGHTS, insights[0] ? insights : "[]");
        if (r < 0)
            failed_here(w, UNREADABLE_INSIGHTS, r);
    }
    answered(w);
}

static void tags_done(const AwsError *error, const CloudTrailTags *tags, void *userdata) {
    SettingsCheck *w = userdata;
    int r;

    w->tags_call = NULL;
    if (error->class != AWS_OK)
        call_failed(w, UNREADABLE_TAGS, error);
    else {
        r = set_tags(&w->snapshot.settings, tags);
        if (r < 0)
            failed_here(w, UNREADABLE_TAGS, r);
    }
    answered(w);
}

/* What older partitions and trails of others answer (API reference, GetEventConfiguration, "Errors"). */
static bool is_unsupported(const AwsError *error) {
    static const char *const codes[] = { "UnsupportedOperationException", "OperationNotPermittedException",
                                         "NoManagementAccountSLRExistsException",
                                         "UnknownOperationException", "InvalidAction" };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (text_equal(codes[i], error->code))
            return true;
    return false;
}

static void configuration_done(const AwsError *error, const char *configuration, void *userdata) {
    SettingsCheck *w = userdata;
    int r;

    w->configuration_call = NULL;
    if (error->class != AWS_OK) {
        call_failed(w, UNREADABLE_CONFIGURATION, error);
        w->snapshot.failures[UNREADABLE_CONFIGURATION].unsupported = is_unsupported(error);
    } else {
        r = settings_set(&w->snapshot.settings, FIELD_CONFIGURATION, configuration);
        if (r < 0)
            failed_here(w, UNREADABLE_CONFIGURATION, r);
    }
    answered(w);
}

static void ask_selectors(SettingsCheck *w) {
    int r;

    w->n_pending++;
    r = cloudtrail_get_event_selectors(w->aws, w->credentials, w->region, w->arn, selectors_done, w,
                                       &w->selectors_call);
    if (r < 0) {
        failed_here(w, UNREADABLE_SELECTORS, r);
        w->n_pending--;
    }
}

static void ask_insights(SettingsCheck *w) {
    int r;

    w->n_pending++;
    r = cloudtrail_get_insight_selectors(w->aws, w->credentials, w->region, w->arn, insights_done, w,
                                         &w->insights_call);
    if (r < 0) {
        failed_here(w, UNREADABLE_INSIGHTS, r);
        w->n_pending--;
    }
}

static void ask_tags(SettingsCheck *w) {
    int r;

    w->n_pending++;
    r = cloudtrail_list_tags(w->aws, w->credentials, w->region, w->arn, tags_done, w, &w->tags_call);
    if (r < 0) {
        failed_here(w, UNREADABLE_TAGS, r);
        w->n_pending--;
    }
}

static void ask_configuration(SettingsCheck *w) {
    int r;

    w->n_pending++;
    r = cloudtrail_get_event_configuration(w->aws, w->credentials, w->region, w->arn, configuration_done, w,
                                           &w->configuration_call);
    if (r < 0) {
        failed_here(w, UNREADABLE_CONFIGURATION, r);
        w->n_pending--;
    }
}

/* The rest, once the list's part is known; ends the pending count that stood for it. */
static void ask_rest(SettingsCheck *w) {
    ask_selectors(w);
    if (w->ask_insights)
        ask_insights(w);
    if (!w->no_tags)
        ask_tags(w);
    ask_configuration(w);
    answered(w);
}

static int take_listed(SettingsCheck *w, const CloudTrailTrail *listed) {
    Settings settings;
    int r = settings_check_listed(listed, &settings);

    if (r < 0)
        return r;
    settings_done(&w->snapshot.settings);
    w->snapshot.settings = settings;
    w->ask_insights = !settings.values[FIELD_INSIGHTS];
    return 0;
}

static void list_done(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    SettingsCheck *w = userdata;
    int r = -ENOENT;

    w->list_call = NULL;
    if (error->class != AWS_OK) {
        failed(w, FIELDS_ALL, "DescribeTrails", error);
        answered(w);
        return;
    }
    for (size_t i = 0; r == -ENOENT && i < trails->n; i++)
        if (text_equal(trails->items[i].arn, w->arn))
            r = take_listed(w, &trails->items[i]);
    if (r >= 0) {
        ask_rest(w);
        return;
    }
    w->snapshot.gone = r == -ENOENT;
    if (!w->snapshot.gone)
        list_failed_here(w, r);
    answered(w);
}

static void begin_with_list(void *userdata) {
    SettingsCheck *w = userdata;
    int r;

    w->timer = NULL;
    w->n_pending = 1;
    r = cloudtrail_describe_trails(w->aws, w->credentials, w->region, list_done, w, &w->list_call);
    if (r < 0) {
        list_failed_here(w, r);
        answered(w);
    }
}

static void begin_with_rest(void *userdata) {
    SettingsCheck *w = userdata;

    w->timer = NULL;
    w->n_pending = 1;
    ask_rest(w);
}

int settings_check_new(const SettingsCheckRequest *request, SettingsCheck **ret) {
    SettingsCheck *w = calloc(1, sizeof(*w));
    int r;

    if (!w)
        return -ENOMEM;
    w->aws = request->aws;
    w->credentials = request->credentials;
    w->listed = request->listed != NULL;
    w->no_tags = request->no_tags;
    w->done = request->done;
    w->userdata = request->userdata;
    w->region = strdup(request->region);
    w->arn = strdup(request->arn);
    r = w->region && w->arn ? 0 : -ENOMEM;
    if (r >= 0 && request->listed)
        r = take_listed(w, request->listed);
    if (r < 0) {
        poll_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

int settings_check_begin(SettingsCheck *w) {
    return loop_after(aws_client_loop(w->aws), 0, w->listed ? begin_with_rest : begin_with_list, w,
                      &w->timer);
}
