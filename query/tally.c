/*
 * An open-addressed table of pointers that doubles; tallies themselves never
 * move, so callers may keep them.
 */
#include "tally.h"

#include <math.h>
#include <stdlib.h>

#include "derived.h"
#include "hash.h"

#define NAME(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* clang-format off */
const struct slice derived_names[DERIVED_NAMES] = {
    NAME(DERIVED_DURATION), NAME(DERIVED_ERRORS), NAME(DERIVED_CLIENT_ERRORS),
    NAME(DERIVED_RETRACTED_DURATION), NAME(DERIVED_RETRACTED_ERRORS),
    NAME(DERIVED_RETRACTED_CLIENT_ERRORS),
    NAME(DERIVED_OUT_DURATION), NAME(DERIVED_OUT_ERRORS),
    NAME(DERIVED_OUT_CLIENT_ERRORS),
    NAME(DERIVED_IN_DURATION), NAME(DERIVED_IN_ERRORS),
    NAME(DERIVED_IN_CLIENT_ERRORS),
    NAME(DERIVED_OUT_RETRACTED_DURATION), NAME(DERIVED_OUT_RETRACTED_ERRORS),
    NAME(DERIVED_OUT_RETRACTED_CLIENT_ERRORS),
    NAME(DERIVED_IN_RETRACTED_DURATION), NAME(DERIVED_IN_RETRACTED_ERRORS),
    NAME(DERIVED_IN_RETRACTED_CLIENT_ERRORS),
    NAME(DERIVED_LOGS),
};
/* clang-format on */

enum tally_part tally_part(const struct point *point, int *sign)
{
    struct slice name = point->metric->name;

    *sign = derived_sign(name);
    if (slice_starts(name, SLICE("callboard.edge.out.")) ||
        slice_starts(name, SLICE("callboard.edge.retracted.out.")))
        return PART_OUT;
    if (slice_starts(name, SLICE("callboard.edge.")))
        return PART_IN;
    return slice_equal(name, SLICE(DERIVED_LOGS)) ? PART_LOGS : PART_SERVED;
}

void tally_map_init(struct tally_map *map, struct arena *arena)
{
    *map = (struct tally_map){.arena = arena};
}

static struct tally **find_slot(struct tally **slots, uint32_t room,
                                uint64_t key)
{
    uint32_t i = (uint32_t)(key ^ key >> 32) & (room - 1);

    while (slots[i] && slots[i]->key != key)
        i = (i + 1) & (room - 1);
    return &slots[i];
}

static bool grow(struct tally_map *map)
{
    uint32_t room = map->room ? map->room * 2 : 64;
    struct tally **slots = arena_zero(map->arena, room, sizeof(*slots));

    if (!slots)
        return false;
    for (uint32_t i = 0; i < map->room; i++)
        if (map->slots[i])
            *find_slot(slots, room, map->slots[i]->key) = map->slots[i];
    map->slots = slots;
    map->room = room;
    return true;
}

struct tally *tally_at(struct tally_map *map, uint64_t key)
{
    if (map->count * 2 >= map->room && !grow(map))
        return NULL;
    struct tally **slot = find_slot(map->slots, map->room, key);
    if (!*slot) {
        *slot = arena_zero(map->arena, 1, sizeof(**slot));
        if (!*slot)
            return NULL;
        (*slot)->key = key;
        map->count++;
    }
    return *slot;
}

static bool has_suffix(struct slice name, struct slice suffix)
{
    return name.len >= suffix.len &&
           slice_equal(slice_from(name, name.len - suffix.len), suffix);
}

bool tally_add(struct tally_map *map, struct tally *tally,
               const struct point *point, double share)
{
    const struct metric *metric = point->metric;

    if (metric->type == METRIC_EXP_HISTOGRAM) {
        tally->requests += share * (double)point->histogram->count;
        return hist_add(&tally->hist, map->arena, METRIC_EXP_HISTOGRAM,
                        point->histogram, 1, share);
    }
    double value = share * (point->is_int ? (double)point->i : point->d);
    if (has_suffix(metric->name, SLICE(".client_errors")))
        tally->client_errors += value;
    else if (has_suffix(metric->name, SLICE(".errors")))
        tally->errors += value;
    return true;
}

bool tally_is_empty(const struct tally *tally)
{
    return tally->requests < 1e-6; /* parts of minutes are rounded */
}

static int compare(const void *a, const void *b)
{
    const struct tally *x = *(struct tally *const *)a;
    const struct tally *y = *(struct tally *const *)b;

    if (x->requests != y->requests)
        return x->requests > y->requests ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

struct tally **tally_sorted(const struct tally_map *map)
{
    struct tally **list = arena_zero(map->arena, map->count + 1, sizeof(*list));
    uint32_t n = 0;

    if (!list)
        return NULL;
    for (uint32_t i = 0; i < map->room; i++)
        if (map->slots[i])
            list[n++] = map->slots[i];
    qsort(list, n, sizeof(*list), compare);
    return list;
}

struct name_text {
    struct slice *name;
    struct slice text;
};

bool tally_name(struct tally_map *names, const struct tally *owner,
                struct slice *name, struct slice text,
                const struct point *point, double share)
{
    /* Not the address, so that equal counts are in the same order each time. */
    size_t place = (size_t)((const char *)name - (const char *)owner->item);
    struct tally *tally;

    if (text.len == 0 || point->metric->type != METRIC_EXP_HISTOGRAM)
        return true;
    tally = tally_at(names, hash_mix(hash_mix(owner->key, place),
                                     hash_bytes(text.ptr, text.len, 0)));
    if (tally && !tally->item) {
        struct name_text *item = arena_alloc(names->arena, sizeof(*item));

        if (item)
            *item = (struct name_text){name, arena_copy(names->arena, text)};
        tally->item = item;
    }
    if (!tally || !tally->item)
        return false;
    tally->requests += share * (double)point->histogram->count;
    return true;
}

bool tally_set_names(const struct tally_map *names)
{
    struct tally **sorted = tally_sorted(names);

    for (struct tally **at = sorted; at && *at && !tally_is_empty(*at); at++) {
        const struct name_text *item = (*at)->item;

        if (item->name->len == 0)
            *item->name = item->text;
    }
    return sorted;
}

const struct identity *tally_identity(struct tally_map *map,
                                      struct registry *registry, uint64_t key)
{
    struct tally *tally = tally_at(map, key);
    uint32_t id = (uint32_t)key;

    if (tally && !tally->item) {
        struct identity *identity =
            arena_zero(map->arena, 1, sizeof(*identity));

        if (identity && key >> 32)
            (void)registry_resource_identity(registry, id, map->arena,
                                             identity);
        else if (identity)
            (void)registry_identity(registry, id, map->arena, identity);
        tally->item = identity;
    }
    return tally ? tally->item : NULL;
}

double tally_share(const struct point *point, uint64_t start_ns,
                   uint64_t end_ns, uint64_t now_ns)
{
    uint64_t from = point->start_ns, to = point->time_ns;

    if (to > now_ns && now_ns > from)
        to = now_ns;
    if (to <= from)
        return from >= start_ns && from < end_ns ? 1 : 0;
    uint64_t first = from > start_ns ? from : start_ns;
    uint64_t last = to < end_ns ? to : end_ns;
    return last > first ? (double)(last - first) / (double)(to - from) : 0;
}

static const struct attr *find(const struct point *point, const char *key)
{
    return attrs_find(&point->attrs, slice_of(key));
}

struct slice point_text(const struct point *point, const char *key)
{
    const struct attr *a = find(point, key);

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

int64_t point_int(const struct point *point, const char *key, int64_t missing)
{
    const struct attr *a = find(point, key);

    return a && a->type == VALUE_INT ? a->i : missing;
}

void tally_number(struct jsonw *w, const char *key, double value)
{
    jsonw_key(w, key);
    if (isfinite(value))
        jsonw_double(w, value);
    else
        jsonw_null(w);
}
