/* memory_reader - queries of store.h over the store in memory
 * (memory_store.h). */
#ifndef MEMORY_READER_H
#define MEMORY_READER_H

#include <pthread.h>

#include "memory_state.h"

struct reader {
    struct store *store;
    const atomic_bool *cancelled;
};

static _Thread_local const atomic_bool *memory_cancelled; /* of this reader */

enum status reader_open(struct reader **reader, struct store *store)
{
    *reader = mem_zero(1, sizeof(**reader));
    (*reader)->store = store;
    return OK;
}

void reader_close(struct reader *reader)
{
    free(reader);
}

void reader_set_deadline(struct reader *reader, uint64_t deadline_ns)
{
    (void)reader;
    (void)deadline_ns;
}

void reader_shorten_deadline(struct reader *reader, uint64_t deadline_ns)
{
    (void)reader;
    (void)deadline_ns;
}

enum status reader_cancelled(const struct reader *reader)
{
    (void)reader;
    return OK;
}

const char *reader_reason(const struct reader *reader)
{
    (void)reader;
    return NULL;
}

void reader_set_cancel(struct reader *reader, const atomic_bool *cancelled)
{
    reader->cancelled = memory_cancelled = cancelled;
}

enum status reader_begin(struct reader *reader)
{
    if (reader->store->begin)
        reader->store->begin();
    return OK;
}

void reader_end(struct reader *reader)
{
    (void)reader;
}

/* The records set by the test, then those of the batches, as one list. */
struct memory_cursor {
    const struct store *store;
    enum signal signal;
    uint32_t batch; /* + 1; 0: those set by the test */
    uint32_t record;
};

static inline const void *memory_next(struct memory_cursor *cursor)
{
    const struct store *s = cursor->store;

    while (cursor->batch <= s->count) {
        const struct batch *b =
            cursor->batch > 0 ? s->batches[cursor->batch - 1] : NULL;
        uint32_t at = cursor->record++, spans = b ? 0 : s->span_count;
        uint32_t logs = b ? 0 : s->log_count, points = b ? 0 : s->point_count;

        if (b && b->signal == cursor->signal)
            spans = logs = points = b->count;
        if (cursor->signal == SIGNAL_SPANS && at < spans)
            return b ? &b->spans[at] : &s->spans[at];
        if (cursor->signal == SIGNAL_LOGS && at < logs)
            return b ? &b->logs[at] : &s->logs[at];
        if (cursor->signal == SIGNAL_METRICS && at < points)
            return b ? &b->points[at] : &s->points[at];
        cursor->batch++;
        cursor->record = 0;
    }
    return NULL;
}

static inline void memory_note_range(struct store *store,
                                     const struct list_range *range)
{
    const struct list_position none = {0};

    store->after = range->after ? *range->after : none;
    store->before = range->before ? *range->before : none;
}

static inline bool memory_match_log(const struct store *store,
                                    const struct log_record *log,
                                    const struct log_query *query)
{
    return bitmap_has(query->resources, log->resource_id) &&
           (!store->strict ||
            (log->time_ns >= query->start_ns && log->time_ns < query->end_ns &&
             (log->event_name.len > 0) == query->events &&
             (query->levels == 0 || query->levels >> log->level & 1)));
}

/* Without order and limit. */
enum status reader_query_logs(struct reader *reader,
                              const struct log_query *query,
                              struct arena *arena, struct log_record **logs,
                              uint32_t *count, uint64_t *total)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct store *store = reader->store;
    struct memory_cursor cursor = {.store = store, .signal = SIGNAL_LOGS};
    const struct log_record *log;
    uint32_t room = 0;

    pthread_mutex_lock(&lock); /* tests query from several threads */
    store->log_query = *query;
    memory_note_range(store, &query->range);
    pthread_mutex_unlock(&lock);
    *logs = NULL;
    *count = 0;
    while ((log = memory_next(&cursor))) {
        if (!memory_match_log(store, log, query))
            continue;
        struct log_record *to = arena_append(arena, logs, *count, &room);

        if (!to)
            return arena_status(arena);
        *to = *log;
        ++*count;
    }
    *total = *count;
    return store->read_status;
}

enum status reader_count_logs(struct reader *reader,
                              const struct log_query *query,
                              const struct log_counts *out)
{
    struct memory_cursor cursor = {.store = reader->store,
                                   .signal = SIGNAL_LOGS};
    const struct log_record *log;

    reader->store->log_query = *query;
    while ((log = memory_next(&cursor))) {
        uint64_t step = (log->time_ns - out->start_ns) / out->step_ns;

        if (memory_match_log(reader->store, log, query) &&
            log->time_ns >= out->start_ns && step < out->steps)
            out->counts[step][log->level]++;
    }
    return reader->store->read_status;
}

enum status reader_log_tail(struct reader *reader, struct log_tail *now)
{
    *now = reader->store->tail;
    return reader->store->read_status;
}

/* Those set by the test. */
enum status reader_query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    struct store *store = reader->store;

    (void)arena;
    if (store->list)
        store->list();
    store->trace_query = *query;
    memory_note_range(store, &query->range);
    *traces = store->traces;
    *total = *count = store->trace_count;
    return store->read_status;
}

enum status reader_spread_traces(struct reader *reader,
                                 const struct trace_query *query,
                                 struct arena *arena, struct spread_traces *out)
{
    struct store *store = reader->store;

    (void)arena;
    store->trace_query = *query;
    *out = (struct spread_traces){.traces = store->traces,
                                  .count = store->trace_count};
    return store->read_status;
}

static inline int memory_by_start(const void *left, const void *right)
{
    const struct span *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, sizeof(a->span_id));
}

enum status reader_query_spans(struct reader *reader,
                               const struct span_query *query,
                               struct arena *arena, struct span **spans,
                               uint32_t *count, uint64_t *total)
{
    struct store *store = reader->store;
    struct memory_cursor cursor = {.store = store, .signal = SIGNAL_SPANS};
    bool in_scope = !query->resources;
    const struct span *span;
    uint32_t room = 0;

    store->whole = query->whole;
    memory_note_range(store, &query->range);
    *spans = NULL;
    *count = 0;
    while ((span = memory_next(&cursor))) {
        if (memcmp(span->trace_id, query->trace_id, 16) != 0)
            continue;
        in_scope |=
            query->resources && bitmap_has(query->resources, span->resource_id);
        if (query->visible && !bitmap_has(query->visible, span->resource_id))
            continue;
        struct span *to = arena_append(arena, spans, *count, &room);

        if (!to)
            return arena_status(arena);
        *to = *span;
        ++*count;
    }
    if (!in_scope)
        *count = 0;
    if (*count > 1)
        qsort(*spans, *count, sizeof(**spans), memory_by_start);
    for (uint32_t i = 0; !query->ascending && i < *count / 2; i++) {
        struct span swap = (*spans)[i];

        (*spans)[i] = (*spans)[*count - 1 - i];
        (*spans)[*count - 1 - i] = swap;
    }
    *total = *count;
    if (*count > query->limit)
        *count = query->limit;
    return store->read_status;
}

enum status reader_visit_spans(struct reader *reader,
                               const struct span_query *query,
                               const struct span_visitor *visitor,
                               uint64_t *total)
{
    struct arena arena;
    struct span *spans;
    uint32_t count;
    enum status s;

    arena_init(&arena, NULL, SIZE_MAX);
    s = reader_query_spans(reader, query, &arena, &spans, &count, total);
    if (s == OK)
        s = visitor->begin(visitor->arg, count);
    for (uint32_t i = 0; s == OK && i < count; i++)
        s = visitor->visit(visitor->arg, i, &spans[i], true);
    arena_release(&arena);
    return s;
}

enum status reader_visit_traces(struct reader *reader,
                                const struct traces_query *query,
                                trace_span_visit *visit, void *arg)
{
    struct memory_cursor cursor = {.store = reader->store,
                                   .signal = SIGNAL_SPANS};
    const struct span *span;
    enum status status = reader->store->read_status;

    while (status == OK && (span = memory_next(&cursor)))
        for (uint32_t i = 0; status == OK && i < query->count; i++)
            if (memcmp(span->trace_id, query->trace_ids[i], 16) == 0 &&
                (!query->visible ||
                 bitmap_has(query->visible, span->resource_id)))
                status = visit(arg, i, span);
    return status;
}

enum status reader_find_span(struct reader *reader, const uint8_t trace_id[16],
                             const uint8_t span_id[8],
                             const struct bitmap *visible, struct arena *arena,
                             struct span *span)
{
    struct memory_cursor cursor = {.store = reader->store,
                                   .signal = SIGNAL_SPANS};
    const struct span *found;

    (void)arena;
    reader->store->whole = true;
    while ((found = memory_next(&cursor)))
        if (memcmp(found->trace_id, trace_id, 16) == 0 &&
            memcmp(found->span_id, span_id, 8) == 0 &&
            (!visible || bitmap_has(visible, found->resource_id))) {
            *span = *found;
            return reader->store->read_status;
        }
    return reader->store->read_status == OK ? ERR_NOT_FOUND
                                            : reader->store->read_status;
}

static inline void memory_visit_point(const struct series_query *query,
                                      const struct point *point,
                                      point_visit *visit, void *arg)
{
    bool named = query->name_count == 0;

    for (uint32_t k = 0; k < query->name_count; k++)
        named |= slice_equal(query->names[k], point->metric->name);
    if (!named || point->time_ns <= query->start_ns ||
        point->time_ns > query->end_ns ||
        !bitmap_has(query->resources, point->resource_id) ||
        (query->wants_metric && !query->wants_metric(arg, point->metric)) ||
        (query->wants_series && !query->wants_series(arg, point)))
        return;
    if (query->series)
        query->series(arg);
    visit(arg, point);
}

enum status reader_query_series(struct reader *reader,
                                const struct series_query *query,
                                point_visit *visit, void *arg)
{
    struct store *store = reader->store;
    struct memory_cursor cursor = {.store = store, .signal = SIGNAL_METRICS};
    const struct point *point;

    store->series_query = *query;
    store->series_resources = query->resources ? query->resources->count : 0;
    while ((point = memory_next(&cursor)))
        memory_visit_point(query, point, visit, arg);
    return store->read_status;
}

/* ---- resource by resource ---- */

struct series_plan {
    const struct series_query *query;
    struct store *store;
};

enum status reader_plan_series(struct reader *reader,
                               const struct series_query *query,
                               struct arena *arena, struct series_plan **plan)
{
    struct store *store = reader->store;

    store->series_query = *query;
    store->series_resources = query->resources ? query->resources->count : 0;
    *plan = arena_zero(arena, 1, sizeof(**plan));
    if (!*plan)
        return arena_status(arena);
    **plan = (struct series_plan){query, store};
    return store->read_status;
}

uint32_t series_plan_next(const struct series_plan *plan, uint64_t from)
{
    struct memory_cursor cursor = {.store = plan->store,
                                   .signal = SIGNAL_METRICS};
    const struct point *point;
    uint32_t next = RESOURCE_NONE;

    while ((point = memory_next(&cursor)))
        if (point->resource_id >= from && point->resource_id < next &&
            bitmap_has(plan->query->resources, point->resource_id))
            next = point->resource_id;
    return next;
}

enum status reader_read_planned(struct reader *reader,
                                const struct series_plan *plan,
                                uint32_t resource, point_visit *visit,
                                void *arg)
{
    struct memory_cursor cursor = {.store = reader->store,
                                   .signal = SIGNAL_METRICS};
    const struct point *point;

    while ((point = memory_next(&cursor)))
        if (point->resource_id == resource)
            memory_visit_point(plan->query, point, visit, arg);
    return reader->store->read_status;
}

enum status reader_sample_spans(struct reader *reader,
                                const struct sample_query *query,
                                span_visit *visit, void *arg)
{
    struct memory_cursor cursor = {.store = reader->store,
                                   .signal = SIGNAL_SPANS};
    const struct span *span;

    while ((span = memory_next(&cursor)))
        if (sample_has(query, sample_hash(span->trace_id), span->start_ns) &&
            sample_wants(query, span->kind, span->resource_id))
            visit(arg, span);
    return reader->store->read_status;
}

enum status reader_sample_logs(struct reader *reader,
                               const struct sample_query *query,
                               log_visit *visit, void *arg)
{
    struct memory_cursor cursor = {.store = reader->store,
                                   .signal = SIGNAL_LOGS};
    const struct log_record *log;

    while ((log = memory_next(&cursor)))
        if (!id_is_zero(log->trace_id, 16) &&
            sample_has(query, sample_hash(log->trace_id), log->time_ns) &&
            bitmap_has(query->resources, log->resource_id))
            visit(arg, log);
    return reader->store->read_status;
}

enum status reader_resource(struct reader *reader, uint32_t id,
                            struct arena *arena, struct resource *resource)
{
    const struct store *store = reader->store;

    (void)arena;
    if (id >= store->resources || store->resource[id].id == RESOURCE_NONE)
        return ERR_NOT_FOUND;
    *resource = store->resource[id];
    return OK;
}

enum status reader_sizes(struct reader *reader, struct store_sizes *sizes)
{
    (void)reader;
    *sizes = (struct store_sizes){.records = {3}};
    return OK;
}

enum status reader_query_dead_letters(struct reader *reader,
                                      const struct dead_letter_query *query,
                                      struct arena *arena,
                                      struct dead_letter_row **letters,
                                      uint32_t *count, uint64_t *total)
{
    (void)reader;
    (void)query;
    (void)arena;
    *letters = NULL;
    *count = 0;
    *total = 0;
    return OK;
}

#endif
