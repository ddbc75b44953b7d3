/*
 * The walk: which resources, in which groups, and what of their points.
 */
#include "selection.h"
#include "array.h"
#include "attr_hash.h"
#include "clock.h"

#include <stdlib.h>

/* ---- the last record of a component ---- */

static bool load_components(struct selection *s)
{
    static const struct scope_filter all = {.unassigned = false};
    struct prometheus_source *source = s->source;
    struct query_request *request = source->request;

    if (source->components || arena_status(request->arena) != OK)
        return arena_status(request->arena) == OK;
    source->components =
        registry_components(request->services->registry, &all, &request->viewer,
                            request->arena, &source->component_count);
    return arena_status(request->arena) == OK;
}

static int64_t last_record_ms(struct selection *s,
                              const struct identity *identity)
{
    const struct component_info *all = s->source->components;
    int64_t now_ms = (int64_t)(s->source->request->now_ns / NS_PER_MS);
    uint32_t low = 0, high = s->source->component_count;
    uint64_t last;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;

        if (identity_compare(&all[mid].identity, identity) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == s->source->component_count ||
        identity_compare(&all[low].identity, identity) != 0)
        return now_ms;
    last = component_last_seen(&all[low], SIGNAL_COUNT);
    if (last == 0)
        return now_ms;
    /* The minute of the record is known to its end. */
    last = (last / NS_PER_MIN + 1) * NS_PER_MIN;
    return (int64_t)(last / NS_PER_MS) < now_ms ? (int64_t)(last / NS_PER_MS)
                                                : now_ms;
}

/* ---- groups ---- */

static void begin_resource(struct selection *s, uint32_t id,
                           struct arena *arena)
{
    struct query_request *request = s->source->request;
    struct identity identity = {.rule = RULE_NONE};
    struct resource resource = {.id = id};

    if (!registry_resource_identity(request->services->registry, id, arena,
                                    &identity))
        identity = (struct identity){.rule = RULE_NONE};
    s->resource_id = id;
    s->resource.count = 0;
    s->resource_attrs = (struct attrs){0};
    if (s->derived) {
        labels_put_identity(&s->resource, &identity);
    } else if (reader_resource(request->reader, id, arena, &resource) == OK) {
        s->resource_attrs = resource.attrs;
        labels_put_resource(&s->resource, &resource.attrs, &identity, arena);
    }
    s->limit_ms = last_record_ms(s, &identity);
}

struct member {
    uint64_t hash; /* of the labels */
    uint32_t resource;
    uint32_t group; /* the first resource with these labels */
    bool late;      /* has series for the last group */
};

/* The first resource of a group tells its place: chunks of resources whose ids
 * follow each other are side by side in the database. */
static int by_group(const void *left, const void *right)
{
    const struct member *a = left, *b = right;

    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return a->resource < b->resource ? -1 : a->resource > b->resource;
}

static int by_hash(const void *left, const void *right)
{
    const struct member *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->resource < b->resource ? -1 : a->resource > b->resource;
}

/* The resources of the plan, those of equal labels side by side. */
static struct member *list_members(struct selection *s,
                                   const struct series_plan *plan,
                                   uint32_t *count)
{
    struct member *members = NULL;
    uint32_t room = 0;

    *count = 0;
    for (uint32_t id = series_plan_next(plan, 0); id != RESOURCE_NONE;
         id = series_plan_next(plan, (uint64_t)id + 1)) {
        struct member *member =
            arena_append(s->source->request->arena, &members, *count, &room);
        struct promql_labels labels;

        if (!member)
            return NULL;
        begin_resource(s, id, &s->scratch);
        labels = labels_of(&s->resource);
        *member = (struct member){promql_labels_hash(&labels), id, id, false};
        ++*count;
        arena_reset(&s->scratch);
    }
    if (*count < 2)
        return members;
    qsort(members, *count, sizeof(*members), by_hash);
    for (uint32_t i = 1; i < *count; i++)
        if (members[i].hash == members[i - 1].hash)
            members[i].group = members[i - 1].group;
    qsort(members, *count, sizeof(*members), by_group);
    return members;
}

/* ---- points ---- */

bool selection_matches(const struct selection *s)
{
    const struct promql_labels labels = labels_of(&s->labels);

    for (uint32_t i = 0; i < s->matcher_count; i++) {
        struct slice name = s->matchers[i].name;

        if (!slice_equal(name, SLICE("__name__")) &&
            !slice_equal(name, SLICE("le")) &&
            !slice_equal(name, SLICE("quantile")) &&
            !promql_matches(&s->matchers[i], 1, &labels))
            return false;
    }
    return true;
}

struct raw *selection_raw(struct selection *s, const struct metric_view *view)
{
    struct promql_labels labels = labels_of(&s->labels);
    struct raw *raw;

    if (s->parts > 1 && promql_labels_hash(&labels) % s->parts != s->part)
        return NULL;
    raw = raw_find(&s->raws, view, &labels);
    if (raw && raw->limit_ms < s->limit_ms)
        raw->limit_ms = s->limit_ms;
    return raw;
}

static bool wants_series(void *selection, const struct point *head)
{
    struct selection *s = selection;
    uint64_t key = hash_mix(hash_mix(attrs_hash(&head->attrs), s->metric_key),
                            s->resource_id);
    struct known_series *slot;

    map_each(&s->known_index, map_hash(key), at)
        if (s->known[at].key == key) {
            s->current = &s->known[at];
            return s->current->count > 0;
        }
    s->known_index.arena = &s->group;
    s->current = NULL;
    slot = arena_append(&s->group, &s->known, s->known_count, &s->known_room);
    if (!slot || !map_add(&s->known_index, map_hash(key), s->known_count))
        return false;
    s->known_count++;
    *slot = (struct known_series){.key = key};
    if (s->derived)
        derived_targets(s, head, slot);
    else
        sent_targets(s, head, slot);
    s->current = slot;
    return slot->count > 0;
}

/* Only one point a minute is of use to target_info. */
static bool is_repeated(const struct raw *raw, int64_t time_ms)
{
    const struct sample_list *list = &raw->lists[LIST_MAIN];

    return list->count > 0 &&
           list->at[list->count - 1].time_ms / 60000 == time_ms / 60000;
}

static void visit_point(void *selection, const struct point *point)
{
    struct selection *s = selection;
    int64_t time_ms = (int64_t)(point->time_ns / NS_PER_MS);

    for (uint32_t i = 0; s->current && i < s->current->count; i++) {
        const struct target *target = &s->current->targets[i];
        struct raw *raw = target->raw;

        if (s->exemplars) {
            if (point->exemplar_count > 0)
                s->exemplars(s, raw, point);
            continue;
        }
        if (raw->view == &s->target_view) {
            struct point present = *point;

            present.flags = 0;
            present.is_int = true;
            if (time_ms > s->start_ms && !is_repeated(raw, time_ms))
                raw_add(raw, &s->group, LIST_MAIN, &present, 1);
        } else if (raw->view->delta || time_ms > s->start_ms || s->heads) {
            raw_add(raw, &s->group, target->list, point, target->sign);
        }
    }
}

static void visit_counts(void *selection, const struct series_counts *counts)
{
    enum { HOUR_MS = 3600 * 1000, MOST = 26 };
    struct selection *s = selection;
    int64_t hours = (s->end_ms - steps_read_from(s->start_ms)) / HOUR_MS + 1;

    for (uint32_t i = 0; s->current && i < s->current->count; i++) {
        const struct target *target = &s->current->targets[i];

        raw_add_counts(target->raw, &s->group, target->list, counts,
                       target->sign, hours < MOST ? (uint32_t)hours : MOST);
    }
}

/* ---- the passes ---- */

enum { MAX_PARTS = 1024, MORE_PARTS = 4 };

static enum status group_status(const struct selection *s)
{
    enum status status = arena_status(&s->group);

    return status != OK ? status : arena_status(s->source->request->arena);
}

static void begin_group(struct selection *s)
{
    arena_reset(&s->group);
    arena_reset(&s->scratch);
    s->raws = (struct raw_table){.arena = &s->group};
    s->known = NULL;
    s->known_count = s->known_room = 0;
    s->known_index = (struct map){0};
    s->current = NULL;
}

static void read_part(struct selection *s, const struct series_plan *plan,
                      struct member *members, uint32_t count)
{
    struct reader *reader = s->source->request->reader;

    begin_group(s);
    for (uint32_t i = 0; i < count && s->status == OK; i++) {
        begin_resource(s, members[i].resource, &s->group);
        s->saw_late = false;
        s->status = reader_read_planned(reader, plan, members[i].resource,
                                        visit_point, s);
        members[i].late |= s->saw_late;
        if (s->status == OK)
            s->status = group_status(s);
    }
    for (uint32_t i = 0; i < s->raws.count && s->status == OK; i++)
        series_push(s, s->raws.at[i]);
}

/* What was handed over before the memory was full is not handed over again:
 * series_push() knows it. */
static bool try_parts(struct selection *s)
{
    bool full =
        arena_status(&s->group) != OK || arena_status(&s->scratch) != OK;

    if (s->status == OK || !full || s->parts >= MAX_PARTS ||
        arena_status(s->source->request->arena) != OK)
        return false;
    s->parts *= MORE_PARTS;
    s->status = OK;
    return true;
}

static void read_group(struct selection *s, const struct series_plan *plan,
                       struct member *members, uint32_t count)
{
    s->parts = 1;
    do
        for (s->part = 0; s->part < s->parts && s->status == OK; s->part++)
            read_part(s, plan, members, count);
    while (try_parts(s));
}

static void read_late(struct selection *s, const struct series_plan *plan,
                      struct member *members, uint32_t count)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++)
        if (members[i].late)
            members[n++] = members[i];
    s->late_pass = true;
    if (n > 0)
        read_group(s, plan, members, n);
    s->late_pass = false;
}

static void read_groups(struct selection *s, const struct series_plan *plan)
{
    uint32_t count, next;
    struct member *members = list_members(s, plan, &count);

    if (s->status == OK)
        s->status = group_status(s);
    for (uint32_t i = 0; i < count && s->status == OK; i = next) {
        next = i + 1;
        while (next < count && members[next].hash == members[i].hash)
            next++;
        read_group(s, plan, members + i, next - i);
    }
    if (s->status == OK && !s->derived)
        read_late(s, plan, members, count);
}

/* The first and last nanosecond of (start, end] in milliseconds. */
static void set_range(const struct selection *s, struct series_query *query)
{
    const int64_t last_ms = INT64_MAX / (int64_t)NS_PER_MS - 2;
    int64_t start = steps_read_from(s->start_ms > 0 ? s->start_ms : 0);
    int64_t end = s->end_ms < last_ms ? s->end_ms : last_ms;

    if (start > end)
        start = end;
    query->start_ns = start > 0 ? (uint64_t)start * NS_PER_MS : 0;
    query->end_ns = (uint64_t)end * NS_PER_MS + NS_PER_MS - 1;
}

static void run_pass(struct selection *s, bool derived)
{
    struct query_request *request = s->source->request;
    struct series_query query = {
        .sent = !derived,
        .heads = s->heads,
        .wants_metric = derived ? derived_wants_metric : sent_wants_metric,
        .wants_series = wants_series,
    };
    struct series_plan *plan;

    s->derived = derived;
    if (derived && !derived_prepare(s, &query))
        return;
    query.counts_only = derived && derived_counts_only(s) && !s->exemplars;
    query.counts = query.counts_only ? visit_counts : NULL;
    set_range(s, &query);
    query.resources = request->selected = selection_resources(s);
    if (!query.resources) {
        s->status = arena_status(request->arena);
        return;
    }
    arena_begin(&s->plan, request->arena);
    s->status = reader_plan_series(request->reader, &query, &s->plan, &plan);
    if (s->status == OK)
        read_groups(s, plan);
    s->full |= arena_status(&s->plan) != OK;
    arena_release(&s->plan);
}

static void set_name(struct selection *s)
{
    for (uint32_t i = 0; i < s->matcher_count; i++)
        if (s->matchers[i].op == PROMQL_EQUAL &&
            slice_equal(s->matchers[i].name, SLICE("__name__")))
            s->name = s->matchers[i].value;
}

static void set_target_view(struct selection *s)
{
    s->target_view = (struct metric_view){.type = METRIC_GAUGE,
                                          .base = SLICE_INIT("target_info")};
    view_add(s, &s->target_view, OUT_PRESENT, s->target_view.base, "");
}

enum status selection_run(struct selection *s)
{
    struct arena *arena = s->source->request->arena;
    bool full;

    if (s->end_ms < 0 || s->end_ms < s->start_ms)
        return OK;
    arena_begin(&s->group, arena);
    arena_begin(&s->scratch, arena);
    set_name(s);
    set_target_view(s);
    if (!load_components(s))
        s->status = arena_status(arena);
    if (s->status == OK)
        run_pass(s, true);
    if (s->status == OK && !derived_has_name(s->name))
        run_pass(s, false);
    full = s->full || arena_status(&s->group) != OK ||
           arena_status(&s->scratch) != OK || arena_status(arena) != OK;
    arena_release(&s->group);
    arena_release(&s->scratch);
    if (full) /* not the memory of blocks that are open */
        s->status = query_memory_status(s->source->request, s->status);
    if ((s->status == ERR_TOO_BIG || s->status == ERR_BUSY) &&
        !s->source->error[0])
        snprintf(s->source->error, sizeof(s->source->error),
                 "query processing would load too many samples into memory in "
                 "query execution");
    return s->status;
}
