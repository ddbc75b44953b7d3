/*
 * traces - a table of traces by id, while a query puts them together.
 *
 * Lives in an arena, like everything of a query.
 */
#ifndef STORE_TRACE_TABLE_H
#define STORE_TRACE_TABLE_H

#include "arena.h"
#include "record.h"

/* Where the root of a trace is: in memory, or a row of a block. */
struct trace_root {
    const struct span *span; /* NULL: in the block */
    uint64_t block;
    uint32_t row;
};

/* What one place knows of a trace. */
struct trace_part {
    uint64_t start_ns, end_ns;
    uint32_t count;
    bool has_root, has_errors;
    struct trace_root root;
};

struct trace_entry {
    struct trace_entry *next; /* added before it */
    uint8_t id[16];
    struct trace_part part; /* all parts together; count 0: none yet */
    bool matches;
    bool asked;    /* is to be completed now */
    bool complete; /* blocks near in time have been asked for it */
    bool late;     /* starts behind a page that is full; not put together */
    bool on_page;
    uint32_t place;
};

struct trace_table {
    struct arena *arena;
    struct trace_entry **slots, *first, *spare;
    uint32_t mask, count;
};

/* False if the arena has no memory. */
bool traces_init(struct trace_table *table, struct arena *arena);
struct trace_entry *traces_find(const struct trace_table *table,
                                const uint8_t id[16]);
/* The trace's entry, made if there is none; NULL: no memory. */
struct trace_entry *traces_add(struct trace_table *table, const uint8_t id[16]);
/* Takes all out that `keep` does not want; their memory is used again. */
void traces_prune(struct trace_table *table,
                  bool (*keep)(const struct trace_entry *entry, void *arg),
                  void *arg);
void traces_merge(struct trace_entry *entry, const struct trace_part *part);

#endif
