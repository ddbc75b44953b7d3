/* Graphs of dependencies as text. */
#include "topology_text.h"

#include <string.h>

#include "test.h"

static struct buf out;

static const char *draw(json_t *answer, const struct term_look *look)
{
    CHECK(answer != NULL);
    buf_release(&out);
    buf_init(&out, 64 << 20);
    topology_text(&out, look, answer);
    buf_byte(&out, '\0');
    json_decref(answer);
    return out.ptr;
}

#define NODE(name, relation)                                               \
    "{\"id\":\"" name "\",\"kind\":\"component\",\"component\":\"" name    \
    "\",\"relation\":\"" relation "\",\"requestRate\":2,\"errorRatio\":0," \
    "\"latency\":{\"p99\":0.01}}"
#define EDGE(from, to, rate, more)                                          \
    "{\"source\":\"" from "\",\"target\":\"" to "\",\"requestRate\":" #rate \
    ",\"errorRatio\":0.1,\"latency\":{\"p99\":0.02}" more "}"

/* web calls checkout; checkout calls payment (undeclared) and, in a circle,
 * itself through email. 72 columns: 25 for the name. */
TEST(a_component_with_its_callers_and_callees)
{
    static const struct term_look look = {.columns = 72, .ascii = true};
    json_t *answer = json_loads(
        "{\"nodes\":[" NODE("checkout", "self") "," NODE("web", "caller") "," NODE("payment", "callee") "," NODE(
            "email",
            "callee") "],\"edges\":[" EDGE("web", "checkout", 1,
                                           "") "," EDGE("checkout", "email",
                                                        0.5,
                                                        "") "," EDGE("checkout",
                                                                     "payment",
                                                                     3,
                                                                     ",\"drift"
                                                                     "\":"
                                                                     "\"undecla"
                                                                     "red\"") "," EDGE("email",
                                                                                       "checkout",
                                                                                       0.2,
                                                                                       "") "],\"summary\":{\"undeclared\":1}}",
        0, NULL);

    CHECK_TEXT(
        slice_of(draw(answer, &look)),
        "COMPONENT                   RATE/S   ERRORS      P99\n"
        "checkout                         2       0%     10ms\n"
        "\n"
        "CALLERS                     RATE/S   ERRORS      P99\n"
        "|-web                            1      10%     20ms\n"
        "`-email                        0.2      10%     20ms\n"
        "  `-checkout                   0.5      10%     20ms  cycle\n"
        "\n"
        "CALLEES                     RATE/S   ERRORS      P99\n"
        "|-payment                        3      10%     20ms  undeclared\n"
        "`-email                        0.5      10%     20ms\n"
        "  `-checkout                   0.2      10%     20ms  cycle\n"
        "\n"
        "4 nodes, 4 edges, 1 calls undeclared\n");
}

/* a calls b, b calls c, c calls b: b is behind a, c behind b, and the way back
 * is named. */
TEST(a_project_is_a_list_of_layers)
{
    static const struct term_look look = {.columns = 72, .ascii = true};
    json_t *answer = json_loads(
        "{\"nodes\":[" NODE("a", "self") "," NODE("b", "self") "," NODE(
            "c",
            "self") "],\"edges\":[" EDGE("a", "b", 1,
                                         "") "," EDGE("b", "c", 1,
                                                      "") "," EDGE("c", "b", 1,
                                                                   ",\"drift"
                                                                   "\":"
                                                                   "\"unused"
                                                                   "\"") "]"
                                                                         "}",
        0, NULL);

    CHECK_TEXT(slice_of(draw(answer, &look)),
               "LAYER 1 (entries)           RATE/S   ERRORS      P99\n"
               "  a                              2       0%     10ms\n"
               "    > b                          1      10%     20ms\n"
               "LAYER 2\n"
               "  b                              2       0%     10ms\n"
               "    > c                          1      10%     20ms\n"
               "LAYER 3\n"
               "  c                              2       0%     10ms\n"
               "    > b                          1      10%     20ms  cycle  "
               "declared, ~\n"
               "\n"
               "3 nodes, 3 edges\n");
}

/* Graphs at random end, fit, and name every edge at most twice. */
TEST(random_graphs_fit)
{
    for (int round = 0; round < 300; round++) {
        struct term_look look = {.columns = 30 + test_random(170),
                                 .ascii = test_random(2) == 1};
        uint32_t n = 1 + test_random(12), lines = 0;
        uint32_t m = test_random(30), selves = test_random(n + 1);
        json_t *nodes = json_array(), *edges = json_array();

        for (uint32_t i = 0; i < n; i++) {
            char id[16];

            (void)snprintf(id, sizeof(id), "n%u", i);
            json_array_append_new(
                nodes, json_pack("{s:s,s:s,s:s,s:s}", "id", id, "kind",
                                 test_random(2) ? "component" : "queue", "name",
                                 "x\033[2J日本語 with a long name", "relation",
                                 i < selves ? "self" : "callee"));
        }
        for (uint32_t i = 0; i < m; i++) {
            char from[16], to[16];

            (void)snprintf(from, sizeof(from), "n%u", test_random(n));
            (void)snprintf(to, sizeof(to), "n%u", test_random(n + 1));
            json_array_append_new(edges,
                                  json_pack("{s:s,s:s,s:s}", "source", from,
                                            "target", to, "drift", "unused"));
        }
        struct slice rest = slice_of(draw(
            json_pack("{s:o,s:o}", "nodes", nodes, "edges", edges), &look));

        for (; rest.len > 0; lines++) {
            struct slice line = slice_split(&rest, '\n');

            CHECK(term_columns(line) <= look.columns);
            CHECK(!memchr(line.ptr, '\033', line.len));
        }
        CHECK(lines <= 2 * m + 2 * n + 12);
    }
}
