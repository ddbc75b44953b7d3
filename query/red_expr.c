#include "red_expr.h"

#include "derived.h"
#include "reply_metrics.h"

const char *const red_call_labels[CALL_LABELS + 1] = {
    DERIVED_ENDPOINT,      DERIVED_PEER_KIND, DERIVED_PEER_ID,
    DERIVED_PEER_ENDPOINT, DERIVED_PEER_NAME, DERIVED_PEER_SYSTEM,
    DERIVED_PEER_HOST,     DERIVED_PROTOCOL,  NULL};

enum { DURATION, ERRORS, CLIENT_ERRORS, LEAVES };

/* The series, and what was retracted of it. */
/* clang-format off */
static const struct slice derived[][LEAVES][2] = {
    [RED_SERVED] = {
        {SLICE_INIT(DERIVED_DURATION), SLICE_INIT(DERIVED_RETRACTED_DURATION)},
        {SLICE_INIT(DERIVED_ERRORS), SLICE_INIT(DERIVED_RETRACTED_ERRORS)},
        {SLICE_INIT(DERIVED_CLIENT_ERRORS), SLICE_INIT(DERIVED_RETRACTED_CLIENT_ERRORS)}},
    [RED_OUT] = {
        {SLICE_INIT(DERIVED_OUT_DURATION), SLICE_INIT(DERIVED_OUT_RETRACTED_DURATION)},
        {SLICE_INIT(DERIVED_OUT_ERRORS), SLICE_INIT(DERIVED_OUT_RETRACTED_ERRORS)},
        {SLICE_INIT(DERIVED_OUT_CLIENT_ERRORS),
         SLICE_INIT(DERIVED_OUT_RETRACTED_CLIENT_ERRORS)}},
    [RED_IN] = {
        {SLICE_INIT(DERIVED_IN_DURATION), SLICE_INIT(DERIVED_IN_RETRACTED_DURATION)},
        {SLICE_INIT(DERIVED_IN_ERRORS), SLICE_INIT(DERIVED_IN_RETRACTED_ERRORS)},
        {SLICE_INIT(DERIVED_IN_CLIENT_ERRORS),
         SLICE_INIT(DERIVED_IN_RETRACTED_CLIENT_ERRORS)}},
};
/* clang-format on */

static struct metric_expr leaf_of(enum red_source source, int leaf)
{
    struct metric_expr expr = {.op = leaf == DURATION ? EXPR_HISTOGRAM
                                                      : EXPR_INCREASE};

    if (source != RED_SDK) {
        expr.select.names = derived[source][leaf];
        expr.select.name_count = 2;
        return expr;
    }
    expr.select.first = METRIC_HTTP_SERVER;
    expr.select.last = METRIC_PROXY_SERVER;
    if (leaf == ERRORS)
        expr.select.outcomes = 1u << OUTCOME_FAILED;
    else if (leaf == CLIENT_ERRORS)
        expr.select.outcomes = 1u << OUTCOME_CLIENT_ERROR;
    return expr;
}

/* Derived series have a duration for each request; other metrics may count
 * requests without durations. */
static void init_leaves(struct red *red, enum red_source source)
{
    *red = (struct red){.latency = leaf_of(source, DURATION),
                        .errors = leaf_of(source, ERRORS),
                        .client_errors = leaf_of(source, CLIENT_ERRORS)};
    red->counted = leaf_of(RED_SDK, LEAVES);
    red->requests = source == RED_SDK ? &red->counted : &red->latency;
    /* No points between requests: there were none. */
    red->latency.fill_gaps = red->counted.fill_gaps = true;
}

void red_init(struct red *red, enum red_source source)
{
    init_leaves(red, source);
    red->unsuccessful = (struct metric_expr){
        EXPR_ADD, .args = {&red->errors, &red->client_errors}};
    red->unsuccessful_or_zero = (struct metric_expr){
        EXPR_OR_ZERO, .args = {&red->unsuccessful, red->requests}};
    red->successful = (struct metric_expr){
        EXPR_SUBTRACT, .args = {red->requests, &red->unsuccessful}};
    red->error_rate =
        (struct metric_expr){EXPR_PER_SECOND, .args = {&red->errors}};
    red->client_error_rate =
        (struct metric_expr){EXPR_PER_SECOND, .args = {&red->client_errors}};
    const struct metric_expr rows[RED_ROWS] = {
        [RED_REQUESTS] = {EXPR_PER_SECOND, .args = {red->requests}},
        [RED_SUCCESSFUL] = {EXPR_PER_SECOND, .args = {&red->successful}},
        [RED_UNSUCCESSFUL] = {EXPR_PER_SECOND,
                              .args = {&red->unsuccessful_or_zero}},
        [RED_MEAN] = {EXPR_MEAN, .args = {&red->latency}},
        [RED_P50] = {EXPR_QUANTILE, .number = 0.5, .args = {&red->latency}},
        [RED_P90] = {EXPR_QUANTILE, .number = 0.9, .args = {&red->latency}},
        [RED_P99] = {EXPR_QUANTILE, .number = 0.99, .args = {&red->latency}}};
    memcpy(red->rows, rows, sizeof(rows));
}

void red_table_init(struct metric_table *table, struct arena *arena,
                    const struct grid *grid, const char *const *by,
                    const struct red *red)
{
    const struct metric_expr *const leaves[] = {
        &red->latency, &red->errors, &red->client_errors, red->requests};

    metric_table_init(table, arena, grid, by);
    for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
        (void)metric_table_add(table, leaves[i]); /* four fit */
}

uint64_t red_component(void *arg, uint32_t resource_id)
{
    struct query_request *request = arg;

    return registry_identity_id(request->services->registry, resource_id);
}

enum status red_query_sdk(struct query_request *request,
                          const struct bitmap *resources,
                          const struct grid *grid, struct red *red,
                          struct metric_table *table)
{
    red_init(red, RED_SDK);
    red_table_init(table, request->arena, grid, NULL, red);
    return grid->count > 0
               ? read_metrics(request, resources, red_component, &table, 1)
               : OK;
}

enum status red_query(struct query_request *request,
                      const struct bitmap *resources, const struct grid *grid,
                      struct red *red, struct metric_table *table)
{
    struct metric_expr *const leaves[] = {&red->latency, &red->errors,
                                          &red->client_errors};
    enum status s = OK;

    red_init(red, RED_SERVED);
    for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++) {
        leaves[i]->select.label = SLICE(DERIVED_KIND);
        leaves[i]->select.value = SLICE("server");
    }
    red_table_init(table, request->arena, grid, NULL, red);
    if (grid->count > 0)
        s = read_metrics(request, resources, NULL, &table, 1);
    return s == OK && !metric_seen(table, &red->latency)
               ? red_query_sdk(request, resources, grid, red, table)
               : s;
}
