/*
 * How many connections a port may have. Every connection is a file, and
 * journal, database and queries must not fail because there are many of them:
 * so each port has a share of the files that the process may open, and all
 * ports together seven eighths. The shares of the OTLP ports overlap: mostly
 * one of them is in use.
 */
#include <stdatomic.h>
#include <sys/resource.h>

#include "http_slots_int.h"
#include "log.h"

enum {
    RESERVE_MAX = 16,      /* slots for /health and the like */
    CLOSING_MAX = 64,      /* slots of connections that were just ended */
    FILES_RESERVED = 48,   /* database, journal, listeners */
    FILES_LEFT_MAX = 2048, /* to queries and all else */
};

static atomic_uint open_files;              /* connections of all ports */
static atomic_uint most_files = UINT32_MAX; /* that they may be */

void slots_count_file(int change)
{
    atomic_fetch_add(&open_files, (unsigned)change);
}

bool slots_files_are_full(void)
{
    return atomic_load(&open_files) >= atomic_load(&most_files);
}

static void limit_all(rlim_t files)
{
    rlim_t left = files / 8 + FILES_RESERVED;

    if (left > FILES_LEFT_MAX)
        left = FILES_LEFT_MAX;
    files = files > 2 * left ? files - left : files / 2;
    atomic_store(&most_files,
                 files < UINT32_MAX ? (unsigned)files : UINT32_MAX);
}

/* How many files the connections of a port may be. Raises the soft limit until
 * its share has room for `wanted`, or to the hard limit. A port with more than
 * half of the files leaves at most FILES_LEFT_MAX to all else. */
static uint32_t limit_files(const char *name, uint32_t wanted, unsigned eighths)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)wanted / eighths * 8 + 8;
    rlim_t before, part;

    if (eighths > 4 && want > wanted + FILES_LEFT_MAX)
        want = wanted + FILES_LEFT_MAX;
    want += FILES_RESERVED;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return wanted;
    before = limit.rlim_cur;
    if (before < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            limit.rlim_cur = before;
        else if (limit.rlim_cur > before)
            log_info(name, "raised the limit of open files",
                     log_uint("before", before),
                     log_uint("files", limit.rlim_cur));
    }
    limit_all(limit.rlim_cur);
    part = limit.rlim_cur > 2 * FILES_RESERVED ? limit.rlim_cur - FILES_RESERVED
                                               : limit.rlim_cur / 2;
    part = part / 8 * eighths;
    if (eighths > 4 && limit.rlim_cur > part + FILES_LEFT_MAX)
        part = limit.rlim_cur - FILES_LEFT_MAX;
    if (part >= wanted)
        return wanted;
    log_warn(name, "the limit of open files is too low for all connections",
             log_uint("files", limit.rlim_cur), log_uint("wanted", wanted),
             log_uint("connections", part));
    return (uint32_t)part;
}

static uint32_t part_of(uint32_t connections, uint32_t most)
{
    uint32_t part = connections / 16 + 1;

    return part < most ? part : most;
}

struct http_slots *slots_open(const char *name, uint32_t max_connections,
                              unsigned files_eighths, uint64_t idle_ns,
                              uint32_t *sockets)
{
    uint32_t wanted = max_connections + RESERVE_MAX + CLOSING_MAX;
    uint32_t files = limit_files(name, wanted, files_eighths);
    uint32_t reserve = part_of(files, RESERVE_MAX);
    uint32_t closing = part_of(files, CLOSING_MAX);
    uint32_t most = files > reserve + closing ? files - reserve - closing : 1;

    if (most > max_connections)
        most = max_connections;
    *sockets = most + reserve + closing;
    return slots_new(most, reserve, idle_ns);
}
