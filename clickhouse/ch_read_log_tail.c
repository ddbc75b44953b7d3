/*
 * The order of arrival over all instances: the time at which ClickHouse began
 * to insert a record, a nanosecond later for each further one of the block
 * (InsertedAt). Records are seen when the insert is done, so a tail ends a
 * little before now: what is inserted meanwhile comes next time. An insert that
 * takes longer than SETTLE_NS may be passed over by a tail that is read at that
 * moment; other queries find it.
 */
#include "ch_log_page.h"
#include "clickhouse_int.h"
#include "hash.h"

#define SETTLE_NS (2 * NS_PER_S)

static void decode_now(void *arg, struct byte_reader *in)
{
    *(uint64_t *)arg = ch_read_time64(in);
}

static enum status take_now(void *arg)
{
    (void)arg;
    return OK;
}

enum status ch_log_tail(struct ch_reader *reader, struct log_tail *now)
{
    struct slice database = slice_of(ch_client_database(reader->client));
    uint64_t now_ns = 0;
    struct ch_rows rows = {
        .decode = decode_now, .take = take_now, .arg = &now_ns};
    struct ch_sql sql;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT now64(9)");
    enum status status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    if (status != OK)
        return status;
    if (reader->engine)
        atomic_store_explicit(&reader->engine->clock_difference_ns,
                              (int64_t)(now_ns - clock_wall_ns()),
                              memory_order_relaxed);
    reader->tail_ns = now_ns > SETTLE_NS ? now_ns - SETTLE_NS : 1;
    *now = (struct log_tail){
        .arrival = reader->tail_ns,
        .store = (uint32_t)hash_bytes(database.ptr, database.len, 0)};
    return OK;
}

enum status ch_log_tail_end(struct ch_reader *reader, uint64_t *end_ns)
{
    struct log_tail now;
    enum status status = OK;

    if (reader->tail_ns == 0)
        status = ch_log_tail(reader, &now);
    *end_ns = reader->tail_ns;
    return status;
}

uint64_t ch_last_log_lsn(const struct clickhouse *engine)
{
    int64_t difference = atomic_load_explicit(&engine->clock_difference_ns,
                                              memory_order_relaxed);
    uint64_t now_ns = clock_wall_ns() + (uint64_t)difference;

    return (now_ns / NS_PER_S * NS_PER_S - SETTLE_NS) >> ARRIVAL_BITS;
}
