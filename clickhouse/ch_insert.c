#include "ch_insert.h"

#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "mem.h"

enum { TOKEN_MAX = 1024 };

/* An INSERT that ClickHouse has not answered by then is asked again. */
#define DEADLINE_NS (120 * NS_PER_S)

void ch_insert_init(struct ch_insert *insert, const struct ch_insert_def *def,
                    struct budget *budget)
{
    *insert = (struct ch_insert){.def = def, .budget = budget};
}

void ch_insert_release(struct ch_insert *insert)
{
    for (uint32_t i = 0; i < insert->frame_count; i++)
        ch_body_release(&insert->frames[i].body);
    free(insert->frames);
    free(insert->columns);
    ch_native_free(insert->native);
}

struct ch_column **ch_insert_columns(struct ch_insert *insert)
{
    const struct ch_insert_def *def = insert->def;

    if (insert->native)
        return insert->columns;
    insert->native = ch_native_new(def->columns, def->count, insert->budget);
    ch_native_force(insert->native);
    insert->columns = mem_zero(def->count, sizeof(*insert->columns));
    for (uint32_t i = 0; i < def->count; i++)
        insert->columns[i] = ch_native_column(insert->native, i);
    return insert->columns;
}

/* What was collected becomes a frame. */
static enum status compress(struct ch_insert *insert)
{
    struct ch_frame frame = {.part = insert->part};
    struct ch_native *native = insert->native;
    enum status status;

    frame.rows = native ? ch_native_rows(native) : 0;
    if (frame.rows == 0)
        return OK;
    status = ch_native_compress(native, &frame.body);
    if (status != OK)
        return status;
    ch_native_reset(native);
    insert->weight = 0;
    array_append(&insert->frames, insert->frame_count, &insert->frame_room);
    insert->frames[insert->frame_count++] = frame;
    insert->bytes += frame.body.len;
    return OK;
}

void ch_insert_row(struct ch_insert *insert, uint64_t weight)
{
    bool last = ++insert->part_rows >= CH_INSERT_ROWS;

    ch_native_row(insert->native);
    insert->rows++;
    insert->weight += weight;
    if (!last && insert->weight < CH_FRAME_BYTES)
        return;
    if (compress(insert) == OK && last) { /* else they are in the next frame */
        insert->part++;
        insert->part_rows = 0;
    }
}

uint64_t ch_insert_bytes(const struct ch_insert *insert)
{
    return insert->bytes + insert->weight;
}

/* ---- writing ---- */

/* The frames of one INSERT, and the rows that it has. */
static uint32_t frames_of(const struct ch_insert *insert, uint32_t part,
                          uint32_t *first)
{
    uint32_t end;

    for (*first = 0; *first < insert->frame_count; ++*first)
        if (insert->frames[*first].part == part)
            break;
    for (end = *first; end < insert->frame_count; end++)
        if (insert->frames[end].part != part)
            break;
    return end - *first;
}

/* One block of all rows, so that a token means the same rows whatever their
 * bytes; any number of days. */
static const struct ch_setting fixed_settings[] = {
    {"async_insert", SLICE_INIT("0")},
    {"insert_deduplicate", SLICE_INIT("1")},
    {"max_insert_threads", SLICE_INIT("1")},
    {"max_partitions_per_insert_block", SLICE_INIT("0")},
    {"min_insert_block_size_rows", SLICE_INIT("1048576")},
    {"min_insert_block_size_bytes", SLICE_INIT("0")},
};
enum { FIXED = sizeof(fixed_settings) / sizeof(*fixed_settings) };

static enum status insert_part(const struct ch_insert *insert, uint32_t first,
                               uint32_t count,
                               const struct ch_insert_call *call)
{
    struct slice *pieces = mem_alloc(count * sizeof(*pieces));
    struct ch_setting settings[FIXED + 1];
    struct buf token;
    struct ch_sql sql;
    enum status status;

    buf_init(&token, TOKEN_MAX);
    buf_format(&token, "%.*s/%s/%u", SLICE_ARGS(call->token),
               insert->def->table, insert->frames[first].part);
    memcpy(settings, fixed_settings, sizeof(fixed_settings));
    settings[FIXED] =
        (struct ch_setting){"insert_deduplication_token", buf_slice(&token)};
    for (uint32_t i = 0; i < count; i++)
        pieces[i] = (struct slice){insert->frames[first + i].body.ptr,
                                   insert->frames[first + i].body.len};
    ch_sql_init(&sql);
    ch_native_insert(insert->native, insert->def->table, &sql);

    struct ch_request request = {.sql = ch_sql_text(&sql),
                                 .pieces = pieces,
                                 .piece_count = count,
                                 .zstd = true,
                                 .writes = true,
                                 .settings = settings,
                                 .setting_count = FIXED + 1,
                                 .deadline_ns =
                                     clock_monotonic_ns() + DEADLINE_NS,
                                 .cancelled = call->cancelled};
    status = ch_run(call->client, &request, call->error);
    if (call->answered)
        call->answered(call->arg, call->error);
    ch_sql_release(&sql);
    buf_release(&token);
    free(pieces);
    return status;
}

enum status ch_insert_write(struct ch_insert *insert,
                            const struct ch_insert_call *call)
{
    enum status status = compress(insert);

    while (status == OK) {
        uint32_t first, count = frames_of(insert, insert->written, &first);

        if (count == 0)
            return OK;
        status = insert_part(insert, first, count, call);
        if (status != OK)
            return status;
        for (uint32_t i = first; i < first + count; i++)
            ch_body_release(&insert->frames[i].body);
        insert->written++;
    }
    return status;
}
