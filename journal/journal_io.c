/*
 * The system's own calls. Nothing here retries or splits: that is the work of
 * the segment.
 */
#define _GNU_SOURCE /* fallocate */
#include "journal_io.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"

static int system_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

static int system_allocate(int fd, off_t size)
{
    return fallocate(fd, 0, 0, size);
}

const struct journal_io journal_io_system = {
    .open = system_open,
    .pread = pread,
    .pwrite = pwrite,
    .sync = fdatasync,
    .sync_dir = fsync,
    .allocate = system_allocate,
    .truncate = ftruncate,
    .rename = rename,
    .unlink = unlink,
    .retry_ns = NS_PER_S,
};
