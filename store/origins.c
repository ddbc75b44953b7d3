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
#include "origins.h"

#include <stdlib.h>

#include "array.h"
#include "letter.h"
#include "mem.h"

/* What table dead_letter holds at most: the newest. */
enum { LETTER_ROWS = 10000, LETTER_BYTES = 64 << 20 };

struct origin_row {
    struct slice topic; /* owned by the table, from malloc */
    uint32_t partition;
    uint64_t next, saved;
    size_t at; /* in the table; for copies */
};

struct origins {
    struct origin_row *rows;
    uint32_t count, room;
    struct batch *first, *last; /* letters, oldest first */
    uint32_t letters;
    uint64_t owed, owed_after;
    bool choosing;
};

struct origins *origins_new(void)
{
    struct origins *origins = mem_zero(1, sizeof(*origins));

    origins->owed = origins->owed_after = UINT64_MAX;
    return origins;
}

void origins_free(struct origins *origins)
{
    if (!origins)
        return;
    for (size_t i = 0; i < origins->count; i++)
        free((void *)(uintptr_t)origins->rows[i].topic.ptr);
    free(origins->rows);
    while (origins->first) {
        struct batch *next = origins->first->next;

        batch_free(origins->first);
        origins->first = next;
    }
    free(origins);
}

static struct origin_row *find(const struct origins *origins,
                               struct slice topic, uint32_t partition)
{
    for (size_t i = 0; i < origins->count; i++)
        if (origins->rows[i].partition == partition &&
            slice_equal(origins->rows[i].topic, topic))
            return &origins->rows[i];
    return NULL;
}

static struct origin_row *add(struct origins *origins, struct slice topic,
                              uint32_t partition)
{
    struct origin_row *row;

    row = array_append(&origins->rows, origins->count, &origins->room);
    *row = (struct origin_row){
        .topic = {mem_copy(topic.ptr, topic.len), topic.len},
        .partition = partition,
        .saved = UINT64_MAX,
        .at = origins->count++};
    return row;
}

enum status origins_load(struct origins *origins, struct db *db)
{
    struct stmt s = stmt_start(db, SQL_OFFSETS);

    while (stmt_row(&s)) {
        struct origin_row *row =
            add(origins, stmt_get_bytes(&s, 0), (uint32_t)stmt_get_int(&s, 1));

        row->next = row->saved = stmt_get_int(&s, 2);
    }
    return stmt_end(&s);
}

static void owe(struct origins *origins, uint64_t lsn)
{
    uint64_t *owed = origins->choosing ? &origins->owed_after : &origins->owed;

    if (lsn < *owed)
        *owed = lsn;
}

void origins_note(struct origins *origins, const struct batch *batch)
{
    const struct origin *origin = batch->origin;
    struct origin_row *row;

    if (!origin)
        return;
    row = find(origins, origin->topic, origin->partition);
    if (!row)
        row = add(origins, origin->topic, origin->partition);
    row->next = origin->offset + 1;
    owe(origins, batch->lsn);
}

void origins_add_letter(struct origins *origins, struct batch *batch)
{
    batch->next = NULL;
    if (origins->last)
        origins->last->next = batch;
    else
        origins->first = batch;
    origins->last = batch;
    origins->letters++;
    owe(origins, batch->lsn);
}

uint32_t origins_letters(const struct origins *origins)
{
    return origins->letters;
}

bool origins_next(const struct origins *origins, struct slice topic,
                  uint32_t partition, uint64_t *next)
{
    const struct origin_row *row = find(origins, topic, partition);

    if (row)
        *next = row->next;
    return row != NULL;
}

uint64_t origins_owed(const struct origins *origins)
{
    return origins->owed < origins->owed_after ? origins->owed
                                               : origins->owed_after;
}

void origins_choose(struct origins *origins, struct origins_commit *commit)
{
    size_t count = 0;

    for (size_t i = 0; i < origins->count; i++)
        count += origins->rows[i].next != origins->rows[i].saved;
    *commit = (struct origins_commit){.letters = origins->first,
                                      .letter_count = origins->letters,
                                      .chosen = true};
    origins->choosing = true;
    if (count == 0)
        return;
    commit->rows = mem_zero(count, sizeof(*commit->rows));
    for (size_t i = 0; i < origins->count; i++)
        if (origins->rows[i].next != origins->rows[i].saved) {
            struct origin_row *copy = &commit->rows[commit->row_count++];

            *copy = origins->rows[i];
            copy->at = i;
        }
}

static enum status write_letter(struct db *db, const struct batch *batch)
{
    static const struct origin nowhere = {.topic = {"", 0}};
    const struct origin *origin = batch->origin ? batch->origin : &nowhere;
    struct letter letter = letter_read(batch);
    struct stmt s = stmt_start(db, SQL_LETTER_ADD);

    stmt_int(&s, batch->lsn);
    stmt_text(&s, origin->topic);
    stmt_int(&s, origin->partition);
    stmt_int(&s, origin->offset);
    stmt_int(&s, db_time(batch->received_ns));
    stmt_int(&s, origin->time_ms);
    stmt_text(&s, letter.reason);
    stmt_int(&s, letter.size);
    stmt_int(&s, letter.bytes.len);
    stmt_bytes(&s, letter.bytes);
    return stmt_run(&s);
}

static enum status trim_letters(struct db *db)
{
    struct stmt s = stmt_start(db, SQL_LETTER_TRIM);

    stmt_int(&s, LETTER_ROWS);
    stmt_int(&s, LETTER_BYTES);
    return stmt_run(&s);
}

enum status origins_write(const struct origins_commit *commit, struct db *db)
{
    const struct batch *letter = commit->letters;
    enum status status = OK;

    for (size_t i = 0; i < commit->row_count && status == OK; i++) {
        struct stmt s = stmt_start(db, SQL_OFFSET_SAVE);

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

void origins_chosen(struct origins *origins, struct origins_commit *commit,
                    bool committed)
{
    for (size_t i = 0; i < commit->row_count && committed; i++)
        origins->rows[commit->rows[i].at].saved = commit->rows[i].next;
    for (uint32_t i = 0; i < commit->letter_count && committed; i++) {
        struct batch *letter = origins->first;

        origins->first = letter->next;
        if (!origins->first)
            origins->last = NULL;
        origins->letters--;
        batch_free(letter);
    }
    if (commit->chosen) {
        if (committed)
            origins->owed = origins->owed_after;
        else if (origins->owed_after < origins->owed)
            origins->owed = origins->owed_after;
        origins->owed_after = UINT64_MAX;
        origins->choosing = false;
    }
    free(commit->rows);
    *commit = (struct origins_commit){0};
}
