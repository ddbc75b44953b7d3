/*
 * budget - a limit on the memory that a part of the program holds.
 *
 * Purpose:   every allocation whose size an outsider can influence is charged
 *            to a budget first, so the process does not exceed its memory
 *            limit.
 * Ownership: whoever took bytes gives them back.
 * Threads:   any; lock-free counters.
 * Errors:    budget_take() returns false at the limit, an ordinary outcome that
 *            senders see as 503 or 413.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    atomic_size_t limit;
    atomic_size_t used, peak;
    struct budget *parent; /* what is taken is taken there, too; NULL: none */
};

void budget_init(struct budget *budget, size_t limit);

/* False, and nothing is taken, if it would exceed the limit. */
bool budget_take(struct budget *budget, size_t bytes);

/* Takes them even above the limit: for small things that must not fail. */
void budget_force(struct budget *budget, size_t bytes);

void budget_give(struct budget *budget, size_t bytes);

/* Takes them from a share and from the whole, or from neither. */
bool budget_take_both(struct budget *share, struct budget *whole, size_t bytes);

/* Whether a take would succeed now and leave so many sixteenths of the limit,
 * here and in its parents. */
bool budget_has(const struct budget *budget, size_t bytes, unsigned sixteenths);

size_t budget_used(const struct budget *budget);

#endif
