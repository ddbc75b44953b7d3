/*
 * Who uses what: for /metrics, and for people.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>

#include "clock.h"
#include "tenants_int.h"

static void read_usage(struct tenant *tenant, uint64_t wall,
                       struct tenant_usage *usage)
{
    usage->name = slice_of(tenant->name);
    usage->tenant = tenant;
    for (int i = 0; i < TENANT_OUTCOMES; i++)
        usage->records[i] = atomic_load(&tenant->records[i]);
    pthread_mutex_lock(&tenant->lock);
    usage->bytes_today =
        tenant->day == wall / NS_PER_DAY ? tenant->bytes_today : 0;
    pthread_mutex_unlock(&tenant->lock);
    usage->connections = atomic_load(&tenant->connections);
    usage->queries_ok = atomic_load(&tenant->queries_ok);
    usage->queries_refused = atomic_load(&tenant->queries_refused);
    usage->queries_failed = atomic_load(&tenant->queries_failed);
    usage->query_ns = atomic_load(&tenant->query_ns);
    usage->query_seconds = usage->query_ns / NS_PER_S;
    for (int i = 0; i < TENANT_MEMORIES; i++)
        usage->memory[i] = budget_used(&tenant->memory[i]);
}

static int by_use(const void *a_, const void *b_)
{
    const struct tenant_usage *a = a_, *b = b_;
    uint64_t left = a->records[TENANT_ACCEPTED];
    uint64_t right = b->records[TENANT_ACCEPTED];

    if (left != right)
        return left > right ? -1 : 1;
    if (a->query_ns != b->query_ns)
        return a->query_ns > b->query_ns ? -1 : 1;
    return slice_compare(a->name, b->name);
}

struct tenant_usage *tenants_usage(struct tenants *tenants, uint64_t wall,
                                   struct arena *arena, uint32_t *count)
{
    struct tenant_usage *rows;

    pthread_rwlock_rdlock(&tenants->lock);
    *count = tenants->count;
    rows = arena_alloc(arena, (*count + 1) * sizeof(*rows));
    for (uint32_t i = 0; rows && i < *count; i++)
        read_usage(tenants->at[i], wall, &rows[i]);
    pthread_rwlock_unlock(&tenants->lock);
    if (rows)
        qsort(rows, *count, sizeof(*rows), by_use);
    return rows;
}

/* ---- /metrics ---- */

/* Rows of one name are neighbours. */
static const struct tenant_metric {
    const char *name, *type, *label, *help;
    size_t member; /* a uint64_t of struct tenant_usage */
} metrics[] = {
#define METRIC(name, type, label, member, help)                        \
    {                                                                  \
        name, type, label, help, offsetof(struct tenant_usage, member) \
    }
    METRIC("records_total", "counter", ",outcome=\"accepted\"",
           records[TENANT_ACCEPTED],
           "Records of a namespace: acknowledged, or refused because they "
           "stamp another one."),
    METRIC("records_total", "counter", ",outcome=\"namespace\"",
           records[TENANT_FOREIGN], ""),
    METRIC("requests_refused_total", "counter", ",reason=\"rate\"",
           records[TENANT_RATE],
           "Export requests refused because the namespace is over a limit."),
    METRIC("requests_refused_total", "counter", ",reason=\"daily\"",
           records[TENANT_DAILY], ""),
    METRIC("requests_refused_total", "counter", ",reason=\"memory\"",
           records[TENANT_MEMORY], ""),
    METRIC("bytes_today", "gauge", "", bytes_today,
           "Bytes of export requests, decompressed, of this day (UTC)."),
    METRIC("connections", "gauge", "", connections, "Open connections."),
    METRIC("queries_total", "counter", ",outcome=\"ok\"", queries_ok,
           "Queries answered."),
    METRIC("queries_total", "counter", ",outcome=\"refused\"", queries_refused,
           ""),
    METRIC("queries_total", "counter", ",outcome=\"failed\"", queries_failed,
           ""),
    METRIC("query_seconds_total", "counter", "", query_seconds,
           "Worker time of queries, in seconds."),
    METRIC("memory_bytes", "gauge", ",share=\"ingest\"", memory[TENANT_INGEST],
           "Memory of unfinished request bodies, and of queries."),
    METRIC("memory_bytes", "gauge", ",share=\"query\"", memory[TENANT_QUERY],
           ""),
#undef METRIC
};

static uint64_t member_of(const struct tenant_usage *usage, size_t member)
{
    return *(const uint64_t *)(const void *)((const char *)usage + member);
}

static void print_value(struct buf *out, const struct tenant_metric *metric,
                        struct slice name, uint64_t value)
{
    buf_format(out, "callboard_tenant_%s{namespace=\"", metric->name);
    buf_label(out, name);
    buf_format(out, "\"%s} %" PRIu64 "\n", metric->label, value);
}

static void print_metric(struct buf *out, const struct tenant_metric *metric,
                         const struct tenant_usage *rows, uint32_t count)
{
    uint64_t others = 0;

    if (metric->help[0])
        buf_format(out,
                   "# HELP callboard_tenant_%s %s\n"
                   "# TYPE callboard_tenant_%s %s\n",
                   metric->name, metric->help, metric->name, metric->type);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = member_of(&rows[i], metric->member);

        if (i < TENANT_METRICS_MAX &&
            !slice_equal(rows[i].name, SLICE(TENANT_OTHER)))
            print_value(out, metric, rows[i].name, value);
        else
            others += value;
    }
    if (count > TENANT_METRICS_MAX)
        print_value(out, metric, SLICE(TENANT_OTHER), others);
}

void tenants_print(struct tenants *tenants, uint64_t wall, struct buf *out)
{
    struct arena arena;
    const struct tenant_usage *rows;
    uint32_t count;

    arena_init(&arena, NULL, SIZE_MAX);
    rows = tenants_usage(tenants, wall, &arena, &count);
    for (size_t i = 0;
         rows && count > 0 && i < sizeof(metrics) / sizeof(*metrics); i++)
        print_metric(out, &metrics[i], rows, count);
    arena_release(&arena);
}
