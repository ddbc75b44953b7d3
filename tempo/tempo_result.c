/*
 * One trace: read, tested, and written as Tempo's TraceSearchMetadata.
 */
#include <stdio.h>

#include "array.h"
#include "otlp_encode.h"
#include "tempo_search.h"

enum { MAX_SERVICES = 64 }; /* of serviceStats */

struct service {
    struct slice name;
    uint32_t spans, errors;
};

/* A trace while it is looked at. */
struct looked {
    struct tempo_search *search;
    struct arena *arena;
    struct traceql_trace trace;
    struct traceql_result found;
    struct jsonw *json;
};

/* ---- reading ---- */

enum status tempo_read_trace(struct query_request *request,
                             const struct span_query *query,
                             struct arena *arena, struct traceql_trace *trace,
                             bool *cut)
{
    const struct resource **resources;
    const struct identity **identities;
    struct span *spans = NULL;
    uint32_t count = 0;
    uint64_t total = 0;
    enum status s = reader_query_spans(request->reader, query, arena, &spans,
                                       &count, &total);

    *trace = (struct traceql_trace){.count = 0};
    if (s != OK || count == 0)
        return s;
    resources = arena_zero(arena, count, sizeof(*resources));
    identities = arena_zero(arena, count, sizeof(*identities));
    for (uint32_t i = 0; resources && identities && i < count; i++) {
        const struct resource_info *info =
            reply_resource(request, spans[i].resource_id);

        if (!info)
            return arena_status(request->arena);
        resources[i] = &info->resource;
        identities[i] = &info->identity;
    }
    *trace = (struct traceql_trace){.spans = spans,
                                    .resources = resources,
                                    .identities = identities,
                                    .count = count};
    if (cut && total > count)
        *cut = true;
    return identities && traceql_trace_index(trace, arena)
               ? OK
               : arena_status(arena);
}

static bool is_of_length(const struct looked *l)
{
    const struct tempo_search *search = l->search;
    uint64_t duration = l->trace.end_ns - l->trace.start_ns;

    return duration >= search->min_duration &&
           (search->max_duration == 0 || duration <= search->max_duration);
}

/* ---- writing ---- */

static void write_number(struct jsonw *w, const char *name, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    jsonw_name(w, name);
    jsonw_cstr(w, text);
}

static void write_attr(struct jsonw *w, struct slice key,
                       const struct attr *value)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, "key", key);
    jsonw_name(w, "value");
    otlp_value_json(w, value);
    jsonw_close(w, '}');
}

/* What the table of spans has a column for in any case. */
static bool is_shown_anyway(const struct traceql_field *field)
{
    return field->scope == TRACEQL_INTRINSIC &&
           (field->intrinsic == TRACEQL_SPAN_NAME ||
            field->intrinsic == TRACEQL_SPAN_DURATION ||
            field->intrinsic == TRACEQL_SPAN_ID ||
            field->intrinsic == TRACEQL_TRACE_ID ||
            field->intrinsic == TRACEQL_TRACE_DURATION ||
            field->intrinsic == TRACEQL_ROOT_NAME ||
            field->intrinsic == TRACEQL_ROOT_SERVICE);
}

static void write_span_attrs(const struct looked *l, uint32_t at)
{
    const struct traceql *query = &l->search->query;
    struct traceql_subject subject = traceql_subject_at(&l->trace, at);
    bool any = false, known;

    for (uint32_t i = 0; i < query->field_count; i++) {
        struct traceql_value value;
        struct attr attr;

        if (is_shown_anyway(&query->fields[i]) ||
            !traceql_field_value(&query->fields[i], &subject, 0, &value,
                                 &known) ||
            value.type == TRACEQL_OTHER)
            continue;
        if (!any) {
            jsonw_name(l->json, "attributes");
            jsonw_open(l->json, '[');
        }
        any = true;
        attr = traceql_attr(&value, l->arena);
        write_attr(l->json, query->fields[i].name, &attr);
    }
    if (any)
        jsonw_close(l->json, ']');
}

static void write_span(const struct looked *l, uint32_t at)
{
    const struct span *span = &l->trace.spans[at];
    struct jsonw *w = l->json;

    jsonw_open(w, '{');
    jsonw_name(w, "spanID");
    jsonw_hex(w, span->span_id, sizeof(span->span_id));
    jsonw_member_text(w, "name", span->name);
    write_number(w, "startTimeUnixNano", span->start_ns);
    write_number(w, "durationNanos", span->end_ns - span->start_ns);
    write_span_attrs(l, at);
    jsonw_close(w, '}');
}

static void write_set(const struct looked *l, const struct traceql_spanset *set)
{
    uint64_t most = l->search->spans_per_set;
    struct jsonw *w = l->json;

    jsonw_open(w, '{');
    jsonw_name(w, "spans");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < set->count && (most == 0 || i < most); i++)
        write_span(l, set->spans[i]);
    jsonw_close(w, ']');
    jsonw_name(w, "matched");
    jsonw_uint(w, set->count);
    if (set->attr_count > 0) {
        jsonw_name(w, "attributes");
        jsonw_open(w, '[');
        for (uint32_t i = 0; i < set->attr_count; i++)
            write_attr(w, attr_key(&set->attrs[i]), &set->attrs[i]);
        jsonw_close(w, ']');
    }
    jsonw_close(w, '}');
}

static struct slice service_at(const struct looked *l, uint32_t at)
{
    return traceql_service(l->trace.resources[at], l->trace.identities[at]);
}

static void write_services(const struct looked *l)
{
    struct service services[MAX_SERVICES];
    uint32_t count = 0;
    struct jsonw *w = l->json;

    for (uint32_t i = 0; i < l->trace.count; i++) {
        struct slice name = service_at(l, i);
        uint32_t at = 0;

        while (at < count && !slice_equal(services[at].name, name))
            at++;
        if (at == MAX_SERVICES)
            continue;
        if (at == count)
            services[count++] = (struct service){.name = name};
        services[at].spans++;
        services[at].errors += l->trace.spans[i].status == SPAN_ERROR;
    }
    jsonw_name(w, "serviceStats");
    jsonw_open(w, '{');
    for (uint32_t i = 0; i < count; i++) {
        jsonw_text(w, services[i].name);
        w->comma = false;
        buf_byte(w->out, ':');
        jsonw_open(w, '{');
        jsonw_name(w, "spanCount");
        jsonw_uint(w, services[i].spans);
        if (services[i].errors > 0) {
            jsonw_name(w, "errorCount");
            jsonw_uint(w, services[i].errors);
        }
        jsonw_close(w, '}');
    }
    jsonw_close(w, '}');
}

static void write_trace(const struct looked *l, const uint8_t trace_id[16])
{
    const struct traceql_trace *trace = &l->trace;
    struct jsonw *w = l->json;

    jsonw_open(w, '{');
    jsonw_name(w, "traceID");
    jsonw_hex(w, trace_id, 16);
    jsonw_member_text(w, "rootServiceName", service_at(l, trace->root));
    jsonw_member_text(w, "rootTraceName", trace->spans[trace->root].name);
    write_number(w, "startTimeUnixNano", trace->start_ns);
    jsonw_name(w, "durationMs");
    jsonw_uint(w, (trace->end_ns - trace->start_ns) / 1000000);
    jsonw_name(w, "spanSet"); /* of clients before Tempo 2.2 */
    write_set(l, &l->found.sets[0]);
    jsonw_name(w, "spanSets");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < l->found.count; i++)
        write_set(l, &l->found.sets[i]);
    jsonw_close(w, ']');
    write_services(l);
    jsonw_close(w, '}');
}

static enum status add_result(struct looked *l, const uint8_t trace_id[16])
{
    struct tempo_search *search = l->search;
    struct arena *arena = search->request->arena;
    struct tempo_result *result =
        arena_append(arena, &search->results, search->count, &search->room);
    struct buf out;
    struct jsonw json;
    enum status s;

    if (!result)
        return arena_status(arena);
    buf_init(&out, search->request->out.cap);
    jsonw_init(&json, &out);
    l->json = &json;
    write_trace(l, trace_id);
    s = out.status;
    result->start_ns = l->trace.start_ns;
    result->json = arena_copy(arena, buf_slice(&out));
    memcpy(result->trace_id, trace_id, 16);
    search->count += s == OK;
    buf_release(&out);
    return s == OK ? arena_status(arena) : s;
}

enum status tempo_look_at(struct tempo_search *search,
                          const uint8_t trace_id[16])
{
    struct arena arena;
    struct looked l = {.search = search, .arena = &arena};
    const struct span_query query = {.trace_id = trace_id,
                                     .visible = search->visible,
                                     .whole = true,
                                     .ascending = true,
                                     .limit = TEMPO_MAX_SPANS};
    enum status s;

    arena_begin(&arena, search->request->arena);
    search->traces++;
    s = tempo_read_trace(search->request, &query, &arena, &l.trace,
                         &search->partial);
    if (s == OK && l.trace.count > 0 && is_of_length(&l)) {
        if (!traceql_run(&search->query, &l.trace, &arena, &l.found))
            s = arena_status(&arena);
        else if (l.found.count > 0)
            s = add_result(&l, trace_id);
    }
    if (s == ERR_TOO_BIG) { /* this one trace does not fit */
        search->partial = true;
        s = arena_status(search->request->arena);
    }
    arena_release(&arena);
    return s;
}
