/*
 * Traces that may match, in a table: all of their spans are asked for, some
 * hundred traces a request, and what is known of the whole decides.
 *
 * ClickHouse cannot compare attributes that are arrays or bytes with the texts
 * of a query (ch_attr_filter.h). If a trace has only such spans, these are read
 * and tested.
 */
#include <stdlib.h>

#include "array.h"
#include "block.h"
#include "ch_attr_filter.h"
#include "ch_span_rows.h"
#include "ch_trace_search.h"
#include "store_resources.h"

/* Traces of one request: each is looked up in Bloom filters. */
enum { TRACES_AT_ONCE = 500 };

/* ---- conditions ---- */

static void add_span_filters(struct ch_trace_search *s)
{
    static const struct slice attributes = SLICE_INIT("SpanAttributes");
    const struct trace_query *q = s->query;
    bool exact = true;

    CH_SQL(&s->certain, "1");
    if (q->endpoint.len > 0)
        CH_SQL_WITH(&s->spans, " AND Endpoint = ?", CH_STR(q->endpoint));
    if (q->operation.len > 0)
        CH_SQL_WITH(&s->spans, " AND Operation = ?", CH_STR(q->operation));
    for (uint32_t i = 0; i < q->attr_count; i++) {
        CH_SQL(&s->spans, " AND ");
        ch_attr_filter_add(&s->spans, attributes, &q->attrs[i], &exact);
    }
    s->tests = q->attr_count > 0;
    if (s->tests)
        ch_attr_filter_certain(&s->certain, exact);
}

enum status ch_trace_search_init(struct ch_trace_search *s,
                                 struct ch_reader *reader,
                                 const struct trace_query *query)
{
    bool invisible;

    *s = (struct ch_trace_search){.reader = reader, .query = query};
    arena_init(&s->work, reader->budget, CH_WORK_MAX);
    s->by_id.arena = &s->work;
    ch_sql_init(&s->scope);
    ch_sql_init(&s->visible);
    ch_sql_init(&s->spans);
    ch_sql_init(&s->certain);
    enum status status = ch_selection_add(reader, &s->scope, query->resources,
                                          false, &s->work, &s->none);
    if (status == OK && query->visible) {
        status = ch_selection_add(reader, &s->visible, query->visible, false,
                                  &s->work, &invisible);
        s->none |= invisible;
    }
    add_span_filters(s);
    return status;
}

void ch_trace_search_release(struct ch_trace_search *s)
{
    ch_sql_release(&s->scope);
    ch_sql_release(&s->visible);
    ch_sql_release(&s->spans);
    ch_sql_release(&s->certain);
    arena_release(&s->work);
}

/* ---- the table ---- */

static uint32_t id_hash(const uint8_t id[16])
{
    return map_hash_slice((struct slice){(const char *)id, 16});
}

static struct ch_trace *find(const struct ch_trace_search *s,
                             const uint8_t id[16])
{
    map_each(&s->by_id, id_hash(id), at)
        if (memcmp(s->at[at]->id, id, 16) == 0)
            return s->at[at];
    return NULL;
}

struct ch_trace *ch_trace_add(struct ch_trace_search *s, const uint8_t id[16])
{
    struct ch_trace *trace = find(s, id);
    struct ch_trace **slot;

    if (trace)
        return trace;
    slot = arena_append(&s->work, &s->at, s->count, &s->room);
    trace = arena_zero(&s->work, 1, sizeof(*trace));
    if (!slot || !trace || !map_add(&s->by_id, id_hash(id), s->count))
        return NULL;
    memcpy(trace->id, id, sizeof(trace->id));
    *slot = trace;
    s->count++;
    return trace;
}

/* ---- all spans of a trace ---- */

struct completing {
    struct ch_trace_search *s;
    struct ch_trace row;
};

static void decode_trace(void *arg, struct byte_reader *in)
{
    struct completing *c = arg;

    ch_trace_decode(&c->row, in);
}

static enum status take_trace(void *arg)
{
    struct completing *c = arg;
    struct ch_trace_search *s = c->s;
    struct ch_trace *trace = find(s, c->row.id);
    const struct store_resources *of = s->reader->resources;

    if (!trace)
        return OK;
    *trace = c->row;
    trace->complete = true;
    memcpy(trace->summary.trace_id, trace->id, sizeof(trace->id));
    trace->summary.root_name = arena_copy(&s->work, c->row.summary.root_name);
    trace->summary.root_resource_id = of->find(of->arg, c->row.root_key);
    return arena_status(&s->work);
}

static enum status ask_traces(struct ch_trace_search *s, uint8_t (*ids)[16],
                              uint32_t count)
{
    struct completing c = {.s = s};
    struct ch_rows rows = {
        .decode = decode_trace, .take = take_trace, .arg = &c};
    struct ch_sql sql;

    ch_sql_init(&sql);
    ch_trace_complete_sql(s, &sql, ids, count);
    enum status status = ch_select(s->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* ---- spans that are not certain ---- */

struct testing {
    struct ch_span_row row; /* the first: ch_span_decode() */
    struct ch_trace_search *s;
    struct ch_resource_ids ids;
    struct arena span;
};

static enum status test_span(void *arg)
{
    struct testing *t = arg;
    struct ch_trace *trace = find(t->s, t->row.trace_id);
    struct span span;

    arena_reset(&t->span);
    enum status status = ch_span_take(&t->row, &t->ids, &t->span, &span);
    if (status == OK && trace)
        trace->certain += match_span(&span, t->s->query);
    return status;
}

static enum status ask_uncertain(struct ch_trace_search *s, uint8_t (*ids)[16],
                                 uint32_t count)
{
    struct testing t = {.row = {.whole = true},
                        .s = s,
                        .ids = {.resources = s->reader->resources}};
    struct ch_rows rows = {
        .decode = ch_span_decode, .take = test_span, .arg = &t};
    struct ch_sql sql;

    ch_sql_init(&sql);
    arena_init(&t.span, s->reader->budget, CH_WORK_MAX);
    ch_trace_uncertain_sql(s, &sql, ids, count);
    enum status status = ch_select(s->reader, &sql, &rows);
    arena_release(&t.span);
    ch_sql_release(&sql);
    return status;
}

/* ---- some hundred at once ---- */

static bool is_uncertain(const struct ch_trace *trace)
{
    return trace->complete && trace->certain == 0 && trace->possible > 0;
}

/* Traces from this place on; returns where the next ones begin. */
static uint32_t collect(const struct ch_trace_search *s, uint32_t from,
                        bool uncertain, uint8_t (*ids)[16], uint32_t *count)
{
    uint32_t at = from;

    *count = 0;
    for (; at < s->count && *count < TRACES_AT_ONCE; at++)
        if (uncertain ? is_uncertain(s->at[at]) : !s->at[at]->complete)
            memcpy(ids[(*count)++], s->at[at]->id, 16);
    return at;
}

/* After the requests: they are known, whatever has become of them. */
static void end_all(struct ch_trace_search *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (!s->at[i]->complete) /* deleted meanwhile */
            s->at[i]->summary.span_count = 0;
        s->at[i]->complete = true;
        s->at[i]->possible = s->at[i]->certain;
    }
}

enum status ch_trace_complete(struct ch_trace_search *s)
{
    uint8_t ids[TRACES_AT_ONCE][16];
    enum status status = OK;
    uint32_t count;

    for (int uncertain = 0; uncertain <= s->tests && status == OK; uncertain++)
        for (uint32_t at = 0; at < s->count && status == OK;) {
            at = collect(s, at, uncertain, ids, &count);
            if (count > 0)
                status = uncertain ? ask_uncertain(s, ids, count)
                                   : ask_traces(s, ids, count);
        }
    if (status == OK)
        end_all(s);
    return status;
}

/* ---- the page ---- */

bool ch_trace_matches(const struct ch_trace_search *s,
                      const struct ch_trace *trace)
{
    const struct trace_query *q = s->query;
    const struct trace_summary *t = &trace->summary;
    uint64_t duration = t->end_ns - t->start_ns;

    return trace->complete && trace->certain > 0 && t->span_count > 0 &&
           (!q->errors_only || t->has_errors) &&
           (q->min_duration_ns == 0 || duration >= q->min_duration_ns) &&
           (q->max_duration_ns == 0 || duration <= q->max_duration_ns) &&
           list_has(&q->range, t->start_ns, t->trace_id);
}

static int ascending(const void *left, const void *right)
{
    const struct ch_trace *const *a = left, *const *b = right;
    uint64_t x = (*a)->summary.start_ns, y = (*b)->summary.start_ns;

    if (x != y)
        return x < y ? -1 : 1;
    return memcmp((*a)->id, (*b)->id, 16);
}

static int descending(const void *left, const void *right)
{
    return ascending(right, left);
}

/* Those that match, in order; NULL: no memory. */
static const struct ch_trace **sorted(struct ch_trace_search *s,
                                      struct arena *arena, uint64_t *count)
{
    const struct ch_trace **list =
        arena_alloc(arena, ((size_t)s->count + 1) * sizeof(const void *));

    *count = 0;
    for (uint32_t i = 0; list && i < s->count; i++)
        if (ch_trace_matches(s, s->at[i]))
            list[(*count)++] = s->at[i];
    if (list && *count > 1)
        qsort(list, *count, sizeof(const void *),
              s->query->ascending ? ascending : descending);
    return list;
}

uint64_t ch_trace_count(struct ch_trace_search *s, bool *full,
                        uint64_t *last_ns)
{
    struct arena work;
    uint64_t count;

    arena_begin(&work, &s->work);
    const struct ch_trace **list = sorted(s, &work, &count);
    *full = list && count >= s->query->limit;
    *last_ns = *full && s->query->limit > 0
                   ? list[s->query->limit - 1]->summary.start_ns
                   : 0;
    arena_release(&work);
    return count;
}

enum status ch_trace_page(struct ch_trace_search *s, struct arena *arena,
                          struct trace_summary **traces, uint32_t *count)
{
    uint64_t all;
    const struct ch_trace **list = sorted(s, &s->work, &all);
    uint32_t n = all < s->query->limit ? (uint32_t)all : s->query->limit;

    if (!list)
        return arena_status(&s->work);
    *count = n;
    if (n == 0)
        return OK;
    *traces = arena_alloc(arena, n * sizeof(**traces));
    for (uint32_t i = 0; *traces && i < n; i++) {
        (*traces)[i] = list[i]->summary;
        (*traces)[i].root_name = arena_copy(arena, list[i]->summary.root_name);
    }
    return arena_status(arena);
}
