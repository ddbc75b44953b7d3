/*
 * otlp_tree - compares a decoded batch with the tree that protobuf-c has of
 * the same request, member by member, by the rules of otlp.h written down a
 * second time. For tests and fuzz targets.
 */
#ifndef OTLP_TREE_H
#define OTLP_TREE_H

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "otlp.pb-c.h"

struct tree_check {
    const struct batch *batch;
    uint32_t at, rejected, resources; /* records and resources gone by */
    const struct resource *resource;
    const char *wrong; /* the first thing that differs, or NULL */
    int line;
};

static inline void tree_same(struct tree_check *c, bool same, const char *what,
                             int line)
{
    if (!same && !c->wrong) {
        c->wrong = what;
        c->line = line;
    }
}

#define SAME(cond) tree_same(c, (cond), #cond, __LINE__)
/* Only if what is compared next exists. */
#define SAME_OR_RETURN(cond) \
    do {                     \
        SAME(cond);          \
        if (c->wrong)        \
            return;          \
    } while (0)

static inline bool tree_bytes(struct slice got, const void *want, size_t len,
                              size_t max)
{
    if (len > max)
        return got.len <= max && got.len > max - 4 &&
               memcmp(got.ptr, want, got.len) == 0;
    return got.len == len && (len == 0 || memcmp(got.ptr, want, len) == 0);
}

static inline bool tree_text(struct slice got, const char *want)
{
    return tree_bytes(got, want, want ? strlen(want) : 0, ATTR_MAX_VALUE);
}

static inline bool tree_double(double got, double want)
{
    return memcmp(&got, &want, sizeof(got)) == 0 || got == want ||
           (got != got && want != want);
}

static inline bool tree_id(const uint8_t *got, size_t size,
                           ProtobufCBinaryData want)
{
    return want.len == size ? memcmp(got, want.data, size) == 0
                            : id_is_zero(got, size);
}

static inline bool tree_id_good(ProtobufCBinaryData id, size_t size)
{
    return id.len == size && !id_is_zero(id.data, size);
}

static inline void tree_list(struct tree_check *c, const struct attr *got,
                             uint32_t count, size_t n, Otlp__KeyValue **want,
                             unsigned depth);

static inline void tree_value(struct tree_check *c, const struct attr *got,
                              const Otlp__AnyValue *want, unsigned depth,
                              size_t max)
{
    Otlp__AnyValue__ValueCase type =
        want ? want->value_case : OTLP__ANY_VALUE__VALUE__NOT_SET;
    size_t count;

    if (depth == ATTR_MAX_DEPTH &&
        (type == OTLP__ANY_VALUE__VALUE_ARRAY_VALUE ||
         type == OTLP__ANY_VALUE__VALUE_KVLIST_VALUE))
        type = OTLP__ANY_VALUE__VALUE__NOT_SET;
    switch (type) {
    case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
        SAME(got->type == VALUE_STRING);
        SAME(tree_bytes((struct slice){got->str, got->len}, want->string_value,
                        strlen(want->string_value), max));
        break;
    case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
        SAME(got->type == VALUE_BYTES);
        SAME(tree_bytes((struct slice){got->str, got->len},
                        want->bytes_value.data, want->bytes_value.len,
                        ATTR_MAX_VALUE));
        break;
    case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
        SAME(got->type == VALUE_BOOL && got->b == !!want->bool_value);
        break;
    case OTLP__ANY_VALUE__VALUE_INT_VALUE:
        SAME(got->type == VALUE_INT && got->i == want->int_value);
        break;
    case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
        SAME(got->type == VALUE_DOUBLE);
        SAME(tree_double(got->d, want->double_value));
        break;
    case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
        count = want->array_value->n_values;
        if (count > ATTR_MAX_COUNT)
            count = ATTR_MAX_COUNT;
        SAME_OR_RETURN(got->type == VALUE_ARRAY && got->len == count);
        for (size_t i = 0; i < count; i++)
            tree_value(c, &got->items[i], want->array_value->values[i],
                       depth + 1, ATTR_MAX_VALUE);
        break;
    case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
        SAME_OR_RETURN(got->type == VALUE_MAP);
        tree_list(c, got->items, got->len, want->kvlist_value->n_values,
                  want->kvlist_value->values, depth + 1);
        break;
    default:
        SAME(got->type == VALUE_EMPTY);
    }
}

/* How long a key is once it is cut: between two characters, or anywhere if
 * there is no beginning of one. */
static inline size_t tree_key_len(const char *key)
{
    size_t len = strlen(key), cut = ATTR_MAX_KEY;

    if (len <= ATTR_MAX_KEY)
        return len;
    while (cut > ATTR_MAX_KEY - 4 && ((unsigned char)key[cut] & 0xc0) == 0x80)
        cut--;
    return ((unsigned char)key[cut] & 0xc0) == 0x80 ? ATTR_MAX_KEY : cut;
}

/* Of keys that are equal once cut, the last wins. */
static inline bool tree_same_key(const Otlp__KeyValue *a,
                                 const Otlp__KeyValue *b)
{
    size_t len = tree_key_len(a->key);

    return len == tree_key_len(b->key) && memcmp(a->key, b->key, len) == 0;
}

/* Those within the bound that have a key: the place of the last of each key in
 * that of the first. Returns how many are left, *repeated how many are not. */
static inline uint32_t tree_unique(size_t n, Otlp__KeyValue **all,
                                   Otlp__KeyValue *left[ATTR_MAX_COUNT],
                                   uint32_t *repeated)
{
    uint32_t count = 0;

    *repeated = 0;
    for (size_t i = 0; i < n && count + *repeated < ATTR_MAX_COUNT; i++) {
        uint32_t at = 0;

        if (!all[i]->key || !*all[i]->key)
            continue;
        while (at < count && !tree_same_key(left[at], all[i]))
            at++;
        *repeated += at < count;
        count += at == count;
        left[at] = all[i];
    }
    return count;
}

static inline void tree_list(struct tree_check *c, const struct attr *got,
                             uint32_t count, size_t n, Otlp__KeyValue **all,
                             unsigned depth)
{
    Otlp__KeyValue *want[ATTR_MAX_COUNT];
    uint32_t repeated;

    SAME_OR_RETURN(count == tree_unique(n, all, want, &repeated));
    for (uint32_t i = 0; i < count; i++) {
        SAME(tree_bytes(attr_key(&got[i]), want[i]->key, strlen(want[i]->key),
                        ATTR_MAX_KEY));
        tree_value(c, &got[i], want[i]->value, depth, ATTR_MAX_VALUE);
    }
}

static inline void tree_attrs(struct tree_check *c, const struct attrs *got,
                              size_t n, Otlp__KeyValue **want, uint32_t dropped)
{
    Otlp__KeyValue *left[ATTR_MAX_COUNT];
    uint32_t repeated, unique = tree_unique(n, want, left, &repeated);
    uint64_t all = n - unique - repeated + (uint64_t)dropped;

    tree_list(c, got->at, got->count, n, want, 0);
    SAME(got->dropped == (all > UINT32_MAX ? UINT32_MAX : all));
}

static inline void tree_resource(struct tree_check *c,
                                 const Otlp__Resource *want, const char *url)
{
    SAME_OR_RETURN(c->resources < c->batch->resource_count);
    c->resource = &c->batch->resources[c->resources++];
    SAME(c->resource->id == RESOURCE_NONE);
    SAME(tree_text(c->resource->schema_url, url));
    tree_attrs(c, &c->resource->attrs, want ? want->n_attributes : 0,
               want ? want->attributes : NULL,
               want ? want->dropped_attributes_count : 0);
}

static inline void tree_scope(struct tree_check *c, const struct scope *got,
                              const Otlp__InstrumentationScope *want,
                              const char *url)
{
    SAME_OR_RETURN((got != NULL) == (want || url));
    if (!got)
        return;
    SAME(tree_text(got->schema_url, url));
    SAME(tree_text(got->name, want ? want->name : NULL));
    SAME(tree_text(got->version, want ? want->version : NULL));
    tree_attrs(c, &got->attrs, want ? want->n_attributes : 0,
               want ? want->attributes : NULL,
               want ? want->dropped_attributes_count : 0);
}

static inline bool tree_time_good(const struct tree_check *c, uint64_t ns)
{
    return ns > 0 && ns <= c->batch->received_ns + UINT64_C(3600000000000);
}

static inline void tree_events(struct tree_check *c, const struct span *got,
                               const Otlp__Span *want)
{
    size_t count = want->n_events;

    if (count > SPAN_MAX_EVENTS)
        count = SPAN_MAX_EVENTS;
    SAME_OR_RETURN(got->event_count == count);
    SAME(got->dropped_events >= want->n_events - count);
    for (size_t i = 0; i < count; i++) {
        const struct span_event *event = &got->events[i];

        SAME(event->time_ns == want->events[i]->time_unix_nano);
        SAME(tree_text(event->name, want->events[i]->name));
        tree_attrs(c, &event->attrs, want->events[i]->n_attributes,
                   want->events[i]->attributes,
                   want->events[i]->dropped_attributes_count);
    }
}

static inline void tree_links(struct tree_check *c, const struct span *got,
                              const Otlp__Span *want)
{
    uint32_t at = 0;

    for (size_t i = 0; i < want->n_links && at < SPAN_MAX_EVENTS; i++) {
        const Otlp__Span__Link *link = want->links[i];
        const struct span_link *mine = &got->links[at];

        if (!tree_id_good(link->trace_id, 16) ||
            !tree_id_good(link->span_id, 8))
            continue;
        SAME_OR_RETURN(at < got->link_count);
        at++;
        SAME(tree_id(mine->trace_id, 16, link->trace_id));
        SAME(tree_id(mine->span_id, 8, link->span_id));
        SAME(tree_text(mine->trace_state, link->trace_state));
        SAME(mine->flags == link->flags);
        tree_attrs(c, &mine->attrs, link->n_attributes, link->attributes,
                   link->dropped_attributes_count);
    }
    SAME(got->link_count == at);
    SAME(got->dropped_links >= want->n_links - at);
}

static inline void tree_span(struct tree_check *c, const Otlp__Span *want,
                             const Otlp__ScopeSpans *parent)
{
    const struct span *got = &c->batch->spans[c->at];
    uint64_t start = want->start_time_unix_nano;
    uint64_t end = want->end_time_unix_nano;
    Otlp__Status none = OTLP__STATUS__INIT;
    const Otlp__Status *status = want->status ? want->status : &none;
    uint8_t early = start > 0 && end > 0 && end < start ? CORRECTED_END : 0;

    if (!tree_id_good(want->trace_id, 16) || !tree_id_good(want->span_id, 8) ||
        (want->parent_span_id.len != 0 && want->parent_span_id.len != 8)) {
        c->rejected++;
        return;
    }
    SAME_OR_RETURN(c->at < c->batch->count);
    c->at++;
    SAME(tree_id(got->trace_id, 16, want->trace_id));
    SAME(tree_id(got->span_id, 8, want->span_id));
    SAME(tree_id(got->parent_span_id, 8, want->parent_span_id));
    SAME(tree_text(got->trace_state, want->trace_state));
    SAME(tree_text(got->name, want->name));
    SAME(got->kind == (want->kind >= 0 && want->kind <= 5 ? want->kind : 0));
    if (tree_time_good(c, start) && tree_time_good(c, end)) {
        SAME(got->start_ns == start && got->end_ns == (early ? start : end) &&
             got->corrected == early);
    } else {
        SAME(got->corrected == (CORRECTED_TIME | early) &&
             got->end_ns >= got->start_ns);
        SAME(tree_time_good(c, got->start_ns) &&
             tree_time_good(c, got->end_ns));
    }
    tree_attrs(c, &got->attrs, want->n_attributes, want->attributes,
               want->dropped_attributes_count);
    tree_events(c, got, want);
    tree_links(c, got, want);
    SAME(tree_text(got->status_message, status->message));
    SAME(got->status ==
         (status->code >= 0 && status->code <= 2 ? status->code : 0));
    SAME(got->flags == want->flags);
    SAME(got->resource == c->resource && got->resource_id == RESOURCE_NONE);
    tree_scope(c, got->scope, parent->scope, parent->schema_url);
}

static inline void tree_traces(struct tree_check *c,
                               const Otlp__TracesData *want)
{
    for (size_t r = 0; r < want->n_resource_spans; r++) {
        const Otlp__ResourceSpans *rs = want->resource_spans[r];

        tree_resource(c, rs->resource, rs->schema_url);
        for (size_t s = 0; s < rs->n_scope_spans; s++)
            for (size_t i = 0; i < rs->scope_spans[s]->n_spans; i++)
                tree_span(c, rs->scope_spans[s]->spans[i], rs->scope_spans[s]);
    }
}

static inline void tree_log(struct tree_check *c, const Otlp__LogRecord *want,
                            const Otlp__ScopeLogs *parent)
{
    const struct log_record *got = &c->batch->logs[c->at];
    uint64_t observed = want->observed_time_unix_nano;
    int32_t severity = want->severity_number;

    SAME_OR_RETURN(c->at < c->batch->count);
    c->at++;
    if (!tree_time_good(c, observed))
        observed = c->batch->received_ns;
    SAME(got->observed_ns == observed);
    if (tree_time_good(c, want->time_unix_nano))
        SAME(got->time_ns == want->time_unix_nano && !got->corrected);
    else
        SAME(got->time_ns == observed && got->corrected == CORRECTED_TIME);
    SAME(got->severity == (severity >= 0 && severity <= 24 ? severity : 0));
    SAME(got->level == LEVEL_UNSET && !got->is_event);
    SAME(tree_text(got->severity_text, want->severity_text));
    SAME(tree_text(got->event_name, want->event_name));
    if (got->body.type == VALUE_STRING && got->event_name.len > 0 &&
        (!want->body ||
         want->body->value_case == OTLP__ANY_VALUE__VALUE__NOT_SET))
        SAME(slice_equal(attr_text(&got->body), got->event_name));
    else
        tree_value(c, &got->body, want->body, 0, LOG_MAX_BODY);
    tree_attrs(c, &got->attrs, want->n_attributes, want->attributes,
               want->dropped_attributes_count);
    SAME(got->flags == want->flags);
    SAME(tree_id(got->trace_id, 16, want->trace_id));
    SAME(tree_id(got->span_id, 8, want->span_id));
    SAME(got->resource == c->resource && got->resource_id == RESOURCE_NONE);
    tree_scope(c, got->scope, parent->scope, parent->schema_url);
}

static inline void tree_logs(struct tree_check *c, const Otlp__LogsData *want)
{
    for (size_t r = 0; r < want->n_resource_logs; r++) {
        const Otlp__ResourceLogs *rl = want->resource_logs[r];

        tree_resource(c, rl->resource, rl->schema_url);
        for (size_t s = 0; s < rl->n_scope_logs; s++)
            for (size_t i = 0; i < rl->scope_logs[s]->n_log_records; i++)
                tree_log(c, rl->scope_logs[s]->log_records[i],
                         rl->scope_logs[s]);
    }
}

#include "otlp_tree_metrics.h"

/* What differs, or NULL. message is the tree for the batch's signal. */
static inline const char *tree_compare(const struct batch *batch,
                                       const void *message)
{
    static char text[300];
    struct tree_check check = {.batch = batch}, *c = &check;

    if (batch->signal == SIGNAL_SPANS)
        tree_traces(c, message);
    else if (batch->signal == SIGNAL_LOGS)
        tree_logs(c, message);
    else
        tree_metrics(c, message);
    SAME(c->at == batch->count);
    SAME(c->resources == batch->resource_count);
    SAME(c->rejected == batch->rejected);
    SAME((batch->reason != NULL) == (batch->rejected > 0));
    if (!c->wrong)
        return NULL;
    snprintf(text, sizeof(text), "record %u, line %d: %s", c->at, c->line,
             c->wrong);
    return text;
}

#endif
