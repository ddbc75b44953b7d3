/*
 * Lists of traces, page by page, against a plain list: traces whose spans lie
 * in several blocks and in memory, that share their starts, that are long or
 * short, and more of them than a search keeps in mind.
 */
#include "block.h"
#include "clock.h"
#include "store_help.h"

enum { SPANS = 9000, TRACES = 6000 };

#define BASE UINT64_C(1700000000000000000)

struct world {
    char dir[64];
    struct store *store;
    struct reader *reader;
    struct span spans[SPANS];
    uint32_t count, traces;
    uint64_t starts[TRACES];
};

static void world_open(struct world *w)
{
    struct store_options options = options_in(w->dir);

    options.block_spans = 500;
    CHECK_EQ(store_open(&w->store, &options), OK);
    CHECK_EQ(reader_open(&w->reader, w->store), OK);
}

static void world_close(struct world *w)
{
    reader_close(w->reader);
    store_close(w->store);
}

static void put_id(uint8_t *id, uint32_t number)
{
    number *= 2654435761u; /* not by arrival */
    for (int i = 0; i < 4; i++)
        id[i] = (uint8_t)(number >> 8 * i);
    id[15] = 1;
}

/* Of a new trace, or of one of the last fifty. The steps of time are as coarse
 * as a browser's clock, so many traces share their start. */
static struct span random_span(struct world *w)
{
    bool fresh = w->traces < 10 || (w->traces < TRACES && test_random(3) > 0);
    uint32_t trace = fresh ? w->traces++ : w->traces - 1 - test_random(9);
    struct span span = {.resource_id = test_random(5),
                        .status = test_random(12) ? SPAN_UNSET : SPAN_ERROR,
                        .name = SLICE("n"),
                        .operation = test_random(3) ? SLICE("a") : SLICE("b")};

    if (fresh)
        w->starts[trace] = BASE + (uint64_t)w->count * NS_PER_MS / 40 +
                           test_random(20) * NS_PER_MS;
    put_id(span.trace_id, trace);
    span.span_id[0] = 1;
    span.span_id[1] = (uint8_t)w->count;
    span.span_id[2] = (uint8_t)(w->count >> 8);
    span.parent_span_id[0] = !fresh;
    span.start_ns =
        w->starts[trace] / NS_PER_MS * NS_PER_MS + test_random(5) * NS_PER_MS;
    span.end_ns =
        span.start_ns + test_random(test_random(50) ? 20 : 4000) * NS_PER_MS;
    return span;
}

static void add_spans(struct world *w)
{
    struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
    uint32_t count = 1 + test_random(60);

    batch->lsn = w->count + 1;
    batch->spans = arena_zero(&batch->arena, count, sizeof(*batch->spans));
    while (batch->count < count && w->count < SPANS) {
        w->spans[w->count] = random_span(w);
        batch->spans[batch->count++] = w->spans[w->count++];
    }
    store_append(w->store, batch);
    if (test_random(20) == 0)
        store_flush(w->store);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));

    CHECK(w != NULL);
    temp_make(w->dir);
    world_open(w);
    while (w->count < SPANS)
        add_spans(w);
    return w;
}

static void world_remove(struct world *w)
{
    world_close(w);
    temp_remove(w->dir);
    free(w);
}

/* ---- the plain list ---- */

struct model {
    uint8_t id[16];
    uint64_t start, end;
    uint32_t count;
    bool matches, failed;
};

static int by_id(const void *left, const void *right)
{
    const struct span *a = *(const struct span *const *)left;
    const struct span *b = *(const struct span *const *)right;

    return memcmp(a->trace_id, b->trace_id, 16);
}

static int by_start(const void *left, const void *right)
{
    const struct model *a = left, *b = right;

    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return memcmp(a->id, b->id, 16);
}

static void add_to_model(struct model *m, const struct span *span,
                         const struct trace_query *q)
{
    bool scope = !q->resources || bitmap_has(q->resources, span->resource_id);

    if (q->visible && !bitmap_has(q->visible, span->resource_id))
        return;
    m->count++;
    m->start = span->start_ns < m->start ? span->start_ns : m->start;
    m->end = span->end_ns > m->end ? span->end_ns : m->end;
    m->failed |= scope && span->status == SPAN_ERROR;
    m->matches |=
        scope && span->start_ns < q->end_ns && span->end_ns >= q->start_ns &&
        (q->operation.len == 0 || slice_equal(q->operation, span->operation));
}

static bool is_listed(const struct model *m, const struct trace_query *q)
{
    return m->matches && (!q->errors_only || m->failed) &&
           (!q->min_duration_ns || m->end - m->start >= q->min_duration_ns) &&
           (!q->max_duration_ns || m->end - m->start <= q->max_duration_ns);
}

static uint32_t list_of(const struct world *w, const struct trace_query *q,
                        struct model *list)
{
    static const struct span *spans[SPANS];
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->count; i++)
        spans[i] = &w->spans[i];
    qsort(spans, w->count, sizeof(*spans), by_id);
    for (uint32_t i = 0; i < w->count;) {
        struct model m = {.start = UINT64_MAX};
        uint32_t end = i;

        memcpy(m.id, spans[i]->trace_id, 16);
        while (end < w->count && memcmp(spans[end]->trace_id, m.id, 16) == 0)
            add_to_model(&m, spans[end++], q);
        if (is_listed(&m, q))
            list[count++] = m;
        i = end;
    }
    qsort(list, count, sizeof(*list), by_start);
    return count;
}

/* ---- pages ---- */

static bool is_same(const struct trace_summary *got, const struct model *want)
{
    return CHECK(memcmp(got->trace_id, want->id, 16) == 0) &&
           CHECK(got->start_ns == want->start) &&
           CHECK(got->end_ns == want->end) &&
           CHECK_EQ(got->span_count, want->count) &&
           CHECK_EQ(got->has_errors, want->failed);
}

static void read_all(struct world *w, struct trace_query *q, uint32_t pages)
{
    static struct model list[TRACES];
    uint32_t want = list_of(w, q, list), seen = 0, count = 1;
    struct list_position last;

    CHECK_EQ(reader_begin(w->reader), OK);
    while (count > 0 && pages-- > 0) {
        struct trace_summary *got;
        struct arena arena;
        uint64_t total = 0, left = want - seen;

        arena_init(&arena, NULL, SIZE_MAX);
        count = 0;
        CHECK_EQ(
            reader_query_traces(w->reader, q, &arena, &got, &count, &total),
            OK);
        CHECK_EQ(count, left < q->limit ? left : q->limit);
        CHECK(total >= count);
        if (!q->counting || !q->counting->stopped)
            CHECK_EQ(total, left);
        for (uint32_t i = 0; i < count && seen < want; i++, seen++)
            if (!is_same(&got[i],
                         &list[q->ascending ? seen : want - 1 - seen])) {
                pages = 0;
                break;
            }
        if (count > 0) {
            last = (struct list_position){.time_ns = got[count - 1].start_ns,
                                          .key_len = POSITION_KEY};
            memcpy(last.key, got[count - 1].trace_id, POSITION_KEY);
        }
        if (q->ascending)
            q->range.after = &last;
        else
            q->range.before = &last;
        if (q->counting)
            q->counting->stopped = false;
        arena_release(&arena);
    }
    reader_end(w->reader);
}

static void random_query(struct world *w, struct trace_query *q,
                         struct arena *arena)
{
    struct bitmap *set = bitmap_new(arena, 5);

    *q = (struct trace_query){.end_ns = UINT64_MAX};
    if (test_random(2)) {
        q->start_ns = w->starts[test_random(w->traces)];
        q->end_ns = q->start_ns + test_random(100) * NS_PER_MS;
    }
    bitmap_add(set, test_random(5));
    if (test_random(3))
        q->resources = set;
    if (q->resources && test_random(2)) {
        struct bitmap *visible = bitmap_new(arena, 5);

        for (uint32_t i = 0; i < 5; i++)
            if (bitmap_has(set, i) || test_random(2))
                bitmap_add(visible, i);
        q->visible = visible;
    }
    if (test_random(4) == 0)
        q->operation = SLICE("b");
    q->errors_only = test_random(4) == 0;
    if (test_random(5) == 0)
        q->min_duration_ns = (1 + test_random(40)) * NS_PER_MS;
    if (test_random(5) == 0)
        q->max_duration_ns = (1 + test_random(40)) * NS_PER_MS;
    q->ascending = test_random(3) == 0;
    q->limit = 1 + test_random(test_random(3) ? 30 : 800);
}

TEST(trace_pages_hold_every_trace_once)
{
    struct world *w = world_new();

    for (int round = 0; round < 60; round++) {
        struct count_limit counting = {.most = 1 + test_random(1000)};
        struct arena arena;
        struct trace_query q;

        if (round == 40) { /* all in blocks */
            world_close(w);
            world_open(w);
        }
        arena_init(&arena, NULL, SIZE_MAX);
        random_query(w, &q, &arena);
        if (test_random(2))
            q.counting = &counting;
        read_all(w, &q, 12);
        arena_release(&arena);
    }
    world_remove(w);
}

/* What is asked for may be all there is. */
TEST(a_list_of_all_traces_is_read_to_its_end)
{
    struct world *w = world_new();

    for (int asc = 0; asc < 2; asc++) {
        struct count_limit counting = {.most = 100};
        struct trace_query q = {.end_ns = UINT64_MAX,
                                .limit = 900,
                                .ascending = asc,
                                .min_duration_ns = asc ? 0 : 1,
                                .counting = &counting};

        read_all(w, &q, UINT32_MAX);
    }
    world_remove(w);
}

/* ---- spans of many traces ---- */

enum { ASKED = 40 };

struct visited {
    uint8_t ids[ASKED][16];
    uint64_t spans[ASKED];  /* how many */
    uint64_t starts[ASKED]; /* their sum */
    uint32_t left;          /* visits until it fails */
};

static enum status note_visit(void *arg, uint32_t trace,
                              const struct span *span)
{
    struct visited *v = arg;

    if (v->left-- == 0)
        return ERR_INVALID;
    CHECK(memcmp(span->trace_id, v->ids[trace], 16) == 0);
    v->spans[trace]++;
    v->starts[trace] += span->start_ns;
    return OK;
}

static void check_visits(struct world *w, const struct bitmap *visible)
{
    struct visited got = {.left = UINT32_MAX}, want = {.left = UINT32_MAX};
    struct traces_query q = {.trace_ids = got.ids, .visible = visible};

    /* Among them one that is not stored. */
    for (; q.count < ASKED; q.count++)
        put_id(got.ids[q.count], q.count ? q.count * 97 : TRACES + 1);
    memcpy(want.ids, got.ids, sizeof(got.ids));
    for (uint32_t i = 0; i < w->count; i++)
        for (uint32_t k = 0; k < ASKED; k++)
            if (memcmp(w->spans[i].trace_id, want.ids[k], 16) == 0 &&
                (!visible || bitmap_has(visible, w->spans[i].resource_id)))
                CHECK_EQ(note_visit(&want, k, &w->spans[i]), OK);
    CHECK_EQ(reader_begin(w->reader), OK);
    CHECK_EQ(reader_visit_traces(w->reader, &q, note_visit, &got), OK);
    for (uint32_t k = 0; k < ASKED; k++) {
        CHECK_EQ(got.spans[k], want.spans[k]);
        CHECK_EQ(got.starts[k], want.starts[k]);
    }
    CHECK_EQ(got.spans[0], 0);
    got.left = 3;
    CHECK_EQ(reader_visit_traces(w->reader, &q, note_visit, &got), ERR_INVALID);
    reader_end(w->reader);
}

TEST(spans_of_many_traces_are_visited_in_memory_and_in_blocks)
{
    struct world *w = world_new();
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *visible = bitmap_new(&arena, 5);
    bitmap_add(visible, 1);
    bitmap_add(visible, 3);
    for (int closed = 0; closed < 2; closed++) {
        check_visits(w, NULL);
        check_visits(w, visible);
        world_close(w); /* all in blocks */
        world_open(w);
    }
    arena_release(&arena);
    world_remove(w);
}
