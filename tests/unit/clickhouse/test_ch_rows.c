/* Rows of RowBinary, cut anywhere. */
#include "ch_rows.h"

#include <stdlib.h>

#include "test.h"

struct row {
    uint64_t number;
    struct slice text;
    uint64_t count, sum;
    int64_t maybe;
    bool has;
    double real;
};

/* What was taken, as a text. */
struct taken {
    struct row row;
    struct buf text;
    uint64_t stop_at; /* ends with ERR_CANCELLED; 0: not */
};

static void decode_row(void *arg, struct byte_reader *in)
{
    struct row *row = &((struct taken *)arg)->row;

    row->number = ch_read_u64(in);
    row->text = ch_read_string(in);
    row->count = ch_read_count(in);
    row->sum = 0;
    for (uint64_t i = 0; i < row->count && !in->bad; i++)
        row->sum += ch_read_u16(in);
    row->has = ch_read_has(in);
    row->maybe = row->has ? ch_read_i32(in) : 0;
    row->real = ch_read_f64(in);
}

static enum status take_row(void *arg)
{
    struct taken *taken = arg;
    const struct row *row = &taken->row;

    buf_format(&taken->text, "%llu %.*s %llu %llu %d %lld %g\n",
               (unsigned long long)row->number, SLICE_ARGS(row->text),
               (unsigned long long)row->count, (unsigned long long)row->sum,
               row->has, (long long)row->maybe, row->real);
    return row->number == taken->stop_at && row->number ? ERR_CANCELLED : OK;
}

static void put_row(struct buf *bytes, uint64_t number, size_t text_len)
{
    uint64_t bits;
    double real = (double)number / 2;
    uint64_t count = number % 5;

    buf_fixed(bytes, number, 8);
    buf_varint(bytes, text_len);
    for (size_t i = 0; i < text_len; i++)
        buf_byte(bytes, (char)('a' + i % 26));
    buf_varint(bytes, count);
    for (uint64_t i = 0; i < count; i++)
        buf_fixed(bytes, number + i, 2);
    buf_byte(bytes, number % 2 ? 1 : 0);
    if (number % 2 == 0)
        buf_fixed(bytes, (uint64_t) - (int64_t)number, 4);
    memcpy(&bits, &real, 8);
    buf_fixed(bytes, bits, 8);
}

static struct buf some_rows(void)
{
    struct buf bytes;

    buf_init(&bytes, 1 << 24);
    for (uint64_t i = 1; i <= 6; i++)
        put_row(&bytes, i, i * i);
    put_row(&bytes, 7, 300);
    return bytes;
}

/* Reads in two pieces, or in pieces of `step` bytes. */
static enum status read_all(struct taken *taken, struct slice bytes,
                            size_t first, size_t step, struct budget *budget)
{
    struct ch_rows rows = {
        .decode = decode_row, .take = take_row, .arg = taken};
    enum status status = OK;

    buf_init(&taken->text, 1 << 24);
    ch_rows_begin(&rows, budget);
    while (bytes.len > 0 && status == OK) {
        size_t len = first > 0 ? first : step;

        if (len > bytes.len)
            len = bytes.len;
        status = ch_rows_add(&rows, (struct slice){bytes.ptr, len});
        bytes = slice_from(bytes, len);
        first = 0;
    }
    if (status == OK)
        status = ch_rows_end(&rows);
    ch_rows_release(&rows);
    return status;
}

TEST(rows_cut_at_every_byte)
{
    struct buf bytes = some_rows();
    struct budget budget;
    struct taken whole = {0}, cut = {0};

    budget_init(&budget, 1 << 20);
    CHECK_EQ(read_all(&whole, buf_slice(&bytes), 0, SIZE_MAX, &budget), OK);
    CHECK(whole.text.len > 100);
    for (size_t at = 1; at < bytes.len; at++) {
        CHECK_EQ(read_all(&cut, buf_slice(&bytes), at, SIZE_MAX, &budget), OK);
        CHECK(slice_equal(buf_slice(&cut.text), buf_slice(&whole.text)));
        buf_release(&cut.text);
    }
    for (size_t step = 1; step < 40; step++) {
        CHECK_EQ(read_all(&cut, buf_slice(&bytes), 0, step, &budget), OK);
        CHECK(slice_equal(buf_slice(&cut.text), buf_slice(&whole.text)));
        buf_release(&cut.text);
    }
    CHECK_EQ(budget_used(&budget), 0);
    buf_release(&whole.text);
    buf_release(&bytes);
}

TEST(an_answer_that_ends_within_a_row)
{
    struct buf bytes = some_rows();
    struct taken taken = {0};
    size_t bad = 0;

    for (size_t len = 1; len < bytes.len; len++) {
        enum status status =
            read_all(&taken, (struct slice){bytes.ptr, len}, 0, 7, NULL);

        CHECK(status == OK || status == ERR_CORRUPT);
        bad += status == ERR_CORRUPT;
        buf_release(&taken.text);
    }
    CHECK_EQ(bad, bytes.len - 1 - 6); /* six ends of rows before the last */
    buf_release(&bytes);
}

TEST(take_may_end_it)
{
    struct buf bytes = some_rows();
    struct taken taken = {.stop_at = 3};

    CHECK_EQ(read_all(&taken, buf_slice(&bytes), 0, 1, NULL), ERR_CANCELLED);
    buf_release(&taken.text);
    buf_release(&bytes);
}

TEST(memory_is_charged_and_bounded)
{
    struct buf bytes;
    struct budget budget;
    struct taken taken = {0};

    buf_init(&bytes, 1 << 24);
    put_row(&bytes, 1, 100000);
    budget_init(&budget, 50000);
    CHECK_EQ(read_all(&taken, buf_slice(&bytes), 0, 1000, &budget), ERR_BUSY);
    CHECK_EQ(budget_used(&budget), 0);
    buf_release(&taken.text);
    budget_init(&budget, 500000);
    CHECK_EQ(read_all(&taken, buf_slice(&bytes), 0, 1000, &budget), OK);
    CHECK_EQ(budget_used(&budget), 0);
    buf_release(&taken.text);
    buf_release(&bytes);
}

/* A length that no row has is not waited for without bound. */
TEST(a_row_above_the_limit)
{
    static char zeros[1 << 20];
    struct taken taken = {0};
    struct ch_rows rows = {
        .decode = decode_row, .take = take_row, .arg = &taken};
    enum status status = OK;
    int pieces = 0;

    buf_init(&taken.text, 1000);
    ch_rows_begin(&rows, NULL);
    status =
        ch_rows_add(&rows, SLICE("12345678\xff\xff\xff\xff\xff\xff\xff\x7f"));
    for (; status == OK && pieces < 100; pieces++)
        status = ch_rows_add(&rows, (struct slice){zeros, sizeof(zeros)});
    CHECK_EQ(status, ERR_TOO_BIG);
    CHECK_EQ(pieces, CH_ROW_MAX / (int)sizeof(zeros));
    ch_rows_release(&rows);
    buf_release(&taken.text);
}

TEST(ids_and_what_is_passed_over)
{
    struct byte_reader in = byte_reader_over(SLICE("\x08"
                                                   "0AF7ff00"
                                                   "\x02"
                                                   "xy"
                                                   "\x02\x01"
                                                   "a"
                                                   "\x00"
                                                   "\x01\x01"
                                                   "k\x01"
                                                   "v"
                                                   "\x05"));
    uint8_t id[4];

    CHECK(ch_read_id(&in, id, 4) && memcmp(id, "\x0a\xf7\xff\x00", 4) == 0);
    CHECK(!ch_read_id(&in, id, 4) && memcmp(id, "\0\0\0\0", 4) == 0);
    ch_skip_strings(&in);
    ch_skip_map(&in);
    CHECK_EQ(ch_read_u8(&in), 5);
    CHECK(!in.bad && in.at == in.end);
    CHECK_EQ(ch_read_count(&in), 0);
    CHECK(in.bad);
    ch_skip_map(&in);
}
