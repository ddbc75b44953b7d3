/*
 * The points of a cumulative stream are stored as they come, then visited in
 * order of time. counter_increase.h has the rules; classify() carries them out.
 */
#include "counter_increase.h"

#include <math.h>

#include "metric_names.h"

enum { FIRST_ROOM = 16, MAX_STARTS = 8, MAX_WRITERS = 64 };

/* Prometheus' word for a counter, after its name; without a type it comes as a
 * gauge. */
static bool is_total(struct slice name)
{
    struct slice total = SLICE("_total");

    return name.len > total.len && slice_ends(name, total);
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

/* ---- storing points ---- */

static bool same_start(const struct counter_point *a,
                       const struct counter_point *b)
{
    return a->start_ns == b->start_ns;
}

/* Whether b, between a and c, shows nothing that they do not. loose: start
 * times do not matter. */
static bool is_redundant(const struct counter_point *a,
                         const struct counter_point *b,
                         const struct counter_point *c, bool loose)
{
    return b->cell == c->cell && a->value <= b->value && b->value <= c->value &&
           (loose || (same_start(a, b) && same_start(b, c)));
}

/* A dropped point moves behind the last one; its `extra` is reused by the next
 * insert. */
static bool more_room(struct counter_track *track, struct arena *arena)
{
    uint32_t room = track->room ? 2 * track->room : FIRST_ROOM;
    struct counter_point *at;

    /* Mostly one per cell: in an arena each smaller array is memory lost. */
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

/* The nearest point with this start before at[to], or from at[from] on; NULL if
 * there is none among the next ones. */
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

/* Drops the points that are redundant between their neighbours of the same
 * start, or, loose, of any. */
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
        if (a && c && is_redundant(a, &p, c, loose))
            continue;
        at[i] = at[kept];
        at[kept++] = p;
    }
    track->count = kept;
}

/* The place of p: after all that are older, or as old with no later start. */
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

/* Stores p as at[i], and drops the point after it if p makes it redundant, so
 * that what is stored does not depend on the order of arrival. */
static enum counter_added store_at(struct counter_track *track, uint32_t i,
                                   const struct counter_point *p,
                                   struct counter_point **slot)
{
    track->at[i] = *p;
    if (i + 2 < track->count && is_redundant(&track->at[i], &track->at[i + 1],
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
        /* Several writers, or more resets than there is room for. */
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
    return store_at(track, i, p, slot);
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
            return COUNTER_IGNORED; /* a duplicate */
        p.extra = at[i - 1].extra;
        return store_at(track, i - 1, &p, slot);
    }
    if (track->after && p.cell == track->after && i > 0 &&
        at[i - 1].cell == track->after)
        return COUNTER_IGNORED;
    if (i > 1 && is_redundant(&at[i - 2], &at[i - 1], &p, false)) {
        p.extra = at[i - 1].extra;
        return store_at(track, i - 1, &p, slot);
    }
    if (i > 0 && i < n && is_redundant(&at[i - 1], &p, &at[i], false))
        return COUNTER_IGNORED;
    return insert(track, arena, i, &p, slot);
}

/* ---- visiting increases ---- */

struct counter_walk {
    const struct counter_rules *rules;
    counter_visit *visit;
    void *arg;
    bool ignore_starts;
    uint64_t starts[MAX_STARTS]; /* seen; the oldest are overwritten */
    uint32_t start_count;
    double rate; /* of the increase before; below 0: unknown */
    struct counter_increase pending; /* until the next one is known */
    bool has_pending;
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

/* The start is at or after the previous point, and the value did not fall:
 * whether the rates say that only the start moved. */
static bool start_moved(const struct counter_walk *w,
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

enum step {
    UNKNOWN,   /* how much was counted since the previous point */
    DUPLICATE, /* of an older point: not to be compared with the next one */
    CONTINUED, /* no reset */
    RESET
};

/* The value fell. */
static enum step classify_fall(const struct counter_walk *w,
                               const struct counter_point *before,
                               const struct counter_point *after,
                               uint64_t start)
{
    if (start == 0 || same_start(before, after))
        return RESET;
    if (start >= after->time_ns)
        return UNKNOWN;
    if (start >= before->time_ns)
        return RESET;
    if (was_seen(w, start))
        return DUPLICATE; /* a second collector, a little late */
    return start > w->rules->read_from_ns ? RESET : UNKNOWN;
}

static enum step classify(const struct counter_walk *w,
                          const struct counter_point *before,
                          const struct counter_point *after)
{
    uint64_t start = w->ignore_starts ? 0 : after->start_ns;
    bool baseline = start >= after->time_ns;

    if (!before)
        return !baseline && start > w->rules->read_from_ns ? RESET : UNKNOWN;
    if (after->value < before->value)
        return classify_fall(w, before, after, start);
    if (start == 0 || before->start_ns == 0 || same_start(before, after) ||
        baseline || start < before->time_ns || start_moved(w, before, after))
        return CONTINUED;
    return RESET;
}

static bool visit_pending(struct counter_walk *w, bool newest)
{
    if (!w->has_pending)
        return true;
    w->has_pending = false;
    w->pending.newest = newest;
    return w->visit(w->arg, &w->pending);
}

/* The increase until `after`, pending, if its time is one that counts. */
static void set_pending(struct counter_walk *w,
                        const struct counter_point *before,
                        const struct counter_point *after, enum step step)
{
    uint64_t from = before ? before->time_ns : 0, to = after->time_ns;

    if (step == RESET && !w->ignore_starts && after->start_ns > from)
        from = after->start_ns;
    if (from == 0 || from >= to || to - from > w->rules->max_gap_ns)
        return;
    w->pending =
        (struct counter_increase){.before = step == CONTINUED ? before : NULL,
                                  .after = after,
                                  .from_ns = from,
                                  .to_ns = to};
    w->has_pending = true;
    w->rate = counter_increase_amount(&w->pending) / seconds(from, to);
}

static bool add_point(struct counter_walk *w,
                      const struct counter_point **before,
                      const struct counter_point *after)
{
    enum step step = classify(w, *before, after);

    if (!w->ignore_starts && after->start_ns)
        note_start(w, after->start_ns);
    if (step == DUPLICATE)
        return true;
    if (!visit_pending(w, false))
        return false;
    /* A value below zero is no counter's. */
    if (step == CONTINUED || (step == RESET && !(after->value < 0)))
        set_pending(w, *before, after, step);
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
        if (!add_point(w, &before, p))
            return false;
    }
    return visit_pending(w, true);
}

/* Every point has a later start than the one before, and values only rise: the
 * sender moves the start without a reset. Resets would have to be very alike:
 * one within a hundredth, two within a tenth, or three of any kind. */
static bool starts_always_move(const struct counter_track *track)
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

/* Whether, where the start changes back to one that was seen, the value is
 * lower by more than two samples of one counter at nearly the same time can
 * differ. */
static bool has_many_writers(const struct counter_track *track)
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

/* Each start separately, the first MAX_WRITERS of them. */
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

    w.ignore_starts = starts_always_move(track);
    return has_many_writers(track) ? walk_each(&w, track)
                                   : walk_some(&w, track, true, 0);
}
