/* Files of the configuration; see secret_file.h. */
#define _GNU_SOURCE /* explicit_bzero, O_CLOEXEC */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

/* In $CREDENTIALS_DIRECTORY if it is there; text: room for the result. */
static const char *find(const char *path, char text[PATH_MAX])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    if (folder && folder[0] && path[0] && !strchr(path, '/') &&
        snprintf(text, PATH_MAX, "%s/%s", folder, path) < PATH_MAX &&
        access(text, F_OK) == 0)
        return text;
    return path;
}

static enum status error_of(int error, const char **why)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        *why = "the file does not exist";
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        *why = "no permission to read the file";
        return ERR_FORBIDDEN;
    default:
        *why = "the file cannot be read";
        return ERR_IO;
    }
}

/* A pipe is fine: its mode is that of whoever made it. */
static enum status check(int fd, bool secret, const char **why)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_of(errno, why);
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
        *why = "not a file";
        return ERR_INVALID;
    }
    if (secret && (st.st_mode & (S_IWGRP | S_IWOTH | S_IROTH))) {
        *why = "group or others can write the file, or others can read it; "
               "chmod it to 0600 or 0640";
        return ERR_FORBIDDEN;
    }
    return OK;
}

/* Grows by hand: realloc() would leave a copy of the secret behind. */
static void grow(struct secret *text, size_t *room)
{
    size_t more = *room * 2;
    char *bytes = mem_alloc(more + 1);

    memcpy(bytes, text->ptr, text->len);
    explicit_bzero(text->ptr, text->len);
    free(text->ptr);
    text->ptr = bytes;
    *room = more;
}

static enum status read_all(int fd, size_t max, struct secret *text,
                            const char **why)
{
    size_t room = 4096;

    text->ptr = mem_alloc(room + 1);
    for (;;) {
        ssize_t got;

        if (text->len == room)
            grow(text, &room);
        got = read(fd, text->ptr + text->len, room - text->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_of(errno, why);
        text->len += (size_t)got;
        if (text->len > max) {
            *why = "the file is too large";
            return ERR_TOO_BIG;
        }
        if (got == 0)
            break;
    }
    text->ptr[text->len] = '\0';
    return OK;
}

static enum status read_file(const char *path, bool secret, size_t max,
                             struct secret *text, const char **why)
{
    char found[PATH_MAX];
    enum status status;
    int fd = open(find(path, found), O_RDONLY | O_CLOEXEC | O_NOCTTY);

    *text = (struct secret){NULL, 0};
    if (fd < 0)
        return error_of(errno, why);
    status = check(fd, secret, why);
    if (status == OK)
        status = read_all(fd, max, text, why);
    close(fd);
    if (status != OK)
        secret_release(text);
    return status;
}

enum status secret_file_read(const char *path, size_t max,
                             struct secret *secret, const char **why)
{
    return read_file(path, true, max, secret, why);
}

enum status public_file_read(const char *path, size_t max, struct secret *text,
                             const char **why)
{
    return read_file(path, false, max, text, why);
}

void secret_release(struct secret *secret)
{
    if (secret->ptr)
        explicit_bzero(secret->ptr, secret->len);
    free(secret->ptr);
    *secret = (struct secret){NULL, 0};
}

/* The time of the last change of the inode too: a file may be replaced by one
 * with the same time of writing. */
bool file_stamp_changed(struct file_stamp *stamp, const char *path)
{
    char found[PATH_MAX];
    struct stat st;
    struct file_stamp now = {.seen = true};
    bool same;

    if (stat(find(path, found), &st) == 0)
        now = (struct file_stamp){.device = st.st_dev,
                                  .inode = st.st_ino,
                                  .size = (uint64_t)st.st_size,
                                  .modified_s = st.st_mtim.tv_sec,
                                  .changed_s = st.st_ctim.tv_sec,
                                  .modified_ns = (uint32_t)st.st_mtim.tv_nsec,
                                  .changed_ns = (uint32_t)st.st_ctim.tv_nsec,
                                  .exists = true,
                                  .seen = true};
    same = now.device == stamp->device && now.inode == stamp->inode &&
           now.size == stamp->size && now.modified_s == stamp->modified_s &&
           now.changed_s == stamp->changed_s &&
           now.modified_ns == stamp->modified_ns &&
           now.changed_ns == stamp->changed_ns && now.exists == stamp->exists &&
           now.seen == stamp->seen;
    *stamp = now;
    return !same;
}
