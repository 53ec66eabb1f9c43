/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/channel_format.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/alert.h"
#include "daemon/core/enum_names.h"
#include "daemon/core/events.h"
#include "lib/util/json_text.h"
#include "lib/util/strbuf.h"
#include "lib/util/text.h"
#include "lib/util/timetext.h"

/* Limits of the receivers, or lower values. In bytes, so that limits in characters hold as well. */
#define SLACK_HEADER_MAX      150
#define SLACK_TEXT_MAX        2900
#define TEAMS_TEXT_MAX        8192 /* of 28 KiB for the whole card, which adds about 90 bytes per line */
#define TEAMS_LINES_MAX       100
#define PAGERDUTY_SUMMARY_MAX 1024
#define OPSGENIE_MESSAGE_MAX  130
#define OPSGENIE_TEXT_MAX     15000
#define CHAT_TITLE_MAX        250
#define CHAT_TEXT_MAX         7000

_Static_assert(_EVENT_MAX <= 64, "AlertFilter has a bit for each event");

static const char cut_mark[] = "\n[...]";

bool alert_only_ends(EventKind event) {
    return event == EVENT_TRAIL_RESOLVED || event == EVENT_REGION_COVERED ||
           event == EVENT_TARGET_REACHABLE || event == EVENT_CHANNEL_RECOVERED;
}

/* A summary may end an incident whose last reopenings were not reported individually. */
bool alert_ends_incident(const Alert *alert) {
    return alert->ends || alert_only_ends(alert->event);
}

bool alert_filter_takes(const AlertFilter *filter, const Alert *alert) {
    if (alert_only_ends(alert->event) && !filter->resolved)
        return false;
    if (alert_ends_incident(alert) && filter->resolved && filter->keeps_incidents)
        return true;
    return alert->severity >= filter->min_severity &&
           (filter->events == 0 || (filter->events & UINT64_C(1) << alert->event));
}

/* ---- texts ---- */

/* Returns at most max bytes of text, cut between characters and marked as cut. NULL when the text is not
 * UTF-8, or out of memory. */
static json_t *cut_text(const char *text, size_t max) {
    _cleanup_free_ char *cut = NULL;

    if (strlen(text) <= max)
        return json_string(text);
    cut = malloc(max + 1);
    if (!cut)
        return NULL;
    (void)text_copy(cut, max + 1 - strlen(cut_mark), text);
    (void)memcpy(cut + strlen(cut), cut_mark, sizeof(cut_mark));
    return json_string(cut);
}

/* Outside of blocks, Slack treats text as markup: '<' may begin a link or notify a whole channel. */
static json_t *slack_text(const char *text) {
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(4096);

    for (; *text; text++)
        if (*text == '&')
            (void)strbuf_add(&b, "&amp;");
        else if (*text == '<')
            (void)strbuf_add(&b, "&lt;");
        else if (*text == '>')
            (void)strbuf_add(&b, "&gt;");
        else
            (void)strbuf_add_char(&b, *text);
    return strbuf_error(&b) < 0 ? NULL : json_string(strbuf_str(&b));
}

/* Amazon Q Developer renders Markdown in Slack or Teams, and no escape works in both. Special characters are
 * replaced by look-alikes. */
static json_t *chat_text(const char *text, size_t max, bool block) {
    static const struct {
        char from;
        const char *to;
        bool in_block; /* also inside a code block */
    } replaced[] = {
        { '<', "\u2039", true },  { '>', "\u203a", true }, { '`', "'", true },  { '@', "\uff20", true },
        { '*', "\u2217", false }, { '[', "(", false },     { ']', ")", false }, { '~', "-", false },
    };
    _cleanup_strbuf_ StrBuf b = STRBUF_INIT(max);
    size_t room = max - strlen(cut_mark) - 16;

    (void)strbuf_add(&b, block ? "```\n" : "");
    for (; *text && b.len < room; text++) {
        const char *to = NULL;

        for (size_t i = 0; !to && i < ARRAY_SIZE(replaced); i++)
            if (*text == replaced[i].from && (replaced[i].in_block || !block))
                to = replaced[i].to;
        (void)(to ? strbuf_add(&b, to) : strbuf_add_char(&b, *text));
    }
    while (((unsigned char)*text & 0xc0) == 0x80)
        (void)strbuf_add_char(&b, *text++); /* do not cut inside a character */
    (void)strbuf_addf(&b, "%s%s", *text ? cut_mark : "", block ? "\n```" : "");
    return strbuf_error(&b) < 0 ? NULL : json_string(strbuf_str(&b));
}

/* Returns the alert's subject: the trail's ARN, else account and region, else the guard. */
static json_t *source_of(const Alert *alert, const json_t *document) {
    const char *arn = json_string_value(json_object_get(json_object_get(document, "trail"), "arn"));
    char place[sizeof(alert->account) + sizeof(alert->region) + 2];

    if (arn)
        return json_string(arn);
    (void)snprintf(place, sizeof(place), "%s%s%s", alert->account,
                   alert->account[0] && alert->region[0] ? "/" : "", alert->region);
    return json_string(place[0] ? place : "trailguard");
}

/* ---- one function per format; NULL when a text is not UTF-8, or out of memory ---- */

static json_t *slack_body(const Alert *alert, const json_t *document _unused_, const char *key _unused_) {
    return json_pack(
            "{s:o, s:[{s:s, s:{s:s, s:o, s:b}}, {s:s, s:[{s:s, s:[{s:s, s:o}]}]}, {s:s, s:[{s:s, s:o}]}]}",
            "text", slack_text(alert->subject), "blocks", "type", "header", "text", "type", "plain_text",
            "text", cut_text(alert->subject, SLACK_HEADER_MAX), "emoji", 0, "type", "rich_text", "elements",
            "type", "rich_text_preformatted", "elements", "type", "text", "text",
            cut_text(alert->text, SLACK_TEXT_MAX), "type", "context", "elements", "type", "plain_text",
            "text", json_sprintf("%s, incident %s", event_to_string(alert->event), alert->incident));
}

/* Adds one line of plain text. A TextBlock would interpret Markdown; a TextRun does not, but cannot break
 * lines. */
static int add_card_line(json_t *lines, const char *text, size_t len) {
    return json_array_append_new(lines,
                                 json_pack("{s:s, s:s, s:[{s:s, s:o, s:s, s:s}]}", "type", "RichTextBlock",
                                           "spacing", "none", "inlines", "type", "TextRun", "text",
                                           len > 0 ? json_stringn(text, len) : json_string(" "), "fontType",
                                           "monospace", "size", "small"));
}

static json_t *teams_body(const Alert *alert, const json_t *document _unused_, const char *key _unused_) {
    static const char *const colors[_SEVERITY_MAX] = { "accent", "warning", "attention" };
    json_auto_t *body =
            json_pack("[{s:s, s:[{s:s, s:s, s:s, s:s, s:s}]}]", "type", "RichTextBlock", "inlines", "type",
                      "TextRun", "text", alert->subject, "weight", "bolder", "size", "medium", "color",
                      alert_ends_incident(alert) ? "good" : colors[alert->severity]);
    json_auto_t *text = cut_text(alert->text, TEAMS_TEXT_MAX);
    const char *line = json_string_value(text);

    for (unsigned n = 0; body && line && *line; n++) {
        size_t len = strcspn(line, "\n");
        bool last = n == TEAMS_LINES_MAX;

        if (add_card_line(body, last ? "[...]" : line, last ? strlen("[...]") : len) < 0)
            return NULL;
        line = last ? "" : line + len + (line[len] == '\n');
    }
    return !body || !line
                   ? NULL
                   : json_pack("{s:s, s:[{s:s, s:n, s:{s:s, s:s, s:s, s:{s:s}, s:O}}]}", "type", "message",
                               "attachments", "contentType", "application/vnd.microsoft.card.adaptive",
                               "contentUrl", "content", "$schema",
                               "http://adaptivecards.io/schemas/adaptive-card.json", "type", "AdaptiveCard",
                               "version", "1.4", "msteams", "width", "Full", "body", body);
}

static json_t *pagerduty_body(const Alert *alert, const json_t *document, const char *key) {
    char time[TIMETEXT_MAX];

    if (alert_ends_incident(alert))
        return json_pack("{s:s, s:s, s:s}", "routing_key", key, "event_action", "resolve", "dedup_key",
                         alert->incident);
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:O}}", "routing_key", key,
                     "event_action", "trigger", "dedup_key", alert->incident, "client", "TrailGuard",
                     "payload", "summary", cut_text(alert->subject, PAGERDUTY_SUMMARY_MAX), "source",
                     source_of(alert, document), "severity", severity_to_string(alert->severity),
                     "timestamp", timetext_iso(time, alert->time_usec), "component",
                     alert->trail[0] ? alert->trail : "trailguard", "group",
                     alert->account[0] ? alert->account : "trailguard", "class",
                     event_to_string(alert->event), "custom_details", document);
}

static json_t *opsgenie_body(const Alert *alert, const json_t *document, const char *key _unused_) {
    static const char *const priorities[_SEVERITY_MAX] = { "P5", "P3", "P1" };

    if (alert_ends_incident(alert))
        return json_pack("{s:s, s:o}", "source", "TrailGuard", "note",
                         cut_text(alert->text, OPSGENIE_TEXT_MAX));
    return json_pack("{s:o, s:s, s:o, s:s, s:s, s:o, s:[s, s], s:{s:s, s:s, s:s, s:s}}", "message",
                     cut_text(alert->subject, OPSGENIE_MESSAGE_MAX), "alias", alert->incident, "description",
                     cut_text(alert->text, OPSGENIE_TEXT_MAX), "priority", priorities[alert->severity],
                     "source", "TrailGuard", "entity", source_of(alert, document), "tags", "trailguard",
                     event_to_string(alert->event), "details", "event", event_to_string(alert->event),
                     "account", alert->account, "region", alert->region, "trail", alert->trail);
}

static json_t *chat_body(const Alert *alert, const json_t *document, const char *key _unused_) {
    return json_pack(
            "{s:s, s:s, s:s, s:{s:s, s:o, s:o, s:[s]}, s:{s:s, s:o, s:s, s:[o], s:{s:s, s:s, s:s}}}",
            "version", "1.0", "source", "custom", "id", alert->id, "content", "textType", "client-markdown",
            "title", chat_text(alert->subject, CHAT_TITLE_MAX, false), "description",
            chat_text(alert->text, CHAT_TEXT_MAX, true), "keywords", "TrailGuard", "metadata", "threadId",
            alert->incident, "summary", chat_text(alert->subject, CHAT_TITLE_MAX, false), "eventType",
            event_to_string(alert->event), "relatedResources", source_of(alert, document),
            "additionalContext", "severity", severity_to_string(alert->severity), "account", alert->account,
            "region", alert->region);
}

typedef json_t *(*MakeBody)(const Alert *alert, const json_t *document, const char *key);

static const MakeBody makers[_ALERT_FORMAT_MAX] = {
    [ALERT_FORMAT_SLACK] = slack_body,         [ALERT_FORMAT_TEAMS] = teams_body,
    [ALERT_FORMAT_PAGERDUTY] = pagerduty_body, [ALERT_FORMAT_OPSGENIE] = opsgenie_body,
    [ALERT_FORMAT_CHAT] = chat_body,
};

int alert_format_body(AlertFormat format, const Alert *alert, const char *key, char **ret) {
    json_auto_t *document = NULL, *body = NULL;
    int r;

    if (format == ALERT_FORMAT_JSON) {
        *ret = strdup(alert->document);
        return *ret ? 0 : -ENOMEM;
    }
    r = json_text_parse(alert->document, strlen(alert->document), JSON_REJECT_DUPLICATES, NULL, &document);
    if (r < 0)
        return r;
    body = makers[format](alert, document, key);
    if (!body)
        return alert_is_utf8(alert) ? -ENOMEM : -EINVAL;
    *ret = json_text_dump(body, JSON_COMPACT);
    return *ret ? 0 : -ENOMEM;
}

void alert_format_path(AlertFormat format, const Alert *alert, char ret[static ALERT_FORMAT_PATH_MAX]) {
    ret[0] = '\0';
    if (format == ALERT_FORMAT_OPSGENIE && alert_ends_incident(alert))
        (void)snprintf(ret, ALERT_FORMAT_PATH_MAX, "/%s/close?identifierType=alias", alert->incident);
}
