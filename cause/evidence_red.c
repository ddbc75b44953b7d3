/*
 * What the derived series tell, which count every request: who fails more
 * often, who is called and does not answer any more, and what becomes of calls
 * that leave the project: to databases, queues and hosts that send no spans.
 * These peers are candidates like components.
 */
#include <math.h>

#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "rca_context.h"

enum { PER_OCTAVE = 4, BUCKETS = 30 * PER_OCTAVE }; /* from 1 us on: 20 min */

/* From this share of failing requests on a fault counts whole. */
static const double FELT_SHARE = 0.05;
static const double FLOOR_S = 0.005; /* as in evidence_latency.c */

/* Amounts of the baseline, and of the window from each try on. */
struct amounts {
    double before, during[CAUSE_TRIES];
};

struct counted {
    uint32_t component;
    struct slice operation;
    struct amounts requests, errors;
    struct amounts *buckets; /* of peers only */
};

struct red_counts {
    struct rca_context *facts;
    struct interned_terms keys;
    struct counted *at; /* by number of the key */
    uint32_t room;
    struct amounts *called, *answered; /* by component */
};

/* ---- reading ---- */

static double overlap(const struct point *p, uint64_t start, uint64_t end)
{
    uint64_t from = p->start_ns > start ? p->start_ns : start;
    uint64_t to = p->time_ns < end ? p->time_ns : end;

    return to > from && p->time_ns > p->start_ns
               ? (double)(to - from) / (double)(p->time_ns - p->start_ns)
               : 0;
}

static void add(const struct rca_context *facts, struct amounts *a,
                const struct point *p, double amount)
{
    const struct cause_window *w = facts->times;

    a->before += amount * overlap(p, w[BEFORE].start_ns, w[BEFORE].end_ns);
    for (uint32_t i = 0; i < CAUSE_TRIES; i++)
        a->during[i] +=
            amount * overlap(p, facts_try(facts, i), w[DURING].end_ns);
}

static struct slice text_of(const struct point *p, const char *key)
{
    const struct attr *a = attrs_find(&p->attrs, slice_of(key));

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

static struct counted *counted_at(struct red_counts *c, uint32_t component,
                                  struct slice name, bool is_peer)
{
    struct rca_context *facts = c->facts;
    uint64_t key = hash_mix(hash_bytes(name.ptr, name.len, 7), component);
    uint32_t known = c->keys.count;
    uint32_t n = terms_add(&c->keys, key, name, (struct slice){NULL, 0}, false);
    struct counted *at;

    if (n == NOBODY) {
        facts->full = true;
        return NULL;
    }
    at = facts_append(facts, &c->at, n, &c->room);
    if (!at)
        return NULL;
    if (n == known)
        *at = (struct counted){.component = component,
                               .operation = c->keys.at[n].text};
    if (is_peer && !at->buckets)
        at->buckets = arena_zero(facts->arena, BUCKETS, sizeof(struct amounts));
    return !is_peer || at->buckets ? at : NULL;
}

static uint32_t bucket_of(double seconds)
{
    double b = log2(seconds * 1e6) * PER_OCTAVE;

    return b <= 0 ? 0 : b >= BUCKETS - 1 ? BUCKETS - 1 : (uint32_t)b;
}

static void add_buckets(const struct rca_context *facts, struct counted *c,
                        const struct point *p)
{
    const struct histogram *h = p->histogram;

    add(facts, &c->buckets[0], p, (double)h->zero_count);
    for (uint32_t i = 0; i < h->positive.count; i++) {
        /* The middle of the bucket, on the scale of its bounds. */
        double power = (h->positive.offset + (double)i + 0.5) / exp2(h->scale);

        if (h->positive.counts[i] > 0)
            add(facts, &c->buckets[bucket_of(exp2(power))], p,
                (double)h->positive.counts[i]);
    }
}

static double amount_of(const struct point *p)
{
    int sign = derived_sign(p->metric->name);

    if (p->metric->type == METRIC_EXP_HISTOGRAM)
        return sign * (double)p->histogram->count;
    return sign * (p->is_int ? (double)p->i : p->d);
}

static bool is_named(const struct point *p, const char *name)
{
    return slice_equal(p->metric->name, slice_of(name));
}

static void read_served(struct red_counts *c, const struct point *p,
                        uint32_t component)
{
    struct counted *at =
        counted_at(c, component, text_of(p, DERIVED_OPERATION), false);

    if (!at)
        return;
    if (is_named(p, DERIVED_ERRORS) || is_named(p, DERIVED_RETRACTED_ERRORS)) {
        add(c->facts, &at->errors, p, amount_of(p));
        return;
    }
    add(c->facts, &at->requests, p, amount_of(p));
    /* A call that nobody answered is counted at both ends of its edge, so what
     * was answered is told by the requests served. */
    add(c->facts, &c->answered[component], p, amount_of(p));
    c->facts->requests[component] +=
        amount_of(p) * overlap(p, c->facts->times[DURING].start_ns,
                               c->facts->times[DURING].end_ns);
}

static void read_peer(struct red_counts *c, const struct point *p,
                      uint32_t from)
{
    struct slice kind = text_of(p, DERIVED_PEER_KIND);
    struct slice name = text_of(p, DERIVED_PEER_NAME);
    uint32_t peer = facts_peer(c->facts, kind, name);
    struct counted *at;

    if (peer == NOBODY)
        return;
    facts_link(c->facts, from, peer);
    at = counted_at(c, peer, name, true);
    if (!at)
        return;
    if (is_named(p, DERIVED_OUT_ERRORS)) {
        add(c->facts, &at->errors, p, amount_of(p));
        return;
    }
    add(c->facts, &at->requests, p, amount_of(p));
    if (p->metric->type == METRIC_EXP_HISTOGRAM)
        add_buckets(c->facts, at, p);
}

/* Calls of a component, as its callers count them. */
static void read_call(struct red_counts *c, const struct point *p,
                      uint32_t from)
{
    const struct attr *id = attrs_find(&p->attrs, SLICE(DERIVED_PEER_ID));
    uint32_t to = NOBODY;

    if (id && id->type == VALUE_INT)
        to = facts_identity(c->facts, (uint32_t)id->i);
    if (to == NOBODY || to == from)
        return;
    facts_link(c->facts, from, to);
    if (is_named(p, DERIVED_OUT_DURATION))
        add(c->facts, &c->called[to], p, amount_of(p));
}

static void read_point(void *arg, const struct point *p)
{
    struct red_counts *c = arg;
    uint32_t component = facts_component(c->facts, p->resource_id);

    if (component == NOBODY)
        return;
    if (slice_starts(p->metric->name, SLICE("callboard.endpoint.")))
        read_served(c, p, component);
    else if (slice_equal(text_of(p, DERIVED_PEER_KIND), SLICE("component")))
        read_call(c, p, component);
    else
        read_peer(c, p, component);
}

enum status served_read(struct rca_context *facts)
{
    static const struct slice names[] = {
        {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
        {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1},
        {DERIVED_RETRACTED_DURATION, sizeof(DERIVED_RETRACTED_DURATION) - 1},
        {DERIVED_RETRACTED_ERRORS, sizeof(DERIVED_RETRACTED_ERRORS) - 1},
        {DERIVED_OUT_DURATION, sizeof(DERIVED_OUT_DURATION) - 1},
        {DERIVED_OUT_ERRORS, sizeof(DERIVED_OUT_ERRORS) - 1}};
    struct series_query query = {.start_ns = facts->times[BEFORE].start_ns,
                                 .end_ns =
                                     facts->times[DURING].end_ns + NS_PER_MIN,
                                 .resources = facts->resources,
                                 .names = names,
                                 .name_count = sizeof(names) / sizeof(*names)};
    struct red_counts *c = arena_zero(facts->arena, 1, sizeof(*c));

    if (!c || !terms_init(&c->keys, facts->arena))
        return arena_status(facts->arena);
    c->facts = facts;
    c->called = arena_zero(facts->arena, facts->component_count + 1,
                           sizeof(*c->called));
    c->answered = arena_zero(facts->arena, facts->component_count + 1,
                             sizeof(*c->answered));
    facts->requests = arena_zero(facts->arena, facts->component_count + 1,
                                 sizeof(*facts->requests));
    facts->counting = c;
    facts->served_components = facts->component_count;
    if (!c->called || !c->answered || !facts->requests)
        return arena_status(facts->arena);
    return reader_query_series(facts->question->reader, &query, read_point, c);
}

/* ---- judging ---- */

static void judge_errors(struct rca_context *facts, const struct counted *c)
{
    double n1 = c->requests.before, k1 = fmin(c->errors.before, n1);
    double n2 = c->requests.during[facts->try];
    double k2 = fmin(c->errors.during[facts->try], n2);
    double was = n1 > 0 ? k1 / n1 : 0, is = n2 > 0 ? k2 / n2 : 0;

    if (is <= was || n1 < 1)
        return;
    double new = 1 - was / is;
    struct cause_evidence e = {
        .kind = EVIDENCE_ERRORS,
        .class = "errors",
        .nats = nats_of(k1, n1, k2, n2) * new *new *fmin(1, is / FELT_SHARE),
        .operation = c->operation,
        .peer = NOBODY,
        .numbers = {k1, k2, n1, n2, "requests"},
        .text = facts_text(facts,
                           "%.*s fails in %.1f%% of %.0f requests, %.1f%% "
                           "before",
                           (int)c->operation.len, c->operation.ptr, 100 * is,
                           n2, 100 * was)};
    evidence_add(facts, c->component, &e);
}

static double bucket_value(uint32_t i)
{
    return exp2((i + 0.5) / PER_OCTAVE) * 1e-6;
}

static double amount(const struct amounts *a, int try)
{
    return try < 0 ? a->before : a->during[try];
}

/* try -1: the baseline. */
static uint32_t quantile_bucket(const struct counted *c, int try, double q)
{
    double all = 0, sum = 0;

    for (uint32_t i = 0; i < BUCKETS; i++)
        all += amount(&c->buckets[i], try);
    for (uint32_t i = 0; i < BUCKETS; i++) {
        sum += amount(&c->buckets[i], try);
        if (sum >= q * all)
            return i;
    }
    return BUCKETS - 1;
}

static void judge_duration(struct rca_context *facts, const struct counted *c)
{
    int try = (int)facts->try;
    double n[HALVES] = {0}, above[HALVES] = {0};
    double usual = bucket_value(quantile_bucket(c, -1, 0.5));
    double now = bucket_value(quantile_bucket(c, try, 0.5));
    uint32_t limit = quantile_bucket(c, -1, 0.95) + 1;

    while (limit < BUCKETS && bucket_value(limit) < usual + FLOOR_S)
        limit++;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        double both[HALVES] = {c->buckets[i].before, c->buckets[i].during[try]};

        for (int h = 0; h < HALVES; h++) {
            n[h] += both[h];
            above[h] += i >= limit ? both[h] : 0;
        }
    }
    if (n[BEFORE] < 3 || n[DURING] < 1 || now < usual + FLOOR_S)
        return;
    struct cause_evidence e = {
        .kind = EVIDENCE_LATENCY,
        .class = "latency",
        .nats = nats_of(above[BEFORE], n[BEFORE], above[DURING], n[DURING]) *
                (1 - usual / now),
        .peer = NOBODY,
        .numbers = {usual * 1000, now * 1000, 0, 0, "ms"},
        .text = facts_text(facts, "calls take %.0f ms, %.0f ms before",
                           now * 1000, usual * 1000)};
    evidence_add(facts, c->component, &e);
}

/* Called, but without an answer of its own, of which there were some. */
static void judge_silence(struct rca_context *facts, uint32_t component)
{
    const struct red_counts *c = facts->counting;
    double n1 = c->called[component].before;
    double n2 = c->called[component].during[facts->try];
    double k1 = fmax(0, n1 - c->answered[component].before);
    double k2 = fmax(0, n2 - c->answered[component].during[facts->try]);

    if (n1 < 1 || n2 < 1 || k2 * n1 <= k1 * n2)
        return;
    double more = k2 / n2 - k1 / n1;
    struct cause_evidence e = {
        .kind = EVIDENCE_SILENCE,
        .class = "availability",
        .nats = nats_of(k1, n1, k2, n2) * more * more,
        .peer = NOBODY,
        .numbers = {k1, k2, n1, n2, "calls"},
        .text = facts_text(facts,
                           "%.0f of %.0f calls get no answer, %.0f of "
                           "%.0f before",
                           k2, n2, k1, n1)};
    evidence_add(facts, component, &e);
}

bool served_any(const struct rca_context *facts, uint32_t component)
{
    const struct amounts *a = &facts->counting->answered[component];

    return component < facts->served_components && a->before + a->during[0] > 0;
}

bool served_find(struct rca_context *facts)
{
    const struct red_counts *c = facts->counting;

    for (uint32_t i = 0; i < c->keys.count; i++) {
        judge_errors(facts, &c->at[i]);
        if (c->at[i].buckets)
            judge_duration(facts, &c->at[i]);
    }
    for (uint32_t i = 0; i < facts->served_components; i++)
        judge_silence(facts, i);
    return !facts->full;
}
