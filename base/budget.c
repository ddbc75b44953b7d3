/*
 * One counter. A take that would exceed the limit does not change it, so
 * threads at the limit cannot make each other fail.
 */
#include "budget.h"

#include <assert.h>

void budget_init(struct budget *budget, size_t limit)
{
    atomic_init(&budget->limit, limit);
    budget->parent = NULL;
    atomic_init(&budget->used, 0);
    atomic_init(&budget->peak, 0);
}

static void note_peak(struct budget *budget, size_t used)
{
    size_t peak = atomic_load_explicit(&budget->peak, memory_order_relaxed);

    while (used > peak && !atomic_compare_exchange_weak_explicit(
                              &budget->peak, &peak, used, memory_order_relaxed,
                              memory_order_relaxed))
        ;
}

bool budget_take(struct budget *budget, size_t bytes)
{
    size_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    size_t limit = atomic_load_explicit(&budget->limit, memory_order_relaxed);

    do {
        if (used > limit || bytes > limit - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &budget->used, &used, used + bytes, memory_order_relaxed,
        memory_order_relaxed));
    if (budget->parent && !budget_take(budget->parent, bytes)) {
        atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
        return false;
    }
    note_peak(budget, used + bytes);
    return true;
}

void budget_force(struct budget *budget, size_t bytes)
{
    note_peak(budget, bytes + atomic_fetch_add_explicit(&budget->used, bytes,
                                                        memory_order_relaxed));
    if (budget->parent)
        budget_force(budget->parent, bytes);
}

/* Its owner may end a budget as soon as it sees that all was given back: it is
 * not touched after that. */
void budget_give(struct budget *budget, size_t bytes)
{
    struct budget *parent = budget->parent;
    size_t used =
        atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_release);

    assert(used >= bytes);
    (void)used;
    if (parent)
        budget_give(parent, bytes);
}

size_t budget_used(const struct budget *budget)
{
    return atomic_load_explicit(&budget->used, memory_order_acquire);
}

bool budget_has(const struct budget *budget, size_t bytes, unsigned sixteenths)
{
    for (; budget; budget = budget->parent) {
        size_t limit = budget->limit, used = budget_used(budget);

        limit -= limit / 16 * sixteenths;
        if (used > limit || bytes > limit - used)
            return false;
    }
    return true;
}

bool budget_take_both(struct budget *share, struct budget *whole, size_t bytes)
{
    if (!budget_take(share, bytes))
        return false;
    if (budget_take(whole, bytes))
        return true;
    budget_give(share, bytes);
    return false;
}
