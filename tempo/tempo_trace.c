/*
 * One trace by its id, as OTLP.
 *
 *   GET /tempo/api/traces/{id}     TracesData; {"batches": [...]}
 *   GET /tempo/api/v2/traces/{id}  TraceByIDResponse; {"trace": {...}}
 *
 * Only spans that may be seen are part of it; a trace without any is not found.
 * A trace that does not fit into an answer is cut after the spans that came
 * first; version 2 says so. start and end, which tell Tempo where to look, are
 * checked and not needed.
 */
#include <stdio.h>

#include "hex.h"
#include "otlp_encode.h"
#include "tempo_int.h"

/* Spans of one answer: at first, and the least that is tried when that does not
 * fit into its memory. */
enum { MOST_SPANS = 40000, LEAST_SPANS = 500 };

enum { PARTIAL = 1 }; /* PartialStatus */

struct trace_answer {
    struct span *spans;
    uint32_t count;
    uint64_t total;
    struct otlp_spans groups;
};

static bool has_media_type(struct slice accept, struct slice type)
{
    for (size_t i = 0; i + type.len <= accept.len; i++)
        if (bytes_equal(accept.ptr + i, type.ptr, type.len))
            return true;
    return false;
}

static bool wants_protobuf(const struct query_request *request)
{
    return has_media_type(request->accept, SLICE("application/protobuf")) ||
           has_media_type(request->accept, SLICE("application/x-protobuf"));
}

static const struct resource *resource_of(void *arg, uint32_t id)
{
    const struct resource_info *info = reply_resource(arg, id);

    return info ? &info->resource : NULL;
}

/* ---- the answer ---- */

static const char *cut_message(const struct query_request *request,
                               const struct trace_answer *trace)
{
    char *text = arena_alloc(request->arena, 128);

    if (text)
        snprintf(text, 128,
                 "the first %u of %llu spans: the trace is too large",
                 trace->count, (unsigned long long)trace->total);
    return text ? text : "";
}

static void write_protobuf(struct query_request *request,
                           const struct trace_answer *trace, bool v2)
{
    struct buf *out = &request->out;
    size_t begin;

    request->content_type_out = "application/protobuf";
    if (!v2) {
        otlp_spans_write(out, 1, &trace->groups);
        return;
    }
    begin = otlp_message_begin(out, 1);
    otlp_spans_write(out, 1, &trace->groups);
    otlp_message_end(out, begin);
    otlp_message_end(out, otlp_message_begin(out, 2));
    if (trace->total <= trace->count)
        return;
    buf_varint(out, 3 << 3);
    buf_varint(out, PARTIAL);
    buf_varint(out, 4 << 3 | 2);
    buf_sized(out, slice_of(cut_message(request, trace)));
}

static void write_json(struct query_request *request,
                       const struct trace_answer *trace, bool v2)
{
    struct jsonw *w = &request->json;

    jsonw_open(w, '{');
    if (!v2) {
        jsonw_name(w, "batches");
        otlp_spans_json(w, &trace->groups);
        jsonw_close(w, '}');
        return;
    }
    jsonw_name(w, "trace");
    jsonw_open(w, '{');
    jsonw_name(w, "resourceSpans");
    otlp_spans_json(w, &trace->groups);
    jsonw_close(w, '}');
    jsonw_name(w, "metrics");
    jsonw_open(w, '{');
    jsonw_close(w, '}');
    if (trace->total > trace->count) {
        jsonw_name(w, "status");
        jsonw_cstr(w, "PARTIAL");
        jsonw_name(w, "message");
        jsonw_cstr(w, cut_message(request, trace));
    }
    jsonw_close(w, '}');
}

/* ---- reading ---- */

static enum status read_spans(struct query_request *request,
                              struct span_query *query, uint32_t limit,
                              struct arena *arena, struct trace_answer *trace)
{
    enum status s;

    query->limit = limit;
    arena_begin(arena, request->arena);
    s = reader_query_spans(request->reader, query, arena, &trace->spans,
                           &trace->count, &trace->total);
    if (s == OK && !otlp_spans_group(arena, trace->spans, trace->count,
                                     resource_of, request, &trace->groups))
        s = arena_status(arena);
    return s;
}

static enum status try_answer(struct query_request *request,
                              struct span_query *query, uint32_t limit, bool v2)
{
    struct trace_answer trace;
    struct arena arena;
    enum status s = read_spans(request, query, limit, &arena, &trace);

    if (s == OK && trace.count == 0) {
        s = ERR_NOT_FOUND;
    } else if (s == OK) {
        (wants_protobuf(request) ? write_protobuf : write_json)(request, &trace,
                                                                v2);
        s = request->out.status;
    }
    arena_release(&arena);
    return s;
}

static enum status trace_answer(struct query_request *request, bool v2)
{
    uint8_t id[16];
    struct span_query query = {
        .trace_id = id, .whole = true, .ascending = true};
    uint64_t start_ns, end_ns;
    enum status s;

    if (!hex_trace_id(request->parts[0], id))
        return query_invalid(request,
                             "a trace id has up to 32 hexadecimal digits");
    tempo_range(request, &start_ns, &end_ns);
    s = params_visible(request, &query.visible);
    if (s != OK)
        return s;
    for (uint32_t limit = MOST_SPANS;; limit /= 2) {
        s = try_answer(request, &query, limit, v2);
        if (s != ERR_TOO_BIG || limit <= LEAST_SPANS)
            break;
        buf_reset(&request->out);
        jsonw_init(&request->json, &request->out);
    }
    if (s == ERR_NOT_FOUND)
        return query_fail(request, s, NULL, "trace not found");
    return s == OK ? OK : query_fail_read(request, s);
}

enum status tempo_trace(struct query_request *request)
{
    return trace_answer(request, false);
}

enum status tempo_trace_v2(struct query_request *request)
{
    return trace_answer(request, true);
}
