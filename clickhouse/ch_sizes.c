/* See ch_sizes.h. Of a cluster it is what one server has: each has all. */
#include "ch_sizes.h"

#include "ch_schema_tables.h"

struct table_size {
    struct store_sizes *sizes;
    struct slice table;
    uint64_t rows, bytes, parts;
};

static void decode_size(void *arg, struct byte_reader *in)
{
    struct table_size *size = arg;

    size->table = ch_read_string(in);
    size->rows = ch_read_u64(in);
    size->bytes = ch_read_u64(in);
    size->parts = ch_read_u64(in);
}

static enum status take_size(void *arg)
{
    const struct table_size *size = arg;

    for (size_t i = 0; i < ch_table_count; i++) {
        const struct ch_table *table = &ch_tables[i];

        if (!slice_equal(size->table, slice_of(table->name)) ||
            table->stream >= STREAM_COUNT)
            continue;
        size->sizes->bytes[table->stream] += size->bytes;
        size->sizes->blocks[table->stream] += size->parts;
        if (!table->lookup)
            size->sizes->records[table->stream] += size->rows;
    }
    return OK;
}

enum status ch_read_sizes(struct ch_reader *reader, struct store_sizes *sizes)
{
    struct table_size size = {.sizes = sizes};
    struct ch_rows rows = {
        .decode = decode_size, .take = take_size, .arg = &size};
    struct ch_sql sql;
    enum status status;

    *sizes = (struct store_sizes){0};
    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT table, sum(rows), sum(bytes_on_disk), count() FROM "
                 "system.parts WHERE database = currentDatabase() AND active "
                 "GROUP BY table");
    status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}
