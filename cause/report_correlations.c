/*
 * What the failing requests of the first suspect have in common: for each value
 * of each attribute, of the spans and of the resources that sent them (version,
 * pod, node), how many of the failing and of the other requests have it.
 * Without failures the slowest tenth is compared with the rest.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "quantile.h"
#include "report.h"

enum {
    MAX_REQUESTS = 2000, /* enough for shares of 2 %, and 2 ms to read */
    SLICES = 8,
    MAX_VALUE = 128, /* longer values are data */
    MAX_VALUES = 4096,
};

/* Of a request or a resource: numbers in `values`, in a row. */
struct value_range {
    uint32_t first, count;
};

struct compared_request {
    double took_ns;
    struct value_range values;
    uint32_t resource, sender; /* sender: number of the resource's values */
    bool failed;               /* or slow, if those are compared */
};

struct correlation_input {
    struct rca_context *rca;
    struct interned_terms terms; /* text: key; line: value */
    uint32_t *values;
    uint32_t value_count, value_room;
    struct compared_request *requests;
    struct value_range *senders; /* of distinct resources */
    uint32_t count, room;
    struct bitmap *resources;
};

/* False: it is no short value. */
static bool value_text(const struct attr *a, char text[MAX_VALUE],
                       struct slice *value)
{
    int len = 0;

    switch (a->type) {
    case VALUE_STRING:
        *value = attr_text(a);
        return a->len > 0 && a->len < MAX_VALUE;
    case VALUE_INT:
        len = snprintf(text, MAX_VALUE, "%lld", (long long)a->i);
        break;
    case VALUE_BOOL:
        len = snprintf(text, MAX_VALUE, "%s", a->b ? "true" : "false");
        break;
    default:
        return false;
    }
    *value = (struct slice){text, (size_t)len};
    return true;
}

static struct value_range take_attrs(struct correlation_input *in,
                                     const struct attrs *attrs)
{
    struct value_range range = {in->value_count, 0};

    for (uint32_t i = 0; i < attrs->count; i++) {
        struct slice key = attr_key(&attrs->at[i]), value;
        char text[MAX_VALUE];
        uint32_t *to, n;

        if (!value_text(&attrs->at[i], text, &value))
            continue;
        uint64_t hash = hash_mix(hash_bytes(key.ptr, key.len, 3),
                                 hash_bytes(value.ptr, value.len, 4));
        n = in->terms.count < MAX_VALUES
                ? terms_add(&in->terms, hash, key, value, false)
                : terms_find(&in->terms, hash);
        to = arena_append(in->rca->arena, &in->values, in->value_count,
                          &in->value_room);
        if (n == NO_INDEX || !to)
            continue;
        *to = n;
        in->value_count++;
    }
    range.count = in->value_count - range.first;
    return range;
}

static void take_span(void *arg, const struct span *span)
{
    struct correlation_input *in = arg;
    struct compared_request *request;

    if (in->count == MAX_REQUESTS)
        return;
    request = arena_append(in->rca->arena, &in->requests, in->count, &in->room);
    if (!request)
        return;
    *request = (struct compared_request){
        .took_ns = (double)(span->end_ns - span->start_ns),
        .values = take_attrs(in, &span->attrs),
        .resource = span->resource_id,
        .failed = span_failed(span)};
    in->count++;
}

/* The values of each resource once, after those of all requests. */
static enum status take_resources(struct correlation_input *in)
{
    struct arena *arena = in->rca->arena;
    struct interned_terms known;

    in->senders = arena_zero(arena, in->count + 1, sizeof(*in->senders));
    if (!in->senders || !terms_init(&known, arena))
        return arena_status(arena);
    for (uint32_t i = 0; i < in->count; i++) {
        uint32_t before = known.count, id = in->requests[i].resource;
        uint32_t n = terms_add_key(&known, hash_mix(id, 5));
        struct resource resource;

        if (n == NO_INDEX)
            return arena_status(arena);
        in->requests[i].sender = n;
        if (n == before &&
            reader_resource(in->rca->query->reader, id, arena, &resource) == OK)
            in->senders[n] = take_attrs(in, &resource.attrs);
    }
    return arena_status(arena);
}

/* Without failures the slowest tenth is marked; how many are. */
static uint32_t mark_failed(struct correlation_input *in, bool *slowest)
{
    uint32_t failed = 0, tenth = in->count / 10;
    double *took = arena_alloc(in->rca->arena, (in->count + 1) * sizeof(*took));

    for (uint32_t i = 0; took && i < in->count; i++) {
        failed += in->requests[i].failed;
        took[i] = in->requests[i].took_ns;
    }
    *slowest = failed == 0;
    if (failed > 0 || !took || tenth == 0)
        return failed;
    values_sort(took, in->count);
    for (uint32_t i = 0; i < in->count; i++) {
        in->requests[i].failed =
            in->requests[i].took_ns > took[in->count - tenth - 1];
        failed += in->requests[i].failed;
    }
    return failed;
}

static int by_score(const void *left, const void *right)
{
    const struct cause_correlation *a = left, *b = right;

    if (a->score < b->score || a->score > b->score)
        return a->score > b->score ? -1 : 1;
    int order = slice_compare(a->key, b->key);
    return order ? order : slice_compare(a->value, b->value);
}

/* How many requests have a value. */
struct value_count {
    uint32_t all, failing;
};

static void count_values(const struct correlation_input *in,
                         struct value_range range, bool failed,
                         struct value_count *counts)
{
    for (uint32_t i = 0; i < range.count; i++) {
        struct value_count *c = &counts[in->values[range.first + i]];

        c->all++;
        c->failing += failed;
    }
}

static void compare(struct correlation_input *in, uint32_t failing,
                    struct cause_report *report)
{
    struct arena *arena = in->rca->arena;
    uint32_t n = in->terms.count, others = in->count - failing, found = 0;
    struct value_count *counts = arena_zero(arena, n + 1, sizeof(*counts));
    struct cause_correlation *list = arena_zero(arena, n + 1, sizeof(*list));

    if (!counts || !list)
        return;
    for (uint32_t i = 0; i < in->count; i++) {
        const struct compared_request *r = &in->requests[i];

        count_values(in, r->values, r->failed, counts);
        count_values(in, in->senders[r->sender], r->failed, counts);
    }
    for (uint32_t v = 0; v < n; v++) {
        uint32_t bad = counts[v].failing, good = counts[v].all - bad;
        double score = proportion_score(good, others, bad, failing);

        if (!is_larger_share(good, others, bad, failing) ||
            score < CONFIDENT_SCORE)
            continue;
        list[found++] =
            (struct cause_correlation){.key = in->terms.at[v].text,
                                       .value = in->terms.at[v].line,
                                       .score = score,
                                       .failing = bad,
                                       .failing_of = failing,
                                       .others = good,
                                       .others_of = others};
    }
    qsort(list, found, sizeof(*list), by_score);
    report->correlations = list;
    report->correlation_count =
        found < CAUSE_MAX_CORRELATIONS ? found : CAUSE_MAX_CORRELATIONS;
}

/* Requests of the whole window, or of slices that are evenly spread where there
 * are more than enough: blocks between them are not read. */
static enum status read_requests(struct correlation_input *in, uint32_t c)
{
    const struct cause_window *window = &in->rca->times.period[WINDOW];
    double share =
        fmin(1, MAX_REQUESTS / fmax(1, red_served(&in->rca->red, c)));
    uint32_t slices = share < 1 ? SLICES : 1;
    uint64_t distance = (window->end_ns - window->start_ns) / slices;
    struct sample_range ranges[SLICES];
    struct sample_query query = {.ranges = ranges,
                                 .range_count = slices,
                                 .resources = in->resources,
                                 .kinds =
                                     1u << SPAN_SERVER | 1u << SPAN_CONSUMER,
                                 .attrs = true};

    for (uint32_t i = 0; i < slices; i++) {
        uint64_t start_ns = window->start_ns + i * distance;

        ranges[i] = (struct sample_range){
            .start_ns = start_ns,
            .end_ns = start_ns + (uint64_t)((double)distance * share),
            .keep = SAMPLE_ALL};
    }
    return reader_sample_spans(in->rca->query->reader, &query, take_span, in);
}

enum status report_correlations(struct rca_context *rca,
                                struct cause_report *report)
{
    uint32_t c = report->suspects[0].component;
    struct correlation_input in = {.rca = rca};
    uint32_t failing;

    if (candidate_is_peer(&rca->candidates, c))
        return OK;
    in.resources = candidate_resources(&rca->candidates, c);
    if (!in.resources || !terms_init(&in.terms, rca->arena))
        return arena_status(rca->arena);
    enum status s = read_requests(&in, c);
    if (s == OK)
        s = take_resources(&in);
    if (s != OK)
        return s;
    failing = mark_failed(&in, &report->slowest_compared);
    if (failing > 0 && failing < in.count)
        compare(&in, failing, report);
    return arena_status(rca->arena);
}
