/*
 * Names of groups for legends. In: groups. Out: texts that are distinct, and as
 * short as can be.
 */
#include "grafana_red.h"

static bool is_distinct(const struct grafana_red *r, uint32_t dimensions)
{
    for (uint32_t i = 0; i < r->count; i++)
        for (uint32_t j = 0; j < i; j++) {
            bool same = true;

            for (int k = 0; k < BY_COUNT && same; k++)
                if (dimensions >> k & 1)
                    same = slice_equal(r->series[i].names->name[k],
                                       r->series[j].names->name[k]);
            if (same)
                return false;
        }
    return true;
}

/* The narrowest names come first; wider ones are added until all differ. */
static uint32_t dimensions_of(const struct grafana_red *r)
{
    static const enum red_by order[] = {BY_ENVIRONMENT, BY_PROJECT,
                                        BY_NAMESPACE, BY_ENDPOINT, BY_KIND};
    uint32_t dimensions = r->by;

    if (r->by >> BY_OPERATION & 1) /* "GET /orders" says it */
        dimensions &= ~(1u << BY_ENDPOINT);
    if (r->by >> BY_COMPONENT & 1)
        dimensions &=
            ~(1u << BY_NAMESPACE | 1u << BY_PROJECT | 1u << BY_ENVIRONMENT);
    else if (r->by >> BY_PROJECT & 1)
        dimensions &= ~(1u << BY_NAMESPACE);
    for (size_t i = 0;
         i < sizeof(order) / sizeof(order[0]) && !is_distinct(r, dimensions);
         i++)
        dimensions |= r->by & (1u << order[i]);
    return dimensions;
}

void red_titles(struct grafana_red *r)
{
    static const enum red_by order[] = {
        BY_COMPONENT, BY_OPERATION,   BY_ENDPOINT, BY_CALLER,   BY_CALLEE,
        BY_KIND,      BY_ENVIRONMENT, BY_PROJECT,  BY_NAMESPACE};
    uint32_t dimensions = dimensions_of(r);

    for (uint32_t i = 0; i < r->count; i++) {
        struct red_series *one = &r->series[i];

        for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
            struct slice name = one->names->name[order[k]];

            if (!(dimensions >> order[k] & 1))
                continue;
            if (name.len == 0)
                name = order[k] == BY_COMPONENT ? SLICE("(unassigned)")
                                                : SLICE("(none)");
            one->title =
                one->title.len == 0
                    ? name
                    : arena_format(r->q->request->arena, "%.*s %.*s",
                                   SLICE_ARGS(one->title), SLICE_ARGS(name));
        }
    }
}
