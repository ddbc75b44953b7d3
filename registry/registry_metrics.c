/*
 * For /metrics: what each namespace holds of the table of resources, whoever
 * sent its records. The namespaces that hold most have a row, as in
 * access/tenants_usage.c.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "mem.h"
#include "registry_int.h"
#include "tenants.h"

static int by_use(const void *left, const void *right)
{
    const struct namespace_quota *a = left, *b = right;

    if (a->live != b->live)
        return a->live > b->live ? -1 : 1;
    if (a->overflows_total != b->overflows_total)
        return a->overflows_total > b->overflows_total ? -1 : 1;
    return a->name < b->name ? -1 : 1;
}

static void print(struct buf *out, const char *metric, struct slice name,
                  uint64_t value)
{
    buf_format(out, "callboard_tenant_%s{namespace=\"", metric);
    buf_label(out, name);
    buf_format(out, "\"} %" PRIu64 "\n", value);
}

static void print_rows(const struct registry *reg,
                       const struct namespace_quota *rows, uint32_t count,
                       const char *metric, bool overflows, struct buf *out)
{
    uint64_t others = 0;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = overflows ? rows[i].overflows_total : rows[i].live;

        if (i < TENANT_METRICS_MAX)
            print(out, metric, intern_text(&reg->names, rows[i].name), value);
        else
            others += value;
    }
    if (count > TENANT_METRICS_MAX)
        print(out, metric, SLICE(TENANT_OTHER), others);
}

void registry_print_metrics(struct registry *reg, struct buf *out)
{
    struct namespace_quota *rows;
    uint32_t count = 0;

    pthread_rwlock_rdlock(&reg->lock);
    rows = mem_alloc((reg->quotas.count + 1) * sizeof(*rows));
    for (uint32_t i = 0; i < reg->quotas.count; i++)
        if (reg->quotas.at[i].name != 0)
            rows[count++] = reg->quotas.at[i];
    qsort(rows, count, sizeof(*rows), by_use);
    if (count > 0) {
        buf_add(out, SLICE("# HELP callboard_tenant_resources Resources of a "
                           "namespace that are known by their attributes.\n"
                           "# TYPE callboard_tenant_resources gauge\n"));
        print_rows(reg, rows, count, "resources", false, out);
        buf_add(out, SLICE("# HELP callboard_tenant_resources_overflow_total "
                           "Times that a resource of a namespace had no room.\n"
                           "# TYPE callboard_tenant_resources_overflow_total "
                           "counter\n"));
        print_rows(reg, rows, count, "resources_overflow_total", true, out);
    }
    pthread_rwlock_unlock(&reg->lock);
    free(rows);
}
