/* See ch_retention.h. */
#include "ch_retention.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "clock.h"

enum {
    MAX_STATEMENT = 64 << 10,
    MAX_TABLES = 32,
    MAX_NAME = 64,
    STATEMENT_S = 200
};

struct day {
    char id[MAX_NAME]; /* of the partition: its date */
    const struct ch_table *table;
    uint64_t bytes;
};

struct retention_run {
    struct ch_reader *reader;
    const struct ch_retention *retention;
    struct ch_retention_done *done;
    struct slice name, id; /* of the row that is read */
    uint64_t number;
    uint64_t ages_s[MAX_TABLES]; /* TTL of each table; 0: none */
    bool there[MAX_TABLES];
    struct day *days; /* the oldest first */
    uint32_t day_count, day_room;
    uint64_t bytes; /* of all tables */
};

static const struct ch_table *find_table(struct slice name, size_t *index)
{
    for (size_t i = 0; i < ch_table_count; i++)
        if (slice_equal(name, slice_of(ch_tables[i].name))) {
            *index = i;
            return &ch_tables[i];
        }
    return NULL;
}

/* ---- statements ---- */

static enum status execute(struct retention_run *r, struct buf *statement)
{
    static const struct ch_setting any_size = {"max_partition_size_to_drop",
                                               {"0", 1}}; /* by default 50 GB */
    const struct ch_request request = {.sql = buf_slice(statement),
                                       .writes = true,
                                       .settings = &any_size,
                                       .setting_count = 1,
                                       .deadline_ns = clock_monotonic_ns() +
                                                      STATEMENT_S * NS_PER_S,
                                       .cancelled = r->reader->cancelled};
    enum status status = statement->status;

    if (status == OK)
        status = ch_run(r->reader->client, &request, &r->reader->error);
    buf_release(statement);
    return status;
}

static void begin_alter(struct buf *statement,
                        const struct ch_schema_options *options,
                        const char *table)
{
    buf_init(statement, MAX_STATEMENT);
    buf_format(statement, "ALTER TABLE ");
    ch_schema_place(statement, options, table);
}

/* ---- age ---- */

static void decode_age(void *arg, struct byte_reader *in)
{
    struct retention_run *r = arg;

    r->name = ch_read_string(in);
    r->number = ch_read_u64(in);
}

static enum status take_age(void *arg)
{
    struct retention_run *r = arg;
    size_t index;

    if (find_table(r->name, &index)) {
        r->ages_s[index] = r->number;
        r->there[index] = true;
    }
    return OK;
}

static enum status read_ages(struct retention_run *r)
{
    struct ch_rows rows = {.decode = decode_age, .take = take_age, .arg = r};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT name, toUInt64OrZero(extract(engine_full, "
                 "'TTL .*toIntervalSecond\\\\((\\\\d+)\\\\)')) FROM "
                 "system.tables WHERE database = currentDatabase()");
    status = ch_select(r->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

static enum status set_age(struct retention_run *r,
                           const struct ch_table *table)
{
    const struct ch_schema_options *options = &r->retention->schema;
    struct buf statement;

    begin_alter(&statement, options, table->name);
    if (ch_schema_age_s(options, table) > 0) {
        buf_format(&statement, " MODIFY TTL ");
        ch_schema_ttl(&statement, options, table);
    } else {
        buf_format(&statement, " REMOVE TTL");
    }
    r->done->ttls++;
    return execute(r, &statement);
}

static enum status keep_ages(struct retention_run *r)
{
    enum status status = read_ages(r);

    for (size_t i = 0; status == OK && i < ch_table_count; i++)
        if (r->there[i] &&
            r->ages_s[i] !=
                ch_schema_age_s(&r->retention->schema, &ch_tables[i]))
            status = set_age(r, &ch_tables[i]);
    return status;
}

/* ---- size ---- */

static void decode_day(void *arg, struct byte_reader *in)
{
    struct retention_run *r = arg;

    r->name = ch_read_string(in);
    r->id = ch_read_string(in);
    r->number = ch_read_u64(in);
}

static enum status take_day(void *arg)
{
    struct retention_run *r = arg;
    size_t index;
    const struct ch_table *table = find_table(r->name, &index);
    struct day *day;

    r->bytes += r->number;
    if (!table || !table->partition || table->signal == SIGNAL_COUNT ||
        r->id.len >= MAX_NAME)
        return OK;
    day = array_append(&r->days, r->day_count, &r->day_room);
    memcpy(day->id, r->id.ptr, r->id.len);
    day->id[r->id.len] = '\0';
    day->table = table;
    day->bytes = r->number;
    r->day_count++;
    return OK;
}

static enum status read_days(struct retention_run *r)
{
    struct ch_rows rows = {.decode = decode_day, .take = take_day, .arg = r};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT table, partition_id, sum(bytes_on_disk) FROM "
                 "system.parts WHERE database = currentDatabase() AND active "
                 "GROUP BY table, partition_id ORDER BY partition_id, table");
    status = ch_select(r->reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

/* Replicas drop it by themselves. */
static enum status drop_day(struct retention_run *r, const struct day *day)
{
    struct ch_schema_options here = r->retention->schema;
    struct buf statement;

    here.cluster = NULL;
    begin_alter(&statement, &here, day->table->name);
    buf_format(&statement, " DROP PARTITION ID '%s'", day->id);
    r->done->partitions++;
    r->done->bytes += day->bytes;
    r->bytes -= day->bytes;
    return execute(r, &statement);
}

static enum status keep_size(struct retention_run *r)
{
    enum status status = read_days(r);
    const char *newest = r->day_count ? r->days[r->day_count - 1].id : "";

    for (uint32_t i = 0;
         status == OK && i < r->day_count && r->bytes > r->retention->max_bytes;
         i++) {
        if (strcmp(r->days[i].id, newest) == 0)
            break;
        status = drop_day(r, &r->days[i]);
    }
    r->done->too_much = r->bytes > r->retention->max_bytes;
    return status;
}

/* ---- checkpoints ---- */

static void decode_count(void *arg, struct byte_reader *in)
{
    ((struct retention_run *)arg)->number = ch_read_u64(in);
}

static enum status take_count(void *arg)
{
    (void)arg;
    return OK;
}

/* A day old, and not among the last hundred of their partition. */
#define OLD_CHECKPOINTS                                                      \
    "callboard_checkpoints WHERE InsertedAt < now() - toIntervalDay(1) AND " \
    "(Topic, Partition, Offset) NOT IN (SELECT Topic, Partition, Offset "    \
    "FROM callboard_checkpoints ORDER BY Topic, Partition, Offset DESC "     \
    "LIMIT 100 BY Topic, Partition)"

static enum status drop_checkpoints(struct retention_run *r)
{
    struct ch_rows rows = {
        .decode = decode_count, .take = take_count, .arg = r};
    struct ch_sql sql;
    struct buf statement;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT count() FROM " OLD_CHECKPOINTS);
    status = ch_select(r->reader, &sql, &rows);
    ch_sql_release(&sql);
    if (status != OK || r->number == 0)
        return status;
    buf_init(&statement, MAX_STATEMENT);
    buf_format(&statement, "DELETE FROM " OLD_CHECKPOINTS);
    return execute(r, &statement);
}

enum status ch_retention_run(struct ch_reader *reader,
                             const struct ch_retention *retention,
                             struct ch_retention_done *done)
{
    struct retention_run r = {
        .reader = reader, .retention = retention, .done = done};
    enum status status;

    *done = (struct ch_retention_done){0};
    status = keep_ages(&r);
    if (status == OK && retention->max_bytes > 0)
        status = keep_size(&r);
    if (status == OK)
        status = drop_checkpoints(&r);
    free(r.days);
    return status;
}
