/*
 * All spans of one trace. The filters of all blocks are asked, which are a few
 * kilobytes each; then the blocks that may have it are opened. The spans of a
 * trace stand in a row in a block.
 */
#include <stdlib.h>

#include "copy.h"
#include "reader.h"

struct collect {
    struct reader *reader;
    const uint8_t *trace_id;
    bool whole;
    struct arena *arena; /* of the caller */
    struct span *spans;  /* in the reader's */
    uint32_t count, room;
};

/* A place for one more; NULL: no memory. */
static struct span *more(struct collect *c)
{
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : 64;
        struct span *spans = arena_zero(&c->reader->work, room, sizeof(*spans));

        if (!spans)
            return NULL;
        if (c->count > 0)
            memcpy(spans, c->spans, c->count * sizeof(*spans));
        c->spans = spans;
        c->room = room;
    }
    return &c->spans[c->count++];
}

static enum status collect_head(struct collect *c)
{
    struct head_walk walk = head_walk(c->reader, STREAM_SPANS);
    const struct batch *batch;

    while ((batch = head_next(&walk)))
        for (uint32_t i = 0; i < batch->count; i++) {
            const struct span *span = &batch->spans[i];

            if (memcmp(span->trace_id, c->trace_id, 16) != 0)
                continue;
            struct span *copy = more(c);
            if (!copy)
                return arena_status(&c->reader->work);
            *copy = *span;
        }
    return OK;
}

static enum status collect_block(struct collect *c, uint64_t id)
{
    struct open_block open;
    uint32_t first, count;
    enum status status = reader_open_block(c->reader, id, &open);

    if (status != OK)
        return status;
    status = block_find_trace(open.block, c->trace_id, &first, &count);
    for (uint32_t i = 0; i < count && status == OK; i++) {
        struct span span, *copy;

        status = block_span(open.block, first + i, c->whole, &span);
        if (status != OK)
            break;
        copy = more(c);
        if (copy)
            copy_span(c->arena, &span, c->whole, copy);
        status = arena_status(copy ? c->arena : &c->reader->work);
    }
    reader_close_block(c->reader, &open);
    return status;
}

/* Ids of the blocks whose filter may know the trace. */
static enum status find_blocks(struct collect *c, uint64_t **ids,
                               uint32_t *count)
{
    struct stmt s = stmt_start(c->reader->db, SQL_SUMMARIES);
    uint32_t room = 0;

    *count = 0;
    *ids = NULL;
    stmt_int(&s, KIND_SPANS);
    while (stmt_row(&s)) {
        if (!summary_has_trace(stmt_get_bytes(&s, 1), c->trace_id))
            continue;
        if (*count == room) {
            room = room ? 2 * room : 16;
            uint64_t *grown = arena_zero(&c->reader->work, room, sizeof(**ids));

            if (!grown)
                break;
            if (*count > 0)
                memcpy(grown, *ids, *count * sizeof(**ids));
            *ids = grown;
        }
        (*ids)[(*count)++] = stmt_get_int(&s, 0);
    }
    enum status status = stmt_end(&s);
    return status == OK ? arena_status(&c->reader->work) : status;
}

static int by_start(const void *left, const void *right)
{
    const struct span *a = left, *b = right;

    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, sizeof(a->span_id));
}

static enum status collect_blocks(struct collect *c)
{
    uint64_t *ids;
    uint32_t count;
    enum status status = find_blocks(c, &ids, &count);

    for (uint32_t i = 0; i < count && status == OK; i++) {
        uint32_t before = c->count;

        status = collect_block(c, ids[i]);
        if (reader_pass_over(status)) {
            c->count = before;
            status = OK;
        }
    }
    return status;
}

enum status reader_query_trace(struct reader *reader,
                               const uint8_t trace_id[16], bool whole,
                               struct arena *arena, struct span **spans,
                               uint32_t *count)
{
    struct collect c = {reader, trace_id, whole, arena, NULL, 0, 0};
    uint32_t kept = 0;

    arena_reset(&reader->work);
    enum status status = collect_head(&c);
    if (status == OK)
        status = collect_blocks(&c);
    if (status != OK)
        return status;
    struct span *found = NULL;
    if (c.count > 0) {
        qsort(c.spans, c.count, sizeof(*c.spans), by_start);
        found = arena_zero(arena, c.count, sizeof(*found));
        if (!found)
            return arena_status(arena);
    }
    for (uint32_t i = 0; i < c.count; i++)
        if (i == 0 || by_start(&c.spans[i - 1], &c.spans[i]) != 0)
            found[kept++] = c.spans[i];
    *spans = found;
    *count = kept;
    return OK;
}
