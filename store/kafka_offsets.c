/*
 * A row per partition, in the order in which they were met; there are some
 * hundred at most, and one is looked up per batch. next is what was noted
 * last, saved what the database has.
 *
 * A later batch of a partition replaces the offset of an earlier one even if it
 * is smaller: batches come in the order of the journal, and a partition that
 * was created anew starts at zero.
 *
 * pending_lsn is the lsn of the first batch noted since the last commit; while
 * a commit is in progress, of the first that is in it, and pending_after of the
 * first that is not.
 */
#include "kafka_offsets.h"

#include <stdlib.h>

#include "array.h"
#include "dead_letter.h"
#include "mem.h"

/* What table dead_letter holds at most: the newest. */
enum { LETTER_ROWS = 10000, LETTER_BYTES = 64 << 20 };

struct kafka_offset_row {
    struct slice topic; /* owned by the table, from malloc */
    uint32_t partition;
    uint64_t next, saved;
    size_t at; /* in the table; for copies */
};

struct kafka_offsets {
    struct kafka_offset_row *rows;
    uint32_t count, room;
    struct batch *first, *last; /* letters, oldest first */
    uint32_t letters;
    uint64_t pending_lsn, pending_after;
    bool committing;
};

struct kafka_offsets *kafka_offsets_new(void)
{
    struct kafka_offsets *offsets = mem_zero(1, sizeof(*offsets));

    offsets->pending_lsn = offsets->pending_after = UINT64_MAX;
    return offsets;
}

void kafka_offsets_free(struct kafka_offsets *offsets)
{
    if (!offsets)
        return;
    for (size_t i = 0; i < offsets->count; i++)
        free((void *)(uintptr_t)offsets->rows[i].topic.ptr);
    free(offsets->rows);
    while (offsets->first) {
        struct batch *next = offsets->first->next;

        batch_free(offsets->first);
        offsets->first = next;
    }
    free(offsets);
}

static struct kafka_offset_row *find_offset(const struct kafka_offsets *offsets,
                                            struct slice topic,
                                            uint32_t partition)
{
    for (size_t i = 0; i < offsets->count; i++)
        if (offsets->rows[i].partition == partition &&
            slice_equal(offsets->rows[i].topic, topic))
            return &offsets->rows[i];
    return NULL;
}

static struct kafka_offset_row *add(struct kafka_offsets *offsets,
                                    struct slice topic, uint32_t partition)
{
    struct kafka_offset_row *row;

    row = array_append(&offsets->rows, offsets->count, &offsets->room);
    *row = (struct kafka_offset_row){
        .topic = {mem_copy(topic.ptr, topic.len), topic.len},
        .partition = partition,
        .saved = UINT64_MAX,
        .at = offsets->count++};
    return row;
}

enum status kafka_offsets_load(struct kafka_offsets *offsets, struct db *db)
{
    struct db_stmt s = db_query_all(db, SQL_OFFSETS);

    while (stmt_row(&s)) {
        struct kafka_offset_row *row =
            add(offsets, stmt_bytes(&s, 0), (uint32_t)stmt_int(&s, 1));

        row->next = row->saved = stmt_int(&s, 2);
    }
    return stmt_end(&s);
}

static void note_pending(struct kafka_offsets *offsets, uint64_t lsn)
{
    uint64_t *pending =
        offsets->committing ? &offsets->pending_after : &offsets->pending_lsn;

    if (lsn < *pending)
        *pending = lsn;
}

void kafka_offsets_note(struct kafka_offsets *offsets,
                        const struct batch *batch)
{
    const struct source_offset *source = batch->source;
    struct kafka_offset_row *row;

    if (!source)
        return;
    row = find_offset(offsets, source->topic, source->partition);
    if (!row)
        row = add(offsets, source->topic, source->partition);
    row->next = source->offset + 1;
    note_pending(offsets, batch->lsn);
}

void kafka_offsets_add_dead_letter(struct kafka_offsets *offsets,
                                   struct batch *batch)
{
    batch->next = NULL;
    if (offsets->last)
        offsets->last->next = batch;
    else
        offsets->first = batch;
    offsets->last = batch;
    offsets->letters++;
    note_pending(offsets, batch->lsn);
}

uint32_t kafka_offsets_dead_letters(const struct kafka_offsets *offsets)
{
    return offsets->letters;
}

bool kafka_offsets_next(const struct kafka_offsets *offsets, struct slice topic,
                        uint32_t partition, uint64_t *next)
{
    const struct kafka_offset_row *row = find_offset(offsets, topic, partition);

    if (row)
        *next = row->next;
    return row != NULL;
}

uint64_t kafka_offsets_pending_lsn(const struct kafka_offsets *offsets)
{
    return offsets->pending_lsn < offsets->pending_after
               ? offsets->pending_lsn
               : offsets->pending_after;
}

void kafka_offsets_begin(struct kafka_offsets *offsets,
                         struct kafka_offsets_commit *commit)
{
    size_t count = 0;

    for (size_t i = 0; i < offsets->count; i++)
        count += offsets->rows[i].next != offsets->rows[i].saved;
    *commit = (struct kafka_offsets_commit){.letters = offsets->first,
                                            .letter_count = offsets->letters};
    offsets->committing = true;
    if (count == 0)
        return;
    commit->rows = mem_zero(count, sizeof(*commit->rows));
    for (size_t i = 0; i < offsets->count; i++)
        if (offsets->rows[i].next != offsets->rows[i].saved) {
            struct kafka_offset_row *copy = &commit->rows[commit->row_count++];

            *copy = offsets->rows[i];
            copy->at = i;
        }
}

static enum status write_letter(struct db *db, const struct batch *batch)
{
    static const struct source_offset nowhere = {.topic = {"", 0}};
    const struct source_offset *source =
        batch->source ? batch->source : &nowhere;
    struct dead_letter letter = dead_letter_read(batch);
    return db_exec(db, SQL_LETTER_ADD, db_int(batch->lsn),
                   db_text(source->topic), db_int(source->partition),
                   db_int(source->offset), db_int(db_time(batch->received_ns)),
                   db_int(source->time_ms), db_text(letter.reason),
                   db_int(letter.size), db_int(letter.bytes.len),
                   db_bytes(letter.bytes));
}

enum status kafka_offsets_write(const struct kafka_offsets_commit *commit,
                                struct db *db)
{
    const struct batch *letter = commit->letters;
    enum status status = OK;

    for (size_t i = 0; i < commit->row_count && status == OK; i++) {
        status = db_exec(db, SQL_OFFSET_SAVE, db_text(commit->rows[i].topic),
                         db_int(commit->rows[i].partition),
                         db_int(commit->rows[i].next));
    }
    /* The `next` of the last one may be written to at this time. */
    for (uint32_t left = commit->letter_count; left > 0 && status == OK;) {
        status = write_letter(db, letter);
        if (--left > 0)
            letter = letter->next;
    }
    if (status == OK && commit->letter_count > 0)
        status = db_exec(db, SQL_LETTER_TRIM, db_int(LETTER_ROWS),
                         db_int(LETTER_BYTES));
    return status;
}

void kafka_offsets_end(struct kafka_offsets *offsets,
                       struct kafka_offsets_commit *commit, bool committed)
{
    for (size_t i = 0; i < commit->row_count && committed; i++)
        offsets->rows[commit->rows[i].at].saved = commit->rows[i].next;
    for (uint32_t i = 0; i < commit->letter_count && committed; i++) {
        struct batch *letter = offsets->first;

        offsets->first = letter->next;
        if (!offsets->first)
            offsets->last = NULL;
        offsets->letters--;
        batch_free(letter);
    }
    if (committed || offsets->pending_after < offsets->pending_lsn)
        offsets->pending_lsn = offsets->pending_after;
    offsets->pending_after = UINT64_MAX;
    offsets->committing = false;
    free(commit->rows);
    *commit = (struct kafka_offsets_commit){0};
}
