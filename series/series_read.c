/*
 * Reading a chunk; the format is in series.c. The checksum covers the bytes as
 * stored, so damage is found before anything is decompressed; decoding checks
 * limits nevertheless, since a checksum can be forged.
 */
#include <zstd.h>

#include "attr_codec.h"
#include "compress.h"
#include "hash.h"
#include "series.h"
#include "series_code.h"

enum { HEAD_BYTES = 6 };

struct visitor {
    const struct series_query *query;
    struct arena *arena;
    uint32_t resource;
    point_visit *visit;
    void *arg;
};

bool series_query_matches(const struct series_query *query, struct slice name)
{
    for (uint32_t i = 0; i < query->name_count; i++)
        if (slice_equal(query->names[i], name))
            return true;
    return query->name_count == 0;
}

/* The decompressed body of a chunk; false if that fails. */
static bool unpack(struct slice bytes, struct arena *arena, struct slice *body)
{
    struct byte_reader in = byte_reader_over(slice_from(bytes, HEAD_BYTES));
    uint64_t len = byte_reader_varint(&in);

    *body = (struct slice){in.at, byte_reader_left(&in)};
    if (in.bad || (uint8_t)bytes.ptr[1] > 1)
        return false;
    if (bytes.ptr[1] == 0)
        return len == body->len;
    if (len != ZSTD_getFrameContentSize(body->ptr, body->len))
        return false;

    char *room = arena_alloc(arena, (size_t)len + 1);
    if (!room ||
        zstd_decompress(room, (size_t)len, body->ptr, body->len) != len)
        return false;
    *body = (struct slice){room, (size_t)len};
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

static void read_series(struct byte_reader *in, const struct visitor *v,
                        const struct metric *metric)
{
    struct series_of series = {.metric = metric, .resource_id = v->resource};

    attrs_read(in, v->arena, ATTR_FORM_CHUNK, &series.attrs);
    uint64_t count = byte_reader_varint(in);
    uint64_t first = byte_reader_fixed(in, 8), last = byte_reader_fixed(in, 8);
    struct byte_reader data =
        byte_reader_over(byte_reader_bytes(in, byte_reader_fixed(in, 4)));

    if (in->bad || count == 0 || count > byte_reader_left(&data)) {
        byte_reader_fail(in);
        return;
    }
    if (last <= v->query->start_ns || first > v->query->end_ns)
        return;
    if (!is_wanted(v, &series))
        return;
    if (v->query->series)
        v->query->series(v->arg);
    if (v->query->heads && metric->type != METRIC_HISTOGRAM &&
        metric->type != METRIC_SUMMARY) {
        visit_head(v, &series, last);
        return;
    }
    points_read(&data, (uint32_t)count, &series, v->query->start_ns,
                v->query->end_ns, v->arena, v->visit, v->arg);
    if (data.bad)
        byte_reader_fail(in);
}

static void read_metric(struct byte_reader *in, const struct visitor *v)
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

enum status series_read(struct slice bytes, uint32_t resource,
                        const struct series_query *query, struct arena *arena,
                        point_visit *visit, void *arg)
{
    struct visitor v = {query, arena, resource, visit, arg};
    struct slice body;

    if (bytes.len < HEAD_BYTES)
        return ERR_CORRUPT;
    if ((uint8_t)bytes.ptr[0] > 1)
        return ERR_UNSUPPORTED;

    struct byte_reader head = byte_reader_over(slice_from(bytes, 2));
    uint32_t check = (uint32_t)byte_reader_fixed(&head, 4);
    if (bytes.ptr[0] != 1 ||
        check != (uint32_t)hash_bytes(bytes.ptr + HEAD_BYTES,
                                      bytes.len - HEAD_BYTES, 0) ||
        !unpack(bytes, arena, &body))
        return arena_status(arena) != OK ? arena_status(arena) : ERR_CORRUPT;

    struct byte_reader in = byte_reader_over(body);
    uint64_t metrics = byte_reader_varint(&in);
    for (uint64_t i = 0; i < metrics && !in.bad; i++)
        read_metric(&in, &v);
    if (arena_status(arena) != OK)
        return arena_status(arena);
    return in.bad ? ERR_CORRUPT : OK;
}
