/*
 * A chunk is two pieces of bytes, stored apart: the tails are read only when
 * more than counts of histograms is wanted.
 *
 *   u8 version (3), u8 packing (1: the body is zstd, 2: the tails are), u32
 *   check, and then, over which check is taken (low half of hash_bytes):
 *   varint length of the body and of the tails before packing, u32 check of the
 *   tails as they are stored, the body
 *
 *   body    varint metrics, metrics * metric
 *   metric  u32 length of all that follows in it
 *           name, unit, description (each a varint length and bytes)
 *           u8 type, u8 temporality, u8 monotonic, u8 has scope
 *           [scope: name, version, schema_url, attrs]
 *           varint series, series * series
 *   series  attrs (attr_codec.h), varint points, u64 first time, u64 last time,
 *           [histograms: u32 place and u32 length of its tail in the tails]
 *           u32 length of the data, data (series_code.c)
 *
 * Versions 1 and 2 are read but not written. In version 2 the tails are behind
 * the body, whose length as it is stored is in place of their check; check is
 * over them, too. Version 1 has no tails: no length of them, no
 * stored length of the body, no places, and what is in a tail is in the data.
 *
 * The lengths let a reader skip metrics it was not asked for and series outside
 * of its time.
 *
 * Writing: the metric of each point is found by content (equal metrics of
 * different requests have different addresses), then its series by resource,
 * hour, metric and attributes; the points of a series form a list in order of
 * arrival. Series are then sorted by hour, resource and metric, the order of
 * the chunks. Nothing is allocated per point.
 */
#include "series.h"

#include <stdlib.h>
#include <zstd.h>

#include "array.h"
#include "attr_codec.h"
#include "attr_hash.h"
#include "hash.h"
#include "map.h"
#include "mem.h"
#include "series_add.h"
#include "series_code.h"
#include "series_format.h"

/* Shorter bodies are not worth compressing. A body that is small beside its
 * tails is read much more often than they are: then speed counts (a level below
 * 0 has no Huffman code). */
enum { PACK_FROM = 512, PACK_LEVEL = 1, BODY_LEVEL = -1, CHUNK_CAP = 1 << 30 };

#define NONE UINT32_MAX

struct series_entry {
    uint64_t hour;
    uint32_t resource, metric, first, last, count;
    const struct attrs *attrs;
};

struct series_writer {
    const struct metric **metrics;
    struct series_entry *series;
    uint32_t metric_count, metric_room, series_count, series_room;
    struct map metric_index, series_index;
    uint32_t *next; /* point after this one */
    uint32_t next_room;
    const struct point **row; /* points of one series */
    uint32_t row_room;
    const struct metric *last_metric;
    uint32_t last_metric_at;
    const struct point *const *points;
    struct buf body, tails; /* before packing */
    struct buf out, out_tails;
    struct arena sums;
    ZSTD_CCtx *zstd;
};

struct series_writer *series_writer_new(void)
{
    struct series_writer *w = mem_zero(1, sizeof(*w));

    buf_init(&w->body, CHUNK_CAP);
    buf_init(&w->tails, CHUNK_CAP);
    buf_init(&w->out, CHUNK_CAP);
    buf_init(&w->out_tails, CHUNK_CAP);
    arena_init(&w->sums, NULL, CHUNK_CAP);
    w->zstd = ZSTD_createCCtx();
    return w;
}

void series_writer_free(struct series_writer *w)
{
    if (!w)
        return;
    free(w->metrics);
    free(w->series);
    free(w->next);
    free(w->row);
    map_release(&w->metric_index);
    map_release(&w->series_index);
    buf_release(&w->body);
    buf_release(&w->tails);
    buf_release(&w->out);
    buf_release(&w->out_tails);
    arena_release(&w->sums);
    ZSTD_freeCCtx(w->zstd);
    free(w);
}

/* Empties the tables; count: of the points to come. */
static void prepare(struct series_writer *w, uint32_t count)
{
    array_reserve(&w->next, count, &w->next_room);
    array_reserve(&w->row, count, &w->row_room);
    map_clear(&w->metric_index);
    map_clear(&w->series_index);
    w->metric_count = w->series_count = 0;
    w->last_metric = NULL;
    arena_reset(&w->sums);
}

static uint64_t metric_hash(const struct metric *m)
{
    uint64_t h = hash_bytes(m->name.ptr, m->name.len, m->type);

    h = hash_bytes(m->unit.ptr, m->unit.len, h);
    h = hash_bytes(m->description.ptr, m->description.len, h);
    if (m->scope) {
        h = hash_bytes(m->scope->name.ptr, m->scope->name.len, h);
        h = hash_bytes(m->scope->version.ptr, m->scope->version.len, h);
    }
    return h;
}

static bool scope_equal(const struct scope *a, const struct scope *b)
{
    if (a == b)
        return true;
    return a && b && slice_equal(a->name, b->name) &&
           slice_equal(a->version, b->version) &&
           slice_equal(a->schema_url, b->schema_url) &&
           attrs_equal(&a->attrs, &b->attrs);
}

static bool metric_equal(const struct metric *a, const struct metric *b)
{
    return a->type == b->type && a->temporality == b->temporality &&
           a->monotonic == b->monotonic && slice_equal(a->name, b->name) &&
           slice_equal(a->unit, b->unit) &&
           slice_equal(a->description, b->description) &&
           scope_equal(a->scope, b->scope);
}

static uint32_t find_or_add_metric(struct series_writer *w,
                                   const struct metric *m)
{
    uint32_t hash = map_hash(hash_mix(metric_hash(m), 0));
    const struct metric **entry;

    map_each(&w->metric_index, hash, at)
        if (metric_equal(w->metrics[at], m))
            return at;
    entry = array_append(&w->metrics, w->metric_count, &w->metric_room);
    *entry = m;
    (void)map_add(&w->metric_index, hash, w->metric_count); /* on the heap */
    return w->metric_count++;
}

static struct series_entry *find_or_add_series(struct series_writer *w,
                                               const struct point *p)
{
    uint64_t hour = series_hour(p->time_ns);
    struct series_entry *entry;
    uint32_t metric, hash;

    if (p->metric != w->last_metric) {
        w->last_metric_at = find_or_add_metric(w, p->metric);
        w->last_metric = p->metric;
    }
    metric = w->last_metric_at;
    hash = map_hash(
        hash_mix(attrs_hash(&p->attrs),
                 hash_mix((uint64_t)p->resource_id << 32 | metric, hour)));
    map_each(&w->series_index, hash, at) {
        entry = &w->series[at];
        if (entry->hour == hour && entry->metric == metric &&
            entry->resource == p->resource_id &&
            attrs_equal(entry->attrs, &p->attrs))
            return entry;
    }
    entry = array_append(&w->series, w->series_count, &w->series_room);
    *entry = (struct series_entry){.hour = hour,
                                   .resource = p->resource_id,
                                   .metric = metric,
                                   .first = NONE,
                                   .last = NONE,
                                   .attrs = &p->attrs};
    (void)map_add(&w->series_index, hash, w->series_count++);
    return entry;
}

static int compare_series(const void *left, const void *right)
{
    const struct series_entry *a = left, *b = right;

    if (a->hour != b->hour)
        return a->hour < b->hour ? -1 : 1;
    if (a->resource != b->resource)
        return a->resource < b->resource ? -1 : 1;
    if (a->metric != b->metric)
        return a->metric < b->metric ? -1 : 1;
    return (a->first > b->first) - (a->first < b->first);
}

static int compare_times(const void *left, const void *right)
{
    const struct point *a = *(const struct point *const *)left;
    const struct point *b = *(const struct point *const *)right;

    return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static void patch_length(struct buf *out, size_t at)
{
    if (out->status == OK)
        store_le(out->ptr + at, out->len - at - 4, 4);
}

/* Collects the series' points in w->row in order of time; returns how many. */
static uint32_t collect_points(struct series_writer *w,
                               const struct series_entry *e, bool add_up)
{
    uint32_t count = 0;
    bool sorted = true;

    for (uint32_t i = e->first; i != NONE; i = w->next[i]) {
        w->row[count] = w->points[i];
        if (count > 0 && w->row[count]->time_ns < w->row[count - 1]->time_ns)
            sorted = false;
        count++;
    }
    if (!sorted)
        qsort(w->row, count, sizeof(*w->row), compare_times);
    if (!add_up)
        return count;

    uint32_t kept = 1;
    for (uint32_t i = 1; i < count; i++) {
        const struct point *sum =
            point_add(&w->sums, w->row[kept - 1], w->row[i]);

        if (sum)
            w->row[kept - 1] = sum;
        else
            w->row[kept++] = w->row[i];
    }
    return kept;
}

static uint32_t write_series(struct series_writer *w,
                             const struct series_entry *e, bool add_up)
{
    uint32_t count = collect_points(w, e, add_up);

    attrs_write(&w->body, e->attrs, ATTR_FORM_CHUNK);
    buf_varint(&w->body, count);
    buf_fixed(&w->body, w->row[0]->time_ns, 8);
    buf_fixed(&w->body, w->row[count - 1]->time_ns, 8);
    size_t tail = w->tails.len, places = w->body.len;
    bool has_tail = !is_number(w->row[0]->metric);
    if (has_tail)
        buf_fixed(&w->body, tail, 8);
    size_t at = w->body.len;
    buf_fixed(&w->body, 0, 4);
    points_write(&w->body, &w->tails, w->row, count);
    patch_length(&w->body, at);
    if (has_tail && w->body.status == OK)
        store_le(w->body.ptr + places + 4, w->tails.len - tail, 4);
    return count;
}

static void write_metric(struct buf *out, const struct metric *m)
{
    buf_sized(out, m->name);
    buf_sized(out, m->unit);
    buf_sized(out, m->description);
    buf_byte(out, (char)m->type);
    buf_byte(out, (char)m->temporality);
    buf_byte(out, m->monotonic);
    buf_byte(out, m->scope != NULL);
    if (m->scope)
        scope_write(out, m->scope, ATTR_FORM_CHUNK);
}

/* Appends a part, compressed if that makes it smaller; returns whether it is.
 */
static bool pack_part(struct series_writer *w, struct buf *out,
                      struct slice part, int level)
{
    size_t packed = 0;

    if (part.len >= PACK_FROM) {
        size_t bound = ZSTD_compressBound(part.len);
        char *room = buf_room(out, bound);

        if (room)
            packed = ZSTD_compressCCtx(w->zstd, room, bound, part.ptr, part.len,
                                       level);
        if (ZSTD_isError(packed) || packed >= part.len)
            packed = 0;
    }
    if (packed > 0)
        buf_grown(out, packed);
    else
        buf_add(out, part);
    return packed > 0;
}

/* Writes body and tails to w->out and w->out_tails. */
static enum status pack(struct series_writer *w)
{
    int level = w->tails.len > w->body.len ? BODY_LEVEL : PACK_LEVEL;
    struct buf *out = &w->out, *tails = &w->out_tails;
    int packing = 0;

    buf_reset(out);
    buf_reset(tails);
    if (w->tails.len > 0 &&
        pack_part(w, tails, buf_slice(&w->tails), PACK_LEVEL))
        packing |= PACKED_TAILS;
    buf_byte(out, CHUNK_VERSION);
    buf_byte(out, 0);
    buf_fixed(out, 0, 4);
    buf_varint(out, w->body.len);
    buf_varint(out, w->tails.len);
    buf_fixed(out, (uint32_t)hash_bytes(tails->ptr, tails->len, 0), 4);
    if (pack_part(w, out, buf_slice(&w->body), level))
        packing |= PACKED_BODY;
    if (out->status != OK || tails->status != OK || w->body.status != OK ||
        w->tails.status != OK)
        return ERR_TOO_BIG;
    out->ptr[1] = (char)packing;

    uint32_t check = (uint32_t)hash_bytes(out->ptr + 6, out->len - 6, 0);
    store_le(out->ptr + 2, check, 4);
    return OK;
}

/* Writes the chunk of the series in [from, to) to w->out and its tails. */
static enum status write_chunk(struct series_writer *w, uint32_t from,
                               uint32_t to, bool add_up, uint32_t *points)
{
    struct buf *body = &w->body;
    uint32_t metrics = 0;

    for (uint32_t i = from; i < to; i++)
        metrics += i == from || w->series[i].metric != w->series[i - 1].metric;
    buf_reset(body);
    buf_reset(&w->tails);
    buf_varint(body, metrics);
    *points = 0;
    for (uint32_t i = from; i < to;) {
        uint32_t metric = w->series[i].metric, end = i;
        size_t at = body->len;

        while (end < to && w->series[end].metric == metric)
            end++;
        buf_fixed(body, 0, 4);
        write_metric(body, w->metrics[metric]);
        buf_varint(body, end - i);
        for (; i < end; i++)
            *points += write_series(w, &w->series[i], add_up);
        patch_length(body, at);
    }
    return pack(w);
}

static void group(struct series_writer *w, const struct point *const *points,
                  uint32_t count)
{
    prepare(w, count);
    w->points = points;
    for (uint32_t i = 0; i < count; i++) {
        struct series_entry *e = find_or_add_series(w, points[i]);

        w->next[i] = NONE;
        if (e->last == NONE)
            e->first = i;
        else
            w->next[e->last] = i;
        e->last = i;
        e->count++;
    }
    qsort(w->series, w->series_count, sizeof(*w->series), compare_series);
}

enum status series_write(
    struct series_writer *w, const struct point *const *points, uint32_t count,
    bool add_up, enum status (*chunk)(void *arg, const struct chunk *chunk),
    void *arg)
{
    enum status status = OK;

    if (count == 0)
        return OK;
    group(w, points, count);
    for (uint32_t i = 0; i < w->series_count && status == OK;) {
        const struct series_entry *first = &w->series[i];
        struct chunk out = {.resource = first->resource, .hour = first->hour};
        uint32_t end = i;

        while (end < w->series_count && w->series[end].hour == first->hour &&
               w->series[end].resource == first->resource)
            end++;
        status = write_chunk(w, i, end, add_up, &out.count);
        if (status == OK) {
            out.bytes = buf_slice(&w->out);
            out.tails = buf_slice(&w->out_tails);
            status = chunk(arg, &out);
        }
        i = end;
    }
    return status;
}
