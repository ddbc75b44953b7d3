/* memory_state - what the store in memory (memory_store.h) keeps, and what a
 * test sets in it. */
#ifndef MEMORY_STATE_H
#define MEMORY_STATE_H

#include <stdlib.h>

#include "array.h"
#include "mem.h"
#include "store.h"

struct memory_value {
    const char *name;
    struct slice value;
};

struct store {
    struct arena arena; /* of all copies */

    /* ---- metadata ---- */
    struct identity *identity;      /* by number; id IDENTITY_NONE: none */
    struct resource *resource;      /* by id; id RESOURCE_NONE: none */
    uint32_t *identity_of;          /* of resources */
    uint64_t *hash;                 /* likewise */
    uint32_t identities, resources; /* highest number and id, plus one */
    uint32_t identity_room, resource_room, identity_of_room, hash_room;
    uint32_t repointed; /* calls of metadata_save_resource_identity */
    struct memory_value *values;
    uint32_t value_count, value_room;
    bool drop_metadata; /* identities and resources are not kept */

    /* ---- signals ---- */
    struct batch **batches; /* appended */
    uint32_t count, batch_room;
    struct span *spans; /* set by the test */
    struct log_record *logs;
    struct point *points;
    struct trace_summary *traces;
    uint32_t span_count, log_count, point_count, trace_count;
    uint64_t watermark[STREAM_COUNT], oldest_ns;
    struct open_series open;
    bool drop_batches;
    bool flush_due;       /* of the derived stream */
    uint64_t flush_every; /* or at every lsn that this divides */

    /* ---- queries ---- */
    enum status health, read_status;
    void (*begin)(void);        /* called by reader_begin, if set */
    void (*list)(void);         /* called by reader_query_traces, likewise */
    bool strict;                /* logs by time, level and stream, too */
    struct log_tail tail;       /* of its log records; set by the test */
    struct log_query log_query; /* the last ones; their pointers are gone */
    struct list_position after, before; /* of the last list; key_len 0: none */
    struct trace_query trace_query;
    struct series_query series_query;
    uint32_t series_resources; /* how many it was about */
    bool whole;
};

static inline struct store *memory_store_new(void)
{
    struct store *store = mem_zero(1, sizeof(*store));

    arena_init(&store->arena, NULL, SIZE_MAX);
    return store;
}

static inline void memory_store_drop_batches(struct store *store)
{
    for (uint32_t i = 0; i < store->count; i++)
        batch_free(store->batches[i]);
    store->count = 0;
}

/* Empties it. */
static inline void memory_store_reset(struct store *store)
{
    memory_store_drop_batches(store);
    free(store->batches);
    free(store->identity);
    free(store->resource);
    free(store->identity_of);
    free(store->hash);
    free(store->values);
    arena_release(&store->arena);
    memset(store, 0, sizeof(*store));
    arena_init(&store->arena, NULL, SIZE_MAX);
}

static inline void memory_store_free(struct store *store)
{
    memory_store_reset(store);
    arena_release(&store->arena);
    free(store);
}

#endif
