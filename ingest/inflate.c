/*
 * Both libraries are fastest when they write the whole result into one buffer
 * in one call, so its size is estimated: gzip ends with the size of its last
 * member, a zstd frame mostly begins with its own. If the estimate is too
 * small, or larger than first_room() accepts, the buffer doubles and the
 * member, or all of the zstd body, is decompressed again. All attempts together
 * cost at most twice the last one.
 */
#include "inflate.h"

#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "mem.h"

/* Telemetry packs 5 to 30 times. */
enum { LIKELY_RATIO = 64, FIRST_MIN = 64 * 1024 };

struct inflate_output {
    char *ptr;
    size_t len, room, max;
    struct budget *budget;
};

static enum status grow(struct inflate_output *out, size_t room)
{
    if (!budget_take(out->budget, room - out->room))
        return ERR_BUSY;
    out->ptr = mem_resize(out->ptr, room, 1);
    out->room = room;
    return OK;
}

static enum status double_room(struct inflate_output *out)
{
    if (out->room == out->max)
        return ERR_TOO_BIG;
    return grow(out, out->room > out->max / 2 ? out->max : 2 * out->room);
}

static enum status first_room(struct inflate_output *out, size_t packed,
                              uint64_t hint)
{
    uint64_t room = (uint64_t)packed * LIKELY_RATIO;

    if (room < FIRST_MIN)
        room = FIRST_MIN;
    if (room > hint)
        room = hint;
    if (room > out->max)
        room = out->max;
    return grow(out, room > 0 ? (size_t)room : 1);
}

static enum status gunzip(struct slice in, struct inflate_output *out)
{
    struct libdeflate_decompressor *gzip;
    const unsigned char *end = (const unsigned char *)in.ptr + in.len;
    enum status status;

    if (in.len < 18) /* head and tail of the smallest */
        return ERR_MALFORMED;
    status = first_room(out, in.len,
                        (uint64_t)end[-4] | (uint64_t)end[-3] << 8 |
                            (uint64_t)end[-2] << 16 | (uint64_t)end[-1] << 24);
    gzip = libdeflate_alloc_decompressor();
    if (!gzip)
        status = ERR_BUSY;
    while (status == OK && in.len > 0) {
        size_t used = 0, len = 0;

        switch (libdeflate_gzip_decompress_ex(
            gzip, in.ptr, in.len, out->ptr + out->len, out->room - out->len,
            &used, &len)) {
        case LIBDEFLATE_SUCCESS:
            out->len += len;
            in = slice_from(in, used);
            break;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            status = double_room(out);
            break;
        default:
            status = ERR_MALFORMED;
        }
    }
    if (gzip)
        libdeflate_free_decompressor(gzip);
    return status;
}

static enum status unzstd(struct slice in, struct inflate_output *out)
{
    unsigned long long hint = ZSTD_getFrameContentSize(in.ptr, in.len);
    enum status status;
    ZSTD_DCtx *zstd;
    size_t len;

    if (hint == ZSTD_CONTENTSIZE_ERROR)
        return ERR_MALFORMED;
    status = first_room(out, in.len, hint); /* unknown is a large number */
    zstd = ZSTD_createDCtx();
    if (!zstd)
        status = ERR_BUSY;
    while (status == OK) {
        len = ZSTD_decompressDCtx(zstd, out->ptr, out->room, in.ptr, in.len);
        if (!ZSTD_isError(len)) {
            out->len = len;
            break;
        }
        status = ZSTD_getErrorCode(len) == ZSTD_error_dstSize_tooSmall
                     ? double_room(out)
                     : ERR_MALFORMED;
    }
    ZSTD_freeDCtx(zstd);
    return status;
}

enum status inflate_body(enum inflate_format format, struct slice packed,
                         size_t max, struct budget *budget, char **body,
                         size_t *len)
{
    struct inflate_output out = {.max = max, .budget = budget};
    enum status status =
        format == INFLATE_GZIP ? gunzip(packed, &out) : unzstd(packed, &out);

    if (status != OK) {
        budget_give(budget, out.room);
        free(out.ptr);
        return status;
    }
    if (out.len < out.room) {
        out.ptr = mem_resize(out.ptr, out.len > 0 ? out.len : 1, 1);
        budget_give(budget, out.room - out.len);
    }
    *body = out.ptr;
    *len = out.len;
    return OK;
}
