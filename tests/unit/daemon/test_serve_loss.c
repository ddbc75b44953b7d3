/* Journal and database compared at the start; e2e/data_folder.py has the rest.
 */
#include "serve_loss.h"

#include "fault_kit.h"

static const struct source_offset place = {.topic = {"otlp_logs", 9},
                                           .offset = 7};

static bool again(const struct serve_loss *loss, struct store *store,
                  uint64_t lsn, enum signal signal, bool kafka)
{
    struct batch *batch = batch_new(signal, NULL, 0, NULL);
    bool read_again;

    batch->lsn = lsn;
    if (kafka)
        batch_set_source_offset(batch, &place);
    read_again = serve_loss_reads_again(loss, store, batch);
    batch_free(batch);
    return read_again;
}

/* A message after damage is read from Kafka again, unless it is stored. */
TEST(messages_after_damage_are_read_from_kafka_again)
{
    const struct serve_loss loss = {.damaged_after = 2};
    const struct serve_loss none = {.damaged_after = UINT64_MAX};
    struct instance instance;
    char dir[64];

    temp_make(dir);
    CHECK_EQ(instance_open(&instance, dir, &journal_io_system), OK);
    for (uint32_t k = 0; k < 4; k++) /* spans, logs, metrics, spans */
        CHECK_EQ(instance_send(&instance, k), OK);
    CHECK(instance_flush(&instance));
    CHECK_EQ(store_watermark(instance.store, STREAM_SPANS), 4);
    CHECK_EQ(store_watermark(instance.store, STREAM_LOGS), 2);
    CHECK(!again(&loss, instance.store, 4, SIGNAL_SPANS, true)); /* kept */
    CHECK(again(&loss, instance.store, 5, SIGNAL_SPANS, true));
    CHECK(again(&loss, instance.store, 3, SIGNAL_LOGS, true));
    CHECK(!again(&loss, instance.store, 2, SIGNAL_LOGS, true));  /* before it */
    CHECK(!again(&loss, instance.store, 3, SIGNAL_LOGS, false)); /* by HTTP */
    CHECK(!again(&none, instance.store, 3, SIGNAL_LOGS, true));
    CHECK(instance_close(&instance));
    temp_remove(dir);
}

struct both {
    struct journal *journal;
    struct store *store;
    struct serve_loss loss;
};

static bool both_open(struct both *both, const char *dir)
{
    struct journal_options journal = {.dir = dir, .max_bytes = 1 << 20};
    struct store_options store = options_in(dir);

    CHECK_EQ(journal_open(&both->journal, &journal), OK);
    store.journal = both->journal;
    CHECK_EQ(store_open(&both->store, &store), OK);
    return CHECK_EQ(serve_loss_check(&both->loss, both->journal, both->store),
                    OK);
}

static void both_close(struct both *both, bool clean)
{
    journal_stop(both->journal);
    if (clean)
        serve_loss_note_end(both->journal, both->store);
    store_close(both->store);
    journal_close(both->journal);
}

TEST(a_new_directory_reports_no_loss_and_keeps_its_id)
{
    struct both both;
    struct buf out;
    uint64_t id = 0;
    char dir[64], path[128];

    temp_make(dir);
    buf_init(&out, 1000);
    for (int i = 0; i < 3; i++) {
        if (!both_open(&both, dir))
            return;
        CHECK(!serve_loss_print(&both.loss, &out));
        CHECK(id == 0 || id == journal_id(both.journal));
        id = journal_id(both.journal);
        both_close(&both, true);
        snprintf(path, sizeof(path), "rm -f %s/journal-*", dir);
        CHECK_EQ(system(path), 0); /* nothing was in it: nothing is missing */
    }
    buf_release(&out);
    temp_remove(dir);
}

/* Something may have been acknowledged, though nothing was committed. */
TEST(a_missing_journal_is_reported_also_for_an_empty_database)
{
    struct both both;
    struct buf out;
    char dir[64], path[128];

    temp_make(dir);
    buf_init(&out, 1000);
    for (int i = 0; i < 3; i++) {
        if (!both_open(&both, dir))
            return;
        CHECK_EQ(serve_loss_print(&both.loss, &out), i == 1);
        both_close(&both, i == 1);
        snprintf(path, sizeof(path), "rm -f %s/journal-*", dir);
        CHECK_EQ(system(path), 0);
    }
    buf_release(&out);
    temp_remove(dir);
}
