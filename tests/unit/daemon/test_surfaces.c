/*
 * The routes of the APIs of Grafana, Prometheus and Tempo: who may use them,
 * and that tests/e2e/tenants_grafana.py asks each as one of two tenants.
 */
#include <stdio.h>
#include <string.h>

#include "grafana.h"
#include "prometheus.h"
#include "query_request.h"
#include "tempo.h"
#include "test.h"

static const struct query_surface *const surfaces[] = {
    &prometheus_surface, &tempo_surface, &grafana_surface};
enum { SURFACES = sizeof(surfaces) / sizeof(*surfaces) };

typedef void route_visit(const struct route *route);

static void each_route(route_visit *visit)
{
    for (int i = 0; i < SURFACES; i++)
        for (const struct route *r = surfaces[i]->routes; r->method; r++)
            visit(r);
}

static unsigned open;

static void look_at_action(const struct route *route)
{
    CHECK(route->action > ACTION_NONE && route->action != ACTION_COUNT);
    if (route->action != ACTION_OPEN)
        return;
    CHECK(strncmp(route->path, "/prometheus/-/", 14) == 0);
    open++;
}

TEST(what_is_open_to_strangers_is_known)
{
    each_route(look_at_action);
    CHECK_EQ(open, 2);
}

static char script[64 * 1024];

static void look_for_row(const struct route *route)
{
    char row[200];

    snprintf(row, sizeof(row), "    \"%s %s\": ", route->method, route->path);
    if (!CHECK(strstr(script, row)))
        printf("# READS has no %s\n", row);
}

TEST(no_route_is_forgotten_by_the_test_of_two_tenants)
{
    FILE *file = fopen("tests/e2e/tenants_grafana.py", "rb");
    size_t len = file ? fread(script, 1, sizeof(script) - 1, file) : 0;

    CHECK(len > 0 && len < sizeof(script) - 1);
    if (file)
        (void)fclose(file);
    each_route(look_for_row);
}
