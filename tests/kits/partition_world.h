/*
 * partition_world - what outlives instances: a log with two partitions, the
 * group's commits, and the tables with their tokens; and instances that read,
 * die at any step and take partitions from each other.
 *
 * An effect (a commit, an insert into a table) is made, or fails, or is made
 * and its answer is lost; and any of them may be the last thing an instance
 * does.
 */
#ifndef PARTITION_WORLD_H
#define PARTITION_WORLD_H

#include "partition.h"
#include "partition_kit.h"
#include "store_block.h"

enum { WORLD_PARTITIONS = 2, WORLD_MESSAGES = 4096, WORLD_INSTANCES = 2 };
enum { TABLE_SPANS, TABLE_SERIES, TABLE_LETTERS, TABLE_STATE, WORLD_TABLES };

struct world_state {
    uint32_t partition;
    uint64_t offset;
    struct slice bytes; /* owned */
};

static struct world {
    struct {
        struct random_spans spans;
        uint32_t begin[WORLD_MESSAGES]; /* of spans; UINT32_MAX: poison */
        uint32_t messages;
        uint64_t committed;
        char metadata[256];
        uint64_t epoch;     /* of the owner; 0: nobody */
        uint32_t owner;     /* instance */
        bool started;       /* the owner said where to read from */
        uint64_t delivered; /* next offset for the owner */
    } log[WORLD_PARTITIONS];
    struct sums
        *tokens; /* "token table": how often it was inserted, and used */
    struct sums *stored; /* what the tables hold */
    struct world_state states[4096];
    uint32_t state_count;
    uint64_t epoch;
    uint32_t faults; /* one effect of so many fails; 0: none */
    uint32_t rows;   /* inserted into all tables */

    struct world_instance {
        struct store *store;
        struct registry *registry;
        struct catalog *catalog;
        struct store_resources resources;
        struct partition_tasks *tasks;
        uint32_t dies_in; /* effects; 0: never */
        bool dead;        /* nothing that it does has an effect */
        uint64_t now_ns;
    } instances[WORLD_INSTANCES];
} world;

/* ---- effects ---- */

enum effect { EFFECT_NONE, EFFECT_MADE, EFFECT_UNKNOWN };

/* UNKNOWN: made, but the instance is not told. */
static inline enum effect effect_of(struct world_instance *instance)
{
    bool last = instance->dies_in > 0 && --instance->dies_in == 0;

    if (instance->dead)
        return EFFECT_NONE;
    instance->dead = last;
    if (last || (world.faults && test_random(world.faults) == 0))
        return test_random(2) ? EFFECT_NONE : EFFECT_UNKNOWN;
    return EFFECT_MADE;
}

static inline enum status world_commit(void *arg,
                                       const struct partition_commit *commit)
{
    enum effect effect = effect_of(arg);

    if (effect == EFFECT_NONE)
        return ERR_BUSY;
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        if (world.log[p].epoch != commit->epoch)
            continue;
        world.log[p].committed = commit->offset;
        snprintf(world.log[p].metadata, sizeof(world.log[p].metadata), "%.*s",
                 SLICE_ARGS(commit->metadata));
        return effect == EFFECT_MADE ? OK : ERR_BUSY;
    }
    return ERR_STOPPING;
}

/* ---- blocks ---- */

struct store_block {
    struct world_instance *instance;
    uint32_t partition;
    struct sums *rows[WORLD_TABLES];
    uint64_t count;
    uint64_t offset; /* of the state */
    struct slice state;
};

struct store_block *store_block_new(struct store *store, struct slice topic,
                                    uint32_t partition, struct budget *budget)
{
    struct store_block *block = mem_zero(1, sizeof(*block));

    (void)topic;
    (void)budget;
    block->partition = partition;
    for (int i = 0; i < WORLD_INSTANCES; i++)
        if (world.instances[i].store == store)
            block->instance = &world.instances[i];
    for (int i = 0; i < TABLE_STATE; i++)
        block->rows[i] = sums_new();
    return block;
}

void store_block_free(struct store_block *block)
{
    if (!block)
        return;
    for (int i = 0; i < TABLE_STATE; i++)
        sums_free(block->rows[i]);
    free((char *)(uintptr_t)block->state.ptr);
    free(block);
}

void store_block_add(struct store_block *block, const struct batch *batch)
{
    char text[64];

    if (batch->derived)
        sums_add_derived(block->rows[TABLE_SERIES], block->instance->registry,
                         batch);
    else if (batch->encoding == BATCH_DEAD_LETTER)
        sums_add(block->rows[TABLE_LETTERS], "letter", 1);
    for (uint32_t i = 0; !batch->derived && i < batch->count; i++) {
        uint32_t id, trace;

        memcpy(&id, batch->spans[i].span_id, sizeof(id));
        memcpy(&trace, batch->spans[i].trace_id, sizeof(trace));
        snprintf(text, sizeof(text), "span %u/%u/%u", block->partition, trace,
                 id);
        sums_add(block->rows[TABLE_SPANS], text, 1);
    }
    block->count += batch->count + (batch->encoding == BATCH_DEAD_LETTER);
}

void store_block_set_checkpoint(struct store_block *block, uint64_t offset,
                                struct slice state)
{
    block->offset = offset;
    block->state = (struct slice){mem_copy(state.ptr, state.len), state.len};
}

uint64_t store_block_rows(const struct store_block *block)
{
    return block->count;
}

uint64_t store_block_bytes(const struct store_block *block)
{
    return block->count * 100;
}

static inline void insert_state(const struct store_block *block)
{
    world.states[world.state_count++] = (struct world_state){
        block->partition,
        block->offset,
        {mem_copy(block->state.ptr, block->state.len), block->state.len}};
    CHECK(world.state_count < 4096);
}

/* One table; a token that is known is dropped. */
static inline enum status insert(struct store_block *block, int table,
                                 struct slice token)
{
    const struct sums *rows = table < TABLE_STATE ? block->rows[table] : NULL;
    enum effect effect = effect_of(block->instance);
    char text[512];

    if (effect == EFFECT_NONE)
        return ERR_IO;
    snprintf(text, sizeof(text), "%.*s %d", SLICE_ARGS(token), table);
    if (!sums_find(world.tokens, text)) {
        sums_add(world.tokens, text, 1);
        world.rows++;
        for (uint32_t i = 0; rows && i < rows->count; i++)
            sums_add(world.stored, rows->at[i].text, rows->at[i].value);
        if (!rows)
            insert_state(block);
    }
    return effect == EFFECT_MADE ? OK : ERR_IO;
}

enum status store_block_write(struct store_block *block, struct slice token,
                              const atomic_bool *cancelled)
{
    enum status status = OK;

    if (*cancelled)
        return ERR_CANCELLED;
    for (int i = 0; i < TABLE_STATE && status == OK; i++)
        if (block->rows[i]->count > 0)
            status = insert(block, i, token);
    if (status == OK && block->state.len > 0)
        status = insert(block, TABLE_STATE, token);
    return status;
}

enum status store_load_checkpoint(struct store *store, struct slice topic,
                                  uint32_t partition, uint64_t offset,
                                  struct arena *arena, struct slice *state)
{
    (void)store;
    (void)topic;
    if (world.faults && test_random(world.faults) == 0)
        return ERR_IO;
    for (uint32_t i = world.state_count; i-- > 0;)
        if (world.states[i].partition == partition &&
            world.states[i].offset == offset) {
            *state = arena_copy(arena, world.states[i].bytes);
            return OK;
        }
    return ERR_NOT_FOUND;
}

/* ---- the log ---- */

static inline void world_fill(uint32_t traces, uint32_t seconds)
{
    world.tokens = sums_new();
    world.stored = sums_new();
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        uint32_t at = 0, offset = 0;

        world.log[p].spans = random_spans_new(traces, seconds);
        while (at < world.log[p].spans.count && offset < WORLD_MESSAGES) {
            bool poison = test_random(40) == 0;

            world.log[p].begin[offset++] = poison ? UINT32_MAX : at;
            if (!poison)
                batch_free(random_message(&world.log[p].spans, &at, 8, 0));
        }
        world.log[p].messages = offset;
    }
}

static inline void world_empty(void)
{
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++)
        free(world.log[p].spans.at);
    for (uint32_t i = 0; i < world.state_count; i++)
        free((char *)(uintptr_t)world.states[i].bytes.ptr);
    sums_free(world.tokens);
    sums_free(world.stored);
    memset(&world, 0, sizeof(world));
}

/* Nothing was read or stored yet. */
static inline void world_rewind(void)
{
    for (uint32_t i = 0; i < world.state_count; i++)
        free((char *)(uintptr_t)world.states[i].bytes.ptr);
    sums_free(world.tokens);
    sums_free(world.stored);
    world.tokens = sums_new();
    world.stored = sums_new();
    world.state_count = world.rows = 0;
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        world.log[p].committed = world.log[p].epoch = 0;
        world.log[p].metadata[0] = '\0';
    }
}

static inline void forget_batch(void *arg, enum status status)
{
    (void)arg;
    (void)status;
}

static inline struct batch *world_message(uint32_t p, uint64_t offset)
{
    uint32_t at = world.log[p].begin[offset], next = at;
    struct batch *batch;
    struct source_offset source = {.topic = SLICE("otlp_spans"),
                                   .partition = p,
                                   .offset = offset,
                                   .epoch = world.log[p].epoch};

    if (at == UINT32_MAX) {
        batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);
        batch->encoding = BATCH_DEAD_LETTER;
        batch->received_ns = KIT_TIME;
    } else {
        batch = random_message(&world.log[p].spans, &next, 8, offset);
    }
    batch->done = forget_batch;
    batch_set_source_offset(batch, &source);
    return batch;
}

/* ---- instances ---- */

static inline void world_open(uint32_t number)
{
    struct world_instance *instance = &world.instances[number];
    struct registry_options registry = {.max_resources = 1000,
                                        .max_identities = 1000};
    struct partition_options options = {.correlator = kit_options,
                                        .block_rows = 40,
                                        .block_bytes = 1 << 20,
                                        .block_age_ns = 400 * NS_PER_MS,
                                        .checkpoint_ns = 20 * NS_PER_S,
                                        .commit = world_commit,
                                        .commit_arg = instance};

    *instance = (struct world_instance){.store = memory_store_new(),
                                        .catalog = catalog_new(),
                                        .now_ns = NS_PER_S};
    CHECK_EQ(registry_open(&instance->registry, &registry, instance->store),
             OK);
    instance->resources =
        (struct store_resources){.arg = instance->registry,
                                 .identity_anchor = partition_anchor,
                                 .find_identity = partition_find_identity};
    options.store = instance->store;
    options.registry = instance->registry;
    options.catalog = instance->catalog;
    options.correlator.resources = &instance->resources;
    for (uint32_t i = 0; i < 2 * RANDOM_COMPONENTS; i++) {
        struct random_span span = {.component = i % RANDOM_COMPONENTS,
                                   .trace = i / RANDOM_COMPONENTS};
        struct batch *batch = batch_new(SIGNAL_SPANS, NULL, 0, NULL);

        batch->resources =
            arena_zero(&batch->arena, 1, sizeof(struct resource));
        batch->spans = arena_zero(&batch->arena, 1, sizeof(struct span));
        random_span_put(batch, &span);
        registry_resolve(instance->registry, &batch->resources[0], KIT_TIME);
        batch_free(batch);
    }
    CHECK_EQ(partition_open(&instance->tasks, &options), OK);
}

static inline void world_close(uint32_t number)
{
    struct world_instance *instance = &world.instances[number];

    instance->dead = true;
    partition_close(instance->tasks);
    registry_close(instance->registry);
    catalog_free(instance->catalog);
    memory_store_reset(instance->store);
    arena_release(&instance->store->arena);
    free(instance->store);
}

/* A partition gets an owner, whatever the one before does. */
static inline void world_assign(uint32_t p, uint32_t number)
{
    struct partition_assignment assignment = {
        .topic = SLICE("otlp_spans"),
        .partition = p,
        .epoch = ++world.epoch,
        .committed = world.log[p].committed,
        .metadata = slice_of(world.log[p].metadata)};

    world.log[p].epoch = assignment.epoch;
    world.log[p].owner = number;
    world.log[p].started = false;
    partition_assigned(world.instances[number].tasks, &assignment);
}

/* As the receiver: asks where to read from, submits a few messages, steps. */
static inline void world_run(uint32_t number, uint64_t wall_ns)
{
    struct world_instance *instance = &world.instances[number];
    struct sink sink = partition_sink(instance->tasks);

    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++) {
        uint64_t offset;

        if (world.log[p].owner != number || world.log[p].epoch == 0)
            continue;
        if (!world.log[p].started) {
            world.log[p].started =
                partition_start(instance->tasks, world.log[p].epoch, &offset);
            if (world.log[p].started)
                world.log[p].delivered = offset;
        }
        for (uint32_t i = test_random(4);
             world.log[p].started && i > 0 &&
             world.log[p].delivered < world.log[p].messages &&
             partition_state(instance->tasks, world.log[p].epoch) ==
                 PARTITION_READY;
             i--)
            sink.submit(sink.arg, world_message(p, world.log[p].delivered++));
    }
    instance->now_ns += 100 * NS_PER_MS;
    (void)partition_step(instance->tasks, instance->now_ns, wall_ns);
}

static inline bool world_is_done(void)
{
    for (uint32_t p = 0; p < WORLD_PARTITIONS; p++)
        if (world.log[p].committed < world.log[p].messages)
            return false;
    return true;
}

#endif
