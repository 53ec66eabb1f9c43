/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Sets of selectors as texts that are easy to read. */

#include <stdlib.h>
#include <string.h>

#include "daemon/core/selectors.h"
#include "lib/util/macros.h"

/* ---- texts, with ' for " ---- */

static inline char *json_of(const char *quoted) {
    char *text = strdup(quoted);

    for (char *p = text; p && *p; p++)
        if (*p == '\'')
            *p = '"';
    assert_non_null(text);
    return text;
}

static inline SelectorsVerdict verdict_of(const char *baseline, const char *seen) {
    _cleanup_free_ char *a = json_of(baseline), *b = json_of(seen);
    SelectorsVerdict verdict = { 0 };

    assert_int_equal(selectors_compare(a, b, &verdict), 0);
    return verdict;
}

#define BASIC(s)    "{'EventSelectors':[" s "]}"
#define ADVANCED(s) "{'AdvancedEventSelectors':[" s "]}"
#define FIELDS_OF(s) ADVANCED("{'FieldSelectors':[" s "]}")
#define FIELDS(s)   "{'FieldSelectors':[" s "]}"
#define IS(f, v)    "{'Field':'" f "','Equals':['" v "']}"
#define NOT(f, v)   "{'Field':'" f "','NotEquals':['" v "']}"
#define MANAGEMENT  IS("eventCategory", "Management")
#define DATA        IS("eventCategory", "Data")
#define S3          IS("resources.type", "AWS::S3::Object")
#define UNDER(v)    "{'Field':'resources.ARN','StartsWith':['" v "']}"
#define BUCKET      "arn:aws:s3:::audited/"

#define EVERYTHING                                                                                          \
    BASIC("{'ReadWriteType':'All','IncludeManagementEvents':true,'DataResources':[],"                       \
          "'ExcludeManagementEventSources':[]}")
#define WITH_S3                                                                                             \
    BASIC("{'ReadWriteType':'All','IncludeManagementEvents':true,"                                          \
          "'DataResources':[{'Type':'AWS::S3::Object','Values':['" BUCKET "','arn:aws:s3:::other/']}]}")
#define WITH_DATA                                                                                           \
    ADVANCED(FIELDS(MANAGEMENT) "," FIELDS(DATA "," S3 "," UNDER(BUCKET)) "," FIELDS(                       \
            DATA "," IS("resources.type", "AWS::Lambda::Function")))

#define FIVE(s)                                                                                             \
    s ",{'DataResources':[" DATA_OF("b") "]},{'DataResources':[" DATA_OF(                                   \
            "c") "]},{'DataResources':[" DATA_OF("d") "]},{'DataResources':[" DATA_OF("e") "]}"
#define DATA_OF(b) "{'Type':'AWS::S3::Object','Values':['arn:aws:s3:::" b "/']}"
