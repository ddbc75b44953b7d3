/* A block's bytes, plain and as a zstd frame; see ch_native.c for the form. */
#include <assert.h>
#include <stdlib.h>

#include <zstd.h>

#include "buf.h"
#include "ch_native_int.h"
#include "mem.h"

/* ---- bytes ---- */

enum { HEAD_MAX = 64 * 1024 };

static void add_type(struct buf *head, const struct ch_column *column)
{
    if (column->part_count == 0) {
        buf_add(head, column->type);
        return;
    }
    buf_add(head, column->kind == CH_TUPLE  ? SLICE("Tuple(")
                  : column->kind == CH_LOW  ? SLICE("LowCardinality(")
                  : column->part_count == 1 ? SLICE("Array(")
                                            : SLICE("Map("));
    for (uint32_t i = 0; i < column->part_count; i++) {
        if (i > 0)
            buf_add(head, SLICE(", "));
        add_type(head, column->parts[i]);
    }
    buf_byte(head, ')');
}

static void write_data(const struct ch_column *column,
                       void (*take)(void *arg, struct slice bytes), void *arg)
{
    if (column->kind == CH_LOW) {
        ch_dictionary_write(column, take, arg);
        return;
    }
    if (column->len > 0)
        take(arg, (struct slice){column->data, column->len});
    for (uint32_t i = 0; i < column->part_count; i++)
        write_data(column->parts[i], take, arg);
}

static uint32_t columns_to_send(const struct ch_native *native)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < native->count; i++)
        count += native->columns[i]->rows > 0;
    return count;
}

void ch_native_write(struct ch_native *native,
                     void (*take)(void *arg, struct slice bytes), void *arg)
{
    struct buf head, type;

    ch_native_fill(native);
    assert(native->status == OK);
    buf_init(&head, HEAD_MAX);
    buf_init(&type, HEAD_MAX);
    buf_varint(&head, columns_to_send(native));
    buf_varint(&head, native->rows);
    for (uint32_t i = 0; i < native->count; i++) {
        if (native->columns[i]->rows == 0)
            continue;
        assert(native->columns[i]->rows == native->rows);
        buf_sized(&head, slice_of(native->defs[i].name));
        buf_reset(&type);
        add_type(&type, native->columns[i]);
        buf_sized(&head, buf_slice(&type));
        take(arg, buf_slice(&head));
        buf_reset(&head);
        ch_dictionary_begin(native->columns[i], take, arg);
        write_data(native->columns[i], take, arg);
    }
    buf_release(&head);
    buf_release(&type);
}

void ch_native_insert(const struct ch_native *native, const char *table,
                      struct ch_sql *sql)
{
    CH_SQL_WITH(sql, "INSERT INTO ? (", CH_NAME(slice_of(table)));
    for (uint32_t i = 0; i < native->count; i++)
        CH_SQL_WITH(sql, "?,", CH_NAME(slice_of(native->defs[i].name)));
    ch_sql_cut(sql);
    CH_SQL(sql, ") SETTINGS input_format_defaults_for_omitted_fields = 0 "
                "FORMAT Native");
}

/* ---- a zstd frame ---- */

enum { LEVEL = 1, MIN_ROOM = 64 * 1024 };

struct frame {
    const struct ch_native *native;
    ZSTD_CCtx *zstd;
    struct ch_body *body;
    size_t room;
    enum status status;
};

static bool frame_grow(struct frame *frame)
{
    struct ch_body *body = frame->body;
    size_t more = frame->room > 0 ? frame->room : MIN_ROOM;

    if (!ch_native_charge(frame->native, more)) {
        frame->status = ERR_BUSY;
        return false;
    }
    frame->room += more;
    body->ptr = mem_resize(body->ptr, frame->room, 1);
    return true;
}

static void frame_add(struct frame *frame, struct slice bytes,
                      ZSTD_EndDirective how)
{
    ZSTD_inBuffer in = {bytes.ptr, bytes.len, 0};
    size_t left = 1;

    while (frame->status == OK && (in.pos < in.size || left > 0)) {
        ZSTD_outBuffer out = {frame->body->ptr, frame->room, frame->body->len};

        if (out.size - out.pos < MIN_ROOM / 4) {
            (void)frame_grow(frame);
            continue;
        }
        left = ZSTD_compressStream2(frame->zstd, &out, &in, how);
        frame->body->len = out.pos;
        if (ZSTD_isError(left))
            frame->status = ERR_INTERNAL;
        if (how == ZSTD_e_continue && in.pos == in.size)
            return;
    }
}

static void frame_take(void *arg, struct slice bytes)
{
    frame_add(arg, bytes, ZSTD_e_continue);
}

/* Gives back what the frame did not need. */
static void frame_trim(struct frame *frame)
{
    struct ch_body *body = frame->body;

    if (frame->room == 0)
        return;
    if (body->budget)
        budget_give(body->budget, frame->room - body->len);
    body->ptr = mem_resize(body->ptr, body->len, 1);
}

enum status ch_native_compress(struct ch_native *native, struct ch_body *body)
{
    struct frame frame = {.native = native, .body = body};

    *body = (struct ch_body){.budget = native->budget};
    ch_native_fill(native);
    if (native->status != OK)
        return native->status;
    frame.zstd = ZSTD_createCCtx();
    if (!frame.zstd)
        return ERR_BUSY;
    (void)ZSTD_CCtx_setParameter(frame.zstd, ZSTD_c_compressionLevel, LEVEL);
    ch_native_write(native, frame_take, &frame);
    frame_add(&frame, SLICE(""), ZSTD_e_end);
    (void)ZSTD_freeCCtx(frame.zstd);
    frame_trim(&frame);
    if (frame.status != OK)
        ch_body_release(body);
    return frame.status;
}

void ch_body_release(struct ch_body *body)
{
    if (body->budget && body->len > 0)
        budget_give(body->budget, body->len);
    free(body->ptr);
    body->ptr = NULL;
    body->len = 0;
}
