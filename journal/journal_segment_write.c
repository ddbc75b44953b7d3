/*
 * Writing a segment: entries are copied into an aligned chunk and written with
 * O_DIRECT into preallocated space. Measured against buffered writes (with the
 * bodies in an iovec, without the copy) that takes 0.18 to 0.31 ms of CPU per
 * MB instead of 0.28 to 0.46, and leaves the page cache to the readers. The
 * last block is seldom full: it is padded with zeros and written again, longer,
 * with the next entry. Its earlier bytes stay the same, so a torn write of it
 * damages nothing. Where O_DIRECT is not supported the same code writes
 * buffered.
 *
 * Thread: the journal's own (journal_thread.c).
 */
#define _GNU_SOURCE /* O_DIRECT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal_segment.h"

enum { BLOCK = 4096, CHUNK = 1 << 20 };

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

/* len is a multiple of BLOCK, and so is every step: O_DIRECT requires it. */
static enum status write_blocks(struct segment_writer *writer, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = writer->io->pwrite(writer->fd, writer->chunk + done,
                                       len - done, (off_t)(writer->at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n >= 0 && n < BLOCK)
            errno = ENOSPC; /* the usual reason of a short write */
        if (n < BLOCK)
            return ERR_IO;
        done += (size_t)n / BLOCK * BLOCK;
    }
    return OK;
}

static enum status append_bytes(struct segment_writer *writer,
                                const char *bytes, size_t len)
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

static enum status create_file(struct segment_writer *writer, const char *path,
                               int dir_fd, uint64_t bytes)
{
    int flags = O_RDWR | O_CREAT | O_TRUNC;
    enum status status;

    writer->fd = writer->io->open(path, flags | O_DIRECT, 0600);
    if (writer->fd < 0 && errno == EINVAL)
        writer->fd = writer->io->open(path, flags, 0600);
    if (writer->fd < 0)
        return ERR_IO;
    /* Not every file system supports it; a full disk must fail here. */
    if (writer->io->allocate(writer->fd, (off_t)bytes) < 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
        return ERR_IO;
    status = flush(writer);
    if (status != OK &&
        errno == EINVAL) { /* it accepted O_DIRECT, but cannot write so */
        (void)fcntl(writer->fd, F_SETFL, 0);
        status = flush(writer);
    }
    if (status == OK &&
        (writer->io->sync(writer->fd) < 0 || writer->io->sync_dir(dir_fd) < 0))
        status = ERR_IO;
    return status;
}

enum status segment_create(struct segment_writer *writer, const char *path,
                           int dir_fd, uint64_t first_lsn,
                           uint64_t previous_lsn, uint64_t bytes)
{
    struct segment_head head = {
        .first_lsn = first_lsn, .id = writer->id, .previous_lsn = previous_lsn};
    enum status status;

    assert(writer->fd < 0);
    segment_head_encode(writer->chunk, &head);
    writer->fill = SEGMENT_HEAD;
    writer->at = 0;
    status = create_file(writer, path, dir_fd, bytes);
    if (status != OK && writer->fd >= 0) {
        int error = errno;

        close(writer->fd);
        writer->fd = -1;
        (void)writer->io->unlink(path);
        errno = error;
    }
    return status;
}

enum status segment_append(struct segment_writer *writer,
                           const struct batch *batch)
{
    char head[ENTRY_HEAD_MAX];
    size_t len = segment_entry_encode(head, batch, writer->id);
    struct slice whose = writer_bytes(batch->writer);
    enum status status;

    assert(batch->body_len <= ENTRY_MAX_BODY);
    status = append_bytes(writer, head, len);
    if (status == OK)
        status = append_bytes(writer, whose.ptr, whose.len);
    if (status == OK)
        status = append_bytes(writer, batch->body, batch->body_len);
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
