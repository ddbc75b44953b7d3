/*
 * Times when components were seen, as one value of callboard_values:
 *
 *   1 byte  version, 1
 *   then for each identity: 8 bytes key of its anchor, little endian; first
 *   time, last times of spans, logs, metrics in milliseconds, as LEB128
 *
 * Every instance saves all that it knows, the times of others included. If two
 * save at once the one that came first is lost, and comes again with what that
 * instance saves next.
 */
#include <stdlib.h>

#include "array.h"
#include "buf.h"
#include "byte_reader.h"
#include "ch_resources_int.h"

enum { SEEN_VERSION = 1, SEEN_MAX = 64 << 20 };

/* ---- reading ---- */

struct seen_value {
    struct slice text;
    struct identity_seen *at;
    uint32_t count, room;
};

static void decode_value(void *arg, struct byte_reader *in)
{
    struct seen_value *value = arg;

    value->text = ch_read_string(in);
}

static enum status take_value(void *arg)
{
    struct seen_value *value = arg;
    struct byte_reader in = byte_reader_over(value->text);

    if (byte_reader_u8(&in) != SEEN_VERSION)
        return OK;
    while (byte_reader_left(&in) > 0) {
        struct identity_seen seen = {.key = byte_reader_fixed(&in, 8)};

        seen.first_ns = byte_reader_varint(&in) * NS_PER_MS;
        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            seen.last_ns[s] = byte_reader_varint(&in) * NS_PER_MS;
        if (in.bad)
            break;
        *(struct identity_seen *)array_append(&value->at, value->count,
                                              &value->room) = seen;
        value->count++;
    }
    return OK;
}

static enum status read_seen(struct ch_resources *resources)
{
    struct seen_value value = {.count = 0};
    struct ch_rows rows = {
        .decode = decode_value, .take = take_value, .arg = &value};
    struct ch_reader reader = {.client = resources->client,
                               .cancelled = &resources->cancelled};
    struct ch_sql sql;
    enum status status;

    ch_sql_init(&sql);
    CH_SQL(&sql, "SELECT argMax(Value, Version) FROM callboard_values WHERE "
                 "Kind = 'seen' GROUP BY Name");
    status = ch_select(&reader, &sql, &rows);
    ch_sql_release(&sql);
    if (status != OK) {
        free(value.at);
        return status;
    }
    pthread_mutex_lock(&resources->lock);
    free(resources->others);
    resources->others = value.at;
    resources->others_count = value.count;
    pthread_mutex_unlock(&resources->lock);
    return OK;
}

/* ---- saving ---- */

static void pack(const struct identity_seen *seen, uint32_t count,
                 struct buf *out)
{
    buf_init(out, SEEN_MAX);
    buf_byte(out, SEEN_VERSION);
    for (uint32_t i = 0; i < count; i++) {
        buf_fixed(out, seen[i].key, 8);
        buf_varint(out, seen[i].first_ns / NS_PER_MS);
        for (unsigned s = 0; s < SIGNAL_COUNT; s++)
            buf_varint(out, seen[i].last_ns[s] / NS_PER_MS);
    }
}

static enum status save_seen(struct ch_resources *resources,
                             const struct identity_seen *seen, uint32_t count)
{
    static const struct ch_column_def columns[] = {
        {"Kind", "String"}, {"Version", "UInt64"}, {"Value", "String"}};
    struct ch_native *native = ch_native_new(columns, 3, NULL);
    uint64_t version = clock_wall_ns();
    struct ch_error error;
    struct buf packed;
    enum status status;

    pack(seen, count, &packed);
    ch_put_string(ch_native_column(native, 0), SLICE("seen"));
    ch_put_uint(ch_native_column(native, 1), version);
    ch_put_string(ch_native_column(native, 2), buf_slice(&packed));
    ch_native_row(native);
    status = packed.status == OK
                 ? ch_resources_insert(resources, native, "callboard_values",
                                       version, NULL, &error)
                 : packed.status;
    ch_native_free(native);
    buf_release(&packed);
    return status;
}

enum status ch_resources_share_seen(struct ch_resources *resources)
{
    enum status status = read_seen(resources);
    struct identity_seen *seen;
    uint32_t count;

    pthread_mutex_lock(&resources->lock);
    seen = resources->seen;
    count = resources->seen_count;
    resources->seen = NULL;
    resources->seen_count = 0;
    pthread_mutex_unlock(&resources->lock);
    if (status == OK && count > 0)
        status = save_seen(resources, seen, count);
    free(seen); /* what was not saved comes with the next times */
    return status;
}
