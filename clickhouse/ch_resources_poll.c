/*
 * Looks for rows that others inserted. What is known of the last WINDOW_NS of
 * ClickHouse's clock is how many rows each time of insertion has; a time that
 * has more now is read again, as a whole: the registry knows what it knows.
 */
#include <stdlib.h>

#include "array.h"
#include "ch_resources_int.h"
#include "log.h"
#include "mem.h"

/* As long as an insertion may take, or clocks of replicas differ. */
#define WINDOW_NS (60 * NS_PER_S)

enum { TIMES_AT_ONCE = 1024 };

void ch_resources_free_taken(struct taken_facts *list)
{
    while (list) {
        struct taken_facts *next = list->next;

        arena_release(&list->arena);
        free(list->at);
        free(list);
        list = next;
    }
}

/* ---- times ---- */

/* One more row of this time; they come in order. */
static void count_row(struct ch_resources *resources, uint64_t ns)
{
    uint32_t count = resources->time_count;

    if (count > 0 && resources->times[count - 1].ns == ns) {
        resources->times[count - 1].count++;
        return;
    }
    *(struct insert_time *)array_append(&resources->times, count,
                                        &resources->time_room) =
        (struct insert_time){ns, 1};
    resources->time_count++;
}

static uint64_t window_begin(const struct ch_resources *resources)
{
    uint64_t newest = resources->time_count > 0
                          ? resources->times[resources->time_count - 1].ns
                          : 0;

    return newest > WINDOW_NS ? newest - WINDOW_NS : 0;
}

static void forget_times(struct ch_resources *resources)
{
    uint64_t begin = window_begin(resources);
    uint32_t gone = 0;

    while (gone < resources->time_count && resources->times[gone].ns < begin)
        gone++;
    if (gone == 0)
        return;
    resources->time_count -= gone;
    memmove(resources->times, resources->times + gone,
            resources->time_count * sizeof(*resources->times));
}

/* ---- the start ---- */

struct loading {
    struct ch_resources *resources;
    struct arena arena; /* of one row */
    resource_fact_visit *visit;
    void *to;
};

static void load_fact(void *to, const struct resource_fact *fact,
                      uint64_t inserted_ns)
{
    struct loading *loading = to;

    count_row(loading->resources, inserted_ns);
    if (loading->resources->time_count > TIMES_AT_ONCE)
        forget_times(loading->resources);
    loading->visit(loading->to, fact);
    arena_reset(&loading->arena);
}

enum status ch_resources_load(void *arg, resource_fact_visit *visit, void *to)
{
    struct ch_resources *resources = arg;
    struct loading loading = {.resources = resources, .visit = visit, .to = to};
    enum status status;

    resources->time_count = 0;
    arena_init(&loading.arena, NULL, SIZE_MAX);
    status = ch_resources_read(resources, NULL, 0, &loading.arena, load_fact,
                               &loading);
    arena_release(&loading.arena);
    forget_times(resources);
    if (status == OK)
        status = ch_resources_share_seen(resources);
    return status;
}

/* ---- a look ---- */

struct found_times {
    struct insert_time row;
    struct insert_time *at;
    uint32_t count, room;
};

static void decode_time(void *arg, struct byte_reader *in)
{
    struct found_times *found = arg;

    found->row.ns = ch_read_time64(in);
    found->row.count = ch_read_u64(in);
}

static enum status take_time(void *arg)
{
    struct found_times *found = arg;

    *(struct insert_time *)array_append(&found->at, found->count,
                                        &found->room) = found->row;
    found->count++;
    return OK;
}

static enum status find_times(struct ch_resources *resources,
                              struct found_times *found)
{
    struct ch_rows rows = {
        .decode = decode_time, .take = take_time, .arg = found};
    struct ch_reader reader = {.client = resources->client,
                               .cancelled = &resources->cancelled};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT InsertedAt, count() FROM callboard_resources WHERE "
                "InsertedAt >= ? GROUP BY InsertedAt ORDER BY InsertedAt",
                CH_NS(window_begin(resources)));
    status = ch_select(&reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static uint64_t known_count(const struct ch_resources *resources, uint64_t ns)
{
    for (uint32_t i = resources->time_count; i-- > 0;)
        if (resources->times[i].ns == ns)
            return resources->times[i].count;
    return 0;
}

/* It is taken later. */
static void keep_fact(void *to, const struct resource_fact *fact,
                      uint64_t inserted_ns)
{
    struct taken_facts *taken = to;
    struct resource_fact *kept =
        array_append(&taken->at, taken->count, &taken->room);

    (void)inserted_ns;
    taken->count++;
    *kept = *fact;
    kept->sender = arena_copy(&taken->arena, fact->sender);
    for (unsigned i = 0; i < IDENTITY_NAMES; i++)
        kept->names[i] = arena_copy(&taken->arena, fact->names[i]);
    kept->resource.schema_url =
        arena_copy(&taken->arena, fact->resource.schema_url);
}

static enum status read_times(struct ch_resources *resources,
                              const uint64_t *times, uint32_t count)
{
    struct taken_facts *taken = mem_zero(1, sizeof(*taken));
    enum status status;

    arena_init(&taken->arena, NULL, SIZE_MAX);
    status = ch_resources_read(resources, times, count, &taken->arena,
                               keep_fact, taken);
    if (status != OK || taken->count == 0) {
        ch_resources_free_taken(taken);
        return status;
    }
    pthread_mutex_lock(&resources->lock);
    *resources->last = taken;
    resources->last = &taken->next;
    pthread_mutex_unlock(&resources->lock);
    return OK;
}

enum status ch_resources_poll(struct ch_resources *resources)
{
    struct found_times found = {.count = 0};
    uint64_t times[TIMES_AT_ONCE];
    uint32_t count = 0;
    enum status status = find_times(resources, &found);

    for (uint32_t i = 0; status == OK && i < found.count; i++) {
        if (found.at[i].count != known_count(resources, found.at[i].ns))
            times[count++] = found.at[i].ns;
        if (count > 0 && (count == TIMES_AT_ONCE || i + 1 == found.count)) {
            status = read_times(resources, times, count);
            count = 0;
        }
    }
    if (status == OK) {
        free(resources->times);
        resources->times = found.at;
        resources->time_count = found.count;
        resources->time_room = found.room;
        found.at = NULL;
        forget_times(resources);
    }
    free(found.at);
    return status;
}
