#include "grpc_health.h"

#include "wire.h"

enum { SERVING = 1, NOT_SERVING = 2 };

#define COLLECTOR "opentelemetry.proto.collector."
static const char *const services[] = {"", COLLECTOR GRPC_TRACE_SERVICE,
                                       COLLECTOR GRPC_LOGS_SERVICE,
                                       COLLECTOR GRPC_METRICS_SERVICE};

static bool is_service(struct slice name)
{
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
        if (slice_equal(name, slice_of(services[i])))
            return true;
    return false;
}

enum status grpc_health_check(struct slice request, bool serving,
                              struct buf *response)
{
    struct slice service = {NULL, 0};
    struct wire w = wire_over(request);

    while (wire_next(&w))
        switch (w.tag) {
        case WIRE_LEN(1):
            service = wire_bytes(&w);
            break;
        default:
            wire_skip(&w, 1u << 1);
        }
    if (w.status != OK)
        return w.status;
    if (!is_service(service))
        return ERR_NOT_FOUND;
    buf_byte(response, WIRE_VARINT(1));
    buf_byte(response, serving ? SERVING : NOT_SERVING);
    return OK;
}
