/*
 * Arrays of atomics beside the tables of stats.h. The order is relaxed: nothing
 * is concluded from one number about another.
 */
#include "stats.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

enum stats_type { COUNTER, GAUGE };

static const struct {
    enum stats_type type;
    const char *name, *label, *help;
} rows[] = {
#define STATS_ROW(id, type, name, label, help) {type, name, label, help},
    STATS_TABLE(STATS_ROW)
#undef STATS_ROW
};

static _Atomic uint64_t values[STATS_COUNT];

static const struct {
    const char *name, *help;
} histogram_rows[] = {
#define STATS_ROW(id, name, help) {name, help},
    STATS_HISTOGRAM_TABLE(STATS_ROW)
#undef STATS_ROW
};

/* Upper bounds of the buckets, inclusive; beyond the last one is +Inf. */
static const struct {
    uint64_t most_ns;
    const char *seconds;
} buckets[] = {{NS_PER_MS, "0.001"},      {5 * NS_PER_MS / 2, "0.0025"},
               {5 * NS_PER_MS, "0.005"},  {10 * NS_PER_MS, "0.01"},
               {25 * NS_PER_MS, "0.025"}, {50 * NS_PER_MS, "0.05"},
               {100 * NS_PER_MS, "0.1"},  {250 * NS_PER_MS, "0.25"},
               {500 * NS_PER_MS, "0.5"},  {NS_PER_S, "1"},
               {5 * NS_PER_S / 2, "2.5"}, {5 * NS_PER_S, "5"},
               {10 * NS_PER_S, "10"}};
enum { BUCKETS = sizeof(buckets) / sizeof(buckets[0]) };

static struct {
    _Atomic uint64_t counts[BUCKETS + 1], sum_ns;
} histograms[STATS_HISTOGRAM_COUNT];

void stats_add(enum stats_id id, uint64_t n)
{
    atomic_fetch_add_explicit(&values[id], n, memory_order_relaxed);
}

void stats_set(enum stats_id id, uint64_t value)
{
    atomic_store_explicit(&values[id], value, memory_order_relaxed);
}

uint64_t stats_get(enum stats_id id)
{
    return atomic_load_explicit(&values[id], memory_order_relaxed);
}

void stats_add_code(enum stats_id first, unsigned code)
{
    enum stats_id id = first;
    char label[32];

    (void)snprintf(label, sizeof(label), "code=\"%u\"", code);
    while (strcmp(rows[id].label, label) != 0 &&
           strcmp(rows[id].label, "code=\"other\"") != 0)
        id++;
    stats_add(id, 1);
}

void stats_observe(enum stats_histogram id, uint64_t duration_ns)
{
    size_t bucket = 0;

    while (bucket < BUCKETS && duration_ns > buckets[bucket].most_ns)
        bucket++;
    atomic_fetch_add_explicit(&histograms[id].counts[bucket], 1,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&histograms[id].sum_ns, duration_ns,
                              memory_order_relaxed);
}

static void print_head(struct buf *out, const char *name, const char *help,
                       const char *type)
{
    buf_format(out, "# HELP callboard_%s %s\n# TYPE callboard_%s %s\n", name,
               help, name, type);
}

static void print_histogram(struct buf *out, enum stats_histogram id)
{
    const char *name = histogram_rows[id].name;
    uint64_t count = 0, sum_ns = atomic_load_explicit(&histograms[id].sum_ns,
                                                      memory_order_relaxed);

    print_head(out, name, histogram_rows[id].help, "histogram");
    for (size_t i = 0; i <= BUCKETS; i++) {
        count += atomic_load_explicit(&histograms[id].counts[i],
                                      memory_order_relaxed);
        buf_format(out, "callboard_%s_bucket{le=\"%s\"} %" PRIu64 "\n", name,
                   i < BUCKETS ? buckets[i].seconds : "+Inf", count);
    }
    buf_format(out, "callboard_%s_sum %" PRIu64 ".%09" PRIu64 "\n", name,
               sum_ns / NS_PER_S, sum_ns % NS_PER_S);
    buf_format(out, "callboard_%s_count %" PRIu64 "\n", name, count);
}

void stats_print(struct buf *out)
{
    for (int id = 0; id < STATS_COUNT; id++) {
        const char *name = rows[id].name, *label = rows[id].label;

        if (id == 0 || strcmp(name, rows[id - 1].name) != 0)
            print_head(out, name, rows[id].help,
                       rows[id].type == COUNTER ? "counter" : "gauge");
        buf_format(out, "callboard_%s%s%s%s %" PRIu64 "\n", name,
                   *label ? "{" : "", label, *label ? "}" : "",
                   stats_get((enum stats_id)id));
    }
    for (int id = 0; id < STATS_HISTOGRAM_COUNT; id++)
        print_histogram(out, (enum stats_histogram)id);
}
