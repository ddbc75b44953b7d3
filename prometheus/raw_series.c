/*
 * Points put together into series, before they are what Prometheus has.
 */
#include "array.h"
#include "clock.h"
#include "selection.h"

/* Numbers of any kind become the same series. */
static bool views_agree(const struct metric_view *a,
                        const struct metric_view *b)
{
    bool numbers = a->type <= METRIC_SUM && b->type <= METRIC_SUM;

    return a == b ||
           (a->delta == b->delta && a->derived == b->derived &&
            (numbers || a->type == b->type) && slice_equal(a->base, b->base));
}

struct raw *raw_find(struct raw_table *table, const struct metric_view *view,
                     const struct promql_labels *labels)
{
    uint64_t hash =
        hash_mix(promql_labels_hash(labels), view->type <= METRIC_SUM);
    struct raw *raw, **slot;

    map_each(&table->index, map_hash(hash), at) {
        raw = table->at[at];
        if (raw->hash == hash && views_agree(raw->view, view) &&
            promql_labels_equal(&raw->labels, labels))
            return raw;
    }
    table->index.arena = table->arena;
    raw = arena_zero(table->arena, 1, sizeof(*raw));
    slot = arena_append(table->arena, &table->at, table->count, &table->room);
    if (!raw || !slot || !map_add(&table->index, map_hash(hash), table->count))
        return NULL;
    table->count++;
    *slot = raw;
    *raw = (struct raw){.hash = hash,
                        .view = view,
                        .labels = promql_labels_copy(table->arena, labels)};
    return raw;
}

/* ---- samples ---- */

static const uint64_t *copy_counts(const uint64_t *counts, uint32_t count,
                                   struct arena *arena)
{
    uint64_t *at =
        count > 0 && counts ? arena_alloc(arena, count * sizeof(*at)) : NULL;

    if (at)
        memcpy(at, counts, count * sizeof(*at));
    return at;
}

static const double *copy_doubles(const double *values, uint32_t count,
                                  struct arena *arena)
{
    double *at =
        count > 0 && values ? arena_alloc(arena, count * sizeof(*at)) : NULL;

    if (at)
        memcpy(at, values, count * sizeof(*at));
    return at;
}

static const struct histogram *copy_histogram(const struct histogram *from,
                                              struct arena *arena)
{
    struct histogram *h = arena_alloc(arena, sizeof(*h));

    if (!h)
        return NULL;
    *h = *from;
    h->bounds = copy_doubles(from->bounds, from->bound_count, arena);
    h->values = copy_doubles(from->values, from->bound_count, arena);
    h->counts = copy_counts(from->counts, from->bound_count + 1, arena);
    h->positive.counts =
        copy_counts(from->positive.counts, from->positive.count, arena);
    h->negative.counts =
        copy_counts(from->negative.counts, from->negative.count, arena);
    return h;
}

static bool is_number_list(const struct raw *raw, int list)
{
    return raw->view->type <= METRIC_SUM || list != LIST_MAIN;
}

void raw_add(struct raw *raw, struct arena *arena, int list,
             const struct point *point, int sign)
{
    struct sample_list *l = &raw->lists[list];
    bool stale = point->flags & POINT_NO_VALUE;
    struct sample *s;

    s = arena_append(arena, &l->at, l->count, &l->room);
    if (!s)
        return;
    s->time_ms = (int64_t)(point->time_ns / NS_PER_MS);
    if (raw->view->delta)
        s->sign = sign;
    else
        s->start_ms = (int64_t)(point->start_ns / NS_PER_MS);
    if (is_number_list(raw, list))
        s->value = stale           ? promql_stale()
                   : point->is_int ? (double)point->i
                                   : point->d;
    else if (raw->view->counts)
        s->value = stale ? promql_stale() : (double)point->histogram->count;
    else
        s->histogram = stale ? NULL : copy_histogram(point->histogram, arena);
    l->unordered |= l->count > 0 && l->at[l->count - 1].time_ms > s->time_ms;
    l->count++;
}

/* Room for `more` samples; at first for so many chunks of as many. */
static bool reserve(struct sample_list *l, struct arena *arena, uint32_t more,
                    uint32_t chunks)
{
    uint64_t room =
        l->room > 0 ? (uint64_t)l->room * 2 + more : (uint64_t)more * chunks;
    struct sample *at;

    if (more <= l->room - l->count)
        return true;
    at = arena_alloc(arena, room < UINT32_MAX ? (size_t)room * sizeof(*at)
                                              : SIZE_MAX / 2);
    if (!at)
        return false;
    if (l->count > 0)
        memcpy(at, l->at, l->count * sizeof(*at));
    l->at = at;
    l->room = (uint32_t)room;
    return true;
}

void raw_add_counts(struct raw *raw, struct arena *arena, int list,
                    const struct series_counts *counts, int sign,
                    uint32_t chunks)
{
    struct sample_list *l = &raw->lists[list];

    if (!reserve(l, arena, counts->count, chunks))
        return;

    struct sample *s = l->at + l->count;
    bool delta = raw->view->delta, unordered = false;
    int64_t last = l->count > 0 ? s[-1].time_ms : INT64_MIN;

    for (uint32_t i = 0; i < counts->count; i++, s++) {
        s->time_ms = (int64_t)(counts->times_ns[i] / NS_PER_MS);
        s->start_ms =
            delta ? sign : (int64_t)(counts->starts_ns[i] / NS_PER_MS);
        s->value = counts->flags[i] & POINT_NO_VALUE
                       ? promql_stale()
                       : (double)counts->counts[i];
        unordered |= last > s->time_ms;
        last = s->time_ms;
    }
    l->unordered |= unordered;
    l->count += counts->count;
}

/* A stable merge sort: of equal times the later one stays behind. */
static void merge_runs(struct sample *at, uint32_t middle, uint32_t count,
                       struct sample *room)
{
    uint32_t i = 0, k = middle, n = 0;

    while (i < middle && k < count)
        room[n++] = at[k].time_ms < at[i].time_ms ? at[k++] : at[i++];
    while (i < middle)
        room[n++] = at[i++];
    while (k < count)
        room[n++] = at[k++];
    memcpy(at, room, count * sizeof(*at));
}

static void sort_samples(struct sample *at, uint32_t count, struct sample *room)
{
    for (uint64_t run = 1; run < count; run *= 2)
        for (uint64_t i = 0; i + run < count; i += 2 * run)
            merge_runs(at + i, (uint32_t)run,
                       (uint32_t)(i + 2 * run < count ? 2 * run : count - i),
                       room);
}

/* Of equal times the last one. */
static void drop_equal(struct sample_list *list)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (n > 0 && list->at[n - 1].time_ms == list->at[i].time_ms)
            n--;
        list->at[n++] = list->at[i];
    }
    list->count = n;
}

bool sample_list_order(struct sample_list *list, bool delta,
                       struct arena *arena)
{
    struct sample *room;

    if (list->unordered) {
        room = arena_alloc(arena, list->count * sizeof(*room));
        if (!room)
            return false;
        sort_samples(list->at, list->count, room);
        list->unordered = false;
    }
    if (!delta)
        drop_equal(list);
    return true;
}
