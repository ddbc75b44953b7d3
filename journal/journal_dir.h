/*
 * journal_dir - the folder of the journal: the list of its segments, checked at
 * start.
 *
 * Private to the journal, which guards the list with its lock.
 */
#ifndef JOURNAL_DIR_H
#define JOURNAL_DIR_H

#include <limits.h>

#include "journal_io.h"
#include "status.h"

enum { JOURNAL_PATH = PATH_MAX };

struct segment {
    uint64_t first_lsn;    /* names the file */
    uint64_t last_lsn;     /* of its entries; first_lsn - 1: none */
    uint64_t used;         /* bytes, head included */
    uint64_t truncated;    /* of these, no longer needed */
    uint64_t previous_lsn; /* last one before this segment; 0: not known */
};

struct journal_dir {
    char *path;
    int fd, lock_fd;
    uint64_t id;            /* of the journal; 0: in no segment */
    uint64_t last_lsn;      /* of the entries of all segments; 0: none */
    uint64_t damaged_after; /* lsn before the first damage; UINT64_MAX: none */
    uint64_t copying;       /* first lsn of the segment last copied from */
    struct segment *at;     /* oldest first */
    uint32_t count, room;
};

/*
 * Locks the folder, creating it if missing, and reads every segment. Truncates
 * torn tails and moves damage aside. *next_lsn becomes greater than any lsn it
 * may have held. Must be released in any case. Logs failures.
 */
MUST_CHECK enum status journal_dir_open(struct journal_dir *dir,
                                        const struct journal_io *io,
                                        const char *path, uint64_t *next_lsn);
void journal_dir_release(struct journal_dir *dir);

/* Appends to the list; replaces an empty segment of the same name. */
void journal_dir_add(struct journal_dir *dir, struct segment segment);

/* Deletes the oldest; false if that fails, which is logged. */
bool journal_dir_remove_first(struct journal_dir *dir,
                              const struct journal_io *io);

/* Renames every segment to *.SUFFIX and empties the list. */
MUST_CHECK enum status journal_dir_set_aside(struct journal_dir *dir,
                                             const struct journal_io *io,
                                             const char *suffix);

/* The path of a segment's file, followed by suffix. */
void journal_dir_path(const struct journal_dir *dir, uint64_t first_lsn,
                      const char *suffix, char path[JOURNAL_PATH]);

#endif
