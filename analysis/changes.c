/* The list of changes, and GET /api/v1/changes. */
#include "changes.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"
#include "component.h"
#include "empty_reply.h"
#include "hex.h"
#include "names.h"
#include "page_link.h"
#include "routes.h"

const struct slice change_row_kinds[CHANGE_ROW_KINDS] = {
    SLICE_INIT("version"),     SLICE_INIT("image"),
    SLICE_INIT("release"),     SLICE_INIT("pod-template"),
    SLICE_INIT("config"),      SLICE_INIT("scaling"),
    SLICE_INIT("image-pull"),  SLICE_INIT("oom"),
    SLICE_INIT("crash"),       SLICE_INIT("restart"),
    SLICE_INIT("probe"),       SLICE_INIT("scheduling"),
    SLICE_INIT("volume"),      SLICE_INIT("network"),
    SLICE_INIT("eviction"),    SLICE_INIT("node"),
    SLICE_INIT("event"),       SLICE_INIT("component"),
    SLICE_INIT("operation"),   SLICE_INIT("callee"),
    SLICE_INIT("caller"),      SLICE_INIT("pod"),
    SLICE_INIT("log-pattern"),
};

uint32_t change_row_kind(struct slice name)
{
    uint32_t kind = 0;

    while (kind < CHANGE_ROW_KINDS &&
           !slice_equal(name, change_row_kinds[kind]))
        kind++;
    return kind;
}

/* ---- rows ---- */

static void widen(struct change_row *row, const struct change_row *more)
{
    row->count += more->count;
    if (more->last_ns > row->last_ns)
        row->last_ns = more->last_ns;
    if (more->time_ns < row->time_ns)
        row->time_ns = more->time_ns;
}

bool changes_add(struct change_list *list, const struct change_row *row)
{
    uint32_t hash = map_hash(row->key), kind = change_row_kind(row->kind);
    struct change_row *to;

    if (kind == CHANGE_ROW_KINDS || !changes_want(list, 1u << kind) ||
        (list->type.len > 0 && !slice_equal(list->type, row->type)))
        return true;
    map_each(&list->index, hash, at)
        if (list->at[at].key == row->key) {
            widen(&list->at[at], row);
            return true;
        }
    to =
        arena_append(list->request->arena, &list->at, list->count, &list->room);
    if (!to || !map_add(&list->index, hash, list->count))
        return false;
    *to = *row;
    list->count++;
    list->counts[kind]++;
    return true;
}

static int newest_first(const void *left, const void *right)
{
    const struct change_row *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns > b->time_ns ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

enum status changes_gather(struct change_list *list)
{
    enum status s;

    list->index.arena = list->request->arena;
    s = changes_read_events(list);
    if (s == OK)
        s = changes_read_parts(list);
    if (s == OK)
        s = changes_read_restarts(list);
    if (s == OK && list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), newest_first);
    return s;
}

const struct reply_table change_row_table = REPLY_TABLE(
    struct change_row, REPLY_TIME(struct change_row, "timestamp", time_ns),
    REPLY_OPTIONAL_TIME(struct change_row, "lastSeen", again_ns),
    REPLY(struct change_row, "count", count),
    REPLY(struct change_row, "kind", kind),
    REPLY(struct change_row, "type", type),
    REPLY(struct change_row, "title", title),
    REPLY_INLINE(struct change_row, identity, REPLY_POINTER,
                 &scope_names_table),
    REPLY_OPTIONAL(struct change_row, "from", from),
    REPLY_OPTIONAL(struct change_row, "to", to),
    REPLY_OPTIONAL(struct change_row, "release", release),
    REPLY_OPTIONAL(struct change_row, "commit", commit),
    REPLY_OPTIONAL(struct change_row, "phase", phase),
    REPLY_OPTIONAL(struct change_row, "reason", reason),
    REPLY_OPTIONAL(struct change_row, "objectKind", object_kind),
    REPLY_OPTIONAL(struct change_row, "objectName", object_name),
    REPLY_OPTIONAL(struct change_row, "endpoint", endpoint),
    REPLY_OPTIONAL(struct change_row, "level", level),
    REPLY_OPTIONAL(struct change_row, "templateId", template_id),
    REPLY_OPTIONAL(struct change_row, "message", message),
    REPLY(struct change_row, "source", source));

/* ---- the request ---- */

enum { PAGE = 100, PAGE_MAX = 1000, CURSOR_BYTES = 16 };

static void read_kinds(struct change_list *list)
{
    const struct slice *names;
    uint32_t count;

    params_query_list(list->request, "kind", &names, &count);
    list->kinds = count > 0 ? 0 : UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        struct slice name = names[i];
        uint32_t kind = change_row_kind(name);

        if (kind == CHANGE_ROW_KINDS) {
            query_invalid(list->request,
                          "kind must be names of kinds, separated by commas; "
                          "\"%.*s\" is none",
                          (int)min_u64(name.len, 40), name.ptr);
            return;
        }
        list->kinds |= 1u << kind;
    }
}

static void read_type(struct change_list *list)
{
    list->type = query_param(list->request, "type");
    if (list->type.len > 0 && !slice_equal(list->type, SLICE("Normal")) &&
        !slice_equal(list->type, SLICE("Warning")))
        query_invalid(list->request, "type must be Normal or Warning");
}

/* A cursor: time and key of the last row, big endian, in hex. */
static struct slice cursor_of(struct arena *arena, const struct change_row *row)
{
    uint8_t bytes[CURSOR_BYTES];

    list_number(bytes, row->time_ns);
    list_number(bytes + POSITION_NUMBER, row->key);
    return hex_text(arena, bytes, sizeof(bytes));
}

/* The first row behind the cursor. */
static uint32_t read_cursor(struct query_request *request,
                            const struct change_list *list)
{
    struct slice text = query_param(request, "cursor");
    uint8_t bytes[CURSOR_BYTES];
    struct change_row last;
    uint32_t i = 0;

    if (text.len == 0)
        return 0;
    if (!hex_bytes(text, bytes, sizeof(bytes))) {
        query_invalid(request, "cursor must be the nextCursor of an answer");
        return 0;
    }
    last.time_ns = list_time_number(bytes);
    last.key = list_time_number(bytes + POSITION_NUMBER);
    while (i < list->count && newest_first(&list->at[i], &last) <= 0)
        i++;
    return i;
}

/* ---- the answer ---- */

struct change_count {
    struct slice kind;
    uint64_t count;
};
static const struct reply_table change_count_table =
    REPLY_TABLE(struct change_count, REPLY(struct change_count, "kind", kind),
                REPLY(struct change_count, "count", count));

struct changes_reply {
    struct window window;
    struct reply_list changes, kinds, withheld;
    uint32_t total;
    struct slice cursor;
    bool truncated;
    uint64_t known_from_ns;
    const struct empty_reply *empty;
    struct slice link;
    int64_t took_ms;
};
static const struct reply_table changes_table = REPLY_TABLE(
    struct changes_reply,
    REPLY_OBJECT(struct changes_reply, "window", window, 0, &window_table),
    REPLY_LIST(struct changes_reply, "changes", changes, &change_row_table),
    REPLY_LIST(struct changes_reply, "kinds", kinds, &change_count_table),
    REPLY(struct changes_reply, "total", total),
    REPLY_OPTIONAL(struct changes_reply, "nextCursor", cursor),
    REPLY_OPTIONAL(struct changes_reply, "truncated", truncated),
    REPLY_OPTIONAL_TIME(struct changes_reply, "eventsFrom", known_from_ns),
    REPLY_OPTIONAL_LIST(struct changes_reply, "withheld", withheld,
                        &reply_texts),
    REPLY_OBJECT(struct changes_reply, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OPTIONAL(struct changes_reply, "link", link),
    REPLY(struct changes_reply, "tookMs", took_ms));

static uint32_t count_kinds(const struct change_list *list,
                            struct change_count counts[CHANGE_ROW_KINDS])
{
    uint32_t n = 0;

    for (uint32_t kind = 0; kind < CHANGE_ROW_KINDS; kind++)
        if (list->counts[kind] > 0)
            counts[n++] = (struct change_count){change_row_kinds[kind],
                                                list->counts[kind]};
    return n;
}

static enum status reply(struct change_list *list, uint64_t limit)
{
    struct query_request *request = list->request;
    struct change_count counts[CHANGE_ROW_KINDS];
    struct withheld withheld = {.count = 0};
    uint32_t first = read_cursor(request, list), left = list->count - first;
    uint32_t count = left < limit ? left : (uint32_t)limit;
    struct changes_reply view = {
        .window = {.start_ns = list->start_ns, .end_ns = list->end_ns},
        .changes = {.count = count, .items = list->at + first},
        .kinds = {.count = count_kinds(list, counts), .items = counts},
        .total = list->count,
        .truncated = list->truncated,
        .known_from_ns = list->known_from_ns};

    if (request->failed != OK)
        return request->failed;
    for (uint32_t i = first; i < first + count; i++)
        list->at[i].again_ns = list->at[i].count > 1 ? list->at[i].last_ns : 0;
    if (count < left)
        view.cursor = cursor_of(request->arena, &list->at[first + count - 1]);
    withhold_part(&withheld, &list->metrics, SLICE("series"));
    withhold_part(&withheld, &list->logs, SLICE("log-pattern"));
    view.withheld =
        (struct reply_list){.count = withheld.count, .items = withheld.names};
    if (list->count == 0)
        view.empty = empty_reply_of(
            request, &(struct empty_of){.scope = list->scope,
                                        .start_ns = list->start_ns,
                                        .end_ns = list->end_ns,
                                        .what = "changes",
                                        .signal = SIGNAL_COUNT,
                                        .filtered = list->kinds != UINT32_MAX ||
                                                    list->type.len > 0});
    view.link =
        page_link_text(request, &(struct page_link){.page = "changes",
                                                    .scope = list->scope,
                                                    .start_ns = list->start_ns,
                                                    .end_ns = list->end_ns});
    view.took_ms = query_took_ms(request);
    reply_write(&request->json, &changes_table, &view);
    return OK;
}

static enum status query_changes(struct query_request *request)
{
    struct change_list list = {.request = request};
    uint64_t limit = PAGE;

    params_query_scope(request, &list.scope);
    params_query_range(request, NS_PER_HOUR, &list.start_ns, &list.end_ns);
    params_query_number(request, "limit", 1, PAGE_MAX, &limit);
    read_kinds(&list);
    read_type(&list);
    if (request->failed != OK)
        return request->failed;
    list.metrics = part_access(request, ACTION_METRICS_VIEW, &list.scope);
    list.logs = part_access(request, ACTION_LOGS_VIEW, &list.scope);
    if (request->failed != OK) /* a decision is awaited */
        return request->failed;
    if (params_select(request, &list.scope, &list.resources) != OK)
        return request->failed;
    enum status s = changes_gather(&list);
    return s == OK ? reply(&list, limit) : s;
}

const struct route routes_changes[] = {
    {"GET", "/api/v1/changes", ACTION_EVENTS_VIEW, SCOPE_NARROWED,
     query_changes, NULL, 0, 0, &changes_table},
    {0},
};
