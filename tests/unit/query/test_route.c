#include "fake_query.h"

static struct bed bed;

TEST(paths_methods_and_what_is_allowed)
{
    bed_init(&bed);
    json_decref(bed_ask(&bed, "GET", "/health", NULL));
    CHECK_EQ(bed.status, 200);
    json_decref(bed_ask(&bed, "HEAD", "/health", NULL));
    CHECK_EQ(bed.status, 200);
    json_decref(bed_ask(&bed, "GET", "/nothing", NULL));
    CHECK_EQ(bed.status, 404);
    json_decref(bed_ask(&bed, "GET", "/health/", NULL));
    CHECK_EQ(bed.status, 404);
    json_decref(bed_ask(&bed, "GET", "health", NULL));
    CHECK_EQ(bed.status, 404);
    json_decref(bed_ask(&bed, "GET", "", NULL));
    CHECK_EQ(bed.status, 404);
    json_decref(bed_ask(&bed, "DELETE", "/api/v1/catalog", NULL));
    CHECK_EQ(bed.status, 405);
    CHECK(strstr(bed.text, "GET, PUT"));
    json_decref(bed_ask(&bed, "GET", "/api/v1alpha1/traces//spans/12", NULL));
    CHECK_EQ(bed.status, 404);
    bed_release(&bed);
}

TEST(escapes_are_undone_part_by_part)
{
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    CHECK_TEXT(route_unescape(&arena, SLICE("a%2Fb%20c")), "a/b c");
    CHECK_TEXT(route_unescape(&arena, SLICE("100%")), "100%");
    CHECK_TEXT(route_unescape(&arena, SLICE("%zz%4")), "%zz%4");
    CHECK_TEXT(route_unescape(&arena, SLICE("%41%4a%4A")), "AJJ");
    CHECK_TEXT(route_unescape(&arena, SLICE("")), "");
    arena_release(&arena);
}

TEST(answers_that_do_not_fit_say_so)
{
    bed_init(&bed);
    bed.max_reply = 300;
    CHECK_EQ(catalog_put(bed.catalog,
                         SLICE("{\"comment\":\"0123456789012345678901234567890"
                               "1234567890123456789012345678901234567890123456"
                               "7890123456789012345678901234567890123456789012"
                               "3456789012345678901234567890123456789012345678"
                               "9012345678901234567890123456789012345678901234"
                               "5678901234567890123456789012345678901234567890"
                               "1234567890123456789012345678901234567890\"}"),
                         &bed.arena, &(struct slice){NULL, 0}),
             OK);
    json_decref(bed_ask(&bed, "GET", "/api/v1/catalog", NULL));
    CHECK_EQ(bed.status, 413);
    CHECK(strstr(bed.text, "larger than 300 bytes"));
    bed_release(&bed);
}

TEST(a_question_that_needs_too_much_memory)
{
    bed_init(&bed);
    bed.max_memory = 1;
    json_decref(bed_ask(&bed, "POST", "/api/v1/logs/query",
                        "{\"startTime\":\"2026-08-21T08:00:00Z\","
                        "\"endTime\":\"2026-08-21T09:00:00Z\","
                        "\"searchScope\":{\"namespace\":\"acme\"}}"));
    CHECK_EQ(bed.status, 413);
    bed_release(&bed);
}

TEST(trouble_of_the_store)
{
    static const char body[] = "{\"startTime\":\"2026-08-21T08:00:00Z\","
                               "\"endTime\":\"2026-08-21T09:00:00Z\","
                               "\"searchScope\":{\"namespace\":\"acme\"}}";

    bed_init(&bed);
    bed.store->read_status = ERR_IO;
    (void)bed_refused(&bed, "/api/v1/logs/query", body, 503, "OBS-V1-L-05");
    (void)bed_refused(&bed, "/api/v1/events/query", body, 503, "OBS-V1-E-05");
    (void)bed_refused(&bed, "/api/v1alpha1/traces/query", body, 503,
                      "OBS-V1-T-05");
    bed_release(&bed);
}

TEST(health_says_what_is_wrong)
{
    json_t *answer;

    bed_init(&bed);
    bed.store->health = ERR_BUSY; /* load is not illness */
    answer = bed_ask(&bed, "GET", "/health", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "status"), "healthy");
    CHECK(bed_at(answer, "timestamp").len > 0);
    json_decref(answer);
    bed.store->health = ERR_IO;
    answer = bed_ask(&bed, "GET", "/health", NULL);
    CHECK_EQ(bed.status, 503);
    CHECK_TEXT(bed_at(answer, "status"), "unhealthy");
    CHECK(strstr(bed.text, "disk full"));
    json_decref(answer);
    bed.store->health = OK;
    bed.journal_health = ERR_IO;
    json_decref(bed_ask(&bed, "GET", "/health", NULL));
    CHECK_EQ(bed.status, 503);
    CHECK(strstr(bed.text, "journal"));
    bed_release(&bed);
}

TEST(metrics_are_prometheus_text)
{
    bed_init(&bed);
    json_decref(bed_ask(&bed, "GET", "/metrics", NULL));
    CHECK_EQ(bed.status, 200);
    CHECK(strstr(bed.text, "# TYPE callboard_queries_total counter"));
    CHECK(strstr(bed.text, "callboard_stored_records{stream=\"traces\"} 3"));
    bed_release(&bed);
}

static struct slice saved;

static enum status save_status;

static enum status save(void *arg, struct slice text)
{
    saved = arena_copy(arg, text);
    return save_status;
}

TEST(the_catalogue_is_put_saved_and_got)
{
    static const char text[] =
        "{\"components\":[{\"namespace\":\"acme\",\"project\":\"shop\","
        "\"name\":\"cart\",\"endpoints\":[{\"name\":\"http\",\"type\":\"HTTP\","
        "\"port\":8080}]}]}";
    json_t *answer;

    bed_init(&bed);
    catalog_set_persist(bed.catalog, save, &bed.arena);
    answer = bed_ask(&bed, "PUT", "/api/v1/catalog", text);
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "components"), "1");
    CHECK_TEXT(bed_at(answer, "endpoints"), "1");
    CHECK_TEXT(saved, text);
    json_decref(answer);
    json_decref(bed_ask(&bed, "GET", "/api/v1/catalog", NULL));
    CHECK_TEXT(slice_of(bed.text), text);
    saved = (struct slice){NULL, 0};
    json_decref(bed_ask(&bed, "PUT", "/api/v1/catalog", "{\"components\":3}"));
    CHECK_EQ(bed.status, 400);
    CHECK(strstr(bed.text, "components"));
    CHECK_EQ(saved.len, 0);
    save_status = ERR_IO;
    json_decref(bed_ask(&bed, "PUT", "/api/v1/catalog", text));
    CHECK_EQ(bed.status, 503);
    CHECK_TEXT(saved, text);
    saved = (struct slice){NULL, 0};
    bed.store->health = ERR_IO; /* known beforehand: nothing is handed over */
    json_decref(bed_ask(&bed, "PUT", "/api/v1/catalog", text));
    CHECK_EQ(bed.status, 503);
    CHECK_EQ(saved.len, 0);
    save_status = OK;
    bed_release(&bed);
}

/* Known routes of the Observer API, whatever the body; others are 404. */
TEST(routes_that_are_not_served_are_501)
{
    static const char *const known[][2] = {
        {"POST", "/api/v1alpha1/alerts/query"},
        {"PUT", "/api/v1alpha1/alerts/sources/metric/rules/high-cpu"},
        {"DELETE", "/api/v1alpha1/alerts/sources/log/rules/x"},
        {"POST", "/api/v1alpha1/incidents/query"},
        {"PUT", "/api/v1alpha1/incidents/7"},
        {"GET", "/api/v1alpha1/platform-logs"},
        {"GET", "/api/v1alpha1/platform-logs/filter-values"},
        {"POST", "/api/v1alpha1/audit-logs/query"},
        {"POST", "/api/v1alpha1/delivery-insights/dora/query"},
    };
    json_t *answer;

    bed_init(&bed);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        answer = bed_ask(&bed, known[i][0], known[i][1], "not json");
        CHECK_EQ(bed.status, 501);
        CHECK_TEXT(bed_at(answer, "title"), "notImplemented");
        CHECK_TEXT(bed_at(answer, "errorCode"), "");
        CHECK(strstr(bed.text, "is not served"));
        json_decref(answer);
    }
    json_decref(bed_ask(&bed, "GET", "/api/v1alpha1/alerts", NULL));
    CHECK_EQ(bed.status, 404);
    bed_release(&bed);
}

TEST(every_route_says_what_it_allows)
{
    size_t count;
    const struct http_route *routes = route_list(&count);

    CHECK(count > 0);
    for (size_t i = 0; i < count; i++)
        if (!CHECK(routes[i].action > ACTION_NONE &&
                   routes[i].action != ACTION_COUNT))
            printf("# %s %s\n", routes[i].method, routes[i].path);
}

TEST(what_is_open_to_strangers_is_known)
{
    static const char *const known[] = {
        "/",
        "/health",
        "/api/v1/session",
        "/ui",
        "/ui/",
        "/ui/{}",
        "/ui/assets/{}",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/prometheus/-/ready",
        "/prometheus/-/healthy",
    };
    size_t count, open = 0, total = 0;
    const struct http_route *routes = route_list(&count);

    for (size_t i = 0; i < count; i++)
        if (routes[i].action == ACTION_OPEN) {
            for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
                open += strcmp(routes[i].path, known[k]) == 0;
            total++;
        }
    CHECK_EQ(total, sizeof(known) / sizeof(known[0]));
    CHECK_EQ(open, total);
}

/* The API of another tool: Grafana, Prometheus, Tempo. */
static bool is_of_surface(const struct http_route *route)
{
    return query_error_writer(route->user, slice_of(route->path));
}

/* The script asks each of these routes as one of two tenants. */
static void check_script(const char *path, bool of_surfaces)
{
    static char script[64 * 1024];
    FILE *file = fopen(path, "rb");
    size_t count, len = file ? fread(script, 1, sizeof(script) - 1, file) : 0;
    const struct http_route *routes = route_list(&count);
    unsigned asked = 0;
    char row[200];

    CHECK(len > 0 && len < sizeof(script) - 1);
    if (file)
        (void)fclose(file);
    script[len] = '\0';
    for (size_t i = 0; i < count; i++) {
        if (is_of_surface(&routes[i]) != of_surfaces)
            continue;
        asked++;
        snprintf(row, sizeof(row), "    \"%s %s\": ", routes[i].method,
                 routes[i].path);
        if (!CHECK(strstr(script, row)))
            printf("# READS of %s has no %s\n", path, row);
    }
    CHECK(asked > 10);
}

TEST(no_route_is_forgotten_by_the_test_of_two_tenants)
{
    check_script("tests/e2e/tenants.py", false);
}

TEST(nor_one_of_the_apis_of_other_tools)
{
    check_script("tests/e2e/tenants_grafana.py", true);
}
