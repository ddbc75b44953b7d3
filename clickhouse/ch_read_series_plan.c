/*
 * Resource by resource. A request for each of thousands would take thousands of
 * round trips: one request reads a window, the resource that is asked for and
 * those that follow it in the plan, and keeps the rows as they came. What a
 * window may hold is fixed; how many resources fit is judged by the points that
 * the plan has counted, and by what the windows before took. If a window does
 * not fit it is tried with fewer resources, at last with one, whose rows are
 * given to the visit as they arrive.
 *
 * wants_metric is asked for the names of all metrics once; wants_series may
 * depend on the resource that is asked for, so it is asked for each row when
 * that resource is read.
 */
#include <stdlib.h>

#include "array.h"
#include "ch_read_series.h"

/* At first; it is adjusted to what the windows take. */
enum { WINDOW_BYTES = 4 << 20, POINT_BYTES = 64, WINDOW_RESOURCES = 4096 };

struct ch_planned {
    uint32_t resource;
    uint64_t points;
};

/* A row of the window. */
struct kept_row {
    uint32_t resource;
    enum ch_series_table table;
    struct slice bytes;
};

struct series_window {
    uint32_t first, end; /* places in the plan; equal: none */
    char *bytes;
    size_t used;
    struct kept_row *rows; /* by resource, once it is loaded */
    uint32_t row_count, row_room;
    bool full;
    struct bitmap *resources;
    double point_bytes; /* how many a point of the plan takes */
};

struct ch_series_plan {
    struct series_plan_head head;
    const struct series_query *query;
    struct ch_reader *reader;
    struct arena *arena;
    struct ch_planned *at; /* by resource, each once */
    uint32_t count, room;
    struct ch_series_found *found; /* in the tables of metrics; NULL: not asked
                                      yet */
    struct series_window *window;
};

/* ---- the plan ---- */

struct planning {
    struct ch_series_plan *plan;
    bool derived;
    uint64_t key, points;
};

static void decode_planned(void *arg, struct byte_reader *in)
{
    struct planning *p = arg;

    p->key = ch_read_u64(in);
    p->points = ch_read_u64(in);
}

static enum status take_planned(void *arg)
{
    struct planning *p = arg;
    struct ch_series_plan *plan = p->plan;
    const struct ch_series_row row = {.table = p->derived ? CH_SERIES_DERIVED
                                                          : CH_SERIES_GAUGE,
                                      .resource_key = p->key};
    uint32_t id =
        ch_series_resource(plan->reader, &row, plan->query->resources);
    struct ch_planned *at;

    if (id == RESOURCE_NONE)
        return OK;
    at = arena_append(plan->arena, &plan->at, plan->count, &plan->room);
    if (!at)
        return arena_status(plan->arena);
    *at = (struct ch_planned){id, p->points};
    plan->count++;
    return OK;
}

static enum status plan_tables(struct ch_series_plan *plan, bool derived)
{
    const struct ch_series_scope scope = {.query = plan->query,
                                          .resources = plan->query->resources,
                                          .derived = derived};
    struct planning planning = {.plan = plan, .derived = derived};
    struct ch_rows rows = {
        .decode = decode_planned, .take = take_planned, .arg = &planning};
    struct arena work;
    struct ch_sql sql;
    bool none;
    enum status status;

    ch_sql_init(&sql);
    arena_init(&work, plan->reader->budget, CH_WORK_MAX);
    status = ch_series_list_sql(plan->reader, &sql, &scope,
                                CH_SERIES_LIST_RESOURCES, &work, &none);
    arena_release(&work);
    if (status == OK && !none)
        status = ch_select(plan->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static int by_resource(const void *left, const void *right)
{
    const struct ch_planned *a = left, *b = right;

    return (a->resource > b->resource) - (a->resource < b->resource);
}

/* Each resource once. */
static void sort_plan(struct ch_series_plan *plan)
{
    uint32_t kept = 0;

    if (plan->count > 0)
        qsort(plan->at, plan->count, sizeof(*plan->at), by_resource);
    for (uint32_t i = 0; i < plan->count; i++)
        if (kept > 0 && plan->at[kept - 1].resource == plan->at[i].resource)
            plan->at[kept - 1].points += plan->at[i].points;
        else
            plan->at[kept++] = plan->at[i];
    plan->count = kept;
}

enum status ch_plan_series(struct ch_reader *reader,
                           const struct reader_ops *ops,
                           const struct series_query *query,
                           struct arena *arena, struct series_plan **out)
{
    struct ch_series_plan *plan = arena_zero(arena, 1, sizeof(*plan));
    struct series_window *window = arena_zero(arena, 1, sizeof(*window));
    enum status status = OK;

    if (!plan || !window)
        return arena_status(arena);
    window->point_bytes = POINT_BYTES;
    plan->head.ops = ops;
    plan->query = query;
    plan->reader = reader;
    plan->arena = arena;
    plan->window = window;
    if (ch_series_reads_sent(query))
        status = plan_tables(plan, false);
    if (status == OK && ch_series_reads_derived(query))
        status = plan_tables(plan, true);
    if (status == OK)
        sort_plan(plan);
    *out = (struct series_plan *)(void *)plan;
    return status;
}

/* The first that is not before the resource. */
static uint32_t plan_find(const struct ch_series_plan *plan, uint64_t resource)
{
    uint32_t low = 0, high = plan->count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (plan->at[mid].resource < resource)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

uint32_t ch_plan_next(const struct series_plan *of, uint64_t from)
{
    const struct ch_series_plan *plan = (const void *)of;
    uint32_t at = plan_find(plan, from);

    return at < plan->count ? plan->at[at].resource : RESOURCE_NONE;
}

/* ---- the tables ---- */

/* Reads both kinds of tables, for some of the resources. */
static enum status select_rows(const struct ch_series_plan *plan,
                               const struct bitmap *resources,
                               ch_series_take *take, void *arg)
{
    const struct series_query *query = plan->query;
    struct ch_series_scope sent = {.query = query, .resources = resources};
    const struct ch_series_scope derived = {.query = query,
                                            .resources = resources,
                                            .derived = true,
                                            .tables = UINT32_C(1)
                                                      << CH_SERIES_DERIVED};
    enum status status;

    ch_series_limit(&sent, plan->found);
    status = ch_series_select(plan->reader, &sent, ch_series_what_of(query),
                              take, arg);
    if (status == OK && ch_series_reads_derived(query))
        status = ch_series_select(plan->reader, &derived,
                                  ch_series_what_of(query), take, arg);
    return status;
}

static enum status find_tables(struct ch_series_plan *plan, void *arg)
{
    const struct ch_series_scope scope = {.query = plan->query,
                                          .resources = plan->query->resources};
    struct ch_series_found *found = arena_zero(plan->arena, 1, sizeof(*found));
    enum status status;

    if (!found)
        return arena_status(plan->arena);
    status = ch_series_reads_sent(plan->query)
                 ? ch_series_find(plan->reader, &scope, arg, plan->arena, found)
                 : OK;
    if (status == OK)
        plan->found = found;
    return status;
}

/* ---- the window ---- */

static int by_row(const void *left, const void *right)
{
    const struct kept_row *a = left, *b = right;

    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    return (a->bytes.ptr > b->bytes.ptr) - (a->bytes.ptr < b->bytes.ptr);
}

static enum status keep_row(void *arg, const struct ch_series_row *row)
{
    struct ch_series_plan *plan = arg;
    struct series_window *w = plan->window;
    uint32_t id = ch_series_resource(plan->reader, row, w->resources);
    struct kept_row *kept;

    if (id == RESOURCE_NONE)
        return OK;
    w->full = row->bytes.len > WINDOW_BYTES - w->used;
    if (w->full)
        return ERR_TOO_BIG;
    kept = arena_append(plan->arena, &w->rows, w->row_count, &w->row_room);
    if (!kept)
        return arena_status(plan->arena);
    slice_copy(w->bytes + w->used, row->bytes);
    *kept =
        (struct kept_row){id, row->table, {w->bytes + w->used, row->bytes.len}};
    w->used += row->bytes.len;
    w->row_count++;
    return OK;
}

/* How many resources from this place on are likely to fit. */
static uint32_t likely_count(const struct ch_series_plan *plan, uint32_t first)
{
    double room = WINDOW_BYTES * 3.0 / 4;
    uint32_t count = 0;

    while (first + count < plan->count && count < WINDOW_RESOURCES) {
        room -=
            (double)plan->at[first + count].points * plan->window->point_bytes;
        if (count > 0 && room < 0)
            break;
        count++;
    }
    return count;
}

static enum status load(struct ch_series_plan *plan, uint32_t first,
                        uint32_t count)
{
    struct series_window *w = plan->window;
    uint64_t points = 0;
    enum status status;

    if (!w->bytes) {
        w->bytes = arena_alloc(plan->arena, WINDOW_BYTES);
        w->resources = bitmap_new(plan->arena, plan->query->resources->limit);
        if (!w->bytes || !w->resources)
            return arena_status(plan->arena);
    }
    w->first = w->end = w->row_count = 0;
    w->used = 0;
    w->full = false;
    for (uint32_t i = first; i < first + count; i++) {
        bitmap_add(w->resources, plan->at[i].resource);
        points += plan->at[i].points;
    }
    status = select_rows(plan, w->resources, keep_row, plan);
    for (uint32_t i = first; i < first + count; i++)
        bitmap_remove(w->resources, plan->at[i].resource);
    if (status == OK) {
        if (w->row_count > 0)
            qsort(w->rows, w->row_count, sizeof(*w->rows), by_row);
        w->first = first;
        w->end = first + count;
        w->point_bytes = ((double)w->used + 1) / ((double)points + 1);
    } else if (w->full) {
        w->point_bytes *= 2;
    }
    return status;
}

static uint32_t first_row(const struct series_window *w, uint32_t resource)
{
    uint32_t low = 0, high = w->row_count;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (w->rows[mid].resource < resource)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* ---- reading ---- */

struct plan_reading {
    const struct ch_series_plan *plan;
    uint32_t resource;
    point_visit *visit;
    void *arg;
    struct arena piece;
};

static enum status visit_row(void *arg, const struct ch_series_row *row)
{
    struct plan_reading *r = arg;
    const struct ch_series_plan *plan = r->plan;

    if (ch_series_resource(plan->reader, row, plan->query->resources) !=
        r->resource)
        return OK;
    return ch_series_visit(plan->reader, plan->query, row, r->resource,
                           &r->piece, r->visit, r->arg);
}

static enum status visit_window(struct plan_reading *r)
{
    const struct series_window *w = r->plan->window;
    enum status status = OK;

    for (uint32_t i = first_row(w, r->resource);
         status == OK && i < w->row_count && w->rows[i].resource == r->resource;
         i++) {
        struct ch_series_row row = {.table = w->rows[i].table,
                                    .what = ch_series_what_of(r->plan->query)};
        struct byte_reader in = byte_reader_over(w->rows[i].bytes);

        ch_series_row_read(&row, &in);
        status = ch_series_visit(r->plan->reader, r->plan->query, &row,
                                 r->resource, &r->piece, r->visit, r->arg);
    }
    return status;
}

/* One resource, whose rows are more than a window. */
static enum status visit_large(struct ch_series_plan *plan,
                               struct plan_reading *r)
{
    struct bitmap *one = plan->window->resources;
    enum status status;

    bitmap_add(one, r->resource);
    status = select_rows(plan, one, visit_row, r);
    bitmap_remove(one, r->resource);
    return status;
}

static enum status read_at(struct ch_series_plan *plan, uint32_t at,
                           struct plan_reading *r)
{
    struct series_window *w = plan->window;
    uint32_t count = likely_count(plan, at);
    enum status status = OK;

    if (at < w->first || at >= w->end)
        status = load(plan, at, count);
    while (status != OK && w->full && count > 1) {
        count = (count + 1) / 2;
        status = load(plan, at, count);
    }
    if (status != OK && w->full)
        return visit_large(plan, r);
    return status == OK ? visit_window(r) : status;
}

enum status ch_read_planned(struct ch_reader *reader,
                            const struct series_plan *of, uint32_t resource,
                            point_visit *visit, void *arg)
{
    struct ch_series_plan *plan = (struct ch_series_plan *)(uintptr_t)of;
    struct plan_reading r = {
        .plan = plan, .resource = resource, .visit = visit, .arg = arg};
    uint32_t at = plan_find(plan, resource);
    enum status status;

    if (at == plan->count || plan->at[at].resource != resource)
        return OK;
    status = plan->found ? OK : find_tables(plan, arg);
    if (status != OK)
        return status;
    arena_init(&r.piece, reader->budget, CH_WORK_MAX);
    status = read_at(plan, at, &r);
    arena_release(&r.piece);
    return status;
}
