#include "ch_write.h"

#include <stdlib.h>

#include "array.h"
#include "ch_arrival.h"
#include "ch_attributes.h"

/* Bytes of one value's text, of a record's types, of a resource's attributes:
 * above what the bounds of a request allow. */
enum { TEXT_MAX = 1 << 30 };

static const struct ch_insert_def *const defs[CH_WRITE_TABLES] = {
    [CH_WRITE_SPANS] = &ch_spans_def,
    [CH_WRITE_TRACE_TIMES] = &ch_trace_times_def,
    [CH_WRITE_LOGS] = &ch_logs_def,
    [CH_WRITE_EVENTS] = &ch_events_def,
    [CH_WRITE_GAUGES] = &ch_gauges_def,
    [CH_WRITE_SUMS] = &ch_sums_def,
    [CH_WRITE_HISTOGRAMS] = &ch_histograms_def,
    [CH_WRITE_EXP_HISTOGRAMS] = &ch_exp_histograms_def,
    [CH_WRITE_SUMMARIES] = &ch_summaries_def,
    [CH_WRITE_SERIES] = &ch_series_def,
    [CH_WRITE_DEAD_LETTERS] = &ch_dead_letters_def,
    [CH_WRITE_CHECKPOINTS] = &ch_checkpoints_def,
};

/* ---- maps ---- */

static const struct attrs no_attrs;

static void pairs_init(struct ch_pairs *pairs)
{
    *pairs = (struct ch_pairs){.attrs = &no_attrs};
    buf_init(&pairs->types, TEXT_MAX);
}

static void pairs_release(struct ch_pairs *pairs)
{
    buf_release(&pairs->types);
    for (int i = 0; i < CH_NUMBERED; i++) {
        free(pairs->numbers[i].keys);
        free(pairs->numbers[i].values);
    }
}

static void pairs_set(struct ch_pairs *pairs, const struct attrs *attrs)
{
    buf_reset(&pairs->types);
    pairs->attrs = attrs ? attrs : &no_attrs;
    for (int i = 0; i < CH_NUMBERED; i++)
        pairs->numbers[i].map = NULL;
    ch_attributes_types(&pairs->types, pairs->attrs);
}

/* Finds its texts among those of the map. */
static void number_texts(struct ch_writer *writer, const struct attrs *attrs,
                         struct ch_column *map, struct ch_numbers *numbers)
{
    uint32_t count = attrs->count;

    array_reserve(&numbers->keys, count, &numbers->key_room);
    array_reserve(&numbers->values, count, &numbers->value_room);
    for (uint32_t i = 0; i < count; i++) {
        const struct attr *attr = &attrs->at[i];

        numbers->keys[i] = ch_text_number(ch_key(map), attr_key(attr));
        numbers->values[i] =
            ch_text_number(ch_value(map), ch_value_text(attr, &writer->text));
    }
    numbers->map = map;
    numbers->generation = ch_column_generation(map);
}

static const struct ch_numbers *numbers_in(struct ch_writer *writer,
                                           struct ch_pairs *pairs,
                                           struct ch_column *map)
{
    uint64_t generation = ch_column_generation(map);
    struct ch_numbers *numbers;

    for (uint32_t i = 0; i < CH_NUMBERED; i++)
        if (pairs->numbers[i].map == map &&
            pairs->numbers[i].generation == generation)
            return &pairs->numbers[i];
    numbers = &pairs->numbers[pairs->next++ % CH_NUMBERED];
    number_texts(writer, pairs->attrs, map, numbers);
    return numbers;
}

void ch_put_repeated(struct ch_writer *writer, struct ch_column *map,
                     struct ch_pairs *pairs)
{
    const struct ch_numbers *numbers = numbers_in(writer, pairs, map);

    ch_put_pairs(map, pairs->attrs->count, numbers->keys, numbers->values);
}

void ch_put_attrs(struct ch_writer *writer, struct ch_column *map,
                  const struct attrs *attrs)
{
    struct ch_column *keys = ch_key(map), *values = ch_value(map);

    for (uint32_t i = 0; i < attrs->count; i++) {
        ch_put_string(keys, attr_key(&attrs->at[i]));
        ch_put_string(values, ch_value_text(&attrs->at[i], &writer->text));
    }
    ch_end(map);
}

void ch_put_types(struct ch_writer *writer, struct ch_column *column,
                  const struct attrs *attrs)
{
    buf_reset(&writer->types);
    ch_attributes_types(&writer->types, attrs);
    ch_put_string(column, buf_slice(&writer->types));
}

/* ---- resources and scopes ---- */

/* As the exporter: the text of the value, whatever its type. */
static void set_service(struct ch_writer *writer, const struct attrs *attrs)
{
    const struct attr *name = attrs_find(attrs, SLICE("service.name"));

    if (name)
        buf_add(&writer->service, ch_value_text(name, &writer->text));
}

void ch_write_resource(struct ch_writer *writer,
                       const struct resource *resource)
{
    if (resource == writer->resource)
        return;
    writer->resource = resource;
    pairs_set(&writer->resource_pairs, resource ? &resource->attrs : NULL);
    buf_reset(&writer->service);
    if (resource)
        set_service(writer, &resource->attrs);
}

void ch_put_resource(struct ch_writer *writer, struct ch_column *service,
                     struct ch_column *attributes)
{
    ch_put_string(service, buf_slice(&writer->service));
    ch_put_repeated(writer, attributes, &writer->resource_pairs);
}

void ch_write_scope(struct ch_writer *writer, const struct scope *scope)
{
    if (scope == writer->scope)
        return;
    writer->scope = scope;
    pairs_set(&writer->scope_pairs, scope ? &scope->attrs : NULL);
}

/* ---- names ---- */

static const struct ch_named *name_resource(struct ch_writer *writer,
                                            uint32_t id)
{
    const struct store_resources *resources = writer->resources;
    struct ch_named named = {.id = id};

    if (!resources || !resources->describe ||
        !resources->describe(resources->arg, id, &writer->arena, &named.names))
        named.names = (struct resource_names){.key = 0};
    (void)map_add(&writer->named_index, map_hash_number(id),
                  writer->named_count);
    array_append(&writer->named, writer->named_count, &writer->named_room);
    writer->named[writer->named_count] = named;
    return &writer->named[writer->named_count++];
}

const struct resource_names *ch_names(struct ch_writer *writer, uint32_t id)
{
    map_each(&writer->named_index, map_hash_number(id), at)
        if (writer->named[at].id == id)
            return &writer->named[at].names;
    return &name_resource(writer, id)->names;
}

void ch_put_names(struct ch_column *const *columns,
                  const struct resource_names *names)
{
    for (int i = 0; i < IDENTITY_NAMES; i++)
        ch_put_string(columns[i], names->identity.text[i]);
    ch_put_uint(columns[IDENTITY_NAMES], names->key);
}

/* ---- the writer ---- */

void ch_writer_init(struct ch_writer *writer,
                    const struct store_resources *resources, uint32_t partition,
                    struct budget *budget)
{
    *writer =
        (struct ch_writer){.resources = resources, .partition = partition};
    for (int i = 0; i < CH_WRITE_TABLES; i++)
        ch_insert_init(&writer->inserts[i], defs[i], budget);
    buf_init(&writer->text, TEXT_MAX);
    buf_init(&writer->types, TEXT_MAX);
    buf_init(&writer->service, TEXT_MAX);
    arena_init(&writer->arena, NULL, TEXT_MAX);
    pairs_init(&writer->resource_pairs);
    pairs_init(&writer->scope_pairs);
}

void ch_writer_release(struct ch_writer *writer)
{
    for (int i = 0; i < CH_WRITE_TABLES; i++)
        ch_insert_release(&writer->inserts[i]);
    buf_release(&writer->text);
    buf_release(&writer->types);
    buf_release(&writer->service);
    arena_release(&writer->arena);
    pairs_release(&writer->resource_pairs);
    pairs_release(&writer->scope_pairs);
    map_release(&writer->named_index);
    map_release(&writer->trace_index);
    free(writer->named);
    free(writer->traces);
}

/* An entry of an array has two slots of a map. */
static size_t entries_size(uint32_t count, size_t size)
{
    return count * (size + 2 * sizeof(struct map_slot));
}

size_t ch_writer_kept(const struct ch_writer *writer)
{
    return arena_size(&writer->arena) +
           entries_size(writer->named_room, sizeof(*writer->named)) +
           entries_size(writer->trace_room, sizeof(*writer->traces));
}

uint64_t ch_writer_bytes(const struct ch_writer *writer)
{
    uint64_t bytes = ch_writer_kept(writer);

    for (int i = 0; i < CH_WRITE_TABLES; i++)
        bytes += ch_insert_bytes(&writer->inserts[i]);
    return bytes;
}

uint64_t ch_next_arrival(struct ch_writer *writer)
{
    return ch_arrival(writer->offset, writer->place++, writer->partition);
}

/* Batches that the correlator makes of a message have none of their own: their
 * records follow those of the message. */
static void set_position(struct ch_writer *writer, const struct batch *batch)
{
    if (!batch->source || batch->source->offset == writer->offset)
        return;
    writer->offset = batch->source->offset;
    writer->place = 0;
}

/* Of a row: columns of numbers and ids, names; numbers of a map's texts. */
enum { ROW_BYTES = 300, PAIR_BYTES = 8 };

uint64_t ch_row_weight(const struct ch_writer *writer)
{
    return ROW_BYTES + writer->share +
           PAIR_BYTES * (writer->resource_pairs.attrs->count +
                         writer->scope_pairs.attrs->count);
}

/* Another batch may have something else at the same address. */
static void forget(struct ch_writer *writer)
{
    writer->resource = NULL;
    writer->scope = NULL;
    writer->metric = NULL;
    buf_reset(&writer->service);
    pairs_set(&writer->resource_pairs, NULL);
    pairs_set(&writer->scope_pairs, NULL);
}

void ch_write_batch(struct ch_writer *writer, const struct batch *batch)
{
    set_position(writer, batch);
    forget(writer);
    writer->share = batch->count > 0 ? batch->body_len / batch->count : 0;
    if (batch->encoding == BATCH_DEAD_LETTER)
        ch_write_dead_letter(writer, batch);
    else if (batch->signal == SIGNAL_SPANS)
        ch_write_spans(writer, batch);
    else if (batch->signal == SIGNAL_LOGS)
        ch_write_logs(writer, batch);
    else if (batch->derived)
        ch_write_series(writer, batch);
    else
        ch_write_points(writer, batch);
}

void ch_write_end(struct ch_writer *writer)
{
    ch_write_trace_times(writer);
}
