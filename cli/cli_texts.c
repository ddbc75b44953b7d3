/* Verbs whose answer is text of its own, not a table. */
#include "cli_list.h"

#include <string.h>

#include "component_text.h"
#include "server_text.h"
#include "topology_text.h"
#include "waterfall.h"

struct term_look cli_look(const struct cli_call *call)
{
    struct term_look look = call->screen.look;

    look.ascii |= call->given.of[OPT_ASCII] != NULL;
    return look;
}

static void write_component(struct buf *out, const struct term_look *look,
                            const struct cli_call *call, const json_t *answer)
{
    (void)call;
    component_text(out, look, answer);
}

static bool is_component(const json_t *answer)
{
    const json_t *component = json_object_get(answer, "component");

    return strcmp(cli_text(component, "rule"), "none") != 0 ||
           json_is_true(json_object_get(component, "declared"));
}

static void write_trace(struct buf *out, const struct term_look *look,
                        const struct cli_call *call, const json_t *answer)
{
    waterfall_text(out, look, answer, call->given.of[OPT_ALL] != NULL);
}

static void write_topology(struct buf *out, const struct term_look *look,
                           const struct cli_call *call, const json_t *answer)
{
    (void)call;
    topology_text(out, look, answer);
}

static bool is_status(const json_t *answer)
{
    return json_object_get(answer, "version");
}

/* clang-format off */
static const struct cli_column operations[] = {
    {"ENDPOINT", "endpoint", FORMAT_TEXT, COLUMN_LONG},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"ERRORS", "errorRatio", FORMAT_RATIO, 0},
    {"P50", "latency.p50", FORMAT_SECONDS, 0},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {.head = NULL}};

static const struct cli_column spans[] = {
    {"SPAN", "spanId", FORMAT_TEXT, 0},
    {"PARENT", "parentSpanId", FORMAT_TEXT, 0},
    {"DEPTH", "depth", FORMAT_COUNT, 0},
    {"COMPONENT", "component", FORMAT_TEXT, 0},
    {"NAME", "spanName", FORMAT_TEXT, COLUMN_LONG},
    {"KIND", "spanKind", FORMAT_TEXT, 0},
    {"STATUS", "status.code", FORMAT_TEXT, 0},
    {"START", "startTime", FORMAT_MOMENT, 0},
    {"DURATION", "durationNs", FORMAT_NANOS, 0},
    {"SELF", "selfTimeNs", FORMAT_NANOS, 0},
    {"CRITICAL", "criticalPathNs", FORMAT_NANOS, 0},
    {.head = NULL}};

static const struct cli_column edges[] = {
    {"FROM", "source", FORMAT_TEXT, 0},
    {"TO", "target", FORMAT_TEXT, 0},
    {"PROTOCOL", "protocol", FORMAT_TEXT, 0},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"ERRORS", "errorRatio", FORMAT_RATIO, 0},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {"DECLARED", "declared", FORMAT_YES, 0},
    {"OBSERVED", "observed", FORMAT_YES, 0},
    {"DRIFT", "drift", FORMAT_TEXT, 0},
    {.head = NULL}};

const struct cli_view cli_view_component = {
    .route = "/api/v1/components/{namespace}/{project}/{component}",
    .needs_namespace = true, .needs_component = true, .rows = "endpoints",
    .columns = operations, .nothing = "there is no such component",
    .text = write_component, .is_known = is_component};

const struct cli_view cli_view_trace = {
    .route = "/api/v1/traces/{word}", .rows = "spans", .columns = spans,
    .nothing = "there is no trace with this id", .page = 10000, .text = write_trace};

const struct cli_view cli_view_topology = {
    .route = "/api/v1/dependencies", .needs_namespace = true, .rows = "edges",
    .columns = edges, .nothing = "nothing was called in this time, and nothing is declared",
    .text = write_topology};

static const struct cli_column signals[] = {
    {"SIGNAL", "signal", FORMAT_TEXT, 0},
    {"ACCEPTED", "accepted", FORMAT_COUNT, 0},
    {"REJECTED", "rejected", FORMAT_COUNT, 0},
    {"LAG", "lagSeconds", FORMAT_SECONDS, 0},
    {"LAST", "lastReceived", FORMAT_AGE, 0},
    {.head = NULL}};

const struct cli_view cli_view_status = {
    .route = "/api/v1/status", .rows = "system.signals", .columns = signals,
    .nothing = "the server tells nothing about itself", .text = server_text,
    .is_known = is_status};
/* clang-format on */
