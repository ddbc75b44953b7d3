/*
 * Requests that fail in the component itself: none of the calls that they made
 * failed. How many requests failed is counted (red_counts.h), and the sample of
 * traces shows which part of these failed by themselves. So a few percent are
 * certain although few traces are read, and callers of what fails show none.
 */
#include <math.h>
#include <stdlib.h>

#include "evidence_finders.h"

/* From this share of an operation's requests on they count whole. */
static const double WHOLE_SHARE = 0.01;
/* Failed requests count half, since all callers of a fault show them. These do
 * not come from a callee. */
static const double OWN_WEIGHT = 1.5;

struct failed_request {
    uint64_t key; /* component and operation */
    uint32_t span;
    uint8_t period;
    bool own;
};

struct own_failures {
    const struct trace_samples *traces;
    struct failed_request *at; /* by key */
    uint32_t count;
};

/* ---- measuring ---- */

/* Did a call fail that was made in a request? By the span of the caller or that
 * of the callee: either may not say so. */
static bool has_failed_call(const struct trace_sample *s, uint32_t n, int depth)
{
    const struct rca_span *top = &s->spans[n];

    for (uint32_t i = top->first_child; i != NO_INDEX && depth < 100;
         i = s->spans[i].next_sibling) {
        const struct rca_span *child = &s->spans[i];
        bool here = child->component == top->component;
        bool call =
            !here || child->kind == SPAN_CLIENT || child->kind == SPAN_PRODUCER;

        if ((call && (child->failed || child->lost_answer)) ||
            (here && has_failed_call(s, i, depth + 1)))
            return true;
    }
    return false;
}

static int by_key(const void *left, const void *right)
{
    const struct failed_request *a = left, *b = right;

    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->period != b->period)
        return a->period < b->period ? -1 : 1;
    return (a->span > b->span) - (a->span < b->span);
}

static bool is_failed_request(const struct rca_span *span)
{
    return span->failed && span->component != NO_INDEX && span_is_served(span);
}

struct own_failures *failures_measure(const struct trace_samples *traces)
{
    struct own_failures *f = arena_zero(traces->arena, 1, sizeof(*f));
    uint32_t room = 0;

    if (!f)
        return NULL;
    for (int p = 0; p < PERIODS; p++)
        for (uint32_t n = 0; n < traces->period[p].span_count; n++)
            room += is_failed_request(&traces->period[p].spans[n]);
    f->traces = traces;
    f->at = arena_alloc(traces->arena, (room + 1) * sizeof(*f->at));
    for (int p = 0; f->at && p < PERIODS; p++) {
        const struct trace_sample *s = &traces->period[p];

        for (uint32_t n = 0; n < s->span_count; n++)
            if (is_failed_request(&s->spans[n]))
                f->at[f->count++] = (struct failed_request){
                    (uint64_t)s->spans[n].component << 32 | s->spans[n].name, n,
                    (uint8_t)p, !has_failed_call(s, n, 0)};
    }
    if (f->count > 0)
        qsort(f->at, f->count, sizeof(*f->at), by_key);
    return f->at ? f : NULL;
}

/* ---- judging ---- */

/* Of the failed requests of an operation those that failed by themselves. */
struct own_share {
    double own[PERIODS], of[PERIODS];
    double traces; /* of those in the window */
};

static struct own_share share_of(const struct own_failures *f, uint32_t first,
                                 uint32_t end)
{
    struct own_share share = {0};

    uint32_t last = NO_INDEX; /* spans are by trace */

    for (uint32_t i = first; i < end; i++) {
        const struct failed_request *r = &f->at[i];
        uint32_t trace = f->traces->period[r->period].spans[r->span].trace;

        share.own[r->period] += r->own;
        share.of[r->period]++;
        if (r->period == WINDOW && r->own && trace != last) {
            share.traces++;
            last = trace;
        }
    }
    return share;
}

static void add_examples(const struct own_failures *f, uint32_t first,
                         uint32_t end, uint64_t from_ns,
                         struct cause_evidence *e)
{
    for (uint32_t i = first; i < end; i++) {
        const struct failed_request *r = &f->at[i];
        const struct rca_span *span =
            &f->traces->period[r->period].spans[r->span];

        if (r->period == WINDOW && r->own && span->start_ns >= from_ns)
            evidence_add_example(e, span->trace_id, span->start_ns);
    }
}

/* Operations that fail at all in the window. */
static uint32_t count_operations(const struct own_failures *f)
{
    uint64_t last = UINT64_MAX;
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->count; i++) {
        n += f->at[i].period == WINDOW && f->at[i].key != last;
        last = f->at[i].period == WINDOW ? f->at[i].key : last;
    }
    return n;
}

/* Empty if each of the failed requests that are counted was looked at. */
static const char *about(double looked_at, double counted)
{
    return looked_at < counted ? "about " : "";
}

/* chance: the score of the best of all operations by chance. */
static void add_failures(struct evidence_set *evidence,
                         const struct own_failures *f, uint32_t first,
                         uint32_t end, const struct red_count *c, double chance)
{
    struct own_share share = share_of(f, first, end);
    uint32_t attempt = evidence->times->attempt;
    double n1 = c->requests.baseline, n2 = c->requests.window[attempt];

    if (share.own[WINDOW] < 1 || n1 < 3 || n2 < 1)
        return;
    double part = share.own[WINDOW] / share.of[WINDOW];
    double before_part = share.of[BASELINE] > 0
                             ? share.own[BASELINE] / share.of[BASELINE]
                             : part;
    double k1 = fmin(c->errors.baseline, n1) * before_part;
    double k2 = fmin(c->errors.window[attempt], n2) * part;
    double before = k1 / n1, now = k2 / n2, new = 1 - before / now;
    /* Requests of one trace are not independent. */
    double score =
        proportion_score(k1, n1, k2, n2) * share.traces / share.own[WINDOW] -
        chance;

    if (now <= before || score <= 0)
        return;
    struct cause_evidence e = {
        .kind = EVIDENCE_ERRORS,
        .class = "code",
        .score = OWN_WEIGHT * score * new *new *fmin(1, now / WHOLE_SHARE),
        .operation = c->operation,
        .peer = NO_INDEX,
        .numbers = {k1, k2, n1, n2, "requests"},
        .text = arena_format(
            evidence->arena,
            "%.*s fails by itself, without a failed call, in "
            "%s%.0f of %.0f requests, %s%.0f of %.0f before",
            SLICE_ARGS(c->operation),
            about(share.of[WINDOW], c->errors.window[attempt]), k2, n2,
            about(share.of[BASELINE], c->errors.baseline), k1, n1)};

    add_examples(f, first, end, evidence->times->from_ns, &e);
    evidence_add(evidence, c->candidate, &e);
}

void find_failures(struct evidence_set *evidence, const struct own_failures *f,
                   const struct red_counts *counts)
{
    double chance = log(fmax(1, count_operations(f)));

    for (uint32_t i = 0, end; i < f->count; i = end) {
        uint64_t key = f->at[i].key;
        uint32_t n = red_count_find(counts, (uint32_t)(key >> 32),
                                    f->traces->terms.at[(uint32_t)key].text);

        for (end = i; end < f->count && f->at[end].key == key;)
            end++;
        if (n != NO_INDEX)
            add_failures(evidence, f, i, end, &counts->at[n], chance);
    }
}
