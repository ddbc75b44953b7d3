/*
 * Open addressing over pointers to entries, doubled when half of it is full.
 * Trace ids are mostly random, but a sender may choose them: they are hashed.
 */
#include "trace_table.h"

#include "hash.h"

enum { FIRST_SLOTS = 1024 };

bool traces_init(struct trace_table *table, struct arena *arena)
{
    *table = (struct trace_table){.arena = arena, .mask = FIRST_SLOTS - 1};
    table->slots = arena_zero(arena, FIRST_SLOTS, sizeof(struct trace_entry *));
    return table->slots != NULL;
}

static struct trace_entry **find_slot(const struct trace_table *table,
                                      const uint8_t id[16])
{
    uint32_t at = (uint32_t)hash_bytes(id, 16, 0) & table->mask;

    while (table->slots[at] && memcmp(table->slots[at]->id, id, 16) != 0)
        at = (at + 1) & table->mask;
    return &table->slots[at];
}

struct trace_entry *traces_find(const struct trace_table *table,
                                const uint8_t id[16])
{
    return *find_slot(table, id);
}

static bool grow(struct trace_table *table)
{
    uint32_t slots = 2 * (table->mask + 1);
    struct trace_entry **at =
        arena_zero(table->arena, slots, sizeof(struct trace_entry *));

    if (!at)
        return false;
    table->slots = at;
    table->mask = slots - 1;
    for (struct trace_entry *e = table->first; e; e = e->next)
        *find_slot(table, e->id) = e;
    return true;
}

struct trace_entry *traces_add(struct trace_table *table, const uint8_t id[16])
{
    struct trace_entry **slot = find_slot(table, id);

    if (*slot)
        return *slot;
    if (2 * table->count > table->mask) {
        if (!grow(table))
            return NULL;
        slot = find_slot(table, id);
    }
    struct trace_entry *e = table->spare;
    if (e)
        table->spare = e->next;
    else
        e = arena_alloc(table->arena, sizeof(*e));
    if (!e)
        return NULL;
    *e = (struct trace_entry){.matches = false};
    memcpy(e->id, id, sizeof(e->id));
    e->next = table->first;
    table->first = e;
    table->count++;
    *slot = e;
    return e;
}

void traces_prune(struct trace_table *table,
                  bool (*keep)(const struct trace_entry *entry, void *arg),
                  void *arg)
{
    struct trace_entry **link = &table->first, *e;

    while ((e = *link)) {
        if (keep(e, arg)) {
            link = &e->next;
            continue;
        }
        *link = e->next;
        e->next = table->spare;
        table->spare = e;
        table->count--;
    }
    memset(table->slots, 0, ((size_t)table->mask + 1) * sizeof(*table->slots));
    for (e = table->first; e; e = e->next)
        *find_slot(table, e->id) = e;
}

void traces_merge(struct trace_entry *entry, const struct trace_part *part)
{
    struct trace_part *all = &entry->part;

    if (all->count == 0) {
        *all = *part;
        return;
    }
    /* A real root before the earliest span, an earlier one before a later. */
    if (part->has_root != all->has_root ? part->has_root
                                        : part->start_ns < all->start_ns)
        all->root = part->root;
    if (part->start_ns < all->start_ns)
        all->start_ns = part->start_ns;
    if (part->end_ns > all->end_ns)
        all->end_ns = part->end_ns;
    all->count += part->count;
    all->has_root |= part->has_root;
    all->has_errors |= part->has_errors;
}
