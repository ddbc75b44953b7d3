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
#include "requests.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "scan.h"

enum { PAGE = 256, PAGES = 256, ENTRY_BYTES = 24 };

struct noted_request {
    struct request_hash hash;
    uint64_t lsn;
};

struct requests {
    uint64_t page; /* of at[0] */
    struct noted_request *at;
    size_t count, saved, room;
};

struct requests *requests_new(void)
{
    return mem_zero(1, sizeof(struct requests));
}

void requests_free(struct requests *requests)
{
    if (!requests)
        return;
    free(requests->at);
    free(requests);
}

static void add(struct requests *requests, struct request_hash hash,
                uint64_t lsn)
{
    if (requests->count == requests->room) {
        requests->room = requests->room ? 2 * requests->room : PAGE;
        requests->at = mem_resize(requests->at, requests->room,
                                  sizeof(struct noted_request));
    }
    requests->at[requests->count++] = (struct noted_request){hash, lsn};
}

void requests_note(struct requests *requests, const struct batch *batch)
{
    if (!request_hash_none(batch->hash))
        add(requests, batch->hash, batch->lsn);
}

/* What is in full pages of the table need not be here. */
static void drop_full_pages(struct requests *requests)
{
    size_t full = requests->saved / PAGE * PAGE;

    if (full == 0)
        return;
    requests->page += full / PAGE;
    requests->count -= full;
    requests->saved -= full;
    memmove(requests->at, requests->at + full,
            requests->count * sizeof(*requests->at));
}

/* ---- reading ---- */

static void read_page(struct slice bytes, store_request_visit *visit, void *arg)
{
    struct scan in = scan_over(bytes);

    for (size_t i = 0; i < bytes.len / ENTRY_BYTES && i < PAGE; i++) {
        struct request_hash hash;

        hash.a = scan_fixed(&in, 8);
        hash.b = scan_fixed(&in, 8);
        visit(arg, hash, scan_fixed(&in, 8));
    }
}

enum status requests_visit(struct db *db, store_request_visit *visit, void *arg)
{
    struct stmt s = stmt_start(db, SQL_REQUESTS);

    while (stmt_row(&s))
        read_page(stmt_get_bytes(&s, 1), visit, arg);
    return stmt_end(&s);
}

static void add_read(void *arg, struct request_hash hash, uint64_t lsn)
{
    add(arg, hash, lsn);
}

enum status requests_load(struct requests *requests, struct db *db)
{
    struct stmt s = stmt_start(db, SQL_REQUESTS_LAST);

    if (stmt_row(&s)) {
        requests->page = stmt_get_int(&s, 0);
        read_page(stmt_get_bytes(&s, 1), add_read, requests);
        requests->saved = requests->count;
        drop_full_pages(requests);
    }
    return stmt_end(&s);
}

/* ---- writing ---- */

void requests_choose(const struct requests *requests,
                     struct requests_commit *commit)
{
    *commit = (struct requests_commit){.page = requests->page};
    if (requests->count == requests->saved)
        return;
    commit->count = requests->count;
    commit->at = mem_alloc(commit->count * sizeof(*commit->at));
    memcpy(commit->at, requests->at, commit->count * sizeof(*commit->at));
}

static enum status write_page(struct db *db, uint64_t page,
                              const struct noted_request *at, size_t count)
{
    struct stmt s = stmt_start(db, SQL_REQUESTS_SAVE);
    struct buf bytes;
    enum status status;

    buf_init(&bytes, PAGE * ENTRY_BYTES);
    for (size_t i = 0; i < count; i++) {
        buf_u64(&bytes, at[i].hash.a);
        buf_u64(&bytes, at[i].hash.b);
        buf_u64(&bytes, at[i].lsn);
    }
    stmt_int(&s, page);
    stmt_bytes(&s, buf_slice(&bytes));
    status = stmt_run(&s);
    buf_release(&bytes);
    return status;
}

enum status requests_write(const struct requests_commit *commit, struct db *db)
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
    struct stmt s = stmt_start(db, SQL_REQUESTS_TRIM);
    stmt_int(&s, page - PAGES);
    return stmt_run(&s);
}

void requests_chosen(struct requests *requests, struct requests_commit *commit,
                     bool committed)
{
    if (committed && commit->count > 0) {
        requests->saved = commit->count;
        drop_full_pages(requests);
    }
    free(commit->at);
    *commit = (struct requests_commit){0};
}
