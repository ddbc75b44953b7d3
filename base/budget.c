/*
 * One counter. A take that would pass the limit never touches it, so that two
 * threads that meet at the limit cannot make each other fail for nothing.
 */
#include "budget.h"

#include <assert.h>

void budget_init(struct budget *budget, size_t limit)
{
    budget->limit = limit;
    atomic_init(&budget->used, 0);
    atomic_init(&budget->peak, 0);
}

bool budget_take(struct budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    size_t peak;

    do {
        if (used > budget->limit || bytes > budget->limit - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &budget->used, &used, used + bytes, memory_order_relaxed,
        memory_order_relaxed));
    used += bytes;
    peak = atomic_load_explicit(&budget->peak, memory_order_relaxed);
    while (used > peak && !atomic_compare_exchange_weak_explicit(
                              &budget->peak, &peak, used, memory_order_relaxed,
                              memory_order_relaxed))
        ;
    return true;
}

void budget_give(struct budget *budget, size_t bytes)
{
    size_t used =
        atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);

    assert(used >= bytes);
    (void)used;
}

size_t budget_used(const struct budget *budget)
{
    return atomic_load_explicit(&budget->used, memory_order_relaxed);
}
