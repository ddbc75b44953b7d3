/*
 * Plain walks over the structs of record.h. A member that could not be copied
 * becomes empty, and the arena says that something is missing.
 */
#include "record_copy.h"

/* count elements of from, or NULL. */
static void *copy_array(struct arena *arena, const void *from, size_t count,
                        size_t size)
{
    if (count == 0 || !from)
        return NULL;
    void *to = arena_zero(arena, count, size);

    if (to)
        memcpy(to, from, count * size);
    return to;
}

static void copy_value(struct arena *arena, struct attr *attr);

static const struct attr *copy_items(struct arena *arena,
                                     const struct attr *from, uint32_t count)
{
    struct attr *items = copy_array(arena, from, count, sizeof(*items));

    for (uint32_t i = 0; items && i < count; i++) {
        struct slice key = arena_copy(arena, attr_key(&from[i]));

        items[i].key = key.ptr;
        items[i].key_len = (uint16_t)key.len;
        copy_value(arena, &items[i]);
    }
    return items;
}

/* attr is a flat copy: gives it a value of its own. */
static void copy_value(struct arena *arena, struct attr *attr)
{
    if (attr->type == VALUE_STRING || attr->type == VALUE_BYTES) {
        struct slice text =
            arena_copy(arena, (struct slice){attr->str, attr->len});

        attr->str = text.ptr;
        attr->len = (uint32_t)text.len;
    } else if (attr->type == VALUE_ARRAY || attr->type == VALUE_MAP) {
        attr->items = copy_items(arena, attr->items, attr->len);
        if (!attr->items)
            attr->len = 0;
    }
}

static struct attrs copy_attrs(struct arena *arena, const struct attrs *attrs)
{
    struct attrs copy = *attrs;

    copy.at = copy_items(arena, attrs->at, attrs->count);
    if (!copy.at)
        copy.count = 0;
    return copy;
}

static const struct scope *copy_scope(struct arena *arena,
                                      const struct scope *from)
{
    struct scope *to = copy_array(arena, from, from != NULL, sizeof(*to));

    if (!to)
        return NULL;
    to->name = arena_copy(arena, from->name);
    to->version = arena_copy(arena, from->version);
    to->schema_url = arena_copy(arena, from->schema_url);
    to->attrs = copy_attrs(arena, &from->attrs);
    return to;
}

void copy_log(struct arena *arena, const struct log_record *from,
              struct log_record *to)
{
    *to = *from;
    copy_value(arena, &to->body);
    to->severity_text = arena_copy(arena, from->severity_text);
    to->event_name = arena_copy(arena, from->event_name);
    to->endpoint = arena_copy(arena, from->endpoint);
    to->attrs = copy_attrs(arena, &from->attrs);
    to->scope = copy_scope(arena, from->scope);
    to->resource = NULL;
}

static void copy_events(struct arena *arena, const struct span *from,
                        struct span *to)
{
    struct span_event *events =
        copy_array(arena, from->events, from->event_count, sizeof(*events));
    struct span_link *links =
        copy_array(arena, from->links, from->link_count, sizeof(*links));

    to->event_count = events ? from->event_count : 0;
    to->link_count = links ? from->link_count : 0;
    for (uint32_t i = 0; i < to->event_count; i++) {
        events[i].name = arena_copy(arena, events[i].name);
        events[i].attrs = copy_attrs(arena, &from->events[i].attrs);
    }
    for (uint32_t i = 0; i < to->link_count; i++) {
        links[i].trace_state = arena_copy(arena, links[i].trace_state);
        links[i].attrs = copy_attrs(arena, &from->links[i].attrs);
    }
    to->events = events;
    to->links = links;
}

void copy_span(struct arena *arena, const struct span *from, bool whole,
               struct span *to)
{
    *to = *from;
    to->name = arena_copy(arena, from->name);
    to->status_message = arena_copy(arena, from->status_message);
    to->trace_state = arena_copy(arena, from->trace_state);
    to->endpoint = arena_copy(arena, from->endpoint);
    to->operation = arena_copy(arena, from->operation);
    to->scope = copy_scope(arena, from->scope);
    to->resource = NULL;
    to->attrs.at = NULL;
    to->attrs.count = 0;
    to->events = NULL;
    to->links = NULL;
    to->event_count = to->link_count = 0;
    if (whole) {
        to->attrs = copy_attrs(arena, &from->attrs);
        copy_events(arena, from, to);
    }
}

static const struct metric *copy_metric(struct arena *arena,
                                        const struct metric *from)
{
    struct metric *to = copy_array(arena, from, 1, sizeof(*to));

    if (!to)
        return NULL;
    to->name = arena_copy(arena, from->name);
    to->description = arena_copy(arena, from->description);
    to->unit = arena_copy(arena, from->unit);
    to->scope = copy_scope(arena, from->scope);
    to->resource = NULL;
    return to;
}

static void copy_run(struct arena *arena, struct exp_buckets *run)
{
    run->counts =
        copy_array(arena, run->counts, run->count, sizeof(*run->counts));
    if (!run->counts)
        run->count = 0;
}

static const struct histogram *copy_histogram(struct arena *arena,
                                              const struct histogram *from,
                                              enum metric_type type)
{
    struct histogram *to = copy_array(arena, from, 1, sizeof(*to));

    if (!to)
        return NULL;
    if (type == METRIC_EXP_HISTOGRAM) {
        copy_run(arena, &to->positive);
        copy_run(arena, &to->negative);
        to->bound_count = 0;
        return to;
    }
    to->bounds =
        copy_array(arena, from->bounds, from->bound_count, sizeof(*to->bounds));
    to->counts = NULL;
    to->values = NULL;
    if (type == METRIC_SUMMARY)
        to->values = copy_array(arena, from->values, from->bound_count,
                                sizeof(*to->values));
    else
        to->counts =
            copy_array(arena, from->counts, (size_t)from->bound_count + 1,
                       sizeof(*to->counts));
    return to;
}

struct point *copy_point_value(struct arena *arena, const struct point *from)
{
    struct point *to = copy_array(arena, from, 1, sizeof(*to));

    if (!to)
        return NULL;

    enum metric_type type = (enum metric_type)from->metric->type;
    struct exemplar *exemplars = copy_array(
        arena, from->exemplars, from->exemplar_count, sizeof(*exemplars));
    to->exemplar_count = exemplars ? from->exemplar_count : 0;
    for (uint32_t i = 0; i < to->exemplar_count; i++)
        exemplars[i].attrs = copy_attrs(arena, &exemplars[i].attrs);
    to->exemplars = exemplars;
    if (type != METRIC_GAUGE && type != METRIC_SUM) {
        to->histogram = copy_histogram(arena, from->histogram, type);
        if (!to->histogram)
            return NULL;
    }
    return to;
}

struct point *copy_point(struct arena *arena, const struct point *from)
{
    struct point *to = copy_point_value(arena, from);

    if (!to)
        return NULL;
    to->attrs = copy_attrs(arena, &from->attrs);
    to->metric = copy_metric(arena, from->metric);
    return arena_status(arena) == OK ? to : NULL;
}
