/*
 * A page of table `block` has hundreds of rows, each of them the only way to a
 * block whose columns may be whole: these are decoded and written again, with a
 * row and a summary. What is left of the old ones is removed with all that does
 * not agree (repair_rows.c).
 *
 * A resource that only records refer to gets a row without attributes, or the
 * next new resource would get its number, and its records.
 */
#include "block_encoder.h"
#include "record_list.h"
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

static enum status rewrite_orphans(struct db *db, struct block_encoder *encoder)
{
    /* A row beyond all numbers, so that new blocks get higher ones; it is
     * removed with all that does not agree. */
    enum status status = db_run(db, SQL_ORPHAN_FLOOR);
    uint64_t id = 0;
    bool more = true;

    while (more && status == OK) {
        struct db_stmt s = db_query(db, SQL_ORPHAN_NEXT, db_int(id));

        more = stmt_row(&s);
        if (more) {
            id = stmt_int(&s, 0);
            status = write_again(db, encoder, id, stmt_bytes(&s, 1));
        }
        status = stmt_end_with(&s, status);
    }
    return status;
}

static enum status keep_resource_ids(struct db *db)
{
    struct db_stmt s = db_query_all(db, SQL_SUMMARY_ALL);
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    struct bitmap *met = bitmap_new(&arena, RESOURCES_MAX);
    while (stmt_row(&s)) /* a damaged one adds nothing */
        (void)!summary_resources(stmt_bytes(&s, 0), met);

    enum status status = stmt_end(&s);
    for (uint32_t id = 0; id < RESOURCES_MAX && status == OK; id++)
        if (bitmap_has(met, id))
            status = db_exec(db, SQL_RESOURCE_NOBODY, db_int(id));
    arena_release(&arena);
    return status;
}

enum status repair_blocks(struct db *db)
{
    struct block_encoder *encoder = block_encoder_new();
    enum status status = rewrite_orphans(db, encoder);

    block_encoder_free(encoder);
    return status == OK ? keep_resource_ids(db) : status;
}
