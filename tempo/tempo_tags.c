/*
 *   GET /tempo/api/search/tags             {"tagNames": [...]}
 *   GET /tempo/api/v2/search/tags?scope=   {"scopes": [{"name", "tags"}]}
 *   GET /tempo/api/search/tag/{}/values    {"tagValues": ["..."]}
 *   GET /tempo/api/v2/search/tag/{}/values?q=
 *                                   {"tagValues": [{"type", "value"}]}
 *
 * q narrows them to spans that it may match; one that cannot be read, as it is
 * while it is being written, narrows nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "map.h"
#include "tempo_sample.h"

#define DEFAULT_RANGE (7 * 24 * NS_PER_HOUR)

enum scope_bit { /* the places in a struct names_request */
                 IN_RESOURCE,
                 IN_SPAN,
                 IN_EVENT,
                 IN_LINK,
                 IN_INSTRUMENTATION,
                 IN_INTRINSIC,
                 IN_COUNT
};
static const char *const scope_names[] = {
    "resource", "span", "event", "link", "instrumentation", "intrinsic"};

/* ---- sets ---- */

enum {
    TAGS_MAX = 5000,      /* texts of one set */
    TAGS_MAX_TEXT = 1024, /* bytes; longer ones are no suggestion */
};

/* Distinct texts with a type. */
struct tag_value {
    enum traceql_type type;
    struct slice text;
};

struct tag_set {
    struct tag_value *at;
    uint32_t count, room;
    uint64_t most;
    struct map index;
};

static void tag_set_add(struct tag_set *set, struct arena *arena,
                        enum traceql_type type, struct slice text)
{
    uint32_t hash = map_hash_slice(text);
    struct tag_value *value;

    set->index.arena = arena;
    map_each(&set->index, hash, at)
        if (set->at[at].type == type && slice_equal(set->at[at].text, text))
            return;
    if (set->count >= set->most || text.len > TAGS_MAX_TEXT || text.len == 0)
        return;
    value = arena_append(arena, &set->at, set->count, &set->room);
    if (!value || !map_add(&set->index, hash, set->count))
        return;
    *value = (struct tag_value){type, arena_copy(arena, text)};
    set->count++;
}

static int compare_values(const void *left, const void *right)
{
    const struct tag_value *a = left, *b = right;

    return slice_compare(a->text, b->text);
}

static void tag_set_sort(struct tag_set *set)
{
    if (set->count > 1)
        qsort(set->at, set->count, sizeof(*set->at), compare_values);
}

/* ---- parameters ---- */

struct tags_request {
    struct query_request *request;
    struct tempo_sample sample;
    struct traceql query; /* of q */
    uint64_t limit;
};

static enum status read_request(struct tags_request *tags)
{
    struct query_request *request = tags->request;
    struct slice q = query_param(request, "q");
    char error[TRACEQL_ERROR];
    struct tempo_sample *sample = &tags->sample;

    tags->limit = TAGS_MAX;
    tempo_number(request, "limit", UINT32_MAX, &tags->limit);
    if (tags->limit == 0 || tags->limit > TAGS_MAX)
        tags->limit = TAGS_MAX;
    if (tempo_range(request, &sample->start_ns, &sample->end_ns) != OK)
        return request->failed;
    if (query_param(request, "start").len == 0)
        sample->start_ns =
            sample->end_ns > DEFAULT_RANGE ? sample->end_ns - DEFAULT_RANGE : 0;
    sample->request = request;
    if (q.len > 0 &&
        traceql_parse(q, request->arena, &tags->query, error) == OK)
        sample->filter = tags->query.first;
    return OK;
}

/* ---- names ---- */

struct names {
    struct tag_set sets[IN_COUNT];
    struct arena *arena;
};

static void add_names(struct names *names, int in, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++)
        /* Not the mark of resources that derived series have. */
        if (!slice_starts(attr_key(&attrs->at[i]), SLICE("callboard.")))
            tag_set_add(&names->sets[in], names->arena, TRACEQL_STRING,
                        attr_key(&attrs->at[i]));
}

static void visit_names(void *arg, const struct traceql_subject *subject)
{
    struct names *names = arg;
    const struct span *span = subject->span;

    if (subject->resource)
        add_names(names, IN_RESOURCE, &subject->resource->attrs);
    if (!span)
        return;
    add_names(names, IN_SPAN, &span->attrs);
    for (uint32_t i = 0; i < span->event_count; i++)
        add_names(names, IN_EVENT, &span->events[i].attrs);
    for (uint32_t i = 0; i < span->link_count; i++)
        add_names(names, IN_LINK, &span->links[i].attrs);
    if (span->scope)
        add_names(names, IN_INSTRUMENTATION, &span->scope->attrs);
}

/* Those that no sender sends. */
static void add_own_names(struct names *names)
{
    static const char *const of_resource[] = {"namespace", "project",
                                              "component", "environment"};
    static const char *const of_span[] = {"endpoint", "operation"};

    for (int i = 0; i < 4; i++)
        tag_set_add(&names->sets[IN_RESOURCE], names->arena, TRACEQL_STRING,
                    slice_of(of_resource[i]));
    for (int i = 0; i < 2; i++)
        tag_set_add(&names->sets[IN_SPAN], names->arena, TRACEQL_STRING,
                    slice_of(of_span[i]));
    for (uint32_t i = 0; traceql_intrinsic_name(i); i++)
        tag_set_add(&names->sets[IN_INTRINSIC], names->arena, TRACEQL_STRING,
                    slice_of(traceql_intrinsic_name(i)));
}

/* Bits 1 << IN_... of the parameter scope; 0: it is none. */
static unsigned scopes_wanted(struct slice scope)
{
    if (scope.len == 0 || slice_equal(scope, SLICE("none")))
        return (1u << IN_COUNT) - 1;
    for (int i = 0; i < IN_COUNT; i++)
        if (slice_equal(scope, slice_of(scope_names[i])))
            return 1u << i;
    return 0;
}

static unsigned parts_of(unsigned scopes)
{
    unsigned parts = 0;

    if (scopes & 1u << IN_RESOURCE)
        parts |= SAMPLE_RESOURCES;
    if (scopes & 1u << IN_SPAN)
        parts |= SAMPLE_SPANS;
    if (scopes & (1u << IN_EVENT | 1u << IN_LINK | 1u << IN_INSTRUMENTATION))
        parts |= SAMPLE_TRACES;
    return parts;
}

static enum status read_names(struct query_request *request,
                              struct names *names, unsigned *scopes)
{
    struct tags_request tags = {.request = request};
    enum status s = read_request(&tags);

    *scopes = scopes_wanted(query_param(request, "scope"));
    if (s == OK && *scopes == 0)
        s = query_invalid(request, "scope must be none, resource, span, event, "
                                   "link, instrumentation or intrinsic");
    *names = (struct names){.arena = request->arena};
    for (int i = 0; i < IN_COUNT; i++)
        names->sets[i].most = tags.limit;
    if (s == OK) {
        add_own_names(names);
        tags.sample.parts = parts_of(*scopes);
        tags.sample.visit = visit_names;
        tags.sample.arg = names;
        s = tempo_sample(&tags.sample);
    }
    traceql_release(&tags.query);
    return s;
}

static void write_texts(struct jsonw *w, struct tag_set *set)
{
    tag_set_sort(set);
    for (uint32_t i = 0; i < set->count; i++)
        jsonw_text(w, set->at[i].text);
}

enum status tempo_tags(struct query_request *request)
{
    struct jsonw *w = &request->json;
    struct tag_set all = {.most = TAGS_MAX};
    struct names names;
    unsigned scopes;
    enum status s = read_names(request, &names, &scopes);

    for (int i = 0; s == OK && i < IN_INTRINSIC; i++)
        for (uint32_t k = 0; scopes >> i & 1 && k < names.sets[i].count; k++)
            tag_set_add(&all, request->arena, TRACEQL_STRING,
                        names.sets[i].at[k].text);
    if (s != OK)
        return s;
    jsonw_open(w, '{');
    jsonw_name(w, "tagNames");
    jsonw_open(w, '[');
    write_texts(w, &all);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
    return OK;
}

enum status tempo_tags_v2(struct query_request *request)
{
    struct jsonw *w = &request->json;
    struct names names;
    unsigned scopes;
    enum status s = read_names(request, &names, &scopes);

    if (s != OK)
        return s;
    jsonw_open(w, '{');
    jsonw_name(w, "scopes");
    jsonw_open(w, '[');
    for (int i = 0; i < IN_COUNT; i++) {
        if (!(scopes >> i & 1) || names.sets[i].count == 0)
            continue;
        jsonw_open(w, '{');
        jsonw_name(w, "name");
        jsonw_cstr(w, scope_names[i]);
        jsonw_name(w, "tags");
        jsonw_open(w, '[');
        write_texts(w, &names.sets[i]);
        jsonw_close(w, ']');
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
    return OK;
}

/* ---- values ---- */

struct values {
    struct tag_set set;
    struct traceql_field field;
    struct arena *arena;
};

static void add_value(struct values *values, const struct traceql_value *value)
{
    char number[40];
    int len = 0;

    switch (value->type) {
    case TRACEQL_STRING:
        tag_set_add(&values->set, values->arena, value->type, value->text);
        return;
    case TRACEQL_BOOL:
        tag_set_add(&values->set, values->arena, value->type,
                    value->b ? SLICE("true") : SLICE("false"));
        return;
    case TRACEQL_INT:
        len = snprintf(number, sizeof(number), "%lld", (long long)value->i);
        break;
    case TRACEQL_FLOAT:
        len = snprintf(number, sizeof(number), "%.15g", value->d);
        break;
    default:
        return;
    }
    tag_set_add(&values->set, values->arena, value->type,
                (struct slice){number, (size_t)len});
}

static void visit_values(void *arg, const struct traceql_subject *subject)
{
    struct values *values = arg;
    struct traceql_subject own = *subject;
    struct traceql_value value;
    bool known;

    /* Of `.x`, what a span or a resource alone has. */
    if (values->field.scope == TRACEQL_ANY && !own.span) {
        static const struct span none;

        own.span = &none;
        own.attrs = true;
    }
    for (uint32_t n = 0;
         traceql_field_value(&values->field, &own, n, &value, &known); n++)
        add_value(values, &value);
}

static unsigned parts_of_field(const struct traceql_field *field)
{
    switch (field->scope) {
    case TRACEQL_RESOURCE:
        return SAMPLE_RESOURCES;
    case TRACEQL_ANY:
        return SAMPLE_RESOURCES | SAMPLE_SPANS;
    case TRACEQL_SPAN:
        return slice_equal(field->name, SLICE("endpoint")) ? SAMPLE_TRACES
                                                           : SAMPLE_SPANS;
    case TRACEQL_INTRINSIC:
        return field->intrinsic == TRACEQL_SPAN_NAME ? SAMPLE_SPANS
                                                     : SAMPLE_TRACES;
    default:
        return SAMPLE_TRACES;
    }
}

/* Words that need no sample; false: it has others. */
static bool add_keywords(struct values *values)
{
    static const char *const status[] = {"error", "ok", "unset", NULL};
    static const char *const kinds[] = {"client",   "consumer", "internal",
                                        "producer", "server",   "unspecified",
                                        NULL};
    enum traceql_type type = traceql_field_type(&values->field);
    const char *const *words = type == TRACEQL_STATUS ? status : kinds;

    if (type != TRACEQL_STATUS && type != TRACEQL_KIND)
        return type == TRACEQL_DURATION || type == TRACEQL_INT;
    for (; *words; words++)
        tag_set_add(&values->set, values->arena, type, slice_of(*words));
    return true;
}

/* A tag as it is written in a query, or the bare name of an attribute. */
static void read_tag(struct query_request *request, struct traceql_field *field)
{
    static const struct {
        const char *prefix;
        enum traceql_scope scope;
    } scopes[] = {{"resource.", TRACEQL_RESOURCE},
                  {"span.", TRACEQL_SPAN},
                  {"event.", TRACEQL_EVENT},
                  {"link.", TRACEQL_LINK},
                  {"instrumentation.", TRACEQL_INSTRUMENTATION},
                  {".", TRACEQL_ANY}};
    struct slice tag = request->parts[0];

    if (traceql_field_parse(tag, request->arena, field))
        return;
    *field = (struct traceql_field){.scope = TRACEQL_ANY, .name = tag};
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
        if (slice_starts(tag, slice_of(scopes[i].prefix))) {
            field->scope = scopes[i].scope;
            field->name = slice_from(tag, strlen(scopes[i].prefix));
            return;
        }
}

static enum status read_values(struct query_request *request,
                               struct values *values)
{
    struct tags_request tags = {.request = request};
    enum status s = read_request(&tags);

    *values = (struct values){.arena = request->arena, .set.most = tags.limit};
    read_tag(request, &values->field);
    if (s == OK && !add_keywords(values)) {
        tags.sample.parts = parts_of_field(&values->field);
        tags.sample.visit = visit_values;
        tags.sample.arg = values;
        s = tempo_sample(&tags.sample);
    }
    traceql_release(&tags.query);
    tag_set_sort(&values->set);
    return s;
}

enum status tempo_tag_values(struct query_request *request)
{
    struct jsonw *w = &request->json;
    struct values values;
    enum status s = read_values(request, &values);

    if (s != OK)
        return s;
    jsonw_open(w, '{');
    jsonw_name(w, "tagValues");
    jsonw_open(w, '[');
    write_texts(w, &values.set);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
    return OK;
}

enum status tempo_tag_values_v2(struct query_request *request)
{
    struct jsonw *w = &request->json;
    struct values values;
    enum status s = read_values(request, &values);

    if (s != OK)
        return s;
    jsonw_open(w, '{');
    jsonw_name(w, "tagValues");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < values.set.count; i++) {
        const struct tag_value *value = &values.set.at[i];

        jsonw_open(w, '{');
        jsonw_name(w, "type");
        jsonw_cstr(w, value->type == TRACEQL_STRING  ? "string"
                      : value->type == TRACEQL_INT   ? "int"
                      : value->type == TRACEQL_FLOAT ? "float"
                      : value->type == TRACEQL_BOOL  ? "bool"
                                                     : "keyword");
        jsonw_member_text(w, "value", value->text);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
    return OK;
}
