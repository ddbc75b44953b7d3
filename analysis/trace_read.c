/*
 * The spans of a trace. Without a namespace it is that of the namespace which
 * has the first span, with what of others is connected to it by parents, such
 * as a gateway. Two tenants may use one id: the answer names the others.
 */
#include "array.h"
#include "hidden_spans.h"
#include "trace_tree.h"

static struct slice namespace_of(struct query_request *request,
                                 const struct trace_span *span)
{
    const struct identity *identity =
        reply_resource_identity(request, span->resource_id);

    return identity ? identity->namespace : SLICE("");
}

/* The place of a name in a list; the last one if the list is full. */
static uint32_t add_name(struct slice *names, uint32_t *count,
                         struct slice name)
{
    for (uint32_t i = 0; i < *count; i++)
        if (slice_equal(names[i], name))
            return i;
    if (*count == TRACE_NAMESPACES)
        return TRACE_NAMESPACES - 1;
    names[*count] = name;
    return (*count)++;
}

/* ---- spans that are connected by parents ---- */

struct connected {
    uint32_t *set; /* of each span: another one of its set; itself: the last */
    bool *wanted; /* of the last one of a set: it has a span of the namespace */
    struct map ids;
};

static uint32_t id_hash(const uint8_t id[8])
{
    return map_hash(hash_bytes(id, 8, 0));
}

static uint32_t set_of(const struct connected *c, uint32_t at)
{
    while (c->set[at] != at) {
        c->set[at] = c->set[c->set[at]];
        at = c->set[at];
    }
    return at;
}

static void join(const struct connected *c, const struct trace_span *spans,
                 uint32_t at)
{
    const uint8_t *parent = spans[at].parent_span_id;

    map_each(&c->ids, id_hash(parent), k)
        if (memcmp(spans[k].span_id, parent, 8) == 0)
            c->set[set_of(c, at)] = set_of(c, k);
}

static enum status connect(struct connected *c, struct arena *work,
                           const struct trace_span *spans, uint32_t count)
{
    c->ids.arena = work;
    c->set = arena_alloc(work, count * sizeof(*c->set));
    c->wanted = arena_zero(work, count, sizeof(*c->wanted));
    for (uint32_t i = 0; c->set && c->wanted && i < count; i++) {
        c->set[i] = i;
        if (!map_add(&c->ids, id_hash(spans[i].span_id), i))
            break;
    }
    for (uint32_t i = 0; arena_status(work) == OK && i < count; i++)
        join(c, spans, i);
    return arena_status(work);
}

/* Keeps those of the namespace, and those of others that call them or are
 * called by them. */
static enum status keep_connected(struct query_request *request,
                                  struct trace_spans *trace)
{
    struct connected c = {.set = NULL};
    struct arena work;
    uint32_t kept = 0;
    enum status s;

    arena_begin(&work, request->arena);
    s = connect(&c, &work, trace->spans, trace->count);
    for (uint32_t i = 0; s == OK && i < trace->count; i++)
        if (slice_equal(namespace_of(request, &trace->spans[i]),
                        trace->namespaces[0]))
            c.wanted[set_of(&c, i)] = true;
    for (uint32_t i = 0; s == OK && i < trace->count; i++) {
        struct slice namespace = namespace_of(request, &trace->spans[i]);

        if (!c.wanted[set_of(&c, i)]) {
            add_name(trace->others, &trace->other_count, namespace);
            continue;
        }
        add_name(trace->namespaces, &trace->namespace_count, namespace);
        trace->spans[kept++] = trace->spans[i];
    }
    arena_release(&work);
    trace->total -= trace->count - kept;
    trace->count = kept;
    return s;
}

static enum status choose_namespace(struct query_request *request,
                                    struct trace_spans *trace)
{
    bool several = false;

    trace->namespaces[0] = namespace_of(request, &trace->spans[0]);
    trace->namespace_count = 1;
    for (uint32_t i = 1; i < trace->count && !several; i++)
        several = !slice_equal(namespace_of(request, &trace->spans[i]),
                               trace->namespaces[0]);
    return several ? keep_connected(request, trace) : OK;
}

static enum status select_visible(struct query_request *request,
                                  const struct trace_spans *trace,
                                  const struct bitmap **visible)
{
    const struct scope_filter scope = {.namespace = trace->asked};

    return scope.namespace.len > 0 ? params_select(request, &scope, visible)
                                   : params_visible(request, visible);
}

/* ---- reading ---- */

struct span_reading {
    struct trace_spans *trace;
    struct arena *arena;
    struct map index; /* texts that repeat are kept once */
    struct slice *texts;
    uint32_t text_count, text_room;
};

static struct slice keep_text(struct span_reading *r, struct slice text)
{
    uint32_t hash = map_hash_slice(text);
    struct slice *kept;

    if (text.len == 0)
        return SLICE("");
    map_each(&r->index, hash, at)
        if (slice_equal(r->texts[at], text))
            return r->texts[at];
    kept = arena_append(r->arena, &r->texts, r->text_count, &r->text_room);
    if (!kept || !map_add(&r->index, hash, r->text_count))
        return SLICE("");
    *kept = arena_copy(r->arena, text);
    r->text_count++;
    return *kept;
}

static void keep_span(const struct span *span, struct trace_span *to)
{
    *to = (struct trace_span){.start_ns = span->start_ns,
                              .end_ns = span->end_ns,
                              .name = span->name,
                              .status_message = span->status_message,
                              .endpoint = span->endpoint,
                              .operation = span->operation,
                              .resource_id = span->resource_id,
                              .kind = span->kind,
                              .status = span->status,
                              .failed = span->failed};
    memcpy(to->span_id, span->span_id, sizeof(to->span_id));
    memcpy(to->parent_span_id, span->parent_span_id,
           sizeof(to->parent_span_id));
}

static enum status begin_spans(void *arg, uint32_t count)
{
    struct span_reading *r = arg;

    r->trace->spans = arena_zero(r->arena, count, sizeof(*r->trace->spans));
    r->trace->count = count;
    return arena_status(r->arena);
}

static enum status read_span(void *arg, uint32_t place, const struct span *span,
                             bool stays)
{
    struct span_reading *r = arg;
    struct trace_span *to = &r->trace->spans[place];

    keep_span(span, to);
    if (stays)
        return OK;
    to->name = keep_text(r, to->name);
    to->status_message = keep_text(r, to->status_message);
    to->endpoint = keep_text(r, to->endpoint);
    to->operation = keep_text(r, to->operation);
    return arena_status(r->arena);
}

static int compare(const struct trace_span *a, const struct span *b)
{
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, sizeof(a->span_id));
}

/* Both are by start. */
static enum status add_hidden(struct query_request *request,
                              const struct span_query *query,
                              struct trace_spans *trace)
{
    struct hidden_spans hidden;
    struct trace_span *all;
    uint32_t at = trace->count, next;
    enum status s =
        hidden_spans_find(request, query, trace->namespaces[0], &hidden);

    if (s != OK || hidden.count == 0)
        return s;
    next = hidden.count;
    all = arena_alloc(request->arena, (at + next) * sizeof(*all));
    if (!all)
        return arena_status(request->arena);
    for (uint32_t i = at + next; i-- > 0;)
        if (next == 0 || (at > 0 && compare(&trace->spans[at - 1],
                                            &hidden.spans[next - 1]) >= 0))
            all[i] = trace->spans[--at];
        else
            keep_span(&hidden.spans[--next], &all[i]);
    trace->spans = all;
    trace->count += hidden.count;
    trace->total += hidden.count;
    return OK;
}

enum status trace_read(struct query_request *request, struct trace_spans *trace)
{
    struct span_query query = {.trace_id = trace->trace_id,
                               .ascending = true,
                               .limit = TRACE_SPANS_MAX};
    struct span_reading reading = {
        .trace = trace, .arena = request->arena, .index.arena = request->arena};
    const struct span_visitor visitor = {begin_spans, read_span, &reading};
    enum status s = select_visible(request, trace, &query.visible);

    if (s != OK)
        return s;
    s = reader_visit_spans(request->reader, &query, &visitor, &trace->total);
    if (s == OK && trace->count > 0)
        s = choose_namespace(request, trace);
    if (s != OK)
        return query_fail_read(request, s);
    if (trace->count == 0)
        return query_fail(request, ERR_NOT_FOUND, NULL,
                          "no span of this trace is stored, or may be seen");
    trace->visible = query.visible;
    return query.visible ? add_hidden(request, &query, trace) : OK;
}
