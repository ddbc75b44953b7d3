#include "red_counts.h"

#include "array.h"
#include "clock.h"
#include "hash.h"
#include "red_series.h"

/* The share of the point's time that lies in a period. */
static double overlap(const struct red_point *p, uint64_t start_ns,
                      uint64_t end_ns)
{
    uint64_t from = p->start_ns > start_ns ? p->start_ns : start_ns;
    uint64_t to = p->end_ns < end_ns ? p->end_ns : end_ns;

    return to > from && p->end_ns > p->start_ns
               ? (double)(to - from) / (double)(p->end_ns - p->start_ns)
               : 0;
}

static void add_amount(const struct red_counts *c, struct red_amounts *to,
                       const struct red_point *p, double amount)
{
    const struct cause_window *period = c->times->period;

    to->baseline +=
        amount * overlap(p, period[BASELINE].start_ns, period[BASELINE].end_ns);
    for (uint32_t i = 0; i < RCA_ATTEMPTS; i++)
        to->window[i] += amount * overlap(p, rca_attempt_start(c->times, i),
                                          period[WINDOW].end_ns);
}

static uint64_t key_of(uint32_t candidate, struct slice operation)
{
    return hash_mix(hash_bytes(operation.ptr, operation.len, 7), candidate);
}

uint32_t red_count_find(const struct red_counts *c, uint32_t candidate,
                        struct slice operation)
{
    return terms_find(&c->keys, key_of(candidate, operation));
}

/* NULL: the arena is full. */
static struct red_count *count_of(struct red_counts *c, uint32_t candidate,
                                  struct slice operation, bool is_peer)
{
    uint32_t known = c->keys.count;
    uint32_t n =
        terms_add_text(&c->keys, key_of(candidate, operation), operation);
    struct red_count *count =
        n == NO_INDEX ? NULL : arena_append(c->arena, &c->at, n, &c->room);

    if (!count)
        return NULL;
    if (n == known)
        *count = (struct red_count){.candidate = candidate,
                                    .operation = c->keys.at[n].text};
    if (is_peer && !count->durations)
        count->durations = arena_zero(c->arena, 1, sizeof(*count->durations));
    return !is_peer || count->durations ? count : NULL;
}

static void add_hist(const struct red_counts *c, struct hist *to,
                     const struct red_point *p, double weight)
{
    if (weight > 0)
        (void)hist_add(to, c->arena, METRIC_EXP_HISTOGRAM, p->durations, 1,
                       weight);
}

static void add_durations(const struct red_counts *c, struct red_durations *to,
                          const struct red_point *p)
{
    const struct cause_window *period = c->times->period;

    add_hist(c, &to->baseline, p,
             overlap(p, period[BASELINE].start_ns, period[BASELINE].end_ns));
    for (uint32_t i = 0; i < RCA_ATTEMPTS; i++)
        add_hist(
            c, &to->window[i], p,
            overlap(p, rca_attempt_start(c->times, i), period[WINDOW].end_ns));
}

static void count_point(void *arg, const struct red_point *p)
{
    struct red_counts *c = arg;
    uint32_t candidate = p->callee == NO_INDEX ? p->component : p->callee;
    bool is_peer = p->callee != NO_INDEX && p->callee >= c->component_count;
    struct red_count *count;

    if (p->component == NO_INDEX)
        return;
    if (p->callee != NO_INDEX)
        call_graph_add(c->graph, p->component, p->callee);
    if (p->callee != NO_INDEX && !is_peer) { /* counted where it is served */
        add_amount(c, &c->called[candidate], p, p->requests);
        add_amount(c, &c->failed_calls[candidate], p, p->errors);
        return;
    }
    count = count_of(c, candidate, p->operation, is_peer);
    if (!count)
        return;
    add_amount(c, &count->errors, p, p->errors);
    add_amount(c, &count->requests, p, p->requests);
    if (is_peer && p->durations)
        add_durations(c, count->durations, p);
    /* A call that nobody answered is counted at both ends of its edge, so what
     * was answered is known from the requests served. */
    if (!is_peer)
        add_amount(c, &c->answered[candidate], p, p->requests);
}

enum status red_counts_read(struct red_counts *c, struct reader *reader,
                            struct candidates *candidates,
                            struct call_graph *graph,
                            const struct rca_times *times, struct arena *arena)
{
    uint32_t n = candidates->component_count;
    struct cause_window time = {times->period[BASELINE].start_ns,
                                times->period[WINDOW].end_ns + NS_PER_MIN};

    *c = (struct red_counts){
        .arena = arena, .times = times, .component_count = n, .graph = graph};
    c->called = arena_zero(arena, n + 1, sizeof(*c->called));
    c->answered = arena_zero(arena, n + 1, sizeof(*c->answered));
    c->failed_calls = arena_zero(arena, n + 1, sizeof(*c->failed_calls));
    if (!terms_init(&c->keys, arena) || !c->called || !c->answered ||
        !c->failed_calls)
        return arena_status(arena);
    return red_series_read(reader, candidates, candidates->resources, time,
                           true, count_point, c);
}
