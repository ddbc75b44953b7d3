/*
 * An answer of ClickHouse, any bytes: in one piece and cut, the rows are the
 * same; nothing is read behind its end, and what is allocated is given back.
 * The first byte says where it is cut.
 */
#include "ch_rows.h"

#include <stdint.h>
#include <stdlib.h>

#include "hash.h"

static void must(bool good)
{
    if (!good)
        abort();
}

struct seen {
    uint64_t number, sum;
    struct slice text;
    uint8_t id[8];
    double real;
    uint64_t rows, hash;
};

static void decode(void *arg, struct byte_reader *in)
{
    struct seen *seen = arg;

    seen->number = ch_read_u32(in);
    seen->text = ch_read_string(in);
    seen->sum = 0;
    for (uint64_t n = ch_read_count(in); n > 0 && !in->bad; n--)
        seen->sum += ch_read_has(in) ? ch_read_u8(in) : 1;
    (void)ch_read_id(in, seen->id, sizeof(seen->id));
    ch_skip_map(in);
    ch_skip_strings(in);
    seen->real = ch_read_f64(in);
}

static enum status take(void *arg)
{
    struct seen *seen = arg;

    seen->rows++;
    seen->hash = hash_bytes(seen->text.ptr, seen->text.len,
                            seen->hash + seen->number + seen->sum);
    seen->hash = hash_bytes(seen->id, sizeof(seen->id), seen->hash);
    return OK;
}

static enum status read_all(struct seen *seen, struct slice bytes, size_t step)
{
    struct ch_rows rows = {.decode = decode, .take = take, .arg = seen};
    struct budget budget;
    enum status status = OK;

    *seen = (struct seen){0};
    budget_init(&budget, 1 << 20);
    ch_rows_begin(&rows, &budget);
    while (bytes.len > 0 && status == OK) {
        size_t len = step < bytes.len ? step : bytes.len;
        char *piece = malloc(len); /* so that its end is watched */

        memcpy(piece, bytes.ptr, len);
        status = ch_rows_add(&rows, (struct slice){piece, len});
        free(piece);
        bytes = slice_from(bytes, len);
    }
    if (status == OK)
        status = ch_rows_end(&rows);
    must(rows.count == seen->rows);
    ch_rows_release(&rows);
    must(budget_used(&budget) == 0);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, cut;
    struct slice bytes;

    if (size < 2)
        return 0;
    bytes = (struct slice){(const char *)data + 1, size - 1};
    must(read_all(&whole, bytes, SIZE_MAX) ==
         read_all(&cut, bytes, 1 + data[0]));
    must(whole.rows == cut.rows && whole.hash == cut.hash);
    return 0;
}
