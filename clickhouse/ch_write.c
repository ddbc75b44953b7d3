#include "ch_write.h"

#include <stdlib.h>

#include "array.h"
#include "ch_arrival.h"
#include "ch_attributes.h"

/* Bytes of one value's text, of a record's types: above what the bounds of a
 * request allow. */
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

/* ---- the origin ---- */

/* As the exporter: the text of the value, whatever its type. */
static void put_service(struct ch_writer *writer, struct ch_column *column,
                        const struct attrs *attrs)
{
    const struct attr *name = attrs_find(attrs, SLICE("service.name"));

    if (name)
        ch_put_string(column, ch_value_text(name, &writer->text));
}

static void put_resource(struct ch_writer *writer, struct ch_column **c,
                         const struct ch_origin_columns *at,
                         const struct resource *resource)
{
    put_service(writer, c[at->service], &resource->attrs);
    ch_put_attrs(writer, c[at->resource_attributes], &resource->attrs);
    if (at->resource_schema_url)
        ch_put_string(c[at->resource_schema_url], resource->schema_url);
}

static void put_scope(struct ch_writer *writer, struct ch_column **c,
                      const struct ch_origin_columns *at,
                      const struct scope *scope)
{
    ch_put_string(c[at->scope_name], scope->name);
    ch_put_string(c[at->scope_version], scope->version);
    ch_put_string(c[at->scope_schema_url], scope->schema_url);
    ch_put_attrs(writer, c[at->scope_attributes], &scope->attrs);
    ch_put_types(writer, c[at->scope_types], &scope->attrs);
    if (at->scope_dropped)
        ch_put_uint(c[at->scope_dropped], scope->attrs.dropped);
}

static void repeat_resource(struct ch_column **c,
                            const struct ch_origin_columns *at)
{
    ch_put_again(c[at->service]);
    ch_put_again(c[at->resource_attributes]);
    if (at->resource_schema_url)
        ch_put_again(c[at->resource_schema_url]);
}

static void repeat_scope(struct ch_column **c,
                         const struct ch_origin_columns *at)
{
    ch_put_again(c[at->scope_name]);
    ch_put_again(c[at->scope_version]);
    ch_put_again(c[at->scope_schema_url]);
    ch_put_again(c[at->scope_attributes]);
    ch_put_again(c[at->scope_types]);
    if (at->scope_dropped)
        ch_put_again(c[at->scope_dropped]);
}

static uint32_t pairs_of(const struct ch_origin *origin)
{
    return (origin->resource ? origin->resource->attrs.count : 0) +
           (origin->scope ? origin->scope->attrs.count : 0);
}

void ch_put_origin(struct ch_writer *writer, enum ch_write_table table,
                   const struct ch_origin_columns *columns,
                   const struct ch_origin *origin)
{
    struct ch_insert *insert = &writer->inserts[table];
    struct ch_column **c = ch_insert_columns(insert);
    const struct ch_origin *before = &writer->before[table];
    /* A frame that was begun since has no row to repeat. */
    bool any = writer->has_before[table] && ch_native_rows(insert->native) > 0;

    if (any && before->resource == origin->resource)
        repeat_resource(c, columns);
    else if (origin->resource)
        put_resource(writer, c, columns, origin->resource);
    if (any && before->scope == origin->scope)
        repeat_scope(c, columns);
    else if (origin->scope)
        put_scope(writer, c, columns, origin->scope);
    if (any && before->resource_id == origin->resource_id)
        for (int i = 0; i < CH_NAME_COLUMNS; i++)
            ch_put_again(c[columns->names + i]);
    else
        ch_put_names(c + columns->names, ch_names(writer, origin->resource_id));
    writer->before[table] = *origin;
    writer->has_before[table] = true;
    writer->pairs = pairs_of(origin);
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
    arena_init(&writer->arena, NULL, TEXT_MAX);
}

void ch_writer_release(struct ch_writer *writer)
{
    for (int i = 0; i < CH_WRITE_TABLES; i++)
        ch_insert_release(&writer->inserts[i]);
    buf_release(&writer->text);
    buf_release(&writer->types);
    arena_release(&writer->arena);
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
    return ROW_BYTES + writer->share + PAIR_BYTES * writer->pairs;
}

/* Another batch may have something else at the same address. */
static void forget(struct ch_writer *writer)
{
    memset(writer->has_before, 0, sizeof(writer->has_before));
    writer->metric = NULL;
    writer->pairs = 0;
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
