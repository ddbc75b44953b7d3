/* GET /api/v1/costs: sums by scope, and what of the nodes is idle. */
#include "cost_kit.h"

#define SUMMARY "/api/v1/costs" FROM_TO

static void put_node(const char *name, int hours, double cores, double bytes)
{
    uint32_t id =
        resource_with((const char *const[]){"k8s.node.name", name, NULL});

    put_run(id, "k8s.node.allocatable_cpu", 0, hours, cores);
    put_run(id, "k8s.node.allocatable_memory", 0, hours, bytes);
}

static double member(const json_t *answer, const char *path)
{
    double value = number_at(answer, path);

    return isnan(value) ? 0 : value;
}

/* What pods pay, of a component or not, and what is idle are together what the
 * nodes cost and what was paid beside them. */
static void check_sums(const json_t *answer)
{
    double paid = member(answer, "totals.cost"), groups = 0;
    double idle = member(answer, "nodes.idleCost"), nodes, shared = 0;
    size_t i;
    json_t *group;

    json_array_foreach(json_object_get(answer, "groups"), i, group)
    {
        groups += member(group, "cost");
        shared += member(group, "idleCost");
    }
    nodes = member(answer, "nodes.cost") +
            member(answer, "nodes.overcommittedCost") +
            member(answer, "nodes.outsideCost");
    if (!CHECK(fabs(paid + idle - nodes) <= 1e-7 * nodes))
        printf("# %.12g + %.12g, not %.12g: %s\n", paid, idle, nodes, bed.text);
    CHECK(fabs(groups + member(answer, "unattributed.cost") - paid) <=
          1e-7 * paid);
    CHECK(shared <= idle * (1 + 1e-7));
    CHECK(fabs(member(answer, "totals.usedCost") +
               member(answer, "totals.unusedCost") - paid) <= 1e-7 * paid);
}

TEST(amounts_below_zero_are_not_known)
{
    static const double odd[] = {-5, -1e308, (double)NAN, INFINITY, -INFINITY};
    json_t *answer;

    cost_begin();
    put_run(container("cart", "cart-1", "", "main"), "container.cpu.usage", 0,
            6, 1);
    for (int i = 0; i < 5; i++) {
        uint32_t id = container("bad", "bad-1", "", "main");

        put_run(id, "container.cpu.usage", i, i + 1, odd[i]);
        put_run(id, "k8s.container.cpu_request", i, i + 1, odd[i]);
        put_run(id, "k8s.container.memory_request", i, i + 1, odd[i]);
    }
    answer = get(SUMMARY "14:00:00Z");
    CHECK(near(answer, "totals.cost", 6 * CORE_HOUR));
    CHECK(near(answer, "groups.0.share", 1));
    json_decref(answer);
    cost_end();
}

TEST(sums_and_idle_add_up_to_the_nodes)
{
    static const char *const by[] = {"component", "project", "environment",
                                     "namespace"};
    static const char *const nodes[] = {"a", "b", "c", ""};

    for (int round = 0; round < 5; round++) {
        cost_begin();
        for (int i = 0; i < 3; i++)
            put_node(nodes[i], 6, 1 + (double)draw(8),
                     (1 + (double)draw(16)) * GIB);
        for (int i = 0; i < 12; i++) {
            const char *const system[] = {
                "k8s.pod.name", "dns", "k8s.node.name", nodes[draw(3)], NULL};
            char name[16];
            uint64_t from = draw(5);

            snprintf(name, sizeof(name), "pod-%d", i);
            uint32_t id = i % 4 == 3 ? resource_with(system)
                                     : container(i % 2 ? "cart" : "front", name,
                                                 nodes[draw(4)], "main");
            put_run(id, "k8s.container.cpu_request", (double)from, 6,
                    (double)draw(30) / 10);
            put_run(id, "container.cpu.usage", (double)from, 5,
                    (double)draw(30) / 10);
            put_run(id, "container.memory.working_set", (double)from, 6,
                    (double)draw(4) * GIB);
        }
        for (int i = 0; i < 4; i++) {
            char path[256];
            json_t *answer;

            snprintf(path, sizeof(path), SUMMARY "14:00:00Z&groupBy=%s", by[i]);
            answer = get(path);
            CHECK_EQ(bed.status, 200);
            check_sums(answer);
            CHECK_TEXT(bed_at(answer, "nodes.count"), "3");
            CHECK_TEXT(bed_at(answer, "total"), i == 0 ? "2" : "1");
            json_decref(answer);
        }
        cost_end();
    }
}

TEST(groups_are_ordered_by_cost)
{
    json_t *answer;

    cost_begin();
    put_node("a", 1, 4, 16 * GIB);
    put_run(container("small", "p1", "a", "main"), "k8s.container.cpu_request",
            0, 1, 0.5);
    put_run(container("large", "p2", "a", "main"), "k8s.container.cpu_request",
            0, 1, 1.5);
    answer = get(SUMMARY "09:00:00Z");
    CHECK_TEXT(bed_at(answer, "groups.0.component"), "large");
    CHECK(near(answer, "groups.0.share", 0.75));
    CHECK(near(answer, "nodes.idleCpuCost", 2 * CORE_HOUR));
    CHECK(near(answer, "nodes.idleMemoryCost", 16 * GIB_HOUR));
    CHECK(near(answer, "groups.1.idleCost",
               0.25 * (2 * CORE_HOUR + 16 * GIB_HOUR)));
    json_decref(answer);
    answer = get(SUMMARY "09:00:00Z&limit=1");
    CHECK_TEXT(bed_at(answer, "groups"), "[1]");
    CHECK_TEXT(bed_at(answer, "total"), "2");
    CHECK(near(answer, "totals.cost", 2 * CORE_HOUR));
    json_decref(answer);
    cost_end();
}

/* Who sees a part sees no nodes, and nothing of the others. */
TEST(a_part_of_the_pods_says_nothing_of_nodes)
{
    json_t *answer;

    cost_begin();
    put_node("a", 1, 4, 16 * GIB);
    put_run(container("cart", "p1", "a", "main"), "k8s.container.cpu_request",
            0, 1, 0.5);
    put_run(resource_with((const char *const[]){
                "openchoreo.dev/namespace", "beta", "openchoreo.dev/project",
                "shop", "openchoreo.dev/component", "secret",
                "openchoreo.dev/environment", "prod", NULL}),
            "k8s.container.cpu_request", 0, 1, 0.5);
    bed_allow(&bed, ACTION_BIT(ACTION_FINOPS_VIEW), "acme", "*", "*");
    answer = get(SUMMARY "09:00:00Z");
    CHECK_EQ(bed.status, 200);
    CHECK_TEXT(bed_at(answer, "groups"), "[1]");
    CHECK(near(answer, "totals.cost", 0.5 * CORE_HOUR));
    CHECK(!strstr(bed.text, "secret") && !strstr(bed.text, "nodes"));
    CHECK(!strstr(bed.text, "unattributed"));
    json_decref(answer);
    answer = get(SUMMARY "09:00:00Z&namespace=acme&project=none");
    CHECK_TEXT(bed_at(answer, "groups"), "[0]");
    json_decref(answer);
    cost_end();
}

TEST(what_groups_there_are_is_checked)
{
    cost_begin();
    json_decref(get("/api/v1/costs?groupBy=pod"));
    CHECK_EQ(bed.status, 400);
    CHECK(strstr(bed.text, "groupBy must be"));
    json_decref(get("/api/v1/costs?component=cart"));
    CHECK_EQ(bed.status, 400);
    json_decref(get("/api/v1/costs?limit=0"));
    CHECK_EQ(bed.status, 400);
    json_decref(get("/api/v1/costs")); /* the last day */
    CHECK_EQ(bed.status, 200);
    cost_end();
}
