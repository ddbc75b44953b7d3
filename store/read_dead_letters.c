/*
 * Dead letters, page by page, from the newest. They are few and read by people:
 * no view is needed, and one that is not committed yet appears in the next
 * answer.
 */
#include "reader.h"

static struct dead_letter_row read_letter(struct db_stmt *s,
                                          struct arena *arena)
{
    return (struct dead_letter_row){
        .id = stmt_int(s, 0),
        .topic = arena_copy(arena, stmt_bytes(s, 1)),
        .partition = (uint32_t)stmt_int(s, 2),
        .offset = stmt_int(s, 3),
        .received_ns = stmt_int(s, 4),
        .time_ms = stmt_int(s, 5),
        .reason = arena_copy(arena, stmt_bytes(s, 6)),
        .size = stmt_int(s, 7),
        .bytes = arena_copy(arena, stmt_bytes(s, 8)),
    };
}

enum status embedded_query_dead_letters(struct reader *reader,
                                        const struct dead_letter_query *query,
                                        struct arena *arena,
                                        struct dead_letter_row **letters,
                                        uint32_t *count, uint64_t *total)
{
    uint64_t partition = (uint64_t)query->partition;
    struct db_stmt s = db_query(reader->db, SQL_LETTER_COUNT,
                                db_text(query->topic), db_int(partition));

    if (stmt_row(&s))
        *total = stmt_int(&s, 0);
    enum status status = stmt_end(&s);
    *count = 0;
    *letters = arena_zero(arena, query->limit, sizeof(**letters));
    if (status != OK || !*letters)
        return status != OK ? status : arena_status(arena);
    s = db_query(reader->db, SQL_LETTERS, db_text(query->topic),
                 db_int(partition),
                 db_int(query->before ? query->before : INT64_MAX),
                 db_int(query->limit), db_int(query->max_bytes));
    while (*count < query->limit && stmt_row(&s))
        (*letters)[(*count)++] = read_letter(&s, arena);
    return stmt_end_with(&s, arena_status(arena));
}
