#include "compress.h"

#include <pthread.h>
#include <stdint.h>
#include <zstd.h>

/* The largest value, the unpaired spans, is written again with every flush, and
 * half of it are random ids: this level takes half the time of level 1 for 2 %
 * more bytes. */
enum { LEVEL = -3 };

static bool is_frame(struct slice bytes)
{
    static const char magic[4] = {0x28, (char)0xb5, 0x2f, (char)0xfd};

    return bytes.len >= sizeof(magic) &&
           memcmp(bytes.ptr, magic, sizeof(magic)) == 0;
}

void compress_append(struct buf *out, struct slice value)
{
    size_t room = ZSTD_compressBound(value.len);
    char *to = buf_room(out, room);
    size_t size = to ? ZSTD_compress(to, room, value.ptr, value.len, LEVEL) : 0;

    if (!to || ZSTD_isError(size) || size >= value.len)
        buf_add(out, value);
    else
        buf_grown(out, size);
}

enum status compress_read(struct slice bytes, size_t max, struct arena *arena,
                          struct slice *value)
{
    unsigned long long len;
    char *to;

    if (!is_frame(bytes)) {
        *value = arena_copy(arena, bytes);
        return arena_status(arena);
    }
    len = ZSTD_getFrameContentSize(bytes.ptr, bytes.len);
    if (len == ZSTD_CONTENTSIZE_UNKNOWN || len == ZSTD_CONTENTSIZE_ERROR)
        return ERR_CORRUPT;
    if (len > max)
        return ERR_TOO_BIG;
    to = arena_alloc(arena, (size_t)len);
    if (!to)
        return arena_status(arena);
    if (zstd_decompress(to, (size_t)len, bytes.ptr, bytes.len) != len)
        return ERR_CORRUPT;
    *value = (struct slice){to, (size_t)len};
    return OK;
}

/* ---- the thread's context ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local ZSTD_DCtx *context;

static void free_context(void *arg)
{
    ZSTD_freeDCtx(arg);
}

static void make_key(void)
{
    /* Without a key, a thread that ends leaks its context. */
    (void)!pthread_key_create(&key, free_context);
}

size_t zstd_decompress(void *to, size_t room, const void *from, size_t len)
{
    size_t size;

    if (!context) {
        pthread_once(&once, make_key);
        context = ZSTD_createDCtx();
        if (!context)
            return SIZE_MAX;
        pthread_setspecific(key, context);
    }
    size = ZSTD_decompressDCtx(context, to, room, from, len);
    return ZSTD_isError(size) ? SIZE_MAX : size;
}
