/*
 * journal_segment - one file of the journal: its format, writing and reading.
 *
 * Private to the journal. A writer belongs to the journal's thread; a reader
 * to whoever opened it. Failures are not logged here.
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include "batch.h"
#include "journal_io.h"
#include "status.h"

enum {
    SEGMENT_VERSION = 3,
    SEGMENT_HEAD = 64,
    ENTRY_HEAD = 36,
    ENTRY_MAX_BODY = INT32_MAX - 1024 /* so that lengths fit 32 bits */
};

struct segment_writer {
    const struct journal_io *io;
    uint64_t id; /* of the journal; not 0 */
    int fd;      /* -1: none */
    char *chunk; /* CHUNK bytes, aligned; what is not written yet */
    size_t fill; /* of the chunk */
    uint64_t at; /* where in the file chunk[0] goes; whole blocks */
};

void segment_writer_init(struct segment_writer *writer,
                         const struct journal_io *io);
void segment_writer_release(struct segment_writer *writer);

/* Makes the file and writes its head; the writer's last file must be closed.
 * bytes are set aside for it. dir_fd is its folder, synced too. after: the lsn
 * of the last entry in the segments before it. */
MUST_CHECK enum status segment_create(struct segment_writer *writer,
                                      const char *path, int dir_fd,
                                      uint64_t first_lsn, uint64_t after,
                                      uint64_t bytes);

/* Bytes that the batch takes as an entry. */
uint64_t segment_entry_size(const struct batch *batch);

/* Adds a batch as an entry; its lsn is set. Durable after segment_sync. */
MUST_CHECK enum status segment_append(struct segment_writer *writer,
                                      const struct batch *batch);
MUST_CHECK enum status segment_sync(struct segment_writer *writer);

/* Cuts the file to size (what is good of it) and closes it. If that fails it
 * stays open, to be tried again. */
MUST_CHECK enum status segment_finish(struct segment_writer *writer,
                                      uint64_t size);

struct segment_reader {
    const struct journal_io *io;
    int fd;
    uint64_t size;             /* of the file */
    uint64_t first_lsn;        /* from its head, or its name */
    uint64_t id;               /* of its journal; 0: not known */
    uint64_t after;            /* last lsn before it; 0: not known */
    uint32_t head, entry_head; /* bytes, by its version */
    uint64_t last_lsn; /* of the entry read last; first_lsn - 1 before */
    uint64_t good;     /* end of that entry */
    char *window;      /* bytes of the file from `from` on */
    size_t window_len;
    uint64_t from;
};

struct segment_entry {
    uint64_t lsn, received_ns;
    enum signal signal;
    enum batch_encoding encoding;
    char *body; /* malloc'ed, the caller's; NULL if not asked for */
    size_t body_len;
    bool has_source;
    struct source_offset source; /* its topic is in here */
    char topic[SOURCE_MAX_TOPIC];
};

/* named_lsn: the first lsn by its name, for a head of which half is damaged.
 * ERR_IO; ERR_CORRUPT: the head is damaged; ERR_UNSUPPORTED: a newer version.
 * To be closed in any case. */
MUST_CHECK enum status segment_reader_open(struct segment_reader *reader,
                                           const struct journal_io *io,
                                           const char *path, int flags,
                                           uint64_t named_lsn);
void segment_reader_close(struct segment_reader *reader);

/* ERR_NOT_FOUND: no more; ERR_CORRUPT: what follows `good` is no entry. */
MUST_CHECK enum status segment_next(struct segment_reader *reader,
                                    struct segment_entry *entry,
                                    bool with_body);

/* After ERR_CORRUPT: goes on to the next whole entry behind the damage; it is
 * the one that segment_next() reads. ERR_NOT_FOUND: there is none, or none that
 * can be told from bytes of a body. */
MUST_CHECK enum status segment_resync(struct segment_reader *reader);

/* After ERR_CORRUPT: true if that looks like a write that was cut short (there
 * is nothing behind it) and not like damage. */
bool segment_torn(struct segment_reader *reader);

/* Reads at most len bytes at `at`; -1 on an error. */
ssize_t segment_read(const struct segment_reader *reader, char *bytes,
                     size_t len, uint64_t at);

#endif
