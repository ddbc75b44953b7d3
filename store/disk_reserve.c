/*
 * A file of room that is set aside beside the database. To read it SQLite makes
 * two small files, for which a full disk has none: a start that fails for want
 * of it gives this one up, and it is set aside again when the disk takes
 * commits. It is as large as the index of a log of 2 GiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"
#include "store_int.h"

enum { RESERVE_BYTES = 1 << 20 };

static char *name_of(const struct store *store)
{
    size_t len = strlen(store->path) + sizeof(".reserve");
    char *name = mem_alloc(len);

    snprintf(name, len, "%s.reserve", store->path);
    return name;
}

void reserve_make(const struct store *store)
{
    char *name = name_of(store);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        if (posix_fallocate(fd, 0, RESERVE_BYTES) != 0)
            unlink(name); /* the next time */
        close(fd);
    }
    free(name);
}

bool reserve_give(const struct store *store)
{
    char *name = name_of(store);
    bool given = unlink(name) == 0;

    free(name);
    return given;
}
