/*
 * POST .../chat: a question about a report. No language model reads it: a few
 * words select the part of the report that is the answer.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ascii.h"
#include "rca_report.h"

enum { MAX_MESSAGES = 50, MAX_MESSAGE = 10000 /* characters */ };

/* A line of the answer. */
struct chat_event {
    const char *type;
    struct slice text;
};
static const struct reply_table chunk_table =
    REPLY_TABLE(struct chat_event, REPLY(struct chat_event, "type", type),
                REPLY(struct chat_event, "content", text));
static const struct reply_table done_table =
    REPLY_TABLE(struct chat_event, REPLY(struct chat_event, "type", type),
                REPLY(struct chat_event, "message", text));

static void write_event(struct query_request *request,
                        const struct reply_table *table, const char *type,
                        struct slice text)
{
    const struct chat_event event = {type, text};

    jsonw_init(&request->json, &request->out);
    reply_write(&request->json, table, &event);
    buf_byte(&request->out, '\n');
}

/* Whether a text has a word with this beginning; of two letters, this word. */
static bool mentions(struct slice text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++) {
        size_t k = 0;

        while (k < len && (text.ptr[i + k] | 0x20) == word[k])
            k++;
        if (k == len && (i == 0 || !is_letter(text.ptr[i - 1])) &&
            (len > 2 || i + len == text.len || !is_letter(text.ptr[i + len])))
            return true;
    }
    return false;
}

struct chat_answer {
    char text[8192];
    size_t len;
};

static void add(struct chat_answer *a, const char *before, struct slice text)
{
    int room = (int)(sizeof(a->text) - a->len);
    int len = snprintf(a->text + a->len, (size_t)room, "%s%.*s", before,
                       (int)text.len, text.ptr ? text.ptr : "");

    a->len += (size_t)(len < room ? len : room - 1);
}

/* The items of a list: one member, maybe another after a colon. */
static void add_list(struct chat_answer *a, const json_t *list,
                     const char *first, const char *second)
{
    if (json_array_size(list) == 0)
        add(a, " none.", SLICE(""));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        add(a, "\n- ", json_text_of(json_object_get(item, first)));
        if (second)
            add(a, ": ", json_text_of(json_object_get(item, second)));
    }
}

static void answer_from(const json_t *document, struct slice question,
                        struct chat_answer *a)
{
    const json_t *report = json_object_get(document, "report");
    const json_t *result = json_object_get(report, "result");
    const json_t *causes = json_object_get(result, "root_causes");
    const json_t *first = json_array_get(causes, 0);

    if (mentions(question, "when") || mentions(question, "timeline")) {
        add(a, "Timeline:", SLICE(""));
        add_list(a, json_object_get(result, "timeline"), "timestamp", "event");
    } else if (mentions(question, "exclude") || mentions(question, "else")) {
        add(a, "Excluded causes:", SLICE(""));
        add_list(a, json_object_get(result, "excluded_causes"), "description",
                 "rationale");
    } else if (mentions(question, "impact") || mentions(question, "affect")) {
        add(a, "", json_text_of(json_object_get(first, "analysis")));
    } else if (mentions(question, "do") || mentions(question, "fix")) {
        add(a, "Recommended actions:", SLICE(""));
        add_list(a,
                 json_object_get(json_object_get(result, "recommendations"),
                                 "recommended_actions"),
                 "description", NULL);
    } else {
        add(a, "", json_text_of(json_object_get(document, "summary")));
        if (first)
            add_list(a, json_object_get(first, "supporting_findings"),
                     "component", "observation");
    }
}

/* Characters of UTF-8, so that the limit is the same for every language. */
static size_t characters(struct slice text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return n;
}

static enum status read_chat(struct query_request *request,
                             struct slice *question)
{
    const json_t *messages = json_object_get(request->body, "messages");
    size_t n = json_array_size(messages);

    if (n < 1 || n > MAX_MESSAGES)
        return query_invalid(request,
                             "messages must be an array of 1 to %d elements",
                             MAX_MESSAGES);
    for (size_t i = 0; i < n; i++) {
        const json_t *message = json_array_get(messages, i);
        struct slice content =
            json_text_of(json_object_get(message, "content"));

        if (!content.ptr || characters(content) > MAX_MESSAGE)
            return query_invalid(
                request,
                "messages[%zu].content must be a string of at most "
                "%d characters",
                i, MAX_MESSAGE);
        if (!json_is_string(json_object_get(message, "role")))
            return query_invalid(request, "messages[%zu].role must be a string",
                                 i);
        if (slice_equal(json_text_of(json_object_get(message, "role")),
                        SLICE("user")))
            *question = content;
    }
    return OK;
}

enum status rca_chat(struct query_request *request)
{
    struct rca_scope scope = {.seen = rca_report_is_seen, .arg = request};
    struct slice id, question = {NULL, 0};
    struct chat_answer answer = {.len = 0};
    json_t *document;

    rca_need(request, "reportId", &id);
    params_text(request, "namespace", &scope.namespace);
    params_text(request, "project", &scope.project);
    params_text(request, "environment", &scope.environment);
    if (request->failed != OK || read_chat(request, &question) != OK)
        return request->failed;
    document = rca_load_report(request, id, &scope, NULL);
    if (!document)
        return request->failed;
    answer_from(document, question, &answer);
    json_decref(document);
    request->content_type_out = "application/x-ndjson";
    const struct slice text = {answer.text, answer.len};
    write_event(request, &chunk_table, "message_chunk", text);
    write_event(request, &done_table, "done", text);
    return OK;
}
