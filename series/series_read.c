/*
 * Reading a chunk; the format is in series.c. Checksums cover the bytes as
 * stored, so damage is found before anything is decompressed; decoding checks
 * limits nevertheless, since a checksum can be forged.
 */
#include <zstd.h>

#include "attr_codec.h"
#include "compress.h"
#include "hash.h"
#include "series.h"
#include "series_code.h"
#include "series_format.h"

enum { HEAD_BYTES = 6 };

struct visitor {
    const struct series_query *query;
    struct arena *arena;
    uint32_t resource;
    point_visit *visit;
    void *arg;
    /* The tails as they are stored, loaded and unpacked once needed. */
    const struct chunk_bytes *chunk;
    bool has_tails, inside, packed, unpacked;
    struct slice tails;
    uint64_t tails_len;
    uint32_t tails_check;
};

/* A part as it was before packing; false if that fails. */
static bool unpack(struct slice *part, bool packed, uint64_t len,
                   struct arena *arena)
{
    char *room;

    if (!packed)
        return len == part->len;
    if (len != ZSTD_getFrameContentSize(part->ptr, part->len))
        return false;
    room = arena_alloc(arena, (size_t)len + 1);
    if (!room ||
        zstd_decompress(room, (size_t)len, part->ptr, part->len) != len)
        return false;
    *part = (struct slice){room, (size_t)len};
    return true;
}

/* Body and, in version 2, tails of a chunk; false if that fails. */
static bool open_parts(struct visitor *v, struct slice bytes,
                       struct slice *body)
{
    struct byte_reader in = byte_reader_over(slice_from(bytes, HEAD_BYTES));
    uint8_t packing = (uint8_t)bytes.ptr[1];
    uint64_t len = byte_reader_varint(&in);

    v->has_tails = bytes.ptr[0] >= TAILS_INSIDE;
    v->inside = bytes.ptr[0] == TAILS_INSIDE;
    v->packed = packing & PACKED_TAILS;
    if (v->has_tails)
        v->tails_len = byte_reader_varint(&in);
    if (v->inside) {
        *body = byte_reader_bytes(&in, byte_reader_fixed(&in, 4));
        v->tails = (struct slice){in.at, byte_reader_left(&in)};
    } else {
        if (v->has_tails)
            v->tails_check = (uint32_t)byte_reader_fixed(&in, 4);
        *body = (struct slice){in.at, byte_reader_left(&in)};
    }
    if (in.bad ||
        packing > (v->has_tails ? PACKED_BODY | PACKED_TAILS : PACKED_BODY))
        return false;
    return unpack(body, packing & PACKED_BODY, len, v->arena);
}

bool series_needs_tails(struct slice bytes)
{
    struct byte_reader in;

    if (bytes.len < HEAD_BYTES || (uint8_t)bytes.ptr[0] <= TAILS_INSIDE)
        return false;
    in = byte_reader_over(slice_from(bytes, HEAD_BYTES));
    byte_reader_varint(&in); /* of the body */
    return byte_reader_varint(&in) > 0 && !in.bad;
}

static bool load_tails(struct visitor *v)
{
    const struct chunk_bytes *chunk = v->chunk;

    if (v->inside)
        return true;
    v->tails = chunk->load_tails ? chunk->load_tails(chunk->arg) : chunk->tails;
    return (uint32_t)hash_bytes(v->tails.ptr, v->tails.len, 0) ==
           v->tails_check;
}

/* The tail of a series. */
static bool open_tail(struct visitor *v, uint64_t place, uint64_t len,
                      struct byte_reader *tail)
{
    if (!v->unpacked && (!load_tails(v) ||
                         !unpack(&v->tails, v->packed, v->tails_len, v->arena)))
        return false;
    v->unpacked = true;
    if (place > v->tails.len || len > v->tails.len - place)
        return false;
    *tail = byte_reader_over((struct slice){v->tails.ptr + place, len});
    return true;
}

static void read_scope(struct byte_reader *in, struct arena *arena,
                       struct metric *metric)
{
    struct scope *scope = arena_zero(arena, 1, sizeof(*scope));

    if (!scope) {
        byte_reader_fail(in);
        return;
    }
    scope_read(in, arena, ATTR_FORM_CHUNK, scope);
    metric->scope = scope;
}

static bool is_wanted(const struct visitor *v, const struct series_of *series)
{
    const struct point head = {.metric = series->metric,
                               .attrs = series->attrs,
                               .resource_id = series->resource_id};

    return !v->query->wants_series || v->query->wants_series(v->arg, &head);
}

static void visit_head(const struct visitor *v, const struct series_of *series,
                       uint64_t last)
{
    static const struct histogram none;
    struct point head = {.metric = series->metric,
                         .attrs = series->attrs,
                         .resource_id = series->resource_id,
                         .time_ns =
                             last < v->query->end_ns ? last : v->query->end_ns};

    if (series->metric->type == METRIC_EXP_HISTOGRAM)
        head.histogram = &none;
    v->visit(v->arg, &head);
}

struct tail_place {
    bool has;
    uint64_t at, len;
};

static struct tail_place read_place(struct byte_reader *in,
                                    const struct visitor *v,
                                    const struct metric *metric)
{
    struct tail_place place = {.has = v->has_tails && !is_number(metric)};

    if (place.has) {
        place.at = byte_reader_fixed(in, 4);
        place.len = byte_reader_fixed(in, 4);
    }
    return place;
}

/* Bounds and quantiles are in the points only. */
static bool head_is_enough(const struct visitor *v, const struct metric *metric)
{
    return v->query->heads && metric->type != METRIC_HISTOGRAM &&
           metric->type != METRIC_SUMMARY;
}

/* data is bad if the bytes are damaged. */
static void read_points(struct visitor *v, struct byte_reader *data,
                        uint32_t count, const struct series_of *series,
                        const struct tail_place *place)
{
    const struct points_visit visit = {v->visit, v->query->counts, v->arg};
    struct points_bytes bytes = {.in = data};
    struct byte_reader tail = {0};

    if (place->has && v->query->counts_only)
        bytes.counts_only = true;
    else if (place->has && !open_tail(v, place->at, place->len, &tail))
        byte_reader_fail(data);
    else if (place->has)
        bytes.tail = &tail;
    if (data->bad)
        return;
    points_read(&bytes, count, series, v->query->start_ns, v->query->end_ns,
                v->arena, &visit);
    if (tail.bad)
        byte_reader_fail(data);
}

static void read_series(struct byte_reader *in, struct visitor *v,
                        const struct metric *metric)
{
    struct series_of series = {.metric = metric, .resource_id = v->resource};

    attrs_read(in, v->arena, ATTR_FORM_CHUNK, &series.attrs);
    uint64_t count = byte_reader_varint(in);
    uint64_t first = byte_reader_fixed(in, 8), last = byte_reader_fixed(in, 8);
    struct tail_place place = read_place(in, v, metric);
    struct byte_reader data =
        byte_reader_over(byte_reader_bytes(in, byte_reader_fixed(in, 4)));

    if (in->bad || count == 0 || count > byte_reader_left(&data)) {
        byte_reader_fail(in);
        return;
    }
    if (last <= v->query->start_ns || first > v->query->end_ns ||
        !is_wanted(v, &series))
        return;
    if (v->query->series)
        v->query->series(v->arg);
    if (head_is_enough(v, metric)) {
        visit_head(v, &series, last);
        return;
    }
    read_points(v, &data, (uint32_t)count, &series, &place);
    if (data.bad)
        byte_reader_fail(in);
}

static void read_metric(struct byte_reader *in, struct visitor *v)
{
    struct byte_reader data =
        byte_reader_over(byte_reader_bytes(in, byte_reader_fixed(in, 4)));
    struct metric *metric;
    struct slice name = byte_reader_slice(&data);

    if (in->bad || data.bad) {
        byte_reader_fail(in);
        return;
    }
    if (!series_query_matches(v->query, name))
        return;
    metric = arena_zero(v->arena, 1, sizeof(*metric));
    if (!metric) {
        byte_reader_fail(in);
        return;
    }
    metric->name = name;
    metric->unit = byte_reader_slice(&data);
    metric->description = byte_reader_slice(&data);
    metric->type = byte_reader_u8(&data);
    metric->temporality = byte_reader_u8(&data);
    metric->monotonic = byte_reader_u8(&data) != 0;
    if (byte_reader_u8(&data))
        read_scope(&data, v->arena, metric);
    if (metric->type > METRIC_SUMMARY || metric->temporality > CUMULATIVE)
        byte_reader_fail(&data);
    if (v->query->wants_metric && !v->query->wants_metric(v->arg, metric))
        return;

    uint64_t series = byte_reader_varint(&data);
    for (uint64_t i = 0; i < series && !data.bad; i++)
        read_series(&data, v, metric);
    if (data.bad)
        byte_reader_fail(in);
}

enum status series_read(const struct chunk_bytes *chunk, uint32_t resource,
                        const struct series_query *query, struct arena *arena,
                        point_visit *visit, void *arg)
{
    struct visitor v = {.query = query,
                        .arena = arena,
                        .resource = resource,
                        .visit = visit,
                        .arg = arg,
                        .chunk = chunk};
    struct slice body, bytes = chunk->bytes;

    if (bytes.len < HEAD_BYTES)
        return ERR_CORRUPT;
    if ((uint8_t)bytes.ptr[0] > CHUNK_VERSION)
        return ERR_UNSUPPORTED;

    struct byte_reader head = byte_reader_over(slice_from(bytes, 2));
    uint32_t check = (uint32_t)byte_reader_fixed(&head, 4);
    if (bytes.ptr[0] == 0 ||
        check != (uint32_t)hash_bytes(bytes.ptr + HEAD_BYTES,
                                      bytes.len - HEAD_BYTES, 0) ||
        !open_parts(&v, bytes, &body))
        return arena_status(arena) != OK ? arena_status(arena) : ERR_CORRUPT;

    struct byte_reader in = byte_reader_over(body);
    uint64_t metrics = byte_reader_varint(&in);
    for (uint64_t i = 0; i < metrics && !in.bad; i++)
        read_metric(&in, &v);
    if (arena_status(arena) != OK)
        return arena_status(arena);
    return in.bad ? ERR_CORRUPT : OK;
}
