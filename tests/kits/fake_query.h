/*
 * fake_query - a bed for tests of query handlers: the real registry and
 * catalogue, a store that hands out what the test put into it and remembers
 * what it was asked.
 *
 *   struct bed bed;
 *   bed_init(&bed);
 *   bed.logs = ...; bed.log_count = ...;
 *   json_t *answer = bed_ask(&bed, "POST", "/api/v1/logs/query", "{...}");
 *   CHECK_EQ(bed.status, 200);
 */
#ifndef FAKE_QUERY_H
#define FAKE_QUERY_H

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "clock.h"
#include "fake_store.h"
#include "route_find.h"
#include "test.h"

struct bed {
    struct store *store;
    struct registry *registry;
    struct catalog *catalog;
    struct query_options options;
    struct arena arena; /* of what the test makes */
    const char *content_type;
    size_t max_reply, max_memory;

    struct log_record *logs;
    struct span *spans;
    struct trace_summary *traces;
    struct point *points;
    uint32_t log_count, span_count, trace_count, point_count;
    enum status read_status, health, journal_health;
    void (*begin)(void); /* called by reader_begin, if set */

    struct log_query log_query; /* the last ones; their pointers are gone */
    struct list_position after, before; /* of the last list; key_len 0: none */
    struct trace_query trace_query;
    struct series_query series_query; /* its pointers are of the question */
    uint32_t series_resources;        /* how many it was about */
    bool whole;
    bool strict;       /* logs by time, level and stream, too */
    bool whole_traces; /* a sample shows them with spans of other times */

    int status; /* of the last answer */
    char text[65536];
};

static struct bed *the_bed;
static _Thread_local const atomic_bool *bed_cancel; /* of this reader */

/* ---- the store as readers see it ---- */

enum status reader_open(struct reader **reader, struct store *store)
{
    (void)store;
    *reader = NULL;
    return OK;
}

void reader_close(struct reader *reader)
{
    (void)reader;
}

void reader_set_cancel(struct reader *reader, const atomic_bool *cancelled)
{
    (void)reader;
    bed_cancel = cancelled;
}

enum status reader_begin(struct reader *reader)
{
    (void)reader;
    if (the_bed->begin)
        the_bed->begin();
    return OK;
}

void reader_end(struct reader *reader)
{
    (void)reader;
}

static void keep_range(const struct list_range *range)
{
    const struct list_position none = {0};

    the_bed->after = range->after ? *range->after : none;
    the_bed->before = range->before ? *range->before : none;
}

static bool is_asked_for(const struct log_record *log,
                         const struct log_query *query)
{
    return log->time_ns >= query->start_ns && log->time_ns < query->end_ns &&
           (log->event_name.len > 0) == query->events &&
           (query->levels == 0 || query->levels >> log->level & 1);
}

enum status reader_query_logs(struct reader *reader,
                              const struct log_query *query,
                              struct arena *arena, struct log_record **logs,
                              uint32_t *count, uint64_t *total)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    (void)reader;
    pthread_mutex_lock(&lock); /* test_query.c asks from several threads */
    the_bed->log_query = *query;
    keep_range(&query->range);
    pthread_mutex_unlock(&lock);
    *logs = arena_zero(arena, the_bed->log_count + 1, sizeof(**logs));
    *count = 0;
    if (!*logs)
        return arena_status(arena);
    for (uint32_t i = 0; i < the_bed->log_count; i++)
        if (bitmap_has(query->resources, the_bed->logs[i].resource_id) &&
            (!the_bed->strict || is_asked_for(&the_bed->logs[i], query)))
            (*logs)[(*count)++] = the_bed->logs[i];
    *total = *count;
    return the_bed->read_status;
}

enum status reader_query_traces(struct reader *reader,
                                const struct trace_query *query,
                                struct arena *arena,
                                struct trace_summary **traces, uint32_t *count,
                                uint64_t *total)
{
    (void)reader;
    (void)arena;
    the_bed->trace_query = *query;
    keep_range(&query->range);
    *traces = the_bed->traces;
    *count = the_bed->trace_count;
    *total = the_bed->trace_count;
    return the_bed->read_status;
}

enum status reader_query_trace(struct reader *reader,
                               const uint8_t trace_id[16], bool whole,
                               struct arena *arena, struct span **spans,
                               uint32_t *count)
{
    (void)reader;
    the_bed->whole = whole;
    *spans = arena_zero(arena, the_bed->span_count + 1, sizeof(**spans));
    *count = 0;
    if (!*spans)
        return arena_status(arena);
    for (uint32_t i = 0; i < the_bed->span_count; i++)
        if (memcmp(the_bed->spans[i].trace_id, trace_id, 16) == 0)
            (*spans)[(*count)++] = the_bed->spans[i];
    return the_bed->read_status;
}

static int spans_by_start(const void *left, const void *right)
{
    const struct span *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, sizeof(a->span_id));
}

enum status reader_query_spans(struct reader *reader,
                               const struct span_query *query,
                               struct arena *arena, struct span **spans,
                               uint32_t *count, uint64_t *total)
{
    bool in_scope = !query->resources;
    enum status status = reader_query_trace(reader, query->trace_id,
                                            query->whole, arena, spans, count);

    if (status != OK)
        return status;
    keep_range(&query->range);
    for (uint32_t i = 0; i < *count; i++)
        in_scope |= query->resources &&
                    bitmap_has(query->resources, (*spans)[i].resource_id);
    if (!in_scope)
        *count = 0;
    if (query->visible) {
        uint32_t kept = 0;

        for (uint32_t i = 0; i < *count; i++)
            if (bitmap_has(query->visible, (*spans)[i].resource_id))
                (*spans)[kept++] = (*spans)[i];
        *count = kept;
    }
    qsort(*spans, *count, sizeof(**spans), spans_by_start);
    for (uint32_t i = 0; !query->ascending && i < *count / 2; i++) {
        struct span swap = (*spans)[i];

        (*spans)[i] = (*spans)[*count - 1 - i];
        (*spans)[*count - 1 - i] = swap;
    }
    *total = *count;
    if (*count > query->limit)
        *count = query->limit;
    return OK;
}

enum status reader_find_span(struct reader *reader, const uint8_t trace_id[16],
                             const uint8_t span_id[8], struct arena *arena,
                             struct span *span)
{
    struct span *spans;
    uint32_t count;
    enum status status =
        reader_query_trace(reader, trace_id, true, arena, &spans, &count);

    for (uint32_t i = 0; i < count && status == OK; i++)
        if (memcmp(spans[i].span_id, span_id, 8) == 0) {
            *span = spans[i];
            return OK;
        }
    return status == OK ? ERR_NOT_FOUND : status;
}

enum status reader_query_series(struct reader *reader,
                                const struct series_query *query,
                                point_visit *visit, void *arg)
{
    (void)reader;
    the_bed->series_query = *query;
    the_bed->series_resources = query->resources ? query->resources->count : 0;
    for (uint32_t i = 0; i < the_bed->point_count; i++) {
        const struct point *point = &the_bed->points[i];
        bool named = query->name_count == 0;

        for (uint32_t k = 0; k < query->name_count; k++)
            named |= slice_equal(query->names[k], point->metric->name);
        if (named && point->time_ns > query->start_ns &&
            point->time_ns <= query->end_ns &&
            bitmap_has(query->resources, point->resource_id))
            visit(arg, point);
    }
    return the_bed->read_status;
}

static bool is_sampled(const struct span *span,
                       const struct sample_query *query)
{
    return span->start_ns >= query->start_ns &&
           span->start_ns < query->end_ns &&
           bitmap_has(query->resources, span->resource_id);
}

static bool same_trace(const struct span *a, const struct span *b)
{
    return memcmp(a->trace_id, b->trace_id, sizeof(a->trace_id)) == 0;
}

/* Memory shows spans of the time; a block the whole trace, here the spans of
 * one trace that stand beside each other. */
enum status reader_sample_spans(struct reader *reader,
                                const struct sample_query *query,
                                span_visit *visit, void *arg)
{
    const struct span *spans = the_bed->spans;
    uint32_t end;

    (void)reader;
    for (uint32_t i = 0; i < the_bed->span_count; i = end) {
        bool any = false;

        for (end = i;
             end < the_bed->span_count && same_trace(&spans[end], &spans[i]);
             end++)
            any |= is_sampled(&spans[end], query);
        for (uint32_t k = i; k < end; k++)
            if (the_bed->whole_traces ? any : is_sampled(&spans[k], query))
                visit(arg, &spans[k]);
    }
    return the_bed->read_status;
}

enum status reader_sample_logs(struct reader *reader,
                               const struct sample_query *query,
                               log_visit *visit, void *arg)
{
    (void)reader;
    for (uint32_t i = 0; i < the_bed->log_count; i++) {
        const struct log_record *log = &the_bed->logs[i];

        if (log->time_ns >= query->start_ns && log->time_ns < query->end_ns &&
            !id_is_zero(log->trace_id, 16) &&
            bitmap_has(query->resources, log->resource_id))
            visit(arg, log);
    }
    return the_bed->read_status;
}

enum status reader_resource(struct reader *reader, uint32_t id,
                            struct arena *arena, struct resource *resource)
{
    (void)reader;
    (void)arena;
    if (id >= the_bed->store->resources)
        return ERR_NOT_FOUND;
    *resource = the_bed->store->resource[id];
    return OK;
}

enum status reader_sizes(struct reader *reader, struct store_sizes *sizes)
{
    (void)reader;
    *sizes = (struct store_sizes){.records = {3}};
    return OK;
}

enum status store_health(struct store *store)
{
    (void)store;
    return the_bed->health;
}

static enum status journal_state(void *arg)
{
    (void)arg;
    return the_bed->journal_health;
}

struct sink journal_sink(struct journal *journal)
{
    (void)journal;
    return (struct sink){NULL, journal_state, NULL};
}

/* ---- the bed ---- */

static inline void bed_init(struct bed *bed)
{
    static struct registry_options registry = {.max_resources = 2000,
                                               .max_identities = 2000};

    memset(bed, 0, sizeof(*bed));
    the_bed = bed;
    bed->store = fake_store_new();
    bed->catalog = catalog_new();
    registry.keys = registry_default_keys;
    CHECK_EQ(registry_open(&bed->registry, &registry, bed->store), OK);
    arena_init(&bed->arena, NULL, SIZE_MAX);
    bed->options = (struct query_options){
        .store = bed->store,
        .registry = bed->registry,
        .catalog = bed->catalog,
        .journal = (struct journal *)bed, /* never looked into */
    };
    bed->content_type = "application/json; charset=utf-8";
    bed->max_reply = sizeof(bed->text) - 1;
    bed->max_memory = SIZE_MAX;
}

static inline void bed_release(struct bed *bed)
{
    registry_close(bed->registry);
    catalog_free(bed->catalog);
    fake_store_free(bed->store);
    arena_release(&bed->arena);
}

static inline struct attr bed_attr(const char *key, const char *value)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING,
                         .str = value,
                         .len = (uint32_t)strlen(value)};
}

/* A resource in the namespace (else acme), environment prod, of a pod called as
 * the component; its id. */
static inline uint32_t bed_resource_in(struct bed *bed, const char *space,
                                       const char *project,
                                       const char *component)
{
    struct attr *at = arena_zero(&bed->arena, 8, sizeof(*at));
    struct resource resource = {.attrs = {at, 8, 0}, .id = RESOURCE_NONE};

    at[0] = bed_attr("openchoreo.dev/namespace", space);
    at[1] = bed_attr("openchoreo.dev/project", project);
    at[2] = bed_attr("openchoreo.dev/component", component);
    at[3] = bed_attr("openchoreo.dev/environment", "prod");
    at[4] = bed_attr("openchoreo.dev/component-uid",
                     "5b0d0000-1111-2222-3333-444455556666");
    at[5] = bed_attr("k8s.pod.name", component);
    at[6] = bed_attr("k8s.namespace.name", "dp-acme");
    at[7] = bed_attr("k8s.container.name", "main");
    registry_resolve(bed->registry, &resource, UINT64_C(1700000000) * NS_PER_S);
    return resource.id;
}

static inline uint32_t bed_resource(struct bed *bed, const char *project,
                                    const char *component)
{
    return bed_resource_in(bed, "acme", project, component);
}

/* The answer parsed, or NULL if it is no JSON (it is in bed->text). */
static inline json_t *bed_ask(struct bed *bed, const char *method,
                              const char *path, const char *body)
{
    struct arena arena;
    struct query_request request;
    const char *mark = strchr(path, '?');
    struct http_param params[8];
    json_t *answer;

    arena_init(&arena, NULL, bed->max_memory);
    query_request_init(&request, &bed->options, &arena, bed->max_reply);
    request.content_type = slice_of(bed->content_type);
    request.raw_body = slice_of(body ? body : "");
    request.params = params;
    for (const char *at = mark; at && request.param_count < 8;) {
        const char *equal = strchr(at + 1, '=');
        const char *end = strchr(equal, '&');
        size_t len = end ? (size_t)(end - equal - 1) : strlen(equal + 1);

        params[request.param_count].name =
            (struct slice){at + 1, (size_t)(equal - at - 1)};
        params[request.param_count++].value = (struct slice){equal + 1, len};
        at = end;
    }
    route_find(
        &request, slice_of(method),
        (struct slice){path, mark ? (size_t)(mark - path) : strlen(path)});
    query_request_run(&request, NULL);
    bed->status = request.http_status;
    memcpy(bed->text, request.out.ptr, request.out.len);
    bed->text[request.out.len] = '\0';
    answer = json_loads(bed->text, JSON_DECODE_ANY, NULL);
    buf_release(&request.out);
    arena_release(&arena);
    return answer;
}

/* Asks for something that must be refused; the message of the refusal. */
static inline const char *bed_refused(struct bed *bed, const char *path,
                                      const char *body, int status,
                                      const char *code)
{
    static char message[512];
    json_t *answer = bed_ask(bed, "POST", path, body);

    CHECK_EQ(bed->status, status);
    CHECK_TEXT(
        slice_of(json_string_value(json_object_get(answer, "errorCode"))),
        code);
    snprintf(message, sizeof(message), "%s",
             json_string_value(json_object_get(answer, "message")));
    json_decref(answer);
    return message;
}

/* "logs.0.metadata.podName" of an answer, as text; "" if it is not there. */
static inline struct slice bed_at(const json_t *answer, const char *path)
{
    static char number[64];
    char name[64];

    while (answer && *path) {
        size_t len = strcspn(path, ".");

        snprintf(name, sizeof(name), "%.*s", (int)len, path);
        answer = json_is_array(answer)
                     ? json_array_get(answer, strtoul(name, NULL, 10))
                     : json_object_get(answer, name);
        path += len + (path[len] == '.');
    }
    if (json_is_string(answer))
        return slice_of(json_string_value(answer));
    if (json_is_number(answer))
        snprintf(number, sizeof(number), "%.9g", json_number_value(answer));
    else if (json_is_array(answer))
        snprintf(number, sizeof(number), "[%zu]", json_array_size(answer));
    else
        snprintf(number, sizeof(number), "%s",
                 json_is_true(answer)     ? "true"
                 : json_is_false(answer)  ? "false"
                 : json_is_object(answer) ? "{}"
                                          : "");
    return slice_of(number);
}

#endif
