#include "traceql_sets.h"

#include "map.h"

struct traceql_subject traceql_subject_at(const struct traceql_trace *trace,
                                          uint32_t at)
{
    return (struct traceql_subject){.span = &trace->spans[at],
                                    .whole = true,
                                    .attrs = true,
                                    .resource = trace->resources[at],
                                    .identity = trace->identities[at],
                                    .trace = trace,
                                    .at = at};
}

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static bool find_parents(struct traceql_trace *trace, struct arena *arena)
{
    struct map ids = {.arena = arena};

    for (uint32_t i = 0; i < trace->count; i++)
        if (!map_add(&ids, id_hash(trace->spans[i].span_id), i))
            return false;
    for (uint32_t i = 0; i < trace->count; i++) {
        const uint8_t *id = trace->spans[i].parent_span_id;

        trace->parents[i] = MAP_NONE;
        map_each(&ids, id_hash(id), at)
            if (at != i && memcmp(trace->spans[at].span_id, id, 8) == 0)
                trace->parents[i] = at;
        if (trace->parents[i] != MAP_NONE)
            trace->children[trace->parents[i]]++;
    }
    return true;
}

/* The first span without a parent; else the first one whose parent is not
 * here. */
static uint32_t find_root(const struct traceql_trace *trace)
{
    static const uint8_t none[8] = {0};
    uint32_t orphan = 0;

    for (uint32_t i = trace->count; i-- > 0;)
        if (trace->parents[i] == MAP_NONE)
            orphan = i;
    for (uint32_t i = 0; i < trace->count; i++)
        if (memcmp(trace->spans[i].parent_span_id, none, 8) == 0)
            return i;
    return orphan;
}

bool traceql_trace_index(struct traceql_trace *trace, struct arena *arena)
{
    trace->parents = arena_zero(arena, trace->count, sizeof(uint32_t));
    trace->children = arena_zero(arena, trace->count, sizeof(uint32_t));
    if (!trace->parents || !trace->children || !find_parents(trace, arena))
        return false;
    trace->root = find_root(trace);
    trace->start_ns = trace->count > 0 ? trace->spans[0].start_ns : 0;
    trace->end_ns = trace->start_ns;
    for (uint32_t i = 0; i < trace->count; i++) {
        const struct span *span = &trace->spans[i];

        if (span->start_ns < trace->start_ns)
            trace->start_ns = span->start_ns;
        if (span->end_ns > trace->end_ns)
            trace->end_ns = span->end_ns;
    }
    return true;
}

/* ---- relations: marks of the spans that have it to a span of the set ---- */

static void mark_children(const struct traceql_trace *t, const bool *set,
                          bool *marks)
{
    for (uint32_t i = 0; i < t->count; i++)
        marks[i] = t->parents[i] != MAP_NONE && set[t->parents[i]];
}

static void mark_parents(const struct traceql_trace *t, const bool *set,
                         bool *marks)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (set[i] && t->parents[i] != MAP_NONE)
            marks[t->parents[i]] = true;
}

/* Parents may lie in a circle: a way up is no longer than the trace. */
static void mark_descendants(const struct traceql_trace *t, const bool *set,
                             bool *marks)
{
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = t->parents[i];

        for (uint32_t steps = 0; at != MAP_NONE && steps < t->count; steps++) {
            if (set[at]) {
                marks[i] = true;
                break;
            }
            at = t->parents[at];
        }
    }
}

static void mark_ancestors(const struct traceql_trace *t, const bool *set,
                           bool *marks)
{
    for (uint32_t i = 0; i < t->count; i++) {
        uint32_t at = set[i] ? t->parents[i] : MAP_NONE;

        for (; at != MAP_NONE && !marks[at]; at = t->parents[at])
            marks[at] = true;
    }
}

static bool mark_siblings(const struct traceql_trace *t, const bool *set,
                          bool *marks, struct arena *arena)
{
    uint32_t *counts = arena_zero(arena, t->count, sizeof(*counts));

    if (!counts)
        return false;
    for (uint32_t i = 0; i < t->count; i++)
        if (set[i] && t->parents[i] != MAP_NONE)
            counts[t->parents[i]]++;
    for (uint32_t i = 0; i < t->count; i++)
        marks[i] = t->parents[i] != MAP_NONE &&
                   counts[t->parents[i]] > (set[i] ? 1u : 0u);
    return true;
}

static bool *related(enum traceql_relation relation,
                     const struct traceql_trace *trace, const bool *set,
                     struct arena *arena)
{
    bool *marks = arena_zero(arena, trace->count, sizeof(*marks));

    if (!marks)
        return NULL;
    switch (relation) {
    case TRACEQL_CHILD:
        mark_children(trace, set, marks);
        break;
    case TRACEQL_PARENT:
        mark_parents(trace, set, marks);
        break;
    case TRACEQL_DESCENDANT:
        mark_descendants(trace, set, marks);
        break;
    case TRACEQL_ANCESTOR:
        mark_ancestors(trace, set, marks);
        break;
    default:
        return mark_siblings(trace, set, marks, arena) ? marks : NULL;
    }
    return marks;
}

static enum traceql_relation inverse(enum traceql_relation relation)
{
    return relation == TRACEQL_CHILD        ? TRACEQL_PARENT
           : relation == TRACEQL_PARENT     ? TRACEQL_CHILD
           : relation == TRACEQL_DESCENDANT ? TRACEQL_ANCESTOR
           : relation == TRACEQL_ANCESTOR   ? TRACEQL_DESCENDANT
                                            : relation;
}

/* ---- sets ---- */

static bool any(const bool *marks, uint32_t count)
{
    return count > 0 && memchr(marks, true, count);
}

/* The spans of the right that have the relation to one of the left, or have it
 * not; with_left: and those of the left that they have it to. */
static bool *relate(const struct traceql_set *set,
                    const struct traceql_trace *trace, bool *left, bool *right,
                    struct arena *arena)
{
    bool *of_left = related(set->relation, trace, left, arena), *of_right;

    if (!of_left)
        return NULL;
    for (uint32_t i = 0; i < trace->count; i++)
        right[i] = right[i] && of_left[i] != set->negated;
    if (!set->with_left)
        return right;
    of_right = related(inverse(set->relation), trace, right, arena);
    for (uint32_t i = 0; of_right && i < trace->count; i++)
        right[i] = right[i] || (left[i] && of_right[i]);
    return of_right ? right : NULL;
}

static bool *combine(const struct traceql_set *set,
                     const struct traceql_trace *trace, bool *left, bool *right,
                     struct arena *arena)
{
    bool none = set->relation == TRACEQL_BOTH &&
                !(any(left, trace->count) && any(right, trace->count));

    if (set->relation != TRACEQL_BOTH && set->relation != TRACEQL_EITHER)
        return relate(set, trace, left, right, arena);
    for (uint32_t i = 0; i < trace->count; i++)
        right[i] = !none && (left[i] || right[i]);
    return right;
}

/* As deep as the parser allows. */
bool *traceql_marks(const struct traceql_set *set,
                    const struct traceql_trace *trace, struct arena *arena)
{
    bool *marks, *left, *right;

    if (set->relation != TRACEQL_FILTER) {
        left = traceql_marks(set->left, trace, arena);
        right = left ? traceql_marks(set->right, trace, arena) : NULL;
        return right ? combine(set, trace, left, right, arena) : NULL;
    }
    marks = arena_zero(arena, trace->count, sizeof(*marks));
    for (uint32_t i = 0; marks && i < trace->count; i++) {
        struct traceql_subject subject = traceql_subject_at(trace, i);

        marks[i] = traceql_test(set->filter, &subject) == TRACEQL_YES;
    }
    return marks;
}
