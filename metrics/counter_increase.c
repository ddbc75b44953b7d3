/*
 * Keeping the points of a cumulative stream, and walking along them. The rules
 * are told in counter_increase.h; step() has them.
 */
#include "counter_increase.h"

#include <math.h>

#include "metric_names.h"

enum { FIRST_ROOM = 16, MAX_STARTS = 8, MAX_WRITERS = 64 };

/* Prometheus' word for a counter; without a type it comes as a gauge. */
static bool is_total(struct slice name)
{
    struct slice total = SLICE("_total");

    return name.len > total.len &&
           slice_equal(slice_from(name, name.len - total.len), total);
}

enum metric_mode metric_mode(const struct metric *metric,
                             const struct metric_name *known)
{
    bool number = metric->type <= METRIC_SUM;
    bool counter = known ? known->kind != KIND_GAUGE : is_total(metric->name);

    if (metric->type != METRIC_GAUGE && metric->type != METRIC_SUMMARY &&
        metric->temporality == DELTA)
        return MODE_DELTA;
    if (!number || counter)
        return MODE_COUNTER;
    if (metric->type == METRIC_GAUGE || !metric->monotonic || known)
        return MODE_GAUGE;
    return MODE_COUNTER;
}

/* ---- keeping points ---- */

static bool same_start(const struct counter_point *a,
                       const struct counter_point *b)
{
    return a->start_ns == b->start_ns;
}

/* Is b, between a and c, without news? loose: starts do not matter. */
static bool tells_nothing(const struct counter_point *a,
                          const struct counter_point *b,
                          const struct counter_point *c, bool loose)
{
    return b->cell == c->cell && a->value <= b->value && b->value <= c->value &&
           (loose || (same_start(a, b) && same_start(b, c)));
}

/* Behind the points their room holds what extra memory was left over, or NULL:
 * it is used again. */
static bool more_room(struct counter_track *track, struct arena *arena)
{
    uint32_t room = track->room ? 2 * track->room : FIRST_ROOM;
    struct counter_point *at;

    /* One for each cell, mostly: in an arena each step is memory lost. */
    if (track->room && track->room < track->cells + FIRST_ROOM)
        room = track->cells + FIRST_ROOM;
    if (room > track->max)
        room = track->max;
    at = arena_zero(arena, room, sizeof(*at));
    if (!at)
        return false;
    if (track->room > 0)
        memcpy(at, track->at, track->room * sizeof(*at));
    track->at = at;
    track->room = room;
    return true;
}

static void drop(struct counter_track *track, uint32_t i)
{
    struct counter_point dropped = track->at[i];

    track->count--;
    memmove(&track->at[i], &track->at[i + 1],
            (track->count - i) * sizeof(*track->at));
    track->at[track->count] = dropped;
}

/* The nearest point of this start in at[from..to), looked for from the end or
 * from the beginning; NULL if there is none nearby. */
static const struct counter_point *find_last(const struct counter_point *at,
                                             uint32_t to, uint64_t start_ns)
{
    for (uint32_t k = to; k > 0 && to - k < MAX_WRITERS; k--)
        if (at[k - 1].start_ns == start_ns)
            return &at[k - 1];
    return NULL;
}

static const struct counter_point *find_next(const struct counter_point *at,
                                             uint32_t from, uint32_t to,
                                             uint64_t start_ns)
{
    for (uint32_t k = from; k < to && k - from < MAX_WRITERS; k++)
        if (at[k].start_ns == start_ns)
            return &at[k];
    return NULL;
}

/* Drops what tells nothing beside its neighbours: those of its own start, or,
 * loose, any. */
static void thin_out(struct counter_track *track, bool loose)
{
    struct counter_point *at = track->at;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < track->count; i++) {
        struct counter_point p = at[i];
        const struct counter_point *a, *c;

        a = loose ? (kept > 0 ? &at[kept - 1] : NULL)
                  : find_last(at, kept, p.start_ns);
        c = loose ? (i + 1 < track->count ? &at[i + 1] : NULL)
                  : find_next(at, i + 1, track->count, p.start_ns);
        if (a && c && tells_nothing(a, &p, c, loose))
            continue;
        at[i] = at[kept];
        at[kept++] = p;
    }
    track->count = kept;
}

/* Where p belongs: behind all that are older, or as old with no later start. */
static uint32_t place_of(const struct counter_track *track,
                         const struct counter_point *p)
{
    uint32_t i = track->count;

    while (i > 0 && (track->at[i - 1].time_ns > p->time_ns ||
                     (track->at[i - 1].time_ns == p->time_ns &&
                      track->at[i - 1].start_ns > p->start_ns)))
        i--;
    return i;
}

/* p is at[i] from now on; the one behind it may be without news by that. What
 * is kept does so not depend on the order in which points come. */
static enum counter_added put(struct counter_track *track, uint32_t i,
                              const struct counter_point *p,
                              struct counter_point **slot)
{
    track->at[i] = *p;
    if (i + 2 < track->count && tells_nothing(&track->at[i], &track->at[i + 1],
                                              &track->at[i + 2], false))
        drop(track, i + 1);
    *slot = &track->at[i];
    return COUNTER_STORED;
}

static enum counter_added insert(struct counter_track *track,
                                 struct arena *arena, uint32_t i,
                                 struct counter_point *p,
                                 struct counter_point **slot)
{
    if (track->count == track->room && track->room < track->max &&
        !more_room(track, arena))
        return COUNTER_FULL;
    if (track->count == track->room) {
        /* More writers than one, or more resets than there is room for. */
        thin_out(track, false);
        if (2 * track->count > track->max)
            thin_out(track, true);
        if (track->count == track->room)
            return COUNTER_IGNORED;
        i = place_of(track, p);
    }
    p->extra = track->at[track->count].extra;
    memmove(&track->at[i + 1], &track->at[i],
            (track->count - i) * sizeof(*track->at));
    track->count++;
    return put(track, i, p, slot);
}

enum counter_added counter_add(struct counter_track *track, struct arena *arena,
                               const struct counter_point *point,
                               struct counter_point **slot)
{
    struct counter_point p = *point, *at = track->at;
    uint32_t i = place_of(track, &p), n = track->count;

    if (!isfinite(p.value))
        return COUNTER_IGNORED;
    if (i > 0 && at[i - 1].time_ns == p.time_ns && same_start(&at[i - 1], &p)) {
        if (p.value <= at[i - 1].value)
            return COUNTER_IGNORED; /* the same again */
        p.extra = at[i - 1].extra;
        return put(track, i - 1, &p, slot);
    }
    if (track->after && p.cell == track->after && i > 0 &&
        at[i - 1].cell == track->after)
        return COUNTER_IGNORED;
    if (i > 1 && tells_nothing(&at[i - 2], &at[i - 1], &p, false)) {
        p.extra = at[i - 1].extra;
        return put(track, i - 1, &p, slot);
    }
    if (i > 0 && i < n && tells_nothing(&at[i - 1], &p, &at[i], false))
        return COUNTER_IGNORED;
    return insert(track, arena, i, &p, slot);
}

/* ---- walking along them ---- */

struct counter_walk {
    const struct counter_rules *rules;
    counter_visit *visit;
    void *arg;
    bool ignore_starts;
    uint64_t starts[MAX_STARTS]; /* seen; those since long are forgotten */
    uint32_t start_count;
    double rate; /* of the growth before; below 0: unknown */
    struct counter_increase
        waits; /* visited when it is known whether more follows */
    bool waiting;
};

static bool was_seen(const struct counter_walk *w, uint64_t start_ns)
{
    uint32_t n = w->start_count < MAX_STARTS ? w->start_count : MAX_STARTS;

    for (uint32_t i = 0; i < n; i++)
        if (w->starts[i] == start_ns)
            return true;
    return false;
}

static void note_start(struct counter_walk *w, uint64_t start_ns)
{
    if (!was_seen(w, start_ns))
        w->starts[w->start_count++ % MAX_STARTS] = start_ns;
}

static double seconds(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e9;
}

/* The start is at or after the point before, and the value did not fall: does
 * what follows explain it better that the counter went on? */
static bool went_on(const struct counter_walk *w,
                    const struct counter_point *before,
                    const struct counter_point *after)
{
    const double TIMES = 10;
    double usual = w->rate, grown = after->value - before->value;

    if (usual < 0 && before->start_ns && before->start_ns < before->time_ns)
        usual = before->value / seconds(before->start_ns, before->time_ns);
    if (usual < 0)
        return grown * TIMES < after->value;
    return after->value / seconds(after->start_ns, after->time_ns) >
           TIMES *
               fmax(usual, grown / seconds(before->time_ns, after->time_ns));
}

enum step { NOTHING, PASS_OVER, ON, ANEW };

/* PASS_OVER: the point after is no base for the next one. */
static enum step step(const struct counter_walk *w,
                      const struct counter_point *before,
                      const struct counter_point *after)
{
    uint64_t start = w->ignore_starts ? 0 : after->start_ns;
    bool baseline = start >= after->time_ns;

    if (!before)
        return start && !baseline && start > w->rules->read_from_ns ? ANEW
                                                                    : NOTHING;
    if (after->value < before->value) {
        if (start == 0 || same_start(before, after))
            return ANEW;
        if (baseline)
            return NOTHING;
        if (start >= before->time_ns)
            return ANEW;
        if (was_seen(w, start))
            return PASS_OVER; /* a second collector, a little behind */
        return start > w->rules->read_from_ns ? ANEW : NOTHING;
    }
    if (start == 0 || before->start_ns == 0 || same_start(before, after) ||
        baseline || start < before->time_ns)
        return ON;
    return went_on(w, before, after) ? ON : ANEW;
}

static bool flush(struct counter_walk *w, bool newest)
{
    if (!w->waiting)
        return true;
    w->waiting = false;
    w->waits.newest = newest;
    return w->visit(w->arg, &w->waits);
}

static bool take(struct counter_walk *w, const struct counter_point **before,
                 const struct counter_point *after)
{
    enum step s = step(w, *before, after);
    uint64_t from = *before ? (*before)->time_ns : 0;

    if (!w->ignore_starts && after->start_ns)
        note_start(w, after->start_ns);
    if (s == PASS_OVER)
        return true;
    if (s == ANEW && after->value < 0)
        s = NOTHING; /* no counter: what it has counted is not known */
    if (!flush(w, false))
        return false;
    if (s == ANEW && !w->ignore_starts && after->start_ns > from)
        from = after->start_ns;
    if (s != NOTHING && from > 0 && from < after->time_ns &&
        after->time_ns - from <= w->rules->max_gap_ns) {
        w->waits = (struct counter_increase){.before = s == ON ? *before : NULL,
                                             .after = after,
                                             .from_ns = from,
                                             .to_ns = after->time_ns};
        w->waiting = true;
        w->rate =
            counter_increase_amount(&w->waits) / seconds(from, after->time_ns);
    }
    *before = after;
    return true;
}

/* The points with this start, or all. */
static bool walk_some(struct counter_walk *w, const struct counter_track *track,
                      bool all, uint64_t start_ns)
{
    const struct counter_point *before = NULL;

    w->rate = -1;
    w->start_count = 0;
    for (uint32_t i = 0; i < track->count; i++) {
        const struct counter_point *p = &track->at[i];

        if (!all && p->start_ns != start_ns)
            continue;
        /* Of points of one time the one with the latest start. */
        if (all && i + 1 < track->count && p[1].time_ns == p->time_ns)
            continue;
        if (!take(w, &before, p))
            return false;
    }
    return flush(w, true);
}

/* Every point has a later start than the one before, and values only rise: a
 * sender that moves the start without a reset, if restarts would have to be
 * that alike: one within a hundredth, two within a tenth, or three at all. */
static bool starts_move_always(const struct counter_track *track)
{
    const double HUNDREDTH = 0.01, TENTH = 0.1;
    double most = 0;

    for (uint32_t i = 1; i < track->count; i++) {
        const struct counter_point *p = &track->at[i];

        if (p->value <= p[-1].value || p->start_ns <= p[-1].start_ns ||
            p->start_ns >= p->time_ns)
            return false;
        most = fmax(most, (p->value - p[-1].value) / p->value);
    }
    return track->count > 3 || (track->count == 3 && most < TENTH) ||
           (track->count == 2 && most < HUNDREDTH);
}

/* Where the start changes back to one that was seen, is the value lower by
 * more than two readings of one counter at nearly the same time can be? */
static bool are_many_writers(const struct counter_track *track)
{
    const double TENTH = 0.1;

    for (uint32_t i = 1; i < track->count; i++) {
        const struct counter_point *p = &track->at[i], *own;

        if (p->value >= p[-1].value || same_start(p, p - 1) ||
            p->start_ns == 0 || p[-1].start_ns == 0)
            continue;
        own = find_last(track->at, i, p->start_ns);
        if (own && p->value >= own->value &&
            p[-1].value - p->value > TENTH * (p->value - own->value))
            return true;
    }
    return false;
}

/* Each start by itself; of more than there is room for the rest is left out. */
static bool walk_each(struct counter_walk *w, const struct counter_track *track)
{
    uint64_t starts[MAX_WRITERS];
    uint32_t count = 0;

    for (uint32_t i = 0; i < track->count && count < MAX_WRITERS; i++) {
        uint64_t start = track->at[i].start_ns;
        uint32_t k = 0;

        while (k < count && starts[k] != start)
            k++;
        if (k < count)
            continue;
        starts[count++] = start;
        if (!walk_some(w, track, false, start))
            return false;
    }
    return true;
}

bool counter_walk(const struct counter_track *track,
                  const struct counter_rules *rules, counter_visit *visit,
                  void *arg)
{
    struct counter_walk w = {.rules = rules, .visit = visit, .arg = arg};

    w.ignore_starts = starts_move_always(track);
    return are_many_writers(track) ? walk_each(&w, track)
                                   : walk_some(&w, track, true, 0);
}
