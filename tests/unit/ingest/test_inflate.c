#include "inflate.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "mem.h"
#include "test.h"

static struct budget budget;

static struct slice gzip(struct slice in)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    size_t room = libdeflate_gzip_compress_bound(c, in.len);
    char *out = mem_alloc(room);
    size_t len = libdeflate_gzip_compress(c, in.ptr, in.len, out, room);

    libdeflate_free_compressor(c);
    return (struct slice){out, len};
}

/* As a streaming writer makes it: without the content's size. */
static struct slice zstd(struct slice in, bool sized)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(in.len);
    char *out = mem_alloc(room);
    size_t len;

    (void)ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, sized);
    len = ZSTD_compress2(c, out, room, in.ptr, in.len);
    CHECK(!ZSTD_isError(len));
    ZSTD_freeCCtx(c);
    return (struct slice){out, len};
}

static void drop(struct slice s)
{
    free((void *)(uintptr_t)s.ptr);
}

static struct slice text(size_t len, uint32_t variety)
{
    char *out = mem_alloc(len);

    for (size_t i = 0; i < len; i++)
        out[i] = (char)test_random(variety);
    return (struct slice){out, len};
}

static enum status try(enum inflate_format format, struct slice in, size_t max,
                       struct slice want)
{
    char *body = NULL;
    size_t len = 0;
    enum status status;

    status = inflate_body(format, in, max, &budget, &body, &len);
    if (status == OK) {
        CHECK(slice_equal((struct slice){body, len}, want));
        CHECK_EQ(budget_used(&budget), len);
        budget_give(&budget, len);
        free(body);
    } else {
        CHECK(body == NULL);
        CHECK_EQ(len, 0);
    }
    CHECK_EQ(budget_used(&budget), 0);
    return status;
}

/* Of two bodies back to back. */
static struct slice join(struct slice a, struct slice b)
{
    char *out = mem_alloc(a.len + b.len);

    slice_copy(out, a);
    slice_copy(out + a.len, b);
    return (struct slice){out, a.len + b.len};
}

TEST(what_went_in_comes_out)
{
    static const size_t sizes[] = {0, 1, 100, 65536, 65537, 300000, 2000000};

    budget_init(&budget, 64 << 20);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
        for (uint32_t variety = 1; variety <= 256; variety *= 16) {
            struct slice in = text(sizes[i], variety);
            struct slice packed[] = {gzip(in), zstd(in, true), zstd(in, false)};

            for (size_t j = 0; j < 3; j++) {
                enum inflate_format format =
                    j == 0 ? INFLATE_GZIP : INFLATE_ZSTD;

                CHECK_EQ(try(format, packed[j], 8 << 20, in), OK);
                CHECK_EQ(try(format, packed[j], in.len, in), OK);
                if (in.len > 1)
                    CHECK_EQ(try(format, packed[j], in.len - 1, in),
                             ERR_TOO_BIG);
                drop(packed[j]);
            }
            drop(in);
        }
}

TEST(members_back_to_back_are_one_body)
{
    struct slice a = text(100000, 3), b = text(5000, 100);
    struct slice both = join(a, b), backwards = join(b, a);
    struct slice za = gzip(a), zb = gzip(b), zab = join(za, zb),
                 zba = join(zb, za);
    struct slice sa = zstd(a, false), sb = zstd(b, true), sab = join(sa, sb);

    budget_init(&budget, 64 << 20);
    CHECK_EQ(try(INFLATE_GZIP, zab, 1 << 20, both), OK);
    CHECK_EQ(try(INFLATE_GZIP, zba, 1 << 20, backwards), OK);
    CHECK_EQ(try(INFLATE_GZIP, zab, 104999, both), ERR_TOO_BIG);
    CHECK_EQ(try(INFLATE_ZSTD, sab, 1 << 20, both), OK);
    CHECK_EQ(try(INFLATE_ZSTD, sab, 104999, both), ERR_TOO_BIG);
    drop(a), drop(b), drop(both), drop(backwards);
    drop(za), drop(zb), drop(zab), drop(zba);
    drop(sa), drop(sb), drop(sab);
}

TEST(a_truncated_or_altered_body_is_malformed)
{
    struct slice in = text(3000, 5);
    struct slice packed[] = {gzip(in), zstd(in, true), zstd(in, false)};

    budget_init(&budget, 64 << 20);
    for (size_t j = 0; j < 3; j++) {
        enum inflate_format format = j == 0 ? INFLATE_GZIP : INFLATE_ZSTD;

        for (size_t len = j == 0 ? 0 : 1; len < packed[j].len; len++)
            CHECK_EQ(
                try(format, (struct slice){packed[j].ptr, len}, 1 << 20, in),
                ERR_MALFORMED);
        drop(packed[j]);
    }
    CHECK_EQ(try(INFLATE_GZIP, in, 1 << 20, in), ERR_MALFORMED);
    CHECK_EQ(try(INFLATE_ZSTD, in, 1 << 20, in), ERR_MALFORMED);
    drop(in);
}

/* 65 MiB of zeros in 64 KiB: refused at the limit, and the memory charged on
 * the way never passes it. */
TEST(bombs_stop_at_the_limit)
{
    enum { LIMIT = 1 << 20 };
    char *zeros = calloc(65, 1 << 20);
    struct slice in = {zeros, 65 << 20};
    struct slice packed[] = {gzip(in), zstd(in, true), zstd(in, false)};

    for (size_t j = 0; j < 3; j++) {
        enum inflate_format format = j == 0 ? INFLATE_GZIP : INFLATE_ZSTD;

        budget_init(&budget, 64 << 20);
        CHECK_EQ(try(format, packed[j], LIMIT, in), ERR_TOO_BIG);
        CHECK(budget.peak <= LIMIT);
        CHECK_EQ(try(format, packed[j], 64 << 20, in), ERR_TOO_BIG);
        budget_init(&budget, LIMIT / 2);
        CHECK_EQ(try(format, packed[j], 64 << 20, in), ERR_BUSY);
        drop(packed[j]);
    }
    free(zeros);
}

/* A short body that claims 4 GiB gets no more than is likely. */
TEST(claims_are_not_believed)
{
    struct slice in = text(100, 9), packed = gzip(in);
    char *claim = mem_alloc(packed.len);

    slice_copy(claim, packed);
    memset(claim + packed.len - 4, 0xff, 4);
    budget_init(&budget, 256 << 20);
    CHECK_EQ(try(INFLATE_GZIP, (struct slice){claim, packed.len}, 64 << 20, in),
             ERR_MALFORMED);
    CHECK(budget.peak <= 64 * 1024);
    free(claim);
    drop(packed), drop(in);
}
