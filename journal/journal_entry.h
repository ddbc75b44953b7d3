/*
 * journal_entry - the format of a segment: its head and the heads of its
 * entries, encoded and decoded. Private to the journal.
 */
#ifndef JOURNAL_ENTRY_H
#define JOURNAL_ENTRY_H

#include "batch.h"
#include "status.h"

enum {
    SEGMENT_VERSION = 4,
    SEGMENT_HEAD = 64,
    ENTRY_HEAD = 40,
    ENTRY_ID_SIZE = 8,
    ENTRY_ID_AT = 28,
    SOURCE_HEAD = 20,
    ENTRY_HEAD_MAX = ENTRY_HEAD + SOURCE_HEAD + SOURCE_MAX_TOPIC,
    ENTRY_MAX_BODY = INT32_MAX - 1024 /* so that lengths fit 32 bits */
};

struct segment_head {
    uint64_t first_lsn;
    uint64_t id;           /* of the journal; 0: written by an older version */
    uint64_t previous_lsn; /* last one before this segment; 0: not known */
    uint32_t size;         /* of the head, by version */
    uint32_t entry_head;   /* size of an entry's head, by version */
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
    size_t source_len, writer_len; /* in the file, after the head */
    struct writer *writer;         /* the caller's; NULL if the body is */
};

void segment_head_encode(char to[SEGMENT_HEAD],
                         const struct segment_head *head);

/* named_lsn: the first lsn according to the file's name, for a head of which
 * one half is damaged. ERR_CORRUPT; ERR_UNSUPPORTED: a newer version. */
MUST_CHECK enum status segment_head_decode(struct slice bytes,
                                           uint64_t named_lsn,
                                           struct segment_head *head);

/* Size of the batch as an entry. */
uint64_t segment_entry_size(const struct batch *batch);

/* The bytes before those of the writer, which come before the body; returns how
 * many. id: of the journal. */
size_t segment_entry_encode(char to[ENTRY_HEAD_MAX], const struct batch *batch,
                            uint64_t id);

/* The head of an entry of `len` bytes, all of it at `bytes`; false if it is not
 * a valid one after last_lsn. Source and writer are decoded separately, from
 * the bytes after the head. */
bool segment_entry_decode(const struct segment_head *segment, const char *bytes,
                          uint64_t len, uint64_t last_lsn,
                          struct segment_entry *entry);
void segment_source_decode(const char *bytes, struct segment_entry *entry);

#endif
