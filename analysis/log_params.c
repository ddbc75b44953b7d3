/* The filters of logs/query in the query string; see log_params.h. */
#include "log_params.h"

/* With the blanks at its ends. */
static struct slice read_phrase(const struct query_request *request)
{
    for (uint32_t i = 0; i < request->param_count; i++)
        if (slice_equal(request->params[i].name, SLICE("searchPhrase")))
            return request->params[i].value;
    return (struct slice){NULL, 0};
}

enum status log_params(struct query_request *request, struct log_query *query,
                       struct log_ids *ids)
{
    const struct slice *levels;
    uint32_t level_count;
    bool with_trace, with_span;

    params_query_list(request, "logLevels", &levels, &level_count);
    for (uint32_t i = 0; i < level_count; i++) {
        uint32_t filter = log_level_filter(levels[i]);

        if (filter == 0)
            query_invalid(request,
                          "logLevels must be any of DEBUG, INFO, WARN, ERROR, "
                          "separated by commas");
        query->levels |= filter;
    }
    query->phrase = read_phrase(request);
    params_query_list(request, "searchWords", &query->words,
                      &query->word_count);
    params_query_attrs(request, &query->attrs, &query->attr_count);
    params_query_id(request, "traceId", ids->trace_id, sizeof(ids->trace_id),
                    &with_trace);
    params_query_id(request, "spanId", ids->span_id, sizeof(ids->span_id),
                    &with_span);
    query->trace_id = with_trace ? ids->trace_id : NULL;
    query->span_id = with_span ? ids->span_id : NULL;
    return request->failed;
}
