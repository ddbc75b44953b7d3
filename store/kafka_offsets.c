/*
 * A row per partition, in the order in which they were met; there are some
 * hundred at most, and one is looked up per batch. next is what was noted
 * last, saved what the database has.
 *
 * A later batch of a partition replaces the note of an earlier one even if its
 * offset is smaller: batches come in the order of the journal, and a partition
 * that was made anew starts at zero.
 *
 * owed is the lsn of the first batch noted since the commit before; while a
 * commit is under way, of the first that is in it, and owed_after of the first
 * that is not.
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
    uint64_t owed, owed_after;
    bool choosing;
};

struct kafka_offsets *kafka_offsets_new(void)
{
    struct kafka_offsets *kafka_offsets = mem_zero(1, sizeof(*kafka_offsets));

    kafka_offsets->owed = kafka_offsets->owed_after = UINT64_MAX;
    return kafka_offsets;
}

void kafka_offsets_free(struct kafka_offsets *kafka_offsets)
{
    if (!kafka_offsets)
        return;
    for (size_t i = 0; i < kafka_offsets->count; i++)
        free((void *)(uintptr_t)kafka_offsets->rows[i].topic.ptr);
    free(kafka_offsets->rows);
    while (kafka_offsets->first) {
        struct batch *next = kafka_offsets->first->next;

        batch_free(kafka_offsets->first);
        kafka_offsets->first = next;
    }
    free(kafka_offsets);
}

static struct kafka_offset_row *find(const struct kafka_offsets *kafka_offsets,
                                     struct slice topic, uint32_t partition)
{
    for (size_t i = 0; i < kafka_offsets->count; i++)
        if (kafka_offsets->rows[i].partition == partition &&
            slice_equal(kafka_offsets->rows[i].topic, topic))
            return &kafka_offsets->rows[i];
    return NULL;
}

static struct kafka_offset_row *add(struct kafka_offsets *kafka_offsets,
                                    struct slice topic, uint32_t partition)
{
    struct kafka_offset_row *row;

    row = array_append(&kafka_offsets->rows, kafka_offsets->count,
                       &kafka_offsets->room);
    *row = (struct kafka_offset_row){
        .topic = {mem_copy(topic.ptr, topic.len), topic.len},
        .partition = partition,
        .saved = UINT64_MAX,
        .at = kafka_offsets->count++};
    return row;
}

enum status kafka_offsets_load(struct kafka_offsets *kafka_offsets,
                               struct db *db)
{
    struct db_stmt s = stmt_start(db, SQL_OFFSETS);

    while (stmt_row(&s)) {
        struct kafka_offset_row *row = add(kafka_offsets, stmt_get_bytes(&s, 0),
                                           (uint32_t)stmt_get_int(&s, 1));

        row->next = row->saved = stmt_get_int(&s, 2);
    }
    return stmt_end(&s);
}

static void owe(struct kafka_offsets *kafka_offsets, uint64_t lsn)
{
    uint64_t *owed = kafka_offsets->choosing ? &kafka_offsets->owed_after
                                             : &kafka_offsets->owed;

    if (lsn < *owed)
        *owed = lsn;
}

void kafka_offsets_note(struct kafka_offsets *kafka_offsets,
                        const struct batch *batch)
{
    const struct source_offset *source = batch->source;
    struct kafka_offset_row *row;

    if (!source)
        return;
    row = find(kafka_offsets, source->topic, source->partition);
    if (!row)
        row = add(kafka_offsets, source->topic, source->partition);
    row->next = source->offset + 1;
    owe(kafka_offsets, batch->lsn);
}

void kafka_offsets_add_dead_letter(struct kafka_offsets *kafka_offsets,
                                   struct batch *batch)
{
    batch->next = NULL;
    if (kafka_offsets->last)
        kafka_offsets->last->next = batch;
    else
        kafka_offsets->first = batch;
    kafka_offsets->last = batch;
    kafka_offsets->letters++;
    owe(kafka_offsets, batch->lsn);
}

uint32_t kafka_offsets_dead_letters(const struct kafka_offsets *kafka_offsets)
{
    return kafka_offsets->letters;
}

bool kafka_offsets_next(const struct kafka_offsets *kafka_offsets,
                        struct slice topic, uint32_t partition, uint64_t *next)
{
    const struct kafka_offset_row *row = find(kafka_offsets, topic, partition);

    if (row)
        *next = row->next;
    return row != NULL;
}

uint64_t kafka_offsets_pending_lsn(const struct kafka_offsets *kafka_offsets)
{
    return kafka_offsets->owed < kafka_offsets->owed_after
               ? kafka_offsets->owed
               : kafka_offsets->owed_after;
}

void kafka_offsets_begin(struct kafka_offsets *kafka_offsets,
                         struct kafka_offsets_commit *commit)
{
    size_t count = 0;

    for (size_t i = 0; i < kafka_offsets->count; i++)
        count += kafka_offsets->rows[i].next != kafka_offsets->rows[i].saved;
    *commit =
        (struct kafka_offsets_commit){.letters = kafka_offsets->first,
                                      .letter_count = kafka_offsets->letters,
                                      .chosen = true};
    kafka_offsets->choosing = true;
    if (count == 0)
        return;
    commit->rows = mem_zero(count, sizeof(*commit->rows));
    for (size_t i = 0; i < kafka_offsets->count; i++)
        if (kafka_offsets->rows[i].next != kafka_offsets->rows[i].saved) {
            struct kafka_offset_row *copy = &commit->rows[commit->row_count++];

            *copy = kafka_offsets->rows[i];
            copy->at = i;
        }
}

static enum status write_letter(struct db *db, const struct batch *batch)
{
    static const struct source_offset nowhere = {.topic = {"", 0}};
    const struct source_offset *source =
        batch->source ? batch->source : &nowhere;
    struct dead_letter letter = dead_letter_read(batch);
    struct db_stmt s = stmt_start(db, SQL_LETTER_ADD);

    stmt_int(&s, batch->lsn);
    stmt_text(&s, source->topic);
    stmt_int(&s, source->partition);
    stmt_int(&s, source->offset);
    stmt_int(&s, db_time(batch->received_ns));
    stmt_int(&s, source->time_ms);
    stmt_text(&s, letter.reason);
    stmt_int(&s, letter.size);
    stmt_int(&s, letter.bytes.len);
    stmt_bytes(&s, letter.bytes);
    return stmt_run(&s);
}

static enum status trim_letters(struct db *db)
{
    struct db_stmt s = stmt_start(db, SQL_LETTER_TRIM);

    stmt_int(&s, LETTER_ROWS);
    stmt_int(&s, LETTER_BYTES);
    return stmt_run(&s);
}

enum status kafka_offsets_write(const struct kafka_offsets_commit *commit,
                                struct db *db)
{
    const struct batch *letter = commit->letters;
    enum status status = OK;

    for (size_t i = 0; i < commit->row_count && status == OK; i++) {
        struct db_stmt s = stmt_start(db, SQL_OFFSET_SAVE);

        stmt_text(&s, commit->rows[i].topic);
        stmt_int(&s, commit->rows[i].partition);
        stmt_int(&s, commit->rows[i].next);
        status = stmt_run(&s);
    }
    /* The last one's next may be written to meanwhile. */
    for (uint32_t left = commit->letter_count; left > 0 && status == OK;) {
        status = write_letter(db, letter);
        if (--left > 0)
            letter = letter->next;
    }
    return status == OK && commit->letter_count > 0 ? trim_letters(db) : status;
}

void kafka_offsets_end(struct kafka_offsets *kafka_offsets,
                       struct kafka_offsets_commit *commit, bool committed)
{
    for (size_t i = 0; i < commit->row_count && committed; i++)
        kafka_offsets->rows[commit->rows[i].at].saved = commit->rows[i].next;
    for (uint32_t i = 0; i < commit->letter_count && committed; i++) {
        struct batch *letter = kafka_offsets->first;

        kafka_offsets->first = letter->next;
        if (!kafka_offsets->first)
            kafka_offsets->last = NULL;
        kafka_offsets->letters--;
        batch_free(letter);
    }
    if (commit->chosen) {
        if (committed)
            kafka_offsets->owed = kafka_offsets->owed_after;
        else if (kafka_offsets->owed_after < kafka_offsets->owed)
            kafka_offsets->owed = kafka_offsets->owed_after;
        kafka_offsets->owed_after = UINT64_MAX;
        kafka_offsets->choosing = false;
    }
    free(commit->rows);
    *commit = (struct kafka_offsets_commit){0};
}
