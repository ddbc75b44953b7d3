/*
 * Rows of series from ClickHouse, and the points made of them. Whatever bytes
 * come, reading stays inside of them and of the arena, and the points are in
 * the order of their times. Input: which table and what of it, where the answer
 * is cut, the answer.
 */
#include <stdlib.h>

#include "ch_read_series.h"
#include "ch_rows.h"
#include "store_resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 1 << 24 };

struct reading {
    struct ch_series_row row;
    struct ch_reader reader;
    struct arena arena;
    double read; /* the sum of what is in the points, so that it is read */
};

static uint32_t find_identity(void *arg, uint64_t key)
{
    (void)arg;
    return (uint32_t)key;
}

static void read_text(struct reading *r, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        r->read += text.ptr[i];
}

static void read_attrs(struct reading *r, const struct attrs *attrs)
{
    for (uint32_t i = 0; i < attrs->count; i++) {
        read_text(r, attr_key(&attrs->at[i]));
        read_text(r, attr_text(&attrs->at[i]));
    }
}

static void read_point(struct reading *r, const struct point *point,
                       enum metric_type type)
{
    bool numeric = type == METRIC_GAUGE || type == METRIC_SUM;
    const struct histogram *h = numeric ? NULL : point->histogram;

    read_attrs(r, &point->attrs);
    for (uint32_t i = 0; i < point->exemplar_count; i++)
        read_attrs(r, &point->exemplars[i].attrs);
    if (!h)
        return;
    for (uint32_t i = 0; i < h->bound_count; i++)
        r->read += h->bounds[i] + (h->values ? h->values[i] : 0);
    for (uint32_t i = 0; h->counts && i <= h->bound_count; i++)
        r->read += (double)h->counts[i];
    for (uint32_t i = 0; i < h->positive.count; i++)
        r->read += (double)h->positive.counts[i];
    for (uint32_t i = 0; i < h->negative.count; i++)
        r->read += (double)h->negative.counts[i];
}

static void decode(void *arg, struct byte_reader *in)
{
    struct reading *r = arg;

    ch_series_row_read(&r->row, in);
}

static enum status take(void *arg)
{
    struct reading *r = arg;
    struct ch_series_piece piece;
    enum status status;

    arena_reset(&r->arena);
    status = ch_series_piece_read(&r->row, &r->reader, 1, &r->arena, &piece);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < piece.count; i++) {
        if (i > 0 && piece.points[i].time_ns < piece.points[i - 1].time_ns)
            abort();
        read_point(r, &piece.points[i], piece.metric.type);
    }
    return OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct store_resources resources = {.find_identity =
                                                         find_identity};
    struct reading r = {.reader = {.resources = &resources}};
    struct ch_rows rows = {.decode = decode, .take = take, .arg = &r};

    if (size < 2)
        return 0;
    r.row.table = (enum ch_series_table)(data[0] % CH_SERIES_TABLES);
    r.row.what = (enum ch_series_what)(data[0] / CH_SERIES_TABLES % 3);
    arena_init(&r.arena, NULL, CAP);
    ch_rows_begin(&rows, NULL);
    struct slice bytes = {(const char *)data + 2, size - 2};
    size_t cut = data[1] < bytes.len ? data[1] : bytes.len;
    enum status status = ch_rows_add(&rows, (struct slice){bytes.ptr, cut});
    if (status == OK)
        status = ch_rows_add(&rows, slice_from(bytes, cut));
    if (status == OK)
        (void)!ch_rows_end(&rows);
    ch_rows_release(&rows);
    arena_release(&r.arena);
    return 0;
}
