/*
 * Bytes of a segment's file. The first byte, if odd, asks for all checksums to
 * be put right first, so that what is behind them is reached. Whatever the
 * bytes are: what is read lies within the file, lsns grow, and reading again
 * without bodies sees the same.
 */
#define _GNU_SOURCE /* memfd_create */
#include <libdeflate.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "journal_segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int file = -1;

static int open_file(const char *path, int flags, mode_t mode)
{
    (void)path;
    (void)flags;
    (void)mode;
    return dup(file);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* In which the bytes of the id are what they are, so that some entries have it
 * and some have not. The version byte asks for version 4 if it is 4, for 3 if
 * it is odd, else for 2. */
static void mend(uint8_t *bytes, size_t size)
{
    bool newest = size > 8 && bytes[8] == 4;
    bool old = size > 8 && bytes[8] % 2 == 0 && !newest;
    size_t at = old ? 32 : SEGMENT_HEAD;
    size_t entry = old ? 28 : newest ? ENTRY_HEAD : 36;

    if (size < at)
        return;
    memcpy(bytes, "CBJOURNL\3\0\0", 12);
    if (old || newest)
        bytes[8] = old ? 2 : 4;
    put32(bytes + 24, libdeflate_crc32(0, bytes, 24));
    if (!old)
        put32(bytes + 48, libdeflate_crc32(0, bytes + 32, 16));
    while (size - at >= entry) {
        uint32_t len = get32(bytes + at);

        if (len < entry || len > size - at)
            return;
        put32(bytes + at + 4, libdeflate_crc32(0, bytes + at + 8, len - 8));
        at += len;
    }
}

struct read {
    enum status opened, ended;
    uint64_t first_lsn, last_lsn, good, entries;
    bool torn;
};

static struct read read_all(const struct journal_io *io, size_t size,
                            bool with_body)
{
    struct segment_reader reader;
    struct segment_entry entry;
    struct read read = {0};
    uint64_t last = 0;

    read.opened = segment_reader_open(&reader, io, "", 0, 1);
    while (read.opened == OK && read.ended == OK) {
        uint64_t good = reader.good;

        read.ended = segment_next(&reader, &entry, with_body);
        if (read.ended == ERR_CORRUPT && segment_resync(&reader) == OK) {
            if (reader.good <= good) /* it must come to an end */
                abort();
            read.ended = OK;
            continue;
        }
        if (read.ended != OK)
            break;
        if (entry.lsn <= last || entry.body_len > size ||
            (entry.body != NULL) != with_body ||
            (entry.writer != NULL) != (with_body && entry.writer_len > 0) ||
            entry.signal >= SIGNAL_COUNT ||
            entry.encoding > BATCH_DEAD_LETTER ||
            (entry.has_source && entry.source.topic.len > SOURCE_MAX_TOPIC))
            abort();
        last = entry.lsn;
        writer_free(entry.writer);
        free(entry.body);
        read.entries++;
    }
    if (read.opened == OK) {
        read.torn = segment_torn(&reader);
        read.first_lsn = reader.head.first_lsn;
        read.last_lsn = reader.last_lsn;
        read.good = reader.good;
        if (reader.good > size || reader.last_lsn + 1 < reader.head.first_lsn)
            abort();
    }
    segment_reader_close(&reader);
    return read;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct journal_io io = journal_io_system;
    struct read with, without;
    uint8_t *copy;

    if (size == 0)
        return 0;
    if (file < 0)
        file = memfd_create("segment", 0);
    io.open = open_file;
    copy = malloc(size);
    if (!copy)
        abort();
    memcpy(copy, bytes + 1, size - 1);
    if (bytes[0] % 2)
        mend(copy, size - 1);
    if (ftruncate(file, 0) < 0 ||
        pwrite(file, copy, size - 1, 0) != (ssize_t)(size - 1))
        abort();
    free(copy);
    with = read_all(&io, size - 1, true);
    without = read_all(&io, size - 1, false);
    if (with.opened != without.opened || with.ended != without.ended ||
        with.entries != without.entries || with.good != without.good ||
        with.torn != without.torn || with.last_lsn != without.last_lsn)
        abort();
    return 0;
}
