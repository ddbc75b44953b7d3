/*
 * Metric points: chunks of the requested hours, then points in memory, then
 * the derived points that are still being counted.
 *
 * Exactly once, for the last of these. A flush of open points is one derived
 * batch, which is one memtable with a serial number of its own, whatever its
 * lsn. The source returns W0, the number of the last flush when its points were
 * read: the points hold what came after W0. Let D be the last flush in this
 * view, in memory or committed. The source is called first, and then:
 *
 *   D == W0   the view has all up to W0, the points all that came later
 *   D >  W0   the points were flushed after they were read, and the view has
 *             that flush: they are in it, so they are dropped here. (Batches
 *             are appended before the source returns the new number.)
 *   D <  W0   the flush came after this view was fixed: the view lacks what
 *             the points held before. It is refreshed; W0 had been appended
 *             when the source was called, so now D >= W0, as above.
 */
#include <stdlib.h>

#include "array.h"
#include "block_cursor.h"
#include "series.h"

/* Resources are looked up one by one in each hour, unless they are so large a
 * part of all (ids count up from zero) that walking the hour's list is less:
 * a look-up costs about as much as SEEK_COST steps. */
enum { SEEK_RESOURCES = 16, SEEK_COST = 16 };

struct series_visit {
    struct reader *reader;
    const struct series_query *query;
    point_visit *visit;
    void *arg;
    enum stream first, last; /* that can hold the requested names */
};

/* Series of the correlator's own are in the one stream, all others in the
 * other: half of the chunks need not be unpacked. */
static void choose_streams(struct series_visit *v)
{
    uint32_t derived = 0;

    for (uint32_t i = 0; i < v->query->name_count; i++)
        derived += slice_starts(v->query->names[i], SLICE("callboard."));
    v->first = derived > 0 && derived == v->query->name_count ? STREAM_DERIVED
                                                              : STREAM_METRICS;
    v->last = v->query->sent || (derived == 0 && v->query->name_count > 0)
                  ? STREAM_METRICS
                  : STREAM_DERIVED;
}

struct tails_loader {
    struct reader *reader;
    uint64_t chunk;
    enum status status;
};

static struct slice load_tails(void *arg)
{
    struct tails_loader *loader = arg;
    struct db_stmt s =
        db_query(loader->reader->db, SQL_TAIL_GET, db_int(loader->chunk));
    struct slice tails = {NULL, 0};

    if (stmt_row(&s))
        tails = arena_copy(&loader->reader->scratch, stmt_bytes(&s, 0));
    loader->status = stmt_end(&s);
    return tails;
}

static enum status visit_chunk(const struct series_visit *v, uint64_t id,
                               struct slice data, uint32_t resource)
{
    struct tails_loader loader = {v->reader, id, OK};
    const struct chunk_bytes chunk = {
        .bytes = data, .load_tails = load_tails, .arg = &loader};
    enum status status = reader_cancelled(v->reader);

    if (status == OK)
        status = series_read(&chunk, resource, v->query, &v->reader->scratch,
                             v->visit, v->arg);
    if (loader.status != OK)
        status = loader.status;
    arena_reset(&v->reader->scratch);
    return block_is_damaged(status) ? OK : status;
}

/* All chunks of a statement's rows, which are of one resource. */
static enum status visit_rows(const struct series_visit *v, struct db_stmt s,
                              uint32_t resource)
{
    enum status status = OK;

    while (status == OK && stmt_row(&s))
        status = visit_chunk(v, stmt_int(&s, 1), stmt_bytes(&s, 0), resource);
    return stmt_end_with(&s, status);
}

static enum status visit_few(const struct series_visit *v, uint64_t hour)
{
    const struct bitmap *set = v->query->resources;
    enum status status = OK;

    for (uint32_t word = 0; word < (set->limit + 63) / 64; word++)
        for (uint64_t bits = set->words[word]; bits && status == OK;
             bits &= bits - 1) {
            uint32_t id = 64 * word + (uint32_t)__builtin_ctzll(bits);

            status = visit_rows(v,
                                db_query(v->reader->db, SQL_CHUNKS,
                                         db_int(hour), db_int(id),
                                         db_int(v->first), db_int(v->last)),
                                id);
        }
    return status;
}

static enum status visit_many(const struct series_visit *v, uint64_t hour)
{
    struct db_stmt s = db_query(v->reader->db, SQL_CHUNK_IDS, db_int(hour),
                                db_int(v->first), db_int(v->last));
    enum status status = OK;

    while (status == OK && stmt_row(&s)) {
        uint32_t id = (uint32_t)stmt_int(&s, 1);

        if (bitmap_has(v->query->resources, id))
            status = visit_rows(
                v,
                db_query(v->reader->db, SQL_CHUNK_GET, db_int(stmt_int(&s, 0))),
                id);
    }
    return stmt_end_with(&s, status);
}

/* The first hour from this one on that has chunks; false: none. */
static bool next_hour(const struct series_visit *v, uint64_t *hour,
                      enum status *status)
{
    struct db_stmt s = db_query(v->reader->db, SQL_HOUR_NEXT, db_int(*hour));
    bool found = stmt_row(&s);

    if (found)
        *hour = stmt_int(&s, 0);
    *status = stmt_end(&s);
    return found && *status == OK;
}

static enum status visit_chunks(const struct series_visit *v)
{
    const struct series_query *q = v->query;
    const struct bitmap *set = q->resources;
    bool few =
        set->count <= SEEK_RESOURCES || set->count <= set->limit / SEEK_COST;
    uint64_t last = series_hour(q->end_ns);
    enum status status = OK;

    for (uint64_t hour = series_hour(q->start_ns);
         status == OK && next_hour(v, &hour, &status) && hour <= last; hour++)
        status = few ? visit_few(v, hour) : visit_many(v, hour);
    return status;
}

static bool point_matches(const struct series_query *q,
                          const struct point *point)
{
    return point->time_ns > q->start_ns && point->time_ns <= q->end_ns &&
           bitmap_has(q->resources, point->resource_id) &&
           series_query_matches(q, point->metric->name);
}

static bool is_wanted(const struct series_visit *v, const struct point *point)
{
    const struct series_query *q = v->query;

    return (!q->wants_metric || q->wants_metric(v->arg, point->metric)) &&
           (!q->wants_series || q->wants_series(v->arg, point));
}

static void visit_one(const struct series_visit *v, const struct point *point)
{
    if (!is_wanted(v, point))
        return;
    if (v->query->series)
        v->query->series(v->arg);
    v->visit(v->arg, point);
}

static void visit_memory(const struct series_visit *v, enum stream stream)
{
    struct memtables_cursor cursor = memtables_cursor(v->reader, stream);
    const struct point *point;

    while ((point = memtables_next_point(&cursor)))
        if (point_matches(v->query, point))
            visit_one(v, point);
}

/* ---- points still being counted ---- */

/* They are in the arena. */
struct open_point_list {
    struct arena *arena;
    const struct point **at;
    uint32_t count, room;
};

static void keep_point(void *arg, const struct point *point)
{
    struct open_point_list *open = arg;
    const struct point **at =
        arena_append(open->arena, &open->at, open->count, &open->room);

    if (!at)
        return;
    *at = point;
    open->count++;
}

/* D of the head comment of this file. */
static uint64_t derived_shown(const struct reader *reader)
{
    const struct memtables_view *view = &reader->memtables[STREAM_DERIVED];

    return view->count > 0 ? view->at[view->count - 1].memtable->serial
                           : reader->committed[STREAM_DERIVED];
}

static enum status query_source(struct reader *reader,
                                const struct series_query *q,
                                struct open_point_list *open)
{
    struct store *store = reader->store;
    uint64_t flushed;
    enum status status = OK;

    pthread_mutex_lock(&store->commits.lock);
    struct open_series source = store->memtables.open_series;
    uint64_t base = store->memtables.open_base;
    pthread_mutex_unlock(&store->commits.lock);
    if (!source.visit)
        return OK;

    flushed =
        base + source.visit(source.source, q, open->arena, keep_point, open);
    if (arena_status(open->arena) != OK)
        return arena_status(open->arena);
    if (derived_shown(reader) < flushed)
        status = reader_refresh(reader);
    if (status == OK && derived_shown(reader) > flushed)
        open->count = 0;
    return status;
}

enum status embedded_query_series(struct reader *reader,
                                  const struct series_query *query,
                                  point_visit *visit, void *arg)
{
    struct series_visit v = {
        .reader = reader, .query = query, .visit = visit, .arg = arg};
    struct open_point_list open = {.arena = &reader->work};

    arena_reset(&reader->work);
    choose_streams(&v);
    enum status status = query->sent ? OK : query_source(reader, query, &open);
    if (status == OK)
        status = visit_chunks(&v);
    if (status != OK)
        return reader_status(reader, status);
    visit_memory(&v, STREAM_METRICS);
    if (!query->sent)
        visit_memory(&v, STREAM_DERIVED);
    for (uint32_t i = 0; i < open.count; i++)
        if (point_matches(query, open.at[i]))
            visit_one(&v, open.at[i]);
    return OK;
}

/* ---- resource by resource ---- */

/* Where something of a resource is: a chunk, or a point in memory. */
struct planned {
    uint32_t resource;
    uint32_t order : 31; /* as they were found: by hour, then by stream */
    uint32_t in_memory : 1;
    union {
        const struct point *point; /* in_memory */
        uint64_t chunk;
    };
};

struct series_plan {
    struct series_plan_head head;
    const struct series_query *query;
    struct planned *at; /* NULL: they are counted */
    uint32_t count;
};

static void plan_add(struct series_plan *plan, struct planned one)
{
    one.order = plan->count & INT32_MAX;
    if (plan->at)
        plan->at[plan->count] = one;
    plan->count++;
}

static void plan_point(struct series_plan *plan, const struct point *point)
{
    if (point_matches(plan->query, point))
        plan_add(plan, (struct planned){.resource = point->resource_id,
                                        .in_memory = true,
                                        .point = point});
}

static enum status plan_chunks(struct series_plan *plan,
                               const struct series_visit *v)
{
    const struct series_query *q = plan->query;
    struct db_stmt s = db_query(
        v->reader->db, SQL_CHUNK_PLAN, db_int(series_hour(q->start_ns)),
        db_int(series_hour(q->end_ns)), db_int(v->first), db_int(v->last));

    while (stmt_row(&s)) {
        uint32_t id = (uint32_t)stmt_int(&s, 1);

        if (bitmap_has(q->resources, id))
            plan_add(plan, (struct planned){.resource = id,
                                            .chunk = stmt_int(&s, 0)});
    }
    return stmt_end(&s);
}

static void plan_memory(struct series_plan *plan, const struct series_visit *v,
                        enum stream stream)
{
    struct memtables_cursor cursor = memtables_cursor(v->reader, stream);
    const struct point *point;

    while ((point = memtables_next_point(&cursor)))
        plan_point(plan, point);
}

static enum status plan_all(struct series_plan *plan,
                            const struct series_visit *v,
                            const struct open_point_list *open)
{
    enum status status = plan_chunks(plan, v);

    if (status != OK)
        return status;
    plan_memory(plan, v, STREAM_METRICS);
    if (!plan->query->sent)
        plan_memory(plan, v, STREAM_DERIVED);
    for (uint32_t i = 0; i < open->count; i++)
        plan_point(plan, open->at[i]);
    return OK;
}

static int by_resource(const void *left, const void *right)
{
    const struct planned *a = left, *b = right;

    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* A day that was not merged yet has hundreds of thousands of chunks. They are
 * counted before there is an array of them: one that grows would leave as much
 * again in the arena. */
enum status embedded_plan_series(struct reader *reader,
                                 const struct series_query *query,
                                 struct arena *arena, struct series_plan **out)
{
    struct series_plan *plan = arena_zero(arena, 1, sizeof(*plan));
    struct series_visit v = {.reader = reader, .query = query};
    struct open_point_list open = {.arena = arena};

    if (!plan)
        return arena_status(arena);
    plan->head.ops = reader->head.ops;
    plan->query = query;
    choose_streams(&v);
    enum status status = query->sent ? OK : query_source(reader, query, &open);
    if (status == OK)
        status = plan_all(plan, &v, &open);
    if (status != OK)
        return reader_status(reader, status);
    plan->at =
        arena_alloc(arena, ((size_t)plan->count + 1) * sizeof(*plan->at));
    if (!plan->at)
        return arena_status(arena);
    plan->count = 0;
    status = plan_all(plan, &v, &open);
    if (status != OK)
        return reader_status(reader, status);
    qsort(plan->at, plan->count, sizeof(*plan->at), by_resource);
    *out = plan;
    return OK;
}

/* The first that is not before the resource. */
static uint32_t plan_find(const struct series_plan *plan, uint64_t resource)
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

uint32_t embedded_plan_next(const struct series_plan *plan, uint64_t from)
{
    uint32_t at = plan_find(plan, from);

    return at < plan->count ? plan->at[at].resource : RESOURCE_NONE;
}

enum status embedded_read_planned(struct reader *reader,
                                  const struct series_plan *plan,
                                  uint32_t resource, point_visit *visit,
                                  void *arg)
{
    struct series_visit v = {
        .reader = reader, .query = plan->query, .visit = visit, .arg = arg};
    enum status status = OK;

    for (uint32_t i = plan_find(plan, resource);
         status == OK && i < plan->count && plan->at[i].resource == resource;
         i++)
        if (plan->at[i].in_memory)
            visit_one(&v, plan->at[i].point);
        else
            status = visit_rows(
                &v,
                db_query(reader->db, SQL_CHUNK_GET, db_int(plan->at[i].chunk)),
                resource);
    return status == OK ? OK : reader_status(reader, status);
}
