/* SPDX-License-Identifier: Apache-2.0 */
/* The table of events. Their messages are in messages_trail.c, messages_scope.c and
 * messages_guard.c. */
#include "daemon/core/events.h"

#include <assert.h>
#include <string.h>

#include "daemon/core/alert_private.h"
#include "lib/util/macros.h"

#define LINES(...)                                                                                          \
    (const EventLine[]) {                                                                                   \
        __VA_ARGS__, {                                                                                      \
            .level = 0                                                                                      \
        }                                                                                                   \
    }

static const EventRow event_rows[_EVENT_MAX] = {
    [EVENT_TRAIL_STOPPED] = {
        .name = "trail.stopped",
        .cases = { { SEVERITY_CRITICAL, "a trail does not log" } },
        .sought = FINDING_BIT(FINDING_STOPPED),
        .shows_gap = true,
        .may_be_attack = true,
        .lines = LINES({ LEVEL_WARNING, LINE_STOPPED, "dce8cf43de464f49831eab8a9d658c15",
                         "{stopped}; starting it again" },
                       { LEVEL_ERR, LINE_STOPPED_LEFT, "dce8cf43de464f49831eab8a9d658c15",
                         "{stopped}; {why left}" },
                       { LEVEL_ERR, LINE_RESTART_FAILED, "84eb9c74d20045588299930cd1a7cfa4",
                         "could not be started{times}{error}{retrying}" }),
        .messages = messages_stopped,
        .reminders = reminders_stopped,
    },
    [EVENT_TRAIL_CONTESTED] = {
        .name = "trail.contested",
        .cases = { { SEVERITY_CRITICAL, "a trail is stopped again after each restart: a war" } },
        .sought = FINDING_BIT(FINDING_STOPPED),
        .shows_gap = true,
        .may_be_attack = true,
        .lines = LINES({ LEVEL_ERR, LINE_CONTESTED, "4d1c0f6ab2e94d83a7715c9e60f3b8d2",
                         "war: logging was stopped {count} within {span}, again after each restart; polling "
                         "as fast as AWS's quota allows" },
                       { LEVEL_NOTICE, LINE_CONTEST_OVER, "4d1c0f6ab2e94d83a7715c9e60f3b8d2",
                         "the war is over: logging was stopped {count} within {span}, and not again for 10 "
                         "min; polling as configured" }),
        .messages = messages_contested,
    },
    [EVENT_TRAIL_INTERRUPTED] = {
        .name = "trail.interrupted",
        .cases = { { SEVERITY_CRITICAL, "a trail was stopped and started again between two polls" } },
        .sought = FINDING_BIT(FINDING_INTERRUPTED),
        .shows_gap = true,
        .may_be_attack = true,
        .lines = LINES({ LEVEL_WARNING, LINE_INTERRUPTED, "5485ab1bc79e49838fdc1057b454e6b8",
                         "logging was stopped and started again between two polls{gap}" }),
        .messages = messages_interrupted,
    },
    [EVENT_TRAIL_MISSING] = {
        .name = "trail.missing",
        .cases = { { SEVERITY_CRITICAL, "a trail is gone" },
                   { SEVERITY_WARNING, "... that appeared, and that nobody had accepted" } },
        .sought = FINDING_BIT(FINDING_MISSING),
        .may_be_attack = true,
        .lines = LINES({ LEVEL_ERR, LINE_MISSING, "ad8b2ddbe90145898a81a17e8a52270c", "{missing}" },
                       { LEVEL_ERR, LINE_RECREATE_FAILED, "8f780ccce3e84b5b9f8ec3adb9e2910e",
                         "could not be created again{times}{error}{retrying}" },
                       { LEVEL_ERR, LINE_RECREATIONS_PAUSED, "8727edca133c4eb6a68ae74d6c2742e7",
                         "created again {count} within the hour; paused until it is over" }),
        .messages = messages_missing,
        .reminders = reminders_missing,
    },
    [EVENT_TRAIL_REPLACED] = {
        .name = "trail.replaced",
        .cases = { { SEVERITY_CRITICAL, "a trail was deleted and created again between two polls" } },
        .sought = FINDING_BIT(FINDING_REPLACED),
        .may_be_attack = true,
        .lines = LINES({ LEVEL_ERR, LINE_REPLACED, "d2e1c18e6dac4a9889de4ce053868979",
                         "was deleted and created again between two polls" }),
        .messages = messages_replaced,
    },
    [EVENT_TRAIL_WEAKENED] = {
        .name = "trail.weakened",
        .cases = { { SEVERITY_CRITICAL, "settings differ from the baseline so that events are lost, or "
                                        "differ again and again" },
                   { SEVERITY_WARNING, "settings differ otherwise" } },
        .sought = FINDING_BIT(FINDING_CHANGED),
        .may_be_attack = true,
        .lines = LINES({ LEVEL_WARNING, LINE_CHANGED, "3313b89ef3fd41dc9ee8f78f2fd778c3",
                         "differs from {standard}{fields}{window}" },
                       { LEVEL_ERR, LINE_RESTORE_FAILED, "8f780ccce3e84b5b9f8ec3adb9e2910e",
                         "could not be restored{times}{error}{retrying}" },
                       { LEVEL_ERR, LINE_RESTORES_PAUSED, "8727edca133c4eb6a68ae74d6c2742e7",
                         "restored {count} within the hour; paused until it is over{fields}" }),
        .messages = messages_weakened,
        .reminders = reminders_weakened,
    },
    [EVENT_TRAIL_FAILING] = {
        .name = "trail.failing",
        .cases = { { SEVERITY_CRITICAL, "AWS cannot deliver log files, or digests that are validated" },
                   { SEVERITY_WARNING, "AWS cannot deliver something else" } },
        .lines = LINES({ LEVEL_WARNING, LINE_FAILING, "2a9e5278301c45d28f1d5395a62e2358",
                         "{failing}{error}" }),
        .messages = messages_failing,
        .reminders = reminders_failing,
    },
    [EVENT_EXPECTATION_UNMET] = {
        .name = "expectation.unmet",
        .cases = { { SEVERITY_WARNING, "the trail does not meet `expect`: the configuration changed, or the "
                                       "trail is new" } },
        .lines = LINES({ LEVEL_WARNING, LINE_UNMET, "5b0e7d1c9f3a4c27a86d41f2be907c35",
                         "does not meet the configured expectation{since changed}{fields}" },
                       { LEVEL_ERR, LINE_UNMET_FAILED, "8f780ccce3e84b5b9f8ec3adb9e2910e",
                         "could not be set as configured{times}{error}{retrying}" },
                       { LEVEL_ERR, LINE_UNMET_PAUSED, "8727edca133c4eb6a68ae74d6c2742e7",
                         "set as configured {count} within the hour; paused until it is over{fields}" }),
        .messages = messages_unmet,
        .reminders = reminders_unmet,
    },
    [EVENT_TRAIL_APPEARED] = {
        .name = "trail.appeared",
        .cases = { { SEVERITY_WARNING, "a new trail, and its bucket is of no guarded account, as far as is "
                                       "known" },
                   { SEVERITY_INFO, "a new trail with a bucket of a guarded account or of an accepted "
                                    "trail" } },
        .sought = FINDING_BIT(FINDING_APPEARED),
        .lines = LINES({ LEVEL_NOTICE, LINE_APPEARED, "b8d2f51c7a0e4b6f9d3a61c4e5072f98",
                         "is new, and nobody has accepted it: polled; no baseline until it is accepted" }),
        .messages = messages_appeared,
    },
    [EVENT_TRAIL_STRENGTHENED] = {
        .name = "trail.strengthened",
        .cases = { { SEVERITY_INFO, "settings differ from the baseline so that more is recorded or proven; "
                                    "not undone" } },
        .opens_nothing = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_STRENGTHENED, "4e07a9d6c1b34f8a8b52d0f36c9e7a15",
                         "is stronger than its baseline, which is not undone{fields}" }),
        .messages = messages_strengthened,
    },
    [EVENT_TRAIL_ATTRIBUTED] = {
        .name = "trail.attributed",
        .cases = { { SEVERITY_OF_INCIDENT, "who did it, or that this was not found" } },
        .may_be_attack = true,
        .lines = LINES({ LEVEL_WARNING, LINE_ATTRIBUTED, "e89a805ea3564e0088216b883a4b563e",
                         "{deed}{actor}" },
                       { LEVEL_WARNING, LINE_NOBODY_FOUND, "ed2ede1548b14931ab605031fc26161c",
                         "{not found}{error}" },
                       { LEVEL_WARNING, LINE_CANDIDATES, "9d40b7c15e2f4a86b3d87f10c6e2a594",
                         "one of {calls} did it{error}" },
                       { LEVEL_WARNING, LINE_SEARCH_WAITS, "0c1f6c9e5b7d4a3f9d2e8a4b61c7f530",
                         "the search for who did it waits, because AWS throttles LookupEvents{error}" },
                       { LEVEL_WARNING, LINE_CONTAIN_PROPOSED, "6f2c81d05e7b4a39b1c4d87e93a05f26",
                         "containment proposed{error}; the alert has the commands" },
                       { LEVEL_INFO, LINE_CONTAIN_REFUSED, "a94e3b7f18d24c65806d2f5b7ce1904a",
                         "containment not proposed{error}" }),
        .messages = messages_attributed,
    },
    [EVENT_TRAIL_ATTEMPTED] = {
        .name = "trail.attempted",
        .cases = { { SEVERITY_WARNING, "a call against the trail that AWS refused" } },
        .may_be_attack = true,
        .lines = LINES({ LEVEL_WARNING, LINE_ATTEMPTED, "5fb4f4af833e449bb0ad2781c6152393",
                         "{call} tried{actor}{refusal}" }),
        .messages = messages_attempted,
    },
    [EVENT_INCIDENT_REMINDER] = {
        .name = "incident.reminder",
        .cases = { { SEVERITY_OF_INCIDENT, "an incident is still open, also of a region, or of the guard "
                                            "itself" } },
        .shows_gap = true,
    },
    [EVENT_TRAIL_RESOLVED] = {
        .name = "trail.resolved",
        .cases = { { SEVERITY_OF_INCIDENT, "a trail is well again, or is no longer guarded: `detail` says "
                                           "why" } },
        .shows_gap = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_RUNNING_AGAIN, "6bdd0f8fd1b647018313ac30fa47194b",
                         "logging again, confirmed{gap}" },
                       { LEVEL_NOTICE, LINE_STARTED_BY_OTHERS, "6bdd0f8fd1b647018313ac30fa47194b",
                         "logging again, {by others}{gap}" },
                       { LEVEL_NOTICE, LINE_REAPPEARED, "86d85cd2814a47108c8986a3e2ae02ce",
                         "exists again" },
                       { LEVEL_NOTICE, LINE_DELIVERING, "ed2bc30b992840aa8004768a1e4d551d",
                         "deliveries, bucket and key are in order again" },
                       { LEVEL_NOTICE, LINE_RESTORED, "92b7c50b4bd54b42a74a544942daae63",
                         "restored, confirmed{fields}" },
                       { LEVEL_NOTICE, LINE_UNCHANGED, "92b7c50b4bd54b42a74a544942daae63",
                         "no longer differs{fields}{reason}" },
                       { LEVEL_NOTICE, LINE_RECREATED, "a302dc4cd7164ef5b7226e70b641bfa6",
                         "created again, confirmed" }),
        .messages = messages_resolved,
    },
    [EVENT_TRAILS_UNACCEPTED] = {
        .name = "trails.unaccepted",
        .cases = { { SEVERITY_WARNING, "more trails that nobody accepted than are reported one by one" } },
        .about_no_trail = true,
        .may_be_attack = true,
        .opens_nothing = true,
        .lines = LINES({ LEVEL_WARNING, LINE_TRAILS_FULL, "7b1e40c2d9a84f6c93e5a0d87f2b6c18",
                         "as many trails as are kept of an account{error}" }),
        .messages = messages_unaccepted,
    },
    [EVENT_BASELINE_WEAK] = {
        .name = "baseline.weak",
        .cases = { { SEVERITY_WARNING, "the baseline was recorded from settings that leave something "
                                       "out" } },
        .opens_nothing = true,
        .lines = LINES({ LEVEL_WARNING, LINE_BASELINE_WEAK, "8380824f32df4a45b2520305aa579fbf",
                         "was weak when its baseline was recorded{error}" }),
        .messages = messages_baseline_weak,
    },
    [EVENT_BASELINE_DAMAGED] = {
        .name = "baseline.damaged",
        .cases = { { SEVERITY_CRITICAL, "the file of a baseline is damaged and was set aside" } },
        .opens_nothing = true,
        .lines = LINES({ LEVEL_ERR, LINE_BASELINE_DAMAGED, "bcffec5efebf4cd6961af14e4948fd79",
                         "the file with its baseline is damaged: a change made before now cannot be "
                         "detected{error}" }),
        .messages = messages_baseline_damaged,
    },
    [EVENT_BASELINE_ACCEPTED] = {
        .name = "baseline.accepted",
        .cases = { { SEVERITY_INFO, "`trailguard accept` was run: `detail` says by whom, `changes` what "
                                    "changed" } },
        .opens_nothing = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_BASELINE_ACCEPTED, "75b531f58fee48ea99f5c8fe4db0dab0",
                         "new baseline accepted{fields}{reason}" },
                       { LEVEL_NOTICE, LINE_GONE_ACCEPTED, "75b531f58fee48ea99f5c8fe4db0dab0",
                         "accepted as gone; no longer guarded{reason}" }),
        .messages = messages_baseline_accepted,
    },
    [EVENT_REGION_UNCOVERED] = {
        .name = "region.uncovered",
        .cases = { { SEVERITY_WARNING, "no trail records a configured region" } },
        .about_no_trail = true,
        .lines = LINES({ LEVEL_WARNING, LINE_UNCOVERED, "8be21f05649a4b9781eda6b5e1b2bcd8",
                         "no trail records this region" }),
        .messages = messages_uncovered,
        .reminders = reminders_uncovered,
    },
    [EVENT_REGION_COVERED] = {
        .name = "region.covered",
        .cases = { { SEVERITY_WARNING, "a trail records it again" } },
        .about_no_trail = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_COVERED, "e984dc0ed4504d4a81da2a05a4b7851f",
                         "a trail records this region again" }),
        .messages = messages_covered,
    },
    [EVENT_ACCOUNT_LEFT] = {
        .name = "account.left",
        .cases = { { SEVERITY_WARNING, "an account is no longer an active member of the organization" },
                   { SEVERITY_CRITICAL, "... for 5 minutes" } },
        .lines = LINES({ LEVEL_ERR, LINE_ACCOUNT_LEFT, "c0e7b9d2a4f14d6f8b1c5e3a79d20f46",
                         "no longer polled{error}" }),
        .messages = messages_left,
        .reminders = reminders_left,
    },
    [EVENT_TARGET_UNREACHABLE] = {
        .name = "target.unreachable",
        .cases = { { SEVERITY_WARNING, "a region, an account or one trail cannot be polled" },
                   { SEVERITY_CRITICAL, "... for 5 minutes" },
                   { SEVERITY_WARNING, "one call fails while the trail can be polled" } },
        .lines = LINES({ LEVEL_WARNING, LINE_POLL_FAILED, NULL, "could not be polled{error}" },
                       { LEVEL_ERR, LINE_UNREACHABLE, "49fc943345df47f98e855a257f350122",
                         "unreachable after {polls}{error}" },
                       { LEVEL_WARNING, LINE_STARTED_UNPOLLED, NULL,
                         "StartLogging was sent although the trail cannot be polled{times}{error}" },
                       { LEVEL_WARNING, LINE_UNREADABLE, "49fc943345df47f98e855a257f350122",
                         "{failing}{error}" },
                       { LEVEL_WARNING, LINE_LIST_FAILED, NULL,
                         "the list of trails could not be read{error}" },
                       { LEVEL_ERR, LINE_LIST_UNREADABLE, "49fc943345df47f98e855a257f350122",
                         "the list of trails cannot be read: changed settings, new trails and deletions are "
                         "not detected{error}" }),
        .messages = messages_unreachable,
        .reminders = reminders_unreachable,
    },
    [EVENT_TARGET_REACHABLE] = {
        .name = "target.reachable",
        .cases = { { SEVERITY_OF_INCIDENT, "it can be polled again" } },
        .lines = LINES({ LEVEL_NOTICE, LINE_REACHABLE, "ad746f66c84a41168397c053c340b774",
                         "reachable again after {polls}" },
                       { LEVEL_NOTICE, LINE_READABLE, "ad746f66c84a41168397c053c340b774",
                         "all its settings can be read again" },
                       { LEVEL_NOTICE, LINE_LIST_READABLE, "ad746f66c84a41168397c053c340b774",
                         "the list of trails can be read again" }),
        .messages = messages_reachable,
    },
    [EVENT_CHANNEL_FAILED] = {
        .name = "channel.failed",
        .cases = { { SEVERITY_CRITICAL, "a channel refuses messages, or has not taken one for a minute" } },
        .about_no_trail = true,
        .about_channel = true,
        .lines = LINES({ LEVEL_ERR, LINE_CHANNEL_FAILED, "d8555c6746fb478186cdd3c4b4cd011b", NULL }),
        .messages = messages_channel_failed,
    },
    [EVENT_CHANNEL_RECOVERED] = {
        .name = "channel.recovered",
        .cases = { { SEVERITY_WARNING, "it takes messages again" } },
        .about_no_trail = true,
        .about_channel = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_CHANNEL_RECOVERED, "4a3c6328241e4ce481ddee2614481143", NULL }),
        .messages = messages_channel_recovered,
    },
    [EVENT_CHANNEL_UNHEARD] = {
        .name = "channel.unheard",
        .cases = { { SEVERITY_CRITICAL, "a topic takes messages, and no confirmed subscription gets "
                                        "them" } },
        .about_no_trail = true,
        .about_channel = true,
        .lines = LINES({ LEVEL_ERR, LINE_CHANNEL_UNHEARD, "eaf73f59585047a6bd56ea0b9a193c68", NULL }),
        .messages = messages_channel_unheard,
    },
    [EVENT_CHANNEL_HEARD] = {
        .name = "channel.heard",
        .cases = { { SEVERITY_CRITICAL, "a subscription is confirmed again" } },
        .about_no_trail = true,
        .about_channel = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_CHANNEL_HEARD, "cbd474dec3164f3b97c620add94c05e9", NULL }),
        .messages = messages_channel_heard,
    },
    [EVENT_IDENTITY_CONTAINED] = {
        .name = "identity.contained",
        .cases = { { SEVERITY_CRITICAL, "`contain` in mode `enforce`: an identity is, or will be, denied "
                                        "changes of trails" } },
        .about_no_trail = true,
        .may_be_attack = true,
        .opens_nothing = true,
        .lines = LINES({ LEVEL_WARNING, LINE_CONTAIN_ABOUT, "1d5b0c3e9a6f4f0c8c27b45ad1e96f03",
                         "about to contain{error}" },
                       { LEVEL_WARNING, LINE_CONTAIN_HELD, "83c61f7a2d5e4b19b0f4d86e27a95c14",
                         "contained, confirmed{error}" },
                       { LEVEL_ERR, LINE_CONTAIN_FAILED, "c2704e8b91da4f65a3185bf06d7c9e21",
                         "not contained{error}; retrying" },
                       { LEVEL_WARNING, LINE_CONTAIN_REMOVED, "5fa9d1364c8b4e70917e2bd8a06f53c7",
                         "others removed the policy that contains{error}; putting it again" },
                       { LEVEL_ERR, LINE_CONTAIN_GIVEN_UP, "e6138d9f05b24a7c8f9d3c5b714ea082",
                         "others removed the policy too often; it is not put again{error}" },
                       { LEVEL_ERR, LINE_CONTAIN_STUCK, "09b7e45d8c2f4163a5d0f91e6ab8c374",
                         "not released{error}; retrying" }),
        .messages = messages_contained,
    },
    [EVENT_IDENTITY_RELEASED] = {
        .name = "identity.released",
        .cases = { { SEVERITY_WARNING, "it has its rights again (`detail`: who ran `trailguard release`), "
                                       "or is gone" } },
        .about_no_trail = true,
        .opens_nothing = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_CONTAIN_RELEASED, "b4f82a6ec1d94d03975c08e3f1d67ab5",
                         "released, confirmed{error}" },
                       { LEVEL_NOTICE, LINE_CONTAIN_GONE, "7ad05c93e8f14b26bc41d7926e30f58a",
                         "does not exist any more{error}" }),
        .messages = messages_released,
    },
    [EVENT_GUARD_RIGHTS_LOST] = {
        .name = "guard.rights_lost",
        .cases = { { SEVERITY_CRITICAL, "IAM would deny what the guard needs to poll, to act or to alert" },
                   { SEVERITY_WARNING, "IAM would deny something else that it needs" } },
        .about_no_trail = true,
        .may_be_attack = true,
        .lines = LINES({ LEVEL_ERR, LINE_RIGHTS_LOST, "876ce22f474146fc832cb647b84421e7", NULL }),
        .messages = messages_rights_lost,
        .reminders = reminders_rights_lost,
    },
    [EVENT_GUARD_RIGHTS_RESTORED] = {
        .name = "guard.rights_restored",
        .cases = { { SEVERITY_OF_INCIDENT, "IAM would allow all of it again, or it is not guarded any "
                                           "more" } },
        .about_no_trail = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_RIGHTS_RESTORED, "9ec585a45be443c583530889c9766f4c", NULL }),
        .messages = messages_rights_restored,
    },
    [EVENT_ORGANIZATION_UNREADABLE] = {
        .name = "organization.unreadable",
        .cases = { { SEVERITY_WARNING, "AWS does not list the organization's accounts: new ones are not "
                                       "guarded" } },
        .about_no_trail = true,
        .may_be_attack = true,
        .lines = LINES({ LEVEL_WARNING, LINE_ORGANIZATION_UNREADABLE,
                         "5399d6439b23492f8204795fac7678e3", NULL }),
        .messages = messages_organization_unreadable,
        .reminders = reminders_organization_unreadable,
    },
    [EVENT_ORGANIZATION_READABLE] = {
        .name = "organization.readable",
        .cases = { { SEVERITY_OF_INCIDENT, "it lists them again, or `organization` is not set any more" } },
        .about_no_trail = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_ORGANIZATION_READABLE,
                         "824bede6d191405a9ec280a1e8abb011", NULL }),
        .messages = messages_organization_readable,
    },
    [EVENT_GUARD_CHANGED] = {
        .name = "guard.changed",
        .cases = { { SEVERITY_CRITICAL, "trust policy or boundary of the guard changed, or its sessions "
                                        "were revoked" },
                   { SEVERITY_WARNING, "its policies, keys, topics or subscriptions changed otherwise" } },
        .about_no_trail = true,
        .may_be_attack = true,
        .opens_nothing = true,
        .lines = LINES({ LEVEL_WARNING, LINE_GUARD_CHANGED, "15352569bdd2410ea31d01445efe1819", NULL }),
        .messages = messages_guard_changed,
    },
    [EVENT_GUARD_TEST] = {
        .name = "guard.test",
        .cases = { { SEVERITY_INFO, "`trailguard test-alert` was run" } },
        .about_no_trail = true,
        .opens_nothing = true,
        .messages = messages_test,
    },
    [EVENT_GUARD_DRILL] = {
        .name = "guard.drill",
        .cases = { { SEVERITY_INFO, "`trailguard drill` stopped the trail or tagged it; the text is the "
                                    "usual one" } },
        .shows_gap = true,
        .lines = LINES({ LEVEL_NOTICE, LINE_DRILL, "5e0c1d7a94f24b6e8a3b60d2c7f1953e",
                         "a drill, announced by {announced}: alerts about it are info" }),
        .messages = messages_stopped,
    },
};

/* Journal lines that belong to no event. */
static const EventLine other_lines[] = {
    { LEVEL_NOTICE, LINE_NOT_ENABLED, NULL, "not enabled in this account: skipped, asked again daily" },
    { LEVEL_INFO, LINE_FIRST_SEEN, NULL, "guarded from now on" },
    { LEVEL_INFO, LINE_BASELINE_RECORDED, "a1c60b255a0f49278cfe816f163a2acb", "baseline recorded" },
    { LEVEL_INFO, LINE_ALERT_DELIVERED, "6c94447b570946aa8ed6e7d780aa0d4d", NULL },
    { LEVEL_ERR, LINE_ALERT_LOST, "dda2fc35afef4209812ace3a142b4eed", NULL },
    { LEVEL_NOTICE, LINE_GUARD_STARTED, "351c0d61ac66436f830388793c5aac8b", NULL },
    { LEVEL_NOTICE, LINE_GUARD_STOPPING, "cbb63c799d4a4a6b851733c9cee0851a", NULL },
    { LEVEL_NOTICE, LINE_CONFIG_RELOADED, "257c0e5b031b46428413d381c8230416", NULL },
    { LEVEL_ERR, LINE_RELOAD_REFUSED, "00a4d493dd7345358958b73dc36f4fd4", NULL },
    { .level = 0 },
};

const EventRow *event_row(EventKind kind) {
    assert((unsigned)kind < _EVENT_MAX);
    return &event_rows[kind];
}

const char *event_to_string(EventKind kind) {
    return (unsigned)kind < _EVENT_MAX ? event_rows[kind].name : "?";
}

EventKind event_from_string(const char *s) {
    EventKind kind = 0;

    while (kind < _EVENT_MAX && (!s || strcmp(event_rows[kind].name, s) != 0))
        kind++;
    return kind;
}

static const EventLine *find_line(const EventLine *lines, JournalLine line) {
    while (lines && lines->level && lines->line != line)
        lines++;
    return lines && lines->level ? lines : NULL;
}

const EventLine *event_line(JournalLine line, EventKind *ret_kind) {
    const EventLine *found = NULL;
    EventKind kind = 0;

    while (kind < _EVENT_MAX && !(found = find_line(event_rows[kind].lines, line)))
        kind++;
    if (!found)
        found = find_line(other_lines, line);
    assert(found);
    if (ret_kind)
        *ret_kind = kind;
    return found;
}

/* ---- the message of an event ---- */

/* The event that a reminder is about: the worst of what still applies. */
static EventKind event_still(const Subject *subject, const Event *event) {
    static const struct {
        uint32_t findings;
        EventKind kind;
    } rows[] = {
        { FINDING_BIT(FINDING_MISSING), EVENT_TRAIL_MISSING },
        { FINDING_BIT(FINDING_STOPPED), EVENT_TRAIL_STOPPED },
        { FINDINGS_CHANGED, EVENT_TRAIL_WEAKENED },
        { FINDING_BIT(FINDING_UNMET), EVENT_EXPECTATION_UNMET },
        { FINDINGS_FAILING, EVENT_TRAIL_FAILING },
        { FINDINGS_UNREADABLE | FINDING_BIT(FINDING_LIST_UNREADABLE), EVENT_TARGET_UNREACHABLE },
    };

    if (event->still != 0)
        return event->still;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (event->findings & rows[i].findings)
            return rows[i].kind;
    if (subject->name[0])
        return EVENT_TARGET_UNREACHABLE;
    if (event->detail[0]) /* of a target: set if it is unreachable, else empty */
        return event->error == POLL_GONE ? EVENT_ACCOUNT_LEFT : EVENT_TARGET_UNREACHABLE;
    return EVENT_REGION_UNCOVERED;
}

/* NULL if none applies. */
static const AlertTemplate *first_fitting(const AlertTemplate *messages, const Subject *subject,
                                          const Event *event) {
    for (; messages->headline; messages++)
        if (!messages->when || messages->when(subject, event))
            return messages;
    return NULL;
}

const AlertTemplate *alert_template(const Subject *subject, const Event *event) {
    const AlertTemplate *found = first_fitting(messages_any, subject, event);

    if (found)
        return found;
    return event->kind == EVENT_INCIDENT_REMINDER
                   ? first_fitting(event_rows[event_still(subject, event)].reminders, subject, event)
                   : first_fitting(event_rows[event->kind].messages, subject, event);
}

bool alert_is_about_trail(const Subject *subject, const Event *event) {
    return !event_rows[event->kind].about_no_trail && (subject->name[0] || subject->arn[0]);
}

bool alert_shows_gap(const Event *event) {
    bool gap_was_searched =
            event->kind == EVENT_TRAIL_ATTRIBUTED &&
            (event->about & (FINDING_BIT(FINDING_STOPPED) | FINDING_BIT(FINDING_INTERRUPTED)));

    return (event_rows[event->kind].shows_gap || gap_was_searched) && event->gap.from_usec != 0;
}

bool alert_may_be_attack(const Event *event) {
    /* failed deliveries often have innocent causes; problems with buckets and keys do not */
    uint32_t tampered =
            FINDING_BIT(FINDING_BUCKET) | FINDING_BIT(FINDING_LIFECYCLE) | FINDING_BIT(FINDING_KEY);

    return event_rows[event->kind].may_be_attack ||
           (event->kind == EVENT_TRAIL_FAILING && (event->about & tampered));
}
