/*
 * journal_io - every system call the journal makes on its files.
 *
 * A table, so that a test can make the n-th call fail, stop short or lose its
 * power half way. All return -1 with errno set on failure.
 */
#ifndef JOURNAL_IO_H
#define JOURNAL_IO_H

#include <stdint.h>
#include <sys/types.h>

#include "journal.h"

struct journal_io {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*pread)(int fd, void *bytes, size_t len, off_t at);
    ssize_t (*pwrite)(int fd, const void *bytes, size_t len, off_t at);
    int (*sync)(int fd);     /* fdatasync */
    int (*sync_dir)(int fd); /* fsync */
    int (*allocate)(int fd, off_t size);
    int (*truncate)(int fd, off_t size);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    uint64_t retry_ns; /* after a failure, how long until the next try */
};

extern const struct journal_io journal_io_system;

/* journal_open() with another table. */
MUST_CHECK enum status journal_open_io(struct journal **journal,
                                       const struct journal_options *options,
                                       const struct journal_io *io);

#endif
