/*
 * Metric points: pieces of series from the tables of metrics and from
 * callboard_series, in any order.
 *
 * What a query leaves out by functions is asked for first, where that costs
 * less than reading it: the metrics, of which there are few, and of derived
 * series the heads. ClickHouse then sends the wanted ones only. The functions
 * are asked again before the points: they may remember what they were asked
 * last.
 */
#include "ch_read_series.h"

#include "array.h"
#include "derived.h"

/* So many names and series are listed in a query. */
enum { MOST_NAMES = 10000, MOST_SERIES = 10000 };

/* ---- a row ---- */

uint32_t ch_series_resource(const struct ch_reader *reader,
                            const struct ch_series_row *row,
                            const struct bitmap *resources)
{
    const struct store_resources *of = reader->resources;
    uint32_t id;

    if (row->table != CH_SERIES_DERIVED)
        id = of->find(of->arg, row->resource_key);
    else if (slice_equal(row->name, SLICE(DERIVED_RECORDS)))
        id = of->find_sender(of->arg, row->resource_key);
    else
        id = of->find_derived(of->arg, row->resource_key);
    return id != RESOURCE_NONE && bitmap_has(resources, id) ? id
                                                            : RESOURCE_NONE;
}

static void visit_counts(const struct series_query *query,
                         const struct ch_series_piece *piece,
                         struct arena *arena, void *arg)
{
    uint32_t count = piece->count;
    uint64_t *times = arena_alloc(arena, (size_t)count * sizeof(*times));
    uint64_t *starts = arena_alloc(arena, (size_t)count * sizeof(*starts));
    uint64_t *counts = arena_alloc(arena, (size_t)count * sizeof(*counts));
    uint32_t *flags = arena_alloc(arena, (size_t)count * sizeof(*flags));

    if (!times || !starts || !counts || !flags)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const struct point *p = &piece->points[i];

        times[i] = p->time_ns;
        starts[i] = p->start_ns;
        counts[i] = p->histogram->count;
        flags[i] = p->flags;
    }
    query->counts(arg,
                  &(struct series_counts){times, starts, counts, flags, count});
}

static void visit_points(const struct series_query *query,
                         const struct ch_series_row *row,
                         struct ch_series_piece *piece, struct arena *arena,
                         point_visit *visit, void *arg)
{
    static const struct histogram none;
    bool counts = row->what == CH_SERIES_COUNTS && query->counts &&
                  piece->count > 0 &&
                  (piece->metric.type == METRIC_HISTOGRAM ||
                   piece->metric.type == METRIC_EXP_HISTOGRAM);

    if (query->series)
        query->series(arg);
    if (counts) {
        visit_counts(query, piece, arena, arg);
        return;
    }
    for (uint32_t i = 0; i < piece->count; i++) {
        if (query->heads && piece->metric.type == METRIC_EXP_HISTOGRAM)
            piece->points[i].histogram = &none;
        visit(arg, &piece->points[i]);
    }
}

enum status ch_series_visit(const struct ch_reader *reader,
                            const struct series_query *query,
                            const struct ch_series_row *row, uint32_t resource,
                            struct arena *arena, point_visit *visit, void *arg)
{
    struct ch_series_piece piece;
    struct metric metric;
    enum status status;

    ch_series_metric(row, &metric);
    if (query->wants_metric && !query->wants_metric(arg, &metric))
        return OK;
    status = ch_series_piece_read(row, reader, resource, arena, &piece);
    if (status == OK && piece.count > 0 &&
        (!query->wants_series || query->wants_series(arg, &piece.points[0]))) {
        visit_points(query, row, &piece, arena, visit, arg);
        status = arena_status(arena);
    }
    arena_reset(arena);
    return status;
}

/* ---- a request ---- */

struct selecting {
    struct ch_reader *reader;
    struct ch_series_row row;
    ch_series_take *take;
    void *arg;
};

static void decode_row(void *arg, struct byte_reader *in)
{
    struct selecting *s = arg;

    ch_series_row_read(&s->row, in);
}

static enum status take_row(void *arg)
{
    struct selecting *s = arg;
    enum status status = ch_reader_cancelled(s->reader);

    return status == OK ? s->take(s->arg, &s->row) : status;
}

static enum status select_table(struct ch_reader *reader,
                                const struct ch_series_scope *scope,
                                enum ch_series_table table, struct selecting *s)
{
    struct ch_rows rows = {.decode = decode_row, .take = take_row, .arg = s};
    struct ch_sql sql;
    struct arena work;
    bool none;
    enum status status;

    s->row.table = table;
    ch_sql_init(&sql);
    arena_init(&work, reader->budget, CH_WORK_MAX);
    status =
        ch_series_sql(reader, &sql, scope, table, s->row.what, &work, &none);
    arena_release(&work);
    if (status == OK && !none)
        status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

enum status ch_series_select(struct ch_reader *reader,
                             const struct ch_series_scope *scope,
                             enum ch_series_what what, ch_series_take *take,
                             void *arg)
{
    enum status status = OK;

    for (int table = 0; table < CH_SERIES_TABLES && status == OK; table++) {
        struct selecting s = {
            .reader = reader, .row = {.what = what}, .take = take, .arg = arg};

        if (scope->tables >> table & 1)
            status =
                select_table(reader, scope, (enum ch_series_table)table, &s);
    }
    return status;
}

/* ---- which tables and metrics are wanted ---- */

struct series_finding {
    const struct series_query *query;
    void *arg;
    struct arena *arena;
    struct ch_series_found *found;
    struct ch_series_row row;
};

static void decode_table(void *arg, struct byte_reader *in)
{
    struct series_finding *f = arg;

    f->row.table = (enum ch_series_table)ch_read_u8(in);
}

static enum status take_table(void *arg)
{
    struct series_finding *f = arg;

    f->found->tables |= UINT32_C(1) << f->row.table;
    return OK;
}

static void decode_metric(void *arg, struct byte_reader *in)
{
    struct series_finding *f = arg;

    ch_series_metric_read(&f->row, in);
}

static enum status take_metric(void *arg)
{
    struct series_finding *f = arg;
    struct ch_series_found *found = f->found;
    struct metric metric;
    struct slice *name;

    ch_series_metric(&f->row, &metric);
    if (!f->query->wants_metric(f->arg, &metric))
        return OK;
    (void)take_table(f);
    for (uint32_t i = 0; i < found->count; i++)
        if (slice_equal(found->at[i], metric.name))
            return OK;
    name = arena_append(f->arena, &found->at, found->count, &found->room);
    if (!name)
        return arena_status(f->arena);
    *name = arena_copy(f->arena, metric.name);
    found->count++;
    return arena_status(f->arena);
}

enum status ch_series_find(struct ch_reader *reader,
                           const struct ch_series_scope *scope, void *arg,
                           struct arena *arena, struct ch_series_found *found)
{
    struct series_finding f = {scope->query, arg, arena, found, {.series = 0}};
    struct ch_rows rows = {.arg = &f};
    struct arena work;
    struct ch_sql sql;
    bool none;
    enum status status;

    *found = (struct ch_series_found){.asked = scope->query->wants_metric &&
                                               scope->query->name_count == 0};
    if (scope->derived && !found->asked) {
        found->tables = UINT32_C(1) << CH_SERIES_DERIVED;
        return OK;
    }
    rows.decode = found->asked ? decode_metric : decode_table;
    rows.take = found->asked ? take_metric : take_table;
    ch_sql_init(&sql);
    arena_init(&work, reader->budget, CH_WORK_MAX);
    status = ch_series_list_sql(reader, &sql, scope,
                                found->asked ? CH_SERIES_LIST_METRICS
                                             : CH_SERIES_LIST_TABLES,
                                &work, &none);
    arena_release(&work);
    if (status == OK && !none)
        status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

void ch_series_limit(struct ch_series_scope *scope,
                     const struct ch_series_found *found)
{
    scope->tables = found->tables;
    if (!found->asked || found->count > MOST_NAMES)
        return;
    scope->names = found->at;
    scope->name_count = found->count;
}

/* ---- which series are wanted ---- */

/* Those that wants_series wants, in the arena. */
struct choosing {
    struct ch_reader *reader;
    const struct series_query *query;
    void *arg;
    struct arena *arena, piece;
    uint64_t *series;
    uint32_t count, room, all;
};

static enum status choose_series(void *arg, const struct ch_series_row *row)
{
    struct choosing *c = arg;
    uint32_t id = ch_series_resource(c->reader, row, c->query->resources);
    struct ch_series_piece piece;
    enum status status;
    uint64_t *series;
    bool wanted;

    if (id == RESOURCE_NONE)
        return OK;
    status = ch_series_piece_read(row, c->reader, id, &c->piece, &piece);
    wanted = status == OK && piece.count > 0 &&
             (!c->query->wants_metric ||
              c->query->wants_metric(c->arg, &piece.metric)) &&
             c->query->wants_series(c->arg, &piece.points[0]);
    arena_reset(&c->piece);
    c->all++;
    if (!wanted || c->count >= MOST_SERIES)
        return status;
    series = arena_append(c->arena, &c->series, c->count, &c->room);
    if (!series)
        return arena_status(c->arena);
    *series = row->series;
    c->count++;
    return status;
}

/* Limits the scope to the series that are wanted, if these are few of all. */
static enum status choose(struct ch_reader *reader,
                          struct ch_series_scope *scope, void *arg,
                          struct arena *arena, bool *none)
{
    struct choosing c = {
        .reader = reader, .query = scope->query, .arg = arg, .arena = arena};
    enum status status;

    *none = false;
    if (!scope->query->wants_series || scope->query->heads || !scope->derived)
        return OK;
    arena_init(&c.piece, reader->budget, CH_WORK_MAX);
    status =
        ch_series_select(reader, scope, CH_SERIES_HEADS, choose_series, &c);
    arena_release(&c.piece);
    *none = c.count == 0;
    if (c.count < MOST_SERIES && c.count <= c.all / 2) {
        scope->series = c.series;
        scope->series_count = c.count;
    }
    return status;
}

/* ---- a query ---- */

struct querying {
    struct ch_reader *reader;
    const struct series_query *query;
    point_visit *visit;
    void *arg;
    struct arena piece;
};

static enum status visit_row(void *arg, const struct ch_series_row *row)
{
    struct querying *q = arg;
    uint32_t id = ch_series_resource(q->reader, row, q->query->resources);

    return id == RESOURCE_NONE ? OK
                               : ch_series_visit(q->reader, q->query, row, id,
                                                 &q->piece, q->visit, q->arg);
}

static enum status query_tables(struct querying *q, bool derived,
                                struct arena *work)
{
    struct ch_series_scope scope = {.query = q->query,
                                    .resources = q->query->resources,
                                    .derived = derived};
    struct ch_series_found found;
    bool none = false;
    enum status status =
        ch_series_find(q->reader, &scope, q->arg, work, &found);

    if (status != OK || found.tables == 0)
        return status;
    ch_series_limit(&scope, &found);
    status = choose(q->reader, &scope, q->arg, work, &none);
    return status != OK || none
               ? status
               : ch_series_select(q->reader, &scope,
                                  ch_series_what_of(q->query), visit_row, q);
}

enum status ch_query_series(struct ch_reader *reader,
                            const struct series_query *query,
                            point_visit *visit, void *arg)
{
    struct querying q = {
        .reader = reader, .query = query, .visit = visit, .arg = arg};
    struct arena work;
    enum status status = OK;

    arena_init(&q.piece, reader->budget, CH_WORK_MAX);
    arena_init(&work, reader->budget, CH_WORK_MAX);
    if (ch_series_reads_sent(query))
        status = query_tables(&q, false, &work);
    if (status == OK && ch_series_reads_derived(query))
        status = query_tables(&q, true, &work);
    arena_release(&work);
    arena_release(&q.piece);
    return status;
}
