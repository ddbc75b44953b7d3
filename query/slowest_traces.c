#include "slowest_traces.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 8 };

static int slowest_first(const void *left, const void *right)
{
    const struct trace_summary *a = left, *b = right;
    uint64_t x = a->end_ns - a->start_ns, y = b->end_ns - b->start_ns;

    return x == y ? memcmp(a->trace_id, b->trace_id, 16) : x > y ? -1 : 1;
}

/* The last of the first `limit`, after they are put in order; 0: they are
 * fewer. */
static uint64_t bound_of(struct trace_summary *known, uint32_t count,
                         uint32_t limit)
{
    qsort(known, count, sizeof(*known), slowest_first);
    return count < limit ? 0
                         : known[limit - 1].end_ns - known[limit - 1].start_ns;
}

enum status slowest_traces_read(struct reader *reader,
                                const struct trace_query *query, uint32_t limit,
                                const struct trace_summary *known,
                                uint32_t known_count, struct arena *arena,
                                struct slowest_traces *out)
{
    uint32_t most = limit < SLOWEST_KNOWN ? SLOWEST_KNOWN : limit;
    struct count_limit counting = {.most = 1};
    struct trace_query slow = *query;
    uint32_t count = known_count;
    struct trace_summary *at = arena_alloc(arena, count * sizeof(*at));
    uint64_t bound = 0, total;
    enum status s = OK;

    *out = (struct slowest_traces){.exact = count < most};
    if (!at)
        return arena_status(arena);
    if (count > 0)
        memcpy(at, known, count * sizeof(*at));
    slow.limit = most + 1;
    slow.counting = &counting;
    slow.range = (struct list_range){NULL, NULL};
    for (int i = 0; i < ROUNDS && !out->exact && s == OK; i++) {
        uint64_t next = bound_of(at, count, limit);

        out->exact = i > 0 && next <= bound; /* the rest is equally slow */
        bound = next;
        if (bound > query->min_duration_ns)
            slow.min_duration_ns = bound;
        if (!out->exact)
            s = reader_query_traces(reader, &slow, arena, &at, &count, &total);
        out->exact |= count <= most;
    }
    bound_of(at, count, limit);
    out->at = at;
    out->more = count > limit || known_count > limit;
    out->count = count < limit ? count : limit;
    return s;
}
