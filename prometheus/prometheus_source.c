/*
 * The source of series of one request.
 */
#include "prometheus_source.h"

static enum status select_series(void *arg, const struct promql_select *select,
                                 promql_visit *visit, void *visit_arg)
{
    (void)arg;
    (void)select;
    (void)visit;
    (void)visit_arg;
    return OK;
}

void prometheus_source_init(struct prometheus_source *source,
                            struct query_request *request)
{
    *source = (struct prometheus_source){.request = request,
                                         .promql = {select_series, source}};
}

enum status prometheus_series(struct prometheus_source *source,
                              struct prometheus_list *list,
                              const struct promql_labels **series,
                              uint32_t *count)
{
    (void)source;
    list->cut = false;
    *series = NULL;
    *count = 0;
    return OK;
}

enum status prometheus_label_names(struct prometheus_source *source,
                                   struct prometheus_list *list,
                                   const struct slice **names, uint32_t *count)
{
    (void)source;
    list->cut = false;
    *names = NULL;
    *count = 0;
    return OK;
}

enum status prometheus_label_values(struct prometheus_source *source,
                                    struct prometheus_list *list,
                                    struct slice name,
                                    const struct slice **values,
                                    uint32_t *count)
{
    (void)name;
    return prometheus_label_names(source, list, values, count);
}

enum status prometheus_metadata(struct prometheus_source *source,
                                struct slice metric, uint32_t limit,
                                const struct prometheus_metadata **metadata,
                                uint32_t *count)
{
    (void)source;
    (void)metric;
    (void)limit;
    *metadata = NULL;
    *count = 0;
    return OK;
}

enum status prometheus_exemplars(struct prometheus_source *source,
                                 struct prometheus_list *list,
                                 const struct prometheus_exemplars **series,
                                 uint32_t *count)
{
    (void)source;
    list->cut = false;
    *series = NULL;
    *count = 0;
    return OK;
}
