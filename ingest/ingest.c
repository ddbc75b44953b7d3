/*
 * The receivers, started and stopped together. Stopping: no new connection,
 * every new request is refused; what is with the sink comes back, because the
 * journal and all behind it still run; then the receivers close.
 */
#include "ingest.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "clock.h"
#include "http.h"
#include "log.h"
#include "mem.h"
#include "request.h"

struct ingest {
    struct intake intake;
    struct http *http;
};

/* Of the files a process may have, this part is for connections to come in
 * by, and the rest for journal, database and questions: these must not fail
 * because there are many senders. */
static rlim_t for_connections(rlim_t files)
{
    return files - files / 8;
}

/* Every connection is a file, and the soft limit is often 1024. How many there
 * can be. */
static uint32_t raise_file_limit(uint32_t connections)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)connections / 7 * 8 + 8;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
        return connections;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        limit.rlim_cur = before;
    if (limit.rlim_cur >= want)
        return connections;
    log_warn("ingest", "not as many files allowed as max-connections needs",
             "files=%llu connections=%llu", (unsigned long long)limit.rlim_cur,
             (unsigned long long)for_connections(limit.rlim_cur));
    return (uint32_t)for_connections(limit.rlim_cur);
}

enum status ingest_start(struct ingest **out,
                         const struct ingest_options *options)
{
    struct ingest *ingest = mem_zero(1, sizeof(*ingest));
    enum status status;

    ingest->intake.options = *options;
    ingest->intake.options.max_connections =
        raise_file_limit(options->max_connections);
    status = http_start(&ingest->http, &ingest->intake);
    if (status != OK) {
        ingest_stop(ingest);
        return status;
    }
    *out = ingest;
    return OK;
}

uint16_t ingest_port(const struct ingest *ingest)
{
    return http_port(ingest->http);
}

void ingest_tend(struct ingest *ingest)
{
    http_tend(ingest->http);
}

void ingest_stop(struct ingest *ingest)
{
    if (!ingest)
        return;
    atomic_store(&ingest->intake.stopping, true);
    http_quiesce(ingest->http);
    while (atomic_load(&ingest->intake.waiting) > 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    http_stop(ingest->http);
    free(ingest);
}
