/*
 * A segment is a head, then entries back to back, then zeros or nothing:
 *
 *   OFFSET SIZE MEANING (all numbers little endian)
 *        0    8 "CBJOURNL"
 *        8    4 version, 4
 *       12    4 zero
 *       16    8 first lsn: every entry in here has this one or a greater one;
 *               an lsn is at least 1 and less than 2^63
 *       24    4 CRC-32 of bytes 0 to 23
 *       28    4 zero
 *       32    8 id of the journal, random, not 0
 *       40    8 last lsn in the segments before this one
 *       48    4 CRC-32 of bytes 32 to 47
 *       52   12 zero
 *       64      entries
 *
 *   entry:
 *        0    4 length of the entry, these 40 bytes included; 0: the end
 *        4    4 CRC-32 of all that follows, up to the end of the entry
 *        8    8 lsn, greater than that of the entry before
 *       16    8 received_ns
 *       24    1 signal: 0 spans, 1 logs, 2 metrics
 *       25    1 encoding: 0 protobuf, 1 JSON, 2 base/dead_letter.c
 *       26    2 length of the source; 0: there is none
 *       28    8 id of the journal
 *       36    2 length of the writer; 0: there is none
 *       38    2 zero
 *       40      source, writer (base/writer.c), then the body, not compressed
 *
 *   source, of a message from a Kafka partition (batch.h):
 *        0    4 partition
 *        4    8 offset in it
 *       12    8 time of the message, milliseconds since 1970; 0: not known
 *       20      name of the topic, at most 249 bytes
 *
 * Version 3 has no bytes 36 to 39 in an entry and no writers. Version 2 has no
 * bytes 32 to 63 in the head and 28 to 35 in an entry either; version 1 has no
 * sources and dead letters either.
 *
 * The id in each entry serves to find the next intact entry after a damaged
 * one. Senders choose the bodies and could put an entry with a good checksum
 * into one; they never learn the id.
 */
#include "journal_entry.h"

#include <libdeflate.h>
#include <string.h>

#include "buf.h"

#define LSN_MAX (UINT64_MAX >> 1)

enum {
    SEGMENT_HEAD_V2 = 32,
    ENTRY_HEAD_V2 = ENTRY_ID_AT,
    ENTRY_HEAD_V3 = ENTRY_ID_AT + ENTRY_ID_SIZE,
    ENTRY_WRITER_AT = ENTRY_HEAD_V3,
    LAST_VERSION_WITHOUT_ID = 2,
    LAST_VERSION_WITHOUT_WRITER = 3
};

static const char magic[8] = {'C', 'B', 'J', 'O', 'U', 'R', 'N', 'L'};

void segment_head_encode(char to[SEGMENT_HEAD], const struct segment_head *head)
{
    memset(to, 0, SEGMENT_HEAD);
    memcpy(to, magic, sizeof(magic));
    store_le(to + 8, SEGMENT_VERSION, 4);
    store_le(to + 16, head->first_lsn, 8);
    store_le(to + 24, libdeflate_crc32(0, to, 24), 4);
    store_le(to + 32, head->id, 8);
    store_le(to + 40, head->previous_lsn, 8);
    store_le(to + 48, libdeflate_crc32(0, to + 32, 16), 4);
}

/* Each half has a checksum of its own. */
static bool first_half_is_good(struct slice bytes)
{
    return bytes.len >= SEGMENT_HEAD_V2 &&
           memcmp(bytes.ptr, magic, sizeof(magic)) == 0 &&
           load_le(bytes.ptr + 24, 4) == libdeflate_crc32(0, bytes.ptr, 24);
}

static bool second_half_is_good(struct slice bytes)
{
    return bytes.len >= SEGMENT_HEAD && load_le(bytes.ptr + 32, 8) != 0 &&
           load_le(bytes.ptr + 48, 4) ==
               libdeflate_crc32(0, bytes.ptr + 32, 16);
}

static uint32_t entry_head_of(uint64_t version)
{
    if (version <= LAST_VERSION_WITHOUT_ID)
        return ENTRY_HEAD_V2;
    return version <= LAST_VERSION_WITHOUT_WRITER ? ENTRY_HEAD_V3 : ENTRY_HEAD;
}

/* The name repeats the lsn, so one damaged half of the head costs no entry. */
enum status segment_head_decode(struct slice bytes, uint64_t named_lsn,
                                struct segment_head *head)
{
    bool first = first_half_is_good(bytes), second = second_half_is_good(bytes);
    uint64_t version = first ? load_le(bytes.ptr + 8, 4) : SEGMENT_VERSION;
    bool has_id = version > LAST_VERSION_WITHOUT_ID;

    if (!first && !second)
        return ERR_CORRUPT;
    if (version > SEGMENT_VERSION)
        return ERR_UNSUPPORTED;
    *head = (struct segment_head){
        .first_lsn = first ? load_le(bytes.ptr + 16, 8) : named_lsn,
        .size = has_id ? SEGMENT_HEAD : SEGMENT_HEAD_V2,
        .entry_head = entry_head_of(version),
    };
    if (second && has_id) {
        head->id = load_le(bytes.ptr + 32, 8);
        head->previous_lsn = load_le(bytes.ptr + 40, 8);
    }
    if (head->first_lsn == 0 || head->first_lsn > LSN_MAX ||
        bytes.len < head->size)
        return ERR_CORRUPT;
    return OK;
}

uint64_t segment_entry_size(const struct batch *batch)
{
    uint64_t size =
        ENTRY_HEAD + writer_bytes(batch->writer).len + batch->body_len;

    return batch->source ? size + SOURCE_HEAD + batch->source->topic.len : size;
}

/* Returns its size. */
static size_t put_source(char *at, const struct source_offset *source)
{
    if (!source)
        return 0;
    store_le(at, source->partition, 4);
    store_le(at + 4, source->offset, 8);
    store_le(at + 12, source->time_ms, 8);
    slice_copy(at + SOURCE_HEAD, source->topic);
    return SOURCE_HEAD + source->topic.len;
}

size_t segment_entry_encode(char to[ENTRY_HEAD_MAX], const struct batch *batch,
                            uint64_t id)
{
    size_t source = put_source(to + ENTRY_HEAD, batch->source);
    struct slice writer = writer_bytes(batch->writer);
    uint32_t crc;

    store_le(to, segment_entry_size(batch), 4);
    store_le(to + 8, batch->lsn, 8);
    store_le(to + 16, batch->received_ns, 8);
    store_le(to + 24, batch->signal, 1);
    store_le(to + 25, batch->encoding, 1);
    store_le(to + 26, source, 2);
    store_le(to + ENTRY_ID_AT, id, ENTRY_ID_SIZE);
    store_le(to + ENTRY_WRITER_AT, writer.len, 2);
    store_le(to + ENTRY_WRITER_AT + 2, 0, 2);
    crc = libdeflate_crc32(0, to + 8, ENTRY_HEAD - 8 + source);
    if (writer.len > 0)
        crc = libdeflate_crc32(crc, writer.ptr, writer.len);
    if (batch->body_len > 0) /* with no bytes it would return the start value */
        crc = libdeflate_crc32(crc, batch->body, batch->body_len);
    store_le(to + 4, crc, 4);
    return ENTRY_HEAD + source;
}

bool segment_entry_decode(const struct segment_head *segment, const char *bytes,
                          uint64_t len, uint64_t last_lsn,
                          struct segment_entry *entry)
{
    uint64_t lsn = load_le(bytes + 8, 8);
    uint64_t source = load_le(bytes + 26, 2), writer = 0;
    unsigned signal = (unsigned char)bytes[24];
    unsigned encoding = (unsigned char)bytes[25];

    if (segment->entry_head == ENTRY_HEAD)
        writer = load_le(bytes + ENTRY_WRITER_AT, 2);
    if (lsn <= last_lsn || lsn > LSN_MAX || signal >= SIGNAL_COUNT ||
        encoding > BATCH_DEAD_LETTER || writer > WRITER_MAX_BYTES ||
        source + writer > len - segment->entry_head)
        return false;
    if (source > 0 &&
        (source < SOURCE_HEAD || source > SOURCE_HEAD + SOURCE_MAX_TOPIC))
        return false;
    if (segment->id != 0 &&
        load_le(bytes + ENTRY_ID_AT, ENTRY_ID_SIZE) != segment->id)
        return false;
    *entry = (struct segment_entry){
        .lsn = lsn,
        .received_ns = load_le(bytes + 16, 8),
        .signal = (enum signal)signal,
        .encoding = (enum batch_encoding)encoding,
        .has_source = source > 0,
        .source_len = (size_t)source,
        .writer_len = (size_t)writer,
        .body_len = (size_t)(len - segment->entry_head - source - writer),
    };
    return true;
}

void segment_source_decode(const char *bytes, struct segment_entry *entry)
{
    size_t len = entry->source_len;

    slice_copy(entry->topic,
               (struct slice){bytes + SOURCE_HEAD, len - SOURCE_HEAD});
    entry->source = (struct source_offset){
        .topic = {entry->topic, len - SOURCE_HEAD},
        .partition = (uint32_t)load_le(bytes, 4),
        .offset = load_le(bytes + 4, 8),
        .time_ms = load_le(bytes + 12, 8),
    };
}
