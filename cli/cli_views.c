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

static const struct cli_column details[] = {
    {"NAMESPACE", "namespace", FORMAT_TEXT, COLUMN_SAME},
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_LONG},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"ERRORS", "errorRatio", FORMAT_RATIO, 0},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {"LOG ERRORS", "logErrors", FORMAT_COUNT, 0},
    {"BEFORE", "previous.logErrors", FORMAT_COUNT, 0},
    {"PODS", "pods", FORMAT_COUNT, 0},
    {"CHANGE", "lastChange.kind", FORMAT_TEXT, COLUMN_LESS},
    {"TO", "lastChange.to", FORMAT_TEXT, COLUMN_LESS},
    {"CHANGED", "lastChange.timestamp", FORMAT_AGE, COLUMN_LESS},
    {"LAST SEEN", "lastSeen.traces|lastSeen.metrics|lastSeen.logs", FORMAT_AGE, COLUMN_WIDE},
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
    {"TRACE", "traceId", FORMAT_TEXT, COLUMN_ID},
    {"START", "startTime", FORMAT_MOMENT, COLUMN_LESS},
    {"DURATION", "durationNs", FORMAT_NANOS, 0},
    {"SPANS", "spanCount", FORMAT_COUNT, COLUMN_LESS},
    {"FAILED", "hasErrors", FORMAT_YES, 0},
    {"ROOT", "rootComponent", FORMAT_TEXT, COLUMN_SAME | COLUMN_LESS},
    {"PROJECT", "rootProject", FORMAT_TEXT, COLUMN_WIDE},
    {"NAME", "traceName", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_column found_traces[] = {
    {"TRACE", "traceId", FORMAT_TEXT, COLUMN_ID},
    {"START", "startTime", FORMAT_MOMENT, COLUMN_LESS},
    {"DURATION", "durationNs", FORMAT_NANOS, 0},
    {"SPANS", "spanCount", FORMAT_COUNT, COLUMN_LESS},
    {"ROOT", "rootComponent", FORMAT_TEXT, COLUMN_SAME | COLUMN_LESS},
    {"NAME", "rootSpanName", FORMAT_TEXT, COLUMN_LONG},
    {"FAILED AT", "failing.component", FORMAT_TEXT, 0},
    {"SPAN", "failing.spanName", FORMAT_TEXT, COLUMN_WIDE},
    {"MESSAGE", "failing.message", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column trace_groups[] = {
    {"TRACES", "count", FORMAT_COUNT, 0},
    {"STATUS", "status", FORMAT_TEXT, 0},
    {"ROOT", "rootComponent", FORMAT_TEXT, COLUMN_SAME | COLUMN_LESS},
    {"NAME", "rootSpanName", FORMAT_TEXT, COLUMN_LONG},
    {"P50", "p50Ns", FORMAT_NANOS, COLUMN_LESS},
    {"P99", "p99Ns", FORMAT_NANOS, 0},
    {"MAX", "maxNs", FORMAT_NANOS, COLUMN_LESS},
    {"FAILED AT", "failing.component", FORMAT_TEXT, 0},
    {"EXAMPLE", "exampleTraceId", FORMAT_TEXT, COLUMN_ID},
    {.head = NULL}};

static const struct cli_column trace_outliers[] = {
    {"TRACE", "traceId", FORMAT_TEXT, COLUMN_ID},
    {"DURATION", "durationNs", FORMAT_NANOS, 0},
    {"MEDIAN", "medianNs", FORMAT_NANOS, 0},
    {"TIMES", "timesMedian", FORMAT_NUMBER, 0},
    {"ROOT", "rootComponent", FORMAT_TEXT, COLUMN_SAME},
    {"NAME", "rootSpanName", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_section found_sections[] = {
    {"Equal traces", "summary.groups", trace_groups},
    {"Much slower than their operation", "summary.outliers", trace_outliers},
    {.title = NULL}};

const struct cli_view cli_view_found = {
    .route = "/api/v1/traces", .needs_namespace = true, .rows = "traces",
    .columns = found_traces, .nothing = "no traces match in this time",
    .page = 1000, .sections = found_sections};

const struct cli_view cli_view_sorted = {
    .route = "/api/v1/traces", .needs_namespace = true, .rows = "traces",
    .columns = found_traces, .nothing = "no traces match in this time",
    .page = 1000};

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

static const struct cli_column changes[] = {
    {"TIME", "timestamp", FORMAT_TIME, 0},
    {"TYPE", "type", FORMAT_LEVEL, 0},
    {"KIND", "kind", FORMAT_TEXT, 0},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_SAME},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"TIMES", "count", FORMAT_COUNT, COLUMN_WIDE},
    {"CHANGE", "title", FORMAT_TEXT, COLUMN_LONG},
    {"FROM", "from", FORMAT_TEXT, COLUMN_WIDE},
    {"TO", "to", FORMAT_TEXT, COLUMN_WIDE},
    {"MESSAGE", "message", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column incidents[] = {
    {"START", "startTime", FORMAT_TIME, 0},
    {"END", "endTime", FORMAT_TIME, 0},
    {"SYMPTOM", "symptom", FORMAT_TEXT, 0},
    {"NAMESPACE", "namespace", FORMAT_TEXT, COLUMN_SAME},
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, 0},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENTS", "componentCount", FORMAT_COUNT, COLUMN_WIDE},
    {"REQUESTS", "during.requests", FORMAT_COUNT, COLUMN_WIDE},
    {"ERRORS", "during.errorRatio", FORMAT_PERCENT, COLUMN_WIDE},
    {"USUALLY", "usual.errorRatio", FORMAT_PERCENT, COLUMN_WIDE},
    {"MEAN", "during.meanLatency", FORMAT_SECONDS, COLUMN_WIDE},
    {"USUAL MEAN", "usual.meanLatency", FORMAT_SECONDS, COLUMN_WIDE},
    {"WHAT", "text", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_column unassigned[] = {
    {"NAME", "name", FORMAT_TEXT, 0},
    {"NAMESPACE", "namespace", FORMAT_TEXT, COLUMN_SAME},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"RESOURCES", "resources", FORMAT_COUNT, 0},
    {"SPANS", "records.spans", FORMAT_COUNT, 0},
    {"LOGS", "records.logs", FORMAT_COUNT, 0},
    {"METRICS", "records.metrics", FORMAT_COUNT, 0},
    {"FIRST SEEN", "firstSeen", FORMAT_TIME, COLUMN_WIDE},
    {"LAST SEEN", "lastSeen", FORMAT_AGE, 0},
    {"REASON", "reason", FORMAT_TEXT, 0},
    {"WHY", "why", FORMAT_TEXT, COLUMN_LONG},
    {"TO ASSIGN IT", "example", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column differences[] = {
    {"KIND", "kind", FORMAT_TEXT, 0},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_SAME},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"WAY", "direction", FORMAT_TEXT, 0},
    {"DIFFERENCE", "title", FORMAT_TEXT, COLUMN_LONG},
    {"METRIC", "metric", FORMAT_TEXT, COLUMN_WIDE},
    {"BEFORE", "from", FORMAT_NUMBER, COLUMN_WIDE},
    {"NOW", "to", FORMAT_NUMBER, COLUMN_WIDE},
    {"COUNT BEFORE", "countBefore", FORMAT_COUNT, COLUMN_WIDE},
    {"COUNT", "count", FORMAT_COUNT, COLUMN_WIDE},
    {"SCORE", "score", FORMAT_NUMBER, COLUMN_LESS},
    {.head = NULL}};

static const struct cli_column patterns[] = {
    {"TIMES", "count", FORMAT_COUNT, 0},
    {"SHARE", "share", FORMAT_PERCENT, 0},
    {"BEFORE", "countBefore", FORMAT_COUNT, 0},
    {"NEW", "new", FORMAT_YES, 0},
    {"LEVEL", "level", FORMAT_LEVEL, 0},
    {"FIRST", "firstSeen", FORMAT_TIME, COLUMN_WIDE},
    {"LAST", "lastSeen", FORMAT_TIME, COLUMN_WIDE},
    {"COMPONENTS", "componentCount", FORMAT_COUNT, COLUMN_WIDE},
    {"PATTERN", "template", FORMAT_TEXT, COLUMN_LONG},
    {"EXAMPLE", "example.log", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column callers[] = {
    {"CALLS", "depth", FORMAT_COUNT, 0},
    {"KIND", "kind", FORMAT_TEXT, COLUMN_SAME},
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"CALLER", "component|name", FORMAT_TEXT, COLUMN_LONG},
    {"ENVIRONMENT", "environment", FORMAT_TEXT, COLUMN_SAME},
    {"SHARE", "share", FORMAT_PERCENT, 0},
    {"PER REQUEST", "callsPerRequest", FORMAT_NUMBER, COLUMN_WIDE},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"ERRORS", "errorRatio", FORMAT_RATIO, 0},
    {"P99", "latency.p99", FORMAT_SECONDS, 0},
    {"QUEUE", "asynchronous", FORMAT_YES, COLUMN_WIDE},
    {"PATH", "path", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column costs[] = {
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_LONG},
    {"START", "startTime", FORMAT_TIME, COLUMN_SAME},
    {"CPU COST", "cpuCost", FORMAT_MONEY, 0},
    {"MEMORY COST", "memoryCost", FORMAT_MONEY, 0},
    {"USED", "efficiency", FORMAT_PERCENT, 0},
    {"CPU USED", "cpuUsedCost", FORMAT_MONEY, COLUMN_WIDE},
    {"MEMORY USED", "memoryUsedCost", FORMAT_MONEY, COLUMN_WIDE},
    {"HOURS", "hours", FORMAT_COUNT, COLUMN_LESS},
    {"NOT SENT", "missing", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column recommendations[] = {
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_LONG},
    {"CPU REQUEST", "current.cpuRequest", FORMAT_TEXT, 0},
    {"BETTER", "recommendation.cpuRequest", FORMAT_TEXT, 0},
    {"CPU LIMIT", "current.cpuLimit", FORMAT_TEXT, COLUMN_WIDE},
    {"BETTER", "recommendation.cpuLimit", FORMAT_TEXT, COLUMN_WIDE},
    {"MEMORY REQUEST", "current.memoryRequest", FORMAT_TEXT, 0},
    {"BETTER", "recommendation.memoryRequest", FORMAT_TEXT, 0},
    {"MEMORY LIMIT", "current.memoryLimit", FORMAT_TEXT, COLUMN_WIDE},
    {"BETTER", "recommendation.memoryLimit", FORMAT_TEXT, COLUMN_WIDE},
    {"SAVING", "saving", FORMAT_MONEY, 0},
    {"RISK", "risk", FORMAT_TEXT, 0},
    {"WHY", "riskReasons", FORMAT_TEXT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_column not_recommended[] = {
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_LONG},
    {"HOURS", "hours", FORMAT_COUNT, 0},
    {"WHY", "reason", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_section recommendation_sections[] = {
    {"Nothing is recommended for", "notRecommended", not_recommended}, {.title = NULL}};

const struct cli_view cli_view_changes = {
    .route = "/api/v1/changes", .rows = "changes", .columns = changes,
    .nothing = "nothing changed in this time", .page = 1000};

const struct cli_view cli_view_incidents = {
    .route = "/api/v1/incidents", .rows = "incidents", .columns = incidents,
    .nothing = "no component failed or was slow in this time"};

const struct cli_view cli_view_unassigned = {
    .route = "/api/v1/unassigned", .rows = "senders", .columns = unassigned,
    .nothing = "every sender belongs to a component"};

static const struct cli_section compare_sections[] = {
    {"What changed", "changes", changes}, {.title = NULL}};

const struct cli_view cli_view_compare = {
    .route = "/api/v1/compare", .needs_namespace = true, .rows = "differences",
    .columns = differences, .nothing = "there is nothing to compare in this time", .page = 200,
    .is_known = cli_is_not_empty, .summary = "summary", .sections = compare_sections};

const struct cli_view cli_view_patterns = {
    .route = "/api/v1/logs/patterns", .needs_namespace = true, .rows = "patterns",
    .columns = patterns, .nothing = "no log records match in this time", .page = 200};

static const struct cli_column entry_points[] = {
    {"GATEWAY", "gateway", FORMAT_TEXT, 0},
    {"PROJECT", "project", FORMAT_TEXT, COLUMN_SAME},
    {"COMPONENT", "component", FORMAT_TEXT, COLUMN_LONG},
    {"ENDPOINT", "endpoint", FORMAT_TEXT, 0},
    {"RATE", "requestRate", FORMAT_RATE, 0},
    {"SHARE", "share", FORMAT_PERCENT, 0},
    {"WITH QUEUES", "shareWithQueues", FORMAT_PERCENT, COLUMN_WIDE},
    {.head = NULL}};

static const struct cli_section blast_sections[] = {
    {"Requests of users that pass it", "entryPoints", entry_points}, {.title = NULL}};

const struct cli_view cli_view_blast_radius = {
    .route = "/api/v1/blast-radius", .needs_namespace = true, .needs_component = true,
    .rows = "callers", .columns = callers, .nothing = "nobody called it in this time",
    .page = 1000, .is_known = cli_is_not_empty, .sections = blast_sections};

const struct cli_view cli_view_costs = {
    .route = "/api/v1alpha1/costs/namespaces/{namespace}/environments/{environment}",
    .needs_namespace = true, .needs_environment = true, .rows = "items",
    .summary = "prices.currency", .summary_head = "Costs in ", .columns = costs, .nothing = "no usage of a pod was sent in this time"};

const struct cli_view cli_view_recommendations = {
    .route = "/api/v1alpha1/costs/namespaces/{namespace}/environments/{environment}/recommendations",
    .needs_namespace = true, .needs_environment = true, .rows = "items",
    .summary = "prices.currency", .summary_head = "Savings in ", .columns = recommendations,
    .is_known = cli_is_not_empty, .sections = recommendation_sections,
    .nothing = "nothing is recommended: no usage of a pod was sent in this time"};

static const struct cli_column limits[] = {
    {"LIMIT OF", "kind", FORMAT_TEXT, 0},
    {"NOW", "present", FORMAT_UNIT, 0},
    {"LIMIT", "limit", FORMAT_UNIT, 0},
    {"PER REQUEST/S", "perRequestRate.value", FORMAT_UNIT, 0},
    {"BREAKS AT", "breaksAt.value", FORMAT_RATE, 0},
    {"FROM", "breaksAt.low", FORMAT_RATE, 0},
    {"TO", "breaksAt.high", FORMAT_RATE, 0},
    {"HEADROOM", "headroom", FORMAT_NUMBER, 0},
    {"R2", "r2", FORMAT_NUMBER, COLUMN_WIDE},
    {"CELLS", "cells", FORMAT_COUNT, COLUMN_WIDE},
    {"NOT ENOUGH TO TELL", "notEnough", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_column limits_of_callees[] = {
    {"CALLEE", "component", FORMAT_TEXT, COLUMN_LONG},
    {"CALLS PER REQUEST", "callsPerRequest", FORMAT_NUMBER, COLUMN_LESS},
    {"LIMIT OF", "kind", FORMAT_TEXT, 0},
    {"BREAKS AT", "breaksAt.value", FORMAT_RATE, 0},
    {"RATE HERE", "callerRate.value", FORMAT_RATE, 0},
    {"HEADROOM", "headroom", FORMAT_NUMBER, 0},
    {"NOT ENOUGH TO TELL", "notEnough", FORMAT_TEXT, COLUMN_LONG},
    {.head = NULL}};

static const struct cli_section capacity_sections[] = {
    {"What it calls", "callees", limits_of_callees}, {.title = NULL}};

const struct cli_view cli_view_capacity = {
    .route = "/api/v1/capacity", .needs_namespace = true, .needs_component = true,
    .rows = "limits", .columns = limits, .nothing = "nothing is known of it in this time",
    .is_known = cli_is_not_empty, .summary = "notEnough", .sections = capacity_sections};

const struct cli_view cli_view_components = {
    .route = "/api/v1/components", .rows = "components", .columns = components,
    .nothing = "there are no components", .page = 1000};

const struct cli_view cli_view_details = {
    .route = "/api/v1/components", .rows = "components", .columns = details,
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
