/*
 * The source of series of one request; selection.h does the work.
 */
#include "prometheus_source.h"

#include "selection.h"

static enum status select_series(void *arg, const struct promql_select *select,
                                 promql_visit *visit, void *visit_arg)
{
    struct prometheus_source *source = arg;
    struct selection *s = arena_zero(source->request->arena, 1, sizeof(*s));

    if (!s)
        return arena_status(source->request->arena);
    s->source = source;
    s->matchers = select->matchers;
    s->matcher_count = select->matcher_count;
    s->start_ms = select->start_ms;
    s->end_ms = select->end_ms;
    s->counts_only = select->counts_only;
    s->visit = visit;
    s->visit_arg = visit_arg;
    return selection_run(s);
}

static enum status check(void *arg)
{
    const struct prometheus_source *source = arg;

    return reader_cancelled(source->request->reader);
}

void prometheus_source_init(struct prometheus_source *source,
                            struct query_request *request)
{
    *source = (struct prometheus_source){
        .request = request, .promql = {select_series, check, source}};
}
