/* A task: from its arguments to a short answer; see mcp_task.h. */
#include "mcp_task.h"

#include <string.h>

#include "clock.h"
#include "empty_reply.h"
#include "page_link.h"

bool mcp_is_full(const struct mcp_call *call)
{
    return slice_equal(mcp_text(call, "detail"), SLICE("full"));
}

/* ---- before the request ---- */

static void set_time(struct mcp_call *call, const char *name, uint64_t ns)
{
    char text[CLOCK_TEXT];
    size_t len = clock_format_rfc3339(text, ns);

    json_object_set_new(call->arguments, name, json_stringn(text, len));
}

/* The end defaults to now, the start to some time before the end. */
static void complete_times(struct mcp_call *call, uint64_t range_ns)
{
    uint64_t end_ns = mcp_time(call, "end");

    if (range_ns == 0)
        return;
    if (end_ns == 0) {
        end_ns = call->request->now_ns;
        set_time(call, "end", end_ns);
    }
    if (!json_object_get(call->arguments, "start"))
        set_time(call, "start", end_ns > range_ns ? end_ns - range_ns : 0);
    if (mcp_time(call, "start") >= end_ns)
        mcp_fail(call, "start must be before end; now is %.*s",
                 SLICE_ARGS(mcp_text(call, "end")));
}

/* ---- beside the answer ---- */

static struct scope_filter scope_of(const struct mcp_call *call)
{
    return (struct scope_filter){.namespace = mcp_text(call, "namespace"),
                                 .project = mcp_text(call, "project"),
                                 .component = mcp_text(call, "component"),
                                 .environment = mcp_text(call, "environment")};
}

static void add_text(json_t *answer, const char *name, struct slice text)
{
    if (text.len > 0)
        json_object_set_new(answer, name, json_stringn(text.ptr, text.len));
}

static void add_window(struct mcp_call *call, json_t *answer)
{
    json_t *window;

    if (call->tool->task->range_ns == 0 || json_object_get(answer, "window"))
        return;
    window = json_object();
    add_text(window, "startTime", mcp_text(call, "start"));
    add_text(window, "endTime", mcp_text(call, "end"));
    json_object_set_new(answer, "window", window);
}

static void add_url(struct mcp_call *call, json_t *answer)
{
    struct page_link link = {.page = call->tool->task->page,
                             .scope = scope_of(call),
                             .id = mcp_text(call, "trace_id"),
                             .start_ns = mcp_time(call, "start"),
                             .end_ns = mcp_time(call, "end")};

    if (link.page)
        add_text(answer, "url", page_link_text(call->request, &link));
}

static void add_empty(struct mcp_call *call, json_t *answer)
{
    const struct mcp_task *task = call->tool->task;
    struct empty_of of = {.scope = scope_of(call),
                          .start_ns = mcp_time(call, "start"),
                          .end_ns = mcp_time(call, "end"),
                          .what = task->what,
                          .signal = task->signal};
    struct query_request *request = call->request;
    struct viewer viewer = request->viewer;
    const struct empty_reply *empty;
    json_t *said;

    if (!task->what || json_object_get(answer, "empty"))
        return;
    request->viewer.action = mcp_tool_route(call->tool)->action;
    empty = empty_reply_of(request, &of);
    request->viewer = viewer;
    if (!empty)
        return;
    said = json_pack("{s:s}", "reason", empty->reason);
    add_text(said, "message", empty->message);
    if (empty->last_seen_ns) {
        char text[CLOCK_TEXT];
        size_t len = clock_format_rfc3339(text, empty->last_seen_ns);

        add_text(said, "lastSeen", (struct slice){text, len});
    }
    json_object_set_new(answer, "empty", said);
}

static void add_next(struct mcp_call *call, json_t *answer, bool empty,
                     const struct shape_made *made)
{
    struct arena *arena = call->request->arena;
    struct slice text = SLICE("");
    struct slice said = arena_copy(
        arena, json_text_of(json_object_get(answer, "next"))); /* by `change` */

    if (empty)
        text = arena_format(
            arena, "Nothing here; %s. ",
            call->tool->task->range_ns
                ? "widen start and end, leave out filters, or take a name from "
                  "list_components"
                : "take a name from list_components");
    else if (json_object_get(answer, "nextCursor"))
        text = SLICE("The rest comes with cursor = nextCursor. ");
    else if (made->truncated && !mcp_is_full(call))
        text = SLICE("detail \"full\" shows more of what leftOut names, as do "
                     "a narrower scope and shorter times. ");
    else if (made->truncated)
        text = SLICE("A narrower scope and shorter times show more of what "
                     "leftOut names. ");
    if (call->tool->task->next)
        text = arena_format(arena, "%.*s%.*s%s", SLICE_ARGS(said),
                            SLICE_ARGS(text), call->tool->task->next);
    add_text(answer, "next", text);
}

/* ---- the answer ---- */

static json_t *ask(struct mcp_call *call)
{
    struct inner_request asked;
    json_t *answer;

    if (!mcp_request(call, &asked))
        return NULL;
    answer = mcp_ask(call, &asked);
    if (answer && call->tool->task->change)
        call->tool->task->change(call, answer);
    return answer;
}

/* The route says so, or no list of the answer has anything: two times that do
 * not differ have components all the same. */
static bool is_empty(const struct mcp_task *task, json_t *answer)
{
    const char *key;
    json_t *value;
    bool any = !task->shape.main;

    json_object_foreach(answer, key, value)
    {
        any = any || json_array_size(value) > 0;
    }
    return json_object_get(answer, "empty") || !any;
}

/* Of a list that is read page by page, the cursor is behind the last one of the
 * answer: where fewer are shown, so many are asked for. */
static json_t *shape_pages(struct mcp_call *call, json_t **answer,
                           struct shape_made *made)
{
    const struct mcp_task *task = call->tool->task;
    bool full = mcp_is_full(call);
    json_t *copy =
        shape_answer(*answer, &task->shape, full, call->request->now_ns, made);

    if (!copy || !made->main_cut || made->returned == 0 ||
        !json_object_get(call->arguments, "limit"))
        return copy;
    json_object_set_new(call->arguments, "limit", json_integer(made->returned));
    json_decref(copy);
    json_decref(*answer);
    *answer = ask(call);
    return *answer ? shape_answer(*answer, &task->shape, full,
                                  call->request->now_ns, made)
                   : NULL;
}

void mcp_task_run(struct mcp_call *call)
{
    const struct mcp_task *task = call->tool->task;
    struct shape_made made;
    json_t *answer, *copy;
    bool empty;

    complete_times(call, task->range_ns);
    if (!call->failed)
        mcp_complete_scope(call, task->scope);
    if (!call->failed && task->prepare)
        task->prepare(call);
    answer = call->failed ? NULL : ask(call);
    if (!answer)
        return;
    empty = is_empty(task, answer);
    add_window(call, answer);
    if (empty)
        add_empty(call, answer);
    copy = shape_pages(call, &answer, &made);
    json_decref(answer);
    if (!copy)
        return;
    add_url(call, copy);
    add_next(call, copy, empty, &made);
    mcp_set_result(call, copy);
}
