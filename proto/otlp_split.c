/*
 * A message has levels, each a list of messages inside the one above:
 *
 *   resource group, scope group, record                  spans, log records
 *   resource group, scope group, metric, data, point     metrics
 *
 * The fields of a group other than its list (resource, scope, schema URL,
 * name and type of a metric ...) are its head. The walk keeps the heads of the
 * groups that it is in. Each partition has a message that is being written, and
 * its open groups: a record is appended to it after the heads of those groups
 * that are not open there yet.
 *
 * The oneof of a metric may occur twice; the last member is valid, and records
 * of others before it are left out, as by the decoder.
 */
#include "otlp_split.h"

#include <stdlib.h>

#include "hash.h"
#include "mem.h"
#include "otlp_encode.h"
#include "wire.h"

enum { RESOURCE, SCOPE, METRIC, DATA, LEVELS };
enum { TAG_AND_LENGTH = 6, DATA_FIELDS = 0xea0, TRACE_ID = 16, KEY = 16 };

struct split_group {
    uint64_t number; /* of the group among all */
    uint32_t field;  /* of the group in the one above */
    struct buf head; /* encoded fields */
};

/* The message of a partition. */
struct split_message {
    struct buf out;
    uint32_t records, open; /* groups that are open */
    uint64_t number[LEVELS];
    size_t begin[LEVELS];
    size_t charged;
};

struct split_walk {
    struct otlp_split *split;
    struct split_message *parts;
    struct split_group levels[LEVELS];
    unsigned depth; /* levels above the record */
    uint64_t groups, records;
    size_t total;
    bool by_resource;
    uint32_t partition; /* of the resource */
    enum status status;
};

/* ---- the partition of a key ---- */

static uint32_t murmur2(struct slice key)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t hash = 0x9747b28c ^ (uint32_t)key.len;

    for (; key.len >= 4; key = slice_from(key, 4)) {
        uint32_t k = (uint32_t)load_le(key.ptr, 4) * m;

        k = (k ^ k >> 24) * m;
        hash = hash * m ^ k;
    }
    if (key.len > 0)
        hash = (hash ^ (uint32_t)load_le(key.ptr, key.len)) * m;
    hash = (hash ^ hash >> 13) * m;
    return hash ^ hash >> 15;
}

uint32_t otlp_partition(struct slice key, uint32_t partitions)
{
    return (murmur2(key) & 0x7fffffff) % partitions;
}

static uint32_t trace_partition(const struct split_walk *walk, struct slice id)
{
    static const char digits[] = "0123456789abcdef";
    char key[2 * TRACE_ID];

    for (size_t i = 0; i < TRACE_ID; i++) {
        key[2 * i] = digits[(uint8_t)id.ptr[i] >> 4];
        key[2 * i + 1] = digits[(uint8_t)id.ptr[i] & 15];
    }
    return otlp_partition((struct slice){key, sizeof(key)},
                          walk->split->partitions);
}

/* Sums do not depend on the order of the attributes. */
static uint32_t resource_partition(const struct split_walk *walk,
                                   struct slice resource)
{
    struct wire w = wire_over(resource);
    uint64_t a = 0, b = 0;
    char key[KEY];

    while (wire_next(&w))
        if (w.tag == WIRE_LEN(1)) {
            struct slice attribute = wire_bytes(&w);

            a += hash_bytes(attribute.ptr, attribute.len, 1);
            b += hash_bytes(attribute.ptr, attribute.len, 2);
        } else {
            wire_skip(&w, 0);
        }
    store_le(key, a, 8);
    store_le(key + 8, b, 8);
    return otlp_partition((struct slice){key, sizeof(key)},
                          walk->split->partitions);
}

/* The id of a span or a log record; empty: it has none. */
static struct slice trace_id(enum signal signal, struct slice record)
{
    uint32_t tag = signal == SIGNAL_SPANS ? WIRE_LEN(1) : WIRE_LEN(9);
    struct wire w = wire_over(record);

    while (wire_next(&w)) {
        struct slice id;

        if (w.tag != tag) {
            wire_skip(&w, 0);
            continue;
        }
        id = wire_bytes(&w);
        if (id.len == TRACE_ID &&
            !id_is_zero((const uint8_t *)id.ptr, TRACE_ID))
            return id;
    }
    return (struct slice){NULL, 0};
}

/* ---- the messages ---- */

static void emit(struct split_walk *walk, uint32_t partition)
{
    struct split_message *part = &walk->parts[partition];
    struct otlp_part done = {.partition = partition,
                             .charged = part->charged,
                             .records = part->records};

    while (part->open > 0)
        otlp_message_end(&part->out, part->begin[--part->open]);
    done.bytes = buf_detach(&part->out, &done.len);
    done.bytes = mem_resize(done.bytes, done.len, 1);
    walk->split->emit(walk->split->arg, &done);
    part->records = 0;
    part->charged = 0;
}

static void fail(struct split_walk *walk, enum status status)
{
    if (walk->status == OK)
        walk->status = status;
}

/* How many of the groups that the walk is in are open in the message. */
static unsigned open_levels(const struct split_walk *walk,
                            const struct split_message *part)
{
    unsigned level = 0;

    while (level < part->open &&
           part->number[level] == walk->levels[level].number)
        level++;
    return level;
}

/* Bytes that a record adds, with lengths of the largest size. */
static size_t size_with_heads(const struct split_walk *walk, unsigned open,
                              struct slice record)
{
    size_t size = record.len + TAG_AND_LENGTH;

    for (unsigned i = open; i < walk->depth; i++)
        size += walk->levels[i].head.len + TAG_AND_LENGTH;
    return size;
}

static void append(struct split_walk *walk, struct split_message *part,
                   unsigned open, struct slice record)
{
    uint32_t field = walk->split->signal == SIGNAL_METRICS ? 1 : 2;

    while (part->open > open)
        otlp_message_end(&part->out, part->begin[--part->open]);
    for (; part->open < walk->depth; part->open++) {
        const struct split_group *level = &walk->levels[part->open];

        part->number[part->open] = level->number;
        part->begin[part->open] = otlp_message_begin(&part->out, level->field);
        buf_add(&part->out, buf_slice(&level->head));
    }
    buf_varint(&part->out, WIRE_LEN(field));
    buf_sized(&part->out, record);
    part->records++;
}

static void place(struct split_walk *walk, uint32_t partition,
                  struct slice record)
{
    struct otlp_split *split = walk->split;
    struct split_message *part = &walk->parts[partition];
    unsigned open = open_levels(walk, part);
    size_t size = size_with_heads(walk, open, record);

    if (part->records > 0 && part->charged + size > split->max_bytes) {
        emit(walk, partition);
        open = 0;
        size = size_with_heads(walk, 0, record);
    }
    if (part->records == 0 && size > split->max_bytes) {
        split->too_big++;
        return;
    }
    walk->total += size;
    if (walk->total > split->max_total) {
        fail(walk, ERR_TOO_BIG);
    } else if (!budget_take(split->budget, size)) {
        fail(walk, ERR_BUSY);
    } else {
        if (part->records == 0)
            buf_init(&part->out, split->max_bytes);
        part->charged += size;
        append(walk, part, open, record);
    }
}

/* ---- the walk ---- */

static bool is_skipped(const struct split_walk *walk)
{
    const uint8_t *skip = walk->split->skip;
    uint64_t i = walk->records;

    return skip && skip[i / 8] >> (i % 8) & 1;
}

static void walk_record(struct split_walk *walk, struct slice record,
                        bool valid)
{
    uint32_t partition = walk->partition;

    if (valid && !is_skipped(walk) && walk->status == OK) {
        if (!walk->by_resource) {
            struct slice id = trace_id(walk->split->signal, record);

            partition = id.len > 0 ? trace_partition(walk, id) : 0;
        }
        place(walk, partition, record);
    }
    walk->records++;
}

/* Bits of the fields that are the list of a group. */
static uint32_t list_fields(const struct split_walk *walk, unsigned level)
{
    if (level + 1 == walk->depth && walk->split->signal == SIGNAL_METRICS)
        return 1u << 1; /* points */
    return level == METRIC ? DATA_FIELDS : 1u << 2;
}

static bool is_list(const struct wire *w, uint32_t fields)
{
    return (w->tag & 7) == 2 && w->tag < WIRE_LEN(32) &&
           fields >> (w->tag >> 3) & 1;
}

/* Sets the head of the group. Returns the field of its last list. */
static uint32_t read_head(struct split_walk *walk, unsigned level,
                          struct slice group)
{
    uint32_t lists = list_fields(walk, level), last = 0;
    struct split_group *to = &walk->levels[level];
    struct wire w = wire_over(group);
    const uint8_t *at = w.at;

    to->number = ++walk->groups;
    buf_reset(&to->head);
    for (; wire_next(&w); at = w.at) {
        bool list = is_list(&w, lists);

        if (list)
            last = w.tag >> 3;
        wire_skip(&w, 0);
        if (!list && w.status == OK)
            buf_add(&to->head,
                    (struct slice){(const char *)at, (size_t)(w.at - at)});
    }
    if (w.status != OK)
        fail(walk, w.status);
    return last;
}

/* Sets where the records of the resource go. */
static void begin_resource(struct split_walk *walk, struct slice group)
{
    struct wire w = wire_over(group);
    bool traced = walk->split->signal == SIGNAL_LOGS;

    walk->by_resource = walk->split->signal != SIGNAL_SPANS;
    if (!walk->by_resource)
        return;
    walk->partition = resource_partition(walk, (struct slice){NULL, 0});
    while (wire_next(&w)) {
        struct wire scope;

        if (w.tag == WIRE_LEN(1)) {
            walk->partition = resource_partition(walk, wire_bytes(&w));
        } else if (w.tag == WIRE_LEN(2) && traced) {
            scope = wire_sub(&w);
            while (traced && wire_next(&scope))
                if (scope.tag == WIRE_LEN(2))
                    traced = trace_id(SIGNAL_LOGS, wire_bytes(&scope)).len > 0;
                else
                    wire_skip(&scope, 0);
        } else {
            wire_skip(&w, 0);
        }
    }
    walk->by_resource = !traced;
}

static void walk_group(struct split_walk *walk, unsigned level,
                       struct slice group, bool valid)
{
    uint32_t lists = list_fields(walk, level), last;
    struct wire w = wire_over(group);

    last = read_head(walk, level, group);
    if (level == RESOURCE)
        begin_resource(walk, group);
    while (walk->status == OK && wire_next(&w)) {
        uint32_t field = w.tag >> 3;

        if (!is_list(&w, lists)) {
            wire_skip(&w, 0);
        } else if (level + 1 >= walk->depth || level + 1 >= LEVELS) {
            walk_record(walk, wire_bytes(&w), valid);
        } else {
            walk->levels[level + 1].field = field;
            walk_group(walk, level + 1, wire_bytes(&w),
                       valid && (level != METRIC || field == last));
        }
    }
    if (w.status != OK)
        fail(walk, w.status);
}

static void release(struct split_walk *walk)
{
    for (uint32_t i = 0; i < walk->split->partitions; i++) {
        struct split_message *part = &walk->parts[i];

        if (part->records == 0)
            continue;
        if (walk->status == OK) {
            emit(walk, i);
        } else {
            budget_give(walk->split->budget, part->charged);
            buf_release(&part->out);
        }
    }
    for (int i = 0; i < LEVELS; i++)
        buf_release(&walk->levels[i].head);
    free(walk->parts);
}

enum status otlp_split(struct otlp_split *split)
{
    struct split_walk walk = {
        .split = split,
        .parts = mem_zero(split->partitions, sizeof(struct split_message)),
        .depth = split->signal == SIGNAL_METRICS ? 4 : 2,
    };
    struct wire w = wire_over(split->body);

    split->too_big = 0;
    for (int i = 0; i < LEVELS; i++)
        buf_init(&walk.levels[i].head, SIZE_MAX / 2);
    walk.levels[RESOURCE].field = 1;
    while (walk.status == OK && wire_next(&w))
        if (w.tag == WIRE_LEN(1))
            walk_group(&walk, RESOURCE, wire_bytes(&w), true);
        else
            wire_skip(&w, 0);
    if (w.status != OK)
        fail(&walk, w.status);
    release(&walk);
    return walk.status;
}
