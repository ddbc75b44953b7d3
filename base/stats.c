/*
 * An array of atomics beside the table of stats.h. Relaxed order: nobody
 * concludes anything from one counter about another.
 */
#include "stats.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

enum type { COUNTER, GAUGE };

static const struct {
    enum type type;
    const char *name, *label, *help;
} rows[] = {
#define STATS_ROW(id, type, name, label, help) {type, name, label, help},
    STATS_TABLE(STATS_ROW)
#undef STATS_ROW
};

static _Atomic uint64_t values[STATS_COUNT];

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

void stats_print(struct buf *out)
{
    for (int id = 0; id < STATS_COUNT; id++) {
        const char *name = rows[id].name, *label = rows[id].label;

        if (id == 0 || strcmp(name, rows[id - 1].name) != 0)
            buf_format(out, "# HELP callboard_%s %s\n# TYPE callboard_%s %s\n",
                       name, rows[id].help, name,
                       rows[id].type == COUNTER ? "counter" : "gauge");
        buf_format(out, "callboard_%s%s%s%s %" PRIu64 "\n", name,
                   *label ? "{" : "", label, *label ? "}" : "",
                   stats_get((enum stats_id)id));
    }
}
