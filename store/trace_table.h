/*
 * trace_table - traces by id, while a query assembles them.
 *
 * Ownership: everything is in the arena of the query.
 */
#ifndef STORE_TRACE_TABLE_H
#define STORE_TRACE_TABLE_H

#include "arena.h"
#include "map.h"
#include "record.h"

/* Where the root of a trace is: in memory, or a row of a block. */
struct trace_root {
    const struct span *span; /* NULL: in the block */
    uint64_t block;
    uint32_t row;
};

/* The spans of a trace that one place has. */
struct trace_part {
    uint64_t start_ns, end_ns;
    uint32_t count;
    bool has_root, has_errors;
    struct trace_root root;
};

struct trace_entry {
    uint8_t id[16];
    struct trace_part part; /* all parts together; count 0: none yet */
    bool matches;
    bool selected; /* is being assembled now */
    bool complete; /* blocks near in time have been searched for it */
    bool late;     /* starts behind a page that is full; not assembled */
    bool on_page;
    uint32_t place;
    struct trace_entry *next_spare;
};

struct trace_table {
    struct arena *arena;
    struct map by_id;
    struct trace_entry **at; /* `count` of them */
    uint32_t count, room;
    struct trace_entry *spare;
};

void trace_table_init(struct trace_table *table, struct arena *arena);
/* NULL if there is none. */
struct trace_entry *trace_table_find(const struct trace_table *table,
                                     const uint8_t id[16]);
/* The trace's entry, created if there is none; NULL: no memory. */
struct trace_entry *trace_table_add(struct trace_table *table,
                                    const uint8_t id[16]);
/* Removes all that `keep` refuses; their memory is reused. */
void trace_table_prune(struct trace_table *table,
                       bool (*keep)(const struct trace_entry *entry, void *arg),
                       void *arg);

/* Adds the spans of another place. */
void trace_entry_merge(struct trace_entry *entry,
                       const struct trace_part *part);

#endif
