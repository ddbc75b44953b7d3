/*
 * fault_disk - the disk under journal and SQLite: every call that either makes
 * on its files passes here, in one order, and is counted. The n-th can be made
 * to fail, or all are written down so that the power can fail after any of
 * them.
 *
 * Nothing is really synced: what a crash leaves is worked out from what was
 * written down (struct disk_op), not by a crash of the machine.
 */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "fault_kit.h"

enum disk_mode {
    DISK_GOOD,
    DISK_FAIL,   /* the n-th call fails */
    DISK_SHORT,  /* the same; a write has done half of it, and says ENOSPC */
    DISK_OUTAGE, /* the n-th and some after it fail */
    DISK_RECORD  /* all is good, and written down */
};

enum { OUTAGE_CALLS = 5, MAX_OPS = 8192, MAX_NAMES = 64, MAX_FDS = 1024 };

enum disk_op_kind { OP_WRITE, OP_SIZE, OP_SYNC, OP_DELETE, OP_TOLD };

struct disk_op {
    enum disk_op_kind kind;
    int name;   /* OP_TOLD: number of the batch that was acknowledged */
    int64_t at; /* OP_SIZE: the size */
    size_t len;
    char *bytes;
};

static struct {
    pthread_mutex_t lock;
    enum disk_mode mode;
    unsigned at, calls;
    char names[MAX_NAMES][32];
    int name_count;
    int name_of_fd[MAX_FDS];
    struct disk_op ops[MAX_OPS];
    unsigned op_count;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- all of these with the lock held ---- */

static bool disk_fails(void)
{
    unsigned call = ++disk.calls;

    if (disk.mode == DISK_OUTAGE)
        return call >= disk.at && call < disk.at + OUTAGE_CALLS;
    return (disk.mode == DISK_FAIL || disk.mode == DISK_SHORT) &&
           call == disk.at;
}

/* The number of a file by the last part of its path, while these are noted. */
static int disk_name(const char *path)
{
    const char *name = strrchr(path, '/');

    if (disk.mode != DISK_RECORD)
        return 0;
    name = name ? name + 1 : path;
    for (int i = 0; i < disk.name_count; i++)
        if (strcmp(disk.names[i], name) == 0)
            return i;
    if (disk.name_count == MAX_NAMES || strlen(name) >= 32)
        abort(); /* the script has outgrown the tables */
    strcpy(disk.names[disk.name_count], name);
    return disk.name_count++;
}

static void disk_note(enum disk_op_kind kind, int name, int64_t at,
                      const void *bytes, size_t len)
{
    struct disk_op op = {kind, name, at, len, NULL};

    if (disk.mode != DISK_RECORD)
        return;
    if (disk.op_count == MAX_OPS)
        abort();
    if (bytes)
        op.bytes = mem_copy(bytes, len);
    disk.ops[disk.op_count++] = op;
}

/* ---- the journal's calls ---- */

#define DISK_CALL(type, good, fail, note) \
    do {                                  \
        type result_;                     \
        pthread_mutex_lock(&disk.lock);   \
        if (disk_fails()) {               \
            fail;                         \
        } else {                          \
            result_ = (good);             \
            note;                         \
        }                                 \
        pthread_mutex_unlock(&disk.lock); \
        return result_;                   \
    } while (0)

#define FAIL_ERRNO (errno = disk.mode == DISK_FAIL ? EIO : ENOSPC, result_ = -1)

static void note_open(int fd, const char *path, int flags)
{
    if (fd < 0)
        return;
    disk.name_of_fd[fd] = disk_name(path);
    if (flags & O_TRUNC)
        disk_note(OP_SIZE, disk.name_of_fd[fd], 0, NULL, 0);
}

static int disk_open(const char *path, int flags, mode_t mode)
{
    DISK_CALL(int, open(path, flags | O_CLOEXEC, mode), FAIL_ERRNO,
              note_open(result_, path, flags));
}

static ssize_t disk_pread(int fd, void *bytes, size_t len, off_t at)
{
    DISK_CALL(ssize_t, pread(fd, bytes, len, at), FAIL_ERRNO, (void)0);
}

static ssize_t disk_half(int fd, const void *bytes, size_t len, off_t at)
{
    errno = disk.mode == DISK_FAIL ? EIO : ENOSPC;
    return disk.mode == DISK_SHORT
               ? pwrite(fd, bytes, len / 2 / 4096 * 4096, at)
               : -1;
}

static ssize_t disk_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    DISK_CALL(ssize_t, pwrite(fd, bytes, len, at),
              result_ = disk_half(fd, bytes, len, at),
              disk_note(OP_WRITE, disk.name_of_fd[fd], at, bytes, len));
}

static int disk_sync(int fd)
{
    DISK_CALL(int, 0, FAIL_ERRNO,
              disk_note(OP_SYNC, disk.name_of_fd[fd], 0, NULL, 0));
}

static int disk_sync_dir(int fd)
{
    (void)fd;
    DISK_CALL(int, 0, FAIL_ERRNO, (void)0);
}

static int disk_allocate(int fd, off_t size)
{
    DISK_CALL(int, fallocate(fd, 0, 0, size), FAIL_ERRNO,
              disk_note(OP_SIZE, disk.name_of_fd[fd], size, NULL, 0));
}

static int disk_truncate(int fd, off_t size)
{
    DISK_CALL(int, ftruncate(fd, size), FAIL_ERRNO,
              disk_note(OP_SIZE, disk.name_of_fd[fd], size, NULL, 0));
}

/* Only what is damaged is renamed, and here nothing is. */
static int disk_rename(const char *from, const char *to)
{
    DISK_CALL(int, rename(from, to), FAIL_ERRNO, (void)0);
}

static int disk_unlink(const char *path)
{
    DISK_CALL(int, unlink(path), FAIL_ERRNO,
              disk_note(OP_DELETE, disk_name(path), 0, NULL, 0));
}

static const struct journal_io disk_journal = {
    .open = disk_open,
    .pread = disk_pread,
    .pwrite = disk_pwrite,
    .sync = disk_sync,
    .sync_dir = disk_sync_dir,
    .allocate = disk_allocate,
    .truncate = disk_truncate,
    .rename = disk_rename,
    .unlink = disk_unlink,
    .retry_ns = NS_PER_MS / 10,
};

/* ---- SQLite's calls ---- */

static sqlite3_vfs *real_vfs, disk_vfs;

/* The layer has a few tables of methods; each is stood in for by a copy. And
 * its files have no room for a name, so who is open is written down. */
enum { TABLES = 8, OPEN_FILES = 64 };
static const sqlite3_io_methods *real_io[TABLES];
static sqlite3_io_methods disk_io[TABLES];
static struct {
    sqlite3_file *file;
    int name;
} disk_files[OPEN_FILES];

static const sqlite3_io_methods *real_of(sqlite3_file *file)
{
    return real_io[file->pMethods - disk_io];
}

static int name_of(sqlite3_file *file)
{
    int i = 0;

    while (disk_files[i].file != file)
        i++;
    return disk_files[i].name;
}

static int vfs_close(sqlite3_file *file)
{
    int i = 0;

    pthread_mutex_lock(&disk.lock);
    while (disk_files[i].file != file)
        i++;
    disk_files[i].file = NULL;
    pthread_mutex_unlock(&disk.lock);
    return real_of(file)->xClose(file);
}

static int vfs_read(sqlite3_file *file, void *bytes, int len, sqlite3_int64 at)
{
    DISK_CALL(int, real_of(file)->xRead(file, bytes, len, at),
              result_ = SQLITE_IOERR_READ, (void)0);
}

static int vfs_half(sqlite3_file *file, const void *bytes, int len,
                    sqlite3_int64 at)
{
    if (disk.mode == DISK_SHORT)
        (void)real_of(file)->xWrite(file, bytes, len / 2, at);
    return disk.mode == DISK_FAIL ? SQLITE_IOERR_WRITE : SQLITE_FULL;
}

static int vfs_write(sqlite3_file *file, const void *bytes, int len,
                     sqlite3_int64 at)
{
    DISK_CALL(int, real_of(file)->xWrite(file, bytes, len, at),
              result_ = vfs_half(file, bytes, len, at),
              disk_note(OP_WRITE, name_of(file), at, bytes, (size_t)len));
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    DISK_CALL(int, real_of(file)->xTruncate(file, size),
              result_ = SQLITE_IOERR_TRUNCATE,
              disk_note(OP_SIZE, name_of(file), size, NULL, 0));
}

static int vfs_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    DISK_CALL(int, SQLITE_OK, result_ = SQLITE_IOERR_FSYNC,
              disk_note(OP_SYNC, name_of(file), 0, NULL, 0));
}

static int vfs_size(sqlite3_file *file, sqlite3_int64 *size)
{
    DISK_CALL(int, real_of(file)->xFileSize(file, size),
              result_ = SQLITE_IOERR_FSTAT, (void)0);
}

static int vfs_lock(sqlite3_file *file, int level)
{
    DISK_CALL(int, real_of(file)->xLock(file, level),
              result_ = SQLITE_IOERR_LOCK, (void)0);
}

static int vfs_shm_map(sqlite3_file *file, int page, int size, int extend,
                       void volatile **at)
{
    DISK_CALL(int, real_of(file)->xShmMap(file, page, size, extend, at),
              result_ = SQLITE_IOERR_SHMMAP, (void)0);
}

/* What is locked can always be unlocked. */
static int vfs_shm_lock(sqlite3_file *file, int from, int count, int flags)
{
    if (flags & SQLITE_SHM_UNLOCK)
        return real_of(file)->xShmLock(file, from, count, flags);
    DISK_CALL(int, real_of(file)->xShmLock(file, from, count, flags),
              result_ = SQLITE_IOERR_SHMLOCK, (void)0);
}

static void vfs_stand_in(sqlite3_file *file, const char *path)
{
    int at = 0, i = 0;

    if (!file->pMethods) /* not opened */
        return;
    while (real_io[at] && real_io[at] != file->pMethods)
        at++;
    if (!real_io[at]) {
        real_io[at] = file->pMethods;
        disk_io[at] = *real_io[at];
        disk_io[at].xClose = vfs_close;
        disk_io[at].xRead = vfs_read;
        disk_io[at].xWrite = vfs_write;
        disk_io[at].xTruncate = vfs_truncate;
        disk_io[at].xSync = vfs_sync;
        disk_io[at].xFileSize = vfs_size;
        disk_io[at].xLock = vfs_lock;
        disk_io[at].xShmMap = vfs_shm_map;
        disk_io[at].xShmLock = vfs_shm_lock;
    }
    file->pMethods = &disk_io[at];
    while (i < OPEN_FILES && disk_files[i].file)
        i++;
    if (i == OPEN_FILES)
        abort();
    disk_files[i].file = file;
    disk_files[i].name = disk_name(path ? path : "nameless");
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *file,
                    int flags, int *out)
{
    (void)vfs;
    file->pMethods = NULL;
    DISK_CALL(int, real_vfs->xOpen(real_vfs, path, file, flags, out),
              result_ = SQLITE_CANTOPEN, vfs_stand_in(file, path));
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
    (void)vfs;
    DISK_CALL(int, real_vfs->xDelete(real_vfs, path, sync),
              result_ = SQLITE_IOERR_DELETE,
              disk_note(OP_DELETE, disk_name(path), 0, NULL, 0));
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *is)
{
    (void)vfs;
    DISK_CALL(int, real_vfs->xAccess(real_vfs, path, flags, is),
              result_ = SQLITE_IOERR_ACCESS, (void)0);
}

/* From now on SQLite's files lie on this disk. */
static void disk_mount(void)
{
    if (real_vfs)
        return;
    real_vfs = sqlite3_vfs_find(NULL);
    disk_vfs = *real_vfs;
    disk_vfs.zName = "disk";
    disk_vfs.xOpen = vfs_open;
    disk_vfs.xDelete = vfs_delete;
    disk_vfs.xAccess = vfs_access;
    CHECK_EQ(sqlite3_vfs_register(&disk_vfs, 1), SQLITE_OK);
}

static void disk_set(enum disk_mode mode, unsigned at)
{
    pthread_mutex_lock(&disk.lock);
    disk.mode = mode;
    disk.at = at;
    disk.calls = 0;
    if (mode == DISK_RECORD)
        disk.name_count = 0;
    pthread_mutex_unlock(&disk.lock);
}

/* Batch k was acknowledged: what came before this is to be kept. */
static inline void disk_told(uint32_t k)
{
    pthread_mutex_lock(&disk.lock);
    disk_note(OP_TOLD, (int)k, 0, NULL, 0);
    pthread_mutex_unlock(&disk.lock);
}

/* The folder as it is between two calls, to be opened as if the process had
 * been killed there. */
static inline void copy_folder(const char *from, const char *to)
{
    char command[200];

    snprintf(command, sizeof(command), "cp '%s'/* '%s'", from, to);
    pthread_mutex_lock(&disk.lock);
    CHECK_EQ(system(command), 0);
    pthread_mutex_unlock(&disk.lock);
}

#endif
