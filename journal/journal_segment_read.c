/*
 * Reading a segment: heads are read through a window, long bodies straight into
 * their own memory. The file is not mapped: a bad sector must be an error, not
 * a SIGBUS. After a damaged entry, segment_resync() continues at the next
 * intact one.
 *
 * Thread: the one that opens the journal; a reader is used by one at a time.
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "journal_segment.h"
#include "mem.h"

enum { WINDOW = 256 * 1024 };

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

/* The part of the window from `at` on, at least len bytes if the file has them
 * (len is at most WINDOW). */
static enum status read_window(struct segment_reader *reader, uint64_t at,
                               size_t len, struct slice *seen)
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
    if (read_window(reader, 0, SEGMENT_HEAD, &head) != OK)
        return ERR_IO;
    status = segment_head_decode(head, named_lsn, &reader->head);
    if (status != OK)
        return status;
    reader->last_lsn = reader->head.first_lsn - 1;
    reader->good = reader->head.size;
    return OK;
}

void segment_reader_close(struct segment_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->window);
}

/* The first written byte at or after `at`: skips preallocated space, which
 * reads as zeros and may be large. */
static uint64_t next_written(const struct segment_reader *reader, uint64_t at)
{
    off_t data = lseek(reader->fd, (off_t)at, SEEK_DATA);

    if (data >= 0)
        return (uint64_t)data;
    return errno == ENXIO ? reader->size : at;
}

/* The first byte is zero, and each equals the one before it. */
static bool all_zero(struct slice s)
{
    return s.len == 0 ||
           (s.ptr[0] == 0 && memcmp(s.ptr, s.ptr + 1, s.len - 1) == 0);
}

/* ERR_NOT_FOUND if only zeros follow up to the end of the file. */
static enum status check_end(struct segment_reader *reader, uint64_t at)
{
    while ((at = next_written(reader, at)) < reader->size) {
        struct slice seen;

        if (read_window(reader, at, 1, &seen) != OK)
            return ERR_IO;
        if (seen.len == 0)
            break;
        if (!all_zero(seen))
            return ERR_CORRUPT;
        at += seen.len;
    }
    return ERR_NOT_FOUND;
}

/* Reads the body at `at`, into `body` unless that is NULL, and compares its
 * checksum, continued from crc, with want. */
static enum status read_body(struct segment_reader *reader, uint64_t at,
                             char *body, size_t len, uint32_t crc,
                             uint32_t want)
{
    size_t done = 0;

    while (done < len) {
        struct slice part;
        enum status status = OK;

        if (body && len - done > WINDOW) { /* without the window */
            ssize_t n =
                segment_read(reader, body + done, len - done, at + done);

            if (n < 0)
                return ERR_IO;
            part = (struct slice){body + done, (size_t)n};
        } else {
            status = read_window(reader, at + done, 1, &part);
            if (status != OK)
                return status;
            if (part.len > len - done)
                part.len = len - done;
            if (body)
                memcpy(body + done, part.ptr, part.len);
        }
        if (part.len == 0)
            return ERR_CORRUPT; /* the file has become shorter */
        crc = libdeflate_crc32(crc, part.ptr, part.len);
        done += part.len;
    }
    return crc == want ? OK : ERR_CORRUPT;
}

/* Of the bytes between head and body; false: they are not such. */
static bool decode_before_body(const char *bytes, bool with_body,
                               struct segment_entry *entry)
{
    if (entry->has_source)
        segment_source_decode(bytes, entry);
    if (entry->writer_len == 0)
        return true;
    entry->writer = writer_decode(
        (struct slice){bytes + entry->source_len, entry->writer_len});
    if (!entry->writer)
        return false;
    if (!with_body) {
        writer_free(entry->writer);
        entry->writer = NULL;
    }
    return true;
}

enum status segment_next(struct segment_reader *reader,
                         struct segment_entry *entry, bool with_body)
{
    struct slice head;
    const uint32_t least = reader->head.entry_head;
    enum status status = read_window(reader, reader->good, least, &head);
    uint32_t crc, want;
    uint64_t len;
    size_t before; /* bytes before the body */
    char *body = NULL;

    if (status != OK)
        return status;
    if (head.len < 4 || load_le(head.ptr, 4) == 0)
        return check_end(reader, reader->good);
    len = load_le(head.ptr, 4);
    if (len < least || len > reader->size - reader->good || head.len < least ||
        !segment_entry_decode(&reader->head, head.ptr, len, reader->last_lsn,
                              entry))
        return ERR_CORRUPT;
    before = (size_t)(len - entry->body_len);
    status = read_window(reader, reader->good, before, &head);
    if (status != OK)
        return status;
    if (head.len < before) /* the file has become shorter */
        return ERR_CORRUPT;
    want = (uint32_t)load_le(head.ptr + 4, 4);
    crc = libdeflate_crc32(0, head.ptr + 8, before - 8);
    if (!decode_before_body(head.ptr + least, with_body, entry))
        return ERR_CORRUPT;
    if (with_body)
        body = mem_alloc(entry->body_len + 1);
    status = read_body(reader, reader->good + before, body, entry->body_len,
                       crc, want);
    if (status != OK) {
        writer_free(entry->writer);
        free(body);
        return status;
    }
    entry->body = body;
    reader->last_lsn = entry->lsn;
    reader->good += len;
    return OK;
}

/* The next place of the journal's id at or after `at`. */
static enum status find_id(struct segment_reader *reader, uint64_t at,
                           uint64_t *found)
{
    char id[ENTRY_ID_SIZE];

    store_le(id, reader->head.id, ENTRY_ID_SIZE);
    while ((at = next_written(reader, at)) < reader->size) {
        struct slice seen;
        const char *hit;

        if (read_window(reader, at, ENTRY_ID_SIZE, &seen) != OK)
            return ERR_IO;
        if (seen.len < ENTRY_ID_SIZE)
            break;
        hit = memmem(seen.ptr, seen.len, id, ENTRY_ID_SIZE);
        if (hit) {
            *found = at + (uint64_t)(hit - seen.ptr);
            return OK;
        }
        at += seen.len - ENTRY_ID_SIZE + 1;
    }
    return ERR_NOT_FOUND;
}

enum status segment_resync(struct segment_reader *reader)
{
    const uint64_t good = reader->good, last_lsn = reader->last_lsn;
    uint64_t at = good + 1 + ENTRY_ID_AT;
    enum status status = ERR_NOT_FOUND;

    if (reader->head.id == 0)
        return ERR_NOT_FOUND;
    while ((status = find_id(reader, at, &at)) == OK) {
        struct segment_entry entry;
        uint64_t begin = at - ENTRY_ID_AT;

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

    if (read_window(reader, reader->good, 4, &head) != OK || head.len < 4)
        return true;
    len = load_le(head.ptr, 4);
    if (len < reader->head.entry_head || len >= reader->size - reader->good)
        return true;
    return check_end(reader, reader->good + len) != ERR_CORRUPT;
}
