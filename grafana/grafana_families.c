/*
 * The families, in the order that people see.
 */
#include "grafana_family.h"

const struct grafana_family grafana_families[] = {
    {0},
};

const struct grafana_family *grafana_family_find(struct slice target)
{
    for (const struct grafana_family *f = grafana_families; f->target; f++)
        if (slice_equal(target, slice_of(f->target)))
            return f;
    return NULL;
}
