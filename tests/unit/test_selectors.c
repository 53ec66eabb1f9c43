/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors as tables of attacks and equivalences, and as properties over random sets: an oracle of its own
 * walks all events of a small world and says which set takes which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "daemon/core/settings.h"
#include "daemon/core/selectors.h"
#include "lib/util/macros.h"
#include "lib/util/strbuf.h"
#include "tests/unit/selector_texts.h"

/* ---- tables ---- */

static void attacks_lose(void **state _unused_) {
    static const struct {
        const char *what, *baseline, *seen;
    } cases[] = {
        { "B1", EVERYTHING,
          BASIC("{'ReadWriteType':'All','IncludeManagementEvents':false,'DataResources':[]}") },
        { "B1, as stratus-red-team", EVERYTHING,
          BASIC("{'ReadWriteType':'ReadOnly','IncludeManagementEvents':false,'DataResources':["
                "{'Type':'AWS::S3::Object','Values':[]},{'Type':'AWS::Lambda::Function','Values':[]}]}") },
        { "B1, nothing at all", EVERYTHING, BASIC("") },
        { "B1, not set", EVERYTHING, "" },
        { "B1, no member", EVERYTHING, "{}" },
        { "B2, reads only", EVERYTHING, BASIC("{'ReadWriteType':'ReadOnly'}") },
        { "B2, writes only", EVERYTHING, BASIC("{'ReadWriteType':'WriteOnly'}") },
        { "B2, reads only and data", WITH_S3,
          BASIC("{'ReadWriteType':'ReadOnly','IncludeManagementEvents':true,'DataResources':"
                "[{'Type':'AWS::S3::Object','Values':['arn:aws:s3']}]}") },
        { "B3, keys", EVERYTHING, BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com']}") },
        { "B3, databases", EVERYTHING,
          BASIC("{'ExcludeManagementEventSources':['rdsdata.amazonaws.com']}") },
        { "B3, one more", BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com']}"),
          BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com','rdsdata.amazonaws.com']}") },
        { "B4, data only", EVERYTHING, ADVANCED(FIELDS(DATA "," S3)) },
        { "B4, a name that lies", EVERYTHING,
          ADVANCED("{'Name':'Management events selector','FieldSelectors':[" DATA "," S3 "]}") },
        { "B4, no category", EVERYTHING, ADVANCED(FIELDS(IS("readOnly", "true"))) },
        { "B4, all but a category", EVERYTHING, ADVANCED(FIELDS(NOT("eventCategory", "Data"))) },
        { "B4, network activity", EVERYTHING, ADVANCED(FIELDS(IS("eventCategory", "NetworkActivity"))) },
        { "B4, reads only", EVERYTHING, ADVANCED(FIELDS(MANAGEMENT "," IS("readOnly", "true"))) },
        { "B4, writes only", EVERYTHING, ADVANCED(FIELDS(MANAGEMENT "," NOT("readOnly", "true"))) },
        { "B4, without keys", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT "," NOT("eventSource", "kms.amazonaws.com"))) },
        { "B4, without IAM", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT ",{'Field':'eventSource','NotStartsWith':['iam.']}")) },
        { "B4, one source", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT "," IS("eventSource", "s3.amazonaws.com"))) },
        { "B4, two halves that do not make a whole", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT "," IS("readOnly", "true")) "," FIELDS(
                  MANAGEMENT "," IS("readOnly", "false") "," NOT("eventSource", "iam.amazonaws.com"))) },
        { "B4, without one user", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT
                          "," NOT("userIdentity.arn", "arn:aws:iam::111122223333:user/mallory"))) },
        { "B4, without a call", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT "," NOT("eventName", "StopLogging"))) },
        { "B5, S3 dropped", WITH_S3, EVERYTHING },
        { "B5, one bucket dropped", WITH_S3,
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['" BUCKET "']}]}") },
        { "B5, a bucket narrowed", WITH_S3,
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object',"
                "'Values':['" BUCKET "harmless/','arn:aws:s3:::other/']}]}") },
        { "B5, advanced data dropped", WITH_DATA, ADVANCED(FIELDS(MANAGEMENT)) },
        { "B5, functions dropped", WITH_DATA,
          ADVANCED(FIELDS(MANAGEMENT) "," FIELDS(DATA "," S3 "," UNDER(BUCKET))) },
        { "B5, one function left", WITH_DATA,
          ADVANCED(FIELDS(MANAGEMENT) "," FIELDS(DATA "," S3 "," UNDER(BUCKET)) "," FIELDS(
                  DATA "," IS("resources.type", "AWS::Lambda::Function") "," IS(
                          "resources.ARN", "arn:aws:lambda:eu-west-1:111122223333:function:f"))) },
        { "B5, writes only", WITH_DATA,
          ADVANCED(FIELDS(MANAGEMENT) "," FIELDS(DATA "," S3 "," UNDER(BUCKET) "," IS(
                  "readOnly", "false")) "," FIELDS(DATA
                                                   "," IS("resources.type", "AWS::Lambda::Function"))) },
        { "B5, all of one type, but by a condition that takes nothing of another",
          ADVANCED(FIELDS(DATA "," IS("resources.type", "AWS::Lambda::Function"))),
          ADVANCED(FIELDS(DATA "," IS("resources.type", "AWS::Lambda::Function") "," UNDER("arn:aws:s3"))) },
        { "all but one type, and then but what lies under a name",
          ADVANCED(FIELDS(DATA "," NOT("resources.type", "AWS::S3::Object"))),
          ADVANCED(FIELDS(DATA "," NOT("resources.type", "AWS::S3::Object") "," UNDER("arn:aws:s3"))) },
        { "not every bucket: no ARN",
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3']}]}"),
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['s3']}]}") },
        { "not every bucket: half an ARN",
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3']}]}"),
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws']}]}") },
        { "not every bucket: every function",
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3']}]}"),
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:lambda']}]}") },
        { "both types by one condition",
          ADVANCED(FIELDS(
                  DATA ",{'Field':'resources.type','Equals':['AWS::S3::Object','AWS::Lambda::Function']}")),
          ADVANCED(FIELDS(
                  DATA
                  ",{'Field':'resources.type','Equals':['AWS::S3::Object','AWS::Lambda::Function']}," UNDER(
                          "arn:aws:s3"))) },
        { "not understood: a list", EVERYTHING, BASIC("{'ReadWriteType':'All','Left':['x']}") },
        { "not understood: a type of member", EVERYTHING, BASIC("{'IncludeManagementEvents':'yes'}") },
        { "not understood: a word", EVERYTHING, BASIC("{'ReadWriteType':'all'}") },
        { "not understood: a type of resource", EVERYTHING,
          BASIC("{'DataResources':[{'Type':'AWS::New::Thing','Values':['arn:aws:new']}]}") },
        { "not understood: an operator", EVERYTHING,
          ADVANCED("{'FieldSelectors':[{'Field':'eventCategory','Equals':['Management'],'Matches':['x']}]"
                   "}") },
        { "not understood: a condition without any", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT ",{'Field':'readOnly'}")) },
        { "not understood: a field twice", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT "," IS("readOnly", "true") "," IS("readOnly", "false"))) },
        { "not understood: both kinds", EVERYTHING,
          "{'EventSelectors':[{}],'AdvancedEventSelectors':[" FIELDS(MANAGEMENT) "]}" },
        { "not understood: a member of the whole", EVERYTHING, "{'EventSelectors':[{}],'More':1}" },
        { "not understood: no object", EVERYTHING, "[]" },
        { "no JSON", EVERYTHING, "{'EventSelectors':[{}]" },
        { "a member twice", EVERYTHING,
          BASIC("{'IncludeManagementEvents':false,'IncludeManagementEvents':true}") },
        { "a byte that the algebra needs", EVERYTHING,
          ADVANCED(FIELDS(MANAGEMENT "," NOT("eventSource", "\\u0001"))) },
        { "the baseline is not understood", BASIC("{'New':['x']}"), EVERYTHING },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SelectorsVerdict verdict = verdict_of(cases[i].baseline, cases[i].seen);

        if (!verdict.differs || !verdict.loses)
            fail_msg("%s: not seen", cases[i].what);
    }
}

static void more_is_a_difference_and_no_loss(void **state _unused_) {
    static const struct {
        const char *baseline, *seen;
    } cases[] = {
        { EVERYTHING, WITH_S3 },
        { EVERYTHING, WITH_DATA },
        { BASIC("{'ReadWriteType':'WriteOnly'}"), EVERYTHING },
        { BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com']}"), EVERYTHING },
        { WITH_S3, BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3:::']}]}") },
        { "", EVERYTHING },
        { BASIC("{'IncludeManagementEvents':false}"), EVERYTHING },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SelectorsVerdict verdict = verdict_of(cases[i].baseline, cases[i].seen);

        assert_true(verdict.differs);
        assert_false(verdict.loses);
    }
}

/* Within a row all record the same. */
static void meanings_are_compared(void **state _unused_) {
    static const char *const rows[][6] = {
        { EVERYTHING, BASIC("{}"), BASIC("{'ReadWriteType':null,'DataResources':null}"),
          "{'AdvancedEventSelectors':[],'EventSelectors':[{'IncludeManagementEvents':true}]}",
          ADVANCED("{'Name':'x','FieldSelectors':[" MANAGEMENT "]}"),
          ADVANCED(FIELDS(MANAGEMENT "," IS("readOnly", "true")) "," FIELDS(MANAGEMENT
                                                                            "," IS("readOnly", "false"))) },
        { EVERYTHING, ADVANCED(FIELDS(MANAGEMENT ",{'Field':'readOnly','Equals':['false','true']}")),
          BASIC("{'ReadWriteType':'ReadOnly'},{'ReadWriteType':'WriteOnly'}"),
          BASIC("{},{'ReadWriteType':'ReadOnly','IncludeManagementEvents':false}"),
          ADVANCED(FIELDS(MANAGEMENT "," NOT("eventSource", "kms.amazonaws.com")) "," FIELDS(
                  MANAGEMENT "," IS("eventSource", "kms.amazonaws.com"))),
          ADVANCED(FIELDS(MANAGEMENT
                          ",{'Field':'eventSource','Equals':[],'NotEquals':null,'StartsWith':['']}")) },
        { BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com','rdsdata.amazonaws.com']}"),
          BASIC("{'ExcludeManagementEventSources':['rdsdata.amazonaws.com','kms.amazonaws.com']}"),
          ADVANCED(FIELDS(
                  MANAGEMENT
                  ",{'Field':'eventSource','NotEquals':['kms.amazonaws.com','rdsdata.amazonaws.com']}")),
          ADVANCED("{'FieldSelectors':[{'NotEquals':['rdsdata.amazonaws.com','kms.amazonaws.com'],"
                   "'Field':'eventSource'}," MANAGEMENT "]}"),
          NULL },
        { WITH_S3,
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3:::other/','" BUCKET
                "']}]}"),
          BASIC("{'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:aws:s3:::other/']}]},"
                "{'DataResources':[{'Type':'AWS::S3::Object','Values':['" BUCKET "','" BUCKET
                "deeper/']}]}"),
          ADVANCED(FIELDS(MANAGEMENT) "," FIELDS(DATA "," S3 "," UNDER(BUCKET)) "," FIELDS(
                  DATA "," S3 "," UNDER("arn:aws:s3:::other/"))),
          ADVANCED(FIELDS(S3 "," DATA
                             ",{'Field':'resources.ARN','StartsWith':['arn:aws:s3:::other/','" BUCKET
                             "']}") "," FIELDS(MANAGEMENT)),
          NULL },
        { BASIC("{'IncludeManagementEvents':false,'DataResources':[{'Type':'AWS::S3::Object','Values':['arn:"
                "aws:s3']}]}"),
          BASIC("{'IncludeManagementEvents':false,'DataResources':[{'Type':'AWS::S3::Object','Values':["
                "'" BUCKET "','arn:aws:s3:::']}]}"),
          ADVANCED(FIELDS(DATA "," S3)), ADVANCED(FIELDS(DATA "," S3 "," UNDER("arn:aws:s3"))),
          ADVANCED(FIELDS(DATA "," S3 "," UNDER("arn:aws-cn:s3:::"))), NULL },
        { BASIC("{'ReadWriteType':'WriteOnly','IncludeManagementEvents':false,'DataResources':["
                "{'Type':'AWS::Lambda::Function','Values':['arn:aws:lambda']},"
                "{'Type':'AWS::DynamoDB::Table','Values':['arn:aws:dynamodb:eu-west-1:111122223333:table/"
                "t']}]}"),
          ADVANCED(FIELDS(DATA "," IS("resources.type", "AWS::Lambda::Function") "," IS(
                  "readOnly", "false")) "," FIELDS(DATA
                                                   "," IS("resources.type", "AWS::DynamoDB::Table") "," NOT(
                                                           "readOnly",
                                                           "true") "," IS("resources.ARN",
                                                                          "arn:aws:dynamodb:eu-west-1:"
                                                                          "111122223333:table/t"))),
          NULL },
        /* nothing */
        { "", "{}", BASIC(""), ADVANCED(""), BASIC("{'IncludeManagementEvents':false}"),
          BASIC("{'IncludeManagementEvents':false,'DataResources':[{'Type':'AWS::S3::Object','Values':[]}]"
                "}") },
        /* not understood, and yet the same text */
        { BASIC("{'New':1,'Old':[1,2]}"), BASIC("{'Old':[2,1],'New':1}"),
          BASIC("{'Old':[2,1,2],'New':1,'None':null}"), NULL },
        { "no JSON", "no JSON", NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (size_t a = 0; a < 6 && rows[i][a]; a++)
            for (size_t b = 0; b < 6 && rows[i][b]; b++) {
                SelectorsVerdict verdict = verdict_of(rows[i][a], rows[i][b]);

                if (verdict.differs || verdict.loses)
                    fail_msg("row %zu: %zu and %zu are said to differ", i, a, b);
            }
}

static void what_is_recorded_is_known(void **state _unused_) {
    static const struct {
        const char *selectors;
        int r;
        SelectorsManagement management;
        bool polls;
        bool covers[3]; /* all, write, read */
    } cases[] = {
        { EVERYTHING, 0, SELECTORS_ALL, true, { true, true, true } },
        { "", 0, SELECTORS_NONE, false, { false } },
        { WITH_DATA, 0, SELECTORS_ALL, true, { true, true, true } },
        { BASIC("{'ReadWriteType':'ReadOnly'}"), 0, SELECTORS_READ, true, { false, false, true } },
        { BASIC("{'ReadWriteType':'WriteOnly'}"), 0, SELECTORS_WRITE, false, { false, true, false } },
        { BASIC("{'IncludeManagementEvents':false}"), 0, SELECTORS_NONE, false, { false } },
        /* leaving keys out is common, and no reason to call a trail weak */
        { BASIC("{'ExcludeManagementEventSources':['kms.amazonaws.com']}"),
          0,
          SELECTORS_ALL,
          true,
          { false } },
        { ADVANCED(FIELDS(MANAGEMENT "," NOT("eventSource", "cloudtrail.amazonaws.com"))),
          0,
          SELECTORS_ALL,
          false,
          { false } },
        { ADVANCED(FIELDS(MANAGEMENT "," IS("eventSource", "cloudtrail.amazonaws.com"))),
          0,
          SELECTORS_NONE,
          true,
          { false } },
        { ADVANCED(FIELDS(MANAGEMENT "," NOT("eventName", "GetTrailStatus"))),
          0,
          SELECTORS_ALL,
          false,
          { false } },
        /* whether our own polls come from that user is not known */
        { ADVANCED(FIELDS(MANAGEMENT "," NOT("userIdentity.arn", "x"))),
          0,
          SELECTORS_ALL,
          false,
          { false } },
        { ADVANCED(FIELDS(MANAGEMENT "," IS("readOnly", "true")) "," FIELDS(MANAGEMENT
                                                                            "," IS("readOnly", "false"))),
          0,
          SELECTORS_ALL,
          true,
          { true, true, true } },
        { BASIC("{'New':{'x':1}}"), -EINVAL, SELECTORS_NONE, false, { false } },
        { BASIC("{'New':1}"), 0, SELECTORS_ALL, true, { true, true, true } },
        { "no JSON", -EINVAL, SELECTORS_NONE, false, { false } },
    };
    static const ManagementEvents kinds[3] = { MANAGEMENT_ALL, MANAGEMENT_WRITE, MANAGEMENT_READ };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *text = json_of(cases[i].selectors);
        SelectorsManagement management = SELECTORS_NONE;
        bool covers;

        assert_int_equal(selectors_management(text, &management), cases[i].r);
        assert_int_equal(management, cases[i].management);
        assert_int_equal(selectors_record_reads(text), cases[i].polls);
        for (size_t k = 0; k < 3; k++) {
            covers = false;
            assert_int_equal(selectors_cover_management(text, kinds[k], &covers), cases[i].r);
            assert_int_equal(covers, cases[i].covers[k]);
        }
        covers = false;
        assert_int_equal(selectors_cover_management(text, MANAGEMENT_NOT_PINNED, &covers), 0);
        assert_true(covers);
    }
}

static void management_events_can_be_added(void **state _unused_) {
    static const struct {
        const char *before, *after;
    } cases[] = {
        { "", EVERYTHING },
        { BASIC("{'ReadWriteType':'ReadOnly','ExcludeManagementEventSources':['kms.amazonaws.com']}"),
          EVERYTHING },
        { ADVANCED(FIELDS(MANAGEMENT "," IS("readOnly", "true"))), EVERYTHING },
        { ADVANCED(FIELDS(DATA "," S3)), ADVANCED(FIELDS(DATA "," S3) "," FIELDS(MANAGEMENT)) },
        { BASIC("{'IncludeManagementEvents':false,'ReadWriteType':'WriteOnly','DataResources':[" DATA_OF(
                  "a") "]}"),
          ADVANCED(FIELDS(DATA "," S3 "," IS("readOnly", "false") "," UNDER("arn:aws:s3:::a/")) "," FIELDS(
                  MANAGEMENT)) },
        /* a selector that records nothing else makes room */
        { BASIC("{'ReadWriteType':'ReadOnly'},{'IncludeManagementEvents':false,'DataResources':[" DATA_OF(
                  "a") "]},"
                       "{'ReadWriteType':'WriteOnly','DataResources':[]}"),
          BASIC("{},{'IncludeManagementEvents':false,'DataResources':[" DATA_OF("a") "]}") },
        /* five selectors are all there can be: the first one widens */
        { BASIC(FIVE(
                  "{'IncludeManagementEvents':false,'ReadWriteType':'WriteOnly','DataResources':[" DATA_OF(
                          "a") "]}")),
          BASIC(FIVE("{'DataResources':[" DATA_OF("a") "]}")) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *before = json_of(cases[i].before), *after = json_of(cases[i].after),
                            *made = NULL;
        SelectorsVerdict verdict;
        bool covers = false;

        assert_int_equal(selectors_add_management(before, &made), 0);
        assert_int_equal(selectors_cover_management(made, MANAGEMENT_ALL, &covers), 0);
        assert_true(covers);
        assert_int_equal(selectors_compare(after, made, &verdict), 0);
        if (verdict.differs)
            fail_msg("case %zu: %s", i, made);
    }

    {
        char *made = NULL;
        _cleanup_free_ char *text = json_of(BASIC("{'New':['x']}"));

        assert_int_equal(selectors_add_management(text, &made), -EINVAL);
        assert_null(made);
    }
}

/* ---- a small world ---- */

static uint64_t seed;

static unsigned pick(unsigned n) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(seed >> 33) % n;
}

enum { EQUALS, STARTS, ENDS, NOT_EQUALS, NOT_STARTS, NOT_ENDS, OPERATORS };
static const char *const operators[OPERATORS] = { "Equals",    "StartsWith",    "EndsWith",
                                                  "NotEquals", "NotStartsWith", "NotEndsWith" };
enum { CATEGORY, READ_ONLY, SOURCE, NAME, FIELD_COUNT };
static const char *const fields[FIELD_COUNT] = { "eventCategory", "readOnly", "eventSource", "eventName" };

#define VALUES_MAX    3
#define SELECTORS_MAX 4

typedef struct Test {
    unsigned op;
    char value[12];
} Test;

typedef struct Filter {
    Test tests[FIELD_COUNT][VALUES_MAX];
    unsigned n[FIELD_COUNT];
} Filter;

typedef struct World {
    Filter filters[SELECTORS_MAX];
    unsigned n;
} World;

static void random_word(char *value) {
    unsigned n = 1 + pick(2);

    for (unsigned i = 0; i < n; i++)
        value[i] = (char)('a' + pick(2));
    value[n] = '\0';
}

static Filter random_filter(void) {
    Filter f = { 0 };

    f.n[CATEGORY] = 1;
    strcpy(f.tests[CATEGORY][0].value, pick(3) ? "Management" : "Data");
    if (pick(2)) {
        f.n[READ_ONLY] = 1;
        f.tests[READ_ONLY][0].op = pick(2) ? EQUALS : NOT_EQUALS;
        strcpy(f.tests[READ_ONLY][0].value, pick(2) ? "true" : "false");
    }
    for (unsigned field = SOURCE; field < FIELD_COUNT; field++) {
        f.n[field] = pick(2) ? 0 : 1 + pick(VALUES_MAX);
        for (unsigned i = 0; i < f.n[field]; i++) {
            f.tests[field][i].op = field == NAME ? (pick(2) ? EQUALS : NOT_EQUALS) : pick(OPERATORS);
            random_word(f.tests[field][i].value);
            if (field == NAME)
                f.tests[field][i].value[1] = '\0';
        }
    }
    return f;
}

static World random_world(void) {
    World w = { .n = pick(SELECTORS_MAX + 1) };

    for (unsigned i = 0; i < w.n; i++)
        w.filters[i] = random_filter();
    return w;
}

static void shuffle(void *items, size_t n, size_t size) {
    char *p = items, spare[sizeof(Filter)];

    for (size_t i = n; i > 1; i--) {
        size_t k = pick((unsigned)i);

        memcpy(spare, p + (i - 1) * size, size);
        memmove(p + (i - 1) * size, p + k * size, size);
        memcpy(p + k * size, spare, size);
    }
}

/* The text of a world; values, conditions and members in random order, the same value now and then twice, a
 * name now and then. */
static char *world_text(const World *w) {
    json_t *list = json_array(), *root = json_pack("{s:o}", "AdvancedEventSelectors", list);
    unsigned order[SELECTORS_MAX] = { 0, 1, 2, 3 };
    char *text;

    shuffle(order, w->n, sizeof(order[0]));
    for (unsigned i = 0; i < w->n; i++) {
        const Filter *f = &w->filters[order[i]];
        json_t *conditions = json_array(), *selector = json_pack("{s:o}", "FieldSelectors", conditions);
        unsigned field_order[FIELD_COUNT] = { 0, 1, 2, 3 };

        shuffle(field_order, FIELD_COUNT, sizeof(unsigned));
        for (unsigned k = 0; k < FIELD_COUNT; k++) {
            unsigned field = field_order[k], test_order[VALUES_MAX] = { 0, 1, 2 };
            json_t *condition;

            if (f->n[field] == 0)
                continue;
            condition = json_pack("{s:s}", "Field", fields[field]);
            shuffle(test_order, f->n[field], sizeof(unsigned));
            for (unsigned t = 0; t < f->n[field]; t++) {
                const Test *test = &f->tests[field][test_order[t]];

                if (!json_object_get(condition, operators[test->op]))
                    json_object_set_new(condition, operators[test->op], json_array());
                for (unsigned times = 1 + !pick(4); times > 0; times--)
                    json_array_append_new(json_object_get(condition, operators[test->op]),
                                          json_string(test->value));
            }
            json_array_append_new(conditions, condition);
        }
        if (pick(2))
            json_object_set_new(selector, "Name", json_string("a name"));
        json_array_append_new(list, selector);
    }
    text = json_dumps(root, 0);
    json_decref(root);
    assert_non_null(text);
    return text;
}

static bool test_holds(const Test *test, const char *s) {
    size_t n = strlen(s), m = strlen(test->value);
    unsigned op = test->op % 3;

    return n >= m && (op == EQUALS   ? n == m && strcmp(s, test->value) == 0
                      : op == STARTS ? strncmp(s, test->value, m) == 0
                                     : strcmp(s + n - m, test->value) == 0);
}

static bool filter_takes_value(const Filter *f, unsigned field, const char *s) {
    bool positive = false, any = false;

    for (unsigned i = 0; i < f->n[field]; i++) {
        const Test *test = &f->tests[field][i];

        if (test->op >= NOT_EQUALS && test_holds(test, s))
            return false;
        positive = positive || test->op < NOT_EQUALS;
        any = any || (test->op < NOT_EQUALS && test_holds(test, s));
    }
    return any || !positive;
}

/* Every string of up to five letters a, b and c: with conditions of one or two letters a and b, whatever two
 * events can differ in is in there. */
#define SOURCES_MAX 364
static char sources[SOURCES_MAX][6];
static unsigned n_sources;

static void make_sources(const char *prefix) {
    if (strlen(prefix) > 5)
        return;
    strcpy(sources[n_sources++], prefix);
    for (char c = 'a'; c <= 'c'; c++) {
        char longer[8];

        (void)snprintf(longer, sizeof(longer), "%s%c", prefix, c);
        make_sources(longer);
    }
}

static const char *const values[FIELD_COUNT][4] = {
    [CATEGORY] = { "Management", "Data", "NetworkActivity", NULL },
    [READ_ONLY] = { "true", "false", NULL },
    [NAME] = { "a", "b", "c", NULL },
};

/* Which of the sources are taken, as bits in a row, for one choice of the other fields. */
static void taken_sources(const World *w, const char *const *event, bool *ret) {
    memset(ret, 0, n_sources * sizeof(*ret));
    for (unsigned i = 0; i < w->n; i++) {
        const Filter *f = &w->filters[i];

        if (!filter_takes_value(f, CATEGORY, event[CATEGORY]) ||
            !filter_takes_value(f, READ_ONLY, event[READ_ONLY]) || !filter_takes_value(f, NAME, event[NAME]))
            continue;
        for (unsigned s = 0; s < n_sources; s++)
            ret[s] = ret[s] || filter_takes_value(f, SOURCE, sources[s]);
    }
}

/* The truth about two worlds. */
static SelectorsVerdict truth(const World *a, const World *b) {
    SelectorsVerdict verdict = { 0 };
    const char *event[FIELD_COUNT];
    bool x[SOURCES_MAX], y[SOURCES_MAX];

    for (unsigned c = 0; (event[CATEGORY] = values[CATEGORY][c]); c++)
        for (unsigned r = 0; (event[READ_ONLY] = values[READ_ONLY][r]); r++)
            for (unsigned n = 0; (event[NAME] = values[NAME][n]); n++) {
                taken_sources(a, event, x);
                taken_sources(b, event, y);
                for (unsigned s = 0; s < n_sources; s++) {
                    verdict.loses = verdict.loses || (x[s] && !y[s]);
                    verdict.differs = verdict.differs || x[s] != y[s];
                }
            }
    return verdict;
}

/* Another world that is like this one but for a little. */
static World changed(const World *w) {
    World next = *w;
    unsigned which = w->n ? pick(w->n) : 0;

    switch (pick(4)) {
    case 0: /* a selector less */
        if (next.n > 0)
            next.filters[which] = next.filters[--next.n];
        break;
    case 1: /* one more */
        if (next.n < SELECTORS_MAX)
            next.filters[next.n++] = random_filter();
        break;
    case 2: /* a condition less */ next.filters[which].n[READ_ONLY + pick(3)] = 0; break;
    default: /* one selector split in two by readOnly: the same again, unless it asked for it */
        if (next.n > 0 && next.n < SELECTORS_MAX && next.filters[which].n[READ_ONLY] == 0) {
            Filter *f = &next.filters[which];

            f->n[READ_ONLY] = 1;
            f->tests[READ_ONLY][0] = (Test){ .op = EQUALS, .value = "true" };
            next.filters[next.n] = *f;
            next.filters[next.n++].tests[READ_ONLY][0].op = NOT_EQUALS;
        }
        break;
    }
    return next;
}

static void random_sets_are_judged_as_the_oracle_does(void **state _unused_) {
    unsigned n_same = 0, n_losing = 0, n_wider = 0;

    seed = 20261124;
    n_sources = 0;
    make_sources("");
    assert_int_equal(n_sources, SOURCES_MAX);
    for (unsigned i = 0; i < 3000; i++) {
        World a = random_world(), b = pick(4) ? changed(&a) : random_world();
        _cleanup_free_ char *x = world_text(&a), *y = world_text(&b), *again = world_text(&a);
        SelectorsVerdict expected = truth(&a, &b), verdict = { 0 };

        assert_int_equal(selectors_compare(x, y, &verdict), 0);
        if (verdict.differs != expected.differs || verdict.loses != expected.loses)
            fail_msg("round %u: differs %d, loses %d; baseline %s, seen %s", i, verdict.differs,
                     verdict.loses, x, y);
        n_same += !expected.differs;
        n_losing += expected.loses;
        n_wider += expected.differs && !expected.loses;

        assert_int_equal(selectors_compare(x, again, &verdict), 0);
        if (verdict.differs || verdict.loses)
            fail_msg("round %u: differs from itself: %s, %s", i, x, again);
    }
    /* the rounds are worth something only when all answers occur */
    assert_true(n_same > 300 && n_losing > 300 && n_wider > 300);
}

/* ---- basic selectors, said again in the advanced form ---- */

typedef struct Basic {
    unsigned type; /* all, reads, writes */
    bool management;
    unsigned excluded;        /* bits of two sources */
    unsigned buckets, tables; /* bits of three */
} Basic;

static const char *const types[3] = { "All", "ReadOnly", "WriteOnly" };
static const char *const kept_out[2] = { "kms.amazonaws.com", "rdsdata.amazonaws.com" };
static const char *const buckets[3] = { "arn:aws:s3:::a/", "arn:aws:s3:::b/", "arn:aws:s3:::b/deep/" };
static const char *const tables[3] = { "arn:aws:dynamodb:x:111122223333:table/t",
                                       "arn:aws:dynamodb:x:111122223333:table/tt", "arn:aws:dynamodb" };

static json_t *chosen(const char *const *names, unsigned n, unsigned bits) {
    json_t *list = json_array();

    for (unsigned i = 0; i < n; i++)
        if (bits & 1U << i)
            json_array_insert_new(list, pick((unsigned)json_array_size(list) + 1), json_string(names[i]));
    return list;
}

static char *basic_text(const Basic *basics, unsigned n) {
    json_t *list = json_array(), *root = json_pack("{s:o}", "EventSelectors", list);
    char *text;

    for (unsigned i = 0; i < n; i++) {
        const Basic *b = &basics[i];
        json_t *selector = json_object(), *resources = json_array();

        if (b->type != 0 || pick(2))
            json_object_set_new(selector, "ReadWriteType", json_string(types[b->type]));
        if (!b->management || pick(2))
            json_object_set_new(selector, "IncludeManagementEvents", json_boolean(b->management));
        if (b->excluded || pick(2))
            json_object_set_new(selector, "ExcludeManagementEventSources", chosen(kept_out, 2, b->excluded));
        if (b->tables)
            json_array_append_new(resources, json_pack("{s:s, s:o}", "Type", "AWS::DynamoDB::Table",
                                                       "Values", chosen(tables, 3, b->tables)));
        if (b->buckets)
            json_array_insert_new(resources, pick(1 + (b->tables != 0)),
                                  json_pack("{s:s, s:o}", "Type", "AWS::S3::Object", "Values",
                                            chosen(buckets, 3, b->buckets)));
        json_object_set_new(selector, "DataResources", resources);
        json_array_append_new(list, selector);
    }
    text = json_dumps(root, 0);
    json_decref(root);
    return text;
}

static void append_advanced(json_t *list, unsigned type, json_t *conditions) {
    if (type != 0)
        json_array_append_new(conditions, pick(2) ? json_pack("{s:s, s:[s]}", "Field", "readOnly", "Equals",
                                                              type == 1 ? "true" : "false")
                                                  : json_pack("{s:s, s:[s]}", "Field", "readOnly",
                                                              "NotEquals", type == 1 ? "false" : "true"));
    json_array_insert_new(list, pick((unsigned)json_array_size(list) + 1),
                          json_pack("{s:o}", "FieldSelectors", conditions));
}

static char *advanced_text(const Basic *basics, unsigned n) {
    json_t *list = json_array(), *root = json_pack("{s:o}", "AdvancedEventSelectors", list), *c;
    char *text;

    for (unsigned i = 0; i < n; i++) {
        const Basic *b = &basics[i];

        if (b->management) {
            c = json_pack("[{s:s, s:[s]}]", "Field", "eventCategory", "Equals", "Management");
            if (b->excluded)
                json_array_append_new(c, json_pack("{s:s, s:o}", "Field", "eventSource", "NotEquals",
                                                   chosen(kept_out, 2, b->excluded)));
            append_advanced(list, b->type, c);
        }
        for (unsigned k = 0; k < 3; k++)
            if (b->buckets & 1U << k) {
                c = json_pack("[{s:s, s:[s]}, {s:s, s:[s]}, {s:s, s:[s]}]", "Field", "eventCategory",
                              "Equals", "Data", "Field", "resources.type", "Equals", "AWS::S3::Object",
                              "Field", "resources.ARN", "StartsWith", buckets[k]);
                append_advanced(list, b->type, c);
            }
        if (b->tables) {
            c = json_pack("[{s:s, s:[s]}, {s:s, s:[s]}]", "Field", "eventCategory", "Equals", "Data",
                          "Field", "resources.type", "Equals", "AWS::DynamoDB::Table");
            if (!(b->tables & 4))
                json_array_append_new(c, json_pack("{s:s, s:o}", "Field", "resources.ARN", "Equals",
                                                   chosen(tables, 3, b->tables)));
            append_advanced(list, b->type, c);
        }
    }
    text = json_dumps(root, 0);
    json_decref(root);
    return text;
}

static void a_basic_set_is_its_advanced_form(void **state _unused_) {
    seed = 4711;
    for (unsigned i = 0; i < 2000; i++) {
        Basic basics[3];
        unsigned n = 1 + pick(3);
        _cleanup_free_ char *a = NULL, *b = NULL, *none = strdup("{\"EventSelectors\":[]}");
        SelectorsVerdict verdict, empty;

        for (unsigned k = 0; k < n; k++)
            basics[k] = (Basic){ .type = pick(3),
                                 .management = pick(2),
                                 .excluded = pick(4),
                                 .buckets = pick(8),
                                 .tables = pick(8) };
        a = basic_text(basics, n);
        b = advanced_text(basics, n);
        assert_int_equal(selectors_compare(a, b, &verdict), 0);
        if (verdict.differs)
            fail_msg("round %u: %s is said not to be %s", i, a, b);
        assert_int_equal(selectors_compare(b, a, &verdict), 0);
        assert_false(verdict.differs);

        /* each recorded thing that goes is missed */
        assert_int_equal(selectors_compare(a, none, &empty), 0);
        free(b);
        basics[n - 1] = (Basic){ 0 };
        b = advanced_text(basics, n - 1);
        assert_int_equal(selectors_compare(a, b, &verdict), 0);
        if (n == 1)
            assert_int_equal(verdict.loses, empty.loses);
    }
}

static void removing_what_is_recorded_always_loses(void **state _unused_) {
    seed = 99;
    for (unsigned i = 0; i < 2000; i++) {
        Basic full = { .type = pick(3),
                       .management = true,
                       .excluded = pick(4),
                       .buckets = 1 + pick(7),
                       .tables = 1 + pick(3) };
        Basic less = full;
        _cleanup_free_ char *a = NULL, *b = NULL;
        SelectorsVerdict verdict;

        /* b/deep/ lies within b/, so leaving it alone out loses nothing */
        full.buckets = full.buckets & 2 ? full.buckets & 3 : full.buckets;
        less.buckets = full.buckets;
        switch (pick(5)) {
        case 0: less.management = false; break;
        case 1:
            if (full.type != 0)
                continue;
            less.type = 1 + pick(2);
            break;
        case 2:
            if (full.excluded == 3)
                continue;
            less.excluded = 3;
            break;
        case 3: less.buckets &= less.buckets - 1; break;
        default: less.tables &= less.tables - 1; break;
        }
        a = pick(2) ? basic_text(&full, 1) : advanced_text(&full, 1);
        b = pick(2) ? basic_text(&less, 1) : advanced_text(&less, 1);
        assert_int_equal(selectors_compare(a, b, &verdict), 0);
        if (!verdict.differs || !verdict.loses)
            fail_msg("round %u: %s is said not to lose against %s", i, b, a);
        assert_int_equal(selectors_compare(b, a, &verdict), 0);
        assert_true(verdict.differs);
        assert_false(verdict.loses);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_lose),
        cmocka_unit_test(more_is_a_difference_and_no_loss),
        cmocka_unit_test(meanings_are_compared),
        cmocka_unit_test(what_is_recorded_is_known),
        cmocka_unit_test(management_events_can_be_added),
        cmocka_unit_test(random_sets_are_judged_as_the_oracle_does),
        cmocka_unit_test(a_basic_set_is_its_advanced_form),
        cmocka_unit_test(removing_what_is_recorded_always_loses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
