/*
 * The receivers, started and stopped together. Stopping: no new connection,
 * every new request is refused; what is with the sink comes back, because the
 * journal and all behind it still run; then the receivers close.
 */
#include "ingest.h"

#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "export_request.h"
#include "mem.h"
#include "otlp_http.h"

struct ingest {
    struct otlp_intake intake;
    struct otlp_http *http;
};

enum status ingest_start(struct ingest **out,
                         const struct ingest_options *options)
{
    struct ingest *ingest = mem_zero(1, sizeof(*ingest));
    enum status status;

    ingest->intake.options = *options;
    status = otlp_http_start(&ingest->http, &ingest->intake);
    if (status != OK) {
        ingest_stop(ingest);
        return status;
    }
    *out = ingest;
    return OK;
}

uint16_t ingest_port(const struct ingest *ingest)
{
    return otlp_http_port(ingest->http);
}

void ingest_stop(struct ingest *ingest)
{
    if (!ingest)
        return;
    atomic_store(&ingest->intake.stopping, true);
    otlp_http_quiesce(ingest->http);
    while (atomic_load(&ingest->intake.waiting) > 0)
        nanosleep(&(struct timespec){.tv_nsec = (long)NS_PER_MS}, NULL);
    otlp_http_stop(ingest->http);
    free(ingest);
}
