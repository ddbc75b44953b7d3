/*
 * Messages that could not be decoded. The same message may be in several rows,
 * as it was read again by whoever took its partition over: their ids are equal,
 * and one of them is shown.
 */
#include "ch_read_dead_letters.h"

struct letters {
    struct dead_letter_row row, *at;
    uint32_t count, limit;
    uint64_t total;
    struct arena *arena;
};

static void decode_letter(void *arg, struct byte_reader *in)
{
    struct dead_letter_row *row = &((struct letters *)arg)->row;

    row->id = ch_read_u64(in);
    row->topic = ch_read_string(in);
    row->partition = ch_read_u32(in);
    row->offset = ch_read_u64(in);
    row->received_ns = ch_read_time64(in);
    row->time_ms = (uint64_t)ch_read_i64(in);
    row->reason = ch_read_string(in);
    row->size = ch_read_u64(in);
    row->bytes = ch_read_string(in);
}

static enum status take_letter(void *arg)
{
    struct letters *letters = arg;
    struct dead_letter_row *to;

    if (letters->count == letters->limit)
        return OK;
    to = &letters->at[letters->count++];
    *to = letters->row;
    to->topic = arena_copy(letters->arena, to->topic);
    to->reason = arena_copy(letters->arena, to->reason);
    to->bytes = arena_copy(letters->arena, to->bytes);
    return arena_status(letters->arena);
}

static void decode_total(void *arg, struct byte_reader *in)
{
    ((struct letters *)arg)->total = ch_read_u64(in);
}

static enum status take_total(void *arg)
{
    (void)arg;
    return OK;
}

static void add_where(struct ch_sql *sql, const struct dead_letter_query *query)
{
    CH_SQL(sql, " FROM callboard_dead_letters WHERE 1");
    if (query->topic.len > 0)
        CH_SQL_WITH(sql, " AND Topic = ?", CH_STR(query->topic));
    if (query->partition >= 0)
        CH_SQL_WITH(sql, " AND Partition = ?", CH_INT(query->partition));
}

static enum status count_letters(struct ch_reader *reader,
                                 const struct dead_letter_query *query,
                                 struct letters *letters)
{
    struct ch_rows rows = {
        .decode = decode_total, .take = take_total, .arg = letters};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT uniqExact(Id)");
    add_where(&sql, query);
    status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    return status;
}

enum status ch_query_dead_letters(struct ch_reader *reader,
                                  const struct dead_letter_query *query,
                                  struct arena *arena,
                                  struct dead_letter_row **out, uint32_t *count,
                                  uint64_t *total)
{
    struct letters letters = {.arena = arena, .limit = query->limit};
    struct ch_rows rows = {
        .decode = decode_letter, .take = take_letter, .arg = &letters};
    struct ch_sql sql;
    enum status status = count_letters(reader, query, &letters);

    if (status != OK)
        return status;
    letters.at = arena_zero(arena, query->limit, sizeof(*letters.at));
    if (!letters.at)
        return arena_status(arena);
    ch_sql_init(&sql);
    CH_SQL_WITH(&sql,
                "SELECT Id, Topic, Partition, Offset, ReceivedAt, MessageTime, "
                "Reason, Size, substring(Bytes, 1, ?)",
                CH_UINT(query->max_bytes));
    add_where(&sql, query);
    if (query->before > 0)
        CH_SQL_WITH(&sql, " AND Id < ?", CH_UINT(query->before));
    CH_SQL_WITH(&sql, " ORDER BY Id DESC LIMIT 1 BY Id LIMIT ?",
                CH_UINT(query->limit));
    status = ch_select(reader, &sql, &rows);
    ch_sql_release(&sql);
    *out = letters.at;
    *count = letters.count;
    *total = letters.total;
    return status;
}
