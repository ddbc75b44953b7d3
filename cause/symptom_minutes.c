#include "symptom_minutes.h"

#include <math.h>

#include "array.h"
#include "clock.h"
#include "evidence.h"
#include "quantile.h"
#include "red_series.h"
#include "timeseries.h"

enum {
    LOOK_BACK_WINDOWS = 12, /* so many times as long as the window, */
    LOOK_BACK_MIN = 120,    /* and at least so many minutes */
    LOOK_BACK_GAPS = 4,     /* so many times more, if minutes are missing */
    MAX_MINUTES = 1440,
    MAX_CELLS = 1 << 18, /* of all components */
    MIN_RUN = 2,         /* minutes in a row */
    MIN_FAILED = 3,      /* in a minute, unless half of the requests fail */
    MIN_KNOWN = 12,      /* of fewer minutes nothing is usual */
};
/* The better third is what is usual. */
static const double USUAL = 0.3, BEST = 0.1;
/* Of a normal distribution: from the tenth part to three tenths, and what three
 * quarters of the steps from one value to the next are below. */
static const double USUAL_TO_BEST = 0.757, STEP = 1.627;
/* So many deviations, and at least this part of what is usual. */
static const double MIN_DEVIATIONS = 5, MIN_PART = 0.3;
/* A smaller share more of failing requests is not felt. */
#define MIN_FAILING (FELT_SHARE / 10)

/* ---- counting ---- */

struct minute_reader {
    struct symptom_minutes *minutes;
    struct arena *arena;
    uint32_t *row_of; /* by component: number + 1 */
    uint32_t room;
};

/* NULL: the arena is full. */
static struct minute_row *row_of(struct minute_reader *r, uint32_t component)
{
    struct symptom_minutes *m = r->minutes;
    struct minute_row *row;

    if (r->row_of[component])
        return &m->rows[r->row_of[component] - 1];
    row = arena_append(r->arena, &m->rows, m->row_count, &r->room);
    if (!row)
        return NULL;
    *row = (struct minute_row){.component = component,
                               .symptoms = arena_zero(r->arena, m->count, 1)};
    if (!row->symptoms)
        return NULL;
    r->row_of[component] = ++m->row_count;
    return row;
}

static void count_point(void *arg, const struct red_point *p)
{
    struct minute_reader *r = arg;
    struct symptom_minutes *m = r->minutes;
    uint32_t at = minute_of(m, p->start_ns);
    struct minute_row *row;

    if (p->component == NO_INDEX || p->start_ns < m->from_ns || at == m->count)
        return;
    row = row_of(r, p->component);
    if (row && !row->at)
        row->at = arena_zero(r->arena, m->count, sizeof(*row->at));
    if (!row || !row->at)
        return;
    row->at[at].requests += (float)p->requests;
    row->at[at].errors += (float)p->errors;
    row->at[at].seconds += (float)p->seconds;
    m->known[at] = 1;
}

/* ---- what is unusual ---- */

/* What is judged minute by minute, in parts: each against the known minutes
 * before it that are not off themselves. */
struct minute_judge {
    struct symptom_minutes *minutes;
    uint32_t before; /* minutes before the first part: it is judged with them */
    uint32_t part;   /* minutes */
    uint32_t most;   /* known minutes that a part is judged by */
    bool grows;      /* parts are short where little is known before them */
    double *values;  /* by minute; NAN: not known */
    double *room;
    uint8_t *off;
    /* Of the part that is being judged: */
    uint32_t began;           /* the first known minute of all */
    uint32_t from, to, until; /* its minutes; the minutes before `until` are
                                 the usual ones, */
    uint32_t first, known;    /* from `first` on, of which so many are known */
};

/* Where enough is known to judge by, at the earliest. Of a component that was
 * not there before, these are its first minutes. */
static uint32_t first_usual(const struct minute_judge *j)
{
    uint32_t known = 0, i = 0;

    while (i < j->minutes->count && known < MIN_KNOWN)
        known += isnan(j->values[i++]) ? 0 : 1;
    return i > j->before ? i : j->before;
}

static void first_part(struct minute_judge *j)
{
    memset(j->off, 0, j->minutes->count);
    j->to = j->began = 0;
    while (j->began < j->minutes->count && isnan(j->values[j->began]))
        j->began++;
}

/* False: there is none any more. Where parts grow, one is at most as long as
 * what it is judged by. */
static bool next_part(struct minute_judge *j)
{
    uint32_t length = j->part, count = j->minutes->count;

    if (j->to == count)
        return false;
    j->from = j->to;
    j->until = j->to > 0 ? j->to : j->grows ? first_usual(j) : j->before;
    if (j->grows && j->until > j->began && length > j->until - j->began)
        length = j->until - j->began;
    if (length < MIN_KNOWN)
        length = MIN_KNOWN;
    j->to = count - j->until > length ? j->until + length : count;
    return true;
}

static bool is_usual(const struct minute_judge *j, uint32_t minute)
{
    return !isnan(j->values[minute]) && !j->off[minute];
}

/* What stands out for several minutes in a row; those of which nothing is known
 * say nothing. */
static void mark_runs(const struct minute_judge *j, struct minute_row *row,
                      enum minute_symptom symptom)
{
    uint32_t count = j->minutes->count;

    for (uint32_t i = 0, first = 0, last = 0, run = 0; i <= count; i++) {
        if (i < count && isnan(j->values[i]))
            continue;
        if (i < count && j->off[i]) {
            first = run == 0 ? i : first;
            last = i;
            run++;
            continue;
        }
        for (uint32_t k = first; run >= MIN_RUN && k <= last; k++)
            row->symptoms[k] = (uint8_t)(row->symptoms[k] | symptom);
        run = 0;
    }
}

static bool has_values(const struct minute_judge *j)
{
    for (uint32_t i = j->from; i < j->to; i++)
        if (!isnan(j->values[i]))
            return true;
    return false;
}

/* Sorts the known values before the part; false: they are too few, or there is
 * nothing to judge. */
static bool sort_known(struct minute_judge *j)
{
    uint32_t reach = LOOK_BACK_GAPS * j->most;
    uint32_t end = j->until > reach ? j->until - reach : 0;

    j->known = 0;
    if (!has_values(j))
        return false;
    for (j->first = j->until; j->first > end && j->known < j->most; j->first--)
        if (is_usual(j, j->first - 1))
            j->room[j->known++] = j->values[j->first - 1];
    values_sort(j->room, j->known);
    return j->known >= MIN_KNOWN;
}

static void judge_failing(struct minute_judge *j, const struct minute_row *row)
{
    double requests = 0;

    if (!sort_known(j))
        return;
    for (uint32_t i = j->first; i < j->until; i++)
        requests += j->off[i] ? 0 : row->at[i].requests;
    double usual = quantile_sorted(j->room, j->known, 0.5);
    for (uint32_t i = j->from; i < j->to; i++) {
        double of = row->at[i].requests, failed = j->values[i] * of;

        j->off[i] = (failed >= MIN_FAILED || 2 * failed >= of) &&
                    j->values[i] > usual + MIN_FAILING &&
                    proportion_score(usual * requests, requests, failed, of) >=
                        CONFIDENT_SCORE;
    }
}

static void find_failing(struct minute_judge *j, struct minute_row *row)
{
    for (uint32_t i = 0; i < j->minutes->count; i++) {
        double of = row->at[i].requests;

        j->values[i] = of >= 1 ? fmin(row->at[i].errors / of, 1) : (double)NAN;
    }
    for (first_part(j); next_part(j);)
        judge_failing(j, row);
    mark_runs(j, row, SYMPTOM_FAILS);
}

/* How far values are from each other without a fault: by those below the usual,
 * and by steps from minute to minute, of which a fault has two. */
static double spread_of(const struct minute_judge *j)
{
    double below = quantile_sorted(j->room, j->known, USUAL) -
                   quantile_sorted(j->room, j->known, BEST);
    double last = (double)NAN;
    uint32_t n = 0;

    for (uint32_t i = j->first; i < j->until; i++) {
        if (!is_usual(j, i))
            continue;
        if (!isnan(last))
            j->room[n++] = fabs(j->values[i] - last);
        last = j->values[i];
    }
    return fmax(below / USUAL_TO_BEST, quantile(j->room, n, 0.75) / STEP);
}

/* Values that are more than usual, by as much as `least` in any case. */
static void judge_more(struct minute_judge *j, double least)
{
    if (!sort_known(j))
        return;
    double usual = quantile_sorted(j->room, j->known, USUAL);
    double more = fmax(MIN_DEVIATIONS * spread_of(j),
                       fmax(MIN_PART * fabs(usual), least));

    for (uint32_t i = j->from; i < j->to; i++)
        j->off[i] = j->values[i] > usual + more;
}

static void find_more(struct minute_judge *j, struct minute_row *row,
                      double least, enum minute_symptom symptom)
{
    for (first_part(j); next_part(j);)
        judge_more(j, least);
    mark_runs(j, row, symptom);
}

static void find_slow(struct minute_judge *j, struct minute_row *row)
{
    for (uint32_t i = 0; i < j->minutes->count; i++)
        j->values[i] = row->at[i].requests >= 1
                           ? row->at[i].seconds / row->at[i].requests
                           : (double)NAN;
    find_more(j, row, SLOW_MARGIN_NS / NS_PER_S, SYMPTOM_SLOW);
}

/* ---- metrics ---- */

/* Of a class of which more is worse, or less. */
static bool shows_symptoms(enum metric_class class)
{
    return class == CLASS_CPU || class == CLASS_MEMORY || class == CLASS_DISK ||
           class == CLASS_DROPS || class == CLASS_POOL ||
           class == CLASS_QUEUE || class == CLASS_LATENCY ||
           class == CLASS_ERRORS || class == CLASS_SUCCESS;
}

static void find_far(struct minute_judge *j, struct minute_row *row,
                     const struct timeseries *t)
{
    struct symptom_minutes *m = j->minutes;
    double sign = t->less_is_worse ? -1 : 1;
    bool fails = t->is_share || t->class == CLASS_ERRORS;

    for (uint32_t i = 0; i < m->count; i++)
        j->values[i] = (double)NAN;
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = minute_of(m, t->at[i].time_ns);

        if (at == m->count)
            continue;
        j->values[at] = sign * t->at[i].value;
        m->known[at] = 1;
    }
    find_more(j, row, t->is_share ? MIN_FAILING : 0,
              fails ? SYMPTOM_FAILS : SYMPTOM_SLOW);
}

/* Of systems whose requests are not seen. */
static enum status read_metrics(struct minute_reader *r, struct reader *reader,
                                struct candidates *candidates,
                                struct cause_window time,
                                struct minute_judge *judge)
{
    struct arena arena;
    struct timeseries_list list;
    enum status s;

    arena_begin(&arena, r->arena);
    s = timeseries_read_minutes(&list, reader, candidates, time, &arena);
    for (uint32_t i = 0; i < list.count && s == OK; i++) {
        const struct timeseries *t = &list.at[i];
        struct minute_row *row = shows_symptoms((enum metric_class)t->class)
                                     ? row_of(r, t->component)
                                     : NULL;

        if (row)
            find_far(judge, row, t);
    }
    arena_release(&arena);
    return s;
}

/* ---- all of it ---- */

/* False: it is too long. */
static bool choose_minutes(struct symptom_minutes *m, uint32_t components,
                           struct cause_window w)
{
    uint64_t end = (w.end_ns + NS_PER_MIN - 1) / NS_PER_MIN;
    uint64_t window = end - w.start_ns / NS_PER_MIN;
    uint64_t most = MAX_CELLS / (components + 1);
    uint64_t count = (LOOK_BACK_WINDOWS + 1) * window;

    if (count < LOOK_BACK_MIN + window)
        count = LOOK_BACK_MIN + window;
    if (most > MAX_MINUTES)
        most = MAX_MINUTES;
    if (count > most)
        count = most;
    if (count > end)
        count = end;
    m->count = (uint32_t)count;
    m->from_ns = (end - count) * NS_PER_MIN;
    return count > 2 * window;
}

static enum status judge_init(struct minute_judge *j, struct symptom_minutes *m,
                              const struct minutes_span *span,
                              struct arena *arena)
{
    *j = (struct minute_judge){
        .minutes = m,
        .before = minute_of(m, span->judged_ns),
        .part = span->part,
        .most = span->most,
        .grows = span->grows,
        .values = arena_alloc(arena, m->count * sizeof(double)),
        .room = arena_alloc(arena, m->count * sizeof(double)),
        .off = arena_alloc(arena, m->count)};
    return j->values && j->room && j->off ? OK : arena_status(arena);
}

bool minutes_are_enough(const struct symptom_minutes *m, uint32_t end)
{
    uint32_t known = 0;

    for (uint32_t i = 0; i < end && known < MIN_KNOWN; i++)
        known += m->known[i];
    return known == MIN_KNOWN;
}

enum status symptom_minutes_judge(struct symptom_minutes *m,
                                  struct reader *reader,
                                  struct candidates *candidates,
                                  const struct minutes_span *span,
                                  struct arena *arena)
{
    struct cause_window time = {span->from_ns, span->end_ns};
    struct minute_judge judge;
    struct minute_reader r = {.minutes = m, .arena = arena};
    enum status s;

    *m = (struct symptom_minutes){
        .from_ns = span->from_ns,
        .count = (uint32_t)((span->end_ns + NS_PER_MIN - 1 - span->from_ns) /
                            NS_PER_MIN)};
    s = judge_init(&judge, m, span, arena);
    r.row_of =
        arena_zero(arena, candidates->component_count + 1, sizeof(*r.row_of));
    m->known = arena_zero(arena, m->count, 1);
    if (s != OK || !r.row_of || !m->known)
        return arena_status(arena);
    if (span->what & MINUTES_OF_REQUESTS)
        s = red_series_read(reader, candidates, candidates->resources, time,
                            false, count_point, &r);
    if (m->row_count > 0 && !minutes_are_enough(m, judge.before))
        judge.grows = true; /* there is nothing else to judge by */
    for (uint32_t i = 0; i < m->row_count && s == OK && m->rows[i].at; i++) {
        find_failing(&judge, &m->rows[i]);
        find_slow(&judge, &m->rows[i]);
    }
    if (s == OK && m->row_count == 0 && span->what & MINUTES_OF_METRICS)
        s = read_metrics(&r, reader, candidates, time, &judge);
    return s == OK ? arena_status(arena) : s;
}

enum status symptom_minutes_read(struct symptom_minutes *m,
                                 struct reader *reader,
                                 struct candidates *candidates,
                                 struct cause_window window,
                                 struct arena *arena)
{
    *m = (struct symptom_minutes){0};
    if (!choose_minutes(m, candidates->component_count, window)) {
        m->count = 0;
        return OK;
    }
    const struct minutes_span span = {.from_ns = m->from_ns,
                                      .judged_ns = window.start_ns,
                                      .end_ns = window.end_ns,
                                      .part = m->count,
                                      .most = m->count,
                                      .what = MINUTES_OF_REQUESTS |
                                              MINUTES_OF_METRICS};

    return symptom_minutes_judge(m, reader, candidates, &span, arena);
}
