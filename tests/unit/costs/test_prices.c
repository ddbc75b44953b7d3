/* The file of prices: what it means, and what is wrong with it. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "prices.h"
#include "test.h"

static struct attr text_attr(const char *key, const char *value)
{
    return (struct attr){.key = key,
                         .key_len = (uint16_t)strlen(key),
                         .type = VALUE_STRING,
                         .str = value,
                         .len = (uint32_t)strlen(value)};
}

static struct price_table *parse(const char *text)
{
    struct price_table *table = NULL;
    char error[256] = "";

    if (!CHECK_EQ(
            price_table_parse(slice_of(text), &table, error, sizeof(error)),
            OK))
        printf("# %s\n", error);
    return table;
}

/* Of a node with one attribute. */
static double core_hour(const struct price_table *table, const char *node,
                        const char *key, const char *value)
{
    struct attr attr = text_attr(key, value);
    struct attrs attrs = {&attr, 1, 0};
    struct node_facts facts = {slice_of(node), &attrs, 1};

    return price_at(table, price_find(table, &facts), 4, 16).of[PRICE_CPU];
}

static bool is(double got, double want)
{
    return fabs(got - want) < 1e-12;
}

TEST(without_a_file_the_default_holds)
{
    struct price_table *table = parse("");

    CHECK(is(table->price.of[PRICE_CPU], 0.031611));
    CHECK(is(table->price.of[PRICE_MEMORY], 0.004237));
    CHECK_TEXT(table->currency, "USD");
    CHECK(!price_find(table, &(struct node_facts){.name = SLICE("a")}));
    price_table_release(table);
}

TEST(the_first_row_whose_conditions_hold_counts)
{
    struct price_table *table =
        parse("currency: EUR\n"
              "default: {coreHour: 0.5, gibHour: 0.1}\n"
              "nodes:\n"
              "  - {node: n1, coreHour: 1}\n"
              "  - {pool: batch, coreHour: 2, gibHour: 0}\n"
              "  - {instanceType: m5.xlarge, coreHour: 3}\n"
              "  - {labels: {example.com/disk: ssd}, coreHour: 4}\n"
              "  - {labels: {a: x, b: y}, coreHour: 5}\n");

    CHECK_TEXT(table->currency, "EUR");
    CHECK(is(core_hour(table, "n1", "x", "y"), 1));
    CHECK(is(core_hour(table, "n2", "x", "y"), 0.5));
    CHECK(is(core_hour(table, "n1", "agentpool", "batch"), 1));
    CHECK(
        is(core_hour(table, "", "cloud.google.com/gke-nodepool", "batch"), 2));
    CHECK(is(core_hour(table, "", "label_eks_amazonaws_com_nodegroup", "batch"),
             2));
    CHECK(is(
        core_hour(table, "", "k8s.node.labels.karpenter.sh/nodepool", "batch"),
        2));
    CHECK(is(core_hour(table, "", "host.type", "m5.xlarge"), 3));
    CHECK(
        is(core_hour(table, "", "k8s.node.label.example.com/disk", "ssd"), 4));
    CHECK(is(core_hour(table, "", "label_example_com_disk", "ssd"), 4));
    CHECK(is(core_hour(table, "", "example.com/disk", "hdd"), 0.5));
    CHECK(is(core_hour(table, "", "a", "x"), 0.5)); /* b is missing */
    price_table_release(table);
}

TEST(the_price_of_a_node_is_split_by_its_capacity)
{
    struct price_table *table =
        parse("default: {coreHour: 0.03, gibHour: 0.01}\n"
              "nodes: [{node: n1, nodeHour: 0.56}]\n");
    const struct price_row *row =
        price_find(table, &(struct node_facts){.name = SLICE("n1")});
    struct price price = price_at(table, row, 4, 16);

    CHECK(is(4 * price.of[PRICE_CPU] + 16 * price.of[PRICE_MEMORY], 0.56));
    CHECK(is(price.of[PRICE_CPU], 3 * price.of[PRICE_MEMORY]));
    price = price_at(table, row, 0, 0); /* the capacity is not known */
    CHECK(is(price.of[PRICE_CPU], 0.03));
    price_table_release(table);
}

TEST(what_is_wrong_is_said_with_its_place)
{
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"currency: euro\n", "line 1, column 11: expected a currency"},
        {"price: 1\n", "line 1, column 1: expected currency, default or nodes"},
        {"default:\n  coreHour: cheap\n",
         "line 2, column 13: expected a price"},
        {"default: {coreHour: -1}\n", "line 1, column 21: expected a price"},
        {"default: {coreHour: nan}\n", "expected a price"},
        {"default: {coreHour: 0x10}\n", "expected a price"},
        {"default: {coreHour: 1e9}\n", "expected a price"},
        {"default: {coreHour: 1 EUR}\n", "expected a price"},
        {"default: 7\n", "line 1, column 10: expected a mapping: 7"},
        {"default: {cpu: 1}\n", "expected coreHour or gibHour: cpu"},
        {"currency: EUR\ncurrency: USD\n", "line 2, column 1: set twice"},
        {"nodes: {pool: x}\n", "line 1, column 8: expected a list"},
        {"nodes:\n- coreHour: 1\n", "line 2, column 3: a row needs node, pool"},
        {"nodes:\n- pool: x\n", "either nodeHour, or coreHour and gibHour"},
        {"nodes: [{pool: x, coreHour: 1, nodeHour: 1}]\n",
         "either nodeHour, or coreHour and gibHour"},
        {"nodes: [{pool: [x], coreHour: 1}]\n", "expected a text"},
        {"nodes: [{pol: x, coreHour: 1}]\n", "expected node, pool"},
        {"nodes: [1]\n", "expected a mapping: 1"},
        {"a: [\n", "line 2, column 1"},
        {"a: \x01\n", "line"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct price_table *table = NULL;
        char error[256] = "";

        CHECK_EQ(price_table_parse(slice_of(wrong[i].text), &table, error,
                                   sizeof(error)),
                 ERR_INVALID);
        CHECK(!table);
        if (!CHECK(strstr(error, wrong[i].error)))
            printf("# %s: %s\n", wrong[i].text, error);
    }
}

/* A file that becomes wrong leaves the prices as they were. */
TEST(a_file_is_read_again_and_a_wrong_one_is_not_used)
{
    char path[64];
    static const char *const texts[] = {"currency: EUR\n", "currency: 7777\n",
                                        "currency: SEK\nnodes: []\n"};
    static const char *const used[] = {"EUR", "EUR", "SEK"};
    struct prices *prices = prices_new();
    struct buf note;

    buf_init(&note, 4096);
    snprintf(path, sizeof(path), "/tmp/callboard-prices-%d.yaml",
             (int)getpid());
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen(path, "w");
        struct price_table *table;

        CHECK(file && fputs(texts[i], file) >= 0 && fclose(file) == 0);
        CHECK_EQ(prices_read_file(prices, path), i != 1);
        CHECK_EQ(prices_note(prices, &note), i == 1);
        table = prices_get(prices);
        CHECK_TEXT(table->currency, used[i]);
        CHECK_TEXT(table->source, "file");
        price_table_release(table);
    }
    buf_format(&note, "%c", '\0');
    CHECK(strstr(note.ptr, "line 1, column 11"));
    buf_release(&note);
    prices_free(prices);
    (void)remove(path);
}
