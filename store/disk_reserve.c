/*
 * A file that keeps disk space beside the database. To read the database SQLite
 * creates two small files, for which a full disk has no space: a start that
 * fails for that reason removes this file, and it is created again when the
 * disk takes commits. It is as large as the index of a log of 2 GiB.
 */
#include <fcntl.h>
#include <unistd.h>

#include "path.h"
#include "store_int.h"

enum { RESERVE_BYTES = 1 << 20 };

void disk_reserve_make(const struct store *store)
{
    char *name = path_with(store->path, ".reserve");
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        if (posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
            unlink(name); /* tried again after the next failure */
        close(fd);
    }
    free(name);
}

bool disk_reserve_remove(const struct store *store)
{
    return path_remove(store->path, ".reserve");
}
