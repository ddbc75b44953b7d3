/*
 * shared_log_kit - several registries with one log of resources, which hands
 * facts over late, in any order and more than once.
 */
#ifndef SHARED_LOG_KIT_H
#define SHARED_LOG_KIT_H

#include "registry_writers_kit.h"
#include "store_resources.h"

enum { LOG_READERS = 4 };

struct log_row {
    struct resource_fact fact;
    bool taken[LOG_READERS];
};

struct shared_log {
    struct arena arena;
    struct log_row *rows;
    uint32_t count, room;
    struct identity_seen *seen;
    uint32_t seen_count, seen_room;
    bool late; /* a reader does not get all at once */
};

struct log_reader {
    struct shared_log *log;
    uint32_t number;
};

struct instance {
    struct bed bed;
    struct log_reader reader;
    struct resource_log log;
    struct store_resources ask;
};

static inline void log_add(void *arg, const struct resource_fact *fact)
{
    struct shared_log *log = ((struct log_reader *)arg)->log;
    struct log_row *row = array_append(&log->rows, log->count, &log->room);

    *row = (struct log_row){.fact = *fact};
    row->fact.sender = arena_copy(&log->arena, fact->sender);
    for (int i = 0; i < IDENTITY_NAMES; i++)
        row->fact.names[i] = arena_copy(&log->arena, fact->names[i]);
    row->fact.resource.attrs.at = memory_copy_attrs(
        &log->arena, fact->resource.attrs.at, fact->resource.attrs.count);
    log->count++;
}

/* In any order. */
static inline void hand_over(struct log_reader *reader, bool all,
                             resource_fact_visit *visit, void *to)
{
    struct shared_log *log = reader->log;
    uint32_t count = log->count, start = test_random(count + 1);
    uint32_t step = count > 2 ? 1 + test_random(count - 1) : 1;

    while (count > 0) { /* a step that meets every row */
        uint32_t a = count, b = step;

        while (b) {
            uint32_t rest = a % b;

            a = b;
            b = rest;
        }
        if (a == 1)
            break;
        step++;
    }
    for (uint32_t n = 0; n < count; n++) {
        struct log_row *row = &log->rows[(start + (uint64_t)n * step) % count];
        bool again = row->taken[reader->number] && test_random(8) == 0;
        bool first =
            !row->taken[reader->number] && (!log->late || test_random(2) == 0);
        struct resource_fact fact = row->fact;

        if (!all && !again && !first)
            continue;
        row->taken[reader->number] = true;
        visit(to, &fact);
    }
}

static inline enum status log_load(void *arg, resource_fact_visit *visit,
                                   void *to)
{
    hand_over(arg, true, visit, to);
    return OK;
}

static inline void log_take(void *arg, resource_fact_visit *visit, void *to)
{
    hand_over(arg, false, visit, to);
}

static inline void log_add_seen(void *arg, const struct identity_seen *seen,
                                uint32_t count)
{
    struct shared_log *log = ((struct log_reader *)arg)->log;

    for (uint32_t i = 0; i < count; i++)
        *(struct identity_seen *)array_append(&log->seen, log->seen_count++,
                                              &log->seen_room) = seen[i];
}

static inline void log_take_seen(void *arg, identity_seen_visit *visit,
                                 void *to)
{
    struct shared_log *log = ((struct log_reader *)arg)->log;

    for (uint32_t i = 0; i < log->seen_count; i++)
        visit(to, &log->seen[i]);
}

static inline void log_init(struct shared_log *log)
{
    *log = (struct shared_log){.late = true};
    arena_init(&log->arena, NULL, SIZE_MAX);
}

static inline void log_release(struct shared_log *log)
{
    free(log->rows);
    free(log->seen);
    arena_release(&log->arena);
}

static inline void join(struct instance *instance, struct shared_log *log,
                        uint32_t number)
{
    struct registry_options own = options;

    instance->reader = (struct log_reader){log, number};
    instance->log = (struct resource_log){.arg = &instance->reader,
                                          .add = log_add,
                                          .load = log_load,
                                          .take = log_take,
                                          .add_seen = log_add_seen,
                                          .take_seen = log_take_seen};
    own.log = &instance->log;
    instance->bed.store = memory_store_new();
    arena_init(&instance->bed.arena, NULL, SIZE_MAX);
    CHECK_EQ(registry_open(&instance->bed.registry, &own, instance->bed.store),
             OK);
    instance->ask = registry_resources(instance->bed.registry);
}

static inline void part(struct instance *instance)
{
    bed_release(&instance->bed);
}

/* Everything that was added by anybody. */
static inline void catch_up(struct instance *instances, uint32_t count,
                            uint64_t now_ns)
{
    instances[0].reader.log->late = false;
    for (int round = 0; round < 3; round++)
        for (uint32_t i = 0; i < count; i++)
            registry_share(instances[i].bed.registry, now_ns);
    instances[0].reader.log->late = true;
}

static inline uint32_t send_at(struct instance *instance, const char *text,
                               uint64_t now_ns)
{
    struct resource resource = {.attrs = attrs_of(&instance->bed, text),
                                .id = RESOURCE_NONE};

    registry_resolve(instance->bed.registry, &resource, now_ns);
    return resource.id;
}

static inline uint64_t key_of(struct instance *instance, uint32_t id)
{
    struct resource_names names = {.key = 0};

    (void)instance->ask.describe(instance->ask.arg, id, &instance->bed.arena,
                                 &names);
    return names.key;
}

/* "rule namespace/project/component/environment" */
static inline const char *who_is(struct instance *instance, uint64_t key)
{
    return who(&instance->bed, instance->ask.find(instance->ask.arg, key));
}

#endif
