/*
 * ring - a list in both directions, linked through a member of its elements.
 *
 *     struct ring all;                  the head; an empty one links to itself
 *     ring_add(&all, &one->link);       at the end
 *     ring_each(one, &all, struct element, link)
 *
 * Purpose:   lists whose elements leave from anywhere, and may be in several.
 * Ownership: links own nothing.
 * Threads:   one at a time.
 * Errors:    none.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring {
    struct ring *prev, *next;
};

#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* All elements; they stay in it meanwhile. */
#define ring_each(entry, head, type, member)                                 \
    for (struct ring *at_ = (head)->next;                                    \
         at_ != (head) && ((entry) = CONTAINER_OF(at_, type, member), true); \
         at_ = at_->next)
/* The same; the element itself may leave it. */
#define ring_each_safe(entry, head, type, member)                            \
    for (struct ring *at_ = (head)->next, *next_ = at_->next;                \
         at_ != (head) && ((entry) = CONTAINER_OF(at_, type, member), true); \
         at_ = next_, next_ = at_->next)

static inline void ring_init(struct ring *ring)
{
    ring->prev = ring->next = ring;
}

static inline bool ring_is_empty(const struct ring *ring)
{
    return ring->next == ring;
}

static inline void ring_add(struct ring *head, struct ring *one)
{
    one->prev = head->prev;
    one->next = head;
    one->prev->next = one->next->prev = one;
}

static inline void ring_remove(struct ring *one)
{
    one->prev->next = one->next;
    one->next->prev = one->prev;
    ring_init(one);
}

#endif
