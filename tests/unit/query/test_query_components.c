/* The list of components: what is in it, in which order, page by page. */
#include "clock.h"
#include "derived.h"
#include "fake_query.h"

#define PATH                                             \
    "/api/v1/components?startTime=2026-08-21T08:00:00Z&" \
    "endTime=2026-08-21T08:10:00Z"
#define T0 (UINT64_C(1787299200) * NS_PER_S) /* 2026-08-21T08:00:00Z */

enum { COMPONENTS = 7 };

static struct bed bed;
static struct point points[COMPONENTS];
static const struct metric duration = {
    .name = {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
    .type = METRIC_EXP_HISTOGRAM,
    .temporality = DELTA};
static const uint64_t counts[] = {1, 2, 3, 4, 5, 6, 7};
static struct histogram hists[COMPONENTS];

/* "c<n>" heard of, each with n + 1 requests; sent in an order of their own. */
static void hear_of_all(void)
{
    for (uint32_t i = 0; i < COMPONENTS; i++) {
        uint32_t n = i * 3 % COMPONENTS;
        char *name = arena_zero(&bed.arena, 1, 8);

        snprintf(name, 8, "c%u", n);
        hists[i] = (struct histogram){
            .count = counts[n], .scale = 3, .positive = {&counts[n], 1, -27}};
        points[i] =
            (struct point){.metric = &duration,
                           .start_ns = T0,
                           .time_ns = T0 + NS_PER_MIN,
                           .resource_id = bed_resource(&bed, "shop", name),
                           .histogram = &hists[i]};
    }
    bed.store->points = points;
    bed.store->point_count = COMPONENTS;
}

static void declare(const char *names)
{
    struct slice detail = {NULL, 0};
    struct buf text;

    buf_init(&text, 4096);
    buf_add(&text, SLICE("{\"components\":["));
    for (; *names; names += 3)
        buf_format(&text,
                   "%s{\"namespace\":\"acme\",\"project\":\"shop\","
                   "\"name\":\"%.2s\"}",
                   text.len > 20 ? "," : "", names);
    buf_add(&text, SLICE("]}"));
    CHECK_EQ(catalog_put(bed.catalog, buf_slice(&text), &bed.arena, &detail),
             OK);
    buf_release(&text);
}

/* The page behind the cursor as "c0=1 c1=2 ", and the cursor of the next. */
static const char *page(uint32_t limit, char *cursor, size_t room)
{
    static char seen[256];
    char path[2048];
    json_t *answer;
    size_t at = 0;

    snprintf(path, sizeof(path), PATH "&limit=%u%s%s", limit,
             *cursor ? "&cursor=" : "", cursor);
    answer = bed_ask(&bed, "GET", path, NULL);
    CHECK_EQ(bed.status, 200);
    seen[0] = *cursor = '\0';
    for (size_t i = 0;
         i < json_array_size(json_object_get(answer, "components")); i++) {
        const json_t *c =
            json_array_get(json_object_get(answer, "components"), i);

        at += (size_t)snprintf(
            seen + at, sizeof(seen) - at, "%s=%g ",
            json_string_value(json_object_get(c, "component")),
            json_number_value(json_object_get(c, "requestCount")));
    }
    snprintf(cursor, room, "%s",
             json_object_get(answer, "nextCursor")
                 ? json_string_value(json_object_get(answer, "nextCursor"))
                 : "");
    json_decref(answer);
    return seen;
}

TEST(known_and_declared_are_one_list_by_name)
{
    char cursor[1024] = "";
    json_t *answer;

    bed_init(&bed);
    hear_of_all();
    declare("b9 c3 c4 d0 ");
    CHECK_TEXT(slice_of(page(1000, cursor, sizeof(cursor))),
               "b9=0 c0=1 c1=2 c2=3 c3=4 c4=5 c5=6 c6=7 d0=0 ");
    CHECK_TEXT(slice_of(cursor), "");
    answer = bed_ask(&bed, "GET", PATH "&limit=6", NULL);
    CHECK_TEXT(bed_at(answer, "total"), "9");
    CHECK_TEXT(bed_at(answer, "components.4.declared"), "true");
    CHECK_TEXT(bed_at(answer, "components.5.declared"), "true");
    CHECK_TEXT(bed_at(answer, "components.3.declared"), "false");
    CHECK_TEXT(bed_at(answer, "components.0.rule"), "none");
    json_decref(answer);
    bed_release(&bed);
}

TEST(resources_without_a_component_are_counted)
{
    json_t *answer;

    bed_init(&bed);
    hear_of_all();
    for (int i = 0; i < 3; i++) {
        char host[16];

        snprintf(host, sizeof(host), "host%d", i);

        struct attr attr = bed_attr("host.name", host);
        struct resource resource = {.attrs = {&attr, 1, 0},
                                    .id = RESOURCE_NONE};

        registry_resolve(bed.registry, &resource, T0);
    }
    answer = bed_ask(&bed, "GET", PATH, NULL);
    CHECK_TEXT(bed_at(answer, "total"), "7");
    CHECK_TEXT(bed_at(answer, "unassigned.resources"), "3");
    json_decref(answer);
    bed_release(&bed);
}

TEST(pages_are_the_list_in_parts)
{
    static const char all[] = "b9=0 c0=1 c1=2 c2=3 c3=4 c4=5 c5=6 c6=7 d0=0 ";

    bed_init(&bed);
    hear_of_all();
    declare("d0 b9 ");
    for (uint32_t limit = 1; limit <= 10; limit++) {
        char cursor[1024] = "", got[256] = "";
        uint32_t pages = 0;

        do {
            strcat(got, page(limit, cursor, sizeof(cursor)));
            pages++;
        } while (*cursor && pages < 20);
        CHECK_TEXT(slice_of(got), all);
        CHECK_EQ(pages, (9 + limit - 1) / limit);
    }
    bed_release(&bed);
}

/* Components that appear or disappear between two pages do not move others. */
TEST(a_page_goes_on_behind_a_name_that_is_gone)
{
    char cursor[1024] = "";

    bed_init(&bed);
    hear_of_all();
    declare("c1 b8 b9 ");
    CHECK_TEXT(slice_of(page(2, cursor, sizeof(cursor))), "b8=0 b9=0 ");
    declare("a0 ");
    CHECK_TEXT(slice_of(page(2, cursor, sizeof(cursor))), "c0=1 c1=2 ");
    bed_release(&bed);
}

TEST(only_the_components_of_the_page_are_read)
{
    json_t *answer;
    char path[2048];

    bed_init(&bed);
    hear_of_all();
    answer = bed_ask(&bed, "GET", PATH "&limit=3", NULL);
    CHECK_EQ(bed.store->series_resources, 3);
    snprintf(path, sizeof(path), PATH "&limit=2&cursor=%s",
             json_string_value(json_object_get(answer, "nextCursor")));
    json_decref(answer);
    json_decref(bed_ask(&bed, "GET", path, NULL));
    CHECK_EQ(bed.store->series_resources, 2);
    bed_release(&bed);
}

TEST(bad_pages_are_refused)
{
    static const char *const bad[] = {"&limit=0",
                                      "&limit=1001",
                                      "&limit=x",
                                      "&limit=",
                                      "&cursor=0",
                                      "&cursor=zz",
                                      "&cursor=00",
                                      "&cursor=0161016101",
                                      "&cursor=016101610161ff61",
                                      "&cursor=016101610161016161"};

    bed_init(&bed);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char path[256];

        snprintf(path, sizeof(path), PATH "%s", bad[i]);
        json_decref(bed_ask(&bed, "GET", path, NULL));
        if (!CHECK_EQ(bed.status, 400))
            printf("# %s\n", bad[i]);
        CHECK(strstr(bed.text, i < 4 ? "limit must be" : "cursor must be"));
    }
    json_decref(bed_ask(&bed, "GET", PATH "&cursor=&limit=1000", NULL));
    CHECK_EQ(bed.status, 200);
    bed_release(&bed);
}

/* c2 has three requests in the first minute and memory from two containers. */
TEST(usage_and_requests_over_time_on_demand)
{
    static const struct metric memory = {
        .name = SLICE_INIT("container.memory.working_set"),
        .type = METRIC_GAUGE};
    struct point two[2];
    json_t *answer;

    bed_init(&bed);
    hear_of_all();
    for (uint32_t i = 0; i < COMPONENTS; i++)
        if (counts[i * 3 % COMPONENTS] == 3)
            two[0] = points[i];
    two[1] = (struct point){.metric = &memory,
                            .time_ns = T0 + NS_PER_MIN,
                            .resource_id = two[0].resource_id,
                            .is_int = true,
                            .i = 1000};
    bed.store->points = two;
    bed.store->point_count = 2;
    answer = bed_ask(&bed, "GET", PATH "&usage=true&spark=10", NULL);
    CHECK_EQ(bed.status, 200);
    CHECK(strstr(bed.text, "\"usage\":{\"cpuUsage\":null,\"cpuLimits\":null,"
                           "\"memoryUsage\":1000,"));
    CHECK(strstr(bed.text, "\"spark\":{\"stepSeconds\":60,\"requestRate\":"
                           "[0.05,null,"));
    CHECK(strstr(bed.text, "\"errorRate\":[0,null,"));
    CHECK(strstr(bed.text, "\"requestRate\":[null,null,"));
    CHECK(strstr(bed.text, "\"memoryUsage\":null"));
    json_decref(answer);
    answer = bed_ask(&bed, "GET", PATH, NULL);
    CHECK(!strstr(bed.text, "usage") && !strstr(bed.text, "spark"));
    json_decref(answer);
    json_decref(bed_ask(&bed, "GET", PATH "&usage=1", NULL));
    CHECK_EQ(bed.status, 400);
    json_decref(bed_ask(&bed, "GET", PATH "&spark=121", NULL));
    CHECK_EQ(bed.status, 400);
    bed_release(&bed);
}
