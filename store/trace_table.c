/* Trace ids are mostly random, but a sender may choose them: they are hashed.
 */
#include "trace_table.h"

#include "array.h"
#include "hash.h"

static uint32_t id_hash(const uint8_t id[16])
{
    return map_hash(hash_mix(hash_mix(hash_read8(id), 0), hash_read8(id + 8)));
}

void trace_table_init(struct trace_table *table, struct arena *arena)
{
    *table = (struct trace_table){.arena = arena, .by_id = {.arena = arena}};
}

static struct trace_entry *find(const struct trace_table *table, uint32_t hash,
                                const uint8_t id[16])
{
    map_each(&table->by_id, hash, at)
        if (memcmp(table->at[at]->id, id, 16) == 0)
            return table->at[at];
    return NULL;
}

struct trace_entry *trace_table_find(const struct trace_table *table,
                                     const uint8_t id[16])
{
    return find(table, id_hash(id), id);
}

struct trace_entry *trace_table_add(struct trace_table *table,
                                    const uint8_t id[16])
{
    uint32_t hash = id_hash(id);
    struct trace_entry *e = find(table, hash, id);

    if (e)
        return e;
    if (!arena_append(table->arena, &table->at, table->count, &table->room))
        return NULL;
    e = table->spare ? table->spare : arena_alloc(table->arena, sizeof(*e));
    if (!e || !map_add(&table->by_id, hash, table->count))
        return NULL;
    if (e == table->spare)
        table->spare = e->next_spare;
    *e = (struct trace_entry){.matches = false};
    memcpy(e->id, id, sizeof(e->id));
    table->at[table->count++] = e;
    return e;
}

void trace_table_prune(struct trace_table *table,
                       bool (*keep)(const struct trace_entry *entry, void *arg),
                       void *arg)
{
    uint32_t count = table->count;

    table->count = 0;
    map_clear(&table->by_id);
    for (uint32_t i = 0; i < count; i++) {
        struct trace_entry *e = table->at[i];

        /* Adding again fits into the memory that the map has. */
        if (keep(e, arg) &&
            map_add(&table->by_id, id_hash(e->id), table->count)) {
            table->at[table->count++] = e;
        } else {
            e->next_spare = table->spare;
            table->spare = e;
        }
    }
}

void trace_entry_merge(struct trace_entry *entry, const struct trace_part *part)
{
    struct trace_part *all = &entry->part;

    if (all->count == 0) {
        *all = *part;
        return;
    }
    /* A span without a parent before the earliest span, an earlier one before a
     * later one. */
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
