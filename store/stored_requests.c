/*
 * Table recent_request is a ring of pages: row `id` holds the hashes number
 * id * PAGE up to (id + 1) * PAGE - 1, counted from the first that was ever
 * noted, each as
 *
 *   hash (16), lsn (8), little endian
 *
 * The last page is written again, longer, until it is full; then the oldest row
 * goes. So a commit writes a row or two, and a start reads PAGES of them.
 *
 *   at[0] ... at[saved] ... at[count]    of the page that is not full in the
 *   in the table        not yet          table yet, and of those after it
 */
#include "stored_requests.h"

#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "buf.h"
#include "byte_reader.h"
#include "mem.h"

enum { PAGE = 256, PAGES = 256, ENTRY_BYTES = 24 };

struct noted_request {
    struct request_hash hash;
    uint64_t lsn;
};

struct stored_requests {
    uint64_t page; /* of at[0] */
    struct noted_request *at;
    uint32_t count, saved, room;
};

struct stored_requests *stored_requests_new(void)
{
    return mem_zero(1, sizeof(struct stored_requests));
}

void stored_requests_free(struct stored_requests *requests)
{
    if (!requests)
        return;
    free(requests->at);
    free(requests);
}

static void add(struct stored_requests *requests, struct request_hash hash,
                uint64_t lsn)
{
    struct noted_request *request =
        array_append(&requests->at, requests->count, &requests->room);

    *request = (struct noted_request){hash, lsn};
    requests->count++;
}

void stored_requests_note(struct stored_requests *requests,
                          const struct batch *batch)
{
    if (!request_hash_none(batch->hash))
        add(requests, batch->hash, batch->lsn);
}

/* What is in full pages of the table need not be here. */
static void drop_full_pages(struct stored_requests *requests)
{
    uint32_t full = requests->saved / PAGE * PAGE;

    if (full == 0)
        return;
    requests->page += full / PAGE;
    requests->count -= full;
    requests->saved -= full;
    memmove(requests->at, requests->at + full,
            requests->count * sizeof(*requests->at));
}

/* ---- reading ---- */

static void read_page(struct slice bytes, metadata_request_visit *visit,
                      void *arg)
{
    struct byte_reader in = byte_reader_over(bytes);

    for (size_t i = 0; i < bytes.len / ENTRY_BYTES && i < PAGE; i++) {
        struct request_hash hash;

        hash.a = byte_reader_fixed(&in, 8);
        hash.b = byte_reader_fixed(&in, 8);
        visit(arg, hash, byte_reader_fixed(&in, 8));
    }
}

enum status stored_requests_visit(struct db *db, metadata_request_visit *visit,
                                  void *arg)
{
    struct db_stmt s = db_query_all(db, SQL_REQUESTS);

    while (stmt_row(&s))
        read_page(stmt_bytes(&s, 1), visit, arg);
    return stmt_end(&s);
}

static void add_read(void *arg, struct request_hash hash, uint64_t lsn)
{
    add(arg, hash, lsn);
}

enum status stored_requests_load(struct stored_requests *requests,
                                 struct db *db)
{
    struct db_stmt s = db_query_all(db, SQL_REQUESTS_LAST);

    if (stmt_row(&s)) {
        requests->page = stmt_int(&s, 0);
        read_page(stmt_bytes(&s, 1), add_read, requests);
        requests->saved = requests->count;
        drop_full_pages(requests);
    }
    return stmt_end(&s);
}

/* ---- writing ---- */

void stored_requests_begin(const struct stored_requests *requests,
                           struct stored_requests_commit *commit)
{
    *commit = (struct stored_requests_commit){.page = requests->page};
    if (requests->count == requests->saved)
        return;
    commit->count = requests->count;
    commit->at = mem_alloc(commit->count * sizeof(*commit->at));
    memcpy(commit->at, requests->at, commit->count * sizeof(*commit->at));
}

static enum status write_page(struct db *db, uint64_t page,
                              const struct noted_request *at, size_t count)
{
    struct buf bytes;

    buf_init(&bytes, PAGE * ENTRY_BYTES);
    for (size_t i = 0; i < count; i++) {
        buf_fixed(&bytes, at[i].hash.a, 8);
        buf_fixed(&bytes, at[i].hash.b, 8);
        buf_fixed(&bytes, at[i].lsn, 8);
    }
    enum status status = db_exec(db, SQL_REQUESTS_SAVE, db_int(page),
                                 db_bytes(buf_slice(&bytes)));
    buf_release(&bytes);
    return status;
}

enum status stored_requests_write(const struct stored_requests_commit *commit,
                                  struct db *db)
{
    uint64_t page = commit->page;
    enum status status = OK;

    if (commit->count == 0)
        return OK;
    for (size_t from = 0; from < commit->count && status == OK; from += PAGE) {
        size_t left = commit->count - from;

        status = write_page(db, page++, commit->at + from,
                            left < PAGE ? left : PAGE);
    }
    if (status != OK || page <= PAGES)
        return status;
    return db_exec(db, SQL_REQUESTS_TRIM, db_int(page - PAGES));
}

void stored_requests_end(struct stored_requests *requests,
                         struct stored_requests_commit *commit, bool committed)
{
    if (committed && commit->count > 0) {
        requests->saved = (uint32_t)commit->count;
        drop_full_pages(requests);
    }
    free(commit->at);
    *commit = (struct stored_requests_commit){0};
}
