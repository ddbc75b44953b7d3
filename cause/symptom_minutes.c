#include "symptom_minutes.h"

#include <math.h>

#include "array.h"
#include "clock.h"
#include "evidence.h"
#include "quantile.h"
#include "red_series.h"

enum {
    LOOK_BACK_WINDOWS = 12, /* so many times as long as the window, */
    LOOK_BACK_MIN = 120,    /* and at least so many minutes */
    MAX_MINUTES = 1440,
    MAX_CELLS = 1 << 18, /* of all components */
    MIN_RUN = 2,         /* minutes in a row */
    MIN_FAILED = 3,      /* in a minute, unless half of the requests fail */
    MIN_KNOWN = 12,      /* of fewer minutes nothing is usual */
};
/* The better third is what is usual. */
static const double USUAL = 0.3, BEST = 0.1;
/* From the tenth part to three tenths, of a normal distribution. */
static const double USUAL_TO_BEST = 0.757;
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
    *row = (struct minute_row){
        .component = component,
        .at = arena_zero(r->arena, m->count, sizeof(*row->at)),
        .symptoms = arena_zero(r->arena, m->count, 1)};
    if (!row->at || !row->symptoms)
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
    if (!row)
        return;
    row->at[at].requests += (float)p->requests;
    row->at[at].errors += (float)p->errors;
    row->at[at].seconds += (float)p->seconds;
    m->known[at] = 1;
}

/* ---- what is unusual ---- */

/* What stands out for several minutes in a row; those without requests say
 * nothing. */
static void mark_runs(const struct symptom_minutes *m, struct minute_row *row,
                      const uint8_t *off, enum minute_symptom symptom)
{
    for (uint32_t i = 0, first = 0, last = 0, run = 0; i <= m->count; i++) {
        if (i < m->count && row->at[i].requests < 1)
            continue;
        if (i < m->count && off[i]) {
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

static void find_failing(const struct symptom_minutes *m,
                         struct minute_row *row, double *room, uint8_t *off)
{
    double requests = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->count; i++)
        if (row->at[i].requests >= 1) {
            room[n++] = row->at[i].errors / row->at[i].requests;
            requests += row->at[i].requests;
        }
    if (n < MIN_KNOWN)
        return;
    row->usual_failing = quantile(room, n, 0.5);
    for (uint32_t i = 0; i < m->count; i++) {
        double of = row->at[i].requests, failed = fmin(row->at[i].errors, of);

        off[i] = of >= 1 && (failed >= MIN_FAILED || 2 * failed >= of) &&
                 failed / of > row->usual_failing + MIN_FAILING &&
                 proportion_score(row->usual_failing * requests, requests,
                                  failed, of) >= CONFIDENT_SCORE;
    }
    mark_runs(m, row, off, SYMPTOM_FAILS);
}

static void find_slow(const struct symptom_minutes *m, struct minute_row *row,
                      double *room, uint8_t *off)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->count; i++)
        if (row->at[i].requests >= 1)
            room[n++] = row->at[i].seconds / row->at[i].requests;
    if (n < MIN_KNOWN)
        return;
    double usual = quantile(room, n, USUAL);
    double spread = (usual - quantile_sorted(room, n, BEST)) / USUAL_TO_BEST;
    double more = fmax(fmax(MIN_DEVIATIONS * spread, MIN_PART * usual),
                       SLOW_MARGIN_NS / NS_PER_S);

    row->usual_seconds = usual;
    for (uint32_t i = 0; i < m->count; i++)
        off[i] = row->at[i].requests >= 1 &&
                 row->at[i].seconds / row->at[i].requests > usual + more;
    mark_runs(m, row, off, SYMPTOM_SLOW);
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

enum status symptom_minutes_read(struct symptom_minutes *m,
                                 struct reader *reader,
                                 struct candidates *candidates,
                                 struct cause_window window,
                                 struct arena *arena)
{
    struct minute_reader r = {.minutes = m, .arena = arena};
    enum status s;

    *m = (struct symptom_minutes){0};
    if (!choose_minutes(m, candidates->component_count, window)) {
        m->count = 0;
        return OK;
    }
    r.row_of =
        arena_zero(arena, candidates->component_count + 1, sizeof(*r.row_of));
    m->known = arena_zero(arena, m->count, 1);
    uint8_t *off = arena_alloc(arena, m->count);
    double *room = arena_alloc(arena, m->count * sizeof(*room));
    if (!r.row_of || !m->known || !off || !room)
        return arena_status(arena);
    s = red_series_read(reader, candidates,
                        (struct cause_window){m->from_ns, window.end_ns}, false,
                        count_point, &r);
    for (uint32_t i = 0; i < m->row_count && s == OK; i++) {
        find_failing(m, &m->rows[i], room, off);
        find_slow(m, &m->rows[i], room, off);
    }
    return s == OK ? arena_status(arena) : s;
}
