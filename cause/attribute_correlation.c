/*
 * What is special about the requests that fail: for each value of each
 * attribute, of the spans and of what sent them (version, pod, node), how many
 * of the failing and of the other requests have it. Without failures the
 * slowest tenth is compared with the rest.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "hash.h"
#include "rca_context.h"

enum {
    MAX_REQUESTS = 4000, /* enough for shares of 1 %, and 4 ms to read */
    MAX_VALUE = 128,     /* longer values are data */
    MAX_VALUES = 4096,
};
/* Odds of twenty to one, as for a change. */
static const double ENOUGH = 3;

struct values {
    uint32_t first, count;
};

struct compared_request {
    uint64_t took_ns;
    struct values values;
    uint32_t resource, sender;
    bool failed;
};

struct correlation_input {
    struct rca_context *facts;
    struct interned_terms values; /* text: key; line: value */
    uint32_t *of;                 /* values of requests, back to back */
    uint32_t of_count, of_room;
    struct compared_request *requests;
    struct values *senders; /* of distinct resources */
    uint32_t count, room;
    struct bitmap *resources;
};

static bool is_text(const struct attr *a, char text[MAX_VALUE],
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

static void take_attrs(struct correlation_input *s, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++) {
        struct slice key = attr_key(&attrs->at[i]), value;
        char text[MAX_VALUE];
        uint32_t *place, n;

        if (!is_text(&attrs->at[i], text, &value))
            continue;
        uint64_t hash = hash_mix(hash_bytes(key.ptr, key.len, 3),
                                 hash_bytes(value.ptr, value.len, 4));
        n = s->values.count < MAX_VALUES
                ? terms_add(&s->values, hash, key, value, false)
                : terms_find(&s->values, hash);
        place = facts_append(s->facts, &s->of, s->of_count, &s->of_room);
        if (n == NOBODY || !place)
            continue;
        *place = n;
        s->of_count++;
    }
}

static void take(void *arg, const struct span *span)
{
    struct correlation_input *s = arg;
    struct compared_request *request;

    if ((span->kind != SPAN_SERVER && span->kind != SPAN_CONSUMER) ||
        !bitmap_has(s->resources, span->resource_id) ||
        s->count == MAX_REQUESTS)
        return;
    request = facts_append(s->facts, &s->requests, s->count, &s->room);
    if (!request)
        return;
    *request =
        (struct compared_request){.took_ns = span->end_ns - span->start_ns,
                                  .values = {s->of_count, 0},
                                  .resource = span->resource_id,
                                  .failed = span_failed(span)};
    take_attrs(s, &span->attrs);
    request->values.count = s->of_count - request->values.first;
    s->count++;
}

/* A resource's values follow those of all requests, once each. */
static enum status add_resources(struct correlation_input *s)
{
    struct interned_terms known;

    s->senders = arena_zero(s->facts->arena, s->count + 1, sizeof(*s->senders));
    if (!s->senders || !terms_init(&known, s->facts->arena))
        return arena_status(s->facts->arena);
    for (uint32_t i = 0; i < s->count; i++) {
        uint32_t before = known.count, n;
        struct resource resource;

        n = terms_add(&known, hash_mix(s->requests[i].resource, 5),
                      (struct slice){NULL, 0}, (struct slice){NULL, 0}, false);
        if (n == NOBODY)
            return arena_status(s->facts->arena);
        s->requests[i].sender = n;
        if (n < before)
            continue;
        s->senders[n].first = s->of_count;
        if (reader_resource(s->facts->question->reader, s->requests[i].resource,
                            s->facts->arena, &resource) == OK)
            take_attrs(s, &resource.attrs);
        s->senders[n].count = s->of_count - s->senders[n].first;
    }
    return arena_status(s->facts->arena);
}

static int by_number(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* Marks what is compared; how many. */
static uint32_t mark(struct correlation_input *s, bool *slow)
{
    uint32_t failed = 0;
    uint64_t *took = arena_alloc(s->facts->arena, (s->count + 1) * 8);

    for (uint32_t i = 0; i < s->count; i++)
        failed += s->requests[i].failed;
    *slow = failed == 0;
    if (failed > 0 || !took || s->count < 10)
        return failed;
    for (uint32_t i = 0; i < s->count; i++)
        took[i] = s->requests[i].took_ns;
    qsort(took, s->count, sizeof(*took), by_number);
    for (uint32_t i = 0; i < s->count; i++) {
        s->requests[i].failed =
            s->requests[i].took_ns > took[s->count - s->count / 10 - 1];
        failed += s->requests[i].failed;
    }
    return failed;
}

static int by_nats(const void *left, const void *right)
{
    const struct cause_correlation *a = left, *b = right;

    if (a->nats < b->nats || a->nats > b->nats)
        return a->nats > b->nats ? -1 : 1;
    int o = slice_compare(a->key, b->key);
    return o ? o : slice_compare(a->value, b->value);
}

static void count_values(const struct correlation_input *s,
                         struct values values, bool failed, uint32_t *with,
                         uint32_t *bad)
{
    for (uint32_t k = 0; k < values.count; k++) {
        uint32_t v = s->of[values.first + k];

        with[v]++;
        bad[v] += failed;
    }
}

static void compare(struct correlation_input *s, uint32_t failing,
                    struct cause_report *report)
{
    uint32_t n = s->values.count, others = s->count - failing;
    uint32_t *with = arena_zero(s->facts->arena, n + 1, sizeof(*with));
    uint32_t *bad = arena_zero(s->facts->arena, n + 1, sizeof(*bad));

    report->special =
        arena_zero(s->facts->arena, n + 1, sizeof(*report->special));
    if (!with || !bad || !report->special)
        return;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct compared_request *r = &s->requests[i];

        count_values(s, r->values, r->failed, with, bad);
        count_values(s, s->senders[r->sender], r->failed, with, bad);
    }
    for (uint32_t v = 0; v < n; v++) {
        double good = with[v] - bad[v];
        double nats = nats_of(good, others, bad[v], failing);

        if (bad[v] * (double)others <= good * failing || nats < ENOUGH)
            continue;
        report->special[report->special_count++] =
            (struct cause_correlation){.key = s->values.at[v].text,
                                       .value = s->values.at[v].line,
                                       .nats = nats,
                                       .failing = bad[v],
                                       .failing_of = failing,
                                       .others = with[v] - bad[v],
                                       .others_of = others};
    }
    qsort(report->special, report->special_count, sizeof(*report->special),
          by_nats);
    if (report->special_count > CAUSE_MAX_CORRELATIONS)
        report->special_count = CAUSE_MAX_CORRELATIONS;
}

enum status special_find(struct rca_context *facts, struct cause_report *report)
{
    uint32_t c = report->suspects[0].component;
    struct correlation_input s = {.facts = facts};
    struct sample_query query = {.start_ns = facts->times[DURING].start_ns,
                                 .end_ns = facts->times[DURING].end_ns,
                                 .whole = true};
    uint32_t failing;

    if (facts->component_kinds[c] != CANDIDATE_COMPONENT)
        return OK;
    s.resources = facts_resources(facts, c);
    if (!s.resources || !terms_init(&s.values, facts->arena))
        return arena_status(facts->arena);
    query.resources = s.resources;
    query.keep = SAMPLE_ALL;
    if (facts->requests[c] > MAX_REQUESTS)
        query.keep =
            (uint32_t)(MAX_REQUESTS / facts->requests[c] * SAMPLE_ALL) + 1;
    enum status st =
        reader_sample_spans(facts->question->reader, &query, take, &s);
    if (st != OK)
        return st;
    st = add_resources(&s);
    if (st != OK)
        return st;
    failing = mark(&s, &report->special_slow);
    if (failing > 0 && failing < s.count)
        compare(&s, failing, report);
    return arena_status(facts->arena);
}
