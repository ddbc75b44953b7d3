/*
 * OpenChoreo's RCA agent (contracts/openchoreo.md 5): an alert is analysed at
 * once, the report is kept, and a chat about it is answered from what it found.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "rca.h"
#include "rca_report.h"

enum {
    WINDOW_MIN = 5, /* an alert is about these minutes, or its own window */
    LIST_DEFAULT = 100,
    LIST_MAX = 10000,
    MAX_MESSAGES = 50,
    MAX_MESSAGE = 10000,
    MAX_SUMMARY = 1000,
};

static struct slice text_of(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

static enum status not_kept(struct call *call)
{
    return call_fail(call, ERR_UNSUPPORTED, NULL, "reports are not kept here");
}

/* The page of the portal reads `error` or `message`, other clients `detail`. */
static enum status no_report(struct call *call)
{
    static const char *const keys[] = {"detail", "error", "message"};

    call->http_status = 404;
    jsonw_open(&call->json, '{');
    for (size_t i = 0; i < 3; i++)
        jsonw_member_text(&call->json, keys[i], SLICE("RCA report not found"));
    jsonw_close(&call->json, '}');
    return OK;
}

/* ---- analyse ---- */

static enum status need_text(struct call *call, const char *name,
                             struct slice *text)
{
    enum status s = params_text(call, name, text);

    if (s == OK && text->len == 0)
        s = call_fail(call, ERR_INVALID, NULL, "%s is required", name);
    return s;
}

static enum status read_alert(struct call *call, struct rca_alert *alert,
                              struct cause_question *question)
{
    const json_t *a = json_object_get(call->body, "alert");
    const json_t *condition =
        json_object_get(json_object_get(a, "rule"), "condition");
    struct slice window = text_of(json_object_get(condition, "window"));
    struct slice time = text_of(json_object_get(a, "timestamp"));
    uint64_t length = WINDOW_MIN * NS_PER_MIN, asked;
    enum status s = need_text(call, "namespace", &question->scope.namespace);

    if (s == OK)
        s = need_text(call, "project", &alert->project);
    if (s == OK)
        s = need_text(call, "environment", &alert->environment);
    if (s == OK)
        s = params_text(call, "component", &alert->component);
    if (s != OK)
        return s;
    alert->body = call->body;
    alert->id = text_of(json_object_get(a, "id"));
    if (alert->id.len == 0 || alert->id.len > 128)
        return call_fail(call, ERR_INVALID, NULL,
                         "alert.id must be a text of 1 to 128 bytes");
    alert->time_ns = call->now_ns;
    if (time.len > 0 && !clock_parse_rfc3339(time, &alert->time_ns))
        return call_fail(call, ERR_INVALID, NULL,
                         "alert.timestamp must be an RFC 3339 time");
    if (window.len > 0 && clock_parse_duration(window, &asked) &&
        asked > length && asked < NS_PER_MIN * 60 * 24)
        length = asked;
    if (alert->time_ns < length * 2)
        return call_fail(call, ERR_INVALID, NULL, "alert.timestamp is too old");
    question->window =
        (struct cause_window){alert->time_ns - length, alert->time_ns};
    question->scope.project = alert->project;
    question->scope.environment = alert->environment;
    question->registry = call->services->registry;
    question->reader = call->reader;
    return OK;
}

/* Of the alert's time, so that an alert that comes twice has one report. */
static struct slice report_id(struct call *call, const struct rca_alert *alert)
{
    char text[200];
    int len = snprintf(text, sizeof(text), "%.*s_%llu", (int)alert->id.len,
                       alert->id.ptr,
                       (unsigned long long)(alert->time_ns / NS_PER_S));

    return arena_copy(call->arena, (struct slice){text, (size_t)len});
}

/* The document goes through the answer's buffer, which has a cap. */
static enum status keep(struct call *call, const struct rca_alert *alert,
                        const struct cause_report *report, struct slice ns,
                        struct slice id)
{
    struct jsonw *w = &call->json;
    struct slice summary = rca_report_summary(call, report);

    if (summary.len > MAX_SUMMARY)
        summary.len = MAX_SUMMARY;
    jsonw_open(w, '{');
    jsonw_member_text(w, "reportId", id);
    jsonw_member_text(w, "alertId", alert->id);
    jsonw_member_time(w, "timestamp", alert->time_ns);
    jsonw_member_text(w, "status", SLICE("completed"));
    jsonw_member_text(w, "summary", summary);
    jsonw_member_text(w, "namespace", ns);
    jsonw_member_text(w, "project", alert->project);
    jsonw_member_text(w, "environment", alert->environment);
    jsonw_key(w, "report");
    rca_report_write(call, alert, report);
    jsonw_close(w, '}');
    enum status s = rca_put(call->services->rca, buf_slice(&call->out));
    buf_reset(&call->out);
    jsonw_init(w, &call->out);
    return s;
}

static enum status analyze(struct call *call)
{
    struct cause_question question = {0};
    struct rca_alert alert = {0};
    struct cause_report *report;
    enum status s;

    if (!call->services->rca)
        return not_kept(call);
    s = read_alert(call, &alert, &question);
    if (s != OK)
        return s;
    s = cause_find(&question, call->arena, &report);
    if (s != OK)
        return call_fail_read(call, s);
    struct slice id = report_id(call, &alert);
    s = keep(call, &alert, report, question.scope.namespace, id);
    if (s != OK)
        return call_fail(call, s, NULL, "the report could not be kept");
    jsonw_open(&call->json, '{');
    jsonw_member_text(&call->json, "report_id", id);
    jsonw_member_text(&call->json, "status", SLICE("completed"));
    jsonw_close(&call->json, '}');
    return OK;
}

/* ---- list, one, change ---- */

static enum status need_param(struct call *call, const char *name,
                              struct slice *text)
{
    *text = call_param(call, name);
    return text->len > 0
               ? OK
               : call_fail(call, ERR_INVALID, NULL, "%s is required", name);
}

static enum status list_filter(struct call *call, struct rca_filter *filter)
{
    struct slice limit = call_param(call, "limit"), ignored;
    struct slice sort = call_param(call, "sort");
    enum status s = need_param(call, "namespace", &filter->namespace);

    if (s == OK)
        s = need_param(call, "project", &filter->project);
    if (s == OK)
        s = need_param(call, "environment", &filter->environment);
    if (s == OK)
        s = need_param(call, "startTime", &ignored);
    if (s == OK)
        s = need_param(call, "endTime", &ignored);
    if (s == OK)
        s = params_query_range(call, 0, &filter->start_ns, &filter->end_ns);
    if (s != OK)
        return s;
    filter->status = call_param(call, "status");
    filter->limit = LIST_DEFAULT;
    if (limit.len > 0) {
        uint64_t n = 0;

        for (size_t i = 0; i < limit.len && n <= LIST_MAX; i++)
            n = limit.ptr[i] >= '0' && limit.ptr[i] <= '9'
                    ? n * 10 + (uint64_t)(limit.ptr[i] - '0')
                    : LIST_MAX + 1;
        if (n < 1 || n > LIST_MAX)
            return call_fail(call, ERR_INVALID, NULL, "limit must be 1 to %d",
                             LIST_MAX);
        filter->limit = (uint32_t)n;
    }
    filter->ascending = slice_equal(sort, SLICE("asc"));
    if (sort.len > 0 && !filter->ascending && !slice_equal(sort, SLICE("desc")))
        return call_fail(call, ERR_INVALID, NULL, "sort must be asc or desc");
    return OK;
}

static enum status list_reports(struct call *call)
{
    struct rca_filter filter = {0};
    struct jsonw *w = &call->json;
    uint32_t count;
    uint64_t total;
    enum status s;

    if (!call->services->rca)
        return not_kept(call);
    s = list_filter(call, &filter);
    if (s != OK)
        return s;
    const struct rca_row *rows =
        rca_list(call->services->rca, &filter, call->arena, &count, &total);
    if (!rows)
        return arena_status(call->arena);
    jsonw_open(w, '{');
    jsonw_key(w, "reports");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "alertId", rows[i].alert_id);
        jsonw_member_text(w, "reportId", rows[i].id);
        jsonw_member_text(w, "timestamp", rows[i].timestamp);
        jsonw_member_text(w, "summary", rows[i].summary);
        jsonw_member_text(w, "status", rows[i].status);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_member_uint(w, "totalCount", total);
    jsonw_close(w, '}');
    return OK;
}

static json_t *load(struct call *call, struct slice id)
{
    struct slice text = rca_get(call->services->rca, id, call->arena);

    return text.len > 0 ? json_loadb(text.ptr, text.len, 0, NULL) : NULL;
}

static void dump(struct call *call, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);

    if (text)
        buf_add(&call->out, slice_of(text));
    free(text);
}

static enum status get_report(struct call *call)
{
    static const char *const hidden[] = {"summary", "namespace", "project",
                                         "environment"};
    json_t *document;

    if (!call->services->rca)
        return not_kept(call);
    document = load(call, call->parts[0]);
    if (!document)
        return no_report(call);
    for (size_t i = 0; i < 4; i++)
        (void)json_object_del(document, hidden[i]);
    dump(call, document);
    json_decref(document);
    return OK;
}

static enum status mark(struct call *call, json_t *actions, const char *member,
                        const char *status)
{
    const json_t *list = json_object_get(call->body, member);

    if (!list || json_is_null(list))
        return OK;
    if (!json_is_array(list))
        return call_fail(call, ERR_INVALID, NULL, "%s must be an array",
                         member);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *index = json_array_get(list, i);
        json_int_t n = json_integer_value(index);
        json_t *action = n >= 0 ? json_array_get(actions, (size_t)n) : NULL;

        if (!json_is_integer(index) || !action)
            return call_fail(call, ERR_INVALID, NULL,
                             "%s: must be numbers of recommended actions, "
                             "from 0",
                             member);
        (void)json_object_set_new(action, "status", json_string(status));
    }
    return OK;
}

static enum status save(struct call *call, const json_t *document)
{
    char *text = json_dumps(document, JSON_COMPACT);
    enum status s =
        text ? rca_put(call->services->rca, slice_of(text)) : ERR_BUSY;

    free(text);
    return s == OK ? OK : call_fail(call, s, NULL, "could not be kept");
}

static enum status put_report(struct call *call)
{
    json_t *document, *actions;
    enum status s;

    if (!call->services->rca)
        return not_kept(call);
    document = load(call, call->parts[0]);
    if (!document)
        return no_report(call);
    actions = json_object_get(
        json_object_get(
            json_object_get(json_object_get(document, "report"), "result"),
            "recommendations"),
        "recommended_actions");
    s = mark(call, actions, "appliedIndices", "applied");
    if (s == OK)
        s = mark(call, actions, "dismissedIndices", "dismissed");
    if (s == OK)
        s = save(call, document);
    json_decref(document);
    if (s != OK)
        return s;
    jsonw_open(&call->json, '{');
    jsonw_member_text(&call->json, "status", SLICE("ok"));
    jsonw_close(&call->json, '}');
    return OK;
}

/* ---- chat ---- */

static void say(struct call *call, const char *type, const char *key,
                struct slice text)
{
    struct jsonw w;

    jsonw_init(&w, &call->out);
    jsonw_open(&w, '{');
    jsonw_member_text(&w, "type", slice_of(type));
    jsonw_member_text(&w, key, text);
    jsonw_close(&w, '}');
    buf_byte(&call->out, '\n');
}

static bool mentions(struct slice text, const char *words)
{
    size_t len = strlen(words);

    for (size_t i = 0; i + len <= text.len; i++) {
        size_t k = 0;

        while (k < len && (text.ptr[i + k] | 0x20) == words[k])
            k++;
        if (k == len)
            return true;
    }
    return false;
}

struct answer {
    char text[8192];
    size_t len;
};

static void add(struct answer *a, const char *before, struct slice text)
{
    int room = (int)(sizeof(a->text) - a->len);
    int len = snprintf(a->text + a->len, (size_t)room, "%s%.*s", before,
                       (int)text.len, text.ptr ? text.ptr : "");

    a->len += (size_t)(len < room ? len : room - 1);
}

/* A list's items: one member, then maybe another behind a colon. */
static void add_list(struct answer *a, const json_t *list, const char *first,
                     const char *second)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        add(a, "\n- ", text_of(json_object_get(item, first)));
        if (second)
            add(a, ": ", text_of(json_object_get(item, second)));
    }
}

static void answer_from(const json_t *document, struct slice question,
                        struct answer *a)
{
    const json_t *report = json_object_get(document, "report");
    const json_t *result = json_object_get(report, "result");
    const json_t *causes = json_object_get(result, "root_causes");
    const json_t *first = json_array_get(causes, 0);

    if (mentions(question, "when") || mentions(question, "timeline")) {
        add(a, "What happened when:", SLICE(""));
        add_list(a, json_object_get(result, "timeline"), "timestamp", "event");
    } else if (mentions(question, "exclude") || mentions(question, "else")) {
        add(a, "Looked at, and not the cause:", SLICE(""));
        add_list(a, json_object_get(result, "excluded_causes"), "description",
                 "rationale");
    } else if (mentions(question, "do") || mentions(question, "fix")) {
        add(a, "What to do:", SLICE(""));
        add_list(a,
                 json_object_get(json_object_get(result, "recommendations"),
                                 "recommended_actions"),
                 "description", NULL);
    } else if (mentions(question, "impact") || mentions(question, "affect")) {
        add(a, "Impact: ", text_of(json_object_get(first, "analysis")));
    } else {
        add(a, "", text_of(json_object_get(report, "summary")));
        add_list(a, json_object_get(first, "supporting_findings"), "component",
                 "observation");
    }
}

static enum status read_chat(struct call *call, struct slice *question)
{
    const json_t *messages = json_object_get(call->body, "messages");
    size_t n = json_array_size(messages);

    if (n < 1 || n > MAX_MESSAGES)
        return call_fail(call, ERR_INVALID, NULL,
                         "messages must be an array of 1 to %d", MAX_MESSAGES);
    for (size_t i = 0; i < n; i++) {
        const json_t *message = json_array_get(messages, i);
        struct slice content = text_of(json_object_get(message, "content"));

        if (!content.ptr || content.len > MAX_MESSAGE)
            return call_fail(call, ERR_INVALID, NULL,
                             "messages[%zu].content must be a text of at most "
                             "%d characters",
                             i, MAX_MESSAGE);
        if (slice_equal(text_of(json_object_get(message, "role")),
                        SLICE("user")))
            *question = content;
    }
    return OK;
}

static enum status chat(struct call *call)
{
    static const char *const scope[] = {"namespace", "project", "environment"};
    struct slice id, ignored, question = {NULL, 0};
    struct answer answer = {.len = 0};
    json_t *document;
    enum status s;

    if (!call->services->rca)
        return not_kept(call);
    s = need_text(call, "reportId", &id);
    for (size_t i = 0; i < 3 && s == OK; i++)
        s = params_text(call, scope[i], &ignored); /* the id says it all */
    if (s == OK)
        s = read_chat(call, &question);
    if (s != OK)
        return s;
    document = load(call, id);
    if (!document)
        return no_report(call);
    answer_from(document, question, &answer);
    json_decref(document);
    call->content_type_out = "application/x-ndjson";
    say(call, "message_chunk", "content",
        (struct slice){answer.text, answer.len});
    say(call, "done", "message", (struct slice){answer.text, answer.len});
    return OK;
}

const struct route routes_rca[] = {
    {"POST", "/api/v1alpha1/rca-agent/analyze", analyze, NULL, TAKES_JSON, 0},
    {"GET", "/api/v1/rca-agent/reports", list_reports, NULL, NO_READER, 0},
    {"GET", "/api/v1/rca-agent/reports/{}", get_report, NULL, NO_READER, 0},
    {"PUT", "/api/v1/rca-agent/reports/{}", put_report, NULL,
     TAKES_JSON | NO_READER, 0},
    {"POST", "/api/v1alpha1/rca-agent/chat", chat, NULL, TAKES_JSON | NO_READER,
     0},
    {0},
};
