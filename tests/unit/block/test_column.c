#include "column.h"

#include <zstd.h>

#include "random_records.h"
#include "test.h"

struct fixture {
    struct arena arena;
    struct scratch scratch;
    struct buf bytes;
    struct column_writer out;
};

static void setup(struct fixture *f)
{
    arena_init(&f->arena, NULL, SIZE_MAX);
    scratch_init(&f->scratch);
    buf_init(&f->bytes, SIZE_MAX);
    f->out = (struct column_writer){
        .out = &f->bytes, .scratch = &f->scratch, .zstd = ZSTD_createCCtx()};
}

static void teardown(struct fixture *f)
{
    ZSTD_freeCCtx(f->out.zstd);
    arena_release(&f->arena);
    scratch_release(&f->scratch);
    buf_release(&f->bytes);
}

static struct column_reader reader(struct fixture *f)
{
    return (struct column_reader){
        .bytes = byte_reader_over(buf_slice(&f->bytes)), .arena = &f->arena};
}

/* Puts and reads back; returns the size. */
static size_t check_ints(const uint64_t *values, uint32_t count,
                         enum ints_hint hint)
{
    struct fixture f;
    struct column_reader in;
    struct ints ints;
    uint64_t *copy;
    size_t size;

    setup(&f);
    copy = arena_alloc(&f.arena, (count + 1) * sizeof(*copy));
    if (count > 0)
        memcpy(copy, values, count * sizeof(*copy));
    column_put_ints(&f.out, copy, count, hint);
    size = f.bytes.len;
    in = reader(&f);
    column_ints(&in, count, &ints);
    CHECK(!in.bytes.bad);
    CHECK_EQ(byte_reader_left(&in.bytes), 0);
    CHECK_EQ(ints.count, count);
    for (uint32_t i = 0; i < ints.count; i++)
        if (!CHECK_EQ(ints_at(&ints, i), values[i]))
            break;
    in = reader(&f);
    column_ints(&in, count + 1, &ints); /* not as many as expected */
    CHECK(in.bytes.bad);
    CHECK_EQ(ints_at(&ints, count), 0);
    teardown(&f);
    return size;
}

TEST(numbers_of_any_size_come_back)
{
    uint64_t values[600];

    for (int round = 0; round < 300; round++) {
        uint32_t count = test_random(round % 3 ? 600 : 5);
        unsigned bits = test_random(65);
        uint64_t v = test_random64(), factor = test_random(3) ? 1 : 1000;
        uint32_t kind = test_random(4);

        for (uint32_t i = 0; i < count; i++) {
            uint64_t r = bits ? test_random64() >> (64 - bits) : 0;

            v += kind == 0 ? 0 : r * factor;
            values[i] = kind < 3 ? v : r * factor;
            if (kind == 2 && test_random(20) == 0)
                v = test_random64();
        }
        check_ints(values, count, INTS_AUTO);
        check_ints(values, count, INTS_PLAIN);
    }
}

TEST(regular_numbers_are_small)
{
    uint64_t values[4096];

    for (uint32_t i = 0; i < 4096; i++)
        values[i] = UINT64_MAX - 5;
    CHECK(check_ints(values, 4096, INTS_AUTO) < 20);
    for (uint32_t i = 0; i < 4096; i++)
        values[i] = 1700000000000000000 + i * 1000000ULL;
    CHECK(check_ints(values, 4096, INTS_AUTO) < 200);
    for (uint32_t i = 0; i < 4096; i++)
        values[i] = 1700000000000000000 + i * 3000000ULL +
                    1000000ULL * test_random(200);
    CHECK(check_ints(values, 4096, INTS_AUTO) < 4096 * 2 + 100);
    for (uint32_t i = 0; i < 4096; i++)
        values[i] = i & 1 ? UINT64_MAX : 0; /* differences that overflow */
    CHECK(check_ints(values, 4096, INTS_AUTO) < 500);
}

static void check_texts(uint32_t count, uint32_t kinds, bool pieces)
{
    struct fixture f;
    struct column_reader in;
    struct texts texts;
    struct dict dict;
    struct slice *values;
    uint64_t *codes;

    setup(&f);
    dict_init(&dict, &f.scratch);
    values = arena_alloc(&f.arena, (count + 1) * sizeof(*values));
    codes = arena_alloc(&f.arena, (count + 1) * sizeof(*codes));
    for (uint32_t i = 0; i < count; i++) {
        values[i] = random_word(&f.arena, kinds % 2 ? "" : "text ", kinds);
        codes[i] = dict_add(&dict, values[i]);
    }
    column_put_dict(&f.out, &dict, codes, count, pieces);
    column_put_texts(&f.out, values, count);
    in = reader(&f);
    for (int round = 0; round < 2; round++) {
        column_texts(&in, count, &texts);
        CHECK(!in.bytes.bad);
        for (uint32_t i = 0; i < texts.count; i++)
            if (!CHECK(slice_equal(texts_at(&texts, i), values[i])))
                break;
        CHECK_EQ(texts.count, count);
    }
    CHECK_EQ(byte_reader_left(&in.bytes), 0);
    teardown(&f);
}

TEST(texts_come_back)
{
    for (int pieces = 0; pieces < 2; pieces++) {
        check_texts(0, 1, pieces);
        check_texts(1, 1, pieces);
        check_texts(3000, 1, pieces);  /* all the same */
        check_texts(3000, 40, pieces); /* a dictionary */
        check_texts(5000, 1000, pieces);
        check_texts(5000, 1000000, pieces); /* hardly any twice */
        check_texts(2048, 1000001, pieces);
        check_texts(2049, 1000001, pieces);
    }
}

TEST(blobs_come_back_compressed_if_that_helps)
{
    struct fixture f;
    char bytes[5000];
    struct column_reader in;

    setup(&f);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i % 13);
    column_put_blob(&f.out, (struct slice){bytes, sizeof(bytes)});
    CHECK(f.bytes.len < 200);
    column_put_blob(&f.out, (struct slice){NULL, 0});
    in = reader(&f);
    CHECK(slice_equal(column_blob(&in), (struct slice){bytes, sizeof(bytes)}));
    CHECK_EQ(column_blob(&in).len, 0);
    CHECK(!in.bytes.bad);
    buf_reset(&f.bytes);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)test_random(256);
    column_put_blob(&f.out, (struct slice){bytes, sizeof(bytes)});
    CHECK(f.bytes.len < sizeof(bytes) + 8);
    in = reader(&f);
    CHECK(slice_equal(column_blob(&in), (struct slice){bytes, sizeof(bytes)}));
    teardown(&f);
}
