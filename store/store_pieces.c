/* See store_pieces.h. Records in memory belong to no piece: a cold store has
 * none. */
#include "store_pieces.h"

#include "array.h"
#include "block_cursor.h"
#include "clock.h"
#include "embedded.h"
#include "series.h"

struct piece_list {
    struct arena *arena;
    struct store_piece *at;
    uint32_t count, room;
};

static enum status add_piece(struct piece_list *list, enum piece_kind kind,
                             uint64_t id)
{
    struct store_piece *piece =
        arena_append(list->arena, &list->at, list->count, &list->room);

    if (!piece)
        return arena_status(list->arena);
    *piece = (struct store_piece){kind, id};
    list->count++;
    return OK;
}

static enum status list_blocks(struct reader *reader, struct piece_list *list,
                               enum piece_kind kind)
{
    struct db_stmt s = db_query_all(reader->db, SQL_BLOCK_KINDS);
    enum status status = OK;

    while (status == OK && stmt_row(&s))
        if ((stmt_int(&s, 1) == KIND_SPANS) == (kind == PIECE_SPANS))
            status = add_piece(list, kind, stmt_int(&s, 0));
    return stmt_end_with(&s, status);
}

static enum status list_hours(struct reader *reader, struct piece_list *list)
{
    struct db_stmt s = db_query_all(reader->db, SQL_HOURS);
    enum status status = OK;

    while (status == OK && stmt_row(&s))
        status = add_piece(list, PIECE_POINTS, stmt_int(&s, 0));
    return stmt_end_with(&s, status);
}

enum status reader_list_pieces(struct reader *reader, struct arena *arena,
                               struct store_piece **pieces, uint32_t *count)
{
    struct piece_list list = {.arena = arena};
    enum status status = ERR_UNSUPPORTED;

    if (embedded_has(reader))
        status = list_blocks(reader, &list, PIECE_SPANS);
    if (status == OK)
        status = list_blocks(reader, &list, PIECE_LOGS);
    if (status == OK)
        status = list_hours(reader, &list);
    *pieces = list.at;
    *count = list.count;
    return status;
}

static enum status read_spans(struct reader *reader, struct block *block,
                              const struct piece_visitor *visitor)
{
    uint32_t count = block_count(block);
    struct span *spans = arena_zero(&reader->scratch, count, sizeof(*spans));
    enum status status = spans ? OK : arena_status(&reader->scratch);

    for (uint32_t i = 0; status == OK && i < count; i++)
        status = block_read_span(block, i, true, &spans[i]);
    return status == OK ? visitor->spans(visitor->arg, spans, count) : status;
}

static enum status read_logs(struct reader *reader, struct block *block,
                             const struct piece_visitor *visitor)
{
    uint32_t count = block_count(block);
    struct log_record *logs =
        arena_zero(&reader->scratch, count, sizeof(*logs));
    enum status status = logs ? OK : arena_status(&reader->scratch);

    for (uint32_t i = 0; status == OK && i < count; i++)
        status = block_read_log(block, i, &logs[i]);
    return status == OK ? visitor->logs(visitor->arg, logs, count) : status;
}

static enum status visit_hour(struct reader *reader, uint64_t hour,
                              const struct bitmap *resources,
                              const struct piece_visitor *visitor)
{
    const struct series_query query = {.start_ns =
                                           hour ? hour * NS_PER_HOUR - 1 : 0,
                                       .end_ns = (hour + 1) * NS_PER_HOUR - 1,
                                       .resources = resources};

    return reader_query_series(reader, &query, visitor->point, visitor->arg);
}

enum status reader_visit_piece(struct reader *reader,
                               const struct store_piece *piece,
                               const struct bitmap *resources,
                               const struct piece_visitor *visitor)
{
    struct open_block open;
    enum status status;

    if (piece->kind == PIECE_POINTS)
        return visit_hour(reader, piece->id, resources, visitor);
    status = block_cursor_open(reader, piece->id, &open);
    if (status == OK) {
        status = piece->kind == PIECE_SPANS
                     ? read_spans(reader, open.block, visitor)
                     : read_logs(reader, open.block, visitor);
        block_cursor_close(reader, &open);
    }
    return block_is_damaged(status) ? OK : status;
}
