/* Fields of the builder, for the families of records. */
#include "grafana_handlers.h"

static const struct payload_option levels[] = {
    {"fatal", "Fatal"}, {"error", "Error"}, {"warn", "Warning"},
    {"info", "Info"},   {"debug", "Debug"}, {"trace", "Trace"},
    {NULL, NULL}};
static const struct payload_option orders[] = {
    {"desc", "Newest first"}, {"asc", "Oldest first"}, {NULL, NULL}};
static const struct payload_option statuses[] = {
    {"any", "Any"}, {"error", "With errors"}, {NULL, NULL}};
static const struct payload_option change_options[] = {
    {"version", "Version"},
    {"image", "Image"},
    {"pod-template", "Pod template"},
    {"release", "Release"},
    {"incident", "Incident (searched for)"},
    {NULL, NULL}};
static const struct payload_option yes_no[] = {
    {"true", "Yes"}, {"false", "No"}, {NULL, NULL}};

#define LIMIT(standard)                                                  \
    {                                                                    \
        "limit", "Limit", PAYLOAD_INPUT, NULL, NULL, standard, false, 10 \
    }
#define LEVEL                                                          \
    {                                                                  \
        "level", "Level", PAYLOAD_MULTI, "all", levels, NULL, false, 0 \
    }
#define SEARCH                                                                 \
    {                                                                          \
        "search", "Search", PAYLOAD_INPUT, "text in the message, exact", NULL, \
            NULL, false, 30                                                    \
    }

const struct payload_field grafana_fields_log_volume[] = {LEVEL, SEARCH, {0}};
const struct payload_field grafana_fields_logs[] = {
    LEVEL,
    SEARCH,
    {"words", "Words", PAYLOAD_INPUT, "whole words, all of them", NULL, NULL,
     false, 30},
    {"trace_id", "Trace", PAYLOAD_INPUT, "32 hexadecimal digits", NULL, NULL,
     false, 35},
    {"span_id", "Span", PAYLOAD_INPUT, "16 hexadecimal digits", NULL, NULL,
     false, 20},
    {"order", "Order", PAYLOAD_SELECT, NULL, orders, "desc", false, 0},
    LIMIT("200"),
    {0}};
const struct payload_field grafana_fields_log_templates[] = {
    LEVEL, LIMIT("50"), {0}};
const struct payload_field grafana_fields_traces[] = {
    {"status", "Status", PAYLOAD_SELECT, NULL, statuses, "any", false, 0},
    {"min_duration", "Duration from", PAYLOAD_INPUT, "250ms", NULL, NULL, false,
     12},
    {"max_duration", "to", PAYLOAD_INPUT, "2s", NULL, NULL, false, 12},
    LIMIT("50"),
    {0}};
const struct payload_field grafana_fields_trace[] = {
    {"trace_id", "Trace", PAYLOAD_INPUT, "32 hexadecimal digits", NULL, NULL,
     false, 35},
    {0}};
const struct payload_field grafana_fields_topology[] = {
    {"gateways", "Gateways", PAYLOAD_SELECT, NULL, yes_no, "true", false, 0},
    {"external", "Databases, queues, hosts", PAYLOAD_SELECT, NULL, yes_no,
     "true", false, 0},
    {"declared", "Declared, not used", PAYLOAD_SELECT, NULL, yes_no, "true",
     false, 0},
    {0}};
const struct payload_field grafana_fields_components[] = {LIMIT("200"), {0}};
const struct payload_field grafana_fields_changes[] = {
    {"kind", "Kind", PAYLOAD_MULTI, "all", change_options, NULL, false, 0},
    LIMIT("200"),
    {0}};
const struct payload_field grafana_fields_events[] = {
    {"reason", "Reason", PAYLOAD_INPUT, "BackOff", NULL, NULL, false, 0},
    {"warnings", "Warnings only", PAYLOAD_SELECT, NULL, yes_no, "false", false,
     0},
    LIMIT("200"),
    {0}};
