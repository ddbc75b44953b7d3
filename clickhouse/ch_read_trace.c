/*
 * The spans of one trace, a page at a time, one span, and those of many traces.
 * otel_traces_trace_id_ts tells when a trace was, in the same request that asks
 * for its spans, so only granules of that time are looked into.
 *
 * A page takes two requests: ids, times and resources of all spans of the trace
 * come first, as numbers of this instance decide which are visible. The page is
 * an array in order: so a span that was sent twice is found, and it is no
 * larger than the limit, however large the trace is. Then the spans of the page
 * are read.
 */
#include "array.h"
#include "ch_read.h"
#include "ch_span_rows.h"

struct ch_span_place {
    uint64_t start_ns;
    uint8_t id[POSITION_NUMBER];
};

struct ch_span_page {
    struct ch_span_row row; /* the first: ch_span_decode() */
    struct ch_reader *reader;
    const struct span_query *query;
    struct ch_resource_ids ids;
    struct arena work; /* of the page, and of a span that is visited */
    struct ch_span_place *places; /* in order */
    uint32_t count, room;
    uint64_t total;
    struct ch_span_place last; /* that was offered; if total > 0 */
    bool in_scope;             /* a span of `resources` was met */
    const struct span_visitor *visitor;
    struct arena span;  /* of one span */
    struct arena *keep; /* NULL: spans are good during their visit */
};

/* " FROM ... WHERE ..." of the spans of a trace. The table of times has whole
 * seconds; as a DateTime "< second" would leave out granules that begin in the
 * second before. */
static void add_trace(struct ch_sql *sql, const uint8_t trace_id[16])
{
    struct ch_term id = CH_HEX(trace_id, 16);

    CH_SQL_WITH(
        sql,
        " FROM otel_traces WHERE TraceId = ? AND Timestamp >= "
        "(SELECT min(Start) FROM otel_traces_trace_id_ts WHERE "
        "TraceId = ?) AND Timestamp < toDateTime64((SELECT max(End) FROM "
        "otel_traces_trace_id_ts WHERE TraceId = ?), 9) + "
        "toIntervalSecond(1)",
        id, id, id);
}

/* ---- which spans ---- */

static int compare_places(const struct ch_span_page *page,
                          const struct ch_span_place *left,
                          const struct ch_span_place *right)
{
    int order = left->start_ns < right->start_ns ? -1
                : left->start_ns > right->start_ns
                    ? 1
                    : memcmp(left->id, right->id, sizeof(left->id));

    return page->query->ascending ? order : -order;
}

/* Where the place belongs; *same: one like it is there. */
static uint32_t find_place(const struct ch_span_page *page,
                           const struct ch_span_place *place, bool *same)
{
    uint32_t low = 0, high = page->count;

    *same = false;
    if (high > 0 && compare_places(page, &page->places[high - 1], place) < 0)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare_places(page, &page->places[middle], place);

        if (order == 0) {
            *same = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Puts it on the page if it belongs there. They come in order, so one that was
 * sent twice follows itself. */
static enum status offer(struct ch_span_page *page,
                         const struct ch_span_place *place)
{
    bool same;

    if (!list_has(&page->query->range, place->start_ns, place->id) ||
        (page->total > 0 && compare_places(page, &page->last, place) == 0))
        return OK;
    page->last = *place;

    uint32_t at = find_place(page, place, &same);
    page->total += !same;
    if (same || at == page->query->limit)
        return OK;
    if (page->count == page->query->limit)
        page->count--;
    else if (!arena_append(&page->work, &page->places, page->count,
                           &page->room))
        return arena_status(&page->work);
    memmove(&page->places[at + 1], &page->places[at],
            (page->count - at) * sizeof(*place));
    page->places[at] = *place;
    page->count++;
    return OK;
}

static bool is_visible(struct ch_span_page *page)
{
    const struct bitmap *visible = page->query->visible;

    return !visible ||
           bitmap_has(visible, ch_resource_id(&page->ids, page->row.key));
}

static void decode_place(void *arg, struct byte_reader *in)
{
    struct ch_span_page *page = arg;

    page->row.start_ns = ch_read_time64(in);
    (void)ch_read_id(in, page->row.span_id, sizeof(page->row.span_id));
    page->row.key = ch_read_u64(in);
}

static enum status take_place(void *arg)
{
    struct ch_span_page *page = arg;
    const struct bitmap *scope = page->query->resources;
    struct ch_span_place place = {.start_ns = page->row.start_ns};

    page->in_scope |=
        !scope || bitmap_has(scope, ch_resource_id(&page->ids, page->row.key));
    if (!is_visible(page))
        return OK;
    memcpy(place.id, page->row.span_id, sizeof(place.id));
    return offer(page, &place);
}

static enum status find_places(struct ch_span_page *page)
{
    struct ch_rows rows = {
        .decode = decode_place, .take = take_place, .arg = page};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT Timestamp, SpanId, ResourceId");
    add_trace(&sql, page->query->trace_id);
    /* In order, so that most are put at the end of the page. */
    if (page->query->ascending)
        CH_SQL(&sql, " ORDER BY Timestamp, SpanId");
    else
        CH_SQL(&sql, " ORDER BY Timestamp DESC, SpanId DESC");
    enum status status = ch_select(page->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* ---- the spans of the page ---- */

static enum status take_visited(void *arg)
{
    struct ch_span_page *page = arg;
    struct ch_span_place place = {.start_ns = page->row.start_ns};
    struct span span;
    bool same;

    memcpy(place.id, page->row.span_id, sizeof(place.id));
    uint32_t at = find_place(page, &place, &same);
    if (!same || !is_visible(page))
        return OK;
    arena_reset(&page->span);
    enum status status = ch_span_take(
        &page->row, &page->ids, page->keep ? page->keep : &page->span, &span);
    return status == OK ? page->visitor->visit(page->visitor->arg, at, &span,
                                               page->keep != NULL)
                        : status;
}

/* Until it is read, and if it was deleted meanwhile. */
static enum status visit_place(const struct ch_span_page *page, uint32_t at)
{
    struct span span = {.resource_id = RESOURCE_NONE,
                        .start_ns = page->places[at].start_ns,
                        .end_ns = page->places[at].start_ns};

    memcpy(span.span_id, page->places[at].id, sizeof(span.span_id));
    memcpy(span.trace_id, page->query->trace_id, sizeof(span.trace_id));
    return page->visitor->visit(page->visitor->arg, at, &span, false);
}

static enum status visit_page(struct ch_span_page *page)
{
    struct ch_rows rows = {
        .decode = ch_span_decode, .take = take_visited, .arg = page};
    uint64_t first = page->places[0].start_ns,
             last = page->places[page->count - 1].start_ns;
    struct ch_sql sql;
    enum status status = OK;

    for (uint32_t i = 0; i < page->count && status == OK; i++)
        status = visit_place(page, i);
    if (status != OK)
        return status;
    page->row.whole = page->query->whole;
    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT ");
    ch_span_columns(&sql, page->row.whole);
    CH_SQL_WITH(&sql,
                " FROM otel_traces WHERE TraceId = ? AND Timestamp >= ? AND "
                "Timestamp <= ?",
                CH_HEX(page->query->trace_id, 16),
                CH_NS(first < last ? first : last),
                CH_NS(first < last ? last : first));
    status = ch_select(page->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static enum status visit_spans(struct ch_reader *reader,
                               const struct span_query *query,
                               const struct span_visitor *visitor,
                               struct arena *keep, uint64_t *total)
{
    struct ch_span_page page = {.reader = reader,
                                .query = query,
                                .ids = {.resources = reader->resources},
                                .in_scope = !query->resources,
                                .visitor = visitor,
                                .keep = keep};

    arena_init(&page.work, reader->budget, CH_WORK_MAX);
    arena_init(&page.span, reader->budget, CH_WORK_MAX);
    enum status status = find_places(&page);
    if (!page.in_scope)
        page.count = 0, page.total = 0;
    if (status == OK)
        status = visitor->begin(visitor->arg, page.count);
    if (status == OK && page.count > 0)
        status = visit_page(&page);
    *total = page.total;
    arena_release(&page.work);
    arena_release(&page.span);
    return status;
}

enum status ch_visit_spans(struct ch_reader *reader,
                           const struct span_query *query,
                           const struct span_visitor *visitor, uint64_t *total)
{
    return visit_spans(reader, query, visitor, NULL, total);
}

/* ---- as a list ---- */

struct ch_span_list {
    struct arena *arena;
    struct span *spans;
    uint32_t count;
};

static enum status begin_list(void *arg, uint32_t count)
{
    struct ch_span_list *list = arg;

    list->count = count;
    list->spans =
        count > 0 ? arena_zero(list->arena, count, sizeof(*list->spans)) : NULL;
    return count > 0 ? arena_status(list->arena) : OK;
}

static enum status add_span(void *arg, uint32_t place, const struct span *span,
                            bool stays)
{
    struct ch_span_list *list = arg;

    (void)stays; /* all that has texts does */
    list->spans[place] = *span;
    return OK;
}

enum status ch_query_spans(struct ch_reader *reader,
                           const struct span_query *query, struct arena *arena,
                           struct span **spans, uint32_t *count,
                           uint64_t *total)
{
    struct ch_span_list list = {.arena = arena};
    const struct span_visitor visitor = {begin_list, add_span, &list};
    enum status status = visit_spans(reader, query, &visitor, arena, total);

    if (status != OK)
        return status;
    *spans = list.spans;
    *count = list.count;
    return OK;
}

/* ---- one span ---- */

struct ch_span_found {
    struct ch_span_row row; /* the first: ch_span_decode() */
    struct ch_resource_ids ids;
    const struct bitmap *visible;
    struct arena *arena;
    struct span *span;
    bool found;
};

static enum status take_found(void *arg)
{
    struct ch_span_found *f = arg;

    if (f->found ||
        (f->visible &&
         !bitmap_has(f->visible, ch_resource_id(&f->ids, f->row.key))))
        return OK;
    f->found = true;
    return ch_span_take(&f->row, &f->ids, f->arena, f->span);
}

enum status ch_find_span(struct ch_reader *reader, const uint8_t trace_id[16],
                         const uint8_t span_id[8], const struct bitmap *visible,
                         struct arena *arena, struct span *span)
{
    struct ch_span_found f = {.row = {.whole = true},
                              .ids = {.resources = reader->resources},
                              .visible = visible,
                              .arena = arena,
                              .span = span};
    struct ch_rows rows = {
        .decode = ch_span_decode, .take = take_found, .arg = &f};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT ");
    ch_span_columns(&sql, true);
    add_trace(&sql, trace_id);
    CH_SQL_WITH(&sql, " AND SpanId = ?", CH_HEX(span_id, 8));
    enum status status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status == OK && !f.found ? ERR_NOT_FOUND : status;
}
