/*
 * What happens inside the requests to an operation: log lines and calls, each
 * with the event before it. Compared per trace, because requests of one trace
 * are not independent: a page that asks for 200 seats is one observation.
 *
 * A normal event that used to follow and is gone counts, and an error that is
 * new. Warnings, errors that are gone and new lines without an error do not:
 * what heals or only talks more is no cause.
 */
#include <math.h>
#include <stdlib.h>

#include "derived.h"
#include "hash.h"
#include "rca_context.h"

static const uint32_t BEGIN =
    NOBODY - 1; /* before the first event of a request */

struct trace_event {
    uint64_t place; /* component and operation */
    uint32_t tree, owner, event, before;
    uint64_t time_ns;
    bool call; /* a span, not a log line */
    bool bad;
};

struct trace_events {
    struct trace_event *at;
    uint32_t count;
};

static uint64_t place_of(const struct rca_span *asked)
{
    return (uint64_t)asked->component << 32 | asked->name;
}

static bool collect(struct rca_context *facts, enum rca_period half,
                    struct trace_events *list)
{
    const struct trace_sample *s = &facts->halves[half];

    list->at = arena_alloc(facts->arena, (s->part_count + s->line_count + 1) *
                                             sizeof(*list->at));
    if (!list->at)
        return false;
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *p = &s->parts[n], *asked = &s->parts[p->owner];
        struct trace_event one = {.place = place_of(asked),
                                  .tree = p->tree,
                                  .owner = p->owner,
                                  .event = BEGIN,
                                  .time_ns = p->owner == n ? 0 : p->start_ns,
                                  .call = true};

        /* What is too many to be told apart is no event. */
        if (asked->component == NOBODY || !facts_judged(facts, half, p) ||
            (p->owner != n &&
             slice_equal(facts->terms.at[p->name].text, SLICE(DERIVED_OTHER))))
            continue;
        if (p->owner != n) {
            one.event = p->name;
            one.bad = p->failed || facts->terms.at[p->name].bad;
        }
        list->at[list->count++] = one;
    }
    for (uint32_t i = 0; i < s->line_count; i++) {
        const struct rca_log *l = &s->lines[i];
        const struct rca_span *p = &s->parts[l->part],
                              *asked = &s->parts[p->owner];
        struct trace_event one = {.place = place_of(asked),
                                  .tree = p->tree,
                                  .owner = p->owner,
                                  .event = l->event,
                                  .time_ns = l->time_ns,
                                  .bad = l->level >= LEVEL_ERROR};

        if (asked->component != NOBODY && l->level != LEVEL_WARN &&
            facts_judged(facts, half, p))
            list->at[list->count++] = one;
    }
    return true;
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_request(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;
    int o = order(a->owner, b->owner);

    if (o == 0)
        o = order(a->time_ns, b->time_ns);
    if (o == 0)
        o = order(a->event == BEGIN ? 0 : 1, b->event == BEGIN ? 0 : 1);
    if (o == 0)
        o = order(a->call, b->call) ? -order(a->call, b->call) : 0;
    return o ? o : order(a->event, b->event);
}

static int by_event(const void *left, const void *right)
{
    const struct trace_event *a = left, *b = right;
    int o = order(a->place, b->place);

    if (o == 0)
        o = order(a->event, b->event);
    if (o == 0)
        o = order(a->bad, b->bad);
    if (o == 0)
        o = order(a->tree, b->tree);
    if (o == 0)
        o = order(a->time_ns, b->time_ns);
    return o ? o : order(a->owner, b->owner);
}

/* Each event of a trace once, with the one before it; by place and event. */
static void arrange(struct trace_events *list)
{
    uint32_t last = BEGIN, kept = 0;

    if (list->count == 0)
        return;
    qsort(list->at, list->count, sizeof(*list->at), by_request);
    for (uint32_t i = 0; i < list->count; i++) {
        struct trace_event *h = &list->at[i];

        if (i == 0 || h->owner != h[-1].owner)
            last = BEGIN;
        h->before = last;
        if (!h->bad)
            last = h->event;
    }
    qsort(list->at, list->count, sizeof(*list->at), by_event);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct trace_event *h = &list->at[i], *k = &list->at[kept - 1];

        if (kept > 0 && k->place == h->place && k->event == h->event &&
            k->bad == h->bad && k->tree == h->tree)
            continue;
        list->at[kept++] = *h;
    }
    list->count = kept;
}

/* The run of one event of one place in a half. */
struct event_run {
    const struct trace_event *at;
    uint32_t count;
};

static struct event_run run_at(const struct trace_events *list, uint32_t i)
{
    struct event_run run = {&list->at[i], 0};

    while (i + run.count < list->count &&
           run.at[run.count].place == run.at->place &&
           run.at[run.count].event == run.at->event &&
           run.at[run.count].bad == run.at->bad)
        run.count++;
    return run;
}

static int compare_events(const struct trace_event *a,
                          const struct trace_event *b)
{
    int o = order(a->event, b->event);

    return o ? o : order(a->bad, b->bad);
}

static int by_before(const void *left, const void *right)
{
    return order(*(const uint32_t *)left, *(const uint32_t *)right);
}

/* What mostly came before, over both halves. */
static uint32_t usual_before(struct rca_context *facts,
                             const struct event_run runs[HALVES])
{
    uint32_t n = runs[0].count + runs[1].count, most = 0, best = BEGIN;
    uint32_t *all = arena_alloc(facts->arena, (n + 1) * sizeof(*all));

    if (!all)
        return BEGIN;
    for (uint32_t i = 0; i < n; i++)
        all[i] = i < runs[0].count ? runs[0].at[i].before
                                   : runs[1].at[i - runs[0].count].before;
    qsort(all, n, sizeof(*all), by_before);
    for (uint32_t i = 0; i < n;) {
        uint32_t end = i;

        while (end < n && all[end] == all[i])
            end++;
        if (end - i > most) {
            most = end - i;
            best = all[i];
        }
        i = end;
    }
    return best;
}

struct operation_events {
    const struct trace_events *lists[HALVES];
    uint32_t at[HALVES], end[HALVES]; /* its happenings */
    double traces[HALVES];            /* that have a request of it */
    double share[HALVES];             /* of all traces */
    struct cause_evidence best[2];    /* gone, new */
    uint32_t parts_event[2];
};

/* A call is told by its name, a line by what it says. */
static struct slice shown(struct rca_context *facts, uint32_t event)
{
    const struct interned_term *name = &facts->terms.at[event];

    if (name->line.len == 0)
        return name->text;
    return facts_text(facts, "\"%.*s\"", (int)name->line.len, name->line.ptr);
}

static void examples(const struct rca_context *facts,
                     const struct event_run *run, enum rca_period half,
                     struct cause_evidence *e)
{
    const struct trace_sample *s = &facts->halves[half];

    for (uint32_t i = 0; i < run->count; i++) {
        if (e->trace_count < CAUSE_MAX_EXAMPLES)
            memcpy(e->traces[e->trace_count++],
                   s->parts[run->at[i].owner].trace, 16);
        if (e->onset_ns == 0 || run->at[i].time_ns < e->onset_ns)
            e->onset_ns = run->at[i].time_ns;
    }
}

/* The run of an event that is no error at a place. */
static struct event_run find_run(const struct operation_events *place, int half,
                                 uint32_t event)
{
    const struct trace_events *list = place->lists[half];
    uint32_t low = place->at[half], high = place->end[half];

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (list->at[mid].event < event)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == place->end[half] || list->at[low].event != event ||
        list->at[low].bad)
        return (struct event_run){NULL, 0};
    return run_at(list, low);
}

/* In how many traces both happen. */
static uint32_t both_in(const struct event_run *a, const struct event_run *b)
{
    uint32_t i = 0, k = 0, n = 0;

    while (i < a->count && k < b->count) {
        int o = order(a->at[i].tree, b->at[k].tree);

        n += o == 0;
        i += o <= 0;
        k += o >= 0;
    }
    return n;
}

/* k of n traces that got as far as the event before. */
struct chance {
    double k[HALVES], n[HALVES];
};

static struct chance chance_after(const struct operation_events *place,
                                  const struct event_run runs[HALVES],
                                  uint32_t before)
{
    struct chance c;

    for (int h = 0; h < HALVES; h++) {
        struct event_run prior = find_run(place, h, before);

        c.n[h] = prior.count;
        c.k[h] = both_in(&prior, &runs[h]);
    }
    return c;
}

static struct slice tell(struct rca_context *facts, const struct trace_event *h,
                         bool is_new, uint32_t before, const struct chance *c)
{
    struct slice what = shown(facts, h->event), prior = SLICE("");

    if (before != BEGIN) {
        prior = shown(facts, before);
        prior = facts_text(facts, " (after %.*s)", (int)prior.len, prior.ptr);
    }
    return facts_text(facts,
                      "%s%.*s%s%.0f of %.0f requests, %.0f of %.0f "
                      "before%.*s",
                      h->call ? "call " : "logs ", (int)what.len, what.ptr,
                      is_new    ? h->call ? " fails in " : " in "
                      : h->call ? " goes well in only "
                                : " in only ",
                      c->k[DURING], c->n[DURING], c->k[BEFORE], c->n[BEFORE],
                      (int)prior.len, prior.ptr);
}

/* Requests that got as far as the event before, and not here. */
static void missing(const struct rca_context *facts,
                    const struct event_run *prior, const struct event_run *run,
                    struct cause_evidence *e)
{
    const struct trace_sample *s = &facts->halves[DURING];

    for (uint32_t i = 0, k = 0; i < prior->count; i++) {
        const struct trace_event *h = &prior->at[i];

        while (k < run->count && run->at[k].tree < h->tree)
            k++;
        if (k < run->count && run->at[k].tree == h->tree)
            continue;
        uint64_t at = s->parts[h->owner].start_ns;
        if (e->trace_count < CAUSE_MAX_EXAMPLES)
            memcpy(e->traces[e->trace_count++], s->parts[h->owner].trace, 16);
        if (e->onset_ns == 0 || at < e->onset_ns)
            e->onset_ns = at;
    }
}

static void judge(struct rca_context *facts, struct operation_events *place,
                  const struct event_run runs[HALVES])
{
    const struct trace_event *h =
        runs[BEFORE].count > 0 ? runs[BEFORE].at : runs[DURING].at;

    if (h->event == BEGIN)
        return;
    uint32_t prior = usual_before(facts, runs);
    struct chance c = chance_after(place, runs, prior);
    /* Of fewer than three nothing is usual. */
    if (c.n[BEFORE] < 3 || c.n[DURING] == 0)
        return;
    double before = c.k[BEFORE] / c.n[BEFORE];
    double now = c.k[DURING] / c.n[DURING];
    bool gone = now < before && !h->bad, is_new = now > before && h->bad;
    if (!gone && !is_new)
        return;
    /* A fault in the code hits every request that gets there; what hits some
     * of them is more often the mix of requests. An error that was known
     * before says less, and so does what followed now and then only. */
    double whole = gone ? 1 - now / before : now - before;
    whole *= gone ? whole * before : whole * (1 - before / now);
    /* Requests of this kind became rarer: those that still come are others. */
    double fewer = fmin(1, place->share[DURING] / place->share[BEFORE]);
    double nats = whole * fewer *
                  nats_of(c.k[BEFORE], c.n[BEFORE], c.k[DURING], c.n[DURING]);
    struct cause_evidence *best = &place->best[is_new];
    if (nats <= best->nats)
        return;
    *best = (struct cause_evidence){.kind = EVIDENCE_BEHAVIOUR,
                                    .class = "code",
                                    .nats = nats,
                                    .text = tell(facts, h, is_new, prior, &c),
                                    .template = facts->terms.at[h->event].text,
                                    .line = facts->terms.at[h->event].line,
                                    .peer = NOBODY,
                                    .numbers = {c.k[BEFORE], c.k[DURING],
                                                c.n[BEFORE], c.n[DURING],
                                                "requests"}};
    if (is_new) {
        examples(facts, &runs[DURING], DURING, best);
    } else {
        struct event_run before_it = find_run(place, DURING, prior);

        missing(facts, &before_it, &runs[DURING], best);
    }
}

static void judge_place(struct rca_context *facts,
                        struct operation_events *place)
{
    const struct trace_events *b = place->lists[BEFORE],
                              *d = place->lists[DURING];
    uint32_t i = place->at[BEFORE], k = place->at[DURING];
    uint32_t n = 0;
    struct cause_evidence both;

    while (i < place->end[BEFORE] || k < place->end[DURING]) {
        struct event_run runs[HALVES] = {{NULL, 0}, {NULL, 0}};
        int o = i == place->end[BEFORE] ? 1
                : k == place->end[DURING]
                    ? -1
                    : compare_events(&b->at[i], &d->at[k]);

        if (o <= 0)
            runs[BEFORE] = run_at(b, i);
        if (o >= 0)
            runs[DURING] = run_at(d, k);
        i += runs[BEFORE].count;
        k += runs[DURING].count;
        judge(facts, place, runs);
    }
    /* What is new mostly says why the other is gone: it is told first, and its
     * numbers, unless it is much weaker. */
    n = 2 * place->best[1].nats > place->best[0].nats;
    both = place->best[n];
    both.nats = fmax(place->best[0].nats, place->best[1].nats);
    if (both.nats <= 0)
        return;
    uint64_t key = b->at[place->at[BEFORE]].place;
    struct slice op = facts->terms.at[(uint32_t)key].text;
    struct slice one = both.text, other = place->best[!n].text;
    /* A call that fails is a call that does not go well: once is enough. */
    if (slice_equal(both.template, place->best[!n].template))
        other = SLICE("");
    both.operation = op;
    if (both.line.len == 0)
        both.line = place->best[!n].line;
    both.text = facts_text(facts, "%.*s: %.*s%s%.*s", (int)op.len, op.ptr,
                           (int)one.len, one.ptr, other.len ? "; " : "",
                           (int)other.len, other.ptr ? other.ptr : "");
    evidence_add(facts, (uint32_t)(key >> 32), &both);
}

static uint32_t end_of_place(const struct trace_events *list, uint32_t i)
{
    uint32_t end = i;

    while (end < list->count && list->at[end].place == list->at[i].place)
        end++;
    return end;
}

static uint32_t traces_of(const struct trace_events *list, uint32_t i,
                          uint32_t end)
{
    for (; i < end; i++) /* each request has its beginning */
        if (list->at[i].event == BEGIN)
            return run_at(list, i).count;
    return 0;
}

bool behaviour_find(struct rca_context *facts)
{
    struct trace_events lists[HALVES] = {{NULL, 0}, {NULL, 0}};
    uint32_t i = 0, k = 0;

    if (!facts->usual_happenings) {
        struct trace_events *usual =
            arena_zero(facts->arena, 1, sizeof(*usual));

        if (!usual || !collect(facts, BEFORE, usual))
            return false;
        arrange(usual);
        facts->usual_happenings = usual;
    }
    lists[BEFORE] = *facts->usual_happenings;
    if (!collect(facts, DURING, &lists[DURING]))
        return false;
    arrange(&lists[DURING]);
    while (i < lists[BEFORE].count && k < lists[DURING].count) {
        uint64_t a = lists[BEFORE].at[i].place, b = lists[DURING].at[k].place;
        struct operation_events place = {
            .lists = {&lists[BEFORE], &lists[DURING]}, .at = {i, k}};

        place.end[BEFORE] = a <= b ? end_of_place(&lists[BEFORE], i) : i;
        place.end[DURING] = b <= a ? end_of_place(&lists[DURING], k) : k;
        if (a == b) {
            for (int h = 0; h < HALVES; h++) {
                place.traces[h] =
                    traces_of(place.lists[h], place.at[h], place.end[h]);
                place.share[h] = place.traces[h] / facts->traces[h];
            }
            judge_place(facts, &place);
        }
        i = place.end[BEFORE];
        k = place.end[DURING];
    }
    return !facts->full;
}
