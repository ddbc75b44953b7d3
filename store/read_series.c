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

static enum status visit_chunk(const struct series_visit *v, struct slice data,
                               uint32_t resource)
{
    enum status status = reader_cancelled(v->reader);

    if (status == OK)
        status = series_read(data, resource, v->query, &v->reader->scratch,
                             v->visit, v->arg);
    arena_reset(&v->reader->scratch);
    return block_is_damaged(status) ? OK : status;
}

/* All chunks of a statement's rows, which are of one resource. */
static enum status visit_rows(const struct series_visit *v, struct db_stmt s,
                              uint32_t resource)
{
    enum status status = OK;

    while (status == OK && stmt_row(&s))
        status = visit_chunk(v, stmt_bytes(&s, 0), resource);
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

static void visit_one(const struct series_visit *v, const struct point *point)
{
    if (!point_matches(v->query, point))
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
        visit_one(v, point);
}

/* ---- points still being counted ---- */

/* Flat copies; what they refer to is in the arena of the query. */
struct open_point_list {
    struct arena *arena;
    struct point *at;
    uint32_t count, room;
};

static void keep_point(void *arg, const struct point *point)
{
    struct open_point_list *open = arg;
    struct point *at =
        arena_append(open->arena, &open->at, open->count, &open->room);

    if (!at)
        return;
    *at = *point;
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

    flushed = base + source.visit(source.source, q->resources, q->start_ns,
                                  q->end_ns, open->arena, keep_point, open);
    if (arena_status(open->arena) != OK)
        return arena_status(open->arena);
    if (derived_shown(reader) < flushed)
        status = reader_refresh(reader);
    if (status == OK && derived_shown(reader) > flushed)
        open->count = 0;
    return status;
}

enum status reader_query_series(struct reader *reader,
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
        visit_one(&v, &open.at[i]);
    return OK;
}
