/*
 * POST /query: each target is answered by its family. In: targets. Out: frames.
 *
 * What is wrong with a target is a frame of its refId with a notice; the others
 * are answered. If nothing could be answered, the first error is that of the
 * request.
 */
#include "grafana_run.h"

#include "grafana_simple_json.h"

enum { MAX_TARGETS = 64 };

struct run_state {
    struct grafana_call call;
    struct frames frames;
    uint32_t answered, failed;
    enum status first;
    struct slice message; /* of the first error */
    bool waits;           /* for a decision about access */
};

/* ---- errors of targets ---- */

/* While targets run, what query_fail() writes is a text. */
static void write_text(struct query_request *request, enum status status,
                       const char *message)
{
    (void)status;
    buf_add(&request->out, slice_of(message));
}

static struct slice take_error(struct query_request *request, enum status s)
{
    struct slice text = request->failed != OK ? buf_slice(&request->out)
                                              : slice_of(status_text(s));

    text = arena_copy(request->arena, text);
    buf_reset(&request->out);
    jsonw_init(&request->json, &request->out);
    request->failed = OK;
    request->http_status = 200;
    return text;
}

static void drop_frames(struct frames *frames, struct grafana_frame **last)
{
    *last = NULL;
    frames->last = last;
}

/* Frames that the family made before it failed are not shown. */
static void target_failed(struct run_state *run, struct grafana_query *q,
                          struct grafana_frame **before, enum status s)
{
    struct slice text = take_error(run->call.request, s);
    struct grafana_frame *frame;

    drop_frames(&run->frames, before);
    frame = query_frame(q, q->family ? slice_of(q->family->target)
                                     : SLICE("error"));
    frame_notice(frame, NOTICE_ERROR, "%.*s", SLICE_ARGS(text));
    if (run->failed++ == 0) {
        run->first = s;
        run->message = text;
    }
}

/* ---- one target ---- */

/* Every answer has a reason if it is empty. */
static void explain(struct grafana_query *q, struct grafana_frame *first)
{
    bool shows = false;

    for (struct grafana_frame *f = first; f; f = f->next)
        shows = shows || f->rows > 0 || f->notices;
    if (!first)
        first = query_frame(q, slice_of(q->family->target));
    if (!shows)
        query_empty(q, first, "data", SIGNAL_COUNT);
}

/* A variable with several values inside quotes breaks the payload, and the
 * plugin sends none; in the editor for code, not in the builder. */
static bool is_lost(const json_t *target, json_t *scoped,
                    enum payload_state state)
{
    struct slice mode = json_text_of(json_object_get(target, "editorMode"));
    const char *name;
    json_t *variable;

    if (state != PAYLOAD_EMPTY)
        return state == PAYLOAD_BROKEN;
    if (slice_equal(mode, SLICE("builder")) || !json_is_object(scoped))
        return false;
    json_object_foreach(
        scoped, name,
        variable) if (json_is_array(json_object_get(variable,
                                                    "value"))) return true;
    return false;
}

static void tell_lost(struct grafana_query *q, struct grafana_frame *frame)
{
    if (q->lost_payload && frame)
        frame_notice(frame, NOTICE_WARNING,
                     "payload is empty: is a multi-value variable quoted? "
                     "write $var without quotes; the dashboard's variables of "
                     "the same names are used instead");
}

static struct slice unknown_variable(struct grafana_query *q)
{
    const char *name;
    json_t *value;

    json_object_foreach(q->payload, name, value)
    {
        struct payload_values values;

        payload_values(value, q->call->scoped, q->request->arena, &values);
        if (values.unknown.len > 0)
            return values.unknown;
    }
    return (struct slice){NULL, 0};
}

static enum status refuse(struct query_request *request)
{
    char text[ACCESS_REFUSAL_MAX];

    access_refusal(text, request->subject, request->viewer.action, NULL);
    return query_fail(request, ERR_FORBIDDEN, NULL, "%s", text);
}

static bool is_member(const struct grafana_family *family, const char *name)
{
    for (const struct payload_field *f = family->payload; f && f->name; f++)
        if (strcmp(f->name, name) == 0)
            return true;
    for (int i = 0; i < SCOPE_KEYS; i++)
        if (strcmp(scope_keys[i], name) == 0)
            return true;
    return false;
}

/* A member that is misspelt would otherwise widen what is shown. */
static void tell_ignored(const struct grafana_query *q,
                         struct grafana_frame *frame)
{
    const char *name;
    json_t *value;

    json_object_foreach(q->payload, name, value)
    {
        if (!is_member(q->family, name))
            frame_notice(frame, NOTICE_WARNING,
                         "%.80s is no member of the payload of %s and is "
                         "ignored; /metrics lists them",
                         name, q->family->target);
    }
}

static enum status run_family(struct grafana_query *q)
{
    struct query_request *request = q->request;
    enum status s;

    if (request->viewer.action != q->family->action)
        request->cache = (struct reply_cache){0}; /* seen with another one */
    request->viewer.action = q->family->action;
    if (q->family->action == ACTION_SYSTEM_VIEW) {
        const union scope_names all = {0};

        if (!grants_cover(request->viewer.grants, ACTION_SYSTEM_VIEW, &all))
            return refuse(request);
        return q->family->run(q);
    }
    s = query_select(q, NULL);
    if (s == OK)
        s = q->family->run(q);
    query_release(q);
    return s;
}

static void run_target(struct run_state *run, json_t *target, struct slice name,
                       struct slice ref_id)
{
    struct grafana_frame **before = run->frames.last;
    enum payload_state state;
    struct grafana_query q;
    struct slice unknown;
    enum status s;

    query_init(&q, &run->call, payload_object(target, &state), &run->frames);
    q.ref_id = ref_id;
    q.family = grafana_family_find(name);
    q.lost_payload = is_lost(target, run->call.scoped, state);
    s = q.family
            ? run_family(&q)
            : query_invalid(q.request, "unknown metric '%.*s'; see /metrics",
                            (int)(name.len < 100 ? name.len : 100), name.ptr);
    if (q.request->waits) {
        run->waits = true;
        return;
    }
    if (s != OK || q.request->failed != OK) {
        target_failed(run, &q, before, s != OK ? s : q.request->failed);
        return;
    }
    run->answered++;
    explain(&q, *before);
    tell_lost(&q, *before);
    tell_ignored(&q, *before);
    unknown = unknown_variable(&q);
    if (unknown.len > 0 && *before)
        frame_notice(*before, NOTICE_WARNING,
                     "the variable %.*s is not defined in this dashboard; "
                     "nothing is restricted by it",
                     SLICE_ARGS(unknown));
}

enum status grafana_run_one(struct grafana_call *call, struct slice target,
                            json_t *payload, struct frames *frames)
{
    struct grafana_query q;
    enum status s;

    query_init(&q, call, payload, frames);
    q.ref_id = SLICE("A");
    q.family = grafana_family_find(target);
    if (!q.family)
        return query_invalid(call->request, "unknown metric '%.*s'",
                             SLICE_ARGS(slice_truncate(target, 80)));
    s = run_family(&q);
    return s == OK ? call->request->failed : s;
}

/* ---- all ---- */

static struct slice ref_of(struct run_state *run, const json_t *target,
                           size_t number)
{
    const json_t *ref = json_object_get(target, "refId");

    if (json_is_string(ref))
        return json_text_of(ref);
    return arena_format(run->call.request->arena, "%c",
                        (int)('A' + number % 26));
}

static void run_all(struct run_state *run)
{
    for (size_t i = 0; i < json_array_size(run->call.targets) && !run->waits;
         i++) {
        json_t *target = json_array_get(run->call.targets, i);
        const json_t *given = json_object_get(target, "target");
        struct payload_values names;

        payload_values(given, run->call.scoped, run->call.request->arena,
                       &names);
        if (names.count == 0 || json_is_true(json_object_get(target, "hide")))
            continue;
        for (uint32_t n = 0; n < names.count && n < MAX_TARGETS; n++)
            run_target(run, target, names.texts[n], ref_of(run, target, i));
    }
}

static bool is_old(const struct grafana_call *call)
{
    const json_t *type =
        json_object_get(json_array_get(call->targets, 0), "type");

    return json_is_string(type) &&
           (slice_equal(json_text_of(type), SLICE("timeserie")) ||
            slice_equal(json_text_of(type), SLICE("timeseries")) ||
            slice_equal(json_text_of(type), SLICE("table")));
}

enum status grafana_run(struct query_request *request)
{
    error_writer *writer = request->write_error;
    struct run_state run = {.answered = 0};
    enum status s = call_read(&run.call, request);

    if (s != OK)
        return s;
    if (json_array_size(run.call.targets) > MAX_TARGETS)
        return query_invalid(request, "targets must be at most %d",
                             MAX_TARGETS);
    frames_init(&run.frames, request->arena);
    request->write_error = write_text;
    run_all(&run);
    request->write_error = writer;
    if (arena_status(request->arena) != OK)
        return OK; /* answered with what it is that is full */
    if (run.waits)
        return request->failed != OK ? request->failed : ERR_BUSY;
    if (run.answered == 0 && run.failed > 0)
        return query_fail(request, run.first, NULL, "%.*s",
                          SLICE_ARGS(run.message));
    if (slice_equal(json_text_of(json_object_get(request->body, "format")),
                    SLICE("rows")))
        frames_write_rows(&run.frames, &request->json);
    else if (is_old(&run.call))
        frames_write_simple_json(&run.frames, &run.call, &request->json);
    else
        frames_write(&run.frames, &request->json);
    return OK;
}
