/*
 * budget - how much memory a part of the program may hold, counted.
 *
 * Every allocation whose size an outsider can influence is taken from a budget
 * first and given back when freed. A refusal is an ordinary outcome (503 or
 * 413), so the process never grows past what was configured.
 *
 * Threads  all calls from any thread; lock-free counters.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t limit;
    atomic_size_t used, peak;
};

void budget_init(struct budget *budget, size_t limit);

/* False, and nothing taken, if it would exceed the limit. */
bool budget_take(struct budget *budget, size_t bytes);

/* Takes it, limit or not: for what was promised and is small. */
void budget_force(struct budget *budget, size_t bytes);

void budget_give(struct budget *budget, size_t bytes);

size_t budget_used(const struct budget *budget);

#endif
