/*
 * Groups of requests, a few at a time. In: the groups with most requests, and
 * which resources have their names. Out: their values on the whole grid.
 *
 * The resources of other groups are not read, so that reading a few groups at a
 * time takes hardly longer than reading all of them at once.
 */
#include "grafana_red.h"

#include "reply_metrics.h"

enum {
    OPEN_BYTES = 6 << 20,     /* a quarter of what all queries share */
    ONE_PASS_BYTES = 3 << 20, /* which saves counting them before */
    HIST_BYTES = 2048,        /* of a cell with buckets, an estimate */
    COUNT_BYTES = 32,
};

static uint64_t bytes_of(const struct grafana_red *r)
{
    return (uint64_t)r->grid.count * (r->buckets ? HIST_BYTES : COUNT_BYTES) +
           1;
}

bool red_fits_at_once(const struct grafana_red *r, uint32_t groups)
{
    return groups <= 1 || groups <= ONE_PASS_BYTES / bytes_of(r);
}

static uint64_t identity_key(const struct grafana_red *r,
                             const struct red_series *one)
{
    return red_key(r, one->names->name, BY_COMPONENT + 1);
}

/* The resources whose names one of the open groups of this part has. */
static const struct bitmap *resources_of(struct grafana_red *r,
                                         const struct red_part *part)
{
    const struct bitmap *all = part == &r->sdk ? r->without : r->q->sent;
    struct bitmap *some = bitmap_new(&r->open, all->limit);

    for (uint32_t i = r->open_first; some && i < r->open_end; i++) {
        uint64_t key = identity_key(r, &r->series[i]);

        for (uint32_t id = 0; r->series[i].part == part && id < all->limit;
             id++)
            if (r->keys[id] == key && bitmap_has(all, id))
                bitmap_add(some, id);
    }
    return some;
}

static enum status read_part(struct grafana_red *r, struct red_part *part)
{
    struct query_request *request = r->q->request;
    struct metric_table *table = &part->table;
    const struct bitmap *resources;
    enum status s = OK;
    bool any = false;

    for (uint32_t i = r->open_first; i < r->open_end; i++)
        any |= r->series[i].part == part;
    if (!any)
        return OK;
    red_part_init(r, part, &r->open, &r->grid, r->buckets);
    resources = resources_of(r, part);
    if (resources)
        s = read_metrics(request, resources,
                         part == &r->sdk ? red_component : NULL, &table, 1);
    for (uint32_t i = r->open_first; s == OK && i < r->open_end; i++)
        if (r->series[i].part == part)
            r->series[i].group =
                metric_group_at(&part->grouped, r->series[i].key);
    return s;
}

static enum status read_some(struct grafana_red *r, uint32_t first,
                             uint32_t count)
{
    enum status s;

    red_close(r);
    arena_begin(&r->open, r->q->request->arena);
    r->open_first = first;
    r->open_end = first + count;
    s = read_part(r, &r->derived);
    return s == OK ? read_part(r, &r->sdk) : s;
}

/* If the estimate of memory was wrong, with half as many. */
enum status red_open(struct grafana_red *r, uint32_t i)
{
    struct query_request *request = r->q->request;
    uint32_t count = (uint32_t)(OPEN_BYTES / bytes_of(r));
    enum status s = OK;

    if (!r->ranked || r->grid.count == 0 ||
        (i >= r->open_first && i < r->open_end))
        return OK;
    if (count == 0)
        count = 1;
    if (count > r->count - i)
        count = r->count - i;
    for (; count > 0; count /= 2) {
        s = read_some(r, i, count);
        if (arena_status(&r->open) == OK)
            return s;
        s = arena_status(&r->open);
    }
    if (arena_status(request->arena) == OK)
        request->arena->status = s; /* answered as a full arena is */
    return s;
}

void red_close(struct grafana_red *r)
{
    arena_release(&r->open);
    r->open_first = r->open_end = 0;
}
