#include "unzstd.h"

#include <pthread.h>
#include <stdint.h>
#include <zstd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local ZSTD_DCtx *context;

static void free_context(void *arg)
{
    ZSTD_freeDCtx(arg);
}

static void make_key(void)
{
    /* Without a key a thread that ends leaks its context, nothing worse. */
    (void)!pthread_key_create(&key, free_context);
}

size_t unzstd(void *to, size_t room, const void *from, size_t len)
{
    if (!context) {
        pthread_once(&once, make_key);
        context = ZSTD_createDCtx();
        if (!context)
            return SIZE_MAX;
        pthread_setspecific(key, context);
    }
    size_t size = ZSTD_decompressDCtx(context, to, room, from, len);
    return ZSTD_isError(size) ? SIZE_MAX : size;
}
