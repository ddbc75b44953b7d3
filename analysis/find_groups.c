/*
 * Equal traces together: of one root operation, and failed in the same place or
 * not at all. A trace is an outlier if it took many times the median of its
 * operation.
 */
#include <stdlib.h>

#include "find_traces.h"

enum { OUTLIER_OF = 10, OUTLIER_TIMES = 5 };

static int compare_operations(const struct found_trace *a,
                              const struct found_trace *b)
{
    int order = identity_compare(a->root, b->root);

    return order ? order
                 : slice_compare(a->summary.root_name, b->summary.root_name);
}

static int compare_groups(const struct found_trace *a,
                          const struct found_trace *b)
{
    int order = compare_operations(a, b);

    if (order == 0)
        order = a->summary.has_errors - b->summary.has_errors;
    if (order == 0)
        order = slice_compare(a->failing_name, b->failing_name);
    if (order == 0 && a->failing && b->failing)
        order = identity_compare(a->failing, b->failing);
    return order;
}

static int by_duration(const struct found_trace *a, const struct found_trace *b)
{
    if (a->duration_ns != b->duration_ns)
        return a->duration_ns < b->duration_ns ? -1 : 1;
    return memcmp(a->summary.trace_id, b->summary.trace_id, 16);
}

static int in_operations(const void *left, const void *right)
{
    const struct found_trace *a = *(const struct found_trace *const *)left;
    const struct found_trace *b = *(const struct found_trace *const *)right;
    int order = compare_operations(a, b);

    return order ? order : by_duration(a, b);
}

static int in_groups(const void *left, const void *right)
{
    const struct found_trace *a = *(const struct found_trace *const *)left;
    const struct found_trace *b = *(const struct found_trace *const *)right;
    int order = compare_groups(a, b);

    return order ? order : by_duration(a, b);
}

/* By nearest rank, of durations in order. */
static uint64_t percentile(const struct found_trace *const *traces,
                           uint32_t count, uint32_t percent)
{
    uint64_t rank = ((uint64_t)count * percent + 99) / 100;

    return traces[rank > 0 ? rank - 1 : 0]->duration_ns;
}

static struct trace_group group_of(const struct found_trace *const *traces,
                                   uint32_t count)
{
    struct trace_group group = {.first = traces[0],
                                .slowest = traces[count - 1],
                                .count = count,
                                .p50_ns = percentile(traces, count, 50),
                                .p99_ns = percentile(traces, count, 99),
                                .oldest_ns = UINT64_MAX};

    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = traces[i]->summary.start_ns;

        if (at > group.first->summary.start_ns)
            group.first = traces[i];
        if (at < group.oldest_ns)
            group.oldest_ns = at;
        if (at > group.newest_ns)
            group.newest_ns = at;
    }
    return group;
}

static int important_first(const void *left, const void *right)
{
    const struct trace_group *a = left, *b = right;
    bool x = a->first->summary.has_errors, y = b->first->summary.has_errors;

    if (x != y)
        return x ? -1 : 1;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return compare_groups(a->first, b->first);
}

static void add_outlier(struct found_traces *f, struct trace_outlier outlier)
{
    double ratio = (double)outlier.trace->duration_ns /
                   (double)(outlier.median_ns > 0 ? outlier.median_ns : 1);
    uint32_t at = f->outlier_count;

    while (at > 0) {
        const struct trace_outlier *o = &f->outliers[at - 1];

        if ((double)o->trace->duration_ns /
                (double)(o->median_ns > 0 ? o->median_ns : 1) >=
            ratio)
            break;
        at--;
    }
    if (at == FIND_OUTLIERS)
        return;
    if (f->outlier_count < FIND_OUTLIERS)
        f->outlier_count++;
    for (uint32_t i = f->outlier_count - 1; i > at; i--)
        f->outliers[i] = f->outliers[i - 1];
    f->outliers[at] = outlier;
}

static void find_outliers(struct found_traces *f,
                          const struct found_trace **traces)
{
    uint32_t count = f->examined_count;

    qsort(traces, count, sizeof(*traces), in_operations);
    for (uint32_t at = 0, end; at < count; at = end) {
        for (end = at + 1;
             end < count && compare_operations(traces[at], traces[end]) == 0;)
            end++;
        if (end - at < OUTLIER_OF)
            continue;
        uint64_t median = percentile(traces + at, end - at, 50);
        for (uint32_t i = end;
             i-- > at && traces[i]->duration_ns / OUTLIER_TIMES >= median &&
             traces[i]->duration_ns > 0;)
            add_outlier(f, (struct trace_outlier){traces[i], median, end - at});
    }
}

enum status find_trace_groups(struct found_traces *f)
{
    struct arena *arena = f->request->arena;
    uint32_t count = f->examined_count;
    const struct found_trace **traces =
        arena_alloc(arena, count * sizeof(*traces));
    enum status s = OK;

    f->groups = arena_zero(arena, count, sizeof(*f->groups));
    if (!traces || !f->groups)
        return arena_status(arena);
    for (uint32_t i = 0; i < count; i++)
        traces[i] = &f->examined[i];
    qsort(traces, count, sizeof(*traces), in_groups);
    for (uint32_t at = 0, end; at < count; at = end) {
        for (end = at + 1;
             end < count && compare_groups(traces[at], traces[end]) == 0;)
            end++;
        f->groups[f->group_total++] = group_of(traces + at, end - at);
    }
    qsort(f->groups, f->group_total, sizeof(*f->groups), important_first);
    f->group_count =
        f->group_total < FIND_GROUPS ? f->group_total : FIND_GROUPS;
    for (uint32_t i = 0; i < f->group_count && s == OK; i++)
        s = find_trace_exception(f, &f->groups[i]);
    find_outliers(f, traces);
    return s;
}
