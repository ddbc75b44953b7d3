#include "cardinality_limit.h"

#include "correlate_kit.h"

#define CART "service.name=cart"

static void say(struct kit *kit, const char *body, uint8_t severity)
{
    struct batch *batch = kit_batch(kit, SIGNAL_LOGS);

    kit_log(batch, CART, body, "")->severity = severity;
    kit_take_all(kit, batch);
}

TEST(records_are_counted_by_template_and_level)
{
    struct kit kit = kit_open();

    say(&kit, "order 17 took 20ms", 9);
    say(&kit, "order 18 took 3ms", 9);
    say(&kit, "order 19 took 3ms", 17);
    say(&kit, "started", 9);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=order <*> took <*>,level=INFO"),
             2);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=order <*> took <*>,level=ERROR"),
             1);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=started"), 1);
    CHECK_EQ(kit_sum(DERIVED_LOGS, ""), 4);
}

/* An id without a digit joins those that have one; a word does not. */
TEST(hexadecimal_ids_without_digits_join_the_others)
{
    struct kit kit = kit_open();

    say(&kit, "session 4be1 opened", 9);
    say(&kit, "session beef opened", 9);
    say(&kit, "session CAFE opened", 9);
    say(&kit, "session data opened", 9);
    say(&kit, "the facade is up", 9);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=session <*> opened"), 3);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=session data opened"), 1);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=the facade is up"), 1);
}

TEST(too_many_templates_are_other)
{
    struct kit kit = kit_open();

    for (uint32_t i = 0; i < 60; i++) {
        char body[] = "message of kind aa";

        body[sizeof(body) - 2] = (char)('a' + i % 30);
        say(&kit, body, 9);
    }
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template={other}"),
             2 * (30 - kit_options.max_templates));
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=message of kind aa"), 2);
    CHECK_EQ(kit_sum(DERIVED_LOGS, ""), 60);
}

TEST(structured_bodies)
{
    struct kit kit = kit_open();
    struct batch *batch = kit_batch(&kit, SIGNAL_LOGS);
    struct attrs with = kit_attrs(&batch->arena, "a=b,msg=order 7 done");
    struct attrs without = kit_attrs(&batch->arena, "a=b");
    struct log_record *log = kit_log(batch, CART, "", "");

    log->body =
        (struct attr){.items = with.at, .len = with.count, .type = VALUE_MAP};
    log = kit_log(batch, CART, "", "");
    log->body = (struct attr){
        .items = without.at, .len = without.count, .type = VALUE_MAP};
    kit_log(batch, CART, "", "");
    kit_take_all(&kit, batch);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template=order <*> done"), 1);
    CHECK_EQ(kit_sum(DERIVED_LOGS, "template={other}"), 2);
}

TEST(a_long_template_is_truncated)
{
    struct kit kit = kit_open();
    char body[4000];

    memset(body, 'x', sizeof(body));
    body[sizeof(body) - 1] = '\0';
    say(&kit, body, 9);
    body[sizeof(body) - 2] = 'y';
    say(&kit, body, 9);
    kit_close(&kit);
    CHECK_EQ(kit_sum(DERIVED_LOGS, ""), 2);
    for (uint32_t i = 0; i < kit_store.count; i++)
        for (uint32_t j = 0;
             kit_store.batches[i]->derived && j < kit_store.batches[i]->count;
             j++) {
            const struct attr *text =
                attrs_find(&kit_store.batches[i]->points[j].attrs,
                           SLICE(DERIVED_TEMPLATE));

            CHECK(!text || text->len <= CARDINALITY_MAX_TEXT);
        }
}
