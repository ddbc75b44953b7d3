/*
 * Reading a chunk (format: head of series.c). The check is over the bytes as
 * they are stored, so damage is found before anything is unpacked; what is
 * decoded after that is bounded all the same, since a check can be forged.
 */
#include <zstd.h>

#include "attr_codec.h"
#include "hash.h"
#include "series.h"
#include "series_code.h"
#include "unzstd.h"

enum { HEAD_BYTES = 6 };

struct visitor {
    const struct series_query *query;
    struct arena *arena;
    uint32_t resource;
    point_visit *visit;
    void *arg;
};

bool series_wants(const struct series_query *query, struct slice name)
{
    for (uint32_t i = 0; i < query->name_count; i++)
        if (slice_equal(query->names[i], name))
            return true;
    return query->name_count == 0;
}

/* The body of a chunk; false if it cannot be had. */
static bool unpack(struct slice bytes, struct arena *arena, struct slice *body)
{
    struct scan in = scan_over(slice_from(bytes, HEAD_BYTES));
    uint64_t len = scan_varint(&in);

    *body = (struct slice){in.at, scan_left(&in)};
    if (in.bad || (uint8_t)bytes.ptr[1] > 1)
        return false;
    if (bytes.ptr[1] == 0)
        return len == body->len;
    if (len != ZSTD_getFrameContentSize(body->ptr, body->len))
        return false;

    char *room = arena_alloc(arena, (size_t)len + 1);
    if (!room || unzstd(room, (size_t)len, body->ptr, body->len) != len)
        return false;
    *body = (struct slice){room, (size_t)len};
    return true;
}

static void read_scope(struct scan *in, struct arena *arena,
                       struct metric *metric)
{
    struct scope *scope = arena_zero(arena, 1, sizeof(*scope));

    if (!scope) {
        scan_fail(in);
        return;
    }
    scope->name = scan_slice(in);
    scope->version = scan_slice(in);
    scope->schema_url = scan_slice(in);
    attrs_read(in, arena, &scope->attrs);
    metric->scope = scope;
}

static void read_series(struct scan *in, const struct visitor *v,
                        const struct metric *metric)
{
    struct series_of series = {.metric = metric, .resource_id = v->resource};

    attrs_read(in, v->arena, &series.attrs);
    uint64_t count = scan_varint(in);
    uint64_t first = scan_fixed(in, 8), last = scan_fixed(in, 8);
    struct scan data = scan_over(scan_bytes(in, scan_fixed(in, 4)));

    if (in->bad || count == 0 || count > scan_left(&data)) {
        scan_fail(in);
        return;
    }
    if (last <= v->query->start_ns || first > v->query->end_ns)
        return;
    points_read(&data, (uint32_t)count, &series, v->query->start_ns,
                v->query->end_ns, v->arena, v->visit, v->arg);
    if (data.bad)
        scan_fail(in);
}

static void read_metric(struct scan *in, const struct visitor *v)
{
    struct scan data = scan_over(scan_bytes(in, scan_fixed(in, 4)));
    struct metric *metric;
    struct slice name = scan_slice(&data);

    if (in->bad || data.bad) {
        scan_fail(in);
        return;
    }
    if (!series_wants(v->query, name))
        return;
    metric = arena_zero(v->arena, 1, sizeof(*metric));
    if (!metric) {
        scan_fail(in);
        return;
    }
    metric->name = name;
    metric->unit = scan_slice(&data);
    metric->description = scan_slice(&data);
    metric->type = scan_byte(&data);
    metric->temporality = scan_byte(&data);
    metric->monotonic = scan_byte(&data) != 0;
    if (scan_byte(&data))
        read_scope(&data, v->arena, metric);
    if (metric->type > METRIC_SUMMARY || metric->temporality > CUMULATIVE)
        scan_fail(&data);

    uint64_t series = scan_varint(&data);
    for (uint64_t i = 0; i < series && !data.bad; i++)
        read_series(&data, v, metric);
    if (data.bad)
        scan_fail(in);
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

    struct scan head = scan_over(slice_from(bytes, 2));
    uint32_t check = (uint32_t)scan_fixed(&head, 4);
    if (bytes.ptr[0] != 1 ||
        check != (uint32_t)hash_bytes(bytes.ptr + HEAD_BYTES,
                                      bytes.len - HEAD_BYTES, 0) ||
        !unpack(bytes, arena, &body))
        return arena_status(arena) != OK ? arena_status(arena) : ERR_CORRUPT;

    struct scan in = scan_over(body);
    uint64_t metrics = scan_varint(&in);
    for (uint64_t i = 0; i < metrics && !in.bad; i++)
        read_metric(&in, &v);
    if (arena_status(arena) != OK)
        return arena_status(arena);
    return in.bad ? ERR_CORRUPT : OK;
}
