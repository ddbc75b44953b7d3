/* The table of known names, and the attributes that select one of its rows. */
#include "metric_names.h"

#include <math.h>
#include <stdlib.h>

#include "hash.h"

/* What the attributes of a point must be. */
enum requirement {
    ANY,
    CONTAINER, /* not the series of the whole pod that cAdvisor sends, too */
    POD,       /* that one: for pods without series of containers */
    CPU,       /* resource="cpu" */
    MEMORY,
    RECEIVE, /* direction */
    TRANSMIT,
    READ,
    WRITE,
    SERVED /* as reported by the callee */
};

/* clang-format off */
#define GAUGE(name, meaning, rank, quantity, requirement) \
    {SLICE_INIT(name), METRIC_##meaning, rank, KIND_GAUGE, requirement, 0, QUANTITY_##quantity, 1}
#define COUNTER(name, meaning, rank, quantity, requirement, factor) \
    {SLICE_INIT(name), METRIC_##meaning, rank, KIND_COUNTER, requirement, 0, QUANTITY_##quantity, factor}
#define REQUESTS(name, meaning, rank, kind, has, quantity, factor) \
    {SLICE_INIT(name), METRIC_##meaning, rank, KIND_##kind, SERVED, has, QUANTITY_##quantity, factor}
#define BOTH (HAS_COUNT | HAS_LATENCY)
#define HISTOGRAM(name, meaning, rank, factor) \
    REQUESTS(name, meaning, rank, HISTOGRAM, BOTH, TIME, factor)
#define TOTAL(name, meaning, rank) \
    REQUESTS(name, meaning, rank, COUNT, HAS_COUNT, OTHER, 1)
/* A histogram, and its parts where it is sent as separate series. */
#define PARTS(name, meaning, rank, has, factor) \
    REQUESTS(name, meaning, rank, HISTOGRAM, has, TIME, factor), \
    REQUESTS(name "_count", meaning, rank, COUNT, has, OTHER, 1), \
    REQUESTS(name "_sum", meaning, rank, SUM, HAS_LATENCY, TIME, factor), \
    REQUESTS(name "_bucket", meaning, rank, BUCKET, HAS_LATENCY, TIME, factor)

const struct metric_name metric_names[] = {
    GAUGE("container.cpu.usage", CPU_USAGE, 0, CORES, ANY),
    COUNTER("container_cpu_usage_seconds_total", CPU_USAGE, 1, TIME, CONTAINER, 1),
    COUNTER("container_cpu_usage_seconds_total", CPU_USAGE, 20, TIME, POD, 1),
    COUNTER("container.cpu.time", CPU_USAGE, 2, TIME, ANY, 1),
    GAUGE("k8s.pod.cpu.usage", CPU_USAGE, 3, CORES, ANY),
    GAUGE("k8s.pod.cpu.utilization", CPU_USAGE, 4, CORES, ANY), /* in cores */
    COUNTER("k8s.pod.cpu.time", CPU_USAGE, 5, TIME, ANY, 1),
    COUNTER("container.cpu.usage.total", CPU_USAGE, 6, TIME, ANY, 1e-9),
    COUNTER("process.cpu.time", CPU_USAGE, 7, TIME, ANY, 1),
    COUNTER("process_cpu_time_seconds_total", CPU_USAGE, 8, TIME, ANY, 1),
    COUNTER("process_cpu_time_ns_total", CPU_USAGE, 12, TIME, ANY, 1e-9),
    COUNTER("process_cpu_seconds_total", CPU_USAGE, 9, TIME, ANY, 1),
    COUNTER("jvm.cpu.time", CPU_USAGE, 10, TIME, ANY, 1),
    COUNTER("jvm_cpu_time_seconds_total", CPU_USAGE, 13, TIME, ANY, 1),
    COUNTER("dotnet.process.cpu.time", CPU_USAGE, 11, TIME, ANY, 1),
    COUNTER("dotnet_process_cpu_time_seconds_total", CPU_USAGE, 14, TIME, ANY, 1),
    GAUGE("k8s.container.cpu_request", CPU_REQUEST, 0, CORES, ANY),
    GAUGE("k8s.container.cpu.request.desired", CPU_REQUEST, 1, CORES, ANY),
    GAUGE("k8s.container.cpu.request", CPU_REQUEST, 3, CORES, ANY),
    GAUGE("kube_pod_container_resource_requests", CPU_REQUEST, 2, CORES, CPU),
    GAUGE("kube_pod_container_resource_requests", MEMORY_REQUEST, 2, BYTES, MEMORY),
    GAUGE("k8s.container.cpu_limit", CPU_LIMIT, 0, CORES, ANY),
    GAUGE("k8s.container.cpu.limit.desired", CPU_LIMIT, 1, CORES, ANY),
    GAUGE("k8s.container.cpu.limit", CPU_LIMIT, 3, CORES, ANY),
    GAUGE("kube_pod_container_resource_limits", CPU_LIMIT, 2, CORES, CPU),
    GAUGE("kube_pod_container_resource_limits", MEMORY_LIMIT, 2, BYTES, MEMORY),
    COUNTER("k8s.container.restarts", RESTARTS, 0, OTHER, ANY, 1), /* a gauge that only grows */
    COUNTER("kube_pod_container_status_restarts_total", RESTARTS, 1, OTHER, ANY, 1),
    GAUGE("container.memory.working_set", MEMORY_USAGE, 0, BYTES, ANY),
    GAUGE("container_memory_working_set_bytes", MEMORY_USAGE, 1, BYTES, CONTAINER),
    GAUGE("container_memory_working_set_bytes", MEMORY_USAGE, 20, BYTES, POD),
    GAUGE("k8s.pod.memory.working_set", MEMORY_USAGE, 2, BYTES, ANY),
    GAUGE("container.memory.usage", MEMORY_USAGE, 3, BYTES, ANY),
    GAUGE("container_memory_usage_bytes", MEMORY_USAGE, 4, BYTES, CONTAINER),
    GAUGE("container_memory_usage_bytes", MEMORY_USAGE, 21, BYTES, POD),
    GAUGE("k8s.pod.memory.usage", MEMORY_USAGE, 5, BYTES, ANY),
    GAUGE("container.memory.rss", MEMORY_USAGE, 6, BYTES, ANY),
    GAUGE("container_memory_rss", MEMORY_USAGE, 7, BYTES, CONTAINER),
    GAUGE("container_memory_rss", MEMORY_USAGE, 22, BYTES, POD),
    GAUGE("k8s.pod.memory.rss", MEMORY_USAGE, 8, BYTES, ANY),
    GAUGE("container.memory.usage.total", MEMORY_USAGE, 9, BYTES, ANY),
    GAUGE("process.memory.usage", MEMORY_USAGE, 10, BYTES, ANY),
    GAUGE("process.memory.physical_usage", MEMORY_USAGE, 11, BYTES, ANY),
    GAUGE("process_memory_usage_bytes", MEMORY_USAGE, 12, BYTES, ANY),
    GAUGE("process_resident_memory_bytes", MEMORY_USAGE, 13, BYTES, ANY),
    GAUGE("dotnet.process.memory.working_set", MEMORY_USAGE, 14, BYTES, ANY),
    GAUGE("dotnet_process_memory_working_set_bytes", MEMORY_USAGE, 15, BYTES, ANY),
    GAUGE("k8s.container.memory_request", MEMORY_REQUEST, 0, BYTES, ANY),
    GAUGE("k8s.container.memory.request.desired", MEMORY_REQUEST, 1, BYTES, ANY),
    GAUGE("k8s.container.memory.request", MEMORY_REQUEST, 3, BYTES, ANY),
    GAUGE("k8s.container.memory_limit", MEMORY_LIMIT, 0, BYTES, ANY),
    GAUGE("k8s.container.memory.limit.desired", MEMORY_LIMIT, 1, BYTES, ANY),
    GAUGE("k8s.container.memory.limit", MEMORY_LIMIT, 3, BYTES, ANY),
    COUNTER("k8s.pod.network.io", NETWORK_RECEIVE, 0, BYTES, RECEIVE, 1),
    COUNTER("k8s.pod.network.io", NETWORK_TRANSMIT, 0, BYTES, TRANSMIT, 1),
    COUNTER("container.network.io", NETWORK_RECEIVE, 1, BYTES, RECEIVE, 1),
    COUNTER("container.network.io", NETWORK_TRANSMIT, 1, BYTES, TRANSMIT, 1),
    COUNTER("container_network_receive_bytes_total", NETWORK_RECEIVE, 2, BYTES, ANY, 1),
    COUNTER("container_network_transmit_bytes_total", NETWORK_TRANSMIT, 2, BYTES, ANY, 1),
    COUNTER("container.network.io.usage.rx_bytes", NETWORK_RECEIVE, 3, BYTES, ANY, 1),
    COUNTER("container.network.io.usage.tx_bytes", NETWORK_TRANSMIT, 3, BYTES, ANY, 1),
    COUNTER("container.disk.io", DISK_READ, 0, BYTES, READ, 1),
    COUNTER("container.disk.io", DISK_WRITE, 0, BYTES, WRITE, 1),
    COUNTER("container_fs_reads_bytes_total", DISK_READ, 1, BYTES, CONTAINER, 1),
    COUNTER("container_fs_reads_bytes_total", DISK_READ, 20, BYTES, POD, 1),
    COUNTER("container_fs_writes_bytes_total", DISK_WRITE, 1, BYTES, CONTAINER, 1),
    COUNTER("container_fs_writes_bytes_total", DISK_WRITE, 20, BYTES, POD, 1),
    COUNTER("container.blockio.io_service_bytes_recursive", DISK_READ, 2, BYTES, READ, 1),
    COUNTER("container.blockio.io_service_bytes_recursive", DISK_WRITE, 2, BYTES, WRITE, 1),
    COUNTER("process.disk.io", DISK_READ, 3, BYTES, READ, 1),
    COUNTER("process.disk.io", DISK_WRITE, 3, BYTES, WRITE, 1),

    HISTOGRAM("http.server.request.duration", HTTP_SERVER, 0, 1),
    PARTS("http_server_request_duration_seconds", HTTP_SERVER, 1, BOTH, 1),
    HISTOGRAM("http.server.duration", HTTP_SERVER, 2, 1e-3),
    PARTS("http_server_duration_milliseconds", HTTP_SERVER, 3, BOTH, 1e-3),
    PARTS("http_server_duration_seconds", HTTP_SERVER, 3, BOTH, 1),
    PARTS("http_server_duration", HTTP_SERVER, 3, BOTH, 1e-3),
    PARTS("http.server.requests", HTTP_SERVER, 4, BOTH, 1e-3), /* Micrometer */
    PARTS("http_server_requests", HTTP_SERVER, 5, BOTH, 1e-3),
    PARTS("http_server_requests_milliseconds", HTTP_SERVER, 5, BOTH, 1e-3),
    PARTS("http_server_requests_seconds", HTTP_SERVER, 5, BOTH, 1),
    TOTAL("hubble_http_requests_total", PROXY_SERVER, 6),
    PARTS("hubble_http_request_duration_seconds", PROXY_SERVER, 6, HAS_LATENCY, 1),
    TOTAL("istio_requests_total", PROXY_SERVER, 7),
    PARTS("istio_request_duration_milliseconds", PROXY_SERVER, 7, HAS_LATENCY, 1e-3),
    PARTS("http_request_duration_seconds", HTTP_SERVER, 8, BOTH, 1),
    PARTS("flask_http_request_duration_seconds", HTTP_SERVER, 8, BOTH, 1),
    TOTAL("http_requests_total", HTTP_SERVER, 9),
    TOTAL("http_requests_received_total", HTTP_SERVER, 9),

    HISTOGRAM("rpc.server.call.duration", RPC_SERVER, 0, 1),
    PARTS("rpc_server_call_duration_seconds", RPC_SERVER, 1, BOTH, 1),
    HISTOGRAM("rpc.server.duration", RPC_SERVER, 2, 1e-3),
    PARTS("rpc_server_duration_milliseconds", RPC_SERVER, 3, BOTH, 1e-3),
    PARTS("grpc_server_handling_seconds", RPC_SERVER, 4, BOTH, 1),
    TOTAL("grpc_server_handled_total", RPC_SERVER, 5),
};
/* clang-format on */
const uint32_t metric_name_count = sizeof(metric_names) / sizeof(*metric_names);

const struct metric_name *metric_name_find(struct slice name)
{
    for (uint32_t i = 0; i < metric_name_count; i++)
        if (slice_equal(metric_names[i].name, name))
            return &metric_names[i];
    return NULL;
}

const struct metric_name *metric_name_next(const struct metric_name *row)
{
    const struct metric_name *next = row + 1;

    return next < metric_names + metric_name_count &&
                   slice_equal(next->name, row->name)
               ? next
               : NULL;
}

const struct slice *metric_names_of(enum metric_meaning first,
                                    enum metric_meaning last,
                                    struct arena *arena, uint32_t *count)
{
    struct slice *names = arena_zero(arena, metric_name_count, sizeof(*names));

    *count = 0;
    for (uint32_t i = 0; names && i < metric_name_count; i++) {
        const struct metric_name *row = &metric_names[i];

        if (row->meaning < first || row->meaning > last ||
            (*count > 0 && slice_equal(row->name, names[*count - 1])))
            continue;
        names[(*count)++] = row->name;
    }
    return names;
}

static bool is(const struct attrs *attrs, const char *key, const char *value)
{
    return slice_equal(attrs_text(attrs, slice_of(key)), slice_of(value));
}

static bool has_direction(const struct attrs *attrs, const char *value)
{
    return is(attrs, "direction", value) ||
           is(attrs, "network.io.direction", value) ||
           is(attrs, "disk.io.direction", value) ||
           is(attrs, "operation", value);
}

static bool is_container(const struct attrs *attrs)
{
    struct slice container = attrs_text(attrs, SLICE("container"));

    return container.len > 0 && !slice_equal(container, SLICE("POD"));
}

/* Hubble and Istio report a request on both sides. */
static bool is_served(const struct attrs *attrs)
{
    struct slice reporter = attrs_text(attrs, SLICE("reporter"));

    return reporter.len == 0 || slice_equal(reporter, SLICE("server")) ||
           slice_equal(reporter, SLICE("destination"));
}

bool metric_fits(const struct metric_name *row, const struct attrs *attrs)
{
    switch ((enum requirement)row->requires) {
    case ANY:
        return true;
    case CONTAINER:
        return is_container(attrs);
    case POD:
        return attrs_text(attrs, SLICE("container")).len == 0;
    case CPU:
        return is(attrs, "resource", "cpu");
    case MEMORY:
        return is(attrs, "resource", "memory");
    case RECEIVE:
        return has_direction(attrs, "receive");
    case TRANSMIT:
        return has_direction(attrs, "transmit");
    case READ:
        return has_direction(attrs, "read");
    case WRITE:
        return has_direction(attrs, "write");
    case SERVED:
        return is_served(attrs);
    }
    return false;
}

double metric_factor(const struct metric_name *row, const struct metric *metric)
{
    if (row->quantity == QUANTITY_OTHER)
        return 1;
    return unit_factor(metric->unit, (enum quantity)row->quantity, row->factor);
}

uint64_t metric_pod_entity(struct slice namespace, struct slice pod)
{
    uint64_t hash = hash_bytes(namespace.ptr, namespace.len, 1);

    return hash_bytes(pod.ptr, pod.len, hash) | 1;
}

struct metric_pod metric_labelled_pod(const struct attrs *attrs)
{
    struct metric_pod pod = {.name = attrs_text(attrs, SLICE("exported_pod"))};

    if (pod.name.len > 0) {
        pod.namespace = attrs_text(attrs, SLICE("exported_namespace"));
        return pod;
    }
    pod.name = attrs_text(attrs, SLICE("pod"));
    pod.namespace = attrs_text(attrs, SLICE("namespace"));
    return pod;
}

/* ---- attributes of requests ---- */

/* 503, "503", 503.0, "5xx"; 0 for anything else. */
static int status_of(const struct attr *a)
{
    double number = 0;

    if (a->type == VALUE_INT)
        number = (double)a->i;
    else if (a->type == VALUE_DOUBLE)
        number = a->d;
    else if (a->type == VALUE_STRING && a->len == 3)
        for (uint32_t i = 0; i < a->len; i++) {
            char c = a->str[i];

            if (i > 0 && (c == 'x' || c == 'X'))
                c = '0';
            if (c < '0' || c > '9')
                return 0;
            number = 10 * number + (c - '0');
        }
    return number >= 100 && number < 600 ? (int)number : 0;
}

/* The HTTP status in any of its spellings: 200 to 599; of 5xx the first, 500.
 * 0: there is none. */
static int http_status(const struct attrs *attrs)
{
    static const char *const keys[] = {"http.response.status_code",
                                       "http.status_code",
                                       "http_response_status_code",
                                       "http_status_code",
                                       "status_code",
                                       "response_code",
                                       "envoy_response_code",
                                       "status",
                                       "code"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct attr *a = attrs_find(attrs, slice_of(keys[i]));
        int status = a ? status_of(a) : 0;

        if (status)
            return status;
    }
    return 0;
}

/* The gRPC codes that are the server's fault, as a number or a name. */
static bool is_grpc_failure(const struct attr *a)
{
    static const struct {
        int64_t code;
        const char *names[2];
    } codes[] = {{2, {"UNKNOWN", "Unknown"}},
                 {4, {"DEADLINE_EXCEEDED", "DeadlineExceeded"}},
                 {12, {"UNIMPLEMENTED", "Unimplemented"}},
                 {13, {"INTERNAL", "Internal"}},
                 {14, {"UNAVAILABLE", "Unavailable"}},
                 {15, {"DATA_LOSS", "DataLoss"}}};
    struct slice text = attr_text(a);
    int64_t number = a->type == VALUE_INT ? a->i : 0;

    if (text.len > 0 && text.len <= 2)
        for (size_t i = 0; i < text.len; i++)
            number = text.ptr[i] >= '0' && text.ptr[i] <= '9'
                         ? 10 * number + (text.ptr[i] - '0')
                         : 0;
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
        if (number == codes[i].code ||
            slice_equal(text, slice_of(codes[i].names[0])) ||
            slice_equal(text, slice_of(codes[i].names[1])))
            return true;
    return false;
}

static const struct attr *grpc_status(const struct attrs *attrs)
{
    static const char *const keys[] = {"rpc.response.status_code",
                                       "rpc.grpc.status_code",
                                       "rpc_response_status_code",
                                       "rpc_grpc_status_code",
                                       "grpc_response_status",
                                       "grpc_code",
                                       "grpc_status",
                                       "grpc.status"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        const struct attr *a = attrs_find(attrs, slice_of(keys[i]));

        if (a)
            return a;
    }
    return NULL;
}

/* A word for the outcome: of Micrometer (IO_ERROR: no answer came), of span
 * metrics, Linkerd, and of counters that people make. */
static bool says_failed(const struct attrs *attrs)
{
    static const char *const keys[] = {"outcome",     "status",
                                       "status.code", "status_code",
                                       "result",      "classification"};
    static const char *const words[] = {
        "SERVER_ERROR", "STATUS_CODE_ERROR", "IO_ERROR", "ERROR", "Error",
        "error",        "failure",           "failed"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct slice text = attrs_text(attrs, slice_of(keys[i]));

        for (size_t k = 0; text.len > 0 && k < sizeof(words) / sizeof(*words);
             k++)
            if (slice_equal(text, slice_of(words[k])))
                return true;
    }
    return is(attrs, "success", "false");
}

enum metric_outcome metric_outcome(const struct attrs *attrs)
{
    int status = http_status(attrs);
    const struct attr *grpc = grpc_status(attrs);

    if (status >= 500 || says_failed(attrs) || (grpc && is_grpc_failure(grpc)))
        return OUTCOME_FAILED;
    if (status >= 400 || is(attrs, "outcome", "CLIENT_ERROR"))
        return OUTCOME_CLIENT_ERROR;
    if (status == 0 && (attrs_text(attrs, SLICE("error.type")).len > 0 ||
                        attrs_text(attrs, SLICE("error_type")).len > 0))
        return OUTCOME_FAILED;
    return OUTCOME_GOOD;
}

double metric_bucket_bound(const struct attrs *attrs)
{
    const struct attr *a = attrs_find(attrs, SLICE("le"));
    struct slice text = a ? attr_text(a) : (struct slice){NULL, 0};
    char digits[32], *end;
    double bound;

    if (a && a->type == VALUE_DOUBLE)
        return a->d;
    if (a && a->type == VALUE_INT)
        return (double)a->i;
    if (text.len == 0 || text.len >= sizeof(digits))
        return NAN;
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    bound = strtod(digits, &end);
    return *end == '\0' ? bound : NAN;
}
