/*
 * path - names of the files beside the database.
 */
#ifndef STORE_PATH_H
#define STORE_PATH_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* From malloc. */
static inline char *path_with(const char *path, const char *suffix)
{
    size_t len = strlen(path), more = strlen(suffix);
    char *text = mem_alloc(len + more + 1);

    memcpy(text, path, len);
    memcpy(text + len, suffix, more + 1);
    return text;
}

static inline bool path_exists(const char *path, const char *suffix)
{
    char *name = path_with(path, suffix);
    bool found = access(name, F_OK) == 0;

    free(name);
    return found;
}

/* False if it was not there, or cannot be removed. */
static inline bool path_remove(const char *path, const char *suffix)
{
    char *name = path_with(path, suffix);
    bool removed = unlink(name) == 0;

    free(name);
    return removed;
}

#endif
