/*
 * The new database is created beside the old one, and replaces it when it is
 * complete and on disk. Whatever ends the process in between, the next start
 * finds either the old one in its place, and begins again, or none and a
 * complete new one, and renames that (repair_resume).
 */
#include "repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "clock.h"
#include "log.h"
#include "path.h"
#include "stats.h"

#define PENDING ".repair-pending"

static const char *const parts[] = {"", "-wal", "-shm"};
enum { PARTS = 3 };

static void remove_parts(const char *path)
{
    for (int i = 0; i < PARTS; i++)
        path_remove(path, parts[i]);
}

static enum status rename_part(const char *from, const char *to,
                               const char *part)
{
    char *old = path_with(from, part), *new = path_with(to, part);
    bool good = rename(old, new) == 0 || errno == ENOENT;

    free(old);
    free(new);
    return good ? OK : ERR_IO;
}

/* Of a file, or of the folder it is in. */
static enum status sync_path(const char *path, bool folder)
{
    char *name = path_with(path, "");
    char *slash = strrchr(name, '/');

    if (folder && slash)
        *slash = '\0';

    int fd = open(name, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        close(fd);
    free(name);
    return good ? OK : ERR_IO;
}

/* A name for the damaged database that does not exist yet. */
static char *damaged_name(const char *path)
{
    uint64_t second = clock_wall_ns() / NS_PER_S;

    for (;; second++) {
        char suffix[32];

        snprintf(suffix, sizeof(suffix), ".damaged-%llu",
                 (unsigned long long)second);
        if (!path_exists(path, suffix))
            return path_with(path, suffix);
    }
}

/* The log of the old database must not stay beside the new one, nor the note
 * that the old one is damaged. */
static enum status replace(const char *path, const char *new,
                           const char *damaged)
{
    enum status status = OK;

    for (int i = 0; i < PARTS && status == OK; i++)
        status = rename_part(path, damaged, parts[i]);
    if (status == OK) {
        path_remove(path, PENDING);
        status = rename_part(new, path, "");
    }
    return status == OK ? sync_path(path, true) : status;
}

/* Until database version 3 the files of a repair were called *.salvage and
 * *.wanted. A copy may be complete, and all there is. */
static enum status adopt_old_names(const char *path, const char *new)
{
    char *old = path_with(path, ".salvage"),
         *wanted = path_with(path, ".wanted");
    char *pending = path_with(path, PENDING);
    enum status status = OK;

    for (int i = PARTS - 1; i >= 0 && status == OK; i--)
        status = rename_part(old, new, parts[i]);
    if (status == OK)
        status = rename_part(wanted, pending, "");
    free(pending);
    free(wanted);
    free(old);
    return status;
}

enum status repair_resume(const char *path)
{
    char *new = path_with(path, ".repair");
    enum status status = adopt_old_names(path, new);

    if (status != OK) {
        free(new);
        return status;
    }
    if (path_exists(path, "")) {
        remove_parts(new);
    } else if (path_exists(new, "")) {
        char *damaged = damaged_name(path);

        status = replace(path, new, damaged);
        free(damaged);
    }
    free(new);
    return status;
}

bool repair_is_pending(const char *path)
{
    return path_exists(path, PENDING);
}

void repair_schedule(const char *path)
{
    char *name = path_with(path, PENDING);
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    log_error("store", "damage found; the next start repairs the database",
              log_text("path", path), log_int("scheduled", fd >= 0));
    stats_set(STATS_STORE_REPAIR_PENDING, 1);
    if (fd >= 0)
        close(fd);
    free(name);
}

static void report(const char *path, const char *aside,
                   const struct repair_result *r)
{
    uint64_t lost =
        r->records_before > r->records ? r->records_before - r->records : 0;
    char known[24] = "unknown";

    if (r->totals)
        snprintf(known, sizeof(known), "%llu", (unsigned long long)lost);
    log_error(
        "store",
        "repaired a damaged database: copied its readable rows to a new one",
        log_text("path", path), log_text("old", aside),
        log_uint("rows", r->rows), log_uint("records", r->records),
        log_text("records_lost", known),
        log_uint("chunks_without_buckets", r->without_buckets),
        log_uint("places", r->places));
    stats_add(STATS_STORE_REPAIRS, 1);
    stats_add(STATS_STORE_LOST, r->totals ? lost : 0);
    stats_add(STATS_STORE_LOST_BUCKETS, r->without_buckets);
}

enum status repair(const char *path)
{
    char *new = path_with(path, ".repair"), *aside = damaged_name(path);
    struct repair_result result;
    struct db *db = NULL;

    remove_parts(new);

    enum status status = db_open(&db, new, true);
    if (status == OK)
        status = repair_rows(path, db, &result);
    db_close(db);
    if (status == OK)
        status = sync_path(new, false);
    bool complete = status == OK;
    if (complete)
        status = replace(path, new, aside);
    if (status == OK)
        report(path, aside, &result);
    else if (!complete || path_exists(path, "")) /* or it is all there is */
        remove_parts(new);
    free(aside);
    free(new);
    return status;
}
