/*
 * journal_segment - one file of the journal: writing (journal_segment_write.c)
 * and reading (journal_segment_read.c). The format is in journal_entry.c.
 *
 * Private to the journal. A writer belongs to the journal's thread; a reader
 * to whoever opened it. Failures are returned, not logged.
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "batch.h"
#include "journal_entry.h"
#include "journal_io.h"
#include "status.h"

struct segment_writer {
    const struct journal_io *io;
    uint64_t id; /* of the journal; not 0 */
    int fd;      /* -1: none */
    char *chunk; /* CHUNK bytes, aligned; not written yet */
    size_t fill; /* of the chunk */
    uint64_t at; /* offset of chunk[0] in the file; whole blocks */
};

void segment_writer_init(struct segment_writer *writer,
                         const struct journal_io *io);
void segment_writer_release(struct segment_writer *writer);

/* Creates the file, preallocates `bytes` and writes its head; the writer's last
 * file must be closed. The folder dir_fd is synced too. previous_lsn: of the
 * last entry in the segments before it. */
MUST_CHECK enum status segment_create(struct segment_writer *writer,
                                      const char *path, int dir_fd,
                                      uint64_t first_lsn, uint64_t previous_lsn,
                                      uint64_t bytes);

/* Appends a batch, whose lsn is set, as an entry. Durable after
 * segment_sync(). */
MUST_CHECK enum status segment_append(struct segment_writer *writer,
                                      const struct batch *batch);
MUST_CHECK enum status segment_sync(struct segment_writer *writer);

/* Truncates the file to size (its good part) and closes it. On failure it
 * stays open, for another attempt. */
MUST_CHECK enum status segment_finish(struct segment_writer *writer,
                                      uint64_t size);

struct segment_reader {
    const struct journal_io *io;
    int fd;
    uint64_t size; /* of the file */
    struct segment_head head;
    uint64_t last_lsn; /* of the entry read last; first_lsn - 1: none */
    uint64_t good;     /* end of that entry */
    char *window;      /* bytes of the file from offset `from` on */
    size_t window_len;
    uint64_t from;
};

/* named_lsn: see segment_head_decode(). ERR_IO; ERR_CORRUPT: the head is
 * damaged; ERR_UNSUPPORTED: a newer version. Must be closed in any case. */
MUST_CHECK enum status segment_reader_open(struct segment_reader *reader,
                                           const struct journal_io *io,
                                           const char *path, int flags,
                                           uint64_t named_lsn);
void segment_reader_close(struct segment_reader *reader);

/* ERR_NOT_FOUND: no more entries; ERR_CORRUPT: the bytes at `good` are not a
 * valid entry. */
MUST_CHECK enum status segment_next(struct segment_reader *reader,
                                    struct segment_entry *entry,
                                    bool with_body);

/* After ERR_CORRUPT: moves to the next intact entry, which segment_next() then
 * reads. ERR_NOT_FOUND: there is none, or the segment has no journal id to tell
 * an entry from bytes of a body. */
MUST_CHECK enum status segment_resync(struct segment_reader *reader);

/* After ERR_CORRUPT: true if the rest looks like an incomplete last write
 * (nothing follows it) rather than damage. */
bool segment_torn(struct segment_reader *reader);

/* Reads up to len bytes at `at`; -1 on an error. */
ssize_t segment_read(const struct segment_reader *reader, char *bytes,
                     size_t len, uint64_t at);

#endif
