/*
 * Dead letters, page by page, from the newest. They are few and read by
 * people: no view is needed, and one that is still to be committed shows up
 * with the next question.
 */
#include "reader.h"

static enum status count_letters(struct reader *reader,
                                 const struct dead_letter_query *query,
                                 uint64_t *total)
{
    struct db_stmt s = stmt_start(reader->db, SQL_LETTER_COUNT);

    stmt_text(&s, query->topic);
    stmt_int(&s, (uint64_t)query->partition);
    if (stmt_row(&s))
        *total = stmt_get_int(&s, 0);
    return stmt_end(&s);
}

static void read_letter(struct db_stmt *s, struct arena *arena,
                        struct dead_letter_row *letter)
{
    *letter = (struct dead_letter_row){
        .id = stmt_get_int(s, 0),
        .topic = arena_copy(arena, stmt_get_bytes(s, 1)),
        .partition = (uint32_t)stmt_get_int(s, 2),
        .offset = stmt_get_int(s, 3),
        .received_ns = stmt_get_int(s, 4),
        .time_ms = stmt_get_int(s, 5),
        .reason = arena_copy(arena, stmt_get_bytes(s, 6)),
        .size = stmt_get_int(s, 7),
        .bytes = arena_copy(arena, stmt_get_bytes(s, 8)),
    };
}

enum status reader_query_dead_letters(struct reader *reader,
                                      const struct dead_letter_query *query,
                                      struct arena *arena,
                                      struct dead_letter_row **letters,
                                      uint32_t *count, uint64_t *total)
{
    struct dead_letter_row *found =
        arena_zero(arena, query->limit, sizeof(*found));
    uint32_t n = 0;
    enum status status = count_letters(reader, query, total);

    if (status != OK || !found)
        return status != OK ? status : arena_status(arena);
    struct db_stmt s = stmt_start(reader->db, SQL_LETTERS);

    stmt_text(&s, query->topic);
    stmt_int(&s, (uint64_t)query->partition);
    stmt_int(&s, query->before ? query->before : INT64_MAX);
    stmt_int(&s, query->limit);
    stmt_int(&s, query->max_bytes);
    while (n < query->limit && stmt_row(&s))
        read_letter(&s, arena, &found[n++]);
    status = stmt_end(&s);
    if (status == OK)
        status = arena_status(arena);
    if (status == OK) {
        *letters = found;
        *count = n;
    }
    return status;
}
