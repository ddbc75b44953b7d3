/* The columns of the lists. */
#include "cli_list.h"

/* clang-format off */
static const struct cli_column components[] = {
    {"NAMESPACE", "namespace", FORMAT_TEXT, COLUMN_SAME},
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_LONG},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"ERRORS", "errorRatio", FORMAT_RATIO, 0},
    {"4XX", "clientErrorRatio", FORMAT_PERCENT, COLUMN_WIDE},
    {"P50", "latency.p50", FORMAT_SECONDS, 0},
    {"P90", "latency.p90", FORMAT_SECONDS, COLUMN_WIDE},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {"REQUESTS", "requestCount", FORMAT_COUNT, COLUMN_WIDE},
    {"BEFORE", "previous.requestRate", FORMAT_RATE, COLUMN_WIDE},
    {"ERRORS BEFORE", "previous.errorRatio", FORMAT_PERCENT, COLUMN_WIDE},
    {"P99 BEFORE", "previous.latency.p99", FORMAT_SECONDS, COLUMN_WIDE},
    {"DECLARED", "declared", FORMAT_YES, COLUMN_WIDE},
    {"LAST SEEN", "lastSeen.traces|lastSeen.metrics|lastSeen.logs", FORMAT_AGE, 0},
    {.head = NULL}};

static const struct cli_column logs[] = {
    {"TIME", "timestamp", FORMAT_MOMENT, 0},
    {"LEVEL", "level", FORMAT_LEVEL, 0},
    {"COMPONENT", "metadata.componentName", FORMAT_TEXT, COLUMN_SAME},
    {"ENVIRONMENT", "metadata.environmentName", FORMAT_TEXT, COLUMN_WIDE},
    {"POD", "metadata.podName", FORMAT_TEXT, COLUMN_WIDE},
    {"TRACE", "traceId", FORMAT_TEXT, COLUMN_WIDE},
    {"LOG", "log", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_column events[] = {
    {"TIME", "timestamp", FORMAT_TIME, 0},
    {"TYPE", "type", FORMAT_LEVEL, 0},
    {"REASON", "reason", FORMAT_TEXT, 0},
    {"COMPONENT", "metadata.componentName", FORMAT_TEXT, COLUMN_SAME},
    {"ENVIRONMENT", "metadata.environmentName", FORMAT_TEXT, COLUMN_WIDE},
    {"OBJECT", "metadata.objectName", FORMAT_TEXT, COLUMN_WIDE},
    {"KIND", "metadata.objectKind", FORMAT_TEXT, COLUMN_WIDE},
    {"MESSAGE", "message", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_column traces[] = {
    {"TRACE", "traceId", FORMAT_TEXT, 0},
    {"START", "startTime", FORMAT_MOMENT, 0},
    {"DURATION", "durationNs", FORMAT_NANOS, 0},
    {"SPANS", "spanCount", FORMAT_COUNT, 0},
    {"FAILED", "hasErrors", FORMAT_YES, 0},
    {"ROOT", "rootComponent", FORMAT_TEXT, 0},
    {"PROJECT", "rootProject", FORMAT_TEXT, COLUMN_WIDE},
    {"NAME", "traceName", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_column endpoints[] = {
    {"ENDPOINT", "endpoint", FORMAT_TEXT, COLUMN_LONG},
    {"TYPE", "type", FORMAT_TEXT, 0},
    {"PORT", "port", FORMAT_TEXT, 0},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"ERRORS", "errorRatio", FORMAT_RATIO, 0},
    {"4XX", "clientErrorRatio", FORMAT_PERCENT, COLUMN_WIDE},
    {"P50", "latency.p50", FORMAT_SECONDS, 0},
    {"P90", "latency.p90", FORMAT_SECONDS, COLUMN_WIDE},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {"REQUESTS", "requestCount", FORMAT_COUNT, COLUMN_WIDE},
    {"DECLARED", "declared", FORMAT_YES, 0},
    {.head = NULL}};

const struct cli_view cli_view_components = {
    .route = "/api/v1/components", .rows = "components", .columns = components,
    .nothing = "there are no components", .page = 1000};

const struct cli_view cli_view_endpoints = {
    .route = "/api/v1/components/{namespace}/{project}/{component}",
    .needs_namespace = true, .needs_component = true, .rows = "endpoints",
    .columns = endpoints, .nothing = "no endpoints are declared, and none was called in this time"};

const struct cli_view cli_view_logs = {
    .route = "/api/v1/logs/query", .post = true, .needs_namespace = true,
    .rows = "logs", .columns = logs, .nothing = "no log records match in this time", .page = 1000};

const struct cli_view cli_view_traces = {
    .route = "/api/v1alpha1/traces/query", .post = true, .needs_namespace = true,
    .rows = "traces", .columns = traces, .nothing = "no traces match in this time", .page = 1000};

const struct cli_view cli_view_events = {
    .route = "/api/v1/events/query", .post = true, .needs_namespace = true,
    .rows = "events", .columns = events, .nothing = "no events match in this time", .page = 1000};
/* clang-format on */
