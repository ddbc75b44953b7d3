/*
 * Each piece is written as one block or, if it is large, as several, in the
 * same way whenever it is read. The token of a block is
 *
 *   export/<store>/<kind>/<piece>/<number of the block>
 *
 * so a piece that was written in part and is written again is stored once. The
 * last piece that was written as a whole is noted in a named value behind it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "derived.h"
#include "export_int.h"
#include "mem.h"

/* CHUNK: records with one number of arrival (ch_arrival.h has room for 16,384);
 * PARTITION: one that Kafka's topics hardly have. */
enum {
    CHUNK = 8192,
    CHUNK_BITS = 12,
    PARTITION = 1023,
    PROGRESS_BYTES = 256,
    RETRY_S = 1,
    MOST_ATTRS = 16
};
#define PATIENCE_NS (5 * NS_PER_MIN)
#define SHOW_NS     (2 * NS_PER_S)

static const char *const kinds[] = {"spans", "logs", "points"};

struct piece_writer {
    struct export_pieces *x;
    struct reader *reader, *attributes;
    const struct store_piece *piece;
    struct store_block *block; /* NULL: nothing is in it */
    uint32_t number, chunks;
    enum status status;
    uint64_t rows[STREAM_COUNT]; /* of the piece */
    struct arena arena;          /* resources, until the block is written */
    struct resource **known;     /* by id in the folder */
    uint64_t begin_ns, shown_ns, before;
};

/* ---- blocks ---- */

/* ClickHouse may be away for a while. */
static enum status write_patiently(struct piece_writer *w, struct slice token)
{
    uint64_t end = clock_monotonic_ns() + PATIENCE_NS;
    bool said = false;
    enum status status;

    for (;;) {
        status = store_block_write(w->block, token, NULL);
        if ((status != ERR_BUSY && status != ERR_IO) ||
            clock_monotonic_ns() >= end)
            break;
        if (!said)
            fprintf(stderr, "callboard export: waiting for ClickHouse: %s\n",
                    store_health_reason(w->x->to)
                        ? store_health_reason(w->x->to)
                        : status_text(status));
        said = true;
        (void)sleep(RETRY_S);
    }
    return status;
}

static void write_block(struct piece_writer *w)
{
    struct buf token;

    if (!w->block)
        return;
    buf_init(&token, PROGRESS_BYTES);
    buf_format(&token, "export/%s/%s/%" PRIu64 "/%u", w->x->id,
               kinds[w->piece->kind], w->piece->id, w->number++);
    if (w->status == OK)
        w->status = write_patiently(w, buf_slice(&token));
    buf_release(&token);
    store_block_free(w->block);
    w->block = NULL;
    arena_reset(&w->arena);
    memset(w->known, 0, (w->x->resources->count + 1) * sizeof(*w->known));
}

static void add(struct piece_writer *w, struct batch *batch)
{
    struct {
        struct source_offset offset;
    } source = {{.topic = SLICE("export"),
                 .partition = PARTITION,
                 .offset = w->piece->id << CHUNK_BITS |
                           (w->chunks & ((1 << CHUNK_BITS) - 1))}};

    batch->source = &source.offset;
    if (!w->block)
        w->block =
            store_block_new(w->x->to, SLICE("export"), PARTITION, w->x->budget);
    store_block_add(w->block, batch);
    if (batch->signal != SIGNAL_METRICS)
        w->chunks++;
    w->rows[batch->derived ? STREAM_DERIVED : stream_of(batch->signal)] +=
        batch->count;
    if (store_block_bytes(w->block) >= w->x->block_bytes)
        write_block(w);
}

/* ---- records ---- */

static const struct resource *resource_of(struct piece_writer *w, uint32_t id)
{
    const struct export_resources *r = w->x->resources;
    struct resource *to, **at = &w->known[id < r->count ? id : r->count];

    if (*at)
        return *at;
    *at = to = arena_zero(&w->arena, 1, sizeof(*to));
    if (id >= r->count || r->at[id].synthetic ||
        reader_resource(w->attributes, id, &w->arena, to) != OK)
        *to = (struct resource){.id = RESOURCE_NONE};
    to->attrs = registry_stored(r->from, id, &to->attrs).attrs;
    return to;
}

static enum status take_spans(void *arg, struct span *spans, uint32_t count)
{
    struct piece_writer *w = arg;

    for (uint32_t at = 0; w->status == OK && at < count; at += CHUNK) {
        struct batch batch = {.signal = SIGNAL_SPANS, .spans = spans + at};

        batch.count = count - at < CHUNK ? count - at : CHUNK;
        for (uint32_t i = at; i < at + batch.count; i++) {
            spans[i].resource = resource_of(w, spans[i].resource_id);
            spans[i].resource_id =
                export_resource_id(w->x->resources, spans[i].resource_id);
        }
        add(w, &batch);
    }
    return w->status;
}

static int by_arrival(const void *a, const void *b)
{
    const struct log_record *left = a, *right = b;

    return (left->arrival > right->arrival) - (left->arrival < right->arrival);
}

/* Those of one time stay in the order in which they arrived. */
static enum status take_logs(void *arg, struct log_record *logs, uint32_t count)
{
    struct piece_writer *w = arg;

    if (count > 0)
        qsort(logs, count, sizeof(*logs), by_arrival);
    for (uint32_t at = 0; w->status == OK && at < count; at += CHUNK) {
        struct batch batch = {.signal = SIGNAL_LOGS, .logs = logs + at};

        batch.count = count - at < CHUNK ? count - at : CHUNK;
        for (uint32_t i = at; i < at + batch.count; i++) {
            logs[i].resource = resource_of(w, logs[i].resource_id);
            logs[i].resource_id =
                export_resource_id(w->x->resources, logs[i].resource_id);
        }
        add(w, &batch);
    }
    return w->status;
}

/* Numbers of identities are those of the folder. */
static void rename_peer(struct piece_writer *w, struct attrs *attrs,
                        struct attr room[MOST_ATTRS])
{
    uint32_t count = attrs->count < MOST_ATTRS ? attrs->count : MOST_ATTRS;

    for (uint32_t i = 0; i < count; i++) {
        room[i] = attrs->at[i];
        if (room[i].type == VALUE_INT &&
            slice_equal(attr_key(&room[i]), SLICE(DERIVED_PEER_ID)))
            room[i].i =
                export_identity_id(w->x->resources, (uint32_t)room[i].i);
    }
    *attrs = (struct attrs){room, count, attrs->dropped};
}

static void take_point(void *arg, const struct point *from)
{
    struct piece_writer *w = arg;
    struct metric metric = *from->metric;
    struct attr room[MOST_ATTRS];
    struct point point = *from;
    struct batch batch = {.signal = SIGNAL_METRICS,
                          .derived =
                              slice_starts(metric.name, SLICE("callboard.")),
                          .points = &point,
                          .count = 1};

    if (w->status != OK)
        return;
    metric.resource = resource_of(w, point.resource_id);
    point.metric = &metric;
    point.resource_id = export_resource_id(w->x->resources, point.resource_id);
    if (batch.derived)
        rename_peer(w, &point.attrs, room);
    add(w, &batch);
}

/* ---- progress ---- */

static void progress_name(const struct export_pieces *x, char name[64])
{
    (void)snprintf(name, 64, "export/%s", x->id);
}

static enum status save_progress(struct piece_writer *w)
{
    struct export_pieces *x = w->x;
    struct metadata *metadata = store_metadata(x->to);
    char name[64], text[PROGRESS_BYTES];

    for (int s = 0; s < STREAM_COUNT; s++)
        x->written[s] += w->rows[s];
    (void)snprintf(text, sizeof(text),
                   "1 %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
                   " %" PRIu64,
                   w->piece->kind, w->piece->id, x->written[0], x->written[1],
                   x->written[2], x->written[3]);
    progress_name(x, name);
    metadata_save_value(metadata, name, slice_of(text));
    return metadata_sync(metadata);
}

/* The last piece that was written; false: there is none. */
static enum status load_progress(struct export_pieces *x, bool *any,
                                 struct store_piece *last)
{
    char name[64], text[PROGRESS_BYTES] = "";
    struct slice value = {NULL, 0};
    struct arena arena;
    unsigned kind = 0;
    enum status status;

    progress_name(x, name);
    arena_init(&arena, NULL, 1 << 20);
    status = metadata_load_value(store_metadata(x->to), name, &arena, &value);
    if (status == OK && value.len > 0 && value.len < sizeof(text))
        slice_copy(text, value);
    arena_release(&arena);
    *any =
        sscanf(text,
               "1 %u %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &kind, &last->id, &x->written[0], &x->written[1], &x->written[2],
               &x->written[3]) == 2 + STREAM_COUNT;
    last->kind = (enum piece_kind)kind;
    if (status == OK && value.len > 0 && !*any)
        return ERR_UNSUPPORTED;
    return status;
}

static bool is_done(const struct store_piece *piece,
                    const struct store_piece *last)
{
    return piece->kind < last->kind ||
           (piece->kind == last->kind && piece->id <= last->id);
}

static uint64_t all_written(const struct export_pieces *x)
{
    uint64_t sum = 0;

    for (int s = 0; s < STREAM_COUNT; s++)
        sum += x->written[s];
    return sum;
}

static void show(struct piece_writer *w, bool last)
{
    const struct export_pieces *x = w->x;
    uint64_t now = clock_monotonic_ns(), done = all_written(x);
    double part = x->records ? (double)done / (double)x->records : 1;
    double seconds = (double)(now - w->begin_ns) / (double)NS_PER_S;
    double rate = seconds > 0 ? (double)(done - w->before) / seconds : 0;

    if (!last && now - w->shown_ns < SHOW_NS)
        return;
    w->shown_ns = now;
    printf("%" PRIu64 " of %" PRIu64 " records, about %.1f of %.1f MiB, %.0f "
           "records/s",
           done, x->records, part * (double)x->bytes / 1048576.0,
           (double)x->bytes / 1048576.0, rate);
    if (!last && rate > 0 && done < x->records)
        printf(", %.0f s remaining", (double)(x->records - done) / rate);
    printf("\n");
    (void)fflush(stdout);
}

/* ---- the whole ---- */

static enum status write_piece(struct piece_writer *w,
                               const struct bitmap *resources)
{
    const struct piece_visitor visitor = {
        .spans = take_spans, .logs = take_logs, .point = take_point, .arg = w};
    enum status status;

    w->number = w->chunks = 0;
    memset(w->rows, 0, sizeof(w->rows));
    status = reader_visit_piece(w->reader, w->piece, resources, &visitor);
    if (w->status == OK)
        w->status = status;
    write_block(w);
    if (w->status == OK)
        w->status = arena_status(&w->arena);
    return w->status == OK ? save_progress(w) : w->status;
}

static enum status write_all(struct piece_writer *w, struct arena *arena)
{
    uint32_t count = 0, ids = w->x->resources->count;
    struct store_piece *pieces, last = {.id = 0};
    struct bitmap *all = bitmap_new(arena, ids);
    bool any = false;
    enum status status = reader_list_pieces(w->reader, arena, &pieces, &count);

    for (uint32_t id = 0; all && id < ids; id++)
        bitmap_add(all, id);
    if (status == OK)
        status = load_progress(w->x, &any, &last);
    w->before = all_written(w->x);
    if (any)
        printf("%" PRIu64 " records are there already\n", w->before);
    for (uint32_t i = 0; status == OK && i < count; i++) {
        w->piece = &pieces[i];
        if (any && is_done(w->piece, &last))
            continue;
        status = write_piece(w, all);
        show(w, false);
    }
    show(w, true);
    return status;
}

enum status export_pieces(struct export_pieces *x)
{
    struct piece_writer w = {.x = x, .begin_ns = clock_monotonic_ns()};
    struct arena arena;
    enum status status = reader_open(&w.reader, x->from);

    arena_init(&arena, NULL, SIZE_MAX);
    arena_init(&w.arena, NULL, SIZE_MAX);
    w.known = mem_zero(x->resources->count + 1, sizeof(*w.known));
    if (status == OK)
        status = reader_open(&w.attributes, x->from);
    if (status == OK)
        status = reader_begin(w.reader);
    if (status == OK) {
        status = reader_begin(w.attributes);
        if (status == OK) {
            status = write_all(&w, &arena);
            reader_end(w.attributes);
        }
        reader_end(w.reader);
    }
    reader_close(w.attributes);
    reader_close(w.reader);
    free(w.known);
    arena_release(&w.arena);
    arena_release(&arena);
    return status;
}
