/*
 * The families, in the order that people see.
 */
#include "grafana_family.h"
#include "grafana_handlers.h"

static const struct payload_option by_requests[] = {
    {"component", NULL}, {"endpoint", NULL},
    {"operation", NULL}, {"caller", NULL},
    {"callee", NULL},    {"namespace", NULL},
    {"project", NULL},   {"environment", NULL},
    {"kind", NULL},      {0}};

static const struct payload_option directions[] = {
    {"served", "Requests served"},
    {"in", "Calls in, by caller"},
    {"out", "Calls out, by callee"},
    {0}};

static const struct payload_option outcomes[] = {
    {"errors", "Errors"},
    {"client_errors", "Client errors (HTTP 4xx)"},
    {"all", "Both"},
    {0}};

static const struct payload_option quantiles[] = {
    {"0.5", "p50"},  {"0.75", "p75"},    {"0.9", "p90"},   {"0.95", "p95"},
    {"0.99", "p99"}, {"0.999", "p99.9"}, {"mean", "Mean"}, {0}};

static const struct payload_option resources[] = {{"cpu", "CPU"},
                                                  {"memory", "Memory"},
                                                  {"network", "Network"},
                                                  {"disk", "Disk"},
                                                  {0}};

static const struct payload_option by_usage[] = {
    {"none", "All together"}, {"component", NULL}, {"pod", NULL}, {0}};

static const struct payload_option relative_to[] = {
    {"none", "Absolute"},
    {"request", "Share of the request"},
    {"limit", "Share of the limit"},
    {0}};

#define BY_REQUESTS                                                          \
    {                                                                        \
        "by", "By", PAYLOAD_MULTI, "all together", by_requests, NULL, false, \
            24                                                               \
    }
#define DIRECTION                                                             \
    {                                                                         \
        "direction", "Direction", PAYLOAD_SELECT, NULL, directions, "served", \
            false, 20                                                         \
    }
#define LIMIT(standard)                                                 \
    {                                                                   \
        "limit", "Limit", PAYLOAD_INPUT, NULL, NULL, standard, false, 8 \
    }

static const struct payload_field requests_fields[] = {
    BY_REQUESTS, DIRECTION, LIMIT("20"), {0}};

static const struct payload_field errors_fields[] = {
    BY_REQUESTS,
    DIRECTION,
    {"outcome", "Outcome", PAYLOAD_SELECT, NULL, outcomes, "errors", false, 20},
    LIMIT("20"),
    {0}};

static const struct payload_field latency_fields[] = {
    {"quantile", "Quantile", PAYLOAD_MULTI, "p50, p95, p99", quantiles, NULL,
     false, 20},
    BY_REQUESTS,
    DIRECTION,
    LIMIT("20"),
    {0}};

static const struct payload_field heatmap_fields[] = {DIRECTION, {0}};

static const struct payload_field usage_fields[] = {
    {"resource", "Resource", PAYLOAD_MULTI, "all", resources, NULL, false, 20},
    {"by", "By", PAYLOAD_SELECT, NULL, by_usage, "none", false, 16},
    {"relative_to", "As", PAYLOAD_SELECT, NULL, relative_to, "none", false, 20},
    {0}};

static const struct payload_field restarts_fields[] = {
    {"by", "By", PAYLOAD_SELECT, NULL, by_usage, "none", false, 16}, {0}};

static const struct payload_option series_functions[] = {
    {"auto", "As its type wants"},
    {"value", "Value"},
    {"rate", "Per second"},
    {"increase", "Increase"},
    {"quantile", "Quantile"},
    {"mean", "Mean"},
    {0}};

static const struct payload_field series_fields[] = {
    {"name", "Series", PAYLOAD_SELECT, "name of a metric", NULL, NULL, true,
     40},
    {"function", "Function", PAYLOAD_SELECT, NULL, series_functions, "auto",
     false, 20},
    {"quantile", "Quantile", PAYLOAD_INPUT, NULL, NULL, "0.95", false, 8},
    {"by", "By", PAYLOAD_INPUT, "component, pod, state", NULL, NULL, false, 30},
    LIMIT("20"),
    {0}};

static const struct payload_field callboard_fields[] = {
    {"counter", "Counter", PAYLOAD_MULTI, "the usual ones", NULL, NULL, false,
     40},
    {0}};

enum { FIELDS_REQUESTS = FIELDS_SCOPE | FIELDS_ENDPOINT };

const struct grafana_family grafana_families[] = {
    {"requests", "Requests per second", "Requests", ACTION_METRICS_VIEW,
     FIELDS_REQUESTS, requests_fields, grafana_requests},
    {"errors", "Errors per second", "Requests", ACTION_METRICS_VIEW,
     FIELDS_REQUESTS, errors_fields, grafana_errors},
    {"error_ratio", "Share of errors", "Requests", ACTION_METRICS_VIEW,
     FIELDS_REQUESTS, errors_fields, grafana_error_ratio},
    {"latency", "Response times", "Requests", ACTION_METRICS_VIEW,
     FIELDS_REQUESTS, latency_fields, grafana_latency},
    {"latency_heatmap", "Response times as a heatmap", "Requests",
     ACTION_METRICS_VIEW, FIELDS_REQUESTS, heatmap_fields, grafana_heatmap},
    {"usage", "CPU, memory, network, disk", "Saturation", ACTION_METRICS_VIEW,
     FIELDS_SCOPE, usage_fields, grafana_usage},
    {"restarts", "Restarts of containers", "Saturation", ACTION_METRICS_VIEW,
     FIELDS_SCOPE, restarts_fields, grafana_restarts},
    {"log_volume", "Log volume by level", "Logs", ACTION_LOGS_VIEW,
     FIELDS_SCOPE, grafana_fields_log_volume, grafana_log_volume},
    {"logs", "Log lines", "Logs", ACTION_LOGS_VIEW, FIELDS_SCOPE,
     grafana_fields_logs, grafana_logs},
    {"log_templates", "Log templates", "Logs", ACTION_LOGS_VIEW, FIELDS_SCOPE,
     grafana_fields_log_templates, grafana_log_templates},
    {"traces", "Traces, as a table", "Traces", ACTION_TRACES_VIEW,
     FIELDS_REQUESTS, grafana_fields_traces, grafana_traces},
    {"trace_scatter", "Durations of traces", "Traces", ACTION_TRACES_VIEW,
     FIELDS_REQUESTS, grafana_fields_traces, grafana_trace_scatter},
    {"trace", "One trace", "Traces", ACTION_TRACES_VIEW, 0,
     grafana_fields_trace, grafana_trace},
    {"topology", "Call graph", "Components", ACTION_METRICS_VIEW, FIELDS_SCOPE,
     grafana_fields_topology, grafana_topology},
    {"components", "Components, as a table", "Components", ACTION_METRICS_VIEW,
     FIELDS_SCOPE, grafana_fields_components, grafana_components},
    {"changes", "Changes and releases", "Events", ACTION_EVENTS_VIEW,
     FIELDS_SCOPE, grafana_fields_changes, grafana_changes},
    {"events", "Events of Kubernetes", "Events", ACTION_EVENTS_VIEW,
     FIELDS_SCOPE, grafana_fields_events, grafana_events},
    {"cause", "Likely causes, ranked", "Root cause", ACTION_RCA_VIEW,
     FIELDS_SCOPE, NULL, grafana_cause},
    {"cause_evidence", "Series behind the evidence", "Root cause",
     ACTION_RCA_VIEW, FIELDS_SCOPE, NULL, grafana_cause_evidence},
    {"cause_summary", "The likely cause in a sentence", "Root cause",
     ACTION_RCA_VIEW, FIELDS_SCOPE, NULL, grafana_cause_summary},
    {"series", "Any series by name", "Metrics", ACTION_METRICS_VIEW,
     FIELDS_SCOPE, series_fields, grafana_series},
    {"callboard", "Callboard's own health", "Callboard", ACTION_SYSTEM_VIEW, 0,
     callboard_fields, grafana_callboard},
    {0},
};

const struct grafana_family *grafana_family_find(struct slice target)
{
    for (const struct grafana_family *f = grafana_families; f->target; f++)
        if (slice_equal(target, slice_of(f->target)))
            return f;
    return NULL;
}
