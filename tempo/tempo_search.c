/*
 *   GET /tempo/api/search?q={...}&start=&end=&limit=20&spss=3
 *   GET /tempo/api/search?tags=a=b c="d e"&minDuration=&maxDuration=
 *
 * An answer that a bound of time or memory cut off has fewer completedJobs than
 * totalJobs, which is how Tempo tells it.
 */
#include "tempo_search.h"

enum { LIMIT = 20, SPANS_PER_SET = 3 };

static enum status read_query(struct tempo_search *search)
{
    struct query_request *request = search->request;
    struct slice q = query_param(request, "q");
    struct slice tags = query_param(request, "tags");
    char error[TRACEQL_ERROR];
    enum status s;

    if (q.len > 0)
        s = traceql_parse(q, request->arena, &search->query, error);
    else
        s = traceql_parse_tags(tags, request->arena, &search->query, error);
    if (s == ERR_INVALID)
        return query_invalid(request, "%s", error);
    return s;
}

static enum status read_params(struct tempo_search *search)
{
    struct query_request *request = search->request;

    search->limit = LIMIT;
    search->spans_per_set = SPANS_PER_SET;
    tempo_number(request, "limit", UINT32_MAX, &search->limit);
    tempo_number(request, "spss", UINT32_MAX, &search->spans_per_set);
    tempo_duration(request, "minDuration", &search->min_duration);
    tempo_duration(request, "maxDuration", &search->max_duration);
    tempo_range(request, &search->start_ns, &search->end_ns);
    if (search->limit == 0)
        search->limit = LIMIT;
    if (search->limit > TEMPO_MAX_TRACES)
        search->limit = TEMPO_MAX_TRACES;
    return request->failed;
}

static void write_answer(const struct tempo_search *search)
{
    struct jsonw *w = &search->request->json;

    jsonw_open(w, '{');
    jsonw_name(w, "traces");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < search->count; i++) {
        if (i > 0)
            buf_byte(w->out, ',');
        buf_add(w->out, search->results[i].json);
    }
    w->comma = search->count > 0;
    jsonw_close(w, ']');
    jsonw_name(w, "metrics");
    jsonw_open(w, '{');
    jsonw_name(w, "inspectedTraces");
    jsonw_uint(w, search->traces);
    jsonw_name(w, "completedJobs");
    jsonw_uint(w, search->partial ? 1 : 2);
    jsonw_name(w, "totalJobs");
    jsonw_uint(w, 2);
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

enum status tempo_search(struct query_request *request)
{
    struct tempo_search search = {.request = request};
    enum status s = read_params(&search);

    if (s == OK)
        s = read_query(&search);
    if (s == OK)
        s = tempo_plan(&search);
    if (s == OK)
        s = tempo_find(&search);
    traceql_release(&search.query);
    if (s == OK)
        write_answer(&search);
    else if (request->failed == OK)
        query_fail_read(request, s);
    return s;
}
