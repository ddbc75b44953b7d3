/*
 * Fields of spans: their names, and their values. Our labels are attributes,
 * too, unless an attribute of that name was sent: namespace, project,
 * component and environment of the resource, endpoint and operation of the
 * span.
 */
#include "hex.h"
#include "map.h"
#include "traceql_lex.h"

/* The names before the first NULL are listed to users. */
static const struct intrinsic {
    const char *name;
    enum traceql_intrinsic id;
    enum traceql_type type;
} intrinsics[] = {
    {"duration", TRACEQL_SPAN_DURATION, TRACEQL_DURATION},
    {"event:name", TRACEQL_EVENT_NAME, TRACEQL_STRING},
    {"event:timeSinceStart", TRACEQL_EVENT_TIME, TRACEQL_DURATION},
    {"instrumentation:name", TRACEQL_SCOPE_NAME, TRACEQL_STRING},
    {"instrumentation:version", TRACEQL_SCOPE_VERSION, TRACEQL_STRING},
    {"kind", TRACEQL_SPAN_KIND, TRACEQL_KIND},
    {"link:spanID", TRACEQL_LINK_SPAN_ID, TRACEQL_STRING},
    {"link:traceID", TRACEQL_LINK_TRACE_ID, TRACEQL_STRING},
    {"name", TRACEQL_SPAN_NAME, TRACEQL_STRING},
    {"rootName", TRACEQL_ROOT_NAME, TRACEQL_STRING},
    {"rootServiceName", TRACEQL_ROOT_SERVICE, TRACEQL_STRING},
    {"span:childCount", TRACEQL_SPAN_CHILD_COUNT, TRACEQL_INT},
    {"span:duration", TRACEQL_SPAN_DURATION, TRACEQL_DURATION},
    {"span:id", TRACEQL_SPAN_ID, TRACEQL_STRING},
    {"span:kind", TRACEQL_SPAN_KIND, TRACEQL_KIND},
    {"span:name", TRACEQL_SPAN_NAME, TRACEQL_STRING},
    {"span:parentID", TRACEQL_SPAN_PARENT_ID, TRACEQL_STRING},
    {"span:status", TRACEQL_SPAN_STATUS, TRACEQL_STATUS},
    {"span:statusMessage", TRACEQL_SPAN_STATUS_MESSAGE, TRACEQL_STRING},
    {"status", TRACEQL_SPAN_STATUS, TRACEQL_STATUS},
    {"statusMessage", TRACEQL_SPAN_STATUS_MESSAGE, TRACEQL_STRING},
    {"trace:duration", TRACEQL_TRACE_DURATION, TRACEQL_DURATION},
    {"trace:id", TRACEQL_TRACE_ID, TRACEQL_STRING},
    {"trace:rootName", TRACEQL_ROOT_NAME, TRACEQL_STRING},
    {"trace:rootService", TRACEQL_ROOT_SERVICE, TRACEQL_STRING},
    {"traceDuration", TRACEQL_TRACE_DURATION, TRACEQL_DURATION},
    {NULL, TRACEQL_NONE, TRACEQL_NIL},
    {"childCount", TRACEQL_SPAN_CHILD_COUNT, TRACEQL_INT},
    {"nestedSetParent", TRACEQL_NESTED_PARENT, TRACEQL_INT},
};

const char *traceql_intrinsic_name(uint32_t number)
{
    return intrinsics[number].name;
}

static const struct intrinsic *find_intrinsic(struct slice name)
{
    for (size_t i = 0; i < sizeof(intrinsics) / sizeof(intrinsics[0]); i++)
        if (intrinsics[i].name &&
            slice_equal(name, slice_of(intrinsics[i].name)))
            return &intrinsics[i];
    return NULL;
}

enum traceql_type traceql_field_type(const struct traceql_field *field)
{
    for (size_t i = 0; field->scope == TRACEQL_INTRINSIC &&
                       i < sizeof(intrinsics) / sizeof(intrinsics[0]);
         i++)
        if (intrinsics[i].id == field->intrinsic)
            return intrinsics[i].type;
    return TRACEQL_NIL;
}

bool traceql_field_parse(struct slice text, struct arena *arena,
                         struct traceql_field *field)
{
    struct lex lex = {.text = text, .arena = arena};
    const struct intrinsic *found;

    lex_next(&lex);
    *field = lex.field;
    if (lex.at != text.len)
        return false;
    if (lex.kind == LEX_FIELD)
        return true;
    found = lex.kind == LEX_WORD ? find_intrinsic(lex.token) : NULL;
    if (!found)
        return false;
    *field = (struct traceql_field){
        .scope = TRACEQL_INTRINSIC, .intrinsic = found->id, .name = lex.token};
    return true;
}

/* ---- values of attributes ---- */

static void set_text(struct traceql_value *value, struct slice text)
{
    value->type = TRACEQL_STRING;
    value->text = text;
}

static void set_int(struct traceql_value *value, enum traceql_type type,
                    int64_t i)
{
    value->type = type;
    value->i = i;
}

static void set_id(struct traceql_value *value, const uint8_t *id, size_t len)
{
    hex_write(value->hex, id, len);
    set_text(value, (struct slice){value->hex, 2 * len});
}

static void set_attr(struct traceql_value *value, const struct attr *attr)
{
    switch (attr->type) {
    case VALUE_STRING:
        set_text(value, attr_text(attr));
        break;
    case VALUE_INT:
        set_int(value, TRACEQL_INT, attr->i);
        break;
    case VALUE_BOOL:
        value->type = TRACEQL_BOOL;
        value->b = attr->b;
        break;
    case VALUE_DOUBLE:
        value->type = TRACEQL_FLOAT;
        value->d = attr->d;
        break;
    default:
        value->type = TRACEQL_OTHER;
        break;
    }
}

/* An array has a value for each element. Goes on counting in *n. */
static bool attr_value(const struct attr *attr, uint32_t *n,
                       struct traceql_value *value)
{
    bool array = attr && attr->type == VALUE_ARRAY;
    uint32_t count = !attr || attr->type == VALUE_EMPTY ? 0
                     : array                            ? attr->len
                                                        : 1;

    if (*n >= count) {
        *n -= count;
        return false;
    }
    set_attr(value, array ? &attr->items[*n] : attr);
    return true;
}

static bool label_value(const struct identity *identity, struct slice name,
                        uint32_t n, struct traceql_value *value)
{
    const struct {
        const char *name;
        struct slice text;
    } labels[] = {{"namespace", identity->namespace},
                  {"project", identity->project},
                  {"component", identity->component},
                  {"environment", identity->environment}};

    for (size_t i = 0; n == 0 && i < sizeof(labels) / sizeof(labels[0]); i++)
        if (labels[i].text.len > 0 &&
            slice_equal(name, slice_of(labels[i].name))) {
            set_text(value, labels[i].text);
            return true;
        }
    return false;
}

static bool resource_value(const struct traceql_subject *subject,
                           struct slice name, uint32_t n,
                           struct traceql_value *value, bool *known)
{
    const struct attr *attr;

    *known = subject->resource != NULL;
    if (!subject->resource)
        return false;
    attr = attrs_find(&subject->resource->attrs, name);
    if (attr)
        return attr_value(attr, &n, value);
    return subject->identity && label_value(subject->identity, name, n, value);
}

static bool span_value(const struct traceql_subject *subject, struct slice name,
                       uint32_t n, struct traceql_value *value, bool *known)
{
    const struct span *span = subject->span;
    const struct attr *attr;
    struct slice text = {NULL, 0};

    *known = span && subject->attrs;
    if (!*known)
        return false;
    attr = attrs_find(&span->attrs, name);
    if (attr)
        return attr_value(attr, &n, value);
    if (slice_equal(name, SLICE("operation")))
        text = span->operation;
    else if (slice_equal(name, SLICE("endpoint"))) {
        text = span->endpoint;
        *known = subject->whole;
    }
    if (text.len == 0 || n > 0)
        return false;
    set_text(value, text);
    return true;
}

static bool any_value(const struct traceql_subject *subject, struct slice name,
                      uint32_t n, struct traceql_value *value, bool *known)
{
    bool resource_known;

    if (span_value(subject, name, n, value, known))
        return true;
    if (n > 0 && *known && attrs_find(&subject->span->attrs, name))
        return false;
    if (!resource_value(subject, name, n, value, &resource_known)) {
        *known &= resource_known;
        return false;
    }
    return *known; /* the span may have one of this name */
}

static bool event_value(const struct span *span, struct slice name, uint32_t n,
                        struct traceql_value *value)
{
    for (uint32_t i = 0; i < span->event_count; i++)
        if (attr_value(attrs_find(&span->events[i].attrs, name), &n, value))
            return true;
    return false;
}

static bool link_value(const struct span *span, struct slice name, uint32_t n,
                       struct traceql_value *value)
{
    for (uint32_t i = 0; i < span->link_count; i++)
        if (attr_value(attrs_find(&span->links[i].attrs, name), &n, value))
            return true;
    return false;
}

/* ---- values of intrinsics ---- */

bool traceql_is_of_trace(const struct traceql_field *field)
{
    return field->scope == TRACEQL_INTRINSIC &&
           (field->intrinsic == TRACEQL_TRACE_DURATION ||
            field->intrinsic == TRACEQL_ROOT_NAME ||
            field->intrinsic == TRACEQL_ROOT_SERVICE ||
            field->intrinsic == TRACEQL_SPAN_CHILD_COUNT);
}

static bool of_trace(const struct traceql_field *field,
                     const struct traceql_subject *subject,
                     struct traceql_value *value, bool *known)
{
    const struct traceql_trace *trace = subject->trace;

    *known = trace != NULL;
    if (!trace)
        return false;
    switch (field->intrinsic) {
    case TRACEQL_TRACE_DURATION:
        set_int(value, TRACEQL_DURATION,
                (int64_t)(trace->end_ns - trace->start_ns));
        return true;
    case TRACEQL_ROOT_NAME:
        set_text(value, trace->spans[trace->root].name);
        return true;
    case TRACEQL_ROOT_SERVICE:
        set_text(value, traceql_service(trace->resources[trace->root],
                                        trace->identities[trace->root]));
        return true;
    default:
        *known = !trace->summary;
        if (*known)
            set_int(value, TRACEQL_INT, trace->children[subject->at]);
        return *known;
    }
}

static bool of_whole(const struct traceql_field *field,
                     const struct traceql_subject *subject, uint32_t n,
                     struct traceql_value *value, bool *known)
{
    const struct span *span = subject->span;
    bool event = field->intrinsic == TRACEQL_EVENT_NAME ||
                 field->intrinsic == TRACEQL_EVENT_TIME;
    bool link = field->intrinsic == TRACEQL_LINK_TRACE_ID ||
                field->intrinsic == TRACEQL_LINK_SPAN_ID;

    *known = subject->whole;
    if (!subject->whole || n >= (event  ? span->event_count
                                 : link ? span->link_count
                                        : 1u))
        return false;
    if (field->intrinsic == TRACEQL_EVENT_NAME)
        set_text(value, span->events[n].name);
    else if (event)
        set_int(value, TRACEQL_DURATION,
                (int64_t)(span->events[n].time_ns - span->start_ns));
    else if (field->intrinsic == TRACEQL_LINK_TRACE_ID)
        set_id(value, span->links[n].trace_id, 16);
    else if (link)
        set_id(value, span->links[n].span_id, 8);
    else if (field->intrinsic == TRACEQL_SPAN_STATUS_MESSAGE)
        set_text(value, span->status_message);
    else if (!span->scope)
        return false;
    else
        set_text(value, field->intrinsic == TRACEQL_SCOPE_NAME
                            ? span->scope->name
                            : span->scope->version);
    return true;
}

static bool intrinsic_value(const struct traceql_field *field,
                            const struct traceql_subject *subject, uint32_t n,
                            struct traceql_value *value, bool *known)
{
    static const uint8_t none[8] = {0};
    const struct span *span = subject->span;
    bool root;

    if (traceql_is_of_trace(field))
        return of_trace(field, subject, value, known) && n == 0;
    *known = span != NULL;
    if (!span)
        return false;
    root = memcmp(span->parent_span_id, none, 8) == 0;
    switch (field->intrinsic) {
    case TRACEQL_SPAN_NAME:
        set_text(value, span->name);
        return n == 0;
    case TRACEQL_SPAN_STATUS:
        set_int(value, TRACEQL_STATUS, span->status);
        return n == 0;
    case TRACEQL_SPAN_KIND:
        set_int(value, TRACEQL_KIND, span->kind);
        return n == 0;
    case TRACEQL_SPAN_DURATION:
        set_int(value, TRACEQL_DURATION,
                (int64_t)(span->end_ns - span->start_ns));
        return n == 0;
    case TRACEQL_SPAN_ID:
        set_id(value, span->span_id, 8);
        return n == 0;
    case TRACEQL_SPAN_PARENT_ID:
        set_id(value, span->parent_span_id, 8);
        return n == 0 && !root;
    case TRACEQL_NESTED_PARENT:
        set_int(value, TRACEQL_INT, root ? -1 : 1);
        return n == 0;
    case TRACEQL_TRACE_ID:
        set_id(value, span->trace_id, 16);
        return n == 0;
    default:
        return of_whole(field, subject, n, value, known);
    }
}

/* The parent of the subject, with its own resource; false: there is none, or
 * it is not known. */
static bool parent_of(const struct traceql_subject *subject,
                      struct traceql_subject *parent, bool *known)
{
    const struct traceql_trace *trace = subject->trace;
    uint32_t at =
        trace && !trace->summary ? trace->parents[subject->at] : MAP_NONE;

    *known = trace && !trace->summary;
    if (at == MAP_NONE)
        return false;
    *parent = (struct traceql_subject){.span = &trace->spans[at],
                                       .whole = subject->whole,
                                       .attrs = subject->attrs,
                                       .resource = trace->resources[at],
                                       .identity = trace->identities[at],
                                       .trace = trace,
                                       .at = at};
    return true;
}

bool traceql_field_value(const struct traceql_field *field,
                         const struct traceql_subject *subject, uint32_t n,
                         struct traceql_value *value, bool *known)
{
    struct traceql_subject parent;

    value->type = TRACEQL_NIL;
    if (field->of_parent) {
        if (!parent_of(subject, &parent, known))
            return false;
        subject = &parent;
    }
    switch (field->scope) {
    case TRACEQL_INTRINSIC:
        return intrinsic_value(field, subject, n, value, known);
    case TRACEQL_SPAN:
        return span_value(subject, field->name, n, value, known);
    case TRACEQL_RESOURCE:
        return resource_value(subject, field->name, n, value, known);
    case TRACEQL_ANY:
        return any_value(subject, field->name, n, value, known);
    default:
        break;
    }
    *known = subject->whole;
    if (!*known)
        return false;
    if (field->scope == TRACEQL_EVENT)
        return event_value(subject->span, field->name, n, value);
    if (field->scope == TRACEQL_LINK)
        return link_value(subject->span, field->name, n, value);
    return subject->span->scope &&
           attr_value(attrs_find(&subject->span->scope->attrs, field->name), &n,
                      value);
}

struct slice traceql_service(const struct resource *resource,
                             const struct identity *identity)
{
    struct slice name = {NULL, 0};

    if (resource)
        name = attrs_text(&resource->attrs, SLICE("service.name"));
    return name.len > 0 || !identity ? name : identity->component;
}
