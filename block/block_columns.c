/*
 * Columns that spans and logs have in common: texts in dictionaries, and the
 * owners of each row: its resource and scope. A scope is encoded once per
 * address: the rows of one request share it.
 */
#include "block_columns.h"

void text_column_init(struct text_column *column, struct scratch *scratch,
                      uint32_t count)
{
    *column = (struct text_column){0};
    dict_init(&column->dict, scratch);
    scratch_append(scratch, &column->codes.at, 0, &column->codes.room, count);
}

void text_column_put(struct text_column *column, struct block_builder *out,
                     uint32_t id)
{
    block_builder_dict(out, id, &column->dict, column->codes.at,
                       column->codes.count);
}

void owner_writer_init(struct owner_writer *owners, struct scratch *scratch,
                       struct buf *value, uint32_t count)
{
    *owners = (struct owner_writer){
        .scratch = scratch, .value = value, .last_id = UINT64_MAX};
    text_column_init(&owners->scopes, scratch, count);
    dict_add(&owners->scopes.dict, (struct slice){NULL, 0}); /* 0: no scope */
}

static uint32_t find_or_add_id(struct owner_writer *owners, uint64_t id)
{
    uint32_t hash = map_hash_number(id);

    map_each(&owners->by_id, hash, at)
        if (owners->ids.at[at] == id)
            return at;
    scratch_map_add(owners->scratch, &owners->by_id, hash, owners->ids.count);
    numbers_add(owners->scratch, &owners->ids, id);
    return owners->ids.count - 1;
}

uint32_t owner_resource_code(struct owner_writer *owners, uint32_t resource_id)
{
    if (resource_id != owners->last_id) {
        owners->last_id = resource_id;
        owners->last_code = find_or_add_id(owners, resource_id);
    }
    return owners->last_code;
}

uint32_t owner_scope_code(struct owner_writer *owners,
                          const struct scope *scope)
{
    uint32_t hash = map_hash_number((uintptr_t)scope);
    struct known_scope *known;

    if (!scope)
        return 0;
    map_each(&owners->by_address, hash, at)
        if (owners->known[at].scope == scope)
            return owners->known[at].code;
    buf_reset(owners->value);
    scope_write(owners->value, scope, ATTR_FORM_BLOCK);
    known = scratch_append(owners->scratch, &owners->known, owners->known_count,
                           &owners->known_room, 1);
    *known = (struct known_scope){
        scope, dict_add(&owners->scopes.dict, buf_slice(owners->value))};
    scratch_map_add(owners->scratch, &owners->by_address, hash,
                    owners->known_count++);
    return known->code;
}

void owner_writer_add(struct owner_writer *owners, uint32_t resource_id,
                      const struct scope *scope)
{
    numbers_add(owners->scratch, &owners->resources,
                owner_resource_code(owners, resource_id));
    numbers_add(owners->scratch, &owners->scopes.codes,
                owner_scope_code(owners, scope));
}

void owner_writer_put(struct owner_writer *owners, struct block_builder *out)
{
    block_builder_ints(out, COL_RESOURCE_ID, owners->ids.at, owners->ids.count,
                       INTS_PLAIN);
    block_builder_ints(out, COL_RESOURCE, owners->resources.at,
                       owners->resources.count, INTS_PLAIN);
    text_column_put(&owners->scopes, out, COL_SCOPE);
}

void owner_writer_count(struct owner_writer *owners, const uint64_t *levels)
{
    uint32_t id_count = owners->ids.count;

    owners->id_list =
        scratch_alloc(owners->scratch, id_count * sizeof(uint32_t));
    owners->counts = scratch_zero(
        owners->scratch, (size_t)id_count * LEVEL_COUNT, sizeof(uint32_t));
    for (uint32_t i = 0; i < id_count; i++)
        owners->id_list[i] = (uint32_t)owners->ids.at[i];
    for (uint32_t row = 0; row < owners->resources.count; row++)
        owners->counts[owners->resources.at[row] * LEVEL_COUNT +
                       (levels ? levels[row] : 0)]++;
}

void owner_writer_summary(const struct owner_writer *owners,
                          enum block_type kind, struct summary_writer *summary,
                          struct buf *out)
{
    summary_put(summary, kind, owners->id_list, owners->counts,
                owners->ids.count, owners->scratch, out);
}
