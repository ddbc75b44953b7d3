/*
 * Attributes of resources. Who asks for one of a list asks for the others, too:
 * a request reads those of the ids behind it, and a reader keeps their bytes.
 * They never change: a resource with others has another key.
 */
#include <stdlib.h>

#include "array.h"
#include "ch_log_rows.h"
#include "ch_read.h"
#include "map.h"
#include "mem.h"
#include "store_resources.h"

/* Resources of one request, and bytes that are kept before all are dropped. */
enum { AHEAD = 256, KEPT_MAX = 8 << 20 };

struct kept_resource {
    uint64_t key;
    struct slice schema_url, map, types;
};

struct ch_resource_cache {
    struct arena arena;
    struct map by_key;
    struct kept_resource *kept;
    uint32_t count, room;
};

/* A row, and where it goes. */
struct resource_row {
    struct ch_resource_cache *cache;
    struct kept_resource row;
};

static uint32_t key_hash(uint64_t key)
{
    return map_hash_number(key);
}

static const struct kept_resource *find_kept(
    const struct ch_resource_cache *cache, uint64_t key)
{
    map_each(&cache->by_key, key_hash(key), at)
        if (cache->kept[at].key == key)
            return &cache->kept[at];
    return NULL;
}

static void decode_resource(void *arg, struct byte_reader *in)
{
    struct resource_row *r = arg;

    r->row.key = ch_read_u64(in);
    r->row.schema_url = ch_read_string(in);
    r->row.map = ch_read_map(in);
    r->row.types = ch_read_string(in);
}

static enum status take_resource(void *arg)
{
    struct resource_row *r = arg;
    struct ch_resource_cache *cache = r->cache;
    struct kept_resource *to;

    if (find_kept(cache, r->row.key))
        return OK;
    to = arena_append(&cache->arena, &cache->kept, cache->count, &cache->room);
    if (!to || !map_add(&cache->by_key, key_hash(r->row.key), cache->count))
        return arena_status(&cache->arena);
    to->key = r->row.key;
    to->schema_url = arena_copy(&cache->arena, r->row.schema_url);
    to->map = arena_copy(&cache->arena, r->row.map);
    to->types = arena_copy(&cache->arena, r->row.types);
    cache->count++;
    return arena_status(&cache->arena);
}

/* Of several rows of a resource one has its attributes. */
static enum status read_keys(struct ch_reader *reader, const uint64_t *keys,
                             size_t count)
{
    struct resource_row row = {.cache = reader->resource_cache};
    struct ch_rows rows = {
        .decode = decode_resource, .take = take_resource, .arg = &row};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT ResourceId, SchemaUrl, Attributes, AttributeTypes FROM "
                "callboard_resources WHERE ResourceId IN ? ORDER BY "
                "length(mapKeys(Attributes)) DESC LIMIT 1 BY ResourceId",
                CH_U64S(keys, count));
    enum status status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static void reset(struct ch_resource_cache *cache)
{
    arena_reset(&cache->arena);
    cache->by_key = (struct map){.arena = &cache->arena};
    cache->kept = NULL;
    cache->count = cache->room = 0;
}

static struct ch_resource_cache *cache_of(struct ch_reader *reader)
{
    struct ch_resource_cache *cache = reader->resource_cache;

    if (!cache) {
        cache = mem_zero(1, sizeof(*cache));
        arena_init(&cache->arena, reader->budget, 4 * (size_t)KEPT_MAX);
        reset(cache);
        reader->resource_cache = cache;
    }
    return cache;
}

void ch_resource_cache_free(struct ch_resource_cache *cache)
{
    if (!cache)
        return;
    arena_release(&cache->arena);
    free(cache);
}

/* This one and those of the ids behind it that are not kept. */
static enum status read_ahead(struct ch_reader *reader, uint32_t id,
                              uint64_t key)
{
    const struct store_resources *of = reader->resources;
    struct ch_resource_cache *cache = cache_of(reader);
    uint64_t keys[AHEAD] = {key};
    struct resource_names names;
    struct arena work;
    size_t count = 1;

    if (arena_size(&cache->arena) > KEPT_MAX ||
        arena_status(&cache->arena) != OK)
        reset(cache);
    arena_init(&work, reader->budget, CH_WORK_MAX);
    for (uint32_t next = id + 1; next > id && next - id < AHEAD; next++)
        if (of->describe(of->arg, next, &work, &names) &&
            names.key != keys[count - 1] && !find_kept(cache, names.key))
            keys[count++] = names.key; /* a derived one has the key before */
    arena_release(&work);
    return read_keys(reader, keys, count);
}

enum status ch_read_resource(struct ch_reader *reader, uint32_t id,
                             struct arena *arena, struct resource *resource)
{
    const struct store_resources *of = reader->resources;
    const struct kept_resource *kept;
    struct resource_names names;
    enum status status;

    *resource = (struct resource){.id = id};
    if (!of->describe(of->arg, id, arena, &names))
        return ERR_NOT_FOUND;
    kept = find_kept(cache_of(reader), names.key);
    if (!kept) {
        status = read_ahead(reader, id, names.key);
        if (status != OK)
            return status;
        kept = find_kept(reader->resource_cache, names.key);
    }
    if (!kept)
        return ERR_NOT_FOUND;
    resource->schema_url = arena_copy(arena, kept->schema_url);
    ch_take_attrs(kept->map, kept->types, arena, &resource->attrs);
    return arena_status(arena);
}
