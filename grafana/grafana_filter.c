/*
 * Filters. In: names in the payload, ad hoc filters, scoped variables. Out: a
 * list of them, and whether a text fits.
 */
#include <stdlib.h>

#include "grafana_query.h"

static void append(struct grafana_query *q, struct grafana_filter filter)
{
    struct grafana_filter *copy =
                              arena_zero(q->request->arena, 1, sizeof(*copy)),
                          **at = &q->filters;

    if (!copy)
        return;
    while (*at)
        at = &(*at)->next;
    *copy = filter;
    *at = copy;
}

void query_release(struct grafana_query *q)
{
    for (struct grafana_filter *f = q->filters; f; f = f->next) {
        regex_free(f->regex);
        f->regex = NULL;
    }
}

/* A pattern that people wrote. */
static enum status compile(struct grafana_query *q, struct slice key,
                           struct slice pattern, struct regex **regex)
{
    char error[REGEX_ERROR];

    if (regex_compile(regex, pattern, error) == OK)
        return OK;
    return query_invalid(q->request, "%.*s: %s in %.*s", SLICE_ARGS(key), error,
                         (int)(pattern.len < 100 ? pattern.len : 100),
                         pattern.ptr);
}

/* ---- filters of the payload ---- */

enum status filter_add_payload(struct grafana_query *q, const char *key)
{
    struct arena *arena = q->request->arena;
    const json_t *value = json_object_get(q->payload, key);
    struct grafana_filter filter = {.key = slice_of(key)};
    struct payload_values values;
    struct slice *all;
    enum status s = OK;

    if (!value && q->lost_payload)
        value = payload_scoped(q->call->scoped, slice_of(key));
    payload_values(value, q->call->scoped, arena, &values);
    if (values.all)
        return OK;
    all = arena_alloc(arena,
                      (values.count + values.also_count + 1) * sizeof(*all));
    if (!all)
        return arena_status(arena);
    for (uint32_t i = 0; i < values.count; i++)
        all[filter.count++] = values.texts[i];
    for (uint32_t i = 0; i < values.also_count; i++)
        all[filter.count++] = values.also[i];
    filter.values = all;
    if (values.pattern.len > 0)
        s = compile(q, filter.key, values.pattern, &filter.regex);
    if (s == OK)
        append(q, filter);
    return s;
}

/* ---- ad hoc filters ---- */

static const struct {
    struct slice text;
    enum filter_op op;
} operators[] = {
    {SLICE_INIT("="), FILTER_IS},       {SLICE_INIT("!="), FILTER_NOT},
    {SLICE_INIT("=~"), FILTER_MATCHES}, {SLICE_INIT("!~"), FILTER_MATCHES_NOT},
    {SLICE_INIT("<"), FILTER_LESS},     {SLICE_INIT(">"), FILTER_GREATER},
    {SLICE_INIT("=|"), FILTER_IS},      {SLICE_INIT("!=|"), FILTER_NOT},
    {SLICE_INIT("=="), FILTER_IS},      {SLICE_INIT(""), FILTER_IS},
};

static bool read_operator(struct slice text, enum filter_op *op)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (slice_equal(text, operators[i].text)) {
            *op = operators[i].op;
            return true;
        }
    return false;
}

/* k8s.pod.name is what people call pod. */
static struct slice plain_key(struct slice key)
{
    static const struct {
        struct slice attribute, key;
    } aliases[] = {
        {SLICE_INIT("k8s.pod.name"), SLICE_INIT("pod")},
        {SLICE_INIT("service.version"), SLICE_INIT("version")},
        {SLICE_INIT("openchoreo.dev/namespace"), SLICE_INIT("namespace")},
        {SLICE_INIT("openchoreo.dev/project"), SLICE_INIT("project")},
        {SLICE_INIT("openchoreo.dev/component"), SLICE_INIT("component")},
        {SLICE_INIT("openchoreo.dev/environment"), SLICE_INIT("environment")},
    };

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (slice_equal(key, aliases[i].attribute))
            return aliases[i].key;
    return key;
}

struct slice query_attribute_key(struct slice key)
{
    if (slice_equal(key, SLICE("pod")))
        return SLICE("k8s.pod.name");
    return slice_equal(key, SLICE("version")) ? SLICE("service.version") : key;
}

static enum status add_values(struct grafana_query *q, const json_t *from,
                              struct grafana_filter *filter)
{
    const json_t *list = json_object_get(from, "values");
    const json_t *value = json_object_get(from, "value");
    size_t n = json_is_array(list) ? json_array_size(list) : 0;
    struct slice *texts;

    if (n > PAYLOAD_MAX_VALUES)
        n = PAYLOAD_MAX_VALUES;
    texts = arena_zero(q->request->arena, n + 1, sizeof(*texts));
    if (!texts)
        return arena_status(q->request->arena);
    for (size_t i = 0; i < n; i++)
        texts[filter->count++] = json_text_of(json_array_get(list, i));
    if (n == 0 && json_is_number(value)) {
        texts[filter->count++] =
            arena_format(q->request->arena, "%.15g", json_number_value(value));
    } else if (n == 0) {
        struct payload_values variable = {.all = true};

        texts[filter->count] = json_text_of(value);
        if (texts[0].len > 1 && texts[0].ptr[0] == '$')
            payload_values(value, q->call->scoped, q->request->arena,
                           &variable);
        if (variable.all)
            filter->count = 1;
        else
            texts = variable.texts, filter->count = variable.count;
    }
    filter->values = texts;
    return OK;
}

static enum status add_ad_hoc(struct grafana_query *q, const json_t *from)
{
    struct slice key = json_text_of(json_object_get(from, "key"));
    struct slice op = json_text_of(json_object_get(from, "operator"));
    struct grafana_filter filter = {.key = plain_key(key)};
    enum status s;

    if (key.len == 0) /* a filter that is being typed */
        return OK;
    if (!read_operator(op, &filter.op))
        return query_invalid(q->request,
                             "filter %.*s: the operator %.*s is not known; "
                             "there are = != =~ !~ < > =| !=|",
                             SLICE_ARGS(key), SLICE_ARGS(op));
    s = add_values(q, from, &filter);
    if (s == OK &&
        (filter.op == FILTER_MATCHES || filter.op == FILTER_MATCHES_NOT)) {
        struct slice joined = filter.values[0];

        for (uint32_t i = 1; i < filter.count; i++)
            joined =
                arena_format(q->request->arena, "%.*s|%.*s", SLICE_ARGS(joined),
                             SLICE_ARGS(filter.values[i]));
        s = compile(q, key, joined, &filter.regex);
    }
    if (s == OK)
        append(q, filter);
    return s;
}

enum status filter_add_list(struct grafana_query *q, const json_t *list)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < json_array_size(list) && i < 64; i++)
        s = add_ad_hoc(q, json_array_get(list, i));
    return s;
}

/* ---- comparing ---- */

static bool is_one_of(const struct grafana_filter *f, struct slice text)
{
    for (uint32_t i = 0; i < f->count; i++)
        if (slice_equal(f->values[i], text))
            return true;
    return false;
}

/* As numbers where both are, else as texts. */
static int compare(struct slice a, struct slice b)
{
    char left[64], right[64], *left_end, *right_end;
    double x, y;

    if (a.len == 0 || b.len == 0 || a.len >= sizeof(left) ||
        b.len >= sizeof(right))
        return slice_compare(a, b);
    slice_copy(left, a);
    slice_copy(right, b);
    left[a.len] = right[b.len] = '\0';
    x = strtod(left, &left_end);
    y = strtod(right, &right_end);
    if (*left_end || *right_end)
        return slice_compare(a, b);
    return (x > y) - (x < y);
}

bool filter_fits(const struct grafana_filter *f, struct slice text)
{
    switch (f->op) {
    case FILTER_IS:
        return is_one_of(f, text) ||
               (f->regex && regex_matches(f->regex, text));
    case FILTER_NOT:
        return !is_one_of(f, text);
    case FILTER_MATCHES:
        return regex_matches(f->regex, text);
    case FILTER_MATCHES_NOT:
        return !regex_matches(f->regex, text);
    case FILTER_LESS:
        return f->count > 0 && compare(text, f->values[0]) < 0;
    case FILTER_GREATER:
        return f->count > 0 && compare(text, f->values[0]) > 0;
    }
    return false;
}

bool query_fits(const struct grafana_query *q, const char *key,
                struct slice text)
{
    struct slice name = slice_of(key);

    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (slice_equal(f->key, name) && !filter_fits(f, text))
            return false;
    return true;
}

bool query_filters(const struct grafana_query *q, const char *key)
{
    struct slice name = slice_of(key);

    for (const struct grafana_filter *f = q->filters; f; f = f->next)
        if (slice_equal(f->key, name))
            return true;
    return false;
}
