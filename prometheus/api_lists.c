/*
 * labels, label values, series, metadata, query_exemplars: lists of what there
 * is, each from one function of the source.
 */
#include "api.h"
#include "clock.h"
#include "hex.h"
#include "utf8.h"

static enum status answer(struct query_request *request, enum status status,
                          const struct prometheus_source *source,
                          const struct api_list *list)
{
    if (request->failed != OK)
        return request->failed;
    if (status == ERR_DEADLINE)
        return query_fail(request, status, NULL, "query timed out");
    if (status != OK && source->error[0])
        return query_fail(request, status, NULL, "%s", source->error);
    if (status != OK)
        return query_fail_read(request, status);
    return api_answer_list(request, list);
}

static const char *cut_warning(bool cut)
{
    return cut ? API_CUT : NULL;
}

/* ---- names and values of labels ---- */

static void write_text(struct jsonw *w, const void *items, uint32_t i)
{
    jsonw_text(w, ((const struct slice *)items)[i]);
}

enum status api_labels(struct query_request *request)
{
    struct prometheus_source source;
    struct prometheus_list list;
    struct api_list names = {.write = write_text, .open = '['};
    const struct slice *items = NULL;
    enum status s = api_list_params(request, &list);

    if (s != OK)
        return s;
    prometheus_source_init(&source, request);
    s = prometheus_label_names(&source, &list, &items, &names.count);
    names.items = items;
    names.warning = cut_warning(list.cut);
    return answer(request, s, &source, &names);
}

/* One code point: hexadecimal digits between underscores. 0: it is none. */
static size_t unescape_code(struct slice text, char *to, size_t *len)
{
    uint32_t code = 0;
    size_t at = 1;

    for (; at < text.len && at < 8 && hex_digit(text.ptr[at]) >= 0; at++)
        code = code * 16 + (uint32_t)hex_digit(text.ptr[at]);
    if (at == 1 || at == text.len || text.ptr[at] != '_' || code > 0x10ffff)
        return 0;
    *len = utf8_encode(code, (uint8_t *)to);
    return *len > 0 ? at + 1 : 0;
}

/* U__http_2e_method is http.method: names that are not of letters, digits and
 * underscores, as clients put them into paths. "__" is an underscore. A text
 * that is not written like this is the name itself. */
static struct slice unescape_name(struct arena *arena, struct slice name)
{
    struct slice text = slice_from(name, 3);
    char *to = arena_alloc(arena, name.len + 4), *at = to;

    if (!to)
        return name;
    while (text.len > 0) {
        size_t len = 1, used = 1;

        if (slice_starts(text, SLICE("__")))
            used = 2;
        else if (text.ptr[0] == '_')
            used = unescape_code(text, at, &len);
        if (used == 0)
            return name;
        if (text.ptr[0] != '_' || used == 2)
            *at = text.ptr[0];
        at += len;
        text = slice_from(text, used);
    }
    return (struct slice){to, (size_t)(at - to)};
}

enum status api_label_values(struct query_request *request)
{
    struct prometheus_source source;
    struct prometheus_list list;
    struct api_list values = {.write = write_text, .open = '['};
    const struct slice *items = NULL;
    struct slice name = request->parts[0], shown = slice_truncate(name, 100);
    enum status s;

    if (slice_starts(name, SLICE("U__")))
        name = unescape_name(request->arena, name);
    if (name.len == 0 || !utf8_valid(name))
        return query_invalid(request, "invalid label name: \"%.*s\"",
                             SLICE_ARGS(shown));
    s = api_list_params(request, &list);
    if (s != OK)
        return s;
    prometheus_source_init(&source, request);
    s = prometheus_label_values(&source, &list, name, &items, &values.count);
    values.items = items;
    values.warning = cut_warning(list.cut);
    return answer(request, s, &source, &values);
}

/* ---- series ---- */

static void write_series(struct jsonw *w, const void *items, uint32_t i)
{
    api_write_labels(w, &((const struct promql_labels *)items)[i]);
}

enum status api_series(struct query_request *request)
{
    struct prometheus_source source;
    struct prometheus_list list;
    struct api_list series = {.write = write_series, .open = '['};
    const struct promql_labels *items = NULL;
    enum status s = api_list_params(request, &list);

    if (s != OK)
        return s;
    if (list.count == 0)
        return query_invalid(request, "no match[] parameter provided");
    prometheus_source_init(&source, request);
    s = prometheus_series(&source, &list, &items, &series.count);
    series.items = items;
    series.warning = cut_warning(list.cut);
    return answer(request, s, &source, &series);
}

/* ---- metadata ---- */

static void write_metadata(struct jsonw *w, const void *items, uint32_t i)
{
    const struct prometheus_metadata *metric =
        &((const struct prometheus_metadata *)items)[i];

    jsonw_text(w, metric->name);
    buf_byte(w->out, ':');
    w->comma = false;
    jsonw_open(w, '[');
    jsonw_open(w, '{');
    jsonw_name(w, "type");
    jsonw_cstr(w, metric->type);
    jsonw_member_text(w, "help", metric->help);
    jsonw_member_text(w, "unit", metric->unit);
    jsonw_close(w, '}');
    jsonw_close(w, ']');
}

enum status api_metadata(struct query_request *request)
{
    struct prometheus_source source;
    struct api_list list = {.write = write_metadata, .open = '{'};
    const struct prometheus_metadata *items = NULL;
    uint32_t limit = 0;
    enum status s = api_limit(request, "limit", &limit);

    if (s != OK)
        return s;
    prometheus_source_init(&source, request);
    s = prometheus_metadata(&source, api_param(request, "metric"), limit,
                            &items, &list.count);
    list.items = items;
    return answer(request, s, &source, &list);
}

/* ---- exemplars ---- */

static void write_exemplar(struct jsonw *w,
                           const struct prometheus_exemplar *exemplar)
{
    jsonw_open(w, '{');
    jsonw_name(w, "labels");
    api_write_labels(w, &exemplar->labels);
    jsonw_name(w, "value");
    api_write_value(w, exemplar->value);
    jsonw_name(w, "timestamp");
    api_write_time(w, exemplar->time_ms);
    jsonw_close(w, '}');
}

static void write_exemplars(struct jsonw *w, const void *items, uint32_t i)
{
    const struct prometheus_exemplars *series =
        &((const struct prometheus_exemplars *)items)[i];

    jsonw_open(w, '{');
    jsonw_name(w, "seriesLabels");
    api_write_labels(w, &series->series);
    jsonw_name(w, "exemplars");
    jsonw_open(w, '[');
    for (uint32_t k = 0; k < series->count; k++)
        write_exemplar(w, &series->at[k]);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

struct selectors {
    struct prometheus_selector at[API_MAX_SELECTORS];
    uint32_t count;
};

static enum status add_selector(void *arg,
                                const struct promql_matcher *matchers,
                                uint32_t count)
{
    struct selectors *selectors = arg;

    if (selectors->count == API_MAX_SELECTORS)
        return ERR_TOO_BIG;
    selectors->at[selectors->count++] =
        (struct prometheus_selector){matchers, count};
    return OK;
}

/* Those of all selectors of the expression. */
enum status api_exemplars(struct query_request *request)
{
    struct prometheus_source source;
    struct prometheus_list list;
    struct api_list series = {.write = write_exemplars, .open = '['};
    const struct prometheus_exemplars *items = NULL;
    struct selectors selectors = {.count = 0};
    const struct promql_query *query;
    enum status s = api_list_params(request, &list);

    if (s == OK && list.end_ms < list.start_ms)
        return query_invalid(
            request, "end timestamp must not be before start timestamp");
    if (s == OK)
        s = api_parse(request, "query", api_param(request, "query"), &query);
    if (s == OK)
        s = promql_selectors(query, add_selector, &selectors);
    if (s != OK)
        return s;
    prometheus_source_init(&source, request);
    list.selectors = selectors.at;
    list.count = selectors.count;
    if (list.count > 0)
        s = prometheus_exemplars(&source, &list, &items, &series.count);
    series.items = items;
    series.warning = cut_warning(list.cut);
    return answer(request, s, &source, &series);
}
