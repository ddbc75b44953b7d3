/*
 * Candidates come from two sources. Where the store can filter what is wanted,
 * it lists traces, newest first; as long as most of them match this is the
 * quicker way, and a value that is rare is found without a look at the rest.
 * Else, and when many of those that the store listed do not match, spans are
 * tested as they lie in the store, in slices of time from the newest to the
 * oldest, each longer than the one before.
 *
 * A candidate is read whole, and the query is run over it.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "tempo_search.h"

enum {
    FIRST_PAGE = 64, /* traces that the store lists at a time */
    PAGE = 2000,
    MOST_MISSES = 512, /* of those it lists, before spans are tested */
    MOST_FOUND = 4096  /* candidates of one slice */
};

#define FIRST_SLICE NS_PER_MIN
/* A span may begin so long before the time that is searched. */
#define SPAN_BEFORE (5 * NS_PER_MIN)

struct candidate {
    uint64_t start_ns; /* of its newest span that may match */
    uint8_t trace_id[16];
};

struct span_scan {
    struct tempo_search *search;
    struct candidate *found;
    uint32_t count, visits;
    struct map seen; /* traces that were looked at or found */
    struct candidate *known;
    uint32_t known_count, known_room;
    bool late, dropped;
};

static bool is_late(const struct tempo_search *search)
{
    return clock_monotonic_ns() > search->deadline_ns;
}

static bool is_full(const struct tempo_search *search)
{
    return search->count >= search->limit;
}

/* ---- traces that were met ---- */

static uint32_t trace_hash(const uint8_t id[16])
{
    return map_hash(hash_bytes(id, 16, 0));
}

static bool is_known(const struct span_scan *scan, const uint8_t id[16])
{
    map_each(&scan->seen, trace_hash(id), at)
        if (memcmp(scan->known[at].trace_id, id, 16) == 0)
            return true;
    return false;
}

static void know(struct span_scan *scan, const struct candidate *candidate)
{
    struct arena *arena = scan->search->request->arena;
    struct candidate *known =
        arena_append(arena, &scan->known, scan->known_count, &scan->known_room);

    if (known && map_add(&scan->seen, trace_hash(candidate->trace_id),
                         scan->known_count)) {
        *known = *candidate;
        scan->known_count++;
    }
}

/* ---- by the store's list ---- */

/* Whether it may match, by what the list knows of it. */
static bool may_match(const struct tempo_search *search,
                      const struct trace_summary *summary)
{
    const struct resource_info *info =
        reply_resource(search->request, summary->root_resource_id);
    const struct span root = {.name = summary->root_name};
    const struct resource *resource = info ? &info->resource : NULL;
    const struct identity *identity = info ? &info->identity : NULL;
    const struct traceql_trace trace = {.spans = &root,
                                        .resources = &resource,
                                        .identities = &identity,
                                        .count = 1,
                                        .summary = true,
                                        .start_ns = summary->start_ns,
                                        .end_ns = summary->end_ns};
    const struct traceql_subject subject = {.trace = &trace};

    return tempo_candidate(search->query.first, &subject) != TRACEQL_NO;
}

/* Looks at the traces of a page; *more: there may be others. */
static enum status list_page(struct span_scan *scan,
                             struct list_position *before, uint32_t *misses,
                             bool *more)
{
    struct tempo_search *search = scan->search;
    struct query_request *request = search->request;
    struct count_limit counting = {.most = 1};
    /* The first page is small: it is often enough. */
    uint32_t page = before->time_ns > 0 ? PAGE : FIRST_PAGE;
    struct trace_summary *traces;
    struct arena arena;
    uint32_t count = 0, i = 0;
    uint64_t total;
    enum status s;

    search->wanted.counting = &counting;
    search->wanted.limit = page;
    arena_begin(&arena, request->arena);
    s = reader_query_traces(request->reader, &search->wanted, &arena, &traces,
                            &count, &total);
    for (; s == OK && i < count && !is_full(search) && !is_late(search); i++) {
        uint32_t matches = search->count;
        struct candidate candidate = {.start_ns = traces[i].start_ns};

        memcpy(candidate.trace_id, traces[i].trace_id, 16);
        know(scan, &candidate);
        if (may_match(search, &traces[i])) {
            s = tempo_look_at(search, traces[i].trace_id);
            *misses += search->count == matches;
        }
        before->time_ns = traces[i].start_ns;
        memcpy(before->key, traces[i].trace_id, 16);
        before->key_len = 16;
    }
    *more = s == OK && (count == page || i < count);
    arena_release(&arena);
    return s;
}

/* *end_ns: spans that begin after it need not be tested; 0: all were found. */
static enum status list_traces(struct span_scan *scan, uint64_t *end_ns)
{
    struct tempo_search *search = scan->search;
    struct list_position before = {0};
    uint32_t misses = 0;
    bool more = true;
    enum status s = OK;

    while (s == OK && more && !is_full(search) && misses < MOST_MISSES &&
           !is_late(search)) {
        s = list_page(scan, &before, &misses, &more);
        search->wanted.range.before = &before;
    }
    search->wanted.range.before = NULL;
    search->partial |= more && !is_full(search) && is_late(search);
    *end_ns = more ? before.time_ns + SPAN_BEFORE : 0;
    if (*end_ns > search->end_ns)
        *end_ns = search->end_ns;
    return s;
}

/* ---- by spans ---- */

static int newest_first(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? 1 : -1;
    return memcmp(a->trace_id, b->trace_id, 16);
}

static int by_trace(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = memcmp(a->trace_id, b->trace_id, 16);

    return order != 0 ? order : newest_first(left, right);
}

/* Each trace once, by its newest span; newest first. */
static void tidy(struct span_scan *scan)
{
    uint32_t count = 0;

    if (scan->count == 0)
        return;
    qsort(scan->found, scan->count, sizeof(*scan->found), by_trace);
    for (uint32_t i = 0; i < scan->count; i++)
        if (count == 0 || memcmp(scan->found[count - 1].trace_id,
                                 scan->found[i].trace_id, 16) != 0)
            scan->found[count++] = scan->found[i];
    qsort(scan->found, count, sizeof(*scan->found), newest_first);
    scan->count = count;
}

/* Makes room for one. When all are of different traces the oldest are dropped;
 * they are found again when the others were looked at. */
static void make_room(struct span_scan *scan)
{
    if (scan->count < MOST_FOUND)
        return;
    tidy(scan);
    if (scan->count <= MOST_FOUND / 2)
        return;
    scan->count = MOST_FOUND / 2;
    scan->dropped = true;
}

static void visit_span(void *arg, const struct span *span)
{
    struct span_scan *scan = arg;
    struct tempo_search *search = scan->search;
    struct traceql_subject subject = {.span = span,
                                      .attrs = search->needs_attrs};
    const struct resource_info *info;

    if (scan->visits++ % 1024 == 0)
        scan->late = is_late(search);
    if (scan->late || span->end_ns < search->start_ns)
        return;
    info = reply_resource(search->request, span->resource_id);
    if (!info)
        return;
    subject.resource = &info->resource;
    subject.identity = &info->identity;
    if (tempo_candidate(search->query.first, &subject) == TRACEQL_NO ||
        is_known(scan, span->trace_id))
        return;
    make_room(scan);
    scan->found[scan->count].start_ns = span->start_ns;
    memcpy(scan->found[scan->count++].trace_id, span->trace_id, 16);
}

static enum status look_at_found(struct span_scan *scan)
{
    struct tempo_search *search = scan->search;
    enum status s = OK;

    for (uint32_t i = 0; s == OK && i < scan->count && !is_full(search); i++) {
        if (is_late(search)) {
            scan->late = true;
            break;
        }
        know(scan, &scan->found[i]);
        s = tempo_look_at(search, scan->found[i].trace_id);
    }
    return s;
}

/* Spans that begin in the slice. *next_ns: before it others may have been
 * dropped; else its start. */
static enum status scan_slice(struct span_scan *scan, uint64_t start_ns,
                              uint64_t end_ns, uint64_t *next_ns)
{
    struct tempo_search *search = scan->search;
    const struct sample_range range = {start_ns, end_ns, SAMPLE_ALL};
    const struct sample_query query = {.ranges = &range,
                                       .range_count = 1,
                                       .resources = search->resources,
                                       .attrs = search->needs_attrs,
                                       .kinds = search->kinds};
    enum status s;

    scan->count = 0;
    scan->dropped = false;
    s = reader_sample_spans(search->request->reader, &query, visit_span, scan);
    if (s != OK)
        return s;
    tidy(scan);
    *next_ns = start_ns;
    if (scan->dropped) {
        /* Those kept of the first round are the newest; newer ones may have
         * come after it. */
        scan->count =
            scan->count < MOST_FOUND / 2 ? scan->count : MOST_FOUND / 2;
        *next_ns = scan->found[scan->count - 1].start_ns + 1;
        if (*next_ns > end_ns) /* so many of one time: others come next */
            *next_ns = end_ns;
    }
    return look_at_found(scan);
}

static enum status scan_spans(struct span_scan *scan, uint64_t end_ns)
{
    struct tempo_search *search = scan->search;
    uint64_t first =
        search->start_ns > SPAN_BEFORE ? search->start_ns - SPAN_BEFORE : 0;
    uint64_t length = FIRST_SLICE;
    enum status s = OK;

    scan->found =
        arena_alloc(search->request->arena, MOST_FOUND * sizeof(*scan->found));
    if (!scan->found)
        return arena_status(search->request->arena);
    while (s == OK && end_ns > first && !is_full(search)) {
        uint64_t start = end_ns - first > length ? end_ns - length : first;

        if (scan->late || is_late(search)) {
            search->partial = true;
            break;
        }
        s = scan_slice(scan, start, end_ns, &end_ns);
        length *= 2;
    }
    search->partial |= scan->late;
    return s;
}

/* ---- */

static int newest_result(const void *left, const void *right)
{
    const struct tempo_result *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? 1 : -1;
    return memcmp(b->trace_id, a->trace_id, 16);
}

enum status tempo_find(struct tempo_search *search)
{
    struct span_scan scan = {.search = search,
                             .seen.arena = search->request->arena};
    uint64_t end_ns = search->end_ns;
    enum status s = OK;

    search->deadline_ns =
        search->request->started_ns + TEMPO_SECONDS * NS_PER_S;
    if (search->resources->count == 0 || search->limit == 0)
        return OK;
    if (search->one_trace)
        return tempo_look_at(search, search->trace_id);
    if (search->selective)
        s = list_traces(&scan, &end_ns);
    if (s == OK && !is_full(search))
        s = scan_spans(&scan, end_ns);
    if (search->count > 1)
        qsort(search->results, search->count, sizeof(*search->results),
              newest_result);
    return s;
}
