/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/settings_check.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/settings.h"
#include "daemon/io/observe.h"
#include "daemon/io/task.h"
#include "lib/cloudtrail.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define LIST_CALL UNREADABLE_BUCKET /* its slot, after those of the other calls */

struct SettingsCheck {
    Task task;
    SettingsCheckRequest request; /* owns its strings */
    SettingsSnapshot snapshot;
    bool list_asked;
    bool listed; /* DescribeTrails has answered; its settings are known, the rest must still be requested */
};

/* ---- values ---- */

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
    text = object ? json_text_dump(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    return text ? settings_set(settings, FIELD_TAGS, text) : -ENOMEM;
}

/* ---- finishing ---- */

void settings_check_cancel(SettingsCheck *check) {
    if (!check)
        return;
    task_done(&check->task);
    settings_done(&check->snapshot.settings);
    free(check);
}
DEFINE_CLEANUP(SettingsCheck *, settings_check_cancel);

static void settings_check_finish(void *userdata) {
    SettingsCheck *check = userdata;

    check->request.done(&check->snapshot, check->request.userdata);
    settings_check_cancel(check);
}

static void failed(SettingsCheck *check, uint32_t fields, const char *operation, const AwsError *error) {
    if (check->snapshot.failed == 0) {
        check->snapshot.error = observe_error(error->class);
        (void)aws_error_text(error, operation, check->snapshot.error_text,
                             sizeof(check->snapshot.error_text));
    }
    check->snapshot.failed |= fields;
}

/* Errors of older partitions and of trails of other accounts (API reference, GetEventConfiguration,
 * "Errors"). */
static bool is_kept_back(const AwsError *error) {
    static const char *const codes[] = { "UnsupportedOperationException", "OperationNotPermittedException",
                                         "NoManagementAccountSLRExistsException" };

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (text_equal(codes[i], error->code))
            return true;
    return false;
}

/* AWS supports all of these calls, and their only parameter is the trail. An endpoint that calls them
 * invalid is a substitute for AWS without that call. For GetEventConfiguration such an endpoint may also
 * fail with a page in a foreign format. */
static bool is_unsupported(Unreadable what, const AwsError *error) {
    bool failed_inside = error->http_status == 500 && !error->code[0];

    return error->class == AWS_INVALID ||
           (what == UNREADABLE_CONFIGURATION && (failed_inside || is_kept_back(error)));
}

static void call_failed(SettingsCheck *check, Unreadable what, const AwsError *error) {
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

    failed(check, FIELD_BIT(calls[what].field), calls[what].operation, error);
    observe_failure(error, calls[what].operation, calls[what].action, check->request.arn,
                    &check->snapshot.failures[what]);
    check->snapshot.failures[what].unsupported = is_unsupported(what, error);
}

/* Makes an error of a local failure, before the request or after the answer. */
static AwsError error_of(int r) {
    AwsError error;

    aws_error_set(&error, AWS_INTERNAL, NULL, "%s", strerror(-r));
    return error;
}

static void call_failed_here(SettingsCheck *check, Unreadable what, int r) {
    AwsError error = error_of(r);

    call_failed(check, what, &error);
}

/* ---- the calls ---- */

/* r: the result of parsing a successful answer. */
static void answered(SettingsCheck *check, Unreadable what, const AwsError *error, int r) {
    task_answered(&check->task, what);
    if (error->class != AWS_OK)
        call_failed(check, what, error);
    else if (r < 0)
        call_failed_here(check, what, r);
    task_go_on(&check->task);
}

static void selectors_done(const AwsError *error, const CloudTrailSelectors *selectors, void *userdata) {
    static const AwsError none = { .class = AWS_OK };
    SettingsCheck *check = userdata;
    Settings *settings = &check->snapshot.settings;
    int r = 0;

    /* AWS accepts more selectors than fit here: 500 values of 2048 characters, each up to six bytes in JSON.
     * Padding must not hide a change of the selectors, so too long an answer counts as a change */
    if ((error->too_long || error->too_big) && check->request.has_baseline) {
        r = settings_set(settings, FIELD_SELECTORS, SETTINGS_TOO_LONG);
        error = &none;
    } else if (error->class == AWS_OK)
        r = set_selectors(settings, selectors);
    answered(check, UNREADABLE_SELECTORS, error, r);
}

static void insights_done(const AwsError *error, const char *insights, void *userdata) {
    SettingsCheck *check = userdata;
    bool ok = error->class == AWS_OK;

    answered(check, UNREADABLE_INSIGHTS, error,
             ok ? settings_set(&check->snapshot.settings, FIELD_INSIGHTS, insights[0] ? insights : "[]")
                : 0);
}

static void tags_done(const AwsError *error, const CloudTrailTags *tags, void *userdata) {
    SettingsCheck *check = userdata;

    answered(check, UNREADABLE_TAGS, error,
             error->class == AWS_OK ? set_tags(&check->snapshot.settings, tags) : 0);
}

static void configuration_done(const AwsError *error, const char *configuration, void *userdata) {
    SettingsCheck *check = userdata;
    bool ok = error->class == AWS_OK;

    answered(check, UNREADABLE_CONFIGURATION, error,
             ok ? settings_set(&check->snapshot.settings, FIELD_CONFIGURATION, configuration) : 0);
}

static void asked(SettingsCheck *check, Unreadable what, int r) {
    if (task_asked(&check->task, r) < 0)
        call_failed_here(check, what, r);
}

static void ask_rest(SettingsCheck *check) {
    const SettingsCheckRequest *q = &check->request;
    OperationCall **calls = check->task.calls;

    asked(check, UNREADABLE_SELECTORS,
          cloudtrail_get_event_selectors(&(AwsCaller){ q->aws, q->credentials, q->region }, q->arn,
                                         selectors_done, check, &calls[UNREADABLE_SELECTORS]));
    if (!check->snapshot.settings.values[FIELD_INSIGHTS])
        asked(check, UNREADABLE_INSIGHTS,
              cloudtrail_get_insight_selectors(&(AwsCaller){ q->aws, q->credentials, q->region }, q->arn,
                                               insights_done, check, &calls[UNREADABLE_INSIGHTS]));
    if (!q->no_tags)
        asked(check, UNREADABLE_TAGS,
              cloudtrail_list_tags(&(AwsCaller){ q->aws, q->credentials, q->region }, q->arn, tags_done,
                                   check, &calls[UNREADABLE_TAGS]));
    asked(check, UNREADABLE_CONFIGURATION,
          cloudtrail_get_event_configuration(&(AwsCaller){ q->aws, q->credentials, q->region }, q->arn,
                                             configuration_done, check, &calls[UNREADABLE_CONFIGURATION]));
}

static void settings_check_list_done(const AwsError *error, const CloudTrailTrails *trails, void *userdata) {
    SettingsCheck *check = userdata;
    AwsError failure = *error;
    int r = -ENOENT;

    task_answered(&check->task, LIST_CALL);
    for (size_t i = 0; error->class == AWS_OK && r == -ENOENT && i < trails->n; i++)
        if (text_equal(trails->items[i].arn, check->request.arn))
            r = observe_settings(&trails->items[i], &check->snapshot.settings);
    check->listed = r >= 0;
    check->snapshot.gone = error->class == AWS_OK && r == -ENOENT;
    if (r < 0 && r != -ENOENT)
        failure = error_of(r);
    if (!check->listed && !check->snapshot.gone)
        failed(check, FIELDS_ALL, "DescribeTrails", &failure);
    task_go_on(&check->task);
}

static void settings_check_ask_list(SettingsCheck *check) {
    const SettingsCheckRequest *q = &check->request;
    int r = cloudtrail_describe_trails(&(AwsCaller){ q->aws, q->credentials, q->region }, NULL,
                                       settings_check_list_done, check, &check->task.calls[LIST_CALL]);

    check->list_asked = true;
    if (task_asked(&check->task, r) < 0) {
        AwsError error = error_of(r);

        failed(check, FIELDS_ALL, "DescribeTrails", &error);
    }
}

static void settings_check_go_on(void *userdata) {
    SettingsCheck *check = userdata;

    if (check->listed) {
        check->listed = false;
        ask_rest(check);
    } else if (!check->list_asked)
        settings_check_ask_list(check);
}

int settings_check_start(const SettingsCheckRequest *request, SettingsCheck **ret) {
    _cleanup_(settings_check_cancelp) SettingsCheck *check = calloc(1, sizeof(*check));
    int r;

    if (!check)
        return -ENOMEM;
    check->request = *request;
    check->request.listed = NULL;
    check->listed = check->list_asked = request->listed != NULL;
    r = task_init(&check->task, request->aws, LIST_CALL + 1, settings_check_go_on, settings_check_finish,
                  check);
    if (r >= 0)
        r = task_keep(&check->task, &check->request.region);
    if (r >= 0)
        r = task_keep(&check->task, &check->request.arn);
    if (r >= 0 && request->listed)
        r = settings_copy(request->listed, &check->snapshot.settings);
    if (r >= 0)
        r = task_after(&check->task, 0);
    if (r >= 0)
        *ret = TAKE_PTR(check);
    return r;
}
