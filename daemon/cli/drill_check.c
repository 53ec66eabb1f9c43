/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon shows of a trail, and whether it may be drilled. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/cli/drill.h"
#include "daemon/cli/status_tables.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/guard.h"
#include "daemon/io/report.h"
#include "daemon/io/state.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

#define POLL_MAX_SEC 300                  /* of poll_interval: a longer drill loses too many events */
#define PAUSE_USEC   (360 * USEC_PER_SEC) /* between drills of one trail, so that each has its own
                                             incident */
#define REOPEN_USEC  (GUARD_REOPEN_USEC + USEC_PER_SEC) /* the times in status.json are whole seconds */

int drill_refuse(const Drilling *d, const char *why, const char *detail) {
    char shown[2][300];

    fprintf(stderr, "trailguard drill: %s: %s%s\n",
            text_escaped(shown[0], sizeof(shown[0]), d->arn[0] ? d->arn : d->args->names[0]), why,
            text_escaped(shown[1], sizeof(shown[1]), detail));
    return -ECANCELED;
}

/* ---- the daemon's status ---- */

uint64_t drill_time(const json_t *object, const char *member) {
    uint64_t usec = 0;

    return timetext_parse_iso(status_text(object, member), &usec) < 0 ? 0 : usec;
}

int drill_read_status(Drilling *d) {
    _cleanup_(file_closep) int fd = -1;
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    json_t *status;
    int pid, r = state_is_guarded(engine_state_dir(), engine_runtime_dir(), &pid);

    if (r == 0)
        return 0;
    fd = r < 0 ? r : file_dir_open(engine_runtime_dir());
    r = fd < 0 ? fd : file_read_at(fd, STATUS_FILE, STATUS_SIZE_MAX, &text, &len);
    if (r < 0)
        return r;
    status = json_loadb(text, len, 0, NULL);
    if (!json_is_object(status)) {
        json_decref(status);
        return -EBADMSG;
    }
    json_decref(d->status);
    d->status = status;
    return 1;
}

/* The only trail with that name or ARN; NULL: none, or *ret_several. */
static const json_t *find_trail(const Drilling *d, const char *name, bool *ret_several) {
    const json_t *trails = json_object_get(d->status, "trails"), *found = NULL;

    *ret_several = false;
    for (size_t i = 0; i < json_array_size(trails); i++) {
        const json_t *trail = json_array_get(trails, i);

        if (!text_equal(status_text(trail, "name"), name) && !text_equal(status_text(trail, "arn"), name))
            continue;
        *ret_several = found != NULL;
        found = trail;
    }
    return *ret_several ? NULL : found;
}

const json_t *drill_shown(const Drilling *d) {
    bool several;

    return json_object_get(find_trail(d, d->arn, &several), "drill");
}

const char *drill_failure(const Drilling *d) {
    bool several;
    const json_t *incident = json_object_get(find_trail(d, d->arn, &several), "incident");

    return status_text(json_object_get(incident, "failure"), "text");
}

/* ---- conditions ---- */

/* The group of `accounts` whose role the daemon uses for this account; NULL: none, or the organization's. */
static const AccountConfig *find_account(const Drilling *d) {
    const json_t *rows = json_object_get(d->status, "accounts");
    const char *role = NULL;
    bool listed = false;

    for (size_t i = 0; i < json_array_size(rows) && !listed; i++) {
        listed = text_equal(status_text(json_array_get(rows, i), "id"), d->account);
        role = json_string_value(json_object_get(json_array_get(rows, i), "role"));
    }
    for (size_t i = 0; listed && i < d->config->n_accounts; i++) {
        const char *arn = d->config->accounts[i].role_arn;

        if (role && role[0] ? arn && text_equal(arn, role) : !arn)
            return &d->config->accounts[i];
    }
    return NULL;
}

/* What the daemon may do about the trail. The top level's mode may have changed since it read the file. */
static Policy policy_of(const Drilling *d) {
    const AccountConfig *account = find_account(d);
    Policy policy = config_account_policy(d->config, account);

    if (!account || account->mode == _MODE_MAX)
        policy.mode = mode_from_string(status_text(d->status, "mode"));
    return policy;
}

static int check_stop(Drilling *d) {
    char interval[TIMETEXT_MAX];

    if (policy_of(d).mode == MODE_OBSERVE)
        return drill_refuse(d, "mode is \"observe\": the daemon would not start it again; use --tag", "");
    if (d->interval_usec == 0 || d->interval_usec > POLL_MAX_SEC * USEC_PER_SEC)
        return drill_refuse(d,
                            "poll_interval is longer than 300 s: the trail would be stopped too long; use "
                            "--tag, or shorten "
                            "it: ",
                            timetext_span(interval, d->interval_usec));
    return 0;
}

static bool are_tags_recorded(const json_t *trail) {
    const json_t *missing = json_object_get(trail, "not_recorded");

    for (size_t i = 0; i < json_array_size(missing); i++)
        if (text_equal(json_string_value(json_array_get(missing, i)), field_to_string(FIELD_TAGS)))
            return false;
    return json_is_true(json_object_get(trail, "baseline"));
}

static int check_tag(Drilling *d, const json_t *trail) {
    Policy policy = policy_of(d);
    char interval[TIMETEXT_MAX];

    if (!json_is_true(json_object_get(trail, "baseline")))
        return drill_refuse(d, "it has no baseline, so no tag is a change; run trailguard accept ", d->name);
    if (!are_tags_recorded(trail))
        return drill_refuse(d,
                            "its tags are not watched: the baseline does not have them; let the guard call "
                            "cloudtrail:ListTags, and run trailguard accept ",
                            d->name);
    if (d->interval_usec > POLL_MAX_SEC * USEC_PER_SEC)
        return drill_refuse(
                d, "settings_interval is longer than 300 s: the drill would take too long; shorten it: ",
                timetext_span(interval, d->interval_usec));
    d->put_back = policy.mode == MODE_RESTORE && (policy.restore & RESTORE_BIT(RESTORE_DELETED));
    return 0;
}

static int check_trail(Drilling *d, const json_t *trail) {
    const MaintenanceConfig *window = config_maintenance_at(d->config, d->name, d->arn, verb_now_usec());
    uint64_t pause_usec = drill_time(json_object_get(trail, "drill"), "noticed") + PAUSE_USEC;
    uint64_t ended_usec = drill_time(trail, "incident_ended") + REOPEN_USEC;
    char when[TIMETEXT_MAX];
    int r;

    if (json_is_true(json_object_get(trail, "organization")))
        return drill_refuse(d, "an organization trail is not drilled: it records all accounts", "");
    if (!text_equal(status_text(trail, "verdict"), "logging"))
        return drill_refuse(
                d, "it is not well now; trailguard status shows why: ", status_text(trail, "verdict"));
    if (json_array_size(json_object_get(trail, "findings")) > 0 ||
        !json_is_null(json_object_get(trail, "incident")))
        return drill_refuse(d, "it has an open incident; trailguard status shows it", "");
    if (json_is_true(json_object_get(trail, "provisional")))
        return drill_refuse(d, "it is new, and nobody has accepted it; run trailguard accept ", d->name);
    if (window)
        return drill_refuse(d, "a maintenance window is open for it; drill it after ",
                            timetext_iso(when, window->until_usec));
    r = d->args->tag ? check_tag(d, trail) : check_stop(d);
    if (r < 0)
        return r;
    if (pause_usec > verb_now_usec())
        return drill_refuse(d, "its last drill was less than 6 minutes ago; drill it again after ",
                            timetext_iso(when, pause_usec));
    if (ended_usec > verb_now_usec())
        return drill_refuse(d,
                            "its last incident ended less than 5 minutes ago, and a drill would reopen it; "
                            "drill it after ",
                            timetext_iso(when, ended_usec));
    return d->config->n_channels > 0
                   ? 0
                   : drill_refuse(
                             d,
                             "no channel is configured: nobody would get an alert; name one in alerts of ",
                             d->config->path);
}

static int refuse_status(const Drilling *d, int error) {
    char reason[ERROR_TEXT_MAX];

    (void)snprintf(reason, sizeof(reason), "%.300s/" STATUS_FILE ": %s", engine_runtime_dir(),
                   file_strerror(error));
    return drill_refuse(d, "what the daemon shows cannot be read: ", reason);
}

int drill_check_daemon(Drilling *d) {
    const char *name = d->args->names[0];
    const json_t *trail;
    DrillFile other;
    char reason[ERROR_TEXT_MAX];
    bool several;
    int r = drill_read_status(d);

    if (r == 0)
        return drill_refuse(
                d, "no daemon runs: nothing would start the trail again; run systemctl start trailguard",
                "");
    if (r < 0)
        return refuse_status(d, r);
    trail = find_trail(d, name, &several);
    if (!trail)
        return drill_refuse(
                d,
                several ? "several trails have this name; give the ARN"
                        : "the daemon guards no such trail; trailguard status lists those that it guards",
                "");
    (void)text_copy(d->name, sizeof(d->name), status_text(trail, "name"));
    (void)text_copy(d->arn, sizeof(d->arn), status_text(trail, "arn"));
    (void)text_copy(d->account, sizeof(d->account), status_text(trail, "account"));
    (void)text_copy(d->region, sizeof(d->region), status_text(trail, "region"));
    d->interval_usec =
            (uint64_t)json_integer_value(json_object_get(d->status, "poll_interval")) * USEC_PER_SEC;
    if (drill_time(d->status, "updated") + 3 * d->interval_usec + 60 * USEC_PER_SEC < verb_now_usec())
        return drill_refuse(d, "the daemon makes no progress, see its journal; status.json is of ",
                            status_text(d->status, "updated"));
    if (d->args->tag)
        d->interval_usec = d->config->settings_interval_sec * USEC_PER_SEC;
    r = check_trail(d, trail);
    if (r == 0 && drill_file_read(engine_state_dir(), &other, reason, sizeof(reason)) == 0 &&
        other.drill.until_usec > verb_now_usec())
        return drill_refuse(d, "another drill is under way, of ", other.trail);
    return r;
}
