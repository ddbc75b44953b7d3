/*
 * Traces from spans in any order: sorted by trace and start, parents found by
 * an index over ids. A span belongs to a request: the nearest span above it,
 * of its own component, that the component was asked with. Log records belong
 * to the request of their span.
 */
#include <stdlib.h>

#include "hash.h"
#include "rca_context.h"

static bool same_trace(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

static int by_trace(const void *left, const void *right)
{
    const struct rca_span *a = left, *b = right;

    for (int i = 0; i < 2; i++)
        if (a->trace[i] != b->trace[i])
            return a->trace[i] < b->trace[i] ? -1 : 1;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* Traces that began in the half; spans that were sent twice once. */
static bool keep_whole(struct rca_context *facts, struct trace_sample *s,
                       struct cause_window time)
{
    uint32_t kept = 0, room = 0;

    qsort(s->parts, s->part_count, sizeof(*s->parts), by_trace);
    for (uint32_t i = 0; i < s->part_count;) {
        uint32_t end = i, first = kept;
        struct rca_trace tree = {.start_ns = s->parts[i].start_ns};

        for (; end < s->part_count &&
               same_trace(s->parts[end].trace, s->parts[i].trace);
             end++) {
            if (end > i && s->parts[end].id == s->parts[end - 1].id)
                continue;
            if (s->parts[end].end_ns > tree.end_ns)
                tree.end_ns = s->parts[end].end_ns;
            s->parts[kept++] = s->parts[end];
        }
        i = end;
        if (tree.start_ns < time.start_ns || tree.start_ns >= time.end_ns) {
            kept = first;
            continue;
        }
        tree.first = first;
        tree.count = kept - first;
        struct rca_trace *place =
            facts_append(facts, &s->trees, s->tree_count, &room);
        if (!place)
            return false;
        *place = tree;
        s->tree_count++;
    }
    s->part_count = kept;
    return true;
}

static uint32_t place_of(const struct trace_sample *s, const uint64_t trace[2],
                         uint64_t id)
{
    return (uint32_t)hash_mix(trace[0] ^ trace[1], id) & s->index_mask;
}

static uint32_t find(const struct trace_sample *s, const uint64_t trace[2],
                     uint64_t id)
{
    uint32_t i = place_of(s, trace, id);

    for (; s->index[i]; i = (i + 1) & s->index_mask) {
        const struct rca_span *p = &s->parts[s->index[i] - 1];

        if (p->id == id && same_trace(p->trace, trace))
            return s->index[i] - 1;
    }
    return NOBODY;
}

static bool make_index(struct rca_context *facts, struct trace_sample *s)
{
    uint32_t room = 64;

    while (room < 2 * s->part_count)
        room *= 2;
    s->index = arena_zero(facts->arena, room, sizeof(*s->index));
    s->index_mask = room - 1;
    if (!s->index)
        return false;
    for (uint32_t n = 0; n < s->part_count; n++) {
        const struct rca_span *p = &s->parts[n];
        uint32_t i = place_of(s, p->trace, p->id);

        while (s->index[i])
            i = (i + 1) & s->index_mask;
        s->index[i] = n + 1;
    }
    return true;
}

/* Children in order of their start, as the parts are in that order. */
static void link_up(struct trace_sample *s)
{
    for (uint32_t t = 0; t < s->tree_count; t++)
        for (uint32_t i = s->trees[t].count; i > 0; i--) {
            uint32_t n = s->trees[t].first + i - 1;
            struct rca_span *p = &s->parts[n];

            p->tree = t;
            p->up = p->up_id ? find(s, p->trace, p->up_id) : NOBODY;
            if (p->up == n || p->up == NOBODY)
                p->up = NOBODY;
            else {
                p->next = s->parts[p->up].kid;
                s->parts[p->up].kid = n;
            }
        }
}

/* Spans whose sender did not say what they are: one below that of another
 * component is asked, the other asks, unless it is itself what was asked. */
static void tell_kinds(struct trace_sample *s)
{
    for (uint32_t n = 0; n < s->part_count; n++) {
        struct rca_span *p = &s->parts[n], *up;

        if (p->kind == SPAN_UNSPECIFIED && p->up_id == 0)
            p->kind = SPAN_SERVER;
        if (p->up == NOBODY || p->kind > SPAN_INTERNAL)
            continue;
        up = &s->parts[p->up];
        if (up->component == p->component)
            continue;
        p->kind = SPAN_SERVER;
        if (up->kind <= SPAN_INTERNAL)
            up->kind = SPAN_CLIENT;
    }
}

/* A chain of parents that never ends (ids sent twice) ends after so many. */
enum { MAX_DEPTH = 1000 };

static bool is_asked(const struct trace_sample *s, const struct rca_span *p)
{
    return p->kind == SPAN_SERVER || p->kind == SPAN_CONSUMER ||
           p->up == NOBODY || s->parts[p->up].component != p->component;
}

static void find_owners(struct trace_sample *s)
{
    for (uint32_t n = 0; n < s->part_count; n++) {
        uint32_t at = n;

        for (int depth = 0; depth < MAX_DEPTH && !is_asked(s, &s->parts[at]);
             depth++)
            at = s->parts[at].up;
        s->parts[n].owner = at;
    }
}

static int by_part(const void *left, const void *right)
{
    const struct rca_log *a = left, *b = right;

    if (a->part != b->part)
        return a->part < b->part ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->event > b->event) - (a->event < b->event);
}

static void place_lines(struct trace_sample *s)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->line_count; i++) {
        s->lines[i].part = find(s, s->lines[i].trace, s->lines[i].id);
        if (s->lines[i].part != NOBODY)
            s->lines[kept++] = s->lines[i];
    }
    s->line_count = kept;
    if (kept > 0)
        qsort(s->lines, kept, sizeof(*s->lines), by_part);
}

bool trees_build(struct rca_context *facts, enum rca_period half)
{
    struct trace_sample *s = &facts->halves[half];

    if (s->part_count == 0) {
        s->line_count = 0;
        return true;
    }
    if (!keep_whole(facts, s, facts->times[half]) || !make_index(facts, s))
        return false;
    link_up(s);
    tell_kinds(s);
    find_owners(s);
    place_lines(s);
    return true;
}
