/*
 * A page of table `block` has hundreds of rows, each of them the only way to a
 * block whose columns may be whole: these are read and written again, with a
 * row and a summary. What is left of the old ones goes with the rest of what
 * does not agree (repair_rows.c).
 *
 * A resource of which nothing is known but that records have it gets a row
 * without attributes, or the next new resource would get its number, and its
 * records.
 */
#include "block.h"
#include "block_compaction.h"
#include "repair.h"

enum { MEMORY = 128 << 20, KIND_AT = 5, KIND_OF_SPANS = 1 };
enum { RESOURCES_MAX = 1 << 24 };

static enum status write_again(struct db *db, struct block_encoder *encoder,
                               uint64_t id, struct slice data)
{
    struct record_list rows = {.at = NULL};
    bool spans = data.len > KIND_AT && data.ptr[KIND_AT] == KIND_OF_SPANS;
    enum block_kind kind = spans ? KIND_SPANS : KIND_LOGS;

    arena_init(&rows.memory, NULL, MEMORY);
    enum status status = record_list_add(&rows, kind, id, data);
    if (status == OK && rows.count > 0) {
        if (!spans && ((const struct log_record *)rows.at[0])->is_event)
            kind = KIND_EVENTS;
        status =
            block_encoder_rewrite(encoder, db, kind, 0, rows.at, rows.count);
    } else {
        status = OK; /* lost */
    }
    record_list_release(&rows);
    return status;
}

static enum status find_orphans(struct db *db, struct block_encoder *encoder)
{
    /* A row beyond all numbers, so that new blocks get theirs beyond it; it
     * goes with what does not agree. */
    enum status status = db_run(db, SQL_ORPHAN_FLOOR);
    uint64_t id = 0;
    bool more = true;

    while (more && status == OK) {
        struct db_stmt s = stmt_start(db, SQL_ORPHAN_NEXT);

        stmt_int(&s, id);
        more = stmt_row(&s);
        if (more) {
            id = stmt_get_int(&s, 0);
            status = write_again(db, encoder, id, stmt_get_bytes(&s, 1));
        }
        enum status end = stmt_end(&s);
        status = end != OK ? end : status;
    }
    return status;
}

static enum status keep_numbers(struct db *db)
{
    struct db_stmt s = stmt_start(db, SQL_SUMMARY_ALL);
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *met = bitmap_new(&arena, RESOURCES_MAX);
    while (stmt_row(&s))
        /* A damaged one tells nothing. */
        (void)!summary_resources(stmt_get_bytes(&s, 0), met);

    enum status status = stmt_end(&s);
    for (uint32_t id = 0; id < RESOURCES_MAX && status == OK; id++) {
        if (!bitmap_has(met, id))
            continue;
        s = stmt_start(db, SQL_RESOURCE_NOBODY);
        stmt_int(&s, id);
        status = stmt_run(&s);
    }
    arena_release(&arena);
    return status;
}

enum status repair_blocks(struct db *db)
{
    struct block_encoder *encoder = block_encoder_new();
    enum status status = find_orphans(db, encoder);

    block_encoder_free(encoder);
    return status == OK ? keep_numbers(db) : status;
}
