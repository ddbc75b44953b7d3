/*
 * At start every segment is read from end to end, so that replay meets only
 * entries known to be good, and finds the file in the page cache.
 *
 * After the last good entry of a segment there is one of:
 *   nothing, or zeros     the ordinary end
 *   a torn tail           only in the last segment: the write during which the
 *                         process ended. Its sender got no answer; it is
 *                         truncated.
 *   damage                copied to *.damaged, then truncated. Its lsns are not
 *                         used again, since the store may know them.
 *
 * Damage before an intact entry is copied, too, but remains in the segment, and
 * replay skips it.
 */
#include "journal_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array.h"
#include "journal_segment.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum { OLDEST_ENTRY_HEAD = 28 };

void journal_dir_path(const struct journal_dir *dir, uint64_t first_lsn,
                      const char *suffix, char path[JOURNAL_PATH])
{
    snprintf(path, JOURNAL_PATH, "%s/journal-%016" PRIx64 ".log%s", dir->path,
             first_lsn, suffix);
}

void journal_dir_add(struct journal_dir *dir, struct segment segment)
{
    if (dir->count > 0 &&
        dir->at[dir->count - 1].first_lsn == segment.first_lsn)
        dir->count--;
    struct segment *place = array_append(&dir->at, dir->count, &dir->room);
    *place = segment;
    dir->count++;
}

bool journal_dir_remove_first(struct journal_dir *dir,
                              const struct journal_io *io)
{
    char path[JOURNAL_PATH];

    journal_dir_path(dir, dir->at[0].first_lsn, "", path);
    if (io->unlink(path) < 0 && errno != ENOENT) {
        log_warn("journal", "cannot remove a segment", log_text("path", path),
                 log_text("error", strerror(errno)));
        return false;
    }
    dir->count--;
    memmove(dir->at, dir->at + 1, dir->count * sizeof(*dir->at));
    return true;
}

/* ---- opening ---- */

/* mkdir -p */
static enum status make_dir(const char *path)
{
    char part[JOURNAL_PATH];
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof(part) - 64)
        return ERR_INVALID;
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++)
        if (part[i] == '/' || part[i] == '\0') {
            char c = part[i];

            part[i] = '\0';
            if (mkdir(part, 0700) < 0 && errno != EEXIST)
                return ERR_IO;
            part[i] = c;
        }
    return OK;
}

static enum status lock_dir(struct journal_dir *dir)
{
    char path[JOURNAL_PATH];

    dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->fd < 0)
        return ERR_IO;
    snprintf(path, sizeof(path), "%s/journal.lock", dir->path);
    dir->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (dir->lock_fd < 0)
        return ERR_IO;
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    return errno == EWOULDBLOCK ? ERR_IN_USE : ERR_IO;
}

static bool parse_name(const char *name, uint64_t *first_lsn)
{
    static const char prefix[] = "journal-", suffix[] = ".log";
    uint64_t lsn = 0;
    size_t i = sizeof(prefix) - 1;

    if (strlen(name) != i + 16 + sizeof(suffix) - 1 ||
        memcmp(name, prefix, i) != 0 || strcmp(name + i + 16, suffix) != 0)
        return false;
    for (size_t end = i + 16; i < end; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, name[i]);

        if (!digit)
            return false;
        lsn = lsn << 4 | (uint64_t)(digit - digits);
    }
    *first_lsn = lsn;
    return lsn > 0 && lsn <= UINT64_MAX >> 1;
}

static int compare_segments(const void *a, const void *b)
{
    const struct segment *x = a, *y = b;

    return (x->first_lsn > y->first_lsn) - (x->first_lsn < y->first_lsn);
}

static enum status list_segments(struct journal_dir *dir)
{
    DIR *list = opendir(dir->path);
    struct dirent *file;

    if (!list)
        return ERR_IO;
    while ((file = readdir(list)) != NULL) {
        struct segment segment = {0};

        if (parse_name(file->d_name, &segment.first_lsn))
            journal_dir_add(dir, segment);
    }
    closedir(list);
    if (dir->count > 0)
        qsort(dir->at, dir->count, sizeof(*dir->at), compare_segments);
    return OK;
}

/* Opens the segment's *.damaged, and sets *to to its end; -1 on failure. A
 * range that stays in the segment is copied at the first start only: *copied is
 * then true if an earlier start did so. */
static int open_damaged(struct journal_dir *dir, const struct journal_io *io,
                        uint64_t first_lsn, bool stays, int64_t *to,
                        bool *copied)
{
    bool create = stays && dir->copying != first_lsn;
    char path[JOURNAL_PATH];
    int fd;

    journal_dir_path(dir, first_lsn, ".damaged", path);
    fd = io->open(path, O_WRONLY | O_CREAT | (create ? O_EXCL : 0), 0600);
    *copied = fd < 0 && create && errno == EEXIST;
    *to = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    if (!*copied)
        dir->copying = first_lsn;
    return fd;
}

/* Copies the bytes of a segment from `at` to `end` behind offset `to` of fd. */
static bool copy_range(const struct segment_reader *reader, int fd, int64_t to,
                       uint64_t at, uint64_t end)
{
    enum { BUFFER = 64 * 1024 };
    char *buffer = mem_alloc(BUFFER);
    ssize_t n = 1;

    while (n > 0 && at < end) {
        size_t len = end - at < BUFFER ? (size_t)(end - at) : BUFFER;

        n = segment_read(reader, buffer, len, at);
        if (n > 0 && reader->io->pwrite(fd, buffer, (size_t)n, to) != n)
            n = -1;
        at += (uint64_t)(n > 0 ? n : 0);
        to += n;
    }
    free(buffer);
    return n >= 0;
}

/* Copies damaged bytes to the segment's *.damaged. stays: they remain in the
 * segment. */
static bool save_damage(struct journal_dir *dir,
                        const struct segment_reader *reader, uint64_t first_lsn,
                        uint64_t at, uint64_t end, bool stays)
{
    bool saved, copied;
    int64_t to;
    int fd = open_damaged(dir, reader->io, first_lsn, stays, &to, &copied);

    if (fd < 0)
        return copied;
    saved = to >= 0 && copy_range(reader, fd, to, at, end) &&
            reader->io->sync(fd) == 0;
    close(fd);
    return saved;
}

/* Notes that entries after this one are missing. */
static void note_gap(struct journal_dir *dir, uint64_t lsn)
{
    if (lsn < dir->damaged_after)
        dir->damaged_after = lsn;
}

/* Truncates the bytes after reader->good, which are not an entry; copies them
 * first unless they are a torn tail. On failure they remain; `used` ends before
 * them. */
static void truncate_tail(struct journal_dir *dir,
                          struct segment_reader *reader,
                          struct segment *segment, bool last,
                          uint64_t *next_lsn)
{
    bool torn = last && segment_torn(reader);
    uint64_t len = reader->size - reader->good;
    bool truncated = true;

    if (!torn) {
        stats_add(STATS_JOURNAL_ERRORS, 1);
        stats_add(STATS_LOST_ENTRIES, 1);
        note_gap(dir, reader->last_lsn);
        *next_lsn += len / reader->head.entry_head;
        truncated = save_damage(dir, reader, segment->first_lsn, reader->good,
                                reader->size, false);
    }
    if (truncated)
        truncated =
            reader->io->truncate(reader->fd, (off_t)reader->good) == 0 &&
            reader->io->sync(reader->fd) == 0;
    if (torn)
        log_warn("journal", "dropped an incomplete last write",
                 log_hex("segment", segment->first_lsn), log_uint("bytes", len),
                 log_int("truncated", truncated));
    else
        log_error("journal", "moved the damaged end of a segment to *.damaged",
                  log_hex("segment", segment->first_lsn),
                  log_uint("offset", reader->good), log_uint("bytes", len),
                  log_int("moved", truncated));
}

/* Skips a damaged entry, which remains; false: no valid entry follows. */
static bool skip_damage(struct journal_dir *dir, struct segment_reader *reader,
                        const struct segment *segment)
{
    uint64_t bad = reader->good;

    if (segment_resync(reader) != OK)
        return false;
    stats_add(STATS_JOURNAL_ERRORS, 1);
    stats_add(STATS_LOST_ENTRIES, 1);
    note_gap(dir, reader->last_lsn);
    log_error("journal", "skipped a damaged part of a segment",
              log_hex("segment", segment->first_lsn), log_uint("offset", bad),
              log_uint("bytes", reader->good - bad),
              log_uint("after", reader->last_lsn),
              log_int("copied", save_damage(dir, reader, segment->first_lsn,
                                            bad, reader->good, true)));
    return true;
}

/* Renames a segment with an unreadable head to *.damaged. */
static enum status move_aside(struct journal_dir *dir,
                              const struct segment_reader *reader,
                              const struct segment *segment)
{
    char from[JOURNAL_PATH], to[JOURNAL_PATH];

    journal_dir_path(dir, segment->first_lsn, "", from);
    journal_dir_path(dir, segment->first_lsn, ".damaged", to);
    stats_add(STATS_JOURNAL_ERRORS, 1);
    stats_add(STATS_LOST_ENTRIES, 1);
    note_gap(dir, segment->first_lsn - 1);
    log_error("journal", "renamed a damaged segment to *.damaged",
              log_text("path", from), log_uint("bytes", reader->size));
    return reader->io->rename(from, to) == 0 ? OK : ERR_IO;
}

/* True for an empty or all-zero file: its creation was interrupted. */
static bool is_blank(struct segment_reader *reader)
{
    char part[4096];
    uint64_t at = 0;
    ssize_t n;

    while ((n = segment_read(reader, part, sizeof(part), at)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (part[i] != 0)
                return false;
        at += (uint64_t)n;
    }
    return n == 0;
}

/* Reads all entries of a segment, also intact ones after damage. */
static enum status check_entries(struct journal_dir *dir,
                                 struct segment_reader *reader,
                                 struct segment *segment)
{
    struct segment_entry entry;
    enum status status = OK;

    while (status == OK) {
        status = segment_next(reader, &entry, false);
        if (status == ERR_CORRUPT && skip_damage(dir, reader, segment))
            status = OK;
    }
    return status;
}

/* Reports a file that is missing between two others. */
static void check_sequence(struct journal_dir *dir,
                           const struct segment_reader *reader,
                           const struct segment *segment)
{
    if (reader->head.previous_lsn <= dir->last_lsn || dir->last_lsn == 0)
        return;
    stats_add(STATS_LOST_ENTRIES, 1);
    note_gap(dir, dir->last_lsn);
    log_error("journal", "entries are missing between two segments",
              log_hex("segment", segment->first_lsn),
              log_uint("after", dir->last_lsn),
              log_uint("before", reader->head.previous_lsn + 1));
}

/* The lsn of the last entry up to the end of this segment. For an empty one,
 * first_lsn - 1 may belong to an entry that could not be written. */
static uint64_t last_entry(const struct segment_reader *reader)
{
    bool empty = reader->good == reader->head.size;

    if (reader->head.id != 0 && empty)
        return reader->head.previous_lsn;
    return reader->last_lsn > reader->head.previous_lsn
               ? reader->last_lsn
               : reader->head.previous_lsn;
}

static void fill_segment(struct segment *segment,
                         const struct segment_reader *reader)
{
    segment->last_lsn = reader->last_lsn;
    segment->used = reader->good;
    segment->truncated = reader->head.size;
    segment->previous_lsn = reader->head.previous_lsn;
}

/* Reads one segment and fills in its list entry; *keep: it remains in the
 * list. */
static enum status check_segment(struct journal_dir *dir,
                                 const struct journal_io *io,
                                 struct segment *segment, bool last,
                                 uint64_t *next_lsn, bool *keep)
{
    struct segment_reader reader;
    char path[JOURNAL_PATH];
    enum status status;

    journal_dir_path(dir, segment->first_lsn, "", path);
    status = segment_reader_open(&reader, io, path, O_RDWR, segment->first_lsn);
    if (segment->first_lsn > *next_lsn)
        *next_lsn = segment->first_lsn;
    *keep = false;
    if (status == ERR_CORRUPT && last && is_blank(&reader)) {
        status = io->unlink(path) == 0 ? OK : ERR_IO;
    } else if (status == ERR_CORRUPT) {
        *next_lsn += reader.size / OLDEST_ENTRY_HEAD;
        status = move_aside(dir, &reader, segment);
    } else if (status == OK) {
        *keep = true;
        check_sequence(dir, &reader, segment);
        status = check_entries(dir, &reader, segment);
        fill_segment(segment, &reader);
        if (reader.head.id != 0 && dir->id == 0)
            dir->id = reader.head.id;
        if (reader.last_lsn >= *next_lsn)
            *next_lsn = reader.last_lsn + 1;
        if (status == ERR_CORRUPT)
            truncate_tail(dir, &reader, segment, last, next_lsn);
        status = status == ERR_IO ? ERR_IO : OK;
        dir->last_lsn = last_entry(&reader);
    }
    segment_reader_close(&reader);
    return status;
}

static enum status check_segments(struct journal_dir *dir,
                                  const struct journal_io *io,
                                  uint64_t *next_lsn)
{
    uint32_t kept = 0;
    enum status status = OK;

    for (size_t i = 0; i < dir->count && status == OK; i++) {
        bool keep;

        status = check_segment(dir, io, &dir->at[i], i + 1 == dir->count,
                               next_lsn, &keep);
        if (status == ERR_UNSUPPORTED)
            log_error("journal", "written by a newer version of this program",
                      log_text("dir", dir->path),
                      log_hex("segment", dir->at[i].first_lsn));
        if (keep)
            dir->at[kept++] = dir->at[i];
    }
    dir->count = kept;
    return status;
}

enum status journal_dir_open(struct journal_dir *dir,
                             const struct journal_io *io, const char *path,
                             uint64_t *next_lsn)
{
    enum status status;

    *dir = (struct journal_dir){
        .fd = -1, .lock_fd = -1, .damaged_after = UINT64_MAX};
    dir->path = mem_copy(path, strlen(path));
    status = make_dir(path);
    if (status == OK)
        status = lock_dir(dir);
    if (status == ERR_IN_USE)
        log_error("journal", "another process is using this data directory",
                  log_text("dir", path));
    if (status == OK)
        status = list_segments(dir);
    if (status == OK)
        status = check_segments(dir, io, next_lsn);
    if (status == ERR_IO || status == ERR_INVALID)
        log_error("journal", "cannot open", log_text("dir", path),
                  log_text("error", strerror(errno)));
    return status;
}

/* A name not yet used: SUFFIX, SUFFIX.2 and so on. */
static void free_path(const struct journal_dir *dir, uint64_t first_lsn,
                      const char *suffix, char path[JOURNAL_PATH])
{
    char numbered[32];

    journal_dir_path(dir, first_lsn, suffix, path);
    for (unsigned n = 2; access(path, F_OK) == 0; n++) {
        snprintf(numbered, sizeof(numbered), "%s.%u", suffix, n);
        journal_dir_path(dir, first_lsn, numbered, path);
    }
}

enum status journal_dir_set_aside(struct journal_dir *dir,
                                  const struct journal_io *io,
                                  const char *suffix)
{
    char from[JOURNAL_PATH], to[JOURNAL_PATH];

    while (dir->count > 0) {
        const struct segment *last = &dir->at[dir->count - 1];

        journal_dir_path(dir, last->first_lsn, "", from);
        free_path(dir, last->first_lsn, suffix, to);
        if (io->rename(from, to) < 0)
            return ERR_IO;
        dir->count--;
    }
    dir->id = dir->last_lsn = 0;
    dir->damaged_after = UINT64_MAX;
    return io->sync_dir(dir->fd) < 0 ? ERR_IO : OK;
}

void journal_dir_release(struct journal_dir *dir)
{
    if (dir->fd >= 0)
        close(dir->fd);
    if (dir->lock_fd >= 0)
        close(dir->lock_fd); /* releases the lock */
    free(dir->path);
    free(dir->at);
}
