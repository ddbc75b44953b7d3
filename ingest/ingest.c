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

/* Every connection is a file. The soft limit is often 1024. */
static void raise_file_limit(uint32_t connections)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)connections + 256;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= want)
        return;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < want)
        log_warn("ingest", "fewer files allowed than max-connections",
                 "files=%llu", (unsigned long long)limit.rlim_cur);
}

enum status ingest_start(struct ingest **out,
                         const struct ingest_options *options)
{
    struct ingest *ingest = mem_zero(1, sizeof(*ingest));
    enum status status;

    ingest->intake.options = *options;
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
