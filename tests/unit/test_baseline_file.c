/* SPDX-License-Identifier: Apache-2.0 */
/* link: -Wl,--wrap=malloc,--wrap=realloc,--wrap=calloc,--wrap=geteuid,--wrap=fchown */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "daemon/core/baseline.h"
#include "daemon/core/selectors.h"
#include "daemon/core/settings.h"
#include "daemon/io/baseline_file.h"
#include "daemon/io/sealed.h"
#include "daemon/log.h"
#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"
#include "tests/unit/alloc_fail.h"

#define NOW       (1795514531 * USEC_PER_SEC)
#define LATER     (NOW + 3600 * USEC_PER_SEC)
#define ARN       "arn:aws:cloudtrail:eu-central-1:111122223333:trail/org-trail"
#define FILE_NAME "baselines/111122223333_eu-central-1_org-trail.json"
#define DATA                                                                                                \
    "{\"AdvancedEventSelectors\":[{\"Name\":\"x\",\"FieldSelectors\":[{\"Field\":\"eventCategory\","        \
    "\"Equals\":[\"Data\"]}]}]}"

static unsigned n_logged;
static char logged[1024];

void log_line(int level, const char *format, ...) {
    va_list ap;

    (void)level;
    va_start(ap, format);
    (void)vsnprintf(logged, sizeof(logged), format, ap);
    va_end(ap);
    n_logged++;
}

/* Root that writes into somebody else's directory gives the file away. */
static bool is_root;
static unsigned n_given;

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void) {
    return is_root ? 0 : 1;
}

int __wrap_fchown(int fd, uid_t uid, gid_t gid);
int __wrap_fchown(int fd, uid_t uid, gid_t gid) {
    (void)fd;
    (void)uid;
    (void)gid;
    n_given++;
    return 0;
}

static char dir[64];

static int set_up(void **state _unused_) {
    strcpy(dir, "/tmp/test_baseline_file.XXXXXX");
    n_logged = n_given = 0;
    is_root = false;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st _unused_, int type _unused_,
                      struct FTW *ftw _unused_) {
    return remove(path);
}

static int tear_down(void **state _unused_) {
    return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_dir(const char *name) {
    static char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static unsigned count_files(const char *name) {
    DIR *d = opendir(in_dir(name));
    struct dirent *entry;
    unsigned n = 0;

    while (d && (entry = readdir(d)))
        n += entry->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* ---- settings; their texts are borrowed ---- */

static void put(Settings *settings, Field field, const char *value) {
    settings->values[field] = (char *)value;
}

static Settings some(const char *bucket) {
    Settings settings = { 0 };

    for (unsigned i = 0; i < _FIELD_MAX; i++)
        put(&settings, (Field)i, "");
    for (unsigned i = FIELD_MULTI_REGION; i <= FIELD_RECURSIVE; i++)
        put(&settings, (Field)i, i == FIELD_ORGANIZATION ? "false" : "true");
    put(&settings, FIELD_BUCKET, bucket);
    put(&settings, FIELD_SELECTORS, SELECTORS_DEFAULT);
    put(&settings, FIELD_INSIGHTS, "[{\"InsightType\":\"ApiCallRateInsight\"}]");
    put(&settings, FIELD_CONFIGURATION, "{\"MaxEventSize\":\"Large\"}");
    put(&settings, FIELD_TAGS, "{\"owner\":\"security\"}");
    put(&settings, FIELD_UNKNOWN, "{\"Tomorrow\":true}");
    return settings;
}

static void assert_same(const Settings *a, const Settings *b) {
    Drift drift = { 0 };

    for (unsigned i = 0; i < _FIELD_MAX; i++)
        assert_int_equal(!a->values[i], !b->values[i]);
    assert_int_equal(baseline_compare(a, b, &drift), 0);
    assert_int_equal(drift.n, 0);
}

/* A checksum stands at its end. */
static void assert_sealed(const char *text, const char *expected) {
    char *sealed = strdup(expected);
    size_t len = strlen(expected);

    assert_int_equal(seal_add(&sealed, &len), 0);
    assert_string_equal(text, sealed);
    free(sealed);
}

static BaselineRecord load(void) {
    BaselineRecord record = { 0 };
    char error[256] = "";

    if (baseline_file_load(dir, ARN, NOW, &record, error, sizeof(error)) != 1)
        fail_msg("%s", error);
    return record;
}

static void record(const char *bucket) {
    Settings settings = some(bucket);

    assert_int_equal(baseline_file_record(dir, ARN, &settings, "guard", NOW), 0);
}

/* ---- tests ---- */

static void what_is_recorded_is_loaded(void **state _unused_) {
    static const char expected[] =
            "{\n  \"schema\": \"trailguard.baseline/1\",\n  \"arn\": \"" ARN "\",\n"
            "  \"recorded_at\": \"2026-11-24T10:02:11Z\",\n  \"by\": \"guard\",\n  \"settings\": {\n"
            "    \"S3BucketName\": \"audit\",\n    \"S3KeyPrefix\": \"\",\n    \"KmsKeyId\": \"\",\n"
            "    \"CloudWatchLogsLogGroupArn\": \"\",\n    \"CloudWatchLogsRoleArn\": \"\",\n    "
            "\"SnsTopicARN\": \"\",\n"
            "    \"IsMultiRegionTrail\": true,\n    \"IncludeGlobalServiceEvents\": true,\n"
            "    \"LogFileValidationEnabled\": true,\n    \"IsOrganizationTrail\": false,\n"
            "    \"RecursiveLogging\": true,\n"
            "    \"EventSelectors\": [\n      {\n        \"ReadWriteType\": \"All\",\n"
            "        \"IncludeManagementEvents\": true,\n        \"DataResources\": [],\n"
            "        \"ExcludeManagementEventSources\": []\n      }\n    ],\n"
            "    \"InsightSelectors\": [\n      {\n        \"InsightType\": \"ApiCallRateInsight\"\n      "
            "}\n    ],\n"
            "    \"EventConfiguration\": {\n      \"MaxEventSize\": \"Large\"\n    },\n"
            "    \"Tags\": {\n      \"owner\": \"security\"\n    },\n"
            "    \"UnknownSettings\": {\n      \"Tomorrow\": true\n    }\n  }\n}\n";
    Settings given = some("audit");
    _cleanup_free_ char *text = NULL;
    BaselineRecord loaded = { 0 };
    char error[256];
    struct stat st;
    size_t len;

    assert_int_equal(baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error)), 0);
    record("audit");
    loaded = load();
    assert_string_equal(loaded.arn, ARN);
    assert_string_equal(loaded.latest.by, "guard");
    assert_int_equal(loaded.latest.recorded_usec, NOW);
    assert_false(loaded.gone || loaded.has_previous);
    assert_same(&given, &loaded.latest.settings);
    baseline_record_done(&loaded);

    assert_int_equal(file_read(in_dir(FILE_NAME), 10000, &text, &len), 0);
    assert_sealed(text, expected);
    assert_int_equal(stat(in_dir(FILE_NAME), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(stat(in_dir("baselines"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

/* It is kept beside them until it is dropped. */
static void what_nobody_accepted_is_no_baseline(void **state _unused_) {
    Settings found = some("his"), partial = { 0 };
    BaselineRecord kept = { 0 };
    char error[256], **arns;
    size_t n;

    assert_int_equal(baseline_file_load_unaccepted(dir, ARN, &kept), -ENOENT);
    baseline_file_drop_unaccepted(dir, ARN);
    assert_int_equal(baseline_file_keep_unaccepted(dir, ARN, &partial, NOW), -EINVAL);
    assert_int_equal(baseline_file_keep_unaccepted(dir, ARN, &found, NOW), 0);
    assert_int_equal(baseline_file_peek(dir, ARN, &kept, error, sizeof(error)), 0);
    assert_int_equal(baseline_file_list(dir, &arns, &n), 0);
    assert_int_equal(n, 0);
    free(arns);
    assert_int_equal(baseline_file_load_unaccepted(dir, ARN, &kept), 0);
    assert_same(&kept.latest.settings, &found);
    baseline_record_done(&kept);
    baseline_file_drop_unaccepted(dir, ARN);
    assert_int_equal(baseline_file_load_unaccepted(dir, ARN, &kept), -ENOENT);
}

static void all_forms_of_settings_come_back(void **state _unused_) {
    static const struct {
        Field field;
        const char *value;
    } cases[] = {
        { FIELD_SELECTORS, DATA },
        { FIELD_SELECTORS, "" },
        { FIELD_SELECTORS, "{\"EventSelectors\":[]}" },
        { FIELD_SELECTORS, "{\"AdvancedEventSelectors\":[{\"New\":1}]}" },
        { FIELD_INSIGHTS, "" },
        { FIELD_INSIGHTS, "[]" },
        { FIELD_TAGS, "" },
        { FIELD_TAGS, "{}" },
        { FIELD_PREFIX, "a\"\\\n" },
        { FIELD_TAGS, "{\"\xc3\xa4\":\"\"}" },
        { FIELD_UNKNOWN, "{\"New\":\"x\"}" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings given = some("audit");
        BaselineRecord loaded;

        put(&given, cases[i].field, cases[i].value);
        assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), 0);
        loaded = load();
        assert_string_equal(loaded.latest.settings.values[cases[i].field], cases[i].value);
        assert_same(&given, &loaded.latest.settings);
        baseline_record_done(&loaded);
        assert_int_equal(unlink(in_dir(FILE_NAME)), 0);
    }
}

/* What AWS came to answer later is added; what is recorded stays, and so does who recorded it. */
/* A trail without settings that this version does not know. */
static void no_unknown_settings_are_not_written(void **state _unused_) {
    Settings given = some("audit");
    BaselineRecord loaded;

    put(&given, FIELD_UNKNOWN, "{}");
    put(&given, SETTING_BUCKET_OWNER, "444455556666");
    assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), 0);
    loaded = load();
    assert_null(loaded.latest.settings.values[FIELD_UNKNOWN]);
    assert_string_equal(loaded.latest.settings.values[SETTING_BUCKET_OWNER], "444455556666");
    baseline_record_done(&loaded);
}

static void what_was_not_known_is_added(void **state _unused_) {
    Settings given = some("audit"), more = { 0 };
    BaselineRecord loaded;
    char error[256] = "";

    put(&more, FIELD_RECURSIVE, "true");
    assert_int_equal(baseline_file_add(dir, ARN, &more), -ENOENT);
    put(&given, FIELD_RECURSIVE, NULL);
    assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), 0);
    loaded = load();
    assert_null(loaded.latest.settings.values[FIELD_RECURSIVE]);
    baseline_record_done(&loaded);

    put(&more, FIELD_BUCKET, "mallory");
    assert_int_equal(baseline_file_add(dir, ARN, &more), 0);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_RECURSIVE], "true");
    assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "audit");
    assert_string_equal(loaded.latest.by, "guard");
    assert_int_equal(loaded.latest.recorded_usec, NOW);
    assert_false(loaded.has_previous);
    baseline_record_done(&loaded);

    /* what could not be read is not accepted away */
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "bob", LATER, error, sizeof(error)), 0);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_RECURSIVE], "true");
    baseline_record_done(&loaded);
}

/* Whatever could not be read at first: the rest is recorded, it is added when it comes, and accepting what
 * can be read now takes nothing of it away. */
static void each_field_is_recorded_when_it_is_known(void **state _unused_) {
    for (unsigned i = FIELD_BUCKET + 1; i < _FIELD_MAX; i++) {
        Settings whole = some("audit"), given = whole, changed;
        BaselineRecord loaded;
        char error[256] = "";

        put(&given, (Field)i, NULL);
        assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), 0);
        loaded = load();
        assert_same(&given, &loaded.latest.settings);
        baseline_record_done(&loaded);
        assert_int_equal(baseline_file_add(dir, ARN, &whole), 0);
        loaded = load();
        assert_same(&whole, &loaded.latest.settings);
        baseline_record_done(&loaded);

        changed = given;
        put(&changed, FIELD_BUCKET, "new");
        assert_int_equal(baseline_file_accept(dir, ARN, &changed, false, "bob", LATER, error, sizeof(error)),
                         0);
        loaded = load();
        put(&whole, FIELD_BUCKET, "new");
        assert_same(&whole, &loaded.latest.settings);
        baseline_record_done(&loaded);
        assert_int_equal(unlink(in_dir(FILE_NAME)), 0);
    }
}

/* As earlier versions wrote it. */
static void tags_that_a_member_could_not_see_are_not_recorded(void **state _unused_) {
    Settings given = some("audit"), more = { 0 };
    BaselineRecord loaded;

    put(&given, FIELD_TAGS, "{}");
    assert_int_equal(baseline_file_record(dir, ARN, &given, "guard, in a member's account", NOW), 0);
    loaded = load();
    assert_string_equal(loaded.latest.by, "guard");
    assert_null(loaded.latest.settings.values[FIELD_TAGS]);
    baseline_record_done(&loaded);
    put(&more, FIELD_TAGS, "{\"owner\":\"security\"}");
    assert_int_equal(baseline_file_add(dir, ARN, &more), 0);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_TAGS], more.values[FIELD_TAGS]);
    baseline_record_done(&loaded);
}

static void a_baseline_is_never_recorded_over(void **state _unused_) {
    Settings tampered = some("mallory");
    BaselineRecord loaded;

    record("audit");
    assert_int_equal(baseline_file_record(dir, ARN, &tampered, "guard", LATER), -EEXIST);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "audit");
    baseline_record_done(&loaded);
    assert_int_equal(count_files("baselines"), 1);

    /* whatever is in it */
    assert_int_equal(file_write(in_dir(FILE_NAME), "x", 1, 0600, false), 0);
    assert_int_equal(baseline_file_record(dir, ARN, &tampered, "guard", LATER), -EEXIST);
}

static void only_what_a_trail_can_be_is_recorded(void **state _unused_) {
    static const struct {
        Field field;
        const char *value;
    } cases[] = {
        { FIELD_BUCKET, NULL },
        { FIELD_TAGS, "[]" },
        { FIELD_TAGS, "not JSON" },
        { FIELD_INSIGHTS, "{}" },
        { FIELD_SELECTORS, "[]" },
        { FIELD_SELECTORS, "{}" },
        { FIELD_SELECTORS, "{\"EventSelectors\":[],\"AdvancedEventSelectors\":[]}" },
        { FIELD_SELECTORS, "{\"EventSelectors\":{}}" },
        { FIELD_SELECTORS, "{\"Other\":[]}" },
        { FIELD_VALIDATION, "yes" },
        { FIELD_VALIDATION, "" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Settings given = some("audit");
        char error[256] = "";

        put(&given, cases[i].field, cases[i].value);
        assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), -EINVAL);
        assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)),
                         -EINVAL);
        assert_true(error[0] != '\0');
        assert_int_equal(count_files("baselines"), 0);
    }
}

static void only_a_trail_has_a_baseline(void **state _unused_) {
    static const char *const others[] = { "", "org-trail", "arn:aws:sns:eu-central-1:111122223333:x",
                                          "arn:aws:cloudtrail:eu-central-1:111122223333:trail/../../etc/x" };
    Settings given = some("audit");
    BaselineRecord loaded;
    BaselineStamp stamp;
    char error[256];

    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_int_equal(baseline_file_record(dir, others[i], &given, "guard", NOW), -EINVAL);
        assert_int_equal(baseline_file_load(dir, others[i], NOW, &loaded, error, sizeof(error)), -EINVAL);
        assert_int_equal(baseline_file_accept(dir, others[i], &given, false, "x", NOW, error, sizeof(error)),
                         -EINVAL);
        assert_int_equal(baseline_file_stamp(dir, others[i], &stamp), -EINVAL);
        assert_int_equal(baseline_file_save_found(dir, others[i], NOW, &given), -EINVAL);
    }
    assert_int_equal(count_files("."), 0);
}

static void what_is_accepted_has_a_previous_version(void **state _unused_) {
    Settings second = some("second"), third = some("third");
    BaselineRecord loaded;
    char error[256];

    record("first");
    assert_int_equal(
            baseline_file_accept(dir, ARN, &second, false, "root (uid 0)", LATER, error, sizeof(error)), 0);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "second");
    assert_string_equal(loaded.latest.by, "root (uid 0)");
    assert_int_equal(loaded.latest.recorded_usec, LATER);
    assert_true(loaded.has_previous);
    assert_string_equal(loaded.previous.settings.values[FIELD_BUCKET], "first");
    assert_string_equal(loaded.previous.by, "guard");
    assert_int_equal(loaded.previous.recorded_usec, NOW);
    baseline_record_done(&loaded);

    assert_int_equal(baseline_file_accept(dir, ARN, &third, false, "alice", LATER, error, sizeof(error)), 0);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "third");
    assert_string_equal(loaded.previous.settings.values[FIELD_BUCKET], "second");
    assert_int_equal(loaded.latest.recorded_usec, LATER + USEC_PER_SEC); /* in the same second */
    baseline_record_done(&loaded);

    assert_int_equal(baseline_file_accept(dir, ARN, &second, false, "alice", NOW, error, sizeof(error)), 0);
    loaded = load();
    assert_int_equal(loaded.latest.recorded_usec, LATER + 2 * USEC_PER_SEC); /* the clock was set back */
    baseline_record_done(&loaded);
    assert_int_equal(count_files("baselines"), 1);
}

static void a_first_baseline_may_be_accepted(void **state _unused_) {
    Settings given = some("audit");
    BaselineRecord loaded;
    char error[256];

    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)), 0);
    loaded = load();
    assert_false(loaded.has_previous);
    baseline_record_done(&loaded);
}

static void a_trail_may_be_gone(void **state _unused_) {
    Settings given = some("back");
    BaselineRecord loaded;
    char error[256];

    /* also before anything was recorded */
    assert_int_equal(baseline_file_accept(dir, ARN, NULL, true, "root", NOW, error, sizeof(error)), 0);
    loaded = load();
    assert_true(loaded.gone);
    assert_false(loaded.has_previous);
    assert_false(settings_can_be_recorded(&loaded.latest.settings));
    baseline_record_done(&loaded);
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "guard", NOW, error, sizeof(error)), 0);
    loaded = load();
    assert_false(loaded.gone);
    baseline_record_done(&loaded);
    assert_int_equal(unlink(in_dir(FILE_NAME)), 0);
    record("audit");
    assert_int_equal(baseline_file_accept(dir, ARN, NULL, true, "root", LATER, error, sizeof(error)), 0);
    loaded = load();
    assert_true(loaded.gone);
    assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "audit");
    assert_string_equal(loaded.latest.by, "root");
    assert_true(loaded.latest.recorded_usec > loaded.previous.recorded_usec);
    assert_string_equal(loaded.previous.by, "guard");
    baseline_record_done(&loaded);

    /* and come back */
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", LATER, error, sizeof(error)), 0);
    loaded = load();
    assert_false(loaded.gone);
    assert_string_equal(loaded.previous.settings.values[FIELD_BUCKET], "audit");
    baseline_record_done(&loaded);
}

static void a_damaged_baseline_is_set_aside_and_told(void **state _unused_) {
#define HEAD                                                                                                \
    "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"" ARN                                                  \
    "\",\"recorded_at\":\"2026-11-24T10:02:11Z\",\"by\":\"guard\""
    static const struct {
        const char *text, *reason;
    } cases[] = {
        { "", "line 1" },
        { "{\"schema\":\"trailguard.baseline/2\"}", "its schema is not trailguard.baseline/1" },
        { "[]", "its schema is not trailguard.baseline/1" },
        { "{\"schema\":\"trailguard.baseline/1\"}", "arn is missing" },
        { "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"x\"}",
          "arn is a text of 1 bytes, not the ARN of a trail" },
        { "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"" ARN "\"}", "recorded_at is missing" },
        { "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"" ARN "\",\"recorded_at\":\"now\"}",
          "recorded_at is a text of 3 bytes, not a time" },
        { "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"" ARN
          "\",\"recorded_at\":\"2026-11-24T10:02:11Z\"}",
          "by is missing" },
        { HEAD "}", "settings is missing" },
        { "{\"schema\":\"trailguard.baseline/1\",\"arn\":7}", "arn is 7, not the ARN of a trail" },
        { "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"arn:aws:s3:::b\"}",
          "arn is a text of 14 bytes, not the ARN of a trail" },
        { HEAD ",\"settings\":[]}", "settings is an empty list, not an object" },
        { HEAD ",\"settings\":{\"BucketOwner\":7}}", "settings.BucketOwner is 7, not 12 digits" },
        { HEAD ",\"settings\":{\"BucketOwner\":\"1234\"}}",
          "settings.BucketOwner is a text of 4 bytes, not 12 digits" },
        { HEAD ",\"settings\":{\"BucketOwner\":\"11112222333x\"}}",
          "settings.BucketOwner is a text of 12 bytes, not 12 digits" },
        { HEAD ",\"settings\":{\"S3BucketName\":5}}", "settings.S3BucketName is 5, not a string" },
        { HEAD ",\"settings\":{\"S3BucketName\":null}}", "settings.S3BucketName is null, not a string" },
        { HEAD ",\"settings\":{\"IsMultiRegionTrail\":\"true\"}}",
          "settings.IsMultiRegionTrail is a text of 4 bytes, not true or false" },
        { HEAD ",\"settings\":{\"Tags\":[]}}", "settings.Tags is an empty list, not an object" },
        { HEAD ",\"settings\":{\"EventSelectors\":{}}}",
          "settings.EventSelectors is an object, not a list" },
        { HEAD ",\"settings\":{\"EventSelectors\":[],\"AdvancedEventSelectors\":[]}}",
          "settings.AdvancedEventSelectors is an empty list, not alone: EventSelectors is there too" },
        { HEAD ",\"settings\":{},\"gone\":1}", "gone is 1, not true or false" },
        { HEAD ",\"settings\":{},\"previous\":{}}", "previous.recorded_at is missing" },
        { HEAD ",\"settings\":{},\"settings\":{}}", "line 1" },
        { "{\"schema\":\"trailguard.baseline/"
          "1\",\"arn\":\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/other\","
          "\"recorded_at\":\"2026-11-24T10:02:11Z\",\"by\":\"guard\",\"settings\":{}}",
          "it is another trail's" },
    };

    assert_int_equal(mkdir(in_dir("baselines"), 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        BaselineRecord loaded = { 0 };
        char error[512] = "";

        n_logged = 0;
        assert_int_equal(file_write(in_dir(FILE_NAME), cases[i].text, strlen(cases[i].text), 0600, false),
                         0);
        assert_int_equal(baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error)), -EBADMSG);
        assert_null(loaded.arn);
        if (!strstr(error, cases[i].reason) || !strstr(error, FILE_NAME))
            fail_msg("case %zu: %s", i, error);
        assert_int_equal(n_logged, 1);
        assert_string_equal(logged, error);
        assert_int_equal(count_files("baselines"), i + 1);
        assert_int_equal(baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error)), 0);
    }
}

/* Root's verbs show these errors, and whoever may write in the directory chooses which file it is. */
static void no_error_shows_a_word_of_the_file(void **state _unused_) {
    static const char *const texts[] = {
        "secret",
        "{\"secret\":secret}",
        "{\"secret\":1,\"secret\":1}",
        "{\"schema\":\"secret\"}",
        "{} secret",
        "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"secret\"}",
        "\"\\usecret\"",
        "\"secret",
        HEAD ",\"settings\":{\"secret\":{}},\"settings\":\"secret\"}",
        "{\"schema\":\"trailguard.baseline/1\",\"arn\":\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/"
        "secret\","
        "\"recorded_at\":\"2026-11-24T10:02:11Z\",\"by\":\"guard\",\"settings\":{}}",
    };

    assert_int_equal(mkdir(in_dir("baselines"), 0700), 0);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        BaselineRecord loaded = { 0 };
        char error[512] = "";

        assert_int_equal(file_write(in_dir(FILE_NAME), texts[i], strlen(texts[i]), 0600, false), 0);
        assert_int_equal(baseline_file_peek(dir, ARN, &loaded, error, sizeof(error)), -EBADMSG);
        if (strstr(error, "secret"))
            fail_msg("case %zu: %s", i, error);
    }
}

static void each_changed_byte_is_damage(void **state _unused_) {
    BaselineRecord loaded = { 0 };
    char error[512], *text;
    size_t len;

    record("audit");
    assert_int_equal(file_read(in_dir(FILE_NAME), 10000, &text, &len), 0);
    for (size_t i = 0; i < len; i++) {
        text[i] ^= 1;
        assert_int_equal(file_write(in_dir(FILE_NAME), text, len, 0600, false), 0);
        if (baseline_file_peek(dir, ARN, &loaded, error, sizeof(error)) != -EBADMSG)
            fail_msg("byte %zu", i);
        text[i] ^= 1;
    }
    assert_int_equal(file_write(in_dir(FILE_NAME), text, len, 0600, false), 0);
    loaded = load();
    baseline_record_done(&loaded);
    free(text);
}

static void no_link_is_followed(void **state _unused_) {
    Settings given = some("audit");
    BaselineRecord loaded = { 0 };
    BaselineStamp stamp;
    char error[512] = "", elsewhere[80], **arns;
    size_t n;

    record("first");
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
    assert_int_equal(rename(in_dir("baselines"), elsewhere), 0);
    assert_int_equal(symlink("elsewhere", in_dir("baselines")), 0);
    assert_int_equal(symlink("elsewhere", in_dir("found")), 0);
    assert_int_equal(baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error)), -ELOOP);
    assert_non_null(strstr(error, "/baselines: a symbolic link, which is not followed"));
    assert_int_equal(baseline_file_peek(dir, ARN, &loaded, error, sizeof(error)), -ELOOP);
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)),
                     -ELOOP);
    assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), -ELOOP);
    assert_int_equal(baseline_file_list(dir, &arns, &n), -ELOOP);
    assert_int_equal(baseline_file_stamp(dir, ARN, &stamp), -ELOOP);
    assert_int_equal(baseline_file_save_found(dir, ARN, NOW, &given), -ELOOP);
    assert_int_equal(count_files("elsewhere"), 1);
    assert_int_equal(unlink(in_dir("baselines")), 0);

    /* the file itself */
    assert_int_equal(mkdir(in_dir("baselines"), 0700), 0);
    assert_int_equal(symlink("../elsewhere/111122223333_eu-central-1_org-trail.json", in_dir(FILE_NAME)), 0);
    assert_int_equal(baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error)), -ELOOP);
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)),
                     -ELOOP);
    assert_non_null(strstr(error, "a symbolic link"));
    assert_int_equal(baseline_file_list(dir, &arns, &n), 0);
    assert_int_equal(n, 0);
}

static void unknown_members_are_passed_over(void **state _unused_) {
    static const char text[] = HEAD ",\"later\":1,\"settings\":{\"S3BucketName\":\"audit\",\"Later\":{}}}";
    BaselineRecord loaded;

    assert_int_equal(mkdir(in_dir("baselines"), 0700), 0);
    assert_int_equal(file_write(in_dir(FILE_NAME), text, strlen(text), 0600, false), 0);
    loaded = load();
    assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "audit");
    assert_null(loaded.latest.settings.values[FIELD_SELECTORS]);
    baseline_record_done(&loaded);
}

static void accepting_over_a_damaged_one_keeps_it_aside(void **state _unused_) {
    Settings given = some("audit");
    BaselineRecord loaded;
    char error[512];

    record("first");
    assert_int_equal(file_write(in_dir(FILE_NAME), "{", 1, 0600, false), 0);
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)), 0);
    assert_int_equal(count_files("baselines"), 2);
    loaded = load();
    assert_false(loaded.has_previous);
    baseline_record_done(&loaded);
}

static void ceilings_hold(void **state _unused_) {
    Settings given = some("audit");
    _cleanup_free_ char *big = malloc(BASELINE_SIZE_MAX + SEAL_SIZE + 2), *by = malloc(1000);
    BaselineRecord loaded = { 0 };
    char error[512];

    memset(big, 'a', BASELINE_SIZE_MAX + SEAL_SIZE + 1);
    big[BASELINE_SIZE_MAX + SEAL_SIZE + 1] = '\0';
    put(&given, FIELD_PREFIX, big);
    assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), -E2BIG);
    assert_int_equal(mkdir(in_dir("baselines"), 0700), 0);
    assert_int_equal(file_write(in_dir(FILE_NAME), big, BASELINE_SIZE_MAX + SEAL_SIZE + 1, 0600, false), 0);
    assert_int_equal(baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error)), -EBADMSG);
    assert_non_null(strstr(error, "over 4194304 bytes"));

    /* who ran it is cut, and what is not UTF-8 is not lost */
    memset(by, 'b', 999);
    by[0] = '\xff';
    by[999] = '\0';
    put(&given, FIELD_PREFIX, "\xff");
    assert_int_equal(baseline_file_record(dir, ARN, &given, by, NOW), 0);
    loaded = load();
    assert_int_equal(strlen(loaded.latest.by), BASELINE_BY_MAX - 1);
    assert_string_equal(loaded.latest.settings.values[FIELD_PREFIX], "?");
    baseline_record_done(&loaded);
}

static void a_stamp_tells_of_a_change(void **state _unused_) {
    Settings given = some("audit");
    BaselineStamp none, first, again, second;
    char error[256];

    assert_int_equal(baseline_file_stamp(dir, ARN, &none), 0);
    assert_true(baseline_stamp_equal(&none, &(BaselineStamp){ 0 }));
    record("audit");
    assert_int_equal(baseline_file_stamp(dir, ARN, &first), 0);
    assert_int_equal(baseline_file_stamp(dir, ARN, &again), 0);
    assert_true(baseline_stamp_equal(&first, &again));
    assert_false(baseline_stamp_equal(&first, &none));
    /* the same content, at once */
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "guard", NOW, error, sizeof(error)), 0);
    assert_int_equal(baseline_file_stamp(dir, ARN, &second), 0);
    assert_false(baseline_stamp_equal(&first, &second));
}

static void root_gives_the_files_to_the_directorys_owner(void **state _unused_) {
    Settings given = some("audit");
    char error[256];

    record("audit");
    /* only root itself can make a directory that is not its own */
    if (__real_geteuid() == 0)
        assert_int_equal(chown(in_dir("baselines"), 1234, 1234), 0);
    n_given = 0;
    is_root = true;
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)), 0);
    assert_int_equal(n_given, 1);
}

static void what_was_found_is_kept_the_newest_first(void **state _unused_) {
    static const char there[] = "found/111122223333_eu-central-1_org-trail";
    Settings found = some("mallory"), other = { 0 };
    _cleanup_free_ char *text = NULL;
    struct stat st;
    size_t len;

    put(&other, FIELD_BUCKET, "x"); /* what is known is enough */
    for (unsigned i = 0; i < 25; i++)
        assert_int_equal(
                baseline_file_save_found(dir, ARN, NOW + (i / 2) * USEC_PER_SEC, i == 24 ? &other : &found),
                0);
    assert_int_equal(baseline_file_save_found(dir, ARN "-2", NOW, &found), 0);
    assert_int_equal(count_files(there), BASELINE_FOUND_MAX);
    assert_int_equal(count_files("found"), 2);
    assert_int_equal(count_files("found/111122223333_eu-central-1_org-trail-2"), 1);

    /* two a second: 25 make up 12 seconds and a half, and the first five are gone */
    assert_int_equal(
            stat(in_dir("found/111122223333_eu-central-1_org-trail/20261124T100213.000000Z.json"), &st), -1);
    assert_int_equal(
            stat(in_dir("found/111122223333_eu-central-1_org-trail/20261124T100213.000001Z.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(
            file_read(in_dir("found/111122223333_eu-central-1_org-trail/20261124T100223.000000Z.json"),
                      10000, &text, &len),
            0);
    assert_sealed(text, "{\n  \"schema\": \"trailguard.found/1\",\n  \"arn\": \"" ARN "\",\n"
                        "  \"found_at\": \"2026-11-24T10:02:23Z\",\n  \"settings\": {\n"
                        "    \"S3BucketName\": \"x\"\n  }\n}\n");
}

static void a_directory_that_cannot_be_is_an_error(void **state _unused_) {
    Settings given = some("audit");
    char error[256];

    assert_int_equal(baseline_file_record("/nonexistent", ARN, &given, "guard", NOW), -ENOENT);
    assert_int_equal(baseline_file_save_found("/nonexistent", ARN, NOW, &given), -ENOENT);
    assert_int_equal(file_write(in_dir("baselines"), "", 0, 0600, false), 0);
    assert_int_equal(baseline_file_record(dir, ARN, &given, "guard", NOW), -ENOTDIR);
    assert_int_equal(baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error)),
                     -ENOTDIR);
    assert_non_null(strstr(error, "baselines"));
}

static void *counted_malloc(size_t n) {
    return malloc(n);
}

static void without_memory_nothing_is_lost(void **state _unused_) {
    Settings given = some("audit");
    bool failed = true;

    record("first");
    json_set_alloc_funcs(counted_malloc, free);
    for (unsigned n = 0; failed && n < 3000; n++) {
        BaselineRecord loaded = { 0 };
        char error[256] = "";
        int r;

        alloc_fail_after(n);
        r = baseline_file_load(dir, ARN, NOW, &loaded, error, sizeof(error));
        failed = alloc_fail_end();
        assert_true(r == 1 || (failed && r == -ENOMEM));
        if (r == 1)
            assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], "first");
        baseline_record_done(&loaded);
        assert_int_equal(count_files("baselines"), 1);
    }
    assert_false(failed);
    failed = true;
    for (unsigned n = 0; failed && n < 3000; n++) {
        BaselineRecord loaded;
        char error[256] = "";
        int r;

        alloc_fail_after(n);
        r = baseline_file_accept(dir, ARN, &given, false, "root", NOW, error, sizeof(error));
        failed = alloc_fail_end();
        assert_true(r == 0 || (failed && r == -ENOMEM && error[0]));
        loaded = load();
        assert_string_equal(loaded.latest.settings.values[FIELD_BUCKET], r == 0 ? "audit" : "first");
        baseline_record_done(&loaded);
        assert_int_equal(count_files("baselines"), 1);
        if (r == 0 && failed)
            break; /* it got by without */
    }
    json_set_alloc_funcs(malloc, free);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        T(what_is_recorded_is_loaded),
        T(what_nobody_accepted_is_no_baseline),
        T(all_forms_of_settings_come_back),
        T(no_unknown_settings_are_not_written),
        T(what_was_not_known_is_added),
        T(each_field_is_recorded_when_it_is_known),
        T(tags_that_a_member_could_not_see_are_not_recorded),
        T(a_baseline_is_never_recorded_over),
        T(only_what_a_trail_can_be_is_recorded),
        T(only_a_trail_has_a_baseline),
        T(what_is_accepted_has_a_previous_version),
        T(a_first_baseline_may_be_accepted),
        T(a_trail_may_be_gone),
        T(a_damaged_baseline_is_set_aside_and_told),
        T(no_error_shows_a_word_of_the_file),
        T(each_changed_byte_is_damage),
        T(no_link_is_followed),
        T(unknown_members_are_passed_over),
        T(accepting_over_a_damaged_one_keeps_it_aside),
        T(ceilings_hold),
        T(a_stamp_tells_of_a_change),
        T(root_gives_the_files_to_the_directorys_owner),
        T(what_was_found_is_kept_the_newest_first),
        T(a_directory_that_cannot_be_is_an_error),
        T(without_memory_nothing_is_lost),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
