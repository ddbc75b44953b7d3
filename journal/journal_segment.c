/*
 * A segment is a head, then entries back to back, then zeros or nothing:
 *
 *   OFFSET SIZE MEANING (all numbers little endian)
 *        0    8 "CBJOURNL"
 *        8    4 version, 3
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
 *        0    4 length of the entry, these 28 bytes included; 0: the end
 *        4    4 CRC-32 of all that follows, up to the end of the entry
 *        8    8 lsn, greater than that of the entry before
 *       16    8 received_ns
 *       24    1 signal: 0 spans, 1 logs, 2 metrics
 *       25    1 encoding: 0 protobuf, 1 JSON, 2 dead letter
 * (base/dead_letter.c) 26    2 length of the source; 0: there is none 28    8
 * id of the journal 36      source, then the body, not compressed
 *
 *   source, of what came out of a partition of a log (batch.h):
 *        0    4 partition
 *        4    8 offset in it
 *       12    8 time of the message, milliseconds since 1970; 0: not known
 *       20      name of the topic, at most 249 bytes
 *
 * Version 2 has no bytes 32 to 63 in the head and 28 to 35 in an entry; version
 * 1 has no origins and letters either.
 *
 * Damage. The id in each entry is how the next whole one is found behind a
 * damaged one. Senders choose the bodies, and could put a whole entry with a
 * good checksum into one; but they never learn the id.
 *
 * Writing. Entries are copied into an aligned chunk and leave by O_DIRECT into
 * space set aside before: measured against buffered writes (with the bodies in
 * an iovec, without our copy) that takes 0.18 to 0.31 ms of CPU a MB in place
 * of 0.28 to 0.46, and leaves the page cache to the readers. The last block is
 * seldom full: it is padded with zeros, and written again, longer, next time.
 * What it held before is the same bytes, so a write of it cut short hurts
 * nothing. Where O_DIRECT is refused the same code writes buffered.
 *
 * Reading goes through a window, with bodies read straight to where they stay.
 * Not mapped: a bad sector is to be an error, not a SIGBUS.
 */
#define _GNU_SOURCE /* O_DIRECT, memmem */
#include "journal_segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

enum { BLOCK = 4096, CHUNK = 1 << 20, WINDOW = 256 * 1024 };

#define LSN_MAX (UINT64_MAX >> 1)

enum { SOURCE_HEAD = 20, ID_SIZE = 8, ID_AT = ENTRY_HEAD - ID_SIZE };

enum { OLD_SEGMENT_HEAD = 32, OLD_ENTRY_HEAD = ID_AT, OLD_VERSION = 2 };

static const char magic[8] = {'C', 'B', 'J', 'O', 'U', 'R', 'N', 'L'};

static void put(char *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (char)(value >> (8 * i) & 0xff);
}

static uint64_t get(const char *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return value;
}

/* ---- writing ---- */

void segment_writer_init(struct segment_writer *writer,
                         const struct journal_io *io)
{
    void *chunk = NULL;

    *writer = (struct segment_writer){.io = io, .fd = -1};
    if (posix_memalign(&chunk, BLOCK, CHUNK) != 0)
        abort(); /* once, at start-up */
    writer->chunk = chunk;
}

void segment_writer_release(struct segment_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->chunk);
    *writer = (struct segment_writer){.fd = -1};
}

/* len is whole blocks, and so is every step, or O_DIRECT would refuse. */
static enum status write_blocks(struct segment_writer *writer, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = writer->io->pwrite(writer->fd, writer->chunk + done,
                                       len - done, (off_t)(writer->at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n >= 0 && n < BLOCK)
            errno = ENOSPC; /* what a short write mostly means */
        if (n < BLOCK)
            return ERR_IO;
        done += (size_t)n / BLOCK * BLOCK;
    }
    return OK;
}

static enum status add(struct segment_writer *writer, const char *bytes,
                       size_t len)
{
    while (len > 0) {
        size_t part = CHUNK - writer->fill;

        if (part > len)
            part = len;
        memcpy(writer->chunk + writer->fill, bytes, part);
        writer->fill += part;
        bytes += part;
        len -= part;
        if (writer->fill == CHUNK) {
            enum status status = write_blocks(writer, CHUNK);

            if (status != OK)
                return status;
            writer->at += CHUNK;
            writer->fill = 0;
        }
    }
    return OK;
}

static enum status flush(struct segment_writer *writer)
{
    size_t whole = writer->fill / BLOCK * BLOCK;
    size_t padded = (writer->fill + BLOCK - 1) / BLOCK * BLOCK;
    enum status status;

    memset(writer->chunk + writer->fill, 0, padded - writer->fill);
    status = write_blocks(writer, padded);
    if (status != OK)
        return status;
    memmove(writer->chunk, writer->chunk + whole, writer->fill - whole);
    writer->at += whole;
    writer->fill -= whole;
    return OK;
}

static enum status create(struct segment_writer *writer, const char *path,
                          int dir_fd, uint64_t bytes)
{
    int flags = O_RDWR | O_CREAT | O_TRUNC;
    enum status status;

    writer->fd = writer->io->open(path, flags | O_DIRECT, 0600);
    if (writer->fd < 0 && errno == EINVAL)
        writer->fd = writer->io->open(path, flags, 0600);
    if (writer->fd < 0)
        return ERR_IO;
    /* Not every file system can; a full one must say so now. */
    if (writer->io->allocate(writer->fd, (off_t)bytes) < 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return ERR_IO;
    status = flush(writer);
    if (status != OK && errno == EINVAL) { /* takes the flag, not the write */
        (void)fcntl(writer->fd, F_SETFL, 0);
        status = flush(writer);
    }
    if (status == OK &&
        (writer->io->sync(writer->fd) < 0 || writer->io->sync_dir(dir_fd) < 0))
        status = ERR_IO;
    return status;
}

enum status segment_create(struct segment_writer *writer, const char *path,
                           int dir_fd, uint64_t first_lsn, uint64_t after,
                           uint64_t bytes)
{
    char *head = writer->chunk;
    enum status status;

    assert(writer->fd < 0);
    memset(head, 0, SEGMENT_HEAD);
    memcpy(head, magic, sizeof(magic));
    put(head + 8, SEGMENT_VERSION, 4);
    put(head + 16, first_lsn, 8);
    put(head + 24, libdeflate_crc32(0, head, 24), 4);
    put(head + 32, writer->id, 8);
    put(head + 40, after, 8);
    put(head + 48, libdeflate_crc32(0, head + 32, 16), 4);
    writer->fill = SEGMENT_HEAD;
    writer->at = 0;
    status = create(writer, path, dir_fd, bytes);
    if (status != OK && writer->fd >= 0) {
        int error = errno;

        close(writer->fd);
        writer->fd = -1;
        (void)writer->io->unlink(path);
        errno = error;
    }
    return status;
}

uint64_t segment_entry_size(const struct batch *batch)
{
    uint64_t size = ENTRY_HEAD + batch->body_len;

    return batch->source ? size + SOURCE_HEAD + batch->source->topic.len : size;
}

/* The source of the batch, if it has one, behind its entry's head. */
static size_t put_source(char *at, const struct batch *batch)
{
    const struct source_offset *source = batch->source;

    if (!source)
        return 0;
    put(at, source->partition, 4);
    put(at + 4, source->offset, 8);
    put(at + 12, source->time_ms, 8);
    slice_copy(at + SOURCE_HEAD, source->topic);
    return SOURCE_HEAD + source->topic.len;
}

enum status segment_append(struct segment_writer *writer,
                           const struct batch *batch)
{
    char head[ENTRY_HEAD + SOURCE_HEAD + SOURCE_MAX_TOPIC];
    size_t source = put_source(head + ENTRY_HEAD, batch);
    uint32_t crc;
    enum status status;

    assert(batch->body_len <= ENTRY_MAX_BODY);
    put(head, segment_entry_size(batch), 4);
    put(head + 8, batch->lsn, 8);
    put(head + 16, batch->received_ns, 8);
    put(head + 24, batch->signal, 1);
    put(head + 25, batch->encoding, 1);
    put(head + 26, source, 2);
    put(head + ID_AT, writer->id, ID_SIZE);
    crc = libdeflate_crc32(0, head + 8, ENTRY_HEAD - 8 + source);
    if (batch->body_len > 0) /* begins anew when there is no body */
        crc = libdeflate_crc32(crc, batch->body, batch->body_len);
    put(head + 4, crc, 4);
    status = add(writer, head, ENTRY_HEAD + source);
    if (status == OK)
        status = add(writer, batch->body, batch->body_len);
    return status;
}

enum status segment_sync(struct segment_writer *writer)
{
    enum status status = flush(writer);

    if (status == OK && writer->io->sync(writer->fd) < 0)
        status = ERR_IO;
    return status;
}

enum status segment_finish(struct segment_writer *writer, uint64_t size)
{
    if (writer->fd < 0)
        return OK;
    if (writer->io->truncate(writer->fd, (off_t)size) < 0)
        return ERR_IO;
    close(writer->fd);
    writer->fd = -1;
    return OK;
}

/* ---- reading ---- */

ssize_t segment_read(const struct segment_reader *reader, char *bytes,
                     size_t len, uint64_t at)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = reader->io->pread(reader->fd, bytes + done, len - done,
                                      (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

/* What the window holds of the file from `at` on, at least len bytes if the
 * file has them (len is at most WINDOW). */
static enum status look(struct segment_reader *reader, uint64_t at, size_t len,
                        struct slice *seen)
{
    uint64_t end = reader->from + reader->window_len;

    if (at < reader->from || at > end || end - at < len) {
        ssize_t n = segment_read(reader, reader->window, WINDOW, at);

        if (n < 0)
            return ERR_IO;
        reader->from = at;
        reader->window_len = (size_t)n;
    }
    *seen = (struct slice){reader->window + (at - reader->from),
                           reader->from + reader->window_len - at};
    return OK;
}

/* The two halves of the head have a checksum each, and the name has the lsn, so
 * a changed byte in the head costs no entry. */
static enum status read_head(struct segment_reader *reader, struct slice head,
                             uint64_t named_lsn)
{
    bool old = head.len >= OLD_SEGMENT_HEAD &&
               memcmp(head.ptr, magic, sizeof(magic)) == 0 &&
               get(head.ptr + 24, 4) == libdeflate_crc32(0, head.ptr, 24);
    bool new = head.len >= SEGMENT_HEAD &&get(head.ptr + 32, 8) != 0 &&
               get(head.ptr + 48, 4) == libdeflate_crc32(0, head.ptr + 32, 16);
    uint64_t version = old ? get(head.ptr + 8, 4) : SEGMENT_VERSION;

    if (!old && !new)
        return ERR_CORRUPT;
    if (version > SEGMENT_VERSION)
        return ERR_UNSUPPORTED;
    new &= version > OLD_VERSION;
    reader->first_lsn = old ? get(head.ptr + 16, 8) : named_lsn;
    reader->id = new ? get(head.ptr + 32, 8) : 0;
    reader->after = new ? get(head.ptr + 40, 8) : 0;
    reader->head = version > OLD_VERSION ? SEGMENT_HEAD : OLD_SEGMENT_HEAD;
    reader->entry_head = version > OLD_VERSION ? ENTRY_HEAD : OLD_ENTRY_HEAD;
    if (reader->first_lsn == 0 || reader->first_lsn > LSN_MAX ||
        head.len < reader->head)
        return ERR_CORRUPT;
    return OK;
}

enum status segment_reader_open(struct segment_reader *reader,
                                const struct journal_io *io, const char *path,
                                int flags, uint64_t named_lsn)
{
    struct slice head;
    enum status status;
    off_t size;

    *reader = (struct segment_reader){.io = io, .window = mem_alloc(WINDOW)};
    reader->fd = io->open(path, flags, 0);
    if (reader->fd < 0 || (size = lseek(reader->fd, 0, SEEK_END)) < 0)
        return ERR_IO;
    (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_WILLNEED);
    reader->size = (uint64_t)size;
    if (look(reader, 0, SEGMENT_HEAD, &head) != OK)
        return ERR_IO;
    status = read_head(reader, head, named_lsn);
    if (status != OK)
        return status;
    reader->last_lsn = reader->first_lsn - 1;
    reader->good = reader->head;
    return OK;
}

void segment_reader_close(struct segment_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->window);
}

/* Where the file has been written at or behind `at`: space that was only
 * allocated reads as zeros, and there is much of it. */
static uint64_t next_written(const struct segment_reader *reader, uint64_t at)
{
    off_t data = lseek(reader->fd, (off_t)at, SEEK_DATA);

    if (data >= 0)
        return (uint64_t)data;
    return errno == ENXIO ? reader->size : at;
}

/* Each byte equals the one before it, and the first is zero. */
static bool all_zero(struct slice s)
{
    return s.len == 0 ||
           (s.ptr[0] == 0 && memcmp(s.ptr, s.ptr + 1, s.len - 1) == 0);
}

/* The end: zeros or nothing up to the end of the file. */
static enum status check_end(struct segment_reader *reader, uint64_t at)
{
    while ((at = next_written(reader, at)) < reader->size) {
        struct slice seen;

        if (look(reader, at, 1, &seen) != OK)
            return ERR_IO;
        if (seen.len == 0)
            break;
        if (!all_zero(seen))
            return ERR_CORRUPT;
        at += seen.len;
    }
    return ERR_NOT_FOUND;
}

/* Reads the body at `at`; what is before it has gone into crc. Compares with
 * want. */
static enum status read_body(struct segment_reader *reader, uint64_t at,
                             char *body, size_t len, uint32_t crc,
                             uint32_t want)
{
    size_t done = 0;

    while (done < len) {
        struct slice part;
        enum status status = OK;

        if (body && len - done > WINDOW) { /* straight to its place */
            ssize_t n =
                segment_read(reader, body + done, len - done, at + done);

            if (n < 0)
                return ERR_IO;
            part = (struct slice){body + done, (size_t)n};
        } else {
            status = look(reader, at + done, 1, &part);
            if (status != OK)
                return status;
            if (part.len > len - done)
                part.len = len - done;
            if (body)
                memcpy(body + done, part.ptr, part.len);
        }
        if (part.len == 0)
            return ERR_CORRUPT; /* the file got shorter meanwhile */
        crc = libdeflate_crc32(crc, part.ptr, part.len);
        done += part.len;
    }
    return crc == want ? OK : ERR_CORRUPT;
}

/* The head of an entry of len bytes, all of it seen; false: it is none. */
static bool parse_head(const struct segment_reader *reader, const char *head,
                       uint64_t len, struct segment_entry *entry)
{
    uint64_t lsn = get(head + 8, 8), source = get(head + 26, 2);
    unsigned signal = (unsigned char)head[24];
    unsigned encoding = (unsigned char)head[25];

    if (lsn <= reader->last_lsn || lsn > LSN_MAX || signal >= SIGNAL_COUNT ||
        encoding > BATCH_DEAD_LETTER || source > len - reader->entry_head ||
        (source > 0 &&
         (source < SOURCE_HEAD || source > SOURCE_HEAD + SOURCE_MAX_TOPIC)) ||
        (reader->id != 0 && get(head + ID_AT, ID_SIZE) != reader->id))
        return false;
    *entry = (struct segment_entry){
        .lsn = lsn,
        .received_ns = get(head + 16, 8),
        .signal = (enum signal)signal,
        .encoding = (enum batch_encoding)encoding,
        .has_source = source > 0,
        .body_len = (size_t)(len - reader->entry_head - source),
    };
    return true;
}

static void parse_source(const char *bytes, size_t len,
                         struct segment_entry *entry)
{
    slice_copy(entry->topic,
               (struct slice){bytes + SOURCE_HEAD, len - SOURCE_HEAD});
    entry->source = (struct source_offset){
        .topic = {entry->topic, len - SOURCE_HEAD},
        .partition = (uint32_t)get(bytes, 4),
        .offset = get(bytes + 4, 8),
        .time_ms = get(bytes + 12, 8),
    };
}

enum status segment_next(struct segment_reader *reader,
                         struct segment_entry *entry, bool with_body)
{
    struct slice head;
    const uint32_t least = reader->entry_head;
    enum status status = look(reader, reader->good, least, &head);
    uint32_t crc, want;
    uint64_t len;
    size_t before; /* bytes in front of the body */
    char *body = NULL;

    if (status != OK)
        return status;
    if (head.len < 4 || get(head.ptr, 4) == 0)
        return check_end(reader, reader->good);
    len = get(head.ptr, 4);
    if (len < least || len > reader->size - reader->good || head.len < least ||
        !parse_head(reader, head.ptr, len, entry))
        return ERR_CORRUPT;
    before = (size_t)(len - entry->body_len);
    status = look(reader, reader->good, before, &head);
    if (status != OK)
        return status;
    if (head.len < before) /* the file got shorter meanwhile */
        return ERR_CORRUPT;
    want = (uint32_t)get(head.ptr + 4, 4);
    crc = libdeflate_crc32(0, head.ptr + 8, before - 8);
    if (entry->has_source)
        parse_source(head.ptr + least, before - least, entry);
    if (with_body)
        body = mem_alloc(entry->body_len + 1);
    status = read_body(reader, reader->good + before, body, entry->body_len,
                       crc, want);
    if (status != OK) {
        free(body);
        return status;
    }
    entry->body = body;
    reader->last_lsn = entry->lsn;
    reader->good += len;
    return OK;
}

/* Where the journal's id stands next, at or behind `at`. */
static enum status find_id(struct segment_reader *reader, uint64_t at,
                           uint64_t *found)
{
    char id[ID_SIZE];

    put(id, reader->id, ID_SIZE);
    while ((at = next_written(reader, at)) < reader->size) {
        struct slice seen;
        const char *hit;

        if (look(reader, at, ID_SIZE, &seen) != OK)
            return ERR_IO;
        if (seen.len < ID_SIZE)
            break;
        hit = memmem(seen.ptr, seen.len, id, ID_SIZE);
        if (hit) {
            *found = at + (uint64_t)(hit - seen.ptr);
            return OK;
        }
        at += seen.len - ID_SIZE + 1;
    }
    return ERR_NOT_FOUND;
}

enum status segment_resync(struct segment_reader *reader)
{
    const uint64_t good = reader->good, last_lsn = reader->last_lsn;
    uint64_t at = good + 1 + ID_AT;
    enum status status = ERR_NOT_FOUND;

    if (reader->id == 0)
        return ERR_NOT_FOUND;
    while ((status = find_id(reader, at, &at)) == OK) {
        struct segment_entry entry;
        uint64_t begin = at - ID_AT;

        reader->good = begin;
        status = segment_next(reader, &entry, false);
        reader->last_lsn = last_lsn;
        reader->good = status == OK ? begin : good;
        if (status == OK || status == ERR_IO)
            return status;
        at++;
    }
    return status;
}

bool segment_torn(struct segment_reader *reader)
{
    struct slice head;
    uint64_t len;

    if (look(reader, reader->good, 4, &head) != OK || head.len < 4)
        return true;
    len = get(head.ptr, 4);
    if (len < reader->entry_head || len >= reader->size - reader->good)
        return true;
    return check_end(reader, reader->good + len) != ERR_CORRUPT;
}
