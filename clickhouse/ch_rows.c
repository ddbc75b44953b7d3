/*
 * Rows of RowBinary; see ch_rows.h.
 *
 * Rows that came whole are read where they are. The begin of a row is copied to
 * `rest` and what comes next is appended; it is decoded again only after it has
 * grown to twice what was not enough, so a row of n bytes costs n + n/2 + n/4
 * ..., however finely it is cut.
 */
#include "ch_rows.h"

#include <assert.h>
#include <stdlib.h>

#include "hex.h"
#include "mem.h"

void ch_rows_begin(struct ch_rows *rows, struct budget *budget)
{
    rows->budget = budget;
    rows->rest = NULL;
    rows->len = rows->room = rows->tried = 0;
    rows->count = 0;
}

void ch_rows_release(struct ch_rows *rows)
{
    if (rows->budget && rows->room > 0)
        budget_give(rows->budget, rows->room);
    free(rows->rest);
    rows->rest = NULL;
    rows->len = rows->room = 0;
}

static enum status make_room(struct ch_rows *rows, size_t len)
{
    size_t room = rows->room > 0 ? rows->room : 4096;

    if (len > CH_ROW_MAX)
        return ERR_TOO_BIG;
    while (room < len)
        room *= 2;
    if (room == rows->room)
        return OK;
    if (rows->budget && !budget_take(rows->budget, room - rows->room))
        return ERR_BUSY;
    rows->rest = mem_resize(rows->rest, room, 1);
    rows->room = room;
    return OK;
}

static enum status keep(struct ch_rows *rows, struct slice bytes)
{
    enum status status = make_room(rows, rows->len + bytes.len);

    if (status != OK)
        return status;
    slice_copy(rows->rest + rows->len, bytes);
    rows->len += bytes.len;
    return OK;
}

/* Takes the rows that are whole; *bytes: what is left. */
static enum status take_rows(struct ch_rows *rows, struct slice *bytes)
{
    while (bytes->len > 0) {
        struct byte_reader in = byte_reader_over(*bytes);
        enum status status;

        rows->decode(rows->arg, &in);
        if (in.bad)
            return OK;
        assert(in.at > bytes->ptr); /* a row has one byte at least */
        status = rows->take(rows->arg);
        if (status != OK)
            return status;
        rows->count++;
        *bytes = (struct slice){in.at, (size_t)(in.end - in.at)};
    }
    return OK;
}

/* The same of what was kept. */
static enum status take_kept(struct ch_rows *rows)
{
    struct slice left = {rows->rest, rows->len};
    enum status status = take_rows(rows, &left);

    if (status != OK)
        return status;
    if (left.len > 0 && left.ptr != rows->rest)
        memmove(rows->rest, left.ptr, left.len);
    rows->len = rows->tried = left.len;
    return OK;
}

enum status ch_rows_add(struct ch_rows *rows, struct slice bytes)
{
    enum status status;

    if (rows->len > 0) {
        status = keep(rows, bytes);
        if (status != OK || rows->len < rows->tried * 2)
            return status;
        return take_kept(rows);
    }
    status = take_rows(rows, &bytes);
    if (status != OK || bytes.len == 0)
        return status;
    rows->tried = bytes.len;
    return keep(rows, bytes);
}

enum status ch_rows_end(struct ch_rows *rows)
{
    enum status status = rows->len > 0 ? take_kept(rows) : OK;

    if (status != OK)
        return status;
    return rows->len == 0 ? OK : ERR_CORRUPT;
}

bool ch_read_id(struct byte_reader *in, uint8_t *id, size_t size)
{
    struct slice text = byte_reader_slice(in);

    memset(id, 0, size);
    return hex_bytes(text, id, size);
}

void ch_skip_strings(struct byte_reader *in)
{
    for (uint64_t count = ch_read_count(in); count > 0 && !in->bad; count--)
        (void)byte_reader_slice(in);
}

void ch_skip_map(struct byte_reader *in)
{
    for (uint64_t count = ch_read_count(in); count > 0 && !in->bad; count--) {
        (void)byte_reader_slice(in);
        (void)byte_reader_slice(in);
    }
}
