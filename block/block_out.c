/*
 * The parts that spans and logs have in common: texts in dictionaries, the
 * resource and the scope of each row. A scope is encoded once for each address
 * it has: rows of one request share it.
 */
#include "block_out.h"

void text_column_init(struct text_column *column, struct scratch *scratch,
                      uint32_t count)
{
    *column = (struct text_column){0};
    dict_init(&column->dict, scratch);
    if (count > 0)
        numbers_grow(scratch, &column->codes, count);
}

void text_column_put(struct text_column *column, struct block_out *out,
                     uint32_t id)
{
    block_out_dict(out, id, &column->dict, column->codes.at,
                   column->codes.count);
}

void origin_init(struct origin_out *origin, struct scratch *scratch,
                 struct buf *value, uint32_t count)
{
    *origin = (struct origin_out){
        .scratch = scratch, .value = value, .last_id = UINT64_MAX};
    text_column_init(&origin->scopes, scratch, count);
    dict_add(&origin->scopes.dict, (struct slice){NULL, 0}); /* 0: no scope */
    origin->known_mask = 1023;
    origin->known =
        scratch_zero(scratch, origin->known_mask + 1, sizeof(*origin->known));
    origin->mask = 255;
    origin->slots = scratch_zero(scratch, origin->mask + 1, sizeof(uint32_t));
}

static uint32_t *slot_of(struct origin_out *origin, uint64_t id)
{
    uint32_t i = (uint32_t)(hash_mix(id, 0) & origin->mask);

    while (origin->slots[i] && origin->ids.at[origin->slots[i] - 1] != id)
        i = (i + 1) & origin->mask;
    return &origin->slots[i];
}

static uint32_t resource_code(struct origin_out *origin, uint64_t id)
{
    uint32_t *slot = slot_of(origin, id);

    if (*slot)
        return *slot - 1;
    if (2 * origin->ids.count > origin->mask) {
        origin->mask = 2 * origin->mask + 1;
        origin->slots = scratch_zero(origin->scratch, (size_t)origin->mask + 1,
                                     sizeof(uint32_t));
        for (uint32_t i = 0; i < origin->ids.count; i++)
            *slot_of(origin, origin->ids.at[i]) = i + 1;
        slot = slot_of(origin, id);
    }
    numbers_add(origin->scratch, &origin->ids, id);
    *slot = origin->ids.count;
    return *slot - 1;
}

static uint32_t encode_scope(struct origin_out *origin,
                             const struct scope *scope)
{
    buf_reset(origin->value);
    scope_write(origin->value, scope, ATTR_FORM_BLOCK);
    return dict_add(&origin->scopes.dict, buf_slice(origin->value));
}

static struct scope_slot *known_slot(struct origin_out *origin,
                                     const struct scope *scope)
{
    uint32_t i = (uint32_t)(hash_mix((uintptr_t)scope, 0) & origin->known_mask);

    while (origin->known[i].scope && origin->known[i].scope != scope)
        i = (i + 1) & origin->known_mask;
    return &origin->known[i];
}

static void grow_known(struct origin_out *origin)
{
    struct scope_slot *old = origin->known;
    uint32_t slots = origin->known_mask + 1;

    origin->known_mask = 2 * slots - 1;
    origin->known =
        scratch_zero(origin->scratch, 2 * (size_t)slots, sizeof(*old));
    for (uint32_t i = 0; i < slots; i++)
        if (old[i].scope)
            *known_slot(origin, old[i].scope) = old[i];
}

uint32_t origin_scope(struct origin_out *origin, const struct scope *scope)
{
    struct scope_slot *slot;

    if (!scope)
        return 0;
    slot = known_slot(origin, scope);
    if (slot->scope)
        return slot->code;
    *slot = (struct scope_slot){scope, encode_scope(origin, scope)};
    if (2 * ++origin->known_count > origin->known_mask) {
        uint32_t code = slot->code;

        grow_known(origin);
        return code;
    }
    return slot->code;
}

uint32_t origin_resource(struct origin_out *origin, uint32_t resource_id)
{
    if (resource_id != origin->last_id) {
        origin->last_id = resource_id;
        origin->last_code = resource_code(origin, resource_id);
    }
    return origin->last_code;
}

void origin_add(struct origin_out *origin, uint32_t resource_id,
                const struct scope *scope)
{
    numbers_add(origin->scratch, &origin->resources,
                origin_resource(origin, resource_id));
    numbers_add(origin->scratch, &origin->scopes.codes,
                origin_scope(origin, scope));
}

void origin_put(struct origin_out *origin, struct block_out *out)
{
    block_out_ints(out, COL_RESOURCE_ID, origin->ids.at, origin->ids.count,
                   INTS_PLAIN);
    block_out_ints(out, COL_RESOURCE, origin->resources.at,
                   origin->resources.count, INTS_PLAIN);
    text_column_put(&origin->scopes, out, COL_SCOPE);
}

void origin_count(struct origin_out *origin, const uint64_t *levels)
{
    uint32_t id_count = origin->ids.count;

    origin->id_list =
        scratch_alloc(origin->scratch, id_count * sizeof(uint32_t));
    origin->counts = scratch_zero(
        origin->scratch, (size_t)id_count * LEVEL_COUNT, sizeof(uint32_t));
    for (uint32_t i = 0; i < id_count; i++)
        origin->id_list[i] = (uint32_t)origin->ids.at[i];
    for (uint32_t row = 0; row < origin->resources.count; row++)
        origin->counts[origin->resources.at[row] * LEVEL_COUNT +
                       (levels ? levels[row] : 0)]++;
}

void origin_summary(const struct origin_out *origin, enum block_type kind,
                    struct summary_out *summary, struct buf *out)
{
    summary_put(summary, kind, origin->id_list, origin->counts,
                origin->ids.count, origin->scratch, out);
}
