/* What components consist of, read from their series; see parts.h. */
#include "parts.h"

#include <math.h>

#include "array.h"
#include "clock.h"
#include "component.h"
#include "derived.h"
#include "metric_names.h"

/* How long before the window points are read, at least and at most; and how
 * long before that it is looked whether a series was there. */
static const uint64_t BEFORE_MIN_NS = 10 * NS_PER_MIN;
static const uint64_t BEFORE_MAX_NS = NS_PER_HOUR;
static const uint64_t EARLIER_NS = 7 * NS_PER_DAY;

/* Points of the last minutes may still be on their way. */
static const uint64_t LATE_NS = 2 * NS_PER_MIN;

enum { NAMES = 5 };
static const struct {
    struct slice name;
    enum part_kind kind;
} derived_names[NAMES] = {
    {SLICE_INIT(DERIVED_RECORDS), PART_COMPONENT},
    {SLICE_INIT(DERIVED_DURATION), PART_OPERATION},
    {SLICE_INIT(DERIVED_OUT_DURATION), PART_CALLEE},
    {SLICE_INIT(DERIVED_IN_DURATION), PART_CALLER},
    {SLICE_INIT(DERIVED_LOGS), PART_PATTERN},
};

/* ---- which part a series is ---- */

static uint64_t key_of(const struct part *part)
{
    uint64_t key = key_identity(2U + part->kind, part->identity);

    if (part->peer)
        key = key_identity(key, part->peer);
    key = key_text(key_text(key, part->name), part->endpoint);
    return key_text(key_text(key, part->level), part->id);
}

static void set_peer(struct parts *parts, struct part *part,
                     const struct point *point)
{
    const struct attr *id = attrs_find(&point->attrs, SLICE(DERIVED_PEER_ID));
    const struct identity *peer =
        id ? reply_peer_identity(parts->request, id) : NULL;

    part->peer_kind = attrs_text(&point->attrs, SLICE(DERIVED_PEER_KIND));
    part->name = attrs_text(&point->attrs, SLICE(DERIVED_PEER_NAME));
    if (peer == &identity_hidden) {
        part->name = SLICE(PEER_HIDDEN);
        part->peer_kind = SLICE("external");
    } else if (peer && peer->component.len > 0) {
        part->peer = peer;
        part->name = peer->component;
    } else if (part->name.len == 0) {
        part->name = attrs_text(&point->attrs, SLICE(DERIVED_PEER_SYSTEM));
    }
}

/* Labels borrow from the point. False: it is no part of a component. */
static bool describe(struct parts *parts, const struct point *point,
                     struct part *part)
{
    const struct resource_info *resource;
    uint32_t i = 0;

    *part = (struct part){.kind = PART_POD,
                          .identity = reply_resource_identity(
                              parts->request, point->resource_id)};
    if (!part->identity || part->identity->component.len == 0)
        return false;
    while (i < NAMES &&
           !slice_equal(point->metric->name, derived_names[i].name))
        i++;
    if (i < NAMES)
        part->kind = derived_names[i].kind;
    switch (part->kind) {
    case PART_OPERATION:
        part->name = attrs_text(&point->attrs, SLICE(DERIVED_OPERATION));
        part->endpoint = attrs_text(&point->attrs, SLICE(DERIVED_ENDPOINT));
        break;
    case PART_CALLEE:
    case PART_CALLER:
        set_peer(parts, part, point);
        break;
    case PART_PATTERN:
        part->name = attrs_text(&point->attrs, SLICE(DERIVED_TEMPLATE));
        part->id = attrs_text(&point->attrs, SLICE(DERIVED_TEMPLATE_ID));
        part->level = attrs_text(&point->attrs, SLICE(DERIVED_LEVEL));
        break;
    case PART_POD:
        resource = reply_resource(parts->request, point->resource_id);
        if (resource)
            part->name = reply_attr(&point->attrs, resource, "k8s.pod.name");
        if (part->name.len == 0)
            part->name = attrs_text(&point->attrs, SLICE("pod"));
        break;
    default:
        return true;
    }
    return part->name.len > 0 && !slice_equal(part->name, SLICE(DERIVED_OTHER));
}

static struct part *find(const struct parts *parts, uint64_t key)
{
    map_each(&parts->index, map_hash(key), at)
        if (parts->at[at].key == key)
            return &parts->at[at];
    return NULL;
}

static uint32_t add(struct parts *parts, const struct part *from)
{
    struct arena *arena = parts->request->arena;
    struct part *part =
        arena_append(arena, &parts->at, parts->count, &parts->room);

    if (!part || !map_add(&parts->index, map_hash(from->key), parts->count))
        return MAP_NONE;
    *part = *from;
    part->name = arena_copy(arena, from->name);
    part->endpoint = arena_copy(arena, from->endpoint);
    part->level = arena_copy(arena, from->level);
    part->id = arena_copy(arena, from->id);
    part->peer_kind = arena_copy(arena, from->peer_kind);
    part->component = parts->count;
    return parts->count++;
}

/* The part of the component as a whole. */
static uint32_t whole_of(struct parts *parts, const struct identity *identity)
{
    struct part whole = {.kind = PART_COMPONENT, .identity = identity};
    const struct part *found;

    whole.key = key_of(&whole);
    found = find(parts, whole.key);
    return found ? found->component : add(parts, &whole);
}

/* Of what was there earlier only what is there now is of interest. */
static struct part *part_of(struct parts *parts, const struct point *point)
{
    struct part part, *found;
    uint32_t component, at;

    if (!describe(parts, point, &part))
        return NULL;
    part.key = key_of(&part);
    found = find(parts, part.key);
    if (found)
        return found;
    if (parts->earlier && part.kind != PART_COMPONENT) {
        part = (struct part){.kind = PART_COMPONENT, .identity = part.identity};
        return find(parts, key_of(&part));
    }
    component = whole_of(parts, part.identity);
    if (component == MAP_NONE)
        return NULL;
    at = part.kind == PART_COMPONENT ? component : add(parts, &part);
    if (at == MAP_NONE)
        return NULL;
    parts->at[at].component = component;
    return &parts->at[at];
}

/* ---- points ---- */

static void next_series(void *arg)
{
    struct parts *parts = arg;

    parts->current = NULL;
    parts->current_known = false;
}

static double amount_of(const struct point *point)
{
    if (point->metric->type >= METRIC_HISTOGRAM)
        return point->histogram ? (double)point->histogram->count : 0;
    return point->is_int ? (double)point->i : point->d;
}

static void see(struct part *part, const struct parts *parts, uint64_t from_ns,
                uint64_t until_ns)
{
    uint64_t bin = (from_ns - parts->from_ns) / parts->bin_ns;

    if (part->first_ns == 0 || from_ns < part->first_ns)
        part->first_ns = from_ns;
    if (until_ns > part->last_ns)
        part->last_ns = until_ns;
    if (bin < PART_BINS)
        part->bins[bin / 64] |= UINT64_C(1) << bin % 64;
}

static void visit(void *arg, const struct point *point)
{
    struct parts *parts = arg;
    bool is_derived = slice_starts(point->metric->name, SLICE("callboard."));
    uint64_t from = is_derived ? point->start_ns : point->time_ns;
    struct part *part;

    if (!parts->current_known) {
        parts->current = part_of(parts, point);
        parts->current_known = true;
    }
    part = parts->current;
    if (!part)
        return;
    if (parts->earlier) {
        if (part->before_ns == 0 || from < part->before_ns)
            part->before_ns = from;
        return;
    }
    if (from < parts->from_ns || from >= parts->end_ns)
        return;
    see(part, parts, from, is_derived ? point->time_ns : point->time_ns + 1);
    see(&parts->at[part->component], parts, from, point->time_ns);
    if (from >= parts->start_ns)
        part->count += is_derived ? amount_of(point) : 0;
}

/* ---- reading ---- */

static enum status read_points(struct parts *parts, const struct slice *names,
                               uint32_t count)
{
    const struct series_query query = {
        .start_ns = parts->earlier ? parts->earliest_ns : parts->from_ns,
        .end_ns = parts->earlier ? parts->from_ns : parts->end_ns + NS_PER_MIN,
        .resources = parts->resources,
        .names = names,
        .name_count = count,
        .series = next_series,
        .heads = parts->earlier,
        .counts_only = true};
    enum status s =
        reader_query_series(parts->request->reader, &query, visit, parts);

    return s == OK ? OK : query_fail_read(parts->request, s);
}

static const struct slice *names_of(struct parts *parts, uint32_t kinds,
                                    uint32_t *count)
{
    struct arena *arena = parts->request->arena;
    uint32_t more = 0;
    const struct slice *pods = NULL;
    struct slice *names;

    if (kinds >> PART_POD & 1)
        pods =
            metric_names_of(METRIC_CPU_USAGE, METRIC_CPU_USAGE, arena, &more);
    names = arena_alloc(arena, (NAMES + more) * sizeof(*names));
    if (!names || (more > 0 && !pods))
        return NULL;
    *count = 0;
    for (uint32_t i = 0; i < NAMES; i++)
        if (i == 0 || kinds >> derived_names[i].kind & 1)
            names[(*count)++] = derived_names[i].name;
    for (uint32_t i = 0; i < more; i++)
        names[(*count)++] = pods[i];
    return names;
}

enum status parts_read(struct parts *parts, uint32_t kinds)
{
    uint64_t length = parts->end_ns - parts->start_ns, before = length;
    uint32_t count;
    const struct slice *names = names_of(parts, kinds, &count);
    enum status s;

    if (!names)
        return arena_status(parts->request->arena);
    if (before < BEFORE_MIN_NS)
        before = BEFORE_MIN_NS;
    if (before > BEFORE_MAX_NS)
        before = BEFORE_MAX_NS;
    parts->from_ns = parts->start_ns > before ? parts->start_ns - before : 0;
    parts->from_ns -= parts->from_ns % NS_PER_MIN;
    parts->earliest_ns =
        parts->from_ns > EARLIER_NS ? parts->from_ns - EARLIER_NS : 0;
    parts->bin_ns = (parts->end_ns - parts->from_ns) / PART_BINS + 1;
    if (parts->bin_ns < NS_PER_MIN)
        parts->bin_ns = NS_PER_MIN;
    parts->index.arena = parts->request->arena;
    s = read_points(parts, names, count);
    if (s != OK || parts->count == 0)
        return s;
    parts->earlier = true;
    return read_points(parts, names, count);
}

/* ---- chance ---- */

/* Bins from first up to before the end in which it was seen. */
static uint32_t bins_seen(const struct part *part, uint64_t first, uint64_t end)
{
    uint32_t n = 0;

    for (uint64_t bin = first; bin < end && bin < PART_BINS; bin++)
        n += (uint32_t)(part->bins[bin / 64] >> bin % 64 & 1);
    return n;
}

static uint64_t bin_of(const struct parts *parts, uint64_t ns)
{
    return (ns - parts->from_ns) / parts->bin_ns;
}

/* If it came at any time alike, it would all fall into the window by this
 * chance: (window / (window + history)) ^ times. Calls come in bursts, so bins
 * count, not calls. */
bool part_appeared(const struct parts *parts, const struct part *part)
{
    static const double CHANCE = 0.01, CHANCE_OF_TROUBLE = 0.05;
    const struct part *whole = &parts->at[part->component];
    uint64_t known_ns = whole->before_ns ? whole->before_ns : whole->first_ns;
    double window = (double)(parts->end_ns - parts->start_ns), history;
    uint32_t times = bins_seen(part, bin_of(parts, parts->start_ns), PART_BINS);
    bool trouble = slice_equal(part->level, SLICE("ERROR")) ||
                   slice_equal(part->level, SLICE("FATAL"));

    if (part->before_ns > 0 || part->first_ns < parts->start_ns)
        return false;
    if (part == whole)
        return true;
    if (known_ns >= parts->start_ns)
        return false; /* the component is new itself */
    history = (double)(parts->start_ns - known_ns);
    return pow(window / (window + history), times) <
           (trouble ? CHANCE_OF_TROUBLE : CHANCE);
}

/* The longest run of bins without it, while it was there. */
static uint64_t longest_gap(const struct parts *parts, const struct part *part)
{
    uint64_t gap = 0, longest = 0;

    for (uint64_t bin = bin_of(parts, part->first_ns);
         bin < bin_of(parts, part->last_ns) && bin < PART_BINS; bin++) {
        gap = part->bins[bin / 64] >> bin % 64 & 1 ? 0 : gap + 1;
        if (gap > longest)
            longest = gap;
    }
    return longest;
}

/* It was seen often, and is now absent much longer than ever before. */
bool part_vanished(const struct parts *parts, const struct part *part)
{
    enum { OFTEN = 8, SILENT_BINS = 3 };
    const struct part *whole = &parts->at[part->component];
    uint64_t now = parts->request->now_ns, end = parts->end_ns, silent;

    if (now > LATE_NS && end > now - LATE_NS)
        end = now - LATE_NS;
    if (part->last_ns <= parts->start_ns || part->last_ns >= end)
        return false;
    if (part != whole && whole->last_ns < end)
        end = whole->last_ns; /* what the component does not tell */
    silent = end > part->last_ns ? (end - part->last_ns) / parts->bin_ns : 0;
    return silent >= SILENT_BINS &&
           silent > 3 * (longest_gap(parts, part) + 1) &&
           bins_seen(part, 0, PART_BINS) >= OFTEN;
}
